import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { isDatabaseError, ruleOf } from '../../database/database-error.ts'
import { schemaOf } from '../../database/migrator.ts'
import { Counted, readArchiveFile, type ArchiveHead, type ArchiveRest, type Checksums } from './archive-file.ts'
import { viewing } from './as-owner.ts'
import { archiveOversteps, archiveUnfit, dataPresent } from './errors.ts'
import { linesOf, plainText } from './lines.ts'
import { archivedPlaces } from './places.ts'
import { migrationsOf } from './put-away.ts'
import { describe, referencesOf, tablesOf, type DataTable, type Reference } from './tables.ts'

/** A table of the archive beside the one it goes back into. */
interface Staged {
  readonly nth: number
  readonly table: DataTable
  /** Columns as the archive has them, each at its place in a line. */
  readonly columns: readonly string[]
  readonly own: boolean
}

export interface Restored {
  readonly head: ArchiveHead
  readonly rest: ArchiveRest
  readonly rows: number
  /** Rows left out because what they belong to is gone since. */
  readonly left: number
}

/**
 * Puts the rows of an archive back where they were: all of them or none.
 *
 * They are laid out beside the tables first. Rows whose account, contact or other record of the core is gone since are left
 * out, or lose that reference where its foreign key says so. What is left goes in with one statement for each workspace, in
 * which the database looks at references when all rows are there, so tables may point at each other in circles. Then the
 * tables are read again, and must have the sums the archive says.
 *
 * @throws `ARCHIVE_UNREADABLE`, `ARCHIVE_UNFIT`, `ARCHIVE_OVERSTEPS`, `DATA_PRESENT`
 */
export async function restoreRows(
  tx: Sql,
  content: AsyncIterable<Uint8Array>,
  request: { readonly plugin: string; readonly onRows?: (rows: number) => Promise<void> },
): Promise<Restored> {
  try {
    return await restoreAll(tx, content, request)
  } catch (error) {
    // Values that are none of their columns' types, or break a table's own rules (PostgreSQL, appendix A).
    if (isDatabaseError(error) && /^2[23]/.test(error.code))
      throw archiveUnfit({ plugin: request.plugin, rule: ruleOf(error) })
    throw error
  }
}

async function restoreAll(
  tx: Sql,
  content: AsyncIterable<Uint8Array>,
  { plugin, onRows }: Parameters<typeof restoreRows>[2],
): Promise<Restored> {
  await plainText(tx)
  await sql
    .raw('create temp table put_back (tab integer not null, workspace uuid, line jsonb not null) on commit drop')
    .execute(tx)
  const own = new Map((await tablesOf(tx, plugin)).map((table) => [table.name, table]))
  const staged = new Map<string, Staged>()
  const beside = new Map<string, DataTable | undefined>()
  let head: ArchiveHead | undefined
  let rest: ArchiveRest | undefined
  let read = 0
  const { checksums } = await readArchiveFile(content, {
    begin: (it) => (head = it),
    end: (it) => (rest = it),
    async rows({ name, columns, own: isOwn }, lines) {
      let place = staged.get(name)
      if (!place) {
        if (!isOwn && !beside.has(name)) beside.set(name, (await describe(tx, [name]))[0])
        const table = isOwn ? own.get(name) : beside.get(name)
        if (!table) return
        // What all workspaces share is no one workspace's to put back.
        if (head?.workspace !== null && !table.ofWorkspace) throw archiveOversteps({ plugin, place: name })
        place = { nth: staged.size, table, columns, own: isOwn }
        staged.set(name, place)
      }
      const at = columns.indexOf('workspace')
      await sql`
        insert into put_back (tab, workspace, line)
        select ${place.nth}::integer, ${at < 0 ? sql`null::uuid` : sql`(l::jsonb ->> ${at}::integer)::uuid`}, l::jsonb
        from unnest(${[...lines]}::text[]) as l`.execute(tx)
      read += lines.length
      await onRows?.(read)
    },
  })
  if (!head || !rest) throw new Error('An archive was read to its end without a beginning.')
  if (head.workspace !== null && rest.sequences.length > 0) throw archiveOversteps({ plugin, place: 'sequences' })
  await demandSameMigrations(tx, head)
  await sql.raw('create index on pg_temp.put_back (tab); analyze pg_temp.put_back').execute(tx)
  const places = [...staged.values()]
  let left = await affectedBy(
    tx,
    sql`
    delete from put_back p where p.workspace is not null and not exists (select from core.workspace w where w.id = p.workspace)`,
  )
  const { rows: found } = await sql<{ workspace: string }>`
    select distinct workspace from put_back where workspace is not null order by 1`.execute(tx)
  const workspaces = found.map(({ workspace }) => workspace)
  await demandEmpty(tx, plugin, [...own.values()], head.workspace === null ? workspaces : [head.workspace])
  const references = await referencesOf(
    tx,
    places.map(({ table }) => table),
  )
  for (const workspace of workspaces) {
    await viewing(tx, workspace)
    left += await leaveOut(tx, places, references, workspace)
  }
  const shared = places.filter(({ table }) => !table.ofWorkspace)
  // What migrations have put there stands in the archive too.
  if (shared.length > 0)
    await sql`with ${sql.join(shared.map(({ nth, table }) => sql`${sql.ref(`d${nth}`)} as (delete from ${sql.table(table.name)})`))} select 1`.execute(
      tx,
    )
  await putIn(tx, shared)
  for (const workspace of workspaces) {
    await viewing(tx, workspace)
    await putIn(
      tx,
      places.filter(({ table }) => table.ofWorkspace),
      workspace,
    )
    await demandOwn(tx, places, { plugin, workspace })
  }
  for (const { name, last, called } of rest.sequences)
    await sql`select setval(to_regclass(${`${schemaOf(plugin)}.${name}`}), ${last}::bigint, ${called})`.execute(tx)
  if (left === 0) await demandSame(tx, places, { plugin, workspaces, checksums })
  return { head, rest, rows: read - left, left }
}

