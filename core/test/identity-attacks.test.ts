import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { discreet } from '../src/log.ts'
import { TestClock } from '../src/testing/index.ts'
import { makeTestDatabase, type TestDatabase } from '../src/testing/test-database.ts'
import { codeOf, cookieOf, patience } from './identity-world.ts'
import { SoftAuthenticator } from './soft-authenticator.ts'

/**
 * What somebody may try at the door, on a whole platform that logs all it has to say. Everything that must never stand in
 * a log is gathered on the way, and looked for at the end.
 */
const base = 'https://crm.example.com'
const now = '2026-03-02T09:00:00Z'
const secret = 'the secret of an installation, 32 or more'
const admin = { email: 'claire.admin@example.com', name: 'Claire Admin', password: 'Beside the quiet harbour' }

let held: TestDatabase
let app: App
let clock: TestClock
const lines: string[] = []
const mustNotStand = new Map<string, string>([
  ['the administrator’s password', admin.password],
  ['an e-mail address', admin.email],
  ['the installation’s secret', secret],
])

beforeAll(async () => {
  held = await makeTestDatabase()
  clock = new TestClock(now)
  app = await createApp({
    database: held.database,
    plugins: [],
    clock,
    log: pino({ level: 'trace', ...discreet }, { write: (line) => void lines.push(line) }),
    identity: { baseUrl: base, secret },
    ...(held.url === undefined ? {} : { databaseUrl: held.url }),
  })
  await app.start()
  await app.identity.ensureFirstAdmin({ ...admin, workspace: { name: 'Garonne' } })
}, patience)
afterAll(async () => {
  await app.stop()
  await held.drop()
})

/** Says that a value is secret, and answers it. */
function hidden(what: string, value: string): string {
  mustNotStand.set(`${what} (${mustNotStand.size})`, value)
  return value
}

interface Ask {
  readonly body?: unknown
  readonly cookie?: string
  readonly headers?: Record<string, string>
  readonly address?: string
}

