// A process of its own that works on a job until it is killed in the middle. See jobs.test.ts.
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { systemClock } from '../src/clock.ts'
import { serverDatabase } from '../src/database/database.ts'
import { Jobs } from '../src/jobs/jobs.ts'
import { Bench } from './events-fixture.ts'

const [url = '', workspace = ''] = process.argv.slice(2)
const bench = new Bench(await serverDatabase(url), systemClock, workspace)
const { database, clock, log, runUnit } = bench
const jobs = new Jobs({ database, url, clock, log, runUnit, recoverSeconds: 10, pollMilliseconds: 500 })
jobs.register('probe.copy', async ({ id }, tools) => {
  for (let nth = 1; nth <= 20; nth += 1) {
    await tools.unit(async (ctx) => {
      await sql`insert into public.line (job, nth) values (${id}::uuid, ${nth})`.execute(ctx.sql)
      // The parent kills in the middle of the fourth chunk, after its write and before its commit.
      if (nth === 4) process.send?.('half done')
      if (nth === 4) await pause(60_000)
      await tools.progress(nth, 20, ctx)
    })
  }
})
await jobs.start()
