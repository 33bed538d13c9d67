import { randomBytes } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { recordNotFound } from '../records/errors.ts'
import { passkeyKnown, passkeyRefused } from './errors.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'

export interface PasskeyJson {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

/** A passkey that a browser has shown it made, and that opens nothing yet. */
interface ProvedPasskey {
  readonly credential: string
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
}

interface Kept {
  readonly id: string
  readonly user: string
  readonly publicKey: string
  readonly counter: number
}

/** Seconds a browser has to answer. */
const patience = 300

// Verifying needs several hundred kilobytes of ASN.1 and CBOR: loaded at the first passkey, not at the start.
const webauthn = () => import('@simplewebauthn/server')

/**
 * Sign-in by a key pair that a device keeps (WebAuthn level 2).
 *
 * Each asks for the person's finger, face or PIN: a passkey is something they have and something they are or know, so
 * it needs no second factor. The question is kept in the database, is answered once, and in any process.
 */
export class Passkeys {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #tokens: OneTimeTokens
  readonly #origin: string
  readonly #site: string

  constructor({ owner, clock, tokens, baseUrl }: { owner: Sql; clock: Clock; tokens: OneTimeTokens; baseUrl: string }) {
    this.#owner = owner
    this.#clock = clock
    this.#tokens = tokens
    this.#origin = new URL(baseUrl).origin
    this.#site = new URL(baseUrl).hostname
  }

