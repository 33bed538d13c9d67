import { onShellChange, PluginElement, ProblemError, slot } from '@socle/sdk/ui'
import { css, html, nothing, type PropertyValues } from 'lit'
import type { ContactBeside } from '../contract.ts'

/** One contact: what modules remark on them, and beside it what modules draw. */
export class BriefingContact extends PluginElement {
  static override properties = { contact: {}, name: {}, remarks: { state: true }, problem: { state: true } }
  static override styles = css`
    :host {
      display: grid;
      gap: 12px;
    }
    ul {
      display: grid;
      gap: 4px;
      margin: 0;
      padding-inline-start: 16px;
    }
    p {
      color: var(--socle-text-2);
      margin: 0;
    }
  `

  declare contact: string
  declare name: string
  declare remarks: readonly string[] | undefined
  declare problem: string | undefined
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    // A module that came or went has remarks of its own.
    this.#stop = onShellChange(() => void this.#load())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    if (changed.has('contact')) void this.#load()
  }

  async #load(): Promise<void> {
    const { contact } = this
    try {
      const { data } = await this.api.get<{ data: readonly string[] }>(`/api/briefing/contacts/${contact}/remarks`)
      if (contact === this.contact) [this.remarks, this.problem] = [data, undefined]
    } catch (problem) {
      // Among others, that the briefing itself is being switched off.
      if (!(problem instanceof ProblemError)) throw problem
      this.problem = problem.detail
    }
  }

  override render() {
    const { contact, name, remarks, problem } = this
    return html`
      ${problem === undefined ? nothing : html`<p role="alert">${problem}</p>`}
      ${remarks?.length === 0 ? html`<p>${this.t('briefing.contact.nothing')}</p>` : nothing}
      ${
        remarks?.length
          ? html`<ul>
              ${remarks.map((it) => html`<li>${it}</li>`)}
            </ul>`
          : nothing
      }
      ${slot<typeof ContactBeside>('briefing:contact.beside@1', { contact, name })}
    `
  }
}
