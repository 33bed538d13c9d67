import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { icon } from './templates.ts'
import type { Tone } from './types.ts'
import { t } from './words.ts'

export interface ToastOptions {
  readonly text: string
  readonly tone?: Tone
  readonly action?: { readonly label: string; readonly run: () => unknown }
}

interface Shown extends ToastOptions {
  readonly id: number
  remaining: number
  started: number
  timer?: ReturnType<typeof setTimeout>
}

const withAction = 10_000
const plain = 5_000
const toneIcons: Partial<Record<Tone, string>> = {
  success: 'circle-check',
  warning: 'triangle-alert',
  danger: 'circle-alert',
  info: 'info',
}

/** Where messages of the moment stand. The clock halts while a pointer or the focus is on them. */
export class SocleToasts extends KitElement {
  static override styles = [
    controls,
    css`
      :host {
        position: fixed;
        inset: auto auto calc(16px + env(safe-area-inset-bottom)) 50%;
        z-index: 100;
        inline-size: min(480px, calc(100vw - 24px));
        max-inline-size: none;
        margin: 0;
        padding: 0;
        background: none;
        border: 0;
        overflow: visible;
        transform: translateX(-50%);
        pointer-events: none;
      }

      .stack {
        display: flex;
        flex-direction: column;
        align-items: center;
        gap: 8px;
      }

      .toast {
        display: flex;
        align-items: center;
        gap: 10px;
        max-inline-size: 100%;
        min-block-size: 40px;
        padding: 6px 6px 6px 14px;
        font: var(--socle-small);
        font-weight: 500;
        color: var(--socle-surface);
        background: var(--socle-text);
        border-radius: var(--socle-radius-card);
        box-shadow: var(--socle-shadow);
        pointer-events: auto;
        animation: rise var(--socle-motion);
      }

      .text {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }

      button {
        color: inherit;
      }

      .toast .button.ghost,
      .toast .icon-button {
        color: inherit;
        opacity: 0.86;
      }

      .toast .button.ghost {
        min-block-size: 28px;
        padding: 0 10px;
        font: inherit;
        font-weight: 600;
        border-color: color-mix(in srgb, currentColor 32%, transparent);
      }

      .toast .button:hover,
      .toast .icon-button:hover {
        color: inherit;
        background: color-mix(in srgb, currentColor 16%, transparent);
        opacity: 1;
      }

      .toast :focus-visible {
        outline-color: currentColor;
        outline-offset: -2px;
      }

      @keyframes rise {
        from {
          opacity: 0;
          transform: translateY(8px);
        }
      }

      @media (forced-colors: active) {
        .toast {
          border: 1px solid;
        }
      }
    `,
  ]

  #toasts: readonly Shown[] = []
  #last = 0

  show(options: ToastOptions): () => void {
    const toast: Shown = { ...options, id: ++this.#last, remaining: options.action ? withAction : plain, started: 0 }
    this.#toasts = [...this.#toasts.slice(-2), toast]
    this.#run(toast)
    this.requestUpdate()
    // The top layer, so that a toast stands above an open dialog.
    if (this.isConnected && !this.matches(':popover-open')) this.showPopover()
    return () => this.#close(toast)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.popover = 'manual'
    if (this.#toasts.length > 0) this.showPopover()
  }

  /** Takes back the newest offered action, as Ctrl+Z does; answers whether there was one. */
  runLatest(): boolean {
    const latest = this.#toasts.findLast((it) => it.action)
    if (latest) this.#act(latest)
    return latest !== undefined
  }

  override render() {
    return html`<div class="stack" role="region" aria-label=${t('kit.toast.region')}>
      ${repeat(
        this.#toasts,
        (toast) => toast.id,
        (toast) =>
          html`<div
            class="toast"
            role=${toast.tone === 'danger' ? 'alert' : 'status'}
            @pointerenter=${() => this.#pause(toast)}
            @pointerleave=${() => this.#run(toast)}
            @focusin=${() => this.#pause(toast)}
            @focusout=${() => this.#run(toast)}
          >
            ${toast.tone && toneIcons[toast.tone] ? icon(toneIcons[toast.tone] as string) : nothing}
            <span class="text">${toast.text}</span>
            ${
              toast.action
                ? html`<button class="button ghost" @click=${() => this.#act(toast)}>${toast.action.label}</button>`
                : nothing
            }
            <button class="icon-button" aria-label=${t('kit.toast.close')} @click=${() => this.#close(toast)}>
              ${icon('x')}
            </button>
          </div>`,
      )}
    </div>`
  }

  #act(toast: Shown): void {
    this.#close(toast)
    toast.action?.run()
  }

  #run(toast: Shown): void {
    clearTimeout(toast.timer)
    toast.started = Date.now()
    toast.timer = setTimeout(() => this.#close(toast), toast.remaining)
  }

  #pause(toast: Shown): void {
    clearTimeout(toast.timer)
    toast.remaining = Math.max(2_000, toast.remaining - (Date.now() - toast.started))
  }

  #close(toast: Shown): void {
    clearTimeout(toast.timer)
    this.#toasts = this.#toasts.filter((it) => it !== toast)
    this.requestUpdate()
    if (this.#toasts.length === 0 && this.matches(':popover-open')) this.hidePopover()
  }
}
