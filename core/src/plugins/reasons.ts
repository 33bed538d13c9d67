import type { Locale } from '../actor.ts'
import { SocleError } from '../errors.ts'
import type { Words } from '../words.ts'

interface KeptReason {
  readonly code: string
  readonly detail: string
  readonly values: Readonly<Record<string, unknown>>
}

/** Why a module was stopped, as a text column keeps it, so that it can be said again in the language of whoever reads it. */
export function reasonText({ code, message, values }: SocleError): string {
  return JSON.stringify({ code, detail: message, values } satisfies KeptReason)
}

/** A kept reason in a language; what is not ours to translate as it stands. */
export function sayReason(words: Words, locale: Locale, reason: string): string {
  if (!reason.startsWith('{')) return reason
  try {
    const { code, detail, values } = JSON.parse(reason) as KeptReason
    return words.sentence(locale, new SocleError(code, 503, detail, values))
  } catch {
    return reason
  }
}
