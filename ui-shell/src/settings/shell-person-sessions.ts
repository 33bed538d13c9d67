import { KitElement, api, confirmDialog, controls, icon, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { externalIdentityRows } from './external-identity-rows.ts'
import { sentenceOf } from './settings-api.ts'
import type { ExternalIdentity, Person, SessionRow } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { sessionRows } from './session-rows.ts'
import { problemLine } from '../problem-line.ts'

/** Where a colleague is signed in and by which accounts of providers, with a way to end either. */
export class ShellPersonSessions extends KitElement {
  static override properties = {
    person: { attribute: false },
    sessions: { state: true },
    links: { state: true },
    problem: { state: true },
  }
  declare person: Person
  declare sessions: readonly SessionRow[] | undefined
  declare links: readonly ExternalIdentity[] | undefined
  declare problem: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  get #path(): string {
    return `/api/core/users/${this.person.id}/sessions`
  }

  get #linksPath(): string {
    return `/api/core/users/${this.person.id}/external-identities`
  }

  async #load(): Promise<void> {
    try {
      const [sessions, links] = await Promise.all([
        api.get<{ data: readonly SessionRow[] }>(this.#path),
        api.get<{ data: readonly ExternalIdentity[] }>(this.#linksPath),
      ])
      this.sessions = sessions.data
      this.links = links.data
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
        ${problemLine(this.problem)} ${this.#list()} ${this.#accounts()}
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

  #accounts() {
    if (!this.links || this.links.length === 0) return nothing
    return html`
      <h3>${t('shell.links.title')}</h3>
      <p class="lead">${t('shell.links.leadOf', { name: this.person.name })}</p>
      ${externalIdentityRows(this.links, (it) => void this.#unlink(it))}
    `
  }

  async #unlink({ id, provider }: ExternalIdentity): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.links.unlinkOne', { provider }),
      body: t('shell.links.unlinkText', { provider }),
      confirm: t('shell.links.unlink'),
      danger: true,
    })
    if (yes) await this.#end(`${this.#linksPath}/${id}`)
  }

  static override styles = [controls, settingsStyles]
}
