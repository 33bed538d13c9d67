import { KitElement, ProblemError, controls, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from './define.ts'
import type { Route } from './routes.ts'

/** Where the screen of the current address stands. Loads it, hands it the URL, keeps it while its key stays. */
export class ShellOutlet extends KitElement {
  static override properties = { route: { attribute: false }, url: { attribute: false }, problem: { state: true } }
  declare route: Route | undefined
  declare url: URL
  declare problem: unknown

  #screen: HTMLElement | undefined
  #key = ''
  #slow: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.addEventListener('shell-failed', (event) => this.#fail((event as CustomEvent).detail))
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('route') && !changed.has('url')) return
    const route = this.route
    if (!route) return
    if (route.key === this.#key && this.#screen) this.#tell(this.#screen, route)
    else void this.#show(route)
  }

  async #show(route: Route): Promise<void> {
    this.#key = route.key
    this.problem = undefined
    clearTimeout(this.#slow)
    // The old screen stays until the new one is there; only a slow load is worth a skeleton.
    this.#slow = setTimeout(() => this.#replace(undefined), 300)
    this.ariaBusy = 'true'
    try {
      const loaded = await route.load()
      if (this.#key !== route.key) return
      if (typeof loaded === 'function') define(route.tag, loaded as CustomElementConstructor)
      const screen = loaded instanceof HTMLElement ? loaded : document.createElement(route.tag)
      this.#tell(screen, this.route ?? route)
      this.#replace(screen)
    } catch (problem) {
      if (this.#key === route.key) this.#fail(problem)
    } finally {
      if (this.#key === route.key) clearTimeout(this.#slow)
    }
  }

  #replace(screen: HTMLElement | undefined): void {
    this.#screen = screen
    this.ariaBusy = null
    this.requestUpdate()
  }

  #fail(problem: unknown): void {
    this.#replace(undefined)
    this.problem = problem
  }

  #tell(screen: HTMLElement, route: Route): void {
    Object.assign(screen, { url: this.url, params: route.params, ...route.properties })
  }

  #retry(): void {
    if (this.route) void this.#show(this.route)
  }

  override render() {
    if (this.problem) return this.#failed()
    return this.#screen ?? html`<div class="wait"><socle-skeleton></socle-skeleton></div>`
  }

  #failed() {
    const detail = this.problem instanceof ProblemError ? this.problem.detail : String((this.problem as Error).message)
    return html`
      <socle-empty icon="plug-zap" heading=${t('shell.screen.failed')} text=${t('shell.screen.failedText')}>
        <button slot="actions" class="button" @click=${() => this.#retry()}>${t('shell.retry')}</button>
        <a slot="actions" class="button" href="/">${t('shell.nav.home')}</a>
      </socle-empty>
      <p class="detail meta">${this.route?.plugin ?? nothing} · ${detail}</p>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        flex: 1;
        min-block-size: 0;
        min-inline-size: 0;
      }
      .wait {
        padding: 24px;
      }
      .detail {
        margin: 0 24px;
        text-align: center;
        overflow-wrap: anywhere;
      }
    `,
  ]
}
