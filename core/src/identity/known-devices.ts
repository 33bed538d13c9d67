import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { foldedEmail } from './folded-email.ts'

/** Days for which a browser that signed in is known. */
export const knownDays = 180
/** People of one browser that are remembered, the latest first. */
const mostPeople = 6

/** `<day in hex>.<random>.<signature>`: names nobody, and is somebody's only beside their address. */
const written = /^([0-9a-f]{1,6})\.([\w-]{16})\.([\w-]{43})$/

/**
 * Browsers from which somebody has signed in, so that whoever guesses elsewhere does not keep them out (OWASP, “Slow down
 * online guessing attacks with device cookies”). Nothing of them is kept here: each carries what we signed.
 */
export class KnownDevices {
  readonly #key: Buffer
  readonly #clock: Clock

  constructor({ secret, clock }: { secret: string; clock: Clock }) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'socle known device', 32))
    this.#clock = clock
  }

  /** What tells this browser from the others of a person; undefined where they have not signed in, or long ago. */
  find(kept: string | undefined, email: string): string | undefined {
    for (const token of tokensIn(kept)) {
      const [, day = '', random = '', signature = ''] = written.exec(token)!
      const age = this.#day() - Number.parseInt(day, 16)
      const [given, made] = [Buffer.from(signature), Buffer.from(this.#sign(day, random, email))]
      if (timingSafeEqual(given, made) && age >= 0 && age < knownDays) return random
    }
    return undefined
  }

  /** What a browser keeps once somebody has signed in: others who did so before them stay known. */
  remember(kept: string | undefined, email: string): string {
    const before = tokensIn(kept)
    const random = this.find(kept, email) ?? randomBytes(12).toString('base64url')
    const day = this.#day().toString(16)
    const others = before.filter((token) => written.exec(token)![2] !== random)
    return [`${day}.${random}.${this.#sign(day, random, email)}`, ...others].slice(0, mostPeople).join('~')
  }

  #sign(day: string, random: string, email: string): string {
    return createHmac('sha256', this.#key)
      .update(`${day} ${random} ${foldedEmail(email)}`)
      .digest('base64url')
  }

  #day(): number {
    return Math.floor(this.#clock.now().getTime() / 86_400_000)
  }
}

function tokensIn(kept = ''): string[] {
  return kept.split('~', mostPeople).filter((token) => written.test(token))
}
