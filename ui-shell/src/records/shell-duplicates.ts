import {
  announce,
  api,
  controls,
  format,
  icon,
  KitElement,
  ProblemError,
  pill,
  resource,
  t,
  toast,
  valueTemplate,
} from '@socle/sdk/ui'
import type { FieldMeta, RecordJson, ResourceMeta, TabItem } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { followJob } from '../follow-job.ts'
import { setPage } from '../page.ts'
import { mergeHref } from './many.ts'
import { reasonsText } from './merging.ts'
import type { Reason } from './merging.ts'
import { onUndone } from './own-changes.ts'
import { pageStyles } from './page-styles.ts'
import { fieldsOf, hasValue, hrefOf, moduleOf, pointsAtRecord } from './resources.ts'
import { problemLine } from '../problem-line.ts'

interface Pair {
  readonly a: RecordJson
  readonly b: RecordJson
  readonly score: number
  readonly reasons: readonly Reason[]
}

interface PairPage {
  readonly data: readonly Pair[]
  readonly page: { readonly next: string | null }
  readonly scannedAt: string | null
}

interface ScanJob {
  readonly id: string
  readonly state: 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
  readonly progress: number
  readonly total: number | null
  readonly error: { readonly detail: string } | null
}

const pollEvery = 700
/** Fields beside the title: enough to tell two apart at a glance. */
const essentials = 6

/** Pairs of records that may be one, most likely first: merge them, or say that they are not the same. */
export class ShellDuplicates extends KitElement {
  static override properties = {
    resource: {},
    url: { attribute: false },
    params: { attribute: false },
    pairs: { state: true },
    next: { state: true },
    scannedAt: { state: true },
    scan: { state: true },
    problem: { state: true },
  }

  declare resource: string
  declare url: URL | undefined
  declare params: Readonly<Record<string, string>> | undefined
  declare private pairs: readonly Pair[] | undefined
  declare private next: string | null
  declare private scannedAt: string | null
  /** The comparison under way. */
  declare private scan: ScanJob | undefined
  declare private problem: string | undefined
  #asked = ''
  #left = new AbortController()
  #stop: (() => void) | undefined

  constructor() {
    super()
    this.next = null
    this.scannedAt = null
  }

