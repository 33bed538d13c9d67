import type { Mask } from './mask.ts'
import type { FieldModel, FieldType } from './model.ts'

/** What the engine must know of a type beside how its values are parsed and compared. */
export interface FieldKind {
  /** PostgreSQL's type of a value, in which a cursor's text is read back too. */
  readonly sql: 'text' | 'numeric' | 'integer' | 'boolean' | 'date' | 'timestamptz' | 'uuid' | 'jsonb'
  /** Sorted as words are: without regard to accents, in the order of the alphabet. */
  readonly words?: true
  readonly sorts: boolean
  /**
   * Of a value that is no word or number: the words it is sorted by, as SQL over the value. Empty only where the value is: a
   * column that is never empty has no place for it in its order.
   */
  readonly order?: (value: string) => string
  readonly groups: boolean
  /** Numbers have sums and averages. */
  readonly sums?: true
  /** What of a text shows where a role masks its field; of other types nothing does. */
  readonly mask?: Mask
  /** JSON Schema of a value, where its SQL type does not say it. */
  readonly schema?: Readonly<Record<string, unknown>>
}

/** Parts of an address, in the order they are written on an envelope. */
export const addressParts = ['line1', 'line2', 'postalCode', 'city', 'region', 'country'] as const
export type AddressPart = (typeof addressParts)[number]

const words = { sql: 'text', words: true, sorts: true, groups: true, mask: 'text' } as const
const number = { sql: 'numeric', sorts: true, groups: true, sums: true } as const
const id = { sql: 'uuid', sorts: true, groups: true } as const
const whole = { sorts: false, groups: false } as const
/** A cursor carries the words, so they have an end. */
const begun = (text: string) => `left(${text}, 200)`

export const fieldTypes: Readonly<Record<FieldType, FieldKind>> = {
  text: words,
  long: { ...words, groups: false, order: begun },
  rich: {
    sql: 'text',
    ...whole,
    sorts: true,
    order: (value) => begun(String.raw`ltrim(regexp_replace(${value}, '(<[^>]*>|&nbsp;|\s)+', ' ', 'g'))`),
    mask: 'closed',
  },
  email: { ...words, mask: 'email' },
  phone: { ...words, mask: 'phone' },
  url: { ...words, mask: 'url' },
  'auto-number': words,
  select: { sql: 'text', sorts: true, groups: true },
  'multi-select': {
    sql: 'jsonb',
    ...whole,
    sorts: true,
    order: (value) => begun(`translate(${value}::text, '["]', '')`),
    schema: { type: 'array', items: { type: 'string' } },
  },
  integer: { sql: 'integer', sorts: true, groups: true, sums: true },
  duration: { sql: 'integer', sorts: true, groups: true, sums: true },
  decimal: number,
  money: number,
  percent: number,
  boolean: { sql: 'boolean', sorts: true, groups: true },
  date: { sql: 'date', sorts: true, groups: true },
  instant: { sql: 'timestamptz', sorts: true, groups: true },
  user: id,
  team: id,
  reference: id,
  address: {
    sql: 'jsonb',
    ...whole,
    sorts: true,
    order: (value) =>
      begun(`nullif(concat_ws(', ', ${addressParts.map((part) => `${value} ->> '${part}'`).join(', ')}), '')`),
    schema: { type: 'object', additionalProperties: { type: 'string' } },
  },
  json: { sql: 'jsonb', ...whole },
}

/** What the engine must know of a field: an id is one in the database, whatever type the field is shown by. */
export function kindOf({ type, isId }: FieldModel): FieldKind {
  return isId ? id : fieldTypes[type]
}
