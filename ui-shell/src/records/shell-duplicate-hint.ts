import { api, controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { hrefOf } from './resources.ts'

interface Suspect {
  readonly record: string
  readonly score: number
  readonly reasons: readonly { readonly kind: string; readonly likeness: number }[]
  readonly data: RecordJson
}

/** Letters typed in a row are one question. */
const patience = 400

/** Records that may be the same: as what is being typed, or as the record in view. Nothing where there are none. */
export class ShellDuplicateHint extends KitElement {
  static override properties = {
    meta: { attribute: false },
    values: { attribute: false },
    record: { type: String },
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
        align-items: baseline;
        gap: 4px 12px;
        padding-block: 4px;
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
  declare private suspects: readonly Suspect[]
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = ''

  constructor() {
    super()
    this.suspects = []
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('values') && !changed.has('record') && !changed.has('meta')) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), this.record ? 0 : patience)
  }

  async #ask(): Promise<void> {
    const typed = Object.fromEntries(
      Object.entries(this.values ?? {}).filter(([, value]) => typeof value === 'string' && value !== ''),
    )
    const question = JSON.stringify([this.meta.id, this.record, typed])
    if (question === this.#asked) return
    this.#asked = question
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
    return html`<section role="status">
      <h3>${icon('circle-alert')}${t('shell.duplicates.title', { count: this.suspects.length })}</h3>
      <ul>
        ${this.suspects.slice(0, 5).map(
          ({ record, data, reasons }) =>
            html`<li>
              <a class="link" href=${hrefOf(this.meta, record)}>${String(data['title'] ?? record)}</a>
              <span class="why">${reasons.map((reason) => this.#why(reason)).join(', ')}</span>
            </li>`,
        )}
      </ul>
    </section>`
  }

  #why({ kind, likeness }: Suspect['reasons'][number]): string {
    const reason = t(`core.duplicates.reason.${kind}`)
    return likeness === 1 ? reason : t('shell.duplicates.close', { reason })
  }
}
