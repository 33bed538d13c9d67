/**
 * Work that looks for whatever there is to do: one look at a time, and one more when somebody asked during it. Whoever asks is
 * seen by a look that begins afterwards.
 */
export class WhileAsked {
  readonly #look: () => Promise<void>
  #again = false
  #going: Promise<void> | undefined

  /** @param look - does not throw */
  constructor(look: () => Promise<void>) {
    this.#look = look
  }

  /** Whether somebody asked since the look that runs began. */
  get isAsked(): boolean {
    return this.#again
  }

  /** The looks that run, until nobody asks any more. */
  get going(): Promise<void> | undefined {
    return this.#going
  }

  ask(): Promise<void> {
    this.#again = true
    return (this.#going ??= this.#go())
  }

  async #go(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false
        await this.#look()
      }
    } finally {
      // In the same breath as the last question whether somebody asked: later, one who asks in between would wait for nothing.
      this.#going = undefined
    }
  }
}
