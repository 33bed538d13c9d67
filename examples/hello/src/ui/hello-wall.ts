import { PluginElement, records, type RecordJson } from '@socle/sdk/ui'
import { css, html, type PropertyValues } from 'lit'

/** The newest greetings of everybody, as cards. */
export class HelloWall extends PluginElement {
  static override properties = { greetings: { state: true } }
  static override styles = css`
    ul {
      display: grid;
      gap: 12px;
      grid-template-columns: repeat(auto-fill, minmax(220px, 1fr));
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

  declare greetings: readonly RecordJson[] | undefined

  override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed)
    void records('hello.greeting')
      .list({ limit: 50 })
      .then(({ data }) => {
        this.greetings = data
      })
  }

  override render() {
    if (this.greetings?.length === 0) return html`<socle-empty .text=${this.t('hello.wall.empty')}></socle-empty>`
    return html`<ul>
      ${this.greetings?.map(({ text }) => html`<li>${text}</li>`)}
    </ul>`
  }
}
