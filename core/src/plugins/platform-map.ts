import type { Context } from '../context.ts'
import { mergeEvents, recordEvents } from '../events/record-events.ts'
import type { Parts } from '../parts.ts'
import { systemFields, type Resource } from '../records/registry.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { addedBy, offersOf, type HoldKind } from './offers.ts'
import { isAwake, type PeerCondition } from './peer-condition.ts'
import { ownerOf } from './tokens.ts'

type TieKind = HoldKind | 'requires' | 'optional' | 'hears' | 'extends' | 'links' | 'guards' | 'reads' | 'writes'

/** What one plugin takes hold of in another. */
interface Tie {
  readonly from: string
  readonly to: string
  readonly kind: TieKind
  /** Ranges, events, fields, slots, points or resources, by what they are called in code. */
  readonly what: readonly string[]
}

/** What a plugin that is on here holds on to, and is not there. */
interface Dangling {
  readonly plugin: string
  readonly kind: TieKind
  readonly what: string
  /** Whose it would be, as far as its name tells. */
  readonly owner: string
  /** Its owner is off here, or not loaded, or tells no such event, or offers no such place. */
  readonly why: 'off' | 'missing' | 'untold' | 'unoffered'
}

/** Something a plugin declares to be another's. */
interface Hold {
  readonly kind: TieKind
  readonly what: string
  readonly owner: string
  readonly when?: PeerCondition | undefined
}

const onOffer: ReadonlySet<TieKind> = new Set<HoldKind>(['fills', 'contributes', 'uses'])

export interface PlatformMap {
  readonly plugins: readonly {
    readonly id: string
    readonly title: string
    readonly version: string
    readonly icon: string
    readonly isOn: boolean
    readonly emits: readonly string[]
    readonly slots: readonly string[]
    readonly points: readonly string[]
    readonly services: readonly string[]
    readonly hosts: readonly string[]
    /** Public prefixes it answers. */
    readonly pages: readonly string[]
  }[]
  readonly ties: readonly Tie[]
  readonly dangling: readonly Dangling[]
}

/**
 * Who requires, hears, extends, fills whom, of all loaded plugins, whether they are on here or not; and what of those that are
 * on leads nowhere. All of it from what they declare.
 */
export function platformMap(
  { plugins, catalog }: Pick<Parts, 'plugins' | 'catalog'>,
  { locale }: Pick<Context, 'locale'>,
  on: ReadonlySet<string>,
): PlatformMap {
  const resources = catalog.extendedBy(new Set(plugins.map(({ id }) => id))).all()
  const told = tellings(plugins, resources)
  const tellers = new Map(told.map(({ name, plugin }) => [name, plugin]))
  const holding = plugins.map((plugin) => ({ plugin, holds: holdsOf(plugin, resources, tellers) }))
  const loaded = new Set(plugins.map(({ id }) => id))
  const events = new Set(told.flatMap(({ name, version }) => [name, `${name}@${version}`]))
  const places = offersOf(plugins)
  const whyNot = ({ kind, what, owner }: Hold): Dangling['why'] | undefined => {
    if (!loaded.has(owner)) return 'missing'
    if (!on.has(owner)) return 'off'
    if (kind === 'hears' && !events.has(what)) return 'untold'
    return onOffer.has(kind) && !places.has(what) ? 'unoffered' : undefined
  }
  return {
    plugins: plugins.map((plugin) => ({
      id: plugin.id,
      title: plugin.id === 'core' ? 'Socle' : plugin.title[locale],
      version: plugin.version,
      icon: plugin.icon ?? 'puzzle',
      isOn: on.has(plugin.id),
      emits: (plugin.emits ?? []).map(({ name, version }) => `${name}@${version}`),
      slots: (plugin.slots ?? []).map(({ id }) => id),
      points: (plugin.points ?? []).map(({ id }) => id),
      services: (plugin.provides ?? []).map(({ service }) => service.id),
      hosts: plugin.capabilities?.hosts ?? [],
      pages: (plugin.publicPages ?? []).map(({ prefix }) => `/p/…/${prefix}`),
    })),
    ties: holding.flatMap(({ plugin, holds }) => tiesOf(plugin.id, holds, loaded)),
    dangling: holding
      .filter(({ plugin }) => on.has(plugin.id))
      .flatMap(({ plugin, holds }) =>
        holds
          // A peer one may do without is no loss, and what sleeps until it comes waits for nothing meanwhile.
          .filter(({ kind, when }) => kind !== 'optional' && isAwake(when, on, plugins))
          .flatMap((hold) => {
            const why = whyNot(hold)
            return why ? [{ plugin: plugin.id, kind: hold.kind, what: hold.what, owner: hold.owner, why }] : []
          }),
      ),
  }
}

