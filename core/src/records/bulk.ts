import { sql } from 'kysely'
import { SocleError } from '../errors.ts'
import { bulkTooLarge } from './errors.ts'
import type { Expression } from './expression/index.ts'
import { tableOf } from './past.ts'
import { conditionsOf, demandAction } from './read.ts'
import type { RecordJson, WriteOptions } from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { createRecord, createRecords, deleteRecord, updateRecord } from './write.ts'

export interface BulkRequest {
  readonly create?: readonly Readonly<Record<string, unknown>>[]
  readonly update?: readonly (Readonly<Record<string, unknown>> & { readonly id: string; readonly version: number })[]
  readonly delete?: readonly { readonly id: string; readonly version: number }[]
  /** Sets fields on every record a filter finds. */
  readonly filter?: string | Expression
  readonly set?: Readonly<Record<string, unknown>>
  /** All or nothing; otherwise each row stands alone. */
  readonly atomic?: boolean
  readonly acknowledge?: readonly string[]
}

export interface BulkRow {
  readonly index: number
  readonly action: 'create' | 'update' | 'delete'
  readonly status: 'done' | 'failed'
  readonly id?: string
  readonly version?: number
  readonly problem?: SocleError
}

export interface BulkAnswer {
  readonly data: readonly BulkRow[]
  readonly changeSet: string | undefined
}

export const bulkLimit = 200

interface Step {
  readonly action: BulkRow['action']
  readonly id?: string
  readonly run: () => Promise<RecordJson | void>
}

/**
 * Up to 200 rows in one change set, each through the write path. A row that fails is undone alone and says why, unless
 * the request is atomic: then the first failure undoes all.
 *
 * @throws `BULK_TOO_LARGE` (422)
 */
export async function bulkChange(scope: EngineScope, resource: Resource, request: BulkRequest): Promise<BulkAnswer> {
  const steps = await stepsOf(scope, resource, request)
  if (steps.length > bulkLimit) throw bulkTooLarge({ rows: steps.length, limit: bulkLimit })
  const rows: BulkRow[] = []
  if (request.atomic) {
    const made = await createRecords(scope, resource, request.create ?? [], optionsOf(request))
    for (const [index, step] of steps.entries()) rows.push(done(index, step, made[index] ?? (await step.run())))
  } else {
    for (const [index, step] of steps.entries()) rows.push(await alone(scope, index, step))
  }
  return { data: rows, changeSet: scope.ctx.changeSet }
}

function optionsOf({ acknowledge }: BulkRequest): WriteOptions {
  return acknowledge ? { acknowledge } : {}
}

async function stepsOf(scope: EngineScope, resource: Resource, request: BulkRequest): Promise<Step[]> {
  const options = optionsOf(request)
  const steps: Step[] = [
    ...(request.create ?? []).map((values): Step => ({
      action: 'create',
      run: () => createRecord(scope, resource, values, options),
    })),
    ...(request.update ?? []).map((values): Step => ({
      action: 'update',
      id: values.id,
      run: () => updateRecord(scope, resource, values, values, options),
    })),
    ...(request.delete ?? []).map((target): Step => ({
      action: 'delete',
      id: target.id,
      run: () => deleteRecord(scope, resource, target, options),
    })),
  ]
  const { filter, set } = request
  if (filter === undefined || set === undefined) return steps
  demandAction(scope, resource, 'update')
  const { rows } = await sql<{ id: string; version: number }>`
    select t.id, t.version from ${tableOf(resource, 't')}
    where ${sql.join(conditionsOf(scope, resource, { filter }), sql` and `)} order by t.id limit ${bulkLimit + 1}`.execute(
    scope.tx,
  )
  for (const target of rows)
    steps.push({ action: 'update', id: target.id, run: () => updateRecord(scope, resource, target, set, options) })
  return steps
}

function done(index: number, { action, id }: Step, record: RecordJson | void): BulkRow {
  return {
    index,
    action,
    status: 'done',
    ...(record ? { id: record.id, version: record.version } : id === undefined ? {} : { id }),
  }
}

async function alone(scope: EngineScope, index: number, step: Step): Promise<BulkRow> {
  try {
    return done(index, step, await scope.savepoint(step.run))
  } catch (error) {
    if (!(error instanceof SocleError)) throw error
    return {
      index,
      action: step.action,
      status: 'failed',
      ...(step.id === undefined ? {} : { id: step.id }),
      problem: error,
    }
  }
}
