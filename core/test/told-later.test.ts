import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineError } from '../src/errors.ts'
import type { FieldGrant } from '../src/permissions/grant.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { Importing, grant } from './import-world.ts'
import { atlas, dealsPlugin, made, personOf } from './partner-world.ts'

// What was refused or left as it is, told to somebody who may read less than whoever it was worded for.

const accounts = '/api/core/accounts'
const everything = ['read', 'create', 'update', 'bulk', 'import'].map((action) => ({
  resource: 'core.account',
  action,
  visibility: 'all' as const,
}))
const without = (...fields: string[]): FieldGrant[] =>
  fields.map((field) => ({ resource: 'core.account', field, access: 'none' }))

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [dealsPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const undo = (by: TestClient, changeSet: string | null) => by.post(`/api/core/change-sets/${changeSet}/undo`)

/** A parent and its child, of which the parent cannot hang below the child. */
async function family(names: readonly [string, string]): Promise<[string, string]> {
  const parent = made(await app.admin.post(accounts, { name: names[0], allowDuplicate: true }))
  const child = made(await app.admin.post(accounts, { name: names[1], parent: parent.id, allowDuplicate: true }))
  return [parent.id, child.id]
}

describe('an undo', () => {
  test('names no field that is hidden from who undoes, and gives back what they may see', async () => {
    const clerk = await app.as({ grants: everything, may: ['core.changeset.undo'], fields: without('employees') })
    const { id } = made(await app.admin.post(accounts, { name: 'Undone', city: 'Lyon', employees: 3 }))
    const changed = await app.admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille', employees: 4 })
    made(await app.admin.patch(`${accounts}/${id}`, { version: 2, employees: 5 }))
    const { body } = await undo(clerk, changed.headers.get('x-change-set'))
    expect(body.data).toMatchObject({ undone: 1, kept: [] })
    expect((await app.admin.get(`${accounts}/${id}`)).body.data).toMatchObject({ city: 'Lyon', employees: 5 })
  })

  test('of hidden fields alone says that nothing is left, and not what changed', async () => {
    const clerk = await app.as({ grants: everything, may: ['core.changeset.undo'], fields: without('employees') })
    const { id } = made(await app.admin.post(accounts, { name: 'Nothing left', employees: 3 }))
    const changed = await app.admin.patch(`${accounts}/${id}`, { version: 1, employees: 4 })
    made(await app.admin.patch(`${accounts}/${id}`, { version: 2, employees: 5 }))
    const refused = await undo(clerk, changed.headers.get('x-change-set'))
    expect(refused).toMatchObject({ status: 409, body: { code: 'UNDO_CONFLICT', kept: [] } })
    expect(JSON.stringify(refused.body)).not.toContain('employees')
  })

  test('by a partner of what they changed in an account that was opened to them is not theirs, and is told so', async () => {
    const ana = await app.as(personOf(atlas, 'Ana'))
    const { id } = made(await app.admin.post(accounts, { name: 'Opened', city: 'Lyon' }))
    await app.app.kernel.asSystem(app.workspace, { origin: 'test' }, (ctx) =>
      ctx.records.create('core.share', { resource: 'core.account', record: id, partner: atlas, access: 'write' }),
    )
    const changed = await ana.patch(`${accounts}/${id}`, { version: 1, city: 'Pau' })
    expect(changed.status).toBe(200)
    const refused = await undo(ana, changed.headers.get('x-change-set'))
    expect(refused).toMatchObject({ status: 404, body: { code: 'CHANGE_SET_NOT_FOUND' } })
    expect((await app.admin.get(`${accounts}/${id}`)).body.data.city).toBe('Pau')
  })
})

describe('a refusal that was worded for more rights', () => {
  test('of a row of a bulk change keeps its code alone once those are gone, and is told whole while they are there', async () => {
    const [parent, child] = await family(['Bulk parent', 'Bulk child'])
    const clerk = await app.as({ grants: everything })
    const order = { ids: [parent], set: { parent: child }, background: true }
    const { body } = await clerk.post(`${accounts}/bulk`, order)
    await app.app.jobs.runUntilIdle()
    const rows = async () => (await clerk.get(`/api/core/bulks/${body.data.id}/rows`)).body.data
    const csv = async () => String((await clerk.get(`/api/core/bulks/${body.data.id}/rows.csv`)).body)
    expect(await rows()).toMatchObject([
      { state: 'failed', problem: { code: 'CYCLE_REFUSED', detail: expect.stringContaining('Bulk child') } },
    ])
    await grant(app.admin, clerk, { fields: [{ resource: 'core.account', field: 'name', access: 'none' }] })
    expect(await rows()).toMatchObject([
      { state: 'failed', problem: { code: 'CYCLE_REFUSED', detail: expect.stringMatching(/may no longer read/) } },
    ])
    expect(await csv()).not.toContain('Bulk child')
    await grant(app.admin, clerk, { fields: [], grants: [...everything, { resource: 'core.lead', action: 'read' }] })
    expect(await csv()).toContain('Bulk child')
  })

  test('of a row whose record is out of sight by now is not told', async () => {
    const [parent, child] = await family(['Moved parent', 'Moved child'])
    const condition = 'city is empty'
    const clerk = await app.as({
      grants: everything.map((it) => (it.action === 'bulk' ? it : { ...it, condition })),
    })
    const { body } = await clerk.post(`${accounts}/bulk`, { ids: [parent], set: { parent: child }, background: true })
    await app.app.jobs.runUntilIdle()
    const path = `/api/core/bulks/${body.data.id}/rows`
    expect(JSON.stringify((await clerk.get(path)).body)).toContain('Moved child')
    made(await app.admin.patch(`${accounts}/${parent}`, { version: 1, city: 'Pau' }))
    expect(JSON.stringify((await clerk.get(path)).body)).not.toContain('Moved child')
  })

  test('of a line of an import is in neither its rows nor its file of errors', async () => {
    await family(['Import parent', 'Import child'])
    const clerk = await app.as({ grants: everything })
    const importing = new Importing(clerk, () => app.app.jobs.runUntilIdle())
    const { id } = await importing.upload('core.account', 'name,parent\nImport parent,Import child\n')
    await importing.change(id, { key: 'name' })
    await importing.rehearse(id)
    const problems = async () =>
      (await clerk.get(`/api/core/imports/${id}/rows`)).body.data.map((row: { problems: unknown }) => row.problems)
    expect(await problems()).toMatchObject([
      [{ code: 'CYCLE_REFUSED', detail: expect.stringMatching(/"Import child"/) }],
    ])
    await grant(app.admin, clerk, { fields: [{ resource: 'core.account', field: 'city', access: 'none' }] })
    expect(await problems()).toMatchObject([
      [{ code: 'CYCLE_REFUSED', detail: expect.stringMatching(/may no longer read/) }],
    ])
    expect(String((await clerk.get(`/api/core/imports/${id}/errors.csv`)).body)).toContain('may no longer read')
  })

  test('of a job is told to who started it, and to others who manage jobs by its code', async () => {
    const refused = defineError<{ title: string }>('PROBE_REFUSED', 409, ({ title }) => `${title} is in the way.`)
    app.app.jobs.register('core.probe', async () => {
      throw refused({ title: 'Maison Garonne' })
    })
    const clerk = await app.as({ grants: everything })
    const manager = await app.as({ may: ['core.job.manage'], locale: 'fr' })
    const job = await app.app.jobs.enqueue({
      workspace: app.workspace.id,
      kind: 'core.probe',
      actor: { type: 'user', id: clerk.who.actor.id! },
    })
    await app.app.jobs.runUntilIdle()
    const error = async (by: TestClient) => (await by.get(`/api/core/jobs/${job}`)).body.data.error
    expect(await error(clerk)).toEqual({ code: 'PROBE_REFUSED', detail: 'Maison Garonne is in the way.' })
    expect(await error(manager)).toEqual({ code: 'PROBE_REFUSED', detail: expect.stringMatching(/^Refusé avec PROBE/) })
  })
})
