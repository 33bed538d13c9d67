import { KitElement, api, controls, t, toast } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { sentenceOf, tellProblem } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

interface Workspace {
  readonly version: number
  readonly [setting: string]: unknown
}

/** Settings that are one of a few values, by the names of the workspace's fields. One more is one more line. */
const choices = [{ setting: 'duplicateStrictness', values: ['lenient', 'usual', 'strict'] }] as const

/** How the platform behaves for everybody in this company. */
export class ShellWorkspace extends KitElement {
  static override properties = { workspace: { state: true }, problem: { state: true } }
  declare workspace: Workspace | undefined
  declare problem: string | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      this.workspace = (await api.get<{ data: Workspace }>('/api/core/workspace')).data
      this.problem = undefined
    } catch (error) {
      this.problem = sentenceOf(error)
    }
  }

  async #choose(setting: string, value: string): Promise<void> {
    const { workspace } = this
    if (!workspace || workspace[setting] === value) return
    try {
      const change = { version: workspace.version, [setting]: value }
      this.workspace = (await api.patch<{ data: Workspace }>('/api/core/workspace', change)).data
      toast({ text: t('shell.workspace.saved'), tone: 'success' })
    } catch (error) {
      tellProblem(error)
      // What stands there is what is so, not what was asked for.
      await this.#load()
      this.requestUpdate()
    }
  }

  override render() {
    if (this.problem)
      return html`<socle-empty icon="plug-zap" heading=${t('shell.screen.failed')} text=${this.problem}></socle-empty>`
    const { workspace } = this
    if (!workspace) return nothing
    return html`
      <p class="lead">${t('shell.workspace.lead')}</p>
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
    `
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
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

define('shell-workspace', ShellWorkspace)
