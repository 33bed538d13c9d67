import type { PluginDefinition } from './define-plugin.ts'
import type { PluginHolder, PluginSet } from './loaded-plugins.ts'

export interface WearOptions {
  /** So many versions are replaced or taken away before the process is worn. */
  readonly most: number
  /** Processes of one installation are worn by the same upgrades: each waits a while of its own, at most this long. */
  readonly spreadMilliseconds: number
  /** Asked once to make room for a fresh process. */
  readonly onWorn: () => void
}

/** Counts versions of plugins that no longer run: a process never gives back the memory of a module it has imported. */
export class Wear implements PluginHolder {
  readonly #options: WearOptions
  #running: ReadonlyMap<string, PluginDefinition> = new Map()
  #gone = 0
  #waiting: NodeJS.Timeout | undefined

  constructor(options: WearOptions) {
    this.#options = options
  }

  prepare({ plugins }: Pick<PluginSet, 'plugins'>): () => void {
    const next = new Map(plugins.map((plugin) => [plugin.id, plugin]))
    return () => {
      this.#gone += [...this.#running].filter(([id, plugin]) => next.get(id) !== plugin).length
      this.#running = next
      const { most, spreadMilliseconds, onWorn } = this.#options
      if (this.#gone >= most) this.#waiting ??= setTimeout(onWorn, Math.random() * spreadMilliseconds)
    }
  }

  stop(): void {
    clearTimeout(this.#waiting)
  }
}
