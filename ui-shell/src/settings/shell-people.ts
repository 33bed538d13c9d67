import {
  KitElement,
  api,
  avatar,
  confirmDialog,
  controls,
  format,
  icon,
  may,
  pill,
  resource,
  shell,
  t,
  toast,
} from '@socle/sdk/ui'
import type { MenuItem } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { checkHref } from '../access/access-api.ts'
import { isOverseer } from '../access/why-link.ts'
import { define } from '../define.ts'
import { lastDayOf } from '../last-day.ts'
import { setPage } from '../page.ts'
import { titleFor } from '../records/titles.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { Person, Role, Team, Way } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellDeactivate } from './shell-deactivate.ts'
import { ShellPersonForm } from './shell-person-form.ts'
import { ShellPersonSessions } from './shell-person-sessions.ts'
import { ShellSecret } from './shell-secret.ts'
import { problemLine } from '../problem-line.ts'

define('shell-deactivate', ShellDeactivate)
define('shell-person-form', ShellPersonForm)
define('shell-person-sessions', ShellPersonSessions)
define('shell-secret', ShellSecret)

/** Who works in this workspace, with which roles. */
export class ShellPeople extends KitElement {
  static override properties = {
    people: { state: true },
    problem: { state: true },
    editing: { state: true },
    looking: { state: true },
    leaving: { state: true },
    viewing: { state: true },
    secret: { state: true },
    text: { state: true },
  }
  declare people: readonly Person[] | undefined
  declare problem: string | undefined
  declare editing: Person | 'new' | undefined
  /** Whose sessions are shown. */
  declare looking: Person | undefined
  /** As whom the workspace is about to be seen. */
  declare viewing: Person | undefined
  /** Whose access is about to end. */
  declare leaving: Person | undefined
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

