import { sql } from 'kysely'
import { salesPlugin } from '@socle/sales'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PartnerPeople } from '../src/identity/partner-people.ts'
import { createTestApp, type TestAnswer, type TestApp, type TestClient } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'
import { atlas, boreal, dealsPlugin, personOf } from './partner-world.ts'

let app: TestApp
let ana: TestClient
let bert: TestClient
let own: string
let foreign: string
let account: string

const never = '0193d1a2-0000-7000-8000-0000000000ff'

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, dealsPlugin], now: '2026-03-02T09:00:00Z' })
  ana = await app.as(personOf(atlas, 'Ana'))
  bert = await app.as(personOf(boreal, 'Bert'))
  account = (await app.admin.post('/api/core/accounts', { name: 'Secret Garonne' })).body.data.id
  await app.admin.post('/api/core/contacts', { lastName: 'Secret', account })
  await app.admin.post('/api/sales/opportunities', { name: 'Secret oven', account, amount: '10' })
  own = (await ana.post('/api/deals/deals', { name: 'Bakery', amount: '5' })).body.data.id
  foreign = (await bert.post('/api/deals/deals', { name: 'Secret butcher', amount: '7' })).body.data.id
  await app.app.start()
})
afterAll(() => app[Symbol.asyncDispose]())

/** What is the same for a foreign and an absent record: everything but the ids. */
const shape = ({ status, body }: { status: number; body: unknown }) => ({
  status,
  body: JSON.stringify(body)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
    .replaceAll(/"requestId":"[^"]*"/g, ''),
})

const holdsNothingSecret = (answer: { body: unknown }, where: string) =>
  expect(JSON.stringify(answer.body), where).not.toContain('Secret')

test('every resource answers a list, and only their own rows stand in it', async () => {
  for (const { id, plugin, path, title } of app.app.kernel.parts.catalog.all()) {
    const answer = await ana.get(`/api/${plugin}/${path}?count=exact`)
    expect([200, 403], id).toContain(answer.status)
    holdsNothingSecret(answer, id)
    if (answer.status !== 200) continue
    const expected = id === 'deals.deal' ? ['Bakery'] : id === 'core.user' ? ['Ana'] : []
    const rows = answer.body.data as { [field: string]: unknown }[]
    expect(
      rows.map((row) => row[title]),
      id,
    ).toEqual(expected)
    // The workspace is what they are guests in.
    if (answer.body.page?.exact) expect(answer.body.page.count, id).toBe(expected.length)
  }
})

test('a record of others is answered like one that never was, whatever is asked of it', async () => {
  for (const [route, id] of [
    ['/api/deals/deals', foreign],
    ['/api/core/accounts', account],
  ] as const) {
    for (const [method, path, sent] of [
      ['GET', '', undefined],
      ['GET', '?asOf=2026-03-02T08:59:00Z', undefined],
      ['PATCH', '', { version: 1, name: 'Stolen' }],
      ['DELETE', '?version=1', undefined],
      ['POST', '/restore', {}],
      ['GET', '/history', undefined],
      ['GET', '/timeline', undefined],
      ['GET', '/merges', undefined],
      ['GET', '/duplicates', undefined],
    ] as const) {
      const theirs = await ana.send(method, `${route}/${id}${path}`, sent)
      const absent = await ana.send(method, `${route}/${never}${path}`, sent)
      expect(shape(theirs), `${method} ${route}${path}`).toEqual(shape(absent))
      expect(theirs.status, `${method} ${route}${path}`).toBe(404)
    }
  }
})

