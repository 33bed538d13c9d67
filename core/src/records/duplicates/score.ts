/** Why two records may be one. */
export interface DuplicateReason {
  readonly kind: string
  /** 1 for equal values, less for a close spelling. */
  readonly likeness: number
}

/** How much must speak for it before people are asked: `careful` asks early, `strict` only when little doubt is left. */
export type Strictness = 'careful' | 'normal' | 'strict'

const thresholds: Readonly<Record<Strictness, number>> = { careful: 35, normal: 50, strict: 80 }

/** The lowest score the scan keeps, so that a change of strictness needs no new scan. */
export const lowestScore = thresholds.careful

export function thresholdOf(strictness: Strictness): number {
  return thresholds[strictness]
}

export function isSuspect(score: number, strictness: Strictness): boolean {
  return score >= thresholdOf(strictness)
}

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
