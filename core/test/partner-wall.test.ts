import { sql } from 'kysely'
import { helloPlugin } from '@socle/example-hello'
import { salesPlugin } from '@socle/sales'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sql } from '../src/database/database.ts'
import type { SessionContext, WallSide } from '../src/database/session.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'
import { atlas, boreal, dealsPlugin, made, personOf } from './partner-world.ts'

let app: TestApp
let ana: TestClient
let bert: TestClient
let tables: string[]

const now = new Date()
const side = (partner: string): WallSide => ({ partners: [partner], now })

beforeAll(async () => {
  app = await createTestApp({ plugins: [salesPlugin, helloPlugin, dealsPlugin] })
  ana = await app.as(personOf(atlas, 'Ana Atlas-marker'))
  bert = await app.as(personOf(boreal, 'Bert Boreal-marker'))
  const account = await app.admin.post('/api/core/accounts', { name: 'House-marker Garonne', siren: '732829320' })
  await app.admin.post('/api/core/contacts', { lastName: 'House-marker', account: account.body.data.id })
  await sql`
    insert into core.consent_wording (workspace, hash, wording, at) values (${app.workspace.id}::uuid, 'h', 'House-marker', now())`.execute(
    app.app.kernel.parts.database.owner,
  )
  await sql`
    insert into core.suppression (workspace, address_hash, channel, reason, at) values (${app.workspace.id}::uuid, 'House-marker', 'mail', 'manual', now())`.execute(
    app.app.kernel.parts.database.owner,
  )
  await sql`
    insert into core.tombstone (workspace, kind, hash, run, at) values (${app.workspace.id}::uuid, 'email', '\\xabcd', ${uuidv7()}::uuid, now())`.execute(
    app.app.kernel.parts.database.owner,
  )
  await app.admin.post('/api/core/leads', { lastName: 'House-marker' })
  await app.admin.post('/api/core/activities', { subject: 'House-marker', account: account.body.data.id })
  await app.admin.post('/api/sales/opportunities', {
    name: 'House-marker',
    account: account.body.data.id,
    amount: '10',
  })
  await app.admin.post('/api/hello/greetings', { text: 'House-marker' })
  await app.admin.post('/api/deals/deals', { name: 'House-marker', allowDuplicate: true })
  await app.admin.post('/api/core/views', { name: 'House-marker', resource: 'core.account', scope: 'shared' })
  for (const [client, name] of [
    [ana, 'Atlas-marker'],
    [bert, 'Boreal-marker'],
  ] as const) {
    const { id } = made(await client.post('/api/deals/deals', { name, amount: '5' }, { 'idempotency-key': name }))
    made(await client.patch(`/api/deals/deals/${id}`, { version: 1, name: `${name} changed` }))
    made(await client.post('/api/core/views', { name, resource: 'deals.deal' }))
    made(await client.post('/api/core/exports', { resource: 'deals.deal', format: 'csv', filter: `name ~ "${name}"` }))
  }
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and n.nspname in ('core', 'sales', 'hello', 'deals') and a.attname = 'workspace'
    order by 1`.execute(app.app.kernel.parts.database.owner)
  tables = rows.map(({ name }) => name)
})
afterAll(() => app[Symbol.asyncDispose]())

/** Rows as text, through the application's own connection; none where its role has no right at all. */
async function rowsOf(context: SessionContext, table: string): Promise<string[]> {
  try {
    const { rows } = await app.app.kernel.parts.database.transaction(context, (tx) =>
      sql<{ row: string }>`select t::text as row from ${sql.raw(table)} t`.execute(tx),
    )
    return rows.map(({ row }) => row)
  } catch (error) {
    expect(String(error)).toContain('permission denied')
    return []
  }
}

const inside = <T>(client: TestClient, partner: WallSide, work: (tx: Sql) => Promise<T>) =>
  app.app.kernel.parts.database.transaction({ workspace: app.workspace.id, actor: client.who.actor.id!, partner }, work)

test('where nobody said for whom the work is, no row of any table of the workspace is to be seen', async () => {
  expect(tables.length).toBeGreaterThan(40)
  const unsaid = { workspace: app.workspace.id, actor: app.admin.who.actor.id } as unknown as SessionContext
  for (const table of tables) expect(await rowsOf(unsaid, table), table).toEqual([])
})

/** Whose guests they are, and which modules are on there. */
const nobodysSecret = new Set(['core.workspace', 'core.plugin_workspace'])

test('what the house has is in no table a partner session reads', async () => {
  const stranger: SessionContext = { workspace: app.workspace.id, actor: uuidv7(), partner: side(uuidv7()) }
  for (const table of tables) {
    const rows = await rowsOf(stranger, table)
    expect(nobodysSecret.has(table) ? [] : rows, table).toEqual([])
  }
})

test('of two partners each session reads its own rows and not one that names the other or the house', async () => {
  const seen = new Set<string>()
  for (const [client, partner, own] of [
    [ana, atlas, 'Atlas-marker'],
    [bert, boreal, 'Boreal-marker'],
  ] as const) {
    const other = own === 'Atlas-marker' ? 'Boreal-marker' : 'Atlas-marker'
    const context = { workspace: app.workspace.id, actor: client.who.actor.id!, partner: side(partner) }
    for (const table of tables) {
      const rows = await rowsOf(context, table)
      expect(
        rows.filter((row) => row.includes(other) || row.includes('House-marker')),
        table,
      ).toEqual([])
      if (rows.some((row) => row.includes(own))) seen.add(table)
    }
  }
  expect([...seen].toSorted()).toEqual(
    expect.arrayContaining([
      'core.change',
      'core.change_set',
      'core.export',
      'core.idempotency',
      'core.member',
      'core.view',
      'deals.deal',
    ]),
  )
})

test('no row of others is written, taken over or handed on from a partner session', async () => {
  for (const table of tables) {
    const touched = await inside(ana, side(atlas), async (tx) => {
      const { rows } = await sql<{ n: number }>`
        with gone as (delete from ${sql.raw(table)} t where t::text like '%Boreal-marker%' or t::text like '%House-marker%' returning 1)
        select count(*)::integer as n from gone`.execute(tx)
      return rows[0]?.n
    }).catch((error: unknown) => {
      expect(String(error), table).toContain('permission denied')
      return 0
    })
    expect(touched, table).toBe(0)
  }
  const insert = (partner: string) =>
    inside(ana, side(atlas), (tx) =>
      sql`insert into deals.deal (id, workspace, name, partner) values (gen_random_uuid(), ${app.workspace.id}::uuid, 'Intruder', ${partner}::uuid)`.execute(
        tx,
      ),
    )
  await expect(insert(boreal)).rejects.toThrow(/row-level security/)
  const handOn = inside(ana, side(atlas), (tx) => sql`update deals.deal set partner = ${boreal}::uuid`.execute(tx))
  await expect(handOn).rejects.toThrow(/row-level security/)
  const promote = inside(ana, side(atlas), (tx) =>
    sql`update core.member set partners = partners || ${JSON.stringify([boreal])}::jsonb`.execute(tx),
  )
  await expect(promote).rejects.toThrow(/may not say whom somebody stands for/)
  const account = inside(ana, side(atlas), (tx) =>
    sql`insert into core.account (id, workspace, name) values (gen_random_uuid(), ${app.workspace.id}::uuid, 'Intruder')`.execute(
      tx,
    ),
  )
  await expect(account).rejects.toThrow(/row-level security/)
})

test('functions of the tables’ owner end at the wall too', async () => {
  const keys = JSON.stringify([{ kind: 'name', value: 'House-marker Garonne', near: true, probe: 0, finds: 'close' }])
  const alike = (tx: Sql) =>
    sql`select record from core.duplicate_find('core.account', ${keys}::jsonb, 10, 0.5::real)`.execute(tx)
  expect((await inside(app.admin, '*', alike)).rows).toHaveLength(1)
  const found = await inside(ana, side(atlas), async (tx) => {
    const search = await sql<{ title: string }>`
      select title from core.search_find(array['marker'], '', true, array['core.account', 'deals.deal', 'core.user'], '{}', '{}', null, '{}', '{}', 50, 5)`.execute(
      tx,
    )
    const ids = await sql<{ id: string }>`
      select core.search_ids(array['marker'], '', true, 'core.account', true, null, '{}', '{}') as id`.execute(tx)
    return { titles: search.rows.map(({ title }) => title), ids: ids.rows, alike: (await alike(tx)).rows }
  })
  expect(found.titles).toEqual(['Atlas-marker changed'])
  expect(found).toMatchObject({ ids: [], alike: [] })
  const put = inside(ana, side(atlas), (tx) =>
    sql`select core.search_put('deals.deal', gen_random_uuid(), null, null, ${boreal}::uuid, 'Intruder', '')`.execute(
      tx,
    ),
  )
  await expect(put).rejects.toThrow(/may not have/)
  // One that is not theirs is not passed over among theirs.
  const several = JSON.stringify(
    [atlas, boreal].map((reader) => ({
      record: uuidv7(),
      reader,
      title: 'Intruder',
      words: '',
      keys: [{ kind: 'email', value: 'intruder@example.com' }],
    })),
  )
  for (const [name, refusal] of [
    ['core.search_put', /may not have/],
    ['core.duplicate_put', /may not give keys/],
  ] as const) {
    const together = inside(ana, side(atlas), (tx) =>
      sql`select ${sql.ref(name)}('deals.deal', ${several}::jsonb)`.execute(tx),
    )
    await expect(together).rejects.toThrow(refusal)
  }
})

test('whether somebody may be written to is answered alike on both sides, by functions alone', async () => {
  const asked = (tx: Sql) =>
    sql`select core.contact_refusal('mail', 'House-marker', null, null) as refusal, t.found, t.is_empty
      from core.tombstone_stands(array['email'], array['abcd']) t`.execute(tx)
  const expected = [{ refusal: 'suppressed', found: true, is_empty: false }]
  expect((await inside(ana, side(atlas), asked)).rows).toEqual(expected)
  expect((await inside(app.admin, '*', asked)).rows).toEqual(expected)
})

test('nobody makes a record of others found under their own, nor compares with its keys', async () => {
  const owner = app.app.kernel.parts.database.owner
  const { rows } = await sql<{ id: string }>`
    select id from core.account where workspace = ${app.workspace.id}::uuid and name = 'House-marker Garonne'`.execute(
    owner,
  )
  const id = rows[0]?.id
  const keys = JSON.stringify([{ kind: 'name', value: 'House-marker Garonne', near: true, probe: 0, finds: 'close' }])
  const claim = inside(ana, side(atlas), (tx) =>
    sql`select core.duplicate_put('core.account', ${id}::uuid, ${atlas}::uuid, ${keys}::jsonb)`.execute(tx),
  )
  await expect(claim).rejects.toThrow(/may not give keys/)
  await sql`
    insert into core.share (id, workspace, resource, record, partner, access)
    values (${uuidv7()}::uuid, ${app.workspace.id}::uuid, 'core.account', ${id}::uuid, ${atlas}::uuid, 'write')`.execute(
    owner,
  )
  try {
    await inside(ana, side(atlas), (tx) =>
      sql`select core.search_put('core.account', ${id}::uuid, null, null, ${atlas}::uuid, 'Taken over', '')`.execute(
        tx,
      ),
    )
    const documents = await sql<{ reader: string | null; title: string }>`
      select reader, title from core.search_document where record = ${id}::uuid`.execute(owner)
    expect(documents.rows).toEqual([{ reader: null, title: 'House-marker Garonne' }])
    await inside(ana, side(atlas), async (tx) => {
      await sql`select core.search_drop('core.account', ${id}::uuid)`.execute(tx)
      await sql`select core.search_put('core.account', ${id}::uuid, null, null, null, 'House-marker Garonne', '')`.execute(
        tx,
      )
    })
  } finally {
    await sql`delete from core.share where record = ${id}::uuid`.execute(owner)
  }
})

test('when a delivery of another company is due is told nobody', async () => {
  const { rows } = await sql<{ open: boolean }>`
    select exists (select from aclexplode(p.proacl) a where a.grantee = 0) or p.proacl is null as open
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'core' and p.prosecdef and p.prorettype <> 'trigger'::regtype
      and (exists (select from aclexplode(p.proacl) a where a.grantee = 0) or p.proacl is null)`.execute(
    app.app.kernel.parts.database.owner,
  )
  expect(rows).toEqual([])
})

test('every table of a workspace says what partner sessions find in it', async () => {
  const { rows } = await sql<{ name: string }>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and n.nspname in ('core', 'sales', 'hello', 'deals') and a.attname = 'workspace'
      and has_table_privilege('socle_app', c.oid, 'select')
      and not exists (select from pg_policy q where q.polrelid = c.oid and (q.polname = 'partner_select'
        or (q.polname = 'workspace' and pg_get_expr(q.polqual, q.polrelid) like '%current_house()%')))`.execute(
    app.app.kernel.parts.database.owner,
  )
  expect(rows).toEqual([])
})

