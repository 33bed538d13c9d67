import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maskedSql, maskedText, type Mask } from '../src/records/mask.ts'
import { createTestApp, makeTestDatabase, type TestApp, type TestClient } from '../src/testing/index.ts'

const shown: readonly (readonly [Mask, string, string | null])[] = [
  ['email', 'jeanne.moreau@garonne.fr', 'j•••@•••.fr'],
  ['email', 'jo@garonne.fr', '•••'],
  ['email', 'jeanne@garonne.industries', '•••'],
  ['phone', '+33142685307', '•••07'],
  ['phone', '17', '•••'],
  ['url', 'https://user:secret@www.garonne.fr:8443/prix.pdf?client=12', 'https://•••.fr'],
  ['url', 'https://garonne', '•••'],
  ['text', 'Durand', 'D•••'],
  ['text', 'Éluard\nPaul', 'É•••'],
  ['text', 'Ana', '•••'],
  ['text', '', null],
  ['closed', '<p>Everything</p>', '•••'],
]

let app: TestApp
let account: { id: string; version: number }

const grants = ['read', 'create', 'update', 'delete', 'restore', 'export', 'merge', 'bulk'].flatMap((action) =>
  ['core.account', 'core.contact'].map((resource) => ({ resource, action, visibility: 'all' as const })),
)
const masked = (...fields: string[]) =>
  fields.map((field) => ({ resource: 'core.account', field, access: 'masked' as const }))
const own = (name: string, type: string, more: object = {}) => ({
  resource: 'core.account',
  name,
  type,
  labelEn: name,
  labelFr: name,
  ...more,
})

beforeAll(async () => {
  app = await createTestApp()
  for (const field of [
    own('margin', 'money'),
    own('twice', 'money', { formula: 'margin * 2' }),
    own('hint', 'text', { formula: 'coalesce(email, phone)' }),
  ])
    await app.admin.post('/api/core/fields', field)
  const made = await app.admin.post('/api/core/accounts', {
    name: 'Maison Garonne',
    email: 'jeanne.moreau@garonne.fr',
    phone: '+33 1 42 68 53 07',
    margin: '987654.32',
  })
  account = made.body.data
}, 60_000)

afterAll(() => app[Symbol.asyncDispose]())

const someone = (fields = masked('email', 'phone', 'margin'), more: readonly string[] = []): Promise<TestClient> =>
  app.as({ grants, fields, may: more })

describe('a mask', () => {
  test.each(shown)('of %s "%s" is %s', (mask, value, text) => {
    expect(maskedText(mask, value)).toBe(text)
  })

  test('shows as much of a text where PostgreSQL prints it as where it is in memory', async () => {
    const { database } = await makeTestDatabase()
    const kinds: readonly Mask[] = ['text', 'email', 'phone', 'url', 'closed']
    const texts = fc.sample(
      fc.oneof(
        fc.emailAddress(),
        fc.webUrl({ withQueryParameters: true, withFragments: true }),
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
        fc.stringMatching(/^\+?[0-9 .]{2,15}$/),
        fc.constantFrom(...shown.map(([, value]) => value)),
      ),
      { numRuns: 400, seed: 7 },
    )
    for (const kind of kinds) {
      const { rows } = await sql<{ value: string; mask: string | null }>`
        select value, ${maskedSql(kind, sql`value`)} as mask from unnest(${texts}::text[]) as value`.execute(
        database.owner,
      )
      expect(rows).toEqual(texts.map((value) => ({ value, mask: maskedText(kind, value) })))
    }
  }, 30_000)

  test('is of one length for texts of one form, however long they are', () => {
    for (const local of ['anna', 'annabelle', 'a'.repeat(60)])
      expect(maskedText('email', `${local}@garonne.fr`)).toBe('a•••@•••.fr')
  })
})

