import { inflateRawSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patience } from './identity-world.ts'
import { makeCertificate, startSamlProvider, type Forgery, type Person } from './saml-provider.ts'
import { administrator, base, SignOnWorld, type Browser } from './sign-on-world.ts'

let world: SignOnWorld
const idp = startSamlProvider('https://directory.garonne.example/saml')
let provider: string
let metadata: string

beforeAll(async () => {
  world = await SignOnWorld.open()
  const made = await world.provider({ ...settings(), enabled: true })
  provider = made.id
  const read = await world.browser().ask('GET', new URL(made.entityId).pathname)
  metadata = read.body
}, patience)
afterAll(() => world.close())

function settings() {
  const { issuer, entryPoint, certificate } = idp
  return {
    name: 'Directory',
    kind: 'saml',
    issuer,
    entryPoint,
    certificates: [certificate],
    domains: ['garonne.example'],
  }
}

let count = 0
function somebody(): Person & { email: string } {
  const name = `person${(count += 1)}`
  return { subject: `id-of-${name}`, email: `${name}@garonne.example`, name: `Person ${count}` }
}

/** Posts an answer as the provider's page does: from another site, without any cookie. Answers where the browser goes. */
async function post(form: URLSearchParams, id = provider): Promise<URL> {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'sec-fetch-site': 'cross-site',
    origin: idp.issuer,
  }
  const url = new URL(`/api/auth/sign-on/${id}/saml`, base)
  const answer = await world.browser().go(url, { method: 'POST', headers, body: form.toString() })
  expect(answer.status).toBe(303)
  expect(answer.headers.getSetCookie()).toEqual([])
  return new URL(answer.headers.get('location')!)
}

async function signOn(
  browser: Browser,
  person: Person,
  forgery: Forgery = {},
  to: { id?: string; from?: string } = {},
) {
  const { id = provider, from = metadata } = to
  const form = await idp.answer(await browser.start(id), from, person, forgery)
  return browser.finish(id, (await post(form, id)).search)
}

const invite = (email: string) => world.admin.ask('POST', '/api/core/users/invite', { email })

describe('an administrator', () => {
  test('reads what to give the provider, and takes the provider’s own metadata', async () => {
    expect(metadata).toContain(`entityID="${base}/api/auth/sign-on/${provider}/saml/metadata"`)
    expect(metadata).toContain(`Location="${base}/api/auth/sign-on/${provider}/saml"`)
    const read = await world.admin.ask('POST', '/api/core/identity-providers/read-metadata', { xml: idp.metadata })
    expect(read.body.data).toEqual({
      issuer: idp.issuer,
      entryPoint: idp.entryPoint,
      certificates: [idp.certificate],
    })
    for (const [xml, reason] of [
      ['no XML', 'no XML'],
      [metadata, 'no identity provider'],
      ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'no XML'],
    ] as const) {
      const answer = await world.admin.ask('POST', '/api/core/identity-providers/read-metadata', { xml })
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'METADATA_INVALID', detail: expect.stringContaining(reason) },
      })
    }
    const inside = { url: 'http://10.1.2.3/metadata' }
    expect(await world.admin.ask('POST', '/api/core/identity-providers/read-metadata', inside)).toMatchObject({
      status: 422,
      body: { code: 'OUTGOING_REFUSED' },
    })
  })

  test('tests a provider, and is told which certificate is over and that nobody answers', async () => {
    const { certificate } = makeCertificate('Last year', -1)
    const values = { certificates: [idp.certificate, certificate], entryPoint: 'http://127.0.0.1:1/sign-in' }
    const { id } = await world.provider({ ...settings(), ...values })
    const { body } = await world.admin.ask('POST', `/api/core/identity-providers/${id}/test`)
    expect(body.data).toMatchObject({
      ok: false,
      checks: [
        { id: 'certificate', ok: true },
        { id: 'certificate', ok: false, values: { name: 'Last year' } },
        { id: 'entryPoint', ok: false, code: 'OUTGOING_FAILED' },
      ],
    })
  })
})

