import { css, html, nothing } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { richContent, richStyles } from './rich-text.ts'
import { valueTemplate } from './templates.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'
import { t } from './words.ts'

/** A field's value, read only: amounts, dates, pills, people, links to referred records, formatted text. Empty shows a dash. */
export class SocleValue extends KitElement {
  static override properties = {
    field: { attribute: false },
    value: { attribute: false },
    record: { attribute: false },
    included: { attribute: false },
    digits: { type: String },
  }
  static override styles = [
    controls,
    richStyles,
    css`
      :host {
        display: inline;
        overflow-wrap: anywhere;
      }

      .avatar {
        margin-inline-end: 6px;
      }

      .empty {
        color: var(--socle-text-3);
      }

      .long {
        white-space: pre-line;
      }
    `,
  ]

  declare field: FieldMeta | undefined
  declare value: unknown
  declare record: RecordJson | undefined
  declare included: Included | undefined
  /** `full` writes an amount with its cents. */
  declare digits: 'auto' | 'full'

  constructor() {
    super()
    this.digits = 'auto'
  }

  override render() {
    const { field, record, included, digits } = this
    if (!field) return nothing
    const value = this.value === undefined ? record?.[field.name] : this.value
    const shown = valueTemplate(field, value, { record, included, digits })
    if (shown === '') return html`<span class="empty" aria-label=${t('kit.value.empty')}>–</span>`
    if (field.type === 'rich') return html`<div class="rich">${richContent(String(value))}</div>`
    return field.type === 'long' ? html`<span class="long">${shown}</span>` : shown
  }
}
