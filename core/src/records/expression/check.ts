import type { FieldModel, ResourceCatalog, ResourceModel } from '../model.ts'
import { decimalOf, expressionLimits, isNumber, spanLimits } from './ast.ts'
import type { Comparator, Expression, Literal, Span } from './ast.ts'
import { closest } from './closest.ts'
import { domainOf } from './domains.ts'
import type { Domain } from './domains.ts'
import { expressionInvalid, expressionTooCostly, fieldNotReadable } from './errors.ts'
import type { ExpressionFault } from './errors.ts'
import { isDay, isMoment } from './moments.ts'
import { positionOf } from './positions.ts'
import { printLiteral, printSpan } from './print.ts'
import type { Comparison } from './settle.ts'

/** Which fields the one who asks may read; asked for every field an expression touches, behind references too. */
export interface Access {
  readable(resource: string, field: string): boolean
}

/** For the platform's own expressions, which no actor wrote. */
export const everyField: Access = { readable: () => true }

/** One reference followed: the field that holds the id, and the resource it leads to. */
export interface Hop {
  readonly field: FieldModel
  readonly target: ResourceModel
}

/** Records that point back here: `account.opportunities` are the opportunities whose `account` is this one. */
export interface ManyHop extends Hop {
  readonly name: string
}

/** An expression with every name looked up. */
export type Plan =
  | { readonly op: 'and' | 'or'; readonly of: readonly Plan[]; readonly source: Expression }
  | { readonly op: 'not'; readonly of: Plan; readonly source: Expression }
  | {
      readonly op: 'test'
      readonly hops: readonly Hop[]
      readonly field: FieldModel
      readonly domain: Domain
      readonly source: Comparison
    }
  | {
      readonly op: 'any' | 'none' | 'count'
      readonly hops: readonly Hop[]
      readonly many: ManyHop
      readonly where: Plan | undefined
      readonly source: Expression
      readonly figure?: Figure
    }
  | {
      readonly op: 'sum'
      readonly hops: readonly Hop[]
      readonly many: ManyHop
      readonly field: FieldModel
      readonly where: Plan | undefined
      readonly source: Expression
      readonly figure: Figure
    }

export interface Figure {
  readonly is: Comparator
  readonly value: number | { readonly number: string }
}

/** An expression that fits its resource and its reader: what `compile`, `evaluate` and `explain` take. */
export interface CheckedExpression {
  readonly expression: Expression
  readonly resource: ResourceModel
  readonly plan: Plan
  /** Every path it reads, from the record on: what a caller loads before it evaluates. */
  readonly paths: readonly string[]
}

/**
 * Types an expression against a resource and the access of the one who asks.
 *
 * @throws `EXPRESSION_INVALID` (400) naming the place and what would do; suggestions never name an unreadable field
 * @throws `EXPRESSION_TOO_COSTLY` (422) beyond `expressionLimits`
 * @throws `FIELD_NOT_READABLE` (403) for any field on any path
 */
export function checkExpression(
  expression: Expression,
  { resource, catalog, access }: { resource: ResourceModel; catalog: ResourceCatalog; access: Access },
): CheckedExpression {
  const checker = new Checker(catalog, access)
  const plan = checker.plan(expression, { resource, at: '', prefix: '', depth: 0, collections: 0 })
  return { expression, resource, plan, paths: [...checker.paths] }
}

/** Where the checker stands: the resource the paths start at, and the way to it. */
interface Place {
  readonly resource: ResourceModel
  /** JSON pointer into the expression. */
  readonly at: string
  readonly prefix: string
  readonly depth: number
  readonly collections: number
}

type OverMany = Extract<Expression, { op: 'any' | 'none' | 'count' | 'sum' }>

class Checker {
  readonly paths = new Set<string>()
  readonly #catalog: ResourceCatalog
  readonly #access: Access
  #nodes = 0
  #lookups = 0

  constructor(catalog: ResourceCatalog, access: Access) {
    this.#catalog = catalog
    this.#access = access
  }

