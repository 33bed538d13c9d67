import { LitElement } from 'lit'
import { onIconsChange } from './icons.ts'
import { onShellChange } from './session.ts'

/** Base of the kit's elements: renders again when words, language, permissions or drawings change. */
export class KitElement extends LitElement {
  #stopListening: (() => void)[] = []

  override connectedCallback(): void {
    super.connectedCallback()
    const renderAgain = () => this.requestUpdate()
    this.#stopListening = [onShellChange(renderAgain), onIconsChange(renderAgain)]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stopListening) stop()
  }

  /** Tells the outside; crosses shadow roots, as every event of the kit does. Answers false when someone prevented it. */
  protected tell<D>(name: string, detail?: D): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }))
  }
}
