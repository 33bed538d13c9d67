import { css, html } from 'lit'
import type { CSSResultGroup, PropertyValues } from 'lit'
import { KitElement } from './kit-element.ts'

/**
 * An element whose body is fetched when it first appears, so that the first list does not pay for it.
 * Properties pass through to the body; its events come out as if they were this element's own.
 */
export abstract class LazyElement extends KitElement {
  static override shadowRootOptions = { ...KitElement.shadowRootOptions, delegatesFocus: true }
  static override styles: CSSResultGroup = css`
    :host {
      display: block;
      min-inline-size: 0;
    }

    :host([hidden]) {
      display: none;
    }

    /* The room the body will take, so that nothing jumps when it comes. */
    .holding {
      block-size: var(--socle-holding, 0);
    }
  `

  /** Tag of the body; registered by what `load` brings. */
  protected abstract readonly body: string
  protected abstract load(): Promise<CustomElementConstructor>

  #body: HTMLElement | undefined
  #focusWanted = false

  override connectedCallback(): void {
    super.connectedCallback()
    if (!this.#body) void this.#fetch()
  }

  override render() {
    return this.#body ?? html`<div class="holding"></div>`
  }

  override willUpdate(changed: PropertyValues): void {
    if (!this.#body) return
    for (const name of changed.keys()) this.#pass(name)
  }

  override focus(options?: FocusOptions): void {
    if (this.#body) this.#body.focus(options)
    else this.#focusWanted = true
  }

  /** The body once it is there, to call its methods. */
  protected get loaded(): HTMLElement | undefined {
    return this.#body
  }

  async #fetch(): Promise<void> {
    const constructor = await this.load()
    if (!customElements.get(this.body)) customElements.define(this.body, constructor)
    this.#body = document.createElement(this.body)
    for (const name of (this.constructor as typeof LazyElement).elementProperties.keys()) this.#pass(name)
    this.requestUpdate()
    await this.updateComplete
    await (this.#body as HTMLElement & { updateComplete?: Promise<unknown> }).updateComplete
    if (this.#focusWanted) this.#body.focus()
  }

  #pass(name: PropertyKey): void {
    Reflect.set(this.#body as object, name, Reflect.get(this, name))
  }
}
