import { controls, format, icon, KitElement, pill, recordHref, t, valueTemplate } from '@socle/sdk/ui'
import type { FieldMeta, RecordJson, ResourceMeta, Tone } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { fieldOf, fillLabel, fillTargets, pointsAtRecord } from '../records/resources.ts'
import { imports } from './import-api.ts'
import type { Import, ImportRow, KeptRecord } from './import-api.ts'

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
const filters = ['', 'create', 'update', 'unchanged', 'skip', 'failed'] as const
type Shown = (typeof filters)[number]

/** What a rehearsal or a run comes to: counts that add up to the lines read, the first lines, and the refused ones. */
export class ShellImportResult extends KitElement {
  static override properties = {
    meta: { attribute: false },
    import: { attribute: false },
    shown: { state: true },
    rows: { state: true },
    next: { state: true },
    kept: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 24px;
      }
      .counts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(120px, 1fr));
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
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block: 8px;
      }
      .below {
        margin-block-start: 16px;
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
        thead {
          display: none;
        }
        table,
        tbody,
        td {
          display: block;
        }
        tr {
          display: grid;
          grid-template-columns: auto minmax(0, 1fr);
          gap: 4px 8px;
          padding: 8px 12px;
          border-block-start: 1px solid var(--socle-line);
        }
        tr:first-child {
          border: 0;
        }
        td {
          max-inline-size: none;
          padding: 0;
          border: 0;
          overflow-wrap: anywhere;
          white-space: normal;
        }
        td.line {
          inline-size: auto;
        }
        td.wide,
        td[data-label] {
          grid-column: 1 / -1;
        }
        td[data-label] {
          display: grid;
          grid-template-columns: 112px minmax(0, 1fr);
          gap: 8px;
        }
        td[data-label]::before {
          content: attr(data-label);
          color: var(--socle-text-2);
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare import: Import
  /** Which lines are shown: those that come to this, or all. */
  declare private shown: Shown
  declare private rows: readonly ImportRow[]
  declare private next: string | null
  declare private kept: readonly KeptRecord[]
  #asked = ''

  constructor() {
    super()
    this.shown = ''
    this.rows = []
    this.next = null
    this.kept = []
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('import')) return
    const { id, state, counts } = this.import
    const key = `${id} ${state} ${counts.done}`
    if (key === this.#asked || state === 'rehearsing' || state === 'running' || state === 'rolling_back') return
    this.#asked = key
    // What was refused is what somebody has to do something about.
    this.shown = counts.failed ? 'failed' : ''
    void this.#load()
    if (this.import.reversal) void this.#loadKept()
  }

  async #load(after?: string): Promise<void> {
    const { shown } = this
    const page = await imports.rows(this.import.id, shown, after).catch(() => undefined)
    if (!page || shown !== this.shown) return
    this.rows = after ? [...this.rows, ...page.data] : page.data
    this.next = page.page?.next ?? null
  }

  async #loadKept(): Promise<void> {
    this.kept = (await imports.kept(this.import.id).catch(() => undefined))?.data ?? []
  }

  override render() {
    return html`${this.import.reversal ? this.#reversal(this.import.reversal) : nothing} ${this.#counts()}
    ${this.import.counts.done ? this.#lines() : nothing}`
  }

  /** What a roll back came to, and what it left with the reason. */
  #reversal({ deleted, restored, kept }: NonNullable<Import['reversal']>) {
    return html`<section>
      <dl class="counts">
        ${Object.entries({ deleted, restored, kept }).map(
          ([name, count]) =>
            html`<div class="count card ${count === 0 ? 'none' : ''}">
              <dt>${t(`shell.imports.reversal.${name}`)}</dt>
              <dd>${format.number(count)}</dd>
            </div>`,
        )}
      </dl>
      ${
        this.kept.length
          ? html`<h3 class="below">${t('shell.imports.reversal.left')}</h3>
              <div class="card scroll" tabindex="0" role="region" aria-label=${t('shell.imports.reversal.left')}>
                <table>
                  <tbody>
                    ${this.kept.map(
                      (it) =>
                        html`<tr>
                          <td>
                            <a class="link" href=${recordHref(it.resource, it.record) ?? nothing}
                              >${it.title || it.record}</a
                            >
                          </td>
                          <td class="wide">
                            ${it.detail ?? t('shell.imports.reversal.fields', { fields: format.list(it.fields.map((name) => fieldOf(this.meta, name)?.label ?? name)) })}
                          </td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>`
          : nothing
      }
    </section>`
  }

  #counts() {
    const { counts } = this.import
    const figure = (name: 'lines' | 'create' | 'update' | 'unchanged' | 'skip' | 'failed') => {
      const tone = counts[name] === 0 ? 'none' : name === 'failed' ? 'bad' : ''
      return html`<div class="count card ${tone}">
        <dt>${t(`shell.imports.count.${name}`)}</dt>
        <dd>${format.number(counts[name])}</dd>
      </div>`
    }
    const addsUp = counts.create + counts.update + counts.unchanged + counts.skip + counts.failed === counts.lines
    return html`<section>
      <dl class="counts">
        ${figure('lines')}${figure('create')}${figure('update')}${figure('unchanged')}
        ${counts.skip ? figure('skip') : nothing}${figure('failed')}
      </dl>
      ${addsUp ? html`<p class="meta sum">${t('shell.imports.sum', { ...counts })}</p>` : nothing}
    </section>`
  }

  #lines() {
    const { counts, id } = this.import
    const targets = fillTargets(this.meta)
    const filled = this.import.mapping.flatMap((it) => targets.find(({ name }) => name === it.field)?.field ?? [])
    // An address fills several columns of the file and stands in one here.
    const named = [...new Set(filled)].slice(0, columnsShown)
    const choices = filters.filter((it) => it === '' || counts[it] > 0)
    return html`<section>
      <div class="head">
        <h3>${t('shell.imports.diff.title')}</h3>
        ${
          counts.failed
            ? html`<a class="button small" href=${imports.errorFile(id)} download
                >${icon('download')}${t('shell.imports.problems.file')}</a
              >`
            : nothing
        }
        <a class="button small" href=${imports.diffFile(id)} download
          >${icon('download')}${t('shell.imports.diff.file')}</a
        >
      </div>
      ${counts.failed ? html`<p class="quiet">${t('shell.imports.problems.text')}</p>` : nothing}
      <div class="filters" role="group" aria-label=${t('shell.imports.diff.show')}>
        ${choices.map(
          (it) =>
            html`<button
              class="button small"
              aria-pressed=${this.shown === it}
              @click=${() => {
                this.shown = it
                void this.#load()
              }}
            >
              ${it === '' ? t('shell.imports.diff.all') : t(`shell.imports.count.${it}`)}
              <span class="meta">${format.number(it === '' ? counts.done : counts[it])}</span>
            </button>`,
        )}
      </div>
      <div class="card scroll" tabindex="0" role="region" aria-label=${t('shell.imports.diff.title')}>
        <table>
          <thead>
            <tr>
              <th scope="col">${t('shell.imports.sample.line')}</th>
              <th scope="col">${t('shell.imports.sample.action')}</th>
              ${named.map((it) => html`<th scope="col">${it.label}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${this.rows.map(
              (row) =>
                html`<tr>
                  <td class="line">${row.line}</td>
                  <td>${this.#action(row.action)}</td>
                  ${
                    row.changes?.length || row.problems?.length
                      ? html`<td class="wide" colspan=${Math.max(1, named.length)}>
                          ${row.problems?.length ? this.#faults(row) : this.#changes(row)}
                        </td>`
                      : named.map(
                          (field) =>
                            html`<td data-label=${field.label}>
                              ${this.#value(field, row.values?.[field.name], row)}
                            </td>`,
                        )
                  }
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${
        this.next
          ? html`<button class="button small more" @click=${() => void this.#load(this.next ?? undefined)}>
              ${t('shell.imports.problems.more')}
            </button>`
          : nothing
      }
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
      ${row.problems?.map(
        (it) =>
          html`<span
            ><b>${fillLabel(this.meta, it.field)}</b> ${it.detail}
            ${it.candidates?.map((one) => html` <a class="link" href=${recordHref(this.meta.id, one.id) ?? nothing}>${one.title}</a>`)}</span
          >`,
      )}
    </div>`
  }

  // A reference found by its name comes as the name, one found already as its id with no title beside it.
  #value(field: FieldMeta, value: unknown, row: ImportRow) {
    if (value === null || value === undefined || value === '') return ''
    if (typeof value === 'object' && field.type !== 'address')
      return String((value as { title?: unknown }).title ?? JSON.stringify(value))
    if (pointsAtRecord(field)) return String(value)
    const record = { id: '', version: 0, ...row.values } as RecordJson
    return valueTemplate(field, value, { record, links: false })
  }
}
