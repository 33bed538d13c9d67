import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database, Sql } from '../src/database/database.ts'
import { migrate } from '../src/database/migrator.ts'
import { makeTestDatabase, type TestDatabase } from '../src/testing/test-database.ts'

// What the database refuses by itself, whoever writes: two people in the same second, a migration, a plugin's mistake.

let made: TestDatabase
let database: Database
let workspace: string

beforeAll(async () => {
  made = await makeTestDatabase()
  database = made.database
  await migrate(database.owner, 'core', new URL('../migrations/', import.meta.url))
})
afterAll(() => made.drop())

async function openWorkspace(): Promise<string> {
  const id = uuidv7()
  await sql`insert into core.workspace (id, slug, name) values (${id}, ${id}, 'Acme')`.execute(database.owner)
  return id
}

beforeEach(async () => {
  workspace = await openWorkspace()
})

type Row = Readonly<Record<string, unknown>>

async function insert(tx: Sql, table: string, row: Row): Promise<string> {
  const id = uuidv7()
  await tx
    .insertInto(`core.${table}`)
    .values({ id, workspace, ...row })
    .execute()
  return id
}

/** Runs statements in one transaction of the workspace; undone when the database refuses one. */
function inWorkspace<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
  return database.transaction({ workspace, partner: '*' }, work)
}

async function refusal(work: (tx: Sql) => Promise<unknown>): Promise<string> {
  return inWorkspace(work).then(
    () => 'nothing was refused',
    (error: unknown) => (error as { constraint?: string }).constraint ?? String(error),
  )
}

const account = (tx: Sql, row: Row = {}) => insert(tx, 'account', { name: 'Maison Garonne', ...row })

describe('accounts', () => {
  test('a name is compared without case, accents, punctuation and legal form', async () => {
    const norms = await inWorkspace(async (tx) => {
      await account(tx, { name: 'Établissements Léger S.A.R.L.' })
      await account(tx, { name: 'etablissements  leger' })
      await account(tx, { name: 'SAS' })
      return (await sql<{ name_norm: string }>`select name_norm from core.account order by id`.execute(tx)).rows.map(
        (it) => it.name_norm,
      )
    })
    expect(norms).toEqual(['leger', 'leger', 'sas'])
  })

  test('no account stands below itself, at any distance', async () => {
    const [top, , low] = await inWorkspace(async (tx) => {
      const first = await account(tx)
      const second = await account(tx, { parent_id: first })
      return [first, second, await account(tx, { parent_id: second })]
    })
    expect(
      await refusal((tx) => tx.updateTable('core.account').set({ parent_id: low }).where('id', '=', top).execute()),
    ).toBe('account_cycle')
    expect(
      await refusal((tx) => tx.updateTable('core.account').set({ parent_id: top }).where('id', '=', top).execute()),
    ).toMatch(/^account_(?:cycle|own_parent)$/)
  })

  test('a hierarchy has ten levels, counted through both ends of a move', async () => {
    const chain = async (tx: Sql, length: number) => {
      const ids: string[] = []
      for (let level = 0; level < length; level += 1) ids.push(await account(tx, { parent_id: ids.at(-1) ?? null }))
      return ids
    }
    const [upper, lower] = await inWorkspace(async (tx) => [await chain(tx, 6), await chain(tx, 5)])
    const hang = (under: string | undefined) => (tx: Sql) =>
      tx.updateTable('core.account').set({ parent_id: under }).where('id', '=', lower[0]).execute()
    expect(await refusal(hang(upper[5]))).toBe('account_levels')
    expect(await refusal(hang(upper[4]))).toBe('nothing was refused')
  })

  test('a code is taken once, and free again when its account is deleted', async () => {
    const first = await inWorkspace((tx) => account(tx, { code: 'C1' }))
    expect(await refusal((tx) => account(tx, { code: 'C1' }))).toBe('account_code')
    await inWorkspace((tx) =>
      tx.updateTable('core.account').set({ deleted_at: '2026-03-02T09:00:00Z' }).where('id', '=', first).execute(),
    )
    expect(await refusal((tx) => account(tx, { code: 'C1' }))).toBe('nothing was refused')
  })

  test('a reference never reaches another company’s row, even by its right id', async () => {
    const theirs = await inWorkspace((tx) => account(tx))
    workspace = await openWorkspace()
    expect(await refusal((tx) => account(tx, { parent_id: theirs }))).toMatch(/parent_id_fkey/)
    expect(await refusal((tx) => insert(tx, 'contact', { name: 'Léa Martin', account_id: theirs }))).toMatch(
      /account_id_fkey/,
    )
  })
})

describe('contacts', () => {
  test('a contact is at an account once at a time, and has one current main account', async () => {
    const ids = await inWorkspace(async (tx) => ({
      one: await account(tx),
      two: await account(tx),
      contact: await insert(tx, 'contact', { name: 'Léa Martin' }),
    }))
    const link = (row: Row) => (tx: Sql) =>
      insert(tx, 'account_contact', { account_id: ids.one, contact_id: ids.contact, ...row })
    await inWorkspace(link({ is_primary: true, from_date: '2025-01-01' }))
    expect(await refusal(link({ from_date: '2026-01-01' }))).toBe('account_contact_overlap')
    expect(await refusal(link({ from_date: '2024-01-01', to_date: '2025-01-01' }))).toBe('nothing was refused')
    expect(await refusal(link({ account_id: ids.two, is_primary: true }))).toBe('account_contact_primary')
  })
})

