import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'
import { listsPlugin } from './merge-world.ts'

let app: TestApp
let company: TestWorkspace
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [listsPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())

beforeEach(async () => {
  app.clock.set('2026-03-02T09:00:00Z')
  company = await app.secondWorkspace()
  admin = company.admin
})

type Values = Readonly<Record<string, unknown>>
interface Made {
  readonly id: string
  readonly version: number
  readonly [field: string]: unknown
}

async function make(path: string, values: Values): Promise<Made> {
  const answer = await admin.post(`/api/${path}`, { allowDuplicate: true, ...values })
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}
const account = (values: Values = {}) => make('core/accounts', { name: 'Léger', ...values })
const read = async (path: string, id: string) => (await admin.get(`/api/${path}/${id}`)).body.data
const list = async (path: string, filter: string): Promise<Made[]> =>
  (await admin.get(`/api/${path}?${new URLSearchParams({ filter, limit: '200' })}`)).body.data

async function change(path: string, id: string, values: Values) {
  const { version } = await read(path, id)
  const answer = await admin.patch(`/api/${path}/${id}`, { version, ...values })
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 })
}

async function merge(survivor: Made, others: readonly Made[], rest: Values = {}, by: TestClient = admin) {
  const seen = async (id: string) => ({ id, version: (await read('core/accounts', id))?.version ?? 1 })
  return by.post(`/api/core/accounts/${survivor.id}/merge`, {
    version: (await seen(survivor.id)).version,
    others: await Promise.all(others.map(({ id }) => seen(id))),
    ...rest,
  })
}

async function merged(survivor: Made, others: readonly Made[], rest: Values = {}) {
  const answer = await merge(survivor, others, rest)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 })
  return answer.body.data
}

const undo = (id: string, by: TestClient = admin) => by.post(`/api/core/merges/${id}/undo`, {})

async function undone(id: string) {
  const answer = await undo(id)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 })
  return answer.body.data
}

test('core-07: a suspected twin is warned of, created all the same, found, merged with all that hangs on it, and unmerged a day later', async () => {
  const leger = await account({ name: 'Établissements Léger SARL', phone: '01 42 68 53 00' })
  const values = { name: 'etablissements leger', phone: '+33 1 42 68 53 00', city: 'Lyon' }
  const refused = await admin.post('/api/core/accounts', values)
  expect(refused).toMatchObject({
    status: 409,
    body: {
      code: 'DUPLICATE_SUSPECTED',
      candidates: [{ record: leger.id, reasons: [{ kind: 'name' }, { kind: 'phone' }] }],
    },
  })
  const twin = await account(values)
  expect(await admin.post('/api/core/accounts/duplicates/scan', {})).toMatchObject({ status: 202 })
  await app.app.jobs.runUntilIdle()
  const pairs = await admin.get('/api/core/accounts/duplicates')
  expect(pairs.body.data).toMatchObject([{ state: 'open', score: 85 }])
  expect(new Set([pairs.body.data[0].a.id, pairs.body.data[0].b.id])).toEqual(new Set([leger.id, twin.id]))

  for (const subject of ['Appeler', 'Relancer', 'Visiter', 'Écrire'])
    await make('core/activities', { subject, account: twin.id })
  for (const name of ['Salon', 'Vœux']) await make('fixture/memberships', { list: name, account: twin.id })
  const order = await make('core/orders', { account: twin.id })

  const answer = await merged(leger, [twin])
  expect(answer.moved).toEqual(
    expect.arrayContaining([
      { resource: 'core.activity', field: 'account', count: 4, folded: 0 },
      { resource: 'fixture.membership', field: 'account', count: 2, folded: 0 },
      { resource: 'core.order', field: 'account', count: 1, folded: 0 },
    ]),
  )
  expect(answer.data).toMatchObject({ name: 'Établissements Léger SARL', city: 'Lyon' })
  expect(await list('core/activities', `account = "${leger.id}"`)).toHaveLength(4)

  const old = await admin.get(`/api/core/accounts/${twin.id}`)
  expect([old.status, old.headers.get('location')]).toEqual([301, `/api/core/accounts/${leger.id}`])
  expect(await admin.patch(`/api/core/accounts/${twin.id}`, { version: 1, city: 'Lille' })).toMatchObject({
    status: 409,
    body: { code: 'RECORD_MERGED', survivor: leger.id },
  })
  expect(await admin.post(`/api/core/accounts/${twin.id}/restore`, {})).toMatchObject({
    status: 409,
    body: { code: 'RECORD_MERGED' },
  })

  app.clock.set('2026-03-03T09:00:00Z')
  const comment = await make('core/activities', { subject: 'Une remarque', type: 'note', account: leger.id })
  const back = await undone(answer.merge)
  expect(back).toMatchObject({ survivor: leger.id, restored: [twin.id], kept: [] })
  expect(await read('core/accounts', twin.id)).toMatchObject({
    name: 'etablissements leger',
    city: 'Lyon',
    deletedAt: null,
  })
  expect(await read('core/accounts', leger.id)).toMatchObject({ city: null })
  expect(await list('core/activities', `account = "${twin.id}"`)).toHaveLength(4)
  expect(await list('fixture/memberships', `account = "${twin.id}"`)).toHaveLength(2)
  expect(await read('core/orders', order.id)).toMatchObject({ account: twin.id })
  expect(await read('core/activities', comment.id)).toMatchObject({ account: leger.id })
  expect((await undo(answer.merge)).body.code).toBe('MERGE_UNDONE')
})

