import { t } from '@socle/sdk/ui'
import type { FieldAccess, FieldGrant, Grant, PermissionCatalog, Visibility } from './settings-api.ts'

export type Reach = Visibility | 'none'

/** A grant the table of a role shows as one choice; conditions and refusals stand beside it, as exceptions. */
function isPlain(grant: Grant): boolean {
  return !grant.condition && !grant.deny
}

export const reaches: readonly Visibility[] = ['own', 'team', 'all']

/** What of a resource, or of all of a module or everything, may be granted or refused. */
export function actionsOf({ resources }: PermissionCatalog, id: string): readonly string[] {
  const named = resources.find((it) => it.id === id)?.actions
  return ['*', ...(named ?? new Set(resources.flatMap(({ actions }) => actions)))]
}

const words = new Set([
  '*',
  'read',
  'create',
  'update',
  'delete',
  'restore',
  'import',
  'export',
  'bulk',
  'merge',
  'share',
])

/** An action as an administrator reads it; one of a module that is off goes by its name. */
export function actionWord(action: string): string {
  return words.has(action) ? t(`shell.roles.action.${action}`) : action
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

/** Lines that hold under a condition, and refusals. */
export function exceptionsIn(grants: readonly Grant[]): Grant[] {
  return grants.filter((it) => !isPlain(it))
}

/** The grants with an exception in the place of another, or after all others; `undefined` takes the other out. */
export function withException(grants: readonly Grant[], old: Grant | undefined, now: Grant | undefined): Grant[] {
  const at = old ? grants.indexOf(old) : -1
  return grants.toSpliced(at < 0 ? grants.length : at, at < 0 ? 0 : 1, ...(now ? [now] : []))
}

/** Whether what a grant allows under a condition is allowed by a plain line anyway. */
export function isIdle(grants: readonly Grant[], { resource, action, visibility = 'all', deny }: Grant): boolean {
  if (deny) return false
  const own = ownReach(grants, resource, action) ?? 'none'
  return [own, inheritedReach(grants, resource, action)].some((reach) => !isWider(visibility, reach))
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
