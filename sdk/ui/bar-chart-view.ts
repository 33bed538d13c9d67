import { max } from 'd3-array'
import { scaleBand, scaleLinear } from 'd3-scale'
import { css, html, nothing, svg } from 'lit'
import type { SVGTemplateResult, TemplateResult } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import type { Bar } from './socle-bar-chart.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'

const rowHeight = 28
const barHeight = 20
const columnsHeight = 160
const axisHeight = 22
const topRoom = 20

/** The body of `socle-bar-chart`: SVG by hand on d3's scales, so that each bar is a link and takes the theme. */
export class BarChartView extends KitElement {
  static override properties = {
    bars: { attribute: false },
    heading: { type: String },
    summary: { type: String },
    categoryLabel: { type: String },
    valueLabel: { type: String },
    direction: { type: String },
    loading: { type: Boolean },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }

      .head {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
        margin-block-end: 8px;
      }

      h3 {
        flex: 1;
        min-inline-size: 0;
        font: var(--socle-small);
        font-weight: 500;
        color: var(--socle-text-2);
      }

      svg.chart {
        display: block;
        inline-size: 100%;
        overflow: visible;
      }

      text {
        font: var(--socle-meta);
        fill: var(--socle-text-2);
        font-variant-numeric: tabular-nums;
      }

      text.value {
        fill: var(--socle-text);
        font-weight: 500;
      }

      .bar {
        fill: var(--socle-chart-1);
      }

      .track {
        fill: transparent;
      }

      a:hover .track {
        fill: var(--socle-page);
      }

      a:hover .bar {
        opacity: 0.88;
      }

      a:focus-visible {
        outline: none;
      }

      a:focus-visible .track {
        fill: var(--socle-accent-bg);
        stroke: var(--socle-accent);
        stroke-width: 2;
      }

      .axis {
        stroke: var(--socle-line);
      }

      table {
        inline-size: 100%;
        font: var(--socle-small);
        border-collapse: collapse;
      }

      th,
      td {
        padding: 6px 0;
        font-weight: 400;
        text-align: start;
        border-block-end: 1px solid var(--socle-line);
      }

      thead th {
        font: var(--socle-meta);
        color: var(--socle-text-3);
      }

      td,
      th:last-child {
        text-align: end;
      }

      .none {
        padding: 24px 0;
        color: var(--socle-text-3);
      }

