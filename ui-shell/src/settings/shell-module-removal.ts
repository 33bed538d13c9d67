import { KitElement, ProblemError, api, controls, format, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sizeOf } from '../size-of.ts'
import { sentenceOf } from './settings-api.ts'
import type { Breaks, PluginCard } from './settings-api.ts'

type Mode = 'keep' | 'archive' | 'purge'

interface TableSize {
  readonly table: string
  readonly rows: number
  readonly bytes: number
}

/** What a module has, counted by the server. */
interface Sizes {
  readonly tables: readonly TableSize[]
  /** What the platform keeps with its records; an archive holds it too. */
  readonly beside: readonly TableSize[]
  /** Rows an archive would hold. */
  readonly archived: number
  readonly rows: number
  readonly bytes: number
  readonly fields: number
  readonly views: number
  readonly shares: number
  readonly files: { readonly count: number; readonly bytes: number }
  readonly heldEvents: number
  readonly roles: number
  readonly demo: number
  readonly archives: number
  /** In how many workspaces it is on; of one workspace's data nobody asks. */
  readonly workspaces?: number
  readonly dependents?: readonly { readonly id: string; readonly title: string }[]
}

/**
 * How a module goes, or how one workspace's data of it goes: what each way keeps and takes, counted before it acts. The safe
 * button has the focus, and a purge is typed.
 *
 * @fires close - nothing was done
 * @fires begun - `detail` is the id of the job that does it
 */
export class ShellModuleRemoval extends KitElement {
  static override properties = {
    card: { attribute: false },
    here: { type: Boolean },
    sizes: { state: true },
    breaks: { state: true },
    mode: { state: true },
    typed: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare card: PluginCard
  /** It is about the data of this workspace alone, and the module stays. */
  declare here: boolean
  declare private sizes: Sizes | undefined
  /** What people here see of it. */
  declare private breaks: Breaks | undefined
  declare private mode: Mode
  declare private typed: string
  declare private problem: string | undefined
  declare private isBusy: boolean

  constructor() {
    super()
    this.here = false
    this.mode = 'archive'
    this.typed = ''
    this.isBusy = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  get #path(): string {
    return `/api/core/plugins/${this.card.id}/${this.here ? 'data' : 'uninstall'}`
  }

  get #breaksPath(): string {
    return `/api/core/plugins/${this.card.id}/what-breaks`
  }