describe('leads and activities', () => {
  test('a converted lead has a moment and an account or contact', async () => {
    const lead = (row: Row) => (tx: Sql) => insert(tx, 'lead', { name: 'Léa Martin', ...row })
    expect(await refusal(lead({ status: 'converted', converted_at: '2026-03-02T09:00:00Z' }))).toBe('lead_converted')
    expect(await refusal(lead({ status: 'converted' }))).toBe('lead_converted')
    expect(await refusal(lead({ converted_at: '2026-03-02T09:00:00Z' }))).toBe('lead_converted')
  })

  test('an activity does not end before it starts, and is done at a moment', async () => {
    const activity = (row: Row) => (tx: Sql) => insert(tx, 'activity', { subject: 'Visite', ...row })
    expect(await refusal(activity({ start_at: '2026-03-02T10:00:00Z', end_at: '2026-03-02T09:00:00Z' }))).toBe(
      'activity_period',
    )
    expect(await refusal(activity({ status: 'done' }))).toBe('activity_done')
    expect(await refusal(activity({ completed_at: '2026-03-02T09:00:00Z' }))).toBe('activity_done')
  })

  test('an activity is found from every record it is on, and leaves those it is taken from', async () => {
    const opportunity = uuidv7()
    const { first, second, activity } = await inWorkspace(async (tx) => {
      const one = await account(tx)
      const at = '2026-03-05T10:00:00.000Z'
      return {
        first: one,
        second: await account(tx),
        activity: await insert(tx, 'activity', {
          subject: 'Visite',
          account_id: one,
          start_at: at,
          resource: 'sales.opportunity',
          record: opportunity,
        }),
      }
    })
    const links = () =>
      inWorkspace(
        async (tx) =>
          (
            await sql<{
              resource: string
              record: string
              at: string
            }>`select resource, record, at from core.activity_link where activity_id = ${activity} order by resource`.execute(
              tx,
            )
          ).rows,
      )
    expect(await links()).toEqual([
      { resource: 'core.account', record: first, at: '2026-03-05T10:00:00.000Z' },
      { resource: 'sales.opportunity', record: opportunity, at: '2026-03-05T10:00:00.000Z' },
    ])
    await inWorkspace((tx) =>
      tx
        .updateTable('core.activity')
        .set({ account_id: second, status: 'done', completed_at: '2026-03-06T10:00:00Z' })
        .where('id', '=', activity)
        .execute(),
    )
    expect(await links()).toEqual([
      { resource: 'core.account', record: second, at: '2026-03-06T10:00:00.000Z' },
      { resource: 'sales.opportunity', record: opportunity, at: '2026-03-06T10:00:00.000Z' },
    ])
  })
})

describe('orders and invoices', () => {
  const order = async (tx: Sql, row: Row = {}) =>
    insert(tx, 'order', {
      number: uuidv7(),
      account_id: await account(tx),
      currency: 'EUR',
      net: '30',
      tax: '6',
      gross: '36',
      ...row,
    })
  const line = (tx: Sql, order_id: string, row: Row = {}) =>
    insert(tx, 'order_line', { order_id, name: 'Café', unit_price: '10', net: '10', currency: 'EUR', ...row })

  test('at commit the header’s net is the sum of its lines, where it has lines', async () => {
    expect(await refusal((tx) => order(tx))).toBe('nothing was refused')
    expect(
      await refusal(async (tx) => {
        const id = await order(tx)
        await line(tx, id, { net: '10' })
        await line(tx, id, { net: '20' })
      }),
    ).toBe('nothing was refused')
    expect(await refusal(async (tx) => line(tx, await order(tx), { net: '29.99' }))).toBe('order_adds_up')
  })

  test('changing or deleting a line alone is refused too', async () => {
    const { id, only } = await inWorkspace(async (tx) => {
      const made = await order(tx)
      await line(tx, made, { net: '10' })
      return { id: made, only: await line(tx, made, { net: '20' }) }
    })
    expect(
      await refusal((tx) => tx.updateTable('core.order_line').set({ net: '21' }).where('id', '=', only).execute()),
    ).toBe('order_adds_up')
    expect(await refusal((tx) => tx.deleteFrom('core.order_line').where('id', '=', only).execute())).toBe(
      'order_adds_up',
    )
    expect(
      await refusal((tx) =>
        tx.updateTable('core.order').set({ net: '31', gross: '37' }).where('id', '=', id).execute(),
      ),
    ).toBe('order_adds_up')
  })

  test('a line is in its header’s currency', async () => {
    expect(await refusal(async (tx) => line(tx, await order(tx), { currency: 'CHF', net: '30' }))).toBe(
      'order_line_currency',
    )
  })

  test('a number and a SKU are taken once, a payment is in its invoice’s currency', async () => {
    await inWorkspace((tx) => order(tx, { number: 'SO-2026-00001' }))
    expect(await refusal((tx) => order(tx, { number: 'SO-2026-00001' }))).toBe('order_number')
    await inWorkspace((tx) => insert(tx, 'product', { sku: 'CAF', name: 'Café', currency: 'EUR' }))
    expect(await refusal((tx) => insert(tx, 'product', { sku: 'CAF', name: 'Café', currency: 'EUR' }))).toBe(
      'product_sku',
    )
    const paid = await refusal(async (tx) => {
      const account_id = await account(tx)
      const invoice_id = await insert(tx, 'invoice', {
        number: 'INV-1',
        account_id,
        currency: 'EUR',
        status: 'issued',
        issued_on: '2026-03-02',
      })
      await insert(tx, 'payment', { invoice_id, account_id, amount: '10', currency: 'CHF', paid_on: '2026-03-02' })
    })
    expect(paid).toBe('payment_currency')
  })
})
