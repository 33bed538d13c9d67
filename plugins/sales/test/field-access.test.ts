import { createTestApp, type TestApp, type TestClient } from '@socle/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { salesPlugin } from '../src/plugin.ts'

const path = '/api/sales/opportunities'
// No other value of the test reads like it.
const secret = '987654.32'

let app: TestApp
let blind: TestClient
let id: string

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin] })
  const account = (await app.admin.post('/api/core/accounts', { name: 'Maison Garonne' })).body.data.id
  const made = (await app.admin.post(path, { name: 'Four à pain', account, amount: '1' })).body.data
  id = made.id
  await app.admin.patch(`${path}/${id}`, { version: 1, amount: secret })
  await app.admin.patch(`${path}/${id}`, { version: 2, nextStep: 'Call' })
  blind = await app.as({
    grants: [{ resource: '*', action: '*', visibility: 'all' }],
    fields: [
      { resource: 'sales.opportunity', field: 'amount', access: 'none' },
      { resource: 'sales.opportunity', field: 'weighted', access: 'none' },
    ],
  })
})
afterAll(() => app[Symbol.asyncDispose]())

test('a role that may not read the amount gets it on no channel', async () => {
  const channels: [string, string, unknown?][] = [
    ['GET', path],
    ['GET', `${path}?include=account,stage,owner&count=exact`],
    ['GET', `${path}/${id}`],
    ['GET', `${path}/${id}/history`],
    ['GET', `${path}/${id}/timeline`],
    ['GET', `${path}/${id}/visits`],
    ['GET', `${path}?q=four`],
    ['GET', '/api/core/search?q=four'],
    ['GET', `/api/core/search?q=${secret}`],
    ['GET', '/api/core/audit?limit=200'],
    ['GET', '/api/core/shell'],
    ['GET', '/api/core/openapi.json'],
    ['POST', `${path}/query`, {}],
    ['POST', `${path}/aggregate`, { groupBy: ['stage'], measures: ['count'] }],
    ['PATCH', `${path}/${id}`, { version: 3, nextStep: 'Visit' }],
    ['PATCH', `${path}/${id}`, { version: 1, nextStep: 'Conflict' }],
    ['POST', `${path}/bulk`, { update: [{ id, version: 4, nextStep: 'Again' }] }],
  ]
  for (const [method, url, body] of channels) {
    const answer = await blind.send(method, url, body)
    const text = JSON.stringify(
      url.endsWith('shell')
        ? answer.body.resources.find((it: { id: string }) => it.id === 'sales.opportunity')
        : url.endsWith('openapi.json')
          ? answer.body.components.schemas['sales.opportunity']
          : answer.body,
    )
    expect(text, `${method} ${url}`).not.toContain('987654')
    expect(text, `${method} ${url}`).not.toMatch(/"(?:amount|weighted)"/)
  }
})

test('filtering, sorting, grouping, summing or asking for it is refused, because each would tell the value', async () => {
  const refused: [string, string, unknown?][] = [
    ['GET', `${path}?filter=${encodeURIComponent('amount > 900000')}`],
    ['GET', `${path}?filter=${encodeURIComponent('not (amount is empty)')}`],
    ['GET', `${path}?sort=-amount`],
    ['GET', `${path}?fields=amount`],
    ['POST', `${path}/query`, { filter: { op: '>', path: 'amount', value: 1 } }],
    ['POST', `${path}/aggregate`, { groupBy: ['amount'], measures: ['count'] }],
    ['POST', `${path}/aggregate`, { measures: ['sum:amount'] }],
    ['POST', `${path}/aggregate`, { measures: ['max:weighted'] }],
    ['GET', `/api/core/accounts?filter=${encodeURIComponent('any(opportunities, amount > 900000)')}`],
    ['GET', `/api/core/accounts?filter=${encodeURIComponent('sum(opportunities.amount) > 900000')}`],
    ['POST', `${path}/bulk`, { filter: 'amount > 900000', set: { nextStep: 'Leak' } }],
  ]
  for (const [method, url, body] of refused) {
    expect(await blind.send(method, url, body), `${method} ${url}`).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_READABLE' },
    })
  }
})

test('writing it is refused, and nothing of the same request is kept', async () => {
  const { body } = await blind.get(`${path}/${id}`)
  const refused = await blind.patch(`${path}/${id}`, {
    version: body.data.version,
    amount: '1',
    nextStep: 'Sneaked in',
  })
  expect(refused).toMatchObject({ status: 403, body: { code: 'FIELD_NOT_WRITABLE' } })
  expect((await app.admin.get(`${path}/${id}`)).body.data.nextStep).not.toBe('Sneaked in')
})

