import { controls, icon, KitElement, parse, records, resource, shell, t } from '@socle/sdk/ui'
import type { FieldMeta, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import type { Call, Condition, Operand, Operator, Period, Scalar } from './filter-text.ts'
import { filterFields, operatorLabel, operatorsFor } from './filter-words.ts'
import { fieldPath, includedTitle, pathLabel, pointsAtRecord, titleOf } from './resources.ts'
import { scopeOf } from './stages.ts'
import { rememberTitle, titleFor } from './titles.ts'

interface Choice {
  readonly value: Scalar | Call
  readonly label: string
  readonly note?: string | undefined
}

const units: readonly Period['unit'][] = ['days', 'weeks', 'months', 'quarters', 'years']
const directions: readonly Period['direction'][] = ['next', 'last', 'this']
const choicesShown = 20

/** Asks for one comparison: first the field, then how, then with what. Every valid answer acts at once. */
export class ShellFilterEditor extends KitElement {
  static override properties = {
    meta: { attribute: false },
    condition: { attribute: false },
    search: { state: true },
    choices: { state: true },
    draft: { state: true },
    refused: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        inline-size: 288px;
        max-inline-size: 100%;
        padding: 8px;
        font: var(--socle-small);
      }
      @media (max-width: 599.98px) {
        :host {
          inline-size: 100%;
          padding: 12px 16px 16px;
        }
      }
      .head {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 0 4px 8px;
        font-weight: 600;
      }
      .head span {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .rows {
        display: grid;
        gap: 8px;
      }
      .options {
        display: grid;
        max-block-size: 272px;
        overflow: auto;
        margin-block-start: 4px;
        scrollbar-width: thin;
      }
      .options > * {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        padding: 4px 8px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: inherit;
        font: inherit;
        text-align: start;
        cursor: pointer;
      }
      .options > *:hover {
        background: var(--socle-page);
      }
      .options > button:focus-visible {
        outline-offset: -2px;
      }
      .period {
        display: grid;
        grid-template-columns: 1fr 64px 1fr;
        gap: 8px;
      }
      .note {
        padding: 4px 8px;
        color: var(--socle-text-3);
      }
      @media (pointer: coarse) {
        .options > * {
          min-block-size: 44px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  /** The comparison being changed; `undefined` asks for the field first. */
  declare condition: Condition | undefined
  declare private search: string
  declare private choices: readonly Choice[] | undefined
  /** What stands in the text box, kept while it cannot be read. */
  declare private draft: string | undefined
  declare private refused: boolean
  #asking: AbortController | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  /** What is typed and not yet taken. */
  #waiting: (() => void) | undefined
  /** The comparison before anything was typed into it. */
  #before: Condition | undefined

  constructor() {
    super()
    this.addEventListener('keydown', this.#giveUp)
    this.search = ''
    this.refused = false
  }

  get #way(): FieldMeta[] | undefined {
    return this.condition && fieldPath(this.meta, this.condition.path)
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('condition')) return
    const before = changed.get('condition') as Condition | undefined
    if (before?.path === this.condition?.path && before) return
    clearTimeout(this.#pause)
    this.#waiting = undefined
    this.search = ''
    this.draft = undefined
    this.refused = false
    this.choices = undefined
    const field = this.#way?.at(-1)
    if (field && pointsAtRecord(field)) void this.#ask(field)
  }

  override updated(changed: PropertyValues): void {
    const before = changed.get('condition') as Condition | undefined
    if (changed.has('condition') && before?.path !== this.condition?.path) this.focus()
  }

  /** Where the answer is typed comes first: letters typed at a menu of comparisons are lost. */
  override focus(): void {
    const first = this.renderRoot.querySelector<HTMLElement>('[data-first]') ?? this.renderRoot.querySelector('select')
    first?.focus()
  }

  override render() {
    const way = this.#way
    const field = way?.at(-1)
    if (!this.condition || !way || !field) return this.#fieldList()
    return html`
      <div class="head">
        <span>${pathLabel(way)}</span>
        <button
          class="icon-button"
          aria-label=${t('shell.records.filter.remove')}
          @click=${() => this.#emit(undefined)}
        >
          ${icon('trash-2')}
        </button>
      </div>
      <div class="rows">${this.#operatorMenu(field)} ${this.#value(field)}</div>
    `
  }

  #fieldList() {
    const wanted = fold(this.search)
    const fields = filterFields(this.meta).filter((it) => fold(it.label).includes(wanted))
    return html`
      <input
        class="input"
        data-first
        type="search"
        autocomplete="off"
        .value=${this.search}
        placeholder=${t('shell.records.filter.field')}
        aria-label=${t('shell.records.filter.field')}
        @input=${(event: InputEvent) => (this.search = (event.target as HTMLInputElement).value)}
        @keydown=${this.#intoList}
      />
      <div class="options" @keydown=${this.#alongList}>
        ${fields.map(
          (it) =>
            html`<button type="button" @click=${() => this.#start(it.path, it.field)}>
              ${icon(iconOf(it.field))}<span>${it.label}</span>
            </button>`,
        )}
        ${fields.length === 0 ? html`<p class="note">${t('shell.records.filter.noField')}</p>` : nothing}
      </div>
    `
  }

  #operatorMenu(field: FieldMeta) {
    const all = operatorsFor(field)
    const own = asOffered(this.condition!.op, all)
    if (all.length === 1) return nothing
    return html`<select
      class="input"
      aria-label=${t('shell.records.filter.how')}
      @change=${(event: Event) => this.#operator(field, (event.target as HTMLSelectElement).value as Operator)}
    >
      ${all.map((op) => html`<option value=${op} ?selected=${op === own}>${operatorLabel(op, field)}</option>`)}
    </select>`
  }

  #value(field: FieldMeta) {
    const { op } = this.condition!
    if (op === 'empty' || op === 'not empty') return nothing
    if (field.type === 'boolean')
      return this.#checks(
        [true, false].map((value) => ({ value, label: t(value ? 'shell.records.yes' : 'shell.records.no') })),
        true,
      )
    if (field.type === 'select' || field.type === 'multi-select')
      return this.#checks(
        (field.options ?? []).map((it) => ({ value: it.value, label: it.label })),
        false,
      )
    if (pointsAtRecord(field)) return this.#records(field)
    if (op === 'within') return this.#period()
    return this.#text(field)
  }

  #checks(choices: readonly Choice[], single: boolean) {
    const chosen = new Set(valuesOf(this.condition!.value).map(keyOf))
    return html`<div class="options" role="group" @keydown=${this.#alongList}>
      ${choices.map(
        (choice) =>
          html`<label>
            <input
              type=${single ? 'radio' : 'checkbox'}
              name="choice"
              .checked=${chosen.has(keyOf(choice.value))}
              @change=${() => this.#choose(choice.value, single)}
            />
            <span>${choice.label}</span>${choice.note ? html`<span class="meta">${choice.note}</span>` : nothing}
          </label>`,
      )}
    </div>`
  }

  #records(field: FieldMeta) {
    const values = valuesOf(this.condition!.value)
    const chosen: Choice[] = values.map((value) => ({ value, label: this.#labelOf(field, value) }))
    const known = new Set(values.map(keyOf))
    const offered = (this.choices ?? []).filter((it) => !known.has(keyOf(it.value)))
    const own: Choice[] =
      field.type === 'user' && !known.has('me()') && !this.search
        ? [{ value: { call: 'me' }, label: t('shell.records.call.me') }]
        : []
    return html`
      <input
        class="input"
        data-first
        type="search"
        autocomplete="off"
        placeholder=${t('shell.records.filter.search')}
        aria-label=${t('shell.records.filter.search')}
        .value=${this.search}
        @input=${(event: InputEvent) => this.#searchRecords(field, (event.target as HTMLInputElement).value)}
        @keydown=${this.#intoList}
      />
      ${this.#checks([...chosen, ...own, ...offered], false)}
      ${this.choices && offered.length === 0 && this.search ? html`<p class="note">${t('shell.records.filter.nothing')}</p>` : nothing}
    `
  }

  #period() {
    const { value } = this.condition!
    const period: Period = value.kind === 'period' ? value.period : { direction: 'next', count: 30, unit: 'days' }
    const set = (part: Partial<Period>) =>
      this.#emit({ ...this.condition!, value: { kind: 'period', period: { ...period, ...part } } })
    const direction = html`<select
      class="input"
      aria-label=${t('shell.records.filter.direction')}
      @change=${(event: Event) => set({ direction: (event.target as HTMLSelectElement).value as Period['direction'] })}
    >
      ${directions.map((it) => html`<option value=${it} ?selected=${it === period.direction}>${t(`shell.records.period.${it}`)}</option>`)}
    </select>`
    const count = html`<input
      class="input"
      inputmode="numeric"
      aria-label=${t('shell.records.filter.count')}
      .value=${String(period.count)}
      ?hidden=${period.direction === 'this'}
      @change=${(event: Event) => {
        const count = Number(parse.number((event.target as HTMLInputElement).value))
        if (Number.isInteger(count) && count > 0) set({ count })
      }}
    />`
    const unit = html`<select
      class="input"
      aria-label=${t('shell.records.filter.unit')}
      @change=${(event: Event) => set({ unit: (event.target as HTMLSelectElement).value as Period['unit'] })}
    >
      ${units.map((it) => html`<option value=${it} ?selected=${it === period.unit}>${t(`shell.records.unit.${it}`, { count: period.direction === 'this' ? 1 : period.count })}</option>`)}
    </select>`
    return html`<div class="period">${direction} ${count} ${unit}</div>`
  }

  #text(field: FieldMeta) {
    const { value } = this.condition!
    const shown = this.draft ?? (value.kind === 'scalar' ? String(value.value) : '')
    const isDay = field.type === 'date' || field.type === 'instant'
    return html`
      <input
        class="input"
        data-first
        autocomplete="off"
        inputmode=${isDay || field.type === 'text' ? 'text' : 'decimal'}
        placeholder=${isDay ? t('shell.records.filter.dateExample') : ''}
        aria-label=${t('shell.records.filter.value')}
        aria-invalid=${this.refused}
        .value=${shown}
        @input=${(event: InputEvent) => this.#typed(field, (event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key !== 'Enter') return
          if (this.draft !== undefined) this.#take(field, this.draft)
          if (!this.refused) this.tell('filter-done')
        }}
      />
      ${this.refused ? html`<p class="error" role="alert">${t('shell.records.filter.unreadable')}</p>` : nothing}
    `
  }

  #start(path: string, field: FieldMeta): void {
    const op = operatorsFor(field)[0]!
    const value: Operand =
      op === 'within' ? { kind: 'period', period: { direction: 'next', count: 30, unit: 'days' } } : { kind: 'none' }
    this.condition = { path, op, value }
    if (value.kind === 'period') this.tell('filter-set', this.condition)
  }

  #operator(field: FieldMeta, op: Operator): void {
    const { path, value } = this.condition!
    const keepsValue = shapeOf(op, field) === shapeOf(this.condition!.op, field)
    const period: Operand = { kind: 'period', period: { direction: 'next', count: 30, unit: 'days' } }
    this.#emit({ path, op, value: keepsValue ? value : op === 'within' ? period : { kind: 'none' } })
  }

  #choose(value: Scalar | Call, single: boolean): void {
    const condition = this.condition!
    if (single) {
      this.#emit({ ...condition, value: { kind: 'scalar', value: value as Scalar } })
      return
    }
    const values = valuesOf(condition.value)
    const without = values.filter((it) => keyOf(it) !== keyOf(value))
    const next = without.length < values.length ? without : [...values, value]
    const op = condition.op === '!=' || condition.op === 'not in' ? 'not in' : 'in'
    this.#emit({ ...condition, op, value: next.length ? { kind: 'list', values: next } : { kind: 'none' } })
  }

  /** Takes what is still on its way: the editor is left, and what was typed in it is meant. */
  settle(): void {
    this.#waiting?.()
  }

  /** Esc leaves the comparison as it was before typing. */
  readonly #giveUp = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || this.draft === undefined) return
    clearTimeout(this.#pause)
    this.#waiting = undefined
    this.draft = undefined
    if (this.condition !== this.#before) this.#emit(this.#before?.value.kind === 'none' ? undefined : this.#before)
  }

  #typed(field: FieldMeta, text: string): void {
    if (this.draft === undefined) this.#before = this.condition
    this.draft = text
    clearTimeout(this.#pause)
    this.#waiting = () => this.#take(field, text)
    this.#pause = setTimeout(this.#waiting, 250)
  }

  #take(field: FieldMeta, text: string): void {
    clearTimeout(this.#pause)
    this.#waiting = undefined
    const value = read(field, text)
    this.refused = value === undefined && text.trim() !== ''
    if (value !== undefined) this.#emit({ ...this.condition!, value: { kind: 'scalar', value } })
  }

  #emit(condition: Condition | undefined): void {
    this.condition = condition
    this.tell('filter-set', condition)
  }

  #searchRecords(field: FieldMeta, text: string): void {
    this.search = text
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => void this.#ask(field), 150)
  }

  async #ask(field: FieldMeta): Promise<void> {
    const meta = field.target ? resource(field.target) : undefined
    if (!meta) {
      this.choices = []
      return
    }
    this.#asking?.abort()
    const asking = new AbortController()
    this.#asking = asking
    const scope = scopeOf(this.meta, field)
    const query = {
      limit: choicesShown,
      count: 'none' as const,
      ...(this.search ? { q: this.search } : {}),
      ...(scope ? { include: [scope.stage.name] } : {}),
    }
    const page = await records(meta.id)
      .list(query, { signal: asking.signal })
      .catch(() => undefined)
    if (!page || asking.signal.aborted) return
    for (const record of page.data) rememberTitle(meta.id, record.id, titleOf(meta, record))
    // Stages of two pipelines may bear one name: the pipeline tells them apart.
    const groupOf = (record: RecordJson) => scope && includedTitle(page.included, scope.stage, record[scope.stage.name])
    this.choices = page.data.map((it) => ({ value: it.id, label: titleOf(meta, it), note: groupOf(it) }))
  }

  #labelOf(field: FieldMeta, value: Scalar | Call): string {
    if (typeof value === 'object') return t(`shell.records.call.${value.call}`)
    if (value === shell()?.user.id) return shell()!.user.name
    return (field.target && titleFor(field.target, String(value), () => this.requestUpdate())) ?? String(value)
  }

  readonly #intoList = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return
    event.preventDefault()
    const first = this.renderRoot.querySelector<HTMLElement>('.options button, .options input')
    if (event.key === 'Enter') first?.click()
    else first?.focus()
  }

  readonly #alongList = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    if ((event.target as HTMLInputElement).type === 'radio') return
    event.preventDefault()
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('.options button, .options input')]
    const at = all.indexOf(event.target as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)
    if (at < 0) this.renderRoot.querySelector<HTMLElement>('input[type=search]')?.focus()
    else all[at]?.focus()
  }
}

