import { sql } from 'kysely'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

interface ChangeRow {
  readonly fields: Readonly<Record<string, readonly [old: unknown, next: unknown]>>
}

/** Fields changed after a version, each with the value it had then. */
export async function changesSince(
  scope: EngineScope,
  resource: Resource,
  id: string,
  version: number,
): Promise<Map<string, unknown>> {
  const { rows } = await sql<ChangeRow>`
    select fields from core.change
    where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id} and record = ${id}::uuid and version > ${version}
    order by version`.execute(scope.tx)
  const bases = new Map<string, unknown>()
  for (const { fields } of rows) {
    for (const [field, [old]] of Object.entries(fields)) if (!bases.has(field)) bases.set(field, old)
  }
  return bases
}
