import { helloPlugin } from '@socle/example-hello'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, type TestApp, type TestWorkspace } from '../src/testing/index.ts'

let app: TestApp

beforeAll(async () => {
  app = await createTestApp({ plugins: [helloPlugin], now: '2026-03-02T09:00:00Z' })
})
afterAll(() => app[Symbol.asyncDispose]())

const accounts = '/api/core/accounts'
const owner = () => app.app.kernel.parts.database.owner

async function company(): Promise<TestWorkspace & { write(name: string): Promise<Record<string, string>> }> {
  const workspace = await app.secondWorkspace()
  return {
    ...workspace,
    async write(name) {
      const { status, body, headers } = await workspace.admin.post(accounts, { name })
      expect(status, JSON.stringify(body)).toBe(201)
      return { id: body.data.id, changeSet: headers.get('x-change-set') ?? '' }
    },
  }
}

async function verification({ admin }: TestWorkspace) {
  const { status, body } = await admin.get('/api/core/audit/verification')
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data
}

/** What somebody with the owner's password can do: nothing holds them, but it shows. */
async function tamper(statement: ReturnType<typeof sql>): Promise<void> {
  await owner()
    .transaction()
    .execute(async (tx) => {
      for (const table of ['change', 'change_set', 'ledger_seal'])
        await sql.raw(`alter table core.${table} disable trigger user`).execute(tx)
      await statement.execute(tx)
      for (const table of ['change', 'change_set', 'ledger_seal'])
        await sql.raw(`alter table core.${table} enable trigger user`).execute(tx)
    })
}

describe('the ledger is append-only', () => {
  test('the application can neither change nor remove what it wrote, nor seal anything itself', async () => {
    const here = await company()
    await here.write('Written once')
    await verification(here)
    for (const statement of [
      `update core.change set fields = '{}'`,
      `delete from core.change`,
      `update core.change_set set actor_name = 'Somebody else'`,
      `delete from core.change_set`,
      `delete from core.ledger_seal`,
      `insert into core.ledger_seal select * from core.ledger_seal`,
      `select core.seal_ledger(core.current_workspace(), 10, true)`,
      `select core.trim_ledger(core.current_workspace(), now(), 10)`,
    ]) {
      await expect(
        here.inside(async (ctx) => sql.raw(statement).execute(ctx.sql)),
        statement,
      ).rejects.toThrow(/permission denied|must be owner/)
    }
    // Emptying a table is no statement of rows and does not come as far as the database, which would refuse it too.
    const { rows } = await sql<{ may: boolean }>`
      select bool_or(has_table_privilege('socle_app', name, 'truncate')) as may
      from unnest(array['core.change', 'core.change_set', 'core.ledger_seal']) as name`.execute(owner())
    expect(rows).toEqual([{ may: false }])
  })

  test('the tables refuse it to their owner, too, but for the blanking of values', async () => {
    const here = await company()
    const { changeSet } = await here.write('Marguerite Duval')
    for (const statement of [
      sql`update core.change set record = gen_random_uuid() where change_set = ${changeSet}::uuid`,
      sql`update core.change set fields = '{"name": [null, "Other"]}' where change_set = ${changeSet}::uuid`,
      sql`delete from core.change where change_set = ${changeSet}::uuid`,
      sql`update core.change_set set reason = 'another' where id = ${changeSet}::uuid`,
      sql`truncate core.change`,
    ]) {
      await expect(statement.execute(owner())).rejects.toThrow(/append-only/)
    }
    await sql`update core.change set fields = '{}', salt = null where change_set = ${changeSet}::uuid`.execute(owner())
    const { rows } = await sql`select 1 from core.change c where c::text like '%Marguerite%'`.execute(owner())
    expect(rows).toEqual([])
    expect(await verification(here)).toMatchObject({ fault: null, erased: 1 })
  })
})

