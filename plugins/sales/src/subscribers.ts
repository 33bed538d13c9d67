import { lifecycleRule } from '@socle/sdk'
import { OpportunityWon } from './contract.ts'

export const subscribers = [
  lifecycleRule('won-makes-a-client', OpportunityWon, { to: 'client', account: ({ account }) => account }),
]
