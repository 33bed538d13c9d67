import {
  KitElement,
  ProblemError,
  controls,
  format,
  icon,
  localDate,
  pill,
  records,
  resource,
  shell,
  t,
  toast,
  undo,
} from '@socle/sdk/ui'
import type { Included, RecordJson } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { onRecords } from './on-records.ts'
import { openActivities } from './open-activities.ts'

const activity = 'core.activity'
const limit = 8

/** What I promised for today, late ones first. A tick completes; the toast takes it back. */
export class ShellToday extends KitElement {
  static override properties = {
    rows: { state: true },
    included: { state: true },
    count: { state: true },
    problem: { state: true },
    ticked: { state: true },
  }
  declare rows: readonly RecordJson[] | undefined
  declare included: Included
  declare count: number
  declare problem: string | undefined
  declare ticked: ReadonlySet<string>

  #stop: (() => void) | undefined

  constructor() {
    super()
    this.included = {}
    this.count = 0
    this.ticked = new Set()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = onRecords(new Set([activity]), () => void this.#load())
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  get #filter(): string {
    // To the end of today: `<` on tomorrow's date, in the workspace's zone.
    const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000)
    return `owner = "${shell()?.user.id ?? ''}" and ${openActivities} and dueAt < "${localDate(tomorrow)}"`
  }

  async #load(): Promise<void> {
    const meta = resource(activity)
    if (!meta) return
    const references = meta.fields.filter((it) => it.type === 'reference' && it.name !== 'owner').map((it) => it.name)
    try {
      const page = await records(activity).list({
        filter: this.#filter,
        sort: 'dueAt',
        limit,
        count: 'exact',
        ...(references.length > 0 && { include: references }),
      })
      this.rows = page.data
      this.included = page.included ?? {}
      this.count = page.page.count ?? page.data.length
      this.problem = undefined
      this.ticked = new Set()
    } catch (problem) {
      this.problem = problem instanceof ProblemError ? problem.detail : String(problem)
    }
  }

  override render() {
    const meta = resource(activity)
    if (!meta) return nothing
    return html`
      <section class="card" aria-labelledby="title">
        <header>
          <h2 id="title">${t('shell.home.today')}</h2>
          ${this.count > 0 ? html`<span class="pill">${format.number(this.count)}</span>` : nothing}
          <span class="space"></span>
          ${
            meta.may.create
              ? html`<a class="button small ghost" href="${meta.route}?create=1">${icon('plus')}${meta.name.one}</a>`
              : nothing
          }
        </header>
        ${this.#body()}
        ${
          this.count > limit
            ? html`<a class="all" href="${meta.route}?filter=${encodeURIComponent(this.#filter)}"
                >${t('shell.home.seeAll', { count: this.count })}</a
              >`
            : nothing
        }
      </section>
    `
  }

  #body() {
    if (this.problem) {
      return html`
        <p class="hint" role="status">
          ${icon('circle-alert')}<span>${this.problem}</span>
          <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
        </p>
      `
    }
    if (!this.rows) return html`<div class="wait"><socle-skeleton .lines=${3}></socle-skeleton></div>`
    if (this.rows.length === 0) {
      return html`
        <div class="nothing">
          ${icon('circle-check')}
          <p><strong>${t('shell.home.nothingDue')}</strong><br />${t('shell.home.nothingDueText')}</p>
        </div>
      `
    }
    return html`
      <ul>
        ${repeat(
          this.rows,
          (row) => row.id,
          (row) => this.#row(row),
        )}
      </ul>
    `
  }

  #row(row: RecordJson) {
    const meta = resource(activity)
    const title = String(row[meta?.title ?? 'subject'] ?? '')
    const isDone = this.ticked.has(row.id)
    return html`
      <li class=${isDone ? 'done' : ''}>
        <input
          type="checkbox"
          aria-label=${t('shell.home.complete', { title })}
          .checked=${isDone}
          ?disabled=${!meta?.may.update}
          @change=${() => void this.#complete(row, title)}
        />
        <span class="what">
          <a class="title" href="${meta?.route}/${row.id}">${title}</a>
          <span class="about">${this.#about(row)}</span>
        </span>
        ${duePill(row['dueAt'])}
      </li>
    `
  }

  /** What it is about: the first record it points at. */
  #about(row: RecordJson) {
    for (const field of resource(activity)?.fields ?? []) {
      if (field.type !== 'reference' || !field.target || field.target === 'core.team') continue
      const target = this.included[field.target]?.[String(row[field.name])]
      const meta = target && resource(field.target)
      if (target && meta) return html`<a class="link" href="${meta.route}/${target.id}">${target.title}</a>`
    }
    return nothing
  }

  async #complete(row: RecordJson, title: string): Promise<void> {
    this.ticked = new Set(this.ticked).add(row.id)
    try {
      const { changeSet } = await records(activity).update(row.id, row.version, { status: 'done' })
      const back = changeSet && {
        action: {
          label: t('shell.undo'),
          run: async () => {
            await undo(changeSet)
            await this.#load()
          },
        },
      }
      toast({ text: t('shell.home.completed', { title }), tone: 'success', ...back })
    } catch (problem) {
      const left = new Set(this.ticked)
      left.delete(row.id)
      this.ticked = left
      toast({ text: problem instanceof ProblemError ? problem.detail : String(problem), tone: 'danger' })
      void this.#load()
    }
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 44px;
        padding: 6px 8px 6px 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      h2 {
        font: var(--socle-body);
        font-weight: 600;
      }
      .space {
        flex: 1;
      }
      li {
        display: flex;
        align-items: center;
        gap: 10px;
        min-block-size: 44px;
        padding: 4px 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      li:last-child {
        border: 0;
      }
      .what {
        display: flex;
        flex: 1;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 10px;
        min-inline-size: 0;
      }
      .title {
        color: inherit;
        font-weight: 500;
        text-decoration: none;
        overflow-wrap: anywhere;
      }
      .title:hover {
        color: var(--socle-accent);
      }
      .about {
        font: var(--socle-small);
        color: var(--socle-text-3);
      }
      .done a,
      .done .about {
        color: var(--socle-text-3);
        text-decoration: line-through;
      }
      .all {
        display: block;
        padding: 10px 16px;
        border-block-start: 1px solid var(--socle-line);
        font: var(--socle-small);
        text-decoration: none;
        color: var(--socle-accent);
      }
      .hint,
      .nothing {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 20px 16px;
        color: var(--socle-text-2);
      }
      .nothing .icon {
        inline-size: 24px;
        block-size: 24px;
        color: var(--socle-success);
      }
      .nothing strong {
        font-weight: 500;
        color: var(--socle-text);
      }
      .wait {
        padding: 16px;
      }
    `,
  ]
}

function duePill(due: unknown) {
  if (typeof due !== 'string') return nothing
  const isDateOnly = due.length === 10
  const day = isDateOnly ? due : localDate(new Date(due))
  if (day < localDate()) {
    const days = Math.round((Date.parse(localDate()) - Date.parse(day)) / (24 * 60 * 60 * 1000))
    return pill(t('shell.home.daysLate', { days }), 'danger', 'clock')
  }
  if (isDateOnly) return pill(t('shell.home.dueToday'), 'neutral')
  return new Date(due) < new Date() ? pill(format.time(due), 'warning', 'clock') : pill(format.time(due), 'neutral')
}
