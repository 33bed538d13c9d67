import { loyaltyPlugin } from '@socle/example-extend-contact'
import { salesPlugin } from '@socle/sales'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FieldGrant, Grant } from '../src/permissions/grant.ts'
import type { TestActor } from '../src/testing/index.ts'
import { bin, channels } from './leak-channels.ts'
import { Importing } from './import-world.ts'
import { canariesIn } from './leak-canaries.ts'
import { LeakMatrix, unclassifiedRoutes, type Reader, type Sight } from './leak-matrix.ts'
import { leakyPlugin } from './leak-planted.ts'
import { leakWorld, survey, type Cell, type LeakWorld } from './leak-world.ts'
import { boreal, dealsPlugin, personOf } from './partner-world.ts'

const verbs = ['read', 'create', 'update', 'delete', 'restore', 'export', 'import', 'bulk', 'merge', 'share', 'history']
const everything = (visibility: Grant['visibility'], more: Partial<Grant> = {}): Grant[] =>
  verbs.map((action) => ({ resource: '*', action, visibility, ...more }))
/** Named permissions that open further channels, and none that opens what a role hides. */
const further = [
  'core.audit.read',
  'core.event.read',
  'core.changeset.undo',
  'core.privacy.read',
  'core.view.share',
  'core.plugin.read',
]

/** Fields that the specimens leave empty, and why there is nothing in them to leak. */
const withoutValue: Readonly<Record<string, string>> = {
  ...because('Points at a record of its own kind, of which there is one.', [
    'core.account.parent',
    'core.api-key.madeByKey',
    'core.contact.reportsTo',
    'core.invoice.creditOf',
    'core.team.parent',
  ]),
  ...because('Has a form or a check digit of its own.', [
    'core.account.siren',
    'core.account.siret',
    'core.account.country',
    'core.lead.country',
    'core.identity-provider.entryPoint',
  ]),
  ...because('Follows from what happened.', [
    'core.account.lastActivityAt',
    'core.lead.convertedAt',
    'core.lead.targetResource',
    'core.lead.targetRecord',
    'core.activity.completedAt',
    'sales.opportunity.closedOn',
    'sales.opportunity.reason',
    'sales.opportunity.reasonNote',
  ]),
  ...because('Names a resource, a field or an expression.', [
    'core.activity.resource',
    'core.activity.record',
    'core.view.groupBy',
    'core.view.startField',
    'core.view.endField',
  ]),
  ...because('Goes without the other value that is there.', [
    'core.user.manager',
    'core.user.partner',
    'core.view.role',
    'core.share.toTeam',
    'core.share.partner',
  ]),
}

function because(reason: string, fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, reason]))
}

let world: LeakWorld
let matrix: LeakMatrix
let readers: readonly Reader[]
let strangers: readonly Reader[]

/** The title of a record, and what it is made of. */
function isTitle({ resource, field }: Cell): boolean {
  const { title, fields } = world.specimens.find((it) => it.resource.id === resource)!.resource
  return field.name === title || (fields.get(title)?.derivedFrom ?? []).includes(field.name)
}

/** Every member finds colleagues and teams, to assign work to them, and what was shared with them. */
const isForMembers = ({ id, resource }: Cell): boolean =>
  ['core.user', 'core.team', 'core.share'].includes(resource) && id !== 'core.user.email'

async function reader(
  name: string,
  actor: TestActor,
  sees: (cell: Cell) => Sight,
  { asksEachField = false, reachesAll = true } = {},
): Promise<Reader> {
  const client = await world.app.as({ name, ...actor })
  return { name, client, sees: (cell) => (isForMembers(cell) ? 'value' : sees(cell)), asksEachField, reachesAll }
}

