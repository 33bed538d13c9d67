import { KitElement, api, confirmDialog, controls, format, icon, pill, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { checkHref } from '../access/access-api.ts'
import { isOverseer } from '../access/why-link.ts'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import type { ApiKey, Role } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellSecret } from './shell-secret.ts'
import { problemLine } from '../problem-line.ts'

define('shell-secret', ShellSecret)

const lifetimes = [30, 90, 365] as const
/** Days for which the secret before the newest goes on working. */
const oldLifetimes = [0, 1, 7, 30] as const
const day = 24 * 60 * 60 * 1000
/** Days before its end at which a key asks to be renewed. */
const warning = 14

/** Keys by which other programs act here, each with a role of its own. */
export class ShellApiKeys extends KitElement {
  static override properties = {
    keys: { state: true },
    problem: { state: true },
    isCreating: { state: true },
    rotating: { state: true },
    fault: { state: true },
    secret: { state: true },
    withRevoked: { state: true },
  }
  declare keys: readonly ApiKey[] | undefined
  declare problem: string | undefined
  declare isCreating: boolean
  /** Whether the keys that are over are listed too. */
  declare withRevoked: boolean
  /** The key that is about to get a new secret. */
  declare rotating: ApiKey | undefined
  declare fault: string | undefined
  declare secret: { readonly name: string; readonly value: string } | undefined

  #roles: readonly Role[] = []

