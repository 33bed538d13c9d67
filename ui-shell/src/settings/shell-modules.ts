import {
  KitElement,
  ProblemError,
  announce,
  api,
  controls,
  format,
  hasIcon,
  icon,
  may,
  pill,
  t,
  toast,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { session } from '../session-doc.ts'
import { everything, sentenceOf } from './settings-api.ts'
import type { Breaks, PluginCard } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellBreaks } from './shell-breaks.ts'
import { followJob } from '../follow-job.ts'
import { ShellModuleArchives } from './shell-module-archives.ts'
import './shell-module-install.ts'
import { ShellModuleRemoval } from './shell-module-removal.ts'
import { ShellModuleSettings } from './shell-module-settings.ts'

define('shell-breaks', ShellBreaks)
define('shell-module-archives', ShellModuleArchives)
define('shell-module-removal', ShellModuleRemoval)
define('shell-module-settings', ShellModuleSettings)

/** What the server does with a module meanwhile. */
interface Work {
  readonly state: string
  readonly progress: number
  readonly total: number | null
  readonly result: {
    readonly mode?: string
    readonly troubles?: readonly string[]
    readonly rows?: number
    readonly left?: number
  } | null
  readonly error: { readonly detail: string } | null
}

/** What this workspace may do: a card and a switch for every installed module. */
export class ShellModules extends KitElement {
  static override properties = {
    cards: { state: true },
    problem: { state: true },
    busy: { state: true },
    asking: { state: true },
    setting: { state: true },
    removing: { state: true },
    works: { state: true },
  }
  declare cards: readonly PluginCard[] | undefined
  declare problem: string | undefined
  declare busy: string | undefined
  /** The module about to be switched off, with what that breaks. */
  declare asking: { readonly card: PluginCard; readonly breaks: Breaks } | undefined

  /** The module whose settings are open. */
  declare setting: PluginCard | undefined

  /** The module about to be taken away, or its data here. */
  declare removing: { readonly card: PluginCard; readonly here: boolean } | undefined

  /** What is under way, by module. */
  declare works: ReadonlyMap<string, Work>

  readonly #followed = new Set<string>()
  #gone = new AbortController()

  constructor() {
    super()
    this.works = new Map()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#gone = new AbortController()
    void this.#load()
  }

  override disconnectedCallback(): void {
    this.#gone.abort()
    super.disconnectedCallback()
  }

