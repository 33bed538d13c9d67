import type { Logger } from 'pino'
import type { Actor, Workspace } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Cause } from './context.ts'
import type { Database } from './database/database.ts'
import type { Signals } from './database/signals.ts'
import type { Authorities } from './permissions/authorities.ts'
import type { Authority } from './permissions/authority.ts'
import type { Enablement } from './plugins/enablement.ts'
import type { Faults } from './plugins/faults.ts'
import type { Generation } from './plugins/generation.ts'
import type { Incidents } from './plugins/incidents.ts'
import type { LoadedPlugins, PluginSet } from './plugins/loaded-plugins.ts'
import type { PluginSettings } from './plugins/settings/plugin-settings.ts'
import type { Scopes } from './plugins/scopes.ts'
import type { OwnFields } from './records/fields/own-fields.ts'
import type { UnitLimit } from './unit-end.ts'
import type { Words } from './words.ts'

/** Everything the platform is made of, put together once by `createApp`; what is of the loaded plugins is as it is now. */
export interface Parts extends Readonly<PluginSet> {
  readonly database: Database
  readonly signals: Signals
  readonly clock: Clock
  readonly log: Logger
  readonly words: Words
  readonly loaded: LoadedPlugins
  readonly incidents: Incidents
  readonly settings: PluginSettings
  readonly fields: OwnFields
  readonly authorities: Authorities
  readonly enablement: Enablement
  readonly generation: Generation
  readonly scopes: Scopes
  readonly faults: Faults
  /** Started without any plugin. */
  readonly safeMode: boolean
  /** How long code of plugins may take in a unit of work that names no limit of its own. */
  readonly unitSeconds: number
}

export interface UnitSpec {
  readonly workspace: Workspace
  readonly actor: Actor
  readonly authority: Authority
  readonly cause: Cause
  /** Whose code runs: its settings and log name. */
  readonly plugin: string
  /** What its code is of, where another set may have taken its place since; what is loaded now when absent. */
  readonly set?: PluginSet
  readonly signal?: AbortSignal
  readonly limit?: UnitLimit
  /** The plugin's own resources are there although nobody else reaches it: it is on its way on or off. */
  readonly own?: boolean
  /** The unit only reads; the database refuses it any write. */
  readonly readonly?: boolean
}
