import {
  KitElement,
  api,
  avatar,
  controls,
  format,
  icon,
  navigate,
  recordHref,
  resource,
  shell,
  t,
  toast,
  undo,
} from '@socle/sdk/ui'
import type { ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { hasValue } from '../records/resources.ts'
import { originWords } from '../origin-words.ts'
import { pointsAtRecord } from '../records/resources.ts'
import { titleFor } from '../records/titles.ts'
import { router } from '../router.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { AuditEntry, Person } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

const filters = ['actor', 'resource', 'from', 'to'] as const
type Filter = (typeof filters)[number]

/** What the platform found when it walked the ledger's chain. */
interface Verification {
  readonly checked: number
  readonly head: { readonly hash: string; readonly at: string } | null
  readonly fault: { readonly detail: string } | null
}

/** Who changed what, when and why; each change set may be taken back as a whole. */
export class ShellAudit extends KitElement {
  static override properties = {
    entries: { state: true },
    next: { state: true },
    problem: { state: true },
    isLoading: { state: true },
    chain: { state: true },
  }
  declare entries: readonly AuditEntry[] | undefined
  declare next: string | null
  declare problem: string | undefined
  declare isLoading: boolean
  declare chain: Verification | 'checking' | undefined

  #people: readonly Person[] = []
  /** Entries that were opened once. */
  readonly #seen = new Set<string>()
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = router.onChange((url) => {
      if (url.pathname === '/settings/audit') void this.#load()
    })
    void this.#load()
    void everything<Person>('/api/core/users')
      .then((people) => {
        this.#people = people
        this.requestUpdate()
      })
      .catch(() => undefined)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  async #load(after?: string): Promise<void> {
    const query = new URLSearchParams({ limit: '50' })
    for (const name of filters) {
      const value = this.#value(name)
      if (value) query.set(name, value)
    }
    if (after) query.set('after', after)
    this.isLoading = true
    try {
      const answer = await api.get<{ data: readonly AuditEntry[]; page?: { next: string | null } }>(
        `/api/core/audit?${query}`,
      )
      this.entries = after ? [...(this.entries ?? []), ...answer.data] : answer.data
      this.next = answer.page?.next ?? null
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.isLoading = false
    }
  }

  override willUpdate(): void {
    setPage(this, { title: t('shell.settings.audit'), crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }] })
  }

  #value(name: Filter): string {
    return router.url.searchParams.get(name) ?? ''
  }

  #set(name: Filter, value: string): void {
    const url = new URL(router.url)
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
    navigate(`${url.pathname}${url.search}`, { replace: true })
  }

  override render() {
    return html`
      <p class="lead">${t('shell.audit.lead')}</p>
      ${this.#chain()}
      <div class="filters" role="search" aria-label=${t('shell.audit.filters')}>
        ${this.#select(
          'actor',
          t('shell.audit.anybody'),
          this.#people.map((it) => [it.id, it.name]),
        )}
        ${this.#select(
          'resource',
          t('shell.audit.anything'),
          (shell()?.resources ?? []).map((it) => [it.id, it.name.many]),
        )}
        ${this.#date('from')} ${this.#date('to')}
        ${
          filters.some((it) => this.#value(it))
            ? html`<a class="button small ghost" href="/settings/audit">${icon('x')}${t('shell.audit.clear')}</a>`
            : nothing
        }
      </div>
      ${
        this.problem
          ? html`<p class="problem" role="alert">
              ${icon('circle-alert')}<span class="grow">${this.problem}</span>
              <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
            </p>`
          : nothing
      }
      ${this.entries ? this.#list(this.entries) : this.problem ? nothing : html`<socle-skeleton .lines=${8}></socle-skeleton>`}
      ${
        this.next
          ? html`<p class="more">
              <button
                class="button"
                aria-disabled=${this.isLoading ? 'true' : nothing}
                @click=${() => void this.#load(this.next ?? undefined)}
              >
                ${t('shell.audit.older')}
              </button>
            </p>`
          : nothing
      }
    `
  }

  /** Whether the chain holds, once somebody asked: to walk it takes a while. */
  #chain() {
    if (typeof this.chain !== 'object') {
      const isChecking = this.chain === 'checking'
      return html`<p class="chain">
        <button class="button small" aria-disabled=${isChecking ? 'true' : nothing} @click=${() => void this.#verify()}>
          ${icon('shield')}${t(isChecking ? 'shell.audit.chain.checking' : 'shell.audit.chain.check')}
        </button>
      </p>`
    }
    const { fault, checked, head } = this.chain
    if (fault) return problemLine(fault.detail)
    return html`<p class="chain ok" role="status">
      ${icon('circle-check')}<span
        >${head ? t('shell.audit.chain.holds', { count: checked, until: format.instant(head.at) }) : t('shell.audit.chain.empty')}
        ${head ? html`<code title=${head.hash}>${head.hash.slice(0, 12)}</code>` : nothing}</span
      >
    </p>`
  }

  async #verify(): Promise<void> {
    if (this.chain === 'checking') return
    this.chain = 'checking'
    try {
      this.chain = (await api.get<{ data: Verification }>('/api/core/audit/verification')).data
    } catch (problem) {
      this.chain = undefined
      tellProblem(problem)
    }
  }

  #select(name: Filter, all: string, options: readonly (readonly [string, string])[]) {
    const value = this.#value(name)
    return html`
      <label class="field">
        <span class="label">${t(`shell.audit.filter.${name}`)}</span>
        <select class="input" @change=${(event: Event) => this.#set(name, (event.target as HTMLSelectElement).value)}>
          <option value="">${all}</option>
          ${options.map(([id, title]) => html`<option value=${id} .selected=${id === value}>${title}</option>`)}
        </select>
      </label>
    `
  }

  #date(name: 'from' | 'to') {
    const label = t(`shell.audit.${name}`)
    const field = { name, type: 'date', label, required: false, writable: true, sortable: false } as const
    return html`
      <socle-field
        .field=${field}
        .value=${this.#value(name)}
        @socle-input=${(event: CustomEvent<{ value: unknown }>) => this.#set(name, String(event.detail.value ?? ''))}
      ></socle-field>
    `
  }

  #list(entries: readonly AuditEntry[]) {
    if (entries.length === 0) {
      return html`<socle-empty
        icon="history"
        heading=${t('shell.audit.none')}
        text=${t('shell.audit.noneText')}
      ></socle-empty>`
    }
    return html`
      <ol class="rows">
        ${repeat(
          entries,
          (it) => it.id,
          (it) => this.#entry(it),
        )}
      </ol>
    `
  }

  #entry(entry: AuditEntry) {
    const [first] = entry.changes
    const isShort = entry.changes.length === 1 && first!.changes.length <= 3 && first!.action === 'update'
    return html`
      <li>
        <details ?open=${isShort} @toggle=${() => this.#opened(entry)}>
          <summary>
            ${icon('chevron-right')} ${avatar(actorName(entry))}
            <span class="grow">
              <span class="name">${this.#sentence(entry)}</span>
              <span class="meta"
                >${kindsOf(entry)}${format.instant(entry.at)} ·
                ${originWords(entry.origin)}${entry.reason ? ` · ${resource(entry.reason)?.name.many ?? entry.reason}` : ''}</span
              >
            </span>
            ${entry.undone ? html`<span class="pill">${icon('undo')}${t('shell.audit.undone')}</span>` : nothing}
          </summary>
          <div class="changes">
            ${isShort || this.#seen.has(entry.id) ? entry.changes.map((it) => this.#change(it)) : nothing}
          </div>
        </details>
        ${
          entry.undone || entry.mayUndo === false || !entry.changes.length
            ? nothing
            : html`<button class="button small" @click=${() => void this.#undo(entry)}>
                ${icon('undo')}${t('shell.undo')}
              </button>`
        }
      </li>
    `
  }

  #sentence(entry: AuditEntry): string {
    const actor = actorName(entry)
    const [first] = entry.changes
    if (!first) return t('shell.audit.nothing', { actor })
    const count = entry.count ?? entry.changes.length
    if (entry.undoOf) return t('shell.audit.tookBack', { actor, count })
    if (count > 1) return t('shell.audit.many', { actor, count })
    if (first.resource === pluginEntry) {
      const state = first.changes.find(({ field }) => field === 'state')?.new
      const done = switched[String(state)] ?? 'set'
      return t(`shell.audit.module.${done}`, { actor, title: titleOf(first) })
    }
    return t(`shell.audit.${first.action}`, { actor, title: titleOf(first) })
  }

  /** What nobody opened is not drawn: the records of an import would ask for the titles of all they point at. */
  #opened(entry: AuditEntry): void {
    if (this.#seen.has(entry.id)) return
    this.#seen.add(entry.id)
    this.requestUpdate()
  }

  #change(change: AuditEntry['changes'][number]) {
    const meta = resource(change.resource)
    const href = change.action === 'delete' ? undefined : recordHref(change.resource, change.record)
    const title = titleOf(change)
    return html`
      <div class="change">
        <p>
          ${meta ? icon(meta.icon) : nothing} ${href ? html`<a class="link" href=${href}>${title}</a>` : title}
          <span class="meta"
            >${meta?.name.one ?? kindOf(change.resource)} · ${t(`shell.audit.action.${change.action}`)}</span
          >
        </p>
        ${change.changes.length > 0 && !change.changes.some(isSwitch(change.resource)) ? html`<dl>${change.changes.map((it) => this.#field(meta, it))}</dl>` : nothing}
      </div>
    `
  }

  #field(meta: ResourceMeta | undefined, change: { field: string; old: unknown; new: unknown }) {
    return html`
      <div>
        <dt>${meta?.fields.find((it) => it.name === change.field)?.label ?? change.field}</dt>
        <dd>
          ${hasValue(change.old) ? html`<del>${this.#shown(meta, change.field, change.old)}</del> ${icon('arrow-right')}` : nothing}
          <ins>${hasValue(change.new) ? this.#shown(meta, change.field, change.new) : t('shell.audit.empty')}</ins>
        </dd>
      </div>
    `
  }

  #shown(meta: ResourceMeta | undefined, name: string, value: unknown): string {
    const field = meta?.fields.find((it) => it.name === name)
    if (!field) return typeof value === 'object' ? JSON.stringify(value) : String(value)
    const person = field.type === 'user' ? this.#people.find((it) => it.id === value)?.name : undefined
    if (person !== undefined) return person
    if (pointsAtRecord(field) && field.target)
      return titleFor(field.target, String(value), () => this.requestUpdate()) ?? '…'
    return format.value(field, value)
  }

  async #undo(entry: AuditEntry): Promise<void> {
    try {
      const done = await undo(entry.id)
      const meta = resource(entry.changes[0]?.resource ?? '')
      if (done.id !== undefined && meta) {
        const { followUndo } = await import('../records/bulk-runs.ts')
        await followUndo(meta, done.id)
        return
      }
      if (done.kept?.length) (await import('../records/kept.ts')).tellKept(done.kept)
      else toast({ text: t('shell.audit.undid'), tone: 'success' })
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .chain {
        display: flex;
        gap: 8px;
        margin-block-end: 16px;
        font: var(--socle-small);
      }
      .chain.ok .icon {
        color: var(--socle-success);
      }
      .filters {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px 12px;
        margin-block-end: 16px;
      }
      .filters .field {
        gap: 4px;
      }
      .filters .input {
        inline-size: auto;
        max-inline-size: 100%;
      }
      .filters socle-field {
        inline-size: 150px;
      }
      .rows > li {
        align-items: flex-start;
      }
      details {
        flex: 1;
        min-inline-size: 0;
      }
      summary {
        display: flex;
        align-items: center;
        gap: 10px;
        list-style: none;
        cursor: pointer;
        border-radius: 6px;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      summary > .icon {
        color: var(--socle-text-3);
      }
      details[open] > summary > .icon {
        transform: rotate(90deg);
      }
      .avatar {
        inline-size: 24px;
        block-size: 24px;
      }
      .changes {
        display: grid;
        gap: 8px;
        margin: 8px 0 4px 60px;
      }
      .change p {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px;
      }
      .change .icon {
        inline-size: 14px;
        block-size: 14px;
        color: var(--socle-text-3);
      }
      dl {
        padding-inline-start: 20px;
        font: var(--socle-small);
      }
      dl > div {
        display: grid;
        grid-template-columns: minmax(100px, 160px) minmax(0, 1fr);
        gap: 12px;
        padding-block: 2px;
      }
      dt {
        color: var(--socle-text-3);
      }
      dd {
        overflow-wrap: anywhere;
      }
      del {
        color: var(--socle-text-3);
      }
      ins {
        text-decoration: none;
        font-weight: 500;
      }
      .more {
        display: grid;
        justify-items: center;
        padding: 16px;
      }
      @media (width < 600px) {
        .filters {
          display: grid;
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        .filters .input,
        .filters socle-field {
          inline-size: 100%;
        }
        .changes {
          margin: 8px 0 0 34px;
        }
        dl {
          padding-inline-start: 0;
        }
        .rows > li {
          gap: 4px;
          flex-direction: column;
          align-items: stretch;
        }
        .rows > li > .button {
          align-self: flex-end;
        }
        dl > div {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
          padding-block: 4px;
        }
        summary > .icon {
          display: none;
        }
      }
    `,
  ]
}

/** What kinds of records it touched, before the rest of the line. */
function kindsOf(entry: AuditEntry): string {
  const kinds = [...new Set(entry.changes.map((it) => resource(it.resource)?.name.one ?? kindOf(it.resource)))]
  return kinds.length > 0 ? `${format.list(kinds)} · ` : ''
}

/** Under which the ledger keeps that a module was switched on or off. */
const pluginEntry = 'core.plugin'
/** Under which it keeps that an address was suppressed or lifted, by which channel. */
const suppressionEntry = 'core.suppression'

const switched: Readonly<Record<string, string>> = { enabled: 'on', disabled: 'off', quarantined: 'stopped' }

/** A switch is said in a sentence and needs no table of values. */
const isSwitch = (resource: string) => (it: { readonly field: string }) =>
  resource === pluginEntry && it.field === 'state'

function kindOf(id: string): string {
  if (id === suppressionEntry) return t('shell.privacy.suppression')
  return id === pluginEntry ? t('shell.audit.module') : (resource(id)?.name.one ?? id)
}

/** Who acted; the platform and its modules act under their own name, not under an id. */
function actorName({ actor }: AuditEntry): string {
  if (actor.type !== 'system' && actor.type !== 'plugin') return actor.name
  if (actor.name === 'core' || actor.name === 'system') return 'Socle'
  return shell()?.plugins.find((it) => it.id === actor.name)?.title ?? actor.name
}

function titleOf(change: AuditEntry['changes'][number]): string {
  if (change.resource === pluginEntry)
    return shell()?.plugins.find(({ id }) => id === change.title)?.title ?? change.title ?? ''
  if (change.resource === suppressionEntry) return t(`shell.consent.channel.${change.title}`)
  return change.title || (resource(change.resource)?.name.one ?? change.resource)
}

define('shell-audit', ShellAudit)
