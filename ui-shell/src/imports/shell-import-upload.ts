import { controls, format, icon, KitElement, pill, ProblemError, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { importableFields } from '../records/resources.ts'
import { imports } from './import-api.ts'
import type { Import } from './import-api.ts'

/**
 * The first step: a file, dropped or chosen.
 *
 * @fires import-uploaded - the import the server made of it
 */
export class ShellImportUpload extends KitElement {
  static override properties = {
    meta: { attribute: false },
    reading: { state: true },
    isOver: { state: true },
    problem: { state: true },
    past: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 24px;
      }
      label {
        display: grid;
        justify-items: center;
        gap: 8px;
        padding: 56px 24px;
        border: 1.5px dashed var(--socle-control);
        border-radius: 12px;
        background: var(--socle-surface);
        text-align: center;
        cursor: pointer;
      }
      label:hover,
      label.over {
        border-color: var(--socle-accent);
        background: var(--socle-accent-bg);
      }
      label:has(:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .sign {
        display: grid;
        place-items: center;
        inline-size: 44px;
        block-size: 44px;
        border-radius: 12px;
        background: var(--socle-muted);
        color: var(--socle-text-2);
      }
      .sign .icon {
        inline-size: 22px;
        block-size: 22px;
      }
      h2 {
        margin-block-start: 4px;
      }
      label p {
        max-inline-size: 440px;
        color: var(--socle-text-2);
        text-wrap: pretty;
      }
      .button {
        margin-block-start: 8px;
        pointer-events: none;
      }
      .hint {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      .fields h3 {
        font: var(--socle-small);
        font-weight: 600;
        color: var(--socle-text-2);
      }
      .fields ul {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block-start: 8px;
      }
      .past h3 {
        margin-block-end: 8px;
        font: var(--socle-small);
        font-weight: 600;
        color: var(--socle-text-2);
      }
      .past li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
        padding: 8px 16px;
      }
      .past li + li {
        border-block-start: 1px solid var(--socle-line);
      }
      .past a {
        overflow-wrap: anywhere;
      }
      .problem {
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-danger-bg);
        color: var(--socle-danger);
      }
    `,
  ]

  declare meta: ResourceMeta
  /** Name of the file on its way. */
  declare private reading: string | undefined
  declare private isOver: boolean
  declare private problem: string | undefined
  /** Files that were imported before, newest first. */
  declare private past: readonly Import[]

  constructor() {
    super()
    this.isOver = false
    this.past = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#recall()
  }

  async #recall(): Promise<void> {
    // The list is beside the point: without it a file can be chosen all the same.
    this.past = await imports.list(this.meta.id).catch(() => [])
  }

  override render() {
    return html`
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <label
        class=${this.isOver ? 'over' : ''}
        @dragover=${(event: DragEvent) => {
          event.preventDefault()
          this.isOver = true
        }}
        @dragleave=${() => (this.isOver = false)}
        @drop=${(event: DragEvent) => {
          event.preventDefault()
          this.isOver = false
          void this.#take(event.dataTransfer?.files[0])
        }}
      >
        <span class="sign">${icon(this.reading ? 'loader' : 'upload')}</span>
        <h2>
          ${this.reading ? t('shell.imports.drop.reading', { name: this.reading }) : t(this.isOver ? 'shell.imports.drop.over' : 'shell.imports.drop.title')}
        </h2>
        <p>${t('shell.imports.drop.text')}</p>
        <input
          class="visually-hidden"
          type="file"
          accept=".csv,.tsv,.txt,.xlsx,.json,.ndjson,.jsonl,.vcf"
          ?disabled=${this.reading !== undefined}
          @change=${(event: Event) => void this.#take((event.target as HTMLInputElement).files?.[0])}
        />
        <span class="button primary" aria-hidden="true">${t('shell.imports.drop.choose')}</span>
        <span class="meta hint">${icon('shield')}${t('shell.imports.drop.hint')}</span>
      </label>
      <section class="fields">
        <h3>${t('shell.imports.drop.fields')}</h3>
        <ul>
          ${importableFields(this.meta).map((it) => html`<li class="pill">${it.label}${it.required ? ' *' : ''}</li>`)}
        </ul>
      </section>
      ${this.past.length ? this.#past() : nothing}
    `
  }

  #past() {
    return html`<section class="past">
      <h3>${t('shell.imports.past.title')}</h3>
      <ul class="card">
        ${this.past.slice(0, 10).map(
          (it) =>
            html`<li>
              <a class="link" href="${this.meta.route}/import?${new URLSearchParams({ id: it.id })}">${it.file.name}</a>
              ${pill(t(`shell.imports.state.${it.state}`), it.state === 'failed' ? 'danger' : it.state === 'done' ? 'success' : 'neutral')}
              <span class="meta">
                ${t('shell.imports.past.counts', { ...it.counts })} · ${format.instant(it.createdAt)}
              </span>
            </li>`,
        )}
      </ul>
    </section>`
  }

  async #take(file: File | undefined): Promise<void> {
    if (!file || this.reading) return
    this.problem = undefined
    this.reading = file.name
    try {
      this.tell('import-uploaded', await imports.upload(this.meta.id, file))
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = `${file.name}: ${error.detail}`
    } finally {
      this.reading = undefined
    }
  }
}
