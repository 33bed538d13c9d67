import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sql } from '../src/database/database.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'
import { atlas, boreal, dealsPlugin } from './partner-world.ts'

// Rows made up from the catalogue for every table of a workspace, so that a table of tomorrow is asked as well.

interface Column {
  readonly name: string
  readonly type: string
  readonly required: boolean
  /** By the application's role, for whole tables or single columns. */
  readonly isRead: boolean
  readonly isWritten: boolean
}

interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  readonly checks: readonly string[]
}

const ana = '0193d1a2-0000-7000-8000-00000000a0a0'
/** Stands for the house, where a row must name somebody. */
const house = '0193d1a2-0000-7000-8000-00000000beef'
const marker = 'wall-marker'
/** The same in bytes, and in figures that fit the smallest of their types. */
const mark = 'beefcafe'
const figure = '31337'

/** Told to every guest: which modules are on, and what they are set to, because a plugin's code works for guests too. */
const toldToGuests = new Set(['core.plugin_workspace', 'core.plugin_setting'])
/** What a unit of work only adds to, whoever works: nothing of it is read back. */
const addedTo: Readonly<Record<string, string>> = {
  'core.event': 'Told to subscribers.',
  'core.delivery': 'One for each who hears of an event.',
}

let app: TestApp
let tables: readonly Table[]

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, helloPlugin, dealsPlugin] })
  const { rows } = await sql<Table>`
    select format('%I.%I', n.nspname, c.relname) as name,
      (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null), 'required', a.attnotnull,
          'isRead', has_column_privilege('socle_app', c.oid, a.attnum, 'select'),
          'isWritten', has_column_privilege('socle_app', c.oid, a.attnum, 'update')) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = '') as columns,
      (select coalesce(jsonb_agg(k.conname), '[]') from pg_constraint k where k.conrelid = c.oid and k.contype = 'c') as checks
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      -- The company itself is known by its id, to its guests too.
      and c.oid <> 'core.workspace'::regclass and exists (select from pg_attribute w where w.attrelid = c.oid and w.attname = 'workspace' and not w.attisdropped)
    order by 1`.execute(app.app.kernel.parts.database.owner)
  tables = rows
})
afterAll(() => app[Symbol.asyncDispose]())

const values: Readonly<Record<string, string>> = {
  text: `'${marker}'`,
  'character varying': `'${marker}'`,
  uuid: '',
  'uuid[]': '',
  'text[]': `array['${marker}']`,
  jsonb: `'{"${marker}": "${marker}"}'`,
  bytea: `'\\x${mark}'`,
  tsvector: `'marker'`,
  integer: figure,
  bigint: figure,
  smallint: figure,
  numeric: '1',
  real: figure,
  'double precision': figure,
  boolean: 'true',
  date: `'2026-03-02'`,
  'timestamp with time zone': `'2026-03-02T09:00:00Z'`,
  'integer[]': `'{1}'`,
  inet: `'127.0.0.1'`,
}

/** A row of another partner, whatever its columns are called, and one of nobody but the house. */
function rowOf({ name, columns }: Table, whose: 'partner' | 'house'): string {
  const given = columns.flatMap(({ name: column, type, required }) => {
    if (column === 'workspace') return [[column, `'${app.workspace.id}'`] as const]
    const literal = values[type]
    if (literal === undefined && required)
      throw new Error(`Say in partner-wall-rows.test.ts what a ${type} looks like: ${name}.${column}`)
    if (type === 'uuid' || type === 'uuid[]') {
      const id = whose === 'partner' ? boreal : required ? house : undefined
      if (id === undefined) return []
      return [[column, type === 'uuid' ? `'${id}'` : `array['${id}']::uuid[]`] as const]
    }
    return literal === undefined ? [] : [[column, literal] as const]
  })
  return `insert into ${name} (${given.map(([column]) => `"${column}"`).join(', ')}) values (${given.map(([, value]) => value).join(', ')})`
}

/** Whether a row is one that was made up, by whatever of it may be read. */
function isOurs({ columns }: Table): string {
  const read = columns.filter(({ isRead }) => isRead).map(({ name }) => `t."${name}"::text`)
  return read.length === 0
    ? 'true'
    : `concat_ws(' ', ${read.join(', ')}) ~ '${boreal}|${house}|${marker}|${mark}|${figure}'`
}

