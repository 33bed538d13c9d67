import { sql } from 'kysely'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Database, Sql } from '../database/database.ts'
import type { Signal, Signals } from '../database/signals.ts'
import { changesFields } from '../records/fields/own-fields.ts'
import type { ResourceCatalog } from '../records/model.ts'
import type { Authority, RoleRights } from './authority.ts'
import { compileAuthority, rulesOf, type Conditions, type Rules, type Subject } from './compiler.ts'
import { rightsSchema } from './grant.ts'

/** Whose rights: a member by user id, or an API key by the one role it has. */
export type RightsHolder = { readonly user: string } | { readonly role: string }

export interface AuthoritiesOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** Resources that exist in a workspace now; asked anew after every switch of a plugin there. */
  readonly catalog: (workspace: string) => ResourceCatalog
  readonly signals?: Signals
}

/** Resources whose records decide what somebody may do, or whether they may come in at all. */
const rights = new Set([
  'core.user',
  'core.team',
  'core.team-member',
  'core.role',
  'core.role-assignment',
  'core.api-key',
  'core.identity-provider',
  'core.workspace',
  'core.share',
])

/** Whether a hint is about rights. Every write of a record sends one, by whatever way it was written. */
export function changesRights(signal: Signal): boolean {
  return signal.kind === 'records' && signal.changes.some(({ resource }) => rights.has(resource))
}

interface Kept {
  readonly rights: Rights
  /** User id; undefined for a key's role. */
  readonly me: string | undefined
  authority: Authority
  /** How many switches of plugins in the workspace this process had seen when it was compiled. */
  switches: number
  /** Milliseconds of the process's own clock. */
  readonly freshUntil: number
  /** Instant at which an assignment or a day ends, by the platform's clock. */
  readonly rightsUntil: number
  readonly loadedAt: number
}

// A signal drops what is kept at once; this bounds what a lost signal costs.
const keptFor = 15_000
const mostKept = 5_000

/** Every member may find colleagues and teams to assign work to, and hears of what is shared with them, even without a role. */
const colleagues: RoleRights = {
  grants: [
    { resource: 'core.user', action: 'read', visibility: 'all' },
    { resource: 'core.team', action: 'read', visibility: 'all' },
    { resource: 'core.share', action: 'read', visibility: 'all' },
  ],
  fields: [{ resource: 'core.user', field: 'email', access: 'none' }],
}

const rolesSchema = z.array(rightsSchema.extend({ id: z.uuid(), until: z.string().nullable() }))

/** A role of the workspace, held or not, as explanations name it. */
export interface NamedRole extends RoleRights {
  readonly id: string
  readonly name: string
  readonly template: string | null
  /** When the member's last assignment to it ended; null without one that did. */
  readonly ended: string | null
}

export interface RightsSources {
  readonly subject: Subject
  /** Every role of the workspace. */
  readonly roles: readonly NamedRole[]
}

/** Actors' rights, read from their roles and teams once and kept in the process until something changes them. */
export class Authorities {
  readonly #options: AuthoritiesOptions
  readonly #kept = new Map<string, Promise<Kept>>()
  readonly #switches = new Map<string, number>()
  readonly #stop: (() => void) | undefined

