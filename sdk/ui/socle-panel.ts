import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

/**
 * The side panel: beside the list on wide screens, over it under 1100 px. It takes no focus by itself, so that the
 * list under it keeps its keys; Esc inside closes it.
 *
 * @fires socle-close - Esc or the cross
 * @fires socle-step - `detail.by` is -1 or 1
 * @fires socle-expand - open as a page
 * @slot - the body
 * @slot actions - buttons in the head
 * @slot foot - stays visible under the scrolling body
 */
export class SoclePanel extends KitElement {
  static override properties = {
    open: { type: Boolean, reflect: true },
    label: { type: String },
    heading: { type: String },
    position: { type: Number },
    total: { type: Number },
    href: { type: String },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: none;
        flex: none;
        inline-size: clamp(400px, 30vw, 480px);
        block-size: 100%;
        background: var(--socle-surface);
        border-inline-start: 1px solid var(--socle-line);
      }

      :host([open]) {
        display: block;
      }

      aside {
        display: flex;
        flex-direction: column;
        block-size: 100%;
      }

      header {
        display: flex;
        flex: none;
        align-items: center;
        gap: 4px;
        min-block-size: 44px;
        padding: 6px 8px 0 16px;
      }

      .where {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 4px;
        min-inline-size: 0;
        color: var(--socle-text-2);
        font-variant-numeric: tabular-nums;
      }

      h2 {
        flex: 1;
        min-inline-size: 0;
      }

      .body {
        flex: 1;
        min-block-size: 0;
        padding: 8px 16px 24px;
        overflow: auto;
        overscroll-behavior: contain;
      }

      .foot ::slotted(*) {
        padding: 12px 16px;
        border-block-start: 1px solid var(--socle-line);
      }

      @media (width < 1100px) {
        :host([open]) {
          position: fixed;
          inset: 0 0 0 auto;
          z-index: 20;
          inline-size: min(480px, 100vw);
          box-shadow: var(--socle-shadow);
          animation: slide var(--socle-motion);
        }
      }

      @media (width < 600px) {
        :host([open]) {
          inline-size: 100vw;
          border: 0;
        }
      }

      @keyframes slide {
        from {
          opacity: 0;
          transform: translateX(16px);
        }
      }
    `,
  ]

  declare open: boolean
  /** Accessible name; the heading if there is one. */
  declare label: string
  declare heading: string
  /** 1-based place in the list the record was opened from. */
  declare position: number | undefined
  declare total: number | undefined
  /** Address of the same record as a page. */
  declare href: string

  constructor() {
    super()
    this.open = false
    this.label = ''
    this.heading = ''
    this.href = ''
  }

  override render() {
    return html`<aside aria-label=${this.label || this.heading || nothing} @keydown=${this.#pressed}>
      <header>
        ${this.position === undefined ? this.#heading() : this.#steps(this.position)}
        <slot name="actions"></slot>
        ${
          this.href
            ? html`<a
                class="icon-button"
                href=${this.href}
                title=${t('kit.panel.expand')}
                aria-label=${t('kit.panel.expand')}
                @click=${() => this.tell('socle-expand')}
                >${icon('maximize')}</a
              >`
            : nothing
        }
        <button
          class="icon-button"
          title=${t('kit.panel.close')}
          aria-label=${t('kit.panel.close')}
          @click=${() => this.tell('socle-close')}
        >
          ${icon('x')}
        </button>
      </header>
      <div class="body"><slot></slot></div>
      <div class="foot"><slot name="foot"></slot></div>
    </aside>`
  }

  #heading() {
    return html`<h2>${this.heading}</h2>`
  }

  #steps(position: number) {
    const total = this.total ?? position
    return html`<span class="where"
      >${t('kit.panel.position', { position, total })}
      <button
        class="icon-button"
        title=${t('kit.panel.previous')}
        aria-label=${t('kit.panel.previous')}
        ?disabled=${position <= 1}
        @click=${() => this.tell('socle-step', { by: -1 })}
      >
        ${icon('chevron-left')}
      </button>
      <button
        class="icon-button"
        title=${t('kit.panel.next')}
        aria-label=${t('kit.panel.next')}
        ?disabled=${position >= total}
        @click=${() => this.tell('socle-step', { by: 1 })}
      >
        ${icon('chevron-right')}
      </button>
    </span>`
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) return
    event.preventDefault()
    event.stopPropagation()
    this.tell('socle-close')
  }
}
