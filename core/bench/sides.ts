// Measures a list across two side tables beside the same without: `npm run bench:sides -- --rows 100000`. See README.md.
import { parseArgs } from 'node:util'
import { CompiledQuery, sql } from 'kysely'
import { createTestApp, makeTestDatabase, type TestDatabase } from '../src/testing/index.ts'
import { sidePlugins } from '../test/side-world.ts'

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '60' } },
})
const rows = Number(flags.rows)
const rounds = Number(flags.rounds)
process.env['TEST_DATABASE_URL'] ??= process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const say = (...cells: (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)

/** A list over what stands beside contacts, and one as selective, in the same order of magnitude, over their own columns. */
const lists = [
  {
    title: 'filtered on one side table, sorted on the other',
    beside: { filter: 'loyaltyTier = "gold"', sort: '-visitsScore' },
    own: { filter: 'sourceChannel = "partner"', sort: '-createdAt' },
  },
  {
    title: 'filtered on both, sorted on one: few rows',
    beside: { filter: 'loyaltyPoints = 77 and visitsLastOn > "2025-06-01"', sort: 'visitsLastOn' },
    own: { filter: 'doNotMail = true and language = "de"', sort: 'createdAt' },
  },
  {
    title: 'sorted on a side field, every row',
    beside: { sort: 'loyaltyPoints' },
    own: { sort: 'name' },
  },
] as const

/** Statements that read a page, as they are sent, while something listens. */
let heard: { readonly sql: string; readonly parameters: readonly unknown[] }[] | undefined

const database = await makeTestDatabase()
const listening: TestDatabase = {
  ...database,
  database: {
    ...database.database,
    transaction: (context, work) =>
      database.database.transaction(context, (tx) =>
        work(
          tx.withPlugin({
            transformQuery({ node, queryId }) {
              const sent = heard && tx.getExecutor().compileQuery(node, queryId)
              if (sent?.sql.includes(' as _id')) heard?.push(sent)
              return node
            },
            transformResult: async ({ result }) => result,
          }),
        ),
      ),
  },
}
try {
  await using app = await createTestApp({ database: listening, plugins: sidePlugins })
  await app.inside(async (ctx) => {
    const workspace = sql`${app.workspace.id}::uuid`
    await sql`insert into core.contact (id, workspace, name, first_name, last_name, source_channel, language, do_not_mail, created_at)
      select gen_random_uuid(), ${workspace}, 'Léa N' || n, 'Léa', 'N' || n, (array['direct', 'web', 'partner'])[1 + n % 3],
        case when n % 50 = 0 then 'de' else 'fr' end, n % 20 = 0, now() - n * interval '1 minute'
      from generate_series(1, ${rows}) n`.execute(ctx.sql)
    const numbered = sql`(select id, substr(last_name, 2)::bigint as n from core.contact where workspace = ${workspace}) c`
    await sql`insert into loyalty.ext_contact (workspace, record, tier, points)
      select ${workspace}, id, (array['bronze', 'silver', 'gold'])[1 + n % 3], (n * 7919) % 1000 from ${numbered}`.execute(
      ctx.sql,
    )
    await sql`insert into visits.ext_contact (workspace, record, score, last_on)
      select ${workspace}, id, ((n * 104729) % 100000)::numeric / 100, '2025-01-01'::date + (n * 31 % 300)::integer
      from ${numbered} where n % 10 > 0`.execute(ctx.sql)
  })
  await sql`vacuum (analyze) core.contact, loyalty.ext_contact, visits.ext_contact`.execute(database.database.owner)

  const page = async (query: Readonly<Record<string, string>>, after?: string) => {
    const search = new URLSearchParams({
      ...query,
      limit: '50',
      count: 'none',
      ...(after === undefined ? {} : { after }),
    })
    const started = performance.now()
    const { status, body } = await app.admin.get(`/api/core/contacts?${search}`)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return { milliseconds: performance.now() - started, next: (body.page.next ?? undefined) as string | undefined }
  }
  /** Pages one behind the other, from the first on. */
  const measured = async (query: Readonly<Record<string, string>>) => {
    const times: number[] = []
    for (let nth = 0, after: string | undefined; nth < rounds; nth += 1) {
      const { milliseconds, next } = await page(query, after)
      if (nth >= 5) times.push(milliseconds)
      after = next
    }
    times.sort((a, b) => a - b)
    return { p50: times[times.length >> 1] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 }
  }
  say('list of 50', 'rows', 'p50 beside / own, ms', 'p95 beside / own, ms', 'times at p50')
  say('---', '---', '---', '---', '---')
  for (const { title, beside, own } of lists) {
    const [with_, without] = [await measured(beside), await measured(own)]
    const pair = (name: 'p50' | 'p95') => `${with_[name].toFixed(1)} / ${without[name].toFixed(1)}`
    heard = []
    await page(beside)
    const [statement, ...more] = heard
    heard = undefined
    if (!statement) throw new Error('No page was read.')
    const plan = await app.inside(async (ctx) => {
      const explained = CompiledQuery.raw(`explain ${statement.sql}`, [...statement.parameters])
      return (await ctx.sql.executeQuery<{ 'QUERY PLAN': string }>(explained)).rows.map((row) => row['QUERY PLAN'])
    })
    // One statement a page, and every table by an index.
    if (more.length > 0 || plan.some((line) => line.includes('Seq Scan'))) {
      process.exitCode = 1
      process.stdout.write(`${plan.join('\n')}\n`)
    }
    say(title, rows, pair('p50'), pair('p95'), (with_.p50 / without.p50).toFixed(2))
  }
} finally {
  await database.drop()
}
