import { Decimal } from 'decimal.js'
import { addressParts } from '../field-types.ts'
import type { FieldModel, FieldType } from '../model.ts'
import { fold } from './fold.ts'

/** A value in the form in which two of a kind are compared: never a float, never a `Date`. */
export type Key = string | boolean | bigint | Decimal

export type DomainName =
  'text' | 'prose' | 'choice' | 'choices' | 'number' | 'boolean' | 'date' | 'instant' | 'id' | 'address' | 'json'

/** How the values of a kind of field are read from a record, compared, and handed to PostgreSQL. */
export interface Domain {
  readonly name: DomainName
  readonly operators: readonly string[]
  /** What it is compared with, in words with an example. */
  readonly takes: string
  /** The key of a record's value, `undefined` when it is empty. */
  read(value: unknown): Key | undefined
  compare(left: Key, right: Key): number
  equals(left: Key, right: Key): boolean
  /** The parameter for a key, and the PostgreSQL type it is cast to. */
  parameter(key: Key): string | boolean
  readonly cast: string
}

// Sums over a collection must not round: PostgreSQL's numeric does not either.
const Exact = Decimal.clone({ precision: 500 })

function order(left: Key, right: Key): number {
  return left < right ? -1 : left > right ? 1 : 0
}

const same = (left: Key, right: Key) => left === right

const equality = ['=', '!=', 'in', 'is empty']
const ordering = ['=', '!=', '<', '<=', '>', '>=', 'in', 'is empty']

function readText(value: unknown): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : String(value)
}

const text: Domain = {
  name: 'text',
  operators: ['=', '!=', '<', '<=', '>', '>=', '~', 'in', 'is empty'],
  takes: 'a text in quotes, such as "Garonne"',
  read: readText,
  // Equality is exact; before and after are said without accents and capitals, as a reader of a list expects, and by
  // code points, because collations differ between database servers and JavaScript engines.
  compare: (left, right) => Buffer.compare(Buffer.from(fold(String(left))), Buffer.from(fold(String(right)))),
  equals: same,
  parameter: String,
  cast: 'text',
}

const choice: Domain = { ...text, name: 'choice', operators: equality, takes: 'one of its options' }

/** Long formatted text: looked into, never compared as a whole. */
const prose: Domain = { ...text, name: 'prose', operators: ['~', 'is empty'] }

/** Several of the options: `=` asks whether one is among them, `in` whether any is. */
const choices: Domain = {
  ...text,
  name: 'choices',
  operators: equality,
  takes: 'one of its options',
  read: (value) => (Array.isArray(value) ? (value.length > 0 ? JSON.stringify(value) : undefined) : readText(value)),
  equals: (left, right) => (JSON.parse(String(left)) as unknown[]).includes(right),
}

/** An address is looked into as it is written on an envelope. */
const address: Domain = {
  ...text,
  name: 'address',
  operators: ['~', 'is empty'],
  read: (value) =>
    typeof value === 'object' && value !== null
      ? readText(
          addressParts
            .map((part) => (value as Readonly<Record<string, unknown>>)[part])
            .filter(Boolean)
            .join(', '),
        )
      : undefined,
}

const number: Domain = {
  name: 'number',
  operators: ordering,
  takes: 'a number, such as 1000.50',
  read: (value) => (value === null || value === undefined || value === '' ? undefined : new Exact(String(value))),
  compare: (left, right) => (left as Decimal).comparedTo(right as Decimal),
  equals: (left, right) => (left as Decimal).equals(right as Decimal),
  parameter: (key) => (key as Decimal).toFixed(),
  cast: 'numeric',
}

const boolean: Domain = {
  name: 'boolean',
  operators: equality,
  takes: 'true or false',
  read: (value) => (value === null || value === undefined ? undefined : Boolean(value)),
  compare: order,
  equals: same,
  parameter: (key) => key as boolean,
  cast: 'boolean',
}

const date: Domain = {
  name: 'date',
  operators: [...ordering, 'within'],
  takes: 'a date, such as "2026-01-31" or today()',
  read: readText,
  compare: order,
  equals: same,
  parameter: String,
  cast: 'date',
}

const instant: Domain = {
  name: 'instant',
  operators: [...ordering, 'within'],
  takes: 'an instant or a date, such as "2026-01-31T09:00:00Z", "2026-01-31" or now()',
  read: (value) => (value === null || value === undefined ? undefined : microseconds(value)),
  compare: order,
  equals: same,
  parameter: (key) => instantText(key as bigint),
  cast: 'timestamptz',
}

const id: Domain = {
  name: 'id',
  operators: equality,
  takes: 'an id, such as "0190a6e2-7c4b-7d3e-9f10-2b3c4d5e6f70"',
  read: (value) => {
    // A reference that was loaded stands there as its record.
    const own = typeof value === 'object' && value !== null && 'id' in value ? value.id : value
    return readText(own)?.toLowerCase()
  },
  compare: order,
  equals: same,
  parameter: String,
  cast: 'uuid',
}

const json: Domain = {
  ...text,
  name: 'json',
  operators: ['is empty'],
  takes: 'nothing but "is empty"',
  read: (value) => (value === null || value === undefined ? undefined : JSON.stringify(value)),
}

const domains: Readonly<Record<FieldType, Domain>> = {
  text,
  long: text,
  rich: prose,
  'auto-number': text,
  email: text,
  phone: text,
  url: text,
  select: choice,
  'multi-select': choices,
  integer: number,
  decimal: number,
  money: number,
  percent: number,
  duration: { ...number, takes: 'a number of minutes, such as 90' },
  boolean,
  date,
  instant,
  user: id,
  team: id,
  reference: id,
  address,
  json,
}

export function domainOf(field: FieldModel): Domain {
  // Field types have none for ids: the record's own is a uuid under any.
  return field.name === 'id' || field.isId ? id : domains[field.type]
}

/** The domain of `count` and `sum`. */
export const numbers = { ...number, add: (left: Key, right: Key): Key => (left as Decimal).plus(right as Decimal) }

const written = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,6})\d*)?(Z|[+-]\d{2}(?::?\d{2})?)$/

/** Microseconds since 1970, PostgreSQL's own grain: JavaScript's milliseconds would make two instants one. */
export function microseconds(value: unknown): bigint {
  if (value instanceof Date) return BigInt(value.getTime()) * 1000n
  const parts = written.exec(String(value))
  if (!parts) throw new TypeError(`Not an instant: ${String(value)}`)
  const [, day, minute, second = ':00', fraction = '', zone = 'Z'] = parts
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone
  const whole = Date.parse(`${day}T${minute}${second}${offset}`)
  return BigInt(whole) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

function instantText(key: bigint): string {
  const fraction = ((key % 1_000_000n) + 1_000_000n) % 1_000_000n
  const second = new Date(Number((key - fraction) / 1000n)).toISOString().slice(0, -5)
  // The day after 9999-12-31 is "+010000-01-01" to JavaScript and "10000-01-01" to PostgreSQL.
  return `${second.replace(/^\+0?/, '')}.${fraction.toString().padStart(6, '0')}Z`
}