describe('a masked field', () => {
  test('is answered as its mask by a record, a list, a board and a page of a view, and says that it is masked', async () => {
    const user = await someone()
    const mask = { email: 'j•••@•••.fr', phone: '•••07', phoneNorm: '•••07', margin: null }
    expect((await user.get(`/api/core/accounts/${account.id}`)).body.data).toMatchObject(mask)
    expect((await user.get('/api/core/accounts?fields=email,phone,phoneNorm,margin')).body.data).toContainEqual(
      expect.objectContaining(mask),
    )
    const board = await user.post('/api/core/accounts/board', { by: 'lifecycle', fields: ['email', 'margin'] })
    expect(board.body.data[0].cards[0]).toMatchObject({ email: mask.email, margin: null })
    const shell = (await user.get('/api/core/shell')).body
    const { fields, list, form } = shell.resources.find(({ id }: { id: string }) => id === 'core.account')
    const email = fields.find(({ name }: { name: string }) => name === 'email')
    expect(email).toMatchObject({ masked: true, writable: false, sortable: false })
    expect(form).not.toContain('email')
    expect(list).toEqual(expect.arrayContaining(['name']))
    // What reads a masked field is not there at all: its own mask would tell other letters.
    const whole = (await app.admin.get(`/api/core/accounts/${account.id}`)).body.data
    expect(whole).toMatchObject({ hint: 'jeanne.moreau@garonne.fr', twice: '1975308.64' })
    const names = fields.map(({ name }: { name: string }) => name)
    expect(names).not.toContain('hint')
    expect(names).not.toContain('twice')
  })

  test.each([
    ['filter', (field: string) => ['GET', `/api/core/accounts?filter=${encodeURIComponent(`${field} is not empty`)}`]],
    ['sort', (field: string) => ['GET', `/api/core/accounts?sort=${field}`]],
    ['group', (field: string) => ['POST', '/api/core/accounts/aggregate', { groupBy: [field], measures: ['count'] }]],
    ['sum', () => ['POST', '/api/core/accounts/aggregate', { measures: ['sum:margin'] }]],
    ['board', (field: string) => ['POST', '/api/core/accounts/board', { by: field }]],
  ] as const)('decides on nothing: a %s is refused as for a field that may not be read', async (_, ask) => {
    const user = await someone()
    for (const field of ['email', 'margin']) {
      const [method, path, body] = ask(field) as unknown as readonly [string, string, unknown]
      const answer = await user.send(method, path, body)
      expect([answer.status, answer.body.code]).toEqual([403, 'FIELD_NOT_READABLE'])
    }
  })

  test('is not written, and its record changes without it', async () => {
    const user = await someone()
    const { data } = (await user.get(`/api/core/accounts/${account.id}`)).body
    const refused = await user.patch(`/api/core/accounts/${account.id}`, {
      version: data.version,
      email: 'x@example.com',
    })
    expect([refused.status, refused.body.code]).toEqual([403, 'FIELD_NOT_WRITABLE'])
    const changed = await user.patch(`/api/core/accounts/${account.id}`, { version: data.version, city: 'Bordeaux' })
    expect(changed.body.data).toMatchObject({ city: 'Bordeaux', email: 'j•••@•••.fr', margin: null })
    const { body } = await app.admin.get(`/api/core/accounts/${account.id}`)
    expect(body.data).toMatchObject({ email: 'jeanne.moreau@garonne.fr', margin: '987654.32' })
  })

  test('finds no record by its words, and a masked name shows wherever the record is named', async () => {
    const user = await someone(masked('name'))
    expect((await user.get('/api/core/accounts?q=Garonne')).body.data).toEqual([])
    expect((await user.get('/api/core/search?q=Garonne')).body.data).toEqual([])
    const contact = (await app.admin.post('/api/core/contacts', { lastName: 'Moreau', account: account.id })).body.data
    const { included } = (await user.get(`/api/core/contacts/${contact.id}?include=account`)).body
    expect(included['core.account'][account.id].title).toBe('M•••')
    expect((await user.get('/api/core/accounts')).status).toBe(200)
  })

  test('masks what is made of it, and hides it where it is hidden', async () => {
    const seen = async (access: 'masked' | 'none', field: string) => {
      const reader = await app.as({ grants, fields: [{ resource: 'core.account', field, access }] })
      return (await reader.get(`/api/core/accounts/${account.id}`)).body.data
    }
    expect(await seen('masked', 'phone')).toMatchObject({ phone: '•••07', phoneNorm: '•••07' })
    expect(Object.keys(await seen('none', 'phone'))).not.toContain('phoneNorm')
    expect((await app.admin.get(`/api/core/accounts/${account.id}`)).body.data.phoneNorm).toBe('+33142685307')
  })

  test('does not become the name of who has no other', async () => {
    const values = { email: 'anonyme@valmy.fr' }
    for (const path of ['contacts', 'leads'])
      expect((await app.admin.post(`/api/core/${path}`, values)).body.data.name).toBe('a•••@•••.fr')
  })

  test('shows by its mask in the history, the timeline, the past and an export', async () => {
    const user = await someone()
    const then = app.clock.now().toISOString()
    app.clock.advance('PT1M')
    const { data } = (await app.admin.get(`/api/core/accounts/${account.id}`)).body
    await app.admin.patch(`/api/core/accounts/${account.id}`, {
      version: data.version,
      email: 'marie.durand@garonne.fr',
      margin: '1',
    })
    const history = (await user.get(`/api/core/accounts/${account.id}/history`)).body.data
    expect(history[0].changes).toEqual(
      expect.arrayContaining([
        { field: 'email', old: 'j•••@•••.fr', new: 'm•••@•••.fr' },
        { field: 'margin', old: null, new: null },
      ]),
    )
    const past = await user.get(`/api/core/accounts/${account.id}?asOf=${then}`)
    expect(past.body.data).toMatchObject({ email: 'j•••@•••.fr', margin: null })
    for (const path of [`accounts/${account.id}/timeline`, `accounts?asOf=${then}`])
      expect(JSON.stringify((await user.get(`/api/core/${path}`)).body)).not.toMatch(/moreau|durand|987654/)
    const file = await user.post('/api/core/exports', {
      resource: 'core.account',
      format: 'csv',
      fields: ['name', 'email', 'margin'],
    })
    expect(JSON.stringify(file.body)).not.toMatch(/durand/)
  })

  test('is copied nowhere by what somebody sets going who only sees the mask', async () => {
    const lead = (
      await app.admin.post('/api/core/leads', {
        lastName: 'Valmy',
        companyName: 'Valmy SA',
        email: 'paul.valmy@valmy.fr',
      })
    ).body.data
    const user = await app.as({
      grants: [
        ...grants,
        ...['read', 'update', 'convert'].map((action) => ({
          resource: 'core.lead',
          action,
          visibility: 'all' as const,
        })),
      ],
      fields: [{ resource: 'core.lead', field: 'email', access: 'masked' }],
    })
    const answer = await user.post(`/api/core/leads/${lead.id}/convert`, {
      version: lead.version,
      account: null,
      contact: { create: {} },
      targets: {},
    })
    const contacts = await app.admin.get(`/api/core/contacts?filter=${encodeURIComponent('lastName = "Valmy"')}`)
    expect([answer.status, contacts.body.data.map(({ email }: { email: unknown }) => email)]).toEqual([200, [null]])
  })
})

