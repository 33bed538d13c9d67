export type DateOrder = 'DMY' | 'MDY' | 'YMD'

/** Spaces that group digits: French writes a narrow no-break space, others an apostrophe. */
const grouping = /[\s\u00a0\u202f'’]/g
const signs = /^(?:[€$£¥]|[A-Z]{3}\s)?\s*([+-]?\d[\d.,\s\u00a0\u202f'’]*)\s*(?:[€$£¥%]|\s[A-Z]{3})?$/
const written = /^(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{2,4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/

/** Reads how a number is written: `decimal` is its decimal sign where the text alone tells. */
export function looksLikeNumber(text: string): { readonly decimal: ',' | '.' | undefined } | undefined {
  const digits = signs.exec(text)?.[1]?.replaceAll(grouping, '')
  if (digits === undefined) return undefined
  const commas = digits.split(',').length - 1
  const points = digits.split('.').length - 1
  if (commas > 0 && points > 0) {
    const decimal = digits.lastIndexOf(',') > digits.lastIndexOf('.') ? ',' : '.'
    return (decimal === ',' ? commas : points) === 1 ? { decimal } : undefined
  }
  const sign = commas > 0 ? ',' : '.'
  const count = commas + points
  if (count === 0) return { decimal: undefined }
  const groups = digits.replace(/^[+-]/, '').split(sign)
  const isGrouped = /^\d{1,3}$/.test(groups[0] ?? '') && groups.slice(1).every((group) => /^\d{3}$/.test(group))
  // 1.234.567 has groups of thousands, so its decimals would follow the other sign.
  if (count > 1) return isGrouped ? { decimal: sign === ',' ? '.' : ',' } : undefined
  // 396,170 may be either.
  return { decimal: isGrouped ? undefined : sign }
}

/**
 * A number as a decimal string, `1 234,50 €` → `1234.50`; undefined when it is not one.
 *
 * @param decimal - the file's decimal sign; without one a lone comma before three digits groups thousands
 */
export function plainNumber(text: string, decimal: ',' | '.' | undefined): string | undefined {
  const digits = signs.exec(text.trim())?.[1]?.replaceAll(grouping, '')
  const form = looksLikeNumber(text.trim())
  if (digits === undefined || !form) return undefined
  const sign = decimal ?? form.decimal ?? '.'
  const [whole = '', ...parts] = digits.replaceAll(sign === ',' ? '.' : ',', '').split(sign)
  if (parts.length > 1) return undefined
  return parts[0] === undefined || parts[0] === '' ? whole : `${whole}.${parts[0]}`
}

/** Reads how a date is written: `order` is that of day and month where the text alone tells. */
export function looksLikeDate(text: string): { readonly order: DateOrder | undefined } | undefined {
  const parts = written.exec(text.replace(/Z$|[+-]\d{2}:?\d{2}$/, ''))
  if (!parts) return undefined
  const [first, second, third] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  if ((parts[1]?.length ?? 0) === 4) return second <= 12 && third <= 31 ? { order: 'YMD' } : undefined
  if ((parts[1]?.length ?? 0) > 2) return undefined
  if (first > 12 && first <= 31 && second <= 12) return { order: 'DMY' }
  if (second > 12 && second <= 31 && first <= 12) return { order: 'MDY' }
  if (first > 12 || second > 12 || first < 1 || second < 1) return undefined
  // Nobody who puts the month first writes points.
  return { order: text.includes('.') ? 'DMY' : undefined }
}

/** A written date in parts; undefined when it is none, or when nothing tells day from month. */
export function datePartsOf(
  text: string,
  order: DateOrder | undefined,
): { readonly date: string; readonly time: string | undefined } | 'ambiguous' | undefined {
  const parts = written.exec(text)
  if (!parts) return undefined
  const own = looksLikeDate(text)?.order
  const which = (parts[1]?.length ?? 0) === 4 ? 'YMD' : (order ?? own)
  if (which === undefined) return 'ambiguous'
  const [, first = '', second = '', third = '', hour, minute, seconds = '00'] = parts
  const [year, month, day] =
    which === 'YMD' ? [first, second, third] : which === 'DMY' ? [third, second, first] : [third, first, second]
  const two = (part: string) => part.padStart(2, '0')
  return {
    date: `${year.length === 2 ? century(year) : year}-${two(month)}-${two(day)}`,
    time: hour === undefined || minute === undefined ? undefined : `${two(hour)}:${minute}:${seconds}`,
  }
}

/** POSIX's rule for two digits: 69 to 99 are of the last century. */
function century(year: string): string {
  return `${Number(year) >= 69 ? 19 : 20}${year}`
}

/** Order of the letters in a format such as `DD/MM/YYYY`. */
export function orderOf(format: string): DateOrder | undefined {
  const letters = [...format.toUpperCase()].filter((letter) => 'DMY'.includes(letter))
  const order = [...new Set(letters)].join('')
  return order === 'DMY' || order === 'MDY' || order === 'YMD' ? order : undefined
}
