import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recheckDomains } from '../src/identity/sign-on/recheck.ts'
import { isVerifiedAddress } from '../src/identity/sign-on/verified-address.ts'
import { codeOf, patience } from './identity-world.ts'
import { startLyingProvider, type Lie } from './lying-provider.ts'
import { startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts'
import { administrator, base, SignOnWorld, type Browser } from './sign-on-world.ts'

let world: SignOnWorld
let idp: OpenIdProvider
let provider: string

beforeAll(async () => {
  idp = await startOpenIdProvider()
  world = await SignOnWorld.open()
  provider = (await world.provider({ ...settings(), name: 'Entrance', enabled: true })).id
  idp.allow(`${base}/sign-on/${provider}`)
}, patience)
afterAll(async () => {
  await world.close()
  await idp.close()
})

function settings() {
  return {
    name: 'Entrance',
    kind: 'oidc',
    issuer: idp.issuer,
    clientId: idp.client.id,
    clientSecret: idp.client.secret,
    domains: ['garonne.example'],
  }
}

let count = 0
/** Somebody the provider knows, with an address of the company. */
function somebody(more: object = {}) {
  const name = `person${(count += 1)}`
  const email = `${name}@garonne.example`
  idp.accounts.set(name, { email, email_verified: true, name: `Person ${count}`, ...more })
  return { login: name, email }
}

/** Signs in on the provider's own pages. Answers the address to which it sends the browser back. */
async function atProvider(browser: Browser, from: URL, login: string): Promise<URL> {
  let url = from
  for (let step = 0; step < 10; step += 1) {
    const page = await browser.go(url)
    let location = page.headers.get('location')
    if (location === null) {
      const html = await page.text()
      const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1] ?? ''
      const body = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'any' } : {}) })
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const submitted = await browser.go(url, { method: 'POST', headers, body: body.toString() })
      location = submitted.headers.get('location')
    }
    url = new URL(location ?? 'about:blank', url)
    if (url.origin === base) return url
  }
  throw new Error(`The provider did not come to an end: ${url.href}`)
}

/** Shows that somebody who came in through the provider still sits before the browser. */
async function present(browser: Browser, login: string) {
  const back = await atProvider(browser, await browser.start(provider, { presence: true }), login)
  return browser.finish(provider, back.search)
}

async function signOn(browser: Browser, login: string, id = provider) {
  const back = await atProvider(browser, await browser.start(id), login)
  return browser.finish(id, back.search)
}

const invite = (email: string, more: object = {}) =>
  world.admin.ask('POST', '/api/core/users/invite', { email, ...more })

describe('an administrator', () => {
  test('adds a provider, reads what to copy into it, and never its secret again', async () => {
    const { body } = await world.admin.ask('GET', '/api/core/identity-providers')
    expect(body.data).toEqual([
      expect.objectContaining({
        id: provider,
        name: 'Entrance',
        redirect: `${base}/sign-on/${provider}`,
        secretSetAt: expect.any(String),
        enabled: true,
      }),
    ])
    const { rows } = await sql<{ sealed: string }>`select sealed from core.identity_provider_secret`.execute(
      world.owner,
    )
    for (const text of [JSON.stringify(body), JSON.stringify(rows), world.lines.join('\n')])
      expect(text).not.toContain(idp.client.secret)
  })

  test('tests it, and is told what is wrong', async () => {
    const check = async (values: object) => {
      const { id } = await world.provider({ ...settings(), ...values })
      const { body } = await world.admin.ask('POST', `/api/core/identity-providers/${id}/test`)
      await world.admin.ask('DELETE', `/api/core/identity-providers/${id}`)
      return body.data
    }
    expect(await check({})).toMatchObject({ ok: true, checks: [{ id: 'discovery' }, { id: 'keys' }, { id: 'client' }] })
    expect(await check({ clientSecret: 'another' })).toMatchObject({
      ok: false,
      checks: [{ ok: true }, { ok: true }, { id: 'client', ok: false, values: { said: 'invalid_client' } }],
    })
    expect(await check({ issuer: 'http://127.0.0.1:1' })).toMatchObject({
      ok: false,
      checks: [{ id: 'discovery', ok: false, code: 'OUTGOING_FAILED', detail: expect.stringContaining('127.0.0.1:1') }],
    })
    expect(await check({ issuer: 'https://10.0.0.1' })).toMatchObject({
      checks: [{ id: 'discovery', code: 'OUTGOING_REFUSED', detail: expect.stringContaining('10.0.0.1') }],
    })
    expect(await check({ issuer: `${idp.issuer}/elsewhere` })).toMatchObject({ ok: false })
  })
})

