import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { fieldNotReadable, permissionDenied } from '../permissions/errors.ts'
import type { Access, ResourceAction } from '../permissions/authority.ts'
import { decodeCursor, encodeCursor, queryKey } from './cursor.ts'
import { queryInvalid, recordNotFound } from './errors.ts'
import { fieldText } from './field-value.ts'
import { compileFilter } from './filter.ts'
import type { FieldModel } from './model.ts'
import { systemFields, type Resource } from './registry.ts'
import type { Included, ListQuery, Page, RecordJson } from './records.ts'
import type { EngineScope } from './scope.ts'
import { searchCondition } from './search.ts'
import { afterCursor, orderBy, phasesOf, sortKeys } from './sorting.ts'
import { isUuid } from './values.ts'

const alias = 't'
const defaultLimit = 50
const maxLimit = 200
/** Up to here a count is exact even when it is only asked for as an estimate. */
const countCap = 1_000

export function tableOf(resource: Resource, as: string): RawBuilder<unknown> {
  return sql`${sql.table(`${resource.schema}.${resource.table}`)} as ${sql.ref(as)}`
}

/** The permission every channel asks first. */
export function demandAction(scope: EngineScope, resource: Resource, action: ResourceAction): void {
  if (!scope.access(resource, action).allowed) throw permissionDenied({ permission: `${resource.id}.${action}` })
}

// An actor's rights are compiled once and kept, so what follows from them is too.
const readable = new WeakMap<Access, WeakMap<Resource, readonly FieldModel[]>>()

