import { helloPlugin } from '@socle/example-hello'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
  admin = app.admin
  for (const name of ['Établissements Gustave Léger', 'Maison Garonne', 'Société Saint-Éloi', 'Gustavson & Fils'])
    await made(admin, '/api/core/accounts', { name })
  await made(admin, '/api/core/contacts', { firstName: 'Duran', lastName: 'Marchetti', email: 'd.marchetti@eloi.fr' })
})
afterAll(() => app[Symbol.asyncDispose]())

async function made(by: TestClient, path: string, values: Record<string, unknown>) {
  const { status, body } = await by.post(path, values)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}
async function found(by: TestClient, text: string, type?: string): Promise<string[]> {
  const query = new URLSearchParams({ q: text, ...(type ? { type } : {}) })
  const { status, body } = await by.get(`/api/core/search?${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data.map(({ title }: { title: string }) => title)
}
async function listed(by: TestClient, text: string): Promise<string[]> {
  const { body } = await by.get(`/api/core/accounts?${new URLSearchParams({ q: text, sort: 'name' })}`)
  return body.data.map(({ name }: { name: string }) => name)
}

describe('what finds a record', () => {
  test('the beginnings of its words, in any order, without case and accents', async () => {
    expect(await found(admin, 'leger etab')).toEqual(['Établissements Gustave Léger'])
    expect(await found(admin, 'SAINT ELOI')).toEqual(['Société Saint-Éloi'])
  })

  test('a part from inside a name', async () => {
    expect(await found(admin, 'ustav')).toEqual(['Gustavson & Fils', 'Établissements Gustave Léger'])
    expect(await listed(admin, 'aronn')).toEqual(['Maison Garonne'])
  })

  test('an address by its parts', async () => {
    expect(await found(admin, 'marchetti@eloi')).toEqual(['Duran Marchetti'])
  })

  test('a code that begins like a number with an exponent', async () => {
    await made(admin, '/api/core/accounts', { name: 'Pièces 1e0c4606' })
    for (const text of ['1e0c4606', '1E0C46', 'pieces 1e'])
      expect(await found(admin, text), text).toEqual(['Pièces 1e0c4606'])
    expect(await listed(admin, '1e0c4606')).toEqual(['Pièces 1e0c4606'])
    expect(await found(admin, '1e0c9')).toEqual([])
  })

  test('one letter too many, too few, wrong or swapped, in words of four letters and more', async () => {
    for (const slip of ['gusttave leger', 'gustve leger', 'gustabe leger', 'gusatve leger', 'ugstave leger'])
      expect(await found(admin, slip), slip).toEqual(['Établissements Gustave Léger'])
    for (const slip of ['garone', 'gaornne', 'maizon'])
      expect(await listed(admin, slip), slip).toEqual(['Maison Garonne'])
    expect(await found(admin, 'duarn')).toEqual(['Duran Marchetti'])
  })

  test('two slips in one word, a short word or a number are taken as they stand', async () => {
    for (const text of ['gsutvae leger', 'maizzon', 'fio gustavson', '2027'])
      expect(await found(admin, text), text).toEqual([])
  })

  test('what was typed goes before what it may have meant', async () => {
    await made(admin, '/api/core/accounts', { name: 'Marten Bois' })
    expect((await found(admin, 'martin')).slice(0, 1)).toEqual(['Marten Bois'])
    await made(admin, '/api/core/accounts', { name: 'Martin Bois' })
    expect(await found(admin, 'martin')).toEqual(['Martin Bois', 'Marten Bois'])
    expect(await listed(admin, 'martin')).toEqual(['Martin Bois'])
  })

  test('its kind, where one is asked for', async () => {
    expect(await found(admin, 'eloi', 'core.contact')).toEqual(['Duran Marchetti'])
    expect(await found(admin, 'eloi', 'core.account')).toEqual(['Société Saint-Éloi'])
  })

  test('the words of now: a new record at once, a renamed one by its new name only, a deleted one not at all', async () => {
    const account = await made(admin, '/api/core/accounts', { name: 'Quincaillerie Perrache' })
    expect(await found(admin, 'perrahce')).toEqual(['Quincaillerie Perrache'])
    await admin.patch(`/api/core/accounts/${account.id}`, { name: 'Quincaillerie Guillotière', version: 1 })
    expect(await found(admin, 'perrache')).toEqual([])
    expect(await found(admin, 'guilotiere')).toEqual(['Quincaillerie Guillotière'])
    await admin.delete(`/api/core/accounts/${account.id}?version=2`)
    expect(await found(admin, 'guillotiere')).toEqual([])
    await admin.post(`/api/core/accounts/${account.id}/restore`)
    expect(await found(admin, 'guillotiere')).toEqual(['Quincaillerie Guillotière'])
  })

  test('signs and odd letters are no fault of the query', async () => {
    for (const text of ["l'Éloi", "' or 1=1", '½ ſ Ⅻ', ':*&|!()', 'a\\b', '%', '_aronne', '日本'])
      expect(Array.isArray(await found(admin, text)), text).toBe(true)
    expect(await found(admin, "l'eloi")).toEqual([])
  })
})

describe('what is out of reach', () => {
  test('is not found, takes no place, and does not keep a slip from being forgiven', async () => {
    const own = await app.as({
      grants: [
        { resource: 'core.account', action: 'read', visibility: 'own' },
        { resource: 'core.account', action: 'create', visibility: 'own' },
      ],
    })
    // Many others rank before the one that may be seen, and one matches the mistyped word exactly.
    for (let index = 0; index < 30; index++) await made(admin, '/api/core/accounts', { name: `Zanzibar ${index}` })
    await made(admin, '/api/core/accounts', { name: 'Zanzibra' })
    await made(own, '/api/core/accounts', { name: 'The last Zanzibar' })
    expect(await found(own, 'zanzibar')).toEqual(['The last Zanzibar'])
    expect(await found(own, 'zanzibra')).toEqual(['The last Zanzibar'])
    expect(await listed(own, 'zanzibra')).toEqual(['The last Zanzibar'])
    expect(await found(own, 'anziba')).toEqual(['The last Zanzibar'])
    expect(await found(own, 'garonne')).toEqual([])
  })

  test('stays out where a condition decides, too', async () => {
    const lyon = await app.as({
      grants: [{ resource: 'core.account', action: 'read', visibility: 'all', condition: 'city = "Lyon"' }],
    })
    await made(admin, '/api/core/accounts', { name: 'Trapèze Nord', city: 'Lille' })
    await made(admin, '/api/core/accounts', { name: 'Trapèze Sud', city: 'Lyon' })
    expect(await found(lyon, 'trapeze')).toEqual(['Trapèze Sud'])
    expect(await found(lyon, 'trappeze')).toEqual(['Trapèze Sud'])
    expect(await listed(lyon, 'trapzee')).toEqual(['Trapèze Sud'])
  })

  test('words of an unreadable field find nothing, mistyped or not', async () => {
    const blind = await app.as({
      may: ['core.contact.read'],
      fields: [{ resource: 'core.contact', field: 'email', access: 'none' }],
    })
    expect(await found(admin, 'eloi', 'core.contact')).toEqual(['Duran Marchetti'])
    for (const text of ['eloi', 'eloy', 'marchetti eloi'])
      expect(await found(blind, text, 'core.contact'), text).toEqual([])
    expect(await found(blind, 'marchettti')).toEqual(['Duran Marchetti'])
  })

  test('another company’s words widen nothing here', async () => {
    const other = await app.secondWorkspace()
    await made(other.admin, '/api/core/accounts', { name: 'Hippocampe' })
    expect(await found(admin, 'hipocampe')).toEqual([])
    expect(await found(other.admin, 'hipocampe')).toEqual(['Hippocampe'])
  })

  test('the words and documents themselves cannot be read by the application', async () => {
    for (const table of ['search_document', 'search_word', 'search_near'])
      await expect(
        app.inside((ctx) => sql`select 1 from ${sql.table(`core.${table}`)}`.execute(ctx.sql)),
        table,
      ).rejects.toThrow(/permission denied/)
    await expect(app.inside((ctx) => sql`select core.search_meant('maizon')`.execute(ctx.sql))).rejects.toThrow(
      /permission denied/,
    )
  })
})

test('words that no document holds any more are forgotten', async () => {
  const account = await made(admin, '/api/core/accounts', { name: 'Ornithorynque' })
  await admin.delete(`/api/core/accounts/${account.id}?version=1`)
  const sweep = () =>
    app.inside(async (ctx) => {
      const { rows } = await sql<{ swept: number }>`select core.search_sweep() as swept`.execute(ctx.sql)
      return rows[0]!.swept
    })
  expect(await sweep()).toBeGreaterThan(0)
  expect(await sweep()).toBe(0)
  expect(await found(admin, 'maizon')).toEqual(['Maison Garonne'])
})
