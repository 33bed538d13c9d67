import { css } from 'lit'
import { controls } from './controls.ts'
import { KitElement } from './kit-element.ts'
import { avatar } from './templates.ts'

/** Initials of a person. Decorative: the name always stands beside it or labels its button. */
export class SocleAvatar extends KitElement {
  static override properties = { name: { type: String } }
  static override styles = [
    controls,
    css`
      :host {
        display: inline-flex;
        vertical-align: middle;
      }

      .avatar {
        inline-size: var(--socle-avatar-size, 24px);
        block-size: var(--socle-avatar-size, 24px);
        font-size: calc(var(--socle-avatar-size, 24px) * 0.42);
      }
    `,
  ]

  declare name: string

  constructor() {
    super()
    this.name = ''
  }

  override render() {
    return avatar(this.name)
  }
}
