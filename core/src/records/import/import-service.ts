import { sql, type SqlBool } from 'kysely'
import type { Context } from '../../context.ts'
import { removePieces, type Pieces } from '../../files/pieces.ts'
import { cancelJob, pauseJob, resumeJob } from '../../jobs/control.ts'
import { jobInterrupted } from '../../jobs/errors.ts'
import type { Jobs } from '../../jobs/index.ts'
import type { Job, JobTools } from '../../jobs/job.ts'
import { SocleError } from '../../errors.ts'
import type { Parts } from '../../parts.ts'
import type { Words } from '../../words.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import type { FieldModel } from '../model.ts'
import type { RecordEngine } from '../engine.ts'
import type { Resource } from '../registry.ts'
import { importMappingInvalid, importResourceClosed, importStateRefused } from './errors.ts'
import { ImportRolledBack } from './events.ts'
import { ImportRun, problemOf, sampleSize } from './import-run.ts'
import { inParts } from './filled-field.ts'
import type {
  ColumnMapping,
  ImportCounts,
  ImportJson,
  ImportOptions,
  ImportPhase,
  ImportRecord,
  ImportState,
  RecipeOffer,
  ReversalCounts,
  ValueAlias,
} from './import.ts'
import { orderOf } from './cell-forms.ts'
import { planOf } from './plan.ts'
import type { ColumnProfile, FileProfile } from './profile.ts'
import { mergeAliases, proposeAliases } from './propose-aliases.ts'
import { isReference, ownKeys, proposeKey, proposeMapping, withComposed } from './propose-mapping.ts'
import { recipeOf, recipesFor } from './recipe.ts'
import { findByText } from './references.ts'
import { takeBackSet } from '../take-back.ts'
import { demandRead, mayRead, shownProblem, shownReversals, shownRows } from './shown.ts'
import { nameOfEncoding } from './sniff.ts'
import {
  begin,
  changeImport,
  countsOf,
  end,
  heldImport,
  importOf,
  importsOf,
  insertImport,
  keepJob,
  keepReversals,
  keptOf,
  phaseOf,
  removeImport,
  reversalCounts,
  rowsOfImport,
  sampleOf,
  unitsOf,
  type KeptRow,
  type RowQuery,
} from './store.ts'
import type { FileShape } from './tables.ts'
import { isManaged, targetOf, type ImportTarget } from './targets.ts'

export interface ServiceParts extends Pick<Parts, 'catalog' | 'fields' | 'words' | 'log' | 'database'> {
  readonly jobs: Jobs
  /** Where files of imports lie. */
  readonly pieces: Pieces
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
  /** Id of a recipe that says all of this. */
  readonly recipe?: string | undefined
}

/** A file that was read once from end to end. */
export interface ReceivedFile extends FileShape {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly profile: FileProfile
}

const jobKind = 'core.import'

interface Work {
  readonly import: string
  readonly work: 'rehearsing' | 'running' | 'rolling_back'
}

/** Lines in a unit of work. An embedded database has one connection: everybody else waits for a unit to end. */
const chunkSizes = { postgres: 500, pglite: 100 } as const
const mostListed = 50
/** Values of a column that are looked up to see whether they name records. */
const mostLookedUp = 200
const open: readonly ImportState[] = ['draft', 'mapped', 'rehearsed', 'failed', 'cancelled']
const working: readonly ImportState[] = ['rehearsing', 'running', 'paused', 'rolling_back']

/** Imports as their owner handles them: what is proposed, what is chosen, the rehearsal and the run. */
export class ImportService {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
    parts.jobs.register<Work>(jobKind, (job, tools) => this.#work(job, tools))
  }

