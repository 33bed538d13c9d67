import { z } from 'zod'

/** ISO 4217 codes that the platform can format. */
export const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

const zones: ReadonlySet<string> = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])

/** An ISO 4217 code, as a workspace is given one when it is opened and later. */
export const currency = z.string().refine((code) => currencies.has(code), { params: { code: 'CURRENCY_UNKNOWN' } })

/** The name of an IANA time zone. */
export const zone = z.string().refine((name) => zones.has(name), { params: { code: 'ZONE_UNKNOWN' } })
