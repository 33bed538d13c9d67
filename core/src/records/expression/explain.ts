import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { CheckedExpression, Plan } from './check.ts'
import { compileMet, compileExpression } from './compile.ts'
import type { CompileOptions } from './compile.ts'
import { printExpression } from './print.ts'

/** One condition, what became of it, and why. */
export interface Explanation {
  /** The condition in the text form. */
  readonly text: string
  readonly result: boolean
  /** The value it met (null when empty), or the count or sum it made of a collection. */
  readonly actual?: unknown
  /** How the conditions it is made of belong together. */
  readonly op?: 'and' | 'or' | 'not'
  readonly of?: readonly Explanation[]
}

/** What stands in a row's answer for one comparison: whether it holds, and what it met. */
type Met = readonly [boolean, unknown]

/**
 * Says why a row is in or out: the whole tree, also what the result did not hang on. Each comparison is asked of the
 * database as the whole is, so that the tree cannot say otherwise than the list.
 *
 * @returns `columns`, a JSON array to stand in a SELECT from the resource's rows, and what reads the tree out of it
 */
export function explainExpression(
  checked: CheckedExpression,
  options: CompileOptions,
): { readonly columns: RawBuilder<unknown>; readonly told: (answer: readonly Met[]) => Explanation } {
  const asked: RawBuilder<unknown>[] = []
  const grow = (plan: Plan): ((answer: readonly Met[]) => Explanation) => {
    const text = printExpression(plan.source)
    switch (plan.op) {
      case 'and':
      case 'or': {
        const parts = plan.of.map(grow)
        return (answer) => {
          const of = parts.map((part) => part(answer))
          const result = plan.op === 'and' ? of.every((it) => it.result) : of.some((it) => it.result)
          return { text, result, op: plan.op, of }
        }
      }
      case 'not': {
        const inner = grow(plan.of)
        return (answer) => {
          const of = [inner(answer)]
          return { text, result: !of[0]!.result, op: plan.op, of }
        }
      }
      default: {
        const condition = compileExpression({ ...checked, plan }, options)
        const at = asked.push(sql`jsonb_build_array(${condition}, ${compileMet(plan, options)})`) - 1
        return (answer) => ({ text, result: answer[at]?.[0] === true, actual: answer[at]?.[1] ?? null })
      }
    }
  }
  const told = grow(checked.plan)
  // An array and not a call: no function takes more than a hundred arguments.
  return { columns: sql`to_jsonb(array[${sql.join(asked)}]::jsonb[])`, told }
}
