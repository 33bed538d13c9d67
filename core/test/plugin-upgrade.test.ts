import { access, mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'
import { whenAborted } from '../src/when-aborted.ts'
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
  app = await start()
  await install(first)
  await app.admin.post('/api/core/plugins/badges/enable')
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  await made.drop()
})

function start(): Promise<TestApp> {
  const store = { folder, signatures: { required: false, signers: new Map<string, string>() } }
  return createTestApp({ database: made, store, drainSeconds: 1 })
}

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

test('platform P12: the same thing on looser terms is shown with how it was, and nothing else is', async () => {
  const withWork = (version: string, [schedule, actions]: readonly [string, string], edits: Variation['edits'] = []) =>
    packedBadges({
      version,
      edits: [
        [
          'src/plugin.ts',
          "id: 'badges',",
          `id: 'badges',
          jobs: [{ id: 'sweep', title: { en: 'Sweep', fr: 'Balayer' }, schedule: '${schedule}', async run() {} }],
          guards: [{ resource: 'core.account', actions: ${actions}, check() {} }],`,
        ],
        ...edits,
      ],
    })
  await install(await withWork('1.1.0', ['0 3 * * *', "['create']"]))
  const review = await upload(
    await withWork(
      '1.2.0',
      ['* * * * *', "['create', 'delete']"],
      [
        ['src/routes.ts', "permission: 'badges.badge.print'", "permission: 'authenticated'"],
        ['src/plugin.ts', "permission: 'badges.badge.read'", "permission: 'badges.badge.print'"],
        ['src/plugin.ts', "action: 'create', visibility: 'all'", "action: '*', visibility: 'all'"],
      ],
    ),
  )
  const terms = review.reach.flatMap(
    ({ kind, items }: { kind: string; items: { terms: string[]; before: string[] }[] }) =>
      items.map(({ terms: now, before }) => [kind, before, now]),
  )
  expect(terms).toEqual([
    [
      'roles',
      ['badges.badge.create all', 'badges.badge.print all', 'badges.badge.read all'],
      ['badges.badge.* all', 'badges.badge.print all', 'badges.badge.read all'],
    ],
    ['guards', ['create'], ['create', 'delete']],
    ['jobs', ['0 3 * * *'], ['* * * * *']],
    ['routes', ['badges.badge.print'], ['authenticated']],
    ['screens', ['badges.badge.read'], ['badges.badge.print']],
  ])
  expect(review.gone).toEqual([])
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

describe('a new version takes over from the one before', () => {
  const life: string[] = []
  const living = (version: string, then = '') =>
    packedBadges({
      version,
      edits: [
        [
          'src/plugin.ts',
          "id: 'badges',",
          `id: 'badges',
          lifecycle: {
            async onInstall() { globalThis.badgesLife.push('${version} installed') },
            async onUpgrade(_, from) { globalThis.badgesLife.push('${version} upgraded from ' + from); ${then} },
            async onEnable() {
              globalThis.badgesLife.push('${version} began')
              return () => { globalThis.badgesLife.push('${version} ended') }
            },
          },`,
        ],
      ],
    })
  beforeEach(async () => {
    life.length = 0
    Object.assign(globalThis, { badgesLife: life })
    await app[Symbol.asyncDispose]()
    await made.drop()
    made = await makeTestDatabase()
    app = await start()
    await install(await living('1.0.0'))
    await app.app.start()
    await app.admin.post('/api/core/plugins/badges/enable')
  })
  afterEach(() => {
    delete (globalThis as { badgesLife?: unknown }).badgesLife
    delete (globalThis as { badgesMood?: unknown }).badgesMood
  })
  const standing = async () =>
    (await sql`select state, version from core.plugin_workspace where plugin = 'badges'`.execute(made.database.owner))
      .rows

  test('where it is on: what that began is taken back, and its work ends or is told why', async () => {
    // Beside units of work, which would hold the one connection of an embedded database meanwhile.
    const { scopes } = app.app.kernel.parts
    const place = { workspace: app.workspace.id, plugin: 'badges' }
    const given = new AbortController()
    const endless = scopes.run(place, given, () => whenAborted(given.signal))
    const quick = scopes.run(place, new AbortController(), () => pause(200, 'kept'))
    const told = endless.catch((error: unknown) => error)
    expect((await install(await living('1.1.0'))).status).toBe(201)
    await expect.poll(standing, { timeout: 5_000 }).toEqual([{ state: 'enabled', version: '1.1.0' }])
    expect(await quick).toBe('kept')
    expect(await told).toMatchObject({ code: 'PLUGIN_REPLACED', status: 503 })
    await expect.poll(() => life, { timeout: 5_000 }).toContain('1.0.0 ended')
    expect(life.toSorted()).toEqual([
      '1.0.0 began',
      '1.0.0 ended',
      '1.0.0 installed',
      '1.1.0 began',
      '1.1.0 upgraded from 1.0.0',
    ])
    expect((await app.admin.post('/api/core/plugins/badges/disable')).status).toBe(200)
    expect(life.at(-1)).toBe('1.1.0 ended')
    await app.admin.post('/api/core/plugins/badges/enable')
    expect(life.at(-1)).toBe('1.1.0 began')
    expect(life.filter((it) => it.endsWith('installed'))).toEqual(['1.0.0 installed'])
  })

  test('and is stopped where it cannot', async () => {
    expect((await install(await living('1.1.0', "throw new TypeError('no past')"))).status).toBe(201)
    await expect.poll(standing, { timeout: 5_000 }).toEqual([{ state: 'quarantined', version: '1.0.0' }])
    const card = (await app.admin.get('/api/core/plugins')).body.data.find(({ id }: { id: string }) => id === 'badges')
    expect(card).toMatchObject({ state: 'quarantined', reason: expect.stringContaining('could not start') })
    expect(life).not.toContain('1.1.0 began')
  })

  test('and hears of the version before it when it is switched on again there', async () => {
    const moody = await living('1.1.0', "if (globalThis.badgesMood === 'bad') throw new TypeError('no past')")
    Object.assign(globalThis, { badgesMood: 'bad' })
    expect((await install(moody)).status).toBe(201)
    await expect.poll(standing, { timeout: 5_000 }).toEqual([{ state: 'quarantined', version: '1.0.0' }])
    Object.assign(globalThis, { badgesMood: 'good' })
    life.length = 0
    expect((await app.admin.post('/api/core/plugins/badges/enable')).status).toBe(200)
    expect(life).toEqual(['1.1.0 upgraded from 1.0.0', '1.1.0 began'])
    expect(await standing()).toEqual([{ state: 'enabled', version: '1.1.0' }])
  })

  test('where it was off meanwhile as soon as it is switched on', async () => {
    await app.admin.post('/api/core/plugins/badges/disable')
    expect((await install(await living('1.1.0'))).status).toBe(201)
    life.length = 0
    expect((await app.admin.post('/api/core/plugins/badges/enable')).status).toBe(200)
    expect(life).toEqual(['1.1.0 upgraded from 1.0.0', '1.1.0 began'])
  })

  test('once, however many processes see it', async () => {
    await install(await living('1.1.0'))
    await expect.poll(standing, { timeout: 5_000 }).toEqual([{ state: 'enabled', version: '1.1.0' }])
    life.length = 0
    const place = { workspace: app.workspace.id, plugin: 'badges' }
    // Both have read that 1.0.0 stands there; the second comes to it when the first is done.
    await app.app.toggle.renew(place)
    expect(life).toEqual([])
  })

  test('when whoever was at the plugin meanwhile has let go of it', async () => {
    const { owner } = made.database
    await sql`
      insert into core.process (id, role, applied_generation, started_at, seen_at)
      values ('0198c7b0-0000-7000-8000-000000000001', 'server', 99, now(), now() + interval '1 hour')`.execute(owner)
    const busy = sql`
      insert into core.plugin_operation (plugin, operation, by_name, process, since)
      values ('badges', 'enable', 'Socle', '0198c7b0-0000-7000-8000-000000000001', now())`
    await sql`update core.plugin_workspace set version = '0.9.0' where plugin = 'badges'`.execute(owner)
    await busy.execute(owner)
    await sql`update core.generation set value = value + 1`.execute(owner)
    app.app.kernel.parts.signals.send({ kind: 'plugins' })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await standing()).toEqual([{ state: 'enabled', version: '0.9.0' }])
    await sql`delete from core.plugin_operation`.execute(owner)
    await expect.poll(standing, { timeout: 5_000 }).toEqual([{ state: 'enabled', version: '1.0.0' }])
    expect(life.at(-2)).toBe('1.0.0 upgraded from 0.9.0')
  })
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

test('P07: an upgrade whose migration says something else than what ran changes nothing, and one with the same text is taken', async () => {
  const before = await schemaDump()
  const migration = 'migrations/0001_badges.sql'
  const edited = await install(
    await packedBadges({ version: '1.1.0', edits: [[migration, 'visitor text', 'visitor varchar']] }),
  )
  expect(edited.body).toMatchObject({
    status: 422,
    code: 'MIGRATION_ALTERED',
    detail: expect.stringContaining('Migration 0001_badges of badges ran here'),
  })
  expect(await schemaDump()).toEqual(before)
  expect((await app.admin.get('/api/badges/badges')).status).toBe(200)
  expect((await install(await packedBadges({ version: '1.1.0' }))).status).toBe(201)
})

test('a request that came before a new version took over is answered by the code it came to', async () => {
  const { id: badge } = (await app.admin.post('/api/badges/badges', { visitor: 'Ada' })).body.data
  const { id } = await upload(await packedBadges({ version: '1.1.0' }))
  const { installer, kernel } = app.app
  const { enablement, loaded } = kernel.parts
  const look = enablement.in.bind(enablement)
  const came = Promise.withResolvers<void>()
  const taken = Promise.withResolvers<void>()
  // It has found the code that answers, and asks whether that is on here.
  Object.assign(enablement, {
    async in(workspace: string) {
      Reflect.deleteProperty(enablement, 'in')
      came.resolve()
      await taken.promise
      return look(workspace)
    },
  })
  const answer = app.admin.get(`/api/badges/badges/${badge}/square`)
  await came.promise
  const integrity = `sha512-${Buffer.from(id, 'base64url').toString('base64')}`
  await installer.install(integrity, { workspace: app.workspace.id, user: undefined })
  taken.resolve()
  const { status, body } = await answer
  expect(status, JSON.stringify(body)).toBe(200)
  expect((await app.admin.get(`/api/badges/badges/${badge}/square`)).status).toBe(200)
  expect(loaded.get('badges')?.version).toBe('1.1.0')
})

describe('the unpacked code of versions', () => {
  const folders = async () => (await readdir(join(folder, 'badges'))).map((name) => name.split('-')[0] ?? '').toSorted()
  /** As if it had been unpacked, and used last, on an earlier day. */
  const age = async () => {
    for (const name of await readdir(join(folder, 'badges')))
      await utimes(join(folder, 'badges', name), new Date(0), new Date(0))
  }
  const uninstalled = async (body: object) => {
    const asked = await app.admin.post('/api/core/plugins/badges/uninstall', body)
    await app.app.jobs.runUntilIdle()
    expect((await app.admin.get(`/api/core/jobs/${asked.body.data.job}`)).body.data).toMatchObject({ state: 'done' })
  }
  beforeEach(async () => {
    // Each test has a database of its own, and all of them this folder.
    await app.app.installer.sweepFolders()
    await age()
    await app.app.installer.sweepFolders()
  })

  test('goes a day after another took its place, and within the day there is a way back', async () => {
    await install(await packedBadges(moreColumns))
    const old = join(
      folder,
      'badges',
      (await readdir(join(folder, 'badges'))).find((it) => it.startsWith('1.0.0'))!,
    )
    await age()
    await app.app.installer.sweep()
    expect(await folders()).toEqual(['1.0.0', '1.1.0'])
    await uninstalled({ mode: 'purge', confirm: 'badges' })
    const back = await app.admin.post('/api/core/plugins/badges/install', { version: '1.0.0' })
    expect(back.body.data).toEqual({ plugin: 'badges', version: '1.0.0' })
    await app.admin.post('/api/core/plugins/badges/enable')
    expect((await app.admin.get('/api/badges/badges')).status).toBe(200)

    await install(await packedBadges(moreColumns))
    const ui = await uiOf()
    app.clock.advance('PT25H')
    await app.app.installer.sweep()
    expect(await folders()).toEqual(['1.1.0'])
    await expect(access(old)).rejects.toThrow('ENOENT')
    expect((await app.admin.raw('GET', ui)).status).toBe(200)
    expect((await app.admin.get('/api/badges/badges')).status).toBe(200)
  })

  test('of a module that was removed goes a day later, as a process starts, and comes back with it from the archive', async () => {
    await uninstalled({ mode: 'archive' })
    await age()
    await app.app.installer.sweep()
    expect(await folders()).toEqual(['1.0.0'])
    const { admin, clock } = app
    clock.advance('PT25H')
    await app.app.start()
    await expect.poll(() => readdir(folder)).not.toContain('badges')
    expect((await admin.post('/api/core/plugins/badges/install', { version: '1.0.0' })).status).toBe(201)
    expect(await folders()).toEqual(['1.0.0'])
  })

  test('stays while a process runs it, whatever the tables say, and what a process left half unpacked goes', async () => {
    await sql`update core.plugin_version set replaced_at = '2000-01-01' where plugin = 'badges'`.execute(
      made.database.owner,
    )
    await sql`update core.plugin set source = 'deployment' where id = 'badges'`.execute(made.database.owner)
    await mkdir(join(folder, 'badges', '9.9.9-half.aside'))
    await age()
    await app.app.installer.sweepFolders()
    expect(await folders()).toEqual(['1.0.0'])
    // It said that it uses it: another process, which does not, lets it be.
    const other = await start()
    await other.app.installer.sweepFolders()
    expect(await folders()).toEqual(['1.0.0'])
    await other[Symbol.asyncDispose]()
  })
})
