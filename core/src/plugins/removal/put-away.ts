import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Database, Sql } from '../../database/database.ts'
import { schemaOf } from '../../database/migrator.ts'
import { addPiece, Pieces, removePieces } from '../../files/pieces.ts'
import {
  readArchiveFile,
  writeArchive,
  type About,
  type ArchivedTable,
  type ArchiveHead,
  type ArchiveRest,
  type Checksums,
} from './archive-file.ts'
import { everyWorkspace, viewing } from './as-owner.ts'
import { grantsOf, type SideField } from './grants.ts'
import { linesOf, plainText, type Source } from './lines.ts'
import { archivedPlaces } from './places.ts'
import { describe, tablesOf, type DataTable } from './tables.ts'

const pieceSize = 262_144
// Work that was begun before the plugin went off is interrupted after its time to drain.
const lockTimeout = '30s'

export interface PutAway {
  /** Of the archive that is made; a second call with it finds it made. */
  readonly id: string
  /** In whose care the file lies. */
  readonly workspace: string
  readonly plugin: string
  readonly version: string
  readonly about: About
  /** All workspaces' data, or that of the one it lies with. */
  readonly whole: boolean
  readonly sides: readonly SideField[]
  readonly by: string | undefined
  /** Hears after each some thousand rows; throws to stop it, with nothing kept. */
  readonly onRows?: (rows: number) => Promise<void>
}

/**
 * Puts a plugin's data away into one file, and reads the file back before it says that it is there.
 *
 * All rows are those of one instant: they are read in one transaction that sees no other's changes, and in which the file is
 * written. A process that is killed meanwhile leaves nothing, and the next begins anew.
 *
 * @throws `ARCHIVE_UNREADABLE` when what was written cannot be read back, with nothing kept
 */
export async function putAway(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  request: PutAway,
): Promise<void> {
  const { owner } = database
  const { id, workspace } = request
  const { rows } = await sql<{ verified: boolean }>`
    select verified_at is not null as verified from core.plugin_archive where id = ${id}::uuid`.execute(owner)
  if (rows[0]?.verified) return
  const workspaces = request.whole ? await everyWorkspace(owner) : [workspace]
  const grants = request.whole ? await grantsOf(owner, request.plugin, request.sides, workspaces) : []
  const tables = await tablesOf(owner, request.plugin)
  if (!rows[0])
    await owner.transaction().execute((tx) => write(tx, { ...request, tables, workspaces, grants, at: clock.now() }))
  const kept = await sql<{ checksums: Checksums; sha256: string }>`
    select checksums, sha256 from core.plugin_archive where id = ${id}::uuid`.execute(owner)
  const [said] = kept.rows
  try {
    const found = await readArchiveFile(new Pieces({ database, clock }).read(workspace, id))
    if (found.sha256 !== said?.sha256) throw new Error('An archive has another sum than its row.')
  } catch (error) {
    await dropArchive(owner, workspace, id)
    throw error
  }
  await sql`
    update core.plugin_archive set verified_at = ${clock.now().toISOString()}::timestamptz where id = ${id}::uuid`.execute(
    owner,
  )
}

interface Writing extends PutAway {
  readonly at: Date
  readonly tables: readonly DataTable[]
  readonly workspaces: readonly string[]
  readonly grants: ArchiveRest['grants']
}

