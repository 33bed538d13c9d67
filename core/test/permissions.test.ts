import fc from 'fast-check'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { compileAuthority, type Subject } from '../src/permissions/compiler.ts'
import type { RoleRights } from '../src/permissions/authority.ts'
import type { Grant } from '../src/permissions/grant.ts'
import { systemAuthority } from '../src/permissions/system-authority.ts'
import type { FieldModel, FieldType, ResourceCatalog, ResourceModel } from '../src/records/model.ts'
import { emptyDatabase, kinds, patience } from './identity-world.ts'

const field = (name: string, type: FieldType, column = name): FieldModel => ({
  name,
  type,
  column,
  required: false,
  readonly: false,
})
const fields = [
  field('id', 'reference'),
  field('owner', 'user'),
  field('team', 'team'),
  field('stage', 'text'),
  field('amount', 'decimal'),
]
const deal: ResourceModel = {
  id: 'probe.deal',
  plugin: 'probe',
  entity: 'deal',
  path: 'deals',
  schema: 'public',
  table: 'deal',
  fields: new Map(fields.map((it) => [it.name, it])),
  collections: new Map(),
  title: 'stage',
}
const catalog: ResourceCatalog = { get: (id) => (id === deal.id ? deal : undefined) }

const me = uuidv7()
const colleague = uuidv7()
const [north, northEast, south] = [uuidv7(), uuidv7(), uuidv7()]

interface Deal {
  readonly id: string
  readonly owner: string | null
  readonly team: string | null
  readonly stage: string | null
  readonly amount: string | null
}

const deals: readonly Deal[] = [null, me, colleague].flatMap((owner) =>
  [null, north, northEast, south].flatMap((team) =>
    (
      [
        ['open', '500'],
        ['open', '5000'],
        ['won', '5000'],
        [null, null],
      ] as const
    ).map(([stage, amount]) => ({ id: uuidv7(), owner, team, stage, amount })),
  ),
)

const grant = (values: Partial<Grant> = {}): Grant => ({
  resource: 'probe.deal',
  action: 'read',
  visibility: 'all',
  ...values,
})
const role = (...grants: Grant[]): RoleRights => ({ grants, fields: [] })
const subject = (...roles: RoleRights[]): Subject => ({ me, teams: [north, northEast], homeTeam: north, roles })

const broken: { grant: Grant; reason: unknown }[] = []
const authority = (of: Subject) =>
  compileAuthority(of, {
    catalog,
    environment: (userId) => ({
      now: new Date('2026-03-02T09:00:00Z'),
      zone: 'Europe/Paris',
      ...(userId === undefined ? {} : { userId }),
    }),
    broken: (it, reason) => broken.push({ grant: it, reason }),
  })

/** What a grant means, said once more without SQL. */
function reaches(
  { visibility, condition }: Grant,
  { owner, team, stage, amount }: Deal,
  { me: user, teams }: Subject,
): boolean {
  const own = owner !== null && owner === user
  const near = own || (team !== null && teams.includes(team))
  const inSight = visibility === 'all' || (visibility === 'team' ? near : own)
  const conditions: Readonly<Record<string, boolean>> = {
    'stage = "open"': stage === 'open',
    'amount >= 1000': amount !== null && Number(amount) >= 1000,
    'not (stage = "won")': stage !== 'won',
    'owner = me()': owner !== null && owner === user,
  }
  return inSight && (condition === undefined || conditions[condition] === true)
}

function expected(of: Subject, it: Deal): boolean {
  const grants = of.roles.flatMap((one) => one.grants)
  return (
    grants.some((one) => !one.deny && reaches(one, it, of)) && !grants.some((one) => one.deny && reaches(one, it, of))
  )
}

const anyGrant = fc.record(
  {
    resource: fc.constantFrom('probe.deal', 'probe.*', '*'),
    action: fc.constantFrom('read', '*'),
    visibility: fc.constantFrom('own' as const, 'team' as const, 'all' as const),
    condition: fc.constantFrom('stage = "open"', 'amount >= 1000', 'not (stage = "won")', 'owner = me()'),
    deny: fc.boolean(),
  },
  { requiredKeys: ['resource', 'action', 'visibility'] },
) as fc.Arbitrary<Grant>

