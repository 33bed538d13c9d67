import type { Context } from '../../context.ts'
import { mayBeTold } from '../../permissions/told-rights.ts'
import type { Words } from '../../words.ts'
import type { RecordEngine } from '../engine.ts'
import { recordChangedSince } from '../errors.ts'
import { calledBy, namedFault, optionLabel } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import { asReadable, asShown, demandAction, recordsByIds, shownFields } from '../read.ts'
import { untold } from '../refusals.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { importResourceClosed } from './errors.ts'
import type { ImportRecord, ImportRow, RowProblem } from './import.ts'
import type { Reversal } from '../take-back.ts'

function read(ctx: Context, id: string) {
  const { scope } = ctx.records as RecordEngine
  const resource = scope.catalog.get(id)
  return { scope, resource: resource && scope.exists(resource) ? resource : undefined }
}

/** Whether somebody reads the records of a kind at all. */
export function mayRead(ctx: Context, id: string): boolean {
  const { scope, resource } = read(ctx, id)
  return resource !== undefined && scope.access(resource, 'read').allowed
}

/** @throws `PERMISSION_DENIED` (403), `IMPORT_RESOURCE_CLOSED` while the records' plugin is off */
export function demandRead(ctx: Context, id: string): { readonly scope: EngineScope; readonly resource: Resource } {
  const { scope, resource } = read(ctx, id)
  if (!resource) throw importResourceClosed({ resource: id })
  demandAction(scope, resource, 'read')
  return { scope, resource }
}

/**
 * What lines came to, as far as whoever asks may read it: rights may be gone since it was kept.
 *
 * @throws whatever `demandRead` throws
 */
export async function shownRows<R extends ImportRow>(
  ctx: Context,
  words: Words,
  { resource: id, told }: Pick<ImportRecord, 'resource' | 'told'>,
  rows: readonly R[],
): Promise<R[]> {
  const { scope: own, resource } = demandRead(ctx, id)
  const isTold = mayBeTold(ctx.authority, told)
  const scope: EngineScope = { ...own, forScreens: true }
  const shown = new Map(shownFields(scope, resource).map((field) => [field.name, field]))
  const suspects = rows.flatMap(({ problems = [] }) => problems.flatMap(({ candidates = [] }) => candidates))
  const found = await recordsByIds(scope, id, [...new Set(suspects.map((it) => it.id))])
  const problemOf = ({ values, ...problem }: RowProblem): RowProblem => {
    const { candidates: [first] = [] } = problem
    if (!first && !isTold) return { field: problem.field, ...untold(ctx, problem) }
    if (!first && values) {
      const field = resource.fields.get(problem.field)
      const fault = { ...problem, values }
      if (field?.options && problem.code === 'OPTION_UNKNOWN') return withChoices(ctx, words, { id, field, fault })
      return words.fault(ctx.locale, field ? namedFault(ctx, id, field, fault) : fault)
    }
    if (!first) return problem
    const candidates = (problem.candidates ?? []).flatMap((it) => {
      const record = found[it.id]
      return record ? [{ ...it, title: String(record['title'] ?? '') }] : []
    })
    const named = { title: String(found[first.id]?.['title'] ?? first.id), count: Math.max(1, candidates.length) }
    return { ...problem, detail: words.say(ctx.locale, 'core.import.resembles', named), candidates }
  }
  return rows.map((row) => ({
    ...row,
    ...(row.values && { values: asReadable(scope, resource, row.values) }),
    ...(row.changes && {
      changes: row.changes.flatMap(({ field: name, old, new: next, ...change }) => {
        const field = shown.get(name)
        return field ? [{ ...change, field: name, old: asShown(field, old), new: asShown(field, next) }] : []
      }),
    }),
    ...(row.problems && { problems: row.problems.map(problemOf) }),
  }))
}

/** A choice that is none, beside what the file may say: choices as people call them. */
function withChoices(
  ctx: Context,
  words: Words,
  { id, field, fault }: { id: string; field: FieldModel; fault: RowProblem & Pick<Required<RowProblem>, 'values'> },
): RowProblem {
  const { values, ...problem } = namedFault(ctx, id, field, fault)
  const choices = (field.options ?? []).map(({ value }) => optionLabel(words, ctx.locale, id, field, value)).join(', ')
  return { ...problem, detail: words.say(ctx.locale, 'errors.OPTION_UNKNOWN', { ...values, choices }) }
}

/** What was not taken back, under the titles whoever asks may read. */
export async function shownReversals(
  ctx: Context,
  { told }: Pick<ImportRecord, 'told'>,
  reversals: readonly Reversal[],
): Promise<(Reversal & { readonly title: string })[]> {
  const { scope } = ctx.records as RecordEngine
  const isTold = mayBeTold(ctx.authority, told)
  const fields = new Map<string, ReadonlyMap<string, string>>()
  const titles = new Map<string, string>()
  for (const id of new Set(reversals.map(({ resource }) => resource))) {
    const records = reversals.filter(({ resource }) => resource === id).map(({ record }) => record)
    for (const [record, { title }] of Object.entries(await recordsByIds(scope, id, records)))
      titles.set(record, String(title ?? ''))
    fields.set(id, new Map(shownFieldsOf(scope, id).map((field) => [field.name, calledBy(ctx, id, field)])))
  }
  return reversals.map((it) => {
    const labels = fields.get(it.resource)
    const newer = it.fields.filter((name) => labels?.has(name))
    const told =
      it.code === recordChangedSince.code && newer.length > 0
        ? { detail: ctx.t('core.bulk.changedSince', { fields: newer.map((name) => labels?.get(name)).join(', ') }) }
        : it.code !== null && !isTold
          ? untold(ctx, { code: it.code, detail: '' })
          : {}
    return { ...it, ...told, fields: newer, title: titles.get(it.record) ?? '' }
  })
}

/** What whoever asks is shown of records of a kind; nothing where they read none of it. */
function shownFieldsOf(scope: EngineScope, id: string): readonly FieldModel[] {
  const resource = scope.catalog.get(id)
  if (!resource || !scope.exists(resource) || !scope.access(resource, 'read').allowed) return []
  return shownFields({ ...scope, forScreens: true }, resource)
}

/** Why an import stopped, as whoever asks may hear it. */
export function shownProblem(ctx: Context, { problem, told }: ImportRecord): ImportRecord['problem'] {
  return problem && !mayBeTold(ctx.authority, told) ? untold(ctx, problem) : problem
}
