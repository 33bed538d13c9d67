import { controls, icon, KitElement, ProblemError, t, toast } from '@socle/sdk/ui'
import type { SocleDialog } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { isUnderWay } from '../follow-job.ts'
import { bulkStyles, resultTemplate } from './bulk-result.ts'
import {
  cancelRun,
  currentRuns,
  failedRows,
  hideRun,
  leftAlone,
  onRuns,
  openRun,
  retryRun,
  rowsFile,
  showRun,
  undoRun,
} from './bulk-runs.ts'
import type { Bulk, BulkRowResult, Run } from './bulk-runs.ts'
import { hrefOf } from './resources.ts'
import { titleFor } from './titles.ts'

/** Background changes of this tab: a chip while they run, a dialog for who wants to know, and what came of them. */
export class ShellBulkRuns extends KitElement {
  static override properties = { failed: { state: true } }

  static override styles = [
    controls,
    bulkStyles,
    css`
      .chips {
        position: fixed;
        inset-block-end: calc(48px + env(safe-area-inset-bottom));
        inset-inline-end: 16px;
        z-index: 50;
        display: grid;
        gap: 8px;
        inline-size: min(320px, calc(100vw - 32px));
      }
      .chip {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto auto;
        align-items: center;
        gap: 6px 4px;
        padding: 8px 8px 10px 12px;
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        background: var(--socle-surface);
        color: var(--socle-text);
        box-shadow: var(--socle-shadow);
        font: var(--socle-small);
      }
      .chip b {
        font-weight: 600;
      }
      .chip .meta {
        display: block;
      }
      .chip progress {
        grid-column: 1 / -1;
      }
      @media (max-width: 599.98px) {
        .chips {
          inset-block-end: calc(112px + env(safe-area-inset-bottom));
        }
      }
    `,
  ]

  declare private failed: { readonly of: string; readonly rows: readonly BulkRowResult[] } | undefined
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = onRuns(() => this.requestUpdate())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  override willUpdate(): void {
    const run = openRun()
    if (!run || isUnderWay(run.bulk) || run.bulk.failed === 0) {
      this.failed = undefined
      return
    }
    const of = `${run.bulk.id} ${run.bulk.job}`
    if (this.failed?.of === of) return
    this.failed = { of, rows: [] }
    void this.#do(async () => {
      const rows = await failedRows(run)
      if (this.failed?.of === of) this.failed = { of, rows }
    })
  }

  override render() {
    const shown = openRun()
    const waiting = currentRuns().filter((it) => it !== shown && isUnderWay(it.bulk))
    return html`
      ${
        waiting.length
          ? html`<section class="chips" aria-label=${t('shell.records.bulk.runs')}>
              ${waiting.map((it) => this.#chip(it))}
            </section>`
          : nothing
      }
      ${shown ? this.#dialogOf(shown) : nothing}
    `
  }

  #chip(run: Run) {
    const { bulk } = run
    const text = t(headings[bulk.action], { count: bulk.total })
    return html`<div class="chip">
      <span><b>${text}</b> <span class="meta number">${seenOf(bulk)}</span></span>
      <button class="button small ghost" @click=${() => showRun(bulk.id)}>${t('shell.records.bulk.show')}</button>
      <button
        class="icon-button"
        aria-label=${t('shell.records.bulk.stop')}
        title=${t('shell.records.bulk.stop')}
        @click=${() => void this.#do(() => cancelRun(run))}
      >
        ${icon('x')}
      </button>
      ${bar(bulk, text)}
    </div>`
  }

  #dialogOf(run: Run) {
    const { bulk } = run
    const heading = isUnderWay(run.bulk)
      ? t(headings[bulk.action], { count: bulk.total })
      : t('shell.records.bulk.title')
    return html`<socle-dialog open .heading=${heading} @socle-close=${this.#closed}>
      ${isUnderWay(run.bulk) ? this.#running(run) : this.#ended(run)}
    </socle-dialog>`
  }

  #running(run: Run) {
    return html`
      <div class="form">
        <p class="number" role="status">${seenOf(run.bulk)}</p>
        ${bar(run.bulk, t('shell.records.bulk.progressLabel'))}
        <p class="meta">${run.problem ?? t('shell.records.bulk.background')}</p>
      </div>
      <button slot="actions" class="button" @click=${() => void this.#do(() => cancelRun(run))}>
        ${t('shell.records.bulk.stop')}
      </button>
      <button slot="actions" class="button primary" @click=${this.#close}>${t('shell.records.close')}</button>
    `
  }

  #ended(run: Run) {
    const { bulk, changes, meta } = run
    const rows = this.failed?.rows ?? []
    const words = bulk.action === 'undo' ? 'shell.records.bulk.undone' : 'shell.records.bulk.succeeded'
    const counts = { done: t(words, { count: bulk.done }), skipped: leftAlone(bulk), failed: bulk.failed }
    const refused = rows.map((it) => ({
      href: hrefOf(meta, it.record),
      title: titleFor(meta.id, it.record, () => this.requestUpdate()) ?? '…',
      detail: it.problem?.detail ?? '',
    }))
    return html`
      ${resultTemplate(counts, refused, this.#close)}
      ${bulk.failed > rows.length && rows.length ? html`<p class="meta">${t('shell.records.bulk.moreFailed')}</p>` : nothing}
      <p>
        <a class="link file" href=${rowsFile(run)} download>${icon('download')}${t('shell.records.bulk.download')}</a>
      </p>
      ${
        changes.length
          ? html`<button slot="actions" class="button" @click=${() => void this.#do(() => undoRun(run))}>
              ${icon('undo')}${t('shell.records.undo')}
            </button>`
          : nothing
      }
      ${
        bulk.failed && bulk.action !== 'undo'
          ? html`<button slot="actions" class="button" @click=${() => void this.#do(() => retryRun(run))}>
              ${icon('refresh-cw')}${t('shell.records.bulk.retry', { count: bulk.failed })}
            </button>`
          : nothing
      }
      <button slot="actions" class="button primary" @click=${this.#close}>${t('shell.records.close')}</button>
    `
  }

  get #dialog(): SocleDialog | null {
    return this.renderRoot.querySelector('socle-dialog')
  }

  readonly #close = (): void => this.#dialog?.close()

  readonly #closed = (event: Event): void => {
    if (event.target === this.#dialog) hideRun()
  }

  async #do(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: error.detail, tone: 'danger' })
    }
  }
}

const headings: Readonly<Record<Bulk['action'], string>> = {
  update: 'shell.records.bulk.runSet',
  delete: 'shell.records.bulk.runDelete',
  restore: 'shell.records.bulk.runRestore',
  undo: 'shell.records.bulk.runUndo',
}

const seen = ({ done, skipped, failed }: Bulk): number => done + skipped + failed

const seenOf = (bulk: Bulk): string => t('shell.records.bulk.progress', { seen: seen(bulk), total: bulk.total })

const bar = (bulk: Bulk, label: string) =>
  html`<progress max=${bulk.total || 1} value=${seen(bulk)} aria-label=${label}></progress>`
