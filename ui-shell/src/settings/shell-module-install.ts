import { announce, api, controls, icon, KitElement, ProblemError, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { sentenceOf } from './settings-api.ts'
import { ShellModuleReview, type ModuleReview } from './shell-module-review.ts'

define('shell-module-review', ShellModuleReview)

/**
 * A place for an archive, dropped or chosen; what it holds is read before anything of it runs.
 *
 * @fires module-installed - `detail` is the module's title
 */
export class ShellModuleInstall extends KitElement {
  static override properties = {
    reading: { state: true },
    isOver: { state: true },
    problem: { state: true },
    review: { state: true },
    installing: { state: true },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        margin-block-end: 16px;
      }
      label {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        padding: 12px 16px;
        border: 1.5px dashed var(--socle-control);
        border-radius: 12px;
        cursor: pointer;
      }
      label:hover,
      label.over {
        border-color: var(--socle-accent);
        background: var(--socle-accent-bg);
      }
      label:has(:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .grow {
        flex: 1 1 200px;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .button {
        pointer-events: none;
      }
      .problem {
        margin-block-end: 12px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-danger-bg);
        color: var(--socle-danger);
      }
    `,
  ]

  /** Name of the file on its way. */
  declare private reading: string | undefined
  declare private isOver: boolean
  declare private problem: string | undefined
  declare private review: ModuleReview | undefined
  declare private installing: boolean

  constructor() {
    super()
    this.isOver = false
    this.installing = false
  }

  override render() {
    return html`
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <label
        class=${this.isOver ? 'over' : ''}
        @dragover=${(event: DragEvent) => {
          event.preventDefault()
          this.isOver = true
        }}
        @dragleave=${() => (this.isOver = false)}
        @drop=${(event: DragEvent) => {
          event.preventDefault()
          this.isOver = false
          void this.#take(event.dataTransfer?.files[0])
        }}
      >
        ${icon(this.reading ? 'loader' : 'upload')}
        <span class="grow"
          >${this.reading ? t('shell.modules.install.reading', { name: this.reading }) : t(this.isOver ? 'shell.modules.install.over' : 'shell.modules.install.drop')}</span
        >
        <input
          class="visually-hidden"
          type="file"
          accept=".tgz,application/gzip"
          aria-label=${t('shell.modules.install.choose')}
          ?disabled=${this.reading !== undefined}
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement
            // The same file again is a change too, once it was mended.
            void this.#take(input.files?.[0]).finally(() => (input.value = ''))
          }}
        />
        <span class="button" aria-hidden="true">${t('shell.modules.install.choose')}</span>
      </label>
      ${
        this.review
          ? html`<shell-module-review
              .review=${this.review}
              .busy=${this.installing}
              @decline=${() => void this.#decline()}
              @consent=${(event: CustomEvent<{ force: boolean }>) => void this.#install(event.detail.force)}
            ></shell-module-review>`
          : nothing
      }
    `
  }

  async #take(file: File | undefined): Promise<void> {
    if (!file || this.reading) return
    this.problem = undefined
    this.reading = file.name
    try {
      const form = new FormData()
      form.set('file', file)
      this.review = (await api.post<{ data: ModuleReview }>('/api/core/plugin-uploads', form)).data
    } catch (problem) {
      this.problem = `${file.name}: ${sentenceOf(problem)}`
    } finally {
      this.reading = undefined
    }
  }

  async #decline(): Promise<void> {
    const { review } = this
    this.review = undefined
    // What is left behind is dropped within a day.
    if (review) await api.delete(`/api/core/plugin-uploads/${review.id}`).catch(() => {})
  }

  async #install(force: boolean): Promise<void> {
    const { review } = this
    if (!review || this.installing) return
    this.installing = true
    try {
      await api.post(`/api/core/plugin-uploads/${review.id}/install`, { force })
      this.review = undefined
      toast({
        text: t(review.from ? 'shell.modules.install.upgraded' : 'shell.modules.install.done', {
          title: review.title,
          version: review.version,
        }),
        tone: 'success',
      })
      this.tell('module-installed', review.title)
    } catch (problem) {
      if (!(problem instanceof ProblemError)) throw problem
      this.review = undefined
      this.problem = sentenceOf(problem)
      announce(this.problem, 'assertive')
    } finally {
      this.installing = false
    }
  }
}

define('shell-module-install', ShellModuleInstall)
