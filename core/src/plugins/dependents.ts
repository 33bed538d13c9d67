import { sql } from 'kysely'
import { satisfies } from 'semver'
import type { Sql } from '../database/database.ts'
import type { PluginDefinition, Words } from './define-plugin.ts'
import { pluginRequirementMissing } from './errors.ts'
import { forcedAmong } from './store/provenance.ts'

/** Enabled plugins that require this one, also by way of others; the furthest first, as they are switched off. */
export function dependentsOf(
  plugins: readonly PluginDefinition[],
  on: ReadonlySet<string>,
  id: string,
): PluginDefinition[] {
  const found: PluginDefinition[] = []
  // Plugins come in the order of their requirements, so whoever stands between is found before who needs it.
  for (const plugin of plugins) {
    const needs = Object.keys(plugin.requires ?? {})
    if (on.has(plugin.id) && needs.some((it) => it === id || found.some((dependent) => dependent.id === it)))
      found.push(plugin)
  }
  return found.toReversed()
}

/** Something installed that needs another, whether its code runs here or not. */
export interface Dependent {
  readonly id: string
  /** As its archive says it; unknown of one of the deployment. */
  readonly title: Words | null
}

/**
 * What needs a plugin among all that is installed, also by way of others; the furthest first, as they go.
 *
 * @param workspace - where they are on; installed at all when absent
 */
export async function installedDependents(db: Sql, plugin: string, workspace?: string): Promise<readonly Dependent[]> {
  const { rows } = await sql<Dependent>`
    with recursive needs as (
      select id, manifest -> 'title' as title, coalesce(manifest -> 'requires', requires, '{}') as requires from core.plugin
      where state not in ('removing', 'removed')
    ), dependent (id, title, path) as (
      select id, title, array[${plugin}::text, id] from needs where requires ? ${plugin}
      union all
      select n.id, n.title, d.path || n.id from needs n join dependent d on n.requires ? d.id where n.id <> all(d.path)
    )
    select id, title from dependent
    ${
      workspace === undefined
        ? sql``
        : sql`where id in (
            select w.plugin from core.plugin_workspace w where w.workspace = ${workspace}::uuid and w.state = 'enabled')`
    }
    group by id, title order by max(cardinality(path)) desc, id`.execute(db)
  return rows
}

/**
 * Holds a plugin that is to be switched on against those that are on: what it requires must be, and where one may do without
 * the other, both together must fit all the same. What an administrator has forced runs past the ranges it declares.
 *
 * @throws `PLUGIN_REQUIREMENT_MISSING` with the range and what was found
 */
export function demandFit(
  plugins: readonly PluginDefinition[],
  on: ReadonlySet<string>,
  plugin: PluginDefinition,
): void {
  const { id, version, requires = {}, optional = {} } = plugin
  const forced = forcedAmong([...plugins, plugin])
  const fits = (declarer: string, found: string, range: string) => satisfies(found, range) || forced.has(declarer)
  for (const [required, range] of Object.entries(requires)) {
    const peer = plugins.find((it) => it.id === required)
    const found = !peer ? 'none' : on.has(required) ? peer.version : `${peer.version} (off)`
    if (!peer || !on.has(required) || !fits(id, peer.version, range))
      throw pluginRequirementMissing({ plugin: id, requires: required, range, found })
  }
  for (const peer of plugins.filter((it) => on.has(it.id))) {
    const mine = optional[peer.id]
    if (mine !== undefined && !fits(id, peer.version, mine))
      throw pluginRequirementMissing({ plugin: id, requires: peer.id, range: mine, found: peer.version })
    const theirs = peer.optional?.[id]
    if (theirs !== undefined && !fits(peer.id, version, theirs))
      throw pluginRequirementMissing({ plugin: peer.id, requires: id, range: theirs, found: version })
  }
}
