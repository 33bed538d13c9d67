import { controls, icon, KitElement, ProblemError, t, toast } from '@socle/sdk/ui'
import type { MenuItem, ResourceMeta, SavedView } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { router } from '../router.ts'
import { inSentence } from './resources.ts'
import { isModified, writeListState, stateOfView } from './list-state.ts'
import type { ListState } from './list-state.ts'
import { mayChange, mayKeepViews, mayShareViews, viewById, viewsOf } from './saved-views.ts'

/**
 * The saved views of a list as tabs, and what can be done with the one in front.
 *
 * @fires view-open - another state is to be shown; `detail` is a `ListState`
 */
export class ShellViewTabs extends KitElement {
  static override properties = { meta: { attribute: false }, state: { attribute: false }, plain: {} }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex: none;
        align-items: stretch;
        gap: 8px;
        min-inline-size: 0;
        block-size: 36px;
        padding-inline: 16px;
        border-block-end: 1px solid var(--socle-line);
      }
      nav {
        display: flex;
        flex: 0 1 auto;
        gap: 4px;
        min-inline-size: 0;
        overflow-x: auto;
        scrollbar-width: none;
      }
      a {
        position: relative;
        display: inline-flex;
        flex: none;
        align-items: center;
        gap: 6px;
        max-inline-size: 220px;
        padding-inline: 8px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 500;
        text-decoration: none;
        white-space: nowrap;
      }
      a span {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      a .icon {
        inline-size: 14px;
        block-size: 14px;
        color: var(--socle-text-3);
      }
      a:hover {
        color: var(--socle-text);
      }
      a[aria-current] {
        color: var(--socle-text);
      }
      a[aria-current]::after {
        content: '';
        position: absolute;
        inset: auto 0 -1px;
        block-size: 2px;
        background: var(--socle-accent);
      }
      a:focus-visible {
        outline-offset: -3px;
      }
      .views {
        display: none;
        flex: 0 1 auto;
        min-inline-size: 0;
        inline-size: auto;
        font-weight: 500;
      }
      .changes {
        display: flex;
        flex: none;
        align-items: center;
        gap: 8px;
        margin-inline-start: auto;
      }
      .changes .meta {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .dot {
        inline-size: 6px;
        block-size: 6px;
        border-radius: 3px;
        background: var(--socle-accent);
      }
      socle-menu {
        align-self: center;
        flex: none;
      }
      @media (max-width: 599.98px) {
        :host {
          flex-wrap: wrap;
          align-items: center;
          block-size: auto;
          padding: 4px 12px;
        }
        nav {
          display: none;
        }
        .views {
          display: block;
          min-block-size: 44px;
        }
        .changes .meta,
        .changes .word {
          display: none;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare state: ListState
  /** Address of the list as the resource has it. */
  declare plain: string

  get #view(): SavedView | undefined {
    return this.state.view ? viewById(this.state.view) : undefined
  }

  override updated(): void {
    this.renderRoot.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    const current = this.#view
    // When its choices are there; what somebody chose before does not stay once the address says otherwise.
    const chooser = this.renderRoot.querySelector('select')
    if (chooser) chooser.value = current ? this.#address(current) : this.plain
  }

  override render() {
    const views = viewsOf(this.meta)
    const current = this.#view
    const all = t('shell.views.all', { many: inSentence(this.meta.name.many) })
    return html`<nav aria-label=${t('shell.views.label')}>
        <a href=${this.plain} aria-current=${current ? nothing : 'page'}>
          <span>${all}</span>
        </a>
        ${views.map(
          (view) =>
            html`<a
              href=${this.#address(view)}
              aria-current=${view.id === current?.id ? 'page' : nothing}
              title=${t(`shell.views.scope.${view.scope}`)}
            >
              ${view.kind === 'table' ? nothing : icon(view.kind)}<span>${view.name}</span>${view.scope === 'mine' ? nothing : icon('users')}
            </a>`,
        )}
        ${
          this.meta.shared
            ? html`<a href="${this.meta.route}/shared">${icon('users')}<span>${t('shell.shared.title')}</span></a>`
            : nothing
        }
      </nav>
      <select
        class="input views"
        aria-label=${t('shell.views.label')}
        @change=${(event: Event) => router.go((event.target as HTMLSelectElement).value)}
      >
        <option value=${this.plain}>${all}</option>
        ${views.map((view) => html`<option value=${this.#address(view)}>${view.name}</option>`)}
        ${this.meta.shared ? html`<option value="${this.meta.route}/shared">${t('shell.shared.title')}</option>` : nothing}
      </select>
      ${this.#menu(current)}${this.#changes(current)}`
  }

  #address(view: SavedView): string {
    return this.meta.route + writeListState(stateOfView(view), viewById)
  }

  #menu(current: SavedView | undefined) {
    const items: MenuItem[] = []
    const item = (id: string, sign: string, label: string, rest: Partial<MenuItem> = {}) =>
      items.push({ id, icon: sign, label, ...rest })
    if (mayKeepViews()) item('create', 'plus', t(current ? 'shell.views.saveAs' : 'shell.views.save'))
    if (current && mayChange(current)) item('edit', 'pencil', t('shell.views.edit'))
    if (current) {
      item('default', 'house', t(current.default ? 'shell.views.notDefault' : 'shell.views.setDefault'))
      item('pin', 'bookmark', t(current.pinned ? 'shell.views.unpin' : 'shell.views.pin'))
      item('link', 'link', t('shell.views.copyLink'))
      if (current.mine && mayShareViews()) item('share', 'user-plus', t('shell.views.share'))
      if (mayChange(current)) item('delete', 'trash-2', t('shell.views.delete'), { danger: true, separator: true })
    }
    if (items.length === 0) return nothing
    return html`<socle-menu
      icon-only
      kind="small"
      icon=${current ? 'ellipsis' : 'plus'}
      .label=${t(current ? 'shell.views.actions' : 'shell.views.new')}
      .items=${items}
      @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#act(event.detail.id)}
    ></socle-menu>`
  }

  #changes(current: SavedView | undefined) {
    if (!isModified(this.state, current) || !mayKeepViews()) return nothing
    return html`<div class="changes">
      <span class="meta"><span class="dot"></span>${t('shell.views.modified')}</span>
      ${
        // Of a view that sleeps in part only the rest is here: saving it over the view would lose that part.
        current && mayChange(current) && !current.sleeping
          ? html`<button class="button small" @click=${() => void this.#act('save')}>
              ${t('shell.views.update')}
            </button>`
          : html`<button class="button small" @click=${() => void this.#act('create')}>
              ${icon('bookmark')}${t('shell.views.save')}
            </button>`
      }
      <button class="button small ghost" @click=${() => this.tell('view-open', stateOfView(current))}>
        ${t('shell.views.reset')}
      </button>
    </div>`
  }

  async #act(what: string): Promise<void> {
    const view = this.#view
    const changes = await import('./view-changes.ts')
    try {
      if (what === 'create' || what === 'edit') {
        const { askView } = await import('./shell-view-dialog.ts')
        const id = await askView({ meta: this.meta, state: this.state, view: what === 'edit' ? view : undefined })
        if (id && what === 'create') this.tell('view-open', { ...this.state, view: id })
      }
      if (!view) return
      if (what === 'save') await changes.changeView(view, { ...changes.valuesOf(this.state) })
      if (what === 'default') await changes.chooseView(view, { default: !view.default })
      if (what === 'pin') await changes.chooseView(view, { pinned: !view.pinned })
      if (what === 'share') await changes.shareView(view)
      if (what === 'delete') await changes.deleteView(view)
      if (what === 'link') {
        const address = new URL(this.#address(view), location.href)
        await navigator.clipboard.writeText(address.href)
        toast({ text: t('shell.records.page.copied') })
      }
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      toast({ text: error.detail, tone: 'danger' })
    }
  }
}
