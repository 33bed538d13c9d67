import { KitElement, controls, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { earlyLocale, session } from '../session-doc.ts'
import { deviceOf } from '../settings/devices.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { doorFrame, doorStyles } from './door-frame.ts'
import { hasPasskeys, makePasskey, passkeyProblem, signInByPasskey } from './passkeys.ts'
import { ShellAuthenticatorSetup } from './shell-authenticator-setup.ts'
import { problemLine } from '../problem-line.ts'

define('shell-authenticator-setup', ShellAuthenticatorSetup)

/** Between the door and the workspace, where a password alone is not enough: sets up what is missing, or asks for it. */
export class ShellStrengthen extends KitElement {
  static override properties = { problem: { state: true }, isSettingUp: { state: true }, isBusy: { state: true } }
  declare problem: string | undefined
  declare isSettingUp: boolean
  declare isBusy: boolean

  override connectedCallback(): void {
    super.connectedCallback()
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('h1')?.focus())
  }

  override render() {
    document.title = `${t('shell.strengthen.title')} · Socle`
    const { demandedBy = [], passkeys = 0, since } = session.secondFactor ?? {}
    const has = passkeys > 0 || !!since
    const companies = new Intl.ListFormat(earlyLocale()).format(demandedBy)
    return doorFrame({
      heading: t(has ? 'shell.strengthen.useHeading' : 'shell.strengthen.heading'),
      lead: t(has ? 'shell.strengthen.useLead' : 'shell.strengthen.lead', {
        companies: companies || t('shell.strengthen.yourCompany'),
      }),
      body: html`
        <div class="steps">
          ${problemLine(this.problem)}
          ${
            this.isSettingUp
              ? html`<shell-authenticator-setup @done=${() => void session.load()}></shell-authenticator-setup>`
              : this.#choices(has)
          }
        </div>
      `,
      help: html`<button class="button ghost small" @click=${() => void session.signOut()}>
        ${icon('log-out')}${t('shell.signOut')}
      </button>`,
      onSpoken: () => this.requestUpdate(),
    })
  }

  #choices(has: boolean) {
    const busy = this.isBusy ? 'true' : nothing
    if (has)
      return html`<button class="button primary" aria-disabled=${busy} @click=${() => void this.#run(signInByPasskey)}>
        ${icon('key-round')}${t('shell.signIn.passkey')}
      </button>`
    return html`
      <button class="button primary" @click=${() => (this.isSettingUp = true)}>
        ${icon('smartphone')}${t('shell.strengthen.app')}
      </button>
      ${
        hasPasskeys()
          ? html`<button
              class="button"
              aria-disabled=${busy}
              @click=${() => void this.#run(() => makePasskey(deviceOf(navigator.userAgent)))}
            >
              ${icon('key-round')}${t('shell.strengthen.passkey')}
            </button>`
          : nothing
      }
    `
  }

  async #run(act: () => Promise<void>): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    try {
      await act()
      await session.load()
    } catch (thrown) {
      const problem = passkeyProblem(thrown)
      this.problem = typeof problem === 'string' ? t(`shell.passkeys.${problem}`) : sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    doorStyles,
    css`
      main {
        inline-size: min(460px, 100%);
      }
      h1:focus-visible {
        outline: none;
      }
    `,
  ]
}
