import { controls, KitElement, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta, SocleDialog, SocleField } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { define } from '../define.ts'
import { faultOf } from './record-change.ts'

interface Question {
  readonly meta: ResourceMeta
  readonly record: RecordJson
  readonly included: Included
  readonly fields: readonly FieldMeta[]
  /** Why they are needed, in the server's words. */
  readonly reason: string
  readonly save: (filled: Readonly<Record<string, unknown>>) => Promise<RecordJson>
}

/** What a refused move still needs, to be filled in on the spot. */
export class ShellMissingDialog extends KitElement {
  static override properties = {
    question: { attribute: false },
    problem: { state: true },
    saving: { state: true },
  }

  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 16px;
      }
      .reason {
        margin: 0;
        color: var(--socle-text-2);
      }
    `,
  ]

  declare question: Question
  declare private problem: ProblemError | undefined
  declare private saving: boolean
  readonly #values: Record<string, unknown> = {}
  #saved: RecordJson | undefined

  override render() {
    const { fields, record, included, reason } = this.question
    return html`<socle-dialog open .heading=${t('shell.records.missing.title')} @socle-close=${this.#closed}>
      <form id="missing" @submit=${this.#submit}>
        <p class="reason" role=${this.problem ? 'alert' : 'note'}>${this.problem?.detail ?? reason}</p>
        ${fields.map(
          (field, at) =>
            html`<socle-field
              ?autofocus=${at === 0}
              .field=${{ ...field, required: true }}
              .value=${this.#values[field.name] ?? record[field.name]}
              .record=${record}
              .included=${included}
              .error=${(this.problem && faultOf(this.problem, field)) ?? ''}
              @socle-input=${(event: CustomEvent<{ value: unknown }>) => (this.#values[field.name] = event.detail.value)}
            ></socle-field>`,
        )}
      </form>
      <button slot="actions" class="button" @click=${() => this.#dialog?.close()}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${this.saving} @click=${this.#submit}>
        ${t('shell.records.missing.save')}
      </button>
    </socle-dialog>`
  }

  get #dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const checked = [...this.renderRoot.querySelectorAll<SocleField>('socle-field')].map((it) => it.check())
    if (checked.includes(false)) return
    this.saving = true
    try {
      this.#saved = await this.question.save(this.#values)
      this.#dialog?.close()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error
    } finally {
      this.saving = false
    }
  }

  readonly #closed = (event: Event): void => {
    if (event.target !== this.#dialog) return
    this.dispatchEvent(new CustomEvent('missing-closed', { detail: this.#saved }))
  }
}

/** Asks for the fields and saves. Answers the saved record, or `undefined` when the user gave up. */
export function askMissing(question: Question): Promise<RecordJson | undefined> {
  define('shell-missing-dialog', ShellMissingDialog)
  const element = document.createElement('shell-missing-dialog') as ShellMissingDialog
  element.question = question
  return new Promise((resolve) => {
    element.addEventListener('missing-closed', (event) => {
      element.remove()
      resolve((event as CustomEvent<RecordJson | undefined>).detail)
    })
    document.body.append(element)
  })
}
