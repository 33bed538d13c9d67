import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import type { Tone } from './types.ts'

/** A figure on a card, always a link to the rows behind it. */
export class SocleFigure extends KitElement {
  static override properties = {
    label: { type: String },
    value: { type: String },
    href: { type: String },
    note: { type: String },
    tone: { type: String },
    noteIcon: { type: String, attribute: 'note-icon' },
    loading: { type: Boolean },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }

      .card {
        display: flex;
        flex-direction: column;
        align-items: flex-start;
        gap: 4px;
        block-size: 100%;
        padding: 14px 16px 16px;
        color: inherit;
        text-decoration: none;
      }

      a.card:hover {
        border-color: var(--socle-control);
      }

      .label {
        color: var(--socle-text-2);
      }

      .value {
        font: var(--socle-figure);
        font-weight: 600;
        letter-spacing: -0.01em;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }

      .pill {
        white-space: normal;
        block-size: auto;
        min-block-size: 20px;
      }

      .blank {
        inline-size: 60%;
        block-size: 20px;
        margin: 6px 0;
        background: var(--socle-muted);
        border-radius: 4px;
      }

      @container (inline-size < 200px) {
        .value {
          font-size: 20px;
        }
      }
    `,
  ]

  declare label: string
  /** Already formatted. */
  declare value: string
  declare href: string
  declare note: string
  declare tone: Tone
  declare noteIcon: string
  declare loading: boolean

  constructor() {
    super()
    this.label = ''
    this.value = ''
    this.href = ''
    this.note = ''
    this.tone = 'neutral'
    this.noteIcon = ''
    this.loading = false
  }

  override render() {
    const content = html`<span class="label">${this.label}</span>
      ${this.loading ? html`<span class="blank"></span>` : html`<span class="value">${this.value}</span>`}
      ${
        this.note && !this.loading
          ? html`<span class="pill ${this.tone}">${this.noteIcon ? icon(this.noteIcon) : nothing}${this.note}</span>`
          : nothing
      }`
    return this.href ? html`<a class="card" href=${this.href}>${content}</a>` : html`<div class="card">${content}</div>`
  }
}
