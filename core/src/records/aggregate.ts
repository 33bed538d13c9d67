import { sql, type RawBuilder } from 'kysely'
import { DateTime } from 'luxon'
import { fieldNotReadable } from '../permissions/errors.ts'
import { queryInvalid } from './errors.ts'
import { fieldTypes } from './field-types.ts'
import { fieldValue, wide } from './field-value.ts'
import { printExpression, readExpression, type Expression } from './expression/index.ts'
import type { FieldModel } from './model.ts'
import { sourceOf } from './past.ts'
import { conditionsOf, demandAction, recordsByIds } from './read.ts'
import type { AggregateAnswer, AggregateQuery, AggregateRow, RecordJson } from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

const alias = wide('t')
const maxGroups = 3
const maxMeasures = 8
/** More rows than a person reads are a list, not a figure. */
const maxRows = 1_000

const buckets = ['day', 'week', 'month', 'quarter', 'year'] as const
type Bucket = (typeof buckets)[number]

interface Group {
  readonly name: string
  readonly field: FieldModel
  readonly bucket: Bucket | undefined
  readonly expression: RawBuilder<unknown>
}

const textual = new Set(['text', 'email', 'phone', 'url', 'select'])
const sums = ({ type }: FieldModel) => fieldTypes[type].sums === true
const isOrdered = (field: FieldModel) => sums(field) || field.type === 'date' || field.type === 'instant'

/**
 * Figures over a resource, each row with the filter that opens the records behind it, for every actor its own.
 *
 * Sums and averages are decimal strings. A group of empty values has the key null.
 *
 * @throws `FIELD_NOT_READABLE` (403), since a sum or a group would tell the value; `QUERY_INVALID` (400)
 */
export async function aggregateRecords(
  scope: EngineScope,
  resource: Resource,
  query: AggregateQuery,
): Promise<AggregateAnswer> {
  demandAction(scope, resource, 'read')
  const groups = (query.groupBy ?? []).map((text) => groupOf(scope, resource, text))
  if (groups.length > maxGroups)
    throw queryInvalid({ parameter: 'groupBy', value: String(groups.length), expected: `at most ${maxGroups} fields` })
  if (query.measures.length === 0 || query.measures.length > maxMeasures) {
    throw queryInvalid({
      parameter: 'measures',
      value: String(query.measures.length),
      expected: `1 to ${maxMeasures} measures`,
    })
  }
  const measures = query.measures.map((text) => ({ text, expression: measureOf(scope, resource, text) }))
  const conditions = conditionsOf(scope, resource, query, alias)
  const keys = groups.map(({ expression }, index) => sql`${expression} as ${sql.ref(`g${index}`)}`)
  const figures = measures.map(({ expression }, index) => sql`${expression} as ${sql.ref(`m${index}`)}`)
  const positions = groups.map((_, index) => sql.lit(index + 1))
  const { rows } = await sql<Record<string, unknown>>`
    select ${sql.join([...keys, ...figures])} from ${sourceOf(scope, resource, alias)}
    where ${sql.join(conditions, sql` and `)}
    ${groups.length > 0 ? sql`group by ${sql.join(positions)} order by ${sql.join(positions)}` : sql``}
    limit ${maxRows + 1}`.execute(scope.tx)
  const base = query.filter === undefined || query.filter === '' ? undefined : readExpression(query.filter)
  // Searched are the words of today, of then only titles: what words found now is not found again as of its instant.
  const instant = scope.asOf ?? (query.q?.trim() ? undefined : scope.ctx.clock.now().toISOString())
  const data = rows.slice(0, maxRows).map((row) => {
    const key: Record<string, string | null> = {}
    for (const [index, group] of groups.entries())
      key[group.name] = row[`g${index}`] === null ? null : String(row[`g${index}`])
    const answer: Record<string, unknown> = {
      key,
      filter: opening(scope, base, groups, key),
      ...(instant === undefined ? {} : { instant }),
      ...(query.q ? { q: query.q } : {}),
    }
    for (const [index, { text }] of measures.entries()) answer[text] = row[`m${index}`] ?? null
    return answer as unknown as AggregateRow
  })
  return { data, more: rows.length > maxRows, included: await includeKeys(scope, groups, data) }
}

export function readableField(scope: EngineScope, resource: Resource, name: string, parameter: string): FieldModel {
  const field = resource.fields.get(name)
  if (!field) throw queryInvalid({ parameter, value: name, expected: `a field of ${resource.id}` })
  if (!scope.access(resource, 'read').readable(name)) throw fieldNotReadable({ resource: resource.id, field: name })
  return field
}

