import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Lifecycles } from '../src/entities/lifecycle.ts'
import { totalsOf } from '../src/entities/totals.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp
let company: TestWorkspace
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())

beforeEach(async () => {
  app.clock.set('2026-03-02T09:00:00Z')
  company = await app.secondWorkspace()
  admin = company.admin
})

type Values = Readonly<Record<string, unknown>>

async function make(path: string, values: Values, by: TestClient = admin) {
  const answer = await by.post(`/api/core/${path}`, values)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}

async function read(path: string, id: string) {
  return (await admin.get(`/api/core/${path}/${id}`)).body.data
}

/** Changes a record at its current version. */
async function change(path: string, id: string, values: Values, headers: Readonly<Record<string, string>> = {}) {
  const { version } = await read(path, id)
  return admin.patch(`/api/core/${path}/${id}`, { version, ...values }, headers)
}

const account = (values: Values = {}) => make('accounts', { name: 'Maison Garonne', allowDuplicate: true, ...values })

/** The rule a refused value broke. */
const broken = (answer: { body: { errors?: { path: string; code: string }[] } }) =>
  answer.body.errors?.map(({ path, code }) => `${path} ${code}`)

describe('accounts', () => {
  test('identifiers are kept without blanks, and a SIRET tells its SIREN', async () => {
    const made = await account({
      siret: '732 829 320 00074',
      vatNumber: 'fr 44 732 829 320',
      country: 'fr',
      website: 'www.Garonne.example/shop',
    })
    expect(made).toMatchObject({
      siret: '73282932000074',
      siren: '732829320',
      vatNumber: 'FR44732829320',
      country: 'FR',
      domain: 'garonne.example',
    })
  })

  test('an identifier with a wrong checksum is refused at its field, in words that name it', async () => {
    const siren = await admin.post('/api/core/accounts', { name: 'Faux', siren: '552100555' })
    expect(siren).toMatchObject({
      status: 422,
      body: { code: 'VALIDATION_FAILED', detail: expect.stringContaining('"552100555"') },
    })
    expect(broken(siren)).toEqual(['/siren SIREN_INVALID'])
    expect(broken(await admin.post('/api/core/accounts', { name: 'Faux', siret: '73282932000075' }))).toEqual([
      '/siret SIRET_INVALID',
    ])
    expect(broken(await admin.post('/api/core/accounts', { name: 'Faux', vatNumber: 'FR41303265045' }))).toEqual([
      '/vatNumber VAT_NUMBER_INVALID',
    ])
    expect(
      broken(await admin.post('/api/core/accounts', { name: 'Faux', siret: '73282932000074', siren: '552100554' })),
    ).toEqual(['/siret SIRET_OF_OTHER_SIREN'])
    expect(broken(await admin.post('/api/core/accounts', { name: 'Faux', country: 'XX' }))).toEqual([
      '/country COUNTRY_UNKNOWN',
    ])
  })

  test('a refusal is said in the actor’s language', async () => {
    const camille = await company.as({ may: ['core.account.create', 'core.account.read'], locale: 'fr' })
    const answer = await camille.post('/api/core/accounts', { name: 'Faux', siren: '552100555' })
    expect(answer.body.errors[0].detail).toContain('n’est pas un SIREN')
  })

  test('every value that cannot be kept is refused in the actor’s language, its field by its name there', async () => {
    const camille = await company.as({ may: ['core.account.create', 'core.account.read'], locale: 'fr' })
    const answer = await camille.post('/api/core/accounts', {
      name: ' ',
      lifecycle: 'inconnu',
      email: 'nulle part',
      website: 'ftp://x',
      employees: 'beaucoup',
      annualRevenue: '1.23456',
      doNotContact: 'oui',
      parent: 'Groupe',
      legalName: 'x'.repeat(2_000),
      city: 'Ly\u0000on',
      couleur: 'bleu',
    })
    const said = Object.fromEntries(
      answer.body.errors.map((it: { path: string; detail: string }) => [
        it.path.slice(1),
        it.detail.replaceAll('\u00a0', ' '),
      ]),
    )
    expect(said).toEqual({
      name: '« Nom » doit avoir une valeur.',
      lifecycle:
        '« inconnu » n’est pas un choix de « Cycle de vie ». Les choix sont : suspect, prospect, client, former.',
      email: '« nulle part » n’est pas une adresse e-mail ; écrivez-la ainsi : nom@exemple.com.',
      website: '« ftp://x » n’est pas une adresse web ; écrivez-la ainsi : https://exemple.com.',
      employees: '« beaucoup » n’est pas un nombre entier.',
      annualRevenue: '« 1.23456 » a plus que les 4 décimales de « Chiffre d’affaires annuel ».',
      doNotContact: '« oui » n’est ni vrai ni faux.',
      parent: '« Groupe » n’est pas l’identifiant d’une fiche.',
      legalName: expect.stringMatching(/^« Raison sociale » compte 2.000 caractères ; .* au plus sont gardés\.$/),
      city: '« Ville » contient un caractère NUL, qu’aucun texte ne peut contenir.',
      couleur: expect.stringContaining('Aucun champ ne s’appelle « couleur » (Compte)'),
    })
    expect(answer.body.detail.replaceAll('\u00a0', ' ')).toBe(
      '11 valeurs ne peuvent pas être gardées. « Nom » doit avoir une valeur.',
    )
    expect(answer.body.errors.some((it: object) => 'values' in it)).toBe(false)
  })

  test('an account never stands below itself, and the refusal names both', async () => {
    const top = await account({ name: 'Groupe' })
    const middle = await account({ name: 'Filiale', parent: top.id })
    const low = await account({ name: 'Agence', parent: middle.id })
    const answer = await change('accounts', top.id, { parent: low.id })
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'CYCLE_REFUSED', detail: expect.stringMatching(/"Groupe".*"Agence"/) },
    })
    expect((await change('accounts', top.id, { parent: top.id })).body.code).toBe('CYCLE_REFUSED')
  })

  test('an eleventh level is refused', async () => {
    let parent: string | undefined
    for (let level = 1; level <= 10; level += 1)
      parent = (await account({ name: `Niveau ${level}`, ...(parent ? { parent } : {}) })).id
    expect(await admin.post('/api/core/accounts', { name: 'Niveau 11', parent })).toMatchObject({
      status: 409,
      body: { code: 'HIERARCHY_TOO_DEEP' },
    })
  })

  test('a lifecycle goes forward freely and back only with a reason', async () => {
    const { id } = await account({ lifecycle: 'prospect' })
    expect((await change('accounts', id, { lifecycle: 'former' })).body.code).toBe('TRANSITION_REFUSED')
    expect((await change('accounts', id, { lifecycle: 'client' })).status).toBe(200)
    expect((await change('accounts', id, { lifecycle: 'prospect' })).body.code).toBe('LIFECYCLE_REASON_REQUIRED')
    expect(
      (await change('accounts', id, { lifecycle: 'prospect' }, { 'x-reason': 'booked on the wrong account' })).status,
    ).toBe(200)
  })

  test('an event moves an account once, however often it is delivered', async () => {
    const { id } = await account({ lifecycle: 'prospect' })
    const event = '0195a000-0000-7000-8000-000000000001'
    const advance = () => company.inside((ctx) => ctx.use(Lifecycles).advance(id, 'client', event))
    expect([await advance(), await advance(), await advance()]).toEqual([true, false, false])
    await change('accounts', id, { lifecycle: 'former' })
    // Late, after somebody moved it on by hand: the event had its effect already.
    expect(await advance()).toBe(false)
    expect(await read('accounts', id)).toMatchObject({ lifecycle: 'former' })
  })

  test('a taken code is refused by its field', async () => {
    await account({ code: 'C1' })
    expect(await admin.post('/api/core/accounts', { name: 'Autre', code: 'C1' })).toMatchObject({
      status: 409,
      body: { code: 'VALUE_TAKEN' },
    })
  })
})