  constructor(options: AuthoritiesOptions) {
    this.#options = options
    this.#stop = options.signals?.on((signal) => {
      if (signal.kind === 'permissions') this.drop(signal.workspace)
      if (signal.kind === 'records' && (changesRights(signal) || changesFields(signal))) this.drop(signal.workspace)
      if (signal.kind === 'plugins') this.#heard(signal.switched?.workspace)
    })
  }

  /** The rights of a member or a key in a workspace, read in a transaction of their own, on the house's side of the wall. */
  async of(workspace: Workspace, holder: RightsHolder): Promise<Authority> {
    const key = `${workspace.id} ${'user' in holder ? holder.user : holder.role}`
    const kept = await this.#kept.get(key)
    if (this.#isFresh(kept)) return this.#current(workspace, kept)
    if (this.#kept.size >= mostKept) this.#kept.clear()
    const loading = this.#load(workspace, holder)
    this.#kept.set(key, loading)
    loading.catch(() => {
      if (this.#kept.get(key) === loading) this.#kept.delete(key)
    })
    return this.#current(workspace, await loading)
  }

  /** The rights of several members, in their order: those that are not kept are read in one statement. */
  async ofMembers(workspace: Workspace, users: readonly string[]): Promise<Authority[]> {
    const { database, clock } = this.#options
    const now = clock.now()
    const kept = await Promise.all(users.map(async (user) => this.#kept.get(`${workspace.id} ${user}`)))
    const missing = users.filter((_, at) => !this.#isFresh(kept[at]))
    const read = new Map<string, Authority>()
    if (missing.length > 0) {
      const rights = await database.transaction({ workspace: workspace.id, partner: '*' }, (tx) =>
        memberRights(tx, workspace.id, missing, now, clock.today(workspace.zone)),
      )
      for (const [at, user] of missing.entries()) read.set(user, this.compose(workspace, subjectOf(rights[at]!, user)))
    }
    return users.map((user, at) => read.get(user) ?? this.#current(workspace, kept[at]!))
  }

  /** A switch in a workspace changes nobody's roles there; a plugin that was installed or went may have. */
  #heard(switched: string | undefined): void {
    if (switched === undefined) this.drop()
    else this.#switches.set(switched, this.#switchesIn(switched) + 1)
  }

  #switchesIn(workspace: string): number {
    return this.#switches.get(workspace) ?? 0
  }

  /** What is kept, compiled anew where plugins were switched since: a line of a role may speak of what came or went. */
  #current(workspace: Workspace, kept: Kept): Authority {
    const switches = this.#switchesIn(workspace.id)
    if (kept.switches !== switches) {
      kept.authority = this.compose(workspace, subjectOf(kept.rights, kept.me))
      kept.switches = switches
    }
    return kept.authority
  }

  #isFresh(kept: Kept | undefined): kept is Kept {
    const now = this.#options.clock.now().getTime()
    // A clock that went back, as tests do, makes the rights of a later day no less stale.
    return kept !== undefined && performance.now() < kept.freshUntil && now < kept.rightsUntil && now >= kept.loadedAt
  }

  /** Forgets what is kept of one workspace, or of all. */
  drop(workspace?: string): void {
    if (workspace === undefined) this.#kept.clear()
    for (const key of this.#kept.keys()) if (key.startsWith(`${workspace} `)) this.#kept.delete(key)
  }

  /** An authority for rights that stand in no table: what a role being edited would allow, or a test's actor. */
  compose(workspace: Workspace, subject: Subject): Authority {
    return compileAuthority(subject, this.#conditions(workspace))
  }

  /** The lines of roles an authority was compiled from; see `rulesOf`. */
  rules(workspace: Workspace, subject: Subject, of: Parameters<typeof rulesOf>[2]): Rules {
    return rulesOf(subject, this.#conditions(workspace), of)
  }

  /** What a member's rights come from, read anew and kept nowhere: for whoever explains them. */
  async sources(workspace: Workspace, user: string): Promise<RightsSources> {
    const [sources] = await this.sourcesOf(workspace, [user])
    return sources!
  }

  /** What the rights of a key come from: its role. */
  async sourcesOfKey(workspace: Workspace, role: string): Promise<RightsSources> {
    const { database, clock } = this.#options
    return database.transaction({ workspace: workspace.id, partner: '*' }, async (tx) => {
      const rights = await keyRights(tx, workspace.id, role)
      const roles = await namedRoles(tx, workspace.id, [], clock.now())
      return { subject: subjectOf(rights, undefined), roles: roles.map((it) => ({ ...it, ended: null })) }
    })
  }

  /** The same of several members, in their order; when an assignment ended is told of each. */
  async sourcesOf(workspace: Workspace, users: readonly string[]): Promise<RightsSources[]> {
    const { database, clock } = this.#options
    const now = clock.now()
    return database.transaction({ workspace: workspace.id, partner: '*' }, async (tx) => {
      const rights = await memberRights(tx, workspace.id, users, now, clock.today(workspace.zone))
      const roles = await namedRoles(tx, workspace.id, users, now)
      return users.map((user, at) => ({
        subject: subjectOf(rights[at]!, user),
        roles: roles.map((role) => ({ ...role, ended: role.ended?.[user] ?? null })),
      }))
    })
  }

  #conditions(workspace: Workspace): Conditions {
    const { clock, log, catalog } = this.#options
    return {
      catalog: catalog(workspace.id),
      environment: (userId) => ({
        now: clock.now(),
        zone: workspace.zone,
        ...(userId === undefined ? {} : { userId }),
      }),
      broken: (grant, reason) => {
        log.warn(
          { workspace: workspace.id, grant, reason: reason instanceof Error ? reason.message : reason },
          'the condition of a grant no longer fits',
        )
      },
    }
  }

  close(): void {
    this.#stop?.()
  }

  async #load(workspace: Workspace, holder: RightsHolder): Promise<Kept> {
    const { database, clock } = this.#options
    const now = clock.now()
    const today = clock.today(workspace.zone)
    const read = async (sqlTx: Sql) =>
      'user' in holder
        ? (await memberRights(sqlTx, workspace.id, [holder.user], now, today))[0]!
        : keyRights(sqlTx, workspace.id, holder.role)
    const rights = await database.transaction({ workspace: workspace.id, partner: '*' }, read)
    const roles = rolesSchema.parse(rights.roles)
    const me = 'user' in holder ? holder.user : undefined
    const ends = roles.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)]))
    return {
      rights,
      me,
      authority: this.compose(workspace, subjectOf(rights, me)),
      switches: this.#switchesIn(workspace.id),
      freshUntil: performance.now() + keptFor,
      // Memberships change with the date: an hour is finer than any zone's midnight needs.
      rightsUntil: Math.min(now.getTime() + 3_600_000 - (now.getTime() % 3_600_000), ...ends),
      loadedAt: now.getTime(),
    }
  }
}

