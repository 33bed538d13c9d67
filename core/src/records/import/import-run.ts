import { createHash } from 'node:crypto'
import type { Context } from '../../context.ts'
import { SocleError } from '../../errors.ts'
import type { JobTools } from '../../jobs/job.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import type { Words } from '../../words.ts'
import type { OwnFields } from '../fields/own-fields.ts'
import { Drafts, type Draft } from './drafts.ts'
import { referenceCircular } from './errors.ts'
import { ImportCompleted } from './events.ts'
import type { ImportPhase, ImportRecord } from './import.ts'
import { planOf, type Plan } from './plan.ts'
import { recordsOf } from './readers.ts'
import { problemFrom } from './refused-line.ts'
import { RowWriter } from './row-writer.ts'
import { countsOf, end, keepRows, linesKept, waitingLines, type LinesOf, type RowOutcome } from './store.ts'
import type { FileRow, ReadableFile } from './tables.ts'
import { targetOf } from './targets.ts'

export interface RunParts {
  readonly fields: OwnFields
  readonly words: Words
  readonly tools: JobTools
  readonly file: ReadableFile
  readonly record: ImportRecord
  /** A rehearsal does everything a run does, and takes each chunk back. */
  readonly isRehearsal: boolean
  /** Lines in a unit of work. */
  readonly chunkSize: number
}

/** Lines shown with what they come to. */
export const sampleSize = 20

/** Carries what a rehearsed chunk came to out of the unit that is undone. */
class TakenBack extends Error {
  readonly outcomes: readonly RowOutcome[]

  constructor(outcomes: readonly RowOutcome[]) {
    super('A rehearsal leaves nothing behind.')
    this.outcomes = outcomes
  }
}

/**
 * Brings the lines of a file through the one write path, some hundred to a unit of work. Lines that refer to others of
 * the file wait until those are records; lines already dealt with are passed over, so that it can be started again.
 */
export class ImportRun {
  readonly #parts: RunParts
  readonly #lines: LinesOf
  #done = 0

  constructor(parts: RunParts) {
    this.#parts = parts
    const phase: ImportPhase = parts.isRehearsal ? 'rehearsal' : 'run'
    this.#lines = { id: parts.record.id, phase }
  }

