import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { measureOf, readableField } from './aggregate.ts'
import { encodeCursor } from './cursor.ts'
import { queryInvalid } from './errors.ts'
import { printExpression, readExpression, type Expression } from './expression/index.ts'
import { fieldValue, wide } from './field-value.ts'
import type { FieldModel } from './model.ts'
import { sourceOf } from './past.ts'
import { chosenFields, columnsOf, conditionsOf, demandAction, includeTargets, keyOfList, recordOf } from './read.ts'
import type { Included, ListQuery, RecordJson } from './records.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { orderBy, sortKeys } from './sorting.ts'
import { isGroupable } from './views/check-view.ts'

const alias = wide('t')
const maxCards = 50
const maxColumns = 60
const maxMeasures = 6

export interface BoardQuery extends Pick<ListQuery, 'filter' | 'q' | 'sort' | 'fields' | 'include' | 'asOf'> {
  /** Field whose values are the columns: a select, a reference, a person, a team, yes or no. */
  readonly by: string
  /** Cards of each column, 1 to 50; 20 by default. */
  readonly limit?: number
  /** `sum:<field>` and its like, beside the count. */
  readonly measures?: readonly string[]
  /** The columns wanted, null for records without a value; those with the most records when absent. */
  readonly columns?: readonly (string | null)[]
}

export interface BoardColumn {
  /** Value of the field, null for records without one. */
  readonly key: string | null
  readonly count: number
  /** Measures of the column, a row for each currency in it. */
  readonly figures: readonly Readonly<Record<string, unknown>>[]
  /** Filter of the list behind the column; with it, `sort` and `q`, that list continues after `next`. */
  readonly filter: string
  readonly cards: readonly RecordJson[]
  readonly next: string | null
}

export interface BoardAnswer {
  readonly data: readonly BoardColumn[]
  /** True when more values have records than columns were answered. */
  readonly more: boolean
  readonly included: Included
}

/**
 * The columns of a board with their figures and first cards: one statement for the figures, one for all cards, and one
 * for each kind of record they point at.
 *
 * @throws `FIELD_NOT_READABLE` (403) for a column, sort or sum that would tell a value; `QUERY_INVALID` (400)
 */
export async function readBoard(scope: EngineScope, resource: Resource, query: BoardQuery): Promise<BoardAnswer> {
  demandAction(scope, resource, 'read')
  const by = readableField(scope, resource, query.by, 'by')
  if (!isGroupable(by))
    throw queryInvalid({
      parameter: 'by',
      value: query.by,
      expected: 'a choice, reference, person, team or yes and no',
    })
  const limit = query.limit ?? 20
  if (!Number.isInteger(limit) || limit < 1 || limit > maxCards)
    throw queryInvalid({
      parameter: 'limit',
      value: String(query.limit),
      expected: `a whole number from 1 to ${maxCards}`,
    })
  if ((query.columns?.length ?? 0) > maxColumns)
    throw queryInvalid({
      parameter: 'columns',
      value: String(query.columns?.length),
      expected: `at most ${maxColumns} columns`,
    })
  const conditions = conditionsOf(scope, resource, query, alias)
  const { figures, more } = await readFigures(scope, resource, by, query, conditions)
  const keys = query.columns ? [...new Set(query.columns)] : [...figures.keys()]
  const cards = await readCards(scope, resource, by, { ...query, limit }, conditions, keys)
  const base = query.filter === undefined || query.filter === '' ? undefined : readExpression(query.filter)
  const sorts = sortKeys(scope, resource, query.sort, alias).length
  const fields = chosenFields(scope, resource, query.fields)
  const data = keys.map((key): BoardColumn => {
    const filter = filterOfColumn(base, by, key)
    const rows = cards.get(key) ?? []
    const last = rows.length > limit ? rows[limit - 1] : undefined
    const own = figures.get(key) ?? []
    return {
      key,
      count: own.reduce((sum, row) => sum + Number(row['count']), 0),
      figures: own,
      filter,
      cards: rows.slice(0, limit).map((row) => recordOf(fields, row)),
      next: last
        ? encodeCursor(keyOfList(scope, resource, { ...query, filter }), {
            id: String(last['id']),
            values: Array.from({ length: sorts }, (_, index) => last[`_${index}`] as string | null),
          })
        : null,
    }
  })
  const pointing = by.target === undefined ? [] : [by.name]
  const shown = [...data.flatMap((column) => column.cards), ...keys.map((key) => ({ [by.name]: key }) as never)]
  const include = [...new Set([...(query.include ?? []), ...pointing])]
  return { data, more, included: await includeTargets(scope, resource, shown, include) }
}

type Figures = Map<string | null, Record<string, unknown>[]>

