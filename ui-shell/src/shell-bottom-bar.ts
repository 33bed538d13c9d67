import { KitElement, controls, icon, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'

/** On a phone: what the thumb needs most. */
export class ShellBottomBar extends KitElement {
  static override properties = { path: {} }
  declare path: string

  override render() {
    const mayCreate = shell()?.resources.some((it) => it.may.create) ?? false
    return html`
      <nav aria-label=${t('shell.nav.quick')}>
        <a href="/" aria-current=${this.path === '/' ? 'page' : nothing}
          >${icon('house')}<span>${t('shell.nav.home')}</span></a
        >
        ${this.#button('search', t('shell.nav.find'), 'shell-search')}
        ${mayCreate ? this.#button('plus', t('shell.nav.create'), 'shell-create') : nothing}
        ${this.#button('menu', t('shell.nav.menu'), 'shell-menu')}
      </nav>
    `
  }

  #button(name: string, title: string, event: string) {
    return html`
      <button @click=${() => this.dispatchEvent(new CustomEvent(event))}>${icon(name)}<span>${title}</span></button>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: none;
        flex: none;
      }
      nav {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        border-block-start: 1px solid var(--socle-line);
        background: var(--socle-surface);
        padding-block-end: env(safe-area-inset-bottom);
      }
      a,
      button {
        display: grid;
        justify-items: center;
        align-content: center;
        gap: 2px;
        min-block-size: 52px;
        padding: 0;
        border: 0;
        background: none;
        color: var(--socle-text-2);
        font: inherit;
        font-size: 11px;
        line-height: 14px;
        font-weight: 500;
        text-decoration: none;
      }
      svg {
        inline-size: 20px;
        block-size: 20px;
      }
      [aria-current] {
        color: var(--socle-accent);
      }
      :focus-visible {
        outline-offset: -3px;
      }
      @media (width < 600px) {
        :host {
          display: block;
        }
      }
    `,
  ]
}
