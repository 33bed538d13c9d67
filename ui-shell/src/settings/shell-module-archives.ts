import { KitElement, ProblemError, api, confirmDialog, controls, format, icon, may, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sizeOf } from '../size-of.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface Archive {
  readonly id: string
  readonly plugin: string
  readonly title: string
  readonly version: string
  /** Of all workspaces, not of this one alone. */
  readonly whole: boolean
  readonly rows: number
  /** Those of its own tables among them. */
  readonly own: number
  readonly size: number
  readonly sha256: string
  readonly at: string
  readonly restoredAt: string | null
  /** Version that is installed now. */
  readonly installed: string | null
}

/**
 * The archives of modules' data that are kept here, and a place for one that was fetched: to be restored, fetched or deleted.
 *
 * @fires begun - `detail` is the id of the job that restores one
 * @fires changed - a module was installed
 */
export class ShellModuleArchives extends KitElement {
  static override properties = {
    archives: { state: true },
    problem: { state: true },
    busy: { state: true },
    reading: { state: true },
    refusal: { state: true },
  }
  declare private archives: readonly Archive[] | undefined
  declare private problem: string | undefined
  /** The archive something is being done with. */
  declare private busy: string | undefined
  /** Name of the file on its way. */
  declare private reading: string | undefined
  /** Why the file that was sent is not taken. */
  declare private refusal: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.load()
  }

  /** Reads them anew. */
  async load(): Promise<void> {
    try {
      this.archives = (await api.get<{ data: readonly Archive[] }>('/api/core/plugin-archives')).data
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    const { archives, reading } = this
    if (!this.problem && !archives) return nothing
    return html`
      <h2 id="archives">${t('shell.archives.title')}</h2>
      <p class="lead">${t('shell.archives.lead')}</p>
      ${problemLine(this.problem)} ${problemLine(this.refusal)}
      <label class="button" aria-busy=${reading !== undefined}>
        ${icon(reading === undefined ? 'upload' : 'loader')}
        <span
          >${reading === undefined ? t('shell.archives.upload') : t('shell.archives.uploading', { name: reading })}</span
        >
        <input
          class="visually-hidden"
          type="file"
          accept=".gz,application/gzip"
          ?disabled=${reading !== undefined}
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement
            // The same file again is a change too, once what stood in its way is gone.
            void this.#upload(input.files?.[0]).finally(() => (input.value = ''))
          }}
        />
      </label>
      ${
        archives?.length
          ? html`<ul class="rows" aria-labelledby="archives">
              ${archives.map((it) => this.#row(it))}
            </ul>`
          : nothing
      }
    `
  }

  #row(it: Archive) {
    const { id, title, version, rows, own, size, at } = it
    const name = t('shell.archives.name', { title, version })
    const isBusy = this.busy === id
    const needsCode = it.installed === null
    return html`
      <li>
        <span class="grow">
          <span class="name">${name}</span>
          <span class="meta"
            >${t(it.whole ? 'shell.archives.whole' : 'shell.archives.here', {
              rows,
              own,
              beside: rows - own,
              size: sizeOf(size),
              at: format.instant(at),
            })}${it.restoredAt ? html` · ${t('shell.archives.restored', { at: format.instant(it.restoredAt) })}` : nothing}</span
          >
        </span>
        <span class="actions">
          ${
            needsCode && !may('core.plugin.install')
              ? nothing
              : html`<button
                  class="button small"
                  aria-label=${t(needsCode ? 'shell.archives.installOf' : 'shell.archives.restoreOf', { name })}
                  aria-busy=${isBusy}
                  aria-disabled=${isBusy ? 'true' : nothing}
                  @click=${() => void this.#restore(it)}
                >
                  ${icon('rotate-ccw')}${t(needsCode ? 'shell.archives.install' : 'shell.archives.restore')}
                </button>`
          }
          <a
            class="button small"
            href="/api/core/plugin-archives/${id}/file"
            download
            aria-label=${t('shell.archives.fetchOf', { name })}
            title=${t('shell.archives.fetchOf', { name })}
            >${icon('download')}</a
          >
          <button
            class="button small"
            aria-label=${t('shell.archives.deleteOf', { name })}
            title=${t('shell.archives.deleteOf', { name })}
            aria-disabled=${isBusy ? 'true' : nothing}
            @click=${() => void this.#delete(it)}
          >
            ${icon('trash-2')}
          </button>
        </span>
      </li>
    `
  }

  async #restore({ id, plugin, title, version, installed }: Archive): Promise<void> {
    if (this.busy) return
    this.busy = id
    try {
      // It goes back into tables of its own version.
      if (installed === null) {
        await api.post(`/api/core/plugins/${plugin}/install`, { version })
        toast({ text: t('shell.modules.installed', { title, version }), tone: 'success' })
        this.dispatchEvent(new CustomEvent('changed'))
        await this.load()
      }
      const { data } = await api.post<{ data: { job: string } }>(`/api/core/plugins/${plugin}/restore`, { archive: id })
      this.dispatchEvent(new CustomEvent('begun', { detail: { plugin, title, job: data.job } }))
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      tellProblem(problem)
    } finally {
      this.busy = undefined
    }
  }

  async #upload(file: File | undefined): Promise<void> {
    if (!file || this.reading !== undefined) return
    this.refusal = undefined
    this.reading = file.name
    try {
      const form = new FormData()
      form.set('file', file)
      const { data } = await api.post<{ data: Archive }>('/api/core/plugin-archives', form)
      const { title, version } = data
      toast({
        text: t('shell.archives.uploaded', { name: t('shell.archives.name', { title, version }) }),
        tone: 'success',
      })
      await this.load()
    } catch (problem) {
      this.refusal = `${file.name}: ${sentenceOf(problem)}`
    } finally {
      this.reading = undefined
    }
  }

  async #delete({ id, title, version, rows }: Archive): Promise<void> {
    if (this.busy) return
    const isSure = await confirmDialog({
      title: t('shell.archives.deleteTitle', { name: t('shell.archives.name', { title, version }) }),
      body: t('shell.archives.deleteText', { rows }),
      confirm: t('shell.archives.delete'),
      danger: true,
    })
    if (!isSure) return
    this.busy = id
    try {
      await api.delete(`/api/core/plugin-archives/${id}`)
      toast({ text: t('shell.archives.deleted'), tone: 'success' })
      await this.load()
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      tellProblem(problem)
    } finally {
      this.busy = undefined
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      h2 {
        margin-block: 32px 4px;
      }
      .problem,
      label.button {
        margin-block-end: 12px;
      }
      label.button:has(:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .rows > li {
        flex-wrap: wrap;
      }
      .rows .grow {
        flex: 1 1 220px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `,
  ]
}
