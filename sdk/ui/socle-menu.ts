import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { defineRest } from './define-rest.ts'
import { KitElement } from './kit-element.ts'
import type { MenuList } from './menu-list.ts'
import { icon } from './templates.ts'

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
        max-inline-size: 100%;
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

  get #list(): MenuList | null {
    return this.renderRoot.querySelector<MenuList>('socle-menu-list')
  }

  /** Opens the list under the button and puts the focus on its chosen or first item. */
  open(): void {
    const button = this.renderRoot.querySelector<HTMLElement>('.trigger')
    if (button) void this.#show(button)
  }

  /** Opens beside another element, which gets the focus back. */
  openAt(anchor: HTMLElement, label: string): void {
    this.#anchorLabel = label
    this.requestUpdate()
    void this.#show(anchor)
  }

  close(): void {
    this.#list?.hide()
  }

  override render() {
    return html`${this.bare ? nothing : this.#button()}<socle-menu-list
        .items=${this.items}
        .label=${this.#anchorLabel || this.label}
        .align=${this.align}
        @socle-toggle=${this.#listToggled}
      ></socle-menu-list>`
  }

  #button() {
    return html`<button
      class="trigger ${this.iconOnly ? 'icon-button' : `button ${this.kind}`}"
      aria-haspopup="menu"
      aria-expanded=${this.#isOpen}
      aria-label=${this.iconOnly ? this.label : nothing}
      title=${this.iconOnly ? this.label : nothing}
      ?disabled=${this.disabled}
      @pointerdown=${() => (this.#wasOpen = this.#isOpen)}
      @click=${this.#toggled}
      @keydown=${this.#pressed}
    >
      <slot name="button">
        ${this.icon ? icon(this.icon) : nothing}${this.iconOnly ? nothing : html`<span>${this.label}</span>`}${this.caret ? icon('chevron-down') : nothing}
      </slot>
    </button>`
  }

  async #show(anchor: HTMLElement): Promise<void> {
    await Promise.all([defineRest(), this.updateComplete])
    await this.#list?.showAt(anchor)
  }

  readonly #toggled = (): void => {
    // A press on the button has already dismissed the open list; it must not open again on the click that follows.
    const wasOpen = this.#wasOpen
    this.#wasOpen = false
    if (this.#isOpen || wasOpen) this.close()
    else this.open()
  }

  readonly #listToggled = (event: CustomEvent<{ open: boolean }>): void => {
    event.stopPropagation()
    this.#isOpen = event.detail.open
    this.requestUpdate()
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown') return
    event.preventDefault()
    event.stopPropagation()
    this.open()
  }
}
