import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { administratorNeeded } from './errors.ts'

/** Template of the role that has every right. */
export const administratorTemplate = 'core.administrator'

export async function isAdministratorRole(ctx: Context, role: unknown): Promise<boolean> {
  const { rows } = await sql`
    select 1 from core.role where workspace = ${ctx.workspace.id}::uuid and id = ${role}::uuid and template = ${administratorTemplate}`.execute(
    ctx.sql,
  )
  return rows.length > 0
}

/**
 * Refuses what would leave a workspace without an active administrator for good.
 *
 * The role's row is locked first: two administrators who take the role from each other in the same second would
 * otherwise both succeed.
 *
 * @param leaving - the user, or the one assignment, that no longer counts
 * @throws `ADMINISTRATOR_NEEDED` (409)
 */
export async function demandAnotherAdministrator(
  ctx: Context,
  leaving: { user: string } | { assignment: string; user: string },
): Promise<void> {
  const workspace = ctx.workspace.id
  await sql`
    select 1 from core.role where workspace = ${workspace}::uuid and template = ${administratorTemplate} for update`.execute(
    ctx.sql,
  )
  const others =
    'assignment' in leaving ? sql`a.id <> ${leaving.assignment}::uuid` : sql`a.user_id <> ${leaving.user}::uuid`
  const { rows } = await sql<{ others: number; name: string; held: boolean }>`
    with held as (
      select a.id, a.user_id from core.role_assignment a
      join core.role r on r.workspace = a.workspace and r.id = a.role_id and r.template = ${administratorTemplate} and r.deleted_at is null
      join core.member m on m.workspace = a.workspace and m.id = a.user_id and m.state = 'active' and m.deleted_at is null
      where a.workspace = ${workspace}::uuid and a.deleted_at is null and a.until is null
    )
    select (select count(*) from held a where ${others}) as others,
      exists (select from held a where not ${others}) as held,
      (select name from core.member where workspace = ${workspace}::uuid and id = ${leaving.user}::uuid) as name`.execute(
    ctx.sql,
  )
  const [found] = rows
  if (found?.held && found.others === 0) throw administratorNeeded({ name: found.name })
}