const anySubject: fc.Arbitrary<Subject> = fc
  .record({
    roles: fc.array(fc.record({ grants: fc.array(anyGrant, { maxLength: 4 }), fields: fc.constant([]) }), {
      maxLength: 3,
    }),
    teams: fc.subarray([north, northEast, south]),
    known: fc.boolean(),
  })
  .map(({ roles, teams, known }) => ({ roles, teams, ...(known ? { me } : {}) }))

describe.each(kinds)('what a role reaches on %s', (kind) => {
  let database: Database
  beforeAll(async () => {
    database = await emptyDatabase(kind)
    await sql`create table public.deal (id uuid primary key, workspace uuid, owner uuid, team uuid, stage text, amount numeric)`.execute(
      database.owner,
    )
    for (const { id, owner, team, stage, amount } of deals) {
      await sql`insert into public.deal (id, owner, team, stage, amount) values (${id}, ${owner}, ${team}, ${stage}, ${amount})`.execute(
        database.owner,
      )
    }
  }, patience)
  afterAll(() => database.close())

  /** What the database says of each row: within, without, or neither. */
  async function verdicts(of: Subject): Promise<Map<string, boolean | null>> {
    const where = authority(of).compile(deal, 'read').where('d')
    const { rows } = await sql<{ id: string; within: boolean | null }>`
      select d.id, ${where} as within from public.deal as d`.execute(database.owner)
    return new Map(rows.map(({ id, within }) => [id, within]))
  }

  async function seen(of: Subject): Promise<string[]> {
    return [...(await verdicts(of))].filter(([, within]) => within).map(([id]) => id)
  }

  test(
    'any mixture of roles, grants, conditions and denials returns exactly the rows its sentences say',
    async () => {
      await fc.assert(
        fc.asyncProperty(anySubject, async (of) => {
          const right = new Map(deals.map((it) => [it.id, expected(of, it)]))
          // Never NULL: what is not within is without.
          expect(await verdicts(of)).toEqual(right)
          const { allowed, everything } = authority(of).compile(deal, 'read')
          if ([...right.values()].includes(true)) expect(allowed).toBe(true)
          if (everything) expect([...right.values()]).not.toContain(false)
        }),
        { numRuns: 200 },
      )
    },
    patience,
  )

  test('own is what I own, team adds my teams and all below them, all is all', async () => {
    const count = async (visibility: Grant['visibility']) => (await seen(subject(role(grant({ visibility }))))).length
    expect([await count('own'), await count('team'), await count('all')]).toEqual([16, 32, 48])
  })

  test('a denial in one role wins over every other role', async () => {
    const manager = role(grant())
    const ward = role(grant({ deny: true, condition: 'stage = "won"' }))
    expect(await seen(subject(manager, ward))).toHaveLength(36)
    const nothing = subject(manager, role(grant({ deny: true })))
    expect(authority(nothing).compile(deal, 'read')).toMatchObject({ allowed: false, everything: false })
    expect(await seen(nothing)).toEqual([])
  })

  test('a condition that no longer fits grants nothing, and as a denial denies all', async () => {
    broken.length = 0
    const stale = { condition: 'probability > 50' }
    expect(await seen(subject(role(grant(stale))))).toEqual([])
    expect(await seen(subject(role(grant(), grant({ ...stale, deny: true }))))).toEqual([])
    expect(broken[0]).toMatchObject({ reason: { code: 'EXPRESSION_INVALID' } })
  })

  test('the index of the owner serves a list of own records', async () => {
    await database.owner.transaction().execute(async (tx) => {
      await sql`create index deal_owner on public.deal (owner)`.execute(tx)
      await sql`set local enable_seqscan = off`.execute(tx)
      const where = authority(subject(role(grant({ visibility: 'own' }))))
        .compile(deal, 'read')
        .where('d')
      const { rows } = await sql`explain select * from public.deal as d where ${where}`.execute(tx)
      expect(JSON.stringify(rows)).toMatch(/Index Cond: .*owner/)
    })
  })
})

