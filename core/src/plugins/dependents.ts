import { satisfies } from 'semver'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginRequirementMissing } from './errors.ts'

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

/**
 * Holds a plugin that is to be switched on against those that are on: what it requires must be, and where one may do without
 * the other, both together must fit all the same.
 *
 * @throws `PLUGIN_REQUIREMENT_MISSING` with the range and what was found
 */
export function demandFit(
  plugins: readonly PluginDefinition[],
  on: ReadonlySet<string>,
  plugin: PluginDefinition,
): void {
  const { id, version, requires = {}, optional = {} } = plugin
  for (const [required, range] of Object.entries(requires)) {
    const peer = plugins.find((it) => it.id === required)
    const found = !peer ? 'none' : on.has(required) ? peer.version : `${peer.version} (off)`
    if (!peer || !on.has(required) || !satisfies(peer.version, range))
      throw pluginRequirementMissing({ plugin: id, requires: required, range, found })
  }
  for (const peer of plugins.filter((it) => on.has(it.id))) {
    const mine = optional[peer.id]
    if (mine !== undefined && !satisfies(peer.version, mine))
      throw pluginRequirementMissing({ plugin: id, requires: peer.id, range: mine, found: peer.version })
    const theirs = peer.optional?.[id]
    if (theirs !== undefined && !satisfies(version, theirs))
      throw pluginRequirementMissing({ plugin: peer.id, requires: id, range: theirs, found: version })
  }
}
