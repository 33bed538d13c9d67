/** What somebody is named by in other people's texts: for SQL a regular expression, for files the words themselves. */
export interface Terms {
  /** PostgreSQL's advanced regular expression, to be matched without case; empty where there is nothing to look for. */
  readonly pattern: string
  readonly texts: readonly string[]
}

interface NamedBy {
  readonly emails: readonly string[]
  /** E.164. */
  readonly phones: readonly string[]
  /** Numbers as they were typed. */
  readonly typed: readonly string[]
  readonly names: readonly { readonly first: string; readonly last: string }[]
  readonly others: readonly string[]
}

/** A first name or a last name alone names too many. */
export function termsOf({ emails, phones, typed, names, others }: NamedBy): Terms {
  const full = names
    .filter(({ first, last }) => first.length + last.length >= 4)
    .flatMap(({ first, last }) => [
      [first, last],
      [last, first],
    ])
  const parts = [
    ...emails.map(literal),
    ...phones.map(dialled),
    ...typed.map(literal),
    ...full.map((words) =>
      words
        .flatMap((word) => word.split(/\s+/))
        .map(literal)
        .join('[[:space:]]+'),
    ),
    ...others.map(literal),
  ]
  const unique = [...new Set(parts)]
  return {
    pattern: unique.length === 0 ? '' : `(?<![[:alnum:]])(?:${unique.join('|')})(?![[:alnum:]])`,
    texts: [...new Set([...emails, ...typed, ...phones, ...full.map((words) => words.join(' ')), ...others])],
  }
}

const accents: Readonly<Record<string, string>> = {
  a: 'aàâäáã',
  c: 'cç',
  e: 'eéèêë',
  i: 'iîïí',
  n: 'nñ',
  o: 'oôöó',
  u: 'uùûüú',
  y: 'yÿ',
}

/** A text as it stands, with or without its accents. */
function literal(text: string): string {
  return [...text.normalize('NFC')]
    .map((sign) => {
      const base = sign.normalize('NFD')[0]?.toLowerCase() ?? sign
      const alike = accents[base]
      // Both cases: a class is matched without case, but not every collation folds every accent.
      if (alike && /\p{L}/u.test(sign)) return `[${alike}${alike.toUpperCase()}]`
      return /[\p{L}\p{N}\s@]/u.test(sign) ? sign : `\\${sign}`
    })
    .join('')
}

/** A number however its figures are grouped, with its country code or the 0 that stands for it. */
function dialled(number: string): string {
  const digits = number.replaceAll(/\D/g, '')
  const gap = '[[:space:]./()-]*'
  const grouped = (figures: string) => [...figures].join(gap)
  if (!number.startsWith('+')) return grouped(digits)
  // National numbers have 8 to 10 figures; what stands before the last nine is the country.
  const national = digits.slice(-9)
  const country = digits.slice(0, -9)
  return `(?:(?:\\+|00)${gap}${grouped(country)}${gap}(?:\\(?0\\)?${gap})?|0${gap})${grouped(national)}`
}
