import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkExpression, compileExpression, evaluateExpression, everyField } from '../src/records/expression/index.ts'
import { printExpression } from '../src/records/expression/index.ts'
import { SocleError } from '../src/errors.ts'
import { columnList } from '../src/records/field-value.ts'
import { fieldTypes } from '../src/records/field-types.ts'
import { ownFieldsOf } from '../src/records/fields/own-fields.ts'
import { OwnResources, type OwnField } from '../src/records/fields/own-resources.ts'
import { ownTypes } from '../src/records/fields/resource.ts'
import type { FieldModel, ResourceModel } from '../src/records/model.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'
import { conditionsOver } from './expression-conditions.ts'
import { load, type Row } from './expression-world.ts'

// Midnight comes at three times, one of them where clocks skip it.
const zones = ['Europe/Paris', 'America/Sao_Paulo', 'Pacific/Kiritimati'] as const

const choices = ['gold', 'silver', 'tin'].map((value) => ({ value }))
const texts = ['Été', 'ete', '50 %', 'a_b', "O'Neil", 'Œuvre', 'Straße', 'zoe', '"', '🎯']
const amounts = ['0', '-0.01', '5', '12345678901.23', '0.1', '0.3', '-7', '100']
const minutes = [0, 1, 90, 'PT1H30M', 'P1D', 2_000_000_000, -5]

/** Values as they are sent; few, near one another and near the bounds, so that conditions meet them. */
const sent: Readonly<Record<(typeof ownTypes)[number], readonly unknown[]>> = {
  text: texts,
  long: ['two\nlines, é', ...texts],
  rich: ['<p>Hi <b>Été</b>, 50 %</p>', '<p>ete</p>', '<ul><li>a_b</li></ul>'],
  integer: [0, 1, 2, -5, 2_000_000_000],
  decimal: ['0.001', '2.5', ...amounts],
  money: amounts,
  percent: ['7.25', '100', '0', '-3.5'],
  boolean: [true, false],
  date: ['2026-03-28', '2026-03-29', '2026-04-28', '2025-12-31', '2024-02-29', '2018-11-04', '1000-01-01', '9999-12-31'],
  instant: ['2026-03-28T23:00:00Z', '2026-03-29T10:30:00Z', '2026-03-29T02:30:00+02:00', '2018-11-04T02:59:59.999Z', '2018-11-04T03:00:00Z', '2025-12-31T23:30:00Z', '1969-12-31T23:59:59.25Z'],
  duration: minutes,
  select: choices.map(({ value }) => value),
  'multi-select': [['gold'], ['tin', 'gold'], ['gold', 'silver', 'tin'], ['silver']],
  email: ['a@example.com', 'A@example.com', 'zoé@example.com'],
  phone: ['+33 1 23', '0612345678'],
  url: ['example.com', 'https://example.com/a?b=50%25'],
  user: [],
  reference: [],
  address: [
    { line1: '1 rue de l’Été', city: 'Nîmes', country: 'fr' },
    { line2: 'Bât. B', postalCode: '30000' },
    { city: 'nimes', region: 'Gard' },
    { country: 'FR' },
  ],
  'auto-number': [],
} // prettier-ignore

const fallbacks = {
  text: sent.text,
  numeric: sent.money,
  integer: sent.integer,
  boolean: sent.boolean,
  date: sent.date,
  timestamptz: sent.instant,
  jsonb: sent.address,
}

const formulas = {
  profit: ['money', 'ownMoney - coalesce(ownDecimal, 0.07)'],
  share: ['percent', 'round(100 * profit / ownMoney, 1)'],
  span: ['integer', 'days(ownDate, due) + ownDuration'],
  due: ['date', 'addDays(ownDate, ownInteger)'],
  called: ['text', 'ownText & if(ownSelect = gold, ownSelect, ownEmail)'],
  isLate: ['boolean', 'if(ownInstant >= "2026-03-29" and not (ownMultiselect = tin), true, ownBoolean)'],
} as const

