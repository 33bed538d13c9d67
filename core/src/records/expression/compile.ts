import { sql } from 'kysely'
import type { RawBuilder, SqlBool } from 'kysely'
import { fieldTypes } from '../field-types.ts'
import { fieldValue, jsonColumnList, wide, workspaceIs } from '../field-value.ts'
import type { FieldModel, ResourceModel } from '../model.ts'
import type { CheckedExpression, Hop, ManyHop, Plan } from './check.ts'
import { numbers } from './domains.ts'
import type { Domain, Key } from './domains.ts'
import type { Environment } from './moments.ts'
import { settle, settleFigure } from './settle.ts'
import type { Test } from './settle.ts'

type Condition = RawBuilder<SqlBool>

export interface CompileOptions {
  /** Alias under which the caller's query knows the resource's table. */
  readonly alias: string
  readonly environment: Environment
  /**
   * What the actor may see of another resource, said of the rows under `alias`; ANDed into every lookup, so that a hidden
   * row is as absent. A condition compiled for it must not bring a `visibility` of its own, or it would never end.
   */
  readonly visibility?: (resource: string, alias: string) => Condition | undefined
  /** Where rows of another resource come from, with their wide alias; its table when absent. */
  readonly source?: (resource: string, alias: string) => RawBuilder<unknown>
}

/**
 * The expression as a condition for a WHERE, never NULL, `not` its exact complement. Every constant is a parameter, unless it asks
 * only for what there is little of (`isWrittenOut`): written out beside a parameter it would make a statement of each value.
 *
 * Each path across a reference is an EXISTS in the record's own workspace. Rows in the bin are absent from references and
 * collections where their resource has a field `deletedAt`.
 */
export function compileExpression({ plan }: CheckedExpression, options: CompileOptions): Condition {
  return new Compiler(options, isWrittenOut(plan)).condition(plan, options.alias)
}

/** What a comparison meets, as JSON in the form records are answered: a field's value, or the count or sum of a collection. */
export function compileMet(plan: Comparing, options: CompileOptions): RawBuilder<unknown> {
  return new Compiler(options).met(plan, options.alias)
}

/** A condition that is made of no others. */
type Comparing = Exclude<Plan, { op: 'and' | 'or' | 'not' }>

/** A field of so many options has few values: each stands in statements as itself. */
const fewOptions = 20

/**
 * Whether a condition asks only for what a field has few values of: yes and no, or an option. Those are written out, so that
 * a plan can be kept that was made for the very value: one made for any would read a million rows for a value of three.
 */
export function isWrittenOut(plan: Plan): boolean {
  switch (plan.op) {
    case 'and':
    case 'or':
      return plan.of.every(isWrittenOut)
    case 'not':
      return isWrittenOut(plan.of)
    case 'test': {
      const { op } = plan.source
      return plan.hops.length === 0 && (op === 'empty' || ((op === '=' || op === '!=') && hasFewValues(plan)))
    }
    default:
      return false
  }
}

function hasFewValues({ domain, field }: { readonly domain: Domain; readonly field: FieldModel }): boolean {
  return domain.name === 'boolean' || (domain.name === 'choice' && (field.options?.length ?? Infinity) <= fewOptions)
}

interface Source {
  readonly table: RawBuilder<unknown>
  readonly conditions: readonly Condition[]
  readonly alias: string
}

class Compiler {
  readonly #environment: Environment
  readonly #visibility: CompileOptions['visibility']
  readonly #from: CompileOptions['source']
  readonly #prefix: string
  readonly #writesOut: boolean
  #aliases = 0

  constructor({ alias, environment, visibility, source }: CompileOptions, writesOut = false) {
    this.#writesOut = writesOut
    this.#environment = environment
    this.#visibility = visibility
    this.#from = source
    // An inner alias must not hide the one it is joined to: a visibility condition is compiled inside another expression.
    let prefix = 'e'
    while (alias.startsWith(prefix)) prefix += '_'
    this.#prefix = prefix
  }

  condition(plan: Plan, alias: string): Condition {
    switch (plan.op) {
      case 'and':
      case 'or':
        return joined(
          plan.of.map((part) => this.condition(part, alias)),
          plan.op,
        )
      case 'not':
        return sql`not ${this.condition(plan.of, alias)}`
      case 'any':
      case 'none': {
        const rows = this.#rows(plan, alias)
        const found = exists(rows.sources, rows.where)
        return plan.op === 'any' ? found : sql`not ${found}`
      }
      case 'count':
      case 'sum': {
        const rows = this.#rows(plan, alias)
        const figure = plan.op === 'sum' ? sql`coalesce(sum(${fieldValue(plan.field, rows.alias)}), 0)` : sql`count(*)`
        const answer = sql`(${select(figure, rows.sources, rows.where)})`
        return sql`(${tested(settleFigure(plan.figure!), answer, { domain: numbers })})`
      }
      case 'test':
        return this.#test(plan, alias)
    }
  }

