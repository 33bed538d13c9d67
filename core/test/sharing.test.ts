import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Grant } from '../src/permissions/grant.ts'
import { createTestApp, type TestActor, type TestAnswer, type TestApp, type TestClient } from '../src/testing/index.ts'

const now = '2026-03-02T09:00:00Z'
const accounts = '/api/core/accounts'
const shares = '/api/core/shares'

let app: TestApp
/** May share what they own. */
let owner: TestClient
/** Sees what is their own, and what is shared with them. */
let guest: TestClient
let guestId: string
let above: string
let below: string

const own = (...actions: string[]): Grant[] =>
  ['core.account', 'core.contact', 'core.activity'].flatMap((resource) =>
    actions.map((action) => ({ resource, action, visibility: 'own' as const })),
  )
const person = (name: string, actor: TestActor = {}): TestActor => ({
  name,
  grants: own('read', 'create', 'update', 'delete', 'export', 'share', 'bulk', 'merge'),
  ...actor,
})

beforeAll(async () => {
  app = await createTestApp({ now })
  await app.app.start()
  above = (await app.admin.post('/api/core/teams', { name: 'Region' })).body.data.id
  below = (await app.admin.post('/api/core/teams', { name: 'District', parent: above })).body.data.id
  owner = await app.as(person('Olga'))
  guest = await app.as(person('Gustave', { teams: [below] }))
  guestId = guest.who.actor.id!
})
afterAll(() => app[Symbol.asyncDispose]())

async function account(values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { body } = await owner.post(accounts, { name: `Shared ${uuidv7()}`, allowDuplicate: true, ...values })
  return body.data.id
}

type Terms = Readonly<Record<string, unknown>>

async function give(record: string, terms: Terms = {}) {
  const whom = 'team' in terms ? {} : { user: guestId }
  return owner.post(shares, { resource: 'core.account', records: [record], ...whom, ...terms })
}

const seen = async (id: string, by = guest) => (await by.get(`${accounts}/${id}`)).status

