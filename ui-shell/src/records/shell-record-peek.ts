import { controls, icon, KitElement, live, ProblemError, records, t } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { define } from '../define.ts'
import { onUndone } from './own-changes.ts'
import { fieldOf, fieldsOf, hasValue, includesFor, mergeIncluded, titleOf } from './resources.ts'
import { ShellRecordDetails } from './shell-record-details.ts'
import { ShellStagePath } from './shell-stage-path.ts'
import { withTones } from './stages.ts'
import { ShellTimeline } from './shell-timeline.ts'

define('shell-record-details', ShellRecordDetails)
define('shell-stage-path', ShellStagePath)
define('shell-timeline', ShellTimeline)

/**
 * A record in the side panel: what it is, where it stands, what happened.
 *
 * @fires record-changed - the record after a write
 * @fires record-gone - it is deleted or out of reach
 */
export class ShellRecordPeek extends KitElement {
  static override properties = {
    meta: { attribute: false },
    asOf: { attribute: false },
    recordId: {},
    row: { attribute: false },
    included: { attribute: false },
    record: { state: true },
    problem: { state: true },
    whole: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 16px;
        align-content: start;
      }
      .title {
        font: var(--socle-title);
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .more {
        justify-self: start;
        margin-block-start: -8px;
      }
      h3 {
        margin-block: 8px -4px;
        font: var(--socle-title);
        font-weight: 600;
      }
    `,
  ]

  declare meta: ResourceMeta
  declare recordId: string
  /** What the list already knows: shown until the whole record is there. */
  declare row: RecordJson | undefined
  /** The instant whose values are shown. */
  declare asOf: string | undefined
  declare included: Included
  declare private record: RecordJson | undefined
  declare private problem: ProblemError | undefined
  /** Empty fields too. */
  declare private whole: boolean
  #included: Included = {}
  #stop: (() => void)[] = []

  constructor() {
    super()
    this.included = {}
    this.whole = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => {
        if (event.id === this.recordId && !this.asOf && event.version > (this.record?.version ?? 0)) void this.#load()
      }),
      onUndone((change) => change.ids.includes(this.recordId) && void this.#load()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('recordId') || changed.has('asOf')) {
      this.record = undefined
      this.problem = undefined
      void this.#load()
    } else if (changed.has('row') && this.row && this.record && this.row.version > this.record.version)
      void this.#load()
  }

  async #load(): Promise<void> {
    const id = this.recordId
    try {
      const answer = await records(this.meta.id).get(id, { include: includesFor(this.meta.fields), asOf: this.asOf })
      if (id !== this.recordId) return
      this.#included = withTones(answer.included ?? {})
      this.record = answer.data
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (id === this.recordId) this.problem = error
    }
  }

  get #all(): FieldMeta[] {
    const names = new Set([...this.meta.form, ...this.meta.list])
    return fieldsOf(this.meta, [...names]).filter((it) => it.name !== this.meta.title)
  }

  /** The list's fields, and of the form those that say something: the panel is for a look. */
  #fields(record: RecordJson): FieldMeta[] {
    const all = this.#all
    if (this.whole || all.length <= mostEmpty) return all
    return all.filter((it) => this.meta.list.includes(it.name) || it.masked || hasValue(record[it.name]))
  }

  override render() {
    const record = this.record ?? (this.row?.id === this.recordId ? this.row : undefined)
    if (!record) {
      if (!this.problem) return html`<socle-skeleton .lines=${8}></socle-skeleton>`
      return html`<socle-empty
        icon="circle-help"
        .heading=${t('shell.records.gonePage.title')}
        .text=${this.problem.detail}
      ></socle-empty>`
    }
    const included = mergeIncluded(this.included, this.#included)
    const by = this.meta.kanban ? fieldOf(this.meta, this.meta.kanban.by) : undefined
    const isStaged = by && by.type !== 'user'
    const fields = this.#fields(record)
    const hidden = this.#all.length - fields.length
    return html`
      <h2 class="title">${titleOf(this.meta, record)}</h2>
      ${
        isStaged
          ? html`<shell-stage-path
              .meta=${this.meta}
              .field=${by}
              .record=${record}
              .included=${included}
              @record-changed=${this.#changed}
            ></shell-stage-path>`
          : nothing
      }
      <shell-record-details
        .meta=${this.meta}
        .record=${record}
        .included=${included}
        .fields=${fields.filter((it) => !isStaged || it !== by)}
        @record-changed=${this.#changed}
      ></shell-record-details>
      ${
        hidden > 0
          ? html`<button class="button small ghost more" @click=${() => (this.whole = true)}>
              ${icon('plus')}${t('shell.records.page.allFields', { count: hidden })}
            </button>`
          : nothing
      }
      ${this.meta.timeline && !this.asOf ? html`<h3>${t('shell.records.timeline.label')}</h3>` : nothing}
      ${this.record && this.meta.timeline && !this.asOf ? html`<shell-timeline compact .meta=${this.meta} .record=${this.record}></shell-timeline>` : nothing}
    `
  }

  readonly #changed = (event: CustomEvent<RecordJson>): void => {
    this.record = event.detail
    void this.#load()
  }
}

/** A form this short is shown whole, with its empty fields as prompts. */
const mostEmpty = 12
