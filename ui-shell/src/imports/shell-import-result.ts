import { controls, format, icon, KitElement, pill, t, valueTemplate } from '@socle/sdk/ui'
import type { FieldMeta, RecordJson, ResourceMeta, Tone } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { fieldOf, pointsAtRecord } from '../records/resources.ts'
import { imports } from './import-api.ts'
import type { Import, ImportRow } from './import-api.ts'

const tones: Readonly<Record<string, Tone>> = {
  create: 'success',
  update: 'info',
  unchanged: 'neutral',
  skip: 'neutral',
  failed: 'danger',
}
const signs: Readonly<Record<string, string>> = {
  create: 'plus',
  update: 'pencil',
  unchanged: 'minus',
  skip: 'minus',
  failed: 'x',
}
const columnsShown = 5

/** What a rehearsal or a run comes to: counts that add up to the lines read, the first lines, and the refused ones. */
export class ShellImportResult extends KitElement {
  static override properties = {
    meta: { attribute: false },
    import: { attribute: false },
    failed: { state: true },
    next: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 24px;
      }
      .counts {
        display: grid;
        grid-template-columns: repeat(5, minmax(0, 1fr));
        gap: 12px;
      }
      .count {
        padding: 12px 16px;
      }
      dt {
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      dd {
        font: var(--socle-figure);
        font-weight: 600;
        font-variant-numeric: tabular-nums;
      }
      .count.bad dd {
        color: var(--socle-danger);
      }
      .count.none dd {
        color: var(--socle-text-3);
      }
      .sum {
        margin-block-start: 8px;
        font-variant-numeric: tabular-nums;
      }
      h3 {
        margin-block-end: 8px;
      }
      .scroll {
        overflow: auto;
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
        font: var(--socle-small);
      }
      th {
        padding: 8px 12px;
        color: var(--socle-text-2);
        font-weight: 500;
        text-align: start;
        white-space: nowrap;
      }
      td {
        max-inline-size: 260px;
        padding: 7px 12px;
        border-block-start: 1px solid var(--socle-line);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        vertical-align: top;
      }
      td.wide {
        white-space: normal;
      }
      .line {
        inline-size: 1%;
        color: var(--socle-text-3);
        font-variant-numeric: tabular-nums;
      }
      .old {
        color: var(--socle-text-3);
        text-decoration: line-through;
      }
      .changes {
        display: grid;
        gap: 2px;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .head h3 {
        flex: 1;
        margin: 0;
      }
      .quiet {
        margin-block: 2px 8px;
        color: var(--socle-text-2);
      }
      .more {
        margin-block-start: 8px;
      }
      @media (max-width: 719.98px) {
        .counts {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        .count:first-child {
          grid-column: 1 / -1;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare import: Import
  declare private failed: readonly ImportRow[]
  declare private next: string | null
  #asked = ''

  constructor() {
    super()
    this.failed = []
    this.next = null
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('import') || !this.import.counts.failed) return
    const key = `${this.import.id} ${this.import.state} ${this.import.counts.failed}`
    if (key === this.#asked || this.import.state === 'rehearsing' || this.import.state === 'running') return
    this.#asked = key
    void this.#load()
  }

  async #load(after?: string): Promise<void> {
    const page = await imports.failedRows(this.import.id, after).catch(() => undefined)
    if (!page) return
    this.failed = after ? [...this.failed, ...page.data] : page.data
    this.next = page.page?.next ?? null
  }

  override render() {
    return html`${this.#counts()} ${this.import.counts.failed ? this.#problems() : nothing}
    ${this.import.sample.length ? this.#sample() : nothing}`
  }

  #counts() {
    const { counts } = this.import
    const figure = (name: 'lines' | 'create' | 'update' | 'unchanged' | 'failed') => {
      const tone = counts[name] === 0 ? 'none' : name === 'failed' ? 'bad' : ''
      return html`<div class="count card ${tone}">
        <dt>${t(`shell.imports.count.${name}`)}</dt>
        <dd>${format.number(counts[name])}</dd>
      </div>`
    }
    const addsUp = counts.create + counts.update + counts.unchanged + counts.failed === counts.lines
    return html`<section>
      <dl class="counts">
        ${figure('lines')}${figure('create')}${figure('update')}${figure('unchanged')}${figure('failed')}
      </dl>
      ${addsUp ? html`<p class="meta sum">${t('shell.imports.sum', { ...counts })}</p>` : nothing}
    </section>`
  }

  #sample() {
    const rows = this.import.sample
    const named = this.import.mapping
      .flatMap((it) => (it.field ? (fieldOf(this.meta, it.field) ?? []) : []))
      .slice(0, columnsShown)
    return html`<section>
      <h3>${t('shell.imports.sample.title')}</h3>
      <div class="card scroll" tabindex="0" role="region" aria-label=${t('shell.imports.sample.title')}>
        <table>
          <thead>
            <tr>
              <th scope="col">${t('shell.imports.sample.line')}</th>
              <th scope="col">${t('shell.imports.sample.action')}</th>
              ${named.map((it) => html`<th scope="col">${it.label}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) =>
                html`<tr>
                  <td class="line">${row.line}</td>
                  <td>${this.#action(row.action)}</td>
                  ${
                    row.changes?.length || row.problems?.length
                      ? html`<td class="wide" colspan=${named.length}>
                          ${row.problems?.length ? this.#faults(row) : this.#changes(row)}
                        </td>`
                      : named.map((field) => html`<td>${this.#value(field, row.values?.[field.name], row)}</td>`)
                  }
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`
  }

  #action(action: string) {
    const known = action in tones ? action : 'unchanged'
    return pill(t(`shell.imports.action.${known}`), tones[known], signs[known])
  }

  #changes(row: ImportRow) {
    return html`<div class="changes">
      ${row.changes?.map((change) => {
        const field = fieldOf(this.meta, change.field)
        return html`<span>
          ${field?.label ?? change.field}:
          <span class="old">${field ? this.#value(field, change.old, row) : String(change.old ?? '')}</span>
          → ${field ? this.#value(field, change.new, row) : String(change.new ?? '')}
        </span>`
      })}
    </div>`
  }

  #faults(row: ImportRow) {
    return html`<div class="changes">
      ${row.problems?.map((it) => html`<span><b>${fieldOf(this.meta, it.field)?.label ?? it.field}</b> ${it.detail}</span>`)}
    </div>`
  }

  // A reference found by its name comes as the name, one found already as its id with no title beside it.
  #value(field: FieldMeta, value: unknown, row: ImportRow) {
    if (value === null || value === undefined || value === '') return ''
    if (typeof value === 'object') return String((value as { title?: unknown }).title ?? JSON.stringify(value))
    if (pointsAtRecord(field)) return String(value)
    const record = { id: '', version: 0, ...row.values } as RecordJson
    return valueTemplate(field, value, { record, links: false })
  }

  #problems() {
    return html`<section>
      <div class="head">
        <h3>${t('shell.imports.problems.title', { count: this.import.counts.failed })}</h3>
        <a class="button small" href=${imports.errorFile(this.import.id)} download
          >${icon('download')}${t('shell.imports.problems.file')}</a
        >
      </div>
      <p class="quiet">${t('shell.imports.problems.text')}</p>
      <div
        class="card scroll"
        tabindex="0"
        role="region"
        aria-label=${t('shell.imports.problems.title', { count: this.import.counts.failed })}
      >
        <table>
          <tbody>
            ${this.failed.map(
              (row) =>
                html`<tr>
                  <td class="line">${t('shell.imports.sample.line')} ${row.line}</td>
                  <td class="wide">${this.#faults(row)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${this.next ? html`<button class="button small more" @click=${() => void this.#load(this.next ?? undefined)}>${t('shell.imports.problems.more')}</button>` : nothing}
    </section>`
  }
}
