import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { RecordSignal, Signals } from '../database/signals.ts'
import { fold } from '../records/expression/index.ts'
import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import type { RecordJson } from '../records/records.ts'
import { addressOf } from './addresses.ts'
import { personResources } from './consents.ts'
import { subjectErased } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'
import { note } from './privacy-request.ts'
import { fullName, type KnownSubject } from './subject.ts'

/** What this room stands on, known once the installation runs. */
export interface PrivacyParts {
  readonly keys: () => PrivacyKeys
  readonly signals: Signals
}

type Kind = 'email' | 'phone' | 'phone-name' | 'birth' | 'record'

interface Mark {
  readonly kind: Kind
  readonly value: string
}

/** What an erased person would be recognised by: never in words, only as keyed hashes. */
export async function raiseTombstones(
  ctx: Context,
  keys: PrivacyKeys,
  run: string,
  subject: KnownSubject,
): Promise<number> {
  const marks = new Map<string, Mark>()
  const add = (kind: Kind, value: string) => marks.set(`${kind} ${value}`, { kind, value })
  for (const { record } of subject.records) add('record', record)
  for (const { kind, value } of subject.addresses) {
    if (kind === 'email') add('email', value)
    if (kind !== 'phone') continue
    if (subject.mobiles.has(value)) add('phone', value)
    // A number may be a switchboard: with the name it is one person's.
    for (const { last } of subject.names) add('phone-name', `${value} ${fold(last)}`)
  }
  for (const day of subject.birthDates)
    for (const { first, last } of subject.names) add('birth', `${day} ${fold(fullName(first, last))}`)
  return put(ctx, keys, run, [...marks.values()])
}

/** A record that a rule ended has nothing left to come back with, whoever undoes what. The person may come anew. */
export async function endRecords(ctx: Context, keys: PrivacyKeys, run: string, ids: readonly string[]): Promise<void> {
  await put(
    ctx,
    keys,
    run,
    ids.map((value) => ({ kind: 'record', value })),
  )
}

async function put(ctx: Context, keys: PrivacyKeys, run: string, marks: readonly Mark[]): Promise<number> {
  const all = hashed(ctx, keys, marks)
  await sql`
    insert into core.tombstone (workspace, kind, hash, run, at)
    select ${ctx.workspace.id}::uuid, m.kind, decode(m.hash, 'hex'), ${run}::uuid, ${ctx.clock.now().toISOString()}::timestamptz
    from unnest(${all.map(({ kind }) => kind)}::text[], ${all.map(({ hash }) => hash)}::text[]) as m (kind, hash)
    on conflict (workspace, kind, hash) do update set run = excluded.run, at = excluded.at, lifted_at = null, lifted_by = null, lift_reason = null`.execute(
    ctx.sql,
  )
  return all.length
}

function hashed(ctx: Context, keys: PrivacyKeys, marks: readonly Mark[]) {
  return marks.map(({ kind, value }) => ({
    kind,
    hash: keys.hash(ctx.workspace.id, kind === 'record' ? kind : `tombstone ${kind}`, value).toString('hex'),
  }))
}

// A signal drops what is kept at once; this bounds what a lost signal costs.
const emptyFor = 15_000

/** Workspaces in which nobody was erased: most of them, and their writes need not ask. */
class Untouched {
  readonly #until = new Map<string, number>()
  #generation = 0

  constructor(signals: Signals) {
    signals.on((signal) => {
      if (signal.kind !== 'records' || !signal.changes.some(mayRaise)) return
      this.#generation += 1
      this.#until.delete(signal.workspace)
    })
  }

