import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import { outgoingUrlInvalid } from '../http/problem.ts'
import { found } from '../entities/values.ts'
import type { Authority } from '../permissions/authority.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { fieldGrantSchema, grantSchema, rightsSchema } from '../permissions/grant.ts'
import { certificateOf } from './sign-on/certificates.ts'
import { defineGuard, type GuardDefinition, type GuardedWrite } from '../records/define-resource.ts'
import type { RecordEngine } from '../records/engine.ts'
import { parseExpression } from '../records/expression/index.ts'
import { administratorTemplate, demandAnotherAdministrator, isAdministratorRole } from './administrators.ts'
import { addressList } from './addresses.ts'
import type { MissedProofs } from './entities/identity-provider.ts'
import {
  administratorLockedOut,
  administratorRoleFixed,
  domainInvalid,
  grantInvalid,
  ownDeactivation,
  providerIncomplete,
  roleInUse,
  teamCycle,
  teamInUse,
} from './errors.ts'

const every: readonly GuardedWrite['action'][] = ['create', 'update', 'delete', 'restore']

/** Which permission writing each resource of rights takes, whatever wildcard a role has. */
const managedBy: Readonly<Record<string, string>> = {
  'core.user': 'core.user.manage',
  'core.team': 'core.user.manage',
  'core.team-member': 'core.user.manage',
  'core.role': 'core.role.manage',
  'core.role-assignment': 'core.user.manage',
  'core.api-key': 'core.apikey.manage',
  'core.identity-provider': 'core.signon.manage',
  'core.workspace': 'core.workspace.manage',
}

/** Writing rights takes its own permission; a wildcard over all records is not enough. */
const rightsAreManaged = Object.entries(managedBy).map(([resource, permission]) =>
  defineGuard(resource, every, (_, ctx) => {
    if (!ctx.authority.may(permission)) throw permissionDenied({ permission })
  }),
)

const roleIsSound = defineGuard('core.role', ['create', 'update', 'restore'], ({ record }) => {
  const grants = checked('grants', z.array(grantSchema).max(2_000), record['grants'] ?? [])
  checked('fields', z.array(fieldGrantSchema).max(5_000), record['fields'] ?? [])
  for (const [index, { condition }] of grants.entries()) {
    if (condition !== undefined) asGrant(`grants/${index}`, () => parseExpression(condition))
  }
})

/** Says at which line of a role an expression is faulty. */
export function asGrant<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SocleError)) throw error
    throw grantInvalid({ where: `${where}/condition`, reason: error.message }, error.extras)
  }
}

function checked<S extends z.ZodType>(field: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw grantInvalid({ where: [field, ...path].join('/'), reason: message })
}

const administratorRoleStays = defineGuard('core.role', ['update', 'delete'], ({ action, before, changed }) => {
  if (before?.['template'] !== administratorTemplate) return
  if (action === 'delete' || changed.has('grants') || changed.has('fields') || changed.has('template'))
    throw administratorRoleFixed({})
})

const roleIsFree = defineGuard('core.role', ['delete'], async ({ record }, ctx) => {
  const { rows } = await sql<{ users: number; keys: number; providers: number }>`
    select
      (select count(*) from core.role_assignment where workspace = ${ctx.workspace.id}::uuid and role_id = ${record.id}::uuid and deleted_at is null
        and (until is null or until > ${ctx.clock.now().toISOString()}::timestamptz)) as users,
      (select count(*) from core.api_key where workspace = ${ctx.workspace.id}::uuid and role_id = ${record.id}::uuid and revoked_at is null and deleted_at is null) as keys,
      (select count(*) from core.identity_provider where workspace = ${ctx.workspace.id}::uuid and role_id = ${record.id}::uuid and deleted_at is null) as providers`.execute(
    ctx.sql,
  )
  const { users = 0, keys = 0, providers = 0 } = rows[0] ?? {}
  if (users + keys + providers > 0)
    throw roleInUse({ name: ctx.records.nameOf('core.role', record), users, keys, providers })
})

const roleIsGivenByWhoMay = defineGuard('core.role-assignment', every, async ({ record, before }, ctx) => {
  for (const role of new Set([record['role'], before?.['role'] ?? record['role']]))
    await demandMayGive(ctx, String(role))
})

const keyRoleIsGivenByWhoMay = defineGuard('core.api-key', ['create', 'update', 'restore'], ({ record }, ctx) =>
  demandMayGive(ctx, String(record['role'])),
)

const assignmentLeavesAnAdministrator = defineGuard(
  'core.role-assignment',
  ['update', 'delete'],
  async ({ record, before, action }, ctx) => {
    const ends =
      action === 'delete' ||
      record['until'] !== null ||
      record['role'] !== before?.['role'] ||
      record['user'] !== before?.['user']
    if (!ends || !before || !(await isAdministratorRole(ctx, before['role']))) return
    await demandAnotherAdministrator(ctx, { assignment: before.id, user: String(before['user']) })
  },
)

