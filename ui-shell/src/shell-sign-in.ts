import { KitElement, ProblemError, controls, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { earlyLocale, loadEarlyWords, session } from './session-doc.ts'

/** The door: e-mail and password, in the visitor's language, with answers that say what to do. */
export class ShellSignIn extends KitElement {
  static override properties = {
    email: { state: true },
    isBusy: { state: true },
    isShown: { state: true },
    problem: { state: true },
    missing: { state: true },
  }
  declare email: string
  declare isBusy: boolean
  declare isShown: boolean
  declare problem: string | undefined
  declare missing: 'email' | 'password' | undefined

  constructor() {
    super()
    this.email = ''
    this.isBusy = false
    this.isShown = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.updateComplete.then(() => this.#field('email')?.focus())
  }

  override render() {
    document.title = `${t('shell.signIn.title')} · Socle`
    return html`
      <main>
        <div class="brand" aria-hidden="true">
          <svg viewBox="0 0 24 24"><path d="M6 16h12M8 12h8M10 8h4" /></svg>
        </div>
        <h1>${t('shell.signIn.heading')}</h1>
        <p class="lead">${t('shell.signIn.lead')}</p>
        <form novalidate @submit=${this.#submit}>
          ${
            this.problem
              ? html`<p class="problem" role="alert" id="problem" tabindex="-1">
                  ${icon('circle-alert')}<span>${this.problem}</span>
                </p>`
              : nothing
          }
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
              aria-invalid=${this.missing === 'email' ? 'true' : nothing}
              aria-describedby=${this.missing === 'email' ? 'email-error' : nothing}
            />
            ${this.missing === 'email' ? html`<p class="error" id="email-error">${t('shell.signIn.emailMissing')}</p>` : nothing}
          </div>
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
              <button
                type="button"
                class="icon-button"
                aria-pressed=${this.isShown}
                aria-label=${t('shell.signIn.show')}
                title=${t('shell.signIn.show')}
                @click=${() => (this.isShown = !this.isShown)}
              >
                ${icon('eye')}
              </button>
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
        <p class="meta">${t('shell.signIn.help')}</p>
      </main>
      <footer>
        <div role="group" aria-label=${t('shell.profile.language')}>
          ${(['en', 'fr'] as const).map(
            (locale) => html`
              <button lang=${locale} aria-pressed=${earlyLocale() === locale} @click=${() => void this.#speak(locale)}>
                ${locale === 'en' ? 'English' : 'Français'}
              </button>
            `,
          )}
        </div>
      </footer>
    `
  }

  async #speak(locale: 'en' | 'fr'): Promise<void> {
    await loadEarlyWords(locale)
    this.problem = undefined
    this.requestUpdate()
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
    this.isBusy = true
    try {
      await session.signIn(email, password)
      if (session.state !== 'ready') this.problem = session.problem?.detail ?? t('shell.signIn.noSession')
    } catch (problem) {
      this.problem = sentence(problem)
      this.#field('password')?.select()
    } finally {
      this.isBusy = false
    }
  }

  #field(name: 'email' | 'password'): HTMLInputElement | null {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${name}`)
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: 1fr auto;
        justify-items: center;
        block-size: 100dvh;
        overflow: auto;
        padding: 24px 16px;
        background: var(--socle-page);
      }
      main {
        align-self: center;
        display: grid;
        gap: 4px;
        inline-size: min(380px, 100%);
        padding: 32px;
        border: 1px solid var(--socle-line);
        border-radius: 12px;
        background: var(--socle-surface);
      }
      .brand {
        display: grid;
        place-items: center;
        inline-size: 40px;
        block-size: 40px;
        margin-block-end: 16px;
        border-radius: 10px;
        background: var(--socle-accent);
      }
      .brand svg {
        inline-size: 28px;
        fill: none;
        stroke: var(--socle-on-accent);
        stroke-width: 2.2;
        stroke-linecap: round;
      }
      h1 {
        font: var(--socle-heading);
        font-weight: 600;
      }
      .lead {
        color: var(--socle-text-2);
      }
      form {
        display: grid;
        gap: 16px;
        margin-block: 24px 16px;
      }
      .field {
        display: grid;
        gap: 6px;
      }
      .input {
        min-block-size: 40px;
      }
      .button {
        min-block-size: 40px;
      }
      .secret {
        position: relative;
      }
      .secret .input {
        padding-inline-end: 44px;
      }
      .secret .icon-button {
        position: absolute;
        inset-block: 4px;
        inset-inline-end: 4px;
        inline-size: 32px;
        min-block-size: 32px;
      }
      .secret [aria-pressed='true'] {
        color: var(--socle-accent);
      }
      footer {
        padding-block-start: 16px;
      }
      footer button {
        min-block-size: 32px;
        padding: 0 10px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: var(--socle-text-3);
        font: var(--socle-small);
        cursor: pointer;
      }
      footer button[aria-pressed='true'] {
        color: var(--socle-text);
        font-weight: 500;
      }
      @media (width < 600px) {
        main {
          padding: 24px 20px;
        }
      }
    `,
  ]
}

function sentence(problem: unknown): string {
  if (!(problem instanceof ProblemError)) return t('shell.signIn.failed')
  if (problem.status === 0) return t('shell.signIn.offline')
  if (problem.status === 429) return t('shell.signIn.tooMany')
  if (problem.status === 401 || problem.status === 400) return t('shell.signIn.wrong')
  return problem.detail || t('shell.signIn.failed')
}
