import { sql } from 'kysely'
import type { PluginDefinition } from '../plugins/define-plugin.ts'
import type { EngineScope } from '../records/scope.ts'
import { recordEvents, mergeEvents } from './record-events.ts'
import { subscriptionUnknown } from './errors.ts'

/** A subscriber as the outbox knows it. */
export interface KnownSubscription {
  readonly id: string
  readonly plugin: string
  readonly event: string
  readonly version: number | null
  readonly changed: readonly string[] | null
}

export interface SubscriberView extends KnownSubscription {
  readonly whileDisabled: 'hold' | 'drop'
  readonly afterDeadLetter: 'hold-record' | 'continue'
  /** Whether its plugin is on here. */
  readonly enabled: boolean
  readonly waiting: number
  readonly held: number
  readonly dead: number
  readonly blocked: number
}

/** An event that a loaded plugin tells. */
export interface EventKind {
  readonly name: string
  readonly version: number
  readonly plugin: string
  /** Whether a later version is told beside it: who hears this one should move on. */
  readonly outdated: boolean
  /** Subscribers that hear this version. */
  readonly heardBy: readonly string[]
}

/** Counts end here: more is shown as "and more". */
export const countedDeliveries = 1_000

/**
 * Who hears what here, and how many deliveries each has open: those whose plugin is or was on in the workspace.
 *
 * Each count is a look into the index of queues that ends at `countedDeliveries`.
 */
export async function listSubscribers({ ctx, tx }: EngineScope): Promise<readonly SubscriberView[]> {
  const counted = (states: readonly string[], due: string) => sql`(
    select count(*)::integer from (
      select from unnest(${states}::text[]) as kind cross join lateral (
        select from core.delivery d
        where d.state = kind and d.subscription = s.id and d.workspace = ${ctx.workspace.id}::uuid and ${sql.raw(due)}
        limit ${countedDeliveries} offset 0) one
      limit ${countedDeliveries}) counted)`
  const { rows } = await sql<SubscriberView>`
    select s.id, s.plugin, s.event, s.version, s.changed, s.while_disabled as "whileDisabled",
      s.after_dead_letter as "afterDeadLetter", s.plugin = 'core' or coalesce(p.state = 'enabled', false) as enabled,
      ${counted(['waiting'], "d.due_at < 'infinity'")} as waiting, ${counted(['held'], "d.due_at < 'infinity'")} as held,
      ${counted(['dead', 'aside'], 'true')} as dead, ${counted(['waiting', 'held'], "d.due_at = 'infinity'")} as blocked
    from core.subscription s
    left join core.plugin_workspace p on p.workspace = ${ctx.workspace.id}::uuid and p.plugin = s.plugin
    where s.active and (s.plugin = 'core' or p.plugin is not null)
    order by s.id`.execute(tx)
  return rows
}

/** @throws `SUBSCRIPTION_UNKNOWN` (404) */
export async function demandSubscription({ tx }: EngineScope, id: string): Promise<KnownSubscription> {
  const { rows } = await sql<KnownSubscription>`
    select id, plugin, event, version, changed from core.subscription where id = ${id} and active`.execute(tx)
  const [found] = rows
  if (!found) throw subscriptionUnknown({ subscription: id })
  return found
}

/** Every event that plugins which are on here declare, with who hears which version of it. */
export async function listEventKinds(
  { catalog, exists, ctx, tx }: EngineScope,
  plugins: readonly PluginDefinition[],
  subscribers: readonly SubscriberView[],
): Promise<readonly EventKind[]> {
  const { rows } = await sql<{ plugin: string }>`
    select plugin from core.plugin_workspace where workspace = ${ctx.workspace.id}::uuid and state = 'enabled'`.execute(
    tx,
  )
  const on = new Set(['core', ...rows.map(({ plugin }) => plugin)])
  const present = plugins.filter(({ id }) => on.has(id))
  const declared = [
    ...present.flatMap(({ id: plugin, emits = [] }) => emits.map(({ name, version }) => ({ name, version, plugin }))),
    ...catalog
      .all()
      .filter((resource) => exists(resource))
      .flatMap(({ id, plugin }) =>
        [...recordEvents(id), ...mergeEvents(id)].map(({ name, version }) => ({ name, version, plugin })),
      ),
  ]
  return declared
    .map((kind) => ({
      ...kind,
      outdated: declared.some(({ name, version }) => name === kind.name && version > kind.version),
      heardBy: subscribers
        .filter(({ event, version }) => event === kind.name && (version === null || version === kind.version))
        .map(({ id }) => id),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : b.version - a.version))
}
