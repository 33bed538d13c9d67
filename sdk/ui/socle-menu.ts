import { css, html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

export interface MenuItem {
  readonly id: string
  readonly label: string
  readonly icon?: string
  readonly key?: string
  readonly href?: string
  readonly danger?: boolean
  readonly disabled?: boolean
  /** Shown as chosen; the menu then speaks of radio or check items. */
  readonly checked?: boolean
  /** A line above this item. */
  readonly separator?: boolean
  readonly note?: string
}

/**
 * A button with a popover menu: arrows, Home, End, first letters, Esc back to the button.
 *
 * @fires socle-choose - `detail.id` of the item
 * @slot button - shown inside the button instead of `label` and `icon`
 */
export class SocleMenu extends KitElement {
  static override shadowRootOptions = { ...KitElement.shadowRootOptions, delegatesFocus: true }
  static override properties = {
    items: { attribute: false },
    label: { type: String },
    icon: { type: String },
    kind: { type: String },
    caret: { type: Boolean },
    iconOnly: { type: Boolean, attribute: 'icon-only' },
    align: { type: String },
    disabled: { type: Boolean },
    bare: { type: Boolean },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: inline-flex;
      }

      .trigger {
        anchor-name: --trigger;
        max-inline-size: 100%;
      }

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
  declare icon: string
  declare kind: 'primary' | 'secondary' | 'ghost' | 'small' | 'small on'
  declare caret: boolean
  declare iconOnly: boolean
  declare align: 'start' | 'end'
  declare disabled: boolean
  /** Without a button of its own: opened by `openAt`. */
  declare bare: boolean

  #isOpen = false
  #wasOpen = false
  #typed = ''
  #typedAt = 0
  #anchor: HTMLElement | undefined
  #anchorLabel = ''

  constructor() {
    super()
    this.items = []
    this.label = ''
    this.icon = ''
    this.kind = 'secondary'
    this.caret = false
    this.iconOnly = false
    this.align = 'start'
    this.disabled = false
    this.bare = false
  }

  get #menu(): HTMLElement | null {
    return this.renderRoot.querySelector('.menu')
  }

  get #trigger(): HTMLElement | null {
    return this.renderRoot.querySelector('.trigger')
  }

  get #entries(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('.item')]
  }

  /** Opens the list and puts the focus on its chosen or first item. */
  open(): void {
    const menu = this.#menu
    if (!menu || menu.matches(':popover-open')) return
    menu.showPopover()
    this.#place(menu)
    const entries = this.#entries
    const chosen = entries.find((it) => it.getAttribute('aria-checked') === 'true')
    ;(chosen ?? entries[0])?.focus()
  }

  /** Opens beside another element, which gets the focus back. */
  openAt(anchor: HTMLElement, label: string): void {
    this.#anchor = anchor
    this.#anchorLabel = label
    this.requestUpdate()
    void this.updateComplete.then(() => this.open())
  }

  close(): void {
    if (this.#menu?.matches(':popover-open')) this.#menu.hidePopover()
  }

  override render() {
    const face = html`<slot name="button">
      ${this.icon ? icon(this.icon) : nothing}${this.iconOnly ? nothing : html`<span>${this.label}</span>`}${
        this.caret ? icon('chevron-down') : nothing
      }
    </slot>`
    return html`${this.bare ? nothing : this.#button(face)}
      <div
        class="menu"
        role="menu"
        popover="auto"
        aria-label=${this.#anchorLabel || this.label || t('kit.menu.label')}
        @toggle=${this.#changed}
        @keydown=${this.#pressed}
      >
        ${this.items.map((item) => this.#item(item))}
      </div>`
  }

  #button(face: TemplateResult) {
    return html`<button
      class="trigger ${this.iconOnly ? 'icon-button' : `button ${this.kind}`}"
      aria-haspopup="menu"
      aria-expanded=${this.#isOpen}
      aria-label=${this.iconOnly ? this.label : nothing}
      title=${this.iconOnly ? this.label : nothing}
      ?disabled=${this.disabled}
      @pointerdown=${() => (this.#wasOpen = this.#isOpen)}
      @click=${this.#toggled}
      @keydown=${this.#triggerPressed}
    >
      ${face}
    </button>`
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
    this.close()
    this.#giveBack()
    this.tell('socle-choose', { id: item.id })
  }

  #giveBack(): void {
    ;(this.#anchor ?? this.#trigger)?.focus()
  }

  readonly #toggled = (): void => {
    // A press on the button has already dismissed the open list; it must not open again on the click that follows.
    const wasOpen = this.#wasOpen
    this.#wasOpen = false
    if (this.#isOpen || wasOpen) this.close()
    else this.open()
  }

  readonly #changed = (event: Event): void => {
    this.#isOpen = (event as ToggleEvent).newState === 'open'
    this.requestUpdate()
  }

  readonly #triggerPressed = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown') return
    event.preventDefault()
    event.stopPropagation()
    this.open()
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
      this.close()
      this.#giveBack()
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
    const button = (this.#anchor ?? this.#trigger)?.getBoundingClientRect()
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
