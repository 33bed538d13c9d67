import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { defineError, SocleError } from '../errors.ts'
import type { Sql } from './database.ts'
import { forbiddenBeginning, outsideOf, touched } from './migration-fence.ts'
import { demandFrozen, keepPrints } from './migration-print.ts'
import { migrationOpensWall, openingIn } from './migration-wall.ts'
import { appRole } from './session.ts'

export const migrationFailed = defineError<{ plugin: string; migration: string; reason: string }>(
  'MIGRATION_FAILED',
  422,
  ({ plugin, migration, reason }) =>
    `Migration ${migration} of ${plugin} failed and was undone: ${reason}. The version before it keeps serving; mend the migration and install again.`,
)

export const migrationOutOfSchema = defineError<{ plugin: string; migration: string; schema: string; what: string }>(
  'MIGRATION_OUT_OF_SCHEMA',
  422,
  ({ plugin, migration, schema, what }) =>
    `Migration ${migration} of ${plugin} touches ${what}, which is outside its schema ${schema}, and was undone. Let it keep to its own tables; what belongs to others is changed through their services.`,
)

/** The PostgreSQL schema of a plugin: its id with hyphens as underscores. */
export function schemaOf(plugin: string): string {
  return plugin.replaceAll('-', '_')
}

const patience = [200, 500, 1_000, 2_000]

/**
 * Brings one schema to its newest version, in one transaction that waits two seconds for a lock and comes again.
 *
 * @param isWanted - asked when nobody else can migrate the schema or take it away any more; it always is when absent
 * @returns names applied by this call, oldest first; nothing where it is not wanted
 * @throws `MIGRATION_FAILED`, `MIGRATION_OUT_OF_SCHEMA`, `MIGRATION_OPENS_WALL`, `MIGRATION_ALTERED` (422) with nothing changed
 */
export async function migrate(
  owner: Sql,
  plugin: string,
  folder: URL | string,
  isWanted: (tx: Sql) => Promise<boolean> = async () => true,
): Promise<string[] | undefined> {
  return withPatience(() =>
    owner.transaction().execute(async (tx) => {
      await holdSchema(tx, plugin)
      return (await isWanted(tx)) ? migrateIn(tx, plugin, folder) : undefined
    }),
  )
}

/** Makes whoever else would migrate a plugin's schema, or take it away, wait for the end of this transaction. */
export async function holdSchema(tx: Sql, plugin: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`migrate ${schemaOf(plugin)}`}, 0))`.execute(tx)
}

/** Does it again, after longer and longer pauses, while a lock is what it fails for. */
export async function withPatience<T>(work: () => Promise<T>): Promise<T> {
  for (const milliseconds of patience) {
    try {
      return await work()
    } catch (error) {
      if (!waitedForLock(error)) throw error
      await pause(milliseconds)
    }
  }
  return work()
}

/** PostgreSQL, appendix A: a lock that was not to be had, and a deadlock. */
const heldUp = new Set(['55P03', '40P01'])

function waitedForLock(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return heldUp.has(String((cause as { code?: unknown } | null)?.code))
}

/**
 * Lets a transaction that changes tables give way to whoever still works with them, and come again: it waits two seconds for a
 * lock, and where the two wait for each other it is the one that is undone, for it looks for that long before they do. Only a
 * superuser may look earlier; another gives up before anybody looks.
 */
export async function givingWay(tx: Sql): Promise<void> {
  const isSuper = sql`current_setting('is_superuser') = 'on'`
  await sql`select set_config('lock_timeout', case when ${isSuper} then '2s' else '900ms' end, true)`.execute(tx)
  await sql`select set_config('deadlock_timeout', '50ms', true) where ${isSuper}`.execute(tx)
}

/**
 * The same in a transaction of the caller's, with which it stands and falls.
 *
 * Migrations are SQL files, `NNNN_name.sql`, applied in order and kept in `<schema>.migration`. A text file cannot import
 * live code, and what ran is held to its print, so what ran once runs the same for ever. Their `search_path` is the plugin's
 * own schema, so that an unqualified table cannot land elsewhere, and a plugin's are held to it: what they change of others
 * undoes them, and so does what leads past the walls of workspaces and partners.
 */
export async function migrateIn(tx: Sql, plugin: string, folder: URL | string): Promise<string[]> {
  const schema = schemaOf(plugin)
  // Processes that start together: one migrates, the others find it done.
  await holdSchema(tx, plugin)
  await givingWay(tx)
  await sql.raw(`create schema if not exists "${schema}"; grant usage on schema "${schema}" to ${appRole}`).execute(tx)
  const texts = await textsIn(folder)
  const wantsPrints = await demandFrozen(tx, { plugin, schema, texts })
  const faults: unknown[] = []
  const migrations = migrationsOf(plugin, texts, (fault) => faults.push(fault))
  const migrator = new Migrator({
    db: tx,
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error, results } = await migrator.migrateToLatest()
  // Whatever came after a migration's own fault only says that the transaction has failed.
  const fault = faults[0] ?? error
  if (fault) throw fault
  const applied = (results ?? []).map(({ migrationName }) => migrationName)
  if (wantsPrints || applied.length > 0) await keepPrints(tx, schema, texts)
  if (applied.length > 0 && plugin !== 'core') {
    // Once they all ran: a later one may mend what an earlier one, which is frozen, left open.
    const opening = await openingIn(tx, schema)
    if (opening) throw migrationOpensWall({ plugin, ...opening })
  }
  return applied
}

function failed(plugin: string, migration: string, cause: unknown): SocleError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return Object.assign(migrationFailed({ plugin, migration, reason }), { cause })
}

async function textsIn(folder: URL | string): Promise<ReadonlyMap<string, string>> {
  const path = folder instanceof URL ? fileURLToPath(folder) : folder
  const files = (await readdir(path)).filter((file) => file.endsWith('.sql')).toSorted()
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.slice(0, -'.sql'.length), await readFile(join(path, file), 'utf8')] as const),
    ),
  )
}

function migrationsOf(
  plugin: string,
  texts: ReadonlyMap<string, string>,
  tell: (fault: unknown) => void,
): Record<string, Migration> {
  return Object.fromEntries(
    [...texts].map(([name, text]) => {
      const up = async (db: Sql) => {
        try {
          await (plugin === 'core' ? run(db, 'core', text) : runFenced(db, plugin, name, text))
        } catch (error) {
          tell(error instanceof SocleError ? error : failed(plugin, name, error))
          throw error
        }
      }
      return [name, { up }]
    }),
  )
}

async function run(db: Sql, schema: string, text: string): Promise<void> {
  await sql.raw(`set local search_path = "${schema}"`).execute(db)
  await sql.raw(text).execute(db)
  await sql.raw('set local search_path = public').execute(db)
}

async function runFenced(db: Sql, plugin: string, migration: string, text: string): Promise<void> {
  const schema = schemaOf(plugin)
  const forbidden = forbiddenBeginning(text)
  if (forbidden !== undefined) {
    const reason = `"${forbidden}" would end or leave the transaction it runs in`
    throw migrationFailed({ plugin, migration, reason })
  }
  const before = await outsideOf(db, schema)
  await run(db, schema, text)
  const what = touched(before, await outsideOf(db, schema))
  if (what !== undefined) throw migrationOutOfSchema({ plugin, migration, schema, what })
}
