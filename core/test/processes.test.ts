import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTestDatabase, type TestDatabase } from '../src/testing/index.ts'
import { serveProcess, type ServedProcess } from './served-processes.ts'

// Processes that share nothing but a server's database.
describe.runIf(process.env['TEST_DATABASE_URL'])('three processes of one installation', () => {
  let database: TestDatabase
  let servers: readonly ServedProcess[] = []

  beforeAll(async () => {
    database = await makeTestDatabase()
    const first = await serveProcess(database.url ?? '')
    servers = [first, await serveProcess(database.url ?? ''), await serveProcess(database.url ?? '')]
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.end()))
    await database.drop()
  })

  const toggle = (verb: 'enable' | 'disable') => servers[0]!.ask('POST', `/api/core/plugins/hello/${verb}`, {})
  const answers = async () =>
    (await Promise.all(servers.map((server) => server.ask('GET', '/api/hello/greetings')))).map(({ status }) => status)

  /** Ends every connection that listens, again and again, so that nobody is told anything. */
  async function cutOff(milliseconds: number): Promise<void> {
    for (const end = performance.now() + milliseconds; performance.now() < end; await pause(100)) {
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike 'listen %socle%' and pid <> pg_backend_pid()`.execute(
        database.database.owner,
      )
    }
  }

  test('platform-11: come to the same by what they are told', async () => {
    for (const [verb, status] of [
      ['enable', 200],
      ['disable', 404],
    ] as const) {
      expect((await toggle(verb)).status).toBe(200)
      await expect.poll(answers, { timeout: 10_000 }).toEqual([status, status, status])
    }
  })

  test('platform-11: come to the same by looking when nobody tells them, and are told again afterwards', async () => {
    const cut = cutOff(5_000)
    expect((await toggle('enable')).status).toBe(200)
    await expect.poll(answers, { timeout: 10_000 }).toEqual([200, 200, 200])
    await cut
    const listening = async () =>
      (
        await sql`select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen %socle%'
          and pid <> pg_backend_pid()`.execute(database.database.owner)
      ).rows.length
    await expect.poll(listening, { timeout: 20_000 }).toBe(3)
    expect((await toggle('disable')).status).toBe(200)
    await expect.poll(answers, { timeout: 10_000 }).toEqual([404, 404, 404])
  })

  test('hear nothing of what nobody of them has said, and live on', async () => {
    for (const payload of ['', 'hello', '{"from":1}', '{"from":"x","signals":[null]}'])
      await sql`select pg_notify('socle', ${payload})`.execute(database.database.owner)
    expect((await toggle('enable')).status).toBe(200)
    await expect.poll(answers, { timeout: 10_000 }).toEqual([200, 200, 200])
    expect((await toggle('disable')).status).toBe(200)
    await expect.poll(answers, { timeout: 10_000 }).toEqual([404, 404, 404])
  })

  test('say which generation they have followed to, and one that dies is soon nobody’s', async () => {
    const rows = async () =>
      (
        await sql<{ behind: number }>`
          select g.value - p.applied_generation as behind from core.process p, core.generation g
          where p.seen_at > now() - interval '10 s'`.execute(database.database.owner)
      ).rows
    await expect.poll(rows, { timeout: 20_000 }).toEqual([{ behind: 0 }, { behind: 0 }, { behind: 0 }])
  })

  test('platform-11: one that follows no more says that it is not ready, and is again when it does', async () => {
    const ready = async () => (await fetch(`${servers[1]!.url}/readyz`)).status
    expect(await ready()).toBe(200)
    // Nobody can read the number any more.
    await sql`alter table core.generation rename to generation_away`.execute(database.database.owner)
    await expect.poll(ready, { timeout: 30_000, interval: 500 }).toBe(503)
    expect((await fetch(`${servers[1]!.url}/healthz`)).status).toBe(200)
    await sql`alter table core.generation_away rename to generation`.execute(database.database.owner)
    await expect.poll(ready, { timeout: 20_000, interval: 500 }).toBe(200)
  })

  test('P09: an archive on its way in with a process that dies leaves no row and no piece, and comes in again', async () => {
    const { owner } = database.database
    const [first, , third] = servers as [ServedProcess, ServedProcess, ServedProcess]
    const archives = async () => (await first.ask('GET', '/api/core/plugin-archives')).body.data
    await toggle('enable')
    await first.ask('POST', '/api/hello/greetings', { text: 'Bonjour' })
    await toggle('disable')
    await first.ask('POST', '/api/core/plugins/hello/data', { mode: 'archive' })
    await expect.poll(archives, { timeout: 30_000 }).toHaveLength(1)
    const [{ id }] = await archives()
    const form = new FormData()
    form.set('file', await (await first.fetch(`/api/core/plugin-archives/${id}/file`)).blob())
    expect((await first.ask('DELETE', `/api/core/plugin-archives/${id}`)).status).toBe(204)

    const waits = async () =>
      (await sql`select from pg_locks where relation = 'core.plugin_archive'::regclass and not granted`.execute(owner))
        .rows.length
    await owner.transaction().execute(async (tx) => {
      // Its pieces are written when it comes to the row.
      await sql`lock table core.plugin_archive in exclusive mode`.execute(tx)
      const sent = third.fetch('/api/core/plugin-archives', form).catch(() => undefined)
      await expect.poll(waits, { timeout: 20_000 }).toBe(1)
      await third.end()
      expect(await sent).toBeUndefined()
    })
    await expect.poll(waits, { timeout: 20_000 }).toBe(0)
    expect((await sql`select from core.file_piece`.execute(owner)).rows).toEqual([])
    expect(await archives()).toEqual([])
    expect((await first.fetch('/api/core/plugin-archives', form)).status).toBe(201)
    expect(await archives()).toMatchObject([{ plugin: 'hello', whole: false }])
  })
})