describe('values', () => {
  test('the survivor keeps its own, takes what it lacks, and whatever was chosen', async () => {
    const one = await account({ name: 'Un', city: 'Lyon' })
    const two = await account({ name: 'Deux', city: 'Lille', industry: 'Chimie' })
    const three = await account({ name: 'Trois', industry: 'Bois', employees: 12 })
    const { data } = await merged(one, [two, three], { choose: { city: two.id, name: three.id } })
    expect(data).toMatchObject({ name: 'Trois', city: 'Lille', industry: 'Chimie', employees: 12 })
  })

  test('a unique value passes from one that ends, and back', async () => {
    const one = await account({ name: 'Un' })
    const two = await account({ name: 'Deux', code: 'C2' })
    const answer = await merged(one, [two])
    expect(answer.data.code).toBe('C2')
    await undone(answer.merge)
    expect(await read('core/accounts', one.id)).toMatchObject({ code: null })
    expect(await read('core/accounts', two.id)).toMatchObject({ code: 'C2' })
  })

  test('a preview tells what would be and changes nothing', async () => {
    const one = await account({ name: 'Un' })
    const two = await account({ name: 'Deux', city: 'Lille' })
    const activity = await make('core/activities', { subject: 'Appeler', account: two.id })
    const { status, body } = await merge(one, [two], { preview: true })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data).toMatchObject({
      data: { id: one.id, name: 'Un', city: 'Lille' },
      moved: [{ resource: 'core.activity', field: 'account', count: 1 }],
      blockers: [],
    })
    expect(await read('core/accounts', two.id)).toMatchObject({ deletedAt: null, version: 1 })
    expect(await read('core/activities', activity.id)).toMatchObject({ account: two.id, version: 1 })
  })

  test('a child that would hang below itself blocks, and the preview says so', async () => {
    const top = await account({ name: 'Groupe' })
    const middle = await account({ name: 'Filiale', parent: top.id })
    const low = await account({ name: 'Agence', parent: middle.id })
    const preview = await merge(low, [top], { preview: true })
    expect(preview.body.data.blockers).toMatchObject([{ code: 'MERGE_BLOCKED' }])
    expect(await merge(low, [top])).toMatchObject({ status: 409, body: { code: 'MERGE_BLOCKED' } })
    expect(await read('core/accounts', top.id)).toMatchObject({ deletedAt: null })
  })

  test('a subsidiary merged with its parent does not hang below itself, and hangs there again afterwards', async () => {
    const top = await account({ name: 'Groupe' })
    const low = await account({ name: 'Filiale', parent: top.id })
    const answer = await merged(low, [top])
    expect(answer.data.parent).toBeNull()
    await undone(answer.merge)
    expect(await read('core/accounts', low.id)).toMatchObject({ parent: top.id })
  })
})

