import { api, controls, format, icon, KitElement, live, ProblemError, pill, resource, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { setPage } from '../page.ts'
import type { SharedPage, SharedWithMe } from './access-api.ts'

/** What others share with whoever works here: all of it, or records of one kind; newest first. */
export class ShellShared extends KitElement {
  static override properties = {
    resource: {},
    rows: { state: true },
    next: { state: true },
    problem: { state: true },
  }

  /** Kind of records; all when absent. */
  declare resource: string | undefined
  declare private rows: readonly SharedWithMe[] | undefined
  declare private next: string | null
  declare private problem: string | undefined
  #asked: string | undefined
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = live.on('record', (event) => {
      if (event.resource === 'core.share') void this.#load()
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  override willUpdate(): void {
    const wanted = this.resource ?? ''
    if (this.#asked === wanted) return
    this.#asked = wanted
    this.rows = undefined
    void this.#load()
  }

  override updated(): void {
    const meta = this.resource === undefined ? undefined : resource(this.resource)
    setPage(this, {
      title: t('shell.shared.title'),
      ...(meta ? { crumbs: [{ title: meta.name.many, href: meta.route }] } : {}),
    })
  }

  async #load(after?: string): Promise<void> {
    const asked = this.#asked
    const query = new URLSearchParams({
      limit: '50',
      ...(this.resource === undefined ? {} : { resource: this.resource }),
      ...(after === undefined ? {} : { after }),
    })
    this.problem = undefined
    try {
      const { data, page } = await api.get<SharedPage>(`/api/core/shares/with-me?${query}`)
      if (asked !== this.#asked) return
      this.rows = after === undefined ? data : [...(this.rows ?? []), ...data]
      this.next = page.next
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (asked === this.#asked) this.problem = error.detail
    }
  }

  override render() {
    return html`${this.#kinds()}
    ${
      this.problem
        ? html`<socle-empty icon="circle-alert" .heading=${t('shell.records.failed')} .text=${this.problem}>
            <button slot="actions" class="button" @click=${() => void this.#load()}>
              ${icon('refresh-cw')}${t('shell.retry')}
            </button>
          </socle-empty>`
        : this.#list()
    }`
  }

  /** One tab for each kind of which something is shared. */
  #kinds() {
    const kinds = shell()?.resources.filter((it) => it.shared || it.id === this.resource) ?? []
    if (kinds.length === 0) return nothing
    const tab = (href: string, label: string, isCurrent: boolean, sign?: string) =>
      html`<a href=${href} aria-current=${isCurrent ? 'page' : nothing}
        >${sign ? icon(sign) : nothing}<span>${label}</span></a
      >`
    return html`<nav aria-label=${t('shell.access.kind')}>
      ${tab('/shared', t('shell.shared.all'), this.resource === undefined)}
      ${kinds.map((it) => tab(`${it.route}/shared`, it.name.many, it.id === this.resource, it.icon))}
    </nav>`
  }

  #list() {
    if (!this.rows) return html`<div class="page"><socle-skeleton .lines=${6}></socle-skeleton></div>`
    if (this.rows.length === 0)
      return html`<socle-empty
        icon="users"
        .heading=${t('shell.shared.none')}
        .text=${t('shell.shared.noneText')}
      ></socle-empty>`
    return html`<div class="page">
      <ul class="card">
        ${repeat(
          this.rows,
          ({ id }) => id,
          (it) => this.#row(it),
        )}
      </ul>
      ${
        this.next
          ? html`<button class="button" @click=${() => void this.#load(this.next ?? undefined)}>
              ${t('shell.shared.more')}
            </button>`
          : nothing
      }
    </div>`
  }

  #row(share: SharedWithMe) {
    const meta = resource(share.resource)
    const end = share.until ? t('shell.share.until', { date: format.instant(share.until) }) : t('shell.share.forGood')
    const told = [
      share.name,
      share.by ? t('shell.share.by', { name: share.by, end }) : end,
      share.with.kind === 'user' ? undefined : t('shell.shared.through', { name: share.with.name ?? '' }),
    ]
    return html`<li>
      ${icon(meta?.icon ?? 'file')}
      <span class="grow">
        ${meta ? html`<a class="name" href="${meta.route}/${share.record}">${share.title}</a>` : html`<span class="name">${share.title}</span>`}
        <span class="meta">${told.filter(Boolean).join(' · ')}</span>
        ${share.reason ? html`<span class="meta reason">${share.reason}</span>` : nothing}
      </span>
      ${pill(t(`shell.share.access.${share.access}`), 'info', share.access === 'write' ? 'pencil' : 'eye')}
      <span class="meta at">${format.relative(share.at)}</span>
    </li>`
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
      nav {
        display: flex;
        flex: none;
        gap: 4px;
        padding-inline: 16px;
        border-block-end: 1px solid var(--socle-line);
        background: var(--socle-surface);
        overflow-x: auto;
        scrollbar-width: none;
      }
      nav a {
        position: relative;
        display: inline-flex;
        flex: none;
        align-items: center;
        gap: 6px;
        min-block-size: 36px;
        padding-inline: 8px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 500;
        text-decoration: none;
        white-space: nowrap;
      }
      nav a[aria-current] {
        color: var(--socle-text);
      }
      nav a[aria-current]::after {
        content: '';
        position: absolute;
        inset: auto 0 0;
        block-size: 2px;
        background: var(--socle-accent);
      }
      nav .icon {
        inline-size: 14px;
        block-size: 14px;
        color: var(--socle-text-3);
      }
      a:focus-visible {
        outline-offset: -3px;
      }
      .page {
        display: grid;
        gap: 16px;
        inline-size: 100%;
        max-inline-size: 960px;
        margin-inline: auto;
        padding: 16px;
      }
      .page > .button {
        justify-self: center;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 12px;
        min-block-size: 52px;
        padding: 8px 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      li:last-child {
        border: 0;
      }
      li > .icon {
        color: var(--socle-text-3);
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
      a.name {
        color: inherit;
        text-decoration: none;
      }
      a.name:hover {
        text-decoration: underline;
      }
      .reason {
        color: var(--socle-text-2);
      }
      .at {
        min-inline-size: 96px;
        text-align: end;
      }
      socle-empty {
        margin: auto;
      }
      @media (width < 600px) {
        nav a {
          min-block-size: 44px;
        }
        .page {
          padding: 12px;
        }
        .grow {
          flex-basis: calc(100% - 40px);
        }
        .at {
          margin-inline-start: auto;
        }
        li > .pill {
          margin-inline-start: 28px;
        }
      }
    `,
  ]
}
