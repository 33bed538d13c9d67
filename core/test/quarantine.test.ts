import { contribution, defineGuard, definePoint, defineRoute, defineService, provide, subscriber } from '@socle/sdk'
import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { Context } from '../src/context.ts'
import { defineError } from '../src/errors.ts'
import { PluginQuarantined } from '../src/plugins/plugin-events.ts'
import { watch } from '../src/plugins/watchdog.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'
import { calledPlugin } from './called-plugin.ts'

let app: TestApp
let here: TestWorkspace
/** What the shaky plugin's route does next. */
let answer: () => Promise<string>
let hear: () => Promise<void>
let work: () => Promise<void>
/** What it does for others. */
let help: () => Promise<string>
let helpAtOnce: () => string

interface Echoes {
  ask(): Promise<string>
  /** Itself, in other words. */
  politely(): Echoes
  readonly last: string
  tone: string
  steps(): AsyncGenerator<string>
}
/** What helps inherits. */
class Answering {
  readonly #answer = () => help()
  async ask(): Promise<string> {
    return this.#answer()
  }
}
/** A service with private fields, which only it itself may read, and with accessors. */
class EchoService extends Answering implements Echoes {
  #tone = ''
  politely(): Echoes {
    return this
  }
  get last(): string {
    return this.#tone + helpAtOnce()
  }
  set tone(tone: string) {
    this.#tone = tone + helpAtOnce()
  }
  get tone(): string {
    return this.#tone
  }
  async *steps(): AsyncGenerator<string> {
    yield this.#tone
    yield this.ask()
  }
}
const Echoes = defineService<Echoes>('shaky/echoes@1')
const Helpers = definePoint<() => Promise<string>>('steady/helpers@1')
const Choirs = definePoint<Echoes>('steady/choirs@1')

/** What a module keeps of another's service for longer than its piece of work. */
let kept: Echoes
let keptCall: Echoes['ask']
let keptSteps: ReturnType<Echoes['steps']>

const ways: Readonly<Record<string, (ctx: Context) => Promise<string>>> = {
  service: (ctx) => ctx.use(Echoes).ask(),
  itself: (ctx) => ctx.use(Echoes).politely().ask(),
  getter: async (ctx) => ctx.use(Echoes).last,
  async setter(ctx) {
    const echoes = ctx.use(Echoes)
    echoes.tone = 'loud'
    return echoes.tone
  },
  async first(ctx) {
    kept = ctx.use(Echoes)
    keptCall = kept.ask
    keptSteps = kept.steps()
    return kept.ask()
  },
  later: () => kept.ask(),
  laterCall: () => keptCall(),
  laterGetter: async () => kept.last,
  laterStep: async () => String((await keptSteps.next()).value),
  async generator(ctx) {
    let all = ''
    for await (const step of ctx.use(Echoes).steps()) all += step
    return all
  },
  contribution: async (ctx) => (await Promise.all(ctx.contributions(Helpers).map((it) => it()))).join(),
  choir: async (ctx) => (await Promise.all(ctx.contributions(Choirs).map((it) => it.ask()))).join(),
}

const refused = defineError('SHAKY_REFUSED', 409, () => 'Not now.')
const shaky = calledPlugin('shaky', () => answer(), {
  subscribers: [subscriber('accounts', 'core.account.created', () => hear())],
  requires: { steady: '^1.0.0' },
  provides: [provide(Echoes, () => new EchoService())],
  contributes: [contribution(Helpers, () => help()), contribution(Choirs, new EchoService())],
  guards: [defineGuard('core.lead', ['create'], async () => void (await help()))],
  jobs: [{ id: 'tick', schedule: '* * * * *', run: () => work() }],
})
const steady = calledPlugin('steady', async () => 'steady', {
  routes: [
    defineRoute({
      method: 'post',
      path: '/asks',
      permission: 'authenticated',
      summary: 'A call that others help with',
      body: z.object({ of: z.string() }),
      answer: z.string(),
      async handle({ body }, ctx) {
        return ways[body.of]!(ctx)
      },
    }),
  ],
  points: [Helpers, Choirs],
  uses: [Echoes],
  optional: { shaky: '^1.0.0' },
})

const fail = async () => {
  throw new Error('Jane Doe <jane@example.com> is not in "Kunden"')
}

