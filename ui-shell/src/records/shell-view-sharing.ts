import { controls, t } from '@socle/sdk/ui'
import type { SavedView } from '@socle/sdk/ui'
import { html } from 'lit'
import { define } from '../define.ts'
import { askWith, QuestionDialog } from './question-dialog.ts'
import { ShellRecordAccess } from './shell-record-access.ts'

define('shell-record-access', ShellRecordAccess)

const views = { id: 'core.view', may: { share: true } } as const

/** With whom a view of one's own is shared: more are added, and each is ended, here. */
export class ShellViewSharing extends QuestionDialog<SavedView, never> {
  static override styles = [controls]

  override render() {
    const { name } = this.question
    return html`<socle-dialog open wide .heading=${t('shell.views.sharing', { name })} @socle-close=${this.closed}>
      <shell-record-access .meta=${views} .record=${this.question}></shell-record-access>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.close')}</button>
    </socle-dialog>`
  }
}

/** Shows with whom a view is shared, until it is closed. */
export async function showSharing(view: SavedView): Promise<void> {
  await askWith('shell-view-sharing', ShellViewSharing, view)
}
