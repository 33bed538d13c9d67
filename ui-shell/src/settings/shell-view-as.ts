import { KitElement, api, controls, t } from '@socle/sdk/ui'
import { html } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sentenceOf } from './settings-api.ts'
import type { Person } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/**
 * Asks why somebody wants to see the workspace as a colleague does, and begins.
 *
 * @fires close
 */
export class ShellViewAs extends KitElement {
  static override properties = { person: { attribute: false }, problem: { state: true } }
  declare person: Person
  declare problem: string | undefined

  override render() {
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    const { name } = this.person
    return html`
      <socle-dialog open .heading=${t('shell.viewing.title', { name })} @socle-close=${close}>
        <form id="view-as" class="form" @submit=${this.#begin}>
          <p class="lead">${t('shell.viewing.lead', { name })}</p>
          <div class="field">
            <label class="label" for="reason">${t('shell.viewing.reason')}</label>
            <input class="input" id="reason" required minlength="3" maxlength="500" autofocus />
          </div>
          ${problemLine(this.problem)}
        </form>
        <button slot="actions" class="button" @click=${close}>${t('shell.cancel')}</button>
        <button slot="actions" class="button primary" @click=${this.#begin}>${t('shell.viewing.begin')}</button>
      </socle-dialog>
    `
  }

  readonly #begin = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!this.renderRoot.querySelector('form')?.reportValidity()) return
    const reason = this.renderRoot.querySelector<HTMLInputElement>('#reason')?.value
    try {
      await api.post('/api/core/view-as', { user: this.person.id, reason })
      // A page of its own: nothing of the viewer's stays in it.
      location.assign('/')
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  static override styles = [controls, settingsStyles]
}
