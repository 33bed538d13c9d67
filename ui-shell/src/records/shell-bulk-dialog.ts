import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { FieldMeta, ListQuery, RecordJson, ResourceMeta, SocleDialog, SocleField } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { everyRow, runBulk } from './bulk.ts'
import type { BulkOperation, BulkOutcome } from './bulk.ts'
import { tellDoneTogether } from './own-changes.ts'
import { fieldOf, hrefOf, writableFields } from './resources.ts'

type Phase =
  | { readonly name: 'ask' }
  | { readonly name: 'run'; readonly seen: number; readonly of: number }
  | { readonly name: 'done'; readonly outcome: BulkOutcome }

/** One thing done to many records: preview with the count, progress, then what succeeded and what did not, and undo. */
export class ShellBulkDialog extends KitElement {
  static override properties = {
    meta: { attribute: false },
    kind: {},
    rows: { attribute: false },
    query: { attribute: false },
    total: { type: Number },
    phase: { state: true },
    field: { state: true },
    value: { state: true },
  }

  static override styles = [
    controls,
    css`
      .form {
        display: grid;
        gap: 16px;
      }
      .preview {
        margin: 0;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-page);
        color: var(--socle-text-2);
      }
      progress {
        inline-size: 100%;
        accent-color: var(--socle-accent);
      }
      .result {
        display: grid;
        gap: 6px;
        margin: 0;
      }
      .result li {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .ok {
        color: var(--socle-success);
      }
      .bad {
        color: var(--socle-danger);
      }
      .failures {
        max-block-size: 240px;
        margin-block-start: 12px;
        overflow: auto;
        border: 1px solid var(--socle-line);
        border-radius: 8px;
      }
      .failures li {
        display: grid;
        gap: 2px;
        padding: 8px 12px;
      }
      .failures li + li {
        border-block-start: 1px solid var(--socle-line);
      }
    `,
  ]

  declare meta: ResourceMeta
  declare kind: 'set' | 'delete'
  declare rows: readonly RecordJson[]
  /** With it all rows of the list are meant, not only `rows`. */
  declare query: ListQuery | undefined
  declare total: number
  declare private phase: Phase
  declare private field: FieldMeta | undefined
  declare private value: unknown
  #stop = new AbortController()
  readonly #done: string[] = []

  constructor() {
    super()
    this.phase = { name: 'ask' }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop.abort()
  }

  override render() {
    const heading =
      this.kind === 'delete'
        ? t('shell.records.bulk.deleteTitle', { count: this.total })
        : t('shell.records.bulk.setTitle', { count: this.total })
    return html`<socle-dialog open .heading=${heading} @socle-close=${this.#closed}>
      ${this.phase.name === 'ask' ? this.#ask() : this.phase.name === 'run' ? this.#progress(this.phase) : this.#result(this.phase.outcome)}
    </socle-dialog>`
  }

  #ask() {
    const isDelete = this.kind === 'delete'
    return html`
      <div class="form">
        ${isDelete ? nothing : this.#fields()}
        <p class="preview" aria-live="polite">${this.#preview()}</p>
      </div>
      <button slot="actions" class="button" @click=${this.#close}>${t('shell.records.cancel')}</button>
      <button
        slot="actions"
        class=${isDelete ? 'button danger' : 'button primary'}
        ?disabled=${!isDelete && !this.field}
        @click=${() => void this.#run(this.rows)}
      >
        ${isDelete ? t('shell.records.bulk.deleteNow', { count: this.total }) : t('shell.records.bulk.setNow', { count: this.total })}
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

  #preview(): string {
    const count = this.total
    if (this.kind === 'delete') return t('shell.records.bulk.deletePreview', { count })
    if (!this.field) return t('shell.records.bulk.pickField', { count })
    return this.value === undefined || this.value === '' || this.value === null
      ? t('shell.records.bulk.emptyPreview', { field: this.field.label, count })
      : t('shell.records.bulk.setPreview', { field: this.field.label, count })
  }

  #progress({ seen, of }: { seen: number; of: number }) {
    return html`
      <p role="status">${t('shell.records.bulk.progress', { seen, total: of })}</p>
      <progress max=${of || 1} value=${seen} aria-label=${t('shell.records.bulk.progressLabel')}></progress>
      <button slot="actions" class="button" @click=${() => this.#stop.abort()}>${t('shell.records.bulk.stop')}</button>
    `
  }

  #result({ done, failed, skipped }: BulkOutcome) {
    return html`
      <ul class="result" role="status">
        <li class="ok">${icon('circle-check')}${t('shell.records.bulk.succeeded', { count: done.length })}</li>
        ${skipped ? html`<li>${icon('minus')}${t('shell.records.bulk.skipped', { count: skipped })}</li>` : nothing}
        ${failed.length ? html`<li class="bad">${icon('circle-alert')}${t('shell.records.bulk.failed', { count: failed.length })}</li>` : nothing}
      </ul>
      ${
        failed.length
          ? html`<ul class="failures" tabindex="0">
              ${failed.map(
                (it) =>
                  html`<li>
                    <a class="link" href=${hrefOf(this.meta, it.record.id)}>${it.title}</a>
                    <span class="error">${it.detail}</span>
                  </li>`,
              )}
            </ul>`
          : nothing
      }
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

  async #run(chosen: readonly RecordJson[]): Promise<void> {
    const editor = this.renderRoot.querySelector<SocleField>('socle-field')
    if (editor && !editor.check()) return
    const isRetry = this.phase.name === 'done'
    this.#stop = new AbortController()
    const { signal } = this.#stop
    const progress = (of: number) => (seen: number) => {
      this.phase = { name: 'run', seen, of: Math.max(of, seen) }
    }
    const fetching = this.query && !isRetry
    progress(this.total)(0)
    const rows = fetching ? await everyRow(this.meta, this.query!, () => undefined, signal).catch(() => []) : chosen
    const operation: BulkOperation =
      this.kind === 'delete' ? { kind: 'delete' } : { kind: 'set', values: { [this.field!.name]: this.value ?? null } }
    const outcome = await runBulk(this.meta, rows, operation, { progress: progress(rows.length), signal })
    this.phase = { name: 'done', outcome }
    this.#done.push(...outcome.done)
    if (outcome.done.length) {
      const words = this.kind === 'delete' ? 'shell.records.bulk.deleted' : 'shell.records.bulk.changed'
      tellDoneTogether(t(words, { count: outcome.done.length }), outcome.changes)
    }
    if (outcome.failed.length === 0 && outcome.skipped === 0) this.#close()
  }
}
