import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helloPlugin } from '@socle/example-hello'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'
import { packedBadges } from './packed-plugins.ts'

let first: Buffer
let second: Buffer
let made: TestDatabase
let folder: string
let app: TestApp
/** Another process; an embedded database has but one. */
let beside: TestApp | undefined
const isServer = process.env['TEST_DATABASE_URL'] !== undefined

beforeAll(async () => {
  first = await packedBadges()
  second = await packedBadges({
    version: '1.1.0',
    files: { 'migrations/0002_company.sql': 'alter table badge add column company text' },
    edits: [
      ['src/entities/badge.ts', 'visitor: p.string(),', 'visitor: p.string(),\n    company: p.string().nullable(),'],
      ['src/resources.ts', "list: ['visitor',", "list: ['visitor', 'company',"],
    ],
  })
  folder = await mkdtemp(join(tmpdir(), 'socle-store-'))
  made = await makeTestDatabase()
  const store = { folder, signatures: { required: false, signers: new Map<string, string>() } }
  const options = { database: made, plugins: [helloPlugin], enable: ['hello'], store, drainSeconds: 1 }
  app = await createTestApp(options)
  if (!isServer) return
  beside = await createTestApp(options)
  for (const it of [app, beside]) await it.app.start()
})
afterAll(async () => {
  for (const it of [app, beside]) await it?.[Symbol.asyncDispose]()
  await made.drop()
  await rm(folder, { recursive: true, force: true })
})

/** What the modules screen and the pages beside it ask while somebody installs. */
const asked = [
  '/api/core/shell',
  '/api/core/plugins',
  '/api/core/platform-map',
  '/api/core/openapi.json',
  '/api/core/permissions',
  '/api/core/roles',
  '/api/core/views',
  '/api/core/plugin-archives',
  '/api/core/plugins/badges/what-breaks',
  '/api/core/plugins/badges/settings',
  '/api/core/plugins/badges/uninstall',
  '/api/core/plugins/badges/data',
  '/api/core/plugins/hello/what-breaks',
  '/api/core/search?q=ada',
  '/api/core/audit',
  '/api/core/events',
  '/api/core/views?filter=resource = "badges.badge"',
  '/api/core/shares/with-me?limit=5',
  '/api/core/activities?limit=1&count=exact',
  '/api/core/fields',
  '/api/badges/badges',
  '/api/badges/badges?sort=-visitor&count=exact',
  '/api/hello/greetings',
  '/api/core/accounts',
] as const

test('a page is answered however often it has to look anew which modules are on', async () => {
  const { enablement, signals } = app.app.kernel.parts
  const look = enablement.in.bind(enablement)
  // As if somebody switched a module each time somebody has looked.
  Object.assign(enablement, {
    async in(workspace: string) {
      const on = await look(workspace)
      signals.here({ kind: 'plugins' })
      return on
    },
  })
  try {
    for (const path of asked) {
      const { status, body } = await app.admin.get(path)
      expect(status, `${path} ${JSON.stringify(body)}`).toBeLessThan(500)
    }
    const form = new FormData()
    form.set('resource', 'core.account')
    form.set('file', new Blob(['name\nAda\n']), 'people.csv')
    expect(await app.admin.send('POST', '/api/core/imports', form)).toMatchObject({ status: 201 })
  } finally {
    Reflect.deleteProperty(enablement, 'in')
  }
})

test.runIf(isServer)(
  'while a module comes, goes on, is upgraded, goes off and is taken away, no page beside it meets a fault',
  { timeout: 300_000 },
  async () => {
    const faults: string[] = []
    let isChanging = true
    // Whose administrators are the same: the second process answers for the first one's sessions.
    const admins = [app.admin, app.admin.at((beside ?? app).app)]
    const asking = admins.flatMap((admin) =>
      [0, 1, 2].map(async (offset) => {
        for (let nth = offset * 7; isChanging; nth += 1) {
          const path = asked[nth % asked.length]!
          const { status, body } =
            nth % 5 === 0
              ? await admin.post('/api/core/accounts', { name: `Firm ${nth}`, allowDuplicate: true })
              : await admin.get(path)
          if (status >= 500 && body.code !== 'PLUGIN_REPLACED')
            faults.push(`${path}: ${status} ${JSON.stringify(body).slice(0, 300)}`)
          await setImmediate()
        }
      }),
    )
    const form = (bytes: Uint8Array) => {
      const sent = new FormData()
      sent.set('file', new Blob([new Uint8Array(bytes)]), 'badges.tgz')
      return sent
    }
    const ok = async (admin: TestApp['admin'], method: string, path: string, body: unknown = {}) => {
      // The other process may be at it still, taking over what was installed.
      let answer = await admin.send(method, path, body)
      while (answer.body.code === 'PLUGIN_BUSY') answer = await admin.send(method, path, body)
      expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBeLessThan(300)
      return answer.body.data
    }
    try {
      for (let round = 0; round < 2; round += 1) {
        const [one, other] = (round % 2 === 0 ? admins : admins.toReversed()) as [TestApp['admin'], TestApp['admin']]
        const { id } = await ok(one, 'POST', '/api/core/plugin-uploads', form(first))
        await ok(one, 'POST', `/api/core/plugin-uploads/${id}/install`)
        await ok(one, 'POST', '/api/core/plugins/badges/enable')
        await ok(one, 'POST', '/api/badges/badges', { visitor: 'Ada' })
        const next = await ok(one, 'POST', '/api/core/plugin-uploads', form(second))
        await ok(one, 'POST', `/api/core/plugin-uploads/${next.id}/install`)
        await expect.poll(async () => (await other.get('/api/badges/badges')).status, { timeout: 20_000 }).toBe(200)
        for (const verb of ['disable', 'enable', 'disable', 'enable'])
          await ok(one, 'POST', `/api/core/plugins/badges/${verb}`)
        const { job } = await ok(one, 'POST', '/api/core/plugins/badges/uninstall', {
          mode: 'purge',
          confirm: 'badges',
        })
        await expect
          .poll(async () => (await one.get(`/api/core/jobs/${job}`)).body.data.state, { timeout: 60_000 })
          .toBe('done')
      }
    } finally {
      isChanging = false
      await Promise.all(asking)
    }
    expect(faults).toEqual([])
  },
)
