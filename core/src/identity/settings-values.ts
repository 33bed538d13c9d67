/** ISO 4217 codes that the platform can format. */
export const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

const zones: ReadonlySet<string> = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])

/** Whether it names an IANA time zone. */
export function isZone(name: string): boolean {
  return zones.has(name)
}
