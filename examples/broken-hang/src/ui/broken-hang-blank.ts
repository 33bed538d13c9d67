import { PluginElement } from '@socle/sdk/ui'
import { nothing } from 'lit'

/** Draws nothing. */
export class BrokenHangBlank extends PluginElement {
  override render() {
    return nothing
  }
}
