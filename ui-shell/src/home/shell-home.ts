import { KitElement, controls, may, onShellChange, shell, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { ShellSlot } from '../shell-slot.ts'
import { fillsOf } from '../slots.ts'
import { ShellFigures } from './shell-figures.ts'
import { ShellRecent } from './shell-recent.ts'
import { ShellSharedCard } from './shell-shared-card.ts'
import { ShellSetup } from './shell-setup.ts'
import { ShellToday } from './shell-today.ts'

define('shell-figures', ShellFigures)
define('shell-today', ShellToday)
define('shell-recent', ShellRecent)
define('shell-shared-card', ShellSharedCard)
define('shell-setup', ShellSetup)
define('shell-slot', ShellSlot)

/** My day: the figures, what waits, where I was, and what plugins add. */
export class ShellHome extends KitElement {
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#sayTitle()
    this.#stop = onShellChange(() => this.#sayTitle())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  #sayTitle(): void {
    const name = shell()?.user.name.trim().split(/\s+/)[0] ?? ''
    setPage(this, { title: t('shell.home.greeting', { name }), documentTitle: t('shell.home.title') })
  }

  override render() {
    const hasWidgets = fillsOf('core:home.widgets@1').length > 0
    return html`
      <div class="page">
        <shell-figures></shell-figures>
        ${may('core.plugin.toggle') ? html`<shell-setup></shell-setup>` : nothing}
        ${
          hasWidgets
            ? html`<shell-slot class="widgets" name="core:home.widgets@1" titled .context=${{}}></shell-slot>`
            : nothing
        }
        <div class="day">
          <shell-today></shell-today>
          <div class="beside">
            <shell-recent></shell-recent>
            <shell-shared-card></shell-shared-card>
          </div>
        </div>
      </div>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      .page {
        display: grid;
        gap: 16px;
        max-inline-size: 1320px;
        margin-inline: auto;
        padding: 16px;
      }
      .day {
        display: grid;
        grid-template-columns: minmax(0, 2fr) minmax(0, 1fr);
        align-items: start;
        gap: 16px;
      }
      .beside {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 16px;
      }
      @media (width < 900px) {
        .day {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (width < 600px) {
        .page {
          gap: 12px;
          padding: 12px;
        }
      }
    `,
  ]
}

define('shell-home', ShellHome)
