import { KitElement, announce, api, controls, format, icon, may, navigate, recordHref, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import { askWith } from '../records/question-dialog.ts'
import { titleFor } from '../records/titles.ts'
import { shortcuts } from '../shortcuts.ts'
import type { Shortcut } from '../shortcuts.ts'
import { eventFilters, eventQuery, eventsHref, openStates } from './event-api.ts'
import type { Delivery, EventPage, EventsAsked, Hearing, OpenState, Subscriber } from './event-api.ts'
import { eventStyles } from './event-styles.ts'
import { counted, deliveryPill, eventIcon, eventMeta, happened, subscriberName } from './event-words.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import './shell-event-filters.ts'
import './shell-event-payload.ts'
import { ShellSkipDialog } from './shell-skip-dialog.ts'

/**
 * Deliveries that failed for good, are blocked behind one that did, held or waiting; with the ways to mend them.
 *
 * @fires changed - something was redriven or skipped
 */
export class ShellDeliveries extends KitElement {
  static override properties = {
    hearing: { attribute: false },
    asked: { attribute: false },
    deliveries: { state: true },
    next: { state: true },
    problem: { state: true },
    isLoading: { state: true },
    hasNews: { state: true },
    busy: { state: true },
  }
  declare hearing: Hearing
  declare asked: EventsAsked
  declare private deliveries: readonly Delivery[] | undefined
  declare private next: string | null
  declare private problem: string | undefined
  declare private isLoading: boolean
  /** More are there than when the list was read: rows under the cursor stay where they are until somebody asks. */
  declare private hasNews: boolean
  /** Of the letter, or the subscriber, that is being redriven. */
  declare private busy: string | undefined

  /** Deliveries that were opened once. */
  readonly #seen = new Set<string>()
  #query = ''
  #counted = 0
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = shortcuts.add(this.#keys())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  get #path(): string {
    return `/api/core/events/deliveries?${eventQuery(this.asked, { state: this.asked.state })}`
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('asked') && this.#query !== this.#path) {
      this.#query = this.#path
      this.deliveries = undefined
      void this.#load()
    } else if (changed.has('hearing')) {
      const now = this.#count(this.asked.state)
      this.hasNews ||= now > this.#counted
      this.#counted = Math.min(this.#counted, now)
    }
  }

  async #load(after?: string): Promise<void> {
    const query = this.#query
    this.isLoading = true
    try {
      const answer = await api.get<EventPage<Delivery>>(after ? `${query}&after=${encodeURIComponent(after)}` : query)
      // Another state or filter was chosen meanwhile.
      if (query !== this.#query) return
      this.deliveries = after ? [...(this.deliveries ?? []), ...answer.data] : answer.data
      this.next = answer.page.next
      this.problem = undefined
      if (after) return
      this.hasNews = false
      this.#counted = this.#count(this.asked.state)
    } catch (problem) {
      if (query === this.#query) this.problem = sentenceOf(problem)
    } finally {
      if (query === this.#query) this.isLoading = false
    }
  }

  get #subscribers(): readonly Subscriber[] {
    const { subscription } = this.asked
    return this.hearing.subscribers.filter(({ id }) => !subscription || id === subscription)
  }

  #count(state: OpenState): number {
    return this.#subscribers.reduce((sum, it) => sum + it[state], 0)
  }

  override render() {
    const { asked, deliveries } = this
    const about = deliveries?.find(({ event }) => event.record === asked.record)?.event.resource
    return html`
      <div class="states">
        <socle-tabs
          .label=${t('shell.events.states')}
          .current=${asked.state}
          .items=${openStates.map((state) => ({
            id: state,
            label: t(`shell.events.states.${state}`),
            count: this.#count(state),
            href: eventsHref({ ...asked, state }),
          }))}
        ></socle-tabs>
        <button
          class="button small ${this.hasNews ? 'on' : ''}"
          aria-disabled=${this.isLoading ? 'true' : nothing}
          @click=${() => void this.#refresh()}
        >
          ${icon('refresh-cw')}${t(this.hasNews ? 'shell.events.refreshNew' : 'shell.events.refresh')}
        </button>
      </div>
      <shell-event-filters .hearing=${this.hearing} .asked=${asked} .about=${about ?? undefined}></shell-event-filters>
      ${
        this.problem
          ? html`<p class="problem" role="alert">
              ${icon('circle-alert')}<span class="grow">${this.problem}</span>
              <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
            </p>`
          : nothing
      }
      ${this.#allOfOne()}
      ${deliveries ? this.#list(deliveries) : this.problem ? nothing : html`<socle-skeleton .lines=${6}></socle-skeleton>`}
      ${
        this.next
          ? html`<p class="more">
              <button
                class="button"
                aria-disabled=${this.isLoading ? 'true' : nothing}
                @click=${() => void (this.isLoading ? undefined : this.#load(this.next ?? undefined))}
              >
                ${t('shell.events.more')}
              </button>
            </p>`
          : nothing
      }
    `
  }

  async #refresh(): Promise<void> {
    if (this.isLoading) return
    this.#tellChanged()
    await this.#load()
  }

  /** Whoever mended a subscriber sends all of its dead letters on their way at once. */
  #allOfOne() {
    const { state, event, record } = this.asked
    const failing = this.#subscribers.filter(({ dead }) => dead > 1)
    if (state !== 'dead' || event || record || failing.length === 0 || !may('core.event.redrive')) return nothing
    return html`<ul class="rows all" aria-label=${t('shell.events.bySubscriber')}>
      ${failing.map(
        ({ id, dead }) =>
          html`<li>
            <span class="grow"
              ><span class="name">${subscriberName(id)}</span
              ><span class="meta">${t('shell.events.deadOf', { count: dead, counted: counted(dead) })}</span></span
            >
            <button
              class="button small"
              aria-disabled=${this.busy ? 'true' : nothing}
              @click=${() => void this.#redrive({ subscription: id })}
            >
              ${icon('rotate-ccw')}${t('shell.events.redriveAll')}
            </button>
          </li>`,
      )}
    </ul>`
  }

  #list(deliveries: readonly Delivery[]) {
    const { state } = this.asked
    if (deliveries.length === 0) {
      const isFiltered = eventFilters.some((it) => this.asked[it])
      const isAll = !isFiltered && openStates.every((it) => this.#count(it) === 0)
      return html`<socle-empty
        icon="circle-check"
        heading=${t(isAll ? 'shell.events.allDelivered' : `shell.events.noneIn.${state}`)}
        text=${t(isFiltered ? 'shell.events.noneFiltered' : `shell.events.stateText.${state}`)}
      >
        ${isFiltered ? html`<a slot="actions" class="button" href=${eventsHref({ view: 'failed', state })}>${t('shell.events.clear')}</a>` : nothing}
      </socle-empty>`
    }
    return html`
      <p class="meta hint">${t(`shell.events.stateText.${state}`)}</p>
      <ol class="rows" aria-label=${t(`shell.events.states.${state}`)} @keydown=${this.#arrows}>
        ${repeat(deliveries, keyOf, (it) => this.#delivery(it))}
      </ol>
    `
  }

  #delivery(it: Delivery) {
    const { event } = it
    const key = keyOf(it)
    return html`
      <li data-key=${key}>
        <details @toggle=${() => this.#opened(key)}>
          <summary>
            ${icon('chevron-right')}<span class="sign">${eventIcon(event)}</span>
            <span class="grow">
              <span class="name">${happened(event.name)}</span>
              <span class="meta">${eventMeta(event)}</span>
            </span>
            ${deliveryPill(it.state)}
          </summary>
          ${this.#seen.has(key) ? html`<shell-event-payload .event=${event}></shell-event-payload>` : nothing}
        </details>
        <p class="facts">
          ${this.#record(it)}<span>${subscriberName(it.subscription)}</span>
          ${it.attempts > 0 ? html`<span>${t('shell.events.attempts', { count: it.attempts })}</span>` : nothing}
          ${
            it.dueAt && it.state === 'waiting'
              ? html`<span title=${format.instant(it.dueAt)}
                  >${t('shell.events.nextTry', { time: format.relative(it.dueAt) })}</span
                >`
              : nothing
          }
          ${it.behind > 0 ? html`<strong>${t('shell.events.behind', { count: it.behind, counted: counted(it.behind) })}</strong>` : nothing}
          ${it.state === 'dead' && !it.blocks ? html`<span>${t('shell.events.goesOn')}</span>` : nothing}
          ${
            it.waitsFor
              ? html`<a
                  class="link"
                  href=${eventsHref({ view: 'failed', state: 'dead', subscription: it.subscription, record: event.record })}
                  >${t('shell.events.waitsFor')}</a
                >`
              : nothing
          }
        </p>
        ${this.#fault(it)} ${it.state === 'dead' ? this.#acts(it) : nothing}
      </li>
    `
  }

  #record({ event: { resource: id, record } }: Delivery) {
    const href = id && recordHref(id, record)
    if (!id || !href) return nothing
    const title = titleFor(id, record, () => this.requestUpdate())
    return html`<a class="link" href=${href}>${title ?? '…'}</a>`
  }

  /** What went wrong as the platform keeps it: a code, a sentence without values, and a place in the module's code. */
  #fault({ lastError, attempts }: Delivery) {
    if (attempts === 0) return nothing
    if (!lastError) return html`<p class="fault">${icon('lock')}<span>${t('shell.events.faultHidden')}</span></p>`
    const [, what = '', place] = /^(.*?)(?: at (\S+:\d+))?$/s.exec(lastError) ?? []
    return html`<p class="fault">
      ${icon('triangle-alert')}<span>${what}${place ? html` <code>${place}</code>` : nothing}</span>
    </p>`
  }

  #acts(it: Delivery) {
    if (!may('core.event.redrive') && !may('core.event.skip')) return nothing
    const isBusy = this.busy !== undefined
    return html`<p class="acts">
      ${
        may('core.event.redrive')
          ? html`<button
              class="button small"
              aria-disabled=${isBusy ? 'true' : nothing}
              @click=${() => void this.#redrive(it)}
            >
              ${icon('rotate-ccw')}${t('shell.events.redrive')}
            </button>`
          : nothing
      }
      ${
        may('core.event.skip')
          ? html`<button class="button small ghost" @click=${() => void this.#skip(it)}>
              ${icon('circle-slash')}${t('shell.events.skip')}
            </button>`
          : nothing
      }
    </p>`
  }

  /** What nobody opened asks nothing. */
  #opened(key: string): void {
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.requestUpdate()
  }

  async #redrive(what: Delivery | { readonly subscription: string }): Promise<void> {
    if (this.busy) return
    const one = 'event' in what ? what : undefined
    const { subscription } = what
    this.busy = one ? keyOf(one) : subscription
    try {
      const { data } = await api.post<{ data: { redriven: number; left: number } }>('/api/core/events/redrive', {
        subscription,
        ...(one && { event: one.event.id }),
      })
      const text = one
        ? t('shell.events.redriven', { behind: one.behind })
        : t('shell.events.redrivenAll', { count: data.redriven, left: data.left })
      const href = one ? eventsHref({ record: one.event.record }) : eventsHref({ subscription })
      toast({ text, tone: 'success', action: { label: t('shell.events.look'), run: () => navigate(href) } })
      await this.#gone((it) => (one ? it === one : it.subscription === subscription))
    } catch (problem) {
      tellProblem(problem)
    } finally {
      this.busy = undefined
    }
  }

  async #skip(letter: Delivery): Promise<void> {
    const { event, subscription, behind } = letter
    const freed = await askWith('shell-skip-dialog', ShellSkipDialog, {
      what: happened(event.name),
      who: subscriberName(subscription),
      behind,
      skip: async (reason) => {
        const body = { subscription, event: event.id, reason }
        return (await api.post<{ data: { freed: number } }>('/api/core/events/skip', body)).data.freed
      },
    })
    if (freed === undefined) return
    toast({ text: t('shell.events.skipped', { count: freed }), tone: 'success' })
    await this.#gone((it) => it === letter)
  }

  /** Takes rows away, and the keyboard to what stands in their place. */
  async #gone(isGone: (it: Delivery) => boolean): Promise<void> {
    const all = this.deliveries ?? []
    const at = all.findIndex(isGone)
    this.deliveries = all.filter((it) => !isGone(it))
    this.#tellChanged()
    if (this.deliveries.length === 0) await this.#load()
    await this.updateComplete
    this.#focus(Math.min(at, this.#rows.length - 1))
  }

  #tellChanged(): void {
    this.dispatchEvent(new CustomEvent('changed'))
  }

  get #rows(): readonly HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('ol > li')]
  }

  #focus(at: number): void {
    this.#rows[at]?.querySelector('summary')?.focus()
  }

  /** Row the keyboard is on, -1 where it is elsewhere. */
  get #at(): number {
    const { activeElement } = this.renderRoot as ShadowRoot
    return this.#rows.findIndex((it) => it.contains(activeElement))
  }

  #move(by: number): void {
    const rows = this.#rows
    if (rows.length === 0) return
    this.#focus(Math.max(0, Math.min(rows.length - 1, this.#at + by)))
  }

  #keys(): readonly Shortcut[] {
    const key = (keys: string, title: string, run: () => void): Shortcut => ({ keys, title, group: 'screen', run })
    return [
      key('j', t('shell.events.keys.next'), () => this.#move(1)),
      key('k', t('shell.events.keys.previous'), () => this.#move(-1)),
      key('r', t('shell.events.keys.redrive'), () => this.#redriveFocused()),
    ]
  }

  #redriveFocused(): void {
    const letter = this.deliveries?.[this.#at]
    if (letter?.state === 'dead' && may('core.event.redrive')) void this.#redrive(letter)
    else announce(t('shell.events.nothingToRedrive'))
  }

  readonly #arrows = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by === undefined || !(event.target as HTMLElement).matches('summary')) return
    event.preventDefault()
    this.#move(by)
  }

  static override styles = [
    controls,
    settingsStyles,
    eventStyles,
    css`
      .states {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 8px;
        margin-block-end: 16px;
      }
      .hint {
        margin-block-end: 8px;
      }
      .all {
        margin-block-end: 16px;
      }
      .all > li {
        display: flex;
      }
      .fault {
        display: flex;
        gap: 6px;
        margin-inline-start: 60px;
        font: var(--socle-small);
        color: var(--socle-text-2);
        overflow-wrap: anywhere;
      }
      .fault .icon {
        inline-size: 14px;
        block-size: 14px;
        margin-block-start: 2px;
      }
      code {
        font:
          12px/16px ui-monospace,
          monospace;
      }
      .facts strong {
        font-weight: 500;
        color: var(--socle-text);
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
        margin-block-start: 4px;
        margin-inline-start: 60px;
      }
      @media (width < 600px) {
        .fault,
        .acts {
          margin-inline-start: 34px;
        }
      }
    `,
  ]
}

function keyOf({ event, subscription }: Delivery): string {
  return `${event.id} ${subscription}`
}

define('shell-deliveries', ShellDeliveries)
