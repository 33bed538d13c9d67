/** One comparison of a filter, as a chip shows it: `stage.kind in (open, won)`. */
export interface Condition {
  readonly path: string
  readonly op: Operator
  readonly value: Operand
}

/** A part the chips cannot say (an `or`, a bracket): kept word for word and shown as text. */
export interface RawCondition {
  readonly raw: string
}

export type FilterPart = Condition | RawCondition

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~' | 'in' | 'not in' | 'within' | 'empty' | 'not empty'

export type Scalar = string | number | boolean

/** `call` is a function of the language (`today()`, `me()`); `period` belongs to `within`. */
export type Operand =
  | { readonly kind: 'none' }
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly values: readonly (Scalar | Call)[] }
  | { readonly kind: 'period'; readonly period: Period }
  | { readonly kind: 'call'; readonly call: Call }

export interface Call {
  readonly call: string
}

export interface Period {
  readonly direction: 'last' | 'next' | 'this'
  /** Absent for `this month`. */
  readonly count: number
  readonly unit: 'days' | 'weeks' | 'months' | 'quarters' | 'years'
}

interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'op'
  readonly text: string
  readonly value: string
  readonly from: number
  readonly to: number
}

const lexeme =
  /\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?![\w-])|[<>!]=|[=<>~(),]|[\p{L}_$@][\p{L}\p{N}_$.@-]*|./guy

export const isRaw = (part: FilterPart): part is RawCondition => 'raw' in part

/**
 * Reads a filter as a list of parts joined by `and`.
 *
 * Never throws: what is not a plain comparison comes back as `raw`, so that a filter written by hand is
 * never lost by opening it in the chips. A top-level `or` makes the whole text one raw part.
 */
export function parseFilter(text: string): FilterPart[] {
  const tokens = tokenise(text)
  if (tokens.length === 0) return []
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.text === '(') depth++
    if (token.text === ')') depth--
    const word = token.kind === 'word' ? token.text.toLowerCase() : ''
    if (depth === 0 && word === 'or') return [{ raw: text.trim() }]
    if (depth === 0 && word === 'and') parts.push([])
    else parts[parts.length - 1]!.push(token)
  }
  if (parts.some((part) => part.length === 0)) return [{ raw: text.trim() }]
  return parts.map((part) => condition(part) ?? { raw: text.slice(part[0]!.from, part.at(-1)!.to) })
}

/** Writes parts back as text; the inverse of `parseFilter` up to spaces. */
export function printFilter(parts: readonly FilterPart[]): string {
  return parts.map((part) => (isRaw(part) ? bracketed(part.raw, parts.length) : printCondition(part))).join(' and ')
}

/** Joins filters that must all hold; empty ones drop out. */
export function both(...filters: readonly (string | undefined)[]): string {
  const given = filters.filter((filter): filter is string => !!filter?.trim())
  if (given.length < 2) return given[0] ?? ''
  return given.map((filter) => (parseFilter(filter).some(isRaw) ? `(${filter})` : filter)).join(' and ')
}

export function quote(value: string): string {
  return JSON.stringify(value)
}

function printCondition({ path, op, value }: Condition): string {
  if (op === 'empty') return `${path} is empty`
  if (op === 'not empty') return `${path} is not empty`
  if (value.kind === 'list') {
    const list = value.values.map(printScalar).join(', ')
    return op === 'not in' ? `not ${path} in (${list})` : `${path} in (${list})`
  }
  if (value.kind === 'period') return `${path} within ${printPeriod(value.period)}`
  if (value.kind === 'call') return `${path} ${op} ${value.call.call}()`
  return value.kind === 'scalar' ? `${path} ${op} ${printScalar(value.value)}` : path
}

function printScalar(value: Scalar | Call): string {
  if (typeof value === 'object') return `${value.call}()`
  return typeof value === 'string' ? quote(value) : String(value)
}

function printPeriod({ direction, count, unit }: Period): string {
  return direction === 'this' ? `this ${unit.slice(0, -1)}` : `${direction} ${count} ${unit}`
}

const bracketed = (raw: string, among: number) =>
  among > 1 && tokenise(raw).some((it) => it.kind === 'word' && it.text.toLowerCase() === 'or') && !raw.startsWith('(')
    ? `(${raw})`
    : raw

