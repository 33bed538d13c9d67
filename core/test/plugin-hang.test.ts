import { defineGuard } from '@socle/sdk'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Context } from '../src/context.ts'
import {
  createTestApp,
  makeTestDatabase,
  type TestApp,
  type TestDatabase,
  type TestWorkspace,
} from '../src/testing/index.ts'
import { calledPlugin } from './called-plugin.ts'

const unitSeconds = 1
const onServer = process.env['TEST_DATABASE_URL'] !== undefined

let made: TestDatabase
let app: TestApp
let here: TestWorkspace
/** What the module does next. */
let work: (ctx: Context) => Promise<unknown>
let guard: () => Promise<void>
let leave: () => Promise<void>
let takeBack: () => Promise<void>

const never = () => new Promise<never>(() => {})
const idle = calledPlugin(
  'idle',
  async (ctx) => {
    await work(ctx)
    return 'done'
  },
  {
    guards: [defineGuard('core.lead', ['create'], () => guard())],
    lifecycle: {
      onEnable: async () => () => takeBack(),
      onDisable: () => leave(),
    },
  },
)

beforeAll(async () => {
  made = await makeTestDatabase()
  app = await createTestApp({ database: made, plugins: [idle], unitSeconds, drainSeconds: 0.2 })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await made.drop()
})
beforeEach(async () => {
  work = async () => {}
  guard = async () => {}
  leave = async () => {}
  takeBack = async () => {}
  here = await app.secondWorkspace()
})

const call = () => here.admin.post('/api/idle/calls')
const card = async () =>
  (await here.admin.get('/api/core/plugins')).body.data.find(({ id }: { id: string }) => id === 'idle')
const names = async () => {
  const { data } = (await here.admin.get('/api/core/accounts')).body as { data: { name: string }[] }
  return data.map(({ name }) => name)
}

test('a call that never ends is broken off, and everybody else is served', async () => {
  work = async (ctx) => {
    await ctx.asSystem().records.create('core.account', { name: 'Half done' })
    await never()
  }
  expect(await call()).toMatchObject({
    status: 500,
    body: { code: 'PLUGIN_TIMED_OUT', detail: expect.stringContaining(`within ${unitSeconds} s`) },
  })
  await expect.poll(() => here.incidents()).toMatchObject([{ plugin: 'idle', kind: 'request', count: 1 }])
  // More than there are connections.
  let ended = 0
  const calls = Promise.all(Array.from({ length: 12 }, () => call().finally(() => (ended += 1))))
  expect(await names()).toEqual([])
  // An embedded database has one connection, and takes one after the other.
  if (onServer) expect(ended).toBe(0)
  for (const { body } of await calls) expect(body.code).toMatch(/^PLUGIN_(?:TIMED_OUT|DISABLED|QUARANTINED)$/)
  expect((await app.app.fetch(new Request('http://localhost/readyz'))).status).toBe(200)
})

test('a module whose calls keep not ending is stopped', { timeout: 20_000 }, async () => {
  work = never
  for (let nth = 0; nth < 5; nth += 1) await call()
  await expect.poll(async () => (await card()).state).toBe('quarantined')
  expect(await call()).toMatchObject({ status: 503, body: { code: 'PLUGIN_QUARANTINED' } })
})

test('what never ends on another’s behalf is broken off too, and is its own fault', async () => {
  guard = never
  expect(await here.admin.post('/api/core/leads', { lastName: 'Guarded' })).toMatchObject({
    status: 503,
    body: { code: 'PLUGIN_FAILED', plugin: 'idle' },
  })
  await expect
    .poll(() => here.incidents())
    .toMatchObject([
      { plugin: 'idle', kind: 'request', count: 1, detail: expect.stringContaining('did not come to an end') },
    ])
  guard = async () => {}
  expect((await here.admin.post('/api/core/leads', { lastName: 'Guarded' })).status).toBe(201)
})

test('what code that was broken off does afterwards is refused', async () => {
  let goOn!: () => void
  const later = new Promise<void>((resolve) => (goOn = resolve))
  let said: unknown
  work = async (ctx) => {
    await later
    const writing = ctx.asSystem().records.create('core.account', { name: 'Too late' })
    said = await writing.catch((error: unknown) => error)
  }
  await call()
  goOn()
  await expect.poll(() => said).toBeInstanceOf(Error)
  expect(await names()).toEqual([])
})

test('switching a module off ends the calls that wait for nothing', async () => {
  let began!: () => void
  const asked = new Promise<void>((resolve) => (began = resolve))
  work = async (ctx) => {
    // As an embedded database has one connection, the other one's turn would not come before the call's time is over.
    if (onServer) await sql`select 1`.execute(ctx.sql)
    began()
    await never()
  }
  const calling = call()
  await asked
  expect((await here.admin.post('/api/core/plugins/idle/disable')).status).toBe(200)
  expect((await calling).body.code).toBe(onServer ? 'PLUGIN_DISABLED' : 'PLUGIN_TIMED_OUT')
})

test(
  'a module that never takes leave, nor takes back what it began, is off all the same',
  { timeout: 40_000 },
  async () => {
    leave = never
    takeBack = never
    expect(await here.admin.post('/api/core/plugins/idle/disable')).toMatchObject({
      status: 200,
      body: { data: { state: 'disabled' } },
    })
    expect(await here.incidents()).toMatchObject([
      { kind: 'toggle', detail: expect.stringContaining('did not take back') },
    ])
  },
)

test('whoever leaves is waited for by nobody, and nothing of theirs is kept', async () => {
  const left = new AbortController()
  work = async (ctx) => {
    await ctx.asSystem().records.create('core.account', { name: 'Abandoned' })
    left.abort('Client connection prematurely closed.')
    await never()
  }
  const unit = { workspace: here.workspace.id, plugin: 'idle', cause: { origin: 'ui' }, signal: left.signal }
  await expect(app.app.kernel.runUnit(unit, work)).rejects.toMatchObject({ code: 'UNIT_ABANDONED' })
  expect(await names()).toEqual([])
  expect(await here.incidents()).toEqual([])
})

test.runIf(onServer)('a statement that runs when its call is broken off is cancelled', async () => {
  work = (ctx) => sql`select pg_sleep(100)`.execute(ctx.sql)
  expect((await call()).body.code).toBe('PLUGIN_TIMED_OUT')
  const { rows } =
    await sql`select from pg_stat_activity where query ~ '^select pg_sleep' and state = 'active'`.execute(
      app.app.kernel.parts.database.owner,
    )
  expect(rows).toEqual([])
})