/** Who reaches every record, and of its fields as much as their role says. */
async function readersByField(): Promise<readonly Reader[]> {
  const hidden = (access: FieldGrant['access']): FieldGrant => ({ resource: '*', field: '*', access })
  const titles = [...world.cells.values()]
    .filter(isTitle)
    .map(({ resource, field }): FieldGrant => ({ resource, field: field.name, access: 'read' }))
  const actor = (...fields: FieldGrant[]): TestActor => ({ grants: everything('all'), may: further, fields })
  // A formula's mask would show letters of what it reads.
  const masked = ({ field }: Cell): Sight => (field.formula ? 'nothing' : 'mask')
  return [
    { name: 'reads everything', client: world.app.admin, sees: () => 'value', asksEachField: false, reachesAll: true },
    await reader('reads no field', actor(hidden('none')), () => 'nothing', { asksEachField: true }),
    await reader('sees masks', actor(hidden('masked')), masked, { asksEachField: true }),
    await reader('reads titles', actor(...titles, hidden('none')), (it) => (isTitle(it) ? 'value' : 'nothing')),
    await reader('sees masks beside titles', actor(...titles, hidden('masked')), (it) =>
      isTitle(it) ? 'value' : masked(it),
    ),
  ]
}

/** Who reads every field, of other records than these. */
async function readersByRecord(): Promise<readonly Reader[]> {
  const nothing = (): Sight => 'nothing'
  const stranger = { reachesAll: false }
  const expired = await reader('had a role', { grants: everything('all'), may: further }, nothing, stranger)
  await sql`update core.role_assignment set until = '2026-03-01' where user_id = ${expired.client.who.actor.id}`.execute(
    world.app.app.kernel.parts.database.owner,
  )
  return [
    expired,
    // Views and recipes say themselves for whom they are. And who reads their own record whole reads those of colleagues
    // whole: the rows and the fields of several roles add up, each by itself.
    await reader(
      'has other records',
      { grants: everything('own') },
      ({ resource }) => (['core.view', 'core.import-recipe', 'core.user'].includes(resource) ? 'value' : 'nothing'),
      stranger,
    ),
    await reader('has no grant', {}, nothing, stranger),
    await reader(
      'is denied',
      { grants: [...everything('all'), ...everything('all', { deny: true })] },
      nothing,
      stranger,
    ),
    { ...(await reader('is another partner’s', personOf(boreal, 'Bert'), nothing, stranger)), sees: nothing },
  ]
}

beforeAll(async () => {
  world = await leakWorld([salesPlugin, dealsPlugin, loyaltyPlugin, leakyPlugin], ['sales', 'deals', 'loyalty'])
  matrix = new LeakMatrix(world)
  readers = await readersByField()
  strangers = await readersByRecord()
}, 120_000)

afterAll(() => world.app[Symbol.asyncDispose]())

test('every address is asked by a channel of the matrix, or says why nobody need; one that nobody classified is named', () => {
  expect(unclassifiedRoutes(world)).toEqual(['POST /api/leaky/dossiers'])
})

/** Milliseconds for a channel: each asks for all fields, and machines differ. */
const patience = 300_000

describe('what a role hides or masks', () => {
  test.each(channels.map((channel) => [channel.name, channel] as const))(
    'comes out by no %s',
    async (_, channel) => {
      for (const it of readers) await matrix.ask(channel, it)
      expect(matrix.found()).toEqual([])
    },
    patience,
  )

  test('comes out by no document of the platform, no route of a plugin and no line of the log', async () => {
    for (const it of readers) await matrix.askWhole(it)
    expect(matrix.found()).toEqual([])
  })
})

describe('what is out of reach', () => {
  test.each(channels.map((channel) => [channel.name, channel] as const))(
    'comes out by no %s',
    async (_, channel) => {
      for (const it of strangers) await matrix.ask(channel, it)
      expect(matrix.found()).toEqual([])
    },
    patience,
  )
})

