import { createCalendar, DayGrid, destroyCalendar, Interaction, List, TimeGrid } from '@event-calendar/core'
import type { Calendar } from '@event-calendar/core'
import structure from '@event-calendar/core/index.css?inline'
import { css, html, unsafeCSS } from 'lit'
import type { PropertyValues } from 'lit'
import { announce } from './announce.ts'
import { controls } from './controls.ts'
import { format, localDate } from './format.ts'
import { KitElement } from './kit-element.ts'
import { locale } from './session.ts'
import type { CalendarEvent, CalendarMove } from './socle-calendar.ts'
import { icon } from './templates.ts'
import { t } from './words.ts'
import { dayPlus, instantOfWall, isDay, movedBy, shownBetween, wallTime } from './zone-time.ts'

type Span = 'month' | 'week' | 'day' | 'agenda'

const views: Readonly<Record<Span, string>> = {
  month: 'dayGridMonth',
  week: 'timeGridWeek',
  day: 'timeGridDay',
  agenda: 'listMonth',
}
const spans = Object.keys(views) as Span[]
const halfHour = 30 * 60_000
const day = 86_400_000

/** An event held by the keyboard: where it would go. */
interface Carried {
  readonly id: string
  /** Milliseconds away from where it was. */
  readonly by: number
}

/** The body of `socle-calendar`. */
export class CalendarView extends KitElement {
  static override properties = {
    events: { attribute: false },
    date: { type: String },
    span: { type: String },
    current: { type: String },
    label: { type: String },
    fixed: { type: Boolean },
    title: { state: true },
  }

