import { KitElement, api, controls, icon, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { sentenceOf } from './settings-api.ts'
import type { Person, SessionRow } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { sessionRows } from './session-rows.ts'
import { problemLine } from '../problem-line.ts'

/** Where a colleague is signed in, with a way to end that. */
export class ShellPersonSessions extends KitElement {
  static override properties = {
    person: { attribute: false },
    sessions: { state: true },
    problem: { state: true },
  }
  declare person: Person
  declare sessions: readonly SessionRow[] | undefined
  declare problem: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  get #path(): string {
    return `/api/core/users/${this.person.id}/sessions`
  }

  async #load(): Promise<void> {
    try {
      this.sessions = (await api.get<{ data: readonly SessionRow[] }>(this.#path)).data
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  async #end(path: string): Promise<void> {
    try {
      await api.delete(path)
      await this.#load()
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    return html`
      <socle-dialog open .heading=${t('shell.people.sessionsOf', { name: this.person.name })} @socle-close=${close}>
        ${problemLine(this.problem)} ${this.#list()}
        ${
          this.sessions && this.sessions.length > 0
            ? html`<button slot="actions" class="button danger" @click=${() => void this.#end(this.#path)}>
                ${icon('log-out')}${t('shell.people.endSessions')}
              </button>`
            : nothing
        }
        <button slot="actions" class="button" @click=${close}>${t('kit.dialog.close')}</button>
      </socle-dialog>
    `
  }

  #list() {
    if (!this.sessions) return this.problem ? nothing : html`<socle-skeleton .lines=${3}></socle-skeleton>`
    if (this.sessions.length === 0) return html`<p class="lead">${t('shell.people.noSessions')}</p>`
    return sessionRows(this.sessions, (it) => void this.#end(`${this.#path}/${it.id}`))
  }

  static override styles = [controls, settingsStyles]
}
