import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { helloPlugin } from '@socle/example-hello'
import { definePlugin, defineRoute, subscriber } from '@socle/sdk'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Context } from '../src/context.ts'
import { SocleError } from '../src/errors.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp
let here: TestWorkspace
/** What the probe's code did, in order. */
let did: string[]
let onInstall: (ctx: Context) => Promise<void>
let onEnable: (ctx: Context) => Promise<void | (() => void)>
let onDisable: (ctx: Context) => Promise<void>
let health: (ctx: Context) => Promise<void>
let slow: (ctx: Context) => Promise<string>
/** The last of what it tells for the demonstration. */
let tellMore: () => Promise<void>

const probe = definePlugin({
  id: 'probe',
  version: '1.1.0',
  platform: '^1.0.0',
  title: { en: 'Probe', fr: 'Sonde' },
  requires: { hello: '^1.0.0' },
  roleTemplates: [{ id: 'probe.role', title: { en: 'Prober', fr: 'Sondeur' }, grants: [] }],
  subscribers: [
    subscriber('accounts', 'core.account.created', async () => {
      did.push('heard')
    }),
  ],
  routes: [
    defineRoute({
      method: 'get',
      path: '/slow',
      permission: 'authenticated',
      summary: 'Slow',
      answer: z.string(),
      handle: (_, ctx) => slow(ctx),
    }),
    defineRoute({
      method: 'post',
      path: '/slow',
      permission: 'authenticated',
      summary: 'Slowly sent',
      body: z.object({}),
      answer: z.string(),
      async handle() {
        did.push('answered')
        return 'done'
      },
    }),
  ],
  lifecycle: {
    health: (ctx) => health(ctx),
    onInstall: (ctx) => onInstall(ctx),
    onEnable: (ctx) => onEnable(ctx),
    onDisable: (ctx) => onDisable(ctx),
  },
  demo: async (ctx) => {
    await ctx.records.create('core.account', { name: 'Of the demonstration' })
    await tellMore()
  },
})
const needsProbe = definePlugin({
  id: 'needs-probe',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Needs probe', fr: 'A besoin de la sonde' },
  requires: { probe: '^1.0.0' },
  lifecycle: {
    async onDisable() {
      did.push('dependent off')
    },
  },
})

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin, probe, needsProbe], enable: ['hello'] })
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(async () => {
  did = []
  health = async () => {}
  onInstall = async () => {}
  onEnable = async () => {}
  onDisable = async () => {}
  slow = async () => 'done'
  tellMore = async () => {}
  here = await app.secondWorkspace()
})

const toggle = (id: string, verb: 'enable' | 'disable', body: object = {}, by = here.admin) =>
  by.post(`/api/core/plugins/${id}/${verb}`, body)
const stateOf = async (id: string) =>
  (await here.admin.get('/api/core/plugins')).body.data.find((card: { id: string }) => card.id === id).state
const owner = () => app.app.kernel.parts.database.owner
const rowsOf = async (id: string) => {
  const { rows } = await sql<{ state: string }>`
    select state from core.plugin_workspace where plugin = ${id} and workspace = ${here.workspace.id}::uuid`.execute(
    owner(),
  )
  return rows
}