describe('contacts', () => {
  test('a contact is named by first and last name, reached by numbers as dialled from anywhere', async () => {
    const made = await make('contacts', {
      firstName: 'Élodie',
      lastName: 'Le Gall',
      email: ' Elodie@Garonne.Example ',
      phone: '01 42 68 53 00',
      mobile: '+32 470 12 34 56',
    })
    expect(made).toMatchObject({
      name: 'Élodie Le Gall',
      email: 'elodie@garonne.example',
      phone: '01 42 68 53 00',
      phoneNorm: '+33142685300',
      mobileNorm: '+32470123456',
    })
    expect((await change('contacts', made.id, { lastName: 'Martin', phone: null })).body.data).toMatchObject({
      name: 'Élodie Martin',
      phoneNorm: null,
    })
  })

  test('a number nobody can dial is kept as typed', async () => {
    expect(await make('contacts', { lastName: 'Martin', phone: 'standard, poste 12' })).toMatchObject({
      phone: 'standard, poste 12',
      phoneNorm: null,
    })
  })

  test('a contact without any name is refused', async () => {
    expect(broken(await admin.post('/api/core/contacts', { phone: '01 42 68 53 00' }))).toEqual([
      '/lastName NAME_MISSING',
    ])
  })

  test('a contact’s account is one of its links, and a new main link moves the contact', async () => {
    const [garonne, valmy] = [await account(), await account({ name: 'Hôtel Valmy' })]
    const contact = await make('contacts', { lastName: 'Martin', account: garonne.id })
    await app.deliver()
    const links = async () =>
      (
        await admin.get(
          `/api/core/account-contacts?sort=createdAt&filter=${encodeURIComponent(`contact = "${contact.id}"`)}`,
        )
      ).body.data
    expect(await links()).toMatchObject([{ account: garonne.id, primary: true }])
    await make('account-contacts', { account: valmy.id, contact: contact.id, role: 'Gérante', primary: true })
    await app.deliver()
    expect(await links()).toMatchObject([
      { account: garonne.id, primary: false },
      { account: valmy.id, primary: true },
    ])
    expect(await read('contacts', contact.id)).toMatchObject({ account: valmy.id })
  })

  test('a contact is not at one account twice at a time', async () => {
    const [{ id: where }, { id: contact }] = [await account(), await make('contacts', { lastName: 'Martin' })]
    await make('account-contacts', { account: where, contact, from: '2025-01-01', to: '2025-06-01' })
    await make('account-contacts', { account: where, contact, from: '2025-06-01' })
    expect(
      (await admin.post('/api/core/account-contacts', { account: where, contact, from: '2026-01-01' })).status,
    ).toBe(409)
    expect(
      broken(
        await admin.post('/api/core/account-contacts', {
          account: where,
          contact,
          from: '2024-02-01',
          to: '2024-01-01',
        }),
      ),
    ).toEqual(['/to PERIOD_REVERSED'])
  })
})

