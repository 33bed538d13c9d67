import { ProblemError, records } from '@socle/sdk/ui'
import type { BulkRequest, Problem, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { titleOf } from './resources.ts'

/** Set some fields, or delete. */
export type BulkOperation =
  { readonly kind: 'set'; readonly values: Readonly<Record<string, unknown>> } | { readonly kind: 'delete' }

export interface BulkFailure {
  /** As it stands now, where others changed it meanwhile: trying again is a choice made in the knowledge of that. */
  readonly record: RecordJson
  readonly title: string
  readonly detail: string
}

export interface BulkOutcome {
  readonly done: readonly string[]
  readonly failed: readonly BulkFailure[]
  /** By which it can be taken back. */
  readonly changeSet: string | undefined
}

/** Does one thing to as many records as one request takes, each by its own version. A refused row stops nothing. */
export async function runBulk(
  meta: ResourceMeta,
  rows: readonly RecordJson[],
  operation: BulkOperation,
): Promise<BulkOutcome> {
  const failure = (row: RecordJson, { detail, current }: Pick<Problem, 'detail' | 'current'>) => {
    const record = current ?? row
    return { record, title: titleOf(meta, record), detail }
  }
  try {
    const { data, changeSet } = await records(meta.id).bulk(requestOf(rows, operation))
    const isDone = (index: number) => data[index]?.status === 'done'
    return {
      done: rows.filter((_, index) => isDone(index)).map(({ id }) => id),
      failed: rows.flatMap((record, index) =>
        isDone(index) ? [] : [failure(record, data[index]?.problem ?? { detail: '' })],
      ),
      changeSet,
    }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return { done: [], failed: rows.map((it) => failure(it, { detail: error.detail })), changeSet: undefined }
  }
}

function requestOf(rows: readonly RecordJson[], operation: BulkOperation): BulkRequest {
  const versions = rows.map(({ id, version }) => ({ id, version }))
  if (operation.kind === 'delete') return { delete: versions }
  return { update: versions.map((it) => ({ ...operation.values, ...it })) }
}