  constructor() {
    super()
    this.withRevoked = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [keys, roles] = await Promise.all([
        everything<ApiKey>(`/api/core/api-keys${this.withRevoked ? '?revoked=true' : ''}`),
        everything<Role>('/api/core/roles').catch(() => []),
      ])
      this.#roles = roles
      this.keys = keys
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.api-keys'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      actions: html`<button class="button primary" @click=${this.#start}>
        ${icon('plus')}${t('shell.keys.new')}
      </button>`,
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.keys) return html`<socle-skeleton .lines=${4}></socle-skeleton>`
    return html`
      <p class="lead">
        ${t('shell.keys.lead')}
        <a class="link" href="/api/core/reference" target="_blank" rel="noopener">${t('shell.keys.reference')}</a>
      </p>
      <label class="revoked"
        ><input
          type="checkbox"
          .checked=${this.withRevoked}
          @change=${(event: Event) => {
            this.withRevoked = (event.target as HTMLInputElement).checked
            void this.#load()
          }}
        />${t('shell.keys.withRevoked')}</label
      >
      ${
        this.keys.length === 0
          ? html`<socle-empty icon="key" heading=${t('shell.keys.none')} text=${t('shell.keys.noneText')}>
              <button slot="actions" class="button" @click=${this.#start}>${t('shell.keys.new')}</button>
            </socle-empty>`
          : html`<ul class="rows">
              ${this.keys.map((key) => this.#row(key))}
            </ul>`
      }
      ${this.isCreating ? this.#form() : nothing} ${this.rotating ? this.#rotation(this.rotating) : nothing}
      ${
        this.secret
          ? html`<shell-secret
              .heading=${t('shell.keys.secretOf', { name: this.secret.name })}
              .text=${t('shell.keys.once')}
              .value=${this.secret.value}
              @close=${() => (this.secret = undefined)}
            ></shell-secret>`
          : nothing
      }
    `
  }

  #row(key: ApiKey) {
    const role = key.roleName ?? this.#roles.find((it) => it.id === key.role)?.name
    return html`
      <li>
        ${icon('key')}
        <span class="grow">
          <span class="name">${key.name}</span>
          <span class="meta"
            ><code>${key.start}…</code> ·
            ${createdBy(key)}${key.addresses?.length ? html` · ${format.list(key.addresses)}` : nothing}</span
          >
          ${key.oldUntil ? html`<span class="meta">${oldSecret(key.oldUntil, key.oldUsedAt)}</span>` : nothing}
        </span>
        <span class="pills"> ${role ? html`<span class="pill">${role}</span>` : nothing} ${statePill(key)} </span>
        <span class="meta used"
          >${key.lastUsedAt ? t('shell.keys.used', { when: format.relative(key.lastUsedAt) }) : t('shell.keys.unused')}</span
        >
        ${
          key.revokedAt
            ? nothing
            : html`<socle-menu
                icon="ellipsis"
                icon-only
                align="end"
                .label=${t('shell.people.actions', { name: key.name })}
                .items=${[
                  ...(isOverseer()
                    ? [
                        {
                          id: 'access',
                          label: t('shell.access.check'),
                          icon: 'eye',
                          href: checkHref({ actor: key.id }),
                        },
                      ]
                    : []),
                  key.oldUntil
                    ? { id: 'end', label: t('shell.keys.endOld'), icon: 'circle-off' }
                    : { id: 'rotate', label: t('shell.keys.rotate'), icon: 'rotate-ccw' },
                  { id: 'revoke', label: t('shell.keys.revoke'), icon: 'trash-2', separator: true, danger: true },
                ]}
                @socle-choose=${(event: CustomEvent<{ id: string }>) => void this.#act(event.detail.id, key)}
              ></socle-menu>`
        }
      </li>
    `
  }

  #form() {
    return html`
      <socle-dialog open .heading=${t('shell.keys.new')} @socle-close=${() => (this.isCreating = false)}>
        <form class="form" id="form" @submit=${this.#create}>
          ${problemLine(this.fault)}
          <div class="field">
            <label class="label" for="name">${t('shell.keys.name')}</label>
            <input
              class="input"
              id="name"
              name="name"
              required
              maxlength="120"
              autofocus
              placeholder=${t('shell.keys.nameExample')}
            />
          </div>
          <div class="field">
            <label class="label" for="role">${t('shell.keys.role')}</label>
            <select class="input" id="role" name="role" required>
              <option value="">${t('shell.keys.roleChoose')}</option>
              ${this.#roles.map((it) => html`<option value=${it.id}>${it.name}</option>`)}
            </select>
          </div>
          <div class="field">
            <label class="label" for="addresses">${t('shell.keys.addresses')}</label>
            <input
              class="input"
              id="addresses"
              name="addresses"
              autocomplete="off"
              spellcheck="false"
              placeholder="192.0.2.0/24, 2001:db8::/32"
              aria-describedby="addresses-help"
            />
            <p class="meta" id="addresses-help">${t('shell.keys.addressesHelp')}</p>
          </div>
          <div class="field">
            <label class="label" for="days">${t('shell.keys.expires')}</label>
            <select class="input" id="days" name="days">
              ${lifetimes.map((it) => html`<option value=${it} ?selected=${it === 90}>${t('shell.keys.days', { count: it })}</option>`)}
              <option value="">${t('shell.keys.never')}</option>
            </select>
          </div>
        </form>
        <button slot="actions" class="button" @click=${() => (this.isCreating = false)}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
        >
          ${t('shell.keys.create')}
        </button>
      </socle-dialog>
    `
  }

  #rotation(key: ApiKey) {
    const close = () => (this.rotating = undefined)
    return html`
      <socle-dialog open .heading=${t('shell.keys.rotateOne', { name: key.name })} @socle-close=${close}>
        <form class="form" id="rotation" @submit=${(event: Event) => void this.#rotate(event, key)}>
          ${problemLine(this.fault)}
          <p class="lead">${t('shell.keys.rotateText')}</p>
          <div class="field">
            <label class="label" for="old">${t('shell.keys.oldWorks')}</label>
            <select class="input" id="old" name="old" autofocus>
              ${oldLifetimes.map(
                (it) =>
                  html`<option value=${it} ?selected=${it === 7}>
                    ${it === 0 ? t('shell.keys.oldEndsNow') : t('shell.keys.days', { count: it })}
                  </option>`,
              )}
            </select>
          </div>
        </form>
        <button slot="actions" class="button" @click=${close}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#rotation')?.requestSubmit()}
        >
          ${t('shell.keys.rotate')}
        </button>
      </socle-dialog>
    `
  }

  async #rotate(event: Event, key: ApiKey): Promise<void> {
    event.preventDefault()
    const oldForDays = Number(new FormData(event.target as HTMLFormElement).get('old'))
    try {
      const path = `/api/core/api-keys/${key.id}/rotate`
      const { data } = await api.post<{ data: { key: string } }>(path, { oldForDays })
      this.rotating = undefined
      this.secret = { name: key.name, value: data.key }
      await this.#load()
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  async #act(action: string, key: ApiKey): Promise<void> {
    if (action === 'revoke') return await this.#revoke(key)
    if (action === 'rotate') {
      this.fault = undefined
      this.rotating = key
      return
    }
    if (action !== 'end') return
    const yes = await confirmDialog({
      title: t('shell.keys.endOldOne', { name: key.name }),
      body: t('shell.keys.endOldText'),
      confirm: t('shell.keys.endOld'),
      danger: true,
    })
    if (!yes) return
    try {
      await api.delete(`/api/core/api-keys/${key.id}/old-secret`)
      toast({ text: t('shell.keys.oldEnded', { name: key.name }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  readonly #start = (): void => {
    this.fault = undefined
    this.isCreating = true
  }

  readonly #create = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const days = Number(values.get('days'))
    const name = String(values.get('name')).trim()
    const expires = days > 0 ? { expiresAt: new Date(Date.now() + days * day).toISOString() } : {}
    try {
      const addresses = String(values.get('addresses') ?? '')
        .split(/[\s,;]+/)
        .filter(Boolean)
      const body = { name, role: String(values.get('role')), addresses, ...expires }
      const answer = await api.post<{ key?: string; data?: { key?: string } }>('/api/core/api-keys', body)
      this.isCreating = false
      const value = answer.key ?? answer.data?.key
      if (value) this.secret = { name, value }
      await this.#load()
    } catch (problem) {
      this.fault = sentenceOf(problem)
    }
  }

  async #revoke(key: ApiKey): Promise<void> {
    const made = madeBy(key, this.keys?.filter((it) => !it.revokedAt) ?? []).map(({ name }) => name)
    const yes = await confirmDialog({
      title: t('shell.keys.revokeOne', { name: key.name }),
      body:
        made.length === 0
          ? t('shell.keys.revokeText')
          : t('shell.keys.revokeChain', { count: made.length, names: format.list(made) }),
      confirm: t('shell.keys.revoke'),
      danger: true,
    })
    if (!yes) return
    try {
      await api.delete(`/api/core/api-keys/${key.id}`)
      toast({ text: t('shell.keys.revoked', { name: key.name }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
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
      code {
        font:
          12px/16px ui-monospace,
          monospace;
      }
      .revoked {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        min-block-size: 28px;
        margin-block-end: 8px;
        font: var(--socle-small);
      }
      .used {
        inline-size: 140px;
        text-align: end;
      }
      @media (width < 700px) {
        .used {
          display: none;
        }
      }
    `,
  ]
}

/** That two secrets work, and whether anybody still uses the older one. */
function oldSecret(until: string, usedAt: string | null | undefined): string {
  const when = format.instant(until)
  return usedAt
    ? t('shell.keys.oldUsed', { until: when, when: format.relative(usedAt) })
    : t('shell.keys.oldUnused', { until: when })
}

function createdBy({ createdAt, createdBy: person, madeByKey }: ApiKey): string {
  const when = format.relative(createdAt)
  if (madeByKey) return t('shell.keys.createdByKey', { when, name: madeByKey.name })
  return person ? t('shell.keys.createdBy', { when, name: person.name }) : t('shell.keys.created', { when })
}

/** Keys that end with one, because it made them or what made them. */
function madeBy({ id }: ApiKey, keys: readonly ApiKey[]): readonly ApiKey[] {
  const made = keys.filter(({ madeByKey }) => madeByKey?.id === id)
  return made.flatMap((it) => [it, ...madeBy(it, keys)])
}

function statePill(key: ApiKey) {
  if (key.revokedAt) return pill(t('shell.keys.isRevoked'), 'neutral', 'ban')
  if (!key.expiresAt) return pill(t('shell.keys.neverExpires'), 'warning', 'clock')
  const left = Date.parse(key.expiresAt) - Date.now()
  if (left < 0) return pill(t('shell.keys.expired'), 'danger', 'clock')
  if (left < warning * day)
    return pill(t('shell.keys.expiresSoon', { count: Math.ceil(left / day) }), 'warning', 'triangle-alert')
  return pill(t('shell.keys.until', { when: format.date(key.expiresAt.slice(0, 10)) }), 'success', 'check')
}

define('shell-api-keys', ShellApiKeys)
