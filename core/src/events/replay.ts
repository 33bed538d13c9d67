import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Context } from '../context.ts'
import { requestJob } from '../jobs/index.ts'
import type { JobHandler } from '../jobs/job.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { RecordEngine } from '../records/engine.ts'
import { replayUnderWay } from './errors.ts'
import { demandSubscription, type KnownSubscription } from './subscribers.ts'

export const replayKind = 'core.event-replay'

/** What is told again: to whom, and which events. */
export interface Replay {
  readonly subscription: string
  /** ISO instants, both included. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly record?: string | undefined
  /** What was done is done again; otherwise only what was not is told. */
  readonly again?: boolean | undefined
}

/** Where a replay stands. */
interface Running extends Replay {
  readonly to: string
  /** Number of the last event that was looked at. */
  readonly after?: number
  readonly replayed?: number
}

/** Each of them may hold the lock of another record, and those are counted. */
const chunkSize = 200

/**
 * Asks for past events to be told to a subscriber again, under the ids they had. Nothing that is told from now on is part of it.
 *
 * @returns id of the job that does it
 * @throws `SUBSCRIPTION_UNKNOWN` (404), `REPLAY_UNDER_WAY` (409): one after the other, so that each keeps the order
 */
export async function startReplay(ctx: Context, replay: Replay): Promise<string> {
  await demandSubscription((ctx.records as RecordEngine).scope, replay.subscription)
  const { rows } = await sql<{ job: string }>`
    select job_of_key as job from core.job_of_key(${replayKind}, ${replay.subscription})`.execute(ctx.sql)
  if (rows[0]) throw replayUnderWay({ subscription: replay.subscription, job: rows[0].job })
  const now = ctx.clock.now().toISOString()
  const to = replay.to !== undefined && Date.parse(replay.to) < Date.parse(now) ? replay.to : now
  return requestJob(ctx, { kind: replayKind, key: replay.subscription, payload: { ...replay, to } })
}

/** A chunk and how far it came commit together: whoever takes the job up again tells nothing twice. */
export const runReplay: JobHandler<Running> = async ({ id, payload, progress: looked }, { unit, progress }) => {
  let replay = payload
  let done = looked
  for (;;) {
    const step = await unit(async (ctx) => {
      const { events, last, replayed } = await replayChunk(ctx, replay)
      const next: Running = { ...replay, after: last, replayed: (replay.replayed ?? 0) + replayed }
      await sql`update core.job set payload = ${JSON.stringify(next)}::jsonb
        where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
      await progress(done + events, undefined, ctx)
      return { next, events }
    })
    replay = step.next
    done += step.events
    if (step.events < chunkSize) return { looked: done, replayed: replay.replayed ?? 0 }
  }
}

async function replayChunk(ctx: Context, replay: Running): Promise<{ events: number; last: number; replayed: number }> {
  // Rights may have gone since it was asked for.
  if (!ctx.authority.may('core.event.replay')) throw permissionDenied({ permission: 'core.event.replay' })
  const { scope } = ctx.records as RecordEngine
  const { subscription, after = 0, again = false } = replay
  const known = await demandSubscription(scope, subscription)
  const { rows } = await sql<{ id: string; seq: number }>`
    select e.id, e.seq from core.event e
    where ${sql.join(chosen(ctx, known, replay), sql` and `)} and e.seq > ${after}::bigint
    order by e.seq limit ${chunkSize}`.execute(ctx.sql)
  const last = rows.at(-1)?.seq
  if (last === undefined) return { events: 0, last: after, replayed: 0 }
  const { rows: told } = await sql<{ replayed: number }>`
    select core.replay_deliveries(${subscription}, ${rows.map(({ id }) => id)}::uuid[], ${again},
      ${ctx.clock.now().toISOString()}::timestamptz) as replayed`.execute(ctx.sql)
  const replayed = told[0]?.replayed ?? 0
  scope.delivering(replayed)
  return { events: rows.length, last, replayed }
}

/** What the subscriber would be told today, of what was asked for. */
function chosen(ctx: Context, { event, version, changed }: KnownSubscription, replay: Running): RawBuilder<SqlBool>[] {
  const conditions = [
    sql<SqlBool>`e.workspace = ${ctx.workspace.id}::uuid`,
    sql<SqlBool>`e.name = ${event}`,
    sql<SqlBool>`e.at <= ${replay.to}::timestamptz`,
  ]
  if (version !== null) conditions.push(sql`e.version = ${version}`)
  if (changed !== null) conditions.push(sql`coalesce(e.payload -> 'changed' ?| ${changed}::text[], true)`)
  if (replay.from !== undefined) conditions.push(sql`e.at >= ${replay.from}::timestamptz`)
  if (replay.record !== undefined) conditions.push(sql`e.key = ${replay.record}::uuid`)
  return conditions
}
