import { controls, icon, KitElement, live, ProblemError, records, resource, t, toast } from '@socle/sdk/ui'
import type { FieldMeta, Included, ListQuery, RecordJson, ResourceMeta, TableSelection } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { ShellNoRows } from './shell-no-rows.ts'
import { onUndone, tellDone } from './own-changes.ts'
import { RecordList } from './record-list.ts'
import { fieldOf, fieldsOf, includesFor, inSentence, moduleOf } from './resources.ts'

define('shell-no-rows', ShellNoRows)

/** What was deleted, by whom and when; one or many are brought back. */
export class ShellRecordsBin extends KitElement {
  static override properties = {
    resource: {},
    selection: { state: true },
    running: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex: 1;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
        background: var(--socle-surface);
      }
      .bar {
        display: flex;
        flex: none;
        align-items: center;
        gap: 8px;
        min-block-size: var(--socle-filterbar);
        padding: 0 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      .bar .meta {
        flex: 1;
      }
      socle-table {
        flex: 1;
        min-block-size: 0;
      }
      socle-empty {
        margin: auto;
      }
    `,
  ]

  declare resource: string
  declare private selection: ReadonlySet<string>
  declare private running: boolean
  readonly #list = new RecordList(() => this.requestUpdate())
  #asked = ''
  #stop: (() => void)[] = []

  constructor() {
    super()
    this.selection = new Set()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      live.on('record', (event) => {
        const concerns = event.resource === this.resource && (event.action === 'delete' || event.action === 'restore')
        if (concerns && !this.running) void this.#list.reload()
      }),
      onUndone((change) => change.resource === this.resource && void this.#list.reload()),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    this.#list.close()
  }

  get meta(): ResourceMeta {
    // The router shows this screen only for a resource of the document.
    return resource(this.resource)!
  }

  override willUpdate(): void {
    if (this.#asked === this.resource || !resource(this.resource)) return
    this.#asked = this.resource
    this.selection = new Set()
    void this.#list.open(this.resource, this.#query)
  }

  override updated(): void {
    if (!resource(this.resource)) return
    const { meta } = this
    const module = moduleOf(meta)
    setPage(this, {
      title: t('shell.records.bin.title', { many: meta.name.many }),
      crumbs: [...(module ? [{ title: module }] : []), { title: meta.name.many, href: meta.route }],
    })
  }

  get #query(): ListQuery {
    return { deleted: 'only', sort: '-deletedAt', include: includesFor(this.#columns) }
  }

  /** The record's name, who deleted it and when, and then what tells it apart. */
  get #columns(): FieldMeta[] {
    const { meta } = this
    const by = fieldOf(meta, 'updatedBy')
    const at = fieldOf(meta, 'deletedAt')
    const further = fieldsOf(meta, meta.list).filter((it) => it.name !== meta.title)
    return [
      ...fieldsOf(meta, [meta.title]),
      ...(at ? [{ ...at, label: t('shell.records.bin.at') }] : []),
      ...(by ? [{ ...by, label: t('shell.records.bin.by') }] : []),
      ...further.slice(0, 4),
    ]
  }

  async #restore(ids: readonly string[]): Promise<void> {
    this.running = true
    const kept: string[] = []
    try {
      if (ids.length > 1 && this.meta.may.bulk) {
        const { startRestore } = await import('./bulk-runs.ts')
        await startRestore(this.meta, ids)
      } else {
        for (const id of ids) if (!(await this.#restoreOne(id))) kept.push(id)
      }
      this.selection = new Set(kept)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: error.detail, tone: 'danger' })
    } finally {
      this.running = false
    }
  }

  /** Answers whether it is back. */
  async #restoreOne(id: string): Promise<boolean> {
    try {
      const { changeSet } = await records(this.meta.id).restore(id)
      this.#list.drop([id])
      tellDone(t('shell.records.bin.restored', { count: 1 }), { changeSet, resource: this.meta.id, ids: [id] })
      return true
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: t('shell.records.bin.failed', { count: 1, reason: error.detail }), tone: 'danger' })
      return false
    }
  }

  override render() {
    if (!resource(this.resource)) return nothing
    const { meta } = this
    const list = this.#list
    const chosen = this.selection.size
    return html`<div class="bar">
        <a class="button small" href=${meta.route}>${icon('arrow-left')}${t('shell.records.bin.back')}</a>
        <span class="meta number">${chosen ? t('shell.records.bulk.selected', { count: chosen }) : nothing}</span>
        ${
          meta.may.restore
            ? html`<button
                class="button small"
                ?disabled=${chosen === 0 || this.running}
                @click=${() => void this.#restore([...this.selection])}
              >
                ${icon('rotate-ccw')}${t('shell.records.bin.restore')}
              </button>`
            : nothing
        }
      </div>
      ${
        list.status === 'failed' && list.rows.length === 0
          ? html`<shell-no-rows
              .meta=${meta}
              .problem=${list.problem}
              @list-retry=${() => void list.reload()}
            ></shell-no-rows>`
          : list.status === 'ready' && list.rows.length === 0
            ? html`<socle-empty
                icon="trash-2"
                .heading=${t('shell.records.bin.empty')}
                .text=${t('shell.records.bin.emptyText', { many: inSentence(meta.name.many) })}
              ></socle-empty>`
            : this.#table(list.rows, list.included)
      }`
  }

  #table(rows: readonly RecordJson[], included: Included) {
    return html`<socle-table
      .resource=${this.meta.id}
      .columns=${this.#columns}
      .rows=${rows}
      .included=${included}
      .sort=${'-deletedAt'}
      .selected=${this.selection}
      .loading=${this.#list.loading}
      .total=${this.#list.total}
      .titleField=${this.meta.title}
      .label=${t('shell.records.bin.title', { many: this.meta.name.many })}
      .editable=${false}
      .selectable=${this.meta.may.restore}
      .more=${this.#list.next !== null}
      @socle-open=${(event: Event) => event.preventDefault()}
      @socle-sort=${(event: Event) => event.stopPropagation()}
      @socle-select=${(event: CustomEvent<TableSelection>) => (this.selection = event.detail.selected)}
      @socle-more=${() => void this.#list.more()}
    ></socle-table>`
  }
}
