import type { Grant } from './grant.ts'

const ofRecords: ReadonlySet<string> = new Set(['read', 'create', 'update', 'delete', 'restore', 'export', 'import'])

/** Of whatever record: a merge changes what points at it, a share opens it to others. */
const ofTheHouse: ReadonlySet<string> = new Set(['merge', 'share'])

/** Of these the core grants reading as well, and they are no records. */
const administered: ReadonlySet<string> = new Set([
  'core.plugin',
  'core.audit',
  'core.event',
  'core.privacy',
  'core.pii',
  'core.actor',
])

/** What the core grants beside records and that a partner's people may hold all the same. */
const openToPartners: ReadonlySet<string> = new Set(['core.known-account.ask'])

/**
 * Whether a right is for the people of the house alone: everything at once, merging and sharing, and what the core grants
 * beside its records — people, roles, fields, modules, audit. Rights on records may be anybody's: which of them there are is the wall's to say.
 */
export function isInternalRight(resource: string, action: string): boolean {
  if (resource === '*' || ofTheHouse.has(action)) return true
  if (resource !== 'core' && !resource.startsWith('core.')) return false
  if (administered.has(resource)) return true
  return !ofRecords.has(action) && !openToPartners.has(`${resource}.${action}`)
}

/** The first right among grants that a partner's people may not hold, as the role editor names it. */
export function internalRightIn(grants: readonly Grant[]): string | undefined {
  const found = grants.find(({ resource, action, deny }) => !deny && isInternalRight(resource, action))
  return found && (found.resource === '*' ? '*' : `${found.resource}.${found.action}`)
}
