import { css } from 'lit'
import { LazyElement } from './lazy-element.ts'

/**
 * Formatted text, written as it will look. Its value is HTML of the few tags that records keep; the server cleans what it
 * is sent by the same list.
 *
 * @fires socle-input - each change; `detail.value` is the HTML, null when nothing is written
 */
export class SocleEditor extends LazyElement {
  static override properties = {
    value: { attribute: false },
    label: { type: String },
    description: { type: String },
    required: { type: Boolean },
    invalid: { type: Boolean },
    disabled: { type: Boolean },
  }

  static override styles = [
    LazyElement.styles,
    css`
      :host {
        --socle-holding: 132px;
      }
    `,
  ]

  protected override readonly body = 'socle-editor-view'

  declare value: string | null
  declare label: string
  /** Help or error, read out with the name. */
  declare description: string
  declare required: boolean
  declare invalid: boolean
  declare disabled: boolean

  constructor() {
    super()
    this.value = null
    this.label = ''
    this.description = ''
    this.required = false
    this.invalid = false
    this.disabled = false
  }

  protected override async load() {
    return (await import('./editor-view.ts')).EditorView
  }
}
