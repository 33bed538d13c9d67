import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** A passkey in software: makes and answers as a browser with a device behind it does, with P-256 and no attestation. */
export class SoftAuthenticator {
  readonly id = randomBytes(16)
  readonly #private: KeyObject
  readonly #cose: Buffer
  readonly #site: string
  readonly #origin: string
  #counter = 0

  constructor(origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    this.#private = privateKey
    // COSE_Key of RFC 9053 section 7.1: { 1: EC2, 3: ES256, -1: P-256, -2: x, -3: y }.
    this.#cose = Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x!, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y!, 'base64url'),
    ])
    this.#origin = origin
    this.#site = new URL(origin).hostname
  }

  make(options: { challenge: string }, { origin = this.#origin } = {}) {
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.#cose])
    const data = this.#authenticatorData(0x45, attested)
    const attestationObject = Buffer.concat([
      Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex'),
      Buffer.from([data.length >> 8, data.length & 255]),
      data,
    ])
    return {
      ...this.#frame(),
      response: {
        clientDataJSON: this.#client('webauthn.create', options.challenge, origin).toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  answer(options: { challenge: string }, { origin = this.#origin, verified = true } = {}) {
    const client = this.#client('webauthn.get', options.challenge, origin)
    const data = this.#authenticatorData(verified ? 0x05 : 0x01, Buffer.alloc(0))
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
    return {
      ...this.#frame(),
      response: {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', signed, this.#private).toString('base64url'),
      },
    }
  }

  #frame() {
    const id = this.id.toString('base64url')
    return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} }
  }

  #client(type: string, challenge: string, origin: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  }

  #authenticatorData(flags: number, rest: Buffer): Buffer {
    this.#counter += 1
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.#counter)
    return Buffer.concat([createHash('sha256').update(this.#site).digest(), Buffer.from([flags]), counter, rest])
  }
}
