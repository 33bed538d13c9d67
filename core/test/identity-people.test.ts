import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant } from '../src/permissions/grant.ts'
import { settleHomes } from '../src/identity/membership-service.ts'
import { roles as roleResource } from '../src/identity/resources.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { codeOf, patience } from './identity-world.ts'
import { SoftAuthenticator } from './soft-authenticator.ts'

const now = '2026-03-02T09:00:00Z'
let app: TestApp
let names = 0

beforeAll(async () => {
  app = await createTestApp({ now })
}, patience)
afterAll(() => app[Symbol.asyncDispose]())

const roleNamed = async (name: string): Promise<string> => {
  const { body } = await app.admin.get('/api/core/roles')
  return body.data.find((role: { name: string }) => role.name === name).id
}

const grantsOf = async (name: string): Promise<Grant[]> => {
  const { body } = await app.admin.get('/api/core/roles')
  return body.data.find((role: { name: string }) => role.name === name).grants
}

interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
}

/** Somebody who was let in and has not come yet. */
async function newcomer(values: Record<string, unknown> = {}): Promise<Person> {
  names += 1
  const email = `person.${names}.${Date.now()}@example.com`
  const { status, body } = await app.admin.post('/api/core/users', { name: `Person ${names}`, email, ...values })
  expect(status).toBe(201)
  return { id: body.data.id, email, password: body.password }
}

/** Somebody who has come in once, and gone. */
async function person(values: Record<string, unknown> = {}): Promise<Person> {
  const made = await newcomer(values)
  const { cookie } = await signIn(made)
  await send('POST', '/api/auth/sign-out', { cookie }, {})
  return made
}

const origin = { origin: 'http://localhost', 'content-type': 'application/json' }

async function signIn({
  email,
  password,
}: {
  email: string
  password: string
}): Promise<{ status: number; cookie: string }> {
  const response = await app.app.fetch(
    new Request('http://localhost/api/auth/sign-in/email', {
      method: 'POST',
      headers: origin,
      body: JSON.stringify({ email, password }),
    }),
  )
  return {
    status: response.status,
    cookie: response.headers
      .getSetCookie()
      .map((it) => it.split(';')[0])
      .join('; '),
  }
}

async function send(method: string, path: string, headers: Record<string, string>, body?: unknown) {
  const response = await app.app.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: { ...origin, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    { incoming: { socket: { remoteAddress: '192.0.2.1' } } },
  )
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}

/** What the page of a link does with it. */
const open = (path: string, body: unknown, headers = {}) => send('POST', `/api/auth/link${path}`, headers, body)

/** Lets somebody who signs in already into a further company, by their own session. */
async function share(made: Person, { admin }: { admin: TestClient }): Promise<void> {
  const { status, body } = await admin.post('/api/core/users', { name: 'Shared', email: made.email })
  expect(status).toBe(201)
  const { cookie } = await signIn(made)
  const accepted = await send('POST', '/api/auth/link/accept', { cookie }, { token: body.link.split('#')[1] })
  expect(accepted.status).toBe(200)
  await send('POST', '/api/auth/sign-out', { cookie }, {})
}