  async list(user: string): Promise<PasskeyJson[]> {
    const { rows } = await sql<PasskeyJson>`
      select id, name, created_at as "createdAt", last_used_at as "lastUsedAt" from core.passkey
      where user_id = ${user} order by created_at, id`.execute(this.#owner)
    return rows
  }

  /**
   * What a browser needs to make a passkey for this person.
   *
   * @param isFirst - whoever asks has not shown that it is them, and is told of no passkey there may be
   */
  async registration(
    user: string,
    { name, email, isFirst = false }: { name: string; email: string; isFirst?: boolean },
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { rows } = await sql<{ id: string; transports: string[] }>`
      select credential_id as id, transports from core.passkey where user_id = ${user}`.execute(this.#owner)
    const { generateRegistrationOptions } = await webauthn()
    return generateRegistrationOptions({
      rpName: 'Socle',
      rpID: this.#site,
      // A device keeps one passkey of a site for each of these: one made by a link must not take the place of theirs.
      userID: new Uint8Array(isFirst ? randomBytes(16) : Buffer.from(user.replaceAll('-', ''), 'hex')),
      userName: email,
      userDisplayName: name,
      challenge: bytesOf(await this.#tokens.issue('passkey-register', { user }, patience)),
      attestationType: 'none',
      excludeCredentials: isFirst ? [] : rows,
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
  }

  /** @throws `PASSKEY_REFUSED` (401), `PASSKEY_KNOWN` (409) */
  async register(user: string, name: string, response: RegistrationResponseJSON): Promise<PasskeyJson> {
    return this.keep(user, name, await this.prove(user, response))
  }

  /** That a browser has the passkey it was asked to make. @throws `PASSKEY_REFUSED` (401) */
  async prove(user: string, response: RegistrationResponseJSON): Promise<ProvedPasskey> {
    const expectedChallenge = questionOf(response.response.clientDataJSON)
    const asked = await this.#tokens.take('passkey-register', expectedChallenge)
    if (asked?.user !== user) throw passkeyRefused({})
    const { verifyRegistrationResponse } = await webauthn()
    const { registrationInfo } = await refusing(() =>
      verifyRegistrationResponse({
        response,
        expectedChallenge,
        expectedOrigin: this.#origin,
        expectedRPID: this.#site,
        requireUserVerification: true,
      }),
    )
    if (!registrationInfo) throw passkeyRefused({})
    const { id: credential, publicKey, counter } = registrationInfo.credential
    return { credential, publicKey, counter, transports: response.response.transports ?? [] }
  }

  /** @throws `PASSKEY_KNOWN` (409) */
  async keep(
    user: string,
    name: string,
    { credential, publicKey, counter, transports }: ProvedPasskey,
  ): Promise<PasskeyJson> {
    const made = { id: uuidv7(), name, createdAt: this.#now(), lastUsedAt: null }
    const { rows } = await sql`
      insert into core.passkey (id, user_id, name, credential_id, public_key, counter, transports, created_at)
      values (${made.id}, ${user}, ${name}, ${credential}, decode(${Buffer.from(publicKey).toString('hex')}, 'hex'), ${counter},
        ${JSON.stringify(transports)}::jsonb, ${made.createdAt}::timestamptz)
      on conflict (credential_id) do nothing returning 1`.execute(this.#owner)
    if (rows.length === 0) throw passkeyKnown({})
    return made
  }

  /** What a browser needs to ask its owner for any passkey of this site. */
  async question(): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await webauthn()
    return generateAuthenticationOptions({
      rpID: this.#site,
      challenge: bytesOf(await this.#tokens.issue('passkey-sign-in', {}, patience)),
      userVerification: 'required',
    })
  }

  /**
   * @returns the user id of whoever answered
   * @throws `PASSKEY_REFUSED` (401)
   */
  async answer(response: AuthenticationResponseJSON): Promise<string> {
    const kept = await this.#find(response.id)
    const expectedChallenge = questionOf(response.response.clientDataJSON)
    const asked = await this.#tokens.take('passkey-sign-in', expectedChallenge)
    if (!kept || !asked) throw passkeyRefused({})
    const { verifyAuthenticationResponse } = await webauthn()
    const { verified, authenticationInfo } = await refusing(() =>
      verifyAuthenticationResponse({
        response,
        expectedChallenge,
        expectedOrigin: this.#origin,
        expectedRPID: this.#site,
        credential: {
          id: response.id,
          publicKey: new Uint8Array(Buffer.from(kept.publicKey, 'hex')),
          counter: Number(kept.counter),
        },
        requireUserVerification: true,
      }),
    )
    if (!verified) throw passkeyRefused({})
    await sql`
      update core.passkey set counter = ${authenticationInfo.newCounter}, last_used_at = ${this.#now()}::timestamptz
      where id = ${kept.id}`.execute(this.#owner)
    return kept.user
  }

  /** @throws `RECORD_NOT_FOUND` (404) */
  async rename(user: string, id: string, name: string): Promise<void> {
    const { rows } = await sql`
      update core.passkey set name = ${name} where user_id = ${user} and id::text = ${id} returning 1`.execute(
      this.#owner,
    )
    if (rows.length === 0) throw recordNotFound({ resource: 'passkey', id })
  }

  /** @throws `RECORD_NOT_FOUND` (404) */
  async remove(user: string, id: string, tx: Sql = this.#owner): Promise<void> {
    const { rows } =
      await sql`delete from core.passkey where user_id = ${user} and id::text = ${id} returning 1`.execute(tx)
    if (rows.length === 0) throw recordNotFound({ resource: 'passkey', id })
  }

  async #find(credential: string): Promise<Kept | undefined> {
    const { rows } = await sql<Kept>`
      select id, user_id as user, encode(public_key, 'hex') as "publicKey", counter from core.passkey
      where credential_id = ${credential}`.execute(this.#owner)
    return rows[0]
  }

  #now(): string {
    return this.#clock.now().toISOString()
  }
}

/** The question as bytes, so that its text comes back as it was: 32 random bytes are 43 letters and back. */
function bytesOf(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(token, 'base64url'))
}

/** The question a browser says it answered; what it really signed is checked later. */
function questionOf(clientData: string): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientData, 'base64url').toString('utf8')) as { challenge?: unknown }
    return String(challenge)
  } catch {
    throw passkeyRefused({})
  }
}

/** The library throws at whatever does not fit; to who sent it all of that is one refusal. */
async function refusing<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch {
    throw passkeyRefused({})
  }
}
