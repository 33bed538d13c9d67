import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Consents, type ContactQuestion, type PersonResource } from '../src/privacy/consents.ts'
import { suppress } from '../src/privacy/suppressions.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'
import { filesOf } from './privacy-world.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const contacts = '/api/core/contacts'
const consents = '/api/core/privacy/consents'
const letter = { channel: 'mail', action: 'objection', source: 'letter' } as const

async function contactOf(here: TestWorkspace, values: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await here.admin.post(contacts, {
    firstName: 'Marguerite',
    lastName: 'Duval',
    email: 'm.duval@example.com',
    phone: '01 42 68 53 00',
    ...values,
  })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data.id
}

async function recorded(here: TestWorkspace, body: Record<string, unknown>): Promise<string> {
  const answer = await here.admin.post(consents, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body.data.id
}

async function stateOf(here: TestWorkspace, record: string, at?: string, resource: PersonResource = 'core.contact') {
  const when = at === undefined ? '' : `&at=${encodeURIComponent(at)}`
  const { status, body } = await here.admin.get(`${consents}?resource=${resource}&person=${record}${when}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return Object.fromEntries(
    body.data.state
      .filter(({ scope }: { scope: string }) => scope === 'all')
      .map(({ channel, state }: { channel: string; state: string }) => [channel, state]),
  )
}

/** Asks as a sender's claiming statement does. */
async function refusal(
  here: TestWorkspace,
  {
    address,
    person,
    ...question
  }: { channel: ContactQuestion['channel']; address: string; person?: string; scope?: string },
): Promise<string | null> {
  return here.inside(async (ctx) => {
    const service = ctx.use(Consents)
    const hash = service.addressHash(question.channel, address)
    const asked = {
      ...question,
      address: sql`${hash}`,
      ...(person ? { person: { resource: sql`'core.contact'`, record: sql`${person}::uuid` } } : {}),
    }
    const { rows } = await sql<{ why: string | null }>`select ${service.refusal(asked)} as why`.execute(ctx.sql)
    return rows[0]?.why ?? null
  })
}

describe('objections', () => {
  test('an objection by mail stops mail and nothing else, and its reversal lets it flow again', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    expect(await refusal(here, { channel: 'mail', address: 'm.duval@example.com', person })).toBeNull()
    await recorded(here, { ...letter, person: { resource: 'core.contact', record: person } })
    expect(await stateOf(here, person)).toEqual({ mail: 'opted-out', sms: 'open', phone: 'open', post: 'open' })
    expect(await refusal(here, { channel: 'mail', address: 'm.duval@example.com', person })).toBe('opted-out')
    expect(await refusal(here, { channel: 'sms', address: '+33142685300', person })).toBeNull()
    app.clock.advance('PT1M')
    await recorded(here, {
      ...letter,
      action: 'reversal',
      source: 'form',
      wording: { id: 'newsletter-2026', text: 'I want to receive the newsletter.' },
      person: { resource: 'core.contact', record: person },
    })
    expect(await stateOf(here, person)).toMatchObject({ mail: 'open' })
  })

  test('the state at a past date is what it was then', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const of = { resource: 'core.contact', record: person }
    await recorded(here, { ...letter, person: of, at: '2026-01-10T10:00:00Z' })
    await recorded(here, { ...letter, action: 'reversal', person: of, at: '2026-02-10T10:00:00Z' })
    expect(await stateOf(here, person, '2026-01-09T00:00:00Z')).toMatchObject({ mail: 'open' })
    expect(await stateOf(here, person, '2026-01-20T00:00:00Z')).toMatchObject({ mail: 'opted-out' })
    expect(await stateOf(here, person)).toMatchObject({ mail: 'open' })
  })

  test('an objection to everything holds for each topic, one to a topic for that topic only', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const of = { resource: 'core.contact', record: person }
    const ask = (scope?: string) =>
      refusal(here, { channel: 'mail', address: 'm.duval@example.com', person, ...(scope ? { scope } : {}) })
    await recorded(here, { ...letter, scope: 'news', person: of, at: '2026-01-01T00:00:00Z' })
    expect([await ask(), await ask('news'), await ask('offers')]).toEqual([null, 'opted-out', null])
    await recorded(here, { ...letter, channel: 'any', person: of, at: '2026-01-02T00:00:00Z' })
    expect([await ask(), await ask('news'), await ask('offers')]).toEqual(['opted-out', 'opted-out', 'opted-out'])
    await recorded(here, { ...letter, scope: 'news', action: 'reversal', person: of, at: '2026-01-03T00:00:00Z' })
    expect([await ask(), await ask('news'), await ask('offers')]).toEqual(['opted-out', null, 'opted-out'])
  })

  test('one who shares a mailbox takes back their own objection only', async () => {
    const here = await app.secondWorkspace()
    const one = await contactOf(here, { email: 'info@example.com' })
    const other = await contactOf(here, {
      firstName: 'Paul',
      lastName: 'Rey',
      email: 'info@example.com',
      phone: null,
      allowDuplicate: true,
    })
    await recorded(here, { ...letter, person: { resource: 'core.contact', record: one }, at: '2026-01-01T00:00:00Z' })
    await recorded(here, {
      ...letter,
      action: 'reversal',
      person: { resource: 'core.contact', record: other },
      address: 'info@example.com',
      at: '2026-01-02T00:00:00Z',
    })
    expect(await refusal(here, { channel: 'mail', address: 'info@example.com', person: one })).toBe('opted-out')
    expect(await refusal(here, { channel: 'mail', address: 'info@example.com', person: other })).toBeNull()
  })

  test('the same proof told twice is recorded once', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const told = { ...letter, person: { resource: 'core.contact', record: person }, proofKey: 'unsubscribe:42' }
    const first = await here.admin.post(consents, told)
    const second = await here.admin.post(consents, told)
    expect(second.body.data).toEqual({ id: first.body.data.id, recorded: false })
  })

  test('another statement with the same proof is no repetition', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const told = { ...letter, person: { resource: 'core.contact', record: person }, proofKey: 'form:43' }
    await recorded(here, told)
    expect(await here.admin.post(consents, { ...told, action: 'reversal' })).toMatchObject({
      status: 409,
      body: { code: 'PROOF_OF_ANOTHER' },
    })
    expect(await stateOf(here, person)).toMatchObject({ mail: 'opted-out' })
  })

  test('who may change one person opens no address of another', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    await recorded(here, { ...letter, address: 'victim@example.com' })
    const clerk = await here.as({ may: ['core.contact.read', 'core.contact.update'] })
    const reversal = { ...letter, action: 'reversal', person: { resource: 'core.contact', record: person } }
    expect(await clerk.post(consents, { ...reversal, address: 'victim@example.com' })).toMatchObject({
      status: 403,
      body: { code: 'ADDRESS_OF_ANOTHER' },
    })
    expect(await refusal(here, { channel: 'mail', address: 'victim@example.com' })).toBe('opted-out')
    expect((await clerk.post(consents, { ...reversal, address: 'M.Duval@example.com' })).status).toBe(201)
  })

  test('it keeps its wording, by digest and in words, and who recorded it', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    await recorded(here, {
      ...letter,
      wording: { id: 'footer-7', text: 'You may object at any time.' },
      person: { resource: 'core.contact', record: person },
    })
    const { body } = await here.admin.get(`${consents}?resource=core.contact&person=${person}`)
    expect(body.data.history).toMatchObject([
      {
        action: 'objection',
        source: 'letter',
        wordingId: 'footer-7',
        wording: 'You may object at any time.',
        recordedBy: 'Claire Admin',
      },
    ])
    expect(body.data.history[0].wordingHash).toMatch(/^[0-9a-f]{64}$/)
  })

  test('what was said about an address is the proof of whoever has it, for who may read that address', async () => {
    const here = await app.secondWorkspace()
    const wording = { text: 'No more mail to this box, says M. Renard.' }
    await recorded(here, { ...letter, address: 'M.Duval@example.com', wording })
    const person = await contactOf(here)
    const other = await contactOf(here, {
      lastName: 'Renard',
      phone: null,
      mobile: '06 11 22 33 44',
      allowDuplicate: true,
    })
    const said = { person: { resource: 'core.contact', record: other }, address: 'm.duval@example.com' }
    await recorded(here, { ...letter, ...said, action: 'withdrawal', wording })
    const historyFor = async (client: typeof here.admin) =>
      (await client.get(`${consents}?resource=core.contact&person=${person}`)).body.data.history
    expect(await historyFor(here.admin)).toMatchObject([
      { by: 'address', action: 'withdrawal', wording: wording.text },
      {
        by: 'address',
        action: 'objection',
        wording: wording.text,
        wordingHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ])
    // Words of somebody else are for who reads all of privacy.
    const clerk = await here.as({ may: ['core.contact.read'] })
    expect(await historyFor(clerk)).toMatchObject([
      { action: 'withdrawal', wording: null },
      { action: 'objection', wording: wording.text },
    ])
    const blind = await here.as({
      may: ['core.contact.read'],
      fields: [{ resource: 'core.contact', field: 'email', access: 'none' }],
    })
    expect(await historyFor(blind)).toEqual([])
    const request = await here.admin.post('/api/core/privacy/requests', {
      kind: 'access',
      resource: 'core.contact',
      record: person,
    })
    const path = `/api/core/privacy/requests/${request.body.data.id}`
    await here.admin.post(`${path}/verify`, { identityCheck: 'Passport seen' })
    expect((await here.admin.post(`${path}/run`)).status).toBe(202)
    await app.app.jobs.runUntilIdle()
    const file = await (await here.admin.raw('GET', `${path}/file`)).arrayBuffer()
    expect((await filesOf(Buffer.from(file))).get('consents.json')).toContain(wording.text)
  })

  test('an objection of a lead holds for the contact it becomes', async () => {
    const here = await app.secondWorkspace()
    const lead = await here.admin.post('/api/core/leads', {
      lastName: 'Rey',
      companyName: 'Rey SA',
      email: 'rey@example.com',
    })
    await recorded(here, { ...letter, person: { resource: 'core.lead', record: lead.body.data.id } })
    const made = await here.admin.post(`/api/core/leads/${lead.body.data.id}/convert`, {
      version: 1,
      account: { create: { name: 'Rey SA' } },
      contact: { create: {} },
    })
    expect(made.status, JSON.stringify(made.body)).toBeLessThan(300)
    const { body } = await here.admin.get(`/api/core/leads/${lead.body.data.id}`)
    expect(await stateOf(here, body.data.contact)).toMatchObject({ mail: 'opted-out' })
  })

  test('one of a person who is an account holds for it, and for the only contact it comes to have', async () => {
    const here = await app.secondWorkspace()
    const account = async (values: Record<string, unknown>) =>
      (await here.admin.post('/api/core/accounts', values)).body.data.id as string
    const person = await account({ name: 'Soizic Rey', kind: 'person', email: 's.rey@example.com' })
    const organisation = await account({ name: 'Rey SA' })
    await recorded(here, { ...letter, person: { resource: 'core.account', record: person } })
    expect(await stateOf(here, person, undefined, 'core.account')).toMatchObject({ mail: 'opted-out', phone: 'open' })
    const tried = await here.admin.post(consents, {
      ...letter,
      person: { resource: 'core.account', record: organisation },
    })
    expect(tried).toMatchObject({ status: 422, body: { code: 'ACCOUNT_NO_PERSON' } })
    const contact = await contactOf(here, { lastName: 'Rey', account: person, email: 'other@example.com', phone: null })
    expect(await stateOf(here, contact)).toMatchObject({ mail: 'opted-out' })
    expect(await refusal(here, { channel: 'mail', address: 'other@example.com', person: contact })).toBe('opted-out')
  })

  test('a person out of reach cannot be told from an absent one', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const blind = await here.as({ may: ['core.account.read'] })
    const asked = await blind.get(`${consents}?resource=core.contact&person=${person}`)
    expect(asked.status).toBe(403)
    const reader = await here.as({ may: ['core.contact.read'] })
    const tried = await reader.post(consents, { ...letter, person: { resource: 'core.contact', record: person } })
    expect(tried).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  })

  test.each([
    ['nobody is named', {}, 'CONSENT_OF_NOBODY'],
    ['the address is none', { address: '????', channel: 'phone' }, 'ADDRESS_UNREADABLE'],
    [
      'it lies in the future by another clock',
      { address: 'a@example.com', at: '2026-03-02T08:30:00-11:00' },
      'CONSENT_IN_THE_FUTURE',
    ],
    ['it lies in the future', { address: 'a@example.com', at: '2036-01-01T00:00:00Z' }, 'CONSENT_IN_THE_FUTURE'],
  ])('is refused where %s', async (_, more, code) => {
    const here = await app.secondWorkspace()
    expect((await here.admin.post(consents, { ...letter, ...more })).body).toMatchObject({ code })
  })
})

describe('the fields of a contact', () => {
  test('follow the base, and ticking one records an objection', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    await recorded(here, { ...letter, channel: 'any', person: { resource: 'core.contact', record: person } })
    const { body } = await here.admin.get(`${contacts}/${person}`)
    expect(body.data).toMatchObject({ doNotMail: true, doNotCall: true })
    const other = await contactOf(here, {
      firstName: 'Paul',
      lastName: 'Rey',
      email: 'p.rey@example.com',
      phone: null,
      doNotCall: true,
    })
    expect(await stateOf(here, other)).toMatchObject({ mail: 'open', phone: 'opted-out' })
    const again = await here.admin.patch(`${contacts}/${other}`, { version: 1, doNotCall: false })
    expect(again.status).toBe(200)
    expect(await stateOf(here, other)).toMatchObject({ phone: 'open' })
  })

  test('do not untick an objection that came with its proof', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    await recorded(here, { ...letter, person: { resource: 'core.contact', record: person } })
    const { body } = await here.admin.get(`${contacts}/${person}`)
    const unticked = await here.admin.patch(`${contacts}/${person}`, { version: body.data.version, doNotMail: false })
    expect(unticked).toMatchObject({ status: 409, body: { code: 'OBJECTION_STANDS' } })
  })
})

describe('the base', () => {
  test('refuses the application and its owner to alter or remove what was said', async () => {
    const here = await app.secondWorkspace()
    await recorded(here, { ...letter, address: 'someone@example.com' })
    const { owner } = app.app.kernel.parts.database
    await expect(here.inside((ctx) => sql`update core.opt_out set channel = 'sms'`.execute(ctx.sql))).rejects.toThrow(
      /permission denied/,
    )
    for (const statement of [
      sql`update core.opt_out set channel = 'sms'`,
      sql`delete from core.opt_out`,
      sql`truncate core.opt_out`,
    ])
      await expect(statement.execute(owner)).rejects.toThrow(/append-only/)
  })

  test('tells at which place somebody altered it all the same', async () => {
    const here = await app.secondWorkspace()
    for (const address of ['a@example.com', 'b@example.com', 'c@example.com'])
      await recorded(here, { ...letter, address })
    const verify = () => here.admin.get(`${consents}/verification`)
    expect((await verify()).body.data).toEqual({ checked: 3, fault: null })
    await app.app.kernel.parts.database.owner.transaction().execute(async (tx) => {
      await sql`alter table core.opt_out disable trigger user`.execute(tx)
      await sql`update core.opt_out set action = 'reversal' where workspace = ${here.workspace.id}::uuid and position = 2`.execute(
        tx,
      )
      await sql`alter table core.opt_out enable trigger user`.execute(tx)
    })
    expect((await verify()).body.data).toEqual({ checked: 3, fault: 2 })
  })

  test('tells that its newest entries were taken away, and takes none in their place', async () => {
    const here = await app.secondWorkspace()
    for (const address of ['a@example.com', 'b@example.com', 'c@example.com'])
      await recorded(here, { ...letter, address })
    const { owner } = app.app.kernel.parts.database
    const ours = sql`workspace = ${here.workspace.id}::uuid`
    await owner.transaction().execute(async (tx) => {
      await sql`alter table core.opt_out disable trigger user`.execute(tx)
      await sql`delete from core.opt_out where ${ours} and position > 1`.execute(tx)
      await sql`alter table core.opt_out enable trigger user`.execute(tx)
    })
    const verify = () => here.admin.get(`${consents}/verification`)
    expect((await verify()).body.data).toEqual({ checked: 1, fault: 2 })
    const next = await here.admin.post(consents, { ...letter, address: 'd@example.com' })
    expect(next.status).toBeGreaterThanOrEqual(400)
    for (const statement of [
      sql`update core.opt_out_head set position = 1 where ${ours}`,
      sql`delete from core.opt_out_head where ${ours}`,
      sql`truncate core.opt_out_head`,
    ])
      await expect(statement.execute(owner)).rejects.toThrow(/only moves on|append-only/)
  })

  test('keeps no address in words', async () => {
    const here = await app.secondWorkspace()
    await recorded(here, { ...letter, address: 'secret.person@example.com' })
    const { rows } = await here.inside((ctx) =>
      sql<{ row: string }>`select o::text as row from core.opt_out o`.execute(ctx.sql),
    )
    expect(rows.map(({ row }) => row).join()).not.toContain('secret.person')
  })
})

describe('suppression', () => {
  test('holds an address whoever it belongs to, until it is lifted with a reason', async () => {
    const here = await app.secondWorkspace()
    const address = 'loud@example.com'
    const suppressions = '/api/core/privacy/suppressions'
    await here.admin.post(suppressions, { address, channel: 'mail', reason: 'complaint' })
    expect(await refusal(here, { channel: 'mail', address: 'LOUD@example.com ' })).toBe('suppressed')
    const person = await contactOf(here, { email: address })
    expect(await stateOf(here, person)).toMatchObject({ mail: 'suppressed' })
    const lifted = await here.admin.post(`${suppressions}/lift`, {
      address,
      channel: 'mail',
      reason: 'Sent by mistake',
    })
    expect(lifted.body.data).toEqual({ lifted: 1 })
    expect(await refusal(here, { channel: 'mail', address })).toBeNull()
    const { body } = await here.admin.post(`${suppressions}/query`, { address })
    expect(body.data).toMatchObject([{ reason: 'complaint', liftReason: 'Sent by mistake' }])
  })

  test('of an erasure outweighs an older one, and is lifted by who may erase', async () => {
    const here = await app.secondWorkspace()
    const address = 'gone@example.com'
    const suppressions = '/api/core/privacy/suppressions'
    await here.admin.post(suppressions, { address, channel: 'mail' })
    await here.inside(async (ctx) => {
      const hash = ctx.use(Consents).addressHash('mail', address)
      if (hash) await suppress(ctx, { hash, channel: 'mail', reason: 'erased', at: ctx.clock.now().toISOString() })
    })
    const asked = await here.admin.post(`${suppressions}/query`, { address })
    expect(asked.body.data).toMatchObject([{ reason: 'erased' }])
    const lift = { address, channel: 'mail', reason: 'Sent by mistake' }
    const manager = await here.as({ may: ['core.privacy.manage'] })
    expect(await manager.post(`${suppressions}/lift`, lift)).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    expect(await refusal(here, { channel: 'mail', address })).toBe('suppressed')
    expect((await here.admin.post(`${suppressions}/lift`, lift)).body.data).toEqual({ lifted: 1 })
  })

  test('of a past day is what it was then, whatever was lifted and suppressed since', async () => {
    const here = await app.secondWorkspace()
    const person = await contactOf(here)
    const suppressions = '/api/core/privacy/suppressions'
    const address = 'm.duval@example.com'
    const days: string[] = []
    const next = () => {
      days.push(app.clock.now().toISOString())
      app.clock.advance('P1D')
    }
    next()
    await here.admin.post(suppressions, { address, channel: 'mail', reason: 'complaint' })
    next()
    await here.admin.post(`${suppressions}/lift`, { address, channel: 'mail', reason: 'Asked for it by phone' })
    next()
    await here.admin.post(suppressions, { address, channel: 'mail', reason: 'bounce' })
    next()
    const states = await Promise.all(days.map(async (at) => (await stateOf(here, person, at))['mail']))
    expect(states).toEqual(['open', 'suppressed', 'open', 'suppressed'])
    const { owner } = app.app.kernel.parts.database
    for (const statement of [
      sql`update core.suppression_line set at = now()`,
      sql`delete from core.suppression_line`,
      sql`truncate core.suppression_line`,
    ])
      await expect(statement.execute(owner)).rejects.toThrow(/append-only/)
  })

  test('stands in the audit with who did it and why, and without the address', async () => {
    const here = await app.secondWorkspace()
    const suppressions = '/api/core/privacy/suppressions'
    const address = 'quiet.person@example.com'
    await here.admin.post(suppressions, { address, channel: 'mail' })
    await here.admin.post(suppressions, { address, channel: 'mail' })
    await here.admin.post(`${suppressions}/lift`, { address, channel: 'mail', reason: 'Sent by mistake' })
    const { body } = await here.admin.get('/api/core/audit?resource=core.suppression')
    expect(body.data).toMatchObject([
      {
        actor: { id: here.admin.who.actor.id },
        mayUndo: false,
        changes: [
          {
            title: 'mail',
            changes: [
              { field: 'state', old: 'suppressed', new: null },
              { field: 'reason', new: 'Sent by mistake' },
            ],
          },
        ],
      },
      { changes: [{ title: 'mail', changes: [{ field: 'state', new: 'suppressed' }, { new: 'manual' }] }] },
    ])
    expect(JSON.stringify(body)).not.toContain('quiet.person')
  })

  test('without a channel holds every one that reaches the address, and so does lifting it', async () => {
    const here = await app.secondWorkspace()
    const suppressions = '/api/core/privacy/suppressions'
    const address = '+33142685300'
    const why = () => Promise.all((['sms', 'phone'] as const).map((channel) => refusal(here, { channel, address })))
    const made = await here.admin.post(suppressions, { address })
    expect(made.body.data.map(({ channel }: { channel: string }) => channel)).toEqual(['phone', 'sms'])
    expect(await why()).toEqual(['suppressed', 'suppressed'])
    const lifted = await here.admin.post(`${suppressions}/lift`, { address, reason: 'Sent by mistake' })
    expect(lifted.body.data).toEqual({ lifted: 2 })
    expect(await why()).toEqual([null, null])
  })

  test('answers what stands where an older one outweighs what was sent', async () => {
    const here = await app.secondWorkspace()
    const suppressions = '/api/core/privacy/suppressions'
    const sent = { address: 'loud@example.com', channel: 'mail' }
    const first = await here.admin.post(suppressions, { ...sent, reason: 'complaint' })
    app.clock.advance('PT1M')
    const second = await here.admin.post(suppressions, { ...sent, reason: 'bounce' })
    expect(second.body.data).toEqual(first.body.data)
    expect(second.body.data).toMatchObject([{ reason: 'complaint' }])
  })

  test('says nothing in another company', async () => {
    const here = await app.secondWorkspace()
    const there = await app.secondWorkspace()
    await here.admin.post('/api/core/privacy/suppressions', { address: 'x@example.com', channel: 'mail' })
    expect(await refusal(there, { channel: 'mail', address: 'x@example.com' })).toBeNull()
  })
})
