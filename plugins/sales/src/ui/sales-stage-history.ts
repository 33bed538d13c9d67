import { announce, controls, PluginElement } from '@socle/sdk/ui'
import { css, html, nothing, type PropertyDeclarations, type PropertyValues } from 'lit'

interface Visit {
  readonly id: string
  readonly name: string
  readonly direction: 'entered' | 'forward' | 'backward'
  readonly skipped: number
  readonly enteredAt: string
  readonly leftAt: string | null
  readonly actor: string
}

interface TabContext {
  readonly record: { readonly id: string; readonly version: number }
}

const day = 86_400_000

/** The stages the opportunity in view stood in, newest first: since when, how long, and by whom. */
export class SalesStageHistory extends PluginElement<TabContext> {
  static override properties: PropertyDeclarations = {
    ...PluginElement.properties,
    visits: { state: true },
    failed: { state: true },
  }
  static override styles = [
    controls,
    css`
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        border-block-start: 1px solid var(--socle-line);
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
        justify-content: space-between;
        padding: 10px 0;
      }
      li:first-child {
        border-block-start: 0;
      }
      strong {
        font-weight: 600;
      }
    `,
  ]

  declare visits: readonly Visit[] | undefined
  declare failed: string | undefined

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    const before = changed.get('context') as TabContext | undefined
    const { id, version } = this.context.record
    if (changed.has('context') && (before?.record.id !== id || before.record.version !== version)) void this.#load(id)
  }

  async #load(id: string): Promise<void> {
    try {
      const answer = await this.api.get<{ data: readonly Visit[] }>(`/api/sales/opportunities/${id}/visits`)
      if (this.context.record.id === id) this.visits = answer.data.toReversed()
      this.failed = undefined
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error)
      announce(this.failed, 'polite')
    }
  }

  override render() {
    if (this.failed !== undefined) return html`<p role="alert">${this.failed}</p>`
    if (!this.visits) return html`<socle-skeleton></socle-skeleton>`
    return html`<ol>
      ${this.visits.map((visit) => this.#visit(visit))}
    </ol>`
  }

  #visit({ name, direction, skipped, enteredAt, leftAt, actor }: Visit) {
    const until = leftAt === null ? Date.now() : Date.parse(leftAt)
    const days = Math.floor((until - Date.parse(enteredAt)) / day)
    return html`<li>
      <span>
        <strong>${name}</strong>
        ${leftAt === null ? html`<socle-pill tone="info" icon="circle-dot">${this.t('sales.stages.now')}</socle-pill>` : nothing}
        ${direction === 'backward' ? html`<socle-pill tone="warning" icon="undo-2">${this.t('sales.stages.backward')}</socle-pill>` : nothing}
        ${skipped > 0 ? html`<socle-pill tone="neutral" icon="chevrons-right">${this.t('sales.stages.skipped', { count: skipped })}</socle-pill>` : nothing}
      </span>
      <span class="meta">
        ${this.format.instant(enteredAt)} · ${this.t('sales.stages.elapsed', { days })} ·
        ${this.t('sales.stages.by', { name: actor })}
      </span>
    </li>`
  }
}
