import { createHash } from 'node:crypto'
import iconv from 'iconv-lite'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestApp, TestClient, type TestAnswer, type TestApp, type TestWorkspace } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'

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

const all = async (path: string) => (await admin.get(`/api/core/${path}?limit=200&sort=name`)).body.data
const column = <T>(rows: readonly Record<string, T>[], name: string) => rows.map((row) => row[name])

describe('a file', () => {
  test('is read in its own encoding and with its own delimiter', async () => {
    const text = 'Nom;Ville\nSociété Générale;Orléans\n'
    const forms: [string, Uint8Array, string][] = [
      ['UTF-8', Buffer.from(text), ';'],
      ['UTF-8', Buffer.from(`\ufeff${text}`), ';'],
      ['Windows-1252', iconv.encode(text, 'windows-1252'), ';'],
      ['UTF-16', iconv.encode(text.replaceAll(';', '\t'), 'utf-16le', { addBOM: true }), '\t'],
      ['UTF-8', Buffer.from(text.replaceAll(';', '|')), '|'],
      ['UTF-8', Buffer.from(`sep=~\n${text.replaceAll(';', '~')}`), '~'],
    ]
    for (const [encoding, content, delimiter] of forms) {
      const made = await importing.upload('core.account', content)
      expect(made).toMatchObject({ state: 'draft', encoding, delimiter, counts: { lines: 1 } })
      expect(made.columns).toEqual([
        { name: 'Nom', samples: ['Société Générale'], empty: 0 },
        { name: 'Ville', samples: ['Orléans'], empty: 0 },
      ])
      expect(made.mapping).toEqual([
        { column: 'Nom', field: 'name' },
        { column: 'Ville', field: 'city' },
      ])
    }
  })

  test('that cannot be read is refused with the line and what to do', async () => {
    const accents = 'a,b\nélève,café\nàéèù,ôö\n'.repeat(50)
    const faults: [string | Uint8Array, RegExp][] = [
      ['', /it is empty/],
      ['\n\n  \n', /it is empty/],
      ['name,city\n', /below its header there is no line/],
      ['name,city\n1,2\n"3,4\n5,6\n', /a quotation mark opens in line 3/],
      ['name,name\n1,2\n', /two columns are named "name" in line 1/],
      ['name,,city\n1,2,3\n', /column 2 has no name/],
      [`${'x,'.repeat(600)}x\n`.replaceAll(/x/g, () => `c${Math.random()}`), /at most 500/],
      [new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]), /workbook is damaged/],
      ['[{"name": "A"}, 5]', /record 2 is not an object/],
      [
        Buffer.concat([Buffer.from(accents), Buffer.from([0xc3, 0x28, 10])]),
        /line 151 has characters that are not UTF-8/,
      ],
      [`name,city\n"${'x'.repeat(1_200_000)}",y\n`, /record that starts in line 2 is over a million/],
    ]
    for (const [content, sentence] of faults) {
      const answer = await importing.send('core.account', content)
      expect(answer.body).toMatchObject({
        status: 422,
        code: 'IMPORT_FILE_INVALID',
        detail: expect.stringMatching(sentence),
      })
    }
    expect((await admin.get('/api/core/imports')).body.data).toEqual([])
  })

  test('says in French what is wrong with it', async () => {
    const claire = await company.as({ grants: [{ resource: '*', action: '*', visibility: 'all' }], locale: 'fr' })
    const { body } = await new Importing(claire, work).send('core.account', 'nom,nom\n1,2\n')
    expect(body.detail).toBe(
      'Ce fichier ne peut être importé\u00a0: deux colonnes s’appellent «\u00a0nom\u00a0» à la ligne 1. Renommez l’une d’elles.',
    )
  })

  test('says in French why a line of it is refused', async () => {
    const claire = await company.as({ grants: [{ resource: '*', action: '*', visibility: 'all' }], locale: 'fr' })
    const french = new Importing(claire, work)
    const made = await french.upload('core.account', 'name,employees,lifecycle\nÀ refuser,beaucoup,inconnu\n')
    const mapping = ['name', 'employees', 'lifecycle'].map((column) => ({ column, field: column }))
    await french.change(made.id, { mapping })
    await french.through(made.id)
    const { body } = await claire.get(`/api/core/imports/${made.id}/rows?state=failed`)
    expect(body.data[0].problems.map((it: { detail: string }) => it.detail)).toEqual([
      '«\u00a0beaucoup\u00a0» n’est pas un nombre entier.',
      expect.stringMatching(/^«\u00a0inconnu\u00a0» n’est pas un choix de «\u00a0Cycle de vie\u00a0»\. Les choix sont/),
    ])
  })

  test('keeps its good lines when others are ragged, broken or hold what no text may', async () => {
    const made = await importing.upload(
      'core.account',
      `name,city,employees\nA,Lyon,5\nB,Paris\nC,Nice,7,8\nD,Brest,9,,\n\n,,\nE,Nan${'\u0000'}tes,1\n"F\nG",Metz,many\n5" pipes,Gap,3\n${'H,Caen,2\n'.repeat(30).replaceAll('H', () => `H${Math.random()}`)}`,
    )
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ lines: 37, create: 33, failed: 4, done: 37 })
    expect(await importing.refused(made.id)).toEqual({
      3: ['IMPORT_CELL_COUNT'],
      4: ['IMPORT_CELL_COUNT'],
      8: ['city TEXT_INVALID'],
      9: ['employees TYPE'],
    })
    expect(column(await all('accounts'), 'name')).toEqual(expect.arrayContaining(['5" pipes', 'A', 'D']))
  })

  test('is asked for, and is not larger than 200 MB', async () => {
    expect(await admin.post('/api/core/imports', {})).toMatchObject({
      status: 422,
      body: { code: 'IMPORT_FILE_MISSING' },
    })
    const announced = { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '300000000' }
    const answer = await admin.post('/api/core/imports', '--x--', announced)
    expect(answer).toMatchObject({ status: 413, body: { code: 'IMPORT_FILE_TOO_LARGE' } })
  })

  test('belongs to who uploaded it and needs the permission to import', async () => {
    const made = await importing.upload('core.account', 'name\nA\n')
    const other = await company.as({ may: ['core.account.read', 'core.account.import', 'core.account.create'] })
    expect(await other.get(`/api/core/imports/${made.id}`)).toMatchObject({ status: 404 })
    const reader = await company.as({ may: ['core.account.read', 'core.account.create'] })
    expect(await new Importing(reader, work).send('core.account', 'name\nA\n')).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED', detail: expect.stringContaining('core.account.import') },
    })
    expect(await importing.send('core.role', 'name\nA\n')).toMatchObject({ body: { code: 'IMPORT_RESOURCE_CLOSED' } })
    expect(await importing.send('core.nothing', 'name\nA\n')).toMatchObject({
      body: { code: 'IMPORT_RESOURCE_CLOSED' },
    })
  })
})

