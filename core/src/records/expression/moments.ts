import { DateTime } from 'luxon'
import type { Span } from './ast.ts'
import { microseconds } from './domains.ts'

/** What an expression is judged in: one instant for the whole of it, the workspace's zone, and who asks. */
export interface Environment {
  readonly now: Date
  /** IANA name, e.g. `Europe/Paris`. */
  readonly zone: string
  /** Who `me()` is; without one `me()` equals nobody and differs from nobody. */
  readonly userId?: string
}

const day = /^([1-9]\d{3})-(\d{2})-(\d{2})$/
const moment = /^([1-9]\d{3}-\d{2}-\d{2})T(\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,6}))?(Z|[+-]\d{2}:\d{2})?$/

/** A day that exists, from 1000-01-01 on: the years PostgreSQL, ISO 8601 and JavaScript all write in four digits. */
export function isDay(text: string): boolean {
  const parts = day.exec(text)
  return parts !== null && DateTime.fromISO(text, { zone: 'utc' }).isValid
}

export function isMoment(text: string): boolean {
  const offset = moment.exec(text)?.[5] ?? 'Z'
  // Luxon knows which days exist, Date which offsets do.
  return (
    moment.test(text) &&
    DateTime.fromISO(text, { zone: 'utc' }).isValid &&
    !Number.isNaN(Date.parse(`2000-01-01T00:00${offset}`))
  )
}

export function today({ now, zone }: Environment): string {
  return isoDate(local(now, zone))
}

/** Without an offset it is the zone's wall clock; a time that a clock change skips is the one after it. */
export function momentKey(text: string, zone: string): bigint {
  const [, date, minute, second = ':00', fraction = '', offset] = moment.exec(text)!
  if (offset) return microseconds(text)
  const whole = DateTime.fromISO(`${date}T${minute}${second}`, { zone })
  return BigInt(whole.toMillis()) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

/** From the first instant of a day to the first of the next, which is 23 or 25 hours later when clocks change. */
export function dayBounds(date: string, zone: string): { from: bigint; until: bigint } {
  return { from: dayStart(date, zone, 0), until: dayStart(date, zone, 1) }
}

/**
 * The days of a span, both included.
 *
 * `last 90 days` runs from 90 days ago to today, `next 30 days` from today to 30 days ahead; months that are too short end
 * on their last day. `last month` is the calendar's month before this one. Weeks begin on Monday, quarters in January.
 */
export function spanDays({ side, unit, count }: Span, environment: Environment): { from: string; until: string } {
  const now = local(environment.now, environment.zone)
  if (unit === 'minute' || unit === 'hour') throw new TypeError(`A span of ${unit}s has no days`)
  if (count !== undefined) {
    const away = { [unit]: count }
    return side === 'last'
      ? { from: isoDate(now.minus(away)), until: isoDate(now) }
      : { from: isoDate(now), until: isoDate(now.plus(away)) }
  }
  const step = { last: -1, this: 0, next: 1 }[side]
  const first = now.startOf(unit).plus({ [unit]: step })
  return { from: isoDate(first), until: isoDate(first.endOf(unit)) }
}

/**
 * The instants of a span, both included. Counted spans end, or begin, at this very instant: `last 7 days` reaches back
 * to the start of the day a week ago and holds nothing of the future; hours and minutes are exact.
 */
export function spanInstants(span: Span, environment: Environment): { from: bigint; until: bigint } {
  const now = microseconds(environment.now)
  if (span.unit === 'minute' || span.unit === 'hour') {
    const length = BigInt(span.count ?? 1) * (span.unit === 'hour' ? 3_600_000_000n : 60_000_000n)
    return span.side === 'last' ? { from: now - length, until: now } : { from: now, until: now + length }
  }
  const days = spanDays(span, environment)
  const from = dayStart(days.from, environment.zone, 0)
  const until = dayStart(days.until, environment.zone, 1) - 1n
  if (span.count === undefined) return { from, until }
  return span.side === 'last' ? { from, until: now } : { from: now, until }
}

function local(instant: Date, zone: string): DateTime {
  const time = DateTime.fromJSDate(instant, { zone })
  if (!time.isValid) throw new RangeError(`Not a time zone: ${zone}`)
  return time
}

/** The first instant of the day `ahead` days after a date. Where clocks skip midnight, that is the first there is. */
function dayStart(date: string, zone: string, ahead: number): bigint {
  const start = DateTime.fromISO(date, { zone }).plus({ days: ahead }).startOf('day')
  return BigInt(start.toMillis()) * 1000n
}

function isoDate(time: DateTime): string {
  return time.toFormat('yyyy-MM-dd')
}
