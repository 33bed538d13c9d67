import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { definePermission, defineRoute } from '../plugins/define-plugin.ts'
import { jobFinished, jobNotFound } from './errors.ts'

export const jobPermissions = [
  definePermission('core.job.manage', {
    en: "See and cancel everybody's background jobs",
    fr: 'Voir et annuler les tâches de fond de tous',
  }),
]

const jobView = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  progress: z.int(),
  total: z.int().nullable(),
  result: z.unknown(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
  startedBy: z.uuid().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
})
type JobView = z.infer<typeof jobView>

const params = z.object({ id: z.uuid() })
const answer = z.object({ data: jobView })

/** A job that somebody else started does not exist for those who may not manage jobs. */
async function visibleJob(id: string, { sql: tx, workspace, actor, authority }: Context): Promise<JobView> {
  const { rows } = await sql<JobView>`
    select id, kind, state, progress, total, result, error, actor as "startedBy",
      created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"
    from core.job where workspace = ${workspace.id}::uuid and id = ${id}::uuid`.execute(tx)
  const [job] = rows
  const own = job?.startedBy !== null && job?.startedBy === actor.id
  if (!job || !(own || authority.may('core.job.manage'))) throw jobNotFound({ id })
  return job
}

const readJob = defineRoute({
  method: 'get',
  path: '/jobs/:id',
  permission: 'authenticated',
  summary: 'How far a background job is',
  params,
  answer,
  handle: async (input, ctx) => ({ data: await visibleJob(input.params.id, ctx) }),
})

const cancelJob = defineRoute({
  method: 'post',
  path: '/jobs/:id/cancel',
  permission: 'authenticated',
  summary: 'Cancel a background job; what it has done so far stays',
  params,
  answer,
  handle: async ({ params: { id } }, ctx) => {
    const job = await visibleJob(id, ctx)
    if (job.state === 'cancelled') return { data: job }
    const { rows } = await sql`
      update core.job set state = 'cancelled', finished_at = ${ctx.clock.now().toISOString()}::timestamptz
      where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid and state in ('queued', 'running') returning id`.execute(
      ctx.sql,
    )
    if (rows.length === 0) throw jobFinished({ kind: job.kind, state: job.state })
    return { data: await visibleJob(id, ctx) }
  },
})

export const jobRoutes = [readJob, cancelJob]
