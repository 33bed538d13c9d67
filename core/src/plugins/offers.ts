import { kebab } from '../records/registry.ts'
import type { FillDefinition, PluginDefinition } from './define-plugin.ts'
import type { PluginManifest } from './manifest.ts'
import { isAwake, peerOf, type PeerCondition, type ToldPeer } from './peer-condition.ts'
import { defineSlot, ownerOf } from './tokens.ts'

/** What stands on the home screen below the greeting. */
export const HomeWidgets = defineSlot<Record<string, never>>('core:home.widgets@1')

export function slotOf({ slot }: Pick<FillDefinition, 'slot'>): string {
  return typeof slot === 'string' ? slot : slot.id
}

/**
 * Where others may add to these plugins, and what they may ask of them: their slots, those on the pages of their records, their
 * extension points, their services.
 */
export function offersOf(plugins: readonly PluginDefinition[]): ReadonlySet<string> {
  return new Set(
    plugins.flatMap(({ id, resources = [], slots = [], points = [], provides = [] }) => [
      ...provides.map(({ service }) => service.id),
      ...slots.map((slot) => slot.id),
      ...points.map((point) => point.id),
      ...resources.flatMap(({ entity, options }) => slotsOfRecord(`${id}.${options.name ?? kebab(entity.name)}`)),
    ]),
  )
}

function slotsOfRecord(resource: string): string[] {
  return [`${resource}.tabs@1`, `${resource}.side@1`]
}

/** How a plugin takes hold of what another offers. */
export type HoldKind = 'fills' | 'contributes' | 'uses'

/** A part in somebody's place or a use of what they offer, and the peer it waits for. */
interface Added {
  readonly kind: HoldKind
  readonly to: string
  readonly when: PeerCondition | undefined
}

export function addedBy({ ui, contributes = [], uses = [], optional = {} }: PluginDefinition): readonly Added[] {
  return [
    ...(ui?.fills ?? []).map((fill) => ({ kind: 'fills' as const, to: slotOf(fill), when: fill.when })),
    ...contributes.map(({ point, when }) => ({ kind: 'contributes' as const, to: point.id, when })),
    ...uses.map(({ id }) => ({ kind: 'uses' as const, to: id, when: whenThere(optional, id) })),
  ]
}

/** What belongs to a peer one may do without is used where that is on. */
function whenThere(optional: Readonly<Record<string, string>>, id: string): PeerCondition | undefined {
  const plugin = ownerOf(id)
  return Object.hasOwn(optional, plugin) ? { plugin } : undefined
}

/** The same, read without its code; what it offers itself is left out. */
export function addedByManifest(manifest: PluginManifest): readonly Added[] {
  const { fills, contributes, uses, optional, slots, points, services, resources } = manifest
  const own = new Set([...slots, ...points, ...services, ...resources.flatMap(({ id }) => slotsOfRecord(id))])
  const waiting = (when: ToldPeer | undefined) => (when === undefined ? undefined : peerOf(when))
  const those: readonly Added[] = [
    ...fills.map(({ slot, when }) => ({ kind: 'fills' as const, to: slot, when: waiting(when) })),
    ...contributes.map(({ point, when }) => ({ kind: 'contributes' as const, to: point, when: waiting(when) })),
    ...uses.map((id) => ({ kind: 'uses' as const, to: id, when: whenThere(optional, id) })),
  ]
  return those.filter(({ to }) => !own.has(to))
}

/**
 * Places something is added to, and services that are used, that none of these plugins offers: their owner is not among them, or has another version of them.
 * What waits for a peer by its own condition is none of them.
 */
export function unoffered(added: readonly Added[], plugins: readonly PluginDefinition[]): readonly string[] {
  const on = new Set(plugins.map(({ id }) => id))
  const offered = offersOf(plugins)
  return added.filter(({ to, when }) => !offered.has(to) && isAwake(when, on, plugins)).map(({ to }) => to)
}
