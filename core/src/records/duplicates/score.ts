/** Why two records may be one. */
export interface DuplicateReason {
  readonly kind: string
  /** 1 for equal values, less for a close spelling. */
  readonly likeness: number
}

/** How much must speak for it before people are asked. */
export const suspectFrom = 50

/**
 * What all reasons say together, 0 to 100: each takes its part of the doubt the others leave, so that two of 50 are 75.
 *
 * @param weights - of a full match, by kind; a kind without one says nothing
 *
 * Noisy or, Pearl 1988, section 4.3.2.
 */
export function scoreOf(reasons: readonly DuplicateReason[], weights: ReadonlyMap<string, number>): number {
  const doubt = reasons.reduce(
    (left, { kind, likeness }) => left * (1 - ((weights.get(kind) ?? 0) / 100) * likeness),
    1,
  )
  return Math.round(100 * (1 - doubt))
}
