import { definePoint } from '../../plugins/tokens.ts'
import type { Comparison } from './comparisons.ts'

/**
 * One thing two records of a resource may have in common that makes them suspect.
 *
 * @example
 * { kind: 'phone', fields: ['phone', 'mobile'], weight: 50 }
 * { kind: 'name', fields: [['firstName', 'lastName']], weight: 45 }
 */
export interface DuplicateKey {
  /** Names the reason: the translation key `core.duplicates.reason.<kind>`. One per resource and kind. */
  readonly kind: string
  /** Any value of these fields equal to any value of theirs is a match; names in a list are read as one text. */
  readonly fields: readonly (string | readonly string[])[]
  /** How values are brought into the form they are compared in; the kind's own name when absent. */
  readonly as?: Comparison
  /** What a full match says, 1 to 100. */
  readonly weight: number
  /** Tells only of a record that another key has found: the same employer, the same town. Not for names: they find. */
  readonly supports?: boolean
}

/** A key that a plugin adds to a resource, its own or another's. */
export interface ContributedKey {
  readonly resource: string
  readonly key: DuplicateKey
}

export const DuplicateKeys = definePoint<ContributedKey>('core/duplicate-keys@1')