export function readableFields(scope: EngineScope, resource: Resource): readonly FieldModel[] {
  const access = scope.access(resource, 'read')
  const known = readable.get(access) ?? new WeakMap<Resource, readonly FieldModel[]>()
  readable.set(access, known)
  let fields = known.get(resource)
  if (!fields) known.set(resource, (fields = resource.all.filter(({ name }) => access.readable(name))))
  return fields
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
const columns = new WeakMap<readonly FieldModel[], Map<string, RawBuilder<unknown>>>()

/** Columns named as fields, so that a row is already the record the API answers. */
export function columnsOf(fields: readonly FieldModel[], as: string): RawBuilder<unknown> {
  const known = columns.get(fields) ?? new Map<string, RawBuilder<unknown>>()
  columns.set(fields, known)
  let list = known.get(as)
  // Written out once for each set of fields: as references, thirty columns are three hundred nodes to visit per statement.
  if (!list) {
    const text = fields.map((field) => `${fieldText(field, as)} as ${quoted(field.name)}`).join(', ')
    known.set(as, (list = sql.raw(text)))
  }
  return list
}

export function chosenFields(
  scope: EngineScope,
  resource: Resource,
  wanted: readonly string[] | undefined,
): readonly FieldModel[] {
  if (!wanted) return readableFields(scope, resource)
  const access = scope.access(resource, 'read')
  const names = new Set(['id', 'version', ...wanted])
  return [...names].map((name) => {
    const field = resource.fields.get(name)
    if (!field) throw queryInvalid({ parameter: 'fields', value: name, expected: `a field of ${resource.id}` })
    if (!access.readable(name)) throw fieldNotReadable({ resource: resource.id, field: name })
    return field
  })
}

/** Everything but order and page: workspace, bin, permission, filter, words. */
export function conditionsOf(
  scope: EngineScope,
  resource: Resource,
  query: Pick<ListQuery, 'filter' | 'q' | 'deleted'>,
  action: ResourceAction = 'read',
): RawBuilder<SqlBool>[] {
  const access = scope.access(resource, action)
  const conditions = [
    sql<SqlBool>`${sql.ref(`${alias}.workspace`)} = ${scope.ctx.workspace.id}::uuid`,
    query.deleted === 'only'
      ? sql<SqlBool>`${sql.ref(`${alias}.deleted_at`)} is not null`
      : sql<SqlBool>`${sql.ref(`${alias}.deleted_at`)} is null`,
  ]
  if (!access.everything) conditions.push(access.where(alias))
  if (query.filter !== undefined && query.filter !== '')
    conditions.push(compileFilter(scope, resource, query.filter, alias).condition)
  const words = query.q?.trim()
  if (words) conditions.push(searchCondition(scope, resource, words, alias))
  return conditions
}

/** What a cursor belongs to: the same rows in the same order. */
export function keyOfList(
  resource: Resource,
  { filter, q, sort, deleted }: Pick<ListQuery, 'filter' | 'q' | 'sort' | 'deleted'>,
): string {
  return queryKey([resource.id, filter ?? '', q ?? '', sort ?? '', deleted ?? ''])
}

/** One page of a list, by keyset; at most six statements whatever its size. */
export async function listRecords(scope: EngineScope, resource: Resource, query: ListQuery): Promise<Page> {
  demandAction(scope, resource, 'read')
  const limit = query.limit ?? defaultLimit
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw queryInvalid({
      parameter: 'limit',
      value: String(query.limit),
      expected: `a whole number from 1 to ${maxLimit}`,
    })
  }
  const fields = chosenFields(scope, resource, query.fields)
  const keys = sortKeys(scope, resource, query.sort, alias)
  const conditions = conditionsOf(scope, resource, query)
  const key = keyOfList(resource, query)
  const cursor = query.after === undefined ? undefined : decodeCursor(key, query.after)
  if (cursor && (!isUuid(cursor.id) || cursor.values.length !== keys.length)) decodeCursor('', query.after ?? '')

  const id = sql.ref(`${alias}.id`)
  // Sort values go back as text: as JavaScript numbers and dates they would lose digits.
  const sortColumns = keys.map((it, index) => sql`, (${it.expression})::text as ${sql.ref(`_${index}`)}`)
  const joins = keys.flatMap(({ join }) => (join ? [join] : []))
  const rows: Record<string, unknown>[] = []
  for (const phase of phasesOf(keys, cursor)) {
    const left = limit + 1 - rows.length
    if (left <= 0) break
    const { rows: found } = await sql<Record<string, unknown>>`
      select ${columnsOf(fields, alias)}${sql.join(sortColumns, sql``)}
      from ${tableOf(resource, alias)} ${sql.join(joins, sql` `)}
      where ${sql.join([...conditions, ...afterCursor(keys, phase, cursor, id)], sql` and `)}
      ${orderBy(keys, phase, id)}
      limit ${left}`.execute(scope.tx)
    rows.push(...found)
  }
  const more = rows.length > limit
  if (more) rows.length = limit
  const last = rows.at(-1)
  const next =
    more && last
      ? encodeCursor(key, {
          id: String(last['id']),
          values: keys.map((_, index) => last[`_${index}`] as string | null),
        })
      : null
  // Taken over field by field: deleting the sort values would turn every row into a slow dictionary.
  const data = rows.map((row) => {
    const record: Record<string, unknown> = {}
    for (const { name } of fields) record[name] = row[name]
    return record as RecordJson
  })
  const counting = query.count ?? (cursor ? 'none' : 'estimate')
  const counted =
    counting === 'none'
      ? { count: null, exact: false }
      : await countRows(scope, resource, conditions, counting, more ? undefined : cursor ? undefined : data.length)
  return {
    data,
    page: { next, ...counted },
    included: await includeTargets(scope, resource, data, query.include ?? []),
  }
}

async function countRows(
  scope: EngineScope,
  resource: Resource,
  conditions: readonly RawBuilder<SqlBool>[],
  how: 'estimate' | 'exact',
  known: number | undefined,
): Promise<{ count: number; exact: boolean }> {
  if (known !== undefined) return { count: known, exact: true }
  const where = sql.join(conditions, sql` and `)
  if (how === 'exact') {
    const { rows } = await sql<{
      n: number
    }>`select count(*) as n from ${tableOf(resource, alias)} where ${where}`.execute(scope.tx)
    return { count: rows[0]?.n ?? 0, exact: true }
  }
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from (select 1 from ${tableOf(resource, alias)} where ${where} limit ${countCap + 1}) capped`.execute(
    scope.tx,
  )
  const capped = rows[0]?.n ?? 0
  if (capped <= countCap) return { count: capped, exact: true }
  const plan = await sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) select 1 from ${tableOf(resource, alias)} where ${where}`.execute(scope.tx)
  return { count: Math.max(capped, plan.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0), exact: false }
}

