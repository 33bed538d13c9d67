import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const rules = '/api/core/privacy/retention-rules'

async function made(here: TestWorkspace, path: string, values: Record<string, unknown>): Promise<string> {
  const { status, body } = await here.admin.post(path, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data.id
}

/** A rule that was rehearsed and switched on. */
async function rule(here: TestWorkspace, values: Record<string, unknown>): Promise<string> {
  const id = await made(here, rules, { name: 'Old ones', graceDays: 0, ...values })
  await switchOn(here, id)
  return id
}

async function switchOn(here: TestWorkspace, id: string) {
  await here.admin.post(`${rules}/${id}/rehearse`)
  const { body } = await here.admin.get(`${rules}/${id}`)
  const on = await here.admin.patch(`${rules}/${id}`, { version: body.data.version, active: true })
  expect(on.status, JSON.stringify(on.body)).toBe(200)
  return on
}

async function runOf(here: TestWorkspace, id: string) {
  const { status } = await here.admin.post(`${rules}/${id}/run`)
  expect(status).toBe(202)
  await app.app.jobs.runUntilIdle()
  const { body } = await here.admin.get(`${rules}/${id}/runs`)
  return body.data[0]
}

describe('a retention rule', () => {
  test('is rehearsed exactly, and ends what it found: leads are blanked and leave the lists', async () => {
    const here = await app.secondWorkspace()
    const gone = await made(here, '/api/core/leads', { firstName: 'Odile', lastName: 'Retenue', source: 'fair' })
    const kept = await made(here, '/api/core/leads', { firstName: 'Paul', lastName: 'Gardé', source: 'web' })
    await made(here, '/api/core/activities', { subject: 'Call Odile', lead: gone })
    const id = await rule(here, { resource: 'core.lead', condition: 'source = "fair"', action: 'anonymise' })
    const rehearsal = await here.admin.post(`${rules}/${id}/rehearse`)
    expect(rehearsal.body.data).toEqual({
      matching: 1,
      binned: 0,
      due: 1,
      sample: [{ id: gone, title: 'Odile Retenue' }],
    })
    const run = await runOf(here, id)
    expect(run).toMatchObject({ matched: 1, gone: 1, held: 0, used: 0 })
    const blanked = await here.admin.get(`/api/core/leads/${gone}`)
    expect(blanked.body.data).toMatchObject({ name: '[erased]', lastName: null, deletedAt: expect.any(String) })
    expect((await here.admin.get(`/api/core/leads/${kept}`)).body.data.name).toBe('Paul Gardé')
    const { rows } = await here.inside((ctx) =>
      sql<{
        text: string
      }>`select l::text as text from core.lead l where id = ${gone}::uuid union all select c.fields::text from core.change c where record = ${gone}::uuid`.execute(
        ctx.sql,
      ),
    )
    expect(rows.map(({ text }) => text).join()).not.toMatch(/Odile|Retenue/)
    const verdict = await here.admin.get(`/api/core/privacy/certificates/${run.certificate}/verification`)
    expect(verdict.body.data).toEqual({ valid: true, fault: null })
    const back = await here.admin.post(`/api/core/leads/${gone}/restore`)
    expect(back.body).toMatchObject({ code: 'SUBJECT_ERASED' })
    // Time went by, nobody asked to be forgotten: the person may come again.
    await made(here, '/api/core/leads', { firstName: 'Odile', lastName: 'Retenue' })
  })

  test('waits out its grace, and forgets who no longer meets its condition', async () => {
    const here = await app.secondWorkspace()
    const one = await made(here, '/api/core/products', { sku: 'A-1', name: 'Old scanner', family: 'legacy' })
    const two = await made(here, '/api/core/products', { sku: 'A-2', name: 'Older scanner', family: 'legacy' })
    const id = await rule(here, {
      resource: 'core.product',
      condition: 'family = "legacy"',
      action: 'delete',
      graceDays: 10,
    })
    expect(await runOf(here, id)).toMatchObject({ matched: 2, gone: 0 })
    await here.admin.patch(`/api/core/products/${two}`, { version: 1, family: 'current' })
    app.clock.advance('P11D')
    expect(await runOf(here, id)).toMatchObject({ matched: 1, gone: 1 })
    const { rows } = await here.inside((ctx) =>
      sql`select 1 from core.product where id = any(${[one, two]}::uuid[])`.execute(ctx.sql),
    )
    expect(rows).toHaveLength(1)
  })

  test('counts and empties what lies in the bin, each once, and leaves what became another record to that one', async () => {
    const here = await app.secondWorkspace()
    const lead = (lastName: string) => made(here, '/api/core/leads', { lastName, source: 'fair', allowDuplicate: true })
    const [live, thrown, survivor, merged] = [
      await lead('Vive'),
      await lead('Jetée'),
      await lead('Reste'),
      await lead('Fondue'),
    ]
    await here.admin.delete(`/api/core/leads/${thrown}?version=1`)
    await here.admin.patch(`/api/core/leads/${survivor}`, { version: 1, source: 'web' })
    const became = await here.admin.post(`/api/core/leads/${survivor}/merge`, {
      version: 2,
      others: [{ id: merged, version: 1 }],
      choose: { source: survivor },
    })
    expect(became.status, JSON.stringify(became.body)).toBeLessThan(300)
    const id = await rule(here, { resource: 'core.lead', condition: 'source = "fair"', action: 'anonymise' })
    const rehearsal = await here.admin.post(`${rules}/${id}/rehearse`)
    expect(rehearsal.body.data).toMatchObject({ matching: 2, binned: 1, due: 2 })
    expect(await runOf(here, id)).toMatchObject({ matched: 2, gone: 2 })
    const names = async (...ids: string[]) =>
      Promise.all(ids.map(async (it) => (await here.admin.get(`/api/core/leads/${it}`)).body.data.name))
    expect(await names(live, thrown, survivor)).toEqual(['[erased]', '[erased]', 'Reste'])
    // What went stays in the bin, and is no more to be counted.
    app.clock.advance('P1D')
    expect(await runOf(here, id)).toMatchObject({ matched: 0, gone: 0 })
    const product = await made(here, '/api/core/products', { sku: 'Z-1', name: 'Thrown away', family: 'legacy' })
    await here.admin.delete(`/api/core/products/${product}?version=1`)
    const ofProducts = await rule(here, {
      name: 'Old products',
      resource: 'core.product',
      condition: 'family = "legacy"',
      action: 'delete',
    })
    expect(await runOf(here, ofProducts)).toMatchObject({ matched: 1, gone: 1 })
    const left = await here.inside((ctx) =>
      sql`select 1 from core.product where id = ${product}::uuid`.execute(ctx.sql),
    )
    expect(left.rows).toEqual([])
  })

  test('leaves what the law keeps and what others still point at', async () => {
    const here = await app.secondWorkspace()
    const account = await made(here, '/api/core/accounts', { name: 'Garonne', source: 'old' })
    const product = await made(here, '/api/core/products', { sku: 'B-1', name: 'Sold scanner', family: 'legacy' })
    const order = await made(here, '/api/core/orders', { account, currency: 'EUR' })
    await made(here, '/api/core/order-lines', { order, product, quantity: '1', unitPrice: '10.00' })
    const confirmed = await here.admin.get(`/api/core/orders/${order}`)
    await here.admin.patch(`/api/core/orders/${order}`, { version: confirmed.body.data.version, status: 'confirmed' })
    const ofProducts = await rule(here, { resource: 'core.product', condition: 'family = "legacy"', action: 'delete' })
    expect(await runOf(here, ofProducts)).toMatchObject({ gone: 0, used: 1 })
    const ofOrders = await rule(here, {
      name: 'Orders',
      resource: 'core.order',
      condition: 'status = "confirmed"',
      action: 'anonymise',
    })
    expect(await runOf(here, ofOrders)).toMatchObject({ gone: 0, held: 1 })
    expect((await here.admin.get(`/api/core/orders/${order}`)).status).toBe(200)
  })

  test('deletes persons nothing points at, blanks the others, and says how many of each', async () => {
    const here = await app.secondWorkspace()
    const lead = (lastName: string) => made(here, '/api/core/leads', { lastName, source: 'fair' })
    const [free, called] = [await lead('Partie'), await lead('Appelée')]
    const activity = await made(here, '/api/core/activities', { subject: 'Call her', lead: called })
    const id = await rule(here, { resource: 'core.lead', condition: 'source = "fair"', action: 'delete' })
    const run = await runOf(here, id)
    expect(run).toMatchObject({ matched: 2, gone: 2, blanked: 1, held: 0, used: 0 })
    expect((await here.admin.get(`/api/core/leads/${free}`)).status).toBe(404)
    const { rows } = await here.inside((ctx) =>
      sql<{
        id: string
        name: string
      }>`select id, name from core.lead where id = any(${[free, called]}::uuid[])`.execute(ctx.sql),
    )
    expect(rows).toEqual([{ id: called, name: '[erased]' }])
    expect((await here.admin.get(`/api/core/activities/${activity}`)).body.data).toMatchObject({
      subject: '[erased]',
      lead: called,
    })
    const certificate = await here.admin.get(`/api/core/privacy/certificates/${run.certificate}`)
    expect(JSON.parse(certificate.body.data.body)).toMatchObject({ action: 'delete', gone: 2, blanked: 1 })
    expect((await here.admin.get('/api/core/search?q=partie')).body.data).toEqual([])
  })

  test('ends the lead it is about, and not the customer the lead became', async () => {
    const here = await app.secondWorkspace()
    const lead = await made(here, '/api/core/leads', { firstName: 'Odile', lastName: 'Cliente', source: 'fair' })
    const became = await here.admin.post(`/api/core/leads/${lead}/convert`, {
      version: 1,
      account: { create: { name: 'Odile Cliente', kind: 'person' } },
      contact: { create: {} },
    })
    expect(became.status, JSON.stringify(became.body)).toBeLessThan(300)
    const { contact, account } = (await here.admin.get(`/api/core/leads/${lead}`)).body.data
    const shared = await made(here, '/api/core/activities', { subject: 'Asked for a loan', lead, contact })
    const own = await made(here, '/api/core/activities', { subject: 'Met at the fair', lead })
    const id = await rule(here, { resource: 'core.lead', condition: 'status = "converted"', action: 'anonymise' })
    expect(await runOf(here, id)).toMatchObject({ matched: 1, gone: 1 })
    expect((await here.admin.get(`/api/core/leads/${lead}`)).body.data.name).toBe('[erased]')
    expect((await here.admin.get(`/api/core/activities/${own}`)).body.data.subject).toBe('[erased]')
    expect((await here.admin.get(`/api/core/activities/${shared}`)).body.data.subject).toBe('Asked for a loan')
    for (const [path, record, name] of [
      ['contacts', contact, 'Odile Cliente'],
      ['accounts', account, 'Odile Cliente'],
    ])
      expect((await here.admin.get(`/api/core/${path}/${record}`)).body.data).toMatchObject({ name, deletedAt: null })
  })

  test('ends nothing more once it is switched off, though its run has begun', async () => {
    const here = await app.secondWorkspace()
    const lead = await made(here, '/api/core/leads', { firstName: 'Odile', lastName: 'Restée', source: 'fair' })
    const id = await rule(here, { resource: 'core.lead', condition: 'source = "fair"', action: 'anonymise' })
    const { owner } = app.app.kernel.parts.database
    await sql`create function core.test_switch_off() returns trigger language plpgsql as 'begin update core.retention_rule set active = false; return new; end'`.execute(
      owner,
    )
    await sql`create trigger test_switch_off after insert on core.erasure for each row execute function core.test_switch_off()`.execute(
      owner,
    )
    try {
      expect(await runOf(here, id)).toMatchObject({ matched: 1, gone: 0 })
    } finally {
      await sql`drop function core.test_switch_off() cascade`.execute(owner)
    }
    expect((await here.admin.get(`/api/core/leads/${lead}`)).body.data).toMatchObject({
      name: 'Odile Restée',
      deletedAt: null,
    })
  })

  test('leaves nobody to be found by their name, in lists or in files of exports', async () => {
    const here = await app.secondWorkspace()
    const contact = await made(here, '/api/core/contacts', { firstName: 'Odile', lastName: 'Trouvée', source: 'fair' })
    const account = await made(here, '/api/core/accounts', { name: 'Garonne' })
    await made(here, '/api/core/orders', { account, contact, currency: 'EUR' })
    await made(here, '/api/core/activities', { subject: 'Call', contact })
    await here.admin.post('/api/core/exports', { resource: 'core.contact', format: 'csv' })
    await app.app.jobs.runUntilIdle()
    const { owner } = app.app.kernel.parts.database
    const left = () =>
      sql<{ what: string }>`
        select 'words ' || d.resource as what from core.search_document d where d.workspace = ${here.workspace.id}::uuid and d::text ~* 'trouvee'
        union all select 'file' from core.file_piece p where p.workspace = ${here.workspace.id}::uuid and encode(p.bytes, 'escape') ~ 'Odile'`.execute(
        owner,
      )
    expect((await left()).rows.map(({ what }) => what)).toEqual(expect.arrayContaining(['words core.contact', 'file']))
    const id = await rule(here, { resource: 'core.contact', condition: 'source = "fair"', action: 'anonymise' })
    expect(await runOf(here, id)).toMatchObject({ gone: 1 })
    expect((await left()).rows).toEqual([])
    const { rows } = await here.inside((ctx) =>
      sql`select 1 from core.retention_due d where d.rule = ${id}::uuid`.execute(ctx.sql),
    )
    expect(rows, 'nobody looks at them again').toEqual([])
  })

  test('stops and says so when its condition no longer fits', async () => {
    const here = await app.secondWorkspace()
    await made(here, '/api/core/fields', {
      resource: 'core.lead',
      name: 'zone',
      type: 'text',
      labelEn: 'Zone',
      labelFr: 'Zone',
    })
    const id = await rule(here, { resource: 'core.lead', condition: 'zone = "north"', action: 'delete' })
    await here.inside((ctx) =>
      sql`update core.retention_rule set condition = 'region = "north"' where id = ${id}::uuid`.execute(ctx.sql),
    )
    await here.admin.post(`${rules}/${id}/run`)
    await app.app.jobs.runUntilIdle()
    const { body } = await here.admin.get(`${rules}/${id}`)
    expect(body.data).toMatchObject({ active: false, fault: expect.stringContaining('region') })
    const mended = await here.admin.patch(`${rules}/${id}`, {
      version: body.data.version,
      condition: 'source = "x"',
    })
    expect(mended.body.data).toMatchObject({ active: false, fault: null })
    expect((await switchOn(here, id)).body.data).toMatchObject({ active: true, fault: null })
  })

  test.each([
    ['a faulty condition', { resource: 'core.lead', condition: 'sorce = "x"' }, 'EXPRESSION_INVALID'],
    ['people of the house', { resource: 'core.user', condition: 'name = "x"' }, 'RETENTION_RESOURCE_REFUSED'],
    [
      'lines, which go with their order',
      { resource: 'core.order-line', condition: 'name = "x"' },
      'RETENTION_RESOURCE_REFUSED',
    ],
  ])('is refused for %s', async (_, values, code) => {
    const here = await app.secondWorkspace()
    const { body } = await here.admin.post(rules, { name: 'Wrong', action: 'delete', ...values })
    expect(body).toMatchObject({ code })
  })

  test('is switched on by who may erase all of a kind, with the condition that was rehearsed', async () => {
    const here = await app.secondWorkspace()
    const lead = await made(here, '/api/core/leads', { firstName: 'Odile', lastName: 'Cachée', source: 'fair' })
    const values = {
      name: 'Fairs',
      resource: 'core.lead',
      condition: 'source = "fair"',
      action: 'delete',
      graceDays: 0,
    }
    const all = (action: string) => ({ resource: 'core.lead', action, visibility: 'all' }) as const
    const manager = await here.as({ may: ['core.privacy.manage', 'core.privacy.read'], grants: [all('read')] })
    expect(await manager.post(rules, { ...values, active: true })).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    const id = (await manager.post(rules, values)).body.data.id
    expect((await manager.post(`${rules}/${id}/rehearse`)).body.data).toMatchObject({ matching: 1 })
    const patch = async (who: typeof manager, change: Record<string, unknown>) =>
      who.patch(`${rules}/${id}`, {
        version: (await here.admin.get(`${rules}/${id}`)).body.data.version,
        ...change,
      })
    expect(await patch(manager, { active: true })).toMatchObject({ body: { code: 'PERMISSION_DENIED' } })
    const eraser = await here.as({
      may: ['core.privacy.manage', 'core.privacy.read', 'core.privacy.erase'],
      grants: [all('read')],
    })
    expect(await patch(eraser, { active: true })).toMatchObject({ body: { code: 'PERMISSION_DENIED' } })
    expect(await patch(here.admin, { active: true, condition: 'source != "fair"' })).toMatchObject({
      status: 409,
      body: { code: 'RETENTION_NOT_REHEARSED' },
    })
    expect(await patch(here.admin, { active: true })).toMatchObject({ status: 200, body: { data: { active: true } } })
    expect(await patch(manager, { graceDays: 1 })).toMatchObject({ body: { code: 'PERMISSION_DENIED' } })
    expect(await patch(manager, { name: 'Old fairs' })).toMatchObject({ status: 200 })
    // Who sees none of the leads is told of none.
    const blind = await here.as({
      may: ['core.privacy.manage', 'core.privacy.read'],
      grants: [{ ...all('read'), visibility: 'own' }],
    })
    expect((await blind.post(`${rules}/${id}/rehearse`)).body.data).toEqual({
      matching: 0,
      binned: 0,
      due: 0,
      sample: [],
    })
    expect(await patch(manager, { active: false })).toMatchObject({ status: 200 })
    expect((await here.admin.get(`/api/core/leads/${lead}`)).status).toBe(200)
    expect(await here.admin.post(`${rules}/${id}/run`)).toMatchObject({ status: 409, body: { code: 'RETENTION_OFF' } })
    expect(await here.admin.patch(`${rules}/${id}`, { name: 'Fairs' })).toMatchObject({
      status: 428,
      body: { code: 'VERSION_REQUIRED' },
    })
  })

  test('is made by who may manage privacy only, whatever records they may create', async () => {
    const here = await app.secondWorkspace()
    const clerk = await here.as({ grants: [{ resource: '*', action: 'create', visibility: 'all' }] })
    const refused = await clerk.post(rules, {
      name: 'Mine',
      resource: 'core.lead',
      condition: 'source = "x"',
      action: 'delete',
    })
    expect(refused).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  })
})
