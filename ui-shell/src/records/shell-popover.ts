import { css, html, LitElement } from 'lit'

const gap = 4
const margin = 8

/**
 * A small window beside the control that opened it; a sheet from below on a phone.
 *
 * Light dismiss, Esc and the way back of the focus are the browser's own (`popover=auto`).
 */
export class ShellPopover extends LitElement {
  static override properties = { label: {}, align: {} }

  static override styles = css`
    :host {
      position: fixed;
      inset: auto;
      margin: 0;
      padding: 0;
      box-sizing: border-box;
      inline-size: max-content;
      min-inline-size: 220px;
      max-inline-size: min(360px, calc(100vw - 16px));
      max-block-size: min(520px, calc(100dvh - 16px));
      overflow: auto;
      overscroll-behavior: contain;
      border: 1px solid var(--socle-line);
      border-radius: 8px;
      background: var(--socle-surface);
      color: var(--socle-text);
      box-shadow: var(--socle-shadow, 0 8px 28px rgb(0 0 0 / 0.18));
      font-size: 13px;
      line-height: 18px;
    }
    @media (max-width: 599.98px) {
      :host {
        inset: auto 0 0 0;
        inline-size: 100%;
        max-inline-size: none;
        max-block-size: 80dvh;
        border-width: 1px 0 0;
        border-radius: 12px 12px 0 0;
        padding-block-end: env(safe-area-inset-bottom);
      }
    }
    @media (prefers-reduced-motion: no-preference) {
      :host(:popover-open) {
        animation: appear 120ms ease-out;
      }
      @keyframes appear {
        from {
          opacity: 0;
        }
      }
    }
  `

  declare label: string
  declare align: 'start' | 'end'
  #anchor: HTMLElement | undefined
  #closedAt = 0

  constructor() {
    super()
    this.label = ''
    this.align = 'start'
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.popover = 'auto'
    this.setAttribute('role', 'dialog')
    this.addEventListener('toggle', this.#onToggle)
    this.addEventListener('keydown', this.#onKey)
  }

  get isOpen(): boolean {
    return this.matches(':popover-open')
  }

  /** Opens beside `anchor`; a second call from the same anchor closes. */
  toggle(anchor: HTMLElement): void {
    // The press that light-dismissed it is the same that would open it again.
    if (this.isOpen || (anchor === this.#anchor && performance.now() - this.#closedAt < 150)) this.hide()
    else this.show(anchor)
  }

  show(anchor: HTMLElement): void {
    this.#anchor = anchor
    if (!this.isOpen) this.showPopover()
    this.place()
    void this.updateComplete.then(() => requestAnimationFrame(() => this.place()))
  }

  hide(): void {
    if (this.isOpen) this.hidePopover()
  }

  /** Puts it under its anchor, or above where there is no room below. */
  place(): void {
    if (!this.#anchor || !this.isOpen) return
    if (window.matchMedia('(max-width: 599.98px)').matches) {
      this.style.removeProperty('left')
      this.style.removeProperty('top')
      return
    }
    const anchor = this.#anchor.getBoundingClientRect()
    const { offsetWidth: width, offsetHeight: height } = this
    const wanted = this.align === 'end' ? anchor.right - width : anchor.left
    const left = Math.max(margin, Math.min(wanted, window.innerWidth - width - margin))
    const below = anchor.bottom + gap
    const fits = below + height + margin <= window.innerHeight
    const top = fits ? below : Math.max(margin, Math.min(below, window.innerHeight - height - margin))
    this.style.left = `${left}px`
    this.style.top = `${top}px`
  }

  override updated(): void {
    this.setAttribute('aria-label', this.label)
  }

  override render() {
    return html`<slot @slotchange=${() => this.place()}></slot>`
  }

  readonly #onToggle = (event: Event): void => {
    if (event.target !== this) return
    const closes = (event as ToggleEvent).newState === 'closed'
    if (closes) this.#closedAt = performance.now()
    this.dispatchEvent(new CustomEvent(closes ? 'popover-closed' : 'popover-opened'))
  }

  // Esc closes this window only, not the panel or page behind it.
  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') event.stopPropagation()
  }
}
