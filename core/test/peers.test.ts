import { helloPlugin } from '@socle/example-hello'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordEvents } from '../src/events/record-events.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { Endings, notesPlugin } from './peer-world.ts'

let app: TestApp
let admin: TestClient
const heard: string[] = []

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin, notesPlugin('^1.0.0', heard)], now: '2026-03-02T08:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const notes = '/api/notes/notes'
const greetings = '/api/hello/greetings'

async function made(path: string, values: Record<string, unknown>) {
  const { status, body } = await admin.post(path, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data as { id: string; version: number }
}

const get = async (id: string) => (await admin.get(`${notes}/${id}`)).body.data
const list = async (parameters: Record<string, string>) => {
  const { status, body } = await admin.get(`${notes}?${new URLSearchParams(parameters)}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const titles = (body: { data: { title: string }[] }) => body.data.map(({ title }) => title)

async function without(work: () => Promise<void>): Promise<void> {
  await app.app.toggle.disable(app.workspace, 'hello', undefined, false)
  try {
    await work()
  } finally {
    await app.app.toggle.enable(app.workspace, 'hello', undefined)
  }
}

describe('a link to another plugin’s record', () => {
  test('has its title, is filtered and sorted through, and is found from the other side', async () => {
    const [one, two] = [await made(greetings, { text: 'Bonjour' }), await made(greetings, { text: 'Ahoj' })]
    await made(notes, { title: 'First', kept: one.id })
    await made(notes, { title: 'Second', kept: two.id })
    const by = { filter: 'title in ("First", "Second")' }
    expect(titles(await list({ ...by, sort: 'kept' }))).toEqual(['Second', 'First'])
    expect(titles(await list({ ...by, sort: '-kept.text' }))).toEqual(['First', 'Second'])
    expect((await admin.get(`${notes}?sort=kept.nothing`)).body.code).toBe('QUERY_INVALID')
    expect(titles(await list({ filter: 'kept.text = "Bonjour"' }))).toEqual(['First'])
    const { included } = await list({ ...by, include: 'kept' })
    expect(included['hello.greeting'][one.id].title).toBe('Bonjour')
    const back = await admin.get(
      `${greetings}?${new URLSearchParams({ filter: 'any(notesByCleared) or any(notes, title = "First")' })}`,
    )
    expect(back.body.data.map(({ text }: { text: string }) => text)).toEqual(['Bonjour'])
    const { resources } = (await admin.get('/api/core/shell')).body
    const meta = resources.find(({ id }: { id: string }) => id === 'hello.greeting')
    expect(meta.collections).toContainEqual({ name: 'notes', target: 'notes.note', field: 'kept' })
    const nowhere = await admin.post(notes, { title: 'No', kept: '018f0000-0000-7000-8000-000000000000' })
    expect(nowhere).toMatchObject({ status: 422, body: { errors: [{ code: 'REFERENCE_UNKNOWN' }] } })
  })

  test('stays, is emptied or holds its target back when that is deleted, and comes back with it', async () => {
    const { id } = await made(greetings, { text: 'Salve' })
    const needing = await made(notes, { title: 'Needing', kept: id, cleared: id, needed: id })
    const refused = await admin.delete(`${greetings}/${id}?version=1`)
    expect(refused).toMatchObject({ status: 409, body: { code: 'RECORD_IN_USE' } })
    await admin.patch(`${notes}/${needing.id}`, { version: 1, needed: null })
    const gone = await admin.delete(`${greetings}/${id}?version=1`)
    expect(gone.status, JSON.stringify(gone.body)).toBe(204)
    expect(await get(needing.id)).toMatchObject({ kept: id, cleared: null, needed: null, version: 3 })
    await admin.post(`/api/core/change-sets/${gone.headers.get('x-change-set')}/undo`)
    expect(await get(needing.id)).toMatchObject({ kept: id, cleared: id })
    expect((await admin.get(`${greetings}/${id}`)).body.data.text).toBe('Salve')
  })

  test('whose target was removed for good is emptied at night, unless it is to stay', async () => {
    const { id } = await made(greetings, { text: 'Removed' })
    const note = await made(notes, { title: 'Orphan', kept: id, cleared: id })
    await sql`delete from hello.greeting where id = ${id}::uuid`.execute(app.app.kernel.parts.database.owner)
    await app.app.jobs.runUntilIdle()
    app.clock.advance('P1D')
    await app.app.jobs.runUntilIdle()
    expect(await get(note.id)).toMatchObject({ kept: id, cleared: null })
  })

  test('says that its module is off, and nothing that shows it fails', async () => {
    const { id } = await made(greetings, { text: 'Sleepy' })
    const note = await made(notes, { title: 'Linked', kept: id })
    await without(async () => {
      expect(await get(note.id)).toMatchObject({ kept: id })
      const page = await list({ filter: 'title = "Linked"', sort: 'kept', include: 'kept' })
      expect(titles(page)).toEqual(['Linked'])
      expect(page.included).toEqual({ 'hello.greeting': {} })
      const { resources } = (await admin.get('/api/core/shell')).body
      const { fields } = resources.find((it: { id: string }) => it.id === 'notes.note')
      const field = fields.find(({ name }: { name: string }) => name === 'kept')
      expect(field).toMatchObject({ asleep: 'Hello', writable: false })
      expect(field).not.toHaveProperty('target')
      const changed = await admin.patch(`${notes}/${note.id}`, { version: 1, kept: note.id })
      expect(changed).toMatchObject({ status: 422, body: { errors: [{ code: 'LINK_ASLEEP' }] } })
      expect((await admin.patch(`${notes}/${note.id}`, { version: 1, title: 'Renamed' })).status).toBe(200)
      const through = await admin.get(`${notes}?${new URLSearchParams({ filter: 'kept.text = "Sleepy"' })}`)
      expect(through).toMatchObject({ status: 400, body: { code: 'EXPRESSION_INVALID' } })
    })
    expect(titles(await list({ filter: 'kept.text = "Sleepy"' }))).toEqual(['Renamed'])
  })

  test('a view through it says what sleeps', async () => {
    const { id } = await made(greetings, { text: 'Viewed' })
    await made(notes, { title: 'Seen', kept: id })
    await made(notes, { title: 'Seen too' })
    const view = await made('/api/core/views', {
      resource: 'notes.note',
      name: 'Viewed',
      filter: 'title ~ "Seen" and kept.text = "Viewed"',
      sort: 'title',
    })
    expect(titles(await list({ view: view.id }))).toEqual(['Seen'])
    await without(async () => {
      const page = await list({ view: view.id })
      expect(titles(page)).toEqual(['Seen', 'Seen too'])
      expect(page.view).toMatchObject({
        faults: [],
        sleeping: [{ part: 'filter', text: 'kept.text = "Viewed"', plugin: 'hello', module: 'Hello' }],
      })
    })
    expect((await list({ view: view.id })).view.sleeping).toEqual([])
  })
})

test('platform P36: what needs another plugin wakes and sleeps with it, without a restart', async () => {
  const awake = async () => {
    const { fills, commands } = (await admin.get('/api/core/shell')).body
    const rude = await admin.post(notes, { title: 'Rude' })
    heard.length = 0
    const { id } = await made(notes, { title: 'Heard' })
    await app.deliver()
    return {
      endings: await app.inside(async (ctx) => [...ctx.contributions(Endings)]),
      fills: fills.map((it: { id: string }) => it.id),
      commands: commands.map((it: { id: string }) => it.id),
      rude: rude.status,
      heard: heard.includes(id),
      told: (await admin.get(`/api/core/events?record=${id}`)).body.data[0].told[0].state,
    }
  }
  const all = {
    endings: ['alone', 'together'],
    fills: ['notes.greeted'],
    commands: ['notes.greet'],
    rude: 409,
    heard: true,
    told: 'done',
  }
  const none = { endings: ['alone'], fills: [], commands: [], rude: 201, heard: false, told: 'skipped' }
  expect(await awake()).toEqual(all)
  await without(async () => expect(await awake()).toEqual(none))
  await app.deliver()
  expect(await awake()).toEqual(all)
  await using other = await createTestApp({ plugins: [helloPlugin, notesPlugin('^2.0.0')] })
  expect(await other.inside(async (ctx) => [...ctx.contributions(Endings)])).toEqual(['alone'])
})

test('platform P01: a plugin tells its own events alone', async () => {
  const unit = { workspace: app.workspace.id, plugin: 'notes', cause: { origin: 'plugin' } }
  const telling = (resource: string) =>
    app.app.kernel.runUnit(unit, async (ctx) => {
      const [created] = recordEvents(resource)
      if (created) ctx.emit(created, { record: note, version: 1, changed: [] }, { key: note })
    })
  const { id: note } = await made(notes, { title: 'Told' })
  await telling('notes.note')
  await expect(telling('hello.greeting')).rejects.toMatchObject({
    code: 'EVENT_FOREIGN',
    message: expect.stringContaining('notes cannot tell hello.greeting.created, which is an event of hello'),
  })
})
