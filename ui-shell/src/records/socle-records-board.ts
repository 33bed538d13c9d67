import {
  announce,
  avatar,
  controls,
  currencyOf,
  format,
  icon,
  KitElement,
  live,
  localDate,
  locale,
  pill,
  ProblemError,
  records,
  resource,
  shell,
  t,
} from '@socle/sdk/ui'
import type {
  BoardCard,
  BoardColumn,
  BoardGroup,
  BoardMove,
  BoardZone,
  FieldMeta,
  Included,
  MenuItem,
  RecordJson,
  ResourceMeta,
  SocleBoard,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues, TemplateResult } from 'lit'
import { define } from '../define.ts'
import { both, quote } from './filter-text.ts'
import type { ListState } from './list-state.ts'
import { MediaQuery, narrow } from './media-query.ts'
import { onUndone } from './own-changes.ts'
import { sumsByCurrency } from './record-list.ts'
import { moveRecord } from './record-move.ts'
import { fieldOf, fieldsOf, hrefOf, includesFor, mergeIncluded, titleOf } from './resources.ts'
import { scopeOf, scopesOf, stagesOf } from './stages.ts'
import type { Scope, Stage } from './stages.ts'
import { ShellNoRows } from './shell-no-rows.ts'
import { ShellPopover } from './shell-popover.ts'
import { staleNotice } from './stale-notice.ts'
import { boardPlan, groupableFields } from './view-plan.ts'
import type { BoardPlan } from './view-plan.ts'

define('shell-no-rows', ShellNoRows)
define('shell-popover', ShellPopover)

/** What a hook may answer: further values to write with the move, or `undefined` to leave the card where it was. */
export type MoveHook = (record: RecordJson, to: Stage) => Promise<Readonly<Record<string, unknown>> | undefined>

interface Lane {
  readonly stage: Stage
  /** Filter of the rows behind the column. */
  readonly filter: string
  cards: readonly RecordJson[]
  next: string | null
  count: number
  sum: string
  weighted: string
}

const pageSize = 20
/** Column of the records without a value. */
const none = ''

/**
 * Records of any resource in columns of one of its fields.
 *
 * Counts and sums come from the server over all records the actor may see, not from the cards on screen. A plugin that
 * replaces a board gives it `onMove`, `zones` and `drawCard` and keeps the rest.
 *
 * @fires socle-open, socle-peek - `detail.id`
 * @fires board-changed - a card was moved
 * @fires list-go - parts of the list's state that were chosen here: field of the columns, group of stages, cards, sums
 */
export class SocleRecordsBoard extends KitElement {
  static override properties = {
    resource: {},
    filter: {},
    q: {},
    sort: {},
    scope: {},
    by: {},
    view: { attribute: false },
    current: {},
    onMove: { attribute: false },
    zones: { attribute: false },
    drawCard: { attribute: false },
    lanes: { state: true },
    groups: { state: true },
    figure: { state: true },
    problem: { state: true },
    more: { state: true },
    chosen: { state: true },
    isCardOpen: { state: true },
  }

  declare resource: string
  declare filter: string
  declare q: string
  declare sort: string
  /** Which group of stages is shown; the first one when absent. */
  declare scope: string | undefined
  /** Field whose values are the columns; the resource's own when absent. */
  declare by: string | undefined
  /** What of the cards and sums is not the resource's own. */
  declare view: Pick<ListState, 'card' | 'sums'> | undefined
  declare current: string
  /** Asked before each move. */
  declare onMove: MoveHook | undefined
  declare zones: readonly BoardZone[]
  /** Instead of the resource's own card. */
  declare drawCard: ((record: RecordJson, included: Included) => TemplateResult) | undefined
  declare private lanes: readonly Lane[]
  declare private groups: readonly Stage[]
  declare private figure: 'sum' | 'weighted'
  declare private problem: ProblemError | undefined
  /** There are more columns than are shown. */
  declare private more: boolean
  /** Column in view on a phone. */
  declare private chosen: string | undefined
  declare private isCardOpen: boolean
  #included: Included = {}
  #asked = ''
  #group: string | undefined
  #turn = 0
  #loadedAt: Date | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #stop: (() => void)[] = []
  readonly #narrow = new MediaQuery(this, narrow)

