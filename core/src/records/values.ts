import { Decimal } from 'decimal.js'
import { isCountry } from '../entities/phones.ts'
import type { FieldFault } from '../errors.ts'
import { addressParts } from './field-types.ts'
import type { FieldModel } from './model.ts'
import { cleanRichText } from './rich-text.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const isoDate = /^(\d{4})-(\d{2})-(\d{2})$/
/** ISO 8601 with a zone, as PostgreSQL reads it too. */
export const isoInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/
const decimal = /^[+-]?\d{1,20}(?:\.\d{1,12})?$/
const email = /^[^\s@<>()",;:]+@[^\s@<>()",;:]+\.[^\s@<>()",;:]+$/
const textLimit = 1_000
const longLimit = 100_000

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value)
}

/** What a value from outside became, or why it cannot be kept. */
export type ParsedValue =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: Omit<FieldFault, 'path'> }

const kept = (value: unknown): ParsedValue => ({ ok: true, value })
const refused = (code: string, detail: string, values: Readonly<Record<string, unknown>>): ParsedValue => ({
  ok: false,
  fault: { code, detail, values },
})

const missing = ({ name }: FieldModel): ParsedValue => {
  const { path: _, ...fault } = requiredFault(name)
  return { ok: false, fault }
}
/** Not of the kind its field keeps; `expected` names the kind to the translations. */
const mistyped = (input: unknown, expected: string, is: string, values = {}): ParsedValue =>
  refused('TYPE', `"${shown(input)}" is ${is}`, { value: shown(input), expected, ...values })

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** A field that must have a value and has none. */
export function requiredFault(field: string): FieldFault {
  return { path: `/${field}`, code: 'REQUIRED', detail: `${field} must have a value.`, values: { field } }
}

/**
 * Checks one value of the API against its field and brings it into the form in which records are answered.
 *
 * Empty text is an empty field. Numbers are accepted for decimals and kept as decimal strings with the field's scale,
 * so that equal amounts are equal strings; more decimals than the field has are refused, never rounded.
 */
export function parseValue(field: FieldModel, input: unknown): ParsedValue {
  if (
    input === undefined ||
    input === null ||
    (typeof input === 'string' && input.trim() === '' && field.type !== 'json')
  ) {
    return field.required ? missing(field) : kept(null)
  }
  if (field.isId) return parseId(input)
  switch (field.type) {
    case 'text':
    case 'long':
    case 'auto-number':
      return parseText(field, input)
    case 'phone':
      return parsePhone(field, input)
    case 'rich': {
      const text = parseText(field, input)
      return text.ok ? kept(cleanRichText(String(text.value)) || null) : text
    }
    case 'email':
      if (typeof input === 'string' && email.test(input.trim()) && input.length <= 254) return kept(input.trim())
      return refused('EMAIL_INVALID', `"${shown(input)}" is not an e-mail address; it should read name@example.com.`, {
        value: shown(input),
      })
    case 'url':
      return parseUrl(input)
    case 'integer':
      return parseInteger(field, input)
    case 'duration':
      return parseInteger(field, minutesOf(input))
    case 'decimal':
    case 'money':
    case 'percent':
      return parseDecimal(field, input)
    case 'boolean':
      return typeof input === 'boolean' ? kept(input) : mistyped(input, 'boolean', 'not true or false.')
    case 'date':
      return parseDate(input)
    case 'instant':
      return parseInstant(input)
    case 'select':
      if (field.options?.some(({ value }) => value === input)) return kept(input)
      return noChoice(field, input)
    case 'multi-select':
      return parseChoices(field, input)
    case 'address':
      return parseAddress(field, input)
    case 'user':
    case 'team':
    case 'reference':
      return parseId(input)
    case 'json':
      return typeof input === 'object' ? kept(input) : mistyped(input, 'json', 'not a JSON object or list.')
  }
}

function parseId(input: unknown): ParsedValue {
  return isUuid(input) ? kept(input.toLowerCase()) : mistyped(input, 'id', 'not the id of a record.')
}

