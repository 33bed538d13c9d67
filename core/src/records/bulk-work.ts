import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import type { Jobs, JobState, JobTools } from '../jobs/index.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { mayBeTold, withToldRights } from '../permissions/told-rights.ts'
import type { Words } from '../words.ts'
import { bulkLimit, selectedBy, type BulkSelection } from './bulk.ts'
import { bulkNotFound, bulkRunning, bulkTooLarge, versionConflict } from './errors.ts'
import { tableOf } from './past.ts'
import { demandAction, findRow } from './read.ts'
import type { RecordJson } from './records.ts'
import { problemOf, untold, type RowProblem } from './refusals.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { demandLeft, demandUndo, undoChange } from './undo.ts'
import { isUuid, sameValue } from './values.ts'
import { deleteRecord, restoreRecord, updateRecord } from './write.ts'

/** Which records, and what becomes of them. */
export interface BulkOrder extends BulkSelection {
  readonly action: 'update' | 'delete' | 'restore'
  readonly set?: Readonly<Record<string, unknown>> | undefined
  readonly acknowledge?: readonly string[] | undefined
}

export interface Bulk {
  readonly id: string
  readonly resource: string | null
  readonly action: 'update' | 'delete' | 'restore' | 'undo'
  /** `previewed` before it was ever started. */
  readonly state: JobState | 'previewed'
  readonly job: string | null
  /** By which all that its last run did is taken back. */
  readonly changeSet: string | null
  readonly total: number
  readonly done: number
  readonly skipped: number
  readonly failed: number
  readonly createdAt: string
}

export interface BulkProblem extends RowProblem {
  /** Fields that kept a newer value. */
  readonly fields?: readonly string[]
}

export interface BulkResult {
  readonly nth: number
  readonly record: string
  readonly state: 'waiting' | 'done' | 'skipped' | 'failed'
  readonly problem: BulkProblem | null
}

interface Kept {
  readonly id: string
  readonly resource: string | null
  readonly action: Bulk['action']
  readonly request: {
    readonly set?: Readonly<Record<string, unknown>>
    readonly acknowledge?: readonly string[]
    readonly undoOf?: string
  }
  readonly job: string | null
  readonly changeSet: string | null
  readonly createdAt: string
  /** Rights under which refusals of its rows were worded. */
  readonly told: unknown
}

interface Row {
  readonly nth: number
  readonly record: string
  readonly version: number
  readonly change: string | null
}

interface Outcome {
  readonly nth: number
  readonly state: 'done' | 'skipped' | 'failed'
  readonly problem?: BulkProblem
}

export const bulkJob = 'core.bulk'
const mostRows = 100_000
/** Rows of one transaction, together with their ledger. */
const chunk = 500
/** Rows that fail or stand together at first; one that fails is then found by trying each alone. */
const together = 25
export const sampleSize = 20

const mine = ({ ctx }: EngineScope) =>
  sql`workspace = ${ctx.workspace.id}::uuid and actor_type = ${ctx.actor.type} and actor_id is not distinct from ${ctx.actor.id ?? null}::uuid`

/** @throws `PERMISSION_DENIED` without `<resource>.bulk` and the action's own permission */
function demandBulk(scope: EngineScope, resource: Resource, action: BulkOrder['action']): void {
  demandAction(scope, resource, action)
  const permission = `${resource.id}.bulk`
  if (!scope.ctx.authority.may(permission)) throw permissionDenied({ permission })
}

/**
 * Keeps which rows a bulk change is for, each at its version of now: who changes one of them until its turn comes keeps
 * that change.
 *
 * @throws `BULK_TOO_LARGE` (422)
 */
export async function orderBulk(scope: EngineScope, resource: Resource, order: BulkOrder): Promise<Bulk> {
  demandBulk(scope, resource, order.action)
  const { tx } = scope
  const id = await insertBulk(scope, resource.id, order.action, {
    ...(order.set ? { set: order.set } : {}),
    ...(order.acknowledge ? { acknowledge: order.acknowledge } : {}),
  })
  const { rows } = await sql<{ n: number }>`
    with kept as (
      insert into core.bulk_row (workspace, bulk, nth, record, version)
      select ${scope.ctx.workspace.id}::uuid, ${id}::uuid, row_number() over (order by t.id), t.id, t.version
      ${foundBy(scope, resource, order)} limit ${mostRows + 1}
      returning nth)
    select count(*)::integer as n from kept`.execute(tx)
  if ((rows[0]?.n ?? 0) > mostRows) throw bulkTooLarge({ rows: mostRows + 1, limit: mostRows })
  return bulkOf(scope, id)
}

