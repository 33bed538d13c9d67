import { sql } from 'kysely'
import type { Database, Sql } from '../database/database.ts'
import type { Signals, SwitchSignal } from '../database/signals.ts'
import type { Switch } from '../events/holds.ts'
import { raiseGeneration, type Generation } from './generation.ts'
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
  /** The installation's when it was read: every switch up to it is in. */
  readonly generation: number
}

interface Kept {
  readonly reading: Promise<Known>
  /** What was read, once it is. */
  known?: Known
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
  readonly #kept = new Map<string, Kept>()
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
    this.#stop = signals.on((signal) => {
      if (signal.kind !== 'plugins') return
      if (signal.switched) this.#drop(signal.switched)
      else this.#kept.clear()
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
    const moved = await this.#database.owner.transaction().execute(async (tx) => {
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
      let generation: number | undefined
      if (isSwitch(stood.state, state)) {
        generation = await raiseGeneration(tx)
        await keepSwitch(tx, { workspace, plugin, from: shown(stood.state), state: shown(state), by, at })
      }
      await also?.(tx, standings)
      return { stood, generation }
    })
    if (!moved) return undefined
    await this.#renew(workspace)
    if (moved.generation !== undefined) await this.#tell({ workspace, generation: moved.generation })
    return moved.stood
  }

  /**
   * Undoes a move to `enabling`, of which nobody was told. What was never on here is again as if nobody had tried, unless it
   * has prepared the workspace already: that is not done twice.
   */
  async back({ workspace, plugin }: Switch, { state, reason }: Partial<Standing>): Promise<void> {
    await this.#database.owner.transaction().execute(async (tx) => {
      const mine = sql`workspace = ${workspace}::uuid and plugin = ${plugin} and state = 'enabling'`
      if (state !== undefined) {
        await sql`update core.plugin_workspace set state = ${state}, reason = ${reason ?? null} where ${mine}`.execute(
          tx,
        )
        return
      }
      await sql`update core.plugin_workspace set state = 'disabled' where ${mine} and version is not null`.execute(tx)
      const { rows } = await sql`delete from core.plugin_workspace where ${mine} returning plugin`.execute(tx)
      if (rows.length === 0) return
      await sql`
        delete from core.delivery d using core.subscription s
        where s.id = d.subscription and s.plugin = ${plugin} and d.workspace = ${workspace}::uuid`.execute(tx)
    })
    await this.#renew(workspace)
  }

  /** Workspaces in which a plugin is on, over all processes. */
  async workspacesOf(plugin: string): Promise<string[]> {
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.plugin_workspace where plugin = ${plugin} and state = 'enabled'`.execute(
      this.#database.owner,
    )
    return rows.map(({ workspace }) => workspace)
  }

  async #tell(switched: SwitchSignal): Promise<void> {
    await this.#generation.switched(switched.generation)
    this.#signals.send({ kind: 'plugins', switched })
  }

  /** Forgets what was read before a switch. */
  #drop({ workspace, generation }: SwitchSignal): void {
    const { known } = this.#kept.get(workspace) ?? {}
    if (known === undefined || known.generation < generation) this.#kept.delete(workspace)
  }

  /**
   * Puts what is so now in the place of what is kept. Until it is read whoever asks is answered as before: who moved a plugin
   * is told that it is moved after this, and whoever asks after that finds it so.
   */
  async #renew(workspace: string): Promise<void> {
    const before = this.#kept.get(workspace)
    if (!before) return
    const fresh = this.#begin(workspace)
    await fresh.reading.catch(() => {})
    // Somebody else's renewal may have begun before this move was made: nobody keeps either.
    if (!fresh.known || this.#kept.get(workspace) !== before) this.#kept.delete(workspace)
    else this.#put(workspace, fresh)
  }

  async #of(workspace: string): Promise<Known> {
    const kept = this.#kept.get(workspace)
    if (kept) return kept.reading
    const fresh = this.#begin(workspace)
    this.#kept.set(workspace, fresh)
    fresh.reading.then(
      () => {
        // A switch while reading makes the answer old news.
        if (this.#kept.get(workspace) === fresh) this.#put(workspace, fresh)
      },
      () => {
        if (this.#kept.get(workspace) === fresh) this.#kept.delete(workspace)
      },
    )
    return fresh.reading
  }

  #begin(workspace: string): Kept {
    const kept: Kept = {
      reading: this.#read(workspace).then((known) => {
        kept.known = known
        return known
      }),
    }
    return kept
  }

  #put(workspace: string, kept: Kept): void {
    this.#kept.set(workspace, kept)
    if (kept.known) this.#latest.set(workspace, kept.known.on)
  }

  /** In one statement, so that what is read is of the generation that is read. */
  async #read(workspace: string): Promise<Known> {
    const { rows } = await sql<{ readonly generation: number; readonly standings: readonly StandingRow[] }>`
      select g.value as generation, (
        select coalesce(jsonb_agg(jsonb_build_object('plugin', p.plugin, 'state', p.state, 'reason', p.reason)), '[]')
        from core.plugin_workspace p where p.workspace = ${workspace}::uuid) as standings
      from core.generation g`.execute(this.#database.owner)
    const { generation = 0, standings = [] } = rows[0] ?? {}
    const on = standings.filter(({ plugin, state }) => state === 'enabled' && this.#isLoaded(plugin))
    return { on: new Set(['core', ...on.map(({ plugin }) => plugin)]), standings: standingsOf(standings), generation }
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
