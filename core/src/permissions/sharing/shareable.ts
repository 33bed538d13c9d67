import type { Resource } from '../../records/registry.ts'

/** Whether records of a resource may be shared one by one: people, roles and settings never are. */
export function isShareable({ options, audience }: Pick<Resource, 'options' | 'audience'>): boolean {
  return options.shareable ?? (options.nav !== false && !options.readonly && !audience)
}
