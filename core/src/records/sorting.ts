import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { fieldNotReadable } from '../permissions/errors.ts'
import type { Cursor } from './cursor.ts'
import { queryInvalid } from './errors.ts'
import { kindOf } from './field-types.ts'
import { fieldValue, isWide, sortType, sortValue, wide } from './field-value.ts'
import type { FieldModel } from './model.ts'
import { sourceOf, withinReach } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { recordBeside } from './sides/source.ts'

/** One key of an order: what is compared, which way, and whether it can be empty. */
export interface SortKey {
  readonly field: FieldModel
  readonly expression: RawBuilder<unknown>
  readonly descending: boolean
  readonly nullable: boolean
  /** Type the cursor's text is read back as. */
  readonly cast: string
  /** Join the expression needs. */
  readonly join?: RawBuilder<unknown>
  /** The record's id, where the index that holds the value has it too. */
  readonly id?: RawBuilder<unknown>
}

const maxKeys = 4

/**
 * Reads `-amount,name,account.city`. A reference sorts by the name of what it points at, or by a field of that, as far as the
 * actor may see it.
 *
 * @throws `QUERY_INVALID` (400) for an unknown field, `FIELD_NOT_READABLE` (403) for one the actor may not read
 */
export function sortKeys(scope: EngineScope, resource: Resource, text: string | undefined, alias: string): SortKey[] {
  const access = scope.access(resource, 'read')
  const wanted = (text ?? usualSort(scope, resource))
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  if (wanted.length > maxKeys)
    throw queryInvalid({ parameter: 'sort', value: text ?? '', expected: `at most ${maxKeys} fields` })
  return wanted.map((part, index) => {
    const descending = part.startsWith('-')
    const [name = '', ...rest] = (descending ? part.slice(1) : part).split('.')
    const field = resource.fields.get(name)
    const target = field && pointsElsewhere(field) ? targetOf(scope, field) : undefined
    const behind = rest.length > 0 ? target?.fields.get(rest.join('.')) : undefined
    const isBehind = behind !== undefined && kindOf(behind).sorts && !pointsElsewhere(behind)
    if (!field || !kindOf(field).sorts || (rest.length > 0 && !isBehind)) {
      throw queryInvalid({
        parameter: 'sort',
        value: part,
        expected: `a field of ${resource.id}, with "-" for descending`,
      })
    }
    if (!access.readable(name)) throw fieldNotReadable({ resource: resource.id, field: name })
    return target
      ? referenceKey(scope, { field, target, by: behind?.name ?? target.title }, descending, alias, wide(`s${index}`))
      : ownKey(resource, field, descending, alias)
  })
}

/** The order of a list that asks for none: the resource's own, as far as it tells the actor no value they may not read. */
function usualSort(scope: EngineScope, resource: Resource): string {
  const { readable } = scope.access(resource, 'read')
  const own = (resource.options.sort ?? '').split(',').filter((part) => {
    const field = resource.fields.get(part.replace('-', ''))
    if (!field || !readable(field.name)) return false
    const target = pointsElsewhere(field) ? targetOf(scope, field) : undefined
    if (!target) return true
    const access = scope.access(target, 'read')
    return access.allowed && access.readable(target.title)
  })
  return own.join(',') || '-createdAt'
}

function pointsElsewhere({ name, type }: FieldModel): boolean {
  return name !== 'id' && ['reference', 'user', 'team'].includes(type)
}

/** What a field points at; undefined where the module of that is off, and its records have no names to sort by. */
function targetOf(scope: EngineScope, { target }: FieldModel): Resource | undefined {
  const resource = scope.catalog.get(target ?? '')
  return resource && scope.exists(resource) ? resource : undefined
}

function ownKey(resource: Resource, field: FieldModel, descending: boolean, alias: string): SortKey {
  return {
    field,
    descending,
    expression: sortValue(field, alias),
    nullable: resource.nullable.has(field.name),
    cast: sortType(field),
    ...(field.side && resource.sides.length > 0 && isWide(alias) ? { id: recordBeside(field.side, alias) } : {}),
  }
}

function referenceKey(
  scope: EngineScope,
  { field, target, by }: { readonly field: FieldModel; readonly target: Resource; readonly by: string },
  descending: boolean,
  alias: string,
  join: string,
): SortKey {
  const access = scope.access(target, 'read')
  if (!access.allowed || !access.readable(by)) throw fieldNotReadable({ resource: target.id, field: by })
  const title = target.fields.get(by)
  // A row the actor may not see joins as empty: its name must not show in the order either.
  const on = sql`${sql.ref(`${join}.id`)} = ${fieldValue(field, alias)} and ${sql.ref(`${join}.workspace`)} = ${sql.ref(`${alias}.workspace`)} and ${withinReach(scope, access, join)}`
  return {
    field,
    descending,
    expression: title ? sortValue(title, join) : sql.ref(`${join}.${by}`),
    nullable: true,
    cast: title ? sortType(title) : 'text',
    join: sql`left join ${sourceOf(scope, target, join)} on ${on}`,
  }
}

