import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestApp, makeTestDatabase, type TestApp, type TestDatabase } from '../src/testing/index.ts'
import { sidePlugins } from './side-world.ts'

const rows = 2_000
const contacts = '/api/core/contacts'

let base: TestDatabase
let app: TestApp
/** Statements that read a page, since the last look. */
let asked: string[] = []

interface Row {
  readonly id: string
  readonly lastName: string
  readonly loyaltyTier: string | null
  readonly loyaltyPoints: number | null
  readonly visitsScore: string | null
  readonly visitsRegion: string | null
  readonly visitsLastOn: string | null
}
let all: readonly Row[]

beforeAll(async () => {
  base = await makeTestDatabase()
  const { database } = base
  const ear = {
    transformQuery: <T extends { node: N }, N>({ node }: T): N => {
      const text = JSON.stringify(node)
      if (text.includes(' as _id')) asked.push(text)
      return node
    },
    transformResult: async <R>({ result }: { result: R }): Promise<R> => result,
  }
  app = await createTestApp({
    plugins: sidePlugins,
    now: '2026-03-02T08:00:00Z',
    database: {
      ...base,
      database: {
        ...database,
        transaction: (context, work) => database.transaction(context, (tx) => work(tx.withPlugin(ear))),
      },
    },
  })
  await fill()
  all = await everything()
  asked = []
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await base.drop()
})

/** Some with rows beside them in both tables, some in one, some in none, and values that many share. */
async function fill(): Promise<void> {
  await app.inside(async (ctx) => {
    const workspace = sql`${app.workspace.id}::uuid`
    await sql`insert into core.contact (id, workspace, name, first_name, last_name)
      select gen_random_uuid(), ${workspace}, 'Léa ' || n, 'Léa', 'N' || lpad(n::text, 5, '0') from generate_series(1, ${rows}) n`.execute(
      ctx.sql,
    )
    await sql`insert into loyalty.ext_contact (workspace, record, tier, points, member_since)
      select ${workspace}, id, (array['bronze', 'silver', 'gold', null])[1 + n % 4],
        case when n % 7 > 0 then (n * 7919) % 90 end, '2020-01-01'::date + n % 400
      from (select id, right(last_name, 5)::integer as n from core.contact where workspace = ${workspace}) c where n % 3 > 0`.execute(
      ctx.sql,
    )
    await sql`insert into visits.ext_contact (workspace, record, score, region, last_on)
      select ${workspace}, id, case when n % 6 > 0 then ((n * 104729) % 1000)::numeric / 4 end,
        (array['Île-de-France', 'Nord', 'élan', 'Zone', null])[1 + n % 5], case when n % 9 > 0 then '2025-01-01'::date + (n * 31) % 300 end
      from (select id, right(last_name, 5)::integer as n from core.contact where workspace = ${workspace}) c where n % 5 > 0`.execute(
      ctx.sql,
    )
  })
}

async function everything(): Promise<Row[]> {
  const found: Row[] = []
  for (let after: string | undefined; ;) {
    const { data, page } = await ask({ limit: '200', ...(after === undefined ? {} : { after }) })
    found.push(...data)
    if (page.next === null) return found
    after = page.next
  }
}

async function ask(parameters: Record<string, string>) {
  const { status, body } = await app.admin.get(`${contacts}?${new URLSearchParams({ count: 'none', ...parameters })}`)
  expect(status, JSON.stringify(body).slice(0, 800)).toBe(200)
  return body as { data: Row[]; page: { next: string | null } }
}

/** Every row of a list, page by page, and the statements of each page. */
async function paged(parameters: Record<string, string>, limit: number): Promise<{ found: Row[]; most: number }> {
  const found: Row[] = []
  let most = 0
  for (let after: string | undefined; ;) {
    asked = []
    const { data, page } = await ask({ ...parameters, limit: String(limit), ...(after === undefined ? {} : { after }) })
    most = Math.max(most, asked.length)
    found.push(...data)
    if (page.next === null) return { found, most }
    after = page.next
  }
}

const collator = new Intl.Collator('und')
const by: Readonly<Record<string, (a: never, b: never) => number>> = {
  loyaltyTier: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
  loyaltyPoints: (a: number, b: number) => a - b,
  visitsScore: (a: string, b: string) => Number(a) - Number(b),
  visitsRegion: (a: string, b: string) => collator.compare(a, b),
  visitsLastOn: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
  lastName: (a: string, b: string) => collator.compare(a, b),
}

/** The same order in memory: empty values last, ties by id, the way the last key goes. */
function sorted(list: readonly Row[], sort: string): Row[] {
  const keys = sort.split(',').map((part) => ({ name: part.replace('-', ''), down: part.startsWith('-') }))
  return [...list].toSorted((a, b) => {
    for (const { name, down } of keys) {
      const [left, right] = [a[name as keyof Row], b[name as keyof Row]]
      if (left === right) continue
      if (left === null) return 1
      if (right === null) return -1
      const order = by[name]!(left as never, right as never)
      if (order !== 0) return down ? -order : order
    }
    const order = a.id < b.id ? -1 : 1
    return keys.at(-1)!.down ? -order : order
  })
}