      @media (forced-colors: active) {
        .bar {
          fill: LinkText;
          forced-color-adjust: none;
        }
      }
    `,
  ]

  declare bars: readonly Bar[]
  declare heading: string
  declare summary: string
  declare categoryLabel: string
  declare valueLabel: string
  declare direction: 'rows' | 'columns'
  declare loading: boolean

  #isTable = false
  #width = 0
  readonly #resized = new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0)
    if (width === this.#width) return
    this.#width = width
    this.requestUpdate()
  })

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

  override connectedCallback(): void {
    super.connectedCallback()
    this.#resized.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resized.disconnect()
  }

  override render() {
    const words = t(this.#isTable ? 'kit.chart.bars' : 'kit.chart.table')
    return html`<figure aria-label=${this.heading || nothing}>
      <div class="head">
        <h3>${this.heading}</h3>
        ${
          this.bars.length > 0
            ? html`<button class="icon-button" aria-label=${words} title=${words} @click=${this.#turn}>
                ${icon(this.#isTable ? 'chart' : 'table')}
              </button>`
            : nothing
        }
      </div>
      ${this.#body()}
    </figure>`
  }

  #body() {
    if (this.bars.length === 0)
      return html`<p class="none small">${t(this.loading ? 'kit.loading' : 'kit.chart.empty')}</p>`
    if (this.#isTable) return this.#table()
    if (this.#width === 0) return nothing
    return html`<p class="visually-hidden">${this.#sentence()}</p>
      ${this.direction === 'rows' ? this.#rows() : this.#columns()}`
  }

  #rows(): TemplateResult {
    const { bars } = this
    const labels = Math.min(140, Math.max(88, this.#width * 0.34))
    const values = 64
    const length = scaleLinear()
      .domain([0, max(bars, (it) => it.value) || 1])
      .range([0, Math.max(24, this.#width - labels - values)])
    const height = bars.length * rowHeight
    return html`<svg class="chart" role="group" viewBox="0 0 ${this.#width} ${height}" height=${height}>
      ${bars.map((bar, index) => {
        const y = index * rowHeight
        const barLength = Math.max(2, length(bar.value))
        const characters = Math.floor((labels - 8) / 5.8)
        return this.#link(
          bar,
          svg`<rect class="track" x="-4" y=${y} width=${this.#width + 8} height=${rowHeight} rx="6"></rect>
            <text x="0" y=${y + 18}>${shortened(bar.label, characters)}</text>
            <rect class="bar" x=${labels} y=${y + (rowHeight - barHeight) / 2} width=${barLength} height=${barHeight} rx="3"></rect>
            <text class="value" x=${labels + barLength + 8} y=${y + 18}>${bar.shown}</text>`,
        )
      })}
    </svg>`
  }

  #columns(): TemplateResult {
    const { bars } = this
    const x = scaleBand<string>()
      .domain(bars.map((it) => it.key))
      .range([0, this.#width])
      .paddingInner(0.28)
      .paddingOuter(0.1)
    const y = scaleLinear()
      .domain([0, max(bars, (it) => it.value) || 1])
      .range([columnsHeight, topRoom])
    const height = columnsHeight + axisHeight
    const band = x.bandwidth()
    // A label for each column as long as they stand apart; else every second, third…
    const every = Math.ceil(36 / Math.max(1, x.step()))
    const longest = max(bars, (it) => it.shown.length) ?? 0
    const hasValues = longest * 6.8 <= x.step()
    return html`<svg class="chart" role="group" viewBox="0 0 ${this.#width} ${height}" height=${height}>
      <line class="axis" x1="0" x2=${this.#width} y1=${columnsHeight + 0.5} y2=${columnsHeight + 0.5}></line>
      ${bars.map((bar, index) => {
        const left = x(bar.key) ?? 0
        const top = Math.min(columnsHeight - 2, y(bar.value))
        return this.#link(
          bar,
          svg`<rect class="track" x=${left - 4} y="0" width=${band + 8} height=${height} rx="6"></rect>
            <rect class="bar" x=${left} y=${top} width=${band} height=${columnsHeight - top} rx="3"></rect>
            ${hasValues ? svg`<text class="value" text-anchor="middle" x=${left + band / 2} y=${top - 6}>${bar.shown}</text>` : nothing}
            ${index % every === 0 ? svg`<text text-anchor="middle" x=${left + band / 2} y=${columnsHeight + 16}>${bar.label}</text>` : nothing}`,
        )
      })}
    </svg>`
  }

  #link(bar: Bar, inside: SVGTemplateResult): SVGTemplateResult {
    const name = `${bar.label}, ${bar.shown}`
    return bar.href
      ? svg`<a href=${bar.href}><title>${name}</title><g aria-hidden="true">${inside}</g></a>`
      : svg`<g role="img"><title>${name}</title>${inside}</g>`
  }

  #table(): TemplateResult {
    return html`<table aria-label=${this.heading || nothing}>
      <thead>
        <tr>
          <th scope="col">${this.categoryLabel || t('kit.chart.category')}</th>
          <th scope="col">${this.valueLabel || t('kit.chart.value')}</th>
        </tr>
      </thead>
      <tbody>
        ${this.bars.map(
          (bar) =>
            html`<tr>
              <th scope="row">${bar.label}</th>
              <td class="number">${bar.href ? html`<a class="link" href=${bar.href}>${bar.shown}</a>` : bar.shown}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
  }

  #sentence(): string {
    if (this.summary) return this.summary
    const largest = this.bars.reduce((most, it) => (it.value > most.value ? it : most))
    return t('kit.chart.summary', { count: this.bars.length, label: largest.label, value: largest.shown })
  }

  readonly #turn = (): void => {
    this.#isTable = !this.#isTable
    this.requestUpdate()
  }
}

function shortened(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, Math.max(1, characters - 1))}…` : text
}
