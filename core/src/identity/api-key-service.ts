import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { makeKey } from './api-keys.ts'
import { demandMayGive } from './guards.ts'
import { apiKeys } from './resources.ts'

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
  readonly createdBy: { readonly id: string; readonly name: string } | null
}

/** Programs' keys to a workspace. */
export class ApiKeyService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  /** @returns the key itself in `key`: this is the only time it can be read */
  async create({ name, role, expiresAt = null, addresses = [] }: NewApiKey): Promise<ApiKeyJson & { key: string }> {
    await demandMayGive(this.#ctx, role)
    const { key, prefix, hash } = makeKey()
    const { id } = await this.#records.create(apiKeys, {
      name,
      role,
      prefix,
      expiresAt,
      addresses,
      owner: null,
      team: null,
    })
    await sql`
      insert into core.api_key_secret (id, workspace, api_key, hash, created_at)
      values (${uuidv7()}, ${this.#ctx.workspace.id}, ${id}, decode(${hash.toString('hex')}, 'hex'), ${this.#now()}::timestamptz)`.execute(
      this.#ctx.sql,
    )
    return { ...(await this.get(id)), key }
  }

  async revoke(id: string): Promise<void> {
    const record = await this.#record(id)
    if (record['revokedAt'] === null) await this.#records.update(apiKeys, record, { revokedAt: this.#now() })
  }

  async get(id: string): Promise<ApiKeyJson> {
    await this.#record(id)
    const [key] = await this.#read(sql`k.id = ${id}::uuid`)
    return key!
  }

  /** Newest first; revoked ones only when asked for. */
  async list({ revoked = false }: { revoked?: boolean } = {}): Promise<ApiKeyJson[]> {
    return this.#read(revoked ? sql`true` : sql`k.revoked_at is null`)
  }

  async #record(id: string): Promise<RecordJson> {
    return (await this.#records.get(apiKeys, id)).data
  }

  async #read(which: ReturnType<typeof sql>): Promise<ApiKeyJson[]> {
    const { rows } = await sql<ApiKeyJson>`
      select k.id, k.version, k.name, 'socle_' || k.prefix as start, k.role_id as role, r.name as "roleName", k.addresses,
        k.created_at as "createdAt", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt",
        case when m.id is null then null else jsonb_build_object('id', m.id, 'name', m.name) end as "createdBy"
      from core.api_key k
      join core.role r on r.workspace = k.workspace and r.id = k.role_id
      left join core.member m on m.workspace = k.workspace and m.id = k.created_by
      where k.workspace = ${this.#ctx.workspace.id}::uuid and k.deleted_at is null and ${which}
      order by k.created_at desc, k.id desc limit 500`.execute(this.#ctx.sql)
    return rows
  }

  #now(): string {
    return this.#ctx.clock.now().toISOString()
  }
}
