import { KitElement, api, controls, t } from '@socle/sdk/ui'
import { html } from 'lit'
import { session } from '../session-doc.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { doorFrame, doorStyles } from './door-frame.ts'
import { goToProvider } from './providers.ts'

/** Between here and an identity provider, `/sign-on/<id>`: on the way there, or back with its answer. */
export class ShellSignOn extends KitElement {
  static override properties = { problem: { state: true } }
  declare problem: string | undefined

  readonly #provider = location.pathname.split('/')[2] ?? ''

  override connectedCallback(): void {
    super.connectedCallback()
    const query = location.search
    // The answer is used once, and must not stay in the history of a shared machine.
    history.replaceState(history.state, '', location.pathname)
    void this.#run(query.includes('state=') ? () => this.#finish(query) : () => goToProvider(this.#provider, '/'))
  }

  override render() {
    document.title = `${t('shell.signIn.title')} · Socle`
    return doorFrame({
      heading: t(this.problem ? 'shell.signOn.failed' : 'shell.signOn.busy'),
      lead: this.problem ?? t('shell.signOn.busyLead'),
      body: this.problem
        ? html`<div class="steps">
            <button class="button primary" @click=${() => void this.#run(() => goToProvider(this.#provider, '/'))}>
              ${t('shell.signOn.again')}
            </button>
            <button class="button" @click=${() => session.leaveLink()}>${t('shell.signOn.otherWay')}</button>
          </div>`
        : '',
      onSpoken: () => this.requestUpdate(),
    })
  }

  async #finish(query: string): Promise<void> {
    const body = { provider: this.#provider, query }
    const { data } = await api.post<{ data: { returnTo: string; secondFactor?: true } }>(
      '/api/auth/sign-on/finish',
      body,
    )
    await session.cameThrough(data.returnTo, { isCodeWanted: data.secondFactor === true })
  }

  async #run(step: () => Promise<void>): Promise<void> {
    this.problem = undefined
    try {
      await step()
    } catch (problem) {
      this.problem = sentenceOf(problem)
      await this.updateComplete
      this.renderRoot.querySelector('h1')?.focus()
    }
  }

  static override styles = [controls, doorStyles]
}
