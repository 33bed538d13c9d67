import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { anna, codeOf, cookieOf, dataOf, IdentityWorld, kinds, patience } from './identity-world.ts'
import { SoftAuthenticator } from './soft-authenticator.ts'

const wrongCode = '000000'

describe.each(kinds)('an authenticator app on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())
  beforeEach(async () => {
    // Each test begins with a password alone, in a half minute of its own.
    await sql`delete from core.second_factor`.execute(world.database.owner)
    await sql`delete from core.sign_in_failure`.execute(world.database.owner)
    world.clock.advance(120)
  })

  /** Sets the app up in a new session; answers its secret, the recovery codes and the cookie. */
  async function setUp() {
    const cookie = await world.cookie()
    const begun = await world.post('/api/core/me/second-factor', {}, { cookie })
    expect(begun.status).toBe(201)
    const { secret, url } = await dataOf<{ secret: string; url: string }>(begun)
    const confirmed = await world.post(
      '/api/core/me/second-factor/confirm',
      { code: await codeOf(secret, world.clock) },
      { cookie },
    )
    expect(confirmed.status).toBe(200)
    const { recoveryCodes } = await dataOf<{ recoveryCodes: string[] }>(confirmed)
    world.clock.advance(60)
    return { cookie, secret, url, recoveryCodes }
  }

  async function passwordStep(): Promise<string> {
    const answer = await world.signIn()
    expect(await answer.json()).toEqual({ secondFactor: true })
    return cookieOf(answer)
  }

  const codeStep = (cookie: string, code: string, address?: string) =>
    world.post('/api/auth/sign-in/second-factor', { code }, { cookie }, address)

  test('it is set up by a secret and a first code, and signing in takes two steps from then on', async () => {
    const { secret, url, recoveryCodes } = await setUp()
    expect(url).toBe(
      `otpauth://totp/Socle%20localhost:anna%40example.com?secret=${secret}&issuer=Socle+localhost&digits=6&period=30`,
    )
    expect(new Set(recoveryCodes).size).toBe(10)
    const first = await world.signIn()
    expect(first.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^socle\.second_step=.+; Max-Age=600; Path=\/api\/auth; HttpOnly; SameSite=Strict$/),
    ])
    await expect(world.resolve({ cookie: cookieOf(first) })).resolves.toBeUndefined()
    const second = await codeStep(cookieOf(first), await codeOf(secret, world.clock))
    expect(second.status).toBe(200)
    expect(await world.resolve({ cookie: cookieOf(second) })).toMatchObject({
      actor: { id: world.anna },
      session: { strong: true },
    })
  })

  test('a wrong first code switches nothing on, and a set-up never begun is said so', async () => {
    const cookie = await world.cookie()
    const early = await world.post('/api/core/me/second-factor/confirm', { code: wrongCode }, { cookie })
    expect(await early.json()).toMatchObject({ code: 'SECOND_FACTOR_NOT_BEGUN', status: 409 })
    await world.post('/api/core/me/second-factor', {}, { cookie })
    const wrong = await world.post('/api/core/me/second-factor/confirm', { code: wrongCode }, { cookie })
    expect(await wrong.json()).toMatchObject({ code: 'SECOND_FACTOR_WRONG', status: 401 })
    expect((await world.signIn()).headers.getSetCookie()[0]).toContain('session_token')
  })

  test('setting it up ends the sessions that had a password alone', async () => {
    const elsewhere = await world.cookie()
    const { cookie } = await setUp()
    expect(await world.resolve({ cookie })).toMatchObject({ session: { strong: true } })
    await expect(world.resolve({ cookie: elsewhere })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
  })

  test('a code works once, in whatever session or process it comes back', async () => {
    const { secret } = await setUp()
    const code = await codeOf(secret, world.clock)
    const [one, other] = [await passwordStep(), await passwordStep()]
    expect((await codeStep(one, code)).status).toBe(200)
    await world.start()
    const again = await codeStep(other, code)
    expect(await again.json()).toMatchObject({ code: 'SECOND_FACTOR_WRONG', status: 401 })
    world.clock.advance(60)
    expect((await codeStep(other, await codeOf(secret, world.clock))).status).toBe(200)
  })

  test('of many who come with one code at the same moment one is let in', async () => {
    const { secret } = await setUp()
    const code = await codeOf(secret, world.clock)
    const steps = await Promise.all(Array.from({ length: 4 }, () => passwordStep()))
    const answers = await Promise.all(steps.map((step, nth) => codeStep(step, code, `192.0.2.${nth + 10}`)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('a code of half a minute ago is right, one of two minutes ago is not', async () => {
    const { secret } = await setUp()
    const [late, tooLate] = [await passwordStep(), await passwordStep()]
    world.clock.advance(120)
    const old = await codeOf(secret, world.clock)
    world.clock.advance(30)
    expect((await codeStep(late, old)).status).toBe(200)
    const older = await codeOf(secret, world.clock)
    world.clock.advance(120)
    expect((await codeStep(tooLate, older)).status).toBe(401)
  })

  test('a recovery code opens the door once, and new ones end the old', async () => {
    const { cookie, recoveryCodes } = await setUp()
    const [first, second] = recoveryCodes as [string, string]
    expect((await codeStep(await passwordStep(), first)).status).toBe(200)
    expect((await codeStep(await passwordStep(), first)).status).toBe(401)
    const state = await world.get('/api/core/me/second-factor', { cookie })
    expect(await state.json()).toMatchObject({ data: { recoveryCodesLeft: 9, since: expect.any(String) } })
    const renewed = await world.post('/api/core/me/second-factor/recovery-codes', {}, { cookie })
    expect((await dataOf<{ recoveryCodes: string[] }>(renewed)).recoveryCodes).toHaveLength(10)
    expect((await codeStep(await passwordStep(), second)).status).toBe(401)
    const { rows } = await sql`select encode(hash, 'escape') as hash from core.recovery_code`.execute(
      world.database.owner,
    )
    expect(JSON.stringify(rows)).not.toContain(second)
  })

  test('guessing codes waits longer each time, however many passwords steps are begun', async () => {
    const { secret } = await setUp()
    for (let attempt = 0; attempt < 4; attempt += 1)
      expect((await codeStep(await passwordStep(), wrongCode)).status).toBe(401)
    const delayed = await codeStep(await passwordStep(), await codeOf(secret, world.clock))
    expect(delayed.status).toBe(429)
    expect(delayed.headers.get('retry-after')).toBe('1')
  })

  test('the step between password and code lasts ten minutes', async () => {
    const { secret } = await setUp()
    const cookie = await passwordStep()
    world.clock.advance(601)
    const late = await codeStep(cookie, await codeOf(secret, world.clock))
    expect(await late.json()).toMatchObject({ code: 'SIGN_IN_STEP_GONE', status: 401 })
    const none = await codeStep('', await codeOf(secret, world.clock))
    expect(await none.json()).toMatchObject({ code: 'SIGN_IN_STEP_GONE' })
  })

  test('a sign-in half done with the old password ends when the password changes', async () => {
    const { cookie, secret } = await setUp()
    const halfway = await passwordStep()
    const change = (currentPassword: string, newPassword: string) =>
      world.post('/api/core/me/password', { currentPassword, newPassword }, { cookie })
    expect((await change(anna.password, 'other plain words')).status).toBe(204)
    const late = await codeStep(halfway, await codeOf(secret, world.clock))
    expect(await late.json()).toMatchObject({ code: 'SIGN_IN_STEP_GONE' })
    expect((await change('other plain words', anna.password)).status).toBe(204)
  })

  test('a session of some time ago confirms who it is before it changes the second factor, by password or code', async () => {
    const { cookie, secret } = await setUp()
    world.clock.advance(3_600)
    const remove = () => world.send('DELETE', '/api/core/me/second-factor', {}, { cookie })
    const present = (shown: object) => world.post('/api/core/me/presence', shown, { cookie })
    const state = () => world.get('/api/core/me/presence', { cookie }).then(dataOf)
    expect(await (await remove()).json()).toMatchObject({ code: 'CONFIRMATION_NEEDED', status: 403 })
    const ways = { password: true, app: true, passkey: false, provider: null }
    expect(await state()).toEqual({ until: null, ways })
    expect((await present({ password: 'not this one' })).status).toBe(401)
    expect((await present({ code: '000000' })).status).toBe(401)
    expect((await remove()).status).toBe(403)
    expect((await present({ code: await codeOf(secret, world.clock) })).status).toBe(204)
    expect(await state()).toEqual({ until: new Date(world.clock.now().getTime() + 900_000).toISOString(), ways })
    world.clock.advance(901)
    expect((await remove()).status).toBe(403)
    expect((await present({ password: anna.password })).status).toBe(204)
    expect((await remove()).status).toBe(204)
    expect((await world.signIn()).headers.getSetCookie()[0]).toContain('session_token')
  })

  test('guessing a code to confirm who it is waits as guessing one to come in does', async () => {
    const { cookie } = await setUp()
    const statuses: number[] = []
    for (let guess = 0; guess < 6; guess += 1)
      statuses.push((await world.post('/api/core/me/presence', { code: `00000${guess}` }, { cookie })).status)
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429])
  })

  test('a second one is refused while there is one', async () => {
    const { cookie } = await setUp()
    const twice = await world.post('/api/core/me/second-factor', {}, { cookie })
    expect(await twice.json()).toMatchObject({ code: 'SECOND_FACTOR_ON', status: 409 })
  })

  test('a copy of the table tells no secret', async () => {
    const { secret } = await setUp()
    const { rows } = await sql`select * from core.second_factor`.execute(world.database.owner)
    expect(JSON.stringify(rows)).not.toContain(secret)
  })
})

describe.each(kinds)('a workspace that demands a second factor on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
    await world.demandSecondFactor('required')
  }, patience)
  afterAll(() => world.close())

  test('lets nobody work with a password alone, and lets them set one up', async () => {
    const cookie = await world.cookie()
    await expect(world.resolve({ cookie })).rejects.toMatchObject({ code: 'SECOND_FACTOR_NEEDED', status: 403 })
    const state = await world.get('/api/core/me/second-factor', { cookie })
    expect(await state.json()).toMatchObject({ data: { since: null, strong: false, demandedBy: ['Maison Garonne'] } })
    const begun = await world.post('/api/core/me/second-factor', {}, { cookie })
    const { secret } = await dataOf<{ secret: string }>(begun)
    await world.post('/api/core/me/second-factor/confirm', { code: await codeOf(secret, world.clock) }, { cookie })
    expect(await world.resolve({ cookie })).toMatchObject({ actor: { id: world.anna } })
    const removed = await world.send('DELETE', '/api/core/me/second-factor', {}, { cookie })
    expect(await removed.json()).toMatchObject({
      code: 'SECOND_FACTOR_DEMANDED',
      detail: expect.stringContaining('Maison Garonne'),
    })
  })

  test('keeps the last one of several that are taken away at the same moment', async () => {
    await sql`delete from core.second_factor`.execute(world.database.owner)
    const cookie = await world.cookie()
    const addPasskey = async () => {
      const asked = await dataOf<{ challenge: string }>(
        await world.post('/api/core/me/passkeys/options', {}, { cookie }),
      )
      const response = new SoftAuthenticator('http://localhost:3000').make(asked)
      const made = await world.post('/api/core/me/passkeys', { name: 'One', response }, { cookie })
      return `passkeys/${(await dataOf<{ id: string }>(made)).id}`
    }
    const takeAway = async (...paths: string[]) => {
      const taken = paths.map((path) => world.send('DELETE', `/api/core/me/${path}`, undefined, { cookie }))
      return (await Promise.all(taken)).map(({ status }) => status).toSorted((a, b) => a - b)
    }
    const passkeys = [await addPasskey(), await addPasskey(), await addPasskey(), await addPasskey()]
    expect(await takeAway(...passkeys)).toEqual([204, 204, 204, 409])
    const { secret } = await dataOf<{ secret: string }>(await world.post('/api/core/me/second-factor', {}, { cookie }))
    world.clock.advance(60)
    const code = await codeOf(secret, world.clock)
    expect((await world.post('/api/core/me/second-factor/confirm', { code }, { cookie })).status).toBe(200)
    const [left] = await dataOf<{ id: string }[]>(await world.get('/api/core/me/passkeys', { cookie }))
    expect(await takeAway('second-factor', `passkeys/${left!.id}`)).toEqual([204, 409])
  })
})

