import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { withToldRights } from '../../permissions/told-rights.ts'
import { oneByOne } from '../one-by-one.ts'
import { importNotFound } from './errors.ts'
import type {
  ImportCounts,
  ImportPhase,
  ImportRecord,
  ImportRow,
  ImportState,
  ReversalCounts,
  RowAction,
} from './import.ts'
import { withoutNul } from './profile.ts'
import type { Reversal } from '../take-back.ts'
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

/**
 * What an import is at: while a job works on it, what the job is at. Nothing has to be kept in step when a job is
 * paused, cancelled or given up.
 */
const stateNow = sql<ImportState>`case
  when i.state not in ('rehearsing', 'running', 'rolling_back') or j.state is null then i.state
  when j.state = 'paused' then 'paused'
  when j.state = 'failed' then 'failed'
  when j.state = 'cancelled' then case i.state when 'rehearsing' then 'mapped' else 'cancelled' end
  else i.state end`

const columns = sql`i.id, i.resource, ${stateNow} as state, i.format, i.file_name as "fileName", i.file_size as "fileSize", i.encoding,
  i.delimiter, i.skipped_lines as "skippedLines", i.lines, i.columns, i.mapping, i.aliases, i.key, i.options, i.job,
  case when i.state in ('rehearsing', 'running', 'rolling_back') then i.state end as work,
  i.rehearsed_digest as "rehearsedDigest", i.applied_digest as "appliedDigest", i.told_under as told,
  case when ${stateNow} = 'failed' then coalesce(i.problem, j.error) end as problem,
  i.created_at as "createdAt", i.started_at as "startedAt", i.finished_at as "finishedAt"`
const fromImports = sql`core.import i left join core.job j on j.id = i.job`

export type NewImport = Pick<
  ImportRecord,
  | 'id'
  | 'resource'
  | 'format'
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
const mine = (ctx: Context) =>
  sql`i.workspace = ${ctx.workspace.id}::uuid and i.actor_id = ${ctx.actor.id ?? null}::uuid`

export async function insertImport(ctx: Context, it: NewImport): Promise<void> {
  await sql`
    insert into core.import (id, workspace, resource, format, file_name, file_size, encoding, delimiter, skipped_lines, lines,
      columns, mapping, aliases, key, options, actor_type, actor_id, created_at)
    values (${it.id}::uuid, ${ctx.workspace.id}::uuid, ${it.resource}, ${it.format}, ${it.fileName}, ${it.fileSize}, ${it.encoding}, ${it.delimiter},
      ${it.skippedLines}, ${it.lines}, ${json(it.columns)}, ${json(it.mapping)}, ${json(it.aliases)}, ${it.key}, ${json(it.options)},
      ${ctx.actor.type}, ${ctx.actor.id}::uuid, ${now(ctx)})`.execute(ctx.sql)
}

/** @throws `IMPORT_NOT_FOUND` (404) */
export async function importOf(ctx: Context, id: string): Promise<ImportRecord> {
  const { rows } = isUuid(id)
    ? await sql<ImportRecord>`select ${columns} from ${fromImports} where ${mine(ctx)} and i.id = ${id}::uuid`.execute(
        ctx.sql,
      )
    : { rows: [] }
  const [found] = rows
  if (!found) throw importNotFound({ id: id.slice(0, 60) })
  return found
}

/** The import, held until the unit ends: of two requests in one moment, the second finds what the first made of it. */
export async function heldImport(ctx: Context, id: string): Promise<ImportRecord> {
  if (isUuid(id))
    await sql`select 1 from core.import i where ${mine(ctx)} and i.id = ${id}::uuid for update`.execute(ctx.sql)
  return importOf(ctx, id)
}

