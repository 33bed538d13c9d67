import { PluginElement, recordHref, records, resource, type RecordJson } from '@socle/sdk/ui'
import { css, html, type PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'

/** The contacts that changed last, each with its briefing. */
export class BriefingContacts extends PluginElement {
  static override properties = { contacts: { state: true } }
  static override styles = css`
    ul {
      display: grid;
      gap: 16px;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
      list-style: none;
      margin: 0;
      padding: 24px;
    }
    li {
      background: var(--socle-surface);
      border: 1px solid var(--socle-line);
      border-radius: 8px;
      display: grid;
      gap: 12px;
      align-content: start;
      padding: 16px;
    }
    h2 {
      font-size: 14px;
      font-weight: 600;
      line-height: 20px;
      margin: 0;
    }
    a {
      color: inherit;
    }
    @media (width < 600px) {
      ul {
        padding: 16px;
      }
    }
  `

  declare contacts: readonly RecordJson[] | undefined

  override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed)
    void records('core.contact')
      .list({ sort: '-updatedAt', limit: 12, count: 'none' })
      .then(({ data }) => {
        this.contacts = data
      })
  }

  override render() {
    if (!this.contacts) return html`<socle-skeleton></socle-skeleton>`
    if (this.contacts.length === 0) return html`<socle-empty .text=${this.t('briefing.contacts.empty')}></socle-empty>`
    const title = resource('core.contact')?.title ?? 'id'
    return html`<ul>
      ${repeat(
        this.contacts,
        ({ id }) => id,
        (it) =>
          html`<li>
            <h2><a href=${recordHref('core.contact', it.id) ?? ''}>${it[title]}</a></h2>
            <briefing-contact .contact=${it.id} .name=${String(it[title])}></briefing-contact>
          </li>`,
      )}
    </ul>`
  }
}
