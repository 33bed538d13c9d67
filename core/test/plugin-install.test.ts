import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { helloPlugin } from '@socle/example-hello'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createTestApp,
  makeTestDatabase,
  type TestClient,
  type TestApp,
  type TestDatabase,
} from '../src/testing/index.ts'
import type { StoreOptions } from '../src/plugins/store/plugin-store.ts'
import { altered, archiveOf, entriesOf, packedBadges } from './packed-plugins.ts'

let first: Buffer
let made: TestDatabase
let folder: string
let app: TestApp

const anybody = { required: false, signers: new Map<string, string>() }

async function start(store: Partial<StoreOptions> = {}): Promise<TestApp> {
  return createTestApp({
    plugins: [helloPlugin],
    database: made,
    store: { folder, signatures: anybody, ...store },
    now: '2026-03-02T09:00:00Z',
  })
}

beforeAll(async () => {
  first = await packedBadges()
})
beforeEach(async () => {
  made = await makeTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'socle-store-'))
  app = await start()
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  await made.drop()
  await rm(folder, { recursive: true, force: true })
})

function upload(bytes: Uint8Array, client: TestClient = app.admin) {
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(bytes)]), 'badges.tgz')
  return client.send('POST', '/api/core/plugin-uploads', form)
}

async function install(bytes: Uint8Array, body: unknown = {}) {
  const uploaded = await upload(bytes)
  if (uploaded.status !== 201) return uploaded
  return app.admin.post(`/api/core/plugin-uploads/${uploaded.body.data.id}/install`, body)
}

const reached = (review: { reach: { kind: string; items: { id: string }[] }[] }) =>
  Object.fromEntries(review.reach.map(({ kind, items }) => [kind, items.map(({ id }) => id)]))
const shell = async () => (await app.admin.get('/api/core/shell')).body
const incidents = async () =>
  (
    await sql<{
      plugin: string
      kind: string
      code: string
    }>`select plugin, kind, code from core.plugin_incident`.execute(made.database.owner)
  ).rows

