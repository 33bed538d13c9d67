import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hashed } from '../src/identity/hashed.ts'
import { IdentityWorld, anna, cookieOf, kinds, patience } from './identity-world.ts'

const refused = (code: string, status: number) => expect.objectContaining({ code, status })

describe.each(kinds)('signing in on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())

  test('the first administrator is made once, with a workspace and every right in it', async () => {
    expect(await world.identity.ensureFirstAdmin({ email: 'late@example.com', name: 'Late' })).toBeUndefined()
    const resolved = await world.resolve({ cookie: await world.cookie() })
    expect(resolved).toMatchObject({
      actor: { type: 'user', id: world.anna, name: 'Anna Lefèvre', locale: 'fr' },
      workspace: {
        id: world.workspace,
        slug: 'maison-garonne',
        name: 'Maison Garonne',
        locale: 'fr',
        zone: 'Europe/Paris',
        baseCurrency: 'EUR',
      },
    })
    expect(resolved?.authority.may('core.workspace.open')).toBe(true)
  })

  test('a session is a cookie no script can read, for fourteen days, and its token stands nowhere else', async () => {
    const answer = await world.signIn()
    expect(answer.status).toBe(200)
    const [cookie] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^socle\.session_token=.+; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax$/)
    const token = decodeURIComponent(cookieOf(answer)).split('=')[1]!.split('.')[0]!
    expect(await answer.text()).not.toContain(token)
  })

  test('a session survives a restart of the process', async () => {
    const cookie = await world.cookie()
    await world.start()
    expect(await world.resolve({ cookie })).toMatchObject({ actor: { id: world.anna } })
  })

  test('a session ends after fourteen days and says how to go on', async () => {
    const cookie = await world.cookie()
    world.clock.advance(14 * 86_400 - 1)
    expect(await world.resolve({ cookie })).toBeDefined()
    world.clock.advance(1)
    await expect(world.resolve({ cookie })).rejects.toMatchObject({
      code: 'SESSION_EXPIRED',
      status: 401,
      message: expect.stringContaining('Sign in again'),
    })
  })

  test('signing out ends the session everywhere at once', async () => {
    const cookie = await world.cookie()
    expect(await world.resolve({ cookie })).toBeDefined()
    const answer = await world.post('/api/auth/sign-out', {}, { cookie })
    expect(answer.headers.getSetCookie()[0]).toContain('Max-Age=0')
    await expect(world.resolve({ cookie })).rejects.toEqual(refused('SESSION_EXPIRED', 401))
  })

  test('a cookie that was not signed here is no session', async () => {
    const cookie = await world.cookie()
    expect(await world.resolve({ cookie: cookie.replace(/token=..../, 'token=AAAA') })).toBeUndefined()
    expect(await world.resolve({ cookie: 'socle.session_token=%E0%A4%A' })).toBeUndefined()
    expect(await world.resolve({})).toBeUndefined()
  })

  test('a wrong password and an unknown address are answered alike', async () => {
    const wrong = await world.signIn({ email: anna.email, password: 'not this one' }, '192.0.2.2')
    const unknown = await world.signIn({ email: 'nobody@example.com', password: 'not this one' }, '192.0.2.2')
    expect([wrong.status, unknown.status]).toEqual([401, 401])
    expect(await wrong.json()).toEqual(await unknown.json())
  })

  test('the address is the same in capitals', async () => {
    expect((await world.signIn({ email: 'ANNA@Example.com', password: anna.password })).status).toBe(200)
  })

  test('nobody signs up by themselves, and nothing else of the library is open', async () => {
    const answer = await world.post('/api/auth/sign-up/email', {
      email: 'x@example.com',
      password: 'three plain words',
      name: 'X',
    })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(await answer.json()).toMatchObject({ code: 'SIGN_IN_PATH_UNKNOWN' })
  })

  test('a body that is no sign-in names the field', async () => {
    const answer = await world.post('/api/auth/sign-in/email', { email: anna.email })
    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ path: '/password' }] })
  })
})

