import { sql, type RawBuilder } from 'kysely'
import type { Context } from '../context.ts'
import { cursorInvalid } from '../records/errors.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { HistoryEntry, TimelinePlace } from '../records/ledger.ts'
import type { Included, RecordJson } from '../records/records.ts'
import { instantText } from '../records/field-value.ts'
import { chosenFields, conditionsOf, includedWith, jsonColumnsOf, shownFields, tableOf } from '../records/read.ts'
import { isUuid } from '../records/values.ts'
import { activities } from './resources.ts'

/** One thing that happened to a record: what somebody did about it, or a change of it. */
export interface TimelineEntry {
  readonly kind: 'activity' | 'change'
  readonly at: string
  readonly actor: HistoryEntry['actor']
  readonly id: string
  readonly title: string
  /** Of an activity: `call`, `meeting`, `note` … */
  readonly type?: string
  readonly body?: string
  readonly record?: { readonly resource: string; readonly id: string }
  readonly changes?: HistoryEntry['changes']
}

const pageSize = 30

/**
 * What happened to a record and what is planned about it, newest first, each entry as far as the actor may see it.
 *
 * @param after - cursor of the page before
 */
export async function timelineOf(
  ctx: Context,
  engine: RecordEngine,
  about: { readonly resource: string; readonly id: string },
  after: string | undefined,
): Promise<{ data: TimelineEntry[]; page: { next: string | null }; included: Included }> {
  const before = placeOf(after)
  const activitiesAbout = activitiesOf(ctx, engine, about, before)
  // The record's own permission stands before both: a stranger learns nothing of its activities either.
  const { history, beside: done } = await engine.historyBeside<ActivityRow>(
    about.resource,
    about.id,
    { before, limit: pageSize + 1 },
    activitiesAbout?.statement,
  )
  const included = activitiesAbout?.includedWith(done) ?? {}
  const entries: TimelineEntry[] = history.map((change) => ({
    kind: 'change',
    at: change.at,
    actor: change.actor,
    id: change.id,
    title: ctx.t(`core.timeline.${change.action}`),
    record: about,
    changes: change.action === 'create' ? [] : change.changes,
  }))
  for (const { _at, ...activity } of done) if (activity.id) entries.push(activityEntry(activity, _at, included))
  entries.sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1))
  const data = entries.slice(0, pageSize)
  const last = data.at(-1)
  const more = entries.length > data.length || done.length > pageSize
  return {
    data,
    page: { next: more && last ? Buffer.from(`${last.at}|${last.id}`).toString('base64url') : null },
    included,
  }
}

/** What an activity stands by: when it happened or will, and to whom that is hidden, when it was written down. */
function placing({ scope }: RecordEngine): RawBuilder<unknown> {
  const { readable } = scope.access(scope.catalog.of(activities), 'read')
  return ['completedAt', 'startAt', 'dueAt'].every(readable)
    ? sql`l.at`
    : sql`(select a.created_at from core.activity a where a.workspace = l.workspace and a.id = l.activity_id)`
}

function placeOf(cursor: string | undefined): TimelinePlace | undefined {
  if (cursor === undefined || cursor === '') return undefined
  const [at = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('|')
  if (!isUuid(id) || Number.isNaN(Date.parse(at))) throw cursorInvalid({ cursor: cursor.slice(0, 60) })
  return { at, id }
}

/** What a timeline tells of an activity. */
const told = ['type', 'subject', 'body', 'owner']

type ActivityRow = RecordJson & { readonly _at: string }

/**
 * A statement for the activities on a record, and what reads from its rows who has them. A row stands for each, without an id
 * where the actor may not see it. Undefined for whom there are none.
 */
function activitiesOf(
  ctx: Context,
  engine: RecordEngine,
  { resource, id }: { readonly resource: string; readonly id: string },
  before: TimelinePlace | undefined,
): { readonly statement: RawBuilder<unknown>; includedWith(rows: readonly ActivityRow[]): Included } | undefined {
  if (!ctx.authority.may('core.activity.read')) return undefined
  const { scope } = engine
  const model = scope.catalog.of(activities)
  const names = new Set(shownFields(scope, model).map(({ name }) => name))
  const fields = chosenFields(
    scope,
    model,
    told.filter((name) => names.has(name)),
  )
  const owner = includedWith(scope, model, names.has('owner') ? ['owner'] : [], 't')
  const when = placing(engine)
  const statement = sql`
    select ${sql.raw(instantText('l.at'))} as _at, a.* from (
      select l.activity_id, ${when} as at from core.activity_link l
      where l.workspace = ${ctx.workspace.id}::uuid and l.resource = ${resource} and l.record = ${id}::uuid
        ${before ? sql`and (${when}, l.activity_id) < (${before.at}::timestamptz, ${before.id}::uuid)` : sql``}
      order by ${when} desc, l.activity_id desc limit ${pageSize + 1}) l
    left join lateral (
      select ${jsonColumnsOf(fields, 't')}${owner.columns} from ${tableOf(model, 't')}
      where ${sql.join(conditionsOf(scope, model, {}, 't'), sql` and `)} and t.id = l.activity_id offset 0) a on true
    order by l.at desc, l.activity_id desc`
  return {
    statement,
    includedWith(rows) {
      // Few people have all of them.
      const ofEach = new Map(rows.map((row) => [row['owner'], row]))
      const included: Record<string, Record<string, RecordJson>> = {}
      for (const row of ofEach.values())
        for (const [target, records] of Object.entries(owner.of(row)))
          included[target] = { ...included[target], ...records }
      return included
    },
  }
}

function activityEntry(activity: RecordJson, at: string, included: Included): TimelineEntry {
  const owner = typeof activity['owner'] === 'string' ? activity['owner'] : null
  const { body, type } = activity
  return {
    kind: 'activity',
    at,
    actor: { type: 'user', id: owner, name: String(included['core.user']?.[owner ?? '']?.['title'] ?? '') },
    id: activity.id,
    title: String(activity['subject'] ?? ''),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof body === 'string' ? { body } : {}),
    record: { resource: 'core.activity', id: activity.id },
  }
}
