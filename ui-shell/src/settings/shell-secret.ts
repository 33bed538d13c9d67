import { KitElement, controls, icon, t } from '@socle/sdk/ui'
import { html } from 'lit'
import { copy } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** A password or key that is shown this once. */
export class ShellSecret extends KitElement {
  static override properties = { heading: {}, text: {}, value: {} }
  declare heading: string
  declare text: string
  declare value: string

  override render() {
    return html`
      <socle-dialog open .heading=${this.heading} @socle-close=${() => this.dispatchEvent(new CustomEvent('close'))}>
        <p class="lead">${this.text}</p>
        <p class="secret">
          <code>${this.value}</code>
          <button class="button" @click=${() => void copy(this.value)}>${icon('copy')}${t('shell.copy')}</button>
        </p>
        <button slot="actions" class="button primary" @click=${() => this.dispatchEvent(new CustomEvent('close'))}>
          ${t('shell.secret.kept')}
        </button>
      </socle-dialog>
    `
  }

  static override styles = [controls, settingsStyles]
}