describe.each(kinds)('failing to sign in on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())

  const fail = (email = anna.email, address?: string) => world.signIn({ email, password: 'not this one' }, address)

  test('each failure waits twice as long as the one before, and the right password must wait too', async () => {
    for (let attempt = 1; attempt <= 4; attempt += 1) expect((await fail()).status).toBe(401)
    for (const seconds of [1, 2, 4, 8]) {
      const answer = await world.signIn()
      expect(answer.status).toBe(429)
      expect(answer.headers.get('retry-after')).toBe(String(seconds))
      expect(await answer.json()).toMatchObject({
        code: 'SIGN_IN_DELAYED',
        detail: expect.stringContaining(`in ${seconds} seconds`),
      })
      world.clock.advance(seconds)
      expect((await fail()).status).toBe(401)
    }
    world.clock.advance(16)
    expect((await world.signIn()).status).toBe(200)
    expect((await fail()).status).toBe(401)
  })

  test('the wait never grows beyond a quarter of an hour', async () => {
    for (let attempt = 0; attempt < 15; attempt += 1) {
      await fail('bruno@example.com')
      world.clock.advance(900)
    }
    await fail('bruno@example.com')
    expect((await fail('bruno@example.com')).headers.get('retry-after')).toBe('900')
  })

  test('a hundred attempts at the same moment are no hundred attempts', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => fail('carla@example.com', '192.0.2.9')))
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(4)
  })

  test('guessing from one machine does not lock the colleague at another', async () => {
    for (let attempt = 0; attempt < 8; attempt += 1) await fail(anna.email, '198.51.100.7')
    expect((await world.signIn(anna, '198.51.100.7')).status).toBe(429)
    expect((await world.signIn(anna, '192.0.2.1')).status).toBe(200)
  })

  test('an address in other letters is no other account', async () => {
    const named = (email: string) => sql`update core."user" set email = ${email}`.execute(world.database.owner)
    await named('iris@example.com')
    const iris = { email: 'iris@example.com', password: anna.password }
    const address = '203.0.113.40'
    expect((await world.signIn(iris, address)).status).toBe(200)
    for (const email of ['İris@example.com', 'IRİS@example.com', 'ırıs@example.com'])
      expect((await world.signIn({ ...iris, email }, address)).status, email).toBe(401)
    for (const email of ['iris@example.com', 'IRIS@example.com', ' Iris@example.com', 'iRis@example.com'])
      expect((await fail(email, address)).status).toBe(401)
    expect((await world.signIn(iris, address)).status).toBe(429)
    await named(anna.email)
  })

  test('addresses of one IPv6 network wait as one', async () => {
    const statuses: number[] = []
    for (const rest of ['::1', '::2', ':0:0:0:ffff', ':a:b:c:d', '::7'])
      statuses.push((await fail('emil@example.com', `2001:db8:1:2${rest}`)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 429])
    expect((await fail('emil@example.com', '2001:db8:1:3::1')).status).toBe(401)
  })

  test('the table of failures names nobody', async () => {
    await fail('dora@example.com')
    const { rows } = await sql<{ key: string }>`select key from core.sign_in_failure`.execute(world.database.owner)
    expect(JSON.stringify(rows)).not.toMatch(/dora|192\.0\.2/)
  })
})

