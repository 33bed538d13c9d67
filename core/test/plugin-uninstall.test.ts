import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { createGunzip, gunzipSync, gzipSync } from 'node:zlib'
import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createTestApp,
  makeTestDatabase,
  type TestApp,
  type TestDatabase,
  type TestWorkspace,
} from '../src/testing/index.ts'
import { cancelJob } from '../src/jobs/control.ts'
import { operationLost } from '../src/plugins/errors.ts'
import { carryOut } from '../src/plugins/removal/carry-out.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { packedBadges } from './packed-plugins.ts'
import { lockPlugin, vaultPlugin } from './vault-plugin.ts'

let made: TestDatabase
let app: TestApp

const now = '2026-03-02T09:00:00Z'
const vault = vaultPlugin()

async function start(plugins = [vault], enable = plugins.map(({ id }) => id)): Promise<TestApp> {
  return createTestApp({ plugins, enable, database: made, now })
}

beforeEach(async () => {
  made = await makeTestDatabase()
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  await made.drop()
})

const owner = () => made.database.owner

/** Asks for work, lets it be done and answers how it ended. */
async function done(path: string, body: object, here: TestWorkspace = app) {
  const asked = await here.admin.post(path, body)
  expect(asked.status, JSON.stringify(asked.body)).toBe(202)
  await app.app.jobs.runUntilIdle()
  return (await here.admin.get(`/api/core/jobs/${asked.body.data.job}`)).body.data
}
const uninstall = (body: object, plugin = 'vault') => done(`/api/core/plugins/${plugin}/uninstall`, body)
const archives = async (here: TestWorkspace = app) => (await here.admin.get('/api/core/plugin-archives')).body.data
const cardOf = async (id = 'vault') =>
  (await app.admin.get('/api/core/plugins')).body.data.find((it: { id: string }) => it.id === id)

/** Rows of every table of the schema, as PostgreSQL writes them. */
async function rowsOf(schema = 'vault'): Promise<Record<string, string[]>> {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = ${schema} and tablename not like 'migration%' order by 1`.execute(
    owner(),
  )
  const all: Record<string, string[]> = {}
  for (const { name } of rows) {
    const found = await sql<{
      row: string
    }>`select t::text as row from ${sql.table(`${schema}.${name}`)} t order by 1`.execute(owner())
    all[name] = found.rows.map(({ row }) => row)
  }
  return all
}

/** Every object of the database, but those of the job queue. */
async function catalogDump(): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select 'schema ' || nspname as what from pg_namespace where nspname !~ '^pg_' and nspname <> 'jobs'
    union all select 'relation ' || n.nspname || '.' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(c.relacl::text, '') || c.relrowsecurity || c.relforcerowsecurity
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' and n.nspname <> 'jobs'
    union all select 'column ' || c.oid::regclass::text || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^pg_' and n.nspname <> 'jobs' and a.attnum > 0 and not a.attisdropped
    union all select 'constraint ' || k.conrelid::regclass::text || ' ' || pg_get_constraintdef(k.oid) from pg_constraint k
      join pg_namespace n on n.oid = k.connamespace where n.nspname !~ '^pg_' and n.nspname <> 'jobs' and k.conrelid <> 0
    union all select 'function ' || p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname !~ '^pg_' and n.nspname not in ('jobs', 'information_schema')
    union all select 'policy ' || polrelid::regclass::text || ' ' || polname from pg_policy
    union all select 'trigger ' || tgrelid::regclass::text || ' ' || tgname from pg_trigger where not tgisinternal
    union all select 'type ' || n.nspname || '.' || t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where n.nspname !~ '^pg_' and n.nspname <> 'jobs'
    order by 1`.execute(owner())
  return rows.map(({ what }) => what)
}

/** What is append-only, and proves what was done. */
const ledgers = new Set(['change', 'change_set', 'event', 'ledger_pending', 'ledger_seal', 'ledger_checkpoint'])

