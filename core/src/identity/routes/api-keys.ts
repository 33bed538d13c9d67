import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { ApiKeyService, longestOldDays } from '../api-key-service.ts'
import { byId, given, instant, name, named } from './schemas.ts'

const permission = 'core.apikey.manage'

const newKey = z.strictObject({
  name,
  role: z.uuid(),
  expiresInDays: z.int().min(1).max(3_650).nullable().optional(),
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
  addresses: z.array(z.string().max(60)).max(200).optional(),
})

const key = z.object({
  id: z.string(),
  version: z.number(),
  name: z.string(),
  start: z.string(),
  role: z.string(),
  roleName: z.string(),
  addresses: z.array(z.string()).readonly(),
  createdAt: z.string(),
  expiresAt: instant,
  revokedAt: instant,
  lastUsedAt: instant,
  oldUntil: instant,
  oldUsedAt: instant,
  createdBy: named.nullable(),
  madeByKey: named.nullable(),
})

const day = 86_400_000

export const apiKeyRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/api-keys',
    permission,
    summary: 'API keys, newest first; revoked ones with ?revoked=true',
    query: z.object({
      revoked: z
        .enum(['true', 'false'])
        .transform((it) => it === 'true')
        .optional(),
      limit: z.coerce.number().int().min(1).max(200).optional(),
      after: z.string().max(4_000).optional(),
    }),
    answer: z.object({
      data: z.array(key).readonly(),
      page: z.object({ next: z.string().nullable(), count: z.number(), exact: z.boolean() }),
    }),
    handle: async ({ query }, ctx) => new ApiKeyService(ctx).list(given(query)),
  }),
  defineRoute({
    method: 'post',
    path: '/api-keys',
    permission,
    secret: true,
    presence: true,
    summary: 'Make an API key; the key is answered this once',
    body: newKey,
    status: 201,
    answer: z.object({ data: key.extend({ key: z.string() }) }),
    handle: async ({ body: { expiresInDays, expiresAt, ...body } }, ctx) => {
      const end =
        typeof expiresInDays === 'number'
          ? new Date(ctx.clock.now().getTime() + expiresInDays * day).toISOString()
          : (expiresAt ?? null)
      return { data: await new ApiKeyService(ctx).create({ ...given(body), expiresAt: end }) }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api-keys/:id/rotate',
    permission,
    secret: true,
    presence: true,
    summary: 'Give an API key a new secret, answered this once; the old one works for some days, or until an instant',
    params: byId,
    body: z.strictObject({
      oldForDays: z.int().min(0).max(longestOldDays).optional(),
      oldUntil: z.iso.datetime({ offset: true }).optional(),
    }),
    answer: z.object({ data: key.extend({ key: z.string() }) }),
    handle: async ({ params: { id }, body: { oldForDays = 7, oldUntil } }, ctx) => ({
      data: await new ApiKeyService(ctx).rotate(
        id,
        oldUntil ?? new Date(ctx.clock.now().getTime() + oldForDays * day).toISOString(),
      ),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api-keys/:id/old-secret',
    permission,
    summary: 'Refuse the older of an API key’s two secrets from now on',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new ApiKeyService(ctx).endRotation(id),
  }),
  defineRoute({
    method: 'post',
    path: '/api-keys/:id/revoke',
    permission,
    summary: 'Refuse an API key from now on, and the keys it made',
    params: byId,
    answer: z.object({ data: key }),
    handle: async ({ params: { id } }, ctx) => {
      const service = new ApiKeyService(ctx)
      await service.revoke(id)
      return { data: await service.get(id) }
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api-keys/:id',
    permission,
    summary: 'Refuse an API key from now on, and the keys it made',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new ApiKeyService(ctx).revoke(id),
  }),
]
