import { sql } from 'kysely'
import type { Sql } from '../database/database.ts'
import { migrate } from '../database/migrator.ts'
import { keepSubscriptions } from '../events/subscriptions.ts'
import type { Kernel } from '../kernel.ts'
import { admit } from './check-plugins.ts'
import { pluginAsleep, pluginNotStarted, pluginUnknown } from './errors.ts'
import { raiseGeneration } from './generation.ts'
import { detailOf, type IncidentKind } from './incidents.ts'
import { dismissUnwell, keepPlugins } from './installation.ts'
import { downgradeOf, installedVersions, isGone, loadSource } from './loading.ts'
import type { Operations } from './operations.ts'
import type { PluginSource } from './plugin-source.ts'
import { forcedAmong } from './store/provenance.ts'

export interface RevivalOptions {
  /** All that this process may load. */
  readonly sources: () => Promise<readonly PluginSource[]>
  /** Whether schemas are brought to their newest version here. */
  readonly migrates: boolean
}

/** Tries again what did not start with this process, when whatever was wrong has been mended: nobody restarts for it. */
export class Revival {
  readonly #kernel: Kernel
  readonly #operations: Operations
  readonly #options: RevivalOptions
  /** Those that other processes run and that failed here once more: tried again only when somebody asks. */
  readonly #given = new Set<string>()

  constructor(kernel: Kernel, operations: Operations, options: RevivalOptions) {
    this.#kernel = kernel
    this.#operations = operations
    this.#options = options
  }

  /**
   * Takes a plugin in that is installed and does not run here; nothing where it does.
   *
   * @throws `PLUGIN_UNKNOWN` (404), `SAFE_MODE` (503), `PLUGIN_BUSY` (409), `PLUGIN_NOT_STARTED` (422) with why, nothing changed
   */
  async revive(id: string, { workspace, by }: { workspace: string; by: string | undefined }): Promise<void> {
    const { loaded, safeMode, database, signals } = this.#kernel.parts
    if (loaded.get(id)) return
    const source = (await this.#options.sources()).find((it) => it.id === id)
    if (!source) throw pluginUnknown({ plugin: id })
    if (safeMode) throw pluginAsleep({ plugin: id })
    await this.#operations.run({ operation: 'enable', plugins: [id], workspace, by }, () => this.#start(source))
    await raiseGeneration(database.owner)
    signals.send({ kind: 'plugins' })
    signals.send({ kind: 'deliveries' })
  }

  /** Takes in what of the deployment another process has brought back; of the store the installer does. */
  async follow(): Promise<void> {
    const { database, loaded, log } = this.#kernel.parts
    const { rows } = await sql<{ id: string }>`select id from core.plugin where state = 'installed'`.execute(
      database.owner,
    )
    const missing = rows.filter(({ id }) => !loaded.get(id) && !this.#given.has(id))
    if (missing.length === 0) return
    const sources = (await this.#options.sources()).filter(({ from }) => from === 'deployment')
    for (const { id } of missing) {
      const source = sources.find((it) => it.id === id)
      if (!source) continue
      this.#given.add(id)
      await this.#start(source).then(
        () => this.#given.delete(id),
        (error: unknown) => log.error({ err: error, plugin: id }, 'a plugin that runs elsewhere does not start here'),
      )
    }
  }

  async #start(source: PluginSource): Promise<void> {
    const { loaded, incidents, database, clock } = this.#kernel.parts
    const { id } = source
    let kind: IncidentKind = 'load'
    try {
      await loaded.change(async () => {
        // Installed here while this waited for its turn.
        if (loaded.get(id)) return
        const plugin = await loadSource(source)
        // It may have been taken away meanwhile: its tables are not made again.
        if (!(await this.#isInstalled(id))) throw pluginUnknown({ plugin: id })
        kind = 'declaration'
        const all = [...loaded.set.plugins, plugin]
        const { ordered, refused } = admit(all, { forced: forcedAmong(all) })
        const refusal = downgradeOf(plugin, await installedVersions(database.owner)) ?? refused.get(id)
        if (refusal) throw refusal
        const put = loaded.prepare(ordered)
        kind = 'migration'
        if (plugin.migrations && this.#options.migrates) {
          const isWanted = async (tx: Sql) => !(await isGone(tx, plugin))
          if (!(await migrate(database.owner, id, plugin.migrations, isWanted))) throw pluginUnknown({ plugin: id })
        }
        await keepSubscriptions(database.owner, [plugin])
        put()
      })
    } catch (error) {
      await incidents.note({ plugin: id, kind, error })
      throw pluginNotStarted({ plugin: id, reason: detailOf(error, kind) })
    }
    const unwell = (await dismissUnwell(this.#kernel, id)).get(id)
    if (unwell) throw pluginNotStarted({ plugin: id, reason: detailOf(unwell.error, unwell.kind) })
    await keepPlugins(database, { loaded, faults: new Map(), incidents, clock })
  }

  async #isInstalled(id: string): Promise<boolean> {
    const { rows } = await sql`
      select from core.plugin where id = ${id} and state not in ('removing', 'removed')`.execute(
      this.#kernel.parts.database.owner,
    )
    return rows.length > 0
  }
}
