import { announce, controls, icon, KitElement, may, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta, SocleField } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { asked, isShown } from './field-conditions.ts'
import { faultOf } from './record-change.ts'
import { changeFilling } from './record-move.ts'
import { byModule } from './resources.ts'
import { fittingField } from './stages.ts'

/**
 * The fields of one record, changed where they stand: Enter saves, Tab saves and goes on, Esc restores.
 *
 * @fires record-changed - the record after a write
 */
export class ShellRecordDetails extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    included: { attribute: false },
    fields: { attribute: false },
    editing: { state: true },
    fault: { state: true },
    saving: { state: true },
    told: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      dl {
        display: grid;
        gap: 2px;
      }
      h3 {
        margin-block: 16px 4px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 600;
      }
      .row {
        position: relative;
        display: grid;
        grid-template-columns: minmax(96px, 0.38fr) minmax(0, 0.62fr);
        align-items: start;
        gap: 8px;
        min-block-size: 28px;
      }
      /* Text of several lines takes the whole width. */
      .row.wide {
        grid-template-columns: minmax(0, 1fr);
        gap: 0;
      }
      .row.wide dd {
        padding-inline-start: 0;
      }
      dt {
        padding: 4px 0;
        color: var(--socle-text-2);
        font: var(--socle-small);
        overflow-wrap: anywhere;
      }
      dd {
        position: relative;
        min-inline-size: 0;
        margin: 0;
        padding: 4px 28px 4px 8px;
        border-radius: 6px;
        font: var(--socle-small);
        overflow-wrap: anywhere;
      }
      socle-value {
        font: inherit;
      }
      dd.may:hover {
        background: var(--socle-page);
        cursor: text;
      }
      dd.editing {
        padding: 0;
        background: none;
        outline: 2px solid var(--socle-accent);
        outline-offset: -1px;
        background: var(--socle-surface);
      }
      dd.editing.wrong {
        outline-color: var(--socle-danger);
      }
      dd.editing socle-field {
        display: block;
        min-block-size: 28px;
      }
      .edit {
        position: absolute;
        inset-block-start: 2px;
        inset-inline-end: 2px;
        inline-size: 24px;
        min-block-size: 24px;
        opacity: 0;
      }
      .edit .icon {
        inline-size: 14px;
        block-size: 14px;
      }
      .unmask,
      dd:hover .edit,
      .edit:focus-visible {
        opacity: 1;
      }
      .add {
        border: 0;
        padding: 0;
        background: none;
        color: var(--socle-text-3);
        font: inherit;
        cursor: text;
      }
      .add:hover {
        color: var(--socle-text-2);
      }
      .none {
        color: var(--socle-text-3);
      }
      .fault {
        grid-column: 2;
        margin-block-end: 4px;
      }
      @media (pointer: coarse) {
        .row {
          min-block-size: 44px;
          align-items: center;
        }
        .edit {
          opacity: 0.7;
          inline-size: 44px;
          min-block-size: 44px;
          inset-block-start: -8px;
          inset-inline-end: -8px;
        }
        .add {
          min-block-size: 36px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare record: RecordJson
  declare included: Included
  declare fields: readonly FieldMeta[]
  declare private editing: string | undefined
  declare private fault: string | undefined
  declare private saving: string | undefined
  /** Values of masked fields that were asked for; they go with the record. */
  declare private told: Readonly<Record<string, unknown>>
  /** The record as it stood when the edit began: what others save meanwhile must not pass for seen. */
  #base: RecordJson | undefined

  constructor() {
    super()
    this.included = {}
    this.fields = []
    this.told = {}
  }

  override willUpdate(changed: PropertyValues): void {
    const before = changed.get('record') as RecordJson | undefined
    if (!before || before.id === this.record.id) return
    this.editing = undefined
    this.fault = undefined
    this.told = {}
  }

  /** Opens the editor of the first field, as `e` does. */
  edit(name?: string): void {
    const field = this.#shown.find((it) => this.#mayEdit(it) && (!name || it.name === name))
    if (field) this.#start(field)
  }

  override render() {
    return byModule(this.#shown).map(
      ([module, fields]) =>
        html`${module ? html`<h3>${module}</h3>` : nothing}
          <dl>${fields.map((field) => this.#row(field))}</dl>`,
    )
  }

  /** In the order they stand on the page: what modules keep beside the record comes after its own. */
  get #shown(): readonly FieldMeta[] {
    const shown = this.fields.filter((it) => it.name === this.editing || isShown(it, this.record))
    return byModule(shown).flatMap(([, fields]) => fields)
  }

  #row(field: FieldMeta) {
    const isEditing = this.editing === field.name
    return html`<div class="row ${field.type === 'rich' ? 'wide' : ''}">
      <dt id=${`label-${field.name}`}>${field.label}</dt>
      ${isEditing ? this.#editor(field) : this.#value(field)}
      ${isEditing && this.fault ? html`<p class="error fault" role="alert">${this.fault}</p>` : nothing}
    </div>`
  }

  #value(field: FieldMeta) {
    const value = this.record[field.name]
    const isEmpty = value === null || value === undefined || value === ''
    const mayEdit = this.#mayEdit(field)
    if (field.masked) return this.#masked(field)
    if (isEmpty) {
      return html`<dd class=${mayEdit ? 'may' : ''} @click=${mayEdit ? () => this.#start(field) : undefined}>
        ${
          mayEdit
            ? html`<button class="add" aria-label=${t('shell.records.details.add', { field: field.label })}>
                ${t('shell.records.details.addShort')}
              </button>`
            : html`<span class="none">–</span>`
        }
      </dd>`
    }
    return html`<dd
      class=${mayEdit ? 'may' : ''}
      @click=${mayEdit ? (event: Event) => this.#clicked(event, field) : undefined}
    >
      <socle-value
        digits="full"
        .field=${field}
        .value=${value}
        .record=${this.record}
        .included=${this.included}
      ></socle-value>
      ${
        mayEdit
          ? html`<button
              class="icon-button edit"
              aria-label=${t('shell.records.details.edit', { field: field.label })}
              @click=${() => this.#start(field)}
            >
              ${icon('pencil')}
            </button>`
          : nothing
      }
    </dd>`
  }

  #masked(field: FieldMeta) {
    const isTold = field.name in this.told
    const { masked: _, ...open } = field
    return html`<dd>
      <socle-value
        digits="full"
        .field=${isTold ? open : field}
        .value=${isTold ? this.told[field.name] : this.record[field.name]}
        .record=${this.record}
      ></socle-value>
      ${
        !isTold && may('core.pii.unmask')
          ? html`<button
              class="icon-button edit unmask"
              aria-label=${t('shell.records.unmask.show', { field: field.label })}
              title=${t('shell.records.unmask.show', { field: field.label })}
              @click=${() => void this.#unmask(field)}
            >
              ${icon('eye')}
            </button>`
          : nothing
      }
    </dd>`
  }

  async #unmask(field: FieldMeta): Promise<void> {
    const { askUnmask } = await import('./shell-unmask-dialog.ts')
    const { id } = this.record
    const told = await askUnmask({ meta: this.meta, id, field })
    if (told && id === this.record.id) {
      this.told = { ...this.told, [field.name]: told.value }
      announce(t('shell.records.unmask.told', { field: field.label }))
    }
    this.#focusValue(field)
  }

  #editor(field: FieldMeta) {
    return html`<dd class="editing ${this.fault ? 'wrong' : ''}">
      <socle-field
        inline
        .field=${fittingField(this.meta, asked(field, this.record), this.record, () => this.requestUpdate())}
        .value=${this.record[field.name]}
        .record=${this.record}
        .included=${this.included}
        .error=${this.fault ?? ''}
        ?disabled=${this.saving === field.name}
        @socle-commit=${(event: CustomEvent<{ value: unknown; key?: string }>) => void this.#commit(field, event.detail)}
        @socle-cancel=${(event: Event) => this.#cancel(event, field)}
      ></socle-field>
    </dd>`
  }

  #mayEdit(field: FieldMeta): boolean {
    return this.meta.may.update && field.writable && field.type !== 'json'
  }

  // A link inside the value goes where it says; the rest of the cell opens the editor.
  #clicked(event: Event, field: FieldMeta): void {
    if (event.composedPath().some((it) => it instanceof HTMLAnchorElement)) return
    if (String(window.getSelection()).length > 0) return
    this.#start(field)
  }

  #start(field: FieldMeta): void {
    if (this.editing === field.name) return
    this.editing = field.name
    this.fault = undefined
    this.#base = this.record
    void this.updateComplete.then(() => this.renderRoot.querySelector<SocleField>('socle-field')?.focus())
  }

  #cancel(event: Event, field: FieldMeta): void {
    event.stopPropagation()
    this.editing = undefined
    this.fault = undefined
    this.#focusValue(field)
  }

  async #commit(field: FieldMeta, { value, key }: { value: unknown; key?: string }): Promise<void> {
    if (this.editing !== field.name || this.saving) return
    const next = value === '' ? null : value
    const base = this.#base ?? this.record
    if (next === (base[field.name] ?? null)) {
      this.#leave(field, key)
      return
    }
    this.saving = field.name
    this.fault = undefined
    try {
      const saved = await changeFilling(this.meta, base, { [field.name]: next }, { included: this.included })
      if (saved) {
        this.record = saved
        this.tell('record-changed', saved)
      }
      this.#leave(field, key)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.fault = faultOf(error, field) ?? error.detail
      void this.updateComplete.then(() => this.renderRoot.querySelector<SocleField>('socle-field')?.focus())
    } finally {
      this.saving = undefined
    }
  }

  #leave(field: FieldMeta, key: string | undefined): void {
    if (this.editing !== field.name) return
    this.editing = undefined
    const editable = this.#shown.filter((it) => this.#mayEdit(it))
    const next = key === 'Tab' ? editable[editable.indexOf(field) + 1] : undefined
    if (next) this.#start(next)
    else if (key) this.#focusValue(field)
  }

  #focusValue(field: FieldMeta): void {
    void this.updateComplete.then(() => {
      const row = [...this.renderRoot.querySelectorAll('.row')][this.#shown.indexOf(field)]
      row?.querySelector<HTMLElement>('.edit, .add')?.focus()
    })
  }
}
