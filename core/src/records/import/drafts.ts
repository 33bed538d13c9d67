import { createHash } from 'node:crypto'
import type { Context } from '../../context.ts'
import { SocleError } from '../../errors.ts'
import type { Words } from '../../words.ts'
import { duplicateSuspected } from '../duplicates/errors.ts'
import { duplicatesOf } from '../duplicates/find.ts'
import type { RecordEngine } from '../engine.ts'
import { fieldLabel } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import { systemFields } from '../registry.ts'
import { isUuid } from '../values.ts'
import { readCell } from './cell-values.ts'
import type { FileRow } from './tables.ts'
import {
  cellCount,
  keyRepeated,
  referenceAmbiguous,
  referenceCircular,
  referenceLineRefused,
  referenceUnknown,
} from './errors.ts'
import type { ImportRecord, RowChange, RowProblem } from './import.ts'
import type { Plan, PlanEntry } from './plan.ts'
import { withoutNul } from './profile.ts'
import { findByText, type Found } from './references.ts'
import { problemFrom } from './refused-line.ts'
import { fold } from './resemblance.ts'
import type { RowWriter } from './row-writer.ts'
import { cellsOf, doneAmong, firstLines, linesNamed, madeHere, type KeyedLine, type LinesOf } from './store.ts'

/** What a line does once it is written. */
export interface Written {
  readonly action: 'create' | 'update' | 'unchanged' | 'skip'
  /** Nothing for a line that would make a record where none is to be made. */
  readonly record: string | undefined
  readonly values?: Readonly<Record<string, unknown>>
  readonly changes?: readonly RowChange[]
}

/** A reference to what is no record yet. */
export interface Missing {
  readonly entry: PlanEntry
  readonly text: string
  /** Line of the file that is to become it, when one is. */
  readonly line: number | undefined
}

/** One line on its way to a record. */
export interface Draft {
  readonly line: number
  readonly cells: readonly string[]
  /** Values for the write path, references as ids. */
  readonly values: Record<string, unknown>
  /** References as the file has them. */
  readonly texts: Record<string, string>
  readonly problems: RowProblem[]
  readonly missing: Missing[]
  /** The record it updates, as far as the actor may read it. */
  existing: RecordJson | undefined
  written: Written | undefined
}

export interface DraftsParts {
  readonly ctx: Context
  readonly plan: Plan
  readonly words: Words
  readonly record: ImportRecord
  /** Where outcomes of this rehearsal or run are kept. */
  readonly lines: LinesOf
  readonly isRehearsal: boolean
  /** `last`: what no record and no line has is made now, or refused. */
  readonly pass: 'first' | 'wave' | 'last'
}

/** Lines may refer to each other in a chain; nobody's is longer. */
const deepest = 60

/** The lines of one chunk, with everything they refer to looked up: two statements per reference, whatever their number. */
export class Drafts {
  readonly #parts: DraftsParts
  readonly all: Draft[] = []
  /** Records of earlier lines, written again in this unit because a rehearsal has taken theirs back. */
  readonly #again = new Map<number, string>()

  constructor(parts: DraftsParts) {
    this.#parts = parts
  }

  async take(rows: readonly FileRow[]): Promise<void> {
    this.all.push(...(await this.#draw(rows)))
  }

  /** Writes down which lines have which keys and names, before any of them is written. */
  async keepKeys(rows: readonly FileRow[]): Promise<void> {
    const { ctx, plan, record } = this.#parts
    const keys = rows.filter(({ whole }) => whole).flatMap((row) => keysOf(plan, row))
    if (keys.length > 0) await firstLines(ctx, record.id, keys)
  }

  async #draw(rows: readonly FileRow[]): Promise<Draft[]> {
    const { plan } = this.#parts
    const drafts = rows.map((row) => this.#read(row))
    for (const entry of plan.entries) if (entry.target) await this.#find(entry, drafts)
    await this.#findExisting(drafts)
    await this.#findRepeated(rows, drafts)
    return drafts
  }

  #problem(draft: Draft, field: string, error: SocleError): void {
    draft.problems.push(problemFrom(field, error))
  }

  #read({ line, cells, whole }: FileRow): Draft {
    const { plan, record } = this.#parts
    const draft: Draft = {
      line,
      cells,
      values: {},
      texts: {},
      problems: [],
      missing: [],
      existing: undefined,
      written: undefined,
    }
    if (!whole) {
      this.#problem(draft, '', cellCount({ cells: cells.length, columns: record.columns.length }))
      return draft
    }
    for (const entry of plan.entries) {
      const text = entry.text(cells)
      const { name } = entry.field
      if (text === '') continue
      if (entry.target) {
        draft.texts[name] = withoutNul(text)
        continue
      }
      const read = readCell(text, entry.reading)
      if (!read.ok) {
        const field = entry.part ? `${name}.${entry.part}` : name
        const { fault } = read
        draft.problems.push(fault instanceof SocleError ? problemFrom(field, fault) : { field, ...fault })
      } else if (entry.part) draft.values[name] = asParts(draft.values[name], read.value)
      else draft.values[name] = read.value
    }
    return draft
  }

