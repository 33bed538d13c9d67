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

/** Regions that scroll sideways by design: two-dimensional content, WCAG 1.4.10. */
export const sidewaysByDesign: readonly { readonly role: string; readonly reason: string }[] = []
