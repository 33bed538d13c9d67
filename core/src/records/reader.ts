import { sql, type RawBuilder } from 'kysely'
import { fieldValue } from './field-value.ts'
import type { Resource } from './registry.ts'

type Values = Readonly<Record<string, unknown>>

/** Who may find a record beside the people of the house: a partner, or the person whose own thing it is. */
export function readerOf({ partner }: Resource, record: Values): string | null {
  const reader = partner && record[partner.field]
  return typeof reader === 'string' ? reader : null
}

/** `readerOf` in SQL, of the resource's row under an alias. */
export function readerColumn({ partner, fields }: Resource, alias: string): RawBuilder<unknown> {
  const field = partner && fields.get(partner.field)
  return field ? sql`${fieldValue(field, alias)}::uuid` : sql`null::uuid`
}

/**
 * Who may read that a record changed. Nobody of a partner where it came to one or went from one: the change names who had it
 * before, or holds what it was while it was not theirs.
 */
export function readerOfChange(resource: Resource, before: Values | undefined, after: Values): string | null {
  const reader = readerOf(resource, after)
  return !before || readerOf(resource, before) === reader ? reader : null
}
