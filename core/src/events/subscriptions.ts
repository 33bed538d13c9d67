import { sql } from 'kysely'
import type { Sql } from '../database/database.ts'
import type { PluginDefinition, Subscriber } from '../plugins/define-plugin.ts'

/** One plugin's ear for one event. */
export interface Subscription {
  /** `<plugin>/<subscriber id>`: deliveries are kept under it, so it outlives releases. */
  readonly id: string
  readonly plugin: string
  readonly event: string
  readonly changed?: readonly string[]
  /** Events handled in one unit of work, at most. */
  readonly together: number
  readonly handle: Subscriber['handle']
}

export function subscriptionsOf(plugins: Iterable<PluginDefinition>): readonly Subscription[] {
  return [...plugins].flatMap(({ id: plugin, subscribers = [] }) =>
    subscribers.map(({ id, together = 1, ...hears }) => ({ ...hears, together, id: `${plugin}/${id}`, plugin })),
  )
}

/**
 * Writes who hears what, so that the outbox fans out without asking any process. Several processes may do it at once.
 *
 * A subscriber its plugin no longer declares hears nothing more; what it was already owed stays until the plugin goes.
 */
export async function keepSubscriptions(owner: Sql, plugins: readonly PluginDefinition[]): Promise<void> {
  const rows = subscriptionsOf(plugins).map(({ id, plugin, event, changed }) => ({ id, plugin, event, changed }))
  // Sorted, so that processes that start together take the rows' locks in the same order.
  await sql`
    insert into core.subscription (id, plugin, event, changed)
    select s.id, s.plugin, s.event, s.changed
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as s (id text, plugin text, event text, changed text[])
    order by s.id
    on conflict (id) do update set event = excluded.event, changed = excluded.changed, active = true
      where (subscription.event, subscription.changed, subscription.active)
        is distinct from (excluded.event, excluded.changed, true)`.execute(owner)
  await sql`
    update core.subscription set active = false
    where active and plugin = any(${plugins.map(({ id }) => id)}::text[]) and id <> all(${rows.map(({ id }) => id)}::text[])`.execute(
    owner,
  )
}
