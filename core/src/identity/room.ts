import type { EntitySchema } from '@mikro-orm/core'
import type { Signals } from '../database/signals.ts'
import type { EventDefinition } from '../events/event.ts'
import { coreRoleTemplates } from '../permissions/role-templates.ts'
import type { PermissionDefinition, PluginDefinition, RoleTemplate, RouteDefinition } from '../plugins/define-plugin.ts'
import type { GuardDefinition, ResourceDefinition } from '../records/define-resource.ts'
import type { Resource } from '../records/registry.ts'
import {
  identityEntities,
  identityEvents,
  identityGuards,
  identityPermissions,
  identityResources,
  identityRoutes,
} from './index.ts'

export interface IdentityRoom {
  readonly entities: readonly EntitySchema[]
  readonly resources: readonly ResourceDefinition[]
  readonly permissions: readonly PermissionDefinition[]
  readonly guards: readonly GuardDefinition[]
  readonly routes: readonly RouteDefinition[]
  readonly emits: readonly EventDefinition[]
  readonly roleTemplates: readonly RoleTemplate[]
}

/** What identity brings to the core's plugin. */
export function identityRoom({
  plugins,
  catalog,
}: {
  readonly signals?: Signals
  readonly plugins: () => readonly PluginDefinition[]
  readonly catalog: () => { get(id: string): Resource | undefined; all(): readonly Resource[] }
  readonly enabled?: (workspace: string) => ReadonlySet<string>
}): IdentityRoom {
  return {
    entities: identityEntities,
    resources: identityResources,
    permissions: identityPermissions,
    guards: identityGuards,
    routes: identityRoutes(() => ({ plugins: plugins(), catalog: catalog() })),
    emits: identityEvents,
    roleTemplates: coreRoleTemplates,
  }
}