describe('letting people in', () => {
  test('a new user gets a password that is shown once and works at once', async () => {
    const made = await newcomer({ roles: [await roleNamed('Member')] })
    expect(made.password).toMatch(/^\w{4}(-\w{4}){3}$/)
    const { status, cookie } = await signIn(made)
    expect(status).toBe(200)
    const me = await send('GET', '/api/core/me', { cookie })
    expect(me.body.data).toMatchObject({ id: made.id, email: made.email, roles: [{ name: 'Member' }], team: null })
    const seen = await app.admin.get(`/api/core/users/${made.id}`)
    expect(seen.body.data).toMatchObject({ state: 'active' })
    const { body } = await app.admin.get('/api/core/users')
    expect(JSON.stringify(body)).not.toContain(made.password)
  })

  test('who manages users sees roles and the last visit, others find names', async () => {
    const made = await newcomer({ roles: [await roleNamed('Reader')] })
    const seen = (client: TestClient) =>
      client
        .get(`/api/core/users?filter=${encodeURIComponent(`email = "${made.email}"`)}`)
        .then(({ body }) => body.data?.[0])
    expect(await seen(app.admin)).toMatchObject({
      id: made.id,
      active: false,
      state: 'invited',
      roles: [await roleNamed('Reader')],
      lastSeenAt: null,
    })
    const colleague = await app.as({})
    const { body } = await colleague.get('/api/core/users?q=Person')
    expect(body.data.length).toBeGreaterThan(0)
    expect(body.data[0]).not.toHaveProperty('roles')
    expect(body.data[0]).not.toHaveProperty('email')
  })

  test('a list of people goes by their last visit for who may read it, and says what orders none', async () => {
    const made = await newcomer({ roles: [await roleNamed('Reader')] })
    await signIn(made)
    const seen = async (sort: string, by: TestClient = app.admin) => by.get(`/api/core/users?sort=${sort}&limit=200`)
    const visits = (await seen('-lastSeenAt')).body.data.map((it: { lastSeenAt: string | null }) => it.lastSeenAt ?? '')
    expect(visits.length).toBeGreaterThan(1)
    expect(visits).toEqual(visits.toSorted().toReversed())
    expect((await seen('state,name')).status).toBe(200)
    expect(await seen('active')).toMatchObject({ status: 400, body: { detail: expect.stringContaining('"state"') } })
    expect(await seen('name,-roles')).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('-roles') },
    })
    expect((await seen('lastSeenAt', await app.as({ may: ['core.user.read'] }))).status).toBe(403)
  })

  test('how somebody signs in is read by who manages people, and by themselves', async () => {
    const someone = await person()
    expect((await app.admin.post(`/api/core/users/${someone.id}/password-link`)).status).toBe(200)
    const facts = [
      'passwordSetAt',
      'passwordLinkAt',
      'secondFactorResetAt',
      'sessionsEndedAt',
      'vouchedAt',
      'vouchedBy',
    ]
    const reader = await app.as({ may: ['core.user.read', 'core.user.export', 'core.audit.read'] })
    const manager = await app.as({ may: ['core.user.read', 'core.user.manage'] })
    const path = `/api/core/users/${someone.id}`
    const seen = (await manager.get(path)).body.data
    expect(seen).toHaveProperty('passwordLinkAt', expect.any(String))
    for (const answer of [
      await reader.get(path),
      await reader.get(`/api/core/users?filter=${encodeURIComponent(`name = "${seen.name}"`)}`),
      await reader.get(`${path}/history`),
    ]) {
      expect(answer.status).toBe(200)
      for (const fact of facts) expect(JSON.stringify(answer.body)).not.toContain(fact)
    }
    const filter = encodeURIComponent('passwordLinkAt is not empty')
    expect((await reader.get(`/api/core/users?filter=${filter}`)).body).toMatchObject({
      status: 403,
      code: 'FIELD_NOT_READABLE',
    })
    const { cookie } = await signIn(someone)
    const own = await send('GET', '/api/core/me', { cookie })
    expect(own.body.data.signIn).toMatchObject({ passwordLinkAt: seen.passwordLinkAt, vouchedAt: null })
  })

  test('an address that is here already is named with the person who has it', async () => {
    const made = await person()
    const { status, body } = await app.admin.post('/api/core/users', { name: 'Twin', email: made.email.toUpperCase() })
    expect(status).toBe(409)
    expect(body).toMatchObject({ code: 'ALREADY_MEMBER', detail: expect.stringContaining('Person') })
  })

  test('letting somebody in says the same whether or not they sign in to another company', async () => {
    const other = await app.secondWorkspace()
    const told = async (path: string, email: string, more: object = {}) => {
      const { status, body } = await other.admin.post(path, { name: 'Whoever', email, ...more })
      const { data } = await open('', { token: body.link.split('#')[1] }).then((it) => it.body)
      const { body: seen } = await other.admin.get(`/api/core/users/${body.data.id}`)
      const { body: history } = await other.admin.get(`/api/core/users/${body.data.id}/history`)
      const { body: listed } = await other.admin.get(
        `/api/core/users?filter=${encodeURIComponent(`email = "${email}"`)}`,
      )
      const answers = { status, body, link: data, seen, history, listed }
      const shape = JSON.stringify(answers)
        .replaceAll(email, 'ADDRESS')
        .replaceAll(email.split('@')[0]!, 'ADDRESS')
        .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
        .replaceAll(/#[\w-]{43}/g, '#TOKEN')
        .replaceAll(/"\w{4}(-\w{4}){3}"/g, '"PASSWORD"')
        .replaceAll(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"INSTANT"')
      return { shape, body, token: body.link.split('#')[1] as string }
    }
    for (const [path, more] of [
      ['/api/core/users', {}],
      ['/api/core/users', { password: 'given by this company' }],
      ['/api/core/users/invite', {}],
    ] as const) {
      const known = await person()
      const here = await told(path, known.email, more)
      const nowhere = await told(path, `nobody.${names}.${Date.now()}@example.com`, more)
      expect(here.shape).toBe(nowhere.shape)
      // An id of version 7 would say when its sign-in was made.
      for (const { body } of [here, nowhere]) expect(body.data.id[14]).toBe('4')
      for (const { token } of [here, nowhere]) {
        const accept = (choice: object) => open('/accept', { token, ...choice })
        expect((await accept({})).body).toMatchObject({ code: 'PASSWORD_MISSING' })
        expect((await accept({ password: 'short' })).body).toMatchObject({ code: 'PASSWORD_TOO_SHORT' })
        expect((await open('/passkey', { token })).body.data).toMatchObject({ excludeCredentials: [] })
      }
    }
  })

  test('a password given with the invitation is only theirs once they came in with it', async () => {
    const email = `given.${Date.now()}@example.com`
    const given = 'given by this company'
    const made = await app.admin.post('/api/core/users', { name: 'Given', email, password: given })
    const token = made.body.link.split('#')[1]
    const chosen = 'four rather plain words'
    expect((await open('/accept', { token, password: chosen })).status).toBe(200)
    expect((await signIn({ email, password: given })).status).toBe(401)
    expect((await signIn({ email, password: chosen })).status).toBe(200)
  })

  test('a password given with an invitation that was taken back keeps nobody out of another company', async () => {
    const email = `taken.back.${Date.now()}@example.com`
    const given = 'given by this company'
    const made = await app.admin.post('/api/core/users', { name: 'Taken back', email, password: given })
    expect((await app.admin.delete(`/api/core/users/${made.body.data.id}/invite`)).status).toBeLessThan(300)
    const other = await app.secondWorkspace()
    const invited = await other.admin.post('/api/core/users/invite', { email })
    const token = invited.body.link.split('#')[1]
    expect((await open('/accept', { token, password: 'four rather plain words' })).status).toBe(200)
    expect((await signIn({ email, password: given })).status).toBe(401)
  })

  test('of two browsers that come in with a given password at once, both are in', async () => {
    const made = await newcomer()
    const both = await Promise.all([signIn(made), signIn(made)])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    expect((await app.admin.get(`/api/core/users/${made.id}`)).body.data).toMatchObject({ state: 'active' })
  })

  test('a link to a new password says the same of who works in another company, and leaves theirs as it is', async () => {
    const made = await person()
    const other = await app.secondWorkspace()
    await share(made, other)
    const reset = await app.admin.post(`/api/core/users/${made.id}/password-link`)
    expect(reset.status).toBe(200)
    const token = reset.body.data.link.split('#')[1]
    const accepted = await open('/accept', { token, password: 'four rather plain words' })
    expect(accepted.body).toMatchObject({ status: 409, code: 'PASSWORD_IS_THEIRS' })
    expect((await signIn(made)).status).toBe(200)
  })

  test('who made a person’s sign-in elsewhere comes in nowhere else with it: the person accepts first', async () => {
    const other = await app.secondWorkspace()
    const email = `victim.${Date.now()}@example.com`
    const password = 'chosen by another company'
    await other.admin.post('/api/core/users', { name: 'Victim', email, password })
    const roles = [await roleNamed('Administrator')]
    const made = await app.admin.post('/api/core/users', { name: 'Victim', email, password: 'of this company', roles })
    expect(made.body).toMatchObject({ data: { state: 'invited', active: false }, link: expect.any(String) })
    expect((await signIn({ email, password: 'of this company' })).status).toBe(401)
    const { cookie } = await signIn({ email, password })
    const here = { cookie, 'x-workspace': app.workspace.id }
    expect((await send('GET', '/api/core/me', here)).body).toMatchObject({ status: 403, code: 'WORKSPACE_NOT_YOURS' })
    const id = made.body.data.id
    expect((await app.admin.post(`/api/core/users/${id}/activate`)).body).toMatchObject({ code: 'INVITATION_OPEN' })
    const accepted = await send('POST', '/api/auth/link/accept', { cookie }, { token: made.body.link.split('#')[1] })
    expect(accepted.body).toEqual({ joined: app.workspace.id })
    expect((await send('GET', '/api/core/me', here)).status).toBe(200)
  })

  test('deactivating and activating somebody invited does not accept in their place', async () => {
    const invited = await app.admin.post('/api/core/users/invite', { email: `guest.${Date.now()}@example.com` })
    const path = `/api/core/users/${invited.body.data.id}`
    expect((await app.admin.post(`${path}/deactivate`)).body.data.state).toBe('inactive')
    expect((await app.admin.post(`${path}/activate`)).body.data.state).toBe('invited')
    const renewed = await app.admin.post(`${path}/invite`)
    const token = renewed.body.link.split('#')[1]
    const password = 'four rather plain words'
    expect((await send('POST', '/api/auth/link/accept', {}, { token, password })).status).toBe(200)
    await app.admin.post(`${path}/deactivate`)
    expect((await app.admin.post(`${path}/activate`)).body.data.state).toBe('active')
  })

  test('one company does not see the people of another', async () => {
    const made = await person()
    const other = await app.secondWorkspace()
    expect((await other.admin.get(`/api/core/users/${made.id}/access`)).status).toBe(404)
    expect((await other.admin.post(`/api/core/users/${made.id}/deactivate`)).status).toBe(404)
    expect((await other.admin.post(`/api/core/users/${made.id}/password-link`)).status).toBe(404)
    const { body } = await other.admin.get('/api/core/users')
    expect(body.data.map(({ id }: { id: string }) => id)).not.toContain(made.id)
  })

  test('deactivation ends sessions and keys at once, in the next request', async () => {
    const administrator = await roleNamed('Administrator')
    await person({ roles: [administrator] })
    const made = await person({ roles: [administrator] })
    const { cookie } = await signIn(made)
    const key = await send(
      'POST',
      '/api/core/api-keys',
      { cookie },
      { name: 'Import', role: await roleNamed('Integration') },
    )
    const bearer = { authorization: `Bearer ${key.body.data.key}` }
    expect((await send('GET', '/api/core/me', bearer)).status).toBe(200)
    const { status, body } = await app.admin.post(`/api/core/users/${made.id}/deactivate`)
    expect([status, body.data.state, body.data.active]).toEqual([200, 'inactive', false])
    expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' })
    expect((await send('GET', '/api/core/me', bearer)).body).toMatchObject({ status: 401, code: 'API_KEY_REVOKED' })
    expect((await signIn(made)).status).toBe(403)
    await app.admin.post(`/api/core/users/${made.id}/activate`)
    expect((await signIn(made)).status).toBe(200)
  })

  test('an administrator takes a lost second factor away, which ends the sessions and stands in the ledger', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    const begun = await send('POST', '/api/core/me/second-factor', { cookie }, {})
    const code = await codeOf(begun.body.data.secret, app.clock)
    expect((await send('POST', '/api/core/me/second-factor/confirm', { cookie }, { code })).status).toBe(200)
    const seen = async () => {
      const filter = encodeURIComponent(`email = "${made.email}"`)
      return (await app.admin.get(`/api/core/users?filter=${filter}`)).body.data[0]
    }
    expect(await seen()).toMatchObject({ app: true, passkeys: 0 })
    expect((await app.admin.delete(`/api/core/users/${made.id}/second-factor`)).status).toBe(204)
    expect(await seen()).toMatchObject({ app: false, passkeys: 0 })
    expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect((await signIn(made)).cookie).toContain('session_token')
    const { body } = await app.admin.get(`/api/core/users/${made.id}/history`)
    expect(JSON.stringify(body)).toContain('secondFactorResetAt')
  })

  test('an administrator sees where somebody is signed in, and ends one session or all', async () => {
    const made = await person()
    const [one, two] = [await signIn(made), await signIn(made)]
    const listed = async () => (await app.admin.get(`/api/core/users/${made.id}/sessions`)).body.data
    const sessions = await listed()
    expect(sessions).toHaveLength(2)
    expect(JSON.stringify(sessions)).not.toContain('token')
    expect((await app.admin.delete(`/api/core/users/${made.id}/sessions/${sessions[0].id}`)).status).toBe(204)
    expect(await listed()).toHaveLength(1)
    expect((await app.admin.delete(`/api/core/users/${made.id}/sessions`)).status).toBe(204)
    for (const { cookie } of [one, two])
      expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ code: 'SESSION_EXPIRED' })
    const colleague = await app.as({})
    expect((await colleague.get(`/api/core/users/${made.id}/sessions`)).status).toBe(403)
  })

  test('somebody who works elsewhere too keeps their second factor, and their sessions there', async () => {
    const made = await person()
    const other = await app.secondWorkspace()
    await share(made, other)
    const { cookie } = await signIn(made)
    await send('POST', '/api/core/me/workspace', { cookie }, { workspace: other.workspace.id })
    const refused = await app.admin.delete(`/api/core/users/${made.id}/second-factor`)
    expect(refused.body).toMatchObject({ code: 'SECOND_FACTOR_IS_THEIRS', status: 409 })
    expect((await app.admin.get(`/api/core/users/${made.id}/sessions`)).body.data).toEqual([])
    expect((await app.admin.delete(`/api/core/users/${made.id}/sessions`)).status).toBe(204)
    expect((await send('GET', '/api/core/me', { cookie })).status).toBe(200)
  })

  test('that another company invites somebody, or had them once, takes nothing from their own', async () => {
    const made = await person()
    const invited = await app.secondWorkspace()
    const way = await invited.admin.post('/api/core/users/invite', { email: made.email, name: 'Listed' })
    const former = await app.secondWorkspace()
    await share(made, former)
    await former.admin.post(`/api/core/users/${made.id}/deactivate`)
    const { cookie } = await signIn(made)
    await send('POST', '/api/core/me/second-factor', { cookie }, {})
    const sessions = async (admin: TestClient) => (await admin.get(`/api/core/users/${made.id}/sessions`)).body.data
    expect(await sessions(app.admin)).toHaveLength(1)
    expect(await sessions(invited.admin)).toEqual([])
    expect((await invited.admin.delete(`/api/core/users/${made.id}/sessions`)).status).toBe(204)
    expect((await send('GET', '/api/core/me', { cookie })).status).toBe(200)
    expect((await invited.admin.delete(`/api/core/users/${made.id}/second-factor`)).status).toBe(409)
    expect((await app.admin.post(`/api/core/users/${made.id}/password-link`)).status).toBe(200)
    expect((await app.admin.delete(`/api/core/users/${made.id}/second-factor`)).status).toBe(204)
    expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(way.status).toBe(201)
  })

  test('a session that chose no company is seen, and ended, by each company its person works in', async () => {
    const made = await person()
    const other = await app.secondWorkspace()
    await share(made, other)
    const { cookie } = await signIn(made)
    for (const { admin } of [app, other])
      expect((await admin.get(`/api/core/users/${made.id}/sessions`)).body.data).toHaveLength(1)
    expect((await app.admin.delete(`/api/core/users/${made.id}/sessions`)).status).toBe(204)
    expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ code: 'SESSION_EXPIRED' })
  })

  test('ending all sessions of somebody ends more than are listed', async () => {
    const made = await person()
    const { owner } = app.app.kernel.parts.database
    await sql`
      insert into core.session (id, user_id, token, expires_at)
      select gen_random_uuid(), ${made.id}, ${made.id} || n, '2100-01-01' from generate_series(1, 230) n`.execute(owner)
    expect((await app.admin.get(`/api/core/users/${made.id}/sessions`)).body.data).toHaveLength(200)
    expect((await app.admin.delete(`/api/core/users/${made.id}/sessions`)).status).toBe(204)
    const { rows } = await sql`select 1 from core.session where user_id = ${made.id}`.execute(owner)
    expect(rows).toEqual([])
  })

  test('what somebody leaves behind is counted by kind, and handed on in the background through the write path', async () => {
    await using own = await createTestApp({ now })
    await own.app.start()
    const clerk = await own.as({
      name: 'Leaving',
      may: ['core.account.create', 'core.lead.create', 'core.account.read'],
    })
    for (const name of ['Garonne', 'Valmy', 'Bellecour']) await clerk.post('/api/core/accounts', { name })
    await clerk.post('/api/core/leads', { lastName: 'Durand' })
    const heir = await own.as({ name: 'Staying' })
    const [from, to] = [clerk.who.actor.id!, heir.who.actor.id!]
    await own.admin.post(`/api/core/users/${from}/deactivate`)
    const left = await own.admin.get(`/api/core/users/${from}/records`)
    expect(left.body.data).toEqual([
      { resource: 'core.account', name: 'Accounts', count: 3 },
      { resource: 'core.lead', name: 'Leads', count: 1 },
    ])
    const started = await own.admin.post(`/api/core/users/${from}/reassign`, { to, resources: ['core.account'] })
    expect(started.status).toBe(202)
    expect(started.body.data).toMatchObject([{ resource: 'core.account', total: 3 }])
    await expect
      .poll(async () => (await own.admin.get(`/api/core/users/${from}/records`)).body.data, { timeout: 60_000 })
      .toEqual([{ resource: 'core.lead', name: 'Leads', count: 1 }])
    const filter = encodeURIComponent(`owner = "${to}"`)
    const { body } = await own.admin.get(`/api/core/accounts?filter=${filter}`)
    expect(body.data).toHaveLength(3)
    const history = await own.admin.get(`/api/core/accounts/${body.data[0].id}/history`)
    expect(JSON.stringify(history.body)).toContain(to)
    const backwards = await own.admin.post(`/api/core/users/${to}/reassign`, { to: from })
    expect(backwards.body).toMatchObject({ code: 'MEMBER_NOT_ACTIVE', status: 409 })
    expect((await heir.get(`/api/core/users/${from}/records`)).status).toBe(403)
  })

  test('one changes the own language and looks without any permission', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    const { body } = await send('PATCH', '/api/core/me', { cookie }, { locale: 'fr', theme: 'dark' })
    expect(body.data).toMatchObject({ locale: 'fr', theme: 'dark', density: null })
    const refusal = await send('GET', '/api/core/roles', { cookie })
    expect(refusal.body).toMatchObject({
      code: 'PERMISSION_DENIED',
      detail: expect.stringContaining('Votre administrateur'),
    })
  })
})

