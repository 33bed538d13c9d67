import { PluginElement, resource, type RecordJson } from '@socle/sdk/ui'
import { html } from 'lit'

/** The briefing on the page of a contact. */
export class BriefingSide extends PluginElement<{ readonly contact: string; readonly record: RecordJson | undefined }> {
  override render() {
    const { contact, record } = this.context
    const name = String(record?.[resource('core.contact')?.title ?? ''] ?? '')
    return html`<briefing-contact .contact=${contact} .name=${name}></briefing-contact>`
  }
}
