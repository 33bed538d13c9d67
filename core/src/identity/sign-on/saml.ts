import { randomBytes } from 'node:crypto'
import type { SAML, SamlConfig } from '@node-saml/node-saml'
import { SaxesParser } from 'saxes'
import { z } from 'zod'
import { signOnRefused } from '../errors.ts'
import { certificateOf } from './certificates.ts'
import type { Asking, Check, Protocol, ProtocolParts } from './protocol.ts'
import type { Provider, Voucher } from './provider.ts'
import { SocleError } from '../../errors.ts'

/** What is kept of a question until its answer comes. */
interface Kept {
  /** Id of our request, which the answer has to name. */
  readonly request: string
}

/** Milliseconds by which a provider's clock may differ from ours. */
const skew = 60_000

const attributes = z.object({ $: z.record(z.string(), z.string()).default({}) })
const text = z.object({ _: z.string().optional(), $: z.record(z.string(), z.string()).default({}) })

/** What of a signed assertion decides, as the library reads it: every element is a list. */
const assertionSchema = z.object({
  Assertion: z.object({
    Issuer: z.array(text).length(1),
    Subject: z
      .array(
        z.object({
          NameID: z.array(text).length(1),
          SubjectConfirmation: z.array(attributes.extend({ SubjectConfirmationData: z.array(attributes).length(1) })),
        }),
      )
      .length(1),
    Conditions: z
      .array(attributes.extend({ AudienceRestriction: z.array(z.object({ Audience: z.array(text).min(1) })).min(1) }))
      .length(1),
    AuthnStatement: z.array(attributes).min(1),
    AttributeStatement: z
      .array(
        z.object({
          Attribute: z.array(attributes.extend({ AttributeValue: z.array(text).default([]) })).default([]),
        }),
      )
      .default([]),
  }),
})
type Assertion = z.output<typeof assertionSchema>['Assertion']

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

// Of the algorithms a signature names, those nobody can forge by finding two texts of one digest; RSA's of SHA-1 is none.
const soundAlgorithm = /[#-]sha(?:256|384|512)$/

// As directories and suites call them, the plain ones first.
const emailNames = [
  'email',
  'mail',
  'emailaddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'urn:oid:0.9.2342.19200300.100.1.3',
]
const displayNames = [
  'displayname',
  'name',
  'cn',
  'http://schemas.microsoft.com/identity/claims/displayname',
  'urn:oid:2.16.840.1.113730.3.1.241',
  'urn:oid:2.5.4.3',
]

/**
 * SAML 2.0, web browser sign-on profile (saml-profiles 4.1): our request by redirect, the answer by POST.
 *
 * The library verifies the signature and hands over what was signed; all that is decided is read from that, here, by the
 * platform's clock. An answer nobody asked for is refused.
 */
export class Saml implements Protocol<Kept> {
  readonly #parts: ProtocolParts

  constructor(parts: ProtocolParts) {
    this.#parts = parts
  }

  async question(): Promise<Kept> {
    return { request: `_${randomBytes(20).toString('hex')}` }
  }

  async address(provider: Provider, { request }: Kept, { state, isFresh }: Asking): Promise<URL> {
    const saml = await this.#library(provider, request, { forceAuthn: isFresh })
    return new URL(await saml.getAuthorizeUrlAsync(state, undefined, {}))
  }

  async voucher(provider: Provider, { request }: Kept, answer: URLSearchParams): Promise<Voucher> {
    const response = answer.get('SAMLResponse') ?? ''
    const refused = (reason: string) => signOnRefused({ provider: provider.name, reason })
    const { acs, entityId } = this.#parts.addressesOf(provider.id)
    const envelope = envelopeOf(response)
    if (!envelope) throw refused('form')
    if (!envelope.algorithms.every((it) => soundAlgorithm.test(it))) throw refused('signature')
    if (envelope.destination !== undefined && envelope.destination !== acs) throw refused('recipient')
    if (envelope.status !== success) throw refused('status')
    if (envelope.request !== request) throw refused('request')
    const signed = await this.#verified(provider, request, response)
    if (signed === undefined) throw refused('signature')
    const assertion = assertionSchema.safeParse(signed).data?.Assertion
    if (!assertion) throw refused('form')
    const [issuer, subject, conditions] = [assertion.Issuer[0]!, assertion.Subject[0]!, assertion.Conditions[0]!]
    if (issuer._ !== provider.issuer) throw refused('issuer')
    const audiences = conditions.AudienceRestriction.map(({ Audience }) => Audience.map(({ _ }) => _))
    if (!audiences.every((allowed) => allowed.includes(entityId))) throw refused('audience')
    const confirmations = subject.SubjectConfirmation.filter(({ $ }) => $['Method'] === bearer).map(
      ({ SubjectConfirmationData }) => SubjectConfirmationData[0]!.$,
    )
    const addressed = confirmations.filter(({ Recipient }) => Recipient === acs)
    if (addressed.length === 0) throw refused('recipient')
    const asked = addressed.filter(({ InResponseTo }) => InResponseTo === request)
    if (asked.length === 0) throw refused('request')
    if (!asked.some((it) => it['NotOnOrAfter'] !== undefined && this.#holds(it)) || !this.#holds(conditions.$))
      throw refused('expired')
    return voucherOf(assertion, provider, refused)
  }

  async test(provider: Provider): Promise<Check[]> {
    const now = this.#parts.clock.now().getTime()
    const certificates = provider.certificates.map((it): Check => {
      const { validFrom, validTo, subject } = certificateOf(it)
      const ok = Date.parse(validFrom) <= now && now < Date.parse(validTo)
      const name = /CN=(.*)/.exec(subject)?.[1] ?? subject
      return { id: 'certificate', ok, values: { name, until: new Date(validTo).toISOString().slice(0, 10) } }
    })
    try {
      const { status } = await this.#parts.outgoing.fetch(provider.entryPoint ?? '')
      return [
        ...certificates,
        { id: 'entryPoint', ok: status < 500 && status !== 404, values: { status: String(status) } },
      ]
    } catch (error) {
      return [
        ...certificates,
        { id: 'entryPoint', ok: false, ...(error instanceof SocleError ? { problem: error } : {}) },
      ]
    }
  }

  /** What to give a provider to read: who we are and where we take answers. */
  async metadata(provider: Provider): Promise<string> {
    return (await this.#library(provider, '_')).generateServiceProviderMetadata(null)
  }

  async #library(provider: Provider, request: string, more: Partial<SamlConfig> = {}): Promise<SAML> {
    // Loaded at the first sign-in by SAML, not at the start.
    const { SAML, ValidateInResponseTo } = await import('@node-saml/node-saml')
    const { acs, entityId } = this.#parts.addressesOf(provider.id)
    return new SAML({
      idpCert: [...provider.certificates],
      entryPoint: provider.entryPoint ?? '',
      issuer: entityId,
      callbackUrl: acs,
      generateUniqueId: () => request,
      identifierFormat: null,
      disableRequestedAuthnContext: true,
      // One of the two must be: a signature on the whole covers the assertion in it.
      wantAssertionsSigned: false,
      wantAuthnResponseSigned: false,
      // Judged by `voucher`, which has the platform's clock and knows which question was asked.
      acceptedClockSkewMs: -1,
      audience: false,
      validateInResponseTo: ValidateInResponseTo.never,
      ...more,
    })
  }

  /** What was signed of an answer; undefined when nothing was, or not by this provider. */
  async #verified(provider: Provider, request: string, response: string): Promise<unknown> {
    const saml = await this.#library(provider, request)
    try {
      const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: response })
      return profile?.getAssertion?.()
    } catch {
      return undefined
    }
  }

  #holds({ NotBefore, NotOnOrAfter }: Readonly<Record<string, string>>): boolean {
    const now = this.#parts.clock.now().getTime()
    if (NotBefore !== undefined && !(Date.parse(NotBefore) - skew <= now)) return false
    return NotOnOrAfter === undefined || now < Date.parse(NotOnOrAfter) + skew
  }
}

