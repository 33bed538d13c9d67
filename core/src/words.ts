import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IntlMessageFormat } from 'intl-messageformat'
import type { Locale } from './actor.ts'
import type { FieldFault, SocleError } from './errors.ts'

export const locales: readonly Locale[] = ['en', 'fr']

type Messages = Readonly<Record<string, string>>

/**
 * Every translation of the platform and its plugins: ICU messages by key and language.
 *
 * A folder holds `en.json` and `fr.json`, or several such pairs: `records.en.json`.
 */
export class Words {
  readonly #byOwner = new Map<string, Record<Locale, Record<string, string>>>()
  readonly #formats = new Map<string, IntlMessageFormat>()

  /** Takes the words of a plugin (or of the screens) from its folder; more than one folder may belong to one owner. */
  add(owner: string, folder: URL): void {
    const path = fileURLToPath(folder)
    const words = this.#byOwner.get(owner) ?? { en: {}, fr: {} }
    this.#byOwner.set(owner, words)
    for (const file of readdirSync(path)) {
      const locale = locales.find((it) => file === `${it}.json` || file.endsWith(`.${it}.json`))
      if (!locale) continue
      const text = readFileSync(join(path, file), 'utf8')
      Object.assign(words[locale], JSON.parse(locale === 'fr' ? spaced(text) : text) as Messages)
    }
  }

  /** All words of the given owners in a language; what a language lacks is said in English. */
  of(locale: Locale, owners: Iterable<string>): Record<string, string> {
    const all: Record<string, string> = {}
    for (const owner of owners) Object.assign(all, this.#byOwner.get(owner)?.en, this.#byOwner.get(owner)?.[locale])
    return all
  }

  has(key: string): boolean {
    return [...this.#byOwner.values()].some(({ en }) => key in en)
  }

  /** Says a key with its values; the key itself where nobody translated it. */
  say(locale: Locale, key: string, values: Readonly<Record<string, unknown>> = {}): string {
    const id = `${locale} ${key}`
    let format = this.#formats.get(id)
    if (!format) {
      const message = this.#message(locale, key) ?? this.#message('en', key)
      if (message === undefined) return key
      this.#formats.set(id, (format = new IntlMessageFormat(message, locale)))
    }
    return String(format.format(values as Record<string, string>))
  }

  #message(locale: Locale, key: string): string | undefined {
    for (const words of this.#byOwner.values()) if (words[locale][key] !== undefined) return words[locale][key]
    return undefined
  }

  /** The sentence of a refusal in a language: its translation over its values, else the English it was made with. */
  sentence(locale: Locale, { code, message, values, extras }: SocleError): string {
    const [first] = extras.errors ?? []
    return this.#said(locale, code, message, first ? { ...values, first: this.fault(locale, first).detail } : values)
  }

  /** One fault of a refusal as it is answered: its detail in a language. */
  fault<F extends Omit<FieldFault, 'path'>>(locale: Locale, { values, ...fault }: F) {
    return values ? { ...fault, detail: this.#said(locale, fault.code, fault.detail, values) } : fault
  }

  #said(locale: Locale, code: string, english: string, values: Readonly<Record<string, unknown>>): string {
    const key = `errors.${code}`
    if (locale === 'en' || this.#message(locale, key) === undefined) return english
    try {
      return this.say(locale, key, values)
    } catch {
      // A translation that names other values than the refusal has must not hide the refusal.
      return english
    }
  }
}

/** French sets a space before `;` `:` `?` `!` `%` `€` and inside guillemets, and no line may break there. */
function spaced(french: string): string {
  return french.replaceAll(/(?<=\S) (?=[;:?!»%€])|(?<=«) /g, '\u00a0')
}