  async #load(): Promise<void> {
    try {
      // Of one whose code does not run nobody can say what it shows.
      const breaks = this.here || !this.card.loaded ? undefined : api.get<{ data: Breaks }>(this.#breaksPath)
      const [sizes, broken] = await Promise.all([api.get<{ data: Sizes }>(this.#path), breaks])
      this.sizes = sizes.data
      this.breaks = broken?.data
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    const { title, id } = this.card
    const isReady = this.sizes !== undefined && (this.mode !== 'purge' || this.typed.trim() === id)
    return html`
      <socle-dialog
        open
        .heading=${t(this.here ? 'shell.removal.titleHere' : 'shell.removal.title', { title })}
        @socle-close=${this.#close}
      >
        <form id="removal" @submit=${this.#submit}>
          ${problemLine(this.problem)}
          ${this.sizes ? this.#choices(this.sizes) : this.problem ? nothing : html`<socle-skeleton .lines=${6}></socle-skeleton>`}
        </form>
        <button slot="actions" class="button" autofocus @click=${this.#close}>
          ${t(this.here ? 'shell.cancel' : 'shell.removal.stay')}
        </button>
        <button
          slot="actions"
          class="button danger"
          aria-busy=${this.isBusy}
          aria-disabled=${isReady && !this.isBusy ? nothing : 'true'}
          @click=${() => void this.#begin(isReady)}
        >
          ${this.#verb()}
        </button>
      </socle-dialog>
    `
  }

  #verb(): string {
    const count = (this.sizes?.dependents?.length ?? 0) + 1
    if (this.here) return t(`shell.removal.doHere.${this.mode}`)
    return count > 1 ? t('shell.removal.doAll', { count }) : t('shell.removal.do')
  }

  #choices(sizes: Sizes) {
    const modes: readonly Mode[] = this.here ? ['archive', 'purge'] : ['keep', 'archive', 'purge']
    const { tables, beside } = sizes
    const besideBytes = beside.reduce((sum, it) => sum + it.bytes, 0)
    const values = (mode: Mode) =>
      mode === 'archive'
        ? { rows: sizes.archived, size: sizeOf(sizes.bytes + besideBytes) }
        : { rows: sizes.rows, size: sizeOf(sizes.bytes) }
    const dependents = sizes.dependents ?? []
    return html`
      <fieldset>
        <legend class="label">${t('shell.removal.how')}</legend>
        ${modes.map(
          (mode) => html`
            <label class=${mode === this.mode ? 'chosen' : ''}>
              <input
                type="radio"
                name="mode"
                value=${mode}
                .checked=${mode === this.mode}
                @change=${() => (this.mode = mode)}
              />
              <span>
                <strong>${t(`shell.removal.mode.${mode}`)}</strong>
                <span class="meta">${t(`shell.removal.text.${mode}`, values(mode))}</span>
                ${
                  mode === 'archive' && beside.length > 0
                    ? html`<span class="meta"
                        >${t('shell.removal.beside', { own: sizes.rows, beside: sizes.archived - sizes.rows })}</span
                      >`
                    : nothing
                }
              </span>
            </label>
          `,
        )}
      </fieldset>
      ${
        dependents.length > 0
          ? html`<p class="warning">
              ${icon('triangle-alert')}
              <span
                >${t('shell.removal.dependents', {
                  count: dependents.length,
                  list: format.list(dependents.map((it) => it.title)),
                })}</span
              >
            </p>`
          : nothing
      }
      ${this.#losses(sizes)}
      ${
        this.mode === 'purge'
          ? html`<div class="field">
              <label class="label" for="typed">${t('shell.removal.type', { id: this.card.id })}</label>
              <input
                class="input"
                id="typed"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                .value=${this.typed}
                @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)}
              />
            </div>`
          : nothing
      }
      ${
        tables.length > 0
          ? html`<details>
              <summary>${t('shell.removal.tables', { count: tables.length })}</summary>
              <div
                class="scroll"
                tabindex="0"
                role="group"
                aria-label=${t('shell.removal.tables', { count: tables.length })}
              >
                <table>
                  <thead>
                    <tr>
                      <th scope="col">${t('shell.removal.table')}</th>
                      <th scope="col" class="number">${t('shell.removal.rows')}</th>
                      <th scope="col" class="number">${t('shell.removal.size')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${tables.map(sizeRow)}
                  </tbody>
                  ${
                    beside.length > 0
                      ? html`<tbody>
                          <tr>
                            <th scope="rowgroup" colspan="3" class="group">${t('shell.removal.kept')}</th>
                          </tr>
                          ${beside.map(sizeRow)}
                        </tbody>`
                      : nothing
                  }
                </table>
              </div>
            </details>`
          : nothing
      }
    `
  }

  /** What goes beside the rows, by the way that is chosen. */
  #losses({ fields, views, shares, files, heldEvents, roles, demo, archives, workspaces }: Sizes) {
    const isData = this.mode !== 'keep'
    const lines: readonly {
      readonly icon: string
      readonly key: string
      readonly count: number
      readonly when: boolean
    }[] = [
      { icon: 'building-2', key: 'workspaces', count: workspaces ?? 0, when: !this.here },
      { icon: 'shield', key: 'roles', count: roles, when: !this.here },
      { icon: 'inbox', key: 'held', count: heldEvents, when: !this.here || this.mode === 'purge' },
      { icon: 'pencil', key: 'fields', count: fields, when: isData },
      { icon: 'filter', key: 'views', count: views, when: isData },
      { icon: 'users', key: 'shares', count: shares, when: isData },
      { icon: 'file', key: 'files', count: files.count, when: this.mode === 'purge' },
      { icon: 'history', key: 'archives', count: archives, when: !this.here && this.mode === 'purge' },
      { icon: 'info', key: 'demo', count: demo, when: isData },
    ]
    const { screens = [], fields: beside = [] } = this.breaks ?? {}
    const shown = [
      ...lines
        .filter(({ count, when }) => when && count > 0)
        .map((it) => ({ icon: it.icon, text: t(`shell.removal.loss.${it.key}`, { count: it.count }) })),
      ...(screens.length > 0
        ? [{ icon: 'layout-grid', text: t('shell.breaks.screens', { count: screens.length }) }]
        : []),
      ...(beside.length > 0 ? [{ icon: 'pencil', text: t('shell.breaks.fields', { count: beside.length }) }] : []),
    ]
    if (shown.length === 0) return nothing
    return html`
      <p class="label" id="losses">${t('shell.removal.goes')}</p>
      <ul aria-labelledby="losses">
        ${shown.map((it) => html`<li>${icon(it.icon)}<span>${it.text}</span></li>`)}
      </ul>
      ${this.mode === 'archive' ? html`<p class="meta">${t(this.here ? 'shell.removal.backHere' : 'shell.removal.back')}</p>` : nothing}
    `
  }