describe('an archive that is uploaded', () => {
  test('is told by its manifest alone: nothing of it runs, and nothing is changed', async () => {
    const review = (await upload(first)).body.data
    expect(review).toMatchObject({
      plugin: 'badges',
      title: 'Visitor badges',
      version: '1.0.0',
      requires: [{ id: 'core', range: '^1.0.0', found: '1.0.0' }],
      refusals: [],
    })
    expect(reached(review)).toMatchObject({
      pages: ['/p/…/badge'],
      reads: ['core.account'],
      tables: ['badges.badge'],
      permissions: ['badges.badge.print'],
      routes: ['GET /api/badges/badges/:id/square'],
      screens: ['badges.desk'],
    })
    const permissions = review.reach.find(({ kind }: { kind: string }) => kind === 'permissions')
    expect(permissions.items).toEqual([{ id: 'badges.badge.print', title: 'Print badges', roles: ['Reception'] }])
    expect(await readdir(folder)).toEqual([])
    expect((await sql`select from core.plugin where id = 'badges'`.execute(made.database.owner)).rows).toEqual([])
  })

  test('P12: is told in words: those of its manifest, its own, and those of what is here already', async () => {
    const reaching = await packedBadges({
      edits: [
        [
          'src/plugin.ts',
          "capabilities: { reads: ['core.account'] },",
          `capabilities: { reads: ['core.account'], writes: ['core.contact'], secrets: ['token'] },
          settings: defineSettings('badges', { token: setting.secret({ title: { en: 'Key of the printer', fr: 'Clé de l’imprimante' } }) }),
          subscribers: [subscriber('guests', 'core.contact.created', async () => {})],
          guards: [{ resource: 'core.lead', actions: ['delete'], check() {} }],`,
        ],
        ['src/plugin.ts', 'import { definePlugin }', 'import { definePlugin, defineSettings, setting, subscriber }'],
        ['src/i18n/en.json', '"badges.badge.many"', '"core.contact.many": "Nothing at all",\n  "badges.badge.many"'],
        ['src/i18n/fr.json', '"badges.badge.many"', '"core.contact.many": "Rien",\n  "badges.badge.many"'],
      ],
    })
    const { reach } = (await upload(reaching)).body.data
    const titles = Object.fromEntries(
      reach.map(({ kind, items }: { kind: string; items: { title: string }[] }) => [
        kind,
        items.map(({ title }) => title),
      ]),
    )
    expect(titles).toMatchObject({
      reads: ['Accounts'],
      writes: ['Contacts'],
      secrets: ['Key of the printer'],
      tables: ['Badges'],
      hears: ['Contacts: created'],
      guards: ['Leads'],
      permissions: ['Print badges'],
      screens: ['Reception desk'],
    })
  })

  test('asks for a letter that another has, and is told so; the letter stays with the first', async () => {
    const lettered = await packedBadges({
      version: '1.3.0',
      edits: [['src/resources.ts', "path: 'badges',", "path: 'badges',\n  key: 'a',"]],
    })
    const { letters } = (await upload(lettered)).body.data
    expect(letters).toEqual([{ letter: 'a', owner: 'Socle' }])
    await install(lettered)
    await app.admin.post('/api/core/plugins/badges/enable')
    const items = (await app.admin.get('/api/core/shell')).body.nav.flatMap((it: { items: object[] }) => it.items)
    expect(items.filter(({ key }: { key?: string }) => key === 'a')).toMatchObject([{ id: 'core.account' }])
    expect(items).toContainEqual(expect.objectContaining({ id: 'badges.badge', path: '/badges/badges' }))
  })

  test('is forgotten when it is declined, and by itself after a day', async () => {
    const { id } = (await upload(first)).body.data
    expect((await app.admin.delete(`/api/core/plugin-uploads/${id}`)).status).toBe(204)
    expect((await app.admin.get(`/api/core/plugin-uploads/${id}`)).body).toMatchObject({ code: 'UPLOAD_UNKNOWN' })
    const again = (await upload(first)).body.data.id
    app.clock.advance('PT25H')
    await upload(await packedBadges({ version: '1.0.1' }))
    expect((await app.admin.post(`/api/core/plugin-uploads/${again}/install`)).status).toBe(404)
  })

  test('is installed only by who showed a moment ago that it is them', async () => {
    const { id } = (await upload(first)).body.data
    const other = await app.as({ may: ['core.plugin.install'] })
    await sql`update core.session set present_at = '2026-03-02T07:00:00Z' where user_id = ${other.who.actor.id}`.execute(
      made.database.owner,
    )
    const asked = await other.post(`/api/core/plugin-uploads/${id}/install`, {})
    expect(asked).toMatchObject({ status: 403, body: { code: 'CONFIRMATION_NEEDED' } })
    expect((await sql`select from core.plugin where id = 'badges'`.execute(made.database.owner)).rows).toEqual([])
  })

  test('is not installed in safe mode, which runs no code of a module', async () => {
    const { id } = (await upload(first)).body.data
    const { workspace } = app
    await app[Symbol.asyncDispose]()
    app = await createTestApp({
      plugins: [helloPlugin],
      enable: [],
      safeMode: true,
      database: made,
      store: { folder, signatures: anybody },
      now: '2026-03-02T09:00:00Z',
    })
    const by = { workspace: workspace.id, user: undefined }
    const integrity = `sha512-${Buffer.from(id, 'base64url').toString('base64')}`
    await expect(app.app.installer.install(integrity, by)).rejects.toMatchObject({ code: 'SAFE_MODE' })
    expect(await readdir(folder)).toEqual([])
  })

  test('needs the right to install, and the workspace the installation began with', async () => {
    const nobody = await app.as({ may: ['core.plugin.read', 'core.plugin.toggle'] })
    expect((await upload(first, nobody)).body).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' })
    const other = await app.secondWorkspace()
    expect((await upload(first, other.admin)).body).toMatchObject({ status: 403, code: 'INSTALLED_ELSEWHERE' })
  })

  test('is not there, or is no archive: refused in words', async () => {
    expect((await app.admin.send('POST', '/api/core/plugin-uploads', undefined)).body.code).toBe('ARCHIVE_REFUSED')
    const french = await app.as({ may: ['core.plugin.install'], locale: 'fr' })
    expect((await upload(Buffer.from('x'), french)).body).toMatchObject({
      status: 422,
      detail: expect.stringContaining('n’est pas un tar compressé par gzip'),
    })
  })
})

