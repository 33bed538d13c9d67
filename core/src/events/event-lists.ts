import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { decodeCursor, encodeCursor, queryKey } from '../records/cursor.ts'
import type { EngineScope } from '../records/scope.ts'
import { deliveryEntry } from './delivery-entry.ts'
import { EventReader, resourceIn } from './reader.ts'

/**
 * Where a delivery stands: due or put off (`waiting`), kept while its plugin is off (`held`), failed for good (`dead`), or
 * behind one that has (`blocked`).
 */
export const openStates = ['waiting', 'held', 'dead', 'blocked'] as const
export type OpenState = (typeof openStates)[number]

export interface EventQuery {
  readonly event?: string | undefined
  /** Id of the record they are about. */
  readonly record?: string | undefined
  readonly subscription?: string | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

interface EventRow {
  readonly id: string
  readonly seq: string
  readonly name: string
  readonly version: number
  readonly key: string
  readonly payload: unknown
  readonly changeSet: string | null
  readonly at: string
}

/** An event as somebody may see it. */
export interface EventView {
  readonly id: string
  readonly name: string
  readonly version: number
  /** Resource it is about, null for one that is about no record of a resource that is on here. */
  readonly resource: string | null
  readonly record: string
  /** ISO instant. */
  readonly at: string
  readonly changeSet: string | null
  readonly payload: unknown
  readonly hidden: readonly string[]
}

export interface ToldView {
  readonly subscription: string
  /** Skipped by somebody who gave a reason, or because its subscriber slept: what it needs was off here. */
  readonly state: OpenState | 'done' | 'skipped'
}

export interface DeliveryView {
  readonly subscription: string
  readonly state: OpenState
  readonly attempts: number
  /** ISO instant of the next try; null while nobody will try it. */
  readonly dueAt: string | null
  readonly lastError: string | null
  /** Whether its record's later events wait for it. */
  readonly blocks: boolean
  /** How many of them do, at most `countedBehind`. */
  readonly behind: number
  /** Id of the dead letter's event that it waits for, where it is blocked. */
  readonly waitsFor: string | null
  readonly event: EventView
}

export interface Listed<T> {
  readonly data: readonly T[]
  readonly next: string | null
}

export const countedBehind = 1_000
const defaultLimit = 50

const eventColumns = sql`e.id, e.seq::text as seq, e.name, e.version, e.key, e.payload, e.change_set as "changeSet", e.at`

/** The state as people know it, of a delivery under an alias. */
const stateOf = (alias: string): RawBuilder<OpenState> => {
  const [state, due] = [sql.ref(`${alias}.state`), sql.ref(`${alias}.due_at`)]
  return sql<OpenState>`case when ${state} in ('dead', 'aside') then 'dead' when ${due} = 'infinity' then 'blocked' else ${state} end`
}

/** What was told, newest first, each with whom it was told to and what became of it there. */
export async function listEvents(
  scope: EngineScope,
  query: EventQuery,
): Promise<Listed<EventView & { readonly told: readonly ToldView[] }>> {
  const { tx, ctx } = scope
  const { limit = defaultLimit, event, record, subscription, after } = query
  const key = queryKey(['events', event, record, subscription])
  const conditions = [sql<SqlBool>`e.workspace = ${ctx.workspace.id}::uuid`]
  if (event !== undefined) conditions.push(sql`e.name = ${event}`)
  if (record !== undefined) conditions.push(sql`e.key = ${record}::uuid`)
  if (subscription !== undefined) {
    // By its name first, for which there is an index.
    conditions.push(sql`e.name = (select s.event from core.subscription s where s.id = ${subscription})`)
    conditions.push(
      sql`(select array[s.number, -s.number] from core.subscription s where s.id = ${subscription}) && e.told_to`,
    )
  }
  if (after !== undefined) conditions.push(sql`e.seq < ${decodeCursor(key, after).id}::bigint`)
  const { rows } = await sql<EventRow & { told: readonly ToldView[] }>`
    with page as materialized (
      select ${eventColumns}, e.told_to from core.event e
      where ${sql.join(conditions, sql` and `)} order by e.seq desc limit ${limit + 1})
    select e.id, e.seq, e.name, e.version, e.key, e.payload, e."changeSet", e.at, told.told
    from page e cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('subscription', s.id, 'state', coalesce(
          (select ${stateOf('d')} from core.delivery d where d.event = e.id and d.subscription = s.id),
          (select 'skipped' from core.change c where c.workspace = ${ctx.workspace.id}::uuid
            and c.resource = ${deliveryEntry} and c.record = e.id and c.fields #>> '{subscription,1}' = s.id
            and c.fields #>> '{state,1}' = 'skipped' limit 1),
          case when s.number = any (e.told_to) then 'done' else 'skipped' end)) order by s.id), '[]') as told
      from core.subscription s where array[s.number, -s.number] && e.told_to) told
    order by e.seq::bigint desc`.execute(tx)
  const page = rows.slice(0, limit)
  const reader = await EventReader.for(scope, page)
  return {
    data: page.map((row) => ({ ...viewOf(scope, reader, row), told: row.told })),
    next: rows.length > limit ? encodeCursor(key, { id: page.at(-1)?.seq ?? '', values: [] }) : null,
  }
}

/** Deliveries in one state, the longest due first; each is found by the index of its subscriber's queue. */
export async function listDeliveries(
  scope: EngineScope,
  state: OpenState,
  query: EventQuery,
): Promise<Listed<DeliveryView>> {
  const { tx, ctx } = scope
  const { limit = defaultLimit, event, record, subscription, after } = query
  const key = queryKey(['deliveries', state, event, record, subscription])
  const subscriptions = [sql<SqlBool>`true`]
  if (event !== undefined) subscriptions.push(sql`s.event = ${event}`)
  if (subscription !== undefined) subscriptions.push(sql`s.id = ${subscription}`)
  const conditions = [inState[state]]
  if (record !== undefined) conditions.push(sql`d.key = ${record}::uuid`)
  if (after !== undefined) {
    const { id, values } = decodeCursor(key, after)
    conditions.push(sql`(d.due_at, d.seq) > (${String(values[0])}::timestamptz, ${id}::bigint)`)
  }
  const { rows } = await sql<EventRow & Omit<DeliveryView, 'event'> & { place: string; due: string }>`
    select ${eventColumns}, d.subscription, ${stateOf('d')} as state, d.attempts, d.last_error as "lastError",
      d.state = 'dead' as blocks, d.seq::text as place, d.due_at::text as due,
      case when d.due_at < 'infinity' then to_json(d.due_at) #>> '{}' end as "dueAt",
      case when d.state <> 'dead' then 0 else (
        select count(*)::integer from (
          select from core.delivery b where b.subscription = d.subscription and b.workspace = d.workspace and b.key = d.key
            and b.seq > d.seq and b.state in ('waiting', 'held') limit ${countedBehind}) behind) end as behind,
      case when d.due_at = 'infinity' and d.state in ('waiting', 'held') then (
        select b.event from core.delivery b where b.subscription = d.subscription and b.workspace = d.workspace
          and b.key = d.key and b.seq < d.seq and b.state = 'dead' order by b.seq limit 1) end as "waitsFor"
    from (
      select found.* from core.subscription s cross join unnest(${statesOf[state]}::text[]) as kind
      cross join lateral (
        select d.* from core.delivery d
        where d.state = kind and d.subscription = s.id and d.workspace = ${ctx.workspace.id}::uuid
          and ${sql.join(conditions, sql` and `)}
        order by d.due_at, d.seq limit ${limit + 1} offset 0) found
      where ${sql.join(subscriptions, sql` and `)}
      order by found.due_at, found.seq limit ${limit + 1}) d
    join core.event e on e.id = d.event
    order by d.due_at, d.seq`.execute(tx)
  const page = rows.slice(0, limit)
  const reader = await EventReader.for(scope, page)
  const last = page.at(-1)
  return {
    data: page.map((row) => ({
      subscription: row.subscription,
      state: row.state,
      attempts: row.attempts,
      dueAt: row.dueAt,
      lastError: reader.readsErrors(row) ? row.lastError : null,
      blocks: row.blocks,
      behind: row.behind,
      waitsFor: row.waitsFor,
      event: viewOf(scope, reader, row),
    })),
    next: rows.length > limit && last ? encodeCursor(key, { id: last.place, values: [last.due] }) : null,
  }
}

const statesOf: Readonly<Record<OpenState, readonly string[]>> = {
  waiting: ['waiting'],
  held: ['held'],
  dead: ['dead', 'aside'],
  blocked: ['waiting', 'held'],
}

const inState: Readonly<Record<OpenState, RawBuilder<SqlBool>>> = {
  waiting: sql`d.due_at < 'infinity'`,
  held: sql`d.due_at < 'infinity'`,
  dead: sql`true`,
  blocked: sql`d.due_at = 'infinity'`,
}

function viewOf(scope: EngineScope, reader: EventReader, row: EventRow): EventView {
  const { id, name, version, key, at, changeSet } = row
  const resource = resourceIn(scope, name)?.id ?? null
  return { id, name, version, resource, record: key, at, changeSet, ...reader.read(row, row.payload) }
}
