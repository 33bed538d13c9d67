import { KitElement, confirmDialog, controls, icon, live, navigate, shell, t } from '@socle/sdk/ui'
import type { ShellDocument } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from './define.ts'
import type { PageBar } from './page.ts'
import { preferences } from './preferences.ts'
import { rememberRecord } from './recent.ts'
import { router } from './router.ts'
import { routeFor } from './routes.ts'
import type { Route } from './routes.ts'
import { session } from './session-doc.ts'
import type { LossReason } from './shell-lost-text.ts'
import { shortcuts } from './shortcuts.ts'
import type { Shortcut } from './shortcuts.ts'
import { unsaved } from './unsaved.ts'
import type { LostText, UnsavedText } from './unsaved.ts'

type Layer = 'palette' | 'shortcuts' | 'create' | 'workspace' | undefined

/** The whole page: who is signed in, where they are, and the frame around it. */
export class ShellApp extends KitElement {
  static override properties = {
    url: { state: true },
    bar: { state: true },
    layer: { state: true },
    isDrawerOpen: { state: true },
    lost: { state: true },
  }
  declare url: URL
  declare bar: PageBar | undefined
  declare layer: Layer
  declare isDrawerOpen: boolean
  /** Text of a screen that went away with its module. */
  declare lost: readonly UnsavedText[]

  #route: Route | undefined
  #lossReason: LossReason = 'off'
  #keys: (() => void) | undefined
  #stop: (() => void)[] = []
  #reloading: ReturnType<typeof setTimeout> | undefined
  #isListening = false
  #wasConnected = false

