import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import iconv from 'iconv-lite'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { sheetRow, zipped, type SheetCell } from '../src/records/export/xlsx-writer.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'
import { grant, Importing } from './import-world.ts'

let app: TestApp
let company: TestWorkspace
let admin: TestClient
let importing: Importing
const work = () => app.app.jobs.runUntilIdle()

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())
beforeEach(async () => {
  company = await app.secondWorkspace()
  admin = company.admin
  importing = new Importing(admin, work)
})

const text = (it: string): SheetCell => ({ type: 'text', text: it })
const workbook = (rows: readonly (readonly SheetCell[])[]) =>
  buffer(Readable.from(zipped(Readable.from(rows.map((cells, nth) => Buffer.from(sheetRow(cells, nth)))))))

function archive(entries: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [path, bytes] of Object.entries(entries)) zip.addBuffer(bytes, path)
  zip.end()
  return buffer(zip.outputStream)
}

describe('a file', () => {
  test('of a spreadsheet is read with its dates, numbers and gaps', async () => {
    const file = await workbook([
      ['First name', 'Last name', 'Birth date', 'Job title', 'E-mail'].map(text),
      [text('Élise'), text('Durand & <Fils>'), { type: 'date', text: '1985-04-03' }, text(''), text('a@example.com')],
      [text(''), text(''), text('')],
      [text('Jean'), text('_x0041_'), { type: 'date', text: '1900-01-31' }, { type: 'number', text: '12.50' }],
    ])
    const made = await importing.upload('core.contact', file, 'people.csv')
    expect(made).toMatchObject({ file: { format: 'xlsx' }, counts: { lines: 2 } })
    expect(made.mapping.map(({ field }) => field)).toEqual(['firstName', 'lastName', 'birthDate', 'jobTitle', 'email'])
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 2 })
    const { body } = await admin.get('/api/core/contacts?sort=lastName')
    expect(body.data).toMatchObject([
      { firstName: 'Jean', lastName: '_x0041_', birthDate: '1900-01-31', jobTitle: '12.5', email: null },
      { firstName: 'Élise', lastName: 'Durand & <Fils>', birthDate: '1985-04-03', jobTitle: null },
    ])
  })

  test('of JSON is read as a list or line by line, with columns any record may bring', async () => {
    const records = [
      { name: 'A', city: 'Lyon' },
      { name: 'B "}]', employees: 12 },
      { name: 'C', web: { site: 'c.example' } },
    ]
    const forms = [
      JSON.stringify(records),
      `\ufeff${JSON.stringify(records, null, 2)}`,
      `${records.map((it) => JSON.stringify(it)).join('\n')}\n`,
    ]
    for (const form of forms) {
      const made = await importing.upload('core.account', form)
      expect(made).toMatchObject({ file: { format: 'json' }, counts: { lines: 3 } })
      expect(made.columns.map(({ name }) => name)).toEqual(['name', 'city', 'employees', 'web.site'])
    }
    expect((await importing.send('core.account', '[{"name": "A"}, {"name": ]')).body).toMatchObject({
      code: 'IMPORT_FILE_INVALID',
      detail: expect.stringContaining('record 2'),
    })
  })

  test('of cards is read in versions 3.0 and 4.0, folded, escaped and with several addresses', async () => {
    const cards = [
      'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Durand;Élise;;Mme;\r\nFN:Élise Durand\r\nORG:Maison Garonne\\; Fils;Achats\r\nitem1.EMAIL;TYPE=INTERNET:elise@exam\r\n ple.com\r\nEMAIL:second@example.com\r\nTEL;TYPE=CELL,VOICE:+33 6 12 34 56 78\r\nBDAY:1985-04-03\r\nEND:VCARD',
      'BEGIN:VCARD\nVERSION:4.0\nFN:Jean Petit\nN:Petit;Jean;;;\nTEL;VALUE=uri;TYPE="work":tel:+33-1-23-45-67-89\nBDAY:--0403\nEND:VCARD',
    ]
    const made = await importing.upload('core.contact', `${cards.join('\r\n')}\r\n`)
    expect(made).toMatchObject({ file: { format: 'vcard' }, counts: { lines: 2 } })
    expect(made.columns.map(({ name }) => name)).toContain('email 2')
    const goes = Object.fromEntries(made.mapping.map(({ column, field }) => [column, field]))
    expect(goes).toMatchObject({
      'first name': 'firstName',
      'last name': 'lastName',
      account: 'account',
      email: 'email',
      mobile: 'mobile',
      phone: 'phone',
      'birth date': 'birthDate',
    })
    await importing.change(made.id, {
      mapping: made.mapping.map((it) => (it.field === 'account' ? { ...it, create: true } : it)),
    })
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 2, failed: 0 })
    const { body } = await admin.get('/api/core/contacts?sort=lastName&include=account')
    expect(body.data).toMatchObject([
      { firstName: 'Élise', email: 'elise@example.com', mobile: '+33 6 12 34 56 78', birthDate: '1985-04-03' },
      { firstName: 'Jean', phone: '+33-1-23-45-67-89', birthDate: null },
    ])
    expect(Object.values(body.included['core.account'])).toMatchObject([{ title: 'Maison Garonne; Fils' }])
  })

  test('of cards writes the name once, by its parts or else as it is written out', async () => {
    const cards = [
      'BEGIN:VCARD\nVERSION:3.0\nFN:Zoé Martel\nN:Martel;Zoé;;;\nTITLE:Acheteuse\nEND:VCARD',
      'BEGIN:VCARD\nVERSION:4.0\nFN:Standard\nEND:VCARD',
    ]
    const made = await importing.upload('core.contact', cards.join('\n'))
    expect(made.mapping.map(({ column, field }) => [column, field])).toEqual([
      ['last name', 'lastName'],
      ['first name', 'firstName'],
      ['job title', 'jobTitle'],
    ])
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 2, failed: 0 })
    const { body } = await admin.get('/api/core/contacts?sort=lastName')
    expect(body.data).toMatchObject([
      { firstName: 'Zoé', lastName: 'Martel', jobTitle: 'Acheteuse' },
      { firstName: null, lastName: 'Standard', jobTitle: null },
    ])
  })

  test('a column called like a field goes there though a line of it cannot be kept, and that line says so', async () => {
    const made = await importing.upload('core.account', 'name;Effectif\nGarage;12\nFournil;x\n')
    expect(made.mapping).toMatchObject([{ field: 'name' }, { field: 'employees' }])
    expect((await importing.rehearse(made.id)).counts).toMatchObject({ create: 1, failed: 1 })
    const never = await importing.upload('core.account', 'name;Effectif\nGarage;beaucoup\nFournil;peu\n')
    expect(never.mapping).toMatchObject([{ field: 'name' }, { field: null }])
  })

  test('that looks like cards or JSON and holds no record says what it lacks', async () => {
    for (const [file, detail] of [
      ['BEGIN:VCARD\nN:Dupont', 'none of its cards'],
      ['[1, 2, 3]', 'record 1 is not an object'],
      ['["Garage", "Fournil"]', 'record 1 is not an object'],
      ['[{"lastName":"Coupé Un"},{"lastName":"Coupé Deux"},', 'Unexpected end'],
      ['[{"lastName":"Coupé"}', 'Unexpected end'],
    ] as const)
      expect((await importing.send('core.contact', file)).body).toMatchObject({
        code: 'IMPORT_FILE_INVALID',
        detail: expect.stringContaining(detail),
      })
  })

  test('of JSON is read in the encoding it was saved in', async () => {
    const content = JSON.stringify([{ name: 'Société Générale' }, { name: 'Café de l’Été' }])
    for (const encoding of ['utf8', 'utf16le', 'windows-1252']) {
      const made = await importing.upload('core.account', iconv.encode(content, encoding, { addBOM: true }))
      expect(made).toMatchObject({ file: { format: 'json' }, columns: [{ name: 'name' }] })
      expect(made.columns[0]?.samples).toEqual(['Société Générale', 'Café de l’Été'])
    }
  })

  test('whose record is endless is refused, whatever holds it', async () => {
    const noise = randomBytes(600_000).toString('hex')
    const files = [
      `name\n"${noise}"\n`,
      JSON.stringify([{ name: noise }]),
      await workbook([[text('name')], [text(noise)]]),
    ]
    for (const file of files)
      expect((await importing.send('core.account', file)).body).toMatchObject({
        code: 'IMPORT_FILE_INVALID',
        detail: expect.stringContaining('over a million'),
      })
  })

  test('of another type, a damaged one and one made to fill a disk are refused', async () => {
    const pictures = [
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10]),
      Buffer.from('%PDF-1.7\n'),
      Buffer.from([0x1f, 0x8b, 8]),
    ]
    for (const file of pictures)
      expect((await importing.send('core.account', file, 'a.csv')).body).toMatchObject({
        status: 415,
        code: 'FILE_TYPE_REFUSED',
      })
    expect((await importing.send('core.account', await archive({ 'a.txt': Buffer.from('a') }))).body).toMatchObject({
      code: 'FILE_TYPE_REFUSED',
    })
    const bomb = await archive({ 'xl/workbook.xml': Buffer.alloc(3_000_000, ' ') })
    expect((await importing.send('core.account', bomb)).body).toMatchObject({ status: 422, code: 'ARCHIVE_REFUSED' })
    const cut = (await workbook([[text('name')], [text('A')]])).subarray(0, 400)
    expect((await importing.send('core.account', cut)).body).toMatchObject({ code: 'IMPORT_FILE_INVALID' })
    expect((await admin.get('/api/core/imports')).body.data).toEqual([])
  })

  test('of refused lines comes back with its reasons, and once corrected is imported', async () => {
    const made = await importing.upload('core.account', 'name;employees;code\nA;5;=1+1\nB;many;-2\nC;few;"x;y"\n')
    await importing.change(made.id, {
      mapping: ['name', 'employees', 'code'].map((column) => ({ column, field: column })),
    })
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 1, failed: 2 })
    const { body } = await admin.get(`/api/core/imports/${made.id}/errors.csv`)
    expect(body.split('\r\n')[0]).toBe('\ufeffname;employees;code;Line;Reasons'.replace('\ufeff', ''))
    const again = await importing.upload('core.account', body.replace('many', '6').replace('few', '7'))
    expect(again.mapping.filter(({ column }) => ['Line', 'Reasons'].includes(column))).toEqual([
      { column: 'Line', field: null },
      { column: 'Reasons', field: null },
    ])
    expect((await importing.through(again.id)).counts).toMatchObject({ create: 2, failed: 0 })
  })
})

