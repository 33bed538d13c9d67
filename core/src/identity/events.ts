import { z } from 'zod'
import { defineEvent } from '../events/event.ts'

/** Somebody no longer works here; what they owned waits for another owner. */
export const UserDeactivated = defineEvent('core.user.deactivated', {
  version: 1,
  payload: z.object({ user: z.uuid() }),
})

/** Somebody may come in by a link, which whoever invited them has and nobody else. */
export const UserInvited = defineEvent('core.user.invited', {
  version: 1,
  payload: z.object({ user: z.uuid(), expiresAt: z.iso.datetime({ offset: true }) }),
})
