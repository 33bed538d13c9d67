import { z } from 'zod'
import { defineEvent, type EventDefinition } from './event.ts'

/** What every event of a record's own change carries. Who wants the values reads them: they may have moved on since. */
export const recordChange = z.object({
  record: z.uuid(),
  version: z.int().min(1),
  /** Names of the fields that changed. */
  changed: z.array(z.string()),
})

/** What two records becoming one tells, and their becoming two again. */
export const recordMerge = z.object({
  /** The record that stayed. */
  record: z.uuid(),
  /** Those that ended, or returned. */
  merged: z.array(z.uuid()),
  merge: z.uuid(),
})

const participles = ['created', 'updated', 'deleted', 'restored'] as const

/** The events a resource tells when records of it are merged: `<plugin>.<entity>.merged`, `unmerged`. */
export function mergeEvents(resource: string): readonly EventDefinition<typeof recordMerge>[] {
  return ['merged', 'unmerged'].map((participle) =>
    defineEvent(`${resource}.${participle}`, { version: 1, payload: recordMerge }),
  )
}

/** The events a resource tells by itself: `<plugin>.<entity>.created`, `updated`, `deleted`, `restored`. */
export function recordEvents(resource: string): readonly EventDefinition<typeof recordChange>[] {
  return participles.map((participle) =>
    defineEvent(`${resource}.${participle}`, { version: 1, payload: recordChange }),
  )
}
