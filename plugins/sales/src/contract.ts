import { defineEvent, z } from '@socle/sdk'

const closed = z.object({
  opportunity: z.uuid(),
  account: z.uuid().nullable(),
  /** Decimal string in `currency`; null when nobody gave one. */
  amount: z.string().nullable(),
  currency: z.string(),
  /** Day in the workspace's zone. */
  on: z.iso.date(),
})

export const OpportunityMoved = defineEvent('sales.opportunity.moved', {
  version: 1,
  payload: z.object({
    opportunity: z.uuid(),
    from: z.uuid(),
    to: z.uuid(),
    direction: z.enum(['forward', 'backward']),
    /** Stages between the two. */
    skipped: z.int().min(0),
  }),
})
export const OpportunityWon = defineEvent('sales.opportunity.won', { version: 1, payload: closed })
export const OpportunityLost = defineEvent('sales.opportunity.lost', {
  version: 1,
  payload: closed.extend({ reason: z.uuid().nullable() }),
})
export const OpportunityReopened = defineEvent('sales.opportunity.reopened', {
  version: 1,
  payload: z.object({ opportunity: z.uuid() }),
})
