import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import type { FieldFault } from '../../errors.ts'
import type { RecordEngine } from '../../records/engine.ts'
import { decodeCursor, encodeCursor, queryKey } from '../../records/cursor.ts'
import { cursorInvalid, queryInvalid, recordNotFound, validationFailed } from '../../records/errors.ts'
import { tableOf } from '../../records/past.ts'
import { recordsByIds } from '../../records/read.ts'
import type { RecordJson, Records } from '../../records/records.ts'
import { isoInstant, isUuid } from '../../records/values.ts'
import { permissionDenied, sharedBeyondReach, sharedNotOwned } from '../errors.ts'
import { notShareable, shareExists } from './errors.ts'
import { shares } from './resource.ts'
import type { ShareAccess } from './share.ts'
import { isShareable } from './shareable.ts'

export interface Shared {
  readonly resource: string
  readonly record: string
}

export interface ShareJson extends Shared {
  readonly id: string
  readonly version: number
  /** Name of the partner that a plugin knows is not here. */
  readonly with: { readonly kind: 'user' | 'team' | 'partner'; readonly id: string; readonly name: string | null }
  readonly access: ShareAccess
  readonly until: string | null
  readonly reason: string | null
  /** False once its time is over, or when whom it was given to no longer works here. */
  readonly holds: boolean
  readonly by: string | null
  readonly at: string
}

export interface SharedWithMe extends ShareJson {
  /** Of the record. */
  readonly title: string
  /** What its kind is called. */
  readonly name: string
}

export interface SharedWithMeQuery {
  /** Only records of this kind. */
  readonly resource?: string
  readonly after?: string
  readonly limit?: number
}

export interface SharedWithMePage {
  readonly data: SharedWithMe[]
  readonly page: { readonly next: string | null }
}

interface Place {
  readonly at: string
  readonly id: string
}

/** Records out of reach are left out of a page after they are read: so many are looked through at once to fill it. */
const sharesAtOnce = 200

export interface ShareTerms {
  readonly access?: ShareAccess
  /** Instant; null for good. */
  readonly until?: string | null
  readonly reason?: string | null
}

export interface ShareOrder extends ShareTerms {
  readonly resource: string
  readonly records: readonly string[]
  /** One of the two. */
  readonly user?: string
  readonly team?: string
}

