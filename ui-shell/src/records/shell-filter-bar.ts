import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { isRaw, parseFilter, printFilter } from './filter-text.ts'
import type { Condition, FilterPart } from './filter-text.ts'
import { sentenceOf } from './filter-words.ts'
import { readListState } from './list-state.ts'
import { viewById } from './saved-views.ts'
import type { ShellFilterEditor } from './shell-filter-editor.ts'
import { ShellPopover } from './shell-popover.ts'

define('shell-popover', ShellPopover)

/** The editor is not needed to show a list; it is fetched when nothing else is to do, or when it is asked for. */
async function loadEditor(): Promise<void> {
  const { ShellFilterEditor } = await import('./shell-filter-editor.ts')
  define('shell-filter-editor', ShellFilterEditor)
}

/** A filter as sentences that can be changed one by one, or as the text they stand for. */
export class ShellFilterBar extends KitElement {
  static override properties = {
    meta: { attribute: false },
    filter: {},
    problem: {},
    asText: { state: true },
    editing: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex: 1 1 auto;
        flex-wrap: nowrap;
        align-items: center;
        gap: 8px;
        min-inline-size: 0;
      }
      .chips {
        display: flex;
        align-items: center;
        gap: 8px;
        min-inline-size: 0;
        overflow-x: auto;
        scrollbar-width: none;
        padding: 3px;
        margin: -3px;
      }
      .chip {
        display: inline-flex;
        flex: 0 1 auto;
        align-items: stretch;
        min-inline-size: 96px;
        max-inline-size: 320px;
        block-size: 28px;
        border: 1px solid var(--socle-line);
        border-radius: 6px;
        background: var(--socle-surface);
        color: var(--socle-text-2);
        font: var(--socle-small);
      }
      .chip:hover {
        background: var(--socle-page);
      }
      .chip button {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: inherit;
        font: inherit;
        font-weight: 500;
        cursor: pointer;
      }
      .chip .open {
        min-inline-size: 0;
        padding: 0 4px 0 8px;
      }
      .chip .open span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .chip .icon {
        inline-size: 14px;
        block-size: 14px;
      }
      .chip .drop {
        justify-content: center;
        inline-size: 26px;
        padding: 0;
      }
      .chip .drop:hover {
        color: var(--socle-text);
        background: var(--socle-muted);
      }
      .chip.raw .open span {
        font-family: ui-monospace, monospace;
        font-size: 12px;
      }
      form {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 8px;
        min-inline-size: 0;
        position: relative;
      }
      form .input {
        flex: 1;
        min-inline-size: 0;
        min-block-size: 28px;
        padding-block: 3px;
        font-family: ui-monospace, monospace;
        font-size: 12.5px;
      }
      .fault {
        position: absolute;
        inset-block-start: calc(100% + 9px);
        inset-inline-start: 0;
        z-index: 5;
        max-inline-size: 100%;
        padding: 6px 10px;
        border: 1px solid var(--socle-line);
        border-radius: 6px;
        background: var(--socle-surface);
        box-shadow: var(--socle-shadow);
        color: var(--socle-danger);
        font: var(--socle-small);
      }
      @media (max-width: 599.98px) {
        :host,
        .chips {
          flex-wrap: wrap;
        }
        .chips {
          overflow: visible;
        }
        .chip {
          block-size: 44px;
          max-inline-size: 100%;
        }
        .chip .drop {
          inline-size: 44px;
        }
        .fault {
          position: static;
        }
        form {
          flex-wrap: wrap;
        }
        form .input {
          flex-basis: 100%;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare filter: string
  /** Why the server could not read the filter. */
  declare problem: string | undefined
  declare private asText: boolean
  /** Which chip the editor changes; its length for a new one. */
  declare private editing: number | undefined

  constructor() {
    super()
    this.filter = ''
    this.asText = false
  }

  /** Opens the list of fields, as the `f` key does. */
  add(): void {
    const anchor = this.renderRoot.querySelector<HTMLElement>('.add')
    if (anchor) void this.#open(parseFilter(this.filter).length, anchor)
  }

  override firstUpdated(): void {
    requestIdleCallback(() => void loadEditor())
  }

  override render() {
    if (this.asText || this.problem) return this.#text()
    const parts = parseFilter(this.filter)
    return html`
      ${
        parts.length
          ? html`<div class="chips" role="group" aria-label=${t('shell.records.filter.all')}>
              ${parts.map((part, at) => this.#chip(part, at))}
            </div>`
          : nothing
      }
      <button
        class="button small add"
        @click=${(event: Event) => void this.#open(parts.length, event.currentTarget as HTMLElement)}
      >
        ${icon('plus')}${t('shell.records.filter.add')}
      </button>
      ${
        parts.length
          ? html`<button
                class="icon-button"
                title=${t('shell.records.filter.asText')}
                aria-label=${t('shell.records.filter.asText')}
                @click=${this.#showText}
              >
                ${icon('code')}
              </button>
              <button
                class="icon-button"
                title=${t('shell.records.why.action')}
                aria-label=${t('shell.records.why.action')}
                @click=${() => void this.#askWhy()}
              >
                ${icon('circle-help')}
              </button>`
          : nothing
      }
      ${this.#editor(parts)}
    `
  }

  #chip(part: FilterPart, at: number) {
    const sentence = sentenceOf(this.meta, part, () => this.requestUpdate())
    const open = (event: Event) =>
      isRaw(part) ? this.#showText() : void this.#open(at, event.currentTarget as HTMLElement)
    return html`<span class=${isRaw(part) ? 'chip raw' : 'chip'}>
      <button class="open" title=${sentence} @click=${open}>${icon('list-filter')}<span>${sentence}</span></button>
      <button
        class="drop"
        aria-label=${t('shell.records.filter.drop', { filter: sentence })}
        @click=${() => this.#put(at, undefined)}
      >
        ${icon('x')}
      </button>
    </span>`
  }

  #editor(parts: readonly FilterPart[]) {
    const part = this.editing === undefined ? undefined : parts[this.editing]
    return html`<shell-popover label=${t('shell.records.filter.editor')} @popover-closed=${this.#left}>
      ${
        this.editing === undefined
          ? nothing
          : html`<shell-filter-editor
              .meta=${this.meta}
              .condition=${part && !isRaw(part) ? part : undefined}
              @filter-set=${this.#set}
              @filter-done=${() => this.#popover?.hide()}
            ></shell-filter-editor>`
      }
    </shell-popover>`
  }

  #text() {
    return html`<form @submit=${this.#submitText}>
      <input
        class="input"
        name="filter"
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        aria-label=${t('shell.records.filter.textLabel')}
        aria-invalid=${this.problem ? 'true' : 'false'}
        placeholder=${t('shell.records.filter.textExample')}
        .value=${this.filter}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key !== 'Escape') return
          event.stopPropagation()
          this.asText = false
        }}
      />
      <button class="button small">${t('shell.records.filter.apply')}</button>
      <button type="button" class="button small ghost" @click=${this.#leaveText}>
        ${t('shell.records.filter.asChips')}
      </button>
      ${this.problem ? html`<p class="fault" role="alert">${this.problem}</p>` : nothing}
    </form>`
  }

  get #popover(): ShellPopover | null {
    return this.renderRoot.querySelector('shell-popover')
  }

  async #open(at: number, anchor: HTMLElement): Promise<void> {
    await loadEditor()
    this.editing = at
    await this.updateComplete
    this.#popover?.show(anchor)
    const editor = this.renderRoot.querySelector<ShellFilterEditor>('shell-filter-editor')
    await editor?.updateComplete
    editor?.focus()
  }

  readonly #left = (): void => {
    this.renderRoot.querySelector<ShellFilterEditor>('shell-filter-editor')?.settle()
    this.editing = undefined
  }

  readonly #set = (event: CustomEvent<Condition | undefined>): void => {
    const condition = event.detail
    if (this.editing === undefined) return
    if (!condition) {
      this.#put(this.editing, undefined)
      this.#popover?.hide()
      return
    }
    // Half a comparison ("amount is at least …") is not yet a filter.
    const isWhole = condition.value.kind !== 'none' || condition.op === 'empty' || condition.op === 'not empty'
    if (isWhole) this.#put(this.editing, condition)
  }

  #put(at: number, part: FilterPart | undefined): void {
    const parts = [...parseFilter(this.filter)]
    if (part) parts[at] = part
    else parts.splice(at, 1)
    this.filter = printFilter(parts)
    this.tell('list-go', { filter: this.filter })
  }

  readonly #showText = (): void => {
    this.asText = true
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>('input[name=filter]')?.focus())
  }

  async #askWhy(): Promise<void> {
    const [{ askWith }, { ShellWhyListed }] = await Promise.all([
      import('./question-dialog.ts'),
      import('./shell-why-listed.ts'),
    ])
    const { q, asOf } = readListState(location.search, viewById)
    await askWith('shell-why-listed', ShellWhyListed, { meta: this.meta, filter: this.filter, q, asOf })
  }

  readonly #leaveText = (): void => {
    this.asText = false
    if (this.problem) this.tell('list-go', { filter: '' })
  }

  readonly #submitText = (event: SubmitEvent): void => {
    event.preventDefault()
    const text = String(new FormData(event.target as HTMLFormElement).get('filter') ?? '').trim()
    this.asText = false
    this.filter = text
    this.tell('list-go', { filter: text })
  }
}
