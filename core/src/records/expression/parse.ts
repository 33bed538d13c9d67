import { expressionLimits, numberLiteral, spanLimits } from './ast.ts'
import type { Comparator, Expression, Literal, Span, SpanUnit } from './ast.ts'
import { expressionInvalid, expressionTooCostly } from './errors.ts'
import type { ExpressionFault } from './errors.ts'
import { place } from './positions.ts'

/** Words with a meaning of their own where a field may stand; a field of that name is written `` `in` ``. */
export const reservedWords: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'is', 'within', 'true', 'false'])

interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign' | 'end'
  /** As written; of a text, what it says. */
  readonly text: string
  /** A keyword in lower case; empty for a path, a quoted name and everything else. */
  readonly word: string
  readonly start: number
  readonly end: number
}

const comparators: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>='])
const units: ReadonlySet<string> = new Set(Object.keys(spanLimits))

// Sticky and without nested repetition: each reads its token once, whatever the input.
const blank = /\s+/y
const name = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y
const quotedName = /`([A-Za-z_][A-Za-z0-9_]*)`/y
const moment = /\d{4}-\d{2}-\d{2}(?:T[0-9:.]{1,20}(?:Z|[+-]\d{2}:\d{2})?)?/y
const number = /-?\d{1,40}(?:\.\d{1,40})?/y
const sign = /[<>!]=|[<>=~(),]/y

/**
 * Reads the text form.
 *
 * @throws `EXPRESSION_INVALID` (400) with `position`, `length`, `found` and `expected` at the first fault
 * @throws `EXPRESSION_TOO_COSTLY` (422) for a text longer or deeper than `expressionLimits`
 */
