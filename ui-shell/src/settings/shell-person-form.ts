import { KitElement, ProblemError, api, controls, shell, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { sentenceOf } from './settings-api.ts'
import type { Person, Role, Team, Way } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

/** Invites somebody, or changes their roles and team. */
export class ShellPersonForm extends KitElement {
  static override properties = {
    person: { attribute: false },
    roles: { attribute: false },
    teams: { attribute: false },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare person: Person | undefined
  declare roles: readonly Role[]
  declare teams: readonly Team[]
  declare problem: unknown
  declare isBusy: boolean

  override render() {
    const person = this.person
    return html`
      <socle-dialog
        open
        .heading=${person ? t('shell.people.editTitle', { name: person.name }) : t('shell.people.inviteTitle')}
        @socle-close=${() => this.dispatchEvent(new CustomEvent('close'))}
      >
        <form class="form" id="form" @submit=${this.#save} @keydown=${this.#onKey}>
          ${problemLine(this.problem === undefined ? undefined : sentenceOf(this.problem))}
          <div class="field">
            <label class="label" for="email">${t('shell.people.email')}</label>
            <input
              class="input"
              id="email"
              name="email"
              type="email"
              required
              autocomplete="off"
              ?readonly=${!!person}
              ?autofocus=${!person}
              .value=${person?.email ?? ''}
              aria-invalid=${this.#fault('email') ? 'true' : nothing}
            />
            ${this.#fault('email') ? html`<p class="error">${this.#fault('email')}</p>` : nothing}
          </div>
          <div class="field">
            <label class="label" for="name">${t('shell.people.name')}</label>
            <input
              class="input"
              id="name"
              name="name"
              ?required=${!!person}
              maxlength="200"
              autocomplete="off"
              ?autofocus=${!!person}
              aria-describedby=${person ? nothing : 'name-help'}
              .value=${person?.name ?? ''}
            />
            ${person ? nothing : html`<p class="meta" id="name-help">${t('shell.people.nameHelp')}</p>`}
          </div>
          <fieldset>
            <legend class="label">${t('shell.people.roles')}</legend>
            <div class="checks">
              ${this.roles.map(
                (it) => html`
                  <label>
                    <input
                      type="checkbox"
                      name="roles"
                      value=${it.id}
                      .checked=${person?.roles?.includes(it.id) ?? false}
                    />${it.name}
                  </label>
                `,
              )}
            </div>
          </fieldset>
          <div class="field">
            <label class="label" for="team">${t('shell.people.team')}</label>
            <select class="input" id="team" name="team">
              <option value="">${t('shell.people.noTeam')}</option>
              ${this.teams.map((it) => html`<option value=${it.id} ?selected=${it.id === person?.team}>${it.name}</option>`)}
            </select>
          </div>
          <div class="field">
            <label class="label" for="locale">${t('shell.profile.language')}</label>
            <select class="input" id="locale" name="locale">
              ${(['en', 'fr'] as const).map(
                (it) =>
                  html`<option value=${it} lang=${it} ?selected=${it === (person?.locale ?? shell()?.workspace.locale)}>
                    ${it === 'en' ? 'English' : 'Français'}
                  </option>`,
              )}
            </select>
          </div>
          <button class="visually-hidden" tabindex="-1" aria-hidden="true" type="submit"></button>
        </form>
        <button slot="actions" class="button" @click=${() => this.dispatchEvent(new CustomEvent('close'))}>
          ${t('shell.cancel')}
        </button>
        <button
          slot="actions"
          class="button primary"
          aria-disabled=${this.isBusy ? 'true' : nothing}
          @click=${this.#submit}
        >
          ${t(person ? 'shell.save' : 'shell.people.invite')}
        </button>
      </socle-dialog>
    `
  }

  #fault(field: string): string | undefined {
    return this.problem instanceof ProblemError ? (this.problem.at(`/${field}`) ?? this.problem.at(field)) : undefined
  }

  readonly #submit = (): void => {
    this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#submit()
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    const values = new FormData(event.target as HTMLFormElement)
    const name = String(values.get('name')).trim()
    const locale = values.get('locale')
    const body = { locale, roles: values.getAll('roles').map(String), team: String(values.get('team')) || null }
    this.isBusy = true
    this.problem = undefined
    try {
      if (this.person) {
        await api.patch(`/api/core/users/${this.person.id}`, { ...body, name })
        this.dispatchEvent(new CustomEvent('saved', { detail: { name } }))
      } else {
        const email = String(values.get('email')).trim()
        const way = await api.post<Way>('/api/core/users/invite', { ...body, email, ...(name && { name }) })
        this.dispatchEvent(new CustomEvent('saved', { detail: { name: name || email, way } }))
      }
    } catch (problem) {
      this.problem = problem
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [controls, settingsStyles]
}
