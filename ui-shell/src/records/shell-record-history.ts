import {
  api,
  confirmDialog,
  controls,
  format,
  icon,
  KitElement,
  live,
  ProblemError,
  pill,
  records,
  t,
} from '@socle/sdk/ui'
import type { HistoryEntry, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { originWords } from '../origin-words.ts'
import { problemLine } from '../problem-line.ts'
import { changeStyles, changeTemplate, isTelling } from './field-changes.ts'
import { onUndone, takeBack } from './own-changes.ts'
import { titleOf } from './resources.ts'

const pageSize = 50

/** A merge the record came out of. */
interface MergeEntry {
  readonly at: string
  readonly state: 'done' | 'undone'
  readonly actor: string
  readonly changeSet: string
  readonly moved: readonly { readonly count: number }[]
  readonly merged: readonly RecordJson[]
}

/** Every change of a record, with who made it and the way back. */
export class ShellRecordHistory extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    included: { attribute: false },
    asOf: { attribute: false },
    hrefOf: { attribute: false },
    entries: { state: true },
    problem: { state: true },
    next: { state: true },
    loading: { state: true },
  }

  static override styles = [
    controls,
    changeStyles,
    css`
      :host {
        display: block;
      }
      ol {
        display: grid;
        gap: 8px;
      }
      ol > li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 6px 12px;
        padding: 10px 12px;
      }
      ol > li[aria-current] {
        border-color: var(--socle-warning);
        background: var(--socle-warning-bg);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: end;
        align-items: start;
        gap: 4px;
      }
      @media (max-width: 599.98px) {
        ol > li {
          grid-template-columns: minmax(0, 1fr);
        }
        .actions {
          order: 1;
        }
      }
      .head {
        font: var(--socle-small);
      }
      .head b {
        font-weight: 600;
      }
      .head .meta {
        margin-inline-start: 4px;
      }
      ul {
        grid-column: 1 / -1;
        display: grid;
        gap: 4px;
        font: var(--socle-small);
      }
      .more {
        margin-block-start: 8px;
      }
      .change .what {
        min-inline-size: 96px;
      }
    `,
  ]

  declare meta: ResourceMeta
  declare record: RecordJson
  declare included: Included
  /** The instant whose values stand beside it. */
  declare asOf: string | undefined
  /** Where the record is seen as it was at an instant. */
  declare hrefOf: ((at: string) => string) | undefined
  declare private entries: readonly HistoryEntry[] | undefined
  declare private problem: string | undefined
  #stop: (() => void)[] = []
  /** Where the older changes begin. */
  declare private next: string | null
  declare private loading: boolean
  #merges: ReadonlyMap<string, MergeEntry> = new Map()
  /** The changes that were read, and of which record. */
  #read: readonly HistoryEntry[] = []
  #of: string | undefined

  constructor() {
    super()
    this.included = {}
    this.next = null
    this.loading = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => event.id === this.record?.id && void this.#load()),
      onUndone(() => void this.#load()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
  }

  override willUpdate(changed: PropertyValues): void {
    const before = changed.get('record') as RecordJson | undefined
    if (changed.has('record') && (before?.id !== this.record.id || before.version !== this.record.version))
      void this.#load()
  }

  /** Reads the newest changes; older ones that are shown already never change, and stay. */
  async #load(): Promise<void> {
    const { id } = this.record
    await this.#do(async () => {
      const [{ data, page }, { data: merges }] = await Promise.all([
        records(this.meta.id).history(id, { limit: pageSize }),
        api.get<{ data: readonly MergeEntry[] }>(`${this.meta.api}/${encodeURIComponent(id)}/merges`),
      ])
      if (id !== this.record.id) return
      this.#merges = new Map(merges.map((it) => [it.changeSet, it]))
      const oldest = data.at(-1)?.version ?? 0
      const behind = this.#of === id && page.next !== null ? this.#read.filter((it) => it.version < oldest) : []
      if (behind.length === 0) this.next = page.next
      this.#of = id
      this.#show([...data, ...behind])
    })
  }

  readonly #more = async (): Promise<void> => {
    const { next } = this
    const { id } = this.record
    if (next === null || this.loading) return
    this.loading = true
    await this.#do(async () => {
      const { data, page } = await records(this.meta.id).history(id, { after: next, limit: pageSize })
      if (id !== this.record.id) return
      this.next = page.next
      this.#show([...this.#read, ...data])
    })
    this.loading = false
  }

  #show(entries: readonly HistoryEntry[]): void {
    this.#read = entries
    const merges = [...this.#merges.values()]
    // What is older than the last one read has its place further down.
    const from = this.next === null ? '' : (entries.at(-1)?.at ?? '')
    this.entries = withMerges(
      entries,
      merges.filter(({ at }) => at >= from),
    )
  }

  async #do(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
    }
  }

  override render() {
    if (this.problem && !this.entries) {
      return html`<p class="meta">
        ${this.problem}
        <button class="button small" @click=${() => void this.#load()}>${t('shell.records.retry')}</button>
      </p>`
    }
    if (!this.entries) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    return html`<ol aria-label=${t('shell.records.history.label')}>
        ${this.entries.map((entry, at) => this.#entry(entry, this.next === null && at === this.entries!.length - 1))}
      </ol>
      ${problemLine(this.problem)}
      ${
        this.next === null
          ? nothing
          : html`<button class="button more" ?disabled=${this.loading} @click=${this.#more}>
              ${t('shell.records.timeline.more')}
            </button>`
      }`
  }

  #entry(entry: HistoryEntry, isFirst: boolean) {
    const changes = entry.changes.filter((it) => isTelling(this.meta, it))
    const context = { record: this.record, included: this.included, arrived: () => this.requestUpdate() }
    const merge = this.#merges.get(entry.changeSet)
    const mayUndo =
      (merge ? merge.state === 'done' && this.meta.may.merge : this.meta.may.update) &&
      !(isFirst && entry.action === 'create')
    const isShown = this.asOf !== undefined && entry === this.entries?.find((it) => it.at <= this.asOf!)
    return html`<li class="card" aria-current=${isShown ? 'true' : nothing}>
      <div class="head">
        <b>${entry.actor.name || t('shell.records.timeline.system')}</b> ${merge ? this.#merged(merge) : deed(entry)}
        ${merge?.state === 'undone' ? pill(t('shell.merge.history.wasUndone')) : nothing}
        <span class="meta">
          <time datetime=${entry.at} title=${format.instant(entry.at)}>${format.relative(entry.at)}</time>
          ${entry.origin ? html`· ${originWords(entry.origin)}` : nothing}
        </span>
        ${entry.reason ? html`<div class="meta">${entry.reason}</div>` : nothing}
      </div>
      <div class="actions">
        ${
          this.hrefOf && entry.action !== 'delete' && !isShown
            ? html`<a
                class="button small ghost"
                href=${this.hrefOf(entry.at)}
                aria-label=${t('shell.records.asOf.seeOf', { time: format.instant(entry.at) })}
                >${icon('history')}${t('shell.records.asOf.see')}</a
              >`
            : nothing
        }
        ${
          mayUndo
            ? html`<button class="button small" @click=${() => void this.#undo(entry)}>
                ${icon('undo')}${t('shell.records.undo')}
              </button>`
            : nothing
        }
      </div>
      ${
        changes.length && entry.action !== 'create'
          ? html`<ul>
              ${changes.map((it) => html`<li class="change">${changeTemplate(this.meta, it, context)}</li>`)}
            </ul>`
          : nothing
      }
    </li>`
  }

  #merged({ merged, moved }: MergeEntry): string {
    const titles = merged.map((it) => String(it['title'] ?? titleOf(this.meta, it)))
    const count = moved.reduce((sum, it) => sum + it.count, 0)
    const words = t('shell.merge.history.merged', {
      titles: titles.length ? format.list(titles) : t('shell.merge.history.others'),
    })
    return count ? `${words} (${t('shell.merge.history.moved', { count })})` : words
  }

  async #undo(entry: HistoryEntry): Promise<void> {
    const isOld = Date.now() - new Date(entry.at).getTime() > 86_400_000
    const sure =
      !isOld ||
      (await confirmDialog({
        title: t('shell.records.history.undoTitle', { time: format.instant(entry.at) }),
        body: t('shell.records.history.undoText'),
        confirm: t('shell.records.undo'),
      }))
    if (sure) await takeBack([{ changeSet: entry.changeSet, resource: this.meta.id, ids: [this.record.id] }])
  }
}

function deed({ action, merge }: HistoryEntry): string {
  if (merge === 'merged') return t(action === 'delete' ? 'shell.merge.history.away' : 'shell.merge.history.into')
  if (merge === 'unmerged') return t(action === 'restore' ? 'shell.merge.history.back' : 'shell.merge.history.undone')
  return t(`shell.records.history.${action}`)
}

/** A merge that left the record's own values alone has no change of it: it stands among them all the same. */
function withMerges(entries: readonly HistoryEntry[], merges: readonly MergeEntry[]): readonly HistoryEntry[] {
  const known = new Set(entries.map((it) => it.changeSet))
  const missing = merges
    .filter((it) => !known.has(it.changeSet))
    .map(({ changeSet, at, actor }): HistoryEntry => ({
      changeSet,
      at,
      actor: { type: 'user', id: '', name: actor },
      origin: 'ui',
      reason: null,
      action: 'update',
      version: 0,
      merge: 'merged',
      changes: [],
    }))
  return missing.length ? [...entries, ...missing].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)) : entries
}
