import { sql } from 'kysely'
import { columnsOf, tableOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import type { DuplicateKey } from './duplicate-key.ts'
import { duplicatesUndeclared } from './errors.ts'
import { findAlike, type Duplicate } from './find.ts'
import { declarationOf, duplicateKeysOf, putKeys } from './keys.ts'
import { suspectFrom } from './score.ts'

/** Records in one unit of work. */
const chunkSize = 200

export interface ScanStep {
  /** Nothing is left to compare. */
  readonly done: boolean
  /** Records dealt with in this step. */
  readonly count: number
}

/** @throws `DUPLICATES_UNDECLARED` (422) when nothing says what makes two records of the resource suspect */
export function demandKeys(scope: EngineScope, resource: Resource): readonly DuplicateKey[] {
  const keys = duplicateKeysOf(scope, resource)
  if (keys.length === 0) throw duplicatesUndeclared({ resource: resource.id })
  return keys
}

/** Records that a scan would still look at; those without keys are counted as they come. */
export async function leftToScan(scope: EngineScope, resource: Resource): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from core.duplicate_due
    where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id}`.execute(scope.tx)
  return rows[0]?.n ?? 0
}

/**
 * One step of the scan, in one unit with its checkpoint: first keys for records that have none by the declaration that
 * holds now, then records whose keys changed are compared with all others. Begun again it goes on; run twice it finds
 * the same.
 *
 * @throws `DUPLICATES_UNDECLARED` (422)
 */
export async function scanStep(scope: EngineScope, resource: Resource): Promise<ScanStep> {
  const keys = demandKeys(scope, resource)
  const filled = await fillStep(scope, resource, declarationOf(keys, scope.ctx.workspace.duplicateStrictness))
  if (filled > 0) return { done: false, count: filled }
  const { rows } = await sql<{ record: string }>`
    delete from core.duplicate_due d using (
      select record from core.duplicate_due
      where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id}
      order by record limit ${chunkSize} for update skip locked) due
    where d.workspace = ${scope.ctx.workspace.id}::uuid and d.resource = ${resource.id} and d.record = due.record
    returning d.record`.execute(scope.tx)
  const due = rows.map(({ record }) => record)
  if (due.length > 0) {
    await comparePairs(scope, resource, keys, due)
    return { done: false, count: due.length }
  }
  await sql`update core.duplicate_scan set finished_at = ${scope.ctx.clock.now().toISOString()}::timestamptz
    where workspace = ${scope.ctx.workspace.id}::uuid and resource = ${resource.id}`.execute(scope.tx)
  return { done: true, count: 0 }
}

interface ScanState {
  readonly declared: string
  readonly filled: boolean
  readonly filled_up_to: string | null
}

async function fillStep(scope: EngineScope, resource: Resource, declared: string): Promise<number> {
  const workspace = scope.ctx.workspace.id
  const { rows: states } = await sql<ScanState>`
    insert into core.duplicate_scan as s (workspace, resource, declared) values (${workspace}::uuid, ${resource.id}, ${declared})
    on conflict (workspace, resource) do update set declared = excluded.declared,
      filled = s.filled and s.declared = excluded.declared,
      filled_up_to = case when s.declared = excluded.declared then s.filled_up_to end
    returning declared, filled, filled_up_to`.execute(scope.tx)
  const [state] = states
  if (!state || state.filled) return 0
  const { rows } = await sql<RecordJson>`
    select ${columnsOf(resource.all, 't')} from ${tableOf(resource, 't')}
    where t.workspace = ${workspace}::uuid and t.deleted_at is null
      ${state.filled_up_to === null ? sql`` : sql`and t.id > ${state.filled_up_to}::uuid`}
    order by t.id limit ${chunkSize}`.execute(scope.tx)
  await putKeys(scope, resource, rows)
  await sql`update core.duplicate_scan set filled = ${rows.length < chunkSize}, filled_up_to = coalesce(${rows.at(-1)?.id ?? null}::uuid, filled_up_to)
    where workspace = ${workspace}::uuid and resource = ${resource.id}`.execute(scope.tx)
  return rows.length
}

async function comparePairs(
  scope: EngineScope,
  resource: Resource,
  keys: readonly DuplicateKey[],
  due: readonly string[],
): Promise<void> {
  const workspace = scope.ctx.workspace.id
  const supporting = new Set(keys.filter(({ supports }) => supports).map(({ kind }) => kind))
  const { rows } = await sql<{ record: string; kind: string; value: string; near: boolean }>`
    select record, kind, value, near from core.duplicate_keys(${resource.id}, ${[...due]}::uuid[]) where kind not like '%~'`.execute(
    scope.tx,
  )
  const probeOf = new Map(due.map((record, probe) => [record, probe]))
  const probes = rows.map(({ record, ...value }) => ({
    ...value,
    supports: supporting.has(value.kind),
    probe: probeOf.get(record) ?? 0,
  }))
  const found = await findAlike(scope, resource, keys, probes)
  const from = suspectFrom(scope.ctx.workspace)
  const pairs = new Map<string, Duplicate & { a: string; b: string }>()
  for (const [probe, alike] of found) {
    const record = due[probe]!
    for (const it of alike) {
      if (it.record === record || it.score < from) continue
      const [a, b] = record < it.record ? [record, it.record] : [it.record, record]
      pairs.set(`${a} ${b}`, { ...it, a, b })
    }
  }
  // What no longer matches is no longer suspect; what somebody has decided stays.
  await sql`delete from core.duplicate_pair where workspace = ${workspace}::uuid and resource = ${resource.id} and state = 'open'
    and (a = any(${[...due]}::uuid[]) or b = any(${[...due]}::uuid[]))`.execute(scope.tx)
  const put = [...pairs.values()].map(({ a, b, score, reasons }) => ({ a, b, score, reasons }))
  if (put.length === 0) return
  await sql`
    insert into core.duplicate_pair (workspace, resource, a, b, score, reasons, found_at)
    select ${workspace}::uuid, ${resource.id}, p.a, p.b, p.score, p.reasons, ${scope.ctx.clock.now().toISOString()}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(put)}::jsonb) as p (a uuid, b uuid, score integer, reasons jsonb) order by p.a, p.b
    on conflict (workspace, resource, a, b) do update set score = excluded.score, reasons = excluded.reasons`.execute(
    scope.tx,
  )
}