test('what belongs to another is absent from every channel of an actor who sees only its own', async () => {
  const own = await app.as({ grants: [{ resource: '*', action: 'read', visibility: 'own' }] })
  expect((await own.get(path)).body).toMatchObject({ data: [], page: { count: 0 } })
  expect((await own.get(`${path}/${id}`)).status).toBe(404)
  expect((await own.get('/api/core/search?q=four')).body.data).toEqual([])
  expect((await own.post(`${path}/aggregate`, { measures: ['count', 'sum:amount'] })).body.data).toMatchObject([
    { count: 0, 'sum:amount': '0' },
  ])
  expect((await own.get(`/api/core/accounts?filter=${encodeURIComponent('any(opportunities)')}`)).body.data).toEqual([])
})

test('a refusal calls an opportunity by its kind where its name is hidden', async () => {
  const account = (await app.admin.get('/api/core/accounts')).body.data[0].id
  const { data: stages } = (await app.admin.get('/api/sales/stages?sort=position')).body
  const stage = (kind: string) => stages.find((it: { kind: string }) => it.kind === kind).id
  const opportunity = async (values: object) =>
    (await app.admin.post(path, { name: 'Zébulon', ...values })).body.data as { id: string; version: number }
  const seller = await app.as({
    grants: [
      { resource: '*', action: 'read', visibility: 'all' },
      { resource: 'sales.opportunity', action: 'update', visibility: 'all' },
    ],
    fields: [{ resource: 'sales.opportunity', field: 'name', access: 'none' }],
  })
  const { data: pipelines } = (await app.admin.get('/api/sales/pipelines')).body
  for (const { id: pipeline, version } of pipelines)
    await app.admin.patch(`/api/sales/pipelines/${pipeline}`, { version, reasonRequired: true })
  const refused = async (values: object, kind: string) => {
    const it = await opportunity(values)
    return (await seller.patch(`${path}/${it.id}`, { version: it.version, stage: stage(kind) })).body
  }
  const answers = [
    await refused({}, 'won'),
    await refused({ account }, 'lost'),
    await refused({ account, stage: stage('won') }, 'open'),
  ]
  expect(answers.map(({ code }) => code)).toEqual(['WON_NEEDS_ACCOUNT', 'CLOSE_REASON_REQUIRED', 'REOPEN_DENIED'])
  for (const { detail } of answers) expect(detail).toContain('"Opportunity"')
  expect(JSON.stringify(answers)).not.toContain('Zébulon')
})

test('a refusal names no stage, pipeline or reason whose names are hidden, and no visit does', async () => {
  const account = (await app.admin.get('/api/core/accounts')).body.data[0].id
  const { data: stages } = (await app.admin.get('/api/sales/stages?sort=position')).body
  const { data: pipelines } = (await app.admin.get('/api/sales/pipelines')).body
  const { data: reasons } = (await app.admin.get('/api/sales/reasons?filter=kind="lost"')).body
  const [reason] = reasons
  await app.admin.patch(`/api/sales/reasons/${reason.id}`, { version: reason.version, noteRequired: true })
  const lost = stages.find(({ kind }: { kind: string }) => kind === 'lost').id
  const made = (await app.admin.post(path, { name: 'Pétrin', account })).body.data
  const named = new RegExp(
    [...stages, ...pipelines].map((it: { name: string }) => `"${it.name}"|${it.name},`).join('|'),
  )
  const answersOf = async (seller: TestClient) => {
    const change = (values: object) => seller.patch(`${path}/${made.id}`, { version: made.version, ...values })
    return [
      await change({ stage: lost }),
      await change({ stage: lost, reason: reason.id }),
      await seller.get(`${path}/${made.id}/visits`),
      await seller.post(path, {
        name: 'Elsewhere',
        stage: '0193d1a2-0000-7000-8000-000000000001',
        pipeline: pipelines[0].id,
      }),
    ]
  }
  const may = [
    { resource: 'sales.opportunity', action: '*', visibility: 'all' },
    { resource: 'core.account', action: 'read', visibility: 'all' },
  ] as const
  const kinds = ['sales.stage', 'sales.pipeline', 'sales.reason']
  const open = await app.as({
    grants: [...may, ...kinds.map((resource) => ({ resource, action: 'read', visibility: 'all' as const }))],
  })
  // Who reads only some of them is told of none that code looked up.
  const partly = await app.as({
    grants: [
      ...may,
      ...kinds.map((resource) => ({
        resource,
        action: 'read',
        visibility: 'all' as const,
        condition: 'not (id is empty)',
      })),
    ],
  })
  const [needsReason, needsNote, visits] = await answersOf(open)
  expect([needsReason?.body.code, needsNote?.body.code]).toEqual(['CLOSE_REASON_REQUIRED', 'CLOSE_NOTE_REQUIRED'])
  expect(JSON.stringify([needsReason?.body, needsNote?.body])).toContain(reason.label)
  expect(JSON.stringify(visits?.body)).toMatch(named)
  const hidden = await answersOf(partly)
  expect(hidden.slice(0, 2).map(({ body }) => body.code)).toEqual(['CLOSE_REASON_REQUIRED', 'CLOSE_NOTE_REQUIRED'])
  const text = JSON.stringify(hidden.map(({ body }) => body))
  expect(text).not.toContain(reason.label)
  expect(text).not.toMatch(named)
})
