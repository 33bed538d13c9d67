import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { isCollision } from '../database/collision.ts'
import type { FieldFault, SocleError } from '../errors.ts'
import type { Emission } from '../events/event.ts'
import { telling } from '../events/outbox.ts'
import { SocleError as Refusal } from '../errors.ts'
import { fieldNotWritable, notYourPartner, permissionDenied, sharedNotOwned } from '../permissions/errors.ts'
import type { ResourceAction } from '../permissions/authority.ts'
import { systemAuthority } from '../permissions/system-authority.ts'
import type { GuardedWrite } from './define-resource.ts'
import { recordNotFound, validationFailed, versionConflict, versionRequired, warningNotAcknowledged } from './errors.ts'
import { changesSince } from './changes.ts'
import { duplicateSuspected } from './duplicates/errors.ts'
import { nothingAlike, warnOfDuplicates } from './duplicates/find.ts'
import { changedKeys, duplicateKeysOf, type KeyValue } from './duplicates/keys.ts'
import { settleLinks } from './gone-targets.ts'
import { customOf, customWith, giveNumbers, missingOwnValues } from './fields/own-values.ts'
import { refuseMerged, survivorOf } from './merge/merged.ts'
import { namedFault } from './labels.ts'
import { ledgerHead } from './ledger-head.ts'
import { quoted, wide } from './field-value.ts'
import type { FieldModel } from './model.ts'
import { nextNumber } from './numbers.ts'
import { oneByOne } from './one-by-one.ts'
import { belongingOf, ownReach, refuseTaking } from './own-reach.ts'
import { tableOf } from './past.ts'
import { asReadable, columnsOf, demandAction } from './read.ts'
import type { RecordJson, WriteOptions } from './records.ts'
import { readerOf, readerOfChange } from './reader.ts'
import { systemFields, type Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { keptSides } from './sides/rows.ts'
import { searchTexts } from './search.ts'
import { databaseRefusal } from './refusals.ts'
import { isUuid, parseValue, requiredFault, sameValue } from './values.ts'

export type WriteAction = GuardedWrite['action']

/** What one write is about to do, all of it checked. */
interface PreparedWrite {
  readonly before: RecordJson | undefined
  readonly after: Record<string, unknown>
  readonly changed: ReadonlyMap<string, readonly [old: unknown, next: unknown]>
  /** Codes of the warnings that were read and passed over. */
  readonly acknowledged: readonly string[]
  /** Holds where nobody need be warned; else nothing is written before they are. */
  readonly unlike?: RawBuilder<SqlBool> | undefined
}

/** Values a caller may send beside the fields: they steer the write. */
const steering = new Set(['id', 'version', 'acknowledge', 'allowDuplicate'])

/** @throws `PERMISSION_DENIED`, `VALIDATION_FAILED`, whatever a guard refuses, `DUPLICATE_SUSPECTED`, `VALUE_TAKEN` */
export async function createRecord(
  scope: EngineScope,
  resource: Resource,
  input: Readonly<Record<string, unknown>>,
  options: WriteOptions = {},
): Promise<RecordJson> {
  const [record] = await createDrafts(scope, resource, [draftOf(scope, resource, input, options)])
  return record!
}

/**
 * Makes several records in their order, several to a statement where no guard minds.
 *
 * @throws what `createRecord` throws for the first that is refused; then none is to be kept, so call it in a part of its own
 */
export async function createRecords(
  scope: EngineScope,
  resource: Resource,
  inputs: readonly Input[],
  options: WriteOptions = {},
): Promise<RecordJson[]> {
  const records: RecordJson[] = []
  for (const group of groupsOf(scope, resource, inputs, options)) {
    const drafts = group.map((input) => draftOf(scope, resource, input, options))
    const made = await together(scope, resource, drafts)
    if (made) records.push(...made)
    else for (const draft of drafts) records.push(...(await createDrafts(scope, resource, [draft.again()])))
  }
  return records
}

/** The same where each stands alone: what was refused is undone, and its refusal stands in its place. */
export async function createEach(
  scope: EngineScope,
  resource: Resource,
  inputs: readonly Input[],
  options: WriteOptions = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const group of groupsOf(scope, resource, inputs, options)) {
    const drafts = group.map((input) => {
      try {
        return draftOf(scope, resource, input, options)
      } catch (error) {
        return { error }
      }
    })
    const sound = drafts.filter((draft): draft is Draft => !('error' in draft))
    const made = await together(scope, resource, sound)
    for (const draft of drafts) {
      if ('error' in draft) outcomes.push(draft)
      else if (made) outcomes.push({ record: made[sound.indexOf(draft)]! })
      else {
        try {
          const [record] = await scope.savepoint(() => createDrafts(scope, resource, [draft.again()]))
          outcomes.push({ record: record! })
        } catch (error) {
          if (isCollision(error)) throw error
          outcomes.push({ error })
        }
      }
    }
  }
  return outcomes
}

