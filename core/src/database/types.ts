const plainInstant = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/

/** `2026-03-02 09:00:00.123456+00` as PostgreSQL writes it in UTC becomes `2026-03-02T09:00:00.123Z`. */
function isoInstant(text: string): string {
  // Every row has two or three; for the years 0001 to 9999 the text only has to be cut right.
  if (plainInstant.test(text)) {
    const fraction = text.length > 22 ? text.slice(20, -3).padEnd(3, '0').slice(0, 3) : '000'
    return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`
  }
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
