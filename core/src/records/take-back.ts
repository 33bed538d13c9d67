import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import type { Words } from '../words.ts'
import type { RecordEngine } from './engine.ts'
import { recordChangedSince, recordGone, recordUsedSince } from './errors.ts'
import { fieldValue } from './field-value.ts'
import type { LedgerRow } from './ledger.ts'
import { relationsTo, type Relation } from './merge/relations.ts'
import { tableOf } from './read.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { refuseGone, undoFields, undoing } from './undo.ts'
import { deleteRecord, lockRecord, restoreRecord } from './write.ts'

/** What became of one change that was to be taken back. */
export interface Reversal {
  readonly change: string
  readonly resource: string
  readonly record: string
  readonly outcome: 'deleted' | 'restored' | 'kept'
  /** Fields that keep a newer value. */
  readonly fields: readonly string[]
  readonly code: string | null
  readonly detail: string | null
}

export interface TakeBackOptions {
  readonly words: Words
  /** Whether a change set, `s` in the condition, belongs to the same work: what it changed since is nobody else's change. */
  readonly isOwn: RawBuilder<SqlBool>
  /** Whose rights a record's change is taken back with: the actor's own, or for some resources the platform's. */
  readonly scopeOf: (
    resource: string,
    scopes: { readonly own: EngineScope; readonly system: EngineScope },
  ) => EngineScope
}

/**
 * Takes back one change set of work in many of them, latest change first, as undo does. A record that was changed or is used
 * since stays, with the reason beside it.
 */
export async function takeBackSet(
  ctx: Context,
  changeSet: string,
  { words, isOwn, scopeOf }: TakeBackOptions,
): Promise<readonly Reversal[]> {
  const { rows } = await sql<LedgerRow>`
    select c.* from core.change c
    where c.workspace = ${ctx.workspace.id}::uuid and c.change_set = ${changeSet}::uuid order by c.id desc`.execute(
    ctx.sql,
  )
  const own = (ctx.records as RecordEngine).scope
  const system = (ctx.asSystem().records as RecordEngine).scope
  const uses = await usesOf(system, rows)
  const removed = new Set<string>()
  const reversals: Reversal[] = []
  for (const row of rows) {
    const resource = system.catalog.get(row.resource)
    const scope = scopeOf(row.resource, { own, system })
    const change = { change: row.id, resource: row.resource, record: row.record }
    try {
      if (!resource || !system.exists(resource)) throw recordGone({ resource: row.resource })
      const how = {
        isOwn,
        isUsed: () => uses.of(row.record, removed),
        isGone: () => void removed.add(row.record),
      }
      const done = await own.savepoint(() => takeBack(scope, resource, row, how))
      if (done.outcome === 'deleted') removed.add(row.record)
      reversals.push({ ...change, ...done, code: null, detail: null })
    } catch (error) {
      if (!(error instanceof SocleError) || error.status >= 500) throw error
      const { fields = [] } = error.extras as { fields?: readonly string[] }
      const detail = words.sentence(ctx.locale, error)
      reversals.push({ ...change, outcome: 'kept', fields, code: error.code, detail })
    }
  }
  return reversals
}

type Done = Pick<Reversal, 'outcome' | 'fields'>

interface How extends Pick<TakeBackOptions, 'isOwn'> {
  isUsed(): boolean
  /** Told of a record that was deleted or merged since: it uses others no more. */
  isGone(): void
}

async function takeBack(scope: EngineScope, resource: Resource, row: LedgerRow, how: How): Promise<Done> {
  const action = undoing[row.action]
  const current = await lockRecord(scope, resource, row.record, action, { internal: true })
  const isDeleted = current['deletedAt'] !== null
  if (action === 'restore') {
    if (isDeleted) await restoreRecord(scope, resource, row.record)
    return { outcome: 'restored', fields: [] }
  }
  if (action === 'delete') {
    if (isDeleted) how.isGone()
    await refuseGone(scope, resource, current)
    const others =
      current.version === row.version
        ? undefined
        : await changedByOthers(scope, row, { isOwn: how.isOwn, current: current.version })
    if (others) throw recordChangedSince({ resource: resource.entity }, { fields: others })
    if (how.isUsed()) throw recordUsedSince({ resource: resource.entity })
    await deleteRecord(scope, resource, current)
    return { outcome: 'deleted', fields: [] }
  }
  await refuseGone(scope, resource, current)
  const newer: string[] = []
  const isBack = await undoFields(scope, resource, row, current, (field) => newer.push(field))
  if (!isBack && newer.length > 0) throw recordChangedSince({ resource: resource.entity }, { fields: newer })
  return { outcome: 'restored', fields: newer }
}

