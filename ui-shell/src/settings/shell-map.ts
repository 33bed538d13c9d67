import { KitElement, api, controls, format, icon, navigate, pill, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { setPage } from '../page.ts'
import { problemLine } from '../problem-line.ts'
import { router } from '../router.ts'
import { mapHref, tieKinds } from './map-api.ts'
import type { Dangling, MapPlugin, PlatformMap, Tie, TieKind } from './map-api.ts'
import { danglingWords, eventOf, whatWords } from './map-words.ts'
import { sentenceOf } from './settings-api.ts'
import type { Breaks } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'
import { linesOf, linked, namesOf } from './shell-breaks.ts'

/** What of a tie is shown before the rest is asked for. */
const shownAtOnce = 4

/** Which module requires, hears, extends or fills which, what leads nowhere, and what would if one were off. */
export class ShellMap extends KitElement {
  static override properties = {
    map: { state: true },
    problem: { state: true },
    chosen: { state: true },
    off: { state: true },
    breaks: { state: true },
    sought: { state: true },
    left: { state: true },
  }
  declare private map: PlatformMap | undefined
  declare private problem: string | undefined
  declare private chosen: string | undefined
  /** The module that is thought to be off. */
  declare private off: string | undefined
  declare private breaks: Breaks | undefined
  declare private sought: string
  /** Kinds of ties that are not looked at. */
  declare private left: ReadonlySet<TieKind>

  #stop: (() => void) | undefined

  constructor() {
    super()
    this.sought = ''
    this.left = new Set()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#readAddress(router.url)
    this.#stop = router.onChange((url) => {
      if (url.pathname === '/settings/map') this.#readAddress(url)
    })
    void this.#load()
    void import('./shell-map-graph.ts')
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  #readAddress({ searchParams }: URL): void {
    this.chosen = searchParams.get('plugin') ?? undefined
    const off = searchParams.get('off') ?? undefined
    if (off === this.off) return
    this.off = off
    this.breaks = undefined
    if (off) void this.#preview(off)
  }

  async #load(): Promise<void> {
    try {
      this.map = (await api.get<{ data: PlatformMap }>('/api/core/platform-map')).data
      this.problem = undefined
    } catch (problem) {
      this.problem = sentenceOf(problem)
    }
  }

  async #preview(id: string): Promise<void> {
    try {
      const { data } = await api.get<{ data: Breaks }>(`/api/core/plugins/${encodeURIComponent(id)}/what-breaks`)
      if (id === this.off) this.breaks = data
    } catch (problem) {
      if (id === this.off) this.problem = sentenceOf(problem)
    }
  }

  override willUpdate(): void {
    const count = this.map?.plugins.length
    setPage(this, {
      title: t('shell.settings.map'),
      crumbs: [{ title: t('shell.nav.settings'), href: '/settings' }],
      ...(count && { count: format.number(count) }),
    })
  }

  override render() {
    return html`
      <p class="lead">${t('shell.map.lead')}</p>
      ${problemLine(this.problem)}
      ${this.map ? this.#whole(this.map) : this.problem ? nothing : html`<socle-skeleton .lines=${8}></socle-skeleton>`}
    `
  }

  #whole(map: PlatformMap) {
    const ties = this.#looked(map)
    const gone = this.#gone()
    return html`
      ${this.#bar(map)}
      <shell-map-graph
        class="card"
        .plugins=${map.plugins}
        .ties=${map.ties.filter(({ kind }) => !this.left.has(kind))}
        .chosen=${this.chosen}
        .gone=${gone}
        .found=${this.sought ? foundIn(map, ties, this.sought) : undefined}
        @choose=${(event: CustomEvent<string>) => this.#choose(event.detail)}
      ></shell-map-graph>
      <p class="meta key">${t('shell.map.key')}</p>
      ${this.#whatIf(map, gone)} ${this.#chosen(map)} ${this.#nowhere(map)} ${this.#table(map, ties)}
    `
  }

  #choose(id: string): void {
    navigate(mapHref({ plugin: id === this.chosen ? undefined : id, off: this.off }), { replace: true })
  }

  /** With it those go that cannot be without it. */
  #gone(): ReadonlySet<string> {
    return this.off ? new Set([this.off, ...(this.breaks?.dependents ?? []).map(({ id }) => id)]) : new Set()
  }

  #looked({ ties, plugins }: PlatformMap): readonly Tie[] {
    const sought = this.sought.toLocaleLowerCase()
    const said = ({ from, to, kind, what }: Tie) => [
      titleIn(plugins, from),
      titleIn(plugins, to),
      ...what,
      ...what.map((it) => whatWords(kind, it)),
    ]
    return ties
      .filter(({ kind }) => !this.left.has(kind))
      .filter((tie) => !sought || said(tie).some((it) => it.toLocaleLowerCase().includes(sought)))
  }

  #bar({ ties }: PlatformMap) {
    const kinds = tieKinds.filter((kind) => ties.some((it) => it.kind === kind))
    return html`<div class="bar" role="search" aria-label=${t('shell.map.find')}>
      <label class="field">
        <span class="visually-hidden">${t('shell.map.search')}</span>
        <input
          class="input"
          type="search"
          placeholder=${t('shell.map.search')}
          .value=${this.sought}
          @input=${(event: Event) => (this.sought = (event.target as HTMLInputElement).value.trim())}
        />
      </label>
      <div class="kinds" role="group" aria-label=${t('shell.map.kinds')}>
        ${kinds.map(
          (kind) =>
            html`<button class="button small" aria-pressed=${!this.left.has(kind)} @click=${() => this.#look(kind)}>
              ${t(`shell.map.kind.${kind}`)}
            </button>`,
        )}
      </div>
    </div>`
  }

  #look(kind: TieKind): void {
    const left = new Set(this.left)
    if (!left.delete(kind)) left.add(kind)
    this.left = left
  }

  #whatIf({ plugins, ties }: PlatformMap, gone: ReadonlySet<string>) {
    const plugin = plugins.find(({ id }) => id === this.off)
    if (!plugin) return nothing
    const lost = ties
      .filter(({ from, to, kind }) => gone.has(to) && !gone.has(from) && kind !== 'optional')
      .filter(({ from }) => plugins.some((it) => it.id === from && it.isOn))
      .flatMap(({ from, to, kind, what }) =>
        what.map((it): Dangling => ({ plugin: from, kind, what: it, owner: to, why: 'off' })),
      )
    const dependents = this.breaks?.dependents ?? []
    return html`<section class="card whatif" aria-labelledby="whatif">
      <div class="head">
        <h2 id="whatif">${t('shell.map.whatIf', { title: plugin.title })}</h2>
        <a class="button small" href=${mapHref({ plugin: this.chosen })}>${icon('undo')}${t('shell.map.backOn')}</a>
      </div>
      ${
        this.breaks
          ? html`
              ${dependents.length > 0 ? html`<p>${t('shell.breaks.dependents', { count: dependents.length, list: format.list(dependents.map((it) => it.title)) })}</p>` : nothing}
              <ul>
                ${linesOf(this.breaks).map(
                  (it) =>
                    html`<li>
                      ${icon(it.icon)}<span
                        >${linked(it)}${it.names.length > 0 ? html`<span class="meta names">${namesOf(it)}</span>` : nothing}</span
                      >
                    </li>`,
                )}
                ${lost.map((it) => html`<li>${icon('triangle-alert')}<span>${danglingWords(it, (id) => titleIn(plugins, id))}</span></li>`)}
              </ul>
              ${linesOf(this.breaks).length + lost.length + dependents.length === 0 ? html`<p>${t('shell.breaks.nothing')}</p>` : nothing}
              <p class="meta">
                ${t('shell.map.nothingDone')}
                <a class="link" href="/settings/modules">${t('shell.settings.modules')}</a>
              </p>
            `
          : html`<socle-skeleton .lines=${4}></socle-skeleton>`
      }
    </section>`
  }

  #chosen({ plugins, ties }: PlatformMap) {
    const plugin = plugins.find(({ id }) => id === this.chosen)
    if (!plugin) return nothing
    const own = ties.filter(({ from }) => from === plugin.id)
    const others = ties.filter(({ to }) => to === plugin.id)
    return html`<section class="card chosen" aria-labelledby="chosen">
      <div class="head">
        <h2 id="chosen">${plugin.title}</h2>
        <span class="meta">${plugin.id} ${plugin.version}</span>
        ${plugin.isOn ? pill(t('shell.modules.on'), 'success', 'check') : pill(t('shell.modules.off'), 'neutral', 'minus')}
        ${
          plugin.isOn && plugin.id !== 'core' && plugin.id !== this.off
            ? html`<a class="button small" href=${mapHref({ plugin: plugin.id, off: plugin.id })}
                >${icon('circle-off')}${t('shell.map.askOff')}</a
              >`
            : nothing
        }
      </div>
      <dl>
        ${this.#brings('emits', plugin.emits.map(eventOf))} ${this.#brings('services', plugin.services)}
        ${this.#brings('points', plugin.points)} ${this.#brings('slots', plugin.slots)}
        ${this.#brings('hosts', plugin.hosts)} ${this.#brings('pages', plugin.pages)}
      </dl>
      ${this.#sentences('holds', own, plugins)} ${this.#sentences('held', others, plugins)}
    </section>`
  }

  #brings(what: 'emits' | 'services' | 'points' | 'slots' | 'hosts' | 'pages', names: readonly string[]) {
    if (names.length === 0) return nothing
    return html`<div>
      <dt>${t(`shell.map.brings.${what}`)}</dt>
      <dd>${format.list(names)}</dd>
    </div>`
  }

  #sentences(heading: 'holds' | 'held', ties: readonly Tie[], plugins: readonly MapPlugin[]) {
    return html`<h3>${t(`shell.map.${heading}`)}</h3>
      ${
        ties.length === 0
          ? html`<p class="meta">${t(`shell.map.${heading}Nothing`)}</p>`
          : html`<ul>
              ${ties.map(
                ({ from, to, kind, what }) =>
                  html`<li>
                    <span
                      >${t(`shell.map.tie.${kind}`, { from: titleIn(plugins, from), to: titleIn(plugins, to) })}<span
                        class="meta names"
                        >${whatList(kind, what)}</span
                      ></span
                    >
                  </li>`,
              )}
            </ul>`
      }`
  }

  /** What leads nowhere as things are. */
  #nowhere({ dangling, plugins }: PlatformMap) {
    return html`<section aria-labelledby="nowhere">
      <h2 id="nowhere">${t('shell.map.nowhere')}</h2>
      ${
        dangling.length === 0
          ? html`<p>${pill(t('shell.map.allThere'), 'success', 'circle-check')}</p>`
          : html`<ul class="rows">
              ${dangling.map((it) => html`<li>${icon('triangle-alert')}<span class="grow">${danglingWords(it, (id) => titleIn(plugins, id))}</span></li>`)}
            </ul>`
      }
    </section>`
  }

  #table({ plugins }: PlatformMap, ties: readonly Tie[]) {
    const link = (id: string) =>
      html`<a class="link" href=${mapHref({ plugin: id, off: this.off })}>${titleIn(plugins, id)}</a>`
    return html`<section aria-labelledby="ties">
      <h2 id="ties">${t('shell.map.table')}</h2>
      ${
        ties.length === 0
          ? html`<p class="meta">${t('shell.map.noTie')}</p>`
          : html`<div class="card">
              <table role="table" aria-labelledby="ties">
                <thead role="rowgroup">
                  <tr role="row">
                    <th role="columnheader" scope="col">${t('shell.map.column.from')}</th>
                    <th role="columnheader" scope="col">${t('shell.map.column.kind')}</th>
                    <th role="columnheader" scope="col">${t('shell.map.column.to')}</th>
                    <th role="columnheader" scope="col">${t('shell.map.column.what')}</th>
                  </tr>
                </thead>
                <tbody role="rowgroup">
                  ${ties.map(
                    ({ from, to, kind, what }) =>
                      html`<tr role="row">
                        <th role="rowheader" scope="row">${link(from)}</th>
                        <td role="cell">${t(`shell.map.kind.${kind}`)}</td>
                        <td role="cell">${link(to)}</td>
                        <td role="cell">${whatList(kind, what)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </section>`
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        margin-block-end: 12px;
      }
      .bar .field {
        flex: 0 1 260px;
      }
      .kinds {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
      }
      shell-map-graph {
        padding: 12px;
      }
      shell-map-graph:not(:defined) {
        display: block;
        block-size: 240px;
      }
      .key {
        margin-block: 6px 16px;
      }
      section {
        margin-block-end: 20px;
      }
      section > h2 {
        margin-block-end: 8px;
      }
      section.card {
        display: grid;
        gap: 8px;
        padding: 16px;
        font: var(--socle-small);
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .head .button {
        margin-inline-start: auto;
      }
      h3 {
        margin-block-start: 4px;
        font: var(--socle-small);
        font-weight: 600;
      }
      section.card ul {
        display: grid;
        gap: 6px;
      }
      section.card li {
        display: flex;
        gap: 8px;
      }
      section.card li > .icon {
        flex: none;
        color: var(--socle-text-3);
      }
      .rows > li .icon {
        color: var(--socle-warning);
      }
      .pill {
        block-size: auto;
        min-block-size: 20px;
        white-space: normal;
      }
      .names {
        display: block;
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        gap: 4px;
      }
      dl > div {
        display: grid;
        grid-template-columns: minmax(100px, 160px) minmax(0, 1fr);
        gap: 12px;
      }
      dt {
        color: var(--socle-text-3);
      }
      dd {
        overflow-wrap: anywhere;
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
        font: var(--socle-small);
      }
      th,
      td {
        padding: 8px 12px;
        border-block-end: 1px solid var(--socle-line);
        text-align: start;
        vertical-align: top;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      thead th {
        font: var(--socle-meta);
        font-weight: 500;
        color: var(--socle-text-3);
      }
      tbody th {
        font-weight: 500;
        white-space: nowrap;
      }
      tbody tr:last-child > * {
        border: 0;
      }
      td:nth-child(2),
      td:nth-child(3) {
        white-space: nowrap;
      }
      summary {
        inline-size: max-content;
        cursor: pointer;
        color: var(--socle-text-2);
      }
      /* The table says all of it, and a picture of lines does not fit. */
      @media (width < 600px) {
        shell-map-graph,
        .key {
          display: none;
        }
        dl > div {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
        thead {
          position: absolute;
          inline-size: 1px;
          block-size: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        table,
        tbody,
        tr {
          display: block;
        }
        tr {
          padding: 8px 12px;
          border-block-end: 1px solid var(--socle-line);
        }
        tbody tr:last-child {
          border: 0;
        }
        tbody tr > * {
          display: inline;
          white-space: normal;
          padding: 0;
          border: 0;
        }
        tbody td:last-child {
          display: block;
          color: var(--socle-text-2);
        }
      }
    `,
  ]
}

function titleIn(plugins: readonly MapPlugin[], id: string): string {
  return plugins.find((it) => it.id === id)?.title ?? id
}

function whatList(kind: TieKind, what: readonly string[]) {
  const words = [...new Set(what.map((it) => whatWords(kind, it)))]
  if (words.length <= shownAtOnce + 1) return format.list(words)
  return html`<details>
    <summary>${t('shell.map.things', { count: words.length, list: words.slice(0, 2).join(', ') })}</summary>
    ${format.list(words)}
  </details>`
}

/** Modules that are called so, or that a tie found has an end at. */
function foundIn({ plugins }: PlatformMap, ties: readonly Tie[], sought: string): ReadonlySet<string> {
  const called = plugins.filter(({ title }) => title.toLocaleLowerCase().includes(sought.toLocaleLowerCase()))
  return new Set([...called.map(({ id }) => id), ...ties.flatMap(({ from, to }) => [from, to])])
}

define('shell-map', ShellMap)
