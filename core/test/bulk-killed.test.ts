import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createTestApp, makeTestDatabase } from '../src/testing/index.ts'

// 20,000 with CHAOS=1 and killed twice; a run of the checks takes as many as make three chunks.
const isWhole = process.env['CHAOS'] === '1'
const rows = isWhole ? 20_000 : 1_500
/** Parts of the work after which the worker is killed. */
const kills = isWhole ? [0.15, 0.5] : [0.2]
/** One in this many records is changed between the preview and the run, so it must fail and keep its value. */
const every = 100

/** A worker of its own, ended as a power failure would end it. */
function worker(url: string): ChildProcess {
  return fork(join(import.meta.dirname, 'import-process.ts'), [url], { execArgv: ['--conditions=socle-source'] })
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

test.runIf(process.env['TEST_DATABASE_URL'] !== undefined)(
  'a bulk change whose worker is killed goes on after its last chunk, each row once, and counts what it did',
  { timeout: 1_800_000 },
  async () => {
    const database = await makeTestDatabase()
    const children: ChildProcess[] = []
    try {
      await using app = await createTestApp({ database, now: '2026-03-02T09:00:00Z' })
      const { admin, workspace } = app
      const owner = database.database.owner
      await sql`
        insert into core.account (id, workspace, name, kind, lifecycle, industry, city)
        select gen_random_uuid(), ${workspace.id}::uuid, 'Killed ' || n, 'organisation', 'prospect', 'killed', 'Lyon'
        from generate_series(1, ${rows}::integer) n`.execute(owner)
      const preview = await admin.post('/api/core/accounts/bulk', {
        filter: 'industry = killed',
        set: { city: 'Metz' },
        preview: true,
      })
      expect(preview.body.data).toMatchObject({ state: 'previewed', total: rows })
      const bulk = `/api/core/bulks/${preview.body.data.id}`
      const { rows: edited } = await sql<{ id: string }>`
        select record as id from core.bulk_row where bulk = ${preview.body.data.id}::uuid and nth % ${every} = 7`.execute(
        owner,
      )
      for (const { id } of edited)
        expect((await admin.patch(`/api/core/accounts/${id}`, { version: 1, city: 'Nice' })).status).toBe(200)

      children.push(worker(database.url ?? ''))
      expect((await admin.post(`${bulk}/run`)).status).toBe(202)
      const progress = async () => (await admin.get(bulk)).body.data
      for (const part of kills) {
        while ((await progress()).done < rows * part) await pause(15)
        await kill(children.at(-1)!)
        // Whole chunks only: what a chunk did stands together with its marks, or not at all.
        const { rows: found } = await sql<{ metz: number; done: number; ended: number }>`
          select (select count(*)::integer from core.account where workspace = ${workspace.id}::uuid and city = 'Metz') as metz,
            (count(*) filter (where state = 'done'))::integer as done, (count(*) filter (where state <> 'waiting'))::integer as ended
          from core.bulk_row where bulk = ${preview.body.data.id}::uuid`.execute(owner)
        expect(found[0]!.metz).toBe(found[0]!.done)
        expect(found[0]!.ended % 500).toBe(0)
        expect(found[0]!.ended).toBeLessThan(rows)
        children.push(worker(database.url ?? ''))
      }
      await expect.poll(async () => (await progress()).state, { timeout: 900_000, interval: 200 }).toBe('done')

      const kept = edited.length
      expect(await progress()).toMatchObject({ total: rows, done: rows - kept, skipped: 0, failed: kept })
      const failed = await admin.get(`${bulk}/rows?state=failed&limit=500`)
      expect(failed.body.data).toHaveLength(kept)
      for (const { problem } of failed.body.data) expect(problem.code).toBe('VERSION_CONFLICT')
      const { changeSet } = await progress()
      const { rows: ledger } = await sql<{ changes: number; records: number; versions: number; events: number }>`
        select count(*)::integer as changes, count(distinct record)::integer as records, max(version) as versions,
          (select count(*)::integer from core.event e where e.workspace = ${workspace.id}::uuid and e.change_set = ${changeSet}::uuid) as events
        from core.change where workspace = ${workspace.id}::uuid and change_set = ${changeSet}::uuid`.execute(owner)
      expect(ledger).toEqual([{ changes: rows - kept, records: rows - kept, versions: 2, events: rows - kept }])
      const cities = await admin.post('/api/core/accounts/aggregate', {
        filter: 'industry = killed',
        groupBy: ['city'],
        measures: ['count'],
      })
      expect(cities.body.data.map((it: { key: { city: string }; count: number }) => [it.key.city, it.count])).toEqual([
        ['Metz', rows - kept],
        ['Nice', kept],
      ])
      expect((await admin.get('/api/core/audit/verification')).body.data).toMatchObject({ fault: null })
    } finally {
      await Promise.all(children.map(kill))
      await database.drop()
    }
  },
)
