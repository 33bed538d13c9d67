import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { mayBeTold } from '../permissions/told-rights.ts'
import { definePermission, defineRoute } from '../plugins/define-plugin.ts'
import { untold } from '../records/refusals.ts'
import { cancelJob, pauseJob, resumeJob } from './control.ts'
import { jobNotFound } from './errors.ts'

export const jobPermissions = [
  definePermission('core.job.manage', {
    en: "See and cancel everybody's background jobs",
    fr: 'Voir et annuler les tâches de fond de tous',
  }),
]

const jobView = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
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
async function visibleJob(id: string, ctx: Context): Promise<JobView> {
  const { sql: tx, workspace, actor, authority } = ctx
  const { rows } = await sql<JobView & { told: unknown }>`
    select id, kind, state, progress, total, result, error, actor as "startedBy",
      created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt", told_under as told
    from core.job where workspace = ${workspace.id}::uuid and id = ${id}::uuid`.execute(tx)
  const [found] = rows
  const own = found?.startedBy !== null && found?.startedBy === actor.id
  if (!found || !(own || authority.may('core.job.manage'))) throw jobNotFound({ id })
  const { told, ...job } = found
  // What went wrong is worded for whom the job acts, and may name what nobody else sees.
  return { ...job, error: job.error && !(own && mayBeTold(authority, told)) ? untold(ctx, job.error) : job.error }
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

const controls = [
  { verb: 'cancel', summary: 'Cancel a background job; what it has done so far stays', change: cancelJob },
  { verb: 'pause', summary: 'Let a background job wait after what it is doing now', change: pauseJob },
  { verb: 'resume', summary: 'Let a paused job go on from where it stopped', change: resumeJob },
]

const controlRoutes = controls.map(({ verb, summary, change }) =>
  defineRoute({
    method: 'post',
    path: `/jobs/:id/${verb}`,
    permission: 'authenticated',
    summary,
    params,
    answer,
    handle: async ({ params: { id } }, ctx) => {
      await visibleJob(id, ctx)
      await change(ctx, id)
      return { data: await visibleJob(id, ctx) }
    },
  }),
)

export const jobRoutes = [readJob, ...controlRoutes]
