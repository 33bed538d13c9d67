import { controls, format, icon, KitElement, live, ProblemError, recordHref, records, resource, t } from '@socle/sdk/ui'
import type { Included, Page, RecordJson, ResourceMeta, TimelineEntry } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { define } from '../define.ts'
import { changeStyles, changeTemplate, isTelling } from './field-changes.ts'
import { onUndone } from './own-changes.ts'
import { mergeIncluded } from './resources.ts'
import { withTones } from './stages.ts'
import { ShellActivityComposer } from './shell-activity-composer.ts'

define('shell-activity-composer', ShellActivityComposer)

const filters = ['all', 'activity', 'change'] as const
type Filter = (typeof filters)[number]

/** What happened on a record, newest first, with the box to add to it. */
export class ShellTimeline extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    first: { attribute: false },
    compact: { type: Boolean, reflect: true },
    entries: { state: true },
    filter: { state: true },
    status: { state: true },
  }

  static override styles = [
    controls,
    changeStyles,
    css`
      :host {
        display: grid;
        gap: 16px;
      }
      .filters {
        display: flex;
        gap: 4px;
        margin-block-end: -4px;
      }
      ol {
        display: grid;
      }
      li {
        position: relative;
        display: grid;
        grid-template-columns: 24px minmax(0, 1fr);
        gap: 4px 10px;
        padding-block-end: 16px;
      }
      li:not(:last-child)::before {
        content: '';
        position: absolute;
        inset-block: 26px 2px;
        inset-inline-start: 11.5px;
        inline-size: 1px;
        background: var(--socle-line);
      }
      .sign {
        display: grid;
        place-items: center;
        inline-size: 24px;
        block-size: 24px;
        border: 1px solid var(--socle-line);
        border-radius: 50%;
        background: var(--socle-surface);
        color: var(--socle-text-2);
      }
      .sign .icon {
        inline-size: 13px;
        block-size: 13px;
      }
      .line {
        padding-block-start: 2px;
        font: var(--socle-small);
        overflow-wrap: anywhere;
      }
      .line b,
      .change .new {
        font-weight: 600;
      }
      .line .by {
        color: var(--socle-text-2);
      }
      .line time {
        color: var(--socle-text-3);
        white-space: nowrap;
      }
      .body {
        grid-column: 2;
        padding: 8px 12px;
        font: var(--socle-small);
        white-space: pre-line;
        overflow-wrap: anywhere;
      }
      .changes {
        grid-column: 2;
        display: grid;
        gap: 2px;
        font: var(--socle-small);
      }
      .more {
        justify-self: start;
      }
      .quiet {
        color: var(--socle-text-3);
        font: var(--socle-small);
      }
    `,
  ]

  declare meta: ResourceMeta
  declare record: RecordJson
  /** Its first page, where it came with the record. */
  declare first: Page<TimelineEntry> | undefined
  /** In a side panel: no filters. */
  declare compact: boolean
  declare private entries: readonly TimelineEntry[]
  declare private filter: Filter
  declare private status: 'loading' | 'ready' | 'failed'
  #included: Included = {}
  #next: string | null = null
  #problem: ProblemError | undefined
  #stop: (() => void)[] = []
  #turn = 0

  constructor() {
    super()
    this.entries = []
    this.filter = 'all'
    this.status = 'loading'
    this.compact = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => {
        if (event.id === this.record?.id || event.resource === 'core.activity') void this.#load()
      }),
      onUndone(() => void this.#load()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('record')) return
    const before = changed.get('record') as RecordJson | undefined
    if (before?.id === this.record.id && before.version === this.record.version) return
    if (before?.id !== this.record.id) {
      this.entries = []
      if (this.first) {
        this.#show(this.first)
        return
      }
    }
    void this.#load()
  }

  /** Opens the composer for a note, call, meeting or task. */
  write(kind: string): void {
    this.renderRoot.querySelector<ShellActivityComposer>('shell-activity-composer')?.write(kind)
  }

  async #load(after?: string): Promise<void> {
    const turn = ++this.#turn
    if (this.entries.length === 0) this.status = 'loading'
    try {
      const page = await records(this.meta.id).timeline(this.record.id, after)
      if (turn !== this.#turn) return
      this.#show(page, after)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (turn !== this.#turn) return
      this.#problem = error
      this.status = 'failed'
    }
  }

  #show(page: Page<TimelineEntry>, after?: string): void {
    this.#included = mergeIncluded(this.#included, withTones(page.included ?? {}))
    this.entries = after ? [...this.entries, ...page.data] : page.data
    this.#next = page.page.next
    this.status = 'ready'
  }

  override render() {
    return html`
      ${
        ShellActivityComposer.isPossible()
          ? html`<shell-activity-composer
              .meta=${this.meta}
              .record=${this.record}
              @activity-created=${() => void this.#load()}
            ></shell-activity-composer>`
          : nothing
      }
      ${this.compact || this.entries.length === 0 ? nothing : this.#filters()} ${this.#list()}
    `
  }

  #filters() {
    return html`<div class="filters" role="group" aria-label=${t('shell.records.timeline.filters')}>
      ${filters.map(
        (filter) =>
          html`<button
            class="button small ghost"
            aria-pressed=${this.filter === filter}
            @click=${() => (this.filter = filter)}
          >
            ${t(`shell.records.timeline.${filter}`)}
          </button>`,
      )}
    </div>`
  }

  #list() {
    if (this.status === 'loading') return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    const shown = this.entries.filter((it) => this.filter === 'all' || it.kind === this.filter)
    const failed =
      this.status === 'failed'
        ? html`<p class="quiet">
            ${this.#problem?.detail}
            <button class="button small" @click=${() => void this.#load()}>
              ${icon('refresh-cw')}${t('shell.records.retry')}
            </button>
          </p>`
        : nothing
    if (shown.length === 0 && this.status === 'ready')
      return html`<p class="quiet">${t('shell.records.timeline.empty')}</p>`
    return html`${failed}
      <ol aria-label=${t('shell.records.timeline.label')}>
        ${shown.map((entry) => this.#entry(entry))}
      </ol>
      ${
        this.#next
          ? html`<button class="button small more" @click=${() => void this.#load(this.#next ?? undefined)}>
              ${t('shell.records.timeline.more')}
            </button>`
          : nothing
      }`
  }

  #entry(entry: TimelineEntry) {
    const changes = entry.kind === 'change' ? (entry.changes ?? []).filter((it) => isTelling(this.meta, it)) : []
    const single = changes.length === 1 ? changes[0] : undefined
    const context = { record: this.record, included: this.#included, arrived: () => this.requestUpdate() }
    const time = html`<time datetime=${entry.at} title=${format.instant(entry.at)}>${format.relative(entry.at)}</time>`
    return html`<li>
      <span class="sign" aria-hidden="true">${icon(iconOf(entry))}</span>
      <div class="line">
        ${single ? changeTemplate(this.meta, single, context) : this.#title(entry)}
        <span class="by">· ${entry.actor.name || t('shell.records.timeline.system')}</span> ${time}
      </div>
      ${entry.body ? html`<div class="body card">${entry.body}</div>` : nothing}
      ${
        changes.length > 1
          ? html`<div class="changes">${changes.slice(0, 6).map((it) => changeTemplate(this.meta, it, context))}</div>`
          : nothing
      }
    </li>`
  }

  #title(entry: TimelineEntry) {
    const href = entry.record ? recordHref(entry.record.resource, entry.record.id) : undefined
    const isElsewhere = entry.record && entry.record.id !== this.record.id
    return href && isElsewhere
      ? html`<a class="link" href=${href}><b>${entry.title}</b></a>`
      : html`<b>${entry.title}</b>`
  }
}

function iconOf({ kind, type }: TimelineEntry): string {
  if (kind === 'change') return 'pencil'
  const options = resource('core.activity')?.fields.find((it) => it.name === 'type')?.options
  const own = options?.find((it) => it.value === type)?.icon
  const usual: Readonly<Record<string, string>> = {
    call: 'phone',
    meeting: 'calendar',
    visit: 'flag',
    mail: 'mail',
    note: 'message-square',
    task: 'square-check',
  }
  return own ?? usual[type ?? ''] ?? 'square-check'
}
