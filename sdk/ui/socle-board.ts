import type { TemplateResult } from 'lit'
import { LazyElement } from './lazy-element.ts'
import type { Tone } from './types.ts'

export interface BoardCard {
  readonly id: string
  /** Stands on the card's edge with its reason in the card's own text. */
  readonly tone?: Tone
  readonly [field: string]: unknown
}

export interface BoardColumn<C extends BoardCard = BoardCard> {
  readonly key: string
  readonly title: string
  readonly count: number
  /** Already formatted, e.g. `412 000 €`. */
  readonly sum?: string
  readonly tone?: Tone
  readonly cards: readonly C[]
  /** How many cards the server still has. */
  readonly more?: number
  /** Where a click on the head's figures leads: the rows behind them. */
  readonly href?: string
}

/** A place for cards that appears only while one is carried, e.g. won, lost, later. */
export interface BoardZone {
  readonly key: string
  readonly title: string
  readonly tone?: Tone
  readonly icon?: string
}

export interface BoardMove {
  readonly id: string
  /** As it stood when it was taken up; the move is made on its version. */
  readonly card: BoardCard
  readonly from: string
  readonly to: string
  /** Place in the target column, 0-based; -1 in a zone. */
  readonly index: number
}

/**
 * Cards in columns. Drag, or Space lifts, arrows carry, Enter drops, Esc cancels; `m` opens “move to…”.
 * The board shows the move at once; give it new `columns` to confirm or to send the card back.
 *
 * @fires socle-move - `BoardMove`
 * @fires socle-open - `detail.id`: the title's link, or Ctrl+Enter
 * @fires socle-peek - `detail.id`: Enter or a click
 * @fires socle-more - `detail.column`
 */
export class SocleBoard extends LazyElement {
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

  protected override readonly body = 'socle-board-view'

  declare columns: readonly BoardColumn[]
  /**
   * Draws a card's inside; the board's frame, focus and drag are around it. Styled by `controls` and three classes of
   * the board: `card-title`, `card-line` (meta, avatars), `card-foot` (figure to the left, date or pill to the right).
   */
  declare card: (card: BoardCard) => TemplateResult
  /** The words by which the live region names a card. */
  declare name: (card: BoardCard) => string
  declare zones: readonly BoardZone[]
  /** Id of the card in the panel. */
  declare current: string
  declare loading: boolean
  /** Cards may not be moved. */
  declare fixed: boolean
  declare label: string

  constructor() {
    super()
    this.columns = []
    this.card = () => undefined as unknown as TemplateResult
    this.name = (card) => String(card['title'] ?? card['name'] ?? card.id)
    this.zones = []
    this.current = ''
    this.loading = false
    this.fixed = false
    this.label = ''
  }

  /** Puts the focus on a card, e.g. after its panel closed. */
  focusCard(id: string): void {
    ;(this.loaded as (HTMLElement & { focusCard(id: string): void }) | undefined)?.focusCard(id)
  }

  protected override async load() {
    return (await import('./board-view.ts')).BoardView
  }
}