/** A duration is kept in minutes; ISO 8601 (`PT1H30M`, section 5.5.2) is understood. */
function minutesOf(input: unknown): unknown {
  const iso = /^P(?=\d|T)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?)?$/i
  const parts = typeof input === 'string' ? iso.exec(input.trim()) : undefined
  if (!parts) return input
  const [days, hours, minutes] = parts.slice(1).map((part) => Number(part ?? 0)) as [number, number, number]
  return days * 1440 + hours * 60 + minutes
}

function parseChoices(field: FieldModel, input: unknown): ParsedValue {
  if (!Array.isArray(input)) return mistyped(input, 'choices', 'not a list of choices.')
  const options = (field.options ?? []).map(({ value }) => value)
  const unknown = input.find((it) => !options.includes(it as string))
  if (unknown !== undefined) return noChoice(field, unknown)
  // In the order of the options, so that the same choices are the same value.
  const chosen = options.filter((option) => input.includes(option))
  return chosen.length > 0 ? kept(chosen) : field.required ? missing(field) : kept(null)
}

function noChoice({ name, options = [] }: FieldModel, input: unknown): ParsedValue {
  const choices = options.map(({ value }) => value).join(', ')
  return refused('OPTION_UNKNOWN', `"${shown(input)}" is not a choice of ${name}. Its choices are ${choices}.`, {
    value: shown(input),
    field: name,
    choices,
  })
}

function parseAddress(field: FieldModel, input: unknown): ParsedValue {
  const parts = addressParts.join(', ')
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return mistyped(input, 'address', `not an address with ${parts}.`, { parts })
  const lines: Record<string, string> = {}
  for (const [part, value] of Object.entries(input)) {
    if (!addressParts.includes(part as never))
      return mistyped(part, 'part', `no part of an address. Its parts are ${parts}.`, { parts })
    if (value === null || value === '') continue
    if (typeof value !== 'string' || value.length > 200 || value.includes('\u0000'))
      return mistyped(value, 'line', `not a text of at most 200 characters for ${part}.`, { part })
    if (value.trim() !== '') lines[part] = part === 'country' ? value.trim().toUpperCase() : value.trim()
  }
  const country = lines['country']
  if (country !== undefined && !isCountry(country))
    return refused('COUNTRY_UNKNOWN', `"${shown(country)}" is not a country code; it should read FR.`, {
      value: shown(country),
    })
  const isEmpty = Object.keys(lines).length === 0
  return isEmpty && field.required ? missing(field) : kept(isEmpty ? null : lines)
}

function parseText(field: FieldModel, input: unknown): ParsedValue {
  if (typeof input !== 'string') return mistyped(input, 'text', 'not a text.')
  // PostgreSQL keeps no NUL character.
  if (input.includes('\u0000'))
    return refused('TEXT_INVALID', `${field.name} holds a NUL character, which no text may.`, { field: field.name })
  const isLong = field.type === 'long' || field.type === 'rich'
  const limit = field.maxLength ?? (isLong ? longLimit : textLimit)
  const text = isLong ? input : input.trim()
  if (text.length <= limit) return kept(text)
  const length = text.length
  return refused('TOO_LONG', `${field.name} has ${length} characters; at most ${limit} are kept.`, {
    field: field.name,
    length,
    limit,
  })
}

