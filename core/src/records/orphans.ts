import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { SocleError } from '../errors.ts'
import { requestJob } from '../jobs/index.ts'
import type { JobHandler } from '../jobs/job.ts'
import type { JobDefinition } from '../plugins/define-plugin.ts'
import type { RecordEngine } from './engine.ts'
import { fieldValue } from './field-value.ts'
import { withEveryRight } from './merge/system-scope.ts'
import { tableOf } from './past.ts'
import type { Resource, Resources } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { changeLocked, lockRecord } from './write.ts'

export const orphanScanKind = 'core.orphan-scan'

export interface OrphanPlace {
  readonly resource: string
  readonly field: string
}

/** Records looked at in one unit of work. */
const chunkSize = 1_000

/**
 * Fields that point at records without a foreign key: those for a record of any kind, a workspace's own references, and links
 * that are not to outlive their target.
 * The write path lets nothing else in, but what is erased, retired or removed with its plugin leaves them behind.
 */
function placesOf(catalog: Resources): readonly OrphanPlace[] {
  return catalog
    .all()
    .flatMap((resource) =>
      resource.all
        .filter(
          ({ targetIn, custom, target, onTargetGone = 'orphan' }) =>
            targetIn !== undefined || (custom && target !== undefined) || onTargetGone !== 'orphan',
        )
        .map(({ name }) => ({ resource: resource.id, field: name })),
    )
}

/** Every night, one scan for each place that has no foreign key to hold it. */
export function nightlyOrphanScan(catalog: (workspace: string) => Resources): JobDefinition {
  return {
    id: 'nightly-orphan-scan',
    schedule: '10 3 * * *',
    async run(ctx) {
      for (const { resource, field } of placesOf(catalog(ctx.workspace.id)))
        await requestJob(ctx, {
          kind: orphanScanKind,
          key: `${resource}.${field}`,
          payload: { resource, field },
        })
    },
  }
}

/**
 * Looks through one place and empties what points at nothing, through the write path: the history tells what stood there.
 * A killed scan begins its place again, which costs seconds for a million rows; what it emptied is empty.
 */
export const scanOrphans: JobHandler<OrphanPlace> = async ({ payload }, { unit, progress }) => {
  let after: string | undefined
  let looked = 0
  let emptied = 0
  let refused = 0
  for (;;) {
    const step = await unit((ctx) => orphanStep(ctx, payload, after))
    looked += step.looked
    emptied += step.emptied
    refused += step.refused
    if (step.last === undefined) return { looked, emptied, refused }
    after = step.last
    await progress(looked)
  }
}

interface Pointer {
  readonly id: string
  readonly to: string
  readonly kind: string | null
}

async function orphanStep(
  ctx: Context,
  { resource: id, field: name }: OrphanPlace,
  after: string | undefined,
): Promise<{ looked: number; emptied: number; refused: number; last: string | undefined }> {
  const scope = withEveryRight((ctx.records as RecordEngine).scope)
  const resource = scope.catalog.get(id)
  const field = resource?.fields.get(name)
  // A plugin or a field that went away since the scan was asked for.
  if (!resource || !field || !scope.exists(resource)) return { looked: 0, emptied: 0, refused: 0, last: undefined }
  const kind = field.targetIn === undefined ? undefined : resource.fields.get(field.targetIn)
  const { rows } = await sql<Pointer>`
    select t.id, ${fieldValue(field, 't')} as "to", ${kind ? fieldValue(kind, 't') : sql`null`} as kind
    from ${tableOf(resource, 't')}
    where t.workspace = ${ctx.workspace.id}::uuid and ${fieldValue(field, 't')} is not null and t.deleted_at is null
      ${after === undefined ? sql`` : sql`and t.id > ${after}::uuid`}
    order by t.id limit ${chunkSize}`.execute(scope.tx)
  let emptied = 0
  let refused = 0
  for (const [target, some] of Map.groupBy(rows, (row) => row.kind ?? field.target ?? '')) {
    for (const row of await pointingNowhere(scope, target, some)) {
      if (await empty(scope, resource, row.id, [name, ...(kind ? [kind.name] : [])])) emptied += 1
      else refused += 1
    }
  }
  return { looked: rows.length, emptied, refused, last: rows.length < chunkSize ? undefined : rows.at(-1)?.id }
}

/** A kind that no loaded plugin declares may come back with its plugin, and its records with it. */
async function pointingNowhere(scope: EngineScope, id: string, rows: readonly Pointer[]): Promise<readonly Pointer[]> {
  const target = scope.catalog.get(id)
  if (!target) return []
  const wanted = [...new Set(rows.map(({ to }) => to))]
  const { rows: found } = await sql<{ id: string }>`
    select t.id from ${tableOf(target, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${wanted}::uuid[])`.execute(scope.tx)
  // In the bin is not gone: it may be restored.
  const there = new Set(found.map((row) => row.id))
  return rows.filter(({ to }) => !there.has(to))
}

async function empty(scope: EngineScope, resource: Resource, id: string, names: readonly string[]): Promise<boolean> {
  try {
    return await scope.savepoint(async () => {
      const before = await lockRecord(scope, resource, id, 'update', { internal: true })
      await changeLocked(scope, resource, before, new Map(names.map((name) => [name, null])), { internal: true })
      return true
    })
  } catch (error) {
    // A guard that will not have it empty knows better; the next night asks again.
    if (error instanceof SocleError && error.status < 500) return false
    throw error
  }
}
