import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addPiece } from '../src/files/pieces.ts'
import { createTestApp, TestClient, type TestApp, type TestWorkspace } from '../src/testing/index.ts'
import { grant, Importing } from './import-world.ts'

let app: TestApp
let company: TestWorkspace
let admin: TestClient
const work = () => app.app.jobs.runUntilIdle()

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())
beforeEach(async () => {
  company = await app.secondWorkspace()
  admin = company.admin
})

const people = [
  ['Élise', 'Durand', 'elise@example.com', '+33 1 23 45 67 89', '1985-04-03'],
  ['Jean', "=cmd|' /C calc'!A0", 'jean@example.com', '-12 34 56', ''],
  ['Ana', '@SUM(A1)', 'ana@example.com', '', '2001-12-31'],
] as const

async function fill(count = 0): Promise<void> {
  const account = await admin.post('/api/core/accounts', { name: 'Maison "Garonne"; Fils', annualRevenue: '1234.5' })
  for (const [firstName, lastName, email, phone, birthDate] of people)
    await admin.post('/api/core/contacts', {
      firstName,
      lastName,
      email,
      birthDate: birthDate || null,
      jobTitle: phone === '' ? "'=already marked" : null,
      account: account.body.data.id,
      ...(phone.startsWith('+') ? { phone } : {}),
    })
  for (let from = 0; from < count; from += 200) {
    const create = Array.from({ length: Math.min(200, count - from) }, (_, at) => ({ name: `Row ${from + at}` }))
    expect((await admin.post('/api/core/accounts/bulk', { create })).status).toBe(200)
  }
}

interface Asked {
  readonly resource?: string
  readonly format?: string
  readonly [part: string]: unknown
}

async function ask(client: TestClient, asked: Asked) {
  return client.post('/api/core/exports', { resource: 'core.contact', format: 'csv', ...asked })
}

/** The file of an export, as bytes. */
async function fileOf(client: TestClient, asked: Asked): Promise<{ bytes: Buffer; response: Response; id: string }> {
  const { body, status } = await ask(client, asked)
  expect(body).toMatchObject({ data: { state: 'running', file: null } })
  expect(status).toBe(202)
  await work()
  const done = await client.get(`/api/core/exports/${body.data.id}`)
  expect(done.body.data).toMatchObject({ state: 'done', problem: null })
  const response = await client.raw('GET', done.body.data.file)
  expect(response.status).toBe(200)
  return { bytes: Buffer.from(await response.arrayBuffer()), response, id: body.data.id }
}

const fields = ['firstName', 'lastName', 'email', 'phone', 'birthDate', 'account', 'jobTitle']

