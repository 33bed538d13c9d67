import { KitElement, ProblemError, api, controls, t, toast } from '@socle/sdk/ui'
import type { FieldMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sentenceOf } from './settings-api.ts'
import type { PluginCard } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** A setting as a field; a secret is typed in and never read back. */
type Setting = Omit<FieldMeta, 'type' | 'writable' | 'sortable'> & { readonly type: FieldMeta['type'] | 'secret' }

interface Form {
  readonly version: number
  readonly fields: readonly Setting[]
  readonly values: Readonly<Record<string, unknown>>
  /** Secrets that are there. */
  readonly given: readonly string[]
}

/**
 * What this company chooses for one module, on a form drawn from what the module declares.
 *
 * @fires close
 */
export class ShellModuleSettings extends KitElement {
  static override properties = {
    card: { attribute: false },
    form: { state: true },
    changed: { state: true },
    faults: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare card: PluginCard
  declare form: Form | undefined
  declare changed: Readonly<Record<string, unknown>>
  declare faults: ReadonlyMap<string, string>
  declare problem: string | undefined
  declare isBusy: boolean

  constructor() {
    super()
    this.changed = {}
    this.faults = new Map()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  get #path(): string {
    return `/api/core/plugins/${this.card.id}/settings`
  }

  async #load(): Promise<void> {
    try {
      this.form = (await api.get<{ data: Form }>(this.#path)).data
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    return html`
      <socle-dialog
        open
        .heading=${t('shell.modules.settingsOf', { title: this.card.title })}
        @socle-close=${() => this.#close()}
      >
        ${problemLine(this.problem)}
        ${
          this.form
            ? html`<form id="form" @submit=${this.#save}>${this.form.fields.map((it) => this.#field(it))}</form>`
            : this.problem
              ? nothing
              : html`<socle-skeleton .lines=${4}></socle-skeleton>`
        }
        <button slot="actions" class="button" @click=${() => this.#close()}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          aria-disabled=${this.isBusy || !this.form ? 'true' : nothing}
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
        >
          ${t('shell.save')}
        </button>
      </socle-dialog>
    `
  }

  #field(setting: Setting) {
    const { name, type } = setting
    if (type === 'secret') return this.#secret(setting)
    const field: FieldMeta = { ...setting, type, writable: true, sortable: false }
    return html`<socle-field
      .field=${field}
      .value=${name in this.changed ? this.changed[name] : this.form?.values[name]}
      .error=${this.faults.get(name) ?? ''}
      @socle-input=${(event: CustomEvent<{ value: unknown }>) => this.#set(name, event.detail.value)}
      @socle-commit=${(event: CustomEvent<{ value: unknown }>) => this.#set(name, event.detail.value)}
    ></socle-field>`
  }

  #secret({ name, label, help }: Setting) {
    const isGiven = this.form?.given.includes(name) && this.changed[name] !== null
    return html`<div class="field">
      <label class="label" for=${name}>${label}</label>
      <div class="secret">
        <input
          class="input"
          type="password"
          id=${name}
          autocomplete="off"
          placeholder=${isGiven ? t('shell.modules.secretGiven') : ''}
          aria-describedby="${name}-help"
          .value=${String(this.changed[name] ?? '')}
          @input=${(event: Event) => this.#set(name, (event.target as HTMLInputElement).value || undefined)}
        />
        ${
          isGiven
            ? html`<button type="button" class="button" @click=${() => this.#set(name, null)}>
                ${t('shell.modules.secretTake')}
              </button>`
            : nothing
        }
      </div>
      <p class="meta" id="${name}-help">${this.faults.get(name) ?? help ?? t('shell.modules.secretHelp')}</p>
    </div>`
  }

  #set(name: string, value: unknown): void {
    const { [name]: _, ...others } = this.changed
    // A secret left alone stays as it is.
    this.changed = value === undefined ? others : { ...others, [name]: value }
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy || !this.form) return
    this.isBusy = true
    try {
      await api.patch(this.#path, { version: this.form.version, values: this.changed })
      toast({ text: t('shell.modules.settingsSaved', { title: this.card.title }), tone: 'success' })
      this.#close()
    } catch (problem) {
      const errors = problem instanceof ProblemError ? problem.errors : []
      this.faults = new Map(errors.map(({ path, detail }) => [path.replace('/values/', ''), detail]))
      this.problem = errors.length > 0 ? undefined : sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  #close(): void {
    this.dispatchEvent(new CustomEvent('close'))
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      form {
        display: grid;
        gap: 16px;
      }
      .secret {
        display: flex;
        gap: 8px;
      }
      .secret .input {
        flex: 1;
        min-inline-size: 0;
      }
    `,
  ]
}
