import { zone } from './session.ts'

const parts = new Map<string, Intl.DateTimeFormat>()

/** Wall time of an instant in the workspace's zone, `YYYY-MM-DDTHH:mm:ss`. */
export function wallTime(instant: string): string {
  const name = zone()
  const format =
    parts.get(name) ??
    new Intl.DateTimeFormat('en-CA', {
      timeZone: name,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
  parts.set(name, format)
  const at = Object.fromEntries(format.formatToParts(new Date(instant)).map((it) => [it.type, it.value]))
  return `${at['year']}-${at['month']}-${at['day']}T${at['hour']}:${at['minute']}:${at['second']}`
}

/** The instant at which clocks in the workspace's zone show this time; of a time shown twice, the first. */
export function instantOfWall(wall: string): string {
  const asIf = Date.parse(`${wall}Z`)
  const offset = (at: number) => Date.parse(`${wallTime(new Date(at).toISOString())}Z`) - at
  // A day before and after a change of clocks the offsets differ; one of them puts the time back where it was.
  const candidates = [asIf - offset(asIf - 86_400_000), asIf - offset(asIf + 86_400_000)].sort((a, b) => a - b)
  const found = candidates.find((at) => Date.parse(`${wallTime(new Date(at).toISOString())}Z`) === asIf)
  return new Date(found ?? candidates[1]!).toISOString()
}

/** `YYYY-MM-DD`, some days on. */
export function dayPlus(day: string, days: number): string {
  return new Date(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** Milliseconds that clocks show between two days or instants, whatever changes of clocks lie between. */
export function shownBetween(from: string, to: string): number {
  return wallMoment(to) - wallMoment(from)
}

/** A day, or an instant, moved by what clocks show: over a change of clocks it stands where it is put. */
export function movedBy(text: string, by: number): string {
  const moved = new Date(wallMoment(text) + by).toISOString()
  return isDay(text) ? moved.slice(0, 10) : instantOfWall(moved.slice(0, 19))
}

export function isDay(text: string): boolean {
  return text.length === 10
}

function wallMoment(text: string): number {
  return Date.parse(isDay(text) ? text : `${wallTime(text)}Z`)
}
