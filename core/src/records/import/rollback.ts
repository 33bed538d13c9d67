import { sql, type RawBuilder } from 'kysely'
import type { Context } from '../../context.ts'
import { SocleError } from '../../errors.ts'
import type { Words } from '../../words.ts'
import type { RecordEngine } from '../engine.ts'
import { fieldValue } from '../field-value.ts'
import { columnsOf, tableOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { sameValue } from '../values.ts'
import { changeLocked, deleteRecord, lockRecord } from '../write.ts'
import { recordChangedSince, recordGone, recordUsedSince } from './errors.ts'
import { keepReversals, type Reversal } from './store.ts'
import { isManaged } from './targets.ts'

/** One change of a run, as the ledger has it. */
interface LedgerChange {
  readonly id: string
  readonly resource: string
  readonly record: string
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  readonly version: number
  readonly fields: Readonly<Record<string, readonly [old: unknown, next: unknown]>>
}

export interface RollbackParts {
  readonly ctx: Context
  readonly words: Words
  /** Id of the import. */
  readonly id: string
  readonly changeSet: string
}

/**
 * Takes back one change set of an import, latest change first, through the write path: what it made is deleted, what it
 * changed gets its old values. A record that was changed or is used since stays, with the reason beside it.
 */
export async function takeBackUnit({ ctx, words, id, changeSet }: RollbackParts): Promise<void> {
  const { rows } = await sql<LedgerChange>`
    select id, resource, record, action, version, fields from core.change
    where workspace = ${ctx.workspace.id}::uuid and change_set = ${changeSet}::uuid order by id desc`.execute(ctx.sql)
  const own = (ctx.records as RecordEngine).scope
  const system = (ctx.asSystem().records as RecordEngine).scope
  const uses = await usesOf(system, rows)
  const removed = new Set<string>()
  const reversals: Reversal[] = []
  for (const row of rows) {
    const resource = system.catalog.get(row.resource)
    const scope = isManaged(row.resource) && ctx.authority.may('core.user.manage') ? system : own
    const kept = (error: SocleError, title = '') =>
      reversals.push({
        ...place(row, title),
        outcome: 'kept',
        fields: [],
        code: error.code,
        detail: words.sentence(ctx.locale, error),
      })
    if (!resource || !system.exists(resource)) {
      kept(recordGone({ resource: row.resource }))
      continue
    }
    const title = await titleOf(system, resource, row.record)
    try {
      const done = await own.savepoint(() =>
        row.action === 'create'
          ? takeAway(scope, resource, row, { import: id, isUsed: () => uses.of(row.record, removed) })
          : putBack(scope, resource, row),
      )
      if (done.outcome === 'deleted' || done.outcome === 'gone') removed.add(row.record)
      reversals.push({ ...place(row, title), ...done, code: null, detail: null })
    } catch (error) {
      if (!(error instanceof SocleError) || error.status >= 500) throw error
      kept(error, title)
    }
  }
  await keepReversals(ctx, id, changeSet, reversals)
}

const place = ({ id, resource, record }: LedgerChange, title: string) => ({ change: id, resource, record, title })

type Done = Pick<Reversal, 'outcome' | 'fields'>

async function takeAway(
  scope: EngineScope,
  resource: Resource,
  { record, version }: LedgerChange,
  { import: id, isUsed }: { import: string; isUsed(): boolean },
): Promise<Done> {
  const current = await lockRecord(scope, resource, record, 'delete', { internal: true })
  if (current['deletedAt'] !== null) return { outcome: 'gone', fields: [] }
  if (current.version !== version && (await changedByOthers(scope, resource, record, { version, import: id })))
    throw recordChangedSince({ resource: resource.entity })
  if (isUsed()) throw recordUsedSince({ resource: resource.entity })
  await deleteRecord(scope, resource, current)
  return { outcome: 'deleted', fields: [] }
}

/** Whether somebody else than this import, or its roll back, changed the record after a version. */
async function changedByOthers(
  { ctx, tx }: EngineScope,
  resource: Resource,
  record: string,
  { version, import: id }: { version: number; import: string },
): Promise<boolean> {
  const { rows } = await sql`
    select 1 from core.change c join core.change_set s on s.workspace = c.workspace and s.id = c.change_set
    where c.workspace = ${ctx.workspace.id}::uuid and c.resource = ${resource.id} and c.record = ${record}::uuid
      and c.version > ${version} and not (s.origin = 'import' and s.request = ${id}) limit 1`.execute(tx)
  return rows.length > 0
}

async function putBack(scope: EngineScope, resource: Resource, { record, fields }: LedgerChange): Promise<Done> {
  const current = await lockRecord(scope, resource, record, 'update', { internal: true })
  if (current['deletedAt'] !== null) throw recordGone({ resource: resource.entity })
  const values = new Map<string, unknown>()
  const newer: string[] = []
  for (const [name, [old, next]] of Object.entries(fields)) {
    const field = resource.fields.get(name)
    // What code derives from other fields is derived again by the guards.
    if (!field || field.readonly) continue
    if (sameValue(current[name], next)) values.set(name, old)
    else newer.push(name)
  }
  if (values.size === 0 && newer.length > 0) throw recordChangedSince({ resource: resource.entity })
  if (values.size > 0) await changeLocked(scope, resource, current, values, {})
  return { outcome: 'restored', fields: newer }
}

async function titleOf({ ctx, tx }: EngineScope, resource: Resource, id: string): Promise<string> {
  const title = resource.fields.get(resource.title)
  if (!title) return ''
  const { rows } = await sql<RecordJson>`
    select ${columnsOf([title], 't')} from ${tableOf(resource, 't')}
    where t.workspace = ${ctx.workspace.id}::uuid and t.id = ${id}::uuid`.execute(tx)
  return String(rows[0]?.[title.name] ?? '')
}

/** Which of the records a change set made are referred to: by live records beyond it, and by others of it. */
interface Uses {
  of(record: string, removed: ReadonlySet<string>): boolean
}

async function usesOf(scope: EngineScope, rows: readonly LedgerChange[]): Promise<Uses> {
  const made = new Map<string, string[]>()
  for (const { action, resource, record } of rows)
    if (action === 'create') made.set(resource, [...(made.get(resource) ?? []), record])
  const outside = new Set<string>()
  const inside: { readonly record: string; readonly by: string }[] = []
  for (const [id, records] of made) {
    for (const statement of referrers(scope, id, records, made)) {
      const { rows: found } = await sql<{ record: string; by: string | null }>`${statement}`.execute(scope.tx)
      for (const { record, by } of found) {
        if (by === null) outside.add(record)
        else inside.push({ record, by })
      }
    }
  }
  return {
    of: (record, removed) => outside.has(record) || inside.some((it) => it.record === record && !removed.has(it.by)),
  }
}

const bookkeeping = new Set(['id', 'createdBy', 'updatedBy'])

/** One statement per field that may refer to the resource, foreign key or not. */
function referrers(
  scope: EngineScope,
  target: string,
  records: readonly string[],
  made: ReadonlyMap<string, readonly string[]>,
): RawBuilder<unknown>[] {
  return scope.catalog
    .all()
    .filter((resource) => scope.exists(resource))
    .flatMap((resource) => {
      const own = [...(made.get(resource.id) ?? [])]
      const [link, kind] = [resource.fields.get('record'), resource.fields.get('resource')]
      const fields = resource.all.filter((field) => field.target === target && !bookkeeping.has(field.name))
      const places = fields.map((field) => ({ column: fieldValue(field, 't'), more: sql`` }))
      // Records of any kind are linked by the kind's name beside the id.
      if (link && kind && link.target === undefined)
        places.push({ column: fieldValue(link, 't'), more: sql` and ${fieldValue(kind, 't')} = ${target}` })
      return places.map(
        ({ column, more }) => sql`
          select distinct ${column}::text as record, case when t.id = any(${own}::uuid[]) then t.id::text end as by
          from ${tableOf(resource, 't')}
          where t.workspace = ${scope.ctx.workspace.id}::uuid and t.deleted_at is null
            and ${column} = any(${[...records]}::uuid[])${more}`,
      )
    })
}
