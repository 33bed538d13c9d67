import { controls, format, icon, KitElement, ProblemError, records, t } from '@socle/sdk/ui'
import type { FieldMeta, Question, RecordJson, ResourceMeta, SocleField } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { unsaved } from '../unsaved.ts'
import { acknowledging } from './acknowledging.ts'
import { define } from '../define.ts'
import { dropDraft, keepDraft, readDraft } from './drafts.ts'
import type { Suspect } from './merging.ts'
import { tellDone } from './own-changes.ts'
import { asked, isShown } from './field-conditions.ts'
import { fieldOfPath } from './record-change.ts'
import { ShellDuplicateHint } from './shell-duplicate-hint.ts'
import { fittingField, scopeOf, scopesOf, stagesOf } from './stages.ts'
import { byModule, createLabel, fieldOf, inSentence, titleOf, writableFields } from './resources.ts'

define('shell-duplicate-hint', ShellDuplicateHint)

interface Fault {
  /** Absent when the refusal is about the whole record. */
  readonly field: FieldMeta | undefined
  readonly text: string
  /** The field's editor says it itself. */
  readonly own?: boolean
}

/**
 * A new record. What is typed is kept in the browser until it is saved or discarded.
 *
 * @fires record-created - `detail.record`, `detail.another`
 * @fires form-closed - cancelled; the draft stays
 */
