import { KitElement, api, controls, hasIcon, icon, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { preferences } from './preferences.ts'
import { session } from './session-doc.ts'

interface NavItem {
  readonly title: string
  readonly icon: string
  readonly path: string
  readonly key?: string
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** The sidebar: workspace, search, home, one group per enabled module, settings and the user at the foot. */
export class ShellNav extends KitElement {
  static override properties = { path: {}, search: {}, collapsed: { type: Boolean, reflect: true } }
  static override shadowRootOptions: ShadowRootInit = { mode: 'open', delegatesFocus: true }
  declare path: string
  declare search: string
  declare collapsed: boolean

  override render() {
    const document = shell()
    if (!document) return nothing
    return html`
      <nav class="head" aria-label=${t('shell.nav.workspaces')}>${this.#workspace()}</nav>
      <button class="search" aria-keyshortcuts="Control+K" @click=${() => this.#say('shell-search')}>
        ${icon('search')}<span class="word">${t('shell.nav.search')}</span>
        <span class="kbd word" aria-hidden="true">${isMac ? '⌘K' : t('shell.nav.searchKeys')}</span>
      </button>
      <nav aria-label=${t('shell.nav.main')}>
        <ul>
          ${this.#item({ title: t('shell.nav.home'), icon: 'house', path: '/', key: 'h' })}
        </ul>
        ${this.#pinned()} ${document.nav.map((group) => this.#group(group))}
      </nav>
      <nav class="foot" aria-label=${t('shell.nav.admin')}>
        <ul>
          ${
            document.may.includes('core.plugin.toggle')
              ? this.#item({ title: t('shell.settings.modules'), icon: 'plug', path: '/settings/modules' })
              : nothing
          }
          ${this.#item({ title: t('shell.nav.settings'), icon: 'settings', path: '/settings', key: 's' })}
        </ul>
        <div class="user">${this.#user()}${this.#collapse()}</div>
      </nav>
    `
  }

  #group(group: { id: string; title?: string; items: readonly NavItem[] }) {
    const items = group.items.filter((it) => it.path !== '/')
    if (items.length === 0) return nothing
    return html`
      ${group.title ? html`<h2 class="group" id="g-${group.id}">${group.title}</h2>` : nothing}
      <ul aria-labelledby=${group.title ? `g-${group.id}` : nothing}>
        ${items.map((item) => this.#item(item))}
      </ul>
    `
  }

  /** Views their reader keeps at hand. */
  #pinned() {
    const document = shell()
    const items = (document?.views ?? []).flatMap((view) => {
      const meta = document?.resources.find((it) => it.id === view.resource)
      return view.pinned && meta ? [{ title: view.name, icon: meta.icon, path: `${meta.route}?view=${view.id}` }] : []
    })
    return this.#group({ id: 'views', title: t('shell.views.pinned'), items })
  }

  #item(item: NavItem) {
    const isCurrent = this.#isCurrent(item.path)
    const hint = item.key ? `${item.title} (g ${item.key})` : item.title
    return html`
      <li>
        <a
          class="item"
          href=${item.path}
          aria-current=${isCurrent ? 'page' : nothing}
          title=${this.collapsed || item.key ? hint : nothing}
        >
          ${icon(hasIcon(item.icon) ? item.icon : 'puzzle')}<span class="word">${item.title}</span>
        </a>
      </li>
    `
  }

  #isCurrent(path: string): boolean {
    // A pinned view is where somebody is only with its own address.
    if (path.includes('?')) return `${this.path}${this.search}`.startsWith(path)
    if (path === '/') return this.path === '/'
    if (
      path === '/settings' &&
      this.path.startsWith('/settings/modules') &&
      shell()?.may.includes('core.plugin.toggle')
    )
      return false
    if (this.path !== path && !this.path.startsWith(`${path}/`)) return false
    // "/core/accounts" must not light up beside "/core/accounts/archive" when both are items.
    const longer = shell()
      ?.nav.flatMap((it) => it.items)
      .some((it) => it.path.length > path.length && this.path.startsWith(it.path))
    return !longer
  }

  #workspace() {
    const { workspace, workspaces } = shell() ?? {}
    const name = workspace?.name ?? ''
    const mark = html`<span class="mark" aria-hidden="true">${[...name][0]?.toLocaleUpperCase() ?? 'S'}</span>`
    const mayOpen = shell()?.may.includes('core.workspace.open')
    if (!workspaces || (workspaces.length < 2 && !mayOpen)) {
      return html`<a class="workspace" href="/" title=${name}>${mark}<span class="name word">${name}</span></a>`
    }
    return html`
      <button class="workspace" popovertarget="workspaces" title=${t('shell.nav.switchWorkspace')}>
        ${mark}<span class="name word">${name}</span><span class="word">${icon('chevron-down')}</span>
      </button>
      <div id="workspaces" popover class="menu">
        <p class="meta title">${t('shell.nav.workspaces')}</p>
        ${workspaces.map(
          (it) => html`
            <button aria-pressed=${it.id === workspace?.id} @click=${() => void this.#switchTo(it.id)}>
              <span class="mark small" aria-hidden="true">${[...it.name][0]?.toLocaleUpperCase()}</span>
              <span class="grow">${it.name}</span>${it.id === workspace?.id ? icon('check') : nothing}
            </button>
          `,
        )}
        ${
          mayOpen
            ? html`<button @click=${() => this.#say('shell-new-workspace')}>
                ${icon('plus')}<span class="grow">${t('shell.workspace.new')}</span>
              </button>`
            : nothing
        }
      </div>
    `
  }

  #user() {
    const { user } = shell() ?? {}
    if (!user) return nothing
    return html`
      <button class="item me" popovertarget="me" title=${this.collapsed ? user.name : nothing}>
        <span class="avatar" aria-hidden="true">${initialsOf(user.name)}</span>
        <span class="word grow">${user.name}</span>
      </button>
      <div id="me" popover class="menu up">
        <p class="who"><span>${user.name}</span><span class="meta">${user.email}</span></p>
        <a href="/settings/profile" @click=${this.#hideMenus}>${icon('user')}${t('shell.settings.profile')}</a>
        <div class="choice" role="group" aria-label=${t('shell.profile.theme')}>
          ${(['system', 'light', 'dark'] as const).map(
            (theme) => html`
              <button
                aria-pressed=${preferences.theme === theme}
                title=${t(`shell.profile.theme.${theme}`)}
                @click=${() => {
                  preferences.theme = theme
                  this.requestUpdate()
                }}
              >
                ${icon({ system: 'monitor', light: 'sun', dark: 'moon' }[theme])}
                <span class="visually-hidden">${t(`shell.profile.theme.${theme}`)}</span>
              </button>
            `,
          )}
        </div>
        <div class="choice" role="group" aria-label=${t('shell.profile.language')}>
          ${(['en', 'fr'] as const).map(
            (locale) => html`
              <button aria-pressed=${user.locale === locale} lang=${locale} @click=${() => void this.#speak(locale)}>
                ${locale === 'en' ? 'English' : 'Français'}
              </button>
            `,
          )}
        </div>
        <button @click=${() => this.#say('shell-shortcuts')}>
          ${icon('keyboard')}<span class="grow">${t('shell.shortcuts.title')}</span><span class="kbd">?</span>
        </button>
        <button @click=${() => void session.signOut()}>${icon('log-out')}${t('shell.signOut')}</button>
      </div>
    `
  }

  #collapse() {
    return html`
      <button
        class="icon-button collapse"
        title=${t(this.collapsed ? 'shell.nav.expand' : 'shell.nav.collapse')}
        aria-label=${t(this.collapsed ? 'shell.nav.expand' : 'shell.nav.collapse')}
        aria-expanded=${!this.collapsed}
        @click=${() => {
          preferences.isSidebarCollapsed = !preferences.isSidebarCollapsed
        }}
      >
        ${icon('panel-left')}
      </button>
      <button class="icon-button close" aria-label=${t('shell.nav.close')} @click=${() => this.#say('shell-close')}>
        ${icon('x')}
      </button>
    `
  }

  async #switchTo(workspace: string): Promise<void> {
    this.#hideMenus()
    if (workspace === shell()?.workspace.id) return
    await api.post('/api/core/me/workspace', { workspace })
    // Everything on screen belongs to the other company: start clean.
    location.assign('/')
  }

  async #speak(locale: string): Promise<void> {
    await api.patch('/api/core/me', { locale })
    await session.load()
  }

  #say(name: string): void {
    this.#hideMenus()
    this.dispatchEvent(new CustomEvent(name))
  }

  readonly #hideMenus = (): void => {
    for (const menu of this.renderRoot.querySelectorAll<HTMLElement>(':popover-open')) menu.hidePopover()
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        padding: 8px;
        background: var(--socle-page);
        user-select: none;
      }
      .head {
        display: flex;
        flex: none;
        overflow: visible;
        min-block-size: 36px;
        margin-block-end: 8px;
      }
      .workspace {
        display: flex;
        align-items: center;
        gap: 8px;
        flex: 1;
        min-inline-size: 0;
        padding: 0 8px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: var(--socle-text);
        font: inherit;
        font-weight: 600;
        text-decoration: none;
        text-align: start;
        cursor: pointer;
      }
      .workspace:hover,
      .item:hover,
      .menu a:hover,
      .menu button:hover {
        background: var(--socle-muted);
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .mark {
        display: grid;
        place-items: center;
        flex: none;
        inline-size: 22px;
        block-size: 22px;
        border-radius: 6px;
        background: var(--socle-accent);
        color: var(--socle-on-accent);
        font-size: 12px;
        font-weight: 600;
      }
      .search {
        display: flex;
        align-items: center;
        gap: 8px;
        block-size: 30px;
        margin-block-end: 8px;
        padding: 0 8px;
        border: 1px solid var(--socle-line);
        border-radius: 6px;
        background: var(--socle-surface);
        color: var(--socle-text-3);
        font: inherit;
        font-size: 13px;
        cursor: pointer;
      }
      .search .word:not(.kbd) {
        flex: 1;
        text-align: start;
      }
      nav {
        flex: 1;
        min-block-size: 0;
        overflow: hidden auto;
        scrollbar-width: thin;
      }
      .foot {
        flex: none;
        overflow: visible;
        padding-block-start: 8px;
      }
      ul {
        display: grid;
        gap: 1px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .group {
        margin: 16px 8px 4px;
        font-size: 12px;
        line-height: 16px;
        font-weight: 500;
        color: var(--socle-text-3);
      }
      .item {
        display: flex;
        align-items: center;
        gap: 8px;
        block-size: 30px;
        padding: 0 8px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: var(--socle-text-2);
        font: inherit;
        font-size: 13px;
        font-weight: 500;
        text-decoration: none;
        text-align: start;
        cursor: pointer;
      }
      .item .word {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .item[aria-current] {
        background: var(--socle-muted);
        color: var(--socle-text);
      }
      a:focus-visible,
      button:focus-visible {
        outline-offset: -2px;
      }
      .user {
        display: flex;
        align-items: center;
        gap: 4px;
        margin-block-start: 8px;
        padding-block-start: 8px;
        border-block-start: 1px solid var(--socle-line);
      }
      .me {
        flex: 1;
        min-inline-size: 0;
        block-size: 32px;
      }
      .close {
        display: none;
      }
      .grow {
        flex: 1;
      }
      .menu {
        inset: auto;
        margin: 4px 0 0;
        inline-size: 216px;
        padding: 4px;
        border: 1px solid var(--socle-line);
        border-radius: 8px;
        background: var(--socle-surface);
        color: var(--socle-text);
        box-shadow: var(--socle-shadow);
        position-area: block-end span-inline-end;
      }
      .menu.up {
        position-area: block-start span-inline-end;
        margin: 0 0 4px;
        inline-size: 240px;
      }
      .menu a,
      .menu > button {
        display: flex;
        align-items: center;
        gap: 8px;
        inline-size: 100%;
        min-block-size: 32px;
        padding: 0 8px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: inherit;
        font: inherit;
        font-size: 13px;
        text-align: start;
        text-decoration: none;
        cursor: pointer;
      }
      .title {
        padding: 4px 8px;
      }
      .who {
        display: grid;
        padding: 6px 8px 8px;
        margin: 0 0 4px;
        border-block-end: 1px solid var(--socle-line);
        font-size: 13px;
        font-weight: 500;
        overflow-wrap: anywhere;
      }
      .choice {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        gap: 2px;
        margin: 4px;
        padding: 2px;
        border-radius: 6px;
        background: var(--socle-muted);
      }
      .choice button {
        display: grid;
        place-items: center;
        min-block-size: 26px;
        border: 0;
        border-radius: 5px;
        background: none;
        color: var(--socle-text-2);
        font: inherit;
        font-size: 12px;
        font-weight: 500;
        cursor: pointer;
      }
      .choice button[aria-pressed='true'] {
        background: var(--socle-surface);
        color: var(--socle-text);
      }
      :host([collapsed]) .word,
      :host([collapsed]) .group {
        display: none;
      }
      :host([collapsed]) ul + ul,
      :host([collapsed]) .group + ul {
        margin-block-start: 8px;
        padding-block-start: 8px;
        border-block-start: 1px solid var(--socle-line);
      }
      :host([collapsed]) .item,
      :host([collapsed]) .search,
      :host([collapsed]) .workspace {
        justify-content: center;
        padding: 0;
      }
      :host([collapsed]) .user {
        flex-direction: column;
      }
      :host([collapsed]) .me {
        flex: none;
        inline-size: 100%;
      }
      @media (width < 900px) {
        .item {
          block-size: 40px;
          font-size: 14px;
        }
        .search {
          block-size: 40px;
        }
        .collapse {
          display: none;
        }
        .close {
          display: inline-flex;
        }
      }
    `,
  ]
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((it) => [...(it ?? '')][0] ?? '')
    .join('')
    .toLocaleUpperCase()
}
