import { Decimal } from 'decimal.js'
import { sql, type RawBuilder } from 'kysely'
import { SocleError } from '../../errors.ts'
import { fieldTypes } from '../field-types.ts'
import { fieldValue } from '../field-value.ts'
import type { FieldModel, FormulaModel, ResourceCatalog, ResourceModel } from '../model.ts'
import type { Expression } from './ast.ts'
import { checkExpression, everyField, type CheckedExpression } from './check.ts'
import { closest } from './closest.ts'
import { compileExpression } from './compile.ts'
import { domainOf } from './domains.ts'
import { expressionInvalid, expressionTooCostly, type ExpressionFault } from './errors.ts'
import { evaluateExpression, type LoadedRecord } from './evaluate.ts'
import { located, parseExpression, readText } from './parse.ts'
import { positionOf } from './positions.ts'

export type FormulaType = 'number' | 'text' | 'boolean' | 'date'

type Value = Decimal | string | boolean | undefined

/** A part of a formula: its type, and the two ways to its value. Neither ever fails on a record. */
interface Part {
  readonly type: FormulaType
  readonly size: number
  value(alias: string): RawBuilder<unknown>
  evaluate(record: LoadedRecord): Value
}

export interface FormulaOptions {
  readonly resource: ResourceModel
  readonly catalog: ResourceCatalog
  /** Zone in which a condition compares an instant with a day. */
  readonly zone: string
  /** The field of a name; asked so that another formula can be worked out first. */
  readonly field: (name: string) => FieldModel | undefined
}

/** Characters of a formula, and parts it may be computed of with all it reads. */
export const formulaLimits = { text: 2_000, parts: 300 } as const

// Products of many parts have more digits than any amount, and PostgreSQL keeps them all.
const Exact = Decimal.clone({ precision: 6_000, rounding: Decimal.ROUND_HALF_UP })

const types: Partial<Record<ReturnType<typeof domainOf>['name'], FormulaType>> = {
  text: 'text',
  choice: 'text',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
}

/**
 * Reads a formula: numbers with `+ - * /`, texts joined by `&`, and `if(condition, a, b)`, `coalesce(…)`, `round(number, digits)`,
 * `days(from, to)`, `addDays(date, number)` over the fields of one record.
 *
 * An empty number or date makes the result empty, as a division by zero does; an empty text joins as nothing.
 *
 * @throws `EXPRESSION_INVALID` (400) with `position`, `length`, `found` and `expected`; `EXPRESSION_TOO_COSTLY` (422)
 */
export function readFormula(text: string, target: FieldModel, options: FormulaOptions): FormulaModel {
  if (text.length > formulaLimits.text) throw expressionTooCostly({ what: 'characters', limit: formulaLimits.text })
  const reader = new Reader(text, options)
  const part = reader.whole()
  const wanted = types[domainOf(target).name]
  if (part.type !== wanted || target.target !== undefined) {
    throw invalid(
      {
        kind: 'value',
        subject: target.name,
        expected: `a ${wanted ?? 'number, text, date or yes and no'}`,
        found: `a ${part.type}`,
      },
      { position: 0, length: text.length },
    )
  }
  return {
    reads: reader.reads,
    size: part.size,
    value: (alias) => kept(target, part.value(alias)),
    evaluate: (record) => keptValue(target, part.evaluate(record)),
  }
}

/** The result as the field keeps it: numbers rounded half away from zero, beyond what a field holds empty. */
function kept(field: FieldModel, value: RawBuilder<unknown>): RawBuilder<unknown> {
  const { sql: type } = fieldTypes[field.type]
  if (type === 'integer') return sql`core.kept_integer(${value})`
  if (type === 'numeric') return sql`core.kept_number(${value}, ${sql.lit(field.scale ?? 4)})`
  return type === 'text' ? sql`nullif(${value}, '')` : value
}

function keptValue(field: FieldModel, value: Value): unknown {
  if (value === undefined || value === '') return null
  if (!(value instanceof Exact)) return value
  if (fieldTypes[field.type].sql === 'integer') {
    const whole = (value as Decimal).toDecimalPlaces(0)
    return whole.abs().lte(2_147_483_647) ? whole.toNumber() + 0 : null
  }
  const number = value as Decimal
  if (number.abs().gte('1e15')) return null
  const text = number.toFixed(field.scale ?? 4)
  return /^-[0.]+$/.test(text) ? text.slice(1) : text
}