describe('a refusal', () => {
  /** The titles of what follows are no words of any sentence, and none looks like another's mask. */
  const title = 'Zébulon'
  type Values = Readonly<Record<string, unknown>>

  const made = async (path: string, values: Values) => {
    const { status, body } = await app.admin.post(`/api/core/${path}`, { allowDuplicate: true, ...values })
    expect(status, JSON.stringify(body)).toBe(201)
    return body.data as { id: string; version: number } & Values
  }
  const changed = async (path: string, id: string, values: Values, by: TestClient = app.admin) => {
    const { version } = (await app.admin.get(`/api/core/${path}/${id}`)).body.data
    return by.patch(`/api/core/${path}/${id}`, { version, ...values })
  }
  const removed = async (path: string, id: string, by: TestClient = app.admin) => {
    const { version } = (await app.admin.get(`/api/core/${path}/${id}`)).body.data
    return by.delete(`/api/core/${path}/${id}?version=${version}`)
  }
  const without = (access: 'none' | 'masked', ...fields: (readonly [resource: string, field: string])[]) =>
    app.as({
      grants: [{ resource: '*', action: '*', visibility: 'all' }],
      fields: fields.map(([resource, field]) => ({ resource, field, access })),
    })
  const lead = (status = 'new') => made('leads', { lastName: title, companyName: title, status })
  const draft = async () => (await made('invoices', { account: account.id })).id
  const issued = async () => {
    const id = await draft()
    await made('invoice-lines', { invoice: id, name: title, unitPrice: '100', taxRate: '20' })
    await changed('invoices', id, { status: 'issued' })
    return id
  }
  const convert = (id: string, values: Values, by: TestClient) =>
    by.post(`/api/core/leads/${id}/convert`, { account: null, contact: { create: {} }, targets: {}, ...values })
  const company = (values: Values = {}) => made('accounts', { name: title, ...values })

  type Ask = (by: TestClient) => Promise<{ status: number; body: Record<string, unknown> }>
  const invoice = ['core.invoice', 'number'] as const
  /** Each refusal that names a record: how the record is called where its name is hidden, the field, and how to meet it. */
  const named: readonly (readonly [string, string, readonly [string, string], Ask])[] = [
    [
      'TRANSITION_REFUSED',
      'Lead',
      ['core.lead', 'name'],
      async (by) => changed('leads', (await lead()).id, { status: 'qualified' }, by),
    ],
    [
      'TRANSITION_REFUSED',
      'Lead',
      ['core.lead', 'name'],
      async (by) => changed('leads', (await lead('qualified')).id, { status: 'converted' }, by),
    ],
    [
      'TRANSITION_REFUSED',
      'Lead',
      ['core.lead', 'name'],
      async (by) => by.post(`/api/core/leads/${(await lead()).id}/revert`, {}),
    ],
    [
      'TRANSITION_REFUSED',
      'Lead',
      ['core.lead', 'name'],
      async (by) => convert((await lead('unqualified')).id, {}, by),
    ],
    [
      'TRANSITION_REFUSED',
      'Lead',
      ['core.lead', 'name'],
      async (by) => {
        const { id } = await lead()
        expect((await convert(id, {}, app.admin)).status).toBe(200)
        expect((await changed('leads', id, { status: 'qualified' }, by)).body.detail).toMatch(
          /"(?:Lead|Z•••)" is converted already/,
        )
        return convert(id, {}, by)
      },
    ],
    [
      'CONVERSION_EMPTY',
      'Lead',
      ['core.lead', 'name'],
      async (by) => convert((await lead()).id, { contact: null }, by),
    ],
    [
      'CONVERSION_TARGETS_DISAGREE',
      'Account',
      ['core.account', 'name'],
      async (by) => {
        const contact = await made('contacts', { lastName: 'Moreau', account: account.id })
        return convert((await lead()).id, { account: { id: (await company()).id }, contact: { id: contact.id } }, by)
      },
    ],
    [
      'TRANSITION_REFUSED',
      'Activity',
      ['core.activity', 'subject'],
      async (by) => {
        const { id } = await made('activities', { subject: title, status: 'cancelled' })
        return changed('activities', id, { status: 'done' }, by)
      },
    ],
    [
      'TRANSITION_REFUSED',
      'Account',
      ['core.account', 'name'],
      async (by) => changed('accounts', (await company({ lifecycle: 'suspect' })).id, { lifecycle: 'former' }, by),
    ],
    [
      'LIFECYCLE_REASON_REQUIRED',
      'Account',
      ['core.account', 'name'],
      async (by) => changed('accounts', (await company({ lifecycle: 'prospect' })).id, { lifecycle: 'suspect' }, by),
    ],
    [
      'CYCLE_REFUSED',
      'Account',
      ['core.account', 'name'],
      async (by) => {
        const above = await company()
        const below = await company({ parent: above.id })
        return changed('accounts', above.id, { parent: below.id }, by)
      },
    ],
    [
      'HIERARCHY_TOO_DEEP',
      'Account',
      ['core.account', 'name'],
      async (by) => {
        let parent: string | undefined
        for (let level = 0; level < 10; level += 1) parent = (await company(parent ? { parent } : {})).id
        return changed('accounts', (await company()).id, { parent }, by)
      },
    ],
    [
      'VERSION_CONFLICT',
      'Account',
      ['core.account', 'name'],
      async (by) => {
        const [one, two] = [await company(), await company()]
        return by.post(`/api/core/accounts/${one.id}/merge`, { version: 1, others: [{ id: two.id, version: 7 }] })
      },
    ],
    [
      'TRANSITION_REFUSED',
      'Order',
      ['core.order', 'number'],
      async (by) => changed('orders', (await made('orders', { account: account.id })).id, { status: 'fulfilled' }, by),
    ],
    [
      'CURRENCY_IN_USE',
      'Order',
      ['core.order', 'number'],
      async (by) => {
        const { id } = await made('orders', { account: account.id })
        await made('order-lines', { order: id, name: title, unitPrice: '1', taxRate: '20' })
        return changed('orders', id, { currency: 'CHF' }, by)
      },
    ],
    [
      'LINE_MOVED',
      'Order line',
      ['core.order-line', 'name'],
      async (by) => {
        const [one, two] = [
          await made('orders', { account: account.id }),
          await made('orders', { account: account.id }),
        ]
        const { id } = await made('order-lines', { order: one.id, name: title, unitPrice: '1', taxRate: '20' })
        return changed('order-lines', id, { order: two.id }, by)
      },
    ],
    ['INVOICE_EMPTY', 'Invoice', invoice, async (by) => changed('invoices', await draft(), { status: 'issued' }, by)],
    [
      'TRANSITION_REFUSED',
      'Invoice',
      invoice,
      async (by) => changed('invoices', await issued(), { status: 'draft' }, by),
    ],
    [
      'TRANSITION_REFUSED',
      'Invoice',
      invoice,
      async (by) => changed('invoices', await issued(), { status: 'paid' }, by),
    ],
    [
      'TRANSITION_REFUSED',
      'Invoice',
      invoice,
      async (by) => changed('invoices', await issued(), { status: 'cancelled' }, by),
    ],
    ['TRANSITION_REFUSED', 'Invoice', invoice, async (by) => by.post(`/api/core/invoices/${await draft()}/cancel`)],
    ['INVOICE_FINAL', 'Invoice', invoice, async (by) => removed('invoices', await issued(), by)],
    [
      'LINES_CLOSED',
      'Invoice',
      invoice,
      async (by) => by.post('/api/core/invoice-lines', { invoice: await issued(), name: 'Thé', unitPrice: '1' }),
    ],
    [
      'INVOICE_NOT_PAYABLE',
      'Invoice',
      invoice,
      async (by) => by.post('/api/core/payments', { invoice: await draft(), amount: '2', paidOn: '2026-03-02' }),
    ],
  ]

  test.each(named)(
    '%s tells no more of a record than that it is one of kind %s where its name is hidden, or its mask',
    async (code, kind, field, ask) => {
      const answers = {
        none: await ask(await without('none', field)),
        masked: await ask(await without('masked', field)),
      }
      for (const [access, { body }] of Object.entries(answers)) {
        expect([body['code'], JSON.stringify(body)]).toEqual([code, expect.not.stringMatching(/bulon|20\d\d-\d{5}/)])
        // What code reads for somebody holds no masks, so a record that it has read is called by its kind then, too.
        expect(body['detail']).toMatch(access === 'none' ? kind : new RegExp(`${kind}|•••`))
      }
    },
  )

  const valued: readonly (readonly [string, string, readonly (readonly [string, string])[], Ask])[] = [
    [
      'SIRET_OF_OTHER_SIREN',
      '552100554',
      [['core.account', 'siren']],
      async (by) => changed('accounts', (await company({ siren: '552100554' })).id, { siret: '73282932000074' }, by),
    ],
    [
      'PERIOD_REVERSED',
      '2031-05-06',
      [['core.activity', 'startAt']],
      async (by) => {
        const { id } = await made('activities', { subject: 'Visite', type: 'meeting', startAt: '2031-05-06T10:00:00Z' })
        return changed('activities', id, { endAt: '2030-01-01T10:00:00Z' }, by)
      },
    ],
    [
      'PERIOD_REVERSED',
      '2031-05-06',
      [['core.account-contact', 'from']],
      async (by) => {
        const { id: contact } = await made('contacts', { lastName: 'Moreau' })
        const { id } = await made('account-contacts', { contact, account: account.id, from: '2031-05-06' })
        return changed('account-contacts', id, { to: '2030-01-01' }, by)
      },
    ],
    [
      'PERIOD_REVERSED',
      '2031-05-06',
      [['core.invoice', 'issuedOn']],
      async (by) => {
        const { id } = await made('invoices', { account: account.id, issuedOn: '2031-05-06' })
        return changed('invoices', id, { dueOn: '2030-01-01' }, by)
      },
    ],
    [
      'TRANSITION_REFUSED',
      '120.0000',
      [['core.invoice', 'gross']],
      async (by) => changed('invoices', await issued(), { status: 'paid' }, by),
    ],
    [
      'VALUE_TAKEN',
      'ZB-17',
      [['core.product', 'sku']],
      async (by) => {
        const { id } = await made('products', { name: 'Four', sku: 'ZB-17' })
        await removed('products', id)
        const { id: other } = await made('products', { name: 'Four', sku: 'ZB-17' })
        const answer = await by.post(`/api/core/products/${id}/restore`, {})
        await removed('products', other)
        return answer
      },
    ],
  ]

  test.each(valued)('%s does not tell %s to whom may not read it', async (code, secret, fields, ask) => {
    const { body } = await ask(await without('none', ...fields))
    const text = JSON.stringify(body)
    expect([text.includes(code), text]).toEqual([true, expect.stringContaining('•••')])
    expect(text).not.toContain(secret)
    expect(JSON.stringify((await ask(app.admin)).body)).toContain(secret)
  })
})

