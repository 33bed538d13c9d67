import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ruleOf } from '../src/database/database-error.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const accounts = '/api/core/accounts'
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`

async function account(values: Record<string, unknown>) {
  const { status, body } = await admin.post(accounts, { allowDuplicate: true, ...values })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

/** Every record of a list, page by page, in the order the pages gave. */
async function walk(path: string, parameters: Record<string, string>): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = []
  let after: string | null = null
  do {
    const { status, body } = await admin.get(path + query({ ...parameters, ...(after === null ? {} : { after }) }))
    expect(status, JSON.stringify(body)).toBe(200)
    all.push(...body.data)
    after = body.page.next
  } while (after !== null)
  return all
}

describe('lists', () => {
  const names = ['Zèbre', 'école', 'Ecole', 'eka', 'Étoile', 'abeille', 'Abeille', 'Été']

  beforeAll(async () => {
    for (const [index, name] of names.entries()) {
      await account({ name, industry: 'lists', ...(index % 3 === 0 ? {} : { employees: index % 2 === 0 ? 10 : 20 }) })
    }
  })

  test('é sorts with e, and a page break falls on ties and empty values without losing or repeating a row', async () => {
    for (const sort of [
      'name',
      '-name',
      'employees',
      '-employees',
      'employees,-name',
      '-employees,name',
      'createdAt,name',
    ]) {
      const all = await walk(accounts, { filter: 'industry = lists', sort, limit: '3', count: 'none' })
      expect(new Set(all.map(({ id }) => id)).size, sort).toBe(names.length)
      const whole = await admin.get(accounts + query({ filter: 'industry = lists', sort, limit: '50' }))
      expect(
        all.map(({ id }) => id),
        sort,
      ).toEqual(whole.body.data.map(({ id }: { id: string }) => id))
    }
    const sorted = await walk(accounts, { filter: 'industry = lists', sort: 'name', limit: '2' })
    expect(sorted.map(({ name }) => name)).toEqual(names.toSorted(new Intl.Collator('und').compare))
  })

  test('rows without a value come last in both directions', async () => {
    for (const sort of ['employees', '-employees']) {
      const values = (await walk(accounts, { filter: 'industry = lists', sort, limit: '2' })).map(
        ({ employees }) => employees,
      )
      expect(values.slice(-3), sort).toEqual([null, null, null])
    }
  })

  test('a reference sorts by the name of what it points at', async () => {
    const parents = [
      await account({ name: 'Zorro', industry: 'tree' }),
      await account({ name: 'Alpha', industry: 'tree' }),
    ]
    for (const [index, parent] of parents.entries())
      await account({ name: `Child ${index}`, industry: 'child', parent: parent.id })
    const rows = await walk(accounts, { filter: 'industry = child', sort: 'parent', limit: '1' })
    expect(rows.map(({ name }) => name)).toEqual(['Child 1', 'Child 0'])
  })

  test('a cursor of another query is refused', async () => {
    const first = await admin.get(accounts + query({ sort: 'name', limit: '1' }))
    const other = await admin.get(accounts + query({ sort: '-name', limit: '1', after: first.body.page.next }))
    expect(other).toMatchObject({ status: 400, body: { code: 'CURSOR_INVALID' } })
    expect(await admin.get(accounts + query({ after: 'nonsense' }))).toMatchObject({
      status: 400,
      body: { code: 'CURSOR_INVALID' },
    })
  })

  test('counting is exact when asked, and never done when not', async () => {
    const counted = await admin.get(accounts + query({ filter: 'industry = lists', count: 'exact', limit: '2' }))
    expect(counted.body.page).toMatchObject({ count: names.length, exact: true })
    expect((await admin.get(accounts + query({ count: 'none' }))).body.page.count).toBeNull()
  })

  test('references come with the names of what they point at', async () => {
    const parent = await account({ name: 'Groupe Bellecour' })
    const child = await account({ name: 'Bellecour Lyon', parent: parent.id })
    const { body } = await admin.get(`${accounts}/${child.id}?include=parent,owner`)
    expect(body.included['core.account'][parent.id]).toMatchObject({ title: 'Groupe Bellecour' })
    expect(body.included['core.user'][child.owner]).toMatchObject({ title: 'Claire Admin' })
  })

  test('words find a record by parts of its name, without case or accents', async () => {
    const { body } = await admin.get(accounts + query({ q: 'etoi' }))
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['Étoile'])
    const everywhere = await admin.get('/api/core/search?q=ETOI')
    expect(everywhere.body.data).toMatchObject([{ resource: 'core.account', title: 'Étoile' }])
  })
})

describe('figures', () => {
  test('each row of an aggregate carries the filter that opens exactly its records', async () => {
    for (const [name, revenue] of [
      ['A', '10.10'],
      ['B', '20.20'],
      ['C', '5'],
    ] as const) {
      await account({ name, industry: name === 'C' ? 'figures-2' : 'figures-1', annualRevenue: revenue })
    }
    const { body } = await admin.post(`${accounts}/aggregate`, {
      filter: 'industry in ("figures-1", "figures-2")',
      groupBy: ['industry', 'createdAt:month'],
      measures: ['count', 'sum:annualRevenue'],
    })
    expect(body.data.map((row: Record<string, unknown>) => [row['count'], row['sum:annualRevenue']])).toEqual([
      [2, '30.3000'],
      [1, '5.0000'],
    ])
    for (const row of body.data) {
      const behind = await admin.get(accounts + query({ filter: row.filter }))
      expect(behind.body.data).toHaveLength(row.count)
    }
  })
})

describe('writing', () => {
  test('two people editing different fields both keep their change', async () => {
    const { id } = await account({ name: 'Ateliers Saint-Éloi', city: 'Lyon' })
    const first = await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille' })
    const second = await admin.patch(`${accounts}/${id}`, { version: 1, employees: 40 })
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body.data).toMatchObject({ city: 'Lille', employees: 40, version: 3 })
  })

  test('two people editing one field: the second is told the three values', async () => {
    const { id } = await account({ name: 'Comptoir du Rhône', city: 'Lyon' })
    await admin.patch(`${accounts}/${id}`, { city: 'Lille' }, { 'if-match': '"1"' })
    const second = await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Nantes' })
    expect(second.status).toBe(409)
    expect(second.body).toMatchObject({
      code: 'VERSION_CONFLICT',
      conflicts: [{ field: 'city', base: 'Lyon', mine: 'Nantes', theirs: 'Lille' }],
      current: { version: 2, city: 'Lille' },
    })
  })

  test('a write that does not say which version it saw is refused', async () => {
    const { id } = await account({ name: 'Valmy' })
    expect(await admin.patch(`${accounts}/${id}`, { city: 'Lyon' })).toMatchObject({
      status: 428,
      body: { code: 'VERSION_REQUIRED' },
    })
    expect(await admin.delete(`${accounts}/${id}`)).toMatchObject({ status: 428, body: { code: 'VERSION_REQUIRED' } })
  })

  test('every fault of a record is named at once, and nothing of it is kept', async () => {
    const { status, body } = await admin.post(accounts, {
      name: 'Fautes',
      employees: 'many',
      lifecycle: 'famous',
      foo: 1,
      foundedYear: 2.5,
    })
    expect(status).toBe(422)
    expect(body.errors.map(({ path, code }: { path: string; code: string }) => [path, code])).toEqual([
      ['/employees', 'TYPE'],
      ['/lifecycle', 'OPTION_UNKNOWN'],
      ['/foo', 'FIELD_UNKNOWN'],
      ['/foundedYear', 'TYPE'],
    ])
    expect((await admin.get(accounts + query({ filter: 'name = "Fautes"' }))).body.data).toEqual([])
  })

  test('a reference to a record that is not there is refused', async () => {
    const { status, body } = await admin.post(accounts, {
      name: 'Orphan',
      parent: '0193d1a2-0000-7000-8000-000000000001',
    })
    expect(status).toBe(422)
    expect(body.errors).toMatchObject([{ path: '/parent', code: 'REFERENCE_UNKNOWN' }])
  })

  test('a repeated request with the same Idempotency-Key is answered once and writes once', async () => {
    const headers = { 'idempotency-key': 'order-42' }
    const [first, second] = await Promise.all([
      admin.post(accounts, { name: 'Once' }, headers),
      admin.post(accounts, { name: 'Once' }, headers),
    ])
    expect(first.body.data.id).toBe(second.body.data.id)
    expect((await admin.get(accounts + query({ filter: 'name = "Once"' }))).body.data).toHaveLength(1)
    expect(await admin.post(accounts, { name: 'Other' }, headers)).toMatchObject({
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED' },
    })
  })

  test('a client may make the id itself, once', async () => {
    const id = '0193d1a2-0000-7000-8000-00000000abcd'
    expect((await admin.post(accounts, { id, name: 'Offline' })).body.data.id).toBe(id)
    expect((await admin.post(accounts, { id, name: 'Offline again' })).status).toBe(409)
  })

  test('a deleted record is gone from lists and comes back from the bin', async () => {
    const { id } = await account({ name: 'Éphémère' })
    expect((await admin.delete(`${accounts}/${id}?version=1`)).status).toBe(204)
    expect((await admin.get(accounts + query({ q: 'ephemere' }))).body.data).toEqual([])
    expect((await admin.get('/api/core/search?q=ephemere')).body.data).toEqual([])
    expect(
      (await admin.get(accounts + query({ deleted: 'only', filter: 'name = "Éphémère"' }))).body.data,
    ).toHaveLength(1)
    expect((await admin.post(`${accounts}/${id}/restore`)).status).toBe(200)
    expect((await admin.get('/api/core/search?q=ephemere')).body.data).toHaveLength(1)
  })
})

describe('bulk', () => {
  test('a row that fails is told alone, the others stand, and one undo takes them all back', async () => {
    const kept = await account({ name: 'Bulk kept', city: 'Lyon' })
    const { body, headers } = await admin.post(`${accounts}/bulk`, {
      create: [{ name: 'Bulk 1' }, { employees: 3 }],
      update: [{ id: kept.id, version: 1, city: 'Metz' }],
    })
    expect(body.data).toMatchObject([
      { index: 0, action: 'create', status: 'done' },
      { index: 1, action: 'create', status: 'failed', problem: { code: 'VALIDATION_FAILED' } },
      { index: 2, action: 'update', status: 'done', id: kept.id, version: 2 },
    ])
    const undone = await admin.post(`/api/core/change-sets/${headers.get('x-change-set')}/undo`)
    expect(undone.body.data).toMatchObject({ undone: 2, kept: [] })
    expect((await admin.get(`${accounts}/${kept.id}`)).body.data.city).toBe('Lyon')
    expect((await admin.get(accounts + query({ filter: 'name = "Bulk 1"' }))).body.data).toEqual([])
  })

  test('an atomic bulk with one fault changes nothing', async () => {
    const answer = await admin.post(`${accounts}/bulk`, {
      create: [{ name: 'Atomic' }, { employees: 3 }],
      atomic: true,
    })
    expect(answer).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } })
    expect((await admin.get(accounts + query({ filter: 'name = "Atomic"' }))).body.data).toEqual([])
  })

  test('a filter sets fields on all the records it finds, up to 200', async () => {
    for (const name of ['F1', 'F2', 'F3']) await account({ name, industry: 'by-filter' })
    const { body } = await admin.post(`${accounts}/bulk`, { filter: 'industry = "by-filter"', set: { city: 'Brest' } })
    expect(body.data.map(({ status }: { status: string }) => status)).toEqual(['done', 'done', 'done'])
    const rows = Array.from({ length: 201 }, (_, index) => ({ name: `Too many ${index}` }))
    expect(await admin.post(`${accounts}/bulk`, { create: rows })).toMatchObject({
      status: 422,
      body: { code: 'BULK_TOO_LARGE' },
    })
  })

  test('words and ids beside a filter narrow what is changed, and nothing is changed that they leave out', async () => {
    const rows = []
    for (const name of ['Narrow vigne', 'Narrow verger', 'Narrow potager'])
      rows.push(await account({ name, industry: 'narrow', city: 'Lyon' }))
    const filter = 'industry = "narrow"'
    const cities = async () =>
      (await admin.get(accounts + query({ filter, sort: 'name' }))).body.data.map(({ city }: { city: string }) => city)
    const byWords = await admin.post(`${accounts}/bulk`, { filter, q: 'verger', set: { city: 'Brest' } })
    expect(byWords.body.data).toMatchObject([{ id: rows[1].id, status: 'done' }])
    expect(await cities()).toEqual(['Lyon', 'Brest', 'Lyon'])
    const byIds = await admin.post(`${accounts}/bulk`, { filter, ids: [rows[0].id], set: { city: 'Metz' } })
    expect(byIds.body.data).toMatchObject([{ id: rows[0].id, status: 'done' }])
    expect(await cities()).toEqual(['Lyon', 'Brest', 'Metz'])
    const none = await admin.post(`${accounts}/bulk`, { filter, q: 'verger', ids: [rows[0].id], set: { city: 'Lens' } })
    expect(none.body.data).toEqual([])
    expect(await cities()).toEqual(['Lyon', 'Brest', 'Metz'])
  })

  test('rows of their own and one change for many are not mixed: nothing of a request is dropped without a word', async () => {
    const { id } = await account({ name: 'Mixed', city: 'Lyon' })
    const filter = 'name = "Mixed"'
    const set = { city: 'Brest' }
    for (const mixed of [
      { filter, set, create: [{ name: 'Dropped' }] },
      { filter, set, update: [{ id, version: 1, city: 'Metz' }], background: true },
      { ids: [id], restore: true, delete: [{ id, version: 1 }] },
      { ids: [id], set, delete: true },
      { ids: [id], create: [{ name: 'Dropped' }] },
      { create: [{ name: 'Dropped' }], set },
      { create: [{ name: 'Dropped' }], q: 'Mixed' },
      { create: [{ name: 'Dropped' }], preview: true },
      { ids: [id], set, atomic: true },
    ])
      expect(await admin.post(`${accounts}/bulk`, mixed), JSON.stringify(mixed)).toMatchObject({
        status: 400,
        body: { code: 'QUERY_INVALID' },
      })
    expect((await admin.get(`${accounts}/${id}`)).body.data).toMatchObject({ version: 1, city: 'Lyon' })
    expect((await admin.get(accounts + query({ filter: 'name = "Dropped"' }))).body.data).toEqual([])
  })
})

describe('the ledger', () => {
  test('history is read page by page, to its first change', async () => {
    const { id } = await account({ name: 'Long history', employees: 1 })
    for (let version = 1; version < 6; version += 1)
      await admin.patch(`${accounts}/${id}`, { version, employees: version + 1 })
    const versions: number[] = []
    let pages = 0
    for (let after: string | null = ''; after !== null; pages += 1) {
      const { body }: { body: { data: { version: number }[]; page: { next: string | null } } } = await admin.get(
        `${accounts}/${id}/history${query({ limit: '2', ...(after ? { after } : {}) })}`,
      )
      versions.push(...body.data.map(({ version }) => version))
      after = body.page.next
    }
    expect([versions, pages]).toEqual([[6, 5, 4, 3, 2, 1], 3])
    const other = await account({ name: 'Other history' })
    const { body } = await admin.get(`${accounts}/${id}/history?limit=2`)
    for (const [path, code] of [
      [`${other.id}/history${query({ after: body.page.next })}`, 'CURSOR_INVALID'],
      [`${id}/history?after=nonsense`, 'CURSOR_INVALID'],
      [`${id}/history?limit=201`, 'QUERY_INVALID'],
    ] as const)
      expect(await admin.get(`${accounts}/${path}`), path).toMatchObject({ status: 400, body: { code } })
  })

  test('history tells who changed what, through what and why', async () => {
    const { id } = await account({ name: 'Histoire', city: 'Lyon' })
    await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille' }, { 'x-reason': 'They moved' })
    const { body } = await admin.get(`${accounts}/${id}/history`)
    expect(body.data).toMatchObject([
      {
        action: 'update',
        version: 2,
        reason: 'They moved',
        origin: 'ui',
        actor: { type: 'user', name: 'Claire Admin' },
        changes: [{ field: 'city', old: 'Lyon', new: 'Lille' }],
      },
      { action: 'create', version: 1 },
    ])
  })

  test('undoing keeps what changed since, and an undo can be undone', async () => {
    const { id } = await account({ name: 'Retour', city: 'Lyon', employees: 1 })
    const changed = await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille', employees: 2 })
    await admin.patch(`${accounts}/${id}`, { version: 2, employees: 3 })
    const undone = await admin.post(`/api/core/change-sets/${changed.headers.get('x-change-set')}/undo`)
    expect(undone.body.data).toMatchObject({ undone: 1, kept: [{ resource: 'core.account', id, field: 'employees' }] })
    expect((await admin.get(`${accounts}/${id}`)).body.data).toMatchObject({ city: 'Lyon', employees: 3 })
    const again = await admin.post(`/api/core/change-sets/${undone.body.data.changeSet}/undo`)
    expect(again.status).toBe(200)
    expect((await admin.get(`${accounts}/${id}`)).body.data).toMatchObject({ city: 'Lille', employees: 3 })
  })

  test('when nothing is left to undo it says which fields changed since', async () => {
    const { id } = await account({ name: 'Trop tard', city: 'Lyon' })
    const changed = await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille' })
    await admin.patch(`${accounts}/${id}`, { version: 2, city: 'Metz' })
    const undone = await admin.post(`/api/core/change-sets/${changed.headers.get('x-change-set')}/undo`)
    expect(undone).toMatchObject({ status: 409, body: { code: 'UNDO_CONFLICT', kept: [{ field: 'city' }] } })
  })

  test('the change of another person is undone only with the permission for it', async () => {
    const { id } = await account({ name: 'Pas le mien', city: 'Lyon' })
    const changed = await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille' })
    const member = await app.as({ may: ['core.account.read', 'core.account.update'] })
    const refused = await member.post(`/api/core/change-sets/${changed.headers.get('x-change-set')}/undo`)
    expect(refused).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  })

  test('the audit shows every change set with its records, to those who may read it', async () => {
    const made = await admin.post(accounts, { name: 'Audité' })
    const { body } = await admin.get('/api/core/audit?limit=1')
    expect(body.data).toMatchObject([
      {
        id: made.headers.get('x-change-set'),
        undone: false,
        mayUndo: true,
        changes: [{ resource: 'core.account', title: 'Audité', action: 'create' }],
      },
    ])
    expect(body.page.next).toBe(body.data[0].id)
    const member = await app.as({ may: ['core.account.read'] })
    expect(await member.get('/api/core/audit')).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  })

  test('the timeline mixes what was done about a record with what changed in it, newest first', async () => {
    const { id } = await account({ name: 'Chronologie' })
    app.clock.advance('PT1H')
    await admin.post('/api/core/activities', {
      subject: 'Rappel',
      type: 'call',
      account: id,
      dueAt: app.clock.now().toISOString(),
    })
    app.clock.advance('PT1H')
    await admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lyon' })
    const { body } = await admin.get(`${accounts}/${id}/timeline`)
    expect(body.data.map(({ kind, title }: { kind: string; title: string }) => [kind, title])).toEqual([
      ['change', 'Changed'],
      ['activity', 'Rappel'],
      ['change', 'Created'],
    ])
    const { body: page } = await admin.get(`${accounts}/${id}?include=owner&timeline=first`)
    expect(page).toEqual({ ...(await admin.get(`${accounts}/${id}?include=owner`)).body, timeline: body })
  })

  test('a record is answered with its timeline only where it has one, and as it is now', async () => {
    const { id } = await account({ name: 'Chronologie' })
    const asked = (query: string, of = `${accounts}/${id}`) => admin.get(`${of}?${query}`)
    const refusal = { status: 400, body: { code: 'QUERY_INVALID' } }
    expect(await asked('timeline=all')).toMatchObject(refusal)
    expect(await asked(`timeline=first&asOf=${app.clock.now().toISOString()}`)).toMatchObject(refusal)
    const task = await admin.post('/api/core/activities', { subject: 'Rappel', type: 'call', account: id })
    expect(await asked('timeline=first', `/api/core/activities/${task.body.data.id}`)).toMatchObject(refusal)
  })
})

test('a field that holds an id of anything is filtered, sorted and grouped by, and takes nothing else', async () => {
  const questions = '/api/core/known-questions'
  expect((await app.admin.post('/api/core/known-accounts', { name: 'Nobody known' })).status).toBe(200)
  const { id } = app.admin.who.actor
  const mine = await app.admin.get(`${questions}?sort=-asker,partner&filter=${encodeURIComponent(`asker = "${id}"`)}`)
  expect(mine.body.data).toMatchObject([{ asker: id }])
  const byAsker = await app.admin.post(`${questions}/aggregate`, { groupBy: ['asker'], measures: ['count'] })
  expect(byAsker.body.data).toMatchObject([{ key: { asker: id }, count: 1 }])
  const none = await app.admin.get(`${questions}?filter=${encodeURIComponent('asker = "nobody"')}`)
  expect(none).toMatchObject({ status: 400, body: { code: 'EXPRESSION_INVALID' } })
})

test('a reference or field that is asked for twice is answered once', async () => {
  await account({ name: 'Asked for twice' })
  const { status, body } = await admin.get(
    `${accounts}?${new URLSearchParams({ include: 'owner,owner', fields: 'name,name', filter: 'name = "Asked for twice"' })}`,
  )
  expect(status).toBe(200)
  expect(body.data).toEqual([expect.objectContaining({ name: 'Asked for twice' })])
})

describe('records made together', () => {
  const people = [
    { firstName: 'Élodie', lastName: 'Marnet', email: 'Elodie.Marnet@garonne.fr', phone: '01 42 68 53 00' },
    { lastName: 'Bréval', jobTitle: 'Gérante', birthDate: '1980-02-29', size: 'm', grades: ['a', 'c'], quota: '0.10' },
    { firstName: 'Jo', lastName: 'Marnet', doNotMail: true, language: 'fr', quota: '123456789012345.67' },
  ]
  const atOnce = { atomic: true, acknowledge: ['DUPLICATE_SUSPECTED'] }

  test('are what they would be one by one: values, history, words, keys, links and events', async () => {
    const here = await app.secondWorkspace()
    for (const field of [
      { name: 'size', type: 'select', options: [{ value: 'm' }] },
      { name: 'grades', type: 'multi-select', options: [{ value: 'a' }, { value: 'c' }] },
      { name: 'quota', type: 'decimal' },
    ]) {
      const made = await here.admin.post('/api/core/fields', {
        resource: 'core.contact',
        labelEn: field.name,
        labelFr: field.name,
        ...field,
      })
      expect(made.status, JSON.stringify(made.body)).toBe(201)
    }
    const { body } = await here.admin.post(accounts, { name: 'Maison Garonne' })
    const account = body.data.id
    const create = people.map((it) => ({ ...it, account }))
    const together = await here.admin.post('/api/core/contacts/bulk', { create, ...atOnce })
    expect(together.status, JSON.stringify(together.body)).toBe(200)
    const alone: { id: string }[] = []
    for (const values of create) {
      const { status, body: answer } = await here.admin.post('/api/core/contacts', { ...values, allowDuplicate: true })
      expect(status, JSON.stringify(answer)).toBe(201)
      alone.push(answer.data)
    }
    await app.app.deliveries.runUntilIdle()
    for (const [index, { id }] of together.body.data.entries()) {
      expect(await traces(here.admin, id)).toEqual(await traces(here.admin, alone[index]!.id))
    }
  })

  test('are refused together by the first that is refused, and nothing of them is kept', async () => {
    const { status, body } = await admin.post('/api/core/contacts/bulk', {
      create: [{ lastName: 'Seule' }, { lastName: 'Perdue', account: crypto.randomUUID() }],
      ...atOnce,
    })
    expect(status).toBe(422)
    expect(body.errors).toMatchObject([{ path: '/account', code: 'REFERENCE_UNKNOWN' }])
    expect((await admin.get(`/api/core/contacts${query({ q: 'Seule' })}`)).body.data).toEqual([])
  })

  test('may refer to each other, as one by one', async () => {
    const [parent, child] = [crypto.randomUUID(), crypto.randomUUID()]
    const create = [
      { id: parent, name: 'Mère ensemble' },
      { id: child, name: 'Fille ensemble', parent },
    ]
    const { status, body } = await admin.post(`${accounts}/bulk`, { create, ...atOnce })
    expect(status, JSON.stringify(body)).toBe(200)
    expect((await admin.get(`${accounts}/${child}`)).body.data).toMatchObject({ parent })
  })

  test('whose id another has are told the id, and what to do', async () => {
    const id = crypto.randomUUID()
    expect((await admin.post(accounts, { id, name: 'Première' })).status).toBe(201)
    const second = await admin.post(accounts, { id, name: 'Tout autre' })
    expect(second).toMatchObject({
      status: 409,
      body: {
        code: 'VALUE_TAKEN',
        detail: expect.stringMatching(new RegExp(`^The id "${id}" is taken.*Leave it out`)),
        errors: [{ path: '/id', code: 'VALUE_TAKEN', detail: expect.stringContaining(id) }],
      },
    })
  })

  test('say which one the database refuses, and of what stands alone the others stand', async () => {
    const product = (sku: string) => ({ sku, name: `Offre ${sku}` })
    expect((await admin.post('/api/core/products', product('ENS-1'))).status).toBe(201)
    const create = [product('ENS-2'), product('ENS-1'), product('ENS-3')]
    const whole = await admin.post('/api/core/products/bulk', { create, atomic: true })
    expect(whole).toMatchObject({ status: 409, body: { code: 'VALUE_TAKEN', errors: [{ path: '/sku' }] } })
    const each = await admin.post('/api/core/products/bulk', { create })
    expect(each.body.data).toMatchObject([
      { index: 0, status: 'done' },
      { index: 1, status: 'failed', problem: { code: 'VALUE_TAKEN' } },
      { index: 2, status: 'done' },
    ])
  })

  /** What is left of a record's making, but for what is its own alone. */
  async function traces(by: TestClient, id: string) {
    const record = (await by.get(`/api/core/contacts/${id}`)).body.data
    const history = (await by.get(`/api/core/contacts/${id}/history`)).body.data
    const links = (await by.get(`/api/core/account-contacts${query({ filter: `contact = "${id}"` })}`)).body.data
    const likely = (await by.get(`/api/core/contacts/${id}/duplicates`)).body.data
    const found = (await by.get(`/api/core/search${query({ q: `${record.lastName} garonne`, limit: '20' })}`)).body.data
    const { id: _id, createdAt: _created, updatedAt: _updated, ...values } = record
    return {
      values,
      history: history.map(({ action, version, changes }: Record<string, unknown>) => ({ action, version, changes })),
      links: links.map(({ primary, account }: Record<string, unknown>) => ({ primary, account })),
      // The twin has the same reasons to be suspected.
      likely: likely.filter(({ score }: { score: number }) => score > 95).length,
      isFound: found.some((it: { id: string }) => it.id === id),
    }
  }
})

test('what the database refuses is told by its rule, never in its words', () => {
  const message = 'invalid input syntax for type uuid: "a secret of somebody"'
  expect(ruleOf({ code: '22P02', message })).toBe('PostgreSQL 22P02')
  expect(ruleOf({ code: '23514', message, constraint: 'member_partners' })).toBe('member_partners')
  expect(ruleOf({ code: 'P0001', message: 'the ledger is append-only' })).toBe('the ledger is append-only')
})
