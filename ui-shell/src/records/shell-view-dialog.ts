import { controls, ProblemError, records, t } from '@socle/sdk/ui'
import type { RecordJson, ResourceMeta, SavedView } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { ListState } from './list-state.ts'
import { askWith, QuestionDialog } from './question-dialog.ts'
import { mayShareViews } from './saved-views.ts'
import { changeView, createView } from './view-changes.ts'

interface Question {
  readonly meta: ResourceMeta
  readonly state: ListState
  /** The one whose name and readers are to change; a new one when absent. */
  readonly view: SavedView | undefined
}

/** Name of a view, and who sees it. */
export class ShellViewDialog extends QuestionDialog<Question, string> {
  static override properties = {
    scope: { state: true },
    roles: { state: true },
    problem: { state: true },
    saving: { state: true },
  }

  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 16px;
      }
      .field {
        display: grid;
        gap: 4px;
      }
      fieldset {
        display: grid;
        gap: 4px;
        margin: 0;
        padding: 0;
        border: 0;
      }
      .choice {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 2px 8px;
        padding: 8px;
        border-radius: 8px;
        cursor: pointer;
      }
      .choice:hover {
        background: var(--socle-page);
      }
      .choice input {
        margin-block-start: 2px;
        accent-color: var(--socle-accent);
      }
      .choice .meta {
        grid-column: 2;
      }
      .role {
        margin-inline-start: 32px;
      }
    `,
  ]

  declare private scope: SavedView['scope']
  declare private roles: readonly RecordJson[]
  declare private problem: ProblemError | undefined
  declare private saving: boolean

  constructor() {
    super()
    this.roles = []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.scope = this.question.view?.scope ?? 'mine'
    if (!mayShareViews()) return
    void records('core.role')
      .list({ sort: 'name', limit: 100, count: 'none' })
      .then((page) => (this.roles = page.data))
      .catch(() => undefined)
  }

  override render() {
    const { view } = this.question
    return html`<socle-dialog
      open
      .heading=${t(view ? 'shell.views.editTitle' : 'shell.views.keep')}
      @socle-close=${this.closed}
    >
      <form id="view" @submit=${this.#submit}>
        <div class="field">
          <label class="label" for="name">${t('shell.views.name')}</label>
          <input
            id="name"
            class="input"
            required
            autofocus
            maxlength="120"
            autocomplete="off"
            .value=${view?.name ?? ''}
            aria-invalid=${this.problem ? 'true' : nothing}
            aria-describedby=${this.problem ? 'problem' : nothing}
          />
        </div>
        ${mayShareViews() ? this.#audience() : nothing}
        ${this.problem ? html`<p class="error" id="problem" role="alert">${this.problem.detail}</p>` : nothing}
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.records.cancel')}</button>
      <button slot="actions" class="button primary" ?disabled=${this.saving} @click=${this.#submit}>
        ${t('shell.views.keep')}
      </button>
    </socle-dialog>`
  }

  #audience() {
    const scopes = this.roles.length ? (['mine', 'shared', 'role'] as const) : (['mine', 'shared'] as const)
    return html`<fieldset>
        <legend class="label">${t('shell.views.who')}</legend>
        ${scopes.map(
          (scope) =>
            html`<label class="choice">
              <input
                type="radio"
                name="scope"
                value=${scope}
                .checked=${scope === this.scope}
                @change=${() => (this.scope = scope)}
              />
              <span>${t(`shell.views.scope.${scope}`)}</span>
              <span class="meta">${t(`shell.views.scopeText.${scope}`)}</span>
            </label>`,
        )}
      </fieldset>
      ${
        this.scope === 'role'
          ? html`<div class="field role">
              <label class="label" for="role">${t('shell.views.role')}</label>
              <select class="input" id="role">
                ${this.roles.map(
                  (role) =>
                    html`<option value=${role.id} ?selected=${role.id === this.question.view?.role}>
                      ${role['name']}
                    </option>`,
                )}
              </select>
            </div>`
          : nothing
      }`
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const form = this.renderRoot.querySelector('form')
    const name = this.renderRoot.querySelector<HTMLInputElement>('#name')?.value.trim() ?? ''
    if (!name) {
      form?.reportValidity()
      return
    }
    const { meta, state, view } = this.question
    const role =
      this.scope === 'role' ? (this.renderRoot.querySelector<HTMLSelectElement>('#role')?.value ?? null) : null
    const audience = { scope: this.scope, role }
    this.saving = true
    try {
      if (view) await changeView(view, { name, ...audience })
      else this.answer = await createView(meta, name, audience, state)
      this.close()
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      this.problem = error
    } finally {
      this.saving = false
    }
  }
}

/** Asks for a view's name and readers and keeps it. Answers the id of a new one. */
export function askView(question: Question): Promise<string | undefined> {
  return askWith('shell-view-dialog', ShellViewDialog, question)
}
