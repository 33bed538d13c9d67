import { api, controls, format, icon, KitElement, ProblemError, t } from '@socle/sdk/ui'
import type { FieldMeta, ListQuery, RecordJson, ResourceMeta, SocleDialog } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { followJob, isUnderWay } from '../follow-job.ts'
import { fieldOf, shownFields } from './resources.ts'

interface Export {
  readonly id: string
  readonly state: 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'expired'
  readonly rows: number
  readonly total: number | null
  readonly file: string | null
  readonly problem: { readonly detail: string } | null
}

const formats = ['csv', 'xlsx', 'json', 'vcard'] as const
type Format = (typeof formats)[number]

const pollEvery = 500
/** As many rows as may be named one by one. */
const mostChosen = 500

/** The list, or chosen rows of it, as a file: form, columns, progress, download. */
export class ShellExportDialog extends KitElement {
  static override properties = {
    meta: { attribute: false },
    query: { attribute: false },
    columns: { attribute: false },
    rows: { attribute: false },
    total: { type: Number },
    format: { state: true },
    chosen: { state: true },
    onlyRows: { state: true },
    heads: { state: true },
    export: { state: true },
    problem: { state: true },
  }

  static override styles = [
    controls,
    css`
      .form {
        display: grid;
        gap: 16px;
      }
      fieldset {
        margin: 0;
        padding: 0;
        border: 0;
      }
      .choices {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 16px;
        margin-block-start: 4px;
      }
      .choices label,
      .columns label {
        display: flex;
        align-items: center;
        gap: 6px;
        min-block-size: 28px;
      }
      .columns {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(160px, 1fr));
        gap: 0 16px;
        max-block-size: 220px;
        margin-block-start: 4px;
        padding: 8px 12px;
        overflow: auto;
        border: 1px solid var(--socle-line);
        border-radius: 8px;
      }
      progress {
        inline-size: 100%;
        accent-color: var(--socle-accent);
      }
      .past {
        display: flex;
        align-items: center;
        gap: 8px;
        color: var(--socle-text-2);
      }
      .ok {
        display: flex;
        align-items: center;
        gap: 8px;
        color: var(--socle-success);
      }
    `,
  ]

  declare meta: ResourceMeta
  /** What the list shows: filter, words and order. */
  declare query: ListQuery
  /** Names of the fields it shows. */
  declare columns: readonly string[]
  /** Chosen rows; none means the whole list. */
  declare rows: readonly RecordJson[]
  declare total: number
  declare private format: Format
  declare private chosen: ReadonlySet<string>
  declare private onlyRows: boolean
  declare private heads: 'labels' | 'names'
  declare private export: Export | undefined
  declare private problem: string | undefined
  readonly #left = new AbortController()

  constructor() {
    super()
    this.rows = []
    this.format = 'csv'
    this.heads = 'labels'
    this.onlyRows = false
    this.chosen = new Set()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.onlyRows = this.rows.length > 0 && this.rows.length <= mostChosen
    this.chosen = new Set(this.columns.filter((it) => this.#fields.some(({ name }) => name === it)))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#left.abort()
  }

  get #fields(): readonly FieldMeta[] {
    const shown = shownFields(this.meta)
    const kept = this.meta.fields.filter((it) => it.name !== 'version' && !shown.includes(it))
    return [...shown, ...kept].filter((it) => it.type !== 'json')
  }

  /** Cards are for people. */
  get #formats(): readonly Format[] {
    const isPerson = fieldOf(this.meta, 'lastName') && fieldOf(this.meta, 'email')
    return formats.filter((it) => it !== 'vcard' || isPerson)
  }

  override render() {
    return html`<socle-dialog
      open
      .heading=${t('shell.exports.title', { many: this.meta.name.many })}
      @socle-close=${this.#closed}
    >
      ${this.export ? this.#running(this.export) : this.#ask()}
    </socle-dialog>`
  }

