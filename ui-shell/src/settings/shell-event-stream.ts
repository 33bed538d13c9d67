import { KitElement, api, controls, icon, recordHref, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import { titleFor } from '../records/titles.ts'
import { eventFilters, eventQuery, eventsHref } from './event-api.ts'
import type { EventPage, EventsAsked, Hearing, ToldEvent } from './event-api.ts'
import { eventStyles } from './event-styles.ts'
import { deliveryPill, eventIcon, eventMeta, happened, subscriberName } from './event-words.ts'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import './shell-event-filters.ts'
import './shell-event-payload.ts'

/** What was told, newest first, to whom, and what became of it there. */
export class ShellEventStream extends KitElement {
  static override properties = {
    hearing: { attribute: false },
    asked: { attribute: false },
    events: { state: true },
    next: { state: true },
    problem: { state: true },
    isLoading: { state: true },
  }
  declare hearing: Hearing
  declare asked: EventsAsked
  declare private events: readonly ToldEvent[] | undefined
  declare private next: string | null
  declare private problem: string | undefined
  declare private isLoading: boolean

  /** Events that were opened once. */
  readonly #seen = new Set<string>()
  #query = ''

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('asked') || this.#query === eventQuery(this.asked)) return
    this.#query = eventQuery(this.asked)
    this.events = undefined
    void this.#load()
  }

  async #load(after?: string): Promise<void> {
    const query = this.#query
    this.isLoading = true
    try {
      const answer = await api.get<EventPage<ToldEvent>>(
        `/api/core/events?${eventQuery(this.asked, after ? { after } : {})}`,
      )
      // Another filter was chosen meanwhile.
      if (query !== this.#query) return
      this.events = after ? [...(this.events ?? []), ...answer.data] : answer.data
      this.next = answer.page.next
      this.problem = undefined
    } catch (problem) {
      if (query === this.#query) this.problem = sentenceOf(problem)
    } finally {
      if (query === this.#query) this.isLoading = false
    }
  }

  override render() {
    const { events } = this
    return html`
      <shell-event-filters
        .hearing=${this.hearing}
        .asked=${this.asked}
        .about=${events?.find((it) => it.record === this.asked.record)?.resource ?? undefined}
      ></shell-event-filters>
      ${
        this.problem
          ? html`<p class="problem" role="alert">
              ${icon('circle-alert')}<span class="grow">${this.problem}</span>
              <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
            </p>`
          : nothing
      }
      ${events ? this.#list(events) : this.problem ? nothing : html`<socle-skeleton .lines=${8}></socle-skeleton>`}
      ${
        this.next
          ? html`<p class="more">
              <button
                class="button"
                aria-disabled=${this.isLoading ? 'true' : nothing}
                @click=${() => void (this.isLoading ? undefined : this.#load(this.next ?? undefined))}
              >
                ${t('shell.events.older')}
              </button>
            </p>`
          : nothing
      }
    `
  }

  #list(events: readonly ToldEvent[]) {
    if (events.length === 0) {
      const isFiltered = eventFilters.some((it) => this.asked[it])
      return html`<socle-empty
        icon="activity"
        heading=${t('shell.events.none')}
        text=${t(isFiltered ? 'shell.events.noneFiltered' : 'shell.events.noneText')}
      >
        ${isFiltered ? html`<a slot="actions" class="button" href=${eventsHref({})}>${t('shell.events.clear')}</a>` : nothing}
      </socle-empty>`
    }
    return html`
      <ol class="rows" aria-label=${t('shell.events.view.stream')}>
        ${repeat(
          events,
          (it) => it.id,
          (it) => this.#event(it),
        )}
      </ol>
    `
  }

  #event(event: ToldEvent) {
    return html`
      <li>
        <details @toggle=${() => this.#opened(event)}>
          <summary>
            ${icon('chevron-right')}<span class="sign">${eventIcon(event)}</span>
            <span class="grow">
              <span class="name">${happened(event.name)}</span>
              <span class="meta">${eventMeta(event)}</span>
            </span>
          </summary>
          ${this.#seen.has(event.id) ? html`<shell-event-payload .event=${event}></shell-event-payload>` : nothing}
        </details>
        <p class="facts">${this.#record(event)} ${this.#told(event)}</p>
      </li>
    `
  }

  #record({ resource: id, record }: ToldEvent) {
    const href = id && recordHref(id, record)
    if (!id || !href) return nothing
    const title = titleFor(id, record, () => this.requestUpdate())
    return html`<a class="link" href=${href}>${title ?? '…'}</a>`
  }

  #told({ told }: ToldEvent) {
    if (told.length === 0) return html`<span class="meta">${t('shell.events.unheard')}</span>`
    return told.map(
      ({ subscription, state }) =>
        html`<span class="told">${subscriberName(subscription)} ${deliveryPill(state)}</span>`,
    )
  }

  /** What nobody opened asks nothing. */
  #opened(event: ToldEvent): void {
    if (this.#seen.has(event.id)) return
    this.#seen.add(event.id)
    this.requestUpdate()
  }

  static override styles = [controls, settingsStyles, eventStyles]
}

define('shell-event-stream', ShellEventStream)
