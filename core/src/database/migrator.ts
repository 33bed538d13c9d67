import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { defineError } from '../errors.ts'
import type { Sql } from './database.ts'
import { appRole } from './session.ts'

export const migrationFailed = defineError<{ plugin: string; migration: string; reason: string }>(
  'MIGRATION_FAILED',
  422,
  ({ plugin, migration, reason }) =>
    `Migration ${migration} of ${plugin} failed and was undone: ${reason}. The version before it keeps serving; mend the migration and install again.`,
)

/** The PostgreSQL schema of a plugin: its id with hyphens as underscores. */
export function schemaOf(plugin: string): string {
  return plugin.replaceAll('-', '_')
}

/**
 * Brings one schema to its newest version.
 *
 * Migrations are SQL files, `NNNN_name.sql`, applied in order in one transaction and kept in `<schema>.migration`.
 * A text file cannot import live code, so what ran once runs the same for ever. Their `search_path` is the plugin's own
 * schema, so that an unqualified table cannot land elsewhere.
 *
 * @returns names applied by this call, oldest first
 * @throws `MIGRATION_FAILED` (422) with nothing changed
 */
export async function migrate(owner: Sql, plugin: string, folder: URL | string): Promise<string[]> {
  const schema = schemaOf(plugin)
  const path = folder instanceof URL ? fileURLToPath(folder) : folder
  const files = (await readdir(path)).filter((file) => file.endsWith('.sql')).toSorted()
  const migrations: Record<string, Migration> = {}
  for (const file of files) {
    const text = await readFile(join(path, file), 'utf8')
    migrations[file.slice(0, -'.sql'.length)] = {
      async up(db) {
        await sql.raw(`set local search_path = "${schema}"; set local lock_timeout = '5s'`).execute(db)
        await sql.raw(text).execute(db)
        await sql.raw('set local search_path = public').execute(db)
      },
    }
  }
  await sql
    .raw(`create schema if not exists "${schema}"; grant usage on schema "${schema}" to ${appRole}`)
    .execute(owner)
  const { error, results } = await new Migrator({
    db: owner,
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  }).migrateToLatest()
  if (error) {
    const failed = results?.find(({ status }) => status === 'Error')?.migrationName ?? 'unknown'
    throw migrationFailed({ plugin, migration: failed, reason: error instanceof Error ? error.message : String(error) })
  }
  return (results ?? []).map(({ migrationName }) => migrationName)
}
