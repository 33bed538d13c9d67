import type { Words } from '../plugins/define-plugin.ts'

/** What an erasure would come to; no value of the person stands in it. */
export interface ErasurePlan {
  /** Records that would be blanked, by kind. */
  readonly records: readonly { readonly resource: string; readonly how: 'person' | 'about'; readonly count: number }[]
  /** Records that stay, with the legal basis. */
  readonly holds: readonly PlannedHold[]
  /** Tables in which the person is named elsewhere, with their rows. */
  readonly mentions: readonly { readonly table: string; readonly resource: string | null; readonly count: number }[]
  /** Plugins that hold something of their own. */
  readonly stores: readonly { readonly id: string; readonly title: Words }[]
  /** Names and addresses that others have too: they are left where they stand, and do not bar who comes. */
  readonly shared: number
}

export interface PlannedHold {
  readonly resource: string
  readonly count: number
  readonly basis: Words
  /** What stays of the person in them. */
  readonly keeps?: Words
  /** Last day on which it must be kept; null where the law names none. */
  readonly until: string | null
}
