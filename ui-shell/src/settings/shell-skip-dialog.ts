import { ProblemError, controls, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { problemLine } from '../problem-line.ts'
import { QuestionDialog } from '../records/question-dialog.ts'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface Question {
  /** What happened, and who could not hear it. */
  readonly what: string
  readonly who: string
  /** Later events of its record that wait for it. */
  readonly behind: number
  readonly skip: (reason: string) => Promise<number>
}

/** Asks why a dead letter is passed over for good; answers how many go on behind it. */
export class ShellSkipDialog extends QuestionDialog<Question, number> {
  static override properties = { problem: { state: true }, isBusy: { state: true } }
  declare private problem: string | undefined
  declare private isBusy: boolean

  override render() {
    const { what, who, behind } = this.question
    return html`<socle-dialog open .heading=${t('shell.events.skipTitle')} @socle-close=${this.closed}>
      <form class="form" id="form" @submit=${this.#submit}>
        ${problemLine(this.problem)}
        <p>${t('shell.events.skipText', { what, who, behind })}</p>
        <div class="field">
          <label class="label" for="reason">${t('shell.events.skipReason')}</label>
          <textarea
            class="input"
            id="reason"
            name="reason"
            required
            minlength="3"
            maxlength="500"
            rows="3"
            autofocus
            aria-describedby="kept"
          ></textarea>
          <p class="meta" id="kept">${t('shell.events.skipKept')}</p>
        </div>
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.cancel')}</button>
      <button
        slot="actions"
        class="button danger"
        aria-disabled=${this.isBusy ? 'true' : 'false'}
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
      >
        ${t('shell.events.skipNow')}
      </button>
    </socle-dialog>`
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    this.isBusy = true
    const values = new FormData(event.target as HTMLFormElement)
    try {
      this.answer = await this.question.skip(String(values.get('reason')).trim())
      this.close()
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      textarea {
        block-size: auto;
        padding-block: 6px;
        resize: vertical;
      }
    `,
  ]
}
