import { expressionLimits, expressionSchema } from './ast.ts'
import type { Expression } from './ast.ts'
import { expressionInvalid, expressionTooCostly } from './errors.ts'
import { parseExpression } from './parse.ts'

/**
 * Reads a filter as it comes from outside: text, or the JSON form.
 *
 * @throws `EXPRESSION_INVALID` (400) with `position` in a text, with `at` (a JSON pointer) in the JSON form
 * @throws `EXPRESSION_TOO_COSTLY` (422) when it is too long or too deep to be read at all
 */
export function readExpression(input: unknown): Expression {
  if (typeof input === 'string') return parseExpression(input)
  const read = expressionSchema.safeParse(input)
  if (read.success) return read.data
  const issue = read.error.issues[0]!
  if (issue.code === 'custom' && issue.params?.['costly'] === true) {
    throw expressionTooCostly({ what: 'conditions, levels or characters', limit: expressionLimits.nodes })
  }
  const at = `/${issue.path.map(String).join('/')}`
  const fault = { kind: 'shape', subject: at, found: issue.message, expected: '', hint: '' } as const
  throw expressionInvalid(fault, { at, found: issue.message })
}
