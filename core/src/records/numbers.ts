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
    insert into core.sequence (workspace, kind, year, last) values (${ctx.workspace.id}::uuid, ${kind}, ${Number(year)}::integer, 1)
    on conflict (workspace, kind, year) do update set last = core.sequence.last + 1
    returning last`.execute(tx)
  return `${kind}-${year}-${String(rows[0]?.last ?? 0).padStart(5, '0')}`
}
