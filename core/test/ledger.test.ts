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
