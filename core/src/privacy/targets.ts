import { sql } from 'kysely'
import { relationsTo } from '../records/merge/relations.ts'
import { tableOf } from '../records/read.ts'
import type { Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { storesAsleep } from './errors.ts'
import type { PlannedHold } from './plan.ts'
import { PrivacyStores, type PrivacySubject } from './stores.ts'
import { pointsAt } from './subject.ts'

/** How far from the person a record may be and still be about them: a mail's attachment's preview is three. */
const depth = 4

/**
 * Lists which records are the person, which are about them and which the law keeps, in one set per kind and step. What is
 * about a person is known from the metadata of every resource, those of switched-off plugins too.
 *
 * @param sparing - leaves what is about somebody else too, who stays
 * @param how - `row` where the person's own records are to be deleted and not blanked
 */
export async function listTargets(
  scope: EngineScope,
  run: string,
  subject: PrivacySubject,
  { sparing = false, how = 'person' }: { readonly sparing?: boolean; readonly how?: 'person' | 'row' } = {},
): Promise<readonly PlannedHold[]> {
  const holds = await listHolds(scope, run, subject)
  for (const { resource, record } of subject.records)
    await putTargets(scope, { run, resource, how }, sql`select ${record}::uuid, null::text`)
  let kinds = new Set(subject.records.map(({ resource }) => resource))
  for (let step = 0; step < depth && kinds.size > 0; step += 1) {
    const found = new Set<string>()
    for (const kind of kinds) {
      const target = scope.catalog.of(kind)
      for (const { resource, field, pair } of relationsTo(scope, target)) {
        if (!field.personal) continue
        const value = pointsAt(resource, field.name, 't')
        // An account that is a person may have contacts of its own: what is about one of them is not about the person.
        const sparesOthers = sparing || kind === 'core.account'
        const count = await putTargets(
          scope,
          { run, resource: resource.id, how: 'about' },
          sql`select t.id, null::text from ${tableOf(resource, 't')}
            where t.workspace = ${scope.ctx.workspace.id}::uuid ${pair ? sql`and ${pointsAt(resource, pair.name, 't')} = ${kind}` : sql``}
              and ${value} in (select e.record from core.erasure_target e where e.workspace = ${scope.ctx.workspace.id}::uuid
                and e.run = ${run}::uuid and e.resource = ${kind} and e.how in ('person', 'about', 'row'))
              ${sparesOthers ? sql`and not (${isAboutOthers(scope, run, resource)})` : sql``}`,
        )
        if (count > 0) found.add(resource.id)
      }
    }
    kinds = found
  }
  return holds
}

/** People as records; what is about one of them is theirs. */
const persons = ['core.contact', 'core.lead'] as const

export const isPersonKind = (resource: string): boolean => persons.some((it) => it === resource)

/** Whether a record, `t`, is also about somebody alive who is not on the run's list. */
function isAboutOthers(scope: EngineScope, run: string, resource: Resource) {
  const parts = persons.flatMap((kind) => {
    const target = scope.catalog.of(kind)
    return relationsTo(scope, target)
      .filter((it) => it.resource.id === resource.id && it.field.personal)
      .map(
        ({ field }) => sql`exists (
          select from ${tableOf(target, 'o')} where o.workspace = t.workspace and o.id = ${pointsAt(resource, field.name, 't')} and o.deleted_at is null
            and not exists (select from core.erasure_target e where e.workspace = o.workspace and e.run = ${run}::uuid and e.resource = ${kind} and e.record = o.id))`,
      )
  })
  return parts.length === 0 ? sql`false` : sql.join(parts, sql` or `)
}

/** Lists what the law keeps: before anything else, so that it is not listed as going. */
export async function listHolds(
  scope: EngineScope,
  run: string,
  subject: PrivacySubject,
): Promise<readonly PlannedHold[]> {
  // What it holds could not be found, nor what the law keeps of it.
  const [asleep] = scope.ctx.dormant(PrivacyStores)
  if (asleep !== undefined) throw storesAsleep({ plugin: asleep })
  const holds = []
  for (const store of scope.ctx.contributions(PrivacyStores))
    holds.push(...((await store.legalHolds?.(subject, scope.ctx)) ?? []))
  for (const { resource, records, basis } of holds) {
    await putTargets(
      scope,
      { run, resource, how: 'held' },
      sql`select h.id, ${basis.en}::text from unnest(${[...records]}::uuid[]) h (id)`,
    )
  }
  return holds
    .filter(({ records }) => records.length > 0)
    .map(({ records, ...hold }) => ({ ...hold, count: records.length }))
}

/** Puts records on a run's list; one that is listed already stays as it is. */
export async function putTargets(
  { ctx, tx }: EngineScope,
  {
    run,
    resource,
    how,
  }: { readonly run: string; readonly resource: string; readonly how: 'person' | 'about' | 'row' | 'held' },
  rows: ReturnType<typeof sql>,
): Promise<number> {
  const { rows: made } = await sql`
    insert into core.erasure_target (workspace, run, resource, record, how, basis, done)
    select ${ctx.workspace.id}::uuid, ${run}::uuid, ${resource}, found.id, ${how}, found.basis, ${how === 'held'}
    from (${rows}) as found (id, basis) on conflict do nothing returning record`.execute(tx)
  return made.length
}