/** Names and list fields of what the rows point at, as far as the actor may see it; one statement per target resource. */
export async function includeTargets(
  scope: EngineScope,
  resource: Resource,
  rows: readonly RecordJson[],
  include: readonly string[],
): Promise<Included> {
  const wanted = new Map<string, Set<string>>()
  for (const name of include) {
    const field = resource.fields.get(name)
    if (!field?.target)
      throw queryInvalid({ parameter: 'include', value: name, expected: `a reference of ${resource.id}` })
    const ids = wanted.get(field.target) ?? new Set<string>()
    for (const row of rows) if (typeof row[name] === 'string') ids.add(row[name])
    wanted.set(field.target, ids)
  }
  const included: Record<string, Record<string, RecordJson>> = {}
  for (const [target, ids] of wanted) included[target] = await recordsByIds(scope, target, [...ids])
  return included
}

/** Records of one resource by id: their title and list fields; what the actor may not see is absent. */
export async function recordsByIds(
  scope: EngineScope,
  resourceId: string,
  ids: readonly string[],
): Promise<Record<string, RecordJson>> {
  const target = scope.catalog.get(resourceId)
  if (ids.length === 0 || !target || !scope.exists(target)) return {}
  const access = scope.access(target, 'read')
  if (!access.allowed) return {}
  const names = new Set(['id', 'version', target.title, ...target.options.list])
  const fields = target.all.filter(
    ({ name, type }) => names.has(name) && type !== 'long' && type !== 'json' && access.readable(name),
  )
  const { rows } = await sql<RecordJson>`
    select ${columnsOf(fields, alias)} from ${tableOf(target, alias)}
    where ${sql.ref(`${alias}.workspace`)} = ${scope.ctx.workspace.id}::uuid
      and ${sql.ref(`${alias}.id`)} = any(${ids}::uuid[]) and ${access.where(alias)}`.execute(scope.tx)
  const found: Record<string, RecordJson> = {}
  for (const row of rows) found[row.id] = { ...row, title: row[target.title] ?? null }
  return found
}

export async function getRecord(
  scope: EngineScope,
  resource: Resource,
  id: string,
  options: { include?: readonly string[]; fields?: readonly string[] } = {},
): Promise<{ data: RecordJson; included: Included }> {
  demandAction(scope, resource, 'read')
  const row = await findRow(scope, resource, id, chosenFields(scope, resource, options.fields))
  if (!row) throw recordNotFound({ resource: resource.entity, id })
  return { data: row, included: await includeTargets(scope, resource, [row], options.include ?? []) }
}

/** The record as the actor may see it, deleted or not; undefined when it is absent or out of reach, which look alike. */
export async function findRow(
  scope: EngineScope,
  resource: Resource,
  id: string,
  fields: readonly FieldModel[] = readableFields(scope, resource),
): Promise<RecordJson | undefined> {
  if (!isUuid(id)) return undefined
  const access = scope.access(resource, 'read')
  const { rows } = await sql<RecordJson>`
    select ${columnsOf(fields, alias)} from ${tableOf(resource, alias)}
    where ${sql.ref(`${alias}.workspace`)} = ${scope.ctx.workspace.id}::uuid and ${sql.ref(`${alias}.id`)} = ${id}::uuid
      and ${access.where(alias)}`.execute(scope.tx)
  return rows[0]
}

/** Strips what the actor may not read from a record the engine loaded whole. */
export function asReadable(scope: EngineScope, resource: Resource, record: RecordJson): RecordJson {
  const access = scope.access(resource, 'read')
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => systemFields.has(name) || access.readable(name)),
  ) as RecordJson
}
