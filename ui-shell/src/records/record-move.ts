import { announce, ProblemError, toast } from '@socle/sdk/ui'
import type { Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { changeRecord, fieldOfPath } from './record-change.ts'
import type { ChangeOptions } from './record-change.ts'
import { fieldOf } from './resources.ts'

/**
 * Writes a change; where the server asks for other fields first, they are asked for and written with it.
 *
 * @returns the record as it stands now, or `undefined` when the user gave up filling in
 * @throws ProblemError for a refusal that no further field would lift
 */
export async function changeFilling(
  meta: ResourceMeta,
  record: RecordJson,
  values: Readonly<Record<string, unknown>>,
  options: ChangeOptions,
): Promise<RecordJson | undefined> {
  try {
    return await changeRecord(meta, record, values, options)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const named = error.errors.map((it) => fieldOf(meta, fieldOfPath(it.path)))
    const missing = named.filter((it) => it !== undefined).filter((it) => it.writable && !(it.name in values))
    if (missing.length === 0) throw error
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

/**
 * Moves a record to another stage.
 *
 * @returns the record as it stands now, or `undefined` when it did not move; the reason has then been said
 */
export async function moveRecord(
  meta: ResourceMeta,
  record: RecordJson,
  values: Readonly<Record<string, unknown>>,
  options: { text: string; included?: Included | undefined },
): Promise<RecordJson | undefined> {
  try {
    return await changeFilling(meta, record, values, options)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    toast({ text: error.detail, tone: 'danger' })
    announce(error.detail, 'assertive')
    return undefined
  }
}