  async run(): Promise<void> {
    await this.#readFile()
    await this.#settleWaiting()
    const { record, isRehearsal, tools } = this.#parts
    await this.#unit(async (ctx) => {
      await tools.progress(this.#done, record.lines, ctx)
      const isOver = await end(ctx, record, isRehearsal ? 'rehearsed' : 'done')
      if (isOver && !isRehearsal) await tell(ctx, record)
    })
  }

  async #readFile(): Promise<void> {
    let rows: FileRow[] = []
    let isHeader = true
    for await (const row of recordsOf(this.#parts.file)) {
      if (isHeader) {
        isHeader = false
        continue
      }
      rows.push(row)
      if (rows.length < this.#parts.chunkSize) continue
      await this.#chunk(rows, 'first')
      rows = []
    }
    if (rows.length > 0) await this.#chunk(rows, 'first')
  }

  /**
   * Waves: each writes the lines whose targets the waves before have made. When nothing moves any more, names that no
   * line has are made or refused; what then still waits, waits for itself.
   */
  async #settleWaiting(): Promise<void> {
    let isLast = false
    for (;;) {
      const { waiting, moved } = await this.#wave(isLast ? 'last' : 'wave')
      if (waiting === 0) return
      if (!moved && isLast) return this.#refuseWaiting()
      isLast = !moved
    }
  }

  async #wave(pass: 'wave' | 'last'): Promise<{ waiting: number; moved: boolean }> {
    const { chunkSize } = this.#parts
    let after = 0
    let waiting = 0
    let moved = false
    for (;;) {
      const lines = await this.#unit((ctx) => waitingLines(ctx, this.#lines, after, chunkSize))
      const last = lines.at(-1)
      if (!last) return { waiting, moved }
      after = last.line
      const outcomes = await this.#chunk(
        lines.map((it) => ({ ...it, whole: true })),
        pass,
      )
      const still = outcomes.filter(({ state }) => state === 'waiting').length
      waiting += still
      moved ||= still < lines.length
    }
  }

  async #refuseWaiting(): Promise<void> {
    const { chunkSize, record, tools } = this.#parts
    for (;;) {
      const refused = await this.#unit(async (ctx) => {
        const lines = await waitingLines(ctx, this.#lines, 0, chunkSize)
        const drafts = await this.#drafts(
          ctx,
          lines.map((it) => ({ ...it, whole: true })),
          'wave',
        )
        const outcomes = drafts.all.map((draft) => {
          const [missing] = draft.missing
          const problem = problemFrom(
            missing?.entry.field.name ?? '',
            referenceCircular({ value: missing?.text ?? '' }),
          )
          return outcomeOf({
            ...draft,
            problems: [...draft.problems, problem],
          })
        })
        await keepRows(ctx, this.#lines, outcomes)
        await tools.progress(this.#come(outcomes), record.lines, ctx)
        return outcomes.length
      })
      if (refused === 0) return
    }
  }

  /** One unit of work, with what every line of it came to. */
  async #chunk(given: readonly FileRow[], pass: 'first' | 'wave' | 'last'): Promise<readonly RowOutcome[]> {
    const { record, isRehearsal, tools } = this.#parts
    let outcomes: readonly RowOutcome[] = []
    if (isRehearsal) {
      const rows =
        pass !== 'first'
          ? given
          : await this.#unit(async (ctx) => {
              const fresh = await this.#fresh(ctx, given)
              await tools.progress(undefined, undefined, ctx)
              return fresh
            })
      if (rows.length > 0) outcomes = await this.#takenBack(async (ctx) => this.#process(ctx, rows, pass))
      await this.#unit(async (ctx) => {
        await keepRows(ctx, this.#lines, outcomes)
        await tools.progress(this.#come(outcomes), record.lines, ctx)
      })
      return outcomes
    }
    return this.#unit(async (ctx) => {
      const rows = pass === 'first' ? await this.#fresh(ctx, given) : given
      const came = rows.length > 0 ? await this.#process(ctx, rows, pass) : []
      await keepRows(ctx, this.#lines, came)
      await tools.progress(this.#come(came), record.lines, ctx)
      return came
    })
  }

  /** How many lines wait for nothing any more, those of an interrupted run among them. */
  #come(outcomes: readonly RowOutcome[]): number {
    this.#done += outcomes.filter(({ state }) => state !== 'waiting').length
    return this.#done
  }

  /** Lines nobody has dealt with; values that may stand in one line only are kept before, so that a rehearsal keeps them too. */
  async #fresh(ctx: Context, rows: readonly FileRow[]): Promise<readonly FileRow[]> {
    const numbers = rows.map(({ line }) => line)
    const kept = await linesKept(ctx, this.#lines, numbers)
    this.#done += kept.size
    const fresh = rows.filter(({ line }) => !kept.has(line))
    const plan = await this.#planOf(ctx)
    await new Drafts({ ...this.#parts, ctx, plan, pass: 'first', lines: this.#lines }).keepKeys(fresh)
    return fresh
  }

  async #process(
    ctx: Context,
    rows: readonly FileRow[],
    pass: 'first' | 'wave' | 'last',
  ): Promise<readonly RowOutcome[]> {
    const plan = await this.#planOf(ctx)
    if (!plan.target.mayImport(ctx)) throw permissionDenied({ permission: `${plan.resource.id}.import` })
    const drafts = new Drafts({ ...this.#parts, ctx, plan, pass, lines: this.#lines })
    await drafts.take(rows)
    const writer = new RowWriter({ ctx, plan })
    await drafts.makeMissing(writer)
    await drafts.settleSuspects()
    const written = await writer.write(
      drafts.all.filter(
        ({ problems, missing, written: done }) => problems.length === 0 && missing.length === 0 && !done,
      ),
    )
    return drafts.all.map((draft) =>
      outcomeOf(written.get(draft.line) ?? draft, {
        changeSet: ctx.changeSet,
        keepsCells: plan.isLinked,
      }),
    )
  }

  async #drafts(ctx: Context, rows: readonly FileRow[], pass: 'wave'): Promise<Drafts> {
    const drafts = new Drafts({ ...this.#parts, ctx, plan: await this.#planOf(ctx), pass, lines: this.#lines })
    await drafts.take(rows)
    return drafts
  }

  #planOf(ctx: Context): Promise<Plan> {
    const { fields, words, record } = this.#parts
    const catalog = fields.lastKnown(ctx.workspace.id)
    return planOf({ ctx, catalog, words, target: targetOf(catalog.of(record.resource)), ...record })
  }

  #unit<T>(work: (ctx: Context) => Promise<T>): Promise<T> {
    const { record, tools } = this.#parts
    return tools.unit(
      async (ctx) => {
        // Somebody who is no member any more imports nothing; the platform itself has no imports.
        if (ctx.actor.id === undefined) throw permissionDenied({ permission: `${record.resource}.import` })
        return work(ctx)
      },
      { origin: 'import', reason: record.fileName, request: record.id },
    )
  }

  async #takenBack(work: (ctx: Context) => Promise<readonly RowOutcome[]>): Promise<readonly RowOutcome[]> {
    try {
      return await this.#unit(async (ctx) => {
        throw new TakenBack(await work(ctx))
      })
    } catch (error) {
      if (error instanceof TakenBack) return error.outcomes
      throw error
    }
  }
}

/** Keeps of a line what it came to; in a digest, too, so that a run can be compared with its rehearsal. */
function outcomeOf(
  draft: Draft,
  { changeSet, keepsCells = false }: { changeSet?: string | undefined; keepsCells?: boolean } = {},
): RowOutcome {
  const { line, cells, problems, missing, written } = draft
  if (problems.length > 0) {
    const outcome = { problems }
    const codes = problems.map(({ field, code }) => [field, code])
    return { line, state: 'failed', action: 'failed', cells, outcome, digest: digestOf(['failed', codes]) }
  }
  if (missing.length > 0 || !written) return { line, state: 'waiting', action: 'waiting', cells }
  const { action, record, values, changes } = written
  return {
    line,
    state: 'done',
    action,
    record,
    changeSet: action === 'create' || action === 'update' ? changeSet : undefined,
    ...(keepsCells ? { cells } : {}),
    outcome: changes ? { changes } : values ? { values } : {},
    digest: digestOf([action, values ?? null, changes ?? null]),
  }
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22)
}

async function tell(ctx: Context, record: ImportRecord): Promise<void> {
  const counts = await countsOf(ctx, [record])
  const { create = 0, update = 0, failed = 0 } = counts.get(record.id) ?? {}
  const payload = { import: record.id, resource: record.resource, created: create, updated: update, failed }
  ctx.emit(ImportCompleted, payload, { key: record.id })
}

/** What kept an import from its end, as its screen says it. */
export function problemOf(error: unknown, words: Words, locale: Context['locale']): ImportRecord['problem'] {
  if (error instanceof SocleError) return { code: error.code, detail: words.sentence(locale, error) }
  return { code: 'INTERNAL_ERROR', detail: words.say(locale, 'core.import.interrupted') }
}