  get #meta(): ResourceMeta {
    return resource(this.resource)!
  }

  get #state(): 'open' | 'dismissed' {
    return this.url?.searchParams.get('state') === 'dismissed' ? 'dismissed' : 'open'
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#left = new AbortController()
    this.#stop = onUndone((change) => change.resource === this.resource && void this.#load())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#left.abort()
  }

  override willUpdate(): void {
    const meta = resource(this.resource)
    const asked = `${this.resource} ${this.#state}`
    if (!meta?.duplicates || asked === this.#asked) return
    this.#asked = asked
    this.pairs = undefined
    void this.#load()
  }

  override updated(): void {
    const meta = resource(this.resource)
    if (!meta) return
    const module = moduleOf(meta)
    setPage(this, {
      title: t('shell.duplicates.action'),
      crumbs: [...(module ? [{ title: module }] : []), { title: meta.name.many, href: meta.route }],
      ...(meta.duplicates && meta.may.merge
        ? {
            actions: html`<button class="button" ?disabled=${this.scan !== undefined} @click=${this.#scanNow}>
              ${icon('refresh-cw')}${t('shell.duplicates.scan')}
            </button>`,
          }
        : {}),
    })
  }

  async #load(after?: string): Promise<void> {
    const asked = this.#asked
    const query = new URLSearchParams({ state: this.#state, limit: '25', ...(after ? { after } : {}) })
    await this.#do(async () => {
      const { data, page, scannedAt } = await api.get<PairPage>(`${this.#meta.api}/duplicates?${query}`)
      if (asked !== this.#asked) return
      this.pairs = after ? [...(this.pairs ?? []), ...data] : data
      this.next = page.next
      this.scannedAt = scannedAt
    })
  }

  async #do(work: () => Promise<void>): Promise<void> {
    this.problem = undefined
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
      announce(error.detail, 'assertive')
    }
  }

  readonly #scanNow = async (): Promise<void> => {
    const { signal } = this.#left
    await this.#do(async () => {
      const { data } = await api.post<{ data: { job: string } }>(`${this.#meta.api}/duplicates/scan`, {})
      this.scan = { id: data.job, state: 'queued', progress: 0, total: null, error: null }
      announce(t('shell.duplicates.scanning'))
      const read = async () => (this.scan = (await api.get<{ data: ScanJob }>(`/api/core/jobs/${data.job}`)).data)
      const ended = await followJob(read, { every: pollEvery, signal })
      if (!ended) return
      await this.#load()
      if (ended.state === 'done') announce(t('shell.duplicates.scanned'))
      else this.problem = ended.error?.detail ?? t('shell.duplicates.stopped')
    })
    this.scan = undefined
  }

  async #decide(pair: Pair, same: boolean): Promise<void> {
    const { api: path } = this.#meta
    const decide = (it: boolean) => api.post(`${path}/duplicates/decide`, { a: pair.a.id, b: pair.b.id, same: it })
    await this.#do(async () => {
      await decide(same)
      this.pairs = this.pairs?.filter((it) => it !== pair)
      const takeBack = () =>
        this.#do(async () => {
          await decide(!same)
          await this.#load()
        })
      toast({
        text: t(same ? 'shell.duplicates.reopened' : 'shell.duplicates.dismissed'),
        action: { label: t('shell.records.undo'), run: () => void takeBack() },
      })
    })
    await this.updateComplete
    this.renderRoot.querySelector<HTMLElement>('article a.link')?.focus()
  }

  override render() {
    const meta = resource(this.resource)
    if (!meta) return nothing
    if (!meta.duplicates)
      return html`<socle-empty icon="copy" .heading=${t('shell.duplicates.undeclared')}></socle-empty>`
    const tabs: TabItem[] = (['open', 'dismissed'] as const).map((id) => ({
      id,
      label: t(`shell.duplicates.tab.${id}`),
      href: `${meta.route}/duplicates${id === 'open' ? '' : '?state=dismissed'}`,
    }))
    return html`<div class="page">
      <socle-tabs .label=${t('shell.duplicates.tabs')} .items=${tabs} .current=${this.#state}></socle-tabs>
      <p class="meta">
        ${
          this.scannedAt
            ? t('shell.duplicates.scannedAt', { date: format.instant(this.scannedAt) })
            : t('shell.duplicates.neverScanned')
        }
      </p>
      ${this.#progress()} ${problemLine(this.problem)} ${this.#list(meta)}
    </div>`
  }

  #progress() {
    const { scan } = this
    if (!scan) return nothing
    const text = scan.total
      ? t('shell.duplicates.progress', { done: scan.progress, total: scan.total })
      : t('shell.duplicates.scanning')
    return html`<div class="scan">
      <progress
        max=${scan.total || 1}
        value=${scan.total ? scan.progress : nothing}
        aria-label=${t('shell.duplicates.scanning')}
      ></progress>
      <span class="meta">${text}</span>
    </div>`
  }

  #list(meta: ResourceMeta) {
    const { pairs } = this
    if (!pairs)
      return this.problem
        ? nothing
        : html`<socle-skeleton .lines=${8} .label=${t('shell.duplicates.loading')}></socle-skeleton>`
    if (pairs.length === 0) {
      const isOpen = this.#state === 'open'
      return html`<socle-empty
        icon=${isOpen ? 'circle-check' : 'copy'}
        .heading=${t(isOpen ? 'shell.duplicates.none' : 'shell.duplicates.noneDismissed')}
        .text=${isOpen ? t('shell.duplicates.noneText') : ''}
      ></socle-empty>`
    }
    return html`<ul class="pairs">
        ${repeat(
          pairs,
          ({ a, b }) => `${a.id} ${b.id}`,
          (pair) => html`<li>${this.#pair(meta, pair)}</li>`,
        )}
      </ul>
      ${
        this.next
          ? html`<button class="button more" @click=${() => void this.#load(this.next ?? undefined)}>
              ${t('shell.duplicates.showMore')}
            </button>`
          : nothing
      }`
  }

  #pair(meta: ResourceMeta, pair: Pair) {
    const { a, b, score, reasons } = pair
    const fields = fieldsOf(meta, meta.list)
      .filter((it) => it.name !== meta.title && !pointsAtRecord(it) && (hasValue(a[it.name]) || hasValue(b[it.name])))
      .slice(0, essentials)
    const titles = { one: titleIn(meta, a), other: titleIn(meta, b) }
    const isOpen = this.#state === 'open'
    return html`<article class="card" aria-label=${t('shell.duplicates.pair', titles)}>
      <header>
        ${score > 0 ? pill(t('shell.duplicates.score', { score }), score >= 80 ? 'warning' : 'neutral') : nothing}
        ${reasons.length ? html`<span class="why">${t('shell.duplicates.because', { reasons: reasonsText(reasons) })}</span>` : nothing}
      </header>
      <div class="sides">${this.#side(meta, a, b, fields)}${this.#side(meta, b, a, fields)}</div>
      <footer>
        ${
          meta.may.update
            ? html`<button class="button" @click=${() => void this.#decide(pair, !isOpen)}>
                ${icon(isOpen ? 'x' : 'rotate-ccw')}${t(isOpen ? 'shell.duplicates.notSame' : 'shell.duplicates.reopen')}
              </button>`
            : nothing
        }
        ${
          meta.may.merge
            ? html`<a class="button ${isOpen ? 'primary' : ''}" href=${mergeHref(meta, [a.id, b.id])}
                >${icon('merge')}${t('shell.merge.action')}</a
              >`
            : nothing
        }
      </footer>
    </article>`
  }

  #side(meta: ResourceMeta, record: RecordJson, other: RecordJson, fields: readonly FieldMeta[]) {
    return html`<div class="side">
      <h2><a class="link" href=${hrefOf(meta, record.id)}>${titleIn(meta, record)}</a></h2>
      <dl>
        ${fields.map((field) => {
          const value = record[field.name]
          const isSame = JSON.stringify(value ?? null) === JSON.stringify(other[field.name] ?? null)
          return html`<div>
            <dt>${field.label}</dt>
            <dd class=${isSame ? 'same' : ''}>
              ${hasValue(value) ? valueTemplate(field, value, { record, links: false }) : html`<span class="none">–</span>`}
            </dd>
          </div>`
        })}
      </dl>
    </div>`
  }

  static override styles = [
    controls,
    pageStyles,
    css`
      .page > * {
        inline-size: 100%;
        max-inline-size: 920px;
      }
      .scan {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 12px;
      }
      progress {
        flex: 1 1 200px;
        max-inline-size: 320px;
        accent-color: var(--socle-accent);
      }
      .pairs {
        display: grid;
        gap: 12px;
      }
      article > * {
        padding: 12px 16px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 10px;
        border-block-end: 1px solid var(--socle-line);
      }
      .why {
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .sides {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 16px 24px;
      }
      .side {
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .side h2 {
        margin-block-end: 6px;
        font: var(--socle-body);
        font-weight: 600;
      }
      dl {
        display: grid;
        gap: 4px;
        font: var(--socle-small);
      }
      dl > div {
        display: grid;
        grid-template-columns: minmax(72px, 128px) minmax(0, 1fr);
        gap: 8px;
      }
      dt {
        color: var(--socle-text-2);
      }
      dd {
        white-space: normal;
      }
      .none {
        color: var(--socle-text-3);
      }
      dd.same {
        font-weight: 600;
      }
      article footer {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
        padding-block-start: 0;
      }
      .more {
        inline-size: auto;
        justify-self: start;
      }
      @media (max-width: 599.98px) {
        .sides {
          grid-template-columns: minmax(0, 1fr);
        }
        article footer > * {
          flex: 1;
        }
      }
    `,
  ]
}

function titleIn(meta: ResourceMeta, record: RecordJson): string {
  return String(record['title'] ?? record[meta.title] ?? t('shell.records.untitled'))
}
