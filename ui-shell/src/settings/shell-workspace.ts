import {
  KitElement,
  ProblemError,
  api,
  confirmDialog,
  controls,
  icon,
  locale,
  resource,
  shell,
  t,
  toast,
} from '@socle/sdk/ui'
import type { Locale } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { followJob } from '../follow-job.ts'
import { session } from '../session-doc.ts'
import { FormBase, formProblem } from './form-base.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface EntityName {
  readonly one: string
  readonly many: string
}

type Labels = Readonly<Record<string, Readonly<Record<Locale, EntityName>>>>

interface Workspace {
  readonly version: number
  readonly name: string
  readonly labels: Labels
  readonly [setting: string]: unknown
}

interface DemoJob {
  readonly state: string
  readonly result: { readonly removed: number; readonly kept: number } | null
  readonly error: { readonly detail: string } | null
}

/** Settings that are one of a few values, by the names of the workspace's fields. One more is one more line. */
const choices = [
  { setting: 'secondFactor', values: ['optional', 'required'] },
  { setting: 'duplicateStrictness', values: ['lenient', 'usual', 'strict'] },
] as const

/** How the platform behaves for everybody in this company. */
export class ShellWorkspace extends KitElement {
  static override properties = {
    workspace: { state: true },
    company: { state: true },
    problem: { state: true },
    fault: { state: true },
    naming: { state: true },
    hasDemo: { state: true },
    leaving: { state: true },
  }
  declare workspace: Workspace | undefined
  /** What the company's form was filled from: it stays while other settings here are saved. */
  declare company: FormBase<Workspace> | undefined
  declare problem: string | undefined
  /** What is wrong with what was to be saved. */
  declare fault: unknown
  /** The kind of record that is being given another name. */
  declare naming: string | undefined
  /** It was filled with the demonstration. */
  declare hasDemo: boolean
  /** The demonstration is being taken away. */
  declare leaving: boolean

