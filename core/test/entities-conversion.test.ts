import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { LeadTargets, type LeadTarget } from '../src/entities/lead-conversion.ts'
import { defineError } from '../src/errors.ts'
import { contribution, definePlugin } from '../src/plugins/define-plugin.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'

const refusedAtWill = defineError('FIXTURE_REFUSED', 409, () => 'The target was told to refuse.')

/** Stands in for a plugin's opportunity: a product, because the core has no opportunity. */
const offerTarget: LeadTarget = {
  id: 'offer',
  input: z.object({ sku: z.string(), refuse: z.boolean().default(false) }),
  async convert(input, { account }, ctx) {
    const { sku, refuse } = input as { sku: string; refuse: boolean }
    const made = await ctx.records.create('core.product', { sku, name: `Offer for ${account ?? 'nobody'}` })
    if (refuse) throw refusedAtWill({})
    return { resource: 'core.product', id: made.id, made: true }
  },
}
const fixture = definePlugin({
  id: 'fixture',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Fixture', fr: 'Essai' },
  contributes: [contribution(LeadTargets, offerTarget)],
})

let app: TestApp
let company: TestWorkspace
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [fixture], now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())
beforeEach(async () => {
  company = await app.secondWorkspace()
  admin = company.admin
})

type Values = Readonly<Record<string, unknown>>

async function make(path: string, values: Values) {
  const answer = await admin.post(`/api/core/${path}`, { allowDuplicate: true, ...values })
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}
const lead = (values: Values = {}) =>
  make('leads', {
    firstName: 'Élodie',
    lastName: 'Le Gall',
    companyName: 'Hôtel Valmy',
    email: 'elodie@valmy.example',
    phone: '01 42 68 53 00',
    source: 'Salon Sirha',
    ...values,
  })
const convert = (id: string, body: Values = {}) => admin.post(`/api/core/leads/${id}/convert`, body)
const read = async (path: string, id: string) => (await admin.get(`/api/core/${path}/${id}`)).body.data
const count = async (path: string) => (await admin.get(`/api/core/${path}?count=exact`)).body.page.count

test('a lead becomes an account, a contact and what a plugin offers, and its timeline follows', async () => {
  const { id } = await lead()
  const call = await make('activities', { subject: 'Appel', type: 'call', lead: id })
  const { status, body } = await convert(id, { targets: { offer: { sku: 'O-1' } } })
  expect(status, JSON.stringify(body)).toBe(200)
  const { account, contact, targets } = body.data
  expect(body.data.lead).toMatchObject({
    status: 'converted',
    convertedAt: '2026-03-02T09:00:00.000Z',
    account,
    contact,
    targetResource: 'core.product',
    targetRecord: targets.offer.id,
  })
  expect(await read('accounts', account)).toMatchObject({
    name: 'Hôtel Valmy',
    lifecycle: 'prospect',
    source: 'Salon Sirha',
  })
  expect(await read('contacts', contact)).toMatchObject({ name: 'Élodie Le Gall', account, phoneNorm: '+33142685300' })
  expect(await read('products', targets.offer.id)).toMatchObject({ name: `Offer for ${account}` })
  expect(await read('activities', call.id)).toMatchObject({ lead: id, account, contact })
})

test('what is asked for is chosen: an existing account, other values, or no contact', async () => {
  const { id: account } = await make('accounts', { name: 'Groupe Valmy' })
  const first = await convert((await lead()).id, {
    account: { id: account },
    contact: { create: { jobTitle: 'Gérante' } },
  })
  expect(first.body.data.account).toBe(account)
  expect(await read('contacts', first.body.data.contact)).toMatchObject({ account, jobTitle: 'Gérante' })
  const second = await convert((await lead()).id, { contact: null })
  expect(second.body.data).toMatchObject({ contact: null })
  expect((await convert((await lead()).id, { account: null, contact: null })).body.code).toBe('CONVERSION_EMPTY')
})

test('a contact of another account is not taken along silently', async () => {
  const [one, two] = [await make('accounts', { name: 'Un' }), await make('accounts', { name: 'Deux' })]
  const contact = await make('contacts', { lastName: 'Martin', account: one.id })
  const answer = await convert((await lead()).id, { account: { id: two.id }, contact: { id: contact.id } })
  expect(answer).toMatchObject({ status: 422, body: { code: 'CONVERSION_TARGETS_DISAGREE' } })
})

test('all or nothing: a target that refuses leaves no account, no contact and a lead as it was', async () => {
  const { id } = await lead()
  const answer = await convert(id, { targets: { offer: { sku: 'O-1', refuse: true } } })
  expect(answer).toMatchObject({ status: 409, body: { code: 'FIXTURE_REFUSED' } })
  expect([await count('accounts'), await count('contacts'), await count('products')]).toEqual([0, 0, 0])
  expect(await read('leads', id)).toMatchObject({ status: 'new', version: 1 })
  const unknown = await convert(id, { targets: { spaceship: {} } })
  expect(unknown.body.errors).toMatchObject([{ path: '/targets/spaceship', code: 'CONVERSION_TARGET_UNKNOWN' }])
  expect((await convert(id, { targets: { offer: {} } })).body.code).toBe('VALIDATION_FAILED')
})