  readonly #close = (): void => {
    if (!this.isBusy) this.dispatchEvent(new CustomEvent('close'))
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    void this.#begin(this.sizes !== undefined && (this.mode !== 'purge' || this.typed.trim() === this.card.id))
  }

  async #begin(isReady: boolean): Promise<void> {
    if (!isReady || this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    const { mode, typed } = this
    const cascade = (this.sizes?.dependents?.length ?? 0) > 0
    try {
      const { data } = await api.post<{ data: { job: string } }>(this.#path, {
        mode,
        ...(mode === 'purge' ? { confirm: typed.trim() } : {}),
        ...(cascade ? { cascade } : {}),
      })
      this.isBusy = false
      this.dispatchEvent(new CustomEvent('begun', { detail: data.job }))
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 12px;
        min-inline-size: 0;
      }
      fieldset {
        display: grid;
        gap: 8px;
        min-inline-size: 0;
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        margin-block-end: 8px;
        padding: 0;
      }
      fieldset label {
        display: flex;
        align-items: start;
        gap: 10px;
        padding: 10px 12px;
        border: 1px solid var(--socle-line);
        border-radius: 8px;
        cursor: pointer;
      }
      fieldset label.chosen {
        border-color: var(--socle-accent);
        background: var(--socle-accent-bg);
      }
      fieldset label:has(:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      input[type='radio'] {
        flex: none;
        margin-block-start: 3px;
        accent-color: var(--socle-accent);
      }
      strong {
        display: block;
        font-weight: 500;
      }
      ul {
        display: grid;
      }
      li {
        display: flex;
        gap: 10px;
        padding: 6px 0;
        border-block-end: 1px solid var(--socle-line);
      }
      li .icon {
        flex: none;
        margin-block-start: 2px;
        color: var(--socle-text-3);
      }
      .warning {
        display: flex;
        gap: 8px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
      }
      .warning .icon {
        flex: none;
        margin-block-start: 2px;
      }
      .field {
        display: grid;
        gap: 6px;
      }
      summary {
        cursor: pointer;
        color: var(--socle-text-2);
      }
      .scroll {
        max-block-size: 200px;
        overflow: auto;
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
      }
      th,
      td {
        padding: 6px 8px 6px 0;
        border-block-end: 1px solid var(--socle-line);
        font-weight: 400;
        text-align: start;
      }
      thead th,
      .group {
        color: var(--socle-text-2);
      }
      tbody th {
        overflow-wrap: anywhere;
      }
      .number {
        text-align: end;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
    `,
  ]
}

function sizeRow({ table, rows, bytes }: TableSize) {
  return html`
    <tr>
      <th scope="row">${table}</th>
      <td class="number">${format.number(rows)}</td>
      <td class="number">${sizeOf(bytes)}</td>
    </tr>
  `
}
