import type { Clock } from '../../clock.ts'
import type { Sql } from '../../database/database.ts'
import type { Outgoing } from '../../http/outgoing.ts'
import { Sealed } from '../sealed.ts'
import { authPath } from '../sign-in.ts'
import { DomainProof, type ResolveTexts } from './domain-proof.ts'
import { Oidc } from './oidc.ts'
import type { Addresses, Protocol } from './protocol.ts'
import { Providers, type Provider } from './provider.ts'
import { Saml } from './saml.ts'

export interface SignOnOptions {
  readonly owner: Sql
  readonly clock: Clock
  readonly outgoing: Outgoing
  readonly baseUrl: string
  readonly secret: string
  readonly resolveTexts: ResolveTexts
}

/** Sign-in by those who vouch for people: which there are, how each is spoken to, and what is kept secret of them. */
export class SignOn {
  readonly providers: Providers
  readonly outgoing: Outgoing
  readonly saml: Saml
  readonly domains: DomainProof
  readonly #oidc: Oidc
  readonly #sealed: Sealed
  readonly #base: string

  constructor({ owner, clock, outgoing, baseUrl, secret, resolveTexts }: SignOnOptions) {
    this.#base = new URL(baseUrl).origin
    this.#sealed = new Sealed(secret, 'identity provider')
    this.providers = new Providers(owner)
    this.outgoing = outgoing
    this.domains = new DomainProof({ secret, resolve: resolveTexts })
    const parts = {
      clock,
      outgoing,
      addressesOf: (provider: string) => this.addressesOf(provider),
      unsealed: ({ id, sealed }: Provider) => (sealed === null ? undefined : this.#sealed.open(sealed, id)),
    }
    this.#oidc = new Oidc(parts)
    this.saml = new Saml(parts)
  }

  protocol({ kind }: Provider): Protocol<unknown> {
    return (kind === 'oidc' ? this.#oidc : this.saml) as Protocol<unknown>
  }

  addressesOf(provider: string): Addresses {
    const acs = `${this.#base}${authPath}/sign-on/${provider}/saml`
    return { redirect: `${this.#base}/sign-on/${provider}`, acs, entityId: `${acs}/metadata` }
  }

  /** A client secret as it may be kept. */
  seal(provider: string, secret: string): string {
    return this.#sealed.seal(secret, provider)
  }
}
