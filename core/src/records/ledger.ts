import { sql } from 'kysely'
import type { Actor } from '../actor.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { queryInvalid, recordNotFound } from './errors.ts'
import { demandAction, findRow } from './read.ts'
import { systemFields, type Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { isUuid } from './values.ts'

/** One entry of a record's history. */
export interface HistoryEntry {
  readonly changeSet: string
  /** ISO instant. */
  readonly at: string
  readonly actor: { readonly type: Actor['type']; readonly id: string | null; readonly name: string }
  readonly origin: string
  readonly reason: string | null
  readonly undoOf: string | null
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  readonly version: number
  readonly changes: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[]
}

/** One change set with every record it changed, as the audit shows it. */
export interface AuditEntry extends Omit<HistoryEntry, 'action' | 'version' | 'changes'> {
  readonly records: readonly (Pick<HistoryEntry, 'action' | 'version' | 'changes'> & {
    readonly resource: string
    readonly id: string
  })[]
}

export interface LedgerRow {
  readonly id: string
  readonly change_set: string
  readonly at: string
  readonly actor_type: Actor['type']
  readonly actor_id: string | null
  readonly actor_name: string
  readonly origin: string
  readonly reason: string | null
  readonly undo_of: string | null
  readonly resource: string
  readonly record: string
  readonly action: HistoryEntry['action']
  readonly version: number
  readonly fields: Readonly<Record<string, readonly [unknown, unknown]>>
}

const historyLimit = 200

/** A record's changes, newest first; fields the actor may not read are left out. */
export async function historyOf(scope: EngineScope, resource: Resource, id: string): Promise<HistoryEntry[]> {
  demandAction(scope, resource, 'read')
  if (!(await findRow(scope, resource, id))) throw recordNotFound({ resource: resource.entity, id })
  const { rows } = await sql<LedgerRow>`
    select c.id, c.change_set, c.at, s.actor_type, s.actor_id, s.actor_name, s.origin, s.reason, s.undo_of, c.resource, c.record, c.action, c.version, c.fields
    from core.change c join core.change_set s on s.id = c.change_set
    where c.workspace = ${scope.ctx.workspace.id}::uuid and c.resource = ${resource.id} and c.record = ${id}::uuid
    order by c.version desc limit ${historyLimit}`.execute(scope.tx)
  return rows.map((row) => ({
    ...head(row),
    action: row.action,
    version: row.version,
    changes: readableChanges(scope, resource, row),
  }))
}

function head(row: LedgerRow) {
  return {
    changeSet: row.change_set,
    at: row.at,
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    origin: row.origin,
    reason: row.reason,
    undoOf: row.undo_of,
  }
}

function readableChanges(
  scope: EngineScope,
  resource: Resource | undefined,
  { fields }: LedgerRow,
): HistoryEntry['changes'] {
  if (!resource) return []
  const access = scope.access(resource, 'read')
  return Object.entries(fields)
    .filter(([field]) => resource.fields.has(field) && (systemFields.has(field) || access.readable(field)))
    .map(([field, [old, next]]) => ({ field, old, new: next }))
}

export interface AuditQuery {
  readonly limit?: number
  /** Id of the last change set of the page before. */
  readonly after?: string
  readonly actor?: string
  readonly resource?: string
}

/** Change sets of the workspace, newest first, for holders of `core.audit.read`. */
export async function auditTrail(
  scope: EngineScope,
  query: AuditQuery,
): Promise<{ data: AuditEntry[]; next: string | null }> {
  if (!scope.ctx.authority.may('core.audit.read')) throw permissionDenied({ permission: 'core.audit.read' })
  const limit = Math.min(query.limit ?? 50, 200)
  for (const parameter of ['after', 'actor'] as const) {
    const value = query[parameter]
    if (value !== undefined && !isUuid(value)) throw queryInvalid({ parameter, value, expected: 'an id' })
  }
  const { rows: sets } = await sql<{ id: string }>`
    select s.id from core.change_set s
    where s.workspace = ${scope.ctx.workspace.id}::uuid
      ${query.after === undefined ? sql`` : sql`and (s.at, s.id) < (select at, id from core.change_set where id = ${query.after}::uuid)`}
      ${query.actor === undefined ? sql`` : sql`and s.actor_id = ${query.actor}::uuid`}
      ${query.resource === undefined ? sql`` : sql`and exists (select 1 from core.change c where c.workspace = s.workspace and c.change_set = s.id and c.resource = ${query.resource})`}
    order by s.at desc, s.id desc limit ${limit + 1}`.execute(scope.tx)
  const ids = sets.slice(0, limit).map(({ id }) => id)
  if (ids.length === 0) return { data: [], next: null }
  const { rows } = await sql<LedgerRow>`
    select c.id, c.change_set, s.at, s.actor_type, s.actor_id, s.actor_name, s.origin, s.reason, s.undo_of, c.resource, c.record, c.action, c.version, c.fields
    from core.change_set s left join lateral (
      select * from core.change c where c.workspace = s.workspace and c.change_set = s.id order by c.id limit 100) c on true
    where s.workspace = ${scope.ctx.workspace.id}::uuid and s.id = any(${ids}::uuid[])
    order by s.at desc, s.id desc, c.id`.execute(scope.tx)
  const entries = new Map<string, AuditEntry & { records: AuditEntry['records'][number][] }>()
  for (const row of rows) {
    const entry = entries.get(row.change_set) ?? { ...head(row), records: [] }
    entries.set(row.change_set, entry)
    const resource = scope.catalog.get(row.resource)
    entry.records.push({
      resource: row.resource,
      id: row.record,
      action: row.action,
      version: row.version,
      changes: readableChanges(scope, resource, row),
    })
  }
  return { data: [...entries.values()], next: sets.length > limit ? (ids.at(-1) ?? null) : null }
}
