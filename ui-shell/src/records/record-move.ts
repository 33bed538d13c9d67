import { announce, ProblemError, toast } from '@socle/sdk/ui'
import type { Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { changeRecord, fieldOfPath } from './record-change.ts'
import { fieldOf } from './resources.ts'

/**
 * Moves a record to another stage. Where the stage asks for fields first, they are asked for and written with the move.
 *
 * @returns the record as it stands now, or `undefined` when the move was refused; the reason has then been said
 */
export async function moveRecord(
  meta: ResourceMeta,
  record: RecordJson,
  values: Readonly<Record<string, unknown>>,
  options: { text: string; included?: Included | undefined },
): Promise<RecordJson | undefined> {
  try {
    return await changeRecord(meta, record, values, options)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const missing = error.errors
      .map((it) => fieldOf(meta, fieldOfPath(it.path)))
      .filter((it) => it !== undefined)
      .filter((it) => it.writable && !(it.name in values))
    if (missing.length === 0) {
      toast({ text: error.detail, tone: 'danger' })
      announce(error.detail, 'assertive')
      return undefined
    }
    const { askMissing } = await import('./shell-missing-dialog.ts')
    return await askMissing({
      meta,
      record,
      included: options.included ?? {},
      fields: missing,
      reason: error.detail,
      save: (filled) => changeRecord(meta, record, { ...values, ...filled }, options),
    })
  }
}
