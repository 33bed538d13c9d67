import { api, controls, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { askWith, QuestionDialog } from './question-dialog.ts'

interface Question {
  readonly meta: ResourceMeta
  readonly id: string
  readonly field: FieldMeta
}

interface Told {
  readonly value: unknown
}

/** Why a masked value is needed. Who asked for it, and the reason, stand in the audit. */
export class ShellUnmaskDialog extends QuestionDialog<Question, Told> {
  static override properties = {
    problem: { state: true },
    asking: { state: true },
  }

  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 16px;
      }
      p {
        margin: 0;
      }
      .field {
        display: grid;
        gap: 4px;
      }
      .lead {
        color: var(--socle-text-2);
      }
    `,
  ]

  declare private problem: string | undefined
  declare private asking: boolean

  override render() {
    const { field } = this.question
    return html`<socle-dialog
      open
      .heading=${t('shell.records.unmask.title', { field: field.label })}
      @socle-close=${this.closed}
    >
      <form id="unmask" @submit=${this.#submit}>
        <p class="lead" id="lead">${t('shell.records.unmask.lead')}</p>
        <div class="field">
          <label class="label" for="reason">${t('shell.records.unmask.reason')}</label>
          <textarea
            id="reason"
            class="input"
            rows="2"
            required
            autofocus
            minlength="3"
            maxlength="500"
            aria-invalid=${this.problem ? 'true' : nothing}
            aria-describedby=${this.problem ? 'problem' : 'lead'}
          ></textarea>
        </div>
        ${this.problem ? html`<p class="error" id="problem" role="alert">${this.problem}</p>` : nothing}
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${this.asking} @click=${this.#submit}>
        ${t('shell.records.unmask.confirm')}
      </button>
    </socle-dialog>`
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const written = this.renderRoot.querySelector<HTMLTextAreaElement>('#reason')
    const reason = written?.value.trim() ?? ''
    if (reason.length < 3) {
      this.problem = t('shell.records.unmask.reasonMissing')
      written?.focus()
      return
    }
    const { meta, id, field } = this.question
    this.asking = true
    try {
      const { data } = await api.post<{ data: Told }>(`${meta.api}/${id}/unmask`, { field: field.name, reason })
      this.answer = { value: data.value }
      this.close()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    } finally {
      this.asking = false
    }
  }
}

/** Asks why, and for the value. Answers `undefined` when the user gave up. */
export function askUnmask(question: Question): Promise<Told | undefined> {
  return askWith('shell-unmask-dialog', ShellUnmaskDialog, question)
}
