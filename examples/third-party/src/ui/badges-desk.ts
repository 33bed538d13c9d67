import { PluginElement, records, type RecordJson } from '@socle/sdk/ui'
import { css, html, type PropertyValues } from 'lit'

/** Who is expected, the newest first. */
export class BadgesDesk extends PluginElement {
  static override properties = { badges: { state: true } }
  static override styles = css`
    ol {
      display: grid;
      gap: 8px;
      list-style: none;
      margin: 0;
      padding: 16px;
    }
    li {
      background: var(--socle-surface);
      border: 1px solid var(--socle-line);
      border-radius: 8px;
      padding: 12px;
    }
  `

  declare badges: readonly RecordJson[] | undefined

  override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed)
    void records('badges.badge')
      .list({ limit: 50 })
      .then(({ data }) => {
        this.badges = data
      })
  }

  override render() {
    if (this.badges?.length === 0) return html`<socle-empty .text=${this.t('badges.desk.empty')}></socle-empty>`
    return html`<ol>
      ${this.badges?.map(({ visitor }) => html`<li>${visitor}</li>`)}
    </ol>`
  }
}
