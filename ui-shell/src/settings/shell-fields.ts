import { KitElement, api, controls, icon, live, pill, shell, t, toast } from '@socle/sdk/ui'
import type { FieldType, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface Choice {
  readonly value: string
  readonly label?: { readonly en: string; readonly fr: string }
}

/** A field's definition, as `/api/core/fields` answers it. */
interface OwnField {
  readonly id: string
  readonly version: number
  readonly resource: string
  readonly name: string
  readonly type: FieldType
  readonly labelEn: string
  readonly labelFr: string
  readonly options: readonly Choice[] | null
  readonly required: boolean
  readonly unique: boolean
  readonly indexed: boolean
  readonly archived: boolean
  readonly formula: string | null
  readonly indexState: 'building' | 'ready' | 'failed' | null
  readonly indexFault: 'doubled' | 'refused' | null
  readonly [property: string]: unknown
}

const types = [
  ...['text', 'long', 'rich', 'integer', 'decimal', 'money', 'percent', 'boolean', 'date', 'instant', 'duration'],
  ...['select', 'multi-select', 'email', 'phone', 'url', 'user', 'reference', 'address', 'auto-number'],
] as readonly FieldType[]

const computed: ReadonlySet<FieldType> = new Set([
  ...(['text', 'integer', 'decimal', 'money', 'percent', 'duration', 'boolean', 'date'] as const),
])
const decimals: ReadonlySet<FieldType> = new Set(['decimal', 'money', 'percent'])
const bounded: ReadonlySet<FieldType> = new Set(['integer', 'decimal', 'money', 'percent', 'duration'])
const choosing: ReadonlySet<FieldType> = new Set(['select', 'multi-select'])
const unindexed: ReadonlySet<FieldType> = new Set(['long', 'rich', 'multi-select', 'address'])
const tones = { building: 'info', ready: 'success', failed: 'danger' } as const

/** The fields a workspace gives its records, beside those they have. */
export class ShellFields extends KitElement {
  static override properties = {
    record: {},
    fields: { state: true },
    problem: { state: true },
    editing: { state: true },
    type: { state: true },
    fault: { state: true },
  }
  /** Id of the resource whose fields are shown. */
  declare record: string | undefined
  declare fields: readonly OwnField[] | undefined
  declare problem: string | undefined
  declare editing: OwnField | 'new' | undefined
  declare type: FieldType
  declare fault: string | undefined

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
    if (this.problem) return html`<p class="problem" role="alert">${icon('circle-alert')}${this.problem}</p>`
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
              ${own.map((field) => this.#row(field))}
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
      ${this.editing ? this.#form(resource, this.editing === 'new' ? undefined : this.editing) : nothing}
    `
  }

  #row(field: OwnField) {
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
        class="button small"
        aria-label=${t('shell.fields.editOne', { name: label })}
        @click=${() => this.#edit(field)}
      >
        ${t('shell.edit')}
      </button>
    </li>`
  }

  #form(resource: ResourceMeta, field: OwnField | undefined) {
    const { type } = this
    const isComputed = field ? field.formula !== null : computed.has(type)
    const text = (name: string, more: { required?: boolean; help?: string; mode?: string } = {}) => {
      const value = field?.[name]
      return html`<div class="field">
        <label class="label" for=${name}>${t(`shell.fields.${name}`)}</label>
        <input
          class="input"
          id=${name}
          name=${name}
          inputmode=${more.mode ?? nothing}
          autocomplete="off"
          ?required=${more.required}
          aria-describedby=${more.help ? `${name}-help` : nothing}
          .value=${value === null || value === undefined ? '' : String(value)}
        />
        ${more.help ? html`<p class="meta" id="${name}-help">${more.help}</p>` : nothing}
      </div>`
    }
    const check = (name: 'required' | 'unique' | 'indexed') =>
      html`<label class="toggle"
        ><input type="checkbox" name=${name} .checked=${field?.[name] === true} />${t(`shell.fields.${name}`)}</label
      >`
    return html`<socle-dialog
      open
      .heading=${field ? t('shell.fields.editOne', { name: labelOf(field) }) : t('shell.fields.new')}
      @socle-close=${() => (this.editing = undefined)}
    >
      <form class="form" id="form" @submit=${this.#save}>
        ${this.fault ? html`<p class="problem" role="alert">${icon('circle-alert')}${this.fault}</p>` : nothing}
        ${text('labelEn', { required: true })} ${text('labelFr', { required: true })}
        ${
          field
            ? nothing
            : html`${text('name', { required: true })}
                <div class="field">
                  <label class="label" for="type">${t('shell.fields.type')}</label>
                  <select class="input" id="type" name="type" @change=${this.#typeChosen}>
                    ${types.map((it) => html`<option value=${it} ?selected=${it === type}>${typeName(it)}</option>`)}
                  </select>
                </div>`
        }
        ${
          choosing.has(type)
            ? html`<div class="field">
                <label class="label" for="options">${t('shell.fields.options')}</label>
                <textarea
                  class="input"
                  id="options"
                  name="options"
                  rows="4"
                  required
                  aria-describedby="options-help"
                  .value=${(field?.options ?? []).map(writtenChoice).join('\n')}
                ></textarea>
                <p class="meta" id="options-help">${t('shell.fields.optionsHelp')}</p>
              </div>`
            : nothing
        }
        ${
          type === 'reference' && !field
            ? html`<div class="field">
                <label class="label" for="target">${t('shell.fields.target')}</label>
                <select class="input" id="target" name="target">
                  ${(shell()?.resources ?? []).map(({ id, name }) => html`<option value=${id}>${name.many}</option>`)}
                </select>
              </div>`
            : nothing
        }
        ${type === 'auto-number' && !field ? text('prefix', { required: true }) : nothing}
        ${decimals.has(type) ? text('scale', { mode: 'numeric' }) : nothing}
        ${bounded.has(type) ? html`${text('min', { mode: 'decimal' })} ${text('max', { mode: 'decimal' })}` : nothing}
        ${isComputed ? text('formula', { help: t('shell.fields.formulaHelp') }) : nothing}
        ${
          type === 'auto-number' || field?.formula
            ? nothing
            : html`${text('initial')} ${text('requiredIf', { help: t('shell.fields.conditionHelp') })}
              ${text('shownIf', { help: t('shell.fields.conditionHelp') })} ${check('required')}
              ${unindexed.has(type) ? nothing : html`${check('unique')} ${check('indexed')}`}`
        }
        ${text('helpEn')} ${text('helpFr')}
        <input type="hidden" name="resource" .value=${field?.resource ?? resource.id} />
      </form>
      ${
        field
          ? html`<button slot="actions" class="button" @click=${() => void this.#archive(field)}>
              ${t(field.archived ? 'shell.fields.restore' : 'shell.fields.archive')}
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
    </socle-dialog>`
  }

  #edit(field: OwnField | 'new'): void {
    this.fault = undefined
    this.type = field === 'new' ? 'text' : field.type
    this.editing = field
  }

  readonly #choose = (event: Event): void => {
    this.record = (event.target as HTMLSelectElement).value
  }

  readonly #typeChosen = (event: Event): void => {
    this.type = (event.target as HTMLSelectElement).value as FieldType
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const field = this.editing === 'new' ? undefined : this.editing
    const body = bodyOf(event.target as HTMLFormElement)
    try {
      if (field) {
        const { resource: _, ...changes } = body
        await api.patch(`/api/core/fields/${field.id}`, { ...changes, version: field.version })
      } else await api.post('/api/core/fields', body)
      this.editing = undefined
      toast({ text: t('shell.fields.saved', { name: labelOf(body as unknown as OwnField) }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  async #archive(field: OwnField): Promise<void> {
    this.editing = undefined
    try {
      await api.patch(`/api/core/fields/${field.id}`, { version: field.version, archived: !field.archived })
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
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
      .toggle {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
      }
      @media (max-width: 600px) {
        .rows > li {
          flex-wrap: wrap;
        }
      }
    `,
  ]
}

/** What the form says, in the form of the API: an empty line is no value. */
function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const [name, value] of new FormData(form)) body[name] = String(value).trim() || null
  for (const box of form.querySelectorAll<HTMLInputElement>('input[type=checkbox]')) body[box.name] = box.checked
  if (typeof body['scale'] === 'string') body['scale'] = Number(body['scale'])
  if (typeof body['options'] === 'string')
    body['options'] = body['options'].split(/\r?\n/).filter(Boolean).map(readChoice)
  return body
}

function readChoice(line: string): Choice {
  const [value = '', en = '', fr = ''] = line.split('|').map((part) => part.trim())
  return en || fr ? { value, label: { en: en || fr, fr: fr || en } } : { value }
}

function writtenChoice({ value, label }: Choice): string {
  return label ? `${value} | ${label.en} | ${label.fr}` : value
}

function labelOf(field: Pick<OwnField, 'labelEn' | 'labelFr'>): string {
  return shell()?.user.locale === 'fr' ? field.labelFr : field.labelEn
}

function typeName(type: FieldType): string {
  return t(`shell.fields.type.${type}`)
}

define('shell-fields', ShellFields)
