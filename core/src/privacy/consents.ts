import type { RawBuilder } from 'kysely'
import { z } from 'zod'
import { defineEvent } from '../events/event.ts'
import { defineService } from '../plugins/tokens.ts'
import { channels, type Channel } from './addresses.ts'

export type ConsentAction = 'objection' | 'withdrawal' | 'reversal'

/** An account is one where its kind says so. */
export const personResources = ['core.contact', 'core.lead', 'core.account'] as const
export type PersonResource = (typeof personResources)[number]

export interface Person {
  readonly resource: PersonResource
  readonly record: string
}

/** One objection, withdrawal or reversal as it is told. A person, an address or both say whose it is. */
export interface ConsentRecord {
  readonly person?: Person | undefined
  /** As typed; kept as a keyed hash only. */
  readonly address?: string | undefined
  readonly channel: Channel
  /** `all` when absent, or the id of a topic. */
  readonly scope?: string | undefined
  readonly action: ConsentAction
  /** Where it came from: `letter`, `phone-call`, `unsubscribe-link` … */
  readonly source: string
  /** The text the person saw or was told, with the id it has where it came from. */
  readonly wording?: { readonly id?: string | undefined; readonly text: string } | undefined
  /** What it is known by where it came from; told twice with the same, it is recorded once. */
  readonly proofKey?: string | undefined
  /** When it happened; now when absent. */
  readonly at?: string | undefined
}

/** What is asked of the base by a sender. */
export interface ContactQuestion {
  readonly channel: Exclude<Channel, 'any'>
  /** SQL of the keyed hash of the address: a column, or `addressHash` of a value. */
  readonly address: RawBuilder<unknown>
  /** SQL of the person's resource and id, where one is known. */
  readonly person?: { readonly resource: RawBuilder<unknown>; readonly record: RawBuilder<unknown> } | undefined
  readonly scope?: string | undefined
}

export type RefusalReason = 'suppressed' | 'opted-out'

export interface ChannelState {
  readonly channel: Exclude<Channel, 'any'>
  readonly scope: string
  readonly state: 'open' | RefusalReason
  /** What decided it; nothing where nobody ever said anything. */
  readonly since: string | null
  readonly optOut: string | null
}

/**
 * Who may be written to: objections and withdrawals with their proof, and suppressed addresses. What it refuses holds
 * whatever plugin sends; what stands on it (topics, double opt-in) may only refuse more.
 */
export interface Consents {
  /** Records what a person said. Answers the id, that of the first where the same proof was told before. */
  record(consent: ConsentRecord): Promise<{ id: string; recorded: boolean }>
  /** Per channel, for everything and for each topic that was spoken of, at an instant or now. */
  stateAt(person: Person, at?: string): Promise<readonly ChannelState[]>
  /** Keyed hash under which an address is known here; undefined for what is none. */
  addressHash(channel: Channel, address: string): Buffer | undefined
  /**
   * SQL that answers why nobody may write, or null: `suppressed`, `opted-out`. Put it into the statement that hands a
   * message over, so that an objection of a moment ago is honoured.
   */
  refusal(question: ContactQuestion): RawBuilder<RefusalReason | null>
}

export const Consents = defineService<Consents>('core/consents@1')

/** Somebody objected, withdrew or took that back. It carries no address. */
export const OptOutRecorded = defineEvent('core.optout.recorded', {
  version: 1,
  payload: z.object({
    optOut: z.uuid(),
    resource: z.string().nullable(),
    person: z.uuid().nullable(),
    channel: z.enum(channels),
    scope: z.string(),
    action: z.enum(['objection', 'withdrawal', 'reversal']),
  }),
})