  static override styles = [
    controls,
    unsafeCSS(structure),
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
        background: var(--socle-surface);
      }
      .tools {
        display: flex;
        flex: none;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        padding: 8px 16px;
      }
      h3 {
        flex: 1 1 120px;
        min-inline-size: 0;
        font: var(--socle-body);
        font-weight: 600;
      }
      h3::first-letter {
        text-transform: uppercase;
      }
      .grid {
        flex: 1;
        min-block-size: 0;
        padding: 0 16px 8px;
      }
      .ec {
        block-size: 100%;
        color-scheme: inherit;
        --ec-bg-color: var(--socle-surface);
        --ec-text-color: var(--socle-text);
        --ec-border-color: var(--socle-line);
        --ec-color-400: var(--socle-control);
        --ec-color-300: var(--socle-line);
        --ec-color-200: var(--socle-muted);
        --ec-color-100: var(--socle-page);
        --ec-color-50: var(--socle-page);
        --ec-today-bg-color: var(--socle-accent-bg);
        --ec-highlight-color: var(--socle-accent-bg);
        --ec-event-bg-color: var(--socle-muted);
        --ec-event-text-color: var(--socle-text);
        --ec-now-indicator-color: var(--socle-danger);
        --ec-popup-bg-color: var(--socle-surface);
        font: var(--socle-small);
      }
      .ec .ec-toolbar {
        display: none;
      }
      .ec .ec-day.ec-other-month .ec-day-head time {
        color: var(--socle-text-3);
        opacity: 1;
      }
      .ec .ec-col-head {
        white-space: normal;
      }
      .ec .ec-col-head time {
        text-overflow: clip;
      }
      .ec .ec-day-head,
      .ec .ec-col-head {
        color: var(--socle-text-2);
        font-weight: 500;
      }
      .ec .ec-event {
        border-inline-start: 3px solid var(--tone, var(--socle-control));
        border-radius: 4px;
        background: var(--tone-bg, var(--socle-muted));
        color: var(--socle-text);
        font: var(--socle-meta);
        box-shadow: none;
        cursor: pointer;
      }
      .ec .ec-event:focus-visible {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .ec .ec-event.current,
      .ec .ec-event.carried {
        outline: 2px solid var(--socle-accent);
        outline-offset: 0;
      }
      .ec .ec-event-time {
        color: var(--socle-text-2);
      }
      .ec .ec-event-title {
        overflow: hidden;
        font-weight: 500;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .accent {
        --tone: var(--socle-accent);
        --tone-bg: var(--socle-accent-bg);
      }
      .success {
        --tone: var(--socle-success);
        --tone-bg: var(--socle-success-bg);
      }
      .warning {
        --tone: var(--socle-warning);
        --tone-bg: var(--socle-warning-bg);
      }
      .danger {
        --tone: var(--socle-danger);
        --tone-bg: var(--socle-danger-bg);
      }
      .info {
        --tone: var(--socle-info);
        --tone-bg: var(--socle-info-bg);
      }
      @media (max-width: 599.98px) {
        .tools {
          padding: 8px 12px;
        }
        .grid {
          padding: 0 4px 4px;
        }
      }
    `,
  ]

  declare events: readonly CalendarEvent[]
  declare date: string
  declare span: Span
  declare current: string
  declare label: string
  declare fixed: boolean
  declare title: string
  #calendar: Calendar | undefined
  #carried: Carried | undefined
  #focusWanted: string | undefined
  #focusEnd: ReturnType<typeof setTimeout> | undefined
  #range = ''
  readonly #markup = new MutationObserver(() => this.#mendMarkup())

  constructor() {
    super()
    this.title = ''
  }

  focusEvent(id: string): void {
    const event = [...this.renderRoot.querySelectorAll<HTMLElement>('[data-event]')].find(
      (it) => it.dataset['event'] === id,
    )
    event?.focus()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#letGo()
    this.#markup.disconnect()
    if (this.#calendar) void destroyCalendar(this.#calendar)
    this.#calendar = undefined
  }

  override updated(changed: PropertyValues): void {
    if (!this.#calendar) {
      this.#make()
      return
    }
    if (changed.has('span')) this.#calendar.setOption('view', views[this.span])
    if (changed.has('date') && this.date) this.#calendar.setOption('date', this.date)
    if (changed.has('events') || changed.has('current') || changed.has('fixed')) this.#show()
  }

  override render() {
    return html`<div class="tools">
        <button class="button small" @click=${() => this.#go(localDate())}>${t('kit.calendar.today')}</button>
        <button class="icon-button" aria-label=${t('kit.calendar.previous')} @click=${() => this.#step(-1)}>
          ${icon('chevron-left')}
        </button>
        <button class="icon-button" aria-label=${t('kit.calendar.next')} @click=${() => this.#step(1)}>
          ${icon('chevron-right')}
        </button>
        <h3 aria-live="polite">${this.title}</h3>
        <div class="segments" role="group" aria-label=${t('kit.calendar.span')}>
          ${spans.map(
            (span) =>
              html`<button
                class="button small"
                aria-pressed=${span === this.span}
                @click=${() => this.tell('socle-go', { date: this.#day, span })}
              >
                ${t(`kit.calendar.${span}`)}
              </button>`,
          )}
        </div>
      </div>
      <div class="grid" role="group" aria-label=${this.label} @keydown=${this.#pressed}></div>`
  }

  get #day(): string {
    return this.date || localDate()
  }

  #step(by: 1 | -1): void {
    const at = this.#day
    if (this.span === 'day') return this.#go(dayPlus(at, by))
    if (this.span === 'week') return this.#go(dayPlus(at, 7 * by))
    const first = new Date(`${at.slice(0, 7)}-01T00:00:00Z`)
    first.setUTCMonth(first.getUTCMonth() + by)
    this.#go(first.toISOString().slice(0, 10))
  }

  #go(date: string): void {
    this.tell('socle-go', { date, span: this.span })
  }

  #make(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.grid')
    if (!place) return
    this.#markup.observe(place, { subtree: true, childList: true, attributeFilter: ['role'] })
    this.#calendar = createCalendar(place, [DayGrid, TimeGrid, List, Interaction], {
      view: views[this.span],
      date: this.#day,
      locale: locale() === 'fr' ? 'fr-FR' : 'en-GB',
      firstDay: 1,
      height: '100%',
      // The month stands above; with it, seven days would not fit on a phone.
      views: { timeGridWeek: { dayHeaderFormat: { weekday: 'short', day: 'numeric' } } },
      headerToolbar: { start: '', center: '', end: '' },
      dayMaxEvents: true,
      nowIndicator: true,
      scrollTime: '07:30:00',
      slotDuration: '00:30:00',
      slotEventOverlap: false,
      // As times are written everywhere else.
      eventTimeFormat: { timeStyle: 'short' },
      slotLabelFormat: { timeStyle: 'short' },
      allDayContent: t('kit.calendar.allDay'),
      noEventsContent: t('kit.calendar.none'),
      moreLinkContent: ({ num }: { num: number }) => t('kit.calendar.more', { count: num }),
      eventStartEditable: !this.fixed,
      eventDurationEditable: false,
      editable: !this.fixed,
      events: this.#drawn(),
      eventDidMount: ({ el, event }: { el: HTMLElement; event: { id: string | number } }) => {
        el.dataset['event'] = String(event.id)
      },
      eventClick: ({ event }: { event: { id: string | number } }) => this.tell('socle-peek', { id: String(event.id) }),
      eventDrop: ({ event }: { event: Calendar.Event }) => this.#dropped(event),
      datesSet: ({ start, end, view }: { start: Date; end: Date; view: { title: string } }) => {
        const range = { from: written(start).slice(0, 10), to: written(end).slice(0, 10) }
        this.title = view.title
        if (this.#range === `${range.from} ${range.to}`) return
        this.#range = `${range.from} ${range.to}`
        this.tell('socle-range', range)
      },
    } as Calendar.Options)
  }

