import { createTestApp, type TestApp, type TestClient } from '@socle/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { salesPlugin } from '../src/plugin.ts'

interface Stage {
  readonly id: string
  readonly name: string
  readonly version: number
}

let app: TestApp
let rep: TestClient
let account: string
let stages: Record<string, Stage>
let reason: string

const path = '/api/sales/opportunities'

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin], now: '2026-03-02T09:00:00Z' })
  rep = app.admin
  account = (await rep.post('/api/core/accounts', { name: 'Maison Garonne' })).body.data.id
  const { body } = await rep.get('/api/sales/stages')
  stages = Object.fromEntries(body.data.map((stage: Stage) => [stage.name, stage]))
  const reasons = await rep.get(`/api/sales/reasons?filter=${encodeURIComponent('label = "Price"')}`)
  reason = reasons.body.data[0].id
})
afterAll(() => app[Symbol.asyncDispose]())

async function opportunity(values: Record<string, unknown> = {}) {
  const { status, body } = await rep.post(path, { name: 'Four à pain', account, amount: '1000', ...values })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

const stageId = (name: string) => stages[name]?.id
const move = (record: { id: string; version: number }, to: string, more: Record<string, unknown> = {}) =>
  rep.patch(`${path}/${record.id}`, { version: record.version, stage: stageId(to), ...more })
const visits = async (id: string) =>
  (await rep.get(`${path}/${id}/visits`)).body.data.map(
    ({ name, direction, skipped, leftAt }: Record<string, unknown>) => [name, direction, skipped, leftAt !== null],
  )

describe('an opportunity', () => {
  test('begins in the first stage of the first pipeline, in the workspace’s currency, with the stage’s probability', async () => {
    expect(await opportunity()).toMatchObject({
      stage: stageId('Qualification'),
      status: 'open',
      currency: 'EUR',
      probability: '10.00',
      weighted: '100.0000',
    })
  })

  test('takes its probability from its stage until somebody gives one', async () => {
    const made = await opportunity()
    const moved = (await move(made, 'Proposal')).body.data
    expect(moved).toMatchObject({ probability: '40.00', probabilityMode: 'stage' })
    const given = (await rep.patch(`${path}/${made.id}`, { version: moved.version, probability: '55' })).body.data
    expect(given).toMatchObject({ probability: '55.00', probabilityMode: 'manual', weighted: '550.0000' })
    expect((await move(given, 'Negotiation')).body.data.probability).toBe('55.00')
  })

  test('keeps every stay in a stage: jumps, steps back, and who', async () => {
    let record = await opportunity()
    app.clock.advance('P3D')
    record = (await move(record, 'Negotiation')).body.data
    app.clock.advance('P1D')
    record = (await move(record, 'Proposal')).body.data
    expect(await visits(record.id)).toEqual([
      ['Qualification', 'entered', 0, true],
      ['Negotiation', 'forward', 1, true],
      ['Proposal', 'backward', 0, false],
    ])
    expect(record.stageEnteredAt).toBe(app.clock.now().toISOString())
  })

  test('undoing a move takes its visit back and the clock of the stage before goes on', async () => {
    const made = await opportunity()
    app.clock.advance('P2D')
    const moved = await move(made, 'Proposal')
    await rep.post(`/api/core/change-sets/${moved.headers.get('x-change-set')}/undo`)
    expect(await visits(made.id)).toEqual([['Qualification', 'entered', 0, false]])
    const back = (await rep.get(`${path}/${made.id}`)).body.data
    expect(back).toMatchObject({
      stage: stageId('Qualification'),
      stageEnteredAt: made.stageEnteredAt,
      probability: '10.00',
    })
  })

  test('refuses a stage of another pipeline, naming those it has', async () => {
    const pipeline = (await rep.post('/api/sales/pipelines', { name: 'Partners', position: 2 })).body.data
    for (const [position, kind, probability] of [
      [1, 'open', '20'],
      [2, 'won', '100'],
      [3, 'lost', '0'],
    ] as const) {
      await rep.post('/api/sales/stages', { pipeline: pipeline.id, name: `P ${kind}`, position, kind, probability })
    }
    const made = await opportunity()
    const refused = await rep.patch(`${path}/${made.id}`, {
      version: 1,
      pipeline: pipeline.id,
      stage: stageId('Proposal'),
    })
    expect(refused).toMatchObject({ status: 422, body: { code: 'STAGE_NOT_IN_PIPELINE' } })
    expect(refused.body.detail).toContain('P open, P won, P lost')
    const moved = await rep.patch(`${path}/${made.id}`, { version: 1, pipeline: pipeline.id })
    expect(moved.body.data).toMatchObject({ pipeline: pipeline.id, probability: '20.00' })
  })
})

describe('closing', () => {
  test('won dates it, makes it certain, tells it once, and the account becomes a client', async () => {
    const client = (await rep.post('/api/core/accounts', { name: 'Valmy' })).body.data.id
    const won = (await move(await opportunity({ account: client }), 'Won')).body.data
    expect(won).toMatchObject({
      status: 'won',
      closedOn: app.clock.today('Europe/Paris'),
      probability: '100.00',
      weighted: '1000.0000',
    })
    await app.deliver()
    await app.deliver()
    expect((await rep.get(`/api/core/accounts/${client}`)).body.data.lifecycle).toBe('client')
  })

  test('won leaves the account as it is where the workspace chose so', async () => {
    const { admin } = await app.secondWorkspace()
    const settings = '/api/core/plugins/sales/settings'
    await admin.patch(settings, { version: 0, values: { wonMakesClient: false } })
    const account = (await admin.post('/api/core/accounts', { name: 'Jemmapes' })).body.data.id
    const { data } = (await admin.get('/api/sales/stages?filter=kind = won')).body
    await admin.post('/api/sales/opportunities', { name: 'Won', account, stage: data[0].id })
    await app.deliver()
    expect((await admin.get(`/api/core/accounts/${account}`)).body.data.lifecycle).toBe('suspect')
  })

  test('won without an account is refused', async () => {
    const made = await opportunity({ account: null })
    expect(await move(made, 'Won')).toMatchObject({
      status: 422,
      body: { code: 'WON_NEEDS_ACCOUNT', errors: [{ path: '/account' }] },
    })
  })

  test('lost asks for a reason where the pipeline does, on every path', async () => {
    const made = await opportunity()
    expect(await move(made, 'Lost')).toMatchObject({
      status: 422,
      body: { code: 'CLOSE_REASON_REQUIRED', errors: [{ path: '/reason' }] },
    })
    const bulk = await rep.post(`${path}/bulk`, { update: [{ id: made.id, version: 1, stage: stageId('Lost') }] })
    expect(bulk.body.data).toMatchObject([{ status: 'failed', problem: { code: 'CLOSE_REASON_REQUIRED' } }])
    expect((await rep.get(`${path}/${made.id}`)).body.data.stage).toBe(stageId('Qualification'))
    expect((await move(made, 'Lost', { reason })).body.data).toMatchObject({
      status: 'lost',
      reason,
      probability: '0.00',
    })
  })

  test('a reason that wants a note gets one', async () => {
    const other = (await rep.get(`/api/sales/reasons?filter=${encodeURIComponent('label = "Other"')}`)).body.data[0].id
    const made = await opportunity()
    expect(await move(made, 'Lost', { reason: other })).toMatchObject({
      status: 422,
      body: { code: 'CLOSE_NOTE_REQUIRED' },
    })
    expect((await move(made, 'Lost', { reason: other, reasonNote: 'Moved abroad' })).status).toBe(200)
  })

  test('reopening a lost one clears why and when it closed; a won one needs the permission', async () => {
    const lost = (await move(await opportunity(), 'Lost', { reason })).body.data
    expect((await move(lost, 'Proposal')).body.data).toMatchObject({
      status: 'open',
      closedOn: null,
      reason: null,
      probability: '40.00',
    })
    const won = (await move(await opportunity(), 'Won')).body.data
    const member = await app.as({
      may: [
        'sales.opportunity.read',
        'sales.opportunity.update',
        'sales.stage.read',
        'sales.pipeline.read',
        'core.account.read',
      ],
    })
    const refused = await member.patch(`${path}/${won.id}`, { version: won.version, stage: stageId('Proposal') })
    expect(refused).toMatchObject({ status: 403, body: { code: 'REOPEN_DENIED' } })
  })

  test('a stage in use is not deleted', async () => {
    const stage = stages['Qualification']
    expect(await rep.delete(`/api/sales/stages/${stage?.id}?version=${stage?.version}`)).toMatchObject({
      status: 409,
      body: { code: 'STAGE_IN_USE' },
    })
  })
})

describe('the board', () => {
  test('sums each column over all the cards an actor may see, to the cent', async () => {
    const board = await createTestApp({ plugins: [salesPlugin] })
    try {
      const mine = await board.as({
        grants: [
          { resource: 'sales.*', action: '*', visibility: 'own' },
          { resource: 'sales.stage', action: 'read', visibility: 'all' },
          { resource: 'sales.pipeline', action: 'read', visibility: 'all' },
        ],
      })
      const [first] = (await board.admin.get('/api/sales/stages')).body.data
      for (const amount of ['0.10', '0.20', '1000.70']) await mine.post(path, { name: 'Mine', amount })
      for (let n = 0; n < 60; n += 1) await board.admin.post(path, { name: `Theirs ${n}`, amount: '0.01' })
      const sums = (client: TestClient) =>
        client.post(`${path}/aggregate`, { groupBy: ['stage'], measures: ['count', 'sum:amount', 'sum:weighted'] })
      expect((await sums(mine)).body.data).toMatchObject([
        { key: { stage: first.id }, count: 3, 'sum:amount': '1001.0000', 'sum:weighted': '100.1000' },
      ])
      expect((await sums(board.admin)).body.data).toMatchObject([{ count: 63, 'sum:amount': '1001.6000' }])
    } finally {
      await board[Symbol.asyncDispose]()
    }
  })
})