/** @throws `ARCHIVE_UNFIT` where other migrations have made the tables that are here */
export async function demandSameMigrations(db: Sql, { plugin, migrations }: ArchiveHead): Promise<void> {
  const here = await migrationsOf(db, plugin)
  const differing = [...migrations, ...here].find((it) => !migrations.includes(it) || !here.includes(it))
  if (differing !== undefined) throw archiveUnfit({ plugin, rule: differing })
}

/** @throws `DATA_PRESENT` for the first table with rows in these workspaces */
export async function demandEmpty(
  tx: Sql,
  plugin: string,
  tables: readonly DataTable[],
  workspaces: readonly string[],
): Promise<void> {
  for (const workspace of workspaces) {
    await viewing(tx, workspace)
    for (const { name, ofWorkspace } of tables) {
      if (!ofWorkspace) continue
      const { rows } = await sql<{ rows: number }>`
        select count(*)::integer as rows from ${sql.table(name)} where workspace = ${workspace}::uuid`.execute(tx)
      const [{ rows: present } = { rows: 0 }] = rows
      if (present > 0) throw dataPresent({ plugin, rows: present, table: name })
    }
  }
}

/** Takes out of what is laid out the rows that would point at nothing, until none does. */
async function leaveOut(
  tx: Sql,
  places: readonly Staged[],
  references: readonly Reference[],
  workspace: string,
): Promise<number> {
  let left = 0
  for (;;) {
    let changed = 0
    for (const reference of references) {
      const from = places.find(({ table }) => table.name === reference.table)
      if (!from) continue
      const value = (column: string) => sql`(p.line ->> ${sql.lit(from.columns.indexOf(column))}::integer)`
      const isSet = sql.join(
        reference.columns.map((it) => sql`${value(it)} is not null`),
        sql` and `,
      )
      const dangling = sql<SqlBool>`p.tab = ${from.nth}::integer and p.workspace is not distinct from ${
        from.table.ofWorkspace ? sql`${workspace}::uuid` : sql`null`
      } and ${isSet} and not (${isThere(places, reference, value)})`
      if (reference.emptied.length === 0) {
        changed += await affectedBy(tx, sql`delete from put_back p where ${dangling}`)
        continue
      }
      const emptied = reference.emptied.reduce<RawBuilder<unknown>>(
        (line, column) => sql`jsonb_set(${line}, array[${String(from.columns.indexOf(column))}::text], 'null')`,
        sql`p.line`,
      )
      changed += await affectedBy(tx, sql`update put_back p set line = ${emptied} where ${dangling}`)
    }
    left += changed
    if (changed === 0) return left
  }
}

