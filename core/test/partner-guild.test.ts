import { defineEntity, p } from '@mikro-orm/core'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Account } from '../src/entities/account.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { defineResource } from '../src/records/define-resource.ts'
import { recordBase } from '../src/records/record-base.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, boreal, made, personOf } from './partner-world.ts'

// Partners that are records themselves, so that two of them may turn out to be one, and what they refer.

const ResellerSchema = defineEntity({
  name: 'Reseller',
  schema: 'guild',
  tableName: 'reseller',
  properties: { ...recordBase(), name: p.string() },
})
class Reseller extends ResellerSchema.class {}
ResellerSchema.setClass(Reseller)

const ReferralSchema = defineEntity({
  name: 'Referral',
  schema: 'guild',
  tableName: 'referral',
  properties: {
    ...recordBase(),
    name: p.string(),
    account: () => p.manyToOne(Account).fieldName('account_id').nullable(),
    partner: () => p.manyToOne(Reseller).fieldName('partner').nullable(),
  },
})
class Referral extends ReferralSchema.class {}
ReferralSchema.setClass(Referral)

const guildPlugin = definePlugin({
  id: 'guild',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Guild', fr: 'Guilde' },
  entities: [ResellerSchema, ReferralSchema],
  resources: [
    defineResource(Reseller, {
      path: 'resellers',
      title: 'name',
      icon: 'store',
      list: ['name'],
      search: ['name'],
      partner: 'id',
    }),
    defineResource(Referral, {
      path: 'referrals',
      title: 'name',
      icon: 'handshake',
      list: ['name', 'account', 'partner'],
      search: ['name', 'account.name'],
      duplicates: [{ kind: 'name', fields: ['name'], weight: 90 }],
      partner: 'partner',
    }),
  ],
  migrations: new URL('./fixtures/guild/', import.meta.url),
})

const referrals = '/api/guild/referrals'

let app: TestApp
let ana: TestClient
let alex: TestClient
let bert: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [guildPlugin], now: '2026-03-02T09:00:00Z' })
  for (const [id, name] of [
    [atlas, 'Atlas'],
    [boreal, 'Boreal'],
  ])
    made(await app.admin.post('/api/guild/resellers', { id, name }))
  ana = await app.as(personOf(atlas, 'Ana'))
  alex = await app.as(personOf(atlas, 'Alex'))
  bert = await app.as(personOf(boreal, 'Bert'))
})
afterAll(() => app[Symbol.asyncDispose]())

const found = async (by: TestClient, words: string): Promise<string[]> =>
  (await by.get(`/api/core/search?q=${words}`)).body.data.map(({ title }: { title: string }) => title)
const readersOf = async (id: string) => {
  const { rows } = await sql<{ reader: string | null; version: number }>`
    select reader, version from core.change where record = ${id}::uuid order by version`.execute(
    app.app.kernel.parts.database.owner,
  )
  return rows.map(({ reader }) => reader)
}

describe('what a partner changes', () => {
  test('stays found by the house under the name of an account that the partner does not see', async () => {
    const account = made(await app.admin.post('/api/core/accounts', { name: 'Quondam Foundry' }))
    const { id } = made(
      await app.admin.post(referrals, { name: 'Kettle', account: account.id, partner: atlas, allowDuplicate: true }),
    )
    expect(await found(app.admin, 'quondam')).toContain('Kettle')
    made(await ana.patch(`${referrals}/${id}`, { version: 1, name: 'Cauldron' }))
    expect(await found(app.admin, 'quondam')).toContain('Cauldron')
    expect(await found(ana, 'cauldron')).toEqual(['Cauldron'])
    expect(await found(ana, 'quondam')).toEqual([])
    // Once it points elsewhere, the old name finds it no more.
    made(await app.admin.patch(`${referrals}/${id}`, { version: 2, account: null }))
    expect(await found(app.admin, 'quondam')).toEqual(['Quondam Foundry'])
  })

  test('is told by its history under the name of the colleague who did it, and of the house under the company’s', async () => {
    const { id } = made(await ana.post(referrals, { name: 'Ladle' }))
    made(await alex.patch(`${referrals}/${id}`, { version: 1, name: 'Ladles' }))
    made(await app.admin.patch(`${referrals}/${id}`, { version: 2, name: 'Soup ladles' }))
    const { data } = (await ana.get(`${referrals}/${id}/history`)).body
    expect(data.map(({ actor }: { actor: { name: string } }) => actor.name)).toEqual([
      'Acme Distribution',
      'Alex',
      'Ana',
    ])
    expect(data[1].actor).toMatchObject({ type: 'user', id: alex.who.actor.id })
    expect(JSON.stringify(data)).not.toContain(app.admin.who.actor.id)
    // Nobody else's heads are handed out, whatever change sets are asked for.
    const heads = await app.app.kernel.parts.database.transaction(
      {
        workspace: app.workspace.id,
        actor: bert.who.actor.id!,
        partner: { partners: [boreal], now: app.clock.now() },
      },
      (tx) =>
        sql`select * from core.heads_of_own(${data.map(({ changeSet }: { changeSet: string }) => changeSet)}::uuid[])`.execute(
          tx,
        ),
    )
    expect(heads.rows).toEqual([])
  })
})

