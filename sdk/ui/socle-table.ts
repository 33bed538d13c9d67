import { KitElement } from './kit-element.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'

export interface TableEdit {
  readonly id: string
  readonly field: string
  readonly value: unknown
  /**
   * Give it the promise of the write: the cell waits, keeps the typed value and shows the error when it fails
   * (a `ProblemError`'s sentence at this field), and closes when it succeeds.
   */
  until(saved: Promise<unknown>): void
}

export interface TableSelection {
  readonly selected: ReadonlySet<string>
  /** True after Ctrl/Cmd+A: everything loaded is chosen, and “all 340” may be offered. */
  readonly all: boolean
}

/**
 * Records as rows (`role=grid`), as cards under 600 px.
 *
 * @fires socle-open - Enter or the title's link; `detail.id`
 * @fires socle-peek - Space or a click on the row; `detail.id`
 * @fires socle-sort - `detail.sort`, e.g. `-amount,name`
 * @fires socle-select - `TableSelection`
 * @fires socle-edit - `TableEdit`
 * @fires socle-more - the end of the loaded rows comes near
 * @fires socle-focus - `detail.id`, `detail.index`: the row the keyboard is on
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

  /** Puts the focus on a row, e.g. after its panel or page closed. */
  focusRow(id: string): void {
    void id
  }

  /** Moves the focus by rows without leaving the keyboard's place, for `[` and `]` in the panel. Answers the new row. */
  step(by: number): RecordJson | undefined {
    void by
    return undefined
  }
}