describe('what hangs on the records', () => {
  test('a contact on both accounts is on the survivor once, and on each again afterwards', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const contact = await make('core/contacts', { lastName: 'Martin' })
    const other = await make('core/contacts', { lastName: 'Durand' })
    const links = []
    for (const [on, who] of [
      [one, contact],
      [two, contact],
      [two, other],
    ] as const)
      links.push(await make('core/account-contacts', { account: on.id, contact: who.id }))
    const answer = await merged(one, [two])
    expect(answer.moved).toContainEqual({ resource: 'core.account-contact', field: 'account', count: 1, folded: 1 })
    expect(await list('core/account-contacts', `account = "${one.id}"`)).toHaveLength(2)
    await undone(answer.merge)
    for (const [index, on] of [one, two, two].entries())
      expect(await read('core/account-contacts', links[index]!.id)).toMatchObject({ account: on.id, deletedAt: null })
  })

  test('an issued invoice, a record in the bin and one of a module that is off follow too', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const invoice = await make('core/invoices', { account: two.id })
    await make('core/invoice-lines', { invoice: invoice.id, name: 'Heure', quantity: '1', unitPrice: '10' })
    await change('core/invoices', invoice.id, { status: 'issued' })
    const binned = await make('core/activities', { subject: 'Vieux', account: two.id })
    await admin.delete(`/api/core/activities/${binned.id}?version=1`)
    const membership = await make('fixture/memberships', { list: 'Salon', account: two.id })
    await app.app.toggle.disable(company.workspace, 'fixture', undefined, false)
    const answer = await merged(one, [two])
    await app.app.toggle.enable(company.workspace, 'fixture', undefined)
    expect(await read('core/invoices', invoice.id)).toMatchObject({ account: one.id, status: 'issued' })
    expect(await read('core/activities', binned.id)).toMatchObject({ account: one.id })
    expect(await read('fixture/memberships', membership.id)).toMatchObject({ account: one.id })
    await undone(answer.merge)
    expect(await read('core/invoices', invoice.id)).toMatchObject({ account: two.id })
    expect(await read('fixture/memberships', membership.id)).toMatchObject({ account: two.id })
  })

  test('a record linked to any kind of record follows, and so does how an account came to its lifecycle', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux', lifecycle: 'prospect' })]
    const call = await make('core/activities', { subject: 'Appeler', resource: 'core.account', record: two.id })
    const changesOf = async (id: string) =>
      company.inside(async (ctx) => {
        const { rows } =
          await sql`select to_state from core.lifecycle_change where account_id = ${id}::uuid order by at`.execute(
            ctx.sql,
          )
        return rows.length
      })
    const before = [await changesOf(one.id), await changesOf(two.id)]
    const answer = await merged(one, [two])
    expect(await read('core/activities', call.id)).toMatchObject({ record: one.id })
    expect(await changesOf(two.id)).toBe(0)
    const timeline = await admin.get(`/api/core/accounts/${one.id}/timeline`)
    expect(timeline.body.data.map(({ title }: { title: string }) => title)).toContain('Appeler')
    await undone(answer.merge)
    expect(await read('core/activities', call.id)).toMatchObject({ record: two.id })
    expect([await changesOf(one.id), await changesOf(two.id)]).toEqual(before)
  })

  test('a column that points at accounts and that nobody declared makes the merge refuse, naming it', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const { owner } = app.app.kernel.parts.database
    await sql`create table fixture.planted (account uuid references core.account (id))`.execute(owner)
    await sql`create table fixture.pinned (resource text, record uuid)`.execute(owner)
    try {
      const answer = await merge(one, [two])
      expect(answer).toMatchObject({
        status: 409,
        body: {
          code: 'RELATION_UNMAPPED',
          places: expect.arrayContaining(['fixture.planted.account', 'fixture.pinned.record']),
        },
      })
      expect((await merge(one, [two], { preview: true })).body.data.blockers).toMatchObject([
        { code: 'RELATION_UNMAPPED' },
      ])
    } finally {
      await sql`drop table fixture.planted, fixture.pinned`.execute(owner)
    }
    expect(await merge(one, [two])).toMatchObject({ status: 200 })
  })

  test('every table of the installation is covered', async () => {
    for (const path of ['accounts', 'contacts', 'leads', 'activities', 'products']) {
      const values = { name: 'Un', lastName: 'Un', subject: 'Un', sku: 'U' }
      const fields = {
        accounts: ['name'],
        contacts: ['lastName'],
        leads: ['lastName'],
        activities: ['subject'],
        products: ['name', 'sku'],
      }[path]!
      const pick = (end: string) =>
        Object.fromEntries(fields.map((name) => [name, values[name as keyof typeof values] + end]))
      const [one, two] = [await make(`core/${path}`, pick('1')), await make(`core/${path}`, pick('2'))]
      const answer = await admin.post(`/api/core/${path}/${one.id}/merge`, {
        version: 1,
        others: [{ id: two.id, version: 1 }],
      })
      expect(answer, `${path} ${JSON.stringify(answer.body)}`).toMatchObject({ status: 200 })
    }
  })

  test('thousands of relations move with a ledger entry each', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const many = 1_200
    await company.inside((ctx) =>
      sql`insert into core.activity (id, workspace, subject, account_id)
        select gen_random_uuid(), ${company.workspace.id}::uuid, 'Appel ' || n, ${two.id}::uuid from generate_series(1, ${many}) n`.execute(
        ctx.sql,
      ),
    )
    const answer = await merged(one, [two])
    expect(answer.moved).toContainEqual({ resource: 'core.activity', field: 'account', count: many, folded: 0 })
    const { rows } = await company.inside((ctx) =>
      sql<{
        n: number
      }>`select count(*)::integer as n from core.change where change_set = ${answer.changeSet}::uuid and resource = 'core.activity'`.execute(
        ctx.sql,
      ),
    )
    expect(rows[0]?.n).toBe(many)
    await undone(answer.merge)
    expect(
      (
        await admin.get(
          `/api/core/activities?${new URLSearchParams({ filter: `account = "${two.id}"`, count: 'exact', limit: '1' })}`,
        )
      ).body.page.count,
    ).toBe(many)
  })
})

