import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { SocleError } from '../../errors.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { versionConflict } from '../errors.ts'
import { demandOwnReach } from '../own-reach.ts'
import { asReadable, nameOf, recordsByIds } from '../read.ts'
import type { RecordJson, WriteOptions } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { sameValue } from '../values.ts'
import { changeLocked, deleteRecord, lockRecord } from '../write.ts'
import { mergeChoiceInvalid, mergeSize } from './errors.ts'
import { moveLinks } from './links.ts'
import { checkDeferred, moveRecords, pointingAt } from './moves.ts'
import { byPartner, movePartnerPeople } from './partner-people.ts'
import { everyRelationTo, refuseUnmapped } from './relations.ts'
import { withEveryRight } from './system-scope.ts'

/** A record, and the version of it that was looked at. */
export interface Seen {
  readonly id: string
  readonly version: number
}

export interface MergeRequest {
  /** The record that stays. */
  readonly survivor: Seen
  /** 1 to 19 records that end. */
  readonly others: readonly Seen[]
  /** `{ field: id }`: whose value is kept. Elsewhere the survivor's, or where it has none the first other's. */
  readonly choose?: Readonly<Record<string, string>>
  readonly acknowledge?: readonly string[]
}

/** What hangs on the merged records by one field. */
export interface MovedRelation {
  readonly resource: string
  readonly field: string
  /** Records that point at the survivor now. */
  readonly count: number
  /** Records that ended because the survivor had the same already. */
  readonly folded: number
}

export interface MergeAnswer {
  readonly merge: string
  readonly data: RecordJson
  readonly merged: readonly string[]
  readonly moved: readonly MovedRelation[]
  readonly changeSet: string | undefined
}

export interface MergePreview {
  /** The survivor as it would be. */
  readonly data: RecordJson
  readonly moved: readonly MovedRelation[]
  /** Why it cannot be done; nothing when it can. */
  readonly blockers: readonly SocleError[]
}

/** All that is decided before anything is written. */
interface Plan {
  readonly survivor: RecordJson
  readonly others: readonly RecordJson[]
  readonly values: ReadonlyMap<string, unknown>
  readonly chosen: Readonly<Record<string, string>>
  readonly options: WriteOptions
}

export const mostMerged = 20

/**
 * Makes one record of 2 to 20: the survivor takes the chosen values and all that points at the others, which end. One
 * change set holds all of it, and `unmerge` takes it back.
 *
 * @throws `PERMISSION_DENIED` without `<resource>.merge`; `RECORD_NOT_FOUND`, `RECORD_MERGED`, `VERSION_CONFLICT`;
 * `RELATION_UNMAPPED`, `MERGE_BLOCKED` and what guards refuse of the survivor's new values
 */
export async function mergeRecords(
  scope: EngineScope,
  resource: Resource,
  request: MergeRequest,
): Promise<MergeAnswer> {
  const plan = await planOf(scope, resource, request)
  await refuseUnmapped(scope, resource)
  return readable(scope, resource, await apply(scope, wholeOf(scope, resource), plan))
}

/** The resource with what plugins that are off here keep beside its records: it goes to the one that stays, too. */
const wholeOf = (scope: EngineScope, { id }: Resource): Resource => scope.catalog.whole.of(id)

const readable = (scope: EngineScope, resource: Resource, answer: MergeAnswer): MergeAnswer => ({
  ...answer,
  data: asReadable(scope, resource, answer.data),
})

/** Does all of it and takes it back, so that what it tells is what would happen. */
export async function previewMerge(
  scope: EngineScope,
  resource: Resource,
  request: MergeRequest,
): Promise<MergePreview> {
  const plan = await planOf(scope, resource, request)
  const wanted = { ...plan.survivor, ...Object.fromEntries(plan.values) } as RecordJson
  try {
    await refuseUnmapped(scope, resource)
    return await scope.savepoint(async () => {
      throw new TakenBack(readable(scope, resource, await apply(scope, wholeOf(scope, resource), plan)))
    })
  } catch (error) {
    if (error instanceof TakenBack) {
      const { data, moved } = error.answer
      return { data, moved, blockers: [] }
    }
    if (!(error instanceof SocleError) || error.status >= 500) throw error
    return {
      data: asReadable(scope, resource, wanted),
      moved: await countRelations(scope, resource, plan),
      blockers: [error],
    }
  }
}

class TakenBack extends Error {
  readonly answer: MergeAnswer

