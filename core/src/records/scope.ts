import type { Context } from '../context.ts'
import type { Sql } from '../database/database.ts'
import type { Emission } from '../events/event.ts'
import type { Access, ResourceAction } from '../permissions/authority.ts'
import type { RecordSignal } from '../database/signals.ts'
import type { GuardDefinition } from './define-resource.ts'
import type { Catalog, Resource } from './registry.ts'

/** What the engine stands on in one unit of work. */
export interface EngineScope {
  readonly ctx: Context
  readonly catalog: Catalog
  readonly tx: Sql
  /** False for a resource of a plugin that is off in this workspace: it does not exist there. */
  exists(resource: Resource): boolean
  access(resource: Resource, action: ResourceAction): Access
  /** `<resource> <id>` of records this unit has found to exist for its actor: a thousand rows of one owner ask once. */
  readonly found: Set<string>
  /** Guards of the resource whose plugin is on in this workspace. */
  guards(resource: Resource): readonly GuardDefinition[]
  /** Id of this unit's change set, written to the ledger with its first change. */
  openChangeSet(): { readonly id: string; readonly isNew: boolean }
  emit(emission: Emission): void
  /** Told to the other tabs and processes after the commit. */
  signal(change: RecordSignal): void
  /** Runs a part that can fail alone: its rows, emissions and signals are undone, the rest of the unit stands. */
  savepoint<T>(part: () => Promise<T>): Promise<T>
}
