import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import iconv from 'iconv-lite'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Consents } from '../src/privacy/consents.ts'
import { rehearseJob } from '../src/privacy/erasure.ts'
import { sheetRow, zipped, type SheetCell } from '../src/records/export/xlsx-writer.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'
import { Asking, filesOf, mailsPlugin, placesOf, requests } from './privacy-world.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [mailsPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const contacts = '/api/core/contacts'

async function made(here: TestWorkspace, path: string, values: Record<string, unknown>): Promise<string> {
  const { status, body } = await here.admin.post(path, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data.id
}

/** Twelve words that stand nowhere but about one person. */
const markers = {
  first: 'Zéphyrine',
  last: 'Quibervant',
  email: 'zq.marker@planted.example',
  phone: '01 99 00 11 22',
  job: 'Markerologist',
  custom: 'customarker',
  activity: 'activitymarker',
  mail: 'mailmarker',
  raw: 'rawmarker',
  attachment: 'attachmarker',
  blob: 'blobmarker',
  importer: 'importmarker',
} as const

/** Somebody who left traces everywhere. */
async function everywhere(here: TestWorkspace) {
  const { admin } = here
  await made(here, '/api/core/fields', {
    resource: 'core.contact',
    name: 'hobby',
    type: 'text',
    labelEn: 'Hobby',
    labelFr: 'Loisir',
  })
  const account = await made(here, '/api/core/accounts', { name: 'Garonne Distribution' })
  const person = await made(here, contacts, {
    firstName: markers.first,
    lastName: markers.last,
    email: markers.email,
    phone: markers.phone,
    jobTitle: markers.job,
    birthDate: '1980-04-05',
    account,
    hobby: markers.custom,
  })
  const activity = await made(here, '/api/core/activities', {
    subject: `Call ${markers.activity}`,
    body: `About ${markers.activity}`,
    contact: person,
    type: 'call',
  })
  // Of another account, and only naming the person.
  const other = await made(here, '/api/core/accounts', { name: 'Valmy SA' })
  const naming = await made(here, '/api/core/activities', {
    subject: `Ask ${markers.first} ${markers.last} for an introduction`,
    body: `Write to ${markers.email.toUpperCase()} or call +33 1 99 00 11 22.`,
    account: other,
  })
  const mail = await made(here, '/api/mails/mails', {
    subject: `Re: ${markers.mail}`,
    body: markers.mail,
    contact: person,
  })
  const attachment = await made(here, '/api/mails/attachments', { name: `${markers.attachment}.pdf`, mail })
  await here.inside(async (ctx) => {
    await sql`update mails.mail set raw = ${markers.raw} where id = ${mail}::uuid`.execute(ctx.sql)
    await sql`insert into mails.blob (workspace, contact, name, bytes)
      values (${here.workspace.id}::uuid, ${person}::uuid, ${`${markers.blob}.txt`}, ${Buffer.from(`bytes of ${markers.blob}`)})`.execute(
      ctx.sql,
    )
  })
  const order = await made(here, '/api/core/orders', { account, contact: person, currency: 'EUR' })
  await made(here, '/api/core/order-lines', { order, name: 'Scanner', quantity: '1', unitPrice: '100.00' })
  const invoice = await made(here, '/api/core/invoices', {
    account,
    contact: person,
    currency: 'EUR',
    issuedOn: '2026-02-01',
  })
  await made(here, '/api/core/invoice-lines', { invoice, name: 'Scanner', quantity: '1', unitPrice: '100.00' })
  const issued = await admin.get(`/api/core/invoices/${invoice}`)
  const sent = await admin.patch(`/api/core/invoices/${invoice}`, {
    version: issued.body.data.version,
    status: 'issued',
  })
  expect(sent.status, JSON.stringify(sent.body)).toBe(200)
  await admin.post('/api/core/privacy/consents', {
    person: { resource: 'core.contact', record: person },
    address: markers.email,
    channel: 'mail',
    action: 'objection',
    source: 'letter',
    wording: { text: `Dear ${markers.first} ${markers.last}, you may object at any time.` },
    proofKey: markers.email,
  })
  await made(here, '/api/core/privacy/retention-rules', {
    name: 'That one',
    resource: 'core.lead',
    condition: `email = "${markers.email}"`,
    action: 'delete',
  })
  const importing = new Importing(admin, () => app.app.jobs.runUntilIdle())
  const file = `E-mail;Job title\n${markers.email};${markers.importer}\n`
  const { id: imported } = await importing.upload('core.contact', file, 'persons.csv')
  await importing.change(imported, {
    mapping: [
      { column: 'E-mail', field: 'email' },
      { column: 'Job title', field: 'jobTitle' },
    ],
    key: 'email',
    options: { mode: 'update' },
  })
  await importing.rehearse(imported)
  await importing.run(imported)
  const exported = await admin.post('/api/core/exports', { resource: 'core.contact', format: 'csv' })
  expect(exported.status, JSON.stringify(exported.body)).toBe(202)
  await app.app.jobs.runUntilIdle()
  // An answer kept for a repeated request, a view that names the person, a second record that became one with the first.
  const current = await admin.get(`${contacts}/${person}`)
  await admin.patch(
    `${contacts}/${person}`,
    { version: current.body.data.version, language: 'fr' },
    { 'idempotency-key': 'once' },
  )
  await made(here, '/api/core/views', {
    resource: 'core.contact',
    name: 'That one',
    filter: `email = "${markers.email}"`,
  })
  const double = await made(here, contacts, {
    firstName: markers.first,
    lastName: markers.last,
    mobile: '06 99 00 11 22',
    allowDuplicate: true,
  })
  const [one, two] = [await admin.get(`${contacts}/${person}`), await admin.get(`${contacts}/${double}`)]
  const merged = await admin.post(`${contacts}/${person}/merge`, {
    version: one.body.data.version,
    others: [{ id: double, version: two.body.data.version }],
  })
  expect(merged.status, JSON.stringify(merged.body)).toBe(200)
  await app.deliver()
  return { account, person, activity, naming, mail, attachment, order, invoice, double }
}

describe('core-10: a person with mails, files, objections and orders', () => {
  test('is given all that is held, erased everywhere, certified, and does not come back', async () => {
    const here = await app.secondWorkspace()
    const { admin } = here
    const asking = new Asking(app, here)
    const left = await everywhere(here)
    const texts = Object.values(markers)
    const planted = await placesOf(app, texts)
    for (const marker of texts) expect(planted.join('\n'), marker).toContain(`: ${marker}`)

    const access = await asking.ask('access', left.person)
    await asking.step(access, 'run')
    const raw = await admin.raw('GET', `${requests}/${access}/file`)
    expect(raw.status).toBe(200)
    const files = await filesOf(Buffer.from(await raw.arrayBuffer()))
    const whole = [...files].map(([name, text]) => `${name}\n${text}`).join('\n')
    for (const marker of texts.filter((it) => it !== markers.raw)) expect(whole, marker).toContain(marker)
    for (const id of [left.order, left.invoice, left.activity, left.attachment]) expect(whole, id).toContain(id)
    expect(files.get('consents.json')).toContain('letter')

    const request = await asking.ask('erasure', left.person)
    const { plan } = await asking.step(request, 'rehearse')
    expect(plan.records).toEqual(
      expect.arrayContaining([
        { resource: 'core.contact', how: 'person', count: 2 },
        { resource: 'mails.mail', how: 'about', count: 1 },
        { resource: 'mails.attachment', how: 'about', count: 1 },
      ]),
    )
    expect(plan.holds).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          resource: 'core.invoice',
          count: 1,
          until: '2036-12-31',
          basis: expect.objectContaining({ fr: expect.stringContaining('L123-22') }),
        }),
      ]),
    )
    expect(plan.mentions).toEqual(
      expect.arrayContaining([{ table: 'core.activity', resource: 'core.activity', count: 1 }]),
    )
    expect(plan.mentions.map(({ table }: { table: string }) => table)).not.toContain('core.contact')
    expect(plan.stores).toMatchObject([{ id: 'mails.blobs' }])
    expect(await placesOf(app, [markers.job]), 'a rehearsal leaves everything').not.toEqual([])

    const done = await asking.step(request, 'run')
    expect(done).toMatchObject({ state: 'done', requestedBy: null, identityCheck: null })
    await app.deliver()
    expect(await placesOf(app, [...texts, 'Zephyrine'])).toEqual([])

    expect(await admin.get(`${requests}/${access}/file`)).toMatchObject({
      status: 410,
      body: { code: 'ACCESS_FILE_GONE' },
    })

    const invoice = await admin.get(`/api/core/invoices/${left.invoice}`)
    expect(invoice.body.data).toMatchObject({ status: 'issued', net: '100.0000', contact: left.person })
    const naming = await admin.get(`/api/core/activities/${left.naming}`)
    expect(naming.body.data).toMatchObject({
      subject: 'Ask [erased] for an introduction',
      body: 'Write to [erased] or call [erased].',
    })
    const gone = await admin.get(`${contacts}/${left.person}`)
    expect(gone.body.data).toMatchObject({ name: '[erased]', email: null, deletedAt: expect.any(String) })

    const certificate = await admin.get(`/api/core/privacy/certificates/${done.certificateId}`)
    const said = JSON.parse(certificate.body.data.body)
    expect(said).toMatchObject({ request, left: {}, erased: { 'record core.contact': 2, 'store mails.blobs': 1 } })
    expect(said.held).toEqual(expect.arrayContaining([expect.objectContaining({ resource: 'core.invoice' })]))
    const objections = await admin.get('/api/core/privacy/consents/verification')
    expect(objections.body.data).toEqual({ checked: 1, fault: null })
    const verdict = await admin.get(`/api/core/privacy/certificates/${done.certificateId}/verification`)
    expect(verdict.body.data).toEqual({ valid: true, fault: null })
    const ledger = await admin.get('/api/core/audit/verification')
    expect(ledger.body.data).toMatchObject({ fault: null })
    expect(ledger.body.data.erased).toBeGreaterThan(5)

    for (const values of [
      { firstName: 'Z.', lastName: 'Q.', email: markers.email.toUpperCase() },
      { lastName: 'quibervant', phone: '+33199001122' },
      { lastName: 'Anybody', mobile: '0699001122' },
      { firstName: 'zephyrine', lastName: 'QUIBERVANT', birthDate: '1980-04-05' },
      { id: left.person, lastName: 'New' },
    ]) {
      const back = await admin.post(contacts, values)
      expect(back, JSON.stringify(values)).toMatchObject({ status: 409, body: { code: 'SUBJECT_ERASED' } })
    }
    expect(await admin.post(`${contacts}/${left.person}/restore`)).toMatchObject({ body: { code: 'SUBJECT_ERASED' } })
    const importing = new Importing(admin, () => app.app.jobs.runUntilIdle())
    const again = await importing.upload('core.contact', `Nom;E-mail\nQuibervant;${markers.email}\n`)
    await importing.change(again.id, {
      mapping: [
        { column: 'Nom', field: 'lastName' },
        { column: 'E-mail', field: 'email' },
      ],
    })
    const line = await importing.rehearse(again.id)
    expect(line.counts).toMatchObject({ create: 0, failed: 1 })
    expect(JSON.stringify(line.sample)).toContain('SUBJECT_ERASED')

    const refusal = await here.inside(async (ctx) => {
      const consents = ctx.use(Consents)
      const address = sql`${consents.addressHash('mail', markers.email)}`
      const { rows } = await sql<{
        why: string
      }>`select ${consents.refusal({ channel: 'mail', address })} as why`.execute(ctx.sql)
      return rows[0]?.why
    })
    expect(refusal).toBe('suppressed')
    // A colleague at the same switchboard is somebody else.
    await made(here, contacts, { firstName: 'Paul', lastName: 'Rey', phone: markers.phone })

    const lifted = await admin.post('/api/core/privacy/tombstones/lift', {
      address: markers.email,
      reason: 'Came back at the fair',
    })
    expect(lifted.body.data.lifted).toBeGreaterThan(0)
    // Who let them back, and why, is in the ledger.
    const audit = (await admin.get('/api/core/audit?resource=core.privacy-request&limit=1')).body.data
    expect(audit[0]).toMatchObject({ actor: { id: admin.who.actor.id } })
    expect(JSON.stringify(audit[0].changes)).toContain('Came back at the fair')
    await made(here, contacts, { firstName: 'Zoé', lastName: 'Q.', email: markers.email })
  }, 120_000)
})

