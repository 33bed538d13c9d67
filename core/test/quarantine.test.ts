import { definePlugin, defineRoute, subscriber } from '@socle/sdk'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { defineError } from '../src/errors.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp
let here: TestWorkspace
/** What the shaky plugin's route does next. */
let answer: () => Promise<string>
let hear: () => Promise<void>
let work: () => Promise<void>

const refused = defineError('SHAKY_REFUSED', 409, () => 'Not now.')
const shaky = definePlugin({
  id: 'shaky',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Shaky', fr: 'Fragile' },
  routes: [
    defineRoute({
      method: 'post',
      path: '/calls',
      permission: 'authenticated',
      summary: 'A call',
      answer: z.string(),
      handle: () => answer(),
    }),
  ],
  subscribers: [subscriber('accounts', 'core.account.created', () => hear())],
  jobs: [{ id: 'tick', schedule: '* * * * *', run: () => work() }],
})
const steady = definePlugin({
  id: 'steady',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Steady', fr: 'Solide' },
  routes: [
    defineRoute({
      method: 'post',
      path: '/calls',
      permission: 'authenticated',
      summary: 'A call',
      answer: z.string(),
      handle: async () => 'steady',
    }),
  ],
})

const fail = async () => {
  throw new Error('Jane Doe <jane@example.com> is not in "Kunden"')
}

beforeAll(async () => {
  app = await createTestApp({ plugins: [shaky, steady] })
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(async () => {
  answer = async () => 'fine'
  hear = async () => {}
  work = async () => {}
  here = await app.secondWorkspace()
})

const call = (plugin = 'shaky', by = here.admin) => by.post(`/api/${plugin}/calls`)
const cardOf = async (id: string) =>
  (await here.admin.get('/api/core/plugins')).body.data.find((card: { id: string }) => card.id === id)
const owner = () => app.app.kernel.parts.database.owner
/** Stopping follows the answer that was one too many. */
const stopped = () => expect.poll(async () => (await cardOf('shaky')).state).toBe('quarantined')

async function failFiveTimes(): Promise<void> {
  for (let nth = 0; nth < 5; nth += 1) {
    answer = async () => 'fine'
    expect((await call()).status).toBe(200)
    answer = fail
    expect((await call()).status).toBe(500)
  }
  await stopped()
}

test('platform-10: a module that fails five of twenty calls is stopped where it does, and one click brings it back', async () => {
  const elsewhere = await app.secondWorkspace()
  await failFiveTimes()
  answer = async () => 'fine'
  expect(await call()).toMatchObject({ status: 503, body: { code: 'PLUGIN_QUARANTINED' } })
  expect((await call('steady')).status).toBe(200)
  expect((await call('shaky', elsewhere.admin)).status).toBe(200)

  const card = await cardOf('shaky')
  expect(card).toMatchObject({
    reason: expect.stringMatching(/^5 of its last 9 calls failed/),
    incident: { count: 5, stackLine: expect.stringContaining('quarantine.test.ts') },
  })
  expect(JSON.stringify(card)).not.toMatch(/Jane|jane@|Kunden/)

  expect((await here.admin.post('/api/core/plugins/shaky/enable')).body.data).toMatchObject({ state: 'enabled' })
  answer = async () => 'fine'
  expect((await call()).status).toBe(200)
  answer = fail
  await call()
  expect((await cardOf('shaky')).state).toBe('enabled')
})

test('what a module refuses is an answer and no failure', async () => {
  answer = async () => {
    throw refused({})
  }
  for (let nth = 0; nth < 30; nth += 1) expect((await call()).status).toBe(409)
  expect(await cardOf('shaky')).toMatchObject({ state: 'enabled' })
  expect(await cardOf('shaky')).not.toHaveProperty('incident')
})

test('a database that is away is nobody’s failure', async () => {
  answer = async () => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  }
  for (let nth = 0; nth < 10; nth += 1) expect((await call()).status).toBe(503)
  expect((await cardOf('shaky')).state).toBe('enabled')
})

test('an event that cannot be handled counts once however often it comes again, and five stop it with the rest held', async () => {
  hear = fail
  await here.admin.post('/api/core/accounts', { name: 'One' })
  for (let nth = 0; nth < 6; nth += 1) {
    await app.deliver()
    app.clock.advance('PT2H')
  }
  expect((await cardOf('shaky')).state).toBe('enabled')
  for (let nth = 0; nth < 4; nth += 1) await here.admin.post('/api/core/accounts', { name: `More ${nth}` })
  await app.deliver()
  await stopped()
  await here.admin.post('/api/core/accounts', { name: 'Held' })
  await app.deliver()
  const held = async () =>
    (
      await sql`select 1 from core.delivery d join core.subscription s on s.id = d.subscription
        where s.plugin = 'shaky' and d.state = 'held' and d.workspace = ${here.workspace.id}::uuid`.execute(owner())
    ).rows.length
  await expect.poll(held).toBe(6)

  hear = async () => {}
  await here.admin.post('/api/core/plugins/shaky/enable')
  app.clock.advance('PT2H')
  await app.deliver()
  expect(await held()).toBe(0)
})

test('its jobs rest while it is stopped', async () => {
  let worked = 0
  work = async () => {
    worked += 1
  }
  await app.app.jobs.runUntilIdle()
  app.clock.advance('PT2M')
  await app.app.jobs.runUntilIdle()
  const before = worked
  expect(before).toBeGreaterThan(0)
  await failFiveTimes()
  const counted = () =>
    sql<{ n: number }>`select count(*)::integer as n from core.job
    where workspace = ${here.workspace.id}::uuid and kind = 'shaky.tick' and state = 'done'`.execute(owner())
  const done = (await counted()).rows[0]?.n
  app.clock.advance('PT2M')
  await app.app.jobs.runUntilIdle()
  expect((await counted()).rows[0]?.n).toBe(done)
})

test('that it was stopped is told as an event and stands in the audit', async () => {
  await failFiveTimes()
  const { rows } = await sql<{ payload: { plugin: string; reason: string } }>`
    select payload from core.event where workspace = ${here.workspace.id}::uuid and name = 'core.plugin.quarantined'`.execute(
    owner(),
  )
  expect(rows).toMatchObject([{ payload: { plugin: 'shaky', reason: expect.stringContaining('5 of its last') } }])
  const { body } = await here.admin.get('/api/core/audit')
  const entry = body.data.find(({ changes }: { changes: { title: string }[] }) => changes[0]?.title === 'shaky')
  expect(entry.changes[0].changes).toEqual([{ field: 'state', old: 'enabled', new: 'quarantined' }])
})

test('a standstill of ten seconds within a minute stops it wherever it is on', async () => {
  const elsewhere = await app.secondWorkspace()
  const { faults } = app.app.kernel.parts
  faults.stalled({ plugin: 'shaky' }, 6_000, ['sumUp (shaky/src/sums.ts:12)'])
  expect((await cardOf('shaky')).state).toBe('enabled')
  faults.stalled({ plugin: 'shaky' }, 5_000, ['sumUp (shaky/src/sums.ts:12)'])
  await stopped()
  expect((await cardOf('shaky')).reason).toContain('11 s within a minute')
  await expect.poll(async () => (await call('shaky', elsewhere.admin)).status).toBe(503)
})
