import { defineRest } from './define-rest.ts'
import type { SocleToasts, ToastOptions } from './socle-toasts.ts'

export type { ToastOptions } from './socle-toasts.ts'

/** Says what just happened: 5 s, with an action such as Undo 10 s. Answers the function that takes it away. */
export function toast(options: ToastOptions): () => void {
  const shown = defineRest().then(() => host().show(options))
  return () => void shown.then((close) => close())
}

/** Runs the action of the newest toast, for Ctrl/Cmd+Z; answers whether there was one. */
export function runLatestToastAction(): boolean {
  return document.querySelector<SocleToasts>('socle-toasts:defined')?.runLatest() ?? false
}

function host(): SocleToasts {
  const known = document.querySelector<SocleToasts>('socle-toasts')
  if (known) return known
  const made = document.createElement('socle-toasts') as SocleToasts
  document.body.append(made)
  return made
}
