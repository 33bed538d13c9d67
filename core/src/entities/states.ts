import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { assertTransition, type Transitions } from './transitions.ts'

/**
 * Holds a status field to its state machine, on every write path.
 *
 * An undo may go back to any state: the record was there before.
 */
export function guardStates<S extends string>(
  resource: string,
  { field, transitions }: { field: string; transitions: Transitions<S> },
): GuardDefinition {
  return defineGuard(resource, ['update'], ({ before, record, changed }, ctx) => {
    if (!changed.has(field) || ctx.cause.undoOf !== undefined) return
    const subject = ctx.records.nameOf(resource, record)
    assertTransition(transitions, subject, before?.[field] as S, record[field] as S)
  })
}