type Input = Readonly<Record<string, unknown>>

/** What one of several came to. */
export type Outcome = { readonly record: RecordJson } | { readonly error: unknown }

/** New records in one statement: enough to spare the round trips, few enough to be tried again one by one. */
const mostTogether = 100

function groupsOf(
  scope: EngineScope,
  resource: Resource,
  inputs: readonly Input[],
  options: WriteOptions,
): readonly (readonly Input[])[] {
  const guards = scope.guards(resource).filter(({ actions }) => actions.includes('create'))
  // Where people are warned of likely duplicates, they are of those just made, too.
  const apart = asksAboutDuplicates(scope, resource, options) || !guards.every(({ independent }) => independent)
  const size = apart ? 1 : mostTogether
  return Array.from({ length: Math.ceil(inputs.length / size) }, (_, nth) => inputs.slice(nth * size, (nth + 1) * size))
}

/** All of them at once; undefined when they are refused, for then each must say what is wrong with it. */
async function together(
  scope: EngineScope,
  resource: Resource,
  drafts: readonly Draft[],
): Promise<RecordJson[] | undefined> {
  if (drafts.length < 2) return undefined
  try {
    return await scope.savepoint(() => createDrafts(scope, resource, drafts))
  } catch (error) {
    if (isCollision(error)) throw error
    return undefined
  }
}

/** Nobody could answer the warnings of the platform's own writes. */
function asksAboutDuplicates(
  scope: EngineScope,
  resource: Resource,
  { duplicates, acknowledge }: WriteOptions,
): boolean {
  return (
    duplicates !== 'checked' &&
    !acknowledge?.includes(duplicateSuspected.code) &&
    scope.ctx.authority !== systemAuthority &&
    duplicateKeysOf(scope, resource).length > 0
  )
}

async function createDrafts(scope: EngineScope, resource: Resource, drafts: readonly Draft[]): Promise<RecordJson[]> {
  await lookAhead(scope, resource, drafts)
  const writes: PreparedWrite[] = []
  for (const draft of drafts) writes.push(await prepareCreate(scope, resource, draft))
  const records = await keep(scope, resource, 'create', writes)
  await mustBeWithin(scope, resource, records)
  return records.map((record) => asReadable(scope, resource, record))
}

/** A record about to be made, its values checked one by one. */
interface Draft {
  readonly sent: ReadonlySet<string>
  readonly after: Record<string, unknown>
  readonly options: WriteOptions
  /** As it was before guards had their say. */
  again(): Draft
}

function draftOf(scope: EngineScope, resource: Resource, input: Input, given: WriteOptions): Draft {
  demandAction(scope, resource, 'create')
  const { ctx } = scope
  const { acknowledge = [] } = given
  const options =
    input['allowDuplicate'] === true ? { ...given, acknowledge: [...acknowledge, duplicateSuspected.code] } : given
  const values = checkValues(scope, resource, input, options, 'create')
  const id = input['id'] === undefined ? uuidv7() : input['id']
  if (!isUuid(id))
    throw oneFault({
      path: '/id',
      code: 'TYPE',
      detail: `"${String(id).slice(0, 60)}" is not a UUID; leave it out, or send one made by you.`,
      values: { expected: 'uuid', value: String(id).slice(0, 60) },
    })
  const now = ctx.clock.now().toISOString()
  const user = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  const after: Record<string, unknown> = {
    id: id.toLowerCase(),
    version: 1,
    owner: user,
    team: ctx.authority.homeTeam ?? null,
    ...Object.fromEntries(resource.defaults),
    ...(ctx.partners && resource.partner?.of === 'partner' ? { [resource.partner.field]: ctx.partners[0] } : {}),
    ...Object.fromEntries(values),
    createdAt: now,
    updatedAt: now,
    createdBy: user,
    updatedBy: user,
    deletedAt: null,
  }
  const fresh = (): Draft => ({ sent: new Set(values.keys()), after: { ...after }, options, again: fresh })
  return fresh()
}

async function prepareCreate(
  scope: EngineScope,
  resource: Resource,
  { sent, after, options }: Draft,
): Promise<PreparedWrite> {
  // Before guards, which name what they find: what is sent must be within reach. And again for what they set.
  await referencesExist(scope, resource, after, sent)
  for (const [field, kind] of Object.entries(resource.options.numbered ?? {})) {
    after[field] ??= await nextNumber(scope, kind)
  }
  await giveNumbers(scope, resource, after)
  await guard(scope, resource, 'create', undefined, after, options)
  missingValues(scope, resource, undefined, after)
  refuseForeign(scope, resource, after)
  await referencesExist(scope, resource, after, new Set(Object.keys(after)))
  const asks = asksAboutDuplicates(scope, resource, options)
  const unlike = asks ? nothingAlike(scope, resource, after) : undefined
  if (asks && !unlike) await warnOfDuplicates(scope, resource, after)
  const changed = new Map<string, [unknown, unknown]>()
  for (const { name } of resource.all) {
    if (after[name] !== undefined && after[name] !== null && !bookkeeping.has(name))
      changed.set(name, [null, after[name]])
  }
  return { before: undefined, after, changed, acknowledged: options.acknowledge ?? [], unlike }
}