  async #load(): Promise<void> {
    try {
      this.cards = await everything<PluginCard>('/api/core/plugins')
      this.problem = undefined
      // Begun here before, in another tab or by somebody else: it is shown all the same.
      for (const { id, title, removal } of this.cards) if (removal) void this.#follow(id, title, removal.job)
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    const cards = this.cards
    const on = cards?.filter((it) => it.state === 'enabled').length ?? 0
    const installed = cards?.filter((it) => it.state !== 'available').length ?? 0
    setPage(this, {
      title: t('shell.settings.modules'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(cards && { count: t('shell.modules.count', { on, all: installed }) }),
    })
  }

  override render() {
    const { asking } = this
    return html`
      <p class="lead">${t('shell.modules.lead')}</p>
      ${
        this.problem
          ? html`<p class="problem" role="alert">
              ${icon('circle-alert')}<span class="grow">${this.problem}</span>
              <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
            </p>`
          : nothing
      }
      ${
        may('core.plugin.install') || may('core.plugin.upgrade')
          ? html`<shell-module-install
              @module-installed=${() => void Promise.all([session.load(), this.#load()])}
            ></shell-module-install>`
          : nothing
      }
      ${this.cards ? this.#list(this.cards) : this.problem ? nothing : html`<socle-skeleton .lines=${6}></socle-skeleton>`}
      ${
        asking
          ? html`
              <shell-breaks
                .card=${asking.card}
                .breaks=${asking.breaks}
                @keep=${() => (this.asking = undefined)}
                @switch-off=${(event: CustomEvent<{ cascade: boolean }>) => void this.#disable(asking.card, event.detail.cascade)}
              ></shell-breaks>
            `
          : nothing
      }
      ${
        this.setting
          ? html`<shell-module-settings
              .card=${this.setting}
              @close=${() => (this.setting = undefined)}
            ></shell-module-settings>`
          : nothing
      }
      ${
        may('core.plugin.uninstall')
          ? html`<shell-module-archives
              @changed=${() => void this.#refresh()}
              @begun=${({ detail }: CustomEvent<{ plugin: string; title: string; job: string }>) =>
                void this.#follow(detail.plugin, detail.title, detail.job)}
            ></shell-module-archives>`
          : nothing
      }
      ${
        this.removing
          ? html`<shell-module-removal
              .card=${this.removing.card}
              .here=${this.removing.here}
              @close=${() => (this.removing = undefined)}
              @begun=${(event: CustomEvent<string>) => this.#begun(event.detail)}
            ></shell-module-removal>`
          : nothing
      }
    `
  }

  #list(cards: readonly PluginCard[]) {
    if (cards.length === 0) {
      return html`<socle-empty
        icon="plug"
        heading=${t('shell.modules.none')}
        text=${t('shell.modules.noneText')}
      ></socle-empty>`
    }
    return html`
      <ul class="cards" @keydown=${this.#onKey}>
        ${repeat(
          cards,
          (it) => it.id,
          (it) => this.#card(it),
        )}
      </ul>
    `
  }

  #card(card: PluginCard) {
    if (card.state === 'available' || card.state === 'removing') return this.#absent(card)
    const isOn = card.state === 'enabled' || card.state === 'asleep'
    const isStuck = !card.loaded && !isOn
    const isBusy = this.busy === card.id
    const mayToggle = may('core.plugin.toggle')
    return html`
      <li class="card">
        <div class="head">
          <span class="mark">${icon(card.icon && hasIcon(card.icon) ? card.icon : 'puzzle')}</span>
          <div class="grow">
            <h2 id="m-${card.id}">${card.title}</h2>
            ${card.version ? html`<p class="meta">${t('shell.modules.version', { version: card.version })}</p>` : nothing}
          </div>
          ${statePill(card)}
          <button
            class="switch"
            role="switch"
            aria-checked=${isOn}
            aria-labelledby="m-${card.id}"
            aria-busy=${isBusy}
            aria-disabled=${!mayToggle || isBusy || isStuck ? 'true' : nothing}
            title=${switchTitle(card, { mayToggle, isOn, isStuck })}
            @click=${() => void this.#toggle(card)}
          ></button>
        </div>
        ${card.description ? html`<p class="about">${card.description}</p>` : nothing}
        ${brought(card) ? html`<p class="meta">${brought(card)}</p>` : nothing}
        ${
          card.requires?.length
            ? html`<p class="meta">
                ${t('shell.modules.requires', { list: format.list(card.requires.map((it) => it.title)) })}
              </p>`
            : nothing
        }
        ${
          card.waitsFor?.length
            ? html`<p class="meta">${t('shell.modules.waitsFor', { list: format.list(card.waitsFor) })}</p>`
            : nothing
        }
        ${this.#actions(card, isOn)} ${this.#progress(card)}
        ${
          card.state === 'quarantined'
            ? html`<p class="problem">
                ${icon('circle-alert')}
                <span class="grow">${card.reason ?? t('shell.modules.quarantined')}</span>
                ${
                  mayToggle
                    ? html`<button
                        class="button small"
                        aria-disabled=${isBusy ? 'true' : nothing}
                        @click=${() => void (card.loaded ? this.#enable(card) : this.#retry(card))}
                      >
                        ${card.loaded ? t('shell.modules.backOn') : t('shell.modules.retry')}
                      </button>`
                    : nothing
                }
                ${
                  mayToggle && !card.off
                    ? html`<button
                        class="button small"
                        aria-disabled=${isBusy ? 'true' : nothing}
                        @click=${() => void this.#askOff(card)}
                      >
                        ${t('shell.breaks.off')}
                      </button>`
                    : nothing
                }
              </p>`
            : nothing
        }
        ${card.state === 'asleep' ? html`<p class="meta">${t('shell.modules.asleepText')}</p>` : nothing}
        ${
          card.incident
            ? html`<p class="meta incident">
                ${t('shell.modules.incident', {
                  count: card.incident.count ?? 1,
                  time: format.relative(card.incident.at),
                })}
                ${card.incident.message === card.reason ? nothing : html`<span>${card.incident.message}</span>`}
                ${card.incident.stackLine ? html`<code>${card.incident.stackLine}</code>` : nothing}
              </p>`
            : nothing
        }
      </li>
    `
  }

  #actions(card: PluginCard, isOn: boolean) {
    const { title } = card
    const settings = card.settings && isOn && may('core.plugin.configure')
    const mayRemove = may('core.plugin.uninstall') && !this.works.has(card.id)
    if (!settings && !mayRemove) return nothing
    return html`
      <p class="actions">
        ${
          settings
            ? html`<button
                class="button small"
                aria-label=${t('shell.modules.settingsOf', { title })}
                @click=${() => (this.setting = card)}
              >
                ${icon('settings')}${t('shell.modules.settings')}
              </button>`
            : nothing
        }
        ${
          mayRemove && card.state === 'disabled'
            ? html`<button
                class="button small"
                aria-label=${t('shell.removal.openHereOf', { title })}
                @click=${() => (this.removing = { card, here: true })}
              >
                ${t('shell.removal.openHere')}
              </button>`
            : nothing
        }
        ${
          mayRemove
            ? html`<button
                class="button small"
                aria-label=${t('shell.removal.openOf', { title })}
                @click=${() => (this.removing = { card, here: false })}
              >
                ${t('shell.removal.open')}
              </button>`
            : nothing
        }
      </p>
    `
  }

  /** How far what the server does with it is. */
  #progress(card: PluginCard) {
    const work = this.works.get(card.id)
    if (!work) return nothing
    const text = t('shell.removal.underWay', {
      title: card.title,
      percent: format.number(work.total ? work.progress / work.total : 0, { style: 'percent' }),
    })
    return html`<p class="meta" role="status">${text}</p>
      <progress max=${work.total ?? 1} value=${work.total ? work.progress : nothing} aria-label=${text}></progress>`
  }

  /** One that was removed, or is on its way. */
  #absent(card: PluginCard) {
    const isGone = card.state === 'available'
    const isBusy = this.busy === card.id
    return html`
      <li class="card">
        <div class="head">
          <span class="mark absent">${icon(card.icon && hasIcon(card.icon) ? card.icon : 'puzzle')}</span>
          <div class="grow"><h2>${card.title}</h2></div>
          ${isGone ? pill(t('shell.modules.available'), 'neutral', 'minus') : pill(t('shell.modules.removing'), 'warning', 'clock')}
        </div>
        ${card.description ? html`<p class="about">${card.description}</p>` : nothing}
        ${
          isGone && may('core.plugin.install')
            ? html`<p class="actions">
                <button
                  class="button small"
                  aria-label=${t('shell.modules.installAgainOf', { title: card.title })}
                  aria-busy=${isBusy}
                  aria-disabled=${isBusy ? 'true' : nothing}
                  @click=${() => void this.#install(card)}
                >
                  ${t('shell.modules.installAgain')}
                </button>
              </p>`
            : nothing
        }
        ${this.#progress(card)}
      </li>
    `
  }

  async #install(card: PluginCard): Promise<void> {
    if (this.busy) return
    this.busy = card.id
    try {
      const { data } = await api.post<{ data: { version: string } }>(`/api/core/plugins/${card.id}/install`, {})
      await this.#changed(t('shell.modules.installed', { title: card.title, version: data.version }))
      await this.#archives?.load()
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.busy = undefined
    }
  }

  get #archives(): ShellModuleArchives | null {
    return this.renderRoot.querySelector('shell-module-archives')
  }

  async #refresh(): Promise<void> {
    await Promise.all([session.load(), this.#load(), this.#archives?.load()])
  }

  #begun(job: string): void {
    const { removing } = this
    this.removing = undefined
    if (removing) void this.#follow(removing.card.id, removing.card.title, job)
  }

  /** Shows how far it is until it has ended, then what came of it. */
  async #follow(id: string, title: string, job: string): Promise<void> {
    if (this.#followed.has(job)) return
    this.#followed.add(job)
    const read = async () => {
      const { data } = await api.get<{ data: Work }>(`/api/core/jobs/${job}`)
      this.works = new Map(this.works).set(id, data)
      return data
    }
    try {
      await read()
      const ended = await followJob(read, { every: 500, signal: this.#gone.signal })
      if (!ended) return
      this.works = new Map([...this.works].filter(([of]) => of !== id))
      await this.#refresh()
      this.#tellEnd(title, ended)
    } catch (problem) {
      this.works = new Map([...this.works].filter(([of]) => of !== id))
      // Somebody else's work may be nobody's to see.
      if (!(problem instanceof ProblemError && problem.status === 404)) this.#tell(problem)
    } finally {
      this.#followed.delete(job)
    }
  }

  #tellEnd(title: string, { state, result, error }: Work): void {
    if (state !== 'done' || !result) {
      const text = error?.detail ?? t('shell.removal.stopped', { title })
      announce(text, 'assertive')
      toast({ text, tone: 'danger' })
      return
    }
    const { mode, troubles = [], rows = 0, left = 0 } = result
    const done =
      mode === undefined ? t('shell.archives.done', { title, rows, left }) : t(`shell.removal.done.${mode}`, { title })
    toast({ text: done, tone: left > 0 ? 'warning' : 'success' })
    if (troubles.length > 0)
      toast({ text: t('shell.removal.troubles', { title, list: format.list([...troubles]) }), tone: 'warning' })
  }

  /** Arrows go from switch to switch, across and down alike; Space is the switch's own. */
  readonly #onKey = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    const switches = [...this.renderRoot.querySelectorAll<HTMLElement>('.switch')]
    const at = switches.findIndex((it) => it === event.target)
    if (step === undefined || at < 0) return
    event.preventDefault()
    switches[(at + step + switches.length) % switches.length]?.focus()
  }

  async #toggle(card: PluginCard): Promise<void> {
    const isOff = card.state === 'disabled' || card.state === 'quarantined'
    if (this.busy || !may('core.plugin.toggle') || (isOff && !card.loaded)) return
    if (isOff) return await this.#enable(card)
    await this.#askOff(card)
  }

  /** Says what goes with it before anything does. */
  async #askOff(card: PluginCard): Promise<void> {
    if (this.busy) return
    this.busy = card.id
    try {
      const { data } = await api.get<{ data: Breaks }>(`/api/core/plugins/${card.id}/what-breaks`)
      this.asking = { card, breaks: data }
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.busy = undefined
    }
  }

