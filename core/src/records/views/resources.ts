import { sql, type SqlBool } from 'kysely'
import type { Audience } from '../audience.ts'
import { defineResource } from '../define-resource.ts'
import { View } from './view.ts'

/**
 * One's own, the shared, and those of one's own roles; nobody else's private ones, whatever a role grants. Changing a
 * shared one takes its own permission, unless it is one's own.
 */
const readersOfViews: Audience = ({ me, roles, may }, action, alias) => {
  const owner = sql.ref(`${alias}.owner`)
  const scope = sql.ref(`${alias}.scope`)
  const own = me === undefined ? sql<SqlBool>`false` : sql<SqlBool>`(${owner} is not null and ${owner} = ${me}::uuid)`
  const mayShare = may('core.view.share')
  if (action !== 'read' && action !== 'export')
    return mayShare ? sql<SqlBool>`(${own} or ${scope} <> 'mine')` : sql<SqlBool>`(${own} and ${scope} = 'mine')`
  const role = sql.ref(`${alias}.role_id`)
  const ofRole = mayShare
    ? sql<SqlBool>`${scope} = 'role'`
    : sql<SqlBool>`(${scope} = 'role' and ${role} = any(${roles}::uuid[]))`
  return sql<SqlBool>`(${own} or ${scope} = 'shared' or ${ofRole})`
}

export const views = defineResource(View, {
  path: 'views',
  title: 'name',
  icon: 'layout-grid',
  nav: false,
  audience: readersOfViews,
  belonging: ['scope', 'role'],
  partner: { person: 'owner' },
  shareable: true,
  fields: {
    kind: { format: 'select', options: ['table', 'kanban', 'calendar'] },
    scope: { format: 'select', options: ['mine', 'shared', 'role'] },
    density: { format: 'select', options: ['compact', 'normal', 'comfortable'] },
    position: { min: 0, max: 10_000 },
  },
  list: ['name', 'resource', 'kind', 'scope', 'role', 'owner'],
  form: ['name', 'resource', 'kind', 'scope', 'role', 'filter', 'sort', 'groupBy'],
  search: [],
  sort: 'position,name',
})