const deactivationLeavesAnAdministrator = defineGuard(
  'core.user',
  ['update', 'delete'],
  async ({ record, before, action }, ctx) => {
    const leaves = before?.['state'] === 'active' && (action === 'delete' || record['state'] !== 'active')
    if (!leaves) return
    if (record.id === ctx.actor.id) throw ownDeactivation({})
    await demandAnotherAdministrator(ctx, { user: record.id })
  },
)

/** Whatever way it comes, by an undo too: who is let in or out is so by somebody who could have given them their rights. */
const stateIsGiven = defineGuard('core.user', ['update', 'delete', 'restore'], ({ record, before, action }, ctx) =>
  action === 'update' && record['state'] === before?.['state'] ? undefined : demandMayTouch(ctx, record.id),
)

const teamHasNoCycle = defineGuard('core.team', ['create', 'update', 'restore'], async ({ record }, ctx) => {
  const above = record['parent']
  if (typeof above !== 'string') return
  // One tree, one writer: two moves in the same second could each be without a cycle and together make one.
  await sql`select pg_advisory_xact_lock(hashtext(${`teams ${ctx.workspace.id}`}))`.execute(ctx.sql)
  const { rows } = await sql<{ id: string }>`
    with recursive above as (
      select id, parent_id, 1 as depth from core.team where workspace = ${ctx.workspace.id}::uuid and id = ${above}::uuid
      union all
      select t.id, t.parent_id, a.depth + 1 from core.team t join above a on t.id = a.parent_id
      where t.workspace = ${ctx.workspace.id}::uuid and a.depth < 100
    )
    select id from above`.execute(ctx.sql)
  if (!rows.some(({ id }) => id === record.id)) return
  const parent = (await found(ctx, 'core.team', above)) ?? {}
  throw teamCycle({ name: ctx.records.nameOf('core.team', record), parent: ctx.records.nameOf('core.team', parent) })
})

/** Memberships and teams are written as the platform, for whoever asked. */
function askerOf({ records }: Context): Authority {
  return (records as RecordEngine).scope.asker
}

/** Who manages users but not roles must not come to see more by being put into a team, … */
const placeIsGiven = defineGuard('core.team-member', ['create', 'update', 'restore'], ({ record }, ctx) => {
  if (record['user'] === ctx.actor.id && !askerOf(ctx).may('core.role.manage'))
    throw permissionDenied({ permission: 'core.role.manage' })
})

/** … or by having another team moved below their own. */
const teamIsMovedByWhoMay = defineGuard('core.team', ['update'], async ({ record, before }, ctx) => {
  const [above, once] = [record['parent'], before?.['parent']]
  if (typeof above !== 'string' || above === once || askerOf(ctx).may('core.role.manage')) return
  const { rows } = await sql`
    with recursive above as (
      select id, parent_id, 1 as depth, true as now from core.team where workspace = ${ctx.workspace.id}::uuid and id = ${above}::uuid
      union all
      select id, parent_id, 1, false from core.team where workspace = ${ctx.workspace.id}::uuid and id = ${once ?? null}::uuid
      union all
      select t.id, t.parent_id, a.depth + 1, a.now from core.team t join above a on t.id = a.parent_id
      where t.workspace = ${ctx.workspace.id}::uuid and a.depth < 100
    )
    select from above a join core.team_member m on m.workspace = ${ctx.workspace.id}::uuid and m.team = a.id
    where a.now and m.user_id = ${ctx.actor.id ?? null}::uuid and m.deleted_at is null
      and (m.to_date is null or m.to_date > ${ctx.clock.today()}::date)
      and not exists (select from above b where b.id = a.id and not b.now)
    limit 1`.execute(ctx.sql)
  if (rows.length > 0) throw permissionDenied({ permission: 'core.role.manage' })
})

const teamIsEmpty = defineGuard('core.team', ['delete'], async ({ record }, ctx) => {
  const { rows } = await sql<{ members: number; teams: number; providers: number }>`
    select
      (select count(*) from core.team_member where workspace = ${ctx.workspace.id}::uuid and team = ${record.id}::uuid and deleted_at is null
        and (to_date is null or to_date > ${ctx.clock.today()}::date)) as members,
      (select count(*) from core.team where workspace = ${ctx.workspace.id}::uuid and parent_id = ${record.id}::uuid and deleted_at is null) as teams,
      (select count(*) from core.identity_provider where workspace = ${ctx.workspace.id}::uuid and join_team = ${record.id}::uuid and deleted_at is null) as providers`.execute(
    ctx.sql,
  )
  const { members = 0, teams = 0, providers = 0 } = rows[0] ?? {}
  if (members + teams + providers > 0)
    throw teamInUse({ name: ctx.records.nameOf('core.team', record), members, teams, providers })
})

const keyAddressesAreAddresses = defineGuard('core.api-key', ['create', 'update'], ({ record }) => {
  addressList(checked('addresses', z.array(z.string()).max(200), record['addresses'] ?? []))
})

/** Whoever decides who vouches for people can become any of them: that takes every right over roles too. */
const providerIsForWhoMayAll = defineGuard('core.identity-provider', every, (_, ctx) => {
  if (!ctx.authority.may('core.role.manage')) throw permissionDenied({ permission: 'core.role.manage' })
})

