import { KitElement } from '@socle/sdk/ui'
import type { SocleDialog } from '@socle/sdk/ui'
import type { PropertyDeclarations } from 'lit'
import { define } from '../define.ts'

/** A dialog of its own over the page that puts one question; its answer is told once it is closed. */
export abstract class QuestionDialog<Question, Answer> extends KitElement {
  static override properties: PropertyDeclarations = { question: { attribute: false } }

  declare question: Question
  /** Absent while the question is open, and when it was closed without one. */
  protected answer: Answer | undefined

  protected get dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  protected readonly close = (): void => this.dialog?.close()

  /** For `socle-close`, which dialogs inside this one tell too. */
  protected readonly closed = (event: Event): void => {
    if (event.target === this.dialog) this.tell('question-closed', this.answer)
  }
}

/** Puts a question. Answers `undefined` when the user gave up. */
export function askWith<Question, Answer>(
  tag: string,
  dialog: new () => QuestionDialog<Question, Answer>,
  question: Question,
): Promise<Answer | undefined> {
  define(tag, dialog)
  const element = document.createElement(tag) as QuestionDialog<Question, Answer>
  element.question = question
  return new Promise((resolve) => {
    element.addEventListener('question-closed', (event) => {
      element.remove()
      resolve((event as CustomEvent<Answer | undefined>).detail)
    })
    document.body.append(element)
  })
}
