import { KitElement } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from './define.ts'
import { ShellFillElement } from './shell-fill.ts'
import { fillsOf } from './slots.ts'

define('shell-fill', ShellFillElement)

/** A place other plugins may fill: all its fills, in order. Empty, it takes no room. */
export class ShellSlot extends KitElement {
  static override properties = {
    name: {},
    resource: {},
    context: { attribute: false },
    titled: { type: Boolean, reflect: true },
  }
  declare name: string
  declare resource: string | undefined
  declare context: unknown
  /** Puts each fill into a card under its title. */
  declare titled: boolean

  override render() {
    const fills = fillsOf(this.name, this.resource)
    this.toggleAttribute('hidden', fills.length === 0)
    return repeat(
      fills,
      (fill) => fill.id,
      (fill) => html`
        <section class=${this.titled ? 'card' : ''} aria-label=${fill.title ?? nothing}>
          ${this.titled && fill.title ? html`<h2>${fill.title}</h2>` : nothing}
          <shell-fill .fill=${fill} .context=${this.context}></shell-fill>
        </section>
      `,
    )
  }

  static override styles = css`
    :host {
      display: block;
      min-inline-size: 0;
    }
    section {
      min-inline-size: 0;
    }
    :host([titled]) {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr));
      gap: 16px;
    }
    :host([hidden]) {
      display: none;
    }
    .card {
      padding: 16px;
      border: 1px solid var(--socle-line);
      border-radius: 8px;
      background: var(--socle-surface);
    }
    h2 {
      margin: 0 0 12px;
      font-size: 13px;
      line-height: 18px;
      font-weight: 500;
      color: var(--socle-text-2);
    }
  `
}
