import { helloPlugin } from '@socle/example-hello'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../src/database/migrator.ts'
import { definePlugin, type PluginDefinition } from '../src/plugins/define-plugin.ts'
import { Wear } from '../src/plugins/wear.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'

let app: TestApp
const loaded = () => app.app.kernel.parts.loaded

beforeAll(async () => {
  app = await createTestApp()
  await migrate(app.app.kernel.parts.database.owner, 'hello', helloPlugin.migrations as URL)
})
afterAll(() => app[Symbol.asyncDispose]())

test('a plugin comes into a running platform with its routes, resources and words, and leaves with all of them', async () => {
  expect((await app.admin.get('/api/hello/greetings')).status).toBe(404)
  loaded().replace([...loaded().set.plugins, helloPlugin])

  await app.app.toggle.enable(app.workspace, 'hello', undefined)
  expect((await app.admin.post('/api/hello/greetings', { text: 'Bonjour' })).status).toBe(201)
  const nav = async () => (await app.admin.get('/api/core/shell')).body.nav.map(({ id }: { id: string }) => id)
  expect(await nav()).toContain('hello')
  expect(app.app.kernel.parts.words.say('fr', 'hello.greeting.many')).not.toBe('hello.greeting.many')

  loaded().replace(loaded().set.plugins.filter(({ id }) => id !== 'hello'))

  expect(await app.admin.get('/api/hello/greetings')).toMatchObject({ status: 404, body: { code: 'ROUTE_NOT_FOUND' } })
  expect(await nav()).not.toContain('hello')
  expect(app.app.kernel.parts.words.say('fr', 'hello.greeting.many')).toBe('hello.greeting.many')
})

test('a set that cannot be put together changes nothing', async () => {
  const before = loaded().set
  const faulty = definePlugin({
    id: 'faulty',
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: 'Faulty', fr: 'Fautif' },
    i18n: new URL('./nowhere/', import.meta.url),
  })
  expect(() => loaded().replace([...before.plugins, faulty])).toThrow(/nowhere/)
  expect(loaded().set).toBe(before)
  expect((await app.admin.get('/api/core/accounts')).status).toBe(200)
})

test('a process is worn when so many versions were replaced or taken away, and is told once', async () => {
  let worn = 0
  const wear = new Wear({ most: 3, spreadMilliseconds: 0, onWorn: () => (worn += 1) })
  const bare = (id: string) => definePlugin({ id, version: '1.0.0', platform: '^1.0.0', title: { en: id, fr: id } })
  const steady = bare('steady')
  const run = async (...plugins: PluginDefinition[]) => {
    wear.prepare({ plugins: [steady, ...plugins] })()
    await new Promise((resolve) => setTimeout(resolve, 5))
    return worn
  }
  expect(await run(bare('one'))).toBe(0)
  expect(await run(bare('one'), bare('two'))).toBe(0)
  expect(await run()).toBe(1)
  expect(await run(bare('one'))).toBe(1)
  expect(await run(bare('one'))).toBe(1)
})
