import { salesPlugin } from '@socle/sales'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'
import { brokenSubscriber, follow, letterRefused, type Heard } from './broken-subscriber.ts'

let app: TestApp
let heard: Heard
let here: TestWorkspace

beforeAll(async () => {
  const broken = brokenSubscriber()
  heard = broken.heard
  app = await createTestApp({ plugins: [salesPlugin, broken.plugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())
// Each test has a company of its own.
beforeEach(async () => {
  here = await app.secondWorkspace()
  heard.poisoned.clear()
  heard.steps.length = 0
  heard.tries = 0
  delete heard.refusal
})

async function account(name: string): Promise<string> {
  const { status, body } = await here.admin.post('/api/core/accounts', { name })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data.id
}

/** Changes an account once for each city, so that there is an event of each version from the next on. */
async function move(id: string, ...cities: readonly string[]): Promise<void> {
  for (const city of cities) {
    const { version } = (await here.admin.get(`/api/core/accounts/${id}`)).body.data
    expect((await here.admin.patch(`/api/core/accounts/${id}`, { version, city })).status).toBe(200)
  }
}

/** Lets all eight tries pass. */
async function die(): Promise<void> {
  for (const wait of ['PT0S', 'PT5S', 'PT15S', 'PT45S', 'PT135S', 'PT405S', 'PT1215S', 'PT1H']) {
    app.clock.advance(wait)
    await app.deliver()
  }
}

const versions = (record: string) => heard.steps.filter((it) => it.record === record).map(({ version }) => version)
const deliveries = async (state: string, more = '') =>
  (await here.admin.get(`/api/core/events/deliveries?state=${state}&subscription=${follow}${more}`)).body.data
const subscription = follow

/** An account whose first change is a dead letter with two more behind it. */
async function poisonedAccount(): Promise<{ id: string; event: string }> {
  const id = await account('Poisoned')
  heard.poisoned.add(id)
  await move(id, 'Lyon', 'Nice', 'Brest')
  await die()
  const [letter] = await deliveries('dead', `&record=${id}`)
  return { id, event: letter.event.id }
}

describe('a dead letter', () => {
  test('platform-07: after eight tries it blocks its record and no other, and a redrive after a fix delivers the rest in order', async () => {
    const healthy = await account('Healthy')
    const { id, event } = await poisonedAccount()
    await move(healthy, 'Metz', 'Dijon')
    await app.deliver()
    expect(heard.tries).toBe(8 + 2)
    expect(versions(healthy)).toEqual([2, 3])
    expect(await deliveries('dead')).toMatchObject([
      { attempts: 8, dueAt: null, blocks: true, behind: 2, event: { id: event, record: id, payload: { version: 2 } } },
    ])
    expect(await deliveries('blocked')).toMatchObject([
      { state: 'blocked', dueAt: null, waitsFor: event, event: { payload: { version: 3 } } },
      { state: 'blocked', dueAt: null, waitsFor: event, event: { payload: { version: 4 } } },
    ])
    heard.poisoned.clear()
    const answer = await here.admin.post('/api/core/events/redrive', { subscription, event })
    expect(answer.body).toEqual({ data: { redriven: 1, left: 0 } })
    await app.deliver()
    expect(versions(id)).toEqual([2, 3, 4])
    for (const state of ['dead', 'blocked', 'waiting', 'held']) expect(await deliveries(state)).toEqual([])
  })

  test('that fails again after a redrive gets its tries again and blocks its record as before', async () => {
    const { id, event } = await poisonedAccount()
    await here.admin.post('/api/core/events/redrive', { subscription, event })
    await app.deliver()
    expect(await deliveries('waiting')).toMatchObject([{ attempts: 1 }, { attempts: 0 }, { attempts: 0 }])
    await die()
    expect(await deliveries('dead')).toMatchObject([{ attempts: 8, behind: 2, event: { record: id } }])
    expect(versions(id)).toEqual([])
  })

  test('is redriven with all the others of its subscriber at once', async () => {
    const ids = [await account('One'), await account('Two')]
    for (const id of ids) {
      heard.poisoned.add(id)
      await move(id, 'Lyon', 'Nice')
    }
    await die()
    heard.poisoned.clear()
    expect((await here.admin.post('/api/core/events/redrive', { subscription })).body.data).toEqual({
      redriven: 2,
      left: 0,
    })
    await app.deliver()
    for (const id of ids) expect(versions(id)).toEqual([2, 3])
  })

  test('platform-07: is skipped with a reason that the audit keeps, and what waits behind it goes on', async () => {
    const { id, event } = await poisonedAccount()
    const without = await here.admin.post('/api/core/events/skip', { subscription, event, reason: ' ' })
    expect(without).toMatchObject({ status: 422, body: { errors: [{ path: '/reason' }] } })
    heard.poisoned.clear()
    const reason = 'The account was merged by hand'
    expect((await here.admin.post('/api/core/events/skip', { subscription, event, reason })).body).toEqual({
      data: { freed: 2 },
    })
    await app.deliver()
    expect(versions(id)).toEqual([3, 4])
    const { body } = await here.admin.get('/api/core/audit?resource=core.delivery')
    expect(body.data).toMatchObject([
      {
        reason,
        actor: { name: 'Claire Admin' },
        mayUndo: false,
        changes: [
          {
            record: event,
            title: follow,
            changes: expect.arrayContaining([{ field: 'state', old: 'dead', new: 'skipped' }]),
          },
        ],
      },
    ])
    const { body: told } = await here.admin.get(`/api/core/events?record=${id}&event=core.account.updated`)
    expect(told.data.map((it: { told: object[] }) => it.told)).toEqual(
      [
        [{ subscription: follow, state: 'done' }],
        [{ subscription: follow, state: 'done' }],
        [{ subscription: follow, state: 'skipped' }],
      ].map((it) => expect.arrayContaining(it)),
    )
  })

  test('that is not there is not redriven or skipped, and neither is one of another company', async () => {
    const { event } = await poisonedAccount()
    const other = await app.secondWorkspace()
    const body = { subscription, event, reason: 'Not ours to say' }
    for (const [verb, sent] of [
      ['redrive', { subscription, event }],
      ['skip', body],
    ] as const)
      expect(await other.admin.post(`/api/core/events/${verb}`, sent)).toMatchObject({
        status: 404,
        body: { code: 'DEAD_LETTER_NOT_FOUND' },
      })
    expect(await here.admin.post('/api/core/events/redrive', { subscription: 'nobody/there' })).toMatchObject({
      status: 404,
      body: { code: 'SUBSCRIPTION_UNKNOWN', detail: expect.stringContaining('nobody/there') },
    })
    expect((await other.admin.get('/api/core/events/deliveries?state=dead')).body.data).toEqual([])
    expect(await deliveries('dead')).toHaveLength(1)
  })
})

describe('what went wrong', () => {
  test('is told by the code and sentence of a refusal without what it quotes, and by its place in the module', async () => {
    const { event } = await poisonedAccount()
    heard.refusal = ({ name }) => letterRefused({ name, others: ['Duval', 'Marchand'], weight: '12 400.50' })
    await here.admin.post('/api/core/events/redrive', { subscription, event })
    await app.deliver()
    const [{ lastError }] = await deliveries('waiting')
    expect(lastError).toMatch(
      /^LETTER_REFUSED: "…" stands behind …, … with … kg\. Free it first\. at \S*dead-letters\.test\.ts:\d+$/,
    )
    await die()
    const { body } = await here.admin.get('/api/core/events?event=core.delivery.died')
    expect(body.data[0].payload.error).toBe(lastError)
  })

  test('names the place of an error whose words stay in the log', async () => {
    await poisonedAccount()
    const [{ lastError, waitsFor }] = await deliveries('dead')
    expect(lastError).toMatch(/^Error at \S*broken-subscriber\.ts:\d+$/)
    expect(waitsFor).toBeNull()
  })
})

describe('a replay', () => {
  const replay = async (asked: object) => {
    const answer = await here.admin.post('/api/core/events/replay', { subscription, ...asked })
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 })
    await app.app.jobs.runUntilIdle()
    await app.deliver()
    return (await here.admin.get(`/api/core/jobs/${answer.body.data.job}`)).body.data
  }

  test('swallows what was done unless it is to be done again, and keeps the ids and the order', async () => {
    const id = await account('Told')
    await move(id, 'Lyon', 'Nice')
    await app.deliver()
    const first = [...heard.steps]
    expect(await replay({})).toMatchObject({ state: 'done', result: { looked: 2, replayed: 0 } })
    expect(heard.steps).toEqual(first)
    expect(await replay({ again: true })).toMatchObject({ result: { looked: 2, replayed: 2 } })
    expect(heard.steps).toEqual([...first, ...first])
  })

  test('reaches back to what was told before the subscriber was there, once', async () => {
    const id = await account('Early')
    await sql`update core.subscription set active = false where id = ${follow}`.execute(owner())
    await move(id, 'Lyon', 'Nice')
    await sql`update core.subscription set active = true where id = ${follow}`.execute(owner())
    await move(id, 'Brest')
    await app.deliver()
    expect(versions(id)).toEqual([4])
    await replay({})
    expect(versions(id)).toEqual([4, 2, 3])
    await replay({})
    expect(versions(id)).toEqual([4, 2, 3])
  })

  test('goes before what its record still waits for, however much later that was told', async () => {
    const id = await account('Ordered')
    await sql`update core.subscription set active = false where id = ${follow}`.execute(owner())
    await move(id, 'Lyon', 'Nice')
    await sql`update core.subscription set active = true where id = ${follow}`.execute(owner())
    await move(id, 'Brest', 'Metz')
    await replay({})
    expect(versions(id)).toEqual([2, 3, 4, 5])
  })

  test('behind a dead letter is blocked with the rest of its record', async () => {
    const { id } = await poisonedAccount()
    await sql`update core.event set told_to = '{}' where key = ${id}::uuid and payload ->> 'version' = '4'`.execute(
      owner(),
    )
    await sql`delete from core.delivery d using core.event e where e.id = d.event and e.key = ${id}::uuid and e.payload ->> 'version' = '4'`.execute(
      owner(),
    )
    await replay({ record: id })
    expect(versions(id)).toEqual([])
    expect(
      (await deliveries('blocked')).map((it: { event: { payload: { version: number } } }) => it.event.payload.version),
    ).toEqual([3, 4])
  })

  test('takes only what was told in its time, and of its record', async () => {
    const [one, two] = [await account('One'), await account('Two')]
    await move(one, 'Lyon')
    app.clock.advance('PT1H')
    const from = app.clock.now().toISOString()
    await move(one, 'Nice')
    await move(two, 'Nice')
    app.clock.advance('PT1H')
    const to = app.clock.now().toISOString()
    app.clock.advance('PT1H')
    await move(one, 'Brest')
    await app.deliver()
    heard.steps.length = 0
    await replay({ from, to, record: one, again: true })
    expect(heard.steps).toMatchObject([{ record: one, version: 3 }])
    expect(await here.admin.post('/api/core/events/replay', { subscription, from: to, to: from })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/to', code: 'SPAN_BACKWARDS', detail: expect.stringContaining(from) }] },
    })
  })

  test('is refused while another of its subscriber is under way', async () => {
    await here.admin.post('/api/core/events/replay', { subscription })
    expect(await here.admin.post('/api/core/events/replay', { subscription })).toMatchObject({
      status: 409,
      body: { code: 'REPLAY_UNDER_WAY' },
    })
    await app.app.jobs.runUntilIdle()
  })
})

describe('what an event says', () => {
  const may = ['core.event.read', 'sales.opportunity.read', 'core.account.read']

  async function wonEvent(reader: TestClient) {
    const { body } = await reader.get('/api/core/events?event=sales.opportunity.won')
    return body.data[0]
  }

  beforeEach(async () => {
    const stages = (await here.admin.get('/api/sales/stages')).body.data as { id: string; kind: string }[]
    const won = stages.find(({ kind }) => kind === 'won')
    await here.admin.post('/api/sales/opportunities', {
      name: 'Bottling line',
      account: await account('Garonne'),
      amount: '18400.00',
      stage: won?.id,
    })
  })

  test('is told whole to who may read all of its record', async () => {
    expect(await wonEvent(here.admin)).toMatchObject({
      resource: 'sales.opportunity',
      payload: { amount: '18400.0000', currency: 'EUR' },
      hidden: [],
    })
  })

  test('leaves out a field that the reader may not read, and whatever might be made of it', async () => {
    const reader = await here.as({
      may,
      fields: [{ resource: 'sales.opportunity', field: 'amount', access: 'none' }],
    })
    const event = await wonEvent(reader)
    expect(Object.keys(event.payload).toSorted()).toEqual(['account', 'currency', 'opportunity'])
    expect(event.hidden).toEqual(expect.arrayContaining(['amount', 'on']))
    expect(JSON.stringify(event)).not.toContain('18400')
  })

  test('says nothing of a record that the reader does not see, nor what went wrong with it', async () => {
    const reader = await here.as({ may, grants: [] })
    const other = await here.as({
      may: ['core.event.read'],
      grants: [{ resource: 'sales.opportunity', action: 'read', visibility: 'own' }],
    })
    expect((await wonEvent(reader)).payload).toMatchObject({ amount: '18400.0000' })
    expect(await wonEvent(other)).toMatchObject({ payload: null, hidden: [] })
    await poisonedAccount()
    const [letter] = (await other.get('/api/core/events/deliveries')).body.data
    expect(letter).toMatchObject({ attempts: 8, lastError: null, event: { payload: null } })
    expect((await deliveries('dead'))[0].lastError).toEqual(expect.any(String))
  })

  test('of a changed record names only the fields that may be read', async () => {
    const id = await account('Named')
    await move(id, 'Lyon')
    const reader = await here.as({ may, fields: [{ resource: 'core.account', field: 'city', access: 'none' }] })
    const changed = async (client: TestClient) =>
      (await client.get(`/api/core/events?record=${id}&event=core.account.updated`)).body.data[0].payload.changed
    expect(await changed(here.admin)).toContain('city')
    expect(await changed(reader)).not.toContain('city')
  })
})

describe('the events', () => {
  test('page to the end, newest first, by event, record and subscriber', async () => {
    const id = await account('Paged')
    await move(id, 'a', 'b', 'c', 'd', 'e')
    const seen: number[] = []
    let after = ''
    do {
      const { body } = await here.admin.get(
        `/api/core/events?record=${id}&subscription=${follow}&limit=2${after && `&after=${after}`}`,
      )
      seen.push(...body.data.map((it: { payload: { version: number } }) => it.payload.version))
      after = body.page.next
    } while (after)
    expect(seen).toEqual([6, 5, 4, 3, 2])
    expect(await here.admin.get('/api/core/events?after=nonsense')).toMatchObject({
      status: 400,
      body: { code: 'CURSOR_INVALID' },
    })
  })

  test('of a queue page to the end too, the longest due first', async () => {
    const ids = [await account('One'), await account('Two'), await account('Three')]
    for (const id of ids) await move(id, 'Lyon')
    const seen: string[] = []
    let after = ''
    do {
      const { body } = await here.admin.get(
        `/api/core/events/deliveries?state=waiting&subscription=${follow}&limit=1${after && `&after=${after}`}`,
      )
      seen.push(...body.data.map((it: { event: { record: string } }) => it.event.record))
      after = body.page.next
    } while (after)
    expect(seen).toEqual(ids)
  })

  test('each need their permission', async () => {
    const nobody = await here.as({ may: ['core.account.read'] })
    for (const path of ['', '/deliveries', '/subscribers'])
      expect(await nobody.get(`/api/core/events${path}`)).toMatchObject({ status: 403 })
    const reader = await here.as({ may: ['core.event.read'] })
    const body = { subscription, event: '0193d1a2-0000-7000-8000-0000000000a1' }
    for (const [verb, sent] of [
      ['redrive', body],
      ['skip', { ...body, reason: 'Because' }],
      ['replay', { subscription }],
    ] as const)
      expect(await reader.post(`/api/core/events/${verb}`, sent)).toMatchObject({
        status: 403,
        body: { code: 'PERMISSION_DENIED', detail: expect.stringContaining(`core.event.${verb}`) },
      })
  })

  test('are counted for each subscriber, whose plugin is or was on here', async () => {
    await poisonedAccount()
    const { subscribers } = (await here.admin.get('/api/core/events/subscribers')).body.data
    expect(subscribers.find(({ id }: { id: string }) => id === follow)).toMatchObject({
      event: 'core.account.updated',
      version: 1,
      whileDisabled: 'hold',
      afterDeadLetter: 'hold-record',
      enabled: true,
      dead: 1,
      blocked: 2,
    })
    await here.admin.post('/api/core/plugins/broken-subscriber/disable')
    await move(await account('Meanwhile'), 'Lyon')
    await app.deliver()
    const { subscribers: off } = (await here.admin.get('/api/core/events/subscribers')).body.data
    expect(off.find(({ id }: { id: string }) => id === follow)).toMatchObject({
      enabled: false,
      pluginTitle: 'Broken subscriber',
      held: 1,
      dead: 1,
    })
  })

  test('are listed by version, with who still hears an earlier one', async () => {
    const { kinds } = (await here.admin.get('/api/core/events/subscribers')).body.data
    expect(kinds).toContainEqual({
      name: 'core.account.updated',
      version: 1,
      plugin: 'core',
      outdated: false,
      heardBy: expect.arrayContaining([follow]),
    })
    expect(kinds.filter(({ name }: { name: string }) => name === 'broken-subscriber.letter.sent')).toEqual([
      { name: 'broken-subscriber.letter.sent', version: 2, plugin: 'broken-subscriber', outdated: false, heardBy: [] },
      {
        name: 'broken-subscriber.letter.sent',
        version: 1,
        plugin: 'broken-subscriber',
        outdated: true,
        heardBy: ['broken-subscriber/file'],
      },
    ])
  })

  test('are forgotten after thirty days or those the company chose, but for those somebody is still owed', async () => {
    const done = await account('Done')
    await move(done, 'Lyon')
    const { id } = await poisonedAccount()
    await app.app.jobs.runUntilIdle()
    const left = async (record: string) =>
      (await here.admin.get(`/api/core/events?record=${record}&event=core.account.updated`)).body.data.length
    await here.admin.patch('/api/core/workspace', { eventDays: 90 })
    app.clock.advance('P31D')
    await app.app.jobs.runUntilIdle()
    expect(await left(done)).toBe(1)
    await here.admin.patch('/api/core/workspace', { eventDays: 30 })
    app.clock.advance('P1D')
    await app.app.jobs.runUntilIdle()
    expect(await left(done)).toBe(0)
    expect(await left(id)).toBe(3)
  })
})

const owner = () => app.app.kernel.parts.database.owner
