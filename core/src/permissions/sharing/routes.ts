import { z } from 'zod'
import { given } from '../../identity/routes/schemas.ts'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { ShareService } from './share-service.ts'

const byId = z.object({ id: z.uuid() })
const resource = z.string().max(120)
const access = z.enum(['read', 'write'])
const until = z.iso.datetime({ offset: true }).nullable()
const reason = z.string().trim().max(500).nullable()

const share = z.object({
  id: z.string(),
  version: z.number(),
  resource: z.string(),
  record: z.string(),
  with: z.object({ kind: z.enum(['user', 'team', 'partner']), id: z.string(), name: z.string().nullable() }),
  access,
  until: z.string().nullable(),
  reason: z.string().nullable(),
  holds: z.boolean(),
  by: z.string().nullable(),
  at: z.string(),
})

// Who may share a record is asked of the record: `authenticated` is only the door.
const permission = 'authenticated'

export const sharingRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/shares/of/:resource/:record',
    permission,
    summary: 'With whom a record is shared, for whoever may share it',
    params: z.object({ resource, record: z.uuid() }),
    answer: z.object({ data: z.array(share) }),
    handle: async ({ params }, ctx) => ({ data: await new ShareService(ctx).list(params) }),
  }),
  defineRoute({
    method: 'get',
    path: '/shares/with-me',
    permission,
    summary: 'What is shared with me now, or of one kind of records, newest first',
    query: z.object({
      resource: resource.optional(),
      limit: z.coerce.number().int().min(1).max(200).optional(),
      after: z.string().max(4_000).optional(),
    }),
    answer: z.object({
      data: z.array(share.extend({ title: z.string(), name: z.string() })),
      page: z.object({ next: z.string().nullable() }),
    }),
    handle: async ({ query }, ctx) => new ShareService(ctx).withMe(given(query)),
  }),
  defineRoute({
    method: 'post',
    path: '/shares',
    permission,
    summary: 'Share records with a person, or with a team and the teams below it; all of them or none',
    body: z
      .strictObject({
        resource,
        records: z.array(z.uuid()).min(1).max(200),
        user: z.uuid().optional(),
        team: z.uuid().optional(),
        access: access.optional(),
        until: until.optional(),
        reason: reason.optional(),
      })
      .refine(({ user, team }) => (user === undefined) !== (team === undefined), {
        path: ['user'],
        params: { code: 'SHARE_WITH_ONE' },
      }),
    status: 201,
    answer: z.object({ data: z.array(share) }),
    handle: async ({ body }, ctx) => ({ data: await new ShareService(ctx).give(given(body)) }),
  }),
  defineRoute({
    method: 'patch',
    path: '/shares/:id',
    permission,
    summary: 'Change what a share opens, until when, and why',
    params: byId,
    body: z.strictObject({ access: access.optional(), until: until.optional(), reason: reason.optional() }),
    answer: z.object({ data: share }),
    handle: async ({ params: { id }, body }, ctx) => ({ data: await new ShareService(ctx).change(id, given(body)) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/shares/:id',
    permission,
    summary: 'End a share',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new ShareService(ctx).end(id),
  }),
]