/** What other work, or its taking back, changed of the record after a change, as far as it is told; undefined where nothing did. */
async function changedByOthers(
  { ctx, tx }: EngineScope,
  { resource, record, version }: LedgerRow,
  { isOwn, current }: Pick<How, 'isOwn'> & { readonly current: number },
): Promise<readonly string[] | undefined> {
  // A partner's person reads what they did themselves: whose change set is not to be seen is somebody else.
  const { rows } = await sql<{ fields: LedgerRow['fields']; own: boolean }>`
    select c.fields, s.id is not null and ${isOwn} as own
    from core.change c left join core.change_set s on s.workspace = c.workspace and s.id = c.change_set
    where c.workspace = ${ctx.workspace.id}::uuid and c.resource = ${resource} and c.record = ${record}::uuid
      and c.version > ${version}`.execute(tx)
  const others = rows.filter(({ own }) => !own)
  if (rows.length - others.length >= current - version) return undefined
  return [...new Set(others.flatMap(({ fields }) => Object.keys(fields)))]
}

/** Which of the records a change set made are referred to: by live records beyond it, and by others of it. */
interface Uses {
  of(record: string, removed: ReadonlySet<string>): boolean
}

async function usesOf(scope: EngineScope, rows: readonly LedgerRow[]): Promise<Uses> {
  const made = new Map<string, string[]>()
  for (const { action, resource, record } of rows)
    if (action === 'create') made.set(resource, [...(made.get(resource) ?? []), record])
  const outside = new Set<string>()
  const inside: { readonly record: string; readonly by: string }[] = []
  for (const [id, records] of made) {
    const target = scope.catalog.get(id)
    for (const relation of target ? relationsTo(scope, target) : []) {
      const own = made.get(relation.resource.id) ?? []
      for (const { record, by } of await referrers(scope, relation, { target: id, records, own })) {
        if (by === null) outside.add(record)
        else inside.push({ record, by })
      }
      if (scope.ctx.partners)
        for (const record of await usedOutOfReach(scope, relation, { target: id, records, own })) outside.add(record)
    }
  }
  return {
    of: (record, removed) => outside.has(record) || inside.some((it) => it.record === record && !removed.has(it.by)),
  }
}

/** What a partner's people do not see is asked of the tables' owner, who tells it of records that are theirs. */
async function usedOutOfReach(
  scope: EngineScope,
  { resource, field, pair }: Relation,
  { target, records, own }: Wanted,
): Promise<readonly string[]> {
  const { schema, table, column } = field.side ?? { ...resource, column: field.column }
  const { rows } = await sql<{ record: string }>`
    select core.records_in_use(${`${schema}.${table}`}::regclass, ${field.custom ? null : column},
      ${field.name}, ${pair?.column ?? null}, ${target}, ${[...records]}::uuid[], ${[...own]}::uuid[])::text as record`.execute(
    scope.tx,
  )
  return rows.map(({ record }) => record)
}

interface Wanted {
  /** Id of the resource of the records. */
  readonly target: string
  readonly records: readonly string[]
  /** Records of the referring resource that are told one by one. */
  readonly own: readonly string[]
}

/** What the platform itself keeps beside records, such as which contact belongs to which account, is no use of them. */
async function referrers(
  scope: EngineScope,
  { resource, field, pair }: Relation,
  { target, records, own }: Wanted,
): Promise<readonly { readonly record: string; readonly by: string | null }[]> {
  const value = fieldValue(field, 't')
  const { rows } = await sql<{ record: string; by: string | null }>`
    select distinct ${value}::text as record, case when t.id = any(${[...own]}::uuid[]) then t.id::text end as by
    from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.deleted_at is null
      ${resource.options.nav === false ? sql`and t.created_by is not null` : sql``}
      and ${value} = any(${[...records]}::uuid[]) ${pair ? sql`and ${fieldValue(pair, 't')} = ${target}` : sql``}`.execute(
    scope.tx,
  )
  return rows
}
