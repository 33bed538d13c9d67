import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { ImportJson } from '../src/records/import/import.ts'
import type { TestApp, TestDatabase, TestWorkspace } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'

/** What is asked of an import, one after the other; a worker dies in each. */
const works = ['rehearse', 'run', 'rollback'] as const

export interface Crashes {
  readonly rows: number
  /** From which file and moments follow. */
  readonly seed: number
  /** Workers that die in each piece of work. Jobs are given up after five failures. */
  readonly kills: 1 | 2 | 3
}

/** What an import left behind after each piece of work, without what no two runs have in common: ids and instants. */
export type Traces = Readonly<Record<(typeof works)[number], unknown>>

/** Numbers from 0 to 1 that follow from a seed. Steele, Lea and Flood 2014, “SplitMix”, in 32 bits. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296
  }
}

/**
 * Accounts as files have them: new ones, known ones with other values, faulty and ragged lines, codes given twice,
 * likely duplicates, parents in this file before and after the line, in no file, and in a circle.
 */
function accountFile({ rows, seed }: Crashes): string {
  const random = randomFrom(seed)
  const below = (end: number) => Math.floor(random() * end)
  const kinds: ((nth: number) => string)[] = [
    (nth) => line(nth, { city: 'Lyon', employees: String(below(9_000)) }),
    (nth) => line(nth, { parent: nameOf(below(rows)), city: 'Lille' }),
    (nth) => line(nth, { parent: `Holding ${below(5)}` }),
    (nth) => line(nth, { name: `Known ${below(known)}`, code: `K${below(known)}`, city: 'Nantes' }),
    (nth) => line(nth, { code: `C${below(rows)}` }),
    (nth) => line(nth, { employees: 'many' }),
    (nth) => `${line(nth, {})};too;many`,
    (nth) => line(nth, { name: `Suspect ${below(known)}`, code: '' }),
  ]
  const weighted = [...kinds, kinds[0], kinds[0], kinds[1], kinds[1]].flatMap((it) => it ?? [])
  const lines = Array.from({ length: rows }, (_, nth) => weighted[below(weighted.length)]?.(nth) ?? '')
  return ['Name;Code;Parent;City;Employees', ...lines].join('\n')
}

const known = 12
const nameOf = (nth: number) => `House ${(nth * 2_654_435_761) % 4_294_967_296} of ${nth}`

function line(
  nth: number,
  given: Readonly<Partial<Record<'name' | 'code' | 'parent' | 'city' | 'employees', string>>>,
) {
  const { name = nameOf(nth), code = `C${nth}`, parent = '', city = '', employees = '' } = given
  return [name, code, parent, city, employees].join(';')
}

/** Imports a file and takes it back in a workspace of its own; with `strike`, workers die on the way. */
async function imported(
  company: TestWorkspace,
  { app, database, crashes }: Parts,
  strike?: (begin: () => Promise<void>) => Promise<void>,
): Promise<Traces> {
  for (let nth = 0; nth < known; nth += 1) {
    await company.admin.post('/api/core/accounts', { name: `Known ${nth}`, code: `K${nth}`, city: 'Paris' })
    await company.admin.post('/api/core/accounts', { name: `Suspect ${nth}` })
  }
  const work = () => app.app.jobs.runUntilIdle()
  const importing = new Importing(company.admin, work)
  const made = await importing.upload('core.account', accountFile(crashes))
  const mapping = made.mapping.map((it) => (it.field === 'parent' ? { ...it, by: 'name', create: true } : it))
  await importing.change(made.id, { mapping, key: 'code' })
  const traces: Partial<Record<(typeof works)[number], unknown>> = {}
  for (const step of works) {
    const begin = async () => {
      const { status, body } = await company.admin.post(`/api/core/imports/${made.id}/${step}`)
      if (status !== 202) throw new Error(JSON.stringify(body))
    }
    await (strike ?? ((start) => start()))(begin)
    traces[step] = await traceOf(company, database, await importing.settled(made.id))
  }
  return traces as Traces
}