const blank = /\s+/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /\d{1,30}(?:\.\d{1,12})?/y

type Facts = Pick<ExpressionFault, 'kind'> & Partial<ExpressionFault>

function invalid(facts: Facts, extras: { position: number; length: number }): SocleError {
  const fault = { subject: '', found: '', expected: '', hint: '', ...facts }
  return expressionInvalid(fault, {
    ...extras,
    ...(fault.found && { found: fault.found }),
    ...(fault.expected && { expected: fault.expected }),
    ...(fault.hint && { suggestion: fault.hint }),
  })
}

class Reader {
  readonly reads = new Set<string>()
  readonly #text: string
  readonly #options: FormulaOptions
  #at = 0
  #depth = 0

  constructor(text: string, options: FormulaOptions) {
    this.#text = text
    this.#options = options
  }

  whole(): Part {
    const part = this.#joined()
    this.#skip()
    if (this.#at < this.#text.length) throw this.#unexpected('an operator or the end')
    return part
  }

  #joined(): Part {
    this.#depth += 1
    if (this.#depth > 30) throw expressionTooCostly({ what: 'levels of brackets', limit: 30 })
    const start = this.#at
    let left = this.#sum()
    while (this.#take('&')) {
      const right = this.#sum()
      for (const side of [left, right]) this.#demand(side, 'text', start)
      left = this.#made({
        type: 'text',
        size: left.size + right.size + 1,
        value: joinedText(left, right),
        evaluate: both(left, right, (a, b) => `${a ?? ''}${b ?? ''}`),
      })
    }
    this.#depth -= 1
    return left
  }

  #sum(): Part {
    const start = this.#at
    let left = this.#product()
    for (;;) {
      const sign = this.#take('+') ? '+' : this.#take('-') ? '-' : undefined
      if (sign === undefined) return left
      left = this.#arithmetic(sign, left, this.#product(), start)
    }
  }

  #product(): Part {
    const start = this.#at
    let left = this.#unary()
    for (;;) {
      const sign = this.#take('*') ? '*' : this.#take('/') ? '/' : undefined
      if (sign === undefined) return left
      left = this.#arithmetic(sign, left, this.#unary(), start)
    }
  }

  #arithmetic(sign: keyof typeof arithmetic, left: Part, right: Part, start: number): Part {
    for (const side of [left, right]) this.#demand(side, 'number', start)
    const { inSql, inMemory } = arithmetic[sign]
    return this.#made({
      type: 'number',
      size: left.size + right.size + 1,
      value: (alias) => inSql(left.value(alias), right.value(alias)),
      evaluate: both(left, right, (a, b) =>
        a === undefined || b === undefined ? undefined : inMemory(a as Decimal, b as Decimal),
      ),
    })
  }

  #unary(): Part {
    const start = this.#at
    if (!this.#take('-')) return this.#primary()
    const inner = this.#unary()
    this.#demand(inner, 'number', start)
    return this.#made({
      type: 'number',
      size: inner.size + 1,
      value: (alias) => sql`(- ${inner.value(alias)})`,
      evaluate: (record) => (inner.evaluate(record) as Decimal | undefined)?.negated(),
    })
  }

  #primary(): Part {
    if (this.#take('(')) {
      const inner = this.#joined()
      this.#expect(')')
      return inner
    }
    this.#skip()
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") return constant('text', this.#quoted(quote))
    const digits = this.#read(number)
    if (digits !== undefined) return constant('number', new Exact(digits))
    const start = this.#at
    const name = this.#read(word)
    if (name === undefined) throw this.#unexpected('a field, a number, a text or a function')
    if (name === 'true' || name === 'false') return constant('boolean', name === 'true')
    if (!this.#take('(')) return this.#field(name, start)
    const call = functions[name]
    if (name !== 'if' && !call) {
      const expected = `one of ${['if', ...Object.keys(functions)].join(', ')}`
      throw located('unexpected', { start, end: start + name.length }, { found: `"${name}"`, expected })
    }
    const part = name === 'if' ? this.#choice() : this.#call(call!, start)
    this.#expect(')')
    return this.#made(part)
  }

  #call(call: FormulaFunction, start: number): Part {
    const given = [this.#joined()]
    while (this.#take(',')) given.push(this.#joined())
    const { takes } = call
    if (takes && given.length !== takes.length)
      throw located(
        'unexpected',
        { start, end: this.#at },
        { found: `${given.length} values`, expected: `${takes.length}` },
      )
    for (const [index, part] of given.entries()) this.#demand(part, takes?.[index] ?? given[0]!.type, start)
    return { ...call.make(given), size: given.reduce((sum, { size }) => sum + size, 1) }
  }

  /** `if(condition, a, b)`: the condition is one of the filter language, over fields of this record alone. */
  #choice(): Part {
    const start = this.#at
    const condition = this.#condition()
    this.#expect(',')
    const then = this.#joined()
    this.#expect(',')
    const otherwise = this.#joined()
    this.#demand(otherwise, then.type, start)
    const environment = { now: new Date(0), zone: this.#options.zone }
    return {
      type: then.type,
      size: condition.size + then.size + otherwise.size + 1,
      value: (alias) =>
        sql`(case when ${compileExpression(condition.checked, { alias, environment })} then ${then.value(alias)} else ${otherwise.value(alias)} end)`,
      evaluate: (record) =>
        (evaluateExpression(condition.checked, condition.load(record), environment) ? then : otherwise).evaluate(
          record,
        ),
    }
  }

  #condition() {
    const start = this.#at
    const end = this.#commaAfter(start)
    const shift = (error: unknown): never => {
      if (!(error instanceof SocleError) || error.code !== expressionInvalid.code) throw error
      const { position = 0 } = error.extras as { position?: number }
      throw expressionInvalid(error.values as ExpressionFault, { ...error.extras, position: position + start })
    }
    try {
      const expression = parseExpression(this.#text.slice(start, end))
      // Formulas it reads are worked out first: then the resource has them.
      const names = new Set(partsOf(expression).flatMap((part) => ('path' in part ? [part.path] : [])))
      const formulas = [...names].flatMap((name) => {
        const field = this.#known(name)
        return field?.formula ? [field] : []
      })
      const own = ownCondition(expression, { ...this.#options, timeless: true })
      this.#at = end
      return {
        checked: own.checked,
        size: own.size + formulas.reduce((sum, { formula }) => sum + formula!.size, 0),
        load: (record: LoadedRecord): LoadedRecord =>
          formulas.length === 0
            ? record
            : { ...record, ...Object.fromEntries(formulas.map((it) => [it.name, it.formula!.evaluate(record)])) },
      }
    } catch (error) {
      return shift(error)
    }
  }

  #commaAfter(start: number): number {
    let depth = 0
    for (let at = start; at < this.#text.length; at += 1) {
      const character = this.#text[at]!
      if (character === '"' || character === "'") at += readText(this.#text, at, character).length - 1
      else if (character === '(') depth += 1
      else if (character === ')') depth -= 1
      else if (character === ',' && depth === 0) return at
      if (depth < 0) break
    }
    throw located(
      'unexpected',
      { start, end: start + 1 },
      { found: 'a condition alone', expected: 'a condition, a value and another value, separated by commas,' },
    )
  }

  #known(name: string): FieldModel | undefined {
    const field = this.#options.field(name)
    if (!field) return undefined
    this.reads.add(name)
    for (const behind of field.formula?.reads ?? []) this.reads.add(behind)
    return field
  }

  #field(name: string, start: number): Part {
    const field = this.#known(name)
    if (!field) {
      const { resource } = this.#options
      throw this.#fault('unknownField', start, name.length, {
        subject: resource.id,
        found: name,
        hint: closest(name, [...resource.fields.keys()]) ?? '',
      })
    }
    const domain = domainOf(field)
    const type = types[domain.name]
    if (!type) {
      throw this.#fault('value', start, name.length, {
        subject: name,
        expected: 'numbers, texts, dates and yes or no in a formula',
        found: `a ${field.type}`,
      })
    }
    return this.#made({
      type,
      size: (field.formula?.size ?? 0) + 1,
      value: (alias) => {
        const own = fieldValue(field, alias)
        const value = field.isId ? sql`${own}::text` : own
        return type === 'number' ? sql`${value}::numeric` : type === 'text' ? sql`nullif(${value}, '')` : value
      },
      evaluate: (record) => {
        const value = field.formula ? field.formula.evaluate(record) : record[name]
        if (value === null || value === undefined || value === '') return undefined
        return type === 'number' ? new Exact(String(value)) : (value as string | boolean)
      },
    })
  }

  #made(part: Part): Part {
    if (part.size > formulaLimits.parts) throw expressionTooCostly({ what: 'parts', limit: formulaLimits.parts })
    return part
  }

  #demand(part: Part, type: FormulaType, start: number): void {
    if (part.type === type) return
    const from = start + (/^\s*/.exec(this.#text.slice(start))?.[0].length ?? 0)
    const found = this.#text.slice(from, this.#at).trim()
    throw this.#fault('value', from, found.length, {
      subject: found.length > 40 ? `${found.slice(0, 40)}…` : found,
      expected: `a ${type}`,
      found: `a ${part.type}`,
    })
  }

  #quoted(quote: string): string {
    const start = this.#at
    const { said, length } = readText(this.#text, start, quote)
    this.#at += length
    if (!said.includes('\0') && said.isWellFormed()) return said
    throw this.#fault('character', start, length, { subject: 'formula', found: 'half a character' })
  }

  #skip(): void {
    this.#read(blank)
  }

  #read(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #take(sign: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#unexpected(`"${sign}"`)
  }

  #unexpected(expected: string): SocleError {
    const rest = this.#text.slice(this.#at)
    const found = rest === '' ? 'the end' : `"${/^(?:\w+|.)/s.exec(rest)![0]}"`
    const end = this.#at + (rest === '' ? 0 : found.length - 2)
    return located('unexpected', { start: this.#at, end }, { found, expected })
  }

  #fault(kind: ExpressionFault['kind'], position: number, length: number, facts: Omit<Facts, 'kind'>): SocleError {
    return invalid({ kind, ...facts }, { position, length })
  }
}