describe('links that are passed on', () => {
  const tokenOf = (body: { link: string }) => body.link.split('#')[1]!

  async function invite(values: Record<string, unknown> = {}) {
    names += 1
    const email = `guest.${names}.${Date.now()}@example.com`
    const { status, body } = await app.admin.post('/api/core/users/invite', { email, ...values })
    expect(status).toBe(201)
    return { id: body.data.id as string, email, token: tokenOf(body), body }
  }

  test('an invitation names roles, team and language, and lets its bearer choose name and password once', async () => {
    const team = (await app.admin.post('/api/core/teams', { name: `Guests ${Date.now()}` })).body.data.id
    const { id, email, token, body } = await invite({ roles: [await roleNamed('Member')], team, locale: 'fr' })
    expect(body).toMatchObject({
      data: { state: 'invited', active: false, team, locale: 'fr', invitedUntil: '2026-03-09T09:00:00.000Z' },
      link: expect.stringMatching(/^\/welcome#[\w-]{43}$/),
    })
    const seen = await open('', { token })
    expect(seen.body.data).toMatchObject({
      purpose: 'invitation',
      email,
      workspace: 'Acme Distribution',
      by: 'Claire Admin',
    })
    const short = await open('/accept', { token, name: 'Gustave', password: 'short' })
    expect(short.body).toMatchObject({ code: 'PASSWORD_TOO_SHORT', status: 422 })
    const accepted = await open('/accept', { token, name: 'Gustave Roy', password: 'four rather plain words' })
    expect(accepted.status).toBe(200)
    const cookie = accepted.headers
      .getSetCookie()
      .map((it) => it.split(';')[0])
      .join('; ')
    const me = await send('GET', '/api/core/me', { cookie })
    expect(me.body.data).toMatchObject({ id, name: 'Gustave Roy', email, locale: 'fr', roles: [{ name: 'Membre' }] })
    expect((await signIn({ email, password: 'four rather plain words' })).status).toBe(200)
    const again = await open('/accept', { token, name: 'Somebody', password: 'five rather plain words' })
    expect(again.body).toMatchObject({ code: 'LINK_GONE', status: 410 })
    const { body: history } = await app.admin.get(`/api/core/users/${id}/history`)
    expect(JSON.stringify(history)).toContain('Gustave Roy')
  })

  test('an invitation is accepted with a passkey instead of a password', async () => {
    const { id, token } = await invite()
    const options = await open('/passkey', { token })
    const device = new SoftAuthenticator('http://localhost')
    const passkey = { name: 'Telephone', response: device.make(options.body.data) }
    const accepted = await open('/accept', { token, name: 'Nina', passkey })
    expect(accepted.status).toBe(200)
    const question = await send('POST', '/api/auth/passkey/options', {}, {})
    const entered = await send('POST', '/api/auth/sign-in/passkey', {}, { response: device.answer(question.body.data) })
    expect(entered.body).toMatchObject({ user: { id } })
  })

  test('nobody signs in before they accept, and nobody is let in past the invitation', async () => {
    const { id, email } = await invite()
    expect((await signIn({ email, password: '' })).status).toBe(401)
    const activated = await app.admin.post(`/api/core/users/${id}/activate`)
    expect(activated.body).toMatchObject({ code: 'INVITATION_OPEN', status: 409 })
  })

  test('a new link ends the one before, a link of a week ago is too old', async () => {
    const { id, token } = await invite()
    const renewed = await app.admin.post(`/api/core/users/${id}/invite`)
    expect((await open('', { token })).body).toMatchObject({ code: 'LINK_GONE' })
    app.clock.advance('P7D')
    expect((await open('', { token: tokenOf(renewed.body) })).body).toMatchObject({ code: 'LINK_GONE' })
    app.clock.set(now)
  })

  test('an invitation taken back closes its link and may be made again', async () => {
    const { id, email, token } = await invite({ roles: [await roleNamed('Member')] })
    expect((await app.admin.delete(`/api/core/users/${id}/invite`)).status).toBe(204)
    expect((await open('/accept', { token, password: 'four rather plain words' })).body).toMatchObject({
      code: 'LINK_GONE',
    })
    const filter = encodeURIComponent(`email = "${email}"`)
    expect((await app.admin.get(`/api/core/users?filter=${filter}`)).body.data).toEqual([])
    const again = await app.admin.post('/api/core/users/invite', { email, name: 'Second try' })
    expect(again.body.data).toMatchObject({ id, name: 'Second try', state: 'invited', roles: [] })
  })

  test('who is in already has no invitation, and is not invited twice', async () => {
    const made = await person()
    expect((await app.admin.post(`/api/core/users/${made.id}/invite`)).body).toMatchObject({
      code: 'INVITATION_ACCEPTED',
    })
    expect((await app.admin.delete(`/api/core/users/${made.id}/invite`)).body).toMatchObject({
      code: 'INVITATION_ACCEPTED',
    })
    const twice = await app.admin.post('/api/core/users/invite', { email: made.email })
    expect(twice.body).toMatchObject({ code: 'ALREADY_MEMBER', status: 409 })
  })

  test('somebody who signs in elsewhere joins with their own session, never by the link alone', async () => {
    const made = await person()
    const other = await app.secondWorkspace()
    const { body } = await other.admin.post('/api/core/users/invite', { email: made.email, name: 'Shared' })
    const token = tokenOf(body)
    const stolen = await open('/accept', { token, password: 'the inviter chose this' })
    expect(stolen.body).toMatchObject({ code: 'LINK_NEEDS_SIGN_IN', status: 403 })
    const { cookie } = await signIn(made)
    expect((await open('', { token })).body.data).toMatchObject({ isYou: false })
    expect((await open('', { token }, { cookie })).body.data).toMatchObject({ isYou: true })
    expect((await open('/accept', { token }, { cookie })).body).toEqual({ joined: other.workspace.id })
    const workspaces = await send('GET', '/api/core/workspaces', { cookie })
    expect(workspaces.body.data).toHaveLength(2)
    expect((await signIn(made)).status).toBe(200)
  })

  test('somebody who is in nowhere any more comes in by the password they have, and by no other', async () => {
    const made = await person()
    await app.admin.post(`/api/core/users/${made.id}/deactivate`)
    expect((await signIn(made)).status).not.toBe(200)
    const other = await app.secondWorkspace()
    const { body } = await other.admin.post('/api/core/users/invite', { email: made.email, name: 'Back' })
    const token = tokenOf(body)
    const guessed = await open('/accept', { token, password: 'the inviter chose this' })
    expect(guessed.body).toMatchObject({ code: 'LINK_NEEDS_SIGN_IN', status: 403 })
    expect((await open('/accept', { token, password: made.password })).status).toBe(200)
    const { cookie, status } = await signIn(made)
    expect(status).toBe(200)
    const workspaces = await send('GET', '/api/core/workspaces', { cookie })
    expect(workspaces.body.data).toMatchObject([{ id: other.workspace.id }])
  })

  test('the event of an invitation tells who, and nothing that opens the door', async () => {
    const { id, token } = await invite()
    const { rows } = await sql<{ name: string; payload: unknown }>`
      select name, payload from core.event where key = ${id}::uuid and name = 'core.user.invited'`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows).toMatchObject([{ payload: { user: id, expiresAt: '2026-03-09T09:00:00.000Z' } }])
    expect(JSON.stringify(rows)).not.toContain(token)
  })

  test('a forgotten password is chosen anew by a link, once, and ends the sessions', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    const { status, body } = await app.admin.post(`/api/core/users/${made.id}/password-link`)
    expect(status).toBe(200)
    expect((await signIn(made)).status).toBe(200)
    const token = tokenOf(body.data)
    expect((await open('', { token })).body.data).toMatchObject({ purpose: 'password', email: made.email })
    expect((await open('/accept', { token })).body).toMatchObject({ code: 'PASSWORD_MISSING', status: 422 })
    expect((await open('/accept', { token, password: 'four rather plain words' })).status).toBe(200)
    expect((await send('GET', '/api/core/me', { cookie })).body).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect((await signIn(made)).status).toBe(401)
    expect((await signIn({ ...made, password: 'four rather plain words' })).status).toBe(200)
    expect((await open('/accept', { token, password: 'five rather plain words' })).body).toMatchObject({
      code: 'LINK_GONE',
    })
    const { body: history } = await app.admin.get(`/api/core/users/${made.id}/history`)
    expect(JSON.stringify(history)).toContain('passwordLinkAt')
    expect(JSON.stringify(history)).not.toContain(token)
  })

  test('a new password does not pass by the second factor', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    const begun = await send('POST', '/api/core/me/second-factor', { cookie }, {})
    const code = await codeOf(begun.body.data.secret, app.clock)
    await send('POST', '/api/core/me/second-factor/confirm', { cookie }, { code })
    const { body } = await app.admin.post(`/api/core/users/${made.id}/password-link`)
    const accepted = await open('/accept', { token: tokenOf(body.data), password: 'four rather plain words' })
    expect(accepted.body).toEqual({ secondFactor: true })
  })

  test('the password of somebody who works elsewhere too is theirs alone', async () => {
    const made = await person()
    const { body } = await app.admin.post(`/api/core/users/${made.id}/password-link`)
    const other = await app.secondWorkspace()
    await share(made, other)
    const late = await open('/accept', { token: tokenOf(body.data), password: 'four rather plain words' })
    expect(late.body).toMatchObject({ code: 'PASSWORD_IS_THEIRS', status: 409 })
  })

  test('a person who is deactivated finds their link closed', async () => {
    const made = await person()
    const { body } = await app.admin.post(`/api/core/users/${made.id}/password-link`)
    await app.admin.patch(`/api/core/users/${made.id}`, { active: false })
    expect((await open('', { token: tokenOf(body.data) })).body).toMatchObject({ code: 'LINK_GONE' })
  })

  test('only who manages users makes links', async () => {
    const made = await person()
    const colleague = await app.as({})
    for (const path of ['/users/invite', `/users/${made.id}/invite`, `/users/${made.id}/password-link`]) {
      const { status } = await colleague.post(`/api/core${path}`, { email: 'x@example.com' })
      expect(status, path).toBe(403)
    }
  })
})

