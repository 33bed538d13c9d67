import type { Context } from '../../context.ts'
import { jobInterrupted } from '../../jobs/errors.ts'
import type { JobHandler } from '../../jobs/job.ts'
import { SocleError } from '../../errors.ts'
import type { Parts } from '../../parts.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import type { FieldModel } from '../model.ts'
import type { Resource } from '../registry.ts'
import type { CsvFile } from './csv-file.ts'
import { importMappingInvalid, importResourceClosed, importStateRefused } from './errors.ts'
import { ImportRun, problemOf, sampleSize } from './import-run.ts'
import type {
  ColumnMapping,
  ImportCounts,
  ImportJson,
  ImportOptions,
  ImportRecord,
  ImportState,
  ValueAlias,
} from './import.ts'
import type { JobRunner } from './in-process-jobs.ts'
import { orderOf } from './cell-forms.ts'
import { planOf } from './plan.ts'
import type { ColumnProfile, FileProfile } from './profile.ts'
import { mergeAliases, proposeAliases } from './propose-aliases.ts'
import { isReference, proposeKey, proposeMapping, withComposed } from './propose-mapping.ts'
import { findByText } from './references.ts'
import { nameOfEncoding } from './sniff.ts'
import {
  begin,
  changeImport,
  countsOf,
  end,
  importOf,
  importsOf,
  insertImport,
  removeImport,
  sampleOf,
} from './store.ts'
import { targetOf, type ImportTarget } from './targets.ts'

export interface ServiceParts extends Pick<Parts, 'catalog' | 'words' | 'enablement' | 'log' | 'database'> {
  readonly jobs: JobRunner
  /** Runs imports that an API key asks for: jobs work with the rights of people. */
  readonly keyJobs: JobRunner
  /** Where the file of an import lies. */
  readonly pathOf: (workspace: string, id: string) => string
}

export interface ImportRequest {
  readonly mapping?: readonly ColumnMapping[] | undefined
  /** One without `accepted` is. */
  readonly aliases?:
    | readonly (Pick<ValueAlias, 'column' | 'from' | 'to'> & {
        rows?: number | undefined
        accepted?: boolean | undefined
      })[]
    | undefined
  readonly key?: string | null | undefined
  readonly options?: ImportOptions | undefined
}

/** A file that was read once from end to end. */
export interface ReceivedFile extends CsvFile {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly profile: FileProfile
}

const jobKind = 'core.import'
/** Lines in a unit of work. An embedded database has one connection: everybody else waits for a unit to end. */
const chunkSizes = { postgres: 500, pglite: 100 } as const
const mostListed = 50
/** Values of a column that are looked up to see whether they name records. */
const mostLookedUp = 200
const open: readonly ImportState[] = ['draft', 'mapped', 'rehearsed', 'failed']

