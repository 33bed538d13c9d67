import { sql } from 'kysely'
import type { Sql } from '../database/database.ts'

/** A plugin in a workspace: what is switched on and off. */
export interface Switch {
  readonly workspace: string
  readonly plugin: string
}

/**
 * Sets aside what a plugin that is off here has not heard yet, so that nobody looks at it until the plugin is on again.
 * Deliveries a handler is busy with are left to it.
 *
 * Give it the owner's transaction that switches the plugin, or call it at any later time: it does nothing while the
 * plugin is on.
 */
export async function holdDeliveries(owner: Sql, { workspace, plugin }: Switch): Promise<void> {
  await oneAtATime(owner, { workspace, plugin })
  await sql`
    update core.delivery set state = 'held' where seq in (
      select d.seq from core.delivery d join core.subscription s on s.id = d.subscription
      where d.state = 'waiting' and d.workspace = ${workspace}::uuid and s.plugin = ${plugin}
        and ${isEnabled({ workspace, plugin })} is not true
      for update of d skip locked)`.execute(owner)
}

/**
 * Gives a plugin that is on again what was held for it. Order is kept, because each delivery keeps its place: a newer
 * one waits behind every older one of its record, held or not.
 */
export async function releaseDeliveries(owner: Sql, { workspace, plugin }: Switch): Promise<void> {
  await oneAtATime(owner, { workspace, plugin })
  await sql`
    update core.delivery set state = 'waiting' where state = 'held' and workspace = ${workspace}::uuid
      and subscription in (select id from core.subscription where plugin = ${plugin})
      and ${isEnabled({ workspace, plugin })}`.execute(owner)
}

// Of a hold and a release at the same moment the later one must see what the plugin's state became: each looks only
// after it has the lock.
async function oneAtATime(owner: Sql, { workspace, plugin }: Switch): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`hold ${workspace} ${plugin}`}, 0))`.execute(owner)
}

function isEnabled({ workspace, plugin }: Switch) {
  return sql`(select p.state = 'enabled' from core.plugin_workspace p
    where p.workspace = ${workspace}::uuid and p.plugin = ${plugin})`
}
