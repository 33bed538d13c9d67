import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serverDatabase } from '../src/database/database.ts'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'
import { patience } from './identity-world.ts'

const now = '2026-03-02T09:00:00Z'
/** Within which another process has followed, milliseconds: a busy machine of tests is slower than the promised second. */
const soon = 1_000

// Two processes meet in a server alone: each app has connections, caches and ears of its own, and nothing else in common.
describe.runIf(process.env['TEST_DATABASE_URL'])('two processes', () => {
  let held: TestDatabase
  let here: TestApp
  let there: TestApp
  let far: Awaited<ReturnType<typeof serverDatabase>>

  beforeAll(async () => {
    held = await makeTestDatabase()
    far = await serverDatabase(held.url!, { connections: 4 })
    here = await createTestApp({ now, database: held })
    there = await createTestApp({ now, database: { ...held, database: far } })
    await here.app.start()
    await there.app.start()
  }, patience)
  afterAll(async () => {
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await far.close()
    await held.drop()
  })

  const ask = (app: TestApp, path: string, headers: Record<string, string>, signal?: AbortSignal) =>
    app.app.fetch(new Request(`http://localhost${path}`, { headers, ...(signal ? { signal } : {}) }))

  async function signIn(app: TestApp, { email, password }: { email: string; password: string }) {
    const answer = await app.app.fetch(
      new Request('http://localhost/api/auth/sign-in/email', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password }),
      }),
    )
    return { cookie: answer.headers.getSetCookie()[0]!.split(';')[0]! }
  }

  async function person(values: Record<string, unknown> = {}) {
    const email = `person.${crypto.randomUUID()}@example.com`
    const { body } = await here.admin.post('/api/core/users', { name: 'Person', email, ...values })
    return { id: body.data.id as string, email, password: body.password as string }
  }

  const roleNamed = async (name: string): Promise<string> => {
    const { body } = await here.admin.get('/api/core/roles')
    return body.data.find((role: { name: string }) => role.name === name).id
  }

  /** Milliseconds until it is so; undefined when it is not within `soon`. */
  async function until(isSo: () => Promise<boolean>): Promise<number | undefined> {
    const began = performance.now()
    while (performance.now() - began < soon) {
      if (await isSo()) return performance.now() - began
      await pause(10)
    }
    return undefined
  }

  test('deactivation ends sessions, keys and open streams of the other process within a second', async () => {
    const administrator = await roleNamed('Administrator')
    // Another who stays, and who is in since they signed in.
    await signIn(here, await person({ roles: [administrator] }))
    const made = await person({ roles: [administrator] })
    const cookie = await signIn(there, made)
    const role = await roleNamed('Integration')
    const key = await there.app.fetch(
      new Request('http://localhost/api/core/api-keys', {
        method: 'POST',
        headers: { ...cookie, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Theirs', role }),
      }),
    )
    const { data } = (await key.json()) as { data: { key: string } }
    const bearer = { authorization: `Bearer ${data.key}` }
    // Both are known to the other process, as they are a moment after a request.
    expect((await ask(there, '/api/core/me', cookie)).status).toBe(200)
    expect((await ask(there, '/api/core/me', bearer)).status).toBe(200)
    const stream = await ask(there, '/api/core/live', cookie)
    const reader = stream.body!.getReader()
    const closed = (async () => {
      for (;;) if ((await reader.read()).done) return performance.now()
    })()
    const began = performance.now()
    expect((await here.admin.post(`/api/core/users/${made.id}/deactivate`)).status).toBe(200)
    const done = performance.now()
    expect(await until(async () => (await ask(there, '/api/core/me', cookie)).status === 401)).toBeDefined()
    expect(await until(async () => (await ask(there, '/api/core/me', bearer)).status === 401)).toBeDefined()
    const endedAt = await Promise.race([closed, pause(soon).then(() => undefined)])
    expect(endedAt, 'the stream is still open').toBeDefined()
    expect(endedAt! - done).toBeLessThan(soon)
    expect(endedAt!).toBeGreaterThan(began)
  })

  test('a session that its person ends elsewhere is over in the other process within a second', async () => {
    const made = await person()
    const [one, other] = [await signIn(here, made), await signIn(there, made)]
    expect((await ask(there, '/api/core/me', other)).status).toBe(200)
    const answer = await here.app.fetch(
      new Request('http://localhost/api/core/me/sessions', { method: 'DELETE', headers: one }),
    )
    expect(answer.status).toBe(204)
    expect(await until(async () => (await ask(there, '/api/core/me', other)).status === 401)).toBeDefined()
    expect((await ask(here, '/api/core/me', one)).status).toBe(200)
  })

  test('a move to another team acts on record, list and search of the other process within a second', async () => {
    const team = async (name: string, parent: string | null = null) =>
      (await here.admin.post('/api/core/teams', { name, parent })).body.data.id as string
    const [north, south] = [await team('North'), await team('South')]
    const below = await team('North East', north)
    const rep = await person({ team: below, roles: [await roleNamed('Member')] })
    const made = await here.app.fetch(
      new Request('http://localhost/api/core/leads', {
        method: 'POST',
        headers: { ...(await signIn(here, rep)), 'content-type': 'application/json' },
        body: JSON.stringify({ lastName: 'Quintefeuille' }),
      }),
    )
    const { data: lead } = (await made.json()) as { data: { id: string } }
    const watcher = await person({ team: south, roles: [await roleNamed('Reader')] })
    const cookie = await signIn(there, watcher)
    const finds = async (path: string) => (await (await ask(there, path, cookie)).text()).includes(lead.id)
    const places = ['/api/core/leads', '/api/core/search?q=Quintefeuille', `/api/core/leads/${lead.id}/timeline`]
    const seesAll = async () => (await Promise.all(places.slice(0, 2).map(finds))).every(Boolean)
    const seesNone = async () => (await Promise.all(places.slice(0, 2).map(finds))).every((it) => !it)
    expect(await seesNone()).toBe(true)
    expect((await ask(there, places[2]!, cookie)).status).toBe(404)
    await here.admin.put(`/api/core/users/${watcher.id}/teams`, { teams: [north] })
    expect(await until(seesAll)).toBeDefined()
    expect((await ask(there, places[2]!, cookie)).status).toBe(200)
    // The tree moves: what stood below no longer does.
    await here.admin.patch(`/api/core/teams/${below}`, { parent: south })
    expect(await until(seesNone)).toBeDefined()
    expect((await ask(there, places[2]!, cookie)).status).toBe(404)
  })
})
