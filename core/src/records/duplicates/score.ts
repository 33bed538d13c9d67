import type { DuplicateStrictness, Workspace } from '../../actor.ts'

/** Why two records may be one. */
export interface DuplicateReason {
  readonly kind: string
  /** 1 for equal values, less for a close spelling. */
  readonly likeness: number
}

const thresholds: Readonly<Record<DuplicateStrictness, number>> = { lenient: 70, usual: 50, strict: 35 }

/** How much must speak for it before people are asked, as the workspace has it. */
export function suspectFrom({ duplicateStrictness }: Workspace): number {
  return thresholds[duplicateStrictness]
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

/** A value that is looked for, one of those of its probe. */
interface Asked {
  readonly probe: number
  readonly kind: string
  readonly near: boolean
  readonly supports: boolean
}

/** Close spellings are never looked for below this likeness: what has less in common is another name. */
const leastAlike = 0.5

/** How a value finds records; see `core.duplicate_find`. */
export type Finding = 'equal' | 'close' | 'few' | 'crowded'

/**
 * Says how each value finds records, so that none is missed that is suspect, and close spellings, which cost most, are looked
 * for as seldom as may be. What finds nothing is still compared with what others found.
 *
 * A kind finds nothing where all that could stand beside it would not make a suspect: a contact's name while no account is
 * given. Close spellings are looked for by the weightiest kinds, until what is left could not make one without them; and
 * where all they need beside them are equal values that only support, such as the account, by those who have that in common,
 * if they are few.
 *
 * @param from - score from which on two are suspect
 * @returns the values, and how alike a close spelling must be to matter
 */
export function findersAmong<P extends Asked>(
  probes: readonly P[],
  weights: ReadonlyMap<string, number>,
  from: number,
): { readonly asked: readonly (P & { readonly finds?: Finding })[]; readonly alike: number } {
  const suspect = (kinds: Iterable<string>, kind?: string, likeness = 1) =>
    scoreOf(
      [...kinds].map((it) => ({ kind: it, likeness: it === kind ? likeness : 1 })),
      weights,
    ) >= from
  let alike = 1
  const asked = [...Map.groupBy(probes, ({ probe }) => probe).values()].flatMap((values) => {
    const kinds = new Set(values.map(({ kind }) => kind))
    const plainSupport = new Set(values.filter(({ near, supports }) => supports && !near).map(({ kind }) => kind))
    const finding = values.filter(({ supports }) => !supports)
    // A strong value that has no close spelling finds its records whatever else they have: it need not be thought beside others.
    const apart = new Set(finding.filter(({ kind, near }) => !near && suspect([kind])).map(({ kind }) => kind))
    const beside = (kind: string) => [...kinds].filter((it) => it !== kind && !apart.has(it))
    const left = new Set(kinds)
    const sought = new Set<string>()
    for (const { kind } of finding.toSorted((a, b) => (weights.get(b.kind) ?? 0) - (weights.get(a.kind) ?? 0))) {
      if (!suspect(left)) break
      left.delete(kind)
      sought.add(kind)
    }
    const companions = new Set<string>()
    const findingOf = ({ kind, near, supports }: Asked): Finding | undefined => {
      const others = beside(kind)
      if (supports || !suspect([kind, ...others])) return undefined
      if (!near || !sought.has(kind)) return 'equal'
      // To a hundredth below the least that matters, never above it.
      while (alike > leastAlike && suspect([kind, ...others], kind, alike)) alike -= 0.01
      if (suspect([kind]) || !others.every((it) => plainSupport.has(it))) return 'close'
      for (const it of others) companions.add(it)
      return 'crowded'
    }
    const found = values.map((value) => [value, findingOf(value)] as const)
    return found.map(([value, finds]) => {
      const how = companions.has(value.kind) ? 'few' : finds
      return how === undefined ? value : { ...value, finds: how }
    })
  })
  return { asked, alike: Math.max(leastAlike, alike) }
}