/** @throws beside `createRecord`'s: `RECORD_NOT_FOUND`, `VERSION_REQUIRED`, `VERSION_CONFLICT` */
export async function updateRecord(
  scope: EngineScope,
  resource: Resource,
  target: { id: string; version: number },
  input: Readonly<Record<string, unknown>>,
  options: WriteOptions = {},
): Promise<RecordJson> {
  const before = await lockRecord(scope, resource, target.id, 'update', options)
  const values = checkValues(scope, resource, input, options, 'update')
  await settleVersions(scope, resource, before, target.version, values)
  return change(scope, resource, 'update', before, values, options)
}

/** Changes a record that is already locked. */
export async function changeLocked(
  scope: EngineScope,
  resource: Resource,
  before: RecordJson,
  values: ReadonlyMap<string, unknown>,
  options: WriteOptions,
): Promise<RecordJson> {
  return change(scope, resource, 'update', before, values, options)
}

export async function deleteRecord(
  scope: EngineScope,
  resource: Resource,
  target: { id: string; version: number },
  options: WriteOptions = {},
): Promise<void> {
  const before = await lockRecord(scope, resource, target.id, 'delete', options)
  await settleVersions(scope, resource, before, target.version, new Map())
  if (before.version !== target.version) {
    throw conflict(scope, resource, before, target.version, [])
  }
  await settleLinks(scope, resource, before.id)
  await change(
    scope,
    resource,
    'delete',
    before,
    new Map([['deletedAt', scope.ctx.clock.now().toISOString()]]),
    options,
  )
}

export async function restoreRecord(
  scope: EngineScope,
  resource: Resource,
  id: string,
  options: WriteOptions = {},
): Promise<RecordJson> {
  const before = await lockRecord(scope, resource, id, 'restore', { ...options, internal: true })
  if (before['deletedAt'] === null) return asReadable(scope, resource, before)
  await refuseMerged(scope, resource, id)
  // Nor beside a survivor that is out of the actor's reach.
  if ((await survivorOf(scope, resource, id)) !== undefined) throw recordNotFound({ resource: resource.entity, id })
  return change(scope, resource, 'restore', before, new Map([['deletedAt', null]]), options)
}

/** Loads the whole record and holds it until the unit ends; alike for an absent and an invisible one. */
export async function lockRecord(
  scope: EngineScope,
  resource: Resource,
  id: string,
  action: ResourceAction,
  options: WriteOptions = {},
): Promise<RecordJson> {
  const read = scope.access(resource, 'read')
  const access = scope.access(resource, action)
  if (!isUuid(id)) throw recordNotFound({ resource: resource.entity, id })
  // What stands beside the record is seen as of the statement's beginning, also where the row itself was waited for.
  const settled =
    resource.sides.length === 0
      ? sql`true`
      : sql`t.version = (select began.version from ${tableOf(resource, 'began')} where began.workspace = t.workspace and began.id = t.id)`
  const { rows } = await sql<RecordJson & { _may: boolean; _seen: boolean; _settled: boolean }>`
    select ${columnsOf(resource.all, 't')}, ${access.where('t')} as "_may", ${read.where('t')} as "_seen", ${settled} as "_settled"
    from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${id}::uuid
    for update of t`.execute(scope.tx)
  const [row] = rows
  if (row?._settled === false) return lockRecord(scope, resource, id, action, options)
  const gone = row?.['deletedAt'] !== null && action !== 'restore' && options.internal !== true
  if (row?._seen && read.allowed && gone) await refuseMerged(scope, resource, id)
  if (!row || !read.allowed || !row._seen || gone) throw recordNotFound({ resource: resource.entity, id })
  if (!access.allowed || !row._may) throw permissionDenied({ permission: `${resource.id}.${action}` })
  const { _may, _seen, _settled, ...record } = row
  return record as RecordJson
}