describe('the chain', () => {
  test('holds every committed change set and verifies', async () => {
    const here = await company()
    const before = await verification(here)
    await Promise.all(['One', 'Two', 'Three', 'Four', 'Five'].map((name) => here.write(name)))
    const after = await verification(here)
    expect(after).toMatchObject({ fault: null, waiting: 0, checked: before.checked + 5 })
    expect(after.head.position).toBe(before.head.position + 5)
    expect(after.head.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(after.head.hash).not.toBe(before.head.hash)
  })

  test('two sealers at once chain each set once', async () => {
    const here = await company()
    await Promise.all(Array.from({ length: 20 }, (_, index) => here.write(`Account ${index}`)))
    const { ledger } = app.app
    await Promise.all([ledger.seal(here.workspace.id), ledger.sealAll(), ledger.seal(here.workspace.id)])
    const answer = await verification(here)
    expect(answer).toMatchObject({ fault: null, waiting: 0 })
    expect(answer.head.position).toBe(answer.checked)
  })

  const faults: readonly (readonly [string, string, (changeSet: string) => ReturnType<typeof sql>])[] = [
    [
      'a rewritten value',
      'values-altered',
      (id) =>
        sql`update core.change set fields = jsonb_set(fields, '{name,1}', '"Forged"') where change_set = ${id}::uuid`,
    ],
    [
      'a value rewritten together with its digest',
      'set-altered',
      (id) =>
        sql`update core.change c set fields = '{}', digest = sha256(salt || convert_to('{}', 'UTF8')) where change_set = ${id}::uuid`,
    ],
    ['another author', 'set-altered', (id) => sql`update core.change_set set actor_id = null where id = ${id}::uuid`],
    [
      'another author’s name',
      'values-altered',
      (id) => sql`update core.change_set set actor_name = 'Nobody' where id = ${id}::uuid`,
    ],
    ['a removed change', 'set-altered', (id) => sql`delete from core.change where change_set = ${id}::uuid`],
    [
      'a removed change set',
      'set-missing',
      (id) =>
        sql`with entries as (delete from core.change where change_set = ${id}::uuid) delete from core.change_set where id = ${id}::uuid`,
    ],
    [
      'a removed seal',
      'not-chained',
      (id) =>
        sql`delete from core.ledger_seal s where change_set = ${id}::uuid
          and position = (select max(position) from core.ledger_seal l where l.workspace = s.workspace)`,
    ],
    [
      'a seal put elsewhere',
      'link-broken',
      (id) => sql`update core.ledger_seal set prev_hash = hash, hash = sha256(hash || core.ledger_digest(h))
        from core.change_set h where h.id = change_set and change_set = ${id}::uuid`,
    ],
  ]
  for (const [what, kind, statement] of faults) {
    test(`${what} is found, and its change set named`, async () => {
      const here = await company()
      await here.write('Before')
      const { changeSet } = await here.write('Planted')
      if (kind !== 'not-chained') await here.write('After')
      expect(await verification(here)).toMatchObject({ fault: null })
      await tamper(statement(String(changeSet)))
      const { fault } = await verification(here)
      expect(fault).toMatchObject({ kind, changeSet })
      expect(fault.detail).toContain(changeSet)
    })
  }

  test('stays verifiable from its checkpoint after what is past 36 months went', async () => {
    const here = await company()
    const old = await here.write('Old')
    const { head } = await verification(here)
    app.clock.set('2029-02-01T09:00:00Z')
    await here.write('Recent')
    await verification(here)
    await app.app.ledger.trimAll()
    expect(await verification(here)).toMatchObject({ fault: null, checkpoint: null })
    app.clock.set('2029-03-03T09:00:00Z')
    await app.app.ledger.trimAll()
    const left = await verification(here)
    expect(left).toMatchObject({ fault: null, checked: 1, checkpoint: { position: head.position, hash: head.hash } })
    expect((await here.admin.get(`${accounts}/${old.id}/history`)).body.data).toEqual([])
    app.clock.set('2026-03-02T09:00:00Z')
  })

  test('is kept as long as the company chose, and the past is read no further back', async () => {
    const [short, usual] = [await company(), await company()]
    expect((await short.admin.patch('/api/core/workspace', { ledgerMonths: 12 })).status).toBe(200)
    const kept = await Promise.all([short, usual].map(async (here) => ({ here, id: (await here.write('Old')).id })))
    for (const { here } of kept) await verification(here)
    app.clock.set('2027-04-02T09:00:00Z')
    await app.app.ledger.trimAll()
    const changes = async ({ here, id }: (typeof kept)[number]) =>
      (await here.admin.get(`${accounts}/${id}/history`)).body.data.length
    expect(await Promise.all(kept.map(changes))).toEqual([0, 1])
    const past = ({ here, id }: (typeof kept)[number]) => here.admin.get(`${accounts}/${id}?asOf=2026-03-10T09:00:00Z`)
    expect(await past(kept[0]!)).toMatchObject({ status: 422, body: { code: 'AS_OF_UNKNOWN' } })
    expect((await past(kept[1]!)).status).toBe(200)
    app.clock.set('2026-03-02T09:00:00Z')
  })

  test('that was kept for a shorter time in between tells nothing of what went then', async () => {
    const here = await company()
    const { id } = await here.write('Lengthened')
    await verification(here)
    const months = async (ledgerMonths: number) =>
      expect((await here.admin.patch('/api/core/workspace', { ledgerMonths })).status).toBe(200)
    await months(12)
    app.clock.set('2027-04-02T09:00:00Z')
    await app.app.ledger.trimAll()
    await months(36)
    const past = (asOf: string) => here.admin.get(`${accounts}/${id}?asOf=${asOf}`)
    const unknown = await past('2026-03-10T09:00:00Z')
    expect(unknown).toMatchObject({ status: 422, body: { code: 'AS_OF_UNKNOWN' } })
    expect(unknown.body.detail).toContain('2026-04-02T09:00:00')
    expect((await past('2026-04-03T09:00:00Z')).status).toBe(200)
    app.clock.set('2026-03-02T09:00:00Z')
  })

  test('a version older than the ledger reaches overwrites nothing unseen', async () => {
    const here = await company()
    const { id } = await here.write('Forgotten')
    expect((await here.admin.patch(`${accounts}/${id}`, { version: 1, city: 'Metz' })).status).toBe(200)
    await verification(here)
    app.clock.set('2029-03-03T09:00:00Z')
    await app.app.ledger.trimAll()
    expect(await here.admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lille' })).toMatchObject({
      status: 409,
      body: { code: 'VERSION_CONFLICT', current: { version: 2, city: 'Metz' } },
    })
    expect((await here.admin.patch(`${accounts}/${id}`, { version: 2, city: 'Lille' })).status).toBe(200)
    app.clock.set('2026-03-02T09:00:00Z')
  })

  test('is verified by who may read the audit, and by nobody else', async () => {
    const member = await app.as({ may: ['core.account.read'] })
    expect(await member.get('/api/core/audit/verification')).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
  })
})

