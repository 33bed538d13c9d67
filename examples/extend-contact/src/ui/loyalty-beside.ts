import { PluginElement, controls, records, resource, valueTemplate, type RecordJson } from '@socle/sdk/ui'
import { html, type PropertyValues } from 'lit'
import type { ContactBeside } from '@socle/example-slot-provider/contract'

/** The tier of a contact as the list shows it. */
export class LoyaltyBeside extends PluginElement<typeof ContactBeside> {
  static override properties = { record: { state: true } }
  static override styles = controls

  declare record: RecordJson | undefined
  #of = ''

  override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed)
    const { contact } = this.context
    if (contact === this.#of) return
    this.#of = contact
    void records('core.contact')
      .get(contact)
      .then(({ data }) => {
        if (contact === this.#of) this.record = data
      })
  }

  override render() {
    const tier = resource('core.contact')?.fields.find(({ name }) => name === 'loyaltyTier')
    const value = tier && this.record ? valueTemplate(tier, this.record[tier.name]) : ''
    return value || html`<span class="meta">${this.t('loyalty.beside.none')}</span>`
  }
}
