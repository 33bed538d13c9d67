import { css } from 'lit'
import { LazyElement } from './lazy-element.ts'

export interface Bar {
  readonly key: string
  readonly label: string
  readonly value: number
  /** Already formatted, e.g. `182 k€`. */
  readonly shown: string
  /** The rows behind this bar. */
  readonly href?: string
}

/** Bars as links to their rows, with a sentence that says the same and a table twin. */
export class SocleBarChart extends LazyElement {
  static override properties = {
    bars: { attribute: false },
    heading: { type: String },
    summary: { type: String },
    categoryLabel: { type: String, attribute: 'category-label' },
    valueLabel: { type: String, attribute: 'value-label' },
    direction: { type: String },
    loading: { type: Boolean },
  }

  static override styles = [
    LazyElement.styles,
    css`
      :host {
        --socle-holding: 148px;
      }
    `,
  ]

  protected override readonly body = 'socle-bar-chart-view'

  declare bars: readonly Bar[]
  declare heading: string
  /** The sentence for those who do not see the bars; made from the largest bar when not given. */
  declare summary: string
  /** Head of the first column of the table twin. */
  declare categoryLabel: string
  /** Head of the second column of the table twin. */
  declare valueLabel: string
  /** `rows` for categories, `columns` for time. */
  declare direction: 'rows' | 'columns'
  declare loading: boolean

  constructor() {
    super()
    this.bars = []
    this.heading = ''
    this.summary = ''
    this.categoryLabel = ''
    this.valueLabel = ''
    this.direction = 'rows'
    this.loading = false
  }

  protected override async load() {
    return (await import('./bar-chart-view.ts')).BarChartView
  }
}
