import { sql } from 'kysely'
import { SocleError } from '../errors.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { Words } from '../words.ts'
import { bulkLimit } from './bulk.ts'
import { changesSince } from './changes.ts'
import { changeSetNotFound, recordGone, recordNotFound, undoConflict } from './errors.ts'
import type { LedgerRow } from './ledger.ts'
import { refuseMerged } from './merge/merged.ts'
import { undoMergeOf } from './merge/unmerge.ts'
import type { RecordJson } from './records.ts'
import { columnsOf, shownFields, tableOf } from './read.ts'
import { problemOf, type RowProblem } from './refusals.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { isUuid, sameValue } from './values.ts'
import { changeLocked, deleteRecord, lockRecord, restoreRecord } from './write.ts'

/** What takes a change back. */
export const undoing = { create: 'delete', delete: 'restore', restore: 'delete', update: 'update' } as const

export interface UndoAnswer {
  readonly changeSet: string | undefined
  /** Records brought back. */
  readonly undone: number
  /** What was left as it is: fields that changed since, and records that are out of reach or refuse it. */
  readonly kept: readonly (KeptField | KeptRecord)[]
}

export interface KeptField {
  readonly resource: string
  readonly id: string
  readonly field: string
}

export interface KeptRecord {
  readonly resource: string
  readonly id: string
  /** Why nothing of it was taken back. */
  readonly problem: RowProblem
}

/**
 * Takes back a change set, latest change first, through the same write path and guards as any change.
 *
 * Fields that changed since keep their newer value and are listed, and so are records that refuse it as a whole; the
 * rest is taken back. Undoing an undo is undoing that change set.
 *
 * @throws `CHANGE_SET_NOT_FOUND` (404), `UNDO_CONFLICT` (409) when nothing of it is left
 */
export async function undoChangeSet(scope: EngineScope, id: string, words: Words): Promise<UndoAnswer> {
  const { ctx } = scope
  await demandUndo(scope, id)
  const { rows } = await sql<LedgerRow>`
    select c.* from core.change c where c.workspace = ${ctx.workspace.id}::uuid and c.change_set = ${id}::uuid
    order by c.id desc`.execute(scope.tx)
  const merge = await undoMergeOf(scope, id)
  if (merge) return { changeSet: ctx.changeSet, ...merge }
  const { undone, kept } = await takeBackAll(scope, rows, words)
  if (undone === 0) throw nothingLeft(id, kept)
  return { changeSet: ctx.changeSet, undone, kept }
}

type Kept = UndoAnswer['kept'][number]

async function takeBackAll(
  scope: EngineScope,
  rows: readonly LedgerRow[],
  words: Words,
): Promise<Pick<UndoAnswer, 'undone' | 'kept'>> {
  const fields: KeptField[] = []
  const refused: KeptRecord[] = []
  let undone = 0
  for (const row of rows) {
    const leaving: KeptField[] = []
    try {
      if (await scope.savepoint(() => undoRow(scope, row, leaving))) undone += 1
      fields.push(...leaving)
    } catch (error) {
      // What refuses the only change there is has the better sentence.
      if (!(error instanceof SocleError) || error.status >= 500 || rows.length === 1) throw error
      refused.push({ resource: row.resource, id: row.record, problem: problemOf(error, scope.ctx, words) })
    }
  }
  return { undone, kept: [...fields, ...refused] }
}

function nothingLeft(changeSet: string, kept: readonly Kept[]): SocleError {
  const names = new Set(kept.flatMap((it) => ('field' in it ? [it.field] : [])))
  const refused = kept.filter((it) => 'problem' in it).length
  return undoConflict({ changeSet, fields: [...names].join(', ') || 'everything', refused }, { kept })
}

/** Changes looked at together. */
const lookedAt = 500

/**
 * Refuses the undoing of a change set too large for one transaction when nothing of it is left, before it is ordered. Why is
 * listed of its latest changes.
 *
 * @throws `UNDO_CONFLICT` (409)
 */
export async function demandLeft(scope: EngineScope, id: string, words: Words): Promise<void> {
  const changes = (before: string | undefined, limit: number) =>
    sql<LedgerRow>`
    select c.* from core.change c where c.workspace = ${scope.ctx.workspace.id}::uuid and c.change_set = ${id}::uuid
      ${before === undefined ? sql`` : sql`and c.id < ${before}::uuid`}
    order by c.id desc limit ${limit}`.execute(scope.tx)
  for (let before: string | undefined; ;) {
    const { rows } = await changes(before, lookedAt)
    for (const [resource, of] of Map.groupBy(rows, (row) => row.resource))
      for (const some of Map.groupBy(of, ({ action }) => undoing[action]).values())
        if (await mayBeLeft(scope, resource, some)) return
    if (rows.length < lookedAt) break
    before = rows.at(-1)?.id
  }
  const { undone, kept } = await takeBackAll(scope, (await changes(undefined, bulkLimit)).rows, words)
  if (undone === 0) throw nothingLeft(id, kept)
}

