import { announce, controls, icon, KitElement, live, ProblemError, records, t, toast } from '@socle/sdk/ui'
import type { FieldMeta, Included, ListQuery, RecordJson, ResourceMeta, TableSelection } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { RecordList } from './record-list.ts'
import { fieldOf, fieldsOf, includesFor, inSentence } from './resources.ts'

/** What was deleted, by whom and when; one or many are brought back. */
export class ShellRecordsBin extends KitElement {
  static override properties = {
    meta: { attribute: false },
    back: {},
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

  declare meta: ResourceMeta
  /** Address of the list. */
  declare back: string
  declare private selection: ReadonlySet<string>
  declare private running: boolean
  readonly #list = new RecordList(() => this.requestUpdate())
  #asked = ''
  #stop: (() => void) | undefined

  constructor() {
    super()
    this.selection = new Set()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = live.on('record', (event) => {
      const concerns = event.resource === this.meta.id && (event.action === 'delete' || event.action === 'restore')
      if (concerns && !this.running) void this.#list.reload()
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#list.close()
  }

  override willUpdate(): void {
    if (this.#asked === this.meta.id) return
    this.#asked = this.meta.id
    void this.#list.open(this.meta.id, this.#query)
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
    const done: string[] = []
    let problem: ProblemError | undefined
    for (const id of ids) {
      try {
        await records(this.meta.id).restore(id)
        done.push(id)
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
        problem = error
      }
    }
    this.#list.drop(done)
    this.selection = new Set(ids.filter((id) => !done.includes(id)))
    this.running = false
    if (done.length) {
      const text = t('shell.records.bin.restored', { count: done.length })
      toast({ text, tone: 'success' })
      announce(text)
    }
    if (problem) {
      const text = t('shell.records.bin.failed', { count: ids.length - done.length, reason: problem.detail })
      toast({ text, tone: 'danger' })
    }
  }

  override render() {
    const { meta } = this
    const list = this.#list
    const chosen = this.selection.size
    return html`<div class="bar">
        <a class="button small" href=${this.back}>${icon('arrow-left')}${t('shell.records.bin.back')}</a>
        <span class="meta number">${chosen ? t('shell.records.bulk.selected', { count: chosen }) : nothing}</span>
        <button
          class="button small"
          ?disabled=${chosen === 0 || this.running}
          @click=${() => void this.#restore([...this.selection])}
        >
          ${icon('rotate-ccw')}${t('shell.records.bin.restore')}
        </button>
      </div>
      ${
        list.status === 'failed' && list.rows.length === 0
          ? html`<socle-empty icon="wifi-off" .heading=${t('shell.records.failed')} .text=${list.problem?.detail ?? ''}>
              <button slot="actions" class="button" @click=${() => void list.reload()}>
                ${icon('refresh-cw')}${t('shell.records.retry')}
              </button>
            </socle-empty>`
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
      .selectable=${true}
      .more=${this.#list.next !== null}
      @socle-open=${(event: Event) => event.preventDefault()}
      @socle-sort=${(event: Event) => event.stopPropagation()}
      @socle-select=${(event: CustomEvent<TableSelection>) => (this.selection = event.detail.selected)}
      @socle-more=${() => void this.#list.more()}
    ></socle-table>`
  }
}
