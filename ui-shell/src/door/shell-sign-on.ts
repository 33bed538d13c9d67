import { KitElement, api, controls, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { session } from '../session-doc.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { doorFrame, doorStyles } from './door-frame.ts'
import { goToProvider, providerOf, type ProviderButton, type SignOnAnswer, type SignOnQuestion } from './providers.ts'

/** Between here and an identity provider, `/sign-on/<id>`: on the way there, or back with its answer. */
export class ShellSignOn extends KitElement {
  static override properties = {
    problem: { state: true },
    begin: { state: true },
    question: { state: true },
    isPresent: { state: true },
  }
  declare problem: string | undefined
  declare begin: ProviderButton | undefined
  declare question: SignOnQuestion | undefined
  /** They showed that it is them, to another tab that waits for it. */
  declare isPresent: boolean

  readonly #provider = location.pathname.split('/')[2] ?? ''

  override connectedCallback(): void {
    super.connectedCallback()
    const query = location.search
    // The answer is used once, and must not stay in the history of a shared machine.
    history.replaceState(history.state, '', location.pathname)
    void this.#run(query.includes('state=') ? () => this.#finish(query) : () => this.#ask())
  }

  override render() {
    document.title = `${t('shell.signIn.title')} · Socle`
    return doorFrame({ ...this.#said(), body: this.#choices(), onSpoken: () => this.requestUpdate() })
  }

  #said(): { heading: string; lead: string } {
    if (this.problem) return { heading: t('shell.signOn.failed'), lead: this.problem }
    const { question, begin } = this
    if (this.isPresent) return { heading: t('shell.presence.done'), lead: t('shell.presence.doneLead') }
    if (question) {
      const { joins, workspace, email, provider, signedInAs } = question
      return {
        heading: t(joins ? 'shell.signOn.join' : 'shell.signOn.become', { workspace, email }),
        lead: signedInAs
          ? t('shell.signOn.becomeLead', { provider, email, signedInAs })
          : t('shell.signOn.joinLead', { provider, email, workspace }),
      }
    }
    if (begin)
      return {
        heading: t('shell.signOn.begin', { workspace: begin.workspace }),
        lead: t('shell.signOn.beginLead', { name: begin.name }),
      }
    return { heading: t('shell.signOn.busy'), lead: t('shell.signOn.busyLead') }
  }

  #choices() {
    const { problem, question, begin } = this
    // Never by itself: an address somebody sent must neither lead away nor let anybody in.
    const go = () => void this.#run(() => goToProvider(this.#provider, '/'))
    const steps = (label: string, step: () => void, other: string) =>
      html`<div class="steps">
        <button class="button primary" @click=${step}>${label}</button>
        <button class="button" @click=${() => session.leaveLink()}>${other}</button>
      </div>`
    if (problem) return steps(t('shell.signOn.again'), go, t('shell.signOn.otherWay'))
    if (question) {
      const { token, joins, workspace, email } = question
      const yes = t(joins ? 'shell.signOn.joinYes' : 'shell.signOn.becomeYes', { workspace, email })
      return steps(yes, () => void this.#run(() => this.#confirm(token)), t('shell.signOn.no'))
    }
    return begin ? steps(t('shell.signIn.through', { ...begin }), go, t('shell.signOn.otherWay')) : ''
  }

  async #ask(): Promise<void> {
    this.begin = await providerOf(this.#provider)
  }

  async #finish(query: string): Promise<void> {
    await this.#enter('/api/auth/sign-on/finish', { provider: this.#provider, query })
  }

  async #confirm(token: string): Promise<void> {
    this.question = undefined
    await this.#enter('/api/auth/sign-on/confirm', { token })
  }

  async #enter(path: string, body: object): Promise<void> {
    const { data } = await api.post<{ data: SignOnAnswer }>(path, body)
    if ('confirm' in data) this.question = data.confirm
    else if ('present' in data) {
      this.isPresent = true
      // Where the browser does not let it, the page says that it may be closed.
      window.close()
    } else await session.cameThrough(data.returnTo, { isCodeWanted: data.secondFactor === true })
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

  static override styles = [
    controls,
    doorStyles,
    css`
      /* An address has no place to break. */
      h1 {
        overflow-wrap: anywhere;
      }
    `,
  ]
}