describe.each(kinds)('a browser that signed in before on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())
  beforeEach(() => sql`delete from core.sign_in_failure`.execute(world.database.owner))

  const fail = (address: string, cookie?: string) =>
    world.signIn({ email: anna.email, password: 'not this one' }, address, cookie === undefined ? {} : { cookie })
  const enter = (address: string, cookie?: string) =>
    world.signIn(anna, address, cookie === undefined ? {} : { cookie })
  /** The cookie by which a browser is known, without the session’s. */
  const known = async (address = '192.0.2.1', before?: string): Promise<string> => {
    const answer = await enter(address, before)
    expect(answer.status).toBe(200)
    return cookieOf(answer)
      .split('; ')
      .find((it) => it.startsWith('socle.devices='))!
  }
  /** Guesses from so many networks that the account waits for everybody who is not known. */
  const attack = async () => {
    for (let nth = 1; nth <= 40; nth += 1) await fail(`198.51.100.${nth}`)
  }

  test('lets its person in while an outsider keeps the account waiting, from wherever they are', async () => {
    const cookie = await known()
    await attack()
    const elsewhere = await enter('203.0.113.5')
    expect(elsewhere.status).toBe(429)
    expect(await elsewhere.json()).toMatchObject({
      code: 'SIGN_IN_DELAYED',
      detail: expect.stringContaining('from a browser that has signed in with it before'),
    })
    expect((await enter('192.0.2.1', cookie)).status).toBe(200)
    expect((await enter('203.0.113.6', cookie)).status).toBe(200)
    // Nothing of the outsider’s is forgiven by it.
    expect((await enter('203.0.113.5')).status).toBe(429)
  })

  test('lets its person say their password again meanwhile', async () => {
    const answer = await enter('192.0.2.1')
    await attack()
    world.clock.advance(3_600)
    const body = { password: anna.password }
    const shown = await world.post('/api/core/me/presence', body, { cookie: cookieOf(answer) })
    expect(shown.status).toBe(204)
  })

  test('waits for its own failures alone', async () => {
    const [one, other] = [await known(), await known('192.0.2.2')]
    const statuses: number[] = []
    for (let nth = 1; nth <= 6; nth += 1) statuses.push((await fail(`192.0.2.${nth}`, one)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429])
    expect((await enter('192.0.2.1', one)).status).toBe(429)
    expect((await enter('192.0.2.1', other)).status).toBe(200)
    world.clock.advance(2)
    expect((await enter('192.0.2.1', one)).status).toBe(200)
  })

  test('together with all others known tries so often and no more', async () => {
    const [one, other, third] = [await known('192.0.2.1'), await known('192.0.2.2'), await known('192.0.2.3')]
    expect((await fail('192.0.2.1', one)).status).toBe(401)
    // As if many of them had failed since, each less often than it may.
    const together = hashed(`devices ${anna.email}`)
    const { rows } = await sql`
      update core.sign_in_failure set failures = 99 where key = ${together} returning failures`.execute(
      world.database.owner,
    )
    expect(rows).toHaveLength(1)
    expect((await fail('192.0.2.2', other)).status).toBe(401)
    expect((await fail('192.0.2.3', third)).status).toBe(429)
    world.clock.advance(2)
    expect((await enter('192.0.2.3', third)).status).toBe(200)
  })

  test('is known for its people alone: not for another address, not altered, not made up, not after half a year', async () => {
    const cookie = await known()
    await attack()
    const [name, value = ''] = cookie.split('=')
    const last = value.at(-1) === 'A' ? 'B' : 'A'
    const [day, random, signature] = value.split('.')
    const later = (Number.parseInt(day!, 16) + 90).toString(16)
    for (const forged of [
      `${value.slice(0, -5)}${last}${value.slice(-4)}`,
      `${later}.${random}.${signature}`,
      `${day}.${'A'.repeat(16)}.${signature}`,
      'nothing',
    ])
      expect((await enter('203.0.113.5', `${name}=${forged}`)).status, forged).toBe(429)
    const other = { email: 'somebody.else@example.com', password: 'not this one' }
    for (let nth = 1; nth <= 5; nth += 1) await world.signIn(other, '203.0.113.9', { cookie })
    expect((await world.signIn(other, '203.0.113.9', { cookie })).status).toBe(429)
    world.clock.advance(181 * 86_400)
    await attack()
    expect((await enter('203.0.113.5', cookie)).status).toBe(429)
  })

  test('stays known for who signed in with it earlier, and names nobody', async () => {
    const named = (email: string) => sql`update core."user" set email = ${email}`.execute(world.database.owner)
    const first = await known()
    await named('iris@example.com')
    const iris = { email: 'iris@example.com', password: anna.password }
    const shared = cookieOf(await world.signIn(iris, '192.0.2.1', { cookie: first }))
    await named(anna.email)
    expect(decodeURIComponent(shared)).not.toMatch(/anna|iris/)
    await attack()
    expect((await enter('203.0.113.5', shared)).status).toBe(200)
  })
})

describe.each(kinds)('a browser on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind, { trustedOrigins: ['https://portal.example.com'] })
  }, patience)
  afterAll(() => world.close())

  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    [
      'a page of another site, as the browser says it',
      { origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' },
    ],
    ['a page without an origin', { origin: 'null' }],
  ])('%s cannot write in the session', async (_, headers) => {
    const cookie = await world.cookie()
    await expect(world.resolve({ cookie, ...headers }, { method: 'POST' })).rejects.toEqual(
      refused('ORIGIN_REFUSED', 403),
    )
    expect(await world.resolve({ cookie, ...headers }, { method: 'GET' })).toBeDefined()
  })

  test.each([
    ['its own pages', { origin: 'http://localhost:3000', host: 'localhost:3000' }],
    [
      'its own pages behind a proxy that ends TLS',
      { origin: 'https://localhost:3000', host: 'localhost:3000', 'sec-fetch-site': 'same-origin' },
    ],
    ['a trusted origin', { origin: 'https://portal.example.com', 'sec-fetch-site': 'cross-site' }],
    ['a program without a page', {}],
  ])('%s may write in the session', async (_, headers) => {
    const cookie = await world.cookie()
    expect(await world.resolve({ cookie, ...headers }, { method: 'POST' })).toBeDefined()
  })

  test('a page of another site cannot sign a visitor in', async () => {
    const answer = await world.post('/api/auth/sign-in/email', anna, { origin: 'https://evil.example' })
    expect(answer.status).toBe(403)
  })

  test('cookies are Secure under an https address', async () => {
    await world.start({ baseUrl: 'https://crm.example.com' })
    const answer = await world.signIn()
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Secure-socle\.session_token=.*; Secure/)
    expect(await world.resolve({ cookie: cookieOf(answer) })).toBeDefined()
    await world.start()
  })

  test('a new password needs the old one and ends the other sessions', async () => {
    const [here, elsewhere] = [await world.cookie(), await world.cookie()]
    const wrong = await world.post(
      '/api/core/me/password',
      { currentPassword: 'not this one', newPassword: 'other plain words' },
      { cookie: here },
    )
    expect(wrong.status).toBe(401)
    const short = await world.post(
      '/api/core/me/password',
      { currentPassword: anna.password, newPassword: 'short' },
      { cookie: here },
    )
    expect(await short.json()).toMatchObject({ code: 'PASSWORD_TOO_SHORT', status: 422 })
    const changed = await world.post(
      '/api/core/me/password',
      { currentPassword: anna.password, newPassword: 'other plain words' },
      { cookie: here },
    )
    expect(changed.status).toBe(204)
    expect(await world.resolve({ cookie: here })).toBeDefined()
    await expect(world.resolve({ cookie: elsewhere })).rejects.toEqual(refused('SESSION_EXPIRED', 401))
    expect((await world.signIn({ email: anna.email, password: 'other plain words' })).status).toBe(200)
    await world.post(
      '/api/core/me/password',
      { currentPassword: 'other plain words', newPassword: anna.password },
      { cookie: here },
    )
  })

  test('the database role of requests reads no sign-in, no secret and no key', async () => {
    for (const table of [
      'core."user"',
      'core.session',
      'core.credential',
      'core.verification',
      'core.secret',
      'core.sign_in_failure',
      'core.api_key_secret',
    ]) {
      const read = world.database.transaction({ workspace: world.workspace, partner: '*' }, (tx) =>
        sql`select * from ${sql.raw(table)}`.execute(tx),
      )
      await expect(read, table).rejects.toThrow(/permission denied/)
    }
  })
})