describe('signing in', () => {
  test('opens a session like any other, which says through what, and stands in the ledger', async () => {
    const { login, email } = somebody()
    const invited = await invite(email)
    const browser = world.browser()
    const back = await atProvider(browser, await browser.start(provider, { returnTo: '/accounts?q=x' }), login)
    const finished = await browser.finish(provider, back.search)
    expect(finished).toMatchObject({ status: 200, body: { data: { returnTo: '/accounts?q=x' } } })
    expect(await browser.me()).toMatchObject({ status: 200 })
    expect((await browser.ask('GET', '/api/core/me/sessions')).body.data).toEqual([
      expect.objectContaining({ isThis: true, through: 'Entrance', strong: false }),
    ])
    const { id } = invited.body.data
    const seen = await world.admin.ask('GET', `/api/core/users/${id}/sessions`)
    expect(seen.body.data).toEqual([expect.objectContaining({ through: 'Entrance' })])
    const history = await world.admin.ask('GET', `/api/core/users/${id}/history`)
    const told = JSON.stringify(history.body.data[0])
    expect(told).toContain('"vouchedBy"')
    expect(told).toContain('Entrance')
    await world.admin.ask('DELETE', `/api/core/users/${id}/sessions/${seen.body.data[0].id}`)
    expect(await browser.me()).toMatchObject({ status: 401, body: { code: 'SESSION_EXPIRED' } })
  })

  test('lets nobody in whom nobody invited, until the provider may bring them: with its role and team', async () => {
    const { login, email } = somebody()
    const browser = world.browser()
    expect(await signOn(browser, login)).toMatchObject({
      status: 403,
      body: { code: 'SIGN_ON_NOT_INVITED', detail: expect.stringContaining(email) },
    })
    const role = await world.role()
    const team = (await world.admin.ask('POST', '/api/core/teams', { name: 'Newcomers' })).body.data.id
    await world.change(provider, { admission: 'anyone', role, joinTeam: team })
    expect(await signOn(browser, login)).toMatchObject({ status: 200 })
    const { body } = await world.admin.ask('GET', `/api/core/users?q=${email}`)
    expect(body.data).toEqual([expect.objectContaining({ email, state: 'active', team, roles: [role] })])
    await world.change(provider, { admission: 'invited' })
    expect(await signOn(browser, login), 'who is in stays in').toMatchObject({ status: 200 })
  })

  test('finds a colleague by a verified address alone, and by the account from then on', async () => {
    const { login, email } = somebody({ email_verified: false })
    const password = 'three plain words'
    const made = await world.admin.ask('POST', '/api/core/users', { name: 'Colleague', email, password })
    const { id } = made.body.data
    const browser = world.browser()
    expect(await signOn(browser, login)).toMatchObject({ status: 403, body: { code: 'SIGN_ON_EMAIL_UNVERIFIED' } })
    idp.accounts.set(login, { email, email_verified: true })
    expect(await signOn(browser, login)).toMatchObject({ status: 200 })
    // The address changes at the provider, and is given to somebody else there.
    idp.accounts.set(login, { email: `renamed-${email}`, email_verified: false })
    const again = world.browser()
    expect(await signOn(again, login)).toMatchObject({ status: 200 })
    expect((await again.ask('GET', '/api/core/shell')).body.user).toMatchObject({ id })
    const successor = somebody({ email })
    expect(await signOn(world.browser(), successor.login)).toMatchObject({
      status: 409,
      body: { code: 'SIGN_ON_OTHER_ACCOUNT', detail: expect.stringContaining(email) },
    })
    expect(
      await world.browser().signIn({ email, password }),
      'a password they were given and never used',
    ).toMatchObject({
      status: 401,
    })
  })

  test('asks for an address of the domains the provider may vouch for', async () => {
    const stranger = somebody({ email: 'someone@elsewhere.example' })
    expect(await signOn(world.browser(), stranger.login)).toMatchObject({
      status: 403,
      body: { code: 'SIGN_ON_DOMAIN_REFUSED', detail: expect.stringContaining('someone@elsewhere.example') },
    })
    const silent = somebody({ email: undefined })
    expect(await signOn(world.browser(), silent.login)).toMatchObject({ body: { code: 'SIGN_ON_EMAIL_MISSING' } })
  })

  test('knows its people until the link is taken away, by an administrator or by themselves', async () => {
    const { login, email } = somebody()
    const { id } = (await invite(email)).body.data
    const links = `/api/core/users/${id}/external-identities`
    const browser = world.browser()
    await signOn(browser, login)
    const [link] = (await world.admin.ask('GET', links)).body.data
    expect(link).toMatchObject({ provider: 'Entrance', subject: login, lastUsedAt: expect.any(String) })
    const colleague = { email: `colleague-of-${email}`, password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Colleague', ...colleague })
    const other = world.browser()
    await other.signIn(colleague)
    expect(await other.ask('DELETE', `${links}/${link.id}`)).toMatchObject({ status: 403 })
    expect(await other.ask('DELETE', `/api/core/me/external-identities/${link.id}`)).toMatchObject({ status: 404 })
    expect((await world.admin.ask('DELETE', `${links}/${link.id}`)).status).toBe(204)
    expect((await browser.me()).status).toBe(401)
    expect((await world.admin.ask('DELETE', `${links}/${link.id}`)).status).toBe(404)
    const history = await world.admin.ask('GET', `/api/core/users/${id}/history`)
    expect(JSON.stringify(history.body.data[0])).toContain('unlinkedFrom')
    // The address has passed to another account there.
    const heir = somebody({ email })
    const next = world.browser()
    expect(await signOn(next, heir.login)).toMatchObject({ status: 200 })
    const mine = '/api/core/me/external-identities'
    const [own] = (await next.ask('GET', mine)).body.data
    expect(own).toMatchObject({ provider: 'Entrance', workspace: 'Garonne', subject: heir.login })
    const last = { status: 409, body: { code: 'LAST_WAY_IN' } }
    expect(await next.ask('DELETE', `${mine}/${own.id}`)).toMatchObject(last)
    expect((await next.me()).status).toBe(200)
    await present(next, heir.login)
    const chosen = await next.ask('POST', '/api/core/me/password', { newPassword: 'three other plain words' })
    expect(chosen.status, JSON.stringify(chosen.body)).toBe(204)
    expect((await next.ask('DELETE', `${mine}/${own.id}`)).status).toBe(204)
    expect((await next.me()).status).toBe(401)
    expect((await world.admin.ask('GET', links)).body.data).toEqual([])
  })

  test('refuses who is deactivated, and deactivation ends the sessions at once', async () => {
    const { login, email } = somebody()
    const { id } = (await invite(email)).body.data
    const browser = world.browser()
    await signOn(browser, login)
    await world.admin.ask('POST', `/api/core/users/${id}/deactivate`)
    expect((await browser.me()).status).toBe(401)
    expect(await signOn(browser, login)).toMatchObject({ status: 403, body: { code: 'SIGN_ON_DEACTIVATED' } })
  })

  test('ends with the provider: switched off, it lets nobody in and signs out who came through it', async () => {
    const { login, email } = somebody()
    await invite(email)
    const browser = world.browser()
    await signOn(browser, login)
    const begun = await atProvider(browser, await browser.start(provider), login)
    await world.change(provider, { enabled: false })
    expect((await browser.me()).status).toBe(401)
    expect(await browser.finish(provider, begun.search)).toMatchObject({ body: { code: 'SIGN_ON_UNKNOWN' } })
    expect(await browser.ask('POST', '/api/auth/sign-on/start', { provider })).toMatchObject({ status: 404 })
    expect((await browser.ask('GET', '/api/auth/sign-on')).body.data).toEqual([])
    await world.change(provider, { enabled: true })
    const other = await world.provider({ ...settings(), name: 'Side entrance', enabled: true })
    idp.allow(other.redirect)
    expect(await signOn(browser, login, other.id)).toMatchObject({ status: 200 })
    expect(await world.admin.ask('DELETE', `/api/core/identity-providers/${other.id}`)).toMatchObject({ status: 204 })
    expect((await browser.me()).status).toBe(401)
  })

  test('asks for the code of an app, unless the provider asks for a second factor itself', async () => {
    const { login, email } = somebody()
    const { id } = (await invite(email)).body.data
    const browser = world.browser()
    await signOn(browser, login)
    await present(browser, login)
    const { secret } = (await browser.ask('POST', '/api/core/me/second-factor', {})).body.data
    const code = () => codeOf(secret, world.clock)
    await browser.ask('POST', '/api/core/me/second-factor/confirm', { code: await code() })
    world.clock.advance('PT1M')
    const asked = world.browser()
    expect(await signOn(asked, login)).toMatchObject({ status: 200, body: { data: { secondFactor: true } } })
    expect((await asked.me()).status).toBe(401)
    expect(await asked.ask('POST', '/api/auth/sign-in/second-factor', { code: await code() })).toMatchObject({
      status: 200,
    })
    expect((await asked.ask('GET', '/api/core/me/sessions')).body.data).toContainEqual(
      expect.objectContaining({ isThis: true, through: 'Entrance', strong: true }),
    )
    await world.change(provider, { strong: true })
    const trusted = world.browser()
    expect((await signOn(trusted, login)).body.data).not.toHaveProperty('secondFactor')
    expect((await trusted.ask('GET', '/api/core/me/sessions')).body.data[0]).toMatchObject({ strong: true })
    await world.change(provider, { strong: false })
    await world.admin.ask('DELETE', `/api/core/users/${id}/second-factor`)
  })

  test('offers the buttons that are shown, and those of an address’s domain', async () => {
    const visitor = world.browser()
    const button = { id: provider, name: 'Entrance', workspace: 'Garonne' }
    expect((await visitor.ask('GET', '/api/auth/sign-on')).body.data).toEqual([button])
    await world.change(provider, { shown: false })
    expect((await visitor.ask('GET', '/api/auth/sign-on')).body.data).toEqual([])
    const find = async (email: string) => (await visitor.ask('POST', '/api/auth/sign-on/find', { email })).body.data
    expect(await find('nobody@Garonne.example')).toEqual([button])
    expect(await find('nobody@elsewhere.example')).toEqual([])
    await world.change(provider, { shown: true })
  })
})

describe('a domain', () => {
  const raw = (values: object, admin = world.admin) => admin.ask('POST', '/api/core/identity-providers', values)
  const check = (id: string, domain: string, admin = world.admin) =>
    admin.ask('POST', `/api/core/identity-providers/${id}/check-domain`, { domain })

  test('is spoken for once its company has proved in the DNS that it is its own', async () => {
    const domain = 'meuse.example'
    const made = (await raw({ ...settings(), name: 'Meuse', domains: [domain], enabled: true })).body.data
    idp.allow(made.redirect)
    const [proof] = made.proofs
    expect(proof).toMatchObject({
      domain,
      isProved: false,
      name: `_socle.${domain}`,
      value: expect.stringMatching(/^socle-domain=.{32}$/),
    })
    const { login } = somebody({ email: `lea@${domain}` })
    await invite(`lea@${domain}`)
    const found = async () =>
      (await world.browser().ask('POST', '/api/auth/sign-on/find', { email: `lea@${domain}` })).body.data
    expect(await found()).toEqual([])
    expect(await signOn(world.browser(), login, made.id)).toMatchObject({
      status: 403,
      body: { code: 'SIGN_ON_DOMAIN_UNPROVED', detail: expect.stringContaining(domain) },
    })
    const missing = { status: 422, body: { code: 'DOMAIN_NOT_PROVED', detail: expect.stringContaining(proof.value) } }
    expect(await check(made.id, domain)).toMatchObject(missing)
    world.texts.set(proof.name, ['v=spf1 -all', 'socle-domain=of-somebody-else-altogether-000'])
    expect(await check(made.id, domain)).toMatchObject(missing)
    world.texts.set(proof.name, ['v=spf1 -all', proof.value])
    expect(await check(made.id, domain)).toMatchObject({
      status: 200,
      body: { data: { provedDomains: [domain], proofs: [{ domain, isProved: true }] } },
    })
    expect(await found()).toEqual([expect.objectContaining({ id: made.id })])
    expect(await signOn(world.browser(), login, made.id)).toMatchObject({ status: 200 })
    const history = await world.admin.ask('GET', `/api/core/identity-providers/${made.id}/history`)
    expect(JSON.stringify(history.body.data[0])).toContain('provedDomains')
  })

  test('of another company is proved by its own text alone, and for the provider that has it', async () => {
    const other = await world.company('Moselle', 'mo@moselle.example')
    const domain = 'sarre.example'
    const [mine, theirs] = [
      (await raw({ ...settings(), domains: [domain] })).body.data,
      (await raw({ ...settings(), domains: [domain] }, other.admin)).body.data,
    ]
    expect(theirs.proofs[0].value).not.toBe(mine.proofs[0].value)
    world.texts.set(`_socle.${domain}`, [mine.proofs[0].value])
    expect(await check(theirs.id, domain, other.admin)).toMatchObject({ body: { code: 'DOMAIN_NOT_PROVED' } })
    expect((await check(mine.id, domain, other.admin)).status).toBe(404)
    expect(await check(mine.id, 'elsewhere.example')).toMatchObject({ body: { code: 'DOMAIN_INVALID' } })
    const nobody = await invited()
    expect((await check(mine.id, domain, nobody)).status).toBe(403)
    expect((await check(mine.id, domain)).status).toBe(200)
  })

  test('whose proof is gone for three days lets nobody new in, keeps who is in, and is open again once it is back', async () => {
    const domain = 'ardennes.example'
    const role = await world.role()
    const made = await world.provider({
      ...settings(),
      name: 'Ardennes',
      domains: [domain],
      enabled: true,
      admission: 'anyone',
      role,
    })
    idp.allow(made.redirect)
    const began = world.clock.now()
    const name = `_socle.${domain}`
    const texts = world.texts.get(name)!
    const workspace = (await world.app.identity.workspaces()).find(({ id }) => id === world.workspace)!
    const night = async () => {
      world.clock.advance('P1D')
      await world.app.identity.recheckDomains(workspace)
      return (await world.admin.ask('GET', '/api/core/identity-providers')).body.data.find(
        ({ id }: { id: string }) => id === made.id,
      ).proofs[0]
    }
    // The provider has a clock of its own, which no test moves.
    const today = async (login: string) => {
      const at = world.clock.now()
      world.clock.set(began.toISOString())
      const answer = await signOn(world.browser(), login, made.id)
      world.clock.set(at.toISOString())
      return answer
    }
    const come = async (email: string) => {
      const { login } = somebody({ email })
      return { answer: await today(login), login }
    }
    const first = await come(`first@${domain}`)
    expect(first.answer.status).toBe(200)
    expect(await night()).toMatchObject({ isProved: true, missed: null })
    // A name server that does not answer says nothing of the domain.
    world.texts.set(name, [])
    world.unreachable.add(name)
    expect(await night()).toMatchObject({ missed: null })
    world.unreachable.delete(name)
    expect(await night()).toMatchObject({ isProved: true, missed: { isSuspended: false } })
    // Twice on one day is once.
    await world.app.identity.recheckDomains(workspace)
    const { missed } = await night()
    expect(missed.isSuspended).toBe(false)
    expect((await come(`second@${domain}`)).answer.status).toBe(200)
    expect((await world.admin.ask('GET', '/api/core/shell')).body).not.toHaveProperty('lostDomains')
    expect(await night()).toMatchObject({ isProved: true, missed: { since: missed.since, isSuspended: true } })
    expect((await come(`third@${domain}`)).answer).toMatchObject({
      status: 403,
      body: { code: 'SIGN_ON_DOMAIN_LOST', detail: expect.stringContaining(domain) },
    })
    expect((await today(first.login)).status).toBe(200)
    await invite(`third@${domain}`)
    expect((await come(`third@${domain}`)).answer.status).toBe(200)
    expect((await world.admin.ask('GET', '/api/core/shell')).body.lostDomains).toEqual([domain])
    const { rows } = await sql<{ payload: unknown }>`
      select payload from core.event where name = 'core.identity-provider.domain-lost' and key = ${made.id}::uuid`.execute(
      world.owner,
    )
    expect(rows).toMatchObject([{ payload: { provider: made.id, domain, since: missed.since } }])
    world.texts.set(name, texts)
    expect(await night()).toMatchObject({ isProved: true, missed: null })
    expect((await come(`fourth@${domain}`)).answer.status).toBe(200)
    expect((await world.admin.ask('GET', '/api/core/shell')).body).not.toHaveProperty('lostDomains')
    world.clock.set(began.toISOString())
  })

  test('is left to the next night by a database that does not answer, and ends no process', async () => {
    const lines: string[] = []
    const log = pino({}, { write: (line) => lines.push(line) })
    const gone = {
      getExecutor(): never {
        throw new Error('the database is away')
      },
    } as never
    const [workspace] = await world.app.identity.workspaces()
    const options = { owner: gone, log, signOn: world.app.identity.signOn, asPerson: () => Promise.reject(new Error()) }
    await expect(recheckDomains(options, workspace!)).resolves.toBeUndefined()
    expect(lines.join('')).toContain('the next night tries again')
  })

  test('that was taken away is proved anew, and one not proved closes nobody’s password', async () => {
    const domain = 'vosges.example'
    const made = await world.provider({ ...settings(), domains: [domain, 'jura.example'], enabled: true })
    const patch = (values: object) => world.admin.ask('PATCH', `/api/core/identity-providers/${made.id}`, values)
    expect((await patch({ domains: ['jura.example'] })).body.data.provedDomains).toEqual(['jura.example'])
    const back = await patch({ domains: [domain, 'jura.example'], exclusive: true })
    expect(back.body.data.provedDomains).toEqual(['jura.example'])
    const colleague = { email: `vic@${domain}`, password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Vic', ...colleague })
    expect((await world.browser().signIn(colleague)).status).toBe(200)
    await world.proved(back.body.data)
    expect(await world.browser().signIn(colleague)).toMatchObject({ body: { code: 'SIGN_ON_NEEDED' } })
  })
})

/** Somebody who came in by the provider and manages nothing. */
async function invited(): Promise<Browser> {
  const { login, email } = somebody()
  await invite(email)
  const browser = world.browser()
  await signOn(browser, login)
  return browser
}

describe('an address', () => {
  const google = 'https://accounts.google.com'
  const claims = { email: 'lea@garonne.example', email_verified: true }
  const domains = ['garonne.example']

  test.each([
    ['of a Google account alone', google, claims, false],
    ['of Google for another company', google, { ...claims, hd: 'elsewhere.example' }, false],
    ['of Google for the company, unverified', google, { ...claims, hd: domains[0], email_verified: false }, false],
    ['of Google by a word of Microsoft', google, { email: claims.email, hd: domains[0], xms_edov: true }, false],
    ['of Google for the company', google, { ...claims, hd: 'Garonne.example' }, true],
    ['of Google itself', google, { email: 'Lea@Gmail.com', email_verified: true }, true],
    ['that looks like Google’s', google, { email: 'lea@gmail.com@garonne.example', email_verified: true }, false],
    ['of another provider', 'https://id.garonne.example', claims, true],
  ])('is believed when it was verified: %s', (_, issuer, said, wanted) => {
    expect(isVerifiedAddress(issuer, said, domains)).toBe(wanted)
  })
})

describe('showing that it is still them', () => {
  const keyAsked = (browser: Browser, role: string) =>
    browser.ask('POST', '/api/core/api-keys', { name: 'Theirs', role })
  /** Somebody who manages keys and comes in through the provider alone. */
  async function manager() {
    const { login, email } = somebody()
    const role = await world.role(world.admin, 'Administrator')
    const { id } = (await invite(email, { roles: [role] })).body.data
    const browser = world.browser()
    await signOn(browser, login)
    const start = () => browser.start(provider, { presence: true })
    const shown = async (asked: URL) => browser.finish(provider, (await atProvider(browser, asked, login)).search)
    return { id, login, browser, role, start, shown }
  }
  const needed = { status: 403, body: { code: 'CONFIRMATION_NEEDED' } }

  test('who comes in by a provider alone is asked by it anew, and has no password to say', async () => {
    const { browser, role, start, shown } = await manager()
    expect(await keyAsked(browser, role), 'the provider did not say when it asked').toMatchObject(needed)
    const asked = await start()
    expect(asked.searchParams.get('prompt')).toBe('login')
    expect(asked.searchParams.get('max_age')).toBe('0')
    expect(await shown(asked)).toMatchObject({ status: 200, body: { data: { present: true } } })
    expect((await browser.ask('GET', '/api/core/me/presence')).body.data).toEqual({
      until: expect.any(String),
      ways: { password: false, app: false, passkey: false, provider: { id: provider, name: 'Entrance' } },
    })
    expect((await keyAsked(browser, role)).status).toBe(201)
    expect((await browser.ask('GET', '/api/core/me/sessions')).body.data).toHaveLength(1)
    // The app they have no password to confirm.
    expect((await browser.ask('POST', '/api/core/me/second-factor', {})).status).toBe(201)
    world.clock.advance('PT20M')
    expect(await keyAsked(browser, role)).toMatchObject(needed)
    await world.rewind()
  })

  test('a provider that lets them pass unasked shows nothing, nor does one that asked somebody else', async () => {
    const { browser, role, start, shown } = await manager()
    const silent = await start()
    silent.searchParams.delete('prompt')
    silent.searchParams.delete('max_age')
    expect(await shown(silent)).toMatchObject({ status: 403, body: { code: 'PRESENCE_NOT_SHOWN' } })
    browser.forget(idp.issuer)
    expect(await present(browser, somebody().login)).toMatchObject({
      status: 403,
      body: { code: 'PRESENCE_OF_ANOTHER' },
    })
    expect(await keyAsked(browser, role)).toMatchObject(needed)
  })

  test('it is shown to the session that asked, through the provider that opened it, once', async () => {
    const mine = await manager()
    const asked = await mine.start()
    const back = await atProvider(mine.browser, asked, mine.login)
    const theirs = await manager()
    expect(await theirs.browser.finish(provider, back.search)).toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    expect(await mine.browser.finish(provider, back.search)).toMatchObject({ status: 200 })
    expect(await mine.browser.finish(provider, back.search)).toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    const own = await world.admin.ask('POST', '/api/auth/sign-on/start', { provider, presence: true })
    expect(own, 'who has a way of their own says their password').toMatchObject({ status: 404 })
    const nobody = await world.browser().ask('POST', '/api/auth/sign-on/start', { provider, presence: true })
    expect(nobody.status).toBe(401)
  })

  test('keys, providers, and ways into other accounts ask for it', async () => {
    const { id, browser, role } = await manager()
    const made = (await world.admin.ask('POST', '/api/core/api-keys', { name: 'There', role })).body.data
    for (const [method, path, body] of [
      ['POST', '/api/core/api-keys', { name: 'New', role }],
      ['POST', `/api/core/api-keys/${made.id}/rotate`, {}],
      ['POST', '/api/core/identity-providers', settings()],
      ['PATCH', `/api/core/identity-providers/${provider}`, { name: 'Mine' }],
      ['DELETE', `/api/core/identity-providers/${provider}`, undefined],
      ['POST', `/api/core/users/${id}/password-link`, undefined],
      ['DELETE', `/api/core/users/${id}/second-factor`, undefined],
    ] as const)
      expect(await browser.ask(method, path, body), `${method} ${path}`).toMatchObject(needed)
    // Refusing a key is no danger, and may be urgent.
    expect((await browser.ask('POST', `/api/core/api-keys/${made.id}/revoke`)).status).toBe(200)
  })
})

describe('as the only way in', () => {
  test('a provider closes the password to its people, and never to administrators', async () => {
    const { login, email } = somebody()
    const colleague = { email, password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Colleague', ...colleague })
    const before = world.browser()
    await before.signIn(colleague)
    await world.change(provider, { exclusive: true })
    expect(await before.me(), 'an open session too').toMatchObject({ status: 403, body: { code: 'SIGN_ON_NEEDED' } })
    expect(await world.browser().signIn(colleague)).toMatchObject({
      status: 403,
      body: { code: 'SIGN_ON_NEEDED', detail: expect.stringContaining('Entrance') },
    })
    const through = world.browser()
    await signOn(through, login)
    expect((await through.me()).status).toBe(200)
    expect(administrator.email).toContain('@garonne.example')
    expect(await world.browser().signIn(administrator)).toMatchObject({ status: 200 })
    await world.change(provider, { exclusive: false })
    expect((await world.browser().signIn(colleague)).status).toBe(200)
  })

  test('the provider through which alone administrators come in cannot be switched off or deleted', async () => {
    const { admin, workspace } = await world.company('Loire', 'lou@loire.example')
    const own = await world.provider({ ...settings(), name: 'Loire', domains: ['loire.example'], enabled: true }, admin)
    idp.allow(own.redirect)
    const lou = somebody({ email: 'lou@loire.example' })
    expect(await signOn(world.browser(), lou.login, own.id)).toMatchObject({ status: 200 })
    const forgotten = sql`update core.credential set password = null from core.member m
      where m.id = user_id and m.workspace = ${workspace}`
    await forgotten.execute(world.owner)
    // A secret is known to have changed by the instant.
    world.clock.advance('PT1S')
    for (const answer of [
      await world.change(own.id, { enabled: false }, admin),
      await world.change(own.id, { issuer: 'https://id.loire.example' }, admin),
      await world.change(own.id, { clientId: 'another' }, admin),
      await world.change(own.id, { clientSecret: 'another' }, admin),
      await world.change(own.id, { domains: ['seine.example'] }, admin),
      await admin.ask('DELETE', `/api/core/identity-providers/${own.id}`),
    ])
      expect(answer).toMatchObject({ status: 409, body: { code: 'ADMINISTRATOR_LOCKED_OUT' } })
    expect(await world.change(own.id, { shown: false }, admin)).toMatchObject({ status: 200 })
    const second = await world.provider(
      { ...settings(), name: 'Other', domains: ['loire.example'], enabled: true },
      admin,
    )
    idp.allow(second.redirect)
    await signOn(world.browser(), lou.login, second.id)
    expect(await world.change(own.id, { enabled: false }, admin), 'another way in').toMatchObject({ status: 200 })
  })
})

describe('what a provider gives', () => {
  test('a role or team it gives to newcomers is in use', async () => {
    const role = (await world.admin.ask('POST', '/api/core/roles', { name: 'Newcomer' })).body.data.id
    const joinTeam = (await world.admin.ask('POST', '/api/core/teams', { name: 'Arrivals' })).body.data.id
    const { id } = await world.provider({ ...settings(), name: 'Giver', role, joinTeam })
    expect(await world.admin.ask('DELETE', `/api/core/roles/${role}`)).toMatchObject({
      status: 409,
      body: { code: 'ROLE_IN_USE', detail: expect.stringContaining('1 identity provider') },
    })
    expect(await world.admin.ask('DELETE', `/api/core/teams/${joinTeam}`)).toMatchObject({
      status: 409,
      body: { code: 'TEAM_IN_USE', detail: expect.stringContaining('1 identity provider') },
    })
    await world.admin.ask('DELETE', `/api/core/identity-providers/${id}`)
    expect((await world.admin.ask('DELETE', `/api/core/roles/${role}`)).status).toBe(204)
    expect((await world.admin.ask('DELETE', `/api/core/teams/${joinTeam}`)).status).toBe(204)
  })
})

describe('who manages providers', () => {
  test('holds every right over roles: whoever vouches for people could be any of them', async () => {
    const grants = [{ resource: 'core.signon', action: 'manage', visibility: 'all' }]
    const role = (await world.admin.ask('POST', '/api/core/roles', { name: 'Doorman', grants })).body.data.id
    const person = { email: 'door@garonne.example', password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Doorman', roles: [role], ...person })
    const browser = world.browser()
    await browser.signIn(person)
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['POST', `/${provider}/test`],
      ['POST', '/read-metadata'],
    ] as const) {
      const answer = await browser.ask(
        method,
        `/api/core/identity-providers${path}`,
        method === 'GET' ? undefined : settings(),
      )
      expect(answer, path).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    }
  })

  test('is told what a provider lacks before it is switched on, and what is no address', async () => {
    const wrong = async (values: object) =>
      (await world.admin.ask('POST', '/api/core/identity-providers', { ...settings(), ...values })).body
    expect(await wrong({ domains: [], enabled: true })).toMatchObject({ code: 'PROVIDER_INCOMPLETE' })
    expect(await wrong({ clientId: null, enabled: true })).toMatchObject({ code: 'PROVIDER_INCOMPLETE' })
    expect(await wrong({ admission: 'anyone', enabled: true })).toMatchObject({ code: 'PROVIDER_INCOMPLETE' })
    expect(await wrong({ domains: ['no domain'] })).toMatchObject({ code: 'DOMAIN_INVALID' })
    expect(await wrong({ issuer: 'javascript:alert(1)' })).toMatchObject({ code: 'OUTGOING_URL_INVALID' })
    expect(await wrong({ certificates: ['nothing'] })).toMatchObject({ code: 'CERTIFICATE_INVALID' })
  })
})

describe('an attacker', () => {
  async function ready() {
    const { login, email } = somebody()
    await invite(email)
    const browser = world.browser()
    const back = await atProvider(browser, await browser.start(provider), login)
    return { browser, login, back }
  }
  const refused = { status: 401, body: { code: 'SIGN_ON_GONE' } }

  test('without the state, or with one of another sign-in, is not heard', async () => {
    const { browser, back } = await ready()
    const without = new URLSearchParams(back.search)
    without.delete('state')
    expect(await browser.finish(provider, `?${without}`)).toMatchObject(refused)
    const other = await ready()
    without.set('state', other.back.searchParams.get('state')!)
    expect(await browser.finish(provider, `?${without}`)).toMatchObject(refused)
    expect((await browser.me()).status).toBe(401)
  })

  test('who brings an answer into another browser signs nobody in there', async () => {
    const { browser, back } = await ready()
    const victim = world.browser()
    expect(await victim.finish(provider, back.search), 'no cookie').toMatchObject(refused)
    await victim.start(provider)
    expect(await victim.finish(provider, back.search), 'a cookie of their own').toMatchObject(refused)
    expect(await browser.finish(provider, back.search), 'nothing was used up').toMatchObject({ status: 200 })
  })

  test('who brings one answer twice is heard once', async () => {
    const { browser, login, back } = await ready()
    const cookie = browser.cookie('__Secure-socle.sign_on')!
    expect(await browser.finish(provider, back.search)).toMatchObject({ status: 200 })
    browser.set('__Secure-socle.sign_on', cookie)
    expect(await browser.finish(provider, back.search)).toMatchObject(refused)
    // The code again, with a state that is waiting.
    const next = await atProvider(browser, await browser.start(provider), login)
    next.searchParams.set('code', back.searchParams.get('code')!)
    expect(await browser.finish(provider, next.search)).toMatchObject({
      status: 401,
      body: { code: 'SIGN_ON_REFUSED' },
    })
  })

  test('posts nothing into a sign-in that waits for no post', async () => {
    const { browser, back } = await ready()
    const state = back.searchParams.get('state')!
    const answer = await browser.go(new URL(`/api/auth/sign-on/${provider}/saml`, base), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ RelayState: state, SAMLResponse: 'AAAA' }).toString(),
    })
    expect(answer.headers.get('location')).toBe(`${base}/sign-on/unknown?state=`)
    const { rows } = await sql`select 1 from core.verification where value like '%AAAA%'`.execute(world.owner)
    expect(rows).toEqual([])
    expect(await browser.finish(provider, back.search)).toMatchObject({ status: 200 })
  })

  test('who takes longer than ten minutes begins again', async () => {
    const { browser, back } = await ready()
    world.clock.advance('PT11M')
    expect(await browser.finish(provider, back.search)).toMatchObject(refused)
  })

  test('who says no at the provider is told so', async () => {
    const browser = world.browser()
    const asked = await browser.start(provider)
    const query = new URLSearchParams({
      error: 'access_denied',
      state: asked.searchParams.get('state')!,
      iss: idp.issuer,
    })
    expect(await browser.finish(provider, `?${query}`)).toMatchObject({
      status: 401,
      body: { code: 'SIGN_ON_DECLINED', detail: expect.stringContaining('access_denied') },
    })
  })

  test('cannot plant a session beforehand: every sign-in makes a new one and ends the old', async () => {
    const { browser, back } = await ready()
    const planted = 'planted.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    browser.set('__Secure-socle.session_token', planted)
    await browser.finish(provider, back.search)
    const first = browser.cookie('__Secure-socle.session_token')
    expect(first).not.toBe(planted)
    const thief = world.browser()
    await thief.ask('GET', '/api/auth/sign-on')
    thief.set('__Secure-socle.session_token', first!)
    expect((await thief.me()).status).toBe(200)
    await browser.signIn(administrator)
    expect((await thief.me()).status).toBe(401)
  })

  test('makes nobody who is signed in somebody else unasked', async () => {
    await world.rewind()
    const { browser, back } = await ready()
    await browser.signIn(administrator)
    const { body } = await browser.finish(provider, back.search)
    expect(body.data).toEqual({ confirm: expect.objectContaining({ joins: true, signedInAs: administrator.email }) })
    expect((await browser.me()).body.user.email).toBe(administrator.email)
    await browser.ask('POST', '/api/auth/sign-out')
    const { token } = body.data.confirm
    expect(await browser.ask('POST', '/api/auth/sign-on/confirm', { token })).toMatchObject(refused)
  })

  test('finds nobody let in by a provider that was switched off or changed while it answered', async () => {
    await world.rewind()
    for (const values of [{ enabled: false }, { domains: ['garonne.example', 'loire.example'] }]) {
      const { browser, back } = await ready()
      await browser.signIn(administrator)
      const { body } = await browser.finish(provider, back.search)
      await world.change(provider, values)
      const confirmed = await browser.ask('POST', '/api/auth/sign-on/confirm', { token: body.data.confirm.token })
      expect(confirmed.body.code).toMatch(/^SIGN_ON_(?:UNKNOWN|GONE)$/)
      expect((await browser.me()).body.user.email).toBe(administrator.email)
      await world.change(provider, { enabled: true, domains: ['garonne.example'] })
    }
  })

  test('loses what a provider opened when a domain of it is taken away, and not when one is added', async () => {
    await world.rewind()
    const { browser, back } = await ready()
    await browser.finish(provider, back.search)
    await world.change(provider, { domains: ['garonne.example', 'loire.example'] })
    expect((await browser.me()).status).toBe(200)
    await world.change(provider, { domains: ['garonne.example'] })
    expect((await browser.me()).status).toBe(401)
  })

  test('keeps no session that a provider opened after it was switched off', async () => {
    await world.rewind()
    const { browser, back } = await ready()
    await browser.finish(provider, back.search)
    const { rows } = await sql<{ held: object }>`select to_jsonb(s) as held from core.session s
      where provider = ${provider} order by created_at desc limit 1`.execute(world.owner)
    await world.change(provider, { enabled: false })
    await sql`insert into core.session select (jsonb_populate_record(null::core.session, ${JSON.stringify(rows[0]!.held)}::jsonb)).*`.execute(
      world.owner,
    )
    expect((await browser.me()).status).toBe(401)
    await world.change(provider, { enabled: true })
  })

  test('finds no redirect to elsewhere', async () => {
    for (const returnTo of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/.//evil.example',
      '/\t/evil.example',
      'javascript:alert(1)',
      'evil',
    ]) {
      const answer = await world.browser().ask('POST', '/api/auth/sign-on/start', { provider, returnTo })
      expect(answer, returnTo).toMatchObject({ status: 422, body: { code: 'RETURN_REFUSED' } })
    }
  })

  test('of another site begins and ends nobody’s sign-in', async () => {
    const { browser, back } = await ready()
    const from = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    for (const [path, body] of [
      ['start', { provider }],
      ['finish', { provider, query: back.search }],
    ] as const)
      expect(await browser.ask('POST', `/api/auth/sign-on/${path}`, body, from), path).toMatchObject({ status: 403 })
  })

  test('asks so many questions from one place and no more', async () => {
    const find = () => world.browser().ask('POST', '/api/auth/sign-on/find', { email: 'a@b.example' })
    const answers = await Promise.all(Array.from({ length: 320 }, find))
    const late = answers.filter(({ status }) => status === 429)
    expect(late.length).toBeGreaterThan(0)
    expect(late[0]).toMatchObject({ body: { code: 'QUESTIONS_DELAYED' } })
    world.clock.advance('PT10M')
    expect((await find()).status).toBe(200)
  })
})

