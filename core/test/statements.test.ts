import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createTestApp,
  makeTestDatabase,
  type TestAnswer,
  type TestApp,
  type TestDatabase,
} from '../src/testing/index.ts'

let base: TestDatabase
let app: TestApp
let account: string
/** Statements sent in units of work since the last look. */
let sent = 0

beforeAll(async () => {
  base = await makeTestDatabase()
  const { database } = base
  const ear = {
    transformQuery: <T extends { node: N }, N>({ node }: T): N => {
      sent += 1
      return node
    },
    transformResult: async <R>({ result }: { result: R }): Promise<R> => result,
  }
  app = await createTestApp({
    now: '2026-03-02T09:00:00Z',
    database: {
      ...base,
      database: {
        ...database,
        transaction: (context, work) => database.transaction(context, (tx) => work(tx.withPlugin(ear))),
      },
    },
  })
  const made = await app.admin.post('/api/core/accounts', { name: 'Maison Garonne', annualRevenue: '10' })
  account = made.body.data.id
  const contacts = Array.from({ length: 60 }, (_, nth) => ({ firstName: 'Léa', lastName: `Marnet ${nth}`, account }))
  const accounts = Array.from({ length: 60 }, (_, nth) => ({ name: `Comptoir ${nth * 7919}`, parent: account }))
  const activities = Array.from({ length: 60 }, (_, nth) => ({ subject: `Échange ${nth}`, account }))
  for (const [path, create] of Object.entries({ contacts, accounts, activities })) {
    const { status, body } = await app.admin.post(`/api/core/${path}/bulk`, {
      create,
      acknowledge: ['DUPLICATE_SUSPECTED'],
    })
    if (status !== 200) throw new Error(JSON.stringify(body))
  }
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await base.drop()
})

/** Statements of one request. Rights and definitions are kept for some seconds and now and then read anew: the fewest of three. */
async function statementsOf(ask: () => Promise<TestAnswer>): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  for (let nth = 0; nth < 3; nth += 1) {
    sent = 0
    const { status, body } = await ask()
    expect(status, JSON.stringify(body).slice(0, 500)).toBeLessThan(300)
    fewest = Math.min(fewest, sent)
  }
  return fewest
}

test.each([
  ['a page of a list', (limit: number) => `/api/core/contacts?include=account,owner&sort=account&limit=${limit}`],
  [
    'a filtered page sorted by what may be empty',
    (limit: number) =>
      `/api/core/contacts?${new URLSearchParams({ filter: 'account.name ~ "garonne"', sort: '-jobTitle', include: 'account,owner', limit: String(limit) })}`,
  ],
])('%s takes at most four statements, and no more for more rows', async (_, path) => {
  const few = await statementsOf(() => app.admin.get(path(2)))
  expect(few).toBeGreaterThan(0)
  expect(few).toBeLessThanOrEqual(4)
  expect(await statementsOf(() => app.admin.get(path(50)))).toBe(few)
})

test('contacts made together take no more statements for more of them', async () => {
  const made = (count: number) =>
    statementsOf(() => {
      const create = Array.from({ length: count }, (_, nth) => ({ lastName: `Ensemble ${nth}`, account }))
      const request = { create, atomic: true, acknowledge: ['DUPLICATE_SUSPECTED'] }
      return app.admin.post('/api/core/contacts/bulk', request)
    })
  expect(await made(50)).toBe(await made(2))
})

test('contacts shared together take no more statements for more of them', async () => {
  const { body } = await app.admin.get('/api/core/contacts?limit=60&sort=name')
  const ids = body.data.map(({ id }: { id: string }) => id)
  const reader = await app.as({ name: 'Reader of shares' })
  let next = 0
  const shared = (count: number) =>
    statementsOf(() => {
      const records = ids.slice(next, (next += count))
      return app.admin.post('/api/core/shares', { resource: 'core.contact', records, user: reader.who.actor.id })
    })
  const few = await shared(2)
  expect(few).toBeGreaterThan(0)
  // Each share makes rights be read anew, now and then in the next request.
  expect(await shared(15)).toBeLessThanOrEqual(few + 2)
})

test('who sees a record is found in as few statements among two hundred people as among two', async () => {
  const { workspace } = app
  const ask = () => app.admin.get(`/api/core/explain/readers?resource=core.account&record=${account}`)
  const few = await statementsOf(ask)
  await app.inside((ctx) =>
    sql`insert into core.member (id, workspace, name)
      select gen_random_uuid(), ${workspace.id}::uuid, 'Many ' || n from generate_series(1, 190) n`.execute(ctx.sql),
  )
  expect(await statementsOf(ask)).toBe(few)
  expect(few).toBeLessThanOrEqual(12)
})

test('a board of twenty cards a column takes at most six statements, and as many as one of two', async () => {
  const board = (limit: number) => () =>
    app.admin.post('/api/core/accounts/board', {
      by: 'lifecycle',
      limit,
      measures: ['sum:annualRevenue'],
      include: ['owner', 'parent'],
    })
  const few = await statementsOf(board(2))
  expect(few).toBeGreaterThan(0)
  expect(few).toBeLessThanOrEqual(6)
  expect(await statementsOf(board(20))).toBe(few)
})

test('a record page takes one statement for the record and all it points at, and one for its timeline', async () => {
  const page = `/api/core/accounts/${account}?include=owner,team,parent`
  expect(await statementsOf(() => app.admin.get(page))).toBe(1)
  expect(await statementsOf(() => app.admin.get(`/api/core/accounts/${account}/timeline`))).toBe(1)
  expect(await statementsOf(() => app.admin.get(`${page}&timeline=first`))).toBe(2)
})

test('a search takes one statement, whether it finds many, few or only what was meant', async () => {
  for (const words of ['comptoir', 'maison', 'garone', 'nothing of the kind'])
    expect(
      await statementsOf(() => app.admin.get(`/api/core/search?${new URLSearchParams({ q: words })}`)),
      words,
    ).toBe(1)
})

test('creating a contact takes one statement, which looks for its like and writes all there is to write', async () => {
  let nth = 0
  const create = () => {
    nth += 1
    return app.admin.post('/api/core/contacts', {
      firstName: 'Zoé',
      lastName: `Arnal ${nth}`,
      email: `zoe${nth}@example.com`,
    })
  }
  expect(await statementsOf(create)).toBe(1)
})

test.runIf(process.env['TEST_DATABASE_URL'])(
  'a list by options and yes or no is planned once, for the very values',
  async () => {
    const filter = 'lifecycle = "client" and doNotContact = false'
    for (let nth = 0; nth < 12; nth += 1)
      await app.admin.get(`/api/core/accounts?${new URLSearchParams({ filter, count: 'none' })}`)
    const { rows } = await app.inside((ctx) =>
      sql<{ kept: boolean }>`
        select generic_plans > 0 as kept from pg_prepared_statements
        where strpos(statement, ${`"lifecycle" = 'client'`}) > 0 and strpos(statement, ${'limit 51'}) > 0`.execute(
        ctx.sql,
      ),
    )
    expect(rows).toEqual([{ kept: true }])
  },
)
