import { placeOf } from '../identity/addresses.ts'
import { pagesCrowded } from './public-pages.ts'

/** Pages that one place may open in a minute: a large office behind one address reads a letter at the same time. */
const most = 300
const minute = 60_000
/** Places that are kept in mind; more at once are no office but a flood, and what is counted begins anew. */
const mostPlaces = 20_000

/**
 * Counts public pages by where they are opened from. Each process counts its own: this slows down who tries addresses, and
 * what keeps them from finding one is its length.
 */
export class PageCrowd {
  #since = 0
  readonly #opened = new Map<string, number>()

  /** @throws `PAGES_CROWDED` (429) with `retryAfter`, in seconds, in its extras */
  enter(address: string | undefined, now: Date): void {
    const at = now.getTime()
    if (at - this.#since >= minute || at < this.#since || this.#opened.size >= mostPlaces) {
      this.#since = at
      this.#opened.clear()
    }
    const place = address === undefined ? '' : placeOf(address)
    const opened = (this.#opened.get(place) ?? 0) + 1
    this.#opened.set(place, opened)
    if (opened <= most) return
    const seconds = Math.max(1, Math.ceil((this.#since + minute - at) / 1_000))
    throw pagesCrowded({ seconds }, { retryAfter: seconds })
  }
}
