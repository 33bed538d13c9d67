// Measures what plugins cost and what switching them does to others: `npm run bench:plugins`. See README.md.
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from '../src/clock.ts'
import { Workspaces } from '../src/identity/workspaces.ts'
import { makeTestDatabase } from '../src/testing/index.ts'
import { Client, percentile } from './load.ts'
import { startServer, type Server } from './processes.ts'
import { signIn } from './scenarios.ts'
import { sideFigures } from './sides.ts'

const { values: flags } = parseArgs({
  options: {
    toggles: { type: 'string', default: '100' },
    /** Milliseconds between two of them: an administrator switches once a second at the very most. */
    every: { type: 'string', default: '1000' },
    /** Requests a second to other plugins meanwhile. */
    rate: { type: 'string', default: '200' },
    /** How often boots and rounds are measured; the middle one counts. */
    rounds: { type: 'string', default: '5' },
    /** Measures what switching does to others, and nothing else. */
    toggling: { type: 'boolean', default: false },
  },
})
const toggles = Number(flags.toggles)
const every = Number(flags.every)
const rate = Number(flags.rate)
const rounds = Number(flags.rounds)
process.env['TEST_DATABASE_URL'] ??= process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

const say = (...cells: (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 1)
const median = (values: readonly number[]) => percentile(values, 0.5)

/** Somebody signed in, at a server with so many plugins of so many routes. */
interface Seat {
  readonly server: Server
  readonly client: Client
}

const person = { email: 'claire@example.com', password: 'a password of benchmarks' }
const database = await makeTestDatabase()

/** @returns milliseconds until it answers that it is ready */
async function open(plugins: number, routes: number): Promise<Seat & { readonly boot: number }> {
  const started = performance.now()
  const server = await startServer(
    'many-plugins.ts',
    'bench-plugins',
    database.url ?? '',
    String(plugins),
    String(routes),
  )
  const boot = performance.now() - started
  const cookie = await signIn(server.url, person)
  return { server, boot, client: new Client(server.url, { cookie, origin: server.url }) }
}

/** Another company of the same person, beside their first. */
const there = { name: 'Bench There', slug: 'bench-there' }

async function openThere(): Promise<void> {
  const { owner } = database.database
  const { rows } = await sql<{
    id: string
    name: string
    email: string
  }>`select id, name, email from core."user"`.execute(owner)
  await new Workspaces(owner, systemClock).create(there, rows[0])
}

/**
 * Requests at a steady rate, whatever each takes, until `done`: half of them in the workspace where it is switched, half in
 * another.
 *
 * @returns what each took, and how many failed
 */
async function steadily(client: Client, paths: readonly string[], done: () => boolean) {
  const latencies = { here: [] as number[], there: [] as number[] }
  let failures = 0
  const reasons = new Set<string>()
  const asked: Promise<unknown>[] = []
  const started = performance.now()
  for (let nth = 0; !done(); nth += 1) {
    const due = started + (nth * 1_000) / rate
    const early = due - performance.now()
    if (early > 0) await pause(early)
    const at = performance.now()
    const where = nth % 2 === 0 ? 'here' : 'there'
    const headers = where === 'here' ? {} : { 'x-workspace': there.slug }
    asked.push(
      client.send({ method: 'GET', path: paths[nth % paths.length] ?? '', headers }).then(
        () => latencies[where].push(performance.now() - at),
        (error: unknown) => {
          failures += 1
          reasons.add(error instanceof Error ? error.message : String(error))
        },
      ),
    )
  }
  await Promise.all(asked)
  return { latencies, failures, reasons: [...reasons] }
}

async function toggling(): Promise<void> {
  await openThere()
  const { server, client } = await open(4, 10)
  const toggle = (verb: 'enable' | 'disable', plugin = 0, headers = {}) =>
    client.send({ method: 'POST', path: `/api/core/plugins/bench-${plugin}/${verb}`, body: {}, headers })
  for (const nth of [1, 2, 3]) await toggle('enable', nth, { 'x-workspace': there.slug })
  const others = [1, 2, 3].map((nth) => `/api/bench-${nth}/calls/${nth}`)
  for (let nth = 0; nth < 10; nth += 1) await toggle(nth % 2 === 0 ? 'disable' : 'enable')
  const until = performance.now() + 20_000
  const quiet = await steadily(client, others, () => performance.now() > until)
  const memory = await server.heap()
  const took = { enable: [] as number[], disable: [] as number[] }
  let isDone = false
  const load = steadily(client, others, () => isDone)
  for (let nth = 0; nth < toggles; nth += 1) {
    const verb = nth % 2 === 0 ? 'disable' : 'enable'
    const at = performance.now()
    await toggle(verb)
    took[verb].push(performance.now() - at)
    await pause(every)
  }
  isDone = true
  const under = await load
  const grown = (await server.heap()) / memory - 1
  await server.close()
  for (const verb of ['enable', 'disable'] as const)
    say(
      `${verb}, warm, to effect in its process`,
      '≤ 1,000 ms',
      `p50 ${milliseconds(median(took[verb]))}, p95 ${milliseconds(percentile(took[verb], 0.95))} ms`,
    )
  for (const reason of under.reasons) process.stderr.write(`${reason}\n`)
  const answered = under.latencies.here.length + under.latencies.there.length
  say(
    `${toggles} toggles, ${every} ms apart, under ${rate} requests/s to others: failures`,
    0,
    `${under.failures} of ${answered + under.failures}`,
  )
  for (const [where, words] of [
    ['here', 'in the same workspace'],
    ['there', 'in another workspace'],
  ] as const) {
    const p99 = [percentile(quiet.latencies[where], 0.99), percentile(under.latencies[where], 0.99)] as const
    say(
      `p99 of those requests ${words}, with and without toggling`,
      '≤ 1.2 ×',
      `${milliseconds(p99[1])} / ${milliseconds(p99[0])} ms, ${(p99[1] / p99[0]).toFixed(2)} ×`,
    )
  }
  say('growth of memory in use over them', '< 5 %', `${(grown * 100).toFixed(1)} %`)
}

async function dispatch(): Promise<void> {
  const few = await open(1, 40)
  const many = await open(50, 40)
  const throughput = { few: [] as number[], many: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { client }, plugins] of [
      ['few', few, 1],
      ['many', many, 50],
    ] as const) {
      let nth = 0
      const call = () => ({ method: 'GET', path: `/api/bench-${(nth += 1) % plugins}/calls/${nth % 40}` })
      const { latencies, seconds } = await client.drive(call, { clients: 8, count: Infinity, seconds: 3 })
      throughput[name].push(latencies.length / seconds)
    }
  }
  await few.server.close()
  await many.server.close()
  const [one, all] = [median(throughput.few), median(throughput.many)]
  say(
    'dispatch with 50 plugins × 40 routes against 1 × 40',
    '≥ 0.9 ×',
    `${Math.round(all)} / ${Math.round(one)} requests/s, ${(all / one).toFixed(2)} ×`,
  )
}

async function boots(): Promise<void> {
  const took = { none: [] as number[], twenty: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, plugins] of [
      ['none', 0],
      ['twenty', 20],
    ] as const) {
      const { server, boot } = await open(plugins, 10)
      took[name].push(boot)
      await server.close()
    }
  }
  const [none, twenty] = [median(took.none), median(took.twenty)]
  say(
    'boot with 20 plugins against none',
    '≤ 2 ×',
    `${Math.round(twenty)} / ${Math.round(none)} ms, ${(twenty / none).toFixed(2)} ×`,
  )
}

try {
  // Its first start makes the administrator, the tables of all plugins, and switches all of them on.
  const { server, client } = await open(50, 40)
  for (let nth = 0; nth < 50; nth += 1)
    await client.send({ method: 'POST', path: `/api/core/plugins/bench-${nth}/enable`, body: {} })
  await server.close()
  say('figure', 'goal', 'measured')
  say('---', '---', '---')
  await toggling()
  if (!flags.toggling) {
    await dispatch()
    await boots()
    for (const figure of await sideFigures()) say(...figure)
  }
} finally {
  await database.drop()
}
