import type { EntitySchema } from '@mikro-orm/core'
import type { Signals } from '../database/signals.ts'
import type { EventDefinition } from '../events/event.ts'
import { coreRoleTemplates } from '../permissions/role-templates.ts'
import type { PermissionDefinition, RoleTemplate, RouteDefinition } from '../plugins/define-plugin.ts'
import type { GuardDefinition, ResourceDefinition } from '../records/define-resource.ts'
import { ApiKeySchema } from './entities/api-key.ts'
import { MemberSchema } from './entities/member.ts'
import { RoleAssignmentSchema } from './entities/role-assignment.ts'
import { RoleSchema } from './entities/role.ts'
import { TeamMemberSchema } from './entities/team-member.ts'
import { TeamSchema } from './entities/team.ts'
import { UserDeactivated } from './events.ts'
import { identityGuards } from './guards.ts'
import type { PermissionSource } from './permission-catalogue.ts'
import { identityPermissions } from './permissions.ts'
import { apiKeys, roleAssignments, roles, teamMembers, teams, users } from './resources.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { meRoutes } from './routes/me.ts'
import { roleRoutes } from './routes/roles.ts'
import { teamRoutes } from './routes/teams.ts'
import { userRoutes } from './routes/users.ts'

/** What identity brings to the core's plugin: people, teams, roles and keys as records, and the routes that write them. */
export interface IdentityRoom {
  readonly entities: readonly EntitySchema[]
  readonly resources: readonly ResourceDefinition[]
  readonly permissions: readonly PermissionDefinition[]
  readonly guards: readonly GuardDefinition[]
  readonly routes: readonly RouteDefinition[]
  readonly emits: readonly EventDefinition[]
  readonly roleTemplates: readonly RoleTemplate[]
}

export function identityRoom({
  signals,
  ...permissions
}: PermissionSource & { readonly signals: Signals }): IdentityRoom {
  const entities = [TeamSchema, TeamMemberSchema, RoleSchema, RoleAssignmentSchema, MemberSchema, ApiKeySchema]
  return {
    entities: entities as unknown as EntitySchema[],
    resources: [users, teams, teamMembers, roles, roleAssignments, apiKeys],
    permissions: identityPermissions,
    guards: identityGuards(signals),
    routes: [...userRoutes, ...teamRoutes, ...roleRoutes(permissions), ...apiKeyRoutes, ...meRoutes],
    emits: [UserDeactivated],
    roleTemplates: coreRoleTemplates,
  }
}
