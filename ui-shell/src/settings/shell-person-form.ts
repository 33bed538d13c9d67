import { KitElement, ProblemError, api, controls, localDate, resource, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { endOfDay, lastDayOf } from '../last-day.ts'
import { FormBase, formProblem } from './form-base.ts'
import type { Person, Role, Team, Way } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { accountField, userField } from './user-field.ts'

/** Invites somebody, or changes their roles, team and partner. */
export class ShellPersonForm extends KitElement {
  static override properties = {
    person: { attribute: false },
    roles: { attribute: false },
    teams: { attribute: false },
    problem: { state: true },
    isBusy: { state: true },
    form: { state: true },
    manager: { state: true },
    partner: { state: true },
  }
  declare person: Person | undefined
  declare roles: readonly Role[]
  declare teams: readonly Team[]
  declare problem: unknown
  declare isBusy: boolean
  declare private form: FormBase<Person> | undefined
  /** User id of whom they report to. */
  declare private manager: string | null
  /** Account id of the partner they stand for. */
  declare private partner: string | null

  constructor() {
    super()
    this.partner = null
  }

  override render() {
    const person = this.person && this.#base(this.person).shown
    return html`
      <socle-dialog
        open
        .heading=${person ? t('shell.people.editTitle', { name: person.name }) : t('shell.people.inviteTitle')}
        @socle-close=${() => this.dispatchEvent(new CustomEvent('close'))}
      >
        <form class="form" id="form" @submit=${this.#save} @keydown=${this.#onKey}>
          ${formProblem(this.problem, this.#readAgain)}
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
            <div class="checks" aria-describedby="roles-help">${this.roles.map((it) => this.#role(it, person))}</div>
            <p class="meta" id="roles-help">${t('shell.people.rolesHelp')}</p>
          </fieldset>
          <div class="field">
            <label class="label" for="team">${t('shell.people.team')}</label>
            <select class="input" id="team" name="team">
              <option value="">${t('shell.people.noTeam')}</option>
              ${this.teams.map((it) => html`<option value=${it.id} .selected=${it.id === person?.team}>${it.name}</option>`)}
            </select>
          </div>
          ${
            person
              ? html`<socle-field
                  .field=${userField('manager', t('shell.people.manager'))}
                  .value=${this.manager ?? undefined}
                  @socle-input=${this.#managerChosen}
                  @socle-commit=${this.#managerChosen}
                ></socle-field>`
              : nothing
          }
          ${
            resource('core.account')
              ? html`<div class="field">
                  <socle-field
                    .field=${accountField('partner', t('shell.people.partner'))}
                    .value=${this.partner ?? undefined}
                    .error=${this.#fault('partner')}
                    @socle-input=${this.#partnerChosen}
                    @socle-commit=${this.#partnerChosen}
                  ></socle-field>
                  <p class="meta">${t('shell.people.partnerHelp')}</p>
                </div>`
              : nothing
          }
          <div class="field">
            <label class="label" for="locale">${t('shell.profile.language')}</label>
            <select class="input" id="locale" name="locale">
              ${(['en', 'fr'] as const).map(
                (it) =>
                  html`<option value=${it} lang=${it} .selected=${it === (person?.locale ?? shell()?.workspace.locale)}>
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

  #role({ id, name }: Role, person: Person | undefined) {
    const end = person?.roleEnds?.[id]
    return html`<div class="role">
      <label
        ><input
          type="checkbox"
          name="roles"
          value=${id}
          .checked=${person?.roles?.includes(id) ?? false}
          @change=${this.#roleTicked}
        />${name}</label
      >
      <label class="until"
        ><span class="meta">${t('shell.people.roleUntil')}</span
        ><input
          class="input"
          type="date"
          name="until-${id}"
          min=${localDate()}
          aria-label=${t('shell.people.roleUntilOf', { role: name })}
          .value=${end ? lastDayOf(end) : ''}
      /></label>
    </div>`
  }

  /** A date that is out of sight must not keep the form from being sent. */
  readonly #roleTicked = (event: Event): void => {
    const { checked, value } = event.target as HTMLInputElement
    const day = this.renderRoot.querySelector<HTMLInputElement>(`[name="until-${value}"]`)
    if (!checked && day) day.value = ''
  }

  readonly #managerChosen = (event: CustomEvent<{ value: unknown }>): void => {
    this.manager = chosenId(event)
  }

  readonly #partnerChosen = (event: CustomEvent<{ value: unknown }>): void => {
    this.partner = chosenId(event)
  }

  /** What the form of somebody was filled from. */
  #base(person: Person): FormBase<Person> {
    if (this.form?.base.id !== person.id) {
      this.form = new FormBase(person)
      this.manager = person.manager ?? null
      this.partner = person.partner ?? null
    }
    return this.form
  }

  get #values() {
    const values = new FormData(this.renderRoot.querySelector<HTMLFormElement>('#form')!)
    const roles = values.getAll('roles').map(String)
    return {
      email: String(values.get('email')).trim(),
      name: String(values.get('name')).trim(),
      locale: values.get('locale'),
      roles,
      roleEnds: this.#ends(roles, values),
      team: String(values.get('team')) || null,
      partner: this.partner,
      ...(this.person && { manager: this.manager }),
    }
  }

  /** When the roles end that do; one whose day stays ends at the instant it did. In the order of their ids, as they are read. */
  #ends(roles: readonly string[], values: FormData): Record<string, string> {
    const before = this.person ? this.#base(this.person).base.roleEnds : undefined
    const ends = roles.toSorted().flatMap((id): [string, string][] => {
      const [day, end] = [String(values.get(`until-${id}`) ?? ''), before?.[id]]
      if (!day) return []
      return [[id, end && lastDayOf(end) === day ? end : endOfDay(day)]]
    })
    return Object.fromEntries(ends)
  }

  readonly #readAgain = async (): Promise<void> => {
    if (!this.person) return
    try {
      const filter = encodeURIComponent(`id = "${this.person.id}"`)
      const [fresh] = (await api.get<{ data: Person[] }>(`/api/core/users?filter=${filter}`)).data
      const { email: _, ...typed } = this.#values
      if (fresh) {
        this.#base(this.person).readAgain(fresh, typed)
        const { manager = null, partner = null } = this.#base(this.person).shown
        this.manager = manager
        this.partner = partner
      }
      this.problem = undefined
    } catch (problem) {
      this.problem = problem
    }
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
    const { email, name, roles, roleEnds, ...body } = this.#values
    const wanted = roles.map((role) => ({ role, until: roleEnds[role] ?? null }))
    this.isBusy = true
    this.problem = undefined
    try {
      if (this.person) {
        const { id, version, roles: rolesSeen, roleEnds: endsSeen = {} } = this.#base(this.person).base
        const own = this.#base(this.person).changed({ ...body, name })
        const ofRoles = this.#base(this.person).changed({ roles, roleEnds })
        // A role whose end was not touched here ends when somebody else said meanwhile.
        const touched = wanted.map((it) => (it.until === (endsSeen[it.role] ?? null) ? it.role : it))
        const given = Object.keys(ofRoles).length > 0 && { roles: touched, rolesSeen }
        await api.patch(`/api/core/users/${id}`, { version, ...own, ...given })
        this.dispatchEvent(new CustomEvent('saved', { detail: { name } }))
      } else {
        const way = await api.post<Way>('/api/core/users/invite', {
          ...body,
          roles: wanted,
          email,
          ...(name && { name }),
        })
        this.dispatchEvent(new CustomEvent('saved', { detail: { name: name || email, way } }))
      }
    } catch (problem) {
      this.problem = problem
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .role {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0 12px;
      }
      .until {
        margin-inline-start: auto;
      }
      .until .input {
        inline-size: 140px;
        min-block-size: 28px;
        padding-block: 2px;
        font: var(--socle-small);
      }
      .role:not(:has([name='roles']:checked)) .until {
        display: none;
      }
    `,
  ]
}

function chosenId({ detail }: CustomEvent<{ value: unknown }>): string | null {
  return typeof detail.value === 'string' && detail.value ? detail.value : null
}