async function write(tx: Sql, request: Writing): Promise<void> {
  const { id, workspace, plugin, version, about, whole, tables, workspaces, grants, by, at, onRows } = request
  await seeOneInstant(tx, whole ? tables : [])
  const places = await sourcesOf(tx, plugin, whole)
  const sources: readonly (Source & { own: boolean })[] = [
    ...tables.filter(({ ofWorkspace }) => ofWorkspace || whole).map((table) => ({ table, own: true })),
    ...places.map((source) => ({ ...source, own: false })),
  ]
  const head: ArchiveHead = {
    format: 'socle-plugin-data@1',
    plugin,
    version,
    about,
    workspace: whole ? null : workspace,
    at: at.toISOString(),
    migrations: await migrationsOf(tx, plugin),
  }
  let read = 0
  const archived = sources.map<ArchivedTable>((source) => ({
    name: source.table.name,
    columns: source.table.columns.map(({ name }) => name),
    own: source.own,
    lines: (async function* () {
      for await (const lines of linesOf(tx, source, workspaces)) {
        read += lines.length
        await onRows?.(read)
        yield lines
      }
    })(),
  }))
  let sums: { checksums: Checksums; sha256: string } | undefined
  const file = writeArchive(head, {
    tables: archived,
    last: { grants, sequences: whole ? await sequencesOf(tx, plugin) : [] },
    done: (checksums, sha256) => (sums = { checksums, sha256 }),
  })
  const pieces: Buffer[] = []
  let nth = 0
  let size = 0
  let held = 0
  const put = async () => {
    // The reader turns the transaction to the workspace it reads; the file is the one's who keeps it.
    await viewing(tx, workspace)
    await addPiece(tx, { workspace, file: id, nth, bytes: Buffer.concat(pieces.splice(0)), at: at.toISOString() })
    nth += 1
    held = 0
  }
  for await (const bytes of file) {
    pieces.push(bytes)
    size += bytes.byteLength
    held += bytes.byteLength
    if (held >= pieceSize) await put()
  }
  if (held > 0) await put()
  if (!sums) throw new Error('An archive ended before its sums.')
  const rows = Object.values(sums.checksums).reduce((all, it) => all + it.rows, 0)
  await sql`
    insert into core.plugin_archive (id, workspace, whole, plugin, version, about, checksums, sha256, rows, size, by_user, at)
    values (${id}::uuid, ${workspace}::uuid, ${whole}, ${plugin}, ${version}, ${JSON.stringify(about)}::jsonb,
      ${JSON.stringify(sums.checksums)}::jsonb, ${sums.sha256}, ${rows}, ${size}, ${by ?? null}::uuid, ${at.toISOString()}::timestamptz)`.execute(
    tx,
  )
}

/**
 * Makes the transaction see one instant. Where all of it goes, whoever still writes is waited for; of one workspace's data
 * others' work must notice nothing, and there the plugin is off already.
 */
async function seeOneInstant(tx: Sql, locked: readonly DataTable[]): Promise<void> {
  // The instant is that of the first look, so the locks come before it.
  await sql
    .raw(`set transaction isolation level repeatable read; set local lock_timeout = '${lockTimeout}'`)
    .execute(tx)
  if (locked.length > 0)
    await sql`lock table ${sql.join(locked.map(({ name }) => sql.table(name)))} in share mode`.execute(tx)
  await plainText(tx)
}

async function sourcesOf(tx: Sql, plugin: string, whole: boolean): Promise<readonly Source[]> {
  const wanted = archivedPlaces(!whole)
  const tables = new Map(
    (
      await describe(
        tx,
        wanted.map(({ table }) => table),
      )
    ).map((table) => [table.name, table]),
  )
  return wanted.flatMap(({ table, of }) => {
    const found = tables.get(table)
    return found ? [{ table: found, where: of(plugin) }] : []
  })
}

/** Migrations that have made a plugin's tables, oldest first. */
export async function migrationsOf(tx: Sql, plugin: string): Promise<string[]> {
  const schema = schemaOf(plugin)
  const { rows: there } = await sql`select where to_regclass(${`${schema}.migration`}) is not null`.execute(tx)
  if (there.length === 0) return []
  const { rows } = await sql<{
    name: string
  }>`select name from ${sql.table(`${schema}.migration`)} order by name`.execute(tx)
  return rows.map(({ name }) => name)
}

async function sequencesOf(tx: Sql, plugin: string): Promise<ArchiveRest['sequences']> {
  const schema = schemaOf(plugin)
  const { rows } = await sql<{ name: string }>`
    select sequencename as name from pg_sequences where schemaname = ${schema} order by sequencename`.execute(tx)
  const found: ArchiveRest['sequences'] = []
  for (const { name } of rows) {
    const at = await sql<{ last: string; called: boolean }>`
      select last_value::text as last, is_called as called from ${sql.table(`${schema}.${name}`)}`.execute(tx)
    for (const { last, called } of at.rows) found.push({ name, last, called })
  }
  return found
}

/** Takes an archive away with its file. */
export async function dropArchive(owner: Sql, workspace: string, id: string): Promise<void> {
  await owner.transaction().execute(async (tx) => {
    await viewing(tx, workspace)
    await removePieces(tx, workspace, id)
    await sql`delete from core.plugin_archive where workspace = ${workspace}::uuid and id = ${id}::uuid`.execute(tx)
  })
}
