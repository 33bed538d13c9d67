import { api, controls, format, icon, pill, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { problemLine } from '../problem-line.ts'
import { isRaw, parseFilter } from './filter-text.ts'
import type { Condition } from './filter-text.ts'
import { sentenceOf } from './filter-words.ts'
import { QuestionDialog } from './question-dialog.ts'
import { fieldPath, hasValue, pointsAtRecord } from './resources.ts'
import { titleFor } from './titles.ts'

/** A condition, what became of it, and the value it met. */
interface Explanation {
  readonly text: string
  readonly result: boolean
  readonly actual?: unknown
  readonly op?: 'and' | 'or' | 'not'
  readonly of?: readonly Explanation[]
}

interface WhyListed {
  readonly listed: boolean
  readonly deleted: boolean
  readonly because: Explanation | null
  readonly found: boolean | null
}

export interface WhyListedQuestion {
  readonly meta: ResourceMeta
  readonly filter: string
  /** Words the list searches for. */
  readonly q: string
  readonly asOf: string | undefined
}

/** Asks which record, and tells of each condition of the list whether that one meets it. */
export class ShellWhyListed extends QuestionDialog<WhyListedQuestion, never> {
  static override properties = {
    record: { state: true },
    why: { state: true },
    problem: { state: true },
  }

  declare private record: string | undefined
  declare private why: WhyListed | undefined
  declare private problem: string | undefined

  readonly #pick = async (event: CustomEvent<{ value: unknown }>): Promise<void> => {
    const { value } = event.detail
    const record = typeof value === 'string' && value ? value : undefined
    if (record === this.record) return
    this.record = record
    this.why = undefined
    this.problem = undefined
    if (record === undefined) return
    const { meta, filter, q, asOf } = this.question
    const query = new URLSearchParams(Object.entries({ filter, q, asOf: asOf ?? '' }).filter(([, it]) => it !== ''))
    try {
      const { data } = await api.get<{ data: WhyListed }>(`${meta.api}/${record}/why?${query}`)
      if (record === this.record) this.why = data
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (record === this.record) this.problem = error.detail
    }
  }

  override render() {
    const { meta } = this.question
    const field: FieldMeta = {
      name: 'record',
      type: 'reference',
      target: meta.id,
      label: meta.name.one,
      required: false,
      writable: true,
      sortable: false,
    }
    const { why } = this
    return html`<socle-dialog open .heading=${t('shell.records.why.title')} @socle-close=${this.closed}>
      <div class="form">
        <p class="meta">${t('shell.records.why.text')}</p>
        <socle-field
          autofocus
          .field=${field}
          .value=${this.record ?? null}
          @socle-input=${this.#pick}
          @socle-commit=${this.#pick}
        ></socle-field>
        <div class="answer" aria-live="polite">
          ${problemLine(this.problem)}
          ${
            why
              ? this.#told(why)
              : this.record && !this.problem
                ? html`<socle-skeleton .lines=${3}></socle-skeleton>`
                : nothing
          }
        </div>
      </div>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.close')}</button>
    </socle-dialog>`
  }

  #told({ listed, deleted, because, found }: WhyListed) {
    const { q } = this.question
    return html`<p>
        ${
          listed
            ? pill(t('shell.records.why.listed'), 'success', 'circle-check')
            : pill(t('shell.records.why.notListed'), 'danger', 'circle-x')
        }
      </p>
      <ul class="tree">
        ${deleted ? this.#line(false, t('shell.records.why.deleted')) : nothing}
        ${found === null ? nothing : this.#line(found, t('shell.records.why.words', { words: q }))}
        ${because ? this.#condition(because) : nothing}
      </ul>`
  }

  #condition(told: Explanation): TemplateResult {
    const { text, result, op, of = [] } = told
    const [part, another] = parseFilter(text)
    const condition = part && !another && !isRaw(part) ? part : undefined
    // "is not empty" is one sentence, although it is made of two conditions.
    if (condition) return this.#line(result, this.#sentence(condition), this.#met(condition, of[0] ?? told))
    if (!op) return this.#line(result, html`<code>${text}</code>`, figure(told.actual))
    if (of.length === 0) return this.#line(result, html`<code>${text}</code>`)
    return html`${this.#line(result, t(`shell.records.why.${op}`), undefined, of)}`
  }

  #sentence(condition: Condition): string {
    return sentenceOf(this.question.meta, condition, () => this.requestUpdate())
  }

  /** What stands in the record, in the reader's words. */
  #met({ path }: Condition, { actual }: Explanation): string | undefined {
    const field = fieldPath(this.question.meta, path)?.at(-1)
    if (!field) return figure(actual)
    if (!hasValue(actual)) return t('shell.records.why.empty')
    if (pointsAtRecord(field) && field.target)
      return titleFor(field.target, String(actual), () => this.requestUpdate()) ?? '…'
    return format.value(field, actual) || String(actual)
  }

  #line(isMet: boolean, text: string | TemplateResult, met?: string, of: readonly Explanation[] = []): TemplateResult {
    return html`<li>
      <p class=${isMet ? 'met' : 'unmet'}>
        ${icon(isMet ? 'circle-check' : 'circle-x')}
        <span>
          ${text} <b>${t(isMet ? 'shell.access.met' : 'shell.access.notMet')}</b>
          ${met === undefined ? nothing : html`<span class="meta">${t('shell.records.why.actual', { value: met })}</span>`}
        </span>
      </p>
      ${
        of.length > 0
          ? html`<ul class="tree">
              ${of.map((it) => this.#condition(it))}
            </ul>`
          : nothing
      }
    </li>`
  }

  static override styles = [
    controls,
    css`
      .form,
      .answer {
        display: grid;
        gap: 12px;
        overflow-wrap: anywhere;
      }
      .tree .tree {
        margin-inline-start: 7px;
        padding-inline-start: 16px;
        border-inline-start: 2px solid var(--socle-line);
      }
      li p {
        display: flex;
        gap: 8px;
        padding-block: 3px;
      }
      li p > span {
        flex: 1;
        min-inline-size: 0;
      }
      li .icon {
        flex: none;
        margin-block-start: 2px;
      }
      .met .icon,
      .met b {
        color: var(--socle-success);
      }
      .unmet .icon,
      .unmet b {
        color: var(--socle-danger);
      }
      li b {
        font: var(--socle-meta);
        font-weight: 600;
        white-space: nowrap;
      }
      li .meta {
        display: block;
      }
    `,
  ]
}

/** How many a collection has, or what they sum up to. */
function figure(actual: unknown): string | undefined {
  return typeof actual === 'number' || (typeof actual === 'string' && /^-?[\d.]+$/.test(actual))
    ? format.number(Number(actual))
    : undefined
}
