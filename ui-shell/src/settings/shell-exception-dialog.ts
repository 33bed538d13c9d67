import { KitElement, ProblemError, api, controls, resource, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { problemLine } from '../problem-line.ts'
import { conditionField } from './condition-field.ts'
import { actionWord, actionsOf, reaches, splitPermission } from './role-grants.ts'
import { sentenceOf } from './settings-api.ts'
import type { Grant, PermissionCatalog, Visibility } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** How a permission without records stands among the kinds of records, which have no `!`. */
const permissionMark = '!'

/**
 * One line of a role that allows something under a condition, or refuses it.
 *
 * @fires exception-chosen - `detail.grant`
 * @fires exception-closed
 */
export class ShellExceptionDialog extends KitElement {
  static override properties = {
    grant: { attribute: false },
    catalog: { attribute: false },
    refuses: { state: true },
    about: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  /** The line to change; a new one without. */
  declare grant: Grant | undefined
  declare catalog: PermissionCatalog
  declare private refuses: boolean
  declare private about: string
  declare private problem: string | undefined
  declare private isBusy: boolean

  override willUpdate(changed: PropertyValues): void {
    if (this.hasUpdated && !changed.has('grant')) return
    this.refuses = this.grant?.deny ?? false
    this.about = this.grant ? this.#aboutOf(this.grant) : (this.catalog.resources[0]?.id ?? '*')
  }

  #aboutOf({ resource: id, action }: Grant): string {
    const permission = `${id}.${action}`
    return this.catalog.permissions.some((it) => it.id === permission) ? `${permissionMark}${permission}` : id
  }

  override render() {
    const isPermission = this.about.startsWith(permissionMark)
    return html`<socle-dialog
      open
      .heading=${t(this.grant ? 'shell.roles.exceptions.change' : 'shell.roles.exceptions.new')}
      @socle-close=${() => this.tell('exception-closed')}
    >
      <form class="form" id="form" @submit=${this.#choose}>
        ${problemLine(this.problem)}
        <fieldset>
          <legend class="label">${t('shell.roles.exceptions.kind')}</legend>
          ${([false, true] as const).map(
            (refuses) =>
              html`<label class="choice"
                ><input
                  type="radio"
                  name="refuses"
                  .checked=${this.refuses === refuses}
                  @change=${() => this.#setRefuses(refuses)}
                />${t(refuses ? 'shell.roles.exceptions.refuse' : 'shell.roles.exceptions.allow')}</label
              >`,
          )}
        </fieldset>
        <div class="field">
          <label class="label" for="about">${t('shell.roles.exceptions.about')}</label>
          <select class="input" id="about" name="about" @change=${this.#aboutChosen}>
            <option value="*" .selected=${this.about === '*'}>${t('shell.roles.exceptions.allRecords')}</option>
            ${this.#plugins.map(([plugin, title]) => this.#offered(plugin, title))}
          </select>
        </div>
        ${isPermission ? nothing : this.#reach()}
      </form>
      <button slot="actions" class="button" @click=${() => this.tell('exception-closed')}>${t('shell.cancel')}</button>
      <button
        slot="actions"
        class="button primary"
        aria-disabled=${this.isBusy ? 'true' : nothing}
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
      >
        ${t('shell.roles.exceptions.take')}
      </button>
    </socle-dialog>`
  }

  get #plugins(): [string, string][] {
    const { resources, permissions } = this.catalog
    return [...new Map([...resources, ...permissions].map((it) => [it.plugin, it.pluginTitle]))]
  }

  #offered(plugin: string, title: string) {
    const option = (value: string, label: string) =>
      html`<option value=${value} .selected=${value === this.about}>${label}</option>`
    const kinds = this.catalog.resources.filter((it) => it.plugin === plugin)
    const permissions = this.refuses ? this.catalog.permissions.filter((it) => it.plugin === plugin) : []
    return html`<optgroup label=${title}>
      ${kinds.length > 0 ? option(`${plugin}.*`, t('shell.roles.allOf', { title })) : nothing}
      ${kinds.map(({ id, name }) => option(id, name))}
      ${permissions.map((it) => option(`${permissionMark}${it.id}`, it.title))}
    </optgroup>`
  }

  #reach() {
    const { grant, about, catalog } = this
    const fields = catalog.resources.find(({ id }) => id === about)?.fields ?? []
    const chosen = grant?.visibility ?? 'all'
    return html`<div class="two">
        <div class="field">
          <label class="label" for="action">${t('shell.roles.exceptions.action')}</label>
          <select class="input" id="action" name="action">
            ${actionsOf(catalog, about).map(
              (it) =>
                html`<option value=${it} .selected=${it === (grant?.action ?? 'read')}>${actionWord(it)}</option>`,
            )}
          </select>
        </div>
        <div class="field">
          <label class="label" for="visibility">${t('shell.roles.exceptions.which')}</label>
          <select class="input" id="visibility" name="visibility">
            ${reaches.map(
              (it) => html`<option value=${it} .selected=${it === chosen}>${t(`shell.roles.reach.${it}`)}</option>`,
            )}
          </select>
        </div>
      </div>
      ${conditionField({
        value: grant?.condition ?? '',
        help: t(this.refuses ? 'shell.roles.exceptions.refusedIf' : 'shell.roles.exceptions.allowedIf'),
        fields,
        isRequired: !this.refuses,
      })}`
  }

  #setRefuses(refuses: boolean): void {
    this.refuses = refuses
    if (!refuses && this.about.startsWith(permissionMark)) this.about = this.catalog.resources[0]?.id ?? '*'
  }

  readonly #aboutChosen = (event: Event): void => {
    this.about = (event.target as HTMLSelectElement).value
  }

  get #typed(): Grant {
    if (this.about.startsWith(permissionMark)) return { ...splitPermission(this.about.slice(1)), deny: true }
    const values = new FormData(this.renderRoot.querySelector<HTMLFormElement>('#form')!)
    const condition = String(values.get('condition') ?? '').trim()
    return {
      resource: this.about,
      action: String(values.get('action')),
      visibility: String(values.get('visibility')) as Visibility,
      ...(condition && { condition }),
      ...(this.refuses && { deny: true }),
    }
  }

  readonly #choose = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    const grant = this.#typed
    this.isBusy = true
    try {
      await this.#demandSound(grant)
      this.tell('exception-chosen', { grant })
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  /** A condition is read by the server as a filter; what of it this person may not look at is judged when the role is saved. */
  async #demandSound({ resource: id, condition }: Grant): Promise<void> {
    const meta = resource(id)
    if (condition === undefined || !meta) return
    try {
      await api.get(`${meta.api}?limit=1&count=none&filter=${encodeURIComponent(condition)}`)
    } catch (problem) {
      if (!(problem instanceof ProblemError) || problem.status !== 403) throw problem
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .choice {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
      }
      .two {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 12px;
      }
    `,
  ]
}
