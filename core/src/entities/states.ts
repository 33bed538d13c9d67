import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { assertTransition, type Transitions } from './transitions.ts'

/**
 * Holds a status field to its state machine, on every write path.
 *
 * An undo may go back to any state: the record was there before.
 *
 * @param noun - the record's kind as a sentence begins with it, `Order`
 */
export function guardStates<S extends string>(
  resource: string,
  { field, transitions, noun, title }: { field: string; transitions: Transitions<S>; noun: string; title: string },
): GuardDefinition {
  return defineGuard(resource, ['update'], ({ before, record, changed }, ctx) => {
    if (!changed.has(field) || ctx.cause.undoOf !== undefined) return
    assertTransition(transitions, `${noun} "${String(record[title])}"`, before?.[field] as S, record[field] as S)
  })
}