  /** Rehearses, runs or takes back, in a job. An error that is no refusal is the job's to try again. */
  async #work({ id: job, payload: { import: id, work } }: Job<Work>, tools: JobTools): Promise<void> {
    const { words } = this.#parts
    try {
      const record = await tools.unit((ctx) => importOf(ctx, id))
      // Its end was kept, and the process died before the job's.
      if (record.job !== job || record.work !== work) return
      if (work === 'rolling_back') await this.#takeBack(record, tools)
      else await this.#carryOut(record, tools, work === 'rehearsing')
    } catch (error) {
      const isInterrupted = error instanceof SocleError && error.code === jobInterrupted.code
      if (!tools.signal.aborted && !isInterrupted && error instanceof SocleError && error.status < 500)
        await tools.unit(async (ctx) => {
          await tools.progress(undefined, undefined, ctx)
          await end(ctx, { id, job, work }, 'failed', problemOf(error, words, ctx.locale))
        })
      throw error
    }
  }

  async #carryOut(record: ImportRecord, tools: JobTools, isRehearsal: boolean): Promise<void> {
    const { fields, words, database, pieces } = this.#parts
    const workspace = await tools.unit(async (ctx) => ctx.workspace.id)
    await using file = await pieces.local(workspace, record.id)
    const chunkSize = chunkSizes[database.kind]
    const readable = { ...record, path: file.path }
    await new ImportRun({ fields, words, tools, file: readable, record, isRehearsal, chunkSize }).run()
  }

  async #takeBack(record: ImportRecord, tools: JobTools): Promise<void> {
    const { words } = this.#parts
    const { id, resource, fileName } = record
    const units = await tools.unit((ctx) => unitsOf(ctx, id))
    for (const [index, changeSet] of units.entries()) {
      await tools.unit(
        async (ctx) => {
          const reversals = await takeBackSet(ctx, changeSet, {
            words,
            isOwn: sql<SqlBool>`s.origin = 'import' and s.request = ${id}`,
            scopeOf: (of, { own, system }) => (isManaged(of) && ctx.authority.may('core.user.manage') ? system : own),
          })
          await keepReversals(ctx, id, changeSet, reversals)
          await tools.progress(index + 1, units.length, ctx)
        },
        { origin: 'import', reason: fileName, request: id, undoOf: changeSet },
      )
    }
    await tools.unit(async (ctx) => {
      await tools.progress(units.length, units.length, ctx)
      if (!(await end(ctx, record, 'rolled_back'))) return
      ctx.emit(ImportRolledBack, { import: id, resource, ...(await reversalCounts(ctx, id)) }, { key: id })
    })
  }

  /** @throws `PERMISSION_DENIED`, `IMPORT_RESOURCE_CLOSED` */
  async demandTarget(ctx: Context, id: string): Promise<ImportTarget> {
    const { catalog, exists } = (ctx.records as RecordEngine).scope
    const resource = catalog.get(id)
    if (!resource || !exists(resource)) throw importResourceClosed({ resource: id.slice(0, 60) })
    const target = targetOf(resource)
    if (target.closed) throw importResourceClosed({ resource: id })
    if (!target.mayImport(ctx)) throw permissionDenied({ permission: `${id}.import` })
    return target
  }

  async create(ctx: Context, target: ImportTarget, file: ReceivedFile): Promise<ImportJson> {
    const words = this.#parts.words.in(ctx.workspace)
    const { resource } = target
    const { columns, lines } = file.profile
    const fields = fillable(ctx, words, target)
    const known = await this.#knownValues(ctx, fields, columns)
    const proposed = proposeMapping({ resource, fields, columns, words, known }).map((it) =>
      isReason(words, columns, it.column) ? { column: it.column, field: null } : it,
    )
    const mapping = this.#completed(resource, fields, proposed)
    const aliases = await proposeAliases({
      ctx,
      ...this.#parts,
      catalog: this.#parts.fields.lastKnown(ctx.workspace.id),
      resource,
      columns,
      mapping,
    })
    await insertImport(ctx, {
      id: file.id,
      resource: resource.id,
      format: file.format,
      fileName: file.name,
      fileSize: file.size,
      encoding: file.encoding,
      delimiter: file.delimiter,
      skippedLines: file.skippedLines,
      lines,
      columns,
      mapping,
      aliases,
      // By a field that is hidden from them nobody finds records.
      key: proposeKey(resource, mapping, columns, ctx.authority.compile(resource, 'read').readable),
      options: {},
    })
    return this.get(ctx, file.id)
  }

  async get(ctx: Context, id: string): Promise<ImportJson> {
    const record = await importOf(ctx, id)
    const counts = await countsOf(ctx, [record])
    const header = record.columns.map(({ name }) => name)
    const sample = await sampleOf(ctx, { id, phase: phaseOf(record) }, sampleSize)
    return asJson(record, {
      problem: shownProblem(ctx, record),
      counts: counts.get(id),
      sample: mayRead(ctx, record.resource)
        ? await shownRows(ctx, this.#parts.words.in(ctx.workspace), record, sample)
        : [],
      recipes: open.includes(record.state) ? await recipesFor(ctx, record.resource, header) : [],
      reversal: isTakenBack(record) ? await reversalCounts(ctx, id) : undefined,
    })
  }

  /** An import whose lines are asked for. @throws `PERMISSION_DENIED` (403) for who may not read its records any more */
  async read(ctx: Context, id: string): Promise<ImportRecord> {
    const record = await importOf(ctx, id)
    demandRead(ctx, record.resource)
    return record
  }

  async rows(ctx: Context, record: ImportRecord, phase: ImportPhase, query: RowQuery): Promise<KeptRow[]> {
    const rows = await rowsOfImport(ctx, { id: record.id, phase }, query)
    return shownRows(ctx, this.#parts.words.in(ctx.workspace), record, rows)
  }

  /** What a roll back left as it was, or not in every field. */
  async kept(ctx: Context, id: string, after: string | undefined, most: number): ReturnType<typeof shownReversals> {
    return shownReversals(ctx, await importOf(ctx, id), await keptOf(ctx, id, after, most))
  }

  async list(ctx: Context, resource?: string): Promise<ImportJson[]> {
    const records = await importsOf(ctx, mostListed, resource)
    const counts = await countsOf(ctx, records)
    return records.map((record) =>
      asJson(record, {
        problem: shownProblem(ctx, record),
        counts: counts.get(record.id),
        sample: [],
        recipes: [],
      }),
    )
  }

  /** @throws `IMPORT_MAPPING_INVALID` (422), `TRANSITION_REFUSED` (409) while it runs and afterwards */
  async change(ctx: Context, id: string, asked: ImportRequest): Promise<ImportJson> {
    const { fields } = this.#parts
    const words = this.#parts.words.in(ctx.workspace)
    const catalog = fields.lastKnown(ctx.workspace.id)
    const record = await heldImport(ctx, id)
    const target = await this.demandTarget(ctx, record.resource)
    if (!open.includes(record.state)) throw importStateRefused({ state: record.state, action: 'changed' })
    const { resource } = target
    const { columns } = record
    const request =
      asked.recipe === undefined ? asked : { ...(await recipeOf(ctx, resource.id, asked.recipe)), ...defined(asked) }
    const mapping = this.#completed(resource, fillable(ctx, words, target), request.mapping ?? record.mapping)
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
    const proposed = await proposeAliases({ ctx, ...this.#parts, catalog, resource, columns, mapping })
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

  /** Takes back what a run did, but for what was changed or used since. */
  async rollBack(ctx: Context, id: string): Promise<ImportJson> {
    const { startedAt } = await heldImport(ctx, id)
    const ended: ImportState[] = ['done', 'cancelled', 'failed']
    // What failed or was cancelled before its first line has nothing to take back; what wrote some has, whatever was chosen or
    // rehearsed since.
    const from: ImportState[] =
      (await unitsOf(ctx, id)).length > 0 ? [...ended, 'mapped', 'rehearsed'] : startedAt === null ? [] : ended
    return this.#begin(ctx, id, 'rolling_back', from)
  }

  /** Lets it wait after the lines it is at. */
  async pause(ctx: Context, id: string): Promise<ImportJson> {
    return this.#steer(ctx, id, { from: ['running', 'rolling_back'], action: 'paused', by: pauseJob })
  }

  async resume(ctx: Context, id: string): Promise<ImportJson> {
    return this.#steer(ctx, id, { from: ['paused'], action: 'resumed', by: resumeJob })
  }

  /** Stops it for good; what it has done so far stays, and can be rolled back. */
  async cancel(ctx: Context, id: string): Promise<ImportJson> {
    return this.#steer(ctx, id, { from: working, action: 'cancelled', by: cancelJob })
  }

  async #steer(
    ctx: Context,
    id: string,
    {
      from,
      action,
      by,
    }: { from: readonly ImportState[]; action: string; by: (ctx: Context, job: string) => Promise<void> },
  ): Promise<ImportJson> {
    const { state, job } = await importOf(ctx, id)
    if (!from.includes(state) || job === null) throw importStateRefused({ state, action })
    await by(ctx, job)
    return this.get(ctx, id)
  }

  async #begin(ctx: Context, id: string, work: Work['work'], from: readonly ImportState[]): Promise<ImportJson> {
    const { fields, words, jobs } = this.#parts
    const catalog = fields.lastKnown(ctx.workspace.id)
    const record = await heldImport(ctx, id)
    const target = await this.demandTarget(ctx, record.resource)
    if (work !== 'rolling_back') {
      const plan = await planOf({ ctx, catalog, words, target, ...record })
      if (plan.entries.length === 0)
        throw importMappingInvalid({ column: record.fileName, reason: 'nothing', value: '' })
    }
    if (!from.includes(record.state)) throw importStateRefused({ state: record.state, action: participles[work] })
    await begin(ctx, id, work)
    const payload: Work = { import: id, work }
    await keepJob(
      ctx,
      id,
      await jobs.enqueue({ workspace: ctx.workspace.id, kind: jobKind, payload: { ...payload } }, ctx),
    )
    return this.get(ctx, id)
  }

  /** Forgets the file and what is kept of its lines; records and their history stay. */
  async remove(ctx: Context, id: string): Promise<void> {
    const { state } = await heldImport(ctx, id)
    if (working.includes(state)) throw importStateRefused({ state, action: 'removed' })
    await removeImport(ctx, id)
    await removePieces(ctx.sql, ctx.workspace.id, id)
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
      const target = this.#parts.fields.lastKnown(ctx.workspace.id).get(field.target ?? '')
      if (!target || all.length === 0) continue
      for (const by of new Set([target.title, ...(target.options.keys ?? []), ...ownKeys(target)])) {
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

/** The two columns that a file of refused lines has beside its own. */
function isReason(words: Words, columns: readonly ColumnProfile[], column: string): boolean {
  const last = columns.slice(-2).map(({ name }) => name)
  return (['en', 'fr'] as const).some((locale) => {
    const own = [words.say(locale, 'core.import.line'), words.say(locale, 'core.import.problems')]
    return own.every((name, at) => last[at] === name) && own.includes(column)
  })
}

function fillable(ctx: Context, words: Words, target: ImportTarget): FieldModel[] {
  const { resource } = target
  return resource.all.filter(({ name }) => target.mayWrite(ctx, name)).flatMap((it) => inParts(words, resource, it))
}

const participles = { rehearsing: 'rehearsed', running: 'run', rolling_back: 'rolled back' } as const

function isTakenBack({ state, work }: ImportRecord): boolean {
  return state === 'rolled_back' || work === 'rolling_back'
}

/** What somebody sent, without what they left out. */
function defined(request: ImportRequest): ImportRequest {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
}

const noCounts = { create: 0, update: 0, unchanged: 0, skip: 0, failed: 0, done: 0 }

interface Shown {
  readonly problem: ImportRecord['problem']
  readonly counts: ImportCounts | undefined
  readonly sample: ImportJson['sample']
  readonly recipes: readonly RecipeOffer[]
  readonly reversal?: ReversalCounts | undefined
}

function asJson(record: ImportRecord, { problem, counts, sample, recipes, reversal }: Shown): ImportJson {
  const { id, resource, state, mapping, aliases, key, options, createdAt, startedAt, finishedAt } = record
  return {
    id,
    resource,
    state,
    file: { name: record.fileName, size: record.fileSize, format: record.format },
    encoding: nameOfEncoding(record.encoding),
    delimiter: record.delimiter,
    columns: record.columns.map(({ name, samples, empty }) => ({ name, samples, empty })),
    mapping,
    aliases,
    key,
    options,
    counts: counts ?? { lines: record.lines, ...noCounts },
    sample,
    recipes,
    digest: { rehearsed: record.rehearsedDigest, applied: record.appliedDigest },
    createdAt,
    ...(reversal ? { reversal } : {}),
    ...(record.job === null ? {} : { job: record.job }),
    ...(record.work === null ? {} : { work: record.work }),
    ...(startedAt === null ? {} : { startedAt }),
    ...(finishedAt === null ? {} : { finishedAt }),
    ...(problem === null ? {} : { problem }),
  }
}