// An extension may follow: 01 42 68 53 00 poste 12.
const phone = /^[+(]{0,2}\d[\d\s().\-/]*\d\)?(?:\s*(?:[x#]|ext\.?|poste)\s*\d{1,6})?$/i

/** Of a resource's own number what was typed is kept as it is, beside the number as it is dialled. */
function parsePhone(field: FieldModel, input: unknown): ParsedValue {
  const text = parseText(field, input)
  if (!text.ok || !field.custom || phone.test(String(text.value))) return text
  return refused('PHONE_INVALID', `"${shown(input)}" is not a phone number; it should read +33 1 42 68 53 00.`, {
    value: shown(input),
  })
}

function parseUrl(input: unknown): ParsedValue {
  if (typeof input === 'string' && input.length <= 2_000) {
    const url = URL.parse(/^[a-z][a-z0-9+.-]*:/i.test(input.trim()) ? input.trim() : `https://${input.trim()}`)
    if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname.includes('.'))
      return kept(url.href)
  }
  return refused('URL_INVALID', `"${shown(input)}" is not a web address; it should read https://example.com.`, {
    value: shown(input),
  })
}

/** The largest whole number that PostgreSQL's integer keeps. */
const largest = 2_147_483_647

function parseInteger(field: FieldModel, input: unknown): ParsedValue {
  const number = typeof input === 'string' && /^[+-]?\d{1,60}$/.test(input.trim()) ? Number(input) : input
  if (typeof number !== 'number' || !Number.isInteger(number)) return mistyped(input, 'integer', 'not a whole number.')
  const { min = -largest, max = largest } = field
  const isKept = Math.abs(number) <= largest
  return outOfRange(isKept ? field : { ...field, min, max }, new Decimal(number), shown(input)) ?? kept(number)
}

function parseDecimal(field: FieldModel, input: unknown): ParsedValue {
  const text =
    typeof input === 'number' && Number.isFinite(input)
      ? new Decimal(input).toFixed()
      : typeof input === 'string'
        ? input.trim()
        : ''
  if (!decimal.test(text)) return mistyped(input, 'decimal', 'not a decimal number such as "1234.56".')
  const number = new Decimal(text)
  const scale = field.scale ?? 4
  if (number.decimalPlaces() > scale)
    return refused('TOO_PRECISE', `"${text}" has more than the ${scale} decimals ${field.name} keeps.`, {
      value: text,
      scale,
      field: field.name,
    })
  if (number.abs().greaterThanOrEqualTo('1e15'))
    return refused('OUT_OF_RANGE', `"${text}" is larger than ${field.name} keeps.`, {
      value: text,
      field: field.name,
      range: 'kept',
    })
  return outOfRange(field, number) ?? kept(number.toFixed(scale))
}

function outOfRange(field: FieldModel, number: Decimal, value = number.toFixed()): ParsedValue | undefined {
  const { min, max } = field
  if ((min === undefined || number.gte(min)) && (max === undefined || number.lte(max))) return undefined
  const [range, allowed] =
    min === undefined
      ? ['max', `at most ${max}`]
      : max === undefined
        ? ['min', `at least ${min}`]
        : ['both', `between ${min} and ${max}`]
  return refused('OUT_OF_RANGE', `"${value}" is outside what ${field.name} allows: ${allowed}.`, {
    value,
    field: field.name,
    range,
    min: min ?? '',
    max: max ?? '',
  })
}

function parseDate(input: unknown): ParsedValue {
  const parts = typeof input === 'string' ? isoDate.exec(input.trim()) : undefined
  if (parts) {
    const [, year, month, day] = parts.map(Number) as [number, number, number, number]
    const date = new Date(Date.UTC(year, month - 1, day))
    if (date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0) return kept(parts[0])
  }
  return mistyped(input, 'date', 'not a date; it should read 2026-03-31.')
}

function parseInstant(input: unknown): ParsedValue {
  if (input instanceof Date && !Number.isNaN(input.getTime())) return kept(input.toISOString())
  if (typeof input === 'string' && isoInstant.test(input.trim())) {
    const instant = new Date(input.trim())
    // PostgreSQL has no year 0, and an offset may carry the last hours of 9999 into a year of five digits.
    if (!Number.isNaN(instant.getTime()) && /^(?!0000)\d{4}-/.test(instant.toISOString()))
      return kept(instant.toISOString())
  }
  return mistyped(input, 'instant', 'not an instant; it should read 2026-03-31T09:00:00Z.')
}

/** True when two values of the API's form are the same. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true
  const a = left ?? null
  const b = right ?? null
  if (a === b) return true
  if (a === null || b === null) return false
  return typeof a === 'object' || typeof b === 'object' ? canonical(a) === canonical(b) : false
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
