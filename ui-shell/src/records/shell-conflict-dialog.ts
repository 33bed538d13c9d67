import { controls, t, valueTemplate } from '@socle/sdk/ui'
import type { Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { askWith, QuestionDialog } from './question-dialog.ts'
import { fieldOf, titleOf } from './resources.ts'

export interface Conflict {
  readonly field: string
  readonly base: unknown
  readonly mine: unknown
  readonly theirs: unknown
}

interface Question {
  readonly meta: ResourceMeta
  readonly current: RecordJson
  readonly conflicts: readonly Conflict[]
  readonly included: Included
}

type Side = 'mine' | 'theirs'

/** Two people changed one field: what it was, what each wants, side by side. */
export class ShellConflictDialog extends QuestionDialog<Question, ReadonlySet<string>> {
  static override properties = { choice: { state: true } }

  static override styles = [
    controls,
    css`
      p {
        margin: 0 0 16px;
        color: var(--socle-text-2);
      }
      .grid {
        display: grid;
        gap: 16px;
      }
      fieldset {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 8px;
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0 0 6px;
        font-weight: 600;
      }
      .side {
        display: grid;
        align-content: start;
        gap: 4px;
        padding: 10px 12px;
        border: 1px solid var(--socle-line);
        border-radius: 8px;
        overflow-wrap: anywhere;
      }
      label.side {
        cursor: pointer;
      }
      label.side:hover {
        background: var(--socle-page);
      }
      label.side:has(:checked) {
        border-color: var(--socle-accent);
        background: var(--socle-accent-bg);
      }
      label.side:has(:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .who {
        display: flex;
        align-items: center;
        gap: 6px;
        color: var(--socle-text-3);
        font: var(--socle-meta);
      }
      input {
        margin: 0;
        accent-color: var(--socle-accent);
      }
      .empty {
        color: var(--socle-text-3);
      }
      .base {
        background: var(--socle-page);
      }
      @media (max-width: 599.98px) {
        fieldset {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ]

  declare private choice: Readonly<Record<string, Side>>

  constructor() {
    super()
    this.choice = {}
  }

  override render() {
    const { meta, current, conflicts } = this.question
    const isWhole = conflicts.every((it) => this.choice[it.field])
    return html`<socle-dialog
      open
      wide
      alert
      .heading=${t('shell.records.conflict.title', { title: titleOf(meta, current) })}
      @socle-close=${this.closed}
    >
      <p>${t('shell.records.conflict.text', { count: conflicts.length })}</p>
      <div class="grid">${conflicts.map((it, at) => this.#field(it, at === 0))}</div>
      <button slot="actions" class="button" @click=${() => this.#all('theirs')}>
        ${t('shell.records.conflict.allTheirs')}
      </button>
      <button slot="actions" class="button" @click=${() => this.#all('mine')}>
        ${t('shell.records.conflict.allMine')}
      </button>
      <button slot="actions" class="button primary" ?disabled=${!isWhole} @click=${this.#apply}>
        ${t('shell.records.conflict.apply')}
      </button>
    </socle-dialog>`
  }

  #field(conflict: Conflict, isFirst: boolean) {
    const { meta, current, included } = this.question
    const field = fieldOf(meta, conflict.field)
    const shown = (value: unknown) => {
      const text = field
        ? valueTemplate(field, value, { record: current, included, links: false, digits: 'full' })
        : String(value ?? '')
      return text === ''
        ? html`<span class="empty">${t('shell.records.conflict.empty')}</span>`
        : html`<span>${text}</span>`
    }
    const side = (name: Side, value: unknown) =>
      html`<label class="side">
        <span class="who">
          <input
            type="radio"
            name=${conflict.field}
            ?autofocus=${isFirst && name === 'mine'}
            .checked=${this.choice[conflict.field] === name}
            @change=${() => (this.choice = { ...this.choice, [conflict.field]: name })}
          />
          ${t(`shell.records.conflict.${name}`)}
        </span>
        ${shown(value)}
      </label>`
    return html`<fieldset>
      <legend>${field?.label ?? conflict.field}</legend>
      ${side('mine', conflict.mine)} ${side('theirs', conflict.theirs)}
      <div class="side base"><span class="who">${t('shell.records.conflict.base')}</span>${shown(conflict.base)}</div>
    </fieldset>`
  }

  #all(side: Side): void {
    this.choice = Object.fromEntries(this.question.conflicts.map((it) => [it.field, side]))
    this.#apply()
  }

  readonly #apply = (): void => {
    this.answer = new Set(Object.entries(this.choice).flatMap(([field, side]) => (side === 'mine' ? [field] : [])))
    this.close()
  }
}

/** Asks whose value stands. Answers the fields where it is mine; `undefined` when the user closed without choosing. */
export function askWhose(question: Question): Promise<ReadonlySet<string> | undefined> {
  return askWith('shell-conflict-dialog', ShellConflictDialog, question)
}
