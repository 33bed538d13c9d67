import { KitElement, ProblemError, controls, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { session } from '../session-doc.ts'
import { doorFrame, doorStyles } from './door-frame.ts'
import { showButton } from './show-button.ts'
import { hasPasskeys, passkeyProblem, signInByPasskey } from './passkeys.ts'
import { goToProvider, providersOf, shownProviders } from './providers.ts'
import type { ProviderButton } from './providers.ts'

/** The door: e-mail and password, in the visitor's language, with answers that say what to do. */
export class ShellSignIn extends KitElement {
  static override properties = {
    email: { state: true },
    isBusy: { state: true },
    isShown: { state: true },
    problem: { state: true },
    missing: { state: true },
    isCodeWanted: { state: true },
    isRecovering: { state: true },
    shown: { state: true },
    found: { state: true },
  }
  declare email: string
  declare isBusy: boolean
  declare isShown: boolean
  declare problem: string | undefined
  declare missing: 'email' | 'password' | undefined
  /** The password was right, and a code of the app is wanted too. */
  declare isCodeWanted: boolean
  /** A code kept for the loss of the app takes its place. */
  declare isRecovering: boolean
  /** Identity providers everybody is shown, and those of the address that was typed. */
  declare shown: readonly ProviderButton[]
  declare found: readonly ProviderButton[]

  constructor() {
    super()
    this.email = ''
    this.isBusy = false
    this.isShown = false
    this.isCodeWanted = session.isCodeWanted
    this.isRecovering = false
    this.shown = []
    this.found = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void shownProviders().then((shown) => (this.shown = shown))
    const first = this.isCodeWanted ? 'code' : session.ended ? 'password' : 'email'
    void this.updateComplete.then(() => this.#field(first)?.focus())
  }

  override render() {
    document.title = `${t('shell.signIn.title')} · Socle`
    const spoken = () => {
      this.problem = undefined
      this.requestUpdate()
    }
    if (this.isCodeWanted)
      return doorFrame({
        heading: t('shell.signIn.codeHeading'),
        lead: t(this.isRecovering ? 'shell.signIn.recoveryLead' : 'shell.signIn.codeLead'),
        body: this.#codeForm(),
        onSpoken: spoken,
      })
    return doorFrame({
      heading: t('shell.signIn.heading'),
      lead: t(session.ended ? 'shell.signIn.ended' : 'shell.signIn.lead'),
      body: html`${this.#passwordForm()} ${this.#others()}`,
      help: t('shell.signIn.help'),
      onSpoken: spoken,
    })
  }

  #problem() {
    if (!this.problem) return nothing
    return html`<p class="problem" role="alert" id="problem" tabindex="-1">
      ${icon('circle-alert')}<span>${this.problem}</span>
    </p>`
  }

  #passwordForm() {
    return html`
      <form novalidate @submit=${this.#submit}>
        ${this.#problem()}
        <div class="field">
          <label class="label" for="email">${t('shell.signIn.email')}</label>
          <input
            class="input"
            id="email"
            name="email"
            type="email"
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
            required
            value=${session.ended?.email ?? nothing}
            aria-invalid=${this.missing === 'email' ? 'true' : nothing}
            aria-describedby=${this.missing === 'email' ? 'email-error' : nothing}
            @change=${() => void this.#findProviders()}
          />
          ${this.missing === 'email' ? html`<p class="error" id="email-error">${t('shell.signIn.emailMissing')}</p>` : nothing}
        </div>
        <div class="found" role="status">${this.found.map((it) => this.#provider(it))}</div>
        <div class="field">
          <label class="label" for="password">${t('shell.signIn.password')}</label>
          <div class="secret">
            <input
              class="input"
              id="password"
              name="password"
              type=${this.isShown ? 'text' : 'password'}
              autocomplete="current-password"
              required
              aria-invalid=${this.missing === 'password' ? 'true' : nothing}
              aria-describedby=${this.missing === 'password' ? 'password-error' : nothing}
            />
            ${showButton(this.isShown, () => (this.isShown = !this.isShown))}
          </div>
          ${
            this.missing === 'password'
              ? html`<p class="error" id="password-error">${t('shell.signIn.passwordMissing')}</p>`
              : nothing
          }
        </div>
        <button class="button primary" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
          ${this.isBusy ? t('shell.signIn.busy') : t('shell.signIn.submit')}
        </button>
      </form>
    `
  }

  #others() {
    const shown = this.shown.filter(({ id }) => !this.found.some((it) => it.id === id))
    if (!hasPasskeys() && shown.length === 0) return nothing
    return html`
      <p class="or">${t('shell.signIn.or')}</p>
      <div class="others">${this.#passkey()} ${shown.map((it) => this.#provider(it))}</div>
    `
  }

  #provider({ id, name, workspace }: ProviderButton) {
    const returnTo = `${location.pathname}${location.search}`
    return html`
      <button
        class="button"
        type="button"
        aria-disabled=${this.isBusy ? 'true' : nothing}
        @click=${() => void this.#run(() => goToProvider(id, returnTo), { leaves: true })}
      >
        ${icon('badge-check')}<span class="grow">${t('shell.signIn.through', { name, workspace })}</span>
      </button>
    `
  }

  async #findProviders(): Promise<void> {
    const email = this.#field('email')?.value.trim() ?? ''
    this.found = email.includes('@') ? await providersOf(email) : []
  }

  #passkey() {
    if (!hasPasskeys()) return nothing
    return html`
      <button class="button" @click=${() => void this.#usePasskey()} aria-disabled=${this.isBusy ? 'true' : nothing}>
        ${icon('key-round')}${t('shell.signIn.passkey')}
      </button>
    `
  }

  #codeForm() {
    return html`
      <form novalidate @submit=${this.#submitCode}>
        ${this.#problem()}
        <div class="field">
          <label class="label" for="code">
            ${t(this.isRecovering ? 'shell.signIn.recoveryCode' : 'shell.signIn.code')}
          </label>
          <input
            class="input code ${this.isRecovering ? 'words' : ''}"
            id="code"
            name="code"
            inputmode=${this.isRecovering ? 'text' : 'numeric'}
            autocomplete="one-time-code"
            autocapitalize="none"
            spellcheck="false"
            maxlength="40"
            required
          />
        </div>
        <button class="button primary" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
          ${this.isBusy ? t('shell.signIn.busy') : t('shell.signIn.submit')}
        </button>
        <button class="button ghost" type="button" @click=${() => this.#ask(!this.isRecovering)}>
          ${t(this.isRecovering ? 'shell.signIn.useCode' : 'shell.signIn.useRecovery')}
        </button>
        <button class="button ghost" type="button" @click=${this.#startAgain}>${t('shell.signIn.startAgain')}</button>
      </form>
    `
  }

  /** Asks for a code of the app, or for one of those kept for its loss. */
  #ask(isRecovering: boolean): void {
    this.problem = undefined
    this.isRecovering = isRecovering
    void this.updateComplete.then(() => {
      const field = this.#field('code')
      if (field) field.value = ''
      field?.focus()
    })
  }

  readonly #startAgain = (): void => {
    this.isCodeWanted = false
    this.problem = undefined
    void this.updateComplete.then(() => this.#field('email')?.focus())
  }

  readonly #submitCode = async (event: Event): Promise<void> => {
    event.preventDefault()
    const code = this.#field('code')?.value.trim() ?? ''
    if (code === '') return this.#field('code')?.focus()
    await this.#run(() => session.signInByCode(code))
    this.#field('code')?.select()
  }

  async #usePasskey(): Promise<void> {
    await this.#run(async () => {
      await signInByPasskey()
      await session.enter()
    })
  }

  /** Tries to get in, and says why not. */
  async #run(enter: () => Promise<unknown>, { leaves = false } = {}): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    try {
      await enter()
      if (!leaves && !this.isCodeWanted && session.state === 'signed-out')
        this.problem = session.problem?.detail ?? t('shell.signIn.noSession')
    } catch (thrown) {
      this.problem = sentence(thrown)
      if (thrown instanceof ProblemError && thrown.code === 'SIGN_IN_STEP_GONE') this.isCodeWanted = false
    } finally {
      this.isBusy = false
    }
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    const email = this.#field('email')?.value.trim() ?? ''
    const password = this.#field('password')?.value ?? ''
    this.problem = undefined
    this.missing = !email || !email.includes('@') ? 'email' : password ? undefined : 'password'
    if (this.missing) {
      this.#field(this.missing)?.focus()
      return
    }
    await this.#run(async () => {
      this.isCodeWanted = (await session.signIn(email, password)) === 'code'
      if (this.isCodeWanted) this.#ask(false)
    })
    this.#field('password')?.select()
  }

  #field(name: 'email' | 'password' | 'code'): HTMLInputElement | null {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${name}`)
  }

  static override styles = [
    controls,
    doorStyles,
    css`
      .found,
      .others {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 8px;
      }
      .found:empty {
        display: none;
      }
      .others {
        margin-block-end: 16px;
      }
      .button .grow {
        min-inline-size: 0;
        white-space: normal;
        overflow-wrap: anywhere;
      }
    `,
  ]
}

/** Why somebody stays outside, in the words of the visitor's language. */
function sentence(problem: unknown): string {
  const passkey = passkeyProblem(problem)
  if (typeof passkey === 'string') return t(passkey === 'failed' ? 'shell.signIn.failed' : `shell.passkeys.${passkey}`)
  if (passkey.status === 0) return t('shell.signIn.offline')
  if (passkey.code === 'CREDENTIALS_WRONG') return t('shell.signIn.wrong')
  return passkey.detail || t('shell.signIn.failed')
}
