import { KitElement, api, controls, shell, t, toast } from '@socle/sdk/ui'
import type { FieldType, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

interface Choice {
  readonly value: string
  readonly label?: { readonly en: string; readonly fr: string }
}

/** A field's definition, as `/api/core/fields` answers it. */
export interface OwnField {
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
  readonly position: number
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
const limited: ReadonlySet<FieldType> = new Set(['text', 'long', 'rich', 'email', 'phone', 'url'])
const choosing: ReadonlySet<FieldType> = new Set(['select', 'multi-select'])
const unindexed: ReadonlySet<FieldType> = new Set(['long', 'rich', 'multi-select', 'address'])

/**
 * Defines a field of one kind of records, or changes one that is there.
 *
 * @fires field-saved - `detail.name`: it is defined, changed, archived or brought back
 * @fires field-closed
 */
export class ShellFieldDialog extends KitElement {
  static override properties = {
    resource: { attribute: false },
    field: { attribute: false },
    type: { state: true },
    fault: { state: true },
  }
  declare resource: ResourceMeta
  /** The field to change; a new one without. */
  declare field: OwnField | undefined
  declare private type: FieldType
  declare private fault: string | undefined
  /** What the label in the reader's language proposes as name, until another is typed. */
  #proposed = ''

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('field') || !this.hasUpdated) this.type = this.field?.type ?? 'text'
  }

  override render() {
    const { field, resource, type } = this
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
      @socle-close=${() => this.tell('field-closed')}
    >
      <form class="form" id="form" @submit=${this.#save} @input=${this.#proposeName}>
        ${problemLine(this.fault)} ${inOwnLanguageFirst('label').map((name) => text(name, { required: true }))}
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
        ${type === 'money' ? this.#currency() : nothing}
        ${limited.has(type) ? text('maxLength', { mode: 'numeric', help: t('shell.fields.maxLengthHelp') }) : nothing}
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
        ${inOwnLanguageFirst('help').map((name) => text(name))}
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

  /** Of a computed amount too: it is in the currency that another field says. */
  #currency() {
    const chosen = this.field?.['currency'] ?? ''
    const fields = this.resource.fields.filter(({ type, name }) => type === 'text' && name !== this.field?.name)
    return html`<div class="field">
      <label class="label" for="currency">${t('shell.fields.currency')}</label>
      <select class="input" id="currency" name="currency" aria-describedby="currency-help">
        <option value="" .selected=${chosen === ''}>
          ${t('shell.fields.currencyOwn', { currency: shell()?.workspace.baseCurrency ?? '' })}
        </option>
        ${fields.map(({ name, label }) => html`<option value=${name} .selected=${name === chosen}>${label}</option>`)}
      </select>
      <p class="meta" id="currency-help">${t('shell.fields.currencyHelp')}</p>
    </div>`
  }

  readonly #proposeName = ({ target, currentTarget }: Event): void => {
    if (!(target instanceof HTMLInputElement) || target.name !== inOwnLanguageFirst('label')[0]) return
    const name = (currentTarget as HTMLFormElement).querySelector<HTMLInputElement>('#name')
    if (name?.value !== this.#proposed) return
    name.value = this.#proposed = nameFrom(target.value)
  }

  readonly #typeChosen = (event: Event): void => {
    this.type = (event.target as HTMLSelectElement).value as FieldType
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { field } = this
    const body = bodyOf(event.target as HTMLFormElement)
    try {
      if (field) {
        const { resource: _, ...changes } = body
        await api.patch(`/api/core/fields/${field.id}`, { ...changes, version: field.version })
      } else await api.post('/api/core/fields', body)
      toast({ text: t('shell.fields.saved', { name: labelOf(body as unknown as OwnField) }), tone: 'success' })
      this.#done(field?.name ?? String(body['name']))
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  #done(name: string): void {
    this.tell('field-saved', { name })
    this.tell('field-closed')
  }

  async #archive(field: OwnField): Promise<void> {
    try {
      await api.patch(`/api/core/fields/${field.id}`, { version: field.version, archived: !field.archived })
      this.#done(field.name)
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .toggle {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
      }
    `,
  ]
}

/** `Visited on (last)` as `visitedOnLast`: what filters and programs can write. */
export function nameFrom(label: string): string {
  const plain = label.normalize('NFKD').replace(/\p{M}|['’]/gu, '')
  const [first = '', ...others] = plain.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const name = [first[0]?.toLowerCase() + first.slice(1), ...others.map((it) => it[0]!.toUpperCase() + it.slice(1))]
  return first ? name.join('').replace(/^\d+/, '') : ''
}

/** What the form says, in the form of the API: an empty line is no value. */
function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const [name, value] of new FormData(form)) body[name] = String(value).trim() || null
  for (const box of form.querySelectorAll<HTMLInputElement>('input[type=checkbox]')) body[box.name] = box.checked
  for (const name of ['scale', 'maxLength']) if (typeof body[name] === 'string') body[name] = Number(body[name])
  if (typeof body['options'] === 'string')
    body['options'] = body['options'].split(/\r?\n/).filter(Boolean).map(readChoice)
  return body
}

/** Both languages are asked; the one whoever fills the form in reads comes first. */
function inOwnLanguageFirst<Name extends string>(name: Name): readonly `${Name}${'En' | 'Fr'}`[] {
  return shell()?.user.locale === 'fr' ? [`${name}Fr`, `${name}En`] : [`${name}En`, `${name}Fr`]
}

function readChoice(line: string): Choice {
  const [value = '', en = '', fr = ''] = line.split('|').map((part) => part.trim())
  return en || fr ? { value, label: { en: en || fr, fr: fr || en } } : { value }
}

function writtenChoice({ value, label }: Choice): string {
  return label ? `${value} | ${label.en} | ${label.fr}` : value
}

export function labelOf(field: Pick<OwnField, 'labelEn' | 'labelFr'>): string {
  return shell()?.user.locale === 'fr' ? field.labelFr : field.labelEn
}

export function typeName(type: FieldType): string {
  return t(`shell.fields.type.${type}`)
}
