import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { fieldsOf, shownFields } from './resources.ts'

/** Which columns a table shows and in which order. The title stays first: it says whose row it is. */
export class ShellColumnsMenu extends KitElement {
  static override properties = {
    meta: { attribute: false },
    columns: { attribute: false },
    density: { attribute: false },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        inline-size: 272px;
        max-inline-size: 100%;
        padding: 8px;
      }
      ol + ul {
        margin-block-start: 8px;
        padding-block-start: 8px;
        border-block-start: 1px solid var(--socle-line);
      }
      li {
        display: flex;
        align-items: center;
        gap: 2px;
        min-block-size: 32px;
        border-radius: 6px;
      }
      li:hover {
        background: var(--socle-page);
      }
      label {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 8px;
        min-inline-size: 0;
        min-block-size: 32px;
        padding: 0 8px;
        cursor: pointer;
      }
      .icon-button {
        inline-size: 24px;
        min-block-size: 24px;
      }
      .density {
        justify-content: space-between;
        margin-block-end: 8px;
        padding-block-end: 8px;
        border-block-end: 1px solid var(--socle-line);
      }
      .density .input {
        inline-size: auto;
        min-block-size: 28px;
        padding-block: 2px;
        font: var(--socle-small);
      }
      .foot {
        display: flex;
        justify-content: flex-end;
        margin-block-start: 8px;
      }
      @media (max-width: 599.98px) {
        :host {
          inline-size: 100%;
          padding: 12px 16px 16px;
        }
        li {
          min-block-size: 44px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare columns: readonly string[]
  declare density: string | undefined

  override render() {
    const shown = fieldsOf(this.meta, this.columns)
    const hidden = shownFields(this.meta).filter((it) => !this.columns.includes(it.name))
    return html`
      <label class="density">
        <span>${t('shell.profile.density')}</span>
        <select
          class="input"
          @change=${(event: Event) => this.tell('list-go', { density: (event.target as HTMLSelectElement).value || undefined })}
        >
          ${[
            ['', t('shell.records.density.own')],
            ['compact', t('shell.profile.density.compact')],
            ['comfortable', t('shell.profile.density.relaxed')],
          ].map(
            ([value, label]) =>
              html`<option value=${value} .selected=${value === (this.density ?? '')}>${label}</option>`,
          )}
        </select>
      </label>
      <ol aria-label=${t('shell.records.columns.shown')}>
        ${shown.map((field, at) => {
          const isTitle = field.name === this.meta.title
          return html`<li>
            <label>
              <input
                type="checkbox"
                checked
                .checked=${true}
                ?disabled=${isTitle}
                @change=${() => this.#toggle(field.name)}
              />
              <span>${field.label}</span>
            </label>
            ${
              isTitle
                ? nothing
                : html`<button
                      class="icon-button"
                      ?disabled=${at <= 1}
                      aria-label=${t('shell.records.columns.up', { field: field.label })}
                      @click=${() => this.#move(at, -1)}
                    >
                      ${icon('arrow-up')}
                    </button>
                    <button
                      class="icon-button"
                      ?disabled=${at === shown.length - 1}
                      aria-label=${t('shell.records.columns.down', { field: field.label })}
                      @click=${() => this.#move(at, 1)}
                    >
                      ${icon('arrow-down')}
                    </button>`
            }
          </li>`
        })}
      </ol>
      ${
        hidden.length
          ? html`<ul aria-label=${t('shell.records.columns.hidden')}>
              ${hidden.map(
                (field) =>
                  html`<li>
                    <label>
                      <input type="checkbox" .checked=${false} @change=${() => this.#toggle(field.name)} />
                      <span>${field.label}</span>
                    </label>
                  </li>`,
              )}
            </ul>`
          : nothing
      }
      <div class="foot">
        <button
          class="button small ghost"
          @click=${() => this.tell('list-go', { columns: undefined, density: undefined })}
        >
          ${t('shell.records.columns.reset')}
        </button>
      </div>
    `
  }

  #toggle(name: string): void {
    const shown = this.columns.includes(name)
    this.#say(shown ? this.columns.filter((it) => it !== name) : [...this.columns, name])
  }

  #move(at: number, by: number): void {
    const columns = [...this.columns]
    const [moved] = columns.splice(at, 1)
    columns.splice(at + by, 0, moved!)
    this.#say(columns)
  }

  #say(columns: readonly string[]): void {
    this.columns = columns
    this.tell('list-go', { columns })
  }
}
