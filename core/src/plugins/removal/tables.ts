import { sql } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { schemaOf } from '../../database/migrator.ts'

/** A column whose values are kept: none that the database works out itself. */
interface Column {
  readonly name: string
  /** As SQL writes it, `numeric(19,4)`. */
  readonly type: string
}

/** A table whose rows are counted, put away, given back or deleted. */
export interface DataTable {
  /** `sales.quote`. */
  readonly name: string
  readonly columns: readonly Column[]
  /** Its primary key, in which order its rows are read; without one they are read in the order of their lines. */
  readonly key: readonly string[]
  /** Its rows belong to workspaces. */
  readonly ofWorkspace: boolean
}

/** A foreign key from one of the tables. */
export interface Reference {
  readonly table: string
  readonly columns: readonly string[]
  readonly to: string
  readonly toColumns: readonly string[]
  readonly toTypes: readonly string[]
  /** Columns that become empty where what they point at is gone; where there are none the row goes. */
  readonly emptied: readonly string[]
}

const internal = ['migration', 'migration_lock']

/** The tables of a plugin's schema, its side tables too, by name; none where it has no schema. */
export async function tablesOf(db: Sql, plugin: string): Promise<readonly DataTable[]> {
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schemaOf(plugin)} and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname <> all(${internal}::text[])
    order by c.relname`.execute(db)
  return describe(
    db,
    rows.map(({ name }) => name),
  )
}

/** @param names - tables that are there, `core.view` */
export async function describe(db: Sql, names: readonly string[]): Promise<readonly DataTable[]> {
  const { rows } = await sql<{ name: string; columns: readonly Column[]; key: readonly string[] }>`
    select n.nspname || '.' || c.relname as name,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      coalesce((select json_agg(a.attname order by k.nth) from pg_index i
        cross join unnest(i.indkey) with ordinality as k (attnum, nth)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary), '[]') as key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any(${[...names]}::text[])`.execute(db)
  const found = new Map(rows.map((row) => [row.name, row]))
  return names.flatMap((name) => {
    const row = found.get(name)
    if (!row) return []
    const { columns, key } = row
    return [{ name, columns, key, ofWorkspace: columns.some((it) => it.name === 'workspace' && it.type === 'uuid') }]
  })
}

/** Foreign keys of these tables. */
export async function referencesOf(db: Sql, tables: readonly DataTable[]): Promise<readonly Reference[]> {
  const { rows } = await sql<Reference & { emptying: boolean }>`
    select fn.nspname || '.' || f.relname as table, tn.nspname || '.' || t.relname as to,
      k.confdeltype in ('n', 'd') as emptying, columns.names as columns, targets.names as "toColumns", targets.types as "toTypes",
      coalesce((select json_agg(a.attname) from unnest(coalesce(k.confdelsetcols, k.conkey)) as e (attnum)
        join pg_attribute a on a.attrelid = f.oid and a.attnum = e.attnum), '[]') as emptied
    from pg_constraint k
    join pg_class f on f.oid = k.conrelid join pg_namespace fn on fn.oid = f.relnamespace
    join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
    cross join lateral (select json_agg(a.attname order by c.nth) as names from unnest(k.conkey) with ordinality as c (attnum, nth)
      join pg_attribute a on a.attrelid = f.oid and a.attnum = c.attnum) columns
    cross join lateral (select json_agg(a.attname order by c.nth) as names,
        json_agg(format_type(a.atttypid, a.atttypmod) order by c.nth) as types
      from unnest(k.confkey) with ordinality as c (attnum, nth)
      join pg_attribute a on a.attrelid = t.oid and a.attnum = c.attnum) targets
    where k.contype = 'f' and k.conparentid = 0 and fn.nspname || '.' || f.relname = any(${tables.map(({ name }) => name)}::text[])
    order by k.oid`.execute(db)
  return rows.map(({ emptying, emptied, ...it }) => ({
    ...it,
    // A row of no workspace is nobody's: better that it goes.
    emptied: emptying && !emptied.includes('workspace') ? emptied : [],
  }))
}

/**
 * Tables in an order in which their rows can be deleted a part at a time, those that point at others first. Those that point
 * at themselves or at each other in a circle stand together, and lose their rows in one statement.
 */
export function deletionOrder(
  tables: readonly DataTable[],
  references: readonly Reference[],
): readonly (readonly DataTable[])[] {
  const order: (readonly DataTable[])[] = []
  let left = [...tables]
  while (left.length > 0) {
    const pointedAt = (name: string) =>
      references.some(({ table, to }) => to === name && table !== name && left.some((it) => it.name === table))
    const free = left.filter(({ name }) => !pointedAt(name))
    if (free.length === 0) return [...order, left]
    for (const table of free) order.push([table])
    left = left.filter((table) => !free.includes(table))
  }
  return order
}

/** Whether rows of a group must go together. */
export function isKnotted(group: readonly DataTable[], references: readonly Reference[]): boolean {
  return group.length > 1 || references.some(({ table, to }) => table === to && table === group[0]?.name)
}
