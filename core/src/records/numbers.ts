import { sql } from 'kysely'
import type { EngineScope } from './scope.ts'

/**
 * Next human number of a kind in the workspace's current year: `SO-2026-00042`.
 *
 * Gap-free: the counter's row stays locked until the unit ends, and an undone unit gives its number back.
 */
export async function nextNumber({ ctx, tx }: EngineScope, kind: string): Promise<string> {
  const year = ctx.clock.today().slice(0, 4)
  const { rows } = await sql<{ last: number }>`
    select core.next_number(${kind}, ${Number(year)}::integer) as last`.execute(tx)
  return `${kind}-${year}-${String(rows[0]?.last ?? 0).padStart(5, '0')}`
}
