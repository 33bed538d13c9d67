import { controls, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta, SocleField } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { askWith, QuestionDialog } from './question-dialog.ts'
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
export class ShellMissingDialog extends QuestionDialog<Question, RecordJson> {
  static override properties = {
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

  declare private problem: ProblemError | undefined
  declare private saving: boolean
  readonly #values: Record<string, unknown> = {}

  override render() {
    const { fields, record, included, reason } = this.question
    return html`<socle-dialog open .heading=${t('shell.records.missing.title')} @socle-close=${this.closed}>
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
      <button slot="actions" class="button" @click=${this.close}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${this.saving} @click=${this.#submit}>
        ${t('shell.records.missing.save')}
      </button>
    </socle-dialog>`
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const checked = [...this.renderRoot.querySelectorAll<SocleField>('socle-field')].map((it) => it.check())
    if (checked.includes(false)) return
    this.saving = true
    try {
      this.answer = await this.question.save(this.#values)
      this.close()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error
    } finally {
      this.saving = false
    }
  }
}

/** Asks for the fields and saves. Answers the saved record, or `undefined` when the user gave up. */
export function askMissing(question: Question): Promise<RecordJson | undefined> {
  return askWith('shell-missing-dialog', ShellMissingDialog, question)
}
