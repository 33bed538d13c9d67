import { format, locale, shell, t } from '@socle/sdk/ui'
import type { FieldMeta, FieldType, ResourceMeta } from '@socle/sdk/ui'
import { isRaw } from './filter-text.ts'
import type { Call, Condition, FilterPart, Operator, Period, Scalar } from './filter-text.ts'
import { decidingFields, fieldPath, pathLabel, pointsAtRecord } from './resources.ts'
import { titleFor } from './titles.ts'

const written: readonly Operator[] = ['~', '=', '!=', 'empty', 'not empty']
const counted: readonly Operator[] = ['>=', '<=', '=', '!=', '>', '<', 'empty', 'not empty']
const dated: readonly Operator[] = ['within', '<', '>', '=', 'empty', 'not empty']
const chosen: readonly Operator[] = ['in', 'not in', 'empty', 'not empty']

const operators: Readonly<Record<FieldType, readonly Operator[]>> = {
  text: written,
  long: written,
  rich: ['~', 'empty', 'not empty'],
  address: ['~', 'empty', 'not empty'],
  'auto-number': written,
  duration: counted,
  'multi-select': chosen,
  email: written,
  phone: written,
  url: written,
  integer: counted,
  decimal: counted,
  money: counted,
  percent: counted,
  boolean: ['='],
  date: dated,
  instant: dated.filter((it) => it !== '='),
  select: chosen,
  user: chosen,
  team: chosen,
  reference: chosen,
  json: ['empty', 'not empty'],
}

/** How a type can be compared, the usual one first. */
export function operatorsFor(field: FieldMeta): readonly Operator[] {
  return operators[field.type]
}

const names: Readonly<Record<Operator, string>> = {
  '=': 'is',
  '!=': 'isNot',
  '<': 'under',
  '<=': 'atMost',
  '>': 'over',
  '>=': 'atLeast',
  '~': 'contains',
  in: 'is',
  'not in': 'isNot',
  within: 'within',
  empty: 'empty',
  'not empty': 'notEmpty',
}

const isDated = (field: FieldMeta) => field.type === 'date' || field.type === 'instant'

function nameOf(op: Operator, field: FieldMeta): string {
  if (isDated(field) && (op === '<' || op === '<=')) return 'before'
  if (isDated(field) && (op === '>' || op === '>=')) return 'after'
  return names[op]
}

/** The comparison alone, for the editor's menu: "is before". */
export function operatorLabel(op: Operator, field: FieldMeta): string {
  return t(`shell.records.op.${nameOf(op, field)}`)
}

/** A whole sentence for a chip: "Stage is Proposal, Negotiation". `arrived` is called when a missing title came. */
export function sentenceOf(meta: ResourceMeta, part: FilterPart, arrived: () => void): string {
  if (isRaw(part)) return part.raw
  const way = fieldPath(meta, part.path)
  const field = way?.at(-1)
  if (!way || !field) return t('shell.records.chip.unknown', { path: part.path })
  const label = pathLabel(way)
  if (part.value.kind === 'period')
    return t(`shell.records.chip.${part.value.period.direction}`, periodValues(label, part.value.period))
  return t(`shell.records.chip.${nameOf(part.op, field)}`, { field: label, value: valueOf(field, part, arrived) })
}

function periodValues(field: string, { count, unit }: Period) {
  return { field, count, unit }
}

function valueOf(field: FieldMeta, { value }: Condition, arrived: () => void): string {
  if (value.kind === 'scalar') return scalarLabel(field, value.value, arrived)
  if (value.kind === 'call') return callLabel(value.call)
  if (value.kind !== 'list') return ''
  return value.values.map((it) => (typeof it === 'object' ? callLabel(it) : scalarLabel(field, it, arrived))).join(', ')
}

function callLabel({ call }: Call): string {
  const known = ['today', 'me']
  return known.includes(call) ? t(`shell.records.call.${call}`) : `${call}()`
}

function scalarLabel(field: FieldMeta, value: Scalar, arrived: () => void): string {
  if (pointsAtRecord(field) && field.target) return titleFor(field.target, String(value), arrived) ?? '…'
  if (field.type === 'text' || field.type === 'long') {
    return locale() === 'fr' ? `«\u00a0${String(value)}\u00a0»` : `“${String(value)}”`
  }
  return format.value(field, value) || String(value)
}

export interface FilterField {
  readonly path: string
  readonly label: string
  readonly field: FieldMeta
}

/** Fields a filter may start from: the resource's own, then those of what it points at (`Stage › Kind`). */
export function filterFields(meta: ResourceMeta): FilterField[] {
  const own = decidingFields(meta).filter((it) => it.type !== 'json')
  const direct = own.map((field) => ({ path: field.name, label: field.label, field }))
  const through = own
    .filter((it) => it.type === 'reference')
    .flatMap((reference) => {
      const target = shell()?.resources.find((it) => it.id === reference.target)
      const fields = target ? decidingFields(target).filter((it) => it.type !== 'json' && it.type !== 'reference') : []
      return fields.map((field) => ({
        path: `${reference.name}.${field.name}`,
        label: pathLabel([reference, field]),
        field,
      }))
    })
  return [...direct, ...through]
}
