import { api, controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { mergeHref } from './many.ts'
import { reasonsText } from './merging.ts'
import type { Suspect } from './merging.ts'
import { onUndone } from './own-changes.ts'
import { hrefOf } from './resources.ts'

/** Letters typed in a row are one question. */
const patience = 400
const shownAtMost = 5

/** Records that may be the same: as what is being typed, or as the record in view. Nothing where there are none. */
export class ShellDuplicateHint extends KitElement {
  static override properties = {
    meta: { attribute: false },
    values: { attribute: false },
    record: { type: String, reflect: true },
    found: { attribute: false },
    suspects: { state: true },
  }

  static override styles = [
    controls,
    css`
      section {
        padding: 12px 16px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-text);
      }
      :host([record]) section {
        margin-block-end: 8px;
      }
      h3 {
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 0 0 4px;
        color: var(--socle-warning);
        font: var(--socle-body);
        font-weight: 600;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
        padding-block: 4px;
      }
      .what {
        display: grid;
        flex: 1 1 160px;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .all {
        display: inline-block;
        margin-block-start: 4px;
        font: var(--socle-small);
      }
      .why {
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
    `,
  ]

  declare meta: ResourceMeta
  /** What is being typed. */
  declare values: Readonly<Record<string, unknown>> | undefined
  /** Id of the record in view, instead of values. */
  declare record: string | undefined
  /** Candidates known already: nothing is asked. */
  declare found: readonly Suspect[] | undefined
  declare private suspects: readonly Suspect[]
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = ''
  #stop: (() => void) | undefined

  constructor() {
    super()
    this.suspects = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // What came back may be the same as this one.
    this.#stop = onUndone((change) => {
      if (change.resource !== this.meta.id || this.found) return
      this.#asked = ''
      void this.#ask()
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    clearTimeout(this.#timer)
  }

  override willUpdate(changed: PropertyValues): void {
    if (this.found) {
      this.suspects = this.found
      return
    }
    if (!changed.has('values') && !changed.has('record') && !changed.has('meta')) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), this.record ? 0 : patience)
  }

  async #ask(): Promise<void> {
    const keys = this.meta.duplicates ?? []
    const typed = Object.fromEntries(
      Object.entries(this.values ?? {}).filter(
        ([name, value]) => keys.includes(name) && typeof value === 'string' && value !== '',
      ),
    )
    const question = JSON.stringify([this.meta.id, this.record, typed])
    if (question === this.#asked) return
    this.#asked = question
    if (!this.record && Object.keys(typed).length === 0) {
      this.suspects = []
      return
    }
    const path = this.meta.api
    const answer = await (
      this.record
        ? api.get<{ data: readonly Suspect[] }>(`${path}/${this.record}/duplicates`)
        : api.post<{ data: readonly Suspect[] }>(`${path}/duplicates`, typed)
    ).catch(() => undefined)
    // A later question may have overtaken this one; a failed one only leaves the hint out.
    if (question === this.#asked) this.suspects = answer?.data ?? []
  }

  override render() {
    if (this.suspects.length === 0) return nothing
    const first = this.suspects.slice(0, shownAtMost)
    const rest = this.suspects.length - first.length
    return html`<section role="status">
      <h3>
        ${icon('circle-alert')}${t(this.record ? 'shell.duplicates.same' : 'shell.duplicates.title', { count: this.suspects.length })}
      </h3>
      <ul>
        ${first.map((it) => this.#suspect(it))}
      </ul>
      ${rest > 0 ? html`<p class="why">${t('shell.duplicates.more', { count: rest })}</p>` : nothing}
      ${
        this.record && this.meta.may.merge
          ? html`<a class="link all" href="${this.meta.route}/duplicates">${t('shell.duplicates.all')}</a>`
          : nothing
      }
    </section>`
  }

  #suspect({ record, data, reasons }: Suspect) {
    const title = String(data['title'] ?? record)
    // Beside something half typed, the other record opens in a tab of its own.
    const link = this.record
      ? html`<a class="link" href=${hrefOf(this.meta, record)}>${title}</a>`
      : html`<a class="link" href=${hrefOf(this.meta, record)} target="_blank" rel="noopener">${title}</a>`
    return html`<li>
      <span class="what">${link}<span class="why">${reasonsText(reasons)}</span></span>
      ${
        this.record && this.meta.may.merge
          ? html`<a
              class="button small"
              href=${mergeHref(this.meta, [this.record, record])}
              aria-label=${t('shell.duplicates.compareWith', { title })}
              >${icon('merge')}${t('shell.duplicates.compare')}</a
            >`
          : nothing
      }
    </li>`
  }
}
