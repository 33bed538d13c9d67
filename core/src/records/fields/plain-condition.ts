import { isNumber, type Literal } from '../expression/ast.ts'
import { domainOf } from '../expression/domains.ts'
import type { Expression } from '../expression/index.ts'
import type { Resource } from '../registry.ts'

const ordered: ReadonlySet<string | undefined> = new Set(['number', 'date'])
const equal: ReadonlySet<string | undefined> = new Set([...ordered, 'text', 'choice', 'choices', 'boolean', 'id'])

/**
 * A condition that a browser may judge by itself: over fields its actor may read, by comparisons that need neither clock
 * nor zone nor the folding of letters. Any other stays here, where the whole of it is judged when the record is written.
 */
export function plainCondition(
  condition: Expression | undefined,
  resource: Resource,
  readable: (name: string) => boolean,
): Expression | undefined {
  return condition && isPlain(condition) ? condition : undefined

  function isPlain(node: Expression): boolean {
    switch (node.op) {
      case 'and':
      case 'or':
        return node.of.every(isPlain)
      case 'not':
        return isPlain(node.of)
      case 'empty':
        return domainName(node.path) !== undefined
      case '=':
      case '!=':
        return equal.has(domainName(node.path)) && isConstant(node.value)
      case 'in':
        return equal.has(domainName(node.path)) && node.values.every(isConstant)
      case '<':
      case '<=':
      case '>':
      case '>=':
        return ordered.has(domainName(node.path)) && isConstant(node.value)
      default:
        return false
    }
  }

  function domainName(path: string): string | undefined {
    const field = resource.fields.get(path)
    // What a formula comes to is known once the record is kept.
    return field && !field.formula && readable(path) ? domainOf(field).name : undefined
  }
}

function isConstant(value: Literal): boolean {
  return typeof value !== 'object' || isNumber(value)
}
