import { isTyping, t, toast, type Undone } from '@socle/sdk/ui'

/** A write of this tab that can be taken back. */
export interface OwnChange {
  readonly changeSet: string
  readonly resource: string
  readonly ids: readonly string[]
  /** Takes it back in a way of its own and tells what came of it. */
  readonly undo?: () => Promise<{ readonly text: string; readonly kept: Undone['kept'] }>
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

/** Takes back changes, newest first, and names what stays. */
export async function takeBack(changes: readonly OwnChange[]): Promise<void> {
  const taking = await import('./take-back.ts')
  await taking.takeBack(changes)
}

/** A change that was taken back is not offered any more. */
export function forget({ changeSet }: OwnChange): void {
  const at = done.findIndex((it) => it.changeSet === changeSet)
  if (at >= 0) done.splice(at, 1)
  shown.get(changeSet)?.()
  shown.delete(changeSet)
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