/** Records opened to people and teams one by one, and taken back. */
export class ShareService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  /** Shares of a record, those that hold first, for whoever may share it. */
  async list(of: Shared): Promise<ShareJson[]> {
    await demandMayShare(this.#ctx, { resource: of.resource, records: [of.record] })
    return this.#found(sql`s.resource = ${of.resource} and s.record = ${of.record}::uuid`)
  }

  /**
   * What others share with the actor now, newest first: of records they may read, by name.
   *
   * @throws `QUERY_INVALID` (400) for a resource that is not here, `CURSOR_INVALID` (400)
   */
  async withMe({ resource, after, limit = 50 }: SharedWithMeQuery): Promise<SharedWithMePage> {
    const { scope } = this.#ctx.records as RecordEngine
    const model = resource === undefined ? undefined : scope.catalog.get(resource)
    if (resource !== undefined && !(model && scope.exists(model)))
      throw queryInvalid({ parameter: 'resource', value: resource, expected: 'a kind of records that is here' })
    const key = queryKey(['shared with me', resource ?? ''])
    const cursor = after === undefined ? undefined : decodeCursor(key, after)
    if (cursor && !(isUuid(cursor.id) && isoInstant.test(String(cursor.values[0]))))
      throw cursorInvalid({ cursor: (after ?? '').slice(0, 60) })
    let place: Place | undefined = cursor && { at: String(cursor.values[0]), id: cursor.id }
    const all: SharedWithMe[] = []
    while (all.length <= limit) {
      const found = await this.#foundWithMe(resource, place)
      all.push(...(await this.#named(found)))
      place = found.at(-1)
      if (found.length < sharesAtOnce) break
    }
    const data = all.slice(0, limit)
    const last = data.at(-1)
    const next = all.length > limit && last ? encodeCursor(key, { id: last.id, values: [last.at] }) : null
    return { data, page: { next } }
  }

  /** Some of the shares after a place, whether or not their records are still within reach. */
  async #foundWithMe(resource: string | undefined, place: Place | undefined): Promise<ShareJson[]> {
    const { authority, actor, clock } = this.#ctx
    const { shares: given, partners = [] } = authority
    if (actor.type !== 'user' || actor.id === undefined || !(given || partners.length > 0)) return []
    const at = clock.now().toISOString()
    const following = place ? sql`and (s.created_at, s.id) < (${place.at}::timestamptz, ${place.id}::uuid)` : sql``
    const found = await this.#found(
      sql`s.id in (select w.share from core.shares_with(
        ${actor.id}::uuid, ${given?.teams ?? []}::uuid[], ${partners}::uuid[], ${at}::timestamptz, ${resource ?? null}) w)
      and s.owner is distinct from ${actor.id}::uuid ${following}`,
      sql`s.created_at desc, s.id desc limit ${sharesAtOnce}`,
    )
    // Why the house opened it to a partner, it wrote for itself.
    return partners.length > 0 ? found.map((share) => ({ ...share, reason: null })) : found
  }

  /** Those whose record is there and the actor may read, with what it is called. */
  async #named(found: readonly ShareJson[]): Promise<SharedWithMe[]> {
    const { scope } = this.#ctx.records as RecordEngine
    const seen = new Map<string, Record<string, RecordJson>>()
    for (const [id, of] of Map.groupBy(found, (it) => it.resource)) {
      const resource = scope.catalog.get(id)
      if (!resource) continue
      const { rows } = await sql<{ id: string }>`
        select t.id from ${tableOf(resource, 't')} where t.workspace = ${this.#ctx.workspace.id}::uuid
          and t.id = any(${of.map(({ record }) => record)}::uuid[]) and t.deleted_at is null`.execute(scope.tx)
      const kept = rows.map((row) => row.id)
      seen.set(id, await recordsByIds(scope, id, kept))
    }
    return found.flatMap((share) => {
      const record = seen.get(share.resource)?.[share.record]
      if (!record) return []
      return [{ ...share, title: String(record['title'] ?? ''), name: this.#ctx.t(`${share.resource}.one`) }]
    })
  }

  /**
   * Shares records with one person or team; all of them or none.
   *
   * @throws `VALIDATION_FAILED` (422) for a date that is over, somebody unknown, or oneself; `SHARE_EXISTS` (409);
   *   what `demandMayShare` throws
   */
  async give({ resource, records, user, team, access = 'read', until = null, reason = null }: ShareOrder) {
    const ids = [...new Set(records.map((id) => id.toLowerCase()))]
    await demandMayShare(this.#ctx, { resource, records: ids })
    this.#demandFuture(until)
    const name = await this.#demandRecipient(user, team)
    await this.#demandNew({ resource, ids, user, team }, name)
    const terms = { user: user ?? null, toTeam: team ?? null, access, until, reason, owner: this.#me, team: null }
    await this.#records.createMany(
      shares,
      ids.map((record) => ({ resource, record, ...terms })),
      { internal: true },
    )
    const whom = user === undefined ? sql`s.to_team = ${team}::uuid` : sql`s.user_id = ${user}::uuid`
    return this.#found(sql`s.resource = ${resource} and s.record = any(${ids}::uuid[]) and ${whom}`)
  }

  async change(id: string, { access, until, reason }: ShareTerms): Promise<ShareJson> {
    const before = await this.#mine(id)
    if (until !== undefined) this.#demandFuture(until)
    const terms = { access, until, reason }
    await this.#records.update(
      shares,
      before,
      Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)),
      { internal: true },
    )
    return (await this.#found(sql`s.id = ${id}::uuid`))[0]!
  }

  async end(id: string): Promise<void> {
    await this.#records.remove(shares, await this.#mine(id))
  }

  get #me(): string | null {
    const { actor } = this.#ctx
    return actor.type === 'user' ? (actor.id ?? null) : null
  }

  /** A share of a record the actor may share; others do not exist to them. */
  async #mine(id: string): Promise<RecordJson> {
    const { data } = await this.#records.get(shares, id)
    if (data['deletedAt'] !== null) throw recordNotFound({ resource: 'share', id })
    await demandMayShare(this.#ctx, { resource: String(data['resource']), records: [String(data['record'])] })
    return data
  }

  #demandFuture(until: string | null): void {
    if (until === null || Date.parse(until) > this.#ctx.clock.now().getTime()) return
    throw refused({
      path: '/until',
      code: 'SHARE_PAST',
      detail: `${until} is over. Give a later instant, or leave it out to share for good.`,
      values: { until },
    })
  }

  /** @returns the name of whom it is shared with */
  async #demandRecipient(user: string | undefined, team: string | undefined): Promise<string> {
    const { sql: tx, workspace } = this.#ctx
    if (user !== undefined && user.toLowerCase() === this.#me)
      throw refused({
        path: '/user',
        code: 'SHARE_SELF',
        detail: 'This is your own name, and you see the record already. Choose somebody else.',
        values: {},
      })
    const { rows } = await (
      user === undefined
        ? sql<{ name: string }>`
            select name from core.team where workspace = ${workspace.id}::uuid and id = ${team ?? null}::uuid and deleted_at is null`
        : // Who stands for a partner is behind the second wall, which opens to partners as a whole.
          sql<{ name: string }>`
            select name from core.member
            where workspace = ${workspace.id}::uuid and id = ${user}::uuid and deleted_at is null and state <> 'inactive' and partner is null`
    ).execute(tx)
    if (rows[0]) return rows[0].name
    const value = user ?? team ?? ''
    throw refused({
      path: user === undefined ? '/team' : '/user',
      code: 'SHARE_NOBODY',
      detail: `"${value}" is no colleague and no team here. Choose one from the list.`,
      values: { value },
    })
  }

  /** One whose time is over gives way to the new one. */
  async #demandNew(
    {
      resource,
      ids,
      user,
      team,
    }: { resource: string; ids: readonly string[]; user?: string | undefined; team?: string | undefined },
    name: string,
  ): Promise<void> {
    const whom = user === undefined ? sql`s.to_team = ${team ?? null}::uuid` : sql`s.user_id = ${user}::uuid`
    const there = await this.#found(sql`s.resource = ${resource} and s.record = any(${ids}::uuid[]) and ${whom}`)
    const holding = there.filter(({ holds }) => holds)
    if (holding.length > 0) throw shareExists({ name }, { shares: holding.map(({ id, record }) => ({ id, record })) })
    for (const share of there) await this.#records.remove(shares, share)
  }

  async #found(
    which: ReturnType<typeof sql>,
    order = sql`holds desc, coalesce(m.name, t.name) collate "und-x-icu", s.id limit 500`,
  ): Promise<ShareJson[]> {
    const { sql: tx, workspace, clock } = this.#ctx
    const now = clock.now().toISOString()
    const { rows } = await sql<
      Omit<ShareJson, 'with'> & { kind: ShareJson['with']['kind']; whom: string; name: string | null }
    >`
      select s.id, s.version, s.resource, s.record, s.access, s.until, s.reason, by.name as by, s.created_at as at,
        case when s.user_id is not null then 'user' when s.to_team is not null then 'team' else 'partner' end as kind,
        coalesce(s.user_id, s.to_team, s.partner) as whom, coalesce(m.name, t.name) as name,
        exists (select from core.shares_with(s.user_id, array[s.to_team], array[s.partner], ${now}::timestamptz, s.resource) w
          where w.share = s.id) as holds
      from core.share s
      left join core.member m on m.workspace = s.workspace and m.id = s.user_id
      left join core.team t on t.workspace = s.workspace and t.id = s.to_team
      left join core.member by on by.workspace = s.workspace and by.id = s.owner
      where s.workspace = ${workspace.id}::uuid and s.deleted_at is null and ${which}
      order by ${order}`.execute(tx)
    return rows.map(({ kind, whom, name, ...share }) => ({ ...share, with: { kind, id: whom, name } }))
  }
}

