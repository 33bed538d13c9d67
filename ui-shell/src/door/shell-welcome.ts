import { KitElement, ProblemError, api, controls, icon, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { earlyLocale, loadEarlyWords, session } from '../session-doc.ts'
import { deviceOf } from '../settings/devices.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { doorFrame, doorStyles } from './door-frame.ts'
import { showButton } from './show-button.ts'
import { hasPasskeys, newPasskey, passkeyProblem } from './passkeys.ts'
import { problemLine } from '../problem-line.ts'

interface OpenLink {
  readonly purpose: 'invitation' | 'password'
  readonly name: string
  readonly email: string
  readonly workspace: string
  readonly locale: 'en' | 'fr'
  readonly expiresAt: string
  readonly by: string | null
  /** Whoever is signed in here is the person it is for. */
  readonly isYou: boolean
}

/** Where a link leads that somebody passed on: an invitation to accept, or a new password to choose. */
export class ShellWelcome extends KitElement {
  static override properties = {
    link: { state: true },
    gone: { state: true },
    problem: { state: true },
    isBusy: { state: true },
    isShown: { state: true },
    isKnown: { state: true },
  }
  declare link: OpenLink | undefined
  /** Why the link opens nothing. */
  declare gone: string | undefined
  declare problem: string | undefined
  declare isBusy: boolean
  declare isShown: boolean
  /** Its person turned out to sign in already: nothing but that opens it. */
  declare isKnown: boolean

  #token = ''

  override connectedCallback(): void {
    super.connectedCallback()
    this.#token = location.hash.slice(1)
    // The address with the secret must not stay in the history of a shared machine.
    history.replaceState(history.state, '', '/welcome')
    void this.#look()
  }

  async #look(): Promise<void> {
    try {
      const { data } = await api.post<{ data: OpenLink }>('/api/auth/link', { token: this.#token })
      if (data.locale !== earlyLocale()) await loadEarlyWords(data.locale)
      this.link = data
      await this.updateComplete
      const first =
        this.renderRoot.querySelector<HTMLElement>('#name, #password') ?? this.renderRoot.querySelector('h1')
      first?.focus()
    } catch (problem) {
      this.gone = sentenceOf(problem)
    }
  }

  override render() {
    document.title = `${t('shell.welcome.title')} · Socle`
    const onSpoken = () => this.requestUpdate()
    if (this.gone) {
      const body = html`<div class="steps">
        <a class="button" href="/" @click=${this.#leave}>${t('shell.signIn.submit')}</a>
      </div>`
      return doorFrame({ heading: t('shell.welcome.gone'), lead: this.gone, body, onSpoken })
    }
    if (!this.link) return doorFrame({ heading: '', lead: '', body: html`<socle-skeleton></socle-skeleton>`, onSpoken })
    const { purpose, workspace, by, email, isYou } = this.link
    if (purpose === 'password')
      return doorFrame({
        heading: t('shell.welcome.passwordHeading'),
        lead: t('shell.welcome.passwordLead', { email }),
        body: this.#form(this.link),
        onSpoken,
      })
    return doorFrame({
      heading: t('shell.welcome.heading', { workspace }),
      lead: by ? t('shell.welcome.by', { by, workspace, email }) : t('shell.welcome.lead', { workspace, email }),
      body: isYou ? this.#join() : this.isKnown ? this.#known(this.link) : this.#form(this.link),
      help: isYou || this.isKnown ? nothing : t('shell.profile.passwordRule'),
      onSpoken,
    })
  }

  #form({ purpose, name, email }: OpenLink) {
    const busy = this.isBusy ? 'true' : nothing
    const isInvitation = purpose === 'invitation'
    // Whoever invited them wrote no name: what stands before the @ is none.
    const isUnnamed = email.startsWith(`${name}@`)
    return html`
      <form novalidate @submit=${this.#accept}>
        ${problemLine(this.problem)} ${this.#username(email)}
        ${
          isInvitation
            ? html`<div class="field">
                <label class="label" for="name">${t('shell.profile.name')}</label>
                <input
                  class="input"
                  id="name"
                  name="name"
                  autocomplete="name"
                  maxlength="200"
                  required
                  .value=${isUnnamed ? '' : name}
                />
              </div>`
            : nothing
        }
        ${this.#password(t('shell.profile.newPassword'), 'new-password')}
        <button class="button primary" type="submit" aria-disabled=${busy}>
          ${t(isInvitation ? 'shell.welcome.accept' : 'shell.profile.changePassword')}
        </button>
        ${
          isInvitation && hasPasskeys()
            ? html`<p class="or">${t('shell.signIn.or')}</p>
                <button class="button" type="button" aria-disabled=${busy} @click=${this.#acceptWithPasskey}>
                  ${icon('key-round')}${t('shell.welcome.passkey')}
                </button>`
            : nothing
        }
        ${
          isInvitation
            ? html`<button class="button ghost" type="button" @click=${this.#signInFirst}>
                ${t('shell.welcome.signInInstead')}
              </button>`
            : nothing
        }
      </form>
    `
  }

  /** For whoever keeps passwords: whose it is. */
  #username(email: string) {
    return html`
      <input
        class="visually-hidden"
        type="text"
        autocomplete="username"
        .value=${email}
        tabindex="-1"
        aria-hidden="true"
        readonly
      />
    `
  }

  #password(label: string, autocomplete: 'current-password' | 'new-password') {
    return html`
      <div class="field">
        <label class="label" for="password">${label}</label>
        <div class="secret">
          <input
            class="input"
            id="password"
            name="password"
            type=${this.isShown ? 'text' : 'password'}
            autocomplete=${autocomplete}
            required
          />
          ${showButton(this.isShown, () => (this.isShown = !this.isShown))}
        </div>
      </div>
    `
  }

  /** Who signs in already comes in as who they are. */
  #join() {
    return html`
      <div class="steps">
        ${problemLine(this.problem)}
        <button
          class="button primary"
          aria-disabled=${this.isBusy ? 'true' : nothing}
          @click=${() => void this.#send({})}
        >
          ${t('shell.welcome.join')}
        </button>
      </div>
    `
  }

  /** By the password they have, or after signing in; the first is all there is for who is in nowhere any more. */
  #known({ email }: OpenLink) {
    return html`
      <form novalidate @submit=${this.#accept}>
        ${problemLine(this.problem)} ${this.#username(email)}
        ${this.#password(t('shell.signIn.password'), 'current-password')}
        <button class="button primary" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
          ${t('shell.welcome.accept')}
        </button>
        <button class="button ghost" type="button" @click=${this.#signInFirst}>
          ${t('shell.welcome.signInInstead')}
        </button>
      </form>
    `
  }

  readonly #leave = (event: Event): void => {
    event.preventDefault()
    session.leaveLink()
  }

  /** The link is kept for when they come back as themselves. */
  readonly #signInFirst = (): void => session.signInFirst(this.#token)

  readonly #accept = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const name = String(values.get('name') ?? '').trim()
    await this.#send({ ...(name && { name }), password: String(values.get('password') ?? '') })
  }

  readonly #acceptWithPasskey = async (): Promise<void> => {
    const name = this.renderRoot.querySelector<HTMLInputElement>('#name')?.value.trim()
    try {
      const { data } = await api.post<{ data: PublicKeyCredentialCreationOptionsJSON }>('/api/auth/link/passkey', {
        token: this.#token,
      })
      const response = await newPasskey(data)
      if (response)
        await this.#send({ ...(name && { name }), passkey: { name: deviceOf(navigator.userAgent), response } })
    } catch (thrown) {
      const problem = passkeyProblem(thrown)
      this.problem = typeof problem === 'string' ? t(`shell.passkeys.${problem}`) : sentenceOf(problem)
    }
  }

  async #send(choice: object): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    try {
      const answer = await api.post<{ secondFactor?: true; joined?: string }>('/api/auth/link/accept', {
        token: this.#token,
        ...choice,
      })
      if (answer.joined) await api.post('/api/core/me/workspace', { workspace: answer.joined })
      await session.cameByLink({ isCodeWanted: answer.secondFactor === true })
    } catch (problem) {
      if (problem instanceof ProblemError && problem.code === 'LINK_GONE') this.gone = problem.detail
      else if (problem instanceof ProblemError && problem.code === 'LINK_NEEDS_SIGN_IN') {
        this.isKnown = true
        this.problem = problem.detail
      } else this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [controls, doorStyles]
}