describe('a record shared for reading', () => {
  let id: string
  let before: number
  let given: TestAnswer
  const marker = 'Quincaillerie Vasseur'
  beforeAll(async () => {
    id = await account({ name: marker, industry: 'Lent', annualRevenue: '100' })
    await guest.post(accounts, { name: 'My own', industry: 'Mine' })
    before = await seen(id)
    given = await give(id, { reason: 'Stands in for Olga in March' })
  })

  test('was out of reach, and is so no longer', async () => {
    expect(before).toBe(404)
    expect(given.status).toBe(201)
    expect(given.body.data).toMatchObject([
      { record: id, with: { kind: 'user', id: guestId, name: 'Gustave' }, access: 'read', holds: true, by: 'Olga' },
    ])
    expect(await seen(id)).toBe(200)
  })

  test('is found on every way a record is read by, and only that one', async () => {
    await account({ name: `${marker} et fils`, industry: 'Hidden' })
    const { data, page } = (await guest.get(`${accounts}?sort=name&count=exact`)).body
    expect(data.map(({ name }: { name: string }) => name)).toEqual(['My own', marker])
    expect(page.count).toBe(2)
    expect((await guest.get(`${accounts}?q=vasseur`)).body.data).toMatchObject([{ id }])
    expect((await guest.get('/api/core/search?q=quincaillerie')).body.data).toMatchObject([{ id }])
    expect((await guest.get(`${accounts}/${id}/timeline`)).status).toBe(200)
    expect((await guest.get(`${accounts}/${id}/history`)).body.data).not.toHaveLength(0)
    expect((await guest.get(`${accounts}/${id}?asOf=${now}`)).status).toBe(200)
    const board = await guest.post(`${accounts}/board`, { by: 'lifecycle' })
    expect(JSON.stringify(board.body)).toContain(id)
    const sums = await guest.post(`${accounts}/aggregate`, { groupBy: ['industry'], measures: ['count'] })
    expect(sums.body.data.map(({ key }: { key: { industry: string } }) => key.industry).toSorted()).toEqual([
      'Lent',
      'Mine',
    ])
  })

  test('leaves by an export, and by none of somebody else', async () => {
    const textOf = async (by: TestClient) => {
      const run = await by.post('/api/core/exports', { resource: 'core.account', format: 'csv' })
      const { id: file } = run.body.data
      await expect
        .poll(async () => (await by.get(`/api/core/exports/${file}`)).body.data.state, { timeout: 20_000 })
        .toBe('done')
      return (await (await by.raw('GET', `/api/core/exports/${file}/file`)).text()).includes(marker)
    }
    expect(await textOf(guest)).toBe(true)
    expect(await textOf(await app.as(person('Nobody')))).toBe(false)
  })

  test('is told of by the live stream when it changes', async () => {
    const stream = await guest.raw('GET', '/api/core/live')
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    const { version } = (await owner.get(`${accounts}/${id}`)).body.data
    await owner.patch(`${accounts}/${id}`, { version, city: 'Toulouse' })
    while (!heard.includes(id)) {
      const { value, done } = await reader.read()
      if (done) break
      heard += value
    }
    expect(heard).toContain(id)
    await reader.cancel()
  })

  test('may be a reference of one’s own records, and is not to be changed', async () => {
    expect((await guest.post('/api/core/contacts', { lastName: 'Vasseur', account: id })).status).toBe(201)
    const { version } = (await guest.get(`${accounts}/${id}`)).body.data
    for (const [method, path, sent] of [
      ['PATCH', '', { version, city: 'Pau' }],
      ['DELETE', `?version=${version}`, undefined],
    ] as const)
      expect(await guest.send(method, `${accounts}/${id}${path}`, sent)).toMatchObject({
        status: 403,
        body: { code: 'PERMISSION_DENIED' },
      })
  })

  test('says to those it is shared with what was shared, by whom and why', async () => {
    expect((await guest.get(`${shares}/with-me`)).body.data).toMatchObject([
      { record: id, title: marker, by: 'Olga', reason: 'Stands in for Olga in March' },
    ])
    expect((await owner.get(`${shares}/with-me`)).body.data).toEqual([])
  })

  test('is told at once to whom it is shared with, and to a team’s people, on their live streams', async () => {
    const stranger = await app.as(person('Stranger'))
    const listen = async (by: TestClient) => {
      const { body } = await by.raw('GET', '/api/core/live')
      const lines: string[] = []
      void body!
        .pipeThrough(new TextDecoderStream() as never)
        .pipeTo(new WritableStream({ write: (chunk) => void lines.push(String(chunk)) }))
        .catch(() => undefined)
      return () => lines.join('')
    }
    const [theirs, others] = [await listen(guest), await listen(stranger)]
    const record = await account()
    for (const terms of [{}, { team: above }]) {
      const [share] = (await give(record, terms)).body.data
      await expect.poll(theirs, { timeout: 10_000 }).toContain(share.id)
      expect(others()).not.toContain(share.id)
      expect((await guest.get(`${shares}/with-me`)).body.data[0]).toMatchObject({ id: share.id, by: 'Olga' })
      await owner.delete(`${shares}/${share.id}`)
    }
  })

  test('is listed by pages and by kind, newest first, and only while they may read it', async () => {
    const many = await app.as(person('Many'))
    const user = many.who.actor.id!
    const records: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const record = await account()
      records.unshift(record)
      app.clock.advance('PT1S')
      await give(record, { user, access: n === 0 ? 'write' : 'read' })
    }
    const contact = (await owner.post('/api/core/contacts', { lastName: 'Vasseur', allowDuplicate: true })).body.data.id
    app.clock.advance('PT1S')
    await owner.post(shares, { resource: 'core.contact', records: [contact], user })
    const walk = async (query: string) => {
      const found: string[] = []
      let after = ''
      do {
        const { status, body } = await many.get(`${shares}/with-me?limit=2${query}${after && `&after=${after}`}`)
        expect(status).toBe(200)
        expect(body.data.length).toBeLessThanOrEqual(2)
        found.push(...body.data.map(({ record }: { record: string }) => record))
        after = body.page.next ?? ''
      } while (after !== '')
      return found
    }
    expect(await walk('')).toEqual([contact, ...records])
    expect(await walk('&resource=core.account')).toEqual(records)
    const { resources } = (await many.get('/api/core/shell')).body
    const shared = resources.filter((it: { shared?: true }) => it.shared).map(({ id: kind }: { id: string }) => kind)
    expect(shared.toSorted()).toEqual(['core.account', 'core.contact'])
    // What is out of reach leaves no gap in a page.
    const [gone, ...left] = records
    const { version } = (await owner.get(`${accounts}/${gone}`)).body.data
    await owner.delete(`${accounts}/${gone}?version=${version}`)
    expect(await walk('')).toEqual([contact, ...left])
    const first = await many.get(`${shares}/with-me?limit=2`)
    for (const [query, code] of [
      ['resource=core.nothing', 'QUERY_INVALID'],
      ['limit=0', 'VALIDATION_FAILED'],
      ['after=nonsense', 'CURSOR_INVALID'],
      [`resource=core.account&after=${first.body.page.next}`, 'CURSOR_INVALID'],
    ])
      expect((await many.get(`${shares}/with-me?${query}`)).body).toMatchObject({ code })
    app.clock.set(now)
  })

  test('leaves a line in the ledger, of who shared it with whom', async () => {
    const { data } = (await app.admin.get('/api/core/audit?resource=core.share')).body
    expect(JSON.stringify(data)).toContain(guestId)
    expect(data[0]).toMatchObject({ actor: { name: 'Olga' } })
  })
})

