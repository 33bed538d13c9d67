import { sql } from 'kysely'
import type { Database, Sql } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import type { Switch } from '../events/holds.ts'
import type { Generation } from './generation.ts'
import { keepSwitch } from './toggle-ledger.ts'

/** How a plugin stands in a workspace. On is `enabled` alone; `enabling` and `disabling` are on their way. */
export type PluginState = 'enabling' | 'enabled' | 'disabling' | 'disabled' | 'quarantined'

export interface Standing {
  readonly state: PluginState
  /** Why it is quarantined. */
  readonly reason?: string
}

export interface Move {
  readonly workspace: string
  readonly plugin: string
  readonly state: PluginState
  /** User who moves it; the platform itself when absent. */
  readonly by?: string | undefined
  readonly at: Date
  readonly reason?: string
}

export interface MoveOptions {
  /** From which states; from any other than the wanted one when absent. Undefined is never having been on. */
  readonly from?: (state: PluginState | undefined) => boolean
  /** Runs in the same transaction, on the owner's connection; other switches of this workspace wait for it. */
  readonly also?: (tx: Sql, standings: ReadonlyMap<string, Standing>) => Promise<void>
}

interface Known {
  readonly on: ReadonlySet<string>
  readonly standings: ReadonlyMap<string, Standing>
}

/**
 * Which plugins are on in which workspace, as this process knows it.
 *
 * The table is the truth; the installation's generation, which every switch raises, tells when to read it again.
 */
export class Enablement {
  readonly #database: Database
  readonly #signals: Signals
  readonly #generation: Generation
  readonly #isLoaded: (plugin: string) => boolean
  readonly #known = new Map<string, Promise<Known>>()
  readonly #latest = new Map<string, ReadonlySet<string>>()
  readonly #stop: () => void

