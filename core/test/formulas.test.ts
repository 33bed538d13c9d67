import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFormula } from '../src/records/expression/formula.ts'
import type { FieldModel, FieldType } from '../src/records/model.ts'
import { createTestApp, type TestApp, type TestClient } from '../src/testing/index.ts'

let app: TestApp
let admin: TestClient

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  admin = app.admin
})
afterAll(() => app[Symbol.asyncDispose]())

const fields = '/api/core/fields'
const accounts = '/api/core/accounts'
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`

const define = (name: string, type: string, more: Record<string, unknown> = {}) =>
  admin.post(fields, { resource: 'core.account', name, type, labelEn: name, labelFr: name, ...more })

async function defined(name: string, type: string, more: Record<string, unknown> = {}) {
  const { status, body } = await define(name, type, more)
  expect(status, JSON.stringify(body)).toBe(201)
  return body.data
}

test('a formula is computed, filtered, sorted, grouped and summed like any field, and nobody writes it', async () => {
  await defined('price', 'money')
  await defined('cost', 'money')
  await defined('profit', 'money', { formula: 'price - cost' })
  await defined('rate', 'percent', { formula: 'round(100 * profit / price, 1)' })
  await defined('verdict', 'text', { formula: 'if(profit > 50 and lifecycle = client, "good " & name, "poor")' })
  for (const [name, price, cost] of [
    ['A', '100', '30'],
    ['B', '100', '60'],
    ['C', null, '1'],
    ['D', '0', '0'],
  ] as const)
    expect((await admin.post(accounts, { name, industry: 'formula', lifecycle: 'client', price, cost })).status).toBe(
      201,
    )
  const { body } = await admin.get(accounts + query({ filter: 'industry = formula', sort: '-profit' }))
  expect(body.data.map((it: Record<string, unknown>) => [it['name'], it['profit'], it['rate'], it['verdict']])).toEqual(
    [
      ['A', '70.00', '70.00', 'good A'],
      ['B', '40.00', '40.00', 'poor'],
      ['D', '0.00', null, 'poor'],
      ['C', null, null, 'poor'],
    ],
  )
  const found = await admin.get(accounts + query({ filter: 'industry = formula and rate >= 40', sort: 'verdict' }))
  expect(found.body.data.map(({ name }: { name: string }) => name)).toEqual(['A', 'B'])
  const groups = await admin.post(`${accounts}/aggregate`, {
    filter: 'industry = formula',
    groupBy: ['verdict'],
    measures: ['sum:profit', 'count'],
  })
  expect(groups.body.data).toMatchObject([
    { key: { verdict: 'good A' }, 'sum:profit': '70.00', count: 1 },
    { key: { verdict: 'poor' }, 'sum:profit': '40.00', count: 3 },
  ])
  const written = await admin.post(accounts, { name: 'E', profit: '5' })
  expect(written).toMatchObject({ status: 403, body: { code: 'FIELD_NOT_WRITABLE' } })
})

test('who may not read one of its fields may not read a formula, through other formulas either', async () => {
  const rep = await app.as({
    may: ['core.account.read'],
    fields: [{ resource: 'core.account', field: 'cost', access: 'none' }],
  })
  const page = await rep.get(accounts + query({ filter: 'industry = formula' }))
  for (const record of page.body.data) {
    expect(record).toHaveProperty('price')
    for (const name of ['cost', 'profit', 'rate', 'verdict']) expect(record).not.toHaveProperty(name)
  }
  const refused = await rep.get(accounts + query({ sort: '-rate' }))
  expect(refused).toMatchObject({ status: 403, body: { code: 'FIELD_NOT_READABLE' } })
})

test('a cycle is refused, and the refusal names the way round', async () => {
  await defined('first', 'decimal', { formula: 'price + 1' })
  await defined('second', 'decimal', { formula: 'first * 2' })
  const { body: page } = await admin.get(fields + query({ filter: 'name = first' }))
  const [{ id, version }] = page.data
  const answer = await admin.patch(`${fields}/${id}`, { version, formula: 'second / 2' })
  expect(answer).toMatchObject({ status: 409, body: { code: 'CYCLE_REFUSED' } })
  expect(answer.body.detail).toContain('first → second → first')
})

test.each<[string, string, number, number]>([
  ['price +', 'decimal', 7, 0],
  ['price + priec', 'decimal', 8, 5],
  ['price & name', 'text', 0, 12],
  ['if(lifecycle = cleint, 1, 2)', 'decimal', 15, 6],
  ['if(closed = true, 1, 2)', 'decimal', 3, 6],
  ['sqrt(price)', 'decimal', 0, 4],
  ['name', 'decimal', 0, 4],
  ['if(parent.name = "x", 1, 2)', 'decimal', 3, 11],
  ['if(industry = "x" or parent.name = "x", 1, 2)', 'decimal', 21, 11],
  ['if(industry = "x" and createdAt < now(), 1, 2)', 'decimal', 34, 5],
  ['price + "x', 'decimal', 8, 2],
])('the fault of %s is located', async (formula, type, position, length) => {
  const { status, body } = await define('faulty', type, { formula })
  expect({ status, code: body.code }).toEqual({ status: 400, code: 'EXPRESSION_INVALID' })
  expect(body).toMatchObject({ position, length })
})

test('a text in a formula is written as in a filter', async () => {
  await defined('lines', 'text', { formula: String.raw`name & "\n\u00e9\"" & if(name = "E, \"F\"", "!", "?")` })
  const made = await admin.post(accounts, { name: 'E, "F"' })
  expect(made.body.data.lines).toBe('E, "F"\né"!')
})

describe('SQL and memory', () => {
  const model = (name: string, type: FieldType, more: Partial<FieldModel> = {}): FieldModel => ({
    name,
    type,
    column: name,
    required: false,
    readonly: false,
    ...more,
  })
  const models = [
    ...['a', 'b', 'c'].map((name) => model(name, 'decimal', { scale: 4 })),
    model('n', 'integer'),
    model('s', 'text'),
    model('t', 'text'),
    model('d', 'date'),
    model('e', 'date'),
    model('f', 'boolean'),
  ]
  const resource = {
    id: 'trade.line', plugin: 'trade', entity: 'line', path: 'lines', schema: 'public', table: 'line', title: 's',
    fields: new Map(models.map((it) => [it.name, it])), collections: new Map(),
  } // prettier-ignore

  const numbers: fc.Arbitrary<string> = fc.letrec<Record<'number', string>>((tie) => ({
    number: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('a', 'b', 'c', 'n', '0', '3', '0.07', 'days(d, e)'),
      fc
        .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/'), tie('number'))
        .map(([x, op, y]) => `(${x} ${op} ${y})`),
      fc.tuple(tie('number'), fc.integer({ min: -1, max: 6 })).map(([x, n]) => `round(${x}, ${n < 0 ? '-1' : n})`),
      fc.tuple(tie('number'), tie('number')).map(([x, y]) => `coalesce(${x}, ${y})`),
      fc
        .tuple(
          fc.constantFrom('a > 3', 's ~ "é"', 'f = true', 'not (b is empty)', 'd < "2026-01-01"'),
          tie('number'),
          tie('number'),
        )
        .map(([condition, x, y]) => `if(${condition}, ${x}, -${y})`),
    ),
  })).number
  const texts = fc
    .tuple(fc.constantFrom('s', 't', '"x"', 'coalesce(s, t)', 'if(a > 3, s, t)'), fc.constantFrom('s', 't', '"é"'))
    .map((parts) => parts.join(' & '))
  const dates = fc
    .tuple(fc.constantFrom('d', 'e', 'coalesce(d, e)'), numbers)
    .map(([day, n]) => `addDays(${day}, ${n})`)
  const formula = fc.oneof(
    numbers.map((text) => ({ text, target: model('x', 'decimal', { scale: 3 }) })),
    numbers.map((text) => ({ text, target: model('x', 'integer') })),
    texts.map((text) => ({ text, target: model('x', 'text') })),
    dates.map((text) => ({ text, target: model('x', 'date') })),
  )
  const maybe = <T>(it: fc.Arbitrary<T>) => fc.option(it, { nil: null, freq: 4 })
  const decimal = fc
    .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 10_000_000 }), fc.integer({ min: 0, max: 9_999 }))
    .map(([sign, whole, part]) => `${sign}${whole}.${String(part).padStart(4, '0')}`)
  const day = fc
    .date({ min: new Date('1999-01-01'), max: new Date('2040-12-31'), noInvalidDate: true })
    .map((it) => it.toISOString().slice(0, 10))
  const record = fc.record({
    a: maybe(decimal), b: maybe(decimal), c: maybe(fc.constantFrom('0.0000', '1.0000', '0.5000')), n: maybe(fc.integer({ min: -1_000, max: 1_000 })),
    s: maybe(fc.constantFrom('', 'Été', 'ete', 'x')), t: maybe(fc.constantFrom('', 'y')), d: maybe(day), e: maybe(day), f: maybe(fc.boolean()),
  }) // prettier-ignore

  test('compute the same of any record', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(formula, record, async ({ text, target }, values) => {
        const read = readFormula(text, target, {
          resource,
          catalog: { get: () => undefined },
          zone: 'Europe/Paris',
          field: (name) => resource.fields.get(name),
        })
        const row = sql`(select ${values.a}::numeric as a, ${values.b}::numeric as b, ${values.c}::numeric as c, ${values.n}::integer as n,
          ${values.s}::text as s, ${values.t}::text as t, ${values.d}::date as d, ${values.e}::date as e, ${values.f}::boolean as f)`
        const { rows } = await sql<{ x: unknown }>`select ${read.value('r')} as x from ${row} as r`.execute(
          app.app.kernel.parts.database.owner,
        )
        expect(read.evaluate(values), text).toEqual(rows[0]?.x)
      }),
      { numRuns: 600 },
    )
  })
})