  constructor(answer: MergeAnswer) {
    super('A preview leaves nothing behind.')
    this.answer = answer
  }
}

async function planOf(scope: EngineScope, resource: Resource, request: MergeRequest): Promise<Plan> {
  const permission = `${resource.id}.merge`
  if (!scope.ctx.authority.may(permission)) throw permissionDenied({ permission })
  const seen = new Map([request.survivor, ...request.others].map((it) => [it.id.toLowerCase(), it]))
  const { length } = request.others
  if (seen.size !== length + 1 || seen.size < 2 || seen.size > mostMerged) throw mergeSize({ count: seen.size })
  const survivorId = request.survivor.id.toLowerCase()
  const whole = wholeOf(scope, resource)
  const locked = new Map<string, RecordJson>()
  // In one order for everybody, so that two merges of the same records wait instead of blocking each other.
  for (const id of [...seen.keys()].toSorted())
    locked.set(id, await lockRecord(scope, whole, id, id === survivorId ? 'update' : 'delete'))
  // The survivor takes over what the others are and have: more than a share lets anybody change.
  await demandOwnReach(scope, resource, survivorId)
  for (const [id, { version }] of seen) refuseOtherVersion(scope, resource, locked.get(id)!, version)
  const [survivor, ...others] = [...seen.keys()].map((id) => locked.get(id)!) as [RecordJson, ...RecordJson[]]
  const chosen = request.choose ?? {}
  refuseChoices(scope, resource, chosen, seen)
  return {
    survivor,
    others,
    values: valuesOf(whole, survivor, others, chosen),
    chosen,
    options: request.acknowledge ? { acknowledge: request.acknowledge } : {},
  }
}

function refuseOtherVersion(scope: EngineScope, resource: Resource, record: RecordJson, seen: number): void {
  if (record.version === seen) return
  const current = asReadable(scope, resource, record)
  throw versionConflict(
    {
      resource: resource.entity,
      id: record.id,
      fields: nameOf(scope, resource, record),
      yours: seen,
      current: record.version,
    },
    { conflicts: [], current },
  )
}

function refuseChoices(
  scope: EngineScope,
  resource: Resource,
  chosen: Readonly<Record<string, string>>,
  seen: ReadonlyMap<string, Seen>,
): void {
  const read = scope.access(resource, 'read')
  const update = scope.access(resource, 'update')
  for (const [name, id] of Object.entries(chosen)) {
    const field = resource.fields.get(name)
    if (!field || field.readonly || !read.readable(name) || !update.writable(name) || !seen.has(id.toLowerCase()))
      throw mergeChoiceInvalid({ field: name, value: id })
  }
}

