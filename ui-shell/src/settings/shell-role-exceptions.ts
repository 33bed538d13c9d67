import { KitElement, controls, icon, pill, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { actionWord, exceptionsIn, isIdle, withException } from './role-grants.ts'
import type { Grant, PermissionCatalog } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellExceptionDialog } from './shell-exception-dialog.ts'

define('shell-exception-dialog', ShellExceptionDialog)

/**
 * What a role allows only under a condition, and what it refuses whatever others allow.
 *
 * @fires grants-changed - `detail.grants`: all lines of the role
 */
export class ShellRoleExceptions extends KitElement {
  static override properties = {
    grants: { attribute: false },
    catalog: { attribute: false },
    locked: { type: Boolean },
    editing: { state: true },
  }
  declare grants: readonly Grant[]
  declare catalog: PermissionCatalog
  /** Nobody may change this role. */
  declare locked: boolean
  declare private editing: Grant | 'new' | undefined

  override render() {
    const exceptions = exceptionsIn(this.grants)
    if (this.locked && exceptions.length === 0) return nothing
    return html`
      <section class="card" aria-labelledby="title">
        <header>
          <div class="grow">
            <h2 id="title">${t('shell.roles.exceptions')}</h2>
            <p class="meta">${t('shell.roles.exceptions.lead')}</p>
          </div>
          ${
            this.locked
              ? nothing
              : html`<button class="button small" @click=${() => (this.editing = 'new')}>
                  ${icon('plus')}${t('shell.roles.exceptions.add')}
                </button>`
          }
        </header>
        <ul>
          ${exceptions.map((it) => this.#row(it))}
        </ul>
      </section>
      ${
        this.editing
          ? html`<shell-exception-dialog
              .grant=${this.editing === 'new' ? undefined : this.editing}
              .catalog=${this.catalog}
              @exception-chosen=${this.#chosen}
              @exception-closed=${() => (this.editing = undefined)}
            ></shell-exception-dialog>`
          : nothing
      }
    `
  }

  #row(grant: Grant) {
    const what = this.#what(grant)
    return html`<li>
      ${
        grant.deny
          ? pill(t('shell.roles.exceptions.refused'), 'danger', 'circle-off')
          : pill(t('shell.roles.exceptions.allowed'), 'success', 'circle-check')
      }
      <span class="grow">
        <span class="name">${what}</span>
        ${grant.condition ? html`<code>${grant.condition}</code>` : nothing}
        ${isIdle(this.grants, grant) ? html`<span class="meta">${t('shell.roles.exceptions.idle')}</span>` : nothing}
      </span>
      ${
        this.locked
          ? nothing
          : html`<button
                class="button small"
                aria-label=${t('shell.roles.exceptions.changeOne', { what })}
                @click=${() => (this.editing = grant)}
              >
                ${t('shell.edit')}
              </button>
              <button
                class="icon-button"
                aria-label=${t('shell.roles.exceptions.removeOne', { what })}
                title=${t('shell.roles.exceptions.removeOne', { what })}
                @click=${() => this.#change(withException(this.grants, grant, undefined))}
              >
                ${icon('trash-2')}
              </button>`
      }
    </li>`
  }

  #what(grant: Grant): string {
    const { resource, action, visibility = 'all' } = grant
    const permission = this.catalog.permissions.find(({ id }) => id === `${resource}.${action}`)
    if (permission) return permission.title
    return t('shell.roles.exceptions.what', {
      action: actionWord(action),
      records: this.#records(resource),
      reach: t(`shell.roles.reach.${visibility}`),
    })
  }

  /** A module that is off has no name here. */
  #records(resource: string): string {
    if (resource === '*') return t('shell.roles.exceptions.allRecords')
    const { resources } = this.catalog
    if (!resource.endsWith('.*')) return resources.find(({ id }) => id === resource)?.name ?? resource
    const title = resources.find(({ plugin }) => `${plugin}.*` === resource)?.pluginTitle
    return title === undefined ? resource : t('shell.roles.allOf', { title })
  }

  readonly #chosen = ({ detail }: CustomEvent<{ grant: Grant }>): void => {
    const old = this.editing === 'new' ? undefined : this.editing
    this.editing = undefined
    this.#change(withException(this.grants, old, detail.grant))
  }

  #change(grants: readonly Grant[]): void {
    this.tell('grants-changed', { grants })
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      section {
        margin-block-end: 16px;
        padding: 12px 0 0;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: start;
        gap: 8px 16px;
        padding: 0 16px 12px;
      }
      header .meta {
        margin-block-start: 2px;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        min-block-size: 44px;
        padding: 8px 16px;
        border-block-start: 1px solid var(--socle-line);
        font: var(--socle-small);
      }
      li .grow {
        display: grid;
        gap: 2px;
        flex-basis: 200px;
      }
      code {
        font:
          12px/18px ui-monospace,
          monospace;
        color: var(--socle-text-2);
        overflow-wrap: anywhere;
      }
    `,
  ]
}