describe('an archive that is installed', () => {
  test('runs at once: its screen, its route, its permission and its words, and after a restart', async () => {
    expect(await install(first)).toMatchObject({ status: 201, body: { data: { plugin: 'badges', version: '1.0.0' } } })
    expect((await app.admin.get('/api/badges/badges')).body.code).toBe('PLUGIN_DISABLED')
    await app.admin.post('/api/core/plugins/badges/enable')
    const badge = (await app.admin.post('/api/badges/badges', { visitor: 'Ada' })).body.data.id
    const works = async () => {
      const { plugins, screens, resources } = await shell()
      expect(screens).toContainEqual(expect.objectContaining({ id: 'badges.desk', title: 'Reception desk' }))
      expect(resources.find(({ id }: { id: string }) => id === 'badges.badge').name.many).toBe('Badges')
      const square = await app.admin.get(`/api/badges/badges/${badge}/square`)
      expect(square.body.data.rows.length).toBeGreaterThan(20)
      const reception = await app.as({ may: ['badges.badge.read'] })
      expect((await reception.get(`/api/badges/badges/${badge}/square`)).status).toBe(403)
      const { ui } = plugins.find(({ id }: { id: string }) => id === 'badges')
      const module = await app.admin.raw('GET', ui)
      expect(module.headers.get('content-type')).toContain('text/javascript')
      expect(await module.text()).toContain('badges-desk')
    }
    await works()
    const { workspace } = app
    await app[Symbol.asyncDispose]()
    app = await start()
    expect(app.app.installer.running('badges')?.version).toBe('1.0.0')
    await app.app.kernel.asSystem(workspace, { origin: 'test' }, async (ctx) => {
      expect((await ctx.records.list('badges.badge', {})).data).toHaveLength(1)
    })
  })

  test('stands in the audit with its version and hash, and is told to whoever listens', async () => {
    await install(first)
    const audit = (await app.admin.get('/api/core/audit')).body.data
    expect(JSON.stringify(audit)).toContain('sha512-')
    const { rows } = await sql<{ name: string; payload: unknown }>`
      select name, payload from core.event where name = 'core.plugin.installed'`.execute(made.database.owner)
    expect(rows).toEqual([{ name: 'core.plugin.installed', payload: { plugin: 'badges', version: '1.0.0' } }])
  })

  test('is not installed twice, in no other content under its version, and in no older one', async () => {
    await install(first)
    expect((await install(first)).body.code).toBe('PLUGIN_PRESENT')
    const other = await packedBadges({ edits: [['src/i18n/en.json', 'Nobody is expected', 'No visitors']] })
    expect((await install(other)).body.code).toBe('PLUGIN_PRESENT')
    const older = await install(await packedBadges({ version: '0.9.0' }))
    expect(older.body).toMatchObject({ status: 409, code: 'DOWNGRADE_REFUSED' })
    expect(older.body.detail).toContain('0.9.0 is older than 1.0.0')
  })
})