describe('the audit', () => {
  test('tells who switched a module on and off', async () => {
    const here = await company()
    await here.admin.post('/api/core/plugins/hello/disable', {})
    await here.admin.post('/api/core/plugins/hello/enable', {})
    const { body } = await here.admin.get('/api/core/audit?resource=core.plugin')
    expect(body.data).toMatchObject([
      {
        actor: { name: 'Claire Admin' },
        mayUndo: false,
        changes: [{ title: 'hello', changes: [{ field: 'state', old: 'disabled', new: 'enabled' }] }],
      },
      {
        actor: { name: 'Claire Admin' },
        changes: [{ title: 'hello', changes: [{ field: 'state', old: 'enabled', new: 'disabled' }] }],
      },
      { actor: { name: 'Socle' } },
    ])
  })
})

test('what hangs on a change set or an import is found by an index when that ends', async () => {
  const { rows } = await sql<{ key: string }>`
    select c.conrelid::regclass || ' ' || pg_get_constraintdef(c.oid) as key from pg_constraint c
    where c.contype = 'f' and c.confdeltype = 'c' and c.confrelid in ('core.change_set'::regclass, 'core.import'::regclass)
      and not exists (
        select from pg_index i where i.indrelid = c.conrelid
          and c.conkey <@ (i.indkey::int2[])[0:cardinality(c.conkey) - 1])`.execute(owner())
  expect(rows).toEqual([])
})

test('a workspace that ends takes with it all that was written beside its records', async () => {
  const ending = await company()
  const { id } = await ending.write('Maison Éphémère')
  await ending.admin.patch(`${accounts}/${id}`, { version: 1, city: 'Lyon' })
  await app.app.ledger.seal(ending.workspace.id)
  await ending.write('Garonne Éphémère')
  const { rows: tables } = await sql<{ name: string }>`
    select a.attrelid::regclass::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attname = 'workspace' and c.relkind = 'r' and c.relnamespace = 'core'::regnamespace`.execute(owner())
  const left = async () => {
    const counts = await Promise.all(
      tables.map(async ({ name }) => {
        const { rows } = await sql<{ n: number }>`
          select count(*)::integer as n from ${sql.raw(name)} where workspace = ${ending.workspace.id}::uuid`.execute(
          owner(),
        )
        return [name, rows[0]?.n] as const
      }),
    )
    return Object.fromEntries(counts.filter(([, n]) => n !== 0))
  }
  const beside = ['change', 'change_set', 'event', 'search_document', 'search_word', 'search_near', 'duplicate_key']
  expect(Object.keys(await left())).toEqual(
    expect.arrayContaining(
      [...beside, 'duplicate_due', 'ledger_pending', 'ledger_seal'].map((table) => `core.${table}`),
    ),
  )
  await sql`delete from core.workspace where id = ${ending.workspace.id}::uuid`.execute(owner())
  expect(await left()).toEqual({})
})
