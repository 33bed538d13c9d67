import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { fold } from '../records/expression/index.ts'
import { foldRules } from '../records/expression/fold-rules.ts'

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
        .join(`${gap}+`),
    ),
    ...others.map(literal),
  ]
  const unique = [...new Set(parts)]
  return {
    pattern: unique.length === 0 ? '' : `(?:(?<![[:alnum:]])|(?<=\\\\[nrt]))(?:${unique.join('|')})(?![[:alnum:]])`,
    texts: [
      ...new Set(
        [...emails, ...typed, ...phones, ...full.map((words) => words.join(' ')), ...others].flatMap((text) => [
          text.normalize('NFC'),
          text.normalize('NFD'),
        ]),
      ),
    ],
  }
}

// What is folded to letters, those beyond ordinary writing left out: mathematical and full-width alphabets.
const foldedTo = new Map(
  foldRules.flatMap(([text, signs]): [string, string][] => {
    const written = [...signs].filter((sign) => sign < '\u2000' && /\p{L}/u.test(sign)).join('')
    return /^\p{L}+$/u.test(text) && written !== '' ? [[text, written]] : []
  }),
)

/** Whitespace of any kind, also as a document in a text writes it. */
const gap = String.raw`(?:[[:space:]\u00a0\u2007\u2009\u202f]|\\[nrt])`

/** Letters that one sign may stand for, longest first: `ß` for `ss`, `œ` for `oe`. */
const spelt = [...foldedTo.keys()].filter((text) => text.length > 1).toSorted((a, b) => b.length - a.length)

/** A text as it stands, with or without its accents, whichever way those are encoded. */
function literal(text: string): string {
  const signs = [...text.normalize('NFC')]
  const folds = signs.map((sign) => (/\p{L}/u.test(sign) ? fold(sign) : ' '))
  let pattern = ''
  // Every sign is told by what it folds to, with itself: `ß` and `ss` are one, and so are `é`, `e` and `É`.
  for (let at = 0; at < signs.length; at += 1) {
    const sign = signs[at] ?? ''
    const one = spelt.find((it) => folds.slice(at, at + it.length).join('') === it)
    if (one !== undefined) {
      const apart = signs.slice(at, at + one.length)
      pattern += `(?:${oneOf(foldedTo.get(one) ?? '')}|${apart.map(letter).join('')})`
      at += one.length - 1
    } else if (/\s/u.test(sign)) pattern += `${gap}+`
    else if (/\p{L}/u.test(sign)) pattern += letter(sign)
    else pattern += /[\p{N}@]/u.test(sign) ? sign : `\\${sign}`
  }
  return pattern
}

function letter(sign: string): string {
  const text = fold(sign)
  if (text.length > 1 && foldedTo.has(text))
    return `(?:${oneOf(`${foldedTo.get(text) ?? ''}${sign}`)}|${[...text].map(letter).join('')})`
  return oneOf(`${text}${foldedTo.get(text) ?? ''}${sign}`)
}

/** Both cases: a class is matched without case, but not every collation folds every accent. Marks may follow on their own. */
function oneOf(signs: string): string {
  const all = new Set([...signs].flatMap((it) => [it, ...it.toUpperCase(), ...it.toLowerCase()]))
  return `[${[...all].filter((it) => /\p{L}/u.test(it)).join('')}][\u0300-\u036f]*`
}

/** Fewer figures without what stands before them are a house number or an extension: everybody's texts have some. */
const shortestBare = 7

/** A number however its figures are grouped, with its country code, with the figure dialled before it at home, or bare where none is. */
function dialled(number: string): string {
  const between = String.raw`[[:space:]\u00a0\u2007\u2009\u202f./()-]*`
  const grouped = (figures: string) => [...figures].join(between)
  const parsed = parsePhoneNumberFromString(number)
  if (!parsed) return grouped(number.replaceAll(/\D/g, ''))
  const { countryCallingCode, nationalNumber } = parsed
  const atHome = parsed.formatNational().replaceAll(/\D/g, '')
  const isBare = atHome === nationalNumber && nationalNumber.length >= shortestBare
  const abroad = `(?:\\+|00)?${between}${grouped(countryCallingCode)}${between}(?:\\(?0\\)?${between})?`
  return `(?:${abroad}|0${between}${isBare ? '|' : ''})${grouped(nationalNumber)}`
}
