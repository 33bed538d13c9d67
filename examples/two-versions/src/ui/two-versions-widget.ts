import { t } from '@socle/sdk/ui'
import { LitElement, html } from 'lit'

/** How many values the place it stands in hands over: none on the home screen. */
export class TwoVersionsWidget extends LitElement {
  static override properties = { context: { attribute: false } }

  declare context: Readonly<Record<string, unknown>>

  override render() {
    return html`
      <p>${t('two-versions.widget.said')}</p>
      <two-versions-figure .value=${Object.keys(this.context).length}></two-versions-figure>
    `
  }
}
