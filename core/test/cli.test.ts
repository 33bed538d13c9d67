import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../src/cli.ts'
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

async function socle(...args: string[]) {
  const lines: string[] = []
  const code = await run(args, { variables: { DATABASE_URL: database.url }, tell: (line) => lines.push(line) })
  return { code, said: lines.join('\n') }
}

test('a command it does not know is answered with those it does', async () => {
  for (const args of [[], ['plugin'], ['plugin', 'disable'], ['fly']])
    expect(await socle(...args)).toMatchObject({
      code: 1,
      said: expect.stringContaining('socle plugin disable <id> --force'),
    })
})

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

    expect(await socle('plugin', 'disable', 'hello', '--force')).toMatchObject({
      code: 0,
      said: expect.stringContaining('hello is off in 2 workspaces'),
    })
    for (const { admin } of [app, other])
      await expect.poll(async () => (await admin.get('/api/hello/greetings')).status, { timeout: 10_000 }).toBe(404)
    expect((await socle('plugin', 'list')).said).toContain('hello 1.0.0  installed  on in 0 workspaces')
    const { body } = await app.admin.get('/api/core/audit')
    expect(JSON.stringify(body.data[0])).toContain('disabled')
  },
)
