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
}
