import { sql } from 'kysely'
import { sharedNotOwned } from '../permissions/errors.ts'
import { tableOf } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/** Fields that say whose a record is, so who sees it without a share. */
export function belongingOf({ partner }: Resource): ReadonlySet<string> {
  return new Set(['owner', 'team', ...(partner ? [partner.field] : [])])
}

/**
 * A record that was only shared with the actor may be changed by them where the share says so, but not given to others.
 *
 * @throws `SHARED_NOT_OWNED` (403) when no grant, but a share alone, lets the actor change the record
 */
export async function demandOwnReach(scope: EngineScope, resource: Resource, id: string): Promise<void> {
  const update = scope.access(resource, 'update')
  if (update.everything) return
  const { rows } = await sql`
    select from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${id}::uuid and ${update.granted('t')}`.execute(
    scope.tx,
  )
  if (rows.length === 0) throw sharedNotOwned({ resource: resource.entity, id })
}
