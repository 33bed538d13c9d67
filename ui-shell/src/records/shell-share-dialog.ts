import { api, controls, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, ResourceMeta } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { endOfDay } from '../last-day.ts'
import { problemLine } from '../problem-line.ts'
import { askWith, QuestionDialog } from './question-dialog.ts'

interface Question {
  /** Their kind; a saved view is one too. */
  readonly meta: Pick<ResourceMeta, 'id'>
  readonly records: readonly string[]
}

type Kind = 'user' | 'team'

/** With whom records are shared, for what, until when and why. */
export class ShellShareDialog extends QuestionDialog<Question, number> {
  static override properties = {
    kind: { state: true },
    whom: { state: true },
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
      .field {
        display: grid;
        gap: 4px;
        min-inline-size: 0;
      }
      fieldset {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        margin: 0;
        padding: 0;
        border: 0;
      }
      fieldset label {
        display: flex;
        align-items: center;
        gap: 6px;
        min-block-size: 28px;
      }
      input[type='radio'] {
        accent-color: var(--socle-accent);
      }
    `,
  ]

  declare private kind: Kind
  declare private whom: string | undefined
  declare private problem: string | undefined
  declare private saving: boolean

  constructor() {
    super()
    this.kind = 'user'
    this.saving = false
  }

  override render() {
    const count = this.question.records.length
    const choose = (kind: Kind) => () => {
      this.kind = kind
      this.whom = undefined
    }
    const chosen = (event: CustomEvent<{ value: unknown }>) => {
      this.whom = typeof event.detail.value === 'string' ? event.detail.value : undefined
    }
    return html`<socle-dialog
      open
      .heading=${t(wordOfShare('title', this.question.meta), { count })}
      @socle-close=${this.closed}
    >
      <form id="share" @submit=${this.#submit}>
        <fieldset>
          <legend class="label">${t('shell.share.with')}</legend>
          ${(['user', 'team'] as const).map(
            (kind) =>
              html`<label
                ><input
                  type="radio"
                  name="kind"
                  .checked=${kind === this.kind}
                  @change=${choose(kind)}
                />${t(`shell.share.kind.${kind}`)}</label
              >`,
          )}
        </fieldset>
        <socle-field
          .field=${recipientField(this.kind)}
          .value=${this.whom}
          @socle-input=${chosen}
          @socle-commit=${chosen}
        ></socle-field>
        <div class="field">
          <label class="label" for="access">${t('shell.share.access')}</label>
          <select class="input" id="access">
            <option value="read">${t('shell.share.access.read')}</option>
            <option value="write">${t('shell.share.access.write')}</option>
          </select>
        </div>
        <div class="field">
          <label class="label" for="last">${t('shell.share.last')}</label>
          <input class="input" id="last" type="date" aria-describedby="last-text" />
          <span class="meta" id="last-text">${t('shell.share.lastText')}</span>
        </div>
        <div class="field">
          <label class="label" for="reason">${t('shell.share.reason')}</label>
          <input class="input" id="reason" maxlength="500" />
        </div>
        <p class="meta">${t(wordOfShare('text', this.question.meta))}</p>
        ${problemLine(this.problem)}
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${this.saving || !this.whom} @click=${this.#submit}>
        ${t('shell.share.do')}
      </button>
    </socle-dialog>`
  }

  #typed(id: string): string {
    return this.renderRoot.querySelector<HTMLInputElement | HTMLSelectElement>(`#${id}`)?.value.trim() ?? ''
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!this.whom) return
    const { meta, records } = this.question
    const [last, reason] = [this.#typed('last'), this.#typed('reason')]
    this.saving = true
    this.problem = undefined
    try {
      await api.post('/api/core/shares', {
        resource: meta.id,
        records,
        [this.kind]: this.whom,
        access: this.#typed('access'),
        ...(last ? { until: endOfDay(last) } : {}),
        ...(reason ? { reason } : {}),
      })
      this.answer = records.length
      this.close()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    } finally {
      this.saving = false
    }
  }
}

/** A sentence about a share, which is of a saved view or of records. */
export function wordOfShare(word: 'title' | 'text' | 'done', { id }: Pick<ResourceMeta, 'id'>): string {
  return `shell.share.${word}${id === 'core.view' ? 'View' : ''}`
}

function recipientField(kind: Kind): FieldMeta {
  return {
    name: kind,
    type: kind,
    target: `core.${kind}`,
    label: t(`shell.share.kind.${kind}`),
    required: true,
    writable: true,
    sortable: false,
  }
}

/** Shares records. Answers how many, `undefined` when the user gave up. */
export function askShare(question: Question): Promise<number | undefined> {
  return askWith('shell-share-dialog', ShellShareDialog, question)
}
