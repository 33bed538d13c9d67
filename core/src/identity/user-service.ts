import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Locale } from '../actor.ts'
import type { Context } from '../context.ts'
import { referenceUnknown, refuseValue } from '../entities/errors.ts'
import { found } from '../entities/values.ts'
import { roleName } from '../permissions/role-names.ts'
import { recordNotFound, validationFailed } from '../records/errors.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { ApiKeyService } from './api-key-service.ts'
import type { MemberState } from './entities/member.ts'
import {
  alreadyMember,
  endIsPast,
  invitationAccepted,
  invitationOpen,
  lastWayIn,
  linkGone,
  passwordIsTheirs,
  secondFactorIsTheirs,
} from './errors.ts'
import { UserDeactivated, UserInvited } from './events.ts'
import { demandMayGive, demandMayTouch } from './guards.ts'
import type { LinkChoice } from './identity.ts'
import { demandPassword, hashPassword, oneTimePassword } from './passwords.ts'
import { roleAssignments, teamMembers, users } from './resources.ts'
import { endLink, linkHash, makeLink, type LinkPurpose, type MadeLink } from './sign-in-links.ts'

/** A role for a person, for good or until an ISO instant. */
export interface WantedRole {
  readonly role: string
  /** Instant, or null for good; absent, a role that is held stays until when it is. */
  readonly until?: string | null
}

export interface NewUser {
  readonly name: string
  readonly email: string
  readonly password?: string
  readonly locale?: Locale
  readonly roles?: readonly WantedRole[]
  /** Team ids; the first is the home team. */
  readonly teams?: readonly string[]
  /** Account they stand for as a partner's person; absent, they are of the house. */
  readonly partner?: string | null
}

export interface UserChange {
  readonly name?: string
  readonly locale?: Locale
  readonly manager?: string | null
  readonly roles?: readonly WantedRole[]
  /** The roles they had when these were chosen: what somebody else gave or took since stays so. */
  readonly rolesSeen?: readonly string[]
  readonly teams?: readonly string[]
  /** The home team alone. */
  readonly team?: string | null
  readonly active?: boolean
  /** Account they stand for from now on, or null for one of the house; the same again changes nothing. */
  readonly partner?: string | null
}

/** Who is to come in, and as what. */
export interface Invitation {
  readonly email: string
  /** How they are called until they say so themselves; what stands before the @ when absent. */
  readonly name?: string
  readonly locale?: Locale
  readonly roles?: readonly WantedRole[]
  readonly teams?: readonly string[]
  /** As of somebody let in. */
  readonly partner?: string | null
}

export interface Invited extends MadeLink {
  readonly user: RecordJson
}

/** What the users screen shows of a person beside the record. */
export interface UserRights {
  readonly roles: readonly string[]
  /** Instants at which roles end, by role id; those held for good are not in it. */
  readonly roleEnds: Readonly<Record<string, string>>
  /** Whether they sign in with an authenticator app, and how many passkeys they have. */
  readonly app: boolean
  readonly passkeys: number
  /** Until when their invitation can be accepted; null where there is none. */
  readonly invitedUntil: string | null
}

/** A browser somebody is signed in with. */
export interface SessionJson {
  readonly id: string
  readonly userAgent: string | null
  readonly address: string | null
  readonly createdAt: string
  readonly seenAt: string
  readonly expiresAt: string
  readonly strong: boolean
  /** Name of the identity provider it was opened through; null for a way in of their own. */
  readonly through: string | null
}

/** An account at an identity provider that is somebody here. */
export interface ExternalIdentityJson {
  readonly id: string
  /** What the provider is called. */
  readonly provider: string
  /** What the provider calls the account for good. */
  readonly subject: string
  readonly createdAt: string
  readonly lastUsedAt: string
}

interface Assignment {
  readonly id: string
  readonly version: number
  readonly role: string
  readonly until: string | null
}

