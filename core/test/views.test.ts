import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient
let claire: TestClient
let thomas: TestClient

const member = {
  grants: [
    { resource: '*', action: 'read', visibility: 'all' as const },
    { resource: 'core.view', action: 'create', visibility: 'own' as const },
    { resource: 'core.view', action: 'update', visibility: 'own' as const },
    { resource: 'core.view', action: 'delete', visibility: 'own' as const },
  ],
}

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
  admin = app.admin
  claire = await app.as({ ...member, name: 'Claire' })
  thomas = await app.as({ ...member, name: 'Thomas' })
  for (const [name, city, employees] of [
    ['Bellecour', 'Lyon', 30],
    ['Croix-Rousse', 'Lyon', 10],
    ['Vieux-Port', 'Marseille', 20],
  ])
    await admin.post('/api/core/accounts', { name, city, employees })
})
afterAll(() => app[Symbol.asyncDispose]())

const views = '/api/core/views'
const inLyon = {
  resource: 'core.account',
  name: 'In Lyon',
  filter: 'city = "Lyon"',
  sort: '-employees',
  columns: [{ field: 'name', width: 240 }, { field: 'city' }],
}

async function saved(by: TestClient, values: Record<string, unknown>) {
  const { status, body } = await by.post(views, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}
const shown = async (by: TestClient) =>
  (await by.get('/api/core/shell')).body.views.map(({ name }: { name: string }) => name)
const names = (body: { data: { name: string }[] }) => body.data.map(({ name }) => name)

describe('a saved view', () => {
  test('gives the same rows by its id alone, in its order, and what is asked beside it goes before', async () => {
    const view = await saved(claire, inLyon)
    const page = await claire.get(`/api/core/accounts?view=${view.id}`)
    expect(names(page.body)).toEqual(['Bellecour', 'Croix-Rousse'])
    expect(page.body.view).toMatchObject({ id: view.id, name: 'In Lyon', kind: 'table', faults: [] })
    const turned = await claire.get(`/api/core/accounts?view=${view.id}&sort=employees`)
    expect(names(turned.body)).toEqual(['Croix-Rousse', 'Bellecour'])
    const queried = await claire.post('/api/core/accounts/query', { view: view.id })
    expect(names(queried.body)).toEqual(['Bellecour', 'Croix-Rousse'])
  })

  test('pages by its own cursor', async () => {
    const view = await saved(claire, { ...inLyon, name: 'Paged' })
    const first = await claire.get(`/api/core/accounts?view=${view.id}&limit=1`)
    const second = await claire.get(`/api/core/accounts?view=${view.id}&limit=1&after=${first.body.page.next}`)
    expect([...names(first.body), ...names(second.body)]).toEqual(['Bellecour', 'Croix-Rousse'])
  })

  test('is refused when it could not work, part by part', async () => {
    const { status, body } = await claire.post(views, {
      ...inLyon,
      filter: 'cty = "Lyon"',
      columns: [{ field: 'nothing' }],
    })
    expect(status).toBe(422)
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['/filter', '/columns'])
    expect(await claire.post(views, { ...inLyon, kind: 'calendar' })).toMatchObject({
      status: 422,
      body: { code: 'VIEW_INVALID' },
    })
    expect(await claire.post(views, { ...inLyon, kind: 'kanban', groupBy: 'employees' })).toMatchObject({ status: 422 })
    expect(await claire.post(views, { ...inLyon, resource: 'core.nothing' })).toMatchObject({
      status: 422,
      body: { code: 'VIEW_INVALID' },
    })
  })

  test('of a module that was switched off waits until it is on again', async () => {
    await saved(admin, { resource: 'hello.greeting', name: 'Greetings', scope: 'shared' })
    expect(await shown(claire)).toContain('Greetings')
    await admin.post('/api/core/plugins/hello/disable')
    expect(await shown(claire)).not.toContain('Greetings')
    await admin.post('/api/core/plugins/hello/enable')
    expect(await shown(claire)).toContain('Greetings')
  })

  test('whose filter cannot be used any more opens, says why, and lists nothing instead of other rows', async () => {
    const narrow = await app.as({ ...member, fields: [{ resource: 'core.account', field: 'city', access: 'none' }] })
    const view = await saved(admin, { ...inLyon, name: 'By city', scope: 'shared' })
    const { status, body } = await narrow.get(`/api/core/accounts?view=${view.id}`)
    expect(status).toBe(200)
    expect(body.data).toEqual([])
    expect(body.view.faults).toMatchObject([
      { part: 'filter', code: 'FIELD_NOT_READABLE' },
      { part: 'columns', code: 'FIELD_NOT_READABLE' },
    ])
    const other = await narrow.get(`/api/core/accounts?view=${view.id}&filter=employees = 20`)
    expect(names(other.body)).toEqual(['Vieux-Port'])
  })

  test('stands in the ledger like any record', async () => {
    const view = await saved(claire, { ...inLyon, name: 'Before' })
    await claire.patch(`${views}/${view.id}`, { name: 'After', version: 1 })
    const { body } = await claire.get(`${views}/${view.id}/history`)
    expect(body.data[0].changes).toEqual([{ field: 'name', old: 'Before', new: 'After' }])
  })
})

