import { createHash } from 'node:crypto'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import type { JobHandler } from '../jobs/job.ts'
import { requestJob } from '../jobs/index.ts'
import type { JobDefinition } from '../plugins/define-plugin.ts'
import { uuidv7 } from 'uuidv7'
import { permissionDenied } from '../permissions/errors.ts'
import type { RecordEngine } from '../records/engine.ts'
import { fieldValue } from '../records/field-value.ts'
import { conditionsOf, tableOf } from '../records/read.ts'
import type { Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { blankMarks } from './blanking.ts'
import { certify } from './certificates.ts'
import { countGone, countsOf, eraseSome, forgetWords, removeFiles } from './erasure.ts'
import { retentionNotRehearsed, retentionResourceRefused } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'
import { retentionRules } from './retention-rule.ts'
import { scopeOf } from './scope.ts'
import { mergedInto } from './subject.ts'
import { isPersonKind, listHolds, listTargets, putTargets } from './targets.ts'
import { endRecords } from './tombstones.ts'

export const retentionKind = 'core.retention'

/** Records gone in a unit of work. */
const chunk = 100
const sampleSize = 10

export interface Rule {
  readonly id: string
  readonly name: string
  readonly rehearsed: string | null
  readonly version: number
  readonly resource: string
  readonly condition: string
  readonly action: 'delete' | 'anonymise'
  readonly graceDays: number
  readonly active: boolean
  readonly deletedAt: string | null
}

/** Kinds of records a rule may end: those people keep in lists. Lines go with what they are lines of. */
export function mayEnd({ options }: Resource): boolean {
  return options.readonly !== true && options.nav !== false && !options.audience
}

/** @throws `RETENTION_RESOURCE_REFUSED`, and what the expression language says of a condition that does not fit */
export function compiled({ resource: id, condition }: Pick<Rule, 'resource' | 'condition'>, scope: EngineScope) {
  const resource = scope.catalog.get(id)
  if (!resource || !scope.exists(resource) || !mayEnd(resource)) throw retentionResourceRefused({ resource: id })
  const where = sql<SqlBool>`((${sql.join(conditionsOf(scope, resource, { filter: condition }, 't'), sql` and `)}) or ${binned(scope, resource, condition)})`
  return { scope, resource, where }
}

/**
 * What lies in the bin and meets a condition: it is kept as long as what does not. Neither what became another record, which
 * goes with that one, nor what has nothing left to lose.
 */
function binned(scope: EngineScope, resource: Resource, condition: string): RawBuilder<SqlBool> {
  const title = resource.fields.get(resource.title)
  return sql<SqlBool>`(${sql.join(conditionsOf(scope, resource, { filter: condition, deleted: 'only' }, 't'), sql` and `)}
    and not exists (select from core.merged_record m where m.workspace = t.workspace and m.resource = ${resource.id} and m.record = t.id)
    ${title ? sql`and coalesce(${fieldValue(title, 't')}::text, '') <> all(${[...blankMarks].filter((mark) => mark !== '')}::text[])` : sql``})`
}

export interface RetentionRehearsal {
  /** Records the condition holds for now, all of them. */
  readonly matching: number
  /** Those of them that lie in the bin. */
  readonly binned: number
  /** Those of them that would go with the next run. */
  readonly due: number
  readonly sample: readonly { readonly id: string; readonly title: string }[]
}

/** What a rule would come to, counted exactly: of what the asker may see, for they are shown it. */
export async function rehearseRule(ctx: Context, rule: Rule): Promise<RetentionRehearsal> {
  const { scope, resource, where } = compiled(rule, (ctx.records as RecordEngine).scope)
  const access = scope.access(resource, 'read')
  if (!access.allowed) throw permissionDenied({ permission: `${resource.id}.read` })
  const workspace = sql`${ctx.workspace.id}::uuid`
  const title = (access.readable(resource.title) ? resource.fields.get(resource.title)?.column : undefined) ?? 'id'
  const { rows } = await sql<{ matching: number; binned: number; due: number }>`
    select count(*)::integer as matching, (count(*) filter (where t.deleted_at is not null))::integer as binned,
      (count(*) filter (where ${rule.graceDays} = 0 or exists (select from core.retention_due d where d.workspace = ${workspace} and d.rule = ${rule.id}::uuid
        and d.record = t.id and d.since <= ${ctx.clock.today()}::date - ${rule.graceDays}::integer)))::integer as due
    from ${tableOf(resource, 't')} where ${where}`.execute(ctx.sql)
  const { rows: sample } = await sql<{ id: string; title: string }>`
    select t.id, coalesce(${sql.ref(`t.${title}`)}::text, '') as title from ${tableOf(resource, 't')} where ${where}
    order by t.created_at, t.id limit ${sampleSize}`.execute(ctx.sql)
  // Who sees some of it only has not seen what would go.
  if (access.everything)
    await sql`update core.retention_rule set rehearsed = ${digestOfRule(rule)} where workspace = ${workspace} and id = ${rule.id}::uuid`.execute(
      ctx.sql,
    )
  return { ...(rows[0] ?? { matching: 0, binned: 0, due: 0 }), sample }
}

const digestOfRule = ({ resource, condition, action }: Pick<Rule, 'resource' | 'condition' | 'action'>) =>
  digestOf(JSON.stringify([resource, condition, action]))

/**
 * Whether this actor may let a rule run by itself: it ends records for good, all of a kind, night after night.
 *
 * @throws `PERMISSION_DENIED`, `RETENTION_NOT_REHEARSED`
 */
export function demandRunnable(
  ctx: Context,
  rule: Pick<Rule, 'name' | 'resource' | 'condition' | 'action' | 'rehearsed'>,
) {
  const { scope, resource } = compiled(rule, (ctx.records as RecordEngine).scope)
  if (!ctx.authority.may('core.privacy.erase')) throw permissionDenied({ permission: 'core.privacy.erase' })
  const access = scope.access(resource, 'delete')
  if (!access.allowed || !access.everything) throw permissionDenied({ permission: `${resource.id}.delete` })
  if (rule.rehearsed !== digestOfRule(rule)) throw retentionNotRehearsed({ name: rule.name })
}

/** Every night, each rule that is on. */
export const nightlyRetention: JobDefinition = {
  id: 'nightly-retention',
  schedule: '40 3 * * *',
  async run(ctx) {
    const { rows } = await sql<{ id: string }>`
      select id from core.retention_rule where workspace = ${ctx.workspace.id}::uuid and active and deleted_at is null order by id`.execute(
      ctx.sql,
    )
    for (const { id } of rows)
      await requestJob(ctx, { kind: retentionKind, key: id, payload: { rule: id, run: uuidv7() } })
  },
}

/**
 * Marks since when a rule's condition holds for which records, and ends those for which it has held longer than the rule's
 * grace: down the same way as an erasure, without the marks that keep a person from returning.
 */
export function retentionJob(keys: () => PrivacyKeys): JobHandler<{ readonly rule: string; readonly run: string }> {
  return async ({ payload: { rule: id, run } }, { unit, progress }) => {
    const cause = { origin: 'retention', reason: '' }
    const matched = await unit((ctx) => begin(ctx, id, run), cause)
    if (matched === undefined) return { stopped: true }
    let done = 0
    for (let after: Due | undefined | null; after !== null;) {
      const from: Due | undefined = after
      const some = await unit(async (ctx) => {
        const ended = await endSome(ctx, keys(), { rule: await ruleOf(ctx, id), run, after: from })
        await progress(done + ended.count, undefined, ctx)
        return ended
      }, cause)
      done += some.count
      after = some.last ?? null
    }
    return unit((ctx) => finish(ctx, keys(), { id, run, matched }), cause)
  }
}

export async function ruleOf(ctx: Context, id: string): Promise<Rule> {
  const { data } = await ctx.asSystem().records.get(retentionRules, id)
  const { rows } = await sql<{ rehearsed: string | null }>`
    select rehearsed from core.retention_rule where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(
    ctx.sql,
  )
  return { ...(data as unknown as Rule), rehearsed: rows[0]?.rehearsed ?? null }
}

async function begin(ctx: Context, id: string, run: string): Promise<number | undefined> {
  const rule = await ruleOf(ctx, id)
  if (!rule.active) return undefined
  const workspace = sql`${ctx.workspace.id}::uuid`
  let plan: ReturnType<typeof compiled>
  try {
    plan = compiled(rule, scopeOf(ctx))
  } catch (error) {
    if (!(error instanceof SocleError)) throw error
    // A field it reads was taken away: better nothing goes than the wrong ones.
    await ctx
      .asSystem()
      .records.update(
        retentionRules,
        { id: rule.id, version: rule.version },
        { active: false, fault: error.message },
        { internal: true },
      )
    return undefined
  }
  const { resource, where } = plan
  await sql`
    delete from core.retention_due d where d.workspace = ${workspace} and d.rule = ${id}::uuid and not exists (
      select from ${tableOf(resource, 't')} where t.id = d.record and ${where})`.execute(ctx.sql)
  await sql`
    insert into core.retention_due (workspace, rule, record, since)
    select ${workspace}, ${id}::uuid, t.id, ${ctx.clock.today()}::date from ${tableOf(resource, 't')} where ${where} on conflict do nothing`.execute(
    ctx.sql,
  )
  await sql`
    insert into core.erasure (workspace, run, at) values (${workspace}, ${run}::uuid, ${ctx.clock.now().toISOString()}::timestamptz) on conflict do nothing`.execute(
    ctx.sql,
  )
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from core.retention_due d where d.workspace = ${workspace} and d.rule = ${id}::uuid`.execute(
    ctx.sql,
  )
  return rows[0]?.n ?? 0
}

/** A place in the order in which records end. */
interface Due {
  readonly since: string
  readonly record: string
}

async function endSome(
  ctx: Context,
  keys: PrivacyKeys,
  { rule, run, after }: { readonly rule: Rule; readonly run: string; readonly after: Due | undefined },
): Promise<{ readonly count: number; readonly last?: Due | undefined }> {
  // Somebody may have switched it off, or taken it away, since the unit before.
  if (!rule.active || rule.deletedAt) return { count: 0 }
  const { scope, resource, where } = compiled(rule, scopeOf(ctx))
  const workspace = sql`${ctx.workspace.id}::uuid`
  const { rows } = await sql<Due>`
    select d.record, d.since::text as since from core.retention_due d
    where d.workspace = ${workspace} and d.rule = ${rule.id}::uuid and d.since <= ${ctx.clock.today()}::date - ${rule.graceDays}::integer
      ${after ? sql`and (d.since, d.record) > (${after.since}::date, ${after.record}::uuid)` : sql``}
      and exists (select from ${tableOf(resource, 't')} where t.id = d.record and ${where})
    order by d.since, d.record limit ${chunk}`.execute(ctx.sql)
  const ids = rows.map(({ record }) => record)
  const [first] = ids
  if (first === undefined) return { count: 0 }
  const isPerson = isPersonKind(resource.id)
  const isDeleted = rule.action === 'delete'
  // The condition holds for these, and for none of what else the person may be: a lead's contact is a customer.
  const records = isPerson
    ? await mergedInto(scope, resource.id, ids)
    : ids.map((record) => ({ resource: resource.id, record }))
  const subject = { resource: resource.id, record: first, records, addresses: [] }
  if (isPerson) {
    await listTargets(scope, run, subject, { sparing: true, how: isDeleted ? 'row' : 'person' })
    await endRecords(
      ctx,
      keys,
      run,
      records.map(({ record }) => record),
    )
  } else {
    await listHolds(scope, run, subject)
    await putTargets(
      scope,
      { run, resource: resource.id, how: isDeleted ? 'row' : 'about' },
      sql`select id, null::text from unnest(${ids}::uuid[]) as i (id)`,
    )
  }
  while (await eraseSome(ctx, run));
  await forgetWords(scope, records)
  const listed = sql`d.workspace = ${workspace} and d.rule = ${rule.id}::uuid and d.record = any(${ids}::uuid[])`
  const went = (how: string) => sql`exists (
    select from core.erasure_target e where e.workspace = d.workspace and e.run = ${run}::uuid and e.resource = ${resource.id} and e.record = d.record and e.how = any(${how}::text[]))`
  await sql`delete from core.retention_due d where ${listed} and ${went('{person,row}')}`.execute(ctx.sql)
  // Anonymised ones still meet the condition: they are not to be looked at every night.
  await sql`update core.retention_due d set since = 'infinity' where ${listed} and ${went('{about}')}`.execute(ctx.sql)
  return { count: ids.length, last: rows.at(-1) }
}

/** A condition may name somebody; a certificate may not. */
const digestOf = (condition: string) => createHash('sha256').update(condition).digest('hex')

async function finish(
  ctx: Context,
  keys: PrivacyKeys,
  { id, run, matched }: { readonly id: string; readonly run: string; readonly matched: number },
) {
  const rule = await ruleOf(ctx, id)
  const { rows } = await sql<{ gone: number; blanked: number; held: number; used: number }>`
    select (count(*) filter (where how in ('person', 'about', 'row')))::integer as gone,
      (count(*) filter (where how in ('person', 'about')))::integer as blanked, (count(*) filter (where how = 'held'))::integer as held,
      (count(*) filter (where how = 'used'))::integer as used
    from core.erasure_target where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid and resource = ${rule.resource}`.execute(
    ctx.sql,
  )
  const counts = rows[0] ?? { gone: 0, blanked: 0, held: 0, used: 0 }
  const { resource, condition, action } = rule
  if (counts.gone > 0) await countGone(ctx, run, { files: await removeFiles(ctx, run, []) })
  const erased = await countsOf(ctx, run)
  const certificate =
    counts.gone === 0
      ? null
      : await certify(ctx, keys, {
          kind: 'retention',
          body: { rule: id, resource, action, conditionDigest: digestOf(condition), matched, ...counts, erased },
        })
  const at = ctx.clock.now().toISOString()
  await sql`
    insert into core.retention_run (id, workspace, rule, resource, action, condition, matched, gone, blanked, held, used, certificate, at)
    values (${run}::uuid, ${ctx.workspace.id}::uuid, ${id}::uuid, ${resource}, ${action}, ${condition}, ${matched}, ${counts.gone}, ${counts.blanked}, ${counts.held},
      ${counts.used}, ${certificate}::uuid, ${at}::timestamptz) on conflict do nothing`.execute(ctx.sql)
  await sql`delete from core.erasure where workspace = ${ctx.workspace.id}::uuid and run = ${run}::uuid`.execute(
    ctx.sql,
  )
  await sql`select core.search_sweep()`.execute(ctx.sql)
  await ctx
    .asSystem()
    .records.update(
      retentionRules,
      { id: rule.id, version: rule.version },
      { lastRunAt: at, fault: null },
      { internal: true },
    )
  return { ...counts, certificate }
}
