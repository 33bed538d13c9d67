import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'

/** What the next answer of the provider says, past what the standard lets it say. */
export interface Lie {
  /** Claims over the right ones; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly signedBy?: 'its key' | 'another key' | 'nobody'
  /** Status and target instead of its description of itself. */
  readonly redirect?: string
}

/** An identity provider whose owner forges what it says: discovery, keys and tokens, and no page at all. */
export async function startLyingProvider(clientId: string) {
  let lie: Lie = {}
  let claims: JWTPayload = {}
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const other = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig', kid: 'its' }
  const server = createServer((request, response) => void answered(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answered(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const answer = (body: unknown) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    }
    if (lie.redirect !== undefined) return response.writeHead(302, { location: lie.redirect }).end()
    if (request.url === '/keys') return answer({ keys: [jwk] })
    if (request.url === '/token') return answer({ access_token: 'a', token_type: 'Bearer', id_token: await token() })
    return answer({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    })
  }

  async function token(): Promise<string> {
    if (lie.signedBy === 'nobody') return new UnsecuredJWT(claims).encode()
    const key = lie.signedBy === 'another key' ? other.privateKey : privateKey
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'its' }).sign(key)
  }

  return {
    issuer,
    /** Prepares the token for a question, as the address it was asked at has it. */
    prepare(asked: URL, person: Readonly<Record<string, unknown>>, next: Lie = {}): void {
      lie = next
      const now = Math.floor(Date.now() / 1_000)
      const right = { iss: issuer, aud: clientId, iat: now, exp: now + 300, nonce: asked.searchParams.get('nonce') }
      const said = Object.entries({ ...right, ...person, ...next.claims })
      claims = Object.fromEntries(said.filter(([, value]) => value !== undefined))
    },
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
