import { sql } from 'kysely'
import { findRow } from '../read.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { recordMerged } from './errors.ts'

/** The record that one was merged into, over several merges; undefined where it was not merged. */
export async function survivorOf(scope: EngineScope, resource: Resource, id: string): Promise<string | undefined> {
  const { rows } = await sql<{ survivor: string | null }>`
    select core.survivor_of(${resource.id}, ${id}::uuid) as survivor`.execute(scope.tx)
  return rows[0]?.survivor ?? undefined
}

/** The same, as far as the actor may see it: where a request for the old id goes on. */
export async function visibleSurvivor(
  scope: EngineScope,
  resource: Resource,
  id: string,
): Promise<{ id: string; title: string } | undefined> {
  const survivor = await survivorOf(scope, resource, id)
  const row = survivor === undefined ? undefined : await findRow(scope, resource, survivor)
  return row && { id: row.id, title: String(row[resource.title] ?? row.id) }
}

/** @throws `RECORD_MERGED` (409) naming the survivor, when the record was merged into one the actor may see */
export async function refuseMerged(scope: EngineScope, resource: Resource, id: string): Promise<void> {
  const survivor = await visibleSurvivor(scope, resource, id)
  if (!survivor) return
  throw recordMerged(
    { resource: resource.entity, id, survivor: survivor.id, title: survivor.title },
    { survivor: survivor.id },
  )
}
