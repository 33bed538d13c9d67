import { sql } from 'kysely'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

interface ChangeRow {
  readonly fields: Readonly<Record<string, readonly [old: unknown, next: unknown]>>
}

export interface ChangesSince {
  /** Fields changed after the version, each with the value it had then. */
  readonly bases: ReadonlyMap<string, unknown>
  /**
   * False where some of the changes are not there to read: past the time the ledger is kept, or kept from the actor, whom of an
   * account opened by a share it tells none.
   */
  readonly isWhole: boolean
}

/** What happened to a record after a version, as far as the actor may know. */
export async function changesSince(
  scope: EngineScope,
  resource: Resource,
  { id, version: current }: { readonly id: string; readonly version: number },
  version: number,
): Promise<ChangesSince> {
  if (current === version) return { bases: new Map(), isWhole: true }
  const { rows } = await sql<ChangeRow>`
    select fields from core.change
    where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id} and record = ${id}::uuid and version > ${version}
    order by version`.execute(scope.tx)
  const bases = new Map<string, unknown>()
  for (const { fields } of rows) {
    for (const [field, [old]] of Object.entries(fields)) if (!bases.has(field)) bases.set(field, old)
  }
  return { bases, isWhole: rows.length >= current - version }
}
