import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { contacts } from '../src/entities/resources.ts'
import { createTestApp, type TestApp, type TestClient, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp
let company: TestWorkspace
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
})
afterAll(async () => app[Symbol.asyncDispose]())

beforeEach(async () => {
  company = await app.secondWorkspace()
  admin = company.admin
})

type Values = Readonly<Record<string, unknown>>

async function make(path: string, values: Values, by: TestClient = admin) {
  const answer = await by.post(`/api/core/${path}`, values)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  return answer.body.data
}

const leger = { name: 'Établissements Léger SARL', phone: '01 42 68 53 00', city: 'Paris' }

/** What values would repeat, as `kind` or `kind at likeness` of each reason. */
async function suspects(path: string, values: Values, by: TestClient = admin): Promise<Record<string, string[]>> {
  const { status, body } = await by.post(`/api/core/${path}/duplicates`, values)
  expect(status, JSON.stringify(body)).toBe(200)
  return Object.fromEntries(
    body.data.map(({ record, reasons }: { record: string; reasons: { kind: string; likeness: number }[] }) => [
      record,
      reasons.map(({ kind, likeness }) => (likeness === 1 ? kind : `${kind} at ${likeness}`)),
    ]),
  )
}

describe('a warning on create', () => {
  test('a name in other accents, case and legal form and a number otherwise written are recognised', async () => {
    const known = await make('accounts', leger)
    const second = { name: 'etablissements leger', phone: '+33 (0)1.42.68.53.00' }
    const refused = await admin.post('/api/core/accounts', second)
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: 'DUPLICATE_SUSPECTED',
        detail: expect.stringContaining('Établissements Léger SARL'),
        candidates: [
          {
            record: known.id,
            score: 85,
            reasons: [
              { kind: 'name', likeness: 1 },
              { kind: 'phone', likeness: 1 },
            ],
            data: { title: 'Établissements Léger SARL' },
          },
        ],
      },
    })
  })

  test('who knows better creates it all the same, and the ledger keeps that they were warned', async () => {
    await make('accounts', leger)
    const made = await make('accounts', { ...leger, allowDuplicate: true })
    const acknowledged = await make('accounts', { ...leger, acknowledge: ['DUPLICATE_SUSPECTED'] })
    for (const { id } of [made, acknowledged]) {
      const { rows: kept } = await company.inside((ctx) =>
        sql`select acknowledged from core.change where record = ${id}::uuid`.execute(ctx.sql),
      )
      expect(kept).toEqual([{ acknowledged: ['DUPLICATE_SUSPECTED'] }])
    }
  })

  test('work that passes a refused one over goes on, and of what was not made nothing is told', async () => {
    await make('contacts', { lastName: 'Alpha', email: 'a@garonne.example' })
    const { kernel } = app.app
    const told = await kernel.unit(
      {
        workspace: company.workspace,
        actor: { type: 'system', name: 'Test', locale: 'en' },
        authority: await kernel.parts.authorities.of(company.workspace, { user: admin.who.actor.id ?? '' }),
        cause: { origin: 'test' },
        plugin: 'core',
      },
      async ({ records }) => {
        const before = await records.create(contacts, { lastName: 'Before' })
        await expect(records.create(contacts, { lastName: 'Omega', email: 'A@garonne.example' })).rejects.toMatchObject(
          {
            code: 'DUPLICATE_SUSPECTED',
          },
        )
        return [before, await records.create(contacts, { lastName: 'After' })].map(({ id }) => id)
      },
    )
    const { rows } = await company.inside(({ sql: tx }) =>
      sql<{ key: string; names: string }>`
        select e.key, c.name as names from core.event e join core.contact c on c.id = e.key
        where e.change_set = (select change_set from core.change where record = ${told[0]}::uuid) order by e.seq`.execute(
        tx,
      ),
    )
    expect(rows).toEqual([
      { key: told[0], names: 'Before' },
      { key: told[1], names: 'After' },
    ])
    expect((await admin.get('/api/core/contacts?q=omega')).body.data).toEqual([])
  })

  test.each([
    ['accounts', { name: 'Alpha', siret: '73282932000074' }, { name: 'Omega', siren: '732829320' }, ['siren']],
    [
      'accounts',
      { name: 'Alpha', website: 'https://www.garonne.example/a' },
      { name: 'Omega', domain: 'garonne.example' },
      ['domain'],
    ],
    [
      'accounts',
      { name: 'Alpha', email: 'Info@garonne.example' },
      { name: 'Omega', email: 'info@garonne.example' },
      ['email'],
    ],
    ['accounts', { name: 'Garonne Ltd' }, { name: 'GARONNE, Inc.' }, ['name']],
    ['accounts', { name: 'Garonne GmbH' }, { name: 'S.A.S. Garonne' }, ['name']],
    [
      'contacts',
      { lastName: 'Alpha', mobile: '06 12 34 56 78' },
      { lastName: 'Omega', phone: '0033612345678' },
      ['phone'],
    ],
    [
      'leads',
      { lastName: 'Alpha', email: 'a@garonne.example' },
      { lastName: 'Omega', email: 'A@Garonne.example' },
      ['email'],
    ],
  ])('%s %j and %j are suspect', async (path, known, typed, reasons) => {
    const { id } = await make(path, known)
    expect(await suspects(path, typed)).toEqual({ [id]: reasons })
  })

  test('a close spelling is told as such', async () => {
    const { id } = await make('accounts', { name: 'Chocolaterie Bellecour', city: 'Lyon' })
    expect(await suspects('accounts', { name: 'Chocolatterie Bellecour' })).toMatchObject({
      [id]: [expect.stringMatching(/^name at 0\.[6-9]/)],
    })
    const short = await make('accounts', { name: 'Valmy', city: 'Lille', phone: '03 20 00 00 01' })
    expect(await suspects('accounts', { name: 'Vallmy', phone: '03 20 00 00 01' })).toMatchObject({
      [short.id]: [expect.stringMatching(/^name at 0\.8/), 'phone'],
    })
  })

  test.each([
    ['Quincaillerie Bertin', 'Quincaillerie Bretin'],
    ['Maison Bertin', 'Maison Bertni'],
    ['Garonne Dupont', 'Graonne Dupont'],
    ['Durand Plomberie', 'Duarnd Plomberie'],
    ['Chocolaterie Bellecour', 'Cohcolaterie Bellecour'],
    ['Atelier du Bois Clair', 'Ateleir du Bois Clair'],
  ])('%s and %s, two letters of which changed places, are a close spelling', async (known, typed) => {
    const { id } = await make('accounts', { name: known })
    expect(await suspects('accounts', { name: typed })).toEqual({ [id]: [expect.stringMatching(/^name at 0\.9/)] })
    expect((await admin.post('/api/core/accounts', { name: typed })).body.code).toBe('DUPLICATE_SUSPECTED')
  })

  test('the same letters otherwise arranged are another name', async () => {
    const garonne = await make('accounts', { name: 'Garonne' })
    await make('contacts', { firstName: 'Marion', lastName: 'Dupont', account: garonne.id })
    expect(await suspects('contacts', { firstName: 'Romain', lastName: 'Dupont', account: garonne.id })).toEqual({})
    await make('accounts', { name: 'Agence Bellecour 12' })
    expect(await suspects('accounts', { name: 'Agence Bellecour 21' })).toEqual({})
  })

  test.each([
    ['Garonne SARL', 'Garonne SRAL'],
    ['Garonne SAS', 'SSA Garonne'],
    ['Garonne', 'Garonne EULR'],
    ['Société Garonne', 'Soicété Garonne'],
  ])('%s and %s, whose legal form is mistyped, are one name', async (known, typed) => {
    const { id } = await make('accounts', { name: known })
    expect(await suspects('accounts', { name: typed })).toEqual({ [id]: ['name'] })
    expect(await suspects('accounts', { name: 'PSA Garonne' })).toEqual({})
  })

  test('namesakes are not suspect until they share their employer', async () => {
    const garonne = await make('accounts', { name: 'Garonne' })
    const { id } = await make('contacts', { firstName: 'Jean', lastName: 'Martin', account: garonne.id })
    expect(await suspects('contacts', { firstName: 'Jean', lastName: 'Martin' })).toEqual({})
    expect(await suspects('contacts', { firstName: 'Martin', lastName: 'JEAN', account: garonne.id })).toEqual({
      [id]: ['account', 'name'],
    })
  })

  test('branches told apart by their figures are two', async () => {
    await make('accounts', { name: 'Agence Bellecour 1' })
    await make('accounts', { name: 'Lot 1' })
    expect(await suspects('accounts', { name: 'Agence Bellecour 2' })).toEqual({})
    expect(await suspects('accounts', { name: 'Lot 2' })).toEqual({})
  })

  test('a public mail host and an empty form are no reason', async () => {
    await make('accounts', { name: 'Alpha', website: 'gmail.com' })
    expect(await suspects('accounts', { name: 'Omega', website: 'gmail.com' })).toEqual({})
    expect(await suspects('accounts', {})).toEqual({})
  })

  test('what a record was called before, and a record in the bin, are no reason', async () => {
    const renamed = await make('accounts', { name: 'Garonne' })
    await admin.patch(`/api/core/accounts/${renamed.id}`, { version: 1, name: 'Valmy' })
    expect(await suspects('accounts', { name: 'Garonne' })).toEqual({})
    expect(await suspects('accounts', { name: 'Valmy' })).toEqual({ [renamed.id]: ['name'] })
    await admin.delete(`/api/core/accounts/${renamed.id}?version=2`)
    expect(await suspects('accounts', { name: 'Valmy' })).toEqual({})
    await admin.post(`/api/core/accounts/${renamed.id}/restore`, {})
    expect(await suspects('accounts', { name: 'Valmy' })).toEqual({ [renamed.id]: ['name'] })
  })
})