const nameOf = (type: string) => `own${type[0]!.toUpperCase()}${type.slice(1).replaceAll('-', '')}` as `own${string}`

let app: TestApp
let definitions: readonly OwnField[]
const accounts: string[] = []
const contacts: string[] = []
const plain: readonly string[] = [
  'id',
  'name',
  'parent',
  'account',
  'reportsTo',
  'owner',
  'createdAt',
  'deletedAt',
  'employees',
  'annualRevenue',
]

beforeAll(async () => {
  app = await createTestApp({ now: '2026-03-02T09:00:00Z' })
  const { admin } = app
  const define = async (resource: string, name: string, type: string, more: object = {}) => {
    const answer = await admin.post('/api/core/fields', { resource, name, type, labelEn: name, labelFr: name, ...more })
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 })
  }
  for (const type of ownTypes) {
    const more = {
      ...(type === 'select' || type === 'multi-select' ? { options: choices } : {}),
      ...(type === 'reference' ? { target: 'core.account' } : {}),
      ...(type === 'decimal' ? { scale: 3 } : {}),
    }
    await define('core.account', nameOf(type), type, { ...more, ...(type === 'auto-number' ? { prefix: 'AA' } : {}) })
    await define('core.contact', nameOf(type), type, { ...more, ...(type === 'auto-number' ? { prefix: 'CC' } : {}) })
  }
  for (const [name, [type, formula]] of Object.entries(formulas).toSorted(([a]) => (a === 'due' ? -1 : 1)))
    await define('core.account', name, type, { formula })
  const people = [admin.who.actor.id, (await app.as({ may: ['core.account.read'] })).who.actor.id]
  const valuesOf = (type: (typeof ownTypes)[number]): readonly unknown[] =>
    type === 'user' ? people : type === 'reference' ? accounts : sent[type]
  const write = async (path: string, count: number, fixed: (index: number) => object): Promise<string[]> => {
    const own = fc.record(
      Object.fromEntries(
        ownTypes
          .filter((type) => valuesOf(type).length > 0)
          .map((type) => [nameOf(type), fc.option(fc.constantFrom(...valuesOf(type)), { freq: 4, nil: null })]),
      ),
    )
    const create = fc
      .sample(own, { seed: 17, numRuns: count })
      .map((values, index) => ({ ...values, ...fixed(index), allowDuplicate: true }))
    const { body } = await admin.post(`/api/core/${path}/bulk`, { create, atomic: true })
    expect(body.data, JSON.stringify(body)).toHaveLength(count)
    return body.data.map(({ id }: { id: string }) => id)
  }
  const named = (index: number) => ({ name: `Account ${index}`, employees: index % 4 || null })
  accounts.push(...(await write('accounts', 8, named)))
  accounts.push(...(await write('accounts', 14, (index) => ({ ...named(index + 8), parent: accounts[index % 5] }))))
  const first = (index: number) => ({ lastName: `Contact ${index}`, account: accounts[index % 9] ?? null })
  contacts.push(...(await write('contacts', 30, first)))
  await removed(`contacts/${contacts[3]}`)
  await removed(`contacts/${contacts[11]}`)
  await removed(`accounts/${accounts[20]}`)
  const { catalog } = app.app.kernel.parts
  definitions = await app.inside((ctx) => ownFieldsOf(catalog, ctx.sql, app.workspace.id))
}, 60_000)
afterAll(() => app[Symbol.asyncDispose]())

async function removed(path: string): Promise<void> {
  const answer = await app.admin.delete(`/api/core/${path}?version=1`)
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 204 })
}

