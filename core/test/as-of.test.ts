import { helloPlugin } from '@socle/example-hello'
import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T08:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const accounts = '/api/core/accounts'
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`
const at = (time: string) => `2026-03-02T${time}:00Z`

async function account(values: Record<string, unknown>, client = admin) {
  const { status, body } = await client.post(accounts, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

async function change(id: string, values: Record<string, unknown>) {
  const current = await admin.get(`${accounts}/${id}`)
  const { status, body } = await admin.patch(`${accounts}/${id}`, { ...values, version: current.body.data.version })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data
}

async function list(parameters: Record<string, string>, client = admin) {
  const { status, body } = await client.get(accounts + query(parameters))
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

describe('core-12: a record changed at 10:00, 11:00 and 12:00', () => {
  let id: string
  const industry = 'as-of'

  beforeAll(async () => {
    app.clock.set(at('09:00'))
    id = (await account({ name: 'Verrerie du Lac', industry, employees: 9, annualRevenue: '900.90' })).id
    const gone = await account({ name: 'Gone by noon', industry, employees: 1 })
    for (const hour of ['10', '11', '12']) {
      app.clock.set(at(`${hour}:00`))
      await change(id, { employees: Number(hour), city: `City ${hour}`, annualRevenue: `${hour}.50` })
      if (hour === '11') await account({ name: 'Came at eleven', industry, employees: 111 })
      if (hour === '12') await admin.delete(`${accounts}/${gone.id}?version=1`)
    }
    app.clock.set(at('13:00'))
  })

  test('reads as it was, with the version and the author of then', async () => {
    for (const [instant, employees, city, revenue, version, updated] of [
      ['09:30', 9, null, '900.9000', 1, '09:00'],
      ['10:00', 10, 'City 10', '10.5000', 2, '10:00'],
      ['10:30', 10, 'City 10', '10.5000', 2, '10:00'],
      ['11:30', 11, 'City 11', '11.5000', 3, '11:00'],
      ['12:30', 12, 'City 12', '12.5000', 4, '12:00'],
    ] as const) {
      const { body, headers } = await admin.get(`${accounts}/${id}?asOf=${at(instant)}`)
      expect(body.data, instant).toMatchObject({
        employees,
        city,
        annualRevenue: revenue,
        version,
        updatedAt: `2026-03-02T${updated}:00.000Z`,
      })
      expect(headers.get('etag')).toBe(`"${version}"`)
    }
  })

  test('a list counts as it did: what came later is absent, what was deleted later is there', async () => {
    const names = async (instant: string) => {
      const body = await list({
        asOf: at(instant),
        filter: `industry = "${industry}"`,
        sort: '-employees',
        count: 'exact',
      })
      expect(body.page.count).toBe(body.data.length)
      return body.data.map(({ name, employees }: Record<string, unknown>) => `${String(name)} ${String(employees)}`)
    }
    expect(await names('08:30')).toEqual([])
    expect(await names('10:30')).toEqual(['Verrerie du Lac 10', 'Gone by noon 1'])
    expect(await names('11:30')).toEqual(['Came at eleven 111', 'Verrerie du Lac 11', 'Gone by noon 1'])
    expect(await names('12:30')).toEqual(['Came at eleven 111', 'Verrerie du Lac 12'])
  })

  test('filters, words and the bin look at the values of then', async () => {
    const found = async (parameters: Record<string, string>) =>
      (await list({ filter: `industry = "${industry}"`, ...parameters })).data.map(({ name }: { name: string }) => name)
    expect(await found({ asOf: at('10:30'), filter: 'city = "City 10"' })).toEqual(['Verrerie du Lac'])
    expect(await found({ asOf: at('11:30'), filter: 'city = "City 10"' })).toEqual([])
    expect(await found({ asOf: at('11:30'), q: 'verreri' })).toEqual(['Verrerie du Lac'])
    expect(await found({ deleted: 'only' })).toEqual(['Gone by noon'])
    expect(await found({ asOf: at('11:30'), deleted: 'only' })).toEqual([])
  })

  test('figures are those of then, and the rows they open add up to them', async () => {
    const { body } = await admin.post(`${accounts}/aggregate`, {
      filter: `industry = "${industry}"`,
      groupBy: ['city'],
      measures: ['count', 'sum:employees'],
      asOf: at('11:30'),
    })
    expect(body.data).toMatchObject([
      { key: { city: 'City 11' }, count: 1, 'sum:employees': '11', instant: '2026-03-02T11:30:00.000Z' },
      { key: { city: null }, count: 2, 'sum:employees': '112' },
    ])
    for (const row of body.data) {
      const behind = await list({ asOf: row.instant, filter: row.filter, count: 'exact' })
      expect(behind.page.count).toBe(row.count)
    }
  })

  test('the same is answered to a query in the body', async () => {
    const { body } = await admin.post(`${accounts}/query`, {
      asOf: at('10:30'),
      filter: { op: '=', path: 'employees', value: { number: '10' } },
    })
    expect(body.data).toMatchObject([{ id, employees: 10 }])
  })

  test('pages by cursor, which belongs to its instant', async () => {
    const first = await list({ asOf: at('11:30'), filter: `industry = "${industry}"`, sort: 'name', limit: '2' })
    const rest = { filter: `industry = "${industry}"`, sort: 'name', limit: '2', after: first.page.next }
    expect((await list({ ...rest, asOf: at('11:30') })).data).toMatchObject([{ name: 'Verrerie du Lac' }])
    expect(await admin.get(accounts + query({ ...rest, asOf: at('11:31') }))).toMatchObject({
      status: 400,
      body: { code: 'CURSOR_INVALID' },
    })
  })

  test('what never was, will be, or is no longer kept is refused', async () => {
    for (const [asOf, status, code] of [
      ['yesterday', 400, 'QUERY_INVALID'],
      ['2026-03-02', 400, 'QUERY_INVALID'],
      ['2026-03-03T00:00:00Z', 400, 'QUERY_INVALID'],
      ['2023-03-01T00:00:00Z', 422, 'AS_OF_UNKNOWN'],
    ] as const) {
      expect(await admin.get(accounts + query({ asOf })), asOf).toMatchObject({ status, body: { code } })
      expect(await admin.get(`${accounts}/${id}${query({ asOf })}`), asOf).toMatchObject({ status, body: { code } })
    }
  })
})

test('a record reads as of its own last change with that change, however long the write took', async () => {
  const now = app.clock.now.bind(app.clock)
  const ticking = vi.spyOn(app.clock, 'now').mockImplementation(() => {
    app.clock.advance('PT0.001S')
    return now()
  })
  try {
    const made = await account({ name: 'Horlogerie du Lac', city: 'Annecy' })
    const asOf = (instant: string) => admin.get(`${accounts}/${made.id}${query({ asOf: instant })}`)
    expect((await asOf(made.updatedAt)).body.data).toMatchObject({ city: 'Annecy' })
    const changed = await change(made.id, { city: 'Thonon' })
    expect((await asOf(changed.updatedAt)).body.data).toMatchObject({ city: 'Thonon', version: 2 })
    const { body } = await admin.get(`${accounts}/${made.id}/history`)
    expect(body.data.map((it: { at: string }) => it.at)).toEqual([changed.updatedAt, made.createdAt])
    expect((await admin.delete(`${accounts}/${made.id}?version=2`)).status).toBe(204)
    const [gone] = (await admin.get(`${accounts}${query({ deleted: 'only', filter: 'city = "Thonon"' })}`)).body.data
    expect((await asOf(gone.updatedAt)).body.data).toMatchObject({ deletedAt: gone.deletedAt, version: 3 })
  } finally {
    ticking.mockRestore()
  }
})

test('today, now and spans of a filter are those of the instant', async () => {
  app.clock.set('2026-03-03T09:00:00Z')
  const { id } = await account({ name: 'Dated', industry: 'dated' })
  app.clock.set('2026-03-13T09:00:00Z')
  const found = async (filter: string, asOf?: string) =>
    (await list({ filter: `industry = "dated" and ${filter}`, ...(asOf ? { asOf } : {}) })).data.length
  for (const filter of ['createdAt = today()', 'createdAt within last 2 days', 'not createdAt < today()']) {
    expect([filter, await found(filter)]).toEqual([filter, 0])
    expect([filter, await found(filter, '2026-03-03T10:00:00Z')]).toEqual([filter, 1])
  }
  expect(await found('createdAt within last 2 days', '2026-03-08T10:00:00Z')).toBe(0)
  const { body } = await admin.get(`${accounts}/${id}?asOf=2026-03-03T10:00:00Z`)
  expect(body.data.industry).toBe('dated')
  app.clock.set('2026-03-14T09:00:00Z')
})

test('words find nothing by a title of then that is hidden', async () => {
  app.clock.set('2026-03-14T10:00:00Z')
  await account({ name: 'Hidden title', industry: 'hidden' })
  const blind = await app.as({
    may: ['core.account.read'],
    fields: [{ resource: 'core.account', field: 'name', access: 'none' }],
  })
  app.clock.set('2026-03-14T11:00:00Z')
  const asked = { filter: 'industry = "hidden"', q: 'Hidden' }
  expect((await list({ ...asked, asOf: '2026-03-14T10:30:00Z' })).data).toHaveLength(1)
  expect((await list(asked, blind)).data).toEqual([])
  expect((await list({ ...asked, asOf: '2026-03-14T10:30:00Z' }, blind)).data).toEqual([])
})

test('figures of more than a thousand groups say that there are more', async () => {
  const figures = async (filter: string) =>
    (await admin.post(`${accounts}/aggregate`, { filter, groupBy: ['name'], measures: ['count'] })).body
  for (let at = 0; at < 1_001; at += 200) {
    const create = Array.from({ length: Math.min(200, 1_001 - at) }, (_, index) => ({
      name: `Group ${at + index}`,
      industry: 'groups',
    }))
    expect((await admin.post(`${accounts}/bulk`, { create, atomic: true })).status).toBe(200)
  }
  const all = await figures('industry = "groups"')
  expect([all.data.length, all.more]).toEqual([1_000, true])
  const fewer = await figures('industry = "groups" and name != "Group 7"')
  expect([fewer.data.length, fewer.more]).toEqual([1_000, false])
}, 60_000)

test('paths across references and names of references are those of then', async () => {
  app.clock.set(at('14:00'))
  const parent = await account({ name: 'Before the merger', city: 'Lyon' })
  const child = await account({ name: 'Daughter', parent: parent.id, industry: 'path' })
  app.clock.set(at('15:00'))
  await change(parent.id, { name: 'After the merger', city: 'Lille' })
  app.clock.set(at('16:00'))
  const then = { asOf: at('14:30'), include: 'parent', sort: 'parent' }
  const body = await list({ ...then, filter: 'parent.city = "Lyon"' })
  expect(body.data).toMatchObject([{ id: child.id }])
  expect(body.included['core.account'][parent.id].title).toBe('Before the merger')
  expect((await list({ ...then, filter: 'parent.city = "Lille"' })).data).toEqual([])
  expect((await list({ asOf: at('15:30'), filter: 'parent.city = "Lille"' })).data).toMatchObject([{ id: child.id }])
  const parents = await list({ asOf: at('14:30'), filter: 'any(accounts, industry = "path")' })
  expect(parents.data).toMatchObject([{ name: 'Before the merger' }])
})

test('today’s permissions decide: the row of today, the fields of today', async () => {
  app.clock.set(at('17:00'))
  const mine = await app.as({ grants: [{ resource: 'core.account', action: 'read', visibility: 'own' }] })
  const colleague = await account({ name: 'Was mine', owner: mine.who.actor.id, industry: 'reach' })
  const inherited = await account({ name: 'Is mine now', industry: 'reach' })
  app.clock.set(at('18:00'))
  await change(colleague.id, { owner: admin.who.actor.id })
  await change(inherited.id, { owner: mine.who.actor.id })
  app.clock.set(at('19:00'))
  const then = { asOf: at('17:30'), filter: 'industry = "reach"' }
  expect((await list(then, mine)).data).toMatchObject([{ id: inherited.id, owner: admin.who.actor.id }])
  expect(await mine.get(`${accounts}/${colleague.id}?asOf=${at('17:30')}`)).toMatchObject({ status: 404 })
  const short = await app.as({
    may: ['core.account.read'],
    fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'none' }],
  })
  expect((await list(then, short)).data[0]).not.toHaveProperty('annualRevenue')
  expect(await short.get(accounts + query({ asOf: at('17:30'), filter: 'annualRevenue > 1' }))).toMatchObject({
    status: 403,
    body: { code: 'FIELD_NOT_READABLE' },
  })
})

test('every resource can be read as of an instant', async () => {
  app.clock.set(at('20:00'))
  const resources = app.app.kernel.parts.catalog.all()
  expect(resources.length).toBeGreaterThan(10)
  for (const { plugin, path, id } of resources) {
    const { status, body } = await admin.get(`/api/${plugin}/${path}?asOf=${at('19:30')}`)
    expect([id, status, body.code]).toEqual([id, 200, undefined])
  }
})

test('a figure’s rows add up to it, for every role and grouping', async () => {
  app.clock.set('2026-03-29T00:30:00Z')
  const team = (await admin.post('/api/core/teams', { name: 'East' })).body.data.id
  const grant = (visibility: 'own' | 'team' | 'all') => [{ resource: 'core.account', action: '*', visibility }]
  const own = await app.as({ grants: grant('own'), teams: [team] })
  const group = await app.as({ grants: grant('team'), teams: [team] })
  const parent = await account({ name: 'Head', industry: 'figure' })
  const roles: readonly TestClient[] = [own, group, admin]
  for (let index = 0; index < 36; index += 1) {
    // Hours around the change to summer time, so that days of 23 hours are among the buckets.
    app.clock.set(new Date(Date.parse('2026-03-28T20:30:00Z') + index * 3_600_000))
    await account({
      name: `Figure ${index}`,
      industry: 'figure',
      ...(index % 3 ? { annualRevenue: `${index}.${index % 7}1` } : {}),
      ...(index % 4 ? { parent: parent.id } : {}),
      ...(index % 5 ? { doNotContact: index % 2 === 0 } : {}),
      owner: (index % 2 ? own : group).who.actor.id,
      team,
      ...(index % 6 ? { city: ['Lyon', 'L’Isle "d’Abeau"', 'Évry'][index % 3] } : {}),
    })
  }
  const groupings = [
    [],
    ['parent'],
    ['doNotContact'],
    ['city'],
    ['createdAt:day'],
    ['createdAt:month', 'city'],
    ['createdAt'],
    ['owner'],
    ['annualRevenue'],
    ['lifecycle', 'doNotContact'],
  ]
  const sums: number[] = []
  for (const client of roles) {
    for (const groupBy of groupings) {
      const { status, body } = await client.post(`${accounts}/aggregate`, {
        filter: 'industry = "figure"',
        groupBy,
        measures: ['count', 'sum:annualRevenue'],
      })
      expect(status, JSON.stringify(body)).toBe(200)
      let all = 0
      for (const row of body.data) {
        const behind = await list({ filter: row.filter, limit: '200', asOf: row.instant }, client)
        const sum = behind.data.reduce(
          (total: Decimal, it: { annualRevenue: string | null }) => total.plus(it.annualRevenue ?? 0),
          new Decimal(0),
        )
        expect([behind.data.length, sum.toFixed(4)], `${String(groupBy)}: ${row.filter}`).toEqual([
          row.count,
          new Decimal(row['sum:annualRevenue']).toFixed(4),
        ])
        all += row.count
      }
      sums.push(all)
    }
  }
  expect([...new Set(sums.slice(0, 10))]).toEqual([18])
  expect([...new Set(sums.slice(10, 20))]).toEqual([36])
  expect([...new Set(sums.slice(20))]).toEqual([37])

  // Words and spans, opened when the clock has gone on: a city's name is no word of a title.
  for (const asked of [
    { filter: 'industry = "figure"', q: 'lyon' },
    { filter: 'industry = "figure"', q: 'figure', asOf: '2026-03-29T12:00:00Z' },
    { filter: 'industry = "figure" and createdAt within last 1 days' },
  ]) {
    for (const client of roles) {
      const { body } = await client.post(`${accounts}/aggregate`, { ...asked, groupBy: ['city'], measures: ['count'] })
      const { instant = '', ...row } = body.data[0]
      expect(row.count, asked.filter).toBeGreaterThan(0)
      app.clock.set(new Date(app.clock.now().getTime() + 3 * 86_400_000))
      for (const figure of body.data) {
        const { filter, q = '' } = figure
        const behind = await list({ filter, q, asOf: instant, count: 'exact' }, client)
        expect([asked, behind.page.count]).toEqual([asked, figure.count])
      }
      app.clock.set(new Date(app.clock.now().getTime() - 3 * 86_400_000))
    }
  }
})
