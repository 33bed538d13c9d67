import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Sql } from '../database/database.ts'

/**
 * A secret of the installation: made at its first use and the same in every process from then on.
 *
 * It lives in the database, where only the tables' owner may read it, because N processes must agree on it.
 */
export async function installationSecret(owner: Sql, name: string): Promise<string> {
  const made = randomBytes(32).toString('base64url')
  await sql`insert into core.secret (name, value) values (${name}, ${made}) on conflict (name) do nothing`.execute(
    owner,
  )
  const { rows } = await sql<{ value: string }>`select value from core.secret where name = ${name}`.execute(owner)
  return rows[0]!.value
}
