import { KitElement, controls, format, icon, live, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { session } from './session-doc.ts'

const grace = 3000

/** Says when the server is not heard: what is on screen is the last good state. Nothing while all is well. */
export class ShellNotice extends KitElement {
  static override properties = { since: { state: true } }
  declare since: Date | undefined

  #timer: ReturnType<typeof setTimeout> | undefined
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = live.on('status', (status) => this.#hear(status.connected, status.since))
    window.addEventListener('offline', this.#offline)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    clearTimeout(this.#timer)
    window.removeEventListener('offline', this.#offline)
  }

  readonly #offline = (): void => {
    this.since ??= new Date()
  }

  // Short breaks (a restart, a train's tunnel of two seconds) are nobody's business.
  #hear(isConnected: boolean, since: Date): void {
    clearTimeout(this.#timer)
    if (isConnected) this.since = undefined
    else if (!this.since) this.#timer = setTimeout(() => (this.since = since), grace)
  }

  override render() {
    if (!this.since) return nothing
    return html`
      <div role="status">
        ${icon('wifi-off')}
        <span>${t('shell.offline', { time: format.time(this.since.toISOString()) })}</span>
        <button class="button small" @click=${() => void session.load()}>${t('shell.retry')}</button>
      </div>
    `
  }

  static override styles = [
    controls,
    css`
      div {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 6px 16px;
        border-block-end: 1px solid var(--socle-line);
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
        font-size: 13px;
        line-height: 18px;
      }
      span {
        flex: 1;
      }
    `,
  ]
}
