import { IntlMessageFormat } from 'intl-messageformat'
import type { Locale } from './actor.ts'

/** Why a word cannot be said as it stands. */
export interface WordFault {
  readonly key: string
  readonly locale: Locale
  /** `missing` in this language, no ICU message (`unreadable`), or one that asks for `values` the English has not. */
  readonly fault: 'missing' | 'unreadable' | 'values'
}

/** A refusal's English stands where it is defined. */
const refusals = 'errors.'

type Messages = Readonly<Record<string, string>>
type Element = ReturnType<IntlMessageFormat['getAst']>[number]

/** What is wrong with the words of a package: each key is to be there in both languages, and the French over values of the English. */
export function wordFaults({ en, fr }: Readonly<Record<Locale, Messages>>): readonly WordFault[] {
  const keys = [...new Set([...Object.keys(en), ...Object.keys(fr)])].toSorted()
  return keys.flatMap((key): WordFault[] => {
    if (fr[key] === undefined) return [{ key, locale: 'fr', fault: 'missing' }]
    const french = valuesIn(fr[key])
    if (!french) return [{ key, locale: 'fr', fault: 'unreadable' }]
    if (en[key] === undefined) return key.startsWith(refusals) ? [] : [{ key, locale: 'en', fault: 'missing' }]
    const english = valuesIn(en[key])
    if (!english) return [{ key, locale: 'en', fault: 'unreadable' }]
    // It may do without one, as where a gender would have to agree with it.
    return !french.isSubsetOf(english) ? [{ key, locale: 'fr', fault: 'values' }] : []
  })
}

/** Names of the values an ICU message holds places for; undefined where it is none. */
function valuesIn(message: string): ReadonlySet<string> | undefined {
  try {
    return new Set(new IntlMessageFormat(message, 'en').getAst().flatMap(namesIn))
  } catch {
    return undefined
  }
}

function namesIn(element: Element): string[] {
  if ('options' in element)
    return [element.value, ...Object.values(element.options).flatMap(({ value }) => value.flatMap(namesIn))]
  if ('children' in element) return element.children.flatMap(namesIn)
  // A literal's value is text, a pound sign has none.
  return 'value' in element && element.type !== literal ? [element.value] : []
}

/** `TYPE.literal` of the parser, which names it in a package of its own. */
const literal = 0