test('search, picker, figures, boards and likely twins know their own alone', async () => {
  const answers = {
    search: await ana.get('/api/core/search?q=secret'),
    picker: await ana.get('/api/core/search?q=secr&type=core.account,deals.deal'),
    found: await ana.get('/api/deals/deals?q=butcher'),
    loosely: await ana.get('/api/deals/deals?q=utche'),
    twins: await ana.post('/api/deals/deals/duplicates', { name: 'Secret butcher' }),
    twinsOfAccounts: await ana.post('/api/core/accounts/duplicates', { name: 'Secret Garonne' }),
    pairs: await ana.get('/api/core/accounts/duplicates'),
  }
  for (const [where, answer] of Object.entries(answers)) {
    expect([200, 403], where).toContain(answer.status)
    expect(answer.body.data ?? [], where).toEqual([])
  }
  expect((await ana.get('/api/core/search?q=baker')).body.data).toMatchObject([{ resource: 'deals.deal', id: own }])
  const sum = { groupBy: ['stage'], measures: ['count', 'sum:amount'] }
  expect((await ana.post('/api/deals/deals/aggregate', sum)).body.data).toMatchObject([
    { key: { stage: 'open' }, count: 1, 'sum:amount': '5.0000' },
  ])
  expect((await ana.post('/api/core/accounts/aggregate', { measures: ['count'] })).body.data).toMatchObject([
    { count: 0 },
  ])
  const board = await ana.post('/api/deals/deals/board', { by: 'stage' })
  expect(board.status).toBe(200)
  holdsNothingSecret(board, 'board')
  expect(JSON.stringify(board.body)).toContain('Bakery')
})

test('an account named as a reference is unknown, so that it cannot be guessed at', async () => {
  const guess = await ana.post('/api/deals/deals', { name: 'Guess', account })
  const absent = await ana.post('/api/deals/deals', { name: 'Guess', account: never })
  expect(guess).toMatchObject({ status: 422, body: { errors: [{ path: '/account', code: 'REFERENCE_UNKNOWN' }] } })
  expect(shape(guess)).toEqual(shape(absent))
  const path = await ana.get(`/api/deals/deals?filter=${encodeURIComponent('account.name ~ "Garonne"')}`)
  expect(path.body.data).toEqual([])
})

describe('writing', () => {
  test('carries their own partner, unasked', async () => {
    const made = await ana.post('/api/deals/deals', { name: 'Grocer' })
    expect(made.body.data).toMatchObject({ partner: atlas, number: expect.stringMatching(/^DR-2026-/) })
    expect((await bert.get(`/api/deals/deals/${made.body.data.id}`)).status).toBe(404)
  })

  test('for another partner, or where a record would be nobody’s, is refused in words', async () => {
    for (const partner of [boreal, null]) {
      const made = await ana.post('/api/deals/deals', { name: 'Intruder', partner })
      expect(made).toMatchObject({ status: 403, body: { code: 'PARTNER_NOT_YOURS' } })
    }
    const { body } = await ana.get(`/api/deals/deals/${own}`)
    const handed = await ana.patch(`/api/deals/deals/${own}`, { version: body.data.version, partner: boreal })
    expect(handed).toMatchObject({ status: 403, body: { code: 'PARTNER_NOT_YOURS' } })
  })

  test('of what partners have no part in is not theirs to do', async () => {
    for (const [path, sent] of [
      ['/api/core/accounts', { name: 'Intruder' }],
      ['/api/sales/opportunities', { name: 'Intruder' }],
    ] as const)
      expect(await ana.post(path, sent)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    const bulk = await ana.post('/api/deals/deals/bulk', {
      update: [
        { id: own, version: 1, stage: 'won' },
        { id: foreign, version: 1, stage: 'won' },
      ],
    })
    expect(JSON.stringify(bulk.body)).toContain('RECORD_NOT_FOUND')
    expect((await bert.get(`/api/deals/deals/${foreign}`)).body.data.stage).toBe('open')
  })

  test('is told to subscribers as the house’s is, in order', async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from core.event where workspace = ${app.workspace.id}::uuid and key = ${own}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows[0]?.n).toBeGreaterThan(0)
  })
})

