import { KitElement, api, controls, shell, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { sentenceOf } from './settings/settings-api.ts'
import { settingsStyles } from './settings/settings-styles.ts'
import { problemLine } from './problem-line.ts'

/**
 * Opens one more company in this installation, with whoever asks as its administrator, and goes there.
 *
 * @fires close - it was not wanted after all
 */
export class ShellNewWorkspace extends KitElement {
  static override properties = { problem: { state: true }, isBusy: { state: true } }
  declare problem: string | undefined
  declare isBusy: boolean

  override render() {
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    const { user } = shell() ?? {}
    return html`
      <socle-dialog open .heading=${t('shell.workspace.new')} @socle-close=${close}>
        <form class="form" id="form" @submit=${this.#open}>
          ${problemLine(this.problem)}
          <p class="lead">${t('shell.workspace.newLead')}</p>
          <div class="field">
            <label class="label" for="name">${t('shell.workspace.name')}</label>
            <input class="input" id="name" name="name" required maxlength="200" autocomplete="organization" autofocus />
          </div>
          <div class="field">
            <label class="label" for="locale">${t('shell.workspace.locale')}</label>
            <select class="input" id="locale" name="locale">
              ${(['en', 'fr'] as const).map(
                (it) =>
                  html`<option value=${it} lang=${it} ?selected=${it === user?.locale}>
                    ${it === 'en' ? 'English' : 'Français'}
                  </option>`,
              )}
            </select>
          </div>
        </form>
        <button slot="actions" class="button" @click=${close}>${t('shell.cancel')}</button>
        <button
          slot="actions"
          class="button primary"
          aria-disabled=${this.isBusy ? 'true' : nothing}
          @click=${() => this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()}
        >
          ${t('shell.workspace.open')}
        </button>
      </socle-dialog>
    `
  }

  readonly #open = async (event: Event): Promise<void> => {
    event.preventDefault()
    const values = new FormData(event.target as HTMLFormElement)
    const name = String(values.get('name')).trim()
    if (this.isBusy || name === '') return
    this.isBusy = true
    this.problem = undefined
    try {
      const body = {
        name,
        locale: values.get('locale'),
        zone: shell()?.workspace.zone,
        baseCurrency: shell()?.workspace.baseCurrency,
      }
      const { data } = await api.post<{ data: { id: string } }>('/api/core/workspaces', body)
      await api.post('/api/core/me/workspace', { workspace: data.id })
      // Everything on screen belongs to the other company: start clean.
      location.assign('/settings/workspace')
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [controls, settingsStyles]
}