  constructor() {
    super()
    this.filter = ''
    this.q = ''
    this.sort = ''
    this.current = ''
    this.zones = []
    this.lanes = []
    this.groups = []
    this.figure = 'sum'
    this.more = false
    this.isCardOpen = false
  }

  get #meta(): ResourceMeta {
    return resource(this.resource)!
  }

  get #plan(): BoardPlan {
    // Drawn only where there is one: every resource has an owner at least.
    return boardPlan(this.#meta, this.by, this.view)!
  }

  get #by(): FieldMeta {
    return this.#plan.by
  }

  get #scope(): Scope | undefined {
    return this.#plan.isOwn ? scopeOf(this.#meta, this.#by) : undefined
  }

  /** What a record made here starts with. */
  get defaults(): Readonly<Record<string, unknown>> {
    const scope = this.#scope
    const first = this.lanes[0]?.stage.key
    return {
      ...(scope && this.#group ? { [scope.own.name]: this.#group } : {}),
      ...(first && this.#plan.isOwn ? { [this.#by.name]: first } : {}),
    }
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => event.resource === this.resource && this.#hear(event)),
      onUndone((change) => change.resource === this.resource && this.reload()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#pause)
    for (const stop of this.#stop) stop()
  }

  override willUpdate(changed: PropertyValues): void {
    if (!this.#isPossible) return
    const { by, card, sum, weighted } = this.#plan
    const key = JSON.stringify([
      this.resource,
      this.filter,
      this.q,
      this.sort,
      this.scope,
      by.name,
      card,
      sum,
      weighted,
    ])
    if (key === this.#asked) return
    if (changed.has('resource') || changed.has('by')) this.lanes = []
    this.#asked = key
    void this.#load()
  }

  get #isPossible(): boolean {
    const meta = resource(this.resource)
    return meta !== undefined && boardPlan(meta, this.by) !== undefined
  }

  /** Reads columns, figures and cards again; the cards on screen stay until then. */
  reload(): void {
    void this.#load()
  }

  focusCard(id: string | undefined): void {
    if (id) this.renderRoot.querySelector<SocleBoard>('socle-board')?.focusCard(id)
  }

  // ——— data ———

  async #load(): Promise<void> {
    const turn = ++this.#turn
    try {
      const stages = await this.#stages()
      const answer = await records(this.resource).board({ ...this.#query, ...this.#columns(stages) })
      if (turn !== this.#turn) return
      this.#included = mergeIncluded(this.#included, answer.included)
      const heads = stages ?? this.#found(answer.data)
      const before = this.lanes
      this.lanes = heads.map((stage) => {
        const group = answer.data.find((it) => (it.key ?? none) === stage.key)
        return this.#lane(
          stage,
          group,
          before.find((it) => it.stage.key === stage.key),
        )
      })
      this.more = answer.more
      this.problem = undefined
      this.#loadedAt = new Date()
      if (!this.lanes.some((it) => it.stage.key === this.chosen))
        this.chosen = this.lanes.find((it) => it.count)?.stage.key ?? this.lanes[0]?.stage.key
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (turn === this.#turn) this.problem = error
    }
  }

  /** The columns in their own order, where the field has one; else they are those that hold records. */
  async #stages(): Promise<readonly Stage[] | undefined> {
    const by = this.#by
    const scope = this.#scope
    if (!scope) {
      this.groups = []
      if (by.type === 'boolean') return ['true', 'false'].map((key) => stageOf(key, format.value(by, key === 'true')))
      if (!by.options && !this.#plan.isOwn) return undefined
      const stages = await stagesOf(this.#meta, by)
      return by.required || by.filled ? stages : [...stages, stageOf(none, this.#noneTitle)]
    }
    this.groups = await scopesOf(scope)
    this.#group = this.groups.find((it) => it.key === this.scope)?.key ?? this.groups[0]?.key
    return await stagesOf(this.#meta, by, this.#group)
  }

  get #noneTitle(): string {
    return t('shell.records.board.without', { field: this.#by.label.toLocaleLowerCase() })
  }

  /** Columns of a field without an order: by their names, those without a value last. */
  #found(groups: readonly BoardGroup[]): Stage[] {
    const by = this.#by
    const collator = new Intl.Collator(locale())
    const named = groups.flatMap(({ key }) =>
      key === null ? [] : [stageOf(key, format.value(by, key, undefined, this.#included) || t('shell.records.hidden'))],
    )
    const sorted = named.sort((a, b) => collator.compare(a.title, b.title))
    return groups.some((it) => it.key === null) ? [...sorted, stageOf(none, this.#noneTitle)] : sorted
  }

  #laneOf(key: string): Lane | undefined {
    return this.lanes.find((it) => it.stage.key === key)
  }

  /** The filter of the whole board. */
  get #base(): string {
    const scope = this.#scope
    return both(this.filter, scope && this.#group ? `${scope.own.name} = ${quote(this.#group)}` : '')
  }

  get #query() {
    const { by, sum, weighted } = this.#plan
    const fields = fieldsOf(
      this.#meta,
      [sum, weighted].filter((it): it is string => !!it),
    )
    const base = this.#base
    const include = this.#include
    return {
      by: by.name,
      limit: pageSize,
      measures: fields.map((it) => `sum:${it.name}`),
      ...(base ? { filter: base } : {}),
      ...(this.q ? { q: this.q } : {}),
      ...(this.sort ? { sort: this.sort } : {}),
      ...(include.length ? { include } : {}),
    }
  }

  get #include(): string[] {
    return includesFor(fieldsOf(this.#meta, this.#plan.card))
  }

  #columns(stages: readonly Stage[] | undefined) {
    return stages ? { columns: stages.map((it) => (it.key === none ? null : it.key)) } : {}
  }

  /** A column of an answer; cards that were on screen beyond its first ones stay, where it has not changed. */
  #lane(stage: Stage, group: BoardGroup | undefined, before: Lane | undefined): Lane {
    const { sum, weighted } = this.#plan
    const figures = group?.figures ?? []
    const cards = group?.cards ?? []
    const fresh = new Set(cards.map((it) => it.id))
    const isSame = before !== undefined && group !== undefined && before.filter === group.filter
    const further = isSame && group.next ? before.cards.slice(cards.length).filter((it) => !fresh.has(it.id)) : []
    return {
      stage,
      filter: group?.filter ?? '',
      cards: [...cards, ...further],
      next: further.length ? before!.next : (group?.next ?? null),
      count: group?.count ?? 0,
      sum: this.#sumOf(figures, sum),
      weighted: this.#sumOf(figures, weighted),
    }
  }

  #sumOf(rows: BoardGroup['figures'], name: string | undefined): string {
    const field = name ? fieldOf(this.#meta, name) : undefined
    if (!field) return ''
    const base = shell()?.workspace.baseCurrency ?? 'EUR'
    const sums = sumsByCurrency(rows, `sum:${field.name}`, field.currency, base)
    if (field.type !== 'money' || field.masked) return format.number(sums[0]?.[1] ?? 0)
    return sums.length
      ? sums.map(([currency, value]) => format.money(value, currency, 'none')).join(' + ')
      : format.money(0, base)
  }

  /** Reads counts and sums again, without touching the cards. */
  async #refigure(): Promise<void> {
    const stages = this.lanes.map((it) => it.stage)
    const answer = await records(this.resource)
      .board({ ...this.#query, ...this.#columns(stages), limit: 1 })
      .catch(() => undefined)
    if (!answer) return
    this.lanes = this.lanes.map((lane) => {
      const group = answer.data.find((it) => (it.key ?? none) === lane.stage.key)
      const { count, sum, weighted } = this.#lane(lane.stage, group, undefined)
      return { ...lane, count, sum, weighted }
    })
  }

  async #more(key: string): Promise<void> {
    const lane = this.#laneOf(key)
    if (!lane?.next) return
    const include = this.#include
    const page = await records(this.resource).list({
      filter: lane.filter,
      count: 'none',
      limit: pageSize,
      after: lane.next,
      ...(include.length ? { include } : {}),
      ...(this.q ? { q: this.q } : {}),
      ...(this.sort ? { sort: this.sort } : {}),
    })
    const known = new Set(lane.cards.map((it) => it.id))
    this.#included = mergeIncluded(this.#included, page.included)
    this.lanes = this.lanes.map((it) =>
      it.stage.key === key
        ? { ...it, cards: [...it.cards, ...page.data.filter((card) => !known.has(card.id))], next: page.page.next }
        : it,
    )
  }

  #hear(event: { id: string; version: number }): void {
    const card = this.#card(event.id)
    if (card && event.version <= card.version) return
    clearTimeout(this.#pause)
    // A bulk change tells every record: one reading answers them all.
    this.#pause = setTimeout(() => this.reload(), 400)
  }

  #card(id: string): RecordJson | undefined {
    for (const lane of this.lanes) {
      const card = lane.cards.find((it) => it.id === id)
      if (card) return card
    }
    return undefined
  }

  // ——— moves ———

  async #move({ card, from, to, index }: Omit<BoardMove, 'id'>): Promise<void> {
    const record = card as BoardCard & RecordJson
    const target = this.#laneOf(to)
    const before = this.lanes
    if (from === to) {
      this.lanes = [...this.lanes]
      return
    }
    if (target) this.#put({ ...record, [this.#by.name]: this.#valueOf(to) }, index)
    const stage: Stage = target?.stage ?? {
      key: to,
      title: this.zones.find((it) => it.key === to)?.title ?? to,
      tone: undefined,
      record: undefined,
    }
    const extra = this.onMove ? await this.onMove(record, stage) : {}
    const values = extra && { ...(target ? { [this.#by.name]: this.#valueOf(to) } : {}), ...extra }
    const title = titleOf(this.#meta, record)
    const moved =
      values &&
      (await moveRecord(this.#meta, record, values, {
        text: t('shell.records.board.moved', { title, to: stage.title }),
        included: this.#included,
      }))
    if (!moved) {
      this.lanes = before
      announce(t('shell.records.board.returned', { title, from: this.#laneOf(from)?.stage.title ?? '' }), 'assertive')
      this.focusCard(record.id)
      // What was refused may have been so because others were here meanwhile.
      this.reload()
      return
    }
    // Not always where it was dropped: somebody else's move may have been let stand.
    this.#put(moved, index)
    this.tell('board-changed', moved)
    await this.#refigure()
  }

  /** What a card in this column has in its field. */
  #valueOf(key: string): string | boolean | null {
    if (key === none) return null
    return this.#by.type === 'boolean' ? key === 'true' : key
  }

  #keyOf(record: RecordJson): string {
    const value = record[this.#by.name]
    return value === null || value === undefined ? none : String(value)
  }

  /** Shows a card in the column its field names. */
  #put(record: RecordJson, index: number): void {
    const key = this.#keyOf(record)
    this.lanes = this.lanes.map((lane) => {
      const cards = lane.cards.filter((it) => it.id !== record.id)
      const left = lane.cards.length - cards.length
      if (lane.stage.key !== key) return left ? { ...lane, cards, count: lane.count - left } : lane
      const at = Math.min(Math.max(0, index), cards.length)
      return { ...lane, cards: cards.toSpliced(at, 0, record), count: lane.count - left + 1 }
    })
  }

  // ——— view ———

  override render() {
    if (!this.#isPossible) return nothing
    if (this.problem && this.lanes.length === 0)
      return html`<shell-no-rows
        .meta=${this.#meta}
        .problem=${this.problem}
        @list-retry=${() => this.reload()}
      ></shell-no-rows>`
    return html`<h2 class="visually-hidden">${this.#meta.name.many}</h2>
      ${this.problem ? staleNotice({ loadedAt: this.#loadedAt, problem: this.problem }, () => this.reload()) : nothing}
      ${this.#head()}${this.#narrow.matches ? this.#single() : this.#board()}`
  }

  #head() {
    const { by, card, sum, weighted } = this.#plan
    const hasBoth = !!sum && !!weighted
    const hasGroups = this.groups.length > 1
    return html`<div class="head">
      <label class="group">
        <span>${t('shell.records.board.by')}</span>
        <select
          class="input"
          @change=${(event: Event) => this.tell('list-go', { by: (event.target as HTMLSelectElement).value, scope: undefined })}
        >
          ${groupableFields(this.#meta).map(
            (it) => html`<option value=${it.name} .selected=${it.name === by.name}>${it.label}</option>`,
          )}
        </select>
      </label>
      ${
        hasGroups
          ? html`<label class="group">
              <span class="visually-hidden">${this.#scope!.own.label}</span>
              <select
                class="input"
                @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}
              >
                ${this.groups.map((it) => html`<option value=${it.key} ?selected=${it.key === this.#group}>${it.title}</option>`)}
              </select>
            </label>`
          : nothing
      }
      ${
        hasBoth
          ? html`<div class="segments" role="group" aria-label=${t('shell.records.board.figure')}>
              ${(['sum', 'weighted'] as const).map(
                (it) =>
                  html`<button
                    class="button small"
                    aria-pressed=${this.figure === it}
                    @click=${() => (this.figure = it)}
                  >
                    ${t(`shell.records.${it}`)}
                  </button>`,
              )}
            </div>`
          : nothing
      }
      ${
        this.drawCard
          ? nothing
          : html`<button
              class="button small card-menu ${this.view?.card || this.view?.sums ? 'on' : ''}"
              aria-haspopup="dialog"
              @click=${(event: Event) => void this.#openCardMenu(event.currentTarget as HTMLElement)}
            >
              ${icon('kanban')}${t('shell.records.card.label')}
            </button>`
      }
      <shell-popover
        align="end"
        label=${t('shell.records.card.label')}
        @popover-closed=${() => (this.isCardOpen = false)}
      >
        ${
          this.isCardOpen
            ? html`<shell-card-menu
                .meta=${this.#meta}
                .by=${by}
                .card=${card}
                .sum=${sum}
                @list-go=${this.#cardChosen}
              ></shell-card-menu>`
            : nothing
        }
      </shell-popover>
      ${this.more ? html`<span class="meta">${t('shell.records.board.moreColumns', { count: this.lanes.length })}</span>` : nothing}
    </div>`
  }

  async #openCardMenu(anchor: HTMLElement): Promise<void> {
    const { ShellCardMenu } = await import('./shell-card-menu.ts')
    define('shell-card-menu', ShellCardMenu)
    const popover = this.renderRoot.querySelector<ShellPopover>('shell-popover')
    const wasOpen = this.isCardOpen
    this.isCardOpen = true
    await this.updateComplete
    if (wasOpen) popover?.toggle(anchor)
    else popover?.show(anchor)
  }

  /** The menu's word crosses shadow roots to the list, which keeps it; a board that stands alone keeps it itself. */
  readonly #cardChosen = (event: CustomEvent<Partial<ListState>>): void => {
    this.view = { card: this.view?.card, sums: this.view?.sums, ...event.detail }
  }

  #choose(scope: string): void {
    this.scope = scope
    this.lanes = []
    this.tell('list-go', { scope })
  }

  #board() {
    const columns: BoardColumn<RecordJson & BoardCard>[] = this.lanes.map((lane) => ({
      key: lane.stage.key,
      title: lane.stage.title,
      count: lane.count,
      cards: lane.cards,
      more: lane.next ? Math.max(1, lane.count - lane.cards.length) : 0,
      href: `${this.#meta.route}?${new URLSearchParams({ view: 'table', filter: lane.filter })}`,
      ...(lane[this.figure] ? { sum: lane[this.figure] } : {}),
      ...(lane.stage.tone ? { tone: lane.stage.tone } : {}),
    }))
    return html`<socle-board
      .columns=${columns}
      .card=${(card: BoardCard) => this.#cardTemplate(card as unknown as RecordJson, true)}
      .name=${(card: BoardCard) => titleOf(this.#meta, card as unknown as RecordJson)}
      .zones=${this.zones}
      .current=${this.current}
      .loading=${this.lanes.length === 0}
      .fixed=${!this.#meta.may.update || !this.#by.writable}
      .label=${this.#meta.name.many}
      @socle-move=${(event: CustomEvent<BoardMove>) => {
        event.stopPropagation()
        void this.#move(event.detail)
      }}
      @socle-more=${(event: CustomEvent<{ column: string }>) => {
        event.stopPropagation()
        void this.#more(event.detail.column)
      }}
    ></socle-board>`
  }

  #cardTemplate(record: RecordJson, isLink: boolean): TemplateResult {
    if (this.drawCard) return this.drawCard(record, this.#included)
    const meta = this.#meta
    const fields = fieldsOf(meta, this.#plan.card).filter((it) => it.name !== meta.title && it.name !== this.#by.name)
    const figures = fields.filter(
      (it) => it.type === 'money' || it.type === 'decimal' || it.type === 'percent' || it.type === 'integer',
    )
    const dates = fields.filter((it) => it.type === 'date' || it.type === 'instant')
    const people = fields.filter((it) => it.type === 'user')
    const words = fields.filter((it) => ![...figures, ...dates, ...people].includes(it))
    const said = words.map((it) => format.value(it, record[it.name], record, this.#included)).filter(Boolean)
    const faces = people.map((it) => format.value(it, record[it.name], record, this.#included)).filter(Boolean)
    const figure = figures.map((it) => this.#figureOf(it, record)).find(Boolean)
    const date = dates.find((it) => !it.masked && record[it.name])
    const title = titleOf(meta, record)
    return html`
      <div class="card-title">${isLink ? html`<a href=${hrefOf(meta, record.id)}>${title}</a>` : title}</div>
      ${
        said.length || faces.length
          ? html`<div class="card-line">
              <span>${said.join(' · ')}</span>
              ${faces.map((it) => html`<span class="person" title=${it}>${avatar(it)}<span class="visually-hidden">${it}</span></span>`)}
            </div>`
          : nothing
      }
      ${
        figure || date
          ? html`<div class="card-foot">
              <span class="number">${figure ?? ''}</span>${date ? this.#date(date, record) : nothing}
            </div>`
          : nothing
      }
    `
  }

  #figureOf(field: FieldMeta, record: RecordJson): string {
    if (field.type !== 'money') return format.value(field, record[field.name], record)
    return format.money(record[field.name] as string | null, currencyOf(field, record), 'none')
  }

  #date(field: FieldMeta, record: RecordJson) {
    const day = String(record[field.name]).slice(0, 10)
    const stage = this.lanes.find((it) => it.stage.key === record[this.#by.name])?.stage
    const isOpen = stage?.tone !== 'success' && stage?.tone !== 'danger'
    const text = format.date(day)
    return isOpen && day < localDate() ? pill(text, 'warning', 'clock') : html`<span class="meta number">${text}</span>`
  }

  /** On a phone: one column, the switch above it, and "move to" on each card. */
  #single() {
    const at = Math.max(
      0,
      this.lanes.findIndex((it) => it.stage.key === this.chosen),
    )
    const lane = this.lanes[at]
    if (!lane) return html`<socle-skeleton .lines=${8}></socle-skeleton>`
    const go = (by: number) => (this.chosen = this.lanes[at + by]?.stage.key ?? this.chosen)
    return html`
      <div class="switch">
        <button
          class="icon-button"
          ?disabled=${at === 0}
          aria-label=${t('shell.records.board.previous')}
          @click=${() => go(-1)}
        >
          ${icon('chevron-left')}
        </button>
        <select
          class="input"
          aria-label=${this.#by.label}
          @change=${(event: Event) => (this.chosen = (event.target as HTMLSelectElement).value)}
        >
          ${this.lanes.map((it) => html`<option value=${it.stage.key} ?selected=${it === lane}>${it.stage.title} · ${it.count}</option>`)}
        </select>
        <button
          class="icon-button"
          ?disabled=${at === this.lanes.length - 1}
          aria-label=${t('shell.records.board.next')}
          @click=${() => go(1)}
        >
          ${icon('chevron-right')}
        </button>
      </div>
      ${lane[this.figure] ? html`<p class="lane-sum number">${t('shell.records.board.column', { count: lane.count, sum: lane[this.figure] })}</p>` : nothing}
      <ul class="single" @touchstart=${this.#touched} @touchend=${(event: TouchEvent) => this.#swiped(event, go)}>
        ${lane.cards.map((card) => this.#singleCard(card, lane))}
        ${lane.cards.length === 0 ? html`<li class="none">${t('shell.records.board.none')}</li>` : nothing}
        ${lane.next ? html`<li><button class="button" @click=${() => void this.#more(lane.stage.key)}>${t('shell.records.timeline.more')}</button></li>` : nothing}
      </ul>
    `
  }

  #singleCard(card: RecordJson, lane: Lane) {
    const items: MenuItem[] = this.lanes
      .filter((it) => it !== lane)
      .map((it) => ({ id: it.stage.key, label: it.stage.title }))
    const mayMove = this.#meta.may.update && this.#by.writable
    return html`<li class="card">
      <a class="face" href=${hrefOf(this.#meta, card.id)}>${this.#cardTemplate(card, false)}</a>
      ${
        mayMove
          ? html`<socle-menu
              icon="move"
              kind="small"
              .label=${t('shell.records.board.moveTo')}
              .items=${items}
              @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#move({ card, from: lane.stage.key, to: event.detail.id, index: 0 })}
            ></socle-menu>`
          : nothing
      }
    </li>`
  }

  #touch = { x: 0, y: 0 }

  readonly #touched = (event: TouchEvent): void => {
    const touch = event.changedTouches[0]
    if (touch) this.#touch = { x: touch.clientX, y: touch.clientY }
  }

  #swiped(event: TouchEvent, go: (by: number) => void): void {
    const touch = event.changedTouches[0]
    if (!touch) return
    const x = touch.clientX - this.#touch.x
    const y = touch.clientY - this.#touch.y
    if (Math.abs(x) > 64 && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1)
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex: 1;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
        background: var(--socle-page);
      }
      socle-board {
        flex: 1;
        min-block-size: 0;
      }
      socle-empty {
        margin: auto;
      }
      .head {
        display: flex;
        flex: none;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        padding: 8px 16px 0;
      }
      .group {
        display: flex;
        align-items: center;
        gap: 8px;
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .head .input {
        inline-size: auto;
        min-block-size: 28px;
        padding-block: 2px;
        border-color: var(--socle-line);
        font: var(--socle-small);
        font-weight: 500;
      }
      .card-menu {
        margin-inline-start: auto;
      }
      .head .segments {
        background: var(--socle-surface);
      }
      .switch {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 12px;
      }
      .switch .input {
        flex: 1;
        min-block-size: 44px;
        font-weight: 600;
      }
      .switch .icon-button {
        inline-size: 44px;
        min-block-size: 44px;
      }
      .lane-sum {
        padding: 0 16px 4px;
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .single {
        display: grid;
        flex: 1;
        align-content: start;
        gap: 8px;
        min-block-size: 0;
        padding: 4px 12px 16px;
        overflow: auto;
      }
      .single .card {
        display: grid;
        gap: 8px;
        justify-items: start;
        padding: 10px 12px;
      }
      .face {
        display: grid;
        gap: 4px;
        inline-size: 100%;
        color: inherit;
        text-decoration: none;
      }
      .card-title {
        font: var(--socle-small);
        font-weight: 600;
      }
      .card-line {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .card-foot {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        font: var(--socle-small);
      }
      .none {
        padding: 32px 16px;
        color: var(--socle-text-3);
        text-align: center;
      }
    `,
  ]
}

function stageOf(key: string, title: string): Stage {
  return { key, title, tone: undefined, record: undefined }
}
