import { sql } from 'kysely'
import { referenceInUse } from './errors.ts'
import { fieldValue } from './field-value.ts'
import { moveRecords, pointingAt } from './merge/moves.ts'
import { relationsTo } from './merge/relations.ts'
import { withEveryRight } from './merge/system-scope.ts'
import { tableOf } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/**
 * Does what the links to a record ask for before it is deleted: those that are to be emptied are, in the same change, whether
 * or not their plugin is on; one that refuses is asked only where its plugin is on, since elsewhere nobody could mend it.
 *
 * @throws `RECORD_IN_USE` (409) naming the kind that points at it
 */
export async function settleLinks(scope: EngineScope, resource: Resource, id: string): Promise<void> {
  const links = relationsTo(scope, resource).filter(({ field }) => field.onTargetGone !== undefined)
  for (const { resource: from, field } of links) {
    if (field.onTargetGone !== 'refuse' || !scope.exists(from)) continue
    // A side field of a module that is off is no field here.
    if (!scope.catalog.get(from.id)?.fields.has(field.name)) continue
    const { rows } = await sql`
      select from ${tableOf(from, 't')}
      where t.workspace = ${scope.ctx.workspace.id}::uuid and ${fieldValue(field, 't')} = ${id}::uuid and t.deleted_at is null
      limit 1`.execute(scope.tx)
    if (rows.length > 0) throw referenceInUse({ resource: resource.entity, id, by: scope.ctx.t(`${from.id}.many`) })
  }
  const engine = withEveryRight(scope)
  for (const relation of links) {
    if (relation.field.onTargetGone !== 'clear') continue
    const rows = await pointingAt(engine, relation, [id], { target: resource, survivor: id })
    await moveRecords(
      engine,
      relation,
      rows.map((row) => ({ ...row, to: null })),
    )
  }
}