describe('roles', () => {
  test('a role given works in the next request, and taken it does not', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    const read = () => send('GET', '/api/core/accounts', { cookie }).then(({ status }) => status)
    expect(await read()).toBe(403)
    const reader = await roleNamed('Reader')
    const given = await app.admin.put(`/api/core/users/${made.id}/roles`, { roles: [reader] })
    expect(given.body.data.roles).toEqual([{ id: reader, name: 'Reader', until: null }])
    expect(await read()).toBe(200)
    await app.admin.put(`/api/core/users/${made.id}/roles`, { roles: [] })
    expect(await read()).toBe(403)
  })

  test('a role until an instant ends by itself', async () => {
    const made = await person()
    const { cookie } = await signIn(made)
    await app.admin.put(`/api/core/users/${made.id}/roles`, {
      roles: [{ role: await roleNamed('Reader'), until: '2026-03-02T10:00:00Z' }],
    })
    const read = () => send('GET', '/api/core/accounts', { cookie }).then(({ status }) => status)
    app.clock.set('2026-03-02T09:59:59Z')
    expect(await read()).toBe(200)
    const listed = async () => {
      const { body } = await app.admin.get(`/api/core/users?filter=${encodeURIComponent(`id = "${made.id}"`)}`)
      return Object.values(body.data[0].roleEnds as Record<string, string>).map((end) => new Date(end).toISOString())
    }
    expect(await listed()).toEqual(['2026-03-02T10:00:00.000Z'])
    app.clock.set('2026-03-02T10:00:00Z')
    expect(await read()).toBe(403)
    expect(await listed()).toEqual([])
    app.clock.set(now)
  })

  test('a role that is over keeps nobody from removing it, nor from changing the other roles of who had it', async () => {
    const strong = await app.admin.post('/api/core/roles', { name: 'For a day', from: await roleNamed('Reader') })
    const role: string = strong.body.data.id
    const made = await person({ roles: [{ role, until: '2026-03-02T10:00:00Z' }] })
    const path = `/api/core/users/${made.id}/roles`
    const grants = [{ resource: 'core.account', action: 'read', visibility: 'own' }]
    const lesser = await app.admin.post('/api/core/roles', { name: 'Lesser', grants })
    const manager = await app.as({ may: ['core.user.manage', 'core.user.read', 'core.account.read'] })
    expect((await manager.put(path, { roles: [lesser.body.data.id] })).body).toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    expect((await app.admin.delete(`/api/core/roles/${role}`)).body).toMatchObject({ code: 'ROLE_IN_USE' })
    app.clock.set('2026-03-02T10:00:00Z')
    const given = await manager.put(path, { roles: [lesser.body.data.id] })
    expect(given.body.data.roles).toMatchObject([{ name: 'Lesser' }])
    expect((await app.admin.delete(`/api/core/roles/${role}`)).status).toBe(204)
    app.clock.set(now)
  })

  test('giving and taking roles stands in the ledger and can be undone', async () => {
    const made = await person()
    const given = await app.admin.put(`/api/core/users/${made.id}/roles`, { roles: [await roleNamed('Reader')] })
    const changeSet = given.headers.get('x-change-set')
    expect(changeSet).not.toBeNull()
    expect((await app.admin.post(`/api/core/change-sets/${changeSet}/undo`)).status).toBe(200)
    expect((await app.admin.get(`/api/core/users/${made.id}/access`)).body.data.roles).toEqual([])
  })

  test('a role is made as a copy, changed list by list, and removed when nobody holds it', async () => {
    const from = await roleNamed('Reader')
    const made = await app.admin.post('/api/core/roles', { name: 'Pricing', description: 'Sees prices', from })
    expect(made.status).toBe(201)
    const { id, grants } = made.body.data
    expect(grants.length).toBeGreaterThan(0)
    const changed = await app.admin.patch(`/api/core/roles/${id}`, {
      permissions: ['core.plugin.toggle'],
      fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'none' }],
    })
    expect(changed.body.data).toMatchObject({ grants, permissions: ['core.plugin.toggle'], system: false, users: 0 })
    const holder = await person({ roles: [id] })
    expect((await app.admin.delete(`/api/core/roles/${id}`)).body).toMatchObject({
      status: 409,
      code: 'ROLE_IN_USE',
      detail: expect.stringContaining('Pricing'),
    })
    await app.admin.put(`/api/core/users/${holder.id}/roles`, { roles: [] })
    expect((await app.admin.delete(`/api/core/roles/${id}`)).status).toBe(204)
  })

  test('a field hidden by a role is absent from records and refused in filters', async () => {
    const reader = await app.as({
      may: ['core.account.read'],
      fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'none' }],
    })
    await app.admin.post('/api/core/accounts', { name: 'Margin House', annualRevenue: '987654.32' })
    const list = await reader.get('/api/core/accounts?q=Margin')
    expect(list.body.data).toHaveLength(1)
    expect(JSON.stringify(list.body)).not.toMatch(/987654|annualRevenue/)
    const filtered = await reader.get(`/api/core/accounts?filter=${encodeURIComponent('annualRevenue > 1000')}`)
    expect(filtered.body).toMatchObject({ status: 403, code: 'FIELD_NOT_READABLE' })
  })

  test.each([
    [
      'a condition that is no expression',
      { grants: [{ resource: 'core.account', action: 'read', condition: 'name =' }] },
    ],
    [
      'a condition on a field that is not there',
      { grants: [{ resource: 'core.account', action: 'read', condition: 'weight > 3' }] },
    ],
  ])('%s is refused with its place', async (_, lists) => {
    const { body } = await app.admin.post('/api/core/roles', { name: 'Broken', ...lists })
    expect(body).toMatchObject({
      status: 422,
      code: 'GRANT_INVALID',
      detail: expect.stringContaining('grants/0/condition'),
    })
  })

  test.each([
    [
      'a kind of record',
      { grants: [{ resource: 'core.acount', action: 'read', deny: true }] },
      'grants/0/resource',
      'core.account',
    ],
    ['an action', { grants: [{ resource: 'core.account', action: 'raed' }] }, 'grants/0/action', 'read'],
    ['an action of all records', { grants: [{ resource: 'core.*', action: 'manage' }] }, 'grants/0/action', ''],
    ['a module', { grants: [{ resource: 'corre.*', action: 'read' }] }, 'grants/0/resource', 'core.*'],
    ['a permission', { permissions: ['core.role.mange'] }, 'permissions/0', 'core.role.manage'],
    [
      'a field',
      { fields: [{ resource: 'core.account', field: 'anualRevenue', access: 'none' }] },
      'fields/0/field',
      'annualRevenue',
    ],
  ])('%s that is not there is refused with its place and what was probably meant', async (_, lists, place, meant) => {
    const { body } = await app.admin.post('/api/core/roles', { name: 'Slip', ...lists })
    expect(body).toMatchObject({ status: 422, code: 'GRANT_UNKNOWN', detail: expect.stringContaining(place) })
    expect(body.detail).toContain(meant)
    expect((await app.admin.get('/api/core/roles')).body.data.map(({ name }: { name: string }) => name)).not.toContain(
      'Slip',
    )
  })

  test('a line that stands twice is refused, and what stood in a role before it may stay', async () => {
    const line = { resource: 'core.account', action: 'read', visibility: 'own' }
    const twice = await app.admin.post('/api/core/roles', {
      name: 'Twice',
      grants: [line, { ...line, visibility: 'all' }],
    })
    expect(twice.body).toMatchObject({ status: 422, code: 'GRANT_TWICE', detail: expect.stringContaining('grants/1') })
    const gone = { resource: 'gone.thing', action: 'read', visibility: 'all' as const }
    const made = await app.inside((ctx) =>
      ctx.records.create(roleResource, { name: `Of a module that is gone ${Date.now()}`, grants: [gone], fields: [] }),
    )
    const { data } = (await app.admin.get(`/api/core/roles/${made.id}`)).body
    const kept = await app.admin.patch(`/api/core/roles/${made.id}`, {
      grants: [...data.grants, line],
      permissions: data.permissions,
    })
    expect(kept.body.data).toMatchObject({ grants: [line], permissions: ['gone.thing.read'] })
  })

  test('merging, sharing and changing many are lines about records: they keep their reach and go when they are left out', async () => {
    const grants = ['bulk', 'merge', 'share'].map((action) => ({ resource: 'core.account', action, visibility: 'own' }))
    const { id, ...made } = (await app.admin.post('/api/core/roles', { name: `Reach ${Date.now()}`, grants })).body.data
    expect(made).toMatchObject({ grants, permissions: [] })
    const same = await app.admin.patch(`/api/core/roles/${id}`, { grants: made.grants, permissions: made.permissions })
    expect(same.body.data).toMatchObject({ grants, permissions: [] })
    const fewer = await app.admin.patch(`/api/core/roles/${id}`, { grants: grants.slice(0, 1) })
    expect(fewer.body.data).toMatchObject({ grants: grants.slice(0, 1), permissions: [] })
    expect(fewer.body.data.grants).toHaveLength(1)
  })

  test('who manages users but not roles comes to see more neither by a place in a team nor by moving one', async () => {
    const team = async (name: string, parent: string | null = null): Promise<string> =>
      (await app.admin.post('/api/core/teams', { name: `${name} ${Date.now()}`, parent })).body.data.id
    const [top, own, other] = [await team('Top'), await team('Own'), await team('Other')]
    const clerk = await app.as({
      may: ['core.user.manage', 'core.team.read'],
      grants: await grantsOf('Reader'),
      teams: [own],
    })
    const denied = { status: 403, code: 'PERMISSION_DENIED', detail: expect.stringContaining('core.role.manage') }
    const mine = `/api/core/users/${clerk.who.actor.id}/teams`
    expect((await clerk.put(mine, { teams: [top] })).body).toMatchObject(denied)
    expect((await clerk.patch(`/api/core/teams/${other}`, { parent: own })).body).toMatchObject(denied)
    const made = await person()
    expect((await clerk.put(`/api/core/users/${made.id}/teams`, { teams: [own] })).status).toBe(200)
    expect((await clerk.patch(`/api/core/teams/${other}`, { parent: top })).status).toBe(200)
    expect((await app.admin.put(mine, { teams: [top] })).status).toBe(200)
  })

  test('two who change different things of a person or a team both keep it, of one the second is told', async () => {
    const made = await newcomer()
    const team = (await app.admin.post('/api/core/teams', { name: `Twice ${Date.now()}` })).body.data
    for (const [path, version, first, second] of [
      [`/api/core/users/${made.id}`, 1, { locale: 'fr' }, { name: 'Twice Changed' }],
      [`/api/core/teams/${team.id}`, team.version, { parent: null }, { name: `Thrice ${Date.now()}` }],
    ] as const) {
      const { body } = await app.admin.get(path)
      const seen = body.data.version ?? version
      expect((await app.admin.patch(path, { ...first, version: seen })).status).toBe(200)
      expect((await app.admin.patch(path, { ...second, version: seen })).status).toBe(200)
      const late = await app.admin.patch(path, { name: 'Somebody else’s', version: seen })
      expect(late.body).toMatchObject({ status: 409, code: 'VERSION_CONFLICT' })
    }
  })

  test('a time zone or currency there is none of is refused at its field, in the reader’s language', async () => {
    const french = await app.as({ may: ['core.workspace.manage'], locale: 'fr' })
    const refused = async (by: TestClient) =>
      (await by.patch('/api/core/workspace', { zone: 'Mars/Base', baseCurrency: 'XYZ' })).body.errors
    expect(await refused(app.admin)).toMatchObject([
      { path: '/zone', code: 'ZONE_UNKNOWN', detail: expect.stringContaining('"Mars/Base" is no time zone') },
      { path: '/baseCurrency', code: 'CURRENCY_UNKNOWN', detail: expect.stringContaining('"XYZ" is no currency') },
    ])
    expect((await refused(french))[0].detail).toMatch(/Mars\/Base.*fuseau horaire/)
  })

  test('roles that came with the platform are called in the reader’s language until the workspace renames them', async () => {
    const french = await app.as({ may: ['core.role.manage', 'core.user.manage', 'core.user.read'], locale: 'fr' })
    const namesOf = async (by: TestClient) =>
      new Map((await by.get('/api/core/roles')).body.data.map((it: { id: string; name: string }) => [it.id, it.name]))
    const [reader, auditor] = [await roleNamed('Reader'), await roleNamed('Auditor')]
    const made = await person({ roles: [reader] })
    expect([(await namesOf(french)).get(reader), (await namesOf(app.admin)).get(reader)]).toEqual(['Lecteur', 'Reader'])
    expect((await french.get(`/api/core/users/${made.id}/access`)).body.data.roles).toMatchObject([{ name: 'Lecteur' }])
    const why = await french.get(`/api/core/explain?actor=${made.id}&resource=core.account&action=read`)
    expect(why.body.data.decides).toMatchObject({ text: expect.stringContaining('Lecteur') })
    expect((await app.admin.patch(`/api/core/roles/${auditor}`, { name: 'Our auditors' })).status).toBe(200)
    expect((await namesOf(french)).get(auditor)).toBe('Our auditors')
    expect((await app.admin.patch(`/api/core/roles/${auditor}`, { name: 'Auditor' })).status).toBe(200)
    expect((await namesOf(french)).get(auditor)).toBe('Auditeur')
  })

  test('of a person, one role is changed beside those that others give and take, and each ends when it did', async () => {
    const made = await newcomer()
    const path = `/api/core/users/${made.id}`
    const role = async () =>
      (await app.admin.post('/api/core/roles', { name: `Beside ${(names += 1)} ${Date.now()}`, grants: [] })).body.data
        .id
    const [one, two, three, four] = [await role(), await role(), await role(), await role()]
    const until = '2026-12-31T00:00:00.000Z'
    await app.admin.put(`${path}/roles`, { roles: [{ role: one, until }, two] })
    const seen = [one, two]
    // Somebody else gives the third and takes the second, while the form stands open.
    expect((await app.admin.patch(path, { roles: [one, three], rolesSeen: seen })).status).toBe(200)
    expect((await app.admin.patch(path, { roles: [one, two, four], rolesSeen: seen })).status).toBe(200)
    const { body } = await app.admin.get(`${path}/access`)
    const held = body.data.roles.map((it: { id: string; until: string | null }) => [it.id, it.until])
    expect(new Map(held)).toEqual(
      new Map([
        [one, expect.stringContaining('2026-12-31')],
        [three, null],
        [four, null],
      ]),
    )
  })

  test('the administrator role keeps every right', async () => {
    const administrator = await roleNamed('Administrator')
    expect((await app.admin.patch(`/api/core/roles/${administrator}`, { grants: [] })).body).toMatchObject({
      code: 'ADMINISTRATOR_ROLE_FIXED',
    })
    expect((await app.admin.delete(`/api/core/roles/${administrator}`)).body).toMatchObject({
      code: 'ADMINISTRATOR_ROLE_FIXED',
    })
  })

  test('the last active administrator stays one', async () => {
    const { admin } = await app.secondWorkspace()
    const roles = await admin.get('/api/core/roles')
    const administrator = roles.body.data.find(({ system }: { system: boolean }) => system).id
    const made = (name: string) =>
      admin
        .post('/api/core/users', { name, email: `${name}.${Date.now()}@example.com`, roles: [administrator] })
        .then(async ({ body }) => {
          await signIn({ email: body.data.email, password: body.password })
          return body.data.id as string
        })
    const [anna, bruno] = [await made('Anna'), await made('Bruno')]
    expect((await admin.put(`/api/core/users/${anna}/roles`, { roles: [] })).status).toBe(200)
    const refusal = { status: 409, code: 'ADMINISTRATOR_NEEDED', detail: expect.stringContaining('Bruno') }
    expect((await admin.put(`/api/core/users/${bruno}/roles`, { roles: [] })).body).toMatchObject(refusal)
    expect((await admin.post(`/api/core/users/${bruno}/deactivate`)).body).toMatchObject(refusal)
    const until = { role: administrator, until: '2026-12-31T00:00:00Z' }
    expect((await admin.put(`/api/core/users/${bruno}/roles`, { roles: [until] })).body).toMatchObject(refusal)
    await admin.put(`/api/core/users/${anna}/roles`, { roles: [administrator] })
    expect((await admin.post(`/api/core/users/${bruno}/deactivate`)).status).toBe(200)
  })

  test('taking back that somebody was let out takes the right to let them in', async () => {
    const role = await app.admin.post('/api/core/roles', {
      name: `Strong ${Date.now()}`,
      grants: [{ resource: '*', action: '*', visibility: 'all' }],
    })
    const strong = await person({ roles: [role.body.data.id] })
    const out = await app.admin.post(`/api/core/users/${strong.id}/deactivate`)
    const undo = `/api/core/change-sets/${out.headers.get('x-change-set')}/undo`
    const clerk = await app.as({
      may: ['core.user.manage', 'core.user.read', 'core.user.update', 'core.changeset.undo'],
    })
    expect(await clerk.post(undo)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    expect((await app.admin.get(`/api/core/users/${strong.id}`)).body.data.state).toBe('inactive')
    expect((await app.admin.post(undo)).status).toBe(200)
    expect((await app.admin.get(`/api/core/users/${strong.id}`)).body.data.state).toBe('active')
  })

  test('who manages users cannot make an administrator, nor take over the account of one', async () => {
    const administrator = await roleNamed('Administrator')
    const boss = await person({ roles: [administrator] })
    const clerk = await app.as({ may: ['core.user.manage', 'core.apikey.manage'], grants: await grantsOf('Reader') })
    const made = await person()
    for (const attempt of [
      clerk.put(`/api/core/users/${made.id}/roles`, { roles: [administrator] }),
      clerk.post('/api/core/users', { name: 'Twin', email: `twin.${Date.now()}@example.com`, roles: [administrator] }),
      clerk.put(`/api/core/users/${boss.id}/roles`, { roles: [] }),
      clerk.post(`/api/core/users/${boss.id}/password-link`),
      clerk.post(`/api/core/users/${boss.id}/deactivate`),
      clerk.post('/api/core/api-keys', { name: 'Twin', role: administrator }),
    ]) {
      expect((await attempt).body).toMatchObject({
        status: 403,
        code: 'PERMISSION_DENIED',
        detail: expect.stringContaining('core.role.manage'),
      })
    }
    expect((await clerk.put(`/api/core/users/${made.id}/roles`, { roles: [await roleNamed('Reader')] })).status).toBe(
      200,
    )
  })

  test('who manages users but not roles gives, and touches holders of, only what they hold themselves', async () => {
    const clerk = await app.as({ may: ['core.user.manage', 'core.apikey.manage'], grants: await grantsOf('Reader') })
    const copy = await app.admin.post('/api/core/roles', { name: 'Twin', from: await roleNamed('Administrator') })
    const roles = await app.admin.post('/api/core/roles', { name: 'Roles alone', permissions: ['core.role.manage'] })
    const denied = { status: 403, code: 'PERMISSION_DENIED', detail: expect.stringContaining('core.role.manage') }
    for (const role of [copy.body.data.id, roles.body.data.id, await roleNamed('Integration')]) {
      const holder = await person({ roles: [role] })
      const guest = await app.admin.post('/api/core/users/invite', { email: `${role}@example.com`, roles: [role] })
      for (const [what, attempt] of Object.entries({
        own: clerk.put(`/api/core/users/${clerk.who.actor.id}/roles`, { roles: [role] }),
        key: clerk.post('/api/core/api-keys', { name: 'Mine', role }),
        taken: clerk.put(`/api/core/users/${holder.id}/roles`, { roles: [] }),
        password: clerk.post(`/api/core/users/${holder.id}/password-link`),
        factor: clerk.delete(`/api/core/users/${holder.id}/second-factor`),
        sessions: clerk.delete(`/api/core/users/${holder.id}/sessions`),
        deactivation: clerk.post(`/api/core/users/${holder.id}/deactivate`),
        invitation: clerk.post(`/api/core/users/${guest.body.data.id}/invite`),
      })) {
        expect((await attempt).body, what).toMatchObject(denied)
      }
    }
    const reader = await person({ roles: [await roleNamed('Reader')] })
    expect((await clerk.post(`/api/core/users/${reader.id}/password-link`)).status).toBe(200)
    const key = await clerk.post('/api/core/api-keys', { name: 'Mine', role: await roleNamed('Reader') })
    expect(key.status).toBe(201)
  })

  test('a role is held only as wide as every line, denial and field of it', async () => {
    const account = (action: string, more = {}) => ({ resource: 'core.account', action, visibility: 'all', ...more })
    const clerk = await app.as({
      may: ['core.user.manage'],
      grants: [
        { resource: 'core.account', action: 'read', visibility: 'team' },
        { resource: 'core.*', action: 'update', visibility: 'all', condition: 'name = "A"' },
        { resource: 'core.*', action: 'toggle', visibility: 'all' },
        { resource: 'core.contact', action: 'read', visibility: 'all' },
        { resource: 'core.contact', action: 'read', visibility: 'all', condition: 'lastName = "B"', deny: true },
        { resource: 'core.lead', action: 'read', visibility: 'all' },
      ],
      fields: [{ resource: 'core.lead', field: 'email', access: 'none' }],
    })
    const made = await person()
    const given = async (grants: unknown[], fields: unknown[] = []) => {
      const { body } = await app.admin.post('/api/core/roles', { name: `Held ${(names += 1)}`, grants, fields })
      return (await clerk.put(`/api/core/users/${made.id}/roles`, { roles: [body.data.id] })).status
    }
    const lead = { resource: 'core.lead', action: 'read', visibility: 'all' }
    const contact = { resource: 'core.contact', action: 'read', visibility: 'all' }
    expect(await given([account('read', { visibility: 'own' })])).toBe(200)
    expect(await given([account('read')])).toBe(403)
    expect(await given([account('update', { condition: 'name = "A"' })])).toBe(200)
    expect(await given([account('update')])).toBe(403)
    expect(await given([{ resource: 'core.plugin', action: 'toggle', visibility: 'all' }])).toBe(403)
    expect(await given([contact])).toBe(403)
    expect(await given([contact, { ...contact, condition: 'lastName = "B"', deny: true }])).toBe(200)
    expect(await given([lead])).toBe(403)
    expect(await given([lead], [{ resource: 'core.lead', field: 'email', access: 'none' }])).toBe(200)
  })

  test('the role editor is offered what is enabled here, in the actor’s language', async () => {
    const french = await app.as({ may: ['core.role.manage'], locale: 'fr' })
    const { body } = await french.get('/api/core/permissions')
    const account = body.data.resources.find(({ id }: { id: string }) => id === 'core.account')
    expect(account).toMatchObject({
      plugin: 'core',
      name: 'Comptes',
      actions: expect.arrayContaining(['read', 'update', 'export']),
    })
    expect(account.fields).toContainEqual({ name: 'name', label: 'Nom' })
    expect(body.data.permissions).toContainEqual(
      expect.objectContaining({ id: 'core.role.manage', title: 'Gérer les rôles, et par eux tous les droits' }),
    )
  })
})

