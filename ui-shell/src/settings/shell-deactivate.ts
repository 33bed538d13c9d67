import { KitElement, api, controls, format, resource, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { followStarted } from '../records/bulk-runs.ts'
import type { Bulk } from '../records/bulk-runs.ts'
import { sentenceOf } from './settings-api.ts'
import type { Person } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { problemLine } from '../problem-line.ts'

interface Left {
  readonly resource: string
  readonly name: string
  readonly count: number
}

/**
 * Ends somebody's access, says what they leave behind, and hands it to a colleague who is asked for.
 *
 * @fires close - nothing was done
 * @fires done - they can no longer sign in
 */
export class ShellDeactivate extends KitElement {
  static override properties = {
    person: { attribute: false },
    colleagues: { attribute: false },
    left: { state: true },
    heir: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare person: Person
  /** Who could take over. */
  declare colleagues: readonly Person[]
  declare left: readonly Left[] | undefined
  declare heir: string
  declare problem: string | undefined
  declare isBusy: boolean

  constructor() {
    super()
    this.heir = ''
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      this.left = (await api.get<{ data: readonly Left[] }>(`/api/core/users/${this.person.id}/records`)).data
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  override render() {
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    return html`
      <socle-dialog
        open
        .heading=${t('shell.people.deactivateTitle', { name: this.person.name })}
        @socle-close=${close}
      >
        ${problemLine(this.problem)}
        <p class="lead">${t('shell.people.deactivateText')}</p>
        ${this.left ? this.#inheritance(this.left) : this.problem ? nothing : html`<socle-skeleton .lines=${3}></socle-skeleton>`}
        <button slot="actions" class="button" @click=${close}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button danger"
          aria-disabled=${this.isBusy ? 'true' : nothing}
          @click=${() => void this.#deactivate()}
        >
          ${t(this.heir ? 'shell.people.deactivateAndHand' : 'shell.people.deactivate')}
        </button>
      </socle-dialog>
    `
  }

  #inheritance(left: readonly Left[]) {
    if (left.length === 0) return html`<p class="lead">${t('shell.people.leavesNothing')}</p>`
    return html`
      <div class="form">
        <div>
          <p class="label" id="left">${t('shell.people.leaves')}</p>
          <ul class="left" aria-labelledby="left">
            ${left.map(
              ({ resource: id, name, count }) => html`
                <li>
                  <a
                    class="link"
                    href="${resource(id)?.route}?filter=${encodeURIComponent(`owner = "${this.person.id}"`)}"
                    >${name}</a
                  >
                  <span>${format.number(count)}</span>
                </li>
              `,
            )}
          </ul>
        </div>
        <div class="field">
          <label class="label" for="heir">${t('shell.people.heir')}</label>
          <select
            class="input"
            id="heir"
            @change=${(event: Event) => (this.heir = (event.target as HTMLSelectElement).value)}
          >
            <option value="">${t('shell.people.noHeir')}</option>
            ${this.colleagues.map((it) => html`<option value=${it.id}>${it.name}</option>`)}
          </select>
          <p class="meta">${t('shell.people.heirHelp')}</p>
        </div>
      </div>
    `
  }

  // Access ends first: what is handed on may take a while.
  async #deactivate(): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.problem = undefined
    const { id, name } = this.person
    try {
      await api.post(`/api/core/users/${id}/deactivate`, {})
      toast({ text: t('shell.people.is.inactive', { name }), tone: 'success' })
      if (this.heir) {
        const { data } = await api.post<{ data: readonly (Bulk & { resource: string })[] }>(
          `/api/core/users/${id}/reassign`,
          { to: this.heir },
        )
        for (const bulk of data) {
          const meta = resource(bulk.resource)
          if (meta) await followStarted(meta, bulk)
        }
      }
      this.dispatchEvent(new CustomEvent('done'))
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .left {
        max-block-size: 200px;
        margin-block-start: 6px;
        overflow: auto;
        border: 1px solid var(--socle-line);
        border-radius: var(--socle-radius);
      }
      .left > li {
        display: flex;
        justify-content: space-between;
        padding: 6px 12px;
        border-block-end: 1px solid var(--socle-line);
        font-variant-numeric: tabular-nums;
      }
      .left > li:last-child {
        border: 0;
      }
    `,
  ]
}
