import { KitElement, controls, live, t } from '@socle/sdk/ui'
import type { TabItem } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { problemLine } from '../problem-line.ts'
import { router } from '../router.ts'
import { askedOf, eventsHref, eventViews, readHearing } from './event-api.ts'
import type { EventsAsked, EventsView, Hearing } from './event-api.ts'
import { rememberPlugins } from './event-words.ts'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import './shell-deliveries.ts'
import './shell-event-stream.ts'
import './shell-subscribers.ts'

// Deaths come in flocks: a plugin that fails does so at many records.
const gathering = 400
// What waits is delivered without anybody being told of it.
const patience = 5_000

/** What was told, to whom, and what became of it: the stream, what failed or waits, and who hears what. */
export class ShellEvents extends KitElement {
  static override properties = { hearing: { state: true }, asked: { state: true }, problem: { state: true } }
  declare hearing: Hearing | undefined
  declare asked: EventsAsked
  declare problem: string | undefined

  #stop: (() => void)[] = []
  #waiting: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.asked = askedOf(router.url)
    this.#stop = [
      router.onChange((url) => {
        if (url.pathname === '/settings/events') this.asked = askedOf(url)
      }),
      live.on('deliveries.changed', () => this.#loadIn(gathering)),
    ]
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#waiting)
    for (const stop of this.#stop) stop()
  }

  #loadIn(milliseconds: number): void {
    clearTimeout(this.#waiting)
    // A tab that nobody looks at asks nothing.
    this.#waiting = setTimeout(() => (document.hidden ? this.#loadIn(patience) : void this.#load()), milliseconds)
  }

  readonly #load = async (): Promise<void> => {
    try {
      const hearing = await readHearing()
      rememberPlugins(hearing.subscribers)
      this.hearing = hearing
      this.problem = undefined
      if (this.isConnected && hearing.subscribers.some(({ waiting }) => waiting > 0)) this.#loadIn(patience)
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.events'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
    })
  }

  override render() {
    const { asked, hearing } = this
    return html`
      <p class="lead">${t('shell.events.lead')}</p>
      <socle-tabs
        .label=${t('shell.events.views')}
        .current=${asked.view}
        .items=${eventViews.map((it) => this.#tab(it))}
      ></socle-tabs>
      ${problemLine(this.problem)}
      ${hearing ? this.#view(asked, hearing) : this.problem ? nothing : html`<socle-skeleton .lines=${8}></socle-skeleton>`}
    `
  }

  #tab(view: EventsView): TabItem {
    const { asked, hearing } = this
    const { event, record, subscription } = asked
    const failed = hearing?.subscribers.reduce((sum, it) => sum + it.dead, 0)
    return {
      id: view,
      label: t(`shell.events.view.${view}`),
      href: eventsHref({ view, ...(view !== 'subscribers' && { event, record, subscription }) }),
      ...(view === 'failed' && failed && { count: failed }),
    }
  }

  #view(asked: EventsAsked, hearing: Hearing) {
    if (asked.view === 'subscribers')
      return html`<shell-subscribers .hearing=${hearing} @changed=${this.#load}></shell-subscribers>`
    if (asked.view === 'failed')
      return html`<shell-deliveries .hearing=${hearing} .asked=${asked} @changed=${this.#load}></shell-deliveries>`
    return html`<shell-event-stream .hearing=${hearing} .asked=${asked}></shell-event-stream>`
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      socle-tabs {
        margin-block-end: 16px;
      }
    `,
  ]
}

define('shell-events', ShellEvents)
