import { sql } from 'kysely'
import { valid } from 'semver'
import type { Sql } from '../database/database.ts'
import { migrate } from '../database/migrator.ts'
import { admit } from './check-plugins.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { manifestMismatch, pluginLoadTimedOut } from './errors.ts'
import type { IncidentKind } from './incidents.ts'
import { isNewer } from './newer.ts'
import type { PluginSource } from './plugin-source.ts'
import { running } from './running.ts'
import { downgradeRefused } from './store/errors.ts'
import { archiveOf, forcedAmong } from './store/provenance.ts'
import { within } from './within.ts'

/** Why a plugin does not run in this process. */
export interface LoadFault {
  readonly kind: IncidentKind
  readonly error: unknown
}

/**
 * What came of loading plugins: those that run, and why the others do not; of one that was taken away meanwhile nothing is
 * said. One never takes another down with it.
 */
export interface Loaded {
  /** In dependency order, the core first. */
  readonly plugins: readonly PluginDefinition[]
  readonly faults: ReadonlyMap<string, LoadFault>
}

const loadSeconds = 10

/**
 * Brings plugins as far as they can be taken into a set: their code is run, they are held against each other, their schemas
 * are brought to their newest version.
 *
 * @param core - must run, and throws where it cannot
 * @param options.installed - versions whose tables are here, by plugin: no older one may run on them
 * @param options.owner - connection that migrates; without it schemas are as a deployment's own step has left them
 */
export async function loadPlugins(
  core: PluginDefinition,
  sources: readonly PluginSource[],
  { owner, installed = new Map() }: { readonly owner?: Sql; readonly installed?: ReadonlyMap<string, string> },
): Promise<Loaded> {
  const faults = new Map<string, LoadFault>()
  const loaded: PluginDefinition[] = [core]
  // Together: one that hangs is waited for once, whoever else hangs.
  const outcomes = await Promise.allSettled(sources.map((source) => loadSource(source)))
  for (const [at, outcome] of outcomes.entries()) {
    const { id } = sources[at]!
    if (outcome.status === 'rejected') {
      faults.set(id, { kind: 'load', error: outcome.reason as unknown })
      continue
    }
    const refusal = downgradeOf(outcome.value, installed)
    if (refusal) faults.set(id, { kind: 'declaration', error: refusal })
    else loaded.push(outcome.value)
  }
  const forced = forcedAmong(loaded)
  const { ordered, refused } = admit(loaded, { forced })
  const refuse = (refusals: ReadonlyMap<string, unknown>) => {
    for (const [id, error] of refusals) if (!faults.has(id)) faults.set(id, { kind: 'declaration', error })
  }
  refuse(refused)
  const gone = new Set<string>()
  for (const plugin of ordered) {
    // What stands on a plugin whose tables are not there is not migrated either.
    if (!owner || !plugin.migrations || Object.keys(plugin.requires ?? {}).some((it) => faults.has(it) || gone.has(it)))
      continue
    try {
      const isWanted = async (tx: Sql) => plugin === core || !(await isGone(tx, plugin))
      if (!(await migrate(owner, plugin.id, plugin.migrations, isWanted))) gone.add(plugin.id)
    } catch (error) {
      if (plugin === core) throw error
      faults.set(plugin.id, { kind: 'migration', error })
    }
  }
  const { ordered: plugins, refused: without } = admit(
    ordered.filter(({ id }) => !faults.has(id) && !gone.has(id)),
    { forced },
  )
  refuse(without)
  const own = faults.get(core.id)
  if (own) throw own.error
  return { plugins, faults }
}

/** Why a plugin may not run on the tables that are here. */
export function downgradeOf({ id, version }: PluginDefinition, installed: ReadonlyMap<string, string>) {
  const last = installed.get(id)
  return last !== undefined && isNewer(last, version)
    ? downgradeRefused({ plugin: id, version, installed: last })
    : undefined
}

/** The version each plugin last ran in here; none in an installation that was never migrated. */
export async function installedVersions(owner: Sql): Promise<ReadonlyMap<string, string>> {
  const there = await sql<{ there: boolean }>`select to_regclass('core.plugin') is not null as there`.execute(owner)
  if (!there.rows[0]?.there) return new Map()
  const { rows } = await sql<{ id: string; version: string }>`select id, version from core.plugin`.execute(owner)
  return new Map(rows.filter(({ version }) => valid(version)).map(({ id, version }) => [id, version]))
}

/** Whether a plugin that this process has loaded was taken away meanwhile; one of the deployment that has no row yet is new. */
export async function isGone(tx: Sql, plugin: PluginDefinition): Promise<boolean> {
  const { rows } = await sql<{ gone: boolean }>`
    select state in ('removing', 'removed') as gone from core.plugin where id = ${plugin.id}`.execute(tx)
  return rows[0]?.gone ?? archiveOf(plugin) !== undefined
}

/** @throws whatever its code throws, `PLUGIN_LOAD_TIMED_OUT`, `MANIFEST_MISMATCH` */
export async function loadSource({ id, load }: PluginSource): Promise<PluginDefinition> {
  const late = pluginLoadTimedOut({ plugin: id, seconds: loadSeconds })
  const plugin = await running.run({ plugin: id }, () => within(loadSeconds, late, load))
  if (plugin.id !== id)
    throw manifestMismatch({ plugin: id, what: 'id', declared: JSON.stringify(id), found: JSON.stringify(plugin.id) })
  return plugin
}
