import { sql, type RawBuilder } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { putKeys } from '../records/duplicates/keys.ts'
import { reindex } from '../records/merge/moves.ts'
import { columnsOf, tableOf } from '../records/read.ts'
import type { FieldType } from '../records/model.ts'
import type { RecordJson } from '../records/records.ts'
import { systemFields, type Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { ledgerHead } from '../records/ledger-head.ts'
import { removeBeside, tablesBeside, type TableBeside } from '../records/sides/tables.ts'

interface Column {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly checked: boolean
  /** A check reads this column alone: it says what a value looks like. */
  readonly shaped: boolean
  readonly keyed: boolean
}

/** Kinds of values that somebody wrote about a person. Figures, choices and references stay: sums must not change. */
const personal: ReadonlySet<FieldType> = new Set([
  'text',
  'long',
  'rich',
  'email',
  'phone',
  'url',
  'address',
  'date',
  'json',
])

const marks = { fr: '[effacé]', en: '[erased]' } as const

/** What blanked records are called in any language: the company may have changed its own since. */
export const blankMarks: ReadonlySet<string> = new Set(['', ...Object.values(marks)])

/** What a blanked record is called where it must have a name. */
export function markOf({ ctx }: EngineScope): string {
  return ctx.workspace.locale === 'fr' ? marks.fr : marks.en
}

/**
 * Takes the words out of some records of a kind: own fields, hidden columns and all. The rows stay, with what points at
 * them and what is counted of them; a record that is the person leaves the lists too.
 *
 * The ledger has a line for each, without values: that it happened, when and by whom.
 */
export async function blankRecords(
  scope: EngineScope,
  resource: Resource,
  ids: readonly string[],
  { leaves }: { readonly leaves: boolean },
): Promise<void> {
  const columns = await columnsOfTable(scope, resource)
  const at = scope.ctx.clock.now().toISOString()
  const leaving = leaves ? [sql`deleted_at = coalesce(t.deleted_at, ${at}::timestamptz)`] : []
  const rows = await rewriteFitting(
    scope,
    resource,
    [{}, { tail: true }, { tail: true, fills: true }, { tail: true, fills: true, keepsDays: true }].map((way) => [
      ...assignmentsOf(scope, resource, columns, way),
      ...leaving,
    ]),
    sql`t.id = any(${[...ids]}::uuid[])`,
    leaves ? 'delete' : 'update',
  )
  if (leaves) await removeBeside(scope, resource, ids)
  else await blankBeside(scope, resource, ids)
  tell(scope, resource, rows, leaves ? 'deleted' : 'updated')
}

/** The words that plugins keep beside records that stay. */
async function blankBeside(scope: EngineScope, resource: Resource, ids: readonly string[]): Promise<void> {
  const sides = scope.catalog.whole.of(resource.id).all.filter(({ side }) => side)
  for (const place of await tablesBeside(scope, resource)) {
    const { schema, table } = place
    const all = sides.flatMap((field) =>
      field.side?.schema === schema && field.side.table === table ? [{ ...field, column: field.side.column }] : [],
    )
    const columns = await columnsOfTable(scope, place)
    const assignments = assignmentsOf(scope, { all, title: undefined }, columns)
    if (assignments.length === 0) continue
    await sql`update ${sql.table(`${schema}.${table}`)} set ${sql.join(assignments)}
      where workspace = ${scope.ctx.workspace.id}::uuid and record = any(${[...ids]}::uuid[])`.execute(scope.tx)
  }
}

/** Deletes rows for good, and answers which of them stay because others still point at them. */
export async function deleteRecords(
  scope: EngineScope,
  resource: Resource,
  ids: readonly string[],
): Promise<readonly string[]> {
  const { ctx, tx } = scope
  const ofThese = sql`workspace = ${ctx.workspace.id}::uuid and id = any(${[...ids]}::uuid[])`
  try {
    await scope.savepoint(async () => {
      const changeSet = scope.openChangeSet()
      const at = ctx.clock.now().toISOString()
      await removeBeside(scope, resource, ids)
      const { rows } = await sql<{ id: string; version: number }>`
        with ${changeSet.isNew ? sql`${ledgerHead(scope, changeSet.id)},` : sql``}
        gone as (delete from ${sql.table(`${resource.schema}.${resource.table}`)} where ${ofThese} returning id, version)
        select id, version + 1 as version from gone`.execute(tx)
      await enter(scope, { resource, changeSet: changeSet.id, action: 'delete', at }, rows)
      tell(scope, resource, rows, 'deleted')
    })
    return []
  } catch (error) {
    if ((error as { code?: unknown }).code !== '23503') throw error
    if (ids.length === 1) return ids
    const middle = ids.length >> 1
    return [
      ...(await deleteRecords(scope, resource, ids.slice(0, middle))),
      ...(await deleteRecords(scope, resource, ids.slice(middle))),
    ]
  }
}

/** Puts a mark where somebody is named in records that are not about them. */
export async function markMentions(
  scope: EngineScope,
  resource: Resource,
  {
    pattern,
    from,
    to,
    run,
  }: { readonly pattern: string; readonly from: number; readonly to: number; readonly run: string },
): Promise<number> {
  const columns = (await columnsOfTable(scope, resource)).filter(
    ({ keyed, type }) => !keyed && type !== 'date' && type !== 'bytea',
  )
  const named = columns.map(({ name }) => sql`core.names_somebody(${sql.ref(`t.${name}`)}, ${pattern})`)
  if (named.length === 0) return 0
  const ways = mentionWays(scope).map(({ mark, empties }) =>
    columns.map((column) => {
      const { name, type } = column
      const value = sql.ref(`t.${name}`)
      return empties(column)
        ? sql`${sql.ref(name)} = case when core.names_somebody(${value}, ${pattern}) then null else ${value} end`
        : sql`${sql.ref(name)} = core.without_mentions(${value}, ${pattern}, ${mark})::${sql.raw(type)}`
    }),
  )
  const rows = await rewriteFitting(
    scope,
    resource,
    ways,
    sql`t.ctid >= ${`(${from},0)`}::tid and t.ctid < ${`(${to},0)`}::tid and (${sql.join(named, sql` or `)})
      and not exists (select from core.erasure_target h where h.workspace = t.workspace and h.run = ${run}::uuid
        and h.resource = ${resource.id} and h.record = t.id and h.how = 'held')`,
    'update',
  )
  tell(scope, resource, rows, 'updated')
  await refreshWords(
    scope,
    resource,
    rows.map(({ id }) => id),
  )
  return rows.length
}

/** By which the marks of rows that must not be called alike differ. */
const tail = sql`right(t.id::text, 6)`

/** How a mention may be taken out, the plainest first: a row takes the first way that its table's constraints let it. */
function mentionWays(scope: EngineScope): readonly {
  readonly mark: RawBuilder<unknown>
  readonly empties: (column: Column) => boolean
}[] {
  const told = sql`${markOf(scope)}::text`
  const none = () => false
  return [
    // What must look like a number or an address cannot hold a mark.
    { mark: told, empties: ({ shaped, required }) => shaped && !required },
    { mark: told, empties: none },
    { mark: sql`${told} || ' ' || ${tail}`, empties: none },
    { mark: sql`'erased-' || ${tail}`, empties: none },
    { mark: sql`${told} || ' ' || ${tail}`, empties: ({ required }) => !required },
    { mark: sql`'–'::text`, empties: none },
  ]
}

/** What a row may refuse: to be empty, to be called as another is, what fails its check, what is too long. */
const refusals: ReadonlySet<unknown> = new Set(['22001', '23502', '23505', '23514', '23P01'])

export const isRefusedByRow = (error: unknown): error is { readonly constraint?: string } =>
  refusals.has((error as { code?: unknown }).code)

/** Changes rows all at once; where one refuses, each by itself, in the first way that it takes. */
async function rewriteFitting(
  scope: EngineScope,
  resource: Resource,
  [plain = [], ...others]: readonly (readonly RawBuilder<unknown>[])[],
  where: RawBuilder<unknown>,
  action: 'update' | 'delete',
): Promise<readonly { id: string; version: number }[]> {
  try {
    return await scope.savepoint(() => rewrite(scope, resource, plain, where, action))
  } catch (error) {
    if (!isRefusedByRow(error)) throw error
  }
  const { rows } = await sql<{ id: string }>`
    select t.id from ${tableOf(resource, 't')} where t.workspace = ${scope.ctx.workspace.id}::uuid and ${where}`.execute(
    scope.tx,
  )
  const changed = []
  for (const { id } of rows)
    changed.push(...(await rewriteOne(scope, resource, [plain, ...others], sql`t.id = ${id}::uuid`, action)))
  return changed
}

async function rewriteOne(
  scope: EngineScope,
  resource: Resource,
  [way = [], ...others]: readonly (readonly RawBuilder<unknown>[])[],
  where: RawBuilder<unknown>,
  action: 'update' | 'delete',
): Promise<readonly { id: string; version: number }[]> {
  try {
    return await scope.savepoint(() => rewrite(scope, resource, way, where, action))
  } catch (error) {
    if (others.length === 0 || !isRefusedByRow(error)) throw error
    return rewriteOne(scope, resource, others, where, action)
  }
}

/** Words of the search and keys of duplicates, made anew from what stands in the rows now. */
export async function refreshWords(scope: EngineScope, resource: Resource, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  if (resource.search.length > 0) await reindex(scope, resource, ids)
  if ((resource.options.duplicates ?? []).length === 0) return
  const { rows } = await sql<RecordJson>`
    select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${[...ids]}::uuid[]) and t.deleted_at is null`.execute(
    scope.tx,
  )
  await putKeys(scope, resource, rows)
}

/** Changes rows past the write path, each with a line in the ledger that holds no value. */
export async function rewrite(
  scope: EngineScope,
  resource: Resource,
  assignments: readonly RawBuilder<unknown>[],
  where: RawBuilder<unknown>,
  action: 'update' | 'delete',
): Promise<readonly { id: string; version: number }[]> {
  const { ctx, tx } = scope
  const workspace = ctx.workspace.id
  const at = ctx.clock.now().toISOString()
  const changeSet = scope.openChangeSet()
  const { rows } = await sql<{ id: string; version: number }>`
    with ${changeSet.isNew ? sql`${ledgerHead(scope, changeSet.id)},` : sql``}
    kept as (
      update ${tableOf(resource, 't')} set ${sql.join([...assignments, sql`version = t.version + 1`, sql`updated_at = ${at}::timestamptz`])}
      where t.workspace = ${workspace}::uuid and ${where} returning t.id, t.version)
    select id, version from kept`.execute(tx)
  await enter(scope, { resource, changeSet: changeSet.id, action, at }, rows)
  return rows
}

/** The ledger's lines: that it happened, when and by whom, without a value. */
async function enter(
  { ctx, tx }: EngineScope,
  it: {
    readonly resource: Resource
    readonly changeSet: string
    readonly action: 'update' | 'delete'
    readonly at: string
  },
  rows: readonly { id: string; version: number }[],
): Promise<void> {
  await sql`
    insert into core.change (id, workspace, change_set, resource, record, action, version, fields, acknowledged, at)
    select k.change, ${ctx.workspace.id}::uuid, ${it.changeSet}::uuid, ${it.resource.id}, k.record, ${it.action}, k.version, '{}', '{}', ${it.at}::timestamptz
    from unnest(${rows.map(() => uuidv7())}::uuid[], ${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ version }) => version)}::integer[])
      as k (change, record, version)`.execute(tx)
}

function tell(
  scope: EngineScope,
  resource: Resource,
  rows: readonly { id: string; version: number }[],
  past: 'updated' | 'deleted',
): void {
  for (const { id, version } of rows) {
    const changed = past === 'deleted' ? ['deletedAt'] : []
    scope.emit({ name: `${resource.id}.${past}`, version: 1, key: id, payload: { record: id, version, changed } })
    scope.signal({ resource: resource.id, id, action: past === 'deleted' ? 'delete' : 'update', version })
  }
}

/** How a record is blanked where the plain way is refused. */
interface Blanking {
  /** Marks differ by record. */
  readonly tail?: boolean
  /** What a check may want to be there holds a mark. */
  readonly fills?: boolean
  readonly keepsDays?: boolean
}

function filling(type: string, mark: RawBuilder<unknown>): RawBuilder<unknown> {
  if (type === 'jsonb') return sql`'{}'::jsonb`
  return type === 'text[]' ? sql`array[${mark}]` : mark
}

function assignmentsOf(
  scope: EngineScope,
  resource: Pick<Resource, 'all'> & { readonly title: string | undefined },
  columns: readonly Column[],
  { tail: isToldApart = false, fills = false, keepsDays = false }: Blanking = {},
): RawBuilder<unknown>[] {
  const mark = isToldApart ? sql`${markOf(scope)}::text || ' ' || ${tail}` : sql`${markOf(scope)}`
  const paired = new Set(
    resource.all.flatMap((field) => (field.targetIn === undefined ? [] : [field.name, field.targetIn])),
  )
  const byColumn = new Map(resource.all.filter(({ custom }) => !custom).map((field) => [field.column, field]))
  return columns.flatMap(({ name, type, required, checked, keyed }): RawBuilder<unknown>[] => {
    const column = sql.ref(name)
    if (name === 'custom') return [sql`custom = '{}'`]
    const field = byColumn.get(name)
    if (keyed || (field && (!personal.has(field.type) || paired.has(field.name) || systemFields.has(field.name))))
      return []
    const isFilled = fills && checked && type !== 'date' && type !== 'bytea'
    if (keepsDays && checked && type === 'date') return []
    if (!required && !isFilled) return [sql`${column} = null`]
    if (!required)
      return [sql`${column} = case when ${sql.ref(`t.${name}`)} is not null then ${filling(type, mark)} end`]
    if (type === 'jsonb') return [sql`${column} = '{}'`]
    if ((!field || field.name !== resource.title) && (checked || !field || type === 'date')) return []
    return [sql`${column} = ${mark}`]
  })
}

/** Columns that may hold words or a day, those the world is not shown too. */
async function columnsOfTable(scope: EngineScope, { schema, table }: TableBeside): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`
    select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
      exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c' and a.attnum = any(k.conkey)) as checked,
      exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum]) as shaped,
      exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype in ('p', 'f') and a.attnum = any(k.conkey)) as keyed
    from pg_attribute a
    where a.attrelid = to_regclass(${`"${schema}"."${table}"`}) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'text[]'::regtype, 'date'::regtype, 'bytea'::regtype)
    order by a.attnum`.execute(scope.tx)
  return rows
}
