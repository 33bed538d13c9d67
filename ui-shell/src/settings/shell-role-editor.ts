import {
  KitElement,
  ProblemError,
  announce,
  api,
  confirmDialog,
  controls,
  icon,
  navigate,
  onShellChange,
  shell,
  t,
  toast,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { session } from '../session-doc.ts'
import { shortcuts } from '../shortcuts.ts'
import { unsaved } from '../unsaved.ts'
import {
  exceptionsIn,
  fieldAccess,
  inheritedReach,
  isWider,
  ownReach,
  reaches,
  splitPermission,
  withFieldAccess,
  withReach,
} from './role-grants.ts'
import type { Reach } from './role-grants.ts'
import { ShellRoleExceptions } from './shell-role-exceptions.ts'
import { FormBase } from './form-base.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import type { FieldAccess, PermissionCatalog, Role } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

define('shell-role-exceptions', ShellRoleExceptions)

type CatalogResource = PermissionCatalog['resources'][number]

const reachActions = ['read', 'update', 'delete'] as const
const plainActions = ['create', 'restore', 'import', 'export', 'bulk', 'merge', 'share'] as const
/** Kept by the platform and always readable: no role closes them. */
const systemFields = new Set(['id', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'deletedAt'])
const accesses: readonly FieldAccess[] = ['write', 'read', 'masked', 'none']

/** What a role may do: per module and kind of record how far it reaches, and which fields stay closed. */
export class ShellRoleEditor extends KitElement {
  static override properties = {
    record: {},
    edited: { state: true },
    catalog: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare record: string
  /** The role as edited. */
  declare edited: Role | undefined
  declare catalog: PermissionCatalog | undefined
  declare problem: string | undefined
  declare isBusy: boolean

  #saved: Role | undefined
  #stop: (() => void)[] = []
  #generation: number | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#generation = shell()?.generation
    this.#stop = [
      shortcuts.add([
        { keys: 'mod+Enter', title: t('shell.shortcuts.save'), group: 'screen', run: () => void this.#save() },
      ]),
      onShellChange(() => this.#followModules()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    unsaved.clear(this)
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('record')) void this.#load()
    this.#sayTitle()
  }

  async #load(): Promise<void> {
    const id = this.record
    try {
      const [role, catalog] = await Promise.all([
        api.get<{ data: Role }>(`/api/core/roles/${id}`),
        api.get<{ data: PermissionCatalog }>('/api/core/permissions'),
      ])
      if (id !== this.record) return
      this.#saved = role.data
      this.edited = role.data
      this.catalog = catalog.data
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  /** A module that came or went has permissions of its own; what was changed here stays. */
  #followModules(): void {
    const generation = shell()?.generation
    if (generation === undefined || generation === this.#generation) return
    this.#generation = generation
    void api
      .get<{ data: PermissionCatalog }>('/api/core/permissions')
      .then(({ data }) => (this.catalog = data))
      .catch(() => undefined)
  }

  get #isDirty(): boolean {
    return JSON.stringify(this.edited) !== JSON.stringify(this.#saved)
  }

  #sayTitle(): void {
    const isDirty = this.#isDirty
    setPage(this, {
      title: this.edited?.name ?? t('shell.roles.one'),
      crumbs: [
        { title: t('shell.nav.settings'), href: '/settings' },
        { title: t('shell.settings.roles'), href: '/settings/roles' },
      ],
      actions: html`
        ${isDirty ? html`<button class="button" @click=${this.#discard}>${t('shell.discard')}</button>` : nothing}
        <button
          class="button primary"
          ?hidden=${this.edited?.system ?? false}
          aria-disabled=${!isDirty || this.isBusy ? 'true' : nothing}
          @click=${() => void this.#save()}
        >
          ${t('shell.save')}
        </button>
      `,
    })
  }

  #change(change: Partial<Role>): void {
    if (!this.edited) return
    this.edited = { ...this.edited, ...change }
    if (this.#isDirty)
      unsaved.set(this, { title: this.edited.name, text: () => JSON.stringify(this.edited, undefined, 2) })
    else unsaved.clear(this)
  }

  override render() {
    if (this.problem && !this.edited) return problemLine(this.problem)
    const { edited: role, catalog } = this
    if (!role || !catalog) return html`<socle-skeleton .lines=${8}></socle-skeleton>`
    const plugins = [
      ...new Map([...catalog.resources, ...catalog.permissions].map((it) => [it.plugin, it.pluginTitle])),
    ]
    return html`
      ${problemLine(this.problem)}
      <div class="field name-field">
        <label class="label" for="name">${t('shell.roles.name')}</label>
        <input
          class="input"
          id="name"
          maxlength="120"
          .value=${role.name}
          ?readonly=${role.system ?? false}
          @input=${(event: Event) => this.#change({ name: (event.target as HTMLInputElement).value })}
        />
      </div>
      <p class="lead">${t('shell.roles.editorLead')}</p>
      ${
        role.system
          ? html`<p class="everything">${icon('lock')}<span>${t('shell.roles.systemLocked')}</span></p>`
          : ownReach(role.grants, '*', '*')
            ? html`<p class="everything">${icon('shield')}<span>${t('shell.roles.everything')}</span></p>`
            : nothing
      }
      <shell-role-exceptions
        .grants=${role.grants}
        .catalog=${catalog}
        ?locked=${role.system ?? false}
        @grants-changed=${(event: CustomEvent<Pick<Role, 'grants'>>) => this.#change({ grants: event.detail.grants })}
      ></shell-role-exceptions>
      ${plugins.map(([plugin, title]) => this.#plugin(plugin, title, catalog))}
      <p class="end">
        ${
          role.system
            ? nothing
            : html`<button class="button" @click=${() => void this.#remove()}>
                ${icon('trash-2')}${t('shell.roles.delete')}
              </button>`
        }
      </p>
    `
  }

  #plugin(plugin: string, title: string, catalog: PermissionCatalog) {
    const resources = catalog.resources.filter((it) => it.plugin === plugin)
    const permissions = catalog.permissions.filter((it) => it.plugin === plugin)
    return html`
      <section class="card" aria-labelledby="p-${plugin}" ?inert=${this.edited?.system ?? false}>
        <h2 id="p-${plugin}">${title}</h2>
        ${
          resources.length > 0
            ? html`
                <div class="scroll">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">${t('shell.roles.kind')}</th>
                        ${reachActions.map((it) => html`<th scope="col">${t(`shell.roles.action.${it}`)}</th>`)}
                        ${plainActions.map((it) => html`<th scope="col" class="tick">${t(`shell.roles.action.${it}`)}</th>`)}
                      </tr>
                    </thead>
                    <tbody>
                      ${this.#line(`${plugin}.*`, t('shell.roles.allOf', { title }))}
                      ${resources.map((it) => this.#line(it.id, it.name, it))}
                    </tbody>
                  </table>
                </div>
              `
            : nothing
        }
        ${
          permissions.length > 0
            ? html`<div class="further" role="group" aria-labelledby="f-${plugin}">
                <h3 class="label" id="f-${plugin}">${t('shell.roles.further')}</h3>
                ${permissions.map((it) => this.#permission(it.id, it.title))}
              </div>`
            : nothing
        }
      </section>
    `
  }

  #line(id: string, name: string, resource?: CatalogResource) {
    const exceptions = exceptionsIn(this.edited?.grants ?? []).filter((it) => it.resource === id).length
    const has = (action: string) => !resource?.actions.length || resource.actions.includes(action)
    return html`
      <tr class=${resource ? '' : 'all'}>
        <th scope="row">
          ${resource ? this.#fields(resource) : name}
          ${exceptions > 0 ? html`<span class="pill info">${t('shell.roles.exceptions.count', { count: exceptions })}</span>` : nothing}
        </th>
        ${reachActions.map((action) => html`<td>${has(action) ? this.#reach(id, name, action) : nothing}</td>`)}
        ${plainActions.map((action) => html`<td class="tick">${has(action) ? this.#tick(id, name, action) : nothing}</td>`)}
      </tr>
    `
  }

  #reach(resource: string, name: string, action: string) {
    const grants = this.edited?.grants ?? []
    const own = ownReach(grants, resource, action)
    const inherited = inheritedReach(grants, resource, action)
    const shown = own && isWider(own, inherited) ? own : inherited
    return html`
      <select
        class="input reach ${shown}"
        aria-label=${t('shell.roles.cell', { action: t(`shell.roles.action.${action}`), name })}
        @change=${(event: Event) =>
          this.#change({
            grants: withReach(grants, resource, action, (event.target as HTMLSelectElement).value as Reach),
          })}
      >
        ${(['none', ...reaches] as const)
          .filter((it) => it === inherited || isWider(it, inherited))
          .map(
            (it) =>
              html`<option value=${it === inherited ? 'none' : it} .selected=${it === shown}>
                ${it === inherited && it !== 'none' ? t('shell.roles.inherited', { reach: t(`shell.roles.reach.${it}`) }) : t(`shell.roles.reach.${it}`)}
              </option>`,
          )}
      </select>
    `
  }

  #tick(resource: string, name: string, action: string) {
    const grants = this.edited?.grants ?? []
    const isInherited = inheritedReach(grants, resource, action) !== 'none'
    const label = t('shell.roles.cell', { action: t(`shell.roles.action.${action}`), name })
    return html`
      <input
        type="checkbox"
        aria-label=${label}
        title=${isInherited ? t('shell.roles.byBroader') : label}
        .checked=${isInherited || ownReach(grants, resource, action) !== undefined}
        ?disabled=${isInherited}
        @change=${(event: Event) =>
          this.#change({
            grants: withReach(grants, resource, action, (event.target as HTMLInputElement).checked ? 'all' : 'none'),
          })}
      />
    `
  }

  #permission(id: string, title: string) {
    const { grants = [], permissions = [] } = this.edited ?? {}
    const { resource, action } = splitPermission(id)
    const isInherited = inheritedReach(grants, resource, action) !== 'none'
    return html`
      <label class="permission">
        <input
          type="checkbox"
          .checked=${isInherited || permissions.includes(id)}
          ?disabled=${isInherited}
          @change=${(event: Event) => {
            const others = permissions.filter((it) => it !== id)
            this.#change({ permissions: (event.target as HTMLInputElement).checked ? [...others, id] : others })
          }}
        />
        <span>${title} <span class="meta">${id}</span></span>
      </label>
    `
  }

  #fields(resource: CatalogResource) {
    const fields = this.edited?.fields ?? []
    const closed = fields.filter((it) => it.resource === resource.id).length
    return html`
      <details>
        <summary>
          ${icon('chevron-right')}<span>${resource.name}</span>
          ${closed > 0 ? html`<span class="pill warning">${icon('lock')}${t('shell.roles.closedFields', { count: closed })}</span>` : nothing}
        </summary>
        <div class="fields">
          <p class="meta">${t('shell.roles.fieldsLead')}</p>
          ${resource.fields
            .filter((it) => !systemFields.has(it.name))
            .map((field) => {
              const access = fieldAccess(fields, resource.id, field.name)
              return html`
                <label>
                  <span class="grow">${field.label}</span>
                  <select
                    class="input access ${access}"
                    @change=${(event: Event) =>
                      this.#change({
                        fields: withFieldAccess(
                          fields,
                          resource.id,
                          field.name,
                          (event.target as HTMLSelectElement).value as FieldAccess,
                        ),
                      })}
                  >
                    ${accesses.map((it) => html`<option value=${it} .selected=${it === access}>${t(`shell.roles.access.${it}`)}</option>`)}
                  </select>
                </label>
              `
            })}
        </div>
      </details>
    `
  }

  readonly #discard = (): void => {
    this.edited = this.#saved
    unsaved.clear(this)
  }

  async #save(): Promise<void> {
    const role = this.edited
    if (!role || !this.#isDirty || this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    try {
      const { version, name, grants, permissions = [], fields } = role
      // Only what was changed here: somebody who changed another part meanwhile keeps it.
      const own = new FormBase(this.#saved!).changed({ name, grants, permissions, fields })
      const { data } = await api.patch<{ data: Role }>(`/api/core/roles/${role.id}`, { version, ...own })
      this.#saved = data
      this.edited = data
      unsaved.clear(this)
      toast({ text: t('shell.roles.saved', { name: data.name }), tone: 'success' })
      // My own rights may be among those just changed.
      void session.load()
    } catch (problem) {
      this.problem =
        problem instanceof ProblemError && problem.code === 'VERSION_CONFLICT'
          ? t('shell.roles.conflict')
          : sentenceOf(problem)
      announce(this.problem, 'assertive')
    } finally {
      this.isBusy = false
    }
  }

  async #remove(): Promise<void> {
    const role = this.edited
    if (!role) return
    const yes = await confirmDialog({
      title: t('shell.roles.deleteTitle', { name: role.name }),
      body: t('shell.roles.deleteText'),
      confirm: t('shell.delete'),
      danger: true,
    })
    if (!yes) return
    try {
      await api.delete(`/api/core/roles/${role.id}`)
      unsaved.clear(this)
      navigate('/settings/roles')
    } catch (problem) {
      tellProblem(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .name-field {
        max-inline-size: 360px;
        margin-block-end: 16px;
      }
      .everything {
        display: flex;
        gap: 8px;
        margin-block-end: 16px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-info-bg);
        color: var(--socle-info);
      }
      .everything .icon {
        margin-block-start: 2px;
      }
      section {
        margin-block-end: 16px;
        padding: 12px 0 0;
      }
      section h2 {
        padding: 0 16px 8px;
      }
      .scroll {
        overflow: auto;
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
        font: var(--socle-small);
      }
      th,
      td {
        padding: 4px 8px;
        border-block-start: 1px solid var(--socle-line);
        text-align: start;
        vertical-align: top;
        font-weight: 400;
      }
      thead th {
        color: var(--socle-text-3);
        font: var(--socle-meta);
        font-weight: 500;
        white-space: nowrap;
      }
      th:first-child {
        padding-inline-start: 16px;
        min-inline-size: 160px;
      }
      tbody th {
        padding-block: 9px;
        font-weight: 500;
      }
      tbody th > .pill {
        margin-block-start: 4px;
        white-space: normal;
        block-size: auto;
        min-block-size: 20px;
      }
      .all th {
        color: var(--socle-text-2);
      }
      th.tick,
      td.tick {
        inline-size: 52px;
        padding-inline: 2px;
        padding-block: 10px;
        text-align: center;
        line-height: 16px;
      }
      td.tick input {
        display: block;
        margin-inline: auto;
      }
      thead th.tick {
        padding-block: 4px;
        white-space: normal;
      }
      td:not(.tick) {
        inline-size: 146px;
        padding-inline: 4px;
      }
      .input.reach,
      .input.access {
        min-block-size: 28px;
        min-inline-size: 138px;
        padding-inline-start: 8px;
        padding-block: 3px;
        font: var(--socle-small);
        border-color: var(--socle-line);
      }
      .reach.none,
      .access.write {
        color: var(--socle-text-3);
      }
      details {
        display: inline-block;
      }
      details[open] {
        display: block;
      }
      summary {
        display: flex;
        align-items: center;
        gap: 6px;
        list-style: none;
        cursor: pointer;
        border-radius: 4px;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      details[open] > summary > .icon {
        transform: rotate(90deg);
      }
      .fields {
        display: grid;
        gap: 4px;
        margin-block-start: 8px;
        padding-inline-start: 22px;
        max-inline-size: 420px;
        font-weight: 400;
      }
      .fields label {
        display: flex;
        align-items: center;
        gap: 12px;
      }
      .fields .input {
        inline-size: 140px;
      }
      section .further {
        padding: 12px 16px 16px;
        border-block-start: 1px solid var(--socle-line);
      }
      .further .label {
        margin-block-end: 4px;
      }
      .permission {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
        font: var(--socle-small);
      }
      .end {
        padding-block: 8px 24px;
      }
    `,
  ]
}
