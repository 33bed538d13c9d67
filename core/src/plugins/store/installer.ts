import { sql } from 'kysely'
import { gt, rcompare } from 'semver'
import type { Clock } from '../../clock.ts'
import type { Database, Sql } from '../../database/database.ts'
import { migrateIn, schemaOf, withPatience } from '../../database/migrator.ts'
import type { Signals } from '../../database/signals.ts'
import { SocleError } from '../../errors.ts'
import { flushEmissions } from '../../events/outbox.ts'
import { keepSubscriptions } from '../../events/subscriptions.ts'
import { admit } from '../check-plugins.ts'
import type { PluginDefinition } from '../define-plugin.ts'
import { pluginAsleep, pluginBusy, pluginUnknown } from '../errors.ts'
import { raiseGeneration } from '../generation.ts'
import type { IncidentKind, Incidents } from '../incidents.ts'
import type { LoadedPlugins } from '../loaded-plugins.ts'
import { downgradeOf, installedVersions, loadSource } from '../loading.ts'
import type { PluginSource } from '../plugin-source.ts'
import { pluginNotKept } from '../removal/errors.ts'
import { giveGrantsIn, type GrantLine } from '../removal/grants.ts'
import type { Held, Operations } from '../operations.ts'
import { keepPluginEntry, recordOfPlugin } from '../toggle-ledger.ts'
import { readArchive, type PluginArchive } from './archive.ts'
import {
  artefactOf,
  dropReplaced,
  dropUnused,
  keepArtefact,
  neededVersions,
  storedPlugins,
  type StoredPlugin,
} from './artefacts.ts'
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
  /** Plugins of the deployment, by id: they may be removed and installed again. */
  readonly deployment: ReadonlyMap<string, PluginSource>
  /** Those of the deployment that were not loaded, because they are removed. */
  readonly removed: ReadonlySet<string>
}

/** What is installed under an id. */
interface Installed {
  readonly version: string
  readonly source: 'deployment' | 'store'
  readonly integrity: string | null
}

/** What the tables say of a plugin. */
interface InstalledStanding {
  readonly integrity: string
  readonly isStored: boolean
  readonly runs: boolean
}