/**
 * A condition over the fields of one record alone; in a formula also the same at any time and for anybody.
 *
 * @throws `EXPRESSION_INVALID` where it looks at other records, or in a formula at the clock or at who asks
 */
export function ownCondition(
  expression: Expression,
  { resource, catalog, timeless }: { resource: ResourceModel; catalog: ResourceCatalog; timeless: boolean },
): { readonly checked: CheckedExpression; readonly size: number } {
  const checked = checkExpression(expression, { resource, catalog, access: everyField })
  const parts = partsOf(expression)
  const stray = parts.map((part) => strayIn(part, timeless)).find((it) => it !== undefined)
  if (stray !== undefined) {
    const { name: subject, start, end } = stray
    throw invalid(
      { kind: 'value', subject, expected: 'fields and constants of one record', found: 'what changes without it' },
      { position: start, length: end - start },
    )
  }
  return { checked, size: parts.length }
}

/** A condition and all it is joined of. */
function partsOf(node: Expression): readonly Expression[] {
  switch (node.op) {
    case 'and':
    case 'or':
      return [node, ...node.of.flatMap(partsOf)]
    case 'not':
      return [node, ...partsOf(node.of)]
    default:
      return [node]
  }
}

/** What of a part does not stand on its record alone, and where. */
function strayIn(node: Expression, timeless: boolean): { name: string; start: number; end: number } | undefined {
  if (!('path' in node)) return undefined
  const { start = 0, path = start, values = [] } = positionOf(node) ?? {}
  const isElsewhere = node.path.includes('.') || ['any', 'none', 'count', 'sum'].includes(node.op)
  if (isElsewhere || (timeless && node.op === 'within'))
    return { name: node.path, start: path, end: path + node.path.length }
  if (!timeless) return undefined
  const constants = 'values' in node ? node.values : 'value' in node ? [node.value] : []
  for (const [index, constant] of constants.entries()) {
    if (typeof constant === 'object' && 'call' in constant)
      return { name: `${constant.call}()`, ...(values[index] ?? { start, end: start }) }
  }
  return undefined
}

