import { KitElement, api, confirmDialog, controls, format, icon, pill, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { makePasskey, hasPasskeys, passkeyProblem } from '../door/passkeys.ts'
import { makeSecret, ShellAuthenticatorSetup } from '../door/shell-authenticator-setup.ts'
import type { MadeSecret } from '../door/shell-authenticator-setup.ts'
import { ShellRecoveryCodes } from '../door/shell-recovery-codes.ts'
import type { SecondFactorState } from '../session-doc.ts'
import { deviceOf } from './devices.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import type { ExternalIdentity, SessionRow } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { externalIdentityRows } from './external-identity-rows.ts'
import { sessionRows } from './session-rows.ts'
import { problemLine } from '../problem-line.ts'

define('shell-authenticator-setup', ShellAuthenticatorSetup)
define('shell-recovery-codes', ShellRecoveryCodes)

interface Passkey {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

type Layer =
  | { readonly kind: 'app'; readonly made: MadeSecret }
  | { readonly kind: 'codes'; readonly codes: readonly string[] }
  | { readonly kind: 'passkey' }
  | { readonly kind: 'rename'; readonly passkey: Passkey }

/** How I sign in: password, authenticator app, passkeys, and where I am signed in now. */
export class ShellSecurity extends KitElement {
  static override properties = {
    factor: { state: true },
    passkeys: { state: true },
    sessions: { state: true },
    layer: { state: true },
    fault: { state: true },
    problem: { state: true },
    isBusy: { state: true },
    email: { state: true },
    hasPassword: { state: true },
    links: { state: true },
  }
  declare factor: SecondFactorState | undefined
  declare passkeys: readonly Passkey[] | undefined
  declare sessions: readonly SessionRow[] | undefined
  declare layer: Layer | undefined
  /** What is wrong in the open dialog. */
  declare fault: string | undefined
  declare problem: string | undefined
  declare isBusy: boolean
  declare email: string | undefined
  /** False for who comes in by passkey or a provider alone. */
  declare hasPassword: boolean
  declare links: readonly ExternalIdentity[]

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [factor, passkeys, sessions, me, presence, links] = await Promise.all([
        api.get<{ data: SecondFactorState }>('/api/core/me/second-factor'),
        api.get<{ data: readonly Passkey[] }>('/api/core/me/passkeys'),
        api.get<{ data: readonly SessionRow[] }>('/api/core/me/sessions'),
        api.get<{ data: { email: string | null } }>('/api/core/me'),
        api.get<{ data: { ways: { password: boolean } } }>('/api/core/me/presence'),
        api.get<{ data: readonly ExternalIdentity[] }>('/api/core/me/external-identities'),
      ])
      this.factor = factor.data
      this.passkeys = passkeys.data
      this.sessions = sessions.data
      this.email = me.data.email ?? undefined
      this.hasPassword = presence.data.ways.password
      this.links = links.data
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.factor || !this.passkeys || !this.sessions) return html`<socle-skeleton .lines=${8}></socle-skeleton>`
    return html`
      ${this.#password()} ${this.#app(this.factor)} ${this.#keys(this.passkeys)} ${this.#accounts()}
      ${this.#open(this.sessions)} ${this.layer ? this.#dialog(this.layer) : nothing}
    `
  }

  #password() {
    return html`
      <section>
        <h2>${t('shell.profile.password')}</h2>
        <form class="form" @submit=${this.#changePassword}>
          ${
            this.fault && !this.layer
              ? html`<p class="problem" role="alert">${icon('circle-alert')}${this.fault}</p>`
              : nothing
          }
          <input
            class="visually-hidden"
            type="text"
            autocomplete="username"
            .value=${this.email ?? ''}
            tabindex="-1"
            aria-hidden="true"
            readonly
          />
          ${
            this.hasPassword
              ? html`<div class="field">
                  <label class="label" for="current">${t('shell.profile.currentPassword')}</label>
                  <input
                    class="input"
                    id="current"
                    name="current"
                    type="password"
                    autocomplete="current-password"
                    required
                  />
                </div>`
              : html`<p class="lead">${t('shell.profile.noPassword')}</p>`
          }
          <div class="field">
            <label class="label" for="new">${t('shell.profile.newPassword')}</label>
            <input
              class="input"
              id="new"
              name="new"
              type="password"
              autocomplete="new-password"
              minlength="10"
              required
              aria-describedby="new-help"
            />
            <p class="meta" id="new-help">${t('shell.profile.newPasswordHelp')}</p>
          </div>
          <div>
            <button class="button" type="submit" aria-disabled=${this.isBusy ? 'true' : nothing}>
              ${t(this.hasPassword ? 'shell.profile.changePassword' : 'shell.profile.choosePassword')}
            </button>
          </div>
        </form>
      </section>
    `
  }

  #app({ since, recoveryCodesLeft, demandedBy }: SecondFactorState) {
    return html`
      <section>
        <h2>
          ${t('shell.security.app')}
          ${since ? pill(t('shell.security.on'), 'success', 'check') : pill(t('shell.security.off'), 'neutral', 'ban')}
        </h2>
        <p class="lead">${t('shell.security.app.lead')}</p>
        ${
          demandedBy.length > 0
            ? html`<p class="lead">
                ${icon('shield-check')} ${t('shell.security.demanded', { companies: format.list(demandedBy) })}
              </p>`
            : nothing
        }
        ${
          since
            ? html`<p class="lead">
                  ${t('shell.security.app.since', { when: format.date(since.slice(0, 10)) })}
                  ${t('shell.security.recovery.left', { count: recoveryCodesLeft })}
                </p>
                <p class="line">
                  <button class="button" @click=${() => void this.#renewCodes().catch(tellProblem)}>
                    ${t('shell.security.recovery.renew')}
                  </button>
                  <button class="button" @click=${() => void this.#removeApp()}>
                    ${t('shell.security.app.remove')}
                  </button>
                </p>`
            : html`<button class="button" @click=${() => void this.#setUpApp().catch(tellProblem)}>
                ${icon('smartphone')}${t('shell.security.app.setUp')}
              </button>`
        }
      </section>
    `
  }

  #keys(passkeys: readonly Passkey[]) {
    return html`
      <section>
        <h2>${t('shell.security.passkeys')}</h2>
        <p class="lead">${t('shell.security.passkeys.lead')}</p>
        ${
          passkeys.length > 0
            ? html`<ul class="rows">
                ${passkeys.map(
                  (it) => html`
                    <li>
                      ${icon('key-round')}
                      <span class="grow">
                        <span class="name">${it.name}</span>
                        <span class="meta">
                          ${t('shell.keys.created', { when: format.relative(it.createdAt) })} ·
                          ${it.lastUsedAt ? t('shell.keys.used', { when: format.relative(it.lastUsedAt) }) : t('shell.keys.unused')}
                        </span>
                      </span>
                      <button
                        class="icon-button"
                        aria-label=${t('shell.security.passkeys.rename', { name: it.name })}
                        title=${t('shell.edit')}
                        @click=${() => this.#show({ kind: 'rename', passkey: it })}
                      >
                        ${icon('pencil')}
                      </button>
                      <button
                        class="icon-button"
                        aria-label=${t('shell.security.passkeys.removeOne', { name: it.name })}
                        title=${t('shell.delete')}
                        @click=${() => void this.#removePasskey(it)}
                      >
                        ${icon('trash-2')}
                      </button>
                    </li>
                  `,
                )}
              </ul>`
            : nothing
        }
        ${
          hasPasskeys()
            ? html`<button class="button" @click=${() => this.#show({ kind: 'passkey' })}>
                ${icon('plus')}${t('shell.security.passkeys.add')}
              </button>`
            : html`<p class="meta">${t('shell.security.passkeys.none')}</p>`
        }
      </section>
    `
  }

  #accounts() {
    if (this.links.length === 0) return nothing
    return html`
      <section>
        <h2>${t('shell.links.title')}</h2>
        <p class="lead">${t('shell.links.lead')}</p>
        ${externalIdentityRows(this.links, (it) => void this.#unlink(it))}
      </section>
    `
  }

  #open(sessions: readonly SessionRow[]) {
    return html`
      <section>
        <h2>${t('shell.security.sessions')}</h2>
        <p class="lead">${t('shell.security.sessions.lead')}</p>
        ${sessionRows(sessions, (it) => void this.#endSession(it))}
        ${
          sessions.length > 1
            ? html`<button class="button" @click=${() => void this.#endOthers()}>
                ${icon('log-out')}${t('shell.security.sessions.endOthers')}
              </button>`
            : nothing
        }
      </section>
    `
  }

  #dialog(layer: Layer) {
    const close = () => this.#show(undefined)
    switch (layer.kind) {
      case 'app':
        return html`
          <socle-dialog open .heading=${t('shell.security.app.setUp')} @socle-close=${close}>
            <shell-authenticator-setup
              .made=${layer.made}
              @done=${() => this.#finish('shell.security.app.isOn')}
            ></shell-authenticator-setup>
          </socle-dialog>
        `
      case 'codes':
        return html`
          <socle-dialog open .heading=${t('shell.security.recovery.renew')} @socle-close=${close}>
            <shell-recovery-codes .codes=${layer.codes} @kept=${() => this.#finish()}></shell-recovery-codes>
          </socle-dialog>
        `
      case 'passkey':
        return this.#asking({
          heading: t('shell.security.passkeys.add'),
          label: t('shell.security.passkeys.name'),
          value: deviceOf(navigator.userAgent),
          confirm: t('shell.security.passkeys.make'),
          act: (name) => this.#makePasskey(name),
        })
      case 'rename':
        return this.#asking({
          heading: t('shell.security.passkeys.rename', { name: layer.passkey.name }),
          label: t('shell.security.passkeys.name'),
          value: layer.passkey.name,
          confirm: t('shell.save'),
          act: async (name) => {
            await api.patch(`/api/core/me/passkeys/${layer.passkey.id}`, { name })
            this.#finish()
          },
        })
    }
  }

  #asking({
    heading,
    label,
    value = '',
    confirm,
    act,
  }: {
    heading: string
    label: string
    value?: string
    confirm: string
    act: (value: string) => Promise<void>
  }) {
    const submit = async (event: Event) => {
      event.preventDefault()
      const given = String(new FormData(event.target as HTMLFormElement).get('value') ?? '')
      if (!given.trim()) return
      this.fault = undefined
      try {
        await act(given.trim())
      } catch (problem) {
        this.fault = this.#sentence(problem)
      }
    }
    return html`
      <socle-dialog open .heading=${heading} @socle-close=${() => this.#show(undefined)}>
        <form class="form" id="asking" @submit=${submit}>
          ${problemLine(this.fault)}
          <div class="field">
            <label class="label" for="value">${label}</label>
            <input
              class="input"
              id="value"
              name="value"
              autocomplete="off"
              maxlength="120"
              required
              autofocus
              .value=${value}
            />
          </div>
        </form>
        <button slot="actions" class="button" @click=${() => this.#show(undefined)}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#asking')?.requestSubmit()}
        >
          ${confirm}
        </button>
      </socle-dialog>
    `
  }

  #show(layer: Layer | undefined): void {
    this.fault = undefined
    this.layer = layer
  }

  #finish(told?: string): void {
    this.#show(undefined)
    if (told) toast({ text: t(told), tone: 'success' })
    void this.#load()
  }

  async #setUpApp(): Promise<void> {
    this.#show({ kind: 'app', made: await makeSecret() })
  }

  async #renewCodes(): Promise<void> {
    const { data } = await api.post<{ data: { recoveryCodes: string[] } }>(
      '/api/core/me/second-factor/recovery-codes',
      {},
    )
    this.#show({ kind: 'codes', codes: data.recoveryCodes })
  }

  async #removeApp(): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.security.app.remove'),
      body: t('shell.security.app.removeText'),
      confirm: t('shell.security.app.remove'),
      danger: true,
    })
    if (yes) await this.#removing('/api/core/me/second-factor')
  }

  async #removePasskey({ id, name }: Passkey): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.security.passkeys.removeOne', { name }),
      body: t('shell.security.passkeys.removeText'),
      confirm: t('shell.delete'),
      danger: true,
    })
    if (yes) await this.#removing(`/api/core/me/passkeys/${id}`)
  }

  async #removing(path: string): Promise<void> {
    try {
      await api.delete(path)
      this.#finish('shell.security.removed')
    } catch (problem) {
      tellProblem(problem)
    }
  }

  async #unlink({ id, provider }: ExternalIdentity): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.links.unlinkOne', { provider }),
      body: t('shell.links.unlinkText', { provider }),
      confirm: t('shell.links.unlink'),
      danger: true,
    })
    if (yes) await this.#removing(`/api/core/me/external-identities/${id}`)
  }

  async #makePasskey(name: string): Promise<void> {
    await makePasskey(name)
    this.#finish('shell.security.passkeys.made')
  }

  async #endSession({ id }: SessionRow): Promise<void> {
    try {
      await api.delete(`/api/core/me/sessions/${id}`)
      this.#finish('shell.security.sessions.ended')
    } catch (problem) {
      tellProblem(problem)
    }
  }

  async #endOthers(): Promise<void> {
    try {
      await api.delete('/api/core/me/sessions')
      this.#finish('shell.security.sessions.endedOthers')
    } catch (problem) {
      tellProblem(problem)
    }
  }

  #sentence(thrown: unknown): string {
    const problem = passkeyProblem(thrown)
    return typeof problem === 'string' ? t(`shell.passkeys.${problem}`) : sentenceOf(problem)
  }

  readonly #changePassword = async (event: Event): Promise<void> => {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const values = new FormData(form)
    this.fault = undefined
    this.isBusy = true
    try {
      await api.post('/api/core/me/password', {
        ...(this.hasPassword ? { currentPassword: values.get('current') } : {}),
        newPassword: values.get('new'),
      })
      form.reset()
      this.#finish('shell.profile.passwordChanged')
    } catch (problem) {
      this.fault = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      section {
        display: grid;
        justify-items: start;
        gap: 12px;
        max-inline-size: 680px;
        padding-block: 0 24px;
        margin-block-end: 24px;
        border-block-end: 1px solid var(--socle-line);
      }
      section:last-of-type {
        border: 0;
      }
      .lead {
        margin: 0;
      }
      .rows,
      .form {
        inline-size: 100%;
      }
      section > .form {
        max-inline-size: 480px;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .rows > li > .icon {
        color: var(--socle-text-3);
      }
    `,
  ]
}

define('shell-security', ShellSecurity)
