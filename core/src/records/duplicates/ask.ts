import { sql } from 'kysely'
import { recordNotFound } from '../errors.ts'
import { demandAction, findRow } from '../read.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { findDuplicates, type FoundDuplicate } from './find.ts'

/** Existing records that values being typed may repeat; values that cannot be compared are passed over. */
export async function duplicatesOfValues(
  scope: EngineScope,
  resource: Resource,
  values: Readonly<Record<string, unknown>>,
): Promise<readonly FoundDuplicate[]> {
  demandAction(scope, resource, 'read')
  return findDuplicates(scope, resource, values)
}

/** What a record may be the same as, without those somebody said it is not. */
export async function duplicatesOfRecord(
  scope: EngineScope,
  resource: Resource,
  id: string,
): Promise<readonly FoundDuplicate[]> {
  demandAction(scope, resource, 'read')
  const record = await findRow(scope, resource, id)
  if (!record) throw recordNotFound({ resource: resource.entity, id })
  if (record['deletedAt'] !== null) return []
  const found = await findDuplicates(scope, resource, record)
  const { rows } = await sql<{ other: string }>`
    select case when a = ${id}::uuid then b else a end as other from core.duplicate_pair
    where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id} and state = 'dismissed'
      and (a = ${id}::uuid or b = ${id}::uuid)`.execute(scope.tx)
  const dismissed = new Set(rows.map(({ other }) => other))
  return found.filter(({ record: other }) => !dismissed.has(other))
}
