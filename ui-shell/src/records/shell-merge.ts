import {
  announce,
  api,
  controls,
  format,
  icon,
  KitElement,
  navigate,
  ProblemError,
  records,
  resource,
  t,
  valueTemplate,
} from '@socle/sdk/ui'
import type { FieldMeta, Included, Problem, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { setPage } from '../page.ts'
import { acknowledging } from './acknowledging.ts'
import { mostMerged } from './many.ts'
import { movedText, tellMerged } from './merging.ts'
import type { Merged, Moved } from './merging.ts'
import { pageStyles } from './page-styles.ts'
import {
  hasValue,
  hrefOf,
  includesFor,
  inSentence,
  mergeIncluded,
  moduleOf,
  titleOf,
  writableFields,
} from './resources.ts'
import { withTones } from './stages.ts'
import { problemLine } from '../problem-line.ts'

interface Preview {
  readonly moved: readonly Moved[]
  readonly blockers: readonly Problem[]
}

/** Arrow keys pass over choices on their way: only the one they rest on is asked about. */
const patience = 250

/** Two to twenty records side by side: which one stays, which values it takes, and what moves to it. */
export class ShellMerge extends KitElement {
  static override properties = {
    resource: {},
    url: { attribute: false },
    params: { attribute: false },
    rows: { state: true },
    survivor: { state: true },
    chosen: { state: true },
    preview: { state: true },
    problem: { state: true },
    busy: { state: true },
    whole: { state: true },
  }

  declare resource: string
  declare url: URL | undefined
  declare params: Readonly<Record<string, string>> | undefined
  declare private rows: readonly RecordJson[] | undefined
  declare private survivor: string
  /** Whose value is kept, by field; only what somebody chose. */
  declare private chosen: Readonly<Record<string, string>>
  declare private preview: Preview | undefined
  declare private problem: string | undefined
  declare private busy: boolean
  /** Fields that are the same everywhere are shown as well. */
  declare private whole: boolean
  #included: Included = {}
  #asked = ''
  #turn = 0
  #pause: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.survivor = ''
    this.chosen = {}
    this.busy = false
    this.whole = false
  }

  get #meta(): ResourceMeta {
    return resource(this.resource)!
  }

  get #ids(): string[] {
    const ids = (this.url?.searchParams.get('ids') ?? '').split(',').filter(Boolean)
    return [...new Set(ids)].slice(0, mostMerged)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#pause)
  }

  override willUpdate(): void {
    if (!resource(this.resource)) return
    const asked = `${this.resource} ${this.#ids.join(',')}`
    if (asked === this.#asked) return
    this.#asked = asked
    this.rows = undefined
    this.survivor = ''
    this.chosen = {}
    void this.#load()
  }

  override updated(changed: PropertyValues): void {
    const meta = resource(this.resource)
    if (!meta) return
    const count = this.rows?.length ?? this.#ids.length
    const module = moduleOf(meta)
    setPage(this, {
      title: t('shell.merge.title', { count, many: inSentence(meta.name.many) }),
      crumbs: [...(module ? [{ title: module }] : []), { title: meta.name.many, href: meta.route }],
    })
    if (changed.has('survivor') || changed.has('chosen') || changed.has('rows')) this.#ask()
  }

  async #load(): Promise<void> {
    const asked = this.#asked
    const meta = this.#meta
    this.problem = undefined
    try {
      const include = includesFor(meta.fields)
      const answers = await Promise.all(this.#ids.map((id) => records(meta.id).get(id, { include })))
      if (asked !== this.#asked) return
      for (const { included } of answers) this.#included = mergeIncluded(this.#included, withTones(included ?? {}))
      // One that was merged meanwhile answers as the one that stayed.
      const rows = [...new Map(answers.map(({ data }) => [data.id, data])).values()]
      const isThere = (id: string) => rows.some((it) => it.id === id)
      if (!isThere(this.survivor)) this.survivor = fullest(meta, rows)
      this.chosen = Object.fromEntries(Object.entries(this.chosen).filter(([, id]) => isThere(id)))
      this.rows = rows
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (asked === this.#asked) this.problem = error.detail
    }
  }

  #request() {
    const rows = this.rows ?? []
    return {
      version: rows.find(({ id }) => id === this.survivor)!.version,
      others: rows.filter(({ id }) => id !== this.survivor).map(({ id, version }) => ({ id, version })),
      choose: this.chosen,
    }
  }

  #ask(): void {
    clearTimeout(this.#pause)
    if (!this.rows || this.rows.length < 2 || !this.#meta.may.merge) return
    this.#turn += 1
    this.#pause = setTimeout(() => void this.#askNow(this.#turn), this.preview ? patience : 0)
  }

  async #askNow(turn: number): Promise<void> {
    try {
      const path = `${this.#meta.api}/${this.survivor}/merge`
      const { data } = await api.post<{ data: Preview }>(path, { ...this.#request(), preview: true })
      if (turn !== this.#turn) return
      this.preview = data
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (turn !== this.#turn) return
      this.#refuse(error)
    }
  }

  /** What changed under the screen is read again; the choices stay. */
  #refuse(problem: ProblemError): void {
    if (problem.code === 'VERSION_CONFLICT' || problem.code === 'RECORD_MERGED') {
      announce(t('shell.merge.changed'))
      void this.#load()
      return
    }
    this.problem = problem.detail
    announce(problem.detail, 'assertive')
  }

  readonly #merge = async (): Promise<void> => {
    const meta = this.#meta
    if (this.busy) return
    this.busy = true
    this.problem = undefined
    try {
      const request = this.#request()
      const { data } = await acknowledging((extra) =>
        api.post<{ data: Merged }>(`${meta.api}/${this.survivor}/merge`, { ...request, ...extra }),
      )
      navigate(hrefOf(meta, data.data.id), { replace: true })
      tellMerged(meta, data, titleOf(meta, data.data))
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.#refuse(error)
    } finally {
      this.busy = false
    }
  }

  // ——— values ———

  /** Whose value a field takes: the chosen one's, the survivor's, or where it has none the first other's. */
  #sourceOf(field: FieldMeta): string {
    const choice = this.chosen[field.name]
    if (choice) return choice
    const rows = this.rows ?? []
    const survivor = rows.find(({ id }) => id === this.survivor)
    if (field.name === 'owner' || field.name === 'team' || hasValue(survivor?.[field.name])) return this.survivor
    return rows.find((row) => hasValue(row[field.name]))?.id ?? this.survivor
  }

  #choose(field: FieldMeta, id: string): void {
    this.chosen = { ...this.chosen, [field.name]: id }
  }

  // ——— screen ———

  override render() {
    const meta = resource(this.resource)
    if (!meta) return nothing
    if (!meta.may.merge) {
      return html`<socle-empty
        icon="lock"
        .heading=${t('shell.merge.mayNot', { many: inSentence(meta.name.many) })}
      ></socle-empty>`
    }
    const { rows } = this
    if (!rows && !this.problem)
      return html`<div class="page">
        <socle-skeleton .lines=${8} .label=${t('shell.merge.loading')}></socle-skeleton>
      </div>`
    if (!rows || rows.length < 2) {
      return html`<socle-empty
        icon="circle-help"
        .heading=${t('shell.merge.tooFew')}
        .text=${this.problem ?? t('shell.merge.tooFewText')}
      >
        <a slot="actions" class="button" href=${meta.route}
          >${t('shell.records.gonePage.list', { many: meta.name.many })}</a
        >
      </socle-empty>`
    }
    return html`<div class="page">
        <p class="lead">${t('shell.merge.lead')}</p>
        ${this.#grid(meta, rows)} ${this.#outcome(meta, rows)}
      </div>
      ${this.#foot(meta, rows)}`
  }

  #grid(meta: ResourceMeta, rows: readonly RecordJson[]) {
    const fields = writableFields(meta).filter((field) => rows.some((row) => hasValue(row[field.name])))
    const differs = (field: FieldMeta) => new Set(rows.map((row) => written(row[field.name]))).size > 1
    const open = fields.filter(differs)
    const same = fields.filter((it) => !differs(it))
    return html`<div class="scroll" role="group" aria-label=${t('shell.merge.compare')}>
      <div class="grid" .style=${`--records: ${rows.length}`}>
        <div class="row head" role="radiogroup" aria-labelledby="survivor-label">
          <span class="name" id="survivor-label">${t('shell.merge.survivor')}</span>
          ${rows.map((row) => this.#candidate(meta, row))}
        </div>
        ${open.map(
          (field) =>
            html`<div class="row" role="radiogroup" aria-labelledby="label-${field.name}">
              <span class="name" id="label-${field.name}">${field.label}</span>
              ${rows.map((row) => this.#choice(meta, field, row))}
            </div>`,
        )}
        ${
          this.whole
            ? same.map(
                (field) =>
                  html`<div class="row same">
                    <span class="name">${field.label}</span>
                    <span class="value">${this.#value(field, rows[0]!)}</span>
                  </div>`,
              )
            : nothing
        }
      </div>
      ${
        same.length
          ? html`<button
              class="button small ghost more"
              aria-expanded=${this.whole}
              @click=${() => (this.whole = !this.whole)}
            >
              ${icon(this.whole ? 'minus' : 'plus')}${t(this.whole ? 'shell.merge.hideSame' : 'shell.merge.showSame', { count: same.length })}
            </button>`
          : nothing
      }
    </div>`
  }

  #candidate(meta: ResourceMeta, row: RecordJson) {
    const title = titleOf(meta, row)
    const isKept = row.id === this.survivor
    const created = row['createdAt']
    return html`<label class="choice ${isKept ? 'on' : ''}">
      <input
        type="radio"
        name="survivor"
        .checked=${isKept}
        @change=${() => (this.survivor = row.id)}
        aria-label=${title}
      />
      <span class="value">
        <b>${title}</b>
        ${typeof created === 'string' ? html`<span class="meta">${t('shell.records.page.created', { date: format.instant(created) })}</span>` : nothing}
        <span class="meta state">${t(isKept ? 'shell.merge.stays' : 'shell.merge.ends')}</span>
      </span>
    </label>`
  }

  #choice(meta: ResourceMeta, field: FieldMeta, row: RecordJson) {
    const isKept = this.#sourceOf(field) === row.id
    const text = hasValue(row[field.name])
      ? format.value(field, row[field.name], row, this.#included)
      : t('shell.records.history.nothing')
    return html`<label class="choice ${isKept ? 'on' : ''}">
      <input
        type="radio"
        name="field-${field.name}"
        .checked=${isKept}
        @change=${() => this.#choose(field, row.id)}
        aria-label=${t('shell.merge.choice', { value: text, title: titleOf(meta, row) })}
      />
      <span class="value"><span class="meta of">${titleOf(meta, row)}</span>${this.#value(field, row)}</span>
    </label>`
  }

  #value(field: FieldMeta, row: RecordJson) {
    const value = row[field.name]
    return hasValue(value)
      ? valueTemplate(field, value, { record: row, included: this.#included, links: false })
      : html`<span class="none">${t('shell.records.history.nothing')}</span>`
  }

  #outcome(meta: ResourceMeta, rows: readonly RecordJson[]) {
    const { preview } = this
    const title = titleOf(
      meta,
      rows.find(({ id }) => id === this.survivor)!,
    )
    return html`<section class="card outcome" aria-labelledby="outcome">
      <h2 id="outcome">${t('shell.merge.outcome')}</h2>
      ${problemLine(this.problem)}
      ${preview?.blockers.map((it) => html`<p class="problem" role="alert">${icon('circle-alert')}${it.detail}</p>`)}
      ${
        preview
          ? html`<ul aria-live="polite">
              <li>${icon('trash-2')}${t('shell.merge.endings', { count: rows.length - 1 })}</li>
              ${preview.moved.map((it) => this.#moved(it))}
              ${preview.moved.length ? nothing : html`<li>${icon('minus')}${t('shell.merge.nothingMoves', { title })}</li>`}
            </ul>`
          : html`<socle-skeleton .lines=${2}></socle-skeleton>`
      }
      <p class="meta">${t('shell.merge.canUndo')}</p>
    </section>`
  }

  #moved(moved: Moved) {
    const { text, by } = movedText(moved)
    return html`<li>
      ${icon('arrow-right')}<span
        >${text}${by ? html` <span class="meta">${t('shell.merge.by', { field: by })}</span>` : nothing}${moved.folded ? html` <span class="meta">${t('shell.merge.folded', { count: moved.folded })}</span>` : nothing}</span
      >
    </li>`
  }

  #foot(meta: ResourceMeta, rows: readonly RecordJson[]) {
    const title = titleOf(
      meta,
      rows.find(({ id }) => id === this.survivor)!,
    )
    const isBlocked = (this.preview?.blockers.length ?? 1) > 0
    return html`<footer>
      <a class="button" href=${meta.route}>${t('shell.records.cancel')}</a>
      <button class="button primary" ?disabled=${this.busy || isBlocked} @click=${this.#merge}>
        ${icon('merge')}<span>${t('shell.merge.confirm', { title })}</span>
      </button>
    </footer>`
  }

  static override styles = [
    controls,
    pageStyles,
    css`
      .lead {
        max-inline-size: var(--socle-prose);
        color: var(--socle-text-2);
      }
      .scroll {
        overflow-x: auto;
        scrollbar-width: thin;
      }
      .grid {
        display: grid;
        grid-template-columns: 168px repeat(var(--records), minmax(200px, 360px));
        inline-size: fit-content;
        min-inline-size: min(100%, 720px);
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
      }
      .row {
        display: grid;
        grid-column: 1 / -1;
        grid-template-columns: subgrid;
        border-block-end: 1px solid var(--socle-line);
      }
      .row:last-child {
        border-block-end: 0;
      }
      .row > .name {
        position: sticky;
        inset-inline-start: 0;
        z-index: 1;
        padding: 10px 12px;
        background: var(--socle-surface);
        border-radius: var(--socle-radius-card);
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 500;
      }
      .row.same > .value {
        grid-column: 2 / -1;
        padding: 8px 12px;
        color: var(--socle-text-2);
      }
      .choice {
        display: flex;
        gap: 8px;
        min-inline-size: 0;
        padding: 8px 12px;
        border-inline-start: 1px solid var(--socle-line);
        color: var(--socle-text-2);
        cursor: pointer;
      }
      .choice:hover {
        background: var(--socle-page);
      }
      .choice.on {
        background: var(--socle-accent-bg);
        color: var(--socle-text);
      }
      .choice input {
        flex: none;
        inline-size: 16px;
        block-size: 16px;
        margin: 2px 0 0;
        accent-color: var(--socle-accent);
      }
      .choice .value {
        display: grid;
        align-content: start;
        justify-items: start;
        gap: 2px;
        min-inline-size: 0;
        overflow-wrap: anywhere;
        white-space: normal;
      }
      .head .value b {
        color: var(--socle-text);
        font-weight: 600;
      }
      .on .state {
        color: var(--socle-accent);
        font-weight: 500;
      }
      .of {
        display: none;
      }
      .none {
        color: var(--socle-text-3);
      }
      .more {
        margin-block-start: 8px;
      }
      .outcome {
        display: grid;
        gap: 8px;
        max-inline-size: 720px;
        padding: 12px 16px 16px;
      }
      .outcome ul {
        display: grid;
        gap: 6px;
      }
      .outcome li {
        display: flex;
        gap: 8px;
      }
      .outcome li .icon {
        margin-block-start: 2px;
        color: var(--socle-text-3);
      }
      footer {
        display: flex;
        flex: none;
        justify-content: flex-end;
        gap: 8px;
        padding: 12px 24px;
        border-block-start: 1px solid var(--socle-line);
      }
      /* It names a record, as long as that name may be. */
      footer .primary {
        flex: 0 1 auto;
        min-inline-size: 0;
        padding-block: 4px;
        overflow-wrap: anywhere;
        white-space: normal;
      }
      @media (max-width: 599.98px) {
        .grid {
          grid-template-columns: minmax(0, 1fr);
          inline-size: 100%;
          min-inline-size: 0;
        }
        .row > .name {
          position: static;
          padding-block: 10px 4px;
          color: var(--socle-text);
          font-weight: 600;
        }
        .row.same > .value {
          grid-column: 1;
          padding-block: 0 10px;
        }
        .choice {
          min-block-size: var(--socle-touch);
          border-inline-start: 0;
        }
        .of {
          display: block;
        }
        footer {
          padding: 12px 16px;
        }
        footer .primary {
          flex: 1;
        }
      }
    `,
  ]
}

function written(value: unknown): string {
  return hasValue(value) ? JSON.stringify(value) : ''
}

/** The record that says most stays by itself; of equals the oldest. */
function fullest(meta: ResourceMeta, rows: readonly RecordJson[]): string {
  const said = (row: RecordJson) => meta.fields.filter(({ name }) => hasValue(row[name])).length
  const [first] = rows.toSorted(
    (a, b) => said(b) - said(a) || String(a['createdAt']).localeCompare(String(b['createdAt'])),
  )
  return first?.id ?? ''
}