interface Envelope {
  readonly destination: string | undefined
  readonly request: string | undefined
  readonly status: string | undefined
  /** Of every signature and digest, wherever it stands. */
  readonly algorithms: readonly string[]
}

/** The outermost element of an answer; undefined for what is none. It may be unsigned: it only ever refuses. */
function envelopeOf(response: string): Envelope | undefined {
  const xml = Buffer.from(response, 'base64').toString('utf8')
  const parser = new SaxesParser({ xmlns: true })
  const open: string[] = []
  const algorithms: string[] = []
  let [isFit, status] = [true, undefined as string | undefined]
  let root: Readonly<Record<string, string>> | undefined
  parser.on('error', () => (isFit = false))
  // A document type brings entities of its own, which no answer needs.
  parser.on('doctype', () => (isFit = false))
  parser.on('opentag', ({ local, attributes: found }) => {
    const values = Object.fromEntries(Object.values(found).map(({ local: name, value }) => [name, value]))
    if (open.length === 0) [root, isFit] = [values, isFit && local === 'Response']
    if (local === 'SignatureMethod' || local === 'DigestMethod') algorithms.push(values['Algorithm'] ?? '')
    if (open.length === 2 && open[1] === 'Status' && local === 'StatusCode') status = values['Value']
    open.push(local)
  })
  parser.on('closetag', () => void open.pop())
  parser.write(xml).close()
  if (!isFit || !root) return undefined
  return { destination: root['Destination'], request: root['InResponseTo'], status, algorithms }
}

function voucherOf(
  { Issuer, Subject, AttributeStatement, AuthnStatement }: Assertion,
  { subjectAttribute }: Provider,
  refused: (reason: string) => Error,
): Voucher {
  const nameId = Subject[0]!.NameID[0]!
  const said = new Map<string, string>()
  for (const { $, AttributeValue } of AttributeStatement.flatMap(({ Attribute }) => Attribute)) {
    const value = AttributeValue[0]?._?.trim()
    if (value) said.set(($['Name'] ?? '').toLowerCase(), value)
  }
  // A name made up for one visit would be another person at the next, and an address is given to somebody else in time.
  const isForGood = nameId.$['Format'] === persistent
  const subject = subjectAttribute === null ? isForGood && nameId._ : said.get(subjectAttribute.toLowerCase())
  if (!subject) throw refused('subject')
  const first = (names: readonly string[]) => names.map((name) => said.get(name)).find((it) => it !== undefined)
  const email = first(emailNames) ?? (/^[^\s@]+@[^\s@]+$/.test(nameId._ ?? '') ? nameId._ : undefined)
  // Of several, the one that says least.
  const asked = Math.min(...AuthnStatement.map(({ $ }) => Date.parse($['AuthnInstant'] ?? '')))
  return {
    issuer: Issuer[0]!._!,
    subject,
    email,
    // SAML has no word for it: what the company's directory signs is what the company says of its own people.
    isVerified: email !== undefined,
    name: first(displayNames),
    authenticatedAt: Number.isNaN(asked) ? undefined : new Date(asked).toISOString(),
  }
}
