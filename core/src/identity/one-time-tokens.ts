import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import type { ProviderKind } from './entities/identity-provider.ts'
import { hashed } from './hashed.ts'
import type { Through } from './sign-in.ts'
import type { Voucher } from './sign-on/provider.ts'

/** What a token stands for: a sign-in half done, or the question a passkey or an identity provider has to answer. */
export type TokenKind = 'second-step' | 'passkey-register' | 'passkey-sign-in' | 'sign-on' | 'sign-on-confirm'

export interface StepInHand {
  readonly user: string
  readonly email: string
  readonly rememberMe: boolean
  readonly through?: Through | undefined
  /** As in `Entry`. */
  readonly presentAt?: string | null | undefined
}

/** Somebody was sent to an identity provider and is expected back. */
export interface SignOnInHand {
  readonly provider: string
  readonly kind: ProviderKind
  /** Hash of the cookie of the browser that was sent. */
  readonly browser: string
  /** Path to which they go when they are in. */
  readonly returnTo: string
  readonly rememberMe: boolean
  /** What the protocol remembers of its question. */
  readonly kept: unknown
  /** Set when it is to show that the person of a session sits before it: that session, and when it was asked. */
  readonly presence?: { readonly session: string; readonly askedAt: string } | undefined
  /** The answer as SAML posted it, from another site and so without the cookie. */
  readonly answer?: string
}

/** A provider vouched for somebody, who has not said yet that they want it. */
export interface SignOnToConfirm {
  readonly provider: string
  /** The provider's record as it was when it was believed. */
  readonly version: number
  /** Hash of the cookie of the browser that was asked. */
  readonly browser: string
  readonly returnTo: string
  readonly rememberMe: boolean
  readonly voucher: Voucher
  /** Who was signed in to that browser. */
  readonly user?: string | undefined
}

/** What is kept behind a token of each kind. */
export interface TokenValues {
  'second-step': StepInHand
  'passkey-register': { readonly user: string }
  'passkey-sign-in': Record<string, never>
  'sign-on': SignOnInHand
  'sign-on-confirm': SignOnToConfirm
}

/** Random words that open one thing once, for a few minutes, in whatever process they come back to. Only hashes are kept. */
export class OneTimeTokens {
  readonly #owner: Sql
  readonly #clock: Clock

  constructor(owner: Sql, clock: Clock) {
    this.#owner = owner
    this.#clock = clock
  }

  async issue<K extends TokenKind>(kind: K, value: TokenValues[K], seconds: number): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const now = this.#clock.now()
    const until = new Date(now.getTime() + seconds * 1_000)
    const user = 'user' in value ? (value.user ?? null) : null
    await sql`
      insert into core.verification (id, identifier, value, user_id, expires_at, created_at, updated_at)
      values (${uuidv7()}, ${identifierOf(kind, token)}, ${JSON.stringify(value)}, ${user}, ${until.toISOString()}::timestamptz,
        ${now.toISOString()}::timestamptz, ${now.toISOString()}::timestamptz)`.execute(this.#owner)
    return token
  }

  /** Looks at a token and leaves it. */
  async find<K extends TokenKind>(kind: K, token: string): Promise<TokenValues[K] | undefined> {
    const { rows } = await sql<{ value: string }>`
      select value from core.verification where identifier = ${identifierOf(kind, token)} and expires_at > ${this.#now()}::timestamptz`.execute(
      this.#owner,
    )
    return valueOf(rows)
  }

  /** Keeps something else behind a token that is still open. */
  async change<K extends TokenKind>(kind: K, token: string, value: TokenValues[K]): Promise<void> {
    await sql`
      update core.verification set value = ${JSON.stringify(value)}
      where identifier = ${identifierOf(kind, token)} and expires_at > ${this.#now()}::timestamptz`.execute(this.#owner)
  }

  /** Uses a token up: of two who come with it, one gets its value. */
  async take<K extends TokenKind>(kind: K, token: string): Promise<TokenValues[K] | undefined> {
    const { rows } = await sql<{ value: string }>`
      delete from core.verification where identifier = ${identifierOf(kind, token)} and expires_at > ${this.#now()}::timestamptz
      returning value`.execute(this.#owner)
    return valueOf(rows)
  }

  /** Nothing a person began goes on; in a transaction where one is given. */
  async forget(user: string, tx: Sql = this.#owner): Promise<void> {
    await sql`delete from core.verification where user_id = ${user}`.execute(tx)
  }

  #now(): string {
    return this.#clock.now().toISOString()
  }
}

function identifierOf(kind: TokenKind, token: string): string {
  return `${kind} ${hashed(token)}`
}

function valueOf<V>(rows: readonly { readonly value: string }[]): V | undefined {
  return rows[0] && (JSON.parse(rows[0].value) as V)
}
