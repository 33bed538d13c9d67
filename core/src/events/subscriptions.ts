import { sql } from 'kysely'
import type { Sql } from '../database/database.ts'
import type { PluginDefinition, Subscriber } from '../plugins/define-plugin.ts'

/** One plugin's ear for one event. */
export interface Subscription extends Subscriber {
  /** `<plugin>/<subscriber id>`: deliveries are kept under it, so it outlives releases. */
  readonly id: string
  readonly plugin: string
  /** Events handled in one unit of work, at most. */
  readonly together: number
  /** Folder of its plugin's code, where that is known. */
  readonly root: URL | undefined
}

export function subscriptionsOf(plugins: Iterable<PluginDefinition>): readonly Subscription[] {
  return [...plugins].flatMap(({ id: plugin, root, subscribers = [] }) =>
    subscribers.map(({ id, together = 1, ...hears }) => ({ ...hears, together, root, id: `${plugin}/${id}`, plugin })),
  )
}

/**
 * Writes who hears what, so that the outbox fans out without asking any process. Several processes may do it at once.
 *
 * What is taken away meanwhile hears nothing again. A subscriber its plugin no longer declares hears nothing more; what it was already owed stays until the plugin goes.
 */
export async function keepSubscriptions(owner: Sql, plugins: readonly PluginDefinition[]): Promise<void> {
  const rows = subscriptionsOf(plugins).map(
    ({ id, plugin, event, version, changed, whileDisabled = 'hold', afterDeadLetter = 'hold-record' }) => ({
      id,
      plugin,
      event,
      version,
      changed,
      while_disabled: whileDisabled,
      after_dead_letter: afterDeadLetter,
    }),
  )
  // Sorted, so that processes that start together take the rows' locks in the same order.
  await sql`
    insert into core.subscription (id, plugin, event, version, changed, while_disabled, after_dead_letter)
    select s.id, s.plugin, s.event, s.version, s.changed, s.while_disabled, s.after_dead_letter
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as s (id text, plugin text, event text, version integer, changed text[], while_disabled text, after_dead_letter text)
    where not exists (select from core.plugin p where p.id = s.plugin and p.state in ('removing', 'removed'))
    order by s.id
    on conflict (id) do update set event = excluded.event, version = excluded.version, changed = excluded.changed,
        while_disabled = excluded.while_disabled, after_dead_letter = excluded.after_dead_letter, active = true
      where (subscription.event, subscription.version, subscription.changed, subscription.while_disabled,
          subscription.after_dead_letter, subscription.active)
        is distinct from (excluded.event, excluded.version, excluded.changed, excluded.while_disabled,
          excluded.after_dead_letter, true)`.execute(owner)
  await sql`
    update core.subscription set active = false
    where active and plugin = any(${plugins.map(({ id }) => id)}::text[]) and id <> all(${rows.map(({ id }) => id)}::text[])`.execute(
    owner,
  )
}