beforeAll(async () => {
  app = await createTestApp({ plugins: [steady, shaky] })
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(async () => {
  answer = async () => 'fine'
  hear = async () => {}
  work = async () => {}
  help = async () => 'helped'
  helpAtOnce = () => 'helped'
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

test('a service is used in the piece of work that asked for it: kept for longer, its code is run no more', async () => {
  const ask = (of: string) => here.admin.post('/api/steady/asks', { of })
  expect((await ask('first')).status).toBe(200)
  let runs = 0
  help = async () => `run ${(runs += 1)}`
  helpAtOnce = () => `run ${(runs += 1)}`
  for (const way of ['later', 'laterCall', 'laterGetter', 'laterStep'])
    expect([way, await ask(way)]).toMatchObject([
      way,
      { status: 500, body: { code: 'SERVICE_ENDED', detail: expect.stringContaining('shaky/echoes@1') } },
    ])
  expect(runs).toBe(0)
  expect((await ask('service')).status).toBe(200)
  await here.admin.post('/api/core/plugins/shaky/disable', {})
  expect((await ask('later')).body.code).toBe('SERVICE_ENDED')
  expect(runs).toBe(1)
  await here.admin.post('/api/core/plugins/shaky/enable', {})
})

test.each([
  ['a service', () => here.admin.post('/api/steady/asks', { of: 'service' })],
  ['a service that answers itself', () => here.admin.post('/api/steady/asks', { of: 'itself' })],
  ['a getter of a service', () => here.admin.post('/api/steady/asks', { of: 'getter' })],
  ['a setter of a service', () => here.admin.post('/api/steady/asks', { of: 'setter' })],
  ['a service that answers step by step', () => here.admin.post('/api/steady/asks', { of: 'generator' })],
  ['a contribution', () => here.admin.post('/api/steady/asks', { of: 'contribution' })],
  ['an instance that is contributed', () => here.admin.post('/api/steady/asks', { of: 'choir' })],
  ['a guard', () => here.admin.post('/api/core/leads', { lastName: 'Guarded' })],
])('what %s of a module fails at is its own fault and no other’s, and what it refuses is an answer', async (_, ask) => {
  expect((await ask()).status).toBeLessThan(300)
  help = async () => {
    throw refused({})
  }
  helpAtOnce = () => {
    throw refused({})
  }
  expect(await ask()).toMatchObject({ status: 409, body: { code: 'SHAKY_REFUSED' } })
  help = fail as () => Promise<never>
  helpAtOnce = () => {
    throw new Error('No voice')
  }
  expect(await ask()).toMatchObject({ status: 503, body: { code: 'PLUGIN_FAILED', plugin: 'shaky' } })
  await expect.poll(async () => (await cardOf('shaky')).incident?.count).toBe(1)
  expect(await cardOf('steady')).not.toHaveProperty('incident')
  for (let nth = 0; nth < 4; nth += 1) await ask()
  await stopped()
  expect((await cardOf('steady')).state).toBe('enabled')
})

test('platform P30: a test reads what was told, what was logged and what failed', async () => {
  answer = async () => {
    throw new TypeError("Cannot read properties of undefined (reading 'crate')")
  }
  for (let nth = 0; nth < 5; nth += 1) await call()
  await stopped()
  expect(await here.told(PluginQuarantined)).toMatchObject([
    { name: 'core.plugin.quarantined', payload: { plugin: 'shaky', reason: expect.stringContaining('of its last') } },
  ])
  expect(await here.incidents()).toMatchObject([{ plugin: 'shaky', kind: 'request', count: 5 }])
  expect(app.logged).toContainEqual(
    expect.objectContaining({ msg: 'a plugin is stopped', plugin: 'shaky', workspace: here.workspace.id }),
  )
  const elsewhere = await app.secondWorkspace()
  expect([await elsewhere.told(PluginQuarantined), await elsewhere.incidents()]).toEqual([[], []])
})

test('whatever a module throws is a failure that is answered and counted', async () => {
  for (const thrown of ['no ink', undefined, { code: 'NONE' }]) {
    answer = async () => {
      throw thrown as unknown as Error
    }
    const { status, body } = await call()
    expect({ status, body }).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL_ERROR', requestId: expect.any(String) },
    })
  }
  await expect.poll(async () => (await cardOf('shaky')).incident).toBeDefined()
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

test('what has not failed again for ninety days is forgotten', async () => {
  await using later = await createTestApp({ plugins: [steady], now: '2026-03-02T09:00:00Z' })
  const { incidents, database } = later.app.kernel.parts
  const note = (why: string) =>
    incidents.note({ workspace: later.workspace.id, plugin: 'steady', kind: 'request', error: new TypeError(why) })
  const kept = async () => {
    const { rows } = await sql<{ detail: string }>`
      select detail from core.plugin_incident where workspace = ${later.workspace.id}::uuid order by detail`.execute(
      database.owner,
    )
    return rows.map(({ detail }) => detail)
  }
  await later.app.jobs.runUntilIdle()
  await note('of long ago')
  later.clock.advance('P80D')
  await (async () => note('of late'))()
  later.clock.advance('P9D')
  await later.app.jobs.runUntilIdle()
  expect(await kept()).toHaveLength(2)
  later.clock.advance('P2D')
  await later.app.jobs.runUntilIdle()
  expect(await kept()).toEqual(['TypeError: of late'])
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

test('a loop that lets nothing else run is told with whose it is and where', async () => {
  const countSlowly = () => {
    const end = performance.now() + 2_500
    let turns = 0
    while (performance.now() < end) turns += JSON.stringify({ turns }).length
  }
  const told = await standstillDuring(async () => countSlowly())
  expect(told).toMatchObject({ plugin: 'shaky', who: { plugin: 'shaky', workspace: here.workspace.id } })
  // It may be inside of what the loop calls of Node.
  const own = told.frames.find((frame) => !frame.includes('(node:'))
  expect(own).toMatch(/^countSlowly \(.*quarantine\.test\.ts:\d+\)$/)
})

// On a server its statements run elsewhere.
test.skipIf(process.env['TEST_DATABASE_URL'])('a standstill of the embedded database is no module’s', async () => {
  const told = await standstillDuring((ctx) => sql`select count(*) from generate_series(1, 20000000)`.execute(ctx.sql))
  expect(told).not.toHaveProperty('plugin')
  expect(told.frames.join()).toContain('pglite')
})

/** What is told of a unit of a module that lets nothing else run. */
async function standstillDuring(work: (ctx: Context) => Promise<unknown>): Promise<{ readonly frames: string[] }> {
  const lines: { frames: string[] }[] = []
  const { faults } = app.app.kernel.parts
  const guard = watch(faults, pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) }))
  try {
    const unit = { workspace: here.workspace.id, plugin: 'shaky', cause: { origin: 'plugin' } } as const
    await app.app.kernel.runUnit(unit, work)
    await expect.poll(() => lines, { timeout: 10_000 }).toMatchObject([{ msg: 'the event loop stood still' }])
    return lines[0]!
  } finally {
    await guard.stop()
  }
}
