import { z } from 'zod'
import { defineEvent } from '../events/event.ts'

/** Somebody no longer works here; what they owned waits for another owner. */
export const UserDeactivated = defineEvent('core.user.deactivated', {
  version: 1,
  payload: z.object({ user: z.uuid() }),
})

/** What proved a domain has not been found for days: nobody new comes in by it until it is there again. */
export const DomainLost = defineEvent('core.identity-provider.domain-lost', {
  version: 1,
  payload: z.object({ provider: z.uuid(), domain: z.string(), since: z.iso.date() }),
})

/** Somebody may come in by a link, which whoever invited them has and nobody else. */
export const UserInvited = defineEvent('core.user.invited', {
  version: 1,
  payload: z.object({ user: z.uuid(), expiresAt: z.iso.datetime({ offset: true }) }),
})
