import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { sql } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { schemaOf } from '../../database/migrator.ts'
import { addPiece } from '../../files/pieces.ts'
import { readArchiveFile, type ArchiveHead, type ArchiveRest, type Checksums } from './archive-file.ts'
import { viewing } from './as-owner.ts'
import { archiveOversteps, archiveUnreadable } from './errors.ts'
import { isGrantOf } from './grants.ts'
import { archivedPlaces } from './places.ts'

/** An archive that somebody sent: read to its end, and within its bounds. */
export interface SentArchive {
  readonly path: string
  readonly head: ArchiveHead
  readonly rest: ArchiveRest
  readonly checksums: Checksums
  readonly sha256: string
  readonly size: number
  /** Whose rows it holds. */
  readonly workspaces: ReadonlySet<string>
}

/**
 * Reads what somebody sent and says to be an archive. Its sums prove that it is whole, and nothing of who wrote it: so it may
 * name no table but the plugin's and those in which the core keeps something for plugins, no workspace but those it is of, and
 * no rights but to the plugin.
 *
 * @throws `ARCHIVE_FORMAT_UNKNOWN`, `ARCHIVE_UNREADABLE`, `ARCHIVE_OVERSTEPS` (422)
 */
export async function readSent(path: string): Promise<SentArchive> {
  let head: ArchiveHead | undefined
  let rest: ArchiveRest | undefined
  const workspaces = new Set<string>()
  const overstepping = (place: string) => archiveOversteps({ plugin: head?.plugin ?? '', place })
  const sums = await readArchiveFile(createReadStream(path), {
    begin: (it) => (head = it),
    end: (it) => (rest = it),
    table({ name, own, columns }) {
      const { plugin = '', workspace = null } = head ?? {}
      const isKnown = own
        ? name.startsWith(`${schemaOf(plugin)}.`)
        : archivedPlaces(workspace !== null).some(({ table }) => table === name)
      if (!isKnown || (workspace !== null && !columns.includes('workspace'))) throw overstepping(name)
    },
    async rows({ name, columns }, lines) {
      const at = columns.indexOf('workspace')
      for (const line of lines) {
        const values: unknown = JSON.parse(line)
        if (!isRow(values, columns.length)) throw archiveUnreadable({ place: name })
        const workspace = at < 0 ? undefined : values[at]
        if (workspace === undefined) continue
        if (workspace === null || (head?.workspace ?? workspace) !== workspace) throw overstepping(name)
        workspaces.add(workspace)
      }
    },
  })
  if (!head || !rest) throw new Error('An archive was read to its end without a beginning.')
  const { plugin, workspace } = head
  if (workspace !== null && rest.sequences.length > 0) throw overstepping('sequences')
  const isForeign = rest.grants.some((line) => workspace !== null || !isGrantOf(line, plugin))
  if (isForeign) throw overstepping('core.role')
  const { size } = await stat(path)
  return { path, head, rest, ...sums, size, workspaces }
}

function isRow(values: unknown, columns: number): values is readonly (string | null)[] {
  return (
    Array.isArray(values) &&
    values.length === columns &&
    values.every((value) => value === null || typeof value === 'string')
  )
}

/** Keeps an archive and its file, in the transaction that tells of it. */
export async function keepSent(
  tx: Sql,
  { path, head, checksums, sha256, size }: SentArchive,
  {
    id,
    workspace,
    by,
    at,
  }: { readonly id: string; readonly workspace: string; readonly by: string | undefined; readonly at: Date },
): Promise<void> {
  await viewing(tx, workspace)
  let nth = 0
  for await (const bytes of createReadStream(path, { highWaterMark: 262_144 })) {
    await addPiece(tx, { workspace, file: id, nth, bytes: bytes as Buffer, at: at.toISOString() })
    nth += 1
  }
  const { plugin, version, about } = head
  const rows = Object.values(checksums).reduce((all, it) => all + it.rows, 0)
  await sql`
    insert into core.plugin_archive (id, workspace, whole, plugin, version, about, checksums, sha256, rows, size, by_user, at, verified_at)
    values (${id}::uuid, ${workspace}::uuid, ${head.workspace === null}, ${plugin}, ${version}, ${JSON.stringify(about)}::jsonb,
      ${JSON.stringify(checksums)}::jsonb, ${sha256}, ${rows}, ${size}, ${by ?? null}::uuid, ${head.at}::timestamptz,
      ${at.toISOString()}::timestamptz)`.execute(tx)
}