describe('signing in', () => {
  test('opens a session that says through what, for who is invited', async () => {
    const person = somebody()
    const { id } = (await invite(person.email)).body.data
    const browser = world.browser()
    expect(await signOn(browser, person)).toMatchObject({ status: 200, body: { data: { returnTo: '/' } } })
    expect((await browser.me()).status).toBe(200)
    const seen = await world.admin.ask('GET', `/api/core/users/${id}/sessions`)
    expect(seen.body.data).toEqual([expect.objectContaining({ through: 'Directory' })])
    await world.admin.ask('POST', `/api/core/users/${id}/deactivate`)
    expect((await browser.me()).status).toBe(401)
    expect(await signOn(browser, person)).toMatchObject({ status: 403, body: { code: 'SIGN_ON_DEACTIVATED' } })
  })

  test('takes a signature on the whole answer as well as one on what it asserts', async () => {
    const person = somebody()
    await invite(person.email)
    expect(await signOn(world.browser(), person, { signs: 'response' })).toMatchObject({ status: 200 })
  })

  test('brings newcomers with their name, and knows them by the account when their address changes', async () => {
    await world.change(provider, { admission: 'anyone', role: await world.role() })
    const person = somebody()
    expect(await signOn(world.browser(), person)).toMatchObject({ status: 200 })
    await world.change(provider, { admission: 'invited' })
    const { body } = await world.admin.ask('GET', `/api/core/users?q=${person.email}`)
    expect(body.data).toEqual([expect.objectContaining({ name: person.name, state: 'active' })])
    const browser = world.browser()
    expect(await signOn(browser, { ...person, email: 'other@garonne.example' })).toMatchObject({ status: 200 })
    expect((await browser.me()).body.user).toMatchObject({ id: body.data[0].id })
    const heir = { subject: 'somebody else', email: person.email }
    expect(await signOn(world.browser(), heir)).toMatchObject({ status: 409, body: { code: 'SIGN_ON_OTHER_ACCOUNT' } })
  })

  test('refuses addresses of other domains, and who sends none', async () => {
    const elsewhere = { subject: 'x', email: 'x@elsewhere.example' }
    expect(await signOn(world.browser(), elsewhere)).toMatchObject({ body: { code: 'SIGN_ON_DOMAIN_REFUSED' } })
    expect(await signOn(world.browser(), { subject: 'y' })).toMatchObject({ body: { code: 'SIGN_ON_EMAIL_MISSING' } })
  })

  test('knows people by an attribute where the provider has one that lasts', async () => {
    const person = somebody()
    await invite(person.email)
    const byAddress = { NameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }
    await world.change(provider, { subjectAttribute: 'employee-number' })
    expect(await signOn(world.browser(), person, { fields: byAddress })).toMatchObject({ status: 401 })
    // Whatever lasts there; that of this provider's few attributes which its people do not change.
    await world.change(provider, { subjectAttribute: 'http://schemas.microsoft.com/identity/claims/displayname' })
    expect(await signOn(world.browser(), person, { fields: byAddress })).toMatchObject({ status: 200 })
    const renamed = { ...byAddress, NameID: 'renamed@garonne.example' }
    expect(await signOn(world.browser(), person, { fields: renamed })).toMatchObject({ status: 200 })
    await world.change(provider, { subjectAttribute: null })
  })

  test('takes the certificate that comes next beside the one that goes', async () => {
    const person = somebody()
    await invite(person.email)
    const next = makeCertificate('Next year')
    await world.change(provider, { certificates: [next.certificate] })
    expect(await signOn(world.browser(), person)).toMatchObject({ body: { code: 'SIGN_ON_REFUSED' } })
    await world.change(provider, { certificates: [next.certificate, idp.certificate] })
    expect(await signOn(world.browser(), person)).toMatchObject({ status: 200 })
  })
})

describe('showing that it is still them', () => {
  test('takes that the provider asked anew, and says so in its request', async () => {
    const person = somebody()
    const role = await world.role(world.admin, 'Administrator')
    await world.admin.ask('POST', '/api/core/users/invite', { email: person.email, roles: [role] })
    const browser = world.browser()
    await signOn(browser, person, { askedAt: Date.now() - 3_600_000 })
    const make = () => browser.ask('POST', '/api/core/api-keys', { name: 'Theirs', role })
    expect(await make()).toMatchObject({ status: 403, body: { code: 'CONFIRMATION_NEEDED' } })
    const shown = async (forgery: Forgery) => {
      const asked = await browser.start(provider, { presence: true })
      const request = inflateRawSync(Buffer.from(asked.searchParams.get('SAMLRequest')!, 'base64')).toString()
      expect(request).toContain('ForceAuthn="true"')
      return browser.finish(provider, (await post(await idp.answer(asked, metadata, person, forgery))).search)
    }
    expect(await shown({ askedAt: Date.now() - 3_600_000 })).toMatchObject({
      status: 403,
      body: { code: 'PRESENCE_NOT_SHOWN' },
    })
    expect(await make()).toMatchObject({ status: 403 })
    expect(await shown({})).toMatchObject({ status: 200, body: { data: { present: true } } })
    expect((await make()).status).toBe(201)
  })

  test('a person whom the provider asked when they came in needs not show it again for a while', async () => {
    const person = somebody()
    const role = await world.role(world.admin, 'Administrator')
    await world.admin.ask('POST', '/api/core/users/invite', { email: person.email, roles: [role] })
    const browser = world.browser()
    await signOn(browser, person)
    expect((await browser.ask('POST', '/api/core/api-keys', { name: 'Theirs', role })).status).toBe(201)
  })
})

