import { LazyElement } from './lazy-element.ts'
import type { Tone } from './types.ts'

export interface CalendarEvent {
  readonly id: string
  readonly title: string
  /** `YYYY-MM-DD` of a whole day, else an instant. */
  readonly start: string
  /** Last day, or the instant it ends. */
  readonly end?: string
  readonly tone?: Tone
  /** May not be moved. */
  readonly fixed?: boolean
}

export interface CalendarMove {
  readonly id: string
  /** In the form the event came: a day, or an instant. */
  readonly start: string
  readonly end?: string
}

/**
 * Records by their dates: month, week, day, or a list of what is ahead.
 * Drag moves one; Space lifts, arrows carry by days or half hours, Enter drops, Esc cancels.
 *
 * @fires socle-range - `detail.from`, `detail.to`: days whose events are to be given, the last excluded
 * @fires socle-move - `CalendarMove`; give new `events` to confirm or to send it back
 * @fires socle-peek - `detail.id`: Enter or a click
 * @fires socle-go - `detail.date`, `detail.span`: another day or span was chosen
 */
export class SocleCalendar extends LazyElement {
  static override properties = {
    events: { attribute: false },
    date: { type: String },
    span: { type: String },
    current: { type: String },
    label: { type: String },
    fixed: { type: Boolean },
  }

  protected override readonly body = 'socle-calendar-view'

  declare events: readonly CalendarEvent[]
  /** A day of the span shown, `YYYY-MM-DD`. */
  declare date: string
  declare span: 'month' | 'week' | 'day' | 'agenda'
  declare current: string
  declare label: string
  declare fixed: boolean

  constructor() {
    super()
    this.events = []
    this.date = ''
    this.span = 'month'
    this.current = ''
    this.label = ''
    this.fixed = false
  }

  focusEvent(id: string): void {
    ;(this.loaded as (HTMLElement & { focusEvent(id: string): void }) | undefined)?.focusEvent(id)
  }

  protected override async load() {
    return (await import('./calendar-view.ts')).CalendarView
  }
}
