import { sql, type RawBuilder } from 'kysely'
import type { Context } from '../context.ts'
import { cursorInvalid } from '../records/errors.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { HistoryEntry, TimelinePlace } from '../records/ledger.ts'
import type { Included, RecordJson } from '../records/records.ts'
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
  // The record's own permission is asked first: a stranger learns nothing of its activities either.
  const changes = await engine.history(about.resource, about.id, { before, limit: pageSize + 1 })
  const when = placing(engine)
  const { rows: links } = await sql<{ id: string; at: string }>`
    select l.activity_id as id, ${when} as at from core.activity_link l
    where l.workspace = ${ctx.workspace.id}::uuid and l.resource = ${about.resource} and l.record = ${about.id}::uuid
      ${before ? sql`and (${when}, l.activity_id) < (${before.at}::timestamptz, ${before.id}::uuid)` : sql``}
    order by ${when} desc, l.activity_id desc limit ${pageSize + 1}`.execute(ctx.sql)
  const { records, included } = await activitiesById(
    ctx,
    engine,
    links.map(({ id }) => id),
  )
  const entries: TimelineEntry[] = changes.map((change) => ({
    kind: 'change',
    at: change.at,
    actor: change.actor,
    id: change.id,
    title: ctx.t(`core.timeline.${change.action}`),
    record: about,
    changes: change.action === 'create' ? [] : change.changes,
  }))
  for (const { id, at } of links) {
    const activity = records.get(id)
    if (activity) entries.push(activityEntry(activity, at, included))
  }
  entries.sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1))
  const data = entries.slice(0, pageSize)
  const last = data.at(-1)
  const more = entries.length > data.length || links.length > pageSize
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

async function activitiesById(
  ctx: Context,
  engine: RecordEngine,
  ids: readonly string[],
): Promise<{ records: Map<string, RecordJson>; included: Included }> {
  if (ids.length === 0 || !ctx.authority.may('core.activity.read')) return { records: new Map(), included: {} }
  const shown = new Set(engine.shownNames(activities))
  const { data, included } = await engine.list(activities, {
    filter: { op: 'in', path: 'id', values: ids },
    fields: told.filter((name) => shown.has(name)),
    include: shown.has('owner') ? ['owner'] : [],
    limit: pageSize + 1,
    count: 'none',
  })
  return { records: new Map(data.map((record) => [record.id, record])), included }
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
