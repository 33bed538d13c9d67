import { sql } from 'kysely'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import type { LinkTable } from './link-table.ts'
import { linksTo } from './relations.ts'

/** A table and its column, as a statement names them. */
function placeOf({ place }: LinkTable) {
  const [schema = '', table = '', column = ''] = place.split('.')
  return { table: sql.table(`${schema}.${table}`), column: sql.ref(`t.${column}`), bare: sql.ref(column) }
}

const keyOf = (columns: readonly string[], alias: string) =>
  sql`jsonb_build_object(${sql.join(columns.flatMap((name) => [sql.lit(name), sql.ref(`${alias}.${name}`)]))})`

/**
 * Takes along the rows that are no records. One that stands at the survivor already stays behind: the same event has
 * moved both accounts.
 *
 * @returns how many moved, by place
 */
export async function moveLinks(
  scope: EngineScope,
  resource: Resource,
  { merge, from, to }: { merge: string; from: readonly string[]; to: string },
): Promise<{ place: string; count: number }[]> {
  const moved: { place: string; count: number }[] = []
  for (const link of linksTo(scope, resource)) {
    if (!link.moves) continue
    const { table, column, bare } = placeOf(link)
    const { rows } = await sql<{ key: unknown; was: string }>`
      select ${keyOf(link.moves.key, 't')} as key, ${column} as was from ${table} as t
      where t.workspace = ${scope.ctx.workspace.id}::uuid and ${column} = any(${[...from]}::uuid[])
        ${link.target === undefined ? sql`and t.resource = ${resource.id}` : sql``}
      for update of t`.execute(scope.tx)
    let count = 0
    for (const { key, was } of rows) {
      const fits = await scope
        .savepoint(async () => {
          await sql`update ${table} as t set ${bare} = ${to}::uuid
            where t.workspace = ${scope.ctx.workspace.id}::uuid and ${column} = ${was}::uuid
              and ${keyOf(link.moves?.key ?? [], 't')} = ${JSON.stringify(key)}::jsonb`.execute(scope.tx)
          return true
        })
        .catch((error: unknown) => {
          if ((error as { code?: unknown }).code === '23505' || (error as { code?: unknown }).code === '23P01')
            return false
          throw error
        })
      if (!fits) continue
      count += 1
      await sql`insert into core.merge_link (workspace, merge, place, key, was)
        values (${scope.ctx.workspace.id}::uuid, ${merge}::uuid, ${link.place}, ${JSON.stringify(key)}::jsonb, ${was}::uuid)`.execute(
        scope.tx,
      )
    }
    if (count > 0) moved.push({ place: link.place, count })
  }
  return moved
}

/** Brings back what still stands where the merge put it. */
export async function moveLinksBack(
  scope: EngineScope,
  resource: Resource,
  { merge, survivor }: { merge: string; survivor: string },
): Promise<void> {
  for (const link of linksTo(scope, resource)) {
    if (!link.moves) continue
    const { table, column, bare } = placeOf(link)
    await sql`update ${table} as t set ${bare} = l.was from core.merge_link l
      where l.workspace = ${scope.ctx.workspace.id}::uuid and l.merge = ${merge}::uuid and l.place = ${link.place}
        and t.workspace = l.workspace and ${column} = ${survivor}::uuid and ${keyOf(link.moves.key, 't')} = l.key`.execute(
      scope.tx,
    )
  }
}
