import type { z } from 'zod'

/** A fact that is told after it happened: `<plugin>.<entity>.<participle>`. */
export interface EventDefinition<P extends z.ZodType = z.ZodType, Name extends string = string> {
  readonly name: Name
  readonly version: number
  readonly payload: P
}

/**
 * Declares an event with a versioned payload.
 *
 * @example
 * export const LoanReturned = defineEvent('loans.loan.returned', { version: 1, payload: z.object({ loan: z.uuid() }) })
 */
export function defineEvent<P extends z.ZodType, const Name extends string>(
  name: Name,
  { version, payload }: { version: number; payload: P },
): EventDefinition<P, Name> {
  return { name, version, payload }
}

/** An event as it stands in the outbox. */
export interface StoredEvent<T = unknown> {
  readonly id: string
  readonly name: string
  readonly version: number
  /** Id of the record it is about; events of one key arrive in commit order. */
  readonly key: string
  readonly payload: T
  readonly changeSet?: string
  /** ISO instant. */
  readonly at: string
}

/** An event about to be written with the unit of work that tells it. */
export interface Emission {
  readonly name: string
  readonly version: number
  readonly key: string
  readonly payload: unknown
  /** Held instead of the key's own lock until the commit, where the unit holds the record's row anyway. */
  readonly lock?: string
}
