import { KitElement, api, controls, icon, live, pill, shell, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellFieldDialog, labelOf, typeName } from './shell-field-dialog.ts'
import type { OwnField } from './shell-field-dialog.ts'
import { problemLine } from '../problem-line.ts'

define('shell-field-dialog', ShellFieldDialog)

const tones = { building: 'info', ready: 'success', failed: 'danger' } as const

/** The fields a workspace gives its records, beside those they have. */
export class ShellFields extends KitElement {
  static override properties = {
    record: {},
    fields: { state: true },
    problem: { state: true },
    editing: { state: true },
  }
  /** Id of the resource whose fields are shown. */
  declare record: string | undefined
  declare fields: readonly OwnField[] | undefined
  declare problem: string | undefined
  declare editing: OwnField | 'new' | undefined

  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    // The index reports its state from the background.
    this.#stop = live.on('record', ({ resource }) => {
      if (resource === 'core.field') void this.#load()
    })
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  async #load(): Promise<void> {
    try {
      this.fields = await everything<OwnField>('/api/core/fields?limit=200')
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  /** Kinds of records that take fields: those people make themselves. */
  get #resources(): readonly ResourceMeta[] {
    return (shell()?.resources ?? []).filter(({ id, may }) => may.create && id !== 'core.field')
  }

  get #resource(): ResourceMeta | undefined {
    return this.#resources.find(({ id }) => id === this.record) ?? this.#resources[0]
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.fields'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      actions: html`<button class="button primary" @click=${() => this.#edit('new')}>
        ${icon('plus')}${t('shell.fields.new')}
      </button>`,
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    const resource = this.#resource
    if (!this.fields || !resource) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    const own = this.fields.filter((it) => it.resource === resource.id)
    const builtIn = resource.fields.filter((it) => !it.own)
    return html`
      <p class="lead">${t('shell.fields.lead')}</p>
      <div class="field of">
        <label class="label" for="of">${t('shell.fields.of')}</label>
        <select class="input" id="of" @change=${this.#choose}>
          ${this.#resources.map(
            ({ id, name }) => html`<option value=${id} ?selected=${id === resource.id}>${name.many}</option>`,
          )}
        </select>
      </div>
      <h2>${t('shell.fields.own')}</h2>
      ${
        own.length === 0
          ? html`<socle-empty
              icon="list-plus"
              heading=${t('shell.fields.none')}
              text=${t('shell.fields.noneText')}
            ></socle-empty>`
          : html`<ul class="rows">
              ${own.map((field, at) => this.#row(field, at, own))}
            </ul>`
      }
      <h2>${t('shell.fields.builtIn')}</h2>
      <ul class="rows">
        ${builtIn.map(
          (field) =>
            html`<li>
              <span class="grow">
                <span class="name">${field.label}</span>
                <span class="meta">${field.name} · ${typeName(field.type)}</span>
              </span>
            </li>`,
        )}
      </ul>
      ${
        this.editing
          ? html`<shell-field-dialog
              .resource=${resource}
              .field=${this.editing === 'new' ? undefined : this.editing}
              @field-saved=${() => void this.#load()}
              @field-closed=${() => (this.editing = undefined)}
            ></shell-field-dialog>`
          : nothing
      }
    `
  }

  #row(field: OwnField, at: number, own: readonly OwnField[]) {
    const label = labelOf(field)
    return html`<li>
      <span class="grow">
        <span class="name">${label}</span>
        <span class="meta"
          >${field.name} · ${typeName(field.type)}${field.formula === null ? '' : ` = ${field.formula}`}</span
        >
      </span>
      <span class="pills">
        ${field.archived ? pill(t('shell.fields.archived'), 'neutral') : nothing}
        ${field.required ? pill(t('shell.fields.required'), 'neutral') : nothing}
        ${
          field.indexState === null
            ? nothing
            : pill(
                t(`shell.fields.index.${field.indexFault === 'doubled' ? 'doubled' : field.indexState}`),
                tones[field.indexState],
              )
        }
      </span>
      <button
        class="icon-button"
        ?disabled=${at === 0}
        aria-label=${t('shell.records.columns.up', { field: label })}
        @click=${() => void this.#move(own, at, -1)}
      >
        ${icon('arrow-up')}
      </button>
      <button
        class="icon-button"
        ?disabled=${at === own.length - 1}
        aria-label=${t('shell.records.columns.down', { field: label })}
        @click=${() => void this.#move(own, at, 1)}
      >
        ${icon('arrow-down')}
      </button>
      <button
        class="button small"
        aria-label=${t('shell.fields.editOne', { name: label })}
        @click=${() => this.#edit(field)}
      >
        ${t('shell.edit')}
      </button>
    </li>`
  }

  /** Fields stand in forms and records in this order. */
  async #move(own: readonly OwnField[], at: number, by: number): Promise<void> {
    const order = [...own]
    order.splice(at + by, 0, ...order.splice(at, 1))
    const update = order.flatMap(({ id, version, position }, place) =>
      position === place ? [] : [{ id, version, position: place }],
    )
    try {
      await api.post('/api/core/fields/bulk', { update, atomic: true })
    } catch (problem) {
      tellProblem(problem)
    }
    await this.#load()
  }

  #edit(field: OwnField | 'new'): void {
    this.editing = field
  }

  readonly #choose = (event: Event): void => {
    this.record = (event.target as HTMLSelectElement).value
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      h2 {
        margin-block: 24px 8px;
        font: var(--socle-heading);
      }
      .of {
        max-inline-size: 320px;
      }
    `,
  ]
}

define('shell-fields', ShellFields)