test('history names people of their own and the company for others; before a record came to them there is none', async () => {
  const made = await app.admin.post('/api/deals/deals', { name: 'From the house' })
  const { id } = made.body.data
  // What it was while it was nobody's goes with the change that gives it to them.
  await app.admin.patch(`/api/deals/deals/${id}`, { version: 1, partner: atlas, name: 'Handed on' })
  await app.admin.patch(`/api/deals/deals/${id}`, { version: 2, amount: '9' })
  await ana.patch(`/api/deals/deals/${id}`, { version: 3, stage: 'won' })
  const history = await ana.get(`/api/deals/deals/${id}/history`)
  expect(history.status).toBe(200)
  const lines = history.body.data as { actor: { id: string | null; name: string }; changes: { field: string }[] }[]
  expect(lines.map(({ actor, changes }) => [actor.name, changes[0]?.field])).toEqual([
    ['Ana', 'stage'],
    ['Acme Distribution', 'amount'],
  ])
  expect(JSON.stringify(lines)).not.toContain(app.admin.who.actor.id)
  expect(JSON.stringify(lines)).not.toContain('From the house')
  // Moved on to another partner, the change that names both is for neither of them.
  await app.admin.patch(`/api/deals/deals/${id}`, { version: 4, partner: boreal })
  expect((await ana.get(`/api/deals/deals/${id}/history`)).status).toBe(404)
  const theirs = await bert.get(`/api/deals/deals/${id}/history`)
  expect(JSON.stringify(theirs.body)).not.toContain(atlas)
})

test('what was at an instant is read of their own rows, and taken back by who did it', async () => {
  const made = await ana.post('/api/deals/deals', { name: 'Before' })
  const { id } = made.body.data
  app.clock.advance('PT10M')
  const changed = await ana.patch(`/api/deals/deals/${id}`, { version: 1, name: 'After' })
  expect((await ana.get(`/api/deals/deals/${id}?asOf=2026-03-02T09:05:00Z`)).body.data.name).toBe('Before')
  const list = await ana.get('/api/deals/deals?asOf=2026-03-02T09:05:00Z')
  expect((list.body.data as { name: string }[]).map(({ name }) => name)).toContain('Before')
  holdsNothingSecret(list, 'asOf')
  const changeSet = changed.headers.get('x-change-set')
  expect((await bert.post(`/api/core/change-sets/${changeSet}/undo`)).status).not.toBe(200)
  const undone = await ana.post(`/api/core/change-sets/${changeSet}/undo`)
  expect(undone.status, JSON.stringify(undone.body)).toBe(200)
  expect((await ana.get(`/api/deals/deals/${id}`)).body.data.name).toBe('Before')
})

test('an export runs with its partner and carries their rows alone; its file is theirs', async () => {
  const asked = await ana.post('/api/core/exports', { resource: 'deals.deal', format: 'csv' })
  expect(asked.status, JSON.stringify(asked.body)).toBeLessThan(300)
  const { id } = asked.body.data
  await expect
    .poll(async () => (await ana.get(`/api/core/exports/${id}`)).body.data.state, { timeout: 20_000 })
    .toBe('done')
  const file = await ana.get(`/api/core/exports/${id}/file`)
  expect(file.status).toBe(200)
  expect(String(file.body)).toContain('Bakery')
  holdsNothingSecret(file, 'file')
  for (const path of [`/api/core/exports/${id}`, `/api/core/exports/${id}/file`])
    expect((await bert.get(path)).status, path).toBe(404)
})

test('an import makes rows of their partner; a line for another is refused, and the import is theirs', async () => {
  const importing = new Importing(ana, async () => {})
  const lines = ['name,amount,partner', 'Carried in,3,', `Smuggled in,4,${boreal}`].join('\n')
  const { id } = await importing.upload('deals.deal', `${lines}\n`)
  const rehearsed = await importing.rehearse(id)
  expect(rehearsed).toMatchObject({ state: 'rehearsed', counts: { create: 1, failed: 1 } })
  expect(await importing.run(id)).toMatchObject({ state: 'done', counts: { create: 1, failed: 1 } })
  expect(JSON.stringify(await importing.refused(id))).toContain('PARTNER_NOT_YOURS')
  const { body } = await ana.get(`/api/deals/deals?q=carried`)
  expect(body.data).toMatchObject([{ name: 'Carried in', partner: atlas }])
  expect((await bert.get(`/api/core/imports/${id}`)).status).toBe(404)
  expect((await bert.get('/api/core/imports')).body.data).toEqual([])
  expect(await importing.send('core.account', 'name\nIntruder\n')).toMatchObject({ status: 403 })
})

