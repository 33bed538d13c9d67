import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { jobFinished, jobNotFound, jobNotPaused } from './errors.ts'
import type { JobState } from './job.ts'

interface Move {
  readonly from: readonly JobState[]
  readonly to: JobState
}

/** Moves a job; a worker that runs it learns it with its next chunk, or its next look. */
async function move(
  ctx: Context,
  id: string,
  { from, to }: Move,
): Promise<{ kind: string; state: JobState; moved: boolean }> {
  const finished = to === 'cancelled' ? sql`, finished_at = ${ctx.clock.now().toISOString()}::timestamptz` : sql``
  // A new ticket and a higher fence: the run that was paused may still be on its way out.
  const again = to === 'queued' ? sql`, pauses = j.pauses + 1, ticket = gen_random_uuid(), handed_at = null` : sql``
  const { rows } = await sql<{ kind: string; state: JobState; moved: boolean }>`
    with before as (
      select id, kind, state from core.job where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid for update),
    moved as (
      update core.job j set state = ${to}${again}${finished} from before b
      where j.workspace = ${ctx.workspace.id}::uuid and j.id = b.id and b.state = any(${[...from]}::text[]) returning j.id)
    select kind, state, exists (select from moved) as moved from before`.execute(ctx.sql)
  const [job] = rows
  if (!job) throw jobNotFound({ id })
  return job
}

/** Ends a job; what it has done so far stays. @throws `JOB_FINISHED` (409) */
export async function cancelJob(ctx: Context, id: string): Promise<void> {
  const { kind, state, moved } = await move(ctx, id, { from: ['queued', 'running', 'paused'], to: 'cancelled' })
  if (!moved && state !== 'cancelled') throw jobFinished({ kind, state })
}

/** Lets a job wait after the chunk it is at. @throws `JOB_FINISHED` (409) */
export async function pauseJob(ctx: Context, id: string): Promise<void> {
  const { kind, state, moved } = await move(ctx, id, { from: ['queued', 'running'], to: 'paused' })
  if (!moved && state !== 'paused') throw jobFinished({ kind, state })
}

/** Lets a paused job go on after its last chunk. @throws `JOB_NOT_PAUSED` (409) */
export async function resumeJob(ctx: Context, id: string): Promise<void> {
  const { kind, state, moved } = await move(ctx, id, { from: ['paused'], to: 'queued' })
  if (!moved) throw jobNotPaused({ kind, state })
}
