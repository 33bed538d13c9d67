import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'

/**
 * An empty place that teaches: what this is, one main action.
 *
 * @slot - more text
 * @slot actions - the main action first
 */
export class SocleEmpty extends KitElement {
  static override properties = {
    heading: { type: String },
    text: { type: String },
    icon: { type: String },
    compact: { type: Boolean, reflect: true },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }

      .empty {
        display: flex;
        flex-direction: column;
        align-items: center;
        max-inline-size: 440px;
        margin: 0 auto;
        padding: 48px 16px;
        text-align: center;
      }

      .sign {
        display: grid;
        place-items: center;
        inline-size: 40px;
        block-size: 40px;
        margin-block-end: 12px;
        color: var(--socle-text-2);
        background: var(--socle-muted);
        border-radius: 10px;
      }

      .sign .icon {
        inline-size: 20px;
        block-size: 20px;
      }

      .text {
        margin-block-start: 4px;
        color: var(--socle-text-2);
        text-wrap: pretty;
      }

      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 8px;
        margin-block-start: 16px;
      }

      .actions[hidden] {
        display: none;
      }

      :host([compact]) .empty {
        align-items: start;
        margin: 0;
        padding: 8px 0;
        text-align: start;
      }

      :host([compact]) h2 {
        font: var(--socle-small);
        color: var(--socle-text-2);
      }

      :host([compact]) .actions {
        margin-block-start: 8px;
      }
    `,
  ]

  declare heading: string
  declare text: string
  declare icon: string
  declare compact: boolean

  #hasActions = false

  constructor() {
    super()
    this.heading = ''
    this.text = ''
    this.icon = ''
    this.compact = false
  }

  override willUpdate(): void {
    this.#hasActions = this.querySelector(':scope > [slot="actions"]') !== null
  }

  override render() {
    return html`<div class="empty">
      ${this.icon && !this.compact ? html`<div class="sign">${icon(this.icon)}</div>` : nothing}
      ${this.heading ? html`<h2>${this.heading}</h2>` : nothing}
      <div class="text">${this.text}<slot></slot></div>
      <div class="actions" ?hidden=${!this.#hasActions}>
        <slot name="actions" @slotchange=${this.#actionsChanged}></slot>
      </div>
    </div>`
  }

  readonly #actionsChanged = (): void => this.requestUpdate()
}
