import { sql } from 'kysely'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'

/** A table in which a plugin keeps something beside the records of a resource, one row each. */
export interface TableBeside {
  readonly schema: string
  readonly table: string
}

/**
 * Tables beside a resource: those of loaded plugins, on here or off, and those that a plugin left behind which is loaded no
 * more. What such a one kept is known by its reference to the record.
 */
export async function tablesBeside(scope: EngineScope, resource: Resource): Promise<readonly TableBeside[]> {
  const loaded = scope.catalog.whole.of(resource.id).sides.map(({ schema, table }) => ({ schema, table }))
  const { rows } = await sql<TableBeside>`
    select n.nspname::text as schema, c.relname::text as table from pg_constraint k
    join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1] and a.attname = 'record'
    where k.contype = 'f' and k.confdeltype = 'c' and array_length(k.conkey, 1) = 1 and c.relname like 'ext\\_%'
      and k.confrelid = to_regclass(${`"${resource.schema}"."${resource.table}"`})`.execute(scope.tx)
  const known = new Set(loaded.map(({ schema, table }) => `${schema}.${table}`))
  return [...loaded, ...rows.filter(({ schema, table }) => !known.has(`${schema}.${table}`))]
}

/** Takes away all that plugins keep beside records. */
export async function removeBeside(scope: EngineScope, resource: Resource, ids: readonly string[]): Promise<void> {
  for (const { schema, table } of await tablesBeside(scope, resource))
    await sql`delete from ${sql.table(`${schema}.${table}`)}
      where workspace = ${scope.ctx.workspace.id}::uuid and record = any(${[...ids]}::uuid[])`.execute(scope.tx)
}
