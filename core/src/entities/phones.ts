import { getCountries, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js'
import { parsePhoneNumberFromString as parsedWithType } from 'libphonenumber-js/max'

const countries: ReadonlySet<string> = new Set(getCountries())

/** ECMA-402's Intl Locale Info, which TypeScript's library does not know yet. */
type LocaleWithZones = Intl.Locale & { getTimeZones(): string[] | undefined }

let countryByZone: Map<string, CountryCode> | undefined

/** The country a time zone lies in: `Europe/Paris` → FR; undefined for a zone no country claims, such as UTC. */
export function countryOfZone(zone: string): CountryCode | undefined {
  countryByZone ??= new Map(
    getCountries().flatMap((country) => {
      const locale = new Intl.Locale('und', { region: country }) as LocaleWithZones
      return (locale.getTimeZones() ?? []).map((it) => [it, country] as const)
    }),
  )
  return countryByZone.get(zone)
}

/**
 * A phone number as it is dialled from anywhere (E.164), `01 42 68 53 00` in France → `+33142685300`.
 *
 * @param country - ISO 3166-1 code that a number without prefix belongs to
 * @returns undefined when it cannot be a number; what was typed is kept beside it
 */
export function phoneNorm(typed: string, country: string | undefined): string | undefined {
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
