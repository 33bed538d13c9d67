import {
  KitElement,
  api,
  confirmDialog,
  controls,
  format,
  icon,
  live,
  may,
  pill,
  recordHref,
  resource,
  t,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { followJob } from '../follow-job.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

interface Hold {
  readonly resource: string
  readonly count: number
  readonly basis: { readonly en: string; readonly fr: string }
  /** What stays of the person in them. */
  readonly keeps?: { readonly en: string; readonly fr: string }
  readonly until: string | null
}

interface PrivacyRequest {
  readonly id: string
  readonly version: number
  readonly number: string
  readonly kind: 'access' | 'erasure'
  readonly subjectResource: string
  readonly subjectRecord: string
  readonly state: 'received' | 'verified' | 'running' | 'failed' | 'done'
  readonly requestedBy: string | null
  readonly identityCheck: string | null
  readonly receivedOn: string
  readonly dueOn: string
  readonly job: string | null
  /** Why its last job failed. */
  readonly fault: string | null
  readonly plannedAt: string | null
  readonly doneAt: string | null
  /** When the person was let come back, and why. */
  readonly liftedAt: string | null
  readonly liftReason: string | null
  readonly certificateId: string | null
  readonly fileUntil: string | null
  /** When the archive was last taken along. */
  readonly fetchedAt: string | null
  readonly plan: {
    readonly records: readonly { readonly resource: string; readonly how: string; readonly count: number }[]
    readonly holds: readonly Hold[]
    readonly mentions: readonly { readonly table: string; readonly resource: string | null; readonly count: number }[]
    readonly stores: readonly { readonly id: string; readonly title: { readonly en: string; readonly fr: string } }[]
    readonly shared: number
  } | null
}

/** How many statements were gone through, and at which place the first one is not as it was written. */
interface ChainVerdict {
  readonly checked: number
  readonly fault: number | null
}

interface JobView {
  readonly state: string
  readonly error: { readonly detail: string } | null
}

const tones = { received: 'info', verified: 'accent', running: 'warning', failed: 'danger', done: 'success' } as const
const icons = {
  received: 'mail',
  verified: 'shield-check',
  running: 'circle-dot',
  failed: 'circle-alert',
  done: 'circle-check',
} as const

/** What people asked for by law: their data, or to be forgotten. Each request step by step, with its deadline. */
export class ShellPrivacy extends KitElement {
  static override properties = {
    record: {},
    requests: { state: true },
    current: { state: true },
    problem: { state: true },
    working: { state: true },
    verdict: { state: true },
    fault: { state: true },
    blocked: { state: true },
    chain: { state: true },
  }
  /** Id of the request that is shown. */
  declare record: string | undefined
  declare requests: readonly PrivacyRequest[] | undefined
  declare current: PrivacyRequest | undefined
  declare problem: string | undefined
  declare working: boolean | undefined
  declare verdict: boolean | undefined
  declare fault: string | undefined
  declare blocked: string | undefined
  declare chain: ChainVerdict | undefined

  #shown: string | undefined
  #stop: (() => void) | undefined
  #left = new AbortController()

  override connectedCallback(): void {
    super.connectedCallback()
    this.#left = new AbortController()
    this.#stop = live.on('record', ({ resource }) => {
      if (resource === 'core.privacy-request') void this.#load()
    })
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#left.abort()
    this.#stop?.()
  }

  async #load(): Promise<void> {
    try {
      if (this.record)
        this.current = (await api.get<{ data: PrivacyRequest }>(`/api/core/privacy/requests/${this.record}`)).data
      else this.requests = await everything<PrivacyRequest>('/api/core/privacy/requests?limit=200&sort=-createdAt')
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    if (this.record !== this.#shown) {
      this.#shown = this.record
      this.current = undefined
      this.verdict = undefined
      this.fault = undefined
      void this.#load()
    }
    setPage(this, {
      title: this.record ? (this.current?.number ?? t('shell.settings.privacy')) : t('shell.settings.privacy'),
      crumbs: [
        { title: t('shell.nav.settings'), href: '/settings' },
        ...(this.record ? [{ title: t('shell.settings.privacy'), href: '/settings/privacy' }] : []),
      ],
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (this.record)
      return this.current ? this.#detail(this.current) : html`<socle-skeleton .lines=${6}></socle-skeleton>`
    if (!this.requests) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    return html`
      <p class="lead">${t('shell.privacy.lead')}</p>
      ${
        this.requests.length === 0
          ? html`<socle-empty
              icon="shield-check"
              heading=${t('shell.privacy.none')}
              text=${t('shell.privacy.noneText')}
            ></socle-empty>`
          : html`<ul class="rows">
              ${this.requests.map((it) => this.#row(it))}
            </ul>`
      }
      ${may('core.privacy.read') ? this.#chain() : nothing} ${may('core.privacy.manage') ? this.#blocks() : nothing}
    `
  }

  #row(it: PrivacyRequest) {
    return html`<li>
      ${icon(it.kind === 'access' ? 'download' : 'trash-2')}
      <span class="grow">
        <a class="name" href="/settings/privacy/${it.id}">${it.number} · ${t(`shell.privacy.kind.${it.kind}`)}</a>
        <span class="meta">${t('shell.privacy.received', { date: format.date(it.receivedOn) })}</span>
      </span>
      <span class="pills">${this.#due(it)}${statePill(it)}</span>
    </li>`
  }

  /** The law gives a month; what is late says so in words. */
  #due(it: PrivacyRequest) {
    if (it.state === 'done') return nothing
    const today = new Date().toISOString().slice(0, 10)
    const label = t(it.dueOn < today ? 'shell.privacy.late' : 'shell.privacy.due', { date: format.date(it.dueOn) })
    return pill(label, it.dueOn < today ? 'danger' : 'neutral', 'clock')
  }

  // ——— one request ———

  #detail(it: PrivacyRequest) {
    return html`
      <div class="pills head">
        ${pill(t(`shell.privacy.kind.${it.kind}`), 'neutral', it.kind === 'access' ? 'download' : 'trash-2')}${statePill(it)}${this.#due(it)}
      </div>
      ${problemLine(this.fault ?? it.fault ?? undefined)}
      <dl>
        <dt>${t('shell.privacy.person')}</dt>
        <dd>
          ${
            it.state === 'done' && it.kind === 'erasure'
              ? t('shell.privacy.forgotten')
              : html`<a href=${recordHref(it.subjectResource, it.subjectRecord) ?? nothing}
                  >${t('shell.privacy.openPerson')}</a
                >`
          }
        </dd>
        <dt>${t('shell.privacy.receivedOn')}</dt>
        <dd>${format.date(it.receivedOn)}</dd>
        <dt>${t('shell.privacy.dueOn')}</dt>
        <dd>${format.date(it.dueOn)} <span class="meta">${t('shell.privacy.law')}</span></dd>
        ${
          it.requestedBy
            ? html`<dt>${t('shell.privacy.requestedBy')}</dt>
                <dd>${it.requestedBy}</dd>`
            : nothing
        }
        ${
          it.identityCheck
            ? html`<dt>${t('shell.privacy.identity')}</dt>
                <dd>${it.identityCheck}</dd>`
            : nothing
        }
        ${
          it.doneAt
            ? html`<dt>${t('shell.privacy.doneAt')}</dt>
                <dd>${format.instant(it.doneAt)}</dd>`
            : nothing
        }
        ${
          it.fetchedAt
            ? html`<dt>${t('shell.privacy.fetchedAt')}</dt>
                <dd>${format.instant(it.fetchedAt)}</dd>`
            : nothing
        }
        ${
          it.liftedAt
            ? html`<dt>${t('shell.privacy.liftedAt')}</dt>
                <dd>${format.instant(it.liftedAt)} <span class="meta">${it.liftReason}</span></dd>`
            : nothing
        }
      </dl>
      ${it.state === 'received' ? this.#verify(it) : nothing} ${it.kind === 'erasure' ? this.#plan(it) : nothing}
      ${['verified', 'running', 'failed'].includes(it.state) ? this.#act(it) : nothing}
      ${it.state === 'done' ? this.#result(it) : nothing}
    `
  }

  #verify(it: PrivacyRequest) {
    return html`<section>
      <h2>${t('shell.privacy.verifyTitle')}</h2>
      <p class="meta">${t('shell.privacy.verifyText')}</p>
      <form class="form" @submit=${(event: Event) => void this.#verified(event, it)}>
        <div class="field">
          <label class="label" for="check">${t('shell.privacy.identity')}</label>
          <input class="input" id="check" name="check" required minlength="3" maxlength="500" autocomplete="off" />
        </div>
        <div><button class="button primary">${icon('shield-check')}${t('shell.privacy.verify')}</button></div>
      </form>
    </section>`
  }

  async #verified(event: Event, it: PrivacyRequest): Promise<void> {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    await this.#try(() =>
      api.post(`/api/core/privacy/requests/${it.id}/verify`, { identityCheck: String(values.get('check')) }),
    )
  }

  #plan(it: PrivacyRequest) {
    const { plan } = it
    const open = it.state === 'received' || it.state === 'verified'
    const language = document.documentElement.lang === 'fr' ? 'fr' : 'en'
    return html`<section>
      <h2>${t(it.state === 'done' ? 'shell.privacy.went' : 'shell.privacy.planTitle')}</h2>
      ${
        plan
          ? html`
              <ul class="rows">
                ${plan.records.map((row) => line(row.how === 'person' ? 'user-round' : 'list', resourceName(row.resource), t(`shell.privacy.how.${row.how}`), row.count))}
                ${plan.stores.map((store) => line('plug', store.title[language], t('shell.privacy.how.store')))}
                ${plan.mentions.map((row) => line('search', row.resource ? resourceName(row.resource) : t('shell.privacy.trace', { table: row.table }), t('shell.privacy.how.mention'), row.count))}
              </ul>
              ${
                plan.holds.length > 0
                  ? html`<h2>${t('shell.privacy.stays')}</h2>
                      <ul class="rows">
                        ${plan.holds.map((hold) =>
                          line(
                            'lock',
                            resourceName(hold.resource),
                            `${hold.keeps ? `${hold.keeps[language]} · ` : ''}${hold.basis[language]}${hold.until ? ` · ${t('shell.privacy.until', { date: format.date(hold.until) })}` : ''}`,
                            hold.count,
                          ),
                        )}
                      </ul>`
                  : nothing
              }
              ${plan.shared > 0 ? html`<p class="meta">${t('shell.privacy.shared', { count: plan.shared })}</p>` : nothing}
            `
          : html`<p class="meta">${t('shell.privacy.noPlan')}</p>`
      }
      ${
        open && may('core.privacy.manage')
          ? html`<div>
              <button class="button" ?disabled=${this.working} @click=${() => void this.#work(it, 'rehearse')}>
                ${icon('search')}${this.working ? t('shell.privacy.working') : t(plan ? 'shell.privacy.rehearseAgain' : 'shell.privacy.rehearse')}
              </button>
            </div>`
          : nothing
      }
    </section>`
  }

  #act(it: PrivacyRequest) {
    const isErasure = it.kind === 'erasure'
    if (!may(isErasure ? 'core.privacy.erase' : 'core.privacy.export'))
      return html`<p class="meta">${t('shell.privacy.notYours')}</p>`
    const waits = isErasure && !it.plannedAt
    return html`<div class="act">
      <button
        class=${isErasure ? 'button danger' : 'button primary'}
        ?disabled=${this.working || waits}
        @click=${() => void (isErasure ? this.#erase(it) : this.#work(it, 'run'))}
      >
        ${icon(isErasure ? 'trash-2' : 'download')}${this.working ? t('shell.privacy.working') : t(it.state === 'failed' ? 'shell.privacy.again' : isErasure ? 'shell.privacy.erase' : 'shell.privacy.write')}
      </button>
      ${waits ? html`<p class="meta">${t('shell.privacy.rehearseFirst')}</p>` : nothing}
    </div>`
  }

  async #erase(it: PrivacyRequest): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.privacy.eraseTitle'),
      body: t('shell.privacy.eraseText'),
      confirm: t('shell.privacy.erase'),
      danger: true,
    })
    if (yes) await this.#work(it, 'run')
  }

  #result(it: PrivacyRequest) {
    if (it.kind === 'access') {
      const isThere = it.fileUntil !== null && it.fileUntil > new Date().toISOString()
      return html`<section>
        ${
          isThere && it.fileUntil
            ? html`<p class="meta">${t('shell.privacy.fileUntil', { date: format.instant(it.fileUntil) })}</p>
                <div>
                  <a class="button primary" href="/api/core/privacy/requests/${it.id}/file" download
                    >${icon('download')}${t('shell.privacy.fetch')}</a
                  >
                </div>`
            : html`<p class="meta">${t('shell.privacy.fileGone')}</p>`
        }
      </section>`
    }
    return html`<section>
      <h2>${t('shell.privacy.certificate')}</h2>
      <p class="meta">${t('shell.privacy.certificateText')}</p>
      <div class="buttons">
        <a class="button" href="/api/core/privacy/certificates/${it.certificateId}" download="${it.number}.json"
          >${icon('download')}${t('shell.privacy.certificateFetch')}</a
        >
        <button class="button" @click=${() => void this.#check(it)}>
          ${icon('shield-check')}${t('shell.privacy.check')}
        </button>
        <span role="status">
          ${
            this.verdict === undefined
              ? nothing
              : this.verdict
                ? pill(t('shell.privacy.valid'), 'success', 'circle-check')
                : pill(t('shell.privacy.invalid'), 'danger', 'circle-alert')
          }
        </span>
      </div>
    </section>`
  }

  async #check({ certificateId }: PrivacyRequest): Promise<void> {
    try {
      const { data } = await api.get<{ data: { valid: boolean } }>(
        `/api/core/privacy/certificates/${certificateId}/verification`,
      )
      this.verdict = data.valid
    } catch (problem) {
      tellProblem(problem)
    }
  }

  async #work(it: PrivacyRequest, step: 'rehearse' | 'run'): Promise<void> {
    this.working = true
    await this.#try(async () => {
      const { data } = await api.post<{ data: PrivacyRequest }>(`/api/core/privacy/requests/${it.id}/${step}`, {})
      const job = await followJob(async () => (await api.get<{ data: JobView }>(`/api/core/jobs/${data.job}`)).data, {
        every: 500,
        signal: this.#left.signal,
      })
      if (job?.error) this.fault = job.error.detail
    })
    this.working = undefined
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    this.fault = undefined
    try {
      await work()
      await this.#load()
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  // ——— the chain of objections ———

  #chain() {
    const { chain } = this
    return html`<section>
      <h2>${t('shell.privacy.chainTitle')}</h2>
      <p class="meta">${t('shell.privacy.chainText')}</p>
      <div class="buttons">
        <button class="button" @click=${() => void this.#walk()}>
          ${icon('shield-check')}${t('shell.privacy.chainCheck')}
        </button>
        <span role="status">
          ${
            chain === undefined
              ? nothing
              : chain.fault === null
                ? pill(t('shell.privacy.chainWhole', { checked: chain.checked }), 'success', 'circle-check')
                : pill(t('shell.privacy.chainBroken', { place: chain.fault }), 'danger', 'circle-alert')
          }
        </span>
      </div>
    </section>`
  }

  async #walk(): Promise<void> {
    try {
      this.chain = (await api.get<{ data: ChainVerdict }>('/api/core/privacy/consents/verification')).data
    } catch (problem) {
      tellProblem(problem)
    }
  }

  // ——— addresses ———

  /** Only keyed hashes are kept: an address is looked for by typing it. */
  #blocks() {
    return html`<section>
      <h2>${t('shell.privacy.blocksTitle')}</h2>
      <p class="meta">${t('shell.privacy.blocksText')}</p>
      <form class="form" @submit=${this.#blockSubmitted}>
        <div class="field">
          <label class="label" for="address">${t('shell.privacy.address')}</label>
          <input class="input" id="address" name="address" required minlength="3" maxlength="254" autocomplete="off" />
        </div>
        <div class="field">
          <label class="label" for="reason">${t('shell.privacy.reason')}</label>
          <input
            class="input"
            id="reason"
            name="reason"
            maxlength="500"
            autocomplete="off"
            aria-describedby="reason-help"
          />
          <p class="meta" id="reason-help">${t('shell.privacy.reasonHelp')}</p>
        </div>
        <div class="buttons">
          <button class="button" name="what" value="look">${icon('search')}${t('shell.privacy.look')}</button>
          <button class="button" name="what" value="suppress">
            ${icon('circle-slash')}${t('shell.privacy.suppress')}
          </button>
          <button class="button" name="what" value="lift">${icon('circle-check')}${t('shell.privacy.lift')}</button>
          ${
            may('core.privacy.erase')
              ? html`<button class="button" name="what" value="return">
                  ${icon('rotate-ccw')}${t('shell.privacy.return')}
                </button>`
              : nothing
          }
        </div>
        <p role="status" class="meta">${this.blocked ?? ''}</p>
      </form>
    </section>`
  }

  readonly #blockSubmitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const values = new FormData(form)
    const address = String(values.get('address')).trim()
    const reason = String(values.get('reason')).trim()
    const what = (event.submitter as HTMLButtonElement | null)?.value ?? 'look'
    const suppressions = '/api/core/privacy/suppressions'
    try {
      if (what === 'suppress') {
        await api.post(suppressions, { address })
        this.blocked = t('shell.privacy.suppressed', { address })
      } else if (what === 'lift') {
        const { data } = await api.post<{ data: { lifted: number } }>(`${suppressions}/lift`, { address, reason })
        this.blocked = t(data.lifted > 0 ? 'shell.privacy.lifted' : 'shell.privacy.free', { address })
      } else if (what === 'return') {
        const { data } = await api.post<{ data: { lifted: number } }>('/api/core/privacy/tombstones/lift', {
          address,
          reason,
        })
        if (data.lifted > 0) await api.post(`${suppressions}/lift`, { address, reason })
        this.blocked = t(data.lifted > 0 ? 'shell.privacy.returned' : 'shell.privacy.neverErased', { address })
      } else {
        const { data } = await api.post<{
          data: readonly { channel: string; reason: string; at: string; liftedAt: string | null }[]
        }>(`${suppressions}/query`, { address })
        const held = data.filter((it) => it.liftedAt === null)
        this.blocked =
          held.length === 0
            ? t('shell.privacy.free', { address })
            : held
                .map((it) =>
                  t('shell.privacy.held', {
                    channel: t(`shell.consent.channel.${it.channel}`),
                    reason: t(`shell.privacy.because.${it.reason}`),
                    date: format.date(it.at.slice(0, 10)),
                  }),
                )
                .join(' ')
      }
    } catch (problem) {
      this.blocked = sentenceOf(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      section {
        display: grid;
        gap: 12px;
        margin-block-start: 24px;
      }
      h2 {
        margin: 0;
        font-size: 14px;
        font-weight: 600;
      }
      .act {
        display: grid;
        justify-items: start;
        gap: 8px;
        margin-block-start: 16px;
      }
      .head {
        margin-block-end: 16px;
      }
      .rows > li > .icon {
        color: var(--socle-text-3);
      }
      .rows .count {
        font-variant-numeric: tabular-nums;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(120px, max-content) minmax(0, 1fr);
        gap: 6px 16px;
        margin: 0 0 16px;
      }
      dt {
        color: var(--socle-text-2);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      dd a {
        color: var(--socle-accent);
      }
      .form {
        max-inline-size: 480px;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      @media (width < 600px) {
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 2px;
        }
        dd {
          margin-block-end: 8px;
        }
        .rows > li {
          flex-wrap: wrap;
        }
      }
    `,
  ]
}

function statePill({ state }: PrivacyRequest) {
  return pill(t(`shell.privacy.state.${state}`), tones[state], icons[state])
}

function line(sign: string, name: string, meta: string, count?: number) {
  return html`<li>
    ${icon(sign)}
    <span class="grow"><span class="name">${name}</span><span class="meta">${meta}</span></span>
    ${count === undefined ? nothing : html`<span class="count">${format.number(count)}</span>`}
  </li>`
}

/** What the platform calls a kind of record, also one that has no list of its own. */
function resourceName(id: string): string {
  return resource(id)?.name.many ?? t(`${id}.many`)
}

define('shell-privacy', ShellPrivacy)
