import {
  announce,
  controls,
  format,
  icon,
  KitElement,
  live,
  navigate,
  records,
  resource,
  shell,
  t,
  toast,
} from '@socle/sdk/ui'
import type {
  AggregateRow,
  FieldMeta,
  ListQuery,
  RecordJson,
  ResourceMeta,
  SocleTable,
  TableEdit,
  TableSelection,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues, TemplateResult } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { shortcuts } from '../shortcuts.ts'
import type { Shortcut } from '../shortcuts.ts'
import { hrefAsOf, lookOnly } from './as-of.ts'
import { menuActions, rowActions } from './list-actions.ts'
import type { ListAction, ListPlace } from './list-actions.ts'
import { emptyListState, isBare, readListState, stateOfView, writeListState } from './list-state.ts'
import type { ListState } from './list-state.ts'
import { MediaQuery, narrow } from './media-query.ts'
import { onUndone } from './own-changes.ts'
import { RecordList, sumsByCurrency } from './record-list.ts'
import { createLabel, fieldOf, fieldsOf, hrefOf, includesFor, inSentence, moduleOf, titleOf } from './resources.ts'
import { asleepNotice } from './asleep-notice.ts'
import { startingView, viewById } from './saved-views.ts'
import type { ShellFilterBar } from './shell-filter-bar.ts'
import { ShellPopover } from './shell-popover.ts'
import { ShellViewTabs } from './shell-view-tabs.ts'
import { staleNotice } from './stale-notice.ts'
import { keepTrail } from './trail.ts'

define('shell-popover', ShellPopover)
define('shell-view-tabs', ShellViewTabs)

const searchPause = 150

/** Lists left behind, so that coming back shows them at once, where they were. */
const left = new Map<string, { list: RecordList; key: string; focus: string | undefined }>()

/** The records of any resource: table or board, filtered, sorted and searched by the address. */
export class ShellRecordList extends KitElement {
  static override properties = {
    resource: {},
    url: { attribute: false },
    params: { attribute: false },
    selection: { state: true },
    sums: { state: true },
    menu: { state: true },
    dialog: { state: true },
    focused: { state: true },
    sheet: { state: true },
  }

  declare resource: string
  declare url: URL | undefined
  declare params: Readonly<Record<string, string>> | undefined
  declare private selection: ReadonlySet<string>
  declare private sums: readonly AggregateRow[]
  declare private menu: 'sort' | 'columns' | undefined
  /** What an action shows over the list. */
  declare private dialog: TemplateResult | undefined
  /** Row the keyboard is on. */
  declare private focused: string | undefined
  /** On a phone: filter, sort and columns are a sheet. */
  declare private sheet: boolean

  #list = new RecordList(() => this.requestUpdate())
  #state: ListState = emptyListState
  #opened = ''
  #allChosen = false
  #pause: ReturnType<typeof setTimeout> | undefined
  #sumTurn = 0
  #sumPause: ReturnType<typeof setTimeout> | undefined
  #stop: (() => void)[] = []
  #focusWanted: string | undefined
  readonly #narrow = new MediaQuery(this, narrow)

  constructor() {
    super()
    this.selection = new Set()
    this.sums = []
    this.sheet = false
  }

  get meta(): ResourceMeta {
    // The router shows this screen only for a resource of the document.
    const meta = resource(this.resource)!
    return this.#state.asOf ? lookOnly(meta) : meta
  }