interface Condition {
  readonly text: string
  holds(row: Row): boolean
}

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom('bronze', 'silver', 'gold').map((tier) => ({
    text: `loyaltyTier = "${tier}"`,
    holds: (row: Row) => row.loyaltyTier === tier,
  })),
  fc.integer({ min: 0, max: 90 }).map((points) => ({
    text: `loyaltyPoints >= ${points}`,
    holds: (row: Row) => row.loyaltyPoints !== null && row.loyaltyPoints >= points,
  })),
  fc.integer({ min: 0, max: 250 }).map((score) => ({
    text: `visitsScore < ${score}`,
    holds: (row: Row) => row.visitsScore !== null && Number(row.visitsScore) < score,
  })),
  fc.constant({ text: 'visitsRegion is empty', holds: (row: Row) => row.visitsRegion === null }),
  fc.constant({ text: 'visitsRegion ~ "NORD"', holds: (row: Row) => row.visitsRegion === 'Nord' }),
  fc.constant({
    text: 'visitsLastOn > "2025-06-01"',
    holds: (row: Row) => row.visitsLastOn !== null && row.visitsLastOn > '2025-06-01',
  }),
)
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(fc.constantFrom('and', 'or'), tie('condition'), tie('condition')).map(([word, a, b]) => ({
      text: `(${a.text} ${word} ${b.text})`,
      holds: (row: Row) => (word === 'and' ? a.holds(row) && b.holds(row) : a.holds(row) || b.holds(row)),
    })),
    tie('condition').map((it) => ({ text: `not (${it.text})`, holds: (row: Row) => !it.holds(row) })),
  ),
}))
const order = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...Object.keys(by)), fc.boolean()), {
    minLength: 1,
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((keys) => keys.map(([name, down]) => `${down ? '-' : ''}${name}`).join(','))

test('a list filtered and sorted through side fields is what the same is in memory', async () => {
  await fc.assert(
    fc.asyncProperty(condition, order, async ({ text, holds }, sort) => {
      const { found } = await paged({ filter: text, sort }, 200)
      expect(found.map(({ id }) => id)).toEqual(sorted(all.filter(holds), sort).map(({ id }) => id))
    }),
    { numRuns: 25 },
  )
})

describe('platform-12: a list filtered on one plugin’s field and sorted by another’s', () => {
  const query = { filter: 'loyaltyTier in ("gold", "silver") and loyaltyPoints >= 10', sort: '-visitsScore' }
  const matching = (row: Row) =>
    (row.loyaltyTier === 'gold' || row.loyaltyTier === 'silver') &&
    row.loyaltyPoints !== null &&
    row.loyaltyPoints >= 10

  test('is paged to its end in the right order, one statement a page, two where the empty ones begin', async () => {
    const { found, most } = await paged(query, 37)
    expect(found.map(({ id }) => id)).toEqual(sorted(all.filter(matching), query.sort).map(({ id }) => id))
    expect(most).toBeLessThanOrEqual(2)
    asked = []
    await ask({ ...query, limit: '37' })
    expect(asked).toHaveLength(1)
  })

  test('answers when one is switched off and says which condition sleeps, and is back when it is on', async () => {
    const saved = await app.admin.post('/api/core/views', {
      resource: 'core.contact',
      name: 'Best',
      ...query,
      columns: [{ field: 'lastName' }, { field: 'loyaltyPoints' }, { field: 'visitsScore' }],
    })
    expect(saved.status, JSON.stringify(saved.body)).toBe(201)
    const view = saved.body.data.id as string
    const ids = async () => (await paged({ view }, 200)).found.map(({ id }) => id)
    const whole = await ids()
    expect(whole).toEqual(sorted(all.filter(matching), query.sort).map(({ id }) => id))
    const used = async () => (await app.admin.get(`${contacts}?view=${view}`)).body.view
    const shown = async () => {
      const { views } = (await app.admin.get('/api/core/shell')).body
      return views.find(({ id }: { id: string }) => id === view)
    }

    await app.app.toggle.disable(app.workspace, 'loyalty', undefined, false)
    expect(await ids()).toEqual(sorted(all, query.sort).map(({ id }) => id))
    const part = { plugin: 'loyalty', module: 'Loyalty' }
    expect(await used()).toMatchObject({
      faults: [],
      sleeping: [
        { ...part, part: 'filter', text: 'loyaltyTier in ("gold", "silver")' },
        { ...part, part: 'filter', text: 'loyaltyPoints >= 10' },
        { ...part, part: 'columns', text: 'loyaltyPoints' },
      ],
    })
    expect(await shown()).toMatchObject({
      filter: null,
      sort: query.sort,
      columns: [{ field: 'lastName' }, { field: 'visitsScore' }],
    })
    await app.app.toggle.enable(app.workspace, 'loyalty', undefined)

    await app.app.toggle.disable(app.workspace, 'visits', undefined, false)
    expect((await ids()).toSorted()).toEqual(whole.toSorted())
    expect(await used()).toMatchObject({ sleeping: [{ part: 'sort', text: 'visitsScore' }, { part: 'columns' }] })
    await app.app.toggle.enable(app.workspace, 'visits', undefined)

    expect(await used()).toMatchObject({ faults: [], sleeping: [] })
    expect(await ids()).toEqual(whole)
    expect(await shown()).toMatchObject(query)
  })
})