  // The library draws events beside the table it announces: its cells are empty and stand in no row. Without those roles
  // a reader hears the days, and the events with theirs.
  #mendMarkup(): void {
    const roles = ['table', 'row', 'rowgroup', 'cell', 'columnheader'].map((role) => `[role="${role}"]`)
    for (const element of this.renderRoot.querySelectorAll(`.grid :is(${roles.join()})`)) {
      element.removeAttribute('role')
      element.removeAttribute('aria-colindex')
    }
    const starts = new Map(this.events.map(({ id, start }) => [id, start]))
    for (const element of this.renderRoot.querySelectorAll<HTMLElement>('.grid [data-event]')) {
      const start = starts.get(element.dataset['event'] ?? '')
      if (!start) continue
      element.setAttribute('aria-description', format.date(isDay(start) ? start : wallTime(start).slice(0, 10), 'long'))
    }
  }

  /** Draws the events anew; the one that has the focus keeps it. */
  #show(): void {
    const active = (this.renderRoot as ShadowRoot).activeElement
    const focused = this.#focusWanted ?? active?.closest<HTMLElement>('[data-event]')?.dataset['event']
    this.#calendar?.setOption('events', this.#drawn())
    if (focused) requestAnimationFrame(() => requestAnimationFrame(() => this.focusEvent(focused)))
  }

  /** The events as the library takes them: in wall time, with the last day excluded. */
  #drawn(): Calendar.EventInput[] {
    return this.events.map((event) => {
      const carried = this.#carried?.id === event.id ? this.#carried : undefined
      const { start, end } = carried ? moved(event, carried.by) : event
      const allDay = isDay(start)
      const classes = [
        event.tone ?? 'neutral',
        ...(carried ? ['carried'] : []),
        ...(event.id === this.current ? ['current'] : []),
      ]
      return {
        id: event.id,
        title: event.title,
        allDay,
        start: allDay ? start : wallTime(start),
        end: allDay ? dayPlus(end ?? start, 1) : wallTime(end ?? new Date(Date.parse(start) + halfHour).toISOString()),
        classNames: classes,
        startEditable: !this.fixed && !event.fixed,
      } as Calendar.EventInput
    })
  }

  #dropped(to: Calendar.Event): void {
    const event = this.events.find((it) => it.id === String(to.id))
    if (!event) return
    const wall = written(to.start)
    const start = isDay(event.start) ? wall.slice(0, 10) : instantOfWall(wall)
    const by = shownBetween(event.start, start)
    if (by !== 0) this.#tellMove(event, by)
  }

  #tellMove(event: CalendarEvent, by: number): void {
    const move: CalendarMove = { id: event.id, ...moved(event, by) }
    announce(t('kit.calendar.moved', { name: event.title, to: said(move.start) }), 'assertive')
    this.tell('socle-move', move)
  }

  readonly #pressed = (press: KeyboardEvent): void => {
    const target = press.composedPath()[0]
    const id = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-event]')?.dataset['event'] : undefined
    const event = this.events.find((it) => it.id === id)
    const isLift = press.key === ' ' && !press.ctrlKey && !press.metaKey && !press.altKey
    if (!event || !isLift || this.#carried || this.fixed || event.fixed) return
    this.#taken(press)
    this.#carried = { id: event.id, by: 0 }
    // Every step draws the events anew, and the focus with them: until it is dropped, keys are heard wherever they fall.
    window.addEventListener('keydown', this.#carry, { capture: true })
    announce(t('kit.calendar.lifted', { name: event.title, at: said(event.start) }), 'assertive')
    this.#redraw(event.id)
  }

  readonly #carry = (press: KeyboardEvent): void => {
    const carried = this.#carried
    const event = this.events.find((it) => it.id === carried?.id)
    if (!carried || !event) {
      this.#letGo()
      return
    }
    if (press.key === 'Tab') {
      this.#taken(press)
      return
    }
    const step = this.#stepOf(press.key, event)
    if (step !== undefined) {
      this.#taken(press)
      this.#carried = { id: event.id, by: carried.by + step }
      announce(
        t('kit.calendar.over', { name: event.title, to: said(moved(event, this.#carried.by).start) }),
        'assertive',
      )
      this.#follow(moved(event, this.#carried.by).start)
      this.#redraw(event.id)
      return
    }
    if (press.key === 'Enter' || press.key === ' ' || press.key === 'Escape') {
      this.#taken(press)
      this.#letGo()
      this.#redraw(event.id)
      if (press.key === 'Escape' || carried.by === 0)
        announce(t('kit.calendar.cancelled', { name: event.title, at: said(event.start) }), 'assertive')
      else this.#tellMove(event, carried.by)
    }
  }

  #letGo(): void {
    this.#carried = undefined
    window.removeEventListener('keydown', this.#carry, { capture: true })
  }

  #taken(press: KeyboardEvent): void {
    press.preventDefault()
    press.stopPropagation()
  }

  /** How far a key carries: days to the side; up and down weeks in a month, half hours beside a clock. */
  #stepOf(key: string, event: CalendarEvent): number | undefined {
    const isTimed = !isDay(event.start) && (this.span === 'week' || this.span === 'day')
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -day,
      ArrowRight: day,
      ArrowUp: isTimed ? -halfHour : -7 * day,
      ArrowDown: isTimed ? halfHour : 7 * day,
    }
    return steps[key]
  }

  /** Shows the span an event was carried into. */
  #follow(start: string): void {
    const [from = '', to = ''] = this.#range.split(' ')
    const at = isDay(start) ? start : wallTime(start).slice(0, 10)
    if (at < from || at >= to) this.#go(at)
  }

  #redraw(id: string): void {
    this.#focusWanted = id
    this.#show()
    // What the server answers draws once more; after that the focus is the reader's.
    clearTimeout(this.#focusEnd)
    this.#focusEnd = setTimeout(() => (this.#focusWanted = undefined), 2_000)
  }
}

/** Both ends moved by the same. */
function moved({ start, end }: Pick<CalendarEvent, 'start' | 'end'>, by: number): { start: string; end?: string } {
  return { start: movedBy(start, by), ...(end === undefined ? {} : { end: movedBy(end, by) }) }
}

function said(start: string): string {
  return isDay(start) ? format.date(start, 'long') : format.instant(start)
}

/** The library gives wall time in the browser's fields. */
function written(at: Date): string {
  const two = (part: number) => String(part).padStart(2, '0')
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${clock}`
}
