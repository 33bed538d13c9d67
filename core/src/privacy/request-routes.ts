import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { transitionRefused } from '../entities/errors.ts'
import { resumeJob } from '../jobs/control.ts'
import { requestJob } from '../jobs/index.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { defineRoute, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { RecordJson } from '../records/records.ts'
import { accessKind } from './access.ts'
import { certificateOf, verifyCertificate } from './certificates.ts'
import { personResources } from './consents.ts'
import { erasureKind, rehearsalKind } from './erasure.ts'
import { requestInRehearsal, requestInTheFuture, requestNotRehearsed } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'
import { demandPerson } from './person.ts'
import { holdRequest, note, privacyRequests } from './privacy-request.ts'
import { liftTombstones } from './tombstones.ts'

const id = z.object({ id: z.uuid() })
const requestView = z.looseObject({ id: z.uuid(), version: z.int(), number: z.string(), state: z.string() })
const answer = z.object({ data: requestView })
const certificate = z.object({
  id: z.uuid(),
  position: z.int(),
  kind: z.enum(['erasure', 'retention']),
  body: z.string(),
  prevHash: z.string(),
  hash: z.string(),
  signature: z.string(),
  publicKey: z.string(),
  at: z.string(),
})

const view = (ctx: Context, record: string): Promise<{ data: z.infer<typeof requestView> }> =>
  ctx
    .asSystem()
    .records.get(privacyRequests, record)
    .then(({ data }) => ({ data: data as unknown as z.infer<typeof requestView> }))

/** One month after the request came in: GDPR, article 12(3). The last day of a month that has no such day. */
function dueOn(received: string): string {
  const [year = 0, month = 1, day = 1] = received.split('-').map(Number)
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return new Date(Date.UTC(year, month, Math.min(day, last))).toISOString().slice(0, 10)
}

/** Moves on from the state it is in, and from no other. */
async function held(ctx: Context, record: string, from: readonly string[], to: string): Promise<RecordJson> {
  await holdRequest(ctx, record)
  const { data } = await ctx.asSystem().records.get(privacyRequests, record)
  const state = String(data['state'])
  if (!from.includes(state))
    throw transitionRefused({
      subject: String(data['number']),
      from: state,
      to,
      next: { received: 'verified', verified: 'running', running: 'done', failed: 'running', done: '–' }[state] ?? '–',
    })
  return data
}

const demand = ({ authority }: Context, permission: string) => {
  if (!authority.may(permission)) throw permissionDenied({ permission })
}

export function requestRoutes(keys: () => PrivacyKeys): readonly RouteDefinition[] {
  return [
    defineRoute({
      method: 'post',
      path: '/privacy/requests',
      permission: 'core.privacy.manage',
      summary: 'Note that a person asks for their data, or to be erased',
      body: z.strictObject({
        kind: z.enum(['access', 'erasure']),
        resource: z.enum(personResources),
        record: z.uuid(),
        requestedBy: z.string().trim().max(250).optional(),
        receivedOn: z.iso.date().optional(),
      }),
      answer,
      status: 201,
      handle: async ({ body }, ctx) => {
        await demandPerson(ctx, body)
        const today = ctx.clock.today()
        const { receivedOn = today } = body
        if (receivedOn > today) throw requestInTheFuture({ day: receivedOn })
        const { id: made } = await ctx.asSystem().records.create(
          privacyRequests,
          {
            kind: body.kind,
            subjectResource: body.resource,
            subjectRecord: body.record,
            requestedBy: body.requestedBy || null,
            receivedOn,
            dueOn: dueOn(receivedOn),
          },
          { internal: true },
        )
        return view(ctx, made)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/requests/:id/verify',
      permission: 'core.privacy.manage',
      summary: 'Note how it was made sure that the person is who they say',
      params: id,
      body: z.strictObject({ identityCheck: z.string().trim().min(3).max(500) }),
      answer,
      handle: async ({ params, body }, ctx) => {
        await held(ctx, params.id, ['received'], 'verified')
        const verifiedBy = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
        await note(ctx, params.id, {
          state: 'verified',
          identityCheck: body.identityCheck,
          verifiedAt: ctx.clock.now().toISOString(),
          verifiedBy,
        })
        return view(ctx, params.id)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/requests/:id/rehearse',
      permission: 'core.privacy.manage',
      summary: 'Find out what an erasure would take, and what the law keeps',
      params: id,
      answer,
      status: 202,
      handle: async ({ params }, ctx) => {
        await held(ctx, params.id, ['received', 'verified'], 'rehearsed')
        const job = await requestJob(ctx, { kind: rehearsalKind, key: params.id, payload: { request: params.id } })
        await note(ctx, params.id, { job, fault: null })
        return view(ctx, params.id)
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/requests/:id/run',
      permission: 'core.privacy.manage',
      summary: 'Do what was asked: write the archive, or erase the person',
      params: id,
      answer,
      status: 202,
      handle: async ({ params }, ctx) => {
        // One that failed or was stopped goes on from where it was.
        const data = await held(ctx, params.id, ['verified', 'running', 'failed'], 'running')
        const isErasure = data['kind'] === 'erasure'
        demand(ctx, isErasure ? 'core.privacy.erase' : 'core.privacy.export')
        if (isErasure && data['plannedAt'] === null) throw requestNotRehearsed({ number: String(data['number']) })
        const before = await stateOfJob(ctx, data['job'])
        if (isErasure && data['state'] === 'verified' && (before === 'queued' || before === 'running'))
          throw requestInRehearsal({ number: String(data['number']) })
        if (before === 'paused') await resumeJob(ctx, String(data['job']))
        const job = await requestJob(ctx, {
          kind: isErasure ? erasureKind : accessKind,
          key: params.id,
          payload: { request: params.id },
        })
        await note(ctx, params.id, { state: 'running', job, fault: null })
        return view(ctx, params.id)
      },
    }),
    defineRoute({
      method: 'get',
      path: '/privacy/certificates/:id',
      permission: 'core.privacy.read',
      summary: 'A certificate, word for word as it was signed',
      params: id,
      answer: z.object({ data: certificate }),
      handle: async ({ params }, ctx) => ({ data: await certificateOf(ctx, keys(), params.id) }),
    }),
    defineRoute({
      method: 'get',
      path: '/privacy/certificates/:id/verification',
      permission: 'core.privacy.read',
      summary: 'Whether a certificate is what was written, by whom, and in its place',
      params: id,
      answer: z.object({
        data: z.object({ valid: z.boolean(), fault: z.enum(['altered', 'unsigned', 'unlinked']).nullable() }),
      }),
      handle: async ({ params }, ctx) => ({ data: await verifyCertificate(ctx, keys(), params.id) }),
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/tombstones/lift',
      permission: 'core.privacy.erase',
      summary: 'Let an erased person come back, with the reason',
      body: z.strictObject({
        address: z.string().min(3).max(254).optional(),
        request: z.uuid().optional(),
        reason: z.string().trim().min(3).max(500),
      }),
      answer: z.object({ data: z.object({ lifted: z.int() }) }),
      handle: async ({ body }, ctx) => {
        const lifted = await liftTombstones(ctx, keys(), body)
        return { data: { lifted } }
      },
    }),
  ]
}

async function stateOfJob(ctx: Context, job: unknown): Promise<string | undefined> {
  if (typeof job !== 'string') return undefined
  const { rows } = await sql<{ state: string }>`
    select state from core.job where workspace = ${ctx.workspace.id}::uuid and id = ${job}::uuid`.execute(ctx.sql)
  return rows[0]?.state
}
