import { z } from 'zod'
import { defineEvent, type EventDefinition } from './event.ts'

/** What every event of a record's own change carries. Who wants the values reads them: they may have moved on since. */
export const recordChange = z.object({
  record: z.uuid(),
  version: z.int().min(1),
  /** Names of the fields that changed. */
  changed: z.array(z.string()),
})

const participles = ['created', 'updated', 'deleted', 'restored'] as const

/** The events a resource tells by itself: `<plugin>.<entity>.created`, `updated`, `deleted`, `restored`. */
export function recordEvents(resource: string): readonly EventDefinition<typeof recordChange>[] {
  return participles.map((participle) =>
    defineEvent(`${resource}.${participle}`, { version: 1, payload: recordChange }),
  )
}
