import { controls, KitElement, t } from '@socle/sdk/ui'
import type { FieldMeta, SocleDialog } from '@socle/sdk/ui'
import { css, html } from 'lit'
import type { PropertyValues } from 'lit'

/**
 * Asks for the instant a list is to be seen at.
 *
 * @fires as-of-chosen - the instant
 * @fires as-of-closed
 */
export class ShellAsOfDialog extends KitElement {
  static override properties = {
    asOf: { attribute: false },
    value: { state: true },
    isFuture: { state: true },
  }

  static override styles = [
    controls,
    css`
      .form {
        display: grid;
        gap: 12px;
      }
    `,
  ]

  declare asOf: string | undefined
  /** Yesterday at this time, until something else is chosen. */
  declare private value: string | undefined
  declare private isFuture: boolean

  constructor() {
    super()
    this.isFuture = false
    this.value = new Date(Math.floor(Date.now() / 60_000 - 24 * 60) * 60_000).toISOString()
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('asOf') && this.asOf) this.value = this.asOf
  }

  override render() {
    const field: FieldMeta = {
      name: 'asOf',
      type: 'instant',
      label: t('shell.records.asOf.instant'),
      required: true,
      writable: true,
      sortable: false,
    }
    const typed = (event: CustomEvent<{ value: unknown }>) => {
      this.value = typeof event.detail.value === 'string' ? event.detail.value : undefined
      this.isFuture = false
    }
    return html`<socle-dialog open .heading=${t('shell.records.asOf.title')} @socle-close=${this.#closed}>
      <div class="form">
        <socle-field
          .field=${field}
          .value=${this.value}
          .error=${this.isFuture ? t('shell.records.asOf.future') : ''}
          @socle-input=${typed}
          @socle-commit=${typed}
        ></socle-field>
        <p class="meta">${t('shell.records.asOf.text')}</p>
      </div>
      <button slot="actions" class="button" @click=${() => this.#dialog?.close()}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${!this.value} @click=${this.#show}>
        ${t('shell.records.asOf.show')}
      </button>
    </socle-dialog>`
  }

  get #dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  readonly #show = (): void => {
    const asOf = this.value
    if (!asOf) return
    this.isFuture = new Date(asOf) > new Date()
    if (this.isFuture) return
    this.tell('as-of-chosen', new Date(asOf).toISOString())
    this.#dialog?.close()
  }

  readonly #closed = (event: Event): void => {
    if (event.target === this.#dialog) this.tell('as-of-closed')
  }
}
