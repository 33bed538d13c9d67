import { PluginElement } from '@socle/sdk/ui'
import { html } from 'lit'

/** Draws itself once, and throws when what it shows changes. */
export class BrokenRenderLater extends PluginElement {
  static override properties = { isDue: { state: true } }
  declare isDue: boolean

  override firstUpdated(): void {
    this.isDue = true
  }

  override render() {
    if (this.isDue) throw new Error('This part cannot be drawn again.')
    return html`<p>For now</p>`
  }
}
