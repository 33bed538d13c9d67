import { sql } from 'kysely'
import { sharedNotOwned } from '../permissions/errors.ts'
import { tableOf } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/** Fields that say whose a record is, so who sees it without a share. */
export function belongingOf({ partner, options }: Resource): ReadonlySet<string> {
  return new Set(['owner', 'team', ...(partner ? [partner.field] : []), ...(options.belonging ?? [])])
}

/** What the actor may do to a record by their grants, and not by a share alone. */
export interface OwnReach {
  readonly read: boolean
  readonly update: boolean
}

export async function ownReach(scope: EngineScope, resource: Resource, id: string): Promise<OwnReach> {
  const read = scope.access(resource, 'read')
  const update = scope.access(resource, 'update')
  if (read.everything && update.everything) return { read: true, update: true }
  const { rows } = await sql<OwnReach>`
    select ${read.granted('t')} as read, ${update.granted('t')} as update from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${id}::uuid`.execute(scope.tx)
  return rows[0] ?? { read: false, update: false }
}

/**
 * A record that was only shared with the actor may be changed by them where the share says so, but not given to others.
 *
 * @throws `SHARED_NOT_OWNED` (403) when no grant, but a share alone, lets the actor change the record
 */
export async function demandOwnReach(scope: EngineScope, resource: Resource, id: string): Promise<void> {
  const { update } = await ownReach(scope, resource, id)
  if (!update) throw sharedNotOwned({ resource: resource.entity, id })
}

/**
 * What was lent is not made one's own by changing what a grant's condition looks at: that would outlast the share.
 *
 * @param before - as it was before the change
 * @throws `SHARED_NOT_OWNED` (403)
 */
export async function refuseTaking(
  scope: EngineScope,
  resource: Resource,
  id: string,
  before: OwnReach,
): Promise<void> {
  if (before.update) return
  const after = await ownReach(scope, resource, id)
  if (after.update || (after.read && !before.read)) throw sharedNotOwned({ resource: resource.entity, id })
}
