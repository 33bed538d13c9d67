import { controls, icon, KitElement, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, ListQuery, RecordJson, ResourceMeta, SocleDialog, SocleField } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { runBulk } from './bulk.ts'
import type { BulkOperation, BulkOutcome } from './bulk.ts'
import { previewBulk, startRun } from './bulk-runs.ts'
import type { Bulk, BulkSample } from './bulk-runs.ts'
import { bulkStyles, resultTemplate } from './bulk-result.ts'
import { changeStyles, changeTemplate, isTelling } from './field-changes.ts'
import { mostAtOnce } from './many.ts'
import { tellDone } from './own-changes.ts'
import { fieldOf, hrefOf, writableFields } from './resources.ts'

type Phase =
  | { readonly name: 'ask' }
  | { readonly name: 'check' }
  | { readonly name: 'preview'; readonly bulk: Bulk; readonly sample: readonly BulkSample[] }
  | { readonly name: 'run' }
  | { readonly name: 'done'; readonly outcome: BulkOutcome }

/** One thing done to many records: a few at once, many in the background after a look at what would change. */
export class ShellBulkDialog extends KitElement {
  static override properties = {
    meta: { attribute: false },
    kind: {},
    rows: { attribute: false },
    query: { attribute: false },
    total: { type: Number },
    phase: { state: true },
    problem: { state: true },
    field: { state: true },
    value: { state: true },
  }

  static override styles = [controls, bulkStyles, changeStyles]

  declare meta: ResourceMeta
  declare kind: 'set' | 'delete'
  declare rows: readonly RecordJson[]
  /** With it all rows of the list are meant, not only `rows`. */
  declare query: ListQuery | undefined
  declare total: number
  declare private phase: Phase
  declare private problem: string | undefined
  declare private field: FieldMeta | undefined
  declare private value: unknown
  readonly #done: string[] = []

  constructor() {
    super()
    this.phase = { name: 'ask' }
  }

  override render() {
    const heading =
      this.kind === 'delete'
        ? t('shell.records.bulk.deleteTitle', { count: this.total })
        : t('shell.records.bulk.setTitle', { count: this.total })
    return html`<socle-dialog open .heading=${heading} @socle-close=${this.#closed}> ${this.#body()} </socle-dialog>`
  }