describe('settings of a workspace', () => {
  test('a setting works in the next request and stands in the ledger', async () => {
    const other = await app.secondWorkspace()
    const { body } = await other.admin.get('/api/core/workspace')
    expect(body.data).toMatchObject({ name: 'Acme Distribution', baseCurrency: 'EUR', fiscalMonth: 1 })
    const change = { name: 'Amicale', baseCurrency: 'CHF', zone: 'Europe/Zurich', fiscalMonth: 9, locale: 'fr' }
    const changed = await other.admin.patch('/api/core/workspace', change)
    expect(changed.body.data).toMatchObject(change)
    const shell = await other.admin.get('/api/core/shell')
    expect(shell.body.workspace).toMatchObject(change)
    const history = await other.admin.get(`/api/core/workspace-settings/${other.workspace.id}/history`)
    expect(JSON.stringify(history.body)).toContain('Europe/Zurich')
  })

  test('a zone, a currency or a month that does not exist is named', async () => {
    for (const [field, value] of [
      ['zone', 'Europe/Atlantis'],
      ['baseCurrency', 'XXX9'],
      ['fiscalMonth', 13],
      ['ledgerMonths', 5],
      ['eventDays', 731],
      ['name', ' '],
    ]) {
      const { status, body } = await app.admin.patch('/api/core/workspace', { [String(field)]: value })
      expect(status).toBe(422)
      expect(body.errors[0].path).toBe(`/${field}`)
    }
  })

  test('two who change the same setting are told', async () => {
    const other = await app.secondWorkspace()
    const { version } = (await other.admin.get('/api/core/workspace')).body.data
    await other.admin.patch('/api/core/workspace', { name: 'First', version })
    const late = await other.admin.patch('/api/core/workspace', { name: 'Second', version })
    expect(late.body).toMatchObject({ code: 'VERSION_CONFLICT', status: 409 })
  })

  test('only who may manage them sees or changes them, and only of their own company', async () => {
    const colleague = await app.as({ may: ['core.workspace.read'] })
    expect((await colleague.patch('/api/core/workspace', { name: 'Mine' })).status).toBe(403)
    const other = await app.secondWorkspace()
    const { status } = await app.admin.get(`/api/core/workspace-settings/${other.workspace.id}`)
    expect(status).toBe(404)
  })

  test('demanding a second factor leaves sessions with a password alone one way: to set one up', async () => {
    const other = await app.secondWorkspace()
    expect((await other.admin.patch('/api/core/workspace', { secondFactor: 'required' })).status).toBe(200)
    const refused = await other.admin.get('/api/core/shell')
    expect(refused.body).toMatchObject({ code: 'SECOND_FACTOR_NEEDED', status: 403 })
    expect((await other.admin.get('/api/core/me/second-factor')).status).toBe(200)
  })
})