describe('an address', () => {
  const billing = {
    resource: 'core.contact',
    name: 'billing',
    type: 'address',
    labelEn: 'Billing',
    labelFr: 'Facturation',
  }
  const contact = async (email: string, by = admin) =>
    (await by.get(`/api/core/contacts?filter=email = "${email}"`)).body.data[0]

  test('is filled by its parts, proposed by name and in either language, and a country by what people call it', async () => {
    expect(await admin.post('/api/core/fields', billing)).toMatchObject({ status: 201 })
    const made = await importing.upload(
      'core.contact',
      [
        'Nom,E-mail,Facturation : Ville,Billing: Country,billing.postalCode',
        'Petit,petit@example.com,Lyon,France,69001',
        'Grand,grand@example.com,Atlantis,Atlantis,1',
        'Moyen,moyen@example.com,,,',
      ].join('\n'),
    )
    expect(made.mapping.map(({ field }) => field)).toEqual([
      'lastName',
      'email',
      'billing.city',
      'billing.country',
      'billing.postalCode',
    ])
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ create: 2, failed: 1 })
    expect(await importing.refused(made.id)).toEqual({ 3: ['billing.country COUNTRY_UNKNOWN'] })
    expect((await admin.get(`/api/core/imports/${made.id}/errors.csv`)).body).toContain(
      '"Billing: Country: ""ATLANTIS""',
    )
    expect(await contact('petit@example.com')).toMatchObject({
      billing: { city: 'Lyon', country: 'FR', postalCode: '69001' },
    })
    expect(await contact('moyen@example.com')).toMatchObject({ billing: null })
  })

  test('keeps the parts that a file says nothing of', async () => {
    await admin.post('/api/core/fields', billing)
    const address = { line1: '1 rue Nationale', city: 'Lille', country: 'FR' }
    await admin.post('/api/core/contacts', { lastName: 'Petit', email: 'petit@example.com', billing: address })
    const made = await importing.upload('core.contact', 'email,billing.city\npetit@example.com,Lyon\n')
    await importing.change(made.id, { key: 'email' })
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ update: 1 })
    expect(done.sample[0]?.changes).toEqual([{ field: 'billing', old: address, new: { ...address, city: 'Lyon' } }])
    expect(await contact('petit@example.com')).toMatchObject({ billing: { ...address, city: 'Lyon' } })
    const again = await importing.upload('core.contact', 'email,billing.city\npetit@example.com,Lyon\n')
    await importing.change(again.id, { key: 'email' })
    expect((await importing.through(again.id)).counts).toMatchObject({ unchanged: 1 })
  })

  test('is not filled as a whole, nor by a part it has not', async () => {
    await admin.post('/api/core/fields', billing)
    const made = await importing.upload('core.contact', 'Nom,Lieu\nPetit,Lyon\n')
    for (const field of ['billing', 'billing.planet', 'lastName.city']) {
      const answer = await admin.patch(`/api/core/imports/${made.id}`, { mapping: [{ column: 'Lieu', field }] })
      expect(answer).toMatchObject({ status: 422, body: { code: 'IMPORT_MAPPING_INVALID' } })
    }
  })

  test.for(['csv', 'xlsx', 'json'])('comes back from a file as it went: %s', async (format) => {
    await admin.post('/api/core/fields', billing)
    const address = {
      line1: '1, rue "Nationale"',
      line2: 'Bât. B',
      postalCode: '59000',
      city: 'Lille',
      region: 'Nord',
      country: 'FR',
    }
    await admin.post('/api/core/contacts', { lastName: 'Petit', email: 'petit@example.com', billing: address })
    const asked = { resource: 'core.contact', format, fields: ['lastName', 'email', 'billing'] }
    const { body } = await admin.post('/api/core/exports', asked)
    await work()
    const file = await admin.raw('GET', `/api/core/exports/${body.data.id}/file`)
    const other = await app.secondWorkspace()
    await other.admin.post('/api/core/fields', billing)
    const elsewhere = new Importing(other.admin, work)
    const made = await elsewhere.upload('core.contact', new Uint8Array(await file.arrayBuffer()))
    expect((await elsewhere.through(made.id)).counts).toMatchObject({ create: 1 })
    expect(await contact('petit@example.com', other.admin)).toMatchObject({ billing: address })
  })
})

