import type { Locale } from '../actor.ts'
import type { PluginDefinition } from '../plugins/define-plugin.ts'

interface NamedRole {
  readonly name: string
  readonly template: string | null
}

const keyOf = (template: string, name: string) => `role-name.${template}.${name}`

/** Words of the roles that the platform and its plugins bring: each by its template and by each name it may have come with. */
export function roleNames(
  plugins: readonly Pick<PluginDefinition, 'id' | 'roleTemplates'>[],
): Record<Locale, Record<string, string>> {
  const words: Record<Locale, Record<string, string>> = { en: {}, fr: {} }
  for (const { id: plugin, roleTemplates = [] } of plugins)
    for (const { id, title } of roleTemplates) {
      const template = id.startsWith(`${plugin}.`) ? id : `${plugin}.${id}`
      for (const name of Object.values(title)) {
        words.en[keyOf(template, name)] = title.en
        words.fr[keyOf(template, name)] = title.fr
      }
    }
  return words
}

/** What a role is called: as its workspace named it, and while it bears a name it came with, as its reader says it. */
export function roleName({ t }: { t(key: string): string }, { name, template }: NamedRole): string {
  if (template === null) return name
  const key = keyOf(template, name)
  const said = t(key)
  return said === key ? name : said
}

/** In the order of a reader's language. */
export function byName(locale: Locale): (one: { readonly name: string }, other: { readonly name: string }) => number {
  const { compare } = new Intl.Collator(locale)
  return (one, other) => compare(one.name, other.name)
}
