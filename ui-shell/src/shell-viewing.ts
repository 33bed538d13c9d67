import { KitElement, ProblemError, api, controls, format, icon, shell, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'

/** Says all the time that the workspace is seen as somebody else sees it, until when, and leads back. */
export class ShellViewing extends KitElement {
  #timer: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    const { viewing } = shell() ?? {}
    if (viewing) this.#timer = setTimeout(leave, Math.max(0, Date.parse(viewing.until) - Date.now()))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  readonly #stop = async (): Promise<void> => {
    try {
      await api.delete('/api/core/view-as')
      leave()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: error.detail, tone: 'danger' })
    }
  }

  override render() {
    const { viewing, user } = shell() ?? {}
    if (!viewing || !user) return nothing
    return html`<div role="status">
      ${icon('eye')}
      <span>${t('shell.viewing.text', { name: user.name, time: format.time(viewing.until) })}</span>
      <button class="button small" @click=${this.#stop}>${t('shell.viewing.stop')}</button>
    </div>`
  }

  static override styles = [
    controls,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 8px;
        padding: 6px 16px;
        border-block-end: 1px solid var(--socle-line);
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
        font-size: 13px;
        line-height: 18px;
      }
      span {
        flex: 1 1 200px;
      }
    `,
  ]
}

/** Nothing that was read as somebody else stays in the page. */
function leave(): void {
  location.assign('/')
}