test('why a line was refused is said in the language of whoever reads it, also of one who changed theirs since', async () => {
  const made = await importing.upload('core.contact', 'Nom,Né le\nPetit,03/04/1985\nGrand,1985-04-03,1\n')
  await importing.change(made.id, {
    mapping: [
      { column: 'Nom', field: 'lastName' },
      { column: 'Né le', field: 'birthDate' },
    ],
  })
  await importing.rehearse(made.id)
  const told = async () => {
    const { body } = await admin.get(`/api/core/imports/${made.id}/rows?state=failed`)
    return body.data.flatMap((row: { problems: { detail: string }[] }) => row.problems.map(({ detail }) => detail))
  }
  expect(await told()).toEqual([
    '"03/04/1985" can be read two ways. Say how dates are written in this file.',
    'This line has 3 cells where the header has 2.',
  ])
  expect(await admin.patch('/api/core/me', { locale: 'fr' })).toMatchObject({ status: 200 })
  const french = ['«\u00a003/04/1985\u00a0» peut se lire de deux façons.', 'Cette ligne a 3 cellules']
  expect(await told()).toEqual(french.map((start) => expect.stringContaining(start)))
  const { body } = await admin.get(`/api/core/imports/${made.id}/errors.csv`)
  for (const start of french) expect(body).toContain(start)
})

test('a unique field of the workspace’s own finds relations, makes a line an update, and has each value in one line', async () => {
  const own = { type: 'text', unique: true, labelEn: 'Badge', labelFr: 'Badge' }
  for (const field of [
    { ...own, resource: 'core.account', name: 'erpCode', labelEn: 'ERP code', labelFr: 'Code ERP' },
    { ...own, resource: 'core.contact', name: 'badge' },
  ])
    expect(await admin.post('/api/core/fields', field)).toMatchObject({ status: 201 })
  await work()
  const account = await admin.post('/api/core/accounts', { name: 'Garonne', erpCode: 'G-1' })
  const known = await admin.post('/api/core/contacts', { lastName: 'Petit', badge: 'B1' })
  const lines = ['Petit,B1,G-1', 'Grand,B2,G-1', 'Autre,B2,G-1', 'Seul,B3,G-2']
  const made = await importing.upload('core.contact', ['Nom,Badge,Compte', ...lines].join('\n'))
  expect(made.mapping[2]).toEqual({ column: 'Compte', field: 'account', by: 'erpCode' })
  await importing.change(made.id, { key: 'badge' })
  const done = await importing.through(made.id)
  expect(done.counts).toMatchObject({ create: 1, update: 1, failed: 2 })
  expect(await importing.refused(made.id)).toEqual({
    4: ['badge IMPORT_KEY_REPEATED'],
    5: ['account IMPORT_REFERENCE_UNKNOWN'],
  })
  const { body } = await admin.get(`/api/core/contacts/${known.body.data.id}`)
  expect(body.data).toMatchObject({ account: account.body.data.id, version: 2 })
})

