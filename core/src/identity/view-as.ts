import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Authority, RoleRights } from '../permissions/authority.ts'
import type { ViewingEnd } from './entities/viewing.ts'
import { memberNotActive } from './errors.ts'
import { users, viewings } from './resources.ts'

/** Minutes after which it ends by itself. */
const viewingMinutes = 60

/** Writes down that somebody begins to look as another. Both lines of it stand in the ledger: this one, and its end. */
export async function beginViewing(
  ctx: Context,
  { user, reason }: { user: string; reason: string },
): Promise<{ id: string; name: string; until: string }> {
  const { records } = ctx.asSystem()
  const { data } = await records.get(users, user)
  const name = String(data['name'])
  if (data['state'] !== 'active' || data['deletedAt'] !== null) throw memberNotActive({ name })
  const until = new Date(ctx.clock.now().getTime() + viewingMinutes * 60_000).toISOString()
  const made = await records.create(
    viewings,
    { user, reason, until, owner: ctx.actor.id ?? null, team: null },
    { internal: true },
  )
  return { id: made.id, name, until }
}

export async function endViewing(ctx: Context, id: string, endedBy: ViewingEnd): Promise<void> {
  const { records } = ctx.asSystem()
  const { data } = await records.get(viewings, id)
  if (data['endedAt'] !== null) return
  await records.update(viewings, data, { endedAt: ctx.clock.now().toISOString(), endedBy }, { internal: true })
}

/** Of a session that ended while it looked as somebody, nobody asks again: its hour is written down when it is over. */
export const closeViewings = {
  id: 'viewings',
  schedule: '*/10 * * * *',
  async run(ctx: Context): Promise<void> {
    const { rows } = await sql<{ id: string }>`
      select id from core.viewing
      where workspace = ${ctx.workspace.id}::uuid and ended_at is null and until <= ${ctx.clock.now().toISOString()}::timestamptz
      order by until limit 500`.execute(ctx.sql)
    for (const { id } of rows) await endViewing(ctx, id, 'time')
  },
}

/**
 * Whether one may look as another: only who holds all that the other's roles allow. What those allow for the other's own
 * records or their team's must be held for all: the viewer owns none of them.
 */
export function mayViewAs(viewer: Authority, roles: readonly RoleRights[]): boolean {
  return roles.every(({ grants, fields }) =>
    viewer.holds({ grants: grants.map((grant) => (grant.deny ? grant : { ...grant, visibility: 'all' })), fields }),
  )
}