test('merging two partners hands over what the one had, in lists, search and likely twins, and undoing gives it back', async () => {
  const { id } = made(await bert.post(referrals, { name: 'Zymotic oven' }))
  const versionOf = async (reseller: string) =>
    (await app.admin.get(`/api/guild/resellers/${reseller}`)).body.data.version
  expect(await found(ana, 'zymotic')).toEqual([])
  const merged = await app.admin.post(`/api/guild/resellers/${atlas}/merge`, {
    version: await versionOf(atlas),
    others: [{ id: boreal, version: await versionOf(boreal) }],
  })
  expect(merged.status, JSON.stringify(merged.body)).toBeLessThan(300)
  const alike = (by: TestClient) => by.post(`${referrals}/duplicates`, { name: 'Zymotic oven' })
  expect((await ana.get(`${referrals}/${id}`)).body.data).toMatchObject({ name: 'Zymotic oven', partner: atlas })
  expect(await found(ana, 'zymotic')).toEqual(['Zymotic oven'])
  expect((await alike(ana)).body.data).toMatchObject([{ record: id }])
  // Bert stands for the partner it has become.
  expect((await bert.get(`${referrals}/${id}`)).status).toBe(200)
  expect(await found(bert, 'zymotic')).toEqual(['Zymotic oven'])
  // The change names both, and is for neither.
  expect(await readersOf(id)).toEqual([boreal, null])
  const undone = await app.admin.post(`/api/core/merges/${merged.body.data.merge}/undo`)
  expect(undone.status, JSON.stringify(undone.body)).toBe(200)
  expect(await found(bert, 'zymotic')).toEqual(['Zymotic oven'])
  expect(await found(ana, 'zymotic')).toEqual([])
  expect((await alike(ana)).body.data).toEqual([])
  expect(await readersOf(id)).toEqual([boreal, null, null])
})

