import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { kindOf, type FieldKind } from './field-types.ts'
import { maskedSql, maskedText } from './mask.ts'
import type { FieldModel } from './model.ts'

/**
 * The alias of a source that reads what stands beside a record together with it; see `sourceOf`. Under any other alias a
 * field beside the record looks for its value itself: right in every statement, but no index serves it.
 */
export const wide = (alias: string) => `${alias}+`

export const isWide = (alias: string) => alias.endsWith('+')

/** A name as it stands in SQL. A list of many names is sooner written so than made of references. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

// How a value of each SQL type is read out of `custom`; names are letters and digits only.
const reading: Readonly<Record<FieldKind['sql'], (custom: string, name: string) => string>> = {
  text: (custom, name) => `core.custom_text(${custom}, ${name})`,
  numeric: (custom, name) => `core.json_number(core.custom_json(${custom}, ${name}))`,
  integer: (custom, name) => `core.json_integer(core.custom_json(${custom}, ${name}))`,
  boolean: (custom, name) => `core.json_boolean(core.custom_json(${custom}, ${name}))`,
  date: (custom, name) => `core.custom_date(${custom}, ${name})`,
  timestamptz: (custom, name) => `core.custom_instant(${custom}, ${name})`,
  uuid: (custom, name) => `core.custom_id(${custom}, ${name})`,
  jsonb: (custom, name) => `core.custom_json(${custom}, ${name})`,
}

/**
 * What reads a field in SQL, under the alias its table has in the statement; undefined for a formula, which has constants.
 * Indexes are built over the same text, so that PostgreSQL knows it again.
 */
export function fieldText(field: FieldModel, alias: string): string | undefined {
  if (field.formula) return undefined
  if (field.side && !isWide(alias)) {
    const { schema, table, column } = field.side
    return `(select beside.${quoted(column)} from ${quoted(schema)}.${quoted(table)} beside where beside.workspace = ${quoted(alias)}."workspace" and beside.record = ${quoted(alias)}."id")`
  }
  if (!field.custom) return `${quoted(alias)}.${quoted(field.column)}`
  const { sql: type, words } = kindOf(field)
  const text = reading[type](`${quoted(alias)}."custom"`, `'${field.name.replaceAll("'", "''")}'`)
  // One collation for filter, order and index: an index serves no comparison in another.
  return words ? `(${text} collate "und-x-icu")` : text
}

/** `fieldText` as part of a statement, or what a formula computes. */
export function fieldValue(field: FieldModel, alias: string): RawBuilder<unknown> {
  const text = fieldText(field, alias)
  return text === undefined ? field.formula!.value(alias) : sql.raw(text)
}

/** A column's or own field's value as lists are sorted by it, and indexes over it are. */
export function sortValueText(field: FieldModel, alias: string): string | undefined {
  const text = fieldText(field, alias)
  const { words, order } = kindOf(field)
  if (text !== undefined && order) return `${order(text)} collate "und-x-icu"`
  return text !== undefined && words && !field.custom ? `${text} collate "und-x-icu"` : text
}

/** Type in which a cursor's text of what a field is sorted by is read back. */
export function sortType(field: FieldModel): FieldKind['sql'] {
  const { sql: type, order } = kindOf(field)
  return order ? 'text' : type
}

/** A field's value as lists are sorted by it. */
export function sortValue(field: FieldModel, alias: string): RawBuilder<unknown> {
  const text = sortValueText(field, alias)
  if (text !== undefined) return sql.raw(text)
  const value = fieldValue(field, alias)
  return kindOf(field).words ? sql`${value} collate "und-x-icu"` : value
}

/**
 * Rows of one workspace. Where any of the fields is its own, the workspace is written out: the indexes over own fields hold
 * the rows of one workspace, and a plan made for any parameters could not tell that it is that one.
 */
export function workspaceIs(workspace: string, fields: readonly FieldModel[], alias: string): RawBuilder<SqlBool> {
  const own = fields.some(({ custom }) => custom)
  return sql`${sql.ref(`${alias}.workspace`)} = ${own ? sql.lit(workspace) : workspace}::uuid`
}

const decimalAsText = (text: string) => `${text}::text`
/** An instant, given as SQL, as the text in which it is answered. Sessions are in UTC. */
export const instantText = (text: string) => `to_char(${text}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
/** Where JSON as PostgreSQL makes it differs from how records are answered: decimals are strings, instants end with Z. */
const jsonText: Partial<Record<FieldKind['sql'], (text: string) => string>> = {
  numeric: decimalAsText,
  timestamptz: instantText,
}

/** Fields as columns of a SELECT named as they are, so that a row is already the record the API answers. */
export function columnList(fields: readonly FieldModel[], alias: string): RawBuilder<unknown> {
  return listOf(fields, alias, false)
}

/** The same for a record that PostgreSQL itself prints as JSON. */
export function jsonColumnList(fields: readonly FieldModel[], alias: string): RawBuilder<unknown> {
  return listOf(fields, alias, true)
}

function listOf(fields: readonly FieldModel[], alias: string, isJson: boolean): RawBuilder<unknown> {
  // Written out as one text where it can be: as references, thirty columns are three hundred nodes to visit per statement.
  const parts = fields.map((field) => {
    if (field.masked) return maskOf(field, alias)
    const text = fieldText(field, alias)
    const { sql: type } = kindOf(field)
    const name = quoted(field.name)
    if (text !== undefined) return `${(isJson && jsonText[type]?.(text)) || text} as ${name}`
    const value = field.formula!.value(alias)
    return sql`${value}${sql.raw(isJson && type === 'numeric' ? '::text' : '')} as ${sql.raw(name)}`
  })
  if (parts.every((part) => typeof part === 'string')) return sql.raw(parts.join(', '))
  return sql`${sql.join(parts.map((part) => (typeof part === 'string' ? sql.raw(part) : part)))}`
}

/** The field as its mask. Of what is no text nothing is shown, not even whether there is a value. */
function maskOf(field: FieldModel, alias: string): RawBuilder<unknown> {
  const { mask } = kindOf(field)
  const value = mask === undefined ? sql`null` : maskedSql(mask, fieldValue(field, alias))
  return sql`${value} as ${sql.raw(quoted(field.name))}`
}

/** A value in memory, as `columnList` answers that of a masked field. */
export function maskedValue(field: FieldModel, value: unknown): string | null {
  const { mask } = kindOf(field)
  return mask === undefined ? null : maskedText(mask, value)
}
