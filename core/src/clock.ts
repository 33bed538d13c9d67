/** Where time comes from. Half of the platform's promises depend on it, so nothing reads the system's clock itself. */
export interface Clock {
  now(): Date
  /** `YYYY-MM-DD` in a time zone of the IANA database. */
  today(zone: string): string
}

export function dateIn(zone: string, instant: Date): string {
  // Sweden writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(instant)
}

export const systemClock: Clock = {
  now: () => new Date(),
  today: (zone) => dateIn(zone, new Date()),
}
