import { isDatabaseError, ruleOf, type DatabaseError } from '../../database/database-error.ts'
import type { Context } from '../../context.ts'
import { SocleError } from '../../errors.ts'
import type { RecordEngine } from '../engine.ts'
import type { FieldModel } from '../model.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import { sameValue } from '../values.ts'
import type { Draft, Written } from './drafts.ts'
import { lineBreaksRule } from './errors.ts'
import type { RowChange, RowProblem } from './import.ts'
import type { Plan } from './plan.ts'
import { problemFrom } from './refused-line.ts'
import { fold } from './resemblance.ts'
import { targetOf } from './targets.ts'

export interface WriterParts {
  readonly ctx: Context
  readonly plan: Plan
}

type Problem = Omit<RowProblem, 'field'>

/** Lines that are tried together; one that is refused sends its fellows through one by one. */
const together = 50

/** Sends lines down the write path. A line that is refused is undone alone and says why. */
export class RowWriter {
  readonly #parts: WriterParts
  readonly #made = new Map<string, { ok: true; id: string } | { ok: false; problem: Problem }>()

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  /** @returns the lines by their number, each with what it came to or with its problems */
  async write(drafts: readonly Draft[]): Promise<ReadonlyMap<number, Draft>> {
    const { target } = this.#parts.plan
    const isPlain = (draft: Draft) => !target.wrote && this.#isNew(draft)
    await this.#createEach(drafts.filter(isPlain))
    const others = drafts.filter((draft) => !isPlain(draft))
    for (let start = 0; start < others.length; start += together) {
      const group = others.slice(start, start + together)
      // A savepoint for each line would cost as much as half its write.
      if (await this.#all(group)) continue
      for (const draft of group) await this.#alone(draft)
    }
    return new Map(drafts.map((draft) => [draft.line, draft]))
  }

  /** Makes a record that only has a name, once for all lines that refer to it. */
  async make(
    resource: Resource,
    by: FieldModel,
    text: string,
  ): Promise<{ ok: true; id: string } | { ok: false; problem: Problem }> {
    const key = `${resource.id}\u0001${by.name}\u0001${fold(text)}`
    const known = this.#made.get(key)
    if (known) return known
    const { ctx } = this.#parts
    const target = targetOf(resource)
    let made: { ok: true; id: string } | { ok: false; problem: Problem }
    try {
      const record = await this.#part(async () => {
        const values = { ...target.defaults(ctx), [by.name]: text }
        return target.records(ctx).create(resource.id, values, checked)
      })
      made = { ok: true, id: record.id }
    } catch (error) {
      const [problem] = this.#problemsOf(error)
      made = { ok: false, problem: { ...problem, code: problem?.code ?? '', detail: problem?.detail ?? '' } }
    }
    this.#made.set(key, made)
    return made
  }

  async #all(group: readonly Draft[]): Promise<boolean> {
    try {
      const written = await this.#part(async () => {
        const results: Written[] = []
        for (const draft of group) results.push(await this.#one(draft))
        return results
      })
      for (const [index, draft] of group.entries()) draft.written = written[index]
      return true
    } catch (error) {
      this.#problemsOf(error)
      return false
    }
  }

  async #alone(draft: Draft): Promise<void> {
    try {
      draft.written = await this.#part(() => this.#one(draft))
    } catch (error) {
      draft.problems.push(...this.#problemsOf(error))
    }
  }

  #part<T>(work: () => Promise<T>): Promise<T> {
    return (this.#parts.ctx.records as RecordEngine).part(work)
  }

  #isNew({ existing }: Draft): boolean {
    return !existing && this.#parts.plan.options.mode !== 'update'
  }

  async #one(draft: Draft): Promise<Written> {
    const { existing } = draft
    if (this.#isNew(draft)) return this.#create(draft)
    if (existing && this.#parts.plan.options.mode !== 'create') return this.#update(draft, existing)
    return { action: 'skip', record: existing?.id }
  }

  async #createEach(drafts: readonly Draft[]): Promise<void> {
    const { plan, ctx } = this.#parts
    const { target, resource } = plan
    const inputs = drafts.map(({ values }) => ({ ...target.defaults(ctx), ...values }))
    const outcomes = await (target.records(ctx) as RecordEngine).createEach(resource.id, inputs, checked)
    for (const [index, outcome] of outcomes.entries()) {
      const draft = drafts[index]!
      if ('error' in outcome) draft.problems.push(...this.#problemsOf(outcome.error))
      else draft.written = madeOf(draft, outcome.record)
    }
  }

  async #create(draft: Draft): Promise<Written> {
    const { plan, ctx } = this.#parts
    const { target, resource } = plan
    const record = await target.records(ctx).create(resource.id, { ...target.defaults(ctx), ...draft.values }, checked)
    await target.wrote?.(ctx, record, draft.values)
    return madeOf(draft, record)
  }

  async #update({ values, texts }: Draft, existing: RecordJson): Promise<Written> {
    const { plan, ctx } = this.#parts
    const { target, resource } = plan
    const inParts = new Set(plan.entries.filter(({ part }) => part).map(({ field }) => field.name))
    const own = new Set(plan.entries.filter(({ onlyNew }) => onlyNew).map(({ field }) => field.name))
    const wanted = Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => !own.has(name))
        // A file says nothing of the parts of an address it has no columns for.
        .map(
          ([name, value]) =>
            [name, inParts.has(name) ? { ...asObject(existing[name]), ...asObject(value) } : value] as const,
        )
        .filter(([name, value]) => !sameValue(existing[name], value)),
    )
    const unchanged: Written = { action: 'unchanged', record: existing.id }
    if (Object.keys(wanted).length === 0) return unchanged
    const record = await target.records(ctx).update(resource.id, existing, wanted)
    // Guards may have made of it what stood there before. Of a field that is hidden from who imports, that would tell its value.
    const { readable } = ctx.authority.compile(resource, 'read')
    if (record.version === existing.version && Object.keys(wanted).every(readable)) return unchanged
    await target.wrote?.(ctx, record, wanted)
    const changes = Object.keys(wanted)
      .toSorted()
      .map((field): RowChange => ({
        field,
        old: existing[field] ?? null,
        new: texts[field] ?? record[field] ?? wanted[field],
      }))
    return { action: 'update', record: existing.id, changes }
  }

  /** What a refusal says of a line; anything else is no line's fault and ends the import. */
  #problemsOf(error: unknown): RowProblem[] {
    if (error instanceof SocleError && error.status < 500) {
      const { errors = [] } = error.extras
      if (errors.length > 0) return errors.map(({ path, ...fault }) => ({ field: path.replace(/^\//, ''), ...fault }))
      return [problemFrom('', error)]
    }
    if (isRuleOfDatabase(error)) return [problemFrom('', lineBreaksRule({ reason: ruleOf(error) }))]
    throw error
  }
}

/** Likely duplicates were asked for before, for all lines at once. */
const checked = { duplicates: 'checked' } as const

function madeOf({ values, texts }: Draft, record: RecordJson): Written {
  const shown: Record<string, unknown> = {}
  for (const name of Object.keys(values).toSorted()) shown[name] = texts[name] ?? record[name] ?? values[name]
  return { action: 'create', record: record.id, values: shown }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

/** Integrity, data and raised exceptions: PostgreSQL manual, appendix A, classes 22, 23 and P0. */
function isRuleOfDatabase(error: unknown): error is DatabaseError {
  return isDatabaseError(error) && /^(?:22|23|P0)/.test(error.code)
}
