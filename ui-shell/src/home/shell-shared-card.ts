import { KitElement, ProblemError, api, controls, icon, live, recordHref, resource, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { cardOfLinks } from './card-of-links.ts'
import type { SharedPage, SharedWithMe } from '../access/access-api.ts'

const shown = 5

/** The records others shared last with whoever works here; nothing where there are none. */
export class ShellSharedCard extends KitElement {
  static override properties = { rows: { state: true }, more: { state: true } }
  declare rows: readonly SharedWithMe[]
  declare more: boolean

  #stop: (() => void) | undefined

  constructor() {
    super()
    this.rows = []
    this.more = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = live.on('record', (event) => {
      if (event.resource === 'core.share') void this.#load()
    })
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  async #load(): Promise<void> {
    try {
      const { data, page } = await api.get<SharedPage>(`/api/core/shares/with-me?limit=${shown}`)
      this.rows = data
      this.more = page.next !== null
    } catch (error) {
      // Beside what home is for: the list itself says what went wrong.
      if (!(error instanceof ProblemError)) throw error
    }
  }

  override render() {
    if (this.rows.length === 0) return nothing
    return html`
      <section class="card" aria-labelledby="title">
        <h2 id="title">${t('shell.shared.title')}</h2>
        <ul>
          ${this.rows.map(
            (it) => html`
              <li>
                <a href=${recordHref(it.resource, it.record) ?? '/shared'}>
                  ${icon(resource(it.resource)?.icon ?? 'file')}
                  <span class="title">${it.title}</span>
                  <span class="meta">${it.by ?? ''}</span>
                </a>
              </li>
            `,
          )}
        </ul>
        ${this.more ? html`<a class="all" href="/shared">${t('shell.shared.seeAll')}</a>` : nothing}
      </section>
    `
  }

  static override styles = [
    controls,
    cardOfLinks,
    css`
      .all {
        border: 0;
        border-block-start: 1px solid var(--socle-line);
        color: var(--socle-accent);
      }
    `,
  ]
}
