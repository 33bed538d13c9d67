import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { importNotFound } from './errors.ts'
import type { ImportCounts, ImportRecord, ImportRow, ImportState, RowAction } from './import.ts'
import { withoutNul } from './profile.ts'
import { isUuid } from '../values.ts'

/** What a line came to, as it is kept. */
export interface RowOutcome {
  readonly line: number
  readonly state: 'waiting' | 'done' | 'failed'
  readonly action: RowAction | 'waiting'
  readonly record?: string | undefined
  readonly changeSet?: string | undefined
  readonly cells?: readonly string[] | undefined
  readonly outcome?: Omit<ImportRow, 'line' | 'action'> | undefined
  readonly digest?: string | undefined
}

const columns = sql`id, resource, state, file_name as "fileName", file_size as "fileSize", encoding, delimiter, skipped_lines as "skippedLines",
  lines, columns, mapping, aliases, key, options, rehearsed_digest as "rehearsedDigest", applied_digest as "appliedDigest", problem,
  created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt", heartbeat_at as "heartbeatAt"`

export type NewImport = Pick<
  ImportRecord,
  | 'id'
  | 'resource'
  | 'fileName'
  | 'fileSize'
  | 'encoding'
  | 'delimiter'
  | 'skippedLines'
  | 'lines'
  | 'columns'
  | 'mapping'
  | 'aliases'
  | 'key'
  | 'options'
>

const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`
const now = (ctx: Context) => sql`${ctx.clock.now().toISOString()}::timestamptz`
/** Whose import it is: whoever did not start it does not see it. */
const mine = (ctx: Context) => sql`workspace = ${ctx.workspace.id}::uuid and actor_id = ${ctx.actor.id ?? null}::uuid`

export async function insertImport(ctx: Context, it: NewImport): Promise<void> {
  await sql`
    insert into core.import (id, workspace, resource, file_name, file_size, encoding, delimiter, skipped_lines, lines,
      columns, mapping, aliases, key, options, actor_type, actor_id, created_at)
    values (${it.id}::uuid, ${ctx.workspace.id}::uuid, ${it.resource}, ${it.fileName}, ${it.fileSize}, ${it.encoding}, ${it.delimiter},
      ${it.skippedLines}, ${it.lines}, ${json(it.columns)}, ${json(it.mapping)}, ${json(it.aliases)}, ${it.key}, ${json(it.options)},
      ${ctx.actor.type}, ${ctx.actor.id}::uuid, ${now(ctx)})`.execute(ctx.sql)
}

/** @throws `IMPORT_NOT_FOUND` (404) */
export async function importOf(ctx: Context, id: string): Promise<ImportRecord> {
  const { rows } = isUuid(id)
    ? await sql<ImportRecord>`select ${columns} from core.import where ${mine(ctx)} and id = ${id}::uuid`.execute(
        ctx.sql,
      )
    : { rows: [] }
  const [found] = rows
  if (!found) throw importNotFound({ id: id.slice(0, 60) })
  return found
}

export async function importsOf(ctx: Context, most: number): Promise<readonly ImportRecord[]> {
  const { rows } = await sql<ImportRecord>`
    select ${columns} from core.import where ${mine(ctx)} order by created_at desc, id desc limit ${most}`.execute(
    ctx.sql,
  )
  return rows
}

export type ImportChange = Partial<Pick<ImportRecord, 'mapping' | 'aliases' | 'key' | 'options'>>

export async function changeImport(ctx: Context, id: string, change: ImportChange): Promise<void> {
  const { mapping, aliases, key, options } = change
  await sql`
    update core.import set state = 'mapped', problem = null, started_at = null, finished_at = null, rehearsed_digest = null,
      mapping = ${mapping ? json(mapping) : sql`mapping`}, aliases = ${aliases ? json(aliases) : sql`aliases`},
      key = ${key === undefined ? sql`key` : sql`${key}`}, options = ${options ? json(options) : sql`options`}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
  await clearRows(ctx, id)
}

