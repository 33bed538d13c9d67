import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import { roleName } from '../permissions/role-names.ts'
import { decodeCursor, encodeCursor, queryKey } from '../records/cursor.ts'
import { cursorInvalid } from '../records/errors.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { isUuid } from '../records/values.ts'
import { makeKey } from './api-keys.ts'
import {
  apiKeyGivesMore,
  apiKeyIsRevoked,
  apiKeyNotRotating,
  apiKeyOfOthers,
  apiKeyOldTooLong,
  apiKeyOutlivesMaker,
  apiKeyRotating,
  endIsPast,
} from './errors.ts'
import { demandMayGive, holdsRole } from './guards.ts'
import { apiKeys, roles } from './resources.ts'

export interface NewApiKey {
  readonly name: string
  readonly role: string
  /** Instant from which it is refused; never when absent. */
  readonly expiresAt?: string | null
  /** Addresses and networks it may come from; any when empty. */
  readonly addresses?: readonly string[]
}

export interface ApiKeyJson {
  readonly id: string
  readonly version: number
  readonly name: string
  /** What the key begins with. */
  readonly start: string
  readonly role: string
  readonly roleName: string
  readonly addresses: readonly string[]
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
  /** Until when the secret before the newest works too; null when there is one alone. */
  readonly oldUntil: string | null
  /** When that older secret was last used; null while it never was. */
  readonly oldUsedAt: string | null
  readonly createdBy: { readonly id: string; readonly name: string } | null
  /** The key that made it, with which it ends. */
  readonly madeByKey: { readonly id: string; readonly name: string } | null
}

export interface ApiKeyQuery {
  readonly revoked?: boolean
  readonly limit?: number
  readonly after?: string
}

export interface ApiKeyPage {
  readonly data: readonly ApiKeyJson[]
  readonly page: { readonly next: string | null; readonly count: number; readonly exact: boolean }
}

/** Days for which the secret before the newest may go on. */
export const longestOldDays = 30

