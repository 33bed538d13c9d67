import { sql, type RawBuilder } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { isDatabaseError, ruleOf } from '../../database/database-error.ts'
import { duplicateKeysOf, putKeys } from '../duplicates/keys.ts'
import { fieldValue } from '../field-value.ts'
import type { FieldModel } from '../model.ts'
import { columnsOf, tableOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import { readerColumn } from '../reader.ts'
import { databaseRefusal } from '../refusals.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import type { SideColumn } from '../sides/side.ts'
import { ledgerHead } from '../ledger-head.ts'
import { mergeBlocked } from './errors.ts'
import type { Relation } from './relations.ts'

/** One record whose reference changes from one record to another. */
export interface Move {
  readonly id: string
  readonly from: string
  /** Null where it is to point nowhere. */
  readonly to: string | null
}

/** Rows of a statement; each comes with its ledger entry. */
const chunkSize = 500

/** Records beside the merged ones that point at those that end, deleted ones too, held until the unit ends. */
export async function pointingAt(
  scope: EngineScope,
  { resource, field, pair }: Relation,
  targets: readonly string[],
  { target, survivor }: { readonly target: Resource; readonly survivor: string },
): Promise<readonly { id: string; from: string }[]> {
  const value = fieldValue(field, 't')
  const held = sql<{ id: string; from: string }>`
    select t.id, ${value} as "from" from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and ${value} = any(${[...targets]}::uuid[])
      ${pair ? sql`and ${fieldValue(pair, 't')} = ${target.id}` : sql``}
      ${resource.id === target.id ? sql`and t.id <> all(${[survivor, ...targets]}::uuid[])` : sql``}
    order by t.id for update of t`
  // What stands beside a row that had to be waited for is seen once it is held.
  if (field.side) await held.execute(scope.tx)
  return (await held.execute(scope.tx)).rows
}

/**
 * Points records elsewhere: rows, versions, ledger entries and events in one statement for some hundred of them.
 *
 * This is the write path's form for references only: who a record belongs to changes, not what it says, so its guards
 * are not asked — an issued invoice follows its account, too. What the database refuses stays refused.
 *
 * @returns the moves that would have put two where only one may be, such as the same contact twice on an account
 * @throws `MERGE_BLOCKED` (409) for any other refusal
 */
export async function moveRecords(scope: EngineScope, relation: Relation, moves: readonly Move[]): Promise<Move[]> {
  const colliding: Move[] = []
  for (let start = 0; start < moves.length; start += chunkSize)
    colliding.push(...(await moveWhatFits(scope, relation, moves.slice(start, start + chunkSize))))
  const collided = new Set(colliding.map(({ id }) => id))
  await refresh(
    scope,
    relation,
    moves.filter(({ id }) => !collided.has(id)).map(({ id }) => id),
  )
  return colliding
}

/** Halves a chunk that collides until the colliding rows stand alone. */
async function moveWhatFits(scope: EngineScope, relation: Relation, moves: readonly Move[]): Promise<readonly Move[]> {
  if (moves.length === 0) return []
  try {
    await scope.savepoint(() => moveTogether(scope, relation, moves))
    return []
  } catch (error) {
    const isCollision = isDatabaseError(error) && (error.code === '23505' || error.code === '23P01')
    if (!isCollision) throw asBlocked(scope, relation.resource, error)
    if (moves.length === 1) return moves
  }
  const middle = moves.length >> 1
  const first = await moveWhatFits(scope, relation, moves.slice(0, middle))
  return [...first, ...(await moveWhatFits(scope, relation, moves.slice(middle)))]
}

async function moveTogether(scope: EngineScope, relation: Relation, moves: readonly Move[]): Promise<void> {
  const { resource, field } = relation
  const { ctx } = scope
  const workspace = ctx.workspace.id
  const at = ctx.clock.now().toISOString()
  const by = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  const changeSet = scope.openChangeSet()
  const { rows } = await sql<{ id: string; version: number; to: string | null }>`
    with ${changeSet.isNew ? sql`${ledgerHead(scope, changeSet.id)},` : sql``}
    moving as (
      select * from unnest(${moves.map(({ id }) => id)}::uuid[], ${moves.map(({ from }) => from)}::uuid[],
        ${moves.map(({ to }) => to)}::uuid[], ${moves.map(() => uuidv7())}::uuid[]) as m (id, was, target, change)),
    moved as (
      update ${tableOf(resource, 't')}
      set ${field.side ? sql`` : sql`${assign(field)}, `}version = t.version + 1, updated_at = ${at}::timestamptz, updated_by = ${by}::uuid
      from moving m where t.workspace = ${workspace}::uuid and t.id = m.id
      returning t.id, t.version, m.was, m.target, m.change, ${saysWhose(relation) ? sql`null::uuid` : readerColumn(resource, 't')} as reader)${field.side ? sql`, ${movedBeside(field.side, workspace)}` : sql``},
    entry as (
      insert into core.change (id, workspace, change_set, resource, record, action, version, fields, acknowledged, at, reader)
      select change, ${workspace}::uuid, ${changeSet.id}::uuid, ${resource.id}, id, 'update', version,
        jsonb_build_object(${field.name}::text, jsonb_build_array(was, target)), '{}', ${at}::timestamptz, reader
      from moved order by change)
    select id, version, target as "to" from moved`.execute(scope.tx)
  for (const { id, version, to } of rows) {
    scope.emit({
      name: `${resource.id}.updated`,
      version: 1,
      key: id,
      payload: { record: id, version, changed: [field.name] },
      // Its own row lock keeps its events in order; a lock for each of thousands would exhaust the server's.
      ...(to === null ? {} : { lock: to }),
    })
    scope.signal({ resource: resource.id, id, action: 'update', version })
  }
}

/** Whether the records come from one partner to another with the field: the change names both, and is for neither. */
function saysWhose({ resource, field }: Pick<Relation, 'resource' | 'field'>): boolean {
  return resource.partner?.field === field.name
}

function movedBeside({ schema, table, column }: SideColumn, workspace: string): RawBuilder<unknown> {
  return sql`beside as (
      update ${sql.table(`${schema}.${table}`)} as b set ${sql.ref(column)} = moved.target
      from moved where b.workspace = ${workspace}::uuid and b.record = moved.id)`
}

function assign({ name, column }: FieldModel): RawBuilder<unknown> {
  return column === 'custom'
    ? sql`custom = jsonb_set(t.custom, array[${name}]::text[], to_jsonb(m.target))`
    : sql`${sql.ref(column)} = m.target`
}

/** What is kept beside a record and says where it belongs: its words in the search, its keys among the duplicates. */
async function refresh(scope: EngineScope, { resource, field }: Relation, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const isHanded = saysWhose({ resource, field })
  if (resource.search.length > 0 && (isHanded || resource.search.some((path) => path.startsWith(`${field.name}.`))))
    await reindex(scope, resource, ids)
  const keys = duplicateKeysOf(scope, resource)
  if (keys.length === 0 || !(isHanded || keys.some(({ fields }) => fields.flat().includes(field.name)))) return
  for (let start = 0; start < ids.length; start += chunkSize) {
    const { rows } = await sql<RecordJson>`
      select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')}
      where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${ids.slice(start, start + chunkSize)}::uuid[])
        and t.deleted_at is null`.execute(scope.tx)
    await putKeys(scope, resource, rows)
  }
}

/** Gives records their words in the search anew. */
export async function reindex(scope: EngineScope, resource: Resource, ids: readonly string[]): Promise<void> {
  const workspace = scope.ctx.workspace.id
  const own = resource.search.flatMap((path) => {
    const field = resource.fields.get(path)
    return field ? [sql`${fieldValue(field, 't')}::text`] : []
  })
  const pointed = resource.search.flatMap((path) => {
    const [name = '', inner] = path.split('.')
    const field = resource.fields.get(name)
    if (!field || inner === undefined) return []
    const target = scope.catalog.get(field.target ?? '')
    const word = target?.fields.get(inner)
    if (!target || !word) return []
    return [
      sql`(select ${fieldValue(word, 'o')}::text from ${tableOf(target, 'o')} where o.workspace = ${workspace}::uuid and o.id = ${fieldValue(field, 't')})`,
    ]
  })
  const title = resource.fields.get(resource.title)
  await sql`
    select core.search_put(${resource.id}, (
      select jsonb_agg(jsonb_build_object('record', t.id, 'owner', t.owner, 'team', t.team, 'reader', ${readerColumn(resource, 't')},
        'title', ${title ? sql`coalesce(${fieldValue(title, 't')}::text, '')` : sql`''`},
        'words', concat_ws(' ', ${sql.join([sql`''`, ...own])}), 'pointed', concat_ws(' ', ${sql.join([sql`''`, ...pointed])})))
      from ${tableOf(resource, 't')}
      where t.workspace = ${workspace}::uuid and t.id = any(${[...ids]}::uuid[]) and t.deleted_at is null))`.execute(
    scope.tx,
  )
}

/** What the database checks only at the end, checked while its refusal can still be told as one. */
export async function checkDeferred(scope: EngineScope, resource: Resource): Promise<void> {
  try {
    await sql`select core.check_deferred()`.execute(scope.tx)
  } catch (error) {
    throw asBlocked(scope, resource, error)
  }
}

function asBlocked(scope: EngineScope, resource: Resource, error: unknown): unknown {
  if (!isDatabaseError(error) || !databaseRefusal(scope, resource, {}, error)) return error
  return mergeBlocked({ what: resource.id, reason: ruleOf(error) })
}
