import type { ResourceModel } from '../model.ts'
import type { CheckedExpression, Hop, ManyHop, Plan } from './check.ts'
import { numbers } from './domains.ts'
import type { Domain, Key } from './domains.ts'
import { fold } from './fold.ts'
import type { Environment } from './moments.ts'
import { settle, settleFigure } from './settle.ts'
import type { Test } from './settle.ts'

/**
 * A record with what the expression reads (`CheckedExpression.paths`): a reference that is followed as its record,
 * `absentRecord(id)` or null, a collection as an array. Money and decimals are strings, dates `YYYY-MM-DD`, instants ISO strings or `Date`.
 */
export type LoadedRecord = Readonly<Record<string, unknown>>

const absent = Symbol('absent')

/** Stands for a reference whose record is gone or hidden: its id is still a value, but nothing is behind it. */
export function absentRecord(id: string): LoadedRecord {
  return { id, [absent]: true } as LoadedRecord
}

/** Judges one record in memory, exactly as SQL judges its row. Who may see what is the business of who loaded it. */
export function evaluateExpression(
  { plan }: CheckedExpression,
  record: LoadedRecord,
  environment: Environment,
): boolean {
  return judge(plan, record, environment)
}

function judge(plan: Plan, record: LoadedRecord, environment: Environment): boolean {
  switch (plan.op) {
    case 'and':
      return plan.of.every((part) => judge(part, record, environment))
    case 'or':
      return plan.of.some((part) => judge(part, record, environment))
    case 'not':
      return !judge(plan.of, record, environment)
    case 'test':
      return holds(settle(plan.source, plan.domain, environment), valueAt(plan, record), plan.domain)
    case 'any':
    case 'none':
      return matches(plan, record, environment).length > 0 === (plan.op === 'any')
    case 'count':
    case 'sum':
      return holds(settleFigure(plan.figure!), figureOf(plan, matches(plan, record, environment)), numbers)
  }
}

/** The value a test is about: the field's, behind its references; `undefined` where one of them leads nowhere. */
function valueAt({ hops, field }: Extract<Plan, { op: 'test' }>, record: LoadedRecord): unknown {
  const owner = follow(hops, record)
  return owner?.[field.name]
}

/** The records of a collection that pass its filter. */
function matches(plan: OverMany, record: LoadedRecord, environment: Environment): LoadedRecord[] {
  const { where } = plan
  const all = members(plan, record)
  return where ? all.filter((member) => judge(where, member, environment)) : all
}

type OverMany = Extract<Plan, { op: 'any' | 'none' | 'count' | 'sum' }>

function members({ hops, many }: { hops: readonly Hop[]; many: ManyHop }, record: LoadedRecord): LoadedRecord[] {
  const owner = follow(hops, record)
  if (!owner) return []
  const all = owner[many.name]
  if (!Array.isArray(all)) throw new TypeError(`The collection "${many.name}" was not loaded`)
  return all.filter((member: LoadedRecord) => isAlive(member, many.target))
}

/** A count, or an exact sum in which empty values weigh nothing. */
function figureOf(plan: OverMany, found: readonly LoadedRecord[]): unknown {
  if (plan.op !== 'sum') return found.length
  let total = numbers.read(0)!
  for (const member of found) {
    const value = numbers.read(member[plan.field.name])
    if (value !== undefined) total = numbers.add(total, value)
  }
  return total
}

function holds(test: Test, value: unknown, domain: Domain): boolean {
  const key = domain.read(value)
  if (test.is === 'empty') return key === undefined
  return key !== undefined && passes(test, key, domain)
}

function passes(test: Test, key: Key, domain: Domain): boolean {
  switch (test.is) {
    case 'never':
    case 'empty':
      return false
    case 'oneOf':
      return test.keys.some((it) => domain.equals(key, it))
    case 'bounded': {
      const { from, until } = test
      const low = from ? domain.compare(key, from.key) : 1
      const high = until ? domain.compare(key, until.key) : -1
      return (low > 0 || (low === 0 && from!.included)) && (high < 0 || (high === 0 && until!.included))
    }
    case 'contains':
      return fold(String(key)).includes(fold(test.needle))
    case 'anyOf':
      return test.tests.some((it) => passes(it, key, domain))
    case 'butNot':
      return !passes(test.test, key, domain)
  }
}

function follow(hops: readonly Hop[], record: LoadedRecord): LoadedRecord | undefined {
  let at = record
  for (const { field, target } of hops) {
    const next = at[field.name]
    if (next === null || next === undefined) return undefined
    if (typeof next !== 'object') throw new TypeError(`The reference "${field.name}" was not loaded`)
    if (!isAlive(next as LoadedRecord, target)) return undefined
    at = next as LoadedRecord
  }
  return at
}

/** Rows in the bin are as absent here as they are in SQL. */
function isAlive(record: LoadedRecord, resource: ResourceModel): boolean {
  if (absent in record) return false
  if (!resource.fields.has('deletedAt')) return true
  return record['deletedAt'] === null || record['deletedAt'] === undefined
}
