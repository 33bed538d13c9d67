import { KitElement, controls, format, icon, recordHref, resource, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
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
    css`
      :host {
        display: block;
      }
      h2 {
        display: flex;
        align-items: center;
        min-block-size: 44px;
        padding: 6px 16px;
        border-block-end: 1px solid var(--socle-line);
        font: var(--socle-body);
        font-weight: 600;
      }
      a {
        display: flex;
        align-items: center;
        gap: 10px;
        min-block-size: 40px;
        padding: 4px 16px;
        border-block-end: 1px solid var(--socle-line);
        color: inherit;
        text-decoration: none;
      }
      li:last-child a {
        border: 0;
      }
      a:hover {
        background: var(--socle-page);
      }
      a:focus-visible {
        outline-offset: -2px;
      }
      a > .icon {
        color: var(--socle-text-3);
      }
      .title {
        flex: 1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .meta {
        white-space: nowrap;
      }
      .nothing {
        padding: 20px 16px;
        color: var(--socle-text-2);
      }
    `,
  ]
}
