import type { ClientAuth, Configuration, CustomFetch } from 'openid-client'
import { SocleError } from '../../errors.ts'
import { signOnDeclined, signOnRefused } from '../errors.ts'
import type { Provider, Voucher } from './provider.ts'
import type { Asking, Check, Protocol, ProtocolParts } from './protocol.ts'
import { isVerifiedAddress } from './verified-address.ts'

/** What is kept of a question until its answer comes. */
interface Kept {
  readonly nonce: string
  readonly verifier: string
}

/** Milliseconds for which what a provider says of itself is believed. */
const keptFor = 300_000
const mostKept = 500

// Loaded at the first sign-in by a provider, not at the start.
const openid = () => import('openid-client')

/** OpenID Connect Core 1.0: the code flow with PKCE (RFC 7636), state and nonce, and a signature on every answer. */
export class Oidc implements Protocol<Kept> {
  readonly #parts: ProtocolParts
  readonly #known = new Map<string, { readonly until: number; readonly configuration: Promise<Configuration> }>()

  constructor(parts: ProtocolParts) {
    this.#parts = parts
  }

  async question(): Promise<Kept> {
    const { randomNonce, randomPKCECodeVerifier } = await openid()
    return { nonce: randomNonce(), verifier: randomPKCECodeVerifier() }
  }

  async address(provider: Provider, { nonce, verifier }: Kept, { state, isFresh }: Asking): Promise<URL> {
    const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await openid()
    const configuration = await this.#configuration(provider)
    const challenge = await calculatePKCECodeChallenge(verifier)
    try {
      return buildAuthorizationUrl(configuration, {
        redirect_uri: this.#parts.addressesOf(provider.id).redirect,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        // With max_age it must say auth_time (OpenID Connect Core 3.1.2.1), by which we see whether it did as asked.
        ...(isFresh ? { prompt: 'login', max_age: '0' } : {}),
      })
    } catch (error) {
      throw refusalOf(error, provider.name)
    }
  }

  async voucher(provider: Provider, { nonce, verifier }: Kept, answer: URLSearchParams): Promise<Voucher> {
    const { authorizationCodeGrant, fetchUserInfo } = await openid()
    const configuration = await this.#configuration(provider)
    const url = new URL(`?${answer}`, this.#parts.addressesOf(provider.id).redirect)
    try {
      const tokens = await authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: verifier,
        // Judged already, with the browser it belongs to.
        expectedState: answer.get('state') ?? '',
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()!
      // Some providers say the address in a further answer alone; its subject must be the same.
      const further =
        claims['email'] === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
          ? await fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : {}
      const said: Record<string, unknown> = { ...further, ...claims }
      return {
        issuer: claims.iss,
        subject: claims.sub,
        email: textOf(said['email']),
        isVerified: isVerifiedAddress(claims.iss, said, provider.domains),
        name: textOf(said['name']),
        authenticatedAt: instantOf(claims.auth_time),
      }
    } catch (error) {
      throw refusalOf(error, provider.name)
    }
  }

  async test(provider: Provider): Promise<Check[]> {
    const { genericGrantRequest, ResponseBodyError } = await openid()
    let configuration: Configuration
    try {
      configuration = await this.#discover(provider)
    } catch (error) {
      return [failed('discovery', error)]
    }
    const { jwks_uri: keys, issuer } = configuration.serverMetadata()
    const checks: Check[] = [{ id: 'discovery', ok: true, values: { issuer } }]
    try {
      const answer = await this.#parts.outgoing.fetch(keys ?? '')
      const { keys: found } = (await answer.json()) as { keys?: unknown[] }
      checks.push({ id: 'keys', ok: answer.ok && (found?.length ?? 0) > 0 })
    } catch (error) {
      checks.push(failed('keys', error))
    }
    // A code nobody was given: who the client is comes before what the code is.
    const redirect = this.#parts.addressesOf(provider.id).redirect
    try {
      await genericGrantRequest(configuration, 'authorization_code', { code: 'test', redirect_uri: redirect })
      checks.push({ id: 'client', ok: true })
    } catch (error) {
      const said = error instanceof ResponseBodyError ? error.error : undefined
      if (said === undefined) checks.push(failed('client', error))
      else checks.push({ id: 'client', ok: said === 'invalid_grant', values: { said: wordOf(said) } })
    }
    return checks
  }

  #configuration(provider: Provider): Promise<Configuration> {
    const key = `${provider.id} ${provider.version}`
    const kept = this.#known.get(key)
    if (kept && performance.now() < kept.until) return kept.configuration
    if (this.#known.size >= mostKept) this.#known.clear()
    const configuration = this.#discover(provider).catch((error: unknown) => {
      this.#known.delete(key)
      throw refusalOf(error, provider.name)
    })
    this.#known.set(key, { until: performance.now() + keptFor, configuration })
    return configuration
  }

  async #discover(provider: Provider): Promise<Configuration> {
    const client = await openid()
    const { clock, outgoing, unsealed } = this.#parts
    const secret = unsealed(provider)
    const customFetch: CustomFetch = (url, { method, headers, body }) =>
      outgoing.fetch(url, { method, headers, ...(body === null || body === undefined ? {} : { body: String(body) }) })
    const configuration = await client.discovery(
      new URL(provider.issuer),
      provider.clientId ?? '',
      { [client.clockTolerance]: 60, [client.clockSkew]: Math.round((clock.now().getTime() - Date.now()) / 1_000) },
      secret === undefined ? client.None() : bySecret(secret, client),
      // Plain http reaches only what the operator allowed: the outgoing client sees to it.
      { [client.customFetch]: customFetch, execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    )
    return configuration
  }
}

