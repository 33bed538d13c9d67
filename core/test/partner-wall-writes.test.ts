import { sql } from 'kysely'
import { salesPlugin } from '@socle/sales'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sql } from '../src/database/database.ts'
import { PartnerPeople } from '../src/identity/partner-people.ts'
import { createTestApp, TestClient, type TestApp } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'
import { atlas, boreal, dealsPlugin, made, personOf } from './partner-world.ts'

let app: TestApp
let ana: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, dealsPlugin], now: '2026-03-02T09:00:00Z' })
  ana = await app.as(personOf(atlas, 'Ana'))
  await app.app.start()
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
    asOwner(),
  )
}

const asOwner = () => app.app.kernel.parts.database.owner

/** Work on Ana's side of the wall, in SQL. */
const asAna = <T>(work: (tx: Sql) => Promise<T>) =>
  app.app.kernel.parts.database.transaction(
    {
      workspace: app.workspace.id,
      actor: ana.who.actor.id!,
      partner: { partners: [atlas], now: app.clock.now() },
    },
    work,
  )

test('what the house changed meanwhile in an account opened to a partner is not overwritten unseen', async () => {
  const id = await sharedAccount({ name: 'Meanwhile', city: 'Paris' })
  made(await app.admin.patch(`/api/core/accounts/${id}`, { version: 1, city: 'Lyon' }))
  const late = await ana.patch(`/api/core/accounts/${id}`, { version: 1, city: 'Agen' })
  expect(late).toMatchObject({ status: 409, body: { code: 'VERSION_CONFLICT', current: { version: 2, city: 'Lyon' } } })
  made(await ana.patch(`/api/core/accounts/${id}`, { version: 2, city: 'Agen' }))
  // Their own change is in the house's ledger alone too, so they look again.
  expect((await ana.patch(`/api/core/accounts/${id}`, { version: 2, city: 'Pau' })).status).toBe(409)
})

test('taking back an import of theirs leaves what the house has worked on, or points at', async () => {
  const importing = new Importing(ana, async () => {})
  const { id } = await importing.upload('deals.deal', 'name\nTouched mill\nNamed forge\nLone quarry\n')
  await importing.through(id)
  const { body } = await ana.get('/api/deals/deals?sort=name')
  const deals = new Map((body.data as { name: string; id: string }[]).map((it) => [it.name, it.id]))
  made(await app.admin.patch(`/api/deals/deals/${deals.get('Touched mill')}`, { version: 1, amount: '3' }))
  const lead = made(await app.admin.post('/api/core/leads', { lastName: 'Converted' }))
  await sql`
    update core.lead set target_resource = 'deals.deal', target_record = ${deals.get('Named forge')}::uuid
    where id = ${lead.id}::uuid`.execute(asOwner())
  expect(await importing.rollBack(id)).toMatchObject({ reversal: { deleted: 1, kept: 2 } })
  const left = (await ana.get('/api/deals/deals?sort=name')).body.data as { name: string }[]
  expect(left.map(({ name }) => name)).toEqual(['Named forge', 'Touched mill'])
})

test('what refers to a record is told a partner of records of their own alone', async () => {
  const { id } = made(await app.admin.post('/api/deals/deals', { name: 'Of the house', allowDuplicate: true }))
  const lead = made(await app.admin.post('/api/core/leads', { lastName: 'Asked about' }))
  await sql`
    update core.lead set target_resource = 'deals.deal', target_record = ${id}::uuid where id = ${lead.id}::uuid`.execute(
    asOwner(),
  )
  const { rows } = await asAna((tx) =>
    sql`select core.records_in_use('core.lead'::regclass, 'target_record', '', 'target_resource', 'deals.deal', ${[id]}::uuid[], '{}')`.execute(
      tx,
    ),
  )
  expect(rows).toEqual([])
})