describe('switching a module on', () => {
  test('lets it prepare itself, its own records at hand, before anybody reaches it', async () => {
    let answered = 0
    onEnable = async (ctx) => {
      answered = (await here.admin.get('/api/probe/slow')).status
      did.push(ctx.actor.type)
    }
    if (app.app.kernel.parts.database.kind === 'pglite') onEnable = async (ctx) => void did.push(ctx.actor.type)
    expect((await toggle('probe', 'enable')).body.data).toMatchObject({ state: 'enabled' })
    expect(did).toEqual(['plugin'])
    expect([0, 404]).toContain(answered)
    expect((await here.admin.get('/api/probe/slow')).status).toBe(200)
  })

  describe('in a company that shows the demonstration', () => {
    beforeEach(async () => {
      await sql`update core.workspace set demo = true where id = ${here.workspace.id}::uuid`.execute(owner())
    })
    // Nobody after it is to hear of it.
    afterEach(() => app.deliver())
    const told = async () => (await here.admin.get('/api/core/accounts?q=demonstration')).body.data.length

    test('has it tell its part of it, once', async () => {
      await toggle('probe', 'enable')
      expect(await told()).toBe(1)
      await toggle('probe', 'disable')
      await toggle('probe', 'enable')
      expect(await told()).toBe(1)
    })

    test('keeps it on where it cannot, with nothing of it told', async () => {
      tellMore = async () => {
        throw new Error('Out of stories')
      }
      expect((await toggle('probe', 'enable')).body.data).toMatchObject({ state: 'enabled' })
      expect(await told()).toBe(0)
      expect(await here.incidents()).toMatchObject([{ plugin: 'probe', kind: 'toggle' }])
    })
  })

  test('leaves nothing behind when it cannot start: no role, no event to come, only the incident', async () => {
    health = async () => {
      throw new Error('The probe of jane.doe@example.com has no needle')
    }
    expect(await toggle('probe', 'enable')).toMatchObject({ status: 422, body: { code: 'PLUGIN_NOT_STARTED' } })
    expect(await stateOf('probe')).toBe('disabled')
    expect(await rowsOf('probe')).toEqual([])
    await here.admin.post('/api/core/accounts', { name: 'Meanwhile' })
    const { rows } = await sql<{ kind: string; detail: string; stack: string }>`
      select kind, detail, stack from core.plugin_incident where workspace = ${here.workspace.id}::uuid`.execute(
      owner(),
    )
    expect(rows).toMatchObject([{ kind: 'toggle', stack: expect.stringContaining('toggle.test.ts') }])
    expect(JSON.stringify(rows)).not.toContain('jane.doe')
    const roles = await here.admin.get('/api/core/roles')
    expect(JSON.stringify(roles.body)).not.toContain('Prober')

    health = async () => {}
    expect((await toggle('probe', 'enable')).status).toBe(200)
    await app.deliver()
    expect(did).toEqual([])
    await here.admin.post('/api/core/accounts', { name: 'Afterwards' })
    await app.deliver()
    expect(did).toEqual(['heard'])
  })

  test('refuses one whose requirement is off, and says which version would do and which is there', async () => {
    await toggle('hello', 'disable')
    expect(await toggle('probe', 'enable')).toMatchObject({
      status: 409,
      body: {
        code: 'PLUGIN_REQUIREMENT_MISSING',
        detail: expect.stringContaining('probe needs hello ^1.0.0, found 1.0.0 (off)'),
      },
    })
  })

  test('refuses a second that comes while the first is at it, with who that is and since when', async () => {
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    onEnable = async () => {
      begun.resolve()
      await go.promise
    }
    if (app.app.kernel.parts.database.kind === 'pglite') return
    const first = toggle('probe', 'enable')
    await begun.promise
    const second = await toggle('probe', 'enable')
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'PLUGIN_BUSY', detail: expect.stringContaining('switched on by Claire Admin since') },
    })
    expect(await stateOf('probe')).toBe('disabled')
    const elsewhere = await app.secondWorkspace()
    const stranger = await toggle('probe', 'enable', {}, elsewhere.admin)
    expect(stranger.body.code).toBe('PLUGIN_BUSY')
    expect(stranger.body.detail).not.toContain('Claire Admin')
    go.resolve()
    expect((await first).status).toBe(200)
    expect((await toggle('probe', 'disable')).status).toBe(200)
  })

  test('installs once, also where it breaks off after what it installed was kept', async () => {
    onInstall = async (ctx) => {
      did.push('installed')
      ctx.afterCommit(() => {
        throw new Error('Cut off')
      })
    }
    expect((await toggle('probe', 'enable')).status).toBe(422)
    expect(await stateOf('probe')).toBe('disabled')
    onInstall = async () => void did.push('installed again')
    expect((await toggle('probe', 'enable')).status).toBe(200)
    expect(did).toEqual(['installed'])
  })

  test('undoes all of it where another process has prepared the workspace meanwhile', async () => {
    onEnable = async (ctx) => {
      await ctx.records.create('core.account', { name: 'Prepared twice' })
      // The other process is taken for this one’s successor: it wrote what only it can write now.
      await sql`select core.keep_prepared('probe', null, '0.9.0')`.execute(ctx.sql)
      return () => void did.push('taken back')
    }
    expect(await toggle('probe', 'enable')).toMatchObject({ status: 503, body: { code: 'OPERATION_LOST' } })
    expect(did).toEqual(['taken back'])
    const { data } = (await here.admin.get('/api/core/accounts')).body
    expect(data.map(({ name }: { name: string }) => name)).not.toContain('Prepared twice')
    expect(await rowsOf('probe')).toEqual([])
  })

  test('takes over what a process that died was at, from the beginning', async () => {
    onInstall = async () => void did.push('installed')
    health = async () => {
      throw new Error('No needle yet')
    }
    await sql`
      insert into core.plugin_operation (plugin, operation, by_name, process, since)
      values ('probe', 'enable', 'Somebody', ${randomUUID()}::uuid, now() - interval '1 minute')`.execute(owner())
    await sql`
      insert into core.plugin_workspace (plugin, workspace, state)
      values ('probe', ${here.workspace.id}::uuid, 'enabling')`.execute(owner())
    expect(await stateOf('probe')).toBe('disabled')
    expect((await toggle('probe', 'enable')).status).toBe(422)
    expect(await rowsOf('probe')).toEqual([])
    health = async () => {}
    await sql`
      insert into core.plugin_workspace (plugin, workspace, state)
      values ('probe', ${here.workspace.id}::uuid, 'enabling')`.execute(owner())
    expect((await toggle('probe', 'enable')).status).toBe(200)
    const { rows } = await sql`select 1 from core.plugin_operation`.execute(owner())
    expect(rows).toEqual([])
    await toggle('probe', 'disable')
    await toggle('probe', 'enable')
    expect(did).toEqual(['installed'])
  })
})

