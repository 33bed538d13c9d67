import { sql } from 'kysely'
import { permissionDenied } from '../../permissions/errors.ts'
import { tableOf } from '../read.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { isUuid, sameValue } from '../values.ts'
import { changeLocked, lockRecord, restoreRecord } from '../write.ts'
import { fieldValue } from '../field-value.ts'
import { mergeNotFound, mergeUndone } from './errors.ts'
import { moveLinksBack } from './links.ts'
import { mergeRecords, type MergeAnswer, type MovedRelation } from './merge.ts'
import { refuseMerged } from './merged.ts'
import { checkDeferred, moveRecords } from './moves.ts'
import { byPartner, partnerPeopleBack } from './partner-people.ts'
import { everyRelationTo, type Relation } from './relations.ts'
import { withEveryRight } from './system-scope.ts'

interface Operation {
  readonly id: string
  readonly resource: string
  readonly survivor: string
  readonly merged: readonly string[]
  readonly changeSet: string
  readonly chosen: Readonly<Record<string, string>>
  readonly moved: readonly MovedRelation[]
  readonly state: 'done' | 'undone'
  readonly undoneAt: string | null
}

/** A field that keeps what it became since the merge. */
export interface Kept {
  readonly resource: string
  readonly id: string
  readonly field: string
}

export interface UnmergeAnswer {
  readonly merge: string
  readonly survivor: string
  /** Records that are there again. */
  readonly restored: readonly string[]
  readonly moved: readonly { readonly resource: string; readonly field: string; readonly count: number }[]
  readonly kept: readonly Kept[]
  readonly changeSet: string | undefined
}

const columns =
  sql.raw(`id, resource, survivor, to_jsonb(merged) as merged, change_set as "changeSet", chosen, moved, state,
  undone_at as "undoneAt"`)

async function operation(
  scope: EngineScope,
  column: 'id' | 'change_set' | 'undone_by',
  value: string,
  held = true,
): Promise<Operation | undefined> {
  if (!isUuid(value)) return undefined
  const { rows } = await sql<Operation>`
    select ${columns} from core.merge_operation
    where workspace = ${scope.ctx.workspace.id}::uuid and ${sql.ref(column)} = ${value}::uuid ${held ? sql`for update` : sql``}`.execute(
    scope.tx,
  )
  return rows[0]
}

/** The change set that undoing a merge undoes, which the unit that does it names as its cause. */
export async function changeSetOfMerge(scope: EngineScope, id: string): Promise<string> {
  const merge = await operation(scope, 'id', id, false)
  if (!merge) throw mergeNotFound({ id })
  return merge.changeSet
}

/** Whether undoing a change set means undoing a merge, or doing one again. */
export async function isMerge(scope: EngineScope, changeSet: string): Promise<boolean> {
  const found =
    (await operation(scope, 'change_set', changeSet, false)) ?? (await operation(scope, 'undone_by', changeSet, false))
  return found !== undefined
}

/** Undoes a change set that is a merge, or does a merge again whose undo it is; undefined for any other change set. */
export async function undoMergeOf(
  scope: EngineScope,
  changeSet: string,
): Promise<{ undone: number; kept: readonly Kept[] } | undefined> {
  const merge = await operation(scope, 'change_set', changeSet)
  if (merge) {
    const { restored, moved, kept } = await unmerge(scope, merge)
    return { undone: restored.length + moved.reduce((sum, { count }) => sum + count, 1), kept }
  }
  const undone = await operation(scope, 'undone_by', changeSet)
  if (!undone) return undefined
  const { merged, moved } = await again(scope, undone)
  return { undone: merged.length + moved.reduce((sum, { count }) => sum + count, 1), kept: [] }
}

async function again(scope: EngineScope, { resource: id, survivor, merged, chosen }: Operation): Promise<MergeAnswer> {
  const resource = scope.catalog.of(id)
  const { rows } = await sql<{ id: string; version: number }>`
    select t.id, t.version from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${[survivor, ...merged]}::uuid[])`.execute(
    scope.tx,
  )
  const versions = new Map(rows.map((row) => [row.id, row.version]))
  const seen = (it: string) => ({ id: it, version: versions.get(it) ?? 0 })
  return mergeRecords(scope, resource, { survivor: seen(survivor), others: merged.map(seen), choose: chosen })
}

