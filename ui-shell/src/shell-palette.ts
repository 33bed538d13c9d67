import {
  KitElement,
  api,
  controls,
  deepActiveElement,
  icon,
  navigate,
  onShellChange,
  recordHref,
  resource,
  shell,
  t,
} from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { live as liveValue } from 'lit/directives/live.js'
import { repeat } from 'lit/directives/repeat.js'
import { preferences } from './preferences.ts'
import { recentRecords } from './recent.ts'
import { session } from './session-doc.ts'
import { settingsPages } from './settings/settings-pages.ts'
import { inSentence } from './records/resources.ts'
import { isInNavigation } from './shell-create.ts'

interface Entry {
  readonly id: string
  readonly group: 'recent' | 'records' | 'kinds' | 'actions' | 'go'
  readonly title: string
  readonly note?: string
  readonly icon: string
  readonly key?: string
  readonly href?: string
  readonly run?: () => unknown
  /** Kind of records that is looked in from now on: the palette stays. */
  readonly narrows?: string
  /** Of a record: its kind. */
  readonly kind?: string
}

interface Hit {
  readonly resource: string
  readonly id: string
  readonly title: string
  readonly subtitle?: string | null
}

const pause = 80
const perGroup = { recent: 6, records: 12, kinds: 6, actions: 8, go: 8 } as const
const order = ['recent', 'records', 'kinds', 'actions', 'go'] as const

/** Find or do anything. Typing filters what is known at once; the server's hits follow and never disturb the choice. */
export class ShellPalette extends KitElement {
  static override properties = {
    url: { attribute: false },
    text: { state: true },
    hits: { state: true },
    chosen: { state: true },
    isWaiting: { state: true },
    problem: { state: true },
    kind: { state: true },
  }
  declare url: URL
  declare text: string
  declare hits: readonly Entry[]
  declare chosen: string | undefined
  declare isWaiting: boolean
  declare problem: string | undefined
  /** The only kind of records looked in. */
  declare kind: string | undefined

  #own: readonly Entry[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn: AbortController | undefined
  #before: Element | null | undefined
  #stop: (() => void) | undefined

  constructor() {
    super()
    this.text = ''
    this.hits = []
    this.isWaiting = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#before = deepActiveElement()
    this.#own = ownEntries()
    this.#stop = onShellChange(() => (this.#own = ownEntries()))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#turn?.abort()
    clearTimeout(this.#timer)
    if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus({ preventScroll: true })
  }

  override firstUpdated(): void {
    this.#dialog?.showModal()
  }

  /** As if it were typed here. */
  write(text: string): void {
    this.text = text
    this.#ask()
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog')
  }

  #entries(): readonly Entry[] {
    const wanted = fold(this.text.trim())
    const { kind } = this
    const known = kind ? this.#own.filter((it) => it.kind === kind) : this.#own
    const own = wanted ? ranked(known, wanted) : known.filter((it) => it.group !== 'go' || it.key)
    const kinds = wanted && !kind ? this.#kinds(wanted) : []
    return order.flatMap((group) =>
      (group === 'records' ? this.hits : group === 'kinds' ? kinds : own.filter((it) => it.group === group)).slice(
        0,
        perGroup[group],
      ),
    )
  }