test('a record that became one out of reach does not come back beside it', async () => {
  const gone = made(await ana.post('/api/deals/deals', { name: 'Half of a pair' }))
  const kept = made(await app.admin.post('/api/deals/deals', { name: 'Other half', partner: boreal }))
  made(await app.admin.post(`/api/deals/deals/${kept.id}/merge`, { version: 1, others: [{ id: gone.id, version: 1 }] }))
  expect(await ana.post(`/api/deals/deals/${gone.id}/restore`, {})).toMatchObject({
    status: 404,
    body: { code: 'RECORD_NOT_FOUND' },
  })
})

test('a cycle of accounts is refused where its way leads over one that is out of reach', async () => {
  const top = await sharedAccount({ name: 'Top of three' })
  const hidden = made(await app.admin.post('/api/core/accounts', { name: 'Secret middle', parent: top }))
  const bottom = await sharedAccount({ name: 'Bottom of three', parent: hidden.id })
  const closing = await ana.patch(`/api/core/accounts/${top}`, { version: 1, parent: bottom })
  expect(closing.body.code).toBe('CYCLE_REFUSED')
  expect(JSON.stringify(closing.body)).not.toContain('Secret')
  const inSql = asAna((tx) =>
    sql`update core.account set parent_id = ${bottom}::uuid where id = ${top}::uuid`.execute(tx),
  )
  await expect(inSql).rejects.toThrow(/cannot stand below itself/)
})

test('what is named in a write must be within reach before anything looks at it', async () => {
  const top = await sharedAccount({ name: 'Looks upwards' })
  const hidden = made(await app.admin.post('/api/core/accounts', { name: 'Secret below', parent: top }))
  const absent = await ana.patch(`/api/core/accounts/${top}`, { version: 1, parent: uuidv7() })
  const guess = await ana.patch(`/api/core/accounts/${top}`, { version: 1, parent: hidden.id })
  for (const answer of [absent, guess])
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: '/parent', code: 'REFERENCE_UNKNOWN' }] } })
})

test('whoever comes to stand for a partner leaves behind what they made as one of the house', async () => {
  const person = await app.as({ name: 'Gone over', may: ['deals.deal.read', 'deals.deal.export'] })
  const user = person.who.actor.id!
  const role = made(await app.admin.post('/api/core/roles', { name: 'Program', permissions: ['deals.deal.read'] }))
  const key = made(await app.admin.post('/api/core/api-keys', { name: 'Made by them', role: role.id }))
  await sql`update core.api_key set created_by = ${user}::uuid where id = ${key.id}::uuid`.execute(asOwner())
  const program = new TestClient(app.app, person.who, { authorization: `Bearer ${String(key['key'])}` })
  expect((await program.get('/api/deals/deals')).status).toBe(200)
  const { id } = made(await person.post('/api/core/exports', { resource: 'deals.deal', format: 'csv' }))
  await expect
    .poll(async () => (await person.get(`/api/core/exports/${id}`)).body.data.state, { timeout: 20_000 })
    .toBe('done')
  await app.inside((ctx) => ctx.use(PartnerPeople).standFor(user, [atlas]))
  expect((await program.get('/api/deals/deals')).status).toBe(401)
  expect((await person.get(`/api/core/exports/${id}/file`)).status).toBe(404)
  const { rows } = await sql`select from core.file_piece where file = ${id}::uuid`.execute(asOwner())
  expect(rows).toEqual([])
})

test('who is no member of the company any more does not see it as one of the house', async () => {
  const { authorities } = app.app.kernel.parts
  expect((await authorities.of(app.workspace, { user: uuidv7() })).partners).toEqual([])
})

test('a value that must be one’s alone cannot be tried out through an account that was opened', async () => {
  const id = await sharedAccount({ name: 'Has a code' })
  made(await app.admin.post('/api/core/accounts', { name: 'Has the other', code: 'SECRET-1', allowDuplicate: true }))
  for (const code of ['SECRET-1', 'FREE-1'])
    expect(await ana.patch(`/api/core/accounts/${id}`, { version: 1, code })).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_WRITABLE' },
    })
})
