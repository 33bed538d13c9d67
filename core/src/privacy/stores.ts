import type { Context } from '../context.ts'
import type { Words } from '../plugins/define-plugin.ts'
import { definePoint } from '../plugins/tokens.ts'

/** A person whose data is asked for or erased, with all they are known by here. */
export interface PrivacySubject {
  readonly resource: string
  readonly record: string
  /** Every record that is this person: merged ones, a lead and the contact it became. */
  readonly records: readonly { readonly resource: string; readonly record: string }[]
  /** Mail addresses (lower case) and phone numbers (E.164), those of the past too. */
  readonly addresses: readonly { readonly kind: 'email' | 'phone' | 'post'; readonly value: string }[]
}

export interface LegalHold {
  readonly resource: string
  /** Ids of records nothing may be taken out of. */
  readonly records: readonly string[]
  readonly basis: Words
  /** What stays of the person in them; nothing of theirs where it is left out. */
  readonly keeps?: Words
  /** `YYYY-MM-DD`, the last day on which they must be kept. */
  readonly until: string | null
}

export interface CollectedFile {
  readonly name: string
  readonly content: Uint8Array | AsyncIterable<Uint8Array>
}

/**
 * What a plugin holds of a person beyond its resources, which are known by their metadata: files, caches, tables that are
 * no records, copies outside of this database.
 */
export interface PrivacyStore {
  /** `<plugin>.<noun>`. */
  readonly id: string
  readonly title: Words
  collect?(
    subject: PrivacySubject,
    ctx: Context,
  ): Promise<{ readonly data: unknown; readonly files?: readonly CollectedFile[] }>
  /** Called again after a crash: what is gone already is no fault. Answers how many things went. */
  erase?(subject: PrivacySubject, ctx: Context): Promise<{ readonly erased: number }>
  legalHolds?(subject: PrivacySubject, ctx: Context): Promise<readonly LegalHold[]>
}

export const PrivacyStores = definePoint<PrivacyStore>('core/privacy-stores@1')