describe('a provider that lies', () => {
  let liar: Awaited<ReturnType<typeof startLyingProvider>>
  let lying: string
  beforeAll(async () => {
    liar = await startLyingProvider('socle')
    await world.rewind()
    lying = (await world.provider({ ...settings(), name: 'Liar', issuer: liar.issuer, enabled: true })).id
  })
  afterAll(() => liar.close())

  const person = { sub: 'liar-1', email: 'believed@garonne.example', email_verified: true }

  async function told(lie: Lie, who: object = person) {
    const browser = world.browser()
    const asked = await browser.start(lying)
    liar.prepare(asked, { ...who }, lie)
    const query = new URLSearchParams({ code: 'code', state: asked.searchParams.get('state')! })
    const answer = await browser.finish(lying, `?${query}`)
    return { answer, browser }
  }

  test('is believed when it tells the truth', async () => {
    await invite(person.email)
    expect((await told({})).answer).toMatchObject({ status: 200 })
  })

  test('is not believed with a missing or another nonce, audience, issuer, time or signature', async () => {
    const lies: Record<string, Lie> = {
      'no nonce': { claims: { nonce: undefined } },
      'another nonce': { claims: { nonce: 'another' } },
      'another audience': { claims: { aud: 'another' } },
      'many audiences, for another party': { claims: { aud: ['socle', 'another'], azp: 'another' } },
      'another issuer': { claims: { iss: idp.issuer } },
      'too old': { claims: { exp: Math.floor(Date.now() / 1_000) - 3_600 } },
      'no end': { claims: { exp: undefined } },
      'no subject': { claims: { sub: undefined } },
      'another key': { signedBy: 'another key' },
      'no signature': { signedBy: 'nobody' },
    }
    expect((await told({})).answer, 'the truth').toMatchObject({ status: 200 })
    for (const [name, lie] of Object.entries(lies)) {
      const { answer, browser } = await told(lie)
      expect(answer, name).toMatchObject({ status: 401, body: { code: 'SIGN_ON_REFUSED' } })
      expect((await browser.me()).status, name).toBe(401)
    }
  })

  test('is judged by the platform’s clock', async () => {
    world.clock.advance('PT1H')
    // What it says of itself is asked anew when its record changes.
    await world.change(lying, { shown: false })
    const { answer } = await told({})
    expect(answer).toMatchObject({ body: { code: 'SIGN_ON_REFUSED', detail: expect.stringContaining('too old') } })
    await world.rewind()
    await world.change(lying, { shown: true })
  })

  test('leads nobody into a private network, and is followed nowhere', async () => {
    const check = async () => (await world.admin.ask('POST', `/api/core/identity-providers/${lying}/test`)).body.data
    liar.prepare(new URL(liar.issuer), {}, { redirect: 'http://169.254.169.254/latest/meta-data' })
    expect(await check()).toMatchObject({ ok: false, checks: [{ id: 'discovery', ok: false }] })
    liar.prepare(new URL(liar.issuer), {})
  })

  test('opens its own company and no other, and changes nothing there of how its victim signs in', async () => {
    // Lou works for Loire, where the liar is; and for Garonne.
    const { admin } = await world.company('Seine', 'sam@seine.example')
    const own = await world.provider(
      { ...settings(), name: 'Seine', issuer: liar.issuer, domains: ['garonne.example'], enabled: true, strong: true },
      admin,
    )
    const victim = { email: 'victim@garonne.example', password: 'three plain words' }
    await world.admin.ask('POST', '/api/core/users', { name: 'Victim', ...victim })
    lying = own.id
    const who = { sub: 'victim', email: victim.email, email_verified: true }
    expect((await told({}, who)).answer, 'no member').toMatchObject({ body: { code: 'SIGN_ON_NOT_INVITED' } })
    await world.change(own.id, { admission: 'anyone', role: await world.role(admin) }, admin)
    expect((await told({}, who)).answer, 'by its word alone').toMatchObject({ body: { code: 'SIGN_ON_CONFIRM_FIRST' } })
    await admin.ask('POST', '/api/core/users/invite', { email: victim.email })
    expect((await told({}, who)).answer, 'invited by it').toMatchObject({ body: { code: 'SIGN_ON_CONFIRM_FIRST' } })
    // The person shows in the same browser that it is them.
    const browser = world.browser()
    await browser.signIn(victim)
    const asked = await browser.start(own.id)
    liar.prepare(asked, who)
    const state = asked.searchParams.get('state')!
    const before = browser.cookie('__Secure-socle.session_token')
    const { body } = await browser.finish(own.id, `?${new URLSearchParams({ code: 'c', state })}`)
    const { token, ...question } = body.data.confirm
    expect(question, 'being signed in is no consent').toEqual({
      provider: 'Seine',
      workspace: 'Seine',
      email: victim.email,
      joins: true,
    })
    expect(browser.cookie('__Secure-socle.session_token')).toBe(before)
    expect((await browser.me()).body.workspaces).toHaveLength(1)
    const another = world.browser()
    await another.start(own.id)
    const confirm = (from: Browser) => from.ask('POST', '/api/auth/sign-on/confirm', { token })
    expect(await confirm(another), 'in another browser').toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    expect(await confirm(browser)).toMatchObject({ status: 200, body: { data: { returnTo: '/' } } })
    expect(await confirm(browser), 'a second time').toMatchObject({ body: { code: 'SIGN_ON_GONE' } })
    // From now on the liar may be them, in its own company.
    const thief = (await told({}, who)).browser
    const shell = await thief.me()
    expect(shell.body.workspaces).toEqual([expect.objectContaining({ name: 'Seine' })])
    expect(await thief.ask('GET', '/api/core/shell', undefined, { 'x-workspace': world.workspace })).toMatchObject({
      status: 403,
      body: { code: 'WORKSPACE_NOT_YOURS' },
    })
    expect(await thief.ask('POST', '/api/core/me/workspace', { workspace: world.workspace })).toMatchObject({
      status: 403,
    })
    for (const [method, path, body] of [
      ['POST', '/api/core/me/second-factor', {}],
      ['POST', '/api/core/me/passkeys/options', {}],
      ['POST', '/api/core/me/password', { currentPassword: victim.password, newPassword: 'of the thief’s choice' }],
      ['DELETE', '/api/core/me/sessions', undefined],
    ] as const)
      expect(await thief.ask(method, path, body), path).toMatchObject({ status: 403, body: { code: 'SIGN_ON_BOUND' } })
    expect(
      (await thief.ask('GET', '/api/core/me/sessions')).body.data.every(
        (it: { through: string }) => it.through === 'Seine',
      ),
    ).toBe(true)
    expect((await world.browser().signIn(victim)).status).toBe(200)
  })
})

describe('the log', () => {
  test('was written, and holds no secret, code or token of all that was tried', async () => {
    const dead = { ...settings(), name: 'Dead', issuer: 'http://127.0.0.1:1', enabled: true }
    const { id } = await world.provider(dead)
    const answer = await world.browser().ask('POST', '/api/auth/sign-on/start', { provider: id })
    expect(answer).toMatchObject({ status: 502, body: { code: 'SIGN_ON_UNREACHED' } })
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1')
    const log = world.lines.join('\n')
    expect(log).toContain('a request failed')
    expect(log).not.toContain(idp.client.secret)
    expect(log).not.toMatch(/id_token|eyJ|code=/)
  })
})
