import type { FieldAccess, FieldGrant, Grant, Visibility } from './settings-api.ts'

export type Reach = Visibility | 'none'

/** A grant the editor can show as one choice; conditions and refusals stay as they are, beside it. */
function isPlain(grant: Grant): boolean {
  return !grant.condition && !grant.deny
}

const breadth: Readonly<Record<Reach, number>> = { none: 0, own: 1, team: 2, all: 3 }

/** What this very line grants: `undefined` when no such line stands. */
export function ownReach(grants: readonly Grant[], resource: string, action: string): Reach | undefined {
  const found = grants.filter((it) => isPlain(it) && it.resource === resource && it.action === action)
  return found.map((it) => it.visibility ?? 'all').toSorted((a, b) => breadth[b] - breadth[a])[0]
}

/** What broader lines (`*`, `sales.*`, action `*`) grant already. */
export function inheritedReach(grants: readonly Grant[], resource: string, action: string): Reach {
  const widest = grants
    .filter((it) => isPlain(it) && covers(it, resource, action) && !(it.resource === resource && it.action === action))
    .map((it): Reach => it.visibility ?? 'all')
    .toSorted((a, b) => breadth[b] - breadth[a])[0]
  return widest ?? 'none'
}

function covers(grant: Grant, resource: string, action: string): boolean {
  if (grant.action !== '*' && grant.action !== action) return false
  if (grant.resource === '*' || grant.resource === resource) return true
  return grant.resource.endsWith('.*') && resource.startsWith(grant.resource.slice(0, -1))
}

export function isWider(reach: Reach, than: Reach): boolean {
  return breadth[reach] > breadth[than]
}

/** The grants with this line set; `none` takes it out. */
export function withReach(grants: readonly Grant[], resource: string, action: string, reach: Reach): Grant[] {
  const others = grants.filter((it) => !(isPlain(it) && it.resource === resource && it.action === action))
  return reach === 'none' ? others : [...others, { resource, action, visibility: reach }]
}

/** Lines the editor shows but does not change: those with a condition, and refusals. */
export function specialGrants(grants: readonly Grant[], resource: string): Grant[] {
  return grants.filter((it) => !isPlain(it) && it.resource === resource)
}

export function fieldAccess(fields: readonly FieldGrant[], resource: string, field: string): FieldAccess {
  return fields.find((it) => it.resource === resource && it.field === field)?.access ?? 'write'
}

export function withFieldAccess(
  fields: readonly FieldGrant[],
  resource: string,
  field: string,
  access: FieldAccess,
): FieldGrant[] {
  const others = fields.filter((it) => !(it.resource === resource && it.field === field))
  return access === 'write' ? others : [...others, { resource, field, access }]
}

/** `core.plugin.toggle` is the resource `core.plugin` with the action `toggle`. */
export function splitPermission(id: string): { resource: string; action: string } {
  const at = id.lastIndexOf('.')
  return { resource: id.slice(0, at), action: id.slice(at + 1) }
}
