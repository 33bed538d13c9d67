import { DateTime, Duration } from 'luxon'
import { dateIn, type Clock } from '../clock.ts'

/** A clock that stands until a test moves it. */
export class TestClock implements Clock {
  #now: Date

  constructor(now: string | Date = new Date()) {
    this.#now = new Date(now)
  }

  now(): Date {
    return new Date(this.#now)
  }

  today(zone: string): string {
    return dateIn(zone, this.#now)
  }

  set(now: string | Date): void {
    this.#now = new Date(now)
  }

  /** @param duration - ISO 8601, `PT30M`, `P1D` */
  advance(duration: string): void {
    this.#now = DateTime.fromJSDate(this.#now, { zone: 'utc' }).plus(Duration.fromISO(duration)).toJSDate()
  }
}
