import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { secondFactorNotBegun, secondFactorOn, secondFactorWrong } from './errors.ts'
import { readableSecret } from './passwords.ts'
import { Sealed } from './sealed.ts'
import { makeTotpSecret, matchingStep, totpUrl } from './totp.ts'

export interface SecondFactorState {
  /** Instant since which signing in asks for a code; null while it does not. */
  readonly since: string | null
  readonly recoveryCodesLeft: number
  readonly passkeys: number
}

interface Kept {
  readonly sealed_secret: string
  readonly confirmed_at: string | null
  readonly last_step: number
}

const recoveryCodes = 10

/** Authenticator apps and recovery codes: what somebody has, beside the password they know. */
export class SecondFactors {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #sealed: Sealed

  constructor({ owner, clock, secret }: { owner: Sql; clock: Clock; secret: string }) {
    this.#owner = owner
    this.#clock = clock
    this.#sealed = new Sealed(secret, 'second factor')
  }

  async stateOf(user: string, tx: Sql = this.#owner): Promise<SecondFactorState> {
    const { rows } = await sql<SecondFactorState>`
      select (select confirmed_at from core.second_factor where user_id = ${user}) as since,
        (select count(*) from core.recovery_code where user_id = ${user} and used_at is null) as "recoveryCodesLeft",
        (select count(*) from core.passkey where user_id = ${user}) as passkeys`.execute(tx)
    return rows[0]!
  }

  /** Whether signing in with a password asks for a code. */
  async isOn(user: string): Promise<boolean> {
    return ((await this.#kept(user))?.confirmed_at ?? null) !== null
  }

  /**
   * Makes a secret for an app. Nothing asks for it until a code of it has confirmed that the app has it.
   *
   * @throws `SECOND_FACTOR_ON` (409)
   */
  async begin(user: string, names: { issuer: string; account: string }): Promise<{ secret: string; url: string }> {
    const secret = makeTotpSecret()
    const { rows } = await sql`
      insert into core.second_factor as f (user_id, sealed_secret, created_at)
      values (${user}, ${this.#sealed.seal(secret, user)}, ${this.#now()}::timestamptz)
      on conflict (user_id) do update set sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = 0
      where f.confirmed_at is null returning 1`.execute(this.#owner)
    if (rows.length === 0) throw secondFactorOn({})
    return { secret, url: totpUrl(secret, names) }
  }

  /**
   * Switches the app on with its first code.
   *
   * @returns the recovery codes: this is the only time they can be read
   * @throws `SECOND_FACTOR_NOT_BEGUN`, `SECOND_FACTOR_ON` (409), `SECOND_FACTOR_WRONG` (401)
   */
  async confirm(user: string, code: string): Promise<string[]> {
    const kept = await this.#kept(user)
    if (!kept) throw secondFactorNotBegun({})
    if (kept.confirmed_at !== null) throw secondFactorOn({})
    if (!(await this.#useCode(user, kept, code))) throw secondFactorWrong({})
    await sql`update core.second_factor set confirmed_at = ${this.#now()}::timestamptz where user_id = ${user}`.execute(
      this.#owner,
    )
    return this.renewRecoveryCodes(user)
  }

  /** Uses up a code of the app, or a recovery code. */
  async use(user: string, code: string): Promise<boolean> {
    const kept = await this.#kept(user)
    if (!kept || kept.confirmed_at === null) return false
    const plain = code.replaceAll(/\s/g, '')
    return /^\d{6}$/.test(plain) ? this.#useCode(user, kept, plain) : this.#useRecoveryCode(user, plain)
  }

  async renewRecoveryCodes(user: string): Promise<string[]> {
    const codes = Array.from({ length: recoveryCodes }, () => readableSecret(3))
    await this.#owner.transaction().execute(async (tx) => {
      await sql`delete from core.recovery_code where user_id = ${user}`.execute(tx)
      for (const code of codes)
        await sql`insert into core.recovery_code (user_id, hash) values (${user}, decode(${hashOf(code)}, 'hex'))`.execute(
          tx,
        )
    })
    return codes
  }

  async remove(user: string, tx: Sql): Promise<void> {
    await sql`delete from core.second_factor where user_id = ${user}`.execute(tx)
    await sql`delete from core.recovery_code where user_id = ${user}`.execute(tx)
  }

  async #kept(user: string): Promise<Kept | undefined> {
    const { rows } = await sql<Kept>`
      select sealed_secret, confirmed_at, last_step from core.second_factor where user_id = ${user}`.execute(
      this.#owner,
    )
    return rows[0]
  }

  // The statement decides which of two who come with one code is let in.
  async #useCode(user: string, { sealed_secret, last_step }: Kept, code: string): Promise<boolean> {
    const secret = this.#sealed.open(sealed_secret, user)
    if (secret === undefined) return false
    const step = await matchingStep(secret, code, { now: this.#clock.now(), lastStep: Number(last_step) })
    if (step === undefined) return false
    const { rows } = await sql`
      update core.second_factor set last_step = ${step} where user_id = ${user} and last_step < ${step} returning 1`.execute(
      this.#owner,
    )
    return rows.length > 0
  }

  async #useRecoveryCode(user: string, code: string): Promise<boolean> {
    const { rows } = await sql`
      update core.recovery_code set used_at = ${this.#now()}::timestamptz
      where user_id = ${user} and hash = decode(${hashOf(code)}, 'hex') and used_at is null returning 1`.execute(
      this.#owner,
    )
    return rows.length > 0
  }

  #now(): string {
    return this.#clock.now().toISOString()
  }
}

/** 67 random bits need no slow hash: nobody goes through them all. */
function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
