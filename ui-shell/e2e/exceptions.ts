/** A finding we live with, and why. An empty list is the aim. */
export interface Exception {
  readonly rule: string
  /** Part of the offending markup. */
  readonly markup: RegExp
  readonly reason: string
  /** Where it is to be solved, when that is not here. */
  readonly upstream?: string
}

export const exceptions: readonly Exception[] = [
  {
    rule: 'aria-allowed-role',
    markup: /^<article class="ec-event/,
    reason:
      'the calendar draws an event as an article that is a button: assistive technology honours the role, HTML does not list it',
    upstream: 'https://github.com/vkurko/calendar/blob/v5.15.0/packages/core/src/lib/components/BaseEvent.svelte',
  },
]

/** Words that look like keys and are meant to be read. */
export const wordsByDesign: readonly { readonly word: RegExp; readonly reason: string }[] = [
  {
    word: /^[a-z-]+\.[a-z-]+\.(created|updated|deleted|restored|won|lost)$/,
    reason: 'the audit names the event a change followed by the id that subscriptions and webhooks use',
  },
]

/** Parts that scroll sideways because their content has two dimensions: WCAG 1.4.10 leaves them out. */
export const sidewaysByDesign: readonly { readonly part: RegExp; readonly above: number; readonly reason: string }[] = [
  {
    part: /^<div role="group" class="board/,
    above: 600,
    reason: 'a board shows its columns side by side; below 600 px it shows one',
  },
  {
    part: /^<shell-map-graph/,
    above: 600,
    reason: 'a graph of many modules is wider than a tablet; its table says the same, and below 600 px stands alone',
  },
]

/** Controls that cut what stands in them. */
export const cutByDesign: readonly { readonly part: RegExp; readonly reason: string }[] = [
  {
    part: /^<button class="open" title="/,
    reason: 'a chip holds a filter of any length; its tooltip and its editor show the whole',
  },
]
