/** A module as the map shows it. */
export interface MapPlugin {
  readonly id: string
  readonly title: string
  readonly version: string
  readonly icon: string
  readonly isOn: boolean
  readonly emits: readonly string[]
  readonly slots: readonly string[]
  readonly points: readonly string[]
  readonly services: readonly string[]
  readonly hosts: readonly string[]
  /** Public prefixes it answers. */
  readonly pages: readonly string[]
}

export const tieKinds = [
  'requires',
  'optional',
  'hears',
  'extends',
  'fills',
  'contributes',
  'uses',
  'links',
  'guards',
  'reads',
  'writes',
] as const
export type TieKind = (typeof tieKinds)[number]

/** What one module takes hold of in another. */
export interface Tie {
  readonly from: string
  readonly to: string
  readonly kind: TieKind
  readonly what: readonly string[]
}

/** What a module that is on holds on to, and is not there. */
export interface Dangling {
  readonly plugin: string
  readonly kind: TieKind
  readonly what: string
  readonly owner: string
  readonly why: 'off' | 'missing' | 'untold' | 'unoffered'
}

export interface PlatformMap {
  readonly plugins: readonly MapPlugin[]
  readonly ties: readonly Tie[]
  readonly dangling: readonly Dangling[]
}

/** The address that shows a module, and what would be if another were off. */
export function mapHref(asked: { readonly plugin?: string | undefined; readonly off?: string | undefined }): string {
  const query = new URLSearchParams()
  if (asked.plugin) query.set('plugin', asked.plugin)
  if (asked.off) query.set('off', asked.off)
  return query.size > 0 ? `/settings/map?${query}` : '/settings/map'
}
