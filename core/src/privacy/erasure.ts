import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { defineEvent } from '../events/event.ts'
import { removePieces } from '../files/pieces.ts'
import type { JobHandler, JobTools } from '../jobs/job.ts'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { exportLog } from '../records/export/export.ts'
import { relationsTo } from '../records/merge/relations.ts'
import { tableOf } from '../records/read.ts'
import type { Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { channelsOf, hashOf } from './addresses.ts'
import { blankRecords, deleteRecords, isRefusedByRow, markMentions, markOf, refreshWords } from './blanking.ts'
import { keepBuyers } from './buyers.ts'
import { certify } from './certificates.ts'
import { rowHoldsName, stillNamed, subjectUnknowable } from './errors.ts'
import { linesNaming, nextFile, type LyingFile } from './file-lines.ts'
import type { PrivacyKeys } from './keys.ts'
import type { ErasurePlan, PlannedHold } from './plan.ts'
import { note, privacyRequests } from './privacy-request.ts'
import { scopeOf } from './scope.ts'
import { PrivacyStores, type PrivacyStore, type PrivacySubject } from './stores.ts'
import { pointsAt, subjectOf } from './subject.ts'
import { suppress } from './suppressions.ts'
import { isPersonKind, listTargets } from './targets.ts'
import type { Terms } from './terms.ts'
import { raiseTombstones } from './tombstones.ts'

const erased = z.object({ record: z.uuid(), request: z.uuid() })
export const ContactErased = defineEvent('core.contact.erased', { version: 1, payload: erased })
export const LeadErased = defineEvent('core.lead.erased', { version: 1, payload: erased })
export const AccountErased = defineEvent('core.account.erased', { version: 1, payload: erased })

export const erasureKind = 'core.privacy-erasure'
export const rehearsalKind = 'core.privacy-rehearsal'

/** Records blanked in a unit of work, and blocks of a table read in one: an embedded database does nothing else meanwhile. */
const chunk = 200
const blocks = 128
const rounds = 3

/**
 * Tables in which nobody is looked for, each with its reason. Every other table of a workspace is, those of plugins and of
 * later days too.
 */
const notSearched: Readonly<Record<string, string>> = {
  'core.member': 'A colleague is known here as a colleague.',
  'core.api_key': 'Named by administrators for programs.',
  'core.erasure': 'Holds what is being looked for, and goes with the run.',
  'core.erasure_target': 'Ids and legal bases.',
  'core.opt_out': 'Ids, keyed hashes and names of things.',
  'core.certificate': 'Says nothing of whom it was.',
  'core.search_document': 'Follows its record.',
  'core.search_word': 'Swept when no document holds the word.',
  'core.search_near': 'Swept when no document holds the word.',
  'core.duplicate_key': 'Follows its record.',
}

interface Payload {
  readonly request: string
}

/** Where a run is, kept with each of its units: killed at any line, it goes on there. */
interface Place {
  readonly step: 'stores' | 'records' | 'words' | 'files' | 'mentions' | 'proof'
  readonly nth: number
  readonly block: number
  /** Of the step `files`, once what holds their words as they are is gone: the last that was unpacked, empty before the first. */
  readonly file?: string
  /** How often mentions were gone through again, because somebody was named anew meanwhile. */
  readonly round?: number
}

interface Erasure {
  readonly place: Place
  readonly counts: Readonly<Record<string, number>>
  readonly terms: Terms & {
    readonly subject: PrivacySubject
    readonly holds: readonly PlannedHold[]
    readonly shared: number
  }
}

/**
 * Forgets a person: listed at once (with the marks that keep them from returning), then taken out of plugins' stores,
 * records, the engine's own traces, files, and every table in which they are named; at the end looked for once more, and
 * certified.
 */
export function eraseJob(keys: () => PrivacyKeys): JobHandler<Payload> {
  return async ({ payload: { request } }, tools) => {
    await tools.unit((ctx) => begin(ctx, keys(), request), cause(request))
    for (let more = true; more;) {
      more = await tools.unit(async (ctx) => {
        const left = await proceed(ctx, request)
        await tools.progress(undefined, undefined, ctx)
        return left
      }, cause(request))
    }
    return tools.unit((ctx) => finish(ctx, keys(), request), cause(request))
  }
}

const cause = (request: string) => ({ origin: 'erasure', reason: '', request })

/** What an erasure would come to, kept with the request; nothing is changed. */
export const rehearseJob: JobHandler<Payload> = async ({ payload: { request } }, tools) => {
  // A list of its own: an erasure that began meanwhile works off its own list, and finds it as it left it.
  const run = uuidv7()
  const listing = await tools.unit(async (ctx) =>
    (await isOver(ctx, request)) ? undefined : listed(ctx, run, request),
  )
  if (!listing) return { stopped: true }
  const { plan, terms } = listing
  const mentions = await countMentions(tools, run, terms.pattern)
  return tools.unit(async (ctx) => {
    await sql`delete from core.erasure where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(
      ctx.sql,
    )
    if (await isOver(ctx, request)) return { stopped: true }
    await note(ctx, request, { plan: { ...plan, mentions }, plannedAt: ctx.clock.now().toISOString() })
    return { stopped: false }
  })
}

/** Whether there is nothing left to rehearse: the erasure began, or is done. */
async function isOver(ctx: Context, request: string): Promise<boolean> {
  const { data } = await ctx.asSystem().records.get(privacyRequests, request)
  return ['running', 'failed', 'done'].includes(String(data['state']))
}

async function countMentions(tools: JobTools, run: string, pattern: string): Promise<ErasurePlan['mentions']> {
  const found: ErasurePlan['mentions'][number][] = []
  if (pattern === '') return found
  for (const { place, blocks: size } of await tools.unit((ctx) => searched(ctx))) {
    let count = 0
    let resource: string | null = null
    for (let from = 0; from < size; from += blocks) {
      const part = await tools.unit((ctx) => mentionsIn(ctx, run, { table: place, from, pattern }))
      count += part.count
      resource = part.resource
      await tools.progress()
    }
    if (count > 0) found.push({ table: place, resource, count })
  }
  return found
}

/** Makes the list of what a run is about; the row it hangs on goes with the run. */
async function listed(ctx: Context, run: string, request: string) {
  const scope = scopeOf(ctx)
  const { data } = await scope.ctx.records.get(privacyRequests, request)
  const subject = await subjectOf(scope, String(data['subjectResource']), String(data['subjectRecord']))
  const { workspace, clock } = ctx
  await sql`delete from core.erasure where workspace = ${workspace.id}::uuid and run = ${run}::uuid`.execute(ctx.sql)
  const { resource, record, records, addresses, terms, shared } = subject
  await sql`
    insert into core.erasure (workspace, run, at) values (${workspace.id}::uuid, ${run}::uuid, ${clock.now().toISOString()}::timestamptz)`.execute(
    ctx.sql,
  )
  const holds = await listTargets(scope, run, subject)
  const kept = { ...terms, subject: { resource, record, records, addresses }, holds, shared }
  const { rows } = await sql<ErasurePlan['records'][number]>`
    select resource, how, count(*)::integer as count from core.erasure_target
    where workspace = ${workspace.id}::uuid and run = ${run}::uuid and how in ('person', 'about') group by 1, 2 order by 2 desc, 1`.execute(
    ctx.sql,
  )
  const stores = ctx
    .contributions(PrivacyStores)
    .filter(({ erase }) => erase)
    .map(({ id, title }) => ({ id, title }))
  return { subject, terms: kept, plan: { records: rows, holds, stores, shared } }
}

async function begin(ctx: Context, keys: PrivacyKeys, run: string): Promise<void> {
  // A run that was begun goes on: the values it would look for are gone from the records by now.
  const begun = await erasureOf(ctx, run)
  if (begun) {
    // Asked for again after mentions would not end: they are gone through anew.
    if (begun.place.round === rounds) await moveTo(ctx, run, { step: 'mentions', nth: 0, block: 0 })
    return
  }
  const { data } = await scopeOf(ctx).ctx.records.get(privacyRequests, run)
  if (data['state'] === 'done') return
  const { subject, terms, plan } = await listed(ctx, run, run)
  // Nothing is known to look for: a certificate would say that nobody is named anywhere, and nobody looked.
  if (subject.isBlank) throw subjectUnknowable({ number: String(data['number']) })
  await keepBuyers(scopeOf(ctx), run)
  const at = ctx.clock.now().toISOString()
  const place: Place = { step: 'stores', nth: 0, block: 0 }
  await sql`
    update core.erasure set terms = ${JSON.stringify(terms)}::jsonb, place = ${JSON.stringify(place)}::jsonb,
      counts = ${JSON.stringify({ tombstones: await raiseTombstones(ctx, keys, run, subject) })}::jsonb
    where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(ctx.sql)
  for (const address of subject.addresses) {
    const hash = hashOf(keys, ctx.workspace.id, address)
    for (const channel of channelsOf[address.kind]) await suppress(ctx, { hash, channel, reason: 'erased', at })
  }
  await note(ctx, run, { plan: { ...plan, mentions: [] }, plannedAt: at })
}

async function erasureOf(ctx: Context, run: string): Promise<Erasure | undefined> {
  const { rows } = await sql<Erasure>`
    select place, counts, terms from core.erasure where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid and place <> '{}' for update`.execute(
    ctx.sql,
  )
  return rows[0]
}

/** One unit's worth of a run. Answers whether anything is left. */
async function proceed(ctx: Context, run: string): Promise<boolean> {
  const erasure = await erasureOf(ctx, run)
  if (!erasure) return false
  const { place, terms } = erasure
  const steps: Readonly<Record<Place['step'], () => Promise<Place | undefined>>> = {
    stores: async () => {
      const store = ctx.contributions(PrivacyStores).filter(hasErase)[place.nth]
      if (!store) return { step: 'records', nth: 0, block: 0 }
      const { erased: gone } = await store.erase(terms.subject, ctx.asSystem())
      await countGone(ctx, run, { [`store ${store.id}`]: gone })
      return { ...place, nth: place.nth + 1 }
    },
    records: async () => ((await eraseSome(ctx, run)) ? place : { ...place, step: 'words' }),
    words: async () => {
      await forgetWords(scopeOf(ctx), terms.subject.records)
      return { ...place, step: 'files' }
    },
    files: () => eraseFiles(ctx, run, place, terms),
    mentions: () => eraseMentions(ctx, run, place, terms.pattern),
    proof: () => lookOnceMore(ctx, run, place, terms),
  }
  const next = await steps[place.step]()
  if (!next) {
    await sql`select core.search_sweep()`.execute(ctx.sql)
    return false
  }
  await moveTo(ctx, run, next)
  return true
}

async function moveTo(ctx: Context, run: string, place: Place): Promise<void> {
  await sql`update core.erasure set place = ${JSON.stringify(place)}::jsonb where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(
    ctx.sql,
  )
}

const hasErase = (store: PrivacyStore): store is PrivacyStore & { erase: NonNullable<PrivacyStore['erase']> } =>
  store.erase !== undefined

export async function countGone(ctx: Context, run: string, more: Readonly<Record<string, number>>): Promise<void> {
  await sql`
    update core.erasure e set counts = e.counts || (
      select coalesce(jsonb_object_agg(m.key, m.value::bigint + coalesce((e.counts ->> m.key)::bigint, 0)), '{}') from jsonb_each_text(${JSON.stringify(more)}::jsonb) m)
    where e.workspace = ${ctx.workspace.id}::uuid and e.run = ${run}::uuid`.execute(ctx.sql)
}

/** What went so far, by what it was. */
export async function countsOf(ctx: Context, run: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await sql<{ counts: Record<string, number> }>`
    select counts from core.erasure where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(ctx.sql)
  return rows[0]?.counts ?? {}
}

/** Blanks the next records of the list and what the engine keeps beside them. */
export async function eraseSome(ctx: Context, run: string): Promise<boolean> {
  const scope = scopeOf(ctx)
  const { rows } = await sql<{ resource: string; record: string; how: 'person' | 'about' | 'row' }>`
    select resource, record, how from core.erasure_target
    where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid and not done order by resource, how, record limit ${chunk} for update`.execute(
    ctx.sql,
  )
  const [first] = rows
  if (!first) return false
  const alike = rows.filter(({ resource, how }) => resource === first.resource && how === first.how)
  const ids = alike.map(({ record }) => record)
  const resource = scope.catalog.of(first.resource)
  const { rows: traces } = await sql<{ counts: Record<string, number> }>`
    select core.erase_traces(${run}::uuid, ${ids}::uuid[]) as counts`.execute(ctx.sql)
  if (first.how === 'row') await deleteOrKeep(scope, run, resource, ids)
  else await blankRecords(scope, resource, ids, { leaves: first.how === 'person' })
  await sql`
    update core.erasure_target set done = true
    where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid and resource = ${first.resource} and record = any(${ids}::uuid[])`.execute(
    ctx.sql,
  )
  await countGone(ctx, run, { ...traces[0]?.counts, [`record ${first.resource}`]: ids.length })
  // A record that is about the person is found again by what it still is: whose account, which kind.
  if (first.how === 'about') await refreshWords(scope, resource, ids)
  return true
}

/**
 * One that others still point at stays and is listed as used: what hangs on it is not the rule's to decide. A person goes
 * all the same: blanked, as after an erasure.
 */
async function deleteOrKeep(
  scope: EngineScope,
  run: string,
  resource: Resource,
  ids: readonly string[],
): Promise<void> {
  const stay = await deleteRecords(scope, resource, ids)
  if (stay.length === 0) return
  const isPerson = isPersonKind(resource.id)
  await sql`
    update core.erasure_target set how = ${isPerson ? 'person' : 'used'}
    where workspace = ${scope.ctx.workspace.id}::uuid and run = ${run}::uuid and resource = ${resource.id} and record = any(${[...stay]}::uuid[])`.execute(
    scope.tx,
  )
  if (isPerson) await blankRecords(scope, resource, stay, { leaves: true })
  else await refreshWords(scope, resource, stay)
}

/** Records that are found by a gone one's name through a reference lose those words. */
export async function forgetWords(scope: EngineScope, records: PrivacySubject['records']): Promise<void> {
  for (const { resource: kind, record } of records) {
    const target = scope.catalog.of(kind)
    for (const { resource, field } of relationsTo(scope, target)) {
      if (!resource.search.some((path) => path.startsWith(`${field.name}.`))) continue
      const { rows } = await sql<{ id: string }>`
        select t.id from ${tableOf(resource, 't')}
        where t.workspace = ${scope.ctx.workspace.id}::uuid and ${pointsAt(resource, field.name, 't')} = ${record}::uuid and t.deleted_at is null`.execute(
        scope.tx,
      )
      await refreshWords(
        scope,
        resource,
        rows.map(({ id }) => id),
      )
    }
  }
}

/** Files of exports that may hold what went, and any file in which somebody is named. */
export async function removeFiles(ctx: Context, run: string, texts: Terms['texts']): Promise<number> {
  const needles = texts.flatMap((text) => [
    Buffer.from(text, 'utf8').toString('hex'),
    Buffer.from(text, 'latin1').toString('hex'),
  ])
  const { rows } = await sql<{ file: string; isExport: boolean }>`
    select p.file, e.id is not null as "isExport" from core.file_piece p
    left join core.export e on e.workspace = p.workspace and e.id = p.file
    left join core.privacy_request q on q.workspace = p.workspace and q.id = p.file
    where p.workspace = ${ctx.workspace.id}::uuid
      and (q.subject_record in (select t.record from core.erasure_target t where t.workspace = p.workspace and t.run = ${run}::uuid and t.how in ('person', 'row'))
        or e.resource in (select t.resource from core.erasure_target t where t.workspace = p.workspace and t.run = ${run}::uuid and t.how in ('person', 'about', 'row'))
        or exists (select from unnest(${needles}::text[]) n where core.holds_word(p.bytes, decode(n, 'hex'))))
    group by 1, 2`.execute(ctx.sql)
  for (const row of rows) await removeFile(ctx, row)
  return rows.length
}

async function removeFile(ctx: Context, { file, isExport }: Pick<LyingFile, 'file' | 'isExport'>): Promise<void> {
  await removePieces(ctx.sql, ctx.workspace.id, file)
  if (!isExport) return
  const { records } = ctx.asSystem()
  const { data } = await records.get(exportLog, file)
  await records.update(exportLog, data, { expiresAt: ctx.clock.now().toISOString() }, { internal: true })
}

/** First whatever file holds their words as they are; then one after the other those that have to be unpacked or decoded. */
async function eraseFiles(ctx: Context, run: string, place: Place, { texts, pattern }: Terms): Promise<Place> {
  if (place.file === undefined) {
    await countGone(ctx, run, { files: await removeFiles(ctx, run, texts) })
    return { ...place, file: '' }
  }
  const next = await nextFile(ctx, place.file || undefined)
  if (!next) return { step: 'mentions', nth: 0, block: 0, ...(place.round === undefined ? {} : { round: place.round }) }
  if ((await linesNaming(ctx, next.file, pattern)).length > 0) {
    await removeFile(ctx, next)
    await countGone(ctx, run, { files: 1 })
  }
  return { ...place, file: next.file }
}

interface SearchedTable {
  readonly place: string
  readonly blocks: number
}

async function searched(ctx: Context): Promise<readonly SearchedTable[]> {
  const { rows } =
    await sql<SearchedTable>`select place::text as place, blocks::integer as blocks from core.tables_with_words()`.execute(
      ctx.sql,
    )
  return rows.filter(({ place }) => !(place in notSearched))
}

/** The next blocks of the next table; a record that only names the person goes down the engine's own way. */
async function eraseMentions(ctx: Context, run: string, place: Place, pattern: string): Promise<Place> {
  const table = pattern === '' ? undefined : (await searched(ctx))[place.nth]
  if (!table) {
    // What was left the time before is looked for anew.
    await sql`
      update core.erasure set counts = (select coalesce(jsonb_object_agg(c.key, c.value), '{}') from jsonb_each(counts) c where c.key not like 'left %')
      where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(ctx.sql)
    return { ...place, step: 'proof', nth: 0, block: 0 }
  }
  const scope = scopeOf(ctx)
  const resource = resourceAt(scope, table.place)
  const to = place.block + blocks
  const where = { pattern, from: place.block, to, run }
  const found = await (resource ? markMentions(scope, resource, where) : markInTable(scope, table.place, where)).catch(
    (error: unknown) => {
      if (isRefusedByRow(error)) throw rowHoldsName({ place: table.place, rule: error.constraint ?? '' })
      throw error
    },
  )
  if (found > 0) await countGone(ctx, run, { [`mention ${table.place}`]: found })
  return to >= table.blocks ? { ...place, nth: place.nth + 1, block: 0 } : { ...place, block: to }
}

/** Rows that are no records: nothing about them has to be told. */
async function markInTable(
  scope: EngineScope,
  place: string,
  {
    pattern,
    from,
    to,
    run,
  }: { readonly pattern: string; readonly from: number; readonly to: number; readonly run: string },
): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select core.erase_mentions(${run}::uuid, ${place}::regclass, ${pattern}, ${markOf(scope)}, ${from}, ${to}) as n`.execute(
    scope.tx,
  )
  return Number(rows[0]?.n ?? 0)
}

/** The resource whose table it is, as PostgreSQL writes its name. */
function resourceAt({ catalog }: EngineScope, place: string) {
  return catalog.all().find(({ schema, table }) => `${schema}.${table}` === place.replaceAll('"', ''))
}

/** How often somebody is named in the blocks of a table that begin somewhere. */
async function mentionsIn(
  ctx: Context,
  run: string,
  { table, from, pattern }: { readonly table: string; readonly from: number; readonly pattern: string },
): Promise<ErasurePlan['mentions'][number]> {
  const resource = resourceAt(scopeOf(ctx), table)?.id ?? null
  const { rows } = await sql<{ n: number }>`
    select core.count_mentions(${run}::uuid, ${table}::regclass, ${resource}, ${pattern}, ${from}, ${from + blocks}) as n`.execute(
    ctx.sql,
  )
  return { table, resource, count: Number(rows[0]?.n ?? 0) }
}

const isLeft = (what: string) => what.startsWith('left ')

/**
 * Where somebody is still named after all that, or a record is about them that was not listed, it was written meanwhile by who
 * had begun before: it goes too, in one more round.
 */
async function lookOnceMore(
  ctx: Context,
  run: string,
  place: Place,
  { pattern, subject }: Erasure['terms'],
): Promise<Place | undefined> {
  const table = pattern === '' ? undefined : (await searched(ctx))[place.nth]
  if (!table) {
    const { round = 0 } = place
    await listTargets(scopeOf(ctx), run, subject)
    const late = await unfinished(ctx, run)
    if (late > 0) await countGone(ctx, run, { 'left core.erasure_target': late })
    const again = round < rounds && Object.keys(await countsOf(ctx, run)).some(isLeft)
    return again ? { step: late > 0 ? 'records' : 'mentions', nth: 0, block: 0, round: round + 1 } : undefined
  }
  const { count: found } = await mentionsIn(ctx, run, { table: table.place, from: place.block, pattern })
  if (found > 0) await countGone(ctx, run, { [`left ${table.place}`]: found })
  const to = place.block + blocks
  return to >= table.blocks ? { ...place, nth: place.nth + 1, block: 0 } : { ...place, block: to }
}

/** Records of the list that are still to go. */
async function unfinished(ctx: Context, run: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from core.erasure_target
    where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid and not done`.execute(ctx.sql)
  return rows[0]?.n ?? 0
}

/** Certifies, tells, and forgets what was looked for. */
async function finish(ctx: Context, keys: PrivacyKeys, run: string): Promise<{ certificate: string | null }> {
  const erasure = await erasureOf(ctx, run)
  if (!erasure) return { certificate: null }
  const { terms, counts } = erasure
  const left = Object.keys(counts).filter(isLeft)
  if (left.length > 0) throw stillNamed({ places: left.map((it) => it.slice('left '.length)).join(', ') })
  const now = ctx.clock.now().toISOString()
  const certificate = await certify(ctx, keys, {
    kind: 'erasure',
    request: run,
    body: { request: run, erased: counts, held: terms.holds, left: {}, sharedWithOthers: terms.shared },
  })
  for (const { resource, record } of terms.subject.records) {
    if (resource === 'core.contact') ctx.emit(ContactErased, { record, request: run }, { key: record })
    if (resource === 'core.lead') ctx.emit(LeadErased, { record, request: run }, { key: record })
    if (resource === 'core.account') ctx.emit(AccountErased, { record, request: run }, { key: record })
  }
  await closeRequests(ctx, run, terms.subject, { state: 'done', doneAt: now, requestedBy: null, identityCheck: null })
  await note(ctx, run, { certificateId: certificate })
  await sql`delete from core.erasure where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(
    ctx.sql,
  )
  return { certificate }
}

/** Who asked, and how it was seen that they may, are about the person too; what else they asked for has nothing left to give. */
async function closeRequests(
  ctx: Context,
  run: string,
  { records }: PrivacySubject,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from core.privacy_request
    where workspace = ${ctx.workspace.id}::uuid and subject_record = any(${records.map(({ record }) => record)}::uuid[])`.execute(
    ctx.sql,
  )
  for (const { id } of rows) {
    await note(ctx, id, id === run ? values : { ...values, fileUntil: null, fileSize: null })
    await sql`
      insert into core.erasure_target (workspace, run, resource, record, how, done)
      values (${ctx.workspace.id}::uuid, ${run}::uuid, 'core.privacy-request', ${id}::uuid, 'about', true) on conflict do nothing`.execute(
      ctx.sql,
    )
    await sql`select core.erase_traces(${run}::uuid, array[${id}::uuid])`.execute(ctx.sql)
  }
}