describe('a recipe', () => {
  test('keeps how a file was mapped and is proposed for the next one with its columns', async () => {
    const content = 'Firm;Town;Stage\nA;Lyon;prospekt\n'
    const made = await importing.upload('core.account', content)
    const mapping = [
      { column: 'Firm', field: 'name' },
      { column: 'Town', field: 'city' },
      { column: 'Stage', field: 'lifecycle' },
    ]
    const aliases = [{ column: 'Stage', from: 'prospekt', to: 'prospect', accepted: true }]
    const recipe = {
      name: 'Firms of the fair',
      resource: 'core.account',
      header: made.columns.map(({ name }) => name),
      mapping,
      aliases,
      key: 'name',
      options: { mode: 'create' },
    }
    const kept = await admin.post('/api/core/import-recipes', recipe)
    expect(kept.status).toBe(201)
    expect(await admin.post('/api/core/import-recipes', { ...recipe, name: 'x', mapping: [{ no: 1 }] })).toMatchObject({
      status: 422,
    })

    const next = await importing.upload('core.account', 'stage;firm;TOWN\nprospekt;B;Nice\n')
    expect(next.recipes).toEqual([{ id: kept.body.data.id, name: 'Firms of the fair', shared: false, mine: true }])
    const same = await importing.upload('core.account', content.replace('A;', 'B;'))
    const changed = await importing.change(same.id, { recipe: kept.body.data.id })
    expect(changed).toMatchObject({ mapping, key: 'name', options: { mode: 'create' } })
    expect((await importing.through(same.id)).counts).toMatchObject({ create: 1, failed: 0 })

    const may = ['core.account.read', 'core.account.create', 'core.account.import']
    const without = new Importing(await company.as({ may }), work)
    const other = new Importing(await company.as({ may: [...may, 'core.import-recipe.read'] }), work)
    expect((await other.upload('core.account', content)).recipes).toEqual([])
    await admin.patch(`/api/core/import-recipes/${kept.body.data.id}`, { version: 1, shared: true })
    const theirs = await other.upload('core.account', content)
    expect(theirs.recipes).toMatchObject([{ name: 'Firms of the fair', mine: false, shared: true }])
    expect((await other.change(theirs.id, { recipe: kept.body.data.id })).key).toBe('name')
    const closed = await without.upload('core.account', content)
    expect(closed.recipes).toEqual([])
    await expect(without.change(closed.id, { recipe: kept.body.data.id })).rejects.toThrow('IMPORT_RECIPE_NOT_FOUND')
  })
})