/** What comes of a statement, which leaves nothing behind; that it is refused counts as nothing found. */
async function attempt(tx: Sql, statement: string): Promise<number | 'refused'> {
  await sql.raw('savepoint attempt').execute(tx)
  try {
    const { rows } = await sql<{ n: number }>`${sql.raw(statement)}`.execute(tx)
    return rows[0]?.n ?? 0
  } catch (error) {
    expect(String(error)).toMatch(/permission denied|row-level security|may not/)
    return 'refused'
  } finally {
    await sql.raw('rollback to savepoint attempt').execute(tx)
  }
}

const enter = (partner: string) => `
  set local role socle_app;
  select set_config('app.workspace', '${app.workspace.id}', true), set_config('app.actor', '${ana}', true),
    set_config('app.partner', '${partner}', true), set_config('app.now', '2026-03-02T09:00:00Z', true)`

class TakenBack extends Error {}

/** What is seen of a row in every table, of another partner and of the house, from one side of the wall; nothing of it stays. */
async function seenFrom(
  partner: string,
  look: (tx: Sql, table: Table) => Promise<unknown>,
): Promise<Map<string, unknown>> {
  const seen = new Map<string, unknown>()
  await app.app.kernel.parts.database.owner
    .transaction()
    .execute(async (tx) => {
      // Neither references nor rules matter to who sees a row.
      await sql.raw('set local session_replication_role = replica').execute(tx)
      for (const table of tables) {
        for (const check of table.checks)
          await sql.raw(`alter table ${table.name} drop constraint "${check}"`).execute(tx)
        // One after the other: of some things a company has one row.
        for (const whose of ['partner', 'house'] as const) {
          await sql.raw('savepoint made').execute(tx)
          await sql.raw(rowOf(table, whose)).execute(tx)
          for (const statement of enter(partner).split(';')) await sql.raw(statement).execute(tx)
          seen.set(`${table.name}, ${whose}`, await look(tx, table))
          await sql.raw('rollback to savepoint made').execute(tx)
        }
      }
      throw new TakenBack()
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBack)) throw error
    })
  return seen
}

const rowsIn = (tx: Sql, table: Table) =>
  attempt(tx, `select count(*)::integer as n from ${table.name} t where ${isOurs(table)}`)

test('a row of the house or of another partner is in no table, read by the application’s role for a partner’s person', async () => {
  const open = await seenFrom('*', rowsIn)
  const walled = await seenFrom(atlas, rowsIn)
  expect(tables.length).toBeGreaterThan(50)
  const wrong: unknown[] = []
  for (const { name, columns } of tables) {
    for (const row of [`${name}, partner`, `${name}, house`]) {
      // What the house sees shows that there was something to see.
      const isReadable = columns.some(({ isRead }) => isRead)
      if (open.get(row) !== (isReadable ? 1 : 'refused')) wrong.push([row, 'from the house', open.get(row)])
      if (walled.get(row) !== (isReadable ? 0 : 'refused') && !toldToGuests.has(name))
        wrong.push([row, walled.get(row)])
    }
  }
  expect(wrong).toEqual([])
})

const counted = (statement: string) => `with gone as (${statement}) select count(*)::integer as n from gone`

async function changing(tx: Sql, table: Table): Promise<number | 'refused'> {
  const column = table.columns.find(({ isWritten }) => isWritten)
  if (!column) return 'refused'
  const set = `"${column.name}" = t."${column.name}"`
  return attempt(tx, counted(`update ${table.name} t set ${set} where ${isOurs(table)} returning 1`))
}

test('nor is one changed, taken away or made there', async () => {
  const touched = await seenFrom(atlas, async (tx, table) => ({
    changed: await changing(tx, table),
    removed: await attempt(tx, counted(`delete from ${table.name} t where ${isOurs(table)} returning 1`)),
    made: table.name in addedTo ? 'refused' : await attempt(tx, rowOf(table, 'partner')),
  }))
  for (const [name, what] of touched)
    expect([name, what]).toEqual([
      name,
      { changed: expect.toBeOneOf([0, 'refused']), removed: expect.toBeOneOf([0, 'refused']), made: 'refused' },
    ])
})
