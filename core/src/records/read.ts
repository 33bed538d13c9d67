import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { fieldNotReadable, permissionDenied } from '../permissions/errors.ts'
import type { Access, ResourceAction } from '../permissions/authority.ts'
import { decodeCursor, encodeCursor, queryKey } from './cursor.ts'
import { queryInvalid, recordNotFound } from './errors.ts'
import { columnList, fieldValue, jsonColumnList, maskedValue, wide, workspaceIs } from './field-value.ts'
import { isWrittenOut } from './expression/index.ts'
import { compileFilter } from './filter.ts'
import type { FieldModel } from './model.ts'
import { oneByOne } from './one-by-one.ts'
import type { Resource } from './registry.ts'
import { pastWords, sourceOf, withinReach } from './past.ts'
import type { Included, ListQuery, Page, RecordJson } from './records.ts'
import type { EngineScope } from './scope.ts'
import { searchCondition } from './search.ts'
import { afterCursor, orderBy, phasesOf, sortKeys } from './sorting.ts'
import { isUuid } from './values.ts'

export { tableOf } from './past.ts'

const alias = wide('t')
const defaultLimit = 50
const maxLimit = 200
/** Up to here a count is exact even when it is only asked for as an estimate. */
const countCap = 1_000

/** The permission every channel asks first. */
export function demandAction(scope: EngineScope, resource: Resource, action: ResourceAction): void {
  if (!scope.access(resource, action).allowed) throw permissionDenied({ permission: `${resource.id}.${action}` })
}

type Shown = Readonly<Record<'code' | 'screens', WeakMap<Resource, readonly FieldModel[]>>>

// An actor's rights are compiled once and kept, so what follows from them is too.
const shown = new WeakMap<Access, Shown>()

/**
 * Fields of a record as the actor reads it: those that are readable, and for screens the masked ones too, as their masks.
 * Code that acts for somebody does without: it could take a mask for a value and write it elsewhere.
 */
export function shownFields(scope: EngineScope, resource: Resource): readonly FieldModel[] {
  const access = scope.access(resource, 'read')
  let kept = shown.get(access)
  if (!kept) shown.set(access, (kept = { code: new WeakMap(), screens: new WeakMap() }))
  const known = kept[scope.forScreens ? 'screens' : 'code']
  let fields = known.get(resource)
  if (!fields) known.set(resource, (fields = resource.all.flatMap((field) => shownField(scope, access, field) ?? [])))
  return fields
}

function shownField(scope: EngineScope, access: Access, field: FieldModel): FieldModel | undefined {
  if (access.readable(field.name)) return field
  return scope.forScreens && access.masked(field.name) ? { ...field, masked: true } : undefined
}

type List = (fields: readonly FieldModel[], alias: string) => RawBuilder<unknown>

/** A list of fields in SQL, made once for each set of fields. */
function madeOnce(make: List): List {
  const made = new WeakMap<readonly FieldModel[], Map<string, RawBuilder<unknown>>>()
  return (fields, as) => {
    const known = made.get(fields) ?? new Map<string, RawBuilder<unknown>>()
    made.set(fields, known)
    let list = known.get(as)
    if (!list) known.set(as, (list = make(fields, as)))
    return list
  }
}

/** Columns named as fields, so that a row is already the record the API answers. */
export const columnsOf = madeOnce(columnList)

/** The same for a row that PostgreSQL prints as JSON. */
export const jsonColumnsOf = madeOnce(jsonColumnList)

/** A row as the text of the record the API answers, in the column `_json`; `from` belongs into the statement's FROM. No line break stands in it. */
function asJson(fields: readonly FieldModel[], as: string): { column: RawBuilder<unknown>; from: RawBuilder<unknown> } {
  return {
    column: sql`row_to_json(_r)::text as "_json"`,
    from: sql`cross join lateral (select ${jsonColumnsOf(fields, as)}) _r`,
  }
}

