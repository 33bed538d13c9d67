import { controls, icon, KitElement, t } from '@socle/sdk/ui'
import type { ProblemError, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { whyLink } from '../access/why-link.ts'
import { createLabel, inSentence } from './resources.ts'

/**
 * In place of rows: why there are none, and the way out. What failed is asked for again; what is refused leads to what decides.
 *
 * @fires list-retry
 * @fires list-clear - the filter is to be taken away
 * @fires list-create - the first record is to be made
 */
export class ShellNoRows extends KitElement {
  static override properties = {
    meta: { attribute: false },
    problem: { attribute: false },
    filter: {},
  }

  declare meta: ResourceMeta
  /** Why none came. */
  declare problem: ProblemError | undefined
  /** What finds none, or says nothing. */
  declare filter: 'faulty' | 'narrow' | undefined

  override render() {
    if (this.filter) return this.#filtered(this.filter === 'faulty' ? 'filter.faulty' : 'empty.filtered')
    return this.problem ? this.#failed(this.problem) : this.#empty()
  }

  #filtered(what: string) {
    return html`<socle-empty
      icon="list-filter"
      .heading=${t(`shell.records.${what}`)}
      .text=${t(`shell.records.${what}Text`, { many: inSentence(this.meta.name.many) })}
    >
      <button slot="actions" class="button" @click=${() => this.tell('list-clear')}>
        ${t('shell.records.empty.clear')}
      </button>
    </socle-empty>`
  }

  #failed({ status, detail }: ProblemError) {
    const isRefused = status === 403
    return html`<socle-empty
      icon=${isRefused ? 'lock' : 'wifi-off'}
      .heading=${t(isRefused ? 'shell.refused.title' : 'shell.records.failed')}
      .text=${detail}
    >
      <button slot="actions" class="button" @click=${() => this.tell('list-retry')}>
        ${icon('refresh-cw')}${t('shell.records.retry')}
      </button>
      ${isRefused ? whyLink({ resource: this.meta.id }) : nothing}
    </socle-empty>`
  }

  #empty() {
    const { meta } = this
    const many = inSentence(meta.name.many)
    return html`<socle-empty
      .icon=${meta.icon}
      .heading=${t('shell.records.empty.title', { many })}
      .text=${t('shell.records.empty.text', { many })}
    >
      ${
        meta.may.create
          ? html`<button slot="actions" class="button" @click=${() => this.tell('list-create')}>
              ${icon('plus')}${createLabel(meta)}
            </button>`
          : nothing
      }
      ${
        meta.may.import
          ? html`<a slot="actions" class="button" href="${meta.route}/import"
              >${icon('upload')}${t('shell.records.import')}</a
            >`
          : nothing
      }
    </socle-empty>`
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        flex: 1;
        place-items: center;
      }
    `,
  ]
}
