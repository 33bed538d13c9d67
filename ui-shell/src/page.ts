import type { TemplateResult } from 'lit'

/** What a screen says about itself in the top bar. */
export interface PageBar {
  /** The only `h1` of the page. */
  readonly title: string
  /** Title of the browser tab; without it the title and the workspace. */
  readonly documentTitle?: string
  /** Where the page stands, outermost first; the title follows them. */
  readonly crumbs?: readonly { readonly title: string; readonly href?: string }[]
  /** Beside the title, already formatted: `340`. */
  readonly count?: string
  /** Pills after the title. */
  readonly status?: TemplateResult
  /** At most two buttons and a menu, rendered with the kit's `controls`. */
  readonly actions?: TemplateResult
  /** The record in view; remembered under "recently viewed". */
  readonly record?: { readonly resource: string; readonly id: string; readonly title: string }
}

/** Gives the top bar its words; called again whenever they change. */
export function setPage(screen: EventTarget, bar: PageBar): void {
  screen.dispatchEvent(new CustomEvent<PageBar>('socle-page', { detail: bar, bubbles: true, composed: true }))
}
