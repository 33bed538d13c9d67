import { ProblemError, api, controls, t } from '@socle/sdk/ui'
import type { FieldMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { followJob } from '../follow-job.ts'
import { problemLine } from '../problem-line.ts'
import { QuestionDialog } from '../records/question-dialog.ts'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface Question {
  readonly subscription: string
  /** What it is called, and what it hears. */
  readonly who: string
  readonly what: string
}

interface ReplayJob {
  readonly state: 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
  readonly progress: number
  readonly result: { readonly looked: number; readonly replayed: number } | null
  readonly error: { readonly detail: string } | null
}

const uuid = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/i

/** Tells a subscriber past events again, and says how far that is; answers what came of it, once it ended. */
export class ShellReplayDialog extends QuestionDialog<Question, ReplayJob> {
  static override properties = {
    problem: { state: true },
    from: { state: true },
    to: { state: true },
    again: { state: true },
    job: { state: true },
  }
  declare private problem: string | undefined
  declare private from: unknown
  declare private to: unknown
  declare private again: boolean
  declare private job: ReplayJob | undefined
  readonly #left = new AbortController()

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#left.abort()
  }

  override render() {
    const { who, what } = this.question
    return html`<socle-dialog open .heading=${t('shell.events.replayTitle', { who })} @socle-close=${this.closed}>
      ${problemLine(this.problem ?? this.job?.error?.detail)} ${this.job ? this.#progress(this.job) : this.#form(what)}
    </socle-dialog>`
  }

  #form(what: string) {
    return html`
      <form class="form" id="form" @submit=${this.#submit}>
        <p>${t('shell.events.replayText', { what })}</p>
        <div class="span">${this.#instant('from')} ${this.#instant('to')}</div>
        <div class="field">
          <label class="label" for="record">${t('shell.events.replayRecord')}</label>
          <input
            class="input"
            id="record"
            name="record"
            autocomplete="off"
            spellcheck="false"
            placeholder=${t('shell.events.recordHint')}
          />
        </div>
        <label class="again">
          <input
            type="checkbox"
            .checked=${this.again}
            @change=${(event: Event) => (this.again = (event.target as HTMLInputElement).checked)}
          /><span>${t('shell.events.again')}</span>
        </label>
        <p class=${this.again ? 'notice' : 'meta'} role=${this.again ? 'alert' : nothing}>
          ${t(this.again ? 'shell.events.againWarning' : 'shell.events.againNot')}
        </p>
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.cancel')}</button>
      <button
        slot="actions"
        class=${this.again ? 'button danger' : 'button primary'}
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
      >
        ${t(this.again ? 'shell.events.replayAgain' : 'shell.events.replayNow')}
      </button>
    `
  }

  #instant(name: 'from' | 'to') {
    const label = t(`shell.events.replay.${name}`)
    const field: FieldMeta = { name, type: 'instant', label, required: false, writable: true, sortable: false }
    return html`<socle-field
      .field=${field}
      .value=${this[name]}
      @socle-input=${(event: CustomEvent<{ value: unknown }>) => (this[name] = event.detail.value)}
    ></socle-field>`
  }

  #progress({ state, progress, result }: ReplayJob) {
    const isOver = state === 'done' || state === 'failed' || state === 'cancelled'
    const said = result
      ? t('shell.events.replayed', { count: result.replayed, looked: result.looked })
      : isOver
        ? t('shell.events.replayEnded')
        : t('shell.events.replaying', { count: progress })
    return html`
      <p role="status">${said}</p>
      ${isOver ? nothing : html`<progress aria-label=${t('shell.events.replayProgress')}></progress>`}
      <p class="meta">${t(isOver ? 'shell.events.replaySee' : 'shell.events.replayGoesOn')}</p>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.close')}</button>
    `
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const typed = String(new FormData(event.target as HTMLFormElement).get('record')).trim()
    const record = uuid.exec(typed)?.[0]
    this.problem = typed && !record ? t('shell.events.recordWrong') : undefined
    if (this.problem) return
    try {
      const { data } = await api.post<{ data: { job: string } }>('/api/core/events/replay', {
        subscription: this.question.subscription,
        ...(this.from ? { from: this.from } : {}),
        ...(this.to ? { to: this.to } : {}),
        ...(record ? { record } : {}),
        ...(this.again ? { again: true } : {}),
      })
      this.job = { state: 'queued', progress: 0, result: null, error: null }
      const read = async () => (this.job = (await api.get<{ data: ReplayJob }>(`/api/core/jobs/${data.job}`)).data)
      this.answer = await followJob(read, { every: 300, signal: this.#left.signal })
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      this.problem = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .span {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr));
        gap: 12px;
      }
      .again {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .notice {
        border-radius: var(--socle-radius);
      }
      progress {
        inline-size: 100%;
        margin-block: 12px 4px;
        accent-color: var(--socle-accent);
      }
    `,
  ]
}
