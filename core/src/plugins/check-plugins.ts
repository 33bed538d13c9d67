import { satisfies } from 'semver'
import { schemaOf } from '../database/migrator.ts'
import type { SocleError } from '../errors.ts'
import { mergeEvents, recordEvents } from '../events/record-events.ts'
import { recordActions } from '../permissions/record-actions.ts'
import { kebab } from '../records/registry.ts'
import {
  contributionCollision,
  offerForeign,
  platformIncompatible,
  pluginCycle,
  pluginRequirementMissing,
  useWithoutPeer,
} from './errors.ts'
import { ownerOf } from './tokens.ts'

/** Version plugins' `platform` ranges are held against; it follows the SDK's major. */
export const platformVersion = '1.0.0'

interface PrefixClaim {
  readonly prefix: string
  readonly pages: readonly { readonly method: string; readonly path: string }[]
}

/** What must be known of a plugin to say whether it may run: its definition has it, and its manifest too. */
export interface Claimant {
  readonly id: string
  readonly version: string
  readonly platform: string
  readonly requires?: Readonly<Record<string, string>> | undefined
  readonly optional?: Readonly<Record<string, string>> | undefined
  readonly resources?: readonly {
    readonly entity: { readonly name: string }
    readonly options: { readonly path: string; readonly name?: string }
  }[]
  readonly routes?: readonly { readonly method: string; readonly path: string }[]
  readonly publicPages?: readonly PrefixClaim[]
  readonly permissions?: readonly { readonly id: string }[]
  readonly points?: readonly { readonly id: string }[]
  readonly slots?: readonly { readonly id: string }[]
  readonly provides?: readonly { readonly service: { readonly id: string } }[]
  readonly uses?: readonly { readonly id: string }[]
  readonly emits?: readonly { readonly name: string; readonly version: number }[]
  readonly ui?:
    | {
        readonly screens?: readonly { readonly id: string; readonly path: string; readonly tag: string }[]
        readonly fills?: readonly { readonly id: string; readonly tag: string }[]
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
 * `USE_WITHOUT_PEER`, `OFFER_FOREIGN`, `CONTRIBUTION_COLLISION`; of two that collide the first stays, unless both claim to be
 * the same plugin.
 */
export function admit<P extends Claimant>(
  plugins: readonly P[],
  { forced = new Set() }: { readonly forced?: ReadonlySet<string> } = {},
): Admission<P> {
  const refused = new Map<string, SocleError>()
  const byId = new Map<string, P>()
  const owners = new Map<string, string>()
  for (const plugin of plugins) {
    const foreign = foreignOffer(plugin)
    const own = new Map<string, string>()
    let collision: SocleError | undefined
    for (const [what, second] of claims(plugin)) {
      const [first, mine = second] = [owners.get(what), own.get(what)]
      if (first !== undefined) collision ??= contributionCollision({ what, first, second })
      // What it says twice is one; what its record says too is not.
      if (mine !== second) collision ??= contributionCollision({ what, first: mine, second })
      own.set(what, second)
    }
    const refusal = foreign ?? collision
    if (refusal) {
      refused.set(plugin.id, refusal)
      continue
    }
    byId.set(plugin.id, plugin)
    for (const [what, owner] of own) owners.set(what, owner)
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
    fault ??= strayUse(plugin)
    if (!fault) ordered.push(plugin)
    else if (!refused.has(plugin.id)) refused.set(plugin.id, fault)
  }
  for (const plugin of byId.values()) visit(plugin, [])
  return { ordered, refused }
}

/** What a plugin offers others, or is known by among them, under a name that is not its own. */
export function foreignOffer({
  id,
  points = [],
  slots = [],
  provides = [],
  permissions = [],
  emits = [],
  ui: { screens = [], fills = [] } = {},
}: Claimant): SocleError | undefined {
  const offers = [
    ...[...points, ...provides.map(({ service }) => service)].map((it) => ({ offer: it.id, begins: `${id}/` })),
    ...slots.map((it) => ({ offer: it.id, begins: `${id}:` })),
    ...[...permissions, ...screens, ...fills].map((it) => ({ offer: it.id, begins: `${id}.` })),
    ...emits.map(({ name }) => ({ offer: name, begins: `${id}.` })),
    ...[...screens, ...fills].map(({ tag }) => ({ offer: tag, begins: `${id}-` })),
  ]
  const foreign = offers.find(({ offer, begins }) => !offer.startsWith(begins))
  if (!foreign) return undefined
  const { offer, begins } = foreign
  const rest = begins.endsWith('-') ? /^[^-]*-/ : begins.endsWith('.') ? /^[^.]*\./ : /^[^/:]*[/:]/
  return offerForeign({ plugin: id, offer, own: begins + offer.replace(rest, '') })
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

/** A use of what belongs to a plugin that it does not name as a peer. */
function strayUse({ id, requires = {}, optional = {}, uses = [] }: Claimant): SocleError | undefined {
  const peers = new Set(['core', id, ...Object.keys(requires), ...Object.keys(optional)])
  const stray = uses.find((it) => !peers.has(ownerOf(it.id)))
  return stray && useWithoutPeer({ plugin: id, what: stray.id, peer: ownerOf(stray.id) })
}

/** What only one may have, with whose it is: the plugin's, or what one of its resources brings by itself; see `foreignOffer`. */
function claims(plugin: Claimant): (readonly [what: string, owner: string])[] {
  const { id, resources = [], routes = [], publicPages = [], permissions = [], emits = [], ui } = plugin
  const { screens = [], fills = [] } = ui ?? {}
  const mine = [
    `plugin ${id}`,
    `schema ${schemaOf(id)}`,
    ...resources.map(({ options }) => `resource path /api/${id}/${options.path}`),
    ...routes.map(({ method, path }) => `route ${method.toUpperCase()} /api/${id}${path}`),
    ...publicPages.flatMap(({ prefix, pages }) => [
      `public prefix /p/…/${prefix}`,
      ...pages.map(({ method, path }) => `page ${method.toUpperCase()} /p/…/${prefix}${path}`),
    ]),
    ...permissions.map((permission) => `permission ${permission.id}`),
    ...emits.map(({ name, version }) => `event ${name}@${version}`),
    // A screen of its own at the path of a resource's list takes the place of that list.
    ...resources.map(({ options }) => `screen /${id}/${options.path}`),
    ...screens.map(({ path }) => `screen ${path}`),
    ...[...screens, ...fills].map(({ tag }) => `element <${tag}>`),
  ]
  const brought = resources.flatMap(({ entity, options }) => {
    const resource = `${id}.${options.name ?? kebab(entity.name)}`
    return [
      ...[...recordEvents(resource), ...mergeEvents(resource)].map(({ name, version }) => `event ${name}@${version}`),
      ...recordActions.map((action) => `permission ${resource}.${action}`),
    ].map((what) => [what, resource] as const)
  })
  return [...mine.map((what) => [what, id] as const), ...brought]
}
