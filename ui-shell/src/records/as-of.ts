import type { ResourceMeta } from '@socle/sdk/ui'

const seen = new WeakMap<ResourceMeta, ResourceMeta>()

/** The resource as one may use its past: to look at it, and to carry it out. */
export function lookOnly(meta: ResourceMeta): ResourceMeta {
  const known = seen.get(meta)
  if (known) return known
  const may = {
    create: false,
    update: false,
    delete: false,
    restore: false,
    import: false,
    export: meta.may.export,
    merge: false,
    share: false,
    bulk: false,
  }
  const { duplicates: _, ...rest } = meta
  const past: ResourceMeta = { ...rest, may }
  seen.set(meta, past)
  return past
}

/** An address with the instant it is to be seen at. */
export function hrefAsOf(href: string, asOf: string | undefined): string {
  return asOf ? `${href}?asOf=${encodeURIComponent(asOf)}` : href
}
