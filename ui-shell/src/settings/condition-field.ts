import { icon, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'

interface Named {
  readonly name: string
  readonly label: string
}

/**
 * Where a condition of the expression language is typed, in a form or outside one, with the names its fields go by: a click
 * writes one.
 *
 * @param fields - those of the records it is about; none where they are of several kinds
 */
export function conditionField({
  value,
  help,
  fields,
  isRequired,
}: {
  readonly value: string
  readonly help: string
  readonly fields: readonly Named[]
  readonly isRequired: boolean
}) {
  return html`<div class="field condition">
    <label class="label" for="condition">${t('shell.condition.label')}</label>
    <textarea
      class="input"
      id="condition"
      name="condition"
      ?required=${isRequired}
      rows="3"
      maxlength="2000"
      spellcheck="false"
      autocapitalize="off"
      aria-describedby="condition-help"
      .value=${value}
    ></textarea>
    <p class="meta" id="condition-help">${help}</p>
    ${
      fields.length > 0
        ? html`<details class="names">
            <summary>${icon('chevron-right')}${t('shell.condition.fields')}</summary>
            <ul>
              ${fields.map(
                ({ name, label }) =>
                  html`<li>
                    <button class="button small" type="button" @click=${write(name)}>
                      <code>${name}</code> ${label}
                    </button>
                  </li>`,
              )}
            </ul>
          </details>`
        : nothing
    }
  </div>`
}

function write(name: string) {
  return (event: Event): void => {
    const text = (event.target as Element).closest('.condition')?.querySelector('textarea')
    if (!text) return
    text.setRangeText(name, text.selectionStart, text.selectionEnd, 'end')
    text.dispatchEvent(new Event('input', { bubbles: true }))
    text.focus()
  }
}
