import { KitElement, controls, icon, shell, t } from '@socle/sdk/ui'
import { css, html } from 'lit'

/** The sheet behind "Create" on a phone: everything this user may make. */
export class ShellCreate extends KitElement {
  override render() {
    const resources = shell()?.resources.filter((it) => it.may.create && isInNavigation(it.route)) ?? []
    return html`
      <socle-dialog open .heading=${t('shell.nav.create')} @socle-close=${this.#close}>
        <ul>
          ${resources.map(
            (it) =>
              html`<li><a href="${it.route}?create=1" @click=${this.#close}>${icon(it.icon)}${it.name.one}</a></li>`,
          )}
        </ul>
      </socle-dialog>
    `
  }

  readonly #close = (): void => {
    this.dispatchEvent(new CustomEvent('close'))
  }

  static override styles = [
    controls,
    css`
      ul {
        display: grid;
        gap: 4px;
      }
      a {
        display: flex;
        align-items: center;
        gap: 12px;
        min-block-size: 44px;
        padding: 0 8px;
        border-radius: 6px;
        color: inherit;
        text-decoration: none;
      }
      a:hover {
        background: var(--socle-page);
      }
    `,
  ]
}

/** Resources people work in have a place in the navigation; the others (lines, memberships) are made inside them. */
export function isInNavigation(route: string): boolean {
  return shell()?.nav.some((group) => group.items.some((it) => it.path === route)) ?? false
}
