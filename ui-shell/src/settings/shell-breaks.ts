import { KitElement, controls, format, icon, may, resource, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { eventsHref } from './event-api.ts'
import type { Breaks, PluginCard } from './settings-api.ts'
import { settingsPages } from './settings-pages.ts'

/** What a switch breaks, counted and named, before it acts. The safe button has the focus. */
export class ShellBreaks extends KitElement {
  static override properties = { card: { attribute: false }, breaks: { attribute: false } }
  declare card: PluginCard
  declare breaks: Breaks

  #answered = false

  override render() {
    const title = this.card.title
    const lines = linesOf(this.breaks)
    const dependents = this.breaks.dependents ?? []
    return html`
      <socle-dialog open .heading=${t('shell.breaks.title', { title })} @socle-close=${this.#closed}>
        ${
          lines.length === 0 && dependents.length === 0
            ? html`<p>${t('shell.breaks.nothing')}</p>`
            : html`
                <p>${t('shell.breaks.lead')}</p>
                <ul>
                  ${lines.map(
                    (it) =>
                      html`<li>
                        ${icon(it.icon)}<span
                          ><strong>${linked(it)}</strong
                          >${it.names.length > 0 ? html`<span class="meta">${namesOf(it)}</span>` : nothing}</span
                        >
                      </li>`,
                  )}
                </ul>
                ${
                  dependents.length > 0
                    ? html`<p class="warning">
                        ${icon('triangle-alert')}
                        <span
                          >${t('shell.breaks.dependents', { count: dependents.length, list: format.list(dependents.map((it) => it.title)) })}</span
                        >
                      </p>`
                    : nothing
                }
              `
        }
        <p class="meta">${t('shell.breaks.kept')}</p>
        <button slot="actions" class="button" autofocus @click=${() => this.#answer('keep')}>
          ${t('shell.breaks.keep')}
        </button>
        <button slot="actions" class="button danger" @click=${() => this.#answer('switch-off')}>
          ${dependents.length > 0 ? t('shell.breaks.offWith', { count: dependents.length + 1 }) : t('shell.breaks.off')}
        </button>
      </socle-dialog>
    `
  }

  #answer(name: 'keep' | 'switch-off'): void {
    if (this.#answered) return
    this.#answered = true
    const cascade = (this.breaks.dependents?.length ?? 0) > 0
    this.dispatchEvent(new CustomEvent(name, { detail: { cascade } }))
  }

  readonly #closed = (): void => this.#answer('keep')

  static override styles = [
    controls,
    css`
      ul {
        display: grid;
        gap: 1px;
        margin-block: 12px;
      }
      li {
        display: flex;
        gap: 10px;
        padding: 8px 0;
        border-block-end: 1px solid var(--socle-line);
      }
      li .icon {
        margin-block-start: 2px;
        color: var(--socle-text-3);
      }
      strong {
        display: block;
        font-weight: 500;
      }
      .warning {
        display: flex;
        gap: 8px;
        margin-block-end: 12px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
      }
      .warning .icon {
        margin-block-start: 2px;
      }
    `,
  ]
}

/** What a line counts or names, with the list it stands in where whoever reads may see that. */
interface Broken {
  readonly text: string
  readonly href?: string | undefined
}

interface BrokenLine extends Broken {
  readonly icon: string
  readonly names: readonly Broken[]
}

export function namesOf({ names }: BrokenLine) {
  return names.map((it, at) => html`${at > 0 ? ', ' : nothing}${linked(it)}`)
}

export function linked({ text, href }: Broken) {
  return href === undefined ? text : html`<a class="link" href=${href}>${text}</a>`
}

function listOf(id: string): string | undefined {
  return resource(id)?.route
}

/** An address among the settings. */
function setting(page: string, href = `/settings/${page}`): string | undefined {
  const { permission } = settingsPages.find(({ name }) => name === page) ?? {}
  return !permission || permission.some(may) ? href : undefined
}

/** What a switch breaks, a counted line for each kind of thing. */
export function linesOf(breaks: Breaks): readonly BrokenLine[] {
  const {
    screens = [],
    pages = [],
    records = [],
    fills = [],
    jobs = [],
    subscriptions = [],
    roles = [],
    heldEvents = 0,
    fields = [],
    views = [],
    links = [],
    running = [],
    uses = [],
  } = breaks
  const plain = (texts: readonly string[]): readonly Broken[] => texts.map((text) => ({ text }))
  const held = eventsHref({ view: 'failed', state: 'held' })
  const lines: readonly (Omit<BrokenLine, 'text'> & { readonly key: string; readonly count: number })[] = [
    {
      icon: 'layout-grid',
      key: 'screens',
      names: screens.map(({ title: text, path: href }) => ({ text, href })),
      count: screens.length,
    },
    {
      icon: 'external-link',
      key: 'pages',
      names: plain(pages.map((it) => `${it.title} (${it.path})`)),
      count: pages.length,
    },
    {
      icon: 'table',
      key: 'records',
      names: records.map(({ name, resource: id, count }) => ({
        text: `${name} (${format.number(count)})`,
        href: listOf(id),
      })),
      count: records.reduce((sum, it) => sum + it.count, 0),
    },
    { icon: 'blocks', key: 'fills', names: plain(fills.map((it) => it.title ?? it.slot)), count: fills.length },
    { icon: 'clock', key: 'jobs', names: plain(jobs.map((it) => it.title ?? it.id)), count: jobs.length },
    {
      icon: 'activity',
      key: 'subscriptions',
      names: subscriptions.map(({ event }) => ({ text: event, href: setting('events', eventsHref({ event })) })),
      count: subscriptions.length,
    },
    { icon: 'inbox', key: 'held', names: [], count: heldEvents, href: setting('events', held) },
    { icon: 'refresh-cw', key: 'running', names: plain(running.map((it) => it.kind)), count: running.length },
    {
      icon: 'pencil',
      key: 'fields',
      names: fields.map(({ title: text, resource: id }) => ({ text, href: listOf(id) })),
      count: fields.length,
    },
    {
      icon: 'link',
      key: 'links',
      names: links.map(({ title: text, from }) => ({ text, href: listOf(from.split('.').slice(0, 2).join('.')) })),
      count: links.length,
    },
    {
      icon: 'filter',
      key: 'views',
      names: views.map(({ id, name: text, resource: of }) => ({
        text,
        href: listOf(of) && `${listOf(of)}?view=${id}`,
      })),
      count: views.length,
    },
    {
      icon: 'plug',
      key: 'uses',
      names: uses.map(({ title, kind, what }) => ({
        text: t('shell.breaks.use', { title, kind, what }),
        href: setting('map'),
      })),
      count: uses.length,
    },
    {
      icon: 'shield',
      key: 'roles',
      names: roles.map(({ id, name: text }) => ({ text, href: setting('roles', `/settings/roles/${id}`) })),
      count: roles.length,
    },
  ]
  return lines
    .filter((it) => it.count > 0)
    .map(({ key, count, names, ...line }) => ({
      ...line,
      text: t(`shell.breaks.${key}`, { count }),
      names: [...new Map(names.map((it) => [it.text, it])).values()],
    }))
}
