import { KitElement, api, controls, icon, shell, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { preferences } from '../preferences.ts'
import { session } from '../session-doc.ts'
import { shortcuts } from '../shortcuts.ts'
import { tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** How I am called, and which language and look I prefer. */
export class ShellProfile extends KitElement {
  static override properties = { email: { state: true } }
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
