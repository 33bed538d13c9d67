import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { teams } from './resources.ts'
import { demandUsers, UserService } from './user-service.ts'

export interface TeamChange {
  readonly name?: string
  readonly parent?: string | null
  /** User id of who leads it. */
  readonly lead?: string | null
  /** User ids; who is not among them leaves today. */
  readonly members?: readonly string[]
  /** Who was in it when these were chosen: whom somebody else put in or took out since stays so. */
  readonly membersSeen?: readonly string[]
}

/** Teams as a tree, and who is in them. */
export class TeamService {
  readonly #ctx: Context
  readonly #records: Records
  readonly #users: UserService

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
    this.#users = new UserService(ctx)
  }

  async create({ name, parent = null, lead = null, members = [] }: TeamChange & { name: string }): Promise<RecordJson> {
    const team = await this.#records.create(teams, { name, parent, owner: lead, team: null })
    await this.setMembers(team.id, members)
    return team
  }

  /** @throws `VERSION_CONFLICT` (409) when somebody else changed the same since `version` */
  async change(
    id: string,
    { members, membersSeen, lead, ...fields }: TeamChange,
    version?: number,
  ): Promise<RecordJson> {
    const before = await this.get(id)
    const target = { id, version: version ?? before.version }
    const values = { ...fields, ...(lead === undefined ? {} : { owner: lead }) }
    if (Object.keys(values).length > 0) await this.#records.update(teams, target, values)
    if (members) await this.setMembers(id, members, membersSeen)
    return this.get(id)
  }

  /** @throws `TEAM_IN_USE` (409) while it has members or teams below it */
  async remove(id: string): Promise<void> {
    await this.#records.remove(teams, await this.get(id))
  }

  async setMembers(id: string, members: readonly string[], seen?: readonly string[]): Promise<void> {
    await demandUsers(this.#ctx, members)
    const current = (await this.membersOf([id])).get(id) ?? []
    for (const user of members) {
      if (current.includes(user) || seen?.includes(user)) continue
      await this.#users.setTeams(user, [...(await this.#users.teamsOf(user)), id])
    }
    for (const user of seen ?? current) {
      if (members.includes(user) || !current.includes(user)) continue
      const teamsOfUser = await this.#users.teamsOf(user)
      await this.#users.setTeams(
        user,
        teamsOfUser.filter((team) => team !== id),
      )
    }
  }

  /** User ids in each team today. */
  async membersOf(ids: readonly string[]): Promise<Map<string, readonly string[]>> {
    const today = this.#ctx.clock.today()
    const { rows } = await sql<{ team: string; members: string[] }>`
      select tm.team, jsonb_agg(tm.user_id order by m.name collate "und-x-icu", m.id) as members
      from core.team_member tm join core.member m on m.workspace = tm.workspace and m.id = tm.user_id
      where tm.workspace = ${this.#ctx.workspace.id}::uuid and tm.team = any(${ids}::uuid[]) and tm.deleted_at is null
        and tm.from_date <= ${today}::date and (tm.to_date is null or tm.to_date > ${today}::date)
      group by tm.team`.execute(this.#ctx.sql)
    return new Map(rows.map(({ team, members }) => [team, members]))
  }

  async get(id: string): Promise<RecordJson> {
    return (await this.#records.get(teams, id)).data
  }
}
