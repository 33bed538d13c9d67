import { sql, uuidv7, type Context } from '@socle/sdk'
import type { PipelineRow, StageRow } from './stages.ts'

export interface StageVisit {
  readonly id: string
  readonly stage: string
  readonly name: string
  readonly direction: 'entered' | 'forward' | 'backward'
  /** Stages jumped over on the way. */
  readonly skipped: number
  /** ISO instants; `leftAt` is null while it stands there. */
  readonly enteredAt: string
  readonly leftAt: string | null
  readonly actor: string
}

/** How a move reads: which way, and over how many stages. Into a closing stage nothing is skipped. */
export function moveBetween(
  pipeline: PipelineRow,
  from: StageRow | undefined,
  to: StageRow,
): { direction: StageVisit['direction']; skipped: number } {
  if (!from || from.pipeline !== to.pipeline) return { direction: 'entered', skipped: 0 }
  const direction = to.position >= from.position ? 'forward' : 'backward'
  const [low, high] = direction === 'forward' ? [from.position, to.position] : [to.position, from.position]
  const between = pipeline.stages.filter(({ kind, position }) => kind === 'open' && position > low && position < high)
  return { direction, skipped: to.kind === 'open' ? between.length : 0 }
}

/** Ends the stay in the stage before and begins the one in the stage now, in the opportunity's own transaction. */
export async function enterStage(
  ctx: Context,
  opportunity: string,
  to: StageRow,
  move: ReturnType<typeof moveBetween>,
  at: string,
): Promise<void> {
  await sql`
    update sales.stage_visit set left_at = ${at}::timestamptz
    where workspace = ${ctx.workspace.id}::uuid and opportunity_id = ${opportunity}::uuid and left_at is null`.execute(
    ctx.sql,
  )
  await sql`
    insert into sales.stage_visit (id, workspace, opportunity_id, stage_id, stage_name, direction, skipped, entered_at, actor_name)
    values (${uuidv7()}::uuid, ${ctx.workspace.id}::uuid, ${opportunity}::uuid, ${to.id}::uuid, ${to.name}, ${move.direction}, ${move.skipped}, ${at}::timestamptz, ${ctx.actor.name})`.execute(
    ctx.sql,
  )
}

/**
 * Takes the last visit back when a move is undone, so that the history reads as if it had not been.
 *
 * @returns when the stay before it began, or undefined when the last visit is another one
 */
export async function leaveAsIfNever(
  ctx: Context,
  opportunity: string,
  from: string,
  to: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string; stage_id: string; entered_at: string }>`
    select id, stage_id, entered_at from sales.stage_visit
    where workspace = ${ctx.workspace.id}::uuid and opportunity_id = ${opportunity}::uuid order by entered_at desc, id desc limit 2`.execute(
    ctx.sql,
  )
  const [last, before] = rows
  if (last?.stage_id !== from || before?.stage_id !== to) return undefined
  await sql`delete from sales.stage_visit where workspace = ${ctx.workspace.id}::uuid and id = ${last.id}::uuid`.execute(
    ctx.sql,
  )
  await sql`update sales.stage_visit set left_at = null where workspace = ${ctx.workspace.id}::uuid and id = ${before.id}::uuid`.execute(
    ctx.sql,
  )
  return before.entered_at
}

/** The stages an opportunity stood in, first to last, for whoever reads where it stands; under the names they may read. */
export async function visitsOf(ctx: Context, opportunity: string): Promise<readonly StageVisit[]> {
  if (!('stage' in ctx.records.told('sales.opportunity', { stage: '' }))) return []
  const { rows } = await sql<StageVisit>`
    select id, stage_id as stage, stage_name as name, direction, skipped, entered_at as "enteredAt", left_at as "leftAt", actor_name as actor
    from sales.stage_visit where workspace = ${ctx.workspace.id}::uuid and opportunity_id = ${opportunity}::uuid
    order by entered_at, id`.execute(ctx.sql)
  return rows.map((visit) => ({ ...visit, name: ctx.records.nameOf('sales.stage', { name: visit.name }, 'beside') }))
}