export function chosenFields(
  scope: EngineScope,
  resource: Resource,
  wanted: readonly string[] | undefined,
): readonly FieldModel[] {
  if (!wanted) return shownFields(scope, resource)
  const access = scope.access(resource, 'read')
  const names = new Set(['id', 'version', ...wanted])
  return [...names].map((name) => {
    const field = resource.fields.get(name)
    if (!field) throw queryInvalid({ parameter: 'fields', value: name, expected: `a field of ${resource.id}` })
    const as = shownField(scope, access, field)
    if (!as) throw fieldNotReadable({ resource: resource.id, field: name })
    return as
  })
}

/** Everything but order and page: workspace, bin, permission, filter, words. */
export function conditionsOf(
  scope: EngineScope,
  resource: Resource,
  query: Pick<ListQuery, 'filter' | 'q' | 'deleted'>,
  alias: string,
): RawBuilder<SqlBool>[] {
  return selectionOf(scope, resource, query, alias).conditions
}

interface Selection {
  readonly conditions: RawBuilder<SqlBool>[]
  /** One plan is right for whatever their parameters say; see `isWrittenOut`. */
  readonly hasOnePlan: boolean
}

/** Of statements with one plan it is kept: one made for any number of rows expects many, and PostgreSQL keeps none such. */
function atMost(rows: number, { hasOnePlan }: Selection): RawBuilder<unknown> {
  return sql`limit ${hasOnePlan ? sql.lit(rows) : rows}`
}

function selectionOf(
  scope: EngineScope,
  resource: Resource,
  query: Pick<ListQuery, 'filter' | 'q' | 'deleted'>,
  alias: string,
): Selection {
  const access = scope.access(resource, 'read')
  const conditions = [
    workspaceIs(scope.ctx.workspace.id, resource.all, alias),
    query.deleted === 'only'
      ? sql<SqlBool>`${sql.ref(`${alias}.deleted_at`)} is not null`
      : sql<SqlBool>`${sql.ref(`${alias}.deleted_at`)} is null`,
  ]
  if (!access.everything) conditions.push(withinReach(scope, access, alias))
  const filter =
    query.filter === undefined || query.filter === '' ? undefined : compileFilter(scope, resource, query.filter, alias)
  if (filter) conditions.push(filter.condition)
  const words = query.q?.trim()
  if (words) {
    conditions.push(
      scope.asOf === undefined
        ? searchCondition(scope, resource, words, alias)
        : pastWords(scope, resource, words, alias),
    )
  }
  const isFixed = access.everything && !words && scope.asOf === undefined
  return { conditions, hasOnePlan: isFixed && (!filter || isWrittenOut(filter.checked.plan)) }
}

/** What a cursor belongs to: the same rows in the same order. */
export function keyOfList(
  scope: EngineScope,
  resource: Resource,
  { filter, q, sort, deleted }: Pick<ListQuery, 'filter' | 'q' | 'sort' | 'deleted'>,
): string {
  return queryKey([resource.id, filter ?? '', q ?? '', sort ?? '', deleted ?? '', scope.asOf ?? ''])
}

/** One page of a list, by keyset; at most four statements whatever its size. */
export async function listRecords(scope: EngineScope, resource: Resource, query: ListQuery): Promise<Page> {
  const fields = chosenFields(scope, resource, query.fields)
  const all: Record<string, unknown>[] = []
  const page = await readPage(scope, resource, query, {
    columns: columnsOf(fields, alias),
    from: sql``,
    async take(rowsOf, room) {
      const { rows } = await sql<PlacedRow>`${rowsOf}`.execute(scope.tx)
      all.push(...rows.slice(0, room))
      return { count: rows.length, last: rows[Math.min(rows.length, room) - 1] }
    },
  })
  const data = all.map((row) => recordOf(fields, row))
  return { data, page, included: await includeTargets(scope, resource, data, query.include ?? []) }
}

/** A row without its sort values. Taken over field by field: deleting them would make every row a slow dictionary. */
export function recordOf(fields: readonly FieldModel[], row: Readonly<Record<string, unknown>>): RecordJson {
  const record: Record<string, unknown> = {}
  for (const { name } of fields) record[name] = row[name]
  return record as RecordJson
}