  constructor() {
    super()
    this.url = router.url
    this.isDrawerOpen = false
    this.lost = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    router.start({ mayLeave: () => this.#mayLeave() })
    this.#stop = [
      router.onChange((url, { path }) => this.#arrived(url, path)),
      preferences.onChange(() => this.requestUpdate()),
    ]
    session.addEventListener('change', this.#onSession)
    session.addEventListener('document', this.#onDocument)
    window.addEventListener('socle-signed-out', this.#onSignedOut)
    window.addEventListener('socle-confirm', this.#onConfirm)
    window.addEventListener('shell-lost', this.#onLost)
    this.addEventListener('socle-page', this.#onPage as EventListener)
    const page = location.pathname
    void (page === '/welcome'
      ? session.openLink()
      : page.startsWith('/sign-on/')
        ? session.openSignOn()
        : session.load())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    session.removeEventListener('change', this.#onSession)
    session.removeEventListener('document', this.#onDocument)
    window.removeEventListener('socle-signed-out', this.#onSignedOut)
    window.removeEventListener('socle-confirm', this.#onConfirm)
    window.removeEventListener('shell-lost', this.#onLost)
  }

  readonly #onSession = (): void => {
    if (session.state === 'signed-out' && session.ended && this.#route)
      this.#offerLost(
        unsaved.all().filter((it) => !it.isKept),
        'session',
      )
    if (session.state !== 'ready') {
      this.#route = undefined
      document.title = 'Socle'
      const { state } = session
      void import('./door/open-door.ts').then((it) => it.openDoor(state))
    }
    this.requestUpdate()
  }

  readonly #onSignedOut = (): void => void session.lose()

  readonly #onConfirm = (event: Event): void => {
    event.preventDefault()
    const { detail } = event as CustomEvent<(isPresent: boolean) => void>
    void import('./door/shell-presence.ts').then((it) => {
      define('shell-presence', it.ShellPresence)
      void it.askPresence().then(detail)
    })
  }

  // Listening opens the stream, which is refused before sign-in.
  #listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    // What it did in the background when its page was loaded again.
    if (sessionStorage['runs']) void import('./records/bulk-runs.ts').then((it) => it.resumeRuns())
    this.#stop.push(
      live.on('plugin.generation', ({ generation }) => {
        if (generation !== shell()?.generation) void session.load()
      }),
      live.on('fields.changed', () => void session.load()),
      live.on('record', ({ resource, action, id }) => {
        // Somebody shared a view, or took one back: tabs and sidebar show what there is now.
        if (resource === 'core.view') this.#reloadSoon()
        if (resource === 'core.share' && action === 'create')
          void import('./access/shared-hint.ts').then((it) => it.hearShare(id))
      }),
      live.on('status', ({ connected }) => this.#connection(connected)),
    )
  }

  #reloadSoon(): void {
    clearTimeout(this.#reloading)
    this.#reloading = setTimeout(() => void session.load(), 300)
  }

  // A stream that breaks may mean that the session ended, and one that is back may have missed a switch.
  #connection(connected: boolean): void {
    const isFirst = connected && !this.#wasConnected
    this.#wasConnected ||= connected
    if (session.state === 'ready' && !isFirst) void session.load()
  }

  readonly #onDocument = (event: Event): void => {
    const { before, now } = (event as CustomEvent<{ before?: ShellDocument; now: ShellDocument }>).detail
    // Somebody else sits here now.
    if (session.ended && session.ended.id !== now.user.id) this.lost = []
    const route = this.#route
    this.#listen()
    if (now.stopped || now.lostDomains) void import('./attention.ts').then((it) => it.tellAttention(before, now))
    if (now.viewing) void import('./shell-viewing.ts').then((it) => define('shell-viewing', it.ShellViewing))
    this.#bindKeys(now)
    this.#findRoute()
    // In another language the screen says its title again; until then the route's own words stand.
    if (before && before.user.locale !== now.user.locale) this.bar = this.#route?.bar
    if (!before || !route || before.generation === now.generation) return
    const gone = before.plugins.find((it) => it.id === route.plugin && !now.plugins.some((now) => now.id === it.id))
    if (gone) this.#leaveModule()
    void import('./attention.ts').then((it) => it.tellModules(gone?.title))
  }

  /** The module under this tab was switched off: home, and what was typed to be copied. */
  #leaveModule(): void {
    this.#offerLost(unsaved.all(), 'off')
    unsaved.clearAll()
    void router.go('/', { force: true, replace: true })
  }

  /** A part of a plugin went with what was typed into it. Whoever signed out took leave of it. */
  readonly #onLost = (event: Event): void => {
    const { texts, isOfUpgrade } = (event as CustomEvent<LostText>).detail
    if (shell() || session.ended) this.#offerLost(texts, isOfUpgrade ? 'upgrade' : 'off')
  }

  /** What was typed goes with its screen: it is offered for copying, once somebody is in. */
  #offerLost(texts: readonly UnsavedText[], reason: LossReason): void {
    this.#lossReason = session.state === 'ready' ? reason : 'session'
    const kept = texts.map(({ title, text }) => {
      const typed = text()
      return { title, text: () => typed }
    })
    this.lost = [...this.lost, ...kept]
    if (this.lost.length > 0)
      void import('./shell-lost-text.ts').then((it) => define('shell-lost-text', it.ShellLostText))
  }

  #findRoute(): void {
    const document = shell()
    if (!document) return
    const route = routeFor(document, this.url.pathname)
    if (route.key !== this.#route?.key || !this.bar) this.bar = route.bar
    this.#route = route
    this.requestUpdate()
  }

  #arrived(url: URL, isNewPath: boolean): void {
    this.url = url
    this.isDrawerOpen = false
    this.layer = undefined
    const before = this.#route?.key
    this.#findRoute()
    if (isNewPath && this.#route?.key !== before) void this.updateComplete.then(() => this.#focusTitle())
  }

  #focusTitle(): void {
    this.renderRoot.querySelector<Element & { focusTitle?(): void }>('shell-top-bar')?.focusTitle?.()
  }

  readonly #onPage = (event: CustomEvent<PageBar>): void => {
    event.stopPropagation()
    this.bar = event.detail
    if (event.detail.record) rememberRecord(event.detail.record)
  }

  override willUpdate(): void {
    const document_ = shell()
    if (session.state !== 'ready' || !document_ || !this.bar) return
    document.title = `${this.bar.documentTitle || this.bar.title} · ${document_.workspace.name}`
  }

  #mayLeave(): Promise<boolean> {
    const [first] = unsaved.all()
    return confirmDialog({
      title: t('shell.unsaved.title'),
      body: t('shell.unsaved.body', { title: first?.title ?? '' }),
      confirm: t('shell.unsaved.leave'),
      danger: true,
    })
  }

  #bindKeys(document: ShellDocument): void {
    this.#keys?.()
    shortcuts.lettersOn = preferences.hasLetterShortcuts
    const go = (keys: string, title: string, path: string): Shortcut => ({
      keys: `g ${keys}`,
      title,
      group: 'go',
      run: () => navigate(path),
    })
    const items = document.nav.flatMap((group) => group.items)
    this.#keys = shortcuts.add([
      { keys: 'mod+k', title: t('shell.palette.title'), group: 'general', run: () => this.#open('palette') },
      { keys: '?', title: t('shell.shortcuts.title'), group: 'general', run: () => this.#open('shortcuts') },
      go('h', t('shell.nav.home'), '/'),
      ...items.filter((it) => it.key && it.path !== '/').map((it) => go(it.key as string, it.title, it.path)),
      go('s', t('shell.nav.settings'), '/settings'),
    ])
  }

  #open(layer: Exclude<Layer, undefined>): void {
    if (session.state !== 'ready') return
    if (this.layer === layer) {
      // It was closed a moment ago and has yet to tell.
      this.layer = undefined
      void this.updateComplete.then(() => this.#open(layer))
      return
    }
    const load = {
      palette: () => this.#loadPalette(),
      shortcuts: () => import('./shell-shortcuts.ts').then((it) => define('shell-shortcuts', it.ShellShortcuts)),
      create: () => import('./shell-create.ts').then((it) => define('shell-create', it.ShellCreate)),
      workspace: () =>
        import('./shell-new-workspace.ts').then((it) => define('shell-new-workspace', it.ShellNewWorkspace)),
    }
    this.layer = layer
    void load[layer]()
  }

  /** What is typed before it is drawn is the beginning of what is looked for: no shortcut hears it. */
  async #loadPalette(): Promise<void> {
    let typed = ''
    const keep = (event: KeyboardEvent): void => {
      if (event.key.length > 1 || event.ctrlKey || event.metaKey) return
      typed += event.key
      event.preventDefault()
      event.stopPropagation()
    }
    addEventListener('keydown', keep, true)
    try {
      const { ShellPalette } = await import('./shell-palette.ts')
      define('shell-palette', ShellPalette)
      await this.updateComplete
      const palette = this.renderRoot.querySelector<InstanceType<typeof ShellPalette>>('shell-palette')
      await palette?.updateComplete
      if (typed) palette?.write(typed)
    } finally {
      removeEventListener('keydown', keep, true)
    }
  }

