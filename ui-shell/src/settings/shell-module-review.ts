import { controls, format, icon, KitElement, may, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'

interface Reached {
  readonly id: string
  readonly title: string
  readonly roles?: readonly string[]
  /** Who is let in, what is granted, how often; and how that was in the version before, where it was different. */
  readonly terms?: readonly string[]
  readonly before?: readonly string[]
}

interface ReachGroup {
  readonly kind: string
  readonly items: readonly Reached[]
}

/** An archive as the server tells it, before anything of it runs. */
export interface ModuleReview {
  readonly id: string
  readonly plugin: string
  readonly title: string
  readonly summary: string
  readonly version: string
  readonly from?: string
  readonly integrity: string
  readonly size: { readonly files: number; readonly bytes: number }
  readonly signer?: { readonly name: string; readonly trusted: boolean }
  readonly requires: readonly {
    readonly id: string
    readonly title: string
    readonly range: string
    readonly found: string | null
    readonly optional: boolean
  }[]
  readonly reach: readonly ReachGroup[]
  readonly gone: readonly ReachGroup[]
  /** Letters after `g` that others have; without an owner, the shell. */
  readonly letters: readonly { readonly letter: string; readonly owner?: string }[]
  /** Slots and extension points it would add to that nothing installed offers. */
  readonly waitsFor: readonly string[]
  readonly refusals: readonly { readonly code: string; readonly detail: string; readonly forcible: boolean }[]
}

/**
 * What a module will take hold of, before it is installed; of a new version only what it adds. The safe button has the focus.
 *
 * @fires decline
 * @fires consent - `detail.force` past the versions it asks for
 */
export class ShellModuleReview extends KitElement {
  static override properties = { review: { attribute: false }, busy: { type: Boolean } }
  static override styles = [
    controls,
    css`
      dl {
        display: grid;
        grid-template-columns: minmax(96px, max-content) 1fr;
        gap: 4px 16px;
        margin-block: 12px;
      }
      dt {
        color: var(--socle-text-2);
      }
      dd {
        margin: 0;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      /* Of several answers to one question. */
      dd + dd {
        grid-column: 2;
      }
      code {
        font:
          12px/16px ui-monospace,
          monospace;
      }
      h3 {
        margin-block: 16px 4px;
      }
      li {
        padding: 6px 0;
        border-block-end: 1px solid var(--socle-line);
        overflow-wrap: anywhere;
      }
      li .meta {
        display: block;
      }
      .note {
        display: flex;
        gap: 8px;
        margin-block: 12px;
        padding: 10px 12px;
        border-radius: 8px;
        background: var(--socle-warning-bg);
        color: var(--socle-warning);
        overflow-wrap: anywhere;
      }
      .note.danger {
        background: var(--socle-danger-bg);
        color: var(--socle-danger);
      }
      .note .icon {
        flex: none;
        margin-block-start: 2px;
      }
    `,
  ]

  declare review: ModuleReview
  declare busy: boolean

  #answered = false

  override render() {
    const { title, version, from, summary, refusals } = this.review
    const heading = t(from ? 'shell.modules.review.upgrade' : 'shell.modules.review.install', { title, version })
    const isForced = refusals.length > 0 && refusals.every(({ forcible }) => forcible) && may('core.plugin.force')
    return html`
      <socle-dialog open wide .heading=${heading} @socle-close=${this.#closed}>
        ${summary ? html`<p>${summary}</p>` : nothing}
        ${refusals.map(({ detail }) => html`<p class="note danger">${icon('circle-alert')}<span>${detail}</span></p>`)}
        ${this.#facts()}
        <p class="note">${icon('triangle-alert')}<span>${t('shell.modules.review.trusted')}</span></p>
        ${from ? this.#difference(from) : this.#groups(this.review.reach)}
        <button slot="actions" class="button" autofocus ?disabled=${this.busy} @click=${this.#decline}>
          ${t(from ? 'shell.modules.review.keep' : 'shell.modules.review.decline', { version: from ?? '' })}
        </button>
        ${
          refusals.length === 0 || isForced
            ? html`<button
                slot="actions"
                class="button ${isForced ? 'danger' : 'primary'}"
                aria-busy=${this.busy}
                ?disabled=${this.busy}
                @click=${() => this.#consent(isForced)}
              >
                ${t(isForced ? 'shell.modules.review.force' : from ? 'shell.modules.review.consentUpgrade' : 'shell.modules.review.consent')}
              </button>`
            : nothing
        }
      </socle-dialog>
    `
  }

  #facts() {
    const { signer, integrity, size, requires, letters, waitsFor } = this.review
    return html`<dl>
      <dt>${t('shell.modules.review.signer')}</dt>
      <dd>
        ${
          signer
            ? t(signer.trusted ? 'shell.modules.review.signedBy' : 'shell.modules.review.signedByStranger', {
                name: signer.name,
              })
            : t('shell.modules.review.unsigned')
        }
      </dd>
      <dt>${t('shell.modules.review.content')}</dt>
      <dd>
        ${t('shell.modules.review.size', { files: size.files, size: format.number(Math.ceil(size.bytes / 1024)) })}<br /><code
          >${integrity}</code
        >
      </dd>
      <dt>${t('shell.modules.review.needs')}</dt>
      ${requires.map(
        ({ title, range, found, optional }) =>
          html`<dd>
            ${t(found === null ? (optional ? 'shell.modules.review.needOptional' : 'shell.modules.review.needAbsent') : 'shell.modules.review.needFound', { title, range, found: found ?? '' })}
          </dd>`,
      )}
      ${
        letters.length > 0
          ? html`<dt>${t('shell.modules.review.letters')}</dt>
              ${letters.map(
                ({ letter, owner = t('shell.modules.review.shell') }) =>
                  html`<dd>${t('shell.modules.review.letterTaken', { letter, owner })}</dd>`,
              )}`
          : nothing
      }
      ${
        waitsFor.length > 0
          ? html`<dt>${t('shell.modules.review.places')}</dt>
              ${waitsFor.map((place) => html`<dd>${t('shell.modules.review.waitsFor', { place })}</dd>`)}`
          : nothing
      }
    </dl>`
  }

  #difference(from: string) {
    const { reach, gone } = this.review
    if (reach.length === 0 && gone.length === 0)
      return html`<p>${t('shell.modules.review.same', { version: from })}</p>`
    return html`
      ${
        reach.length > 0
          ? html`<p><strong>${t('shell.modules.review.added', { version: from })}</strong></p>
              ${this.#groups(reach)}`
          : nothing
      }
      ${
        gone.length > 0
          ? html`<p><strong>${t('shell.modules.review.gone', { version: from })}</strong></p>
              ${this.#groups(gone)}`
          : nothing
      }
    `
  }

  #groups(groups: readonly ReachGroup[]) {
    return groups.map(
      ({ kind, items }) => html`
        <h3>${t(`shell.modules.reach.${kind}`)}</h3>
        <ul>
          ${items.map(
            ({ id, title, roles, terms = [], before }) =>
              html`<li>
                ${title}${title === id ? nothing : html`<span class="meta">${id}</span>`}
                ${terms.length > 0 ? html`<span class="meta"><code>${terms.join(', ')}</code></span>` : nothing}
                ${before ? html`<span class="meta">${this.#changed(before)}</span>` : nothing}
                ${
                  roles
                    ? html`<span class="meta"
                        >${roles.length > 0 ? t('shell.modules.review.roles', { list: format.list(roles) }) : t('shell.modules.review.noRoles')}</span
                      >`
                    : nothing
                }
              </li>`,
          )}
        </ul>
      `,
    )
  }

  #changed(before: readonly string[]) {
    return before.length > 0
      ? t('shell.modules.review.changed', { before: before.join(', ') })
      : t('shell.modules.review.changedFromNone')
  }

  readonly #decline = (): void => {
    if (this.#answered) return
    this.#answered = true
    this.tell('decline', undefined)
  }

  #consent(force: boolean): void {
    if (this.busy || this.#answered) return
    this.tell('consent', { force })
  }

  readonly #closed = (): void => this.#decline()
}
