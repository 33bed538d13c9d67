import { decimalOf, isNumber } from './ast.ts'
import type { Expression, Literal, Span } from './ast.ts'
import { reservedWords } from './parse.ts'

/** The canonical text of an expression: `parseExpression` reads the same expression back. */
export function printExpression(expression: Expression): string {
  switch (expression.op) {
    case 'and':
    case 'or':
      if (expression.of.length === 0) return expression.op === 'and' ? 'true' : 'false'
      if (expression.of.length === 1) return printExpression(expression.of[0]!)
      return expression.of.map((part) => printPart(part, expression.op)).join(` ${expression.op} `)
    case 'not': {
      const of = bare(expression.of)
      return of.op === 'empty' ? `${printPath(of.path)} is not empty` : `not ${printPart(of, 'not')}`
    }
    case 'empty':
      return `${printPath(expression.path)} is empty`
    case 'in':
      return `${printPath(expression.path)} in (${expression.values.map(printLiteral).join(', ')})`
    case 'within':
      return `${printPath(expression.path)} within ${printSpan(expression.span)}`
    case 'any':
    case 'none':
      return printCollection(expression)
    case 'count':
    case 'sum':
      return `${printCollection(expression)} ${expression.is} ${printLiteral(expression.value)}`
    default:
      return `${printPath(expression.path)} ${expression.op} ${printLiteral(expression.value)}`
  }
}

function printPart(wrapped: Expression, inside: 'and' | 'or' | 'not'): string {
  const part = bare(wrapped)
  const text = printExpression(part)
  const joins = (part.op === 'and' || part.op === 'or') && part.of.length > 0
  // `and` binds closer than `or`, so only it may stand without brackets inside the other.
  return !joins || (inside === 'or' && part.op === 'and') ? text : `(${text})`
}

/** An `and` or `or` of one condition says no more than the condition. */
function bare(expression: Expression): Expression {
  const alone = (expression.op === 'and' || expression.op === 'or') && expression.of.length === 1
  return alone ? bare(expression.of[0]!) : expression
}

function printCollection({ op, path, where }: { op: string; path: string; where?: Expression }): string {
  return where ? `${op}(${printPath(path)}, ${printExpression(where)})` : `${op}(${printPath(path)})`
}

function printPath(path: string): string {
  return reservedWords.has(path.toLowerCase()) ? `\`${path}\`` : path
}

/** As it would be written: `"open"`, `1000.5`, `today()`. */
export function printLiteral(literal: Literal): string {
  if (isNumber(literal)) return decimalOf(literal).toFixed()
  if (typeof literal === 'object') return `${literal.call}()`
  return JSON.stringify(literal)
}

export function printSpan({ side, unit, count }: Span): string {
  if (count === undefined) return `${side} ${unit}`
  return `${side} ${count} ${count === 1 ? unit : `${unit}s`}`
}
