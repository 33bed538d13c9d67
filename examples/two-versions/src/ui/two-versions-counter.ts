import { onShellChange, t } from '@socle/sdk/ui'
import { LitElement, css, html } from 'lit'

/** Counts clicks. The kit's elements and functions are the page's, and Lit is its own. */
export class TwoVersionsCounter extends LitElement {
  static override properties = { clicks: { state: true } }
  static override styles = css`
    :host {
      display: grid;
      gap: 16px;
      justify-items: start;
      padding: 24px;
    }
  `

  declare clicks: number
  #stop: (() => void) | undefined

  constructor() {
    super()
    this.clicks = 0
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = onShellChange(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  override render() {
    return html`
      <two-versions-figure .value=${this.clicks}></two-versions-figure>
      <socle-button kind="primary" @click=${() => (this.clicks += 1)}>${t('two-versions.counter.more')}</socle-button>
    `
  }
}
