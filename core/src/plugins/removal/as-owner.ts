import { sql } from 'kysely'
import type { Sql } from '../../database/database.ts'

/**
 * One transaction of the tables' owner with one workspace in view: where the owner is no superuser, forced row level security
 * binds it too, and shows it the rows of no other.
 */
export async function asOwnerIn<T>(owner: Sql, workspace: string, work: (tx: Sql) => Promise<T>): Promise<T> {
  return owner.transaction().execute(async (tx) => {
    await viewing(tx, workspace)
    return work(tx)
  })
}

/** Turns the owner's transaction to another workspace. */
export async function viewing(tx: Sql, workspace: string): Promise<void> {
  await sql`select set_config('app.workspace', ${workspace}, true), set_config('app.partner', '*', true)`.execute(tx)
}

/** Every workspace of the installation, in an order that stays. */
export async function everyWorkspace(owner: Sql): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`select id from core.workspace order by id`.execute(owner)
  return rows.map(({ id }) => id)
}