interface TeamPlace {
  readonly id: string
  readonly version: number
  readonly team: string
  readonly from: string
  readonly to: string | null
}

/**
 * People of a workspace and what they may do. Whoever calls it has the permission to; the records are written as the
 * system with the actor's name, through the one write path, so that each change stands in the ledger.
 */
export class UserService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  /**
   * Lets somebody in: by the link, or by the password if it is the first this person has. Nothing here tells whether they
   * sign in to another company already: who does keeps their own password, and whoever made that sign-in must not come in
   * here unless it is the person who accepts.
   *
   * @returns `password` only when one was made up here; it is nowhere else, as the link is
   * @throws `ALREADY_MEMBER` (409), `PASSWORD_TOO_SHORT`, `REFERENCE_UNKNOWN` (422) for a partner that is no account here
   */
  async create({
    name,
    email,
    password,
    locale = this.#ctx.workspace.locale,
    roles = [],
    teams = [],
    partner = null,
  }: NewUser): Promise<Invited & { password?: string }> {
    const chosen = password ?? oneTimePassword()
    demandPassword(chosen)
    const side = await this.#sideOf(partner)
    const id = await this.#openLogin({ email, name, hash: await hashPassword(chosen) })
    await this.#admit({ id, name, email, locale, state: 'invited', ...side })
    await this.setRoles(id, roles)
    await this.setTeams(id, teams)
    return { ...(await this.#invited(id)), ...(password === undefined ? { password: chosen } : {}) }
  }

  /** @throws `VERSION_CONFLICT` (409) when somebody else changed the same since `version` */
  async change(
    id: string,
    { roles, rolesSeen, teams, team, active, partner, ...fields }: UserChange,
    version?: number,
  ): Promise<RecordJson> {
    const before = await this.get(id)
    if (Object.keys(fields).length > 0)
      await this.#records.update(users, { id, version: version ?? before.version }, fields)
    const moves = partner !== undefined && partner !== before['partner']
    // A right of the house's own people goes before they are a partner's, and comes after they are of the house.
    if (moves && partner === null) await this.#moveTo(partner, before, version)
    if (roles) await this.setRoles(id, rolesSeen ? await this.#besides(id, roles, rolesSeen) : roles)
    if (teams) await this.setTeams(id, teams)
    else if (team !== undefined) await this.moveHome(id, team)
    if (moves && partner !== null) await this.#moveTo(partner, before, version)
    if (active === false) await this.deactivate(id)
    if (active === true) await this.activate(id)
    return this.get(id)
  }

  /** Ends a person's sessions and the keys that come from them, in the same transaction as the change of state. */
  async deactivate(id: string): Promise<void> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    if (user['state'] === 'inactive') return
    await this.#records.update(users, user, { state: 'inactive' })
    await endLink(this.#ctx, id)
    await sql`select core.login_end_sessions(${id}::uuid)`.execute(this.#ctx.sql)
    await new ApiKeyService(this.#ctx).revokeAllOf(id)
    this.#ctx.emit(UserDeactivated, { user: id }, { key: id })
  }

  /**
   * Lets somebody in again; who was deactivated before they came in is invited again.
   *
   * @throws `INVITATION_OPEN` (409) for somebody who has not come in yet
   */
  async activate(id: string): Promise<void> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    if (user['state'] === 'invited') throw invitationOpen({ name: String(user['name']) })
    if (user['state'] === 'active') return
    const { rows } = await sql<{ accepted: boolean }>`
      select accepted_at is not null as accepted from core.member
      where workspace = ${this.#ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(this.#ctx.sql)
    await this.#records.update(users, user, { state: rows[0]?.accepted ? 'active' : 'invited' })
  }

  /**
   * Invites somebody: they are here, with their roles and team, and come in by a link that is passed on to them.
   *
   * @returns the link: this is the only time it can be read
   * @throws `ALREADY_MEMBER` (409), `REFERENCE_UNKNOWN` (422) for a partner that is no account here
   */
  async invite({
    email,
    name,
    roles = [],
    teams = [],
    locale = this.#ctx.workspace.locale,
    partner = null,
  }: Invitation): Promise<Invited> {
    const known = name ?? email.slice(0, email.indexOf('@'))
    const side = await this.#sideOf(partner)
    const id = await this.#openLogin({ email, name: known, hash: null })
    await this.#admit({ id, name: known, email, locale, state: 'invited', ...side })
    await this.setRoles(id, roles)
    await this.setTeams(id, teams)
    return this.#invited(id)
  }

  /**
   * Lets somebody in whom an identity provider vouched for: they sign in through it.
   *
   * @returns the user id
   * @throws `ALREADY_MEMBER` (409)
   */
  async join({ email, name, roles = [], teams = [] }: Invitation & { name: string }): Promise<string> {
    const id = await this.#openLogin({ email, name, hash: null })
    await this.#admit({ id, name, email, locale: this.#ctx.workspace.locale, state: 'active' })
    await this.setRoles(id, roles)
    await this.setTeams(id, teams)
    return id
  }

  /** Somebody came in for the first time with the password they were given. Called as that person. */
  async acceptByPassword(id: string): Promise<void> {
    const { rows } = await sql<{ taken: boolean }>`select core.login_take_password(${id}::uuid) as taken`.execute(
      this.#ctx.sql,
    )
    if (rows[0]?.taken) await this.accept(id)
  }

  /** Somebody invited came in by another way than their link, which ends. */
  async accept(id: string): Promise<void> {
    await endLink(this.#ctx, id)
    await this.#records.update(users, await this.get(id), { state: 'active' })
  }

  /** The ledger keeps through what somebody signed in for the first time. */
  async noteVoucher(id: string, provider: string): Promise<void> {
    const vouched = { vouchedAt: this.#now(), vouchedBy: provider }
    await this.#records.update(users, await this.get(id), vouched, { internal: true })
  }

  /** Makes a new link for somebody who has not come in yet; the old one ends. @throws `INVITATION_ACCEPTED` (409) */
  async renewInvitation(id: string): Promise<Invited> {
    await this.#demandInvited(id)
    await demandMayTouch(this.#ctx, id)
    return this.#invited(id)
  }

  /** Takes an invitation back, as if it had not been. @throws `INVITATION_ACCEPTED` (409) */
  async withdrawInvitation(id: string): Promise<void> {
    await this.#demandInvited(id)
    await endLink(this.#ctx, id)
    await this.setRoles(id, [])
    await this.setTeams(id, [])
    await this.#records.remove(users, await this.get(id))
  }

  /**
   * Somebody came in by their link. Called as that person, in one transaction with what they chose.
   *
   * @throws `LINK_GONE` (410), `PASSWORD_IS_THEIRS` (409) when it would change the password of who works elsewhere too
   */
  async useLink(id: string, { token, name, hash }: LinkChoice): Promise<void> {
    const { rows } = await sql<{ purpose: LinkPurpose | null }>`
      select core.login_use_link(${id}::uuid, decode(${linkHash(token)}, 'hex'), ${hash}, ${this.#now()}::timestamptz) as purpose`.execute(
      this.#ctx.sql,
    )
    const purpose = rows[0]?.purpose
    const user = await this.get(id)
    if (!purpose && (await this.#worksElsewhere(id))) throw passwordIsTheirs({ name: String(user['name']) })
    if (!purpose || user['state'] === 'inactive') throw linkGone({})
    if (purpose === 'password')
      await this.#records.update(users, user, { passwordSetAt: this.#now() }, { internal: true })
    else await this.#records.update(users, user, { state: 'active', name })
  }

  /**
   * A link by which somebody who forgot their password chooses a new one. The old one holds until then. Who works in another
   * company too is told by the link that it is not theirs to use; whoever asks for it is told nothing of other companies.
   *
   * @throws `INVITATION_OPEN` (409)
   */
  async passwordLink(id: string): Promise<MadeLink> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    if (user['state'] === 'invited') throw invitationOpen({ name: String(user['name']) })
    // The ledger keeps who opened this way.
    await this.#records.update(users, user, { passwordLinkAt: this.#now() }, { internal: true })
    return makeLink(this.#ctx, id, 'password')
  }

  /**
   * Takes away the app, recovery codes and passkeys of somebody who lost them, and ends their sessions.
   *
   * @throws `SECOND_FACTOR_IS_THEIRS` (409) for somebody who works in another workspace too
   */
  async resetSecondFactor(id: string): Promise<void> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    const { rows } = await sql<{ done: boolean }>`
      select core.login_reset_second_factor(${id}::uuid) as done`.execute(this.#ctx.sql)
    if (!rows[0]?.done) throw secondFactorIsTheirs({ name: String(user['name']) })
    await this.#records.update(users, user, { secondFactorResetAt: this.#now() }, { internal: true })
  }

  /** Where somebody is signed in to this workspace, the last seen first. */
  async sessionsOf(id: string): Promise<SessionJson[]> {
    await this.get(id)
    const { rows } = await sql<SessionJson>`
      select id, user_agent as "userAgent", address, created_at as "createdAt", seen_at as "seenAt",
        expires_at as "expiresAt", strong, through from core.login_sessions(${id}::uuid, ${this.#now()}::timestamptz)
      order by seen_at desc, id limit 200`.execute(this.#ctx.sql)
    return rows
  }

  /** Ends one session of somebody, or all of them. */
  async endSessions(id: string, session: string | null = null): Promise<void> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    const { rows } = await sql<{ ended: number }>`
      select core.login_end_session(${id}::uuid, ${session}::uuid, ${this.#now()}::timestamptz) as ended`.execute(
      this.#ctx.sql,
    )
    if (session !== null && rows[0]?.ended === 0) throw recordNotFound({ resource: 'session', id: session })
    if (rows[0]?.ended === 0) return
    // The ledger keeps who did it, and every process lets go of the sessions.
    await this.#records.update(users, user, { sessionsEndedAt: this.#now() }, { internal: true })
  }

  /** Accounts at identity providers by which somebody comes in here, the last used first. */
  async externalIdentitiesOf(id: string): Promise<ExternalIdentityJson[]> {
    await this.get(id)
    const { rows } = await sql<ExternalIdentityJson>`
      select e.id, p.name as provider, e.subject, e.created_at as "createdAt", e.last_used_at as "lastUsedAt"
      from core.external_identity e join core.identity_provider p on p.workspace = e.workspace and p.id = e.provider
      where e.workspace = ${this.#ctx.workspace.id}::uuid and e.user_id = ${id}::uuid
      order by e.last_used_at desc, e.id limit 200`.execute(this.#ctx.sql)
    return rows
  }

  /** Unlinks one's own account. @throws `LAST_WAY_IN` (409) for somebody who has no other way in */
  async unlinkOwn(id: string, link: string): Promise<void> {
    const { rows } = await sql<{ last: boolean }>`
      select core.link_is_last_way(${id}::uuid, ${link}::uuid) as last`.execute(this.#ctx.sql)
    if (rows[0]?.last) throw lastWayIn({})
    await this.unlink(id, link)
  }

  /** Unlinks an account at a provider from somebody, and ends their sessions through that provider. */
  async unlink(id: string, link: string): Promise<void> {
    const user = await this.get(id)
    await demandMayTouch(this.#ctx, id)
    const { rows } = await sql<{ provider: string | null }>`
      select core.login_unlink(${id}::uuid, ${link}::uuid) as provider`.execute(this.#ctx.sql)
    const provider = rows[0]?.provider ?? null
    if (provider === null) throw recordNotFound({ resource: 'external identity', id: link })
    // The ledger keeps who did it, and every process lets go of the sessions.
    const unlinked = { unlinkedAt: this.#now(), unlinkedFrom: provider }
    await this.#records.update(users, user, unlinked, { internal: true })
  }

  /**
   * Gives the roles listed and takes the others; new ones first, so that the last administrator may swap.
   *
   * @throws `END_IS_PAST` (422)
   */
  async setRoles(id: string, wanted: readonly WantedRole[]): Promise<void> {
    const held = await this.#assignments(id)
    for (const { role, until: end } of wanted) {
      const had = held.find((it) => it.role === role)
      const until = end === undefined && had && this.#isHeld(had) ? had.until : (end ?? null)
      if (had && sameInstant(had.until, until)) continue
      await demandMayGive(this.#ctx, role)
      if (until !== null && !this.#isHeld({ until })) throw endIsPast({ until })
      if (had) await this.#records.update(roleAssignments, had, { until })
      else await this.#records.create(roleAssignments, { user: id, role, until, owner: null, team: null })
    }
    // What is over binds nobody: it stays as what was, and taking it away is no right to have.
    for (const had of held.filter((it) => this.#isHeld(it))) {
      if (wanted.some(({ role }) => role === had.role)) continue
      await demandMayGive(this.#ctx, had.role)
      await this.#records.remove(roleAssignments, had)
    }
  }

  /** What was chosen on seeing some roles, with what somebody else gave and took since. */
  async #besides(id: string, wanted: readonly WantedRole[], seen: readonly string[]): Promise<readonly WantedRole[]> {
    const held = (await this.#assignments(id)).filter((it) => this.#isHeld(it)).map(({ role }) => role)
    const given = held.filter((role) => !seen.includes(role) && !wanted.some((it) => it.role === role))
    const left = wanted.filter(({ role }) => held.includes(role) || !seen.includes(role))
    return [...left, ...given.map((role) => ({ role }))]
  }

  #isHeld({ until }: Pick<Assignment, 'until'>): boolean {
    return until === null || Date.parse(until) > this.#ctx.clock.now().getTime()
  }

  /** Puts a person into the teams listed, from today, and ends the other memberships. The first is the home team. */
  async setTeams(id: string, wanted: readonly string[]): Promise<void> {
    const today = this.#ctx.clock.today()
    const places = await this.#places(id, today)
    const current = places.filter(({ to }) => to === null || to > today)
    for (const place of current) {
      if (wanted.includes(place.team)) continue
      // A membership of no whole day never was.
      if (place.from >= today) await this.#records.remove(teamMembers, place)
      else await this.#records.update(teamMembers, place, { toDate: today })
    }
    for (const team of new Set(wanted)) {
      if (current.some((place) => place.team === team)) continue
      const endedToday = places.find((place) => place.team === team && place.to === today)
      if (endedToday) await this.#records.update(teamMembers, endedToday, { toDate: null })
      else await this.#records.create(teamMembers, { user: id, team, fromDate: today, owner: null })
    }
    const user = await this.get(id)
    const home = wanted[0] ?? null
    if (user['team'] !== home) await this.#records.update(users, user, { team: home })
  }

  /** Moves a person from their home team to another, from today; the other teams they are in stay. */
  async moveHome(id: string, team: string | null): Promise<void> {
    const { team: home } = await this.get(id)
    const others = (await this.teamsOf(id)).filter((it) => it !== home && it !== team)
    await this.setTeams(id, [...(team === null ? [] : [team]), ...others])
  }

  /** Team ids a person is in today, the home team first. */
  async teamsOf(id: string): Promise<string[]> {
    const today = this.#ctx.clock.today()
    const places = await this.#places(id, today)
    const home = (await this.get(id))['team']
    const teams = places.filter(({ to }) => to === null || to > today).map(({ team }) => team)
    return teams.toSorted((a, b) => Number(b === home) - Number(a === home))
  }

  /** What the users screen shows beside each record. */
  async rightsOf(ids: readonly string[]): Promise<Map<string, UserRights>> {
    const { rows } = await sql<UserRights & { id: string }>`
      select m.id, s.app, s.passkeys,
        (select l.expires_at from core.sign_in_link l
          where l.workspace = m.workspace and l.user_id = m.id and l.purpose = 'invitation') as "invitedUntil",
        held.roles, held."roleEnds"
      from core.member m join core.login_strength(${ids}::uuid[]) s on s.id = m.id
      cross join lateral (
        select coalesce(jsonb_agg(a.role_id order by a.created_at), '[]') as roles,
          coalesce(jsonb_object_agg(a.role_id, a.until) filter (where a.until is not null), '{}') as "roleEnds"
        from core.role_assignment a
        where a.workspace = m.workspace and a.user_id = m.id and a.deleted_at is null
          and (a.until is null or a.until > ${this.#now()}::timestamptz)) held
      where m.workspace = ${this.#ctx.workspace.id}::uuid and m.id = any(${ids}::uuid[])`.execute(this.#ctx.sql)
    return new Map(rows.map(({ id, ...rights }) => [id, rights]))
  }

  /** A person's roles and teams, as an administrator reads them. */
  async accessOf(id: string) {
    await this.get(id)
    const workspace = this.#ctx.workspace.id
    const { rows: held } = await sql<{ id: string; name: string; template: string | null; until: string | null }>`
      select r.id, r.name, r.template, a.until from core.role_assignment a join core.role r on r.workspace = a.workspace and r.id = a.role_id
      where a.workspace = ${workspace}::uuid and a.user_id = ${id}::uuid and a.deleted_at is null and r.deleted_at is null
        and (a.until is null or a.until > ${this.#now()}::timestamptz)
      order by r.name collate "und-x-icu"`.execute(this.#ctx.sql)
    const { rows: teams } = await sql<{ id: string; name: string; from: string; to: string | null; home: boolean }>`
      select t.id, t.name, tm.from_date as "from", tm.to_date as "to", t.id = m.team as home
      from core.team_member tm join core.team t on t.workspace = tm.workspace and t.id = tm.team
      join core.member m on m.workspace = tm.workspace and m.id = tm.user_id
      where tm.workspace = ${workspace}::uuid and tm.user_id = ${id}::uuid and tm.deleted_at is null
        and (tm.to_date is null or tm.to_date > ${this.#ctx.clock.today()}::date)
      order by t.name collate "und-x-icu"`.execute(this.#ctx.sql)
    const roles = held.map(({ id: role, template, name, until }) => ({
      id: role,
      name: roleName(this.#ctx, { name, template }),
      until,
    }))
    return { roles, teams: teams.map((team) => ({ ...team, home: team.home === true })) }
  }

  /** @throws `RECORD_NOT_FOUND` (404) */
  async get(id: string): Promise<RecordJson> {
    return (await this.#records.get(users, id)).data
  }

  #now(): string {
    return this.#ctx.clock.now().toISOString()
  }

  async #worksElsewhere(id: string): Promise<boolean> {
    const { rows } = await sql<{ theirs: boolean }>`select core.works_elsewhere(${id}::uuid) as theirs`.execute(
      this.#ctx.sql,
    )
    return rows[0]?.theirs === true
  }

  /** The sign-in of an address: the person's own, in however many companies, or a new one. Answers whose it is. */
  async #openLogin({ email, name, hash }: { email: string; name: string; hash: string | null }): Promise<string> {
    // Drawn by lot, unlike every other id: one that holds the time it was made would tell who was here before.
    const { rows } = await sql<{ id: string }>`
      select id from core.login_open(${randomUUID()}::uuid, ${email}, ${name}, ${hash}, ${this.#now()}::timestamptz)`.execute(
      this.#ctx.sql,
    )
    return rows[0]!.id
  }

  /** Makes the member, or takes them out of the bin. @throws `ALREADY_MEMBER` (409) */
  async #admit({
    id,
    email,
    ...fields
  }: {
    id: string
    name: string
    email: string
    locale: Locale
    state: MemberState
    partner?: string | null
    partners?: readonly string[]
  }) {
    const { rows } = await sql<{ id: string; name: string; gone: boolean }>`
      select id, name, deleted_at is not null as gone from core.member
      where workspace = ${this.#ctx.workspace.id}::uuid and (lower(email) = lower(${email}) or id = ${id}::uuid)`.execute(
      this.#ctx.sql,
    )
    const [there] = rows
    if (there && !there.gone) throw alreadyMember({ email, name: there.name })
    const values = { ...fields, email: email.toLowerCase(), owner: null, team: null }
    const internal = { internal: true }
    if (there) await this.#records.update(users, await this.#records.restore(users, there.id), values, internal)
    else await this.#records.create(users, { id, ...values }, internal)
  }

  /** On which side of the second wall somebody comes in: of an account whoever lets them in may see, or of the house. */
  async #sideOf(partner: string | null): Promise<{ partner: string | null; partners: readonly string[] }> {
    if (partner === null) return { partner, partners: [] }
    if (!(await found(this.#ctx, 'core.account', partner)))
      throw refuseValue('/partner', referenceUnknown, { resource: this.#ctx.t('core.account.one'), id: partner })
    return { partner: partner.toLowerCase(), partners: [partner.toLowerCase()] }
  }

  /** Moves somebody to another side of the second wall; what they have open follows with the change of their record. */
  async #moveTo(partner: string | null, before: RecordJson, version = before.version): Promise<void> {
    await demandMayTouch(this.#ctx, before.id)
    const side = await this.#sideOf(partner)
    await this.#records.update(users, { id: before.id, version }, side, { internal: true })
  }

  async #invited(id: string): Promise<Invited> {
    const made = await makeLink(this.#ctx, id, 'invitation')
    // Whoever sends it on is told that there is an invitation, never the secret in it.
    this.#ctx.emit(UserInvited, { user: id, expiresAt: made.expiresAt }, { key: id })
    return { user: await this.get(id), ...made }
  }

  async #demandInvited(id: string): Promise<void> {
    const user = await this.get(id)
    if (user['state'] !== 'invited') throw invitationAccepted({ name: String(user['name']) })
  }

  async #assignments(id: string): Promise<readonly Assignment[]> {
    const { rows } = await sql<Assignment>`
      select id, version, role_id as role, until from core.role_assignment
      where workspace = ${this.#ctx.workspace.id}::uuid and user_id = ${id}::uuid and deleted_at is null order by created_at, id`.execute(
      this.#ctx.sql,
    )
    return rows
  }

  /** Memberships that hold today, will hold, or ended today. */
  async #places(id: string, today: string): Promise<readonly TeamPlace[]> {
    const { rows } = await sql<TeamPlace>`
      select id, version, team, from_date as "from", to_date as "to" from core.team_member
      where workspace = ${this.#ctx.workspace.id}::uuid and user_id = ${id}::uuid and deleted_at is null
        and (to_date is null or to_date >= ${today}::date) order by from_date, id`.execute(this.#ctx.sql)
    return rows
  }
}

function sameInstant(left: string | null, right: string | null): boolean {
  if (left === null || right === null) return left === right
  return Date.parse(left) === Date.parse(right)
}

/** Refuses ids of users that are not here, naming the first. */
export async function demandUsers(ctx: Context, ids: readonly string[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from core.member where workspace = ${ctx.workspace.id}::uuid and id = any(${ids}::uuid[]) and deleted_at is null`.execute(
    ctx.sql,
  )
  const missing = ids.find((id) => !rows.some((row) => row.id === id.toLowerCase()))
  if (missing === undefined) return
  const { message: detail } = recordNotFound({ resource: 'user', id: missing })
  const values = { resource: ctx.t('core.user.one'), id: missing }
  const fault = { path: '/members', code: 'REFERENCE_UNKNOWN', detail, values }
  throw validationFailed({ count: 1, first: detail }, { errors: [fault] })
}