/** What the survivor gets: chosen values, and those of the others where it has none. */
function valuesOf(
  resource: Resource,
  survivor: RecordJson,
  others: readonly RecordJson[],
  chosen: Readonly<Record<string, string>>,
): Map<string, unknown> {
  const all = [survivor, ...others]
  const ids = new Set(all.map(({ id }) => id))
  const values = new Map<string, unknown>()
  for (const field of resource.all) {
    const { name } = field
    const choice = chosen[name]?.toLowerCase()
    if (field.readonly || ((name === 'owner' || name === 'team') && choice === undefined)) continue
    const isSelf = field.target === resource.id
    const has = (record: RecordJson) => !isEmpty(record[name]) && !(isSelf && ids.has(String(record[name])))
    const from =
      (choice === undefined ? undefined : all.find(({ id }) => id === choice)) ?? (has(survivor) ? survivor : undefined)
    // A record cannot hang below itself, nor below one that ends.
    const source = from && (!isSelf || has(from)) ? from : all.find(has)
    const value = source ? source[name] : from && !isSelf ? from[name] : null
    if (!sameValue(survivor[name] ?? null, value ?? null)) values.set(name, value ?? null)
  }
  return values
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

async function apply(
  scope: EngineScope,
  resource: Resource,
  { survivor, others, values, chosen, options }: Plan,
): Promise<MergeAnswer> {
  const { ctx } = scope
  const engine = withEveryRight(scope)
  const ended = others.map(({ id }) => id)
  const merge = uuidv7()
  const moved: MovedRelation[] = []
  for (const relation of [...everyRelationTo(scope, resource), ...byPartner(scope, resource)]) {
    const rows = await pointingAt(engine, relation, ended, { target: resource, survivor: survivor.id })
    const colliding = await moveRecords(
      engine,
      relation,
      rows.map((row) => ({ ...row, to: survivor.id })),
    )
    let folded = 0
    for (const { id } of colliding)
      if (await fold(engine, relation.resource, { id, survivor: survivor.id }, options)) folded += 1
    if (rows.length > 0) {
      moved.push({
        resource: relation.resource.id,
        field: relation.field.name,
        count: rows.length - colliding.length,
        folded,
      })
    }
  }
  await movePartnerPeople(engine, resource, { from: ended, to: survivor.id })
  const write = { ...options, internal: true }
  // Before the survivor takes their values: a unique one is free only then.
  for (const { id, version } of others) await deleteRecord(engine, resource, { id, version }, write)
  const before = await lockRecord(engine, resource, survivor.id, 'update')
  const data = await changeLocked(engine, resource, before, values, write)
  const changeSet = scope.openChangeSet()
  await sql`insert into core.merge_operation (id, workspace, resource, survivor, merged, change_set, chosen, moved, at)
    values (${merge}::uuid, ${ctx.workspace.id}::uuid, ${resource.id}, ${survivor.id}::uuid, ${ended}::uuid[], ${changeSet.id}::uuid,
      ${JSON.stringify(chosen)}::jsonb, ${JSON.stringify(moved)}::jsonb, ${ctx.clock.now().toISOString()}::timestamptz)`.execute(
    scope.tx,
  )
  await sql`insert into core.merged_record (workspace, resource, record, survivor, merge)
    select ${ctx.workspace.id}::uuid, ${resource.id}, id, ${survivor.id}::uuid, ${merge}::uuid from unnest(${ended}::uuid[]) id`.execute(
    scope.tx,
  )
  await moveLinks(engine, resource, { merge, from: ended, to: survivor.id })
  await checkDeferred(scope, resource)
  scope.emit({
    name: `${resource.id}.merged`,
    version: 1,
    key: survivor.id,
    payload: { record: survivor.id, merged: ended, merge },
  })
  return { merge, data, merged: ended, moved, changeSet: ctx.changeSet }
}

/** Ends a record whose twin hangs on the survivor already; one in the bin stays where it is. */
async function fold(
  scope: EngineScope,
  resource: Resource,
  { id, survivor }: { readonly id: string; readonly survivor: string },
  options: WriteOptions,
): Promise<boolean> {
  const row = await lockRecord(scope, resource, id, 'delete', { internal: true })
  if (row['deletedAt'] !== null) return false
  await deleteRecord(scope, resource, { id, version: row.version }, { ...options, internal: true })
  await resource.options.folded?.(row, survivor, scope.ctx)
  return true
}

async function countRelations(
  scope: EngineScope,
  resource: Resource,
  { survivor, others }: Plan,
): Promise<MovedRelation[]> {
  const moved: MovedRelation[] = []
  const engine = withEveryRight(scope)
  for (const relation of [...everyRelationTo(scope, resource), ...byPartner(scope, resource)]) {
    const { length } = await pointingAt(
      engine,
      relation,
      others.map(({ id }) => id),
      { target: resource, survivor: survivor.id },
    )
    if (length > 0) moved.push({ resource: relation.resource.id, field: relation.field.name, count: length, folded: 0 })
  }
  return moved
}

/** One merge a record came out of, as its page tells it. */
export interface MergeEntry {
  readonly id: string
  readonly at: string
  readonly state: 'done' | 'undone'
  readonly actor: string
  readonly changeSet: string
  readonly moved: readonly MovedRelation[]
  /** The records that ended in it, as far as the actor may see them. */
  readonly merged: readonly RecordJson[]
}

/** Merges a record survived, newest first. */
export async function mergesInto(scope: EngineScope, resource: Resource, id: string): Promise<MergeEntry[]> {
  const { rows } = await sql<Omit<MergeEntry, 'merged'> & { merged: string[] }>`
    select m.id, m.at, m.state, s.actor_name as actor, m.change_set as "changeSet", m.moved, to_jsonb(m.merged) as merged
    from core.merge_operation m join core.change_set s on s.id = m.change_set and s.workspace = m.workspace
    where m.workspace = ${scope.ctx.workspace.id}::uuid and m.resource = ${resource.id} and m.survivor = ${id}::uuid
    order by m.at desc, m.id desc limit 50`.execute(scope.tx)
  const shown = await recordsByIds(
    scope,
    resource.id,
    rows.flatMap(({ merged }) => merged),
  )
  return rows.map((row) => ({ ...row, merged: row.merged.flatMap((it) => (shown[it] ? [shown[it]] : [])) }))
}