describe('what the actor may not see', () => {
  test('is no reason to refuse, and is not told by the check either', async () => {
    await make('accounts', leger)
    const own = await company.as({
      grants: ['read', 'create'].map((action) => ({ resource: 'core.account', action, visibility: 'own' as const })),
    })
    expect(await suspects('accounts', leger, own)).toEqual({})
    await make('accounts', leger, own)
  })

  test('a field they may not read finds nothing', async () => {
    const { id } = await make('accounts', { name: 'Garonne', phone: leger.phone })
    const blind = await company.as({
      may: ['core.account.read', 'core.account.create'],
      fields: [{ resource: 'core.account', field: 'phone', access: 'none' }],
    })
    expect(await suspects('accounts', { name: 'Omega', phone: leger.phone }, blind)).toEqual({})
    expect(await suspects('accounts', { name: 'Garonne', phone: leger.phone }, blind)).toEqual({ [id]: ['name'] })
  })

  test.each(['none', 'masked'] as const)(
    'a match on a field that is %s decides on no pair, nor on the order and the pages of pairs',
    async (access) => {
      const email = { email: 'contact@garonne.example', allowDuplicate: true }
      // By name and e-mail 88, by e-mail alone 60, by name and phone 85, by name alone 70.
      const pairs: readonly (readonly [string, Values])[] = [
        ['Valmy', { email: 'un@valmy.example' }],
        ['Léger', { phone: leger.phone }],
        ['Oméga', {}],
      ]
      for (const [name, values] of pairs) {
        await make('accounts', { name, ...values })
        await make('accounts', { name, ...values, allowDuplicate: true })
      }
      await make('accounts', { name: 'Garonne', ...email })
      await make('accounts', { name: 'Zébulon', ...email })
      await admin.post('/api/core/accounts/duplicates/scan', {})
      await app.app.jobs.runUntilIdle()
      const scores = async (by: TestClient) => {
        const told: [string, string, number][] = []
        const cursors: string[] = []
        for (let after = ''; ;) {
          const { body } = await by.get(`/api/core/accounts/duplicates?limit=1&after=${after}`)
          for (const { a, b, score } of body.data) told.push([a.name, b.name, score])
          // No page is empty: that would tell that something was left out of it.
          expect(body.data).toHaveLength(1)
          if (body.page.next === null) return { told, cursors }
          after = body.page.next
          cursors.push(Buffer.from(after, 'base64url').toString().split('|')[0]!)
        }
      }
      const blind = await company.as({
        may: ['core.account.read'],
        fields: [{ resource: 'core.account', field: 'email', access }],
      })
      const whole = await scores(admin)
      expect(whole.told.map(([, , score]) => score)).toEqual([88, 85, 70, 60])
      const seen = await scores(blind)
      expect(seen.told.map(([one, two, score]) => (one === two ? [one, score] : [one, two, score]))).toEqual([
        ['Léger', 85],
        expect.anything(),
        expect.anything(),
      ])
      expect(new Set(seen.told.slice(1).map(([one]) => one))).toEqual(new Set(['Valmy', 'Oméga']))
      expect(seen.told.slice(1).map(([, , score]) => score)).toEqual([70, 70])
      expect(seen.cursors).toEqual(['85', '70'])
    },
  )

  test('another company’s records are no reason', async () => {
    await make('accounts', leger)
    const other = await app.secondWorkspace()
    expect(await suspects('accounts', leger, other.admin)).toEqual({})
  })
})

