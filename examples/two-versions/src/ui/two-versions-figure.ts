import { LitElement, css, html } from 'lit'

/** A number, large. */
export class TwoVersionsFigure extends LitElement {
  static override properties = { value: { type: Number } }
  static override styles = css`
    output {
      font: 600 28px/36px var(--socle-font);
      font-variant-numeric: tabular-nums;
    }
  `

  declare value: number

  override render() {
    return html`<output>${this.value}</output>`
  }
}