// Valid between two records of a JSON list, and nowhere within one.
const between = ',\n'

/**
 * `listRecords` as the text of its answer. PostgreSQL prints the records and joins them: making objects of them only to print
 * those costs as much again as reading them, and a message for each row half of that.
 */
export async function listJson(scope: EngineScope, resource: Resource, query: ListQuery): Promise<string> {
  const { column, from } = asJson(chosenFields(scope, resource, query.fields), alias)
  const include = query.include ?? []
  const references = referencesOf(scope, resource, include)
  const texts: string[] = []
  const pointing: RecordJson[] = []
  const page = await readPage(scope, resource, query, {
    columns: sql`${column}${referenceColumns(references)}`,
    from,
    async take(rowsOf, room, placed) {
      const at = sql`[least(count(*)::integer, ${room}::integer)]`
      const places = placed.map((name) => sql`, (array_agg(${sql.ref(name)}))${at} as ${sql.ref(name)}`)
      const targets = references.map(
        ({ name }) => sql`, (array_agg(${sql.ref(name)}))[1:${room}::integer] as ${sql.ref(`of ${name}`)}`,
      )
      const { rows } = await sql<PlacedRow & { count: number; data: string | null }>`
        select count(*) as count, string_agg(_json, ${between}) as data${sql.join([...places, ...targets], sql``)}
        from (${rowsOf}) as row`.execute(scope.tx)
      const [found] = rows
      if (!found || found.data === null || room === 0) return { count: found?.count ?? 0, last: undefined }
      texts.push(found.count > room ? found.data.slice(0, found.data.lastIndexOf(between)) : found.data)
      for (const { name } of references)
        for (const id of (found[`of ${name}`] as string[] | null) ?? []) pointing.push({ [name]: id } as RecordJson)
      return { count: found.count, last: found }
    },
  })
  const included = await includeTargets(scope, resource, pointing, include)
  return `{"data":[${texts.join(between)}],"page":${JSON.stringify(page)},"included":${JSON.stringify(included)}}`
}

/** A row with its `id` and the values it stands by, `_0` and on, as text. */
type PlacedRow = Record<string, unknown>

interface PageReader {
  readonly columns: RawBuilder<unknown>
  readonly from: RawBuilder<unknown>
  /**
   * Reads what the statement finds, of which the first `room` rows belong to the page and one more may follow.
   *
   * @param placed - names of the columns that say where a row stands
   * @returns the number of rows found, and the last of those that belong to the page
   */
  take(
    rowsOf: RawBuilder<unknown>,
    room: number,
    placed: readonly string[],
  ): Promise<{ readonly count: number; readonly last: PlacedRow | undefined }>
}