async function change(
  scope: EngineScope,
  resource: Resource,
  action: WriteAction,
  before: RecordJson,
  values: ReadonlyMap<string, unknown>,
  options: WriteOptions,
): Promise<RecordJson> {
  const after: Record<string, unknown> = { ...before, ...Object.fromEntries(values) }
  const touched = differences(resource, before, after)
  const { readable } = scope.access(resource, 'read')
  // Of a value that is hidden from who writes it, a version that stays would tell that it stood there before.
  const unseen =
    action === 'update' ? [...values.keys()].filter((name) => !systemFields.has(name) && !readable(name)) : []
  if (touched.size === 0 && unseen.length === 0) return asReadable(scope, resource, before)
  await referencesExist(scope, resource, after, new Set(touched.keys()))
  await guard(scope, resource, action, before, after, { ...options, unseen })
  if (action !== 'delete') missingValues(scope, resource, before, after)
  refuseForeign(scope, resource, after)
  // Asked only where something is shared with the actor: nobody else has what is not theirs by a grant.
  const isLent = action === 'update' && scope.access(resource, 'update').shared !== undefined
  const reach = isLent ? await ownReach(scope, resource, before.id) : undefined
  const belonging = belongingOf(resource)
  // By whoever asks or by a guard that follows from it: both are the actor's doing.
  if (
    reach?.update === false &&
    differences(resource, before, after)
      .keys()
      .some((name) => belonging.has(name))
  )
    throw sharedNotOwned({ resource: resource.entity, id: before.id })
  await referencesExist(scope, resource, after, new Set(differences(resource, before, after).keys()))
  // After the references: an id that was merged has become its survivor's.
  const changed = differences(resource, before, after)
  // And so would a ledger without it: to who takes it back, writes over an older version or hears what was changed.
  for (const name of unseen) if (!changed.has(name)) changed.set(name, [before[name] ?? null, after[name] ?? null])
  if (changed.size === 0) return asReadable(scope, resource, before)
  after['version'] = before.version + 1
  after['updatedAt'] = scope.ctx.clock.now().toISOString()
  after['updatedBy'] = scope.ctx.actor.type === 'user' ? (scope.ctx.actor.id ?? null) : null
  const write = { before, after, changed, acknowledged: options.acknowledge ?? [] }
  const [record] = await keep(scope, resource, action, [write])
  if (reach) await refuseTaking(scope, resource, before.id, reach)
  return asReadable(scope, resource, record!)
}

