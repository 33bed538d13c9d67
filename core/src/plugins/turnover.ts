import { sql } from 'kysely'
import { SocleError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { WhileAsked } from '../while-asked.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginBusy } from './errors.ts'
import type { PluginHolder, PluginSet } from './loaded-plugins.ts'
import { isNewer } from './newer.ts'
import type { Toggle } from './toggle.ts'

const againMilliseconds = 1_000

/**
 * From one version of a plugin to the next, where it is on: work of the one before ends, what it began is taken back, and the
 * new one begins in each workspace.
 */
export class Turnover implements PluginHolder {
  readonly #kernel: Kernel
  readonly #toggle: Toggle
  #running: ReadonlyMap<string, PluginDefinition> = new Map()
  readonly #takingOver = new WhileAsked(() => this.#takeOver())
  #later: NodeJS.Timeout | undefined
  #stopped = false

  constructor(kernel: Kernel, toggle: Toggle) {
    this.#kernel = kernel
    this.#toggle = toggle
  }

  prepare({ plugins }: PluginSet): () => void {
    const next = new Map(plugins.map((plugin) => [plugin.id, plugin]))
    return () => {
      const replaced = [...this.#running].filter(([id, plugin]) => next.has(id) && next.get(id) !== plugin)
      this.#running = next
      for (const [id] of replaced) void this.#kernel.parts.scopes.replace(id)
    }
  }

  /**
   * Lets the versions that run here begin where others have begun before; one process does it for all. Never throws: what
   * somebody else is at meanwhile, or the database does not answer for, is looked for again.
   */
  async takeOver(): Promise<void> {
    return this.#takingOver.ask()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#later)
  }

  async #takeOver(): Promise<void> {
    if (this.#stopped) return
    clearTimeout(this.#later)
    if (await this.#begin()) return
    this.#later = setTimeout(() => void this.takeOver(), againMilliseconds)
    this.#later.unref()
  }

  /** @returns whether nothing is left to be done */
  async #begin(): Promise<boolean> {
    const { database, loaded, log } = this.#kernel.parts
    let done = true
    try {
      const running = loaded.set.plugins.map(({ id, version }) => ({ id, version }))
      const { rows } = await sql<{ workspace: string; plugin: string; version: string }>`
        select w.workspace, w.plugin, w.version
        from jsonb_to_recordset(${JSON.stringify(running)}::jsonb) as r (id text, version text)
        join core.plugin_workspace w on w.plugin = r.id and w.version <> r.version and w.state = 'enabled'`.execute(
        database.owner,
      )
      for (const { workspace, plugin, version } of rows) {
        const now = loaded.get(plugin)
        // An older one of a process that is about to go leaves it to the newer.
        if (!now || !isNewer(now.version, version)) continue
        try {
          await this.#toggle.renew({ workspace, plugin })
        } catch (error) {
          done = false
          // Else another process is at it, or at something else with the plugin.
          if (!(error instanceof SocleError && error.code === pluginBusy.code))
            log.error({ err: error, plugin, workspace }, 'a new version could not take over')
        }
        if (this.#stopped) return true
      }
    } catch (error) {
      if (this.#stopped) return true
      log.error({ err: error }, 'what new versions are to take over could not be read')
      return false
    }
    return done
  }
}