test('an import by who may write what they may not read tells nothing of it', async () => {
  const { app, specimens } = world
  const titles = [{ resource: 'core.account', field: 'name', access: 'read' as const }]
  const hidden = { resource: '*', field: '*', access: 'none' as const }
  const grants = everything('all').filter(({ action }) => action === 'read' || action === 'import')
  const writer = await reader('writes what is hidden', { grants, fields: [...titles, hidden] }, (it) =>
    it.id === 'core.account.name' ? 'value' : 'nothing',
  )
  const role = await app.admin.post('/api/core/roles', {
    name: 'Writes',
    grants: ['create', 'update', 'import'].map((action) => ({ resource: 'core.account', action, visibility: 'all' })),
  })
  await app.inside(({ records }) =>
    records.create(
      'core.role-assignment',
      { role: role.body.data.id, user: writer.client.who.actor.id },
      { internal: true },
    ),
  )
  const { record } = specimens.find(({ resource }) => resource.id === 'core.account')!
  const importing = new Importing(writer.client, () => app.app.jobs.runUntilIdle())
  const header = 'name,phone,city'
  const lines = [
    // As it is there, and otherwise: what comes of a line must not tell which.
    `${String(record['name'])},${String(record['phone'])},${String(record['city'])}`,
    `${String(record['name'])},${String(record['phone'])},Elsewhere`,
  ]
  const outcomes = new Set<string>()
  for (const line of lines) {
    const { id } = await importing.upload('core.account', `${header}\n${line}\n`)
    const byHidden = await writer.client.patch(`/api/core/imports/${id}`, { key: 'phone' })
    expect(byHidden).toMatchObject({ status: 403, body: { code: 'FIELD_NOT_READABLE' } })
    await importing.change(id, { key: 'name' })
    const { counts } = await importing.rehearse(id)
    outcomes.add(JSON.stringify(counts))
    const sent = [...line.split(','), ...canariesIn(line)]
    for (const path of ['', '/rows', '/diff.ndjson', '/errors.csv', '/kept']) {
      const text = await (await writer.client.raw('GET', `/api/core/imports/${id}${path}`)).text()
      matrix.hear(
        'import',
        writer,
        path,
        sent.reduce((left, it) => left.replaceAll(it, ''), text),
      )
    }
  }
  expect(matrix.found()).toEqual([])
  expect(outcomes.size).toBe(1)
}, 30_000)

describe('what lies in the bin', () => {
  const gone: { readonly resource: string; readonly id: string }[] = []

  beforeAll(async () => {
    for (const [resource, id] of [...world.ids].toReversed()) {
      const isGone = await world.app
        .inside(async ({ records }) => {
          const { data } = await records.get(resource, id)
          await records.remove(resource, data, { internal: true, acknowledge: ['DUPLICATE_SUSPECTED'] })
        })
        .then(
          () => true,
          // People, teams and issued documents are not thrown away.
          () => false,
        )
      if (isGone) gone.push({ resource, id })
    }
  })
  afterAll(async () => {
    for (const { resource, id } of gone.toReversed())
      await world.app.inside(({ records }) => records.restore(resource, id))
  })

  test('comes out for nobody who could not read it before', async () => {
    for (const it of [...readers, ...strangers]) for (const { resource } of gone) await matrix.ask(bin, it, resource)
    expect(matrix.found()).toEqual([])
    expect(gone.map(({ resource }) => resource)).toEqual(
      expect.arrayContaining(['core.account', 'core.contact', 'core.lead', 'core.activity', 'sales.opportunity']),
    )
    expect(matrix.seen.get('bin reads everything')?.size).toBeGreaterThan(50)
  }, 60_000)
})

