import { controls, format, icon, KitElement, resource, t } from '@socle/sdk/ui'
import type { FieldMeta, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { fieldOf, fillLabel, fillTargets, isNumeric, pointsAtRecord, importableFields } from '../records/resources.ts'
import type { ColumnMapping, Import, ImportChanges, ImportOptions, ValueAlias } from './import-api.ts'

/** Fields that usually name exactly one record. */
const naming = ['code', 'email', 'sku', 'number', 'siren', 'siret', 'name', 'domain', 'slug']
const modes = ['both', 'create', 'update'] as const
const duplicates = ['refuse', 'skip', 'import', 'update'] as const
const dateFormats = ['DD/MM/YYYY', 'MM/DD/YYYY', 'YYYY-MM-DD'] as const

/**
 * Which column goes into which field, which values mean which, and what makes a line an update.
 *
 * @fires import-change - `detail`: the parts to be sent
 */
export class ShellImportMapping extends KitElement {
  static override properties = { meta: { attribute: false }, import: { attribute: false } }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 24px;
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
        font: var(--socle-small);
      }
      .card {
        overflow: auto;
      }
      th {
        padding: 8px 16px;
        color: var(--socle-text-2);
        font-weight: 500;
        text-align: start;
        white-space: nowrap;
      }
      td {
        padding: 8px 16px;
        border-block-start: 1px solid var(--socle-line);
        vertical-align: top;
      }
      tr.skipped .name,
      tr.skipped .samples {
        color: var(--socle-text-3);
        font-weight: 400;
      }
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .samples {
        color: var(--socle-text-2);
      }
      .samples span {
        display: inline-block;
        max-inline-size: 220px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        vertical-align: bottom;
      }
      .samples span + span::before {
        content: '·';
        padding-inline: 6px;
        color: var(--socle-text-3);
      }
      .target {
        inline-size: 300px;
      }
      .target .input {
        min-block-size: 28px;
        padding-block: 3px;
        font: var(--socle-small);
      }
      .sub {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
        margin-block-start: 6px;
        color: var(--socle-text-2);
      }
      .sub label {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .sub .input {
        inline-size: auto;
        border-color: var(--socle-line);
      }
      section > h3 {
        font: var(--socle-title);
        font-weight: 600;
      }
      section > p {
        margin-block: 2px 8px;
        color: var(--socle-text-2);
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px;
      }
      .head > div {
        flex: 1;
      }
      .head p {
        margin-block: 2px 8px;
        color: var(--socle-text-2);
      }
      .warn {
        display: flex;
        gap: 8px;
        margin-block-start: 8px;
        padding: 8px 12px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
        font: var(--socle-small);
      }
      .options {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr));
        gap: 16px;
        margin-block-start: 8px;
        padding: 16px;
      }
      .options .input {
        margin-block-start: 4px;
      }
      .accepted td {
        background: var(--socle-success-bg);
      }
      @media (max-width: 719.98px) {
        thead {
          display: none;
        }
        table,
        tbody,
        tr,
        td {
          display: block;
        }
        tr {
          padding: 8px 12px;
          border-block-start: 1px solid var(--socle-line);
        }
        tr:first-child {
          border: 0;
        }
        td {
          padding: 3px 0;
          border: 0;
        }
        .target {
          inline-size: auto;
        }
        .samples span {
          max-inline-size: 100%;
        }
        .sub .input {
          max-inline-size: 100%;
        }
        .target .input {
          min-block-size: 44px;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare import: Import

  override render() {
    return html`${this.#columns()} ${this.import.aliases.length ? this.#aliases() : nothing} ${this.#options()}`
  }

  #mappingOf(column: string): ColumnMapping {
    return this.import.mapping.find((it) => it.column === column) ?? { column, field: null }
  }

  /** Fields that are filled by no single column: by several together, or by one value for all lines. */
  get #composed(): readonly ColumnMapping[] {
    return this.import.mapping.filter((it) => it.column === '' && it.field)
  }

  #columns() {
    const taken = this.import.mapping.flatMap((it) => it.field ?? [])
    const twice = taken.find((field, at) => taken.indexOf(field) !== at)
    const missing = importableFields(this.meta).filter(
      (it) =>
        it.required && it.name !== 'owner' && !taken.some((name) => name === it.name || name.startsWith(`${it.name}.`)),
    )
    return html`<section>
      <div class="card">
        <table>
          <thead>
            <tr>
              <th scope="col">${t('shell.imports.map.column')}</th>
              <th scope="col">${t('shell.imports.map.samples')}</th>
              <th scope="col">${t('shell.imports.map.field')}</th>
            </tr>
          </thead>
          <tbody @keydown=${this.#arrows}>
            ${this.import.columns.map((column) => {
              const mapping = this.#mappingOf(column.name)
              const isEmpty = this.import.counts.lines > 0 && column.empty >= this.import.counts.lines
              return html`<tr class=${mapping.field ? '' : 'skipped'}>
                <td>
                  <span class="name">${column.name}</span>
                  ${
                    column.empty
                      ? html`<div class="meta">
                          ${isEmpty ? t('shell.imports.map.allEmpty') : t('shell.imports.map.empty', { count: column.empty })}
                        </div>`
                      : nothing
                  }
                </td>
                <td class="samples">${column.samples.slice(0, 3).map((it) => html`<span title=${it}>${it}</span>`)}</td>
                <td class="target">${this.#target(mapping)}</td>
              </tr>`
            })}
            ${this.#composed.map(
              (it) =>
                html`<tr>
                  <td><span class="name">${it.columns?.join(' + ') ?? t('shell.imports.map.constant')}</span></td>
                  <td class="samples">${it.value ?? t('shell.imports.map.composed')}</td>
                  <td class="target">
                    ${fillLabel(this.meta, it.field ?? '')}
                    <button
                      class="button small ghost"
                      @click=${() => this.#say({ mapping: this.import.mapping.filter((other) => other !== it) })}
                    >
                      ${icon('x')}${t('shell.imports.map.drop')}
                    </button>
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${twice ? html`<p class="warn" role="alert">${icon('triangle-alert')}${t('shell.imports.map.twice', { field: fillLabel(this.meta, twice) })}</p>` : nothing}
      ${
        missing.length
          ? html`<p class="warn">
              ${icon('triangle-alert')}<span
                >${t('shell.imports.map.required', { fields: format.list(missing.map((it) => it.label)) })}</span
              >
            </p>`
          : nothing
      }
    </section>`
  }

  #target(mapping: ColumnMapping) {
    const field = mapping.field ? fieldOf(this.meta, mapping.field) : undefined
    const set = (part: Partial<ColumnMapping>) => this.#map({ ...mapping, ...part })
    return html`
      <select
        class="input"
        aria-label=${t('shell.imports.map.fieldOf', { column: mapping.column })}
        @change=${(event: Event) => {
          const name = (event.target as HTMLSelectElement).value || null
          const chosen = name ? fieldOf(this.meta, name) : undefined
          const by = chosen && pointsAtRecord(chosen) ? this.#naming(chosen)[0]?.name : undefined
          this.#map({ column: mapping.column, field: name, ...(by ? { by } : {}) })
        }}
      >
        <option value="" ?selected=${!mapping.field}>${t('shell.imports.map.skip')}</option>
        ${fillTargets(this.meta).map(
          ({ name, label, field: own, isPart }) =>
            html`<option value=${name} ?selected=${name === mapping.field}>
              ${label}${own.required && !isPart ? ' *' : ''}
            </option>`,
        )}
      </select>
      ${field && pointsAtRecord(field) ? this.#reference(field, mapping, set) : nothing}
    `
  }

  #reference(field: FieldMeta, mapping: ColumnMapping, set: (part: Partial<ColumnMapping>) => void) {
    const choices = this.#naming(field)
    const target = field.target ? resource(field.target) : undefined
    return html`<div class="sub">
      ${
        choices.length
          ? html`<select
              class="input"
              aria-label=${t('shell.imports.map.byLabel', { field: field.label })}
              @change=${(event: Event) => set({ by: (event.target as HTMLSelectElement).value })}
            >
              ${choices.map((it) => html`<option value=${it.name} ?selected=${it.name === mapping.by}>${t('shell.imports.map.by', { field: it.label })}</option>`)}
            </select>`
          : nothing
      }
      ${
        target?.may.import
          ? html`<label>
              <input
                type="checkbox"
                .checked=${mapping.create ?? false}
                @change=${(event: Event) => set({ create: (event.target as HTMLInputElement).checked })}
              />
              ${t('shell.imports.map.create')}
            </label>`
          : nothing
      }
    </div>`
  }

  #naming(field: FieldMeta): FieldMeta[] {
    const target = field.target ? resource(field.target) : undefined
    if (!target) return []
    const own = target.fields.filter((it) => it.unique).map(({ name }) => name)
    const names = [target.title, ...own, ...naming.filter((it) => it !== target.title)]
    const proposed = this.import.mapping.find((it) => it.field === field.name)?.by
    return [...new Set([...(proposed ? [proposed] : []), ...names])].flatMap((it) => fieldOf(target, it) ?? [])
  }

  #aliases() {
    const { aliases } = this.import
    const open = aliases.filter((it) => !it.accepted)
    return html`<section>
      <div class="head">
        <div>
          <h3>${t('shell.imports.alias.title')}</h3>
          <p>${t('shell.imports.alias.text')}</p>
        </div>
        ${
          open.length > 1
            ? html`<button
                class="button small"
                @click=${() => this.#alias(aliases.map((it) => ({ ...it, accepted: it.to !== '' })))}
              >
                ${icon('check')}${t('shell.imports.alias.acceptAll')}
              </button>`
            : nothing
        }
      </div>
      <div class="card">
        <table>
          <thead>
            <tr>
              <th scope="col">${t('shell.imports.map.column')}</th>
              <th scope="col">${t('shell.imports.alias.from')}</th>
              <th scope="col">${t('shell.imports.alias.to')}</th>
              <th scope="col"><span class="visually-hidden">${t('shell.imports.alias.accept')}</span></th>
            </tr>
          </thead>
          <tbody>
            ${aliases.map(
              (alias, at) =>
                html`<tr class=${alias.accepted ? 'accepted' : ''}>
                  <td class="samples">${alias.column}</td>
                  <td>
                    <span class="name">${alias.from}</span>
                    <span class="meta">${t('shell.imports.alias.rows', { count: alias.rows })}</span>
                  </td>
                  <td class="target">${this.#aliasTarget(alias, at)}</td>
                  <td>
                    <button
                      class="button small"
                      aria-pressed=${alias.accepted}
                      aria-label=${t(alias.to ? 'shell.imports.alias.acceptLabel' : 'shell.imports.alias.acceptNone', { from: alias.from, to: alias.to })}
                      ?disabled=${!alias.to}
                      @click=${() => this.#setAlias(at, { accepted: !alias.accepted })}
                    >
                      ${icon('check')}${t('shell.imports.alias.accept')}
                    </button>
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`
  }

  #aliasTarget(alias: ValueAlias, at: number) {
    const name = this.#mappingOf(alias.column).field
    const field = name ? fieldOf(this.meta, name) : undefined
    const label = t('shell.imports.alias.toLabel', { from: alias.from })
    if (field?.options) {
      return html`<select
        class="input"
        aria-label=${label}
        @change=${(event: Event) => this.#setAlias(at, { to: (event.target as HTMLSelectElement).value, accepted: true })}
      >
        <option value="" ?selected=${!alias.to}>–</option>
        ${field.options.map((it) => html`<option value=${it.value} ?selected=${it.value === alias.to || it.label === alias.to}>${it.label}</option>`)}
      </select>`
    }
    return html`<input
      class="input"
      aria-label=${label}
      .value=${alias.to}
      @change=${(event: Event) => {
        const to = (event.target as HTMLInputElement).value.trim()
        this.#setAlias(at, { to, accepted: to !== '' })
      }}
    />`
  }

  #options() {
    const { options, key } = this.import
    const mapped = this.import.mapping.flatMap((it) => (it.field ? (fieldOf(this.meta, it.field) ?? []) : []))
    const keys = mapped.filter((it) => ['text', 'email', 'phone', 'url', 'integer'].includes(it.type))
    const hasDates = mapped.some((it) => it.type === 'date' || it.type === 'instant')
    const hasNumbers = mapped.some((it) => isNumeric(it) && it.type !== 'integer')
    return html`<section>
      <h3>${t('shell.imports.options.title')}</h3>
      <div class="options card">
        <label>
          <span class="label">${t('shell.imports.options.key')}</span>
          <select
            class="input"
            @change=${(event: Event) => this.#say({ key: (event.target as HTMLSelectElement).value || null })}
          >
            <option value="" ?selected=${!key}>${t('shell.imports.options.keyNone')}</option>
            ${keys.map((it) => html`<option value=${it.name} ?selected=${it.name === key}>${it.label}</option>`)}
          </select>
        </label>
        ${
          hasDates
            ? html`<label>
                <span class="label">${t('shell.imports.options.date')}</span>
                <select
                  class="input"
                  @change=${(event: Event) => this.#option('dateFormat', (event.target as HTMLSelectElement).value)}
                >
                  <option value="" ?selected=${!options.dateFormat}>${t('shell.imports.options.dateAuto')}</option>
                  ${dateFormats.map((it) => html`<option value=${it} ?selected=${it === options.dateFormat}>${it}</option>`)}
                </select>
              </label>`
            : nothing
        }
        ${
          hasNumbers
            ? html`<label>
                <span class="label">${t('shell.imports.options.decimal')}</span>
                <select
                  class="input"
                  @change=${(event: Event) => this.#option('decimal', (event.target as HTMLSelectElement).value)}
                >
                  <option value="" ?selected=${!options.decimal}>${t('shell.imports.options.decimalAuto')}</option>
                  <option value="," ?selected=${options.decimal === ','}>${t('shell.imports.options.comma')}</option>
                  <option value="." ?selected=${options.decimal === '.'}>${t('shell.imports.options.point')}</option>
                </select>
              </label>`
            : nothing
        }
        ${
          key
            ? html`<label>
                <span class="label">${t('shell.imports.options.mode')}</span>
                <select
                  class="input"
                  @change=${(event: Event) => this.#option('mode', (event.target as HTMLSelectElement).value)}
                >
                  ${modes.map(
                    (it) =>
                      html`<option value=${it} ?selected=${it === (options.mode ?? 'both')}>
                        ${t(`shell.imports.mode.${it}`)}
                      </option>`,
                  )}
                </select>
              </label>`
            : nothing
        }
        <label>
          <span class="label">${t('shell.imports.options.duplicates')}</span>
          <select
            class="input"
            @change=${(event: Event) => this.#option('duplicates', (event.target as HTMLSelectElement).value)}
          >
            ${duplicates.map(
              (it) =>
                html`<option value=${it} ?selected=${it === (options.duplicates ?? 'refuse')}>
                  ${t(`shell.imports.duplicates.${it}`)}
                </option>`,
            )}
          </select>
        </label>
      </div>
    </section>`
  }

  #option(name: keyof ImportOptions, value: string): void {
    const { [name]: _, ...rest } = this.import.options
    this.#say({ options: value ? { ...rest, [name]: value } : rest })
  }

  #map(mapping: ColumnMapping): void {
    const all = this.import.columns.map((it) => (it.name === mapping.column ? mapping : this.#mappingOf(it.name)))
    this.#say({ mapping: [...all, ...this.#composed] })
  }

  #setAlias(at: number, part: Partial<ValueAlias>): void {
    this.#alias(this.import.aliases.map((it, index) => (index === at ? { ...it, ...part } : it)))
  }

  #alias(aliases: readonly ValueAlias[]): void {
    this.#say({ aliases })
  }

  #say(changes: ImportChanges): void {
    this.import = { ...this.import, ...changes }
    this.tell('import-change', changes)
  }

  /** Ctrl/Cmd with an arrow goes to the same control of the next line; the arrow alone changes the choice. */
  readonly #arrows = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('.target > select')]
    const next = all[all.indexOf(event.target as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)]
    if (!next) return
    event.preventDefault()
    next.focus()
  }
}