describe.each(kinds)('several workspaces on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())

  test('one sign-in opens every workspace of a person, and the session remembers the last', async () => {
    const cookie = await world.cookie()
    const made = await world.post('/api/core/workspaces', { name: 'Société Valmy', baseCurrency: 'CHF' }, { cookie })
    expect(made.status).toBe(201)
    const { data: valmy } = (await made.json()) as { data: { id: string; slug: string } }
    expect(valmy).toMatchObject({ slug: 'societe-valmy', baseCurrency: 'CHF' })
    expect((await world.resolve({ cookie }))?.workspace.id).toBe(world.workspace)
    expect((await world.resolve({ cookie, 'x-workspace': 'societe-valmy' }))?.workspace.id).toBe(valmy.id)
    expect((await world.post('/api/core/me/workspace', { workspace: valmy.id }, { cookie })).status).toBe(204)
    const resolved = await world.resolve({ cookie })
    expect(resolved?.workspace.id).toBe(valmy.id)
    expect(resolved?.workspaces.map(({ name }) => name)).toEqual(['Maison Garonne', 'Société Valmy'])
    await world.post('/api/core/me/workspace', { workspace: world.workspace, partner: '*' }, { cookie })
  })

  test('a time zone or currency there is none of is refused as in the settings of an open one', async () => {
    const cookie = await world.cookie()
    const wanted = { name: 'Nowhere', zone: 'Mars/Base', baseCurrency: 'XYZ' }
    const answer = await world.post('/api/core/workspaces', wanted, { cookie })
    expect(await answer.json()).toMatchObject({
      status: 422,
      errors: [
        { path: '/zone', code: 'ZONE_UNKNOWN' },
        { path: '/baseCurrency', code: 'CURRENCY_UNKNOWN' },
      ],
    })
  })

  test('a second workspace of the same short name is refused by name', async () => {
    const cookie = await world.cookie()
    const answer = await world.post('/api/core/workspaces', { name: 'Other', slug: 'maison-garonne' }, { cookie })
    expect(await answer.json()).toMatchObject({
      code: 'SLUG_TAKEN',
      status: 409,
      detail: expect.stringContaining('maison-garonne'),
    })
  })

  test("another company's workspace is refused like one that does not exist", async () => {
    const other = await world.identity.createWorkspace({ name: 'Elsewhere' })
    const cookie = await world.cookie()
    for (const workspace of [other.id, 'nowhere']) {
      await expect(world.resolve({ cookie, 'x-workspace': workspace })).rejects.toEqual(
        refused('WORKSPACE_NOT_YOURS', 403),
      )
      expect((await world.post('/api/core/me/workspace', { workspace }, { cookie })).status).toBe(403)
    }
  })

  test('a person without an active membership cannot sign in and learns why only with the right password', async () => {
    const cookie = await world.cookie()
    await sql`update core.member set state = 'inactive'`.execute(world.database.owner)
    world.signals.send({ kind: 'permissions' })
    await expect(world.resolve({ cookie })).rejects.toEqual(refused('NO_WORKSPACE', 403))
    expect(await (await world.signIn()).json()).toMatchObject({ code: 'NO_WORKSPACE' })
    expect((await world.signIn({ email: anna.email, password: 'not this one' })).status).toBe(401)
    await sql`update core.member set state = 'active'`.execute(world.database.owner)
    world.signals.send({ kind: 'permissions' })
  })
})