  async #enable(card: PluginCard): Promise<void> {
    this.busy = card.id
    try {
      await api.post(`/api/core/plugins/${card.id}/enable`, {})
      await this.#changed(t('shell.modules.isOn', { title: card.title }))
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.busy = undefined
    }
  }

  /** Tries again what did not start with the platform. */
  async #retry(card: PluginCard): Promise<void> {
    if (this.busy) return
    this.busy = card.id
    try {
      const { data } = await api.post<{ data: PluginCard }>(`/api/core/plugins/${card.id}/retry`, {})
      await this.#changed(t('shell.modules.runsAgain', { title: data.title }))
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.busy = undefined
    }
  }

  async #disable(card: PluginCard, cascade: boolean): Promise<void> {
    this.asking = undefined
    this.busy = card.id
    try {
      await api.post(`/api/core/plugins/${card.id}/disable`, { cascade })
      await this.#changed(t('shell.modules.isOff', { title: card.title }), {
        label: t('shell.modules.backOn'),
        run: () => this.#enable(card),
      })
    } catch (problem) {
      this.#tell(problem)
    } finally {
      this.busy = undefined
    }
  }

  async #changed(text: string, action?: { label: string; run: () => unknown }): Promise<void> {
    await Promise.all([session.load(), this.#load()])
    toast({ text, tone: 'success', ...(action && { action }) })
  }

  #tell(problem: unknown): void {
    const text = sentenceOf(problem)
    announce(text, 'assertive')
    toast({ text, tone: problem instanceof ProblemError && problem.status < 500 ? 'warning' : 'danger' })
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr));
        gap: 12px;
      }
      .card {
        display: grid;
        align-content: start;
        gap: 8px;
        padding: 16px;
      }
      .head {
        display: flex;
        align-items: center;
        gap: 12px;
      }
      .mark {
        display: grid;
        place-items: center;
        flex: none;
        inline-size: 36px;
        block-size: 36px;
        border-radius: 8px;
        background: var(--socle-accent-bg);
        color: var(--socle-accent);
      }
      .mark .icon {
        inline-size: 20px;
        block-size: 20px;
      }
      .incident {
        display: grid;
        gap: 2px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .mark.absent {
        background: var(--socle-muted);
        color: var(--socle-text-3);
      }
      progress {
        inline-size: 100%;
        accent-color: var(--socle-accent);
      }
      .about {
        color: var(--socle-text-2);
      }
      @media (width < 600px) {
        .head {
          flex-wrap: wrap;
        }
        .head > .grow {
          min-inline-size: 50%;
        }
        .head > .pill {
          order: 9;
        }
      }
      .switch {
        position: relative;
        flex: none;
        inline-size: 40px;
        block-size: 24px;
        padding: 0;
        border: 1px solid var(--socle-control);
        border-radius: 12px;
        background: var(--socle-surface);
        cursor: pointer;
      }
      .switch::after {
        content: '';
        position: absolute;
        inset-block-start: 3px;
        inset-inline-start: 3px;
        inline-size: 16px;
        block-size: 16px;
        border-radius: 50%;
        background: var(--socle-control);
        transition: transform var(--socle-motion);
      }
      .switch[aria-checked='true'] {
        border-color: var(--socle-accent);
        background: var(--socle-accent);
      }
      .switch[aria-checked='true']::after {
        background: var(--socle-on-accent);
        transform: translateX(16px);
      }
      .switch:dir(rtl)[aria-checked='true']::after {
        transform: translateX(-16px);
      }
      .switch[aria-busy='true'] {
        opacity: 0.6;
      }
      .switch[aria-disabled='true'] {
        cursor: not-allowed;
      }
      code {
        font:
          12px/16px ui-monospace,
          monospace;
        overflow-wrap: anywhere;
      }
    `,
  ]
}

function switchTitle(
  { title }: PluginCard,
  { mayToggle, isOn, isStuck }: { mayToggle: boolean; isOn: boolean; isStuck: boolean },
): string {
  if (!mayToggle) return t('shell.modules.notYours')
  if (isStuck) return t('shell.modules.notLoaded')
  return t(isOn ? 'shell.modules.switchOff' : 'shell.modules.switchOn', { title })
}

function statePill(card: PluginCard) {
  if (card.state === 'asleep') return pill(t('shell.modules.asleep'), 'warning', 'moon')
  if (card.state === 'quarantined') return pill(t('shell.modules.quarantined'), 'danger', 'circle-alert')
  return card.state === 'enabled'
    ? pill(t('shell.modules.on'), 'success', 'check')
    : pill(t('shell.modules.off'), 'neutral', 'minus')
}

function brought(card: PluginCard): string {
  const { screens = [], resources = [] } = card.brings ?? {}
  const names = [...new Set([...resources, ...screens])]
  return names.length > 0 ? t('shell.modules.brings', { list: format.list(names) }) : ''
}

define('shell-modules', ShellModules)
