/** A finding we live with, and why. An empty list is the aim. */
export interface Exception {
  readonly rule: string
  /** Part of the offending markup. */
  readonly markup: RegExp
  readonly reason: string
  /** Where it is to be solved, when that is not here. */
  readonly upstream?: string
}

export const exceptions: readonly Exception[] = []

/** Words that look like keys and are meant to be read. */
export const wordsByDesign: readonly { readonly word: RegExp; readonly reason: string }[] = [
  {
    word: /^[a-z-]+\.[a-z-]+\.(created|updated|deleted|restored)$/,
    reason: 'the audit names the event a change followed by the id that subscriptions and webhooks use',
  },
]

/** Parts that scroll sideways because their content has two dimensions: WCAG 1.4.10 leaves them out. */
export const sidewaysByDesign: readonly { readonly role: string; readonly reason: string }[] = []
