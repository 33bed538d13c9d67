import { api, resource, t } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta, Undone } from '@socle/sdk/ui'
import { tellDone } from './own-changes.ts'
import { fieldOf, inSentence } from './resources.ts'

/** Why two records may be one. */
export interface Reason {
  readonly kind: string
  /** 1 for equal values, less for a close spelling. */
  readonly likeness: number
}

/** A record that may be the same as another. */
export interface Suspect {
  readonly record: string
  readonly score: number
  readonly reasons: readonly Reason[]
  readonly data: RecordJson
}

export interface Moved {
  readonly resource: string
  readonly field: string
  readonly count: number
  readonly folded?: number
}

export interface Merged {
  readonly merge: string
  readonly data: RecordJson
  readonly merged: readonly string[]
  readonly moved: readonly Moved[]
  readonly changeSet: string | undefined
}

interface Unmerged {
  readonly restored: readonly string[]
  readonly moved: readonly Moved[]
  readonly kept: Undone['kept']
}

/** `nom, téléphone (proche)`. */
export function reasonsText(reasons: readonly Reason[]): string {
  return reasons
    .map(({ kind, likeness }) => {
      const reason = t(`core.duplicates.reason.${kind}`)
      return likeness === 1 ? reason : t('shell.duplicates.close', { reason })
    })
    .join(', ')
}

/** `4 activities`; what the reader may not know the name of is counted as other records. */
export function movedText({ resource: id, field, count }: Moved): { text: string; by: string | undefined } {
  const meta = resource(id)
  const name = meta && inSentence(count === 1 ? meta.name.one : meta.name.many)
  return {
    text: name ? t('shell.merge.moved', { count, name }) : t('shell.merge.movedOthers', { count }),
    by: meta && fieldOf(meta, field)?.label,
  }
}

/** Says that records were merged and offers to take it back, with an account of what came back and what stayed. */
export function tellMerged(meta: ResourceMeta, { merge, data, merged, changeSet }: Merged, title: string): void {
  tellDone(t('shell.merge.done', { count: merged.length + 1, title }), {
    changeSet: changeSet ?? merge,
    resource: meta.id,
    ids: [data.id, ...merged],
    undo: async () => {
      const { restored, moved, kept } = (await api.post<{ data: Unmerged }>(`/api/core/merges/${merge}/undo`, {})).data
      const came = t('shell.merge.undone', {
        count: restored.length,
        moved: moved.reduce((sum, { count }) => sum + count, 0),
      })
      return {
        text: kept.length ? `${came} ${t('shell.merge.kept', { count: kept.length })}` : came,
        kept,
      }
    },
  })
}
