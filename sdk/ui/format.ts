import { locale, shell, zone } from './session.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'
import { t } from './words.ts'

/** A number or the decimal string REST gives; the string is never made a float on its way to the screen. */
export type Amount = string | number

const formatters = new Map<string, unknown>()

function cached<F>(key: string, make: () => F): F {
  const full = `${locale()} ${key}`
  const known = formatters.get(full) as F | undefined
  if (known) return known
  const made = make()
  formatters.set(full, made)
  return made
}

// Dates in English are written day first, as our parsing reads them.
const tag = () => (locale() === 'fr' ? 'fr-FR' : 'en-GB')

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return cached(JSON.stringify(options), () => new Intl.NumberFormat(tag(), options))
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return cached(JSON.stringify(options), () => new Intl.DateTimeFormat(tag(), options))
}

/** Intl groups French figures with a thin space that Inter makes a hair: 24 257 read as 24257. A full one is as correct. */
const spaced = (text: string) => text.replaceAll('\u202f', '\u00a0')

// Intl takes decimal strings whole since ES2023; its TypeScript signature wants the literal type.
const exact = (value: Amount) => value as Intl.StringNumericLiteral | number
const isNumeric = (value: unknown): value is Amount => value !== '' && value !== null && Number.isFinite(Number(value))

function isWhole(value: Amount): boolean {
  return typeof value === 'number' ? Number.isInteger(value) : /^-?\d+(\.0*)?$/.test(value)
}

