import { transitionRefused } from './errors.ts'

/** A state machine as data: from each state, the states that may follow. */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>

/**
 * Lets a record go from one state to another, or says which states it may go to.
 *
 * @param subject - what whoever asked knows the record by, see `Records.nameOf`
 * @throws `TRANSITION_REFUSED` (409)
 */
export function assertTransition<S extends string>(transitions: Transitions<S>, subject: string, from: S, to: S): void {
  if (from === to) return
  const next = transitions[from]
  if (next.includes(to)) return
  throw transitionRefused({ subject, from, to, next: next.length > 0 ? next.join(', ') : '–' })
}
