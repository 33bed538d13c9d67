import { css, html } from 'lit'
import { KitElement } from './kit-element.ts'
import { controls } from './controls.ts'
import { icon } from './templates.ts'

/** One icon of the set by name; decorative unless it has a `label`. */
export class SocleIcon extends KitElement {
  static override properties = { name: { type: String }, label: { type: String } }
  static override styles = [
    controls,
    css`
      :host {
        display: inline-flex;
        vertical-align: middle;
      }

      .icon {
        inline-size: var(--socle-icon-size, 16px);
        block-size: var(--socle-icon-size, 16px);
      }
    `,
  ]

  declare name: string
  declare label: string

  constructor() {
    super()
    this.name = 'circle'
    this.label = ''
  }

  override render() {
    if (!this.label) return icon(this.name)
    return html`<span role="img" aria-label=${this.label}>${icon(this.name)}</span>`
  }
}
