import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from 'kysely'
import { run } from '../src/cli.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { lockPlugin, vaultPlugin } from './vault-plugin.ts'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'

let app: TestApp
let database: TestDatabase

beforeAll(async () => {
  database = await makeTestDatabase()
  app = await createTestApp({ database, plugins: [helloPlugin] })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await database.drop()
})

/** What an operator says at a database, with the exit code and the lines it is answered. */
function operatorOf(url: string | undefined) {
  return async (...args: string[]) => {
    const lines: string[] = []
    const code = await run(args, { variables: { DATABASE_URL: url }, tell: (line) => lines.push(line) })
    return { code, said: lines.join('\n') }
  }
}

const socle = (...args: string[]) => operatorOf(database.url)(...args)

test('a command it does not know is answered with those it does', async () => {
  for (const args of [[], ['plugin'], ['plugin', 'disable'], ['fly']])
    expect(await socle(...args)).toMatchObject({
      code: 1,
      said: expect.stringContaining('socle plugin disable <id> --force'),
    })
})

test.runIf(process.env['TEST_DATABASE_URL'])(
  'P35: a module is taken away without any of its code, and a running process lets go of it',
  { timeout: 60_000 },
  async () => {
    const made = await makeTestDatabase()
    const here = await createTestApp({ database: made, plugins: [vaultPlugin()] })
    const say = operatorOf(made.url)
    try {
      await here.app.start()
      await here.admin.post('/api/vault/boxes', { name: 'Tin box' })
      expect(await say('plugin', 'uninstall', 'vault')).toMatchObject({
        code: 1,
        said: expect.stringContaining('--mode'),
      })
      const purge = ['plugin', 'uninstall', 'vault', '--mode', 'purge']
      expect(await say(...purge)).toMatchObject({ code: 1, said: expect.stringContaining('--confirm vault') })
      expect(await say('plugin', 'uninstall', 'gone', '--mode', 'keep')).toMatchObject({ code: 1 })
      expect(await say('plugin', 'uninstall', 'vault', '--mode', 'archive')).toMatchObject({
        code: 0,
        said: expect.stringContaining('vault 1.0.0 is gone'),
      })
      // Fields it adds beside others' records go from roles too, although nobody can ask its code which.
      const { rows: roles } = await sql`
        select name from core.role where fields::text like '%vaultShelf%' or grants::text like '%vault.box%'`.execute(
        made.database.owner,
      )
      expect(roles).toEqual([])
      expect((await here.admin.get('/api/vault/boxes')).status).toBe(404)
      expect(here.app.kernel.parts.loaded.get('vault')).toBeUndefined()
      expect((await here.admin.get('/api/core/plugin-archives')).body.data).toMatchObject([
        { plugin: 'vault', whole: true },
      ])
      expect((await say('plugin', 'list')).said).toContain('vault')
      expect((await here.admin.post('/api/core/plugins/vault/install')).status).toBe(201)
      expect(await say(...purge, '--confirm', 'vault')).toMatchObject({ code: 0 })
    } finally {
      await here[Symbol.asyncDispose]()
      await made.drop()
    }
  },
)

test.runIf(process.env['TEST_DATABASE_URL'])(
  'P05: a module takes along what needs it, the furthest first, where that is said, and is kept where it is not',
  { timeout: 60_000 },
  async () => {
    const made = await makeTestDatabase()
    const keyPlugin = definePlugin({
      id: 'key',
      version: '1.0.0',
      platform: '^1.0.0',
      title: { en: 'Key', fr: 'Clé' },
      requires: { lock: '^1.0.0', vault: '^1.0.0' },
    })
    const here = await createTestApp({ database: made, plugins: [vaultPlugin(), lockPlugin, keyPlugin] })
    const say = operatorOf(made.url)
    try {
      await here.app.start()
      await here.admin.post('/api/vault/boxes', { name: 'Tin box' })
      const uninstall = ['plugin', 'uninstall', 'vault', '--mode', 'archive']
      expect(await say(...uninstall)).toMatchObject({
        code: 1,
        said: expect.stringMatching(/needed by key, lock\. .*--cascade/),
      })
      const refused = await say(...uninstall, '--json')
      expect(refused.code).toBe(1)
      expect(JSON.parse(refused.said)).toMatchObject({ code: 'PLUGIN_HAS_DEPENDENTS', dependents: ['key', 'lock'] })
      expect((await here.admin.get('/api/vault/boxes')).status).toBe(200)

      const { code, said } = await say(...uninstall, '--cascade', '--json')
      expect(code).toBe(0)
      const { removed, mode } = JSON.parse(said)
      expect(mode).toBe('archive')
      expect(removed).toMatchObject(
        ['key', 'lock', 'vault'].map((plugin) => ({ plugin, version: '1.0.0', archive: expect.any(String) })),
      )
      expect((await here.admin.get('/api/vault/boxes')).status).toBe(404)
      const { rows } = await sql<{ plugin: string }>`
        select payload ->> 'plugin' as plugin from core.event where name = 'core.plugin.removed' order by seq`.execute(
        made.database.owner,
      )
      expect(rows.map(({ plugin }) => plugin)).toEqual(['key', 'lock', 'vault'])
      const archives = (await here.admin.get('/api/core/plugin-archives')).body.data
      expect(archives.map(({ id }: { id: string }) => id).toSorted()).toEqual(
        removed.map(({ archive }: { archive: string }) => archive).toSorted(),
      )
      expect(JSON.parse((await say('plugin', 'list', '--json')).said)).toContainEqual(
        expect.objectContaining({ id: 'lock', state: 'removed', workspaces: 0 }),
      )
    } finally {
      await here[Symbol.asyncDispose]()
      await made.drop()
    }
  },
)

test.runIf(process.env['TEST_DATABASE_URL'])(
  'a module is switched off in every workspace without any of its code, and a running process hears of it',
  async () => {
    await app.app.start()
    const other = await app.secondWorkspace()
    expect(await socle('plugin', 'disable', 'hello')).toMatchObject({
      code: 1,
      said: expect.stringContaining('--force'),
    })
    expect((await app.admin.get('/api/hello/greetings')).status).toBe(200)

    expect(await socle('plugin', 'disable', 'nosuch', '--force')).toMatchObject({
      code: 1,
      said: expect.stringContaining('No module "nosuch" is installed here'),
    })
    expect(await socle('plugin', 'disable', 'hello', '--force')).toMatchObject({
      code: 0,
      said: expect.stringContaining('hello is off in 2 workspaces'),
    })
    for (const { admin } of [app, other])
      await expect.poll(async () => (await admin.get('/api/hello/greetings')).status, { timeout: 10_000 }).toBe(404)
    expect((await socle('plugin', 'list')).said).toContain('hello 1.0.0  installed  on in 0 workspaces')
    const { body } = await app.admin.get('/api/core/audit')
    expect(JSON.stringify(body.data[0])).toContain('disabled')
    const { rows } = await sql`
      select workspace, payload from core.event where name = 'core.plugin.disabled' order by workspace`.execute(
      database.database.owner,
    )
    expect(rows).toEqual(
      [app.workspace.id, other.workspace.id]
        .toSorted()
        .map((workspace) => ({ workspace, payload: { plugin: 'hello', by: null } })),
    )
  },
)
