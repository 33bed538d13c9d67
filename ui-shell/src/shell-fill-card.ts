import { KitElement, announce, api, controls, may, shell, t, toast } from '@socle/sdk/ui'
import type { ShellFill } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from './define.ts'
import { session } from './session-doc.ts'
import { sentenceOf } from './settings/settings-api.ts'
import type { Breaks } from './settings/settings-api.ts'

/** Why a fill is not shown: at which step it failed, and what was said. */
export interface FillFault {
  readonly code: 'FILL_NOT_LOADED' | 'FILL_TIMED_OUT' | 'FILL_EMPTY' | 'FILL_THREW'
  readonly detail: string
}

/**
 * Stands where a fill failed: whose it is, what went wrong, a further try, and for who may, the switch.
 *
 * @fires retry
 */
export class ShellFillCard extends KitElement {
  static override properties = {
    fill: { attribute: false },
    fault: { attribute: false },
    breaks: { state: true },
    isBusy: { state: true },
  }
  declare fill: ShellFill
  declare fault: FillFault
  declare breaks: Breaks | undefined
  declare isBusy: boolean

  override render() {
    const plugin = this.#title
    return html`
      <div class="failed" role="group" tabindex="0" aria-label=${t('shell.fill.failed', { plugin })}>
        <socle-icon name="plug-zap"></socle-icon>
        <div>
          <p class="what">${t('shell.fill.failed', { plugin })}</p>
          <p class="meta">${this.fill.id} · ${this.fault.code} · ${this.fault.detail}</p>
          <p class="row">
            <button class="button small" @click=${() => this.dispatchEvent(new CustomEvent('retry'))}>
              ${t('shell.retry')}
            </button>
            ${
              may('core.plugin.toggle')
                ? html`<button
                    class="button small ghost"
                    aria-disabled=${this.isBusy ? 'true' : nothing}
                    @click=${() => void this.#ask()}
                  >
                    ${t('shell.breaks.off')}
                  </button>`
                : nothing
            }
          </p>
        </div>
      </div>
      ${
        this.breaks
          ? html`<shell-breaks
              .card=${{ id: this.fill.plugin, title: plugin }}
              .breaks=${this.breaks}
              @keep=${() => (this.breaks = undefined)}
              @switch-off=${(event: CustomEvent<{ cascade: boolean }>) => void this.#switchOff(event.detail.cascade)}
            ></shell-breaks>`
          : nothing
      }
    `
  }

  get #title(): string {
    return shell()?.plugins.find((it) => it.id === this.fill.plugin)?.title ?? this.fill.plugin
  }

  async #ask(): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    try {
      const [{ ShellBreaks }, { data }] = await Promise.all([
        import('./settings/shell-breaks.ts'),
        api.get<{ data: Breaks }>(`/api/core/plugins/${this.fill.plugin}/what-breaks`),
      ])
      define('shell-breaks', ShellBreaks)
      this.breaks = data
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.isBusy = false
    }
  }

  async #switchOff(cascade: boolean): Promise<void> {
    this.breaks = undefined
    const title = this.#title
    try {
      await api.post(`/api/core/plugins/${this.fill.plugin}/disable`, { cascade })
      toast({ text: t('shell.modules.isOff', { title }), tone: 'success' })
      // This card goes with its fill.
      await session.load()
    } catch (problem) {
      this.#tell(problem)
    }
  }

  #tell(problem: unknown): void {
    const text = sentenceOf(problem)
    announce(text, 'assertive')
    toast({ text, tone: 'danger' })
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }
      .failed {
        display: flex;
        gap: 12px;
        padding: 16px;
        border: 1px dashed var(--socle-control);
        border-radius: 8px;
        background: var(--socle-surface);
        color: var(--socle-text-2);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .what {
        color: var(--socle-text);
        font-weight: 500;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        margin-block-start: 8px;
      }
    `,
  ]
}

define('shell-fill-card', ShellFillCard)
