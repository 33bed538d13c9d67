import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'
import { Asking, placesOf } from './privacy-world.ts'
import { sidePlugins } from './side-world.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: sidePlugins, now: '2026-03-02T08:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const contacts = '/api/core/contacts'
const work = () => app.app.jobs.runUntilIdle()

interface Made {
  readonly id: string
  readonly version: number
}

async function made(path: string, values: Record<string, unknown>): Promise<Made> {
  const { status, body } = await admin.post(path, { allowDuplicate: true, ...values })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

const get = async (id: string) => (await admin.get(`${contacts}/${id}`)).body.data

const seen = ({ id, version }: Made) => ({ id, version })

async function merged(path: string, survivor: Made, other: Made): Promise<string> {
  const { status, body } = await admin.post(`${path}/${survivor.id}/merge`, {
    version: survivor.version,
    others: [seen(other)],
  })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data.merge ?? body.merge
}

test('of two contacts that are one, the survivor takes what it lacks beside it, and gives it back', async () => {
  const one = await made(contacts, { lastName: 'Leroux', loyaltyPoints: 5 })
  const two = await made(contacts, { lastName: 'Leroux', loyaltyPoints: 70, loyaltyTier: 'gold', loyaltyCard: 'L-1' })
  const merge = await merged(contacts, one, two)
  expect(await get(one.id)).toMatchObject({ loyaltyPoints: 5, loyaltyTier: 'gold' })
  expect(await get(one.id)).toMatchObject({ loyaltyCard: 'L-1' })
  expect((await admin.post(`/api/core/merges/${merge}/undo`, {})).status).toBe(200)
  expect(await get(one.id)).toMatchObject({ loyaltyPoints: 5, loyaltyTier: null })
  expect(await get(two.id)).toMatchObject({ loyaltyPoints: 70, loyaltyTier: 'gold', loyaltyCard: 'L-1' })
})

test('what a module keeps that is off goes along with a merge, unseen, and is there when the module is back', async () => {
  const one = await made(contacts, { lastName: 'Besson' })
  const two = await made(contacts, { lastName: 'Besson', loyaltyPoints: 31 })
  await app.app.toggle.disable(app.workspace, 'loyalty', undefined, false)
  const merge = await merged(contacts, one, two)
  const history = await admin.get(`${contacts}/${one.id}/history`)
  expect(JSON.stringify([await get(one.id), history.body])).not.toContain('loyalty')
  await app.app.toggle.enable(app.workspace, 'loyalty', undefined)
  expect(await get(one.id)).toMatchObject({ loyaltyPoints: 31 })
  await admin.post(`/api/core/merges/${merge}/undo`, {})
  expect(await get(one.id)).toMatchObject({ loyaltyPoints: null })
  expect(await get(two.id)).toMatchObject({ loyaltyPoints: 31 })
})

test.each(['on', 'off'])(
  'a reference beside a record follows a merge of what it points at, its module %s',
  async (state) => {
    const [kept, gone] = [
      await made('/api/core/accounts', { name: 'Kept' }),
      await made('/api/core/accounts', { name: 'Gone' }),
    ]
    const { id } = await made(contacts, { lastName: `Hosted ${state}`, visitsHost: gone.id })
    const by = await admin.get(
      `/api/core/accounts?${new URLSearchParams({ filter: `any(contactsByVisitsHost, lastName = "Hosted ${state}")` })}`,
    )
    expect(by.body.data.map((it: Made) => it.id)).toEqual([gone.id])
    if (state === 'off') await app.app.toggle.disable(app.workspace, 'visits', undefined, false)
    const merge = await merged('/api/core/accounts', kept, gone)
    if (state === 'off') await app.app.toggle.enable(app.workspace, 'visits', undefined)
    const { data, included } = (await admin.get(`${contacts}/${id}?include=visitsHost`)).body
    expect(data).toMatchObject({ visitsHost: kept.id, version: 2 })
    expect(included['core.account'][kept.id].title).toBe('Kept')
    await admin.post(`/api/core/merges/${merge}/undo`, {})
    expect(await get(id)).toMatchObject({ visitsHost: gone.id })
  },
)

test.each(['on', 'off'])(
  'the erasure of a person takes what modules keep beside them, the module %s',
  async (state) => {
    const words = [`Région-${state}-marker`, `CARD-${state}-marker`]
    const { id } = await made(contacts, {
      firstName: 'Zoé',
      lastName: `Effacée-${state}`,
      email: `zoe.${state}@planted.example`,
      visitsRegion: words[0],
      loyaltyCard: words[1],
    })
    const naming = await made(contacts, { lastName: 'Other', visitsRegion: `with zoe.${state}@planted.example` })
    if (state === 'off')
      for (const { id: plugin } of sidePlugins) await app.app.toggle.disable(app.workspace, plugin, undefined, false)
    const done = await new Asking(app, app).erase(id)
    expect(done.state, JSON.stringify(done)).toBe('done')
    for (const { id: plugin } of sidePlugins) await app.app.toggle.enable(app.workspace, plugin, undefined)
    expect(await placesOf(app, [...words, `zoe.${state}@planted.example`])).toEqual([])
    expect((await get(naming.id)).visitsRegion).not.toContain('planted')
  },
)

test('fields beside a record are imported by their names and exported under their heads', async () => {
  const importing = new Importing(admin, work)
  const { id, mapping } = await importing.upload(
    'core.contact',
    'Last name;Tier;Points;Region\nImported;Gold;120;Nord\nOther;;-5;\n',
  )
  expect(mapping.map(({ field }) => field)).toEqual(['lastName', 'loyaltyTier', 'loyaltyPoints', expect.anything()])
  await importing.change(id, {
    mapping: ['lastName', 'loyaltyTier', 'loyaltyPoints', 'visitsRegion'].map((field, at) => ({
      column: ['Last name', 'Tier', 'Points', 'Region'][at],
      field,
    })),
  })
  const done = await importing.through(id)
  expect(done.counts).toMatchObject({ create: 1, failed: 1 })
  expect(await importing.refused(id)).toEqual({ 3: [expect.stringMatching(/^loyaltyPoints/)] })
  const asked = await admin.post('/api/core/exports', {
    resource: 'core.contact',
    format: 'csv',
    fields: ['lastName', 'loyaltyTier', 'loyaltyPoints'],
    filter: 'loyaltyPoints = 120',
  })
  await work()
  const { data } = (await admin.get(`/api/core/exports/${asked.body.data.id}`)).body
  const file = await (await admin.raw('GET', data.file)).text()
  expect(file.replace('\ufeff', '')).toBe('Last name,Tier,Points\r\nImported,Gold,120\r\n')
})

test('many are changed at once by what stands beside them, and put back', async () => {
  for (const nth of [1, 2, 3])
    await made(contacts, { lastName: `Bulk ${nth}`, visitsRegion: 'Bulk', loyaltyPoints: nth })
  const { body, headers } = await admin.post(`${contacts}/bulk`, {
    filter: 'visitsRegion = "Bulk"',
    set: { loyaltyTier: 'silver' },
  })
  expect(body.data.map(({ status }: { status: string }) => status)).toEqual(['done', 'done', 'done'])
  const silver = async () =>
    (
      await admin.get(
        `${contacts}?${new URLSearchParams({ filter: 'loyaltyTier = "silver" and visitsRegion = "Bulk"' })}`,
      )
    ).body.data
  expect(await silver()).toHaveLength(3)
  await admin.post(`/api/core/change-sets/${headers.get('x-change-set')}/undo`)
  expect(await silver()).toHaveLength(0)
})

test('a company’s own field does not take the name of a module’s, on or off, and may be computed from it', async () => {
  const own = { resource: 'core.contact', labelEn: 'X', labelFr: 'X' }
  await app.app.toggle.disable(app.workspace, 'loyalty', undefined, false)
  const taken = await admin.post('/api/core/fields', { ...own, name: 'loyaltyPoints', type: 'integer' })
  expect(taken).toMatchObject({ status: 422, body: { errors: [{ code: 'NAME_TAKEN' }] } })
  await app.app.toggle.enable(app.workspace, 'loyalty', undefined)
  const computed = { ...own, name: 'twice', type: 'integer', formula: 'loyaltyPoints * 2' }
  expect(await admin.post('/api/core/fields', computed)).toMatchObject({ status: 201 })
  const { id } = await made(contacts, { lastName: 'Computed', loyaltyPoints: 21 })
  expect(await get(id)).toMatchObject({ twice: 42 })
  const past = { asOf: app.clock.now().toISOString() }
  app.clock.advance('PT1H')
  await admin.patch(`${contacts}/${id}`, { version: 1, loyaltyPoints: 1 })
  expect((await admin.get(`${contacts}/${id}?${new URLSearchParams(past)}`)).body.data).toMatchObject({ twice: 42 })
  await app.app.toggle.disable(app.workspace, 'loyalty', undefined, false)
  expect(await get(id)).not.toHaveProperty('twice')
  await app.app.toggle.enable(app.workspace, 'loyalty', undefined)
  expect(await get(id)).toMatchObject({ twice: 2 })
})
