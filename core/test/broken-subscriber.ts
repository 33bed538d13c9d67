import { z } from 'zod'
import { defineError } from '../src/errors.ts'
import { defineEvent } from '../src/events/event.ts'
import { recordChange } from '../src/events/record-events.ts'
import { definePlugin, subscriber, type PluginDefinition, type Subscriber } from '../src/plugins/define-plugin.ts'

/** What a subscriber has heard for good, and the records at which it throws until they are taken out. */
export interface Heard {
  readonly poisoned: Set<string>
  /** Record and version of each event whose handling was committed, in that order. */
  readonly steps: { readonly record: string; readonly version: number; readonly event: string }[]
  /** Times it was called, with success or without. */
  tries: number
  /** What it throws at a poisoned one, instead of an error without a code. */
  refusal?: (account: { readonly name: string }) => Error
}

export const letterRefused = defineError<{ name: string; others: readonly string[]; weight: string }>(
  'LETTER_REFUSED',
  409,
  ({ name, others, weight }) => `"${name}" stands behind ${others.join(', ')} with ${weight} kg. Free it first.`,
)

const LetterSent = defineEvent('broken-subscriber.letter.sent', {
  version: 1,
  payload: z.object({ letter: z.uuid() }),
})
/** What a later release tells beside it. */
const LetterSentTo = defineEvent('broken-subscriber.letter.sent', {
  version: 2,
  payload: z.object({ letter: z.uuid(), contact: z.uuid() }),
})
const accountUpdated = defineEvent('core.account.updated', { version: 1, payload: recordChange })

/** Hears every change of an account, and throws at the poisoned ones: its fault, which a later release of it mends. */
export function brokenSubscriber(hearing: Pick<Subscriber, 'afterDeadLetter' | 'whileDisabled'> = {}): {
  readonly plugin: PluginDefinition
  readonly heard: Heard
} {
  const heard: Heard = { poisoned: new Set(), steps: [], tries: 0 }
  const plugin = definePlugin({
    id: 'broken-subscriber',
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: 'Broken subscriber', fr: 'Abonné défaillant' },
    emits: [LetterSent, LetterSentTo],
    subscribers: [
      subscriber('file', LetterSent, async () => {}),
      subscriber(
        'follow',
        accountUpdated,
        async ({ id: event, key: record, payload }, { afterCommit, records }) => {
          heard.tries += 1
          if (heard.poisoned.has(record) && heard.refusal) {
            const { data } = await records.get('core.account', record)
            throw heard.refusal({ name: String(data['name']) })
          }
          if (heard.poisoned.has(record)) throw new Error(`Account ${record} cannot be followed.`)
          afterCommit(() => heard.steps.push({ record, version: payload.version, event }))
        },
        hearing,
      ),
    ],
  })
  return { plugin, heard }
}

export const follow = 'broken-subscriber/follow'
