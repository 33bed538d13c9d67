import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { isUuid } from '../values.ts'
import { exportNotFound } from './errors.ts'
import type { ExportQuery } from './export.ts'

export type ExportState = 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'expired'

/** An export as the one who asked for it sees it. */
export interface ExportRun {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly resource: string
  readonly format: string
  readonly query: ExportQuery
  readonly state: ExportState
  readonly job: string | null
  /** Rows written so far, and as many as were counted when it began. */
  readonly rows: number
  readonly total: number | null
  readonly size: number
  readonly pieces: number
  readonly after: string | null
  readonly createdAt: string
  readonly finishedAt: string | null
  readonly expiresAt: string | null
  readonly problem: { readonly code: string; readonly detail: string } | null
}

const select = (ctx: Context) => sql`
  select e.id, e.version, e.name, e.resource, e.format, e.query, r.job, r.rows, j.total, r.size, r.pieces, r.after,
    e.created_at as "createdAt", e.finished_at as "finishedAt", e.expires_at as "expiresAt",
    case when j.state = 'failed' then j.error end as problem,
    case when e.expires_at <= ${ctx.clock.now().toISOString()}::timestamptz then 'expired'
      when e.finished_at is not null then 'done'
      when j.state in ('paused', 'cancelled', 'failed') then j.state
      else 'running' end as state
  from core.export_run r join core.export e on e.workspace = r.workspace and e.id = r.export
    left join core.job j on j.id = r.job
  where r.workspace = ${ctx.workspace.id}::uuid and r.actor_id = ${ctx.actor.id ?? null}::uuid and e.deleted_at is null`

/** @throws `EXPORT_NOT_FOUND` (404) for one that is absent, or somebody else's */
export async function exportOf(ctx: Context, id: string): Promise<ExportRun> {
  const { rows } = isUuid(id)
    ? await sql<ExportRun>`${select(ctx)} and e.id = ${id}::uuid`.execute(ctx.sql)
    : { rows: [] }
  const [found] = rows
  if (!found) throw exportNotFound({ id: id.slice(0, 60) })
  return found
}

export async function exportsOf(ctx: Context, most: number): Promise<readonly ExportRun[]> {
  const { rows } = await sql<ExportRun>`${select(ctx)} order by r.at desc, r.export desc limit ${most}`.execute(ctx.sql)
  return rows
}

export async function insertRun(ctx: Context, id: string, job: string): Promise<void> {
  await sql`
    insert into core.export_run (workspace, export, actor_type, actor_id, job, at)
    values (${ctx.workspace.id}::uuid, ${id}::uuid, ${ctx.actor.type}, ${ctx.actor.id}::uuid, ${job}::uuid,
      ${ctx.clock.now().toISOString()}::timestamptz)`.execute(ctx.sql)
}

export type RunProgress = Pick<ExportRun, 'after' | 'pieces' | 'rows' | 'size'>

export async function keepProgress(ctx: Context, id: string, it: RunProgress): Promise<void> {
  await sql`
    update core.export_run set after = ${it.after}, pieces = ${it.pieces}, rows = ${it.rows}, size = ${it.size}
    where workspace = ${ctx.workspace.id}::uuid and export = ${id}::uuid`.execute(ctx.sql)
}
