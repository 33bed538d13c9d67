import type { RawBuilder, SqlBool } from 'kysely'
import type { ResourceModel } from '../records/model.ts'
import type { FieldGrant, Grant } from './grant.ts'

/** What one role allows; several add up. */
export interface RoleRights {
  /** Of a role that stands in a table. */
  readonly id?: string
  readonly grants: readonly Grant[]
  readonly fields: readonly FieldGrant[]
}

/** By whom a record shared one by one is found. */
export interface SharedWith {
  /** Own teams and all above them: what is shared with a team is shared with the teams below it. */
  readonly teams: readonly string[]
  /** Resources of which something is shared; of others no statement looks for shares. */
  readonly resources: ReadonlySet<string>
}

/** Rights as they can be kept beside something, to be compared with those of later; see `mayBeTold`. */
export interface HeldRights {
  readonly roles: readonly Pick<RoleRights, 'grants' | 'fields'>[]
  readonly teams: readonly string[]
  readonly partners?: readonly string[]
}

export type Visibility = 'own' | 'team' | 'all'

/** Everything an engine action may be granted for. */
export type ResourceAction = 'read' | 'create' | 'update' | 'delete' | 'restore' | 'export' | 'import'

const resourceActions: ReadonlySet<string> = new Set([
  'read',
  'create',
  'update',
  'delete',
  'restore',
  'export',
  'import',
] satisfies ResourceAction[])

export function isResourceAction(action: string): action is ResourceAction {
  return resourceActions.has(action)
}

/** What the compiler makes of an actor, a resource and an action: the one gate in front of every row and field. */
export interface Access {
  /** False when no grant at all allows the action. */
  readonly allowed: boolean
  /** True when every row of the workspace is within reach, so that no condition is needed. */
  readonly everything: boolean
  /** Set where reach is all that decides on a row: no condition, no denial, no audience. A search need not look at the row then. */
  readonly reach?: Visibility
  /** The rows within reach, for a table alias; never null in SQL. */
  where(alias: string): RawBuilder<SqlBool>
  /** The rows within reach by grants alone: whom a record belongs to, and with whom it is shared, is theirs to say. */
  granted(alias: string): RawBuilder<SqlBool>
  /** Set where records were shared with the actor: their ids now, an array in SQL. */
  shared?(): RawBuilder<readonly string[]>
  /** True when the actor may read the field. System fields (`id`, `version`, `createdAt` …) always are. */
  readable(field: string): boolean
  /** True when the actor may only recognise the field: it is answered as its mask, and is as unreadable otherwise. */
  masked(field: string): boolean
  writable(field: string): boolean
}

/** An actor's rights in one workspace, resolved once per request. */
export interface Authority {
  /** The compiler: `compile(actor, resource, action)`; the same answer for list, get, search, aggregate, export, picker. */
  compile(model: ResourceModel, action: ResourceAction): Access
  /** Whether a named permission (`core.plugin.toggle`) is granted with any visibility. */
  may(permission: string): boolean
  /** Whether all that a role allows is held already: who may give only what they have gives no more than that. */
  holds(role: RoleRights): boolean
  /** Team ids whose records the actor sees with visibility `team`: own teams and all below them. */
  readonly teams: readonly string[]
  /** Team a new record of the actor belongs to. */
  readonly homeTeam?: string
  /** Partners a partner's person stands for, their own first; absent for the people of the house. */
  readonly partners?: readonly string[]
  /** Set while something is shared with the actor. */
  readonly shares?: SharedWith
  /** Ids of the roles held; the platform itself holds none. */
  readonly roles?: readonly string[]
  /** What it was compiled from; the platform itself holds everything. */
  readonly held?: HeldRights
}
