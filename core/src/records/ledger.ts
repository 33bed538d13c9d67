import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { DateTime } from 'luxon'
import type { Actor } from '../actor.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { decodeCursor, encodeCursor, queryKey } from './cursor.ts'
import { cursorInvalid, queryInvalid, recordNotFound } from './errors.ts'
import { deliveryEntry } from '../events/delivery-entry.ts'
import { instantText } from './field-value.ts'
import { pluginEntry } from '../plugins/toggle-ledger.ts'
import { suppressionEntry } from '../privacy/suppression-entry.ts'
import { asShown, demandAction, recordsByIds, rowOf, shownFields } from './read.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { isUuid } from './values.ts'

/** Where a page of a history ended. */
export interface TimelinePlace {
  /** ISO instant. */
  readonly at: string
  readonly id: string
}

export interface HistoryQuery {
  /** Only what came before. */
  readonly before?: TimelinePlace | undefined
  /** Only older versions. */
  readonly version?: number | undefined
  readonly limit: number
}

export interface HistoryPageQuery {
  /** Cursor of the page before. */
  readonly after?: string | undefined
  /** 1 to 200, 200 by default. */
  readonly limit?: number | undefined
}

export interface HistoryPage {
  readonly data: readonly HistoryEntry[]
  readonly page: { readonly next: string | null }
}

/** One entry of a record's history. */
export interface HistoryEntry {
  /** Id of the change, unique over all records. */
  readonly id: string
  readonly changeSet: string
  /** ISO instant. */
  readonly at: string
  readonly actor: { readonly type: Actor['type']; readonly id: string | null; readonly name: string }
  readonly origin: string
  readonly reason: string | null
  readonly undoOf: string | null
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  readonly version: number
  /** The change is part of a merge, or of its undoing. */
  readonly merge: 'merged' | 'unmerged' | null
  readonly changes: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
}

/** One change set with every record it changed, as the audit shows it. */
export interface AuditEntry {
  /** Change set's id. */
  readonly id: string
  readonly at: string
  readonly actor: HistoryEntry['actor']
  readonly origin: string
  readonly reason: string | null
  readonly requestId: string | null
  readonly undoOf: string | null
  /** Another change set took it back. */
  readonly undone: boolean
  readonly mayUndo: boolean
  /** Changes in it, all of them. */
  readonly count: number
  /** At most `auditedChanges` of them. */
  readonly changes: readonly {
    readonly resource: string
    readonly record: string
    readonly title: string
    readonly action: HistoryEntry['action']
    readonly changes: HistoryEntry['changes']
  }[]
}

export interface LedgerRow {
  readonly id: string
  readonly change_set: string
  readonly at: string
  readonly actor_type: Actor['type']
  readonly actor_id: string | null
  readonly actor_name: string
  readonly origin: string
  readonly reason: string | null
  readonly undo_of: string | null
  readonly resource: string
  readonly record: string
  readonly action: HistoryEntry['action']
  readonly version: number
  readonly fields: Readonly<Record<string, readonly [unknown, unknown]>>
}

/** What the ledger keeps beside records, by the field that says what it is about. None of it can be undone as a change is. */
const besideRecords: Readonly<Record<string, string>> = {
  [pluginEntry]: 'plugin',
  [deliveryEntry]: 'subscription',
  [suppressionEntry]: 'channel',
}

const historyLimit = 200
/** A bulk change names its first records; the rest is in their own histories. */
const auditedChanges = 100

/** One page of a record's changes, newest first. */
export async function historyPage(
  scope: EngineScope,
  resource: Resource,
  id: string,
  { after, limit = historyLimit }: HistoryPageQuery = {},
): Promise<HistoryPage> {
  const key = queryKey(['history', resource.id, id])
  const version = after === undefined || after === '' ? undefined : Number(decodeCursor(key, after).values[0])
  if (version !== undefined && !(Number.isInteger(version) && version > 0 && version < 2 ** 31))
    throw cursorInvalid({ cursor: String(after).slice(0, 60) })
  const { history } = await historyBeside(scope, resource, id, { version, limit: limit + 1 })
  const data = history.slice(0, limit)
  const last = data.at(-1)
  const next = history.length > limit && last ? encodeCursor(key, { id: last.id, values: [last.version] }) : null
  return { data, page: { next } }
}

/**
 * A record's changes, newest first, and in the same statement the rows of another one about the record. Fields the actor may
 * not read are left out, and masked ones told by their masks. A partner's person reads who of their own did it, and of the
 * others that the company did: the heads of their change sets are behind the wall.
 *
 * @param other - its rows are read back from JSON: instants have to be texts in it
 */
