// Kills what tells and what delivers events, again and again, and a worker in the middle of an import, and counts what went
// wrong: `npm run chaos -- --repeat 3`, `npm run chaos -- --only import --rows 100000`,
// `npm run chaos -- --only crash --repeat 30`.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from '../src/clock.ts'
import { createTestApp, makeTestDatabase } from '../src/testing/index.ts'
import { killPoints, killRound, type Verdict } from '../test/events-chaos.ts'
import { openBench, probePlugin } from '../test/events-fixture.ts'
import { killedImport } from '../test/import-chaos.ts'
import { crashedImport } from '../test/import-crash.ts'

const { values: flags } = parseArgs({
  options: {
    repeat: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    rows: { type: 'string', default: '100000' },
    /** Of the first random import; the next have the numbers that follow. */
    seed: { type: 'string', default: '1' },
  },
})
const repeat = Number(flags.repeat)
const only = flags.only.split(',').filter(Boolean)
process.env['TEST_DATABASE_URL'] ??= process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

const { bench, url, close } = await openBench('postgres', systemClock)

/** Scenario core-06: what came in, what was refused, and how much memory the largest worker held. */
async function importRound(rows: number): Promise<void> {
  const database = await makeTestDatabase()
  try {
    await using app = await createTestApp({ database })
    const { imports, memory, atKill, seconds } = await killedImport(app.admin, database.url ?? '', rows)
    const sum = (name: 'create' | 'failed') => imports.reduce((total, { counts }) => total + counts[name], 0)
    const { rows: found } = await sql<{ n: number }>`
      select count(distinct email)::integer as n from core.contact where workspace = ${app.workspace.id}`.execute(
      database.database.owner,
    )
    const cells = [
      rows,
      atKill,
      sum('create'),
      found[0]?.n ?? 0,
      sum('failed'),
      Math.round(memory),
      Math.round(seconds),
    ]
    console.log(
      '\n| import of | killed at | made | different | refused | MB | s |\n| --- | --- | --- | --- | --- | --- | --- |',
    )
    console.log(`| ${cells.join(' | ')} |`)
    if (sum('create') !== rows * 0.97 || found[0]?.n !== rows * 0.97 || memory > 512) process.exitCode = 1
  } finally {
    await database.drop()
  }
}

/** The same file imported and taken back undisturbed, and by workers that die at random moments: what differs afterwards. */
async function crashRounds(): Promise<void> {
  const database = await makeTestDatabase()
  try {
    await using app = await createTestApp({ database })
    console.log(
      '\n| seed | lines | workers that died | pieces of work that left something else |\n| --- | --- | --- | --- |',
    )
    for (let nth = 0; nth < repeat; nth += 1) {
      const seed = Number(flags.seed) + nth
      const kills = ([1, 2, 3] as const)[nth % 3] ?? 1
      const { undisturbed, crashed, deaths } = await crashedImport(app, database, { rows: 1_700, seed, kills })
      const other = (['rehearse', 'run', 'rollback'] as const).filter(
        (work) => !isDeepStrictEqual(crashed[work], undisturbed[work]),
      )
      console.log(`| ${[seed, 1_700, deaths, other.join(', ') || 'none'].join(' | ')} |`)
      if (other.length > 0) process.exitCode = 1
    }
  } finally {
    await database.drop()
  }
}

try {
  await bench.switchPlugin('enabled')
  await bench.deliveries([probePlugin()])
  console.log('| kill point | kills | told | heard | lost | phantom | double | reversed |')
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const point of killPoints) {
    if (only.length > 0 && !only.some((word) => point.name.includes(word))) continue
    const sum = { told: 0, heard: 0, lost: 0, phantom: 0, double: 0, reversed: 0 }
    for (let nth = 0; nth < repeat; nth += 1) {
      const verdict = await killRound(bench, url, point)
      for (const name of Object.keys(sum) as (keyof Verdict)[]) sum[name] += verdict[name]
    }
    console.log(`| ${[point.name, repeat, ...Object.values(sum)].join(' | ')} |`)
    if (sum.lost + sum.phantom + sum.double + sum.reversed > 0) process.exitCode = 1
  }
  if (only.length === 0 || only.includes('crash')) await crashRounds()
  if (only.length === 0 || only.includes('import')) await importRound(Number(flags.rows))
} finally {
  await close()
}
