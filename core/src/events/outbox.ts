import { sql, type RawBuilder } from 'kysely'
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
 * Tells, to stand in a statement of one's own, and answers how many deliveries that makes. Nothing is read back from the
 * tables: whoever changes a record may tell of it, and see no event of others.
 *
 * Call it when the records told of are locked, in a statement as in a unit: `core.tell` takes a lock of each, in sorted order,
 * so that two units cannot wait for each other.
 */
export function telling({ workspace, emissions, changeSet, at }: Telling): RawBuilder<number> {
  const rows = emissions.map(({ name, version, key, payload }) => ({ id: uuidv7(), name, version, key, payload }))
  const locks = [...new Set(emissions.map(({ key, lock }) => (lock ?? key).toLowerCase()))].toSorted()
  return sql<number>`core.tell(${workspace}::uuid, ${changeSet ?? null}::uuid, ${at}::timestamptz, ${locks}::text[], ${JSON.stringify(rows)}::jsonb)`
}

/**
 * Writes a unit's events and one delivery for each subscriber, with the unit's own transaction: they commit together or
 * not at all. Call it last, when every record the unit changes is locked.
 *
 * A plugin that is disabled here gets its deliveries too, for the day it is enabled; one that never was gets none.
 *
 * @returns how many deliveries wait; when any do, send the signal `deliveries` after the commit
 */
export async function flushEmissions(tx: Sql, told: Telling): Promise<{ deliveries: number }> {
  if (told.emissions.length === 0) return { deliveries: 0 }
  const { rows } = await sql<{ deliveries: number }>`select ${telling(told)} as deliveries`.execute(tx)
  return { deliveries: rows[0]?.deliveries ?? 0 }
}