describe('how readily it is asked is a setting of the workspace', () => {
  const strictness = async (duplicateStrictness: string) => {
    const { status, body } = await company.admin.patch('/api/core/workspace', { duplicateStrictness })
    expect(status, JSON.stringify(body)).toBe(200)
  }
  const scanned = async (path: string) => {
    await app.app.jobs.runUntilIdle()
    const { status, body } = await company.admin.post(`/api/core/${path}/duplicates/scan`)
    expect(status, JSON.stringify(body)).toBe(202)
    await app.app.jobs.runUntilIdle()
    const pairs = await company.admin.get(`/api/core/${path}/duplicates`)
    return pairs.body.data.map((it: { score: number }) => it.score)
  }

  test('namesakes are told when it is strict, at once while typing and by the next scan', async () => {
    await make('contacts', { firstName: 'Jean', lastName: 'Martin' })
    await make('contacts', { firstName: 'Jean', lastName: 'Martin', allowDuplicate: true })
    const typed = { firstName: 'Jean', lastName: 'Martin' }
    expect(Object.keys(await suspects('contacts', typed))).toHaveLength(0)
    expect(await scanned('contacts')).toEqual([])
    await strictness('strict')
    expect(Object.keys(await suspects('contacts', typed))).toHaveLength(2)
    expect((await company.admin.post('/api/core/contacts', typed)).body.code).toBe('DUPLICATE_SUSPECTED')
    expect(await scanned('contacts')).toEqual([45])
    await strictness('usual')
    expect((await company.admin.get('/api/core/contacts/duplicates')).body.data).toEqual([])
    expect(await scanned('contacts')).toEqual([])
  })

  test('one number in common is passed over when it is lenient, an address is not', async () => {
    const known = { lastName: 'Alpha', mobile: '06 12 34 56 78', email: 'alpha@garonne.example' }
    await make('contacts', known)
    await strictness('lenient')
    expect(await suspects('contacts', { lastName: 'Omega', phone: '0033612345678' })).toEqual({})
    expect(Object.keys(await suspects('contacts', { lastName: 'Omega', email: known.email }))).toHaveLength(1)
    await strictness('usual')
    expect(Object.keys(await suspects('contacts', { lastName: 'Omega', phone: '0033612345678' }))).toHaveLength(1)
  })

  test('takes its three values, from who may change settings, and the audit tells', async () => {
    const refused = await company.admin.patch('/api/core/workspace', { duplicateStrictness: 'paranoid' })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/duplicateStrictness' }] } })
    const rep = await company.as({ may: ['core.contact.create'] })
    expect((await rep.patch('/api/core/workspace', { duplicateStrictness: 'strict' })).status).toBe(403)
    await strictness('strict')
    const { body } = await company.admin.get('/api/core/audit?resource=core.workspace')
    expect(body.data[0].changes[0].changes).toEqual([{ field: 'duplicateStrictness', old: 'usual', new: 'strict' }])
  })
})