describe('who sees a view', () => {
  test('a private one is its owner’s alone, on every way, whatever rights the others have', async () => {
    const view = await saved(claire, { ...inLyon, name: 'Secret plan' })
    for (const other of [admin, thomas]) {
      expect((await other.get(`${views}/${view.id}`)).status).toBe(404)
      expect(names((await other.get(`${views}?limit=200`)).body)).not.toContain('Secret plan')
      expect((await other.get(`/api/core/accounts?view=${view.id}`)).status).toBe(404)
      expect((await other.patch(`${views}/${view.id}`, { name: 'Mine', version: 1 })).status).toBe(404)
      expect((await other.delete(`${views}/${view.id}?version=1`)).status).toBe(404)
      expect((await other.put(`${views}/${view.id}/choice`, { pinned: true })).status).toBe(404)
      expect(await shown(other)).not.toContain('Secret plan')
      const counted = await other.post(`${views}/aggregate`, {
        filter: 'name = "Secret plan"',
        measures: ['count'],
      })
      expect(counted.body.data).toMatchObject([{ count: 0 }])
    }
    expect(await shown(claire)).toContain('Secret plan')
  })

  test('sharing takes its permission, and a shared one is everybody’s to use but not to change', async () => {
    expect(await claire.post(views, { ...inLyon, name: 'For all', scope: 'shared' })).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    const view = await saved(admin, { ...inLyon, name: 'For all', scope: 'shared' })
    expect(await shown(thomas)).toContain('For all')
    expect((await thomas.patch(`${views}/${view.id}`, { name: 'Changed', version: 1 })).status).toBe(403)
    expect((await thomas.delete(`${views}/${view.id}?version=1`)).status).toBe(403)
    const own = await saved(thomas, { ...inLyon, name: 'To share' })
    expect((await thomas.patch(`${views}/${own.id}`, { scope: 'shared', version: 1 })).status).toBe(403)
  })

  test('a role starts with the one view made for it, its holders only', async () => {
    const { rows } = await app.inside(async (ctx) => {
      const { sql } = await import('kysely')
      return sql<{ role: string }>`select role_id as role from core.role_assignment
        where workspace = ${ctx.workspace.id}::uuid and user_id = ${claire.who.actor.id}::uuid`.execute(ctx.sql)
    })
    const values = { ...inLyon, name: 'Start here', scope: 'role', role: rows[0]!.role }
    await saved(admin, values)
    const document = (await claire.get('/api/core/shell')).body
    expect(document.views.find(({ name }: { name: string }) => name === 'Start here')).toMatchObject({ default: true })
    expect(await shown(thomas)).not.toContain('Start here')
    expect(await admin.post(views, { ...values, name: 'Second' })).toMatchObject({
      status: 409,
      body: { code: 'VIEW_OF_ROLE_TAKEN' },
    })
  })

  test('starting with a view and pinning it are one’s own choice', async () => {
    const first = await saved(admin, { ...inLyon, name: 'First', scope: 'shared' })
    const second = await saved(admin, { ...inLyon, name: 'Second choice', scope: 'shared' })
    await thomas.put(`${views}/${first.id}/choice`, { default: true, pinned: true })
    const { status, body } = await thomas.put(`${views}/${second.id}/choice`, { default: true })
    expect(status).toBe(200)
    expect(body.data).toEqual({ default: true, pinned: false, position: 0 })
    const chosen = async (by: TestClient) =>
      (await by.get('/api/core/shell')).body.views
        .filter(({ id }: { id: string }) => id === first.id || id === second.id)
        .map(({ name, default: starts, pinned }: { name: string; default: boolean; pinned: boolean }) => [
          name,
          starts,
          pinned,
        ])
    expect(await chosen(thomas)).toEqual([
      ['First', false, true],
      ['Second choice', true, false],
    ])
    expect(await chosen(admin)).toEqual([
      ['First', false, false],
      ['Second choice', false, false],
    ])
  })
})
