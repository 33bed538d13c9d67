import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'

interface Entity {
  readonly entityMeta: { getEntityID(): string; getAssertionConsumerService(binding: 'post'): string }
}

/** What is used of samlify, whose own types would bring those of a browser into every file. */
interface Samlify {
  setSchemaValidator(validator: { validate(xml: string): Promise<unknown> }): void
  ServiceProvider(settings: object): Entity
  IdentityProvider(settings: object): {
    getMetadata(): string
    parseLoginRequest(
      service: Entity,
      binding: 'redirect',
      request: object,
    ): Promise<{ extract: { request: { id: string } } }>
    createLoginResponse(
      service: Entity,
      request: object,
      binding: 'post',
      user: object,
      options: { customTagReplacement(template: string): { id: string; context: string } },
    ): Promise<{ context: string }>
  }
  readonly SamlLib: {
    readonly defaultLoginResponseTemplate: { readonly context: string }
    replaceTagsByValue(template: string, fields: Readonly<Record<string, string>>): string
  }
}
const require = createRequire(import.meta.url)
const samlify = require('samlify') as Samlify

/** What of an answer is not as it should be. */
export interface Forgery {
  /** Values of the answer's fields over the right ones, before it is signed. */
  readonly fields?: Readonly<Record<string, string>>
  /** Changes the answer before it is signed. */
  readonly before?: (xml: string) => string
  /** Changes the answer after it was signed. */
  readonly after?: (xml: string) => string
  /** What is signed; the assertion alone when absent. */
  readonly signs?: 'response' | 'nothing'
  /** What it is signed by; RSA with SHA-256 when absent. */
  readonly algorithm?: string
  /** When it asked the person who they are; now when absent. */
  readonly askedAt?: number
  /** Signs with a key of its own that its certificate does not belong to. */
  readonly key?: string
}

export interface Person {
  readonly subject: string
  readonly email?: string
  readonly name?: string
}

// Distinguished encoding rules (X.690), as much of them as a certificate of one name needs.
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const bytes = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...bytes]), body])
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const objectId = (hex: string) => der(6, Buffer.from(hex, 'hex'))
const instant = (at: number) =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replaceAll(/\D/g, '').slice(2, 14)}Z`))

/** A key pair and the certificate that says whose it is, valid since two months and for some days (RFC 5280). */
export function makeCertificate(name: string, days = 30): { key: string; certificate: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const sha256WithRsa = sequence(objectId('2a864886f70d01010b'), der(5))
  const who = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(name)))))
  const day = 86_400_000
  const signed = sequence(
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.from([1])),
    sha256WithRsa,
    who,
    sequence(instant(Date.now() - 60 * day), instant(Date.now() + days * day)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = der(3, Buffer.from([0]), sign('sha256', signed, privateKey))
  const certificate = new X509Certificate(sequence(signed, sha256WithRsa, signature)).toString()
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate }
}

/** An identity provider of SAML 2.0 in this process: samlify's. It reads our metadata and our requests, and answers by POST. */
export function startSamlProvider(issuer: string) {
  // Schemas are looked at by a program of its own that needs a JVM.
  samlify.setSchemaValidator({ validate: async () => 'not looked at' })
  const { key, certificate } = makeCertificate(issuer)
  const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
  const entity = (privateKey: string, algorithm = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256') =>
    samlify.IdentityProvider({
      entityID: issuer,
      privateKey,
      signingCert: certificate,
      requestSignatureAlgorithm: algorithm,
      nameIDFormat: ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
      singleSignOnService: [{ Binding: redirect, Location: `${issuer}/sign-in` }],
      loginResponseTemplate: {
        context: samlify.SamlLib.defaultLoginResponseTemplate.context,
        attributes: [
          attribute('email', 'email'),
          attribute('http://schemas.microsoft.com/identity/claims/displayname', 'name'),
        ],
      },
    })
  const idp = entity(key)
  return {
    issuer,
    certificate,
    entryPoint: `${issuer}/sign-in`,
    metadata: idp.getMetadata(),
    /** What the person's browser posts after signing in there. */
    async answer(asked: URL, serviceMetadata: string, person: Person, forgery: Forgery = {}): Promise<URLSearchParams> {
      const service = samlify.ServiceProvider({
        metadata: serviceMetadata.replace(
          /WantAssertionsSigned="\w+"/,
          `WantAssertionsSigned="${forgery.signs === undefined}"`,
        ),
        wantMessageSigned: forgery.signs === 'response',
      })
      const query = Object.fromEntries(asked.searchParams)
      const request = await idp.parseLoginRequest(service, 'redirect', { query })
      const now = Date.now()
      const acs = service.entityMeta.getAssertionConsumerService('post')
      const signedIn = `<saml:AuthnStatement AuthnInstant="${new Date(forgery.askedAt ?? now).toISOString()}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
      const fill = (template: string) => {
        const fields: Record<string, string> = {
          ID: `_response-${now}-${person.subject}`,
          AssertionID: `_assertion-${now}-${person.subject}`,
          Destination: acs,
          Audience: service.entityMeta.getEntityID(),
          SubjectRecipient: acs,
          Issuer: issuer,
          IssueInstant: new Date(now).toISOString(),
          StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
          ConditionsNotBefore: new Date(now).toISOString(),
          ConditionsNotOnOrAfter: new Date(now + 300_000).toISOString(),
          SubjectConfirmationDataNotOnOrAfter: new Date(now + 300_000).toISOString(),
          NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          NameID: person.subject,
          InResponseTo: request.extract.request.id,
          attrEmail: person.email ?? '',
          attrName: person.name ?? '',
          ...forgery.fields,
        }
        const filled = samlify.SamlLib.replaceTagsByValue(template.replace('{AuthnStatement}', signedIn), fields)
        return { id: fields['ID']!, context: (forgery.before ?? ((xml) => xml))(filled) }
      }
      const isUsual = forgery.key === undefined && forgery.algorithm === undefined
      const signer = isUsual ? idp : entity(forgery.key ?? key, forgery.algorithm)
      const made = await signer.createLoginResponse(service, request, 'post', {}, { customTagReplacement: fill })
      const unsigned = (xml: string) =>
        forgery.signs === 'nothing' ? xml.replaceAll(/<ds:Signature.*?<\/ds:Signature>/gs, '') : xml
      const xml = unsigned(Buffer.from(made.context, 'base64').toString('utf8'))
      const SAMLResponse = Buffer.from((forgery.after ?? ((text) => text))(xml)).toString('base64')
      return new URLSearchParams({ SAMLResponse, RelayState: asked.searchParams.get('RelayState') ?? '' })
    },
  }
}

function attribute(name: string, valueTag: string) {
  return { name, valueTag, nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic', valueXsiType: 'xs:string' }
}
