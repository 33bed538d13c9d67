import { css } from 'lit'
import { LazyElement } from './lazy-element.ts'
import type { FieldMeta, Included, RecordJson } from './types.ts'

/**
 * The editor of one field, whatever its type, with label, help and error at the field.
 *
 * Values are those of REST: decimal strings, `YYYY-MM-DD`, ids. What cannot be read stays typed, with the error beside it.
 *
 * @fires socle-input - each readable change; `detail.value`
 * @fires socle-commit - Enter, Tab in a cell, a choice made, leaving the field; `detail.value`, `detail.key`
 * @fires socle-cancel - Esc
 */
export class SocleField extends LazyElement {
  static override properties = {
    field: { attribute: false },
    value: { attribute: false },
    error: { type: String },
    record: { attribute: false },
    included: { attribute: false },
    inline: { type: Boolean, reflect: true },
    disabled: { type: Boolean },
    why: { type: String },
    typed: { type: String },
  }

  static override styles = [
    LazyElement.styles,
    css`
      :host(:not([inline])) {
        --socle-holding: 54px;
      }
    `,
  ]

  protected override readonly body = 'socle-field-editor'

  declare field: FieldMeta | undefined
  declare value: unknown
  declare error: string
  declare record: RecordJson | undefined
  declare included: Included | undefined
  /** In a cell: no label, no frame of its own, Tab commits. */
  declare inline: boolean
  declare disabled: boolean
  /** Why it is disabled. */
  declare why: string
  /** In a cell: what was typed to start the edit and replaces the value; '' empties it. */
  declare typed: string | undefined

  constructor() {
    super()
    this.error = ''
    this.inline = false
    this.disabled = false
    this.why = ''
  }

  /** Reads what is typed now; false when it cannot be read or a required value is missing (the error is then shown). */
  check(): boolean {
    const editor = this.loaded as (HTMLElement & { check(): boolean }) | undefined
    return editor?.check() ?? true
  }

  protected override async load() {
    return (await import('./field-editor.ts')).FieldEditor
  }
}
