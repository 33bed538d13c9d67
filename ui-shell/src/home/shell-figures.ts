import { KitElement, controls, format, live, localDate, records, resource, shell, t } from '@socle/sdk/ui'
import type { Tone } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { onRecords } from './on-records.ts'
import { openActivities } from './open-activities.ts'

interface Figure {
  readonly id: string
  readonly resource: string
  readonly filter: () => string
  /** A second count beside the first, e.g. how many are new. */
  readonly note?: { readonly filter: () => string; readonly tone: Tone }
  /** All records of a kind, under the name it has in this workspace. */
  readonly isAll?: boolean
  /** Shown as a warning while it is not zero. */
  readonly warns?: boolean
}

const mine = () => `owner = "${shell()?.user.id ?? ''}"`

/** Figures of the shared customer database; plugins add theirs by the slot below. Each opens the rows it counts. */
const figures: readonly Figure[] = [
  {
    id: 'overdue',
    resource: 'core.activity',
    filter: () => `${mine()} and ${openActivities} and dueAt < "${localDate()}"`,
    warns: true,
  },
  {
    id: 'week',
    resource: 'core.activity',
    filter: () => `${mine()} and ${openActivities} and dueAt within next 7 days`,
  },
  {
    id: 'leads',
    resource: 'core.lead',
    isAll: true,
    filter: () => '',
    note: { filter: () => 'createdAt within last 30 days', tone: 'info' },
  },
  {
    id: 'accounts',
    resource: 'core.account',
    isAll: true,
    filter: () => '',
    note: { filter: () => 'createdAt within last 30 days', tone: 'info' },
  },
  {
    id: 'contacts',
    resource: 'core.contact',
    isAll: true,
    filter: () => '',
    note: { filter: () => 'createdAt within last 30 days', tone: 'info' },
  },
]

interface Counted {
  readonly count: number
  readonly isExact: boolean
  readonly note?: number
}

const shown = 4

/** The first figures this user may read, each a link to its rows. */
export class ShellFigures extends KitElement {
  static override properties = { counts: { state: true } }
  declare counts: ReadonlyMap<string, Counted | 'failed'>

  #stop: (() => void)[] = []
  #generation = -1

  constructor() {
    super()
    this.counts = new Map()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      onRecords(new Set(figures.map((it) => it.resource)), () => void this.#load()),
      live.on('status', ({ connected }) => connected && void this.#load()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
  }

  override willUpdate(): void {
    const generation = shell()?.generation ?? -1
    if (generation === this.#generation) return
    this.#generation = generation
    void this.#load()
  }

  get #visible(): readonly Figure[] {
    return figures.filter((it) => resource(it.resource)).slice(0, shown)
  }

  async #load(): Promise<void> {
    await Promise.all(this.#visible.map((figure) => this.#count(figure)))
  }

  async #count(figure: Figure): Promise<void> {
    const counted = await countOf(figure).catch(() => 'failed' as const)
    this.counts = new Map(this.counts).set(figure.id, counted)
  }

  override render() {
    return this.#visible.map((figure) => {
      const counted = this.counts.get(figure.id)
      const filter = figure.filter()
      const route = resource(figure.resource)?.route ?? '/'
      const isBad = figure.warns && counted !== undefined && counted !== 'failed' && counted.count > 0
      return html`
        <socle-figure
          .label=${figure.isAll ? (resource(figure.resource)?.name.many ?? '') : t(`shell.home.figure.${figure.id}`)}
          .value=${counted === 'failed' ? '–' : counted ? format.number(counted.count) : ''}
          .loading=${counted === undefined}
          .href=${filter ? `${route}?filter=${encodeURIComponent(filter)}` : route}
          .note=${noteOf(figure, counted)}
          .tone=${isBad ? 'danger' : (figure.note?.tone ?? 'neutral')}
        ></socle-figure>
      `
    })
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(200px, 1fr));
        gap: 12px;
      }
      @media (width < 600px) {
        :host {
          grid-template-columns: 1fr 1fr;
          gap: 8px;
        }
      }
    `,
  ]
}

async function countOf(figure: Figure): Promise<Counted> {
  const count = (filter: string) =>
    records(figure.resource)
      .list({ ...(filter && { filter }), limit: 1, count: 'exact' })
      .then((answer) => answer.page)
  const note = figure.note?.filter()
  const [all, some] = await Promise.all([count(figure.filter()), note === undefined ? undefined : count(note)])
  return { count: all.count ?? 0, isExact: all.exact, ...(some && { note: some.count ?? 0 }) }
}

function noteOf(figure: Figure, counted: Counted | 'failed' | undefined): string {
  if (counted === 'failed') return t('shell.home.figureFailed')
  if (!counted) return ''
  if (counted.note !== undefined) {
    // Where all are new there is nothing to compare with.
    const isNews = counted.note > 0 && counted.note < counted.count
    return isNews ? t('shell.home.newInMonth', { count: counted.note }) : ''
  }
  if (figure.warns) return counted.count > 0 ? t('shell.home.toCatchUp') : t('shell.home.allOnTime')
  return ''
}
