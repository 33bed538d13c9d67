import { localDate } from './format.ts'
import { locale } from './session.ts'
import { dayPlus, instantOfWall } from './zone-time.ts'

const spaces = /[\s\u00a0\u202f\u2009'’]/g

/** Reads what people type. `undefined` means it cannot be read; '' stays ''. */
export const parse = {
  /**
   * A number in either writing: `12 345,67`, `12345.67`, `12.345,67`, `12,345.67`, `12k`, `-5`.
   *
   * @returns a decimal string with a point, e.g. `12345.67`
   */
  number(text: string): string | undefined {
    const compact = text.replace(spaces, '').replace(/[−–]/g, '-')
    if (compact === '') return ''
    const read = /^([+-]?)([\d.,]*\d[\d.,]*)(k|m)?$/i.exec(compact)
    if (!read) return undefined
    const digits = pointOnly(read[2] ?? '')
    if (digits === undefined) return undefined
    const scaled = read[3] ? shift(digits, read[3].toLowerCase() === 'k' ? 3 : 6) : digits
    return (read[1] === '-' ? '-' : '') + tidy(scaled)
  },

  /** A number with its currency written before or after: `1 250 €`, `EUR 1250`, `$12.50`. */
  money(text: string): string | undefined {
    const bare = text.replace(/\p{Sc}/gu, '').replace(/^\s*[A-Za-z]{3}(?=[\s\d-])|(?<=[\s\d])[A-Za-z]{3}\s*$/gu, '')
    return parse.number(bare)
  },

  /** A number with or without its sign: `70 %`. */
  percent(text: string): string | undefined {
    return parse.number(text.replace('%', ''))
  },

  /**
   * A date, day first: `31/3`, `31.03.26`, `2026-03-31`, `31 mars`, `March 31, 2026`, `today`, `demain`, `+3`.
   *
   * @param today - the workspace's calendar date, from which a missing year or a distance is counted
   * @returns `YYYY-MM-DD`
   */
  date(text: string, today: string = localDate()): string | undefined {
    const words = fold(text)
    if (words === '') return ''
    const day = relativeDays[words]
    if (day !== undefined) return dayPlus(today, day)
    const distance = /^([+-]\d{1,4})\s*(d|j|days?|jours?)?$/.exec(words)
    if (distance) return dayPlus(today, Number(distance[1]))
    const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})/.exec(words)
    if (iso) return dateOf(Number(iso[1]), Number(iso[2]), Number(iso[3]))
    const [year = 0, month = 0] = today.split('-').map(Number)
    const numeric = /^(\d{1,2})(?:[/.\- ](\d{1,2})(?:[/.\- ](\d{2}|\d{4}))?)?$/.exec(words)
    if (numeric) return numericDate(numeric, year, month)
    return wordedDate(words, year)
  },

  /**
   * A date and a time of day, in the workspace's zone: `31/3 14:30`, `demain 9h`, `today 18:05`; without a time, midnight.
   *
   * @returns an instant as ISO 8601 in UTC
   */
  instant(text: string, today: string = localDate()): string | undefined {
    const read = /^(.*?)(?:[\s,T]+(?:à |at )?(\d{1,2})\s*[:h]\s*(\d{2})?)?$/.exec(text.trim())
    const date = read?.[1] ? parse.date(read[1], today) : today
    const [hours, minutes] = [Number(read?.[2] ?? 0), Number(read?.[3] ?? 0)]
    if (!date || hours > 23 || minutes > 59) return text.trim() === '' ? '' : undefined
    const two = (part: number) => String(part).padStart(2, '0')
    return instantOfWall(`${date}T${two(hours)}:${two(minutes)}:00`)
  },

  /** Hours and minutes: `90`, `1:30`, `1h30`, `1 h 30 min`, `2 days`; whole minutes. */
  duration(text: string): number | undefined {
    const compact = fold(text).replace(spaces, '')
    if (/^\d{1,7}$/.test(compact)) return Number(compact)
    const clock = /^(\d{1,5}):(\d{2})$/.exec(compact)
    if (clock) return Number(clock[1]) * 60 + Number(clock[2])
    const read =
      /^(?:(\d{1,4})(?:d|j|days?|jours?))?(?:(\d{1,5})(?:h|hrs?|hours?|heures?)(?:(\d{1,2})$)?)?(?:(\d{1,6})(?:m|mins?|minutes?))?$/.exec(
        compact,
      )
    if (!read || compact === '') return undefined
    const [days, hours, bare, minutes] = read.slice(1).map((part) => Number(part ?? 0)) as [
      number,
      number,
      number,
      number,
    ]
    return days * 1440 + hours * 60 + bare + minutes
  },

  /** The workspace's calendar date of an instant. */
  dayOf(iso: string): string {
    return localDate(new Date(iso))
  },
}