/** Rows of the core in which a word stands. */
async function naming(word: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'core' order by 1`.execute(owner())
  const found: string[] = []
  for (const { name } of rows) {
    if (ledgers.has(name)) continue
    const hits = await sql<{ row: string }>`
      select t::text as row from ${sql.table(`core.${name}`)} t where t::text ~ ${`\\m${word}\\M`}`.execute(owner())
    found.push(...hits.rows.map(({ row }) => `${name}: ${row}`))
  }
  return found
}

/** Fills a workspace with something in every table and every place that names the plugin. */
async function fill(here: TestWorkspace = app) {
  const { admin, workspace } = here
  const post = async (path: string, body: object) => {
    const answer = await admin.post(path, body)
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBeLessThan(300)
    return answer.body.data
  }
  const account = await post('/api/core/accounts', { name: 'Maison Garonne', vaultShelf: 'third' })
  const away = await post('/api/core/accounts', { name: 'Vallée', allowDuplicate: true })
  const box = await post('/api/vault/boxes', { name: 'Tin box' })
  await post('/api/vault/boxes', { name: 'Oak box' })
  await post('/api/core/fields', {
    resource: 'vault.box',
    name: 'colour',
    type: 'text',
    labelEn: 'Colour',
    labelFr: 'Couleur',
    indexed: true,
  })
  await post('/api/core/fields', {
    resource: 'core.account',
    name: 'safe',
    type: 'reference',
    target: 'vault.box',
    labelEn: 'Safe',
    labelFr: 'Coffre',
  })
  await admin.patch(`/api/core/accounts/${account.id}`, { version: account.version, safe: box.id })
  await admin.patch(`/api/vault/boxes/${box.id}`, { version: 1, colour: 'green' })
  await post('/api/core/views', { resource: 'vault.box', name: 'Tins', filter: 'name ~ "tin"' })
  await post('/api/core/activities', { type: 'note', subject: 'Looked into it', resource: 'vault.box', record: box.id })
  await admin.patch('/api/core/plugins/vault/settings', { version: 0, values: { limit: 9, token: 'hush' } })
  const reader = await here.as({ may: ['vault.box.read', 'core.account.read'] })
  await post('/api/core/shares', { resource: 'vault.box', records: [box.id], user: reader.who.actor.id })
  await post('/api/core/exports', { resource: 'vault.box', format: 'csv' })
  await app.app.jobs.runUntilIdle()
  const [one, two, three, twin] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()]
  await sql`
    insert into vault.thing (id, workspace, parent, account, owner_account, words, facts, price, at, bytes, day, flag, ratio, span) values
      (${one}, ${workspace.id}, null, ${away.id}, null, array['a"b', null, 'é,{}'], '{"a": [1, null, "x\\u00e9"], "b": 12345678901234567890.5}',
        123456789012345.6789, '2026-03-02 09:00:00.123456+02', '\\x00ff10', '0044-03-15 BC', true, 0.1, '1 year 2 mons -3 days 04:05:06.7'),
      (${two}, ${workspace.id}, ${one}, null, ${away.id}, '{}', 'null', -0.0001, 'infinity', '', null, false, 'NaN', null),
      (${three}, ${workspace.id}, ${one}, null, null, null, null, null, null, null, null, null, null, null)`.execute(
    owner(),
  )
  await sql`insert into vault.twin (id, workspace, thing) values (${twin}, ${workspace.id}, ${one})`.execute(owner())
  await sql`update vault.thing set twin = ${twin} where id = ${one}`.execute(owner())
  await sql`insert into vault.nameless values (${workspace.id}, 'b', 2), (${workspace.id}, 'a', 1), (${workspace.id}, null, null)`.execute(
    owner(),
  )
  return { account, away, box, reader, things: [one, two, three] }
}

describe('P09: an archive', () => {
  test('put away, reinstalled and restored gives equal checksums, and its fields, views, shares and rights back', async () => {
    app = await start()
    const { box, reader } = await fill()
    const before = await rowsOf()
    const keeper = await sql`select grants, fields, template from core.role where template = 'vault.keeper'`.execute(
      owner(),
    )
    const job = await uninstall({ mode: 'archive' })
    expect(job).toMatchObject({ state: 'done', result: { mode: 'archive', troubles: [] } })
    expect(await rowsOf()).toEqual({})
    expect((await app.admin.get('/api/vault/boxes')).status).toBe(404)
    const [archive] = await archives()
    expect(archive).toMatchObject({ plugin: 'vault', title: 'Vault', version: '1.0.0', whole: true, installed: null })
    expect(archive.checksums['vault.thing']).toMatchObject({ rows: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })

    expect((await app.admin.post('/api/core/plugins/vault/install')).status).toBe(201)
    expect((await rowsOf())['box']).toEqual([])
    const restored = await done('/api/core/plugins/vault/restore', { archive: archive.id })
    expect(restored).toMatchObject({ state: 'done', result: { left: 0 } })
    expect(await rowsOf()).toEqual(before)
    expect(
      await sql`select grants, fields, template from core.role where template = 'vault.keeper'`.execute(owner()),
    ).toMatchObject({ rows: keeper.rows })

    await app.admin.post('/api/core/plugins/vault/enable')
    expect((await app.admin.get(`/api/vault/boxes/${box.id}`)).body.data).toMatchObject({
      name: 'Tin box',
      colour: 'green',
    })
    expect((await app.admin.get('/api/core/search?q=tin')).body.data).toContainEqual(
      expect.objectContaining({ id: box.id }),
    )
    expect((await app.admin.get('/api/core/views?filter=resource = "vault.box"')).body.data).toMatchObject([
      { name: 'Tins' },
    ])
    expect((await reader.get(`/api/vault/boxes/${box.id}`)).status).toBe(200)
    expect((await app.admin.get('/api/core/plugins/vault/settings')).body.data).toMatchObject({
      values: { limit: 9 },
      given: [],
    })
    await uninstall({ mode: 'archive' })
    const sums = (await archives()).map(({ checksums }: { checksums: Record<string, unknown> }) =>
      Object.fromEntries(Object.entries(checksums).filter(([table]) => table.startsWith('vault.'))),
    )
    expect(sums).toHaveLength(2)
    expect(sums[0]).toEqual(sums[1])
  })

  test('is one file of lines that say what they are, and leaves sealed secrets out', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    const [{ id, sha256 }] = await archives()
    const file = await app.admin.raw('GET', `/api/core/plugin-archives/${id}/file`)
    expect(JSON.stringify((await app.admin.get('/api/core/audit')).body.data)).toContain('"downloaded"')
    expect(file.headers.get('content-disposition')).toContain('vault-1.0.0-2026-03-02.ndjson.gz')
    const lines = (await text(Readable.fromWeb(file.body as never).pipe(createGunzip()))).trimEnd().split('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      plugin: 'vault',
      version: '1.0.0',
      workspace: null,
      migrations: ['0001_vault'],
    })
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ sha256 })
    expect(lines.join('\n')).toContain('"123456789012345.6789"')
    expect(lines.join('\n')).not.toMatch(/plugin_secret|hush/)
  })

  test('leaves out what belongs to an account that is gone since, and empties what only points at it', async () => {
    app = await start()
    const { away, things } = await fill()
    await uninstall({ mode: 'archive' })
    await sql`delete from core.account where id = ${away.id}`.execute(owner())
    await app.admin.post('/api/core/plugins/vault/install')
    const [{ id }] = await archives()
    expect(await done('/api/core/plugins/vault/restore', { archive: id })).toMatchObject({
      state: 'done',
      result: { left: 2 },
    })
    const { rows } = await sql<{
      id: string
      account: string | null
    }>`select id, account from vault.thing order by position`.execute(owner())
    expect(rows).toEqual([things[0], things[2]].map((it) => ({ id: it, account: null })))
  })

  test('is restored into its own version alone, into empty tables, and while the module is off', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    const [{ id }] = await archives()
    const restore = () => app.admin.post('/api/core/plugins/vault/restore', { archive: id })
    expect((await restore()).body).toMatchObject({ status: 404, code: 'PLUGIN_UNKNOWN' })
    await app.admin.post('/api/core/plugins/vault/install')
    await app.admin.post('/api/core/plugins/vault/enable')
    expect((await restore()).body).toMatchObject({ status: 409, code: 'PLUGIN_STILL_ON' })
    await app.admin.post('/api/vault/boxes', { name: 'New box' })
    await app.admin.post('/api/core/plugins/vault/disable')
    const asked = await done('/api/core/plugins/vault/restore', { archive: id })
    expect(asked).toMatchObject({ state: 'failed', error: { code: 'DATA_PRESENT' } })
    await sql`update core.plugin set version = '1.1.0' where id = 'vault'`.execute(owner())
    expect((await restore()).body).toMatchObject({
      status: 409,
      code: 'ARCHIVE_OF_OTHER_VERSION',
      detail: expect.stringMatching(/1\.0\.0.*1\.1\.0/),
    })
  })

  test('gives roles their rights back where a process died between its rows and them', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    const [{ id }] = await archives()
    await app.admin.post('/api/core/plugins/vault/install')
    const job = await done('/api/core/plugins/vault/restore', { archive: id })
    const held = async () =>
      (await sql<{ id: string }>`select id from core.role where grants::text ~ 'vault[.]box'`.execute(owner())).rows
    const before = await held()
    expect(before.length).toBeGreaterThan(0)
    await sql`update core.role set grants = '[]', fields = '[]', template = null where grants::text ~ 'vault[.]box'`.execute(
      owner(),
    )
    await sql`update core.job set state = 'queued', handed_at = null, finished_at = null where id = ${job.id}`.execute(
      owner(),
    )
    await app.app.jobs.runUntilIdle()
    expect(await held()).toEqual(before)
  })

  test('larger than two gibibytes is listed like any other', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    await sql`update core.plugin_archive set size = 3000000000`.execute(owner())
    expect(await archives()).toMatchObject([{ plugin: 'vault', size: 3_000_000_000 }])
  })

  test('that was altered is refused, with nothing changed', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    const [{ id }] = await archives()
    await app.admin.post('/api/core/plugins/vault/install')
    await sql`update core.file_piece set bytes = set_byte(bytes, length(bytes) / 2, 255 - get_byte(bytes, length(bytes) / 2)) where file = ${id}`.execute(
      owner(),
    )
    expect(await done('/api/core/plugins/vault/restore', { archive: id })).toMatchObject({
      state: 'failed',
      error: { code: 'ARCHIVE_UNREADABLE' },
    })
    expect((await rowsOf())['box']).toEqual([])
  })

  test('of another workspace cannot be told from an absent one, is kept by the nightly sweep, and is deleted by its own', async () => {
    app = await start()
    await fill()
    await uninstall({ mode: 'archive' })
    const other = await createOther()
    const [{ id }] = await archives()
    expect(await archives(other)).toEqual([])
    expect((await other.admin.raw('GET', `/api/core/plugin-archives/${id}/file`)).status).toBe(404)
    expect((await other.admin.delete(`/api/core/plugin-archives/${id}`)).body).toMatchObject({
      status: 404,
      code: 'ARCHIVE_NOT_FOUND',
    })
    app.clock.advance('P3D')
    await app.app.jobs.runUntilIdle()
    app.clock.advance('P1D')
    await app.app.jobs.runUntilIdle()
    expect((await app.admin.raw('GET', `/api/core/plugin-archives/${id}/file`)).status).toBe(200)
    expect((await app.admin.delete(`/api/core/plugin-archives/${id}`)).status).toBe(204)
    expect((await sql`select from core.file_piece where file = ${id}`.execute(owner())).rows).toEqual([])
  })
})

describe('P09: the preview', () => {
  /** Rows by table, as the archive says and as the preview does. */
  const heldBy = ({ checksums }: { checksums: Record<string, { rows: number }> }) =>
    Object.fromEntries(Object.entries(checksums).flatMap(([table, { rows }]) => (rows > 0 ? [[table, rows]] : [])))
  const counted = ({ tables, beside }: Record<'tables' | 'beside', { table: string; rows: number }[]>) =>
    Object.fromEntries([...tables, ...beside].flatMap(({ table, rows }) => (rows > 0 ? [[table, rows]] : [])))

  test('counts what the archive will hold, table by table, and which of it the platform keeps', async () => {
    app = await start()
    const other = await app.secondWorkspace()
    await fill()
    await fill(other)
    await app.admin.post('/api/core/plugins/vault/disable')
    const here = (await app.admin.get('/api/core/plugins/vault/data')).body.data
    expect(here.beside).toContainEqual({ table: 'core.view', rows: 1, bytes: expect.any(Number) })
    await done('/api/core/plugins/vault/data', { mode: 'archive' })
    const [part] = await archives()
    expect(counted(here)).toEqual(heldBy(part))
    expect(part).toMatchObject({ rows: here.archived, own: here.rows })
    await done('/api/core/plugins/vault/restore', { archive: part.id })

    const preview = (await app.admin.get('/api/core/plugins/vault/uninstall')).body.data
    expect(preview.beside).toContainEqual({ table: 'core.plugin_setting', rows: 2, bytes: expect.any(Number) })
    await uninstall({ mode: 'archive' })
    const whole = (await archives()).find((it: { whole: boolean }) => it.whole)
    expect(counted(preview)).toEqual(heldBy(whole))
    expect(whole).toMatchObject({ rows: preview.archived, own: preview.rows })
    expect(preview.archived).toBeGreaterThan(preview.rows)
  })
})

describe('P09: an archive that is sent', () => {
  const send = (bytes: Uint8Array, admin = app.admin) => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(bytes)]), 'vault.ndjson.gz')
    return admin.send('POST', '/api/core/plugin-archives', form)
  }
  const fileOf = async (id: string, admin = app.admin) =>
    new Uint8Array(await (await admin.raw('GET', `/api/core/plugin-archives/${id}/file`)).arrayBuffer())
  /** Puts the vault away, takes its file along and deletes it here. */
  const takenAlong = async (): Promise<Uint8Array> => {
    expect(await uninstall({ mode: 'archive' })).toMatchObject({ state: 'done' })
    const [{ id }] = await archives()
    const bytes = await fileOf(id)
    expect((await app.admin.delete(`/api/core/plugin-archives/${id}`)).status).toBe(204)
    return bytes
  }
  /** The file as somebody would write it who knows how its sums are made. */
  const forged = async (bytes: Uint8Array, change: (lines: any[]) => unknown[] | void): Promise<Uint8Array> => {
    const text = gunzipSync(bytes).toString('utf8').trimEnd()
    const lines = text.split('\n').map((line) => JSON.parse(line) as unknown)
    const changed = change(lines) ?? lines
    const [first, ...rest] = changed.slice(0, -1)
    const last = rest.pop()
    const total = createHash('sha256').update(`${JSON.stringify(first)}\n`)
    const out = [JSON.stringify(first)]
    let table = ''
    let counted = createHash('sha256')
    let rows = 0
    for (const line of rest as any[]) {
      if (Array.isArray(line)) {
        const row = JSON.stringify(line)
        counted.update(`${row}\n`)
        rows += 1
        out.push(row)
      } else if ('end' in line) {
        const sha256 = counted.digest('hex')
        total.update(`${table} ${rows} ${sha256}\n`)
        out.push(JSON.stringify({ end: table, rows, sha256 }))
      } else {
        table = line.table
        counted = createHash('sha256')
        rows = 0
        out.push(JSON.stringify(line))
      }
    }
    const end = JSON.stringify(last)
    out.push(end, JSON.stringify({ sha256: total.update(end).digest('hex') }))
    return gzipSync(`${out.join('\n')}\n`)
  }
  const pieces = async () =>
    (await sql`select from core.file_piece where file not in (select id from core.export)`.execute(owner())).rows.length

  test('is kept under its own sums, once, and brings everything back', async () => {
    app = await start()
    await fill()
    const before = await rowsOf()
    const bytes = await takenAlong()
    expect(await archives()).toEqual([])
    const sent = await send(bytes)
    expect(sent.status, JSON.stringify(sent.body)).toBe(201)
    expect(sent.body.data).toMatchObject({ plugin: 'vault', title: 'Vault', version: '1.0.0', whole: true })
    const { id } = sent.body.data
    expect(
      (await app.admin.send('POST', '/api/core/plugin-archives', new Blob([new Uint8Array(bytes)]))).body.data.id,
    ).toBe(id)
    expect(await archives()).toHaveLength(1)
    expect(Buffer.from(await fileOf(id)).equals(bytes)).toBe(true)
    expect(JSON.stringify((await app.admin.get('/api/core/audit')).body.data)).toContain('"uploaded"')
    await app.admin.post('/api/core/plugins/vault/install')
    expect(await done('/api/core/plugins/vault/restore', { archive: id })).toMatchObject({
      state: 'done',
      result: { left: 0 },
    })
    expect(await rowsOf()).toEqual(before)
  })

  test('is refused where data lives, of another version, and of other workspaces', async () => {
    app = await start()
    await fill()
    const bytes = await takenAlong()
    await app.admin.post('/api/core/plugins/vault/install')
    await app.admin.post('/api/core/plugins/vault/enable')
    await app.admin.post('/api/vault/boxes', { name: 'New box' })
    expect((await send(bytes)).body).toMatchObject({
      status: 409,
      code: 'DATA_PRESENT',
      detail: expect.stringContaining('vault.box'),
    })
    await sql`delete from vault.box`.execute(owner())
    await sql`update core.plugin set version = '1.1.0' where id = 'vault'`.execute(owner())
    expect((await send(bytes)).body).toMatchObject({
      status: 409,
      code: 'ARCHIVE_OF_OTHER_VERSION',
      detail: expect.stringMatching(/1\.0\.0.*1\.1\.0/),
    })
    await sql`update core.plugin set version = '1.0.0' where id = 'vault'`.execute(owner())
    await sql`insert into vault.migration select 1 + max(id), '0002_other', now() from vault.migration`
      .execute(owner())
      .catch(async () => sql`update vault.migration set name = '0002_other'`.execute(owner()))
    expect((await send(bytes)).body).toMatchObject({ status: 409, code: 'ARCHIVE_UNFIT' })
    await sql`delete from vault.migration where name = '0002_other'`.execute(owner())
    const elsewhere = await forged(bytes, (lines) => {
      const to = uuidv7()
      return JSON.parse(JSON.stringify(lines).replaceAll(app.workspace.id, to)) as unknown[]
    })
    expect((await send(elsewhere)).body).toMatchObject({ status: 409, code: 'ARCHIVE_OF_ELSEWHERE' })
    const other = await app.secondWorkspace()
    expect((await send(bytes, other.admin)).body).toMatchObject({ status: 403, code: 'INSTALLED_ELSEWHERE' })
    expect(await pieces()).toBe(0)
    expect(await archives()).toEqual([])
  })

  test('is refused when it is damaged, cut short, no archive, absent, or broken off; nothing of it is kept', async () => {
    app = await start()
    await fill()
    const bytes = await takenAlong()
    const flipped = Uint8Array.from(bytes)
    flipped[flipped.length >> 1]! ^= 255
    expect((await send(flipped)).body).toMatchObject({ status: 422, code: 'ARCHIVE_UNREADABLE' })
    expect((await send(bytes.slice(0, -20))).body).toMatchObject({ status: 422, code: 'ARCHIVE_UNREADABLE' })
    for (const file of [await packedBadges(), Buffer.from('words'), gzipSync('{"format":"socle-plugin-data@2"}\n')])
      expect((await send(file)).body).toMatchObject({ status: 422, code: 'ARCHIVE_FORMAT_UNKNOWN' })
    expect((await app.admin.send('POST', '/api/core/plugin-archives', new FormData())).body).toMatchObject({
      status: 422,
      code: 'ARCHIVE_FILE_MISSING',
    })
    await sql`alter table core.plugin_archive add constraint full_up check (rows < 0)`.execute(owner())
    expect((await send(bytes)).status).toBe(500)
    expect(await pieces()).toBe(0)
    expect(await archives()).toEqual([])
  })

  test('puts in no row and no right that is not the module’s, whoever made its sums', async () => {
    app = await start()
    const other = await app.secondWorkspace()
    await fill()
    const before = await sql`select * from core.share order by id`.execute(owner())
    const bytes = await takenAlong()
    const refused = async (change: (lines: any[]) => unknown[] | void) => {
      expect((await send(await forged(bytes, change))).body).toMatchObject({ status: 422, code: 'ARCHIVE_OVERSTEPS' })
    }
    const table = (lines: any[], name: string) => lines.find((line) => line.table === name)
    await refused((lines) => void (table(lines, 'core.share').table = 'core.role'))
    await refused((lines) => void (table(lines, 'vault.box').table = 'core.account'))
    await refused(
      (lines) =>
        void lines.at(-2).grants[0].grants.push({ resource: 'core.user', action: 'update', visibility: 'all' }),
    )
    await refused((lines) => void (lines[0].workspace = other.workspace.id))
    await refused((lines) => void (lines[0].workspace = app.workspace.id))
    const share = await forged(bytes, (lines) => {
      const { columns } = table(lines, 'core.share')
      const row = lines[lines.indexOf(table(lines, 'core.share')) + 1]
      row[columns.indexOf('resource')] = 'core.account'
    })
    const sent = await send(share)
    expect(sent.status).toBe(201)
    await app.admin.post('/api/core/plugins/vault/install')
    expect(await done('/api/core/plugins/vault/restore', { archive: sent.body.data.id })).toMatchObject({
      state: 'failed',
      error: { code: 'ARCHIVE_OVERSTEPS' },
    })
    const torn = await forged(bytes, (lines) => {
      const row = lines[lines.indexOf(table(lines, 'vault.box')) + 1]
      row[table(lines, 'vault.box').columns.indexOf('version')] = 'many'
    })
    const unfit = await send(torn)
    expect(await done('/api/core/plugins/vault/restore', { archive: unfit.body.data.id })).toMatchObject({
      state: 'failed',
      error: { code: 'ARCHIVE_UNFIT' },
    })
    expect((await rowsOf())['box']).toEqual([])
    expect((await sql`select * from core.share where resource like 'core.%'`.execute(owner())).rows).toEqual(
      before.rows.filter((row: any) => row.resource.startsWith('core.')),
    )
  })

  test('is taken from who may uninstall, and sits before the screen; with rights in it, from who may give them', async () => {
    app = await start()
    await fill()
    const bytes = await takenAlong()
    const reader = await app.as({ may: ['core.plugin.read', 'core.plugin.install'] })
    expect((await send(bytes, reader)).body).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' })
    const remover = await app.as({ may: ['core.plugin.uninstall'] })
    expect((await send(bytes, remover)).body).toMatchObject({
      status: 403,
      detail: expect.stringContaining('core.role.manage'),
    })
    const giver = await app.as({ may: ['core.plugin.uninstall', 'core.role.manage'] })
    await sql`update core.session set present_at = '2026-03-02T07:00:00Z' where user_id = ${giver.who.actor.id}`.execute(
      owner(),
    )
    expect((await send(bytes, giver)).body).toMatchObject({ status: 403, code: 'CONFIRMATION_NEEDED' })
    expect((await send(bytes)).status).toBe(201)
  })

  test('of one workspace’s data goes back there, and nowhere else', async () => {
    app = await start()
    await fill()
    const other = await app.secondWorkspace()
    const before = await rowsOf()
    await app.admin.post('/api/core/plugins/vault/disable')
    await done('/api/core/plugins/vault/data', { mode: 'archive' })
    const [{ id }] = await archives()
    const bytes = await fileOf(id)
    await app.admin.delete(`/api/core/plugin-archives/${id}`)
    expect((await send(bytes, other.admin)).body).toMatchObject({ status: 409, code: 'ARCHIVE_OF_ELSEWHERE' })
    // A table that all workspaces share is not this one's to empty, nor are numbers that all are given from.
    const numbered = await forged(bytes, (lines) => {
      lines.at(-2).sequences.push({ name: 'box_number', last: '1', called: false })
    })
    expect((await send(numbered)).body).toMatchObject({ status: 422, code: 'ARCHIVE_OVERSTEPS' })
    const shared = await send(
      await forged(bytes, (lines) => void (lines.find((line) => line.table === 'vault.box').table = 'vault.planet')),
    )
    expect(await done('/api/core/plugins/vault/restore', { archive: shared.body.data.id })).toMatchObject({
      state: 'failed',
      error: { code: 'ARCHIVE_OVERSTEPS' },
    })
    expect((await sql`select from vault.planet`.execute(owner())).rows).toHaveLength(2)
    const sent = await send(bytes)
    expect(sent.body.data).toMatchObject({ whole: false, installed: '1.0.0' })
    expect(await done('/api/core/plugins/vault/restore', { archive: sent.body.data.id })).toMatchObject({
      state: 'done',
    })
    expect(await rowsOf()).toEqual(before)
  })
})

/** Texts without the one character that no text of PostgreSQL may hold. */
const words = fc.string({ unit: 'binary', maxLength: 12 }).map((it) => it.replaceAll('\0', ''))
const anyRow = fc.record({
  words: fc.option(fc.array(fc.option(words), { maxLength: 4 })),
  facts: fc.option(fc.jsonValue({ maxDepth: 2 }).map((it) => JSON.stringify(it).replaceAll('\\u0000', ''))),
  price: fc.option(
    fc
      .tuple(fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }), fc.integer({ min: 0, max: 9999 }))
      .map(([whole, rest]) => `${whole}.${String(rest).padStart(4, '0')}`),
  ),
  at: fc.option(
    fc
      .tuple(
        fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
        fc.integer({ min: 0, max: 999 }),
      )
      .map(([date, micro]) => date.toISOString().replace('Z', `${String(micro).padStart(3, '0')}Z`)),
  ),
  bytes: fc.option(fc.uint8Array({ maxLength: 40 }).map((it) => Buffer.from(it))),
  ratio: fc.option(fc.double()),
})

test('P09: values of any type, empty ones too, survive being put away and restored', async () => {
  app = await start()
  const rows = fc.sample(anyRow, 300)
  for (const { words: some, facts, price, at, bytes, ratio } of rows)
    await sql`
      insert into vault.thing (id, workspace, words, facts, price, at, bytes, ratio)
      values (${uuidv7()}, ${app.workspace.id}, ${some}::text[], ${facts}::jsonb, ${price}::numeric, ${at}::timestamptz, ${bytes}, ${ratio === null ? null : String(ratio)}::double precision)`.execute(
      owner(),
    )
  const before = await rowsOf()
  await app.admin.post('/api/core/plugins/vault/disable')
  expect(await done('/api/core/plugins/vault/data', { mode: 'archive' })).toMatchObject({ state: 'done' })
  expect((await rowsOf())['thing']).toEqual([])
  const [{ id }] = await archives()
  expect(await done('/api/core/plugins/vault/restore', { archive: id })).toMatchObject({ result: { left: 0 } })
  expect(await rowsOf()).toEqual(before)
})

describe('P09: a module that came as an archive', () => {
  let folder: string
  const install = async (version = '1.0.0') => {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(await packedBadges({ version }))]), 'badges.tgz')
    const { id } = (await app.admin.send('POST', '/api/core/plugin-uploads', form)).body.data
    return app.admin.post(`/api/core/plugin-uploads/${id}/install`, {})
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'socle-store-'))
    const store = { folder, signatures: { required: false, signers: new Map<string, string>() } }
    app = await createTestApp({ plugins: [], database: made, store, now })
    await install()
    await app.admin.post('/api/core/plugins/badges/enable')
    await app.admin.post('/api/badges/badges', { visitor: 'Ada' })
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('leaves the current set, while tabs that lag are served for a day, and no row after that', async () => {
    const { plugins } = (await app.admin.get('/api/core/shell')).body
    const { ui } = plugins.find(({ id }: { id: string }) => id === 'badges')
    expect(await uninstall({ mode: 'purge', confirm: 'badges' }, 'badges')).toMatchObject({ state: 'done' })
    expect(await cardOf('badges')).toBeUndefined()
    expect(JSON.stringify((await app.admin.get('/api/core/shell')).body)).not.toContain('badges')
    expect((await app.admin.get('/api/badges/badges')).status).toBe(404)
    expect((await app.admin.raw('GET', ui)).status).toBe(200)
    app.clock.advance('PT25H')
    expect((await app.admin.raw('GET', ui)).status).toBe(404)
    await app.app.installer.sweep()
    expect(await naming('badges')).toEqual([])
    // Nothing holds it to what it was.
    expect((await install('0.9.0')).status).toBe(201)
  })

  test('comes back with its archive long after, from the code that is kept for it', async () => {
    expect(await uninstall({ mode: 'archive' }, 'badges')).toMatchObject({ state: 'done' })
    app.clock.advance('P30D')
    await app.app.installer.sweep()
    expect((await app.admin.post('/api/core/plugins/badges/install', { version: '2.0.0' })).body.code).toBe(
      'PLUGIN_NOT_KEPT',
    )
    expect((await app.admin.post('/api/core/plugins/badges/install', { version: '1.0.0' })).body.data).toEqual({
      plugin: 'badges',
      version: '1.0.0',
    })
    const [{ id }] = await archives()
    expect(await done('/api/core/plugins/badges/restore', { archive: id })).toMatchObject({ state: 'done' })
    await app.admin.post('/api/core/plugins/badges/enable')
    expect((await app.admin.get('/api/badges/badges')).body.data).toMatchObject([{ visitor: 'Ada' }])
  })
})

/** A workspace without the plugin, for it may be gone. */
async function createOther(): Promise<TestWorkspace> {
  const another = await createTestApp({ plugins: [], enable: [], database: made, now })
  return {
    ...another,
    admin: another.admin.at(app.app),
  }
}

describe('P09: a purge', () => {
  test('leaves the database as before the module came, and no row that names it but ledger, audit and event log', async () => {
    const before = await catalogDump()
    app = await start()
    const { account } = await fill()
    await app.admin.post('/api/core/plugins/vault/disable')
    await app.admin.post('/api/core/accounts', { name: 'Held' })
    await app.app.jobs.runUntilIdle()
    await done('/api/core/plugins/vault/data', { mode: 'archive' })
    const [{ id }] = await archives()
    await done('/api/core/plugins/vault/restore', { archive: id })
    expect(await uninstall({ mode: 'purge', confirm: 'vault' })).toMatchObject({ state: 'done' })
    expect(await catalogDump()).toEqual(before)
    const rows = await naming('vault')
    // It comes with the deployment: the next start must not take it for new.
    expect(rows).toEqual([expect.stringMatching(/^plugin: \(vault,"",removed,/)])
    const { safe, ...rest } = (await app.admin.get(`/api/core/accounts/${account.id}`)).body.data
    expect(safe).toBeUndefined()
    expect(JSON.stringify(rest)).not.toContain('vault')
    expect((await app.admin.get('/api/core/audit')).body.data).toContainEqual(
      expect.objectContaining({
        changes: expect.arrayContaining([expect.objectContaining({ resource: 'core.plugin' })]),
      }),
    )
  })

  test('asks for the module’s id, typed, and for the person before the screen', async () => {
    app = await start()
    const path = '/api/core/plugins/vault/uninstall'
    expect((await app.admin.post(path, { mode: 'purge', confirm: 'Vault' })).body).toMatchObject({
      status: 422,
      code: 'CONFIRMATION_DIFFERS',
    })
    const reader = await app.as({ may: ['core.plugin.read', 'core.plugin.install'] })
    expect((await reader.post(path, { mode: 'keep' })).body).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' })
    const remover = await app.as({ may: ['core.plugin.uninstall'] })
    await sql`update core.session set present_at = '2026-03-02T07:00:00Z' where user_id = ${remover.who.actor.id}`.execute(
      owner(),
    )
    expect((await remover.post(path, { mode: 'keep' })).body).toMatchObject({
      status: 403,
      code: 'CONFIRMATION_NEEDED',
    })
    const other = await app.secondWorkspace()
    expect((await other.admin.post(path, { mode: 'keep' })).body).toMatchObject({
      status: 403,
      code: 'INSTALLED_ELSEWHERE',
    })
    expect((await app.admin.post('/api/core/plugins/core/uninstall', { mode: 'keep' })).body.code).toBe(
      'PLUGIN_UNKNOWN',
    )
    expect((await app.admin.post(path, { mode: 'burn' })).status).toBe(422)
    expect((await cardOf()).state).toBe('enabled')
  })
})

describe('P09: kept data', () => {
  test('is found by the module when it is installed again, with the rights its roles had', async () => {
    app = await start()
    await fill()
    const before = await rowsOf()
    const roles = () =>
      sql`select name, array(select jsonb_array_elements(grants) order by 1) as grants, fields, template from core.role order by id`.execute(
        owner(),
      )
    const held = (await roles()).rows
    expect(await uninstall({ mode: 'keep' })).toMatchObject({ state: 'done' })
    expect((await cardOf()).state).toBe('available')
    expect(JSON.stringify((await roles()).rows.map(({ grants, fields }: any) => [grants, fields]))).not.toMatch(/vault/)
    expect(JSON.stringify((await app.admin.get('/api/core/permissions')).body)).not.toContain('vault')
    expect((await sql`select from core.subscription where plugin = 'vault'`.execute(owner())).rows).toEqual([])

    // It stays away over a restart.
    const { workspace } = app
    await app[Symbol.asyncDispose]()
    app = await start([vault], [])
    expect(app.app.kernel.parts.loaded.get('vault')).toBeUndefined()
    expect((await sql`select state from core.plugin where id = 'vault'`.execute(owner())).rows).toEqual([
      { state: 'removed' },
    ])
    expect(await app.app.installer.reinstall('vault', { workspace: workspace.id, user: undefined })).toBe('1.0.0')
    expect(await rowsOf()).toEqual(before)
    expect((await roles()).rows.slice(0, held.length)).toEqual(held)
    // A process that dies at any moment leaves both or neither.
    const kept = await sql`
      select 1 from core.plugin p join core.role r on r.xmin = p.xmin where p.id = 'vault' and p.kept is null`.execute(
      owner(),
    )
    expect(kept.rows).not.toEqual([])
  })

  test('is told: the event, the audit, and the card of one that can be installed again', async () => {
    app = await start()
    await uninstall({ mode: 'keep' })
    const { rows } = await sql`select payload from core.event where name = 'core.plugin.removed'`.execute(owner())
    expect(rows).toEqual([{ payload: { plugin: 'vault', version: '1.0.0', mode: 'keep' } }])
    expect(JSON.stringify((await app.admin.get('/api/core/audit')).body.data)).toContain(
      '{"field":"removed","old":null,"new":"keep"}',
    )
    expect(await cardOf()).toMatchObject({ state: 'available', title: 'Vault' })
    expect((await app.admin.post('/api/core/plugins/vault/enable')).body.code).toBe('PLUGIN_UNKNOWN')
  })
})

describe('P09: one workspace’s data', () => {
  test('is put away, purged and restored alone: the other’s rows stay as they are', async () => {
    app = await start()
    const other = await app.secondWorkspace()
    await fill()
    await fill(other)
    const before = await rowsOf()
    const ofOther = (rows: Record<string, string[]>) =>
      Object.fromEntries(
        Object.entries(rows).map(([table, some]) => [table, some.filter((it) => it.includes(other.workspace.id))]),
      )
    const path = '/api/core/plugins/vault/data'
    expect((await app.admin.post(path, { mode: 'archive' })).body).toMatchObject({
      status: 409,
      code: 'PLUGIN_STILL_ON',
    })
    await app.admin.post('/api/core/plugins/vault/disable')
    expect((await app.admin.get(path)).body.data).toMatchObject({ rows: 10, fields: 2, views: 1, shares: 1 })
    expect(await done(path, { mode: 'archive' })).toMatchObject({ state: 'done' })
    const after = await rowsOf()
    expect(after['box']).toHaveLength(2)
    expect(ofOther(after)).toEqual(ofOther(before))
    expect((await other.admin.get('/api/vault/boxes')).body.data).toHaveLength(2)
    const [archive] = await archives()
    expect(archive).toMatchObject({ whole: false, rows: expect.any(Number) })
    expect(await archives(other)).toEqual([])
    const foreign = await other.admin.post('/api/core/plugins/vault/restore', { archive: archive.id })
    expect(foreign.body).toMatchObject({ status: 404, code: 'ARCHIVE_NOT_FOUND' })
    expect(await done('/api/core/plugins/vault/restore', { archive: archive.id })).toMatchObject({
      state: 'done',
      result: { left: 0 },
    })
    expect(await rowsOf()).toEqual(before)

    expect((await app.admin.post(path, { mode: 'purge' })).body.code).toBe('CONFIRMATION_DIFFERS')
    expect(await done(path, { mode: 'purge', confirm: 'vault' })).toMatchObject({ state: 'done' })
    expect(ofOther(await rowsOf())).toEqual(ofOther(before))
    expect(
      (
        await sql`select from core.view where resource = 'vault.box' and workspace = ${app.workspace.id}`.execute(
          owner(),
        )
      ).rows,
    ).toEqual([])
    await app.admin.post('/api/core/plugins/vault/enable')
    expect((await app.admin.get('/api/vault/boxes')).body.data).toEqual([])
  })
})

test('P05: what goes with a module is counted over all workspaces, by who only looks', async () => {
  app = await start()
  await fill()
  await fill(await app.secondWorkspace())
  // A row that somebody locks says so, until it is changed.
  const locks = async () => (await sql`select id, xmax::text from core.role order by id`.execute(owner())).rows
  const before = await locks()
  const { data } = (await app.admin.get('/api/core/plugins/vault/uninstall')).body
  expect(await locks()).toEqual(before)
  const [named] = (
    await sql<{ roles: number; fields: number; views: number; shares: number }>`
      select (select count(*)::integer from core.role where (grants || fields)::text ~ '"vault\.') as roles,
        (select count(*)::integer from core.field where resource ~ '^vault\.' or target ~ '^vault\.') as fields,
        (select count(*)::integer from core.view where resource ~ '^vault\.') as views,
        (select count(*)::integer from core.share where resource ~ '^vault\.') as shares`.execute(owner())
  ).rows
  expect(named?.roles).toBeGreaterThan(1)
  expect(data).toMatchObject({ ...named, rows: Object.values(await rowsOf()).flat().length, archives: 0 })
  expect(data.tables.every(({ bytes }: { bytes: number }) => bytes > 0)).toBe(true)
  const here = (await app.admin.get('/api/core/plugins/vault/data')).body.data
  expect(here.roles * 2).toBe(data.roles)
  expect(here.bytes).toBeGreaterThan(0)
})

describe('P05: what needs a module that goes', () => {
  test('keeps it from going until it goes too, first', async () => {
    app = await start([vault, lockPlugin])
    const path = '/api/core/plugins/vault/uninstall'
    expect((await app.admin.get(path)).body.data).toMatchObject({
      dependents: [{ id: 'lock', title: 'Lock' }],
      roles: 1,
      workspaces: 1,
    })
    expect((await app.admin.post(path, { mode: 'keep' })).body).toMatchObject({
      status: 409,
      code: 'PLUGIN_HAS_DEPENDENTS',
      dependents: ['lock'],
    })
    expect(await uninstall({ mode: 'keep', cascade: true })).toMatchObject({ state: 'done', progress: 200, total: 200 })
    const { rows } = await sql<{ plugin: string }>`
      select payload ->> 'plugin' as plugin from core.event where name = 'core.plugin.removed' order by seq`.execute(
      owner(),
    )
    expect(rows.map(({ plugin }) => plugin)).toEqual(['lock', 'vault'])
    expect((await app.admin.post('/api/core/plugins/lock/install')).body.code).toBe('PLUGIN_REQUIREMENT_MISSING')
  })
})

describe('P09: on its way out a module', () => {
  test('takes leave where it was on; what it says against it is told, and it goes', async () => {
    const heard: string[] = []
    app = await start([
      vaultPlugin({
        async onUninstall(ctx, mode) {
          heard.push(`${mode} ${(await ctx.records.list('vault.box', {})).data.length}`)
          throw new RangeError('no leave')
        },
      }),
    ])
    await app.admin.post('/api/vault/boxes', { name: 'Tin box' })
    const job = await uninstall({ mode: 'purge', confirm: 'vault' })
    expect(heard).toEqual(['purge 1'])
    expect(job).toMatchObject({ state: 'done', result: { troubles: ['RangeError: no leave'] } })
    expect(await rowsOf()).toEqual({})
  })

  test('stays as it was, on where it was on, when its data cannot be put away', async () => {
    app = await start()
    await fill()
    const before = await rowsOf()
    await sql`alter table core.plugin_archive add constraint full_up check (rows < 0)`.execute(owner())
    expect(await uninstall({ mode: 'archive' })).toMatchObject({
      state: 'failed',
      error: { code: 'PLUGIN_NOT_REMOVED' },
    })
    expect(await cardOf()).toMatchObject({ state: 'enabled' })
    expect(await rowsOf()).toEqual(before)
    expect((await app.admin.get('/api/vault/boxes')).body.data).toHaveLength(2)
    expect(await archives()).toEqual([])
  })

  test('goes once: what a process leaves that dies at the very end is done, and what came back stays', async () => {
    app = await start([vault, lockPlugin])
    const again = async (job: { id: string }) => {
      await sql`update core.job set state = 'queued', handed_at = null, finished_at = null where id = ${job.id}`.execute(
        owner(),
      )
      await app.app.jobs.runUntilIdle()
      return (await app.admin.get(`/api/core/jobs/${job.id}`)).body.data
    }
    const kept = await uninstall({ mode: 'keep', cascade: true })
    for (const id of ['vault', 'lock'])
      expect((await app.admin.post(`/api/core/plugins/${id}/install`)).status).toBe(201)
    expect(await again(kept)).toMatchObject({ state: 'done' })
    expect(await cardOf()).toMatchObject({ state: 'disabled' })
    const purged = await uninstall({ mode: 'purge', confirm: 'vault', cascade: true })
    expect(await again(purged)).toMatchObject({ state: 'done', result: { mode: 'purge' } })
  })

  test('comes back to the data it kept as to a place it knows', async () => {
    const heard: string[] = []
    app = await start([
      vaultPlugin({
        onInstall: async () => void heard.push('installed'),
        onUpgrade: async (_, from) => void heard.push(`upgraded from ${from}`),
      }),
    ])
    expect(heard).toEqual(['installed'])
    await uninstall({ mode: 'keep' })
    await sql`update core.plugin_workspace set version = '0.9.0' where plugin = 'vault'`.execute(owner())
    await app.admin.post('/api/core/plugins/vault/install')
    expect((await app.admin.post('/api/core/plugins/vault/enable')).status).toBe(200)
    expect(heard).toEqual(['installed', 'upgraded from 0.9.0'])
  })

  test('loses nothing that was written while the clearing of its data waited', async () => {
    app = await start()
    await app.admin.post('/api/vault/boxes', { name: 'Tin box' })
    await app.admin.post('/api/core/plugins/vault/disable')
    const { id } = await done('/api/core/plugins/vault/data', { mode: 'archive' })
    // As if it had been paused when the archive was made, and let go on after somebody had worked with the module again.
    await app.admin.post('/api/core/plugins/vault/enable')
    await app.admin.post('/api/vault/boxes', { name: 'Oak box' })
    app.clock.advance('PT1M')
    await app.admin.post('/api/core/plugins/vault/disable')
    await sql`update core.job set state = 'queued', handed_at = null, finished_at = null where id = ${id}`.execute(
      owner(),
    )
    await app.app.jobs.runUntilIdle()
    expect((await rowsOf())['box']).toEqual([])
    const found = await archives()
    expect(found.map((it: { checksums: Record<string, { rows: number }> }) => it.checksums['vault.box']?.rows)).toEqual(
      [1, 1],
    )
  })

  test('loses nothing to a process that was taken for dead and wakes up', async () => {
    app = await start()
    await fill()
    const before = [await rowsOf(), await naming('vault')]
    const { clock } = app.app.kernel.parts
    const removal = { job: null, mode: 'purge', sides: [] } as const
    const asked = {
      plugin: 'vault',
      removal,
      workspace: app.workspace.id,
      by: undefined,
      keep: async () => {
        throw operationLost({ plugin: 'vault' })
      },
      step: async () => {},
    }
    await expect(carryOut({ owner: owner(), clock }, asked)).rejects.toMatchObject({ code: 'OPERATION_LOST' })
    expect((await rowsOf())['box']).toEqual(before[0]?.['box' as never])
    expect(
      await sql`select id from core.plugin where id = 'vault' and state = 'installed'`.execute(owner()),
    ).toMatchObject({
      rows: [{ id: 'vault' }],
    })
  })

  test('is asked for anew, in another way, where its removal was cancelled while nobody was at it', async () => {
    app = await start()
    await fill()
    const before = await rowsOf()
    const path = '/api/core/plugins/vault/uninstall'
    const { job } = (await app.admin.post(path, { mode: 'purge', confirm: 'vault' })).body.data
    await sql`
      update core.plugin set state = 'removing', removal = ${JSON.stringify({
        job,
        mode: 'purge',
        was: 'installed',
        on: [app.workspace.id],
        sides: [],
        told: true,
        final: false,
        troubles: [],
      })}::jsonb where id = 'vault'`.execute(owner())
    expect((await app.admin.post(path, { mode: 'keep' })).body).toMatchObject({
      code: 'PLUGIN_BUSY',
      operation: 'uninstall',
      since: expect.stringContaining('2026'),
    })
    expect((await app.admin.post(`/api/core/jobs/${job}/cancel`)).status).toBe(200)
    expect(await uninstall({ mode: 'keep' })).toMatchObject({ state: 'done', result: { mode: 'keep' } })
    expect(await rowsOf()).toEqual(before)
    expect((await app.admin.post('/api/core/plugins/vault/install')).status).toBe(201)
  })

  test('does not come back in a version older than the data it kept', async () => {
    app = await start()
    await uninstall({ mode: 'keep' })
    await sql`update core.plugin set version = '1.1.0' where id = 'vault'`.execute(owner())
    expect((await app.admin.post('/api/core/plugins/vault/install')).body).toMatchObject({
      status: 409,
      code: 'DOWNGRADE_REFUSED',
    })
    expect(await cardOf()).toMatchObject({ state: 'available' })
  })

  test('is not brought back by a process that takes something else in meanwhile', async () => {
    const unready = definePlugin({
      id: 'unready',
      version: '1.0.0',
      platform: '^1.0.0',
      title: { en: 'Unready', fr: 'En retard' },
    })
    let isReady = false
    const load = async () => {
      if (isReady) return unready
      throw new Error('not yet')
    }
    app = await createTestApp({
      plugins: [vault, { id: 'unready', from: 'deployment', load }],
      enable: ['vault'],
      database: made,
      now,
    })
    // As another process leaves it, of which this one has not heard yet.
    await sql`update core.plugin set state = 'removing' where id = 'vault'`.execute(owner())
    await sql`delete from core.subscription where plugin = 'vault'`.execute(owner())
    isReady = true
    expect((await app.admin.post('/api/core/plugins/unready/retry')).status).toBe(200)
    const { rows } = await sql`select state from core.plugin where id = 'vault'`.execute(owner())
    expect(rows).toEqual([{ state: 'removing' }])
    // And one that has loaded it just before it went.
    const gone = async () => {
      await sql`update core.plugin set state = 'removed' where id = 'vault'`.execute(owner())
      await sql`drop schema vault cascade`.execute(owner())
      return vault
    }
    await sql`update core.plugin set state = 'installed' where id = 'vault'`.execute(owner())
    await using late = await createTestApp({
      plugins: [{ id: 'vault', from: 'deployment', load: gone }],
      enable: [],
      database: made,
      now,
    })
    expect(late.app.kernel.parts.loaded.get('vault')).toBeUndefined()
    expect((await sql`select from pg_namespace where nspname = 'vault'`.execute(owner())).rows).toEqual([])
    const after = await sql`select state from core.plugin where id = 'vault'`.execute(owner())
    expect(after.rows).toEqual([{ state: 'removed' }])
    const heard = await sql`select id from core.subscription where plugin = 'vault'`.execute(owner())
    expect(heard.rows).toEqual([])
  })

  test('is not taken away in safe mode, where none of its code could take leave', async () => {
    app = await start()
    const { workspace } = app
    await app[Symbol.asyncDispose]()
    app = await createTestApp({ plugins: [vault], enable: [], safeMode: true, database: made, now })
    const asked = app.app.uninstaller.demandRemovable('vault', workspace.id, { mode: 'keep' })
    await expect(asked).rejects.toMatchObject({ code: 'SAFE_MODE' })
    await expect(
      app.app.installer.reinstall('vault', { workspace: workspace.id, user: undefined }),
    ).rejects.toMatchObject({
      code: 'SAFE_MODE',
    })
  })

  test('goes on as it was, and where it was on, when its removal is cancelled before its data is put away', async () => {
    let job = ''
    app = await start([vaultPlugin({ onUninstall: (ctx) => cancelJob(ctx, job) })])
    await app.admin.post('/api/vault/boxes', { name: 'Tin box' })
    job = (await app.admin.post('/api/core/plugins/vault/uninstall', { mode: 'archive' })).body.data.job
    await app.app.jobs.runUntilIdle()
    expect((await app.admin.get(`/api/core/jobs/${job}`)).body.data.state).toBe('cancelled')
    expect(await cardOf()).toMatchObject({ state: 'enabled' })
    expect((await app.admin.get('/api/vault/boxes')).body.data).toHaveLength(1)
    expect(await archives()).toEqual([])
  })

  test('is taken away by nobody while somebody is at it', async () => {
    app = await start()
    await app.app.kernel.parts.database.owner.transaction().execute(async (tx) => {
      await sql`insert into core.process (id, role, applied_generation, started_at, seen_at) values (${uuidv7()}, 'server', 99, now(), now())`.execute(
        tx,
      )
      await sql`insert into core.plugin_operation (plugin, operation, by_name, process) select 'vault', 'upgrade', 'Ada', id from core.process where applied_generation = 99`.execute(
        tx,
      )
    })
    const busy = await app.admin.post('/api/core/plugins/vault/uninstall', { mode: 'keep' })
    expect(busy.body).toMatchObject({
      status: 409,
      code: 'PLUGIN_BUSY',
      detail: expect.stringContaining('upgraded by Ada'),
    })
  })
})

describe.runIf(process.env['TEST_DATABASE_URL'])('P09: a process that is killed while it removes a module', () => {
  const started: ChildProcess[] = []
  const work = async () => {
    const child = fork(join(import.meta.dirname, 'uninstall-process.ts'), [made.url ?? ''], {
      execArgv: ['--conditions=socle-source'],
    })
    started.push(child)
    await once(child, 'message')
    return child
  }
  const kill = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  afterEach(async () => {
    for (const child of started.splice(0)) await kill(child)
  })

  /** Asks for a removal that comes to a standstill at a table, kills the process there, and lets another end it. */
  async function killedAt(table: string, mode: string, isThere: string): Promise<void> {
    app = await start()
    await fill()
    const child = await work()
    let release = () => {}
    const locked = new Promise<void>((taken) => {
      void owner()
        .transaction()
        .execute(async (tx) => {
          await sql`lock table ${sql.table(table)} in access exclusive mode`.execute(tx)
          taken()
          await new Promise<void>((go) => {
            release = go
          })
        })
    })
    await locked
    const asked = await app.admin.post('/api/core/plugins/vault/uninstall', { mode, confirm: 'vault' })
    expect(asked.status).toBe(202)
    const waits = async () =>
      (
        await sql`select from pg_stat_activity a where a.datname = current_database() and a.wait_event_type = 'Lock'
          and exists (select from core.plugin where id = 'vault' and state = 'removing' and removal ->> 'final' = ${isThere})`.execute(
          owner(),
        )
      ).rows.length > 0
    await expect.poll(waits, { timeout: 60_000 }).toBe(true)
    await kill(child)
    release()
    await work()
    const job = async () => (await app.admin.get(`/api/core/jobs/${asked.body.data.job}`)).body.data.state
    await expect.poll(job, { timeout: 150_000, interval: 500 }).toBe('done')
    // This process has followed too.
    await expect.poll(async () => (await app.admin.get('/api/vault/boxes')).status, { timeout: 10_000 }).toBe(404)
    expect(app.app.kernel.parts.loaded.get('vault')).toBeUndefined()
    expect(await rowsOf()).toEqual({})
  }

  test('in the middle of its archive: another makes it anew, and it restores', { timeout: 240_000 }, async () => {
    await killedAt('core.field', 'archive', 'false')
    const found = await archives()
    expect(found).toHaveLength(1)
    expect((await app.admin.post('/api/core/plugins/vault/install')).status).toBe(201)
    const asked = await app.admin.post('/api/core/plugins/vault/restore', { archive: found[0].id })
    const job = async () => (await app.admin.get(`/api/core/jobs/${asked.body.data.job}`)).body.data
    await expect.poll(job, { timeout: 60_000 }).toMatchObject({ state: 'done', result: { left: 0 } })
    expect((await rowsOf())['thing']).toHaveLength(3)
  })

  test('in the middle of its purge: another goes on where it stood', { timeout: 240_000 }, async () => {
    await killedAt('core.duplicate_key', 'purge', 'true')
    expect(await naming('vault')).toEqual([expect.stringMatching(/^plugin: \(vault,"",removed,/)])
  })
})
