import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { definePlugin, type PluginDefinition } from '../src/plugins/define-plugin.ts'
import { deployedPlugins } from '../src/plugins/deployment.ts'
import type { PluginSource } from '../src/plugins/plugin-source.ts'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'

const repository = join(import.meta.dirname, '../..')
const broken = ['broken-boot', 'broken-migration', 'broken-peer']

const bare = (id: string, more: object = {}) =>
  definePlugin({ id, version: '1.0.0', platform: '^1.0.0', title: { en: id, fr: id }, ...more })
const source = (id: string, load: () => Promise<PluginDefinition>): PluginSource => ({ id, from: 'deployment', load })

/** Each stands for a way not to start. */
const faulty: readonly PluginSource[] = [
  source('hanging', () => new Promise(() => {})),
  source('declaring', async () => bare('declaring', { i18n: new URL('./nowhere/', import.meta.url) })),
  source('far', async () => bare('far', { platform: '^9.0.0' })),
  source('misnamed', async () => bare('another')),
  source('empty', async () => undefined as never),
]
const unwell = bare('unwell', {
  lifecycle: {
    async health() {
      if (isUnwell) throw new TypeError("Cannot read properties of undefined (reading 'pulse')")
    },
  },
})
let isUnwell = false

let folder: string
let database: TestDatabase
let app: TestApp

/** A deployment as a package with dependencies, installed. */
async function deployment(names: readonly string[]): Promise<URL> {
  const dependencies = Object.fromEntries(names.map((name) => [`@socle/example-${name}`, '1.0.0']))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { ...dependencies, absent: '1.0.0' } }))
  for (const name of names) {
    const place = join(folder, 'node_modules/@socle', `example-${name}`)
    await mkdir(dirname(place), { recursive: true })
    await symlink(join(repository, 'examples', name), place)
  }
  return pathToFileURL(`${folder}/`)
}

const cards = async () =>
  Object.fromEntries(
    (await app.admin.get('/api/core/plugins')).body.data.map((card: { id: string }) => [card.id, card]),
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deployment-'))
  database = await makeTestDatabase()
  const deployed = deployedPlugins(await deployment(['hello', ...broken]))
  app = await createTestApp({ database, plugins: [...deployed, ...faulty, unwell], enable: ['hello', 'unwell'] })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await database.drop()
  await rm(folder, { recursive: true })
})

test('the plugins of a deployment are those of its dependencies that say they are one', async () => {
  const found = deployedPlugins(pathToFileURL(`${folder}/`))
  expect(found.map(({ id }) => id)).toEqual(['hello', ...broken])
  const hello = await found[0]!.load()
  expect(hello).toMatchObject({ id: 'hello', root: pathToFileURL(join(repository, 'examples/hello/')) })
})

describe('platform-09: a plugin that cannot start', () => {
  test('keeps nobody else from serving, and its card says why', async () => {
    expect((await app.admin.get('/api/hello/greetings')).status).toBe(200)
    const found = await cards()
    for (const [id, reason] of [
      ['broken-boot', 'broken-boot has no configuration'],
      ['broken-migration', '0001_thing'],
      ['broken-peer', 'broken-peer needs nowhere ^1.2.0, found none'],
      ['hanging', 'was not loaded within 10 s'],
      ['declaring', 'nowhere'],
      ['far', 'far runs on platform ^9.0.0; this is 1.0.0'],
      ['misnamed', 'its code says "another"'],
      ['empty', 'TypeError'],
    ] as const) {
      expect([id, found[id]]).toMatchObject([
        id,
        { state: 'quarantined', loaded: false, reason: expect.stringContaining(reason), incident: { count: 1 } },
      ])
    }
    expect(found['broken-boot'].incident.stackLine).toContain('broken-boot/src/plugin.ts')
    expect(found['hello']).toMatchObject({ state: 'enabled', loaded: true })
  })

  test('answers 503 with the code and the way out, and cannot be switched on', async () => {
    const answer = {
      status: 503,
      body: { code: 'PLUGIN_QUARANTINED', detail: expect.stringContaining('under Modules') },
    }
    expect(await app.admin.get('/api/broken-boot/anything')).toMatchObject(answer)
    expect(await app.admin.post('/api/core/plugins/broken-boot/enable')).toMatchObject(answer)
  })

  test('leaves nothing of a failed migration', async () => {
    const { rows } = await sql`
      select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'broken_migration' and c.relname not like 'migration%'`.execute(database.database.owner)
    expect(rows).toEqual([])
  })
})

test('a plugin that says it is not well as a process starts is stopped there, and is back with the next start when it is', async () => {
  const enabled = async (by: TestApp) => (await by.app.kernel.parts.enablement.in(app.workspace.id)).has('unwell')
  isUnwell = true
  const beside = await createTestApp({ database, plugins: [unwell], enable: [] })
  await beside.app.start()
  expect(await enabled(beside)).toBe(false)
  const { rows } = await sql`select state, reason from core.plugin where id = 'unwell'`.execute(database.database.owner)
  expect(rows).toMatchObject([{ state: 'quarantined', reason: expect.stringContaining("reading 'pulse'") }])
  await beside[Symbol.asyncDispose]()

  isUnwell = false
  await using again = await createTestApp({ database, plugins: [unwell], enable: [] })
  await again.app.start()
  expect(await enabled(again)).toBe(true)
})

test('platform-09: in safe mode no code of a plugin runs, its routes say so, and its card is there and works', async () => {
  let ran = false
  const deployed = deployedPlugins(pathToFileURL(`${folder}/`))
  const watched = deployed.map((it) => ({ ...it, load: async () => ((ran = true), it.load()) }))
  await using safe = await createTestApp({ database, plugins: watched, enable: [], safeMode: true })
  const admin = app.admin.at(safe.app)
  expect(await admin.get('/api/hello/greetings')).toMatchObject({ status: 503, body: { code: 'SAFE_MODE' } })
  const { body } = await admin.get('/api/core/plugins')
  expect(body.data.find(({ id }: { id: string }) => id === 'hello')).toMatchObject({
    state: 'asleep',
    loaded: false,
    version: '1.0.0',
  })
  expect((await admin.get('/api/core/shell')).status).toBe(200)
  expect((await admin.post('/api/core/plugins/hello/disable')).status).toBe(200)
  expect(ran).toBe(false)
  const { rows } = await sql<{ state: string }>`
    select state from core.plugin_workspace where plugin = 'hello' and workspace = ${app.workspace.id}::uuid`.execute(
    database.database.owner,
  )
  expect(rows).toEqual([{ state: 'disabled' }])
})