async function ask(method: string, path: string, { body, cookie, headers = {}, address = '192.0.2.1' }: Ask = {}) {
  const response = await app.fetch(
    new Request(base + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(cookie === undefined ? {} : { cookie }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    { incoming: { socket: { remoteAddress: address } } },
  )
  const text = await response.text()
  const parsed = text.startsWith('{') || text.startsWith('[') || text === 'null' ? JSON.parse(text) : text
  return { status: response.status, body: parsed, headers: response.headers, response }
}

function kept(response: Response): string {
  const cookie = cookieOf(response)
  for (const part of cookie.split('; ')) {
    const value = part.slice(part.indexOf('=') + 1)
    if (value !== '') hidden('a cookie', value)
    const token = decodeURIComponent(value).split('.')[0]!
    if (token !== '') hidden('a session’s token', token)
  }
  return cookie
}

async function signIn({ email, password }: { email: string; password: string }, more: Ask = {}) {
  const answer = await ask('POST', '/api/auth/sign-in/email', { body: { email, password }, ...more })
  return { ...answer, cookie: kept(answer.response) }
}

let administrator = ''
async function asAdmin(): Promise<string> {
  if (administrator !== '') return administrator
  administrator = (await signIn(admin)).cookie
  // They sit before it however far the clock goes.
  await sql`
    update core.session set present_at = '2100-01-01' where user_id = (select id from core."user" where email = ${admin.email})`.execute(
    held.database.owner,
  )
  return administrator
}

async function person() {
  const email = hidden('an e-mail address', `${crypto.randomUUID()}@example.com`)
  const password = hidden('a password', `three plain words ${crypto.randomUUID().slice(0, 8)}`)
  const body = { name: 'Person', email, password }
  const made = await ask('POST', '/api/core/users', { body, cookie: await asAdmin() })
  expect(made.status).toBe(201)
  return { id: made.body.data.id as string, email, password }
}

/** Sets an authenticator app up, and moves on to the next half minute. */
async function withApp(someone: { email: string; password: string }) {
  const { cookie } = await signIn(someone)
  const begun = await ask('POST', '/api/core/me/second-factor', { body: {}, cookie })
  const appSecret = hidden('the secret of an app', begun.body.data.secret)
  const first = hidden('a code', await codeOf(appSecret, clock))
  const done = await ask('POST', '/api/core/me/second-factor/confirm', { body: { code: first }, cookie })
  for (const code of done.body.data.recoveryCodes) hidden('a recovery code', code)
  clock.advance('PT60S')
  return { cookie, appSecret, recoveryCodes: done.body.data.recoveryCodes as string[] }
}

async function link(path: string, body: unknown = {}): Promise<string> {
  const made = await ask('POST', path, { body, cookie: await asAdmin() })
  expect(made.status).toBeLessThan(300)
  return hidden('the secret of a link', (made.body.link ?? made.body.data.link).split('#')[1])
}

const me = (cookie: string, headers: Record<string, string> = {}) => ask('GET', '/api/core/me', { cookie, headers })

describe('brute force', () => {
  test('slows down one who guesses, locks for a quarter of an hour, and says until when', async () => {
    const someone = await person()
    const guess = () => signIn({ ...someone, password: hidden('a guess', `guess ${crypto.randomUUID()}`) })
    const waits: number[] = []
    for (let attempt = 0; attempt < 14; attempt += 1) {
      const wrong = await guess()
      expect(wrong.body).toMatchObject({ code: 'CREDENTIALS_WRONG', status: 401 })
      const delayed = await signIn(someone)
      if (delayed.status === 200) {
        expect(waits).toEqual([])
        continue
      }
      expect(delayed.body).toMatchObject({ code: 'SIGN_IN_DELAYED', status: 429 })
      const seconds = Number(delayed.headers.get('retry-after'))
      expect(delayed.body.detail).toContain(`${seconds} second`)
      waits.push(seconds)
      clock.advance(`PT${seconds}S`)
    }
    // Success in between forgives; from then on only failures count.
    expect(waits.every((wait, nth) => nth === 0 || wait >= waits[nth - 1]!)).toBe(true)
  })

  test('from many machines waits for the account, and over many accounts for the machine, in every process', async () => {
    const someone = await person()
    const wrong = { ...someone, password: hidden('a guess', 'never this one, no') }
    const from = (nth: number) => `198.51.100.${nth}`
    let locked = 0
    for (let nth = 1; nth <= 30; nth += 1) {
      const { status } = await signIn(wrong, { address: from(nth) })
      if (status === 429) locked += 1
    }
    expect(locked).toBeGreaterThan(0)
    // The right password from yet another machine has to wait too: the table knows, not the process.
    const other = await createApp({
      database: held.database,
      plugins: [],
      clock,
      log: pino({ level: 'silent' }),
      identity: { baseUrl: base, secret },
      migrate: false,
      ...(held.url === undefined ? {} : { databaseUrl: held.url }),
    })
    const there = await other.fetch(
      new Request(`${base}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: someone.email, password: someone.password }),
      }),
      { incoming: { socket: { remoteAddress: '203.0.113.200' } } },
    )
    expect(there.status).toBe(429)
    expect(Number(there.headers.get('retry-after'))).toBeGreaterThan(0)
    await other.stop()
    const place = '203.0.113.9'
    let refused = 0
    for (let nth = 0; nth < 60; nth += 1) {
      const email = hidden('an e-mail address', `nobody.${nth}.${crypto.randomUUID().slice(0, 8)}@example.com`)
      const { status } = await signIn({ email, password: 'three plain words' }, { address: place })
      if (status === 429) refused += 1
    }
    expect(refused).toBeGreaterThan(0)
    clock.advance('PT1H')
  })

  test('an address written by the visitor into X-Forwarded-For is not believed', async () => {
    const someone = await person()
    const wrong = { ...someone, password: hidden('a guess', 'never this one, either') }
    const statuses: number[] = []
    for (let nth = 0; nth < 6; nth += 1) {
      const headers = { 'x-forwarded-for': `203.0.113.${nth}` }
      statuses.push((await signIn(wrong, { headers, address: '192.0.2.77' })).status)
    }
    expect(statuses.at(-1)).toBe(429)
    clock.advance('PT1H')
  })
})

describe('what was used or stolen', () => {
  test('a code of an app, and a recovery code, open the door once', async () => {
    const someone = await person()
    const { appSecret, recoveryCodes } = await withApp(someone)
    const [step, other] = [(await signIn(someone)).cookie, (await signIn(someone)).cookie]
    const code = hidden('a code', await codeOf(appSecret, clock))
    const second = (cookie: string, given: string) =>
      ask('POST', '/api/auth/sign-in/second-factor', { body: { code: given }, cookie })
    const opened = await second(step, code)
    expect(opened.status).toBe(200)
    kept(opened.response)
    expect((await second(other, code)).body).toMatchObject({ code: 'SECOND_FACTOR_WRONG' })
    // The step is used up with it: the same cookie and a fresh code open nothing.
    clock.advance('PT60S')
    const fresh = hidden('a code', await codeOf(appSecret, clock))
    expect((await second(step, fresh)).body).toMatchObject({ code: 'SIGN_IN_STEP_GONE' })
    const recovered = await second(other, recoveryCodes[0]!)
    expect(recovered.status).toBe(200)
    kept(recovered.response)
    const third = (await signIn(someone)).cookie
    expect((await second(third, recoveryCodes[0]!)).status).toBe(401)
  })

  test('the cookie between password and code opens nothing by itself', async () => {
    const someone = await person()
    await withApp(someone)
    const { cookie } = await signIn(someone)
    expect((await me(cookie)).body).toMatchObject({ code: 'NOT_SIGNED_IN' })
    const forged = `__Secure-socle.session_token=${cookie.split('=')[1]}`
    expect((await me(forged)).body).toMatchObject({ code: 'NOT_SIGNED_IN' })
  })

  test('an invitation and a link to a new password open the door once', async () => {
    const email = hidden('an e-mail address', `${crypto.randomUUID()}@example.com`)
    const invitation = await link('/api/core/users/invite', { email })
    const chosen = hidden('a password', 'four rather plain words')
    const accept = (token: string, password: string) =>
      ask('POST', '/api/auth/link/accept', { body: { token, name: 'Guest', password } })
    const first = await accept(invitation, chosen)
    expect(first.status).toBe(200)
    kept(first.response)
    expect((await accept(invitation, hidden('a password', 'five rather plain words'))).body).toMatchObject({
      code: 'LINK_GONE',
    })
    const someone = await person()
    await signIn(someone)
    const reset = await link(`/api/core/users/${someone.id}/password-link`)
    const answers = await Promise.all(
      ['six rather plain words', 'seven rather plain words'].map((it) => accept(reset, hidden('a password', it))),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    for (const { response } of answers) kept(response)
  })

  test('a session that was signed out, by whomever, is over with its cookie', async () => {
    const someone = await person()
    const [one, two] = [(await signIn(someone)).cookie, (await signIn(someone)).cookie]
    await ask('POST', '/api/auth/sign-out', { body: {}, cookie: one })
    expect((await me(one)).body).toMatchObject({ code: 'SESSION_EXPIRED', status: 401 })
    await ask('DELETE', `/api/core/users/${someone.id}/sessions`, { cookie: await asAdmin() })
    expect((await me(two)).body).toMatchObject({ code: 'SESSION_EXPIRED', status: 401 })
  })

  test('a cookie whose token or signature was altered, or that another secret signed, opens nothing', async () => {
    const { cookie } = await signIn(await person())
    const [name = '', value = ''] = cookie.split('=')
    const plain = decodeURIComponent(value)
    const other = plain.startsWith('A') ? 'B' : 'A'
    for (const forged of [other + plain.slice(1), `${plain.slice(0, -3)}AA=`, plain.split('.')[0]!, `${plain}.x`]) {
      expect((await me(`${name}=${encodeURIComponent(forged)}`)).status, forged).toBe(401)
    }
  })

  test('an answer of a passkey opens the door once, and on its own site', async () => {
    const someone = await person()
    const { cookie } = await signIn(someone)
    const device = new SoftAuthenticator(base)
    const asked = await ask('POST', '/api/core/me/passkeys/options', { body: {}, cookie })
    const response = device.make(asked.body.data)
    await ask('POST', '/api/core/me/passkeys', { body: { name: 'Laptop', response }, cookie })
    const question = async () => (await ask('POST', '/api/auth/passkey/options', { body: {} })).body.data
    const enter = (answer: unknown) => ask('POST', '/api/auth/sign-in/passkey', { body: { response: answer } })
    const right = device.answer(await question())
    const opened = await enter(right)
    expect(opened.status).toBe(200)
    kept(opened.response)
    expect((await enter(right)).body).toMatchObject({ code: 'PASSKEY_REFUSED' })
    const phished = device.answer(await question(), { origin: 'https://crm.example.com.evil.example' })
    expect((await enter(phished)).body).toMatchObject({ code: 'PASSKEY_REFUSED' })
  })
})

describe('pages of others', () => {
  const evil = 'https://evil.example'

  test.each([
    ['POST', '/api/auth/sign-in/email'],
    ['POST', '/api/auth/sign-in/second-factor'],
    ['POST', '/api/auth/sign-in/passkey'],
    ['POST', '/api/auth/passkey/options'],
    ['POST', '/api/auth/link'],
    ['POST', '/api/auth/link/accept'],
    ['POST', '/api/auth/link/passkey'],
    ['POST', '/api/auth/sign-out'],
    ['POST', '/api/core/me/password'],
    ['POST', '/api/core/me/second-factor'],
    ['POST', '/api/core/me/second-factor/confirm'],
    ['DELETE', '/api/core/me/second-factor'],
    ['POST', '/api/core/me/passkeys/options'],
    ['POST', '/api/core/me/passkeys'],
    ['DELETE', '/api/core/me/sessions'],
    ['POST', '/api/core/me/workspace'],
    ['POST', '/api/core/workspaces'],
    ['PATCH', '/api/core/workspace'],
    ['POST', '/api/core/users/invite'],
    ['POST', '/api/core/api-keys'],
  ])('cannot %s %s in the visitor’s session', async (method, path) => {
    const cookie = await asAdmin()
    for (const headers of [{ origin: evil }, { origin: base, 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
      const { status, body } = await ask(method, path, { body: {}, cookie, headers })
      expect([status, body.code], JSON.stringify(headers)).toEqual([403, 'ORIGIN_REFUSED'])
    }
    expect((await me(cookie)).status).toBe(200)
  })

  test('find no redirect: whatever an address asks for, nobody is sent elsewhere', async () => {
    const targets = [evil, '//evil.example', '/\\evil.example', 'https:evil.example', `${base}@evil.example`]
    for (const target of targets) {
      for (const parameter of ['return', 'callbackURL', 'redirect', 'next', 'continue']) {
        const query = `?${parameter}=${encodeURIComponent(target)}`
        for (const path of ['/', '/welcome', '/api/auth/get-session']) {
          const { status, headers } = await ask('GET', path + query)
          expect(headers.get('location'), `${path}${query}`).toBeNull()
          expect(status).not.toBe(302)
        }
        const body = { email: admin.email, password: 'not the password', [parameter]: target }
        const signedIn = await ask('POST', `/api/auth/sign-in/email${query}`, { body, address: '192.0.2.200' })
        expect(signedIn.headers.get('location')).toBeNull()
        expect(JSON.stringify(signedIn.body)).not.toContain('evil.example')
      }
    }
    clock.advance('PT1H')
  })
})

describe('fixation', () => {
  test('a token planted before signing in opens nothing, and every sign-in makes a new one', async () => {
    const attacker = await person()
    const victim = await person()
    const planted = (await signIn(attacker)).cookie
    const opened = await signIn(victim, { cookie: planted })
    expect(opened.cookie).not.toBe(planted)
    // Neither as the victim, nor as the attacker: the session the browser had is over.
    expect((await me(planted)).body).toMatchObject({ code: 'SESSION_EXPIRED' })
    const unknown = '__Secure-socle.session_token=planted.AAAA'
    const again = await signIn(victim, { cookie: unknown })
    expect(again.cookie).not.toContain('planted')
    expect((await me(unknown)).status).toBe(401)
    expect((await me(again.cookie)).body.data.id).toBe(victim.id)
  })

  test('cookies are closed to scripts and to other sites', async () => {
    const someone = await person()
    const { response } = await signIn(someone)
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Secure-socle\.session_token=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      expect.stringMatching(/^__Secure-socle\.devices=.*; Path=\/api\/auth; HttpOnly; SameSite=Strict; Secure$/),
    ])
    await withApp(someone)
    const step = await signIn(someone)
    expect(step.response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Secure-socle\.second_step=.*; HttpOnly; SameSite=Strict; Secure$/),
    ])
  })
})

describe('requests the server makes', () => {
  test('signing in fetches nothing from an address somebody gives', async () => {
    const fetched: string[] = []
    const real = globalThis.fetch
    globalThis.fetch = (input, init) => {
      fetched.push(String(input instanceof Request ? input.url : input))
      return real(input, init)
    }
    try {
      const cookie = await asAdmin()
      const inside = 'http://169.254.169.254/latest/meta-data'
      const headers = { 'x-forwarded-host': '169.254.169.254', 'x-forwarded-proto': 'http', host: '169.254.169.254' }
      await ask('POST', '/api/auth/sign-in/email', {
        body: { email: admin.email, password: 'x', callbackURL: inside },
        headers,
      })
      await ask('POST', '/api/auth/sign-in/social', { body: { provider: inside, callbackURL: inside } })
      await ask('PATCH', '/api/core/me', { body: { image: inside }, cookie })
      await ask('GET', `/api/auth/callback/oidc?code=1&iss=${encodeURIComponent(inside)}`)
      expect(fetched).toEqual([])
    } finally {
      globalThis.fetch = real
    }
    clock.advance('PT1H')
  })
})

describe('the log', () => {
  test('was written, and holds no password, code, token, cookie, link, key or address of all that was tried', async () => {
    // A failure inside the server is what logs most: with the request's whole context at hand.
    const cookie = await asAdmin()
    const role = (await ask('GET', '/api/core/roles', { cookie })).body.data[0].id
    const key = await ask('POST', '/api/core/api-keys', { body: { name: 'Logged', role }, cookie })
    const bearer = hidden('an API key', key.body.data.key)
    await ask('GET', '/api/core/me', { headers: { authorization: `Bearer ${bearer}` } })
    await ask('GET', '/api/core/me', { headers: { authorization: `Bearer ${bearer.slice(0, -1)}?` } })
    const someone = await person()
    await sql`alter table core.second_factor rename to second_factor_gone`.execute(held.database.owner)
    expect((await signIn(someone)).status).toBe(500)
    const email = hidden('an e-mail address', `${crypto.randomUUID()}@example.com`)
    const password = hidden('a password', 'nine rather plain words')
    expect((await ask('POST', '/api/core/users', { body: { name: 'X', email, password }, cookie })).status).toBe(500)
    expect(
      (await ask('POST', '/api/core/me/second-factor', { body: { password: admin.password }, cookie })).status,
    ).toBe(500)
    await sql`alter table core.second_factor_gone rename to second_factor`.execute(held.database.owner)
    // A database that refuses a row quotes it.
    await sql`
      create function public.quoting() returns trigger language plpgsql as $$
      begin raise exception 'refused' using detail = 'Key (email)=(' || new.email || ') is odd.'; end $$`.execute(
      held.database.owner,
    )
    await sql`create trigger quoting before insert on core."user" for each row execute function public.quoting()`.execute(
      held.database.owner,
    )
    expect((await ask('POST', '/api/core/users', { body: { name: 'X', email, password }, cookie })).status).toBe(500)
    const log = lines.join('')
    expect(log).toContain('refused')
    expect(log).toContain('a request failed')
    expect(mustNotStand.size).toBeGreaterThan(60)
    for (const [what, value] of mustNotStand) {
      // A code of six digits may stand anywhere by chance; what it belongs to may not.
      if (/^\d{6}$/.test(value)) continue
      expect(log.includes(value), `${what} stands in the log`).toBe(false)
    }
    expect(log).not.toMatch(/"(?:password|token|cookie|authorization)":/)
  })
})
