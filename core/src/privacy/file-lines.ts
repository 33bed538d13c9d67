import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import { onDisk, readPieces } from '../files/pieces.ts'
import { recordsOf } from '../records/import/readers.ts'
import { sniff } from '../records/import/sniff.ts'

/** A file of an import or an export that still lies here. */
export interface LyingFile {
  readonly file: string
  readonly isExport: boolean
  readonly name: string
}

/** The file that comes after another in the order of their ids. What was collected for a person's request is theirs and goes with it. */
export async function nextFile(ctx: Context, after: string | undefined): Promise<LyingFile | undefined> {
  const { rows } = await sql<LyingFile>`
    select p.file, e.id is not null as "isExport", coalesce(i.file_name, e.name, '') as name
    from core.file_piece p
    left join core.export e on e.workspace = p.workspace and e.id = p.file
    left join core.import i on i.workspace = p.workspace and i.id = p.file
    where p.workspace = ${ctx.workspace.id}::uuid and p.nth = 0 and (${after ?? null}::uuid is null or p.file > ${after ?? null}::uuid)
      and not exists (select from core.privacy_request q where q.workspace = p.workspace and q.id = p.file)
    order by p.file limit 1`.execute(ctx.sql)
  return rows[0]
}

/** All of them, one after the other. */
export async function* lyingFiles(ctx: Context): AsyncGenerator<LyingFile> {
  for (let next = await nextFile(ctx, undefined); next; next = await nextFile(ctx, next.file)) yield next
}

export interface NamingLine {
  readonly line: number
  readonly cells: readonly string[]
}

/** Lines that are asked about in one statement. */
const batch = 500

/**
 * Lines of a file in which somebody is named, read as an import reads it: unpacked, and in its own encoding. A file that is none
 * of the formats has none; its bytes are searched besides.
 */
export async function linesNaming(ctx: Context, file: string, pattern: string): Promise<readonly NamingLine[]> {
  const found: NamingLine[] = []
  if (pattern === '') return found
  await using local = await onDisk(readPieces(ctx.sql, ctx.workspace.id, file))
  let held: NamingLine[] = []
  const ask = async () => {
    found.push(...(await naming(ctx, held, pattern)))
    held = []
  }
  try {
    const shape = await sniff(local.path)
    for await (const { line, cells } of recordsOf({ path: local.path, ...shape })) {
      held.push({ line, cells })
      if (held.length >= batch) await ask()
    }
  } catch (error) {
    if (!(error instanceof SocleError)) throw error
  }
  await ask()
  return found
}

async function naming(ctx: Context, lines: readonly NamingLine[], pattern: string): Promise<readonly NamingLine[]> {
  if (lines.length === 0) return []
  // Beside each other in their cells, first and last name are the name.
  const texts = lines.map(({ cells }) => cells.join(' ').replaceAll('\u0000', ''))
  const { rows } = await sql<{ nth: number }>`
    select t.nth::integer as nth from unnest(${texts}::text[]) with ordinality t (words, nth)
    where core.names_somebody(t.words, ${pattern}) order by t.nth`.execute(ctx.sql)
  return rows.flatMap(({ nth }) => lines[nth - 1] ?? [])
}
