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
  // Whoever can bring it back is told wherever they are, and so is whoever listens.
  const stopped = async (by: TestApp) => (await app.admin.at(by.app).get('/api/core/shell')).body.stopped ?? []
  expect(await stopped(beside)).toContainEqual({ id: 'unwell', title: 'unwell' })
  const told = async () => {
    const { rows: events } = await sql<{ payload: unknown }>`
      select payload from core.event where name = 'core.plugin.quarantined' and workspace = ${app.workspace.id}::uuid`.execute(
      database.database.owner,
    )
    return events.map(({ payload }) => payload)
  }
  const once = [{ plugin: 'unwell', reason: expect.stringContaining("reading 'pulse'") }]
  expect(await told()).toEqual(once)
  await beside[Symbol.asyncDispose]()
  const still = await createTestApp({ database, plugins: [unwell], enable: [] })
  await still.app.start()
  expect(await told()).toEqual(once)
  await still[Symbol.asyncDispose]()

  isUnwell = false
  await using again = await createTestApp({ database, plugins: [unwell], enable: [] })
  await again.app.start()
  expect(await enabled(again)).toBe(true)
  expect(await stopped(again)).not.toContainEqual({ id: 'unwell', title: 'unwell' })
})

describe('a plugin that did not start with the platform', () => {
  const retry = (by: TestApp, id: string) => app.admin.at(by.app).post(`/api/core/plugins/${id}/retry`)

  test('is back without a restart once what was wrong is mended, here and in the other processes', async () => {
    const place = join(folder, 'node_modules/@socle/example-mended')
    await mkdir(join(place, 'settings'), { recursive: true })
    await writeFile(
      join(place, 'package.json'),
      JSON.stringify({
        name: '@socle/example-mended',
        type: 'module',
        main: 'index.js',
        socle: { plugin: true, id: 'mended' },
      }),
    )
    const sdk = JSON.stringify(pathToFileURL(join(repository, 'core/src/plugins/define-plugin.ts')).href)
    const isMended = JSON.stringify(join(place, 'settings/mended'))
    await writeFile(
      join(place, 'index.js'),
      `import { existsSync } from 'node:fs'
       import { definePlugin } from ${sdk}
       if (!existsSync(${isMended})) throw new Error('mended has no settings yet')
       export const plugin = definePlugin({ id: 'mended', version: '1.0.0', platform: '^1.0.0', title: { en: 'Mended', fr: 'Réparé' } })`,
    )
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ dependencies: { '@socle/example-mended': '1.0.0' } }),
    )
    const plugins = deployedPlugins(pathToFileURL(`${folder}/`))
    await using one = await createTestApp({ database, plugins, enable: [] })
    await using other = await createTestApp({ database, plugins, enable: [] })
    await one.app.start()
    await other.app.start()

    expect(await retry(one, 'mended')).toMatchObject({
      status: 422,
      body: { code: 'PLUGIN_NOT_STARTED', detail: expect.stringContaining('mended has no settings yet') },
    })
    expect(one.app.kernel.parts.loaded.get('mended')).toBeUndefined()

    await writeFile(join(place, 'settings/mended'), '')
    expect(await retry(one, 'mended')).toMatchObject({
      status: 200,
      body: { data: { id: 'mended', loaded: true, state: 'disabled', title: 'Mended' } },
    })
    await expect.poll(() => other.app.kernel.parts.loaded.get('mended')?.version, { timeout: 5_000 }).toBe('1.0.0')
    expect((await app.admin.at(one.app).post('/api/core/plugins/mended/enable')).status).toBe(200)
  })

  test('stays out while it says that it is not well, and says so', async () => {
    isUnwell = true
    await using beside = await createTestApp({ database, plugins: [unwell], enable: [] })
    await beside.app.start()
    expect(await retry(beside, 'unwell')).toMatchObject({
      status: 422,
      body: { code: 'PLUGIN_NOT_STARTED', detail: expect.stringContaining("reading 'pulse'") },
    })
    isUnwell = false
    expect(await retry(beside, 'unwell')).toMatchObject({ status: 200, body: { data: { state: 'enabled' } } })
  })

  test('in an older version than its tables are of stays out: a downgrade needs the archive of that version', async () => {
    await using newer = await createTestApp({ database, plugins: [bare('dated', { version: '1.1.0' })], enable: [] })
    expect(newer.app.kernel.parts.loaded.get('dated')?.version).toBe('1.1.0')
    await using older = await createTestApp({ database, plugins: [bare('dated')], enable: [] })
    expect(older.app.kernel.parts.loaded.get('dated')).toBeUndefined()
    expect(await retry(older, 'dated')).toMatchObject({
      status: 422,
      body: { code: 'PLUGIN_NOT_STARTED', detail: expect.stringContaining('is older than') },
    })
    const { rows } = await sql`select version, state from core.plugin where id = 'dated'`.execute(
      database.database.owner,
    )
    expect(rows).toEqual([{ version: '1.1.0', state: 'quarantined' }])
  })

  test('is tried again only from the workspace that the installation began with', async () => {
    const { admin } = await app.secondWorkspace()
    expect(await admin.post('/api/core/plugins/far/retry')).toMatchObject({
      status: 403,
      body: { code: 'INSTALLED_ELSEWHERE' },
    })
  })

  test('whose version cannot be compared keeps nobody else from starting', async () => {
    await using first = await createTestApp({ database, plugins: [bare('odd')], enable: [] })
    expect(first.app.kernel.parts.loaded.get('odd')?.version).toBe('1.0.0')
    await using next = await createTestApp({
      database,
      plugins: [bare('odd', { version: 'newest' }), unwell],
      enable: [],
    })
    expect(next.app.kernel.parts.loaded.get('unwell')).toBeDefined()
  })

  test('that nobody installed is unknown, and in safe mode it sleeps on', async () => {
    expect(await retry(app, 'nothing')).toMatchObject({ status: 404, body: { code: 'PLUGIN_UNKNOWN' } })
    await using safe = await createTestApp({ database, plugins: [unwell], enable: [], safeMode: true })
    expect(await retry(safe, 'unwell')).toMatchObject({ status: 503, body: { code: 'SAFE_MODE' } })
  })
})

