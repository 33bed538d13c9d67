import type { Context } from '../../context.ts'
import { SocleError } from '../../errors.ts'
import type { FieldFault } from '../../errors.ts'
import { fieldNotReadable } from '../../permissions/errors.ts'
import { validationFailed } from '../errors.ts'
import { compileFilter } from '../filter.ts'
import type { FieldModel, FieldType } from '../model.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { sortKeys } from '../sorting.ts'
import { viewInvalid } from './errors.ts'

const grouping: readonly FieldType[] = ['select', 'reference', 'user', 'team', 'boolean']
const adding: readonly FieldType[] = ['integer', 'decimal', 'money', 'percent']
const timing: readonly FieldType[] = ['date', 'instant']

/** A part of a view that no longer works, and why. */
export interface ViewFault {
  readonly part: 'filter' | 'sort' | 'columns' | 'groupBy' | 'card' | 'sums' | 'startField' | 'endField'
  readonly code: string
  readonly detail: string
}

export function isGroupable({ name, type }: FieldModel): boolean {
  return name !== 'id' && grouping.includes(type)
}

/** Names of the fields a view's JSON column holds; anything else in it is none. */
export function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((it: unknown) => {
    if (typeof it === 'string') return [it]
    const field = (it as { field?: unknown } | null)?.field
    return typeof field === 'string' ? [field] : []
  })
}

/**
 * What of a view does not work here and now: a field that is gone or unreadable, a filter that cannot be read. The
 * view itself stays, and says so.
 */
export function faultsOfView(scope: EngineScope, resource: Resource, view: RecordJson): ViewFault[] {
  const faults: ViewFault[] = []
  const trying = (part: ViewFault['part'], check: () => unknown) => {
    try {
      check()
    } catch (error) {
      if (!(error instanceof SocleError)) throw error
      faults.push({ part, code: error.code, detail: said(scope.ctx, error) })
    }
  }
  const text = (name: string) => (typeof view[name] === 'string' && view[name] !== '' ? view[name] : undefined)
  const filter = text('filter')
  const sort = text('sort')
  if (filter !== undefined) trying('filter', () => compileFilter(scope, resource, filter, 't'))
  if (sort !== undefined) trying('sort', () => sortKeys(scope, resource, sort, 't'))
  for (const part of ['columns', 'card', 'sums'] as const) {
    for (const name of namesIn(view[part]))
      trying(part, () => usable(scope, resource, part, name, part === 'sums' ? adding : undefined))
  }
  for (const [part, types] of [
    ['groupBy', grouping],
    ['startField', timing],
    ['endField', timing],
  ] as const) {
    const name = text(part)
    if (name !== undefined) trying(part, () => usable(scope, resource, part, name, types))
  }
  return faults
}

function usable(
  scope: EngineScope,
  resource: Resource,
  part: string,
  name: string,
  types: readonly FieldType[] | undefined,
): void {
  const field = resource.fields.get(name)
  if (!field) throw viewInvalid({ part, value: name, rule: 'field', of: resource.entity })
  if (!scope.access(resource, 'read').readable(name)) throw fieldNotReadable({ resource: resource.id, field: name })
  if (types && !types.includes(field.type)) throw viewInvalid({ part, value: name, rule: 'type', of: types.join(', ') })
}

/**
 * Refuses a view that would not work, when it is written. Parts that were saved before and broke since may stay.
 *
 * @throws `VIEW_INVALID`, `VALIDATION_FAILED` (422) naming each part, `FIELD_NOT_READABLE` (403)
 */
export function demandSoundView(scope: EngineScope, view: RecordJson, changed: ReadonlySet<string>): void {
  const id = String(view['resource'])
  const resource = scope.catalog.get(id)
  if (!resource || !scope.exists(resource) || !scope.access(resource, 'read').allowed)
    throw viewInvalid({ part: 'resource', value: id, rule: 'resource', of: '' })
  if (view['kind'] === 'kanban' && !view['groupBy'] && !resource.options.kanban)
    throw viewInvalid({ part: 'groupBy', value: '', rule: 'groupBy', of: '' })
  if (view['kind'] === 'calendar' && !view['startField'])
    throw viewInvalid({ part: 'startField', value: '', rule: 'startField', of: '' })
  const faults: FieldFault[] = faultsOfView(scope, resource, view)
    .filter(({ part }) => changed.has(part) || changed.has('resource'))
    .map(({ part, code, detail }) => ({ path: `/${part}`, code, detail }))
  const [first] = faults
  if (first) throw validationFailed({ count: faults.length, first: first.detail }, { errors: faults })
}

/** What of a view is wrong is told with the view, beside what works: in the language of whoever opens it. */
function said({ t }: Context, { code, message, values }: SocleError): string {
  const key = `errors.${code}`
  const sentence = t(key, values)
  return sentence === key ? message : sentence
}