describe('a record shared for writing', () => {
  test('is changed by them, but neither deleted, given away, nor shared further', async () => {
    const id = await account()
    await give(id, { access: 'write' })
    const changed = await guest.patch(`${accounts}/${id}`, { version: 1, city: 'Pau' })
    expect(changed).toMatchObject({ status: 200, body: { data: { city: 'Pau', version: 2 } } })
    expect((await guest.delete(`${accounts}/${id}?version=2`)).status).toBe(403)
    for (const values of [{ owner: guestId }, { team: below }])
      expect(await guest.patch(`${accounts}/${id}`, { version: 2, ...values })).toMatchObject({
        status: 403,
        body: { code: 'SHARED_NOT_OWNED' },
      })
    const other = await app.as(person('Other'))
    expect(
      await guest.post(shares, { resource: 'core.account', records: [id], user: other.who.actor.id }),
    ).toMatchObject({ status: 403, body: { code: 'SHARED_NOT_OWNED' } })
    expect((await guest.get(`${shares}/of/core.account/${id}`)).status).toBe(403)
    const mine = (await guest.post(accounts, { name: 'Mine too', allowDuplicate: true })).body.data
    const merge = { survivor: { id, version: 2 }, others: [{ id: mine.id, version: 1 }] }
    expect(await guest.post(`${accounts}/${id}/merge`, { version: 2, others: merge.others })).toMatchObject({
      status: 403,
      body: { code: 'SHARED_NOT_OWNED' },
    })
  })

  test('what one sees of a team-mate and may not change is shared by them alone, and said so by its name', async () => {
    const id = await account({ name: `Of the team ${uuidv7()}` })
    const grants = own('read', 'update', 'share').map((it) => ({
      ...it,
      visibility: it.action === 'read' ? ('all' as const) : it.visibility,
    }))
    const mate = await app.as({ name: 'Mate', grants })
    const told = { status: 403, body: { code: 'SHARED_BEYOND_REACH', detail: expect.stringContaining('Of the team') } }
    expect(await mate.post(shares, { resource: 'core.account', records: [id], user: guestId })).toMatchObject(told)
    expect(await mate.get(`${shares}/of/core.account/${id}`)).toMatchObject(told)
  })

  test('is not made their own by what a condition of their grants looks at', async () => {
    const id = await account({ city: 'Pau' })
    const grants = (['read', 'update'] as const).map((action) => ({
      resource: 'core.account',
      action,
      visibility: 'all' as const,
      condition: 'industry = "Steel"',
    }))
    const steel = await app.as({ name: 'Steel', grants })
    expect((await give(id, { access: 'write', user: steel.who.actor.id })).status).toBe(201)
    expect((await steel.patch(`${accounts}/${id}`, { version: 1, city: 'Dax' })).status).toBe(200)
    expect(await steel.patch(`${accounts}/${id}`, { version: 2, industry: 'Steel' })).toMatchObject({
      status: 403,
      body: { code: 'SHARED_NOT_OWNED' },
    })
    expect((await owner.get(`${accounts}/${id}`)).body.data).toMatchObject({ city: 'Dax', industry: null })
  })

  test('a private view stays private, whoever writes it', async () => {
    const grants = [
      ...own('read', 'create', 'update', 'share'),
      { resource: 'core.view', action: '*', visibility: 'all' as const },
    ]
    const [hers, theirs] = [
      await app.as({ name: 'Hers', grants }),
      await app.as({ name: 'Theirs', grants, may: ['core.view.share'] }),
    ]
    const view = (await hers.post('/api/core/views', { name: 'Quiet', resource: 'core.account', kind: 'table' })).body
      .data
    const lent = { resource: 'core.view', records: [view.id], user: theirs.who.actor.id, access: 'write' }
    expect((await hers.post(shares, lent)).status).toBe(201)
    expect(await theirs.patch(`/api/core/views/${view.id}`, { version: 1, scope: 'shared' })).toMatchObject({
      status: 403,
      body: { code: 'SHARED_NOT_OWNED' },
    })
  })

  test('is changed in bulk too, beside one that is not', async () => {
    const [written, read] = [await account(), await account()]
    await give(written, { access: 'write' })
    await give(read)
    const { body } = await guest.post(`${accounts}/bulk`, {
      update: [written, read].map((id) => ({ id, version: 1, city: 'Dax' })),
    })
    expect(body.data.map(({ status }: { status: number }) => status)).toEqual(['done', 'failed'])
  })

  test('keeps from them the fields their roles do not show or let them change', async () => {
    const id = await account({ annualRevenue: '987654.32', industry: 'Steel' })
    const reader = await app.as(
      person('Half blind', {
        fields: [
          { resource: 'core.account', field: 'annualRevenue', access: 'none' },
          { resource: 'core.account', field: 'industry', access: 'read' },
        ],
      }),
    )
    await give(id, { user: reader.who.actor.id, access: 'write' })
    const { data } = (await reader.get(`${accounts}/${id}`)).body
    expect(data).toMatchObject({ industry: 'Steel' })
    expect(data).not.toHaveProperty('annualRevenue')
    expect(await reader.patch(`${accounts}/${id}`, { version: 1, industry: 'Tin' })).toMatchObject({
      body: { code: 'FIELD_NOT_WRITABLE' },
    })
  })
})

