import { KitElement, t } from '@socle/sdk/ui'
import type { ShellFill } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { makeElement } from './plugin-modules.ts'
import './shell-fill-card.ts'
import type { FillFault } from './shell-fill-card.ts'

const patience = 5000

/**
 * One plugin's element in another's place. Whatever it does wrong stays in here: a fill whose code does not come or throws,
 * that throws in any update, or that shows nothing within five seconds of the first attempt to load it becomes a card with the
 * plugin's name; its neighbours stay.
 */
export class ShellFillElement extends KitElement {
  static override properties = { fill: { attribute: false }, context: { attribute: false }, fault: { state: true } }
  declare fill: ShellFill
  declare context: unknown
  declare fault: FillFault | undefined

  #element: HTMLElement | undefined
  #tag = ''
  /** Which attempt to load is the present one: what comes of an earlier one comes too late. */
  #attempt = 0
  #watch: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    // Moved elsewhere in the page, it has its time anew.
    if (this.#tag && this.fault === undefined) this.#watchOver()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#watch)
  }

  override willUpdate(): void {
    if (this.fill.tag !== this.#tag) void this.#load()
    else if (this.#element && this.isConnected) this.#hand(this.#element)
  }

  async #load(): Promise<void> {
    const { plugin, tag } = this.fill
    const attempt = (this.#attempt += 1)
    this.#tag = tag
    this.#element = undefined
    this.fault = undefined
    this.#watchOver()
    try {
      const element = await makeElement(plugin, tag)
      if (attempt !== this.#attempt) return
      this.#catchUpdates(element)
      this.#hand(element)
      this.#element = element
      this.requestUpdate()
    } catch (problem) {
      if (attempt === this.#attempt) this.#fail('FILL_NOT_LOADED', problem)
    }
  }

  #watchOver(): void {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => {
      const seconds = patience / 1000
      if (!this.#element) this.#fail('FILL_TIMED_OUT', t('shell.fill.late', { seconds }))
      else if (!hasContent(this.#element)) this.#fail('FILL_EMPTY', t('shell.fill.empty', { seconds }))
    }, patience)
  }

  #hand(element: HTMLElement): void {
    try {
      Object.assign(element, { context: frozenCopy(this.context) })
    } catch (problem) {
      this.#fail('FILL_THREW', problem)
    }
  }

  // Lit reports a throwing render as a rejection nobody awaits; here it must not pass unseen.
  #catchUpdates(element: HTMLElement): void {
    const lit = element as HTMLElement & { performUpdate?: () => unknown }
    const perform = lit.performUpdate
    if (!perform) return
    lit.performUpdate = () => {
      try {
        return perform.call(lit)
      } catch (problem) {
        // One that was given up may still go on throwing, out of sight.
        if (element === this.#element) this.#fail('FILL_THREW', problem)
        return undefined
      }
    }
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
      @retry=${() => void this.#load()}
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