describe('platform-17: an archive is refused with its code before any of its code runs', () => {
  const told = async (from: string, to: string) =>
    packedBadges({
      edits: [
        [
          'src/plugin.ts',
          'import { BadgeSchema }',
          `Object.assign(globalThis, { badgesRan: true })\nimport { BadgeSchema }`,
        ],
        ['src/plugin.ts', from, to],
      ],
    })

  async function nothingRan(): Promise<void> {
    expect((globalThis as { badgesRan?: boolean }).badgesRan).toBeUndefined()
    expect(await readdir(folder)).toEqual([])
  }

  /** Packing runs the code: what counts is what the platform does. */
  async function packedQuietly(from: string, to: string): Promise<Buffer> {
    const bytes = await told(from, to)
    delete (globalThis as { badgesRan?: boolean }).badgesRan
    return bytes
  }

  test('one whose requirement is out of range says the range and what was found, and may be forced by who may', async () => {
    const bytes = await packedQuietly('requires: {}', "requires: { hello: '^1.2.0' }")
    const review = (await upload(bytes)).body.data
    expect(review.refusals).toMatchObject([
      {
        code: 'PLUGIN_REQUIREMENT_MISSING',
        detail: expect.stringContaining('needs hello ^1.2.0, found 1.0.0'),
        forcible: true,
      },
    ])
    expect((await install(bytes)).body).toMatchObject({ status: 409, code: 'PLUGIN_REQUIREMENT_MISSING' })
    const installer = await app.as({ may: ['core.plugin.install'] })
    const forced = await installer.post(`/api/core/plugin-uploads/${review.id}/install`, { force: true })
    expect(forced.body).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' })
    await nothingRan()
  })

  test('one whose requirement is absent, or whose platform is another', async () => {
    const absent = await packedQuietly('requires: {}', "requires: { nowhere: '^1.0.0' }")
    expect((await upload(absent)).body.data.refusals).toMatchObject([
      { code: 'PLUGIN_REQUIREMENT_MISSING', forcible: false },
    ])
    expect((await install(absent, { force: true })).body.code).toBe('PLUGIN_REQUIREMENT_MISSING')
    const other = await packedQuietly("platform: '^1.0.0'", "platform: '^9.0.0'")
    expect((await install(other)).body).toMatchObject({ status: 409, code: 'PLATFORM_INCOMPATIBLE' })
    await nothingRan()
  })

  test('one that collides names both owners', async () => {
    const bytes = await packedQuietly("path: '/badges/desk'", "path: '/hello/wall'")
    expect((await install(bytes)).body).toMatchObject({
      status: 409,
      code: 'CONTRIBUTION_COLLISION',
      detail: expect.stringMatching(/\/hello\/wall is claimed by hello and by badges/),
    })
    await nothingRan()
  })

  test('one whose screen stands where another has its list, or whose event is told by its own record already', async () => {
    const bytes = await packedQuietly("path: '/badges/desk'", "path: '/hello/greetings'")
    expect((await install(bytes)).body).toMatchObject({
      code: 'CONTRIBUTION_COLLISION',
      detail: expect.stringMatching(/\/hello\/greetings is claimed by hello and by badges/),
    })
    const told = await packedQuietly(
      "import { definePlugin } from '@socle/sdk'",
      `import { definePlugin as define, defineEvent, z } from '@socle/sdk'
      const emits = [defineEvent('badges.badge.created', { version: 1, payload: z.object({}) })]
      const definePlugin = (it) => define({ ...it, emits })`,
    )
    expect((await install(told)).body).toMatchObject({
      code: 'CONTRIBUTION_COLLISION',
      detail: expect.stringMatching(/event badges\.badge\.created@1 is claimed by badges and by badges\.badge/),
    })
    await nothingRan()
  })

  test('one with another content than was packed', async () => {
    const bytes = await archiveOf(altered(await entriesOf(first), 'server/plugin.js', 'globalThis.badgesRan = true'))
    expect((await upload(bytes)).body).toMatchObject({ status: 422, code: 'PLUGIN_INTEGRITY_FAILED' })
    await nothingRan()
  })

  test('one that is unsigned where signatures are asked for, or signed by a stranger', async () => {
    const trusted = generateKeyPairSync('ed25519')
    const key = trusted.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
    await app[Symbol.asyncDispose]()
    app = await start({ signatures: { required: true, signers: new Map([[key, 'Acme']]) } })
    await sql`update core.workspace set created_at = '2100-01-01' where id <> ${app.workspace.id}::uuid`.execute(
      made.database.owner,
    )
    expect((await upload(first)).body).toMatchObject({ status: 422, code: 'PLUGIN_UNSIGNED' })
    const stranger = await packedBadges({ key: generateKeyPairSync('ed25519').privateKey })
    expect((await upload(stranger)).body.code).toBe('PLUGIN_UNSIGNED')
    const signed = await packedBadges({ key: trusted.privateKey })
    expect((await upload(signed)).body.data.signer).toEqual({ name: 'Acme', trusted: true })
    await nothingRan()
  })
})