export function parseExpression(text: string): Expression {
  if (text.length > expressionLimits.text) {
    throw expressionTooCostly({ what: 'characters', limit: expressionLimits.text })
  }
  return new Parser(text).whole()
}

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  whole(): Expression {
    const expression = this.#or()
    if (this.#peek().kind !== 'end') throw this.#unexpected('"and", "or" or the end')
    return expression
  }

  #or(): Expression {
    return this.#joined('or', () => this.#joined('and', () => this.#unary()))
  }

  #joined(op: 'and' | 'or', part: () => Expression): Expression {
    const start = this.#peek().start
    const of = [part()]
    while (this.#takeWord(op)) of.push(part())
    return of.length === 1 ? of[0]! : this.#placed({ op, of }, start)
  }

  #unary(): Expression {
    const { start } = this.#peek()
    if (!this.#takeWord('not')) return this.#primary()
    const of = this.#deeper(() => this.#unary())
    return this.#placed({ op: 'not', of }, start)
  }

  #primary(): Expression {
    const token = this.#peek()
    if (this.#takeSign('(')) {
      const inner = this.#deeper(() => this.#or())
      this.#expectSign(')')
      return inner
    }
    const called = this.#tokens[this.#next + 1]?.text === '('
    if (called && (token.word === 'any' || token.word === 'none')) return this.#collection(token.word)
    if (called && (token.word === 'count' || token.word === 'sum')) return this.#figure(token.word)
    if (this.#takeWord('true')) return this.#placed({ op: 'and', of: [] }, token.start)
    if (this.#takeWord('false')) return this.#placed({ op: 'or', of: [] }, token.start)
    return this.#condition()
  }

  #collection(op: 'any' | 'none'): Expression {
    const { start } = this.#take()
    const { path, where, at } = this.#overCollection()
    return place({ op, path, ...(where && { where }) }, { start, end: this.#end(), path: at })
  }

  #figure(op: 'count' | 'sum'): Expression {
    const { start } = this.#take()
    const { path, where, at } = this.#overCollection()
    const is = this.#comparator('a comparison such as ">="')
    const { value, position } = this.#value()
    const figure = { op, path, ...(where && { where }), is, value }
    return place(figure, { start, end: this.#end(), path: at, values: [position] })
  }

  #overCollection(): { path: string; where: Expression | undefined; at: number } {
    this.#expectSign('(')
    const at = this.#peek().start
    const path = this.#path('a collection such as "opportunities"')
    const where = this.#takeSign(',') ? this.#deeper(() => this.#or()) : undefined
    this.#expectSign(')')
    return { path, where, at }
  }

  #condition(): Expression {
    const { start } = this.#peek()
    const path = this.#path('a field, "not" or "("')
    if (this.#takeWord('is')) return this.#emptiness(path, start)
    if (this.#takeWord('in')) return this.#membership(path, start)
    if (this.#takeWord('within')) {
      const span = this.#span()
      return place({ op: 'within', path, span }, { start, end: this.#end(), path: start })
    }
    const op = this.#takeSign('~') ? '~' : this.#comparator('=, !=, <, <=, >, >=, ~, "in", "is" or "within"')
    const { value, position } = this.#value()
    return place({ op, path, value }, { start, end: this.#end(), path: start, values: [position] })
  }

  #emptiness(path: string, start: number): Expression {
    const negated = this.#takeWord('not')
    if (!this.#takeWord('empty')) throw this.#unexpected(negated ? '"empty"' : '"empty" or "not empty"')
    const position = { start, end: this.#end(), path: start }
    const empty: Expression = place({ op: 'empty', path }, position)
    return negated ? place({ op: 'not', of: empty }, position) : empty
  }

  #membership(path: string, start: number): Expression {
    this.#expectSign('(')
    const values: Literal[] = []
    const positions: { start: number; end: number }[] = []
    do {
      const { value, position } = this.#value()
      values.push(value)
      positions.push(position)
    } while (this.#takeSign(','))
    this.#expectSign(')')
    return place({ op: 'in', path, values }, { start, end: this.#end(), path: start, values: positions })
  }

  #span(): Span {
    const side = this.#take(['last', 'this', 'next'], '"last", "this" or "next"').text.toLowerCase() as Span['side']
    const counted = side !== 'this' && this.#peek().kind === 'number'
    const count = counted ? this.#spanCount() : undefined
    const token = this.#peek()
    const unit = token.text.toLowerCase().replace(/s$/, '')
    if (token.kind !== 'name' || !units.has(unit)) throw this.#unexpected('a unit such as "days", "weeks" or "months"')
    this.#next += 1
    return { side, unit: unit as SpanUnit, ...(count !== undefined && { count }) }
  }

  #spanCount(): number {
    const token = this.#take()
    if (!/^\d{1,6}$/.test(token.text)) throw this.#fault('unexpected', token, 'a whole number such as 90')
    return Number(token.text)
  }

  #path(expected: string): string {
    const token = this.#peek()
    if (token.kind !== 'name' || reservedWords.has(token.word)) throw this.#unexpected(expected)
    return this.#take().text
  }

  #comparator(expected: string): Comparator {
    const token = this.#peek()
    if (token.kind !== 'sign' || !comparators.has(token.text)) throw this.#unexpected(expected)
    return this.#take().text as Comparator
  }

  #value(): { value: Literal; position: { start: number; end: number } } {
    const { start } = this.#peek()
    const value = this.#literal()
    return { value, position: { start, end: this.#end() } }
  }

  #literal(): Literal {
    const token = this.#peek()
    if (token.kind === 'text') return this.#take().text
    if (token.kind === 'number') return numberLiteral(this.#take().text)
    if (this.#takeWord('true')) return true
    if (this.#takeWord('false')) return false
    if (token.word === 'today' || token.word === 'now' || token.word === 'me') {
      this.#next += 1
      this.#expectSign('(')
      this.#expectSign(')')
      return { call: token.word }
    }
    // A bare word is a text, so that `state in (won, lost)` reads as it is said. It is printed in quotes.
    // `= empty` is no bare word: it is a slip for `is empty`.
    if (token.word && token.word !== 'empty' && !reservedWords.has(token.word)) return this.#take().text
    throw this.#unexpected('a value: a text in quotes, a number, a date, true, false, today(), now() or me()')
  }

  #deeper<T>(part: () => T): T {
    this.#depth += 1
    if (this.#depth > expressionLimits.depth) {
      throw expressionTooCostly({ what: 'levels of brackets', limit: expressionLimits.depth })
    }
    const result = part()
    this.#depth -= 1
    return result
  }

  #placed<T extends Expression>(node: T, start: number): T {
    return place(node, { start, end: this.#end() })
  }

  #peek(): Token {
    // The last token is the end, and nothing takes it.
    return this.#tokens[this.#next]!
  }

  #take(words?: readonly string[], expected = ''): Token {
    const token = this.#peek()
    if (words && !words.includes(token.word)) throw this.#unexpected(expected)
    this.#next += 1
    return token
  }

  #end(): number {
    return this.#tokens[this.#next - 1]?.end ?? 0
  }

  #takeWord(word: string): boolean {
    if (this.#peek().word !== word) return false
    this.#next += 1
    return true
  }

  #takeSign(text: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'sign' || token.text !== text) return false
    this.#next += 1
    return true
  }

  #expectSign(text: string): void {
    if (!this.#takeSign(text)) throw this.#unexpected(`"${text}"`)
  }

  #unexpected(expected: string) {
    return this.#fault('unexpected', this.#peek(), expected)
  }

  #fault(kind: ExpressionFault['kind'], token: Token, expected: string) {
    const found = token.kind === 'end' ? 'the end' : `"${shortened(token.text)}"`
    return located(kind, token, { found, expected })
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const read = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  const push = (kind: Token['kind'], said: string, length: number, word = '') => {
    tokens.push({ kind, text: said, word, start: at, end: at + length })
    at += length
  }
  while (at < text.length) {
    const space = read(blank)
    if (space) {
      at += space[0].length
      continue
    }
    const quote = text[at]
    if (quote === '"' || quote === "'") {
      const { said, length } = readText(text, at, quote)
      push('text', said, length)
      continue
    }
    const found = read(name)
    if (found) {
      push('name', found[0], found[0].length, found[0].includes('.') ? '' : found[0].toLowerCase())
      continue
    }
    const quoted = read(quotedName)
    if (quoted) {
      push('name', quoted[1]!, quoted[0].length)
      continue
    }
    const plain = read(moment)
    if (plain) {
      push('text', plain[0], plain[0].length)
      continue
    }
    const amount = read(number)
    if (amount) {
      push('number', amount[0], amount[0].length)
      continue
    }
    const mark = read(sign)
    if (mark) {
      push('sign', mark[0], mark[0].length)
      continue
    }
    const stray = String.fromCodePoint(text.codePointAt(at)!)
    throw located(
      'unexpected',
      { start: at, end: at + stray.length },
      {
        found: `"${stray}"`,
        expected: 'a field, a value or an operator',
      },
    )
  }
  push('end', '', 0)
  return tokens
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/** What a text constant says that begins at a quote, and how far it reaches with both of them. */
export function readText(text: string, start: number, quote: string): { said: string; length: number } {
  let said = ''
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at]!
    if (character === quote) return { said, length: at + 1 - start }
    if (character !== '\\') {
      said += character
      continue
    }
    at += 1
    const escaped = text[at] ?? ''
    const code = escaped === 'u' ? /^[0-9a-fA-F]{4}$/.exec(text.slice(at + 1, at + 5))?.[0] : undefined
    if (code) {
      said += String.fromCharCode(Number.parseInt(code, 16))
      at += 4
    } else {
      said += escapes[escaped] ?? escaped
    }
  }
  throw located('unclosedText', { start, end: text.length }, { found: 'the end', expected: quote })
}

/** A fault of one place in a text. */
export function located(
  kind: ExpressionFault['kind'],
  { start, end }: { start: number; end: number },
  { found, expected }: { found: string; expected: string },
) {
  const fault = { kind, subject: `Character ${start + 1}`, found, expected, hint: '' }
  return expressionInvalid(fault, { position: start, length: end - start, found, expected })
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