test('work in the background changes their own rows alone, whatever its filter says', async () => {
  const bulk = '/api/deals/deals/bulk'
  const ordered = await ana.post(bulk, { filter: 'stage in ("open", "won")', set: { amount: '11' }, background: true })
  expect(ordered.status, JSON.stringify(ordered.body)).toBe(202)
  const { id, total } = ordered.body.data
  expect(total).toBe((await ana.get('/api/deals/deals?count=exact')).body.page.count)
  await expect
    .poll(async () => (await ana.get(`/api/core/bulks/${id}`)).body.data.state, { timeout: 20_000 })
    .toBe('done')
  expect((await ana.get(`/api/deals/deals/${own}`)).body.data.amount).toBe('11.0000')
  expect((await bert.get(`/api/deals/deals/${foreign}`)).body.data.amount).not.toBe('11.0000')
  expect((await bert.get(`/api/core/bulks/${id}`)).status).toBe(404)
})

test('the live stream tells of their own rows, and not that others’ changed', async () => {
  const tab = new AbortController()
  const response = await ana.raw('GET', '/api/core/live', undefined, {})
  let heard = ''
  const reading = (async () => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    tab.signal.addEventListener('abort', () => void reader.cancel())
    for (let part = await reader.read(); !part.done; part = await reader.read()) heard += part.value
  })()
  await bert.patch(`/api/deals/deals/${foreign}`, { version: 1, amount: '8' })
  await app.admin.post('/api/core/accounts', { name: 'Secret Valmy' })
  const made = await ana.post('/api/deals/deals', { name: 'Told of' })
  await expect.poll(() => heard, { timeout: 10_000 }).toContain(made.body.data.id)
  expect(heard).not.toContain(foreign)
  expect(heard).not.toContain('core.account')
  tab.abort()
  await reading.catch(() => {})
})

describe('an account opened by a share', () => {
  const share = async (values: { access: string; until?: string; reason?: string }) => {
    const id = uuidv7()
    await sql`
      insert into core.share (id, workspace, resource, record, partner, access, until, reason)
      values (${id}::uuid, ${app.workspace.id}::uuid, 'core.account', ${account}::uuid, ${atlas}::uuid, ${values.access}, ${values.until ?? null}::timestamptz, ${values.reason ?? null})`.execute(
      app.app.kernel.parts.database.owner,
    )
    return async () => {
      await sql`delete from core.share where id = ${id}::uuid`.execute(app.app.kernel.parts.database.owner)
    }
  }

  test('is read by that partner while it lasts, in lists and search too, and by nobody else', async () => {
    const end = await share({ access: 'read', until: '2026-03-03T00:00:00Z' })
    expect((await ana.get(`/api/core/accounts/${account}`)).body.data.name).toBe('Secret Garonne')
    expect((await ana.get('/api/core/accounts')).body.data).toHaveLength(1)
    expect((await ana.get('/api/core/search?q=garonne')).body.data).toMatchObject([{ id: account }])
    expect((await bert.get(`/api/core/accounts/${account}`)).status).toBe(404)
    // Who changed it, and what it was, stays the house's.
    expect((await ana.get(`/api/core/accounts/${account}/history`)).body.data).toEqual([])
    expect((await ana.get(`/api/core/accounts/${account}?asOf=2026-03-02T09:00:00Z`)).status).toBe(404)
    expect(await ana.patch(`/api/core/accounts/${account}`, { version: 1, city: 'Agen' })).toMatchObject({
      status: 403,
    })
    app.clock.advance('P1D')
    expect((await ana.get(`/api/core/accounts/${account}`)).status).toBe(404)
    expect((await ana.get('/api/core/accounts')).body.data).toEqual([])
    await end()
  })

  test('says to the partner what was opened, and not why the house did', async () => {
    const end = await share({ access: 'read', reason: 'We have no time for them' })
    expect((await ana.get('/api/core/shares/with-me')).body.data).toMatchObject([{ record: account, reason: null }])
    expect(JSON.stringify(await ana.get(`/api/core/accounts/${account}`))).not.toContain('no time')
    await end()
  })

  test('is written only where it says so', async () => {
    const end = await share({ access: 'write' })
    const written = await ana.patch(`/api/core/accounts/${account}`, { version: 1, city: 'Agen' })
    expect(written.status, JSON.stringify(written.body)).toBe(200)
    expect((await ana.delete(`/api/core/accounts/${account}?version=2`)).status).not.toBe(500)
    await end()
  })
})

