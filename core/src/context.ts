import type { EntityManager } from '@mikro-orm/sql'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Actor, Locale, Workspace } from './actor.ts'
import type { Sql } from './database/database.ts'
import type { EventDefinition } from './events/event.ts'
import type { Authority } from './permissions/authority.ts'
import type { SettingsDefinition, SettingsOf } from './plugins/settings/define-settings.ts'
import type { PeerCondition } from './plugins/peer-condition.ts'
import type { PointDefinition, ServiceDefinition } from './plugins/tokens.ts'
import type { Records } from './records/records.ts'

/** Time as a handler sees it: its workspace's zone is known. */
export interface ContextClock {
  now(): Date
  /** `YYYY-MM-DD` in the workspace's zone. */
  today(): string
}

/** What ends up in the ledger's head beside the actor. */
export interface Cause {
  /** `api`, `ui`, `import`, `job`, `event:<name>`, `system`. */
  readonly origin: string
  readonly reason?: string
  /** Request id. */
  readonly request?: string
  /** Change set that this unit undoes. */
  readonly undoOf?: string
  /** Work of many units that is one change to the people: the set all of them write, and the job that is done when it is whole. */
  readonly spans?: { readonly changeSet: string; readonly job: string }
}

/**
 * One unit of work: who acts where, one transaction, and everything a handler may reach. Nothing of it outlives the
 * unit, and there is no global to reach instead.
 */
export interface Context {
  readonly actor: Actor
  readonly workspace: Workspace
  readonly authority: Authority
  /**
   * Partners the acting person stands for, their own first; undefined for the people of the house and the platform itself.
   * Also of `asSystem()`: the unit stands on one side of the wall in the database, whoever helps in it.
   */
  readonly partners: readonly string[] | undefined
  readonly cause: Cause
  readonly locale: Locale
  readonly clock: ContextClock
  readonly log: Logger
  readonly signal: AbortSignal
  /** The engine: every read with the actor's permissions, every write through the one write path. */
  readonly records: Records
  /** Entities in this transaction, for what is particular to a plugin; behind both walls. */
  readonly em: EntityManager
  /** SQL in this transaction; behind both walls. */
  readonly sql: Sql
  /** Tells a fact: written with this unit's transaction, delivered after its commit, in commit order per `key`. */
  emit<P extends z.ZodType>(event: EventDefinition<P>, payload: z.input<P>, options: { key: string }): void
  /** Runs after this unit's commit, and never if it is undone. */
  afterCommit(run: () => void): void
  /** A service another plugin (or this one) provides. Throws `SERVICE_ABSENT` when nobody does here. */
  use<S>(service: ServiceDefinition<S>): S
  tryUse<S>(service: ServiceDefinition<S>): S | undefined
  /** What this workspace has chosen for the plugin whose code runs. Throws `SETTINGS_FOREIGN` for those of another. */
  settings<D extends SettingsDefinition>(definition: D): Promise<SettingsOf<D>>
  /** What enabled plugins contribute to an extension point in this workspace. */
  contributions<C>(point: PointDefinition<C>): readonly C[]
  /** Installed plugins that would contribute to it and are off in this workspace. */
  dormant(point: PointDefinition<unknown>): readonly string[]
  /** Whether another plugin is on in this workspace, in the range if there is one; true without a condition. */
  isAwake(when: PeerCondition | undefined): boolean
  /** Says a translation key in the actor's language. */
  t(key: string, values?: Record<string, unknown>): string
  /** The same unit, as somebody else: the platform itself, with every right. The ledger names it. */
  asSystem(): Context
  /** Number of the change set this unit writes, once it has written. */
  readonly changeSet: string | undefined
}