describe('a mapping', () => {
  test('is proposed from heads in either language, from synonyms, and from what values name', async () => {
    await importing.through((await importing.upload('core.account', 'name\nGaronne\nValmy\n')).id)
    const made = await importing.upload(
      'core.contact',
      'Prénom,Nom de famille,E-mail,Where they work,Fax\nAnne,Petit,anne@example.com,Garonne,1\nLuc,Grand,luc@example.com,Valmy,2\n',
    )
    expect(made.mapping).toEqual([
      { column: 'Prénom', field: 'firstName' },
      { column: 'Nom de famille', field: 'lastName' },
      { column: 'E-mail', field: 'email' },
      { column: 'Where they work', field: 'account', by: 'name' },
      { column: 'Fax', field: null },
    ])
    expect(made.key).toBe('email')
  })

  test('proposes a relation of the workspace’s own only for a head that names it, alone or as its id', async () => {
    for (const [name, labelEn, labelFr] of [
      ['salesRef', 'Sales reference', 'Référence commerciale'],
      ['payerId', 'Payer ID', 'Identifiant du payeur'],
      ['secondAccount', 'Second account', 'Second compte'],
    ]) {
      const field = { resource: 'core.contact', name, type: 'reference', target: 'core.account', labelEn, labelFr }
      expect(await admin.post('/api/core/fields', field)).toMatchObject({ status: 201 })
    }
    const proposed = async (...heads: string[]) => {
      const file = [
        ['Nom', ...heads],
        ['Petit', ...heads.map((_, at) => `X${at}`)],
      ].map((line) => line.join(','))
      const { mapping } = await importing.upload('core.contact', file.join('\n'))
      return mapping.slice(1).map(({ field }) => field)
    }
    expect(await proposed('id', 'sales_id', 'numéro', 'company', 'société')).toEqual([
      null,
      null,
      null,
      'account',
      null,
    ])
    expect(await proposed('payer', 'second_account_id', 'Sales reference')).toEqual([
      'payerId',
      'secondAccount',
      'salesRef',
    ])
    expect(await proposed('Identifiant du payeur', 'Second compte')).toEqual(['payerId', 'secondAccount'])
  })

  test('that cannot be is refused by column', async () => {
    const { id } = await importing.upload('core.account', 'name,city\nA,Lyon\n')
    const tries: [object, RegExp][] = [
      [{ mapping: [{ column: 'town', field: 'city' }] }, /the file has no such column/],
      [{ mapping: [{ column: 'name', field: 'createdAt' }] }, /core.account.createdAt is not yours to fill/],
      [
        {
          mapping: [
            { column: 'name', field: 'city' },
            { column: 'city', field: 'city' },
          ],
        },
        /filled by another column/,
      ],
      [{ mapping: [{ column: 'name', field: 'parent', by: 'employees2' }] }, /not found by core.account.employees2/],
      [{ key: 'code' }, /records are found by a field of text/],
      [{ aliases: [{ column: 'x', from: 'a', to: 'b' }] }, /no such column/],
      [{ options: { dateFormat: 'soon' } }, /DD\/MM\/YYYY/],
    ]
    for (const [change, sentence] of tries) {
      const answer = await admin.patch(`/api/core/imports/${id}`, change)
      expect(answer.body).toMatchObject({ code: 'IMPORT_MAPPING_INVALID', detail: expect.stringMatching(sentence) })
    }
    expect((await importing.get(id)).state).toBe('draft')
  })

  test('leaves out fields the importer may not write', async () => {
    const clerk = await company.as({
      may: ['core.account.read', 'core.account.import', 'core.account.create', 'core.account.update'],
      fields: [{ resource: 'core.account', field: 'annualRevenue', access: 'read' }],
    })
    const made = await new Importing(clerk, work).upload('core.account', 'name,annualRevenue\nA,5\n')
    expect(made.mapping[1]).toEqual({ column: 'annualRevenue', field: null })
    const answer = await clerk.patch(`/api/core/imports/${made.id}`, {
      mapping: [{ column: 'annualRevenue', field: 'annualRevenue' }],
    })
    expect(answer.body).toMatchObject({ code: 'IMPORT_MAPPING_INVALID' })
  })

  test('fills what new records cannot do without from what the file has', async () => {
    const made = await importing.upload('core.product', 'product,price\nScanner,12\n')
    expect(made.mapping.at(-1)).toEqual({ column: '', field: 'sku', columns: ['product'] })
    await importing.through(made.id)
    expect(await all('products')).toMatchObject([{ name: 'Scanner', sku: 'Scanner', price: '12.0000' }])
    const own = await importing.upload('core.product', 'product,ref\nReader,R1\n')
    expect(own.mapping).toEqual([
      { column: 'product', field: 'name' },
      { column: 'ref', field: 'sku' },
    ])
  })

  test('takes a name from the legal name where the file has no other', async () => {
    const made = await importing.upload('core.account', 'Raison sociale;SIREN\nGaronne SARL;732829320\n')
    expect(made.mapping).toMatchObject([
      { column: 'Raison sociale', field: 'legalName' },
      { column: 'SIREN', field: 'siren' },
      { column: '', field: 'name', columns: ['Raison sociale'] },
    ])
  })
})

