import { localDate, parse } from '@socle/sdk/ui'

/** What holds through a day ends with the first instant of the next, by the workspace's clocks. */
export function endOfDay(day: string): string {
  return parse.instant('+1', day)!
}

/** The last day, `YYYY-MM-DD`, of what ends at an instant. */
export function lastDayOf(end: string): string {
  return localDate(new Date(Date.parse(end) - 1))
}