function subjectOf(rights: Rights, me: string | undefined): Subject {
  const roles = rolesSchema.parse(rights.roles)
  return {
    ...(me === undefined ? {} : { me }),
    teams: rights.teams,
    ...(rights.homeTeam === null ? {} : { homeTeam: rights.homeTeam }),
    ...(rights.shared.length > 0 ? { shares: { teams: rights.teamsAbove, resources: new Set(rights.shared) } } : {}),
    // Who is no member stands for nobody, and not for the house.
    ...(rights.isOfHouse ? {} : { partners: [...new Set([rights.partner ?? [], rights.partners].flat())] }),
    roles: [...roles, ...(me === undefined ? [] : [colleagues])],
    roleIds: roles.map(({ id }) => id),
  }
}

interface Rights {
  readonly roles: unknown
  readonly teams: readonly string[]
  readonly teamsAbove: readonly string[]
  /** Resources of which something is shared with the holder. */
  readonly shared: readonly string[]
  readonly homeTeam: string | null
  readonly isOfHouse: boolean
  readonly partner: string | null
  readonly partners: readonly string[]
}

/** Of each, in their order. */
async function memberRights(
  tx: Sql,
  workspace: string,
  users: readonly string[],
  now: Date,
  today: string,
): Promise<readonly Rights[]> {
  const { rows } = await sql<Rights>`
    select r.* from unnest(${[...users]}::uuid[]) with ordinality as who (id, nth) cross join lateral (
    with recursive team_below as (
      select t.id from core.team t
      join core.team_member m on m.team = t.id and m.workspace = t.workspace
      where t.workspace = ${workspace}::uuid and t.deleted_at is null and m.user_id = who.id and m.deleted_at is null
        and m.from_date <= ${today}::date and (m.to_date is null or m.to_date > ${today}::date)
      union
      select t.id from core.team t join team_below above on t.parent_id = above.id
      where t.workspace = ${workspace}::uuid and t.deleted_at is null
    ),
    team_above as (
      select t.id, t.parent_id from core.team t
      join core.team_member m on m.team = t.id and m.workspace = t.workspace
      where t.workspace = ${workspace}::uuid and t.deleted_at is null and m.user_id = who.id and m.deleted_at is null
        and m.from_date <= ${today}::date and (m.to_date is null or m.to_date > ${today}::date)
      union
      select t.id, t.parent_id from core.team t join team_above below on t.id = below.parent_id
      where t.workspace = ${workspace}::uuid and t.deleted_at is null
    )
    select
      (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'grants', r.grants, 'fields', r.fields, 'until', a.until)), '[]')
        from core.role_assignment a join core.role r on r.id = a.role_id and r.workspace = a.workspace
        where a.workspace = ${workspace}::uuid and a.user_id = who.id and a.deleted_at is null and r.deleted_at is null
          and (a.until is null or a.until > ${now.toISOString()}::timestamptz)) as roles,
      (select coalesce(jsonb_agg(id), '[]') from team_below) as teams,
      (select coalesce(jsonb_agg(id), '[]') from team_above) as "teamsAbove",
      (select coalesce(jsonb_agg(distinct s.resource), '[]')
        from core.shares_with(who.id, array(select id from team_above), '{}', ${now.toISOString()}::timestamptz, null) s) as shared,
      (select tm.team from core.team_member tm
        where tm.workspace = m.workspace and tm.user_id = m.id and tm.deleted_at is null
          and tm.from_date <= ${today}::date and (tm.to_date is null or tm.to_date > ${today}::date)
        order by tm.team = m.team desc, tm.from_date desc, tm.id limit 1) as "homeTeam",
      m.id is not null and m.partner is null as "isOfHouse", m.partner, coalesce(m.partners, '[]') as partners
    from (select) one left join core.member m on m.workspace = ${workspace}::uuid and m.id = who.id) r
    order by who.nth`.execute(tx)
  return rows
}