/** Begins a phase if the import stands where it may begin; false when somebody else was faster. */
export async function begin(
  ctx: Context,
  id: string,
  state: 'rehearsing' | 'running',
  from: readonly ImportState[],
): Promise<boolean> {
  const { rows } = await sql`
    update core.import set state = ${state}, problem = null, started_at = ${state === 'running' ? now(ctx) : sql`null`},
      finished_at = null, heartbeat_at = ${now(ctx)}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid and state = any(${[...from]}::text[]) returning id`.execute(
    ctx.sql,
  )
  if (rows.length === 0) return false
  await clearRows(ctx, id)
  return true
}

async function clearRows(ctx: Context, id: string): Promise<void> {
  for (const table of ['core.import_row', 'core.import_key']) {
    await sql`delete from ${sql.table(table)} where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid`.execute(
      ctx.sql,
    )
  }
}

/** Ends a phase: with the digest over all lines, or with what kept it from its end. */
export async function end(
  ctx: Context,
  id: string,
  state: 'rehearsed' | 'done' | 'failed',
  problem?: ImportRecord['problem'],
): Promise<void> {
  const digest = sql`(select encode(sha256(convert_to(coalesce(string_agg(line || ':' || coalesce(digest, ''), ',' order by line), ''), 'UTF8')), 'hex')
    from core.import_row where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid)`
  await sql`
    update core.import set state = ${state}, problem = ${problem ? json(problem) : sql`null`}, finished_at = ${now(ctx)}
      ${state === 'rehearsed' ? sql`, rehearsed_digest = ${digest}, applied_digest = null` : sql``}
      ${state === 'done' ? sql`, applied_digest = ${digest}` : sql``}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
}

export async function removeImport(ctx: Context, id: string): Promise<void> {
  await sql`delete from core.import where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
}

// Lines ----------------------------------------------------------------------------------------------------------------

