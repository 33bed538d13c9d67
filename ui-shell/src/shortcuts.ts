import { isTyping } from '@socle/sdk/ui'

export interface Shortcut {
  /** `c`, `?`, `g h` (one after the other), `mod+k` (Ctrl, on a Mac Cmd). */
  readonly keys: string
  readonly title: string
  /** Heading it stands under in the list of shortcuts. */
  readonly group: 'go' | 'general' | 'screen'
  readonly run: (event: KeyboardEvent) => void
}

const sequenceTime = 1500

/** Keys of the whole page. Single letters wait while a text field has the focus, or when the user switched them off. */
class Shortcuts {
  readonly #sets = new Set<readonly Shortcut[]>()
  #first: { key: string; at: number } | undefined
  lettersOn = true

  constructor() {
    window.addEventListener('keydown', this.#onKey)
  }

  /** @returns the function that takes them back */
  add(shortcuts: readonly Shortcut[]): () => void {
    this.#sets.add(shortcuts)
    return () => this.#sets.delete(shortcuts)
  }

  list(): readonly Shortcut[] {
    return [...this.#sets].flat()
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || isOverPage(event)) return
    const key = nameOf(event)
    const isLetter = !key.startsWith('mod+')
    if (isLetter && (!this.lettersOn || event.altKey || event.ctrlKey || event.metaKey || isTyping(event))) return
    const first = this.#first && Date.now() - this.#first.at < sequenceTime ? this.#first.key : undefined
    this.#first = undefined
    // Later sets first: a screen may take a letter from the shell.
    const all = [...this.#sets].reverse().flat()
    const match = first ? all.find((it) => it.keys === `${first} ${key}`) : all.find((it) => it.keys === key)
    if (match) {
      event.preventDefault()
      match.run(event)
      return
    }
    if (!first && all.some((it) => it.keys.startsWith(`${key} `))) this.#first = { key, at: Date.now() }
  }
}

function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return (event.ctrlKey || event.metaKey) && !event.altKey ? `mod+${key}` : key
}

/** Whether a key was pressed in a dialog that lies over the page: the page behind it must not act. */
function isOverPage(event: KeyboardEvent): boolean {
  return event.composedPath().some((it) => it instanceof HTMLDialogElement && it.matches(':modal'))
}

export const shortcuts = new Shortcuts()
