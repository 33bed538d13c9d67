import { KitElement, controls, icon, t, toast } from '@socle/sdk/ui'
import { css, html } from 'lit'
import type { UnsavedText } from './unsaved.ts'

/** Why what was typed has no place any more. */
export type LossReason = 'off' | 'session' | 'upgrade'

const reasons = { off: 'shell.lost.text', session: 'shell.lost.session', upgrade: 'shell.lost.upgrade' } as const

/** What was typed on a screen that went away with its module, its version or its session, for copying. */
export class ShellLostText extends KitElement {
  static override properties = { texts: { attribute: false }, reason: { attribute: false } }
  declare texts: readonly UnsavedText[]
  declare reason: LossReason

  override render() {
    return html`
      <socle-dialog
        open
        .heading=${t('shell.lost.title')}
        @socle-close=${() => this.dispatchEvent(new CustomEvent('close'))}
      >
        <p class="lead">${t(reasons[this.reason])}</p>
        ${this.texts.map(
          (it) => html`
            <label class="label" for="text">${it.title}</label>
            <textarea class="input" id="text" readonly rows="6" .value=${it.text()}></textarea>
          `,
        )}
        <button slot="actions" class="button primary" @click=${() => void this.#copy()}>
          ${icon('copy')}${t('shell.copy')}
        </button>
      </socle-dialog>
    `
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText(this.texts.map((it) => `${it.title}\n${it.text()}`).join('\n\n'))
    toast({ text: t('shell.copied'), tone: 'success' })
  }

  static override styles = [
    controls,
    css`
      .lead {
        margin-block-end: 12px;
        color: var(--socle-text-2);
      }
      .label {
        margin-block: 12px 6px;
      }
    `,
  ]
}