  async #find(entry: PlanEntry, drafts: readonly Draft[]): Promise<void> {
    const { ctx, plan } = this.#parts
    const { target, by, field } = entry
    if (!target || !by) return
    const texts = new Set(drafts.flatMap(({ texts: { [field.name]: text } }) => (text === undefined ? [] : [text])))
    if (texts.size === 0) return
    const shared = sharedReferences(plan.resource, target)
    const id = target.fields.get('id')
    const ids = [...texts].filter(isUuid)
    const names = [...texts].filter((text) => !isUuid(text))
    const found = await findByText(ctx, { target, by }, names, { folded: true, fields: shared })
    if (id && ids.length > 0)
      for (const [text, records] of await findByText(ctx, { target, by: id }, ids, { folded: false, fields: shared }))
        found.set(text, records)
    const lines = await this.#linesOf(
      entry,
      [...texts].filter((text) => !found.has(text)),
    )
    for (const draft of drafts) {
      const text = draft.texts[field.name]
      if (text === undefined) continue
      const records = narrowed(found.get(text) ?? [], shared, draft.values)
      const [first] = records
      if (records.length > 1) {
        const count = records.length
        this.#problem(draft, field.name, referenceAmbiguous({ value: text, ...this.#named(entry), count }))
      } else if (first) draft.values[field.name] = first.id
      else this.#without(draft, entry, text, lines.get(keyForm(fold(text))))
    }
  }

  /** How a reference is called where it is refused. */
  #named({ target, by }: PlanEntry): { target: string; by: string } {
    const { words, ctx } = this.#parts
    const one = `${target?.id}.one`
    return {
      target: words.has(one) ? words.say(ctx.locale, one) : (target?.entity ?? ''),
      by: target && by ? fieldLabel(words, ctx.locale, target.id, by) : '',
    }
  }

  /** Lines of this file that are named so; nobody asks while the file is still read. */
  async #linesOf(entry: PlanEntry, texts: readonly string[]): ReturnType<typeof linesNamed> {
    const { ctx, lines, pass } = this.#parts
    if (!this.#mayBeLine(entry) || pass === 'first' || texts.length === 0) return new Map()
    return linesNamed(
      ctx,
      lines,
      nameKey,
      texts.map((text) => keyForm(fold(text))),
    )
  }

  /** Whether a reference may mean another line of this file. */
  #mayBeLine({ target, by }: PlanEntry): boolean {
    const { resource, named } = this.#parts.plan
    return target === resource && named !== undefined && named.field === by
  }

  #without(
    draft: Draft,
    entry: PlanEntry,
    text: string,
    other: { line: number; state: 'waiting' | 'done' | 'failed' } | undefined,
  ): void {
    const { pass, isRehearsal } = this.#parts
    const { name } = entry.field
    const missing = { entry, text, line: other?.line }
    // Another line may be it: the file has to be read to its end first.
    const mayCome = this.#mayBeLine(entry)
    if (mayCome && pass === 'first') draft.missing.push(missing)
    else if (other?.line === draft.line) this.#problem(draft, name, referenceCircular({ value: text }))
    else if (other?.state === 'failed')
      this.#problem(draft, name, referenceLineRefused({ value: text, line: other.line }))
    else if (other?.state === 'waiting') draft.missing.push(missing)
    else if (other?.state === 'done' && isRehearsal) draft.missing.push(missing)
    else if (mayCome && other === undefined && pass === 'wave') draft.missing.push(missing)
    else if (entry.create && other === undefined) draft.missing.push(missing)
    else this.#problem(draft, name, referenceUnknown({ value: text, ...this.#named(entry) }))
  }

  async #findExisting(drafts: readonly Draft[]): Promise<void> {
    const { ctx, plan } = this.#parts
    const { key, resource } = plan
    if (!key) return
    const { field } = key
    const texts = new Map(drafts.map((draft) => [draft, keyText(field, draft.values[field.name])]))
    const wanted = [...texts.values()].filter((text) => text !== '')
    const fields = this.#comparedFields()
    // Codes are what they are; a name is the same in capitals.
    const folded = field.name === resource.title
    const found = await findByText(ctx, { target: resource, by: field }, wanted, { folded, fields })
    for (const [draft, text] of texts) {
      const records = found.get(text) ?? []
      if (records.length > 1) {
        const named = this.#named({ ...key, target: resource, by: key.field })
        this.#problem(draft, key.field.name, referenceAmbiguous({ value: text, ...named, count: records.length }))
      } else draft.existing = records[0]
    }
  }

  async #findRepeated(rows: readonly FileRow[], drafts: readonly Draft[]): Promise<void> {
    const { ctx, plan, record, pass } = this.#parts
    if (plan.unique.length === 0 || pass !== 'first') return
    const keys = rows.map((row) => (row.whole ? keysOf(plan, row).filter(({ field }) => field !== nameKey) : []))
    const first = await firstLines(ctx, record.id, keys.flat())
    for (const [index, draft] of drafts.entries()) {
      for (const key of keys[index] ?? []) {
        const line = first(key)
        if (line !== undefined && line !== draft.line)
          this.#problem(draft, key.field, keyRepeated({ value: key.value, line }))
      }
    }
  }

  /**
   * Asks for all new records at once what they may be the same as, and does with those lines what was chosen for them.
   * Lines are not compared with each other, whichever of them are records by then: a rehearsal has none of them.
   */
  async settleSuspects(): Promise<void> {
    const { ctx, plan, record } = this.#parts
    const { scope } = plan.target.records(ctx) as RecordEngine
    const { duplicates = 'refuse', mode } = plan.options
    const fresh = this.all.filter(
      ({ existing, problems, missing }) => !existing && problems.length === 0 && missing.length === 0,
    )
    if (duplicates === 'import' || mode === 'update' || fresh.length === 0) return
    const found = await duplicatesOf(
      scope,
      plan.resource,
      fresh.map(({ values }) => values),
      (ids) => madeHere(ctx, record, ids),
    )
    const best = fresh.flatMap((draft, index) => {
      const [first, ...others] = found[index] ?? []
      return first ? [{ draft, first, all: [first, ...others] }] : []
    })
    if (best.length === 0) return
    if (duplicates === 'skip') {
      for (const { draft, first } of best) draft.written = { action: 'skip', record: first.record }
      return
    }
    if (duplicates === 'update') {
      const records = await this.#existingByIds(best.map(({ first }) => first.record))
      for (const { draft, first } of best) draft.existing = records.get(first.record)
      return
    }
    // Their titles are told to whoever reads the line, as far as they may.
    for (const { draft, first, all } of best) {
      this.#problem(draft, '', duplicateSuspected({ title: first.record, count: all.length }))
      const candidates = all.map(({ record: id, score }) => ({ id, score }))
      const problem = draft.problems.pop()
      if (problem) draft.problems.push({ ...problem, candidates })
    }
  }

  async #existingByIds(ids: readonly string[]): Promise<Map<string, RecordJson>> {
    const { ctx, plan } = this.#parts
    const id = plan.resource.fields.get('id')
    if (!id) return new Map()
    const found = await findByText(ctx, { target: plan.resource, by: id }, ids, {
      folded: false,
      fields: this.#comparedFields(),
    })
    return new Map([...found].flatMap(([text, [record]]) => (record ? [[text, record] as const] : [])))
  }

  /** What is read of a record that a line may change: the mapped fields, as far as the actor may read them. */
  #comparedFields(): FieldModel[] {
    const { ctx, plan } = this.#parts
    const access = ctx.authority.compile(plan.resource, 'read')
    return plan.resource.all.filter(
      ({ name }) =>
        plan.entries.some(({ field }) => field.name === name) && (systemFields.has(name) || access.readable(name)),
    )
  }

  /** Makes what lines refer to and nobody has, where the mapping says so; in a rehearsal also what was taken back. */
  async makeMissing(writer: RowWriter): Promise<void> {
    await this.#makeMissing(this.all, writer, 0)
  }

  async #makeMissing(drafts: readonly Draft[], writer: RowWriter, depth: number): Promise<void> {
    await this.#writeAgain(drafts, writer, depth)
    const { pass } = this.#parts
    for (const draft of drafts) {
      if (draft.problems.length > 0) continue
      for (const missing of [...draft.missing]) {
        const { entry, text, line } = missing
        const isOurs = (pass === 'last' || !this.#mayBeLine(entry)) && line === undefined && entry.create
        if (!isOurs || !entry.target || !entry.by) continue
        const made = await writer.make(entry.target, entry.by, text)
        if (made.ok) this.#settle(draft, missing, made.id)
        else draft.problems.push({ field: entry.field.name, ...made.problem })
      }
    }
  }

  async #writeAgain(drafts: readonly Draft[], writer: RowWriter, depth: number): Promise<void> {
    const { ctx, lines: ofPhase, isRehearsal } = this.#parts
    if (!isRehearsal || depth > deepest) return
    const open = () =>
      drafts.flatMap((draft) =>
        draft.missing.filter(({ line }) => line !== undefined).map((missing) => ({ draft, missing })),
      )
    const wanted = new Set(open().flatMap(({ missing: { line } }) => (line === undefined ? [] : [line])))
    const lines = await this.#doneLines([...wanted].filter((line) => !this.#again.has(line)))
    if (lines.length > 0) {
      const rows = (await cellsOf(ctx, ofPhase, lines)).map((it) => ({ ...it, whole: true }))
      const again = await this.#draw(rows)
      await this.#makeMissing(again, writer, depth + 1)
      const ready = again.filter(({ problems, missing }) => problems.length === 0 && missing.length === 0)
      for (const [line, draft] of await writer.write(ready))
        if (draft.written?.record !== undefined) this.#again.set(line, draft.written.record)
    }
    for (const { draft, missing } of open()) {
      const id = this.#again.get(missing.line ?? -1)
      if (id !== undefined) this.#settle(draft, missing, id)
    }
  }

  /** Lines that are done; those that wait come in a later wave. */
  async #doneLines(lines: readonly number[]): Promise<number[]> {
    const { ctx, lines: ofPhase } = this.#parts
    return lines.length === 0 ? [] : doneAmong(ctx, ofPhase, lines)
  }

  #settle(draft: Draft, missing: Missing, id: string): void {
    draft.values[missing.entry.field.name] = id
    draft.missing.splice(draft.missing.indexOf(missing), 1)
  }
}