  /** @param isLoaded - whether a plugin is loaded in this process; others are off whatever the table says */
  constructor(
    { database, signals, generation }: { database: Database; signals: Signals; generation: Generation },
    isLoaded: (plugin: string) => boolean,
  ) {
    this.#database = database
    this.#signals = signals
    this.#generation = generation
    this.#isLoaded = isLoaded
    this.#stop = signals.on(({ kind }) => {
      if (kind === 'plugins') this.#known.clear()
    })
  }

  /** Plugins that are on in a workspace; the core always is. */
  async in(workspace: string): Promise<ReadonlySet<string>> {
    return (await this.#of(workspace)).on
  }

  /** How each plugin stands that was ever on in a workspace, whether it is loaded here or not. */
  async standingsIn(workspace: string): Promise<ReadonlyMap<string, Standing>> {
    return (await this.#of(workspace)).standings
  }

  /** The last answer of `in`, for code that cannot wait; the core alone when nobody asked yet. */
  lastKnown(workspace: string): ReadonlySet<string> {
    return this.#latest.get(workspace) ?? new Set(['core'])
  }

  /**
   * Writes how a plugin stands. Where that switches it on or off for people, the ledger keeps it and every process is told.
   *
   * @returns how it stood before, with `state` undefined when it was never on here; nothing when it stands otherwise than asked
   */
  async move(
    { workspace, plugin, state, by, at, reason }: Move,
    { from = (it) => it !== state, also }: MoveOptions = {},
  ): Promise<Partial<Standing> | undefined> {
    const before = await this.#database.owner.transaction().execute(async (tx) => {
      // All rows of the workspace, so that what requires a plugin and what is required are never switched past each other.
      const { rows } = await sql<StandingRow>`
        select plugin, state, reason from core.plugin_workspace
        where workspace = ${workspace}::uuid order by plugin for update`.execute(tx)
      const standings = standingsOf(rows)
      const stood: Partial<Standing> = standings.get(plugin) ?? {}
      if (!from(stood.state)) return undefined
      await sql`
        insert into core.plugin_workspace (plugin, workspace, state, since, by_user, reason)
        values (${plugin}, ${workspace}::uuid, ${state}, ${at.toISOString()}::timestamptz, ${by ?? null}::uuid, ${reason ?? null})
        on conflict (workspace, plugin) do update set state = excluded.state, since = excluded.since,
          by_user = excluded.by_user, reason = excluded.reason`.execute(tx)
      if (isSwitch(stood.state, state)) {
        await sql`update core.generation set value = value + 1`.execute(tx)
        await keepSwitch(tx, { workspace, plugin, from: shown(stood.state), state: shown(state), by, at })
      }
      await also?.(tx, standings)
      return stood
    })
    if (before) await this.#told(isSwitch(before.state, state))
    return before
  }

  /** Undoes a move to `enabling`, of which nobody was told. What was never on here is again as if nobody had tried. */
  async back({ workspace, plugin }: Switch, { state, reason }: Partial<Standing>): Promise<void> {
    await this.#database.owner.transaction().execute(async (tx) => {
      const mine = sql`workspace = ${workspace}::uuid and plugin = ${plugin} and state = 'enabling'`
      if (state !== undefined) {
        await sql`update core.plugin_workspace set state = ${state}, reason = ${reason ?? null} where ${mine}`.execute(
          tx,
        )
        return
      }
      await sql`delete from core.plugin_workspace where ${mine}`.execute(tx)
      await sql`
        delete from core.delivery d using core.subscription s
        where s.id = d.subscription and s.plugin = ${plugin} and d.workspace = ${workspace}::uuid`.execute(tx)
    })
    await this.#told(false)
  }

  /** Workspaces in which a plugin is on, over all processes. */
  async workspacesOf(plugin: string): Promise<string[]> {
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.plugin_workspace where plugin = ${plugin} and state = 'enabled'`.execute(
      this.#database.owner,
    )
    return rows.map(({ workspace }) => workspace)
  }

  async #told(everybody: boolean): Promise<void> {
    this.#known.clear()
    if (!everybody) return
    await this.#generation.follow()
    this.#signals.send({ kind: 'plugins' })
  }

  async #of(workspace: string): Promise<Known> {
    let reading = this.#known.get(workspace)
    if (!reading) {
      const fresh = this.#read(workspace)
      reading = fresh
      this.#known.set(workspace, fresh)
      fresh.then(
        ({ on }) => {
          // A switch while reading makes the answer old news.
          if (this.#known.get(workspace) === fresh) this.#latest.set(workspace, on)
        },
        () => this.#known.delete(workspace),
      )
    }
    return reading
  }

  async #read(workspace: string): Promise<Known> {
    const { rows } = await this.#database.transaction({ workspace, partner: '*' }, (tx) =>
      sql<StandingRow>`
        select plugin, state, reason from core.plugin_workspace where workspace = ${workspace}::uuid`.execute(tx),
    )
    const on = rows.filter(({ plugin, state }) => state === 'enabled' && this.#isLoaded(plugin))
    return { on: new Set(['core', ...on.map(({ plugin }) => plugin)]), standings: standingsOf(rows) }
  }

  stop(): void {
    this.#stop()
  }
}

interface StandingRow {
  readonly plugin: string
  readonly state: PluginState
  readonly reason: string | null
}

function standingsOf(rows: readonly StandingRow[]): ReadonlyMap<string, Standing> {
  return new Map(rows.map(({ plugin, state, reason }) => [plugin, { state, ...(reason === null ? {} : { reason }) }]))
}

/** States as people see them: what is on its way is not on. */
export function shown(state: PluginState = 'disabled'): 'enabled' | 'disabled' | 'quarantined' {
  return state === 'enabling' || state === 'disabling' ? 'disabled' : state
}

/** Of its way on nobody hears before it is on. */
function isSwitch(before: PluginState | undefined, state: PluginState): boolean {
  return state !== 'enabling' && shown(before) !== shown(state)
}
