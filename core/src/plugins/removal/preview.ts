import { sql } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { viewing } from './as-owner.ts'
import { archivedPlaces, type Place } from './places.ts'
import { tablesOf, type DataTable } from './tables.ts'

interface TableSize {
  readonly table: string
  readonly rows: number
  readonly bytes: number
}

export interface Sizes {
  readonly tables: readonly TableSize[]
  readonly rows: number
  readonly bytes: number
  /** What the core keeps with its records, by table, where there is any: an archive holds it too. */
  readonly beside: readonly TableSize[]
  /** Rows an archive of it would hold, its own and those beside. */
  readonly archived: number
  /** Fields that workspaces gave its records, and own fields of others that point at them. */
  readonly fields: number
  readonly views: number
  readonly shares: number
  /** Files of imports and exports of its records. */
  readonly files: { readonly count: number; readonly bytes: number }
  /** Events it was told and has not heard. */
  readonly heldEvents: number
  readonly subscriptions: number
  /** Roles that hold rights of it. */
  readonly roles: number
  /** Records of it that the demonstration made. */
  readonly demo: number
  /** Archives of its data, which only a purge takes. */
  readonly archives: number
}

interface Counts {
  readonly fields: number
  readonly views: number
  readonly shares: number
  readonly files: number
  readonly fileBytes: number
  readonly held: number
  readonly roles: number
  readonly demo: number
  readonly archives: number
  /** Rows of this workspace and the bytes they take, by table: the plugin's own, and what the core keeps beside them. */
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly bytes: number }>>
}

/**
 * What a plugin has in these workspaces, counted by a transaction that only reads: one statement for each of them, for the
 * owner of the tables sees the rows of one at a time.
 *
 * @param whole - what its tables take on the disk, else the sum of the rows' own bytes
 */
export async function sizesOf(
  owner: Sql,
  plugin: string,
  { workspaces, whole }: { readonly workspaces: readonly string[]; readonly whole: boolean },
): Promise<Sizes> {
  const tables = (await tablesOf(owner, plugin)).filter(({ ofWorkspace }) => whole || ofWorkspace)
  const rows = new Map(tables.map(({ name }) => [name, 0]))
  const bytes = new Map(tables.map(({ name }) => [name, 0]))
  const places = archivedPlaces(!whole)
  const beside = new Map<string, { readonly rows: number; readonly bytes: number }>()
  const all = { fields: 0, views: 0, shares: 0, files: 0, fileBytes: 0, held: 0, roles: 0, demo: 0, archives: 0 }
  await owner.transaction().execute(async (tx) => {
    await sql`set transaction read only`.execute(tx)
    for (const workspace of workspaces) {
      await viewing(tx, workspace)
      const counts = await countsIn(tx, plugin, { workspace, tables, places, whole })
      for (const key of Object.keys(all) as (keyof typeof all)[]) all[key] += Number(counts[key])
      for (const [name, it] of Object.entries(counts.tables)) {
        if (rows.has(name)) {
          rows.set(name, (rows.get(name) ?? 0) + it.rows)
          bytes.set(name, (bytes.get(name) ?? 0) + it.bytes)
        } else {
          const before = beside.get(name) ?? { rows: 0, bytes: 0 }
          beside.set(name, { rows: before.rows + it.rows, bytes: before.bytes + it.bytes })
        }
      }
    }
  })
  if (whole) {
    for (const { name, ofWorkspace } of tables) {
      const onDisk = await sql<{ bytes: number }>`
        select pg_total_relation_size(to_regclass(${name}))::bigint as bytes`.execute(owner)
      bytes.set(name, Number(onDisk.rows[0]?.bytes ?? 0))
      if (ofWorkspace) continue
      const counted = await sql<{ rows: number }>`select count(*)::integer as rows from ${sql.table(name)}`.execute(
        owner,
      )
      rows.set(name, counted.rows[0]?.rows ?? 0)
    }
  }
  const { rows: subscribed } = await sql<{ count: number }>`
    select count(*)::integer as count from core.subscription where plugin = ${plugin} and active`.execute(owner)
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, it) => total + it, 0)
  const kept = [...beside].map(([table, size]) => ({ table, ...size })).filter((it) => it.rows > 0)
  return {
    tables: tables.map(({ name }) => ({ table: name, rows: rows.get(name) ?? 0, bytes: bytes.get(name) ?? 0 })),
    rows: sum(rows),
    bytes: sum(bytes),
    beside: kept,
    archived: sum(rows) + kept.reduce((total, it) => total + it.rows, 0),
    fields: all.fields,
    views: all.views,
    shares: all.shares,
    files: { count: all.files, bytes: all.fileBytes },
    heldEvents: all.held,
    subscriptions: subscribed[0]?.count ?? 0,
    roles: all.roles,
    demo: all.demo,
    archives: all.archives,
  }
}

