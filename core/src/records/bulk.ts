import { sql, type RawBuilder } from 'kysely'
import { SocleError } from '../errors.ts'
import { bulkTooLarge } from './errors.ts'
import type { Expression } from './expression/index.ts'
import { tableOf } from './past.ts'
import { conditionsOf, demandAction } from './read.ts'
import type { RecordJson, WriteOptions } from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { createEach, createRecords, deleteRecord, updateRecord } from './write.ts'

export interface BulkRequest {
  readonly create?: readonly Readonly<Record<string, unknown>>[]
  readonly update?: readonly (Readonly<Record<string, unknown>> & { readonly id: string; readonly version: number })[]
  readonly delete?: readonly { readonly id: string; readonly version: number }[]
  /** Sets fields on every record that all of `filter`, `q` and `ids` find. */
  readonly filter?: string | Expression
  readonly q?: string
  readonly ids?: readonly string[]
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

/** Which records one change is for: those that all that is given finds. */
export interface BulkSelection {
  readonly ids?: readonly string[] | undefined
  readonly filter?: string | Expression | undefined
  readonly q?: string | undefined
}

/** The records of a selection: FROM and WHERE over the alias `t`. What is counted, ordered and changed is one and the same. */
export function selectedBy(
  scope: EngineScope,
  resource: Resource,
  { filter, q, ids }: BulkSelection,
  bin?: 'bin',
): RawBuilder<unknown> {
  const query = {
    ...(filter === undefined ? {} : { filter }),
    ...(q === undefined ? {} : { q }),
    ...(bin ? { deleted: 'only' as const } : {}),
  }
  const conditions = conditionsOf(scope, resource, query, 't')
  if (ids) conditions.push(sql`t.id = any(${ids}::uuid[])`)
  return sql`from ${tableOf(resource, 't')} where ${sql.join(conditions, sql` and `)}`
}

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
  const { create = [], atomic } = request
  const steps = await stepsOf(scope, resource, request)
  const asked = create.length + steps.length
  if (asked > bulkLimit) throw bulkTooLarge({ rows: asked, limit: bulkLimit })
  const options = optionsOf(request)
  const made = atomic
    ? (await createRecords(scope, resource, create, options)).map((record) => ({ record }))
    : await createEach(scope, resource, create, options)
  const rows = made.map((outcome, index) => rowOf(index, { action: 'create' }, outcome))
  for (const step of steps) {
    const outcome = atomic ? { record: await step.run() } : await alone(scope, step)
    rows.push(rowOf(rows.length, step, outcome))
  }
  return { data: rows, changeSet: scope.ctx.changeSet }
}

function optionsOf({ acknowledge }: BulkRequest): WriteOptions {
  return acknowledge ? { acknowledge } : {}
}

async function stepsOf(scope: EngineScope, resource: Resource, request: BulkRequest): Promise<Step[]> {
  const options = optionsOf(request)
  const steps: Step[] = [
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
  const { set } = request
  // Without a selection it would be everything: nobody meant that.
  const isOfAll = request.filter === undefined && request.q === undefined && request.ids === undefined
  if (set === undefined || isOfAll) return steps
  demandAction(scope, resource, 'update')
  const { rows } = await sql<{ id: string; version: number }>`
    select t.id, t.version ${selectedBy(scope, resource, request)} order by t.id limit ${bulkLimit + 1}`.execute(
    scope.tx,
  )
  for (const target of rows)
    steps.push({ action: 'update', id: target.id, run: () => updateRecord(scope, resource, target, set, options) })
  return steps
}

type StepOutcome = { readonly record: RecordJson | void } | { readonly error: unknown }

async function alone(scope: EngineScope, step: Step): Promise<StepOutcome> {
  try {
    return { record: await scope.savepoint(step.run) }
  } catch (error) {
    return { error }
  }
}

/** A fault that is no row's ends the whole. */
function rowOf(index: number, { action, id }: Pick<Step, 'action' | 'id'>, outcome: StepOutcome): BulkRow {
  const row = { index, action, ...(id === undefined ? {} : { id }) }
  if ('error' in outcome) {
    if (!(outcome.error instanceof SocleError)) throw outcome.error
    return { ...row, status: 'failed', problem: outcome.error }
  }
  const { record } = outcome
  return { ...row, status: 'done', ...(record ? { id: record.id, version: record.version } : {}) }
}
