import { announce, confirmDialog, controls, icon, KitElement, navigate, ProblemError, resource, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { inSentence, moduleOf } from '../records/resources.ts'
import { imports, problemText } from './import-api.ts'
import type { Import, ImportChanges, ImportMove } from './import-api.ts'
import { ShellImportMapping } from './shell-import-mapping.ts'
import { ShellImportResult } from './shell-import-result.ts'
import { ShellImportUpload } from './shell-import-upload.ts'
import { sizeOf } from '../size-of.ts'
import { problemLine } from '../problem-line.ts'

define('shell-import-upload', ShellImportUpload)
define('shell-import-mapping', ShellImportMapping)
define('shell-import-result', ShellImportResult)

const steps = ['file', 'map', 'check', 'run'] as const
type Step = (typeof steps)[number]

const pollEvery = 700
const savePause = 400

/** From a file to records: upload, columns, rehearsal, run. The address carries the import, so it can be left and found again. */
export class ShellImportWizard extends KitElement {
  static override properties = {
    resource: {},
    url: { attribute: false },
    params: { attribute: false },
    import: { state: true },
    problem: { state: true },
    back: { state: true },
    busy: { state: true },
    naming: { state: true },
  }

  declare resource: string
  declare url: URL | undefined
  declare params: Readonly<Record<string, string>> | undefined
  declare private import: Import | undefined
  declare private problem: string | undefined
  /** The user went back from the check to the columns. */
  declare private back: boolean
  declare private busy: boolean
  /** A recipe is being named. */
  declare private naming: boolean
  #poll: ReturnType<typeof setTimeout> | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #waiting: ImportChanges = {}
  #saving: Promise<void> = Promise.resolve()

  constructor() {
    super()
    this.back = false
    this.busy = false
    this.naming = false
  }

  get #meta(): ResourceMeta | undefined {
    return resource(this.import?.resource ?? this.resource)
  }

  get #id(): string | undefined {
    return this.url?.searchParams.get('id') ?? this.params?.['id'] ?? undefined
  }

  get #step(): Step {
    const state = this.import?.state
    if (!state) return 'file'
    if (this.back && isOpen(this.import)) return 'map'
    if (this.import?.startedAt || state === 'running') return 'run'
    if (state === 'draft' || state === 'mapped') return 'map'
    return 'check'
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#poll)
    void this.#save()
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('url') && !changed.has('params')) return
    const id = this.#id
    if (!id) {
      this.import = undefined
      this.problem = undefined
      this.back = false
    } else if (id !== this.import?.id) void this.#load(id)
  }

  override updated(): void {
    const meta = this.#meta
    if (!meta) return
    const module = moduleOf(meta)
    const title = t('shell.imports.title', { many: meta.name.many })
    setPage(this, {
      title: this.import ? this.import.file.name : title,
      documentTitle: title,
      crumbs: [
        ...(module ? [{ title: module }] : []),
        { title: meta.name.many, href: meta.route },
        ...(this.import ? [{ title: t('shell.records.import') }] : []),
      ],
    })
  }

  async #load(id: string): Promise<void> {
    await this.#do(async () => this.#take(await imports.get(id)))
  }

  #take(taken: Import): void {
    const before = this.import?.state
    this.import = taken
    clearTimeout(this.#poll)
    if (taken.state === 'rehearsing' || taken.state === 'running' || taken.state === 'rolling_back') {
      this.#poll = setTimeout(() => void this.#load(taken.id), pollEvery)
      return
    }
    if (before === 'rehearsing' && taken.state === 'rehearsed') announce(t('shell.imports.check.title'))
    if (before === 'running' && taken.state === 'done') announce(t('shell.imports.done.text', { ...taken.counts }))
    if (before === 'rolling_back' && taken.state === 'rolled_back') announce(t('shell.imports.rolledBack.title'))
  }

  async #do(work: () => Promise<void>): Promise<void> {
    this.problem = undefined
    this.busy = true
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error.detail
      announce(error.detail, 'assertive')
    } finally {
      this.busy = false
    }
  }

  readonly #uploaded = (event: CustomEvent<Import>): void => {
    this.#take(event.detail)
    navigate(`${this.#meta!.route}/import?${new URLSearchParams({ id: event.detail.id })}`, { replace: true })
    this.#focusHead()
  }

  readonly #changed = (event: CustomEvent<ImportChanges>): void => {
    this.import = { ...this.import!, ...event.detail }
    this.#waiting = { ...this.#waiting, ...event.detail }
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => void this.#save(), savePause)
  }

  /** Sends what was changed; answers when the server has it all. */
  #save(): Promise<void> {
    clearTimeout(this.#pause)
    const changes = this.#waiting
    const id = this.import?.id
    if (!id || Object.keys(changes).length === 0) return this.#saving
    this.#waiting = {}
    this.#saving = this.#saving.then(() =>
      this.#do(async () => {
        const answer = await imports.change(id, changes)
        // What was chosen meanwhile is newer than this answer.
        if (Object.keys(this.#waiting).length === 0) this.#take(answer)
      }),
    )
    return this.#saving
  }

  async #rehearse(): Promise<void> {
    await this.#save()
    const id = this.import?.id
    if (!id || this.problem) return
    this.back = false
    await this.#move('rehearse')
  }

  async #move(move: ImportMove): Promise<void> {
    const id = this.import?.id
    if (!id) return
    await this.#do(async () => this.#take(await imports.move(id, move)))
    this.#focusHead()
  }

  async #rollBack(): Promise<void> {
    const { create, update } = this.import!.counts
    const sure = await confirmDialog({
      title: t('shell.imports.rollBack.title'),
      body: t('shell.imports.rollBack.text', { create, update }),
      confirm: t('shell.imports.rollBack.now'),
      danger: true,
    })
    if (sure) await this.#move('rollback')
  }

  async #useRecipe(recipe: string): Promise<void> {
    const id = this.import?.id
    if (!id || !recipe) return
    await this.#save()
    await this.#do(async () => {
      this.#take(await imports.change(id, { recipe }))
      announce(t('shell.imports.recipe.used'))
    })
  }

  async #keepRecipe(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const name = String(form.get('name') ?? '').trim()
    if (!name) return
    await this.#save()
    const it = this.import!
    await this.#do(async () => {
      await imports.keepRecipe(it, name, form.get('shared') === 'on')
      this.#take(await imports.get(it.id))
      this.naming = false
      announce(t('shell.imports.recipe.kept', { name }))
    })
  }

  #focusHead(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('.step-title')?.focus())
  }

  override render() {
    const meta = this.#meta
    if (!meta) return nothing
    if (!meta.may.import && !this.import) {
      return html`<socle-empty
        icon="lock"
        .heading=${t('shell.imports.mayNot', { many: inSentence(meta.name.many) })}
      ></socle-empty>`
    }
    if (this.#id && !this.import) {
      return this.problem
        ? html`<socle-empty icon="circle-help" .heading=${this.problem}>
            <a slot="actions" class="button" href="${meta.route}/import">${t('shell.imports.done.another')}</a>
          </socle-empty>`
        : html`<div class="page">
            <socle-skeleton .lines=${8} .label=${t('shell.imports.loading')}></socle-skeleton>
          </div>`
    }
    return html`<div class="page">${this.#steps()} ${problemLine(this.problem)} ${this.#body(meta)}</div>`
  }

  #steps() {
    const at = steps.indexOf(this.#step)
    return html`<ol class="steps" aria-label=${t('shell.imports.steps')}>
      ${steps.map(
        (step, index) =>
          html`<li
            class=${index < at ? 'past' : index === at ? 'now' : ''}
            aria-current=${index === at ? 'step' : nothing}
          >
            <span class="number" aria-hidden="true"
              >${index < at || this.import?.state === 'done' ? icon('check') : index + 1}</span
            >${t(`shell.imports.step.${step}`)}
          </li>`,
      )}
    </ol>`
  }

  #body(meta: ResourceMeta) {
    const step = this.#step
    if (step === 'file')
      return html`<shell-import-upload .meta=${meta} @import-uploaded=${this.#uploaded}></shell-import-upload>`
    if (step === 'map') return this.#map(meta)
    return step === 'check' ? this.#check(meta) : this.#ran(meta)
  }

  #map(meta: ResourceMeta) {
    const it = this.import!
    const mapped = it.mapping.filter((column) => column.field && column.column).length
    return html`
      <h2 class="step-title" tabindex="-1">${t('shell.imports.map.count', { mapped, total: it.columns.length })}</h2>
      <p class="facts">
        <span class="pill">${it.file.name}, ${sizeOf(it.file.size)}</span>
        ${
          it.file.format === 'csv'
            ? html`<span class="pill">${t('shell.imports.read.encoding', { encoding: it.encoding })}</span>
                <span class="pill"
                  >${t('shell.imports.read.delimiter', { delimiter: nameOfDelimiter(it.delimiter) })}</span
                >`
            : html`<span class="pill">${t(`shell.imports.format.${it.file.format}`)}</span>`
        }
        <span class="pill">${t('shell.imports.read.lines', { count: it.counts.lines })}</span>
      </p>
      ${this.#recipe(it)}
      <shell-import-mapping .meta=${meta} .import=${it} @import-change=${this.#changed}></shell-import-mapping>
      <div class="foot">
        <a class="button" href="${meta.route}/import">${t('shell.imports.done.another')}</a>
        <span class="space"></span>
        <button class="button primary" ?disabled=${this.busy || mapped === 0} @click=${() => void this.#rehearse()}>
          ${t(it.state === 'rehearsed' ? 'shell.imports.rehearseAgain' : 'shell.imports.rehearse')}
        </button>
      </div>
    `
  }

  /** Kept mappings that fit the file, and a name for this one. */
  #recipe(it: Import) {
    return html`<div class="recipe">
      ${
        it.recipes.length
          ? html`<label>
              <span class="label">${t('shell.imports.recipe.choose')}</span>
              <select
                class="input"
                @change=${(event: Event) => void this.#useRecipe((event.target as HTMLSelectElement).value)}
              >
                <option value="">${t('shell.imports.recipe.none')}</option>
                ${it.recipes.map(
                  (recipe) =>
                    html`<option value=${recipe.id}>
                      ${recipe.mine ? recipe.name : t('shell.imports.recipe.shared', { name: recipe.name })}
                    </option>`,
                )}
              </select>
            </label>`
          : nothing
      }
      ${
        this.naming
          ? html`<form @submit=${(event: SubmitEvent) => void this.#keepRecipe(event)}>
              <label>
                <span class="label">${t('shell.imports.recipe.name')}</span>
                <input class="input" name="name" required maxlength="120" autocomplete="off" />
              </label>
              <label class="check"><input type="checkbox" name="shared" />${t('shell.imports.recipe.share')}</label>
              <button class="button primary" ?disabled=${this.busy}>${t('shell.imports.recipe.keepNow')}</button>
              <button class="button" type="button" @click=${() => (this.naming = false)}>
                ${t('shell.records.cancel')}
              </button>
            </form>`
          : html`<button class="button small" @click=${() => (this.naming = true)}>
              ${icon('plus')}${t('shell.imports.recipe.keep')}
            </button>`
      }
    </div>`
  }

  #check(meta: ResourceMeta) {
    const it = this.import!
    if (it.state === 'rehearsing' || it.work === 'rehearsing') return this.#progress('rehearsing')
    const changes = it.counts.create + it.counts.update
    return html`
      <h2 class="step-title" tabindex="-1">
        ${t(it.state === 'failed' ? 'shell.imports.failed.title' : 'shell.imports.check.title')}
      </h2>
      ${it.state === 'failed' ? html`<p class="problem" role="alert">${icon('circle-alert')}${problemText(it.problem)}</p>` : nothing}
      <p class="lead">${t(changes ? 'shell.imports.check.same' : 'shell.imports.check.nothing')}</p>
      <shell-import-result .meta=${meta} .import=${it}></shell-import-result>
      <div class="foot">
        <button class="button" @click=${() => (this.back = true)}>
          ${icon('arrow-left')}${t('shell.imports.back')}
        </button>
        <span class="space"></span>
        <button
          class="button primary"
          ?disabled=${this.busy || changes === 0 || it.state === 'failed'}
          @click=${() => void this.#move('run')}
        >
          ${t('shell.imports.run', { count: changes })}
        </button>
      </div>
    `
  }

  #ran(meta: ResourceMeta) {
    const it = this.import!
    if (it.work && it.state !== 'failed' && it.state !== 'cancelled') return this.#progress(it.work)
    const [title, tone] = endings[it.state] ?? ['done', 'ok']
    const mayRollBack = it.state === 'done' || it.state === 'cancelled' || it.state === 'failed'
    return html`
      <h2 class="step-title" tabindex="-1">${t(`shell.imports.${title}.title`)}</h2>
      ${
        tone === 'bad'
          ? html`<p class="problem" role="alert">
              ${icon('circle-alert')}<span>${problemText(it.problem)} ${t(`shell.imports.${title}.text`)}</span>
            </p>`
          : html`<p class="lead ok">${icon('circle-check')}${t(`shell.imports.${title}.text`, { ...it.counts })}</p>`
      }
      <shell-import-result .meta=${meta} .import=${it}></shell-import-result>
      <div class="foot">
        <a class="button" href="${meta.route}/import">${t('shell.imports.done.another')}</a>
        ${
          mayRollBack
            ? html`<button class="button" ?disabled=${this.busy} @click=${() => void this.#rollBack()}>
                ${icon('rotate-ccw')}${t('shell.imports.rollBack.button')}
              </button>`
            : nothing
        }
        <span class="space"></span>
        ${
          tone === 'bad'
            ? html`<button class="button primary" ?disabled=${this.busy} @click=${() => void this.#rehearse()}>
                ${t('shell.imports.rehearseAgain')}
              </button>`
            : html`<a class="button primary" href="${meta.route}?sort=-updatedAt"
                >${t('shell.imports.done.open', { many: meta.name.many })}</a
              >`
        }
      </div>
    `
  }

  #progress(what: 'rehearsing' | 'running' | 'rolling_back') {
    const { counts, state, reversal } = this.import!
    const isBack = what === 'rolling_back'
    const lines = isBack ? counts.create + counts.update : counts.lines
    const done = isBack ? (reversal ? reversal.deleted + reversal.restored + reversal.kept : 0) : counts.done
    const isPaused = state === 'paused'
    const text = t(isPaused ? 'shell.imports.paused' : `shell.imports.${what}`, { done, lines })
    return html`<div class="progress">
      <h2 class="step-title" tabindex="-1" role="status">${text}</h2>
      <progress max=${lines || 1} value=${Math.min(done, lines || 1)} aria-label=${text}></progress>
      <p class="lead">${t(isPaused ? 'shell.imports.pausedText' : 'shell.imports.runningText')}</p>
      <div class="moves">
        ${
          isPaused
            ? html`<button class="button primary" ?disabled=${this.busy} @click=${() => void this.#move('resume')}>
                ${t('shell.imports.resume')}
              </button>`
            : what === 'rehearsing'
              ? nothing
              : html`<button class="button" ?disabled=${this.busy} @click=${() => void this.#move('pause')}>
                  ${t('shell.imports.pause')}
                </button>`
        }
        <button class="button" ?disabled=${this.busy} @click=${() => void this.#move('cancel')}>
          ${t('shell.imports.cancel')}
        </button>
      </div>
    </div>`
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        flex: 1;
        min-block-size: 0;
        overflow: auto;
      }
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 16px;
        max-inline-size: 1080px;
        margin-inline: auto;
        padding: 24px 24px 0;
      }
      .steps {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 24px;
        margin-block-end: 8px;
        color: var(--socle-text-3);
        font: var(--socle-small);
        font-weight: 500;
      }
      .steps li {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .steps .number {
        display: grid;
        place-items: center;
        inline-size: 22px;
        block-size: 22px;
        border: 1px solid var(--socle-line);
        border-radius: 50%;
        font: var(--socle-meta);
        font-weight: 600;
      }
      .steps .icon {
        inline-size: 12px;
        block-size: 12px;
      }
      .steps .past {
        color: var(--socle-success);
      }
      .steps .now {
        color: var(--socle-text);
      }
      .steps .now .number {
        border-color: var(--socle-text);
        background: var(--socle-text);
        color: var(--socle-surface);
      }
      .step-title {
        justify-self: start;
        font: var(--socle-heading);
        font-weight: 600;
        outline-offset: 4px;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block-start: -8px;
      }
      .facts .pill {
        block-size: auto;
        min-block-size: 20px;
        max-inline-size: 100%;
        white-space: normal;
      }
      .lead {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-block-start: -8px;
        color: var(--socle-text-2);
      }
      .lead.ok .icon {
        color: var(--socle-success);
      }
      .problem {
        display: flex;
        gap: 8px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-danger-bg);
        color: var(--socle-danger);
      }
      .progress {
        display: grid;
        gap: 16px;
        padding-block: 32px;
      }
      progress {
        inline-size: 100%;
        block-size: 8px;
        accent-color: var(--socle-accent);
      }
      .moves,
      .recipe,
      .recipe form {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px 12px;
      }
      .recipe .check {
        display: flex;
        align-items: center;
        gap: 6px;
        min-block-size: 36px;
      }
      .recipe .input {
        margin-block-start: 4px;
      }
      .foot {
        position: sticky;
        flex-wrap: wrap;
        inset-block-end: 0;
        display: flex;
        align-items: center;
        gap: 8px;
        margin-inline: -24px;
        padding: 12px 24px;
        border-block-start: 1px solid var(--socle-line);
        background: var(--socle-page);
      }
      .space {
        flex: 1;
      }
      @media (max-width: 599.98px) {
        .page {
          padding: 16px 16px 0;
        }
        .foot {
          margin-inline: -16px;
          padding-inline: 16px;
        }
        .steps {
          gap: 8px 12px;
        }
        .foot .button {
          flex: 1 1 auto;
        }
        .foot .space {
          display: none;
        }
      }
    `,
  ]
}

/** How an import may end, and whether that is what was wanted. */
const endings: Readonly<Record<string, readonly [words: string, tone: 'ok' | 'bad']>> = {
  done: ['done', 'ok'],
  failed: ['failed', 'bad'],
  cancelled: ['cancelled', 'bad'],
  rolled_back: ['rolledBack', 'ok'],
}

/** Whether its columns may still be changed. */
function isOpen(it: Import | undefined): boolean {
  return it !== undefined && ['draft', 'mapped', 'rehearsed', 'failed', 'cancelled'].includes(it.state)
}

function nameOfDelimiter(delimiter: string): string {
  const names: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' }
  return names[delimiter] ?? delimiter
}