export async function keepRows(ctx: Context, id: string, outcomes: readonly RowOutcome[]): Promise<void> {
  if (outcomes.length === 0) return
  const rows = outcomes.map(({ cells, ...row }) => ({ ...row, ...(cells ? { cells: cells.map(withoutNul) } : {}) }))
  await sql`
    insert into core.import_row (workspace, import, line, state, action, record, change_set, cells, outcome, digest)
    select ${ctx.workspace.id}::uuid, ${id}::uuid, line, state, action, record, "changeSet", cells, outcome, digest
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(line integer, state text, action text, record uuid, "changeSet" uuid, cells jsonb, outcome jsonb, digest text)
    on conflict (workspace, import, line) do update set state = excluded.state, action = excluded.action, record = excluded.record,
      change_set = excluded.change_set, cells = coalesce(excluded.cells, import_row.cells), outcome = excluded.outcome,
      digest = excluded.digest`.execute(ctx.sql)
  await sql`update core.import set heartbeat_at = ${now(ctx)} where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(
    ctx.sql,
  )
}

/** Which of the lines are dealt with already. */
export async function linesKept(ctx: Context, id: string, lines: readonly number[]): Promise<Set<number>> {
  const { rows } = await sql<{ line: number }>`
    select line from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and line = any(${[...lines]}::integer[])`.execute(
    ctx.sql,
  )
  return new Set(rows.map(({ line }) => line))
}

export interface KeptLine {
  readonly line: number
  readonly cells: readonly string[]
}

/** Lines that wait for others, by line. */
export async function waitingLines(ctx: Context, id: string, after: number, most: number): Promise<KeptLine[]> {
  const { rows } = await sql<KeptLine>`
    select line, cells from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and state = 'waiting' and line > ${after}
    order by line limit ${most}`.execute(ctx.sql)
  return rows
}

export async function cellsOf(ctx: Context, id: string, lines: readonly number[]): Promise<KeptLine[]> {
  const { rows } = await sql<KeptLine>`
    select line, cells from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and line = any(${[...lines]}::integer[]) order by line`.execute(
    ctx.sql,
  )
  return rows
}

/** Which of these lines are records, or would be. */
export async function doneAmong(ctx: Context, id: string, lines: readonly number[]): Promise<number[]> {
  const { rows } = await sql<{ line: number }>`
    select line from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and line = any(${[...lines]}::integer[]) and state = 'done'`.execute(
    ctx.sql,
  )
  return rows.map(({ line }) => line)
}

export async function countsOf(
  ctx: Context,
  imports: readonly Pick<ImportRecord, 'id' | 'lines'>[],
): Promise<Map<string, ImportCounts>> {
  const { rows } = await sql<{ import: string; action: RowAction | 'waiting'; n: number }>`
    select import, action, count(*) as n from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = any(${imports.map(({ id }) => id)}::uuid[])
    group by import, action`.execute(ctx.sql)
  return new Map(
    imports.map(({ id, lines }) => {
      const of = (...actions: string[]) =>
        rows.filter((row) => row.import === id && actions.includes(row.action)).reduce((sum, { n }) => sum + n, 0)
      return [
        id,
        {
          lines,
          create: of('create'),
          update: of('update'),
          unchanged: of('unchanged', 'skip'),
          failed: of('failed'),
          done: of('create', 'update', 'unchanged', 'skip', 'failed'),
        },
      ]
    }),
  )
}

interface OutcomeRow {
  readonly line: number
  readonly action: RowAction
  readonly outcome: Omit<ImportRow, 'line' | 'action'> | null
}

/** The first lines with what they come to. */
export async function sampleOf(ctx: Context, id: string, most: number): Promise<ImportRow[]> {
  const { rows } = await sql<OutcomeRow>`
    select line, action, outcome from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and state <> 'waiting' order by line limit ${most}`.execute(
    ctx.sql,
  )
  return rows.map(({ outcome, ...row }) => ({ ...row, ...outcome }))
}

export interface RowQuery {
  readonly state: 'done' | 'failed' | undefined
  readonly after: number
  readonly limit: number
}

export async function rowsOfImport(
  ctx: Context,
  id: string,
  { state, after, limit }: RowQuery,
): Promise<(ImportRow & { readonly cells: readonly string[] | null })[]> {
  const { rows } = await sql<OutcomeRow & { cells: string[] | null }>`
    select line, action, outcome, cells from core.import_row
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and line > ${after}
      and ${state === undefined ? sql`state <> 'waiting'` : sql`state = ${state}`}
    order by line limit ${limit}`.execute(ctx.sql)
  return rows.map(({ outcome, ...row }) => ({ ...row, ...outcome }))
}

// Values that stand in a file once, or by which lines are found ---------------------------------------------------------

export interface KeyedLine {
  readonly field: string
  readonly value: string
  readonly line: number
}

const ofKey = ({ field, value }: Pick<KeyedLine, 'field' | 'value'>) => `${field}\u0001${value}`

/** Keeps which line has a value first. Asked again for the same lines, it answers the same. */
export async function firstLines(
  ctx: Context,
  id: string,
  keys: readonly KeyedLine[],
): Promise<(key: Pick<KeyedLine, 'field' | 'value'>) => number | undefined> {
  const first = new Map<string, KeyedLine>()
  for (const key of keys) {
    const other = first.get(ofKey(key))
    if (!other || key.line < other.line) first.set(ofKey(key), key)
  }
  const { rows } = await sql<KeyedLine>`
    insert into core.import_key (workspace, import, field, value, line)
    select ${ctx.workspace.id}::uuid, ${id}::uuid, field, value, line
    from jsonb_to_recordset(${JSON.stringify([...first.values()])}::jsonb) as k(field text, value text, line integer)
    on conflict (workspace, import, field, value) do update set line = least(import_key.line, excluded.line)
    returning field, value, line`.execute(ctx.sql)
  const kept = new Map(rows.map((row) => [ofKey(row), row.line]))
  return (key) => kept.get(ofKey(key))
}

/** Lines that have these values, with what became of them. */
export async function linesNamed(
  ctx: Context,
  id: string,
  field: string,
  values: readonly string[],
): Promise<Map<string, { readonly line: number; readonly state: RowOutcome['state'] }>> {
  const { rows } = await sql<{ value: string; line: number; state: RowOutcome['state'] }>`
    select k.value, k.line, r.state from core.import_key k
      join core.import_row r on r.workspace = k.workspace and r.import = k.import and r.line = k.line
    where k.workspace = ${ctx.workspace.id}::uuid and k.import = ${id}::uuid and k.field = ${field} and k.value = any(${[...values]}::text[])`.execute(
    ctx.sql,
  )
  return new Map(rows.map(({ value, ...rest }) => [value, rest]))
}
