import { sql } from 'kysely'
import { fieldValue } from '../field-value.ts'
import type { Context } from '../../context.ts'
import type { FieldModel } from '../model.ts'
import { tableOf } from '../past.ts'
import { columnsOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'

/** Records found by one text: none, the one meant, or several that have it alike. */
export type Found = readonly RecordJson[]

/** Folding has no index: up to here reading all records of a kind costs less than a tenth of a chunk. */
const mostFolded = 20_000

export interface TextSearch {
  /** Also finds what differs in case and accents only, among at most 20,000 records. */
  readonly folded: boolean
  /** What is read of each record beside its id and version. */
  readonly fields?: readonly FieldModel[]
}

/**
 * Finds records by the texts of a file, at most two statements for any number of texts: as written, else without case
 * and accents. Only records the actor may see are found.
 */
export async function findByText(
  ctx: Context,
  { target, by }: { readonly target: Resource; readonly by: FieldModel },
  texts: Iterable<string>,
  { folded, fields = [] }: TextSearch,
): Promise<Map<string, Found>> {
  const found = new Map<string, RecordJson[]>()
  const access = ctx.authority.compile(target, 'read')
  if (!access.allowed || !access.readable(by.name)) return found
  const all = [...new Set(texts)]
  const columns = ['id', 'version', ...fields.map(({ name }) => name)]
  const read = [...new Set(columns)].flatMap((name) => target.fields.get(name) ?? [])
  const column = sql`${fieldValue(by, 't')}::text`
  const own = (alias: string) => sql`${sql.ref(`${alias}.workspace`)} = ${ctx.workspace.id}::uuid`
  const isSmall = sql`(select count(*) from (select 1 from ${tableOf(target, 'n')} where ${own('n')} limit ${mostFolded + 1}) few) <= ${mostFolded}`
  const asWritten = sql`${column} = w.text`
  const ways = folded ? [asWritten, sql`core.fold(${column}) = core.fold(w.text) and ${isSmall}`] : [asWritten]
  for (const way of ways) {
    const wanted = all.filter((text) => !found.has(text))
    if (wanted.length === 0) break
    const { rows } = await sql<RecordJson & { _text: string }>`
      select w.text as "_text", ${columnsOf(read, 't')}
      from unnest(${wanted}::text[]) as w(text) join ${tableOf(target, 't')} on ${way}
      where ${own('t')} and t.deleted_at is null and ${access.where('t')}
      order by t.id`.execute(ctx.sql)
    for (const { _text, ...record } of rows)
      found.set(_text, [...(found.get(_text) ?? []), record as unknown as RecordJson])
  }
  return found
}

/** Values that records have in a field, most frequent first; only of records and fields the actor may read. */
export async function valuesInUse(ctx: Context, target: Resource, by: FieldModel, most: number): Promise<string[]> {
  const access = ctx.authority.compile(target, 'read')
  if (!access.allowed || !access.readable(by.name)) return []
  const column = fieldValue(by, 't')
  const { rows } = await sql<{ value: string }>`
    select ${column}::text as value from ${tableOf(target, 't')}
    where t.workspace = ${ctx.workspace.id}::uuid and t.deleted_at is null and ${column} is not null and ${access.where('t')}
    group by ${column} order by count(*) desc, 1 limit ${most}`.execute(ctx.sql)
  return rows.map(({ value }) => value)
}