describe('who may unmask', () => {
  const ask = (user: TestClient, field: string, reason = 'Called back about an invoice') =>
    user.post(`/api/core/accounts/${account.id}/unmask`, { field, reason })

  test('is told one value for a reason, which the audit keeps without the value', async () => {
    const user = await someone(masked('phone'), ['core.pii.unmask'])
    const told = await ask(user, 'phone')
    expect(told.body).toEqual({ data: { field: 'phone', value: '+33 1 42 68 53 07' } })
    expect(told.headers.get('cache-control')).toBe('no-store')
    const audit = (await app.admin.get('/api/core/audit?resource=core.unmasking')).body.data
    expect(audit[0]).toMatchObject({ actor: { id: user.who.actor.id }, reason: 'Called back about an invoice' })
    expect(JSON.stringify(audit[0].changes)).toContain(account.id)
    expect(JSON.stringify(audit)).not.toContain('42 68')
  })

  test('says why, and only where the field is masked and the record in sight', async () => {
    const holder = await someone(
      [...masked('phone'), { resource: 'core.account', field: 'email', access: 'none' as never }],
      ['core.pii.unmask'],
    )
    expect((await ask(holder, 'phone', ' ')).status).toBe(422)
    expect((await ask(holder, 'email')).body.code).toBe('FIELD_NOT_READABLE')
    expect((await ask(holder, 'nothing')).status).toBe(400)
    expect((await ask(await someone(), 'phone')).body.code).toBe('PERMISSION_DENIED')
    const elsewhere = await app.as({
      grants: [{ resource: 'core.account', action: 'read', visibility: 'own' }],
      fields: masked('phone'),
      may: ['core.pii.unmask'],
    })
    expect((await ask(elsewhere, 'phone')).body.code).toBe('RECORD_NOT_FOUND')
  })
})

