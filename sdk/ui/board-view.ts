import { css, html, nothing } from 'lit'
import type { PropertyValues, TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { announce } from './announce.ts'
import { BoardDrag } from './board-drag.ts'
import { afterMove, placeOf } from './board-moves.ts'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { isTyping, letterKeysOn } from './letter-keys.ts'
import type { BoardCard, BoardColumn, BoardMove, BoardZone } from './socle-board.ts'
import type { MenuItem, SocleMenu } from './socle-menu.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

interface Carried extends BoardMove {
  readonly by: 'pointer' | 'keys'
  readonly height: number
}

/** The body of `socle-board`. */
export class BoardView extends KitElement {
  static override properties = {
    columns: { attribute: false },
    card: { attribute: false },
    name: { attribute: false },
    zones: { attribute: false },
    current: { type: String },
    loading: { type: Boolean },
    fixed: { type: Boolean },
    label: { type: String },
  }
  static override styles = [
    controls,
    css`
      :host {
        position: relative;
        display: block;
        block-size: 100%;
        min-block-size: 0;
        background: var(--socle-page);
      }

      .board {
        display: flex;
        gap: 12px;
        block-size: 100%;
        padding: 0 16px;
        overflow-x: auto;
        overflow-y: hidden;
        overscroll-behavior-x: contain;
      }

      .column {
        display: flex;
        flex: 1 0 216px;
        flex-direction: column;
        min-inline-size: 0;
        max-inline-size: 380px;
      }

      .columnhead {
        display: flex;
        flex: none;
        align-items: center;
        gap: 8px;
        block-size: 40px;
        font: var(--socle-small);
        color: inherit;
        text-decoration: none;
      }

      .columnhead h3 {
        min-inline-size: 0;
        font: var(--socle-small);
        font-weight: 600;
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }

      .columnhead .sum {
        margin-inline-start: auto;
        font-weight: 600;
        color: var(--socle-text-2);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }

      .dot {
        flex: none;
        inline-size: 8px;
        block-size: 8px;
        background: var(--socle-control);
        border-radius: 50%;
      }

      .dot.success {
        background: var(--socle-success);
      }

      .dot.warning {
        background: var(--socle-warning);
      }

      .dot.danger {
        background: var(--socle-danger);
      }

      .dot.info {
        background: var(--socle-info);
      }

      .dot.accent {
        background: var(--socle-accent);
      }

      .cards {
        flex: 1;
        min-block-size: 0;
        margin: 0 -4px;
        padding: 4px 4px 16px;
        overflow-x: clip;
        overflow-y: auto;
        overscroll-behavior-y: contain;
        border-radius: var(--socle-radius-card);
        scrollbar-width: thin;
      }

      .column.target .cards {
        background: var(--socle-muted);
      }

      .carded {
        position: relative;
        margin-block-end: 8px;
        padding: 10px;
        font: var(--socle-small);
        color: var(--socle-text);
        background: var(--socle-surface);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        cursor: pointer;
        touch-action: manipulation;
        -webkit-touch-callout: none;
      }

      .carded:hover {
        border-color: var(--socle-control);
      }

      .carded.current {
        background: var(--socle-accent-bg);
        border-color: var(--socle-accent);
      }

      .carded.warning,
      .carded.danger,
      .carded.success,
      .carded.info {
        padding-inline-start: 11px;
      }

      .carded.warning::before,
      .carded.danger::before,
      .carded.success::before,
      .carded.info::before {
        content: '';
        position: absolute;
        inset: -1px auto -1px -1px;
        inline-size: 3px;
        background: var(--socle-warning);
        border-start-start-radius: var(--socle-radius-card);
        border-end-start-radius: var(--socle-radius-card);
      }

      .carded.danger::before {
        background: var(--socle-danger);
      }

      .carded.success::before {
        background: var(--socle-success);
      }

      .carded.info::before {
        background: var(--socle-info);
      }

      .carded.current .pill,
      .carded.current .avatar {
        background: var(--socle-surface);
      }

      /* For what the owner's template draws. */

      .card-title {
        padding-inline-end: 20px;
        font-weight: 600;
        overflow-wrap: anywhere;
      }

      .card-title a {
        color: inherit;
        text-decoration: none;
      }

      .card-title a:hover {
        text-decoration: underline;
        text-decoration-color: var(--socle-control);
        text-underline-offset: 3px;
      }

      .card-line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 6px;
        margin-block-start: 6px;
        color: var(--socle-text-2);
        overflow-wrap: anywhere;
      }

      .card-foot {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 2px 8px;
        min-block-size: 20px;
        margin-block-start: 6px;
        color: var(--socle-text-2);
      }

      .card-foot > .number:first-child {
        font-weight: 500;
        color: var(--socle-text);
      }

      .carded:focus-visible {
        outline-offset: -1px;
      }

      .carded.lifted {
        border-color: var(--socle-accent);
        box-shadow: var(--socle-shadow);
        outline: 2px solid var(--socle-accent);
        outline-offset: -1px;
      }

      /* What follows the pointer, and what it left behind. */
      .carded[data-dnd-dragging] {
        box-shadow: var(--socle-shadow);
        border-color: var(--socle-accent);
        cursor: grabbing;
      }

      .carded[data-dnd-placeholder] {
        opacity: 0.4;
      }

      .gap {
        margin-block-end: 8px;
        background: var(--socle-accent-bg);
        border: 1px dashed var(--socle-accent);
        border-radius: var(--socle-radius-card);
      }

      .move {
        position: absolute;
        inset-block-start: 6px;
        inset-inline-end: 6px;
        inline-size: 24px;
        min-block-size: 24px;
        background: var(--socle-surface);
        border: 1px solid var(--socle-line);
        opacity: 0;
      }

      .carded:hover > .move,
      .carded:focus-visible > .move,
      .carded:focus-within > .move {
        opacity: 1;
      }

      .more {
        inline-size: 100%;
        justify-content: flex-start;
      }

      .none {
        padding: 10px;
        color: var(--socle-text-3);
      }

      .blank {
        block-size: 92px;
        margin-block-end: 8px;
        background: var(--socle-muted);
        border-radius: var(--socle-radius-card);
        animation: appear 1ms 150ms both;
      }

      .zones {
        position: absolute;
        inset: auto 16px 12px;
        z-index: 5;
        display: flex;
        gap: 8px;
        padding: 8px;
        background: var(--socle-surface);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-dialog);
        box-shadow: var(--socle-shadow);
        animation: rise var(--socle-motion);
      }

      .zone {
        display: flex;
        flex: 1;
        align-items: center;
        justify-content: center;
        gap: 6px;
        min-inline-size: 0;
        block-size: 52px;
        font: var(--socle-small);
        font-weight: 600;
        color: var(--socle-text-2);
        text-align: center;
        border: 1px dashed currentColor;
        border-radius: var(--socle-radius-card);
      }

      .zone.success {
        color: var(--socle-success);
      }

      .zone.danger {
        color: var(--socle-danger);
      }

      .zone.warning {
        color: var(--socle-warning);
      }

      .zone.info {
        color: var(--socle-info);
      }

      .zone.target {
        background: var(--socle-accent-bg);
        border-style: solid;
      }

      .zone.target.success {
        background: var(--socle-success-bg);
      }

      .zone.target.danger {
        background: var(--socle-danger-bg);
      }

      .zone.target.warning {
        background: var(--socle-warning-bg);
      }

      @keyframes rise {
        from {
          opacity: 0;
          transform: translateY(8px);
        }
      }

      @keyframes appear {
        from {
          opacity: 0;
        }
      }

      @media (width < 600px) {
        .board {
          padding: 0 12px;
          scroll-snap-type: x mandatory;
          scroll-padding-inline: 12px;
        }

        .column {
          flex: 0 0 min(84vw, 320px);
          scroll-snap-align: start;
        }

        .board.carrying {
          scroll-snap-type: none;
        }
      }

      @media (pointer: coarse) {
        .move {
          inset-block-start: 2px;
          inset-inline-end: 2px;
          inline-size: 40px;
          min-block-size: 40px;
          color: var(--socle-text-3);
          background: none;
          border-color: transparent;
          opacity: 1;
        }
      }
    `,
  ]

  declare columns: readonly BoardColumn[]
  declare card: (card: BoardCard) => TemplateResult
  declare name: (card: BoardCard) => string
  declare zones: readonly BoardZone[]
  declare current: string
  declare loading: boolean
  declare fixed: boolean
  declare label: string

  /** A move told outside and not yet answered by new columns. */
  #told: BoardMove | undefined
  #carried: Carried | undefined
  #activeId = ''
  #wantsFocus = false
  #menuFor: BoardCard | undefined
  #drag: BoardDrag | undefined
  #justDragged = false
  #hadFocus = false

  constructor() {
    super()
    this.columns = []
    this.card = () => html``
    this.name = (card) => card.id
    this.zones = []
    this.current = ''
    this.loading = false
    this.fixed = false
    this.label = ''
  }

  focusCard(id: string): void {
    this.#activeId = id
    this.#wantsFocus = true
    this.requestUpdate()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#drag = new BoardDrag({
      lifted: (id) => this.#lift(id, 'pointer'),
      over: (target) => this.#carryOver(target),
      dropped: () => this.#drop(),
      cancelled: () => this.#cancel(),
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#drag?.destroy()
    this.#drag = undefined
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('columns')) this.#columnsChanged()
    this.#hadFocus = this.#focusedCard() !== undefined
  }

  override updated(): void {
    this.#drag?.sync(
      this.renderRoot.querySelectorAll<HTMLElement>('[data-card]:not([data-dnd-placeholder])'),
      this.renderRoot.querySelectorAll<HTMLElement>('[data-target]'),
      this.fixed,
    )
    // A card that changed columns is a new element: the focus goes with it.
    if (this.#hadFocus && this.#focusedCard() === undefined && !this.shadowRoot?.activeElement) this.#wantsFocus = true
    if (!this.#wantsFocus) return
    const card = this.#element(this.#activeId)
    if (!card) return
    this.#wantsFocus = false
    card.focus({ preventScroll: true })
    card.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  /** The columns with the told move done. */
  get #settled(): readonly BoardColumn[] {
    return this.#told ? afterMove(this.columns, this.#told) : this.columns
  }

  /** The columns as shown: a card carried by keys already stands where it would be dropped. */
  get #shown(): readonly BoardColumn[] {
    return this.#carried?.by === 'keys' ? afterMove(this.#settled, this.#carried) : this.#settled
  }

  /** New columns answer the told move; a card in the air may have been moved by someone else meanwhile. */
  #columnsChanged(): void {
    this.#told = undefined
    const carried = this.#carried
    if (!carried) return
    const place = placeOf(this.columns, carried.id)
    this.#carried = place ? { ...carried, from: place.column.key } : undefined
  }

  #focusedCard(): string | undefined {
    const active = this.shadowRoot?.activeElement
    return active instanceof HTMLElement ? active.dataset['card'] : undefined
  }

  // ---- Drawing

  override render() {
    const columns = this.#shown
    const first = columns.find((it) => it.cards.length > 0)?.cards[0]?.id
    const stop = placeOf(columns, this.#activeId) ? this.#activeId : first
    return html`<div
        class="board ${this.#carried ? 'carrying' : ''}"
        role="group"
        aria-label=${this.label || t('kit.board.label')}
        aria-busy=${this.loading ? 'true' : nothing}
        @keydown=${this.#pressed}
        @click=${this.#clicked}
        @focusin=${this.#focusMoved}
      >
        <span class="visually-hidden" id="how">${this.fixed ? '' : t('kit.board.instructions')}</span>
        ${repeat(
          columns,
          (column) => column.key,
          (column) => this.#column(column, stop),
        )}
      </div>
      ${this.#carried && this.zones.length > 0 ? this.#zonesTemplate(this.#carried) : nothing}
      <socle-menu bare .items=${this.#menuItems()} @socle-choose=${this.#menuChosen}></socle-menu>`
  }

  #column(column: BoardColumn, stop: string | undefined): TemplateResult {
    const carried = this.#carried?.by === 'pointer' ? this.#carried : undefined
    const isTarget = carried?.to === column.key
    const gapAt = isTarget && carried ? gapIndex(column, carried) : -1
    const cards = column.cards
    const head = html`${column.tone ? html`<span class="dot ${column.tone}"></span>` : nothing}
      <h3>${column.title}</h3>
      <span class="pill">${column.count}</span>
      ${column.sum ? html`<span class="sum">${column.sum}</span>` : nothing}`
    const words = column.sum
      ? t('kit.board.columnSum', { title: column.title, count: column.count, sum: column.sum })
      : t('kit.board.column', { title: column.title, count: column.count })
    return html`<section class="column ${isTarget ? 'target' : ''}" data-target=${column.key} aria-label=${words}>
      ${column.href ? html`<a class="columnhead" href=${column.href}>${head}</a>` : html`<div class="columnhead">${head}</div>`}
      <ul class="cards" role="list" aria-label=${column.title}>
        ${repeat(
          cards,
          (card) => card.id,
          (card, index) =>
            html`${index === gapAt ? this.#gap() : nothing}${this.#cardTemplate(card, column, index, stop)}`,
        )}
        ${gapAt >= cards.length ? this.#gap() : nothing}
        ${this.loading && cards.length === 0 ? html`<li class="blank" aria-hidden="true"></li>` : nothing}
        ${
          !this.loading && cards.length === 0 && gapAt < 0
            ? html`<li class="none meta">${t('kit.board.empty')}</li>`
            : nothing
        }
        ${
          column.more
            ? html`<li>
                <button class="button ghost small more" @click=${() => this.tell('socle-more', { column: column.key })}>
                  ${icon('plus')}${t('kit.board.more', { count: column.more })}
                </button>
              </li>`
            : nothing
        }
      </ul>
    </section>`
  }

  #gap(): TemplateResult {
    return html`<li class="gap" aria-hidden="true" .style=${`block-size: ${this.#carried?.height ?? 72}px`}></li>`
  }

  #cardTemplate(card: BoardCard, column: BoardColumn, index: number, stop: string | undefined): TemplateResult {
    const isLifted = this.#carried?.by === 'keys' && this.#carried.id === card.id
    const name = this.name(card)
    const words = t('kit.board.card', {
      name,
      position: index + 1,
      count: Math.max(column.count, column.cards.length),
      column: column.title,
    })
    return html`<li
      class="carded ${card.tone ?? ''} ${card.id === this.current ? 'current' : ''} ${isLifted ? 'lifted' : ''}"
      data-card=${card.id}
      tabindex=${card.id === stop ? 0 : -1}
      aria-label=${words}
      aria-describedby="how"
      aria-current=${card.id === this.current ? 'true' : nothing}
    >
      ${this.card(card)}
      ${
        this.fixed
          ? nothing
          : html`<button
              class="icon-button move"
              tabindex="-1"
              data-move=${card.id}
              title=${t('kit.board.moveTo')}
              aria-label=${t('kit.board.move', { name })}
            >
              ${icon('move')}
            </button>`
      }
    </li>`
  }

  #zonesTemplate(carried: Carried): TemplateResult {
    return html`<div class="zones">
      ${this.zones.map(
        (zone) =>
          html`<div
            class="zone ${zone.tone ?? ''} ${carried.to === zone.key ? 'target' : ''}"
            data-target=${zone.key}
            data-zone
          >
            ${zone.icon ? icon(zone.icon) : nothing}${zone.title}
          </div>`,
      )}
    </div>`
  }

  #element(id: string): HTMLElement | null {
    return this.renderRoot.querySelector(`[data-card="${CSS.escape(id)}"]:not([data-dnd-placeholder])`)
  }

  // ---- Carrying, by pointer or by keys

  #lift(id: string, by: Carried['by']): void {
    const place = placeOf(this.#settled, id)
    if (!place || this.fixed) return
    const { column, index, card } = place
    this.#activeId = id
    const height = this.#element(id)?.offsetHeight ?? 72
    this.#carried = { id, card, from: column.key, to: column.key, index, by, height }
    announce(
      t('kit.board.lifted', {
        name: this.name(place.card),
        column: column.title,
        position: index + 1,
        count: column.count,
      }),
      'assertive',
    )
    this.requestUpdate()
  }

  #carryOver(target: { key: string; index: number } | undefined): void {
    const carried = this.#carried
    if (!carried) return
    const to = target?.key ?? carried.from
    const index = target?.index ?? placeOf(this.#settled, carried.id)?.index ?? 0
    if (to === carried.to && index === carried.index) return
    this.#carried = { ...carried, to, index }
    this.requestUpdate()
    this.#announceOver()
  }

  #announceOver(): void {
    const carried = this.#carried
    const card = carried && placeOf(this.#settled, carried.id)?.card
    if (!carried || !card) return
    const column = this.#settled.find((it) => it.key === carried.to)
    const name = this.name(card)
    if (!column) return announce(t('kit.board.overZone', { name, column: this.#titleOf(carried.to) }), 'assertive')
    const count = column.cards.length + (carried.to === carried.from ? 0 : 1)
    announce(t('kit.board.over', { name, column: column.title, position: carried.index + 1, count }), 'assertive')
  }

  #drop(): void {
    const carried = this.#carried
    this.#carried = undefined
    if (carried?.by === 'pointer') this.#ignoreClick()
    this.requestUpdate()
    if (!carried) return
    const place = placeOf(this.#settled, carried.id)
    const isBack = carried.to === carried.from && carried.index === place?.index
    if (isBack) this.#announceBack(carried)
    else this.#move({ id: carried.id, card: carried.card, from: carried.from, to: carried.to, index: carried.index })
    this.#wantsFocus = carried.by === 'keys'
  }

  #cancel(): void {
    const carried = this.#carried
    this.#carried = undefined
    if (carried?.by === 'pointer') this.#ignoreClick()
    this.#wantsFocus = carried?.by === 'keys'
    this.requestUpdate()
    if (carried) this.#announceBack(carried)
  }

  #announceBack(carried: Carried): void {
    const card = placeOf(this.#settled, carried.id)?.card
    if (!card) return
    announce(t('kit.board.cancelled', { name: this.name(card), column: this.#titleOf(carried.from) }), 'assertive')
  }

  #move(move: BoardMove): void {
    const card = placeOf(this.#settled, move.id)?.card
    if (!card) return
    this.#told = move
    const words = { name: this.name(card), from: this.#titleOf(move.from), to: this.#titleOf(move.to) }
    const isZone = move.index < 0
    announce(
      isZone ? t('kit.board.droppedZone', words) : t('kit.board.dropped', { ...words, position: move.index + 1 }),
      'assertive',
    )
    this.tell('socle-move', move)
    this.requestUpdate()
  }

  #titleOf(key: string): string {
    return [...this.#settled, ...this.zones].find((it) => it.key === key)?.title ?? key
  }

  // The click that ends a drag is not a click on the card.
  #ignoreClick(): void {
    this.#justDragged = true
    setTimeout(() => (this.#justDragged = false), 50)
  }

  // ---- Keys

  readonly #pressed = (event: KeyboardEvent): void => {
    if (isTyping(event) || event.defaultPrevented || event.altKey) return
    const isHandled = this.#carried?.by === 'keys' ? this.#carryKey(event, this.#carried) : this.#key(event)
    if (!isHandled) return
    event.preventDefault()
    event.stopPropagation()
  }

  #key(event: KeyboardEvent): boolean {
    const target = event.composedPath()[0]
    const isOnCard = target instanceof HTMLElement && target.dataset['card'] !== undefined
    const place = placeOf(this.#shown, this.#activeId)
    if (!isOnCard || !place) return false
    const hasCommand = event.ctrlKey || event.metaKey
    if (event.key === 'Enter') return this.#tellOf(hasCommand ? 'socle-open' : 'socle-peek', place.card.id)
    if (hasCommand) return false
    const letters = letterKeysOn()
    switch (event.key) {
      case ' ':
        this.#lift(place.card.id, 'keys')
        return true
      case 'ArrowDown':
        return this.#focusIn(place.columnIndex, place.index + 1)
      case 'ArrowUp':
        return this.#focusIn(place.columnIndex, place.index - 1)
      case 'ArrowRight':
        return this.#focusBeside(place.columnIndex, place.index, 1)
      case 'ArrowLeft':
        return this.#focusBeside(place.columnIndex, place.index, -1)
      case 'Home':
        return this.#focusIn(place.columnIndex, 0)
      case 'End':
        return this.#focusIn(place.columnIndex, place.column.cards.length - 1)
      case 'j':
        return letters && this.#focusIn(place.columnIndex, place.index + 1)
      case 'k':
        return letters && this.#focusIn(place.columnIndex, place.index - 1)
      case 'm':
        return letters && this.#openMenu(place.card.id)
      default:
        return false
    }
  }

  #tellOf(name: 'socle-open' | 'socle-peek', id: string): boolean {
    this.tell(name, { id })
    return true
  }

  #focusIn(columnIndex: number, index: number): boolean {
    const cards = this.#shown[columnIndex]?.cards ?? []
    const card = cards[Math.max(0, Math.min(cards.length - 1, index))]
    if (card) this.focusCard(card.id)
    return true
  }

  #focusBeside(columnIndex: number, index: number, by: 1 | -1): boolean {
    let next = columnIndex + by
    while (this.#shown[next]?.cards.length === 0) next += by
    return this.#shown[next] ? this.#focusIn(next, index) : true
  }

  #carryKey(event: KeyboardEvent, carried: Carried): boolean {
    const keys = [...this.#settled.map((it) => it.key), ...this.zones.map((it) => it.key)]
    const at = keys.indexOf(carried.to)
    const last = this.#lastPlace(carried)
    switch (event.key) {
      case 'Enter':
      case ' ':
        this.#drop()
        return true
      case 'Escape':
        this.#cancel()
        return true
      case 'ArrowRight':
        return this.#carryTo(keys[at + 1], carried)
      case 'ArrowLeft':
        return this.#carryTo(keys[at - 1], carried)
      case 'ArrowDown':
        if (carried.index >= 0) this.#carryWithin(Math.min(last, carried.index + 1), carried)
        return true
      case 'ArrowUp':
        if (carried.index >= 0) this.#carryWithin(Math.max(0, carried.index - 1), carried)
        return true
      default:
        // Nothing else happens while a card is in the air; Tab would leave it there.
        return event.key === 'Tab' || event.key.length === 1
    }
  }

  #lastPlace(carried: Carried): number {
    const column = this.#settled.find((it) => it.key === carried.to)
    const others = column?.cards.filter((it) => it.id !== carried.id).length ?? 0
    return others
  }

  #carryTo(key: string | undefined, carried: Carried): boolean {
    if (key === undefined) return true
    const isZone = this.zones.some((it) => it.key === key) && !this.#settled.some((it) => it.key === key)
    const column = this.#settled.find((it) => it.key === key)
    const others = column?.cards.filter((it) => it.id !== carried.id).length ?? 0
    const index = isZone ? -1 : Math.min(Math.max(0, carried.index), others)
    this.#carried = { ...carried, to: key, index }
    this.#wantsFocus = true
    this.requestUpdate()
    this.#announceOver()
    return true
  }

  #carryWithin(index: number, carried: Carried): void {
    this.#carried = { ...carried, index }
    this.#wantsFocus = true
    this.requestUpdate()
    this.#announceOver()
  }

  // ---- Pointer and menu

  readonly #clicked = (event: MouseEvent): void => {
    const target = event.composedPath()[0]
    if (!(target instanceof Element)) return
    if (this.#justDragged) {
      event.preventDefault()
      return
    }
    const moved = target.closest<HTMLElement>('[data-move]')?.dataset['move']
    if (moved) {
      this.#openMenu(moved)
      return
    }
    if (target.closest('a, button')) return
    const id = target.closest<HTMLElement>('[data-card]')?.dataset['card']
    if (!id) return
    this.#activeId = id
    this.tell('socle-peek', { id })
    this.requestUpdate()
  }

  readonly #focusMoved = (event: FocusEvent): void => {
    const id = event.target instanceof HTMLElement ? event.target.dataset['card'] : undefined
    if (!id || id === this.#activeId) return
    this.#activeId = id
    this.requestUpdate()
  }

  #openMenu(id: string): boolean {
    if (this.fixed) return false
    this.#menuFor = placeOf(this.#settled, id)?.card
    this.requestUpdate()
    void this.updateComplete.then(() => {
      const card = this.#element(id)
      if (card) this.renderRoot.querySelector<SocleMenu>('socle-menu')?.openAt(card, t('kit.board.moveTo'))
    })
    return true
  }

  get #menuColumn(): string | undefined {
    return this.#menuFor && placeOf(this.#settled, this.#menuFor.id)?.column.key
  }

  #menuItems(): MenuItem[] {
    const from = this.#menuColumn
    if (from === undefined) return []
    const columns = this.#settled.map((it) => ({ id: it.key, label: it.title, checked: it.key === from }))
    const zones = this.zones
      .filter((zone) => !this.#settled.some((it) => it.key === zone.key))
      .map((it, index) => ({
        id: it.key,
        label: it.title,
        checked: false,
        separator: index === 0,
        ...(it.icon ? { icon: it.icon } : {}),
      }))
    return [...columns, ...zones]
  }

  readonly #menuChosen = (event: CustomEvent<{ id: string }>): void => {
    event.stopPropagation()
    const card = this.#menuFor
    const from = this.#menuColumn
    const to = event.detail.id
    if (!card || from === undefined || to === from) return
    const column = this.#settled.find((it) => it.key === to)
    this.#move({ id: card.id, card, from, to, index: column ? 0 : -1 })
    this.focusCard(card.id)
  }
}

/** The gap stands among the cards as drawn, the carried one still among them. */
function gapIndex(column: BoardColumn, carried: Carried): number {
  if (carried.index < 0) return -1
  const own = column.cards.findIndex((it) => it.id === carried.id)
  if (own < 0) return carried.index
  if (carried.index === own) return -1
  return carried.index > own ? carried.index + 1 : carried.index
}