function both(left: Part, right: Part, join: (a: Value, b: Value) => Value): Part['evaluate'] {
  return (record) => join(left.evaluate(record), right.evaluate(record))
}

function joinedText(left: Part, right: Part): Part['value'] {
  return (alias) => sql`(coalesce(${left.value(alias)}, '') || coalesce(${right.value(alias)}, ''))`
}

function constant(type: FormulaType, value: Exclude<Value, undefined>): Part {
  const written = value instanceof Exact ? (value as Decimal).toFixed() : value
  const cast = sql.raw(type === 'number' ? 'numeric' : type)
  return { type, size: 1, value: () => sql`${written}::${cast}`, evaluate: () => value }
}

type Sql = RawBuilder<unknown>

const arithmetic: Readonly<
  Record<'+' | '-' | '*' | '/', { inSql(a: Sql, b: Sql): Sql; inMemory(a: Decimal, b: Decimal): Decimal | undefined }>
> = {
  '+': { inSql: (a, b) => sql`(${a} + ${b})`, inMemory: (a, b) => a.plus(b) },
  '-': { inSql: (a, b) => sql`(${a} - ${b})`, inMemory: (a, b) => a.minus(b) },
  '*': { inSql: (a, b) => sql`(${a} * ${b})`, inMemory: (a, b) => a.times(b) },
  '/': {
    inSql: (a, b) => sql`core.quotient(${a}, ${b})`,
    inMemory: (a, b) => (b.isZero() ? undefined : a.times('1e12').dividedToIntegerBy(b).times('1e-12')),
  },
}

