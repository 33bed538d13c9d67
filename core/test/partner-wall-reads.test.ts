import { sql } from 'kysely'
import { salesPlugin } from '@socle/sales'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../src/testing/index.ts'
import { atlas, boreal, dealsPlugin, made, personOf } from './partner-world.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, dealsPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

test('a record is not found by the name of one it points at that is out of reach', async () => {
  const account = made(await app.admin.post('/api/core/accounts', { name: 'Quondam Foundry' }))
  const contact = made(await app.admin.post('/api/core/contacts', { lastName: 'Merle', account: account.id }))
  const clerk = await app.as({
    name: 'Clerk',
    grants: [
      { resource: 'core.contact', action: 'read', visibility: 'all' },
      { resource: 'core.account', action: 'read', visibility: 'own' },
    ],
  })
  expect((await clerk.get('/api/core/search?q=quondam')).body.data).toEqual([])
  expect((await clerk.get('/api/core/contacts?q=quondam')).body.data).toEqual([])
  expect((await clerk.get('/api/core/search?q=merle')).body.data).toMatchObject([{ id: contact.id }])
  const reader = await app.as({ name: 'Reader', may: ['core.contact.read', 'core.account.read'] })
  expect((await reader.get('/api/core/search?q=quondam')).body.data).toHaveLength(2)
})

test('how many there may be is not guessed from the rows of others', async () => {
  const ana = await app.as(personOf(atlas, 'Ana'))
  await sql`
    insert into deals.deal (id, workspace, name, partner)
    select gen_random_uuid(), ${app.workspace.id}::uuid, 'Counted', case when n <= 1500 then ${atlas}::uuid else ${boreal}::uuid end
    from generate_series(1, 6000) n`.execute(app.app.kernel.parts.database.owner)
  await sql`analyze deals.deal`.execute(app.app.kernel.parts.database.owner)
  const filter = encodeURIComponent('name = "Counted"')
  const { body } = await ana.get(`/api/deals/deals?count=estimate&filter=${filter}`)
  expect(body.page).toMatchObject({ count: 1000, exact: false })
})

test('a denial whose condition leads to what partners do not see denies all', async () => {
  const account = made(await app.admin.post('/api/core/accounts', { name: 'Denied', city: 'Paris' }))
  made(await app.admin.post('/api/deals/deals', { name: 'Kept from them', account: account.id, partner: boreal }))
  const grants = [{ resource: 'deals.deal', action: 'read', visibility: 'all' }] as const
  const bert = await app.as({ name: 'Bert', partners: [boreal], grants })
  expect((await bert.get('/api/deals/deals?q=kept')).body.data).toHaveLength(1)
  const denied = await app.as({
    name: 'Dan',
    partners: [boreal],
    grants: [
      ...grants,
      { resource: 'deals.deal', action: 'read', visibility: 'all', deny: true, condition: 'account.city = "Paris"' },
    ],
  })
  expect((await denied.get('/api/deals/deals?q=kept')).body.data).toEqual([])
})