export async function historyBeside<R>(
  scope: EngineScope,
  resource: Resource,
  id: string,
  { before, version, limit }: HistoryQuery,
  other: RawBuilder<unknown> = sql`select where false`,
): Promise<{ readonly history: HistoryEntry[]; readonly beside: readonly R[] }> {
  demandAction(scope, resource, 'read')
  // The record's own permission stands in the same statement: without its row nothing is told.
  const { rows } = isUuid(id)
    ? await sql<{ changes: (LedgerRow & Pick<HistoryEntry, 'merge'>)[] | null; beside: R[] | null }>`
    select (select json_agg(c) from (
      select c.id, c.change_set, ${sql.raw(instantText('c.at'))} as at, coalesce(s.actor_type, 'system') as actor_type, s.actor_id,
      coalesce(s.actor_name, ${scope.ctx.workspace.name}) as actor_name, coalesce(s.origin, 'system') as origin, s.reason, s.undo_of,
      c.resource, c.record, c.action, c.version, c.fields,
      case
        when exists (select from core.merge_operation m where m.workspace = c.workspace and m.change_set = c.change_set) then 'merged'
        when exists (select from core.merge_operation m where m.workspace = c.workspace and m.undone_by = c.change_set) then 'unmerged'
      end as merge
    from core.change c left join core.change_set s on s.id = c.change_set
    where c.workspace = ${scope.ctx.workspace.id}::uuid and c.resource = ${resource.id} and c.record = ${id}::uuid
      ${version === undefined ? sql`` : sql`and c.version < ${version}`}
      ${before ? sql`and (c.at, c.id) < (${before.at}::timestamptz, ${before.id}::uuid)` : sql``}
    order by c.version desc limit ${limit}) c) as changes, (select json_agg(other) from (${other}) other) as beside
    from (${rowOf(scope, resource, id)}) seen`.execute(scope.tx)
    : { rows: [] }
  const [found] = rows
  if (!found) throw recordNotFound({ resource: resource.entity, id })
  const { changes, beside } = found
  const entries = changes ?? []
  const heads = await headsOfOwn(scope, entries)
  const history = entries.map((row) => ({
    id: row.id,
    ...headOf({ ...row, ...heads.get(row.change_set) }),
    action: row.action,
    version: row.version,
    merge: row.merge,
    changes: readableChanges(scope, resource, row),
  }))
  return { history, beside: beside ?? [] }
}

type Head = Pick<LedgerRow, 'actor_type' | 'actor_id' | 'actor_name' | 'origin'>

/** Of a partner's person the heads of what colleagues of theirs did, which are each colleague's own to read. */
async function headsOfOwn({ ctx, tx }: EngineScope, rows: readonly LedgerRow[]): Promise<ReadonlyMap<string, Head>> {
  if (!ctx.partners || rows.length === 0) return new Map()
  const { rows: heads } = await sql<Head & { id: string }>`
    select id, actor_type, actor_id, actor_name, origin from core.heads_of_own(${rows.map((row) => row.change_set)}::uuid[])`.execute(
    tx,
  )
  return new Map(heads.map(({ id, ...head }) => [id, head]))
}

function headOf(row: LedgerRow) {
  return {
    changeSet: row.change_set,
    at: row.at,
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    origin: row.origin,
    reason: row.reason,
    undoOf: row.undo_of,
  }
}

function readableChanges(
  scope: EngineScope,
  resource: Resource | undefined,
  { fields, resource: of }: LedgerRow,
): HistoryEntry['changes'] {
  const about = besideRecords[of]
  if (about !== undefined)
    return Object.entries(fields)
      .filter(([field]) => field !== about)
      .map(([field, [old, next]]) => ({ field, old, new: next }))
  if (!resource) return []
  const shown = new Map(shownFields({ ...scope, forScreens: true }, resource).map((field) => [field.name, field]))
  return Object.entries(fields).flatMap(([name, [old, next]]) => {
    const field = shown.get(name)
    return field ? [{ field: name, old: asShown(field, old), new: asShown(field, next) }] : []
  })
}

export interface AuditQuery {
  /** 1 to 200, 50 by default. */
  readonly limit?: number
  /** Id of the last change set of the page before. */
  readonly after?: string
  readonly actor?: string
  readonly resource?: string
  readonly origin?: string
  /** First and last day, in the workspace's zone. */
  readonly from?: string
  readonly to?: string
}

interface AuditRow extends LedgerRow {
  readonly request: string | null
  readonly undone: boolean
  readonly total: number
}

