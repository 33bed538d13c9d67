import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { recordNotFound } from '../records/errors.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { membershipBackwards, membershipOverlaps } from './errors.ts'
import { teamMembers, teams, users } from './resources.ts'
import { demandUsers } from './user-service.ts'

export interface MembershipJson {
  readonly id: string
  readonly version: number
  readonly user: string
  readonly name: string
  /** First day, `YYYY-MM-DD`. */
  readonly from: string
  /** First day on which it no longer holds; null while nobody knows one. */
  readonly to: string | null
}

export interface MembershipDates {
  readonly from?: string
  readonly to?: string | null
}

/** Who was, is and will be in a team, by days: what has ended is kept, what begins later counts from its day on. */
export class MembershipService {
  readonly #ctx: Context
  readonly #records: Records

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
  }

  /** Of all times, the present first. */
  async list(team: string): Promise<MembershipJson[]> {
    await this.#records.get(teams, team)
    const today = this.#ctx.clock.today()
    const { rows } = await sql<MembershipJson>`
      select tm.id, tm.version, tm.user_id as user, m.name, tm.from_date as "from", tm.to_date as "to"
      from core.team_member tm join core.member m on m.workspace = tm.workspace and m.id = tm.user_id
      where tm.workspace = ${this.#ctx.workspace.id}::uuid and tm.team = ${team}::uuid and tm.deleted_at is null
      order by coalesce(tm.to_date <= ${today}::date, false), m.name collate "und-x-icu", tm.from_date, tm.id limit 2000`.execute(
      this.#ctx.sql,
    )
    return rows
  }

  /** @throws `MEMBERSHIP_OVERLAPS` (409), `MEMBERSHIP_BACKWARDS` (422) */
  async add(team: string, { user, from, to = null }: MembershipDates & { user: string }): Promise<MembershipJson> {
    await demandUsers(this.#ctx, [user])
    const dates = { from: from ?? this.#ctx.clock.today(), to }
    await this.#demandFree({ team, user, ...dates })
    const made = await this.#records.create(teamMembers, {
      user,
      team,
      fromDate: dates.from,
      toDate: dates.to,
      owner: null,
    })
    await settleHome(this.#ctx, user)
    return this.#one(team, made.id)
  }

  /** @throws `MEMBERSHIP_OVERLAPS` (409), `MEMBERSHIP_BACKWARDS` (422), `RECORD_NOT_FOUND` (404) */
  async change(team: string, id: string, { from, to }: MembershipDates): Promise<MembershipJson> {
    const before = await this.#record(team, id)
    const user = String(before['user'])
    const dates = {
      from: from ?? String(before['fromDate']),
      to: to === undefined ? (before['toDate'] as string | null) : to,
    }
    await this.#demandFree({ team, user, except: id, ...dates })
    await this.#records.update(teamMembers, before, { fromDate: dates.from, toDate: dates.to })
    await settleHome(this.#ctx, user)
    return this.#one(team, id)
  }

  /** Takes back a membership that never should have been; one that ends gets its last day instead. */
  async remove(team: string, id: string): Promise<void> {
    const before = await this.#record(team, id)
    await this.#records.remove(teamMembers, before)
    await settleHome(this.#ctx, String(before['user']))
  }

  async #record(team: string, id: string): Promise<RecordJson> {
    const { data } = await this.#records.get(teamMembers, id)
    if (data['team'] !== team || data['deletedAt'] !== null)
      throw recordNotFound({ resource: 'membership of this team', id })
    return data
  }

  async #one(team: string, id: string): Promise<MembershipJson> {
    return (await this.list(team)).find((it) => it.id === id)!
  }

  async #demandFree({
    team,
    user,
    from,
    to,
    except = null,
  }: Required<MembershipDates> & { team: string; user: string; except?: string | null }) {
    if (to !== null && to <= from) throw membershipBackwards({ from, to })
    const { rows } = await sql<{ name: string; from: string; to: string | null }>`
      select m.name, tm.from_date as "from", tm.to_date as "to"
      from core.team_member tm join core.member m on m.workspace = tm.workspace and m.id = tm.user_id
      where tm.workspace = ${this.#ctx.workspace.id}::uuid and tm.team = ${team}::uuid and tm.user_id = ${user}::uuid
        and tm.deleted_at is null and tm.id is distinct from ${except}::uuid
        and daterange(tm.from_date, tm.to_date, '[)') && daterange(${from}::date, ${to}::date, '[)') limit 1`.execute(
      this.#ctx.sql,
    )
    const [there] = rows
    if (there) throw membershipOverlaps({ name: there.name, from: there.from, to: there.to ?? '…' })
  }
}

/** Where new records of a person belong: the home team while they are in it, else the team they came to last. */
const presentTeams = (ctx: Context) => sql`
  select m.id, m.team as home,
    (select tm.team from core.team_member tm
      where tm.workspace = m.workspace and tm.user_id = m.id and tm.deleted_at is null
        and tm.from_date <= ${ctx.clock.today()}::date and (tm.to_date is null or tm.to_date > ${ctx.clock.today()}::date)
      order by tm.team = m.team desc, tm.from_date desc, tm.id limit 1) as present
  from core.member m where m.workspace = ${ctx.workspace.id}::uuid and m.deleted_at is null`

async function settle(ctx: Context, which: ReturnType<typeof sql>): Promise<void> {
  const { records } = ctx.asSystem()
  const { rows } = await sql<{ id: string; present: string | null }>`
    select id, present from (${presentTeams(ctx)}) p where home is distinct from present and ${which}`.execute(ctx.sql)
  for (const { id, present } of rows) {
    const { data } = await records.get(users, id)
    await records.update(users, data, { team: present })
  }
}

/** After a membership changed: the home team is one the person is in. */
export async function settleHome(ctx: Context, user: string): Promise<void> {
  await settle(ctx, sql`id = ${user}::uuid`)
}

/** Every night: memberships that began or ended with the day. Rights follow the date by themselves; this is for what is shown. */
export const settleHomes = {
  id: 'team-memberships',
  schedule: '5 0 * * *',
  run: (ctx: Context) => settle(ctx, sql`true`),
}
