import { KitElement, ProblemError, controls, format, icon, recordHref, records, resource, t } from '@socle/sdk/ui'
import type { FieldChange, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { define } from '../define.ts'
import { changeStyles, changeTemplate, isTelling } from '../records/field-changes.ts'
import { fieldOf, hasValue, pointsAtRecord } from '../records/resources.ts'
import { titleFor } from '../records/titles.ts'
import type { EventView } from './event-api.ts'

/** Parts of payloads that the platform writes itself, and has words for. */
const known: ReadonlySet<string> = new Set([
  'record',
  'version',
  'changed',
  'merged',
  'merge',
  'subscription',
  'event',
  'name',
  'attempts',
  'error',
])
const uuid = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

/** An event opened: what of its record changed with it, and what it says, in words as far as there are any. */
export class ShellEventPayload extends KitElement {
  static override properties = { event: { attribute: false }, changes: { state: true } }
  declare event: EventView
  /** What the ledger has of the record in the event's change set; absent while it is asked, or not the reader's to see. */
  declare private changes: readonly FieldChange[] | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    const { resource: id, record, changeSet } = this.event
    if (!id || !changeSet || !resource(id)) return
    try {
      const { data: entries } = await records(id).history(record)
      this.changes = entries.filter((it) => it.changeSet === changeSet).flatMap((it) => it.changes)
    } catch (problem) {
      // Of a record that is gone or not theirs the payload says what there is to say.
      if (!(problem instanceof ProblemError)) throw problem
    }
  }

  get #meta(): ResourceMeta | undefined {
    return this.event.resource ? resource(this.event.resource) : undefined
  }

  override render() {
    const { payload, hidden, id } = this.event
    return html`
      ${this.#changed()}
      ${
        payload === null
          ? html`<p class="note">${icon('lock')}${t('shell.events.notYours')}</p>`
          : html`<section aria-labelledby="says">
              <h2 id="says">${t('shell.events.says')}</h2>
              ${this.#parts(payload)}
            </section>`
      }
      ${hidden.length > 0 ? html`<p class="note">${icon('lock')}${t('shell.events.hidden', { list: format.list(hidden.map((it) => this.#label(it))) })}</p>` : nothing}
      <details class="raw">
        <summary>${t('shell.events.raw')}</summary>
        <p class="meta">${t('shell.events.id')} <code>${id}</code></p>
        ${payload === null ? nothing : html`<pre tabindex="0" aria-label=${t('shell.events.says')}>${JSON.stringify(payload, undefined, 2)}</pre>`}
      </details>
    `
  }

  #changed() {
    const meta = this.#meta
    const telling = (this.changes ?? []).filter(
      (it) => meta && isTelling(meta, it) && (hasValue(it.old) || hasValue(it.new)),
    )
    if (!meta || telling.length === 0) return nothing
    const context = { record: undefined, included: {}, arrived: () => this.requestUpdate() }
    return html`<section aria-labelledby="changed">
      <h2 id="changed">${t('shell.events.changed')}</h2>
      <ul>
        ${telling.map((it) => html`<li>${changeTemplate(meta, it, context)}</li>`)}
      </ul>
    </section>`
  }

  #parts(value: unknown): TemplateResult {
    const parts = typeof value === 'object' && value !== null ? Object.entries(value) : [['', value] as const]
    if (parts.length === 0) return html`<p class="meta">${t('shell.events.nothing')}</p>`
    return html`<dl>
      ${parts.map(
        ([name, part]) =>
          html`<div>
            <dt>${this.#label(name)}</dt>
            <dd>${this.#part(name, part)}</dd>
          </div>`,
      )}
    </dl>`
  }

  #part(name: string, value: unknown): unknown {
    if (!hasValue(value)) return html`<span class="meta">${t('shell.audit.empty')}</span>`
    if (Array.isArray(value) && value.every((it) => typeof it !== 'object'))
      return name === 'changed'
        ? format.list(value.map((it) => this.#label(String(it))))
        : value.map((it, at) => html`${at > 0 ? ', ' : ''}${this.#part(name, it)}`)
    if (typeof value === 'object') return this.#parts(value)
    const meta = this.#meta
    const field = meta && fieldOf(meta, name)
    if (typeof value === 'string' && uuid.test(value)) return this.#recordOf(name, value)
    if (field && !pointsAtRecord(field)) return format.value(field, value)
    if (typeof value === 'boolean') return t(value ? 'kit.value.yes' : 'kit.value.no')
    if (typeof value === 'number') return format.number(value)
    if (typeof value === 'string' && instant.test(value)) return format.instant(value)
    return String(value)
  }

  /** An id with what it is called, where its name tells whose it is and its record may be seen. */
  #recordOf(name: string, id: string) {
    const target = this.#targetOf(name)
    const title = target && titleFor(target, id, () => this.requestUpdate())
    const href = target && recordHref(target, id)
    if (!href || title === id) return html`<code>${id}</code>`
    return html`<a class="link" href=${href}>${title ?? '…'}</a>`
  }

  #targetOf(name: string): string | undefined {
    const meta = this.#meta
    if (name === 'record' || name === 'merged') return this.event.resource ?? undefined
    const [plugin] = this.event.name.split('.')
    const target = meta && fieldOf(meta, name)?.target
    return target ?? [`${plugin}.${name}`, `core.${name}`].find((it) => resource(it))
  }

  #label(name: string): string {
    const meta = this.#meta
    // What a record's own events say of it are no fields: its version then, not now.
    if (known.has(name) && (!meta || name !== 'name')) return t(`shell.events.part.${name}`)
    const field = meta && fieldOf(meta, name)
    if (field) return field.label
    const target = this.#targetOf(name)
    return (target && resource(target)?.name.one) ?? name
  }

  static override styles = [
    controls,
    changeStyles,
    css`
      :host {
        display: grid;
        gap: 12px;
        padding: 12px 16px;
        border-radius: var(--socle-radius);
        background: var(--socle-page);
        font: var(--socle-small);
      }
      h2 {
        margin-block-end: 4px;
        font: var(--socle-meta);
        font-weight: 500;
        color: var(--socle-text-3);
      }
      ul {
        display: grid;
        gap: 4px;
      }
      .change .what {
        min-inline-size: 154px;
      }
      dl > div {
        display: grid;
        grid-template-columns: minmax(100px, 148px) minmax(0, 1fr);
        gap: 2px 12px;
        padding-block: 2px;
      }
      dl dl {
        grid-column: 1 / -1;
        padding-inline-start: 12px;
        border-inline-start: 1px solid var(--socle-line);
      }
      dt {
        color: var(--socle-text-2);
        overflow-wrap: anywhere;
      }
      dd {
        overflow-wrap: anywhere;
      }
      .note {
        display: flex;
        gap: 6px;
        color: var(--socle-text-2);
      }
      .note .icon {
        margin-block-start: 1px;
      }
      .raw summary {
        inline-size: max-content;
        color: var(--socle-text-3);
        border-radius: 4px;
        cursor: pointer;
      }
      code,
      pre {
        font:
          12px/16px ui-monospace,
          monospace;
      }
      pre {
        max-block-size: 240px;
        margin: 8px 0 0;
        overflow: auto;
      }
      @media (width < 600px) {
        dl > div {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
        .change .what {
          min-inline-size: 100%;
        }
      }
    `,
  ]
}

define('shell-event-payload', ShellEventPayload)