/** Imports as their owner handles them: what is proposed, what is chosen, the rehearsal and the run. */
export class ImportService {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
    const handler: JobHandler<{ import: string; phase: 'rehearsing' | 'running' }> = async ({ payload }, tools) => {
      const { catalog, words, log, database, pathOf } = this.#parts
      const id = payload.import
      const { record, path } = await tools.unit(async (ctx) => ({
        record: await importOf(ctx, id),
        path: pathOf(ctx.workspace.id, id),
      }))
      try {
        const file = { ...record, path }
        const isRehearsal = payload.phase === 'rehearsing'
        const chunkSize = chunkSizes[database.kind]
        await new ImportRun({ catalog, words, tools, file, record, isRehearsal, chunkSize }).run()
      } catch (error) {
        const isInterrupted = error instanceof SocleError && error.code === jobInterrupted.code
        if (tools.signal.aborted || isInterrupted) throw error
        if (!(error instanceof SocleError)) log.error({ err: error, import: id }, 'an import failed')
        await tools.unit((ctx) => end(ctx, id, 'failed', problemOf(error, words, ctx.locale)))
      }
    }
    for (const jobs of [parts.jobs, parts.keyJobs]) jobs.register(jobKind, handler)
  }

  /** @throws `PERMISSION_DENIED`, `IMPORT_RESOURCE_CLOSED` */
  async demandTarget(ctx: Context, id: string): Promise<ImportTarget> {
    const { catalog, enablement } = this.#parts
    const resource = catalog.get(id)
    const on = await enablement.in(ctx.workspace.id)
    if (!resource || !on.has(resource.plugin)) throw importResourceClosed({ resource: id.slice(0, 60) })
    const target = targetOf(resource)
    if (target.closed) throw importResourceClosed({ resource: id })
    if (!target.mayImport(ctx)) throw permissionDenied({ permission: `${id}.import` })
    return target
  }

  async create(ctx: Context, target: ImportTarget, file: ReceivedFile): Promise<ImportJson> {
    const { words } = this.#parts
    const { resource } = target
    const { columns, lines } = file.profile
    const fields = fillable(ctx, target)
    const known = await this.#knownValues(ctx, fields, columns)
    const proposed = proposeMapping({ resource, fields, columns, words, known })
    const mapping = this.#completed(resource, fields, proposed)
    const aliases = await proposeAliases({ ctx, ...this.#parts, resource, columns, mapping })
    await insertImport(ctx, {
      id: file.id,
      resource: resource.id,
      fileName: file.name,
      fileSize: file.size,
      encoding: file.encoding,
      delimiter: file.delimiter,
      skippedLines: file.skippedLines,
      lines,
      columns,
      mapping,
      aliases,
      key: proposeKey(resource, mapping, columns),
      options: {},
    })
    return this.get(ctx, file.id)
  }

  async get(ctx: Context, id: string): Promise<ImportJson> {
    const record = await importOf(ctx, id)
    const counts = await countsOf(ctx, [record])
    return asJson(record, counts.get(id), await sampleOf(ctx, id, sampleSize))
  }

  async list(ctx: Context): Promise<ImportJson[]> {
    const records = await importsOf(ctx, mostListed)
    const counts = await countsOf(ctx, records)
    return records.map((record) => asJson(record, counts.get(record.id), []))
  }

  /** @throws `IMPORT_MAPPING_INVALID` (422), `IMPORT_STATE_REFUSED` (409) while it runs and afterwards */
  async change(ctx: Context, id: string, request: ImportRequest): Promise<ImportJson> {
    const { words, catalog } = this.#parts
    const record = await importOf(ctx, id)
    const target = await this.demandTarget(ctx, record.resource)
    if (!open.includes(record.state)) throw importStateRefused({ state: record.state, action: 'changed' })
    const { resource } = target
    const { columns } = record
    const mapping = this.#completed(resource, fillable(ctx, target), request.mapping ?? record.mapping)
    const options = request.options ?? record.options
    if (options.dateFormat !== undefined && orderOf(options.dateFormat) === undefined)
      throw importMappingInvalid({ column: options.dateFormat, reason: 'date_format', value: '' })
    const isMapped = mapping.some(({ field, column }) => field === record.key && column !== '')
    const key = request.key === undefined ? (isMapped ? record.key : null) : request.key
    const given = (request.aliases ?? record.aliases).map((it): ValueAlias => ({
      ...it,
      rows: it.rows ?? 0,
      accepted: it.accepted ?? true,
    }))
    for (const { column } of given) {
      if (!columns.some(({ name }) => name === column))
        throw importMappingInvalid({ column, reason: 'column_unknown', value: '' })
    }
    const proposed = await proposeAliases({ ctx, ...this.#parts, resource, columns, mapping })
    const aliases = mergeAliases(given, proposed, columns, mapping)
    await planOf({ ctx, catalog, words, target, columns, mapping, aliases, key, options })
    await changeImport(ctx, id, { mapping, aliases, key, options })
    return this.get(ctx, id)
  }

  async rehearse(ctx: Context, id: string): Promise<ImportJson> {
    return this.#begin(ctx, id, 'rehearsing', open)
  }

  /** Does what was rehearsed. Lines that the rehearsal refused are refused again; the others become records. */
  async run(ctx: Context, id: string): Promise<ImportJson> {
    return this.#begin(ctx, id, 'running', ['rehearsed'])
  }

  async #begin(
    ctx: Context,
    id: string,
    phase: 'rehearsing' | 'running',
    from: readonly ImportState[],
  ): Promise<ImportJson> {
    const { catalog, words } = this.#parts
    const record = await importOf(ctx, id)
    const target = await this.demandTarget(ctx, record.resource)
    const plan = await planOf({ ctx, catalog, words, target, ...record })
    if (plan.entries.length === 0) throw importMappingInvalid({ column: record.fileName, reason: 'nothing', value: '' })
    if (!(await begin(ctx, id, phase, from)))
      throw importStateRefused({ state: record.state, action: phase === 'running' ? 'run' : 'rehearsed' })
    const jobs = ctx.actor.type === 'key' ? this.#parts.keyJobs : this.#parts.jobs
    await jobs.enqueue({ workspace: ctx.workspace.id, kind: jobKind, payload: { import: id, phase } }, ctx)
    return this.get(ctx, id)
  }

  /** Forgets the file and what is kept of its lines; records and their history stay. */
  async remove(ctx: Context, id: string): Promise<void> {
    const { state } = await importOf(ctx, id)
    if (state === 'rehearsing' || state === 'running') throw importStateRefused({ state, action: 'removed' })
    await removeImport(ctx, id)
  }

  /** With what no column says: how a reference is found, and what new records cannot do without. */
  #completed(resource: Resource, fields: readonly FieldModel[], mapping: readonly ColumnMapping[]): ColumnMapping[] {
    const named = mapping.map((it) => {
      const field = it.field === null ? undefined : resource.fields.get(it.field)
      const target = field && isReference(field) ? this.#parts.catalog.get(field.target ?? '') : undefined
      return target && it.by === undefined ? { ...it, by: target.title } : it
    })
    return withComposed(resource, fields, named)
  }

  /** Looks up the values of the file in whatever a reference could mean, two statements per target and key. */
  async #knownValues(ctx: Context, fields: readonly FieldModel[], columns: readonly ColumnProfile[]) {
    const asked = columns
      .filter(({ values, numbers, dates, filled }) => values && numbers < filled && dates < filled)
      .map(({ name, values }) => ({ name, values: (values ?? []).slice(0, mostLookedUp).map(([value]) => value) }))
    const all = [...new Set(asked.flatMap(({ values }) => values))]
    const shares = new Map<string, { share: number; by: string }>()
    for (const field of fields.filter(isReference)) {
      const target = this.#parts.catalog.get(field.target ?? '')
      if (!target || all.length === 0) continue
      for (const by of new Set([target.title, ...(target.options.keys ?? [])])) {
        const key = target.fields.get(by)
        if (!key || isReference(key)) continue
        const found = await findByText(ctx, { target, by: key }, all, { folded: true })
        for (const { name, values } of asked) {
          const share = values.filter((value) => found.has(value)).length / Math.max(1, values.length)
          const place = `${name}\u0001${field.name}`
          const best = shares.get(place)
          if (!best || share > best.share) shares.set(place, { share, by })
        }
      }
    }
    return (column: ColumnProfile, field: FieldModel) => shares.get(`${column.name}\u0001${field.name}`)
  }
}

function fillable(ctx: Context, target: ImportTarget): FieldModel[] {
  return target.resource.all.filter(({ name }) => target.mayWrite(ctx, name))
}

const noCounts = { create: 0, update: 0, unchanged: 0, failed: 0, done: 0 }

function asJson(
  record: ImportRecord,
  counts: ImportCounts = { lines: record.lines, ...noCounts },
  sample: ImportJson['sample'],
): ImportJson {
  const { id, resource, state, mapping, aliases, key, options, createdAt, startedAt, finishedAt, problem } = record
  return {
    id,
    resource,
    state,
    file: { name: record.fileName, size: record.fileSize },
    encoding: nameOfEncoding(record.encoding),
    delimiter: record.delimiter,
    columns: record.columns.map(({ name, samples, empty }) => ({ name, samples, empty })),
    mapping,
    aliases,
    key,
    options,
    counts,
    sample,
    digest: { rehearsed: record.rehearsedDigest, applied: record.appliedDigest },
    createdAt,
    ...(startedAt === null ? {} : { startedAt }),
    ...(finishedAt === null ? {} : { finishedAt }),
    ...(problem === null ? {} : { problem }),
  }
}
