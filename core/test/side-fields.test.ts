import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WallSide } from '../src/database/session.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'
import { atlas, personOf } from './partner-world.ts'
import { sidePlugins } from './side-world.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: sidePlugins, now: '2026-03-02T08:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const contacts = '/api/core/contacts'
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`

async function contact(values: Record<string, unknown>, by = admin) {
  const { status, body } = await by.post(contacts, { firstName: 'Léa', allowDuplicate: true, ...values })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

async function change(id: string, values: Record<string, unknown>, by = admin) {
  const { data } = (await by.get(`${contacts}/${id}`)).body
  const answer = await by.patch(`${contacts}/${id}`, { ...values, version: data.version })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return { data: answer.body.data, changeSet: answer.headers.get('x-change-set') ?? '' }
}

async function list(parameters: Record<string, string>, by = admin) {
  const { status, body } = await by.get(contacts + query(parameters))
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

const names = (body: { data: { lastName: string }[] }) => body.data.map(({ lastName }) => lastName)

async function switched(off: string, work: () => Promise<void>, { workspace }: TestWorkspace = app) {
  await app.app.toggle.disable(workspace, off, undefined, false)
  try {
    await work()
  } finally {
    await app.app.toggle.enable(workspace, off, undefined)
  }
}

describe('a field that a plugin adds to a contact', () => {
  test('is written, read, filtered, sorted and grouped like any other', async () => {
    const company = 'Written'
    const made = await contact({ lastName: 'Marnet', jobTitle: company, loyaltyTier: 'gold', loyaltyPoints: 90 })
    expect(made).toMatchObject({ loyaltyTier: 'gold', loyaltyPoints: 90, visitsScore: null, version: 1 })
    await contact({ lastName: 'Vasseur', jobTitle: company, loyaltyTier: 'silver', loyaltyPoints: 300 })
    await contact({ lastName: 'Okafor', jobTitle: company })
    expect((await admin.get(`${contacts}/${made.id}`)).body.data).toMatchObject({ loyaltyPoints: 90 })

    const here = `jobTitle = "${company}"`
    expect(names(await list({ filter: `${here} and loyaltyPoints > 100` }))).toEqual(['Vasseur'])
    expect(names(await list({ filter: here, sort: '-loyaltyPoints' }))).toEqual(['Vasseur', 'Marnet', 'Okafor'])
    expect(names(await list({ filter: here, sort: 'loyaltyPoints' }))).toEqual(['Marnet', 'Vasseur', 'Okafor'])
    expect(names(await list({ filter: `${here} and loyaltyTier is empty` }))).toEqual(['Okafor'])
    const { body } = await admin.post(`${contacts}/aggregate`, {
      filter: here,
      groupBy: ['loyaltyTier'],
      measures: ['count', 'sum:loyaltyPoints'],
    })
    expect(body.data.map(({ key, count, 'sum:loyaltyPoints': sum }: never) => [key, count, sum])).toEqual([
      [{ loyaltyTier: 'gold' }, 1, '90'],
      [{ loyaltyTier: 'silver' }, 1, '300'],
      [{ loyaltyTier: null }, 1, '0'],
    ])
    for (const { filter, count } of body.data) expect((await list({ filter, count: 'exact' })).page.count).toBe(count)
    const board = await admin.post(`${contacts}/board`, { by: 'loyaltyTier', filter: here })
    expect(board.body.data.map(({ key, count }: never) => [key, count])).toHaveLength(3)
  })

  test('is part of the record’s version, history, event, undo and past', async () => {
    app.clock.set('2026-03-02T09:00:00Z')
    const { id } = await contact({ lastName: 'Past', loyaltyPoints: 1 })
    app.clock.set('2026-03-02T10:00:00Z')
    const { data, changeSet } = await change(id, { loyaltyPoints: 2, visitsScore: '7.50', jobTitle: 'Chef' })
    expect(data).toMatchObject({ version: 2, loyaltyPoints: 2, visitsScore: '7.50' })
    const history = await admin.get(`${contacts}/${id}/history`)
    expect(history.body.data[0].changes).toEqual(
      expect.arrayContaining([
        { field: 'loyaltyPoints', old: 1, new: 2 },
        { field: 'visitsScore', old: null, new: '7.50' },
      ]),
    )
    const told = await app.inside((ctx) =>
      sql<{ payload: { changed: string[] } }>`
        select payload from core.event where name = 'core.contact.updated' and key = ${id}`.execute(ctx.sql),
    )
    expect(told.rows[0]?.payload.changed.toSorted()).toEqual(['jobTitle', 'loyaltyPoints', 'visitsScore'])
    const then = await admin.get(`${contacts}/${id}${query({ asOf: '2026-03-02T09:30:00Z' })}`)
    expect(then.body.data).toMatchObject({ loyaltyPoints: 1, visitsScore: null, version: 1 })
    const filtered = { filter: `lastName = "Past" and loyaltyPoints = 1`, asOf: '2026-03-02T09:30:00Z' }
    expect(names(await list({ ...filtered, sort: '-loyaltyPoints' }))).toEqual(['Past'])
    expect(names(await list({ filter: filtered.filter }))).toEqual([])

    const stale = await admin.patch(`${contacts}/${id}`, { version: 1, loyaltyPoints: 5 })
    expect(stale).toMatchObject({ status: 409, body: { code: 'VERSION_CONFLICT' } })
    expect(stale.body.conflicts).toEqual([{ field: 'loyaltyPoints', base: 1, mine: 5, theirs: 2 }])
    await admin.post(`/api/core/change-sets/${changeSet}/undo`)
    expect((await admin.get(`${contacts}/${id}`)).body.data).toMatchObject({ loyaltyPoints: 1, visitsScore: null })
    expect((await admin.get('/api/core/audit/verification')).body.data).toMatchObject({ fault: null })
  })

  test('is refused in words what it may not hold', async () => {
    const values = { firstName: 'Léa', lastName: 'Wrong', allowDuplicate: true }
    const tier = await admin.post(contacts, { ...values, loyaltyTier: 'platinum' })
    expect(tier).toMatchObject({ status: 422, body: { errors: [{ path: '/loyaltyTier' }] } })
    const points = await admin.post(contacts, { ...values, loyaltyPoints: -1 })
    expect(points).toMatchObject({ status: 422, body: { errors: [{ path: '/loyaltyPoints' }] } })
    const host = await admin.post(contacts, { ...values, visitsHost: '018f0000-0000-7000-8000-000000000000' })
    expect(host).toMatchObject({ status: 422, body: { errors: [{ path: '/visitsHost', code: 'REFERENCE_UNKNOWN' }] } })
    await contact({ lastName: 'First', loyaltyCard: 'CARD-1' })
    const taken = await admin.post(contacts, { ...values, loyaltyCard: 'CARD-1' })
    expect(taken).toMatchObject({ status: 409, body: { code: 'VALUE_TAKEN', errors: [{ path: '/loyaltyCard' }] } })
    expect((await list({ filter: 'lastName = "Wrong"' })).data).toEqual([])
  })

  test('two writers of one contact each find what the other left beside it', async () => {
    const { id } = await contact({ lastName: 'Raced', loyaltyPoints: 0 })
    const write = async (writer: number) => {
      for (let left = 10; left > 0;) {
        const { data } = (await admin.get(`${contacts}/${id}`)).body
        const sent = { version: data.version, loyaltyPoints: writer * 1_000 + data.version }
        const { status } = await admin.patch(`${contacts}/${id}`, sent)
        expect([200, 409]).toContain(status)
        if (status === 200) left -= 1
      }
    }
    await Promise.all([1, 2, 3].map(write))
    const { body } = await admin.get(`${contacts}/${id}/history?limit=50`)
    const steps: { old: number | null; new: number }[] = body.data.map(({ changes }: never) =>
      (changes as { field: string; old: number; new: number }[]).find(({ field }) => field === 'loyaltyPoints'),
    )
    expect(steps).toHaveLength(31)
    expect(steps.slice(0, 30).map(({ old }) => old)).toEqual(steps.slice(1).map((step) => step.new))
  })

  test('is found by a search where it says so, and many records bring it in one statement', async () => {
    const create = [1, 2, 3].map((nth) => ({
      firstName: 'Many',
      lastName: `Of ${nth}`,
      ...(nth === 2 ? {} : { loyaltyCard: `ZQX-70${nth}`, visitsRegion: 'Nord' }),
    }))
    const { status, body } = await admin.post(`${contacts}/bulk`, { create, acknowledge: ['DUPLICATE_SUSPECTED'] })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(names(await list({ q: 'ZQX-701' }))).toEqual(['Of 1'])
    expect(names(await list({ filter: 'firstName = "Many"', sort: 'visitsRegion,lastName' }))).toEqual([
      'Of 1',
      'Of 3',
      'Of 2',
    ])
  })

  test('stands behind the wall that its contact stands behind, also for SQL that names it', async () => {
    const { id } = await contact({ lastName: 'Walled', visitsRegion: 'Wall' })
    const nadia = await app.as(personOf(atlas, 'Nadia'))
    expect((await list({ sort: 'visitsRegion' }, nadia)).data).toEqual([])
    const found = async (partner: WallSide) => {
      const side = { workspace: app.workspace.id, partner }
      const { rows } = await app.app.kernel.parts.database.transaction(side, (tx) =>
        sql`select record from visits.ext_contact where region = 'Wall'`.execute(tx),
      )
      return rows
    }
    expect(await found({ partners: [atlas], now: app.clock.now() })).toEqual([])
    expect(await found('*')).toEqual([{ record: id }])
  })

  test('is hidden, masked and conditioned by roles as any other', async () => {
    const shown = await contact({ lastName: 'Shown', loyaltyTier: 'gold', loyaltyPoints: 9, loyaltyCard: 'SECRET-99' })
    await contact({ lastName: 'Kept', loyaltyTier: 'bronze' })
    const rep = await app.as({
      grants: [{ resource: 'core.contact', action: '*', visibility: 'all', condition: 'loyaltyTier = "gold"' }],
      fields: [
        { resource: 'core.contact', field: 'loyaltyPoints', access: 'none' },
        { resource: 'core.contact', field: 'loyaltyCard', access: 'masked' },
      ],
    })
    const seen = await list({ filter: 'lastName in ("Shown", "Kept")' }, rep)
    expect(names(seen)).toEqual(['Shown'])
    expect(seen.data[0]).not.toHaveProperty('loyaltyPoints')
    expect(seen.data[0].loyaltyCard).not.toContain('SECRET')
    expect((await rep.get(`${contacts}${query({ sort: 'loyaltyPoints' })}`)).body.code).toBe('FIELD_NOT_READABLE')
    expect((await rep.patch(`${contacts}/${shown.id}`, { version: 1, loyaltyPoints: 1 })).status).toBe(403)
    const catalogue = await admin.get('/api/core/permissions')
    const fields = catalogue.body.data.resources.find(({ id }: { id: string }) => id === 'core.contact').fields
    expect(fields).toContainEqual({ name: 'loyaltyPoints', label: 'Points' })
  })
})

describe('where the plugin is off', () => {
  test('it says beforehand which fields and views of others go with it', async () => {
    const here = await app.secondWorkspace()
    const view = { resource: 'core.contact', name: 'Gold', filter: 'loyaltyTier = "gold"' }
    expect((await here.admin.post('/api/core/views', view)).status).toBe(201)
    const { data } = (await here.admin.get('/api/core/plugins/loyalty/what-breaks')).body
    expect(data.fields).toContainEqual({ resource: 'core.contact', field: 'loyaltyTier', title: 'Contacts · Tier' })
    expect(data.views).toMatchObject([{ name: 'Gold', resource: 'core.contact' }])
  })

  test('its fields are absent everywhere, their values stay, and they are back when it is on', async () => {
    const { id } = await contact({ lastName: 'Asleep', loyaltyPoints: 42, loyaltyCard: 'WAKE-7', visitsRegion: 'Sud' })
    const other = await app.secondWorkspace()
    await switched('loyalty', async () => {
      const { data } = (await admin.get(`${contacts}/${id}`)).body
      expect(data).not.toHaveProperty('loyaltyPoints')
      expect(data).toMatchObject({ visitsRegion: 'Sud' })
      const filtered = await admin.get(contacts + query({ filter: 'loyaltyPoints = 42' }))
      expect(filtered).toMatchObject({ status: 400, body: { code: 'EXPRESSION_INVALID' } })
      const unknown = await admin.get(contacts + query({ filter: 'loyaltyPointz = 42' }))
      expect(filtered.body.detail.replace('Points', 'Pointz')).toBe(unknown.body.detail)
      expect((await admin.get(contacts + query({ sort: 'loyaltyPoints' }))).status).toBe(400)
      const written = await admin.patch(`${contacts}/${id}`, { version: data.version, loyaltyPoints: 1 })
      expect(written).toMatchObject({ status: 422, body: { errors: [{ code: 'FIELD_UNKNOWN' }] } })
      expect(JSON.stringify((await admin.get('/api/core/shell')).body)).not.toContain('loyalty')
      expect(JSON.stringify((await admin.get('/api/core/openapi.json')).body)).not.toContain('loyalty')
      expect(JSON.stringify((await admin.get('/api/core/permissions')).body)).not.toContain('loyalty')
      await app.deliver()
      await app.app.jobs.runUntilIdle()
      expect(names(await list({ q: 'WAKE-7' }))).toEqual([])
      await change(id, { jobTitle: 'Chef', lastName: 'Awake' })
      expect((await other.admin.get(contacts + query({ filter: 'loyaltyPoints = 42' }))).status).toBe(200)
    })
    expect((await admin.get(`${contacts}/${id}`)).body.data).toMatchObject({ loyaltyPoints: 42, jobTitle: 'Chef' })
    await app.deliver()
    await app.app.jobs.runUntilIdle()
    expect(names(await list({ q: 'WAKE-7' }))).toEqual(['Awake'])
  })
})
