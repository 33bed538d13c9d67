import { announce, isTyping, ProblemError, resource, t, toast, undo, type Undone } from '@socle/sdk/ui'

/** A write of this tab that can be taken back. */
export interface OwnChange {
  readonly changeSet: string
  readonly resource: string
  readonly ids: readonly string[]
  /** Takes it back in a way of its own and tells what came of it. */
  readonly undo?: () => Promise<{ readonly text: string; readonly kept: number }>
}

type Listener = (change: OwnChange) => void

const done: OwnChange[] = []
const listeners = new Set<Listener>()
/** Takes away the toast of a change that was taken back otherwise. */
const shown = new Map<string, () => void>()
const kept = 50

/** Calls back when a change of this tab was taken back or ended in the background; answers the function that stops it. */
export function onUndone(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Says what was done and offers to take it back, by the toast for ten seconds and by Ctrl/Cmd+Z later. */
export function tellDone(
  text: string,
  change: Omit<OwnChange, 'changeSet'> & { readonly changeSet: string | undefined },
): void {
  const { changeSet } = change
  if (!changeSet) {
    toast({ text, tone: 'success' })
    return
  }
  const own: OwnChange = { ...change, changeSet }
  done.push(own)
  if (done.length > kept) shown.delete(done.shift()?.changeSet ?? '')
  shown.set(changeSet, toast({ text, action: { label: t('shell.records.undo'), run: () => void takeBack([own]) } }))
}

/** Lets Ctrl/Cmd+Z take back what is told of elsewhere. */
export function rememberDone(changes: readonly OwnChange[]): void {
  done.push(...changes)
}

/** Tells the screens of what this tab changed in the background. */
export function tellOthers(change: OwnChange): void {
  for (const listener of [...listeners]) listener(change)
}

/** Takes back the last change of this tab. Answers whether there was one. */
function undoLast(): boolean {
  const last = done.at(-1)
  if (last) void takeBack([last])
  return !!last
}

/** The reason of the first record that refused to be taken back, if one did. */
export function refusalIn(kept: Undone['kept']): string | undefined {
  for (const it of kept) if ('problem' in it) return it.problem.detail
  return undefined
}

/** Takes back changes, newest first, and names what stays: what changed since, and why a record refused. */
export async function takeBack(changes: readonly OwnChange[]): Promise<void> {
  let stayed = 0
  let reason: string | undefined
  let said: string | undefined
  let isUnderWay = false
  try {
    for (const change of changes.toReversed()) {
      let runId: string | undefined
      if (change.undo) {
        const { text, kept: left } = await change.undo()
        said = text
        stayed += left
      } else {
        const answer = await undo(change.changeSet)
        stayed += answer.kept?.length ?? 0
        reason ??= refusalIn(answer.kept ?? [])
        runId = answer.id
      }
      const at = done.findIndex((it) => it.changeSet === change.changeSet)
      if (at >= 0) done.splice(at, 1)
      shown.get(change.changeSet)?.()
      shown.delete(change.changeSet)
      const meta = runId === undefined ? undefined : resource(change.resource)
      if (runId !== undefined && meta) {
        isUnderWay = true
        const { followUndo } = await import('./bulk-runs.ts')
        await followUndo(meta, runId)
      } else tellOthers(change)
    }
    if (isUnderWay) return
    const partly = reason ? 'shell.records.undoneRefused' : 'shell.records.undonePartly'
    const plain = stayed ? t(partly, { count: stayed, reason: reason ?? '' }) : t('shell.records.undone')
    const text = changes.length === 1 ? (said ?? plain) : plain
    toast({ text, tone: stayed ? 'warning' : 'success' })
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    toast({ text: error.detail, tone: 'danger' })
    announce(error.detail, 'assertive')
  }
}

/** Ctrl/Cmd+Z takes back the last own change, except where it belongs to the text being typed. */
function undoOnKey(event: KeyboardEvent): void {
  if (event.defaultPrevented) return
  if (event.key.toLowerCase() !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
  if (isTyping(event)) return
  if (undoLast()) event.preventDefault()
}

// One listener for the page: every screen of records brings this module.
window.addEventListener('keydown', undoOnKey)
