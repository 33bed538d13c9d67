import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { chooseView, type ViewChoice } from './choices.ts'

const choice = z.strictObject({
  default: z.boolean().optional(),
  pinned: z.boolean().optional(),
  position: z.int().min(0).max(10_000).optional(),
})

export const viewRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'put',
    path: '/views/:id/choice',
    permission: 'core.view.read',
    summary: 'Start with a view, or keep it in the sidebar: for oneself only',
    params: z.object({ id: z.uuid() }),
    body: choice,
    answer: z.object({ data: z.object({ default: z.boolean(), pinned: z.boolean(), position: z.int() }) }),
    handle: async ({ params, body }, ctx) => ({ data: await chooseView(ctx, params.id, body as ViewChoice) }),
  }),
]
