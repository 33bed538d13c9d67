import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import type { MenuItem } from './socle-menu.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

/**
 * The list of a menu, in the top layer; the body of `socle-menu`.
 *
 * @fires socle-choose - `detail.id` of the item
 * @fires socle-toggle - `detail.open`
 */
export class MenuList extends KitElement {
  static override properties = { items: { attribute: false }, label: { type: String }, align: { type: String } }
  static override styles = [
    controls,
    css`
      .menu {
        position: fixed;
        inset: auto;
        min-inline-size: 180px;
        max-inline-size: min(360px, calc(100vw - 16px));
        max-block-size: min(420px, calc(100dvh - 16px));
        margin: 0;
        padding: 4px;
        overflow: auto;
        color: var(--socle-text);
        background: var(--socle-surface);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        box-shadow: var(--socle-shadow);
        overscroll-behavior: contain;
      }

      .menu:popover-open {
        animation: appear var(--socle-motion);
      }

      .item {
        display: flex;
        align-items: center;
        gap: 8px;
        inline-size: 100%;
        min-block-size: 32px;
        padding: 4px 8px;
        font: var(--socle-small);
        color: var(--socle-text);
        text-align: start;
        text-decoration: none;
        background: none;
        border: 0;
        border-radius: var(--socle-radius);
        cursor: pointer;
      }

      .item:hover,
      .item:focus-visible {
        background: var(--socle-muted);
      }

      .item:focus-visible {
        outline-offset: -2px;
      }

      .item.danger {
        color: var(--socle-danger);
      }

      .item[aria-disabled='true'] {
        color: var(--socle-text-3);
        cursor: not-allowed;
      }

      .item .words {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }

      .item .icon {
        color: var(--socle-text-2);
      }

      .item.danger .icon {
        color: inherit;
      }

      .item .note {
        display: block;
        font: var(--socle-meta);
        color: var(--socle-text-3);
      }

      .tick {
        inline-size: 16px;
      }

      hr {
        margin: 4px 0;
        border: 0;
        border-block-start: 1px solid var(--socle-line);
      }

      @keyframes appear {
        from {
          opacity: 0;
          transform: translateY(-4px);
        }
      }

      @media (pointer: coarse) {
        .item {
          min-block-size: var(--socle-touch);
        }
      }

      @media (width < 600px) {
        .menu {
          inset: auto 8px calc(8px + env(safe-area-inset-bottom)) !important;
          inline-size: auto;
          max-inline-size: none;
          max-block-size: 70dvh;
        }

        .item {
          font: var(--socle-body);
        }
      }
    `,
  ]

  declare items: readonly MenuItem[]
  declare label: string
  declare align: 'start' | 'end'

  #anchor: HTMLElement | undefined
  #typed = ''
  #typedAt = 0

  constructor() {
    super()
    this.items = []
    this.label = ''
    this.align = 'start'
  }

  get #menu(): HTMLElement | null {
    return this.renderRoot.querySelector('.menu')
  }

  get #entries(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('.item')]
  }

  /** Opens beside an element, which gets the focus back, and goes to the chosen or first item. */
  async showAt(anchor: HTMLElement): Promise<void> {
    this.#anchor = anchor
    await this.updateComplete
    const menu = this.#menu
    if (!menu || menu.matches(':popover-open')) return
    menu.showPopover()
    this.#place(menu)
    const entries = this.#entries
    const chosen = entries.find((it) => it.getAttribute('aria-checked') === 'true')
    ;(chosen ?? entries[0])?.focus()
  }

  hide(): void {
    if (this.#menu?.matches(':popover-open')) this.#menu.hidePopover()
  }

  override render() {
    return html`<div
      class="menu"
      role="menu"
      popover="auto"
      aria-label=${this.label || t('kit.menu.label')}
      @toggle=${this.#toggled}
      @keydown=${this.#pressed}
    >
      ${this.items.map((item) => this.#item(item))}
    </div>`
  }

  #item(item: MenuItem) {
    const hasChecks = this.items.some((it) => it.checked !== undefined)
    const content = html`${hasChecks ? html`<span class="tick">${item.checked ? icon('check') : nothing}</span>` : nothing}
      ${item.icon ? icon(item.icon) : nothing}
      <span class="words">${item.label}${item.note ? html`<span class="note">${item.note}</span>` : nothing}</span>
      ${item.key ? html`<kbd class="kbd">${item.key}</kbd>` : nothing}`
    const classes = `item ${item.danger ? 'danger' : ''}`
    return html`${item.separator ? html`<hr />` : nothing}${
      item.href && !item.disabled
        ? html`<a class=${classes} role="menuitem" tabindex="-1" href=${item.href} @click=${() => this.#choose(item)}
            >${content}</a
          >`
        : html`<button
            class=${classes}
            role=${item.checked === undefined ? 'menuitem' : 'menuitemradio'}
            aria-checked=${item.checked === undefined ? nothing : item.checked}
            aria-disabled=${item.disabled ? 'true' : nothing}
            tabindex="-1"
            @click=${() => this.#choose(item)}
          >
            ${content}
          </button>`
    }`
  }

  #choose(item: MenuItem): void {
    if (item.disabled) return
    this.hide()
    this.#anchor?.focus()
    this.tell('socle-choose', { id: item.id })
  }

  readonly #toggled = (event: Event): void => {
    this.tell('socle-toggle', { open: (event as ToggleEvent).newState === 'open' })
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    const entries = this.#entries
    const at = entries.indexOf(this.shadowRoot?.activeElement as HTMLElement)
    const targets: Partial<Record<string, number>> = {
      ArrowDown: (at + 1) % entries.length,
      ArrowUp: (at - 1 + entries.length) % entries.length,
      Home: 0,
      End: entries.length - 1,
    }
    const target = targets[event.key]
    // The menu has its own keys: none of them is the page's while it is open.
    event.stopPropagation()
    if (event.key === 'Escape' || event.key === 'Tab') {
      if (event.key === 'Escape') event.preventDefault()
      this.hide()
      this.#anchor?.focus()
    } else if (target !== undefined) {
      event.preventDefault()
      entries[target]?.focus()
    } else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey) {
      this.#search(event.key, entries, at)
    }
  }

  #search(letter: string, entries: readonly HTMLElement[], at: number): void {
    const now = Date.now()
    this.#typed = now - this.#typedAt > 700 ? letter : this.#typed + letter
    this.#typedAt = now
    const collator = new Intl.Collator(undefined, { sensitivity: 'base' })
    const start = this.#typed.length === 1 ? at + 1 : Math.max(at, 0)
    const ordered = [...entries.slice(start), ...entries.slice(0, start)]
    ordered
      .find((it) => {
        const words = it.querySelector('.words')?.textContent?.trim() ?? ''
        return collator.compare(words.slice(0, this.#typed.length), this.#typed) === 0
      })
      ?.focus()
  }

  /** Under the button, or above it when there is no room; never outside the window. */
  #place(menu: HTMLElement): void {
    const button = this.#anchor?.getBoundingClientRect()
    if (!button) return
    const { offsetWidth: width, offsetHeight: height } = menu
    const isRightToLeft = getComputedStyle(this).direction === 'rtl'
    const wanted = (this.align === 'end') === !isRightToLeft ? button.right - width : button.left
    const left = Math.max(8, Math.min(wanted, window.innerWidth - width - 8))
    const fitsBelow = button.bottom + 4 + height <= window.innerHeight - 8
    const top = fitsBelow ? button.bottom + 4 : Math.max(8, button.top - 4 - height)
    Object.assign(menu.style, { left: `${left}px`, top: `${top}px` })
  }
}