test('the wall takes no index from the lists of the house, and reads its settings once a statement', async () => {
  const plans = await app.app.kernel.parts.database.transaction(
    { workspace: app.workspace.id, partner: '*' },
    async (tx) => {
      const plan = async (statement: string) => {
        const { rows } = await sql<{ 'QUERY PLAN': string }>`${sql.raw(`explain (costs off) ${statement}`)}`.execute(tx)
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      }
      return {
        closed: await plan(
          `select id, name from core.contact where workspace = '${app.workspace.id}' and deleted_at is null order by name collate "und-x-icu", id limit 50`,
        ),
        shared: await plan(
          `select id, name from core.account where workspace = '${app.workspace.id}' and deleted_at is null order by name collate "und-x-icu", id limit 50`,
        ),
        partners: await plan(
          `select id from deals.deal where workspace = '${app.workspace.id}' and deleted_at is null order by created_at desc, id desc limit 50`,
        ),
      }
    },
  )
  expect(plans.closed).toContain('contact_by_name')
  // Both walls are one comparison of a closed table, made before its first row is read.
  expect(plans.closed).not.toMatch(/\n +Filter:/)
  expect(plans.shared).toContain('account_by_name')
  expect(plans.partners).toContain('deal_newest')
  // No function is called for a row: what filters a row has only parameters and columns.
  for (const plan of Object.values(plans)) expect(plan).not.toMatch(/(?:Filter|Cond): .*(?:is_open|current_)/)
})
