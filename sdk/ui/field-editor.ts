import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { live } from 'lit/directives/live.js'
import { controls } from './controls.ts'
import { editText, readText, restText } from './field-text.ts'
import { addressParts, choicesOf, currencyOf, format } from './format.ts'
import { KitElement } from './kit-element.ts'
import type { Picker } from './picker.ts'
import { locale } from './session.ts'
import { icon } from './templates.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'
import { t } from './words.ts'

const pickers: Partial<Record<FieldMeta['type'], 'reference' | 'date'>> = {
  reference: 'reference',
  user: 'reference',
  team: 'reference',
  date: 'date',
}
const inputModes: Partial<Record<FieldMeta['type'], string>> = {
  integer: 'numeric',
  decimal: 'decimal',
  money: 'decimal',
  percent: 'decimal',
  email: 'email',
  phone: 'tel',
  url: 'url',
}
const numeric = new Set<FieldMeta['type']>(['integer', 'decimal', 'money', 'percent'])
const grouped = new Set<FieldMeta['type']>(['multi-select', 'address'])
const quietUntil = 0.8

/** The body of `socle-field`. */
export class FieldEditor extends KitElement {
  static override shadowRootOptions = { ...KitElement.shadowRootOptions, delegatesFocus: true }
  static override properties = {
    field: { attribute: false },
    value: { attribute: false },
    error: { type: String },
    record: { attribute: false },
    included: { attribute: false },
    inline: { type: Boolean, reflect: true },
    disabled: { type: Boolean },
    why: { type: String },
    typed: { type: String },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }

      .field {
        display: grid;
        gap: 4px;
      }

      .frame {
        position: relative;
        min-inline-size: 0;
      }

      .number {
        text-align: start;
      }

      .unit {
        position: absolute;
        inset: 0 10px 0 auto;
        display: flex;
        align-items: center;
        color: var(--socle-text-3);
        pointer-events: none;
      }

      .error,
      .help {
        display: flex;
        gap: 4px;
        align-items: flex-start;
        overflow-wrap: anywhere;
      }

      .error .icon {
        inline-size: 12px;
        block-size: 12px;
        margin-block-start: 2px;
      }

      .check {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        cursor: pointer;
      }

      .group {
        display: grid;
        gap: 4px;
      }

      :host([inline]) .group {
        position: absolute;
        z-index: 10;
        min-inline-size: 100%;
        padding: 4px 8px;
        background: var(--socle-surface);
        border-radius: 4px;
        box-shadow: var(--socle-shadow);
      }

      .json {
        font-family: ui-monospace, monospace;
        font-size: 12px;
      }

      vaadin-combo-box,
      vaadin-date-picker {
        display: inline-grid;
        inline-size: 100%;
        min-inline-size: 0;
        vertical-align: top;
        --vaadin-input-field-height: var(--socle-control-height);
        --vaadin-input-field-error-color: var(--socle-danger);
        --vaadin-icon-size: 16px;
      }

      vaadin-date-picker {
        max-inline-size: 200px;
      }

      vaadin-combo-box::part(input-field),
      vaadin-date-picker::part(input-field) {
        min-block-size: var(--socle-control-height);
      }

      vaadin-combo-box::part(label),
      vaadin-combo-box::part(helper-text),
      vaadin-combo-box::part(error-message),
      vaadin-date-picker::part(label),
      vaadin-date-picker::part(helper-text),
      vaadin-date-picker::part(error-message) {
        display: none;
      }

      /* The frame shows the focus; the library's line to align labels on is in our way. */
      vaadin-combo-box input:focus-visible,
      vaadin-date-picker input:focus-visible {
        outline: none;
      }

      vaadin-combo-box::before,
      vaadin-date-picker::before {
        content: none;
      }

      vaadin-date-picker-overlay-content {
        font: var(--socle-small);
      }