describe('an erasure', () => {
  const simple = (here: TestWorkspace, more: Record<string, unknown> = {}) =>
    made(here, contacts, { firstName: 'Jean', lastName: 'Martinon', email: 'jean.martinon@example.com', ...more })

  test('tells that the person is erased, and a lead, its contact and the account of their own are one person', async () => {
    const here = await app.secondWorkspace()
    const lead = await made(here, '/api/core/leads', {
      firstName: 'Jean',
      lastName: 'Martinon',
      email: 'jean.martinon@example.com',
    })
    await here.admin.post(`/api/core/leads/${lead}/convert`, {
      version: 1,
      account: { create: { name: 'Martinon SA' } },
      contact: { create: {} },
    })
    await new Asking(app, here).erase(lead, 'core.lead')
    const { rows } = await here.inside((ctx) =>
      sql<{
        name: string
      }>`select name from core.event where workspace = ${here.workspace.id}::uuid and name like '%.erased' order by name`.execute(
        ctx.sql,
      ),
    )
    expect(rows.map(({ name }) => name)).toEqual(['core.account.erased', 'core.contact.erased', 'core.lead.erased'])
  })

  test('leaves a namesake and a shared mailbox alone', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { email: 'info@martinon.example' })
    const namesake = await simple(here, { email: 'info@martinon.example', allowDuplicate: true, jobTitle: 'Baker' })
    const { plan } = await new Asking(app, here).erase(person)
    expect(plan.shared).toBe(2)
    const { body } = await here.admin.get(`${contacts}/${namesake}`)
    expect(body.data).toMatchObject({ name: 'Jean Martinon', email: 'info@martinon.example', jobTitle: 'Baker' })
  })

  test('takes the person’s doubles along that nobody merged, those in the bin too', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { mobile: '06 99 44 55 66', birthDate: '1970-01-02' })
    const binned = await simple(here, {
      jobTitle: 'Binned baker',
      birthDate: '1970-01-02',
      email: null,
      mobile: '+33 699445566',
      allowDuplicate: true,
    })
    await here.admin.delete(`${contacts}/${binned}?version=1`)
    const lead = await made(here, '/api/core/leads', {
      firstName: 'Jean',
      lastName: 'MARTINON',
      email: 'jean.martinon@example.com',
      need: 'A double oven',
      allowDuplicate: true,
    })
    const father = await simple(here, { jobTitle: 'Father', birthDate: '1940-01-02', allowDuplicate: true })
    const asking = new Asking(app, here)
    const anne = await asking.ask('erasure', await simple(here, { firstName: 'Anne', allowDuplicate: true }))
    expect((await asking.step(anne, 'rehearse')).plan.records).toMatchObject([{ count: 1 }])
    const { plan } = await asking.erase(person)
    expect(plan.records).toEqual(
      expect.arrayContaining([
        { resource: 'core.contact', how: 'person', count: 2 },
        { resource: 'core.lead', how: 'person', count: 1 },
      ]),
    )
    const { owner } = app.app.kernel.parts.database
    for (const word of ['Binned baker', 'A double oven', '06 99 44 55 66'])
      expect((await placesOf(app, [word])).join(), word).toBe('')
    const { rows } = await sql<{ deleted: boolean }>`
      select deleted_at is not null as deleted from core.lead where id = ${lead}::uuid`.execute(owner)
    expect(rows).toEqual([{ deleted: true }])
    expect((await here.admin.get(`${contacts}/${father}`)).body.data).toMatchObject({ jobTitle: 'Father' })
  })

  test('knows a name however it is written', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { firstName: 'Zoë', lastName: 'Šimõesőwić Strauß', email: null })
    const written = [
      'Zoë Šimõesőwić Strauß',
      'ZOE SIMOESOWIC STRAUSS',
      'Zoë\u00a0Šimõesőwić\u202fStrauß',
      'Zoë Šimõesőwić Strauß'.normalize('NFD'),
      'Hello,\nZoë\nŠimõesőwić Strauß\n',
    ]
    const naming = []
    for (const body of written) naming.push(await made(here, '/api/core/activities', { subject: 'Other', body }))
    await new Asking(app, here).erase(person)
    for (const [nth, id] of naming.entries()) {
      const { body } = await here.admin.get(`/api/core/activities/${id}`)
      expect(body.data.body.trim(), written[nth]).toBe(nth === 4 ? 'Hello,\n[erased]' : '[erased]')
    }
    const { owner } = app.app.kernel.parts.database
    const { rows } = await sql`
      select c.fields from core.change c where c.workspace = ${here.workspace.id}::uuid and normalize(c.fields::text, NFD) ~* 'owic|strau'`.execute(
      owner,
    )
    expect(rows, 'the ledger forgets it too').toEqual([])
  })

  test('knows a name by its ligatures, though it was kept spelt out', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { firstName: 'Laetitia', lastName: 'Strauss-Coeur', email: null })
    const written = ['Laetitia Strauß-Cœur', 'LÆTITIA STRAUẞ-CŒUR', 'Laetitia Strauss-Coeur', 'Lætitia Strauss-Cœur']
    const naming = []
    for (const body of written) naming.push(await made(here, '/api/core/activities', { subject: 'Other', body }))
    await new Asking(app, here).erase(person)
    for (const [nth, id] of naming.entries()) {
      const { body } = await here.admin.get(`/api/core/activities/${id}`)
      expect(body.data.body, written[nth]).toBe('[erased]')
    }
  })

  test.each([
    ['Spain', '+34 612 345 678', ['612 34 56 78', '+34612345678', '0034 612-345-678']],
    ['the United States', '+1 202 555 0123', ['202.555.0123', '1-202-555-0123', '+1 (202) 555 0123']],
    ['Denmark', '+45 20 12 34 56', ['20123456', '+45 2012 3456']],
    ['Germany', '+49 30 123456', ['030/123456', '+49 (0)30 123456', '0049 30 12 34 56']],
  ])('knows a number of %s however it is dialled', async (_, phone, written) => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { email: null, phone })
    const body = [...written.map((it) => `call ${it} soon`), 'no. 9920123456', '12345678'].join('; ')
    const naming = await made(here, '/api/core/activities', { subject: 'Other', body })
    await new Asking(app, here).erase(person)
    const left = await here.admin.get(`/api/core/activities/${naming}`)
    expect(left.body.data.body).toBe(
      [...written.map(() => 'call [erased] soon'), 'no. 9920123456', '12345678'].join('; '),
    )
  })

  test('takes a short number for nobody, and leaves the figures of documents alone', async () => {
    const here = await app.secondWorkspace()
    const { owner } = app.app.kernel.parts.database
    const street = await made(here, '/api/core/accounts', { name: '12 rue de la Paix' })
    const person = await simple(here, { phone: 'poste 12', mobile: '7654321' })
    // Figures in a document, in a text of it, and in the middle of a longer number of a file.
    await sql`update core.event set payload = payload || '{"version": 7654321, "changed": ["7654321", "87654321"]}'
      where workspace = ${here.workspace.id}::uuid and key = ${street}::uuid`.execute(owner)
    const files = { whole: crypto.randomUUID(), part: crypto.randomUUID() }
    await sql`insert into core.file_piece (workspace, file, nth, bytes, at) values
      (${here.workspace.id}::uuid, ${files.whole}::uuid, 0, 'on 7654321 at 12', now()), (${here.workspace.id}::uuid, ${files.part}::uuid, 0, 'for 12, no. 87654321', now())`.execute(
      owner,
    )
    await new Asking(app, here).erase(person)
    expect((await here.admin.get(`/api/core/accounts/${street}`)).body.data.name).toBe('12 rue de la Paix')
    const { rows } = await sql<{ fields: unknown; payload: unknown }>`
      select c.fields, e.payload from core.change c join core.event e on e.workspace = c.workspace and e.key = c.record
      where c.record = ${street}::uuid and c.action = 'create'`.execute(owner)
    expect(rows[0]).toMatchObject({
      fields: { name: expect.arrayContaining(['12 rue de la Paix']) },
      payload: { version: 7_654_321, changed: ['[erased]', '87654321'] },
    })
    const { rows: kept } = await sql<{ file: string }>`
      select file from core.file_piece where file in (${files.whole}::uuid, ${files.part}::uuid)`.execute(owner)
    expect(kept).toEqual([{ file: files.part }])
  })

  test('takes along what was made about the person while it ran', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Tregastel', email: 'j.tregastel@example.com' })
    const asking = new Asking(app, here)
    const request = await asking.ask('erasure', person)
    await asking.step(request, 'rehearse')
    const { owner } = app.app.kernel.parts.database
    // Its process dies after the records went; somebody who had begun before commits only then.
    await sql`alter function core.tables_with_words() rename to tables_with_words_gone`.execute(owner)
    await here.admin.post(`${requests}/${request}/run`)
    await app.app.jobs.runUntilIdle()
    await sql`alter function core.tables_with_words_gone() rename to tables_with_words`.execute(owner)
    const late = crypto.randomUUID()
    await sql`
      insert into core.activity (id, workspace, type, subject, contact_id)
      values (${late}::uuid, ${here.workspace.id}::uuid, 'call', 'Latecomer asked for a loan', ${person}::uuid)`.execute(
      owner,
    )
    expect((await asking.step(request, 'run')).state).toBe('done')
    expect(await placesOf(app, ['Latecomer'])).toEqual([])
    expect((await here.admin.get(`/api/core/activities/${late}`)).body.data).toMatchObject({ contact: person })
  })

  test('knows who comes back without a first name, by the mobile of a lead, or as an account', async () => {
    const here = await app.secondWorkspace()
    const asking = new Asking(app, here)
    await asking.erase(
      await made(here, contacts, { lastName: 'Landrellec', birthDate: '1961-05-06', phone: '01 99 00 33 44' }),
    )
    await asking.erase(
      await made(here, '/api/core/leads', {
        firstName: 'Yves',
        lastName: 'Pleumeur',
        phone: '06 99 00 33 55',
        email: 'yves.pleumeur@example.com',
      }),
      'core.lead',
    )
    for (const values of [
      { lastName: 'LANDRELLEC', birthDate: '1961-05-06' },
      { lastName: 'Landrellec', phone: '+33199003344' },
      { lastName: 'Anybody', mobile: '0699003355' },
    ])
      expect(await here.admin.post(contacts, values), JSON.stringify(values)).toMatchObject({
        status: 409,
        body: { code: 'SUBJECT_ERASED' },
      })
    // Mail to an organisation would reach the person; its number may be a switchboard's.
    const box = { name: 'Yves et fils', email: 'Yves.Pleumeur@example.com' }
    expect(await here.admin.post('/api/core/accounts', box)).toMatchObject({
      status: 409,
      body: { code: 'SUBJECT_ERASED' },
    })
    const account = await made(here, '/api/core/accounts', { name: 'Yves P.', phone: '06 99 00 33 55' })
    expect(await here.admin.patch(`/api/core/accounts/${account}`, { version: 1, email: box.email })).toMatchObject({
      status: 409,
      body: { code: 'SUBJECT_ERASED' },
    })
    const person = await here.admin.patch(`/api/core/accounts/${account}`, { version: 1, kind: 'person' })
    expect(person).toMatchObject({ status: 409, body: { code: 'SUBJECT_ERASED' } })
    await made(here, contacts, { firstName: 'Anne', lastName: 'Landrellec', birthDate: '1961-05-06' })
  })

  test('leaves on invoices the name and address of a buyer who was a person, names that in the certificate, and takes the rest', async () => {
    const here = await app.secondWorkspace()
    const account = await made(here, '/api/core/accounts', {
      name: 'Jean Kermaria',
      kind: 'person',
      email: 'j.kermaria@example.com',
      addressLine1: '7 rue du Port',
      postalCode: '29890',
      city: 'Kermaria',
    })
    const person = await simple(here, { lastName: 'Kermaria', email: 'j.kermaria@example.com', account })
    const invoiceOf = async (status: string) => {
      const id = await made(here, '/api/core/invoices', {
        account,
        contact: person,
        currency: 'EUR',
        issuedOn: '2026-02-01',
      })
      await made(here, '/api/core/invoice-lines', { invoice: id, name: 'Scanner', quantity: '1', unitPrice: '10.00' })
      const { version } = (await here.admin.get(`/api/core/invoices/${id}`)).body.data
      if (status !== 'draft') await here.admin.patch(`/api/core/invoices/${id}`, { version, status })
      return id
    }
    const [issued, draft] = [await invoiceOf('issued'), await invoiceOf('draft')]
    const { certificateId } = await new Asking(app, here).erase(person)
    const certificate = (await here.admin.get(`/api/core/privacy/certificates/${String(certificateId)}`)).body.data
    const buyerOf = async (id: string) => (await here.admin.get(`/api/core/invoices/${id}`)).body.data.buyer
    expect(await buyerOf(issued)).toMatch(/^Jean Kermaria\n7 rue du Port\n29890 Kermaria/)
    expect(await buyerOf(issued)).not.toContain('@')
    expect(await buyerOf(draft)).toBeNull()
    expect((await here.admin.get(`/api/core/accounts/${account}`)).body.data.name).not.toContain('Kermaria')
    const held = JSON.parse(String(certificate.body)).held as { resource: string; keeps?: { en: string } }[]
    expect(held.find(({ resource }) => resource === 'core.invoice')?.keeps?.en).toBe('Name and address of the buyer')
    // Neither in the ledger nor among what is searched.
    const history = await here.admin.get(`/api/core/invoices/${issued}/history`)
    expect(JSON.stringify(history.body)).not.toContain('Kermaria')
    expect((await here.admin.get('/api/core/search?q=kermaria')).body.data).toEqual([])
  })

  test('finds the person in files that are packed or in another encoding, and so does an access export', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Penvénan', email: 'j.penvenan@example.com' })
    const text = (it: string): SheetCell => ({ type: 'text', text: it })
    const lines = [
      ['Nom', 'E-mail'],
      ['Jean Penvénan', 'j.penvenan@example.com'],
    ]
    const workbook = await buffer(
      Readable.from(zipped(Readable.from(lines.map((cells, nth) => Buffer.from(sheetRow(cells.map(text), nth)))))),
    )
    const csv = lines.map((cells) => cells.join(';')).join('\n')
    const importing = new Importing(here.admin, () => app.app.jobs.runUntilIdle())
    const files = {
      xlsx: await importing.upload('core.contact', workbook),
      utf16: await importing.upload('core.contact', iconv.encode(csv, 'utf-16le', { addBOM: true })),
      other: await importing.upload('core.contact', 'Nom;E-mail\nJean Penvern;j.penvern@example.com\n'),
    }
    const asking = new Asking(app, here)
    const access = await asking.ask('access', person)
    await asking.step(access, 'run')
    const raw = await here.admin.raw('GET', `${requests}/${access}/file`)
    const said = (await filesOf(Buffer.from(await raw.arrayBuffer()))).get('files.json') ?? '[]'
    expect(JSON.parse(said)).toHaveLength(2)
    expect(said).toContain('Jean Penvénan')
    await asking.erase(person)
    const { rows } = await sql<{ file: string }>`
      select distinct file from core.file_piece where workspace = ${here.workspace.id}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows).toEqual([{ file: files.other.id }])
  })

  test('ends although a rule of the database refuses the plain mark', async () => {
    const here = await app.secondWorkspace()
    const { admin } = here
    const person = await simple(here, { firstName: 'Gertrune', lastName: 'Holbrimsk', email: 'gh@example.com' })
    // Rules are called differently, whatever case they are written in.
    for (const name of ['Gertrune Holbrimsk', 'gh@example.com'])
      await made(here, '/api/core/privacy/retention-rules', {
        name,
        resource: 'core.lead',
        condition: 'email is empty',
        action: 'delete',
      })
    const asking = new Asking(app, here)
    const { id: request } = (await admin.post(requests, { kind: 'erasure', resource: 'core.contact', record: person }))
      .body.data
    const identityCheck = 'ID card of Gertrune Holbrimsk'
    expect((await admin.post(`${requests}/${request}/verify`, { identityCheck })).status).toBe(200)
    const { owner } = app.app.kernel.parts.database
    await sql`create table core.test_slug (workspace uuid not null, slug text not null unique check (slug ~ '^[a-z0-9@.-]+$'),
      short text not null check (length(short) < 4), told boolean, said text, check (told = (said is not null)))`.execute(
      owner,
    )
    const put = (slug: string, short: string, said: string) =>
      sql`insert into core.test_slug values (${here.workspace.id}::uuid, ${slug}, ${short}, true, ${said})`.execute(
        owner,
      )
    try {
      await put('gh@example.com', 'x', 'Gertrune Holbrimsk')
      await put('to-gh@example.com', 'y', 'no')
      await asking.step(request, 'rehearse')
      expect((await asking.step(request, 'run')).state).toBe('done')
      expect(await placesOf(app, ['Holbrimsk', 'gh@example.com'])).toEqual([])
      const { rows } = await sql<{ slug: string; said: string }>`
        select slug, said from core.test_slug order by short`.execute(owner)
      expect(rows).toEqual([
        { slug: expect.stringMatching(/^erased-/), said: expect.stringMatching(/^erased-/) },
        { slug: expect.stringMatching(/^to-erased-/), said: 'no' },
      ])
      const rules = (await admin.get('/api/core/privacy/retention-rules')).body.data as { name: string }[]
      expect(new Set(rules.map(({ name }) => name)).size).toBe(2)
    } finally {
      await sql`drop table core.test_slug`.execute(owner)
    }
  })

  test('goes on where it was when its process died', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Quellien', email: 'j.quellien@example.com' })
    await made(here, '/api/core/activities', { subject: 'About Jean Quellien', contact: person })
    const asking = new Asking(app, here)
    const request = await asking.ask('erasure', person)
    await asking.step(request, 'rehearse')
    const { owner } = app.app.kernel.parts.database
    // The table of mentions cannot be written for a moment: the run fails after the records went.
    await sql`alter function core.tables_with_words() rename to tables_with_words_gone`.execute(owner)
    await here.admin.post(`${requests}/${request}/run`)
    await app.app.jobs.runUntilIdle()
    await sql`alter function core.tables_with_words_gone() rename to tables_with_words`.execute(owner)
    // Broken off, with the reason, until somebody runs it again.
    expect((await here.admin.get(`${requests}/${request}`)).body.data).toMatchObject({
      state: 'failed',
      fault: expect.stringContaining('The database refused'),
    })
    const done = await asking.step(request, 'run')
    expect(done).toMatchObject({ state: 'done', fault: null })
    expect(await placesOf(app, ['Quellien'])).toEqual([])
  })

  test('is not undone by a rehearsal that was under way when it began', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Kerlouan', email: 'j.kerlouan@example.com' })
    await made(here, '/api/core/activities', { subject: 'Ask Jean Kerlouan' })
    const asking = new Asking(app, here)
    const request = await asking.ask('erasure', person)
    await asking.step(request, 'rehearse')
    const { owner } = app.app.kernel.parts.database
    let units = 0
    await rehearseJob(
      { payload: { request } } as never,
      {
        progress: async () => {},
        unit: async (work: (ctx: never) => Promise<unknown>) => {
          units += 1
          if (units === 2) {
            // The erasure begins, and dies after the records went.
            await sql`alter function core.tables_with_words() rename to tables_with_words_gone`.execute(owner)
            await here.admin.post(`${requests}/${request}/run`)
            await app.app.jobs.runUntilIdle()
            await sql`alter function core.tables_with_words_gone() rename to tables_with_words`.execute(owner)
          }
          return here.inside(work as never)
        },
      } as never,
    )
    expect((await asking.step(request, 'run')).state).toBe('done')
    expect(await placesOf(app, ['Kerlouan'])).toEqual([])
  })

  test('certifies nothing of somebody who was blanked before', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Plouider', email: null })
    const asking = new Asking(app, here)
    const request = await asking.ask('erasure', person)
    await asking.step(request, 'rehearse')
    const { owner } = app.app.kernel.parts.database
    await sql`with gone as (update core.change set fields = '{}', salt = null where record = ${person}::uuid)
      update core.contact set first_name = null, last_name = null, name = '[effacé]' where id = ${person}::uuid`.execute(
      owner,
    )
    const { body } = await here.admin.post(`${requests}/${request}/run`)
    await app.app.jobs.runUntilIdle()
    const job = await here.admin.get(`/api/core/jobs/${body.data.job}`)
    expect(job.body.data).toMatchObject({ state: 'failed', error: { code: 'SUBJECT_UNKNOWABLE' } })
    expect((await here.admin.get(`${requests}/${request}`)).body.data).toMatchObject({
      state: 'failed',
      fault: job.body.data.error.detail,
      certificateId: null,
    })
  })

  test('does not run past a module that is off and may hold the person', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here)
    const asking = new Asking(app, here)
    const request = await asking.ask('erasure', person)
    await asking.step(request, 'rehearse')
    expect((await here.admin.post('/api/core/plugins/mails/disable', {})).status).toBe(200)
    const { body } = await here.admin.post(`${requests}/${request}/run`)
    await app.app.jobs.runUntilIdle()
    const job = await here.admin.get(`/api/core/jobs/${body.data.job}`)
    expect(job.body.data).toMatchObject({ state: 'failed', error: { code: 'PRIVACY_STORES_ASLEEP' } })
    expect((await here.admin.get(`${contacts}/${person}`)).body.data).toMatchObject({ lastName: 'Martinon' })
    await here.admin.post('/api/core/plugins/mails/enable', {})
    expect((await asking.step(request, 'run')).state).toBe('done')
  })

  test('goes through mentions again where somebody was named meanwhile', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here, { lastName: 'Trégarantec', email: null })
    const { owner } = app.app.kernel.parts.database
    await sql`create function core.test_name_again() returns trigger language plpgsql as $f$ begin
      if new.place ->> 'step' = 'proof' then
        insert into core.consent_wording values (new.workspace, '\\x01', 'Dear Jean Trégarantec', now()) on conflict do nothing;
      end if;
      return new; end $f$`.execute(owner)
    await sql`create trigger test_name_again after update on core.erasure for each row execute function core.test_name_again()`.execute(
      owner,
    )
    try {
      const done = await new Asking(app, here).erase(person)
      expect(done.state).toBe('done')
    } finally {
      await sql`drop function core.test_name_again() cascade`.execute(owner)
    }
    expect(await placesOf(app, ['Trégarantec'])).toEqual([])
  })

  test('leaves what is about the contacts of a person who is an account, when the account is forgotten', async () => {
    const here = await app.secondWorkspace()
    const account = await made(here, '/api/core/accounts', { name: 'Enora Plougastel', kind: 'person' })
    const contact = await made(here, contacts, { firstName: 'Malo', lastName: 'Guisseny', account })
    await made(here, contacts, { firstName: 'Tifenn', lastName: 'Brignogan', account })
    const activity = (subject: string, values: object) =>
      made(here, '/api/core/activities', { subject, account, ...values })
    const own = await activity('Wants a quieter machine', {})
    const others = await activity('Malo moves to Brest, says Enora Plougastel', { contact })
    await new Asking(app, here).erase(account, 'core.account')
    const subjectOf = async (id: string) => (await here.admin.get(`/api/core/activities/${id}`)).body.data.subject
    expect(await subjectOf(own)).toBe('[erased]')
    expect(await subjectOf(others)).toBe('Malo moves to Brest, says [erased]')
    expect((await here.admin.get(`${contacts}/${contact}`)).body.data.name).toBe('Malo Guisseny')
  })

  test('forgets a person who is an account without a contact, as an access export gives them', async () => {
    const here = await app.secondWorkspace()
    const asking = new Asking(app, here)
    const account = await made(here, '/api/core/accounts', {
      name: 'Soizic Trebeurden',
      kind: 'person',
      email: 's.trebeurden@example.com',
      phone: '06 99 00 77 88',
      city: 'Lannion',
    })
    const other = await made(here, '/api/core/accounts', { name: 'Valmy SA' })
    const own = await made(here, '/api/core/activities', { subject: 'She asked for a loan', account })
    const naming = await made(here, '/api/core/activities', { subject: 'Ask Soizic Trebeurden', account: other })
    const refused = await here.admin.post(requests, { kind: 'access', resource: 'core.account', record: other })
    expect(refused).toMatchObject({ status: 422, body: { code: 'ACCOUNT_NO_PERSON' } })

    const access = await asking.ask('access', account, 'core.account')
    await asking.step(access, 'run')
    const raw = await here.admin.raw('GET', `${requests}/${access}/file`)
    const files = await filesOf(Buffer.from(await raw.arrayBuffer()))
    expect(files.get('records/core.account.json')).toContain('Soizic Trebeurden')
    expect(files.get('records/core.activity.json')).toContain('She asked for a loan')

    const { certificateId } = await asking.erase(account, 'core.account')
    expect(certificateId).not.toBeNull()
    expect(await placesOf(app, ['Trebeurden', 'She asked for a loan'])).toEqual([])
    const { body } = await here.admin.get(`/api/core/accounts/${account}`)
    expect(body.data).toMatchObject({ name: '[erased]', email: null, city: null, deletedAt: expect.any(String) })
    const subjects = [own, naming].map(
      async (it) => (await here.admin.get(`/api/core/activities/${it}`)).body.data.subject,
    )
    expect(await Promise.all(subjects)).toEqual(['[erased]', 'Ask [erased]'])
    for (const [path, values] of [
      ['/api/core/accounts', { name: 'S. Trebeurden', kind: 'person', email: 's.trebeurden@example.com' }],
      [contacts, { lastName: 'Anybody', mobile: '0699007788' }],
    ] as const)
      expect(await here.admin.post(path, values)).toMatchObject({ status: 409, body: { code: 'SUBJECT_ERASED' } })
  })

  test('waits for its rehearsal', async () => {
    const here = await app.secondWorkspace()
    const request = await new Asking(app, here).ask('erasure', await simple(here))
    await here.admin.post(`${requests}/${request}/rehearse`)
    await app.app.jobs.runUntilIdle()
    await here.admin.post(`${requests}/${request}/rehearse`)
    expect(await here.admin.post(`${requests}/${request}/run`)).toMatchObject({
      status: 409,
      body: { code: 'REQUEST_IN_REHEARSAL' },
    })
  })

  test('is not begun before it was rehearsed, verified and permitted', async () => {
    const here = await app.secondWorkspace()
    const person = await simple(here)
    const { body } = await here.admin.post(requests, {
      kind: 'erasure',
      resource: 'core.contact',
      record: person,
      receivedOn: '2026-01-31',
    })
    expect(body.data).toMatchObject({ number: 'PR-2026-00001', state: 'received', dueOn: '2026-02-28' })
    const address = `${requests}/${body.data.id}`
    expect(await here.admin.post(`${address}/run`)).toMatchObject({ status: 409, body: { code: 'TRANSITION_REFUSED' } })
    await here.admin.post(`${address}/verify`, { identityCheck: 'Known by voice' })
    expect(await here.admin.post(`${address}/run`)).toMatchObject({
      status: 409,
      body: { code: 'REQUEST_NOT_REHEARSED' },
    })
    const clerk = await here.as({ may: ['core.privacy.manage', 'core.contact.read'] })
    await here.admin.post(`${address}/rehearse`)
    await app.app.jobs.runUntilIdle()
    expect(await clerk.post(`${address}/run`)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
  })
})

describe('a request', () => {
  test('did not come in on a day that has not come yet', async () => {
    const here = await app.secondWorkspace()
    const record = await made(here, contacts, { firstName: 'Anne', lastName: 'Lorient' })
    const asked = { kind: 'access', resource: 'core.contact', record }
    expect(await here.admin.post(requests, { ...asked, receivedOn: '2026-12-31' })).toMatchObject({
      status: 422,
      body: { code: 'REQUEST_IN_THE_FUTURE' },
    })
    const today = app.clock.today(here.workspace.zone)
    expect((await here.admin.post(requests, { ...asked, receivedOn: today })).status).toBe(201)
  })

  test('tells in the audit who took its archive along', async () => {
    const here = await app.secondWorkspace()
    const asking = new Asking(app, here)
    const access = await asking.ask('access', await made(here, contacts, { firstName: 'Anne', lastName: 'Lorient' }))
    await asking.step(access, 'run')
    const clerk = await here.as({ may: ['core.privacy.export', 'core.privacy.manage'] })
    expect((await clerk.raw('GET', `${requests}/${access}/file`)).status).toBe(200)
    const { body } = await here.admin.get('/api/core/audit?resource=core.privacy-request&limit=1')
    expect(body.data).toMatchObject([{ actor: { id: clerk.who.actor.id }, changes: [{ record: access }] }])
    expect(body.data[0].changes[0].changes).toEqual(
      expect.arrayContaining([expect.objectContaining({ field: 'fetchedBy', new: clerk.who.actor.id })]),
    )
  })
})

describe('a certificate', () => {
  test('is found out when somebody altered it', async () => {
    const here = await app.secondWorkspace()
    const person = await made(here, contacts, { firstName: 'Anne', lastName: 'Lorient' })
    const { certificateId } = await new Asking(app, here).erase(person)
    await app.app.kernel.parts.database.owner.transaction().execute(async (tx) => {
      await sql`alter table core.certificate disable trigger user`.execute(tx)
      await sql`update core.certificate set body = replace(body, 'erasure', 'forgery'), hash = sha256(prev_hash || convert_to(replace(body, 'erasure', 'forgery'), 'UTF8'))
        where id = ${certificateId}::uuid`.execute(tx)
      await sql`alter table core.certificate enable trigger user`.execute(tx)
    })
    const { body } = await here.admin.get(`/api/core/privacy/certificates/${certificateId}/verification`)
    expect(body.data).toEqual({ valid: false, fault: 'unsigned' })
  })
})