  readonly #closeLayer = ({ target }: Event): void => {
    if ((target as Element).isConnected) this.layer = undefined
  }

  override render() {
    switch (session.state) {
      case 'loading':
        return html`<div class="boot" aria-busy="true"></div>`
      case 'signed-out':
        return html`<shell-sign-in></shell-sign-in>`
      case 'link':
        return html`<shell-welcome></shell-welcome>`
      case 'sign-on':
        return html`<shell-sign-on></shell-sign-on>`
      case 'second-factor':
        return html`<shell-strengthen></shell-strengthen>`
      case 'unreachable':
        return this.#unreachable()
      case 'ready':
        return this.#page()
    }
  }

  #unreachable() {
    return html`
      <main class="center">
        <h1>${t('shell.unreachable.title')}</h1>
        <p>${session.problem?.detail ?? t('shell.unreachable.text')}</p>
        <button class="button primary" @click=${() => void session.load()}>
          ${icon('refresh-cw')}${t('shell.retry')}
        </button>
      </main>
    `
  }

  #page() {
    const collapsed = preferences.isSidebarCollapsed
    return html`
      <nav aria-label=${t('shell.nav.skip')}>
        <a class="skip" href="#main" @click=${this.#skip}>${t('shell.skip')}</a>
      </nav>
      <div class="frame ${collapsed ? 'collapsed' : ''}">
        <div class="scrim" ?hidden=${!this.isDrawerOpen} @click=${this.#toggleDrawer}></div>
        <shell-nav
          class=${this.isDrawerOpen ? 'open' : ''}
          .path=${this.url.pathname}
          .search=${this.url.search}
          .collapsed=${collapsed && !this.isDrawerOpen}
          @shell-search=${() => this.#open('palette')}
          @shell-shortcuts=${() => this.#open('shortcuts')}
          @shell-new-workspace=${() => this.#open('workspace')}
          @shell-close=${this.#toggleDrawer}
          @keydown=${this.#onNavKey}
        ></shell-nav>
        <div class="content">
          <shell-top-bar .bar=${this.bar} @shell-menu=${this.#toggleDrawer}></shell-top-bar>
          <shell-notice></shell-notice>
          ${shell()?.viewing ? html`<shell-viewing></shell-viewing>` : nothing}
          <main id="main" tabindex="-1" aria-label=${this.bar?.title ?? nothing}>
            <shell-outlet .route=${this.#route} .url=${this.url}></shell-outlet>
          </main>
          <shell-bottom-bar
            .path=${this.url.pathname}
            @shell-search=${() => this.#open('palette')}
            @shell-create=${() => this.#open('create')}
            @shell-menu=${this.#toggleDrawer}
          ></shell-bottom-bar>
        </div>
      </div>
      ${this.layer === 'palette' ? html`<shell-palette .url=${this.url} @close=${this.#closeLayer}></shell-palette>` : nothing}
      ${this.layer === 'shortcuts' ? html`<shell-shortcuts @close=${this.#closeLayer}></shell-shortcuts>` : nothing}
      ${this.layer === 'create' ? html`<shell-create @close=${this.#closeLayer}></shell-create>` : nothing}
      ${
        this.layer === 'workspace'
          ? html`<shell-new-workspace @close=${this.#closeLayer}></shell-new-workspace>`
          : nothing
      }
      ${
        this.lost.length > 0
          ? html`<shell-lost-text
              .texts=${this.lost}
              .reason=${this.#lossReason}
              @close=${() => (this.lost = [])}
            ></shell-lost-text>`
          : nothing
      }
    `
  }

  readonly #skip = (event: Event): void => {
    event.preventDefault()
    event.stopPropagation()
    this.renderRoot.querySelector<HTMLElement>('#main')?.focus()
  }

  readonly #toggleDrawer = (): void => {
    this.isDrawerOpen = !this.isDrawerOpen
    const focus = this.isDrawerOpen ? 'shell-nav' : 'shell-top-bar'
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(focus)?.focus())
  }

  readonly #onNavKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && this.isDrawerOpen) this.#toggleDrawer()
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        block-size: 100dvh;
      }
      .boot {
        block-size: 100%;
        background: var(--socle-page);
      }
      .center {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 12px;
        block-size: 100%;
        padding: 24px;
        text-align: center;
        color: var(--socle-text-2);
      }
      .center h1 {
        font: var(--socle-heading);
        font-weight: 600;
        color: var(--socle-text);
      }
      .skip {
        position: fixed;
        inset-block-start: 8px;
        inset-inline-start: 8px;
        z-index: 50;
        padding: 8px 12px;
        border-radius: var(--socle-radius);
        background: var(--socle-text);
        color: var(--socle-surface);
        transform: translateY(-64px);
      }
      .skip:focus {
        transform: none;
      }
      .frame {
        display: grid;
        grid-template-columns: var(--socle-sidebar) minmax(0, 1fr);
        block-size: 100%;
      }
      .frame.collapsed {
        grid-template-columns: 56px minmax(0, 1fr);
      }
      shell-nav {
        border-inline-end: 1px solid var(--socle-line);
      }
      .scrim {
        display: none;
      }
      .content {
        display: flex;
        flex-direction: column;
        min-inline-size: 0;
        min-block-size: 0;
        background: var(--socle-page);
      }
      main#main {
        display: flex;
        flex-direction: column;
        flex: 1;
        min-block-size: 0;
        min-inline-size: 0;
        overflow: auto;
        outline: none;
      }
      @media (width < 900px) {
        .frame,
        .frame.collapsed {
          grid-template-columns: minmax(0, 1fr);
        }
        shell-nav {
          position: fixed;
          inset-block: 0;
          inset-inline-start: 0;
          z-index: 31;
          inline-size: min(300px, 84vw);
          visibility: hidden;
          transform: translateX(-100%);
          transition:
            transform var(--socle-motion),
            visibility var(--socle-motion);
        }
        shell-nav.open {
          visibility: visible;
          transform: none;
          box-shadow: var(--socle-shadow);
        }
        .scrim {
          display: block;
          position: fixed;
          inset: 0;
          z-index: 30;
          background: var(--socle-backdrop);
        }
      }
      @media print {
        shell-nav,
        shell-bottom-bar {
          display: none;
        }
        .frame {
          display: block;
        }
      }
    `,
  ]
}