  /** Kinds of records that can be looked in alone: those called as is typed, then those that something was found of. */
  #kinds(wanted: string): readonly Entry[] {
    const found = new Set(this.hits.map((it) => it.kind))
    const all = (shell()?.resources ?? []).filter(({ route }) => isInNavigation(route))
    const called = all.filter(({ name }) => [name.many, name.one].some((it) => fold(it).startsWith(wanted)))
    const met = found.size > 1 ? all.filter(({ id }) => found.has(id) && !called.some((it) => it.id === id)) : []
    return [...called, ...met].map(({ id, name, icon: sign }) => ({
      id: `kind:${id}`,
      group: 'kinds',
      title: t('shell.palette.only', { many: name.many }),
      // What was typed is the kind's own name, or is looked for in it further on.
      note: t(called.some((it) => it.id === id) ? 'shell.palette.onlyNext' : 'shell.palette.onlyText', {
        text: this.text,
      }),
      icon: sign,
      narrows: id,
    }))
  }

  override render() {
    const entries = this.#entries()
    const chosen = entries.some((it) => it.id === this.chosen) ? this.chosen : entries[0]?.id
    return html`
      <dialog
        aria-label=${t('shell.palette.title')}
        @close=${this.#close}
        @click=${this.#onBackdrop}
        @keydown=${this.#onKey}
      >
        <div class="box">
          ${icon('search')} ${this.#kindChip()}
          <input
            type="text"
            role="combobox"
            autofocus
            autocomplete="off"
            spellcheck="false"
            aria-expanded="true"
            aria-controls="found"
            aria-autocomplete="list"
            aria-activedescendant=${chosen ? domId(chosen) : nothing}
            aria-label=${t('shell.palette.title')}
            placeholder=${this.kind ? t('shell.palette.onlyPlaceholder', { many: inSentence(resource(this.kind)?.name.many ?? '') }) : t('shell.palette.placeholder')}
            .value=${liveValue(this.text)}
            @input=${this.#onInput}
          />
          <kbd class="kbd">Esc</kbd>
        </div>
        <div id="found" role="listbox" aria-label=${t('shell.palette.results')} aria-busy=${this.isWaiting}>
          ${order.map((group) => this.#group(group, entries, chosen))}
          ${this.problem ? html`<p class="hint fault">${icon('circle-alert')}${this.problem}</p>` : nothing}
          ${
            entries.length === 0 && !this.isWaiting && !this.problem
              ? html`<p class="hint">${t('shell.palette.nothing', { text: this.text })}</p>`
              : nothing
          }
        </div>
        <p class="foot meta" aria-hidden="true">
          <span><kbd class="kbd">↑</kbd> <kbd class="kbd">↓</kbd> ${t('shell.palette.choose')}</span>
          <span><kbd class="kbd">↵</kbd> ${t('shell.palette.open')}</span>
        </p>
        <p class="visually-hidden" role="status">
          ${this.text && !this.isWaiting ? t('shell.palette.count', { count: entries.length }) : ''}
        </p>
      </dialog>
    `
  }

  #kindChip() {
    const meta = this.kind === undefined ? undefined : resource(this.kind)
    if (!meta) return nothing
    return html`<button
      class="kind"
      title=${t('shell.palette.all')}
      aria-label=${t('shell.palette.onlyDrop', { many: meta.name.many })}
      @click=${() => this.#narrow(undefined)}
    >
      ${icon(meta.icon)}<span>${meta.name.many}</span>${icon('x')}
    </button>`
  }

  #group(group: Entry['group'], entries: readonly Entry[], chosen: string | undefined) {
    const own = entries.filter((it) => it.group === group)
    if (own.length === 0) return nothing
    return html`
      <div role="group" aria-label=${t(`shell.palette.${group}`)}>
        <p class="heading meta" aria-hidden="true">${t(`shell.palette.${group}`)}</p>
        ${repeat(
          own,
          (it) => it.id,
          (it) => html`
            <div
              role="option"
              id=${domId(it.id)}
              aria-selected=${it.id === chosen}
              @pointermove=${() => (this.chosen = it.id)}
              @click=${(event: MouseEvent) => this.#run(it, event.ctrlKey || event.metaKey)}
            >
              ${icon(it.icon)}
              <span class="title">${it.title}</span>
              ${it.note ? html`<span class="note">${it.note}</span>` : nothing}
              ${it.key ? html`<span class="keys">${it.key.split(' ').map((key) => html`<kbd class="kbd">${key.toUpperCase()}</kbd>`)}</span>` : nothing}
            </div>
          `,
        )}
      </div>
    `
  }

  readonly #onInput = (event: Event): void => this.write((event.target as HTMLInputElement).value)

  /** Looks in one kind of records only, or in all again; a kind's own name was typed to choose it. */
  #narrow(kind: string | undefined): void {
    const meta = kind === undefined ? undefined : resource(kind)
    const typed = fold(this.text.trim())
    if (meta && [meta.name.many, meta.name.one].some((it) => fold(it).startsWith(typed))) this.text = ''
    this.kind = kind
    this.hits = []
    this.#ask()
    this.renderRoot.querySelector('input')?.focus()
  }

  #ask(): void {
    this.chosen = undefined
    this.problem = undefined
    clearTimeout(this.#timer)
    this.#turn?.abort()
    const wanted = this.text.trim()
    this.isWaiting = wanted.length > 0
    if (wanted) this.#timer = setTimeout(() => void this.#search(wanted), pause)
    else this.hits = []
  }

  async #search(wanted: string): Promise<void> {
    const turn = new AbortController()
    this.#turn = turn
    try {
      const only = this.kind === undefined ? '' : `&type=${encodeURIComponent(this.kind)}`
      const path = `/api/core/search?q=${encodeURIComponent(wanted)}&limit=${perGroup.records}${only}`
      const { data } = await api.get<{ data: readonly Hit[] }>(path, { signal: turn.signal })
      this.hits = data.map(hitEntry).filter((it) => it !== undefined)
    } catch (problem) {
      if (turn.signal.aborted) return
      this.problem = problem instanceof Error ? problem.message : String(problem)
    }
    this.isWaiting = false
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    // It has just closed, and the focus is on its way back: the key is the page's.
    if (!this.#dialog?.open) return
    const isInText = event.composedPath()[0] instanceof HTMLInputElement
    const entries = this.#entries()
    const at = Math.max(
      0,
      entries.findIndex((it) => it.id === this.chosen),
    )
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      this.chosen = entries[(at + step + entries.length) % entries.length]?.id
      void this.updateComplete.then(() =>
        this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }),
      )
    } else if (event.key === 'Backspace' && isInText && this.text === '' && this.kind) {
      event.preventDefault()
      this.#narrow(undefined)
    } else if (event.key === 'Enter' && isInText && entries[at]) {
      event.preventDefault()
      this.#run(entries[at], event.ctrlKey || event.metaKey)
    } else if (event.key === 'Escape' && (this.text || this.kind)) {
      // First steps back: the text, then the kind. The last closes.
      event.preventDefault()
      if (!this.text) this.kind = undefined
      this.text = ''
      this.hits = []
    }
    event.stopPropagation()
  }

  #run(entry: Entry, aside: boolean): void {
    if (entry.narrows) {
      this.#narrow(entry.narrows)
      return
    }
    if (aside && entry.href) {
      window.open(entry.href, '_blank')
      return
    }
    this.#before = undefined
    this.#dialog?.close()
    if (entry.href) navigate(entry.href)
    else void entry.run?.()
  }

  readonly #onBackdrop = (event: MouseEvent): void => {
    if (event.target === this.#dialog) this.#dialog?.close()
  }

  readonly #close = (): void => {
    this.dispatchEvent(new CustomEvent('close'))
  }

  static override styles = [
    controls,
    css`
      dialog {
        inline-size: min(640px, calc(100vw - 24px));
        max-block-size: min(560px, 80dvh);
        margin: 12dvh auto auto;
        padding: 0;
        border: 1px solid var(--socle-line);
        border-radius: 12px;
        background: var(--socle-surface);
        color: var(--socle-text);
        box-shadow: var(--socle-shadow);
        overflow: hidden;
      }
      dialog[open] {
        display: flex;
        flex-direction: column;
      }
      dialog::backdrop {
        background: var(--socle-backdrop);
      }
      .box {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 0 16px;
        border-block-end: 1px solid var(--socle-line);
        color: var(--socle-text-3);
      }
      .kind {
        display: inline-flex;
        flex: none;
        align-items: center;
        gap: 6px;
        min-block-size: 28px;
        max-inline-size: 45%;
        padding: 0 8px;
        border: 0;
        border-radius: 6px;
        background: var(--socle-accent-bg);
        color: var(--socle-accent);
        font: var(--socle-small);
        font-weight: 500;
        cursor: pointer;
      }
      .kind span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .kind .icon {
        flex: none;
        inline-size: 14px;
        block-size: 14px;
      }
      input {
        flex: 1;
        min-inline-size: 0;
        block-size: 52px;
        border: 0;
        outline: none;
        background: none;
        color: var(--socle-text);
        font: var(--socle-title);
      }
      /* The dialog has one field: the caret and this line show where typing goes. */
      .box input:focus-visible {
        outline: none;
      }
      .box:focus-within {
        border-block-end-color: var(--socle-accent);
      }
      input::placeholder {
        color: var(--socle-text-3);
      }
      #found {
        flex: 1;
        min-block-size: 96px;
        overflow: auto;
        padding: 4px 8px 8px;
        scroll-padding: 8px;
      }
      .heading {
        padding: 10px 8px 4px;
        font-weight: 500;
      }
      [role='option'] {
        display: flex;
        align-items: center;
        gap: 10px;
        min-block-size: 36px;
        padding: 0 8px;
        border-radius: 6px;
        cursor: pointer;
      }
      [role='option'] > svg {
        color: var(--socle-text-3);
      }
      [aria-selected='true'] {
        background: var(--socle-accent-bg);
      }
      [aria-selected='true'] > svg {
        color: var(--socle-accent);
      }
      .title {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .note {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font: var(--socle-small);
        color: var(--socle-text-2);
      }
      .keys {
        display: flex;
        gap: 4px;
        margin-inline-start: auto;
      }
      .hint {
        display: flex;
        gap: 8px;
        padding: 16px 8px;
        color: var(--socle-text-2);
      }
      .fault {
        color: var(--socle-danger);
      }
      .foot {
        display: flex;
        gap: 16px;
        padding: 8px 16px;
        border-block-start: 1px solid var(--socle-line);
      }
      @media (width < 600px) {
        dialog {
          margin-block-start: 12px;
          max-block-size: calc(100dvh - 24px);
        }
        .foot,
        .box .kbd {
          display: none;
        }
        .kind {
          min-block-size: 36px;
        }
        [role='option'] {
          min-block-size: 44px;
        }
      }
    `,
  ]
}

