import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Sql } from '../../database/database.ts'
import { givingWay, holdSchema, schemaOf, withPatience } from '../../database/migrator.ts'
import { asOwnerIn } from './as-owner.ts'
import { pointers, type Place } from './places.ts'
import { deletionOrder, isKnotted, referencesOf, tablesOf, type DataTable } from './tables.ts'

const atOnce = 5_000

/** Hears of each step and may throw to stop between two of them; what was deleted is deleted, and the next run goes on. */
export type Step = (rows: number) => Promise<void>

/** Whoever deletes: each transaction asks whether the plugin is still theirs, for a process taken for dead may wake up. */
export interface Clearing {
  readonly keep: (tx: Sql) => Promise<void>
  readonly step: Step
}

/** Takes a plugin's rows out of places of the core, some thousand in each transaction. */
export async function clearPlaces(
  owner: Sql,
  plugin: string,
  {
    places,
    workspaces,
    ...clearing
  }: Clearing & { readonly places: readonly Place[]; readonly workspaces: readonly string[] },
): Promise<void> {
  for (const { table, of, global } of places) {
    if (global) {
      await owner.transaction().execute(async (tx) => {
        await clearing.keep(tx)
        await sql`delete from ${sql.table(table)} where ${of(plugin)}`.execute(tx)
      })
      continue
    }
    for (const workspace of workspaces) await deleteIn(owner, { ...clearing, workspace, table, where: of(plugin) })
  }
}

/** Empties what records of the core point at a plugin's records with, and own fields that did. */
export async function clearPointers(owner: Sql, plugin: string, workspaces: readonly string[]): Promise<void> {
  const prefix = `${plugin}.`
  for (const workspace of workspaces) {
    await asOwnerIn(owner, workspace, async (tx) => {
      for (const { table, kind, record } of pointers)
        await sql`
          update ${sql.table(table)} set ${sql.ref(kind)} = null, ${sql.ref(record)} = null
          where workspace = ${workspace}::uuid and starts_with(${sql.ref(kind)}, ${prefix})`.execute(tx)
      const { rows } = await sql<{ resource: string; name: string }>`
        select resource, name from core.field
        where workspace = ${workspace}::uuid and starts_with(target, ${prefix}) and not starts_with(resource, ${prefix})`.execute(
        tx,
      )
      for (const { resource, name } of rows) {
        const [of = '', entity = ''] = resource.split('.')
        const table = `${schemaOf(of)}.${entity.replaceAll('-', '_')}`
        const there = await sql`
          select where exists (select from pg_attribute where attrelid = to_regclass(${table}) and attname = 'custom')`.execute(
          tx,
        )
        if (there.rows.length > 0)
          await sql`
            update ${sql.table(table)} set custom = custom - ${name}::text
            where workspace = ${workspace}::uuid and custom ? ${name}::text`.execute(tx)
      }
    })
  }
}

/** Deletes one workspace's rows of a plugin's tables, those that point at others first. */
export async function clearTables(owner: Sql, plugin: string, workspace: string, clearing: Clearing): Promise<void> {
  const tables = (await tablesOf(owner, plugin)).filter(({ ofWorkspace }) => ofWorkspace)
  const references = await referencesOf(owner, tables)
  for (const group of deletionOrder(tables, references)) {
    if (!isKnotted(group, references)) {
      for (const { name } of group)
        await deleteIn(owner, { ...clearing, workspace, table: name, where: sql<SqlBool>`true` })
      continue
    }
    await asOwnerIn(owner, workspace, async (tx) => {
      await clearing.keep(tx)
      await deleteTogether(tx, workspace, group)
    })
    await clearing.step(0)
  }
}

async function deleteTogether(tx: Sql, workspace: string, group: readonly DataTable[]): Promise<void> {
  const deletions = group.map(
    ({ name }, nth) =>
      sql`${sql.ref(`d${nth}`)} as (delete from ${sql.table(name)} where workspace = ${workspace}::uuid)`,
  )
  await sql`with ${sql.join(deletions)} select 1`.execute(tx)
}

async function deleteIn(
  owner: Sql,
  {
    workspace,
    table,
    where,
    keep,
    step,
  }: Clearing & { readonly workspace: string; readonly table: string; readonly where: RawBuilder<SqlBool> },
): Promise<void> {
  for (;;) {
    const deleted = await asOwnerIn(owner, workspace, async (tx) => {
      await keep(tx)
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where ctid = any(array(
          select ctid from ${sql.table(table)} where workspace = ${workspace}::uuid and ${where} limit ${atOnce}))`.execute(
        tx,
      )
      return Number(numAffectedRows ?? 0)
    })
    if (deleted > 0) await step(deleted)
    if (deleted < atOnce) return
  }
}

/** Takes a plugin's tables away, and all that stands in its schema with them. */
export async function dropSchema(owner: Sql, plugin: string, { keep }: Pick<Clearing, 'keep'>): Promise<void> {
  await withPatience(() =>
    owner.transaction().execute(async (tx) => {
      await keep(tx)
      // A process that starts may be bringing it to its newest version, and be about to make it anew.
      await holdSchema(tx, plugin)
      await givingWay(tx)
      await sql.raw(`drop schema if exists "${schemaOf(plugin)}" cascade`).execute(tx)
    }),
  )
}
