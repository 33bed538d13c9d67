import { setTimeout as pause } from 'node:timers/promises'
import { helloPlugin } from '@socle/example-hello'
import { definePlugin, defineRoute, subscriber, z } from '@socle/sdk'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let ticks = 0

/** Begins all that can be left behind. */
const busy = definePlugin({
  id: 'busy',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Busy', fr: 'Occupé' },
  subscribers: [subscriber('accounts', 'core.account.created', async () => {})],
  jobs: [{ id: 'tick', schedule: '* * * * *', run: async () => {} }],
  routes: [
    defineRoute({
      method: 'get',
      path: '/ticks',
      permission: 'authenticated',
      summary: 'Ticks so far',
      answer: z.int(),
      handle: async () => ticks,
    }),
  ],
  lifecycle: {
    async onEnable() {
      const timer = setInterval(() => (ticks += 1), 10)
      const hear = () => {}
      process.on('SIGUSR2', hear)
      return () => {
        clearInterval(timer)
        process.off('SIGUSR2', hear)
      }
    },
  },
})

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin, busy], enable: ['hello'] })
})
afterAll(() => app[Symbol.asyncDispose]())

async function left() {
  const { owner } = app.app.kernel.parts.database
  const { rows } = await sql`select id, active from core.subscription where plugin = 'busy'`.execute(owner)
  const { rows: operations } = await sql`select 1 from core.plugin_operation`.execute(owner)
  return {
    routes: app.app.routes.length,
    listeners: process.listenerCount('SIGUSR2'),
    scopes: app.app.kernel.parts.scopes.size,
    subscriptions: rows,
    operations,
  }
}

// The whole of it, a hundred toggles under two hundred requests a second, is measured in core/bench.
test('platform-03: twenty toggles of one module under load fail no request to others, and leave nothing behind', async () => {
  const other = await app.secondWorkspace()
  const toggle = (verb: string) => app.admin.post(`/api/core/plugins/busy/${verb}`, {})
  for (const verb of ['enable', 'disable']) await toggle(verb)
  const before = await left()

  const statuses: number[] = []
  const asked: Promise<unknown>[] = []
  const ask = async (by: TestClient) => void statuses.push((await by.get('/api/hello/greetings')).status)
  let toggling = true
  const load = (async () => {
    for (let nth = 0; toggling; nth += 1) {
      asked.push(ask(nth % 2 === 0 ? app.admin : other.admin))
      await pause(20)
    }
  })()
  for (let nth = 0; nth < 10; nth += 1) {
    expect((await toggle('enable')).status).toBe(200)
    expect((await app.admin.get('/api/busy/ticks')).status).toBe(200)
    // An embedded database answers without a turn of the event loop, in which nobody else would ask anything.
    await pause(60)
    expect((await toggle('disable')).status).toBe(200)
    expect((await app.admin.get('/api/busy/ticks')).status).toBe(404)
  }
  toggling = false
  await load
  await Promise.all(asked)

  expect(statuses.length).toBeGreaterThan(15)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  expect(await left()).toEqual(before)
  const ticked = ticks
  await pause(100)
  expect(ticks).toBe(ticked)
  expect(ticked).toBeGreaterThan(0)
})
