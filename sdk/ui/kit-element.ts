import { LitElement } from 'lit'
import { onShellChange } from './session.ts'

/** Base of the kit's elements: renders again when words, language or permissions change. */
export class KitElement extends LitElement {
  #stopListening: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stopListening = onShellChange(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stopListening?.()
  }

  /** Tells the outside; crosses shadow roots, as every event of the kit does. */
  protected tell<D>(name: string, detail?: D): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }))
  }
}
