import { z } from 'zod'
import { defineEvent } from '../../events/event.ts'

/** A file has become records, as far as its lines could. */
export const ImportCompleted = defineEvent('core.import.completed', {
  version: 1,
  payload: z.object({
    import: z.uuid(),
    resource: z.string(),
    created: z.int(),
    updated: z.int(),
    failed: z.int(),
  }),
})

/** An import was taken back: what it made is gone, what it changed is as before, but for what was changed or used since. */
export const ImportRolledBack = defineEvent('core.import.rolled-back', {
  version: 1,
  payload: z.object({ import: z.uuid(), resource: z.string(), deleted: z.int(), restored: z.int(), kept: z.int() }),
})
