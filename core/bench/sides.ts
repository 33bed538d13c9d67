// Measures a list that is filtered on a field of one plugin and sorted by one of another, beside the same of the resource's own.
import { sql } from 'kysely'
import { createTestApp, makeTestDatabase, type TestApp } from '../src/testing/index.ts'
import { sidePlugins } from '../test/side-world.ts'
import { percentile } from './load.ts'

const rounds = 200

/** Each contact with its own value of what stands beside others: as many of each, and as many empty. */
async function fill(app: TestApp, rows: number): Promise<void> {
  await app.inside(async ({ sql: tx }) => {
    const workspace = sql`${app.workspace.id}::uuid`
    await sql`insert into core.contact (id, workspace, name, first_name, last_name, language, source_channel)
      select gen_random_uuid(), ${workspace}, 'Léa N' || lpad(n::text, 7, '0'), 'Léa', 'N' || lpad(n::text, 7, '0'),
        (array['fr', 'en'])[1 + n % 2], (array['web', 'partner', 'import', 'direct'])[1 + n % 4]
      from generate_series(1, ${rows}) n`.execute(tx)
    const numbered = sql`select id, right(last_name, 7)::integer as n from core.contact where workspace = ${workspace}`
    await sql`insert into loyalty.ext_contact (workspace, record, tier, points)
      select ${workspace}, id, (array['bronze', 'silver', 'gold', null])[1 + n % 4], (n * 7919) % 90 from (${numbered}) c`.execute(
      tx,
    )
    await sql`insert into visits.ext_contact (workspace, record, score)
      select ${workspace}, id, case when n % 6 > 0 then ((n * 104729::bigint) % 100000)::numeric / 4 end from (${numbered}) c`.execute(
      tx,
    )
  })
  for (const table of ['core.contact', 'loyalty.ext_contact', 'visits.ext_contact'])
    await sql`analyze ${sql.table(table)}`.execute(app.app.kernel.parts.database.owner)
}

/** Rows of the table of README.md: figure, goal, measured. */
export async function sideFigures(rows = 100_000): Promise<(readonly [string, string, string])[]> {
  const database = await makeTestDatabase()
  try {
    await using app = await createTestApp({ database, plugins: sidePlugins })
    await fill(app, rows)
    const lists = {
      across: { filter: 'loyaltyTier = "gold" and loyaltyPoints >= 10', sort: '-visitsScore' },
      own: { filter: 'sourceChannel = "web" and language = "fr"', sort: 'name' },
    }
    const took = { across: [] as number[], own: [] as number[] }
    for (let round = -20; round < rounds; round += 1)
      for (const name of ['across', 'own'] as const) {
        const at = performance.now()
        const { status, body } = await app.admin.get(
          `/api/core/contacts?${new URLSearchParams({ ...lists[name], count: 'none', limit: '50' })}`,
        )
        if (status !== 200 || body.data.length !== 50) throw new Error(JSON.stringify(body))
        if (round >= 0) took[name].push(performance.now() - at)
      }
    const p95 = (name: keyof typeof took) => percentile(took[name], 0.95)
    return [
      [
        `list across 2 side tables, ${rows.toLocaleString('en')} rows, p95`,
        '≤ 100 ms',
        `${p95('across').toFixed(1)} ms`,
      ],
      [
        'the same, times a list of the resource’s own fields',
        '≤ 2 ×',
        `${(p95('across') / p95('own')).toFixed(2)} × (${p95('own').toFixed(1)} ms)`,
      ],
    ]
  } finally {
    await database.drop()
  }
}
