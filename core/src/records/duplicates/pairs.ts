import { sql, type RawBuilder } from 'kysely'
import { cursorInvalid, queryInvalid, recordNotFound } from '../errors.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { demandAction, findRow, recordsByIds, tableOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { isUuid } from '../values.ts'
import { duplicateKeysOf, readableKeys, weightsOf } from './keys.ts'
import { scoreOf, suspectFrom, type DuplicateReason } from './score.ts'

export interface DuplicatePair {
  readonly a: RecordJson
  readonly b: RecordJson
  readonly score: number
  readonly reasons: readonly DuplicateReason[]
  readonly state: 'open' | 'dismissed'
  readonly foundAt: string
}

export interface PairQuery {
  /** 'open' by default. */
  readonly state?: string | undefined
  readonly after?: string | undefined
  /** 1 to 200, 50 by default. */
  readonly limit?: number | undefined
}

export interface PairPage {
  readonly data: readonly DuplicatePair[]
  readonly page: { readonly next: string | null }
  /** When the records were last compared, all of them. */
  readonly scannedAt: string | null
}

interface PairRow {
  readonly a: string
  readonly b: string
  readonly score: number
  readonly reasons: readonly DuplicateReason[]
  readonly state: 'open' | 'dismissed'
  readonly found_at: string
}

/** Pairs that may be one, most likely first. One of which the actor may see only one side does not exist. */
export async function listPairs(scope: EngineScope, resource: Resource, query: PairQuery): Promise<PairPage> {
  demandAction(scope, resource, 'read')
  const { limit = 50, state = 'open' } = query
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw queryInvalid({ parameter: 'limit', value: String(limit), expected: 'a whole number from 1 to 200' })
  if (state !== 'open' && state !== 'dismissed')
    throw queryInvalid({ parameter: 'state', value: state, expected: 'open or dismissed' })
  const access = scope.access(resource, 'read')
  const workspace = scope.ctx.workspace.id
  const after = placeOf(query.after)
  const score = shownScore(scope, resource)
  const { rows } = await sql<PairRow>`
    select p.a, p.b, s.score, p.reasons, p.state, p.found_at from core.duplicate_pair p
    cross join lateral (select ${score} as score) s
    join ${tableOf(resource, 'one')} on one.workspace = p.workspace and one.id = p.a and one.deleted_at is null and ${access.where('one')}
    join ${tableOf(resource, 'two')} on two.workspace = p.workspace and two.id = p.b and two.deleted_at is null and ${access.where('two')}
    where p.workspace = ${workspace}::uuid and p.resource = ${resource.id} and p.state = ${state}
      and s.score >= ${state === 'open' ? suspectFrom(scope.ctx.workspace) : 0}
      ${after ? sql`and (-s.score, p.a, p.b) > (${-after.score}::integer, ${after.a}::uuid, ${after.b}::uuid)` : sql``}
    order by s.score desc, p.a, p.b limit ${limit + 1}`.execute(scope.tx)
  const shown = rows.slice(0, limit)
  const records = await recordsByIds(scope, resource.id, [...new Set(shown.flatMap(({ a, b }) => [a, b]))])
  const weights = weightsOf(readableKeys(scope, resource))
  const last = shown.at(-1)
  const { rows: scans } = await sql<{ finished_at: string | null }>`
    select finished_at from core.duplicate_scan where workspace = ${workspace}::uuid and resource = ${resource.id}`.execute(
    scope.tx,
  )
  return {
    data: shown.flatMap((row) => pairOf(scope, row, records, weights)),
    page: {
      next: rows.length > limit && last ? Buffer.from(`${last.score}|${last.a}|${last.b}`).toString('base64url') : null,
    },
    scannedAt: scans[0]?.finished_at ?? null,
  }
}

/**
 * `scoreOf` in SQL by what the actor may know of: pairs stand, go on and end by it, for a place in the order would tell of a
 * match on the others. The score that is kept where nothing is hidden, because it has an index.
 */
function shownScore(scope: EngineScope, resource: Resource): RawBuilder<number> {
  const keys = readableKeys(scope, resource)
  if (keys.length === duplicateKeysOf(scope, resource).length) return sql`p.score`
  const likeness = (kind: string) =>
    sql`coalesce((select (r ->> 'likeness')::numeric from jsonb_array_elements(p.reasons) r where r ->> 'kind' = ${kind}), 0)`
  const doubts = [...weightsOf(keys)].map(([kind, weight]) => sql`(1 - ${weight}::numeric / 100 * ${likeness(kind)})`)
  return sql`round(100 * (1 - ${sql.join([sql`1::numeric`, ...doubts], sql` * `)}))::integer`
}

/** The pair as far as the actor may know why: a match on a field they may not read is not told. */
function pairOf(
  scope: EngineScope,
  { a, b, reasons: all, state, found_at: foundAt }: PairRow,
  records: Readonly<Record<string, RecordJson>>,
  weights: ReadonlyMap<string, number>,
): DuplicatePair[] {
  const [one, two] = [records[a], records[b]]
  const reasons = all.filter(({ kind }) => weights.has(kind))
  const score = scoreOf(reasons, weights)
  if (!one || !two || (state === 'open' && score < suspectFrom(scope.ctx.workspace))) return []
  return [{ a: one, b: two, score, reasons, state, foundAt }]
}

function placeOf(cursor: string | undefined): { score: number; a: string; b: string } | undefined {
  if (cursor === undefined || cursor === '') return undefined
  const [score = '', a = '', b = ''] = Buffer.from(cursor, 'base64url').toString().split('|')
  if (!/^\d{1,3}$/.test(score) || !isUuid(a) || !isUuid(b)) throw cursorInvalid({ cursor: cursor.slice(0, 60) })
  return { score: Number(score), a, b }
}

/** Remembers that two records are not the same, or takes it back. */
export async function decidePair(
  scope: EngineScope,
  resource: Resource,
  { one, two, same }: { readonly one: string; readonly two: string; readonly same: boolean },
): Promise<void> {
  demandAction(scope, resource, 'update')
  if (scope.ctx.partners) throw permissionDenied({ permission: `${resource.id}.merge` })
  for (const id of [one, two])
    if (!(await findRow(scope, resource, id))) throw recordNotFound({ resource: resource.entity, id })
  const [a, b] = [one.toLowerCase(), two.toLowerCase()].toSorted()
  if (a === b) throw recordNotFound({ resource: resource.entity, id: two })
  const { ctx } = scope
  const at = ctx.clock.now().toISOString()
  const by = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  const state = same ? 'open' : 'dismissed'
  await sql`
    insert into core.duplicate_pair (workspace, resource, a, b, score, reasons, state, found_at, decided_at, decided_by)
    values (${ctx.workspace.id}::uuid, ${resource.id}, ${a}::uuid, ${b}::uuid, 0, '[]', ${state}, ${at}::timestamptz, ${at}::timestamptz, ${by}::uuid)
    on conflict (workspace, resource, a, b) do update
      set state = excluded.state, decided_at = excluded.decided_at, decided_by = excluded.decided_by`.execute(scope.tx)
}