describe('activities', () => {
  test('done sets the moment, taking it back clears it, and a cancelled one stays', async () => {
    const { id } = await make('activities', { subject: 'Rappeler', dueAt: '2026-03-03T10:00:00Z' })
    expect((await change('activities', id, { status: 'done' })).body.data).toMatchObject({
      completedAt: '2026-03-02T09:00:00.000Z',
    })
    expect((await change('activities', id, { status: 'planned' })).body.data).toMatchObject({ completedAt: null })
    await change('activities', id, { status: 'cancelled' })
    expect(await change('activities', id, { status: 'done' })).toMatchObject({
      status: 409,
      body: { code: 'TRANSITION_REFUSED' },
    })
  })

  test('an end before its start is refused', async () => {
    const answer = await admin.post('/api/core/activities', {
      subject: 'Visite',
      type: 'visit',
      startAt: '2026-03-03T10:00:00Z',
      endAt: '2026-03-03T09:00:00Z',
    })
    expect(broken(answer)).toEqual(['/endAt PERIOD_REVERSED'])
  })

  test('a note is logged as done', async () => {
    expect(await make('activities', { subject: 'Préfère le mardi', type: 'note' })).toMatchObject({
      status: 'done',
      completedAt: '2026-03-02T09:00:00.000Z',
    })
  })

  test('a call with a contact is a call with the contact’s account', async () => {
    const { id } = await account()
    const contact = await make('contacts', { lastName: 'Martin', account: id })
    expect(await make('activities', { subject: 'Appel', type: 'call', contact: contact.id })).toMatchObject({
      account: id,
    })
  })

  test('an activity can be about a record of any kind, if there is one', async () => {
    const where = await account()
    const about = await make('orders', { account: where.id })
    expect(await make('activities', { subject: 'Livraison', resource: 'core.order', record: about.id })).toMatchObject({
      record: about.id,
      account: where.id,
    })
    const refused = async (values: Values) =>
      broken(await admin.post('/api/core/activities', { subject: 'Livraison', ...values }))
    expect(await refused({ resource: 'core.order', record: where.id })).toEqual(['/record REFERENCE_UNKNOWN'])
    expect(await refused({ resource: 'core.spaceship', record: where.id })).toEqual(['/resource RESOURCE_UNKNOWN'])
    expect(await refused({ resource: 'core.order' })).toEqual(['/record REFERENCE_INCOMPLETE'])
  })

  test('an account knows its last and its next activity, without a version of its own for it', async () => {
    const { id, version } = await account()
    const call = await make('activities', {
      subject: 'Appel',
      type: 'call',
      account: id,
      dueAt: '2026-03-05T10:00:00Z',
    })
    await make('activities', { subject: 'Visite', type: 'visit', account: id, startAt: '2026-03-09T10:00:00Z' })
    expect(await read('accounts', id)).toMatchObject({
      lastActivityAt: null,
      nextActivityAt: '2026-03-05T10:00:00.000Z',
    })
    await change('activities', call.id, { status: 'done' })
    expect(await read('accounts', id)).toMatchObject({
      version,
      lastActivityAt: '2026-03-02T09:00:00.000Z',
      nextActivityAt: '2026-03-09T10:00:00.000Z',
    })
    const other = await account({ name: 'Hôtel Valmy' })
    await change('activities', call.id, { account: other.id })
    expect(await read('accounts', id)).toMatchObject({ lastActivityAt: null })
    expect(await read('accounts', other.id)).toMatchObject({ lastActivityAt: '2026-03-02T09:00:00.000Z' })
  })
})