describe('people of partners', () => {
  /** Comes in by a link, as a browser does; answers how it goes on asking. */
  async function accept(link: string) {
    const headers = { origin: 'http://localhost', 'content-type': 'application/json' }
    const accepted = await app.app.fetch(
      new Request('http://localhost/api/auth/link/accept', {
        method: 'POST',
        headers,
        body: JSON.stringify({ token: link.split('#')[1], name: 'Nora', password: 'four rather plain words' }),
      }),
    )
    expect(accepted.status).toBe(200)
    const cookie = accepted.headers
      .getSetCookie()
      .map((it) => it.split(';')[0])
      .join('; ')
    return async (method: string, path: string) => {
      const answer = await app.app.fetch(
        new Request(`http://localhost${path}`, { method, headers: { ...headers, cookie } }),
      )
      return { status: answer.status, body: (await answer.json()) as TestAnswer['body'] }
    }
  }

  const standFor = (user: string, partners: readonly string[]) =>
    app.inside((ctx) => ctx.use(PartnerPeople).standFor(user, partners))

  test('are told from those of the house, and stand for the partners a plugin says', async () => {
    const person = await app.as({ name: 'Dora', may: ['deals.deal.read'] })
    const id = person.who.actor.id!
    expect((await person.get('/api/deals/deals')).body.data.length).toBeGreaterThan(3)
    await standFor(id, [atlas, boreal])
    const both = (await person.get('/api/deals/deals')).body.data as { partner: string }[]
    expect(new Set(both.map(({ partner }) => partner))).toEqual(new Set([atlas, boreal]))
    await standFor(id, [boreal])
    const one = (await person.get('/api/deals/deals')).body.data as { partner: string }[]
    expect(new Set(one.map(({ partner }) => partner))).toEqual(new Set([boreal]))
    const { body } = await app.admin.get('/api/core/users')
    expect((body.data as { id: string }[]).find((it) => it.id === id)).toMatchObject({ partner: boreal })
    await expect(standFor(id, [])).rejects.toMatchObject({ code: 'PARTNERS_MISSING' })
    expect((await person.get('/api/deals/deals')).body.data).toHaveLength(one.length)
    await app.inside((ctx) => ctx.use(PartnerPeople).release(id))
    expect((await person.get('/api/deals/deals')).body.data.length).toBeGreaterThan(3)
  })

  test('are invited as such over the API, and see their partner’s rows alone from their first sign-in', async () => {
    const partner = (await app.admin.post('/api/core/accounts', { name: 'Northwind Resale' })).body.data.id as string
    const others = (await app.admin.post('/api/core/accounts', { name: 'Southwind Resale' })).body.data.id as string
    for (const [name, whose] of [
      ['Theirs', partner],
      ['Secret of others', others],
    ])
      expect((await app.admin.post('/api/deals/deals', { name, partner: whose })).status).toBe(201)
    const role = (
      await app.admin.post('/api/core/roles', {
        name: 'Reseller',
        grants: [{ resource: 'deals.deal', action: '*', visibility: 'all' }],
      })
    ).body.data.id as string
    const invited = await app.admin.post('/api/core/users/invite', {
      email: 'nora@northwind.example.com',
      roles: [{ role }],
      partner,
    })
    expect(invited).toMatchObject({ status: 201, body: { data: { partner, partners: [partner], roles: [role] } } })
    const id = invited.body.data.id as string
    const browser = await accept(invited.body.link)
    const rows = async () =>
      ((await browser('GET', '/api/deals/deals')).body.data as { name: string }[]).map((it) => it.name)
    expect(await rows()).toEqual(['Theirs'])
    expect((await browser('GET', '/api/core/users')).body.data).toMatchObject([{ id }])

    const [shown] = (await app.admin.get(`/api/core/users?filter=${encodeURIComponent(`id = "${id}"`)}`)).body.data
    expect(shown).toMatchObject({ partner })
    const change = (values: object) => app.admin.patch(`/api/core/users/${id}`, values)
    expect(await change({ partner: others, version: shown.version })).toMatchObject({
      status: 200,
      body: { data: { partner: others, partners: [others] } },
    })
    expect(await rows()).toEqual(['Secret of others'])
    expect(await change({ partner, version: shown.version })).toMatchObject({ status: 409 })
    // Out of the partner and given a right of the house in one save, and back: each in the order that is allowed.
    const ofHouse = (
      await app.admin.post('/api/core/roles', {
        name: 'Of the house',
        grants: [{ resource: 'deals.deal', action: 'read', visibility: 'all' }],
        permissions: ['core.plugin.toggle'],
      })
    ).body.data.id as string
    expect(await change({ partner: null, roles: [{ role: ofHouse }] })).toMatchObject({
      status: 200,
      body: { data: { partner: null, partners: [] } },
    })
    expect((await rows()).length).toBeGreaterThan(3)
    expect(await change({ partner })).toMatchObject({ status: 409, body: { code: 'INTERNAL_RIGHT' } })
    expect((await change({ partner, roles: [{ role }] })).status).toBe(200)
    expect(await rows()).toEqual(['Theirs'])
  })

  test('stand for an account that whoever invites them may see, and are moved only by who could give them their roles', async () => {
    const email = 'nobody@northwind.example.com'
    const unknown = { status: 422, body: { errors: [{ path: '/partner', code: 'REFERENCE_UNKNOWN' }] } }
    expect(await app.admin.post('/api/core/users/invite', { email, partner: never })).toMatchObject(unknown)
    expect(await app.admin.post('/api/core/users', { name: 'No', email, partner: never })).toMatchObject(unknown)
    const manager = await app.as({ name: 'Mona', may: ['core.user.manage'] })
    expect(await manager.post('/api/core/users/invite', { email, partner: account })).toMatchObject(unknown)
    const held = await app.as({ name: 'Rolf', may: ['deals.deal.read'] })
    const moved = await manager.patch(`/api/core/users/${held.who.actor.id}`, { partner: account })
    expect(moved).toMatchObject({ status: 403 })
    const plain = await app.as({ name: 'Pia', may: ['core.account.read'] })
    expect(await plain.post('/api/core/users/invite', { email, partner: account })).toMatchObject({ status: 403 })
    expect((await app.admin.post('/api/core/users/invite', { email, partner: account })).status).toBe(201)
  })

  test('stand for the account theirs was merged into, and for their own again once that is undone', async () => {
    const make = async (name: string) =>
      (await app.admin.post('/api/core/accounts', { name, allowDuplicate: true })).body.data as { id: string }
    const [stays, ends] = [await make('Eastwind Resale'), await make('Eastwind Resale Ltd')]
    const email = 'ed@eastwind.example.com'
    const { id } = (await app.admin.post('/api/core/users/invite', { email, partner: ends.id })).body.data
    const side = async () => {
      const { partner, partners } = (await app.admin.get(`/api/core/users/${id}`)).body.data
      return { partner, partners }
    }
    const merged = await app.admin.post(`/api/core/accounts/${stays.id}/merge`, {
      version: 1,
      others: [{ id: ends.id, version: 1 }],
    })
    expect(merged.status, JSON.stringify(merged.body)).toBeLessThan(300)
    expect(await side()).toEqual({ partner: stays.id, partners: [stays.id] })
    expect((await app.admin.post(`/api/core/merges/${merged.body.data.merge}/undo`)).status).toBe(200)
    expect(await side()).toEqual({ partner: ends.id, partners: [ends.id] })
  })

  test('invited anew after they left stand where the new invitation says', async () => {
    const email = 'back@northwind.example.com'
    const first = await app.admin.post('/api/core/users/invite', { email, partner: account })
    const id = first.body.data.id as string
    expect((await app.admin.delete(`/api/core/users/${id}/invite`)).status).toBe(204)
    const again = await app.admin.post('/api/core/users/invite', { email })
    expect(again).toMatchObject({ status: 201, body: { data: { id, partner: null, partners: [] } } })
  })

  test('may not hold a right of the house’s own, however it would come to them', async () => {
    const person = await app.as({ name: 'Emil', may: ['deals.deal.read'] })
    const id = person.who.actor.id!
    await standFor(id, [atlas])
    const roles = (await app.admin.get('/api/core/roles')).body.data as { id: string; template: string | null }[]
    const administrator = roles.find(({ template }) => template === 'core.administrator')!
    const given = await app.admin.put(`/api/core/users/${id}/roles`, { roles: [{ role: administrator.id }] })
    expect(given).toMatchObject({
      status: 409,
      body: { code: 'INTERNAL_RIGHT', detail: expect.stringContaining('Emil') },
    })
    const own = (await app.admin.get(`/api/core/users/${id}/access`)).body.data.roles[0] as { id: string }
    for (const change of [
      { permissions: ['core.user.manage'] },
      { grants: [{ resource: '*', action: 'read', visibility: 'all' }] },
      { grants: [{ resource: 'core.*', action: '*', visibility: 'all' }] },
    ]) {
      const changed = await app.admin.patch(`/api/core/roles/${own.id}`, change)
      expect(changed, JSON.stringify(change)).toMatchObject({ status: 409, body: { code: 'INTERNAL_RIGHT' } })
    }
    await expect(standFor(app.admin.who.actor.id!, [atlas])).rejects.toMatchObject({ code: 'INTERNAL_RIGHT' })
  })

  test('do nothing by such a right should a table give it to them all the same', async () => {
    for (const [method, path, sent] of [
      ['GET', '/api/core/plugins', undefined],
      ['POST', '/api/core/plugins/sales/disable', {}],
      ['GET', '/api/core/audit', undefined],
      ['POST', '/api/core/users', { name: 'Mole', email: 'mole@example.com' }],
      ['POST', '/api/core/roles', { name: 'Mole' }],
      ['POST', `/api/deals/deals/${own}/merge`, { version: 1, others: [{ id: never, version: 1 }] }],
    ] as const)
      expect(await ana.send(method, path, sent), path).toMatchObject({
        status: 403,
        body: { code: 'PERMISSION_DENIED' },
      })
  })

  test('have their name, language, roles and views, as anybody', async () => {
    const me = await ana.get('/api/core/me')
    expect(me).toMatchObject({ status: 200, body: { data: { name: 'Ana', team: null } } })
    expect((await ana.patch('/api/core/me', { locale: 'fr', theme: 'dark' })).status).toBe(200)
    expect((await ana.get('/api/core/me')).body.data).toMatchObject({ locale: 'fr', theme: 'dark' })
    expect((await ana.get('/api/core/shell')).status).toBe(200)
    const view = await ana.post('/api/core/views', { name: 'Mine', resource: 'deals.deal' })
    expect(view.status).toBe(201)
    expect((await bert.get(`/api/core/views/${view.body.data.id}`)).status).toBe(404)
  })
})
