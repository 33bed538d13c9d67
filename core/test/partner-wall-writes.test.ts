import { sql } from 'kysely'
import { salesPlugin } from '@socle/sales'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, dealsPlugin, made, personOf } from './partner-world.ts'

let app: TestApp
let ana: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, dealsPlugin], now: '2026-03-02T09:00:00Z' })
  ana = await app.as(personOf(atlas, 'Ana'))
})
afterAll(() => app[Symbol.asyncDispose]())

/** An account of the house, opened to Atlas for writing. */
async function sharedAccount(values: Readonly<Record<string, unknown>>): Promise<string> {
  const { id } = made(await app.admin.post('/api/core/accounts', { allowDuplicate: true, ...values }))
  await open(id)
  return id
}

async function open(account: string): Promise<void> {
  await sql`
    insert into core.share (id, workspace, resource, record, partner, access)
    values (${uuidv7()}::uuid, ${app.workspace.id}::uuid, 'core.account', ${account}::uuid, ${atlas}::uuid, 'write')`.execute(
    app.app.kernel.parts.database.owner,
  )
}

test('what the house changed meanwhile in an account opened to a partner is not overwritten unseen', async () => {
  const id = await sharedAccount({ name: 'Meanwhile', city: 'Paris' })
  made(await app.admin.patch(`/api/core/accounts/${id}`, { version: 1, city: 'Lyon' }))
  const late = await ana.patch(`/api/core/accounts/${id}`, { version: 1, city: 'Agen' })
  expect(late).toMatchObject({ status: 409, body: { code: 'VERSION_CONFLICT', current: { version: 2, city: 'Lyon' } } })
  made(await ana.patch(`/api/core/accounts/${id}`, { version: 2, city: 'Agen' }))
  // Their own change is in the house's ledger alone too, so they look again.
  expect((await ana.patch(`/api/core/accounts/${id}`, { version: 2, city: 'Pau' })).status).toBe(409)
})
