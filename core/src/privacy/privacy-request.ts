import { defineEntity, p } from '@mikro-orm/core'
import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { personResources, type PersonResource } from './consents.ts'
import { forPrivacy } from './permissions.ts'
import { recordBase } from '../records/record-base.ts'
import type { JobFailing } from '../jobs/job.ts'
import { defineResource } from '../records/define-resource.ts'
import type { ErasurePlan } from './plan.ts'

export const PrivacyRequestSchema = defineEntity({
  name: 'PrivacyRequest',
  schema: 'core',
  tableName: 'privacy_request',
  properties: {
    ...recordBase(),
    number: p.string(),
    kind: p.string().$type<'access' | 'erasure'>(),
    subjectResource: p.string().$type<PersonResource>(),
    subjectRecord: p.uuid(),
    state: p.string().$type<'received' | 'verified' | 'running' | 'failed' | 'done'>().default('received'),
    requestedBy: p.string().length(250).nullable(),
    identityCheck: p.string().length(500).nullable(),
    receivedOn: p.date(),
    dueOn: p.date(),
    verifiedAt: p.datetime().nullable(),
    verifiedBy: p.uuid().nullable(),
    job: p.uuid().nullable(),
    /** Why its last job failed. */
    fault: p.text().nullable(),
    plan: p.json<ErasurePlan>().nullable(),
    plannedAt: p.datetime().nullable(),
    doneAt: p.datetime().nullable(),
    certificateId: p.uuid().nullable(),
    fileSize: p.bigint().$type<number>().nullable(),
    fileUntil: p.datetime().nullable(),
    /** When the archive was last taken along, and by whom. */
    fetchedAt: p.datetime().nullable(),
    fetchedBy: p.uuid().nullable(),
    /** When the person was let come back, by whom and why. */
    liftedAt: p.datetime().nullable(),
    liftedBy: p.uuid().nullable(),
    liftReason: p.string().length(500).nullable(),
  },
})

/** Somebody asked for what is held about them, or to be forgotten. */
export class PrivacyRequest extends PrivacyRequestSchema.class {}
PrivacyRequestSchema.setClass(PrivacyRequest)

// Read like any record; written only by the routes beside, each of which is one step of a request.
export const privacyRequests = defineResource(PrivacyRequest, {
  path: 'privacy/requests',
  title: 'number',
  icon: 'shield-check',
  nav: false,
  readonly: true,
  audience: forPrivacy,
  fields: {
    number: { required: false },
    kind: { format: 'select', options: ['access', 'erasure'] },
    subjectResource: { format: 'select', options: [...personResources] },
    subjectRecord: { format: 'text', targetIn: 'subjectResource' },
    state: {
      format: 'select',
      options: [
        { value: 'received', tone: 'info', icon: 'inbox' },
        { value: 'verified', tone: 'accent', icon: 'shield-check' },
        { value: 'running', tone: 'warning', icon: 'circle-dot' },
        { value: 'failed', tone: 'danger', icon: 'circle-alert' },
        { value: 'done', tone: 'success', icon: 'circle-check' },
      ],
    },
    verifiedBy: { format: 'user' },
    fetchedBy: { format: 'user' },
    liftedBy: { format: 'user' },
  },
  list: ['number', 'kind', 'state', 'receivedOn', 'dueOn', 'owner'],
  sort: 'dueOn',
  numbered: { number: 'PR' },
})

/** Two who do something with one request take their turns. */
export async function holdRequest(ctx: Context, id: string): Promise<void> {
  await sql`select 1 from core.privacy_request where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid for update`.execute(
    ctx.sql,
  )
}

/** Keeps with a request what became of it. */
export async function note(ctx: Context, id: string, values: Readonly<Record<string, unknown>>): Promise<void> {
  const { records } = ctx.asSystem()
  await holdRequest(ctx, id)
  const { data } = await records.get(privacyRequests, id)
  await records.update(privacyRequests, data, values, { internal: true })
}

/** A request whose job failed says why; what had begun is broken off, until it is run again. */
export const breakOff: JobFailing<{ readonly request: string }> = async (ctx, job, { detail }) => {
  const { request } = job.payload
  await holdRequest(ctx, request)
  const { data } = await ctx.asSystem().records.get(privacyRequests, request)
  // Somebody may have asked again meanwhile.
  if (data['job'] !== job.id) return
  await note(ctx, request, { fault: detail, ...(data['state'] === 'running' ? { state: 'failed' } : {}) })
}
