import { KitElement, api, controls, icon, may, records, resource, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'

interface Step {
  readonly id: string
  readonly href: () => string
  readonly isOpen: () => boolean
  readonly isDone: () => Promise<boolean>
}

/** What makes an empty installation a company's own. A step counts as done by what is there, not by a click. */
const steps: readonly Step[] = [
  {
    id: 'modules',
    href: () => '/settings/modules',
    isOpen: () => may('core.plugin.toggle'),
    isDone: async () => shell()?.plugins.some((it) => it.id !== 'core') ?? false,
  },
  {
    id: 'people',
    href: () => '/settings/people',
    isOpen: () => may('core.user.manage'),
    isDone: async () => (await api.get<{ data: unknown[] }>('/api/core/users')).data.length > 1,
  },
  {
    id: 'accounts',
    href: () => `${resource('core.account')?.route ?? ''}/import`,
    isOpen: () => resource('core.account')?.may.import ?? false,
    isDone: async () => (await records('core.account').list({ limit: 1 })).data.length > 0,
  },
]

const dismissed = () => `socle.setup.${shell()?.workspace.id}`

/** The first steps of an administrator. Gone when all are done, or when told so. */
export class ShellSetup extends KitElement {
  static override properties = { done: { state: true } }
  declare done: ReadonlySet<string> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#look()
  }

  async #look(): Promise<void> {
    if (localStorage.getItem(dismissed())) return
    const open = steps.filter((it) => it.isOpen())
    const answers = await Promise.all(open.map((it) => it.isDone().catch(() => true)))
    this.done = new Set(open.filter((_, at) => answers[at]).map((it) => it.id))
  }

  override render() {
    const open = steps.filter((it) => it.isOpen())
    const isHidden = !this.done || this.done.size === open.length
    this.toggleAttribute('hidden', isHidden)
    if (isHidden) return nothing
    return html`
      <section class="card" aria-labelledby="title">
        <header>
          <h2 id="title">${t('shell.setup.title')}</h2>
          <span class="meta">${t('shell.setup.progress', { done: this.done?.size ?? 0, all: open.length })}</span>
          <span class="space"></span>
          <button
            class="icon-button"
            aria-label=${t('shell.setup.dismiss')}
            title=${t('shell.setup.dismiss')}
            @click=${this.#dismiss}
          >
            ${icon('x')}
          </button>
        </header>
        <ol>
          ${open.map((step) => {
            const isDone = this.done?.has(step.id)
            return html`
              <li>
                <a href=${step.href()} class=${isDone ? 'done' : ''}>
                  <span class="mark">${icon(isDone ? 'circle-check' : 'circle')}</span>
                  <span>
                    <strong>${t(`shell.setup.${step.id}`)}</strong>
                    <span class="meta">${isDone ? t('shell.setup.done') : t(`shell.setup.${step.id}Text`)}</span>
                  </span>
                </a>
              </li>
            `
          })}
        </ol>
      </section>
    `
  }

  readonly #dismiss = (): void => {
    localStorage.setItem(dismissed(), '1')
    this.done = undefined
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      header {
        display: flex;
        align-items: baseline;
        gap: 12px;
        padding: 12px 12px 0 16px;
      }
      h2 {
        font: var(--socle-body);
        font-weight: 600;
      }
      .space {
        flex: 1;
      }
      .icon-button {
        align-self: start;
        margin-block-start: -6px;
      }
      ol {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(220px, 1fr));
        gap: 4px;
        padding: 4px 8px 8px;
      }
      a {
        display: flex;
        gap: 10px;
        padding: 8px;
        border-radius: 6px;
        color: inherit;
        text-decoration: none;
      }
      a:hover {
        background: var(--socle-page);
      }
      strong {
        display: block;
        font-weight: 500;
      }
      .mark {
        padding-block-start: 2px;
        color: var(--socle-control);
      }
      .done .mark {
        color: var(--socle-success);
      }
      .done strong {
        color: var(--socle-text-2);
      }
    `,
  ]
}
