import { api, avatar, controls, format, icon, KitElement, may, pill, ProblemError, t, toast } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { checkHref } from '../access/access-api.ts'
import type { Reader, Share } from '../access/access-api.ts'
import { problemLine } from '../problem-line.ts'
import { askShare, wordOfShare } from './shell-share-dialog.ts'

interface ReaderPage {
  readonly data: readonly Reader[]
  readonly page: { readonly next: string | null }
}

/** The rule that lets somebody see a record, widest last: what a reader is listed under. */
const groups = ['OWNER', 'TEAM', 'SHARED', 'PARTNER', 'ALL'] as const

/** With whom a record is shared, and everybody who sees it and why. */
export class ShellRecordAccess extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    shares: { state: true },
    readers: { state: true },
    next: { state: true },
    problem: { state: true },
    readersProblem: { state: true },
  }

  declare meta: { readonly id: string; readonly may: Pick<ResourceMeta['may'], 'share'> }
  declare record: Pick<RecordJson, 'id'>
  declare private shares: readonly Share[] | undefined
  declare private readers: readonly Reader[] | undefined
  declare private next: string | null
  declare private problem: string | undefined
  declare private readersProblem: string | undefined
  #shown = ''

  override willUpdate(changed: PropertyValues): void {
    const key = `${this.meta.id} ${this.record.id}`
    if (!changed.has('record') || key === this.#shown) return
    this.#shown = key
    this.shares = undefined
    this.readers = undefined
    void this.#load()
  }

  async #load(): Promise<void> {
    await Promise.all([this.#loadShares(), this.#loadReaders()])
  }

  async #loadShares(): Promise<void> {
    this.problem = undefined
    if (!this.meta.may.share) return
    try {
      const { data } = await api.get<{ data: readonly Share[] }>(
        `/api/core/shares/of/${this.meta.id}/${this.record.id}`,
      )
      this.shares = data
    } catch (error) {
      this.problem = detailOf(error)
    }
  }

  async #loadReaders(after?: string): Promise<void> {
    this.readersProblem = undefined
    const query = new URLSearchParams({ resource: this.meta.id, record: this.record.id, ...(after ? { after } : {}) })
    try {
      const { data, page } = await api.get<ReaderPage>(`/api/core/explain/readers?${query}`)
      this.readers = after ? [...(this.readers ?? []), ...data] : data
      this.next = page.next
    } catch (error) {
      this.readersProblem = detailOf(error)
    }
  }

  override render() {
    return html`${this.meta.may.share ? this.#sharing() : nothing} ${this.#seeing()}`
  }

  #sharing() {
    return html`<section aria-labelledby="shared">
      <header>
        <h2 id="shared">${t('shell.share.label')}</h2>
        ${
          // Only whoever may share it was told with whom it is.
          this.shares
            ? html`<button class="button" @click=${this.#share}>${icon('user-plus')}${t('shell.share.action')}</button>`
            : nothing
        }
      </header>
      ${problemLine(this.problem)}
      ${this.shares?.length === 0 ? html`<p class="meta">${t('shell.share.none')}</p>` : nothing}
      ${
        this.shares?.length
          ? html`<ul class="rows">
              ${repeat(
                this.shares,
                ({ id }) => id,
                (share) => this.#row(share),
              )}
            </ul>`
          : nothing
      }
    </section>`
  }

  #row(share: Share) {
    const name = share.with.name ?? t('shell.share.kind.partner')
    const end = share.until ? t('shell.share.until', { date: format.instant(share.until) }) : t('shell.share.forGood')
    return html`<li class=${share.holds ? '' : 'off'}>
      ${icon(share.with.kind === 'user' ? 'user' : share.with.kind === 'team' ? 'users' : 'handshake')}
      <span class="grow">
        <span class="name">${name}</span>
        <span class="meta">${share.by ? t('shell.share.by', { name: share.by, end }) : end}</span>
        ${share.reason ? html`<span class="meta">${share.reason}</span>` : nothing}
      </span>
      ${share.holds ? pill(t(`shell.share.access.${share.access}`), 'info', share.access === 'write' ? 'pencil' : 'eye') : pill(t('shell.share.over'), 'neutral', 'history')}
      <button
        class="button small"
        aria-label=${t('shell.share.endOf', { name })}
        @click=${() => void this.#end(share, name)}
      >
        ${t('shell.share.end')}
      </button>
    </li>`
  }

  #seeing() {
    const { readers } = this
    return html`<section aria-labelledby="readers">
      <header>
        <h2 id="readers">${t('shell.readers.label')}</h2>
        ${
          may('core.role.manage') || may('core.audit.read')
            ? html`<a class="button" href=${checkHref({ resource: this.meta.id, record: this.record.id })}
                >${icon('shield')}${t('shell.access.check')}</a
              >`
            : nothing
        }
      </header>
      ${problemLine(this.readersProblem)}
      ${
        readers
          ? groups.map((group) => this.#group(group, readers))
          : this.readersProblem
            ? nothing
            : html`<socle-skeleton .lines=${5}></socle-skeleton>`
      }
      ${
        this.next
          ? html`<button class="button" @click=${() => void this.#loadReaders(this.next ?? undefined)}>
              ${t('shell.readers.more')}
            </button>`
          : nothing
      }
    </section>`
  }

  #group(group: (typeof groups)[number], readers: readonly Reader[]) {
    const those = readers.filter(({ because }) => groupOf(because[0]?.code) === group)
    if (those.length === 0) return nothing
    return html`<h3>
        ${t(`shell.readers.group.${group}`)} <span class="meta number">${format.number(those.length)}</span>
      </h3>
      <ul class="rows">
        ${repeat(
          those,
          ({ id }) => id,
          ({ name, because }) =>
            html`<li>
              ${avatar(name)}
              <span class="grow">
                <span class="name">${name}</span>
                ${because.map(({ text }) => html`<span class="meta">${text}</span>`)}
              </span>
            </li>`,
        )}
      </ul>`
  }

  readonly #share = async (): Promise<void> => {
    const count = await askShare({ meta: this.meta, records: [this.record.id] })
    if (count === undefined) return
    toast({ text: t(wordOfShare('done', this.meta), { count }) })
    await this.#load()
  }

  async #end(share: Share, name: string): Promise<void> {
    try {
      await api.delete(`/api/core/shares/${share.id}`)
      toast({ text: t('shell.share.ended', { name }) })
      await this.#load()
    } catch (error) {
      this.problem = detailOf(error)
    }
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 32px;
      }
      section {
        display: grid;
        gap: 12px;
        min-inline-size: 0;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
      }
      h3 {
        margin-block-start: 4px;
        font: var(--socle-small);
        font-weight: 600;
      }
      .rows {
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 12px;
        min-block-size: 48px;
        padding: 8px 12px;
        border-block-end: 1px solid var(--socle-line);
      }
      li:last-child {
        border: 0;
      }
      .grow {
        flex: 1 1 200px;
        min-inline-size: 0;
      }
      .name,
      .grow .meta {
        display: block;
        overflow-wrap: anywhere;
      }
      .name {
        font-weight: 500;
      }
      .off .name {
        color: var(--socle-text-3);
      }
    `,
  ]
}

/** A field's own line, or what is right for all: whoever reads by a rule that has no group of its own. */
function groupOf(code: string | undefined): (typeof groups)[number] {
  return groups.find((it) => it === code) ?? 'ALL'
}

function detailOf(error: unknown): string {
  if (!(error instanceof ProblemError)) throw error
  return error.detail
}
