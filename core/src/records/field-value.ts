import { sql, type RawBuilder } from 'kysely'
import type { FieldModel, FieldType } from './model.ts'

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/**
 * What reads a field in SQL, under the alias its table has in the statement. Indexes are built over the same text, so that
 * PostgreSQL knows it again.
 */
export function fieldText(field: FieldModel, alias: string): string {
  return `${quoted(alias)}.${quoted(field.column)}`
}

const decimalAsText = (text: string) => `${text}::text`
/** Where JSON as PostgreSQL makes it differs from how records are answered: decimals are strings, instants end with Z. */
const jsonText: Partial<Record<FieldType, (text: string) => string>> = {
  decimal: decimalAsText,
  money: decimalAsText,
  percent: decimalAsText,
  // Sessions are in UTC.
  instant: (text) => `to_char(${text}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
}

/** What reads a field for a record that PostgreSQL itself prints as JSON. */
export function fieldJsonText(field: FieldModel, alias: string): string {
  const text = fieldText(field, alias)
  return jsonText[field.type]?.(text) ?? text
}

/** `fieldText` as part of a statement. */
export function fieldValue(field: FieldModel, alias: string): RawBuilder<unknown> {
  return sql.raw(fieldText(field, alias))
}
