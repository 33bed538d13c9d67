import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createTestApp, makeTestDatabase } from '../src/testing/index.ts'
import { killedImport } from './import-chaos.ts'
import { crashedImport } from './import-crash.ts'

// 100,000 with CHAOS=1; a run of the checks takes as many as make three chunks of each file.
const rows = process.env['CHAOS'] === '1' ? 100_000 : 2_400

const onServer = process.env['TEST_DATABASE_URL'] !== undefined

test.runIf(onServer)(
  'core-06: an import whose worker is killed goes on in another, without a line lost or doubled',
  { timeout: 3_600_000 },
  async () => {
    const database = await makeTestDatabase()
    try {
      await using app = await createTestApp({ database })
      const { imports, memory, atKill } = await killedImport(app.admin, database.url ?? '', rows)
      expect(atKill).toBeLessThan(rows / 2)
      const good = (rows / 2) * 0.97
      for (const [at, it] of imports.entries()) {
        expect(it).toMatchObject({ state: 'done', encoding: ['Windows-1252', 'UTF-8'][at] })
        expect(it.counts).toEqual({
          lines: rows / 2,
          create: good,
          update: 0,
          unchanged: 0,
          skip: 0,
          failed: rows / 2 - good,
          done: rows / 2,
        })
        const { body } = await app.admin.get(`/api/core/imports/${it.id}/errors.csv`)
        const refused = body.trim().split('\r\n').slice(1)
        expect(refused).toHaveLength(rows / 2 - good)
        expect(refused[0]).toMatch(/no address .*is not an e-mail address/)
      }
      const { rows: found } = await sql<{ n: number; mails: number; changes: number }>`
        select count(*)::integer as n, count(distinct email)::integer as mails,
          (select count(*)::integer from core.change where workspace = ${app.workspace.id} and resource = 'core.contact') as changes
        from core.contact where workspace = ${app.workspace.id}`.execute(database.database.owner)
      expect(found).toEqual([{ n: rows * 0.97, mails: rows * 0.97, changes: rows * 0.97 }])
      expect(memory).toBeLessThan(512)
    } finally {
      await database.drop()
    }
  },
)

// `npm run chaos -- --only crash` has many more seeds.
test.runIf(onServer)(
  'rehearsed, run and taken back by workers that die at random moments, an import leaves what an undisturbed one does',
  { timeout: 600_000 },
  async () => {
    const database = await makeTestDatabase()
    try {
      await using app = await createTestApp({ database })
      const { undisturbed, crashed, deaths } = await crashedImport(app, database, { rows: 700, seed: 1, kills: 1 })
      expect(crashed).toEqual(undisturbed)
      expect(deaths).toBeGreaterThan(0)
    } finally {
      await database.drop()
    }
  },
)
