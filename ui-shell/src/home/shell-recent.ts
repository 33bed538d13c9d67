import { KitElement, controls, format, icon, recordHref, resource, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { cardOfLinks } from './card-of-links.ts'
import { recentRecords } from '../recent.ts'

const shown = 8

/** Records this user opened last in this browser. */
export class ShellRecent extends KitElement {
  override render() {
    const recent = recentRecords().slice(0, shown)
    return html`
      <section class="card" aria-labelledby="title">
        <h2 id="title">${t('shell.home.recent')}</h2>
        ${
          recent.length === 0
            ? html`<p class="nothing">${t('shell.home.noRecent')}</p>`
            : html`
                <ul>
                  ${recent.map(
                    (it) => html`
                      <li>
                        <a href=${recordHref(it.resource, it.id) ?? '/'}>
                          ${icon(resource(it.resource)?.icon ?? 'file')}
                          <span class="title">${it.title}</span>
                          <span class="meta">${format.relative(it.at)}</span>
                        </a>
                      </li>
                    `,
                  )}
                </ul>
              `
        }
      </section>
    `
  }

  static override styles = [
    controls,
    cardOfLinks,
    css`
      .nothing {
        padding: 20px 16px;
        color: var(--socle-text-2);
      }
    `,
  ]
}
