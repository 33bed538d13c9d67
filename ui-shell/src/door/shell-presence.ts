import { KitElement, api, controls, icon, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sentenceOf } from '../settings/settings-api.ts'
import { settingsStyles } from '../settings/settings-styles.ts'
import { askPasskey, hasPasskeys, passkeyProblem } from './passkeys.ts'

interface Presence {
  /** Until when nobody asks again; null when they are asked now. */
  readonly until: string | null
  readonly ways: {
    readonly password: boolean
    readonly app: boolean
    readonly passkey: boolean
    readonly provider: { readonly id: string; readonly name: string } | null
  }
}

const path = '/api/core/me/presence'
/** Milliseconds between two looks whether the provider has asked them. */
const patience = 1_500

/**
 * Asks whoever sits here to show that it is them, by what they have: password, code, passkey, or the provider they came
 * through.
 *
 * @fires close - with whether they did
 */
export class ShellPresence extends KitElement {
  static override properties = {
    presence: { state: true },
    problem: { state: true },
    isAway: { state: true },
  }
  declare presence: Presence | undefined
  declare problem: string | undefined
  /** The provider asks them in another tab. */
  declare isAway: boolean

  #looking: ReturnType<typeof setInterval> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#try(async () => {
      this.presence = (await api.get<{ data: Presence }>(path)).data
      await this.updateComplete
      // The dialog opened before it was known what to ask for.
      this.renderRoot.querySelector<HTMLElement>('form input, form button')?.focus()
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearInterval(this.#looking)
  }

  override render() {
    const { ways } = this.presence ?? {}
    const typed = ways?.password ? 'password' : ways?.app ? 'code' : undefined
    return html`
      <socle-dialog open .heading=${t('shell.presence.title')} @socle-close=${() => this.#close(false)}>
        <form class="form" id="form" @submit=${(event: Event) => this.#type(event, typed)}>
          ${problemLine(this.problem)}
          <p class="lead" role="status">${t(this.isAway ? 'shell.presence.away' : 'shell.presence.lead')}</p>
          ${
            typed
              ? html`<div class="field">
                  <label class="label" for="typed">${t(`shell.presence.${typed}`)}</label>
                  <input
                    class="input"
                    id="typed"
                    name="typed"
                    type=${typed === 'password' ? 'password' : 'text'}
                    inputmode=${typed === 'code' ? 'numeric' : nothing}
                    autocomplete=${typed === 'password' ? 'current-password' : 'one-time-code'}
                    required
                  />
                </div>`
              : nothing
          }
          ${
            ways?.passkey && hasPasskeys()
              ? html`<button class="button" type="button" @click=${this.#byPasskey}>
                  ${icon('key-round')}${t('shell.presence.passkey')}
                </button>`
              : nothing
          }
          ${
            ways?.provider
              ? html`<button class="button" type="button" @click=${this.#byProvider}>
                  ${icon('badge-check')}${t('shell.presence.provider', { name: ways.provider.name })}
                </button>`
              : nothing
          }
        </form>
        <button slot="actions" class="button" @click=${() => this.#close(false)}>${t('shell.cancel')}</button>
        ${
          typed
            ? html`<button
                slot="actions"
                class="button primary"
                @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
              >
                ${t('shell.presence.go')}
              </button>`
            : nothing
        }
      </socle-dialog>
    `
  }

  #type(event: Event, as: 'password' | 'code' | undefined): void {
    event.preventDefault()
    const typed = String(new FormData(event.target as HTMLFormElement).get('typed') ?? '')
    if (as && typed) void this.#show({ [as]: typed })
  }

  readonly #byPasskey = (): void => {
    void this.#try(async () => {
      const passkey = await askPasskey()
      if (passkey) await this.#show({ passkey })
    })
  }

  // A tab of its own, opened by the click itself: what is half typed here stays.
  readonly #byProvider = (): void => {
    const provider = this.presence?.ways.provider?.id
    const tab = window.open('', '_blank')
    if (tab) tab.opener = null
    void this.#try(async () => {
      const question = { provider, presence: true }
      const { data } = await api.post<{ data: { url: string } }>('/api/auth/sign-on/start', question)
      if (tab) tab.location.href = data.url
      this.isAway = true
      clearInterval(this.#looking)
      this.#looking = setInterval(() => void this.#look(), patience)
    })
  }

  async #look(): Promise<void> {
    const answer = await api.get<{ data: Presence }>(path).catch(() => undefined)
    if (answer?.data.until) this.#close(true)
  }

  #show(shown: object): Promise<void> {
    return this.#try(async () => {
      await api.post(path, shown)
      this.#close(true)
    })
  }

  async #try(act: () => Promise<void>): Promise<void> {
    this.problem = undefined
    try {
      await act()
    } catch (thrown) {
      const problem = passkeyProblem(thrown)
      this.problem = typeof problem === 'string' ? t(`shell.passkeys.${problem}`) : sentenceOf(problem)
    }
  }

  #close(isPresent: boolean): void {
    this.dispatchEvent(new CustomEvent('close', { detail: isPresent }))
  }

  static override styles = [controls, settingsStyles]
}

/** Puts the question on the page. Answers whether they showed that it is them. */
export function askPresence(): Promise<boolean> {
  return new Promise((answer) => {
    const dialog = document.createElement('shell-presence')
    dialog.addEventListener('close', (event) => {
      dialog.remove()
      answer((event as CustomEvent<boolean>).detail)
    })
    document.body.append(dialog)
  })
}
