import type { ResourceMeta } from '@socle/sdk/ui'

/** The server takes these by one request; more are its background's work. */
export const mostAtOnce = 200
export const mostMerged = 20

export function mergeHref(meta: ResourceMeta, ids: readonly string[]): string {
  return `${meta.route}/merge?ids=${ids.map(encodeURIComponent).join(',')}`
}
