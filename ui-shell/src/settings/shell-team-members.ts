import { KitElement, api, controls, format, icon, localDate, pill, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { sentenceOf } from './settings-api.ts'
import type { Person, Team } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

interface Membership {
  readonly id: string
  readonly user: string
  readonly name: string
  readonly from: string
  /** First day on which it no longer holds. */
  readonly to: string | null
}

/**
 * Who was, is and will be in a team, by days.
 *
 * @fires close
 */
export class ShellTeamMembers extends KitElement {
  static override properties = {
    team: { attribute: false },
    people: { attribute: false },
    memberships: { state: true },
    editing: { state: true },
    problem: { state: true },
  }
  declare team: Team
  declare people: readonly Person[]
  declare memberships: readonly Membership[] | undefined
  declare editing: Membership | undefined
  declare problem: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  get #path(): string {
    return `/api/core/teams/${this.team.id}/memberships`
  }

  async #load(): Promise<void> {
    try {
      this.memberships = (await api.get<{ data: readonly Membership[] }>(this.#path)).data
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    return html`
      <socle-dialog open wide .heading=${t('shell.teams.membersOf', { name: this.team.name })} @socle-close=${close}>
        ${problemLine(this.problem)}
        <p class="lead">${t('shell.teams.datesLead')}</p>
        ${this.editing ? this.#dates(this.editing) : this.#adding()}
        ${
          this.memberships
            ? html`<ul class="rows" aria-label=${t('shell.teams.who')}>
                ${this.memberships.map((it) => this.#row(it))}
              </ul>`
            : html`<socle-skeleton .lines=${4}></socle-skeleton>`
        }
        ${this.memberships?.length === 0 ? html`<p class="meta">${t('shell.teams.nobody')}</p>` : nothing}
        <button slot="actions" class="button" @click=${close}>${t('kit.dialog.close')}</button>
      </socle-dialog>
    `
  }

  #row(membership: Membership) {
    const { name, from, to } = membership
    const today = localDate()
    const isOver = to !== null && to <= today
    const state = isOver
      ? pill(t('shell.teams.over'), 'neutral', 'history')
      : from > today
        ? pill(t('shell.teams.later'), 'info', 'clock')
        : pill(t('shell.teams.now'), 'success', 'check')
    return html`
      <li class=${isOver ? 'off' : ''}>
        <span class="grow">
          <span class="name">${name}</span>
          <span class="meta"
            >${
              to === null
                ? t('shell.teams.since', { from: format.date(from) })
                : t('shell.teams.between', { from: format.date(from), to: format.date(dayBefore(to)) })
            }</span
          >
        </span>
        ${state}
        <button
          class="icon-button"
          title=${t('shell.edit')}
          aria-label=${t('shell.teams.daysOf', { name })}
          @click=${() => this.#edit(membership)}
        >
          ${icon('pencil')}
        </button>
        <button
          class="icon-button"
          title=${t('shell.teams.takeBack')}
          aria-label=${t('shell.teams.takeBackOne', { name })}
          @click=${() => void this.#run(() => api.delete(`${this.#path}/${membership.id}`))}
        >
          ${icon('trash-2')}
        </button>
      </li>
    `
  }

  #adding() {
    return html`
      <form class="line" @submit=${this.#add}>
        <div class="field grow">
          <label class="label" for="user">${t('shell.teams.person')}</label>
          <select class="input" id="user" name="user" required>
            ${this.people.map((it) => html`<option value=${it.id}>${it.name}</option>`)}
          </select>
        </div>
        ${this.#days(localDate(), '')}
        <button class="button primary" type="submit">${t('shell.teams.add')}</button>
      </form>
    `
  }

  #dates(membership: Membership) {
    return html`
      <form class="line" @submit=${(event: Event) => void this.#change(event, membership)}>
        <p class="grow name">${membership.name}</p>
        ${this.#days(membership.from, membership.to === null ? '' : dayBefore(membership.to))}
        <button class="button" type="button" @click=${() => (this.editing = undefined)}>${t('shell.cancel')}</button>
        <button class="button primary" type="submit">${t('shell.save')}</button>
      </form>
    `
  }

  #days(from: string, last: string) {
    return html`
      <div class="field">
        <label class="label" for="from">${t('shell.teams.from')}</label>
        <input class="input" id="from" name="from" type="date" required .value=${from} />
      </div>
      <div class="field">
        <label class="label" for="last">${t('shell.teams.last')}</label>
        <input class="input" id="last" name="last" type="date" .value=${last} />
      </div>
    `
  }

  #edit(membership: Membership): void {
    this.problem = undefined
    this.editing = membership
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('#from')?.focus())
  }

  readonly #add = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    await this.#run(() => api.post(this.#path, { user: values.get('user'), ...daysIn(values) }))
  }

  async #change(event: Event, { id }: Membership): Promise<void> {
    event.preventDefault()
    const days = daysIn(new FormData(event.target as HTMLFormElement))
    await this.#run(async () => {
      await api.patch(`${this.#path}/${id}`, days)
      this.editing = undefined
    })
  }

  async #run(act: () => Promise<unknown>): Promise<void> {
    this.problem = undefined
    try {
      await act()
      await this.#load()
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px;
        margin-block-end: 16px;
      }
      .line > .grow {
        flex: 1 1 180px;
      }
      .line .input {
        block-size: 34px;
      }
      .line > .button {
        min-block-size: 34px;
      }
      .off .name {
        color: var(--socle-text-3);
      }
    `,
  ]
}

/** What stands in a form: the last day a person is in, where the platform keeps the first on which they are not. */
function daysIn(values: FormData): { from: string; to: string | null } {
  const last = String(values.get('last') ?? '')
  return { from: String(values.get('from')), to: last ? shifted(last, 1) : null }
}

function dayBefore(day: string): string {
  return shifted(day, -1)
}

function shifted(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}
