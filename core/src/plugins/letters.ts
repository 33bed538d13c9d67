/** Letters after `g` that the shell keeps: home, notifications, settings. */
const ofShell = ['h', 'n', 's']

/** What leads somewhere by `g` and a letter. */
interface Lettered {
  readonly resources?: readonly { readonly path: string; readonly key?: string | undefined }[]
  readonly screens?: readonly {
    readonly path: string
    readonly nav?: { readonly key?: string | undefined } | undefined
  }[]
}

/** Letters that lead to places of modules, each to one: whoever asks for it first has it. */
export class Letters {
  readonly #taken = new Map<string, string | undefined>(ofShell.map((letter) => [letter, undefined]))

  /** @returns whether it was free, and is the owner's from now on */
  take(letter: string, owner: string): boolean {
    if (this.#taken.has(letter)) return false
    this.#taken.set(letter, owner)
    return true
  }

  /** Whose a letter is: a module's id, or nothing where the shell keeps it. */
  ownerOf(letter: string): string | undefined {
    return this.#taken.get(letter)
  }
}

/** The letters a module asks for. */
export function lettersOf({ resources = [], screens = [] }: Lettered): readonly string[] {
  const asked = [...resources.map(({ key }) => key), ...screens.map(({ nav }) => nav?.key)]
  return [...new Set(asked.filter((key) => key !== undefined))]
}