  has(workspace: string): boolean {
    return performance.now() < (this.#until.get(workspace) ?? 0)
  }

  /** Hands out where to note what a look finds; a look that an erasure overtook notes nothing. */
  looking(workspace: string): (isEmpty: boolean) => void {
    const generation = this.#generation
    return (isEmpty) => {
      if (isEmpty && generation === this.#generation) this.#until.set(workspace, performance.now() + emptyFor)
    }
  }
}

/** What changes in a unit that raises tombstones. */
function mayRaise({ resource, action }: RecordSignal): boolean {
  return resource === 'core.privacy-request' || (action === 'delete' && persons.has(resource))
}

const persons = new Set<string>(personResources)

/** Whatever way a record comes in or changes, it passes here: an erased person does not return by itself. */
export function tombstoneGuards({ keys, signals }: PrivacyParts): readonly GuardDefinition[] {
  const untouched = new Untouched(signals)
  const checkOf =
    (resource: string): GuardDefinition['check'] =>
    async ({ record, before, changed, action }, ctx) => {
      // An organisation is nobody, but mail to it would reach the person: a mailbox that others share left no mark.
      const isOrganisation = resource === 'core.account' && record['kind'] !== 'person'
      if (untouched.has(ctx.workspace.id)) return
      if (action === 'update' && ![...watched].some((name) => changed.has(name))) return
      const marks = marksOf(record, ctx).filter(({ kind }) => !isOrganisation || kind === 'email')
      // A change of a job title is no return: only what is new about the record is looked at.
      const known =
        before && action === 'update' && !becomesPerson(record, before)
          ? new Set(marksOf(before, ctx).map(({ kind, value }) => `${kind} ${value}`))
          : undefined
      const asked = hashed(
        ctx,
        keys(),
        marks.filter(({ kind, value }) => !known?.has(`${kind} ${value}`)),
      )
      if (asked.length === 0) return
      const looked = untouched.looking(ctx.workspace.id)
      const { rows } = await sql<{ found: boolean; isEmpty: boolean }>`
      select t.found, t.is_empty as "isEmpty"
      from core.tombstone_stands(${asked.map(({ kind }) => kind)}::text[], ${asked.map(({ hash }) => hash)}::text[]) t`.execute(
        ctx.sql,
      )
      if (rows[0]?.found) throw subjectErased({})
      looked(rows[0]?.isEmpty === true)
    }
  return [...persons].map((resource) =>
    defineGuard(resource, ['create', 'update', 'restore'], checkOf(resource), { independent: true }),
  )
}

/** An account that was an organisation until now had no marks of a person. */
const becomesPerson = (record: RecordJson, before: RecordJson) =>
  record['kind'] === 'person' && before['kind'] !== 'person'

const watched = new Set([
  'kind',
  'email',
  'phone',
  'phoneNorm',
  'mobile',
  'mobileNorm',
  'lastName',
  'firstName',
  'birthDate',
])

function marksOf(record: RecordJson, ctx: Context): Mark[] {
  const text = (name: string) => (typeof record[name] === 'string' && record[name] !== '' ? record[name] : undefined)
  const marks: Mark[] = [{ kind: 'record', value: record.id }]
  const email = text('email')
  if (email !== undefined) marks.push({ kind: 'email', value: email.trim().toLowerCase() })
  const last = text('lastName')
  for (const name of ['phone', 'mobile']) {
    const typed = text(name)
    const address = typed === undefined ? undefined : addressOf('phone', typed, ctx.workspace.zone)
    if (!address) continue
    marks.push({ kind: 'phone', value: address.value })
    if (last !== undefined) marks.push({ kind: 'phone-name', value: `${address.value} ${fold(last)}` })
  }
  const born = text('birthDate')
  if (born !== undefined && last !== undefined)
    marks.push({ kind: 'birth', value: `${born} ${fold(fullName(text('firstName') ?? '', last))}` })
  return marks
}

/** Lets an erased person come back, of their own will: known by an address of theirs, or by the request that erased them. */
export async function liftTombstones(
  ctx: Context,
  keys: PrivacyKeys,
  {
    address,
    request,
    reason,
  }: { readonly address?: string | undefined; readonly request?: string | undefined; readonly reason: string },
): Promise<number> {
  const found = address === undefined ? undefined : addressOf('any', address, ctx.workspace.zone)
  const [mark] = found
    ? hashed(ctx, keys, [{ kind: found.kind === 'email' ? 'email' : 'phone', value: found.value }])
    : []
  const { rows } = await sql<{ run: string }>`
    update core.tombstone t set lifted_at = ${ctx.clock.now().toISOString()}::timestamptz, lifted_by = ${ctx.actor.id ?? null}::uuid, lift_reason = ${reason}
    where t.workspace = ${ctx.workspace.id}::uuid and t.lifted_at is null and t.kind <> 'record' and (t.run = ${request ?? null}::uuid or t.run in (
      select m.run from core.tombstone m where m.workspace = t.workspace and m.kind = ${mark?.kind ?? null} and m.hash = decode(${mark?.hash ?? null}, 'hex')))
    returning t.run`.execute(ctx.sql)
  const liftedBy = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  // In the ledger with the request that erased them: a retention rule leaves no mark that could be lifted.
  const { rows: requests } = await sql<{ id: string }>`
    select id from core.privacy_request where workspace = ${ctx.workspace.id}::uuid and id = any(${rows.map(({ run }) => run)}::uuid[])`.execute(
    ctx.sql,
  )
  for (const { id } of requests)
    await note(ctx, id, { liftedAt: ctx.clock.now().toISOString(), liftedBy, liftReason: reason })
  return rows.length
}