/** In the body where a provider takes it there; the header otherwise, which all must take (OpenID Connect Core 9). */
function bySecret(
  secret: string,
  { ClientSecretBasic, ClientSecretPost }: Awaited<ReturnType<typeof openid>>,
): ClientAuth {
  const [body, header] = [ClientSecretPost(secret), ClientSecretBasic(secret)]
  return (server, ...rest) =>
    (server.token_endpoint_auth_methods_supported?.includes('client_secret_post') ? body : header)(server, ...rest)
}

/** Seconds since 1970, as claims have them, as an instant. */
function instantOf(seconds: unknown): string | undefined {
  const isInstant = typeof seconds === 'number' && seconds > 0 && seconds < 8.64e12
  return isInstant ? new Date(seconds * 1_000).toISOString() : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

const reasons: Readonly<Record<string, string>> = { aud: 'audience', azp: 'audience', iss: 'issuer', nonce: 'request' }

/** What the library found, in a sentence of ours. */
function refusalOf(error: unknown, provider: string): SocleError {
  const chain = causesOf(error)
  const own = chain.find((it) => it instanceof SocleError)
  if (own) return own
  const { code = '', error: said } = chain[0] as { code?: string; error?: string }
  if (code === 'OAUTH_RESPONSE_BODY_ERROR' && said === 'invalid_grant')
    return signOnRefused({ provider, reason: 'request' })
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR' || code === 'OAUTH_RESPONSE_BODY_ERROR')
    return signOnDeclined({ provider, reason: wordOf(said) })
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') return signOnRefused({ provider, reason: 'expired' })
  const claim = chain.map((it) => (it as { claim?: string }).claim).find((it) => it !== undefined)
  if (claim !== undefined) return signOnRefused({ provider, reason: reasons[claim] ?? 'form' })
  const isUnsigned = chain.some(({ message = '' }) => /signature|JWK|key/i.test(message))
  return signOnRefused({ provider, reason: isUnsigned ? 'signature' : 'form' })
}

/** An error and what caused it, outermost first. */
function causesOf(error: unknown): { readonly message?: string }[] {
  return typeof error === 'object' && error !== null ? [error, ...causesOf((error as Error).cause)] : []
}

/** An error code as RFC 6749 has them; nothing else a provider writes is repeated. */
function wordOf(said: string | undefined): string {
  return said !== undefined && /^[a-z_]{1,60}$/.test(said) ? said : '…'
}

function failed(id: string, error: unknown): Check {
  const own = causesOf(error).find((it) => it instanceof SocleError)
  return { id, ok: false, ...(own ? { problem: own } : {}) }
}