describe('the people of a partner that turns out to be another', () => {
  const versionOf = async (reseller: string) =>
    (await app.admin.get(`/api/guild/resellers/${reseller}`)).body.data.version
  const merge = async () => {
    const answer = await app.admin.post(`/api/guild/resellers/${atlas}/merge`, {
      version: await versionOf(atlas),
      others: [{ id: boreal, version: await versionOf(boreal) }],
    })
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body.data.merge as string
  }
  const undo = async (id: string) => {
    const answer = await app.admin.post(`/api/core/merges/${id}/undo`)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body
  }
  const partnersOf = async (by: TestClient) => {
    const { rows } = await sql<{ partner: string | null; partners: string[] }>`
      select partner, partners from core.member where id = ${by.who.actor.id}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    return rows[0]
  }
  const resellersOf = async (by: TestClient) =>
    (await by.get('/api/guild/resellers')).body.data.map(({ id }: { id: string }) => id)

  test('follow it with their next request, see what it has, and are given back when the merge is undone', async () => {
    const ofAtlas = made(await ana.post(referrals, { name: 'Anvil of Atlas' }))
    const ofBoreal = made(await bert.post(referrals, { name: 'Bellows of Boreal' }))
    const seen = async (by: TestClient) =>
      Promise.all([ofAtlas.id, ofBoreal.id].map(async (id) => (await by.get(`${referrals}/${id}`)).status))
    const both = await app.as({ ...personOf(boreal, 'Bea'), partners: [boreal, atlas] })
    expect(await seen(bert)).toEqual([404, 200])
    const id = await merge()
    expect(await partnersOf(bert)).toEqual({ partner: atlas, partners: [atlas] })
    expect(await partnersOf(both)).toEqual({ partner: atlas, partners: [atlas] })
    expect(await seen(bert)).toEqual([200, 200])
    expect(await seen(ana)).toEqual([200, 200])
    expect(await resellersOf(bert)).toEqual([atlas])
    expect((await bert.post(referrals, { name: 'Crucible' })).body.data).toMatchObject({ partner: atlas })
    const { body } = await app.admin.get(`/api/core/users/${bert.who.actor.id}/history`)
    expect(JSON.stringify(body.data[0].changes)).toContain(boreal)
    await undo(id)
    expect(await partnersOf(bert)).toEqual({ partner: boreal, partners: [boreal] })
    expect(await partnersOf(both)).toEqual({ partner: boreal, partners: [boreal, atlas] })
    expect(await seen(bert)).toEqual([404, 200])
    expect(await seen(ana)).toEqual([200, 404])
  })

  test('keep what was opened to their partner, and lose what of the other’s they took along', async () => {
    const account = made(await app.admin.post('/api/core/accounts', { name: 'Opened to Boreal' }))
    await app.app.kernel.parts.database.owner.transaction().execute(async (tx) => {
      await sql`
        insert into core.share (id, workspace, resource, record, partner, access)
        values (gen_random_uuid(), ${app.workspace.id}, 'core.account', ${account.id}, ${boreal}, 'read')`.execute(tx)
    })
    const open = async (by: TestClient) => (await by.get(`/api/core/accounts/${account.id}`)).status
    expect(await open(bert)).toBe(200)
    expect(await open(ana)).toBe(404)
    const id = await merge()
    expect(await open(bert)).toBe(200)
    expect(await open(ana)).toBe(200)
    const run = made(await bert.post('/api/core/exports', { resource: 'guild.referral', format: 'csv' }))
    await undo(id)
    expect(await open(bert)).toBe(200)
    expect(await open(ana)).toBe(404)
    expect((await bert.get(`/api/core/exports/${run.id}`)).status).toBe(404)
  })

  test('stay where somebody has put them since', async () => {
    const id = await merge()
    const other = '0193d1a2-0000-7000-8000-0000000000cc'
    const owner = app.app.kernel.parts.database.owner
    await sql`
      update core.member set partner = ${other}::uuid, partners = jsonb_build_array(${other}::text)
      where id = ${bert.who.actor.id}::uuid`.execute(owner)
    expect(JSON.stringify(await undo(id))).toContain(bert.who.actor.id)
    expect(await partnersOf(bert)).toEqual({ partner: other, partners: [other] })
    await sql`
      update core.member set partner = ${boreal}::uuid, partners = jsonb_build_array(${boreal}::text)
      where id = ${bert.who.actor.id}::uuid`.execute(owner)
  })

  test('stay with it when two other records are merged under ids that somebody chose like those of partners', async () => {
    const clerk = await app.as({
      name: 'Clerk',
      grants: [{ resource: 'core.contact', action: '*', visibility: 'all' }],
    })
    const account = made(
      await app.admin.post('/api/core/accounts', { name: 'Quarry of one partner', allowDuplicate: true }),
    )
    await app.app.kernel.parts.database.owner.transaction().execute(async (tx) => {
      await sql`
        insert into core.share (id, workspace, resource, record, partner, access)
        values (gen_random_uuid(), ${app.workspace.id}, 'core.account', ${account.id}, ${boreal}, 'read')`.execute(tx)
    })
    for (const id of [atlas, boreal])
      made(await clerk.post('/api/core/contacts', { id, lastName: `Double ${id}`, allowDuplicate: true }))
    const answer = await clerk.post(`/api/core/contacts/${atlas}/merge`, {
      version: 1,
      others: [{ id: boreal, version: 1 }],
    })
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    expect(await partnersOf(bert)).toEqual({ partner: boreal, partners: [boreal] })
    expect((await ana.get(`/api/core/accounts/${account.id}`)).status).toBe(404)
    expect((await bert.get(`/api/core/accounts/${account.id}`)).status).toBe(200)
  })
})
