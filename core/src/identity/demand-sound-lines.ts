import { partsOfPermission } from '../permissions/named-permission.ts'
import type { FieldGrant, Grant } from '../permissions/grant.ts'
import { recordActions } from '../permissions/record-actions.ts'
import { isShareable } from '../permissions/sharing/shareable.ts'
import { checkExpression, everyField, parseExpression } from '../records/expression/index.ts'
import { closest } from '../records/expression/closest.ts'
import type { Resource } from '../records/registry.ts'
import { grantTwice, grantUnknown } from './errors.ts'
import { asGrant } from './guards.ts'
import type { PermissionCatalogue } from './permission-catalogue.ts'

/** The lines of a role, as its editor sends them. */
export interface RoleLines {
  readonly grants: readonly Grant[]
  readonly permissions: readonly string[]
  readonly fields: readonly FieldGrant[]
}

/** Whether an action is one of the records of a resource, and no permission of its own that goes by the resource's name. */
export function isOfRecords(resource: Resource, action: string): boolean {
  return recordActions.some((it) => it === action) || (action === 'share' && isShareable(resource))
}

/**
 * Refuses lines that name what is not there, and lines that stand twice: a denial with a slip of the pen would protect nothing.
 * What stood in the role before may be of a module that is gone, and stays.
 *
 * @throws `GRANT_UNKNOWN`, `GRANT_TWICE`, `GRANT_INVALID` (422)
 */
export function demandSoundLines(
  { grants, permissions, fields }: RoleLines,
  before: RoleLines | undefined,
  { plugins, catalog }: PermissionCatalogue,
): void {
  const named = new Set(plugins.flatMap((plugin) => (plugin.permissions ?? []).map(({ id }) => id)))
  const subjects = new Set([...named].map((id) => partsOfPermission(id).resource))
  const resources = [...catalog.all().map(({ id }) => id), ...subjects]
  const verbs = [...recordActions, 'share']

  const refuseUnknown = (where: string, value: string, known: Iterable<string>): never => {
    throw grantUnknown({ where, value, hint: closest(value, known) ?? 'none' })
  }
  const demandResource = (where: string, id: string): void => {
    const module = id.endsWith('.*') ? id.slice(0, -2) : undefined
    if (id === '*' || catalog.get(id) || subjects.has(id) || plugins.some((it) => it.id === module)) return
    refuseUnknown(where, id, module === undefined ? resources : plugins.map((it) => `${it.id}.*`))
  }
  const demandAction = (where: string, { resource, action }: Grant): void => {
    if (action === '*' || named.has(`${resource}.${action}`)) return
    const model = catalog.get(resource)
    const isMany = resource === '*' || resource.endsWith('.*')
    if (isMany ? verbs.includes(action) : model && isOfRecords(model, action)) return
    const own = [...named].map(partsOfPermission).filter((it) => it.resource === resource)
    refuseUnknown(where, action, [...(isMany || model ? verbs : []), ...own.map((it) => it.action)])
  }

  once('grants', grants, before?.grants, lineOf, (where, grant) => {
    const { resource, condition } = grant
    demandResource(`${where}/resource`, resource)
    demandAction(`${where}/action`, grant)
    // A condition under a wildcard meets resources one by one; where it does not fit, it grants nothing.
    const model = catalog.get(resource)
    if (condition === undefined || !model) return
    const context = { resource: model, catalog, access: everyField }
    asGrant(where, () => checkExpression(parseExpression(condition), context))
  })
  once('permissions', permissions, before?.permissions, String, (where, id) => {
    const { resource, action } = partsOfPermission(id)
    const model = catalog.get(resource)
    // What may be done with all records of a kind may be said as a permission too.
    if (!named.has(id) && !(model && isOfRecords(model, action))) refuseUnknown(where, id, named)
  })
  const fieldOf = ({ resource, field }: FieldGrant) => `${resource} ${field}`
  once('fields', fields, before?.fields, fieldOf, (where, { resource, field }) => {
    demandResource(`${where}/resource`, resource)
    const names = catalog.get(resource)?.all.map(({ name }) => name)
    if (field !== '*' && names && !names.includes(field)) refuseUnknown(`${where}/field`, field, names)
  })
}

/** What a line is about: two of one are one too many, however far each reaches. */
function lineOf({ resource, action, condition = '', deny = false }: Grant): string {
  return JSON.stringify([resource, action, condition, deny])
}

/** Looks at each line that did not stand there before, and refuses the second of two. */
function once<T>(
  list: string,
  lines: readonly T[],
  before: readonly T[] = [],
  keyOf: (line: T) => string,
  look: (where: string, line: T) => void,
): void {
  const stood = new Set(before.map(keyOf))
  const seen = new Map<string, number>()
  for (const [index, line] of lines.entries()) {
    const where = `${list}/${index}`
    const key = keyOf(line)
    const first = seen.get(key)
    if (first !== undefined) throw grantTwice({ where, first: `${list}/${first}` })
    seen.set(key, index)
    if (!stood.has(key)) look(where, line)
  }
}