  #ask() {
    const { asOf } = this.query
    return html`
      <div class="form">
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        ${asOf ? html`<p class="past">${icon('history')}${t('shell.exports.asOf', { time: format.instant(asOf) })}</p>` : nothing}
        <fieldset>
          <legend class="label">${t('shell.exports.format')}</legend>
          <div class="choices">
            ${this.#formats.map(
              (it) =>
                html`<label>
                  <input
                    type="radio"
                    name="format"
                    .checked=${this.format === it}
                    @change=${() => (this.format = it)}
                  />
                  ${t(`shell.exports.format.${it}`)}
                </label>`,
            )}
          </div>
        </fieldset>
        ${this.rows.length ? this.#scope() : nothing} ${this.format === 'vcard' ? nothing : this.#columns()}
      </div>
      <button slot="actions" class="button" @click=${this.#close}>${t('shell.records.cancel')}</button>
      <button
        slot="actions"
        class="button primary"
        ?disabled=${this.format !== 'vcard' && this.chosen.size === 0}
        @click=${() => void this.#start()}
      >
        ${t('shell.exports.now')}
      </button>
    `
  }

  #scope() {
    return html`<fieldset>
      <legend class="label">${t('shell.exports.scope')}</legend>
      <div class="choices">
        <label>
          <input
            type="radio"
            name="scope"
            ?disabled=${this.rows.length > mostChosen}
            .checked=${this.onlyRows}
            @change=${() => (this.onlyRows = true)}
          />
          ${t('shell.exports.scope.rows', { count: this.rows.length })}
        </label>
        <label>
          <input type="radio" name="scope" .checked=${!this.onlyRows} @change=${() => (this.onlyRows = false)} />
          ${t('shell.exports.scope.list', { count: this.total })}
        </label>
      </div>
    </fieldset>`
  }

  #columns() {
    return html`
      <fieldset>
        <legend class="label">${t('shell.exports.columns', { count: this.chosen.size })}</legend>
        <div class="columns">
          ${this.#fields.map(
            (it) =>
              html`<label>
                <input type="checkbox" .checked=${this.chosen.has(it.name)} @change=${() => this.#toggle(it.name)} />
                ${it.label}
              </label>`,
          )}
        </div>
      </fieldset>
      ${
        this.format === 'json'
          ? nothing
          : html`<label class="choices">
              <input
                type="checkbox"
                .checked=${this.heads === 'names'}
                @change=${() => (this.heads = this.heads === 'names' ? 'labels' : 'names')}
              />
              ${t('shell.exports.names')}
            </label>`
      }
    `
  }

  #toggle(name: string): void {
    const chosen = new Set(this.chosen)
    if (!chosen.delete(name)) chosen.add(name)
    this.chosen = chosen
  }

  #running(it: Export) {
    const { state, rows, total, file, problem } = it
    if (state === 'done') {
      return html`
        <p class="ok" role="status">${icon('circle-check')}${t('shell.exports.done', { count: rows })}</p>
        <p class="meta">${t('shell.exports.kept')}</p>
        <button slot="actions" class="button" @click=${this.#close}>${t('shell.records.close')}</button>
        <a slot="actions" class="button primary" href=${file ?? ''} download
          >${icon('download')}${t('shell.exports.download')}</a
        >
      `
    }
    if (!isUnderWay(it)) {
      return html`
        <p class="problem" role="alert">${problem?.detail ?? t('shell.exports.stopped')}</p>
        <button slot="actions" class="button" @click=${this.#close}>${t('shell.records.close')}</button>
      `
    }
    const text = t('shell.exports.running', {
      rows: format.number(rows),
      total: total === null ? '…' : format.number(total),
    })
    return html`
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <p role="status">${text}</p>
      <progress max=${total ?? 1} value=${total === null ? nothing : rows} aria-label=${text}></progress>
      <p class="meta">${t('shell.exports.leave')}</p>
      <button slot="actions" class="button" @click=${() => void this.#cancel(it.id)}>
        ${t('shell.imports.cancel')}
      </button>
    `
  }

  async #start(): Promise<void> {
    const { filter, q, sort, deleted, asOf } = this.query
    const asked = {
      resource: this.meta.id,
      format: this.format,
      heads: this.heads,
      ...(this.format === 'vcard' ? {} : { fields: [...this.chosen] }),
      ...(sort ? { sort } : {}),
      ...(asOf ? { asOf } : {}),
      ...(this.onlyRows
        ? { ids: this.rows.map(({ id }) => id) }
        : { ...(filter ? { filter } : {}), ...(q ? { q } : {}), ...(deleted ? { deleted } : {}) }),
    }
    await this.#do(async () => {
      this.export = (await api.post<{ data: Export }>('/api/core/exports', asked)).data
      const path = `/api/core/exports/${this.export.id}`
      const read = async () => (this.export = (await api.get<{ data: Export }>(path)).data)
      await followJob(read, { every: pollEvery, signal: this.#left.signal })
    })
  }

  async #cancel(id: string): Promise<void> {
    await this.#do(async () => {
      this.export = (await api.post<{ data: Export }>(`/api/core/exports/${id}/cancel`)).data
    })
  }

  async #do(work: () => Promise<void>): Promise<void> {
    this.problem = undefined
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    }
  }

  get #dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  readonly #close = (): void => this.#dialog?.close()

  readonly #closed = (event: Event): void => {
    if (event.target === this.#dialog) this.tell('export-closed')
  }
}
