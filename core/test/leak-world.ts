import { sql } from 'kysely'
import { pino } from 'pino'
import { Writable } from 'node:stream'
import type { PluginDefinition } from '../src/plugins/define-plugin.ts'
import { fieldTypes } from '../src/records/field-types.ts'
import type { FieldModel } from '../src/records/model.ts'
import type { RecordJson } from '../src/records/records.ts'
import { systemFields, type Resource } from '../src/records/registry.ts'
import { createTestApp, type TestApp } from '../src/testing/index.ts'
import { canariesIn, candidatesFor } from './leak-canaries.ts'

/** One record of a resource, as full as the resource lets it be. */
export interface Specimen {
  readonly resource: Resource
  readonly id: string
  readonly record: RecordJson
}

/** A field of a resource that somebody may be kept from. */
export interface Cell {
  /** `core.account.email` */
  readonly id: string
  readonly resource: string
  readonly field: FieldModel
}

export interface LeakWorld {
  readonly app: TestApp
  /** A further record of those that merge, by resource. */
  readonly twins: ReadonlyMap<string, string>
  /** A view for everybody of the records of a resource, by what it is filtered and sorted by. */
  readonly views: ReadonlyMap<string, SavedView>
  /** An instant at which every field had its value, with changes since. */
  readonly earlier: string
  /** The specimen's id, by resource. */
  readonly ids: ReadonlyMap<string, string>
  readonly specimens: readonly Specimen[]
  readonly cells: ReadonlyMap<string, Cell>
  /** Cells that hold a canary. */
  readonly cellsOf: ReadonlyMap<string, ReadonlySet<string>>
  /** Cells whose specimen has no value: there is nothing in them to leak. */
  readonly empty: readonly string[]
  /** All that was logged. */
  readonly logged: () => string
}

export interface SavedView {
  readonly id: string
  readonly field: string
}

/** Who is in the company beside those who ask. */
const partnerOfHouse = '0193d1a2-0000-7000-8000-0000000000a1'

type Made = Readonly<Record<string, unknown>>
type Making = (of: (resource: string) => Promise<string>, inside: TestApp['inside']) => Promise<Made> | Made

/** What the metadata does not tell about making one. A resource that needs nothing of the kind is not named here. */
const making: Readonly<Record<string, Making>> = {
  'core.activity': async (of) => ({ subject: 'A call', account: await of('core.account') }),
  'core.contact': () => ({ lastName: 'Somebody' }),
  'core.lead': () => ({ lastName: 'Somebody' }),
  'core.order': async (of) => ({ account: await of('core.account') }),
  'core.order-line': async (of) => ({ order: await of('core.order'), name: 'An oven', quantity: '1', unitPrice: '1' }),
  'core.invoice-line': async (of) => ({
    invoice: await of('core.invoice'),
    name: 'An oven',
    quantity: '1',
    unitPrice: '1',
  }),
  'core.payment': async (of, inside) => {
    const account = await of('core.account')
    const invoice = await inside(async ({ records }) => {
      const { id } = await records.create('core.invoice', { account })
      await records.create('core.invoice-line', { invoice: id, name: 'Ovens', quantity: '1', unitPrice: '2000000' })
      const { data } = await records.get('core.invoice', id)
      await records.update('core.invoice', data, { status: 'issued' }, { internal: true })
      return id
    })
    return { invoice, amount: '1', paidOn: '2026-03-02' }
  },
  'core.known-question': () => ({
    question: 'Zqk?',
    siren: '552100554',
    answer: 'free',
    asker: partnerOfHouse,
    askedOn: '2026-03-02',
  }),
  'core.team-member': async (of) => ({
    user: await of('core.user'),
    team: await of('core.team'),
    fromDate: '2026-01-01',
  }),
  'core.identity-provider': () => ({ name: 'A provider', kind: 'oidc', issuer: 'https://issuer.example' }),
  'core.view': () => ({
    resource: 'core.account',
    name: 'A view',
    kind: 'table',
    scope: 'shared',
    filter: 'not (city is empty)',
    sort: '-city',
  }),
  'core.import-recipe': () => ({
    name: 'A recipe',
    resource: 'core.account',
    header: ['name'],
    mapping: [],
    shared: true,
  }),
  'core.export': () => ({
    name: 'A file',
    resource: 'core.account',
    format: 'csv',
    query: { fields: ['name'] },
    columns: ['name'],
  }),
  'core.privacy-request': async (of) => ({
    kind: 'access',
    subjectResource: 'core.contact',
    subjectRecord: await of('core.contact'),
    receivedOn: '2026-03-02',
    dueOn: '2026-04-02',
  }),
  'core.retention-rule': () => ({
    name: 'A rule',
    resource: 'core.lead',
    condition: 'city = "Nowhere"',
    action: 'delete',
  }),
  'core.share': async (of) => ({
    resource: 'core.account',
    record: await of('core.account'),
    user: await of('core.user'),
  }),
  'core.unmasking': async (of) => ({
    resource: 'core.account',
    record: await of('core.account'),
    field: 'email',
    reason: 'A reason',
  }),
}

