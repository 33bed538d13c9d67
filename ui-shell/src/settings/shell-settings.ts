import { KitElement, controls, icon, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import type { PageBar } from '../page.ts'
import { MediaQuery, narrow } from '../records/media-query.ts'
import { settingsPages } from './settings-pages.ts'
import type { SettingsPage } from './settings-pages.ts'

/** Where each page is found; here, because what the first list loads has no use for it. */
const loads: Readonly<Record<string, () => Promise<unknown>>> = {
  profile: () => import('./shell-profile.ts'),
  security: () => import('./shell-security.ts'),
  workspace: () => import('./shell-workspace.ts'),
  modules: () => import('./shell-modules.ts'),
  map: () => import('./shell-map.ts'),
  people: () => import('./shell-people.ts'),
  teams: () => import('./shell-teams.ts'),
  fields: () => import('./shell-fields.ts'),
  roles: () => import('./shell-roles.ts'),
  access: () => import('./shell-access.ts'),
  'identity-providers': () => import('./shell-identity-providers.ts'),
  'api-keys': () => import('./shell-api-keys.ts'),
  privacy: () => import('./shell-privacy.ts'),
  retention: () => import('./shell-retention.ts'),
  events: () => import('./shell-events.ts'),
  audit: () => import('./shell-audit.ts'),
}

/** The list of settings, and the chosen one beside it. */
export class ShellSettings extends KitElement {
  static override properties = { page: {}, record: {}, problem: { state: true } }
  declare page: string
  declare record: string | undefined
  declare problem: string | undefined

  readonly #narrow = new MediaQuery(this, narrow)
  #shown: HTMLElement | undefined
  #name = ''

  override willUpdate(): void {
    this.page ||= settingsPages[0]!.name
    if (this.page !== this.#name) void this.#show(this.page)
    else if (this.#shown) Object.assign(this.#shown, { record: this.record })
  }

  // A page that was chosen from the unfolded list folds it again.
  override updated(changed: PropertyValues<this>): void {
    const folded = this.renderRoot.querySelector('details')
    if (folded && changed.has('page')) folded.open = false
    this.renderRoot.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  async #show(name: string): Promise<void> {
    this.#name = name
    this.problem = undefined
    const page = settingsPages.find((it) => it.name === name)
    const crumbs = [{ title: t('shell.nav.settings'), href: '/settings' }]
    try {
      if (!page || !isOpen(page)) return await this.#refuse(name, page, crumbs)
      setPage(this, { title: t(`shell.settings.${name}`), crumbs })
      await loads[name]?.()
      if (this.#name !== name) return
      this.#shown = Object.assign(document.createElement(`shell-${name}`), { record: this.record })
      this.requestUpdate()
    } catch (problem) {
      this.problem = String(problem)
    }
  }

  async #refuse(name: string, page: SettingsPage | undefined, crumbs: PageBar['crumbs']): Promise<void> {
    await import('../shell-message.ts')
    if (this.#name !== name) return
    const kind = page ? 'refused' : 'missing'
    setPage(this, { title: t(`shell.${kind}.title`), ...(crumbs && { crumbs }) })
    const said = { kind, path: `/settings/${name}`, permission: page?.permission?.[0] }
    this.#shown = Object.assign(document.createElement('shell-message'), said)
    this.requestUpdate()
  }

  override render() {
    const groups = (['you', 'workspace', 'control'] as const).map((group) => this.#group(group))
    const current = t('shell.settings.pages', {
      page: settingsPages.some((it) => it.name === this.page) ? t(`shell.settings.${this.page}`) : '',
    })
    return html`
      <nav aria-label=${t('shell.nav.settings')}>
        ${
          this.#narrow.matches
            ? html`<details>
                <summary>${current}${icon('chevron-down')}</summary>
                ${groups}
              </details>`
            : groups
        }
      </nav>
      <div class="body">
        ${this.problem ? html`<socle-empty icon="plug-zap" heading=${t('shell.screen.failed')} text=${this.problem}></socle-empty>` : this.#shown}
      </div>
    `
  }

  #group(group: SettingsPage['group']) {
    const pages = settingsPages.filter((it) => it.group === group && isOpen(it))
    if (pages.length === 0) return nothing
    return html`
      <h2 id=${group}>${t(`shell.settings.group.${group}`)}</h2>
      <ul aria-labelledby=${group}>
        ${pages.map(
          (it) => html`
            <li>
              <a href="/settings/${it.name}" aria-current=${it.name === this.page ? 'page' : nothing}>
                ${icon(it.icon)}${t(`shell.settings.${it.name}`)}
              </a>
            </li>
          `,
        )}
      </ul>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-columns: 208px minmax(0, 1fr);
        flex: 1;
        min-block-size: 0;
      }
      nav {
        padding: 16px 8px;
        border-inline-end: 1px solid var(--socle-line);
        overflow: auto;
      }
      h2 {
        margin: 16px 8px 4px;
        font: var(--socle-meta);
        font-weight: 500;
        color: var(--socle-text-3);
      }
      h2:first-child {
        margin-block-start: 0;
      }
      ul {
        display: grid;
        gap: 1px;
      }
      a {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 32px;
        padding: 0 8px;
        border-radius: 6px;
        color: var(--socle-text-2);
        font: var(--socle-small);
        font-weight: 500;
        text-decoration: none;
      }
      a:hover {
        background: var(--socle-muted);
      }
      a[aria-current] {
        background: var(--socle-muted);
        color: var(--socle-text);
      }
      .body {
        min-inline-size: 0;
        padding: 24px;
        overflow: auto;
      }
      .body > * {
        max-inline-size: 1000px;
      }
      @media (width < 1100px) {
        :host {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: auto minmax(0, 1fr);
        }
        nav {
          display: flex;
          flex-wrap: wrap;
          gap: 4px;
          padding: 8px 12px;
          border-inline-end: 0;
          border-block-end: 1px solid var(--socle-line);
          background: var(--socle-surface);
        }
        h2 {
          display: none;
        }
        ul {
          display: contents;
        }
        a {
          white-space: nowrap;
        }
        .body {
          padding: 16px;
        }
      }
      summary {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-block-size: 44px;
        font: var(--socle-body);
        font-weight: 500;
        cursor: pointer;
        list-style: none;
      }
      @media (width < 600px) {
        nav {
          display: block;
          max-block-size: 70dvh;
          padding: 0 12px;
        }
        details[open] summary .icon {
          rotate: 180deg;
        }
        h2 {
          display: block;
        }
        ul {
          display: grid;
        }
        .body {
          padding: 12px;
        }
        a {
          min-block-size: 44px;
        }
      }
    `,
  ]
}

function isOpen(page: SettingsPage): boolean {
  return !page.permission || page.permission.some((it) => shell()?.may.includes(it))
}

define('shell-settings', ShellSettings)