describe('the matrix itself', () => {
  const of = (channel: string): ReadonlySet<string> => matrix.seen.get(`${channel} reads everything`) ?? new Set()

  test('has a value in every field, or says in which it has none', () => {
    expect(world.empty.toSorted()).toEqual(Object.keys(withoutValue).toSorted())
  })

  test('sees every value where it may be seen, so that each of its cells can fail', () => {
    const all = [...new Set([...world.cellsOf.values()].flatMap((cells) => [...cells]))].toSorted()
    expect([...of('list')].toSorted()).toEqual(all)
    expect([...of('get')].toSorted()).toEqual(all)
  })

  test.each(channels.filter(({ tellsNothing }) => !tellsNothing).map(({ name }) => name))(
    'sees values come out by the %s for who may read them',
    (name) => {
      expect(of(name).size).toBeGreaterThan(0)
    },
  )

  test.each(channels.map(({ name }) => name))('was answered by the %s', (name) => {
    for (const reader of ['reads titles', 'sees masks beside titles'])
      expect(matrix.answered.get(`${name} ${reader}`) ?? 0).toBeGreaterThan(0)
  })

  test('catches a leak that is planted', async () => {
    await world.app.app.toggle.enable(world.app.workspace, 'leaky', undefined)
    for (const it of readers) await matrix.askWhole(it)
    const found = matrix.found().join('\n')
    for (const field of ['email', 'phoneNorm', 'cost', 'kind'])
      for (const name of ['reads no field', 'sees masks'])
        expect(found).toContain(`${name}: documents: GET /api/leaky/dossiers/:id tells core.account.${field}`)
    expect(found).not.toContain('reads everything')
    await world.app.app.toggle.disable(world.app.workspace, 'leaky', undefined, false)
  })
})

test('core-09: a field added a minute ago comes out by no channel for a role without it', async () => {
  const { app, ids } = world
  const path = `/api/core/accounts/${ids.get('core.account')}`
  const field = { resource: 'core.account', name: 'margin', type: 'money', labelEn: 'Margin', labelFr: 'Marge' }
  expect((await app.admin.post('/api/core/fields', field)).status).toBe(201)
  const { version } = (await app.admin.get(path)).body.data
  expect((await app.admin.patch(path, { version, margin: '987654.32' })).body.data.margin).toBe('987654.32')
  app.clock.advance('PT1M')
  const now = new LeakMatrix(await survey(world))
  const sees = ({ id }: Cell): Sight => (id === 'core.account.margin' ? 'nothing' : 'value')
  const fields: FieldGrant[] = [{ resource: 'core.account', field: 'margin', access: 'none' }]
  const without = await reader('has no margin', { grants: everything('all'), may: further, fields }, sees, {
    asksEachField: true,
  })
  for (const channel of channels) for (const it of [readers[0]!, without]) await now.ask(channel, it, 'core.account')
  for (const it of [readers[0]!, without]) await now.askWhole(it)
  expect(now.found()).toEqual([])
  for (const name of ['list', 'get', 'group', 'aggregate', 'history', 'export', 'audit'])
    expect([name, ...(now.seen.get(`${name} reads everything`) ?? [])]).toContain('core.account.margin')
  for (const [method, address, body] of [
    ['GET', '?filter=margin>1', undefined],
    ['GET', '?sort=-margin', undefined],
    ['POST', '/aggregate', { groupBy: ['margin'], measures: ['count'] }],
    ['POST', '/aggregate', { measures: ['sum:margin'] }],
  ] as const)
    expect(await without.client.send(method, `/api/core/accounts${address}`, body)).toMatchObject({
      status: 403,
      body: { code: 'FIELD_NOT_READABLE' },
    })
}, 60_000)

test('what a role hides, and what is out of reach, comes by no line of the live stream', async () => {
  const { app, ids } = world
  // Last of all: from here on the platform works by itself, too.
  await app.app.start()
  const all = [...readers, ...strangers]
  await matrix.listen(all, async () => {
    for (const [resource, id] of ids) {
      // As every write tells it, whatever the kind of record lets itself be changed by.
      app.app.kernel.parts.signals.send({
        kind: 'records',
        workspace: app.workspace.id,
        changes: [{ resource, id, action: 'update', version: 2 }],
      })
    }
  })
  expect(matrix.found()).toEqual([])
  expect(matrix.answered.get('live reads everything')).toBeGreaterThan(20)
  expect(matrix.answered.get('live reads no field')).toBeGreaterThan(20)
}, 60_000)
