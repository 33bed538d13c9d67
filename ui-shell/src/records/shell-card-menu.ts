import { controls, KitElement, t } from '@socle/sdk/ui'
import type { FieldMeta, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { shownFields } from './resources.ts'
import { addableFields } from './view-plan.ts'

/**
 * Which fields a board's cards show, and what is added up in its heads. The title is always there: it says whose card it is.
 *
 * @fires list-go - `card`, `sums`
 */
export class ShellCardMenu extends KitElement {
  static override properties = {
    meta: { attribute: false },
    by: { attribute: false },
    card: { attribute: false },
    sum: { attribute: false },
  }

  declare meta: ResourceMeta
  /** Field of the columns, which cards need not repeat. */
  declare by: FieldMeta
  declare card: readonly string[]
  declare sum: string | undefined

  override render() {
    const addable = addableFields(this.meta)
    const fields = shownFields(this.meta).filter(
      ({ name, type }) => name !== this.meta.title && name !== this.by.name && type !== 'json' && type !== 'rich',
    )
    return html`
      <ul aria-label=${t('shell.records.card.fields')}>
        ${fields.map(
          (field) =>
            html`<li>
              <label>
                <input
                  type="checkbox"
                  .checked=${this.card.includes(field.name)}
                  @change=${() => this.#toggle(field.name)}
                />
                <span>${field.label}</span>
              </label>
            </li>`,
        )}
      </ul>
      ${
        addable.length
          ? html`<label class="sum">
              <span>${t('shell.records.card.sum')}</span>
              <select class="input" @change=${(event: Event) => this.#add((event.target as HTMLSelectElement).value)}>
                <option value="" .selected=${this.sum === undefined}>${t('shell.records.card.noSum')}</option>
                ${addable.map(
                  (it) => html`<option value=${it.name} .selected=${it.name === this.sum}>${it.label}</option>`,
                )}
              </select>
            </label>`
          : nothing
      }
      <div class="foot">
        <button class="button small ghost" @click=${() => this.tell('list-go', { card: undefined, sums: undefined })}>
          ${t('shell.records.card.reset')}
        </button>
      </div>
    `
  }

  #toggle(name: string): void {
    const has = this.card.includes(name)
    this.card = has ? this.card.filter((it) => it !== name) : [...this.card, name]
    this.tell('list-go', { card: this.card })
  }

  #add(name: string): void {
    this.sum = name || undefined
    this.tell('list-go', { sums: name ? [name] : [] })
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        inline-size: 272px;
        max-inline-size: 100%;
        padding: 8px;
        font: var(--socle-small);
      }
      ul {
        max-block-size: 320px;
        overflow: auto;
        scrollbar-width: thin;
      }
      li {
        border-radius: 6px;
      }
      li:hover {
        background: var(--socle-page);
      }
      label {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        padding: 0 8px;
        cursor: pointer;
      }
      .sum {
        justify-content: space-between;
        margin-block-start: 8px;
        padding-block-start: 8px;
        border-block-start: 1px solid var(--socle-line);
      }
      .sum .input {
        inline-size: auto;
        min-inline-size: 0;
        max-inline-size: 150px;
        font: var(--socle-small);
        min-block-size: 28px;
        padding-block: 2px;
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
        label {
          min-block-size: 44px;
        }
      }
    `,
  ]
}
