import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../src/database/migrator.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { createTestApp, makeTestDatabase, type TestDatabase } from '../src/testing/index.ts'

let made: TestDatabase
const owner = () => made.database.owner

beforeAll(async () => {
  made = await makeTestDatabase()
  await sql`create schema if not exists neighbour; create table neighbour.thing (id integer primary key, name text)`.execute(
    owner(),
  )
})
afterAll(() => made.drop())

async function migrated(plugin: string, ...texts: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'socle-migrations-'))
  try {
    for (const [at, text] of texts.entries()) await writeFile(join(folder, `000${at + 1}_step.sql`), text)
    return String(await migrate(owner(), plugin, folder))
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code}: ${message}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const schemaExists = async (name: string) =>
  (await sql`select from pg_namespace where nspname = ${name}`.execute(owner())).rows.length > 0

test('a migration makes its own tables, points at the core’s, and says nothing of others', async () => {
  const text = `
    create table parcel (id uuid primary key, workspace uuid not null references core.workspace (id), account uuid references core.account (id));
    select core.protect('tidy.parcel');
    create function tidy.count() returns bigint language plpgsql as $$ begin return (select count(*) from core.account); end $$;
    select tidy.count();`
  expect(await migrated('tidy', text)).toBe('0001_step')
  expect(await migrated('tidy', text, 'alter table parcel add column weight integer')).toBe('0002_step')
})

test.each([
  ['a table of another', 'create table neighbour.more (id integer)', 'table neighbour.more'],
  ['a column of another’s table', 'alter table neighbour.thing add column more text', 'column neighbour.thing.more'],
  ['rows of another’s table', "insert into neighbour.thing values (1, 'x')", 'rows of neighbour.thing'],
  ['an index on another’s table', 'create index on neighbour.thing (name)', 'table neighbour.thing_name_idx'],
  ['a right to another’s table', 'grant select on neighbour.thing to socle_app', 'table neighbour.thing'],
  ['a policy of the core', 'create policy more on core.account using (true)', 'policy core.account.more'],
  ['the wall of the core', 'alter table core.account no force row level security', 'table core.account'],
  [
    'a function of the core',
    'create or replace function core.is_internal() returns boolean language sql stable as $$ select true $$',
    'function core.is_internal',
  ],
  ['another’s table that goes', 'drop table neighbour.thing', 'neighbour.thing'],
  ['a role', 'create role of_a_migration', 'role of_a_migration'],
  [
    'what a session begins with',
    `do $$ begin execute format('alter role socle_app in database %I set app.partner = ''*''', current_database()); end $$`,
    'settings of socle_app',
  ],
])('a migration that touches %s is undone with everything before it', async (_, text, what) => {
  const answer = await migrated('untidy', 'create table own (id integer)', text)
  expect(answer).toMatch(/^MIGRATION_OUT_OF_SCHEMA: /)
  expect(answer).toContain(what)
  expect(await schemaExists('untidy')).toBe(false)
  expect((await sql`select * from neighbour.thing`.execute(owner())).rows).toEqual([])
})

const protectedTable = `
  create table parcel (id uuid primary key, workspace uuid not null references core.workspace (id), partner uuid);
  select core.protect('untidy.parcel', 'select, insert, update, delete', 'partner');`

test.each([
  [
    'a view of its owner',
    'create view seen as select * from core.account; grant select on seen to socle_app',
    'view untidy.seen reads',
  ],
  [
    'a view for everybody, in a column',
    'create view seen as select * from parcel; grant select (id) on seen to public',
    'view untidy.seen reads',
  ],
  [
    'a copy of what is behind it',
    'create materialized view seen as select * from core.account; grant select on seen to socle_app',
    'materialized view untidy.seen is granted',
  ],
  [
    'a table nobody protects',
    'create table open_table (id integer); grant select on open_table to socle_app',
    'table untidy.open_table is granted',
  ],
  ['a wall that was taken down', 'alter table parcel disable row level security', 'table untidy.parcel is granted'],
  [
    'a wall that binds not its owner',
    'alter table parcel no force row level security',
    'table untidy.parcel is granted',
  ],
  [
    'a wall without its policy',
    'drop policy workspace on parcel; create policy workspace on parcel using (true)',
    'untidy.parcel',
  ],
  ['no second wall', 'drop policy partner_select on parcel', 'table untidy.parcel is granted'],
  ['a policy of its own', 'create policy more on parcel for select using (true)', 'policy more of table untidy.parcel'],
  ['a wall that is another', 'alter policy workspace on parcel using (true)', 'untidy.parcel'],
  ['a right the wall does not hold', 'grant all on parcel to socle_app', 'table untidy.parcel is granted beyond'],
  [
    'a function of its owner',
    'create function untidy.all() returns bigint language sql security definer as $$ select count(*) from core.account $$',
    'function untidy."all"() runs',
  ],
  [
    'a rule',
    'create rule more as on insert to parcel do also delete from core.account',
    'rule more of table untidy.parcel acts',
  ],
  ['a table of the application', 'alter table parcel owner to socle_app', 'untidy.parcel'],
  ['a schema of the application', 'grant create on schema untidy to socle_app', 'schema untidy takes'],
])('migrations that leave %s past the walls are undone as a whole', async (_, text, what) => {
  const answer = await migrated('untidy', protectedTable, text)
  expect(answer).toMatch(/^MIGRATION_OPENS_WALL: The migrations of untidy /)
  expect(answer).toContain(what)
  expect(await schemaExists('untidy')).toBe(false)
})

