import type { Locale } from '../../actor.ts'
import type { SocleError } from '../../errors.ts'
import type { Words } from '../../words.ts'
import type { PluginDefinition } from '../define-plugin.ts'
import { Letters, lettersOf } from '../letters.ts'
import { addedByManifest, unoffered } from '../offers.ts'
import type { PluginArchive } from './archive.ts'
import type { StoredPlugin } from './artefacts.ts'
import { beyond, reachKinds, reachOf, without, type Names, type ReachKind, type Reached } from './reach.ts'

/** What the core is called where it is named beside modules. */
const platform = 'Socle'

/** What an administrator reads before they consent. */
export interface Review {
  readonly plugin: string
  readonly title: string
  readonly summary: string
  readonly version: string
  /** The version it takes the place of. */
  readonly from?: string
  readonly integrity: string
  readonly size: { readonly files: number; readonly bytes: number }
  readonly signer?: { readonly name: string; readonly trusted: boolean }
  readonly requires: readonly {
    readonly id: string
    readonly title: string
    readonly range: string
    readonly found: string | null
    readonly optional: boolean
  }[]
  /** All it reaches; of a new version, only what the one before did not, or on other terms. Who gets a permission stands beside it. */
  readonly reach: readonly { readonly kind: ReachKind; readonly items: readonly ReviewedReach[] }[]
  /** What the version before reached and this one does not. */
  readonly gone: readonly { readonly kind: ReachKind; readonly items: readonly Reached[] }[]
  /** Letters after `g` that it asks for and another has: its places are without one. No owner is the shell. */
  readonly letters: readonly { readonly letter: string; readonly owner?: string }[]
  /** Slots and extension points it would add to that nothing installed offers. */
  readonly waitsFor: readonly string[]
  readonly refusals: readonly { readonly code: string; readonly detail: string; readonly forcible: boolean }[]
}

interface ReviewedReach extends Reached {
  /** Roles it offers that have the permission from the start. */
  readonly roles?: readonly string[]
}

export interface ReviewParts {
  readonly archive: PluginArchive
  readonly integrity: string
  /** What runs from the store under its id. */
  readonly before: StoredPlugin | undefined
  readonly plugins: readonly PluginDefinition[]
  readonly signer: Review['signer']
  readonly refusals: readonly { readonly error: SocleError; readonly forcible: boolean }[]
  readonly words: Words
  readonly locale: Locale
}

/** Tells an archive by its manifest alone. */
export function reviewOf(parts: ReviewParts): Review {
  const { archive, integrity, before, plugins, signer, refusals, words, locale } = parts
  const { manifest, files } = archive
  const names: Names = {
    locale,
    // What is known here already is called as it is here, whatever the archive says of it.
    word: (key, values) => (words.has(key) ? words.say(locale, key, values) : archive.words[locale][key]),
    module: (id) => {
      if (id === 'core') return platform
      return id === manifest.id ? manifest.title[locale] : plugins.find((it) => it.id === id)?.title[locale]
    },
  }
  const all = reachOf(manifest, names)
  const had = before && reachOf(before.manifest, names)
  const grouped = (reach: typeof all) =>
    reachKinds.map((kind) => ({ kind, items: reach[kind] })).filter(({ items }) => items.length > 0)
  const peers = (of: Readonly<Record<string, string>>, optional: boolean) =>
    Object.entries(of).map(([id, range]) => {
      const peer = plugins.find((it) => it.id === id)
      return { id, title: peer?.title[locale] ?? id, range, found: peer?.version ?? null, optional }
    })
  return {
    plugin: manifest.id,
    title: manifest.title[locale],
    summary: manifest.summary?.[locale] ?? '',
    version: manifest.version,
    ...(before ? { from: before.version } : {}),
    integrity,
    size: { files: files.size, bytes: [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0) },
    ...(signer ? { signer } : {}),
    requires: [
      { id: 'core', title: platform, range: manifest.platform, found: plugins[0]?.version ?? null, optional: false },
      ...peers(manifest.requires, false),
      ...peers(manifest.optional, true),
    ],
    reach: grouped(had ? beyond(all, had) : all).map(({ kind, items }) => ({
      kind,
      items: kind === 'permissions' ? items.map((it) => ({ ...it, roles: rolesWith(it.id, manifest, locale) })) : items,
    })),
    gone: had ? grouped(without(had, all)) : [],
    letters: clashes(manifest, plugins, locale),
    waitsFor: unoffered(addedByManifest(manifest), plugins),
    refusals: refusals.map(({ error, forcible }) => ({
      code: error.code,
      detail: words.sentence(locale, error),
      forcible,
    })),
  }
}

function clashes(
  manifest: PluginArchive['manifest'],
  plugins: readonly PluginDefinition[],
  locale: Locale,
): Review['letters'] {
  const letters = new Letters()
  for (const { id, resources = [], ui } of plugins) {
    if (id === manifest.id) continue
    const asked = lettersOf({ resources: resources.map(({ options }) => options), screens: ui?.screens ?? [] })
    for (const letter of asked) letters.take(letter, id)
  }
  return lettersOf(manifest)
    .filter((letter) => !letters.take(letter, manifest.id))
    .map((letter) => {
      const owner = plugins.find(({ id }) => id === letters.ownerOf(letter))
      return { letter, ...(owner ? { owner: owner.id === 'core' ? platform : owner.title[locale] } : {}) }
    })
}

function rolesWith(permission: string, { roleTemplates }: PluginArchive['manifest'], locale: Locale): string[] {
  const [resource, action] = [permission.slice(0, permission.lastIndexOf('.')), permission.split('.').at(-1)]
  return roleTemplates
    .filter(({ grants }) =>
      grants.some(
        (grant) =>
          grant.deny !== true &&
          (grant.action === '*' || grant.action === action) &&
          (grant.resource === '*' ||
            grant.resource === resource ||
            permission.startsWith(grant.resource.replace(/\*$/, ''))),
      ),
    )
    .map(({ title }) => title[locale])
}
