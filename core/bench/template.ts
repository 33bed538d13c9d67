import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { serverDatabase } from '../src/database/database.ts'
import { fields } from '../src/records/fields/resource.ts'
import { fill } from './fill.ts'

/** The own field that lists are sorted by; see `fill.ts` for its values. */
export const ownField = 'score'

const prefix = 'socle_bench_of'

/**
 * A database of this run's own, copied from one that was filled before with the same migrations by the same code and is kept
 * between runs; the first run fills it. `drop` takes the copy away again.
 */
export async function filledDatabase(
  server: string,
  { rows, name, say }: { rows: number; name: string; say: (line: string) => void },
): Promise<{ url: string; drop: () => Promise<void> }> {
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  try {
    const template = `${prefix}_${rows}_${await fingerprint()}`
    const { rows: kept } = await admin.query<{ datname: string }>(
      'select datname from pg_database where datname like $1',
      [`${prefix.replaceAll('_', '\\_')}\\_${rows}\\_%`],
    )
    if (!kept.some(({ datname }) => datname === template)) {
      for (const { datname } of kept) await admin.query(`drop database if exists ${datname} with (force)`)
      const unfinished = `${template}_unfinished`
      await admin.query(`create database ${unfinished}`)
      await make(urlOf(server, unfinished), rows, say)
      await admin.query(`alter database ${unfinished} rename to ${template}`)
    }
    // As files: through the log, gigabytes would be written twice.
    await admin.query(`create database ${name} template ${template} strategy file_copy`)
  } finally {
    await admin.end()
  }
  return {
    url: urlOf(server, name),
    async drop() {
      const client = new pg.Client({ connectionString: server })
      await client.connect()
      await client.query(`drop database if exists ${name} with (force)`)
      await client.end()
    },
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

/** What the filled database was made by. */
async function fingerprint(): Promise<string> {
  const migrations = join(import.meta.dirname, '../migrations')
  const files = [
    ...(await readdir(migrations)).toSorted().map((file) => join(migrations, file)),
    join(import.meta.dirname, 'fill.ts'),
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

async function make(url: string, rows: number, say: (line: string) => void): Promise<void> {
  const started = performance.now()
  const database = await serverDatabase(url)
  const app = await createApp({
    database,
    plugins: [],
    log: pino({ level: 'error' }),
    identity: { baseUrl: 'http://127.0.0.1' },
  })
  try {
    const first = await app.identity.ensureFirstAdmin({
      email: 'bench@example.com',
      name: 'Bench',
      workspace: { name: 'Bench' },
    })
    if (!first) throw new Error('The new database had somebody in it.')
    const { workspace } = first
    await fill(url, workspace.id, rows, say)
    // Indexed when there is something to index, as in a life.
    await app.start()
    const read = () =>
      app.kernel.asSystem(workspace, { origin: 'system' }, async ({ records }) => {
        const { data } = await records.list(fields, { filter: `name = "${ownField}"` })
        return data[0]?.['indexState']
      })
    await app.kernel.asSystem(workspace, { origin: 'system' }, ({ records }) =>
      records.create(fields, {
        resource: 'core.contact',
        name: ownField,
        type: 'decimal',
        labelEn: 'Score',
        labelFr: 'Score',
        indexed: true,
      }),
    )
    for (let state = await read(); state !== 'ready'; state = await read()) {
      if (state === 'failed') throw new Error('The own field could not be indexed.')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  } finally {
    await app.stop()
    await database.close()
  }
  say(`${rows.toLocaleString('en')} contacts filled in ${((performance.now() - started) / 1000).toFixed(0)} s`)
}
