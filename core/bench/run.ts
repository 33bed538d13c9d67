// Measures the platform against hand-written SQL in the same run: `npm run bench -- --rows 100000`. See README.md.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { serverDatabase } from '../src/database/database.ts'
import { eventFigures } from './events.ts'
import { openFilled } from './fill.ts'
import { Client } from './load.ts'
import { checkPlans, Recorder } from './plans.ts'
import { processCpu, startServer, type Server } from './processes.ts'
import { report, Tally, type Figure } from './report.ts'
import { scenarios, signIn, walkDown, type Scenario } from './scenarios.ts'
import { filledDatabase } from './template.ts'

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    /** Names of scenarios, or `events`, separated by commas; any other word, such as `plans`, checks the plans alone. */
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    /** Longest time of one side's turn with the crowd; half of it alone. */
    seconds: { type: 'string', default: '2' },
  },
})
const rows = Number(flags.rows)
const rounds = Number(flags.rounds)
const seconds = Number(flags.seconds)
const only = flags.only.split(',').filter(Boolean)
const server = process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
/** Clients that ask at once; one more phase has a single client, for the time of an answer nobody waits in line for. */
const crowd = 16
const say = (line: string) => process.stdout.write(`${line}\n`)

if (only.length === 0 || only.includes('events')) {
  process.env['TEST_DATABASE_URL'] ??= server
  for (const line of await eventFigures()) say(line)
  if (only.length === 1) process.exit()
}

const { url, drop } = await filledDatabase(server, { rows, name: `socle_bench_${randomUUID().slice(0, 8)}`, say })
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void drop().finally(() => process.exit(1)))
try {
  await measure()
} finally {
  await drop()
}

async function measure(): Promise<void> {
  const recorder = new Recorder()
  const database = await serverDatabase(url)
  const app = await createApp({
    database: recorder.around(database),
    plugins: [],
    log: pino({ level: 'error' }),
    identity: { baseUrl: 'http://127.0.0.1' },
  })
  const [workspace] = await app.identity.workspaces()
  if (!workspace) throw new Error('The filled database has no workspace.')
  const filled = await openFilled(url, workspace.id, rows)
  const columns = (resource: string) =>
    JSON.stringify(app.kernel.parts.catalog.of(resource).all.map(({ name, column }) => ({ name, column })))

  const platform = await startServer('platform.ts', 'bench-platform', url)
  const baseline = await startServer(
    'baseline.ts',
    'bench-baseline',
    url,
    filled.workspace,
    columns('core.contact'),
    columns('core.account'),
  )
  const sides: Sides = {
    ours: { server: platform, client: new Client(platform.url, { authorization: `Bearer ${filled.key}` }) },
    baseline: { server: baseline, client: new Client(baseline.url) },
  }
  try {
    const deep = await walkDown(sides.ours.client, rows)
    const plans = await checkPlans(app, recorder, url, { ...filled, deep })
    const cookie = await signIn(platform.url, filled.colleague)
    const figures = await race(sides, scenarios(filled, deep, cookie))
    for (const line of report(figures, { rows, rounds })) say(line)
    say('')
    for (const { title, nodes, indexed } of plans) say(`${indexed ? 'ok ' : 'NO '} ${title}: ${nodes.join(' > ')}`)
    if (plans.some(({ indexed }) => !indexed)) process.exitCode = 1
  } finally {
    for (const { server: running, client } of Object.values(sides)) {
      client.close()
      await running.close()
    }
    await app.stop()
    await database.close()
  }
}

interface Side {
  readonly server: Server
  readonly client: Client
}
type Sides = Readonly<Record<'ours' | 'baseline', Side>>

/** Round after round through every scenario, the sides in turn, so that whatever slows the machine slows both. */
async function race(sides: Sides, all: readonly Scenario[]): Promise<Figure[]> {
  const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name))
  const figures = chosen.map((scenario) => ({ scenario, ours: new Tally(), baseline: new Tally() }))
  const watcher = new pg.Client({ connectionString: url })
  await watcher.connect()
  try {
    for (let round = -1; round < rounds; round += 1) {
      // The first round warms both: compiled code, connections, named statements, the database's memory.
      const warming = round < 0
      for (const { scenario, ...tallies } of figures) {
        const order: readonly ('ours' | 'baseline')[] = round % 2 === 0 ? ['ours', 'baseline'] : ['baseline', 'ours']
        for (const name of order) {
          const { client, server: running } = sides[name]
          const next = scenario[name]
          const alone = await client.drive(next, {
            clients: 1,
            count: Math.ceil(scenario.count / 8),
            seconds: seconds / 2,
          })
          const before = await cpuOf(running, watcher)
          const crowded = await client.drive(next, {
            clients: crowd,
            count: scenario.count,
            seconds: warming ? seconds / 2 : seconds,
          })
          const after = await cpuOf(running, watcher)
          if (warming) continue
          tallies[name].add(alone, crowded, {
            server: after.server - before.server,
            database:
              after.database === undefined || before.database === undefined
                ? undefined
                : after.database - before.database,
          })
        }
      }
    }
    return figures
  } finally {
    await watcher.end()
  }
}

/** Processor time of a server and of the database processes that work for it. */
async function cpuOf(
  { cpu, application }: Server,
  watcher: pg.Client,
): Promise<{ server: number; database: number | undefined }> {
  const { rows: backends } = await watcher.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database() and application_name = $1',
    [application],
  )
  let database: number | undefined = 0
  for (const { pid } of backends) {
    const used = await processCpu(pid)
    database = database === undefined || used === undefined ? undefined : database + used
  }
  return { server: await cpu(), database }
}
