import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'

export interface TabItem {
  readonly id: string
  readonly label: string
  readonly count?: number
  /** Tabs are links; without an address the choice stays in the element. */
  readonly href?: string
}

/**
 * Tabs of a record page. They are links, so that the tab in view can be shared; the body stands beside them.
 *
 * @fires socle-choose - `detail.id`; cancelled when the address handles it
 */
export class SocleTabs extends KitElement {
  static override properties = { items: { attribute: false }, current: { type: String }, label: { type: String } }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }

      nav {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
      }

      .tab {
        display: inline-flex;
        flex: none;
        align-items: center;
        gap: 6px;
        min-block-size: 28px;
        padding: 0 8px;
        font: var(--socle-body);
        font-weight: 500;
        color: var(--socle-text-2);
        text-decoration: none;
        white-space: nowrap;
        background: none;
        border: 0;
        border-radius: var(--socle-radius);
        cursor: pointer;
      }

      .tab:hover {
        background: var(--socle-page);
      }

      .tab[aria-current] {
        color: var(--socle-text);
        background: var(--socle-muted);
      }

      .count {
        font: var(--socle-meta);
        color: var(--socle-text-3);
        font-variant-numeric: tabular-nums;
      }

      @media (forced-colors: active) {
        .tab[aria-current] {
          text-decoration: underline;
        }
      }
    `,
  ]

  declare items: readonly TabItem[]
  declare current: string
  declare label: string

  constructor() {
    super()
    this.items = []
    this.current = ''
    this.label = ''
  }

  override render() {
    return html`<nav aria-label=${this.label || nothing} @keydown=${this.#pressed}>
      ${this.items.map((item) => {
        const isCurrent = item.id === this.current
        const content = html`${item.label}${
          item.count === undefined ? nothing : html`<span class="count">${item.count}</span>`
        }`
        return item.href
          ? html`<a
              class="tab"
              href=${item.href}
              aria-current=${isCurrent ? 'page' : nothing}
              @click=${() => this.#choose(item)}
              >${content}</a
            >`
          : html`<button class="tab" aria-current=${isCurrent ? 'true' : nothing} @click=${() => this.#choose(item)}>
              ${content}
            </button>`
      })}
    </nav>`
  }

  #choose(item: TabItem): void {
    if (!item.href) this.current = item.id
    this.tell('socle-choose', { id: item.id })
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    const tabs = [...this.renderRoot.querySelectorAll<HTMLElement>('.tab')]
    const at = tabs.indexOf(this.shadowRoot?.activeElement as HTMLElement)
    if (at < 0) return
    event.preventDefault()
    event.stopPropagation()
    tabs[(at + by + tabs.length) % tabs.length]?.focus()
  }
}
