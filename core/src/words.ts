import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IntlMessageFormat } from 'intl-messageformat'
import type { Locale, Workspace, WorkspaceLabels } from './actor.ts'
import type { FieldFault, SocleError } from './errors.ts'
import { roleNames } from './permissions/role-names.ts'
import type { PluginHolder, PluginSet } from './plugins/loaded-plugins.ts'

export const locales: readonly Locale[] = ['en', 'fr']

type Messages = Readonly<Record<string, string>>

/**
 * Every translation of the platform and its plugins: ICU messages by key and language.
 *
 * A folder holds `en.json` and `fr.json`, or several such pairs: `records.en.json`.
 */
export class Words implements PluginHolder {
  readonly #byOwner: Map<string, Record<Locale, Messages>>
  readonly #formats: Map<string, IntlMessageFormat>
  readonly #labels: WorkspaceLabels
  /** Folder of each plugin's words that are held now. */
  readonly #ofPlugins = new Map<string, string>()

  /** @param shared - words to say as they are but for what a workspace calls its resources */
  constructor(shared?: Words, labels: WorkspaceLabels = {}) {
    this.#byOwner = shared ? shared.#byOwner : new Map()
    this.#formats = shared ? shared.#formats : new Map()
    this.#labels = labels
  }

  /** The same words with a workspace's own names of resources: an association's accounts are *adhérents*. */
  in({ labels }: Pick<Workspace, 'labels'>): Words {
    return Object.keys(labels).length === 0 ? this : new Words(this, labels)
  }

  /** Takes the words of the platform and its screens from a folder; more than one may belong to one owner. */
  add(owner: string, folder: URL): void {
    const { en, fr } = this.#byOwner.get(owner) ?? { en: {}, fr: {} }
    const more = wordsIn(folder)
    this.#byOwner.set(owner, { en: { ...en, ...more.en }, fr: { ...fr, ...more.fr } })
  }

  /** The words of the loaded plugins, each from its one folder; see `PluginHolder`. */
  prepare({ plugins }: Pick<PluginSet, 'plugins'>): () => void {
    const folders = new Map(plugins.flatMap(({ id, i18n }) => (i18n ? [[id, i18n] as const] : [])))
    const changed = [...folders].filter(([id, { href }]) => this.#ofPlugins.get(id) !== href)
    const read = changed.map(([id, folder]) => [id, wordsIn(folder)] as const)
    const roles = roleNames(plugins)
    return () => {
      this.#byOwner.set('role names', roles)
      for (const id of this.#ofPlugins.keys()) if (!folders.has(id)) this.#byOwner.delete(id)
      this.#ofPlugins.clear()
      for (const [id, { href }] of folders) this.#ofPlugins.set(id, href)
      for (const [id, words] of read) this.#byOwner.set(id, words)
      this.#formats.clear()
    }
  }

  /** All words of the given owners in a language; what a language lacks is said in English. */
  of(locale: Locale, owners: Iterable<string>): Record<string, string> {
    const all: Record<string, string> = {}
    for (const owner of owners) Object.assign(all, this.#byOwner.get(owner)?.en, this.#byOwner.get(owner)?.[locale])
    for (const [resource, names] of Object.entries(this.#labels)) {
      // "New account" no longer names it, and only its owner knows how to say it of another word.
      delete all[`${resource}.new`]
      if (`${resource}.one` in all) Object.assign(all, { [`${resource}.one`]: names[locale].one })
      if (`${resource}.many` in all) Object.assign(all, { [`${resource}.many`]: names[locale].many })
    }
    return all
  }

  has(key: string): boolean {
    return [...this.#byOwner.values()].some(({ en }) => key in en)
  }

  /** Says a key with its values; the key itself where nobody translated it. */
  say(locale: Locale, key: string, values: Readonly<Record<string, unknown>> = {}): string {
    const own = this.#ownName(locale, key)
    if (own !== undefined) return own
    const id = `${locale} ${key}`
    let format = this.#formats.get(id)
    if (!format) {
      const message = this.#message(locale, key) ?? this.#message('en', key)
      if (message === undefined) return key
      this.#formats.set(id, (format = new IntlMessageFormat(message, locale)))
    }
    return String(format.format(values as Record<string, string>))
  }

  /**
   * What a field is called that points at a resource: where its name holds the resource's, it holds the workspace's own
   * word in its place. "Parent account" is "Parent member".
   */
  pointingAt(locale: Locale, resource: string | undefined, label: string): string {
    const own = resource === undefined ? undefined : this.#labels[resource]?.[locale].one
    const usual = own === undefined ? undefined : this.#message(locale, `${resource}.one`)
    if (own === undefined || usual === undefined) return label
    const start = label.toLocaleLowerCase(locale).indexOf(usual.toLocaleLowerCase(locale))
    if (start < 0) return label
    const name = start === 0 ? own : own.toLocaleLowerCase(locale)
    return label.slice(0, start) + name + label.slice(start + usual.length)
  }

  #ownName(locale: Locale, key: string): string | undefined {
    const dot = key.lastIndexOf('.')
    const form = key.slice(dot + 1)
    return form === 'one' || form === 'many' ? this.#labels[key.slice(0, dot)]?.[locale][form] : undefined
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
      return this.say(locale, key, this.#named(locale, values))
    } catch {
      // A translation that names other values than the refusal has must not hide the refusal.
      return english
    }
  }

  /** Values of a refusal with kinds of records by their names: `core.account` and `account` are a *Compte*. */
  #named(locale: Locale, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const named: Record<string, unknown> = { ...values }
    for (const place of ['resource', 'target', 'subject']) {
      const kind = values[place]
      // The subject of a fault in an expression may also be a field of that name, as it was typed.
      if (typeof kind !== 'string' || (place === 'subject' && !kind.includes('.'))) continue
      const key = this.#kindKey(kind.replaceAll(' ', '-'))
      if (key !== undefined) named[place] = this.say(locale, key)
    }
    return named
  }

  #kindKey(kind: string): string | undefined {
    if (kind.includes('.')) return this.has(`${kind}.one`) ? `${kind}.one` : undefined
    const owner = [...this.#byOwner].find(([id, { en }]) => `${id}.${kind}.one` in en)?.[0]
    return owner === undefined ? undefined : `${owner}.${kind}.one`
  }
}

/** The language a file of words is in, by its name: `fr.json` or `records.fr.json`. */
export function localeOf(file: string): Locale | undefined {
  return locales.find((it) => new RegExp(`(?:^|[./])${it}\\.json$`).test(file))
}

function wordsIn(folder: URL): Record<Locale, Messages> {
  const path = fileURLToPath(folder)
  const words: Record<Locale, Messages> = { en: {}, fr: {} }
  for (const file of readdirSync(path)) {
    const locale = localeOf(file)
    if (!locale) continue
    const text = readFileSync(join(path, file), 'utf8')
    words[locale] = { ...words[locale], ...(JSON.parse(locale === 'fr' ? spaced(text) : text) as Messages) }
  }
  return words
}

/** French sets a space before `;` `:` `?` `!` `%` `€` and inside guillemets, and no line may break there. */
function spaced(french: string): string {
  return french.replaceAll(/(?<=\S) (?=[;:?!»%€])|(?<=«) /g, '\u00a0')
}
