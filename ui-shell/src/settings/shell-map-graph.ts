import { KitElement, controls, hasIcon, icon, t } from '@socle/sdk/ui'
import { css, html, svg } from 'lit'
import type { PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { define } from '../define.ts'
import type { MapPlugin, Tie } from './map-api.ts'
import { layOut, nextPlace, nodeSize } from './map-layout.ts'
import type { Drawn } from './map-layout.ts'

/**
 * Modules and the lines between them, one tab stop; arrows go along the lines. The table beside it says the same in words.
 *
 * @fires choose - `detail` is the module's id
 */
export class ShellMapGraph extends KitElement {
  static override properties = {
    plugins: { attribute: false },
    ties: { attribute: false },
    chosen: {},
    gone: { attribute: false },
    found: { attribute: false },
    focused: { state: true },
  }
  declare plugins: readonly MapPlugin[]
  declare ties: readonly Tie[]
  declare chosen: string | undefined
  /** Those that would be off. */
  declare gone: ReadonlySet<string>
  /** Those that a search found; all of them without one. */
  declare found: ReadonlySet<string> | undefined
  declare private focused: string | undefined

  #drawn: Drawn = { width: 0, height: 0, places: [], lines: new Map() }
  #pairs: readonly { readonly from: string; readonly to: string; readonly isNeeded: boolean }[] = []

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('plugins') && !changed.has('ties')) return
    this.#pairs = [...Map.groupBy(this.ties, ({ from, to }) => `${from} ${to}`).values()].map((same) => ({
      from: same[0]!.from,
      to: same[0]!.to,
      isNeeded: same.some(({ kind }) => kind === 'requires'),
    }))
    this.#drawn = layOut(
      this.plugins.map(({ id }) => id),
      this.#pairs,
    )
  }

  override render() {
    const { width, height, places } = this.#drawn
    return html`<div class="canvas" .style=${`inline-size: ${width}px; block-size: ${height}px`}>
      <svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} aria-hidden="true">
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 8 4 0 8Z" />
          </marker>
        </defs>
        ${this.#pairs.map((pair) => this.#line(pair))}
      </svg>
      <div role="group" aria-label=${t('shell.map.graph')} @keydown=${this.#onKey}>
        ${repeat(
          places,
          ({ id }) => id,
          ({ id, x, y }) => this.#node(id, x, y),
        )}
      </div>
    </div>`
  }

  #line({ from, to, isNeeded }: { from: string; to: string; isNeeded: boolean }) {
    const points = this.#drawn.lines.get(`${from} ${to}`) ?? []
    const isLost = this.gone.has(to) && !this.gone.has(from)
    const isOfChosen = this.chosen === from || this.chosen === to
    const isFaint = (this.chosen !== undefined && !isOfChosen) || this.#isFaint(from) || this.#isFaint(to)
    const classes = [isNeeded && 'needed', isLost && 'lost', isOfChosen && 'chosen', isFaint && 'faint']
    return svg`<path class=${['line', ...classes.filter(Boolean)].join(' ')} d=${curve(points)} marker-end="url(#tip)" />`
  }

  #isFaint(id: string): boolean {
    return this.found !== undefined && !this.found.has(id)
  }

  #node(id: string, x: number, y: number) {
    const plugin = this.plugins.find((it) => it.id === id)!
    const isOff = !plugin.isOn || this.gone.has(id)
    const at = `inset-inline-start: ${x - nodeSize.width / 2}px; inset-block-start: ${y - nodeSize.height / 2}px; inline-size: ${nodeSize.width}px; block-size: ${nodeSize.height}px`
    const stop = this.focused ?? this.chosen ?? this.#drawn.places[0]?.id
    const words = t(this.gone.has(id) ? 'shell.map.wouldBeOff' : plugin.isOn ? 'shell.modules.on' : 'shell.modules.off')
    return html`<button
      class="node ${isOff ? 'off' : ''} ${this.#isFaint(id) ? 'faint' : ''}"
      data-id=${id}
      .style=${at}
      tabindex=${id === stop ? 0 : -1}
      aria-pressed=${id === this.chosen}
      @focus=${() => (this.focused = id)}
      @click=${() => this.dispatchEvent(new CustomEvent('choose', { detail: id }))}
    >
      ${icon(hasIcon(plugin.icon) ? plugin.icon : 'puzzle')}<span class="words"
        ><span>${plugin.title}</span>
        ${isOff ? html`<span class="state">${icon('minus')}${words}</span>` : html`<span class="visually-hidden">${words}</span>`}</span
      >
    </button>`
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const { key } = event
    if (key !== 'ArrowLeft' && key !== 'ArrowRight' && key !== 'ArrowUp' && key !== 'ArrowDown') return
    const at = (event.target as HTMLElement).dataset['id']
    if (!at) return
    event.preventDefault()
    const isTied = (other: string) =>
      this.#pairs.some(({ from, to }) => (from === at && to === other) || (to === at && from === other))
    const next = nextPlace(this.#drawn.places, at, key, isTied)
    if (next) this.renderRoot.querySelector<HTMLElement>(`[data-id="${next}"]`)?.focus()
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        overflow: auto;
      }
      .canvas {
        position: relative;
        margin-inline: auto;
      }
      .canvas > svg {
        position: absolute;
        inset: 0;
        fill: none;
      }
      .line {
        stroke: var(--socle-control);
        stroke-width: 1.25;
        color: var(--socle-control);
      }
      .line.needed {
        stroke-width: 2.25;
      }
      .line.chosen {
        stroke: var(--socle-accent);
      }
      .line.lost {
        stroke: var(--socle-danger);
        stroke-dasharray: 5 4;
      }
      .line.faint {
        opacity: 0.3;
      }
      marker path {
        fill: context-stroke;
      }
      .node {
        position: absolute;
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 0 12px;
        border: 1px solid var(--socle-control);
        border-radius: var(--socle-radius-card);
        background: var(--socle-surface);
        color: var(--socle-text);
        font: var(--socle-small);
        font-weight: 500;
        text-align: start;
        cursor: pointer;
      }
      .node:hover {
        background: var(--socle-page);
      }
      .node[aria-pressed='true'] {
        border-color: var(--socle-accent);
        background: var(--socle-accent-bg);
        color: var(--socle-accent);
      }
      .node.off {
        border-style: dashed;
        color: var(--socle-text-2);
      }
      .node.faint {
        border-color: var(--socle-line);
        color: var(--socle-text-3);
      }
      .words {
        flex: 1;
        display: grid;
        min-inline-size: 0;
        max-block-size: 100%;
        overflow: hidden;
        line-height: 16px;
        overflow-wrap: anywhere;
      }
      .state {
        display: inline-flex;
        align-items: center;
        gap: 2px;
        font: var(--socle-meta);
      }
      .state .icon {
        inline-size: 12px;
        block-size: 12px;
      }
    `,
  ]
}

function curve(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const last = rest.at(-1) ?? first
  const middle = rest.slice(0, -1)
  if (middle.length < 2) {
    const bend = (first.x + last.x) / 2
    return `M${first.x} ${first.y}C${bend} ${first.y} ${bend} ${last.y} ${last.x} ${last.y}`
  }
  return `M${first.x} ${first.y}${middle
    .map((it, at) => {
      const next = middle[at + 1] ?? last
      return `Q${it.x} ${it.y} ${(it.x + next.x) / 2} ${(it.y + next.y) / 2}`
    })
    .join('')}L${last.x} ${last.y}`
}

define('shell-map-graph', ShellMapGraph)
