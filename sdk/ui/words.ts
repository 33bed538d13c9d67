import { IntlMessageFormat } from 'intl-messageformat'
import { parseMessage } from './message-parser.ts'
import { locale, onShellChange, shell } from './session.ts'

export type MessageValues = Readonly<Record<string, string | number | boolean | Date | null | undefined>>

let early: Readonly<Record<string, string>> = {}
const compiled = new Map<string, IntlMessageFormat>()
onShellChange(() => compiled.clear())

/** Words for the screens before sign-in, when no shell document is there yet; the document's own win. */
export function setEarlyWords(words: Readonly<Record<string, string>>): void {
  early = words
  compiled.clear()
}

/** Whether a key is translated. */
export function hasWords(key: string): boolean {
  return (shell()?.words[key] ?? early[key]) !== undefined
}

/**
 * A sentence in the reader's language.
 *
 * @param key - e.g. `kit.table.selected`; an unknown key is shown as it is, so that it is seen
 * @param values - for the placeholders of the ICU message, by name
 */
export function t(key: string, values?: MessageValues): string {
  const message = shell()?.words[key] ?? early[key]
  if (message === undefined) return key
  if (!message.includes('{') && !message.includes("''")) return message
  return String(formatter(message).format(values as Record<string, string> | undefined))
}

function formatter(message: string): IntlMessageFormat {
  const known = compiled.get(message)
  if (known) return known
  const made = new IntlMessageFormat(parseMessage(message), locale())
  compiled.set(message, made)
  return made
}