  plan(node: Expression, place: Place): Plan {
    this.#nodes += 1
    this.#limit('nodes', this.#nodes, 'conditions')
    this.#limit('depth', place.depth, 'levels of brackets')
    switch (node.op) {
      case 'and':
      case 'or':
        return {
          op: node.op,
          of: node.of.map((part, index) => this.plan(part, inside(place, `of/${index}`))),
          source: node,
        }
      case 'not':
        return { op: 'not', of: this.plan(node.of, inside(place, 'of')), source: node }
      case 'any':
      case 'none':
      case 'count':
      case 'sum':
        return this.#overMany(node, place)
      default:
        return this.#test(node, place)
    }
  }

  #test(node: Comparison, place: Place): Plan {
    const { hops, owner, name, offset } = this.#follow(node, node.path.split('.'), place)
    const field = this.#field(node, { owner, name, offset }, place)
    if (hops.length > 0) this.#lookup()
    this.paths.add(place.prefix + node.path)
    const domain = domainOf(field)
    this.#checkOperator(node, domain, place)
    if ('value' in node) this.#checkValue(node, { value: node.value, index: 0 }, field, place)
    if (node.op === 'in') this.#checkValues(node, field, place)
    if (node.op === 'within') this.#checkSpan(node, node.span, domain, place)
    return { op: 'test', hops, field, domain, source: node }
  }

  #overMany(node: OverMany, place: Place): Plan {
    const path = node.path.split('.')
    const summed = node.op === 'sum' ? path.pop()! : undefined
    if (path.length === 0) {
      const known = this.#field(node, { owner: place.resource, name: summed!, offset: 0 }, place)
      throw this.#fault('notSummed', node, { subject: node.path, found: known.type }, place)
    }
    const { hops, owner, name, offset } = this.#follow(node, path, place)
    const many = this.#many(node, { owner, name, offset }, place)
    this.#lookup()
    this.#limit('collections', place.collections + 1, 'collections inside one another')
    const through = `${place.prefix}${path.join('.')}.`
    this.paths.add(through.slice(0, -1))
    const within = {
      ...inside(place, 'where'),
      resource: many.target,
      prefix: through,
      collections: place.collections + 1,
    }
    const field =
      summed && this.#summed(node, { owner: many.target, name: summed, offset: offset + name.length + 1 }, place)
    if (field) this.paths.add(through + field.name)
    const where = node.where && this.plan(node.where, within)
    if (!('is' in node)) return { op: node.op, hops, many, where, source: node }
    const figure = this.#figure(node, place)
    if (field) return { op: 'sum', hops, many, field, where, source: node, figure }
    return { op: 'count', hops, many, where, source: node, figure }
  }

  #figure(node: Extract<Expression, { op: 'count' | 'sum' }>, place: Place): Figure {
    if (isNumber(node.value)) return { is: node.is, value: node.value }
    const subject = `${node.op}(${node.path})`
    throw this.#valueFault(node, { subject, expected: 'a number, such as 3', value: node.value, index: 0 }, place)
  }

  #summed(node: Expression & { path: string }, spot: Spot, place: Place): FieldModel {
    const field = this.#field(node, spot, place)
    if (domainOf(field).name === 'number') return field
    throw this.#fault('notSummed', node, { subject: node.path, found: field.type }, place, spot)
  }

  /** Follows every name but the last across references. */
  #follow(node: object, path: readonly string[], place: Place): Spot & { hops: Hop[] } {
    this.#limit('hops', path.length - 1, 'references in one path')
    const hops: Hop[] = []
    let owner = place.resource
    let offset = 0
    for (const [index, name] of path.slice(0, -1).entries()) {
      const spot = { owner, name, offset }
      const field = this.#field(node, spot, place)
      const next = path[index + 1]!
      // The registry gives `id` its own resource as target; following it would lead back here.
      if (field.target === undefined || name === 'id') {
        throw this.#fault('notFollowed', node, { subject: name, found: field.type, expected: next }, place, spot)
      }
      const target = this.#target(node, field.target, spot, place)
      hops.push({ field, target })
      owner = target
      offset += name.length + 1
    }
    return { hops, owner, name: path.at(-1)!, offset }
  }

  #field(node: object, spot: Spot, place: Place): FieldModel {
    const { owner, name } = spot
    const field = owner.fields.get(name)
    if (!field) {
      if (owner.collections.has(name)) throw this.#fault('several', node, { subject: name }, place, spot)
      throw this.#fault(
        'unknownField',
        node,
        { subject: owner.id, found: name, hint: this.#nearest(spot, owner.fields) },
        place,
        spot,
      )
    }
    if (!this.#access.readable(owner.id, name)) throw this.#unreadable(node, owner.id, name, place, spot)
    return field
  }

  #many(node: OverMany, spot: Spot, place: Place): ManyHop {
    const { owner, name } = spot
    const collection = owner.collections.get(name)
    if (!collection) {
      const hint = this.#nearest(spot, owner.collections)
      const known = owner.fields.has(name) && this.#field(node, spot, place)
      if (known) throw this.#fault('notSeveral', node, { subject: name, found: node.op, hint }, place, spot)
      throw this.#fault('unknownField', node, { subject: owner.id, found: name, hint }, place, spot)
    }
    const target = this.#target(node, collection.target, spot, place)
    const field = target.fields.get(collection.field)
    if (!field) throw new Error(`${owner.id}.${name} needs ${target.id}.${collection.field}, which does not exist`)
    // Who may not read the reference may not learn it from the other side.
    if (!this.#access.readable(target.id, field.name)) throw this.#unreadable(node, target.id, field.name, place, spot)
    return { name, field, target }
  }

  #target(node: object, id: string, spot: Spot, place: Place): ResourceModel {
    const target = this.#catalog.get(id)
    if (!target) throw this.#fault('resourceAbsent', node, { subject: spot.name, found: id }, place, spot)
    return target
  }

  #checkOperator(node: Comparison, domain: Domain, place: Place): void {
    const operator = node.op === 'empty' ? 'is empty' : node.op
    if (domain.operators.includes(operator)) return
    const expected = domain.operators.join(', ')
    throw this.#fault('operator', node, { subject: node.path, found: operator, expected }, place)
  }

  #checkValues(node: Extract<Comparison, { op: 'in' }>, field: FieldModel, place: Place): void {
    this.#limit('values', node.values.length, 'values in one list')
    for (const [index, value] of node.values.entries()) this.#checkValue(node, { value, index }, field, place)
  }

  #checkValue(
    node: Comparison,
    { value, index }: { value: Literal; index: number },
    field: FieldModel,
    place: Place,
  ): void {
    const domain = domainOf(field)
    const subject = node.path
    if (!fits(value, field, domain)) {
      throw this.#valueFault(node, { subject, expected: domain.takes, value, index }, place)
    }
    if (typeof value !== 'string') return
    this.#limit('string', value.length, 'characters in one text')
    if (value === '') throw this.#fault('emptyText', node, { subject }, place, undefined, index)
    // PostgreSQL stores neither, so SQL would fail where JavaScript answers.
    if (value.includes('\0') || !value.isWellFormed()) {
      const found = value.includes('\0') ? 'the character U+0000' : 'half a character'
      throw this.#fault('character', node, { subject, found }, place, undefined, index)
    }
    const options = field.options?.map((option) => option.value)
    if ((domain.name !== 'choice' && domain.name !== 'choices') || !options || options.includes(value)) return
    const facts = {
      subject,
      found: shortened(value),
      expected: options.join(', '),
      hint: closest(value, options) ?? '',
    }
    throw this.#fault('option', node, facts, place, undefined, index)
  }

  #checkSpan(node: Comparison, span: Span, domain: Domain, place: Place): void {
    const clock = span.unit === 'minute' || span.unit === 'hour'
    const most = spanLimits[span.unit]
    const count = span.count ?? 1
    const expected =
      clock && domain.name === 'date'
        ? `"${node.path}" is a date: its spans are days, weeks, months, quarters or years.`
        : (clock || span.count !== undefined) && span.side === 'this'
          ? 'Write "last" or "next" with a number, or "this" with a day, week, month, quarter or year.'
          : !Number.isInteger(count) || count < 1 || count > most
            ? `It counts from 1 to ${most} ${span.unit}s.`
            : undefined
    if (expected) throw this.#fault('span', node, { subject: node.path, found: printSpan(span), expected }, place)
  }

  #lookup(): void {
    this.#lookups += 1
    this.#limit('lookups', this.#lookups, 'conditions on other records')
  }

  #limit(name: keyof typeof expressionLimits, used: number, what: string): void {
    const limit = expressionLimits[name]
    if (used > limit) throw expressionTooCostly({ what, limit })
  }

  #nearest({ owner, name }: Spot, names: ReadonlyMap<string, { readonly name: string }>): string {
    const readable = [...names.keys()].filter((it) => !owner.fields.has(it) || this.#access.readable(owner.id, it))
    return closest(name, readable) ?? ''
  }

  #unreadable(node: object, resource: string, field: string, place: Place, spot: Spot) {
    return fieldNotReadable({ resource, field }, { ...locate(node, place, spot), resource, field })
  }

  #valueFault(
    node: object,
    { subject, expected, value, index }: { subject: string; expected: string; value: Literal; index: number },
    place: Place,
  ) {
    return this.#fault(
      'value',
      node,
      { subject, expected, found: shortened(printLiteral(value)) },
      place,
      undefined,
      index,
    )
  }

  #fault(
    kind: ExpressionFault['kind'],
    node: object,
    facts: Partial<Omit<ExpressionFault, 'kind'>>,
    place: Place,
    spot?: Spot,
    value?: number,
  ) {
    const fault = { kind, subject: '', found: '', expected: '', hint: '', ...facts }
    return expressionInvalid(fault, {
      ...locate(node, place, spot, value),
      ...(facts.found && { found: facts.found }),
      ...(facts.expected && { expected: facts.expected }),
      ...(facts.hint && { suggestion: facts.hint }),
    })
  }
}

