import { Decimal } from 'decimal.js'
import type { CheckedExpression, Plan } from './check.ts'
import { numbers } from './domains.ts'
import { figureOf, holds, matches, members, valueAt } from './evaluate.ts'
import type { LoadedRecord, OverMany } from './evaluate.ts'
import type { Environment } from './moments.ts'
import { printExpression } from './print.ts'
import { settle, settleFigure } from './settle.ts'

/** One condition, what became of it, and why. */
export interface Explanation {
  /** The condition in the text form. */
  readonly text: string
  readonly result: boolean
  /** The value it met (null when empty), the count or the sum. */
  readonly actual?: unknown
  /** The conditions it is made of. */
  readonly of?: readonly Explanation[]
  /** The records of a collection, each with its own reasons; the first `explainedMembers`. */
  readonly members?: readonly { readonly id: unknown; readonly because: Explanation }[]
}

/** Records of one collection that are explained one by one; `actual` counts them all. */
export const explainedMembers = 20

/** Says why a record is in or out: the whole tree, also what the result did not hang on. Same result as `evaluateExpression`. */
export function explainExpression(
  { plan }: CheckedExpression,
  record: LoadedRecord,
  environment: Environment,
): Explanation {
  return explain(plan, record, environment)
}

function explain(plan: Plan, record: LoadedRecord, environment: Environment): Explanation {
  const text = printExpression(plan.source)
  switch (plan.op) {
    case 'and':
    case 'or': {
      const of = plan.of.map((part) => explain(part, record, environment))
      const result = plan.op === 'and' ? of.every((it) => it.result) : of.some((it) => it.result)
      return { text, result, of }
    }
    case 'not': {
      const inner = explain(plan.of, record, environment)
      return { text, result: !inner.result, of: [inner] }
    }
    case 'test': {
      const value = valueAt(plan, record)
      const result = holds(settle(plan.source, plan.domain, environment), value, plan.domain)
      return { text, result, actual: shown(value) }
    }
    default:
      return explainMany(plan, text, { record, environment })
  }
}

function explainMany(
  plan: OverMany,
  text: string,
  { record, environment }: { record: LoadedRecord; environment: Environment },
): Explanation {
  const found = matches(plan, record, environment)
  const actual = shown(figureOf(plan, found))
  const { where } = plan
  const reasons = where && {
    members: members(plan, record)
      .slice(0, explainedMembers)
      .map((member) => ({ id: member['id'] ?? null, because: explain(where, member, environment) })),
  }
  const result =
    plan.op === 'count' || plan.op === 'sum'
      ? holds(settleFigure(plan.figure!), figureOf(plan, found), numbers)
      : found.length > 0 === (plan.op === 'any')
  return { text, result, actual, ...reasons }
}

/** As JSON: a reference by its id, an instant in ISO, a number of money with its digits. */
function shown(value: unknown): unknown {
  if (value === undefined || value === '') return null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Decimal) return value.toFixed()
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object' && value !== null && 'id' in value) return value.id
  return value
}