async function countsIn(
  tx: Sql,
  plugin: string,
  {
    workspace,
    tables,
    places,
    whole,
  }: { workspace: string; tables: readonly DataTable[]; places: readonly Place[]; whole: boolean },
): Promise<Counts> {
  const here = sql`workspace = ${workspace}::uuid`
  const prefix = `${plugin}.`
  const files = sql`core.file_piece p where p.${here} and p.file in (
    select id from core.import where ${here} and starts_with(resource, ${prefix})
    union all select id from core.export where ${here} and starts_with(resource, ${prefix}))`
  const own = tables
    .filter(({ ofWorkspace }) => ofWorkspace)
    .map(
      ({ name }) => sql`
        select ${name}::text, count(*), ${whole ? sql`0` : sql`coalesce(sum(pg_column_size(t.*)), 0)`}
        from ${sql.table(name)} t where t.${here}`,
    )
  const beside = places.map(
    ({ table, of }) => sql`
      select ${table}::text, count(*), coalesce(sum(pg_column_size(t.*)), 0)
      from (select * from ${sql.table(table)} where ${here} and ${of(plugin)}) t`,
  )
  const none = sql`select null::text as name, 0::bigint as rows, 0::bigint as bytes where false`
  const { rows } = await sql<Counts>`
    select
      (select count(*) from core.field where ${here} and deleted_at is null
        and (starts_with(resource, ${prefix}) or starts_with(target, ${prefix})))::integer as fields,
      (select count(*) from core.view where ${here} and deleted_at is null and starts_with(resource, ${prefix}))::integer as views,
      (select count(*) from core.share where ${here} and deleted_at is null and starts_with(resource, ${prefix}))::integer as shares,
      (select count(distinct p.file) from ${files})::integer as files,
      (select coalesce(sum(length(p.bytes)), 0) from ${files})::bigint as "fileBytes",
      (select count(*) from core.delivery d join core.subscription s on s.id = d.subscription
        where d.${here} and s.plugin = ${plugin})::integer as held,
      (select count(*) from core.role r where r.${here} and r.deleted_at is null and exists (
        select from jsonb_array_elements(r.grants || r.fields) as line where starts_with(line ->> 'resource', ${prefix})))::integer as roles,
      (select count(distinct c.record) from core.change_set s join core.change c on c.workspace = s.workspace and c.change_set = s.id
        where s.${here} and s.origin = 'demo' and c.action = 'create' and starts_with(c.resource, ${prefix}))::integer as demo,
      (select count(*) from core.plugin_archive where ${here} and plugin = ${plugin})::integer as archives,
      (select coalesce(jsonb_object_agg(name, jsonb_build_object('rows', rows, 'bytes', bytes)), '{}')
        from (select name, sum(rows) as rows, sum(bytes) as bytes
          from (${sql.join([none, ...own, ...beside], sql` union all `)}) parts group by name) counted) as tables`.execute(
    tx,
  )
  const [counts] = rows
  if (!counts) throw new Error('Counting answered nothing.')
  return counts
}