test('an administrator who may installs past a range and switches it on, and the audit says it was forced', async () => {
  const bytes = await packedBadges({ edits: [['src/plugin.ts', 'requires: {}', "requires: { hello: '^1.2.0' }"]] })
  expect((await install(bytes, { force: true })).status).toBe(201)
  expect(JSON.stringify((await app.admin.get('/api/core/audit')).body.data)).toContain('forced')
  expect((await app.admin.post('/api/core/plugins/badges/enable')).body).toMatchObject({ data: { state: 'enabled' } })
  expect((await app.admin.get('/api/badges/badges')).status).toBe(200)
  await app.admin.post('/api/core/plugins/badges/disable')
  await app.admin.post('/api/core/plugins/hello/disable')
  expect((await app.admin.post('/api/core/plugins/badges/enable')).body.code).toBe('PLUGIN_REQUIREMENT_MISSING')
  await app[Symbol.asyncDispose]()
  app = await start()
  expect(app.app.kernel.parts.loaded.get('badges')?.version).toBe('1.0.0')
})

test('an archive of the first format runs, although its manifest says less', async () => {
  const jobs = "jobs: [{ id: 'sweep', title: { en: 'Sweep', fr: 'Balayer' }, schedule: '0 3 * * *', async run() {} }],"
  const bytes = await packedBadges({ edits: [['src/plugin.ts', "id: 'badges',", `id: 'badges',\n  ${jobs}`]] })
  const entries = await entriesOf(bytes)
  const text = entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array
  const manifest = JSON.parse(Buffer.from(text).toString())
  expect(manifest).toMatchObject({ format: 2, jobs: [{ title: { en: 'Sweep' } }] })
  const before = { ...manifest, format: 1, jobs: [{ id: 'sweep', schedule: '0 3 * * *' }] }
  const answer = await install(await archiveOf(altered(entries, 'manifest.json', JSON.stringify(before))))
  expect(answer).toMatchObject({ status: 201, body: { data: { plugin: 'badges' } } })
})

describe('code that is not what was consented to', () => {
  test('and another than its manifest says does not run: broken-manifest', async () => {
    const entries = await entriesOf(first)
    const manifest = Buffer.from(
      entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array,
    ).toString()
    const quiet = manifest.replace('"badges.badge.print"', '"badges.badge.lend"')
    const answer = await install(await archiveOf(altered(entries, 'manifest.json', quiet)))
    expect(answer.body).toMatchObject({
      status: 422,
      code: 'MANIFEST_MISMATCH',
      detail: expect.not.stringContaining('""'),
    })
    expect(await incidents()).toEqual([{ plugin: 'badges', kind: 'load', code: 'MANIFEST_MISMATCH' }])
    expect(app.app.kernel.parts.loaded.get('badges')).toBeUndefined()
  })

  test('and was changed on the disk does not run at the next start, and everything else does', async () => {
    await install(first)
    const [version = ''] = await readdir(join(folder, 'badges'))
    const file = join(folder, 'badges', version, 'server/plugin.js')
    await writeFile(file, `${await readFile(file, 'utf8')}\nglobalThis.badgesTampered = true\n`)
    await app[Symbol.asyncDispose]()
    app = await start()
    expect('badgesTampered' in globalThis).toBe(false)
    expect(app.app.kernel.parts.loaded.get('badges')).toBeUndefined()
    expect((await app.admin.get('/api/hello/greetings')).status).toBe(200)
    const { rows } = await sql`select state, version from core.plugin where id = 'badges'`.execute(made.database.owner)
    expect(rows).toEqual([{ state: 'quarantined', version: '1.0.0' }])
    expect(await incidents()).toEqual([{ plugin: 'badges', kind: 'load', code: 'PLUGIN_INTEGRITY_FAILED' }])
  })

  test('and was made with another copy of the SDK does not run', async () => {
    const copy =
      "export const badgesPlugin = { id: 'badges', version: '1.0.0', platform: '^1.0.0', title: { en: 'B', fr: 'B' } }"
    const answer = await install(await archiveOf(await repacked(copy)))
    expect(answer.body).toMatchObject({ status: 422, code: 'SDK_COPIED' })
    expect(app.app.kernel.parts.loaded.get('badges')).toBeUndefined()
  })

  test('and throws as it is imported changes nothing', async () => {
    const throwing = await archiveOf(await repacked("throw new Error('not today')"))
    expect((await install(throwing)).body).toMatchObject({ status: 422, code: 'PLUGIN_LOAD_FAILED' })
    expect((await sql`select from pg_namespace where nspname = 'badges'`.execute(made.database.owner)).rows).toEqual([])
  })

  /** The example with other server code, and a manifest that knows its hash. */
  async function repacked(code: string) {
    const { integrityOf } = await import('../src/plugins/store/archive.ts')
    const entries = altered(await entriesOf(first), 'server/plugin.js', code)
    const manifest = JSON.parse(
      Buffer.from(entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array).toString(),
    ) as { files: Record<string, string> }
    manifest.files['server/plugin.js'] = integrityOf(Buffer.from(code))
    return altered(entries, 'manifest.json', JSON.stringify(manifest))
  }
})

