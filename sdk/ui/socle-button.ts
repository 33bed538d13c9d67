import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'

/**
 * A button where no shared style sheet reaches: in light DOM and in slots. Inside a shadow root with `controls`
 * a plain `<button class="button">` does the same.
 *
 * @fires click
 */
export class SocleButton extends KitElement {
  static override shadowRootOptions = { ...KitElement.shadowRootOptions, delegatesFocus: true }
  static override properties = {
    kind: { type: String },
    icon: { type: String },
    label: { type: String },
    disabled: { type: Boolean, reflect: true },
    busy: { type: Boolean, reflect: true },
    why: { type: String },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: inline-flex;
      }

      .button {
        inline-size: 100%;
      }

      .busy .icon {
        animation: turn 900ms linear infinite;
      }

      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
    `,
  ]

  declare kind: 'primary' | 'secondary' | 'ghost' | 'danger'
  declare icon: string
  /** Accessible name when the button shows only its icon. */
  declare label: string
  declare disabled: boolean
  declare busy: boolean
  /** Why it is disabled, said on focus. */
  declare why: string

  constructor() {
    super()
    this.kind = 'secondary'
    this.icon = ''
    this.label = ''
    this.disabled = false
    this.busy = false
    this.why = ''
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.addEventListener('click', this.#refuse, { capture: true })
  }

  override render() {
    const isOff = this.disabled || this.busy
    const shownIcon = this.busy ? 'loader' : this.icon
    return html`<button
      class="button ${this.kind} ${this.busy ? 'busy' : ''} ${this.label ? 'icon-button' : ''}"
      aria-label=${this.label || nothing}
      aria-disabled=${isOff ? 'true' : nothing}
      aria-busy=${this.busy ? 'true' : nothing}
      title=${this.disabled && this.why ? this.why : this.label || nothing}
    >
      ${shownIcon ? icon(shownIcon) : nothing}<slot></slot>
    </button>`
  }

  // Not the attribute `disabled`: a disabled button still takes the focus and says why.
  readonly #refuse = (event: Event): void => {
    if (!this.disabled && !this.busy) return
    event.stopImmediatePropagation()
    event.preventDefault()
  }
}