describe.each(zones)('over all types of own fields and formulas, in %s', (zone) => {
  async function world() {
    const { catalog } = app.app.kernel.parts
    const broken: unknown[] = []
    const own = new OwnResources(catalog, definitions, {
      workspace: app.workspace.id,
      zone,
      broken: (it) => broken.push(it),
    })
    expect(broken).toEqual([])
    // Only what is of interest, so that chance does not spend itself on the rest.
    const narrowed = ['core.account', 'core.contact', 'core.user'].map((id): ResourceModel => {
      const resource = own.of(id)
      // Test people are made in the table, at instants finer than any that the engine writes and answers.
      const names = id === 'core.user' ? plain.filter((name) => name !== 'createdAt') : plain
      const fields = [...resource.fields].filter(([name, it]) => it.custom || it.formula || names.includes(name))
      return { ...resource, fields: new Map(fields) }
    })
    const known = { get: (id: string) => narrowed.find((it) => it.id === id) }
    const rows = new Map<ResourceModel, Row[]>()
    for (const model of narrowed) {
      const stored = await app.inside((ctx) =>
        sql<Row>`select ${columnList([...model.fields.values()], 't')}, t.workspace
          from ${sql.id(model.schema, model.table)} as t where t.workspace = ${app.workspace.id}::uuid`.execute(
          ctx.sql,
        ),
      )
      rows.set(model, stored.rows)
    }
    return { known, rows }
  }

  test('a formula computed in memory is what SQL computes', async () => {
    const { rows, known } = await world()
    const model = known.get('core.account')!
    for (const row of rows.get(model)!) {
      const computed = Object.keys(formulas).map((name) => [name, model.fields.get(name)!.formula!.evaluate(row)])
      expect(Object.fromEntries(computed)).toEqual(
        Object.fromEntries(Object.keys(formulas).map((name) => [name, row[name]])),
      )
    }
  })

  test('SQL and memory agree on every record, for any condition', { timeout: 120_000 }, async () => {
    const { rows, known } = await world()
    const all = [...rows]
    const valuesOf = (field: FieldModel): readonly unknown[] => {
      const found = all.flatMap(([model, some]) =>
        model.fields.get(field.name) === field ? some.map((row) => row[field.name]) : [],
      )
      const values = [...new Set(found.filter((it) => it !== null && it !== undefined))]
      // Where nothing stands, anything of the kind is as good.
      if (values.length > 0) return values
      return { ...fallbacks, uuid: accounts }[fieldTypes[field.type].sql]
    }
    const people = rows.get(known.get('core.user')!)!.map(({ id }) => id)
    const { expressionsOn, environments } = conditionsOver({ catalog: known, valuesOf, people, zones: [zone] })
    const records = load(rows, undefined, known)
    // Named, not given: a counterexample is read.
    const asked = fc
      .constantFrom('core.account', 'core.contact')
      .chain((of) => fc.tuple(fc.constant(of), expressionsOn(known.get(of)!, 3)))
    const met = new Set<string>()
    await app.inside((ctx) =>
      fc.assert(
        fc.asyncProperty(asked, environments, async ([of, expression], environment) => {
          const model = known.get(of)!
          const checked = affordable(() =>
            checkExpression(expression, { resource: model, catalog: known, access: everyField }),
          )
          fc.pre(checked !== undefined)
          const compiled = compileExpression(checked, { alias: 't', environment })
          const { rows: verdicts } = await sql<{ id: string; verdict: boolean | null }>`
            select t.id, (${compiled}) as verdict from ${sql.id(model.schema, model.table)} as t
            where t.workspace = ${app.workspace.id}::uuid`.execute(ctx.sql)
          const remembered = rows
            .get(model)!
            .map(({ id }) => [id, evaluateExpression(checked, records.get(id)!, environment)])
          expect(Object.fromEntries(verdicts.map((it) => [it.id, it.verdict])), printExpression(expression)).toEqual(
            Object.fromEntries(remembered),
          )
          for (const path of checked.paths) met.add(path.split('.').at(-1)!)
        }),
        { numRuns: 500 },
      ),
    )
    const every = [...ownTypes.map(nameOf), ...Object.keys(formulas)]
    expect(every.filter((name) => !met.has(name))).toEqual([])
  })
})

function affordable<T>(check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (error instanceof SocleError && error.code === 'EXPRESSION_TOO_COSTLY') return undefined
    throw error
  }
}
