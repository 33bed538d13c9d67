import {
  controls,
  format,
  icon,
  KitElement,
  live,
  may,
  navigate,
  ProblemError,
  records,
  resource,
  shell,
  t,
  toast,
  valueTemplate,
} from '@socle/sdk/ui'
import type {
  FieldMeta,
  Included,
  MenuItem,
  Page,
  RecordJson,
  ResourceMeta,
  ShellFill,
  TabItem,
  TimelineEntry,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { whyLink } from '../access/why-link.ts'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { forgetRecord } from '../recent.ts'
import { session } from '../session-doc.ts'
import { ShellFillElement } from '../shell-fill.ts'
import { ShellSlot } from '../shell-slot.ts'
import { shortcuts } from '../shortcuts.ts'
import { fillsOf } from '../slots.ts'
import { hrefAsOf, lookOnly } from './as-of.ts'
import { MediaQuery } from './media-query.ts'
import { onUndone, tellDone } from './own-changes.ts'
import {
  createLabel,
  fieldOf,
  fieldsOf,
  hasValue,
  hrefOf,
  includesFor,
  includedTitle,
  moduleOf,
  titleOf,
} from './resources.ts'
import { ShellActivityComposer } from './shell-activity-composer.ts'
import { ShellDuplicateHint } from './shell-duplicate-hint.ts'
import { ShellRecordDetails } from './shell-record-details.ts'
import { ShellRelated } from './shell-related.ts'
import { ShellStagePath } from './shell-stage-path.ts'
import { ShellTimeline } from './shell-timeline.ts'
import { withTones } from './stages.ts'
import { extendTrail, placeOf, readTrail } from './trail.ts'
import type { Trail } from './trail.ts'

define('shell-duplicate-hint', ShellDuplicateHint)
define('shell-fill', ShellFillElement)
define('shell-record-details', ShellRecordDetails)
define('shell-related', ShellRelated)
define('shell-slot', ShellSlot)
define('shell-stage-path', ShellStagePath)
define('shell-timeline', ShellTimeline)

/** Fields the engine keeps itself: they stand in one line below the others. */
const kept = ['createdAt', 'createdBy', 'updatedAt', 'updatedBy', 'deletedAt', 'version', 'id']
const logged = ['note', 'call', 'meeting', 'task'] as const
const logIcons = { note: 'message-square', call: 'phone', meeting: 'calendar', task: 'square-check' }

/** One record: who it is, what happened, what belongs to it. */
export class ShellRecordPage extends KitElement {
  static override properties = {
    resource: {},
    url: { attribute: false },
    params: { attribute: false },
    record: { state: true },
    problem: { state: true },
    trail: { state: true },
    creating: { state: true },
    showsAll: { state: true },
    addsField: { state: true },
  }

  declare resource: string
  declare url: URL | undefined
  declare params: Readonly<Record<string, string>>
  declare private record: RecordJson | undefined
  declare private problem: ProblemError | undefined
  declare private trail: Trail | undefined
  /** Collection whose create form is open. */
  declare private creating: { target: string; field: string } | undefined
  declare private showsAll: boolean
  /** A field is being defined. */
  declare private addsField: boolean
  #newField: string | undefined
  #included: Included = {}
  #timelineFirst: Page<TimelineEntry> | undefined
  #shown = ''
  #stop: (() => void)[] = []
  readonly #wide = new MediaQuery(this, '(min-width: 1360px)')
  readonly #medium = new MediaQuery(this, '(min-width: 900px)')
  readonly #narrow = new MediaQuery(this, '(max-width: 599.98px)')

  constructor() {
    super()
    this.params = {}
    this.showsAll = false
    this.addsField = false
  }

  get #id(): string {
    return this.params['id'] ?? ''
  }

  get #meta(): ResourceMeta {
    const meta = resource(this.resource)!
    return this.#asOf ? lookOnly(meta) : meta
  }

  /** The instant whose values are shown; `undefined` shows those of now. */
  get #asOf(): string | undefined {
    return (this.url ?? new URL(location.href)).searchParams.get('asOf') || undefined
  }

  override connectedCallback(): void {
    super.connectedCallback()
    const shortcut = (keys: string, title: string, run: () => void) => ({ keys, title, group: 'screen' as const, run })
    this.#stop = [
      live.on('record', (event) => {
        if (event.id === this.#id && !this.#asOf && event.version > (this.record?.version ?? 0)) void this.#load()
      }),
      onUndone((change) => change.ids.includes(this.#id) && !this.#asOf && void this.#load()),
      shortcuts.add([
        shortcut('[', t('shell.records.keys.previous'), () => void this.#step(-1)),
        shortcut(']', t('shell.records.keys.next'), () => void this.#step(1)),
        shortcut('e', t('shell.records.keys.edit'), () =>
          this.renderRoot.querySelector<ShellRecordDetails>('shell-record-details')?.edit(),
        ),
        shortcut('Escape', t('shell.records.keys.back'), () => navigate(this.trail?.href ?? this.#meta.route)),
      ]),
    ]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
  }

  override willUpdate(changed: PropertyValues): void {
    if (!resource(this.resource)) return
    const key = `${this.resource} ${this.#id} ${this.#asOf ?? ''}`
    if ((changed.has('params') || changed.has('resource') || changed.has('url')) && key !== this.#shown) {
      // The same record at another instant stays on screen until its values are there.
      if (!this.#shown.startsWith(`${this.resource} ${this.#id} `)) this.record = undefined
      this.#shown = key
      this.problem = undefined
      this.creating = undefined
      this.trail = readTrail(this.resource)
      void this.#load()
      if (this.trail)
        void extendTrail(this.trail, this.#id)
          .then((trail) => (this.trail = trail))
          .catch(() => undefined)
    }
    if (this.#tab === 'history' || !this.#meta.timeline)
      void import('./shell-record-history.ts').then((it) => this.#define('shell-record-history', it.ShellRecordHistory))
    if (this.#tab === 'consent')
      void import('./shell-consent.ts').then((it) => this.#define('shell-consent', it.ShellConsent))
    if (this.#tab === 'access')
      void import('./shell-record-access.ts').then((it) => this.#define('shell-record-access', it.ShellRecordAccess))
    if (this.creating)
      void import('./shell-record-form.ts').then((it) => this.#define('shell-record-form', it.ShellRecordForm))
  }

  override updated(): void {
    if (!resource(this.resource)) return
    setPage(this, this.#page())
    this.#openNewField()
    // Whoever comes back to the timeline reads it anew: what was written since is in no answer to this page.
    if (this.record) this.#timelineFirst = undefined
  }

  async #load(): Promise<void> {
    const id = this.#id
    const asOf = this.#asOf
    try {
      const answer = await records(this.resource).get(id, {
        include: includesFor(this.#meta.fields),
        asOf,
        // One answer for a page that opens; what is written about it later is read by itself.
        timeline: this.#meta.timeline && !asOf && this.record?.id !== id ? 'first' : undefined,
      })
      if (id !== this.#id || asOf !== this.#asOf) return
      // The record was merged: its address leads to the one that stayed.
      if (answer.data.id !== id) {
        navigate(hrefOf(this.#meta, answer.data.id), { replace: true })
        return
      }
      this.#included = withTones(answer.included ?? {})
      this.#timelineFirst = answer.timeline
      this.record = answer.data
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (id !== this.#id || asOf !== this.#asOf) return
      this.problem = error
      if (asOf) this.record = undefined
      else if (error.status === 404) forgetRecord(id)
    }
  }

  #define(tag: string, element: CustomElementConstructor): void {
    if (customElements.get(tag)) return
    define(tag, element)
    this.requestUpdate()
  }

  async #step(by: number): Promise<void> {
    const place = placeOf(this.trail, this.#id)
    const id = by < 0 ? place?.previous : place?.next
    if (id) navigate(hrefAsOf(hrefOf(this.#meta, id), this.#asOf), { replace: true })
  }

  // ——— top bar ———

  #page() {
    const meta = this.#meta
    const { record } = this
    const title = record ? titleOf(meta, record) : meta.name.one
    const place = placeOf(this.trail, this.#id)
    const module = moduleOf(meta)
    const position = place && t('shell.records.position', { position: place.position, total: place.count })
    return {
      title,
      documentTitle: [position, title, meta.name.many].filter(Boolean).join(', '),
      crumbs: [
        ...(module && !this.#narrow.matches ? [{ title: module }] : []),
        { title: meta.name.many, href: this.trail?.href ?? meta.route },
      ],
      ...(record ? { status: this.#status(record), record: { resource: meta.id, id: record.id, title } } : {}),
      actions: html`${place ? this.#steps(position ?? '', place) : nothing} ${record ? this.#actions(record) : nothing}`,
    }
  }

  #status(record: RecordJson) {
    const meta = this.#meta
    const named = ['status', 'state', 'lifecycle', meta.kanban?.by].flatMap((it) =>
      it ? (fieldOf(meta, it) ?? []) : [],
    )
    const field = named.find((it) => (it.type === 'select' || it.type === 'reference') && record[it.name])
    return field
      ? html`${valueTemplate(field, record[field.name], { record, included: this.#included, links: false })}`
      : html``
  }

  #steps(position: string, place: { previous: string | undefined; next: string | undefined }) {
    const step = (by: number, id: string | undefined) =>
      html`<button
        class="icon-button"
        ?disabled=${!id}
        title=${t(by < 0 ? 'shell.records.keys.previous' : 'shell.records.keys.next')}
        aria-label=${t(by < 0 ? 'shell.records.keys.previous' : 'shell.records.keys.next')}
        @click=${() => void this.#step(by)}
      >
        ${icon(by < 0 ? 'chevron-left' : 'chevron-right')}
      </button>`
    return html`${this.#narrow.matches ? nothing : html`<span class="meta number">${position}</span>`}${step(-1, place.previous)}${step(1, place.next)}`
  }

  #actions(record: RecordJson) {
    const meta = this.#meta
    const mayLog = meta.timeline && !this.#asOf && ShellActivityComposer.isPossible()
    const logItems: MenuItem[] = mayLog
      ? logged.map((id) => ({ id: `log:${id}`, label: t(`shell.records.composer.${id}`), icon: logIcons[id] }))
      : []
    const newItems: MenuItem[] = this.#collections.flatMap(({ target, field }) => {
      const other = resource(target)
      return other?.may.create && !this.#asOf
        ? [{ id: `new:${target}:${field}`, label: other.name.one, icon: other.icon }]
        : []
    })
    const moreItems: MenuItem[] = [
      { id: 'copy', label: t('shell.records.page.copy'), icon: 'link' },
      {
        id: 'history',
        label: t('shell.records.history.label'),
        icon: 'history',
        href: hrefAsOf(`${hrefOf(meta, record.id)}/history`, this.#asOf),
      },
      ...(may('core.event.read')
        ? [
            {
              id: 'events',
              label: t('shell.events.ofRecord'),
              icon: 'activity',
              href: `/settings/events?record=${record.id}`,
            },
          ]
        : []),
      ...(meta.may.delete
        ? [{ id: 'delete', label: t('shell.records.page.delete'), icon: 'trash-2', danger: true, separator: true }]
        : []),
    ]
    const chosen = (event: CustomEvent<{ id: string }>) => void this.#chosen(event.detail.id)
    const menu = (label: string, items: readonly MenuItem[], kind: string) =>
      items.length
        ? html`<socle-menu
            caret
            align="end"
            kind=${kind}
            .label=${label}
            .items=${items}
            @socle-choose=${chosen}
          ></socle-menu>`
        : nothing
    if (this.#narrow.matches) {
      return html`<socle-menu
        icon-only
        icon="ellipsis"
        align="end"
        .label=${t('shell.records.page.more')}
        .items=${[...logItems, ...newItems, ...moreItems]}
        @socle-choose=${chosen}
      ></socle-menu>`
    }
    return html`
      ${menu(t('shell.records.page.log'), logItems, 'secondary')}
      ${menu(t('shell.records.page.new'), newItems, 'secondary')}
      <socle-menu
        icon-only
        icon="ellipsis"
        align="end"
        .label=${t('shell.records.page.more')}
        .items=${moreItems}
        @socle-choose=${chosen}
      ></socle-menu>
    `
  }

  async #chosen(id: string): Promise<void> {
    const [what, first, second] = id.split(':')
    if (what === 'log' && first) await this.#log(first)
    if (what === 'new' && first && second) this.creating = { target: first, field: second }
    if (what === 'copy') {
      await navigator.clipboard.writeText(
        new URL(hrefAsOf(hrefOf(this.#meta, this.#id), this.#asOf), location.href).href,
      )
      toast({ text: t('shell.records.page.copied') })
    }
    if (what === 'delete') await this.#delete()
  }

  async #log(kind: string): Promise<void> {
    if (this.#tab !== 'activity') navigate(this.#tabHref('activity'), { replace: true })
    await this.updateComplete
    const timeline = this.renderRoot.querySelector<ShellTimeline>('shell-timeline')
    await timeline?.updateComplete
    timeline?.write(kind)
  }

  async #delete(): Promise<void> {
    const { record } = this
    if (!record) return
    const meta = this.#meta
    try {
      const { changeSet } = await records(meta.id).remove(record.id, record.version)
      tellDone(t('shell.records.page.deleted', { title: titleOf(meta, record) }), {
        changeSet,
        resource: meta.id,
        ids: [record.id],
      })
      forgetRecord(record.id)
      navigate(this.trail?.href ?? meta.route)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: error.detail, tone: 'danger' })
      if (error.code === 'VERSION_CONFLICT') void this.#load()
    }
  }

  // ——— body ———

  get #collections() {
    return this.#meta.collections.filter((it) => resource(it.target))
  }

  get #fills(): readonly ShellFill[] {
    return fillsOf(`${this.resource}.tabs@1`)
  }

  /** A person may object to being written to, and ask what is held of them. */
  get #isPerson(): boolean {
    if (this.resource === 'core.account') return this.record?.['kind'] === 'person'
    return this.resource === 'core.contact' || this.resource === 'core.lead'
  }

  /** Who sees the record is told to whoever may share it or answers for roles. */
  get #tellsAccess(): boolean {
    return !this.#asOf && (this.#meta.may.share || may('core.role.manage') || may('core.audit.read'))
  }

  get #hasRelated(): boolean {
    // What belongs to it is told as of now.
    if (this.#asOf) return false
    return this.#collections.length > 0 || fillsOf(`${this.resource}.side@1`).length > 0
  }

  get #tab(): string {
    const wanted = this.params['tab']
    if (this.#asOf) return wanted === 'details' && !this.#medium.matches ? 'details' : 'history'
    if (!wanted) return this.#medium.matches ? this.#first : 'details'
    const known = [
      this.#first,
      'history',
      'details',
      'related',
      ...(this.#isPerson ? ['consent'] : []),
      ...(this.#tellsAccess ? ['access'] : []),
      ...this.#fills.map((it) => it.id),
    ]
    return known.includes(wanted) ? wanted : this.#first
  }

  /** What a page opens with beside the details: its timeline, where its records have one. */
  get #first(): string {
    return this.#meta.timeline ? 'activity' : 'history'
  }

  #tabHref(tab: string): string {
    const page = hrefOf(this.#meta, this.#id)
    const path = tab === this.#first && this.#medium.matches ? page : `${page}/${encodeURIComponent(tab)}`
    return hrefAsOf(path, this.#asOf)
  }

  get #context() {
    const entity = this.resource.split('.').at(-1)!
    return { resource: this.resource, id: this.#id, [entity]: this.#id, record: this.record }
  }

  override render() {
    if (!resource(this.resource)) return nothing
    if (this.problem && !this.record) return this.#gone(this.problem)
    const { record } = this
    if (!record) return html`<div class="wait"><socle-skeleton .lines=${8}></socle-skeleton></div>`
    const wide = this.#wide.matches
    const medium = this.#medium.matches
    return html`
      ${medium ? html`<section class="side" aria-label=${t('shell.records.page.details')}>${this.#details(record)}${wide || !this.#hasRelated ? nothing : this.#related(record)}</section>` : nothing}
      <section class="center">
        ${this.#past()}${this.#path(record)}
        <socle-tabs
          .label=${t('shell.records.page.tabs')}
          .items=${this.#tabs(medium)}
          .current=${this.#tab}
        ></socle-tabs>
        <div class="tab">${this.#tabBody(record)}</div>
      </section>
      ${wide && this.#hasRelated ? html`<section class="related" aria-label=${t('shell.records.page.related')}>${this.#related(record)}</section>` : nothing}
      ${this.#createPanel()}
    `
  }

  /** Says that these are not the values of now, and leads back to them. */
  #past() {
    const asOf = this.#asOf
    if (!asOf) return nothing
    const now = `${hrefOf(this.#meta, this.#id)}${this.params['tab'] ? `/${this.params['tab']}` : ''}`
    return html`<div class="past" role="status">
      ${icon('history')}<span>${t('shell.records.asOf.shown', { time: format.instant(asOf) })}</span>
      <a class="button small" href=${now}>${t('shell.records.asOf.now')}</a>
    </div>`
  }

  #path(record: RecordJson) {
    const by = this.#meta.kanban && fieldOf(this.#meta, this.#meta.kanban.by)
    if (!by || by.type === 'user') return nothing
    return html`<shell-stage-path
      .meta=${this.#meta}
      .field=${by}
      .record=${record}
      .included=${this.#included}
      @record-changed=${this.#changed}
    ></shell-stage-path>`
  }

  #tabs(medium: boolean): TabItem[] {
    const tab = (id: string, label: string): TabItem => ({ id, label, href: this.#tabHref(id) })
    const details = medium ? [] : [tab('details', t('shell.records.page.details'))]
    // What happened and what belongs to it is told as of now.
    if (this.#asOf) return [...details, tab('history', t('shell.records.history.label'))]
    return [
      ...details,
      ...(this.#meta.timeline ? [tab('activity', t('shell.records.timeline.label'))] : []),
      ...this.#fills.map((it) => tab(it.id, it.title ?? it.id)),
      ...(this.#isPerson ? [tab('consent', t('shell.consent.label'))] : []),
      tab('history', t('shell.records.history.label')),
      ...(this.#tellsAccess ? [tab('access', t('shell.share.tab'))] : []),
      ...(medium || !this.#hasRelated ? [] : [tab('related', t('shell.records.page.related'))]),
    ]
  }

  #tabBody(record: RecordJson) {
    const tab = this.#tab
    if (tab === 'details') return this.#medium.matches ? this.#opening(record) : this.#details(record)
    if (tab === 'related') return this.#medium.matches ? this.#opening(record) : this.#related(record)
    if (tab === 'history') return this.#history(record)
    if (tab === 'access') return html`<shell-record-access .meta=${this.#meta} .record=${record}></shell-record-access>`
    if (tab === 'consent') return html`<shell-consent .meta=${this.#meta} .record=${record}></shell-consent>`
    const fill = this.#fills.find((it) => it.id === tab)
    return fill ? html`<shell-fill .fill=${fill} .context=${this.#context}></shell-fill>` : this.#opening(record)
  }

  #history(record: RecordJson) {
    return html`<shell-record-history
      .meta=${this.#meta}
      .record=${record}
      .included=${this.#included}
      .asOf=${this.#asOf}
      .hrefOf=${(at: string) => hrefAsOf(`${hrefOf(this.#meta, this.#id)}/${this.#medium.matches ? 'history' : 'details'}`, at)}
    ></shell-record-history>`
  }

  #opening(record: RecordJson) {
    if (!this.#meta.timeline) return this.#history(record)
    return html`<shell-timeline .meta=${this.#meta} .record=${record} .first=${this.#timelineFirst}></shell-timeline>`
  }

  #details(record: RecordJson) {
    const meta = this.#meta
    const order = fieldsOf(meta, meta.details)
    // What may be filled in has its place while it is empty; to who only reads, an empty field says nothing.
    const first = order.filter((it) => meta.form.includes(it.name))
    const others = meta.fields.filter((it) => !meta.details.includes(it.name) && !kept.includes(it.name))
    const rest = [...order.filter((it) => !meta.form.includes(it.name)), ...others]
    const filled = rest.filter((it) => it.masked || hasValue(record[it.name]))
    const hidden = rest.length - filled.length
    const fields = [...first, ...(this.showsAll ? rest : filled)]
    return html`
      ${this.#medium.matches ? html`<h2>${t('shell.records.page.details')}</h2>` : nothing}
      ${meta.duplicates ? html`<shell-duplicate-hint .meta=${meta} .record=${record.id}></shell-duplicate-hint>` : nothing}
      <shell-record-details
        .meta=${meta}
        .record=${record}
        .included=${this.#included}
        .fields=${fields}
        @record-changed=${this.#changed}
      ></shell-record-details>
      ${
        hidden > 0
          ? html`<button
              class="button small ghost all"
              aria-expanded=${this.showsAll}
              @click=${() => (this.showsAll = !this.showsAll)}
            >
              ${icon(this.showsAll ? 'minus' : 'plus')}${this.showsAll ? t('shell.records.page.fewer') : t('shell.records.page.allFields', { count: hidden })}
            </button>`
          : nothing
      }
      ${
        this.#mayAddField
          ? html`<button class="button small ghost all" @click=${this.#addField}>
              ${icon('list-plus')}${t('shell.records.page.addField')}
            </button>`
          : nothing
      }
      ${
        this.addsField
          ? html`<shell-field-dialog
              .resource=${meta}
              @field-saved=${(event: CustomEvent<{ name: string }>) => {
                this.#newField = event.detail.name
                void session.load()
              }}
              @field-closed=${() => (this.addsField = false)}
            ></shell-field-dialog>`
          : nothing
      }
      <p class="meta trace">${this.#trace(record)}</p>
    `
  }

  /** The same people and the same kinds of records as in the settings. */
  get #mayAddField(): boolean {
    return !this.#asOf && this.#meta.may.create && (shell()?.may.includes('core.field.manage') ?? false)
  }

  readonly #addField = async (): Promise<void> => {
    const { ShellFieldDialog } = await import('../settings/shell-field-dialog.ts')
    define('shell-field-dialog', ShellFieldDialog)
    this.addsField = true
  }

  /** Once the page has heard of the new field, it stands there open to be filled. */
  #openNewField(): void {
    const name = this.#newField
    if (!name || !fieldOf(this.#meta, name)) return
    this.#newField = undefined
    this.showsAll ||= !this.#meta.form.includes(name)
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<ShellRecordDetails>('shell-record-details')?.edit(name),
    )
  }

  #trace(record: RecordJson): string {
    const name = (field: string) => {
      const meta: FieldMeta | undefined = fieldOf(this.#meta, field)
      const id = record[field]
      if (id === shell()?.user.id) return shell()?.user.name
      return meta ? includedTitle(this.#included, meta, id) : undefined
    }
    const line = (action: 'created' | 'updated') => {
      const at = record[`${action}At`]
      if (typeof at !== 'string') return ''
      const by = name(`${action}By`)
      const date = format.instant(at)
      return by ? t(`shell.records.page.${action}By`, { date, by }) : t(`shell.records.page.${action}`, { date })
    }
    return [line('created'), record['updatedAt'] === record['createdAt'] ? '' : line('updated')]
      .filter(Boolean)
      .join(' ')
  }

  #related(record: RecordJson) {
    return html`<div class="lists">
      ${
        this.#collections.length
          ? html`<shell-related
              .meta=${this.#meta}
              .record=${record}
              @related-create=${(event: CustomEvent<{ target: string; field: string }>) => (this.creating = event.detail)}
            ></shell-related>`
          : nothing
      }
      <shell-slot titled name=${`${this.resource}.side@1`} .context=${this.#context}></shell-slot>
    </div>`
  }

  #createPanel() {
    const target = this.creating && resource(this.creating.target)
    if (!target || !this.creating) return nothing
    const close = () => (this.creating = undefined)
    return html`<div class="over">
      <socle-panel
        open
        .heading=${createLabel(target)}
        @socle-close=${(event: Event) => event.target === event.currentTarget && close()}
      >
        <shell-record-form
          .meta=${target}
          .defaults=${this.#defaultsFor(target, this.creating.field)}
          @form-closed=${close}
          @record-created=${(event: CustomEvent<{ another: boolean }>) => {
            if (!event.detail.another) close()
            void this.renderRoot.querySelector<ShellRelated>('shell-related')?.reload()
          }}
        ></shell-record-form>
      </socle-panel>
    </div>`
  }

  /** A contact made from an opportunity belongs to the opportunity's account as well. */
  #defaultsFor(target: ResourceMeta, field: string): Record<string, unknown> {
    const { record } = this
    const defaults: Record<string, unknown> = { [field]: this.#id }
    for (const own of this.#meta.fields) {
      if (own.type !== 'reference' || !record?.[own.name]) continue
      const same = target.fields.filter(
        (it) => it.type === 'reference' && it.target === own.target && it.name === own.name && it.writable,
      )
      for (const it of same) defaults[it.name] ??= record[own.name]
    }
    return defaults
  }

  #gone(problem: ProblemError) {
    const isGone = problem.status === 404 || problem.status === 403
    return html`<socle-empty
      icon=${isGone ? 'circle-help' : 'wifi-off'}
      .heading=${t(isGone ? 'shell.records.gonePage.title' : 'shell.records.failed')}
      .text=${problem.detail}
    >
      ${isGone ? nothing : html`<button slot="actions" class="button" @click=${() => void this.#load()}>${icon('refresh-cw')}${t('shell.records.retry')}</button>`}
      <a slot="actions" class="button" href=${this.#meta.route}
        >${t('shell.records.gonePage.list', { many: this.#meta.name.many })}</a
      >
      ${isGone ? whyLink({ resource: this.#meta.id }) : nothing}
    </socle-empty>`
  }

  readonly #changed = (event: CustomEvent<RecordJson>): void => {
    this.record = event.detail
    void this.#load()
  }

  static override styles = [
    controls,
    css`
      .past {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 10px;
        margin-block-end: 12px;
        padding: 8px 8px 8px 12px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
        font: var(--socle-small);
      }
      .past span {
        flex: 1;
        min-inline-size: 160px;
      }
      :host {
        display: flex;
        flex: 1;
        min-block-size: 0;
        background: var(--socle-surface);
      }
      :host > socle-empty {
        margin: auto;
      }
      .wait {
        flex: 1;
        padding: 24px;
      }
      section {
        min-inline-size: 0;
        overflow: auto;
        scrollbar-width: thin;
      }
      .side {
        flex: none;
        inline-size: clamp(284px, 24vw, 340px);
        padding: 16px;
        border-inline-end: 1px solid var(--socle-line);
      }
      .center {
        display: grid;
        flex: 1;
        align-content: start;
        gap: 16px;
        padding: 16px 24px 32px;
      }
      .center > * {
        min-inline-size: 0;
        inline-size: 100%;
        max-inline-size: 760px;
        margin-inline: auto;
      }
      .related {
        flex: none;
        inline-size: clamp(300px, 23vw, 360px);
        padding: 16px;
        border-inline-start: 1px solid var(--socle-line);
      }
      h2 {
        margin-block-end: 8px;
      }
      .lists {
        display: grid;
        gap: 24px;
      }
      .side .lists {
        margin-block-start: 24px;
        padding-block-start: 16px;
        border-block-start: 1px solid var(--socle-line);
      }
      .all {
        flex-shrink: 1;
        max-inline-size: 100%;
        margin-block-start: 8px;
        text-align: start;
        white-space: normal;
      }
      .trace {
        margin-block-start: 16px;
      }
      .over {
        position: fixed;
        inset-block: 0;
        inset-inline-end: 0;
        z-index: 25;
        box-shadow: var(--socle-shadow);
      }
      @media (max-width: 899.98px) {
        .center {
          padding: 12px 16px 24px;
        }
      }
    `,
  ]
}
