import { Decimal } from 'decimal.js'
import { DateTime } from 'luxon'
import type { Locale } from '../../actor.ts'
import type { Words } from '../../words.ts'
import { addressParts, type AddressPart } from '../field-types.ts'
import { fieldLabel, optionLabel, partLabel } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import type { Included, RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'

/** One column of a file: a field, for a reference the name or the id of what it points at, or a part of an address. */
export interface ExportColumn {
  readonly field: FieldModel
  readonly part: 'value' | 'title' | 'id' | AddressPart
  readonly head: string
}

export interface Labels {
  readonly words: Words
  readonly locale: Locale
  readonly heads: 'labels' | 'names'
  /** IANA zone in which instants are written where a format has no zone. */
  readonly zone: string
}

/** Columns of a file: references by title and id, addresses by their parts, heads in the reader's language or as the API names them. */
export function columnsOf(resource: Resource, fields: readonly FieldModel[], labels: Labels): ExportColumn[] {
  const taken = new Set<string>()
  const free = (head: string, field: FieldModel) => {
    const own = taken.has(head) ? `${head} (${field.name})` : head
    taken.add(own)
    return own
  }
  return fields.flatMap((field): ExportColumn[] => {
    const label = labels.heads === 'names' ? field.name : fieldLabel(labels.words, labels.locale, resource.id, field)
    if (field.type === 'address')
      return addressParts.map((part) => {
        const { words, locale, heads } = labels
        const named =
          heads === 'names' ? `${field.name}.${part}` : partLabel(words, locale, resource.id, { field, part })
        return { field, part, head: free(named, field) }
      })
    if (!pointsAtRecord(field)) return [{ field, part: 'value', head: free(label, field) }]
    const id = labels.heads === 'names' ? `${field.name}.id` : `${label} (id)`
    return [
      { field, part: 'title', head: free(label, field) },
      { field, part: 'id', head: free(id, field) },
    ]
  })
}

export function pointsAtRecord({ name, target }: FieldModel): boolean {
  return target !== undefined && name !== 'id'
}

/** A record with the titles of what it points at. */
export interface ExportRow {
  readonly record: RecordJson
  readonly included: Included
}

/** A column's value as a text that the import reads as the same value again. */
export function cellOf({ field, part }: ExportColumn, row: ExportRow, resource: Resource, labels: Labels): string {
  const value = row.record[field.name]
  if (value === null || value === undefined) return ''
  if (part === 'title') return titleOf(field, row)
  if (part === 'id') return String(value as string)
  if (part !== 'value') return (value as Partial<Record<AddressPart, string>>)[part] ?? ''
  const { words, locale, heads } = labels
  const option = (it: unknown) =>
    heads === 'labels' ? optionLabel(words, locale, resource.id, field, String(it)) : String(it)
  switch (field.type) {
    case 'select':
      return option(value)
    case 'multi-select':
      // What stands between choices would cut a label in two.
      return [value]
        .flat()
        .map((it) => (/[;,|\n]/.test(option(it)) ? String(it) : option(it)))
        .join(', ')
    case 'boolean':
      return heads === 'labels'
        ? words.say(locale, value === true ? 'core.export.yes' : 'core.export.no')
        : String(value)
    case 'decimal':
    case 'money':
    case 'percent':
      return new Decimal(value as string).toFixed()
    default:
      return Array.isArray(value)
        ? value.map(String).join(', ')
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value as string | number)
  }
}

export function titleOf({ name, target = '' }: FieldModel, { record, included }: ExportRow): string {
  const title = included[target]?.[String(record[name])]?.['title']
  return title === null || title === undefined ? '' : String(title as string)
}

/** An instant as people's clocks in a zone show it. */
export function localTime(instant: string, zone: string): DateTime {
  return DateTime.fromISO(instant, { zone })
}
