import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import type { Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import type { RoleRights } from '../permissions/authority.ts'
import { rightsSchema } from '../permissions/grant.ts'
import { addressList, isListed } from './addresses.ts'
import { apiKeyAddressRefused, apiKeyExpired, apiKeyRevoked, apiKeySecretReplaced, apiKeyUnknown } from './errors.ts'
import { workspaceJson } from './sessions.ts'

/** A new key: `key` is shown once, `hash` is all that is kept of it. */
export interface MadeKey {
  readonly key: string
  readonly prefix: string
  readonly hash: Buffer
}

/** `socle_<8 characters>_<256 bits>`: the name lets scanners of leaked secrets know it, the prefix finds it. */
export function makeKey(prefix = randomBytes(4).toString('hex')): MadeKey {
  const key = `socle_${prefix}_${randomBytes(32).toString('base64url')}`
  return { key, prefix, hash: hashOf(key) }
}

const written = /^socle_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/

function hashOf(key: string): Buffer {
  return digest('sha256', key, 'buffer')
}

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly addresses: readonly string[]
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
  readonly workspace: Workspace
  /** What the key's role allows. */
  readonly rights: RoleRights
  /** Keys it came from, its maker first. */
  readonly makers: readonly Maker[]
}

/** A key from which another came. */
interface Maker {
  readonly name: string
  readonly role: string
  readonly addresses: readonly string[]
}

/** One of the secrets a key is known by: two while programs change from the old to the new. */
interface Secret {
  readonly id: string
  readonly hash: string
  readonly expiresAt: string | null
}

interface Found extends ApiKey {
  readonly secrets: readonly Secret[]
}

const keptFor = 5_000
const mostKept = 5_000
/** The last use is written at most once in this many milliseconds: a busy key would otherwise write as often as it reads. */
const usePrecision = 60_000

/** Finds which key a request carries. */
export class ApiKeys {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly until: number; readonly found: Promise<Found | undefined> }>()
  readonly #used = new Map<string, number>()

  constructor({ owner, clock }: { owner: Sql; clock: Clock }) {
    this.#owner = owner
    this.#clock = clock
  }

  /**
   * @returns undefined when the request carries no bearer
   * @throws `API_KEY_UNKNOWN`, `API_KEY_REVOKED`, `API_KEY_EXPIRED` (401), `API_KEY_ADDRESS_REFUSED` (403)
   */
  async find(request: Request, address: string | undefined): Promise<ApiKey | undefined> {
    const header = request.headers.get('authorization') ?? ''
    if (!/^bearer\s/i.test(header)) return undefined
    const text = header.slice('bearer'.length).trim()
    const prefix = written.exec(text)?.[1]
    const key = prefix === undefined ? undefined : await this.#lookUp(prefix)
    const hash = hashOf(text)
    const secret = key?.secrets.find((kept) => timingSafeEqual(Buffer.from(kept.hash, 'hex'), hash))
    if (!key || !secret) throw apiKeyUnknown({ start: text.slice(0, 'socle_12345678'.length) })
    if (key.revokedAt !== null) throw apiKeyRevoked({ name: key.name, at: key.revokedAt.slice(0, 10) })
    const now = this.#clock.now().getTime()
    if (key.expiresAt !== null && Date.parse(key.expiresAt) <= now)
      throw apiKeyExpired({ name: key.name, at: key.expiresAt.slice(0, 10) })
    if (secret.expiresAt !== null && Date.parse(secret.expiresAt) <= now)
      throw apiKeySecretReplaced({ name: key.name, at: secret.expiresAt.slice(0, 10) })
    for (const { addresses } of [key, ...key.makers])
      if (addresses.length > 0 && !isListed(addressList(addresses), address))
        throw apiKeyAddressRefused({ name: key.name, address: address ?? 'an unknown address' })
    this.#note(key, secret, now)
    return key
  }

  drop(): void {
    this.#kept.clear()
  }

  #lookUp(prefix: string): Promise<Found | undefined> {
    const kept = this.#kept.get(prefix)
    if (kept && performance.now() < kept.until) return kept.found
    if (this.#kept.size >= mostKept) this.#kept.clear()
    const found = this.#load(prefix)
    this.#kept.set(prefix, { until: performance.now() + keptFor, found })
    found.catch(() => this.#kept.delete(prefix))
    return found
  }

  async #load(prefix: string): Promise<Found | undefined> {
    const { rows } = await sql<Found>`
      select k.id, k.name, k.role_id as role, k.addresses, chain.expires_at as "expiresAt", chain.revoked_at as "revokedAt",
        k.last_used_at as "lastUsedAt", ${workspaceJson('w')} as workspace, chain.makers,
        jsonb_build_object('grants', r.grants, 'fields', r.fields) as rights,
        (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'hash', encode(s.hash, 'hex'), 'expiresAt', s.expires_at)), '[]')
          from core.api_key_secret s where s.api_key = k.id) as secrets
      from core.api_key k join core.workspace w on w.id = k.workspace join core.role r on r.workspace = k.workspace and r.id = k.role_id,
      -- It ends with the first of those it came from, however that one ended.
      lateral (select min(c.expires_at) as expires_at, min(coalesce(c.revoked_at, c.deleted_at)) as revoked_at,
        coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'role', c.role_id, 'addresses', c.addresses) order by c.ordinality)
          filter (where c.ordinality > 1), '[]') as makers
        from core.key_chain(k.id) with ordinality c) chain
      where k.prefix = ${prefix} and k.deleted_at is null`.execute(this.#owner)
    return rows[0] && { ...rows[0], rights: rightsSchema.parse(rows[0].rights) }
  }

  /** Beside the request: nobody waits for it, and a lost one loses a minute. */
  #note({ id }: ApiKey, secret: Secret, now: number): void {
    const last = this.#used.get(secret.id) ?? -Infinity
    if (Math.abs(now - last) < usePrecision) return
    if (this.#used.size >= mostKept) this.#used.clear()
    this.#used.set(secret.id, now)
    const at = sql`${new Date(now).toISOString()}::timestamptz`
    sql`
      with used as (update core.api_key_secret set last_used_at = ${at} where id = ${secret.id})
      update core.api_key set last_used_at = ${at} where id = ${id}`
      .execute(this.#owner)
      .catch(() => {})
  }
}
