import { domainOf } from '../email-domain.ts'

/** Google's issuer, as it writes it itself and as others copy it. */
const google = /^(?:https:\/\/)?accounts\.google\.com\/?$/
const ownDomains: readonly string[] = ['gmail.com', 'googlemail.com']

/**
 * Whether a provider of OpenID Connect has verified that an address is somebody's now.
 *
 * Anybody may open an account at Google under an address elsewhere and keep it when the address passes on: such an address
 * is believed for a company that has its people there alone, which `hd` names (Google, “Verify the Google ID token”).
 *
 * @param claims - what the provider signed, or said beside it
 * @param domains - those of the provider, in lower case
 */
export function isVerifiedAddress(issuer: string, claims: Claims, domains: readonly string[]): boolean {
  // Microsoft's directory has no email_verified, and says in xms_edov that the address is of a verified domain.
  if (!google.test(issuer)) return isTrue(claims['email_verified']) || isTrue(claims['xms_edov'])
  const { email, hd } = claims
  if (typeof email !== 'string' || !isTrue(claims['email_verified'])) return false
  return ownDomains.includes(domainOf(email.trim())) || (typeof hd === 'string' && domains.includes(hd.toLowerCase()))
}

type Claims = Readonly<Record<string, unknown>>

const isTrue = (value: unknown): boolean => value === true || value === 'true' || value === 1 || value === '1'
