import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { KnownSources } from '../src/entities/known-accounts.ts'
import { contribution, definePlugin } from '../src/plugins/define-plugin.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, dealsPlugin, made } from './partner-world.ts'

/** Knows one prospect beside the accounts. */
const rumours = definePlugin({
  id: 'rumours',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Rumours', fr: 'Rumeurs' },
  contributes: [
    contribution(KnownSources, async ({ name }, asker) =>
      name?.toLowerCase() === 'boulangerie du port' ? (asker.partners?.includes(atlas) ? 'yours' : 'known') : 'free',
    ),
  ],
})

let app: TestApp
let ana: TestClient
let account: string

const may = ['core.known-account.ask', 'core.account.read', 'core.account.export', 'deals.deal.read']

beforeAll(async () => {
  app = await createTestApp({ plugins: [dealsPlugin, rumours], now: '2026-03-02T09:00:00Z' })
  const east = (await app.admin.post('/api/core/teams', { name: 'East' })).body.data.id
  const rep = await app.as({
    name: 'Rep of the east',
    may: ['core.account.create', 'core.account.read'],
    teams: [east],
  })
  account = made(
    await rep.post('/api/core/accounts', {
      name: 'Établissements Léger SARL',
      siren: '732829320',
      domain: 'leger-fours.fr',
    }),
  ).id
})
afterAll(() => app[Symbol.asyncDispose]())

// A person of its own for each test: questions are counted by person.
beforeEach(async () => {
  ana = await app.as({ name: 'Ana', may, partners: [atlas] })
})

const ask = (client: TestClient, question: unknown) => client.post('/api/core/known-accounts', question)

test('core-03: a partner asking by name in other case and accents, by domain or by SIREN hears "known" and nothing else', async () => {
  for (const question of [
    { name: 'etablissements LEGER' },
    { name: 'Léger' },
    { domain: 'https://www.LEGER-fours.fr/contact' },
    { siren: '732 829 320' },
    { name: 'Somebody else', siren: '732829320' },
  ]) {
    const { status, body } = await ask(ana, question)
    expect([status, body], JSON.stringify(question)).toEqual([200, { answer: 'known' }])
  }
  for (const question of [{ name: 'Boucherie Valmy' }, { domain: 'valmy.fr' }, { siren: '552100554' }])
    expect((await ask(ana, question)).body, JSON.stringify(question)).toEqual({ answer: 'free' })
})

test('core-03: the account itself is 404 on get and absent from list, search, picker, count and export', async () => {
  expect((await ana.get(`/api/core/accounts/${account}`)).status).toBe(404)
  expect((await ana.get('/api/core/accounts?count=exact')).body).toMatchObject({ data: [], page: { count: 0 } })
  for (const path of [
    '/api/core/search?q=leger',
    '/api/core/search?q=lege&type=core.account',
    '/api/core/accounts?q=leger',
  ])
    expect((await ana.get(path)).body.data, path).toEqual([])
})

test('core-03: the 31st question of a day is 429 with the time to wait, and the next day begins anew', async () => {
  for (let nth = 1; nth <= 30; nth += 1)
    expect((await ask(ana, { name: `Prospect ${nth}` })).status, String(nth)).toBe(200)
  const late = await ask(ana, { name: 'Établissements Léger' })
  expect(late).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } })
  expect(late.body).not.toHaveProperty('answer')
  // From ten in the morning in Paris to midnight there.
  expect(Number(late.headers.get('retry-after'))).toBe(14 * 3_600)
  const bert = await app.as({ name: 'Bert', may, partners: [atlas] })
  expect((await ask(bert, { name: 'Léger' })).status).toBe(200)
  app.clock.advance('PT14H')
  expect((await ask(ana, { name: 'Léger' })).body).toEqual({ answer: 'known' })
  app.clock.set('2026-03-02T09:00:00Z')
})

test('questions asked at once are counted one by one', async () => {
  const answers = await Promise.all(Array.from({ length: 34 }, (_, nth) => ask(ana, { name: `At once ${nth}` })))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(30)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(4)
})