describe('an import', () => {
  const content = 'name;city;code\nA;Lyon;1\nB;Nice;2\nC;Brest;3\nD;Metz;4\n'

  test('makes, updates, or both, by a key of the mapping', async () => {
    await admin.post('/api/core/accounts', { name: 'B', city: 'Gap', code: '2' })
    const counts = async (options: object) => {
      const made = await importing.upload('core.account', content)
      await importing.change(made.id, { key: 'code', options })
      return (await importing.rehearse(made.id)).counts
    }
    expect(await counts({ mode: 'create' })).toMatchObject({ lines: 4, create: 3, update: 0, skip: 1, done: 4 })
    expect(await counts({ mode: 'update' })).toMatchObject({ lines: 4, create: 0, update: 1, skip: 3, done: 4 })
    expect(await counts({})).toMatchObject({ lines: 4, create: 3, update: 1, skip: 0, done: 4 })
  })

  test('of one file sent twice under one key is one; another file under it is refused', async () => {
    const send = (text: string) => {
      const form = new FormData()
      form.set('resource', 'core.account')
      form.set('file', new File([text], 'file.csv'))
      return admin.post('/api/core/imports', form, { 'idempotency-key': 'import' })
    }
    const [first, second] = [await send(content), await send(content)]
    expect(first.status, JSON.stringify(first.body)).toBe(201)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotent-replay')).toBe('true')
    expect((await admin.get('/api/core/imports')).body.data).toHaveLength(1)
    expect(await send('name\nOther\n')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
    const { rows } = await sql<{ n: number }>`
      select count(distinct file)::integer as n from core.file_piece where workspace = ${company.workspace.id}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    expect(rows).toEqual([{ n: 1 }])
    expect((await importing.rehearse(first.body.data.id)).counts).toMatchObject({ lines: 4 })
  })

  test('shows for every line what it does, page by page', async () => {
    await admin.post('/api/core/accounts', { name: 'B', city: 'Gap', code: '2' })
    const lines = Array.from({ length: 120 }, (_, at) => `N${at};Lyon;n${at}`)
    const made = await importing.upload('core.account', `${content}${lines.join('\n')}\n`)
    await importing.change(made.id, { key: 'code' })
    await importing.rehearse(made.id)
    const first = await admin.get(`/api/core/imports/${made.id}/rows?state=create`)
    expect(first.body.data).toHaveLength(100)
    const second = await admin.get(`/api/core/imports/${made.id}/rows?state=create&after=${first.body.page.next}`)
    expect([second.body.data.length, second.body.page.next]).toEqual([23, null])
    const updates = await admin.get(`/api/core/imports/${made.id}/rows?state=update`)
    expect(updates.body.data).toEqual([
      { line: 3, action: 'update', changes: [{ field: 'city', old: 'Gap', new: 'Nice' }] },
    ])
    expect((await importing.diff(made.id, 'rehearsal')).trim().split('\n')).toHaveLength(124)
  })

  test('is taken back: what it made is gone, what it changed is as before, what was touched since stays', async () => {
    const before = (await admin.post('/api/core/accounts', { name: 'B', city: 'Gap', code: '2' })).body.data
    const other = (await admin.post('/api/core/accounts', { name: 'C', city: 'Gap', code: '3', employees: 5 })).body
      .data
    const made = await importing.upload('core.account', `${content}E;Dole;5\nF;Pau;6\nG;Albi;7\nH;Auch;8\n`)
    await importing.change(made.id, { key: 'code' })
    expect(await admin.post(`/api/core/imports/${made.id}/rollback`)).toMatchObject({
      status: 409,
      body: { code: 'TRANSITION_REFUSED' },
    })
    await importing.through(made.id)
    const named = async (name: string) =>
      (await admin.get(`/api/core/accounts?${new URLSearchParams({ filter: `name = "${name}"` })}`)).body.data[0]
    const [d, e, c] = [await named('D'), await named('E'), await named('C')]
    await admin.patch(`/api/core/accounts/${d.id}`, { version: d.version, employees: 7 })
    await admin.post('/api/core/contacts', { lastName: 'Uses E', account: e.id })
    await admin.patch(`/api/core/accounts/${c.id}`, { version: c.version, city: 'Dijon' })

    const [g, h] = [await named('G'), await named('H')]
    expect((await admin.delete(`/api/core/accounts/${g.id}?version=${g.version}`)).status).toBe(204)
    const merged = await admin.post(`/api/core/accounts/${c.id}/merge`, {
      version: c.version + 1,
      others: [{ id: h.id, version: h.version }],
    })
    expect(merged.status, JSON.stringify(merged.body)).toBe(200)

    const back = await importing.rollBack(made.id)
    expect(back).toMatchObject({ state: 'rolled_back', reversal: { deleted: 2, restored: 1, kept: 5 } })
    const { body } = await admin.get(`/api/core/imports/${made.id}/kept`)
    expect(Object.fromEntries(body.data.map((it: { title: string; code: string }) => [it.title, it.code]))).toEqual({
      D: 'RECORD_CHANGED_SINCE',
      E: 'RECORD_USED_SINCE',
      C: 'RECORD_CHANGED_SINCE',
      G: 'RECORD_GONE',
      H: 'RECORD_MERGED',
    })
    const told = (title: string) => body.data.find((it: { title: string }) => it.title === title)
    expect(told('D')).toMatchObject({
      fields: ['employees'],
      detail: expect.stringMatching(/changed since: Employees\.$/),
    })
    expect(told('C')).toMatchObject({ fields: ['city'], detail: expect.stringMatching(/changed since: City\.$/) })
    expect(await named('A')).toBeUndefined()
    expect(await named('B')).toMatchObject({ id: before.id, city: 'Gap' })
    expect(await named('C')).toMatchObject({ id: other.id, city: 'Dijon', employees: 5 })
    expect(await named('D')).toMatchObject({ employees: 7 })
    expect(await admin.post(`/api/core/imports/${made.id}/rollback`)).toMatchObject({
      body: { code: 'TRANSITION_REFUSED' },
    })
  })

  test('is taken back, and answered, with the rights its importer has by then', async () => {
    const rights = (actions: readonly string[]) =>
      actions.map((action) => ({ resource: 'core.account', action, visibility: 'all' as const }))
    const clerk = await company.as({ grants: rights(['read', 'create', 'update', 'import']) })
    const its = new Importing(clerk, work)
    const account = async (code: string) =>
      (await admin.get(`/api/core/accounts?${new URLSearchParams({ filter: `code = "${code}"` })}`)).body.data[0]
    await admin.post('/api/core/accounts', { name: 'B', city: 'Gap', code: '2', employees: 4 })
    await admin.post('/api/core/accounts', { name: 'Twin', email: 'twin@example.com', siren: '732829320' })
    const made = await its.upload(
      'core.account',
      'code;city;employees;name;siren\n2;Nice;5;B;\n9;Pau;;Twin;732829320\n',
    )
    await its.change(made.id, { key: 'code' })
    await its.through(made.id)
    const path = `/api/core/imports/${made.id}`
    expect((await clerk.get(`${path}/rows?state=failed`)).body.data[0].problems).toMatchObject([
      {
        code: 'DUPLICATE_SUSPECTED',
        detail: expect.stringMatching(/^Looks like "Twin"/),
        candidates: [{ title: 'Twin' }],
      },
    ])

    await grant(admin, clerk, {
      fields: ['employees', 'name'].map((field) => ({ resource: 'core.account', field, access: 'none' })),
    })
    const { body } = await clerk.get(`${path}/rows`)
    expect(body.data[0].changes).toEqual([{ field: 'city', old: 'Gap', new: 'Nice' }])
    expect((await its.get(made.id)).sample[0]?.changes).toEqual(body.data[0].changes)
    expect(await its.diff(made.id, 'run')).not.toMatch(/employees|Twin/)
    expect(JSON.stringify(body)).not.toMatch(/employees|Twin/)
    expect(await its.rollBack(made.id)).toMatchObject({ reversal: { restored: 1, kept: 0 } })
    expect(await account('2')).toMatchObject({ city: 'Gap', employees: 5 })
    expect((await clerk.get(`${path}/kept`)).body.data).toMatchObject([{ fields: [], title: '' }])
    expect((await admin.get(`${path}/kept`)).status).toBe(404)

    await grant(admin, clerk, { grants: rights(['create', 'update', 'import']), fields: [] })
    for (const part of ['rows', 'diff.ndjson', 'errors.csv'])
      expect(await clerk.get(`${path}/${part}`)).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    expect((await its.get(made.id)).sample).toEqual([])
  })

  test('taken back takes along what was made for its references, in whatever order it was made', async () => {
    const count = async () => {
      const lists = ['users', 'teams', 'accounts'].map((it) => admin.get(`/api/core/${it}?limit=200`))
      return (await Promise.all(lists)).map(({ body }) => body.data.length)
    }
    const before = await count()
    const people = await importing.upload('core.user', 'name;manager;team\nAna;Zoe;East\nBen;Zoe;West\nZoe;;East\n')
    await importing.change(people.id, { mapping: people.mapping.map((it) => ({ ...it, create: it.field !== 'name' })) })
    await importing.through(people.id)
    const firms = await importing.upload('core.account', 'name;parent;owner\nKid;Mum;Ana\nMum;Gran;Ben\nGran;;Zoe\n')
    await importing.through(firms.id)
    expect(await importing.rollBack(firms.id)).toMatchObject({ reversal: { deleted: 3, kept: 0 } })
    expect((await importing.rollBack(people.id)).reversal).toMatchObject({ kept: 0 })
    expect(await count()).toEqual(before)
  })

  test('can be paused, let go on, and cancelled; a cancelled one is taken back too', async () => {
    const made = await importing.upload('core.account', content)
    await importing.rehearse(made.id)
    const post = async (verb: string) => (await admin.post(`/api/core/imports/${made.id}/${verb}`)).body
    expect(await post('pause')).toMatchObject({ code: 'TRANSITION_REFUSED' })
    expect((await post('run')).data.state).toBe('running')
    expect((await post('pause')).data).toMatchObject({ state: 'paused', work: 'running' })
    await work()
    expect((await importing.get(made.id)).counts.done).toBe(0)
    expect((await post('resume')).data.state).toBe('running')
    await work()
    expect(await importing.get(made.id)).toMatchObject({ state: 'done', counts: { create: 4 } })

    const second = await importing.upload('core.account', content.replaceAll(/^(\w);/gm, 'Second $1;'))
    await importing.rehearse(second.id)
    await admin.post(`/api/core/imports/${second.id}/run`)
    expect((await admin.post(`/api/core/imports/${second.id}/cancel`)).body.data.state).toBe('cancelled')
    await work()
    expect(await importing.rollBack(second.id)).toMatchObject({ state: 'rolled_back', reversal: { deleted: 0 } })
    expect((await admin.get('/api/core/accounts')).body.data).toHaveLength(4)

    // One that wrote lines before it was cancelled, and has been prepared for another run since.
    const third = await importing.upload('core.account', content.replaceAll(/;(\d)$/gm, ';3$1'))
    await importing.through(third.id)
    await sql`update core.import set state = 'failed' where id = ${third.id}::uuid`.execute(
      app.app.kernel.parts.database.owner,
    )
    await importing.change(third.id, { key: null })
    await importing.rehearse(third.id)
    expect(await importing.rollBack(third.id)).toMatchObject({
      state: 'rolled_back',
      reversal: { deleted: 4, kept: 0 },
    })
    expect((await admin.get('/api/core/accounts')).body.data).toHaveLength(4)
  })
})