test('a share with a team reaches the teams below it and not the one above', async () => {
  const id = await account()
  const [top, deep, beside] = await Promise.all([
    app.as(person('Top', { teams: [above] })),
    app.as(person('Deep', { teams: [below] })),
    app.as(person('Beside')),
  ])
  await give(id, { team: below })
  expect(await Promise.all([top, deep, beside].map((by) => seen(id, by)))).toEqual([404, 200, 404])
  const wide = await account()
  await give(wide, { team: above })
  expect(await Promise.all([top, deep, beside].map((by) => seen(wide, by)))).toEqual([200, 200, 404])
})

test('a share grants nothing to whom no role lets do that with any record of the kind', async () => {
  const id = await account()
  const stranger = await app.as({ name: 'Stranger', may: ['core.product.read'] })
  const reader = await app.as({ name: 'Reader', grants: own('read') })
  for (const { who } of [stranger, reader]) await give(id, { user: who.actor.id, access: 'write' })
  expect((await stranger.get(`${accounts}/${id}`)).status).toBe(403)
  expect((await stranger.get(accounts)).status).toBe(403)
  expect((await reader.get(`${accounts}/${id}`)).status).toBe(200)
  expect((await reader.patch(`${accounts}/${id}`, { version: 1, city: 'Dax' })).status).toBe(403)
})