test('a double click converts once, and the second answer says what was made', async () => {
  const { id } = await lead()
  const answers = await Promise.all([convert(id), convert(id)])
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
  const [made, refused] = answers.toSorted((a, b) => a.status - b.status)
  expect(refused?.body).toMatchObject({
    code: 'TRANSITION_REFUSED',
    account: made?.body.data.account,
    contact: made?.body.data.contact,
  })
  expect(await count('accounts')).toBe(1)
})

test('a status typed by hand converts nothing, and a given-up lead is taken up first', async () => {
  const { id, version } = await lead()
  const typed = await admin.patch(`/api/core/leads/${id}`, { version, status: 'converted' })
  expect(typed).toMatchObject({
    status: 409,
    body: { code: 'TRANSITION_REFUSED', detail: expect.stringContaining('Use Convert') },
  })
  expect((await admin.patch(`/api/core/leads/${id}`, { version, status: 'nurturing' })).body.code).toBe(
    'TRANSITION_REFUSED',
  )
  const gone = await admin.patch(`/api/core/leads/${id}`, { version, status: 'unqualified', reason: 'Trop loin' })
  expect(gone.status).toBe(200)
  expect((await convert(id)).body.code).toBe('TRANSITION_REFUSED')
  await admin.patch(`/api/core/leads/${id}`, { version: gone.body.data.version, status: 'working' })
  expect((await convert(id)).status).toBe(200)
})

test('whoever may not create accounts converts into an existing one only', async () => {
  const { id } = await lead()
  const { id: account } = await make('accounts', { name: 'Groupe Valmy' })
  const clerk = await company.as({ may: ['core.lead.read', 'core.lead.update', 'core.account.read'] })
  expect((await clerk.post(`/api/core/leads/${id}/convert`, {})).body.code).toBe('PERMISSION_DENIED')
  const answer = await clerk.post(`/api/core/leads/${id}/convert`, { account: { id: account }, contact: null })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
})

test('reverting removes what nobody touched, brings the lead back and lets it convert again', async () => {
  const { id } = await lead()
  const call = await make('activities', { subject: 'Appel', type: 'call', lead: id })
  await convert(id, { targets: { offer: { sku: 'O-1' } } })
  const { status, body } = await admin.post(`/api/core/leads/${id}/revert`)
  expect(status, JSON.stringify(body)).toBe(200)
  expect(body.data).toMatchObject({ kept: [], lead: { status: 'qualified', convertedAt: null, account: null } })
  expect([await count('accounts'), await count('contacts'), await count('products')]).toEqual([0, 0, 0])
  expect(await read('activities', call.id)).toMatchObject({ account: null, contact: null })
  expect((await admin.post(`/api/core/leads/${id}/revert`)).body.code).toBe('TRANSITION_REFUSED')
  expect((await convert(id)).status).toBe(200)
})

test('reverting keeps and lists what was edited since', async () => {
  const { id } = await lead()
  const { account, contact } = (await convert(id)).body.data
  const { version } = await read('contacts', contact)
  await admin.patch(`/api/core/contacts/${contact}`, { version, jobTitle: 'Gérante' })
  const { body } = await admin.post(`/api/core/leads/${id}/revert`)
  expect(body.data.kept).toEqual([
    { resource: 'core.contact', id: contact },
    { resource: 'core.account', id: account },
  ])
  expect(await read('contacts', contact)).toMatchObject({ jobTitle: 'Gérante' })
})

test('one undo takes a whole conversion back, and undoing that brings it again', async () => {
  const { id } = await lead()
  const answer = await convert(id)
  const undone = await admin.post(`/api/core/change-sets/${answer.headers.get('x-change-set')}/undo`)
  expect(undone.status, JSON.stringify(undone.body)).toBe(200)
  expect(await read('leads', id)).toMatchObject({ status: 'new', account: null })
  expect(await count('accounts')).toBe(0)
  const again = await admin.post(`/api/core/change-sets/${undone.headers.get('x-change-set')}/undo`)
  expect(again.status, JSON.stringify(again.body)).toBe(200)
  expect(await read('leads', id)).toMatchObject({ status: 'converted', account: answer.body.data.account })
  expect(await read('accounts', answer.body.data.account)).toMatchObject({ name: 'Hôtel Valmy' })
})

test('an undo may bring back a status that no hand may choose', async () => {
  const { id, version } = await lead()
  const moved = await admin.patch(`/api/core/leads/${id}`, { version, status: 'working' })
  expect((await admin.patch(`/api/core/leads/${id}`, { version: 2, status: 'new' })).body.code).toBe(
    'TRANSITION_REFUSED',
  )
  await admin.post(`/api/core/change-sets/${moved.headers.get('x-change-set')}/undo`)
  expect(await read('leads', id)).toMatchObject({ status: 'new' })
})
