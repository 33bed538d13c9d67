import { PluginElement } from '@socle/sdk/ui'

/** Throws whenever it is to draw itself. */
export class BrokenRenderFirst extends PluginElement {
  override render(): never {
    throw new Error('This part cannot be drawn.')
  }
}