/**
 * Whether an order is for so few records that one request can do it.
 *
 * @throws `PERMISSION_DENIED` as `orderBulk` does
 */
export async function isSmall(scope: EngineScope, resource: Resource, order: BulkOrder): Promise<boolean> {
  demandBulk(scope, resource, order.action)
  const { rows } = await sql`select ${foundBy(scope, resource, order)} limit ${bulkLimit + 1}`.execute(scope.tx)
  return rows.length <= bulkLimit
}

function foundBy(scope: EngineScope, resource: Resource, order: BulkOrder) {
  return selectedBy(scope, resource, order, order.action === 'restore' ? 'bin' : undefined)
}

/**
 * The undoing of a change set too large for one transaction, latest change first.
 *
 * @throws `UNDO_CONFLICT` (409) when nothing of it is left
 */
export async function orderUndo(scope: EngineScope, changeSet: string, words: Words): Promise<Bulk> {
  await demandUndo(scope, changeSet)
  await demandLeft(scope, changeSet, words)
  const { ctx, tx } = scope
  const id = await insertBulk(scope, null, 'undo', { undoOf: changeSet })
  await sql`
    insert into core.bulk_row (workspace, bulk, nth, record, version, change)
    select ${ctx.workspace.id}::uuid, ${id}::uuid, row_number() over (order by c.id desc), c.record, c.version, c.id
    from core.change c where c.workspace = ${ctx.workspace.id}::uuid and c.change_set = ${changeSet}::uuid`.execute(tx)
  return bulkOf(scope, id)
}

async function insertBulk(
  { ctx, tx }: EngineScope,
  resource: string | null,
  action: Bulk['action'],
  request: Kept['request'],
): Promise<string> {
  const id = uuidv7()
  await sql`
    insert into core.bulk (id, workspace, resource, action, request, actor_type, actor_id, created_at)
    values (${id}::uuid, ${ctx.workspace.id}::uuid, ${resource}, ${action}, ${JSON.stringify(request)}::jsonb, ${ctx.actor.type},
      ${ctx.actor.id ?? null}::uuid, ${ctx.clock.now().toISOString()}::timestamptz)`.execute(tx)
  return id
}

const keptColumns = sql.raw(
  `id, resource, action, request, job, change_set as "changeSet", created_at as "createdAt", told_under as told`,
)

async function keptBulk(scope: EngineScope, id: string): Promise<Kept> {
  const { rows } = isUuid(id)
    ? await sql<Kept>`
        select ${keptColumns} from core.bulk where ${mine(scope)} and id = ${id}::uuid`.execute(scope.tx)
    : { rows: [] }
  const [bulk] = rows
  if (!bulk) throw bulkNotFound({ id: id.slice(0, 60) })
  return bulk
}

/** @throws `BULK_NOT_FOUND` (404) for one that somebody else started, too */
export async function bulkOf(scope: EngineScope, id: string): Promise<Bulk> {
  const [bulk] = await withCounts(scope, [await keptBulk(scope, id)])
  return bulk!
}

/**
 * What the actor has set going, newest first; what was only previewed is no run.
 *
 * @param after - id of the last one of the page before
 */
export async function bulksOf(
  scope: EngineScope,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ data: Bulk[]; next: string | null }> {
  const place = sql`select created_at, id from core.bulk where ${mine(scope)} and id = ${after ?? null}::uuid`
  const { rows } = await sql<Kept>`
    select ${keptColumns} from core.bulk where ${mine(scope)} and job is not null
      ${after === undefined ? sql`` : sql`and (created_at, id) < (${place})`}
    order by created_at desc, id desc limit ${limit + 1}`.execute(scope.tx)
  const data = await withCounts(scope, rows.slice(0, limit))
  return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null }
}

interface Counted extends Pick<Bulk, 'id' | 'total' | 'done' | 'skipped' | 'failed'> {
  readonly state: JobState | null
}

