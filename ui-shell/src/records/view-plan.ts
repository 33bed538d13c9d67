import type { FieldMeta, FieldType, ResourceMeta } from '@socle/sdk/ui'
import type { ListState } from './list-state.ts'
import { decidingFields, fieldOf, fieldsOf } from './resources.ts'

const grouping: readonly FieldType[] = ['select', 'reference', 'user', 'team', 'boolean']
const adding: readonly FieldType[] = ['money', 'decimal']
const timing: readonly FieldType[] = ['date', 'instant']

/** Fields whose values can be the columns of a board. */
export function groupableFields(meta: ResourceMeta): FieldMeta[] {
  return decidingFields(meta).filter((it) => grouping.includes(it.type))
}

/** Fields that can be added up in a board's heads. */
export function addableFields(meta: ResourceMeta): FieldMeta[] {
  return decidingFields(meta).filter((it) => it.type === 'integer' || adding.includes(it.type))
}

/** Fields a calendar can go by. */
export function timeFields(meta: ResourceMeta): FieldMeta[] {
  return decidingFields(meta).filter((it) => timing.includes(it.type))
}

/** How a board of these records is drawn. */
export interface BoardPlan {
  readonly by: FieldMeta
  readonly card: readonly string[]
  readonly sum: string | undefined
  readonly weighted: string | undefined
  /** By the field the resource's owner made its board for, whose columns have an order of their own. */
  readonly isOwn: boolean
}

/** The view's word first, then the resource's own, then what its list shows. */
export function boardPlan(
  meta: ResourceMeta,
  wanted: string | undefined,
  view?: Pick<ListState, 'card' | 'sums'>,
): BoardPlan | undefined {
  const groupable = groupableFields(meta)
  const own = meta.kanban?.by
  const by =
    groupable.find((it) => it.name === wanted) ??
    groupable.find((it) => it.name === own) ??
    groupable.find((it) => it.type === 'select' && meta.list.includes(it.name)) ??
    groupable.find((it) => it.type === 'select' && it.writable) ??
    groupable[0]
  if (!by) return undefined
  const listed = fieldsOf(meta, meta.list)
  return {
    by,
    card: view?.card ?? meta.kanban?.card ?? meta.list,
    sum: view?.sums ? view.sums[0] : (meta.kanban?.sum ?? listed.find((it) => adding.includes(it.type))?.name),
    weighted: view?.sums ? view.sums[1] : meta.kanban?.weighted,
    isOwn: by.name === own,
  }
}

/** By which dates a calendar places these records. */
export interface CalendarPlan {
  readonly start: FieldMeta
  readonly end: FieldMeta | undefined
}

// What somebody plans goes before what the engine notes.
const noted: readonly string[] = ['createdAt', 'updatedAt']

export function calendarPlan(meta: ResourceMeta, state: Pick<ListState, 'start' | 'end'>): CalendarPlan | undefined {
  const fields = timeFields(meta)
  // A workspace's own date is nobody's calendar until it is chosen.
  const builtIn = fields.filter((it) => !it.own)
  const planned = builtIn.filter((it) => !noted.includes(it.name))
  const start =
    fields.find((it) => it.name === state.start) ??
    planned.find((it) => it.name === 'startAt') ??
    planned.find((it) => meta.list.includes(it.name) && it.writable) ??
    planned.find((it) => it.writable) ??
    planned[0] ??
    builtIn[0] ??
    fields[0]
  if (!start) return undefined
  const wanted = state.end ?? (start.name === 'startAt' ? 'endAt' : undefined)
  const end = wanted === undefined ? undefined : fieldOf(meta, wanted)
  return { start, end: end && end.type === start.type && end !== start ? end : undefined }
}