/** What says who finds a specimen at all, and stays as it was made. */
const asMade: Readonly<Record<string, readonly string[]>> = { 'core.view': ['scope', 'filter', 'sort'] }

/** Resources whose records are merged, with what a second one needs. */
const merging: Readonly<Record<string, Made>> = {
  'core.account': { name: 'Twin' },
  'core.contact': { lastName: 'Twin' },
  'core.lead': { lastName: 'Twin' },
  'core.product': { name: 'Twin', sku: 'TWIN' },
}

/** Rows that are there already, or are made by ways of their own. */
const found: Readonly<Record<string, string>> = {
  'core.workspace': 'core.workspace',
  'core.user': 'core.member',
  'core.role': 'core.role',
  'core.role-assignment': 'core.role_assignment',
  'core.field': 'core.field',
}

/** Resources whose values every screen is made of, so that nobody is kept from them. */
const toldToAll: Readonly<Record<string, string>> = {
  'core.field': 'What the fields of the records one sees are called, and how they are filled in.',
  'core.workspace': 'The name, zone and currency of the company one is in.',
}

/** Fields of the company's own, of every type that a canary fits. */
const ownFields = [
  { name: 'cost', type: 'money' },
  { name: 'secretNote', type: 'long' },
  { name: 'backup', type: 'phone' },
  { name: 'place', type: 'address' },
  { name: 'madeOn', type: 'date' },
  { name: 'doubled', type: 'money', formula: 'cost * 2' },
  { name: 'noteAgain', type: 'text', formula: 'coalesce(secretNote, city)' },
]

/** A company in which every field of every resource holds something that tells where it came from. */
export async function leakWorld(plugins: readonly PluginDefinition[], enable: readonly string[]): Promise<LeakWorld> {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const app = await createTestApp({
    plugins,
    enable,
    now: '2026-03-02T09:00:00Z',
    log: pino({ level: 'info' }, stream),
  })
  // Not the administrator: what is put into the fields of a role or of an assignment would end what they may.
  await app.as({ name: 'Somebody', grants: [{ resource: 'core.product', action: 'read', visibility: 'own' }] })
  for (const field of ownFields)
    await app.admin.post('/api/core/fields', {
      resource: 'core.account',
      labelEn: `Own ${field.name}`,
      labelFr: `Propre ${field.name}`,
      ...field,
    })
  // Own fields are known to the process by a signal; what is asked next must have them.
  const catalog = await app.app.kernel.parts.fields.in(
    app.workspace,
    await app.app.kernel.parts.enablement.in(app.workspace.id),
  )
  const made = new Map<string, Promise<string>>()
  const of = (id: string): Promise<string> => {
    const known = made.get(id) ?? makeOne(app, catalog.of(id), of)
    made.set(id, known)
    return known
  }
  for (const { id } of catalog.all()) await of(id)
  app.clock.advance('PT1H')
  let nth = 0
  const ids = new Map<string, string>()
  for (const resource of catalog.all()) {
    const id = await of(resource.id)
    const wanted: Wanted[] = []
    for (const field of cellFieldsOf(resource)) {
      nth += 1
      if (asMade[resource.id]?.includes(field.name)) continue
      const pointsAt = field.target === undefined || field.target === resource.id ? undefined : await of(field.target)
      const candidates = candidatesFor(field, nth, pointsAt)
      if (candidates.length > 0) wanted.push({ name: field.name, candidates })
    }
    await fill(app, { resource: resource.id, id }, wanted)
    ids.set(resource.id, id)
  }
  app.clock.advance('PT10M')
  const earlier = app.clock.now().toISOString()
  app.clock.advance('PT10M')
  // What changed since, so that the past is not what is there today.
  for (const [resource, id] of ids) await touch(app, { resource, id })
  const twins = new Map<string, string>()
  for (const [resource, values] of Object.entries(merging))
    twins.set(resource, await app.inside(async ({ records }) => (await records.create(resource, values)).id))
  const arranged = { app, ids, twins, earlier, logged: () => lines.join('') }
  const { specimens } = await survey({ ...arranged, views: new Map() })
  return survey({ ...arranged, views: await viewsOf(app, specimens) })
}

/** For each resource that can be looked at by a view one that goes by a field beside its title. */
async function viewsOf(app: TestApp, specimens: readonly Specimen[]): Promise<Map<string, SavedView>> {
  const views = new Map<string, SavedView>()
  for (const { resource, record } of specimens) {
    const title = [resource.title, ...(resource.fields.get(resource.title)?.derivedFrom ?? [])]
    const field = cellFieldsOf(resource).find(
      ({ name, type }) => fieldTypes[type].sorts && !title.includes(name) && (record[name] ?? null) !== null,
    )
    if (!field) continue
    const { name } = field
    const answer = await app.admin.post('/api/core/views', {
      resource: resource.id,
      name: `All ${resource.id}`,
      scope: 'shared',
      filter: `not (${name} is empty)`,
      sort: `-${name}`,
      columns: [{ field: name }],
    })
    if (answer.status === 201) views.set(resource.id, { id: answer.body.data.id, field: name })
  }
  return views
}

