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

const rule = (here: TestWorkspace, values: Record<string, unknown>) =>
  made(here, rules, { name: 'Old ones', active: true, graceDays: 0, ...values })

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
    expect(rehearsal.body.data).toEqual({ matching: 1, due: 1, sample: [{ id: gone, title: 'Odile Retenue' }] })
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
      active: true,
    })
    expect(mended.body.data).toMatchObject({ active: true, fault: null })
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
