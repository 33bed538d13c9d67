import { ProblemError, records } from '@socle/sdk/ui'
import type { BulkRequest, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import type { OwnChange } from './own-changes.ts'
import { titleOf } from './resources.ts'

/** Set some fields, or delete. */
export type BulkOperation =
  { readonly kind: 'set'; readonly values: Readonly<Record<string, unknown>> } | { readonly kind: 'delete' }

export interface BulkFailure {
  readonly record: RecordJson
  readonly title: string
  readonly detail: string
}

export interface BulkOutcome {
  readonly done: readonly string[]
  readonly failed: readonly BulkFailure[]
  /** Rows left alone because the user stopped it. */
  readonly skipped: number
  /** By which it can be taken back. */
  readonly changes: readonly OwnChange[]
}

// The server takes 200 rows a request.
const chunk = 200

/** Does one thing to many records, each by its own version. A refused row stops nothing; stopping keeps what is done. */
export async function runBulk(
  meta: ResourceMeta,
  rows: readonly RecordJson[],
  operation: BulkOperation,
  { progress, signal }: { progress: (seen: number) => void; signal: AbortSignal },
): Promise<BulkOutcome> {
  const done: string[] = []
  const failed: BulkFailure[] = []
  const changes: OwnChange[] = []
  let seen = 0
  for (let at = 0; at < rows.length && !signal.aborted; at += chunk) {
    const part = rows.slice(at, at + chunk)
    const failure = (record: RecordJson, detail: string) =>
      failed.push({ record, title: titleOf(meta, record), detail })
    try {
      const answer = await records(meta.id).bulk(requestOf(part, operation))
      for (const [index, record] of part.entries()) {
        const result = answer.data.find((it) => it.index === index)
        if (isDone(result?.status)) done.push(record.id)
        else failure(record, result?.problem?.detail ?? result?.problem?.title ?? '')
      }
      const ids = part.map((it) => it.id)
      if (answer.changeSet) changes.push({ changeSet: answer.changeSet, resource: meta.id, ids })
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      for (const record of part) failure(record, error.detail)
    }
    seen += part.length
    progress(seen)
  }
  return { done, failed, skipped: rows.length - seen, changes }
}

/** A row says `done`, or as a response would, 200. */
function isDone(status: string | number | undefined): boolean {
  return typeof status === 'number' ? status < 300 : status === 'done'
}

function requestOf(rows: readonly RecordJson[], operation: BulkOperation): BulkRequest {
  const versions = rows.map(({ id, version }) => ({ id, version }))
  if (operation.kind === 'delete') return { delete: versions }
  return { update: versions.map((it) => ({ ...operation.values, ...it })) }
}
