import { parseMessage, printMessage } from './message.ts'
import type { MessagePart } from './message.ts'
import { locale, shell } from './session.ts'

export type MessageValues = Readonly<Record<string, string | number | boolean | Date | null | undefined>>

let early: Readonly<Record<string, string>> = {}
/** Messages are read once; the same text means the same in every language. */
const read = new Map<string, readonly MessagePart[]>()

/** Words for the screens before sign-in, when no shell document is there yet; the document's own win. */
export function setEarlyWords(words: Readonly<Record<string, string>>): void {
  early = words
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
export function t(key: string, values: MessageValues = {}): string {
  const message = shell()?.words[key] ?? early[key]
  if (message === undefined) return key
  if (!message.includes('{') && !message.includes("''")) return message
  return printMessage(partsOf(message), values, locale())
}

function partsOf(message: string): readonly MessagePart[] {
  const known = read.get(message)
  if (known) return known
  const parts = parseMessage(message)
  read.set(message, parts)
  return parts
}
