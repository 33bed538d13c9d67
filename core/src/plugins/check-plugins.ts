import { satisfies } from 'semver'
import { schemaOf } from '../database/migrator.ts'
import type { SocleError } from '../errors.ts'
import { contributionCollision, platformIncompatible, pluginCycle, pluginRequirementMissing } from './errors.ts'

/** Version plugins' `platform` ranges are held against; it follows the SDK's major. */
export const platformVersion = '1.0.0'

/** What must be known of a plugin to say whether it may run: its definition has it, and its manifest too. */
export interface Claimant {
  readonly id: string
  readonly version: string
  readonly platform: string
  readonly requires?: Readonly<Record<string, string>> | undefined
  readonly optional?: Readonly<Record<string, string>> | undefined
  readonly resources?: readonly { readonly options: { readonly path: string } }[]
  readonly routes?: readonly { readonly method: string; readonly path: string }[]
  readonly permissions?: readonly { readonly id: string }[]
  readonly slots?: readonly { readonly id: string }[]
  readonly provides?: readonly { readonly service: { readonly id: string } }[]
  readonly emits?: readonly { readonly name: string; readonly version: number }[]
  readonly ui?:
    | {
        readonly screens?: readonly { readonly path: string; readonly tag: string }[]
        readonly fills?: readonly { readonly tag: string }[]
      }
    | undefined
}

/** Plugins that may run together, each behind what it requires, and why others may not. */
export interface Admission<P extends Claimant> {
  readonly ordered: readonly P[]
  /** Refusals by plugin id, in the order they were met. */
  readonly refused: ReadonlyMap<string, SocleError>
}

/**
 * Says which plugins may run together: each in the platform's range, behind all it requires, and without claiming what
 * another has. One that may not takes along only those that require it.
 *
 * @param options.forced - plugins an administrator lets run past the ranges they declare, knowing it
 *
 * No code of a plugin runs. Refusals are `PLATFORM_INCOMPATIBLE`, `PLUGIN_REQUIREMENT_MISSING`, `PLUGIN_CYCLE`,
 * `CONTRIBUTION_COLLISION`; of two that collide the first stays, unless both claim to be the same plugin.
 */
export function admit<P extends Claimant>(
  plugins: readonly P[],
  { forced = new Set() }: { readonly forced?: ReadonlySet<string> } = {},
): Admission<P> {
  const refused = new Map<string, SocleError>()
  const byId = new Map<string, P>()
  const owners = new Map<string, string>()
  for (const plugin of plugins) {
    const taken = [...claims(plugin)].find((what) => owners.has(what))
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
  const ordered: P[] = []
  const fits = (plugin: string, version: string, range: string) => satisfies(version, range) || forced.has(plugin)
  const visit = (plugin: P, path: readonly string[]): void => {
    if (ordered.includes(plugin) || refused.has(plugin.id)) return
    if (path.includes(plugin.id)) {
      const circle = path.slice(path.indexOf(plugin.id))
      for (const id of circle) refused.set(id, pluginCycle({ path: [...circle, plugin.id].join(' → ') }))
      return
    }
    let fault = faultOf(plugin, fits(plugin.id, platformVersion, plugin.platform), (id, range) => {
      const peer = byId.get(id)
      if (!peer || !fits(plugin.id, peer.version, range)) return peer?.version ?? 'none'
      visit(peer, [...path, plugin.id])
      return ordered.includes(peer) ? undefined : `${peer.version} that cannot run`
    })
    fault ??= optionalFault(plugin, (id, range) => {
      const peer = byId.get(id)
      return peer && !fits(plugin.id, peer.version, range) ? peer.version : undefined
    })
    if (!fault) ordered.push(plugin)
    else if (!refused.has(plugin.id)) refused.set(plugin.id, fault)
  }
  for (const plugin of byId.values()) visit(plugin, [])
  return { ordered, refused }
}

/** @param missing - what was found in the place of a requirement; nothing when it is met */
function faultOf(
  { id, platform, requires = {} }: Claimant,
  fitsPlatform: boolean,
  missing: (id: string, range: string) => string | undefined,
): SocleError | undefined {
  if (!fitsPlatform) return platformIncompatible({ plugin: id, range: platform, platform: platformVersion })
  for (const [required, range] of Object.entries(requires)) {
    const found = missing(required, range)
    if (found !== undefined) return pluginRequirementMissing({ plugin: id, requires: required, range, found })
  }
  return undefined
}

/** A peer that need not be there, and is there in a version it does not know. */
function optionalFault(
  { id, optional = {} }: Claimant,
  unknown: (id: string, range: string) => string | undefined,
): SocleError | undefined {
  for (const [peer, range] of Object.entries(optional)) {
    const found = unknown(peer, range)
    if (found !== undefined) return pluginRequirementMissing({ plugin: id, requires: peer, range, found })
  }
  return undefined
}

function claims(plugin: Claimant): ReadonlySet<string> {
  const { id, resources = [], routes = [], permissions = [], slots = [], provides = [], emits = [], ui } = plugin
  const { screens = [], fills = [] } = ui ?? {}
  return new Set([
    `plugin ${id}`,
    `schema ${schemaOf(id)}`,
    ...resources.map(({ options }) => `resource path /api/${id}/${options.path}`),
    ...routes.map(({ method, path }) => `route ${method.toUpperCase()} /api/${id}${path}`),
    ...permissions.map((permission) => `permission ${permission.id}`),
    ...slots.map((slot) => `slot ${slot.id}`),
    ...provides.map(({ service }) => `service ${service.id}`),
    ...emits.map(({ name, version }) => `event ${name}@${version}`),
    ...screens.map(({ path }) => `screen ${path}`),
    ...[...screens, ...fills].map(({ tag }) => `element <${tag}>`),
  ])
}
