import { whenAborted } from '../when-aborted.ts'

/** Lets so many at a time in, and the others after them in the order they came. */
export class Bulkhead {
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /**
   * @param signal - whoever leaves before their turn is waited for by nobody
   * @returns gives the place back
   * @throws the signal's reason
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await this.#turn(signal)
    return () => this.#leave()
  }

  #leave(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }

  async #turn(signal: AbortSignal): Promise<void> {
    let come!: () => void
    const turn = new Promise<void>((resolve) => (come = resolve))
    this.#waiting.add(come)
    try {
      await Promise.race([turn, whenAborted(signal)])
    } catch (error) {
      // Their turn may have come in the moment they left.
      if (!this.#waiting.delete(come)) this.#leave()
      throw error
    }
  }
}
