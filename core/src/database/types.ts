/** `2026-03-02 09:00:00.123456+00` as PostgreSQL writes it in UTC becomes `2026-03-02T09:00:00.123Z`. */
function isoInstant(text: string): string {
  const instant = new Date(text.includes('T') ? text : `${text.replace(' ', 'T')}${text.endsWith('+00') ? ':00' : ''}`)
  return Number.isNaN(instant.getTime()) ? text : instant.toISOString()
}

const asIs = (text: string): string => text

/** How values come from the database: dates and decimals stay strings, instants are ISO 8601, counts are numbers. */
export const typeParsers: Readonly<Record<number, (text: string) => unknown>> = {
  20: Number, // int8: counts and positions, far below 2^53
  1082: asIs, // date
  1083: asIs, // time
  1114: asIs, // timestamp
  1184: isoInstant, // timestamptz
  1186: asIs, // interval
  1700: asIs, // numeric
}