test('what a migration leaves open a later one may close before anybody is served', async () => {
  const closed = await migrated(
    'mended',
    `create view seen as select id, workspace from core.account; grant select on seen to socle_app;
     create table listed (id integer); grant select on listed to socle_app;`,
    `alter view seen set (security_invoker = on); revoke select on listed from socle_app;
     create view unseen as select * from core.account; create materialized view kept as select 1 as one;`,
  )
  expect(closed).toBe('0001_step,0002_step')
})

test('a plugin that opens the walls does not start, and its card says what of it does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socle-migrations-'))
  await writeFile(
    join(folder, '0001_seen.sql'),
    'create view seen as select * from core.contact; grant select on seen to socle_app',
  )
  const title = { en: 'Curious', fr: 'Curieux' }
  const migrations = pathToFileURL(`${folder}/`)
  const curious = definePlugin({ id: 'curious', version: '1.0.0', platform: '^1.0.0', title, migrations })
  const app = await createTestApp({ database: made, plugins: [curious], enable: [] })
  try {
    const cards: readonly { id: string }[] = (await app.admin.get('/api/core/plugins')).body.data
    expect(cards.find(({ id }) => id === 'curious')).toMatchObject({
      state: 'quarantined',
      reason: expect.stringContaining('view curious.seen reads as its owner'),
    })
    expect(await schemaExists('curious')).toBe(false)
  } finally {
    await app[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
})

test.each(['commit', 'ROLLBACK', 'set role socle_app', '/* ; */ savepoint a', 'reset role'])(
  'a migration that says "%s" does not begin',
  async (statement) => {
    const answer = await migrated('untidy', `create table own (note text default 'a; commit'); ${statement};`)
    expect(answer).toMatch(/^MIGRATION_FAILED: /)
    expect(await schemaExists('untidy')).toBe(false)
  },
)

test('a migration that fails in the middle leaves no schema and no column', async () => {
  expect(
    await migrated('untidy', 'create table own (id integer)', 'alter table own add column a integer; select 1 / 0'),
  ).toMatch(/^MIGRATION_FAILED: Migration 0002_step of untidy failed and was undone: division by zero/)
  expect(await schemaExists('untidy')).toBe(false)
})

test('P07: a migration that ran is frozen, but for its comments and the ends of its lines', async () => {
  const text = "-- Frozen.\ncreate table frost (word text default 'it; -- snows');\n"
  expect(await migrated('frozen', text)).toBe('0001_step')
  for (const same of [text, text.replaceAll('\n', '\r\n'), text.replace('-- Frozen.', '/* Cold. */'), `${text}\n\n`])
    expect(await migrated('frozen', same)).toBe('')
  for (const other of [text.replace('text', 'varchar'), text.replace('-- snows', '-- rains')])
    expect(await migrated('frozen', other, 'create table thaw (id integer)')).toMatch(
      /^MIGRATION_ALTERED: Migration 0001_step of frozen ran here and says something else now/,
    )
  expect((await sql`select to_regclass('frozen.thaw') as thaw`.execute(owner())).rows).toEqual([{ thaw: null }])
})

test('P07: what ran before prints were kept is frozen from the next start on', async () => {
  await migrated('older', 'create table frost (id integer)')
  await sql`alter table older.migration drop column print`.execute(owner())
  expect(await migrated('older', 'create table frost (id integer)')).toBe('')
  expect(await migrated('older', 'create table frost (id bigint)')).toMatch(/^MIGRATION_ALTERED: /)
})

test('P07: migrations run in their order, and those that ran stay', async () => {
  await migrated('ordered', 'create table first (id integer)', 'create table second (id integer)')
  expect(await migrated('ordered', 'create table first (id integer)')).toMatch(
    /^MIGRATION_ALTERED: Migration 0002_step of ordered ran here and is not among its files any more/,
  )
  await sql`delete from ordered.migration where name = '0001_step'`.execute(owner())
  expect(await migrated('ordered', 'create table first (id integer)', 'create table second (id integer)')).toMatch(
    /^MIGRATION_ALTERED: Migration 0001_step of ordered has not run here, and one that is numbered after it has/,
  )
})

test('a migration that fails leaves no lock behind, and one that runs waits two seconds for a lock', async () => {
  expect(await migrated('clumsy', 'create table own (id integer)', 'select nothing_of_the_kind')).toMatch(
    /^MIGRATION_FAILED: /,
  )
  const { rows: locks } = await sql`
    select objid from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`.execute(owner())
  expect(locks).toEqual([])
  await migrated('patient', "create table seen as select current_setting('lock_timeout') as patience")
  expect((await sql`select patience from patient.seen`.execute(owner())).rows).toEqual([{ patience: '2s' }])
})
