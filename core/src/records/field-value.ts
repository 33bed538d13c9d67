import { sql, type RawBuilder } from 'kysely'
import type { FieldModel } from './model.ts'

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/**
 * What reads a field in SQL, under the alias its table has in the statement. Indexes are built over the same text, so that
 * PostgreSQL knows it again.
 */
export function fieldText(field: FieldModel, alias: string): string {
  return `${quoted(alias)}.${quoted(field.column)}`
}

/** `fieldText` as part of a statement. */
export function fieldValue(field: FieldModel, alias: string): RawBuilder<unknown> {
  return sql.raw(fieldText(field, alias))
}
