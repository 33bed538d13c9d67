import { controls, icon, KitElement, localDate, parse, ProblemError, records, resource, t, toast } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { dropDraft, keepDraft, readDraft } from './drafts.ts'
import { tellDone } from './own-changes.ts'
import { acknowledging } from './acknowledging.ts'
import { fieldOf } from './resources.ts'

/** Where notes, calls, meetings and tasks on any record are kept. */
const activities = 'core.activity'

const kinds = ['note', 'call', 'meeting', 'task'] as const
type Kind = (typeof kinds)[number]

const icons: Readonly<Record<Kind, string>> = {
  note: 'message-square',
  call: 'phone',
  meeting: 'calendar',
  task: 'square-check',
}
const longestSubject = 120

/**
 * Writes what happened, or what is to be done, onto a record. What is typed survives a reload.
 *
 * @fires activity-created
 */
export class ShellActivityComposer extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    kind: { state: true },
    text: { state: true },
    when: { state: true },
    fault: { state: true },
    saving: { state: true },
    isOpen: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      form {
        border: 1px solid var(--socle-line);
        border-radius: 8px;
        background: var(--socle-surface);
      }
      form:focus-within {
        border-color: var(--socle-control);
      }
      form:has(textarea:focus-visible) {
        outline: 2px solid var(--socle-accent);
        outline-offset: 2px;
      }
      .kinds {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
        padding: 6px 6px 0;
      }
      textarea.input {
        min-block-size: 40px;
        max-block-size: 240px;
        padding: 8px 12px;
        border: 0;
        background: none;
        resize: none;
      }
      /* The ring goes around the whole, of which it is a part. */
      textarea.input:focus-visible {
        outline: none;
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
        padding: 6px 8px 8px 12px;
      }
      .when {
        display: flex;
        align-items: center;
        gap: 6px;
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .when .input {
        inline-size: 128px;
        min-block-size: 28px;
        padding-block: 2px;
      }
      .space {
        flex: 1;
      }
      .error {
        flex-basis: 100%;
      }
    `,
  ]

  declare meta: ResourceMeta
  declare record: RecordJson
  declare private kind: Kind
  declare private text: string
  declare private when: string
  declare private fault: string | undefined
  declare private saving: boolean
  declare private isOpen: boolean

  constructor() {
    super()
    this.kind = 'note'
    this.text = ''
    this.when = ''
    this.saving = false
    this.isOpen = false
  }

  static isPossible(): boolean {
    return resource(activities)?.may.create ?? false
  }

  get #draft(): string {
    return `${activities}.${this.record.id}`
  }

  override willUpdate(changed: PropertyValues): void {
    const before = changed.get('record') as RecordJson | undefined
    if (!changed.has('record') || before?.id === this.record.id) return
    const draft = readDraft(this.#draft)
    this.text = String(draft?.values['text'] ?? '')
    this.kind = (draft?.values['kind'] as Kind | undefined) ?? 'note'
    this.when = ''
    this.fault = undefined
    this.isOpen = this.text !== ''
  }

  /** Opens the text box, as the Log menu does. */
  write(kind: string): void {
    if ((kinds as readonly string[]).includes(kind)) this.kind = kind as Kind
    this.isOpen = true
    void this.updateComplete.then(() => this.renderRoot.querySelector('textarea')?.focus())
  }

  override render() {
    const meta = resource(activities)
    if (!meta) return nothing
    const offered = kinds.filter((kind) => fieldOf(meta, 'type')?.options?.some((it) => it.value === kind) ?? true)
    const isPlanned = this.kind === 'task' || this.kind === 'meeting'
    return html`<form @submit=${this.#submit} @keydown=${this.#key}>
      <div class="kinds" role="group" aria-label=${t('shell.records.composer.kind')}>
        ${offered.map(
          (kind) =>
            html`<button
              type="button"
              class="button small ghost"
              aria-pressed=${kind === this.kind}
              @click=${() => {
                this.write(kind)
                this.#keep()
              }}
            >
              ${icon(icons[kind])}${t(`shell.records.composer.${kind}`)}
            </button>`,
        )}
      </div>
      <textarea
        class="input"
        rows="1"
        aria-label=${t(`shell.records.composer.${this.kind}Label`)}
        placeholder=${t(`shell.records.composer.${this.kind}Label`)}
        .value=${this.text}
        @focus=${() => (this.isOpen = true)}
        @input=${(event: InputEvent) => {
          this.text = (event.target as HTMLTextAreaElement).value
          this.#keep()
        }}
      ></textarea>
      ${
        this.isOpen
          ? html`<div class="foot">
              ${
                isPlanned
                  ? html`<label class="when">
                      ${t(this.kind === 'task' ? 'shell.records.composer.due' : 'shell.records.composer.on')}
                      <input
                        class="input"
                        autocomplete="off"
                        placeholder=${t('shell.records.filter.dateExample')}
                        .value=${this.when}
                        @input=${(event: InputEvent) => (this.when = (event.target as HTMLInputElement).value)}
                      />
                    </label>`
                  : nothing
              }
              <span class="space"></span>
              <button type="button" class="button small ghost" @click=${this.#discard}>
                ${t('shell.records.cancel')}
              </button>
              <button
                class="button small"
                ?disabled=${this.saving || !this.text.trim()}
                title=${t('shell.records.form.saveKeys')}
              >
                ${t('shell.records.composer.save')}
              </button>
              ${this.fault ? html`<p class="error" role="alert">${this.fault}</p>` : nothing}
            </div>`
          : nothing
      }
    </form>`
  }

  #keep(): void {
    if (this.text.trim()) keepDraft(this.#draft, { text: this.text, kind: this.kind })
    else dropDraft(this.#draft)
  }

  readonly #discard = (): void => {
    this.text = ''
    this.when = ''
    this.fault = undefined
    this.isOpen = false
    dropDraft(this.#draft)
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      event.stopPropagation()
      ;(event.currentTarget as HTMLFormElement).requestSubmit()
    }
    if (event.key === 'Escape' && this.isOpen) {
      event.stopPropagation()
      this.isOpen = false
      ;(event.target as HTMLElement).blur()
    }
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const text = this.text.trim()
    if (!text || this.saving) return
    const day = this.when.trim() ? parse.date(this.when) : undefined
    if (this.when.trim() && !day) {
      this.fault = t('shell.records.filter.unreadable')
      return
    }
    this.saving = true
    this.fault = undefined
    try {
      const written = await acknowledging((extra) =>
        records(activities).create({ ...this.#values(text, day), ...extra }),
      )
      tellDone(t(`shell.records.composer.${this.kind}Saved`), {
        changeSet: written.changeSet,
        resource: activities,
        ids: [written.data.id],
      })
      this.#discard()
      this.tell('activity-created', written.data)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.fault = error.detail
      toast({ text: error.detail, tone: 'danger' })
    } finally {
      this.saving = false
    }
  }

  #values(text: string, day: string | undefined): Record<string, unknown> {
    const [first = '', ...rest] = text.split('\n')
    const isLong = first.length > longestSubject
    const subject = isLong ? `${first.slice(0, longestSubject - 1)}…` : first
    const body = isLong ? text : rest.join('\n').trim()
    return {
      type: this.kind,
      subject,
      ...(body ? { body } : {}),
      ...this.#links(),
      ...this.#times(day),
    }
  }

  /** A note or call has happened; a task is to be done; a meeting stands on its day. */
  #times(day: string | undefined): Record<string, unknown> {
    const at = day ? `${day}T09:00:00Z` : undefined
    if (this.kind === 'task') return at ? { dueAt: at } : {}
    const isAhead = day !== undefined && day > localDate()
    if (this.kind === 'meeting' && isAhead) return { startAt: at }
    return { status: 'done', ...(this.kind === 'meeting' && at ? { startAt: at } : {}) }
  }

  /** Onto this record, and onto the account or contact it belongs to, so that their timelines show it too. */
  #links(): Record<string, unknown> {
    const activity = resource(activities)!
    const links: Record<string, unknown> = {}
    for (const reference of activity.fields) {
      if (reference.type !== 'reference' || !reference.target || !reference.writable) continue
      if (reference.target === this.meta.id) links[reference.name] = this.record.id
      else {
        const own = this.meta.fields.find((it) => it.type === 'reference' && it.target === reference.target)
        const id = own ? this.record[own.name] : undefined
        if (typeof id === 'string') links[reference.name] = id
      }
    }
    const isLinked = Object.values(links).includes(this.record.id)
    return isLinked ? links : { ...links, resource: this.meta.id, record: this.record.id }
  }
}
