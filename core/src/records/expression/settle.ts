import { decimalOf, isNumber } from './ast.ts'
import type { Comparator, Expression, Literal } from './ast.ts'
import type { Domain, Key } from './domains.ts'
import { dayBounds, isDay, momentKey, spanDays, spanInstants, today } from './moments.ts'
import type { Environment } from './moments.ts'

export type Comparison = Extract<Expression, { op: Comparator | '~' | 'in' | 'empty' | 'within' }>

/**
 * A question about one value with every constant worked out. SQL and JavaScript answer it alike: an empty value fails
 * each but `empty`, so none of them is ever unknown.
 */
export type Test =
  | { readonly is: 'empty' }
  | { readonly is: 'never' }
  | { readonly is: 'oneOf'; readonly keys: readonly Key[] }
  | { readonly is: 'bounded'; readonly from?: Bound; readonly until?: Bound }
  | { readonly is: 'contains'; readonly needle: string }
  | { readonly is: 'anyOf'; readonly tests: readonly Test[] }
  /** Not empty, and the test fails. */
  | { readonly is: 'butNot'; readonly test: Test }

export interface Bound {
  readonly key: Key
  readonly included: boolean
}

/** Replaces `today()`, `now()`, `me()`, days of instants and spans by constants: the only place that looks at the clock. */
export function settle(comparison: Comparison, domain: Domain, environment: Environment): Test {
  switch (comparison.op) {
    case 'empty':
      return { is: 'empty' }
    case '~':
      return { is: 'contains', needle: String(comparison.value) }
    case 'in':
      return anyOf(comparison.values.map((value) => compared('=', value, domain, environment)))
    case 'within': {
      const bounds =
        domain.name === 'date' ? spanDays(comparison.span, environment) : spanInstants(comparison.span, environment)
      return { is: 'bounded', from: { key: bounds.from, included: true }, until: { key: bounds.until, included: true } }
    }
    default:
      return compared(comparison.op as Comparator, comparison.value, domain, environment)
  }
}

function compared(op: Comparator, value: Literal, domain: Domain, environment: Environment): Test {
  const period = domain.name === 'instant' ? dayOf(value, environment) : undefined
  if (period) return comparedWithPeriod(op, period)
  const key = constant(value, domain, environment)
  return key === undefined ? { is: 'never' } : comparedWithKey(op, key)
}

function comparedWithKey(op: Comparator, key: Key): Test {
  switch (op) {
    case '=':
      return { is: 'oneOf', keys: [key] }
    case '!=':
      return { is: 'butNot', test: { is: 'oneOf', keys: [key] } }
    case '<':
    case '<=':
      return { is: 'bounded', until: { key, included: op === '<=' } }
    case '>':
    case '>=':
      return { is: 'bounded', from: { key, included: op === '>=' } }
  }
}

/** An instant compared with a day is compared by its own day in the workspace's zone: `<= "2026-01-31"` holds all of it. */
function comparedWithPeriod(op: Comparator, { from, until }: { from: bigint; until: bigint }): Test {
  const first = { key: from, included: true }
  const after = { key: until, included: false }
  switch (op) {
    case '=':
      return { is: 'bounded', from: first, until: after }
    case '!=':
      return { is: 'butNot', test: { is: 'bounded', from: first, until: after } }
    case '<':
      return { is: 'bounded', until: { key: from, included: false } }
    case '<=':
      return { is: 'bounded', until: after }
    case '>':
      return { is: 'bounded', from: { key: until, included: true } }
    case '>=':
      return { is: 'bounded', from: first }
  }
}

function dayOf(value: Literal, environment: Environment): { from: bigint; until: bigint } | undefined {
  if (typeof value === 'object' && 'call' in value && value.call === 'today') {
    return dayBounds(today(environment), environment.zone)
  }
  return typeof value === 'string' && isDay(value) ? dayBounds(value, environment.zone) : undefined
}

function constant(value: Literal, domain: Domain, environment: Environment): Key | undefined {
  if (isNumber(value)) return decimalOf(value)
  if (typeof value === 'object') {
    if (value.call === 'me') return environment.userId?.toLowerCase()
    return value.call === 'today' ? today(environment) : BigInt(environment.now.getTime()) * 1000n
  }
  if (domain.name === 'instant') return momentKey(String(value), environment.zone)
  return domain.read(value)
}

function anyOf(tests: readonly Test[]): Test {
  const keys = tests.flatMap((test) => (test.is === 'oneOf' ? test.keys : []))
  const others = tests.filter((test) => test.is !== 'oneOf' && test.is !== 'never')
  const together: Test[] = keys.length > 0 ? [{ is: 'oneOf', keys }, ...others] : others
  if (together.length === 0) return { is: 'never' }
  return together.length === 1 ? together[0]! : { is: 'anyOf', tests: together }
}

/** What a `count` or a `sum` has to answer. */
export function settleFigure({ is, value }: { is: Comparator; value: number | { readonly number: string } }): Test {
  return comparedWithKey(is, decimalOf(value))
}
