import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'
import { packedBadges, type Variation } from './packed-plugins.ts'

const moreColumns: Variation = {
  version: '1.1.0',
  files: { 'migrations/0002_company.sql': 'alter table badge add column company text' },
  edits: [
    ['src/entities/badge.ts', 'visitor: p.string(),', 'visitor: p.string(),\n    company: p.string().nullable(),'],
    ['src/resources.ts', "list: ['visitor',", "list: ['visitor', 'company',"],
  ],
}
const brokenMigration: Variation = {
  version: '1.2.0',
  files: {
    'migrations/0002_broken.sql': 'alter table badge add column half text;\nalter table badge add column half text;',
  },
}

let first: Buffer
let made: TestDatabase
let folder: string
let app: TestApp

beforeAll(async () => {
  first = await packedBadges()
  folder = await mkdtemp(join(tmpdir(), 'socle-store-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
beforeEach(async () => {
  made = await makeTestDatabase()
  app = await createTestApp({ database: made, store: { folder, signatures: { required: false, signers: new Map() } } })
  await install(first)
  await app.admin.post('/api/core/plugins/badges/enable')
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  await made.drop()
})

async function upload(bytes: Uint8Array) {
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(bytes)]), 'badges.tgz')
  return (await app.admin.send('POST', '/api/core/plugin-uploads', form)).body.data
}

async function install(bytes: Uint8Array) {
  const { id } = await upload(bytes)
  return app.admin.post(`/api/core/plugin-uploads/${id}/install`)
}

const uiOf = async () =>
  (await app.admin.get('/api/core/shell')).body.plugins.find(({ id }: { id: string }) => id === 'badges').ui as string

/** Every column, constraint, index and policy of the schema. */
async function schemaDump(): Promise<unknown> {
  const { rows } = await sql`
    select c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = 'badges'
    order by 1, a.attnum`.execute(made.database.owner)
  const applied = await sql`select name from badges.migration order by name`.execute(made.database.owner)
  return [rows, applied.rows]
}

test('platform-16: an upgrade shows only the host and the permission it adds, and declining leaves the old version', async () => {
  const more = await packedBadges({
    version: '1.1.0',
    edits: [
      ['src/plugin.ts', "reads: ['core.account']", "reads: ['core.account'], hosts: ['print.example.com']"],
      [
        'src/permissions.ts',
        'export const permissions = [',
        "export const permissions = [definePermission('badges.badge.lend', { en: 'Lend badges', fr: 'Prêter des badges' }),",
      ],
    ],
  })
  const review = await upload(more)
  expect(review).toMatchObject({ from: '1.0.0', version: '1.1.0', gone: [], refusals: [] })
  expect(review.reach).toEqual([
    { kind: 'hosts', items: [{ id: 'print.example.com', title: 'print.example.com' }] },
    { kind: 'permissions', items: [{ id: 'badges.badge.lend', title: 'Lend badges', roles: [] }] },
  ])
  expect((await app.admin.delete(`/api/core/plugin-uploads/${review.id}`)).status).toBe(204)
  expect(app.app.kernel.parts.loaded.get('badges')?.version).toBe('1.0.0')
  expect((await app.admin.get('/api/badges/badges')).status).toBe(200)
})

test('a new version runs with its columns beside all that was there, and is told to whoever listens', async () => {
  const badge = (await app.admin.post('/api/badges/badges', { visitor: 'Ada' })).body.data
  const old = await uiOf()
  expect((await install(await packedBadges(moreColumns))).body.data).toEqual({ plugin: 'badges', version: '1.1.0' })
  const changed = await app.admin.patch(`/api/badges/badges/${badge.id}`, { company: 'Acme', version: badge.version })
  expect(changed.body.data).toMatchObject({ visitor: 'Ada', company: 'Acme' })
  const { rows } = await sql<{ payload: unknown }>`
    select payload from core.event where name = 'core.plugin.upgraded'`.execute(made.database.owner)
  expect(rows).toEqual([{ payload: { plugin: 'badges', version: '1.1.0', from: '1.0.0' } }])

  expect(await uiOf()).not.toBe(old)
  expect((await app.admin.raw('GET', old)).status).toBe(200)
  app.clock.advance('PT25H')
  expect((await app.admin.raw('GET', old)).status).toBe(404)
  expect((await app.admin.raw('GET', await uiOf())).status).toBe(200)
})

test('platform-08: an upgrade whose migration fails under load leaves the schema equal and the old version answering every request', async () => {
  const before = await schemaDump()
  const bytes = await packedBadges(brokenMigration)
  let stop = false
  const statuses: number[] = []
  const load = Array.from({ length: 4 }, async () => {
    while (!stop) {
      const written = await app.admin.post('/api/badges/badges', { visitor: 'Ada' })
      const read = await app.admin.get('/api/badges/badges?limit=5')
      statuses.push(written.status, read.status)
      // Requests come by the network, and so does what is read from disk: without a turn of the loop neither would.
      await setImmediate()
    }
  })
  const answer = await install(bytes)
  stop = true
  await Promise.all(load)

  expect(answer.body).toMatchObject({
    status: 422,
    code: 'MIGRATION_FAILED',
    detail: expect.stringContaining('Migration 0002_broken of badges failed and was undone'),
  })
  expect(statuses.length).toBeGreaterThan(0)
  expect(statuses.filter((status) => status !== 200 && status !== 201)).toEqual([])
  expect(await schemaDump()).toEqual(before)
  expect(app.app.kernel.parts.loaded.get('badges')?.version).toBe('1.0.0')
  const { rows } = await sql`
    select p.version, p.state, i.kind, i.code from core.plugin p join core.plugin_incident i on i.plugin = p.id
    where p.id = 'badges'`.execute(made.database.owner)
  expect(rows).toEqual([{ version: '1.0.0', state: 'installed', kind: 'migration', code: 'MIGRATION_FAILED' }])
  expect((await install(await packedBadges({ ...moreColumns, version: '1.2.1' }))).status).toBe(201)
})

test('an upgrade whose migration leaves its schema, or whose code does not load, changes nothing', async () => {
  const before = await schemaDump()
  const outside = await install(
    await packedBadges({
      version: '1.1.0',
      files: { 'migrations/0002_core.sql': 'alter table core.account add column badge text' },
    }),
  )
  expect(outside.body).toMatchObject({ status: 422, code: 'MIGRATION_OUT_OF_SCHEMA' })
  expect(await schemaDump()).toEqual(before)
  expect((await app.admin.get('/api/badges/badges')).status).toBe(200)
})
