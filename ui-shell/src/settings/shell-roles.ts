import { KitElement, api, controls, format, icon, may, navigate, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf } from './settings-api.ts'
import type { Person, Role } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellRoleEditor } from './shell-role-editor.ts'
import { problemLine } from '../problem-line.ts'

define('shell-role-editor', ShellRoleEditor)

/** The roles of this workspace; one of them opened is the role editor. */
export class ShellRoles extends KitElement {
  static override properties = {
    record: {},
    roles: { state: true },
    problem: { state: true },
    isCreating: { state: true },
    fault: { state: true },
  }
  declare record: string | undefined
  declare roles: readonly Role[] | undefined
  declare problem: string | undefined
  declare isCreating: boolean
  declare fault: string | undefined

  #people: readonly Person[] = []

  override willUpdate(changed: Map<string, unknown>): void {
    if (this.record) return
    if (changed.has('record') || !this.hasUpdated) void this.#load()
    setPage(this, {
      title: t('shell.settings.roles'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(this.roles && { count: format.number(this.roles.length) }),
      ...(may('core.role.manage') && {
        actions: html`<button class="button primary" @click=${this.#startCreating}>
          ${icon('plus')}${t('shell.roles.new')}
        </button>`,
      }),
    })
  }

  async #load(): Promise<void> {
    try {
      const [roles, people] = await Promise.all([
        everything<Role>('/api/core/roles'),
        everything<Person>('/api/core/users').catch(() => []),
      ])
      this.#people = people
      this.roles = roles.toSorted((a, b) => a.name.localeCompare(b.name))
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    if (this.record) return html`<shell-role-editor .record=${this.record}></shell-role-editor>`
    if (this.problem) return problemLine(this.problem)
    if (!this.roles) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    return html`
      <p class="lead">${t('shell.roles.lead')}</p>
      <ul class="rows">
        ${this.roles.map((role) => this.#row(role))}
      </ul>
      ${this.isCreating ? this.#form() : nothing}
    `
  }

  #row(role: Role) {
    const users = role.users ?? this.#people.filter((it) => it.roles?.includes(role.id)).length
    return html`
      <li>
        ${icon('shield-check')}
        <span class="grow">
          <a class="name" href="/settings/roles/${role.id}">${role.name}</a>
          <span class="meta"
            >${t('shell.roles.summary', { users, grants: role.grants.length + (role.permissions?.length ?? 0), fields: role.fields.length })}</span
          >
        </span>
        ${role.template ? html`<span class="pill">${t('shell.roles.builtIn')}</span>` : nothing}
        <a
          class="icon-button"
          href="/settings/roles/${role.id}"
          aria-label=${t('shell.roles.openOne', { name: role.name })}
        >
          ${icon('chevron-right')}
        </a>
      </li>
    `
  }

  #form() {
    return html`
      <socle-dialog open .heading=${t('shell.roles.new')} @socle-close=${() => (this.isCreating = false)}>
        <form class="form" id="form" @submit=${this.#create}>
          ${problemLine(this.fault)}
          <div class="field">
            <label class="label" for="name">${t('shell.roles.name')}</label>
            <input class="input" id="name" name="name" required maxlength="120" autofocus />
          </div>
          <div class="field">
            <label class="label" for="from">${t('shell.roles.from')}</label>
            <select class="input" id="from" name="from">
              <option value="">${t('shell.roles.fromNothing')}</option>
              ${this.roles?.map((it) => html`<option value=${it.id}>${it.name}</option>`)}
            </select>
          </div>
        </form>
        <button slot="actions" class="button" @click=${() => (this.isCreating = false)}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
        >
          ${t('shell.roles.create')}
        </button>
      </socle-dialog>
    `
  }

  readonly #startCreating = (): void => {
    this.fault = undefined
    this.isCreating = true
  }

  readonly #create = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const from = String(values.get('from'))
    const body = { name: String(values.get('name')).trim(), ...(from && { from }) }
    try {
      const { data } = await api.post<{ data: Role }>('/api/core/roles', body)
      this.isCreating = false
      navigate(`/settings/roles/${data.id}`)
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .rows > li > .icon {
        color: var(--socle-text-3);
      }
    `,
  ]
}

define('shell-roles', ShellRoles)
