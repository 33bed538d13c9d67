import { KitElement, api, controls, icon, shell, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { preferences } from '../preferences.ts'
import { session } from '../session-doc.ts'
import { shortcuts } from '../shortcuts.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** How I am called, which language and look I prefer, and my password. */
export class ShellProfile extends KitElement {
  static override properties = { problem: { state: true }, isBusy: { state: true }, email: { state: true } }
  declare problem: string | undefined
  declare isBusy: boolean
  declare email: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void api
      .get<{ data: { email: string | null } }>('/api/core/me')
      .then(({ data }) => (this.email = data.email ?? undefined))
      .catch(() => undefined)
  }

  override render() {
    const user = shell()?.user
    if (!user) return nothing
    return html`
      <section>
        <h2>${t('shell.profile.you')}</h2>
        <form class="form" @submit=${this.#saveName}>
          <div class="field">
            <label class="label" for="name">${t('shell.profile.name')}</label>
            <div class="line">
              <input
                class="input"
                id="name"
                name="name"
                autocomplete="name"
                required
                maxlength="200"
                .value=${user.name}
              />
              <button class="button" type="submit">${t('shell.save')}</button>
            </div>
          </div>
          <p class="meta">${this.email}</p>
        </form>
      </section>
      <section>
        <h2>${t('shell.profile.look')}</h2>
        <div class="form">
          ${this.#choice(
            t('shell.profile.language'),
            ['en', 'fr'],
            user.locale,
            (it) => (it === 'en' ? 'English' : 'Français'),
            (it) => void this.#speak(it),
          )}
          ${this.#choice(
            t('shell.profile.theme'),
            ['system', 'light', 'dark'] as const,
            preferences.theme,
            (it) => t(`shell.profile.theme.${it}`),
            (it) => (preferences.theme = it),
          )}
          ${this.#choice(
            t('shell.profile.density'),
            ['compact', 'normal', 'relaxed'] as const,
            preferences.density,
            (it) => t(`shell.profile.density.${it}`),
            (it) => (preferences.density = it),
          )}
          <label class="check">
            <input type="checkbox" .checked=${preferences.hasLetterShortcuts} @change=${this.#switchLetters} />
            ${t('shell.shortcuts.letters')}
          </label>
        </div>
      </section>
      <section>
        <h2>${t('shell.profile.password')}</h2>
        <form class="form" @submit=${this.#changePassword}>
          ${this.problem ? html`<p class="problem" role="alert">${icon('circle-alert')}${this.problem}</p>` : nothing}
          <input
            class="visually-hidden"
            type="text"
            autocomplete="username"
            .value=${this.email ?? ''}
            tabindex="-1"
            aria-hidden="true"
            readonly
          />
          <div class="field">
            <label class="label" for="current">${t('shell.profile.currentPassword')}</label>
            <input class="input" id="current" name="current" type="password" autocomplete="current-password" required />
          </div>
          <div class="field">
            <label class="label" for="new">${t('shell.profile.newPassword')}</label>
            <input
              class="input"
              id="new"
              name="new"
              type="password"
              autocomplete="new-password"
              minlength="8"
              required
              aria-describedby="new-help"
            />
            <p class="meta" id="new-help">${t('shell.profile.newPasswordHelp')}</p>
          </div>
          <div>
            <button class="button" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
              ${t('shell.profile.changePassword')}
            </button>
          </div>
        </form>
      </section>
      <section>
        <button class="button" @click=${() => void session.signOut()}>${icon('log-out')}${t('shell.signOut')}</button>
      </section>
    `
  }

  #choice<T extends string>(
    title: string,
    values: readonly T[],
    current: string,
    label: (value: T) => string,
    choose: (value: T) => void,
  ) {
    return html`
      <fieldset>
        <legend class="label">${title}</legend>
        <div class="segments">
          ${values.map(
            (value) => html`
              <button
                type="button"
                class="button"
                lang=${value === 'en' || value === 'fr' ? value : nothing}
                aria-pressed=${value === current}
                @click=${() => {
                  choose(value)
                  this.requestUpdate()
                }}
              >
                ${label(value)}
              </button>
            `,
          )}
        </div>
      </fieldset>
    `
  }

  readonly #switchLetters = (event: Event): void => {
    preferences.hasLetterShortcuts = (event.target as HTMLInputElement).checked
    shortcuts.lettersOn = preferences.hasLetterShortcuts
  }

  async #speak(locale: string): Promise<void> {
    try {
      await api.patch('/api/core/me', { locale })
      await session.load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  readonly #saveName = async (event: Event): Promise<void> => {
    event.preventDefault()
    const name = String(new FormData(event.target as HTMLFormElement).get('name') ?? '').trim()
    if (!name) return
    try {
      await api.patch('/api/core/me', { name })
      await session.load()
      toast({ text: t('shell.profile.saved'), tone: 'success' })
    } catch (problem) {
      tellProblem(problem)
    }
  }

  readonly #changePassword = async (event: Event): Promise<void> => {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const values = new FormData(form)
    this.problem = undefined
    this.isBusy = true
    try {
      await api.post('/api/auth/change-password', {
        currentPassword: values.get('current'),
        newPassword: values.get('new'),
        revokeOtherSessions: true,
      })
      form.reset()
      toast({ text: t('shell.profile.passwordChanged'), tone: 'success' })
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      section {
        max-inline-size: 480px;
        padding-block: 0 24px;
        margin-block-end: 24px;
        border-block-end: 1px solid var(--socle-line);
      }
      section:last-child {
        border: 0;
      }
      h2 {
        margin-block-end: 12px;
      }
      .line {
        display: flex;
        gap: 8px;
      }
      .check {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .segments > .button {
        min-block-size: 30px;
        font: var(--socle-small);
        font-weight: 500;
      }
    `,
  ]
}

define('shell-profile', ShellProfile)
