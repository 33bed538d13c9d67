import type { EntitySchema } from '@mikro-orm/core'
import type { EventDefinition } from '../events/event.ts'
import { provide, type JobDefinition, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { GuardDefinition, ResourceDefinition } from '../records/define-resource.ts'
import { ApiKeySchema } from './entities/api-key.ts'
import { IdentityProviderSchema } from './entities/identity-provider.ts'
import { MemberSchema } from './entities/member.ts'
import { RoleAssignmentSchema } from './entities/role-assignment.ts'
import { RoleSchema } from './entities/role.ts'
import { TeamMemberSchema } from './entities/team-member.ts'
import { TeamSchema } from './entities/team.ts'
import { ViewingSchema } from './entities/viewing.ts'
import { WorkspaceSchema } from './entities/workspace.ts'
import { DomainLost, UserDeactivated, UserInvited } from './events.ts'
import { rightsGuards } from './guards.ts'
import type { Identity } from './identity.ts'
import { settleHomes } from './membership-service.ts'
import { partnerGuards, PartnerPeople, PartnerPeopleService } from './partner-people.ts'
import type { PermissionSource } from './permission-catalogue.ts'
import {
  apiKeys,
  identityProviders,
  roleAssignments,
  roles,
  teamMembers,
  teams,
  users,
  viewings,
  workspaces,
} from './resources.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { identityProviderRoutes } from './routes/identity-providers.ts'
import { meRoutes } from './routes/me.ts'
import { roleRoutes } from './routes/roles.ts'
import { teamRoutes } from './routes/teams.ts'
import { userRoutes } from './routes/users.ts'
import { workspaceRoutes } from './routes/workspace.ts'
import { nightlyDomainCheck } from './sign-on/recheck.ts'
import { closeViewings } from './view-as.ts'
import { nightlyDoorSweep } from './sweep.ts'

export type { PermissionSource } from './permission-catalogue.ts'
export { identityPermissions } from './permissions.ts'

export const identityGuards: readonly GuardDefinition[] = [...rightsGuards, ...partnerGuards]

export const identityProvides = [provide(PartnerPeople, (ctx) => new PartnerPeopleService(ctx))]

/** People, teams, roles and keys, as records of a workspace. */
export const identityEntities = [
  TeamSchema,
  TeamMemberSchema,
  RoleSchema,
  RoleAssignmentSchema,
  MemberSchema,
  ApiKeySchema,
  IdentityProviderSchema,
  WorkspaceSchema,
  ViewingSchema,
] as unknown as readonly EntitySchema[]

export const identityResources: readonly ResourceDefinition[] = [
  users,
  teams,
  teamMembers,
  roles,
  roleAssignments,
  apiKeys,
  identityProviders,
  workspaces,
  viewings,
]

export const identityJobs = (identity: () => Identity): readonly JobDefinition[] => [
  settleHomes,
  closeViewings,
  nightlyDoorSweep(() => identity().sweep()),
  nightlyDomainCheck((workspace) => identity().recheckDomains(workspace)),
]

export const identityEvents: readonly EventDefinition[] = [UserDeactivated, UserInvited, DomainLost]

export function identityRoutes(permissions: PermissionSource, identity: () => Identity): readonly RouteDefinition[] {
  return [
    ...userRoutes,
    ...teamRoutes,
    ...roleRoutes(permissions),
    ...apiKeyRoutes,
    ...identityProviderRoutes(() => identity().signOn),
    ...meRoutes,
    ...workspaceRoutes,
  ]
}
