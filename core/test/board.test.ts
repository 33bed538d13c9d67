import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

const board = '/api/core/accounts/board'
const mine = 'industry = board'

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
  admin = app.admin
  for (let index = 0; index < 12; index++) {
    const values = {
      name: `Account ${String(index).padStart(2, '0')}`,
      industry: 'board',
      lifecycle: index < 7 ? 'prospect' : 'client',
      annualRevenue: `${index}.10`,
      employees: index % 4 === 3 ? null : 100 - index,
      ...(index % 2 ? {} : { owner: null }),
    }
    await admin.post('/api/core/accounts', values)
  }
})
afterAll(() => app[Symbol.asyncDispose]())

interface Column {
  key: string | null
  count: number
  figures: Record<string, unknown>[]
  filter: string
  cards: { id: string; name: string }[]
  next: string | null
}

async function read(by: TestClient, query: Record<string, unknown>): Promise<{ data: Column[]; more: boolean }> {
  const { status, body } = await by.post(board, query)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

test('columns come with counts, exact sums and their first cards; the list behind each continues where they end', async () => {
  const { data } = await read(admin, {
    by: 'lifecycle',
    filter: mine,
    sort: 'name',
    limit: 2,
    measures: ['sum:annualRevenue'],
  })
  expect(data.map(({ key, count }) => [key, count])).toEqual([
    ['prospect', 7],
    ['client', 5],
  ])
  expect(data.map(({ figures }) => figures[0]?.['sum:annualRevenue'])).toEqual(['21.7000', '45.5000'])
  for (const { cards, filter, next, count } of data) {
    const whole = await admin.get(`/api/core/accounts?${new URLSearchParams({ filter, sort: 'name', limit: '200' })}`)
    const all = whole.body.data.map(({ name }: { name: string }) => name)
    expect(all).toHaveLength(count)
    expect(cards.map(({ name }) => name)).toEqual(all.slice(0, 2))
    const rest = await admin.get(
      `/api/core/accounts?${new URLSearchParams({ filter, sort: 'name', limit: '200', after: next ?? '' })}`,
    )
    expect(rest.body.data.map(({ name }: { name: string }) => name)).toEqual(all.slice(2))
  }
})

test('a board goes by a person too, with a column for records nobody owns', async () => {
  const { data, more } = await read(admin, { by: 'owner', filter: mine, sort: 'name' })
  expect(more).toBe(false)
  expect(new Map(data.map(({ key, count }) => [key, count]))).toEqual(
    new Map([
      [null, 6],
      [admin.who.actor.id, 6],
    ]),
  )
  const body = (await admin.post(board, { by: 'owner', filter: mine })).body
  expect(body.included['core.user'][admin.who.actor.id!]).toMatchObject({ title: 'Claire Admin' })
})

test('wanted columns come in their order, empty ones too, and cards in the order asked, empty values last', async () => {
  const { data } = await read(admin, {
    by: 'lifecycle',
    filter: mine,
    columns: ['former', 'prospect'],
    sort: '-employees',
  })
  expect(data.map(({ key, count, cards }) => [key, count, cards.length])).toEqual([
    ['former', 0, 0],
    ['prospect', 7, 7],
  ])
  expect(data[1]!.cards.at(-1)?.name).toBe('Account 03')
})

test('nothing of what an actor may not see is in a column, its count or its sum', async () => {
  const narrow = await app.as({ grants: [{ resource: 'core.account', action: 'read', visibility: 'own' }] })
  expect((await read(narrow, { by: 'lifecycle', filter: mine, measures: ['sum:annualRevenue'] })).data).toEqual([])
  const blind = await app.as({
    may: ['core.account.read'],
    fields: [
      { resource: 'core.account', field: 'lifecycle', access: 'none' },
      { resource: 'core.account', field: 'annualRevenue', access: 'none' },
    ],
  })
  for (const query of [
    { by: 'lifecycle' },
    { by: 'owner', measures: ['sum:annualRevenue'] },
    { by: 'owner', sort: 'annualRevenue' },
    { by: 'owner', filter: 'annualRevenue > 1' },
  ])
    expect(await blind.post(board, query)).toMatchObject({ status: 403, body: { code: 'FIELD_NOT_READABLE' } })
})

test('a field that makes no columns is refused in words', async () => {
  for (const by of ['employees', 'name', 'nothing'])
    expect(await admin.post(board, { by })).toMatchObject({ status: 400, body: { code: 'QUERY_INVALID' } })
})
