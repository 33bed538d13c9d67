import { controls, KitElement, live, ProblemError, records, t } from '@socle/sdk/ui'
import type {
  CalendarEvent,
  CalendarMove,
  Included,
  ListQuery,
  RecordJson,
  ResourceMeta,
  SocleCalendar,
  Tone,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { define } from '../define.ts'
import { both, quote } from './filter-text.ts'
import type { ListState } from './list-state.ts'
import { onUndone } from './own-changes.ts'
import { moveRecord } from './record-move.ts'
import { fieldsOf, titleOf } from './resources.ts'
import { ShellNoRows } from './shell-no-rows.ts'
import { staleNotice } from './stale-notice.ts'
import { calendarPlan, timeFields } from './view-plan.ts'
import type { CalendarPlan } from './view-plan.ts'

define('shell-no-rows', ShellNoRows)

/** One request's worth; a span with more says so instead of drawing a wall. */
const most = 200

/**
 * Records of any resource by one of their dates; only what the span in view needs is read.
 *
 * @fires list-go - parts of the list's state that were chosen here
 * @fires calendar-peek - `detail.id`
 */
export class ShellRecordsCalendar extends KitElement {
  static override properties = {
    meta: { attribute: false },
    state: { attribute: false },
    rows: { state: true },
    isCut: { state: true },
    problem: { state: true },
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
        background: var(--socle-surface);
      }
      .head {
        display: flex;
        flex: none;
        align-items: center;
        gap: 8px;
        padding: 8px 16px 0;
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      label {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .head .input {
        inline-size: auto;
        min-block-size: 28px;
        padding-block: 2px;
        border-color: var(--socle-line);
        font: var(--socle-small);
        font-weight: 500;
      }
      socle-calendar {
        flex: 1;
        min-block-size: 0;
      }
      socle-empty {
        margin: auto;
      }
      @media (max-width: 599.98px) {
        .head {
          padding-inline: 12px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare state: ListState
  declare private rows: readonly RecordJson[]
  declare private isCut: boolean
  declare private problem: ProblemError | undefined
  #included: Included = {}
  #range: { from: string; to: string } | undefined
  #asked = ''
  #turn = 0
  #loadedAt: Date | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #stop: (() => void)[] = []

  constructor() {
    super()
    this.rows = []
    this.isCut = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => event.resource === this.meta.id && this.#hear(event)),
      onUndone((change) => change.resource === this.meta.id && this.reload()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#pause)
    for (const stop of this.#stop) stop()
  }

  override willUpdate(_: PropertyValues): void {
    this.#readIfNew()
  }

  get #plan(): CalendarPlan | undefined {
    return calendarPlan(this.meta, this.state)
  }

  reload(): void {
    this.#asked = ''
    this.#readIfNew()
  }

  focusCard(id: string | undefined): void {
    if (id) this.renderRoot.querySelector<SocleCalendar>('socle-calendar')?.focusEvent(id)
  }

  #hear(event: { id: string; version: number }): void {
    const row = this.rows.find((it) => it.id === event.id)
    if (row && event.version <= row.version) return
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => this.reload(), 400)
  }

  #readIfNew(): void {
    const plan = this.#plan
    if (!plan || !this.#range) return
    const query = this.#query(plan, this.#range)
    const key = JSON.stringify([this.meta.id, query])
    if (key === this.#asked) return
    this.#asked = key
    void this.#read(query)
  }

  /** What touches the span: what starts in it, and what started before and lasts into it. */
  #query({ start, end }: CalendarPlan, { from, to }: { from: string; to: string }): ListQuery {
    const starts = `${start.name} >= ${quote(from)} and ${start.name} < ${quote(to)}`
    const lasts = end ? `${start.name} < ${quote(from)} and ${end.name} >= ${quote(from)}` : ''
    const within = lasts ? `((${starts}) or (${lasts}))` : starts
    const tone = this.#toneField
    const { filter, q } = this.state
    return {
      filter: both(filter, within),
      sort: start.name,
      limit: most,
      count: 'none',
      fields: [...new Set([this.meta.title, start.name, ...(end ? [end.name] : []), ...(tone ? [tone.name] : [])])],
      ...(q ? { q } : {}),
    }
  }

  get #toneField() {
    return fieldsOf(this.meta, this.meta.list).find((it) => it.options?.some((option) => option.tone))
  }

  async #read(query: ListQuery): Promise<void> {
    const turn = ++this.#turn
    try {
      const page = await records(this.meta.id).list(query)
      if (turn !== this.#turn) return
      this.rows = page.data
      this.#included = page.included
      this.isCut = page.page.next !== null
      this.#loadedAt = new Date()
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (turn === this.#turn) this.problem = error
    }
  }

  #events({ start, end }: CalendarPlan): CalendarEvent[] {
    const tone = this.#toneField
    return this.rows.flatMap((row) => {
      const from = row[start.name]
      if (typeof from !== 'string') return []
      const until = end && row[end.name]
      const color: Tone | undefined = tone?.options?.find((it) => it.value === row[tone.name])?.tone
      return {
        id: row.id,
        title: titleOf(this.meta, row),
        start: from,
        ...(typeof until === 'string' && until >= from ? { end: until } : {}),
        ...(color ? { tone: color } : {}),
      }
    })
  }

  async #move({ id, start, end }: CalendarMove): Promise<void> {
    const plan = this.#plan
    const row = this.rows.find((it) => it.id === id)
    if (!plan || !row) return
    const values = { [plan.start.name]: start, ...(end !== undefined && plan.end ? { [plan.end.name]: end } : {}) }
    this.rows = this.rows.map((it) => (it.id === id ? { ...it, ...values } : it))
    const title = titleOf(this.meta, row)
    const saved = await moveRecord(this.meta, row, values, {
      text: t('shell.records.change.field', { field: plan.start.label, title }),
      included: this.#included,
    })
    this.rows = this.rows.map((it) => (it.id === id ? (saved ?? row) : it))
    await this.updateComplete
    this.focusCard(id)
  }

  override render() {
    const plan = this.#plan
    if (!plan) return nothing
    if (this.problem && this.rows.length === 0)
      return html`<shell-no-rows
        .meta=${this.meta}
        .problem=${this.problem}
        @list-retry=${() => this.reload()}
      ></shell-no-rows>`
    return html`<h2 class="visually-hidden">${this.meta.name.many}</h2>
      <div class="head">
        <label>
          <span>${t('shell.records.calendar.by')}</span>
          <select
            class="input"
            @change=${(event: Event) => this.tell('list-go', { start: (event.target as HTMLSelectElement).value, end: undefined })}
          >
            ${timeFields(this.meta).map(
              (it) => html`<option value=${it.name} .selected=${it.name === plan.start.name}>${it.label}</option>`,
            )}
          </select>
        </label>
      </div>
      ${this.problem ? staleNotice({ loadedAt: this.#loadedAt, problem: this.problem }, () => this.reload()) : nothing}
      ${this.isCut ? html`<p class="notice" role="status">${t('shell.records.calendar.cut', { count: most })}</p>` : nothing}
      <socle-calendar
        .events=${this.#events(plan)}
        .date=${this.state.date ?? ''}
        .span=${this.state.span}
        .current=${this.state.peek ?? ''}
        .label=${this.meta.name.many}
        .fixed=${!this.meta.may.update || !plan.start.writable}
        @socle-range=${(event: CustomEvent<{ from: string; to: string }>) => {
          this.#range = event.detail
          this.#readIfNew()
        }}
        @socle-go=${(event: CustomEvent<Partial<ListState>>) => this.tell('list-go', event.detail)}
        @socle-peek=${(event: CustomEvent<{ id: string }>) => {
          event.stopPropagation()
          this.tell('calendar-peek', event.detail)
        }}
        @socle-move=${(event: CustomEvent<CalendarMove>) => {
          event.stopPropagation()
          void this.#move(event.detail)
        }}
      ></socle-calendar>`
  }
}
