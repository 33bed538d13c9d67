import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { shownFields } from './resources.ts'

/** By which field rows stand, and which way round. */
export class ShellSortMenu extends KitElement {
  static override properties = { meta: { attribute: false }, sort: {} }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        inline-size: 264px;
        max-inline-size: 100%;
        padding: 8px;
      }
      li {
        display: flex;
        align-items: center;
        border-radius: 6px;
      }
      li:hover {
        background: var(--socle-page);
      }
      .field {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        padding: 4px 8px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: inherit;
        font: inherit;
        text-align: start;
        cursor: pointer;
      }
      .field .icon {
        inline-size: 14px;
      }
      .field:not([aria-pressed='true']) .icon {
        visibility: hidden;
      }
      [aria-pressed='true'] {
        font-weight: 600;
      }
      @media (max-width: 599.98px) {
        :host {
          inline-size: 100%;
          padding: 12px 16px 16px;
        }
        .field {
          min-block-size: 44px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare sort: string

  override render() {
    const current = this.sort.split(',')[0] ?? ''
    const isDescending = current.startsWith('-')
    const by = current.replace(/^-/, '')
    return html`<ul>
      ${shownFields(this.meta)
        .filter((it) => it.sortable)
        .map((field) => {
          const isOn = field.name === by
          return html`<li>
            <button class="field" aria-pressed=${isOn} @click=${() => this.#say(isOn ? '' : field.name)}>
              ${icon('check')}<span>${field.label}</span>
            </button>
            ${
              isOn
                ? html`<button class="button small ghost" @click=${() => this.#say(isDescending ? by : `-${by}`)}>
                    ${icon(isDescending ? 'arrow-down' : 'arrow-up')}
                    ${t(isDescending ? 'shell.records.sort.descending' : 'shell.records.sort.ascending')}
                  </button>`
                : nothing
            }
          </li>`
        })}
    </ul>`
  }

  #say(sort: string): void {
    this.sort = sort
    this.tell('list-go', { sort })
  }
}
