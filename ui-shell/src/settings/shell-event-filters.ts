import { KitElement, controls, icon, resource, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { titleFor } from '../records/titles.ts'
import { eventFilters, eventsHref, filterEvents } from './event-api.ts'
import type { EventsAsked, Hearing } from './event-api.ts'
import { happened, pluginTitle, subscriberName } from './event-words.ts'
import { settingsStyles } from './settings-styles.ts'

const uuid = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/i

/** Which events: of one kind, about one record, told to one subscriber. The address keeps it. */
export class ShellEventFilters extends KitElement {
  static override properties = {
    hearing: { attribute: false },
    asked: { attribute: false },
    about: { attribute: false },
    isWrong: { state: true },
  }
  declare hearing: Hearing
  declare asked: EventsAsked
  /** Resource of the record that is asked for, once an event of it was found. */
  declare about: string | undefined
  declare private isWrong: boolean

  override render() {
    const { asked } = this
    return html`
      <div class="filters" role="search" aria-label=${t('shell.events.filters')}>
        <label class="field">
          <span class="label">${t('shell.events.filter.event')}</span>
          <select class="input" @change=${(event: Event) => filterEvents('event', valueOf(event))}>
            <option value="" .selected=${!asked.event}>${t('shell.events.anyEvent')}</option>
            ${this.#kinds()}
          </select>
        </label>
        <label class="field">
          <span class="label">${t('shell.events.filter.subscription')}</span>
          <select class="input" @change=${(event: Event) => filterEvents('subscription', valueOf(event))}>
            <option value="" .selected=${!asked.subscription}>${t('shell.events.anySubscriber')}</option>
            ${this.#subscribers().map((id) => html`<option value=${id} .selected=${id === asked.subscription}>${subscriberName(id)}</option>`)}
          </select>
        </label>
        <div class="field record">
          <label class="label" for="record">${t('shell.events.filter.record')}</label>
          <input
            class="input"
            id="record"
            autocomplete="off"
            spellcheck="false"
            placeholder=${t('shell.events.recordHint')}
            aria-invalid=${this.isWrong ? 'true' : nothing}
            aria-describedby="told"
            .value=${asked.record ?? ''}
            @change=${this.#recordGiven}
          />
          <span id="told" class=${this.isWrong ? 'error' : 'meta'}
            >${this.isWrong ? t('shell.events.recordWrong') : this.#record()}</span
          >
        </div>
        ${
          eventFilters.some((it) => asked[it])
            ? html`<a
                class="button small ghost"
                href=${eventsHref({ view: asked.view, state: asked.state })}
                @click=${() => (this.isWrong = false)}
                >${icon('x')}${t('shell.events.clear')}</a
              >`
            : nothing
        }
      </div>
    `
  }

  /** The kinds that are told here, below the module that tells them; also one that is asked for and told no more. */
  #kinds() {
    const { event } = this.asked
    const names = new Map(this.hearing.kinds.map((it) => [it.name, it.plugin]))
    if (event && !names.has(event)) names.set(event, event.split('.')[0] ?? '')
    return [...Map.groupBy(names, ([, plugin]) => plugin)].map(
      ([plugin, ofPlugin]) => html`
        <optgroup label=${pluginTitle(plugin)}>
          ${ofPlugin
            .map(([name]) => ({ name, words: happened(name) }))
            .toSorted((a, b) => a.words.localeCompare(b.words))
            .map(({ name, words }) => html`<option value=${name} .selected=${name === event}>${words}</option>`)}
        </optgroup>
      `,
    )
  }

  #subscribers(): readonly string[] {
    const { subscription } = this.asked
    const ids = this.hearing.subscribers.map(({ id }) => id)
    return subscription && !ids.includes(subscription) ? [...ids, subscription] : ids
  }

  #record() {
    const { record } = this.asked
    if (!record || !this.about) return ''
    const title = titleFor(this.about, record, () => this.requestUpdate())
    return title === undefined || title === record ? '' : `${resource(this.about)?.name.one ?? ''} · ${title}`
  }

  /** An id, or the address of a record's page with one in it. */
  readonly #recordGiven = (event: Event): void => {
    const typed = valueOf(event).trim()
    const found = uuid.exec(typed)?.[0]
    this.isWrong = typed !== '' && !found
    if (!this.isWrong) filterEvents('record', found?.toLowerCase() ?? '')
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .filters {
        display: flex;
        flex-wrap: wrap;
        align-items: start;
        gap: 8px 12px;
        margin-block-end: 16px;
      }
      .filters .field {
        flex: 0 1 210px;
        gap: 4px;
      }
      .filters .record {
        flex-basis: 300px;
      }
      .filters .button {
        margin-block-start: 24px;
      }
      #told:empty {
        display: none;
      }
      @media (width < 600px) {
        .filters .field {
          flex: 1 1 calc(50% - 12px);
        }
        .filters .record {
          flex-basis: 100%;
        }
        .filters .button {
          margin-block-start: 0;
        }
      }
    `,
  ]
}

function valueOf({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value
}

define('shell-event-filters', ShellEventFilters)