/** Programs' keys to a workspace. */
export class ApiKeyService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  /**
   * @returns the key itself in `key`: this is the only time it can be read
   * @throws `API_KEY_GIVES_MORE` (403), `API_KEY_OUTLIVES_MAKER` (422) where a key makes it; `END_IS_PAST` (422)
   */
  async create({ name, role, expiresAt = null, addresses = [] }: NewApiKey): Promise<ApiKeyJson & { key: string }> {
    await demandMayGive(this.#ctx, role)
    if (expiresAt !== null && Date.parse(expiresAt) <= this.#ctx.clock.now().getTime())
      throw endIsPast({ until: expiresAt })
    const madeByKey = this.#actingKey()
    if (madeByKey !== undefined) await this.#demandWithin(madeByKey, role, expiresAt)
    const { key, prefix, hash } = makeKey()
    const values = { name, role, prefix, expiresAt, addresses, madeByKey: madeByKey ?? null, owner: null, team: null }
    const { id } = await this.#records.create(apiKeys, values, { internal: true })
    await this.#keep(id, hash)
    return { ...(await this.get(id)), key }
  }

  /**
   * Gives a key a new secret. The old one works until `oldUntil`, so that programs can change over one by one.
   *
   * @returns the new key in `key`: this is the only time it can be read
   * @throws `API_KEY_ROTATING` (409) while there are two, `API_KEY_IS_REVOKED` (409), `API_KEY_OLD_TOO_LONG` (422)
   */
  async rotate(id: string, oldUntil: string): Promise<ApiKeyJson & { key: string }> {
    const longest = new Date(this.#ctx.clock.now().getTime() + longestOldDays * 86_400_000).toISOString()
    if (Date.parse(oldUntil) > Date.parse(longest))
      throw apiKeyOldTooLong({ until: oldUntil.slice(0, 10), longest: longest.slice(0, 10), days: longestOldDays })
    const before = await this.#living(id)
    if (before.oldUntil !== null) throw apiKeyRotating({ name: before.name, until: before.oldUntil.slice(0, 10) })
    const { key, hash } = makeKey(before.start.slice('socle_'.length))
    await this.#endSecrets(id, oldUntil)
    await this.#keep(id, hash)
    await this.#told(id)
    return { ...(await this.get(id)), key }
  }

  /** Refuses the old secret of a key from now on. @throws `API_KEY_NOT_ROTATING` (409) */
  async endRotation(id: string): Promise<void> {
    const before = await this.#living(id)
    if (before.oldUntil === null) throw apiKeyNotRotating({ name: before.name })
    await sql`
      delete from core.api_key_secret where workspace = ${this.#ctx.workspace.id}::uuid and api_key = ${id}::uuid and expires_at is not null`.execute(
      this.#ctx.sql,
    )
    await this.#told(id)
  }

  /** Refuses a key from now on, and all that came from it. */
  async revoke(id: string): Promise<void> {
    await this.#record(id)
    await this.#end(sql`k.id = ${id}::uuid`)
  }

  /** Refuses the keys a person made, and all that came from them. */
  async revokeAllOf(user: string): Promise<void> {
    await this.#end(sql`k.created_by = ${user}::uuid`)
  }

  async get(id: string): Promise<ApiKeyJson> {
    await this.#record(id)
    const [key] = await this.#read(sql`k.id = ${id}::uuid`)
    return key!
  }

  /**
   * Newest first; revoked ones only when asked for.
   *
   * @throws `CURSOR_INVALID` (400)
   */
  async list({ revoked = false, limit = 200, after }: ApiKeyQuery = {}): Promise<ApiKeyPage> {
    const key = queryKey(['api keys', revoked])
    const cursor = after === undefined ? undefined : decodeCursor(key, after)
    if (cursor && !isUuid(cursor.id)) throw cursorInvalid({ cursor: (after ?? '').slice(0, 60) })
    const asked = revoked ? sql`true` : sql`k.revoked_at is null`
    const place = cursor
      ? sql`(k.created_at, k.id) < (select p.created_at, p.id from core.api_key p where p.workspace = k.workspace and p.id = ${cursor.id}::uuid)`
      : sql`true`
    const found = await this.#read(sql`${asked} and ${place}`, limit + 1)
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from core.api_key k
      where k.workspace = ${this.#ctx.workspace.id}::uuid and k.deleted_at is null and ${asked}`.execute(this.#ctx.sql)
    const data = found.slice(0, limit)
    const last = data.at(-1)
    const next = found.length > limit && last ? encodeCursor(key, { id: last.id, values: [] }) : null
    return { data, page: { next, count: rows[0]!.count, exact: true } }
  }

  /**
   * A key whose secrets the actor may change: whoever reads its new secret has its role.
   *
   * @throws `API_KEY_IS_REVOKED` (409), `PERMISSION_DENIED`, `API_KEY_OF_OTHERS` (403)
   */
  async #living(id: string): Promise<ApiKeyJson> {
    // Locked, so that of two who rotate at once the second is told.
    await sql`select 1 from core.api_key where workspace = ${this.#ctx.workspace.id}::uuid and id = ${id}::uuid for update`.execute(
      this.#ctx.sql,
    )
    const key = await this.get(id)
    await demandMayGive(this.#ctx, key.role)
    if (key.revokedAt !== null) throw apiKeyIsRevoked({ name: key.name })
    const acting = this.#actingKey()
    // A secret of any other key would go on when the acting key is revoked.
    if (acting !== undefined && !(await this.#isFrom(id, acting)))
      throw apiKeyOfOthers({ name: key.name, maker: this.#ctx.actor.name })
    return key
  }

  /** @throws `API_KEY_GIVES_MORE` (403), `API_KEY_OUTLIVES_MAKER` (422) */
  async #demandWithin(maker: string, role: string, expiresAt: string | null): Promise<void> {
    const { name, expiresAt: until } = await this.get(maker)
    if (!(await holdsRole(this.#ctx, role))) {
      const { data } = await this.#records.get(roles, role)
      throw apiKeyGivesMore({ maker: name, role: String(data['name']) })
    }
    if (until !== null && (expiresAt === null || Date.parse(expiresAt) > Date.parse(until)))
      throw apiKeyOutlivesMaker({ maker: name, until: until.slice(0, 10) })
  }

  /** Whether a key is another, or came from it. */
  async #isFrom(id: string, ancestor: string): Promise<boolean> {
    const { rows } = await sql`
      select 1 from core.key_chain(${id}::uuid) c where c.workspace = ${this.#ctx.workspace.id}::uuid and c.id = ${ancestor}::uuid`.execute(
      this.#ctx.sql,
    )
    return rows.length > 0
  }

  /** Makers before what they made, so that the ledger reads in the order of causes. */
  async #end(which: ReturnType<typeof sql>): Promise<void> {
    const { rows } = await sql<{ id: string; version: number }>`
      with recursive ended as (
        select k.id, k.version, k.revoked_at, 1 as nth from core.api_key k
        where k.workspace = ${this.#ctx.workspace.id}::uuid and k.deleted_at is null and ${which}
        union all
        select k.id, k.version, k.revoked_at, e.nth + 1 from ended e
        join core.api_key k on k.workspace = ${this.#ctx.workspace.id}::uuid and k.made_by_key = e.id and k.deleted_at is null
      )
      select id, version from ended where revoked_at is null group by id, version order by min(nth), id`.execute(
      this.#ctx.sql,
    )
    for (const key of rows) await this.#records.update(apiKeys, key, { revokedAt: this.#now() }, { internal: true })
  }

  /** The key that acts; undefined for a person. */
  #actingKey(): string | undefined {
    const { actor } = this.#ctx
    return actor.type === 'key' ? actor.id : undefined
  }

  async #keep(id: string, hash: Buffer): Promise<void> {
    await sql`
      insert into core.api_key_secret (id, workspace, api_key, hash, created_at)
      values (${uuidv7()}, ${this.#ctx.workspace.id}, ${id}, decode(${hash.toString('hex')}, 'hex'), ${this.#now()}::timestamptz)`.execute(
      this.#ctx.sql,
    )
  }

  /** Those that are over go, the one in use ends later. */
  async #endSecrets(id: string, until: string): Promise<void> {
    const mine = sql`workspace = ${this.#ctx.workspace.id}::uuid and api_key = ${id}::uuid`
    await sql`delete from core.api_key_secret where ${mine} and expires_at is not null`.execute(this.#ctx.sql)
    await sql`update core.api_key_secret set expires_at = ${until}::timestamptz where ${mine}`.execute(this.#ctx.sql)
  }

  /** The ledger keeps who changed the secrets, and every process looks them up anew. */
  async #told(id: string): Promise<void> {
    await this.#records.update(apiKeys, await this.#record(id), { rotatedAt: this.#now() }, { internal: true })
  }

  async #record(id: string): Promise<RecordJson> {
    return (await this.#records.get(apiKeys, id)).data
  }

  async #read(which: ReturnType<typeof sql>, limit = 1): Promise<ApiKeyJson[]> {
    const { rows } = await sql<ApiKeyJson & { template: string | null }>`
      select k.id, k.version, k.name, 'socle_' || k.prefix as start, k.role_id as role, r.name as "roleName", r.template, k.addresses,
        old.expires_at as "oldUntil", old.last_used_at as "oldUsedAt",
        k.created_at as "createdAt", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt",
        case when m.id is null then null else jsonb_build_object('id', m.id, 'name', m.name) end as "createdBy",
        case when maker.id is null then null else jsonb_build_object('id', maker.id, 'name', maker.name) end as "madeByKey"
      from core.api_key k
      join core.role r on r.workspace = k.workspace and r.id = k.role_id
      left join core.api_key_secret old on old.workspace = k.workspace and old.api_key = k.id
        and old.expires_at > ${this.#now()}::timestamptz
      left join core.member m on m.workspace = k.workspace and m.id = k.created_by
      left join core.api_key maker on maker.workspace = k.workspace and maker.id = k.made_by_key
      where k.workspace = ${this.#ctx.workspace.id}::uuid and k.deleted_at is null and ${which}
      order by k.created_at desc, k.id desc limit ${limit}`.execute(this.#ctx.sql)
    return rows.map(({ template, ...key }) => ({
      ...key,
      roleName: roleName(this.#ctx, { name: key.roleName, template }),
    }))
  }

  #now(): string {
    return this.#ctx.clock.now().toISOString()
  }
}