describe('teams', () => {
  const team = async (name: string, parent: string | null = null) => {
    const { body } = await app.admin.post('/api/core/teams', { name: `${name} ${(names += 1)}`, parent })
    return body.data.id as string
  }

  test('a move acts at once: the team sees its records and those of the teams below', async () => {
    const north = await team('North')
    const below = await team('North East', north)
    const south = await team('South')
    const rep = await person({ team: below })
    const { cookie: repCookie } = await signIn(rep)
    await app.admin.put(`/api/core/users/${rep.id}/roles`, { roles: [await roleNamed('Member')] })
    const lead = await send('POST', '/api/core/leads', { cookie: repCookie }, { lastName: 'Durand' })
    expect(lead.status).toBe(201)
    expect(lead.body.data).toMatchObject({ owner: rep.id, team: below })
    const watcher = await person({ roles: [await roleNamed('Reader')] })
    const { cookie } = await signIn(watcher)
    const sees = async () => (await send('GET', `/api/core/leads/${lead.body.data.id}`, { cookie })).status
    expect(await sees()).toBe(404)
    for (const [teams, status] of [
      [[north], 200],
      [[south], 404],
      [[below], 200],
      [[], 404],
    ] as const) {
      await app.admin.put(`/api/core/users/${watcher.id}/teams`, { teams: [...teams] })
      expect(await sees()).toBe(status)
    }
  })

  test('a membership ends on its day and is kept', async () => {
    const north = await team('North')
    const made = await person({ team: north })
    app.clock.set('2026-03-05T09:00:00Z')
    await app.admin.put(`/api/core/users/${made.id}/teams`, { teams: [] })
    const { body } = await app.admin.get(`/api/core/team-members?filter=${encodeURIComponent(`user = "${made.id}"`)}`)
    expect(body.data).toEqual([expect.objectContaining({ team: north, fromDate: '2026-03-02', toDate: '2026-03-05' })])
    app.clock.set(now)
  })

  test('a move that is planned happens on its day by itself, and the past stays', async () => {
    const [north, south] = [await team('North'), await team('South')]
    const rep = await person({ team: north, roles: [await roleNamed('Member')] })
    const path = (id: string) => `/api/core/teams/${id}/memberships`
    const [here] = (await app.admin.get(path(north))).body.data
    expect(here).toMatchObject({ user: rep.id, from: '2026-03-02', to: null })
    expect((await app.admin.patch(`${path(north)}/${here.id}`, { to: '2026-04-01' })).status).toBe(200)
    const planned = await app.admin.post(path(south), { user: rep.id, from: '2026-04-01' })
    expect(planned.body.data).toMatchObject({ from: '2026-04-01', to: null })
    const makes = async () => {
      const { cookie } = await signIn(rep)
      return (await send('POST', '/api/core/leads', { cookie }, { lastName: 'Durand' })).body.data.team
    }
    const homeOf = async () => (await app.admin.get(`/api/core/users/${rep.id}/access`)).body.data.teams
    expect(await makes()).toBe(north)
    app.clock.set('2026-04-01T09:00:00Z')
    expect(await makes()).toBe(south)
    await app.inside((ctx) => settleHomes.run(ctx))
    expect(await homeOf()).toEqual([
      { id: south, name: expect.stringContaining('South'), from: '2026-04-01', to: null, home: true },
    ])
    expect((await app.admin.get(path(north))).body.data).toMatchObject([{ user: rep.id, to: '2026-04-01' }])
    app.clock.set(now)
  })

  test('days that meet or run backwards are refused by name, and a membership is found in its team alone', async () => {
    const [north, south] = [await team('North'), await team('South')]
    const rep = await person({ team: north })
    const add = (body: object) => app.admin.post(`/api/core/teams/${north}/memberships`, { user: rep.id, ...body })
    expect((await add({ from: '2026-06-01' })).body).toMatchObject({ code: 'MEMBERSHIP_OVERLAPS', status: 409 })
    expect((await add({ from: '2026-02-01', to: '2026-02-01' })).body).toMatchObject({ code: 'MEMBERSHIP_BACKWARDS' })
    expect((await add({ from: '2026-02-30' })).status).toBe(422)
    const earlier = await add({ from: '2026-01-01', to: '2026-03-02' })
    expect(earlier.status).toBe(201)
    const elsewhere = `/api/core/teams/${south}/memberships/${earlier.body.data.id}`
    expect((await app.admin.patch(elsewhere, { to: null })).status).toBe(404)
    expect((await app.admin.delete(`/api/core/teams/${north}/memberships/${earlier.body.data.id}`)).status).toBe(204)
    const colleague = await app.as({})
    expect((await colleague.get(`/api/core/teams/${north}/memberships`)).status).toBe(403)
  })

  test('a team shows its lead and members and is removed when it is empty', async () => {
    const [anna, bruno] = [await person(), await person()]
    const id = await team('East')
    const changed = await app.admin.patch(`/api/core/teams/${id}`, { lead: anna.id, members: [anna.id, bruno.id] })
    expect(changed.body.data).toMatchObject({ lead: anna.id, members: expect.arrayContaining([anna.id, bruno.id]) })
    expect((await app.admin.delete(`/api/core/teams/${id}`)).body).toMatchObject({ status: 409, code: 'TEAM_IN_USE' })
    await app.admin.put(`/api/core/teams/${id}/members`, { members: [] })
    expect((await app.admin.delete(`/api/core/teams/${id}`)).status).toBe(204)
  })

  test('whom somebody else put in or took out since a list of members was made stays so', async () => {
    const [anna, bruno, carla, dario] = [await person(), await person(), await person(), await person()]
    const id = await team('Besides')
    const path = `/api/core/teams/${id}`
    await app.admin.patch(path, { members: [anna.id, bruno.id] })
    const membersSeen = [anna.id, bruno.id]
    // Somebody else puts Carla in and takes Bruno out meanwhile.
    expect((await app.admin.patch(path, { members: [anna.id, carla.id], membersSeen })).status).toBe(200)
    const { body } = await app.admin.put(`${path}/members`, { members: [anna.id, bruno.id, dario.id], membersSeen })
    expect(new Set(body.data.members)).toEqual(new Set([anna.id, carla.id, dario.id]))
  })

  test('another home team takes nobody out of the other teams they are in', async () => {
    const rep = await person()
    const [north, south, guild] = [await team('North'), await team('South'), await team('Guild')]
    await app.admin.patch(`/api/core/users/${rep.id}`, { teams: [north, guild] })
    const { body } = await app.admin.patch(`/api/core/users/${rep.id}`, { team: south })
    expect(body.data.team).toBe(south)
    const teams = async () =>
      (await app.admin.get(`/api/core/users/${rep.id}/access`)).body.data.teams
        .filter(({ to }: { to: string | null }) => to === null)
        .map(({ id, home }: { id: string; home: boolean }) => [id, home])
    expect(new Map(await teams())).toEqual(
      new Map([
        [south, true],
        [guild, false],
      ]),
    )
    await app.admin.patch(`/api/core/users/${rep.id}`, { team: null })
    expect(await teams()).toEqual([[guild, true]])
  })

  test('a team cannot stand below itself', async () => {
    const top = await team('Top')
    const middle = await team('Middle', top)
    const low = await team('Low', middle)
    const { body } = await app.admin.patch(`/api/core/teams/${top}`, { parent: low })
    expect(body).toMatchObject({ status: 409, code: 'TEAM_CYCLE_REFUSED', detail: expect.stringContaining('Low') })
    expect((await app.admin.patch(`/api/core/teams/${low}`, { parent: top })).status).toBe(200)
  })
})