async function withCounts({ ctx, tx }: EngineScope, bulks: readonly Kept[]): Promise<Bulk[]> {
  const { rows } = await sql<Counted>`
    select b.id, r.*, (select j.state from core.job j where j.workspace = b.workspace and j.id = b.job) as state
    from core.bulk b cross join lateral (
      select count(*)::integer as total, (count(*) filter (where r.state = 'done'))::integer as done,
        (count(*) filter (where r.state = 'skipped'))::integer as skipped, (count(*) filter (where r.state = 'failed'))::integer as failed
      from core.bulk_row r where r.workspace = b.workspace and r.bulk = b.id) r
    where b.workspace = ${ctx.workspace.id}::uuid and b.id = any(${bulks.map(({ id }) => id)}::uuid[])`.execute(tx)
  const counted = new Map(rows.map((row) => [row.id, row]))
  return bulks.flatMap(({ request: _, told: __, ...bulk }) => {
    const found = counted.get(bulk.id)
    return found ? [{ ...bulk, ...found, state: found.state ?? (bulk.job === null ? 'previewed' : 'done') }] : []
  })
}

export async function bulkRows(
  scope: EngineScope,
  id: string,
  { state, after, limit }: { state?: string | undefined; after: number; limit: number },
): Promise<BulkResult[]> {
  const bulk = await keptBulk(scope, id)
  const { rows } = await sql<BulkResult & { resource: string | null }>`
    select r.nth, r.record, r.state, r.problem, coalesce(${bulk.resource}::text, c.resource) as resource from core.bulk_row r
    left join core.change c on c.workspace = r.workspace and c.id = r.change
    where r.workspace = ${scope.ctx.workspace.id}::uuid and r.bulk = ${id}::uuid and r.nth > ${after}
      ${state === undefined ? sql`` : sql`and r.state = ${state}`}
    order by r.nth limit ${limit}`.execute(scope.tx)
  const isTold = mayBeTold(scope.ctx.authority, bulk.told) ? await withinSight(scope, rows) : () => false
  return rows.map(({ resource: _, ...row }) => ({
    ...row,
    problem: row.problem && (isTold(row) ? row.problem : untold(scope.ctx, row.problem)),
  }))
}

/** Which of the refused rows whoever asks still sees the record of: its refusal names it, and what it holds. */
async function withinSight(
  scope: EngineScope,
  rows: readonly (Pick<BulkResult, 'record' | 'problem'> & { readonly resource: string | null })[],
): Promise<(row: Pick<BulkResult, 'record'>) => boolean> {
  const seen = new Set<string>()
  const refused = rows.filter(({ problem }) => problem !== null)
  for (const [id, of] of Map.groupBy(refused, ({ resource }) => resource ?? '')) {
    const resource = scope.catalog.get(id)
    const access = resource && scope.exists(resource) ? scope.access(resource, 'read') : undefined
    if (!resource || !access?.allowed) continue
    const { rows: visible } = await sql<{ id: string }>`
      select t.id from ${tableOf(resource, 't')} where t.workspace = ${scope.ctx.workspace.id}::uuid
        and t.id = any(${of.map(({ record }) => record)}::uuid[]) and ${access.where('t')}`.execute(scope.tx)
    for (const { id: record } of visible) seen.add(record)
  }
  return ({ record }) => seen.has(record)
}

/** Starts what was ordered; a second start of the same waits for the first, and one that has nothing left to do starts nothing. */
export async function startBulk(scope: EngineScope, jobs: Jobs, id: string): Promise<Bulk> {
  const { ctx, tx } = scope
  const { request, job: last } = await keptBulk(scope, id)
  if (last !== null && !(await isLeft(scope, id))) return bulkOf(scope, id)
  const { undoOf } = request
  const changeSet = uuidv7()
  const job = await jobs.enqueue(
    {
      workspace: ctx.workspace.id,
      kind: bulkJob,
      key: id,
      payload: { bulk: id, changeSet, ...(undoOf ? { undoOf } : {}) },
    },
    ctx,
  )
  await sql`
    update core.bulk b set job = ${job}::uuid,
      change_set = (select (j.payload ->> 'changeSet')::uuid from core.job j where j.workspace = b.workspace and j.id = ${job}::uuid)
    where ${mine(scope)} and id = ${id}::uuid`.execute(tx)
  return bulkOf(scope, id)
}

async function isLeft({ ctx, tx }: EngineScope, id: string): Promise<boolean> {
  const { rows } = await sql`
    select from core.bulk_row where workspace = ${ctx.workspace.id}::uuid and bulk = ${id}::uuid and state = 'waiting' limit 1`.execute(
    tx,
  )
  return rows.length > 0
}

