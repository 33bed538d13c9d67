import { api, controls, icon, KitElement, navigate, pill, resource, shell, t } from '@socle/sdk/ui'
import type { FieldMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { conditionLines } from '../access/access-api.ts'
import type { Line, Verdict } from '../access/access-api.ts'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { problemLine } from '../problem-line.ts'
import { sentenceOf } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

const actions = ['read', 'create', 'update', 'delete', 'restore', 'export', 'share', 'merge'] as const

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
    verdict: { state: true },
    problem: { state: true },
  }
  declare asked: Question
  declare verdict: Verdict | undefined
  declare problem: string | undefined

  constructor() {
    super()
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
    if (this.asked.actor) void this.#ask()
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
    const kinds = (shell()?.resources ?? []).toSorted((a, b) => a.name.many.localeCompare(b.name.many))
    const meta = resource(asked.resource)
    const picked = (name: 'actor' | 'record') => (event: CustomEvent<{ value: unknown }>) =>
      this.#change({ [name]: typeof event.detail.value === 'string' ? event.detail.value : '' })
    const chosen = (name: keyof Question) => (event: Event) =>
      this.#change({
        [name]: (event.target as HTMLSelectElement).value,
        ...(name === 'resource' ? { record: '', field: '' } : {}),
      })
    return html`
      <p class="lead">${t('shell.access.lead')}</p>
      <form
        @submit=${(event: Event) => {
          event.preventDefault()
          void this.#ask()
        }}
      >
        <socle-field
          .field=${pickerOf('core.user', 'user', t('shell.access.person'))}
          .value=${asked.actor || undefined}
          @socle-input=${picked('actor')}
          @socle-commit=${picked('actor')}
        ></socle-field>
        <div class="field">
          <label class="label" for="action">${t('shell.access.action')}</label>
          <select class="input" id="action" @change=${chosen('action')}>
            ${actions.map((it) => html`<option value=${it} ?selected=${it === asked.action}>${t(`shell.roles.action.${it}`)}</option>`)}
          </select>
        </div>
        <div class="field">
          <label class="label" for="resource">${t('shell.access.kind')}</label>
          <select class="input" id="resource" @change=${chosen('resource')}>
            ${kinds.map((it) => html`<option value=${it.id} ?selected=${it.id === asked.resource}>${it.name.many}</option>`)}
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
          <select class="input" id="field" @change=${chosen('field')}>
            <option value="" ?selected=${!asked.field}>${t('shell.access.wholeRecord')}</option>
            ${meta?.fields.map((it) => html`<option value=${it.name} ?selected=${it.name === asked.field}>${it.label}</option>`)}
          </select>
        </div>
        <button class="button primary" ?disabled=${!asked.actor}>${t('shell.access.ask')}</button>
      </form>
      <div aria-live="polite">${problemLine(this.problem)} ${this.verdict ? this.#answer(this.verdict) : nothing}</div>
    `
  }

  #answer(verdict: Verdict) {
    const { actor, allowed, depends, reasons, decides, changes } = verdict
    const rest = reasons.filter((it) => it !== decides && it.text !== decides.text)
    return html`<section class="answer">
      <h2>
        ${
          allowed
            ? pill(
                t(depends ? 'shell.access.some' : 'shell.access.yes'),
                depends ? 'warning' : 'success',
                'circle-check',
              )
            : pill(t('shell.access.no'), 'danger', 'circle-x')
        }
        <span>${actor.name}</span>
      </h2>
      ${this.#line(decides)}
      ${
        rest.length
          ? html`<h3>${t('shell.access.also')}</h3>
              ${rest.map((it) => this.#line(it))}`
          : nothing
      }
      ${
        changes.length
          ? html`<h3>${t('shell.access.changes')}</h3>
              <ul class="changes">
                ${changes.map(({ text }) => html`<li>${icon('arrow-right')}<span>${text}</span></li>`)}
              </ul>`
          : nothing
      }
    </section>`
  }

  #line({ text, because }: Line) {
    return html`<p>${text}</p>
      ${conditionLines(because, (result) => t(result ? 'shell.access.met' : 'shell.access.notMet'))}`
  }

  static override styles = [
    controls,
    settingsStyles,
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
        display: grid;
        gap: 8px;
        max-inline-size: 860px;
        margin-block-start: 24px;
        padding: 16px;
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius-card);
        background: var(--socle-surface);
        overflow-wrap: anywhere;
      }
      h2 {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      h3 {
        margin-block-start: 8px;
        font: var(--socle-small);
        font-weight: 600;
      }
      .changes li {
        display: flex;
        gap: 8px;
        padding-block: 2px;
      }
      .tree {
        margin-inline-start: 12px;
        padding-inline-start: 12px;
        border-inline-start: 2px solid var(--socle-line);
        font: var(--socle-small);
      }
    `,
  ]
}

function pickerOf(target: string, type: 'user' | 'reference', label: string): FieldMeta {
  return { name: type, type, target, label, required: false, writable: true, sortable: false }
}

define('shell-access', ShellAccess)
