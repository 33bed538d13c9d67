import { KitElement, api, controls, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { qrCode } from './qr-code.ts'
import { ShellRecoveryCodes } from './shell-recovery-codes.ts'
import { problemLine } from '../problem-line.ts'

define('shell-recovery-codes', ShellRecoveryCodes)

export interface MadeSecret {
  readonly secret: string
  /** What the app reads from a QR code. */
  readonly url: string
}

/** @throws `ProblemError` */
export async function makeSecret(): Promise<MadeSecret> {
  return (await api.post<{ data: MadeSecret }>('/api/core/me/second-factor', {})).data
}

/**
 * Sets up an authenticator app: shows its secret, asks for a first code, then shows the recovery codes.
 *
 * @fires done - the app is on and the recovery codes were kept
 */
export class ShellAuthenticatorSetup extends KitElement {
  static override properties = {
    made: { attribute: false },
    codes: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  /** The app's secret; asked for by itself where it is not given. */
  declare made: MadeSecret | undefined
  declare codes: readonly string[] | undefined
  declare problem: string | undefined
  declare isBusy: boolean

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#begin()
  }

  async #begin(): Promise<void> {
    try {
      this.made ??= await makeSecret()
      await this.updateComplete
      this.renderRoot.querySelector<HTMLElement>('#code')?.focus()
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    if (this.codes)
      return html`<shell-recovery-codes
        .codes=${this.codes}
        @kept=${() => this.dispatchEvent(new CustomEvent('done'))}
      ></shell-recovery-codes>`
    const problem = problemLine(this.problem)
    if (!this.made) return this.problem ? problem : html`<socle-skeleton .lines=${6}></socle-skeleton>`
    return html`
      <ol>
        <li>
          <p>${t('shell.security.app.scan')}</p>
          ${qrCode(this.made.url, t('shell.security.app.qr'))}
          <details>
            <summary>${t('shell.security.app.byHand')}</summary>
            <code>${this.made.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
          </details>
        </li>
        <li>
          <form novalidate @submit=${this.#confirm}>
            <label class="label" for="code">${t('shell.security.app.confirm')}</label>
            ${problem}
            <div class="line">
              <input
                class="input code"
                id="code"
                name="code"
                inputmode="numeric"
                autocomplete="one-time-code"
                maxlength="7"
                required
                aria-invalid=${this.problem ? 'true' : nothing}
              />
              <button class="button primary" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
                ${t('shell.security.app.switchOn')}
              </button>
            </div>
          </form>
        </li>
      </ol>
    `
  }

  readonly #confirm = async (event: Event): Promise<void> => {
    event.preventDefault()
    const field = this.renderRoot.querySelector<HTMLInputElement>('#code')
    const code = field?.value.replaceAll(/\s/g, '') ?? ''
    if (this.isBusy || code === '') return field?.focus()
    this.isBusy = true
    this.problem = undefined
    try {
      const { data } = await api.post<{ data: { recoveryCodes: string[] } }>('/api/core/me/second-factor/confirm', {
        code,
      })
      this.codes = data.recoveryCodes
    } catch (problem) {
      this.problem = sentenceOf(problem)
      field?.select()
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      ol {
        display: grid;
        gap: 20px;
        counter-reset: step;
      }
      li {
        display: grid;
        gap: 8px;
        padding-inline-start: 32px;
        position: relative;
        counter-increment: step;
      }
      li::before {
        content: counter(step);
        position: absolute;
        inset-inline-start: 0;
        display: grid;
        place-items: center;
        inline-size: 22px;
        block-size: 22px;
        border-radius: 50%;
        background: var(--socle-muted);
        font: var(--socle-meta);
        font-weight: 600;
      }
      .qr {
        inline-size: min(200px, 100%);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius);
      }
      summary {
        min-block-size: 24px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        cursor: pointer;
      }
      code {
        display: block;
        padding: 8px 12px;
        border-radius: var(--socle-radius);
        background: var(--socle-page);
        font:
          13px/20px ui-monospace,
          monospace;
        overflow-wrap: anywhere;
        user-select: all;
      }
      form {
        display: grid;
        gap: 8px;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .code {
        flex: 1 1 120px;
        min-inline-size: 0;
        font-size: 16px;
        letter-spacing: 0.2em;
        font-variant-numeric: tabular-nums;
      }
    `,
  ]
}
