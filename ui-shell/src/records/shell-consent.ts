import { KitElement, api, controls, format, icon, localDate, may, navigate, parse, pill, t, toast } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { endOfDay } from '../last-day.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { problemLine } from '../problem-line.ts'

interface ChannelState {
  readonly channel: string
  readonly scope: string
  readonly state: 'open' | 'suppressed' | 'opted-out'
  readonly since: string | null
}

interface ConsentEntry {
  readonly id: string
  /** Whether they said it, or it was said about an address they have. */
  readonly by: 'person' | 'address'
  readonly channel: string
  readonly scope: string
  readonly action: 'objection' | 'withdrawal' | 'reversal'
  readonly source: string
  readonly at: string
  readonly recordedAt: string
  readonly recordedBy: string | null
  readonly wordingId: string | null
  readonly wording: string | null
  readonly hash: string
}

const channelIcons: Readonly<Record<string, string>> = {
  mail: 'mail',
  sms: 'message-square',
  phone: 'phone',
  post: 'map-pin',
  any: 'ban',
}
const states = {
  open: { tone: 'success', icon: 'circle-check' },
  'opted-out': { tone: 'danger', icon: 'circle-slash' },
  suppressed: { tone: 'danger', icon: 'ban' },
} as const
const sources = ['letter', 'mail', 'phone-call', 'in-person', 'form', 'unsubscribe-link']