/** Tries the failed ones again, each at its version of now: their reasons have been seen. */
export async function retryBulk(scope: EngineScope, jobs: Jobs, id: string): Promise<Bulk> {
  const { state } = await bulkOf(scope, id)
  if (state === 'queued' || state === 'running' || state === 'paused') throw bulkRunning({ id })
  const bulk = await keptBulk(scope, id)
  const resource = bulk.resource === null ? undefined : scope.catalog.of(bulk.resource)
  const workspace = sql`${scope.ctx.workspace.id}::uuid`
  const version = resource
    ? sql`coalesce((select t.version from ${tableOf(resource, 't')} where t.workspace = ${workspace} and t.id = r.record), r.version)`
    : sql`r.version`
  await sql`
    update core.bulk_row r set state = 'waiting', problem = null, version = ${version}
    where r.workspace = ${workspace} and r.bulk = ${id}::uuid and r.state = 'failed'`.execute(scope.tx)
  return startBulk(scope, jobs, id)
}

/** Does the next rows of a bulk change in this unit of work. Answers how many have been done in all, and whether any is left. */
export async function doBulkChunk(
  scope: EngineScope,
  id: string,
  words: Words,
): Promise<{ ended: number; total: number; left: boolean }> {
  const bulk = await keptBulk(scope, id)
  const workspace = sql`${scope.ctx.workspace.id}::uuid`
  const { rows } = await sql<Row>`
    select nth, record, version, change from core.bulk_row
    where workspace = ${workspace} and bulk = ${id}::uuid and state = 'waiting' order by nth limit ${chunk}
    for update`.execute(scope.tx)
  const work = workOf(scope, bulk)
  const outcomes: Outcome[] = []
  for (let at = 0; at < rows.length; at += together) {
    const part = rows.slice(at, at + together)
    outcomes.push(...((await allOrNothing(scope, part, work)) ?? (await eachAlone(scope, part, work, words))))
  }
  if (outcomes.some(({ problem }) => problem))
    await sql`
      update core.bulk set told_under = ${withToldRights(sql.ref('told_under'), scope.ctx.authority)}
      where workspace = ${workspace} and id = ${id}::uuid`.execute(scope.tx)
  await sql`
    update core.bulk_row r set state = o.state, problem = o.problem
    from jsonb_to_recordset(${JSON.stringify(outcomes)}::jsonb) as o(nth integer, state text, problem jsonb)
    where r.workspace = ${workspace} and r.bulk = ${id}::uuid and r.nth = o.nth`.execute(scope.tx)
  const { rows: counts } = await sql<{ ended: number; total: number }>`
    select (count(*) filter (where state <> 'waiting'))::integer as ended, count(*)::integer as total
    from core.bulk_row where workspace = ${workspace} and bulk = ${id}::uuid`.execute(scope.tx)
  const { ended = 0, total = 0 } = counts[0] ?? {}
  return { ended, total, left: ended < total }
}

type Work = (row: Row) => Promise<Omit<Outcome, 'nth'>>

async function allOrNothing(scope: EngineScope, rows: readonly Row[], work: Work): Promise<Outcome[] | undefined> {
  try {
    return await scope.savepoint(async () => {
      const outcomes: Outcome[] = []
      for (const row of rows) outcomes.push({ nth: row.nth, ...(await work(row)) })
      return outcomes
    })
  } catch (error) {
    if (error instanceof SocleError && error.status < 500) return undefined
    throw error
  }
}

async function eachAlone(scope: EngineScope, rows: readonly Row[], work: Work, words: Words): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const row of rows) {
    try {
      outcomes.push({ nth: row.nth, ...(await scope.savepoint(() => work(row))) })
    } catch (error) {
      if (!(error instanceof SocleError) || error.status >= 500) throw error
      outcomes.push({ nth: row.nth, state: 'failed', problem: problemOfRow(scope, error, words) })
    }
  }
  return outcomes
}

/** Who starts a bulk change sends no versions, so a conflict's way out is another one: to try the row again. */
function problemOfRow({ ctx }: EngineScope, error: SocleError, words: Words): BulkProblem {
  const { conflicts } = error.extras as { conflicts?: readonly { readonly field: string }[] }
  if (error.code !== versionConflict.code || !conflicts?.length) return problemOf(error, ctx, words)
  const fields = conflicts.map(({ field }) => field)
  return { code: error.code, detail: ctx.t('core.bulk.conflict', { fields: fields.join(', ') }), fields }
}

