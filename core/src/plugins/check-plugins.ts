import { satisfies } from 'semver'
import type { SocleError } from '../errors.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { contributionCollision, platformIncompatible, pluginCycle, pluginRequirementMissing } from './errors.ts'

/** Version plugins' `platform` ranges are held against; it follows the SDK's major. */
export const platformVersion = '1.0.0'

/** Plugins that may run together, each behind what it requires, and why others may not. */
export interface Admission {
  readonly ordered: readonly PluginDefinition[]
  /** Refusals by plugin id, in the order they were met. */
  readonly refused: ReadonlyMap<string, SocleError>
}

/**
 * Says which plugins may run together: each in the platform's range, behind all it requires, and without claiming what
 * another has. One that may not takes along only those that require it.
 *
 * No code of a plugin runs. Refusals are `PLATFORM_INCOMPATIBLE`, `PLUGIN_REQUIREMENT_MISSING`, `PLUGIN_CYCLE`,
 * `CONTRIBUTION_COLLISION`; of two that collide the first stays, unless both claim to be the same plugin.
 */
export function admit(plugins: readonly PluginDefinition[]): Admission {
  const refused = new Map<string, SocleError>()
  const byId = new Map<string, PluginDefinition>()
  const owners = new Map<string, string>()
  for (const plugin of plugins) {
    const taken = claims(plugin).find((what) => owners.has(what))
    if (taken === undefined) {
      byId.set(plugin.id, plugin)
      for (const what of claims(plugin)) owners.set(what, plugin.id)
    } else {
      refused.set(
        plugin.id,
        contributionCollision({ what: taken, first: owners.get(taken) as string, second: plugin.id }),
      )
    }
  }
  const ordered: PluginDefinition[] = []
  const visit = (plugin: PluginDefinition, path: readonly string[]): void => {
    if (ordered.includes(plugin) || refused.has(plugin.id)) return
    if (path.includes(plugin.id)) {
      const circle = path.slice(path.indexOf(plugin.id))
      for (const id of circle) refused.set(id, pluginCycle({ path: [...circle, plugin.id].join(' → ') }))
      return
    }
    const fault = faultOf(plugin, (id, range) => {
      const peer = byId.get(id)
      if (!peer || !satisfies(peer.version, range)) return peer?.version ?? 'none'
      visit(peer, [...path, plugin.id])
      return ordered.includes(peer) ? undefined : `${peer.version} that cannot run`
    })
    if (!fault) ordered.push(plugin)
    else if (!refused.has(plugin.id)) refused.set(plugin.id, fault)
  }
  for (const plugin of byId.values()) visit(plugin, [])
  return { ordered, refused }
}

/** @param missing - what was found in the place of a requirement; nothing when it is met */
function faultOf(
  { id, platform, requires = {} }: PluginDefinition,
  missing: (id: string, range: string) => string | undefined,
): SocleError | undefined {
  if (!satisfies(platformVersion, platform))
    return platformIncompatible({ plugin: id, range: platform, platform: platformVersion })
  for (const [required, range] of Object.entries(requires)) {
    const found = missing(required, range)
    if (found !== undefined) return pluginRequirementMissing({ plugin: id, requires: required, range, found })
  }
  return undefined
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