type Arranged = Pick<LeakWorld, 'app' | 'ids' | 'twins' | 'views' | 'earlier' | 'logged'>

/** The world as it is now: with fields that were added since, and the values of today. */
export async function survey(arranged: Arranged): Promise<LeakWorld> {
  const { app, ids } = arranged
  const catalog = await app.app.kernel.parts.fields.in(
    app.workspace,
    await app.app.kernel.parts.enablement.in(app.workspace.id),
  )
  const specimens: Specimen[] = []
  for (const [name, id] of ids) {
    const resource = catalog.of(name)
    const record = await app.inside(async ({ records }) => (await records.get(name, id)).data)
    specimens.push({ resource, id, record })
  }
  const cells = new Map<string, Cell>()
  const cellsOf = new Map<string, Set<string>>()
  const empty: string[] = []
  for (const { resource, record } of specimens.filter((it) => !(it.resource.id in toldToAll))) {
    for (const field of resource.all.filter(({ name }) => !systemFields.has(name))) {
      const cell = { id: `${resource.id}.${field.name}`, resource: resource.id, field }
      cells.set(cell.id, cell)
      const value = record[field.name]
      if (value === null || value === undefined || value === '') empty.push(cell.id)
      else
        for (const canary of canariesIn(JSON.stringify(value)))
          cellsOf.set(canary, (cellsOf.get(canary) ?? new Set()).add(cell.id))
    }
  }
  return { ...arranged, specimens, cells, cellsOf, empty }
}

/** Changes what everybody may read. */
async function touch(
  app: TestApp,
  { resource, id }: { readonly resource: string; readonly id: string },
): Promise<void> {
  const owner = app.admin.who.actor.id
  await app
    .inside(async ({ records }) => {
      const { data } = await records.get(resource, id)
      await records.update(resource, data, { owner }, { internal: true })
    })
    // Of some kinds nobody is the owner.
    .catch(() => undefined)
}

/** Fields a canary may be put into; a formula gets its own from those it reads. */
function cellFieldsOf(resource: Resource): readonly FieldModel[] {
  if (resource.id in toldToAll) return []
  return resource.all.filter(({ name, formula }) => !systemFields.has(name) && !formula)
}

async function makeOne(app: TestApp, resource: Resource, of: (id: string) => Promise<string>): Promise<string> {
  const table = found[resource.id]
  if (table !== undefined) {
    const { rows } = await sql<{ id: string }>`
      select id from ${sql.table(table)} where ${table === 'core.workspace' ? sql`id` : sql`workspace`} = ${app.workspace.id}::uuid
      order by id desc limit 1`.execute(app.app.kernel.parts.database.owner)
    return rows[0]!.id
  }
  const required: Record<string, unknown> = {}
  for (const field of resource.all.filter((it) => it.required))
    required[field.name] = candidatesFor(field, 9_000, field.target && (await of(field.target)))[0]
  const values = { ...required, ...(await making[resource.id]?.(of, app.inside)) }
  try {
    return await app.inside(async ({ records }) => (await records.create(resource.id, values, { internal: true })).id)
  } catch (cause) {
    throw new Error(`No specimen of ${resource.id} could be made. Say in leak-world.ts what one needs.`, { cause })
  }
}

interface Wanted {
  readonly name: string
  readonly candidates: readonly unknown[]
}

/** Writes the first candidates of all fields at once; where that is refused, of the halves, and of one field the next one. */
async function fill(
  app: TestApp,
  of: { readonly resource: string; readonly id: string },
  wanted: readonly Wanted[],
): Promise<void> {
  const [only, ...others] = wanted
  if (!only) return
  const values = Object.fromEntries(wanted.map(({ name, candidates }) => [name, candidates[0]]))
  const record = await app
    .inside(async ({ records }) => {
      const { data } = await records.get(of.resource, of.id)
      return records.update(of.resource, data, values, { internal: true, acknowledge: ['DUPLICATE_SUSPECTED'] })
    })
    .catch(() => undefined)
  if (!record && others.length > 0) {
    await fill(app, of, wanted.slice(0, wanted.length / 2))
    return fill(app, of, wanted.slice(wanted.length / 2))
  }
  // What a guard made of it is as good, as long as it can be told.
  for (const { name, candidates } of wanted) {
    const isThere = record && (canariesIn(JSON.stringify(record[name])).size > 0 || record[name] === candidates[0])
    if (!isThere && candidates.length > 1) await fill(app, of, [{ name, candidates: candidates.slice(1) }])
  }
}