/** Every event there is, and who tells it: those that plugins declare, and those of records. */
function tellings(plugins: readonly PluginDefinition[], resources: readonly Resource[]) {
  return [
    ...plugins.flatMap(({ id: plugin, emits = [] }) => emits.map(({ name, version }) => ({ name, version, plugin }))),
    ...resources.flatMap(({ id, plugin }) =>
      [...recordEvents(id), ...mergeEvents(id)].map(({ name, version }) => ({ name, version, plugin })),
    ),
  ]
}

function holdsOf(
  plugin: PluginDefinition,
  resources: readonly Resource[],
  tellers: ReadonlyMap<string, string>,
): readonly Hold[] {
  const { id, requires = {}, optional = {}, capabilities = {} } = plugin
  const peers = (kind: TieKind, ranges: Readonly<Record<string, string>>) =>
    Object.entries(ranges).map(([owner, what]): Hold => ({ kind, what, owner }))
  const reached = (kind: TieKind, ids: readonly string[] = []) =>
    ids.map((what): Hold => ({ kind, what, owner: ownerOf(what) }))
  const all: readonly Hold[] = [
    ...peers('requires', requires),
    ...peers('optional', optional),
    ...(plugin.subscribers ?? []).map(({ event, version, when }): Hold => ({
      kind: 'hears',
      what: version === undefined ? event : `${event}@${version}`,
      owner: tellers.get(event) ?? ownerOf(event),
      when,
    })),
    ...(plugin.extends ?? []).flatMap(({ resource, options: { when } }) =>
      fieldsBeside(resources, id, resource).map((what): Hold => ({
        kind: 'extends',
        what,
        owner: ownerOf(resource),
        when,
      })),
    ),
    ...addedBy(plugin).map(({ kind, to, when }): Hold => ({ kind, what: to, owner: ownerOf(to), when })),
    ...resources
      .filter((it) => it.plugin === id)
      .flatMap((it) =>
        [...it.fields.values()].flatMap(({ name, target }): Hold[] =>
          target === undefined || systemFields.has(name)
            ? []
            : [{ kind: 'links', what: `${it.id}.${name}`, owner: ownerOf(target) }],
        ),
      ),
    ...(plugin.guards ?? []).map(({ resource, when }): Hold => ({
      kind: 'guards',
      what: resource,
      owner: ownerOf(resource),
      when,
    })),
    ...reached('reads', capabilities.reads),
    ...reached('writes', capabilities.writes),
  ]
  return all.filter(({ owner }) => owner !== id)
}

/** Fields it puts beside a resource; the resource's own name where that is not loaded, so that the tie is told all the same. */
function fieldsBeside(resources: readonly Resource[], plugin: string, resource: string): readonly string[] {
  const sides = resources.find(({ id }) => id === resource)?.sides.filter((it) => it.plugin === plugin) ?? []
  const fields = sides.flatMap((side) => side.fields.map(({ name }) => `${resource}.${name}`))
  return fields.length > 0 ? fields : [resource]
}

function tiesOf(from: string, holds: readonly Hold[], loaded: ReadonlySet<string>): readonly Tie[] {
  const known = holds.filter(({ owner }) => loaded.has(owner))
  return [...Map.groupBy(known, ({ kind, owner }) => `${kind} ${owner}`).values()].map((same) => {
    const [{ kind, owner: to } = { kind: 'requires' as const, owner: '' }] = same
    return { from, to, kind, what: [...new Set(same.map(({ what }) => what))].toSorted() }
  })
}