describe('values', () => {
  test('are read as people write them', async () => {
    const made = await importing.upload(
      'core.product',
      'name;sku;price;taxRate;active;kind\nA;1;1 234,50 €;20 %;oui;Service\nB;2;2.000,5;5,5;non;good\nC;3;7;0;x;Abonnement\n',
    )
    const done = await importing.through(made.id)
    expect(await importing.refused(made.id)).toEqual({})
    expect(done.counts.create).toBe(3)
    expect(await all('products')).toMatchObject([
      { price: '1234.5000', taxRate: '20.00', active: true, kind: 'service' },
      { price: '2000.5000', taxRate: '5.50', active: false, kind: 'good' },
      { price: '7.0000', taxRate: '0.00', active: true, kind: 'subscription' },
    ])
  })

  test('with thousands, countries by name and dates by their order are understood, and what is ambiguous is asked', async () => {
    const accounts = await importing.upload(
      'core.account',
      'name,employees,country\nA,"396,170",United States\nB,"1,200",États-Unis\nC,3,fr\n',
    )
    await importing.through(accounts.id)
    expect(await all('accounts')).toMatchObject([
      { employees: 396170, country: 'US' },
      { employees: 1200, country: 'US' },
      { employees: 3, country: 'FR' },
    ])
    const head = 'first name,last name,birth date\n'
    const clear = await importing.upload('core.contact', `${head}A,A,03/04/1990\nB,B,25/04/1990\n`)
    await importing.through(clear.id)
    const unclear = await importing.upload('core.contact', `${head}C,C,03/04/1990\nD,D,31/02/1990\nE,E,1990-04-03\n`)
    expect((await importing.rehearse(unclear.id)).counts).toMatchObject({ create: 2, failed: 1 })
    const refusals = (await admin.get(`/api/core/imports/${unclear.id}/rows?state=failed`)).body.data
    expect(refusals[0].problems).toMatchObject([{ detail: expect.stringContaining('"31/02/1990"') }])
    expect(JSON.stringify(refusals)).not.toContain('1990-02-31')
    const sums = await importing.upload('core.account', 'name;employees\nTen;10\nHalf;"1 234,5"\n')
    await importing.rehearse(sums.id)
    expect((await admin.get(`/api/core/imports/${sums.id}/rows?state=failed`)).body.data[0].problems).toMatchObject([
      { field: 'employees', detail: expect.stringContaining('"1 234,5"') },
    ])
    const vague = await importing.upload('core.contact', `${head}C,C,03/04/1990\nD,D,04/05/1990\n`)
    await importing.rehearse(vague.id)
    expect(await importing.refused(vague.id)).toEqual({
      2: ['birthDate IMPORT_DATE_AMBIGUOUS'],
      3: ['birthDate IMPORT_DATE_AMBIGUOUS'],
    })
    await importing.change(vague.id, { options: { dateFormat: 'MM/DD/YYYY' } })
    expect((await importing.through(vague.id)).sample[0]?.values).toMatchObject({ birthDate: '1990-03-04' })
    expect(column(await all('contacts'), 'birthDate')).toEqual(['1990-04-03', '1990-04-25', '1990-03-04', '1990-04-05'])
  })

  test('close to known ones are proposed to become them, each with its lines; nothing changes unless accepted', async () => {
    await importing.through((await importing.upload('core.account', 'name\nGTX Pro\nGTX Basic\n')).id)
    const made = await importing.upload(
      'core.account',
      'name,sector,lifecycle,subsidiary of,country\nA,technolgy,Client,GTXPro,France\nB,technolgy,clinet,Nobody,Philipines\nC,retail,prospect,GTX Basic,Atlantis\n',
    )
    expect(made.aliases).toEqual([
      { column: 'sector', from: 'technolgy', to: 'technology', rows: 2, accepted: false },
      { column: 'lifecycle', from: 'clinet', to: 'client', rows: 1, accepted: false },
      { column: 'subsidiary of', from: 'GTXPro', to: 'GTX Pro', rows: 1, accepted: false },
      { column: 'subsidiary of', from: 'Nobody', to: '', rows: 1, accepted: false },
      { column: 'country', from: 'Philipines', to: 'Philippines', rows: 1, accepted: false },
      { column: 'country', from: 'Atlantis', to: '', rows: 1, accepted: false },
    ])
    await importing.rehearse(made.id)
    expect(await importing.refused(made.id)).toEqual({
      2: ['parent IMPORT_REFERENCE_UNKNOWN'],
      3: ['lifecycle OPTION_UNKNOWN'],
      4: ['country COUNTRY_UNKNOWN'],
    })
    const { body: choices } = await admin.get(`/api/core/imports/${made.id}/rows?state=failed`)
    expect(choices.data[1].problems[0].detail).toMatch(
      /^"clinet" is not a choice of Lifecycle. Its choices are .*Prospect/,
    )
    const changed = await importing.change(made.id, {
      aliases: [
        ...made.aliases.filter(({ to }) => to !== '').map((it) => ({ ...it, accepted: true })),
        { column: 'country', from: 'Atlantis', to: 'GR' },
        { column: 'subsidiary of', from: 'Nobody', to: 'GTX Basic' },
        { column: 'name', from: 'C', to: 'Ce' },
      ],
    })
    expect(changed.aliases.filter(({ accepted }) => accepted)).toHaveLength(7)
    expect(changed.aliases.find(({ from }) => from === 'Atlantis')).toMatchObject({ to: 'GR', rows: 1 })
    await importing.through(made.id)
    const accounts = await all('accounts')
    const [basic, pro] = ['GTX Basic', 'GTX Pro'].map(
      (name) => accounts.find((it: { name: string }) => it.name === name).id,
    )
    expect(accounts).toMatchObject([
      { name: 'A', industry: 'technology', lifecycle: 'client', parent: pro, country: 'FR', sourceChannel: 'import' },
      { name: 'B', industry: 'technology', lifecycle: 'client', parent: basic, country: 'PH' },
      { name: 'Ce', industry: 'retail', parent: basic, country: 'GR' },
      {},
      {},
    ])
  })
})

