import type { TemplateResult } from 'lit'
import { defineRest } from './define-rest.ts'

export interface Question {
  readonly title: string
  readonly body?: string | TemplateResult
  /** What the answer does, in words: “Delete 12 accounts”. */
  readonly confirm: string
  readonly cancel?: string
  readonly danger?: boolean
  /** Not to do it is the safe answer, although doing it can be undone: it has the focus. */
  readonly careful?: boolean
}

/** Asks before what cannot be undone; true when the user said yes. */
export async function confirmDialog(question: Question): Promise<boolean> {
  const [{ ask }] = await Promise.all([import('./ask.ts'), defineRest()])
  return await ask(question)
}
