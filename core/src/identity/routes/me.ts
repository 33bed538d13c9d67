import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { MeService } from '../me-service.ts'
import { given, instant, named } from './schemas.ts'

const me = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  locale: z.enum(['en', 'fr']),
  roles: z.array(named),
  team: named.nullable(),
  theme: z.string().nullable(),
  density: z.string().nullable(),
  signIn: z
    .object({
      passwordSetAt: instant,
      passwordLinkAt: instant,
      secondFactorResetAt: instant,
      sessionsEndedAt: instant,
      vouchedAt: instant,
      vouchedBy: z.string().nullable(),
      unlinkedAt: instant,
      unlinkedFrom: z.string().nullable(),
    })
    .nullable(),
})

const change = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  locale: z.enum(['en', 'fr']).optional(),
  theme: z.enum(['light', 'dark', 'system']).nullable().optional(),
  density: z.enum(['comfortable', 'compact']).nullable().optional(),
})

export const meRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/me',
    permission: 'authenticated',
    summary: 'Who I am here, my roles and my team',
    answer: z.object({ data: me }),
    handle: async (_, ctx) => ({ data: await new MeService(ctx).get() }),
  }),
  defineRoute({
    method: 'patch',
    path: '/me',
    permission: 'authenticated',
    summary: 'Change my name, language or how screens look to me',
    body: change,
    answer: z.object({ data: me }),
    handle: async ({ body }, ctx) => ({ data: await new MeService(ctx).change(given(body)) }),
  }),
]