describe('orders', () => {
  const line = (order: string, values: Values = {}) => ({
    order,
    name: 'Café',
    unitPrice: '10',
    taxRate: '20',
    ...values,
  })

  test('an order takes the next number, the workspace’s currency and the sums of its lines', async () => {
    const { id: where } = await account()
    const first = await make('orders', { account: where })
    expect(first).toMatchObject({ number: 'SO-2026-00001', currency: 'EUR', net: '0.0000' })
    expect(await make('orders', { account: where })).toMatchObject({ number: 'SO-2026-00002' })
    const kept = await make('order-lines', line(first.id, { quantity: '3', discount: '10' }))
    expect(kept).toMatchObject({ net: '27.0000', currency: 'EUR' })
    const second = await make('order-lines', line(first.id, { unitPrice: '0.99', taxRate: '5.5' }))
    expect(await read('orders', first.id)).toMatchObject({ net: '27.9900', tax: '5.4500', gross: '33.4400' })
    await change('order-lines', kept.id, { quantity: '1' })
    expect(await read('orders', first.id)).toMatchObject({ net: '9.9900' })
    await admin.delete(`/api/core/order-lines/${second.id}?version=${second.version}`)
    expect(await read('orders', first.id)).toMatchObject({ net: '9.0000', tax: '1.8000', gross: '10.8000' })
  })

  test('a line takes name, unit, price and rate from its product, but not a price in another currency', async () => {
    const product = await make('products', {
      sku: 'CAF',
      name: 'Café en grains',
      unit: 'kg',
      price: '18.90',
      taxRate: '5.5',
    })
    const euros = await make('orders', { account: (await account()).id })
    expect(await make('order-lines', { order: euros.id, product: product.id, quantity: '2' })).toMatchObject({
      name: 'Café en grains',
      unit: 'kg',
      unitPrice: '18.9000',
      taxRate: '5.50',
      net: '37.8000',
    })
    expect(await make('order-lines', { order: euros.id, product: product.id, taxRate: '0' })).toMatchObject({
      taxRate: '0.00',
    })
    const francs = await make('orders', { account: euros.account, currency: 'chf' })
    expect(broken(await admin.post('/api/core/order-lines', { order: francs.id, product: product.id }))).toEqual([
      '/unitPrice PRICE_MISSING',
    ])
  })

  test('a currency does not change under lines', async () => {
    const { id } = await make('orders', { account: (await account()).id })
    expect((await change('orders', id, { currency: 'CHF' })).status).toBe(200)
    await make('order-lines', line(id))
    expect(await change('orders', id, { currency: 'EUR' })).toMatchObject({
      status: 409,
      body: { code: 'CURRENCY_IN_USE' },
    })
    expect(broken(await admin.post('/api/core/orders', { account: (await account()).id, currency: 'XXZ' }))).toEqual([
      '/currency CURRENCY_UNKNOWN',
    ])
  })

  test('sums are nobody’s to type', async () => {
    const { id } = await make('orders', { account: (await account()).id })
    expect(await change('orders', id, { net: '1' })).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_WRITABLE' },
    })
  })

  test('an order goes step by step, and its lines stay when it is fulfilled', async () => {
    const { id } = await make('orders', { account: (await account()).id })
    const kept = await make('order-lines', line(id))
    expect((await change('orders', id, { status: 'fulfilled' })).body.code).toBe('TRANSITION_REFUSED')
    expect((await change('orders', id, { status: 'confirmed' })).body.data).toMatchObject({ orderedOn: '2026-03-02' })
    await change('orders', id, { status: 'in_fulfilment' })
    await change('orders', id, { status: 'fulfilled' })
    expect((await change('orders', id, { status: 'cancelled' })).body.code).toBe('TRANSITION_REFUSED')
    expect((await change('order-lines', kept.id, { quantity: '2' })).body.code).toBe('LINES_CLOSED')
  })

  test('whoever may not change the order may not change it through its lines', async () => {
    const { id } = await make('orders', { account: (await account()).id })
    const clerk = await company.as({ may: ['core.order.read', 'core.order-line.create', 'core.order-line.read'] })
    expect((await clerk.post('/api/core/order-lines', line(id))).status).toBe(403)
    expect((await admin.get('/api/core/order-lines')).body.data).toEqual([])
  })

  test('whatever is done to the lines, the header carries their sums', async () => {
    const { id: where } = await account()
    const step = fc.record({
      does: fc.constantFrom('add', 'add', 'change', 'remove'),
      quantity: fc.integer({ min: 1, max: 99_999 }).map((it) => new Decimal(it).div(1000).toFixed(3)),
      unitPrice: fc.integer({ min: 0, max: 9_999_999 }).map((it) => new Decimal(it).div(10_000).toFixed(4)),
      discount: fc.constantFrom('0', '5', '33.33'),
      taxRate: fc.constantFrom('0', '5.5', '20'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const order = await make('orders', { account: where })
        const lines: { id: string }[] = []
        for (const { does, ...values } of steps) {
          const last = lines.at(-1)
          if (does === 'add' || !last) lines.push(await make('order-lines', line(order.id, values)))
          else if (does === 'change') expect((await change('order-lines', last.id, values)).status).toBe(200)
          else {
            const { version } = await read('order-lines', last.id)
            expect((await admin.delete(`/api/core/order-lines/${last.id}?version=${version}`)).status).toBe(204)
            lines.pop()
          }
        }
        const kept = (await admin.get(`/api/core/order-lines?filter=${encodeURIComponent(`order = "${order.id}"`)}`))
          .body.data
        expect(kept).toHaveLength(lines.length)
        expect(await read('orders', order.id)).toMatchObject(totalsOf(kept, 'EUR'))
      }),
      { numRuns: 8 },
    )
  })
})

