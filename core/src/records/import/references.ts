import { sql, type RawBuilder } from 'kysely'
import { kindOf } from '../field-types.ts'
import { fieldValue, sortValue } from '../field-value.ts'
import type { Context } from '../../context.ts'
import type { FieldModel } from '../model.ts'
import { oneByOne } from '../one-by-one.ts'
import { tableOf } from '../past.ts'
import { columnsOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import { isUuid } from '../values.ts'

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
  { folded: isFolded, fields = [] }: TextSearch,
): Promise<Map<string, Found>> {
  const found = new Map<string, RecordJson[]>()
  const access = ctx.authority.compile(target, 'read')
  if (!access.allowed || !access.readable(by.name)) return found
  const names = ['id', 'version', ...fields.map(({ name }) => name)]
  const read = columnsOf(
    [...new Set(names)].flatMap((name) => target.fields.get(name) ?? []),
    't',
  )
  const own = (alias: string) => sql`${sql.ref(`${alias}.workspace`)} = ${ctx.workspace.id}::uuid`
  const visible = sql`${own('t')} and t.deleted_at is null and ${access.where('t')}`
  const isSmall = sql`(select count(*) from (select 1 from ${tableOf(target, 'n')} where ${own('n')} limit ${mostFolded + 1}) few) <= ${mostFolded}`
  const folded = (text: RawBuilder<unknown>) => sql`core.fold(${text})`

  /** By an index. */
  const lookedUp = (texts: readonly string[]) => {
    const isId = by.name === 'id'
    // Titles have the index that lists are sorted by.
    const value = by.name === target.title ? sortValue(by, 't') : fieldValue(by, 't')
    const row = sql`select jsonb_build_array(given.key) as "_texts", ${read} from ${tableOf(target, 't')} where ${value} = given.key and ${visible}`
    return oneByOne(isId ? texts.filter(isUuid) : texts, isId ? 'uuid' : 'text', row)
  }
  /** All records are gone through once, and each asks a dictionary of the texts: a join may ask every text for each. */
  const goneThrough = (
    texts: readonly string[],
    form: (text: RawBuilder<unknown>) => RawBuilder<unknown> = (text) => text,
    when = sql`true`,
  ) => sql`(
    select wanted.texts -> t."_form" as "_texts", t.*
    from (select jsonb_object_agg(form, texts) as texts from (
        select ${form(sql`text`)} as form, jsonb_agg(text) as texts from unnest(${texts}::text[]) as it (text) group by 1) forms) wanted
    cross join lateral (
      select ${form(sql`${fieldValue(by, 't')}::text`)} as "_form", ${read} from ${tableOf(target, 't')} where ${when} and ${visible} offset 0) t
    where wanted.texts ? t."_form") t`

  const all = [...new Set(texts)]
  const take = async (way: (texts: readonly string[]) => RawBuilder<unknown>) => {
    const wanted = all.filter((text) => !found.has(text))
    if (wanted.length === 0) return
    const { rows } = await sql<RecordJson & { _texts: string[] }>`select t.* from ${way(wanted)} order by t.id`.execute(
      ctx.sql,
    )
    for (const { _texts, _form, ...record } of rows)
      for (const text of _texts) found.set(text, [...(found.get(text) ?? []), record as unknown as RecordJson])
  }
  const isText = !by.custom && kindOf(by).sql === 'text'
  const isIndexed = by.name === 'id' || (isText && [target.title, ...(target.options.keys ?? [])].includes(by.name))
  await take(isIndexed ? lookedUp : goneThrough)
  if (isFolded) await take((texts) => goneThrough(texts, folded, isSmall))
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