function numericDate(read: RegExpExecArray, year: number, month: number): string | undefined {
  const first = Number(read[1])
  const second = read[2] === undefined ? month : Number(read[2])
  const full = read[3] === undefined ? year : fullYear(read[3])
  // 3/31 can only be the American way: nobody has a 31st month.
  return dateOf(full, second, first) ?? dateOf(full, first, second)
}

function wordedDate(words: string, year: number): string | undefined {
  const parts = words
    .replace(/(\d)(er|st|nd|rd|th)\b/g, '$1')
    .split(/[\s,.]+/)
    .filter(Boolean)
  const name = parts.find((it) => /^[a-z]+$/.test(it))
  const month = name && monthOf(name)
  const given = parts.filter((it) => /^\d+$/.test(it))
  if (!month || given.length === 0 || given.length > 2 || parts.length !== given.length + 1) return undefined
  const day = given.find((it) => it.length <= 2)
  const written = given.find((it) => it !== day)
  return day ? dateOf(written ? fullYear(written) : year, month, Number(day)) : undefined
}

const relativeDays: Readonly<Record<string, number>> = {
  today: 0,
  "aujourd'hui": 0,
  auj: 0,
  tomorrow: 1,
  demain: 1,
  yesterday: -1,
  hier: -1,
}

function fold(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/’/g, "'")
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
}

let monthNames: string[][] | undefined

/** Both languages are read whatever the reader's; one or two letters that fit several months are refused. */
function monthOf(name: string): number | undefined {
  monthNames ??= ['fr', 'en'].map((language) => {
    const long = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' })
    return Array.from({ length: 12 }, (_, index) => fold(long.format(new Date(Date.UTC(2026, index, 1)))))
  })
  const ordered = locale() === 'fr' ? monthNames : [...monthNames].reverse()
  for (const names of ordered) {
    const fitting = names.flatMap((it, index) => (it.startsWith(name) ? [index + 1] : []))
    if (fitting.length === 1) return fitting[0]
  }
  return undefined
}

function fullYear(text: string): number {
  return text.length === 4 ? Number(text) : 2000 + Number(text)
}

function dateOf(year: number, month: number, day: number): string | undefined {
  const moment = new Date(Date.UTC(year, month - 1, day))
  const isReal = moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day
  return isReal ? moment.toISOString().slice(0, 10) : undefined
}

/** Decides which of point and comma is the decimal sign, and leaves only that, as a point. */
function pointOnly(digits: string): string | undefined {
  const comma = digits.lastIndexOf(',')
  const point = digits.lastIndexOf('.')
  if (comma < 0 && point < 0) return digits
  if (comma >= 0 && point >= 0) {
    const decimal = comma > point ? ',' : '.'
    return oneDecimal(digits.replaceAll(decimal === ',' ? '.' : ',', ''), decimal)
  }
  const sign = comma >= 0 ? ',' : '.'
  const groups = digits.split(sign)
  const isGrouped =
    groups.length > 1 && /^\d{1,3}$/.test(groups[0] ?? '') && groups.slice(1).every((it) => it.length === 3)
  if (groups.length > 2) return isGrouped ? groups.join('') : undefined
  // One comma before three digits is a thousand in English and a decimal sign in French.
  if (isGrouped && sign === ',' && locale() === 'en') return groups.join('')
  return groups.join('.')
}

function oneDecimal(digits: string, sign: string): string | undefined {
  const parts = digits.split(sign)
  return parts.length === 2 ? parts.join('.') : undefined
}

function shift(digits: string, places: number): string {
  const [whole = '', fraction = ''] = digits.split('.')
  const padded = fraction.padEnd(places, '0')
  return `${whole}${padded.slice(0, places)}.${padded.slice(places)}`
}

function tidy(digits: string): string {
  const [whole = '', fraction = ''] = digits.split('.')
  const trimmed = whole.replace(/^0+(?=\d)/, '') || '0'
  return fraction ? `${trimmed}.${fraction}` : trimmed
}