function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(lexeme)) {
    const lexed = match[0]
    if (!lexed.trim()) continue
    const at = { from: match.index, to: match.index + lexed.length }
    if (/^["']/.test(lexed) && lexed.length > 1) {
      tokens.push({ kind: 'string', text: lexed, value: lexed.slice(1, -1).replace(/\\(.)/gu, '$1'), ...at })
    } else if (/^-?\d/.test(lexed)) tokens.push({ kind: 'number', text: lexed, value: lexed, ...at })
    else if (/^[\p{L}_$@]/u.test(lexed)) tokens.push({ kind: 'word', text: lexed, value: lexed, ...at })
    else tokens.push({ kind: 'op', text: lexed, value: lexed, ...at })
  }
  return tokens
}

const comparisons = new Set(['=', '!=', '<', '<=', '>', '>=', '~'])
const units: Record<string, Period['unit']> = {
  day: 'days',
  days: 'days',
  week: 'weeks',
  weeks: 'weeks',
  month: 'months',
  months: 'months',
  quarter: 'quarters',
  quarters: 'quarters',
  year: 'years',
  years: 'years',
}

function condition(tokens: readonly Token[]): Condition | undefined {
  const negated = tokens[0]!.kind === 'word' && tokens[0]!.text.toLowerCase() === 'not'
  const rest = negated ? tokens.slice(1) : tokens
  const [path, op, ...operand] = rest
  if (path?.kind !== 'word' || !op) return undefined
  const word = op.text.toLowerCase()
  if (word === 'in') {
    const values = list(operand)
    return values && { path: path.text, op: negated ? 'not in' : 'in', value: { kind: 'list', values } }
  }
  if (negated) return undefined
  if (word === 'is') return emptiness(path.text, operand)
  if (word === 'within') {
    const period = readPeriod(operand)
    return period && { path: path.text, op: 'within', value: { kind: 'period', period } }
  }
  if (!comparisons.has(op.text)) return undefined
  const value = single(operand)
  return value && { path: path.text, op: op.text as Operator, value }
}

function emptiness(path: string, operand: readonly Token[]): Condition | undefined {
  const words = operand.map((it) => it.text.toLowerCase()).join(' ')
  if (words === 'empty') return { path, op: 'empty', value: { kind: 'none' } }
  if (words === 'not empty') return { path, op: 'not empty', value: { kind: 'none' } }
  return undefined
}

function single(operand: readonly Token[]): Operand | undefined {
  const [first, open, close] = operand
  if (!first) return undefined
  if (operand.length === 3 && first.kind === 'word' && open?.text === '(' && close?.text === ')') {
    return { kind: 'call', call: { call: first.text } }
  }
  if (operand.length !== 1) return undefined
  const value = scalar(first)
  return value === undefined ? undefined : { kind: 'scalar', value }
}

function scalar(token: Token): Scalar | undefined {
  if (token.kind === 'string') return token.value
  if (token.kind === 'number') return Number(token.value)
  if (token.kind !== 'word') return undefined
  const word = token.text.toLowerCase()
  if (word === 'true' || word === 'false') return word === 'true'
  return token.text
}

function list(operand: readonly Token[]): (Scalar | Call)[] | undefined {
  if (operand[0]?.text !== '(' || operand.at(-1)?.text !== ')') return undefined
  const values: (Scalar | Call)[] = []
  let current: Token[] = []
  for (const token of [...operand.slice(1, -1), undefined]) {
    if (token && token.text !== ',') {
      current.push(token)
      continue
    }
    const value = single(current)
    if (value?.kind === 'scalar') values.push(value.value)
    else if (value?.kind === 'call') values.push(value.call)
    else return undefined
    current = []
  }
  return values
}

function readPeriod(operand: readonly Token[]): Period | undefined {
  const [direction, second, third] = operand.map((it) => it.text.toLowerCase())
  if (direction === 'this' && second && operand.length === 2) {
    const unit = units[second]
    return unit && { direction, count: 1, unit }
  }
  if ((direction !== 'last' && direction !== 'next') || operand.length !== 3) return undefined
  const count = Number(second)
  const unit = units[third ?? '']
  return Number.isInteger(count) && unit ? { direction, count, unit } : undefined
}
