import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../../context.ts'
import { addPiece, removePieces, type Pieces } from '../../files/pieces.ts'
import { cancelJob, pauseJob, resumeJob } from '../../jobs/control.ts'
import type { Jobs } from '../../jobs/index.ts'
import type { Job, JobTools } from '../../jobs/job.ts'
import type { Parts } from '../../parts.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import type { RecordEngine } from '../engine.ts'
import { printExpression, readExpression, type Expression } from '../expression/index.ts'
import type { FieldModel } from '../model.ts'
import { oneByOne } from '../one-by-one.ts'
import { shownFields, tableOf } from '../read.ts'
import type { Included, ListQuery, RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import { queryOfView } from '../views/list-view.ts'
import { columnsOf, localTime, pointsAtRecord } from './columns.ts'
import {
  exportExpired,
  exportFormatRefused,
  exportNotReady,
  exportResourceUnknown,
  exportTooLong,
  exportViewBroken,
} from './errors.ts'
import { exportLog, type ExportQuery } from './export.ts'
import { exportOf, exportsOf, insertRun, keepProgress, type ExportRun } from './store.ts'
import { suits, writers, type ExportWriter, type WriterParts } from './writers.ts'

export interface ExportRequest {
  readonly resource: string
  readonly format: string
  readonly filter?: unknown
  readonly q?: string | undefined
  readonly sort?: string | undefined
  readonly deleted?: 'only' | undefined
  readonly view?: string | undefined
  readonly ids?: readonly string[] | undefined
  /** An instant: the records as they were then. */
  readonly asOf?: string | undefined
  readonly fields?: readonly string[] | undefined
  readonly heads?: 'labels' | 'names' | undefined
  readonly delimiter?: ',' | ';' | undefined
}

export type ExportJson = Omit<ExportRun, 'version' | 'query' | 'pieces' | 'after'> & {
  readonly query: ExportQuery
  /** Address of the file, once it is there. */
  readonly file: string | null
}

interface ServiceParts extends Pick<Parts, 'words' | 'clock'> {
  readonly jobs: Jobs
  readonly pieces: Pieces
}

const jobKind = 'core.export'
const pageRows = 200
/** Pages to a unit of work: 400 rows. */
const pagesTogether = 2
const keptDays = 7
const mostListed = 50

/**
 * Records as a file: asked for, written by a job page by page under the rights its actor has by then, and kept for a week.
 * That it was asked for, and how many rows it came to, stands in the ledger.
 */
export class ExportService {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
    parts.jobs.register<{ export: string }>(jobKind, (job, tools) => this.#write(job, tools))
  }

  /** @throws `PERMISSION_DENIED`, `EXPORT_FORMAT_REFUSED`, whatever the list would refuse of the query */
  async create(ctx: Context, request: ExportRequest): Promise<ExportJson> {
    const { scope } = ctx.records as RecordEngine
    const resource = scope.catalog.get(request.resource)
    if (!resource || !scope.exists(resource)) throw exportResourceUnknown({ resource: request.resource.slice(0, 60) })
    demandExport(ctx, resource)
    const writer = writers.find(({ id }) => id === request.format)
    if (!writer || !suits(writer, resource)) {
      const formats = writers.filter((it) => suits(it, resource)).map(({ id }) => id)
      throw exportFormatRefused({ format: request.format, resource: resource.id, formats: formats.join(', ') })
    }
    const { resource: _, format, fields, heads = 'labels', delimiter, view, ...said } = request
    const asked = view === undefined ? said : await withView(ctx, resource, view, said)
    const query: ExportQuery = {
      ...asked,
      fields: fieldsOf(ctx, resource, writer, fields),
      heads,
      delimiter: delimiter ?? (ctx.locale === 'fr' ? ';' : ','),
    } as ExportQuery
    // What the list refuses is refused now, not in the background.
    await page(ctx, resource, query, { limit: 1 })
    const id = uuidv7()
    const name = `${nameOf(ctx, resource, asked.asOf)}.${writer.extension}`
    const filter = asked.filter === undefined || asked.filter === '' ? null : textOf(asked.filter)
    await ctx
      .asSystem()
      .records.create(
        exportLog,
        { id, name, resource: resource.id, format, filter, query, columns: query.fields },
        { internal: true },
      )
    const job = await this.#parts.jobs.enqueue(
      { workspace: ctx.workspace.id, kind: jobKind, payload: { export: id } },
      ctx,
    )
    await insertRun(ctx, id, job)
    return this.get(ctx, id)
  }

  async get(ctx: Context, id: string): Promise<ExportJson> {
    return asJson(await exportOf(ctx, id))
  }

  async list(ctx: Context): Promise<ExportJson[]> {
    return (await exportsOf(ctx, mostListed)).map(asJson)
  }

  async steer(ctx: Context, id: string, how: 'cancel' | 'pause' | 'resume'): Promise<ExportJson> {
    const { job } = await exportOf(ctx, id)
    if (job !== null) await { cancel: cancelJob, pause: pauseJob, resume: resumeJob }[how](ctx, job)
    return this.get(ctx, id)
  }

  /** Takes the file away; that it was made stays in the ledger. */
  async remove(ctx: Context, id: string): Promise<void> {
    const { state, job } = await exportOf(ctx, id)
    if (job !== null && (state === 'running' || state === 'paused')) await cancelJob(ctx, job)
    await removePieces(ctx.sql, ctx.workspace.id, id)
    const at = ctx.clock.now().toISOString()
    await sql`delete from core.export_run where workspace = ${ctx.workspace.id}::uuid and export = ${id}::uuid`.execute(
      ctx.sql,
    )
    await this.#note(ctx, id, { expiresAt: at })
  }

  /** @throws `EXPORT_NOT_READY` (409), `EXPORT_EXPIRED` (410), `PERMISSION_DENIED` for who may not export any more */
  async file(
    ctx: Context,
    id: string,
  ): Promise<{ readonly content: AsyncIterable<Uint8Array>; readonly type: string; readonly name: string }> {
    const run = await exportOf(ctx, id)
    const { scope } = ctx.records as RecordEngine
    const resource = scope.catalog.get(run.resource)
    if (!resource || !scope.exists(resource)) throw exportResourceUnknown({ resource: run.resource })
    demandExport(ctx, resource)
    if (run.state === 'expired') throw exportExpired({ at: run.expiresAt?.slice(0, 10) ?? '' })
    if (run.state !== 'done') throw exportNotReady({ state: run.state })
    const writer = writerOf(run.format)
    const parts = this.#parts.pieces.read(ctx.workspace.id, id)
    return { content: writer.pack?.(parts) ?? parts, type: writer.mediaType, name: run.name }
  }

  async #write({ payload: { export: id } }: Job<{ export: string }>, tools: JobTools): Promise<void> {
    for (;;) {
      const more = await tools.unit((ctx) => this.#writePages(ctx, id, tools), { origin: 'export' })
      if (!more) return
    }
  }

  /** Some pages as one piece of the file. Where the next begins is kept with it, so that a killed export repeats nothing. */
  async #writePages(ctx: Context, id: string, tools: JobTools): Promise<boolean> {
    const run = await exportOf(ctx, id)
    if (run.finishedAt !== null) return false
    const { scope } = ctx.records as RecordEngine
    const resource = scope.catalog.of(run.resource)
    demandExport(ctx, resource)
    const writer = writerOf(run.format)
    const parts = this.#writerParts(ctx, resource, run.query)
    let { after, rows } = run
    let total = run.total ?? undefined
    let text = run.pieces === 0 ? writer.head(parts) : ''
    for (let nth = 0; nth < pagesTogether && (nth === 0 || after !== null); nth += 1) {
      const found = await page(ctx, resource, run.query, {
        limit: pageRows,
        ...(after === null ? { count: 'estimate' } : { after }),
      })
      total ??= found.count ?? undefined
      for (const record of found.data) {
        if (writer.mostRows !== undefined && rows >= writer.mostRows) throw exportTooLong({ limit: writer.mostRows })
        text += writer.row({ record, included: found.included }, parts, rows)
        rows += 1
      }
      after = found.next
    }
    if (after === null) text += writer.foot(parts)
    const bytes = Buffer.from(text)
    const at = ctx.clock.now().toISOString()
    await addPiece(ctx.sql, { workspace: ctx.workspace.id, file: id, nth: run.pieces, bytes, at })
    const size = run.size + bytes.length
    await keepProgress(ctx, id, { after, pieces: run.pieces + 1, rows, size })
    await tools.progress(rows, Math.max(rows, total ?? rows), ctx)
    if (after !== null) return true
    const expires = new Date(ctx.clock.now().getTime() + keptDays * 86_400_000).toISOString()
    await this.#note(ctx, id, { rows, size, finishedAt: at, expiresAt: expires })
    return false
  }

  async #note(ctx: Context, id: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    const { records } = ctx.asSystem()
    const { data } = await records.get(exportLog, id)
    await records.update(exportLog, data, values, { internal: true })
  }

  #writerParts(ctx: Context, resource: Resource, { fields, heads, delimiter }: ExportQuery): WriterParts {
    const labels = { words: this.#parts.words.in(ctx.workspace), locale: ctx.locale, heads, zone: ctx.workspace.zone }
    const models = fields.flatMap((name) => resource.fields.get(name) ?? ([] as FieldModel[]))
    return { ...labels, resource, delimiter, columns: columnsOf(resource, models, labels) }
  }
}

