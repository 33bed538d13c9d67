import { KitElement, api, avatar, controls, format, icon, may, pill, resource, shell, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { Person, Role, Team } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellPersonForm } from './shell-person-form.ts'
import { ShellSecret } from './shell-secret.ts'

define('shell-person-form', ShellPersonForm)
define('shell-secret', ShellSecret)

/** Who works in this workspace, with which roles. */
export class ShellPeople extends KitElement {
  static override properties = {
    people: { state: true },
    problem: { state: true },
    editing: { state: true },
    secret: { state: true },
    text: { state: true },
  }
  declare people: readonly Person[] | undefined
  declare problem: string | undefined
  declare editing: Person | 'new' | undefined
  declare secret: { readonly title: string; readonly text: string; readonly value: string } | undefined
  declare text: string

  #roles: readonly Role[] = []
  #teams: readonly Team[] = []

  constructor() {
    super()
    this.text = ''
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [people, roles, teams] = await Promise.all([
        everything<Person>('/api/core/users'),
        everything<Role>('/api/core/roles').catch(() => []),
        everything<Team>('/api/core/teams').catch(() => []),
      ])
      this.#roles = roles
      this.#teams = teams
      this.people = people
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.people'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(this.people && { count: format.number(this.people.length) }),
      ...(may('core.user.manage') && {
        actions: html`<a class="button" href="${resource('core.user')?.route}/import"
            >${icon('upload')}${t('shell.records.import')}</a
          >
          <button class="button primary" @click=${() => (this.editing = 'new')}>
            ${icon('user-plus')}${t('shell.people.invite')}
          </button>`,
      }),
    })
  }

  override render() {
    const wanted = this.text.trim().toLocaleLowerCase()
    const people = this.people?.filter((it) => `${it.name} ${it.email}`.toLocaleLowerCase().includes(wanted))
    return html`
      ${this.problem ? html`<p class="problem" role="alert">${icon('circle-alert')}${this.problem}</p>` : nothing}
      ${
        (this.people?.length ?? 0) > 7
          ? html`<input
              class="input find"
              type="search"
              placeholder=${t('shell.people.find')}
              aria-label=${t('shell.people.find')}
              @input=${(event: Event) => (this.text = (event.target as HTMLInputElement).value)}
            />`
          : nothing
      }
      ${
        people
          ? html`<ul class="rows">
              ${repeat(
                people,
                (it) => it.id,
                (it) => this.#row(it),
              )}
            </ul>`
          : this.problem
            ? nothing
            : html`<socle-skeleton .lines=${6}></socle-skeleton>`
      }
      ${people?.length === 0 ? html`<p class="lead">${t('shell.people.nobody')}</p>` : nothing}
      ${
        this.editing
          ? html`<shell-person-form
              .person=${this.editing === 'new' ? undefined : this.editing}
              .roles=${this.#roles}
              .teams=${this.#teams}
              @close=${() => (this.editing = undefined)}
              @saved=${(event: CustomEvent<{ name: string; password?: string }>) => this.#saved(event.detail)}
            ></shell-person-form>`
          : nothing
      }
      ${
        this.secret
          ? html`<shell-secret
              .heading=${this.secret.title}
              .text=${this.secret.text}
              .value=${this.secret.value}
              @close=${() => (this.secret = undefined)}
            ></shell-secret>`
          : nothing
      }
    `
  }

  #row(person: Person) {
    const roles = (person.roles ?? []).map((id) => this.#roles.find((it) => it.id === id)?.name ?? id)
    const team = this.#teams.find((it) => it.id === person.team)?.name
    const isMe = person.id === shell()?.user.id
    return html`
      <li class=${person.state === 'inactive' ? 'off' : ''}>
        ${avatar(person.name)}
        <span class="grow who">
          <span class="name"
            >${person.name}${isMe ? html` <span class="meta">${t('shell.people.you')}</span>` : nothing}</span
          >
          <span class="meta">${person.email}</span>
        </span>
        <span class="pills">
          ${roles.map((it) => html`<span class="pill">${it}</span>`)}
          ${team ? html`<span class="pill info">${icon('users')}${team}</span>` : nothing}
          ${person.partner ? pill(t('shell.people.partner'), 'accent', 'handshake') : nothing}
          ${person.state === 'invited' ? pill(t('shell.people.invited'), 'warning', 'mail') : nothing}
          ${person.state === 'inactive' ? pill(t('shell.people.inactive'), 'neutral', 'ban') : nothing}
        </span>
        <span class="meta seen"
          >${person.lastSeenAt ? t('shell.people.seen', { when: format.relative(person.lastSeenAt) }) : ''}</span
        >
        ${
          may('core.user.manage')
            ? html`<socle-menu
                icon="ellipsis"
                icon-only
                align="end"
                .label=${t('shell.people.actions', { name: person.name })}
                .items=${[
                  { id: 'edit', label: t('shell.people.edit'), icon: 'pencil' },
                  { id: 'password', label: t('shell.people.newPassword'), icon: 'key' },
                  ...(isMe
                    ? []
                    : [
                        person.state === 'inactive'
                          ? { id: 'activate', label: t('shell.people.activate'), icon: 'circle-check', separator: true }
                          : {
                              id: 'deactivate',
                              label: t('shell.people.deactivate'),
                              icon: 'ban',
                              separator: true,
                              danger: true,
                            },
                      ]),
                ]}
                @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#act(event.detail.id, person)}
              ></socle-menu>`
            : nothing
        }
      </li>
    `
  }

  async #act(action: string, person: Person): Promise<void> {
    try {
      if (action === 'edit') this.editing = person
      else if (action === 'password') {
        const { data } = await api.post<{ data: { password: string } }>(`/api/core/users/${person.id}/password`, {})
        this.#showPassword(person.name, data.password)
      } else {
        const active = action === 'activate'
        await api.patch(`/api/core/users/${person.id}`, { active })
        toast({ text: t(`shell.people.is.${active ? 'active' : 'inactive'}`, { name: person.name }), tone: 'success' })
        await this.#load()
      }
    } catch (problem) {
      tellProblem(problem)
    }
  }

  #saved(detail: { name: string; password?: string }): void {
    this.editing = undefined
    if (detail.password) this.#showPassword(detail.name, detail.password)
    else toast({ text: t('shell.people.saved', { name: detail.name }), tone: 'success' })
    void this.#load()
  }

  #showPassword(name: string, value: string): void {
    this.secret = { title: t('shell.people.passwordOf', { name }), text: t('shell.people.passwordOnce'), value }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .find {
        max-inline-size: 320px;
        margin-block-end: 12px;
      }
      .seen {
        inline-size: 120px;
        text-align: end;
      }
      .off .name {
        color: var(--socle-text-3);
      }
      .avatar {
        inline-size: 28px;
        block-size: 28px;
        font-size: 11px;
      }
      @media (width < 900px) {
        .seen {
          display: none;
        }
        .pills {
          justify-content: flex-end;
        }
      }
      @media (width < 600px) {
        .rows > li {
          flex-wrap: wrap;
        }
        .pills {
          order: 9;
          inline-size: 100%;
          justify-content: flex-start;
          padding-inline-start: 40px;
        }
      }
    `,
  ]
}

define('shell-people', ShellPeople)
