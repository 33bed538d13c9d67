import { KitElement, api, confirmDialog, controls, format, icon, may, pill, resource, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { followJob } from '../follow-job.ts'
import { setPage } from '../page.ts'
import { conditionField } from './condition-field.ts'
import { FormBase, formProblem } from './form-base.ts'
import { everything, sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

interface Rule {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly resource: string
  readonly condition: string
  readonly action: 'delete' | 'anonymise'
  readonly graceDays: number
  readonly active: boolean
  readonly fault: string | null
  readonly lastRunAt: string | null
}

interface Rehearsal {
  readonly matching: number
  readonly binned: number
  readonly due: number
  readonly sample: readonly { readonly id: string; readonly title: string }[]
}

interface Run {
  readonly id: string
  readonly matched: number
  readonly gone: number
  readonly held: number
  readonly used: number
  readonly blanked: number
  readonly certificate: string | null
  readonly at: string
}

interface JobView {
  readonly state: string
  readonly error: { readonly detail: string } | null
}

/** How long each kind of record is kept: rules that are rehearsed before they run, and run every night. */
export class ShellRetention extends KitElement {
  static override properties = {
    rules: { state: true },
    problem: { state: true },
    editing: { state: true },
    fault: { state: true },
    looked: { state: true },
    about: { state: true },
    running: { state: true },
  }
  declare rules: readonly Rule[] | undefined
  declare problem: string | undefined
  declare editing: FormBase<Rule> | 'new' | undefined
  declare fault: unknown
  /** The rule that was rehearsed last, with what it came to and what its runs did. */
  declare looked: { readonly rule: string; readonly rehearsal: Rehearsal; readonly runs: readonly Run[] } | undefined

  /** The kind of records a new rule is about. */
  declare private about: string | undefined

  /** The rule that is run at once instead of at night. */
  declare running: string | undefined

  #left = new AbortController()
  #kinds: readonly { readonly id: string; readonly label: string }[] = []

  override connectedCallback(): void {
    super.connectedCallback()
    this.#left = new AbortController()
    void this.#load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#left.abort()
  }

  async #load(): Promise<void> {
    try {
      const [rules, kinds] = await Promise.all([
        everything<Rule>('/api/core/privacy/retention-rules?limit=200&sort=name'),
        api.get<{ data: readonly { id: string; label: string }[] }>('/api/core/privacy/retention-resources'),
      ])
      this.#kinds = kinds.data
      this.rules = rules
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    setPage(this, {
      title: t('shell.settings.retention'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(may('core.privacy.manage') && {
        actions: html`<button class="button primary" @click=${() => this.#edit('new')}>
          ${icon('plus')}${t('shell.retention.new')}
        </button>`,
      }),
    })
  }

  override render() {
    if (this.problem) return problemLine(this.problem)
    if (!this.rules) return html`<socle-skeleton .lines=${5}></socle-skeleton>`
    return html`
      <p class="lead">${t('shell.retention.lead')}</p>
      ${
        this.rules.length === 0
          ? html`<socle-empty
              icon="clock"
              heading=${t('shell.retention.none')}
              text=${t('shell.retention.noneText')}
            ></socle-empty>`
          : html`<ul class="rows">
              ${this.rules.map((it) => this.#row(it))}
            </ul>`
      }
      ${this.editing ? this.#form(this.editing === 'new' ? undefined : this.editing.shown) : nothing}
    `
  }

  #labelOf(resource: string): string {
    return this.#kinds.find(({ id }) => id === resource)?.label ?? resource
  }

  #row(rule: Rule) {
    const mayManage = may('core.privacy.manage')
    return html`<li>
      <div class="rule">
        <span class="grow">
          <span class="name">${rule.name}</span>
          <span class="meta"
            >${t(`shell.retention.does.${rule.action}`, { records: this.#labelOf(rule.resource), days: rule.graceDays })}</span
          >
          <code>${rule.condition}</code>
          ${rule.lastRunAt ? html`<span class="meta">${t('shell.retention.lastRun', { date: format.instant(rule.lastRunAt) })}</span>` : nothing}
        </span>
        <span class="pills"
          >${
            rule.fault
              ? pill(t('shell.retention.stopped'), 'danger', 'circle-alert')
              : rule.active
                ? pill(t('shell.retention.on'), 'success', 'circle-check')
                : pill(t('shell.retention.off'), 'neutral', 'circle-off')
          }</span
        >
        ${
          mayManage
            ? html`<span class="buttons">
                <button
                  class="button small"
                  aria-label=${t('shell.retention.rehearseOne', { name: rule.name })}
                  @click=${() => void this.#look(rule)}
                >
                  ${icon('search')}${t('shell.retention.rehearse')}
                </button>
                <button
                  class="button small"
                  aria-label=${t('shell.retention.runOne', { name: rule.name })}
                  ?hidden=${!rule.active || !may('core.privacy.erase')}
                  ?disabled=${this.running === rule.id}
                  @click=${() => void this.#run(rule)}
                >
                  ${icon('circle-dot')}${t('shell.retention.run')}
                </button>
                <button
                  class="button small"
                  aria-label=${t('shell.retention.editOne', { name: rule.name })}
                  @click=${() => this.#edit(rule)}
                >
                  ${t('shell.edit')}
                </button>
              </span>`
            : nothing
        }
      </div>
      ${problemLine(rule.fault)} ${this.looked?.rule === rule.id ? this.#seen(this.looked) : nothing}
    </li>`
  }

  #seen({ rehearsal, runs }: { rehearsal: Rehearsal; runs: readonly Run[] }) {
    return html`<div class="seen" role="status">
      <p>
        ${t('shell.retention.comesTo', { matching: rehearsal.matching, binned: rehearsal.binned, due: rehearsal.due })}
      </p>
      ${
        rehearsal.sample.length > 0
          ? html`<p class="meta">
              ${t('shell.retention.sample')} ${rehearsal.sample.map(({ title }) => title).join(', ')}
            </p>`
          : nothing
      }
      ${
        runs.length > 0
          ? html`<ul class="runs">
              ${runs.slice(0, 5).map(
                (run) =>
                  html`<li>
                    <span class="meta">${format.instant(run.at)}</span>
                    <span
                      >${t('shell.retention.ran', { gone: run.gone, blanked: run.blanked, held: run.held, used: run.used })}</span
                    >
                    ${
                      run.certificate
                        ? html`<a href="/api/core/privacy/certificates/${run.certificate}" download="retention.json"
                            >${t('shell.retention.certificate')}</a
                          >`
                        : nothing
                    }
                  </li>`,
              )}
            </ul>`
          : nothing
      }
    </div>`
  }

  async #look(rule: Rule): Promise<void> {
    try {
      const path = `/api/core/privacy/retention-rules/${rule.id}`
      const [rehearsal, runs] = await Promise.all([
        api.post<{ data: Rehearsal }>(`${path}/rehearse`, {}),
        api.get<{ data: readonly Run[] }>(`${path}/runs`),
      ])
      this.looked = { rule: rule.id, rehearsal: rehearsal.data, runs: runs.data }
    } catch (problem) {
      tellProblem(problem)
    }
  }

  async #run(rule: Rule): Promise<void> {
    const yes = await confirmDialog({
      title: t('shell.retention.runTitle', { name: rule.name }),
      body: t('shell.retention.runText'),
      confirm: t('shell.retention.run'),
      danger: true,
    })
    if (!yes) return
    this.running = rule.id
    try {
      const { data } = await api.post<{ data: { job: string } }>(`/api/core/privacy/retention-rules/${rule.id}/run`, {})
      const read = async () => (await api.get<{ data: JobView }>(`/api/core/jobs/${data.job}`)).data
      const job = await followJob(read, { every: 500, signal: this.#left.signal })
      if (job?.error) toast({ text: job.error.detail, tone: 'danger' })
      await this.#load()
      await this.#look(rule)
    } catch (problem) {
      tellProblem(problem)
    }
    this.running = undefined
  }

  #edit(rule: Rule | 'new'): void {
    this.fault = undefined
    this.editing = rule === 'new' ? rule : new FormBase(rule)
    this.about = this.#kinds[0]?.id
  }

  readonly #aboutChosen = (event: Event): void => {
    this.about = (event.target as HTMLSelectElement).value
  }

  #form(rule: Rule | undefined) {
    return html`<socle-dialog
      open
      .heading=${rule ? t('shell.retention.editOne', { name: rule.name }) : t('shell.retention.new')}
      @socle-close=${() => (this.editing = undefined)}
    >
      <form class="form" id="form" @submit=${this.#save}>
        ${formProblem(this.fault, this.#readAgain)}
        <div class="field">
          <label class="label" for="name">${t('shell.retention.name')}</label>
          <input class="input" id="name" name="name" required maxlength="120" autofocus .value=${rule?.name ?? ''} />
        </div>
        ${
          rule
            ? nothing
            : html`<div class="field">
                <label class="label" for="resource">${t('shell.retention.records')}</label>
                <select class="input" id="resource" name="resource" @change=${this.#aboutChosen}>
                  ${this.#kinds.map(({ id, label }) => html`<option value=${id}>${label}</option>`)}
                </select>
              </div>`
        }
        ${conditionField({
          value: rule?.condition ?? '',
          help: t('shell.retention.conditionHelp'),
          fields: resource(rule?.resource ?? this.about ?? '')?.fields ?? [],
          isRequired: true,
        })}
        <div class="field">
          <label class="label" for="action">${t('shell.retention.action')}</label>
          <select class="input" id="action" name="action" aria-describedby="action-help">
            ${(['anonymise', 'delete'] as const).map(
              (it) =>
                html`<option value=${it} .selected=${it === rule?.action}>
                  ${t(`shell.retention.action.${it}`)}
                </option>`,
            )}
          </select>
          <p class="meta" id="action-help">${t('shell.retention.actionHelp')}</p>
        </div>
        <div class="field">
          <label class="label" for="grace">${t('shell.retention.grace')}</label>
          <input
            class="input"
            id="grace"
            name="grace"
            type="number"
            min="0"
            max="3650"
            required
            aria-describedby="grace-help"
            .value=${String(rule?.graceDays ?? 30)}
          />
          <p class="meta" id="grace-help">${t('shell.retention.graceHelp')}</p>
        </div>
        ${
          rule
            ? html`<label class="toggle"
                ><input type="checkbox" name="active" .checked=${rule.active} />${t('shell.retention.active')}</label
              >`
            : nothing
        }
      </form>
      ${
        rule
          ? html`<button slot="actions" class="button" @click=${() => void this.#remove(rule)}>
              ${icon('trash-2')}${t('shell.delete')}
            </button>`
          : nothing
      }
      <button
        slot="actions"
        class="button primary"
        @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
      >
        ${t('shell.save')}
      </button>
    </socle-dialog>`
  }

  readonly #save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const { resource, ...body } = this.#values
    const { name } = body
    const form = this.editing === 'new' ? undefined : this.editing
    try {
      if (form) {
        const { id, version } = form.base
        await api.patch(`/api/core/privacy/retention-rules/${id}`, { version, ...form.changed(body) })
      } else await api.post('/api/core/privacy/retention-rules', { ...body, resource })
      this.editing = undefined
      this.looked = undefined
      toast({ text: t('shell.retention.saved', { name }), tone: 'success' })
      await this.#load()
    } catch (problem) {
      this.fault = problem
    }
  }

  get #values() {
    const values = new FormData(this.renderRoot.querySelector<HTMLFormElement>('#form')!)
    return {
      resource: values.get('resource'),
      name: String(values.get('name')).trim(),
      condition: String(values.get('condition')),
      action: values.get('action'),
      graceDays: Number(values.get('grace')),
      active: values.get('active') !== null,
    }
  }

  readonly #readAgain = async (): Promise<void> => {
    await this.#load()
    const form = this.editing === 'new' ? undefined : this.editing
    const fresh = this.rules?.find(({ id }) => id === form?.base.id)
    if (!form || !fresh) return
    const { resource: _, ...typed } = this.#values
    form.readAgain(fresh, typed)
    this.fault = undefined
  }

  async #remove(rule: Rule): Promise<void> {
    this.editing = undefined
    const yes = await confirmDialog({
      title: t('shell.retention.deleteTitle', { name: rule.name }),
      body: t('shell.retention.deleteText'),
      confirm: t('shell.delete'),
      danger: true,
    })
    if (!yes) return
    try {
      await api.delete(`/api/core/privacy/retention-rules/${rule.id}`)
      await this.#load()
    } catch (problem) {
      tellProblem(problem)
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .rows > li {
        display: grid;
        gap: 8px;
        padding-inline-end: 16px;
      }
      .rule {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
      }
      .rule .grow {
        display: grid;
        gap: 4px;
        flex-basis: 240px;
      }
      code {
        font:
          12px/18px ui-monospace,
          monospace;
        color: var(--socle-text-2);
        overflow-wrap: anywhere;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .seen {
        display: grid;
        gap: 6px;
        padding: 12px;
        border-radius: var(--socle-radius);
        background: var(--socle-page);
        font: var(--socle-small);
      }
      .runs {
        display: grid;
        gap: 4px;
      }
      .runs li {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
      }
      .toggle {
        display: flex;
        align-items: center;
        gap: 8px;
        font: var(--socle-small);
      }
    `,
  ]
}

define('shell-retention', ShellRetention)