describe('lines', () => {
  test('may refer to later lines, in chains, and to records made for them', async () => {
    const made = await importing.upload(
      'core.account',
      'name,parent\nGrandchild,Child\nOrphan,Nowhere\nChild,Root\nRoot,\nSelf,Self\nEgg,Hen\nHen,Egg\nOf refused,Bad\nBad,Nowhere\n',
    )
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ create: 3, failed: 6 })
    expect(await importing.refused(made.id)).toEqual({
      3: ['parent IMPORT_REFERENCE_UNKNOWN'],
      6: ['parent IMPORT_REFERENCE_CIRCULAR'],
      7: ['parent IMPORT_REFERENCE_CIRCULAR'],
      8: ['parent IMPORT_REFERENCE_CIRCULAR'],
      9: [expect.stringMatching('parent IMPORT_REFERENCE_')],
      10: ['parent IMPORT_REFERENCE_UNKNOWN'],
    })
    const names = Object.fromEntries(
      (await all('accounts')).map((it: { id: string; name: string }) => [it.id, it.name]),
    )
    const parents = (await all('accounts')).map((it: { name: string; parent: string }) => [it.name, names[it.parent]])
    expect(parents).toEqual([
      ['Child', 'Root'],
      ['Grandchild', 'Child'],
      ['Root', undefined],
    ])
  })

  test('refer to earlier chunks of the file in a rehearsal as in the run', async () => {
    const lines = ['name,parent', 'Root,', 'Middle,Root']
    for (let n = 0; n < 500; n += 1) lines.push(`Filler ${n},`)
    const made = await importing.upload('core.account', [...lines, 'Leaf,Middle', 'Twig,Root', 'Bud,Leaf'].join('\n'))
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 505, failed: 0 })
  })

  test('are compared with records, and never with each other, wherever in the file they stand', async () => {
    const name = (nth: number) =>
      createHash('sha256').update(`${nth}`).digest('hex').replaceAll(/\d/g, 'q').slice(0, 12)
    await admin.post('/api/core/contacts', { firstName: 'Ada', lastName: 'Known', email: 'known@example.com' })
    const line = (nth: number) =>
      nth % 250 === 0 ? 'Jo,Twin,twin@example.com' : `${name(nth)},${name(nth + 1_000)},${name(nth)}@example.com`
    const lines = Array.from({ length: 1_010 }, (_, nth) => (nth === 505 ? 'Ada,Known,known@example.com' : line(nth)))
    const made = await importing.upload('core.contact', `firstName,lastName,email\n${lines.join('\n')}\n`)
    await importing.change(made.id, { key: null })
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ create: 1_009, failed: 1 })
    expect(await importing.refused(made.id)).toEqual({ 507: ['DUPLICATE_SUSPECTED'] })
  }, 60_000)

  test('update the record their key finds, leave what is equal, and ignore empty cells', async () => {
    await importing.through(
      (await importing.upload('core.account', 'name,code,city\nA,1,Lyon\nB,2,Nice\nC,3,Brest\n')).id,
    )
    const made = await importing.upload('core.account', 'code,name,city\n1,A,Paris\n2,B,\n3,C,Brest\n4,D,Metz\n')
    expect(made.key).toBe('code')
    const done = await importing.through(made.id)
    expect(done.counts).toEqual({ lines: 4, create: 1, update: 1, unchanged: 2, skip: 0, failed: 0, done: 4 })
    expect(done.sample).toMatchObject([
      { line: 2, action: 'update', changes: [{ field: 'city', old: 'Lyon', new: 'Paris' }] },
      { line: 3, action: 'unchanged' },
      { line: 4, action: 'unchanged' },
      { line: 5, action: 'create', values: { code: '4', name: 'D', city: 'Metz' } },
    ])
    expect(column(await all('accounts'), 'city')).toEqual(['Paris', 'Nice', 'Brest', 'Metz'])
    const again = await importing.upload('core.account', 'code,city\n1,Rennes\n5,Dole\n')
    await importing.change(again.id, { options: { mode: 'create' } })
    await importing.rehearse(again.id)
    expect((await importing.get(again.id)).sample[0]).toMatchObject({ action: 'skip' })
  })

  test('that share a key or a value only one record can have are refused but for the first', async () => {
    const made = await importing.upload('core.product', 'name,sku\nA,1\nB,1\nC,2\n')
    await importing.change(made.id, { key: null })
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ create: 2, failed: 1 })
    expect(await importing.refused(made.id)).toEqual({ 3: ['sku IMPORT_KEY_REPEATED'] })
    const taken = await importing.upload('core.product', 'name,sku\nD,1\nE,4\n')
    await importing.change(taken.id, { key: null })
    await importing.through(taken.id)
    expect(await importing.refused(taken.id)).toEqual({ 2: ['sku VALUE_TAKEN'] })
    const namesakes = await importing.upload('core.account', 'name\nX\nX\n')
    expect(namesakes.key).toBeNull()
    await importing.through(namesakes.id)
    const ambiguous = await importing.upload('core.contact', 'last name,account\nPetit,X\n')
    await importing.through(ambiguous.id)
    expect(await importing.refused(ambiguous.id)).toEqual({ 2: ['account IMPORT_REFERENCE_AMBIGUOUS'] })
  })

  test('make what they refer to only when the mapping says so', async () => {
    const made = await importing.upload(
      'core.contact',
      'last name,account\nPetit,Garonne\nGrand,Garonne\nMoyen,Valmy\n',
    )
    const mapping = [
      { column: 'last name', field: 'lastName' },
      { column: 'account', field: 'account', by: 'name' },
    ]
    await importing.change(made.id, { mapping })
    expect((await importing.rehearse(made.id)).counts).toMatchObject({ create: 0, failed: 3 })
    await importing.change(made.id, { mapping: mapping.map((it) => ({ ...it, create: it.field === 'account' })) })
    expect((await importing.rehearse(made.id)).counts).toMatchObject({ create: 3, failed: 0 })
    expect(await all('accounts')).toEqual([])
    await importing.run(made.id)
    expect(column(await all('accounts'), 'name')).toEqual(['Garonne', 'Valmy'])
  })

  test('of people make members without a sign-in, in their teams and under their managers', async () => {
    const made = await importing.upload(
      'core.user',
      'agent,manager,team\nAnna,Dustin,Central\nMoses,Dustin,East\nZoe,Anna,East\n',
    )
    expect(made.mapping).toEqual([
      { column: 'agent', field: 'name' },
      { column: 'manager', field: 'manager', by: 'name' },
      { column: 'team', field: 'team', by: 'name' },
    ])
    await importing.change(made.id, { mapping: made.mapping.map((it) => ({ ...it, create: it.field !== 'name' })) })
    expect((await importing.through(made.id)).counts).toMatchObject({ create: 3, failed: 0 })
    const people = await all('users')
    expect(people).toMatchObject([
      { name: 'Anna', state: 'invited', email: null },
      { name: 'Claire Admin', state: 'active' },
      { name: 'Dustin', state: 'invited', team: null },
      { name: 'Moses', state: 'invited' },
      { name: 'Zoe', state: 'invited' },
    ])
    expect(people[4].manager).toBe(people[0].id)
    expect(people[3].manager).toBe(people[2].id)
    const { body: teams } = await admin.get('/api/core/teams?sort=name')
    expect(teams.data).toMatchObject([
      { name: 'Central', members: [people[0].id] },
      { name: 'East', members: [people[3].id, people[4].id] },
    ])
    const clerk = await company.as({ may: ['core.user.read', 'core.user.create', 'core.user.import'] })
    expect(await new Importing(clerk, work).send('core.user', 'name\nX\n')).toMatchObject({ status: 403 })
  })
})