/** Set by the engine itself, so neither part of a diff nor of a conflict. */
const bookkeeping: ReadonlySet<string> = new Set(['id', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy'])

function differences(
  resource: Resource,
  before: RecordJson,
  after: Readonly<Record<string, unknown>>,
): Map<string, [unknown, unknown]> {
  const changed = new Map<string, [unknown, unknown]>()
  for (const { name } of resource.all) {
    if (!bookkeeping.has(name) && !sameValue(before[name], after[name]))
      changed.set(name, [before[name] ?? null, after[name] ?? null])
  }
  return changed
}

function checkValues(
  scope: EngineScope,
  resource: Resource,
  input: Readonly<Record<string, unknown>>,
  options: WriteOptions,
  action: 'create' | 'update',
): Map<string, unknown> {
  const access = scope.access(resource, action)
  const faults: FieldFault[] = []
  const values = new Map<string, unknown>()
  for (const [name, value] of Object.entries(input)) {
    if (steering.has(name)) continue
    const field = resource.fields.get(name)
    if (!field) {
      faults.push({
        path: `/${name}`,
        code: 'FIELD_UNKNOWN',
        detail: `${resource.id} has no field "${name}". Its fields are in the API reference.`,
        values: { resource: resource.id, field: name },
      })
      continue
    }
    const closed = (field.readonly && options.internal !== true) || !access.writable(name)
    if (closed) throw fieldNotWritable({ resource: resource.id, field: name })
    // Whether one of the workspace's own must have a value may hang on others: it is judged when all are known.
    const parsed = parseValue(field.custom ? { ...field, required: false } : field, value)
    if (parsed.ok) values.set(name, parsed.value)
    else faults.push({ path: `/${name}`, ...namedFault(scope.ctx, resource.id, field, parsed.fault) })
  }
  refuseFaults(faults)
  return values
}

function missingValues(
  scope: EngineScope,
  resource: Resource,
  before: RecordJson | undefined,
  after: Readonly<Record<string, unknown>>,
): void {
  const lacks = (record: Readonly<Record<string, unknown>>, name: string) =>
    record[name] === undefined || record[name] === null
  const faults = resource.all
    .filter(({ name, required, custom }) => required && !custom && lacks(after, name))
    // A record from before its plugin was here stays editable: what it never had is asked for where there is none of it.
    .filter(({ name, side }) => !side || !before || !lacks(before, name))
    .map((field) => namedFault(scope.ctx, resource.id, field, requiredFault(field.name)))
  refuseFaults([...faults, ...missingOwnValues(scope, resource, before, after)])
}

export function refuseFaults(faults: readonly FieldFault[]): void {
  const [first] = faults
  if (first) throw validationFailed({ count: faults.length, first: first.detail }, { errors: faults })
}

function oneFault(fault: FieldFault): SocleError {
  return validationFailed({ count: 1, first: fault.detail }, { errors: [fault] })
}

/**
 * Lets an older version through when it touches other fields than those changed since, and refuses it otherwise.
 *
 * @throws `VERSION_REQUIRED` (428), `VERSION_CONFLICT` (409) with base, mine and theirs for each field
 */
export async function settleVersions(
  scope: EngineScope,
  resource: Resource,
  current: RecordJson,
  seen: number,
  values: ReadonlyMap<string, unknown>,
): Promise<void> {
  if (!Number.isInteger(seen)) throw versionRequired({ resource: resource.entity, id: current.id })
  if (seen === current.version) return
  if (seen > current.version || seen < 1) throw conflict(scope, resource, current, seen, [])
  const { bases, isWhole } = await changesSince(scope, resource, current, seen)
  // Which fields were changed is not to be known: any of them may be one that is written here.
  if (!isWhole) throw conflict(scope, resource, current, seen, [])
  const { readable } = scope.access(resource, 'read')
  // A clash that is told of one hidden value and not of another would tell which stands there.
  const isHidden = (name: string) => !systemFields.has(name) && !readable(name)
  const clashes = [...values]
    .filter(([name, mine]) => bases.has(name) && (isHidden(name) || !sameValue(mine, current[name])))
    .map(([name, mine]) => ({ field: name, base: bases.get(name) ?? null, mine, theirs: current[name] ?? null }))
  if (clashes.length > 0) throw conflict(scope, resource, current, seen, clashes)
}

function conflict(
  scope: EngineScope,
  resource: Resource,
  current: RecordJson,
  seen: number,
  clashes: readonly { field: string; base: unknown; mine: unknown; theirs: unknown }[],
): SocleError {
  const access = scope.access(resource, 'read')
  const readable = clashes.filter(({ field }) => systemFields.has(field) || access.readable(field))
  return versionConflict(
    {
      resource: resource.entity,
      id: current.id,
      fields: readable.map(({ field }) => field).join(', ') || 'The record',
      yours: seen,
      current: current.version,
    },
    { conflicts: readable, current: asReadable(scope, resource, current) },
  )
}

/** Asks the guards of the resource, the core's and every enabled plugin's; what they set is part of the write. */
async function guard(
  scope: EngineScope,
  resource: Resource,
  action: WriteAction,
  before: RecordJson | undefined,
  after: Record<string, unknown>,
  { acknowledge, unseen = [] }: Pick<WriteOptions, 'acknowledge'> & { readonly unseen?: readonly string[] },
): Promise<void> {
  for (const { actions, check } of scope.guards(resource)) {
    if (!actions.includes(action)) continue
    const changed = before
      ? new Set([...differences(resource, before, after).keys(), ...unseen])
      : new Set(Object.keys(after).filter((name) => !bookkeeping.has(name) && after[name] !== null))
    await check(
      {
        action,
        before,
        record: after as RecordJson,
        changed,
        set(name, value) {
          const field = resource.fields.get(name)
          if (!field) throw new Error(`A guard of ${resource.id} set "${name}", which is not a field.`)
          const parsed = parseValue({ ...field, required: false }, value)
          if (!parsed.ok)
            throw oneFault({ path: `/${name}`, ...namedFault(scope.ctx, resource.id, field, parsed.fault) })
          after[name] = parsed.value
        },
        warn(error) {
          if (acknowledge?.includes(error.code)) return
          const extras = error instanceof Refusal ? error.extras : {}
          throw warningNotAcknowledged(
            { code: error.code, sentence: error.message },
            { ...extras, warning: error.code },
          )
        },
      },
      scope.ctx,
    )
  }
}

/** Nobody deletes or merges people and teams as records are. */
const people: ReadonlySet<string> = new Set(['core.user', 'core.team'])

// Until this unit ends nobody can delete or merge it: a merge waits and then finds who points at it, or is waited for and
// the reference follows to the survivor. A foreign key holds its target too, but looks at neither.
const held = sql`for key share of t`

/** What a reference must be looked up in; undefined where it needs no looking up, or nothing more. */
function targetToFind(
  scope: EngineScope,
  field: FieldModel,
  value: string,
  record: Readonly<Record<string, unknown>>,
): Resource | undefined {
  const id = field.targetIn === undefined ? field.target : record[field.targetIn]
  if (typeof id !== 'string' || field.name === 'id' || bookkeeping.has(field.name)) return undefined
  const target = scope.catalog.get(id)
  if (!target || !scope.exists(target)) return undefined
  // The engine itself puts the actor and its team there.
  if (field.name === 'owner' && value === scope.ctx.actor.id) return undefined
  if (field.name === 'team' && value === scope.ctx.authority.homeTeam) return undefined
  return scope.found.has(`${target.id} ${value}`) ? undefined : target
}

/** Looks up at once what several records refer to; what is not there is left to the record that says so. */
async function lookAhead(scope: EngineScope, resource: Resource, drafts: readonly Draft[]): Promise<void> {
  if (drafts.length < 2) return
  const wanted = new Map<Resource, Set<string>>()
  for (const { after, sent } of drafts) {
    for (const field of resource.all) {
      const value = after[field.name]
      const target = sent.has(field.name) && isUuid(value) ? targetToFind(scope, field, value, after) : undefined
      if (target) wanted.set(target, (wanted.get(target) ?? new Set()).add(value as string))
    }
  }
  for (const [target, ids] of wanted) {
    const access = scope.access(target, 'read')
    if (!access.allowed) continue
    const { rows } = await sql<{ id: string }>`
      select t.id from ${oneByOne(
        [...ids].toSorted(),
        'uuid',
        sql`select t.id from ${tableOf(target, 't')}
          where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = given.key and t.deleted_at is null and ${access.where('t')}`,
        people.has(target.id) ? {} : { locking: held },
      )}`.execute(scope.tx)
    for (const { id } of rows) scope.found.add(`${target.id} ${id}`)
  }
}

/**
 * A reference to a record that is absent, deleted or out of reach is refused alike, so that it tells nothing. One to a
 * record that was merged becomes one to its survivor.
 */
async function referencesExist(
  scope: EngineScope,
  resource: Resource,
  after: Record<string, unknown>,
  names: ReadonlySet<string>,
): Promise<void> {
  const faults: FieldFault[] = []
  for (const field of resource.all) {
    const value = after[field.name]
    if (!names.has(field.name) || !isUuid(value)) continue
    const target = targetToFind(scope, field, value, after)
    if (!target && field.onTargetGone !== undefined && !isThereToo(scope, field)) faults.push(asleepFault(scope, field))
    if (!target) continue
    const access = scope.access(target, 'read')
    const isThere = async (wanted: string) =>
      access.allowed &&
      (
        await sql`
          select 1 from ${tableOf(target, 't')}
          where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${wanted}::uuid and t.deleted_at is null and ${access.where('t')}
          ${people.has(target.id) ? sql`` : held}`.execute(scope.tx)
      ).rows.length > 0
    if (await isThere(value)) {
      scope.found.add(`${target.id} ${value}`)
      continue
    }
    const survivor = await survivorOf(scope, target, value)
    if (survivor !== undefined && (await isThere(survivor))) {
      after[field.name] = survivor
      scope.found.add(`${target.id} ${survivor}`)
    }
    // What any resource's record may stand in, its own guard has looked up.
    else if (field.targetIn === undefined) {
      faults.push({
        path: `/${field.name}`,
        code: 'REFERENCE_UNKNOWN',
        detail: `There is no ${target.entity} "${value}" that you may see for ${field.name}.`,
        values: { resource: scope.ctx.t(`${target.id}.one`), id: value },
      })
    }
  }
  refuseFaults(faults)
}

const isThereToo = (scope: EngineScope, { target }: FieldModel): boolean => {
  const resource = scope.catalog.get(target ?? '')
  return resource !== undefined && scope.exists(resource)
}

/** Nobody can say whether a record of a module that is off is there. */
function asleepFault(scope: EngineScope, { name, target = '' }: FieldModel): FieldFault {
  const module = scope.moduleTitle(target.split('.')[0] ?? target)
  return {
    path: `/${name}`,
    code: 'LINK_ASLEEP',
    detail: `${name} points at records of ${module}, which is off. Switch it on, or leave the field as it is.`,
    values: { field: name, module },
  }
}

/** A partner's person writes for the partners they stand for, and things of their own; the database holds it too. */
function refuseForeign({ ctx }: EngineScope, resource: Resource, after: Readonly<Record<string, unknown>>): void {
  if (!ctx.partners || !resource.partner) return
  const { field, of } = resource.partner
  const whose = readerOf(resource, after)
  const isTheirs = of === 'partner' ? whose !== null && ctx.partners.includes(whose) : whose === ctx.actor.id
  if (!isTheirs) throw notYourPartner({ resource: resource.entity, field })
}

/** Who may only create records of its own, or under a condition, cannot create others. */
async function mustBeWithin(scope: EngineScope, resource: Resource, records: readonly RecordJson[]): Promise<void> {
  const access = scope.access(resource, 'create')
  if (access.everything) return
  const ids = records.map(({ id }) => id)
  const { rows } = await sql`
    select 1 from ${oneByOne(
      ids,
      'uuid',
      sql`select from ${tableOf(resource, 't')}
        where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = given.key and ${access.where('t')}`,
    )}`.execute(scope.tx)
  if (rows.length < records.length) throw permissionDenied({ permission: `${resource.id}.create` })
}

function columnValue(field: FieldModel, value: unknown): RawBuilder<unknown> {
  if (field.type === 'json') return value === null ? sql`null` : sql`${JSON.stringify(value)}::jsonb`
  return sql`${value ?? null}`
}

/**
 * The rows, their ledger entries, their events with the deliveries and their places in the search table, in one statement:
 * 1.7 times the throughput of several, and nothing of it can stand alone.
 *
 * @param writes - one, or several new records
 */
async function keep(
  scope: EngineScope,
  resource: Resource,
  action: WriteAction,
  writes: readonly PreparedWrite[],
): Promise<RecordJson[]> {
  const { ctx } = scope
  const table = sql.table(`${resource.schema}.${resource.table}`)
  const workspace = ctx.workspace.id
  const changeSet = scope.openChangeSet()
  const head = changeSet.isNew ? sql`, ${ledgerHead(scope, changeSet.id)}` : sql``
  const past = { create: 'created', update: 'updated', delete: 'deleted', restore: 'restored' }[action]
  const events = writes.map(({ after, changed }): Emission => {
    const payload = { record: after['id'], version: Number(after['version']), changed: [...changed.keys()] }
    return { name: `${resource.id}.${past}`, version: 1, key: String(after['id']), payload }
  })
  // A unit's first change is mostly its only one and tells of itself; further ones are told together at its end.
  const told = changeSet.isNew ? scope.tellWithChange(events) : undefined
  const deliveries = told ? sql`, (select ${telling(told)}) as "_deliveries"` : sql``
  const given = await beside(scope, resource, action, writes)
  const hasKeys = duplicateKeysOf(scope, resource).length > 0
  const [first] = writes
  const rows = (unlike: RawBuilder<SqlBool> | undefined) =>
    action === 'create'
      ? insertRows(
          resource,
          table,
          workspace,
          writes.map(({ after }) => after),
          unlike,
        )
      : updateRow(resource, table, workspace, first!)
  const as = resource.sides.length === 0 ? 'kept' : wide('kept')
  const sides = resource.sides.length === 0 ? undefined : keptSides(resource, action, writes, as)
  const write = (unlike?: RawBuilder<SqlBool>) =>
    sql<Record<string, unknown>>`
      with sent as materialized (select ${JSON.stringify(given)}::jsonb as records),
      given as materialized (
        select it.* from sent cross join jsonb_to_recordset(sent.records) as it (entry uuid, record uuid, version integer, fields jsonb,
          acknowledged text[], changed_at timestamptz, change_reader uuid)),
      kept as (${rows(unlike)})${sides?.rows ?? sql``}${head},
      entries as (
        insert into core.change (id, workspace, change_set, resource, record, action, version, fields, acknowledged, at, reader)
        select g.entry, ${workspace}::uuid, ${changeSet.id}::uuid, ${resource.id}, g.record, ${action}, g.version, g.fields, g.acknowledged,
          g.changed_at, g.change_reader
        from given g where exists (select from kept))
      select ${columnsOf(resource.all, as)}${foundAs(resource, action, as, given, hasKeys)}${deliveries}
      from ${sides?.from ?? sql`kept`}`.execute(scope.tx)
  let kept: Map<string, Record<string, unknown>>
  try {
    let result = await write(first?.unlike)
    if (first?.unlike && result.rows.length === 0) {
      await warnOfDuplicates(scope, resource, first.after)
      result = await write()
    }
    kept = new Map(result.rows.map((row) => [String(row['id']), row]))
    if (told) scope.delivering(Number(result.rows[0]?.['_deliveries'] ?? 0))
    else for (const event of events) scope.emit(event)
  } catch (error) {
    // Of several nobody knows which one it was.
    throw (writes.length === 1 && databaseRefusal(scope, resource, first!.after, error)) || error
  }
  return writes.map(({ before, after }) => {
    const id = String(after['id'])
    const row = kept.get(id)
    if (action === 'delete') scope.found.delete(`${resource.id} ${id}`)
    // The row was locked before, so only a statement that went around the write path can have changed it meanwhile.
    if (!row) throw conflict(scope, resource, before ?? (after as RecordJson), Number(before?.version ?? 0), [])
    scope.signal({ resource: resource.id, id, action, version: Number(after['version']) })
    return Object.fromEntries(resource.all.map(({ name }) => [name, row[name]])) as RecordJson
  })
}

interface Beside extends Readonly<Record<string, unknown>> {
  readonly words: string | undefined
  readonly keys: readonly KeyValue[] | undefined
}

/** What is written beside each row: its ledger entry, its words for the search and its keys for the search for duplicates. */
async function beside(
  scope: EngineScope,
  resource: Resource,
  action: WriteAction,
  writes: readonly PreparedWrite[],
): Promise<readonly Beside[]> {
  const indexed = writes.filter(
    ({ changed }) => action !== 'delete' && resource.search.length > 0 && needsIndexing(resource, changed),
  )
  const texts = await searchTexts(
    scope,
    resource,
    indexed.map(({ after }) => after),
  )
  const words = new Map(indexed.map((write, index) => [write, texts[index]]))
  return writes.map((write) => {
    const { before, after, changed, acknowledged } = write
    return {
      entry: uuidv7(),
      record: after['id'],
      version: after['version'],
      fields: Object.fromEntries(changed),
      acknowledged,
      // The instant the record says of itself, so that it reads as of it with this change.
      changed_at: after['updatedAt'],
      change_reader: readerOfChange(resource, before, after),
      owner: after['owner'],
      team: after['team'],
      reader: readerOf(resource, after),
      title: String(after[resource.title] ?? ''),
      words: words.get(write)?.own,
      pointed: words.get(write)?.pointed,
      keeps: words.get(write)?.keeps,
      keys: action === 'delete' ? undefined : changedKeys(scope, resource, write),
    }
  })
}

/** Puts what `beside` has prepared where it is looked for, all of it in one call. */
function foundAs(
  resource: Resource,
  action: WriteAction,
  kept: string,
  given: readonly Beside[],
  hasKeys: boolean,
): RawBuilder<unknown> {
  const parts =
    action === 'delete'
      ? [
          ...(resource.search.length > 0 ? [sql`core.search_drop(${resource.id}, ${sql.ref(`${kept}.id`)})`] : []),
          ...(hasKeys ? [sql`core.duplicate_drop(${resource.id}, ${sql.ref(`${kept}.id`)})`] : []),
        ]
      : (['words', 'keys'] as const)
          .filter((what) => given.some((it) => it[what] !== undefined))
          .map((what) => {
            const put = sql.ref(what === 'words' ? 'core.search_put' : 'core.duplicate_put')
            return sql`(select ${put}(${resource.id}, sent.records) from sent)`
          })
  return sql.join(
    parts.map((part) => sql`, ${part}`),
    sql``,
  )
}

function needsIndexing(resource: Resource, changed: ReadonlyMap<string, unknown>): boolean {
  const words = new Set([
    resource.title,
    'owner',
    'team',
    'deletedAt',
    ...(resource.partner ? [resource.partner.field] : []),
    ...resource.search.map((path) => path.split('.')[0]),
  ])
  return [...changed.keys()].some((name) => words.has(name))
}

/**
 * New rows as the database makes them of JSON, where numbers are texts and lose no digit. A default that the model does not
 * know is given only where none of the rows has a value.
 */
function insertRows(
  resource: Resource,
  table: RawBuilder<unknown>,
  workspace: string,
  records: readonly Readonly<Record<string, unknown>>[],
  unlike: RawBuilder<SqlBool> = sql<SqlBool>`true`,
): RawBuilder<unknown> {
  const fields = resource.all.filter(
    ({ name, custom, formula, side }) =>
      !custom && !formula && !side && records.some((record) => record[name] !== undefined),
  )
  const own = records.map((record) => customOf(resource.all, record))
  const rows = records.map((record, index) => {
    const row = Object.fromEntries(fields.map(({ name, column }) => [column, record[name] ?? null]))
    const text = JSON.stringify({ ...row, workspace })
    return `${text.slice(0, -1)},"custom":${own[index] ?? '{}'}}`
  })
  const columns = sql.raw(['workspace', 'custom', ...fields.map(({ column }) => column)].map(quoted).join(', '))
  return sql`insert into ${table} (${columns})
    select ${columns} from jsonb_populate_recordset(null::${table}, ${`[${rows.join(',')}]`}::jsonb)
    where ${unlike} returning *`
}

function updateRow(
  resource: Resource,
  table: RawBuilder<unknown>,
  workspace: string,
  { before, after, changed }: PreparedWrite,
): RawBuilder<unknown> {
  const names = new Set([...changed.keys(), 'version', 'updatedAt', 'updatedBy'])
  const written = resource.all.filter(({ name, formula }) => names.has(name) && !formula)
  const assignments = written
    .filter(({ custom, side }) => !custom && !side)
    .map((field) => sql`${sql.ref(field.column)} = ${columnValue(field, after[field.name])}`)
  const own = customWith(written, after)
  if (own) assignments.push(sql`custom = ${own}`)
  return sql`update ${table} set ${sql.join(assignments)}
    where workspace = ${workspace}::uuid and id = ${before?.id ?? null}::uuid and version = ${before?.version ?? null} returning *`
}
