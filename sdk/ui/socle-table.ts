import type { Range, VirtualItem, VirtualizerController } from '@tanstack/lit-virtual'
import { html, nothing } from 'lit'
import type { PropertyValues, TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { repeat } from 'lit/directives/repeat.js'
import { announce } from './announce.ts'
import { fitColumns } from './column-widths.ts'
import { forgetTextWidths, tableColumns } from './column-wishes.ts'
import type { TableColumn } from './column-wishes.ts'
import { controls } from './controls.ts'
import { defineRest } from './define-rest.ts'
import { KitElement } from './kit-element.ts'
import { isTyping, letterKeysOn } from './letter-keys.ts'
import { recordHref, resource } from './session.ts'
import type { SocleField } from './socle-field.ts'
import { nextSort, sortOf } from './sorting.ts'
import { CellEdits } from './table-edits.ts'
import { tableAction } from './table-keys.ts'
import type { TableAction } from './table-keys.ts'
import { tableStyles } from './table-styles.ts'
import { icon, valueTemplate } from './templates.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'
import { t } from './words.ts'

export interface TableEdit {
  readonly id: string
  /** As it stood when the edit began; the write is made on its version. */
  readonly row: RecordJson
  readonly field: string
  readonly value: unknown
  /**
   * Give it the promise of the write: the cell waits, keeps the typed value and shows the error when it fails
   * (a `ProblemError`'s sentence for this field), and closes when it succeeds.
   */
  until(saved: Promise<unknown>): void
}

export interface TableSelection {
  readonly selected: ReadonlySet<string>
  /** True after Ctrl/Cmd+A: everything loaded is chosen, and “all 340” may be offered. */
  readonly all: boolean
}

const checkWidth = 40
const gaveWayWidth = 44
const overscan = 6
/** Rows before the loaded end at which more are asked for. */
const nearEnd = 25
const headRow = -1
const headHeight = 32
/** Under the last row, where the refusal of an edit stands; it also shows what comes next while moving down. */
const roomBelow = 64
const narrow = '(width < 600px)'

/**
 * Records as rows (`role=grid`), as cards under 600 px.
 *
 * One tab stop: arrows, `j`, `k` move by rows; `e` or → goes into the row's cells, where Enter, F2 or typing edits, Enter
 * saves, Tab saves and goes on, Esc restores; Esc in a cell goes back to the row. `x` selects, Shift extends, Space peeks,
 * Enter opens.
 *
 * @fires socle-open - Enter or the title's link; `detail.id`. Preventing it keeps the link from being followed
 * @fires socle-peek - Space or a click on the row; `detail.id`
 * @fires socle-sort - `detail.sort`, e.g. `-amount,name`
 * @fires socle-select - `TableSelection`
 * @fires socle-edit - `TableEdit`
 * @fires socle-more - the end of the loaded rows comes near
 * @fires socle-focus - `detail.id`, `detail.index`: the row the keyboard is on
 * @slot empty - instead of the plain sentence when there are no rows
 */
export class SocleTable extends KitElement {
  static override properties = {
    columns: { attribute: false },
    rows: { attribute: false },
    included: { attribute: false },
    sort: { type: String },
    selected: { attribute: false },
    loading: { type: Boolean },
    stale: { type: Boolean },
    total: { type: Number },
    resource: { type: String },
    titleField: { type: String, attribute: 'title-field' },
    href: { attribute: false },
    current: { type: String },
    label: { type: String },
    editable: { type: Boolean },
    selectable: { type: Boolean },
    more: { type: Boolean },
  }
  static override styles = [controls, tableStyles]

  /** In the view's order; the title column is pinned first whatever its place. */
  declare columns: readonly FieldMeta[]
  declare rows: readonly RecordJson[]
  declare included: Included
  declare sort: string
  declare selected: ReadonlySet<string>
  declare loading: boolean
  /** Rows of an earlier answer: they stay, dimmed. */
  declare stale: boolean
  /** How many there are on the server. */
  declare total: number | undefined
  /** Resource id; gives title field and addresses unless they are set. */
  declare resource: string
  declare titleField: string
  declare href: ((row: RecordJson) => string | undefined) | undefined
  /** Id of the row in the panel. */
  declare current: string
  declare label: string
  declare editable: boolean
  declare selectable: boolean
  /** The server has more rows: `socle-more` asks for them. */
  declare more: boolean

  readonly #edits = new CellEdits(() => this.requestUpdate())
  readonly #media = window.matchMedia(narrow)
  readonly #resized = new ResizeObserver(() => this.#measure())
  /** Absent until the first rows are painted: those need none. */
  #virtual: VirtualizerController<HTMLElement, HTMLElement> | undefined
  #fetching: Promise<void> | undefined
  #isFetchSet = false

  /** Columns with their wishes, and how many of them fit. */
  #fields: readonly TableColumn[] = []
  #shown = 0
  #isWide = false
  /** Set when widths must be shared out anew: reading them on every key would lay the page out twice. */
  #isUnfit = true
  #rowHeight = 36
  #width = 0

  /** Where the keyboard is: a row, or a cell of it. */
  #activeId: string | undefined
  #active = 0
  #cell: number | undefined
  #anchor = 0
  #wantsFocus = false
  #askedAt = -1

  constructor() {
    super()
    this.columns = []
    this.rows = []
    this.included = {}
    this.sort = ''
    this.selected = new Set()
    this.loading = false
    this.stale = false
    this.resource = ''
    this.titleField = ''
    this.current = ''
    this.label = ''
    this.editable = true
    this.selectable = true
    this.more = false
  }

  // ---- What others may ask of it

  /** Puts the focus on a row, e.g. after its panel or page closed. */
  focusRow(id: string): void {
    const index = this.rows.findIndex((it) => it.id === id)
    if (index < 0) return
    this.#cell = undefined
    this.#goTo(index)
  }

  /** Moves by rows without taking the focus, for `[` and `]` in the panel. Answers the row it is on then. */
  step(by: number): RecordJson | undefined {
    const from = this.current ? this.rows.findIndex((it) => it.id === this.current) : this.#active
    const index = Math.max(0, Math.min(this.rows.length - 1, from + by))
    this.#setActive(index)
    this.#cell = undefined
    this.#scrollTo(index)
    this.requestUpdate()
    return this.rows[index]
  }

  override focus(): void {
    this.#goTo(this.#active)
  }

  // ---- Life

  override connectedCallback(): void {
    super.connectedCallback()
    this.#media.addEventListener('change', this.#mediaChanged)
    void document.fonts?.ready.then(() => {
      forgetTextWidths()
      this.#fields = []
      this.requestUpdate()
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#media.removeEventListener('change', this.#mediaChanged)
    this.#resized.disconnect()
  }

  override firstUpdated(): void {
    this.#resized.observe(this)
    const probe = this.renderRoot.querySelector('.probe')
    if (probe) this.#resized.observe(probe)
    this.#measure()
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('rows') || changed.has('columns')) this.#keepPlace()
    const isOther =
      changed.has('rows') || changed.has('columns') || changed.has('included') || this.#fields.length === 0
    if (isOther) {
      this.#fields = tableColumns(this.columns, this.#titleName, this.rows, this.included)
      this.#isUnfit = true
    }
    if (changed.has('selectable')) this.#isUnfit = true
    this.#updateVirtual()
  }

  override updated(): void {
    if (this.rows.length > 0) this.#fetchWindowSoon()
    if (this.#isUnfit) this.#layOut()
    if (this.#isCards) this.#measureCards()
    this.#askForMore()
    if (this.#wantsFocus) this.#focusNow()
  }

  get #scroller(): HTMLElement | null {
    return this.renderRoot?.querySelector<HTMLElement>('.grid') ?? null
  }

  get #isCards(): boolean {
    return this.#media.matches
  }

  /** Cards before what measures them is there. */
  get #isUnmeasured(): boolean {
    return this.#isCards && !this.#virtual
  }

  get #titleName(): string {
    return this.titleField || resource(this.resource)?.title || this.columns[0]?.name || ''
  }

  get #drawn(): readonly TableColumn[] {
    return this.#isCards ? this.#fields : this.#fields.slice(0, this.#shown || this.#fields.length)
  }

  readonly #mediaChanged = (): void => {
    this.#cell = undefined
    // Cards have no head to be on, and are drawn by what measures them.
    if (this.#active === headRow) this.#setActive(0, false)
    if (this.#isCards) void this.#fetchWindow()
    this.#isUnfit = true
    this.#virtual?.getVirtualizer().measure()
    this.requestUpdate()
  }

  /** A new answer may hold the same record elsewhere: the keyboard stays on the record, not on the number. */
  #keepPlace(): void {
    if (this.#activeId === undefined) return
    const index = this.rows.findIndex((it) => it.id === this.#activeId)
    if (index >= 0) this.#active = index
    else this.#setActive(Math.max(0, Math.min(this.#active, this.rows.length - 1)), false)
  }

  #measure(): void {
    const probe = this.renderRoot.querySelector<HTMLElement>('.probe')
    const height = probe?.offsetHeight ?? this.#rowHeight
    const width = this.clientWidth
    if (height === this.#rowHeight && width === this.#width) return
    this.#width = width
    this.#isUnfit = true
    if (height !== this.#rowHeight && height > 0) {
      this.#rowHeight = height
      this.#virtual?.getVirtualizer().measure()
    }
    this.requestUpdate()
  }

  /** Cards differ in height; measured only once they are on the page, where they have one. */
  #measureCards(): void {
    const virtualizer = this.#virtual?.getVirtualizer()
    for (const card of this.renderRoot.querySelectorAll<HTMLElement>('.body > .row[data-index]')) {
      virtualizer?.measureElement(card)
    }
  }

  #layOut(): void {
    const scroller = this.#scroller
    if (!scroller || this.#isCards || this.#fields.length === 0) return
    this.#isUnfit = false
    const check = this.selectable ? checkWidth : 0
    const bar = scroller.offsetWidth - scroller.clientWidth
    const wishes = this.#fields.map((it) => it.wish)
    const available = this.clientWidth - check - bar
    const whole = fitColumns(wishes, available, this.#isWide)
    // What gave way is offered by a button at the end of the head, which must not stand on a column's name.
    const fitted = whole.hidden > 0 ? fitColumns(wishes, available - gaveWayWidth) : whole
    const columns = [...(check ? [check] : []), ...fitted.widths].map((it) => `${it}px`).join(' ')
    scroller.style.setProperty('--columns', columns)
    scroller.style.setProperty('--pinned', `${check}px`)
    scroller.style.setProperty('--beside', `${check + (fitted.widths[0] ?? 0)}px`)
    if (fitted.widths.length === this.#shown) return
    this.#shown = fitted.widths.length
    this.requestUpdate()
  }

  readonly #scrolled = (): void => void this.#fetchWindow()

  #updateVirtual(): void {
    const virtualizer = this.#virtual?.getVirtualizer()
    const isCards = this.#isCards
    virtualizer?.setOptions({
      ...virtualizer.options,
      count: this.#count,
      getItemKey: (index) => this.rows[index]?.id ?? index,
      estimateSize: () => (isCards ? 108 : this.#rowHeight),
      scrollPaddingEnd: isCards ? 8 : headHeight + roomBelow,
      paddingEnd: isCards ? 0 : roomBelow,
      rangeExtractor: (range) => this.#drawnRows(range),
    })
  }

  get #count(): number {
    return this.rows.length + (this.more && this.rows.length > 0 ? 1 : 0)
  }

  /** Until there is a window, the rows of the first screen; cards differ in height and wait for what measures them. */
  get #drawnItems(): readonly Pick<VirtualItem, 'key' | 'index' | 'start'>[] {
    if (this.#virtual) return this.#virtual.getVirtualizer().getVirtualItems()
    if (this.#isUnmeasured) return []
    const fitting = Math.ceil(window.innerHeight / this.#rowHeight) + overscan
    return this.rows.slice(0, fitting).map(({ id }, index) => ({ key: id, index, start: index * this.#rowHeight }))
  }

  #fetchWindowSoon(): void {
    if (this.#isFetchSet) return
    this.#isFetchSet = true
    if (this.#isCards || !window.requestIdleCallback) void this.#fetchWindow()
    else window.requestIdleCallback(() => void this.#fetchWindow(), { timeout: 1_000 })
  }

  #fetchWindow(): Promise<void> {
    return (this.#fetching ??= import('./row-window.ts').then(({ RowWindow }) => {
      const scroller = this.#scroller
      this.#virtual = new RowWindow<HTMLElement, HTMLElement>(this, {
        count: this.#count,
        getScrollElement: () => this.#scroller,
        estimateSize: () => this.#rowHeight,
        overscan,
        // With both known the rows on screen stay where they are.
        initialOffset: scroller?.scrollTop ?? 0,
        initialRect: { width: scroller?.clientWidth ?? 0, height: scroller?.clientHeight ?? 0 },
        rangeExtractor: (range) => this.#drawnRows(range),
      })
      this.requestUpdate()
    }))
  }

  #scrollTo(index: number): void {
    if (this.#virtual) this.#virtual.getVirtualizer().scrollToIndex(index, { align: 'auto' })
    else void this.#fetchWindow().then(() => this.updateComplete.then(() => this.#scrollTo(index)))
  }

  /** The visible rows, and always the one with the focus: removed from the page, it would lose it. */
  #drawnRows(range: Range): number[] {
    const first = Math.max(0, range.startIndex - range.overscan)
    const last = Math.min(range.count - 1, range.endIndex + range.overscan)
    const indexes = Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset)
    const active = this.#active
    if (active >= 0 && active < range.count && (active < first || active > last)) indexes.push(active)
    return indexes.sort((a, b) => a - b)
  }

  #askForMore(): void {
    if (!this.more || this.loading) return
    const last = this.#virtual?.getVirtualizer().range?.endIndex ?? 0
    if (last < this.rows.length - nearEnd || this.#askedAt === this.rows.length) return
    this.#askedAt = this.rows.length
    this.tell('socle-more')
  }

  // ---- Drawing

  override render() {
    const isEmpty = this.rows.length === 0
    const total = this.total ?? this.rows.length
    const hidden = this.#isCards ? 0 : this.#fields.length - (this.#shown || this.#fields.length)
    return html`<div class="probe"></div>
      <div
        class="grid ${this.#isCards ? 'cards' : ''} ${this.#isWide ? 'wide scrolled' : ''}"
        role="grid"
        aria-label=${this.label || t('kit.table.label')}
        aria-rowcount=${total + 1}
        aria-colcount=${this.#fields.length + (this.selectable ? 1 : 0)}
        aria-multiselectable=${this.selectable ? 'true' : nothing}
        aria-busy=${this.loading || (this.#isUnmeasured && !isEmpty) ? 'true' : nothing}
        @keydown=${this.#pressed}
        @scroll=${this.#scrolled}
        @click=${this.#clicked}
        @dblclick=${this.#doubleClicked}
        @focusin=${this.#focusMoved}
        @socle-commit=${this.#committed}
        @socle-cancel=${this.#cancelled}
      >
        ${this.#headTemplate()} ${isEmpty ? nothing : this.#bodyTemplate()}
        ${isEmpty && this.loading ? this.#skeletonTemplate() : nothing}
        ${isEmpty && !this.loading ? this.#emptyTemplate() : nothing}
      </div>
      ${isEmpty && this.loading ? html`<p class="slow meta" role="status">${t('kit.loading')}</p>` : nothing}
      ${hidden > 0 || (this.#isWide && !this.#isCards) ? this.#gaveWayTemplate(hidden) : nothing}`
  }

  #headTemplate(): TemplateResult {
    const loaded = this.rows.length
    const chosen = this.rows.filter((it) => this.selected.has(it.id)).length
    return html`<div class="row headrow" role="row" aria-rowindex="1">
      ${
        this.selectable
          ? html`<div class="head check" role="columnheader" aria-colindex="1">
              <label
                ><span class="visually-hidden">${t('kit.table.selectAll')}</span
                ><input
                  type="checkbox"
                  tabindex="-1"
                  data-all
                  ?disabled=${loaded === 0}
                  .checked=${live(loaded > 0 && chosen === loaded)}
                  .indeterminate=${live(chosen > 0 && chosen < loaded)}
              /></label>
            </div>`
          : nothing
      }
      ${this.#drawn.map((column, index) => this.#headCell(column, index))}
    </div>`
  }

  #headCell(column: TableColumn, index: number): TemplateResult {
    const { field } = column
    const direction = sortOf(this.sort, field.name)
    const classes = `head ${column.isTitle ? 'title' : ''} ${column.isNumber ? 'number' : ''}`
    const isActive = this.#active === headRow && this.#cell === index
    const label = html`<span class="text">${field.label}</span>`
    return html`<div
      class=${classes}
      role="columnheader"
      aria-colindex=${index + 1 + (this.selectable ? 1 : 0)}
      aria-sort=${direction === 'up' ? 'ascending' : direction === 'down' ? 'descending' : nothing}
    >
      ${
        field.sortable
          ? html`<button
              tabindex=${isActive ? 0 : -1}
              data-sort=${field.name}
              class=${direction ? 'sorted' : ''}
              title=${t('kit.table.sort', { field: field.label })}
            >
              ${label}${direction ? icon(direction === 'up' ? 'arrow-up' : 'arrow-down') : nothing}
            </button>`
          : html`<span class="plain" tabindex=${isActive ? 0 : -1}>${label}</span>`
      }
    </div>`
  }

  #bodyTemplate(): TemplateResult {
    const virtualizer = this.#virtual?.getVirtualizer()
    const items = this.#drawnItems
    const isCards = this.#isCards
    return html`<div
      class="body ${this.stale ? 'stale' : ''}"
      role="rowgroup"
      .style=${`block-size: ${virtualizer?.getTotalSize() ?? this.#count * this.#rowHeight + roomBelow}px`}
    >
      ${repeat(
        items,
        (item) => item.key,
        (item) => {
          const row = this.rows[item.index]
          const place = `transform: translateY(${item.start}px)`
          if (!row) return this.#moreRow(place)
          return this.#rowTemplate(row, item.index, place, isCards)
        },
      )}
    </div>`
  }

  #rowTemplate(row: RecordJson, index: number, place: string, isCards: boolean): TemplateResult {
    const isSelected = this.selected.has(row.id)
    const isActive = index === this.#active
    return html`<div
      class="row ${row.id === this.current ? 'current' : ''}"
      role="row"
      data-index=${index}
      aria-rowindex=${index + 2}
      aria-selected=${this.selectable ? isSelected : nothing}
      tabindex=${isActive && this.#cell === undefined ? 0 : -1}
      .style=${place}
    >
      ${isCards ? this.#card(row, isSelected) : this.#cells(row, isActive, isSelected)}
    </div>`
  }

  #cells(row: RecordJson, isActive: boolean, isSelected: boolean) {
    return html`${this.selectable ? this.#check(row, isSelected) : nothing}${this.#drawn.map((column, index) =>
      this.#cellTemplate(row, column, index, isActive && this.#cell === index),
    )}`
  }

  #check(row: RecordJson, isSelected: boolean): TemplateResult {
    return html`<div class="cell check" role="gridcell" aria-colindex="1">
      <label
        ><span class="visually-hidden">${t('kit.table.select', { title: this.#titleOf(row) })}</span
        ><input type="checkbox" tabindex="-1" data-check .checked=${live(isSelected)}
      /></label>
    </div>`
  }

  #cellTemplate(row: RecordJson, column: TableColumn, index: number, isActive: boolean): TemplateResult {
    const { field } = column
    const edit = this.#edits.at(row.id, field.name)
    const isEditing = this.#edits.isOpen(row.id, field.name)
    const isLate = isEditing && index > this.#drawn.length / 2
    const state = isEditing ? `editing ${isLate ? 'late' : ''}` : edit?.error ? 'failed' : edit ? 'waiting' : ''
    const classes = `cell ${column.isTitle ? 'title' : ''} ${column.isNumber ? 'number' : ''} ${state}`
    return html`<div
      class=${classes}
      role=${column.isTitle ? 'rowheader' : 'gridcell'}
      aria-colindex=${index + 1 + (this.selectable ? 1 : 0)}
      aria-readonly=${this.#isWritable(field) ? nothing : 'true'}
      aria-invalid=${edit?.error ? 'true' : nothing}
      title=${edit?.error && !isEditing ? edit.error : nothing}
      data-field=${field.name}
      tabindex=${isActive ? 0 : -1}
    >
      ${isEditing ? this.#editor(row, field) : this.#content(row, column, edit ? edit.value : row[field.name])}
      ${edit?.error && !isEditing ? icon('circle-alert') : nothing}
    </div>`
  }

  #content(row: RecordJson, column: TableColumn, value: unknown) {
    const { included } = this
    const shown = valueTemplate(column.field, value, { record: row, included, links: false, digits: column.digits })
    if (column.isTitle) return this.#titleLink(row, shown)
    return typeof shown === 'string' || column.field.type === 'long' ? html`<span class="text">${shown}</span>` : shown
  }

  #titleLink(row: RecordJson, shown: TemplateResult | string): TemplateResult {
    const href = this.#hrefOf(row)
    const text = shown === '' ? t('kit.value.empty') : shown
    if (!href) return html`<span class="text">${text}</span>`
    return html`<a class="text" tabindex="-1" data-open href=${href}>${text}</a>`
  }

  #editor(row: RecordJson, field: FieldMeta): TemplateResult {
    const edit = this.#edits.at(row.id, field.name)
    return html`<socle-field
      inline
      .field=${field}
      .value=${edit ? edit.value : row[field.name]}
      .record=${row}
      .included=${this.included}
      .error=${edit?.error ?? ''}
      .typed=${this.#edits.typed}
    ></socle-field>`
  }

  /** Title and states above, people and places in the middle, figures and dates below. */
  #card(row: RecordJson, isSelected: boolean): TemplateResult {
    const [title, ...others] = this.#drawn
    const filled = others.filter((it) => !isEmpty(row[it.field.name]))
    const isState = (it: TableColumn) => it.field.type === 'select'
    const isFigure = (it: TableColumn) => it.isNumber || it.field.type === 'date' || it.field.type === 'instant'
    const states = filled.filter(isState)
    const figures = filled.filter(isFigure)
    const texts = filled.filter((it) => !isState(it) && !isFigure(it))
    return html`<div class="face">
      <div class="line">
        ${this.selectable ? this.#check(row, isSelected) : nothing}
        ${title ? this.#cardCell(row, title, 'title') : nothing} ${states.map((it) => this.#cardCell(row, it, ''))}
      </div>
      ${
        texts.length > 0
          ? html`<div class="line">${texts.map((it) => this.#cardCell(row, it, 'quiet dotted'))}</div>`
          : nothing
      }
      ${
        figures.length > 0
          ? html`<div class="line">
              ${figures.map((it, index) => {
                const isLast = index === figures.length - 1 && index > 0
                return this.#cardCell(row, it, `${it.isNumber ? 'number' : 'quiet'} ${isLast ? 'end' : ''}`)
              })}
            </div>`
          : nothing
      }
    </div>`
  }

  #cardCell(row: RecordJson, column: TableColumn, classes: string): TemplateResult {
    const label = column.isTitle ? nothing : html`<span class="visually-hidden">${column.field.label}</span>`
    return html`<div class="cell ${classes}" role=${column.isTitle ? 'rowheader' : 'gridcell'}>
      ${label}${this.#content(row, column, row[column.field.name])}
    </div>`
  }

  #moreRow(place: string): TemplateResult {
    return html`<div class="row" role="row" .style=${place}>
      <div class="cell" role="gridcell"><span class="meta">${t('kit.table.more')}</span></div>
    </div>`
  }

  #skeletonTemplate(): TemplateResult {
    const cells = this.selectable ? this.#drawn.length + 1 : this.#drawn.length
    return html`<div class="skeleton" aria-hidden="true">
      ${Array.from(
        { length: 12 },
        () =>
          html`<div class="row">
            ${Array.from({ length: this.#isCards ? 1 : cells }, () => html`<div class="cell"><div class="blank"></div></div>`)}
          </div>`,
      )}
    </div>`
  }

  #emptyTemplate(): TemplateResult {
    return html`<div class="none" role="row">
      <div role="gridcell" aria-colspan=${this.#fields.length + (this.selectable ? 1 : 0)}>
        <slot name="empty">
          <socle-empty heading=${t('kit.table.empty')} text=${t('kit.table.emptyText')}></socle-empty>
        </slot>
      </div>
    </div>`
  }

  #gaveWayTemplate(hidden: number): TemplateResult {
    const words = hidden > 0 ? t('kit.table.hidden', { count: hidden }) : t('kit.table.fewer')
    return html`<button
      class="button gaveway"
      aria-pressed=${this.#isWide}
      aria-label=${words}
      title=${words}
      @click=${this.#widen}
    >
      ${hidden > 0 ? `+${hidden}` : icon('chevron-left')}
    </button>`
  }

  readonly #widen = (): void => {
    this.#isWide = !this.#isWide
    this.#isUnfit = true
    this.requestUpdate()
  }

  #titleOf(row: RecordJson): string {
    return String(row[this.#titleName] ?? row.id)
  }

  #hrefOf(row: RecordJson): string | undefined {
    return this.href ? this.href(row) : recordHref(this.resource, row.id)
  }

  #isWritable(field: FieldMeta): boolean {
    return this.editable && field.writable && field.type !== 'json'
  }

  // ---- Moving

  #setActive(index: number, tell = true): void {
    const row = this.rows[index]
    this.#active = index
    this.#activeId = row?.id
    if (tell && row) this.tell('socle-focus', { id: row.id, index })
  }

  #goTo(index: number): void {
    if (this.rows.length === 0) return
    const wanted = Math.max(0, Math.min(this.rows.length - 1, index))
    this.#setActive(wanted)
    this.#scrollTo(wanted)
    this.#wantsFocus = true
    this.requestUpdate()
  }

  #goToHead(cell: number): void {
    this.#active = headRow
    this.#cell = cell
    this.#wantsFocus = true
    this.requestUpdate()
  }

  #goToCell(cell: number): void {
    this.#cell = Math.max(0, Math.min(this.#drawn.length - 1, cell))
    this.#wantsFocus = true
    this.requestUpdate()
  }

  #leaveCells(): boolean {
    this.#cell = undefined
    this.#wantsFocus = true
    this.requestUpdate()
    return true
  }

  #focusNow(): void {
    const editor = this.renderRoot.querySelector<SocleField>('socle-field')
    const target = editor ?? this.#focusTarget()
    if (!target) return
    this.#wantsFocus = false
    if (editor && !editor.matches(':defined')) {
      void defineRest().then(() => editor.focus())
      return
    }
    target.focus({ preventScroll: target !== editor && this.#cell === undefined })
  }

  #focusTarget(): HTMLElement | null {
    if (this.#active === headRow) {
      return this.renderRoot.querySelectorAll<HTMLElement>('.head:not(.check) > *')[this.#cell ?? 0] ?? null
    }
    const row = this.renderRoot.querySelector<HTMLElement>(`.row[data-index="${this.#active}"]`)
    if (!row || this.#cell === undefined) return row
    const field = this.#drawn[this.#cell]?.field.name ?? ''
    return row.querySelector<HTMLElement>(`[data-field="${CSS.escape(field)}"]`)
  }

  readonly #focusMoved = (event: FocusEvent): void => {
    const index = rowIndexOf(event.target)
    if (index === undefined || index === this.#active) return
    this.#setActive(index)
    this.requestUpdate()
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (isTyping(event) || event.defaultPrevented) return
    if (this.#edits.open) return this.#typeAhead(event)
    const area = this.#active === headRow ? 'head' : this.#cell === undefined ? 'row' : 'cell'
    const action = tableAction(event, area, letterKeysOn())
    if (!action || !this.#act(action, event)) return
    event.preventDefault()
    event.stopPropagation()
  }

  #typeAhead(event: KeyboardEvent): void {
    const isInEditor = event.composedPath().some((it) => it instanceof HTMLElement && it.localName === 'socle-field')
    if (isInEditor || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape') this.#cancelled(event)
    else this.#edits.type(event.key)
    event.preventDefault()
    event.stopPropagation()
  }

  /** Does what a key means; false leaves the key to the page. */
  #act(action: TableAction, event: KeyboardEvent): boolean {
    const page = Math.max(1, Math.floor((this.#scroller?.clientHeight ?? 400) / this.#rowHeight) - 2)
    switch (action) {
      case 'next':
        return this.#moveTo(this.#active + 1, event.shiftKey)
      case 'previous':
        return this.#moveTo(this.#active - 1, event.shiftKey)
      case 'pageDown':
        return this.#moveTo(this.#active + page, event.shiftKey)
      case 'pageUp':
        return this.#moveTo(Math.max(0, this.#active - page), event.shiftKey)
      case 'first':
        return this.#moveTo(0, event.shiftKey)
      case 'last':
        return this.#moveTo(this.rows.length - 1, event.shiftKey)
      case 'left':
        return this.#moveToCell((this.#cell ?? 0) - 1)
      case 'right':
        return this.#moveToCell((this.#cell ?? 0) + 1)
      case 'start':
        return this.#moveToCell(0)
      case 'end':
        return this.#moveToCell(this.#drawn.length - 1)
      case 'enterCells':
      case 'editFirst':
        return this.#enterCells(action === 'editFirst')
      case 'leaveCells':
        return this.#leaveCells()
      case 'open':
      case 'openApart':
        return this.#open(action === 'openApart')
      case 'peek':
        return this.#peek()
      case 'toggle':
        return this.#toggle(this.#active, event.shiftKey)
      case 'selectAll':
        return this.#selectAll(true)
      case 'sort':
        return this.#sortHere(event.shiftKey)
      case 'edit':
        return this.#editOrOpen()
      case 'clear':
        return this.#startEdit(this.#cell ?? 0, '')
      case 'type':
        return this.#startEdit(this.#cell ?? 0, event.key)
    }
  }

  #moveTo(index: number, extends_: boolean): boolean {
    if (index < 0) {
      if (!this.#isCards) this.#goToHead(this.#cell ?? 0)
      return true
    }
    if (this.#active === headRow) this.#cell = undefined
    if (extends_ && this.selectable && this.#cell === undefined) this.#extendTo(Math.min(index, this.rows.length - 1))
    else this.#anchor = index
    this.#goTo(index)
    return true
  }

  /** Left of the first cell is the row; the head has no such way out. */
  #moveToCell(cell: number): boolean {
    if (this.#active === headRow) this.#goToHead(Math.max(0, Math.min(this.#drawn.length - 1, cell)))
    else if (cell < 0) this.#leaveCells()
    else this.#goToCell(cell)
    return true
  }

  #sortHere(adds: boolean): boolean {
    const field = this.#drawn[this.#cell ?? 0]?.field
    if (field?.sortable) this.#sortBy(field.name, adds)
    this.#wantsFocus = true
    return true
  }

  #editOrOpen(): boolean {
    const column = this.#drawn[this.#cell ?? 0]
    const isOnlyLink = column?.isTitle && !this.#isWritable(column.field)
    return isOnlyLink ? this.#open(false) : this.#startEdit(this.#cell ?? 0)
  }

  #enterCells(edits: boolean): boolean {
    if (this.#isCards) return false
    const first = this.#drawn.findIndex((it) => this.#isWritable(it.field))
    this.#goToCell(Math.max(0, first))
    if (edits && first >= 0) this.#startEdit(first)
    return true
  }

  #open(isApart: boolean): boolean {
    const row = this.rows[this.#active]
    if (!row) return false
    const href = this.#hrefOf(row)
    if (isApart && href) window.open(href, '_blank')
    else if (this.tell('socle-open', { id: row.id }) && href) {
      this.renderRoot.querySelector<HTMLElement>(`.row[data-index="${this.#active}"] [data-open]`)?.click()
    }
    return true
  }

  #peek(): boolean {
    const row = this.rows[this.#active]
    if (row) this.tell('socle-peek', { id: row.id })
    return row !== undefined
  }

  // ---- Pointer

  #isOpening = false

  readonly #clicked = (event: MouseEvent): void => {
    const target = event.composedPath()[0]
    if (!(target instanceof Element)) return
    const sort = target.closest<HTMLElement>('[data-sort]')?.dataset['sort']
    if (sort) return this.#sortBy(sort, event.shiftKey)
    if (target instanceof HTMLInputElement && target.dataset['all'] !== undefined) {
      this.#selectAll(target.checked)
      return
    }
    const index = rowIndexOf(target)
    const row = index === undefined ? undefined : this.rows[index]
    if (index === undefined || !row) return
    if (target.closest('.check')) {
      if (target instanceof HTMLInputElement) this.#toggle(index, event.shiftKey)
      return
    }
    if (target.closest('.editing')) return
    this.#setActive(index)
    if (target.closest('[data-open]')) return this.#followed(event, row)
    if (getSelection()?.isCollapsed === false) return
    const field = target.closest<HTMLElement>('[data-field]')?.dataset['field']
    const failed = field !== undefined && this.#edits.at(row.id, field)?.error
    if (failed) this.#startEdit(this.#drawn.findIndex((it) => it.field.name === field))
    else this.tell('socle-peek', { id: row.id })
  }

  /** The title's link: a plain click may be taken by the screen, any other is the browser's. */
  #followed(event: MouseEvent, row: RecordJson): void {
    if (this.#isOpening || event.ctrlKey || event.metaKey || event.shiftKey) return
    this.#isOpening = true
    const isFree = event.isTrusted ? this.tell('socle-open', { id: row.id }) : true
    if (!isFree) event.preventDefault()
    this.#isOpening = false
  }

  readonly #doubleClicked = (event: MouseEvent): void => {
    const target = event.composedPath()[0]
    const index = rowIndexOf(target)
    const field = target instanceof Element ? target.closest<HTMLElement>('[data-field]')?.dataset['field'] : undefined
    const cell = this.#drawn.findIndex((it) => it.field.name === field)
    if (index === undefined || cell < 0 || this.#isCards || this.#edits.open) return
    getSelection()?.removeAllRanges()
    this.#setActive(index)
    this.#startEdit(cell)
  }

  // ---- Choosing

  #select(selected: ReadonlySet<string>, all = false): void {
    this.selected = selected
    this.tell('socle-select', { selected, all } satisfies TableSelection)
    announce(t('kit.table.selected', { count: selected.size }))
  }

  #toggle(index: number, extends_: boolean): boolean {
    const row = this.rows[index]
    if (!row || !this.selectable) return false
    if (extends_) return this.#extendTo(index)
    const selected = new Set(this.selected)
    if (!selected.delete(row.id)) selected.add(row.id)
    this.#anchor = index
    this.#select(selected)
    return true
  }

  #extendTo(index: number): boolean {
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)]
    this.#select(new Set([...this.selected, ...this.rows.slice(from, to + 1).map((it) => it.id)]))
    return true
  }

  #selectAll(on: boolean): boolean {
    if (!this.selectable) return false
    this.#select(new Set(on ? this.rows.map((it) => it.id) : []), on)
    return true
  }

  #sortBy(field: string, adds: boolean): void {
    this.tell('socle-sort', { sort: nextSort(this.sort, field, adds) })
  }

  // ---- Editing

  #startEdit(cell: number, typed?: string): boolean {
    const column = this.#drawn[cell]
    const row = this.rows[this.#active]
    if (!column || !row) return false
    this.#cell = cell
    this.#wantsFocus = true
    if (!this.#isWritable(column.field)) {
      announce(t('kit.table.readonly', { field: column.field.label }))
      this.requestUpdate()
      return true
    }
    this.#edits.start(row, column.field.name, typed)
    return true
  }

  readonly #committed = (event: Event): void => {
    const open = this.#edits.open
    if (!open) return
    event.stopPropagation()
    const { value, key, back } = (event as CustomEvent<{ value: unknown; key: string; back?: boolean }>).detail
    const row = this.rows.find((it) => it.id === open.id)
    const column = this.#drawn.find((it) => it.field.name === open.field)
    this.#edits.close()
    if (!row || !column) return
    if (!isSame(value, open.row[open.field])) this.#save(open.row, column.field, value)
    else this.#edits.forget(open.id, open.field)
    if (key === 'Tab') return this.#editNext(back ? -1 : 1)
    this.#wantsFocus = key !== ''
  }

  readonly #cancelled = (event: Event): void => {
    const open = this.#edits.open
    if (!open) return
    event.stopPropagation()
    this.#edits.close()
    this.#edits.forget(open.id, open.field)
    this.#wantsFocus = true
  }

  #editNext(by: 1 | -1): void {
    let cell = (this.#cell ?? 0) + by
    while (cell >= 0 && cell < this.#drawn.length) {
      const field = this.#drawn[cell]?.field
      if (field && this.#isWritable(field)) {
        this.#startEdit(cell)
        return
      }
      cell += by
    }
    this.#wantsFocus = true
  }

  #save(row: RecordJson, field: FieldMeta, value: unknown): void {
    let saved: Promise<unknown> | undefined
    const until = (promise: Promise<unknown>) => {
      saved = promise
    }
    this.tell('socle-edit', { id: row.id, row, field: field.name, value, until } satisfies TableEdit)
    if (!saved) return this.#edits.forget(row.id, field.name)
    this.#edits.save(row.id, field.name, value, saved).then(
      () => announce(t('kit.table.saved', { field: field.label })),
      (reason: string) => this.#refused(row, field, reason),
    )
  }

  /** The cell keeps what was typed; it opens again unless the user is already busy elsewhere. */
  #refused(row: RecordJson, field: FieldMeta, reason: string): void {
    announce(t('kit.table.failed', { field: field.label, reason }), 'assertive')
    const isStillThere = !this.#edits.open && this.#activeId === row.id && this.matches(':focus-within')
    if (!isStillThere) return
    this.#startEdit(this.#drawn.findIndex((it) => it.field.name === field.name))
  }
}

function rowIndexOf(target: EventTarget | null | undefined): number | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('.row[data-index]') : undefined
  return row?.dataset['index'] === undefined ? undefined : Number(row.dataset['index'])
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === ''
}

/** Empty is empty however it is written; `"12.50"` and `"12.5000"` are one amount. */
function isSame(one: unknown, other: unknown): boolean {
  if (isEmpty(one) && isEmpty(other)) return true
  if (one === other) return true
  const isDecimal = (it: unknown) => typeof it === 'string' && /^-?\d+(\.\d+)?$/.test(it)
  const plain = (it: unknown) =>
    String(it)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  return isDecimal(one) && isDecimal(other) && plain(one) === plain(other)
}