  /** What the account is called for which somebody stands, as far as the reader sees it. */
  #nameOfPartner(partner: string): string {
    const title = titleFor('core.account', partner, () => this.requestUpdate())
    return title === undefined || title === partner ? t('shell.people.partner') : title
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
    const people = this.people?.filter((it) => `${it.name} ${it.email ?? ''}`.toLocaleLowerCase().includes(wanted))
    return html`
      ${problemLine(this.problem)}
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
              @saved=${(event: CustomEvent<{ name: string; way?: Way }>) => this.#saved(event.detail)}
            ></shell-person-form>`
          : nothing
      }
      ${
        this.leaving
          ? html`<shell-deactivate
              .person=${this.leaving}
              .colleagues=${this.people?.filter((it) => it.state === 'active' && it.id !== this.leaving?.id) ?? []}
              @close=${() => (this.leaving = undefined)}
              @done=${() => {
                this.leaving = undefined
                void this.#load()
              }}
            ></shell-deactivate>`
          : nothing
      }
      ${
        this.looking
          ? html`<shell-person-sessions
              .person=${this.looking}
              @close=${() => (this.looking = undefined)}
            ></shell-person-sessions>`
          : nothing
      }
      ${
        this.viewing
          ? html`<shell-view-as .person=${this.viewing} @close=${() => (this.viewing = undefined)}></shell-view-as>`
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
    const roles = (person.roles ?? []).map((id) => {
      const [name, end] = [this.#roles.find((it) => it.id === id)?.name ?? id, person.roleEnds?.[id]]
      return end ? t('shell.people.roleEnding', { role: name, date: format.date(lastDayOf(end)) }) : name
    })
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
          ${person.partner ? pill(this.#nameOfPartner(person.partner), 'accent', 'handshake') : nothing}
          ${person.app || person.passkeys ? pill(t('shell.people.strong'), 'success', 'shield-check') : nothing}
          ${person.state === 'invited' ? invitationPill(person) : nothing}
          ${person.state === 'inactive' ? pill(t('shell.people.inactive'), 'neutral', 'ban') : nothing}
        </span>
        <span class="meta seen"
          >${person.lastSeenAt ? t('shell.people.seen', { when: format.relative(person.lastSeenAt) }) : ''}</span
        >
        ${this.#menu(person, isMe)}
      </li>
    `
  }

  /** What may be done about somebody: managing them, asking what they may do and looking as they do are rights of their own. */
  #menu(person: Person, isMe: boolean) {
    const items: MenuItem[] = []
    const item = (id: string, sign: string, rest: Partial<MenuItem> & { label: string }) =>
      items.push({ id, icon: sign, ...rest })
    const manages = may('core.user.manage')
    if (manages) item('edit', 'pencil', { label: t('shell.people.edit') })
    if (isOverseer()) item('access', 'eye', { label: t('shell.access.check'), href: checkHref({ actor: person.id }) })
    if (manages && person.state === 'invited') item('renew', 'link', { label: t('shell.people.renew') })
    if (manages && person.state !== 'invited') {
      item('password', 'key', { label: t('shell.people.newPassword') })
      item('sessions', 'monitor', { label: t('shell.people.sessions') })
    }
    if (may('core.actor.view-as') && person.state === 'active' && !isMe)
      item('view-as', 'user', { label: t('shell.viewing.action') })
    if (manages && (person.app || person.passkeys)) item('factor', 'shield-check', { label: t('shell.people.factor') })
    const apart = { separator: true, danger: true }
    if (manages && person.state === 'invited')
      item('withdraw', 'trash-2', { label: t('shell.people.withdraw'), ...apart })
    if (manages && !isMe && person.state === 'inactive')
      item('activate', 'circle-check', { label: t('shell.people.activate'), separator: true })
    if (manages && !isMe && person.state === 'active')
      item('deactivate', 'ban', { label: t('shell.people.deactivate'), ...apart })
    if (items.length === 0) return nothing
    return html`<socle-menu
      icon="ellipsis"
      icon-only
      align="end"
      .label=${t('shell.people.actions', { name: person.name })}
      .items=${items}
      @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#act(event.detail.id, person)}
    ></socle-menu>`
  }

  async #act(action: string, person: Person): Promise<void> {
    try {
      if (action === 'edit') this.editing = person
      else if (action === 'sessions') this.looking = person
      else if (action === 'view-as') {
        const { ShellViewAs } = await import('./shell-view-as.ts')
        define('shell-view-as', ShellViewAs)
        this.viewing = person
      } else if (action === 'deactivate') this.leaving = person
      else if (action === 'password') {
        const { data } = await api.post<{ data: Way }>(`/api/core/users/${person.id}/password-link`, {})
        this.#showLink(person.name, data, 'shell.people.passwordLink')
      } else if (action === 'renew') {
        const way = await api.post<Way>(`/api/core/users/${person.id}/invite`, {})
        this.#showLink(person.name, way, 'shell.people.invitation')
        await this.#load()
      } else if (action === 'withdraw')
        await this.#ask('withdraw', person, () => api.delete(`/api/core/users/${person.id}/invite`))
      else if (action === 'factor')
        await this.#ask('factor', person, () => api.delete(`/api/core/users/${person.id}/second-factor`))
      else if (action === 'activate') {
        await api.post(`/api/core/users/${person.id}/activate`, {})
        toast({ text: t('shell.people.is.active', { name: person.name }), tone: 'success' })
        await this.#load()
      }
    } catch (problem) {
      tellProblem(problem)
    }
  }

  /** Asks before what cannot be undone, does it and says so. */
  async #ask(what: 'withdraw' | 'factor', { name }: Person, act: () => Promise<unknown>): Promise<void> {
    const yes = await confirmDialog({
      title: t(`shell.people.${what}Title`, { name }),
      body: t(`shell.people.${what}Text`),
      confirm: t(`shell.people.${what}`),
      danger: true,
    })
    if (!yes) return
    await act()
    toast({ text: t(`shell.people.${what}Done`, { name }), tone: 'success' })
    await this.#load()
  }

  #saved(detail: { name: string; way?: Way }): void {
    this.editing = undefined
    if (detail.way) this.#showLink(detail.name, detail.way, 'shell.people.invitation')
    else toast({ text: t('shell.people.saved', { name: detail.name }), tone: 'success' })
    void this.#load()
  }

  #showLink(name: string, { link, expiresAt }: Way, of: 'shell.people.invitation' | 'shell.people.passwordLink'): void {
    const until = format.instant(expiresAt)
    this.secret = {
      title: t(`${of}Of`, { name }),
      text: t(`${of}Once`, { until }),
      value: new URL(link, location.origin).href,
    }
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

/** Waiting for an answer, or no longer able to give one. */
function invitationPill({ invitedUntil }: Person) {
  if (!invitedUntil || Date.parse(invitedUntil) < Date.now())
    return pill(t('shell.people.invitationOver'), 'danger', 'clock')
  return pill(t('shell.people.invitedUntil', { when: format.date(invitedUntil.slice(0, 10)) }), 'warning', 'mail')
}

define('shell-people', ShellPeople)
