import type { CheckedExpression, Plan } from '../../records/expression/check.ts'
import { compileExpression, printExpression } from '../../records/expression/index.ts'
import type { Environment } from '../../records/expression/moments.ts'
import type { Truths } from './truths.ts'

/** A condition, whether it holds of the record, and the conditions it is made of. */
export interface ConditionTree {
  readonly text: string
  readonly result: boolean
  readonly of?: readonly ConditionTree[]
}

/** Each part asked of the database as the whole is, so that the tree cannot say otherwise than the verdict. */
export function conditionTree(
  checked: CheckedExpression,
  truths: Truths,
  environment: Environment,
): () => ConditionTree {
  const grow = (plan: Plan): (() => ConditionTree) => {
    const holds = truths.of(compileExpression({ ...checked, plan }, { alias: 't', environment }))
    const parts = partsOf(plan).map(grow)
    return () => ({
      text: printExpression(plan.source),
      result: holds(),
      ...(parts.length > 0 ? { of: parts.map((part) => part()) } : {}),
    })
  }
  return grow(checked.plan)
}

function partsOf(plan: Plan): readonly Plan[] {
  if (plan.op === 'and' || plan.op === 'or') return plan.of
  return plan.op === 'not' ? [plan.of] : []
}