/** One name of a path: whose it should be, and how far into the path it stands. */
interface Spot {
  readonly owner: ResourceModel
  readonly name: string
  readonly offset: number
}

function locate(
  node: object,
  { at }: Place,
  spot?: Spot,
  value?: number,
): { at: string; position?: number; length?: number } {
  const position = positionOf(node)
  if (!position) return { at: at || '/' }
  const constant = value === undefined ? undefined : position.values?.[value]
  if (constant) return { at: at || '/', position: constant.start, length: constant.end - constant.start }
  if (!spot) return { at: at || '/', position: position.start, length: position.end - position.start }
  return { at: at || '/', position: (position.path ?? position.start) + spot.offset, length: spot.name.length }
}

function inside(place: Place, step: string): Place {
  return { ...place, at: `${place.at}/${step}`, depth: place.depth + 1 }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a constant is of the field's kind; what the text says is judged after. */
function fits(value: Literal, field: FieldModel, domain: Domain): boolean {
  const call = typeof value === 'object' && 'call' in value ? value.call : undefined
  switch (domain.name) {
    case 'text':
    case 'prose':
    case 'choice':
    case 'choices':
    case 'address':
      return typeof value === 'string'
    case 'number':
      return isNumber(value) && decimalOf(value).isFinite()
    case 'boolean':
      return typeof value === 'boolean'
    case 'date':
      return call === 'today' || (typeof value === 'string' && isDay(value))
    case 'instant':
      return call === 'today' || call === 'now' || (typeof value === 'string' && (isDay(value) || isMoment(value)))
    case 'id':
      return (call === 'me' && namesPeople(field)) || (typeof value === 'string' && uuid.test(value))
    case 'json':
      return false
  }
}

function namesPeople(field: FieldModel): boolean {
  return field.type === 'user' || field.target === 'core.user'
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