describe('switching a module off', () => {
  test('runs what it began to be taken back, once, after its last request', async () => {
    onEnable = async () => () => void did.push('taken back')
    onDisable = async () => void did.push('off')
    await toggle('probe', 'enable')
    const begun = Promise.withResolvers<void>()
    slow = async () => {
      begun.resolve()
      await pause(50)
      did.push('answered')
      return 'done'
    }
    const asked = here.admin.get('/api/probe/slow')
    await begun.promise
    await toggle('probe', 'disable')
    expect((await asked).status).toBe(200)
    expect(did).toEqual(['answered', 'taken back', 'off'])
    await toggle('probe', 'enable')
    await toggle('probe', 'disable')
    expect(did.filter((it) => it === 'taken back')).toHaveLength(2)
    expect(app.app.kernel.parts.scopes.size).toBe(0)
  })

  test.each([
    ['switched off', 404, 'PLUGIN_DISABLED', () => toggle('probe', 'disable')],
    [
      'stopped',
      503,
      'PLUGIN_QUARANTINED',
      () =>
        app.app.toggle.quarantine(
          { workspace: here.workspace.id, plugin: 'probe' },
          new SocleError('BROKEN', 500, 'Broken'),
        ),
    ],
  ])('refuses a request whose body was still on its way when it was %s', async (_, status, code, off) => {
    await toggle('probe', 'enable')
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          begun.resolve()
          await go.promise
          controller.enqueue(new TextEncoder().encode('{}'))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const asked = here.admin.send('POST', '/api/probe/slow', body)
    await begun.promise
    await off()
    go.resolve()
    expect(await asked).toMatchObject({ status, body: { code } })
    expect(did).not.toContain('answered')
  })

  test('leaves it off when its own last words fail, and keeps the incident', async () => {
    onDisable = async () => {
      throw new TypeError("Cannot read properties of undefined (reading 'needle')")
    }
    await toggle('probe', 'enable')
    expect((await toggle('probe', 'disable')).body.data).toMatchObject({
      state: 'disabled',
      incident: { message: expect.stringContaining("reading 'needle'"), stackLine: expect.stringContaining('at ') },
    })
  })

  test('platform-04: names dependents, and goes through them first when all are to go, as the preview said', async () => {
    await toggle('probe', 'enable')
    await toggle('needs-probe', 'enable')
    onDisable = async () => void did.push('off')
    expect(await toggle('probe', 'disable')).toMatchObject({
      status: 409,
      body: { code: 'PLUGIN_HAS_DEPENDENTS', dependents: ['needs-probe'] },
    })
    await here.admin.post('/api/core/accounts', { name: 'Waits' })
    const preview = (await here.admin.get('/api/core/plugins/probe/what-breaks')).body.data
    expect(preview).toMatchObject({
      heldEvents: 1,
      subscriptions: [{ id: 'accounts', event: 'core.account.created', held: 1 }],
      dependents: [{ id: 'needs-probe' }],
    })
    await toggle('probe', 'disable', { cascade: true })
    expect(did).toEqual(['dependent off', 'off'])
    const held = await sql`
      select 1 from core.delivery where workspace = ${here.workspace.id}::uuid and state = 'held'`.execute(owner())
    expect(held.rows).toHaveLength(preview.heldEvents)
    expect(await stateOf('needs-probe')).toBe('disabled')
  })
})

test('work of a module that is switched off is interrupted when patience with it ends, and keeps nothing', async () => {
  const { kernel } = app.app
  if (kernel.parts.database.kind === 'pglite') return
  await toggle('probe', 'enable')
  await using impatient = await createTestApp({
    plugins: [helloPlugin, probe, needsProbe],
    enable: [],
    drainSeconds: 0.05,
  })
  const begun = Promise.withResolvers<string>()
  const late = Promise.withResolvers<void>()
  const unit = { workspace: here.workspace.id, plugin: 'probe', cause: { origin: 'test' } }
  const work = impatient.app.kernel.runUnit(unit, async (ctx) => {
    begun.resolve((await ctx.records.create('core.account', { name: 'Half done' })).id)
    await late.promise
  })
  work.catch(() => {})
  const id = await begun.promise
  await impatient.app.toggle.disable(here.workspace, 'probe', undefined, false)
  await expect(work).rejects.toMatchObject({ code: 'PLUGIN_DISABLED' })
  // Also when it ends by itself, afterwards: whoever tells of a record holds this lock until the end of the unit.
  late.resolve()
  await sql`select pg_advisory_lock(hashtextextended(${id}, 0)), pg_advisory_unlock(hashtextextended(${id}, 0))`.execute(
    owner(),
  )
  expect((await here.admin.get('/api/core/accounts?filter=name = "Half done"')).body.data).toEqual([])
})
