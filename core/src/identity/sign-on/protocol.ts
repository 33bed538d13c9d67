import type { Clock } from '../../clock.ts'
import type { SocleError } from '../../errors.ts'
import type { Outgoing } from '../../http/outgoing.ts'
import type { Provider, Voucher } from './provider.ts'

/** Where a provider finds us, for copying into its own settings. */
export interface Addresses {
  /** Page to which OpenID Connect sends people back, and that begins a sign-in when it is opened by itself. */
  readonly redirect: string
  /** Where SAML posts its answers. */
  readonly acs: string
  /** Our SAML entity id, which is also where our metadata is. */
  readonly entityId: string
}

/** What both protocols share. */
export interface ProtocolParts {
  readonly outgoing: Outgoing
  readonly clock: Clock
  addressesOf(provider: string): Addresses
  /** A provider's client secret; undefined when it has none, or when it was sealed by another installation's secret. */
  unsealed(provider: Provider): string | undefined
}

/** One thing a test of a provider looked at. */
export interface Check {
  /** Words for it are `shell.signOn.check.<id>`. */
  readonly id: string
  readonly ok: boolean
  readonly problem?: SocleError
  readonly values?: Readonly<Record<string, string>>
}

/** How a question is asked. */
export interface Asking {
  readonly state: string
  /** Wants the person asked anew, even if they are signed in at the provider. */
  readonly isFresh: boolean
}

/** A way of asking a provider who somebody is. `Kept` is what is remembered of a question until its answer comes. */
export interface Protocol<Kept> {
  question(): Promise<Kept>
  /** Where a browser takes the question. @throws `OUTGOING_FAILED`, `OUTGOING_TOO_LARGE` (502), `OUTGOING_REFUSED` (422) */
  address(provider: Provider, kept: Kept, asking: Asking): Promise<URL>
  /**
   * What the provider answered, once nothing of it is in doubt.
   *
   * @throws `SIGN_ON_DECLINED`, `SIGN_ON_REFUSED` (401), `OUTGOING_FAILED` (502)
   */
  voucher(provider: Provider, kept: Kept, answer: URLSearchParams): Promise<Voucher>
  /** Looks whether signing in could work, without anybody signing in. */
  test(provider: Provider): Promise<Check[]>
}