/** Values as the reader writes them: language of the user, time zone of the workspace. Empty gives ''. */
export const format = {
  /**
   * @param digits - `auto` leaves out `,00`, `full` writes the currency's digits, `none` rounds them away
   */
  money(value: Amount | null | undefined, currency?: string, digits: 'auto' | 'full' | 'none' = 'auto'): string {
    if (!isNumeric(value)) return ''
    const short = digits === 'none' || (digits === 'auto' && isWhole(value))
    const amounts = numbers({
      style: 'currency',
      currency: currency || shell()?.workspace.baseCurrency || 'EUR',
      ...(short ? { minimumFractionDigits: 0, maximumFractionDigits: 0 } : {}),
    })
    return spaced(amounts.format(exact(value)))
  },

  /** Short for charts and figures: `182 k€`. */
  moneyCompact(value: Amount, currency?: string): string {
    const amounts = numbers({
      style: 'currency',
      currency: currency || shell()?.workspace.baseCurrency || 'EUR',
      notation: 'compact',
      maximumFractionDigits: 1,
    })
    return spaced(amounts.format(exact(value)))
  },

  number(value: Amount | null | undefined, options: Intl.NumberFormatOptions = {}): string {
    return isNumeric(value) ? spaced(numbers({ maximumFractionDigits: 6, ...options }).format(exact(value))) : ''
  },

  /** @param value - in hundredths: 70 is `70 %` */
  percent(value: Amount | null | undefined): string {
    return isNumeric(value)
      ? spaced(numbers({ style: 'percent', maximumFractionDigits: 2 }).format(Number(value) / 100))
      : ''
  },

  /** @param value - `YYYY-MM-DD` */
  date(value: string | null | undefined, style: 'medium' | 'short' | 'long' = 'medium'): string {
    if (!value) return ''
    const moment = new Date(`${value.slice(0, 10)}T00:00:00Z`)
    if (Number.isNaN(moment.getTime())) return value
    if (style === 'short')
      return dates({ day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' }).format(moment)
    return dates({ dateStyle: style, timeZone: 'UTC' }).format(moment)
  },

  /** @param iso - an instant; shown in the workspace's zone */
  instant(iso: string | null | undefined): string {
    if (!iso) return ''
    return dates({ dateStyle: 'medium', timeStyle: 'short', timeZone: zone() }).format(new Date(iso))
  },

  /** The time of day alone. */
  time(iso: string | null | undefined): string {
    if (!iso) return ''
    return dates({ timeStyle: 'short', timeZone: zone() }).format(new Date(iso))
  },

  /** “12 min ago”, up to a week; then the date. */
  relative(iso: string | null | undefined, now: Date = new Date()): string {
    if (!iso) return ''
    const seconds = Math.round((new Date(iso).getTime() - now.getTime()) / 1000)
    const unit = relativeUnits.find(([, size]) => Math.abs(seconds) >= size)
    if (!unit) return t('kit.format.now')
    if (unit[0] === 'week') return format.date(localDate(new Date(iso)))
    const relative = cached('relative', () => new Intl.RelativeTimeFormat(tag(), { numeric: 'auto', style: 'short' }))
    return relative.format(Math.trunc(seconds / unit[1]), unit[0])
  },

  /** Minutes as they are said: `1 h 30 min`. */
  duration(minutes: number): string {
    const [hours, rest] = [Math.trunc(minutes / 60), Math.abs(minutes % 60)]
    const unit = (value: number, of: 'hour' | 'minute') =>
      spaced(numbers({ style: 'unit', unit: of, unitDisplay: 'short' }).format(value))
    if (hours === 0) return unit(minutes, 'minute')
    return rest === 0 ? unit(hours, 'hour') : `${unit(hours, 'hour')} ${unit(rest, 'minute')}`
  },

  /** “A, B and C”. */
  list(items: readonly string[]): string {
    return cached('list', () => new Intl.ListFormat(tag(), { type: 'conjunction' })).format(items)
  },

  /** Any field's value as plain text; references need `included`. */
  value(field: FieldMeta, value: unknown, record?: RecordJson, included?: Included): string {
    if (field.masked) return typeof value === 'string' && value ? value : '•••'
    if (value === null || value === undefined || value === '') return ''
    switch (field.type) {
      case 'money':
        return format.money(value as Amount, currencyOf(field, record))
      case 'integer':
        return field.plain ? String(value) : format.number(value as Amount)
      case 'decimal':
        return format.number(value as Amount)
      case 'percent':
        return format.percent(value as Amount)
      case 'date':
        return format.date(String(value))
      case 'instant':
        return format.instant(String(value))
      case 'boolean':
        return t(value ? 'kit.value.yes' : 'kit.value.no')
      case 'select':
        return field.options?.find((it) => it.value === value)?.label ?? String(value)
      case 'multi-select':
        return format.list(
          choicesOf(value).map((it) => field.options?.find((option) => option.value === it)?.label ?? it),
        )
      case 'duration':
        return format.duration(Number(value))
      case 'address':
        return addressLines(value).join(', ')
      case 'rich':
        return plainText(String(value))
      case 'user':
      case 'team':
      case 'reference':
        if (field.asleep) return t('kit.value.asleep', { module: field.asleep })
        return referred(field, String(value), included)?.title ?? ''
      case 'json':
        return typeof value === 'string' ? value : JSON.stringify(value)
      default:
        return String(value)
    }
  },
}

const relativeUnits: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** Currency of a money field in one record. */
export function currencyOf(field: FieldMeta, record: RecordJson | undefined): string {
  const own = field.currency ? record?.[field.currency] : undefined
  return typeof own === 'string' && own ? own : (shell()?.workspace.baseCurrency ?? 'EUR')
}

/** The record a reference points at, if the answer brought it along. */
export function referred(field: FieldMeta, id: string, included: Included | undefined) {
  return field.target ? included?.[field.target]?.[id] : undefined
}

/** The workspace's calendar date of an instant, `YYYY-MM-DD`. */
export function localDate(moment: Date = new Date()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone() }).format(moment)
}

export function choicesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

export const addressParts = ['line1', 'line2', 'postalCode', 'city', 'region', 'country'] as const

/** What is written of an address, in the order it is written. */
function addressLines(value: unknown): readonly string[] {
  const address = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  return addressParts.map((part) => String(address[part] ?? '')).filter(Boolean)
}

/** Formatted text without its form. */
function plainText(html: string): string {
  const spacedOut = html.replaceAll(/<\/(?:p|li|h\d|blockquote|pre)>|<br ?\/?>/g, ' ')
  return (new DOMParser().parseFromString(spacedOut, 'text/html').body.textContent ?? '').replaceAll(/\s+/g, ' ').trim()
}
