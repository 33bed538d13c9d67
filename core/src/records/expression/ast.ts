import { Decimal } from 'decimal.js'
import { z } from 'zod'

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>='
export type SpanUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

/**
 * A constant as it stands in the text. Dates, instants and ids are strings: the field they meet gives them their meaning.
 *
 * A number is a JSON number where that loses nothing (`1000.5`), else its digits: `{ number: '12345678901234567.89' }`.
 */
export type Literal =
  string | number | boolean | { readonly number: string } | { readonly call: 'today' | 'now' | 'me' }

/** `last 90 days` counts back from today, `next 2 weeks` forward; without a count it is the calendar's: `last month`. */
export interface Span {
  readonly side: 'last' | 'this' | 'next'
  readonly unit: SpanUnit
  readonly count?: number
}

/**
 * A condition on one record, as JSON. A `path` is a field (`amount`), or one behind references (`account.owner.name`);
 * in `any`, `none` and `count` it ends in a collection, in `sum` in a number of a collection (`opportunities.amount`).
 *
 * Every condition is true or false. An empty value (null, or a text without a character) satisfies no comparison, not even
 * `!=`: where there is no amount, `amount != 5` is false and `not amount = 5` true. An empty `and` is always true, an
 * empty `or` never.
 */
export type Expression =
  | { readonly op: 'and' | 'or'; readonly of: readonly Expression[] }
  | { readonly op: 'not'; readonly of: Expression }
  | { readonly op: Comparator | '~'; readonly path: string; readonly value: Literal }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly Literal[] }
  | { readonly op: 'empty'; readonly path: string }
  | { readonly op: 'within'; readonly path: string; readonly span: Span }
  | { readonly op: 'any' | 'none'; readonly path: string; readonly where?: Expression }
  | {
      readonly op: 'count' | 'sum'
      readonly path: string
      readonly where?: Expression
      readonly is: Comparator
      readonly value: Literal
    }

/** What one expression may cost. Beyond these it is refused as `EXPRESSION_TOO_COSTLY`, before the database sees it. */
export const expressionLimits = {
  /** Characters of the text form, and of the JSON form's strings together. */
  text: 20_000,
  /** Characters of one text constant. */
  string: 2_000,
  /** Conditions and the words that join them. */
  nodes: 300,
  /** Brackets, `not`, `any` … inside one another. */
  depth: 32,
  /** References followed in one path. */
  hops: 4,
  /** Conditions that look into other tables. */
  lookups: 40,
  /** `any`, `none`, `count`, `sum` inside one another. */
  collections: 2,
  /** Constants in one `in (…)`. */
  values: 500,
} as const

/** Longest count of each unit in `within last n …`: a century, so that every bound is a date the database knows. */
export const spanLimits: Readonly<Record<SpanUnit, number>> = {
  minute: 100_000,
  hour: 100_000,
  day: 36_525,
  week: 5_218,
  month: 1_200,
  quarter: 400,
  year: 100,
}

const digits = /^-?\d{1,40}(\.\d{1,40})?$/

/** The one spelling of a number: a JSON number where it keeps every digit. `'1.50'` gives `1.5`. */
export function numberLiteral(text: string): Literal {
  const exact = new Decimal(text)
  // Decimal reads a JavaScript number by its shortest spelling, so 0.1 stays 0.1; -0 becomes 0.
  const short = exact.toNumber() + 0
  if (exact.equals(short) && digits.test(new Decimal(short).toFixed())) return short
  return { number: exact.toFixed() }
}

export function isNumber(literal: Literal): literal is number | { readonly number: string } {
  return typeof literal === 'number' || (typeof literal === 'object' && 'number' in literal)
}

/** The exact value of a number in the text. */
export function decimalOf(literal: number | { readonly number: string }): Decimal {
  return new Decimal(typeof literal === 'number' ? literal : literal.number)
}

const path = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/, 'A path is names joined by dots, like "account.name".')
const comparator = z.enum(['=', '!=', '<', '<=', '>', '>='])
const unit = z.enum(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'])
const span = z.strictObject({
  side: z.enum(['last', 'this', 'next']),
  unit,
  count: z.int().min(1).max(100_000).exactOptional(),
})

const literal: z.ZodType<Literal> = z.union([
  z.string().max(expressionLimits.string),
  z.boolean(),
  z
    .number()
    .refine((it) => digits.test(new Decimal(it).toFixed()), 'A number has at most 40 digits on each side of its point.')
    .transform((it) => numberLiteral(String(it))),
  z.strictObject({ number: z.string().regex(digits) }).transform((it) => numberLiteral(it.number)),
  z.strictObject({ call: z.enum(['today', 'now', 'me']) }),
])

const node: z.ZodType<Expression> = z.lazy(() =>
  z.discriminatedUnion('op', [
    // A builder on the screen sends `and` of one condition: that is the condition.
    z
      .strictObject({ op: z.enum(['and', 'or']), of: z.array(node).max(expressionLimits.nodes) })
      .transform((it): Expression => (it.of.length === 1 ? it.of[0]! : it)),
    z.strictObject({ op: z.literal('not'), of: node }),
    z.strictObject({ op: z.enum(['=', '!=', '<', '<=', '>', '>=', '~']), path, value: literal }),
    z.strictObject({ op: z.literal('in'), path, values: z.array(literal).min(1).max(expressionLimits.values) }),
    z.strictObject({ op: z.literal('empty'), path }),
    z.strictObject({ op: z.literal('within'), path, span }),
    z.strictObject({ op: z.enum(['any', 'none']), path, where: node.exactOptional() }),
    z.strictObject({
      op: z.enum(['count', 'sum']),
      path,
      where: node.exactOptional(),
      is: comparator,
      value: literal,
    }),
  ]),
)

/**
 * Reads the JSON form from the wire and gives its one canonical spelling.
 *
 * It is measured before it is read: a body of ten thousand nested `not` would exhaust the stack of any recursive reader.
 */
export const expressionSchema: z.ZodType<Expression> = z
  .unknown()
  .superRefine((input, context) => {
    const excess = measure(input)
    if (excess !== undefined)
      context.addIssue({ code: 'custom', message: excess, params: { costly: true }, fatal: true })
  })
  .pipe(node)

function measure(input: unknown): string | undefined {
  // Each condition adds an object and a list to the nesting; the constants in it add two more.
  const deepest = expressionLimits.depth * 2 + 2
  const most = expressionLimits.nodes * 8 + expressionLimits.values * 4
  let seen = 1
  let characters = 0
  const open: { value: unknown; depth: number }[] = [{ value: input, depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > deepest) return `The expression nests deeper than ${expressionLimits.depth} levels.`
    if (typeof next.value === 'string') characters += next.value.length
    if (characters > expressionLimits.text) return `The expression has more than ${expressionLimits.text} characters.`
    if (typeof next.value !== 'object' || next.value === null) continue
    const depth = next.depth + 1
    const parts = Array.isArray(next.value) ? next.value : Object.values(next.value)
    seen += parts.length
    if (seen > most) return `The expression has more than ${expressionLimits.nodes} conditions.`
    for (const value of parts) open.push({ value, depth })
  }
  return undefined
}
