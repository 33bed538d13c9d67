import { ProblemError, records, t, toast } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { acknowledging } from './acknowledging.ts'
import { tellDone } from './own-changes.ts'
import { fieldOf, titleOf } from './resources.ts'

export interface ChangeOptions {
  /** For the titles of references in a conflict. */
  readonly included?: Included | undefined
  /** Instead of "Amount changed". */
  readonly text?: string
  /** Nothing is said when it works. */
  readonly silent?: boolean
}

/**
 * Writes fields of one record against the version on screen.
 *
 * Fields changed by others meanwhile merge; the same field changed by two opens the conflict dialog, and what the
 * user chooses there is written on the newer version. Choosing theirs writes nothing, and closing the dialog without a
 * choice is a refusal: what was typed stays typed.
 *
 * @returns the record as it stands now
 * @throws ProblemError for every other refusal
 */
export async function changeRecord(
  meta: ResourceMeta,
  record: RecordJson,
  values: Readonly<Record<string, unknown>>,
  options: ChangeOptions = {},
): Promise<RecordJson> {
  try {
    const written = await acknowledging((extra) =>
      records(meta.id).update(record.id, record.version, { ...values, ...extra }),
    )
    if (options.silent) return written.data
    const text = options.text ?? sentence(meta, written.data, values)
    const merged = written.data.version > record.version + 1
    tellDone(merged ? `${text} ${t('shell.records.change.merged')}` : text, {
      changeSet: written.changeSet,
      resource: meta.id,
      ids: [record.id],
    })
    return written.data
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'VERSION_CONFLICT') throw error
    return await settle(meta, record, values, error, options)
  }
}

async function settle(
  meta: ResourceMeta,
  record: RecordJson,
  values: Readonly<Record<string, unknown>>,
  problem: ProblemError,
  options: ChangeOptions,
): Promise<RecordJson> {
  const { askWhose } = await import('./shell-conflict-dialog.ts')
  const current = problem.raw.current ?? (await records(meta.id).get(record.id)).data
  const conflicts = problem.raw.conflicts ?? []
  const mine = await askWhose({ meta, current, conflicts, included: options.included ?? {} })
  if (!mine) throw new ProblemError({ ...problem.raw, detail: t('shell.records.conflict.undecided') })
  // Fields nobody else touched are not in the conflict: they are still to be written.
  const disputed = new Set(conflicts.map((it) => it.field))
  const undisputed = Object.entries(values).filter(([field]) => !disputed.has(field))
  const kept = Object.entries(values).filter(([field]) => mine.has(field))
  const rest = Object.fromEntries([...undisputed, ...kept])
  if (Object.keys(rest).length === 0) {
    toast({ text: t('shell.records.conflict.keptTheirs') })
    return current
  }
  return await changeRecord(meta, current, rest, options)
}

function sentence(meta: ResourceMeta, record: RecordJson, values: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(values)
  const field = names.length === 1 ? fieldOf(meta, names[0]!) : undefined
  return field
    ? t('shell.records.change.field', { field: field.label, title: titleOf(meta, record) })
    : t('shell.records.change.record', { title: titleOf(meta, record) })
}

/** What the server says about one field, wherever its path puts it: `amount`, `/amount`, `/update/0/amount`. */
export function faultOf(problem: ProblemError, field: FieldMeta): string | undefined {
  return problem.errors.find((it) => fieldOfPath(it.path) === field.name)?.detail
}

export function fieldOfPath(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path
}
