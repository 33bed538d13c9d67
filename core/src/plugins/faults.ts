import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { isCollision } from '../database/collision.ts'
import { isDatabaseAway, isOfNul } from '../database/database-error.ts'
import { SocleError } from '../errors.ts'
import type { Switch } from '../events/holds.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginFailed, pluginFailing, pluginStalling } from './errors.ts'
import { detailOf, framesOf, type IncidentKind, type Incidents } from './incidents.ts'
import { running } from './running.ts'

export interface Thresholds {
  /** Failures among the last `calls` calls of a plugin in a workspace that stop it there. */
  readonly failures: number
  readonly calls: number
  /** Seconds within a minute that it may keep everybody else from running. */
  readonly stallSeconds: number
}

export interface Fault {
  readonly kind: IncidentKind
  readonly error: unknown
  /** Whose unit of work or handler it was, where that is known. */
  readonly plugin?: string | undefined
  readonly workspace?: string | undefined
  /** The same call was counted before, and only failed again. */
  readonly again?: boolean
}

/** Who is told how calls of plugins end. */
export interface FaultSink {
  worked(place: Switch): void
  failed(fault: Fault): void
}

interface Call {
  readonly at: number
  failed: boolean
}

interface Stall {
  readonly at: number
  readonly milliseconds: number
}

const minute = 60_000
// A plugin that is called once a day is not stopped for what failed last week.
const remembered = 60 * minute

/**
 * Counts how calls of plugins end, and has those stopped that keep failing: in the workspace where they do, or wherever they
 * are on when that cannot be told.
 */
export class Faults implements FaultSink {
  readonly #incidents: Incidents
  readonly #log: Logger
  readonly #plugins: () => readonly PluginDefinition[]
  readonly #stop: (place: Partial<Switch> & Pick<Switch, 'plugin'>, why: SocleError) => Promise<void>
  readonly #thresholds: Thresholds
  readonly #calls = new Map<string, Call[]>()
  readonly #stalls = new Map<string, Stall[]>()

  /** @param stop - quarantines a plugin in a workspace, or everywhere without one */
  constructor(
    {
      incidents,
      log,
      plugins,
      stop,
    }: {
      incidents: Incidents
      log: Logger
      plugins: () => readonly PluginDefinition[]
      stop: (place: Partial<Switch> & Pick<Switch, 'plugin'>, why: SocleError) => Promise<void>
    },
    thresholds: Thresholds,
  ) {
    this.#incidents = incidents
    this.#log = log
    this.#plugins = plugins
    this.#stop = stop
    this.#thresholds = thresholds
  }

  worked({ workspace, plugin }: Switch): void {
    // Most plugins never fail, and cost nothing.
    const calls = this.#calls.get(keyOf({ workspace, plugin }))
    if (calls) this.#count(calls, false)
  }

  failed({ kind, workspace, again = false, ...fault }: Fault): void {
    const { error, plugin } = ownFault(fault)
    if (!isPluginsFault(error)) return
    const blamed = this.blame(error, plugin)
    if (blamed === undefined) return
    void this.#incidents.note({ plugin: blamed, kind, error, ...(workspace === undefined ? {} : { workspace }) })
    if (again) return
    const key = keyOf({ workspace, plugin: blamed })
    const calls = this.#calls.get(key) ?? []
    this.#calls.set(key, calls)
    // What a call leaves to nobody comes after the call was counted as one that worked.
    const counted = kind === 'rejection' ? calls.findLast((call) => !call.failed) : undefined
    if (counted) counted.failed = true
    else this.#count(calls, true)
    const failures = calls.filter((it) => it.failed).length
    if (failures < this.#thresholds.failures) return
    this.#calls.delete(key)
    this.#have({ plugin: blamed, workspace }, pluginFailing({ failures, calls: calls.length, fault: detailOf(error) }))
  }

  /**
   * Nothing else ran for so long because of a plugin.
   *
   * @param frames - what it was at, innermost first: `sumUp (plugins/sales/src/forecast.ts:12)`
   */
  stalled(
    { plugin, workspace }: { plugin: string; workspace?: string },
    milliseconds: number,
    frames: readonly string[],
  ): void {
    const place = frames.find((frame) => !frame.includes('(node:')) ?? 'code that could not be named'
    const why = pluginStalling({ seconds: Math.round(milliseconds / 1_000), place })
    why.stack = stackOf(frames)
    void this.#incidents.note({ plugin, kind: 'stall', error: why, ...(workspace === undefined ? {} : { workspace }) })
    const key = keyOf({ workspace, plugin })
    const now = performance.now()
    const stalls = [...(this.#stalls.get(key) ?? []).filter(({ at }) => now - at < minute), { at: now, milliseconds }]
    const total = stalls.reduce((sum, it) => sum + it.milliseconds, 0)
    if (total < this.#thresholds.stallSeconds * 1_000) {
      this.#stalls.set(key, stalls)
      return
    }
    this.#stalls.delete(key)
    this.#have({ plugin, workspace }, pluginStalling({ seconds: Math.round(total / 1_000), place }))
  }

  /** It begins anew: what failed before it was switched on again no longer counts. */
  forget(place: Switch): void {
    this.#calls.delete(keyOf(place))
    this.#stalls.delete(keyOf(place))
  }

  /**
   * Whose fault it is: the plugin whose code the error passed through first, else the one for whom the code ran.
   *
   * @returns nothing where nobody but the platform itself can be blamed
   */
  blame(error: unknown, plugin: string | undefined = running.getStore()?.plugin): string | undefined {
    const folders = this.#plugins().flatMap(({ id, root }) => (root ? [{ id, folder: fileURLToPath(root) }] : []))
    for (const frame of framesOf(error)) {
      const owner = folders.find(({ folder }) => frame.includes(folder))
      if (owner) return owner.id
    }
    return plugin === 'core' ? undefined : plugin
  }

  #count(calls: Call[], failed: boolean): void {
    const now = performance.now()
    calls.push({ at: now, failed })
    while (calls.length > this.#thresholds.calls || now - (calls[0]?.at ?? now) > remembered) calls.shift()
  }

  #have(place: { plugin: string; workspace: string | undefined }, why: SocleError): void {
    const { plugin, workspace } = place
    this.#log.error({ plugin, workspace, why: why.message }, 'a plugin is stopped')
    this.#stop(workspace === undefined ? { plugin } : { plugin, workspace }, why).catch((error: unknown) =>
      this.#log.error({ err: error, plugin, workspace }, 'a plugin could not be stopped'),
    )
  }
}

/** Frames as an error's stack would hold them. */
export function stackOf(frames: readonly string[]): string {
  return ['Standstill', ...frames.map((frame) => `    at ${frame}`)].join('\n')
}

/** Of one that failed in another's unit of work the fault is its own. */
function ownFault({ error, plugin }: Pick<Fault, 'error' | 'plugin'>): Pick<Fault, 'error' | 'plugin'> {
  if (!(error instanceof SocleError) || error.code !== pluginFailed.code) return { error, plugin }
  return { error: error.cause, plugin: String(error.values['plugin']) }
}

/**
 * Refusals are answers, and neither a database that is away nor a collision nor a text it keeps in no column nor somebody who
 * leaves is anybody's fault.
 */
export function isPluginsFault(error: unknown): boolean {
  if (error instanceof SocleError) return error.status === 500
  if (error instanceof Error && error.name === 'AbortError') return false
  if (isOfNul(error)) return false
  return !isDatabaseAway(error) && !isCollision(error)
}

function keyOf({ workspace = '', plugin }: { workspace?: string | undefined; plugin: string }): string {
  return `${workspace} ${plugin}`
}
