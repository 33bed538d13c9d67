import { css, html } from 'lit'
import { controls } from './controls.ts'
import { deepActiveElement } from './focus.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

/**
 * A modal question or form on the native dialog, which keeps the focus inside and gives it back.
 *
 * @fires socle-close - it closed; `detail.returnValue` as given to `close()`, '' by Esc or the cross
 * @slot - the body
 * @slot actions - buttons at the foot, the primary one last
 */
export class SocleDialog extends KitElement {
  static override properties = {
    open: { type: Boolean, reflect: true },
    heading: { type: String },
    wide: { type: Boolean, reflect: true },
    alert: { type: Boolean },
    guard: { attribute: false },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: contents;
      }

      dialog {
        inline-size: min(480px, calc(100vw - 24px));
        max-block-size: min(720px, calc(100dvh - 24px));
        padding: 0;
        font: var(--socle-body);
        color: var(--socle-text);
        background: var(--socle-surface);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-dialog);
        box-shadow: var(--socle-shadow);
        overscroll-behavior: contain;
      }

      dialog[open] {
        display: flex;
        flex-direction: column;
        animation: appear var(--socle-motion);
      }

      :host([wide]) dialog {
        inline-size: min(720px, calc(100vw - 24px));
      }

      dialog::backdrop {
        background: var(--socle-backdrop);
      }

      header {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 16px 12px 0 20px;
      }

      h2 {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }

      .body {
        flex: 1;
        min-block-size: 0;
        padding: 12px 20px 20px;
        overflow: auto;
      }

      footer {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
        padding: 12px 20px;
        border-block-start: 1px solid var(--socle-line);
      }

      footer[hidden] {
        display: none;
      }

      @keyframes appear {
        from {
          opacity: 0;
          transform: translateY(6px);
        }
      }

      @media (width < 600px) {
        dialog {
          inline-size: 100vw;
          max-inline-size: 100vw;
          max-block-size: 92dvh;
          margin-block-end: 0;
          border-end-start-radius: 0;
          border-end-end-radius: 0;
        }
      }
    `,
  ]

  declare open: boolean
  declare heading: string
  declare wide: boolean
  /** A question that must be answered: a click beside it does not close it. */
  declare alert: boolean
  /** Asked before Esc or the cross closes it; answering false keeps it open (unsaved input). */
  declare guard: (() => boolean | Promise<boolean>) | undefined

  #opener: HTMLElement | undefined
  #hasActions = false

  constructor() {
    super()
    this.open = false
    this.heading = ''
    this.wide = false
    this.alert = false
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog')
  }

  show(): void {
    this.open = true
  }

  close(returnValue = ''): void {
    this.#dialog?.close(returnValue)
  }

  override willUpdate(): void {
    this.#hasActions = this.querySelector(':scope > [slot="actions"]') !== null
  }

  override render() {
    return html`<dialog
      role=${this.alert ? 'alertdialog' : 'dialog'}
      aria-labelledby="heading"
      @cancel=${this.#cancelled}
      @close=${this.#closed}
      @click=${this.#clicked}
    >
      <header>
        <h2 id="heading">${this.heading}</h2>
        <button class="icon-button" aria-label=${t('kit.dialog.close')} @click=${this.#dismiss}>${icon('x')}</button>
      </header>
      <div class="body"><slot></slot></div>
      <footer ?hidden=${!this.#hasActions}><slot name="actions" @slotchange=${this.#actionsChanged}></slot></footer>
    </dialog>`
  }

  override updated(): void {
    const dialog = this.#dialog
    if (!dialog || dialog.open === this.open) return
    if (!this.open) return dialog.close()
    this.#opener = deepActiveElement()
    dialog.showModal()
    void this.#focusFirst()
  }

  /** The browser looks for `autofocus` before elements of ours have drawn themselves. */
  async #focusFirst(): Promise<void> {
    const wanted = this.querySelector<HTMLElement & { updateComplete?: Promise<unknown> }>('[autofocus]')
    await wanted?.updateComplete
    wanted?.focus()
  }

  readonly #actionsChanged = (): void => this.requestUpdate()

  readonly #cancelled = (event: Event): void => {
    if (event.target !== this.#dialog) return
    event.preventDefault()
    void this.#dismiss()
  }

  readonly #dismiss = async (): Promise<void> => {
    if (this.guard && !(await this.guard())) return
    this.close()
  }

  readonly #clicked = (event: MouseEvent): void => {
    const dialog = this.#dialog
    if (event.target !== dialog || !dialog || this.alert) return
    const box = dialog.getBoundingClientRect()
    const { clientX: x, clientY: y } = event
    const isInside = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom
    if (!isInside) void this.#dismiss()
  }

  readonly #closed = (event: Event): void => {
    if (event.target !== this.#dialog) return
    this.open = false
    // The browser gives the focus back to the host of a shadow root, not to the button inside it.
    this.#opener?.focus()
    this.#opener = undefined
    this.tell('socle-close', { returnValue: this.#dialog?.returnValue ?? '' })
  }
}