describe('API keys', () => {
  const key = async (values: Record<string, unknown> = {}) => {
    const { status, body } = await app.admin.post('/api/core/api-keys', {
      name: 'Nightly sync',
      role: await roleNamed('Integration'),
      ...values,
    })
    expect(status).toBe(201)
    return { ...body.data, bearer: { authorization: `Bearer ${body.data.key}` } }
  }

  test('a key is shown once, works with its role, and is kept as a hash alone', async () => {
    const made = await key()
    expect(made.key).toMatch(/^socle_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/)
    const created = await send('POST', '/api/core/accounts', made.bearer, { name: 'By key' })
    expect(created.status).toBe(201)
    expect((await send('GET', '/api/core/roles', made.bearer)).status).toBe(403)
    const { body } = await app.admin.get('/api/core/api-keys')
    expect(body.data.find(({ id }: { id: string }) => id === made.id)).toMatchObject({
      start: made.key.slice(0, 14),
      roleName: 'Integration',
      createdBy: { name: 'Claire Admin' },
    })
    for (const path of [
      '/api/core/api-keys',
      `/api/core/api-keys/${made.id}`,
      `/api/core/api-keys/${made.id}/history`,
    ]) {
      expect(JSON.stringify((await app.admin.get(path)).body)).not.toContain(made.key.slice(15))
    }
    const history = await app.admin.get(`/api/core/accounts/${created.body.data.id}/history`)
    expect(history.body.data[0].actor).toMatchObject({ type: 'key', name: 'Nightly sync' })
  })

  test('a key that is altered, expired, revoked or used from elsewhere is refused with the reason', async () => {
    const use = (made: { bearer: { authorization: string } }) =>
      send('GET', '/api/core/me', made.bearer).then(({ body }) => body)
    const altered = await key()
    expect(await use({ bearer: { authorization: `${altered.bearer.authorization.slice(0, -1)}?` } })).toMatchObject({
      status: 401,
      code: 'API_KEY_UNKNOWN',
    })
    const other = altered.key[20] === 'A' ? 'B' : 'A'
    expect(
      await use({ bearer: { authorization: `Bearer ${altered.key.slice(0, 20)}${other}${altered.key.slice(21)}` } }),
    ).toMatchObject({ code: 'API_KEY_UNKNOWN' })
    const short = await key({ expiresInDays: 1 })
    expect(await use(short)).toHaveProperty('data')
    app.clock.advance('P1D')
    expect(await use(short)).toMatchObject({ status: 401, code: 'API_KEY_EXPIRED' })
    app.clock.set(now)
    const bound = await key({ addresses: ['198.51.100.0/24', '2001:db8::/32'] })
    expect(await use(bound)).toMatchObject({
      status: 403,
      code: 'API_KEY_ADDRESS_REFUSED',
      detail: expect.stringContaining('192.0.2.1'),
    })
    const near = await key({ addresses: ['192.0.2.0/24'] })
    expect(await use(near)).toHaveProperty('data')
    expect((await app.admin.post(`/api/core/api-keys/${near.id}/revoke`)).body.data.revokedAt).not.toBeNull()
    expect(await use(near)).toMatchObject({ status: 401, code: 'API_KEY_REVOKED' })
    const { body } = await app.admin.get('/api/core/api-keys')
    expect(body.data.map(({ id }: { id: string }) => id)).not.toContain(near.id)
  })

  test('what would be over before it begins is refused: a key, and a role', async () => {
    const past = { status: 422, code: 'END_IS_PAST', detail: expect.stringContaining('2020-01-01') }
    const role = await roleNamed('Reader')
    const expiresAt = '2020-01-01T00:00:00.000Z'
    expect((await app.admin.post('/api/core/api-keys', { name: 'Born dead', role, expiresAt })).body).toMatchObject(
      past,
    )
    const made = await person()
    const roles = [{ role, until: expiresAt }]
    expect((await app.admin.put(`/api/core/users/${made.id}/roles`, { roles })).body).toMatchObject(past)
  })

  test('a key that is revoked stays so: no undo brings it back', async () => {
    const made = (await app.admin.post('/api/core/api-keys', { name: 'Ended', role: await roleNamed('Reader') })).body
      .data
    const revoked = await app.admin.post(`/api/core/api-keys/${made.id}/revoke`)
    const changeSet = revoked.headers.get('x-change-set')
    expect((await app.admin.post(`/api/core/change-sets/${changeSet}/undo`)).status).toBe(409)
    const { body } = await app.admin.get(`/api/core/api-keys?revoked=true`)
    expect(body.data.find(({ id }: { id: string }) => id === made.id).revokedAt).not.toBeNull()
  })

  test('however many there are, all are listed, a page at a time, newest first, the revoked when they are asked for', async () => {
    const role = await roleNamed('Reader')
    const made: string[] = []
    for (const nth of [1, 2, 3])
      made.unshift((await app.admin.post('/api/core/api-keys', { name: `Page ${nth}`, role })).body.data.id)
    await app.admin.delete(`/api/core/api-keys/${made[1]}`)
    const listed = async (query: string) => {
      const all: string[] = []
      let count: number | undefined
      for (let after: string | null = ''; after !== null;) {
        const { body } = await app.admin.get(`/api/core/api-keys?limit=2${query}${after && `&after=${after}`}`)
        expect(body.data.length).toBeLessThanOrEqual(2)
        all.push(...body.data.map(({ id }: { id: string }) => id))
        ;({ next: after, count } = body.page)
        expect(body.page.exact).toBe(true)
      }
      expect(all).toHaveLength(count!)
      return all.slice(0, 3)
    }
    expect((await listed('')).slice(0, 2)).toEqual([made[0], made[2]])
    expect(await listed('&revoked=true')).toEqual(made)
    const wrong = await app.admin.get('/api/core/api-keys?after=nowhere')
    expect(wrong).toMatchObject({ status: 400, body: { code: 'CURSOR_INVALID' } })
  })

  test('a key gets a new secret and keeps the old one until it is over', async () => {
    const made = await key()
    const use = (secret: string) =>
      send('GET', '/api/core/me', { authorization: `Bearer ${secret}` }).then(({ status, body }) => body.code ?? status)
    const rotated = await app.admin.post(`/api/core/api-keys/${made.id}/rotate`, { oldForDays: 3 })
    const renewed = rotated.body.data
    expect(renewed).toMatchObject({
      id: made.id,
      start: made.start,
      oldUntil: '2026-03-05T09:00:00.000Z',
      oldUsedAt: null,
    })
    expect(renewed.key).not.toBe(made.key)
    expect([await use(made.key), await use(renewed.key)]).toEqual([200, 200])
    const listed = async () =>
      (await app.admin.get('/api/core/api-keys')).body.data.find(({ id }: { id: string }) => id === made.id)
    await expect.poll(async () => (await listed()).oldUsedAt).not.toBeNull()
    const third = await app.admin.post(`/api/core/api-keys/${made.id}/rotate`)
    expect(third.body).toMatchObject({ code: 'API_KEY_ROTATING', status: 409 })
    app.clock.advance('P3D')
    expect([await use(made.key), await use(renewed.key)]).toEqual(['API_KEY_SECRET_REPLACED', 200])
    expect(await listed()).toMatchObject({ oldUntil: null })
    expect((await app.admin.post(`/api/core/api-keys/${made.id}/rotate`)).status).toBe(200)
    expect(await use(made.key)).toBe('API_KEY_UNKNOWN')
    app.clock.set(now)
    const { body } = await app.admin.get(`/api/core/api-keys/${made.id}/history`)
    expect(JSON.stringify(body)).toContain('rotatedAt')
  })

  test('the old secret ends before its time when nobody needs it any more', async () => {
    const made = await key()
    const alone = await app.admin.delete(`/api/core/api-keys/${made.id}/old-secret`)
    expect(alone.body).toMatchObject({ code: 'API_KEY_NOT_ROTATING', status: 409 })
    const { body } = await app.admin.post(`/api/core/api-keys/${made.id}/rotate`)
    expect((await app.admin.delete(`/api/core/api-keys/${made.id}/old-secret`)).status).toBe(204)
    expect((await send('GET', '/api/core/me', made.bearer)).body).toMatchObject({ code: 'API_KEY_UNKNOWN' })
    const renewed = { authorization: `Bearer ${body.data.key}` }
    expect((await send('GET', '/api/core/me', renewed)).status).toBe(200)
    await app.admin.post(`/api/core/api-keys/${made.id}/revoke`)
    const late = await app.admin.post(`/api/core/api-keys/${made.id}/rotate`)
    expect(late.body).toMatchObject({ code: 'API_KEY_IS_REVOKED', status: 409 })
  })

  test('who manages keys but not roles gets no secret of an administrator’s key, nor ends one', async () => {
    const made = await key({ role: await roleNamed('Administrator') })
    const clerk = await app.as({ may: ['core.apikey.manage'] })
    const denied = { status: 403, code: 'PERMISSION_DENIED', detail: expect.stringContaining('core.role.manage') }
    expect((await clerk.post(`/api/core/api-keys/${made.id}/rotate`)).body).toMatchObject(denied)
    expect((await app.admin.post(`/api/core/api-keys/${made.id}/rotate`)).status).toBe(200)
    expect((await clerk.delete(`/api/core/api-keys/${made.id}/old-secret`)).body).toMatchObject(denied)
    expect((await send('GET', '/api/core/me', made.bearer)).status).toBe(200)
  })

  test('an old secret goes on for 30 days at most', async () => {
    const made = await key()
    const rotate = (oldUntil: string) => app.admin.post(`/api/core/api-keys/${made.id}/rotate`, { oldUntil })
    expect((await rotate('2026-04-02T09:00:00Z')).body).toMatchObject({
      status: 422,
      code: 'API_KEY_OLD_TOO_LONG',
      detail: expect.stringContaining('2026-04-01'),
    })
    expect((await rotate('2026-04-01T09:00:00Z')).status).toBe(200)
  })

  test('an address that is none is refused by name', async () => {
    const { body } = await app.admin.post('/api/core/api-keys', {
      name: 'x',
      role: await roleNamed('Reader'),
      addresses: ['10.0.0.300'],
    })
    expect(body).toMatchObject({ status: 422, code: 'ADDRESS_INVALID', detail: expect.stringContaining('10.0.0.300') })
  })

  test('a key of one company opens no other', async () => {
    const made = await key()
    const other = await app.secondWorkspace()
    const answer = await send('GET', '/api/core/accounts', { ...made.bearer, 'x-workspace': other.workspace.id })
    expect(answer.body).toMatchObject({ status: 403, code: 'WORKSPACE_NOT_YOURS' })
  })
})