describe('a rehearsal', () => {
  test('leaves no trace, and is needed anew after every change', async () => {
    const made = await importing.upload('core.account', 'name,city\nA,Lyon\n')
    expect(await admin.post(`/api/core/imports/${made.id}/run`)).toMatchObject({
      status: 409,
      body: { code: 'TRANSITION_REFUSED' },
    })
    await importing.rehearse(made.id)
    expect(await all('accounts')).toEqual([])
    expect((await admin.get('/api/core/audit')).body.data).toEqual([])
    await importing.change(made.id, { mapping: [{ column: 'name', field: 'name' }] })
    expect(await importing.get(made.id)).toMatchObject({ state: 'mapped', counts: { create: 0, done: 0 } })
    expect(await admin.post(`/api/core/imports/${made.id}/run`)).toMatchObject({ status: 409 })
  })

  test('that somebody overtook is told by the digests', async () => {
    const made = await importing.upload('core.account', 'name,code\nA,1\nB,2\n')
    await importing.rehearse(made.id)
    await admin.post('/api/core/accounts', { name: 'A', code: '1' })
    const done = await importing.run(made.id)
    expect(done).toMatchObject({ state: 'done', counts: { create: 1, unchanged: 1 } })
    expect(done.digest.applied).not.toBe(done.digest.rehearsed)
  })
})

