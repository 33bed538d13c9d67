import { KitElement, api, confirmDialog, controls, format, icon, pill, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { problemLine } from '../problem-line.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { IdentityProvider, ProviderCheck, Role, Team } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellIdentityProviderDomains } from './shell-identity-provider-domains.ts'
import { ShellIdentityProviderForm } from './shell-identity-provider-form.ts'

define('shell-identity-provider-form', ShellIdentityProviderForm)
define('shell-identity-provider-domains', ShellIdentityProviderDomains)

const path = '/api/core/identity-providers'

interface Editing {
  readonly kind: 'oidc' | 'saml'
  readonly provider?: IdentityProvider
  readonly notice?: string
}

interface Tested {
  readonly name: string
  readonly checks?: readonly ProviderCheck[]
  readonly problem?: string
}

/** Who vouches for people: providers by OpenID Connect and SAML, with a test that says what is wrong. */
export class ShellIdentityProviders extends KitElement {
  static override properties = {
    providers: { state: true },
    problem: { state: true },
    editing: { state: true },
    tested: { state: true },
    proving: { state: true },
  }
  declare providers: readonly IdentityProvider[] | undefined
  declare problem: string | undefined
  declare editing: Editing | undefined
  /** The test that runs, or its result. */
  declare tested: Tested | undefined
  /** Whose domains are being proved. */
  declare proving: IdentityProvider | undefined

  #roles: readonly Role[] = []
  #teams: readonly Team[] = []

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [providers, roles, teams] = await Promise.all([
        everything<IdentityProvider>(path),
        everything<Role>('/api/core/roles').catch(() => []),
        everything<Team>('/api/core/teams').catch(() => []),
      ])
      this.#roles = roles
      this.#teams = teams
      this.providers = providers
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.identity-providers'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      actions: this.#newMenu(),
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.providers) return html`<socle-skeleton .lines=${4}></socle-skeleton>`
    return html`
      <p class="lead">${t('shell.providers.lead')}</p>
      ${
        this.providers.length === 0
          ? html`<socle-empty
              icon="badge-check"
              heading=${t('shell.providers.none')}
              text=${t('shell.providers.noneText')}
            >
              <span slot="actions">${this.#newMenu()}</span>
            </socle-empty>`
          : html`<ul class="rows">
              ${this.providers.map((provider) => this.#row(provider))}
            </ul>`
      }
      ${this.editing ? this.#form(this.editing) : nothing} ${this.tested ? this.#test(this.tested) : nothing}
      ${this.proving ? this.#domains(this.proving) : nothing}
    `
  }

  #newMenu() {
    return html`<socle-menu
      icon="plus"
      align="end"
      .label=${t('shell.providers.new')}
      .items=${[
        { id: 'oidc', label: t('shell.providers.newOidc'), icon: 'badge-check' },
        { id: 'saml', label: t('shell.providers.newSaml'), icon: 'badge-check' },
      ]}
      @socle-choose=${(event: CustomEvent<{ id: 'oidc' | 'saml' }>) => (this.editing = { kind: event.detail.id })}
    ></socle-menu>`
  }

  #row(provider: IdentityProvider) {
    const { name, kind, domains, people, enabled, exclusive, proofs } = provider
    const unproved = proofs.filter(({ isProved }) => !isProved).map(({ domain }) => domain)
    const missing = proofs.filter(({ missed }) => missed)
    const protocol = t(kind === 'oidc' ? 'shell.providers.newOidc' : 'shell.providers.newSaml')
    return html`
      <li>
        ${icon('badge-check')}
        <span class="grow">
          <span class="name">${name}</span>
          <span class="meta">
            ${protocol}${domains.length > 0 ? html` · ${format.list(domains)}` : nothing} ·
            ${t('shell.providers.people', { count: people })}
          </span>
          ${
            unproved.length > 0
              ? html`<span class="meta"
                  >${t('shell.providers.waits', { count: unproved.length, domains: format.list(unproved) })}</span
                >`
              : nothing
          }
          ${missing.map(
            ({ domain, missed }) =>
              html`<span class="meta"
                >${t('shell.providers.missingSince', { domain, since: format.date(missed?.since ?? '') })}</span
              >`,
          )}
        </span>
        <span class="pills">
          ${
            missing.some(({ missed }) => missed?.isSuspended)
              ? pill(t('shell.providers.suspended'), 'danger', 'circle-alert')
              : nothing
          }
          ${
            unproved.length > 0 || missing.length > 0
              ? html`<button class="button" @click=${() => (this.proving = provider)}>
                  ${t('shell.providers.prove')}
                </button>`
              : nothing
          }
          ${exclusive ? pill(t('shell.providers.only'), 'info', 'shield') : nothing}
          ${enabled ? pill(t('shell.providers.on'), 'success', 'check') : pill(t('shell.providers.off'), 'neutral', 'circle-off')}
        </span>
        <socle-menu
          icon="ellipsis"
          icon-only
          align="end"
          .label=${t('shell.people.actions', { name })}
          .items=${[
            { id: 'edit', label: t('shell.edit'), icon: 'pencil' },
            { id: 'test', label: t('shell.providers.test'), icon: 'circle-check' },
            { id: 'domains', label: t('shell.providers.domainsProof'), icon: 'shield-check' },
            enabled
              ? { id: 'off', label: t('shell.providers.switchOff'), icon: 'circle-off' }
              : { id: 'on', label: t('shell.providers.switchOn'), icon: 'check' },
            { id: 'delete', label: t('shell.delete'), icon: 'trash-2', separator: true, danger: true },
          ]}
          @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#act(event.detail.id, provider)}
        ></socle-menu>
      </li>
    `
  }

  #form({ kind, provider, notice }: Editing) {
    return html`<shell-identity-provider-form
      .kind=${kind}
      .provider=${provider}
      .notice=${notice}
      .roles=${this.#roles}
      .teams=${this.#teams}
      @close=${() => (this.editing = undefined)}
      @saved=${(event: CustomEvent<{ provider: IdentityProvider; isNew: boolean }>) => void this.#saved(event.detail)}
    ></shell-identity-provider-form>`
  }

  #domains(provider: IdentityProvider) {
    return html`<shell-identity-provider-domains
      .provider=${provider}
      @proved=${() => void this.#load()}
      @close=${() => (this.proving = undefined)}
    ></shell-identity-provider-domains>`
  }

  async #saved({ provider, isNew }: { provider: IdentityProvider; isNew: boolean }): Promise<void> {
    const { name, kind } = provider
    // What to copy into the provider is known only now.
    this.editing = isNew ? { kind, provider, notice: t('shell.providers.made', { name }) } : undefined
    if (!isNew) toast({ text: t('shell.providers.saved', { name }), tone: 'success' })
    await this.#load()
  }

  #test({ name, checks, problem }: Tested) {
    const close = () => (this.tested = undefined)
    const isGood = checks?.every(({ ok }) => ok)
    return html`
      <socle-dialog open .heading=${t('shell.providers.testOf', { name })} @socle-close=${close}>
        ${problemLine(problem)}
        <p class="lead" role="status">
          ${problem ? nothing : t(`shell.providers.${checks ? (isGood ? 'testGood' : 'testBad') : 'testing'}`)}
        </p>
        <ul class="checked">
          ${checks?.map(
            ({ id, ok, detail, values }) => html`
              <li class=${ok ? 'good' : 'bad'}>
                ${icon(ok ? 'circle-check' : 'circle-alert')}
                <span>${detail ?? t(`shell.providers.check.${id}${ok ? '' : '.bad'}`, values)}</span>
              </li>
            `,
          )}
        </ul>
        <button slot="actions" class="button primary" @click=${close}>${t('shell.close')}</button>
      </socle-dialog>
    `
  }

  async #act(action: string, provider: IdentityProvider): Promise<void> {
    const { id, name, kind, version } = provider
    if (action === 'edit') return void (this.editing = { kind, provider })
    if (action === 'test') return await this.#runTest(provider)
    if (action === 'domains') return void (this.proving = provider)
    const title = { off: 'switchOffOne', delete: 'deleteOne' }[action]
    const confirm = action === 'off' ? t('shell.providers.switchOff') : t('shell.delete')
    const body = t('shell.providers.endText')
    if (
      title &&
      !(await confirmDialog({ title: t(`shell.providers.${title}`, { name }), body, confirm, danger: true }))
    )
      return
    try {
      if (action === 'delete') await api.delete(`${path}/${id}`)
      else await api.patch(`${path}/${id}`, { enabled: action === 'on', version })
      const done = action === 'delete' ? 'deleted' : action === 'on' ? 'switchedOn' : 'switchedOff'
      toast({ text: t(`shell.providers.${done}`, { name }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  async #runTest({ id, name }: IdentityProvider): Promise<void> {
    this.tested = { name }
    try {
      const { data } = await api.post<{ data: { checks: ProviderCheck[] } }>(`${path}/${id}/test`, {})
      if (this.tested) this.tested = { name, checks: data.checks }
    } catch (problem) {
      if (this.tested) this.tested = { name, problem: sentenceOf(problem) }
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .rows > li > .icon {
        color: var(--socle-text-3);
      }
      .rows .grow {
        flex-basis: 160px;
      }
      .checked {
        display: grid;
        gap: 12px;
      }
      .checked li {
        display: flex;
        gap: 8px;
        overflow-wrap: anywhere;
      }
      .good .icon {
        color: var(--socle-success);
      }
      .bad .icon {
        color: var(--socle-danger);
      }
    `,
  ]
}

define('shell-identity-providers', ShellIdentityProviders)