describe('a key made by a key', () => {
  const makers = async (values: Record<string, unknown> = {}) => {
    const { body } = await app.admin.post('/api/core/roles', {
      name: `Maker ${(names += 1)}`,
      permissions: ['core.apikey.manage'],
      grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
    })
    const role: string = body.data.id
    return { role, ...(await made(await keyBy(app.admin, { name: 'Maker', role, ...values }))) }
  }
  const keyBy = (client: { post: TestClient['post'] }, values: Record<string, unknown>) =>
    client.post('/api/core/api-keys', { name: 'Made', ...values })
  const made = async ({ status, body }: { status: number; body: any }) => {
    expect(status, JSON.stringify(body)).toBe(201)
    const bearer = { authorization: `Bearer ${body.data.key}` }
    const post = (path: string, values: unknown = {}) => send('POST', path, bearer, values)
    return { id: String(body.data.id), data: body.data, bearer, post }
  }
  const use = async ({ bearer }: { bearer: Record<string, string> }, address = '192.0.2.1') => {
    const request = new Request('http://localhost/api/core/me', { headers: { ...origin, ...bearer } })
    const response = await app.app.fetch(request, { incoming: { socket: { remoteAddress: address } } })
    return ((await response.json()) as { code?: string }).code ?? response.status
  }

  test('says so, and ends with it and all that came from it', async () => {
    const first = await makers()
    const second = await made(await keyBy(first, { role: first.role }))
    const third = await made(await keyBy(second, { role: first.role }))
    const beside = await makers()
    expect(second.data).toMatchObject({ createdBy: null, madeByKey: { id: first.id, name: 'Maker' } })
    expect([await use(first), await use(second), await use(third)]).toEqual([200, 200, 200])
    await app.admin.post(`/api/core/api-keys/${first.id}/revoke`)
    const over = Array.from({ length: 3 }, () => 'API_KEY_REVOKED')
    expect([await use(first), await use(second), await use(third)]).toEqual(over)
    expect(await use(beside)).toBe(200)
    const { body } = await app.admin.get('/api/core/api-keys?revoked=true')
    const listed = (id: string) => body.data.find((it: { id: string }) => it.id === id)
    expect(listed(third.id)).toMatchObject({ madeByKey: { id: second.id }, revokedAt: expect.any(String) })
    const history = await app.admin.get(`/api/core/api-keys/${third.id}/history`)
    expect(history.body.data[0]).toMatchObject({ actor: { name: 'Claire Admin' }, changes: [{ field: 'revokedAt' }] })
  })

  test('ends with the person behind it', async () => {
    const { role } = await makers()
    const someone = await person({ roles: [role] })
    const { cookie } = await signIn(someone)
    const first = await made(await send('POST', '/api/core/api-keys', { cookie }, { name: 'Theirs', role }))
    const second = await made(await keyBy(first, { role }))
    expect(await use(second)).toBe(200)
    expect((await app.admin.post(`/api/core/users/${someone.id}/deactivate`)).status).toBe(200)
    expect([await use(first), await use(second)]).toEqual(['API_KEY_REVOKED', 'API_KEY_REVOKED'])
  })

  test('stays refused while the one it came from is, whatever is undone', async () => {
    const first = await makers()
    const second = await made(await keyBy(first, { role: first.role }))
    await app.admin.post(`/api/core/api-keys/${first.id}/revoke`)
    await sql`update core.api_key set revoked_at = null where id = ${second.id}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    app.app.kernel.parts.signals.send({ kind: 'permissions' })
    expect(await use(second)).toBe('API_KEY_REVOKED')
  })

  test('lives no longer, and may do no more, than its maker', async () => {
    const first = await makers({ expiresInDays: 10 })
    const within = { role: first.role, expiresInDays: 5 }
    expect((await keyBy(first, { role: first.role })).body).toMatchObject({
      status: 422,
      code: 'API_KEY_OUTLIVES_MAKER',
      detail: expect.stringContaining('2026-03-12'),
    })
    expect((await keyBy(first, { role: first.role, expiresInDays: 11 })).body.code).toBe('API_KEY_OUTLIVES_MAKER')
    const reader = await roleNamed('Reader')
    expect((await keyBy(first, { ...within, role: reader })).body).toMatchObject({ status: 403 })
    // Whoever manages roles gives any, and a key nevertheless only what it holds itself.
    const { body } = await app.admin.post('/api/core/roles', {
      name: `Roles ${(names += 1)}`,
      permissions: ['core.apikey.manage', 'core.role.manage'],
    })
    const roles = await made(await keyBy(app.admin, { role: body.data.id }))
    expect((await keyBy(roles, { role: reader })).body).toMatchObject({
      status: 403,
      code: 'API_KEY_GIVES_MORE',
      detail: expect.stringContaining('Reader'),
    })
    const second = await made(await keyBy(first, within))
    expect(await use(second)).toBe(200)
    app.clock.advance('P5D')
    expect([await use(first), await use(second)]).toEqual([200, 'API_KEY_EXPIRED'])
    app.clock.set(now)
  })

  test('loses with its maker what the maker’s role loses', async () => {
    const first = await makers()
    const narrower = await app.admin.post('/api/core/roles', {
      name: `Narrower ${(names += 1)}`,
      grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
    })
    const second = await made(await keyBy(first, { role: narrower.body.data.id }))
    expect(await use(second)).toBe(200)
    await app.admin.patch(`/api/core/roles/${first.role}`, { grants: [] })
    expect(await use(second)).toBe('API_KEY_MORE_THAN_MAKER')
    expect(await use(first)).toBe(200)
  })

  test('comes from nowhere else', async () => {
    const first = await makers({ addresses: ['192.0.2.0/24'] })
    const second = await made(await keyBy(first, { role: first.role }))
    expect([await use(second), await use(second, '198.51.100.7')]).toEqual([200, 'API_KEY_ADDRESS_REFUSED'])
  })

  test('a key renews itself and what it made, and no other key', async () => {
    const first = await makers()
    const second = await made(await keyBy(first, { role: first.role }))
    const other = await made(await keyBy(app.admin, { role: first.role, name: 'Other' }))
    const rotate = (it: { id: string }) => first.post(`/api/core/api-keys/${it.id}/rotate`)
    expect([(await rotate(first)).status, (await rotate(second)).status]).toEqual([200, 200])
    expect((await rotate(other)).body).toMatchObject({ status: 403, code: 'API_KEY_OF_OTHERS' })
  })
})

describe('secrets that are shown once', () => {
  test('stand in no kept answer, and a repeat is told so', async () => {
    const { cookie } = await signIn(await person({ roles: [await roleNamed('Administrator')] }))
    const repeated = `secret ${Date.now()}`
    const post = (path: string, body: unknown, at: string) =>
      send('POST', `/api/core${path}`, { cookie, 'idempotency-key': `${repeated} ${at}` }, body)
    const made = await person()
    const role = await roleNamed('Reader')
    const key = await post('/api-keys', { name: 'Once', role }, 'key')
    const secrets: string[] = []
    for (const [path, body] of [
      ['/api-keys', { name: 'Once', role }],
      [`/api-keys/${key.body.data.id}/rotate`, {}],
      ['/users', { name: 'Once', email: `once.${Date.now()}@example.com` }],
      ['/users/invite', { email: `once.guest.${Date.now()}@example.com` }],
      [`/users/${made.id}/password-link`, undefined],
    ] as const) {
      const first = await post(path, body, path)
      expect(first.status, path).toBeLessThan(300)
      const { data, password, link } = first.body
      secrets.push(password ?? link ?? data.key ?? data.link)
      const again = await post(path, body, path)
      expect(again.body, path).toMatchObject({ status: 409, code: 'SECRET_SHOWN_ONCE' })
    }
    const { rows } = await sql<{ status: number; body: string }>`
      select status, body from core.idempotency where key like ${`${repeated}%`}`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows).toHaveLength(6)
    for (const secret of secrets) {
      expect(secret).toEqual(expect.any(String))
      expect(JSON.stringify(rows)).not.toContain(secret)
    }
  })
})

describe('rights are written by their own permissions alone', () => {
  test('every right over all records hands out none over rights', async () => {
    const verbs = ['read', 'create', 'update', 'delete', 'restore', 'import', 'export']
    const strong = await app.as({
      grants: verbs.map((action) => ({ resource: '*', action, visibility: 'all' as const })),
    })
    const reader = await roleNamed('Reader')
    const made = await person()
    for (const attempt of [
      strong.post('/api/core/roles', { name: 'Mine', permissions: ['core.role.manage'] }),
      strong.post('/api/core/roles/bulk', { create: [{ name: 'Mine' }] }),
      strong.post('/api/core/role-assignments', { role: reader, user: made.id }),
      strong.post('/api/core/api-keys', { name: 'Mine', role: reader }),
      strong.post('/api/core/users', { name: 'Mine', email: 'mine@example.com' }),
      strong.patch(`/api/core/users/${made.id}`, { active: false }),
    ]) {
      expect([403, 404, 405]).toContain((await attempt).status)
    }
  })
})