describe('invoices and payments', () => {
  async function issued(values: Values = {}) {
    const invoice = await make('invoices', { account: (await account()).id, ...values })
    await make('invoice-lines', { invoice: invoice.id, name: 'Café', unitPrice: '100', taxRate: '20' })
    return (await change('invoices', invoice.id, { status: 'issued' })).body.data
  }

  test('an invoice without lines is not issued, an issued one neither changes nor vanishes', async () => {
    const empty = await make('invoices', { account: (await account()).id })
    expect((await change('invoices', empty.id, { status: 'issued' })).body.code).toBe('INVOICE_EMPTY')
    const invoice = await issued()
    expect(invoice).toMatchObject({ status: 'issued', issuedOn: '2026-03-02', gross: '120.0000' })
    expect(
      (await admin.post('/api/core/invoice-lines', { invoice: invoice.id, name: 'Thé', unitPrice: '1' })).body.code,
    ).toBe('LINES_CLOSED')
    expect((await change('invoices', invoice.id, { status: 'draft' })).body.code).toBe('TRANSITION_REFUSED')
    expect((await admin.delete(`/api/core/invoices/${invoice.id}?version=${invoice.version}`)).body.code).toBe(
      'INVOICE_FINAL',
    )
  })

  test('payments alone move the payment state, both ways', async () => {
    const invoice = await issued()
    expect(await change('invoices', invoice.id, { status: 'paid' })).toMatchObject({
      status: 409,
      body: { code: 'TRANSITION_REFUSED', detail: expect.stringContaining('follows from its payments') },
    })
    const first = await make('payments', { invoice: invoice.id, amount: '20', paidOn: '2026-03-02' })
    expect(first).toMatchObject({ currency: 'EUR', account: invoice.account })
    expect(await read('invoices', invoice.id)).toMatchObject({ status: 'partly_paid', paid: '20.0000' })
    await make('payments', { invoice: invoice.id, amount: '100', paidOn: '2026-03-03' })
    expect(await read('invoices', invoice.id)).toMatchObject({ status: 'paid', paid: '120.0000' })
    await admin.delete(`/api/core/payments/${first.id}?version=${first.version}`)
    expect(await read('invoices', invoice.id)).toMatchObject({ status: 'partly_paid', paid: '100.0000' })
  })

  test('a draft takes no payment', async () => {
    const draft = await make('invoices', { account: (await account()).id })
    expect(
      (await admin.post('/api/core/payments', { invoice: draft.id, amount: '20', paidOn: '2026-03-02' })).body.code,
    ).toBe('INVOICE_NOT_PAYABLE')
  })

  test('only a credit note cancels an issued invoice, and it mirrors it', async () => {
    const invoice = await issued()
    expect((await change('invoices', invoice.id, { status: 'cancelled' })).body.code).toBe('TRANSITION_REFUSED')
    const { status, body } = await admin.post(`/api/core/invoices/${invoice.id}/cancel`)
    expect({ status, ...body.data }).toMatchObject({
      status: 200,
      invoice: { status: 'cancelled' },
      creditNote: { status: 'issued', creditOf: invoice.id, net: '-100.0000', gross: '-120.0000' },
    })
    expect((await admin.post(`/api/core/invoices/${invoice.id}/cancel`)).body.code).toBe('TRANSITION_REFUSED')
  })
})
