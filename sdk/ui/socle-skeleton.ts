import { css, html } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { t } from './words.ts'

/** Grey lines where text will stand. Seen after 150 ms, so that a quick answer does not flicker; a sentence after 1 s. */
export class SocleSkeleton extends KitElement {
  static override properties = { lines: { type: Number }, label: { type: String } }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        padding: 8px 0;
        animation: appear 1ms 150ms both;
      }

      .line {
        inline-size: 70%;
        block-size: 12px;
        margin-block-end: 14px;
        background: var(--socle-muted);
        border-radius: 4px;
      }

      .line:nth-child(3n) {
        inline-size: 46%;
      }

      .line:nth-child(4n) {
        inline-size: 84%;
      }

      .meta {
        animation: appear 1ms 1s both;
      }

      @media (prefers-reduced-motion: no-preference) {
        .line {
          animation: breathe 1.6s ease-in-out infinite;
        }
      }

      @keyframes appear {
        from {
          opacity: 0;
        }
      }

      @keyframes breathe {
        50% {
          opacity: 0.5;
        }
      }

      @media (forced-colors: active) {
        .line {
          border: 1px solid;
        }
      }
    `,
  ]

  declare lines: number
  declare label: string

  constructor() {
    super()
    this.lines = 4
    this.label = ''
  }

  override render() {
    return html`${Array.from({ length: this.lines }, () => html`<div class="line"></div>`)}
      <p class="meta" role="status">${this.label || t('kit.loading')}</p>`
  }
}