test('masks and full sight add up: the wider of two roles decides', async () => {
  const workspace = app
  const user = await someone(masked('email'))
  const roles = await workspace.admin.post('/api/core/roles', {
    name: 'Sees everything of accounts',
    grants: [{ resource: 'core.account', action: 'read', visibility: 'all' }],
  })
  expect(roles.status).toBe(201)
  expect((await user.get(`/api/core/accounts/${account.id}`)).body.data.email).toMatch(/•••/)
  const { body } = await workspace.admin.get(`/api/core/users/${user.who.actor.id}/access`)
  const held = [...body.data.roles.map(({ id }: { id: string }) => id), roles.body.data.id]
  const given = await workspace.admin.put(`/api/core/users/${user.who.actor.id}/roles`, { roles: held })
  expect(given.status).toBe(200)
  const seen = await user.get(`/api/core/accounts/${account.id}`)
  expect(seen.body.data.email).toMatch(/@garonne\.fr$/)
})

describe('whoever writes a field that they do not read', () => {
  const accounts = '/api/core/accounts'
  let writer: TestClient

  beforeAll(async () => {
    writer = await app.as({
      grants: ['read', 'bulk'].map((action) => ({ resource: 'core.account', action, visibility: 'all' })),
      fields: [{ resource: 'core.account', field: 'margin', access: 'none' }],
    })
    const role = await app.admin.post('/api/core/roles', {
      name: 'Writes accounts unseen',
      grants: [{ resource: 'core.account', action: 'update', visibility: 'all' }],
    })
    const { body } = await app.admin.get(`/api/core/users/${writer.who.actor.id}/access`)
    const roles = [...body.data.roles.map(({ id }: { id: string }) => id), role.body.data.id]
    await app.admin.put(`/api/core/users/${writer.who.actor.id}/roles`, { roles })
  })

  /** Two accounts of which one has the value that is tried. */
  const two = async () => {
    const made = await Promise.all(
      ['111.00', '222.00'].map((margin, nth) =>
        app.admin.post(accounts, { name: `Guessed ${nth}`, margin, industry: 'Guessed', allowDuplicate: true }),
      ),
    )
    return made.map(({ body }) => body.data as { id: string; version: number })
  }
  const tell = (answer: unknown, ids: readonly string[]) =>
    ids
      .reduce((text, id) => text.replaceAll(id, 'ID'), JSON.stringify(answer))
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
      .replaceAll(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"INSTANT"')
      .replaceAll(/Guessed \d/g, 'Guessed')
      .replaceAll(/"(nth|index)":\d+/g, '"nth":0')

  test('learns by no answer, version or line of history what stood there', async () => {
    const [first, second] = await two()
    const answers = []
    for (const { id, version } of [first!, second!]) {
      const patched = await writer.patch(`${accounts}/${id}`, { version, margin: '111.00' })
      expect(patched.status).toBe(200)
      const inline = await writer.post(`${accounts}/bulk`, { update: [{ id, version: 2, margin: '111.00' }] })
      const read = await writer.get(`${accounts}/${id}`)
      const { body: history } = await writer.get(`${accounts}/${id}/history`)
      answers.push(tell([patched.body, inline.body, read.body, history], [id]))
    }
    expect(answers[0]).toBe(answers[1])
    expect(answers[0]).toContain('"version":3')
    const { body } = await app.admin.get(`${accounts}/${second!.id}`)
    expect(body.data).toMatchObject({ margin: '111.00' })
  })

  test('nor by what became of the rows of a bulk change, or by a clash', async () => {
    await app.app.start()
    const rows = await two()
    const ids = rows.map(({ id }) => id)
    const ordered = await writer.post(`${accounts}/bulk`, { ids, set: { margin: '111.00' }, background: true })
    expect(ordered.status, JSON.stringify(ordered.body)).toBe(202)
    const bulk = `/api/core/bulks/${ordered.body.data.id}`
    await expect.poll(async () => (await writer.get(bulk)).body.data.state, { timeout: 20_000 }).toBe('done')
    expect((await writer.get(bulk)).body.data).toMatchObject({ done: 2, skipped: 0, failed: 0 })
    const { data } = (await writer.get(`${bulk}/rows`)).body
    expect(tell(data[0], ids)).toBe(tell(data[1], ids))
    // Somebody who reads it changes it meanwhile, to what is tried and to something else.
    const clashes = []
    for (const [nth, id] of ids.entries()) {
      await app.admin.patch(`${accounts}/${id}`, { version: 2, margin: nth === 0 ? '333.00' : '444.00' })
      clashes.push(await writer.patch(`${accounts}/${id}`, { version: 2, margin: '333.00' }))
    }
    expect(clashes.map(({ status }) => status)).toEqual([409, 409])
    expect(tell(clashes[0]!.body, ids)).toBe(tell(clashes[1]!.body, ids))
  })

  test('nor by taking the change back, by an older version, or by what an event says was changed', async () => {
    const told = []
    for (const { id, version } of await two()) {
      const patched = await writer.patch(`${accounts}/${id}`, { version, margin: '111.00' })
      expect([patched.status, patched.headers.get('x-change-set')]).toEqual([200, expect.any(String)])
      const again = await writer.patch(`${accounts}/${id}`, { version, margin: '111.00' })
      const undone = await writer.post(`/api/core/change-sets/${patched.headers.get('x-change-set')}/undo`)
      expect(undone.status).toBe(200)
      const { rows } = await sql<{ changed: unknown }>`
        select payload->'changed' as changed from core.event where name = 'core.account.updated' and key = ${id} order by 1`.execute(
        app.app.kernel.parts.database.owner,
      )
      told.push(tell([again.status, again.body, undone.status, undone.body, rows], [id]))
    }
    expect(told[0]).toBe(told[1])
  })
})
