import { live, PluginElement, records, resource, shell, type Bar } from '@socle/sdk/ui'
import { css, html, type PropertyDeclarations } from 'lit'

interface Figures {
  readonly open: string
  readonly weighted: string
  readonly won: string
  readonly without: number
  readonly bars: readonly Bar[]
}

const open = 'status = "open"'
const wonThisQuarter = 'status = "won" and closedOn within this quarter'
const withoutStep = 'status = "open" and nextStep is empty'

/** What the pipeline is worth: four figures and the open amount by stage, each a link to its rows. */
export class SalesPipelineWidget extends PluginElement {
  static override properties: PropertyDeclarations = { ...PluginElement.properties, figures: { state: true } }
  static override styles = css`
    :host {
      display: grid;
      gap: 12px;
    }
    .figures {
      display: grid;
      gap: 12px;
      grid-template-columns: repeat(auto-fit, minmax(180px, 1fr));
    }
  `

  declare figures: Figures | undefined
  #stop: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
    this.#stop = live.on('record', ({ resource }) => {
      if (resource !== 'sales.opportunity') return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.#load(), 400)
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    clearTimeout(this.#timer)
  }

  async #load(): Promise<void> {
    const client = records('sales.opportunity')
    const [total, won, without, byStage] = await Promise.all([
      client.aggregate({ filter: open, measures: ['sum:amount', 'sum:weighted'] }),
      client.aggregate({ filter: wonThisQuarter, measures: ['sum:amount'] }),
      client.aggregate({ filter: withoutStep, measures: ['count'] }),
      client.aggregate({ filter: open, groupBy: ['stage'], measures: ['count', 'sum:amount'] }),
    ])
    const names = byStage.included['sales.stage'] ?? {}
    const currency = shell()?.workspace.baseCurrency ?? 'EUR'
    // Side by side, cents of one figure are noise; the rows behind it have them.
    const said = (sum: unknown) => this.format.money(String(sum ?? '0'), currency, 'none')
    const bars = byStage.data
      .map((row) => {
        const id = String(row.key['stage'])
        const stage = names[id]
        return {
          key: id,
          label: String(stage?.['title'] ?? ''),
          position: Number(stage?.['position'] ?? 0),
          value: Number(row['sum:amount']),
          shown: said(row['sum:amount']),
          href: this.#rows(row.filter),
        }
      })
      .toSorted((a, b) => a.position - b.position)
    this.figures = {
      open: said(total.data[0]?.['sum:amount']),
      weighted: said(total.data[0]?.['sum:weighted']),
      won: said(won.data[0]?.['sum:amount']),
      without: Number(without.data[0]?.['count'] ?? 0),
      bars,
    }
  }

  #rows(filter: string): string {
    return `${resource('sales.opportunity')?.route}?view=table&filter=${encodeURIComponent(filter)}`
  }

  override render() {
    const { figures } = this
    if (!figures) return html`<socle-skeleton></socle-skeleton>`
    if (figures.bars.length === 0) {
      return html`<socle-empty
        .heading=${this.t('sales.widget.title')}
        .text=${this.t(resource('sales.opportunity')?.may.create ? 'sales.widget.empty' : 'sales.widget.none')}
      ></socle-empty>`
    }
    return html`
      <div class="figures">
        <socle-figure
          .label=${this.t('sales.widget.open')}
          .value=${figures.open}
          .href=${this.#rows(open)}
        ></socle-figure>
        <socle-figure
          .label=${this.t('sales.widget.weighted')}
          .value=${figures.weighted}
          .href=${this.#rows(open)}
        ></socle-figure>
        <socle-figure
          .label=${this.t('sales.widget.won')}
          .value=${figures.won}
          .href=${this.#rows(wonThisQuarter)}
        ></socle-figure>
        <socle-figure
          .label=${this.t('sales.widget.without')}
          .value=${String(figures.without)}
          .href=${this.#rows(withoutStep)}
        ></socle-figure>
      </div>
      <socle-bar-chart .heading=${this.t('sales.widget.title')} .bars=${figures.bars}></socle-bar-chart>
    `
  }
}
