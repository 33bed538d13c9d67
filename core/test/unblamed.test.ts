import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeTestDatabase, type TestDatabase } from '../src/testing/index.ts'
import { serveProcess, type ServedProcess } from './served-processes.ts'

// What nobody caught reaches the process itself: only a real one shows what becomes of it.
describe.runIf(process.env['TEST_DATABASE_URL'])('failures that nobody caught', () => {
  let database: TestDatabase
  let server: ServedProcess

  beforeAll(async () => {
    database = await makeTestDatabase()
  })
  beforeEach(async () => {
    server = await serveProcess(database.url ?? '')
    for (const id of ['hello', 'broken-rejection']) await server.ask('POST', `/api/core/plugins/${id}/enable`, {})
  })
  afterEach(() => server.end())
  afterAll(() => database.drop())

  const leave = (how: string) => server.ask('POST', '/api/broken-rejection/calls', { how })
  const card = async () =>
    (await server.ask('GET', '/api/core/plugins')).body.data.find((it: { id: string }) => it.id === 'broken-rejection')

  test('platform-10: five of twenty calls leave a rejection behind, and the module is stopped while its neighbours answer', async () => {
    for (let nth = 0; nth < 20; nth += 1) {
      await leave(nth % 4 === 0 ? (nth % 8 === 0 ? 'rejection' : 'timer') : 'nothing')
      expect((await server.ask('GET', '/api/hello/greetings')).status).toBe(200)
    }
    await expect.poll(async () => (await card()).state).toBe('quarantined')
    expect(await leave('nothing')).toMatchObject({ status: 503, body: { code: 'PLUGIN_QUARANTINED' } })
    expect(await card()).toMatchObject({
      incident: { stackLine: expect.stringContaining('broken-rejection/src/plugin.ts') },
    })
    expect((await server.ask('GET', '/api/hello/greetings')).status).toBe(200)

    await server.ask('POST', '/api/core/plugins/broken-rejection/enable', {})
    expect((await leave('nothing')).status).toBe(200)
  })

  test('a module that lets nothing else run for ten seconds of a minute is stopped, and the place is named', async () => {
    for (let nth = 0; nth < 3; nth += 1) await leave('standstill')
    await expect.poll(async () => (await card()).state, { timeout: 20_000 }).toBe('quarantined')
    expect((await card()).reason).toMatch(
      /within a minute nothing else could run, because of standStill \(.*plugin\.ts:\d+\)/,
    )
  })

  test('one that no module can be blamed for ends the process, as it does where nobody listens', async () => {
    const errors: string[] = []
    server.child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
    server.child.send('fail')
    const [code] = (await once(server.child, 'exit')) as [number]
    expect(code).toBe(1)
    expect(errors.join('')).toContain('Of the platform itself')
  })
})