test('P05: what needs a module is named and goes first although none of its code runs', async () => {
  const base = bare('base')
  const leaning = bare('leaning', { requires: { base: '^1.0.0' }, title: { en: 'Leaning', fr: 'Appuyé' } })
  await using first = await createTestApp({ database, plugins: [base, leaning] })
  await using safe = await createTestApp({ database, plugins: [base, leaning], enable: [], safeMode: true })
  const admin = first.admin.at(safe.app)
  const breaks = await admin.get('/api/core/plugins/base/what-breaks')
  expect(breaks.body.data).toEqual({ plugin: 'base', dependents: [{ id: 'leaning', title: 'leaning' }] })
  expect(await admin.post('/api/core/plugins/base/disable')).toMatchObject({
    status: 409,
    body: { code: 'PLUGIN_HAS_DEPENDENTS', dependents: ['leaning'] },
  })
  const home = app.admin.at(safe.app)
  expect((await home.get('/api/core/plugins/base/uninstall')).body.data).toMatchObject({
    dependents: [{ id: 'leaning' }],
  })
  expect((await admin.post('/api/core/plugins/base/disable', { cascade: true })).status).toBe(200)
  const { rows } = await sql`
    select plugin, state from core.plugin_workspace
    where workspace = ${first.workspace.id}::uuid and plugin in ('base', 'leaning') order by plugin`.execute(
    database.database.owner,
  )
  expect(rows).toEqual([
    { plugin: 'base', state: 'disabled' },
    { plugin: 'leaning', state: 'disabled' },
  ])
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