describe('permissions by name', () => {
  const may = (permission: string, ...grants: Grant[]) => authority(subject(role(...grants))).may(permission)

  test.each<[string, boolean, Grant[]]>([
    ['probe.deal.read', true, [grant()]],
    ['probe.deal.send', false, [grant()]],
    ['probe.deal.send', true, [grant({ action: 'send' })]],
    ['probe.deal.send', true, [grant({ resource: 'probe.*', action: '*' })]],
    ['core.plugin.toggle', true, [grant({ resource: '*', action: '*' })]],
    ['core.plugin.toggle', true, [grant({ resource: 'core.plugin', action: 'toggle', visibility: 'own' })]],
    [
      'core.plugin.toggle',
      false,
      [grant({ resource: '*', action: '*' }), grant({ resource: 'core.plugin', action: '*', deny: true })],
    ],
    ['probe.deal.read', true, [grant(), grant({ deny: true, visibility: 'own' })]],
  ])('%s is %s', (permission, answer, grants) => {
    expect(may(permission, ...grants)).toBe(answer)
  })

  test('a verb on all records does not hand out what is no record', () => {
    expect(may('core.audit.read', grant({ resource: '*' }))).toBe(false)
    expect(may('core.workspace.open', grant({ resource: '*', action: 'create' }))).toBe(false)
    expect(may('core.audit.read', grant({ resource: 'core.audit' }))).toBe(true)
  })

  test('without a role nothing is allowed, as the platform everything', () => {
    expect(may('probe.deal.read')).toBe(false)
    expect(authority(subject()).compile(deal, 'read').allowed).toBe(false)
    expect(systemAuthority.may('probe.deal.read')).toBe(true)
    expect(systemAuthority.compile(deal, 'delete').everything).toBe(true)
  })
})

describe('what a role reads of a record', () => {
  const restricted = (access: 'none' | 'read', name = 'amount', actions = ['read', 'update']): RoleRights => ({
    grants: actions.map((action) => grant({ action })),
    fields: [{ resource: 'probe.deal', field: name, access }],
  })
  const access = (action: 'read' | 'update', ...roles: RoleRights[]) =>
    authority(subject(...roles)).compile(deal, action)

  test('a field the role does not mention is read and written in full', () => {
    expect(access('update', role(grant(), grant({ action: 'update' }))).writable('amount')).toBe(true)
  })

  test('a field can be hidden, or read and not written', () => {
    expect(access('read', restricted('none')).readable('amount')).toBe(false)
    expect(access('read', restricted('read')).readable('amount')).toBe(true)
    expect(access('update', restricted('read')).writable('amount')).toBe(false)
    expect(access('update', restricted('read')).writable('stage')).toBe(true)
  })

  test('of several roles the widest holds, and only roles that grant the action count', () => {
    expect(access('read', restricted('none'), role(grant())).readable('amount')).toBe(true)
    expect(access('read', restricted('none'), role(grant({ action: 'create' }))).readable('amount')).toBe(false)
    const readsAll = role(grant())
    expect(access('update', restricted('read', 'amount'), readsAll).writable('amount')).toBe(false)
  })

  test('a mention of one field is nearer than one of all', () => {
    const role: RoleRights = {
      grants: [grant()],
      fields: [
        { resource: 'probe.*', field: '*', access: 'none' },
        { resource: 'probe.deal', field: 'stage', access: 'read' },
      ],
    }
    expect(access('read', role).readable('amount')).toBe(false)
    expect(access('read', role).readable('stage')).toBe(true)
  })

  test('what every record has is always read', () => {
    const blind = restricted('none', '*')
    for (const name of ['id', 'version', 'createdAt', 'owner']) expect(access('read', blind).readable(name)).toBe(true)
  })
})