/** Change sets of the workspace, newest first, for holders of `core.audit.read`. */
export async function auditTrail(
  scope: EngineScope,
  query: AuditQuery,
): Promise<{ data: AuditEntry[]; next: string | null }> {
  const { ctx, tx } = scope
  if (!ctx.authority.may('core.audit.read')) throw permissionDenied({ permission: 'core.audit.read' })
  const limit = Math.min(query.limit ?? 50, 200)
  const { rows: sets } = await sql<{ id: string }>`
    select s.id from core.change_set s
    where ${sql.join(auditConditions(scope, query), sql` and `)}
    order by s.at desc, s.id desc limit ${limit + 1}`.execute(tx)
  const ids = sets.slice(0, limit).map(({ id }) => id)
  if (ids.length === 0) return { data: [], next: null }
  const { rows } = await sql<AuditRow>`
    select c.id, s.id as change_set, s.at, s.actor_type, s.actor_id, s.actor_name, s.origin, s.reason, s.request, s.undo_of,
      c.resource, c.record, c.action, c.version, c.fields,
      exists (select from core.change_set u where u.workspace = s.workspace and u.undo_of = s.id
        and not exists (select from core.change_set v where v.workspace = s.workspace and v.undo_of = u.id)) as undone, n.total
    from core.change_set s
    cross join lateral (select count(*)::integer as total from core.change c where c.workspace = s.workspace and c.change_set = s.id) n
    left join lateral (
      select * from core.change c where c.workspace = s.workspace and c.change_set = s.id order by c.id limit ${auditedChanges}) c on true
    where s.workspace = ${ctx.workspace.id}::uuid and s.id = any(${ids}::uuid[])
    order by s.at desc, s.id desc, c.id`.execute(tx)
  const titles = await titlesOf(scope, rows)
  const mayUndoAll = ctx.authority.may('core.changeset.undo')
  const entries = new Map<string, Omit<AuditEntry, 'changes'> & { changes: AuditEntry['changes'][number][] }>()
  for (const row of rows) {
    const { changeSet, ...head } = headOf(row)
    const entry = entries.get(changeSet) ?? {
      ...head,
      id: changeSet,
      requestId: row.request,
      undone: row.undone,
      count: row.total,
      mayUndo:
        !(row.resource in besideRecords) && (mayUndoAll || (row.actor_id !== null && row.actor_id === ctx.actor.id)),
      changes: [],
    }
    entries.set(changeSet, entry)
    if (row.record === null) continue
    entry.changes.push({
      resource: row.resource,
      record: row.record,
      title: titles.get(row.record) ?? '',
      action: row.action,
      changes: readableChanges(scope, scope.catalog.get(row.resource), row),
    })
  }
  return { data: [...entries.values()], next: sets.length > limit ? (ids.at(-1) ?? null) : null }
}

function auditConditions({ ctx }: EngineScope, query: AuditQuery): RawBuilder<SqlBool>[] {
  for (const parameter of ['after', 'actor'] as const) {
    const value = query[parameter]
    if (value !== undefined && !isUuid(value)) throw queryInvalid({ parameter, value, expected: 'an id' })
  }
  const conditions = [sql<SqlBool>`s.workspace = ${ctx.workspace.id}::uuid`]
  const { after, actor, resource, origin } = query
  if (after !== undefined) {
    conditions.push(
      sql`(s.at, s.id) < (select at, id from core.change_set where workspace = ${ctx.workspace.id}::uuid and id = ${after}::uuid)`,
    )
  }
  if (actor !== undefined) conditions.push(sql`s.actor_id = ${actor}::uuid`)
  if (origin !== undefined) conditions.push(sql`s.origin = ${origin}`)
  if (resource !== undefined) {
    conditions.push(
      sql`exists (select from core.change c where c.workspace = s.workspace and c.change_set = s.id and c.resource = ${resource})`,
    )
  }
  for (const parameter of ['from', 'to'] as const) {
    const value = query[parameter]
    if (value === undefined) continue
    const day = DateTime.fromISO(value, { zone: ctx.workspace.zone })
    if (!day.isValid) throw queryInvalid({ parameter, value, expected: 'a day such as 2026-03-31' })
    const bound = (parameter === 'from' ? day.startOf('day') : day.plus({ days: 1 }).startOf('day'))
      .toJSDate()
      .toISOString()
    conditions.push(parameter === 'from' ? sql`s.at >= ${bound}::timestamptz` : sql`s.at < ${bound}::timestamptz`)
  }
  return conditions
}

async function titlesOf(scope: EngineScope, rows: readonly AuditRow[]): Promise<Map<string, string>> {
  const byResource = new Map<string, Set<string>>()
  for (const { resource, record } of rows) {
    if (record !== null) byResource.set(resource, (byResource.get(resource) ?? new Set()).add(record))
  }
  const titles = new Map<string, string>()
  for (const row of rows) {
    const about = besideRecords[row.resource]
    if (about !== undefined) titles.set(row.record, String(row.fields[about]?.[1] ?? ''))
  }
  for (const [resource, ids] of byResource) {
    for (const [id, record] of Object.entries(await recordsByIds(scope, resource, [...ids])))
      titles.set(id, String(record['title'] ?? ''))
  }
  return titles
}
