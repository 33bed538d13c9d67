import { sql } from 'kysely'
import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Account } from '../src/entities/account.ts'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp
let other: TestWorkspace
let tables: { name: string; column: string }[]

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, helloPlugin] })
  other = await app.secondWorkspace()
  for (const { admin } of [app, other]) {
    const account = await admin.post('/api/core/accounts', { name: 'Maison Garonne' })
    await admin.post('/api/sales/opportunities', { name: 'Four', account: account.body.data.id, amount: '10' })
    await admin.post('/api/hello/greetings', { text: 'Hello' })
  }
  const { rows } = await sql<{ name: string; column: string }>`
    select format('%I.%I', n.nspname, c.relname) as name, case when c.relname = 'workspace' then 'id' else 'workspace' end as column
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and n.nspname in ('core', 'sales', 'hello')
      and (a.attname = 'workspace' or (c.relname = 'workspace' and a.attname = 'slug'))`.execute(
    app.app.kernel.parts.database.owner,
  )
  tables = rows
})
afterAll(() => app[Symbol.asyncDispose]())

/** Rows, or nothing where the application's role has no right at all. */
async function visible(run: () => Promise<{ rows: unknown[] }>): Promise<number> {
  try {
    return (await run()).rows.length
  } catch (error) {
    expect(String(error)).toContain('permission denied')
    return 0
  }
}

test('without a workspace in the session the application’s own connection sees no row of any table', async () => {
  const { database } = app.app.kernel.parts
  expect(tables.length).toBeGreaterThan(20)
  for (const { name } of tables) {
    expect(await visible(() => sql`select 1 from ${sql.raw(name)}`.execute(database.app)), name).toBe(0)
    expect(
      await visible(() =>
        database.transaction({ partner: '*' }, (tx) => sql`select 1 from ${sql.raw(name)}`.execute(tx)),
      ),
      name,
    ).toBe(0)
  }
})

test('with one workspace in the session no row of another is visible, written or taken over', async () => {
  const { database } = app.app.kernel.parts
  const foreign = other.workspace.id
  for (const { name, column } of tables) {
    const inside = (
      statement: (tx: Parameters<Parameters<typeof database.transaction>[1]>[0]) => Promise<{ rows: unknown[] }>,
    ) => visible(() => database.transaction({ workspace: app.workspace.id, partner: '*' }, statement))
    expect(
      await inside((tx) => sql`select 1 from ${sql.raw(name)} where ${sql.ref(column)} = ${foreign}::uuid`.execute(tx)),
      name,
    ).toBe(0)
    expect(
      await inside((tx) =>
        sql`delete from ${sql.raw(name)} where ${sql.ref(column)} = ${foreign}::uuid returning 1`.execute(tx),
      ),
      name,
    ).toBe(0)
  }
  const insert = database.transaction({ workspace: app.workspace.id, partner: '*' }, (tx) =>
    sql`insert into hello.greeting (id, workspace, text) values (gen_random_uuid(), ${foreign}::uuid, 'intruder')`.execute(
      tx,
    ),
  )
  await expect(insert).rejects.toThrow(/row-level security/)
})

test('password hashes and sessions are closed to the application’s role', async () => {
  const { database } = app.app.kernel.parts
  for (const table of ['core."user"', 'core.credential', 'core.session', 'core.secret', 'core.search_document']) {
    const read = database.transaction({ workspace: app.workspace.id, partner: '*' }, (tx) =>
      sql`select 1 from ${sql.raw(table)}`.execute(tx),
    )
    await expect(read, table).rejects.toThrow(/permission denied/)
  }
})

test('statements that would leave the unit of work are refused before they run', async () => {
  const statements = [
    'reset role',
    'set role postgres',
    "  SET LOCAL app.workspace = 'x'",
    "select set_config('app.workspace', 'x', true)",
    `select pg_catalog."set_config" ('app.workspace', 'x', true)`,
    '/* hidden */ commit',
    'select 1; rollback',
    'begin',
    'do $$ begin end $$',
    "select '--', set_config('app.workspace', 'x', true)",
    "select '/*', set_config('app.workspace', 'x', true), '*/'",
    '/* /* */ */ set role postgres',
    String.raw`select U&"set\005fconfig"('app.workspace', 'x', true)`,
    String.raw`select E'\'', set_config('app.workspace', 'x', true) --'`,
    "select query_to_xml($1, true, true, '')",
    'create function pg_temp.leave() returns void language sql as $$ reset role $$',
    'select * into temporary kept from core.account',
    'explain analyze create temporary table kept as select * from core.account',
    'select 1; select 2',
    'table core.account',
    'select pg_advisory_lock(1)',
  ]
  for (const statement of statements) {
    await expect(
      app.inside((ctx) => sql.raw(statement).execute(ctx.sql)),
      statement,
    ).rejects.toMatchObject({ code: 'SESSION_STATEMENT_REFUSED' })
  }
})

test('an id of another workspace is answered like one that never was', async () => {
  const { body } = await other.admin.get('/api/core/accounts')
  const [foreign] = body.data
  const never = '0193d1a2-0000-7000-8000-0000000000ff'
  for (const [method, path, sent] of [
    ['GET', '', undefined],
    ['PATCH', '', { version: 1, name: 'Stolen' }],
    ['DELETE', '?version=1', undefined],
    ['GET', '/history', undefined],
    ['GET', '/timeline', undefined],
    ['POST', '/restore', {}],
  ] as const) {
    const theirs = await app.admin.send(method, `/api/core/accounts/${foreign.id}${path}`, sent)
    const absent = await app.admin.send(method, `/api/core/accounts/${never}${path}`, sent)
    const shape = ({ status, body: problem }: typeof theirs) => ({
      status,
      code: problem.code,
      detail: String(problem.detail).replaceAll(/[0-9a-f-]{36}/g, 'id'),
    })
    expect(shape(theirs), `${method} ${path}`).toEqual(shape(absent))
    expect(theirs.status).toBe(404)
  }
  const link = await app.admin.post('/api/core/contacts', { lastName: 'Roux', account: foreign.id })
  expect(link).toMatchObject({ status: 422, body: { errors: [{ path: '/account', code: 'REFERENCE_UNKNOWN' }] } })
})

test('a record flushed past the write path is refused', async () => {
  const flush = app.inside(async (ctx) => {
    const [account] = await ctx.em.find(Account, {}, { limit: 1 })
    Object.assign(account ?? {}, { name: 'Behind the ledger' })
    await ctx.em.flush()
  })
  await expect(flush).rejects.toMatchObject({ code: 'RECORDS_ONLY' })
})

test('a unit that throws leaves neither row, ledger entry nor event', async () => {
  const failing = app.inside(async (ctx) => {
    await ctx.records.create('core.account', { name: 'Never was' })
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  const { owner } = app.app.kernel.parts.database
  for (const table of ['core.change', 'core.event']) {
    const { rows } = await sql`select 1 from ${sql.raw(table)} t where t::text like '%Never was%'`.execute(owner)
    expect(rows, table).toEqual([])
  }
  expect((await app.admin.get('/api/core/search?q=never')).body.data).toEqual([])
})

test('a unit that hides the failure of a statement does not pass for kept', async () => {
  const hiding = app.inside(async (ctx) => {
    await sql`update core.workspace set name = 'Hidden' where id = ${ctx.workspace.id}::uuid`.execute(ctx.sql)
    await sql`select 1 / 0`.execute(ctx.sql).catch(() => {})
  })
  await expect(hiding).rejects.toThrow(/had failed before its commit/)
})