describe.each(kinds)('passkeys on %s', (kind) => {
  const origin = 'http://localhost:3000'
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())

  const options = async (path: string, cookie = '') => {
    const answer = await world.post(path, {}, { cookie })
    expect(answer.status).toBe(200)
    return dataOf<{ challenge: string }>(answer)
  }
  const question = () => options('/api/auth/passkey/options')

  async function register(cookie: string, name: string): Promise<SoftAuthenticator> {
    const device = new SoftAuthenticator(origin)
    const response = device.make(await options('/api/core/me/passkeys/options', cookie))
    const made = await world.post('/api/core/me/passkeys', { name, response }, { cookie })
    expect(made.status).toBe(201)
    return device
  }

  const enter = (response: unknown) => world.post('/api/auth/sign-in/passkey', { response })

  test('several are registered with names, open the door without a password, and are removed', async () => {
    const cookie = await world.cookie()
    const telephone = await register(cookie, 'Téléphone')
    const laptop = await register(cookie, 'Portable')
    const entered = await enter(telephone.answer(await question()))
    expect(entered.status).toBe(200)
    expect(await world.resolve({ cookie: cookieOf(entered) })).toMatchObject({
      actor: { id: world.anna },
      session: { strong: true },
    })
    const listed = await dataOf<{ id: string }[]>(await world.get('/api/core/me/passkeys', { cookie }))
    expect(listed).toMatchObject([
      { name: 'Téléphone', lastUsedAt: expect.any(String) },
      { name: 'Portable', lastUsedAt: null },
    ])
    await world.send('PATCH', `/api/core/me/passkeys/${listed[1]!.id}`, { name: 'Bureau' }, { cookie })
    await world.start()
    expect((await enter(laptop.answer(await question()))).status).toBe(200)
    const removed = await world.send('DELETE', `/api/core/me/passkeys/${listed[0]!.id}`, {}, { cookie })
    expect(removed.status).toBe(204)
    expect((await enter(telephone.answer(await question()))).status).toBe(401)
    const left = await dataOf(await world.get('/api/core/me/passkeys', { cookie }))
    expect(left).toMatchObject([{ name: 'Bureau' }])
  })

  test('an answer opens the door once', async () => {
    const device = await register(cookieOf(await strongly()), 'Once')
    const answer = device.answer(await question())
    expect((await enter(answer)).status).toBe(200)
    expect(await (await enter(answer)).json()).toMatchObject({ code: 'PASSKEY_REFUSED', status: 401 })
  })

  /** Anna by a passkey: who has one no longer changes it with a password alone. */
  let key: SoftAuthenticator | undefined
  async function strongly(): Promise<Response> {
    if (!key) {
      await sql`delete from core.passkey`.execute(world.database.owner)
      key = await register(await world.cookie(), 'Main')
    }
    return enter(key.answer(await question()))
  }

  test.each([
    ['given on another site', { origin: 'https://evil.example' }],
    ['without finger, face or PIN', { verified: false }],
  ])('an answer %s opens nothing', async (_, how) => {
    const device = await register(cookieOf(await strongly()), 'Elsewhere')
    expect((await enter(device.answer(await question(), how))).status).toBe(401)
  })

  test('an answer to a question nobody asked, or asked five minutes ago, opens nothing', async () => {
    const device = await register(cookieOf(await strongly()), 'Late')
    expect((await enter(device.answer({ challenge: 'AAAA' }))).status).toBe(401)
    const late = await question()
    world.clock.advance(301)
    expect((await enter(device.answer(late))).status).toBe(401)
  })

  test('a password alone adds no passkey beside the one there is', async () => {
    await strongly()
    const cookie = await world.cookie()
    const answer = await world.post('/api/core/me/passkeys/options', {}, { cookie })
    expect(await answer.json()).toMatchObject({ code: 'SECOND_FACTOR_NEEDED', status: 403 })
  })

  test('a password alone changes no password and ends no session of who has a passkey', async () => {
    const strong = cookieOf(await strongly())
    const cookie = await world.cookie()
    const change = { currentPassword: anna.password, newPassword: 'other plain words' }
    const needed = { code: 'SECOND_FACTOR_NEEDED', status: 403 }
    expect(await (await world.post('/api/core/me/password', change, { cookie })).json()).toMatchObject(needed)
    const ended = await world.send('DELETE', '/api/core/me/sessions', undefined, { cookie })
    expect(await ended.json()).toMatchObject(needed)
    expect(await world.resolve({ cookie: strong })).toBeDefined()
  })

  test('a passkey that is none is not found', async () => {
    const cookie = cookieOf(await strongly())
    const path = '/api/core/me/passkeys/no-uuid'
    expect((await world.send('PATCH', path, { name: 'Mine' }, { cookie })).status).toBe(404)
    expect((await world.send('DELETE', path, {}, { cookie })).status).toBe(404)
  })

  test('a passkey made for another person’s question is refused', async () => {
    const cookie = cookieOf(await strongly())
    const { challenge } = await options('/api/core/me/passkeys/options', cookie)
    await sql`update core.verification set value = ${JSON.stringify({ user: crypto.randomUUID() })} where identifier like 'passkey-register%'`.execute(
      world.database.owner,
    )
    const response = new SoftAuthenticator(origin).make({ challenge })
    const made = await world.post('/api/core/me/passkeys', { name: 'Mine', response }, { cookie })
    expect(await made.json()).toMatchObject({ code: 'PASSKEY_REFUSED' })
  })

  test('a passkey confirms who it is, of its own person alone', async () => {
    const cookie = cookieOf(await strongly())
    world.clock.advance(3_600)
    const present = async (response: unknown) =>
      (await world.post('/api/core/me/presence', { passkey: response }, { cookie })).status
    const answer = key!.answer(await question())
    expect(await present(answer)).toBe(204)
    expect(await present(answer), 'twice').toBe(401)
    const stranger = crypto.randomUUID()
    await sql`insert into core."user" (id, name, email) values (${stranger}, 'Stranger', 'stranger@example.com')`.execute(
      world.database.owner,
    )
    const moved = (user: string) =>
      sql`update core.passkey set user_id = ${user} where name = 'Main'`.execute(world.database.owner)
    await moved(stranger)
    expect(await present(key!.answer(await question())), 'of somebody else').toBe(401)
    await moved(world.anna)
  })

  test('who has nothing else keeps the last one, and chooses a password by showing who they are', async () => {
    const cookie = cookieOf(await strongly())
    await sql`update core.credential set password = null`.execute(world.database.owner)
    const keys = await dataOf<{ id: string; name: string }[]>(await world.get('/api/core/me/passkeys', { cookie }))
    const main = keys.find(({ name }) => name === 'Main')!
    const remove = (id: string) => world.send('DELETE', `/api/core/me/passkeys/${id}`, {}, { cookie })
    for (const { id } of keys) if (id !== main.id) expect((await remove(id)).status).toBe(204)
    expect(await (await remove(main.id)).json()).toMatchObject({ status: 409, code: 'LAST_WAY_IN' })
    const choose = () => world.post('/api/core/me/password', { newPassword: anna.password }, { cookie })
    world.clock.advance(3_600)
    expect(await (await choose()).json()).toMatchObject({ code: 'CONFIRMATION_NEEDED' })
    await world.post('/api/core/me/presence', { passkey: key!.answer(await question()) }, { cookie })
    expect((await choose()).status).toBe(204)
    expect((await remove(main.id)).status).toBe(204)
    expect((await world.signIn()).status).toBe(200)
  })
})

