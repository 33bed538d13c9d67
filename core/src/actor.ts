export type Locale = 'en' | 'fr'

/** Who acts. Everything that is read or written is read or written by one. */
export interface Actor {
  readonly type: 'user' | 'key' | 'plugin' | 'system'
  /** User's, or API key's, id. */
  readonly id?: string
  readonly name: string
  readonly locale: Locale
}

/** One company's settings as the work in hand needs them. */
export interface Workspace {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly locale: Locale
  /** IANA time zone. */
  readonly zone: string
  /** ISO 4217 code. */
  readonly baseCurrency: string
  /** Month in which the fiscal year begins, 1 to 12. */
  readonly fiscalMonth: number
  /** Months the ledger keeps what changed, 6 to 240. */
  readonly ledgerMonths: number
  /** Days an event is kept for whoever wants it told again, 7 to 730. */
  readonly eventDays: number
  /** What the company calls a resource, where it has its own word: `core.account` → Adhérent. */
  readonly labels: WorkspaceLabels
  /** Whether everybody here must sign in with more than a password. */
  readonly secondFactor: 'optional' | 'required'
  /** How readily two records are taken for one. */
  readonly duplicateStrictness: DuplicateStrictness
}

export type DuplicateStrictness = 'lenient' | 'usual' | 'strict'

export type WorkspaceLabels = Readonly<Record<string, Readonly<Record<Locale, EntityName>>>>

export interface EntityName {
  readonly one: string
  readonly many: string
}
