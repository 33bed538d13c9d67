// Measures files in and out with a worker process as it runs in production: `npm run bench:files -- --rows 100000`. See README.md.
import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { createTestApp, makeTestDatabase, type TestClient } from '../src/testing/index.ts'
import { Worker, workerName } from '../test/import-chaos.ts'
import { Importing } from '../test/import-world.ts'
import { firstNames, lastNames } from './fill.ts'
import { processCpu } from './processes.ts'

const { values: flags } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } })
const rows = Number(flags.rows)
process.env['TEST_DATABASE_URL'] ??= process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const say = (...cells: (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)

const accounts = Math.max(10, Math.floor(rows / 20))
const accountName = (nth: number) =>
  `${lastNames[nth % lastNames.length]} ${lastNames[(nth * 7) % lastNames.length]} ${nth}`
const twoDigits = (value: number) => String(value).padStart(2, '0')

/** Twelve columns; names as common as names are, one line in fifty likely the same person as another. */
function* contactLines(): Generator<string> {
  yield 'Prénom;Nom;Fonction;Compte;E-mail;Téléphone;Mobile;Langue;Date de naissance;Source;Ne pas appeler;Ne pas écrire'
  for (let nth = 0; nth < rows; nth += 1) {
    const who = nth % 50 === 49 ? nth - 1 : nth
    const first = firstNames[(who * 31) % firstNames.length] ?? ''
    const last = lastNames[(who * 17 + Math.floor(who / 50)) % lastNames.length] ?? ''
    const number = String(10_000_000 + who)
    const born = `${twoDigits(1 + (who % 28))}/${twoDigits(1 + (who % 12))}/${1950 + (who % 50)}`
    const cells = [first, last, 'Responsable achats', accountName(who % accounts), `person.${nth}@example.com`]
    yield [...cells, `01${number}`, `06${number}`, 'fr', born, 'Salon', 'non', nth % 9 === 0 ? 'oui' : 'non'].join(';')
  }
}

/** Says the seconds a piece of work takes, the processor time it needs and the megabytes its worker holds at most. */
async function measured<T>(name: string, worker: Worker, work: () => Promise<T>): Promise<T> {
  worker.memory = 0
  const before = [worker.cpu, await databaseCpu()] as const
  const started = performance.now()
  const result = await work()
  const seconds = (performance.now() - started) / 1_000
  const cpu = [worker.cpu - before[0], (await databaseCpu()) - before[1]]
  say(name, rows, ...[seconds, ...cpu].map((it) => it.toFixed(1)), Math.round(worker.memory))
  return result
}

// Of those that have ended, too.
const usedBy = new Map<number, number>()

/** Seconds of processor time of the database processes that work for the worker. */
async function databaseCpu(): Promise<number> {
  const { rows: backends } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where datname = current_database() and application_name = ${workerName}`.execute(
    database.database.owner,
  )
  for (const { pid } of backends) usedBy.set(pid, (await processCpu(pid)) ?? usedBy.get(pid) ?? 0)
  return usedBy.values().reduce((sum, it) => sum + it, 0)
}

async function exported(client: TestClient, asked: Readonly<Record<string, unknown>>): Promise<void> {
  const { body, status } = await client.post('/api/core/exports', { resource: 'core.contact', ...asked })
  if (status !== 202) throw new Error(JSON.stringify(body))
  for (;;) {
    const now = await client.get(`/api/core/exports/${body.data.id}`)
    if (now.body.data.state === 'done') break
    if (now.body.data.state !== 'running') throw new Error(JSON.stringify(now.body))
    await pause(200)
  }
  const file = await client.raw('GET', `/api/core/exports/${body.data.id}/file`)
  for await (const _ of file.body ?? []) continue
}

const database = await makeTestDatabase()
let worker: Worker | undefined
try {
  await using app = await createTestApp({ database })
  const { admin } = app
  const importing = new Importing(admin, async () => {})
  worker = new Worker(database.url ?? '')
  const running = worker
  const names = await importing.upload(
    'core.account',
    ['Nom', ...Array.from({ length: accounts }, (_, nth) => accountName(nth))].join('\n'),
  )
  await importing.change(names.id, { options: { duplicates: 'import' } })
  await importing.rehearse(names.id)
  await importing.run(names.id)
  say('work', 'rows', 's', 'CPU of the worker, s', 'CPU of the database, s', 'MB')
  say('---', '---', '---', '---', '---', '---')
  const file = Buffer.from([...contactLines()].join('\n'))
  const made = await measured('upload', running, () => importing.upload('core.contact', file))
  await importing.change(made.id, { options: { dateFormat: 'DD/MM/YYYY' }, key: null })
  await measured('rehearsal', running, () => importing.rehearse(made.id))
  const done = await measured('run', running, () => importing.run(made.id))
  process.stdout.write(`${JSON.stringify(done.counts)}\n`)
  if (done.state !== 'done' || done.counts.done !== rows) process.exitCode = 1
  // By the clock of the platform, which stands still in this process.
  const past = app.clock.now().toISOString()
  for (const format of ['csv', 'xlsx', 'json', 'vcard'])
    await measured(`export ${format}`, running, () => exported(admin, { format }))
  await measured('export csv as of', running, () => exported(admin, { format: 'csv', asOf: past }))
} finally {
  await worker?.kill()
  await database.drop()
}
