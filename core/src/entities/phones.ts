import { getCountries, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js'
import { parsePhoneNumberFromString as parsedWithType } from 'libphonenumber-js/max'
import { zonesOfCountries } from './country-zones.ts'

const countries: ReadonlySet<string> = new Set(getCountries())

const countryByZone = new Map(
  Object.entries(zonesOfCountries).flatMap(([country, zones]) =>
    zones.split(' ').map((zone) => [zone, country as CountryCode] as const),
  ),
)

/** The country a time zone lies in: `Europe/Paris` → FR; undefined for a zone no country claims, such as UTC. */
export function countryOfZone(zone: string): CountryCode | undefined {
  return countryByZone.get(zone)
}

// One write asks about its number several times: the record is normalised, then compared by it.
const lately = new Map<string, string | undefined>()
const mostLately = 50

/**
 * A phone number as it is dialled from anywhere (E.164), `01 42 68 53 00` in France → `+33142685300`.
 *
 * @param country - ISO 3166-1 code that a number without prefix belongs to
 * @returns undefined when it cannot be a number; what was typed is kept beside it
 */
export function phoneNorm(typed: string, country: string | undefined): string | undefined {
  const asked = `${country} ${typed}`
  if (!lately.has(asked)) {
    if (lately.size >= mostLately) lately.clear()
    lately.set(asked, parsedNorm(typed, country))
  }
  return lately.get(asked)
}

function parsedNorm(typed: string, country: string | undefined): string | undefined {
  const number = parsePhoneNumberFromString(
    typed,
    country !== undefined && countries.has(country) ? { defaultCountry: country as CountryCode } : {},
  )
  return number?.isPossible() ? number.number : undefined
}

/** True where the numbering plan of its country gives a number, in E.164, to mobiles alone: it is one person's. */
export function isMobile(number: string): boolean {
  return parsedWithType(number)?.getType() === 'MOBILE'
}

/** True for a country's two capital letters of ISO 3166-1. */
export function isCountry(value: string): boolean {
  return countries.has(value)
}