test('a refusal of a role wins over a share', async () => {
  const id = await account({ industry: 'Arms' })
  const kept = await app.as(
    person('Kept away', {
      grants: [
        ...own('read'),
        { resource: 'core.account', action: 'read', visibility: 'all', condition: 'industry = "Arms"', deny: true },
      ],
    }),
  )
  await give(id, { user: kept.who.actor.id })
  expect(await seen(id, kept)).toBe(404)
})

describe('a share that ends', () => {
  test('gives nothing from that instant on, and may be given anew', async () => {
    const id = await account()
    await give(id, { until: '2026-03-02T10:00:00Z' })
    app.clock.set('2026-03-02T09:59:59Z')
    expect(await seen(id)).toBe(200)
    app.clock.set('2026-03-02T10:00:00Z')
    expect(await seen(id)).toBe(404)
    expect((await guest.get(`${accounts}?filter=id = "${id}"`)).body.data).toEqual([])
    const listed = await owner.get(`${shares}/of/core.account/${id}`)
    expect(listed.body.data).toMatchObject([{ holds: false }])
    expect((await give(id)).status).toBe(201)
    expect(await seen(id)).toBe(200)
    app.clock.set(now)
  })

  test('at once when it is taken back, and again when that is undone', async () => {
    const id = await account()
    const [share] = (await give(id)).body.data
    expect(await seen(id)).toBe(200)
    const ended = await owner.delete(`${shares}/${share.id}`)
    expect([ended.status, ended.headers.get('content-type')]).toEqual([204, null])
    expect(await seen(id)).toBe(404)
    expect((await owner.delete(`${shares}/${share.id}`)).status).toBe(404)
    const undo = `/api/core/change-sets/${ended.headers.get('x-change-set')}/undo`
    expect((await owner.post(undo)).status).toBe(403)
    expect((await app.admin.post(undo)).status).toBe(200)
    expect(await seen(id)).toBe(200)
  })

  test('with the work of whom it was given to', async () => {
    const id = await account()
    const leaver = await app.as(person('Leaver'))
    await give(id, { user: leaver.who.actor.id })
    expect(await seen(id, leaver)).toBe(200)
    await app.admin.patch(`/api/core/users/${leaver.who.actor.id}`, { state: 'inactive' })
    await app.inside((ctx) =>
      sql`update core.member set state = 'inactive' where id = ${leaver.who.actor.id}::uuid`.execute(ctx.sql),
    )
    const listed = await owner.get(`${shares}/of/core.account/${id}`)
    expect(listed.body.data).toMatchObject([{ holds: false, with: { name: 'Leaver' } }])
  })

  test('never because its record was merged: it goes with it, and back again', async () => {
    const [survivor, other] = [await account(), await account()]
    await give(other)
    const merged = await owner.post(`${accounts}/${survivor}/merge`, {
      version: 1,
      others: [{ id: other, version: 1 }],
    })
    expect(merged.status).toBe(200)
    expect(await seen(survivor)).toBe(200)
    expect((await owner.post(`/api/core/merges/${merged.body.merge ?? merged.body.data.merge}/undo`)).status).toBe(200)
    expect(await seen(survivor)).toBe(404)
    expect(await seen(other)).toBe(200)
  })
})

