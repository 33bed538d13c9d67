import { KitElement, controls, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { whyLink, whyOf } from './access/why-link.ts'
import { define } from './define.ts'

/** In place of a screen that is not there or not open to this user: says which, who can help, and where to go. */
export class ShellMessage extends KitElement {
  static override properties = { kind: {}, path: {}, permission: {} }
  declare kind: 'missing' | 'refused'
  declare path: string
  declare permission: string | undefined

  override render() {
    const isRefused = this.kind === 'refused'
    return html`
      <socle-empty
        icon=${isRefused ? 'lock' : 'search'}
        heading=${t(isRefused ? 'shell.refused.heading' : 'shell.missing.heading')}
        text=${isRefused ? t('shell.refused.text', { permission: this.permission ?? '' }) : t('shell.missing.text')}
      >
        <a slot="actions" class="button" href="/">${t('shell.missing.home')}</a>
        ${isRefused && this.permission ? whyLink(whyOf(this.permission)) : nothing}
        ${this.path ? html`<p class="meta path">${this.path}</p>` : nothing}
      </socle-empty>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        place-items: center;
        flex: 1;
        padding: 24px;
      }
      .path {
        font-family: ui-monospace, monospace;
        overflow-wrap: anywhere;
      }
    `,
  ]
}

define('shell-message', ShellMessage)
