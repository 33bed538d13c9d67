import { sql } from 'kysely'
import { gt, rcompare } from 'semver'
import type { Clock } from '../../clock.ts'
import type { Database, Sql } from '../../database/database.ts'
import { migrateIn, withPatience } from '../../database/migrator.ts'
import type { Signals } from '../../database/signals.ts'
import { SocleError } from '../../errors.ts'
import { flushEmissions } from '../../events/outbox.ts'
import { keepSubscriptions } from '../../events/subscriptions.ts'
import { admit } from '../check-plugins.ts'
import type { PluginDefinition } from '../define-plugin.ts'
import { pluginAsleep } from '../errors.ts'
import type { IncidentKind, Incidents } from '../incidents.ts'
import type { LoadedPlugins } from '../loaded-plugins.ts'
import { loadSource } from '../loading.ts'
import type { Held, Operations } from '../operations.ts'
import { keepPluginEntry, recordOfPlugin } from '../toggle-ledger.ts'
import { readArchive, type PluginArchive } from './archive.ts'
import { artefactOf, dropUnused, keepArtefact, storedPlugins, type StoredPlugin } from './artefacts.ts'
import { claimantOf } from './claimant.ts'
import {
  downgradeRefused,
  installedElsewhere,
  pluginLoadFailed,
  pluginOfDeployment,
  pluginPresent,
  uploadUnknown,
} from './errors.ts'
import { PluginInstalled, PluginUpgraded } from './events.ts'
import type { PluginStore } from './plugin-store.ts'
import { archiveOf, forcedAmong } from './provenance.ts'

/** Who installs, and from which workspace. */
export interface Administrator {
  readonly workspace: string
  /** User's id; the platform itself when absent. */
  readonly user: string | undefined
}

export interface InstallerParts {
  readonly database: Database
  readonly loaded: LoadedPlugins
  readonly store: PluginStore
  readonly signals: Signals
  readonly operations: Operations
  readonly incidents: Incidents
  readonly clock: Clock
  readonly safeMode: boolean
}

/** What is installed under an id. */
interface Installed {
  readonly version: string
  readonly source: 'deployment' | 'store'
  readonly integrity: string | null
}

const uploadsKeptFor = 24 * 3_600_000

/**
 * Puts plugins that come as archives into a running installation, takes new versions of them in, and follows what other
 * processes have done.
 *
 * An archive is read, held against what is installed and only then run: in this process first, beside what runs already.
 * Its migrations, its row and the generation are one transaction; the set is replaced when that is kept. Whatever fails
 * before leaves tables, rows and what runs as they were.
 */
export class Installer {
  readonly #parts: InstallerParts
  /** Archives that could not be run here; not tried again until something else changes. */
  readonly #failed = new Set<string>()

  constructor(parts: InstallerParts) {
    this.#parts = parts
  }

  /** The archive a plugin runs from in this process; nothing where it comes with the deployment. */
  running(plugin: string): StoredPlugin | undefined {
    const definition = this.#parts.loaded.get(plugin)
    return definition && archiveOf(definition)
  }

  /** What an administrator calls a signer; the key itself where nobody trusts it. */
  signer(key: string): { readonly name: string; readonly trusted: boolean } {
    return this.#parts.store.nameOf(key)
  }

