import type { Switch } from '../events/holds.ts'
import type { Disposer } from './define-plugin.ts'
import type { Enablement } from './enablement.ts'
import { pluginDisabled, pluginReplaced, pluginStopTimedOut } from './errors.ts'
import type { Signals } from '../database/signals.ts'
import type { Logger } from 'pino'
import { within } from './within.ts'

/** What a plugin has in one workspace and this process: work that runs, and what it began when it was switched on. */
class Scope {
  /** What ends each work of the plugin that runs. */
  readonly work = new Set<AbortController>()
  readonly disposers: Disposer[] = []
  #empty: (() => void) | undefined

  end(interrupt: AbortController): void {
    this.work.delete(interrupt)
    if (this.work.size === 0) this.#empty?.()
  }

  /** Until nothing runs; what runs longer than this is interrupted. */
  async drain(milliseconds: number, why: Error): Promise<void> {
    if (this.work.size === 0) return
    const emptied = new Promise<void>((resolve) => {
      this.#empty = resolve
    })
    const patience = setTimeout(() => {
      for (const interrupt of this.work) interrupt.abort(why)
    }, milliseconds)
    await emptied
    clearTimeout(patience)
  }
}

/**
 * What plugins do in each workspace, in this process. A scope that a plugin leaves waits for its work and then takes back what
 * the plugin began: nothing has to be searched for afterwards.
 */
export class Scopes {
  readonly #enablement: Enablement
  readonly #drainMilliseconds: number
  readonly #disposeSeconds: number
  readonly #log: Logger
  readonly #scopes = new Map<string, Scope>()
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #stop: () => void

  constructor(
    { enablement, signals, log }: { enablement: Enablement; signals: Signals; log: Logger },
    { drainSeconds, unitSeconds }: { drainSeconds: number; unitSeconds: number },
  ) {
    this.#enablement = enablement
    this.#drainMilliseconds = drainSeconds * 1_000
    this.#disposeSeconds = unitSeconds
    this.#log = log
    this.#stop = signals.on((signal) => {
      if (signal.kind === 'plugins') void this.#leaveThoseOff(signal.switched?.workspace)
    })
  }

  /** Work that runs and disposers that wait, for checks that nothing is left. */
  get size(): number {
    return this.#scopes.size
  }

  /**
   * Does work of a plugin.
   *
   * @param interrupt - aborted when the plugin is off here and the patience with it has ended; the work ends by it
   */
  async run<T>({ workspace, plugin }: Switch, interrupt: AbortController, work: () => Promise<T>): Promise<T> {
    const key = keyOf({ workspace, plugin })
    const scope = this.#scope(key)
    scope.work.add(interrupt)
    try {
      return await work()
    } finally {
      scope.end(interrupt)
      if (scope.work.size === 0 && scope.disposers.length === 0 && this.#scopes.get(key) === scope)
        this.#scopes.delete(key)
    }
  }

  /** Keeps what takes back what a plugin began, until it is off here or the process ends. */
  keep(place: Switch, disposer: Disposer): void {
    this.#scope(keyOf(place)).disposers.push(disposer)
  }

  /**
   * Waits for the plugin's work here, then takes back what it began. Whoever comes meanwhile has a scope of their own.
   *
   * @param why - what work is told that takes longer than the patience
   */
  async leave(place: Switch, why: Error = pluginDisabled({ plugin: place.plugin })): Promise<void> {
    const key = keyOf(place)
    const scope = this.#scopes.get(key)
    if (!scope) return this.#leaving.get(key)
    this.#scopes.delete(key)
    const left = this.#end(scope, place, why).finally(() => {
      if (this.#leaving.get(key) === left) this.#leaving.delete(key)
    })
    this.#leaving.set(key, left)
    return left
  }

  /** The same in every workspace: another version of it runs from now on. */
  async replace(plugin: string): Promise<void> {
    const places = [...this.#scopes.keys()].map(placeOf).filter((it) => it.plugin === plugin)
    await Promise.all(places.map((place) => this.leave(place, pluginReplaced({ plugin }))))
  }

  async stop(): Promise<void> {
    this.#stop()
    await Promise.all([...this.#scopes].map(([key, scope]) => this.#dispose(scope, placeOf(key))))
    this.#scopes.clear()
  }

  #scope(key: string): Scope {
    let scope = this.#scopes.get(key)
    if (!scope) this.#scopes.set(key, (scope = new Scope()))
    return scope
  }

  /** @param workspace - where something was switched; anywhere when absent */
  async #leaveThoseOff(workspace: string | undefined): Promise<void> {
    for (const key of this.#scopes.keys()) {
      const place = placeOf(key)
      if (workspace !== undefined && workspace !== place.workspace) continue
      try {
        if (!(await this.#enablement.in(place.workspace)).has(place.plugin)) await this.leave(place)
      } catch (error) {
        this.#log.error({ err: error, ...place }, 'it could not be asked whether a plugin is on')
      }
    }
  }

  async #end(scope: Scope, place: Switch, why: Error): Promise<void> {
    await scope.drain(this.#drainMilliseconds, why)
    await this.#dispose(scope, place)
  }

  async #dispose(scope: Scope, place: Switch): Promise<void> {
    for (const disposer of scope.disposers.splice(0).toReversed()) {
      try {
        const late = pluginStopTimedOut({ plugin: place.plugin, seconds: this.#disposeSeconds })
        await within(this.#disposeSeconds, late, async () => disposer())
      } catch (error) {
        this.#log.warn({ err: error, ...place }, 'a plugin could not take back what it began')
      }
    }
  }
}

function keyOf({ workspace, plugin }: Switch): string {
  return `${workspace} ${plugin}`
}

function placeOf(key: string): Switch {
  const [workspace = '', plugin = ''] = key.split(' ')
  return { workspace, plugin }
}