  #body() {
    const { phase } = this
    switch (phase.name) {
      case 'ask':
        return this.#ask()
      case 'check':
        return html`<p role="status">${t('shell.records.bulk.checking')}</p>
          <socle-skeleton .lines=${4}></socle-skeleton>`
      case 'preview':
        return this.#sample(phase)
      case 'run':
        return html`<p role="status">
            ${t(this.kind === 'delete' ? 'shell.records.bulk.runDelete' : 'shell.records.bulk.runSet', { count: this.total })}
          </p>
          <progress aria-label=${t('shell.records.bulk.progressLabel')}></progress>`
      case 'done':
        return this.#result(phase.outcome)
    }
  }

  /** More than one request takes: the server does it in the background. */
  get #isMany(): boolean {
    return this.query !== undefined || this.rows.length > mostAtOnce
  }

  #ask() {
    const isDelete = this.kind === 'delete'
    return html`
      <div class="form">
        ${isDelete ? nothing : this.#fields()}
        <p class="preview" aria-live="polite">${this.#preview()}</p>
        ${this.problem ? html`<p class="error" role="alert">${this.problem}</p>` : nothing}
      </div>
      <button slot="actions" class="button" @click=${this.#close}>${t('shell.records.cancel')}</button>
      <button
        slot="actions"
        class=${isDelete && !this.#isMany ? 'button danger' : 'button primary'}
        ?disabled=${!isDelete && !this.field}
        @click=${() => void (this.#isMany ? this.#check() : this.#run(this.rows))}
      >
        ${this.#isMany ? t('shell.records.bulk.check') : isDelete ? t('shell.records.bulk.deleteNow', { count: this.total }) : t('shell.records.bulk.setNow', { count: this.total })}
      </button>
    `
  }

  #fields() {
    const fields = writableFields(this.meta).filter((it) => it.name !== this.meta.title && it.type !== 'json')
    return html`
      <label>
        <span class="label">${t('shell.records.bulk.field')}</span>
        <select
          class="input"
          autofocus
          @change=${(event: Event) => {
            this.field = fieldOf(this.meta, (event.target as HTMLSelectElement).value)
            this.value = undefined
          }}
        >
          <option value="" ?selected=${!this.field}>${t('shell.records.bulk.choose')}</option>
          ${fields.map((it) => html`<option value=${it.name} ?selected=${it.name === this.field?.name}>${it.label}</option>`)}
        </select>
      </label>
      ${
        this.field
          ? html`<socle-field
              .field=${this.field}
              .value=${this.value}
              @socle-input=${(event: CustomEvent<{ value: unknown }>) => (this.value = event.detail.value)}
              @socle-commit=${(event: CustomEvent<{ value: unknown }>) => (this.value = event.detail.value)}
            ></socle-field>`
          : nothing
      }
    `
  }

  #preview(count = this.total): string {
    if (this.kind === 'delete') return t('shell.records.bulk.deletePreview', { count })
    if (!this.field) return t('shell.records.bulk.pickField', { count })
    return this.value === undefined || this.value === '' || this.value === null
      ? t('shell.records.bulk.emptyPreview', { field: this.field.label, count })
      : t('shell.records.bulk.setPreview', { field: this.field.label, count })
  }

  #sample({ bulk, sample }: { bulk: Bulk; sample: readonly BulkSample[] }) {
    const isDelete = this.kind === 'delete'
    const count = bulk.total
    const refused = sample.filter((it) => it.problem).length
    const context = { record: undefined, included: {}, arrived: () => this.requestUpdate() }
    const outcome = (it: BulkSample) => {
      if (it.problem) return html`<span class="error">${it.problem.detail}</span>`
      if (isDelete) return nothing
      const changes = it.changes.filter((change) => isTelling(this.meta, change))
      return changes.length
        ? changes.map((change) => changeTemplate(this.meta, change, context))
        : html`<span class="meta">${t('shell.records.bulk.same')}</span>`
    }
    return html`
      <div class="form">
        <p class="preview">
          ${isDelete ? t('shell.records.bulk.deletePreview', { count }) : this.#preview(count)}
          ${refused ? html`<span class="bad">${t('shell.records.bulk.sampleFails', { count: refused })}</span>` : nothing}
        </p>
        <p class="label" id="sample">${t('shell.records.bulk.sample', { shown: sample.length, total: count })}</p>
        <ul class="sample" tabindex="0" aria-labelledby="sample">
          ${sample.map((it) => html`<li><b>${it.title}</b>${outcome(it)}</li>`)}
        </ul>
        ${this.problem ? html`<p class="error" role="alert">${this.problem}</p>` : nothing}
      </div>
      <button slot="actions" class="button" @click=${() => (this.phase = { name: 'ask' })}>
        ${t('shell.records.bulk.back')}
      </button>
      <button
        slot="actions"
        class=${isDelete ? 'button danger' : 'button primary'}
        ?disabled=${count === 0}
        @click=${() => void this.#start(bulk)}
      >
        ${t(isDelete ? 'shell.records.bulk.deleteNow' : 'shell.records.bulk.setNow', { count })}
      </button>
    `
  }

  #result({ done, failed }: BulkOutcome) {
    const counts = {
      done: t('shell.records.bulk.succeeded', { count: done.length }),
      skipped: 0,
      failed: failed.length,
    }
    const refused = failed.map(({ record, title, detail }) => ({ href: hrefOf(this.meta, record.id), title, detail }))
    return html`
      ${resultTemplate(counts, refused, this.#close)}
      ${
        failed.length
          ? html`<button slot="actions" class="button" @click=${() => void this.#run(failed.map((it) => it.record))}>
              ${icon('refresh-cw')}${t('shell.records.bulk.retry', { count: failed.length })}
            </button>`
          : nothing
      }
      <button slot="actions" class="button primary" @click=${this.#close}>${t('shell.records.close')}</button>
    `
  }

  get #dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  readonly #close = (): void => this.#dialog?.close()

  readonly #closed = (event: Event): void => {
    if (event.target !== this.#dialog) return
    // Told only now: the list forgets its selection with it, and this dialog still speaks of it.
    if (this.#done.length) this.tell('bulk-done', { deleted: this.kind === 'delete' ? this.#done : [], changed: true })
    this.tell('bulk-closed')
  }

  get #operation(): BulkOperation {
    return this.kind === 'delete'
      ? { kind: 'delete' }
      : { kind: 'set', values: { [this.field!.name]: this.value ?? null } }
  }

  get #isComplete(): boolean {
    return this.renderRoot.querySelector<SocleField>('socle-field')?.check() !== false
  }

  async #check(): Promise<void> {
    if (!this.#isComplete) return
    this.phase = { name: 'check' }
    await this.#orSay(async () => {
      const which = this.query ? { query: this.query } : { rows: this.rows }
      this.phase = { name: 'preview', ...(await previewBulk(this.meta, which, this.#operation)) }
    })
    if (this.problem) this.phase = { name: 'ask' }
  }

  async #start(bulk: Bulk): Promise<void> {
    await this.#orSay(async () => {
      await startRun(this.meta, bulk.id)
      this.tell('bulk-done', { deleted: [], changed: true })
      this.#close()
    })
  }

  async #orSay(work: () => Promise<void>): Promise<void> {
    this.problem = undefined
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    }
  }

  async #run(chosen: readonly RecordJson[]): Promise<void> {
    if (!this.#isComplete) return
    this.phase = { name: 'run' }
    const outcome = await runBulk(this.meta, chosen, this.#operation)
    const { done, failed, changeSet } = outcome
    this.phase = { name: 'done', outcome }
    this.#done.push(...done)
    if (done.length) {
      const words = this.kind === 'delete' ? 'shell.records.bulk.deleted' : 'shell.records.bulk.changed'
      tellDone(t(words, { count: done.length }), { changeSet, resource: this.meta.id, ids: done })
    }
    if (failed.length === 0) this.#close()
  }
}
