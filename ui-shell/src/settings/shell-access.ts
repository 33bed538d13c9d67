import { api, controls, KitElement, may, navigate, resource, shell, t } from '@socle/sdk/ui'
import type { FieldMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { Verdict } from '../access/access-api.ts'
import { verdictLines, verdictStyles } from '../access/verdict-lines.ts'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { problemLine } from '../problem-line.ts'
import { everything, sentenceOf } from './settings-api.ts'
import type { ApiKey, PermissionCatalog } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

const actions = ['read', 'create', 'update', 'delete', 'restore', 'import', 'export', 'bulk', 'merge', 'share'] as const

type Permissions = PermissionCatalog['permissions']

interface Question {
  readonly actor: string
  readonly resource: string
  readonly action: string
  readonly record: string
  readonly field: string
}

/** May somebody do a thing to a record: which rule decides, and what would change it. The question stands in the address. */
export class ShellAccess extends KitElement {
  static override properties = {
    asked: { state: true },
    who: { state: true },
    keys: { state: true },
    permissions: { state: true },
    verdict: { state: true },
    problem: { state: true },
  }
  declare asked: Question
  declare private who: 'person' | 'key'
  /** Keys to choose from; none for whoever may not list them. */
  declare private keys: readonly ApiKey[]
  /** Permissions beside those of each kind of record. */
  declare private permissions: Permissions
  declare verdict: Verdict | undefined
  declare problem: string | undefined

  constructor() {
    super()
    this.who = 'person'
    this.keys = []
    this.permissions = []
    const given = new URLSearchParams(location.search)
    this.asked = {
      actor: given.get('actor') ?? '',
      resource: given.get('resource') ?? shell()?.resources.find(({ may }) => may.create)?.id ?? 'core.account',
      action: given.get('action') ?? 'read',
      record: given.get('record') ?? '',
      field: given.get('field') ?? '',
    }
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
    if (this.asked.actor) void this.#ask()
  }

  async #load(): Promise<void> {
    try {
      const [{ data }, keys] = await Promise.all([
        api.get<{ data: PermissionCatalog }>('/api/core/permissions'),
        may('core.apikey.manage') ? everything<ApiKey>('/api/core/api-keys?revoked=true') : [],
      ])
      this.permissions = data.permissions
      this.keys = keys
      if (keys.some(({ id }) => id === this.asked.actor)) this.who = 'key'
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.access'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
    })
  }

  async #ask(): Promise<void> {
    const query = new URLSearchParams(Object.entries(this.asked).filter(([, value]) => value !== ''))
    navigate(`/settings/access?${query}`, { replace: true })
    try {
      this.verdict = (await api.get<{ data: Verdict }>(`/api/core/explain?${query}`)).data
      this.problem = undefined
    } catch (problem) {
      this.verdict = undefined
      this.problem = sentenceOf(problem)
    }
  }

  #change(values: Partial<Question>): void {
    this.asked = { ...this.asked, ...values }
    this.verdict = undefined
  }

  override render() {
    const { asked } = this
    const named = this.permissions.find(({ id }) => id === `${asked.resource}.${asked.action}`)
    const picked = (name: 'actor' | 'record') => (event: CustomEvent<{ value: unknown }>) =>
      this.#change({ [name]: typeof event.detail.value === 'string' ? event.detail.value : '' })
    return html`
      <p class="lead">${t('shell.access.lead')}</p>
      <form
        @submit=${(event: Event) => {
          event.preventDefault()
          void this.#ask()
        }}
      >
        ${this.keys.length > 0 ? this.#whose() : nothing}
        ${
          this.who === 'key'
            ? this.#keyChoice()
            : html`<socle-field
                .field=${pickerOf('core.user', 'user', t('shell.access.person'))}
                .value=${asked.actor || undefined}
                @socle-input=${picked('actor')}
                @socle-commit=${picked('actor')}
              ></socle-field>`
        }
        ${this.#kindChoice(named)}
        ${
          named
            ? nothing
            : html`<div class="field">
                  <label class="label" for="action">${t('shell.access.action')}</label>
                  <select class="input" id="action" @change=${this.#chosen('action')}>
                    ${actions.map((it) => html`<option value=${it} .selected=${it === asked.action}>${t(`shell.roles.action.${it}`)}</option>`)}
                  </select>
                </div>
                <socle-field
                  .field=${pickerOf(asked.resource, 'reference', t('shell.access.record'))}
                  .value=${asked.record || undefined}
                  @socle-input=${picked('record')}
                  @socle-commit=${picked('record')}
                ></socle-field>
                <div class="field">
                  <label class="label" for="field">${t('shell.access.field')}</label>
                  <select class="input" id="field" @change=${this.#chosen('field')}>
                    <option value="" .selected=${!asked.field}>${t('shell.access.wholeRecord')}</option>
                    ${resource(asked.resource)?.fields.map((it) => html`<option value=${it.name} .selected=${it.name === asked.field}>${it.label}</option>`)}
                  </select>
                </div>`
        }
        <button class="button primary" ?disabled=${!asked.actor}>${t('shell.access.ask')}</button>
      </form>
      <div aria-live="polite">
        ${problemLine(this.problem)}
        ${this.verdict ? html`<section class="answer">${verdictLines(this.verdict)}</section>` : nothing}
      </div>
    `
  }

  #whose() {
    const choose = (event: Event) => {
      this.who = (event.target as HTMLSelectElement).value === 'key' ? 'key' : 'person'
      this.#change({ actor: '' })
    }
    return html`<div class="field">
      <label class="label" for="who">${t('shell.access.who')}</label>
      <select class="input" id="who" @change=${choose}>
        <option value="person" .selected=${this.who === 'person'}>${t('shell.access.person')}</option>
        <option value="key" .selected=${this.who === 'key'}>${t('shell.access.apiKey')}</option>
      </select>
    </div>`
  }

  #keyChoice() {
    return html`<div class="field">
      <label class="label" for="actor">${t('shell.access.apiKey')}</label>
      <select class="input" id="actor" @change=${this.#chosen('actor')}>
        <option value="" .selected=${!this.asked.actor}>${t('shell.access.chooseKey')}</option>
        ${this.keys.map((it) => html`<option value=${it.id} .selected=${it.id === this.asked.actor}>${it.name} (${it.start}…)</option>`)}
      </select>
    </div>`
  }

  /** Kinds of records, and the permissions that are about none, each with the module it comes from. */
  #kindChoice(named: Permissions[number] | undefined) {
    const kinds = (shell()?.resources ?? []).toSorted((a, b) => a.name.many.localeCompare(b.name.many))
    const modules = [...new Set(this.permissions.map(({ pluginTitle }) => pluginTitle))]
    const choose = (event: Event) => {
      const id = (event.target as HTMLSelectElement).value
      const at = id.lastIndexOf('.')
      const isNamed = this.permissions.some((it) => it.id === id)
      this.#change({
        ...(isNamed ? { resource: id.slice(0, at), action: id.slice(at + 1) } : { resource: id }),
        ...(named && !isNamed ? { action: 'read' } : {}),
        record: '',
        field: '',
      })
    }
    return html`<div class="field">
      <label class="label" for="resource">${t('shell.access.what')}</label>
      <select class="input" id="resource" @change=${choose}>
        <optgroup label=${t('shell.access.records')}>
          ${kinds.map((it) => html`<option value=${it.id} .selected=${!named && it.id === this.asked.resource}>${it.name.many}</option>`)}
        </optgroup>
        ${modules.map(
          (module) =>
            html`<optgroup label=${t('shell.access.permissions', { module })}>
              ${this.permissions
                .filter((it) => it.pluginTitle === module)
                .map((it) => html`<option value=${it.id} .selected=${it === named}>${it.title}</option>`)}
            </optgroup>`,
        )}
      </select>
    </div>`
  }

  #chosen(name: keyof Question): (event: Event) => void {
    return (event) => this.#change({ [name]: (event.target as HTMLSelectElement).value })
  }

  static override styles = [
    controls,
    settingsStyles,
    verdictStyles,
    css`
      form {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr));
        align-items: end;
        gap: 16px;
        max-inline-size: 860px;
      }
      form .button {
        justify-self: start;
      }
      .answer {
        max-inline-size: 860px;
        margin-block-start: 24px;
        padding: 16px;
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        background: var(--socle-surface);
      }
    `,
  ]
}

function pickerOf(target: string, type: 'user' | 'reference', label: string): FieldMeta {
  return { name: type, type, target, label, required: false, writable: true, sortable: false }
}

define('shell-access', ShellAccess)
