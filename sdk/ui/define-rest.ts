let rest: Promise<void> | undefined

/** Registers what the first list does without, for those who cannot wait until the browser is idle. */
export function defineRest(): Promise<void> {
  rest ??= import('./rest.ts').then(({ elements }) => define(elements))
  return rest
}

/** Registers elements by tag; a tag that is already there stays. */
export function define(elements: Readonly<Record<string, CustomElementConstructor>>): void {
  for (const [tag, element] of Object.entries(elements)) {
    if (!customElements.get(tag)) customElements.define(tag, element)
  }
}