/** Part of an order that one index scan can walk: rows with a value in the only key, or those without. */
export type Phase = 'values' | 'empty' | 'whole'

/**
 * Phases of an order, in turn. An order by one key that may be empty is walked in two: rows with a value first, by
 * row-value comparison on the index, then rows without. (The OR form of one walk costs 50 % more and loses the index.)
 */
export function phasesOf(keys: readonly SortKey[], cursor: Cursor | undefined): Phase[] {
  const [key] = keys
  if (keys.length !== 1 || !key?.nullable) return ['whole']
  return cursor && cursor.values[0] === null ? ['empty'] : ['values', 'empty']
}

/** Condition of the rows of a phase that come after the cursor. */
export function afterCursor(
  keys: readonly SortKey[],
  phase: Phase,
  cursor: Cursor | undefined,
  id: RawBuilder<unknown>,
): RawBuilder<SqlBool>[] {
  const conditions: RawBuilder<SqlBool>[] = []
  const [key] = keys
  if (!key) return conditions
  id = idOf(keys, phase, id)
  const down = key.descending
  if (phase === 'values') conditions.push(sql`${key.expression} is not null`)
  if (phase === 'empty') conditions.push(sql`${key.expression} is null`)
  if (!cursor) return conditions
  if (phase === 'empty') {
    if (cursor.values[0] === null)
      conditions.push(down ? sql`${id} < ${cursor.id}::uuid` : sql`${id} > ${cursor.id}::uuid`)
    return conditions
  }
  const oneWay = keys.every(({ descending }) => descending === down)
  if (phase === 'values' || (oneWay && keys.every(({ nullable }) => !nullable))) {
    const left = sql.join([...keys.map(({ expression }) => expression), id])
    const right = sql.join([...keys.map((it, index) => constant(it, cursor, index)), sql`${cursor.id}::uuid`])
    conditions.push(down ? sql`(${left}) < (${right})` : sql`(${left}) > (${right})`)
    return conditions
  }
  conditions.push(lexicographic(keys, cursor, id))
  return conditions
}

function constant(key: SortKey, cursor: Cursor, index: number): RawBuilder<unknown> {
  return sql`${cursor.values[index] ?? null}::${sql.raw(key.cast)}`
}

/** Mixed directions and empty values in several keys: each longer prefix equal, the next key beyond. Empty comes last. */
function lexicographic(keys: readonly SortKey[], cursor: Cursor, id: RawBuilder<unknown>): RawBuilder<SqlBool> {
  const branches: RawBuilder<SqlBool>[] = []
  const equal: RawBuilder<SqlBool>[] = []
  for (const [index, key] of keys.entries()) {
    const value = constant(key, cursor, index)
    if (cursor.values[index] !== null) {
      const beyond = key.descending ? sql`${key.expression} < ${value}` : sql`${key.expression} > ${value}`
      const next = key.nullable ? sql<SqlBool>`(${beyond} or ${key.expression} is null)` : sql<SqlBool>`${beyond}`
      branches.push(sql`(${sql.join([...equal, next], sql` and `)})`)
    }
    equal.push(sql`${key.expression} is not distinct from ${value}`)
  }
  const last = keys.at(-1)?.descending
    ? sql<SqlBool>`${id} < ${cursor.id}::uuid`
    : sql<SqlBool>`${id} > ${cursor.id}::uuid`
  branches.push(sql`(${sql.join([...equal, last], sql` and `)})`)
  return sql`(${sql.join(branches, sql` or `)})`
}

/** Of rows that have a value beside them, the id that stands there: one index holds both. */
function idOf([key]: readonly SortKey[], phase: Phase, id: RawBuilder<unknown>): RawBuilder<unknown> {
  return phase === 'values' ? (key?.id ?? id) : id
}

/** ORDER BY of a phase; ends in the id, so that ties have an order too. */
export function orderBy(keys: readonly SortKey[], phase: Phase, id: RawBuilder<unknown>): RawBuilder<unknown> {
  const parts =
    phase === 'empty'
      ? []
      : keys.map((key) => direction(key.expression, key.descending, phase === 'whole' && key.nullable))
  const idDown = keys.at(-1)?.descending ?? false
  return sql`order by ${sql.join([...parts, direction(idOf(keys, phase, id), idDown, false)])}`
}

function direction(expression: RawBuilder<unknown>, descending: boolean, nullable: boolean): RawBuilder<unknown> {
  // Ascending order puts empty values last by itself; saying so for descending order too costs the index, so it is
  // only said where the column can be empty at all.
  if (!descending) return sql`${expression} asc`
  return nullable ? sql`${expression} desc nulls last` : sql`${expression} desc`
}