describe('an old id', () => {
  test('leads to the survivor over several merges, in reads and in references', async () => {
    const [one, two, three] = [
      await account({ name: 'Un' }),
      await account({ name: 'Deux' }),
      await account({ name: 'Trois' }),
    ]
    await merged(two, [three])
    await merged(one, [two])
    const old = await admin.get(`/api/core/accounts/${three.id}?fields=name`)
    expect([old.status, old.headers.get('location')]).toEqual([301, `/api/core/accounts/${one.id}?fields=name`])
    const contact = await make('core/contacts', { lastName: 'Martin', account: three.id })
    expect(contact['account']).toBe(one.id)
    const moved = await make('core/contacts', { lastName: 'Durand' })
    await change('core/contacts', moved.id, { account: two.id })
    expect(await read('core/contacts', moved.id)).toMatchObject({ account: one.id })
    const about = await make('core/activities', { subject: 'Appeler', resource: 'core.account', record: two.id })
    expect(about['record']).toBe(one.id)
  })

  test('of a survivor that is out of reach tells nothing of it', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    await merged(one, [two])
    const reader = await company.as({
      grants: [{ resource: 'core.account', action: 'read', visibility: 'all', condition: 'name != "Un"' }],
    })
    const answer = await reader.get(`/api/core/accounts/${two.id}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null])
  })
})

describe('undoing', () => {
  test('newer edits stay, re-pointed relations stay, and both are listed', async () => {
    const one = await account({ name: 'Un', city: 'Lyon' })
    const two = await account({ name: 'Deux', industry: 'Bois', website: 'https://deux.example/' })
    const elsewhere = await account({ name: 'Ailleurs' })
    const [stays, edited, moved] = [
      await make('core/activities', { subject: 'A', account: two.id }),
      await make('core/activities', { subject: 'B', account: two.id }),
      await make('core/activities', { subject: 'C', account: two.id }),
    ]
    const { merge: id } = await merged(one, [two])
    await change('core/accounts', one.id, { industry: 'Chimie', employees: 7 })
    await change('core/activities', edited.id, { subject: 'B, revu' })
    await change('core/activities', moved.id, { account: elsewhere.id })
    app.clock.set('2026-04-20T09:00:00Z')
    const answer = await undone(id)
    expect(answer.kept).toEqual(
      expect.arrayContaining([
        { resource: 'core.account', id: one.id, field: 'industry' },
        { resource: 'core.activity', id: moved.id, field: 'account' },
      ]),
    )
    expect(answer.kept).toHaveLength(2)
    expect(await read('core/accounts', one.id)).toMatchObject({
      industry: 'Chimie',
      employees: 7,
      website: null,
      city: 'Lyon',
    })
    expect(await read('core/accounts', two.id)).toMatchObject({ industry: 'Bois', website: 'https://deux.example/' })
    expect(await read('core/activities', stays.id)).toMatchObject({ account: two.id })
    expect(await read('core/activities', edited.id)).toMatchObject({ account: two.id, subject: 'B, revu' })
    expect(await read('core/activities', moved.id)).toMatchObject({ account: elsewhere.id })
  })

  test('by the change set is the same, and undoing that merges again', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const call = await make('core/activities', { subject: 'Appeler', account: two.id })
    const { changeSet } = await merged(one, [two])
    const back = await admin.post(`/api/core/change-sets/${changeSet}/undo`, {})
    expect(back, JSON.stringify(back.body)).toMatchObject({ status: 200 })
    expect(await read('core/accounts', two.id)).toMatchObject({ deletedAt: null })
    expect(await read('core/activities', call.id)).toMatchObject({ account: two.id })
    const again = await admin.post(`/api/core/change-sets/${back.body.data.changeSet}/undo`, {})
    expect(again, JSON.stringify(again.body)).toMatchObject({ status: 200 })
    expect((await admin.get(`/api/core/accounts/${two.id}`)).status).toBe(301)
    expect(await read('core/activities', call.id)).toMatchObject({ account: one.id })
  })

  test('a merge whose survivor was merged since waits for that one', async () => {
    const [one, two, three] = [
      await account({ name: 'Un' }),
      await account({ name: 'Deux' }),
      await account({ name: 'Trois' }),
    ]
    const first = await merged(two, [three])
    const second = await merged(one, [two])
    expect(await undo(first.merge)).toMatchObject({ status: 409, body: { code: 'RECORD_MERGED', survivor: one.id } })
    await undone(second.merge)
    await undone(first.merge)
    for (const { id } of [one, two, three]) expect(await read('core/accounts', id)).toMatchObject({ deletedAt: null })
  })

  test('its record tells what it was merged from', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    await merged(one, [two])
    const { body } = await admin.get(`/api/core/accounts/${one.id}/merges`)
    expect(body.data).toMatchObject([{ state: 'done', actor: 'Claire Admin', merged: [{ id: two.id, title: 'Deux' }] }])
  })

  test('a record of a kind nobody can merge came out of no merge', async () => {
    for (const path of ['users', 'roles']) {
      const { body } = await admin.get(`/api/core/${path}?limit=1`)
      const answer = await admin.get(`/api/core/${path}/${body.data[0].id}/merges`)
      expect(answer, path).toMatchObject({ status: 200, body: { data: [] } })
    }
  })

  test('is told as an event, as the merge is', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const { merge: id } = await merged(one, [two])
    await undone(id)
    const { rows } = await company.inside((ctx) =>
      sql`select name, payload from core.event where workspace = ${company.workspace.id}::uuid and name like 'core.account.%merged' order by seq`.execute(
        ctx.sql,
      ),
    )
    expect(rows).toEqual(
      ['core.account.merged', 'core.account.unmerged'].map((name) => ({
        name,
        payload: { record: one.id, merged: [two.id], merge: id },
      })),
    )
  })
})

describe('who may', () => {
  const rights = (...actions: string[]) => actions.map((action) => `core.account.${action}`)

  test('merging needs its own permission, and the right to change one and delete the others', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    for (const [actions, permission] of [
      [['read', 'update', 'delete'], 'core.account.merge'],
      [['read', 'delete', 'merge'], 'core.account.update'],
      [['read', 'update', 'merge'], 'core.account.delete'],
    ] as const) {
      const by = await company.as({ may: rights(...actions) })
      expect(await merge(one, [two], {}, by), permission).toMatchObject({
        status: 403,
        body: { code: 'PERMISSION_DENIED', detail: expect.stringContaining(permission) },
      })
    }
    const by = await company.as({ may: rights('read', 'update', 'delete', 'merge') })
    const answer = await merge(one, [two], {}, by)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    expect((await undo(answer.body.data.merge, await company.as({ may: rights('read', 'update') }))).status).toBe(403)
  })

  test('a record out of sight cannot be merged, and looks absent', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const by = await company.as({
      grants: ['read', 'update', 'delete', 'merge'].map((action) => ({
        resource: 'core.account',
        action,
        visibility: 'all' as const,
        condition: 'name = "Un"',
      })),
    })
    expect(await merge(one, [two], {}, by)).toMatchObject({ status: 404, body: { code: 'RECORD_NOT_FOUND' } })
  })

  test('an older version, one record or twenty-one, and a choice of a stranger are refused', async () => {
    const [one, two] = [await account({ name: 'Un' }), await account({ name: 'Deux' })]
    const path = `/api/core/accounts/${one.id}/merge`
    await change('core/accounts', two.id, { city: 'Lille' })
    expect(await admin.post(path, { version: 1, others: [{ id: two.id, version: 1 }] })).toMatchObject({
      status: 409,
      body: { code: 'VERSION_CONFLICT' },
    })
    expect(await admin.post(path, { version: 1, others: [] })).toMatchObject({
      status: 422,
      body: { code: 'MERGE_SIZE' },
    })
    expect(await admin.post(path, { version: 1, others: [{ id: one.id, version: 1 }] })).toMatchObject({
      status: 422,
      body: { code: 'MERGE_SIZE' },
    })
    expect(await merge(one, [two], { choose: { city: '0195a000-0000-7000-8000-000000000001' } })).toMatchObject({
      status: 422,
      body: { code: 'MERGE_CHOICE_INVALID' },
    })
  })
})

describe('after merge, random edits and unmerge, all is as if it had never been merged but for the newer edits', () => {
  const field = fc.constantFrom('city', 'industry', 'employees', 'annualRevenue')
  const value = {
    city: fc.constantFrom('Lyon', 'Lille', null),
    industry: fc.constantFrom('Bois', 'Chimie', null),
    employees: fc.constantFrom(1, 2, null),
    annualRevenue: fc.constantFrom('10.0000', '20.0000', null),
  }
  const values = fc.record(value)
  const edit = fc.oneof(
    field.chain((name) =>
      fc.record({
        kind: fc.constant('survivor' as const),
        name: fc.constant(name),
        to: value[name as keyof typeof value] as fc.Arbitrary<unknown>,
      }),
    ),
    fc.record({ kind: fc.constant('subject' as const), index: fc.nat(2), to: fc.constantFrom('X', 'Y') }),
    fc.record({
      kind: fc.constant('repoint' as const),
      index: fc.nat(2),
      to: fc.constantFrom('elsewhere', 'survivor'),
    }),
    fc.record({ kind: fc.constant('new' as const) }),
    fc.record({ kind: fc.constant('bin' as const), index: fc.nat(2) }),
  )

  test('for accounts with activities', async () => {
    await fc.assert(
      fc.asyncProperty(values, values, fc.array(edit, { maxLength: 6 }), async (mine, theirs, edits) => {
        const one = await account({ name: 'Un', ...mine })
        const two = await account({ name: 'Deux', ...theirs })
        const elsewhere = await account({ name: 'Ailleurs' })
        const calls = [0, 1, 2].map(async (n) => make('core/activities', { subject: `A${n}`, account: two.id }))
        const activities = await Promise.all(calls)
        const { merge: id } = await merged(one, [two])

        // The twin: what the same edits leave where nothing was ever merged.
        const survivor: Record<string, unknown> = { ...mine }
        const held = Object.fromEntries(
          Object.entries(theirs).map(([name, it]) => [name, mine[name as keyof typeof mine] ?? it]),
        )
        const twin = activities.map(({ id: it }, n) => ({ id: it, subject: `A${n}`, account: two.id, gone: false }))
        const added: string[] = []
        for (const it of edits) {
          if (it.kind === 'survivor') {
            if (held[it.name as keyof typeof held] === it.to) continue
            await change('core/accounts', one.id, { [it.name]: it.to })
            Object.assign(held, { [it.name]: it.to })
            // What stands as the merge left it goes back to what it was; anything else is a newer edit.
            const merged = mine[it.name as keyof typeof mine] ?? theirs[it.name as keyof typeof theirs]
            survivor[it.name] = it.to === merged ? mine[it.name as keyof typeof mine] : it.to
          } else if (it.kind === 'new') {
            added.push((await make('core/activities', { subject: 'N', account: one.id })).id)
          } else {
            const expected = twin[it.index]!
            if (expected.gone) continue
            if (it.kind === 'subject') {
              await change('core/activities', expected.id, { subject: it.to })
              expected.subject = it.to
            } else if (it.kind === 'repoint') {
              const now = (await read('core/activities', expected.id)).account
              const target = it.to === 'elsewhere' ? elsewhere.id : one.id
              if (now === target) continue
              await change('core/activities', expected.id, { account: target })
              expected.account = target
            } else {
              const { version } = await read('core/activities', expected.id)
              await admin.delete(`/api/core/activities/${expected.id}?version=${version}`)
              expected.gone = true
            }
          }
        }
        await undone(id)
        expect(await read('core/accounts', one.id)).toMatchObject({ name: 'Un', ...survivor })
        expect(await read('core/accounts', two.id)).toMatchObject({ name: 'Deux', ...theirs, deletedAt: null })
        for (const { id: it, gone, ...expected } of twin) {
          const row = await read('core/activities', it)
          expect(row).toMatchObject(expected)
          expect(row.deletedAt !== null).toBe(gone)
        }
        for (const it of added) expect(await read('core/activities', it)).toMatchObject({ account: one.id })
      }),
      { numRuns: 15 },
    )
  }, 120_000)
})

test('what an archived field of the workspace’s own points at moves with a merge, and back with its undoing', async () => {
  const made = await admin.post('/api/core/fields', {
    resource: 'core.contact',
    name: 'formerEmployer',
    type: 'reference',
    target: 'core.account',
    labelEn: 'Former employer',
    labelFr: 'Ancien employeur',
  })
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201 })
  const [survivor, other] = [await account({ name: 'Stays' }), await account({ name: 'Ends' })]
  const contact = await make('core/contacts', { lastName: 'Moreau', formerEmployer: other.id })
  const path = `/api/core/fields/${made.body.data.id}`
  const archive = async (archived: boolean) => {
    const { version } = (await admin.get(path)).body.data
    expect(await admin.patch(path, { version, archived })).toMatchObject({ status: 200 })
  }
  await archive(true)
  const { merge: id, moved } = await merged(survivor, [other])
  expect(moved).toEqual([{ resource: 'core.contact', field: 'formerEmployer', count: 1, folded: 0 }])
  await archive(false)
  expect((await read('core/contacts', contact.id)).formerEmployer).toBe(survivor.id)
  await archive(true)
  expect((await undone(id)).kept).toEqual([])
  await archive(false)
  expect((await read('core/contacts', contact.id)).formerEmployer).toBe(other.id)
})
