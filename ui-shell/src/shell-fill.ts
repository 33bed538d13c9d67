import { KitElement, controls, may, shell, t } from '@socle/sdk/ui'
import type { ShellFill } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { ensureElement } from './plugin-modules.ts'

const patience = 5000

/**
 * One plugin's element in another's place. Whatever it does wrong stays in here: a fill that fails to load, throws in
 * any update or shows nothing within five seconds becomes a card with the plugin's name; its neighbours stay.
 */
export class ShellFillElement extends KitElement {
  static override properties = { fill: { attribute: false }, context: { attribute: false }, problem: { state: true } }
  declare fill: ShellFill
  declare context: unknown
  declare problem: string | undefined

  #element: HTMLElement | undefined
  #tag = ''
  #watch: ReturnType<typeof setTimeout> | undefined

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#watch)
  }

  override willUpdate(): void {
    if (this.fill.tag !== this.#tag) void this.#load()
    else if (this.#element && this.isConnected) this.#hand(this.#element)
  }

  async #load(): Promise<void> {
    const { plugin, tag } = this.fill
    this.#tag = tag
    this.#element = undefined
    this.problem = undefined
    try {
      await ensureElement(plugin, tag)
      const element = document.createElement(tag)
      this.#catchUpdates(element)
      this.#hand(element)
      this.#element = element
      this.#watch = setTimeout(() => {
        if (!hasContent(element)) this.#fail(new Error(t('shell.fill.empty', { seconds: patience / 1000 })))
      }, patience)
      this.requestUpdate()
    } catch (problem) {
      this.#fail(problem)
    }
  }

  #hand(element: HTMLElement): void {
    try {
      Object.assign(element, { context: frozenCopy(this.context) })
    } catch (problem) {
      this.#fail(problem)
    }
  }

  // Lit reports a throwing render as a rejection nobody awaits; here it must not pass unseen.
  #catchUpdates(element: HTMLElement): void {
    const lit = element as HTMLElement & { performUpdate?: () => unknown }
    const perform = lit.performUpdate
    if (!perform) return
    lit.performUpdate = () => {
      try {
        return perform.call(lit)
      } catch (problem) {
        this.#fail(problem)
        return undefined
      }
    }
  }

  #fail(problem: unknown): void {
    clearTimeout(this.#watch)
    this.#element = undefined
    this.problem = problem instanceof Error ? problem.message : String(problem)
  }

  override render() {
    if (this.problem === undefined) return this.#element ?? nothing
    const title = shell()?.plugins.find((it) => it.id === this.fill.plugin)?.title ?? this.fill.plugin
    return html`
      <div class="failed" role="group" aria-label=${t('shell.fill.failed', { plugin: title })}>
        <socle-icon name="plug-zap"></socle-icon>
        <div>
          <p class="what">${t('shell.fill.failed', { plugin: title })}</p>
          <p class="meta">${this.fill.id} · ${this.problem}</p>
          <p class="row">
            <button class="button small" @click=${() => void this.#load()}>${t('shell.retry')}</button>
            ${
              may('core.plugin.toggle')
                ? html`<a class="link" href="/settings/modules">${t('shell.fill.toModules')}</a>`
                : nothing
            }
          </p>
        </div>
      </div>
    `
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }
      .failed {
        display: flex;
        gap: 12px;
        padding: 16px;
        border: 1px dashed var(--socle-control);
        border-radius: 8px;
        background: var(--socle-surface);
        color: var(--socle-text-2);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .what {
        color: var(--socle-text);
        font-weight: 500;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 12px;
        margin-block-start: 8px;
      }
    `,
  ]
}

function hasContent(element: HTMLElement): boolean {
  const root = element.shadowRoot ?? element
  return [...root.children].some((it) => it.tagName !== 'STYLE') || !!root.textContent?.trim()
}

function frozenCopy(context: unknown): unknown {
  return freeze(structuredClone(context))
}

function freeze<T>(value: T): T {
  if (value && typeof value === 'object') {
    for (const part of Object.values(value)) freeze(part)
    Object.freeze(value)
  }
  return value
}
