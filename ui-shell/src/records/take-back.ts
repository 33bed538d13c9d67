import { announce, ProblemError, resource, t, toast, undo, type Undone } from '@socle/sdk/ui'
import { tellKept, tellNoneUndone } from './kept.ts'
import { forget, tellOthers } from './own-changes.ts'
import type { OwnChange } from './own-changes.ts'

/** Takes back changes, newest first, and names what stays: what changed since, and why a record refused. */
export async function takeBack(changes: readonly OwnChange[]): Promise<void> {
  const stayed: Undone['kept'][number][] = []
  let said: string | undefined
  let isUnderWay = false
  try {
    for (const change of changes.toReversed()) {
      let runId: string | undefined
      if (change.undo) {
        const { text, kept: left } = await change.undo()
        said = text
        stayed.push(...left)
      } else {
        const answer = await undo(change.changeSet)
        stayed.push(...(answer.kept ?? []))
        runId = answer.id
      }
      forget(change)
      const meta = runId === undefined ? undefined : resource(change.resource)
      if (runId !== undefined && meta) {
        isUnderWay = true
        const { followUndo } = await import('./bulk-runs.ts')
        await followUndo(meta, runId)
      } else tellOthers(change)
    }
    if (isUnderWay) return
    const text = changes.length === 1 ? said : undefined
    if (stayed.length === 0) toast({ text: text ?? t('shell.records.undone'), tone: 'success' })
    else tellKept(stayed, text)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const { kept: left } = error.raw
    if (left?.length) tellNoneUndone(error.detail, left)
    else toast({ text: error.detail, tone: 'danger' })
    announce(error.detail, 'assertive')
  }
}