interface Parts {
  readonly app: TestApp
  readonly database: TestDatabase
  readonly crashes: Crashes
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const instant = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z'

/** Everything a person, a program or the platform itself could tell two runs apart by. */
async function traceOf({ workspace, admin }: TestWorkspace, { database }: TestDatabase, it: ImportJson) {
  const read = async (query: ReturnType<typeof sql>) => (await query.execute(database.owner)).rows
  const own = sql`workspace = ${workspace.id}::uuid`
  const { state, counts, digest, problem } = it
  const traces = {
    import: { state, counts, digest, problem },
    accounts: await read(sql`
      select a.name, a.code, a.city, a.employees, a.source_channel, a.version, a.deleted_at is not null as deleted, p.name as parent
      from core.account a left join core.account p on p.id = a.parent_id where a.${own}
      order by a.code nulls last, a.name, a.version, parent`),
    rows: await read(sql`select phase, line, state, action, record is not null as made, change_set is not null as kept, cells, outcome, digest
      from core.import_row where ${own} order by phase, line`),
    keys: await read(sql`select field, value, line from core.import_key where ${own} order by field, value`),
    units: await read(sql`select count(*) as n from core.import_unit where ${own}`),
    reversals: await read(
      sql`select outcome, fields, code, count(*) as n from core.import_reversal where ${own} group by 1, 2, 3 order by 1, 2, 3`,
    ),
    changes: await read(
      sql`select resource, action, version, regexp_replace(fields::text, ${`${uuid}|${instant}`}, '#', 'g') as fields, count(*) as n
        from core.change where ${own} group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    ),
    changeSets: await read(sql`select origin, count(*) as n from core.change_set where ${own} group by 1 order by 1`),
    events: await read(
      sql`select name, version, count(*) as n from core.event where ${own} group by 1, 2 order by 1, 2`,
    ),
    words: await read(
      sql`select resource, title, count(*) as n from core.search_document where ${own} group by 1, 2 order by 1, 2`,
    ),
    duplicateKeys: await read(
      sql`select kind, value, count(*) as n from core.duplicate_key where ${own} group by 1, 2 order by 1, 2`,
    ),
    errors: (await admin.get(`/api/core/imports/${it.id}/errors.csv`)).body,
    diff: await (await admin.raw('GET', `/api/core/imports/${it.id}/diff.ndjson`)).text(),
  }
  return JSON.parse(JSON.stringify(traces).replaceAll(new RegExp(`${uuid}|${instant}`, 'g'), '#')) as typeof traces
}

/** A worker that takes up one job, as a process of its own. */
async function worker(url: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'import-process.ts'), [url, 'once'], {
    execArgv: ['--conditions=socle-source'],
  })
  const began = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (child.exitCode !== null) throw new Error(`A worker ended before it began: ${String(began)}.`)
  return child
}

/**
 * The same import twice: undisturbed, and with workers killed at moments that follow from the seed.
 *
 * @returns what each left behind, and how many workers died before they were done
 */
export async function crashedImport(
  app: TestApp,
  database: TestDatabase,
  crashes: Crashes,
): Promise<{ readonly undisturbed: Traces; readonly crashed: Traces; readonly deaths: number }> {
  const parts = { app, database, crashes }
  const times: number[] = []
  const undisturbed = await imported(await app.secondWorkspace(), parts, async (begin) => {
    await begin()
    const started = performance.now()
    await app.app.jobs.runUntilIdle()
    times.push(performance.now() - started)
  })
  const random = randomFrom(~crashes.seed)
  let deaths = 0
  const crashed = await imported(await app.secondWorkspace(), parts, async (begin) => {
    const longest = times.shift() ?? 0
    await begin()
    for (let nth = 0; nth < crashes.kills; nth += 1) {
      const child = await worker(database.url ?? '')
      const ended = once(child, 'exit')
      child.send('work')
      await Promise.race([ended, pause(random() * longest)])
      if (child.exitCode === null) deaths += 1
      child.kill('SIGKILL')
      await ended
      // What pg-boss does when a worker's heart stands still, which takes it 10 seconds: jobs.test.ts shows that it does.
      await sql`update core.job set state = 'queued', handed_at = null, ticket = gen_random_uuid() where state = 'running'`.execute(
        database.database.owner,
      )
    }
  })
  return { undisturbed, crashed, deaths }
}
