import { unsaved } from './unsaved.ts'

type Listener = (url: URL, change: Change) => void

export interface Change {
  /** False when only the query or the fragment changed: the screen stays and focus does not move. */
  readonly path: boolean
}

export interface RouterOptions {
  /** Asked before a page with unsaved text is left. */
  readonly mayLeave: () => Promise<boolean>
}

/** The History API as the shell uses it: links and `navigate()` come here, the URL is the only state. */
class Router {
  #url = new URL(location.href)
  #options: RouterOptions = { mayLeave: async () => true }
  #index = 0
  #restoring = false
  readonly #listeners = new Set<Listener>()

  get url(): URL {
    return this.#url
  }

  start(options: RouterOptions): void {
    this.#options = options
    this.#index = indexOf(history.state)
    history.replaceState({ index: this.#index }, '')
    document.addEventListener('click', this.#onClick)
    window.addEventListener('popstate', this.#onPop)
    window.addEventListener('socle-navigate', this.#onNavigate)
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async go(to: string, { replace = false, force = false } = {}): Promise<void> {
    const url = new URL(to, this.#url)
    if (url.href === this.#url.href && !force) return
    const leaves = url.pathname !== this.#url.pathname
    if (leaves && !force && !(await this.#mayLeave())) return
    if (replace) history.replaceState({ index: this.#index }, '', url)
    else history.pushState({ index: ++this.#index }, '', url)
    this.#changed(url)
  }

  async #mayLeave(): Promise<boolean> {
    if (unsaved.all().length === 0) return true
    const leaves = await this.#options.mayLeave()
    if (leaves) unsaved.clearAll()
    return leaves
  }

  #changed(url: URL): void {
    const path = url.pathname !== this.#url.pathname
    this.#url = url
    for (const listener of [...this.#listeners]) listener(url, { path })
  }

  readonly #onNavigate = (event: Event): void => {
    const { url, replace } = (event as CustomEvent<{ url: string; replace?: boolean }>).detail
    if (!isOurs(new URL(url, this.#url))) return
    event.preventDefault()
    void this.go(url, { replace: replace ?? false })
  }

  readonly #onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event
      .composedPath()
      .find((it): it is HTMLAnchorElement => it instanceof HTMLAnchorElement && !!it.href)
    if (!link || link.hasAttribute('download') || (link.target && link.target !== '_self')) return
    const url = new URL(link.href)
    if (!isOurs(url)) return
    event.preventDefault()
    void this.go(url.href)
  }

  readonly #onPop = (event: PopStateEvent): void => {
    if (this.#restoring) {
      this.#restoring = false
      return
    }
    void this.#pop(indexOf(event.state))
  }

  async #pop(index: number): Promise<void> {
    const url = new URL(location.href)
    const leaves = url.pathname !== this.#url.pathname
    if (leaves && !(await this.#mayLeave())) {
      // The browser has moved already: go back to where the text is.
      this.#restoring = true
      history.go(this.#index - index)
      return
    }
    this.#index = index
    this.#changed(url)
  }
}

function indexOf(state: unknown): number {
  return typeof state === 'object' && state && 'index' in state && typeof state.index === 'number' ? state.index : 0
}

function isOurs(url: URL): boolean {
  return url.origin === location.origin && !/^\/(api|assets|p)\//.test(url.pathname)
}

export const router = new Router()