describe('a file of records', () => {
  test('has what the list has, in its order, under heads in the reader’s language', async () => {
    await fill()
    const claire = await company.as({ grants: [{ resource: '*', action: '*', visibility: 'all' }], locale: 'fr' })
    const query = { fields: ['lastName', 'email', 'account'], sort: '-email', filter: 'email ~ "an"' }
    const { bytes, response } = await fileOf(claire, query)
    const lines = bytes.toString('utf8').split('\r\n')
    expect(lines[0]).toBe('\ufeffNom;E-mail;Compte;Compte (id)')
    expect(lines.slice(1).map((line) => line.split(';')[1])).toEqual(['jean@example.com', 'ana@example.com', undefined])
    expect(response.headers.get('content-disposition')).toContain('.csv"')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('calls fields and choices of the workspace’s own as it named them, also where lines come back refused', async () => {
    const own = { resource: 'core.account', labelEn: 'Grade', labelFr: 'Rang' }
    const options = [{ value: 'a', label: { en: 'First', fr: 'Premier' } }]
    for (const field of [
      { name: 'grade', type: 'select', options },
      { name: 'stars', type: 'integer', labelEn: 'Stars' },
      {
        name: 'uses',
        type: 'multi-select',
        labelEn: 'Uses',
        options: [
          { value: 's', label: { en: 'Sale', fr: 'Vente' } },
          { value: 'r', label: { en: 'Rent', fr: 'Location' } },
          { value: 'both', label: { en: 'Sale, or rent', fr: 'Vente, ou location' } },
        ],
      },
    ])
      expect(await admin.post('/api/core/fields', { ...own, ...field })).toMatchObject({ status: 201 })
    await admin.post('/api/core/accounts', { name: 'A', grade: 'a', uses: ['r', 's', 'both'] })
    const { bytes } = await fileOf(admin, { resource: 'core.account', fields: ['name', 'grade', 'uses'] })
    expect(bytes.toString('utf8')).toBe('\ufeffName,Grade,Uses\r\nA,First,"Sale, Rent, both"\r\n')
    const named = { resource: 'core.account', fields: ['uses'], heads: 'names' }
    expect((await fileOf(admin, named)).bytes.toString('utf8')).toBe('\ufeffuses\r\n"s, r, both"\r\n')
    const importing = new Importing(admin, work)
    const back = await importing.upload('core.account', 'name;Uses\nBack;Sale, Rent, both\n')
    await importing.change(back.id, { mapping: back.mapping.map((it, at) => ({ ...it, field: ['name', 'uses'][at] })) })
    expect((await importing.through(back.id)).sample[0]?.values).toMatchObject({ uses: ['s', 'r', 'both'] })
    const made = await importing.upload('core.account', 'name;Stars\nB;many\n')
    const mapping = ['name', 'stars'].map((field, at) => ({ column: made.columns[at]?.name, field }))
    await importing.change(made.id, { mapping })
    await importing.rehearse(made.id)
    expect((await admin.get(`/api/core/imports/${made.id}/errors.csv`)).body).toMatch(/B;many;2;"?Stars: /)
  })

  test.for(['csv', 'xlsx', 'json', 'vcard'])('is as the records were at an instant: %s', async (format) => {
    await fill()
    const [elise] = (await admin.get('/api/core/contacts?filter=email = "elise@example.com"')).body.data
    const then = app.clock.now().toISOString()
    app.clock.advance('PT5M')
    await admin.patch(`/api/core/contacts/${elise.id}`, { version: 1, lastName: 'Newname' })
    await admin.post('/api/core/contacts', { lastName: 'Later', email: 'later@example.com' })
    const asked = format === 'vcard' ? { format } : { format, fields: ['lastName', 'email', 'account'] }
    const past = await fileOf(admin, { ...asked, asOf: then, sort: 'email' })
    const now = await fileOf(admin, { ...asked, sort: 'email' })
    expect(past.response.headers.get('content-disposition')).toMatch(/Contacts_as_of_2026-03-02_10h/)
    // Whatever its form, a file is read by the import.
    const textOf = async ({ bytes }: { bytes: Buffer }) =>
      JSON.stringify((await new Importing(admin, work).upload('core.contact', bytes)).columns)
    expect(await textOf(past)).toMatch(/Durand/)
    expect(await textOf(past)).not.toMatch(/Newname|Later/)
    expect(await textOf(now)).toMatch(/Newname/)
    expect(await textOf(now)).toMatch(/Later/)
  })

  test('of an instant that is none, or has not been, is refused when it is asked for', async () => {
    expect(await ask(admin, { asOf: 'yesterday' })).toMatchObject({ status: 400, body: { code: 'QUERY_INVALID' } })
    expect(await ask(admin, { asOf: '2090-01-01T00:00:00Z' })).toMatchObject({
      status: 400,
      body: { code: 'QUERY_INVALID' },
    })
    expect(await ask(admin, { asOf: '1990-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      body: { code: 'AS_OF_UNKNOWN' },
    })
  })

  test('runs nothing in a spreadsheet, and phones and numbers survive', async () => {
    await fill()
    const { bytes } = await fileOf(admin, { fields, heads: 'names', sort: 'email' })
    const text = bytes.toString('utf8')
    expect(text).toContain('firstName,lastName,email,phone,birthDate,account,account.id,jobTitle')
    expect(text).toContain(`"'=cmd|' /C calc'!A0"`.replaceAll('"', ''))
    expect(text).toContain("'@SUM(A1)")
    expect(text).toContain("''=already marked")
    expect(text).toContain(',+33 1 23 45 67 89,')
    expect(text).toContain('"Maison ""Garonne""; Fils"')
  })

  for (const format of ['csv', 'xlsx', 'json'])
    test(`comes back as it went: ${format}`, async () => {
      await fill()
      const { bytes } = await fileOf(admin, { format, fields, sort: 'email' })
      const other = await app.secondWorkspace()
      await other.admin.post('/api/core/accounts', { name: 'Maison "Garonne"; Fils' })
      const importing = new Importing(other.admin, work)
      const made = await importing.upload('core.contact', bytes, 'anything')
      expect(made.file.format).toBe(format)
      const goes = Object.fromEntries(made.mapping.map(({ column, field }) => [column, field]))
      const mapping = made.mapping.map((it) =>
        /(\(id\)|\.id)$/.test(it.column) ? { column: it.column, field: null } : it,
      )
      expect(new Set(Object.values(goes))).toEqual(new Set([...fields, null]))
      await importing.change(made.id, { mapping })
      expect((await importing.through(made.id)).counts).toMatchObject({ create: 3, failed: 0 })
      const read = async (client: TestClient) => {
        const { body } = await client.get('/api/core/contacts?sort=email&include=account')
        return body.data.map((row: Record<string, string>) =>
          fields.map((name) =>
            name === 'account' ? body.included['core.account'][row[name] ?? '']?.title : row[name],
          ),
        )
      }
      expect(await read(other.admin)).toEqual(await read(admin))
    })

  test('of people comes as cards, which come back as people', async () => {
    await fill()
    const { bytes } = await fileOf(admin, { format: 'vcard' })
    const text = bytes.toString('utf8')
    expect(text.match(/BEGIN:VCARD/g)).toHaveLength(3)
    expect(text).toContain('N:Durand;Élise;;;')
    expect(text).toContain('TEL;TYPE=work:+33 1 23 45 67 89')
    await admin.post('/api/core/contacts', { lastName: 'Carriage', jobTitle: 'One\rTwo\r\nThree' })
    const cards = (await fileOf(admin, { format: 'vcard', filter: 'lastName = "Carriage"' })).bytes.toString('utf8')
    expect(cards).toContain('TITLE:One\\nTwo\\nThree\r\n')
    const other = await app.secondWorkspace()
    const importing = new Importing(other.admin, work)
    const made = await importing.upload('core.contact', bytes, 'people.vcf')
    expect(made.file.format).toBe('vcard')
    const mapping = made.mapping.map((it) => (it.field === 'account' ? { ...it, create: true } : it))
    await importing.change(made.id, { mapping })
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 3, failed: 0 })
    const { body } = await other.admin.get('/api/core/contacts?sort=email&fields=firstName,lastName,birthDate,phone')
    expect(body.data.at(-2)).toMatchObject({ firstName: 'Élise', lastName: 'Durand', birthDate: '1985-04-03' })
    expect(await ask(admin, { resource: 'core.account', format: 'vcard' })).toMatchObject({
      status: 422,
      body: { code: 'EXPORT_FORMAT_REFUSED', detail: expect.stringContaining('csv, xlsx, json') },
    })
  })

  test('asked for twice under one key is one file', async () => {
    await fill()
    const send = (sort: string) =>
      admin.post(
        '/api/core/exports',
        { resource: 'core.contact', format: 'csv', sort },
        { 'idempotency-key': 'export' },
      )
    const [first, second] = [await send('email'), await send('email')]
    expect(first.status).toBe(202)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotent-replay')).toBe('true')
    expect((await admin.get('/api/core/exports')).body.data).toHaveLength(1)
    expect(await send('-email')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
    await work()
  })

  test('of more rows than a page holds has each of them once', async () => {
    await fill(550)
    const { bytes } = await fileOf(admin, { resource: 'core.account', format: 'json', fields: ['name'], sort: 'name' })
    const names = (JSON.parse(bytes.toString('utf8')) as { name: string }[]).map(({ name }) => name)
    expect(names).toHaveLength(551)
    expect(new Set(names).size).toBe(551)
  }, 120_000)

  test('of a saved view has its rows in its order, and none once its filter is broken', async () => {
    await fill()
    const may = ['core.contact.read', 'core.contact.export', 'core.view.read', 'core.view.create', 'core.view.update']
    const reader = await company.as({ may })
    const view = async (filter: string) => {
      const kept = { resource: 'core.contact', name: filter, filter, sort: '-email' }
      const made = await reader.post('/api/core/views', kept)
      expect(made.status).toBe(201)
      return made.body.data.id
    }
    const sound = await view('email ~ "an"')
    const asked = (await ask(reader, { format: 'json', view: sound, fields: ['email'] })).body.data
    expect(asked.query).toMatchObject({ filter: 'email ~ "an"', sort: '-email' })
    await reader.patch(`/api/core/views/${sound}`, { version: 1, filter: '' })
    await work()
    expect((await reader.get(`/api/core/exports/${asked.id}/file`)).body).toEqual([
      { email: 'jean@example.com' },
      { email: 'ana@example.com' },
    ])

    const broken = await view('phone ~ "33"')
    await grant(admin, reader, { fields: [{ resource: 'core.contact', field: 'phone', access: 'none' }] })
    expect(await ask(reader, { view: broken })).toMatchObject({ status: 422, body: { code: 'EXPORT_VIEW_BROKEN' } })
    expect(await ask(reader, { view: broken, filter: 'email ~ "an"' })).toMatchObject({ status: 202 })
  })

  test('may be of chosen rows only', async () => {
    await fill()
    const { body } = await admin.get('/api/core/contacts?sort=email')
    const ids = [body.data[0].id, body.data[2].id]
    const { bytes } = await fileOf(admin, { format: 'json', ids, fields: ['email'], sort: 'email' })
    expect(JSON.parse(bytes.toString('utf8'))).toEqual([{ email: 'ana@example.com' }, { email: 'jean@example.com' }])
  })
})

describe('an export', () => {
  test('gives no field and no row that its reader may not see', async () => {
    await fill()
    const grants = ['read', 'export'].map((action) => ({
      resource: 'core.contact',
      action,
      visibility: 'all' as const,
    }))
    const secret = { fields: [{ resource: 'core.contact', field: 'phone', access: 'none' as const }] }
    const reader = await company.as({ grants, ...secret })
    for (const format of ['csv', 'xlsx', 'json', 'vcard']) {
      const { bytes } = await fileOf(reader, { format })
      const importing = new Importing(admin, work)
      const { columns } = await importing.upload('core.contact', bytes)
      expect(JSON.stringify(columns)).not.toMatch(/phone|23 45/i)
    }
    expect(await ask(reader, { fields: ['phone'] })).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_READABLE' },
    })
    expect(await ask(reader, { filter: 'phone ~ "33"' })).toMatchObject({ body: { code: 'FIELD_NOT_READABLE' } })
    const own = await company.as({
      grants: [
        { resource: 'core.contact', action: 'read', visibility: 'all' },
        { resource: 'core.contact', action: 'export', visibility: 'own' },
        { resource: 'core.contact', action: 'create', visibility: 'all' },
      ],
    })
    expect((await own.post('/api/core/contacts', { lastName: 'Mine' })).status).toBe(201)
    const { bytes } = await fileOf(own, { format: 'json', fields: ['lastName'] })
    expect(JSON.parse(bytes.toString('utf8'))).toEqual([{ lastName: 'Mine' }])
  })

  test('needs its permission, now and when the file is fetched, and is nobody else’s', async () => {
    await fill()
    const reader = await company.as({ may: ['core.contact.read'] })
    expect(await ask(reader, {})).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    const carrier = await company.as({ may: ['core.contact.read', 'core.contact.export'] })
    const { id: theirs } = await fileOf(carrier, {})
    await grant(admin, carrier, { grants: [{ resource: 'core.contact', action: 'read', visibility: 'all' }] })
    expect(await carrier.get(`/api/core/exports/${theirs}/file`)).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    const { id } = await fileOf(admin, {})
    const other = await company.as({ may: ['core.contact.read', 'core.contact.export'] })
    expect(await other.get(`/api/core/exports/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'EXPORT_NOT_FOUND' },
    })
    expect(await other.get(`/api/core/exports/${id}/file`)).toMatchObject({ status: 404 })
    expect((await other.get('/api/core/exports')).body.data).toEqual([])
    const second = await app.secondWorkspace()
    expect(await second.admin.get(`/api/core/exports/${id}/file`)).toMatchObject({ status: 404 })
  })

  test('stands in the ledger: who carried out what, by which filter, and how many rows', async () => {
    await fill()
    const anna = await company.as({ name: 'Anna', may: ['core.contact.read', 'core.contact.export'] })
    await fileOf(anna, { filter: 'email ~ "ana"', fields: ['email'] })
    const { body } = await admin.get('/api/core/audit?resource=core.export')
    const rows = body.data.flatMap(
      (it: { actor: { name: string }; changes: { changes: { field: string; new: unknown }[] }[] }) =>
        it.changes.map(({ changes }) => [
          it.actor.name,
          Object.fromEntries(changes.map(({ field, new: value }) => [field, value])),
        ]),
    )
    expect(rows).toEqual([
      ['Anna', expect.objectContaining({ rows: 1, finishedAt: expect.any(String) })],
      ['Anna', expect.objectContaining({ resource: 'core.contact', format: 'csv', filter: 'email ~ "ana"' })],
    ])
    const log = await company.as({ may: ['core.export.read', 'core.audit.read'] })
    expect((await log.get('/api/core/export-log')).body.data).toMatchObject([{ resource: 'core.contact', rows: 1 }])
    const other = await company.as({ may: ['core.export.read'] })
    expect((await other.get('/api/core/export-log')).body.data).toEqual([])
  })

  test('may be asked for by a program, paused, and cancelled; its file is gone after a week', async () => {
    await fill(900)
    const role = await admin.post('/api/core/roles', {
      name: 'Carrier',
      grants: ['read', 'export'].map((action) => ({ resource: 'core.account', action, visibility: 'all' })),
    })
    const { body: key } = await admin.post('/api/core/api-keys', { name: 'Warehouse', role: role.body.data.id })
    const program = new TestClient(app.app, admin.who, { authorization: `Bearer ${key.data.key}` })
    const accounts = { resource: 'core.account', format: 'json', fields: ['name'] }
    const asked = (await ask(program, accounts)).body.data
    expect((await program.post(`/api/core/exports/${asked.id}/pause`)).body.data.state).toBe('paused')
    await work()
    expect(await program.get(`/api/core/exports/${asked.id}/file`)).toMatchObject({
      status: 409,
      body: { code: 'EXPORT_NOT_READY' },
    })
    await program.post(`/api/core/exports/${asked.id}/resume`)
    await work()
    expect((await program.get(`/api/core/exports/${asked.id}`)).body.data).toMatchObject({ state: 'done', rows: 901 })
    app.clock.advance('P8D')
    expect(await program.get(`/api/core/exports/${asked.id}/file`)).toMatchObject({
      status: 410,
      body: { code: 'EXPORT_EXPIRED' },
    })
    const second = (await ask(program, accounts)).body.data
    expect((await program.post(`/api/core/exports/${second.id}/cancel`)).body.data.state).toBe('cancelled')
  })

  test('leaves no piece behind a week after it is done, cancelled or has failed; one that waits keeps its own', async () => {
    await fill()
    const carrier = await company.as({ may: ['core.contact.read', 'core.contact.export'] })
    const pieces = async () => {
      const { rows } = await company.inside(({ sql: tx }) =>
        sql<{ file: string }>`select distinct file from core.file_piece`.execute(tx),
      )
      return new Set(rows.map(({ file }) => file))
    }
    const { id: done } = await fileOf(carrier, {})
    const others: string[] = []
    for (const how of ['cancel', 'pause', 'pause'] as const) {
      const { id } = (await ask(carrier, {})).body.data
      others.push(id)
      await carrier.post(`/api/core/exports/${id}/${how}`)
      // What its job had written by then.
      const at = app.clock.now().toISOString()
      await company.inside(({ sql: tx, workspace }) =>
        addPiece(tx, { workspace: workspace.id, file: id, nth: 0, bytes: Buffer.from('x'), at }),
      )
    }
    const [cancelled = '', failed = '', paused = ''] = others
    await grant(admin, carrier, { grants: [{ resource: 'core.contact', action: 'read', visibility: 'all' }] })
    await carrier.post(`/api/core/exports/${failed}/resume`)
    await work()
    expect((await carrier.get(`/api/core/exports/${failed}`)).body.data.state).toBe('failed')
    app.clock.advance('P2D')
    await work()
    expect(await pieces()).toEqual(new Set([done, cancelled, failed, paused]))
    app.clock.advance('P6D')
    await work()
    expect(await pieces()).toEqual(new Set([paused]))
  })
})
