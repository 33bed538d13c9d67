import { KitElement, controls, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PageBar } from './page.ts'

/** Breadcrumb, title and count at the start; the screen's buttons at the end. */
export class ShellTopBar extends KitElement {
  static override properties = { bar: { attribute: false } }
  declare bar: PageBar | undefined

  /** After a navigation the reader starts at the new title. */
  focusTitle(): void {
    this.renderRoot.querySelector('h1')?.focus({ preventScroll: true })
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('.menu')?.focus()
  }

  override render() {
    const bar = this.bar
    if (!bar) return html`<header></header>`
    return html`
      <header>
        <button class="icon-button menu" aria-label=${t('shell.nav.open')} @click=${this.#openMenu}>
          ${icon('menu')}
        </button>
        ${
          bar.crumbs?.length
            ? html`
                <nav class="crumbs" aria-label=${t('shell.nav.breadcrumb')}>
                  <ol>
                    ${bar.crumbs.map(
                      (crumb) => html`
                        <li>
                          ${crumb.href ? html`<a href=${crumb.href}>${crumb.title}</a>` : html`<span>${crumb.title}</span>`}
                          ${icon('chevron-right')}
                        </li>
                      `,
                    )}
                  </ol>
                </nav>
              `
            : nothing
        }
        <h1 tabindex="-1" title=${bar.title}>${bar.title}</h1>
        ${bar.count ? html`<span class="pill count">${bar.count}</span>` : nothing}
        ${bar.status ? html`<span class="status">${bar.status}</span>` : nothing}
        <span class="space"></span>
        <div class="actions">${bar.actions ?? nothing}</div>
      </header>
    `
  }

  readonly #openMenu = (): void => {
    this.dispatchEvent(new CustomEvent('shell-menu'))
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        flex: none;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: var(--socle-topbar);
        padding: 4px 16px;
        border-block-end: 1px solid var(--socle-line);
        background: var(--socle-surface);
      }
      .menu {
        display: none;
        margin-inline-start: -6px;
      }
      h1 {
        min-inline-size: 0;
        margin: 0;
        font-size: 16px;
        line-height: 24px;
        font-weight: 600;
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      /* It takes the focus after a navigation, for those who hear the page; there is nothing to do on it. */
      h1:focus-visible {
        outline: none;
      }
      .crumbs {
        flex: none;
        max-inline-size: 45%;
        overflow: hidden;
      }
      .crumbs ol {
        display: flex;
        gap: 8px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .crumbs li {
        display: flex;
        align-items: center;
        gap: 8px;
        color: var(--socle-text-3);
        white-space: nowrap;
      }
      .crumbs a {
        color: var(--socle-text-2);
        text-decoration: none;
        border-radius: 3px;
      }
      .crumbs a:hover {
        color: var(--socle-accent);
        text-decoration: underline;
      }
      .crumbs svg {
        inline-size: 14px;
        block-size: 14px;
      }
      .count {
        font-variant-numeric: tabular-nums;
      }
      .status {
        display: inline-flex;
        gap: 4px;
      }
      .space {
        flex: 1;
      }
      .actions {
        display: flex;
        align-items: center;
        gap: 8px;
        flex: none;
      }
      @media (width < 900px) {
        .menu {
          display: inline-flex;
        }
      }
      @media (width < 600px) {
        header {
          padding-inline: 12px;
          gap: 6px;
        }
        .crumbs {
          display: none;
        }
        .actions {
          gap: 4px;
        }
      }
    `,
  ]
}
