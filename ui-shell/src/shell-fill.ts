import { KitElement, shell, t } from '@socle/sdk/ui'
import type { ShellFill } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import './shell-fill-card.ts'
import type { FillFault } from './shell-fill-card.ts'

const patience = 5000

/**
 * One plugin's element in another's place. Whatever it does wrong stays in here: a fill whose code does not come or throws,
 * that throws in any update, or that shows nothing within five seconds of the first attempt to load it becomes a card with the
 * plugin's name; its neighbours stay. Another version of the plugin takes the place of the element once it is there.
 */
export class ShellFillElement extends KitElement {
  static override properties = { fill: { attribute: false }, context: { attribute: false }, fault: { state: true } }
  declare fill: ShellFill
  declare context: unknown
  declare fault: FillFault | undefined

  #element: HTMLElement | undefined
  /** Of which plugin's version which element is shown, or on its way. */
  #shown = ''
  #isAwaited = false
  /** Which attempt to load is the present one: what comes of an earlier one comes too late. */
  #attempt = 0
  #watch: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.addEventListener('shell-failed', (event) => this.#hearFailure(event as CustomEvent))
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // Moved elsewhere in the page, it has its time anew.
    if (this.#shown && this.fault === undefined) this.#watchOver()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#watch)
  }

  override willUpdate(): void {
    const { plugin, tag } = this.fill
    const version = shell()?.plugins.find((it) => it.id === plugin)
    // One that was switched off goes with its slot.
    if (!version) return
    const wanted = `${tag} ${version.ui}`
    if (wanted !== this.#shown) void this.#load(wanted)
    else if (this.#element && this.isConnected) this.#hand(this.#element)
  }

  async #load(wanted: string): Promise<void> {
    const { plugin, tag } = this.fill
    const attempt = (this.#attempt += 1)
    this.#shown = wanted
    this.#isAwaited = true
    this.fault = undefined
    this.#watchOver()
    try {
      const { makeElement } = await import('./plugin-modules.ts')
      const element = await makeElement(plugin, tag)
      if (attempt !== this.#attempt) return
      this.#isAwaited = false
      this.#hand(element)
      if (this.fault === undefined) await this.#show(element)
    } catch (problem) {
      if (attempt === this.#attempt) this.#fail('FILL_NOT_LOADED', problem)
    }
  }

  async #show(element: HTMLElement): Promise<void> {
    const hadFocus = this.matches(':focus-within')
    this.#element = element
    this.requestUpdate()
    await this.updateComplete
    if (!hadFocus || element !== this.#element || document.activeElement !== document.body) return
    element.tabIndex = -1
    element.focus({ preventScroll: true })
  }

  #watchOver(): void {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => {
      const seconds = patience / 1000
      if (this.#isAwaited) this.#fail('FILL_TIMED_OUT', t('shell.fill.late', { seconds }))
      else if (!this.#element || !hasContent(this.#element))
        this.#fail('FILL_EMPTY', t('shell.fill.empty', { seconds }))
    }, patience)
  }

  #hand(element: HTMLElement): void {
    try {
      Object.assign(element, { context: frozenCopy(this.context) })
    } catch (problem) {
      this.#fail('FILL_THREW', problem)
    }
  }

  #hearFailure(event: CustomEvent): void {
    event.stopPropagation()
    // One that was given up may still go on throwing, out of sight.
    if (this.#element && event.composedPath().includes(this.#element)) this.#fail('FILL_THREW', event.detail)
  }

  #fail(code: FillFault['code'], problem: unknown): void {
    clearTimeout(this.#watch)
    this.#attempt += 1
    this.#element = undefined
    this.fault = { code, detail: problem instanceof Error ? problem.message : String(problem) }
  }

  override render() {
    if (this.fault === undefined) return this.#element ?? nothing
    return html`<shell-fill-card
      .fill=${this.fill}
      .fault=${this.fault}
      @retry=${() => void this.#load(this.#shown)}
    ></shell-fill-card>`
  }

  static override styles = css`
    :host {
      display: block;
      min-inline-size: 0;
    }
  `
}

function hasContent(element: HTMLElement): boolean {
  const root = element.shadowRoot ?? element
  return [...root.children].some((it) => it.tagName !== 'STYLE') || !!root.textContent?.trim()
}

function frozenCopy(context: unknown): unknown {
  return freeze(structuredClone(context))
}

function freeze<T>(value: T): T {
  if (value && typeof value === 'object') {
    for (const part of Object.values(value)) freeze(part)
    Object.freeze(value)
  }
  return value
}
