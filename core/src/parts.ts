import type { MikroORM } from '@mikro-orm/core'
import type { Logger } from 'pino'
import type { Actor, Workspace } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Cause } from './context.ts'
import type { Database } from './database/database.ts'
import type { Signals } from './database/signals.ts'
import type { EventCatalog } from './events/catalog.ts'
import type { Authorities } from './permissions/authorities.ts'
import type { Authority } from './permissions/authority.ts'
import type { PluginDefinition } from './plugins/define-plugin.ts'
import type { Enablement } from './plugins/enablement.ts'
import type { OwnFields } from './records/fields/own-fields.ts'
import type { Catalog } from './records/registry.ts'
import type { Words } from './words.ts'

/** Everything the platform is made of, put together once by `createApp`. */
export interface Parts {
  readonly database: Database
  readonly orm: MikroORM
  readonly signals: Signals
  readonly clock: Clock
  readonly log: Logger
  readonly words: Words
  /** In dependency order, the core first. */
  readonly plugins: readonly PluginDefinition[]
  /** The resources as they were declared, without any workspace's own fields. */
  readonly catalog: Catalog
  readonly fields: OwnFields
  readonly events: EventCatalog
  readonly authorities: Authorities
  readonly enablement: Enablement
}

export interface UnitSpec {
  readonly workspace: Workspace
  readonly actor: Actor
  readonly authority: Authority
  readonly cause: Cause
  /** Whose code runs: its settings and log name. */
  readonly plugin: string
  readonly signal?: AbortSignal
  /** The unit only reads; the database refuses it any write. */
  readonly readonly?: boolean
}