export async function importsOf(ctx: Context, most: number, resource?: string): Promise<readonly ImportRecord[]> {
  const { rows } = await sql<ImportRecord>`
    select ${columns} from ${fromImports} where ${mine(ctx)} ${resource === undefined ? sql`` : sql`and i.resource = ${resource}`} order by i.created_at desc, i.id desc limit ${most}`.execute(
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

/** Begins a piece of work on an import that is held. */
export async function begin(ctx: Context, id: string, work: 'rehearsing' | 'running' | 'rolling_back'): Promise<void> {
  const started = { rehearsing: sql`null`, running: now(ctx), rolling_back: sql`started_at` }[work]
  await sql`
    update core.import set state = ${work}, job = null, problem = null, started_at = ${started}, finished_at = null
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
  if (work === 'rehearsing') await clearRows(ctx, id)
}

/** Says which job works on an import. */
export async function keepJob(ctx: Context, id: string, job: string): Promise<void> {
  await sql`update core.import set job = ${job}::uuid where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(
    ctx.sql,
  )
}

async function clearRows(ctx: Context, id: string): Promise<void> {
  for (const table of ['core.import_row', 'core.import_key']) {
    await sql`delete from ${sql.table(table)} where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid`.execute(
      ctx.sql,
    )
  }
}

/**
 * Ends a phase: with the digest over all lines, or with what kept it from its end.
 *
 * @returns false when it was ended before, or another job works on it by now
 */
export async function end(
  ctx: Context,
  { id, job, work }: Pick<ImportRecord, 'id' | 'job' | 'work'>,
  state: 'rehearsed' | 'done' | 'failed' | 'rolled_back',
  problem?: ImportRecord['problem'],
): Promise<boolean> {
  if (problem) await keepToldRights(ctx, id)
  const digest = sql`(select encode(sha256(convert_to(coalesce(string_agg(line || ':' || coalesce(digest, ''), ',' order by line), ''), 'UTF8')), 'hex')
    from core.import_row where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid
      and phase = ${state === 'rehearsed' ? 'rehearsal' : 'run'})`
  const { rows } = await sql`
    update core.import set state = ${state}, problem = ${problem ? json(problem) : sql`null`}, finished_at = ${now(ctx)}
      ${state === 'rehearsed' ? sql`, rehearsed_digest = ${digest}, applied_digest = null` : sql``}
      ${state === 'done' ? sql`, applied_digest = ${digest}` : sql``}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid and job = ${job}::uuid and state = ${work}
    returning id`.execute(ctx.sql)
  return rows.length > 0
}

export async function removeImport(ctx: Context, id: string): Promise<void> {
  await sql`delete from core.import where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
}

// Lines ----------------------------------------------------------------------------------------------------------------

/** Lines of one rehearsal or one run. */
export interface LinesOf {
  readonly id: string
  readonly phase: ImportPhase
}

const ofPhase = (ctx: Context, { id, phase }: LinesOf) =>
  sql`workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and phase = ${phase}`

/** Keeps under which rights refusals of an import are worded. */
async function keepToldRights(ctx: Context, id: string): Promise<void> {
  await sql`
    update core.import set told_under = ${withToldRights(sql.ref('told_under'), ctx.authority)}
    where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(ctx.sql)
}

/** Some lines of a phase, as `r`. */
const linesOf = (ctx: Context, { id, phase }: LinesOf, lines: readonly number[]) =>
  oneByOne(
    lines,
    'integer',
    sql`select r.line, r.state, r.cells from core.import_row r
      where r.workspace = ${ctx.workspace.id}::uuid and r.import = ${id}::uuid and r.phase = ${phase} and r.line = given.key`,
    { as: 'r' },
  )

export async function keepRows(ctx: Context, { id, phase }: LinesOf, outcomes: readonly RowOutcome[]): Promise<void> {
  if (outcomes.length === 0) return
  if (outcomes.some(({ state }) => state === 'failed')) await keepToldRights(ctx, id)
  const rows = outcomes.map(({ cells, ...row }) => ({ ...row, ...(cells ? { cells: cells.map(withoutNul) } : {}) }))
  await sql`
    insert into core.import_row (workspace, import, phase, line, state, action, record, change_set, cells, outcome, digest)
    select ${ctx.workspace.id}::uuid, ${id}::uuid, ${phase}, line, state, action, record, "changeSet", cells, outcome, digest
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(line integer, state text, action text, record uuid, "changeSet" uuid, cells jsonb, outcome jsonb, digest text)
    on conflict (workspace, import, phase, line) do update set state = excluded.state, action = excluded.action, record = excluded.record,
      change_set = excluded.change_set, cells = coalesce(excluded.cells, import_row.cells), outcome = excluded.outcome,
      digest = excluded.digest`.execute(ctx.sql)
  if (ctx.changeSet !== undefined && phase === 'run') {
    await sql`
      insert into core.import_unit (workspace, import, change_set, job)
      select i.workspace, i.id, ${ctx.changeSet}::uuid, i.job from core.import i
      where i.workspace = ${ctx.workspace.id}::uuid and i.id = ${id}::uuid on conflict do nothing`.execute(ctx.sql)
  }
}

/** Which of the lines are dealt with already. */
export async function linesKept(ctx: Context, of: LinesOf, lines: readonly number[]): Promise<Set<number>> {
  const { rows } = await sql<{ line: number }>`
    select r.line from ${linesOf(ctx, of, lines)}`.execute(ctx.sql)
  return new Set(rows.map(({ line }) => line))
}

/** Which of the records this very run has made, in this unit or before; a rehearsal has only those of this unit. */
export async function madeHere(
  ctx: Context,
  { id, resource }: Pick<ImportRecord, 'id' | 'resource'>,
  records: readonly string[],
): Promise<Set<string>> {
  const { rows } = await sql<{ record: string }>`
    select c.record from ${oneByOne(
      records,
      'uuid',
      sql`select c.workspace, c.record, c.change_set from core.change c
        where c.workspace = ${ctx.workspace.id}::uuid and c.resource = ${resource} and c.record = given.key and c.action = 'create'`,
      { as: 'c' },
    )}
    where (c.change_set = ${ctx.changeSet ?? null}::uuid or exists (
        select from core.import_unit u join core.import i on i.workspace = u.workspace and i.id = u.import and i.job = u.job
        where u.workspace = c.workspace and u.import = ${id}::uuid and u.change_set = c.change_set))`.execute(ctx.sql)
  return new Set(rows.map(({ record }) => record))
}

export interface KeptLine {
  readonly line: number
  readonly cells: readonly string[]
}

/** Lines that wait for others, by line. */
export async function waitingLines(ctx: Context, of: LinesOf, after: number, most: number): Promise<KeptLine[]> {
  const { rows } = await sql<KeptLine>`
    select line, cells from core.import_row
    where ${ofPhase(ctx, of)} and action = 'waiting' and line > ${after}
    order by line limit ${most}`.execute(ctx.sql)
  return rows
}

export async function cellsOf(ctx: Context, of: LinesOf, lines: readonly number[]): Promise<KeptLine[]> {
  const { rows } = await sql<KeptLine>`
    select r.line, r.cells from ${linesOf(ctx, of, lines)} order by r.line`.execute(ctx.sql)
  return rows
}

/** Which of these lines are records, or would be. */
export async function doneAmong(ctx: Context, of: LinesOf, lines: readonly number[]): Promise<number[]> {
  const { rows } = await sql<{ line: number }>`
    select r.line from ${linesOf(ctx, of, lines)} where r.state = 'done'`.execute(ctx.sql)
  return rows.map(({ line }) => line)
}

/** What an import last did with its lines: rehearse them, or write them. */
export const phaseOf = ({ startedAt }: Pick<ImportRecord, 'startedAt'>): ImportPhase =>
  startedAt === null ? 'rehearsal' : 'run'

/** Counted from the lines themselves: a number kept beside them would drift from them. */
export async function countsOf(
  ctx: Context,
  imports: readonly Pick<ImportRecord, 'id' | 'lines' | 'startedAt'>[],
): Promise<Map<string, ImportCounts>> {
  const phases = imports.map(phaseOf)
  const { rows } = await sql<{ import: string; action: RowAction | 'waiting'; n: number }>`
    select w.import, r.action, r.n
    from unnest(${imports.map(({ id }) => id)}::uuid[], ${phases}::text[]) as w (import, phase)
      cross join lateral (
        select r.action, count(*) as n from core.import_row r
        where r.workspace = ${ctx.workspace.id}::uuid and r.import = w.import and r.phase = w.phase
        group by r.action) r`.execute(ctx.sql)
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
          unchanged: of('unchanged'),
          skip: of('skip'),
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
export async function sampleOf(ctx: Context, of: LinesOf, most: number): Promise<ImportRow[]> {
  const { rows } = await sql<OutcomeRow>`
    select line, action, outcome from core.import_row
    where ${ofPhase(ctx, of)} and state <> 'waiting' order by line limit ${most}`.execute(ctx.sql)
  return rows.map(({ outcome, ...row }) => ({ ...row, ...outcome }))
}

/** A line with its cells, where they are kept. */
export type KeptRow = ImportRow & { readonly cells: readonly string[] | null }

export interface RowQuery {
  readonly actions: readonly RowAction[]
  readonly after: number
  readonly limit: number
}

export async function rowsOfImport(ctx: Context, of: LinesOf, { actions, after, limit }: RowQuery): Promise<KeptRow[]> {
  const { rows } = await sql<OutcomeRow & { cells: string[] | null }>`
    select line, action, outcome, cells from core.import_row
    where ${ofPhase(ctx, of)} and line > ${after} and action = any(${[...actions]}::text[])
    order by line limit ${limit}`.execute(ctx.sql)
  return rows.map(({ outcome, ...row }) => ({ ...row, ...outcome }))
}

// Taking back ----------------------------------------------------------------------------------------------------------

/** Change sets of an import that still stand, newest first. */
export async function unitsOf(ctx: Context, id: string): Promise<string[]> {
  const { rows } = await sql<{ unit: string }>`
    select change_set as unit from core.import_unit where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid
    order by change_set desc`.execute(ctx.sql)
  return rows.map(({ unit }) => unit)
}

export async function keepReversals(
  ctx: Context,
  id: string,
  unit: string,
  reversals: readonly Reversal[],
): Promise<void> {
  if (reversals.some(({ detail }) => detail !== null)) await keepToldRights(ctx, id)
  await sql`
    insert into core.import_reversal (workspace, import, change, resource, record, outcome, fields, code, detail)
    select ${ctx.workspace.id}::uuid, ${id}::uuid, change, resource, record, outcome,
      array(select jsonb_array_elements_text(fields)), code, detail
    from jsonb_to_recordset(${JSON.stringify(reversals)}::jsonb) as r(change uuid, resource text, record uuid,
      outcome text, fields jsonb, code text, detail text)
    on conflict do nothing`.execute(ctx.sql)
  await sql`delete from core.import_unit where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid
    and change_set = ${unit}::uuid`.execute(ctx.sql)
}

export async function reversalCounts(ctx: Context, id: string): Promise<ReversalCounts> {
  const { rows } = await sql<{ outcome: Reversal['outcome']; n: number }>`
    select outcome, count(*) as n from core.import_reversal
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid group by outcome`.execute(ctx.sql)
  const of = (outcome: Reversal['outcome']) => rows.find((row) => row.outcome === outcome)?.n ?? 0
  return { deleted: of('deleted'), restored: of('restored'), kept: of('kept') }
}

/** What was not taken back, or not in every field. */
export async function keptOf(
  ctx: Context,
  id: string,
  after: string | undefined,
  most: number,
): Promise<readonly Reversal[]> {
  const { rows } = await sql<Reversal>`
    select change, resource, record, outcome, to_jsonb(fields) as fields, code, detail from core.import_reversal
    where workspace = ${ctx.workspace.id}::uuid and import = ${id}::uuid and (outcome = 'kept' or fields <> '{}')
      ${after === undefined ? sql`` : sql`and change > ${after}::uuid`}
    order by change limit ${most}`.execute(ctx.sql)
  return rows
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
  { id, phase }: LinesOf,
  field: string,
  values: readonly string[],
): Promise<Map<string, { readonly line: number; readonly state: RowOutcome['state'] }>> {
  const { rows } = await sql<{ value: string; line: number; state: RowOutcome['state'] }>`
    select k.value, k.line, r.state from core.import_key k
      join core.import_row r on r.workspace = k.workspace and r.import = k.import and r.phase = ${phase} and r.line = k.line
    where k.workspace = ${ctx.workspace.id}::uuid and k.import = ${id}::uuid and k.field = ${field} and k.value = any(${[...values]}::text[])`.execute(
    ctx.sql,
  )
  return new Map(rows.map(({ value, ...rest }) => [value, rest]))
}
