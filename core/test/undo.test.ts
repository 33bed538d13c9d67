import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const accounts = '/api/core/accounts'

interface Made {
  readonly id: string
  readonly version: number
}

async function make({ admin }: TestWorkspace, names: readonly string[]): Promise<Made[]> {
  const create = names.map((name) => ({ name, city: 'Lyon' }))
  const { body } = await admin.post(`${accounts}/bulk`, { create, atomic: true })
  return body.data
}

async function edit(by: TestClient, update: readonly object[]): Promise<string> {
  const { body, headers } = await by.post(`${accounts}/bulk`, { update, atomic: true })
  expect(body.data, JSON.stringify(body)).toHaveLength(update.length)
  return headers.get('x-change-set') ?? ''
}

const undo = (by: TestClient, changeSet: string) => by.post(`/api/core/change-sets/${changeSet}/undo`)

describe('an undo of several records', () => {
  test('restores what it can, and lists what changed since, what is out of sight and what a guard refuses', async () => {
    const here = await app.secondWorkspace()
    const [plain, edited, hidden, parent, child] = (await make(here, [
      'Plain',
      'Edited',
      'Hidden',
      'Parent',
      'Child',
    ])) as [Made, Made, Made, Made, Made]
    const rep = await here.as({
      locale: 'fr',
      grants: [
        { resource: 'core.account', action: 'read', visibility: 'all', condition: 'employees is empty' },
        { resource: 'core.account', action: 'update', visibility: 'all' },
      ],
    })
    await here.admin.patch(`${accounts}/${child.id}`, { version: 1, parent: parent.id })
    const changeSet = await edit(rep, [
      ...[plain, edited, hidden].map(({ id }) => ({ id, version: 1, city: 'Lille' })),
      { id: child.id, version: 2, parent: null },
    ])
    await here.admin.patch(`${accounts}/${edited.id}`, { version: 2, city: 'Nantes' })
    await here.admin.patch(`${accounts}/${hidden.id}`, { version: 2, employees: 12 })
    await here.admin.patch(`${accounts}/${parent.id}`, { version: 1, parent: child.id })

    const { status, body } = await undo(rep, changeSet)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.data.undone).toBe(1)
    expect(body.data.kept).toEqual([
      { resource: 'core.account', id: edited.id, field: 'city' },
      {
        resource: 'core.account',
        id: child.id,
        problem: { code: 'CYCLE_REFUSED', detail: expect.stringMatching(/Parent/) },
      },
      {
        resource: 'core.account',
        id: hidden.id,
        problem: { code: 'RECORD_NOT_FOUND', detail: expect.stringMatching(/n’existe pas/) },
      },
    ])
    const cities = async (id: string) => (await here.admin.get(`${accounts}/${id}`)).body.data.city
    expect(await Promise.all([plain, edited, hidden].map(({ id }) => cities(id)))).toEqual(['Lyon', 'Nantes', 'Lille'])
    expect((await here.admin.get('/api/core/audit/verification')).body.data).toMatchObject({ fault: null })

    const again = await undo(rep, body.data.changeSet)
    expect(again.body.data).toMatchObject({ undone: 1, kept: [] })
    expect(await cities(plain.id)).toBe('Lille')
  })

  test('lists what lies in the bin since, or was merged away, and why', async () => {
    const here = await app.secondWorkspace()
    const rows = (await make(here, ['Stays', 'Binned', 'Merged', 'Survivor'])) as [Made, Made, Made, Made]
    const [stays, binned, merged, survivor] = rows
    const changeSet = await edit(
      here.admin,
      [stays, binned, merged].map(({ id }) => ({ id, version: 1, city: 'Lille' })),
    )
    expect((await here.admin.delete(`${accounts}/${binned.id}?version=2`)).status).toBe(204)
    const merging = await here.admin.post(`${accounts}/${survivor.id}/merge`, {
      version: 1,
      others: [{ id: merged.id, version: 2 }],
    })
    expect(merging.status, JSON.stringify(merging.body)).toBe(200)
    const { body } = await undo(here.admin, changeSet)
    expect(body.data, JSON.stringify(body)).toMatchObject({ undone: 1 })
    expect(body.data.kept).toHaveLength(2)
    expect(body.data.kept).toEqual(
      expect.arrayContaining([
        {
          resource: 'core.account',
          id: binned.id,
          problem: { code: 'RECORD_GONE', detail: expect.stringMatching(/deleted/) },
        },
        {
          resource: 'core.account',
          id: merged.id,
          problem: { code: 'RECORD_MERGED', detail: expect.stringMatching(/Survivor/) },
        },
      ]),
    )
    const alone = await edit(here.admin, [{ id: stays.id, version: 3, city: 'Nice' }])
    await here.admin.delete(`${accounts}/${stays.id}?version=4`)
    expect(await undo(here.admin, alone)).toMatchObject({ status: 409, body: { code: 'RECORD_GONE' } })
  })

  test('says that nothing can be undone where every record refuses, and writes nothing', async () => {
    const here = await app.secondWorkspace()
    const rows = await make(here, ['One', 'Two'])
    const rep = await here.as({
      grants: [
        { resource: 'core.account', action: 'read', visibility: 'all', condition: 'employees is empty' },
        { resource: 'core.account', action: 'update', visibility: 'all' },
      ],
    })
    const changeSet = await edit(
      rep,
      rows.map(({ id }) => ({ id, version: 1, city: 'Lille' })),
    )
    for (const { id } of rows) await here.admin.patch(`${accounts}/${id}`, { version: 2, employees: 12 })
    const { status, body } = await undo(rep, changeSet)
    expect({ status, code: body.code, detail: body.detail }).toMatchObject({
      status: 409,
      code: 'UNDO_CONFLICT',
      detail: expect.stringMatching(/2 records do not allow it/),
    })
    expect(body.kept.map(({ id }: Made) => id).toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
    expect((await here.admin.get(`${accounts}/${rows[0]!.id}`)).body.data.version).toBe(3)
  })

  test('asked for twice under one key is done once, and answers the same', async () => {
    const here = await app.secondWorkspace()
    const rows = await make(here, ['Once', 'And once'])
    const changeSet = await edit(
      here.admin,
      rows.map(({ id }) => ({ id, version: 1, city: 'Lille' })),
    )
    const path = `/api/core/change-sets/${changeSet}/undo`
    const send = () => here.admin.post(path, undefined, { 'idempotency-key': 'undo' })
    const [first, second] = [await send(), await send()]
    expect(first.body.data).toMatchObject({ undone: 2 })
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('x-change-set')).toBe(first.headers.get('x-change-set'))
    expect((await here.admin.get(`${accounts}/${rows[0]!.id}`)).body.data).toMatchObject({ version: 3, city: 'Lyon' })
  })

  test('keeps the records of a module that was switched off, and lists them', async () => {
    const here = await app.secondWorkspace()
    const [account] = (await make(here, ['Written beside a greeting'])) as [Made]
    const { greeting, changeSet } = await here.inside(async (ctx) => {
      await ctx.records.update('core.account', account, { city: 'Lille' })
      const { id } = await ctx.records.create('hello.greeting', { text: 'Beside it' })
      return { greeting: id, changeSet: ctx.changeSet ?? '' }
    })
    await app.app.toggle.disable(here.workspace, 'hello', undefined, false)
    const { body } = await undo(here.admin, changeSet)
    expect(body.data, JSON.stringify(body)).toMatchObject({
      undone: 1,
      kept: [{ resource: 'hello.greeting', id: greeting, problem: { code: 'RECORD_NOT_FOUND' } }],
    })
    expect((await here.admin.get(`${accounts}/${account.id}`)).body.data.city).toBe('Lyon')
  })
})