test('each question is kept for the auditor, who reads who asked what; the asker reads none', async () => {
  await ask(ana, { name: 'Léger', domain: 'leger-fours.fr' })
  const auditor = await app.as({ may: ['core.audit.read', 'core.known-question.read'] })
  const { body } = await auditor.get('/api/core/known-questions?sort=-id&limit=1')
  expect(body.data[0]).toMatchObject({
    name: 'Léger',
    domain: 'leger-fours.fr',
    answer: 'known',
    asker: ana.who.actor.id,
    owner: ana.who.actor.id,
    partner: atlas,
  })
  const audit = await auditor.get(`/api/core/audit?actor=${ana.who.actor.id}`)
  expect(audit.body.data[0]).toMatchObject({ actor: { name: 'Ana' } })
  const other = await app.as({ may: ['core.known-question.read'] })
  expect((await other.get('/api/core/known-questions')).body.data).toEqual([])
})

test('the house asks too: what is one’s own, or one’s team’s, is "yours"', async () => {
  const rep = await app.as({ may: ['core.known-account.ask', 'core.account.create', 'core.account.read'] })
  await rep.post('/api/core/accounts', { name: 'Fromagerie Roux' })
  expect((await ask(rep, { name: 'fromagerie roux' })).body).toEqual({ answer: 'yours' })
  expect((await ask(rep, { name: 'leger' })).body).toEqual({ answer: 'known' })
})

test('an account opened to the partner is "yours"; one in the bin is free', async () => {
  await app.inside((ctx) =>
    sql`insert into core.share (id, workspace, resource, record, partner, access)
      values (gen_random_uuid(), ${ctx.workspace.id}::uuid, 'core.account', ${account}::uuid, ${atlas}::uuid, 'read')`.execute(
      ctx.sql,
    ),
  )
  expect((await ask(ana, { name: 'leger' })).body).toEqual({ answer: 'yours' })
  await app.inside((ctx) => sql`delete from core.share where record = ${account}::uuid`.execute(ctx.sql))
  const gone = await app.admin.post('/api/core/accounts', { name: 'Charcuterie Ponce' })
  await app.admin.delete(`/api/core/accounts/${gone.body.data.id}?version=1`)
  expect((await ask(ana, { name: 'Charcuterie Ponce' })).body).toEqual({ answer: 'free' })
})

test('a plugin adds what it knows, by the same word, and no longer when it is off', async () => {
  const name = 'Boulangerie du Port'
  expect((await ask(ana, { name })).body).toEqual({ answer: 'yours' })
  expect((await ask(app.admin, { name })).body).toEqual({ answer: 'known' })
  expect((await app.admin.post('/api/core/plugins/rumours/disable', {})).status).toBe(200)
  expect((await ask(ana, { name })).body).toEqual({ answer: 'free' })
  await app.admin.post('/api/core/plugins/rumours/enable', {})
})

test('a question that tells no company from another is refused in words and not counted', async () => {
  for (const question of [
    {},
    { name: 'x' },
    { domain: 'gmail.com' },
    { siren: '123456789' },
    { name: 'Léger', owner: 'me' },
  ])
    expect((await ask(ana, question)).status, JSON.stringify(question)).toBe(422)
  const none = await app.as({ may: ['core.account.read'] })
  expect(await ask(none, { name: 'Léger' })).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  for (let nth = 1; nth <= 30; nth += 1) expect((await ask(ana, { name: `Prospect ${nth}` })).status).toBe(200)
})

test('an answer takes the same statements whatever it is', async () => {
  const counted = async (question: unknown) => {
    const before = await written()
    await ask(ana, question)
    return (await written()) - before
  }
  const written = async () => {
    const { rows } = await sql<{ n: number }>`
      select (select count(*) from core.change where workspace = ${app.workspace.id}::uuid)
        + (select count(*) from core.event where workspace = ${app.workspace.id}::uuid) as n`.execute(
      app.app.kernel.parts.database.owner,
    )
    return Number(rows[0]?.n)
  }
  expect(await counted({ name: 'Léger' })).toBe(await counted({ name: 'Nobody at all' }))
})