function workOf(scope: EngineScope, bulk: Kept): Work {
  const { set = {}, acknowledge } = bulk.request
  const options = acknowledge ? { acknowledge } : {}
  if (bulk.action === 'undo' || bulk.resource === null) return (row) => takeBack(scope, row)
  const resource = scope.catalog.of(bulk.resource)
  demandBulk(scope, resource, bulk.action)
  switch (bulk.action) {
    case 'update':
      return async ({ record, version }) => {
        const after = await updateRecord(scope, resource, { id: record, version }, set, options)
        return { state: after.version === version ? 'skipped' : 'done' }
      }
    case 'delete':
      return async ({ record, version }) => {
        await deleteRecord(scope, resource, { id: record, version }, options)
        return { state: 'done' }
      }
    case 'restore':
      return async ({ record, version }) => {
        const after = await restoreRecord(scope, resource, record, options)
        return { state: after.version === version ? 'skipped' : 'done' }
      }
  }
}

async function takeBack(scope: EngineScope, { change }: Row): Promise<Omit<Outcome, 'nth'>> {
  const { isUndone, kept } = await undoChange(scope, String(change))
  const fields = kept.map(({ field }) => field)
  const problem: BulkProblem | undefined =
    fields.length > 0
      ? { code: 'CHANGED_SINCE', detail: scope.ctx.t('core.bulk.changedSince', { fields: fields.join(', ') }), fields }
      : undefined
  return { state: isUndone ? 'done' : 'skipped', ...(problem ? { problem } : {}) }
}

/** A row of a preview: what would change, or why it would not. */
export interface BulkSample {
  readonly record: string
  readonly title: string
  readonly changes: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
  readonly problem: BulkProblem | null
}

/** Does the first rows and takes them back: what the preview shows is what the run would do. */
export async function rehearseBulk(scope: EngineScope, id: string, words: Words): Promise<BulkSample[]> {
  const bulk = await keptBulk(scope, id)
  if (bulk.resource === null) return []
  const resource = scope.catalog.of(bulk.resource)
  const work = workOf(scope, bulk)
  const { rows } = await sql<Row>`
    select nth, record, version, change from core.bulk_row
    where workspace = ${scope.ctx.workspace.id}::uuid and bulk = ${id}::uuid order by nth limit ${sampleSize}`.execute(
    scope.tx,
  )
  const access = scope.access(resource, 'read')
  const look = (record: string): Promise<RecordJson | undefined> => findRow(scope, resource, record)
  const samples: BulkSample[] = []
  for (const row of rows) {
    const before = await look(row.record)
    const title = String(before?.[resource.title] ?? '')
    const sample = { record: row.record, title, changes: [] as BulkSample['changes'][number][], problem: null }
    try {
      await scope.savepoint(async () => {
        await work(row)
        const after = await look(row.record)
        for (const { name } of resource.all) {
          if (name === 'version' || name.startsWith('updated') || !access.readable(name)) continue
          if (!sameValue(before?.[name], after?.[name]))
            sample.changes.push({ field: name, old: before?.[name] ?? null, new: after?.[name] ?? null })
        }
        throw new TakenBack()
      })
    } catch (error) {
      if (error instanceof TakenBack) samples.push(sample)
      else if (error instanceof SocleError && error.status < 500)
        samples.push({ ...sample, problem: problemOfRow(scope, error, words) })
      else throw error
    }
  }
  return samples
}

class TakenBack extends Error {}

/** Chunk after chunk until none is left; a chunk commits with its progress, so that a second run goes on where it stopped. */
export async function runBulkJob(
  job: {
    readonly id: string
    readonly payload: { readonly bulk: string; readonly changeSet: string; readonly undoOf?: string }
  },
  tools: JobTools,
  part: (ctx: Context, bulk: string) => Promise<{ ended: number; total: number; left: boolean }>,
): Promise<void> {
  const { bulk, changeSet, undoOf } = job.payload
  for (let left = true; left;) {
    left = await tools.unit(
      async (ctx) => {
        const done = await part(ctx, bulk)
        await tools.progress(done.ended, done.total, ctx)
        return done.left
      },
      {
        origin: 'bulk',
        reason: '',
        request: bulk,
        spans: { changeSet, job: job.id },
        ...(undoOf === undefined ? {} : { undoOf }),
      },
    )
  }
}
