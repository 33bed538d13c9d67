export interface UnsavedText {
  /** What it belongs to, e.g. "New opportunity". */
  readonly title: string
  /** All that was typed, readable: offered for copying when its screen goes away. */
  readonly text: () => string
  /** A draft of it is kept in the browser: it is there again when its screen is. */
  readonly isKept?: boolean
}

/** What was typed into a part of a plugin that is there no more. */
export interface LostText {
  readonly texts: readonly UnsavedText[]
  /** Another version of the part took its place. */
  readonly isOfUpgrade: boolean
}

const entries = new Map<object, UnsavedText>()

/** What was typed and not yet saved anywhere on screen. The router asks before it leaves any of it behind. */
export const unsaved = {
  set(owner: object, entry: UnsavedText): void {
    entries.set(owner, entry)
  },
  clear(owner: object): void {
    entries.delete(owner)
  },
  all(): readonly UnsavedText[] {
    return [...entries.values()]
  },
  clearAll(): void {
    entries.clear()
  },
}

window.addEventListener('beforeunload', (event) => {
  if (entries.size > 0) event.preventDefault()
})