/**
 * Takes a merge back, also weeks later: the records that ended return with their values and with what moved from them.
 * What somebody has changed since stays as it is and is listed; what is new stays with the survivor.
 *
 * @throws `MERGE_NOT_FOUND`, `MERGE_UNDONE`, `PERMISSION_DENIED` without `<resource>.merge`, `RECORD_MERGED` when the
 * survivor itself was merged since, `VALUE_TAKEN` when another record has taken a unique value of one that returns
 */
export async function unmergeRecords(scope: EngineScope, id: string): Promise<UnmergeAnswer> {
  const merge = await operation(scope, 'id', id)
  if (!merge || !scope.catalog.get(merge.resource)) throw mergeNotFound({ id })
  return unmerge(scope, merge)
}

interface LedgerLine {
  readonly resource: string
  readonly record: string
  readonly action: 'create' | 'update' | 'delete' | 'restore'
  readonly fields: Readonly<Record<string, readonly [old: unknown, next: unknown]>>
}

async function unmerge(scope: EngineScope, merge: Operation): Promise<UnmergeAnswer> {
  const { ctx } = scope
  const resource = scope.catalog.whole.of(merge.resource)
  const permission = `${resource.id}.merge`
  if (!ctx.authority.may(permission)) throw permissionDenied({ permission })
  if (merge.state === 'undone') throw mergeUndone({ id: merge.id, at: (merge.undoneAt ?? '').slice(0, 10) })
  await refuseMerged(scope, resource, merge.survivor)
  await lockRecord(scope, resource, merge.survivor, 'update', { internal: true })
  const engine = withEveryRight(scope)
  const kept: Kept[] = []
  const ended = new Set(merge.merged)
  await sql`delete from core.merged_record where workspace = ${ctx.workspace.id}::uuid and merge = ${merge.id}::uuid`.execute(
    scope.tx,
  )
  const lines = await linesBeside(engine, merge)
  const own = lines.filter((line) => line.resource === resource.id && line.record === merge.survivor)
  const waits = (value: unknown) => typeof value === 'string' && ended.has(value)
  // First what does not need the others: a unique value must be free for the one it returns to.
  for (const line of own) await revert(engine, resource, line, kept, (old) => !waits(old))
  for (const id of merge.merged) await restoreRecord(engine, resource, id, { internal: true })
  for (const line of own) await revert(engine, resource, line, kept, waits)
  const relations = new Map(
    [...everyRelationTo(scope, resource), ...byPartner(scope, resource)].map((relation) => [
      `${relation.resource.id} ${relation.field.name}`,
      relation,
    ]),
  )
  const moved = []
  for (const { resource: id, field } of merge.moved) {
    const relation = relations.get(`${id} ${field}`)
    if (relation) moved.push({ resource: id, field, count: await moveBack(engine, merge, relation, kept) })
  }
  for (const line of lines) await undoLine(engine, line, merge, kept)
  for (const id of await partnerPeopleBack(engine, merge.changeSet))
    kept.push({ resource: 'core.user', id, field: 'partner' })
  await moveLinksBack(engine, resource, { merge: merge.id, survivor: merge.survivor })
  await checkDeferred(scope, resource)
  const { id: changeSet } = scope.openChangeSet()
  await sql`update core.merge_operation set state = 'undone', undone_by = ${changeSet}::uuid, undone_at = ${ctx.clock.now().toISOString()}::timestamptz
    where workspace = ${ctx.workspace.id}::uuid and id = ${merge.id}::uuid`.execute(scope.tx)
  scope.emit({
    name: `${resource.id}.unmerged`,
    version: 1,
    key: merge.survivor,
    payload: { record: merge.survivor, merged: [...merge.merged], merge: merge.id },
  })
  const readable = (it: Kept) => {
    const of = scope.catalog.get(it.resource)
    return of?.fields.has(it.field) === true && scope.exists(of) && scope.access(of, 'read').readable(it.field)
  }
  return {
    merge: merge.id,
    survivor: merge.survivor,
    restored: merge.merged,
    moved,
    kept: kept.filter(readable),
    changeSet: ctx.changeSet,
  }
}

