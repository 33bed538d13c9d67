import { resource, t } from '@socle/sdk/ui'
import { fieldOf } from '../records/resources.ts'
import type { Dangling, TieKind } from './map-api.ts'
import { happened } from './event-words.ts'

/** What a tie is about, in words where there are any: an event, a field, a kind of record. */
export function whatWords(kind: TieKind, what: string): string {
  if (kind === 'hears') return eventOf(what)
  if (kind === 'guards' || kind === 'reads' || kind === 'writes') return resource(what)?.name.many ?? what
  if (kind === 'extends' || kind === 'links') {
    const at = what.lastIndexOf('.')
    const meta = resource(what.slice(0, at))
    const label = meta && fieldOf(meta, what.slice(at + 1))?.label
    return label ? `${meta.name.one} · ${label}` : (resource(what)?.name.many ?? what)
  }
  return what
}

/** An event with its version, `sales.opportunity.won@1`, as people call it; the first version goes without saying. */
export function eventOf(id: string): string {
  const [name = '', version = '1'] = id.split('@')
  const words = happened(name)
  return version === '1' ? words : `${words} @${version}`
}

export function danglingWords({ plugin, kind, what, owner, why }: Dangling, titleOf: (id: string) => string): string {
  const values = { kind, plugin: titleOf(plugin), what: whatWords(kind, what), owner: titleOf(owner) }
  return t(`shell.map.dangling.${why}`, values)
}
