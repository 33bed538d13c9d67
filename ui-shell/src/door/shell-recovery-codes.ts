import { KitElement, controls, icon, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { copy } from '../settings/settings-api.ts'

/**
 * Ten codes that are shown this once, to be copied or saved.
 *
 * @fires kept - their person says they have them
 */
export class ShellRecoveryCodes extends KitElement {
  static override properties = { codes: { attribute: false } }
  declare codes: readonly string[]

  override connectedCallback(): void {
    super.connectedCallback()
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('h3')?.focus())
  }

  override render() {
    const text = this.codes.join('\n')
    return html`
      <h3 tabindex="-1">${t('shell.security.recovery.title')}</h3>
      <p class="lead">${t('shell.security.recovery.once')}</p>
      <ul aria-label=${t('shell.security.recovery.title')}>
        ${this.codes.map((it) => html`<li><code>${it}</code></li>`)}
      </ul>
      <p class="line">
        <button class="button" @click=${() => void copy(text)}>${icon('copy')}${t('shell.copy')}</button>
        <a
          class="button"
          download="socle-${t('shell.security.recovery.file')}.txt"
          href="data:text/plain;charset=utf-8,${encodeURIComponent(`${text}\n`)}"
          >${icon('download')}${t('shell.security.recovery.save')}</a
        >
        <button class="button primary" @click=${() => this.dispatchEvent(new CustomEvent('kept'))}>
          ${t('shell.security.recovery.kept')}
        </button>
      </p>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 12px;
      }
      .lead {
        color: var(--socle-text-2);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(136px, 1fr));
        gap: 4px 16px;
        padding: 12px 16px;
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius);
        background: var(--socle-page);
      }
      code {
        font:
          13px/22px ui-monospace,
          monospace;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `,
  ]
}
