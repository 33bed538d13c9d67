import { lifecycleRule } from '@socle/sdk'
import { OpportunityWon } from './contract.ts'
import { SalesSettings } from './settings.ts'

export const subscribers = [
  lifecycleRule('won-makes-a-client', OpportunityWon, {
    to: 'client',
    account: ({ account }) => account,
    when: async (ctx) => (await ctx.settings(SalesSettings)).wonMakesClient,
  }),
]
