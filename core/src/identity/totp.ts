import { randomBytes, timingSafeEqual } from 'node:crypto'
import { base32 } from '@better-auth/utils/base32'
import { createOTP } from '@better-auth/utils/otp'

/** Seconds of one code. */
const period = 30
/** Steps before and after the present one whose code is right too: telephones' clocks drift, and typing takes time. */
const drift = 1

/** 160 random bits, as RFC 4226 section 4 recommends, in the letters that authenticator apps take. */
export function makeTotpSecret(): string {
  return base32.encode(randomBytes(20), { padding: false })
}

/** What an authenticator app reads from a QR code. */
export function totpUrl(secret: string, { issuer, account }: { issuer: string; account: string }): string {
  return createOTP(keyOf(secret), { period }).url(issuer, account)
}

/**
 * Which half minute a code belongs to (RFC 6238).
 *
 * @returns undefined when the code is wrong, or belongs to a step not after `lastStep`: it was used already
 */
export async function matchingStep(
  secret: string,
  code: string,
  { now, lastStep }: { now: Date; lastStep: number },
): Promise<number | undefined> {
  const otp = createOTP(keyOf(secret), { period })
  const present = Math.floor(now.getTime() / 1_000 / period)
  let found: number | undefined
  for (let step = present - drift; step <= present + drift; step += 1) {
    const expected = Buffer.from(await otp.hotp(step))
    const given = Buffer.from(code)
    if (given.length === expected.length && timingSafeEqual(given, expected) && step > lastStep) found = step
  }
  return found
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(base32.decode(secret))
}