/** Reads the rows of a page, in one statement or two; answers where the next one starts. */
async function readPage(
  scope: EngineScope,
  resource: Resource,
  query: ListQuery,
  reader: PageReader,
): Promise<Page['page']> {
  demandAction(scope, resource, 'read')
  const limit = query.limit ?? defaultLimit
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw queryInvalid({
      parameter: 'limit',
      value: String(query.limit),
      expected: `a whole number from 1 to ${maxLimit}`,
    })
  }
  const keys = sortKeys(scope, resource, query.sort, alias)
  const selection = selectionOf(scope, resource, query, alias)
  const { conditions } = selection
  const key = keyOfList(scope, resource, query)
  const cursor = query.after === undefined ? undefined : decodeCursor(key, query.after)
  if (cursor && (!isUuid(cursor.id) || cursor.values.length !== keys.length)) decodeCursor('', query.after ?? '')

  const id = sql.ref(`${alias}.id`)
  const placed = ['_id', ...keys.map((_, index) => `_${index}`)]
  // Sort values go back as text: as JavaScript numbers and dates they would lose digits.
  const sortColumns = keys.map((it, index) => sql`, (${it.expression})::text as ${sql.ref(`_${index}`)}`)
  const joins = keys.flatMap(({ join }) => (join ? [join] : []))
  let count = 0
  let last: PlacedRow | undefined
  for (const phase of phasesOf(keys, cursor)) {
    const left = limit + 1 - count
    if (left <= 0) break
    const statement = sql`
      select ${reader.columns}, ${id} as _id${sql.join(sortColumns, sql``)}
      from ${sourceOf(scope, resource, alias)} ${sql.join(joins, sql` `)} ${reader.from}
      where ${sql.join([...conditions, ...afterCursor(keys, phase, cursor, id)], sql` and `)}
      ${orderBy(keys, phase, id)}
      ${count === 0 ? atMost(left, selection) : sql`limit ${left}`}`
    const found = await reader.take(statement, left - 1, placed)
    count += found.count
    last = found.last ?? last
  }
  const more = count > limit
  const next =
    more && last
      ? encodeCursor(key, {
          id: String(last['_id']),
          values: keys.map((_, index) => last[`_${index}`] as string | null),
        })
      : null
  const counting = query.count ?? (cursor ? 'none' : 'estimate')
  const counted =
    counting === 'none'
      ? { count: null, exact: false }
      : await countRows(scope, resource, selection, counting, more ? undefined : cursor ? undefined : count)
  return { next, ...counted }
}

async function countRows(
  scope: EngineScope,
  resource: Resource,
  selection: Selection,
  how: 'estimate' | 'exact',
  known: number | undefined,
): Promise<{ count: number; exact: boolean }> {
  if (known !== undefined) return { count: known, exact: true }
  const where = sql.join(selection.conditions, sql` and `)
  if (how === 'exact') {
    const { rows } = await sql<{
      n: number
    }>`select count(*) as n from ${sourceOf(scope, resource, alias)} where ${where}`.execute(scope.tx)
    return { count: rows[0]?.n ?? 0, exact: true }
  }
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from (select 1 from ${sourceOf(scope, resource, alias)} where ${where} ${atMost(countCap + 1, selection)}) capped`.execute(
    scope.tx,
  )
  const capped = rows[0]?.n ?? 0
  if (capped <= countCap) return { count: capped, exact: true }
  // The planner guesses from all rows there are: of a condition of the actor's own it would tell what others' hold.
  if (!scope.access(resource, 'read').everything) return { count: countCap, exact: false }
  const plan = await sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) select 1 from ${sourceOf(scope, resource, alias)} where ${where}`.execute(scope.tx)
  return { count: Math.max(capped, plan.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0), exact: false }
}

function referencesOf(
  scope: EngineScope,
  resource: Resource,
  include: readonly string[],
): (FieldModel & { readonly target: string })[] {
  return [...new Set(include)].map((name) => {
    const field = resource.fields.get(name)
    if (field?.target === undefined)
      throw queryInvalid({ parameter: 'include', value: name, expected: `a reference of ${resource.id}` })
    if (!scope.access(resource, 'read').readable(name)) throw fieldNotReadable({ resource: resource.id, field: name })
    return { ...field, target: field.target }
  })
}

function referenceColumns(references: readonly FieldModel[]): RawBuilder<unknown> {
  return sql.join(
    references.map((field) => sql`, ${fieldValue(field, alias)} as ${sql.ref(field.name)}`),
    sql``,
  )
}

/** Names and list fields of what the rows point at, as far as the actor may see it, in one statement. */
export async function includeTargets(
  scope: EngineScope,
  resource: Resource,
  rows: readonly RecordJson[],
  include: readonly string[],
): Promise<Included> {
  const wanted = new Map<string, Set<string>>()
  for (const { name, target } of referencesOf(scope, resource, include)) {
    const ids = wanted.get(target) ?? new Set<string>()
    for (const row of rows) if (typeof row[name] === 'string') ids.add(row[name])
    wanted.set(target, ids)
  }
  return shortRecords(scope, wanted)
}