function hitEntry(hit: Hit): Entry | undefined {
  const meta = resource(hit.resource)
  const href = recordHref(hit.resource, hit.id)
  if (!meta || !href) return undefined
  return {
    id: `hit:${hit.id}`,
    group: 'records',
    kind: hit.resource,
    title: hit.title,
    note: hit.subtitle ? `${meta.name.one} · ${hit.subtitle}` : meta.name.one,
    icon: meta.icon,
    href,
  }
}

/** Everything that is known without asking: recent records, actions, places. */
function ownEntries(): Entry[] {
  const document = shell()
  if (!document) return []
  const recent = recentRecords().flatMap((it): Entry[] => {
    const meta = resource(it.resource)
    const href = recordHref(it.resource, it.id)
    return meta && href
      ? [
          {
            id: `recent:${it.id}`,
            group: 'recent',
            kind: it.resource,
            title: it.title,
            note: meta.name.one,
            icon: meta.icon,
            href,
          },
        ]
      : []
  })
  const creations = document.resources
    .filter((it) => it.may.create && isInNavigation(it.route))
    .map((it): Entry => {
      return {
        id: `new:${it.id}`,
        group: 'actions',
        title: t('shell.palette.new', { one: it.name.one }),
        icon: 'plus',
        href: `${it.route}?create=1`,
      }
    })
  const commands = document.commands.map((it): Entry => {
    const entry = {
      id: `command:${it.plugin}:${it.id}`,
      group: 'actions',
      title: it.title,
      icon: it.icon ?? 'command',
    } as const
    const target = it.path
      ? { href: it.path }
      : { run: () => window.dispatchEvent(new CustomEvent(it.event ?? 'socle-command', { detail: { id: it.id } })) }
    return { ...entry, ...target, ...(it.key && { key: it.key }) }
  })
  const imports = document.resources
    .filter((it) => it.may.import && isInNavigation(it.route))
    .map((it): Entry => {
      return {
        id: `import:${it.id}`,
        group: 'actions',
        title: t('shell.import.title', { many: it.name.many }),
        icon: 'upload',
        href: `${it.route}/import`,
      }
    })
  const places = document.nav.flatMap((group) =>
    group.items.map((it): Entry => {
      const note = group.title ? { note: group.title } : {}
      return {
        id: `go:${it.path}`,
        group: 'go',
        title: it.title,
        icon: it.icon,
        href: it.path,
        ...note,
        ...(it.key && { key: `g ${it.key}` }),
      }
    }),
  )
  const views = document.views.flatMap((it): Entry[] => {
    const meta = document.resources.find((one) => one.id === it.resource)
    if (!meta) return []
    const href = `${meta.route}?view=${it.id}`
    return [{ id: `view:${it.id}`, group: 'go', title: it.name, note: meta.name.many, icon: it.kind, href }]
  })
  const settings = settingsPages
    .filter((it) => !it.permission || it.permission.some((permission) => document.may.includes(permission)))
    .map((it): Entry => {
      return {
        id: `set:${it.name}`,
        group: 'go',
        title: t(`shell.settings.${it.name}`),
        note: t('shell.nav.settings'),
        icon: it.icon,
        href: `/settings/${it.name}`,
      }
    })
  const themes = (['light', 'dark', 'system'] as const).map((theme): Entry => {
    const icons = { light: 'sun', dark: 'moon', system: 'monitor' }
    return {
      id: `theme:${theme}`,
      group: 'actions',
      title: t(`shell.palette.theme.${theme}`),
      icon: icons[theme],
      run: () => (preferences.theme = theme),
    }
  })
  const known: readonly Entry[] = document.may.includes('core.known-account.ask')
    ? [
        {
          id: 'known-account',
          group: 'actions',
          title: t('shell.known.title'),
          icon: 'search',
          run: async () => (await import('./shell-known-account.ts')).askKnownAccount(),
        },
      ]
    : []
  const home: Entry = { id: 'go:/', group: 'go', title: t('shell.nav.home'), icon: 'house', href: '/', key: 'g h' }
  const leave: Entry = {
    id: 'sign-out',
    group: 'actions',
    title: t('shell.signOut'),
    icon: 'log-out',
    run: () => session.signOut(),
  }
  return [
    ...recent,
    ...creations,
    ...commands,
    ...imports,
    ...known,
    ...themes,
    leave,
    home,
    ...places.filter((it) => it.href !== '/'),
    ...views,
    ...settings,
  ]
}

/** Every word typed must be found; a title that begins with the text comes first. */
function ranked(entries: readonly Entry[], wanted: string): Entry[] {
  const words = wanted.split(/\s+/)
  return entries
    .map((entry) => {
      const title = fold(entry.title)
      const all = `${title} ${fold(entry.note ?? '')}`
      const score = !words.every((word) => all.includes(word))
        ? 0
        : title.startsWith(wanted)
          ? 3
          : title.includes(wanted)
            ? 2
            : 1
      return { entry, score }
    })
    .filter((it) => it.score > 0)
    .toSorted((a, b) => b.score - a.score)
    .map((it) => it.entry)
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase()
}

function domId(id: string): string {
  return `e-${id.replace(/[^\w-]/g, '_')}`
}
