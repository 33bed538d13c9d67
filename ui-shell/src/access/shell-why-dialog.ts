import { api, controls, icon, ProblemError, resource, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { QuestionDialog } from '../records/question-dialog.ts'
import { checkHref } from './access-api.ts'
import type { Verdict } from './access-api.ts'
import { verdictLines, verdictStyles } from './verdict-lines.ts'
import { isOverseer } from './why-link.ts'
import type { WhyQuestion } from './why-link.ts'

/** Tells whoever was refused something which rule decides for them, and what would change it. */
export class ShellWhyDialog extends QuestionDialog<WhyQuestion & { readonly actor: string }, never> {
  static override properties = { verdict: { state: true }, problem: { state: true } }

  declare private verdict: Verdict | undefined
  declare private problem: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#ask()
  }

  async #ask(): Promise<void> {
    const { resource: kind, action = 'read', record, field } = this.question
    const query = new URLSearchParams({ resource: kind, action, ...(record && { record }), ...(field && { field }) })
    try {
      this.verdict = (await api.get<{ data: Verdict }>(`/api/core/explain?${query}`)).data
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    }
  }

  override render() {
    const { actor, resource: kind } = this.question
    return html`<socle-dialog open .heading=${t('shell.access.why')} @socle-close=${this.closed}>
      <div class="answer" aria-live="polite">
        ${problemLine(this.problem)}
        ${
          this.verdict
            ? verdictLines(this.verdict)
            : this.problem
              ? nothing
              : html`<socle-skeleton .lines=${3}></socle-skeleton>`
        }
      </div>
      ${
        isOverseer() && resource(kind)
          ? html`<a slot="actions" class="button" href=${checkHref({ actor, resource: kind })} @click=${this.close}
              >${icon('shield')}${t('shell.access.check')}</a
            >`
          : nothing
      }
      <button slot="actions" class="button" @click=${this.close}>${t('shell.close')}</button>
    </socle-dialog>`
  }

  static override styles = [controls, verdictStyles]
}
