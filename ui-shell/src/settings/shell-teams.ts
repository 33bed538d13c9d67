import { KitElement, api, avatar, confirmDialog, controls, format, icon, may, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { FormBase, formProblem } from './form-base.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { Person, Team } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { userField } from './user-field.ts'
import { ShellTeamMembers } from './shell-team-members.ts'
import { problemLine } from '../problem-line.ts'

define('shell-team-members', ShellTeamMembers)

/** Whoever manages people manages their teams. */
const permission = 'core.user.manage'

/** The tree of teams: whoever sees "the team" sees the teams below it too. */
export class ShellTeams extends KitElement {
  static override properties = {
    teams: { state: true },
    problem: { state: true },
    editing: { state: true },
    looking: { state: true },
    lead: { state: true },
    fault: { state: true },
  }
  declare teams: readonly Team[] | undefined
  declare problem: string | undefined
  declare editing: FormBase<Team> | 'new' | undefined
  /** Whose members are shown. */
  declare looking: Team | undefined
  /** User id of who leads the team in the form. */
  declare private lead: string | null
  declare fault: unknown

  #people: readonly Person[] = []

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [teams, people] = await Promise.all([
        everything<Team>('/api/core/teams'),
        everything<Person>('/api/core/users').catch(() => []),
      ])
      this.#people = people
      this.teams = teams
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.teams'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(this.teams && { count: format.number(this.teams.length) }),
      ...(may(permission) && {
        actions: html`<button class="button primary" @click=${() => this.#edit('new')}>
          ${icon('plus')}${t('shell.teams.new')}
        </button>`,
      }),
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.teams) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    return html`
      <p class="lead">${t('shell.teams.lead')}</p>
      ${
        this.teams.length === 0
          ? html`<socle-empty
              icon="network"
              heading=${t('shell.teams.none')}
              text=${t('shell.teams.noneText')}
            ></socle-empty>`
          : html`<ul class="rows">
              ${inTreeOrder(this.teams).map(({ team, depth }) => this.#row(team, depth))}
            </ul>`
      }
      ${this.editing ? this.#form(this.editing === 'new' ? undefined : this.editing.shown) : nothing}
      ${
        this.looking
          ? html`<shell-team-members
              .team=${this.looking}
              .people=${this.#people.filter((it) => it.state !== 'inactive')}
              @close=${() => {
                this.looking = undefined
                void this.#load()
              }}
            ></shell-team-members>`
          : nothing
      }
    `
  }

  #membersOf(team: Team): readonly Person[] {
    return this.#people.filter((it) => team.members?.includes(it.id) ?? it.team === team.id)
  }

  #row(team: Team, depth: number) {
    const members = this.#membersOf(team)
    const lead = this.#people.find(({ id }) => id === team.lead)
    return html`
      <li>
        <span class="indent" .style=${`inline-size: min(${depth * 24}px, 20vw)`} aria-hidden="true"></span>
        ${icon('users')}
        <span class="grow">
          <span class="name">${team.name}</span>
          <span class="meta"
            >${t('shell.teams.members', { count: members.length })}${lead ? ` · ${t('shell.teams.ledBy', { name: lead.name })}` : nothing}</span
          >
        </span>
        <span class="faces" aria-hidden="true">${members.slice(0, 6).map((it) => avatar(it.name))}</span>
        ${
          may(permission)
            ? html`<button
                  class="button small"
                  aria-label=${t('shell.teams.membersOf', { name: team.name })}
                  @click=${() => (this.looking = team)}
                >
                  ${t('shell.teams.who')}
                </button>
                <button
                  class="button small"
                  aria-label=${t('shell.teams.editOne', { name: team.name })}
                  @click=${() => this.#edit(team)}
                >
                  ${t('shell.edit')}
                </button>`
            : nothing
        }
      </li>
    `
  }

  #form(team: Team | undefined) {
    const chosen = (event: CustomEvent<{ value: unknown }>) => {
      this.lead = typeof event.detail.value === 'string' ? event.detail.value : null
    }
    const below = team ? teamsBelow(this.teams ?? [], team.id) : new Set<string>()
    return html`
      <socle-dialog
        open
        .heading=${team ? t('shell.teams.editOne', { name: team.name }) : t('shell.teams.new')}
        @socle-close=${() => (this.editing = undefined)}
      >
        <form class="form" id="form" @submit=${this.#save}>
          ${formProblem(this.fault, this.#readAgain)}
          <div class="field">
            <label class="label" for="name">${t('shell.teams.name')}</label>
            <input class="input" id="name" name="name" required maxlength="120" autofocus .value=${team?.name ?? ''} />
          </div>
          <div class="field">
            <label class="label" for="parent">${t('shell.teams.parent')}</label>
            <select class="input" id="parent" name="parent">
              <option value="">${t('shell.teams.top')}</option>
              ${this.teams
                ?.filter((it) => it.id !== team?.id && !below.has(it.id))
                .map((it) => html`<option value=${it.id} .selected=${it.id === team?.parent}>${it.name}</option>`)}
            </select>
          </div>
          <socle-field
            .field=${userField('lead', t('shell.teams.leader'))}
            .value=${this.lead ?? undefined}
            @socle-input=${chosen}
            @socle-commit=${chosen}
          ></socle-field>
        </form>
        ${
          team
            ? html`<button slot="actions" class="button" @click=${() => void this.#remove(team)}>
                ${icon('trash-2')}${t('shell.delete')}
              </button>`
            : nothing
        }
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
        >
          ${t('shell.save')}
        </button>
      </socle-dialog>
    `
  }

  #edit(team: Team | 'new'): void {
    this.fault = undefined
    this.lead = team === 'new' ? null : (team.lead ?? null)
    this.editing = team === 'new' ? team : new FormBase(team)
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const body = this.#values
    const { name } = body
    try {
      const form = this.editing === 'new' ? undefined : this.editing
      if (form) {
        const { id, version } = form.base
        await api.patch(`/api/core/teams/${id}`, { version, ...form.changed(body) })
      } else await api.post('/api/core/teams', body)
      this.editing = undefined
      toast({ text: t('shell.teams.saved', { name }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      this.fault = problem
    }
  }

  get #values() {
    const values = new FormData(this.renderRoot.querySelector<HTMLFormElement>('#form')!)
    return { name: String(values.get('name')).trim(), parent: String(values.get('parent')) || null, lead: this.lead }
  }

  readonly #readAgain = async (): Promise<void> => {
    await this.#load()
    const form = this.editing === 'new' ? undefined : this.editing
    const fresh = this.teams?.find(({ id }) => id === form?.base.id)
    if (!form || !fresh) return
    form.readAgain(fresh, this.#values)
    this.lead = form.shown.lead ?? null
    this.fault = undefined
  }

  async #remove(team: Team): Promise<void> {
    this.editing = undefined
    const yes = await confirmDialog({
      title: t('shell.teams.deleteTitle', { name: team.name }),
      body: t('shell.teams.deleteText'),
      confirm: t('shell.delete'),
      danger: true,
    })
    if (!yes) return
    try {
      await api.delete(`/api/core/teams/${team.id}`)
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .rows > li > .icon {
        color: var(--socle-text-3);
      }
      .indent:not([style]) {
        display: none;
      }
      .faces {
        display: flex;
      }
      .faces > .avatar {
        margin-inline-start: -4px;
        border: 1px solid var(--socle-surface);
        inline-size: 24px;
        block-size: 24px;
      }
      @media (width < 600px) {
        .faces {
          display: none;
        }
      }
    `,
  ]
}

/** Parents before their children, each level by name. */
function inTreeOrder(teams: readonly Team[], parent: string | null = null, depth = 0): { team: Team; depth: number }[] {
  const known = new Set(teams.map((it) => it.id))
  return teams
    .filter((it) => (it.parent && known.has(it.parent) ? it.parent : null) === parent)
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .flatMap((team) => [{ team, depth }, ...inTreeOrder(teams, team.id, depth + 1)])
}

function teamsBelow(teams: readonly Team[], id: string): Set<string> {
  const below = new Set<string>()
  for (const team of teams) {
    if (team.parent !== id || below.has(team.id)) continue
    below.add(team.id)
    for (const other of teamsBelow(teams, team.id)) below.add(other)
  }
  return below
}

define('shell-teams', ShellTeams)
