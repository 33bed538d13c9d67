import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'

/** Somebody an identity provider knows, under the name they type there. */
export interface Account {
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
  /** What the provider calls the account for good; the name that is typed when absent. */
  readonly sub?: string
}

export interface OpenIdProvider {
  readonly issuer: string
  readonly client: { readonly id: string; readonly secret: string }
  /** Who signs in there, by the name they type. May be changed while it runs. */
  readonly accounts: Map<string, Account>
  /** Lets it send people back to an address. */
  allow(redirect: string): void
  close(): Promise<void>
}

/** An identity provider of OpenID Connect on a port of this machine: panva's, certified, with its own pages for signing in. */
export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  const { Provider } = await import('oidc-provider')
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => {}
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = { id: 'socle', secret: 'a client secret, +/= and all' }
  const accounts = new Map<string, Account>()
  const redirects: string[] = []
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'of-this-run' }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [`${issuer}/nobody`],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['keys of a test'] },
    jwks: { keys: [key as never] },
    findAccount: (_context, name) => ({
      accountId: name,
      claims: () => ({ ...accounts.get(name), sub: accounts.get(name)?.sub ?? name }),
    }),
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  })
  provider.Client.prototype.redirectUriAllowed = (uri) => redirects.includes(uri)
  answer = provider.callback()
  return {
    issuer,
    client,
    accounts,
    allow: (redirect) => void redirects.push(redirect),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