export class ShellRecordForm extends KitElement {
  static override properties = {
    meta: { attribute: false },
    defaults: { attribute: false },
    values: { state: true },
    faults: { state: true },
    saving: { state: true },
    restoredAt: { state: true },
    whole: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        max-inline-size: 680px;
      }
      form {
        display: grid;
        gap: 16px;
      }
      .draft {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 6px 8px 6px 12px;
        border-radius: 8px;
        background: var(--socle-info-bg);
        color: var(--socle-info);
        font: var(--socle-small);
      }
      .draft span {
        flex: 1;
      }
      .summary {
        padding: 12px 16px;
        border: 1px solid var(--socle-danger);
        border-radius: 8px;
        background: var(--socle-danger-bg);
        color: var(--socle-danger);
      }
      .module {
        margin-block-start: 8px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 600;
      }
      .summary h3 {
        font: var(--socle-body);
        font-weight: 600;
      }
      .summary ul {
        margin-block-start: 4px;
        padding-inline-start: 18px;
        list-style: disc;
      }
      .summary a {
        display: inline-block;
        padding-block: 2px;
        color: inherit;
      }
      .more {
        justify-self: start;
      }
      .foot {
        position: sticky;
        inset-block-end: -24px;
        z-index: 2;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        margin: 0 -16px -24px;
        padding: 12px 16px;
        border-block-start: 1px solid var(--socle-line);
        background: var(--socle-surface);
      }
      .foot label {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        cursor: pointer;
      }
    `,
  ]

  declare meta: ResourceMeta
  /** Values the form starts with, e.g. the account it was opened from. */
  declare defaults: Readonly<Record<string, unknown>>
  declare private values: Readonly<Record<string, unknown>>
  declare private faults: readonly Fault[]
  declare private saving: boolean
  declare private restoredAt: string | undefined
  /** All fields, not only those of the form's layout. */
  declare private whole: boolean

  constructor() {
    super()
    this.defaults = {}
    this.values = {}
    this.faults = []
    this.saving = false
    this.whole = false
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    unsaved.clear(this)
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('meta')) return
    const draft = readDraft(this.meta.id)
    this.values = { ...this.defaults, ...draft?.values }
    this.restoredAt = draft?.at
    if (draft) this.#guard()
    for (const field of this.meta.fields) void this.#propose(field)
  }

  override firstUpdated(): void {
    this.addEventListener('keydown', this.#key)
    this.#focusTitle()
  }

  /** What the record would hold were it saved now. */
  get #record(): Readonly<Record<string, unknown>> {
    const initial = this.meta.fields.map(({ name, initial }) => [name, initial] as const)
    const typed = Object.entries(this.values).filter(([, value]) => value !== undefined && value !== '')
    return Object.fromEntries([...initial, ...typed])
  }

  get #fields(): FieldMeta[] {
    const record = this.#record
    // What was refused is shown whatever a condition says: it must be seen to be corrected.
    const shown = writableFields(this.meta)
      .filter((it) => isShown(it, record) || this.faults.some(({ field }) => field?.name === it.name))
      .map((it) => asked(it, record))
    return this.whole ? shown : shown.filter((it) => it.required || this.meta.form.includes(it.name))
  }

  override render() {
    const fields = this.#fields
    const listed = new Set(fields.map(({ name }) => name))
    const hasMore =
      !this.whole && writableFields(this.meta).some((it) => !listed.has(it.name) && isShown(it, this.#record))
    return html`<form novalidate @submit=${this.#submit}>
      ${
        this.restoredAt
          ? html`<div class="draft" role="status">
              <span>${t('shell.records.form.draft', { time: format.relative(this.restoredAt) })}</span>
              <button type="button" class="button small" @click=${this.#discard}>
                ${t('shell.records.form.discard')}
              </button>
            </div>`
          : nothing
      }
      ${this.#summary()}
      ${byModule(fields).map(
        ([module, some]) =>
          html`${module ? html`<h3 class="module">${module}</h3>` : nothing}${some.map((field) => this.#editor(field))}`,
      )}
      ${
        hasMore
          ? html`<button type="button" class="button small ghost more" @click=${() => (this.whole = true)}>
              ${icon('plus')}${t('shell.records.form.allFields')}
            </button>`
          : nothing
      }
      ${
        this.meta.duplicates
          ? html`<shell-duplicate-hint .meta=${this.meta} .values=${this.values}></shell-duplicate-hint>`
          : nothing
      }
      <div class="foot">
        <label><input type="checkbox" name="another" />${t('shell.records.form.another')}</label>
        <button type="button" class="button" @click=${() => this.tell('form-closed')}>
          ${t('shell.records.cancel')}
        </button>
        <button class="button primary" ?disabled=${this.saving} title=${t('shell.records.form.saveKeys')}>
          ${t(this.saving ? 'shell.records.form.saving' : 'shell.records.form.save')}
        </button>
      </div>
    </form>`
  }

  #editor(field: FieldMeta) {
    return html`<socle-field
      id=${`field-${field.name}`}
      data-field=${field.name}
      .field=${fittingField(this.meta, field, this.values, () => this.requestUpdate())}
      .value=${this.values[field.name]}
      .record=${{ id: '', version: 0, ...this.values } as RecordJson}
      .error=${this.faults.find((it) => it.field?.name === field.name && !it.own)?.text ?? ''}
      @socle-input=${(event: CustomEvent<{ value: unknown }>) => this.#set(field, event.detail.value)}
      @socle-commit=${(event: CustomEvent<{ value: unknown }>) => this.#set(field, event.detail.value)}
    ></socle-field>`
  }

  #summary() {
    if (this.faults.length === 0) return nothing
    return html`<div class="summary" role="alert" tabindex="-1">
      <h3>${t('shell.records.form.faults', { count: this.faults.length })}</h3>
      <ul>
        ${this.faults.map(
          ({ field, text }) =>
            html`<li>
              ${
                field
                  ? html`<a href="#field-${field.name}" @click=${(event: Event) => this.#toField(event, field)}
                      >${t('shell.records.form.fault', { field: field.label, text })}</a
                    >`
                  : text
              }
            </li>`,
        )}
      </ul>
    </div>`
  }

  #toField(event: Event, field: FieldMeta): void {
    event.preventDefault()
    event.stopPropagation()
    this.#editorOf(field.name)?.focus()
  }

  #editorOf(name: string): SocleField | null {
    return this.renderRoot.querySelector<SocleField>(`[data-field="${name}"]`)
  }

  #focusTitle(): void {
    // A key may open the form before the editors are fetched: they take no focus until then.
    void customElements.whenDefined('socle-field').then(() => {
      const title = this.#editorOf(this.meta.title) ?? this.renderRoot.querySelector<SocleField>('socle-field')
      title?.focus()
    })
  }

  #set(field: FieldMeta, value: unknown): void {
    if (this.values[field.name] === value) return
    this.values = { ...this.values, [field.name]: value, ...this.#following(field) }
    if (this.faults.some((it) => it.field?.name === field.name))
      this.faults = this.faults.filter((it) => it.field?.name !== field.name)
    keepDraft(this.meta.id, this.values)
    this.#guard()
  }

  /** Another pipeline has other stages: the stage chosen before is none of them. */
  #following(field: FieldMeta): Record<string, unknown> {
    const dependent = this.meta.fields.filter((it) => scopeOf(this.meta, it)?.own.name === field.name)
    for (const it of dependent) void this.#propose(it)
    return Object.fromEntries(dependent.map((it) => [it.name, undefined]))
  }

  /** What the first choice would be: the first pipeline, and its first stage. */
  async #propose(field: FieldMeta): Promise<void> {
    const scope = scopeOf(this.meta, field)
    if (!scope) return
    const groups = await scopesOf(scope).catch(() => [])
    const group = this.values[scope.own.name] ?? groups[0]?.key
    if (typeof group !== 'string') return
    const stages = await stagesOf(this.meta, field, group).catch(() => [])
    this.values = { ...this.values, [scope.own.name]: group, [field.name]: this.values[field.name] ?? stages[0]?.key }
  }

  /** Asked about before the page is left, offered for copying when its module is switched off. */
  #guard(): void {
    unsaved.set(this, {
      title: createLabel(this.meta),
      isKept: true,
      text: () =>
        Object.entries(this.values)
          .filter(([, value]) => value !== null && value !== undefined && value !== '')
          .map(([name, value]) => `${fieldOf(this.meta, name)?.label ?? name}: ${String(value)}`)
          .join('\n'),
    })
  }

  readonly #discard = (): void => {
    dropDraft(this.meta.id)
    unsaved.clear(this)
    this.values = { ...this.defaults }
    this.restoredAt = undefined
    this.faults = []
    // Entering the field takes what it shows: the draft must be gone from it first.
    void this.updateComplete.then(() => this.#focusTitle())
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    event.stopPropagation()
    this.renderRoot.querySelector('form')?.requestSubmit()
  }

  /** Shows what the record would repeat, before it is created all the same. */
  #twins(problem: ProblemError): Question | undefined {
    const { candidates } = problem.raw as { candidates?: readonly Suspect[] }
    if (problem.code !== 'DUPLICATE_SUSPECTED' || !candidates?.length) return undefined
    return {
      title: t('shell.duplicates.dialog', { one: inSentence(this.meta.name.one) }),
      body: html`<shell-duplicate-hint .meta=${this.meta} .found=${candidates}></shell-duplicate-hint>`,
      confirm: t('shell.duplicates.createAnyway'),
      careful: true,
    }
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.saving) return
    const faults = this.#missing()
    if (faults.length) {
      this.#refuse(faults)
      return
    }
    this.saving = true
    this.faults = []
    try {
      const hidden = new Set(this.meta.fields.filter((it) => !isShown(it, this.#record)).map(({ name }) => name))
      const values = Object.fromEntries(
        Object.entries(this.values).filter(([name, value]) => value !== undefined && value !== '' && !hidden.has(name)),
      )
      const written = await acknowledging(
        (extra) => records(this.meta.id).create({ ...values, ...extra }),
        (problem) => this.#twins(problem),
      )
      this.#saved(written.data, written.changeSet)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.#refuse(this.#faultsOf(error))
    } finally {
      this.saving = false
    }
  }

  #missing(): Fault[] {
    const unreadable = [...this.renderRoot.querySelectorAll<SocleField>('socle-field')].filter((it) => !it.check())
    return unreadable.map(({ field }) => {
      const isEmpty = !field || !this.values[field.name]
      return { field, text: t(isEmpty ? 'shell.records.form.empty' : 'shell.records.form.check'), own: true }
    })
  }

  #faultsOf(problem: ProblemError): Fault[] {
    const named = problem.errors.map((it) => ({ field: fieldOf(this.meta, fieldOfPath(it.path)), text: it.detail }))
    return named.length ? named : [{ field: undefined, text: problem.detail }]
  }

  #refuse(faults: readonly Fault[]): void {
    this.faults = faults
    // A refused field may stand outside the layout: it must be seen to be corrected.
    const shown = new Set(this.#fields.map((it) => it.name))
    if (faults.some((it) => it.field && !shown.has(it.field.name))) this.whole = true
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('.summary')?.focus())
  }

  #saved(record: RecordJson, changeSet: string | undefined): void {
    dropDraft(this.meta.id)
    unsaved.clear(this)
    this.restoredAt = undefined
    const another = this.renderRoot.querySelector<HTMLInputElement>('[name=another]')?.checked ?? false
    tellDone(t('shell.records.form.created', { title: titleOf(this.meta, record) }), {
      changeSet,
      resource: this.meta.id,
      ids: [record.id],
    })
    this.values = { ...this.defaults }
    this.tell('record-created', { record, another })
    if (another) void this.updateComplete.then(() => this.#focusTitle())
  }
}
