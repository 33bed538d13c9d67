import { css, html, nothing } from 'lit'
import type { PropertyValues, TemplateResult } from 'lit'
import { ProblemError } from './api.ts'
import { confirmDialog } from './confirm-dialog.ts'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { live } from './live.ts'
import { records, undo } from './records.ts'
import { recordHref, resource } from './session.ts'
import type { SocleField } from './socle-field.ts'
import { icon, valueTemplate } from './templates.ts'
import { toast } from './toast.ts'
import type { FieldMeta, Page, ResourceMeta } from './types.ts'
import { t } from './words.ts'

/**
 * A small list of a resource's records inside a page: title, one or two values, “new”. Shows nothing when the actor may
 * not see the resource or its plugin is off.
 *
 * @fires socle-open - a record's link was followed; `detail.id`
 * @fires socle-create - `detail.resource`, `detail.values`; prevent it to open a form of your own
 * @fires socle-created - `detail.record`
 */
export class SocleRecords extends KitElement {
  static override properties = {
    resource: { type: String },
    filter: { type: String },
    sort: { type: String },
    limit: { type: Number },
    fields: { attribute: false },
    values: { attribute: false },
    heading: { type: String },
    href: { type: String },
    noCreate: { type: Boolean, attribute: 'no-create' },
  }
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }

      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        border-block-end: 1px solid var(--socle-line);
      }

      h3 {
        flex: 1;
        min-inline-size: 0;
        font: var(--socle-body);
        font-weight: 600;
      }

      h3 .pill {
        margin-inline-start: 4px;
      }

      li {
        border-block-end: 1px solid var(--socle-line);
      }

      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 12px;
        min-block-size: var(--socle-row);
        padding: 6px 0;
        font: var(--socle-small);
        color: inherit;
        text-decoration: none;
      }

      .row:hover .title {
        text-decoration: underline;
        text-decoration-color: var(--socle-control);
        text-underline-offset: 3px;
      }

      .title {
        flex: 1 1 40%;
        min-inline-size: 96px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-weight: 500;
      }

      .beside {
        flex: none;
        display: inline-flex;
        align-items: center;
        gap: 6px;
        max-inline-size: 60%;
        color: var(--socle-text-2);
      }

      .beside.figure {
        color: var(--socle-text);
      }

      .foot {
        padding-block: 8px;
      }

      .none {
        padding: 10px 0;
        font: var(--socle-small);
        color: var(--socle-text-3);
      }

      form {
        display: grid;
        gap: 16px;
      }

      .summary {
        padding: 8px 12px;
        font: var(--socle-small);
        color: var(--socle-danger);
        background: var(--socle-danger-bg);
        border-radius: var(--socle-radius);
      }
    `,
  ]

  /** Resource id, e.g. `sales.opportunity`. */
  declare resource: string
  /** Text filter; '' for all. */
  declare filter: string
  declare sort: string
  declare limit: number
  /** Fields shown beside the title; by default the first pill and the first figure of the resource's list. */
  declare fields: readonly string[] | undefined
  /** What a new record starts with, e.g. `{ account: id }`. */
  declare values: Readonly<Record<string, unknown>>
  declare heading: string
  /** Address of the whole list; by default the resource's list under this filter. */
  declare href: string
  declare noCreate: boolean

  #page: Page | undefined
  #error = ''
  #asked: AbortController | undefined
  #isCreating = false
  #draft: Record<string, unknown> = {}
  #errors: Readonly<Record<string, string>> = {}
  #formError = ''
  #isSaving = false
  #stopLive: (() => void) | undefined

  constructor() {
    super()
    this.resource = ''
    this.filter = ''
    this.sort = ''
    this.limit = 5
    this.values = {}
    this.heading = ''
    this.href = ''
    this.noCreate = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stopLive = live.on('record', (event) => {
      if (event.resource === this.resource) void this.reload()
    })
    if (this.hasUpdated) void this.reload()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stopLive?.()
    this.#asked?.abort()
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const isOther = ['resource', 'filter', 'sort', 'limit'].some((it) => (changed as Map<PropertyKey, unknown>).has(it))
    if (isOther) void this.reload()
  }

  /** Asks the server again; what is shown stays until the answer is there. */
  async reload(): Promise<void> {
    const meta = resource(this.resource)
    if (!meta) return
    this.#asked?.abort()
    const asked = new AbortController()
    this.#asked = asked
    const include = this.#beside(meta).flatMap((it) => (it.target ? [it.name] : []))
    try {
      const query = { filter: this.filter, sort: this.sort, limit: this.limit, include, count: 'estimate' as const }
      const page = await records(meta.id).list(query, { signal: asked.signal })
      this.#page = page
      this.#error = ''
    } catch (error) {
      if (asked.signal.aborted) return
      this.#error = error instanceof Error ? error.message : String(error)
    }
    this.requestUpdate()
  }

  override render() {
    const meta = resource(this.resource)
    if (!meta) return nothing
    const isCreatable = meta.may.create && !this.noCreate
    const count = this.#page?.page.count
    return html`<section aria-label=${this.heading || meta.name.many}>
      <header>
        <h3>${this.heading || meta.name.many}${count ? html` <span class="pill">${count}</span>` : nothing}</h3>
        ${isCreatable ? this.#newButton(meta) : nothing}
      </header>
      ${this.#list(meta)} ${this.#isCreating ? this.#form(meta) : nothing}
    </section>`
  }

  #newButton(meta: ResourceMeta): TemplateResult {
    const words = t('kit.records.newOne', { name: meta.name.one })
    return html`<button class="icon-button" aria-label=${words} title=${words} @click=${() => this.#create(meta)}>
      ${icon('plus')}
    </button>`
  }

  #list(meta: ResourceMeta) {
    const page = this.#page
    if (this.#error && !page) {
      return html`<p class="none">
        ${t('kit.records.failed', { reason: this.#error })}
        <button class="button small" @click=${() => this.reload()}>${t('kit.records.retry')}</button>
      </p>`
    }
    if (!page) return html`<socle-skeleton lines="3"></socle-skeleton>`
    if (page.data.length === 0) return html`<p class="none">${t('kit.records.empty')}</p>`
    const beside = this.#beside(meta)
    const total = page.page.count ?? page.data.length
    return html`<ul>
        ${page.data.map((row) => {
          const title = String(row[meta.title] ?? row.id)
          return html`<li>
            <a
              class="row"
              href=${recordHref(meta.id, row.id) ?? nothing}
              @click=${(event: MouseEvent) => this.#opened(event, row.id)}
            >
              <span class="title" title=${title}>${title}</span>
              ${beside.map((field) => {
                const shown = valueTemplate(field, row[field.name], {
                  record: row,
                  included: page.included,
                  links: false,
                })
                return shown === ''
                  ? nothing
                  : html`<span class="beside ${field.type === 'money' ? 'figure' : ''}">${shown}</span>`
              })}
            </a>
          </li>`
        })}
      </ul>
      ${
        page.page.next
          ? html`<p class="foot small">
              <a class="link" href=${this.#allHref(meta)}>${t('kit.records.all', { count: total })}</a>
            </p>`
          : nothing
      }`
  }

  #allHref(meta: ResourceMeta): string {
    if (this.href) return this.href
    return this.filter ? `${meta.route}?filter=${encodeURIComponent(this.filter)}` : meta.route
  }

  #beside(meta: ResourceMeta): FieldMeta[] {
    const byName = (name: string) => meta.fields.find((it) => it.name === name)
    if (this.fields) return this.fields.flatMap((it) => byName(it) ?? [])
    const listed = meta.list.flatMap((it) => byName(it) ?? []).filter((it) => it.name !== meta.title)
    const state = listed.find((it) => it.type === 'select')
    const figure = listed.find((it) => it.type === 'money') ?? listed.find((it) => it.type === 'date')
    return [state, figure].filter((it) => it !== undefined)
  }

  #opened(event: MouseEvent, id: string): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    if (!this.tell('socle-open', { id })) event.preventDefault()
  }

  // ---- Creating

  #create(meta: ResourceMeta): void {
    if (!this.tell('socle-create', { resource: meta.id, values: this.values })) return
    this.#draft = { ...this.values }
    this.#errors = {}
    this.#formError = ''
    this.#isCreating = true
    this.requestUpdate()
  }

  #formFields(meta: ResourceMeta): FieldMeta[] {
    return meta.form.flatMap((name) => meta.fields.find((it) => it.name === name && it.writable) ?? [])
  }

  #form(meta: ResourceMeta): TemplateResult {
    const fields = this.#formFields(meta).filter((it) => !(it.name in this.values))
    const wrong = Object.keys(this.#errors).length
    return html`<socle-dialog
      open
      .heading=${t('kit.records.newOne', { name: meta.name.one })}
      .guard=${() => this.#mayLeave()}
      @socle-close=${this.#closed}
      @keydown=${(event: KeyboardEvent) => this.#formPressed(event, meta)}
    >
      <form @submit=${(event: Event) => event.preventDefault()}>
        ${
          this.#formError || wrong > 0
            ? html`<p class="summary" role="alert">${this.#formError || t('kit.records.errors', { count: wrong })}</p>`
            : nothing
        }
        ${fields.map(
          (field, index) =>
            html`<socle-field
              ?autofocus=${index === 0}
              .field=${field}
              .value=${this.#draft[field.name]}
              .error=${this.#errors[field.name] ?? ''}
              @socle-input=${(event: CustomEvent<{ value: unknown }>) => this.#typed(field, event.detail.value)}
            ></socle-field>`,
        )}
      </form>
      <socle-button slot="actions" @click=${this.#dismiss}>${t('kit.dialog.cancel')}</socle-button>
      <socle-button slot="actions" kind="primary" ?busy=${this.#isSaving} @click=${() => this.#save(meta)}>
        ${t('kit.records.create')}
      </socle-button>
    </socle-dialog>`
  }

  #typed(field: FieldMeta, value: unknown): void {
    this.#draft = { ...this.#draft, [field.name]: value }
    const { [field.name]: gone, ...others } = this.#errors
    this.#errors = others
    if (gone !== undefined) this.requestUpdate()
  }

  #formPressed(event: KeyboardEvent, meta: ResourceMeta): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    void this.#save(meta)
  }

  async #mayLeave(): Promise<boolean> {
    const isDirty = Object.keys(this.#draft).some((it) => !(it in this.values))
    if (!isDirty) return true
    return await confirmDialog({
      title: t('kit.records.unsaved'),
      body: t('kit.records.unsavedText'),
      confirm: t('kit.records.discard'),
      cancel: t('kit.records.keep'),
      danger: true,
    })
  }

  readonly #dismiss = async (): Promise<void> => {
    if (await this.#mayLeave()) this.#dialog()?.close()
  }

  readonly #closed = (): void => {
    this.#isCreating = false
    this.requestUpdate()
  }

  #dialog() {
    return this.renderRoot.querySelector('socle-dialog') as (HTMLElement & { close(value?: string): void }) | null
  }

  async #save(meta: ResourceMeta): Promise<void> {
    if (this.#isSaving) return
    const editors = [...this.renderRoot.querySelectorAll<SocleField>('socle-field')]
    const checked = editors.map((it) => it.check())
    if (checked.includes(false)) {
      editors[checked.indexOf(false)]?.focus()
      return
    }
    this.#isSaving = true
    this.requestUpdate()
    try {
      const { data, changeSet } = await records(meta.id).create(this.#draft)
      this.#dialog()?.close()
      const back = changeSet ? { action: { label: t('kit.toast.undo'), run: () => this.#undo(changeSet) } } : {}
      toast({ text: t('kit.records.created', { title: String(data[meta.title] ?? '') }), tone: 'success', ...back })
      this.tell('socle-created', { record: data })
      void this.reload()
    } catch (error) {
      this.#refused(error)
    } finally {
      this.#isSaving = false
      this.requestUpdate()
    }
  }

  #refused(error: unknown): void {
    if (!(error instanceof ProblemError)) throw error
    const names = new Set(Object.keys(this.#draft))
    this.#errors = Object.fromEntries(error.errors.map((it) => [it.path.replace(/^\//, ''), it.detail]))
    const isAtFields = error.errors.length > 0 && error.errors.every((it) => names.has(it.path.replace(/^\//, '')))
    this.#formError = isAtFields ? '' : error.detail
  }

  async #undo(changeSet: string): Promise<void> {
    await undo(changeSet)
    await this.reload()
  }
}
