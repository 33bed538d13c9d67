import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { definePermission, defineRoute } from '../plugins/define-plugin.ts'
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
