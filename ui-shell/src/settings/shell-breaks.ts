import { KitElement, controls, format, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { Breaks, PluginCard } from './settings-api.ts'

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
                          ><strong>${it.text}</strong
                          >${it.names ? html`<span class="meta">${it.names}</span>` : nothing}</span
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

function linesOf(breaks: Breaks): { icon: string; text: string; names?: string }[] {
  const {
    screens = [],
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
  } = breaks
  const lines = [
    { icon: 'layout-grid', key: 'screens', names: screens.map((it) => it.title), count: screens.length },
    {
      icon: 'table',
      key: 'records',
      names: records.map((it) => `${it.name} (${format.number(it.count)})`),
      count: records.reduce((sum, it) => sum + it.count, 0),
    },
    { icon: 'blocks', key: 'fills', names: fills.map((it) => it.title ?? it.slot), count: fills.length },
    { icon: 'clock', key: 'jobs', names: jobs.map((it) => it.title ?? it.id), count: jobs.length },
    { icon: 'activity', key: 'subscriptions', names: subscriptions.map((it) => it.event), count: subscriptions.length },
    { icon: 'inbox', key: 'held', names: [], count: heldEvents },
    { icon: 'refresh-cw', key: 'running', names: running.map((it) => it.kind), count: running.length },
    { icon: 'pencil', key: 'fields', names: fields.map((it) => it.title), count: fields.length },
    { icon: 'link', key: 'links', names: links.map((it) => it.title), count: links.length },
    { icon: 'filter', key: 'views', names: views.map((it) => it.name), count: views.length },
    { icon: 'shield', key: 'roles', names: roles.map((it) => it.name), count: roles.length },
  ]
  return lines
    .filter((it) => it.count > 0)
    .map((it) => ({
      icon: it.icon,
      text: t(`shell.breaks.${it.key}`, { count: it.count }),
      ...(it.names.length > 0 && { names: format.list([...new Set(it.names)]) }),
    }))
}
