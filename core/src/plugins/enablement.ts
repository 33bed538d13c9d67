import { sql } from 'kysely'
import type { Database, Sql } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import { keepSwitch } from './toggle-ledger.ts'

const pollEvery = 2_000

/**
 * Which plugins are on in which workspace, as this process knows it.
 *
 * The table is the truth; a generation number that every toggle raises tells when to read it again, by signal at once
 * and by polling when a signal was lost.
 */
export class Enablement {
  readonly #database: Database
  readonly #signals: Signals
  readonly #isLoaded: (plugin: string) => boolean
  readonly #on = new Map<string, Promise<ReadonlySet<string>>>()
  readonly #latest = new Map<string, ReadonlySet<string>>()
  #generation = 0
  #timer: NodeJS.Timeout | undefined
  #stop: (() => void) | undefined

  /** @param isLoaded - whether a plugin is loaded in this process; others are off whatever the table says */
  constructor(database: Database, signals: Signals, isLoaded: (plugin: string) => boolean) {
    this.#database = database
    this.#signals = signals
    this.#isLoaded = isLoaded
  }

  async start(): Promise<void> {
    this.#generation = await this.#read()
    this.#stop = this.#signals.on((signal) => {
      if (signal.kind === 'plugins') this.#forget()
    })
    this.#timer = setInterval(() => void this.#poll(), pollEvery)
    this.#timer.unref()
  }

  get generation(): number {
    return this.#generation
  }

  /** Plugins that are on in a workspace; the core always is. */
  async in(workspace: string): Promise<ReadonlySet<string>> {
    let reading = this.#on.get(workspace)
    if (!reading) {
      const fresh = this.#readWorkspace(workspace)
      reading = fresh
      this.#on.set(workspace, fresh)
      fresh.then(
        (on) => {
          // A toggle while reading makes the answer old news.
          if (this.#on.get(workspace) === fresh) this.#latest.set(workspace, on)
        },
        () => this.#on.delete(workspace),
      )
    }
    return reading
  }

  /** The last answer of `in`, for code that cannot wait; the core alone when nobody asked yet. */
  lastKnown(workspace: string): ReadonlySet<string> {
    return this.#latest.get(workspace) ?? new Set(['core'])
  }

  /** Workspaces in which a plugin is on, over all processes. */
  async workspacesOf(plugin: string): Promise<string[]> {
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.plugin_workspace where plugin = ${plugin} and state = 'enabled'`.execute(
      this.#database.owner,
    )
    return rows.map(({ workspace }) => workspace)
  }

  /**
   * Writes the new state and tells every process.
   *
   * @param also - runs in the same transaction, on the owner's connection
   * @returns false when it was so already
   */
  async set(
    workspace: string,
    plugin: string,
    state: 'enabled' | 'disabled',
    by: string | undefined,
    at: Date,
    also: (tx: Sql) => Promise<void> = async () => {},
  ): Promise<boolean> {
    const changed = await this.#database.owner.transaction().execute(async (tx) => {
      const { rows } = await sql`
        insert into core.plugin_workspace (plugin, workspace, state, since, by_user)
        values (${plugin}, ${workspace}::uuid, ${state}, ${at.toISOString()}::timestamptz, ${by ?? null}::uuid)
        on conflict (workspace, plugin) do update set state = excluded.state, since = excluded.since, by_user = excluded.by_user
          where core.plugin_workspace.state <> excluded.state
        returning plugin`.execute(tx)
      if (rows.length > 0) {
        await sql`update core.generation set value = value + 1`.execute(tx)
        await keepSwitch(tx, { workspace, plugin, state, by, at })
      }
      await also(tx)
      return rows.length > 0
    })
    if (changed) {
      this.#forget()
      this.#generation = await this.#read()
      this.#signals.send({ kind: 'plugins' })
    }
    return changed
  }

  async #readWorkspace(workspace: string): Promise<ReadonlySet<string>> {
    const { rows } = await this.#database.transaction({ workspace, partner: '*' }, (tx) =>
      sql<{
        plugin: string
      }>`select plugin from core.plugin_workspace where workspace = ${workspace}::uuid and state = 'enabled'`.execute(
        tx,
      ),
    )
    return new Set(['core', ...rows.map(({ plugin }) => plugin).filter((plugin) => this.#isLoaded(plugin))])
  }

  async #read(): Promise<number> {
    const { rows } = await sql<{ value: number }>`select value from core.generation`.execute(this.#database.owner)
    return rows[0]?.value ?? 0
  }

  async #poll(): Promise<void> {
    const generation = await this.#read().catch(() => this.#generation)
    if (generation === this.#generation) return
    this.#generation = generation
    this.#signals.here({ kind: 'plugins' })
  }

  #forget(): void {
    this.#on.clear()
    void this.#read().then(
      (generation) => {
        this.#generation = generation
      },
      () => {},
    )
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stop?.()
  }
}