describe('two records that were shared with the same person and are merged', () => {
  const merged = async (ofSurvivor: Terms, ofOther: Terms) => {
    const [survivor, other] = [await account({ city: 'Lyon' }), await account()]
    const [kept] = (await give(survivor, ofSurvivor)).body.data
    await give(other, ofOther)
    const answer = await owner.post(`${accounts}/${survivor}/merge`, {
      version: 1,
      others: [{ id: other, version: 1 }],
    })
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    const { data } = (await owner.get(`${shares}/of/core.account/${survivor}`)).body
    expect(data).toHaveLength(1)
    return { survivor, kept, share: data[0], merge: answer.body.data.merge as string }
  }

  test('keep the share that opens more, and undoing the merge gives each its own back', async () => {
    const { survivor, kept, share, merge } = await merged({ until: '2026-04-01T00:00:00Z' }, { access: 'write' })
    expect(share).toMatchObject({ id: kept.id, access: 'write', until: null })
    const { version } = (await guest.get(`${accounts}/${survivor}`)).body.data
    expect((await guest.patch(`${accounts}/${survivor}`, { version, city: 'Agen' })).status).toBe(200)
    expect((await owner.post(`/api/core/merges/${merge}/undo`)).status).toBe(200)
    const { data } = (await owner.get(`${shares}/of/core.account/${survivor}`)).body
    expect(data).toMatchObject([{ id: kept.id, access: 'read', until: '2026-04-01T00:00:00.000Z' }])
  })

  test('keep the survivor’s where it opens as much, or each opens more in its own way', async () => {
    expect((await merged({ access: 'write' }, {})).share).toMatchObject({ access: 'write', until: null })
    expect((await merged({}, { access: 'write', until: '2026-04-01T00:00:00Z' })).share).toMatchObject({
      access: 'read',
      until: null,
    })
  })
})

describe('who shares', () => {
  test('may change the record and holds the permission to share it', async () => {
    const id = await account()
    const clerk = await app.as({
      name: 'Clerk',
      grants: own('read', 'update').map((it) => ({ ...it, visibility: 'all' })),
    })
    const looker = await app.as({
      name: 'Looker',
      grants: own('read', 'share').map((it) => ({ ...it, visibility: 'all' })),
    })
    for (const [by, permission] of [
      [clerk, 'core.account.share'],
      [looker, 'core.account.update'],
    ] as const) {
      const answer = await by.post(shares, { resource: 'core.account', records: [id], user: guestId })
      expect(answer).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
      expect(answer.body.detail).toContain(permission)
    }
    expect(await guest.post(shares, { resource: 'core.account', records: [id], user: guestId })).toMatchObject({
      status: 404,
    })
  })

  test('is told what does not fit, and with which way out', async () => {
    const id = await account()
    const partner = await app.as(person('Of a partner', { partners: [uuidv7()] }))
    for (const [terms, code] of [
      [{ until: '2026-03-02T08:59:59Z' }, 'SHARE_PAST'],
      [{ user: uuidv7() }, 'SHARE_NOBODY'],
      [{ user: partner.who.actor.id }, 'SHARE_NOBODY'],
      [{ team: uuidv7() }, 'SHARE_NOBODY'],
      [{ user: owner.who.actor.id }, 'SHARE_SELF'],
    ] as const) {
      const answer = await give(id, terms)
      expect(answer, code).toMatchObject({ status: 422, body: { errors: [{ code }] } })
    }
    expect(await owner.post(shares, { resource: 'core.account', records: [id] })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/user', code: 'SHARE_WITH_ONE' }] },
    })
    expect(
      await app.admin.post(shares, {
        resource: 'core.role',
        records: [(await app.admin.get('/api/core/roles')).body.data[0].id],
        user: guestId,
      }),
    ).toMatchObject({ status: 422, body: { code: 'NOT_SHAREABLE' } })
    await give(id)
    expect(await give(id, { access: 'write' })).toMatchObject({
      status: 409,
      body: { code: 'SHARE_EXISTS', shares: [{ record: id }] },
    })
  })

  test('changes what is opened and until when', async () => {
    const id = await account()
    const [share] = (await give(id)).body.data
    expect((await owner.patch(`${shares}/${share.id}`, { access: 'write', until: null })).body.data).toMatchObject({
      access: 'write',
    })
    expect((await guest.patch(`${accounts}/${id}`, { version: 1, city: 'Pau' })).status).toBe(200)
    expect((await owner.patch(`${shares}/${share.id}`, { until: now })).status).toBe(422)
  })

  test('gives many records at once, all of them or none', async () => {
    const ids = [await account(), await account(), await account()]
    const foreign = (await app.admin.post(accounts, { name: 'Not Olga’s', allowDuplicate: true })).body.data.id
    const order = { resource: 'core.account', user: guestId }
    expect((await owner.post(shares, { ...order, records: [...ids, foreign] })).status).toBe(404)
    expect(await seen(ids[0]!)).toBe(404)
    expect((await owner.post(shares, { ...order, records: ids })).body.data).toHaveLength(3)
    expect(await Promise.all(ids.map((id) => seen(id)))).toEqual([200, 200, 200])
  })
})