describe('an attacker', () => {
  const believed: Person & { email: string } = { subject: 'believed', email: 'believed@garonne.example' }
  const victim: Person = { subject: 'victim', email: administrator.email }

  test('is where the truth would be believed', async () => {
    await invite(believed.email)
    expect(await signOn(world.browser(), believed)).toMatchObject({ status: 200 })
  })

  const later = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

  /** An assertion of the attacker's own, unsigned. */
  const forged = (xml: string) =>
    /<saml:Assertion .*<\/saml:Assertion>/s
      .exec(xml)![0]
      .replaceAll(/<ds:Signature.*?<\/ds:Signature>/gs, '')
      .replaceAll('believed@garonne.example', victim.email!)
      .replace('>believed<', '>victim<')
      .replace(/ID="_assertion/, 'ID="_forged')
  const signature = (xml: string) => /<ds:Signature.*?<\/ds:Signature>/s.exec(xml)![0]
  const assertion = (xml: string) => /<saml:Assertion .*<\/saml:Assertion>/s.exec(xml)![0]

  const forgeries: Record<string, [Forgery, string]> = {
    'nothing signed': [{ signs: 'nothing' }, 'signature'],
    'signed by another key': [{ key: makeCertificate('attacker').key }, 'signature'],
    'a name changed after signing': [{ after: (xml) => xml.replace('>believed<', '>victim<') }, 'signature'],
    'a signed assertion beside a forged one': [
      { after: (xml) => xml.replace('<saml:Assertion ', (start) => forged(xml) + start) },
      'signature',
    ],
    'a forged assertion with the signed one inside its signature': [
      {
        after: (xml) => {
          const wrapped = signature(xml).replace(
            '</ds:Signature>',
            `<ds:Object>${assertion(xml)}</ds:Object></ds:Signature>`,
          )
          return xml.replace(assertion(xml), forged(xml).replace('</saml:Issuer>', `</saml:Issuer>${wrapped}`))
        },
      },
      'signature',
    ],
    'a forged assertion in front, the signed one in extensions': [
      {
        after: (xml) =>
          xml
            .replace(assertion(xml), forged(xml))
            .replace('</saml:Issuer>', `</saml:Issuer><samlp:Extensions>${assertion(xml)}</samlp:Extensions>`),
      },
      'signature',
    ],
    'a forged assertion with the id of the signed one': [
      {
        after: (xml) =>
          xml.replace('<saml:Assertion ', (start) => forged(xml).replace('ID="_forged', 'ID="_assertion') + start),
      },
      'signature',
    ],
    'for another service': [{ fields: { Audience: 'https://another.example' } }, 'another service'],
    'with no audience': [
      { before: (xml) => xml.replace(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/s, '') },
      '',
    ],
    'for another recipient': [{ fields: { SubjectRecipient: 'https://another.example/acs' } }, 'another address'],
    'for another destination': [{ fields: { Destination: 'https://another.example/acs' } }, 'another address'],
    'of another issuer': [{ fields: { Issuer: 'https://another.example' } }, 'another provider'],
    'too old': [{ fields: { ConditionsNotOnOrAfter: later(-5) } }, 'too old'],
    'too old to confirm': [{ fields: { SubjectConfirmationDataNotOnOrAfter: later(-5) } }, 'too old'],
    'not valid yet': [{ fields: { ConditionsNotBefore: later(5) } }, 'too old'],
    'to no question': [{ fields: { InResponseTo: '_another' } }, 'another question'],
    'to our question only outside of what is signed': [
      { before: (xml) => xml.replace(/(SubjectConfirmationData [^>]*) InResponseTo="[^"]*"/, '$1') },
      'another question',
    ],
    'that says no': [{ fields: { StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Responder' } }, 'says no'],
    'that names somebody for one visit': [
      { fields: { NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' } },
      'for good',
    ],
    'that names somebody by an address': [
      { fields: { NameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' } },
      'for good',
    ],
    'with a digest of SHA-1': [
      {
        after: (xml) =>
          xml.replace('http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2000/09/xmldsig#sha1'),
      },
      'signature',
    ],
    'signed with SHA-1': [{ algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }, 'signature'],
    'with a document type': [{ after: (xml) => `<!DOCTYPE a [<!ENTITY b "c">]>${xml}` }, 'cannot be read'],
    'that is no answer': [{ after: () => '<a/>' }, 'cannot be read'],
  }

  test.each(Object.entries(forgeries))('is not believed with an answer: %s', async (_, [forgery, reason]) => {
    const browser = world.browser()
    const answer = await signOn(browser, believed, forgery)
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'SIGN_ON_REFUSED', detail: expect.stringContaining(reason) },
    })
    expect((await browser.me()).status).toBe(401)
  })

  test('cuts no name short by a comment, which no signature covers', async () => {
    const whole = world.browser()
    await signOn(whole, believed)
    const browser = world.browser()
    const cut: Forgery = { after: (xml) => xml.replace('>believed<', '>beli<!-- -->eved<') }
    expect(await signOn(browser, believed, cut)).toMatchObject({ status: 200 })
    expect((await browser.me()).body.user.id).toBe((await whole.me()).body.user.id)
  })

  test('who posts one answer twice, or an answer to an earlier question, is heard once', async () => {
    const browser = world.browser()
    const form = await idp.answer(await browser.start(provider), metadata, believed)
    const back = await post(form)
    expect(await browser.finish(provider, back.search)).toMatchObject({ status: 200 })
    const thief = world.browser()
    const asked = await thief.start(provider)
    expect(await thief.finish(provider, (await post(form)).search)).toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    form.set('RelayState', asked.searchParams.get('RelayState')!)
    expect(await thief.finish(provider, (await post(form)).search)).toMatchObject({
      body: { code: 'SIGN_ON_REFUSED', detail: expect.stringContaining('another question') },
    })
  })

  test('who brings an answer into another browser signs nobody in there', async () => {
    const browser = world.browser()
    const back = await post(await idp.answer(await browser.start(provider), metadata, believed))
    const other = world.browser()
    await other.start(provider)
    expect(await other.finish(provider, back.search)).toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    expect(await browser.finish(provider, back.search)).toMatchObject({ status: 200 })
  })

  test('finds no sign-in that begins at the provider, and no way elsewhere by RelayState', async () => {
    const form = await idp.answer(await world.browser().start(provider), metadata, believed)
    for (const state of ['', 'https://evil.example/', '//evil.example', '/accounts']) {
      form.set('RelayState', state)
      const page = await post(form)
      expect(page.href).toBe(`${base}/sign-on/unknown?state=`)
      expect(await world.browser().finish('unknown', page.search)).toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    }
  })

  test('who posts what is no answer has nothing of it kept, and breaks nobody’s password', async () => {
    const person = { email: 'pass@garonne.example', password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Colleague', ...person })
    const good = await idp.answer(await world.browser().start(provider), metadata, believed)
    for (const answer of ['\0', 'not base64!', '', 'A'.repeat(200_001)]) {
      good.set('SAMLResponse', answer)
      expect((await post(good)).href).toBe(`${base}/sign-on/unknown?state=`)
    }
    const { rows } = await sql<{ value: string }>`select value from core.verification`.execute(world.owner)
    expect(JSON.stringify(rows)).not.toContain('answer')
    const browser = world.browser()
    await browser.signIn(person)
    const change = { currentPassword: person.password, newPassword: 'four other plain words' }
    expect(await browser.ask('POST', '/api/core/me/password', change)).toMatchObject({ status: 204 })
  })

  test('uses an assertion for one provider at no other, of the same workspace or another', async () => {
    const twin = await world.provider({ ...settings(), name: 'Twin', enabled: true })
    const { admin } = await world.company('Loire', 'lou@loire.example')
    const foreign = await world.provider({ ...settings(), name: 'Loire', enabled: true }, admin)
    for (const { id } of [twin, foreign]) {
      const browser = world.browser()
      // Asked by one, signed for the other.
      const form = await idp.answer(await browser.start(id), metadata, believed)
      expect(await browser.finish(id, (await post(form, id)).search)).toMatchObject({
        status: 401,
        body: { code: 'SIGN_ON_REFUSED' },
      })
      // Posted to where the other is expected.
      const own = await idp.answer(await browser.start(id), metadata, believed)
      expect((await post(own, provider)).href).toBe(`${base}/sign-on/unknown?state=`)
      expect((await browser.me()).status).toBe(401)
    }
  })
})
