import { html, render } from 'lit'
import type { TemplateResult } from 'lit'
import { defineRest } from './define-kit.ts'
import type { SocleDialog } from './socle-dialog.ts'
import { t } from './words.ts'

export interface Question {
  readonly title: string
  readonly body?: string | TemplateResult
  /** What the answer does, in words: “Delete 12 accounts”. */
  readonly confirm: string
  readonly cancel?: string
  readonly danger?: boolean
}

/** Asks before what cannot be undone; true when the user said yes. */
export function confirmDialog(question: Question): Promise<boolean> {
  void defineRest()
  return new Promise((resolve) => {
    const host = document.createElement('div')
    document.body.append(host)
    const close = (answer: string) => host.querySelector<SocleDialog>('socle-dialog')?.close(answer)
    const closed = (event: CustomEvent<{ returnValue: string }>) => {
      host.remove()
      resolve(event.detail.returnValue === 'yes')
    }
    render(
      html`<socle-dialog open alert .heading=${question.title} @socle-close=${closed}>
        ${question.body ?? ''}
        <socle-button slot="actions" ?autofocus=${question.danger ?? false} @click=${() => close('no')}>
          ${question.cancel ?? t('kit.dialog.cancel')}
        </socle-button>
        <socle-button
          slot="actions"
          kind=${question.danger ? 'danger' : 'primary'}
          ?autofocus=${!question.danger}
          @click=${() => close('yes')}
        >
          ${question.confirm}
        </socle-button>
      </socle-dialog>`,
      host,
    )
  })
}