test('a private view is shared with a colleague, who uses it as it is', async () => {
  const keeper = await app.as(
    person('Keeper', {
      grants: [
        ...own('read', 'create', 'update', 'share'),
        ...['read', 'create', 'update', 'share'].map((action) => ({
          resource: 'core.view',
          action,
          visibility: 'all' as const,
        })),
      ],
    }),
  )
  const user = await app.as(
    person('User', { grants: [...own('read'), { resource: 'core.view', action: 'read', visibility: 'all' }] }),
  )
  const view = await keeper.post('/api/core/views', { name: 'In Lyon', resource: 'core.account', scope: 'mine' })
  const id = view.body.data.id
  expect((await user.get(`/api/core/views/${id}`)).status).toBe(404)
  expect((await keeper.post(shares, { resource: 'core.view', records: [id], user: user.who.actor.id })).status).toBe(
    201,
  )
  expect((await user.get(`/api/core/views/${id}`)).body.data).toMatchObject({ name: 'In Lyon' })
  expect((await user.get(`${accounts}?view=${id}`)).status).toBe(200)
  expect((await user.patch(`/api/core/views/${id}`, { version: 1, name: 'Mine' })).status).toBe(403)
})

describe('among many records', () => {
  test('a list of one’s own and of what was shared reads by indexes alone', async () => {
    const { database } = app.app.kernel.parts
    await sql`
      insert into core.account (id, workspace, name, owner, created_at, updated_at)
      select gen_random_uuid(), ${app.workspace.id}::uuid, 'Mass ' || n, gen_random_uuid(), now(), now()
      from generate_series(1, 20000) n`.execute(database.owner)
    await sql`analyze core.account`.execute(database.owner)
    const plan = await app.app.kernel.unit(
      {
        workspace: app.workspace,
        actor: guest.who.actor,
        authority: await app.app.kernel.parts.authorities.of(app.workspace, { user: guestId }),
        cause: { origin: 'test' },
        plugin: 'core',
      },
      async (ctx) => {
        const model = app.app.kernel.parts.catalog.of('core.account')
        const { rows } = await sql<{ 'QUERY PLAN': string }>`
          explain (analyze, costs off, timing off, summary off)
          select t.id from core.account t where t.workspace = ${app.workspace.id}::uuid and t.deleted_at is null
            and ${ctx.authority.compile(model, 'read').where('t')}
          order by t.created_at desc, t.id desc limit 50`.execute(ctx.sql)
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      },
    )
    expect(plan).not.toContain('Seq Scan on account')
    expect(plan).toMatch(/Index/)
  })
})