/** How long an upload waits to be installed, and tabs ask for what was replaced. */
const keptFor = 24 * 3_600_000

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

  /** Plugins of the deployment that this process does not run, because they are removed. */
  readonly #away: Set<string>

  constructor(parts: InstallerParts) {
    this.#parts = parts
    this.#away = new Set(parts.removed)
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
    await this.sweep()
    return keepArtefact(database.owner, bytes, clock.now())
  }

  /** Drops archives nobody installed, and versions that nobody runs or may come back to, when no tab asks for them any more. */
  async sweep(): Promise<void> {
    const { database, clock } = this.#parts
    const before = new Date(clock.now().getTime() - keptFor)
    await dropReplaced(database.owner, before)
    await dropUnused(database.owner, before)
    await this.sweepFolders()
  }

  /** Takes the unpacked code of such versions from this machine: what is needed again is unpacked again. */
  async sweepFolders(): Promise<void> {
    const { database, clock, loaded, store } = this.#parts
    const before = new Date(clock.now().getTime() - keptFor)
    await store.sweep({
      running: loaded.set.plugins.flatMap((plugin) => archiveOf(plugin) ?? []),
      kept: await neededVersions(database.owner, before),
      before,
    })
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
    if (this.#parts.deployment.has(id) || before?.source === 'deployment')
      refusals.push(pluginOfDeployment({ plugin: id }))
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
   *   `MIGRATION_FAILED`, `MIGRATION_OUT_OF_SCHEMA`, `MIGRATION_OPENS_WALL`, `MIGRATION_ALTERED`, with nothing changed
   */
  async install(
    integrity: string,
    administrator: Administrator,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<string> {
    const { loaded, store, operations, safeMode } = this.#parts
    const archive = await this.uploaded(integrity)
    const { manifest, signer = null } = archive
    const { id, version } = manifest
    if (safeMode) throw pluginAsleep({ plugin: id })
    store.demandSigner(id, signer ?? undefined)
    const operation = (await this.installed(id)) ? 'upgrade' : 'install'
    const { workspace, user } = administrator
    const request = { operation, plugins: [id], workspace, by: user } as const
    const change = async (held: Held) => {
      await this.#demandSettled(id)
      const [refusal] = await this.refusals(archive, force)
      if (refusal) throw refusal
      const stored: StoredPlugin = { id, version, integrity, signer, manifest, forced: force }
      await this.#takeIn(store.source(stored), (tx, plugin) => this.#keep(tx, { stored, plugin, held }, administrator))
    }
    await operations.run(request, (held) => loaded.change(() => change(held)))
    this.#tell()
    return id
  }

  /**
   * Installs again what was removed and whose code is still here: with the deployment, or as an archive that was uploaded.
   *
   * @param version - of an archive; the newest when absent
   * @returns the version that runs
   * @throws `PLUGIN_UNKNOWN`, `PLUGIN_PRESENT`, `PLUGIN_NOT_KEPT`, and what `install` throws
   */
  async reinstall(id: string, administrator: Administrator, version?: string): Promise<string> {
    const { loaded, operations, deployment, safeMode } = this.#parts
    if (safeMode) throw pluginAsleep({ plugin: id })
    const present = await this.installed(id)
    if (present) throw pluginPresent({ plugin: id, version: present.version })
    const source = deployment.get(id)
    if (!source) {
      const stored = await this.#storedVersion(id, version)
      await this.install(stored.integrity, administrator)
      return stored.version
    }
    const { workspace, user } = administrator
    const request = { operation: 'install', plugins: [id], workspace, by: user } as const
    let installed = ''
    const change = async (held: Held) => {
      await this.#demandSettled(id)
      await this.#takeIn(source, async (tx, plugin) => {
        installed = plugin.version
        if (version !== undefined && version !== installed) throw pluginNotKept({ plugin: id })
        const refusal = downgradeOf(plugin, await installedVersions(tx))
        if (refusal) throw refusal
        await this.#keep(tx, { stored: undefined, plugin, held }, administrator)
      })
      this.#away.delete(id)
    }
    await operations.run(request, (held) => loaded.change(() => change(held)))
    this.#tell()
    return installed
  }

  /** Whether the code of a version is here to be installed again; with the deployment comes the version it has. */
  async mayReinstall(id: string, version: string): Promise<boolean> {
    if (this.#parts.deployment.has(id)) return true
    const { rows } = await sql`
      select from core.plugin_version where plugin = ${id} and version = ${version}`.execute(this.#parts.database.owner)
    return rows.length > 0
  }

  /** @throws `PLUGIN_NOT_KEPT`, `PLUGIN_UNKNOWN` */
  async #storedVersion(
    id: string,
    version?: string,
  ): Promise<{ readonly version: string; readonly integrity: string }> {
    const { rows } = await sql<{ version: string; integrity: string }>`
      select version, integrity from core.plugin_version where plugin = ${id}`.execute(this.#parts.database.owner)
    const found = rows
      .filter((row) => version === undefined || row.version === version)
      .toSorted((a, b) => rcompare(a.version, b.version))[0]
    if (!found)
      throw rows.length > 0 || version !== undefined ? pluginNotKept({ plugin: id }) : pluginUnknown({ plugin: id })
    return found
  }

  /** @throws `PLUGIN_BUSY` while a removal that was begun has not ended */
  async #demandSettled(id: string): Promise<void> {
    const { rows } = await sql<{ since: string }>`
      select updated_at as since from core.plugin where id = ${id} and removal is not null`.execute(
      this.#parts.database.owner,
    )
    if (rows[0]) throw pluginBusy({ plugin: id, operation: 'uninstall', by: 'Socle', since: rows[0].since })
  }

  /** Runs a plugin's code, holds it against the others, and takes it into what runs when `keep` is kept. */
  async #takeIn(source: PluginSource, keep: (tx: Sql, plugin: PluginDefinition) => Promise<void>): Promise<void> {
    const { database, loaded } = this.#parts
    const { id } = source
    const plugin = await this.#noting(id, 'load', () => loadSource(source))
    const plugins = [...this.#others(id), plugin]
    const { ordered, refused } = admit(plugins, { forced: forcedAmong(plugins) })
    for (const error of refused.values()) throw error
    const put = await this.#noting(id, 'declaration', async () => loaded.prepare(ordered))
    await this.#noting(id, 'migration', () =>
      withPatience(() => database.owner.transaction().execute((tx) => keep(tx, plugin))),
    )
    put()
  }

  /** Another set runs, what waited for it is delivered, and roles may have got back what they held of it. */
  #tell(): void {
    for (const kind of ['plugins', 'deliveries', 'permissions'] as const) this.#parts.signals.send({ kind })
  }

  /** The newest version whose tables are here: that of a plugin that went and left its data counts too. */
  async #lastVersion(plugin: string): Promise<string | undefined> {
    const { rows } = await sql<{ version: string }>`
      select version from core.plugin_version where plugin = ${plugin} and to_regnamespace(${schemaOf(plugin)}) is not null`.execute(
      this.#parts.database.owner,
    )
    return rows.map(({ version }) => version).toSorted(rcompare)[0]
  }

  /** Migrations, rows, ledger, event, generation and what roles get back, in one transaction: all of it or nothing. */
  async #keep(
    tx: Sql,
    {
      stored,
      plugin,
      held,
    }: { readonly stored: StoredPlugin | undefined; readonly plugin: PluginDefinition; readonly held: Held },
    { workspace, user }: Administrator,
  ): Promise<void> {
    const { id, version, requires = {} } = plugin
    await held.keep(tx)
    const now = this.#parts.clock.now()
    const at = now.toISOString()
    if (plugin.migrations) await migrateIn(tx, id, plugin.migrations)
    const before = await installedOf(tx, id, { lock: true })
    if (stored) await keepVersion(tx, stored, at)
    await raiseGeneration(tx)
    const { integrity = null, signer = null, manifest, forced = false } = stored ?? {}
    await sql`
      insert into core.plugin (id, version, source, integrity, signer, manifest, requires, forced, generation, installed_at, updated_at)
      select ${id}, ${version}, ${stored ? 'store' : 'deployment'}, ${integrity}, ${signer},
        ${manifest ? JSON.stringify(manifest) : null}::jsonb, ${JSON.stringify(requires)}::jsonb, ${forced}, value,
        ${at}::timestamptz, ${at}::timestamptz from core.generation
      on conflict (id) do update set version = excluded.version, source = excluded.source, integrity = excluded.integrity,
        signer = excluded.signer, manifest = excluded.manifest, requires = excluded.requires, forced = excluded.forced, generation = excluded.generation,
        state = 'installed', reason = null, updated_at = excluded.updated_at`.execute(tx)
    await keepSubscriptions(tx, [plugin])
    const fields: Record<string, readonly [unknown, unknown]> = { version: [before?.version ?? null, version] }
    if (stored) fields['integrity'] = [before?.integrity ?? null, integrity]
    if (forced) fields['forced'] = [null, true]
    await keepPluginEntry(tx, { workspace, plugin: id, fields, by: user, at: now })
    const told = before
      ? { ...PluginUpgraded, payload: { plugin: id, version, from: before.version } }
      : { ...PluginInstalled, payload: { plugin: id, version } }
    await flushEmissions(tx, { workspace, emissions: [{ ...told, key: recordOfPlugin(id) }], at })
    await giveBack(tx, id, now)
  }

  /** Runs what the installation runs, when another process has changed that. */
  async follow(): Promise<void> {
    if (await this.#isBehind()) await this.#parts.loaded.change(() => this.#catchUp())
  }

  async #isBehind(): Promise<boolean> {
    const { loaded } = this.#parts
    const standings = await this.#standings()
    return (
      [...standings].some(([id, it]) => it.isStored && it.runs && this.#isNews(id, it.integrity)) ||
      loaded.set.plugins.some((it) => this.#goes(it, standings.get(it.id))) ||
      [...this.#away].some((id) => standings.get(id)?.runs)
    )
  }

  async #standings(): Promise<ReadonlyMap<string, InstalledStanding>> {
    const { rows } = await sql<InstalledStanding & { readonly id: string }>`
      select id, coalesce(integrity, '') as integrity, source = 'store' as "isStored", state not in ('removing', 'removed') as runs
      from core.plugin`.execute(this.#parts.database.owner)
    return new Map(rows.map((row) => [row.id, row]))
  }

  /** Whether a plugin that runs here was removed. */
  #goes(plugin: PluginDefinition, standing: InstalledStanding | undefined): boolean {
    return standing ? !standing.runs : archiveOf(plugin) !== undefined
  }

  #isNews(id: string, integrity: string): boolean {
    return this.running(id)?.integrity !== integrity && !this.#failed.has(integrity)
  }

  async #catchUp(): Promise<void> {
    const { database, loaded, store, deployment } = this.#parts
    const wanted = new Map((await storedPlugins(database.owner)).map((stored) => [stored.id, stored]))
    const standings = await this.#standings()
    const next = new Map(
      loaded.set.plugins.filter((it) => !this.#goes(it, standings.get(it.id))).map((it) => [it.id, it]),
    )
    for (const id of deployment.keys()) if (standings.get(id)?.runs === false) this.#away.add(id)
    for (const id of this.#away) {
      const source = deployment.get(id)
      if (!source || !standings.get(id)?.runs) continue
      this.#away.delete(id)
      // What does not load is noted, and the plugin stays away from this process until its next start.
      const back = await this.#noting(id, 'load', () => loadSource(source)).catch(() => undefined)
      if (back) next.set(id, back)
    }
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

/** @throws `PLUGIN_PRESENT` where the version is here with another content */
async function keepVersion(
  tx: Sql,
  { id, version, integrity, manifest, signer }: StoredPlugin,
  at: string,
): Promise<void> {
  // Of a plugin that went with its tables nobody holds on to what a version was.
  await sql`
    delete from core.plugin_version where plugin = ${id} and version = ${version} and integrity <> ${integrity}
      and replaced_at is not null and not exists (select from core.plugin where id = ${id})`.execute(tx)
  const kept = await sql<{ integrity: string }>`
    insert into core.plugin_version (plugin, version, integrity, manifest, signer, installed_at)
    values (${id}, ${version}, ${integrity}, ${JSON.stringify(manifest)}::jsonb, ${signer}, ${at}::timestamptz)
    on conflict (plugin, version) do update set replaced_at = null, installed_at = excluded.installed_at
    returning integrity`.execute(tx)
  if (kept.rows[0]?.integrity !== integrity) throw pluginPresent({ plugin: id, version })
  await sql`
    update core.plugin_version set replaced_at = ${at}::timestamptz
    where plugin = ${id} and version <> ${version} and replaced_at is null`.execute(tx)
}

/** Roles get back what they held when it was removed and its data was kept. */
async function giveBack(tx: Sql, plugin: string, at: Date): Promise<void> {
  const { rows } = await sql<{ grants: readonly GrantLine[] }>`
    select kept -> 'grants' as grants from core.plugin where id = ${plugin} and kept -> 'grants' is not null`.execute(
    tx,
  )
  if (!rows[0]) return
  await sql`update core.plugin set kept = null where id = ${plugin}`.execute(tx)
  await giveGrantsIn(tx, rows[0].grants, at)
}

async function installedOf(db: Sql, plugin: string, { lock = false } = {}): Promise<Installed | undefined> {
  const { rows } = await sql<Installed>`
    select version, source, integrity from core.plugin where id = ${plugin} and state not in ('removing', 'removed')
    ${lock ? sql`for update` : sql``}`.execute(db)
  return rows[0]
}