/**
 * Whoever shares records may change them by their own grants, and holds `<resource>.share`.
 *
 * @throws `RECORD_NOT_FOUND` (404) alike for an absent and an invisible one, `NOT_SHAREABLE` (422),
 *   `PERMISSION_DENIED`, `SHARED_NOT_OWNED`, `SHARED_BEYOND_REACH` (403)
 */
export async function demandMayShare(
  ctx: Context,
  { resource: id, records }: { readonly resource: string; readonly records: readonly string[] },
): Promise<void> {
  const { scope } = ctx.records as RecordEngine
  const resource = scope.catalog.get(id)
  const lost = (record: string) => recordNotFound({ resource: resource?.entity ?? 'record', id: record })
  if (!resource || !scope.exists(resource) || !scope.access(resource, 'read').allowed) throw lost(records[0] ?? '')
  const [read, update] = [scope.access(resource, 'read'), scope.access(resource, 'update')]
  const { rows } = await sql<{ id: string; own: boolean; lent: boolean }>`
    select t.id, ${update.granted('t')} as own, ${read.shared ? sql`t.id = any((${read.shared()})::uuid[])` : sql`false`} as lent from ${tableOf(resource, 't')}
    where t.workspace = ${ctx.workspace.id}::uuid and t.id = any(${[...records]}::uuid[]) and t.deleted_at is null
      and ${read.where('t')}`.execute(scope.tx)
  const found = new Map(rows.map((row) => [row.id, row]))
  for (const record of records) if (!found.has(record.toLowerCase())) throw lost(record)
  if (!isShareable(resource)) throw notShareable({ resource: ctx.t(`${id}.many`) })
  const permission = `${id}.share`
  if (!ctx.authority.may(permission)) throw permissionDenied({ permission })
  if (!update.allowed) throw permissionDenied({ permission: `${id}.update` })
  const foreign = rows.find(({ own }) => !own)
  if (!foreign) return
  if (foreign.lent) throw sharedNotOwned({ resource: resource.entity, id: foreign.id })
  const { data } = await ctx.records.get(id, foreign.id)
  throw sharedBeyondReach({ name: ctx.records.nameOf(id, data) })
}

function refused(fault: FieldFault) {
  return validationFailed({ count: 1, first: fault.detail }, { errors: [fault] })
}