/** What a file is called: by the day, or by the instant whose records it holds. */
function nameOf(ctx: Context, resource: Resource, asOf: string | undefined): string {
  const many = ctx.t(`${resource.id}.many`)
  if (asOf === undefined) return `${many} ${ctx.clock.today()}`
  // No file system minds these signs.
  const instant = localTime(asOf, ctx.workspace.zone).toFormat("yyyy-MM-dd HH'h'mm")
  return ctx.t('core.export.asOf', { many, instant })
}

function demandExport({ authority }: Context, resource: Resource): void {
  for (const action of ['read', 'export'] as const) {
    if (!authority.compile(resource, action).allowed) throw permissionDenied({ permission: `${resource.id}.${action}` })
  }
}

function writerOf(format: string): ExportWriter {
  const writer = writers.find(({ id }) => id === format)
  if (!writer) throw new Error(`Nothing writes the format ${format}.`)
  return writer
}

/** The fields asked for, or those of the list; never one the reader may not see. */
function fieldsOf(
  ctx: Context,
  resource: Resource,
  writer: ExportWriter,
  asked: readonly string[] | undefined,
): readonly string[] {
  const { scope } = (ctx.records as RecordEngine).forScreens
  const shown = new Set(shownFields(scope, resource).map(({ name }) => name))
  const own = writer.fields?.(resource)
  if (own) return own.filter((name) => shown.has(name))
  // One that is asked for by name is refused by the list, in words.
  return asked ? [...new Set(asked)] : resource.options.list.filter((name) => shown.has(name))
}