  #test({ hops, field, domain, source }: Extract<Plan, { op: 'test' }>, alias: string): Condition {
    const test = settle(source, domain, this.#environment)
    const met: Met = { domain, field, writesOut: this.#writesOut }
    if (hops.length === 0) return twoValued(test, fieldValue(field, alias), met)
    const sources = this.#path(hops, alias)
    const value = fieldValue(field, sources.at(-1)!.alias)
    // A reference that leads nowhere is a value that is not there.
    if (test.is === 'empty') return sql`not ${exists(sources, present(value, domain))}`
    return exists(sources, twoValued(test, value, met))
  }

  met(plan: Comparing, alias: string): RawBuilder<unknown> {
    if (plan.op !== 'test') {
      const rows = this.#rows(plan, alias)
      const figure =
        plan.op === 'sum' ? sql`coalesce(sum(${fieldValue(plan.field, rows.alias)}), 0)::text` : sql`count(*)`
      return sql`(${select(figure, rows.sources, rows.where)})`
    }
    const { hops, field } = plan
    const sources = this.#path(hops, alias)
    const value = jsonColumnList([field], sources.at(-1)?.alias ?? alias)
    const found = sources.length === 0 ? sql`select ${value}` : select(value, sources, undefined)
    return sql`(select to_jsonb(met) -> ${field.name}::text from (${found}) met)`
  }

  #rows(plan: Extract<Plan, { op: 'any' | 'none' | 'count' | 'sum' }>, alias: string) {
    const path = this.#path(plan.hops, alias)
    const many = this.#many(plan.many, path.at(-1)?.alias ?? alias)
    const where = plan.where && this.condition(plan.where, many.alias)
    return { sources: [...path, many], where, alias: many.alias }
  }

  #path(hops: readonly Hop[], from: string): Source[] {
    const sources: Source[] = []
    let alias = from
    for (const { field, target } of hops) {
      const next = this.#alias()
      const link: Condition = sql`${column(next, 'id')} = ${fieldValue(field, alias)}`
      sources.push(this.#source(target, next, [link, sameWorkspace(next, alias)]))
      alias = next
    }
    return sources
  }

  #many({ field, target }: ManyHop, from: string): Source {
    const alias = this.#alias()
    const link: Condition = sql`${fieldValue(field, alias)} = ${column(from, 'id')}`
    // So that it is found by the index over a workspace's own field.
    const written: Condition[] = field.custom ? [workspaceIs(field.custom.workspace, [field], alias)] : []
    return this.#source(target, alias, [link, sameWorkspace(alias, from), ...written])
  }

  #source(target: ResourceModel, alias: string, links: readonly Condition[]): Source {
    const deletedAt = target.fields.get('deletedAt')
    const alive: Condition[] = deletedAt ? [sql`${fieldValue(deletedAt, alias)} is null`] : []
    const visible = this.#visibility?.(target.id, alias)
    const seen: Condition[] = visible ? [sql`(${visible})`] : []
    const table = this.#from?.(target.id, alias) ?? sql`${sql.id(target.schema, target.table)} as ${sql.id(alias)}`
    return { table, conditions: [...links, ...alive, ...seen], alias }
  }

  #alias(): string {
    this.#aliases += 1
    const alias = `${this.#prefix}${this.#aliases}`
    return this.#from ? wide(alias) : alias
  }
}

function column(alias: string, name: string): RawBuilder<unknown> {
  return sql`${sql.id(alias, name)}`
}

function sameWorkspace(inner: string, outer: string): Condition {
  return sql`${column(inner, 'workspace')} = ${column(outer, 'workspace')}`
}

function select(
  what: RawBuilder<unknown>,
  sources: readonly Source[],
  where: Condition | undefined,
): RawBuilder<unknown> {
  const tables = sql.join(sources.map((source) => source.table))
  const conditions = [...sources.flatMap((source) => source.conditions), ...(where ? [where] : [])]
  return sql`select ${what} from ${tables} where ${sql.join(conditions, sql` and `)}`
}

function exists(sources: readonly Source[], where: Condition | undefined): Condition {
  return sql`exists (${select(sql`1`, sources, where)})`
}

