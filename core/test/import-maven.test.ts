import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { salesPlugin } from '../../plugins/sales/src/plugin.ts'
import type { ImportJson } from '../src/records/import/import.ts'
import { sql } from 'kysely'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'

// Four linked files of a hardware seller, public data by Maven Analytics; they lie beside the repository.
const folder = join(import.meta.dirname, '../../../shared/data/crm/maven')
const isThere = existsSync(folder)
// oxlint-disable-next-line no-console -- a test that is skipped must say why
if (!isThere) console.warn(`The Maven files are not in ${folder}: their import is not tested.`)

const content = (name: string) => readFileSync(join(folder, `${name}.csv`))
const rowsOf = (name: string): Record<string, string>[] => parse(content(name), { columns: true, bom: true })

function countBy<T>(rows: readonly T[], key: (row: T) => string | null): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const row of rows) counts[key(row) ?? ''] = (counts[key(row) ?? ''] ?? 0) + 1
  return counts
}

// Some 9,000 records through the whole write path: minutes on the embedded database's one connection.
const onServer = process.env['TEST_DATABASE_URL'] !== undefined

describe.skipIf(!isThere || !onServer)('core-04: four files that refer to each other', () => {
  let app: TestApp
  let admin: TestClient
  let importing: Importing

  beforeAll(async () => {
    app = await createTestApp({ plugins: [salesPlugin], now: '2018-01-02T09:00:00Z' })
    admin = app.admin
    importing = new Importing(admin, () => app.app.jobs.runUntilIdle())
  })
  afterAll(async () => app[Symbol.asyncDispose]())

  const accept = (it: ImportJson, more: readonly object[] = []) =>
    importing.change(it.id, {
      aliases: [...it.aliases.filter(({ to }) => to !== '').map((alias) => ({ ...alias, accepted: true })), ...more],
    })
  const list = async (path: string) => {
    const rows: Record<string, string>[] = []
    for (let after = ''; ;) {
      const { body } = await admin.get(`/api/${path}?limit=200&sort=name&count=none${after ? `&after=${after}` : ''}`)
      rows.push(...body.data)
      if (!body.page.next) return rows
      after = encodeURIComponent(body.page.next)
    }
  }

  test('accounts find their parents by name, and a misspelt sector is put right', async () => {
    const made = await importing.upload('core.account', content('accounts'), 'accounts.csv')
    expect(made.mapping).toEqual([
      { column: 'account', field: 'name' },
      { column: 'sector', field: 'industry' },
      { column: 'year_established', field: 'foundedYear' },
      { column: 'revenue', field: 'annualRevenue' },
      { column: 'employees', field: 'employees' },
      { column: 'office_location', field: 'country' },
      { column: 'subsidiary_of', field: 'parent', by: 'name' },
    ])
    expect(made.key).toBe('name')
    expect(made.aliases).toContainEqual({
      column: 'sector',
      from: 'technolgy',
      to: 'technology',
      rows: 12,
      accepted: false,
    })
    expect(made.aliases).toContainEqual(expect.objectContaining({ from: 'Philipines', to: 'Philippines', rows: 1 }))
    await accept(made, [{ column: 'office_location', from: 'Korea', to: 'South Korea' }])
    const done = await importing.through(made.id)
    expect(done.counts).toEqual({ lines: 85, create: 85, update: 0, unchanged: 0, skip: 0, failed: 0, done: 85 })
    const { body } = await admin.post('/api/core/accounts/aggregate', {
      measures: ['count', 'sum:employees', 'sum:annualRevenue'],
    })
    const revenue = rowsOf('accounts').reduce((sum, row) => sum.plus(row['revenue'] ?? 0), new Decimal(0))
    expect(body.data[0]).toMatchObject({ count: 85 })
    expect(Number(body.data[0]['sum:employees'])).toBe(396_170)
    expect(new Decimal(body.data[0]['sum:annualRevenue']).eq(revenue)).toBe(true)
    const accounts = await list('core/accounts')
    const names = new Map(accounts.map(({ id, name }) => [id, name]))
    expect(accounts.filter(({ parent }) => parent)).toHaveLength(15)
    expect(Object.fromEntries(accounts.map(({ name, parent }) => [name, names.get(parent ?? '') ?? '']))).toEqual(
      Object.fromEntries(rowsOf('accounts').map((row) => [row['account'], row['subsidiary_of']])),
    )
    expect(countBy(accounts, ({ industry }) => industry ?? null)).toMatchObject({ technology: 12, retail: 17 })
  })

  test('products come in under their names', async () => {
    const made = await importing.upload('core.product', content('products'), 'products.csv')
    expect(made.mapping).toEqual([
      { column: 'product', field: 'name' },
      { column: 'series', field: 'family' },
      { column: 'sales_price', field: 'price' },
      { column: '', field: 'sku', columns: ['product'] },
    ])
    expect((await importing.through(made.id)).counts).toMatchObject({ lines: 7, create: 7 })
  })

  test('people come in without sign-in, with managers and teams made on confirmation', async () => {
    const made = await importing.upload('core.user', content('sales_teams'), 'sales_teams.csv')
    expect(made.mapping).toEqual([
      { column: 'sales_agent', field: 'name' },
      { column: 'manager', field: 'manager', by: 'name' },
      { column: 'regional_office', field: 'team', by: 'name' },
    ])
    await importing.change(made.id, { mapping: made.mapping.map((it) => ({ ...it, create: it.field !== 'name' })) })
    expect((await importing.through(made.id)).counts).toMatchObject({ lines: 35, create: 35, failed: 0 })
    const people = (await list('core/users')).filter(({ state }) => state === 'invited')
    // Whoever was invited could sign in.
    const { rows: signIns } = await sql`
      select u.id from core."user" u join core.member m on m.id = u.id
      where m.workspace = ${app.workspace.id} and m.state = 'invited'`.execute(app.app.kernel.parts.database.owner)
    expect(signIns).toEqual([])
    const teams = (await admin.get('/api/core/teams')).body.data
    expect(people).toHaveLength(35 + 6)
    expect(
      Object.fromEntries(teams.map((it: { name: string; members: string[] }) => [it.name, it.members.length])),
    ).toEqual({
      Central: 11,
      East: 12,
      West: 12,
    })
    const names = new Map(people.map(({ id, name }) => [id, name]))
    expect(
      countBy(
        people.filter(({ manager }) => manager),
        ({ manager }) => names.get(manager ?? '') ?? null,
      ),
    ).toEqual(countBy(rowsOf('sales_teams'), (row) => row['manager'] ?? null))
  })

  test('opportunities join them by name; counts and sums are those of the file', { timeout: 900_000 }, async () => {
    const stages = (await admin.get('/api/sales/stages?sort=position')).body.data
    const made = await importing.upload('sales.opportunity', content('sales_pipeline'), 'sales_pipeline.csv')
    expect(made.key).toBe('code')
    expect(made.mapping).toMatchObject([
      { column: 'opportunity_id', field: 'code' },
      { column: 'sales_agent', field: 'owner', by: 'name' },
      { column: 'product', field: 'product', by: 'name' },
      { column: 'account', field: 'account', by: 'name' },
      { column: 'deal_stage', field: 'stage', by: 'name' },
      { column: 'engage_date', field: 'openedOn' },
      { column: 'close_date', field: 'closeDate' },
      { column: 'close_value', field: 'amount' },
      { column: '', field: 'name', columns: ['account', 'product'] },
    ])
    expect(made.aliases).toContainEqual({
      column: 'product',
      from: 'GTXPro',
      to: 'GTX Pro',
      rows: 1480,
      accepted: false,
    })
    expect(made.aliases).toContainEqual({
      column: 'deal_stage',
      from: 'Prospecting',
      to: '',
      rows: 500,
      accepted: false,
    })
    const closed = made.mapping.map((it) => (it.column === 'close_date' ? { ...it, field: 'closedOn' } : it))
    await importing.change(made.id, { mapping: closed })
    await accept(await importing.get(made.id), [
      { column: 'deal_stage', from: 'Prospecting', to: 'Qualification' },
      { column: 'deal_stage', from: 'Engaging', to: 'Proposal' },
    ])
    const done = await importing.through(made.id)
    expect(done.counts).toEqual({
      lines: 8_800,
      create: 8_800,
      update: 0,
      unchanged: 0,
      skip: 0,
      failed: 0,
      done: 8_800,
    })

    const rows = rowsOf('sales_pipeline')
    const meant: Record<string, string> = {
      Prospecting: 'Qualification',
      Engaging: 'Proposal',
      Won: 'Won',
      Lost: 'Lost',
    }
    const stageNames = new Map(stages.map((it: { id: string; name: string }) => [it.id, it.name]))
    const { body } = await admin.post('/api/sales/opportunities/aggregate', {
      groupBy: ['stage'],
      measures: ['count', 'sum:amount'],
    })
    const sums = Object.fromEntries(
      body.data.map((row: { key: { stage: string }; count: number; 'sum:amount': string | null }) => [
        stageNames.get(row.key.stage),
        [row.count, new Decimal(row['sum:amount'] ?? 0).toFixed(2)],
      ]),
    )
    const expected = Object.fromEntries(
      Object.entries(meant).map(([stage, name]) => {
        const its = rows.filter((row) => row['deal_stage'] === stage)
        const sum = its.reduce((total, row) => total.plus(row['close_value'] || 0), new Decimal(0))
        return [name, [its.length, sum.toFixed(2)]]
      }),
    )
    expect(sums).toEqual(expected)

    const opportunities = new Map((await list('sales/opportunities')).map((it) => [it['code'], it]))
    const names = new Map(
      (await Promise.all(['core/accounts', 'core/products', 'core/users'].map(list)))
        .flat()
        .map((it) => [it['id'], it['name']]),
    )
    for (const row of rows) {
      const it = opportunities.get(row['opportunity_id'])
      const product = row['product'] === 'GTXPro' ? 'GTX Pro' : row['product']
      const read = [it?.['account'], it?.['product'], it?.['owner']].map((id) => names.get(id) ?? '')
      expect([...read, it?.['openedOn'] ?? '', it?.['closedOn'] ?? '', it?.['amount'] ?? '']).toEqual([
        row['account'],
        product,
        row['sales_agent'],
        row['engage_date'],
        row['close_date'],
        row['close_value'] === '' ? '' : `${row['close_value']}.0000`,
      ])
    }
  })
})