describe.each(kinds)('open sessions on %s', (kind) => {
  let world: IdentityWorld
  beforeAll(async () => {
    world = await IdentityWorld.open(kind)
  }, patience)
  afterAll(() => world.close())

  const listed = async (cookie: string) =>
    dataOf<{ id: string; isThis: boolean }[]>(await world.get('/api/core/me/sessions', { cookie }))

  test('are listed with device, address and last visit, and end one by one or all others', async () => {
    const here = cookieOf(await world.signIn(anna, '192.0.2.44', { 'user-agent': 'Firefox' }))
    const [one, two, three] = [await world.cookie(), await world.cookie(), await world.cookie()]
    const all = await listed(here)
    expect(all).toHaveLength(4)
    expect(all[0]).toMatchObject({
      isThis: true,
      userAgent: 'Firefox',
      address: '192.0.2.44',
      seenAt: expect.any(String),
      createdAt: world.clock.now().toISOString(),
    })
    const other = (await listed(one)).find(({ isThis }) => isThis)!
    expect((await world.send('DELETE', `/api/core/me/sessions/${other.id}`, undefined, { cookie: here })).status).toBe(
      204,
    )
    await expect(world.resolve({ cookie: one })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(await world.resolve({ cookie: two })).toBeDefined()
    expect((await world.send('DELETE', '/api/core/me/sessions', undefined, { cookie: here })).status).toBe(204)
    await expect(world.resolve({ cookie: three })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(await listed(here)).toHaveLength(1)
  })

  test('last as long as the deployment says, two weeks when it says nothing', async () => {
    const [day, hour] = [86_400, 3_600]
    const usual = await world.cookie()
    await world.start({ sessionHours: 24 })
    const short = await world.cookie()
    world.clock.advance(day - 1)
    expect(await world.resolve({ cookie: short })).toBeDefined()
    world.clock.advance(hour)
    await expect(world.resolve({ cookie: short })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(await world.resolve({ cookie: usual })).toBeDefined()
    world.clock.advance(13 * day)
    await expect(world.resolve({ cookie: usual })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    await world.start()
  })

  test('of somebody else cannot be ended by guessing their id', async () => {
    const cookie = await world.cookie()
    for (const id of [crypto.randomUUID(), 'no-id']) {
      const answer = await world.send('DELETE', `/api/core/me/sessions/${id}`, undefined, { cookie })
      expect(await answer.json()).toMatchObject({ code: 'RECORD_NOT_FOUND', status: 404 })
    }
  })

  test('a new sign-in has a new token and ends the one the browser had', async () => {
    const before = await world.cookie()
    const after = cookieOf(await world.signIn(anna, undefined, { cookie: before }))
    expect(after).not.toBe(before)
    await expect(world.resolve({ cookie: before })).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(await world.resolve({ cookie: after })).toBeDefined()
  })
})