function joined(parts: readonly Condition[], op: 'and' | 'or'): Condition {
  if (parts.length === 0) return op === 'and' ? sql`true` : sql`false`
  return sql`(${sql.join(parts, op === 'and' ? sql` and ` : sql` or `)})`
}

function present(value: RawBuilder<unknown>, domain: Domain): Condition {
  switch (domain.name) {
    case 'text':
    case 'prose':
    case 'choice':
      return sql`(${value} is not null and ${value} <> '')`
    case 'choices':
      return sql`(${value} is not null and ${value} <> '[]'::jsonb)`
    case 'address':
      return sql`(${value} is not null and core.address_text(${value}) <> '')`
    case 'json':
      return sql`(${value} is not null and ${value}::jsonb <> 'null')`
    default:
      return sql`${value} is not null`
  }
}

const blank: ReadonlySet<string> = new Set(['text', 'prose', 'choice', 'choices', 'address', 'json'])

function absent(value: RawBuilder<unknown>, domain: Domain): Condition {
  return blank.has(domain.name) ? sql`not ${present(value, domain)}` : sql`${value} is null`
}

/** What a test meets. */
interface Met {
  readonly domain: Domain
  /** Undefined for the count or sum of a collection. */
  readonly field?: FieldModel
  readonly writesOut?: boolean
}

function twoValued(test: Test, value: RawBuilder<unknown>, met: Met): Condition {
  const { domain } = met
  if (test.is === 'empty') return absent(value, domain)
  if (test.is === 'never') return sql`false`
  const there = equalsText(test, domain) ? sql`${value} is not null` : present(value, domain)
  return sql`(${there} and ${tested(test, value, met)})`
}

/** No text that is looked for is blank, so what equals one is not either. */
function equalsText({ is }: Test, { name }: Domain): boolean {
  return is === 'oneOf' && (name === 'text' || name === 'choice')
}

/** The test of a value known to be there. */
function tested(test: Test, value: RawBuilder<unknown>, met: Met): Condition {
  const { domain } = met
  const parameter = (key: Key) => constant(key, met)
  switch (test.is) {
    case 'never':
    case 'empty':
      return sql`false`
    case 'oneOf':
      if (domain.name === 'choices') return sql`${value} ?| ${test.keys.map(String)}::text[]`
      if (test.keys.length === 1) return sql`${value} = ${parameter(test.keys[0]!)}`
      // One array, so that lists of any length are one statement to prepare.
      return sql`${value} = any(${test.keys.map((key) => domain.parameter(key))}::${sql.raw(domain.cast)}[])`
    case 'bounded': {
      const sides: Condition[] = []
      const { from, until } = test
      if (from)
        sides.push(
          sql`${ordered(value, domain)} ${sql.raw(from.included ? '>=' : '>')} ${ordered(parameter(from.key), domain)}`,
        )
      if (until)
        sides.push(
          sql`${ordered(value, domain)} ${sql.raw(until.included ? '<=' : '<')} ${ordered(parameter(until.key), domain)}`,
        )
      return sql`${sql.join(sides, sql` and `)}`
    }
    case 'contains':
      return sql`core.fold(${domain.name === 'address' ? sql`core.address_text(${value})` : value}) like ${containsPattern(test.needle)} escape '\\'`
    case 'anyOf':
      return sql`(${sql.join(
        test.tests.map((it) => sql`(${tested(it, value, met)})`),
        sql` or `,
      )})`
    case 'butNot':
      return sql`not (${tested(test.test, value, met)})`
  }
}

function constant(key: Key, { domain, field, writesOut }: Met): RawBuilder<unknown> {
  const text = domain.parameter(key)
  if (writesOut) return sql`${sql.lit(text)}::${sql.raw(domain.cast)}`
  // An integer column's index serves comparisons with integers, not with numeric.
  const isInteger = field && fieldTypes[field.type].sql === 'integer' && /^-?\d{1,18}$/.test(String(text))
  return sql`${text}::${sql.raw(isInteger ? 'bigint' : domain.cast)}`
}

function ordered(value: RawBuilder<unknown>, domain: Domain): RawBuilder<unknown> {
  return domain.name === 'text' ? sql`core.fold(${value}) collate "C"` : value
}

/** Folded before it is escaped: unaccent makes of a full-width ％ a plain one, which would then match anything. */
export function containsPattern(needle: string): RawBuilder<unknown> {
  const folded = sql`core.fold(${needle}::text)`
  return sql`'%' || replace(replace(replace(${folded}, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'`
}
