import { sql } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { integrityOf, type ArchiveManifest } from './archive.ts'
import { pluginIntegrityFailed } from './errors.ts'

/** An archive somebody consented to, as every process finds it in the database. */
export interface StoredPlugin {
  readonly id: string
  readonly version: string
  readonly integrity: string
  readonly signer: string | null
  readonly manifest: ArchiveManifest
  /** Runs past the ranges it declares, because an administrator said so. */
  readonly forced: boolean
}

/** Keeps an archive under what it holds; the same one twice is one. */
export async function keepArtefact(owner: Sql, bytes: Uint8Array, at: Date): Promise<string> {
  const integrity = integrityOf(bytes)
  await sql`
    insert into core.plugin_artefact (integrity, bytes, at) values (${integrity}, ${Buffer.from(bytes)}, ${at.toISOString()}::timestamptz)
    on conflict (integrity) do update set at = excluded.at`.execute(owner)
  return integrity
}

/**
 * @returns nothing where no such archive is kept
 * @throws `PLUGIN_INTEGRITY_FAILED` (422) when it is not what was kept
 */
export async function artefactOf(owner: Sql, integrity: string): Promise<Buffer | undefined> {
  const { rows } = await sql<{ bytes: Uint8Array }>`
    select bytes from core.plugin_artefact where integrity = ${integrity}`.execute(owner)
  const bytes = rows[0] && Buffer.from(rows[0].bytes)
  if (bytes && integrityOf(bytes) !== integrity)
    throw pluginIntegrityFailed({ plugin: integrity, what: 'The archive in the database' })
  return bytes
}

/** Drops what was uploaded and not installed. */
export async function dropUnused(owner: Sql, before: Date, only?: string): Promise<void> {
  await sql`
    delete from core.plugin_artefact a
    where a.at < ${before.toISOString()}::timestamptz ${only === undefined ? sql`` : sql`and a.integrity = ${only}`}
      and not exists (select from core.plugin_version v where v.integrity = a.integrity)`.execute(owner)
}

/** Forgets versions of plugins that went with their tables, but those that an archive of their data needs to come back. */
export async function dropReplaced(owner: Sql, before: Date): Promise<void> {
  await sql`
    delete from core.plugin_version v
    where v.replaced_at < ${before.toISOString()}::timestamptz and not exists (select from core.plugin p where p.id = v.plugin)
      and not exists (select from core.plugin_archive a where a.plugin = v.plugin and a.version = v.version)`.execute(
    owner,
  )
}

/** Versions that are installed, and those replaced so lately that tabs still ask for them. */
export async function neededVersions(
  owner: Sql,
  before: Date,
): Promise<readonly Pick<StoredPlugin, 'id' | 'version' | 'integrity'>[]> {
  const { rows } = await sql<Pick<StoredPlugin, 'id' | 'version' | 'integrity'>>`
    select plugin as id, version, integrity from core.plugin_version
    where replaced_at is null or replaced_at > ${before.toISOString()}::timestamptz
    union select id, version, integrity from core.plugin where source = 'store' and integrity is not null`.execute(
    owner,
  )
  return rows
}

/** Plugins that were removed, and are not to be loaded. An installation that was never migrated has none. */
export async function removedPlugins(owner: Sql): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('core.plugin') is not null as there`.execute(owner)
  if (!rows[0]?.there) return new Set()
  const removed = await sql<{ id: string }>`
    select id from core.plugin where state in ('removing', 'removed')`.execute(owner)
  return new Set(removed.rows.map(({ id }) => id))
}

/** The archives this installation runs. An installation that was never migrated has none. */
export async function storedPlugins(owner: Sql): Promise<readonly StoredPlugin[]> {
  const { rows } = await sql<{ there: boolean }>`
    select exists (select from pg_attribute
      where attrelid = to_regclass('core.plugin') and attname = 'forced' and not attisdropped) as there`.execute(owner)
  if (!rows[0]?.there) return []
  const stored = await sql<StoredPlugin>`
    select id, version, integrity, signer, manifest, forced from core.plugin
    where source = 'store' and state in ('installed', 'upgrading', 'quarantined') order by id`.execute(owner)
  return stored.rows
}