describe('a run', () => {
  test('stands in the ledger as an import by the importer, and a second one is refused', async () => {
    const made = await importing.upload('core.account', 'name\nA\nB\n', 'customers.csv')
    await importing.through(made.id)
    const { body } = await admin.get('/api/core/audit')
    expect(body.data).toMatchObject([{ origin: 'import', reason: 'customers.csv', actor: { name: 'Claire Admin' } }])
    for (const action of ['run', 'rehearse'])
      expect(await admin.post(`/api/core/imports/${made.id}/${action}`)).toMatchObject({ status: 409 })
    expect(await admin.patch(`/api/core/imports/${made.id}`, { key: null })).toMatchObject({ status: 409 })
    expect(await admin.delete(`/api/core/imports/${made.id}`)).toMatchObject({ status: 204 })
    expect(await admin.get(`/api/core/imports/${made.id}`)).toMatchObject({ status: 404 })
    expect(await all('accounts')).toHaveLength(2)
  })

  test.skipIf(!process.env['TEST_DATABASE_URL'])(
    'that begins in the same moment is neither changed nor removed',
    async () => {
      const made = await importing.upload('core.account', 'name\nA\n')
      await importing.rehearse(made.id)
      const path = `/api/core/imports/${made.id}`
      const late: Promise<TestAnswer>[] = []
      const { owner } = app.app.kernel.parts.database
      await owner.transaction().execute(async (tx) => {
        await sql`update core.import set state = 'running', job = null where id = ${made.id}::uuid`.execute(tx)
        late.push(admin.patch(path, { key: null }), admin.delete(path), admin.post(`${path}/rehearse`))
        for (let waiting = 0; waiting < late.length;) {
          const { rows } = await sql`select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%core.import%'`.execute(owner)
          waiting = rows.length
        }
      })
      for (const answer of await Promise.all(late))
        expect(answer).toMatchObject({ status: 409, body: { code: 'TRANSITION_REFUSED' } })
      expect((await importing.get(made.id)).state).toBe('running')
    },
  )

  test('refuses single lines for what guards say, with reasons in a file that no spreadsheet runs', async () => {
    const made = await importing.upload(
      'core.account',
      'name;siren;employees\nA;123;5\n=cmd();732829320;-1\n@x;;-3\nB;732829320;1\n',
    )
    const done = await importing.through(made.id)
    expect(done.counts).toMatchObject({ create: 1, failed: 3 })
    const { body, headers } = await admin.get(`/api/core/imports/${made.id}/errors.csv`)
    expect(headers.get('content-disposition')).toBe('attachment; filename="file-errors.csv"')
    const lines = body.replace('\ufeff', '').trim().split('\r\n')
    expect(lines[0]).toBe('name;siren;employees;Line;Reasons')
    expect(lines[1]).toMatch(/^A;123;5;2;"SIREN: ""123"" is not/)
    expect(lines[2]).toMatch(/^'=cmd\(\);732829320;-1;3;"?Employees: /)
    expect(lines[3]).toMatch(/^'@x;;-3;4;/)
  })

  test('that has ended is not ended again by a worker that died before it could say so', async () => {
    const made = await importing.upload('core.account', 'name\nA\n')
    const done = await importing.through(made.id)
    await importing.rollBack(made.id)
    const { owner } = app.app.kernel.parts.database
    await sql`update core.job set state = 'queued', handed_at = null, finished_at = null where id = ${done.job}::uuid`.execute(
      owner,
    )
    expect((await importing.settled(made.id)).state).toBe('rolled_back')
    const { rows } = await sql<{ name: string }>`
      select name from core.event where workspace = ${company.workspace.id}::uuid and name like 'core.import.%' order by name`.execute(
      owner,
    )
    expect(rows.map(({ name }) => name)).toEqual(['core.import.completed', 'core.import.rolled-back'])
  })

  test('acts with the rights the importer has by then', async () => {
    const may = ['core.account.read', 'core.account.import', 'core.account.create']
    const clerk = await company.as({ may })
    const its = new Importing(clerk, work)
    await importing.through((await importing.upload('core.account', 'name,code\nA,1\n')).id)
    const made = await its.upload('core.account', 'name,code\nB,1\nC,2\n')
    const done = await its.through(made.id)
    expect(done.counts).toMatchObject({ create: 1, failed: 1 })
    expect(await its.refused(made.id)).toEqual({ 2: ['PERMISSION_DENIED'] })
  })

  test('may be asked for by a program with the rights of its key', async () => {
    const role = await admin.post('/api/core/roles', {
      name: 'Loader',
      description: 'Loads files at night',
      grants: ['read', 'create', 'import'].map((action) => ({ resource: 'core.account', action, visibility: 'all' })),
    })
    expect(role.body).toMatchObject({ data: { name: 'Loader' } })
    const { body } = await admin.post('/api/core/api-keys', { name: 'Loader', role: role.body.data.id })
    const program = new Importing(
      new TestClient(app.app, admin.who, { authorization: `Bearer ${body.data.key}` }),
      work,
    )
    const made = await program.upload('core.account', 'name\nA\n')
    expect((await program.through(made.id)).counts.create).toBe(1)
    expect(await importing.send('core.account', 'name\nA\n')).toMatchObject({ status: 201 })
    expect((await admin.get('/api/core/audit')).body.data).toContainEqual(
      expect.objectContaining({ origin: 'import', actor: expect.objectContaining({ type: 'key', name: 'Loader' }) }),
    )
  })

  test('and its file are another company’s secret', async () => {
    const made = await importing.upload('core.account', 'name\nA\n')
    const other = await app.secondWorkspace()
    for (const path of ['', '/rows', '/errors.csv'])
      expect(await other.admin.get(`/api/core/imports/${made.id}${path}`)).toMatchObject({ status: 404 })
    expect((await other.admin.get('/api/core/imports')).body.data).toEqual([])
  })
})
