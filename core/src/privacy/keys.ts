import { createHmac, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { Sql } from '../database/database.ts'
import { installationSecret } from '../identity/secret.ts'

/** PKCS #8 around the 32 bytes of an Ed25519 key (RFC 8410, section 7). */
const ed25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The installation's keys to who was forgotten: what it hashes addresses with, so that a hash says nothing to whoever
 * lacks the key, and what it signs certificates with, so that nobody else can have written one.
 */
export class PrivacyKeys {
  readonly #hashing: Buffer
  readonly #signing: KeyObject
  readonly #public: KeyObject

  constructor(hashing: string, signing: string) {
    this.#hashing = Buffer.from(hashing, 'base64url')
    const seed = Buffer.from(signing, 'base64url')
    this.#signing = createPrivateKey({ key: Buffer.concat([ed25519, seed]), format: 'der', type: 'pkcs8' })
    this.#public = createPublicKey(this.#signing)
  }

  static async of(owner: Sql): Promise<PrivacyKeys> {
    return new PrivacyKeys(
      await installationSecret(owner, 'privacy-hash'),
      await installationSecret(owner, 'privacy-signature'),
    )
  }

  /** HMAC-SHA-256 (RFC 2104) of a value of a kind, in one workspace: two companies cannot compare what they keep. */
  hash(workspace: string, kind: string, value: string): Buffer {
    return createHmac('sha256', this.#hashing).update(`${workspace}\0${kind}\0${value}`).digest()
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#signing)
  }

  verify(bytes: Uint8Array, signature: Uint8Array): boolean {
    return verify(null, bytes, this.#public, signature)
  }

  /** PEM, for whoever wants to check a certificate without asking here. */
  get publicKey(): string {
    return this.#public.export({ type: 'spki', format: 'pem' }).toString()
  }
}