/** What a merge changed beside the references that moved, latest first. */
async function linesBeside(scope: EngineScope, merge: Operation): Promise<readonly LedgerLine[]> {
  const { rows } = await sql<LedgerLine>`
    select c.resource, c.record, c.action, c.fields from core.change c
    where c.workspace = ${scope.ctx.workspace.id}::uuid and c.change_set = ${merge.changeSet}::uuid
      and not (c.resource = ${merge.resource} and c.record = any(${[...merge.merged]}::uuid[]))
      and not exists (
        select from jsonb_to_recordset(${JSON.stringify(merge.moved)}::jsonb) as m (resource text, field text)
        where m.resource = c.resource and c.action = 'update' and c.fields ? m.field
          and c.fields -> m.field ->> 1 = ${merge.survivor} and (select count(*) from jsonb_object_keys(c.fields)) = 1)
    order by c.id desc`.execute(scope.tx)
  return rows
}

/** What guards did beside, and the twins that ended: back as far as nobody changed it since. */
async function undoLine(scope: EngineScope, line: LedgerLine, merge: Operation, kept: Kept[]): Promise<void> {
  const resource = scope.catalog.whole.get(line.resource)
  if (!resource || (line.resource === merge.resource && line.record === merge.survivor)) return
  if (line.action === 'delete') await restoreRecord(scope, resource, line.record, { internal: true })
  else if (line.action === 'update') await revert(scope, resource, line, kept, () => true)
}

async function revert(
  scope: EngineScope,
  resource: Resource,
  line: LedgerLine,
  kept: Kept[],
  which: (old: unknown) => boolean,
): Promise<void> {
  if (line.action !== 'update') return
  const current = await lockRecord(scope, resource, line.record, 'update', { internal: true })
  const values = new Map<string, unknown>()
  for (const [name, [old, next]] of Object.entries(line.fields)) {
    const field = resource.fields.get(name)
    // What code derives from other fields is derived again by the guards.
    if (!field || field.readonly || !which(old)) continue
    if (sameValue(current[name] ?? null, next)) values.set(name, old)
    else kept.push({ resource: resource.id, id: line.record, field: name })
  }
  if (values.size > 0) await changeLocked(scope, resource, current, values, { internal: true })
}

interface Mover {
  readonly id: string
  readonly was: string
  readonly stays: boolean
}

/** References go back where they still are as the merge left them; pointed there by hand since, they stay. */
async function moveBack(scope: EngineScope, merge: Operation, relation: Relation, kept: Kept[]): Promise<number> {
  const { resource, field } = relation
  const value = fieldValue(field, 't')
  const { rows } = await sql<Mover>`
    select t.id, c.fields -> ${field.name}::text ->> 0 as was,
      ${value} is distinct from ${merge.survivor}::uuid or exists (
        select from core.change later where later.workspace = c.workspace and later.resource = c.resource and later.record = c.record
          and later.version > c.version and later.fields ? ${field.name}::text) as stays
    from core.change c join ${tableOf(resource, 't')} on t.workspace = c.workspace and t.id = c.record
    where c.workspace = ${scope.ctx.workspace.id}::uuid and c.change_set = ${merge.changeSet}::uuid and c.resource = ${resource.id}
      and c.action = 'update' and c.fields -> ${field.name}::text ->> 1 = ${merge.survivor}
      and not (c.resource = ${merge.resource} and c.record = ${merge.survivor}::uuid)
    order by t.id for update of t`.execute(scope.tx)
  const colliding = await moveRecords(
    scope,
    relation,
    rows.filter(({ stays }) => !stays).map(({ id, was }) => ({ id, from: merge.survivor, to: was })),
  )
  const staying = [...rows.filter(({ stays }) => stays), ...colliding]
  for (const { id } of staying) kept.push({ resource: resource.id, id, field: field.name })
  return rows.length - staying.length
}
