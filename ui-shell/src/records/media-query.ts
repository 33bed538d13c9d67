import type { ReactiveController, ReactiveControllerHost } from 'lit'

/** Renders its host again when a media query starts or stops to match. */
export class MediaQuery implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #list: MediaQueryList

  constructor(host: ReactiveControllerHost, query: string) {
    this.#host = host
    this.#list = window.matchMedia(query)
    host.addController(this)
  }

  get matches(): boolean {
    return this.#list.matches
  }

  hostConnected(): void {
    this.#list.addEventListener('change', this.#changed)
  }

  hostDisconnected(): void {
    this.#list.removeEventListener('change', this.#changed)
  }

  readonly #changed = (): void => this.#host.requestUpdate()
}

/** Below this, tables are cards, bars are sheets and a board shows one column. */
export const narrow = '(max-width: 599.98px)'