/** Records of one resource by id, as screens name them: their title and list fields; what the actor may not see is absent. */
export async function recordsByIds(
  scope: EngineScope,
  resourceId: string,
  ids: readonly string[],
): Promise<Record<string, RecordJson>> {
  const { [resourceId]: found = {} } = await shortRecords(scope, new Map([[resourceId, new Set(ids)]]))
  return found
}

async function shortRecords(
  scope: EngineScope,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Record<string, Record<string, RecordJson>>> {
  const found: Record<string, Record<string, RecordJson>> = {}
  const parts: RawBuilder<unknown>[] = []
  for (const [id, ids] of wanted) {
    found[id] = {}
    const rows = ids.size === 0 ? undefined : shortRow(scope, id, sql`given.key`, wide('o'))
    if (rows) parts.push(sql`select ${id} as target, t."_json" as json from ${oneByOne([...ids], 'uuid', rows)}`)
  }
  if (parts.length === 0) return found
  const { rows } = await sql<{ target: string; json: string }>`${sql.join(parts, sql` union all `)}`.execute(scope.tx)
  for (const { target, json } of rows) {
    const record = shortRecord(scope, target, json)
    found[target]![record.id] = record
  }
  return found
}

/** A statement for the record with an id, as screens name it, in the column `_json`; undefined where the actor can see none. */
function shortRow(
  scope: EngineScope,
  resourceId: string,
  id: RawBuilder<unknown>,
  as: string,
): RawBuilder<unknown> | undefined {
  const target = scope.catalog.get(resourceId)
  if (!target || !scope.exists(target)) return undefined
  const access = scope.access(target, 'read')
  if (!access.allowed) return undefined
  const { column, from } = asJson(shortFields(scope, target), as)
  return sql`select ${column} from ${sourceOf(scope, target, as)} ${from}
    where ${sql.ref(`${as}.workspace`)} = ${scope.ctx.workspace.id}::uuid and ${sql.ref(`${as}.id`)} = ${id} and ${withinReach(scope, access, as)}`
}

const short = new WeakMap<readonly FieldModel[], readonly FieldModel[]>()

function shortFields(scope: EngineScope, target: Resource): readonly FieldModel[] {
  const all = shownFields({ ...scope, forScreens: true }, target)
  let fields = short.get(all)
  if (!fields) {
    const names = new Set(['id', 'version', target.title, ...target.options.list])
    fields = all.filter(({ name, type }) => names.has(name) && type !== 'long' && type !== 'json')
    short.set(all, fields)
  }
  return fields
}

function shortRecord({ catalog }: EngineScope, resourceId: string, json: string): RecordJson {
  const record = JSON.parse(json) as RecordJson
  return { ...record, title: record[catalog.of(resourceId).title] ?? null }
}

/**
 * What references point at, read with the row that has them.
 *
 * @returns columns to stand behind others in the row's SELECT, and what reads them from it
 */
export function includedWith(
  scope: EngineScope,
  resource: Resource,
  include: readonly string[],
  as: string,
): { readonly columns: RawBuilder<unknown>; of(row: Readonly<Record<string, unknown>>): Included } {
  const references = referencesOf(scope, resource, include)
  const column = (index: number) => `_points${index}`
  const columns = references.map((field, index) => {
    const rows = shortRow(scope, field.target, fieldValue(field, as), wide(`o${index}`))
    return sql`, ${rows ? sql`(${rows})` : sql`null`} as ${sql.ref(column(index))}`
  })
  return {
    columns: sql.join(columns, sql``),
    of(row) {
      const included: Record<string, Record<string, RecordJson>> = {}
      for (const [index, { target }] of references.entries()) {
        const found = (included[target] ??= {})
        const json = row[column(index)]
        if (typeof json !== 'string') continue
        const record = shortRecord(scope, target, json)
        found[record.id] = record
      }
      return included
    },
  }
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

/** `getRecord` as the text of its answer, with the version for its ETag, and whether it lies in the bin. */
export async function getJson(
  scope: EngineScope,
  resource: Resource,
  id: string,
  { include = [], fields }: { include?: readonly string[]; fields?: readonly string[] } = {},
): Promise<{ readonly json: string; readonly version: number; readonly isDeleted: boolean }> {
  demandAction(scope, resource, 'read')
  const { column, from } = asJson(chosenFields(scope, resource, fields), alias)
  const included = includedWith(scope, resource, include, alias)
  const columns = sql`${column}, ${sql.ref(`${alias}.version`)}, ${sql.ref(`${alias}.deleted_at`)} is not null as _deleted${included.columns}`
  const row = await oneRow<RecordJson & { _json: string; _deleted: boolean }>(scope, resource, id, columns, from)
  if (!row) throw recordNotFound({ resource: resource.entity, id })
  return {
    json: `{"data":${row._json},"included":${JSON.stringify(included.of(row))}}`,
    version: row.version,
    isDeleted: row._deleted,
  }
}

/** The record as the actor may see it, deleted or not; undefined when it is absent or out of reach, which look alike. */
export async function findRow(
  scope: EngineScope,
  resource: Resource,
  id: string,
  fields: readonly FieldModel[] = shownFields(scope, resource),
): Promise<RecordJson | undefined> {
  return oneRow<RecordJson>(scope, resource, id, columnsOf(fields, alias))
}

/** A record's row with these columns, deleted or not; undefined when it is absent or out of reach, and for what is no id. */
export async function oneRow<R>(
  scope: EngineScope,
  resource: Resource,
  id: string,
  columns: RawBuilder<unknown>,
  from: RawBuilder<unknown> = sql``,
): Promise<R | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await sql<R>`${rowOf(scope, resource, id, columns, from)}`.execute(scope.tx)
  return rows[0]
}

/** A statement for the row of a record, deleted or not; none where it is absent or out of reach. */
export function rowOf(
  scope: EngineScope,
  resource: Resource,
  id: string,
  columns: RawBuilder<unknown> = sql``,
  from: RawBuilder<unknown> = sql``,
): RawBuilder<unknown> {
  return sql`
    select ${columns} from ${sourceOf(scope, resource, alias)} ${from}
    where ${sql.ref(`${alias}.workspace`)} = ${scope.ctx.workspace.id}::uuid and ${sql.ref(`${alias}.id`)} = ${id}::uuid
      and ${withinReach(scope, scope.access(resource, 'read'), alias)}`
}

/** A record that the engine loaded whole, or a part of it, as the actor reads it. */
export function asReadable<R extends Readonly<Record<string, unknown>>>(
  scope: EngineScope,
  resource: Resource,
  record: R,
): R {
  const values = shownFields(scope, resource).flatMap((field) =>
    field.name in record ? [[field.name, asShown(field, record[field.name])]] : [],
  )
  return Object.fromEntries(values) as R
}

/** A value in memory as the field that `shownFields` answers tells it. */
export function asShown(field: FieldModel, value: unknown): unknown {
  return field.masked ? maskedValue(field, value) : value
}

/**
 * A record that code holds whole as a refusal may tell it: what whoever asked may read, and masks. Where the platform writes
 * for them, or code looked it up beside the one in hand, it may be out of their sight: then it is told to whoever sees all of its kind.
 */
export function asTold(
  scope: EngineScope,
  resource: Resource,
  record: Readonly<Record<string, unknown>>,
  found?: 'beside',
): Readonly<Record<string, unknown>> {
  const { asker, ctx } = scope
  const { allowed, everything } = asker.compile(resource, 'read')
  if (!allowed || ((ctx.authority !== asker || found === 'beside') && !everything)) return {}
  return asReadable({ ...scope, forScreens: true, access: (it, action) => asker.compile(it, action) }, resource, record)
}

/** What a refusal calls a record: its title as whoever asked reads it, else its kind in their language. */
export function nameOf(
  scope: EngineScope,
  resource: Resource,
  record: Readonly<Record<string, unknown>>,
  found?: 'beside',
): string {
  const name = asTold(scope, resource, record, found)[resource.title] ?? ''
  return name === '' ? scope.ctx.t(`${resource.id}.one`) : String(name)
}