/** By which channels a person may be written to, what they said and when, and the proof of it. */
export class ShellConsent extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    state: { state: true },
    history: { state: true },
    problem: { state: true },
    recording: { state: true },
    asking: { state: true },
    day: { state: true },
    fault: { state: true },
  }
  declare meta: ResourceMeta
  declare record: RecordJson
  declare private state: readonly ChannelState[] | undefined
  declare private history: readonly ConsentEntry[]
  declare private problem: string | undefined
  declare private recording: boolean | undefined
  /** What the person asks for by law, while it is being noted. */
  declare private asking: 'access' | 'erasure' | undefined
  /** The past day that is looked at; today where there is none. */
  declare private day: string | undefined
  declare private fault: string | undefined

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('record') || changed.has('day')) void this.#load()
  }

  async #load(): Promise<void> {
    const { day } = this
    const at = day === undefined ? undefined : new Date(Date.parse(endOfDay(day)) - 1).toISOString()
    try {
      const { data } = await api.get<{ data: { state: readonly ChannelState[]; history: readonly ConsentEntry[] } }>(
        `/api/core/privacy/consents?resource=${this.meta.id}&person=${this.record.id}${at ? `&at=${at}` : ''}`,
      )
      // Two days chosen one after the other may be answered the other way round.
      if (day !== this.day) return
      this.state = data.state
      this.history = at ? data.history.filter((it) => it.at <= at) : data.history
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.state) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    const topics = this.state.filter(({ scope, state }) => scope !== 'all' && state !== 'open')
    return html`
      <header>
        <h2>${t('shell.consent.state')}</h2>
        <label class="asof"
          ><span class="meta">${t('shell.consent.asOf')}</span>
          <input
            class="input"
            type="date"
            max=${localDate()}
            .value=${this.day ?? localDate()}
            @change=${this.#dayChosen}
          />
        </label>
        ${
          this.meta.may.update
            ? html`<button class="button small" @click=${() => this.#open()}>
                ${icon('plus')}${t('shell.consent.record')}
              </button>`
            : nothing
        }
      </header>
      <ul class="channels">
        ${this.state.filter(({ scope }) => scope === 'all').map((it) => this.#channel(it))}
      </ul>
      ${
        topics.length > 0
          ? html`<ul class="topics">
              ${topics.map(
                (it) =>
                  html`<li>
                    ${pill(t(`shell.consent.is.${it.state}`), states[it.state].tone, states[it.state].icon)}
                    <span
                      >${t('shell.consent.topic', { topic: it.scope, channel: t(`shell.consent.channel.${it.channel}`) })}</span
                    >
                  </li>`,
              )}
            </ul>`
          : nothing
      }
      <h2>${t('shell.consent.history')}</h2>
      ${
        this.history.length === 0
          ? html`<p class="meta none">${t('shell.consent.none')}</p>`
          : html`<ol>
              ${this.history.map((it) => this.#entry(it))}
            </ol>`
      }
      ${this.#rights()} ${this.recording ? this.#form() : nothing} ${this.asking ? this.#asks(this.asking) : nothing}
    `
  }

  #channel({ channel, state, since }: ChannelState) {
    return html`<li>
      ${icon(channelIcons[channel] ?? 'mail')}
      <span class="name">${t(`shell.consent.channel.${channel}`)}</span>
      ${pill(t(`shell.consent.is.${state}`), states[state].tone, states[state].icon)}
      <span class="meta"
        >${since ? t('shell.consent.since', { date: format.date(since.slice(0, 10)) }) : t('shell.consent.never')}</span
      >
    </li>`
  }

  #entry(it: ConsentEntry) {
    const scope = it.scope === 'all' ? '' : ` · ${it.scope}`
    return html`<li>
      <span class="what">
        ${icon(it.action === 'reversal' ? 'circle-check' : 'circle-slash')}
        <b>${t(`shell.consent.action.${it.action}`)}</b>
        <span>${t(`shell.consent.channel.${it.channel}`)}${scope}</span>
      </span>
      <span class="meta">${format.instant(it.at)}</span>
      <span class="proof meta">
        ${it.by === 'address' ? html`<span>${t('shell.consent.ofAddress')}</span>` : nothing}
        ${t('shell.consent.from', { source: sourceName(it.source), by: it.recordedBy ?? '–' })}
        ${it.wording ? html`<q>${it.wording}</q>` : nothing}
        <span class="hash" title=${it.hash}>${t('shell.consent.proof', { hash: it.hash.slice(0, 12) })}</span>
      </span>
    </li>`
  }

  /** What the person may ask for by law begins where they are. */
  #rights() {
    if (!may('core.privacy.manage')) return nothing
    return html`<h2>${t('shell.consent.rights')}</h2>
      <p class="meta">${t('shell.consent.rightsText')}</p>
      <div class="buttons">
        <button class="button small" @click=${() => this.#ask('access')}>
          ${icon('download')}${t('shell.consent.askAccess')}
        </button>
        <button class="button small" @click=${() => this.#ask('erasure')}>
          ${icon('trash-2')}${t('shell.consent.askErasure')}
        </button>
      </div>`
  }

  readonly #dayChosen = (event: Event): void => {
    const { value } = event.target as HTMLInputElement
    this.day = value === '' || value >= localDate() ? undefined : value
  }

  #ask(kind: 'access' | 'erasure'): void {
    this.fault = undefined
    this.asking = kind
  }

  /** The law counts from the day it came in, which may be before anybody noted it. */
  #asks(kind: 'access' | 'erasure') {
    return html`<socle-dialog
      open
      .heading=${t(kind === 'access' ? 'shell.consent.askAccess' : 'shell.consent.askErasure')}
      @socle-close=${() => (this.asking = undefined)}
    >
      <form class="form" id="asks" @submit=${(event: Event) => void this.#asked(event, kind)}>
        ${problemLine(this.fault)}
        <div class="field">
          <label class="label" for="received">${t('shell.privacy.receivedOn')}</label>
          <input
            class="input"
            id="received"
            name="receivedOn"
            type="date"
            required
            autofocus
            max=${localDate()}
            .value=${localDate()}
          />
        </div>
        <div class="field">
          <label class="label" for="by">${t('shell.privacy.requestedBy')}</label>
          <input
            class="input"
            id="by"
            name="requestedBy"
            maxlength="250"
            autocomplete="off"
            aria-describedby="by-help"
          />
          <p class="meta" id="by-help">${t('shell.privacy.requestedByHelp')}</p>
        </div>
      </form>
      <button
        slot="actions"
        class="button primary"
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#asks')?.requestSubmit()}
      >
        ${t('shell.consent.note')}
      </button>
    </socle-dialog>`
  }

  async #asked(event: Event, kind: 'access' | 'erasure'): Promise<void> {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const requestedBy = String(values.get('requestedBy')).trim()
    try {
      const { data } = await api.post<{ data: { id: string } }>('/api/core/privacy/requests', {
        kind,
        resource: this.meta.id,
        record: this.record.id,
        receivedOn: values.get('receivedOn'),
        ...(requestedBy ? { requestedBy } : {}),
      })
      navigate(`/settings/privacy/${data.id}`)
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  /** Addresses the record has: another is for who manages privacy. */
  get #addresses(): readonly string[] {
    return ['email', 'phone', 'mobile'].flatMap((name) => {
      const value = this.record[name]
      return typeof value === 'string' && value !== '' ? [value] : []
    })
  }

  /** Topics that something was said about. */
  get #topics(): readonly string[] {
    return [...new Set(this.state?.map(({ scope }) => scope))].filter((scope) => scope !== 'all')
  }

  #open(): void {
    this.fault = undefined
    this.recording = true
  }

  #form() {
    const option = (key: string, value: string) =>
      html`<option value=${value}>${t(`shell.consent.${key}.${value}`)}</option>`
    return html`<socle-dialog
      open
      .heading=${t('shell.consent.record')}
      @socle-close=${() => (this.recording = undefined)}
    >
      <form class="form" id="form" @submit=${this.#save}>
        ${problemLine(this.fault)}
        <div class="field">
          <label class="label" for="action">${t('shell.consent.what')}</label>
          <select class="input" id="action" name="action" autofocus>
            ${['objection', 'withdrawal', 'reversal'].map((it) => option('action', it))}
          </select>
        </div>
        <div class="field">
          <label class="label" for="channel">${t('shell.consent.by')}</label>
          <select class="input" id="channel" name="channel">
            ${['mail', 'sms', 'phone', 'post', 'any'].map((it) => option('channel', it))}
          </select>
        </div>
        <div class="field">
          <label class="label" for="day">${t('shell.consent.day')}</label>
          <input class="input" id="day" name="day" type="date" required max=${localDate()} .value=${localDate()} />
        </div>
        <div class="field">
          <label class="label" for="address">${t('shell.consent.address')}</label>
          <input
            class="input"
            id="address"
            name="address"
            list="addresses"
            minlength="3"
            maxlength="254"
            autocomplete="off"
            aria-describedby="address-help"
          />
          <datalist id="addresses">${this.#addresses.map((it) => html`<option value=${it}></option>`)}</datalist>
          <p class="meta" id="address-help">${t('shell.consent.addressHelp')}</p>
        </div>
        <div class="field">
          <label class="label" for="scope">${t('shell.consent.scope')}</label>
          <input
            class="input"
            id="scope"
            name="scope"
            list="scopes"
            maxlength="120"
            pattern="[\\p{L}\\p{N}._:\\/\\-]+"
            autocomplete="off"
            aria-describedby="scope-help"
          />
          <datalist id="scopes">${this.#topics.map((it) => html`<option value=${it}></option>`)}</datalist>
          <p class="meta" id="scope-help">${t('shell.consent.scopeHelp')}</p>
        </div>
        <div class="field">
          <label class="label" for="source">${t('shell.consent.sourceLabel')}</label>
          <select class="input" id="source" name="source">
            ${sources.map((it) => option('source', it))}
          </select>
        </div>
        <div class="field">
          <label class="label" for="wording">${t('shell.consent.wording')}</label>
          <textarea
            class="input"
            id="wording"
            name="wording"
            rows="3"
            maxlength="10000"
            aria-describedby="wording-help"
          ></textarea>
          <p class="meta" id="wording-help">${t('shell.consent.wordingHelp')}</p>
        </div>
      </form>
      <button
        slot="actions"
        class="button primary"
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
      >
        ${t('shell.save')}
      </button>
    </socle-dialog>`
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const [wording, address, scope] = ['wording', 'address', 'scope'].map((it) => String(values.get(it)).trim())
    const day = String(values.get('day'))
    // From its first hour: what was said that day holds for all of it.
    const at = day < localDate() ? parse.instant(day) : undefined
    try {
      await api.post('/api/core/privacy/consents', {
        person: { resource: this.meta.id, record: this.record.id },
        action: values.get('action'),
        channel: values.get('channel'),
        source: values.get('source'),
        ...(wording ? { wording: { text: wording } } : {}),
        ...(address ? { address } : {}),
        ...(scope ? { scope } : {}),
        ...(at ? { at } : {}),
      })
      this.recording = undefined
      toast({ text: t('shell.consent.recorded'), tone: 'success' })
      await this.#load()
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 12px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
      }
      header h2 {
        margin-inline-end: auto;
      }
      .asof {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .asof .input {
        inline-size: auto;
      }
      h2 {
        margin: 0;
        font: var(--socle-small);
        font-weight: 600;
      }
      h2:not(header h2) {
        margin-block-start: 12px;
      }
      .channels,
      ol {
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        background: var(--socle-surface);
      }
      .channels > li,
      ol > li {
        display: grid;
        align-items: center;
        gap: 4px 12px;
        padding: 10px 12px;
        border-block-end: 1px solid var(--socle-line);
      }
      .channels > li:last-child,
      ol > li:last-child {
        border: 0;
      }
      .channels > li {
        grid-template-columns: 16px minmax(80px, 1fr) auto minmax(120px, auto);
      }
      .channels .icon {
        color: var(--socle-text-3);
      }
      .channels .meta {
        text-align: end;
      }
      ol > li {
        grid-template-columns: minmax(0, 1fr) auto;
      }
      .what {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px;
        font: var(--socle-small);
      }
      .what b {
        font-weight: 600;
      }
      .proof {
        grid-column: 1 / -1;
        display: grid;
        gap: 4px;
      }
      q {
        overflow-wrap: anywhere;
        color: var(--socle-text-2);
      }
      .hash {
        font-variant-numeric: tabular-nums;
      }
      .topics {
        display: grid;
        gap: 6px;
        font: var(--socle-small);
      }
      .topics li,
      .buttons {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .form,
      .field {
        display: grid;
        gap: 6px;
      }
      .form {
        gap: 16px;
      }
      textarea {
        block-size: auto;
        padding-block: 6px;
        resize: vertical;
      }
      @media (width < 600px) {
        .channels > li {
          grid-template-columns: 16px minmax(0, 1fr) auto;
        }
        .channels .meta {
          grid-column: 2 / -1;
          text-align: start;
        }
      }
    `,
  ]
}

/** One of ours in the reader's words, a plugin's as it says it. */
function sourceName(source: string): string {
  return [...sources, 'record'].includes(source) ? t(`shell.consent.source.${source}`) : source
}
