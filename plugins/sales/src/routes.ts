import { defineRoute, z } from '@socle/sdk'
import { opportunities } from './resources.ts'
import { visitsOf } from './stage-visits.ts'

const visit = z.object({
  id: z.string(),
  stage: z.string(),
  name: z.string(),
  direction: z.enum(['entered', 'forward', 'backward']),
  skipped: z.number(),
  enteredAt: z.string(),
  leftAt: z.string().nullable(),
  actor: z.string(),
})

export const routes = [
  defineRoute({
    method: 'get',
    path: '/opportunities/:id/visits',
    permission: 'sales.opportunity.read',
    summary: 'The stages an opportunity stood in, first to last',
    params: z.object({ id: z.string() }),
    answer: z.object({ data: z.array(visit) }),
    handle: async ({ params }, ctx) => {
      await ctx.records.get(opportunities, params.id, { fields: ['id'] })
      return { data: [...(await visitsOf(ctx, params.id))] }
    },
  }),
]