/** Whether what a reference points at is in its table, or comes with the archive. */
function isThere(
  places: readonly Staged[],
  { to, toColumns, toTypes, columns }: Reference,
  value: (column: string) => RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  const inTable = sql.join(
    toColumns.map(
      (it, nth) => sql`${sql.ref(`t.${it}`)} = ${value(columns[nth] ?? '')}::${sql.raw(toTypes[nth] ?? 'text')}`,
    ),
    sql` and `,
  )
  const there = sql<SqlBool>`exists (select from ${sql.table(to)} t where ${inTable})`
  const target = places.find(({ table }) => table.name === to)
  if (!target) return there
  const laidOut = sql.join(
    toColumns.map(
      (it, nth) => sql`(q.line ->> ${sql.lit(target.columns.indexOf(it))}::integer) = ${value(columns[nth] ?? '')}`,
    ),
    sql` and `,
  )
  return sql<SqlBool>`${there} or exists (select from put_back q where q.tab = ${target.nth}::integer and ${laidOut})`
}

async function putIn(tx: Sql, places: readonly Staged[], workspace?: string): Promise<void> {
  if (places.length === 0) return
  const inserts = places.map(({ nth, table, columns, own }) => {
    // A table of the core may have lost a column since, or got one.
    const kept = table.columns.filter(({ name }) => columns.includes(name))
    const values = kept.map(
      ({ name, type }) => sql`(p.line ->> ${sql.lit(columns.indexOf(name))}::integer)::${sql.raw(type)}`,
    )
    return sql`${sql.ref(`t${nth}`)} as (
      insert into ${sql.table(table.name)} (${sql.join(kept.map(({ name }) => sql.ref(name)))}) overriding system value
      select ${sql.join(values)} from put_back p
      where p.tab = ${nth}::integer and p.workspace is not distinct from ${workspace ?? null}::uuid
      ${own && workspace !== undefined ? sql`` : sql`on conflict do nothing`})`
  })
  await sql`with ${sql.join(inserts)} select 1`.execute(tx)
}

async function affectedBy(tx: Sql, statement: RawBuilder<unknown>): Promise<number> {
  const { numAffectedRows } = await statement.execute(tx)
  return Number(numAffectedRows ?? 0)
}

/** @throws `ARCHIVE_OVERSTEPS` where the core would keep with it what is not the plugin's */
async function demandOwn(
  tx: Sql,
  places: readonly Staged[],
  { plugin, workspace }: { readonly plugin: string; readonly workspace: string },
): Promise<void> {
  for (const { nth, table, columns, own } of places) {
    const place = own ? undefined : archivedPlaces(false).find((it) => it.table === table.name)
    if (!place) continue
    const types = new Map(table.columns.map(({ name, type }) => [name, type]))
    // A table without a key is told apart by all it holds.
    const key = (table.key.length > 0 ? table.key : [...types.keys()]).filter((it) => columns.includes(it))
    const isIt = sql.join(
      key.map(
        (it) =>
          sql`${sql.ref(`${table.name}.${it}`)} is not distinct from (p.line ->> ${sql.lit(columns.indexOf(it))}::integer)::${sql.raw(types.get(it) ?? 'text')}`,
      ),
      sql` and `,
    )
    const { rows } = await sql`
      select from ${sql.table(table.name)} where workspace = ${workspace}::uuid and (${place.of(plugin)}) is not true
        and exists (select from put_back p where p.tab = ${nth}::integer and p.workspace = ${workspace}::uuid and ${isIt})
      limit 1`.execute(tx)
    if (rows.length > 0) throw archiveOversteps({ plugin, place: table.name })
  }
}

/** @throws `ARCHIVE_UNFIT` where a table does not read as the archive says: what wrote otherwise is the table's own */
async function demandSame(
  tx: Sql,
  places: readonly Staged[],
  {
    plugin,
    workspaces,
    checksums,
  }: { readonly plugin: string; readonly workspaces: readonly string[]; readonly checksums: Checksums },
): Promise<void> {
  for (const { table, own } of places) {
    if (!own) continue
    const counted = new Counted()
    for await (const lines of linesOf(tx, { table }, workspaces)) counted.add(lines)
    if (counted.sum.sha256 !== checksums[table.name]?.sha256) throw archiveUnfit({ plugin, rule: table.name })
  }
}