/** Whether one of some changes, all to be taken back by one action, could be: asked of their records as they stand, all at once. */
async function mayBeLeft(scope: EngineScope, of: string, rows: readonly LedgerRow[]): Promise<boolean> {
  const resource = scope.catalog.get(of)
  const [first] = rows
  if (!resource || !scope.exists(resource) || !first) return false
  const action = undoing[first.action]
  const read = scope.access(resource, 'read')
  const access = scope.access(resource, action)
  if (!read.allowed || !access.allowed) return false
  const { rows: records } = await sql<RecordJson>`
    select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${rows.map(({ record }) => record)}::uuid[])
      and ${read.where('t')} and ${access.where('t')}`.execute(scope.tx)
  const current = new Map(records.map((record) => [record.id, record]))
  return rows.some(({ record, fields }) => {
    const now = current.get(record)
    if (!now || (now['deletedAt'] !== null) !== (action === 'restore')) return false
    return (
      action !== 'update' ||
      Object.entries(fields).some(
        ([field, [, next]]) => !isDerived(resource, field) && access.writable(field) && sameValue(now[field], next),
      )
    )
  })
}

/** What code derives from other fields is derived again by the guards. */
function isDerived(resource: Resource, field: string): boolean {
  return resource.fields.get(field)?.readonly !== false
}

/**
 * How many changes the set holds that the actor may take back.
 *
 * @throws `CHANGE_SET_NOT_FOUND` (404), `PERMISSION_DENIED` (403) for one of somebody else
 */
export async function demandUndo({ ctx, tx }: EngineScope, id: string): Promise<number> {
  if (!isUuid(id)) throw changeSetNotFound({ id })
  const { rows } = await sql<{ actor_id: string | null; n: number }>`
    select s.actor_id, (select count(*) from core.change c where c.workspace = s.workspace and c.change_set = s.id)::integer as n
    from core.change_set s where s.workspace = ${ctx.workspace.id}::uuid and s.id = ${id}::uuid`.execute(tx)
  const [set] = rows
  // Of a record that was only opened to a partner, the changes are the house's to read, and to take back.
  if (!set || (set.n === 0 && ctx.partners)) throw changeSetNotFound({ id })
  const own = set.actor_id !== null && set.actor_id === ctx.actor.id
  if (!own && !ctx.authority.may('core.changeset.undo')) throw permissionDenied({ permission: 'core.changeset.undo' })
  return set.n
}

/** Takes back one change of a set; the set has been asked for by `demandUndo`. */
export async function undoChange(
  scope: EngineScope,
  id: string,
): Promise<{ isUndone: boolean; kept: readonly KeptField[] }> {
  const { rows } = await sql<LedgerRow>`
    select c.* from core.change c where c.workspace = ${scope.ctx.workspace.id}::uuid and c.id = ${id}::uuid`.execute(
    scope.tx,
  )
  const kept: KeptField[] = []
  const [row] = rows
  const isUndone = row !== undefined && (await undoRow(scope, row, kept))
  return { isUndone, kept }
}

/** @throws `RECORD_NOT_FOUND` (404) also for a record whose plugin is off: it does not exist here */
async function undoRow(scope: EngineScope, row: LedgerRow, kept: KeptField[]): Promise<boolean> {
  const resource = scope.catalog.get(row.resource)
  if (!resource || !scope.exists(resource)) throw recordNotFound({ resource: row.resource, id: row.record })
  return undoOne(scope, resource, row, kept)
}

async function undoOne(scope: EngineScope, resource: Resource, row: LedgerRow, kept: KeptField[]): Promise<boolean> {
  const shown = new Set(shownFields({ ...scope, forScreens: true }, resource).map(({ name }) => name))
  // That a field which is hidden from them changed since is not theirs to hear.
  const leave = (field: string) => {
    if (shown.has(field)) kept.push({ resource: resource.id, id: row.record, field })
  }
  const action = undoing[row.action]
  const current = await lockRecord(scope, resource, row.record, action, { internal: true })
  if (action === 'restore') {
    if (current['deletedAt'] === null) return false
    await restoreRecord(scope, resource, row.record)
    return true
  }
  if (action === 'delete') {
    if (row.action === 'create') await refuseGone(scope, resource, current)
    const { bases, isWhole } = await changesSince(scope, resource, current, row.version)
    if (current['deletedAt'] !== null) return false
    for (const field of bases.keys()) leave(field)
    // A record that somebody worked on since is not taken away.
    if ((bases.size > 0 || !isWhole) && row.action === 'create') return false
    await deleteRecord(scope, resource, { id: row.record, version: current.version })
    return true
  }
  await refuseGone(scope, resource, current)
  return undoFields(scope, resource, row, current, leave)
}

/** @throws `RECORD_GONE`, or `RECORD_MERGED` naming the survivor, for a record in the bin: nothing of it is taken back */
export async function refuseGone(scope: EngineScope, resource: Resource, current: RecordJson): Promise<void> {
  if (current['deletedAt'] === null) return
  await refuseMerged(scope, resource, current.id)
  throw recordGone({ resource: resource.entity })
}

/**
 * Gives a record that is there its old values back where the new ones still stand and the actor may write them.
 *
 * @param leave - is told each field that keeps what it has
 * @returns whether anything was written
 */
export async function undoFields(
  scope: EngineScope,
  resource: Resource,
  row: Pick<LedgerRow, 'fields'>,
  current: RecordJson,
  leave: (field: string) => void,
): Promise<boolean> {
  const access = scope.access(resource, 'update')
  const values = new Map<string, unknown>()
  for (const [field, [old, next]] of Object.entries(row.fields)) {
    if (isDerived(resource, field)) continue
    if (!sameValue(current[field], next) || !access.writable(field)) leave(field)
    else values.set(field, old)
  }
  if (values.size === 0) return false
  await changeLocked(scope, resource, current, values, {})
  return true
}
