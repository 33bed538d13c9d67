import { sql, type SqlBool } from 'kysely'
import { widerTerms } from './wider-terms.ts'
import type { Audience } from '../../records/audience.ts'
import { defineResource } from '../../records/define-resource.ts'
import { Share } from './share.ts'

/** Whoever shared it, those it is shared with, and the auditor. Who may share a record is told by a route of its own. */
const thoseItConcerns: Audience = ({ me, sharedTeams, may }, _, alias) => {
  if (may('core.audit.read')) return sql<SqlBool>`true`
  if (me === undefined) return sql<SqlBool>`false`
  const of = (column: string) => sql.ref(`${alias}.${column}`)
  return sql<SqlBool>`(coalesce(${of('owner')} = ${me}::uuid, false) or coalesce(${of('user_id')} = ${me}::uuid, false)
    or coalesce(${of('to_team')} = any(${sharedTeams}::uuid[]), false))`
}

export const shares = defineResource(Share, {
  path: 'shares',
  title: 'resource',
  icon: 'share-2',
  nav: false,
  readonly: true,
  audience: thoseItConcerns,
  folded: widerTerms,
  fields: {
    record: { targetIn: 'resource' },
    user: { format: 'user' },
    toTeam: { format: 'team' },
    access: { format: 'select', options: ['read', 'write'] },
  },
  list: ['resource', 'user', 'toTeam', 'access', 'until', 'owner'],
  search: [],
})