async function keyRights(tx: Sql, workspace: string, role: string): Promise<Rights> {
  const { rows } = await sql<Rights>`
    select coalesce(jsonb_agg(jsonb_build_object('id', id, 'grants', grants, 'fields', fields, 'until', null)), '[]') as roles,
      '[]'::jsonb as teams, '[]'::jsonb as "teamsAbove", '[]'::jsonb as shared, null as "homeTeam", true as "isOfHouse", null as partner, '[]'::jsonb as partners
    from core.role where workspace = ${workspace}::uuid and id = ${role}::uuid and deleted_at is null`.execute(tx)
  return rows[0]!
}

/** Every role of a workspace, with when the last assignment of each of some members to it ended. */
async function namedRoles(tx: Sql, workspace: string, users: readonly string[], now: Date) {
  const { rows } = await sql<{
    id: string
    name: string
    template: string | null
    grants: unknown
    fields: unknown
    ended: Record<string, string> | null
  }>`
    select r.id, r.name, r.template, r.grants, r.fields,
      (select jsonb_object_agg(e.user_id, e.until) from (
        select a.user_id, max(a.until) as until from core.role_assignment a where a.workspace = r.workspace and a.role_id = r.id
          and a.user_id = any(${[...users]}::uuid[]) and a.deleted_at is null and a.until <= ${now.toISOString()}::timestamptz
        group by a.user_id) e) as ended
    from core.role r where r.workspace = ${workspace}::uuid and r.deleted_at is null
    order by r.name collate "und-x-icu", r.id limit 500`.execute(tx)
  return rows.map(({ grants, fields, ...role }) => ({ ...role, ...rightsSchema.parse({ grants, fields }) }))
}
