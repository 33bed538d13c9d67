import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Sql } from '../database/database.ts'
import type { Emission } from './event.ts'

/** What one unit of work tells, in the order it told it. */
export interface Telling {
  readonly workspace: string
  readonly emissions: readonly Emission[]
  readonly changeSet?: string
  /** ISO instant. */
  readonly at: string
}

/**
 * The outbox as common table expressions, of which `told_delivery` has a row for each delivery, to stand in a statement of
 * one's own. Nothing is read back from the tables: whoever changes a record may tell of it, and see no event of others.
 *
 * A sequence alone is not commit order: of two transactions that tell about one record, the one with the smaller number
 * may commit last. So the record's lock is held from before its number is drawn until the commit. Locks are taken in
 * sorted order, and after the record's own row lock, so that two units cannot wait for each other.
 *
 * A delivery is never due before the one in front of it: behind a failing event a record's later ones are not even
 * looked at.
 *
 * @param when - nothing is told where this is false, such as `exists (select from kept)`
 */
export function tellingCtes(
  { workspace, emissions, changeSet, at }: Telling,
  when: RawBuilder<SqlBool> = sql<SqlBool>`true`,
): RawBuilder<unknown> {
  const rows = emissions.map(({ name, version, key, payload }) => ({ id: uuidv7(), name, version, key, payload }))
  const keys = [...new Set(emissions.map(({ key, lock }) => (lock ?? key).toLowerCase()))].toSorted()
  return sql`told_lock as materialized (
      select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(${keys}::text[]) as key where ${when}),
    told as materialized (
      select e.*
      from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as (id uuid, name text, version integer, key uuid, payload jsonb)) with ordinality
          as e (id, name, version, key, payload, nth),
        (select count(*) as taken from told_lock) locks
      where locks.taken > 0),
    told_delivery as materialized (
      select s.id as subscription, s.number, told.id as event, told.key, told.nth,
        greatest(${at}::timestamptz, core.delivery_due_after(s.id, ${workspace}::uuid, told.key)) as due_at
      from told
      join core.subscription s on s.event = told.name and s.active and (s.version is null or s.version = told.version)
        and (s.changed is null or coalesce(told.payload -> 'changed' ?| s.changed, true))
      where s.plugin = 'core'
        or exists (select from core.plugin_workspace p where p.workspace = ${workspace}::uuid and p.plugin = s.plugin
          and (s.while_disabled = 'hold' or p.state = 'enabled'))),
    told_event as (
      insert into core.event (id, workspace, name, version, key, payload, change_set, at, told_to)
      select told.id, ${workspace}::uuid, name, version, key, payload, ${changeSet ?? null}::uuid, ${at}::timestamptz,
        coalesce(to_whom.numbers, '{}')
      from told left join (select event, array_agg(number) as numbers from told_delivery group by event) to_whom
        on to_whom.event = told.id
      order by nth),
    told_queue as (
      insert into core.delivery (workspace, subscription, event, key, due_at)
      select ${workspace}::uuid, subscription, event, key, due_at from told_delivery order by nth, subscription)`
}

/**
 * Writes a unit's events and one delivery for each subscriber, with the unit's own transaction: they commit together or
 * not at all. Call it last, when every record the unit changes is locked.
 *
 * A plugin that is disabled here gets its deliveries too, for the day it is enabled; one that never was gets none.
 *
 * @returns how many deliveries wait; when any do, send the signal `deliveries` after the commit
 */
export async function flushEmissions(tx: Sql, telling: Telling): Promise<{ deliveries: number }> {
  if (telling.emissions.length === 0) return { deliveries: 0 }
  const { rows } = await sql<{ deliveries: number }>`
    with ${tellingCtes(telling)} select count(*)::integer as deliveries from told_delivery`.execute(tx)
  return { deliveries: rows[0]?.deliveries ?? 0 }
}
