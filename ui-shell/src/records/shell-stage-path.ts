import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { FieldMeta, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { classMap } from 'lit/directives/class-map.js'
import { moveRecord } from './record-move.ts'
import { titleOf } from './resources.ts'
import { scopeOf, stagesOf } from './stages.ts'
import type { Stage } from './stages.ts'

/**
 * Where a record stands among its stages; a click moves it.
 *
 * @fires record-changed - the record after the move
 */
export class ShellStagePath extends KitElement {
  static override properties = {
    meta: { attribute: false },
    field: { attribute: false },
    record: { attribute: false },
    included: { attribute: false },
    stages: { state: true },
    moving: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }
      /* A stage's name is never cut: what does not fit beside the others goes below them. */
      ol {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
      }
      li {
        flex: 1 0 auto;
        max-inline-size: 100%;
      }
      button {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 4px;
        inline-size: 100%;
        block-size: 26px;
        padding: 0 6px 0 14px;
        border: 0;
        background: var(--socle-muted);
        color: var(--socle-text-2);
        font: var(--socle-meta);
        font-weight: 500;
        clip-path: polygon(0 0, calc(100% - 7px) 0, 100% 50%, calc(100% - 7px) 100%, 0 100%, 7px 50%);
        cursor: pointer;
      }
      li:first-child button {
        padding-inline-start: 10px;
        border-start-start-radius: 4px;
        border-end-start-radius: 4px;
        clip-path: polygon(0 0, calc(100% - 7px) 0, 100% 50%, calc(100% - 7px) 100%, 0 100%);
      }
      li:last-child button {
        clip-path: polygon(0 0, 100% 0, 100% 100%, 0 100%, 7px 50%);
        border-start-end-radius: 4px;
        border-end-end-radius: 4px;
      }
      button:hover:not(:disabled) {
        background: var(--socle-line);
        color: var(--socle-text);
      }
      /* The cut corners would cut the ring too: it stands inside. */
      button:focus-visible {
        outline: 2px solid currentColor;
        outline-offset: -4px;
      }
      button:disabled {
        cursor: default;
      }
      button span {
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .icon {
        inline-size: 12px;
        block-size: 12px;
      }
      .passed button {
        background: var(--socle-success-bg);
        color: var(--socle-success);
      }
      .current button {
        background: var(--socle-accent);
        color: var(--socle-on-accent);
      }
      .current.success button {
        background: var(--socle-success);
        color: var(--socle-surface);
      }
      .current.danger button {
        background: var(--socle-danger);
        color: var(--socle-surface);
      }
      @media (pointer: coarse) {
        button {
          block-size: 36px;
        }
      }
      @media (forced-colors: active) {
        button {
          border: 1px solid;
        }
        .current button {
          forced-color-adjust: none;
          background: Highlight;
          color: HighlightText;
        }
      }
    `,
  ]

  declare meta: ResourceMeta
  declare field: FieldMeta
  declare record: RecordJson
  declare included: Included
  declare private stages: readonly Stage[]
  /** Where it is on its way to. */
  declare private moving: string | undefined
  #asked = ''

  constructor() {
    super()
    this.stages = []
    this.included = {}
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has('record') && !changed.has('field')) return
    const scope = scopeOf(this.meta, this.field)
    const group = scope ? String(this.record[scope.own.name] ?? '') : ''
    const key = `${this.meta.id} ${this.field.name} ${group}`
    if (key === this.#asked) return
    this.#asked = key
    void stagesOf(this.meta, this.field, group || undefined)
      .then((stages) => (this.stages = stages))
      .catch(() => (this.#asked = ''))
  }

  override render() {
    if (this.stages.length < 2 || this.stages.length > 9) return nothing
    const current = this.moving ?? this.record[this.field.name]
    const at = this.stages.findIndex((it) => it.key === current)
    return html`<ol aria-label=${this.field.label}>
      ${this.stages.map((stage, index) => this.#stage(stage, index, at))}
    </ol>`
  }

  #stage(stage: Stage, index: number, at: number) {
    const isCurrent = index === at
    const isLost = this.stages[at]?.tone === 'danger'
    const isPassed = index < at && !isLost
    const closed = isCurrent && (stage.tone === 'success' || stage.tone === 'danger') ? stage.tone : ''
    const sign = isPassed || closed === 'success' ? 'check' : closed === 'danger' ? 'x' : undefined
    return html`<li class=${classMap({ current: isCurrent, passed: isPassed, [closed || 'open']: isCurrent })}>
      <button
        title=${stage.title}
        aria-current=${isCurrent ? 'step' : nothing}
        ?disabled=${isCurrent || !this.meta.may.update || !this.field.writable || this.moving !== undefined}
        @click=${() => void this.#move(stage)}
      >
        ${sign ? icon(sign) : nothing}<span>${stage.title}</span>
        ${isPassed ? html`<span class="visually-hidden">${t('shell.records.stage.passed')}</span>` : nothing}
      </button>
    </li>`
  }

  async #move(stage: Stage): Promise<void> {
    this.moving = stage.key
    const text = t('shell.records.board.moved', { title: titleOf(this.meta, this.record), to: stage.title })
    const moved = await moveRecord(
      this.meta,
      this.record,
      { [this.field.name]: stage.key },
      { text, included: this.included },
    ).finally(() => (this.moving = undefined))
    if (moved) this.tell('record-changed', moved)
  }
}