  /** @throws `INSTALLED_ELSEWHERE` (403): code runs for all workspaces, so one of them answers for it */
  async demandHome(workspace: string): Promise<void> {
    const { rows } = await sql<{ id: string }>`
      select id from core.workspace order by created_at, id limit 1`.execute(this.#parts.database.owner)
    if (rows[0]?.id !== workspace) throw installedElsewhere({})
  }

  /**
   * Keeps an archive for its review. Nothing of it runs.
   *
   * @returns its integrity
   * @throws `ARCHIVE_REFUSED`, `PLUGIN_INTEGRITY_FAILED`, `PLUGIN_UNSIGNED` (422)
   */
  async upload(bytes: Uint8Array): Promise<string> {
    const { database, clock, store } = this.#parts
    const { manifest, signer } = await readArchive(bytes)
    store.demandSigner(manifest.id, signer)
    const now = clock.now()
    await dropUnused(database.owner, new Date(now.getTime() - uploadsKeptFor))
    return keepArtefact(database.owner, bytes, now)
  }

  /** Forgets an archive that was uploaded and not installed. */
  async decline(integrity: string): Promise<void> {
    const { database, clock } = this.#parts
    await dropUnused(database.owner, new Date(clock.now().getTime() + 1), integrity)
  }

  /** @throws `UPLOAD_UNKNOWN` (404) */
  async uploaded(integrity: string): Promise<PluginArchive> {
    const bytes = await artefactOf(this.#parts.database.owner, integrity)
    if (!bytes) throw uploadUnknown({ id: integrity })
    return readArchive(bytes)
  }

  async installed(plugin: string): Promise<Installed | undefined> {
    return installedOf(this.#parts.database.owner, plugin)
  }

  /**
   * Why an archive may not be installed as things stand, first what nobody can force. No code of it runs.
   *
   * @returns refusals; those with `PLUGIN_REQUIREMENT_MISSING` of a version and `PLATFORM_INCOMPATIBLE` go when forced
   */
  async refusals({ manifest }: PluginArchive, force = false): Promise<readonly SocleError[]> {
    const { id, version } = manifest
    const before = await this.installed(id)
    const refusals: SocleError[] = []
    if (before?.source === 'deployment') refusals.push(pluginOfDeployment({ plugin: id }))
    else if (before && before.version === version) refusals.push(pluginPresent({ plugin: id, version }))
    const last = await this.#lastVersion(id)
    if (last !== undefined && gt(last, version))
      refusals.push(downgradeRefused({ plugin: id, version, installed: last }))
    const others = this.#others(id)
    const { refused } = admit([...others, claimantOf(manifest)], {
      forced: new Set([...forcedAmong(others), ...(force ? [id] : [])]),
    })
    return [...refusals, ...refused.values()]
  }

  /**
   * Installs an uploaded archive, or takes it in as the new version of what it is.
   *
   * @param options.force - past the ranges it declares
   * @returns the plugin's id
   * @throws every refusal of `refusals`, `SAFE_MODE`, `PLUGIN_BUSY`, `PLUGIN_LOAD_FAILED`, `PLUGIN_LOAD_TIMED_OUT`, `SDK_COPIED`, `MANIFEST_MISMATCH`,
   *   `MIGRATION_FAILED`, `MIGRATION_OUT_OF_SCHEMA`, with nothing changed
   */
  async install(
    integrity: string,
    administrator: Administrator,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<string> {
    const { loaded, store, signals, operations, safeMode } = this.#parts
    const archive = await this.uploaded(integrity)
    const { manifest, signer = null } = archive
    const { id, version } = manifest
    if (safeMode) throw pluginAsleep({ plugin: id })
    store.demandSigner(id, signer ?? undefined)
    const operation = (await this.installed(id)) ? 'upgrade' : 'install'
    const { workspace, user } = administrator
    const request = { operation, plugins: [id], workspace, by: user } as const
    const change = async (held: Held) => {
      const [refusal] = await this.refusals(archive, force)
      if (refusal) throw refusal
      const stored: StoredPlugin = { id, version, integrity, signer, manifest, forced: force }
      const plugin = await this.#noting(id, 'load', () => loadSource(store.source(stored)))
      const plugins = [...this.#others(id), plugin]
      const { ordered, refused } = admit(plugins, { forced: forcedAmong(plugins) })
      for (const error of refused.values()) throw error
      const put = await this.#noting(id, 'declaration', async () => loaded.prepare(ordered))
      await this.#noting(id, 'migration', () => this.#keep(stored, plugin, administrator, held))
      put()
    }
    await operations.run(request, (held) => loaded.change(() => change(held)))
    signals.send({ kind: 'plugins' })
    signals.send({ kind: 'deliveries' })
    return id
  }

  /** The newest version whose tables are here: that of a plugin that went and left its data counts too. */
  async #lastVersion(plugin: string): Promise<string | undefined> {
    const { rows } = await sql<{ version: string }>`
      select version from core.plugin_version where plugin = ${plugin}`.execute(this.#parts.database.owner)
    return rows.map(({ version }) => version).toSorted(rcompare)[0]
  }

  /** Migrations, rows, ledger, event and generation: all of it or nothing. */
  async #keep(
    stored: StoredPlugin,
    plugin: PluginDefinition,
    { workspace, user }: Administrator,
    held: Held,
  ): Promise<void> {
    const { database, clock } = this.#parts
    const { id, version, integrity, signer, manifest, forced } = stored
    await withPatience(() =>
      database.owner.transaction().execute(async (tx) => {
        await held.keep(tx)
        const now = clock.now()
        const at = now.toISOString()
        if (plugin.migrations) await migrateIn(tx, id, plugin.migrations)
        const before = await installedOf(tx, id, { lock: true })
        const kept = await sql<{ integrity: string }>`
          insert into core.plugin_version (plugin, version, integrity, manifest, signer, installed_at)
          values (${id}, ${version}, ${integrity}, ${JSON.stringify(manifest)}::jsonb, ${signer}, ${at}::timestamptz)
          on conflict (plugin, version) do update set replaced_at = null, installed_at = excluded.installed_at
          returning integrity`.execute(tx)
        if (kept.rows[0]?.integrity !== integrity) throw pluginPresent({ plugin: id, version })
        await sql`
          update core.plugin_version set replaced_at = ${at}::timestamptz
          where plugin = ${id} and version <> ${version} and replaced_at is null`.execute(tx)
        await sql`update core.generation set value = value + 1`.execute(tx)
        await sql`
          insert into core.plugin (id, version, source, integrity, signer, manifest, forced, generation, installed_at, updated_at)
          select ${id}, ${version}, 'store', ${integrity}, ${signer}, ${JSON.stringify(manifest)}::jsonb, ${forced}, value,
            ${at}::timestamptz, ${at}::timestamptz from core.generation
          on conflict (id) do update set version = excluded.version, source = 'store', integrity = excluded.integrity,
            signer = excluded.signer, manifest = excluded.manifest, forced = excluded.forced, generation = excluded.generation,
            state = 'installed', reason = null, updated_at = excluded.updated_at`.execute(tx)
        await keepSubscriptions(tx, [plugin])
        const fields: Record<string, readonly [unknown, unknown]> = {
          version: [before?.version ?? null, version],
          integrity: [before?.integrity ?? null, integrity],
        }
        if (forced) fields['forced'] = [null, true]
        await keepPluginEntry(tx, { workspace, plugin: id, fields, by: user, at: now })
        const told = before
          ? { ...PluginUpgraded, payload: { plugin: id, version, from: before.version } }
          : { ...PluginInstalled, payload: { plugin: id, version } }
        await flushEmissions(tx, { workspace, emissions: [{ ...told, key: recordOfPlugin(id) }], at })
      }),
    )
  }

  /** Runs what the installation runs, when another process has changed that. */
  async follow(): Promise<void> {
    if (await this.#isBehind()) await this.#parts.loaded.change(() => this.#catchUp())
  }

  async #isBehind(): Promise<boolean> {
    const { rows } = await sql<{ id: string; integrity: string }>`
      select id, integrity from core.plugin where source = 'store' and state in ('installed', 'upgrading', 'quarantined')`.execute(
      this.#parts.database.owner,
    )
    return (
      rows.some(({ id, integrity }) => this.#isNews(id, integrity)) ||
      this.#parts.loaded.set.plugins.some((it) => archiveOf(it) && !rows.some(({ id }) => id === it.id))
    )
  }

  #isNews(id: string, integrity: string): boolean {
    return this.running(id)?.integrity !== integrity && !this.#failed.has(integrity)
  }

  async #catchUp(): Promise<void> {
    const { database, loaded, store } = this.#parts
    const wanted = new Map((await storedPlugins(database.owner)).map((stored) => [stored.id, stored]))
    const next = new Map(
      loaded.set.plugins.filter((it) => !archiveOf(it) || wanted.has(it.id)).map((it) => [it.id, it]),
    )
    for (const [id, stored] of wanted) {
      if (!this.#isNews(id, stored.integrity)) continue
      try {
        next.set(id, await this.#noting(id, 'load', () => loadSource(store.source(stored))))
      } catch {
        // It is noted, and what ran before goes on here.
        this.#failed.add(stored.integrity)
      }
    }
    const plugins = [...next.values()]
    const { ordered } = admit(plugins, { forced: forcedAmong(plugins) })
    loaded.replace(ordered)
  }

  #others(id: string): readonly PluginDefinition[] {
    return this.#parts.loaded.set.plugins.filter((plugin) => plugin.id !== id)
  }

  /** What fails at it is kept for administrators, and told as a refusal. */
  async #noting<T>(plugin: string, kind: IncidentKind, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await this.#parts.incidents.note({ plugin, kind, error })
      if (error instanceof SocleError || kind === 'migration') throw error
      throw pluginLoadFailed({ plugin, reason: error instanceof Error ? error.message : String(error) })
    }
  }
}

async function installedOf(db: Sql, plugin: string, { lock = false } = {}): Promise<Installed | undefined> {
  const { rows } = await sql<Installed>`
    select version, source, integrity from core.plugin where id = ${plugin} and state <> 'removing'
    ${lock ? sql`for update` : sql``}`.execute(db)
  return rows[0]
}
