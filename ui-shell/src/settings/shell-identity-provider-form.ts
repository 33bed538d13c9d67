import { KitElement, api, controls, format, icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { FormBase, formProblem } from './form-base.ts'
import { copy, everything } from './settings-api.ts'
import type { IdentityProvider, Role, Team } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/** What a provider's metadata says. */
interface ReadMetadata {
  readonly issuer: string
  readonly entryPoint: string
  readonly certificates: readonly string[]
}

/** Adds an identity provider, or changes one. */
export class ShellIdentityProviderForm extends KitElement {
  static override properties = {
    kind: {},
    provider: { attribute: false },
    notice: {},
    roles: { attribute: false },
    teams: { attribute: false },
    problem: { state: true },
    isBusy: { state: true },
    isOpenToAll: { state: true },
    read: { state: true },
    form: { state: true },
  }
  declare kind: 'oidc' | 'saml'
  declare provider: IdentityProvider | undefined
  /** Said above the form, of what was just done. */
  declare notice: string | undefined
  declare roles: readonly Role[]
  declare teams: readonly Team[]
  declare problem: unknown
  declare isBusy: boolean
  /** Whether newcomers need a role. */
  declare isOpenToAll: boolean | undefined
  /** Read from the provider's metadata, to be checked. */
  declare read: ReadMetadata | undefined
  /** What the form of a provider was filled from. */
  declare private form: FormBase<IdentityProvider> | undefined

  override render() {
    const provider = this.#shown
    return html`
      <socle-dialog
        open
        .heading=${provider ? t('shell.providers.editOne', { name: provider.name }) : t('shell.providers.new')}
        @socle-close=${this.#close}
      >
        <form class="form" id="form" @submit=${this.#save}>
          ${this.notice ? html`<p class="lead" role="status">${this.notice}</p>` : nothing}
          ${formProblem(this.problem, this.#readAgain)} ${provider ? this.#addresses(provider) : nothing}
          ${this.#text('name', t('shell.providers.name'), provider?.name)}
          ${this.kind === 'oidc' ? this.#oidc() : this.#saml()} ${this.#people()}
        </form>
        <button slot="actions" class="button" @click=${this.#close}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          aria-disabled=${this.isBusy ? 'true' : nothing}
          @click=${this.#submit}
        >
          ${t('shell.save')}
        </button>
      </socle-dialog>
    `
  }

  #addresses({ kind, redirect, entityId, acs }: IdentityProvider) {
    const rows =
      kind === 'oidc'
        ? [['redirect', redirect] as const]
        : [['entityId', entityId] as const, ['acs', acs] as const, ['startAt', redirect] as const]
    return html`
      <fieldset>
        <legend class="label">${t('shell.providers.copyInto')}</legend>
        ${rows.map(([name, value]) => {
          const what = t(`shell.providers.${name}`)
          return html`
            <p class="meta">${what}</p>
            <p class="secret">
              <code>${value}</code>
              <button
                class="icon-button"
                type="button"
                aria-label=${t('shell.providers.copyOne', { what })}
                title=${t('shell.providers.copyOne', { what })}
                @click=${() => void copy(value)}
              >
                ${icon('copy')}
              </button>
            </p>
          `
        })}
      </fieldset>
    `
  }

  #oidc() {
    const provider = this.#shown
    return html`
      ${this.#text('issuer', t('shell.providers.issuer'), provider?.issuer, {
        placeholder: 'https://login.example.com',
        help: t('shell.providers.issuerHelp'),
      })}
      ${this.#text('clientId', t('shell.providers.clientId'), provider?.clientId)}
      ${this.#text('clientSecret', t('shell.providers.clientSecret'), '', {
        isSecret: true,
        help: provider?.secretSetAt
          ? t('shell.providers.secretKept', { when: format.instant(provider.secretSetAt) })
          : t('shell.providers.secretHelp'),
      })}
    `
  }

  #saml() {
    const { issuer, entryPoint, certificates = [] } = this.read ?? this.#shown ?? {}
    return html`
      <div class="field">
        <label class="label" for="metadata">${t('shell.providers.metadata')}</label>
        <textarea class="input" id="metadata" rows="2" spellcheck="false" autocomplete="off"></textarea>
        <button class="button" type="button" @click=${() => void this.#readMetadata()}>
          ${t('shell.providers.read')}
        </button>
        ${this.read ? html`<p class="meta" role="status">${t('shell.providers.wasRead')}</p>` : nothing}
      </div>
      ${this.#text('issuer', t('shell.providers.samlIssuer'), issuer)}
      ${this.#text('entryPoint', t('shell.providers.entryPoint'), entryPoint)}
      <div class="field">
        <label class="label" for="certificates">${t('shell.providers.certificates')}</label>
        <textarea
          class="input"
          id="certificates"
          name="certificates"
          rows="4"
          required
          spellcheck="false"
          .value=${certificates.join('\n')}
        ></textarea>
      </div>
      ${this.#text('subjectAttribute', t('shell.providers.subject'), this.#shown?.subjectAttribute, {
        isOptional: true,
        help: t('shell.providers.subjectHelp'),
      })}
    `
  }

  #people() {
    const provider = this.#shown
    const isOpenToAll = this.isOpenToAll ?? provider?.admission === 'anyone'
    return html`
      ${this.#text('domains', t('shell.providers.domains'), provider?.domains.join(', '), {
        placeholder: 'example.com, example.fr',
        help: t('shell.providers.domainsHelp'),
      })}
      <div class="field">
        <label class="label" for="admission">${t('shell.providers.admission')}</label>
        <select
          class="input"
          id="admission"
          name="admission"
          @change=${(event: Event) => (this.isOpenToAll = (event.target as HTMLSelectElement).value === 'anyone')}
        >
          ${(['invited', 'anyone'] as const).map(
            (it) =>
              html`<option value=${it} .selected=${(it === 'anyone') === isOpenToAll}>
                ${t(`shell.providers.${it}`)}
              </option>`,
          )}
        </select>
      </div>
      ${
        isOpenToAll
          ? html`${this.#choice('role', t('shell.providers.role'), this.roles, provider?.role, t('shell.providers.noRole'))}
            ${this.#choice('joinTeam', t('shell.providers.team'), this.teams, provider?.joinTeam, t('shell.people.noTeam'))}`
          : nothing
      }
      <div class="checks">
        ${(['shown', 'exclusive', 'strong'] as const).map(
          (it) => html`
            <label>
              <input
                type="checkbox"
                name=${it}
                .checked=${provider?.[it] ?? it === 'shown'}
              />${t(`shell.providers.${it}`)}
            </label>
          `,
        )}
      </div>
    `
  }

  #text(
    name: string,
    label: string,
    value: string | null | undefined,
    {
      placeholder,
      help,
      isSecret = false,
      isOptional = isSecret,
    }: { placeholder?: string; help?: string; isSecret?: boolean; isOptional?: boolean } = {},
  ) {
    return html`
      <div class="field">
        <label class="label" for=${name}>${label}</label>
        <input
          class="input"
          id=${name}
          name=${name}
          type=${isSecret ? 'password' : 'text'}
          ?required=${!isOptional}
          ?autofocus=${name === 'name' && !this.provider}
          autocomplete=${isSecret ? 'new-password' : 'off'}
          spellcheck="false"
          placeholder=${placeholder ?? nothing}
          aria-describedby=${help ? `${name}-help` : nothing}
          .value=${value ?? ''}
        />
        ${help ? html`<p class="meta" id="${name}-help">${help}</p>` : nothing}
      </div>
    `
  }

  #choice(
    name: string,
    label: string,
    choices: readonly (Role | Team)[],
    chosen: string | null | undefined,
    none: string,
  ) {
    return html`
      <div class="field">
        <label class="label" for=${name}>${label}</label>
        <select class="input" id=${name} name=${name} ?required=${name === 'role'}>
          <option value="">${none}</option>
          ${choices.map((it) => html`<option value=${it.id} .selected=${it.id === chosen}>${it.name}</option>`)}
        </select>
      </div>
    `
  }

  async #readMetadata(): Promise<void> {
    const given = this.renderRoot.querySelector<HTMLTextAreaElement>('#metadata')?.value.trim() ?? ''
    const body = given.startsWith('<') ? { xml: given } : { url: given }
    try {
      this.problem = undefined
      const path = '/api/core/identity-providers/read-metadata'
      this.read = (await api.post<{ data: ReadMetadata }>(path, body)).data
    } catch (problem) {
      this.problem = problem
    }
  }

  readonly #close = (): void => {
    this.dispatchEvent(new CustomEvent('close'))
  }

  readonly #submit = (): void => {
    this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()
  }

  get #shown(): IdentityProvider | undefined {
    return this.form?.shown
  }

  get #values() {
    return valuesOf(new FormData(this.renderRoot.querySelector<HTMLFormElement>('#form')!), this.kind)
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('provider')) this.form = this.provider && new FormBase(this.provider)
  }

  readonly #readAgain = async (): Promise<void> => {
    try {
      const all = await everything<IdentityProvider>('/api/core/identity-providers')
      const fresh = all.find(({ id }) => id === this.form?.base.id)
      const { clientSecret: _, ...typed }: Record<string, unknown> = this.#values
      if (fresh) this.form?.readAgain(fresh, typed)
      this.problem = undefined
    } catch (problem) {
      this.problem = problem
    }
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    try {
      const { kind, form } = this
      const values = this.#values
      const path = '/api/core/identity-providers'
      const { data } = form
        ? await api.patch<{ data: IdentityProvider }>(`${path}/${form.base.id}`, {
            ...form.changed(values),
            version: form.base.version,
          })
        : await api.post<{ data: IdentityProvider }>(path, { ...values, kind })
      this.dispatchEvent(new CustomEvent('saved', { detail: { provider: data, isNew: !form } }))
    } catch (problem) {
      this.problem = problem
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .secret + .meta {
        margin-block-start: 8px;
      }
    `,
  ]
}

/** The form as the API takes it. */
function valuesOf(form: FormData, kind: 'oidc' | 'saml') {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const secret = text('clientSecret')
  const certificates = text('certificates').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  return {
    name: text('name'),
    issuer: text('issuer'),
    domains: text('domains')
      .split(/[\s,;]+/)
      .filter(Boolean),
    admission: text('admission'),
    role: text('role') || null,
    joinTeam: text('joinTeam') || null,
    shown: form.has('shown'),
    exclusive: form.has('exclusive'),
    strong: form.has('strong'),
    ...(kind === 'oidc'
      ? { clientId: text('clientId'), ...(secret && { clientSecret: secret }) }
      : {
          entryPoint: text('entryPoint'),
          certificates: certificates ?? [text('certificates')],
          subjectAttribute: text('subjectAttribute') || null,
        }),
  }
}