  readonly #gone = new AbortController()

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      const [workspace, demo] = await Promise.all([
        api.get<{ data: Workspace }>('/api/core/workspace'),
        api.get<{ data: { present: boolean } }>('/api/core/demo'),
      ])
      this.workspace = workspace.data
      this.company ??= new FormBase(workspace.data)
      this.hasDemo = demo.data.present
      this.problem = undefined
    } catch (error) {
      this.problem = sentenceOf(error)
    }
  }

  async #choose(setting: string, value: string): Promise<void> {
    if (this.workspace?.[setting] === value) return
    try {
      await this.#save({ [setting]: value })
    } catch (error) {
      tellProblem(error)
      // What stands there is what is so, not what was asked for.
      await this.#load()
      this.requestUpdate()
    }
  }

  async #save(change: object): Promise<void> {
    const body = { version: this.workspace?.version, ...change }
    this.workspace = (await api.patch<{ data: Workspace }>('/api/core/workspace', body)).data
    await this.#saved()
  }

  async #saved(): Promise<void> {
    this.fault = undefined
    toast({ text: t('shell.workspace.saved'), tone: 'success' })
    await session.load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#gone.abort()
  }

  readonly #removeDemo = async (): Promise<void> => {
    const isSure = await confirmDialog({
      title: t('shell.workspace.demo.sure'),
      body: t('shell.workspace.demo.sureText'),
      confirm: t('shell.workspace.demo.remove'),
      danger: true,
    })
    if (!isSure || this.leaving) return
    this.leaving = true
    try {
      const { job } = (await api.post<{ data: { job: string } }>('/api/core/demo/remove')).data
      const read = async () => (await api.get<{ data: DemoJob }>(`/api/core/jobs/${job}`)).data
      const ended = await followJob(read, { every: 500, signal: this.#gone.signal })
      if (!ended) return
      if (ended.result) toast({ text: t('shell.workspace.demo.gone', ended.result), tone: 'success' })
      else tellProblem(new Error(ended.error?.detail ?? t('shell.workspace.demo.failed')))
      await this.#load()
    } catch (error) {
      tellProblem(error)
    } finally {
      this.leaving = false
    }
  }

  readonly #saveCompany = async (event: Event): Promise<void> => {
    event.preventDefault()
    const company = this.company!
    if (!(await this.#mayGo(company.changed(this.#companyValues)))) return
    try {
      const body = { version: company.base.version, ...company.changed(this.#companyValues) }
      this.workspace = (await api.patch<{ data: Workspace }>('/api/core/workspace', body)).data
      // Before anything else is read: what is typed from here on is a change of what was saved.
      this.company = new FormBase(this.workspace)
      await this.#saved()
    } catch (error) {
      this.fault = error
    }
  }

  /** Keeping less deletes what is older, which nothing brings back. */
  async #mayGo({ ledgerMonths, eventDays }: Partial<Workspace>): Promise<boolean> {
    const before = this.company!.base
    const less = (now: unknown, was: unknown): now is number => typeof now === 'number' && now < Number(was)
    const gone = [
      less(ledgerMonths, before['ledgerMonths']) ? t('shell.workspace.shorter.history', { months: ledgerMonths }) : '',
      less(eventDays, before['eventDays']) ? t('shell.workspace.shorter.events', { days: eventDays }) : '',
    ].filter(Boolean)
    if (gone.length === 0) return true
    return confirmDialog({
      title: t('shell.workspace.shorter'),
      body: html`<ul>
        ${gone.map((it) => html`<li>${it}</li>`)}
      </ul>`,
      confirm: t('shell.workspace.shorter.confirm'),
      danger: true,
    })
  }

  get #companyValues() {
    const values = new FormData(this.renderRoot.querySelector<HTMLFormElement>('.company')!)
    const text = (name: string) => String(values.get(name) ?? '').trim()
    return {
      name: text('name'),
      locale: text('locale'),
      baseCurrency: text('baseCurrency'),
      zone: text('zone'),
      fiscalMonth: Number(text('fiscalMonth')),
      ledgerMonths: Number(text('ledgerMonths')),
      eventDays: Number(text('eventDays')),
    }
  }

  readonly #readAgain = async (): Promise<void> => {
    await this.#load()
    if (this.problem || !this.workspace) return
    this.company?.readAgain(this.workspace, this.#companyValues)
    this.fault = undefined
  }

  readonly #saveLabel = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const named = (locale: Locale) => ({
      one: String(values.get(`${locale}.one`)).trim(),
      many: String(values.get(`${locale}.many`)).trim(),
    })
    const kind = String(values.get('kind'))
    try {
      await this.#save({ labels: { ...this.workspace?.labels, [kind]: { en: named('en'), fr: named('fr') } } })
      this.naming = undefined
    } catch (error) {
      this.fault = error
    }
  }

  async #unname(kind: string): Promise<void> {
    const { [kind]: _, ...labels } = this.workspace?.labels ?? {}
    await this.#save({ labels }).catch(tellProblem)
  }

  override render() {
    if (this.problem)
      return html`<socle-empty icon="plug-zap" heading=${t('shell.screen.failed')} text=${this.problem}></socle-empty>`
    const { workspace } = this
    if (!workspace) return nothing
    return html`
      <p class="lead">${t('shell.workspace.lead')}</p>
      ${this.#company(this.company?.shown ?? workspace)} ${this.#names(workspace.labels)}
      ${this.naming === undefined ? nothing : this.#nameDialog(this.naming)}
      <ul class="rows">
        ${choices.map(
          ({ setting, values }) => html`
            <li>
              <fieldset>
                <legend class="name">${t(`shell.workspace.${setting}`)}</legend>
                <p class="meta">${t(`shell.workspace.${setting}.help`)}</p>
                ${values.map(
                  (value) => html`
                    <label class="check">
                      <input
                        type="radio"
                        name=${setting}
                        .checked=${workspace[setting] === value}
                        @change=${() => void this.#choose(setting, value)}
                      />
                      ${t(`shell.workspace.${setting}.${value}`)}
                    </label>
                  `,
                )}
              </fieldset>
            </li>
          `,
        )}
      </ul>
      ${this.hasDemo ? this.#demo() : nothing}
    `
  }

  #demo() {
    return html`
      <section class="demo">
        <h2>${t('shell.workspace.demo')}</h2>
        <p class="lead">${t('shell.workspace.demo.lead')}</p>
        <button
          class="button danger"
          aria-disabled=${this.leaving ? 'true' : nothing}
          @click=${() => void this.#removeDemo()}
        >
          ${this.leaving ? t('shell.workspace.demo.leaving') : t('shell.workspace.demo.remove')}
        </button>
      </section>
    `
  }

  #company(workspace: Workspace) {
    const select = (name: string, options: readonly (readonly [string, string])[]) => html`
      <div class="field">
        <label class="label" for=${name}>${t(`shell.workspace.${name}`)}</label>
        <select
          class="input"
          id=${name}
          name=${name}
          aria-invalid=${this.#faultOf(name) ? 'true' : nothing}
          aria-describedby=${this.#faultOf(name) ? `${name}-fault` : nothing}
        >
          ${options.map(
            ([value, label]) =>
              html`<option value=${value} .selected=${value === String(workspace[name])}>${label}</option>`,
          )}
        </select>
        ${this.#faultOf(name) ? html`<p class="error" id="${name}-fault">${this.#faultOf(name)}</p>` : nothing}
      </div>
    `
    return html`
      <form class="form company" @submit=${this.#saveCompany}>
        <div class="wide told">${this.naming === undefined ? formProblem(this.fault, this.#readAgain) : nothing}</div>
        <div class="field wide">
          <label class="label" for="name">${t('shell.workspace.name')}</label>
          <input
            class="input"
            id="name"
            name="name"
            required
            maxlength="200"
            autocomplete="organization"
            .value=${workspace.name}
          />
        </div>
        ${select('locale', [
          ['en', 'English'],
          ['fr', 'Français'],
        ])}
        ${select('baseCurrency', currencies())} ${select('zone', zones())} ${select('fiscalMonth', months())}
        ${select('ledgerMonths', lengths('month', [12, 24, 36, 60, 120], workspace['ledgerMonths']))}
        ${select('eventDays', lengths('day', [30, 90, 180, 365, 730], workspace['eventDays']))}
        <p class="meta wide">${t('shell.workspace.kept.help')}</p>
        <div class="wide"><button class="button primary" type="submit">${t('shell.save')}</button></div>
      </form>
    `
  }

  #faultOf(field: string): string | undefined {
    return this.fault instanceof ProblemError ? this.fault.at(`/${field}`) : undefined
  }

  #names(labels: Labels) {
    const named = Object.entries(labels)
    return html`
      <section>
        <h2>${t('shell.workspace.labels')}</h2>
        <p class="lead">${t('shell.workspace.labels.lead')}</p>
        ${
          named.length === 0
            ? nothing
            : html`<ul class="rows">
                ${named.map(
                  ([kind, { en, fr }]) => html`
                    <li>
                      ${icon(resource(kind)?.icon ?? 'tag')}
                      <span class="grow">
                        <span class="name"><span lang="en">${en.one}, ${en.many}</span></span>
                        <span class="meta"><span lang="fr">${fr.one}, ${fr.many}</span> · <code>${kind}</code></span>
                      </span>
                      <button
                        class="icon-button"
                        title=${t('shell.edit')}
                        aria-label=${t('shell.workspace.labels.edit', { name: en.one })}
                        @click=${() => (this.naming = kind)}
                      >
                        ${icon('pencil')}
                      </button>
                      <button
                        class="icon-button"
                        title=${t('shell.workspace.labels.reset')}
                        aria-label=${t('shell.workspace.labels.resetOne', { name: en.one })}
                        @click=${() => void this.#unname(kind)}
                      >
                        ${icon('rotate-ccw')}
                      </button>
                    </li>
                  `,
                )}
              </ul>`
        }
        <button class="button" @click=${() => (this.naming = '')}>
          ${icon('plus')}${t('shell.workspace.labels.add')}
        </button>
      </section>
    `
  }

  #nameDialog(kind: string) {
    const close = () => {
      this.naming = undefined
      this.fault = undefined
    }
    const labels = this.workspace?.labels ?? {}
    const free = (shell()?.resources ?? []).filter((it) => it.id === kind || !labels[it.id])
    const field = (locale: Locale, form: 'one' | 'many') => html`
      <div class="field">
        <label class="label" for="${locale}-${form}">${t(`shell.workspace.labels.${locale}.${form}`)}</label>
        <input
          class="input"
          id="${locale}-${form}"
          name="${locale}.${form}"
          lang=${locale}
          required
          maxlength="60"
          autocomplete="off"
          .value=${labels[kind]?.[locale][form] ?? ''}
        />
      </div>
    `
    return html`
      <socle-dialog open .heading=${t('shell.workspace.labels.add')} @socle-close=${close}>
        <form class="form" id="naming" @submit=${this.#saveLabel}>
          ${formProblem(this.fault, this.#readAgain)}
          <div class="field">
            <label class="label" for="kind">${t('shell.workspace.labels.kind')}</label>
            <select class="input" id="kind" name="kind" autofocus>
              ${free.map((it) => html`<option value=${it.id} ?selected=${it.id === kind}>${it.name.many}</option>`)}
            </select>
          </div>
          <div class="pair">
            ${field('en', 'one')} ${field('en', 'many')} ${field('fr', 'one')} ${field('fr', 'many')}
          </div>
        </form>
        <button slot="actions" class="button" @click=${close}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#naming')?.requestSubmit()}
        >
          ${t('shell.save')}
        </button>
      </socle-dialog>
    `
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .company,
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr));
        gap: 16px;
      }
      .company {
        max-inline-size: 680px;
        margin-block-end: 24px;
      }
      .wide {
        grid-column: 1 / -1;
      }
      .told:empty {
        display: none;
      }
      section {
        display: grid;
        justify-items: start;
        gap: 12px;
        margin-block-end: 24px;
      }
      .demo {
        margin-block-start: 24px;
      }
      section > .lead {
        margin: 0;
      }
      section > .rows {
        inline-size: 100%;
        max-inline-size: 680px;
      }
      code {
        font:
          12px/16px ui-monospace,
          monospace;
      }
      fieldset {
        display: grid;
        gap: 8px;
        margin: 0;
        padding: 8px 0;
        border: 0;
      }
      legend {
        padding: 0;
      }
    `,
  ]
}

/** Currencies by code and name, in the reader's order. */
function currencies(): (readonly [string, string])[] {
  const names = new Intl.DisplayNames(locale(), { type: 'currency' })
  return Intl.supportedValuesOf('currency').map((code) => [code, `${code}, ${names.of(code)}`] as const)
}

function zones(): (readonly [string, string])[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => [zone, zone.replaceAll('_', ' ')] as const)
}

function months(): (readonly [string, string])[] {
  const name = new Intl.DateTimeFormat(locale(), { month: 'long', timeZone: 'UTC' })
  return Array.from({ length: 12 }, (_, month) => [String(month + 1), name.format(Date.UTC(2026, month, 1))] as const)
}

/** Lengths of time to choose from, with the one that is chosen now. */
function lengths(
  unit: 'month' | 'day',
  usual: readonly number[],
  chosen: unknown,
): readonly (readonly [string, string])[] {
  const { format } = new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'long' })
  const all = new Set([...usual, Number(chosen)])
  return [...all].toSorted((a, b) => a - b).map((length) => [String(length), format(length)] as const)
}

define('shell-workspace', ShellWorkspace)
