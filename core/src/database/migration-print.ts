import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { defineError } from '../errors.ts'
import type { Sql } from './database.ts'

/** What became of a migration that ran: another text, no file any more; or of one that comes too late to run in order. */
type Alteration = 'text' | 'gone' | 'late'

const said: Readonly<Record<Alteration, (migration: string, plugin: string) => string>> = {
  text: (migration, plugin) =>
    `Migration ${migration} of ${plugin} ran here and says something else now. Take a version that has it as it ran; what is to change in its tables belongs into a new migration.`,
  gone: (migration, plugin) =>
    `Migration ${migration} of ${plugin} ran here and is not among its files any more. Take a version that still has it; what it made is taken back by a new migration.`,
  late: (migration, plugin) =>
    `Migration ${migration} of ${plugin} has not run here, and one that is numbered after it has. Give it a number after all that have run.`,
}

export const migrationAltered = defineError<{ plugin: string; migration: string; alteration: Alteration }>(
  'MIGRATION_ALTERED',
  422,
  ({ plugin, migration, alteration }) => said[alteration](migration, plugin),
)

/** Comments and white space between statements' words, or a text in which neither is one. PostgreSQL manual, section 4.1. */
const betweenWords =
  /(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)+|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*|)\$[\s\S]*?\$\1\$/g

/** The same for texts that say the same: a comment may be mended, and ends of lines are the checkout's. */
export function printOf(text: string): string {
  const words = text
    .replaceAll('\r\n', '\n')
    .replaceAll(betweenWords, (it) => (/^(?:\s|--|\/\*)/.test(it) ? ' ' : it))
    .trim()
  return createHash('sha256').update(words).digest('hex')
}

/**
 * Holds migrations against those that ran here: what ran once is frozen.
 *
 * @param texts - by name
 * @returns whether prints are wanting: of what ran before prints were kept nobody knows the text, and today's is taken for it
 * @throws `MIGRATION_ALTERED` (422)
 */
export async function demandFrozen(
  tx: Sql,
  {
    plugin,
    schema,
    texts,
  }: { readonly plugin: string; readonly schema: string; readonly texts: ReadonlyMap<string, string> },
): Promise<boolean> {
  const table = `${schema}.migration`
  const { rows: there } = await sql`select where to_regclass(${table}) is not null`.execute(tx)
  if (there.length === 0) return false
  const { rows } = await sql<{ name: string; print: string | null }>`
    select name, to_jsonb(m) ->> 'print' as print from ${sql.table(table)} m order by name`.execute(tx)
  for (const { name: migration, print } of rows) {
    const text = texts.get(migration)
    if (text === undefined) throw migrationAltered({ plugin, migration, alteration: 'gone' })
    if (print !== null && print !== printOf(text)) throw migrationAltered({ plugin, migration, alteration: 'text' })
  }
  const ran = new Set(rows.map(({ name }) => name))
  const names = [...texts.keys()].toSorted()
  const late = names
    .slice(
      0,
      names.findLastIndex((name) => ran.has(name)),
    )
    .find((name) => !ran.has(name))
  if (late !== undefined) throw migrationAltered({ plugin, migration: late, alteration: 'late' })
  return rows.some(({ print }) => print === null)
}

/** Keeps the prints of what ran and has none yet. */
export async function keepPrints(tx: Sql, schema: string, texts: ReadonlyMap<string, string>): Promise<void> {
  const table = sql.table(`${schema}.migration`)
  const prints = Object.fromEntries([...texts].map(([name, text]) => [name, printOf(text)]))
  await sql`alter table ${table} add column if not exists print text`.execute(tx)
  await sql`
    update ${table} m set print = given.value from jsonb_each_text(${JSON.stringify(prints)}::jsonb) given
    where m.name = given.key and m.print is null`.execute(tx)
}