const fold = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLocaleLowerCase()
    .trim()
const keyOf = (value: Scalar | Call) => (typeof value === 'object' ? `${value.call}()` : String(value))

function valuesOf(value: Operand): readonly (Scalar | Call)[] {
  if (value.kind === 'list') return value.values
  if (value.kind === 'scalar') return [value.value]
  return value.kind === 'call' ? [value.call] : []
}

/** A filter written by hand may use `=` where the menu offers `in`. */
function asOffered(op: Operator, offered: readonly Operator[]): Operator {
  if (offered.includes(op)) return op
  const near: Partial<Record<Operator, Operator>> = { '=': 'in', '!=': 'not in', '<=': '<', '>=': '>' }
  return near[op] ?? op
}

function shapeOf(op: Operator, field: FieldMeta): string {
  if (op === 'empty' || op === 'not empty') return 'none'
  return op === 'within' ? 'period' : field.type
}

function read(field: FieldMeta, text: string): Scalar | undefined {
  if (!text.trim()) return undefined
  switch (field.type) {
    case 'money':
      return asNumber(parse.money(text))
    case 'percent':
      return asNumber(parse.percent(text))
    case 'duration':
      return parse.duration(text)
    case 'integer':
    case 'decimal':
      return asNumber(parse.number(text))
    case 'date':
    case 'instant':
      return parse.date(text) || undefined
    default:
      return text.trim()
  }
}

function asNumber(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text)
}

function iconOf(field: FieldMeta): string {
  const icons: Partial<Record<FieldMeta['type'], string>> = {
    date: 'calendar',
    instant: 'clock',
    select: 'tag',
    boolean: 'square-check',
    user: 'user',
    team: 'users',
    reference: 'link',
    email: 'mail',
    phone: 'phone',
    url: 'globe',
    money: 'receipt',
  }
  return icons[field.type] ?? 'list-filter'
}
