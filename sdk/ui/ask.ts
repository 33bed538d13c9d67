import { html, render } from 'lit'
import type { Question } from './confirm-dialog.ts'
import type { SocleDialog } from './socle-dialog.ts'
import { t } from './words.ts'

/** Puts the question of `confirmDialog` on the page. */
export function ask(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const host = document.createElement('div')
    document.body.append(host)
    const isSafe = !!(question.danger || question.careful)
    const close = (answer: string) => host.querySelector<SocleDialog>('socle-dialog')?.close(answer)
    const closed = (event: CustomEvent<{ returnValue: string }>) => {
      host.remove()
      resolve(event.detail.returnValue === 'yes')
    }
    render(
      html`<socle-dialog open alert .heading=${question.title} @socle-close=${closed}>
        ${question.body ?? ''}
        <socle-button slot="actions" ?autofocus=${isSafe} @click=${() => close('no')}>
          ${question.cancel ?? t('kit.dialog.cancel')}
        </socle-button>
        <socle-button
          slot="actions"
          kind=${question.danger ? 'danger' : 'primary'}
          ?autofocus=${!isSafe}
          @click=${() => close('yes')}
        >
          ${question.confirm}
        </socle-button>
      </socle-dialog>`,
      host,
    )
  })
}