      .loading {
        min-block-size: var(--socle-control-height);
        padding: 5px 9px;
        color: var(--socle-text-2);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius);
      }

      /* In a cell the control is the cell. */

      :host([inline]) .field {
        display: block;
      }

      :host([inline]) .frame {
        block-size: calc(var(--socle-row) - 1px);
        background: var(--socle-surface);
        border-radius: 4px;
        outline: 2px solid var(--socle-accent);
        outline-offset: -2px;
      }

      :host([inline]) .frame.invalid {
        outline-color: var(--socle-danger);
      }

      :host([inline]) .input,
      :host([inline]) .loading,
      :host([inline]) .check {
        block-size: calc(var(--socle-row) - 1px);
        min-block-size: 0;
        padding: 0 12px;
        font: var(--socle-small);
        color: var(--socle-text);
        background-color: transparent;
        border: 0;
        outline: none;
      }

      :host([inline]) textarea.input {
        block-size: auto;
        min-block-size: calc(var(--socle-row) * 2);
        max-block-size: 240px;
        padding: 8px 12px;
        background-color: var(--socle-surface);
        border-radius: 4px;
        box-shadow: var(--socle-shadow);
      }

      /* In flow where there is room for it; a cell lays it over the rows below. */
      :host([inline]) .frame:has(.rich) {
        block-size: auto;
        min-block-size: calc(var(--socle-row) - 1px);
        outline: none;
      }

      :host([inline]) .rich {
        position: var(--socle-wide-position, static);
        inset-block-start: 0;
        inset-inline-start: 0;
        z-index: 10;
        inline-size: var(--socle-wide-size, 100%);
        border-radius: var(--socle-radius);
      }

      :host([inline]) .input.number {
        text-align: end;
      }

      :host([inline]) vaadin-combo-box,
      :host([inline]) vaadin-date-picker {
        min-inline-size: 150px;
        max-inline-size: none;
        --vaadin-input-field-border-width: 0;
        --vaadin-input-field-background: var(--socle-surface);
        --vaadin-input-field-value-font-size: 13px;
        --vaadin-input-field-padding: 0 8px 0 12px;
        --vaadin-focus-ring-width: 0px;
        --vaadin-item-height: 32px;
        --vaadin-combo-box-overlay-width: 260px;
      }

      :host([inline]) vaadin-combo-box::part(input-field),
      :host([inline]) vaadin-date-picker::part(input-field) {
        block-size: calc(var(--socle-row) - 1px);
        min-block-size: 0;
      }

      :host([inline]) .error {
        position: absolute;
        inset-block-start: calc(100% + 2px);
        inset-inline: var(--socle-error-start, 0) var(--socle-error-end, auto);
        z-index: 10;
        inline-size: max-content;
        max-inline-size: min(280px, 80vw);
        padding: 6px 10px;
        white-space: normal;
        background: var(--socle-danger-bg);
        border-radius: var(--socle-radius);
        box-shadow: var(--socle-shadow);
      }
    `,
  ]

  declare field: FieldMeta | undefined
  declare value: unknown
  declare error: string
  declare record: RecordJson | undefined
  declare included: Included | undefined
  declare inline: boolean
  declare disabled: boolean
  declare why: string
  declare typed: string | undefined

  /** What is typed, while it is; shown instead of the value. */
  #text: string | undefined
  /** What this element itself has to say; the owner's `error` wins. */
  #own = ''
  /** The value as last told, from which `socle-commit` knows whether there is something to say. */
  #told: unknown
  #picker: Picker | undefined
  #pickerKind: 'reference' | 'date' | undefined
  #isDone = false
  #isTouched = false
  /** Asked for the focus before its picker was there. */
  #wantsFocus = false

  constructor() {
    super()
    this.error = ''
    this.inline = false
    this.disabled = false
    this.why = ''
  }

  /** Reads what is typed now; false when it cannot be read or a required value is missing. */
  check(): boolean {
    const { field } = this
    if (!field) return true
    if (this.#text !== undefined) this.#read(this.#text)
    else this.#picker?.commit()
    const isMissing = field.required && field.type !== 'boolean' && isBlank(this.value)
    if (isMissing && !this.#own) this.#own = t('kit.field.required')
    this.requestUpdate()
    return !this.#own
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const { field } = this
    if (!field) return
    // A refusal opens the editor again.
    if (changed.has('error') && this.error) this.#isDone = false
    if (changed.has('value') && this.#own && !isBlank(this.value)) this.#own = ''
    if (changed.has('typed') && this.typed !== undefined && !this.#isTouched) this.#startTyping(field, this.typed)
    const kind = pickers[field.type]
    if (kind && kind !== this.#pickerKind) void this.#fetchPicker(kind, field)
    this.#updatePicker(field)
  }

  override firstUpdated(): void {
    this.#told = this.value
    if (this.inline) this.addEventListener('focusout', this.#left)
  }

  override render() {
    const { field } = this
    if (!field) return nothing
    const error = this.error || this.#own
    if (field.type === 'boolean') return this.#checkbox(field, error)
    const isNamedByLabel = !pickers[field.type] && !grouped.has(field.type) && field.type !== 'rich'
    return html`<div class="field">
      ${
        this.inline
          ? html`<span class="visually-hidden" id="label">${field.label}</span>`
          : html`<label
              class="label"
              id="label"
              for=${isNamedByLabel ? 'control' : nothing}
              @click=${this.#labelClicked}
              >${field.label}${field.required ? html`<span aria-hidden="true"> *</span>` : nothing}</label
            >`
      }
      <div class="frame ${error ? 'invalid' : ''}" @keydown=${this.#pressed}>
        ${this.#control(field, error)}${this.inline ? this.#errorLine(error) : nothing}
      </div>
      ${this.inline ? nothing : this.#below(field, error)}
    </div>`
  }

  override focus(options?: FocusOptions): void {
    const control = this.renderRoot.querySelector<HTMLElement>('#control')
    const target = this.#picker?.element ?? control
    // A picker that is still being fetched takes it when it is there.
    this.#wantsFocus = this.#pickerKind !== undefined && !this.#picker
    target?.focus(options)
    if (!this.inline) return
    if (control instanceof HTMLInputElement && control.type === 'text') this.#placeCaret(control)
    if (control instanceof HTMLSelectElement) {
      this.#choose(control)
      showChoices(control)
    }
    // Typing a letter has started it: the list opens by itself then.
    if (this.#pickerKind === 'reference' && this.typed === undefined) this.#picker?.open()
  }

  // ---- Controls

  #control(field: FieldMeta, error: string) {
    if (pickers[field.type]) {
      return this.#picker?.element ?? html`<div class="loading">${this.#waitingText(field)}</div>`
    }
    if (field.type === 'select') return this.#select(field, error)
    if (field.type === 'multi-select') return this.#choices(field, error)
    if (field.type === 'address') return this.#address(field)
    if (field.type === 'rich') return this.#rich(field, error)
    const isLong = field.type === 'long' || field.type === 'json'
    const text = this.#text ?? this.#restingText(field)
    const common = { invalid: error ? 'true' : nothing, described: this.#describedBy(field, error) }
    if (isLong) {
      return html`<textarea
        id="control"
        class="input ${field.type === 'json' ? 'json' : ''}"
        aria-labelledby=${this.inline ? nothing : 'label'}
        aria-label=${this.inline ? field.label : nothing}
        aria-describedby=${common.described}
        aria-invalid=${common.invalid}
        aria-required=${field.required}
        ?disabled=${this.disabled}
        title=${this.disabled ? this.why : nothing}
        .value=${live(text)}
        @input=${this.#inputChanged}
        @change=${this.#changed}
      ></textarea>`
    }
    return html`<input
        id="control"
        class="input ${numeric.has(field.type) ? 'number' : ''}"
        type="text"
        inputmode=${inputModes[field.type] ?? nothing}
        autocomplete="off"
        spellcheck=${field.type === 'text' ? nothing : 'false'}
        aria-labelledby=${this.inline ? nothing : 'label'}
        aria-label=${this.inline ? field.label : nothing}
        aria-describedby=${common.described}
        aria-invalid=${common.invalid}
        aria-required=${field.required}
        ?disabled=${this.disabled}
        title=${this.disabled ? this.why : nothing}
        .value=${live(text)}
        @focus=${this.#entered}
        @input=${this.#inputChanged}
        @change=${this.#changed}
        @blur=${this.#exited}
      />${this.#unit(field)}`
  }

  #rich(field: FieldMeta, error: string) {
    return html`<socle-editor
      id="control"
      class="rich"
      .value=${typeof this.value === 'string' ? this.value : null}
      .label=${field.label}
      .description=${error || field.help || ''}
      .required=${field.required}
      .invalid=${error !== ''}
      .disabled=${this.disabled}
      title=${this.disabled ? this.why : nothing}
      @socle-input=${this.#written}
      @focusout=${this.#leftText}
    ></socle-editor>`
  }

  #select(field: FieldMeta, error: string) {
    const isEmptyAllowed = !(field.required || field.filled) || isBlank(this.value)
    return html`<select
      id="control"
      class="input"
      aria-labelledby=${this.inline ? nothing : 'label'}
      aria-label=${this.inline ? field.label : nothing}
      aria-describedby=${this.#describedBy(field, error)}
      aria-invalid=${error ? 'true' : nothing}
      aria-required=${field.required}
      ?disabled=${this.disabled}
      title=${this.disabled ? this.why : nothing}
      @change=${this.#chosen}
    >
      ${
        isEmptyAllowed
          ? html`<option value="" ?selected=${isBlank(this.value)}>
              ${t(field.required ? 'kit.field.choose' : 'kit.field.none')}
            </option>`
          : nothing
      }
      ${field.options?.map(
        (it) => html`<option value=${it.value} ?selected=${it.value === this.value}>${it.label}</option>`,
      )}
    </select>`
  }

  #choices(field: FieldMeta, error: string) {
    const chosen = choicesOf(this.value)
    return html`<div
      class="group"
      role="group"
      aria-labelledby="label"
      aria-describedby=${this.#describedBy(field, error)}
    >
      ${field.options?.map(
        (it, index) =>
          html`<label class="check"
            ><input
              id=${index === 0 ? 'control' : nothing}
              type="checkbox"
              value=${it.value}
              ?disabled=${this.disabled}
              .checked=${live(chosen.includes(it.value))}
              @change=${this.#toggled}
            /><span class="small">${it.label}</span></label
          >`,
      )}
    </div>`
  }

  #address(field: FieldMeta) {
    const address = (this.value ?? {}) as Readonly<Record<string, string>>
    return html`<div class="group" role="group" aria-labelledby="label">
      ${addressParts.map(
        (part, index) =>
          html`<input
            id=${index === 0 ? 'control' : nothing}
            class="input"
            type="text"
            name=${part}
            maxlength=${part === 'country' ? 2 : 200}
            placeholder=${t(`kit.address.${part}`)}
            aria-label=${`${field.label}: ${t(`kit.address.${part}`)}`}
            ?disabled=${this.disabled}
            .value=${live(address[part] ?? '')}
            @change=${this.#addressed}
          />`,
      )}
    </div>`
  }

  #checkbox(field: FieldMeta, error: string) {
    return html`<div class="field">
      <div class="frame ${error ? 'invalid' : ''}" @keydown=${this.#pressed}>
        <label class="check"
          ><input
            id="control"
            type="checkbox"
            aria-describedby=${this.#describedBy(field, error)}
            ?disabled=${this.disabled}
            .checked=${live(this.value === true)}
            @change=${this.#ticked}
          /><span id="label" class=${this.inline ? 'visually-hidden' : 'small'}>${field.label}</span></label
        >
        ${this.inline ? this.#errorLine(error) : nothing}
      </div>
      ${this.inline ? nothing : this.#below(field, error)}
    </div>`
  }

  #unit(field: FieldMeta) {
    if (this.#text === undefined || this.inline) return nothing
    const unit = field.type === 'money' ? currencyOf(field, this.record) : field.type === 'percent' ? '%' : ''
    return unit ? html`<span class="unit meta" aria-hidden="true">${unit}</span>` : nothing
  }

  #below(field: FieldMeta, error: string) {
    return html`${this.#errorLine(error)}${
      field.help && !error ? html`<p class="help meta" id="help">${field.help}</p>` : nothing
    }${this.#remaining(field)}`
  }

  #errorLine(error: string) {
    return error ? html`<p class="error" id="error">${icon('circle-alert')}<span>${error}</span></p>` : nothing
  }

  #remaining(field: FieldMeta) {
    const length = (this.#text ?? '').length
    if (!field.maxLength || length < field.maxLength * quietUntil || length > field.maxLength) return nothing
    return html`<p class="meta" role="status">${t('kit.field.remaining', { count: field.maxLength - length })}</p>`
  }

  #describedBy(field: FieldMeta, error: string) {
    return error ? 'error' : field.help && !this.inline ? 'help' : nothing
  }

  /** A cell is edited in its plain writing from the first key on; a form shows the formatted value until it is entered. */
  #restingText(field: FieldMeta): string {
    return this.inline ? editText(field, this.value) : restText(field, this.value, this.record)
  }

  /** What the control will show, while it is fetched. */
  #waitingText(field: FieldMeta): string {
    return field.type === 'date'
      ? format.date(this.value as string | null, 'short')
      : format.value(field, this.value, this.record, this.included)
  }

  #startTyping(field: FieldMeta, typed: string): void {
    if (pickers[field.type] || !typeable(field.type)) return
    this.#text = typed
  }

  /** The letter that started the edit goes to the first choice it begins, as it would in an open list. */
  #choose(select: HTMLSelectElement): void {
    const { typed } = this
    if (!typed || this.#isTouched) return
    const letters = new Intl.Collator(locale(), { sensitivity: 'base' })
    const found = [...select.options].find(
      ({ value, text }) => value !== '' && letters.compare(text.trim().slice(0, typed.length), typed) === 0,
    )
    if (!found || found.selected) return
    found.selected = true
    this.#isTouched = true
    this.#tellInput(found.value)
  }

  #placeCaret(input: HTMLInputElement): void {
    if (this.typed !== undefined) input.setSelectionRange(input.value.length, input.value.length)
    else input.select()
  }

  // ---- What the user does

  readonly #labelClicked = (): void => {
    if (this.field?.type === 'rich') this.focus()
    else this.#picker?.element.focus()
  }

  readonly #entered = (): void => {
    if (!this.field || this.#text !== undefined) return
    this.#text = editText(this.field, this.value)
    this.requestUpdate()
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>('#control')?.select())
  }

  readonly #exited = (): void => {
    if (this.inline || this.#own || this.#text === undefined) return
    this.#text = undefined
    this.requestUpdate()
  }

  readonly #inputChanged = (event: Event): void => {
    const { field } = this
    if (!field) return
    this.#isTouched = true
    this.#text = (event.target as HTMLInputElement).value
    const reading = readText(field, this.#text, this.value)
    // While typing only good news is told; errors wait until the user is done.
    if (reading.error === undefined) {
      this.#own = ''
      this.#tellInput(reading.value)
    }
    this.requestUpdate()
  }

  readonly #changed = (): void => {
    if (this.#text === undefined || this.inline) return
    if (this.#read(this.#text)) this.#tellCommit('')
  }

  readonly #chosen = (event: Event): void => {
    this.#own = ''
    this.#tellInput((event.target as HTMLSelectElement).value || null)
    this.#tellCommit(this.inline ? 'Enter' : '')
  }

  readonly #toggled = (event: Event): void => {
    const { value, checked } = event.target as HTMLInputElement
    const others = choicesOf(this.value).filter((it) => it !== value)
    const chosen = checked ? [...others, value] : others
    this.#own = ''
    this.#tellInput(chosen.length > 0 ? chosen : null)
    if (!this.inline) this.#tellCommit('')
  }

  readonly #addressed = (event: Event): void => {
    const { name, value } = event.target as HTMLInputElement
    const parts = { ...(this.value as Readonly<Record<string, string>> | null), [name]: value.trim() }
    const written = Object.entries(parts).filter(([, text]) => text !== '')
    this.#tellInput(written.length > 0 ? Object.fromEntries(written) : null)
    if (!this.inline) this.#tellCommit('')
  }

  readonly #written = (event: CustomEvent<{ value: string | null }>): void => {
    event.stopPropagation()
    this.#own = ''
    this.#tellInput(event.detail.value)
  }

  readonly #leftText = (event: FocusEvent): void => {
    const editor = event.currentTarget as HTMLElement
    if (!this.inline && !editor.contains(event.relatedTarget as Node | null)) this.#tellCommit('')
  }

  readonly #ticked = (event: Event): void => {
    this.#tellInput((event.target as HTMLInputElement).checked)
    if (!this.inline) this.#tellCommit('')
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.isComposing || !this.inline) return
    if (event.key === 'Escape') return this.#escape(event)
    if ((event.key !== 'Enter' && event.key !== 'Tab') || this.#isForText(event)) {
      event.stopPropagation()
      return
    }
    // The list is open: Enter and Tab choose in it first, and the choice commits.
    if (this.#picker?.isOpen && event.key === 'Enter') return
    event.preventDefault()
    event.stopPropagation()
    if (this.#picker) this.#picker.commit()
    else if (this.#text !== undefined && !this.#read(this.#text)) return
    if (!this.#own) this.#tellCommit(event.key, event.shiftKey)
  }

  /** Enter and Tab that belong to the text being written: new lines, the steps of a list, the way to the tools. */
  #isForText(event: KeyboardEvent): boolean {
    if (this.field?.type === 'long') return event.key === 'Enter' && event.shiftKey
    return this.field?.type === 'rich' && !(event.key === 'Enter' && (event.ctrlKey || event.metaKey))
  }

  #escape(event: KeyboardEvent): void {
    if (this.#picker?.isOpen) return
    event.preventDefault()
    event.stopPropagation()
    this.#isDone = true
    this.tell('socle-cancel')
  }

  /** Leaving a cell saves it; what cannot be read stays open with its error. */
  readonly #left = (): void => {
    requestAnimationFrame(() => {
      if (this.#isDone || !this.isConnected || this.matches(':focus-within') || this.#picker?.isOpen) return
      if (!document.hasFocus()) return
      if (this.#text !== undefined && !this.#read(this.#text)) return
      if (!this.#own) this.#tellCommit('')
    })
  }

  #read(text: string): boolean {
    const { field } = this
    if (!field) return true
    const reading = readText(field, text, this.value)
    this.#own = reading.error ?? ''
    if (reading.error === undefined) {
      if (field.required && isBlank(reading.value)) this.#own = t('kit.field.required')
      else this.#tellInput(reading.value)
    }
    this.requestUpdate()
    return !this.#own
  }

  #tellInput(value: unknown): void {
    if (Object.is(value, this.value)) return
    this.value = value
    this.tell('socle-input', { value })
  }

  #tellCommit(key: string, back = false): void {
    if (this.#isDone) return
    if (this.inline) this.#isDone = true
    else if (Object.is(this.#told, this.value)) return
    this.#told = this.value
    this.tell('socle-commit', { value: this.value ?? null, key, back })
  }

  // ---- The library's controls, fetched when first needed

  async #fetchPicker(kind: 'reference' | 'date', field: FieldMeta): Promise<void> {
    this.#pickerKind = kind
    const make =
      kind === 'date'
        ? (await import('./date-picker.ts')).makeDatePicker
        : (await import('./reference-picker.ts')).makeReferencePicker
    if (this.#pickerKind !== kind) return
    this.#picker = make({
      field,
      included: this.included,
      inline: this.inline,
      labelId: 'label',
      changed: (value) => this.#picked(value),
      unreadable: (text) => this.#unreadable(text),
      failed: (error) => this.#failed(error),
    })
    const hadFocus = this.inline || this.#wantsFocus
    this.requestUpdate()
    await this.updateComplete
    this.#updatePicker(field)
    if (!hadFocus) return
    this.focus()
    if (this.typed !== undefined) this.#picker.type(this.typed)
  }

  #updatePicker(field: FieldMeta): void {
    const error = this.error || this.#own
    const describedBy = this.#describedBy(field, error)
    this.#picker?.setValue(isBlank(this.value) ? null : String(this.value), this.included)
    this.#picker?.setState({
      invalid: error !== '',
      disabled: this.disabled,
      required: field.required,
      describedBy: typeof describedBy === 'string' ? describedBy : '',
    })
  }

  #picked(value: string | null): void {
    this.#own = value === null && this.field?.required ? t('kit.field.required') : ''
    this.#tellInput(value)
    this.requestUpdate()
    if (this.#own) return
    if (!this.inline) this.#tellCommit('')
    else if (this.#pickerKind === 'reference') this.#tellCommit('Enter')
  }

  #unreadable(text: string): void {
    this.#own = t('kit.field.date', { value: text })
    this.requestUpdate()
  }

  #failed(error: unknown): void {
    this.#own = t('kit.field.loadFailed', { reason: error instanceof Error ? error.message : '' })
    this.requestUpdate()
  }
}

/** Whether a letter pressed on a cell begins its new text. */
function typeable(type: FieldMeta['type']): boolean {
  return type !== 'select' && type !== 'boolean' && type !== 'rich' && !grouped.has(type)
}

function isBlank(value: unknown): boolean {
  return value === null || value === undefined || value === ''
}

function showChoices(select: HTMLSelectElement): void {
  try {
    select.showPicker()
  } catch {
    // Only allowed right after a key or click; otherwise the user opens it.
  }
}
