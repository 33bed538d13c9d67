import { defineRoute, z } from '@socle/sdk'
import { Remarks } from './contract.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/contacts/:id/remarks',
    permission: 'core.contact.read',
    summary: 'What modules remark on a contact',
    params: z.object({ id: z.uuid() }),
    answer: z.object({ data: z.array(z.string()) }),
    async handle({ params }, ctx) {
      // Whoever may not see the contact hears nothing of it.
      await ctx.records.get('core.contact', params.id)
      const data: string[] = []
      for (const remark of ctx.contributions(Remarks)) {
        const said = await remark(params.id, ctx)
        if (said !== undefined) data.push(said)
      }
      return { data }
    },
  }),
]
