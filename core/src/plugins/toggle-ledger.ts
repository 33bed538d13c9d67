import { createHash } from 'node:crypto'
import { sql, type RawBuilder } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Sql } from '../database/database.ts'

/** Under which the ledger keeps what was switched on and off; no resource of that name can be read or written. */
export const pluginEntry = 'core.plugin'

export interface PluginSwitch {
  readonly workspace: string
  readonly plugin: string
  readonly from: 'enabled' | 'disabled' | 'quarantined'
  readonly state: 'enabled' | 'disabled' | 'quarantined'
  /** User who switched; the platform itself when absent. */
  readonly by: string | undefined
  readonly at: Date
}

/** Writes a switch to the ledger, in the transaction that makes it and on the owner's connection. */
export async function keepSwitch(tx: Sql, { from, state, ...where }: PluginSwitch): Promise<void> {
  const fields = { state: [from, state] } as const
  await keepPluginEntry(tx, { ...where, fields })
}

/** What somebody did with a plugin in a workspace; the platform itself when `by` is absent. */
export interface PluginEntry extends Omit<PluginSwitch, 'from' | 'state'> {
  /** Old and new value, by name; shown to whoever reads the audit. */
  readonly fields: Readonly<Record<string, readonly [unknown, unknown]>>
}

/** Writes to the ledger what was done with a plugin, as `keepSwitch` does. */
export async function keepPluginEntry(
  tx: Sql,
  { workspace, plugin, fields: changed, by, at }: PluginEntry,
): Promise<void> {
  const record = recordOfPlugin(plugin)
  const fields = { plugin: [null, plugin], ...changed } as const
  const version = sql<number>`1 + (select count(*) from core.change c where c.workspace = ${workspace}::uuid and c.record = ${record}::uuid)`
  await keepEntry(tx, { workspace, resource: pluginEntry, record, version, fields, by, at })
}

/** A change that the platform makes in the tables, past the engine. */
export interface Entry extends Omit<PluginEntry, 'plugin'> {
  readonly resource: string
  readonly record: string
  /** The record's, after it. */
  readonly version: number | RawBuilder<number>
}

/** Writes a change to the ledger, in the transaction that makes it and on the owner's connection. */
export async function keepEntry(
  tx: Sql,
  { workspace, resource, record, version, fields, by, at }: Entry,
): Promise<void> {
  const changeSet = uuidv7()
  await sql`
    with head as (
      insert into core.change_set (id, workspace, actor_type, actor_id, actor_name, origin, at)
      values (${changeSet}::uuid, ${workspace}::uuid, ${by === undefined ? 'system' : 'user'}, ${by ?? null}::uuid,
        coalesce((select m.name from core.member m where m.workspace = ${workspace}::uuid and m.id = ${by ?? null}::uuid), 'Socle'),
        ${by === undefined ? 'system' : 'ui'}, ${at.toISOString()}::timestamptz))
    insert into core.change (id, workspace, change_set, resource, record, action, version, fields, at)
    select ${uuidv7()}::uuid, ${workspace}::uuid, ${changeSet}::uuid, ${resource}, ${record}::uuid, 'update', ${version},
      ${JSON.stringify(fields)}::jsonb, ${at.toISOString()}::timestamptz`.execute(tx)
}

/** A plugin is named by a word where the ledger asks for an id: always the same one for the same word. */
export function recordOfPlugin(plugin: string): string {
  return uuidOf(`${pluginEntry} ${plugin}`)
}

/** Always the same id for the same words (RFC 9562, version 8). */
export function uuidOf(words: string): string {
  const digest = createHash('sha256').update(words).digest('hex')
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}
