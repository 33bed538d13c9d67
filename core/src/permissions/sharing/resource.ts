import { sql, type SqlBool } from 'kysely'
import type { Audience } from '../../records/audience.ts'
import { defineResource } from '../../records/define-resource.ts'
import { Share } from './share.ts'

/** Whoever shared it, the person it is shared with, and the auditor. Who may share a record is told by a route of its own. */
const thoseItConcerns: Audience = ({ me, may }, _, alias) => {
  if (may('core.audit.read')) return sql<SqlBool>`true`
  if (me === undefined) return sql<SqlBool>`false`
  const [owner, user] = [sql.ref(`${alias}.owner`), sql.ref(`${alias}.user_id`)]
  return sql<SqlBool>`(coalesce(${owner} = ${me}::uuid, false) or coalesce(${user} = ${me}::uuid, false))`
}

export const shares = defineResource(Share, {
  path: 'shares',
  title: 'resource',
  icon: 'share-2',
  nav: false,
  readonly: true,
  audience: thoseItConcerns,
  fields: {
    record: { targetIn: 'resource' },
    user: { format: 'user' },
    toTeam: { format: 'team' },
    access: { format: 'select', options: ['read', 'write'] },
  },
  list: ['resource', 'user', 'toTeam', 'access', 'until', 'owner'],
  search: [],
})
