import type { FieldCondition, FieldMeta } from '@socle/sdk/ui'

type Values = Readonly<Record<string, unknown>>

/** Whether a field has a place on the screen of a record with these values. */
export function isShown({ shownIf }: FieldMeta, values: Values): boolean {
  return !shownIf || holds(shownIf, values)
}

/** The field as this record asks for it: required by a condition is required. */
export function asked(field: FieldMeta, values: Values): FieldMeta {
  return !field.required && field.requiredIf && holds(field.requiredIf, values) ? { ...field, required: true } : field
}

/** The condition's answer, as the server's: an empty value satisfies no comparison. */
function holds(condition: FieldCondition, values: Values): boolean {
  switch (condition.op) {
    case 'and':
      return condition.of.every((it) => holds(it, values))
    case 'or':
      return condition.of.some((it) => holds(it, values))
    case 'not':
      return !holds(condition.of, values)
    default:
      return compares(condition, values[condition.path])
  }
}

function compares(condition: Extract<FieldCondition, { readonly path: string }>, value: unknown): boolean {
  const isEmpty = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  if (condition.op === 'empty') return isEmpty
  if (isEmpty) return false
  if (condition.op === 'in') return condition.values.some((it) => isOne(value, it))
  const [left, right] = pair(value, condition.value)
  switch (condition.op) {
    case '=':
      return isOne(value, condition.value)
    case '!=':
      return !isOne(value, condition.value)
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

type Constant = Extract<FieldCondition, { readonly value: unknown }>['value']

/** Of several choices any may be the one. */
function isOne(value: unknown, constant: Constant): boolean {
  if (Array.isArray(value)) return value.some((it) => isOne(it, constant))
  const [left, right] = pair(value, constant)
  return left === right
}

/** Amounts are texts in a record and numbers in a condition. */
function pair(value: unknown, constant: Constant): [left: string | number, right: string | number] {
  if (typeof constant === 'number') return [Number(value), constant]
  if (typeof constant === 'object') return [Number(value), Number(constant.number)]
  return [String(value), String(constant)]
}
