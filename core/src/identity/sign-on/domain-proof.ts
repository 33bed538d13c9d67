import { createHmac, hkdfSync } from 'node:crypto'
import { Resolver } from 'node:dns/promises'

/** Texts that stand at a name in the DNS, each in its pieces; what it throws means that there are none to be had. */
export type ResolveTexts = (name: string) => Promise<readonly (readonly string[])[]>

/** What a company publishes in the DNS of a domain to show that the domain is its own. */
export interface DomainRecord {
  readonly name: string
  readonly value: string
}

/** What a name server says of a name that has no text, or is none: an answer, unlike a silence. */
const nothingThere: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND'])

/** Asks name servers, the system's when none are given; given up after some seconds. */
export function textsFrom(servers: readonly string[] = []): ResolveTexts {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  return (name) => resolver.resolveTxt(name)
}

/**
 * Proof that a workspace owns a domain: a text of ours stands at a name of the domain (RFC 1464, and “Domain Control
 * Validation using DNS”, draft-ietf-dnsop-domain-verification-techniques). The text follows from workspace and domain, so
 * that nothing has to be kept until it is found, and another workspace's proves nothing.
 */
export class DomainProof {
  readonly #key: Buffer
  readonly #resolve: ResolveTexts

  constructor({ secret, resolve }: { secret: string; resolve: ResolveTexts }) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'socle domain proof', 32))
    this.#resolve = resolve
  }

  recordFor(workspace: string, domain: string): DomainRecord {
    const token = createHmac('sha256', this.#key).update(`${workspace} ${domain}`).digest('base64url').slice(0, 32)
    return { name: `_socle.${domain}`, value: `socle-domain=${token}` }
  }

  /** Whether the text stands there now; `unknown` where no name server says what stands there. */
  async look({ name, value }: DomainRecord): Promise<'there' | 'gone' | 'unknown'> {
    try {
      const texts = await this.#resolve(name)
      return texts.some((pieces) => pieces.join('').trim() === value) ? 'there' : 'gone'
    } catch (error) {
      return nothingThere.has(String((error as { code?: unknown }).code)) ? 'gone' : 'unknown'
    }
  }
}