function groupOf(scope: EngineScope, resource: Resource, text: string): Group {
  const [name = '', bucketName] = text.split(':')
  const field = readableField(scope, resource, name, 'groupBy')
  const column = fieldValue(field, alias)
  if (bucketName === undefined) {
    if (!fieldTypes[field.type].groups)
      throw queryInvalid({ parameter: 'groupBy', value: name, expected: 'a field with comparable values' })
    return { name: text, field, bucket: undefined, expression: comparable(field, column) }
  }
  const bucket = buckets.find((it) => it === bucketName)
  if (!bucket || (field.type !== 'date' && field.type !== 'instant')) {
    throw queryInvalid({
      parameter: 'groupBy',
      value: text,
      expected: `a date or instant with one of ${buckets.join(', ')}`,
    })
  }
  const local =
    field.type === 'date' ? sql`${column}::timestamp` : sql`${column} at time zone ${scope.ctx.workspace.zone}`
  return { name: text, field, bucket, expression: sql`to_char(date_trunc(${sql.lit(bucket)}, ${local}), 'YYYY-MM-DD')` }
}

/** A group's value as its filter finds it again: blank text is no value, and an instant is told to the millisecond. */
function comparable(field: FieldModel, column: RawBuilder<unknown>): RawBuilder<unknown> {
  if (field.type === 'instant') return sql`date_trunc('milliseconds', ${column})`
  return textual.has(field.type) && !field.isId ? sql`nullif(${column}, '')` : column
}

export function measureOf(scope: EngineScope, resource: Resource, text: string): RawBuilder<unknown> {
  if (text === 'count') return sql`count(*)`
  const [verb = '', name = ''] = text.split(':')
  const field = readableField(scope, resource, name, 'measures')
  const column = fieldValue(field, alias)
  const fits = verb === 'min' || verb === 'max' ? isOrdered(field) : sums(field)
  if (!fits)
    throw queryInvalid({ parameter: 'measures', value: text, expected: 'count, or sum, avg, min or max of a number' })
  switch (verb) {
    case 'sum':
      return sql`coalesce(sum(${column}), 0)::text`
    case 'avg':
      return sql`round(avg(${column}), 6)::text`
    case 'min':
      return sql`min(${column})`
    case 'max':
      return sql`max(${column})`
    default:
      throw queryInvalid({ parameter: 'measures', value: text, expected: 'count, or sum, avg, min or max of a number' })
  }
}

/** Text of the filter whose rows this row is the figure of. */
function opening(
  scope: EngineScope,
  base: Expression | undefined,
  groups: readonly Group[],
  key: Readonly<Record<string, string | null>>,
): string {
  const parts: Expression[] = base ? [base] : []
  for (const { name, field, bucket } of groups) {
    const value = key[name] ?? null
    if (value === null) parts.push({ op: 'empty', path: field.name })
    else if (bucket) parts.push(...bucketBounds(scope, field, bucket, value))
    else if (field.type === 'instant') parts.push(...millisecond(field, value))
    else parts.push({ op: '=', path: field.name, value: constantOf(field, value) })
  }
  const [only] = parts
  if (!only) return ''
  return printExpression(parts.length === 1 ? only : { op: 'and', of: parts })
}

function constantOf(field: FieldModel, value: string): string | boolean | { readonly number: string } {
  if (field.type === 'boolean') return value === 'true'
  if (sums(field)) return { number: value }
  return value
}

function millisecond({ name: path }: FieldModel, value: string): Expression[] {
  const next = new Date(Date.parse(value) + 1).toISOString()
  return [
    { op: '>=', path, value },
    { op: '<', path, value: next },
  ]
}

function bucketBounds(scope: EngineScope, field: FieldModel, bucket: Bucket, day: string): Expression[] {
  const start = DateTime.fromISO(day, { zone: scope.ctx.workspace.zone })
  const end = start.plus(bucket === 'quarter' ? { quarters: 1 } : { [`${bucket}s`]: 1 })
  const written = (at: DateTime) =>
    (field.type === 'date' ? at.toISODate() : at.toUTC().toISO({ suppressMilliseconds: true })) ?? day
  return [
    { op: '>=', path: field.name, value: written(start) },
    { op: '<', path: field.name, value: written(end) },
  ]
}

async function includeKeys(
  scope: EngineScope,
  groups: readonly Group[],
  rows: readonly AggregateRow[],
): Promise<AggregateAnswer['included']> {
  const included: Record<string, Record<string, RecordJson>> = {}
  for (const { name, field } of groups) {
    if (field.target === undefined) continue
    const ids = rows.flatMap(({ key }) => (typeof key[name] === 'string' ? [key[name]] : []))
    included[field.target] = {
      ...included[field.target],
      ...(await recordsByIds(scope, field.target, [...new Set(ids)])),
    }
  }
  return included
}