  get #isBoard(): boolean {
    return this.#state.kind === 'kanban' && !this.#state.asOf
  }

  get #isCalendar(): boolean {
    return this.#state.kind === 'calendar' && !this.#state.asOf
  }

  /** Rows stand in a table; boards and calendars read for themselves what they show. */
  get #isTable(): boolean {
    return !this.#isBoard && !this.#isCalendar
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => void this.#hear(event)),
      onUndone((change) => change.resource === this.resource && this.#reload()),
      shortcuts.add(this.#keys()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    clearTimeout(this.#pause)
    clearTimeout(this.#sumPause)
    this.#list.changed = () => undefined
    if (this.#list.rows.length) {
      left.set(this.resource, { list: this.#list, key: this.#opened, focus: this.#state.peek ?? this.focused })
    }
  }

  override willUpdate(changed: PropertyValues): void {
    if (!this.resource || !resource(this.resource)) return
    const isOther = changed.has('resource') && changed.get('resource') !== undefined
    if (isOther) {
      this.#list.close()
      this.#list = new RecordList(() => this.requestUpdate())
      this.#opened = ''
      this.selection = new Set()
    }
    if (changed.has('url') || isOther) this.#readAddress(changed.get('resource') !== undefined || !this.hasUpdated)
    this.#openIfNew()
    if (this.#state.creating)
      void import('./shell-record-form.ts').then((it) => this.#define('shell-record-form', it.ShellRecordForm))
    if (this.#state.peek)
      void import('./shell-record-peek.ts').then((it) => this.#define('shell-record-peek', it.ShellRecordPeek))
    if (this.#isBoard)
      void import('./socle-records-board.ts').then((it) => this.#define('socle-records-board', it.SocleRecordsBoard))
    if (this.#isCalendar)
      void import('./shell-records-calendar.ts').then((it) =>
        this.#define('shell-records-calendar', it.ShellRecordsCalendar),
      )
    if (this.#state.filter) this.#loadFilters()
  }

  override updated(): void {
    if (!resource(this.resource)) return
    setPage(this, this.#page())
    const wanted = this.#focusWanted
    if (wanted && this.#list.byId(wanted)) {
      this.#focusWanted = undefined
      requestAnimationFrame(() => this.#table?.focusRow(wanted))
    }
  }

  // ——— views ———

  /** The address; a bare one opens the view its reader starts with, and one of a view that is gone the whole list. */
  #readAddress(isArriving: boolean): void {
    const search = this.url?.search ?? location.search
    const starting = isArriving && isBare(search) ? startingView(this.meta) : undefined
    const state = readListState(search, viewById)
    this.#state = starting ? { ...stateOfView(starting), peek: state.peek, creating: state.creating } : state
    const isGone = state.view !== undefined && viewById(state.view)?.resource !== this.resource
    if (isGone) {
      this.#state = { ...state, view: undefined }
      toast({ text: t('shell.views.gone') })
    }
    if (starting || isGone) navigate(this.#address(this.#state), { replace: true })
  }

  #address(state: ListState): string {
    const text = writeListState(state, viewById)
    // Without a word a list opens in the reader's own view: the whole list then has to be asked for.
    const isWhole = !state.view && isBare(text) && startingView(this.meta) !== undefined
    return `${this.meta.route}${isWhole ? `?view=table${text && `&${text.slice(1)}`}` : text}`
  }

  #loadFilters(): void {
    void import('./shell-filter-bar.ts').then((it) => this.#define('shell-filter-bar', it.ShellFilterBar))
  }

  // ——— rows ———

  get #columns(): FieldMeta[] {
    const names = this.#state.columns ?? this.meta.list
    const own = names.includes(this.meta.title) ? names : [this.meta.title, ...names]
    return fieldsOf(this.meta, own)
  }

  get #query(): ListQuery {
    const { filter, q, sort, asOf } = this.#state
    const include = includesFor(this.#columns)
    return {
      count: 'estimate',
      ...(filter ? { filter } : {}),
      ...(q ? { q } : {}),
      ...(sort ? { sort } : {}),
      ...(include.length ? { include } : {}),
      ...(asOf ? { asOf } : {}),
    }
  }

  #openIfNew(): void {
    const key = JSON.stringify([this.resource, this.#query])
    if (key === this.#opened) return
    const isFirst = this.#opened === ''
    this.#opened = key
    this.#sum()
    const earlier = isFirst ? left.get(this.resource) : undefined
    if (earlier && earlier.key === key) {
      this.#list = earlier.list
      this.#list.changed = () => this.requestUpdate()
      this.#focusWanted = earlier.focus
      if (this.#isTable) void this.#list.reload()
      return
    }
    if (!this.#isTable) return
    void this.#list.open(this.resource, this.#query).then(() => {
      if (!isFirst && this.#list.status === 'ready') this.#announceCount()
    })
  }

  #reload(): void {
    this.#sum()
    if (this.#isTable) void this.#list.reload()
    else this.#board?.reload()
  }

  /** Figures of the foot; asked for together with the rows, never instead of them. */
  #sum(): void {
    clearTimeout(this.#sumPause)
    this.#sumPause = setTimeout(() => void this.#readSums(), 30)
  }

  async #readSums(): Promise<void> {
    const turn = ++this.#sumTurn
    const fields = this.#summed
    const { filter, q, asOf } = this.#state
    const currencies = [...new Set(fields.flatMap((it) => it.currency ?? []))]
    const query = {
      groupBy: currencies,
      measures: ['count', ...fields.map((it) => `sum:${it.name}`)],
      ...(filter ? { filter } : {}),
      ...(q ? { q } : {}),
      ...(asOf ? { asOf } : {}),
    }
    const answer = await records(this.resource)
      .aggregate(query)
      .catch(() => undefined)
    // A failed reading leaves the figures of the rows that stay on screen.
    if (answer && turn === this.#sumTurn) this.sums = answer.data
  }

  get #summed(): FieldMeta[] {
    const { meta } = this
    const kanban = [meta.kanban?.sum, meta.kanban?.weighted].filter((it): it is string => !!it)
    const names = new Set([...this.#columns.filter((it) => it.type === 'money').map((it) => it.name), ...kanban])
    return fieldsOf(meta, [...names]).filter((it) => !it.masked && (it.type === 'money' || it.type === 'decimal'))
  }

  /** How many rows there are: the figures' count is exact, the list's may be an estimate. */
  get #total(): number | undefined {
    const counted = this.sums.length ? this.sums.reduce((sum, it) => sum + Number(it.count ?? 0), 0) : undefined
    return counted ?? this.#list.count ?? undefined
  }

  async #hear(event: {
    resource: string
    id: string
    action: 'create' | 'update' | 'delete' | 'restore'
    version: number
  }): Promise<void> {
    if (event.resource !== this.resource || this.#state.asOf) return
    const before = this.#list.arrived.size
    const concerned = await this.#list.hear(event)
    if (concerned || !this.#isTable) this.#sum()
    if (this.#list.arrived.size > before) announce(t('shell.records.arrived', { count: this.#list.arrived.size }))
  }

  #announceCount(): void {
    announce(t('shell.records.found', { count: this.#list.total, name: inSentence(this.meta.name.many) }))
  }

  // ——— address ———

  #go(part: Partial<ListState>, { replace = false } = {}): void {
    this.#state = { ...this.#state, ...part }
    navigate(this.#address(this.#state), { replace })
    this.requestUpdate()
  }

  /** What was chosen of how the list is shown. */
  readonly #part = (event: CustomEvent<Partial<ListState>>): void => this.#go(event.detail, { replace: true })

  #peek(id: string | undefined): void {
    const isOpen = this.#state.peek !== undefined
    this.#go({ peek: id, creating: false }, { replace: isOpen && id !== undefined })
  }

  #closePanel(): void {
    const { peek } = this.#state
    this.#go({ peek: undefined, creating: false })
    const back = peek ?? this.focused
    void this.updateComplete.then(() => {
      if (!this.#isTable) this.#board?.focusCard(back)
      else if (back) this.#table?.focusRow(back)
    })
  }

  async #step(by: number): Promise<void> {
    const at = this.#list.indexOf(this.#state.peek)
    if (at < 0) return
    if (at + by >= this.#list.rows.length - 5) await this.#list.more()
    const next = this.#list.rows[at + by]
    if (next) this.#peek(next.id)
  }

  #open(id: string): void {
    this.#keepTrail()
    navigate(this.#hrefOf(id))
  }

  // The table is drawn once more while a session ends, when there is no resource any longer.
  readonly #hrefOfRow = ({ id }: RecordJson): string | undefined =>
    resource(this.resource) ? this.#hrefOf(id) : undefined

  #hrefOf(id: string): string {
    return hrefAsOf(hrefOf(this.meta, id), this.#state.asOf)
  }

  #keepTrail(): void {
    keepTrail({
      resource: this.resource,
      query: this.#query,
      ids: this.#list.rows.map((it) => it.id),
      next: this.#list.next,
      count: this.#total ?? null,
      href: this.#address({ ...this.#state, peek: undefined }),
    })
  }

  #keys(): Shortcut[] {
    const shortcut = (keys: string, title: string, run: () => void): Shortcut => ({ keys, title, group: 'screen', run })
    return [
      shortcut('j', t('shell.records.keys.down'), () => this.#enterRows()),
      shortcut('k', t('shell.records.keys.up'), () => this.#enterRows()),
      shortcut('/', t('shell.records.keys.search'), () => this.#focusSearch()),
      shortcut(
        'c',
        t('shell.records.keys.create'),
        () => this.meta.may.create && this.#go({ creating: true, peek: undefined }),
      ),
      shortcut('f', t('shell.records.keys.filter'), () => void this.#addFilter()),
      shortcut('[', t('shell.records.keys.previous'), () => void this.#step(-1)),
      shortcut(']', t('shell.records.keys.next'), () => void this.#step(1)),
      shortcut('Escape', t('shell.records.keys.back'), () => this.#back()),
    ]
  }

  /** One level back: the panel, then the selection. */
  #back(): void {
    if (this.#state.peek || this.#state.creating) this.#closePanel()
    else if (this.selection.size) this.#select(new Set())
  }

  /** The table hears its own keys; from elsewhere on the page they lead into it. */
  #enterRows(): void {
    const row = this.#state.peek ?? this.focused ?? this.#list.rows[0]?.id
    if (row && this.#isTable) this.#table?.focusRow(row)
  }

  #focusSearch(): void {
    this.renderRoot.querySelector<HTMLInputElement>('.search input')?.focus()
  }

  // ——— changes ———

  readonly #edit = (event: CustomEvent<TableEdit>): void => {
    const { row, field, value, until } = event.detail
    until(this.#save(row, field, value))
  }

  async #save(row: RecordJson, field: string, value: unknown): Promise<void> {
    const shown = this.#list.byId(row.id) ?? row
    this.#list.replace({ ...shown, [field]: value })
    // A row that others changed meanwhile is newer than the one to go back to.
    const goBack = () => {
      if ((this.#list.byId(row.id)?.version ?? 0) <= shown.version) this.#list.replace(shown)
    }
    try {
      const { changeFilling } = await import('./record-move.ts')
      const saved = await changeFilling(this.meta, row, { [field]: value }, { included: this.#list.included })
      if (saved) this.#list.replace(saved)
      else goBack()
      const meta = fieldOf(this.meta, field)
      if (meta && includesFor([meta]).length) await this.#list.refresh(row.id)
      this.#sum()
    } catch (error) {
      goBack()
      throw error
    }
  }

  #select(selection: ReadonlySet<string>, all = false): void {
    this.selection = selection
    this.#allChosen = all
  }

  /** The list as an action finds it. */
  get #place(): ListPlace {
    const rows = this.#list.rows.filter((it) => this.selection.has(it.id))
    const total = this.#total ?? this.#list.total
    return {
      meta: this.meta,
      query: this.#query,
      columns: this.#columns.map(({ name }) => name),
      rows,
      all: this.#allChosen,
      total,
      isNarrow: this.#narrow.matches,
      asOf: this.#state.asOf,
      lookAt: (asOf) => this.#go({ asOf, peek: undefined }),
      show: (dialog) => (this.dialog = dialog),
      close: () => (this.dialog = undefined),
      drop: (ids) => this.#list.drop(ids),
      refresh: () => {
        this.#select(new Set())
        this.#reload()
      },
    }
  }

  readonly #created = (event: CustomEvent<{ record: RecordJson; another: boolean }>): void => {
    const { record, another } = event.detail
    if (!this.#isTable) this.#board?.reload()
    else {
      this.#list.prepend(record)
      void this.#list.refresh(record.id)
    }
    this.#sum()
    if (!another) this.#go({ creating: false, peek: record.id }, { replace: true })
  }

  #define(tag: string, element: CustomElementConstructor): void {
    if (customElements.get(tag)) return
    define(tag, element)
    this.requestUpdate()
  }

  get #table(): SocleTable | null {
    return this.renderRoot.querySelector('socle-table')
  }

  get #board() {
    return this.renderRoot.querySelector<HTMLElement & { reload(): void; focusCard(id: string | undefined): void }>(
      'socle-records-board, shell-records-calendar',
    )
  }

  // ——— words ———

  #page() {
    const { meta } = this
    const module = moduleOf(meta)
    const total = this.#total
    return {
      title: meta.name.many,
      ...(module ? { crumbs: [{ title: module }] } : {}),
      ...(total === undefined ? {} : { count: format.number(total) }),
      documentTitle: this.#documentTitle(),
      actions: html`
        ${
          meta.may.import && !this.#narrow.matches
            ? html`<a class="button" href="${meta.route}/import">${icon('upload')}${t('shell.records.import')}</a>`
            : nothing
        }
        ${
          meta.may.create
            ? html`<button class="button primary" @click=${() => this.#go({ creating: true, peek: undefined })}>
                ${this.#narrow.matches ? icon('plus') : nothing}${this.#narrow.matches ? t('shell.records.createShort') : createLabel(meta)}
              </button>`
            : nothing
        }
        ${this.#menu()}
      `,
    }
  }

  /** What is done now and then, beside the two buttons. */
  #menu() {
    const place = this.#place
    const actions = menuActions.filter((it) => it.offered(place))
    if (actions.length === 0) return nothing
    return html`<socle-menu
      icon-only
      icon="ellipsis"
      align="end"
      .label=${t('shell.records.page.more')}
      .items=${actions.map((it) => ({
        id: it.id,
        label: it.label(place),
        ...(it.icon ? { icon: it.icon } : {}),
        ...(it.href ? { href: it.href(place) } : {}),
      }))}
      @socle-choose=${(event: CustomEvent<{ id: string }>) => this.#act(actions, event.detail.id)}
    ></socle-menu>`
  }

  #act(actions: readonly ListAction[], id: string): void {
    void actions.find((it) => it.id === id)?.run?.(this.#place)
  }

  #documentTitle(): string {
    const { meta } = this
    const at = this.#list.indexOf(this.#state.peek)
    const row = this.#list.rows[at]
    if (!row) return meta.name.many
    const position = t('shell.records.position', {
      position: at + 1,
      total: Math.max(this.#total ?? 0, this.#list.rows.length),
    })
    return `${position}, ${titleOf(meta, row)}, ${meta.name.many}`
  }

  override render() {
    if (!this.resource || !resource(this.resource)) return nothing
    return html`
      ${this.#tabs()}${this.#bar()}
      <div class="body">
        <section class="rows" aria-label=${this.meta.name.many}>
          ${this.#notice()}${this.#isBoard ? this.#boardView() : this.#isCalendar ? this.#calendarView() : this.#tableView()}
        </section>
        ${this.#panel()}
      </div>
      ${this.#foot()} ${this.dialog ?? nothing}
    `
  }

  #tabs() {
    return html`<shell-view-tabs
      .meta=${this.meta}
      .state=${this.#state}
      .plain=${this.#address(emptyListState)}
      @view-open=${(event: CustomEvent<ListState>) => this.#go({ ...event.detail, peek: undefined })}
    ></shell-view-tabs>`
  }

  #bar() {
    const views = this.#state.asOf
      ? nothing
      : html`<nav class="segments" aria-label=${t('shell.records.views')}>
          ${(['table', 'kanban', 'calendar'] as const).map(
            (kind) =>
              html`<a
                class="button small"
                href=${this.#address({ ...this.#state, kind, peek: undefined })}
                aria-current=${this.#state.kind === kind ? 'page' : nothing}
                aria-label=${t(`shell.records.view.${kind}`)}
                title=${t(`shell.records.view.${kind}`)}
              >
                ${icon(kind)}<span class="word">${t(`shell.records.view.${kind}`)}</span>
              </a>`,
          )}
        </nav>`
    if (this.#narrow.matches) {
      const chosen = this.#state.filter ? ' on' : ''
      return html`<div class="bar">
          ${views}${this.#search()}${this.#past()}
          <button class="button small${chosen}" aria-expanded=${this.sheet} @click=${() => (this.sheet = !this.sheet)}>
            ${icon('list-filter')}<span class="visually-hidden">${t('shell.records.arrange')}</span>
          </button>
        </div>
        ${
          this.sheet
            ? html`<div class="sheet">
                ${this.#filters()}
                <div class="arrange">${this.#arrange()}</div>
              </div>`
            : nothing
        }`
    }
    return html`<div class="bar">
      ${views}${this.#search()}${this.#past()}${this.#filters()}<span class="arrange">${this.#arrange()}</span>
    </div>`
  }

  /** The chip of a list as it was; the way back to now is on it. */
  #past() {
    const { asOf } = this.#state
    if (!asOf) return nothing
    const time = format.instant(asOf)
    return html`<span class="past">
      <button
        class="button small"
        title=${t('shell.records.asOf.readonly')}
        @click=${() => this.#act(menuActions, 'as-of')}
      >
        ${icon('history')}${t('shell.records.asOf.chip', { time })}
      </button>
      <button
        class="icon-button"
        aria-label=${t('shell.records.asOf.now')}
        title=${t('shell.records.asOf.now')}
        @click=${() => this.#go({ asOf: undefined, peek: undefined })}
      >
        ${icon('x')}
      </button>
    </span>`
  }

  #search() {
    const { meta } = this
    const label = t('shell.records.search', { many: inSentence(meta.name.many) })
    return html`<div class="search" role="search">
      ${icon('search')}
      <input
        class="input"
        type="search"
        autocomplete="off"
        aria-label=${label}
        placeholder=${t('shell.records.searchShort')}
        .value=${this.#state.q}
        @input=${(event: InputEvent) => this.#searched((event.target as HTMLInputElement).value)}
        @keydown=${this.#searchKey}
      />
      ${this.#state.q ? nothing : html`<kbd class="kbd" aria-hidden="true">/</kbd>`}
    </div>`
  }

  #searched(text: string): void {
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => this.#go({ q: text.trim() }, { replace: true }), searchPause)
  }

  readonly #searchKey = (event: KeyboardEvent): void => {
    const input = event.target as HTMLInputElement
    if (event.key === 'Escape') {
      event.stopPropagation()
      if (input.value) {
        input.value = ''
        this.#searched('')
      } else this.#table?.focus()
    }
    const first = this.#list.rows[0]
    if ((event.key === 'ArrowDown' || event.key === 'Enter') && first) {
      event.preventDefault()
      this.#table?.focusRow(first.id)
    }
  }

  async #addFilter(): Promise<void> {
    this.#loadFilters()
    await customElements.whenDefined('shell-filter-bar')
    await this.updateComplete
    this.renderRoot.querySelector<ShellFilterBar>('shell-filter-bar')?.add()
  }

  #filters() {
    // Nothing to show of a filter yet: the button is enough, and the rest comes with the first one.
    if (!this.#state.filter && !customElements.get('shell-filter-bar')) {
      return html`<button class="button small ghost" @click=${() => void this.#addFilter()}>
        ${icon('plus')}${t('shell.records.filter.add')}
      </button>`
    }
    return html`<shell-filter-bar
      .meta=${this.meta}
      .filter=${this.#state.filter}
      .problem=${this.#filterProblem}
      @list-go=${this.#part}
    ></shell-filter-bar>`
  }

  /** A filter the server cannot read is a fault of the filter's text, not of the list. */
  get #filterProblem(): string | undefined {
    const { problem } = this.#list
    if (!problem || !this.#state.filter) return undefined
    return /^(EXPRESSION_|FIELD_NOT_READABLE)/.test(problem.code) ? problem.detail : undefined
  }

  #arrange() {
    const { sort } = this.#state
    const by = fieldOf(this.meta, sort.split(',')[0]!.replace(/^-/, ''))
    const sortLabel = by ? by.label : t('shell.records.sort.label')
    const open = (menu: 'sort' | 'columns') => (event: Event) =>
      void this.#openMenu(menu, event.currentTarget as HTMLElement)
    return html`
      <button
        class="button small ${by ? 'on' : ''}"
        title=${t('shell.records.sort.label')}
        aria-haspopup="dialog"
        @click=${open('sort')}
      >
        ${icon(by ? (sort.startsWith('-') ? 'arrow-down' : 'arrow-up') : 'sort')}<span>${sortLabel}</span>
        ${by ? html`<span class="visually-hidden">${t(sort.startsWith('-') ? 'shell.records.sort.descending' : 'shell.records.sort.ascending')}</span>` : nothing}
      </button>
      ${
        !this.#isTable
          ? nothing
          : html`<button
              class="button small ${this.#state.columns ? 'on' : ''}"
              title=${t('shell.records.columns.label')}
              aria-haspopup="dialog"
              @click=${open('columns')}
            >
              ${icon('columns')}<span>${t('shell.records.columns.label')}</span>
            </button>`
      }
      <shell-popover
        align="end"
        label=${t(this.menu === 'columns' ? 'shell.records.columns.label' : 'shell.records.sort.label')}
        @popover-closed=${() => (this.menu = undefined)}
      >
        ${
          this.menu === 'sort'
            ? html`<shell-sort-menu .meta=${this.meta} .sort=${sort} @list-go=${this.#part}></shell-sort-menu>`
            : nothing
        }
        ${
          this.menu === 'columns'
            ? html`<shell-columns-menu
                .meta=${this.meta}
                .columns=${this.#columns.map((it) => it.name)}
                .density=${this.#state.density}
                @list-go=${this.#part}
              ></shell-columns-menu>`
            : nothing
        }
      </shell-popover>
    `
  }

  async #openMenu(menu: 'sort' | 'columns', anchor: HTMLElement): Promise<void> {
    const [sorting, columns] = await Promise.all([import('./shell-sort-menu.ts'), import('./shell-columns-menu.ts')])
    define('shell-sort-menu', sorting.ShellSortMenu)
    define('shell-columns-menu', columns.ShellColumnsMenu)
    const popover = this.renderRoot.querySelector<ShellPopover>('.arrange shell-popover')
    const isSame = this.menu === menu
    this.menu = menu
    await this.updateComplete
    if (isSame) popover?.toggle(anchor)
    else popover?.show(anchor)
  }

  #notice() {
    const list = this.#list
    const isStale = list.status === 'failed' && list.rows.length > 0 && !this.#filterProblem
    const { view } = this.#state
    const sleeping = view && viewById(view)?.sleeping
    return html`${sleeping ? asleepNotice(sleeping) : nothing}${isStale ? staleNotice(list, () => this.#reload()) : nothing}`
  }

  #tableView() {
    const list = this.#list
    if (list.rows.length === 0 && (list.status === 'failed' || list.status === 'ready' || this.#filterProblem))
      return this.#noRows()
    return html`<socle-table
      density=${this.#state.density ?? nothing}
      .resource=${this.resource}
      .columns=${this.#columns}
      .rows=${list.rows}
      .included=${list.included}
      .sort=${this.#state.sort}
      .selected=${this.selection}
      .loading=${list.loading}
      .stale=${list.status === 'failed' || (list.loading && list.rows.length > 0)}
      .total=${this.#total}
      .titleField=${this.meta.title}
      .href=${this.#hrefOfRow}
      .current=${this.#state.peek ?? ''}
      .label=${this.meta.name.many}
      .editable=${this.meta.may.update}
      .selectable=${this.meta.may.update || this.meta.may.delete}
      .more=${list.next !== null}
      @socle-open=${(event: CustomEvent<{ id: string }>) => {
        event.preventDefault()
        this.#open(event.detail.id)
      }}
      @socle-peek=${(event: CustomEvent<{ id: string }>) => this.#peek(event.detail.id === this.#state.peek ? undefined : event.detail.id)}
      @socle-sort=${this.#part}
      @socle-select=${(event: CustomEvent<TableSelection>) => this.#select(event.detail.selected, event.detail.all)}
      @socle-edit=${this.#edit}
      @socle-more=${() => void list.more()}
      @socle-focus=${(event: CustomEvent<{ id: string }>) => (this.focused = event.detail.id)}
    ></socle-table>`
  }

  #boardView() {
    const { filter, q, sort } = this.#state
    return html`<socle-records-board
      .resource=${this.resource}
      .filter=${filter}
      .q=${q}
      .sort=${sort}
      .scope=${this.#state.scope}
      .by=${this.#state.by}
      .view=${this.#state}
      .current=${this.#state.peek ?? ''}
      @list-go=${this.#part}
      @socle-open=${(event: CustomEvent<{ id: string }>) => navigate(hrefOf(this.meta, event.detail.id))}
      @socle-peek=${(event: CustomEvent<{ id: string }>) => this.#peek(event.detail.id)}
      @board-changed=${() => this.#sum()}
    ></socle-records-board>`
  }

  #calendarView() {
    return html`<shell-records-calendar
      .meta=${this.meta}
      .state=${this.#state}
      @list-go=${this.#part}
      @calendar-peek=${(event: CustomEvent<{ id: string }>) => this.#peek(event.detail.id)}
    ></shell-records-calendar>`
  }

  #noRows() {
    const { filter, q } = this.#state
    void import('./shell-no-rows.ts').then((it) => define('shell-no-rows', it.ShellNoRows))
    return html`<shell-no-rows
      .meta=${this.meta}
      .problem=${this.#list.problem}
      .filter=${this.#filterProblem ? 'faulty' : !this.#list.problem && (filter || q) ? 'narrow' : undefined}
      @list-retry=${() => this.#reload()}
      @list-clear=${() => this.#go({ filter: '', ...(this.#filterProblem ? {} : { q: '' }) })}
      @list-create=${() => this.#go({ creating: true })}
    ></shell-no-rows>`
  }

  #panel() {
    const { peek, creating } = this.#state
    if (creating && this.meta.may.create) {
      return html`<socle-panel open .heading=${createLabel(this.meta)} @socle-close=${this.#panelClosed}>
        <shell-record-form
          .meta=${this.meta}
          .defaults=${this.#defaults}
          @record-created=${this.#created}
          @form-closed=${() => this.#closePanel()}
        ></shell-record-form>
      </socle-panel>`
    }
    if (!peek) return nothing
    const at = this.#list.indexOf(peek)
    const row = this.#list.rows[at]
    return html`<socle-panel
      open
      .label=${row ? titleOf(this.meta, row) : this.meta.name.one}
      .position=${at >= 0 ? at + 1 : undefined}
      .total=${Math.max(this.#total ?? 0, this.#list.rows.length)}
      .href=${this.#hrefOf(peek)}
      @socle-close=${this.#panelClosed}
      @socle-step=${(event: CustomEvent<{ by: number }>) => void this.#step(event.detail.by)}
      @socle-expand=${() => this.#keepTrail()}
    >
      <shell-record-peek
        .meta=${this.meta}
        .recordId=${peek}
        .asOf=${this.#state.asOf}
        .row=${row}
        .included=${this.#list.included}
        @record-changed=${(event: CustomEvent<RecordJson>) => this.#changed(event.detail)}
        @record-gone=${() => this.#goneInPanel(peek)}
      ></shell-record-peek>
    </socle-panel>`
  }

  // The dialogs inside the panel say `socle-close` too, and that event crosses shadow roots.
  readonly #panelClosed = (event: Event): void => {
    if (event.target === event.currentTarget) this.#closePanel()
  }

  #goneInPanel(id: string): void {
    this.#list.drop([id])
    this.#closePanel()
    this.#sum()
  }

  #changed(record: RecordJson): void {
    if (!this.#isTable) {
      this.#board?.reload()
      this.#sum()
      return
    }
    this.#list.replace(record)
    void this.#list.refresh(record.id)
    this.#sum()
  }

  /** On a board of one pipeline a new record belongs to that pipeline. */
  get #defaults(): Readonly<Record<string, unknown>> {
    const board = !this.#isTable
      ? (this.#board as unknown as { defaults?: Readonly<Record<string, unknown>> } | null)
      : null
    return board?.defaults ?? {}
  }

  #foot() {
    const chosen = this.selection.size
    if (chosen && this.#isTable) return this.#bulkBar(chosen)
    const total = this.#total
    const at = this.#list.indexOf(this.#state.peek ?? this.focused)
    return html`<footer class="foot">
      ${
        total === undefined || this.#narrow.matches
          ? nothing
          : html`<span class="number"
              >${t('shell.records.count', {
                count: total,
                one: inSentence(this.meta.name.one),
                many: inSentence(this.meta.name.many),
              })}</span
            >`
      }
      ${this.#news()} ${this.#figures()}
      ${
        at >= 0 && this.#isTable && total !== undefined
          ? html`<span class="position number"
              >${t('shell.records.position', { position: at + 1, total: Math.max(total, this.#list.rows.length) })}</span
            >`
          : nothing
      }
    </footer>`
  }

  /** Stands in the foot: over the rows it would cover one somebody is reading or writing in. */
  #news() {
    const news = this.#list.arrived.size
    const gone = this.#list.gone.size
    if ((!news && !gone) || !this.#isTable) return nothing
    return html`<button class="news" title=${t('shell.records.showNews')} @click=${() => this.#reload()}>
      ${icon('refresh-cw')}${news ? t('shell.records.arrived', { count: news }) : nothing}
      ${gone ? t('shell.records.gone', { count: gone }) : nothing}
    </button>`
  }

  #figures() {
    const base = shell()?.workspace.baseCurrency ?? 'EUR'
    const fields = this.#summed
    const figures = fields.map((it) => sumsByCurrency(this.sums, `sum:${it.name}`, it.currency, base))
    // Cents in one figure are written in all of them.
    const hasCents = figures.some((sums) => sums.some(([, value]) => !/\.0*$/.test(value)))
    const digits = this.#narrow.matches || !hasCents ? 'none' : 'full'
    return fields.map((field, at) => {
      const sums = figures[at]!
      if (sums.length === 0) return nothing
      const label =
        field.name === this.meta.kanban?.weighted
          ? t('shell.records.weighted')
          : fields.filter((it) => it.name !== this.meta.kanban?.weighted).length === 1 &&
              this.#columns.some((it) => it.name === field.name)
            ? t('shell.records.sum')
            : field.label
      return html`<span class="figure"
        >${label}
        <b class="number"
          >${sums.map(([currency, value]) => format.money(value, currency, digits)).join(' + ')}</b
        ></span
      >`
    })
  }

  #bulkBar(chosen: number) {
    const place = this.#place
    const actions = rowActions.filter((it) => it.offered(place))
    return html`<footer class="foot bulk" role="toolbar" aria-label=${t('shell.records.bulk.label')}>
      <b class="number">${t('shell.records.bulk.selected', { count: chosen })}</b>
      ${actions.map(
        (it) =>
          html`<button class="button small" @click=${() => this.#act(actions, it.id)}>
            ${it.icon ? icon(it.icon) : nothing}${it.label(place)}
          </button>`,
      )}
      <button class="button small ghost" @click=${() => this.#select(new Set())}>
        ${t('shell.records.bulk.clear')}
      </button>
    </footer>`
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        flex: 1;
        min-block-size: 0;
        min-inline-size: 0;
        background: var(--socle-surface);
      }
      .bar {
        display: flex;
        flex: none;
        align-items: center;
        gap: 8px;
        block-size: var(--socle-filterbar);
        padding: 0 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      .segments {
        flex: none;
      }
      .past {
        display: inline-flex;
        flex: none;
        align-items: center;
        border-radius: 6px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
      }
      .past .button,
      .past .icon-button {
        border-color: transparent;
        background: none;
        color: inherit;
      }
      .past .icon-button {
        inline-size: 28px;
        min-block-size: 28px;
      }
      .search {
        position: relative;
        display: flex;
        flex: 0 1 208px;
        align-items: center;
        min-inline-size: 96px;
      }
      .search .icon {
        position: absolute;
        inset-inline-start: 8px;
        inline-size: 14px;
        block-size: 14px;
        color: var(--socle-text-3);
        pointer-events: none;
      }
      .search .input {
        min-block-size: 28px;
        padding: 3px 8px 3px 28px;
        border-color: var(--socle-line);
        font: var(--socle-small);
      }
      .search:hover .input {
        border-color: var(--socle-control);
      }
      .search .kbd {
        position: absolute;
        inset-inline-end: 6px;
        line-height: 16px;
        pointer-events: none;
      }
      .search:focus-within .kbd {
        display: none;
      }
      .arrange {
        display: flex;
        flex: none;
        gap: 8px;
        margin-inline-start: auto;
      }
      .sheet {
        display: grid;
        gap: 12px;
        padding: 12px 16px;
        border-block-end: 1px solid var(--socle-line);
        background: var(--socle-page);
      }
      .body {
        display: flex;
        flex: 1;
        min-block-size: 0;
        min-inline-size: 0;
      }
      .rows {
        position: relative;
        display: flex;
        flex: 1;
        flex-direction: column;
        min-inline-size: 0;
        min-block-size: 0;
      }
      .rows > socle-table,
      .rows > socle-records-board {
        flex: 1;
        min-block-size: 0;
      }
      .rows > socle-empty {
        margin: auto;
      }
      [density='compact'] {
        --socle-row: 32px;
      }
      [density='comfortable'] {
        --socle-row: 44px;
      }
      .foot {
        display: flex;
        flex: none;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 16px;
        min-block-size: var(--socle-foot);
        padding: 0 16px;
        border-block-start: 1px solid var(--socle-line);
        color: var(--socle-text-2);
        font: var(--socle-meta);
        white-space: nowrap;
        overflow-x: auto;
        scrollbar-width: none;
      }
      .news {
        display: inline-flex;
        flex: none;
        align-items: center;
        gap: 6px;
        block-size: 24px;
        padding: 0 10px;
        border: 0;
        border-radius: 12px;
        background: var(--socle-accent);
        color: var(--socle-on-accent);
        font: var(--socle-meta);
        font-weight: 600;
        cursor: pointer;
      }
      .news .icon {
        inline-size: 12px;
        block-size: 12px;
      }
      .foot b {
        color: var(--socle-text);
        font-weight: 600;
      }
      .figure b {
        margin-inline-start: 2px;
      }
      .position {
        margin-inline-start: auto;
      }
      .foot.bulk {
        gap: 8px;
        block-size: 44px;
        background: var(--socle-accent-bg);
      }
      .foot.bulk b {
        margin-inline-end: 8px;
        color: var(--socle-accent);
      }
      @media (max-width: 1099.98px) {
        .arrange .button span:not(.visually-hidden) {
          position: absolute;
          inline-size: 1px;
          block-size: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
      @media (max-width: 599.98px) {
        .bar {
          flex-wrap: wrap;
          block-size: auto;
          min-block-size: var(--socle-filterbar);
          padding: 6px 12px;
        }
        .search {
          flex: 1;
        }
        .search .kbd,
        .segments .word {
          display: none;
        }
        .arrange {
          margin: 0;
        }
        .arrange .button span:not(.visually-hidden) {
          position: static;
          inline-size: auto;
          block-size: auto;
          clip-path: none;
        }
        .foot {
          padding: 0 12px;
        }
        .foot.bulk {
          block-size: 56px;
        }
      }
    `,
  ]
}
