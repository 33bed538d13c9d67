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
    const workspace = sql`${scope.ctx.workspace.id}::uuid`
    const { rows } = await sql<Standing>`
      select ${keyOf(link.moves.key, 't')} as key, ${column} as was from ${table} as t
      where t.workspace = ${workspace} and ${column} = any(${[...from]}::uuid[])
        ${link.target === undefined ? sql`and t.resource = ${resource.id}` : sql``}
      for update of t`.execute(scope.tx)
    const key = keyOf(link.moves.key, 't')
    const move = (part: readonly Standing[]) =>
      sql`
      with wanted as (select w.key, w.was from jsonb_to_recordset(${JSON.stringify(part)}::jsonb) as w (key jsonb, was uuid)),
      gone as (
        update ${table} as t set ${bare} = ${to}::uuid from wanted w
        where t.workspace = ${workspace} and ${column} = w.was and ${key} = w.key
        returning w.key, w.was)
      insert into core.merge_link (workspace, merge, place, key, was)
      select ${workspace}, ${merge}::uuid, ${link.place}, key, was from gone`.execute(scope.tx)
    const count = rows.length - (await staying(scope, rows, move))
    if (count > 0) moved.push({ place: link.place, count })
  }
  return moved
}

/** A link where it stands before a merge. */
interface Standing {
  readonly key: unknown
  readonly was: string
}

/** Moves links together where they fit, and halves those that collide until the colliding ones stand alone. */
async function staying(
  scope: EngineScope,
  rows: readonly Standing[],
  move: (part: readonly Standing[]) => Promise<unknown>,
): Promise<number> {
  if (rows.length === 0) return 0
  try {
    await scope.savepoint(() => move(rows))
    return 0
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code !== '23505' && code !== '23P01') throw error
    if (rows.length === 1) return 1
  }
  const middle = rows.length >> 1
  return (await staying(scope, rows.slice(0, middle), move)) + (await staying(scope, rows.slice(middle), move))
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