/** Count and measures of the columns, each currency apart; without wanted columns, of those with the most records. */
async function readFigures(
  scope: EngineScope,
  resource: Resource,
  by: FieldModel,
  { measures = [], columns }: BoardQuery,
  conditions: readonly RawBuilder<SqlBool>[],
): Promise<{ figures: Figures; more: boolean }> {
  if (measures.length > maxMeasures)
    throw queryInvalid({
      parameter: 'measures',
      value: String(measures.length),
      expected: `at most ${maxMeasures} measures`,
    })
  const currencies = [
    ...new Set(measures.flatMap((text) => resource.fields.get(text.split(':')[1] ?? '')?.currency ?? [])),
  ].map((name) => readableField(scope, resource, name, 'measures'))
  const parts = [
    sql`${fieldValue(by, alias)} as key`,
    ...currencies.map((field, index) => sql`${fieldValue(field, alias)} as ${sql.ref(`c${index}`)}`),
    sql`count(*) as n`,
    ...measures.map((text, index) => sql`${measureOf(scope, resource, text)} as ${sql.ref(`m${index}`)}`),
  ]
  const groups = [by, ...currencies].map((_, index) => sql.lit(index + 1))
  const wanted = columns ? [sql<SqlBool>`(${among(by, columns)})`] : []
  const { rows } = await sql<Record<string, unknown>>`
    with figure as (
      select ${sql.join(parts)} from ${sourceOf(scope, resource, alias)}
      where ${sql.join([...conditions, ...wanted], sql` and `)}
      group by ${sql.join(groups)}),
    most as (select key, sum(n) as total from figure group by key order by total desc, key limit ${maxColumns + 1})
    select figure.* from most join figure on figure.key is not distinct from most.key
    order by most.total desc, figure.key`.execute(scope.tx)
  const figures: Figures = new Map()
  for (const row of rows) {
    const key = row['key'] === null ? null : String(row['key'])
    const figure: Record<string, unknown> = {
      key: Object.fromEntries(currencies.map(({ name }, index) => [name, row[`c${index}`] ?? null])),
      count: Number(row['n']),
    }
    for (const [index, text] of measures.entries()) figure[text] = row[`m${index}`] ?? null
    figures.set(key, [...(figures.get(key) ?? []), figure])
  }
  const more = figures.size > maxColumns
  const last = [...figures.keys()].at(-1)
  if (more && last !== undefined) figures.delete(last)
  return { figures, more }
}

function among(by: FieldModel, keys: readonly (string | null)[]): RawBuilder<SqlBool> {
  const value = fieldValue(by, alias)
  const given = keys.filter((key) => key !== null)
  const parts = [sql<SqlBool>`${value} = any(${given}::${typeOfKey(by)}[])`]
  if (keys.includes(null)) parts.push(sql<SqlBool>`${value} is null`)
  return sql`${sql.join(parts, sql` or `)}`
}

function typeOfKey({ type }: FieldModel): RawBuilder<unknown> {
  return sql.raw(type === 'select' ? 'text' : type === 'boolean' ? 'boolean' : 'uuid')
}

/** The first cards of every column, one more than wanted: a lateral join walks each column's own order. */
async function readCards(
  scope: EngineScope,
  resource: Resource,
  by: FieldModel,
  { sort, fields: wanted, limit }: BoardQuery & { limit: number },
  conditions: readonly RawBuilder<SqlBool>[],
  keys: readonly (string | null)[],
): Promise<Map<string | null, Record<string, unknown>[]>> {
  const found = new Map<string | null, Record<string, unknown>[]>()
  if (keys.length === 0) return found
  const fields = chosenFields(scope, resource, wanted)
  const sorts = sortKeys(scope, resource, sort, alias)
  const id = sql.ref(`${alias}.id`)
  const value = fieldValue(by, alias)
  const sortColumns = sorts.map((it, index) => sql`, (${it.expression})::text as ${sql.ref(`_${index}`)}`)
  const joins = sorts.flatMap(({ join }) => (join ? [join] : []))
  const first = (within: RawBuilder<SqlBool>) => sql`
    select card.*, row_number() over () as _row from (
      select ${columnsOf(fields, alias)}${sql.join(sortColumns, sql``)}
      from ${sourceOf(scope, resource, alias)} ${sql.join(joins, sql` `)}
      where ${sql.join([...conditions, within], sql` and `)}
      ${orderBy(sorts, 'whole', id)}
      limit ${limit + 1}) as card`
  const given = keys.filter((key) => key !== null)
  const parts: RawBuilder<unknown>[] = []
  if (given.length > 0)
    parts.push(sql`
      select head.key::text as _column, card.* from unnest(${given}::${typeOfKey(by)}[]) as head (key)
      cross join lateral (${first(sql`${value} = head.key`)}) as card`)
  if (keys.includes(null))
    parts.push(sql`select null as _column, card.* from (${first(sql`${value} is null`)}) as card`)
  const { rows } = await sql<Record<string, unknown>>`
    select * from (${sql.join(parts, sql` union all `)}) as board order by _column, _row`.execute(scope.tx)
  for (const row of rows) {
    const key = row['_column'] === null ? null : String(row['_column'])
    const cards = found.get(key) ?? []
    found.set(key, cards)
    cards.push(row)
  }
  return found
}

function filterOfColumn(base: Expression | undefined, by: FieldModel, key: string | null): string {
  const own: Expression =
    key === null
      ? { op: 'empty', path: by.name }
      : { op: '=', path: by.name, value: by.type === 'boolean' ? key === 'true' : key }
  return printExpression(base ? { op: 'and', of: [base, own] } : own)
}
