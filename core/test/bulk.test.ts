import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, TestClient, type TestApp } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const accounts = '/api/core/accounts'
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`

/** Accounts of one industry, made in as few requests as may be. */
async function make(industry: string, count: number): Promise<{ id: string; version: number }[]> {
  for (let at = 0; at < count; at += 200) {
    const create = Array.from({ length: Math.min(200, count - at) }, (_, index) => ({
      name: `${industry} ${String(at + index).padStart(4, '0')}`,
      industry,
      city: 'Lyon',
    }))
    const { body } = await admin.post(`${accounts}/bulk`, { create, atomic: true })
    expect(body.data).toHaveLength(create.length)
  }
  return all(industry)
}

async function all(industry: string, filter = '') {
  const rows: { id: string; version: number; city: string; name: string }[] = []
  for (let after: string | null = ''; after !== null;) {
    const { body }: { body: { data: typeof rows; page: { next: string | null } } } = await admin.get(
      accounts +
        query({
          filter: `industry = "${industry}"${filter}`,
          sort: 'name',
          limit: '200',
          count: 'none',
          ...(after ? { after } : {}),
        }),
    )
    rows.push(...body.data)
    after = body.page.next
  }
  return rows
}

async function work(): Promise<void> {
  await app.app.jobs.runUntilIdle()
}

async function keyClient(): Promise<TestClient> {
  const role = await admin.post('/api/core/roles', {
    name: `Machine ${Math.random()}`,
    grants: [{ resource: '*', action: '*', visibility: 'all' }],
  })
  const made = await admin.post('/api/core/api-keys', { name: 'Machine', role: role.body.data.id })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return new TestClient(app.app, admin.who, { authorization: `Bearer ${made.body.data.key}` })
}

test('core-11: an API key edits 40 records in one change set; one undo restores 39 and lists the one edited since; undoing the undo brings 39 back', async () => {
  const key = await keyClient()
  const rows = await make('forty', 40)
  const edited = await key.post(`${accounts}/bulk`, {
    update: rows.map(({ id, version }) => ({ id, version, city: 'Lille' })),
  })
  const changeSet = edited.headers.get('x-change-set')
  expect(edited.body.data.filter(({ status }: { status: string }) => status === 'done')).toHaveLength(40)
  await admin.patch(`${accounts}/${rows[7]!.id}`, { version: 2, city: 'Nantes' })

  const undone = await key.post(`/api/core/change-sets/${changeSet}/undo`)
  expect(undone.body.data).toMatchObject({
    undone: 39,
    kept: [{ resource: 'core.account', id: rows[7]!.id, field: 'city' }],
  })
  expect(await all('forty', ' and city = "Lyon"')).toHaveLength(39)

  const again = await key.post(`/api/core/change-sets/${undone.body.data.changeSet}/undo`)
  expect(again.body.data).toMatchObject({ undone: 39, kept: [] })
  expect(await all('forty', ' and city = "Lille"')).toHaveLength(39)
  expect(await all('forty', ' and city = "Nantes"')).toHaveLength(1)
}, 90_000)

describe('core-08: two change one record', () => {
  test('different fields by API: both are kept; one field: the second is told mine, theirs and base', async () => {
    const [row] = await make('both', 1)
    const path = `${accounts}/${row!.id}`
    expect((await admin.patch(path, { version: 1, annualRevenue: '10' })).status).toBe(200)
    expect((await admin.patch(path, { version: 1, industry: 'both-2' })).body.data).toMatchObject({
      annualRevenue: '10.0000',
      industry: 'both-2',
    })
    expect(await admin.patch(path, { version: 1, annualRevenue: '20' })).toMatchObject({
      status: 409,
      body: { conflicts: [{ field: 'annualRevenue', base: null, mine: '20.0000', theirs: '10.0000' }] },
    })
  })

  test('in one request for many: each row that conflicts is told mine, theirs and base, the others are written', async () => {
    const rows = await make('many at once', 3)
    await admin.patch(`${accounts}/${rows[0]!.id}`, { version: 1, city: 'Nantes' })
    await admin.patch(`${accounts}/${rows[1]!.id}`, { version: 1, employees: 7 })
    const update = rows.map(({ id }) => ({ id, version: 1, city: 'Brest' }))
    const { body } = await admin.post(`${accounts}/bulk`, { update })
    expect(body.data.map(({ status }: { status: string }) => status)).toEqual(['failed', 'done', 'done'])
    expect(body.data[0].problem).toMatchObject({
      status: 409,
      code: 'VERSION_CONFLICT',
      conflicts: [{ field: 'city', base: 'Lyon', mine: 'Brest', theirs: 'Nantes' }],
      current: { id: rows[0]!.id, version: 2 },
    })
    const atomic = await admin.post(`${accounts}/bulk`, { update: update.slice(0, 1), atomic: true })
    expect(atomic).toMatchObject({ status: 409, body: { code: 'VERSION_CONFLICT', conflicts: [{ field: 'city' }] } })
  })

  test('in bulk: a field changed since the preview keeps its value and fails alone, others merge', async () => {
    const rows = await make('meanwhile', 5)
    const preview = await admin.post(`${accounts}/bulk`, {
      filter: 'industry = "meanwhile"',
      set: { city: 'Brest' },
      preview: true,
    })
    expect(preview.body.data).toMatchObject({ state: 'previewed', total: 5 })
    expect(preview.body.data.sample).toHaveLength(5)
    expect(preview.body.data.sample[0]).toMatchObject({
      title: 'meanwhile 0000',
      changes: [{ field: 'city', old: 'Lyon', new: 'Brest' }],
    })
    expect(await all('meanwhile', ' and city = "Lyon"')).toHaveLength(5)
    await admin.patch(`${accounts}/${rows[1]!.id}`, { version: 1, city: 'Nantes' })
    await admin.patch(`${accounts}/${rows[2]!.id}`, { version: 1, employees: 7 })
    const bulk = `/api/core/bulks/${preview.body.data.id}`
    expect((await admin.post(`${bulk}/run`)).status).toBe(202)
    await work()
    expect((await admin.get(bulk)).body.data).toMatchObject({ state: 'done', done: 4, skipped: 0, failed: 1 })
    expect((await admin.get(`${bulk}/rows?state=failed`)).body.data).toMatchObject([
      {
        record: rows[1]!.id,
        problem: { code: 'VERSION_CONFLICT', fields: ['city'], detail: expect.stringMatching(/city\. Try it again/) },
      },
    ])
    expect((await admin.get(`${accounts}/${rows[2]!.id}`)).body.data).toMatchObject({ city: 'Brest', employees: 7 })

    expect((await admin.post(`${bulk}/retry`)).status).toBe(202)
    await work()
    expect((await admin.get(bulk)).body.data).toMatchObject({ state: 'done', done: 5, failed: 0 })
    expect((await admin.get(`${accounts}/${rows[1]!.id}`)).body.data.city).toBe('Brest')
  })
})

describe('bulk in the background', () => {
  test('520 rows are one change set, taken back by one undo, which is taken back by one more', async () => {
    const rows = await make('many', 520)
    const ordered = await admin.post(`${accounts}/bulk`, { filter: 'industry = "many"', set: { city: 'Metz' } })
    expect(ordered.status).toBe(202)
    expect(ordered.body.data).toMatchObject({ state: 'queued', total: 520 })
    const bulk = `/api/core/bulks/${ordered.body.data.id}`
    await work()
    const { changeSet } = (await admin.get(bulk)).body.data
    expect((await admin.get(bulk)).body.data).toMatchObject({ state: 'done', done: 520, failed: 0, skipped: 0 })
    expect(await all('many', ' and city = "Metz"')).toHaveLength(520)
    for (const row of [rows[0]!, rows[510]!, rows[519]!]) {
      expect((await admin.get(`${accounts}/${row.id}/history`)).body.data[0]).toMatchObject({
        changeSet,
        origin: 'bulk',
      })
    }
    await admin.patch(`${accounts}/${rows[3]!.id}`, { version: 2, city: 'Nice' })
    await admin.delete(`${accounts}/${rows[5]!.id}?version=2`)

    const undo = await admin.post(`/api/core/change-sets/${changeSet}/undo`)
    expect(undo.status).toBe(202)
    await work()
    const undone = (await admin.get(`/api/core/bulks/${undo.body.data.id}`)).body.data
    expect(undone).toMatchObject({ action: 'undo', state: 'done', done: 518, skipped: 1, failed: 1 })
    expect((await admin.get(`/api/core/bulks/${undone.id}/rows?state=failed`)).body.data).toMatchObject([
      { record: rows[5]!.id, problem: { code: 'RECORD_GONE' } },
    ])
    expect((await admin.get(`/api/core/bulks/${undone.id}/rows?state=skipped`)).body.data).toMatchObject([
      { record: rows[3]!.id, problem: { code: 'CHANGED_SINCE', fields: ['city'] } },
    ])
    expect(await all('many', ' and city = "Lyon"')).toHaveLength(518)
    expect((await admin.get(`${accounts}/${rows[0]!.id}/history`)).body.data[0]).toMatchObject({ undoOf: changeSet })

    const again = await admin.post(`/api/core/change-sets/${changeSet}/undo`)
    expect(again).toMatchObject({ status: 409, body: { code: 'UNDO_CONFLICT' } })
    expect(again.body.kept[0]).toMatchObject({ resource: 'core.account', field: 'city' })
    expect((await admin.get('/api/core/bulks')).body.data[0].id).toBe(undone.id)

    const redo = await admin.post(`/api/core/change-sets/${undone.changeSet}/undo`)
    await work()
    expect((await admin.get(`/api/core/bulks/${redo.body.data.id}`)).body.data).toMatchObject({ done: 518 })
    expect(await all('many', ' and city = "Metz"')).toHaveLength(518)
    expect((await admin.post(`/api/core/change-sets/${undone.changeSet}/undo`)).status).toBe(409)
    expect((await admin.post(`/api/core/change-sets/${changeSet}/undo`)).status).toBe(202)
    await work()
    expect(await all('many', ' and city = "Lyon"')).toHaveLength(518)

    const removed = await admin.post(`${accounts}/bulk`, { filter: 'industry = "many"', delete: true })
    await work()
    const { changeSet: removal } = (await admin.get(`/api/core/bulks/${removed.body.data.id}`)).body.data
    expect((await admin.post(`/api/core/change-sets/${removal}/undo`)).status).toBe(202)
    await work()
    expect(await all('many')).toHaveLength(519)
    expect((await admin.post(`/api/core/change-sets/${removal}/undo`)).body.code).toBe('UNDO_CONFLICT')
    expect((await admin.get('/api/core/audit/verification')).body.data).toMatchObject({ fault: null, waiting: 0 })
  }, 240_000)

  test('deletes and restores what it is told by id, and says what was so already', async () => {
    const ids = (await make('bin', 3)).map(({ id }) => id)
    const deleted = await admin.post(`${accounts}/bulk`, { ids, delete: true })
    await work()
    expect((await admin.get(`/api/core/bulks/${deleted.body.data.id}`)).body.data).toMatchObject({ done: 3 })
    expect(await all('bin')).toEqual([])
    const restored = await admin.post(`${accounts}/bulk`, { ids, restore: true })
    await work()
    expect((await admin.get(`/api/core/bulks/${restored.body.data.id}`)).body.data).toMatchObject({ done: 3 })
    const same = await admin.post(`${accounts}/bulk`, { ids, set: { city: 'Lyon' } })
    await work()
    expect((await admin.get(`/api/core/bulks/${same.body.data.id}`)).body.data).toMatchObject({ done: 0, skipped: 3 })
  })

  test('started or tried again with nothing left to do, it stays as it was, with the change set that undoes it', async () => {
    const ids = (await make('again', 2)).map(({ id }) => id)
    const ordered = await admin.post(`${accounts}/bulk`, { ids, set: { city: 'Auch' } })
    const bulk = `/api/core/bulks/${ordered.body.data.id}`
    await work()
    const ended = (await admin.get(bulk)).body.data
    expect(ended).toMatchObject({ state: 'done', done: 2 })
    for (const verb of ['run', 'retry']) {
      expect((await admin.post(`${bulk}/${verb}`)).body.data, verb).toEqual(ended)
      await work()
      expect((await admin.get(bulk)).body.data, verb).toEqual(ended)
    }
    expect((await admin.post(`/api/core/change-sets/${ended.changeSet}/undo`)).body.data).toMatchObject({ undone: 2 })

    const none = await admin.post(`${accounts}/bulk`, {
      filter: 'industry = "nobody"',
      set: { city: 'Auch' },
      preview: true,
    })
    const empty = `/api/core/bulks/${none.body.data.id}`
    expect((await admin.post(`${empty}/run`)).status).toBe(202)
    await work()
    expect((await admin.get(empty)).body.data).toMatchObject({ state: 'done', total: 0 })
  })

  test('one’s own runs are listed, newest first and page by page; previews and those of others are not', async () => {
    const role = {
      grants: ['read', 'update', 'bulk'].map((action) => ({
        resource: 'core.account',
        action,
        visibility: 'all' as const,
      })),
    }
    const [one, two] = [await app.as(role), await app.as(role)]
    const ids = (await make('listed', 1)).map(({ id }) => id)
    const started: string[] = []
    for (const city of ['Agen', 'Albi', 'Arles']) {
      const { body } = await one.post(`${accounts}/bulk`, { ids, set: { city } })
      started.unshift(body.data.id)
      await work()
    }
    await one.post(`${accounts}/bulk`, { ids, set: { city: 'Agde' }, preview: true })
    const first = (await one.get('/api/core/bulks?limit=2')).body
    expect(first.data.map(({ id }: { id: string }) => id)).toEqual(started.slice(0, 2))
    expect(first.data[0]).toEqual((await one.get(`/api/core/bulks/${started[0]}`)).body.data)
    expect(first.data[0]).toMatchObject({
      resource: 'core.account',
      action: 'update',
      state: 'done',
      total: 1,
      done: 1,
    })
    const second = (await one.get(`/api/core/bulks?limit=2&after=${first.page.next}`)).body
    expect([second.data.map(({ id }: { id: string }) => id), second.page.next]).toEqual([started.slice(2), null])
    expect((await two.get('/api/core/bulks')).body).toEqual({ data: [], page: { next: null } })
  })

  test('an API key works in the background with its own rights', async () => {
    const key = await keyClient()
    const ids = (await make('machine', 2)).map(({ id }) => id)
    const ordered = await key.post(`${accounts}/bulk`, { ids, set: { city: 'Dole' } })
    expect(ordered.status).toBe(202)
    await work()
    expect((await key.get(`/api/core/bulks/${ordered.body.data.id}`)).body.data).toMatchObject({
      state: 'done',
      done: 2,
    })
    expect((await admin.get(`/api/core/bulks/${ordered.body.data.id}`)).body.code).toBe('BULK_NOT_FOUND')
  })

  test('a refused row fails alone with its reason, in a file too', async () => {
    const rows = await make('reasons', 3)
    await admin.patch(`${accounts}/${rows[1]!.id}`, { version: 1, name: 'Other' })
    const ordered = await admin.post(`${accounts}/bulk`, {
      ids: rows.map(({ id }) => id),
      set: { parent: rows[1]!.id },
    })
    await work()
    const bulk = `/api/core/bulks/${ordered.body.data.id}`
    expect((await admin.get(bulk)).body.data).toMatchObject({ done: 2, failed: 1 })
    expect((await admin.get(`${bulk}/rows?state=failed`)).body.data).toMatchObject([{ record: rows[1]!.id }])
  })

  test('the same request twice under one key is one job', async () => {
    const ids = (await make('once', 2)).map(({ id }) => id)
    const send = () => admin.post(`${accounts}/bulk`, { ids, set: { city: 'Gap' } }, { 'idempotency-key': 'bulk-once' })
    const [first, second] = [await send(), await send()]
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotent-replay')).toBe('true')
    await work()
  })

  test('cancelled before its end it keeps what is done, and its change set is sealed', async () => {
    const ids = (await make('cancelled', 2)).map(({ id }) => id)
    const ordered = await admin.post(`${accounts}/bulk`, { ids, set: { city: 'Toul' } })
    expect((await admin.post(`/api/core/jobs/${ordered.body.data.job}/cancel`)).status).toBe(200)
    await work()
    expect((await admin.get(`/api/core/bulks/${ordered.body.data.id}`)).body.data).toMatchObject({
      state: 'cancelled',
      done: 0,
    })
    expect(await all('cancelled', ' and city = "Toul"')).toEqual([])
  })

  test('asks for the permission of its own beside that of the change', async () => {
    const [row] = await make('rights', 1)
    const member = await app.as({ may: ['core.account.read', 'core.account.update'] })
    expect(await member.post(`${accounts}/bulk`, { ids: [row!.id], set: { city: 'Lens' } })).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    const bulk = await app.as({ may: ['core.account.read', 'core.account.bulk'] })
    expect((await bulk.post(`${accounts}/bulk`, { ids: [row!.id], set: { city: 'Lens' } })).status).toBe(403)
  })
})
