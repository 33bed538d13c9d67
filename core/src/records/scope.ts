import type { Context } from '../context.ts'
import type { Sql } from '../database/database.ts'
import type { Emission } from '../events/event.ts'
import type { Telling } from '../events/outbox.ts'
import type { Access, Authority, ResourceAction } from '../permissions/authority.ts'
import type { RecordSignal } from '../database/signals.ts'
import type { GuardDefinition } from './define-resource.ts'
import type { LinkTable } from './merge/link-table.ts'
import type { Resource, Resources } from './registry.ts'

/** What the engine stands on in one unit of work. */
export interface EngineScope {
  readonly ctx: Context
  /** The resources as the workspace in hand has them, with its own fields. */
  readonly catalog: Resources
  readonly tx: Sql
  /** Reads see what was at this ISO instant; see `scopeAsOf`. */
  readonly asOf?: string
  /** What is read goes to who asked, and to no code: masked fields stand in it as their masks. */
  readonly forScreens?: true
  /** False for a resource of a plugin that is off in this workspace: it does not exist there. */
  exists(resource: Resource): boolean
  isOn(plugin: string): boolean
  /** What a plugin is called in the actor's language; its id where it is not loaded. */
  moduleTitle(plugin: string): string
  access(resource: Resource, action: ResourceAction): Access
  /** The rights of who set the unit going, also where the platform acts for them: they read what is refused. */
  readonly asker: Authority
  /** `<resource> <id>` of records this unit has found to exist for its actor: a thousand rows of one owner ask once. */
  readonly found: Set<string>
  /** Guards of the resource whose plugin is on in this workspace. */
  guards(resource: Resource): readonly GuardDefinition[]
  /** Columns of every loaded plugin that point at records and belong to no resource. */
  links(): readonly LinkTable[]
  /** Id of this unit's change set, written to the ledger with its first change. */
  openChangeSet(): { readonly id: string; readonly isNew: boolean }
  emit(emission: Emission): void
  /**
   * Hands emissions to the statement that makes the changes they are about, so that telling costs no round trip of its own.
   * Undefined when others wait to be told before them; then they are told behind those, once the changes are made.
   */
  tellWithChange(emissions: readonly Emission[]): Telling | undefined
  /** Deliveries that such a statement made. */
  delivering(deliveries: number): void
  /** Told to the other tabs and processes after the commit. */
  signal(change: RecordSignal): void
  /** Runs a part that can fail alone: its rows, emissions and signals are undone, the rest of the unit stands. */
  savepoint<T>(part: () => Promise<T>): Promise<T>
}
