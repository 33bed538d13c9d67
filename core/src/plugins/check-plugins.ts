import { satisfies } from 'semver'
import type { PluginDefinition } from './define-plugin.ts'
import { contributionCollision, platformIncompatible, pluginCycle, pluginRequirementMissing } from './errors.ts'

/** Version plugins' `platform` ranges are held against; it follows the SDK's major. */
export const platformVersion = '1.0.0'

/**
 * Puts plugins into an order in which each follows what it requires.
 *
 * @throws `PLATFORM_INCOMPATIBLE`, `PLUGIN_REQUIREMENT_MISSING`, `PLUGIN_CYCLE`, `CONTRIBUTION_COLLISION`, before any code of a plugin ran
 */
export function orderedPlugins(plugins: readonly PluginDefinition[]): PluginDefinition[] {
  const byId = new Map(plugins.map((plugin) => [plugin.id, plugin]))
  refuseCollisions(plugins)
  const ordered: PluginDefinition[] = []
  const visit = (plugin: PluginDefinition, path: readonly string[]): void => {
    if (ordered.includes(plugin)) return
    if (path.includes(plugin.id)) throw pluginCycle({ path: [...path, plugin.id].join(' → ') })
    if (!satisfies(platformVersion, plugin.platform)) {
      throw platformIncompatible({ plugin: plugin.id, range: plugin.platform, platform: platformVersion })
    }
    for (const [required, range] of Object.entries(plugin.requires ?? {})) {
      const peer = byId.get(required)
      if (!peer || !satisfies(peer.version, range)) {
        throw pluginRequirementMissing({ plugin: plugin.id, requires: required, range, found: peer?.version ?? 'none' })
      }
      visit(peer, [...path, plugin.id])
    }
    ordered.push(plugin)
  }
  for (const plugin of plugins) visit(plugin, [])
  return ordered
}

/** Routes, elements, screens, permissions and resources have one owner each. */
function refuseCollisions(plugins: readonly PluginDefinition[]): void {
  const owners = new Map<string, string>()
  for (const plugin of plugins) {
    for (const what of claims(plugin)) {
      const first = owners.get(what)
      if (first !== undefined) throw contributionCollision({ what, first, second: plugin.id })
      owners.set(what, plugin.id)
    }
  }
}

function claims({
  id,
  resources = [],
  routes = [],
  permissions = [],
  slots = [],
  ui,
  emits = [],
}: PluginDefinition): string[] {
  return [
    `plugin ${id}`,
    ...resources.map(({ options }) => `resource path /api/${id}/${options.path}`),
    ...routes.map(({ method, path }) => `route ${method.toUpperCase()} /api/${id}${path}`),
    ...permissions.map((permission) => `permission ${permission.id}`),
    ...slots.map((slot) => `slot ${slot.id}`),
    ...emits.map(({ name, version }) => `event ${name}@${version}`),
    ...(ui?.screens ?? []).map(({ path }) => `screen ${path}`),
  ]
}