const providerIsSound = defineGuard('core.identity-provider', ['create', 'update', 'restore'], ({ record }, ctx) => {
  const domains = checked('domains', z.array(z.string()).max(200), record['domains'] ?? [])
  for (const domain of domains) if (!mailDomain.test(domain)) throw domainInvalid({ domain })
  const certificates = checked('certificates', z.array(z.string()).max(10), record['certificates'] ?? [])
  for (const certificate of certificates) certificateOf(certificate)
  // Browsers are sent there: nothing but an address of the web.
  const addresses = [record['entryPoint'], record['kind'] === 'oidc' ? record['issuer'] : null]
  for (const address of addresses) {
    if (typeof address !== 'string') continue
    const url = URL.parse(address)
    if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') continue
    throw outgoingUrlInvalid({ url: address.slice(0, 200) })
  }
  if (record['enabled'] !== true) return
  const needed = record['kind'] === 'oidc' ? ['issuer', 'clientId'] : ['issuer', 'entryPoint', 'certificates']
  if (record['admission'] === 'anyone') needed.push('role')
  for (const missing of ['domains', ...needed]) {
    const value = record[missing] ?? ''
    if (value === '' || (Array.isArray(value) && value.length === 0))
      throw providerIncomplete({ name: ctx.records.nameOf('core.identity-provider', record), missing })
  }
})

const mailDomain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/

/** What of a provider decides whether it still lets in whom it let in: a wrong one keeps them out as surely as none. */
const deciding = ['issuer', 'clientId', 'secretSetAt', 'domains', 'certificates', 'entryPoint', 'subjectAttribute']

/** A domain that is taken away has to be proved anew when it comes back. */
const proofGoesWithItsDomain = defineGuard('core.identity-provider', ['update', 'restore'], ({ record, set }) => {
  const domains = new Set(record['domains'] as readonly string[])
  const proved = record['provedDomains'] as readonly string[]
  const left = proved.filter((domain) => domains.has(domain))
  if (left.length < proved.length) set('provedDomains', left)
  const missed = Object.entries((record['missedProofs'] ?? {}) as MissedProofs)
  const still = missed.filter(([domain]) => left.includes(domain))
  if (still.length < missed.length) set('missedProofs', Object.fromEntries(still))
})

const providerIsNotTheLastWay = defineGuard(
  'core.identity-provider',
  ['update', 'delete'],
  async ({ record, before, action, changed }, ctx) => {
    const weakens = action === 'delete' || record['enabled'] !== true || deciding.some((field) => changed.has(field))
    if (before?.['enabled'] !== true || !weakens) return
    const { rows } = await sql<{ last: boolean }>`select core.provider_is_last_way(${record.id}::uuid) as last`.execute(
      ctx.sql,
    )
    if (rows[0]?.last) throw administratorLockedOut({ provider: ctx.records.nameOf('core.identity-provider', record) })
  },
)

/** What keeps rights in the hands of who may give them; a partner's people have further ones beside. */
export const rightsGuards: readonly GuardDefinition[] = [
  ...rightsAreManaged,
  roleIsSound,
  administratorRoleStays,
  roleIsFree,
  roleIsGivenByWhoMay,
  keyRoleIsGivenByWhoMay,
  assignmentLeavesAnAdministrator,
  deactivationLeavesAnAdministrator,
  stateIsGiven,
  placeIsGiven,
  teamHasNoCycle,
  teamIsMovedByWhoMay,
  teamIsEmpty,
  keyAddressesAreAddresses,
  providerIsForWhoMayAll,
  providerIsSound,
  proofGoesWithItsDomain,
  providerIsNotTheLastWay,
]

/**
 * Whether an actor may give this role to a person or a key, or take it away: who manages no roles only what they hold
 * themselves, however the role is called.
 *
 * @throws `PERMISSION_DENIED` (403)
 */
export async function demandMayGive(ctx: Context, role: string): Promise<void> {
  if (ctx.authority.may('core.role.manage')) return
  if (!(await holdsRole(ctx, role))) throw permissionDenied({ permission: 'core.role.manage' })
}

/** Whether an actor may do all that a role allows. */
export async function holdsRole(ctx: Context, role: string): Promise<boolean> {
  const { rows } = await sql`
    select grants, fields from core.role where workspace = ${ctx.workspace.id}::uuid and id = ${role}::uuid`.execute(
    ctx.sql,
  )
  const rights = z.array(rightsSchema).parse(rows)
  return rights.every((it) => ctx.authority.holds(it))
}

/**
 * Who manages users but not roles must not come by more rights by way of the account of somebody who has them.
 *
 * @throws `PERMISSION_DENIED` (403)
 */
export async function demandMayTouch(ctx: Context, user: string): Promise<void> {
  const { rows } = await sql<{ role: string }>`
    select distinct role_id as role from core.role_assignment
    where workspace = ${ctx.workspace.id}::uuid and user_id = ${user}::uuid and deleted_at is null
      and (until is null or until > ${ctx.clock.now().toISOString()}::timestamptz)`.execute(ctx.sql)
  for (const { role } of rows) await demandMayGive(ctx, role)
}
