// Kills what tells and what delivers events, again and again, and a worker in the middle of an import, and counts what went
// wrong: `npm run chaos -- --repeat 3`, `npm run chaos -- --only import --rows 100000`,
// `npm run chaos -- --only crash --repeat 30`.
import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from '../src/clock.ts'
import { createTestApp, makeTestDatabase } from '../src/testing/index.ts'
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
const owner = bench.database.owner
const children = new Set<Child>()

/** A step that a teller said it has committed. */
interface Told {
  readonly key: string
  readonly step: number
  readonly writer: number
}

/** A process that tells or delivers, and what it said before it ended. */
class Child {
  readonly #process: ChildProcess
  readonly told: Told[] = []

  constructor(role: 'deliver' | 'tell', ...rest: readonly string[]) {
    this.#process = fork(
      join(import.meta.dirname, '../test/events-process.ts'),
      [role, url, bench.workspace, ...rest],
      // One whose connections are cut ends with a fault of its own, which is the point.
      { execArgv: process.execArgv, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    )
    children.add(this)
    this.#process.on('message', (message) => {
      if (typeof message === 'object' && 'told' in message && 'step' in message)
        this.told.push({
          key: String(message.told),
          step: Number(message.step),
          writer: this.#process.pid ?? 0,
        })
    })
  }

  /** Whether it spoke before it ended; the first word of each is that it runs. */
  async speaks(): Promise<boolean> {
    if (this.#ended) return false
    const over = new AbortController()
    const word = once(this.#process, 'message', { signal: over.signal }).then(() => true)
    const end = once(this.#process, 'exit', { signal: over.signal }).then(() => false)
    try {
      return await Promise.race([word, end])
    } finally {
      over.abort()
      await Promise.allSettled([word, end])
    }
  }

  async kill(): Promise<void> {
    children.delete(this)
    if (this.#ended) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }
}

interface Running {
  readonly deliverer: Child
  readonly teller: Child
}

/** Where the kill falls. A kill point takes a running pair and leaves at least one of them dead. */
const killPoints: Readonly<Record<string, (running: Running) => Promise<void>>> = {
  // Its writes are made, its commit is not.
  'deliverer, as it handles': async ({ deliverer }) => {
    await deliverer.speaks()
    await deliverer.kill()
  },
  'deliverer, some moment later': async ({ deliverer }) => {
    await deliverer.speaks()
    await pause(Math.random() * 60)
    await deliverer.kill()
  },
  'teller, as it says it committed': async ({ teller }) => {
    await teller.speaks()
    await teller.kill()
  },
  // Between the outbox and the commit as often as not.
  'teller, some moment later': async ({ teller }) => {
    await teller.speaks()
    await pause(Math.random() * 30)
    await teller.kill()
  },
  'both at once': async ({ deliverer, teller }) => {
    await deliverer.speaks()
    await pause(Math.random() * 40)
    await Promise.all([deliverer.kill(), teller.kill()])
  },
  'every connection, by the server': async ({ deliverer, teller }) => {
    await deliverer.speaks()
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(owner)
    await pause(50)
    await Promise.all([deliverer.kill(), teller.kill()])
  },
}

interface Verdict {
  readonly told: number
  readonly heard: number
  /** Committed and never heard, or said to be committed and not there. */
  readonly lost: number
  /** Heard and never committed. */
  readonly phantom: number
  readonly double: number
  /** Heard before one of the same record that was committed earlier. */
  readonly reversed: number
}

async function round(strike: (running: Running) => Promise<void>): Promise<Verdict> {
  const keys = Array.from({ length: 4 }, () => randomUUID())
  const deliverer = new Child('deliver', '8')
  await deliverer.speaks()
  const teller = new Child('tell', ...keys)
  await teller.speaks()
  await strike({ deliverer, teller })
  await Promise.all([deliverer.kill(), teller.kill()])
  // Whoever starts next takes up what was left.
  const next = new Child('deliver', '0')
  const until = performance.now() + 60_000
  while ((await bench.waiting()).length > 0 && performance.now() < until) await pause(50)
  await next.kill()
  return judge(keys, teller.told)
}

async function judge(keys: readonly string[], acknowledged: readonly Told[]): Promise<Verdict> {
  const committed = await sql<{ id: string; step: number; writer: string; key: string }>`
    select id, key, (payload->>'step')::integer as step, payload->>'writer' as writer from core.event
    where key = any(${keys}::uuid[]) order by seq`.execute(owner)
  const handled = await sql<{ event: string; key: string }>`
    select event, key from public.heard where key = any(${keys}::uuid[]) order by seq`.execute(owner)
  const place = new Map(committed.rows.map(({ id }, at) => [id, at]))
  const heard = handled.rows.map(({ event }) => event)
  const distinct = new Set(heard)
  const there = new Set(committed.rows.map(({ key, step, writer }) => `${key} ${step} ${writer}`))
  const furthest = new Map<string, number>()
  let reversed = 0
  for (const { event, key } of handled.rows) {
    const at = place.get(event) ?? -1
    if (at < (furthest.get(key) ?? -1)) reversed += 1
    furthest.set(key, Math.max(at, furthest.get(key) ?? -1))
  }
  return {
    told: committed.rows.length,
    heard: heard.length,
    lost:
      committed.rows.filter(({ id }) => !distinct.has(id)).length +
      acknowledged.filter(({ key, step, writer }) => !there.has(`${key} ${step} ${writer}`)).length,
    phantom: [...distinct].filter((event) => !place.has(event)).length,
    double: heard.length - distinct.size,
    reversed,
  }
}

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
  for (const [point, strike] of Object.entries(killPoints)) {
    if (only.length > 0 && !only.some((word) => point.includes(word))) continue
    const sum = { told: 0, heard: 0, lost: 0, phantom: 0, double: 0, reversed: 0 }
    for (let nth = 0; nth < repeat; nth += 1) {
      const verdict = await round(strike)
      for (const name of Object.keys(sum) as (keyof Verdict)[]) sum[name] += verdict[name]
    }
    console.log(`| ${[point, repeat, ...Object.values(sum)].join(' | ')} |`)
    if (sum.lost + sum.phantom + sum.double + sum.reversed > 0) process.exitCode = 1
  }
  if (only.length === 0 || only.includes('crash')) await crashRounds()
  if (only.length === 0 || only.includes('import')) await importRound(Number(flags.rows))
} finally {
  await Promise.all([...children].map((child) => child.kill()))
  await close()
}