/** An address with one more part. */
const asParts = (...parts: unknown[]): unknown => Object.assign({}, ...parts)

const nameKey = 'name of a line'
const longestKey = 200

/** A value as it is compared and kept in an index, which takes no long ones. */
function keyForm(text: string): string {
  const kept = withoutNul(text)
  return kept.length <= longestKey ? kept : createHash('sha256').update(kept).digest('hex')
}

function keysOf({ unique, named }: Plan, { line, cells }: FileRow): KeyedLine[] {
  const keys = unique.map(({ entry, form }) => ({ field: entry.field.name, value: form(entry.text(cells)) }))
  if (named) keys.push({ field: nameKey, value: fold(named.text(cells)) })
  return keys.filter(({ value }) => value !== '').map((key) => ({ ...key, value: keyForm(key.value), line }))
}

/** A key as records have it. */
function keyText({ type }: FieldModel, value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = withoutNul(String(value))
  return type === 'email' ? text.toLowerCase() : text
}

/** References that a resource and the target of one of its references have in common: the pipeline of a stage. */
function sharedReferences(resource: Resource, target: Resource): FieldModel[] {
  return target.all.filter(
    ({ name, type, target: pointed }) =>
      type === 'reference' && name !== 'id' && resource.fields.get(name)?.target === pointed,
  )
}

/** Of namesakes those that agree with the line's other references. */
function narrowed(records: Found, shared: readonly FieldModel[], values: Readonly<Record<string, unknown>>): Found {
  if (records.length < 2) return records
  return records.filter((record) =>
    shared.every(({ name }) => values[name] === undefined || record[name] === values[name]),
  )
}