interface FormulaFunction {
  /** Types it takes; without them any number of one type. */
  readonly takes?: readonly FormulaType[]
  make(given: readonly Part[]): Omit<Part, 'size'>
}

const dayLength = 86_400_000
const utc = (date: string) => Date.parse(`${date}T00:00:00Z`)

const functions: Readonly<Record<string, FormulaFunction>> = {
  coalesce: {
    make: (given) => ({
      type: given[0]!.type,
      value: (alias) => {
        const values = given.map((part) => part.value(alias))
        return given[0]!.type === 'text'
          ? sql`coalesce(${sql.join(values.map((value) => sql`nullif(${value}, '')`))})`
          : sql`coalesce(${sql.join(values)})`
      },
      evaluate: (record) => {
        for (const part of given) {
          const value = part.evaluate(record)
          if (value !== undefined && value !== '') return value
        }
        return undefined
      },
    }),
  },
  round: {
    takes: ['number', 'number'],
    make: ([value, digits]) => ({
      type: 'number',
      value: (alias) =>
        sql`round(${value!.value(alias)}, (least(greatest(trunc(${digits!.value(alias)}), 0), 12) + 0 * ${digits!.value(alias)})::integer)`,
      evaluate: (record) => {
        const places = digits!.evaluate(record) as Decimal | undefined
        if (places === undefined) return undefined
        const bounded = Math.min(Math.max(places.trunc().toNumber(), 0), 12)
        return (value!.evaluate(record) as Decimal | undefined)?.toDecimalPlaces(bounded)
      },
    }),
  },
  days: {
    takes: ['date', 'date'],
    make: ([from, to]) => ({
      type: 'number',
      value: (alias) => sql`(${to!.value(alias)} - ${from!.value(alias)})::numeric`,
      evaluate: (record) => {
        const [first, last] = [from!.evaluate(record), to!.evaluate(record)]
        return first === undefined || last === undefined
          ? undefined
          : new Exact(Math.round((utc(String(last)) - utc(String(first))) / dayLength))
      },
    }),
  },
  addDays: {
    takes: ['date', 'number'],
    make: ([day, days]) => ({
      type: 'date',
      value: (alias) => sql`core.day_after(${day!.value(alias)}, ${days!.value(alias)})`,
      evaluate: (record) => {
        const [date, count] = [day!.evaluate(record), days!.evaluate(record) as Decimal | undefined]
        if (date === undefined || count === undefined || count.abs().gt(1_000_000)) return undefined
        const moved = new Date(utc(String(date)) + count.trunc().toNumber() * dayLength)
        const year = moved.getUTCFullYear()
        return year < 1000 || year > 9999 ? undefined : moved.toISOString().slice(0, 10)
      },
    }),
  },
}
