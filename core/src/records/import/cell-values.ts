import { DateTime } from 'luxon'
import { SocleError, type FieldFault } from '../../errors.ts'
import type { Words } from '../../words.ts'
import { optionLabel } from '../labels.ts'
import type { AddressPart } from '../field-types.ts'
import type { FieldModel } from '../model.ts'
import type { Resource } from '../registry.ts'
import { parseValue } from '../values.ts'
import { datePartsOf, orderOf, plainNumber, type DateOrder } from './cell-forms.ts'
import { dateAmbiguous } from './errors.ts'
import type { FilledField } from './filled-field.ts'
import type { ImportOptions } from './import.ts'
import type { ColumnProfile } from './profile.ts'
import { compact, fold } from './resemblance.ts'
import { vocabularyOf } from './usual-words.ts'

/** How the cells of one column are to be read. */
export interface CellReading {
  readonly field: FieldModel
  /** The part of an address that the column has. */
  readonly part: AddressPart | undefined
  readonly decimal: ',' | '.' | undefined
  readonly dateOrder: DateOrder | undefined
  /** IANA zone in which times without one are meant. */
  readonly zone: string
  /** Stored value of a choice by what people call it, folded. */
  readonly choices: ReadonlyMap<string, string> | undefined
}

export type CellValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: Omit<FieldFault, 'path'> | SocleError }

/** Decides once for a column what each of its cells will be asked. */
export function readingOf(
  { words, resource, zone }: { words: Words; resource: Resource; zone: string },
  { field, part }: FilledField,
  column: ColumnProfile | undefined,
  options: ImportOptions,
): CellReading {
  const told = options.dateFormat === undefined ? undefined : orderOf(options.dateFormat)
  return {
    field,
    part,
    decimal: options.decimal ?? column?.decimal ?? undefined,
    dateOrder: told ?? column?.dateOrder ?? undefined,
    zone,
    choices: part ? closedWords(part) : choicesOf(words, resource, field),
  }
}

/** Every name of a choice, in both languages; undefined for a field that is free. */
export function choicesOf(
  words: Words,
  resource: Resource,
  field: FieldModel,
): ReadonlyMap<string, string> | undefined {
  if (field.type === 'select' || field.type === 'multi-select') {
    const names = new Map<string, string>()
    for (const { value } of field.options ?? []) {
      names.set(compact(value), value)
      for (const locale of ['en', 'fr'] as const)
        names.set(compact(optionLabel(words, locale, resource.id, field, value)), value)
    }
    return names
  }
  return field.type === 'text' ? closedWords(field.name) : undefined
}

function closedWords(name: string): ReadonlyMap<string, string> | undefined {
  const vocabulary = vocabularyOf(name)
  return vocabulary?.closed ? vocabulary.values : undefined
}

const truths: Readonly<Record<string, boolean>> = Object.assign(
  Object.fromEntries(['true', 'yes', 'y', 'oui', 'o', 'vrai', '1', 'x', 'on'].map((word) => [word, true])),
  Object.fromEntries(['false', 'no', 'n', 'non', 'faux', '0', 'off'].map((word) => [word, false])),
)

/** A cell's text as the value of its field, in the form the API takes; of an address the part alone. Empty cells are not asked. */
export function readCell(text: string, reading: CellReading): CellValue {
  const { field, choices } = reading
  switch (field.type) {
    case 'select':
      return parseValue(field, choices?.get(compact(text)) ?? text)
    case 'multi-select':
      return parseValue(
        field,
        text
          .split(/[;,|\n]/)
          .map((part) => part.trim())
          .filter(Boolean)
          .map((part) => choices?.get(compact(part)) ?? part),
      )
    case 'address':
      return parseValue(field, { [reading.part ?? 'line1']: choices?.get(fold(text)) ?? text })
    case 'text':
      return parseValue(field, choices?.get(fold(text)) ?? text)
    case 'duration':
    case 'integer': {
      const number = plainNumber(text, reading.decimal)
      return quoting(text, parseValue(field, number === undefined ? text : number.replace(/\.0+$/, '')))
    }
    case 'decimal':
    case 'money':
    case 'percent':
      return quoting(text, parseValue(field, plainNumber(text, reading.decimal) ?? text))
    case 'boolean':
      return parseValue(field, truths[fold(text)] ?? text)
    case 'date':
    case 'instant':
      return quoting(text, readMoment(text, reading))
    default:
      return parseValue(field, text)
  }
}

/** A refusal names what stands in the file, not what it was read as. */
function quoting(text: string, read: CellValue): CellValue {
  if (read.ok || read.fault instanceof SocleError) return read
  const { detail, values } = read.fault
  if (typeof values?.['value'] !== 'string') return read
  const quoted = text.trim().slice(0, 60)
  const said = detail.replace(`"${values['value']}"`, () => `"${quoted}"`)
  return { ok: false, fault: { ...read.fault, detail: said, values: { ...values, value: quoted } } }
}

function readMoment(text: string, { field, dateOrder, zone }: CellReading): CellValue {
  const parts = datePartsOf(text, dateOrder)
  if (parts === 'ambiguous') {
    return { ok: false, fault: dateAmbiguous({ value: text.slice(0, 60) }) }
  }
  if (parts === undefined) return parseValue(field, text)
  if (field.type === 'date') return parseValue(field, parts.date)
  const moment = DateTime.fromISO(`${parts.date}T${parts.time ?? '00:00:00'}`, { zone })
  return parseValue(field, moment.isValid ? moment.toUTC().toISO() : text)
}