// A second process needs a server to meet the first on.
describe.runIf(process.env['TEST_DATABASE_URL'])('platform-02: two processes on one database', () => {
  let child: ChildProcess | undefined
  let elsewhere: string

  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'socle-elsewhere-'))
  })
  afterEach(async () => {
    if (!child) return
    child.kill('SIGKILL')
    await once(child, 'exit')
    child = undefined
  })
  afterAll(() => rm(elsewhere, { recursive: true, force: true }))

  test('an archive installed in one works in both, its screen, route and permission, and no file outside the store changed', async () => {
    await app.app.start()
    child = fork(join(import.meta.dirname, 'install-process.ts'), [], {
      execArgv: ['--conditions=socle-source'],
      env: {
        ...process.env,
        DATABASE_URL: made.url,
        SOCLE_DATA: elsewhere,
        PORT: '0',
        HOST: '127.0.0.1',
        SOCLE_DEMO: '0',
        LOG_LEVEL: 'error',
      },
    })
    const [url] = (await once(child, 'message')) as [string]
    const role = await app.admin.post('/api/core/roles', {
      name: 'Machine',
      grants: [{ resource: '*', action: '*', visibility: 'all' }],
      fields: [],
    })
    const key = await app.admin.post('/api/core/api-keys', { name: 'Machine', role: role.body.data.id })
    const there = (path: string) =>
      fetch(new URL(path, url), { headers: { authorization: `Bearer ${key.body.data.key}` } })
    expect((await there('/api/badges/badges')).status).toBe(404)
    const before = await readdir(elsewhere, { recursive: true })

    expect((await install(first)).status).toBe(201)
    await app.admin.post('/api/core/plugins/badges/enable')
    const badge = (await app.admin.post('/api/badges/badges', { visitor: 'Ada' })).body.data.id

    const deadline = Date.now() + 30_000
    while ((await there('/api/badges/badges')).status !== 200 && Date.now() < deadline) await pause(50)
    const square = await there(`/api/badges/badges/${badge}/square`)
    expect(square.status).toBe(200)
    const document = (await (await there('/api/core/shell')).json()) as { plugins: { id: string; ui?: string }[] }
    const ui = document.plugins.find(({ id }) => id === 'badges')?.ui as string
    expect(await (await there(ui)).text()).toContain('badges-desk')
    const permissions = JSON.stringify(await (await there('/api/core/permissions')).json())
    expect(permissions).toContain('badges.badge.print')
    const changed = (await readdir(elsewhere, { recursive: true })).filter((path) => !before.includes(path))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.filter((path) => !path.startsWith('plugins'))).toEqual([])
  })
})
