import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import type { Tone } from './types.ts'

/** A state with its word: `<socle-pill tone="success" icon="check">Won</socle-pill>`. */
export class SoclePill extends KitElement {
  static override properties = { tone: { type: String }, icon: { type: String } }
  static override styles = [
    controls,
    css`
      :host {
        display: inline-flex;
        vertical-align: middle;
      }
    `,
  ]

  declare tone: Tone
  declare icon: string

  constructor() {
    super()
    this.tone = 'neutral'
    this.icon = ''
  }

  override render() {
    return html`<span class="pill ${this.tone}">${this.icon ? icon(this.icon) : nothing}<slot></slot></span>`
  }
}
