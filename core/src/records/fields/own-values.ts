import { sql, type RawBuilder } from 'kysely'
import type { FieldFault } from '../../errors.ts'
import { evaluateExpression, type CheckedExpression } from '../expression/index.ts'
import { fieldTypes } from '../field-types.ts'
import { namedFault } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import { nextNumber } from '../numbers.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { requiredFault } from '../values.ts'

type Values = Readonly<Record<string, unknown>>

/** Numbers stay numbers with all their digits, which JavaScript's own JSON would lose. */
function jsonOf(field: FieldModel, value: unknown): string {
  return fieldTypes[field.type].sql === 'numeric' ? String(value) : JSON.stringify(value)
}

const isEmpty = (value: unknown) => value === undefined || value === null

/** What `custom` holds of a new record, as JSON; undefined when it has none of its workspace's own values. */
export function customOf(fields: readonly FieldModel[], values: Values): string | undefined {
  const parts = fields
    .filter(({ custom, name }) => custom && !isEmpty(values[name]))
    .map((field) => `${JSON.stringify(field.name)}:${jsonOf(field, values[field.name])}`)
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`
}

/** `custom` with these fields as they will be, and all others, archived ones too, as they are. */
export function customWith(fields: readonly FieldModel[], values: Values): RawBuilder<unknown> | undefined {
  const own = fields.filter(({ custom }) => custom)
  if (own.length === 0) return undefined
  const cleared = own.filter(({ name }) => isEmpty(values[name])).map(({ name }) => name)
  const rest = cleared.length === 0 ? sql`custom` : sql`(custom - ${cleared}::text[])`
  const set = customOf(own, values)
  return set === undefined ? rest : sql`${rest} || ${set}::jsonb`
}

/** Gives a new record its automatic numbers. */
export async function giveNumbers(
  scope: EngineScope,
  resource: Resource,
  after: Record<string, unknown>,
): Promise<void> {
  for (const { name, type, custom } of resource.all) {
    if (type === 'auto-number' && custom && isEmpty(after[name]))
      after[name] = await nextNumber(scope, custom.prefix ?? name)
  }
}

/**
 * Own fields that must have a value and have none.
 *
 * A record from before a field was required, or before its condition held, stays editable: the value is asked for when the
 * record is made, when it is taken away, and when a change makes the condition hold.
 */
export function missingOwnValues(
  scope: EngineScope,
  resource: Resource,
  before: RecordJson | undefined,
  after: Values,
): FieldFault[] {
  const faults: FieldFault[] = []
  const own = resource.all.filter(({ custom, required }) => custom && (required || custom.requiredIf))
  if (own.length === 0) return faults
  const holds = judge(scope, resource)
  const asked = (field: FieldModel, record: Values) => {
    const { shownIf, requiredIf } = field.custom!
    if (shownIf && !holds(shownIf, record)) return false
    return field.required || (requiredIf !== undefined && holds(requiredIf, record))
  }
  for (const field of own) {
    if (!isEmpty(after[field.name]) || !asked(field, after)) continue
    const wasAsked = before !== undefined && asked(field, before)
    if (before && wasAsked && isEmpty(before[field.name])) continue
    faults.push(namedFault(scope.ctx, resource.id, field, requiredFault(field.name)))
  }
  return faults
}

function judge({ ctx }: EngineScope, resource: Resource) {
  const environment = {
    now: ctx.clock.now(),
    zone: ctx.workspace.zone,
    ...(ctx.actor.type === 'user' && ctx.actor.id !== undefined ? { userId: ctx.actor.id } : {}),
  }
  return (condition: CheckedExpression, record: Values): boolean => {
    const formulas = condition.paths.flatMap((name) => {
      const { formula } = resource.fields.get(name) ?? {}
      return formula ? [[name, formula.evaluate(record)] as const] : []
    })
    const loaded = formulas.length === 0 ? record : { ...record, ...Object.fromEntries(formulas) }
    return evaluateExpression(condition, loaded, environment)
  }
}