/**
 * What is asked for with what a saved view says, as it stands now: a change of the view changes no export.
 *
 * @throws `EXPORT_VIEW_BROKEN` (422) for a filter or an order that no longer works: without it, it would be other rows
 */
async function withView<A extends Pick<ExportRequest, 'filter' | 'q' | 'sort'>>(
  ctx: Context,
  resource: Resource,
  view: string,
  asked: A,
): Promise<A> {
  const own = asked.filter === '' ? undefined : asked.filter
  const { query, used } = await queryOfView((ctx.records as RecordEngine).scope, resource, view, {})
  const fault = used.faults.find(
    ({ part }) => (part === 'filter' && own === undefined) || (part === 'sort' && asked.sort === undefined),
  )
  if (fault) throw exportViewBroken({ view: String(used.name), part: fault.part, detail: fault.detail })
  return { ...asked, filter: own ?? query.filter, q: asked.q ?? query.q, sort: asked.sort ?? query.sort }
}

interface ExportPage {
  readonly data: readonly RecordJson[]
  readonly included: Included
  readonly next: string | null
  readonly count: number | null
}

/** One page of what is carried out: the list's, without rows whose export is not granted. */
async function page(
  ctx: Context,
  resource: Resource,
  { filter, q, sort, deleted, ids, fields, asOf }: ExportQuery,
  how: Pick<ListQuery, 'limit' | 'after' | 'count'>,
): Promise<ExportPage> {
  const engine = (ctx.records as RecordEngine).forScreens
  const { readable } = ctx.authority.compile(resource, 'read')
  const chosen: Expression | undefined = ids && { op: 'in', path: 'id', values: [...ids] }
  const said = filter === undefined || filter === '' ? undefined : readExpression(filter as string | Expression)
  const both: Expression | undefined = chosen && said ? { op: 'and', of: [chosen, said] } : (chosen ?? said)
  const include = fields.filter((name) => {
    const field = resource.fields.get(name)
    return field !== undefined && pointsAtRecord(field) && readable(name)
  })
  const query: ListQuery = {
    count: 'none',
    ...how,
    fields,
    include,
    ...(both === undefined ? {} : { filter: both }),
    ...(q === undefined ? {} : { q }),
    ...(sort === undefined ? {} : { sort }),
    ...(deleted === undefined ? {} : { deleted }),
    ...(asOf === undefined ? {} : { asOf }),
  }
  const found = await engine.list(resource.id, query)
  const data = await exportable(ctx, resource, found.data)
  return { data, included: found.included, next: found.page.next, count: found.page.count }
}

async function exportable(
  ctx: Context,
  resource: Resource,
  data: readonly RecordJson[],
): Promise<readonly RecordJson[]> {
  const access = ctx.authority.compile(resource, 'export')
  if (access.everything || data.length === 0) return data
  const { rows } = await sql<{ id: string }>`
    select t.id from ${oneByOne(
      data.map(({ id }) => id),
      'uuid',
      sql`select t.id from ${tableOf(resource, 't')}
        where t.workspace = ${ctx.workspace.id}::uuid and t.id = given.key and ${access.where('t')}`,
    )}`.execute(ctx.sql)
  const granted = new Set(rows.map(({ id }) => id))
  return data.filter(({ id }) => granted.has(id))
}

function textOf(filter: unknown): string {
  return typeof filter === 'string' ? filter : printExpression(readExpression(filter as Expression))
}

function asJson({ version: _, pieces, after: __, ...run }: ExportRun): ExportJson {
  return { ...run, file: run.state === 'done' && pieces > 0 ? `/api/core/exports/${run.id}/file` : null }
}
